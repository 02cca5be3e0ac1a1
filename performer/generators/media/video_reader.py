"""The pictures of a video file in the order in which they are shown, from any of its moments on."""

from __future__ import annotations

import contextlib
import logging
import sys
from collections import deque
from pathlib import Path
from typing import Any

import av
from av.codec.hwaccel import HWAccel, hwdevices_available
from av.format import Flags
from av.stream import Disposition

from performer.system.errors import Fault
from performer.system.paths import for_ffmpeg

log = logging.getLogger(__name__)
#: Platform -> hardware decoders that are tried, the best first.
HARDWARE = {"linux": ("cuda", "vaapi"), "darwin": ("videotoolbox",), "win32": ("d3d11va", "cuda")}
#: Codec -> the decoder that also decodes its alpha, where a file has some.
WITH_ALPHA = {"vp8": "libvpx", "vp9": "libvpx-vp9"}
#: Seconds before a moment that are sought, one after the other, until a picture before that moment comes: formats
#: without an index, as transport streams, land behind what was asked for, and so do leading pictures of open groups.
BACK_S = (0.0, 1.0, 4.0, 16.0, 64.0)
#: Format -> seconds after a seek for which its times are guesses: not every picture has one in a program stream.
UNSURE_S = {"mpeg": 1.0}
TAIL_S = 2.0  # before its end, from where on it is looked for
MOST_ERRORS = 64  # in a row, after which a file has ended


class VideoReader:
    """Decodes a video file.

    A picture's time counts units of `base` seconds from `first`, that of the first picture.

    Parameters
    ----------
    path : Path
        Path of the file.

    Raises
    ------
    Fault
        When it contains no video.

    Attributes
    ----------
    decoder
        The hardware that decodes it, or "processor".
    duration_s
        Seconds of the video, by what the file says; where it does not, all of it is read once.
    seeks
        Whether it can be read from another moment than its beginning.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._told = self._lost = False
        self.first = 0
        self._origin: int | None = None  # time of decoding of the first packet
        self._back = 0  # of BACK_S, what was enough so far
        try:
            self._file, self.decoder = _opened(path)
        except (OSError, ValueError, av.error.FFmpegError) as error:
            raise Fault(f"{path}: cannot be opened as a video ({_line(error)})") from None
        stream = _video(self._file)
        if stream is None or stream.codec_context is None:
            self._file.close()
            raise Fault(f"{path}: " + ("it contains no video" if stream is None else "of a codec that is not known"))
        self._untimed = bool(self._file.format.flags & Flags.no_timestamps.value)
        self._by_dts = "avi" in self._file.format.name.split(",")  # whose order of showing is not stored
        self._unsure_s = UNSURE_S.get(self._file.format.name, 0.0)
        self.seeks = not self._untimed
        self._rate = float(stream.average_rate or stream.guessed_rate or 25.0)
        self.base = 1.0 / self._rate if self._untimed or stream.time_base is None else float(stream.time_base)
        self._span = max(1, round(1.0 / self._rate / self.base))  # of one picture, in units
        self._begin()
        held = self.read()
        if held is None:
            self._file.close()
            raise Fault(f"{path}: none of its frames can be decoded")
        self.aspect = stream.sample_aspect_ratio
        self.first = held[0]
        self._delay = self.first - self._origin if self._by_dts and self._origin is not None else 0
        self.duration_s = self._length()

    def _begin(self) -> None:
        """Read on from where the file is."""
        self._stream = _video(self._file)
        own = WITH_ALPHA.get(self._stream.codec_context.name) if _has_alpha(self._stream) else None
        self._codec: Any = av.CodecContext.create(own, "r") if own else self._stream.codec_context
        if self.decoder == "processor" and not self._codec.is_open:
            self._codec.thread_type = "AUTO"
        self._restart()

    def _restart(self) -> None:
        self._packets = self._file.demux(self._stream)
        self._ready: deque[av.VideoFrame] = deque()
        self._ended = False
        self._errors = 0
        self._count = 0
        self._last: int | None = None
        self._held: tuple[int, av.VideoFrame] | None = None

    def _length(self) -> float:
        """Seconds of the video: what a file says is of its sound too, or of more than is there where it was cut off."""
        said, unit = (self._stream.duration, self.base) if self._stream.duration else (self._file.duration, 1e-6)
        whole = float(said) * unit if said and not self._untimed else 0.0
        if whole <= 0.0 or self._untimed:
            self._rewind()
            whole = self._end()
        else:
            with contextlib.suppress(OSError, av.error.FFmpegError):
                start = self.first + max(0, round((whole - TAIL_S) / self.base))
                self._file.seek(start, stream=self._stream, backward=True)
                whole = self._end() or whole
        self._rewind()
        return max(whole, 1.0 / self._rate)

    def _end(self) -> float:
        """Seconds from the first picture to the end, of which all packets are read from here on; 0 without any."""
        count = 0
        end = self.first
        with contextlib.suppress(OSError, LookupError, av.error.FFmpegError):
            for packet in self._file.demux(self._stream):
                count += packet.size > 0
                time = packet.dts if self._by_dts else packet.pts
                if time is not None:
                    end = max(end, time + self._delay + (packet.duration or self._span))
        return count / self._rate if self._untimed else (end - self.first) * self.base

    def read(self) -> tuple[int, av.VideoFrame] | None:
        """The next picture and its time; None at the end. What cannot be decoded is left out, and said once."""
        if self._held is not None:
            held = self._held
            self._held = None
            return held
        while not self._ready:
            if self._ended or self._lost:
                return None
            self._feed()
        frame = self._ready.popleft()
        self._errors = 0
        return self._time(frame), frame

    def _feed(self) -> None:
        try:
            packet = next(self._packets)
        except StopIteration:
            self._ended = True
            return
        except LookupError:  # PyAV at the end of a file in which another stream began later
            self._ended = True
            packet = None
        except (OSError, av.error.FFmpegError) as error:
            self._failed(error)
            self._packets = self._file.demux(self._stream)
            return
        if self._origin is None and packet is not None:
            self._origin = packet.dts
        try:
            self._ready.extend(self._codec.decode(packet))
        except av.error.EOFError:
            self._ended = True
        except (ValueError, av.error.FFmpegError) as error:
            self._failed(error)

    def _failed(self, error: Exception) -> None:
        self._errors += 1
        self._ended = self._errors > MOST_ERRORS
        if not self._told:
            self._told = True
            at = max((self._last or 0) - self.first, 0) * self.base
            log.warning("%s: broken at %.1f s (%s); the last good frame stays", self.path, at, _line(error))

    def _time(self, frame: av.VideoFrame) -> int:
        if self._untimed:
            self._count += 1
            return self._count - 1
        known = (frame.dts, frame.pts) if self._by_dts else (frame.pts, frame.dts)
        at = next((time for time in known if time is not None), None)
        if self._last is not None and (at is None or at <= self._last):
            at = self._last + self._span
        self._last = at if at is not None else 0
        return self._last

    def seek(self, time: int) -> None:
        """Go to where the next picture to be read is that of `time`, or one before it, as near as the file allows."""
        if self._lost:
            return
        for number in range(self._back, len(BACK_S)):
            start = time - round(BACK_S[number] / self.base)
            if not self.seeks or start <= self.first:
                break
            if self._lands(start, time):
                self._back = number
                return
        if not (self.seeks and self._lands(self.first, self.first)):
            self._rewind()

    def _lands(self, start: int, time: int) -> bool:
        """Seek to `start`; whether the first picture that comes is not after `time`, and is held then."""
        try:
            self._file.seek(start, stream=self._stream, backward=True)
            if self._codec is not self._stream.codec_context:
                self._codec.flush_buffers()
        except (OSError, av.error.FFmpegError):
            return False
        self._restart()
        landed = got = self.read()
        while got is not None and landed is not None and self.first < landed[0] > got[0] - self._unsure_s / self.base:
            got = self.read()
        if got is None or got[0] > time:
            return False
        self._held = got
        return True

    def _rewind(self) -> None:
        """Go to the beginning, whatever the format: the file is opened anew."""
        self._file.close()
        try:
            self._file = _opened_by(self.path, self.decoder)
            self._begin()
        except (OSError, ValueError, AttributeError, av.error.FFmpegError) as error:
            self._lost = True
            log.warning("%s: cannot be read again (%s); the last good frame stays", self.path, _line(error))

    def close(self) -> None:
        self._lost = True
        self._held = None
        self._ready.clear()
        self._file.close()


def _video(file: Any) -> Any:
    """The stream of the film, which a cover is not; None where there is none."""
    streams = file.streams.video
    return min(
        streams,
        key=lambda each: (each.codec_context is None, bool(each.disposition & Disposition.attached_pic), each.index),
        default=None,
    )


def _has_alpha(stream: Any) -> bool:
    return bool(stream.metadata.get("alpha_mode", stream.metadata.get("ALPHA_MODE", "0")) == "1")


def _opened(path: Path) -> tuple[Any, str]:
    """The file, by a hardware decoder where one works on its first picture, and what decodes it."""
    for kind in HARDWARE.get(sys.platform, ()):
        if kind not in hwdevices_available():
            continue
        try:
            file = _opened_by(path, kind)
            try:
                stream = _video(file)
                if stream is not None and not _has_alpha(stream):
                    next(file.decode(stream))
                    file.close()
                    return _opened_by(path, kind), kind
            except (StopIteration, OSError, ValueError, RuntimeError, NotImplementedError, av.error.FFmpegError):
                pass
            file.close()
        except (OSError, ValueError, RuntimeError, NotImplementedError, av.error.FFmpegError) as error:
            log.debug("%s: no %s decoder: %s", path, kind, _line(error))
    return _opened_by(path, "processor"), "processor"


def _opened_by(path: Path, decoder: str) -> Any:
    hardware = None if decoder == "processor" else HWAccel(decoder, allow_software_fallback=False)
    return av.open(for_ffmpeg(path), hwaccel=hardware, metadata_errors="replace")


def _line(error: BaseException) -> str:
    return " ".join(str(error).split())[:120]
