"""A video file as a layer's source: any moment of it, forwards, backwards, in loops that last so many beats."""

from __future__ import annotations

import logging
import sys
import threading
from collections import OrderedDict
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.codec.hwaccel import HWAccel, hwdevices_available

from performer.system.errors import Fault
from performer.system.mailboxes import Latest
from performer.types.frame import Play

log = logging.getLogger(__name__)
KEPT_BYTES = 192 << 20  # of decoded pictures, so that going backwards does not decode everything anew
AHEAD_S = 1.5  # further ahead than this it is quicker to seek
#: Platform -> hardware decoders that are tried, the best first.
HARDWARE = {"linux": ("cuda", "vaapi"), "darwin": ("videotoolbox",), "win32": ("d3d11va", "cuda")}
LARGEST = 1920  # pixels on the longer side; what is larger is made smaller when decoded
PATIENCE = 400  # pictures decoded on the way to one, at most: what is further away is shown late


class Video:
    """A video by its moments.

    path  of the file; loop, "loop", "pingpong" or "once"
    `decoder` is the hardware that decodes it, or "processor".
    Raises Fault when there is no video in it.
    """

    def __init__(self, path: Path, loop: str = "loop") -> None:
        self.path, self.loop = path, loop
        self._kept: OrderedDict[int, np.ndarray] = OrderedDict()  # pts -> picture
        self._size = 0
        self._next: Any = None
        self._at = -1  # pts of the newest decoded picture
        self._told = False
        self.shown: np.ndarray | None = None
        try:
            self._file, self.decoder = _opened(path)
        except (OSError, av.error.FFmpegError) as error:
            raise Fault(f"{path}: cannot be opened as a video ({_line(error)})") from None
        if not self._file.streams.video:
            self._file.close()
            raise Fault(f"{path}: there is no video in it")
        self._stream = self._file.streams.video[0]
        if self.decoder == "processor":
            self._stream.thread_type = "AUTO"
        base = self._stream.time_base
        assert base is not None
        self._base = float(base)
        self._first = self._stream.start_time or 0
        rate = float(self._stream.average_rate or self._stream.guessed_rate or 25.0)
        self._span = max(1, round(1.0 / rate / self._base))  # of one picture, in pts
        self.duration_s = self._length(rate)
        if self.picture_at(0.0) is None:
            self._file.close()
            raise Fault(f"{path}: not one of its pictures can be decoded")

    def _length(self, rate: float) -> float:
        """Seconds; where the file does not say, all of it is read once."""
        if self._stream.duration:
            return max(float(self._stream.duration) * self._base, 1.0 / rate)
        if self._file.duration:
            return max(float(self._file.duration) / av.time_base, 1.0 / rate)
        count = 0
        try:
            for packet in self._file.demux(self._stream):
                count += packet.size > 0
        except av.error.FFmpegError:
            pass
        self._seek(0)
        return max(count, 1) / rate

    def moment(self, play: Play) -> float:
        """Seconds into the file that a Play asks for."""
        offset, beats = float(play.params[0]), float(play.params[1])  # type: ignore[arg-type]
        turn = offset + (play.beat / beats if beats > 0.0 else play.position / self.duration_s)
        if self.loop == "once":
            turn = min(max(turn, 0.0), 1.0)
        elif self.loop == "pingpong":
            turn = 1.0 - abs(turn % 2.0 - 1.0)
        else:
            turn %= 1.0
        return min(turn * self.duration_s, self.duration_s - self._span * self._base)

    def picture_at(self, seconds: float) -> np.ndarray | None:
        """(H, W, 4) uint8 of that moment; the last good one where it cannot be had, None before the first."""
        wanted = self._first + round(max(seconds, 0.0) / self._base)
        kept = self._find(wanted)
        if kept is None:
            self._decode(wanted)
            kept = self._find(wanted)
        if kept is not None:
            self.shown = kept
        elif self._kept:
            nearest = min(self._kept, key=lambda pts: abs(pts - wanted))
            self.shown = self._kept[nearest]
        return self.shown

    def _find(self, wanted: int) -> np.ndarray | None:
        before = [pts for pts in self._kept if wanted - self._span < pts <= wanted]
        if not before:
            return None
        pts = max(before)
        self._kept.move_to_end(pts)
        return self._kept[pts]

    def _decode(self, wanted: int) -> None:
        """Read on until the wanted picture is there."""
        if self._next is None or not self._at < wanted <= self._at + AHEAD_S / self._base:
            self._seek(wanted)
        for _ in range(PATIENCE):
            try:
                frame = next(self._next)
            except StopIteration:
                self._next = None
                return
            except (av.error.FFmpegError, ValueError) as error:
                if not self._told:
                    self._told = True
                    log.warning(
                        "%s: broken at %.1f s (%s); the last good picture stays",
                        self.path,
                        max(self._at, 0) * self._base,
                        _line(error),
                    )
                self._next = None
                return
            pts = frame.pts if frame.pts is not None else self._at + self._span
            self._at = pts
            self._keep(pts, frame)
            if pts > wanted - self._span:
                return

    def _keep(self, pts: int, frame: av.VideoFrame) -> None:
        longest = max(frame.width, frame.height)
        if longest > LARGEST:
            scale = LARGEST / longest
            frame = frame.reformat(max(2, round(frame.width * scale)), max(2, round(frame.height * scale)))
        picture = frame.to_ndarray(format="rgba")
        self._size += picture.nbytes
        self._kept[pts] = picture
        while self._size > KEPT_BYTES and len(self._kept) > 1:
            _, old = self._kept.popitem(last=False)
            self._size -= old.nbytes

    def _seek(self, wanted: int) -> None:
        try:
            self._file.seek(max(wanted, self._first), stream=self._stream, backward=True)
        except (OSError, av.error.FFmpegError):
            self._file.seek(0)
        self._next, self._at = self._file.decode(self._stream), -1

    def close(self) -> None:
        self._next = None
        self._kept.clear()
        self._file.close()


class Projector:
    """Decodes a video on a thread of its own: `picture` asks for a moment and gets the newest there is."""

    def __init__(self, video: Video) -> None:
        self._video = video
        self._wanted: Latest[float] = Latest()
        self._made: Latest[np.ndarray] = Latest()
        self._stop = threading.Event()
        if video.shown is not None:
            self._made.post(video.shown)

    def picture(self, play: Play, _size: tuple[int, int]) -> np.ndarray | None:
        self._wanted.post(self._video.moment(play))
        return self._made.peek()

    def run(self) -> None:
        """Thread body."""
        seen = 0
        while not self._stop.is_set():
            seen, seconds = self._wanted.wait(seen, 0.2)
            if seconds is None or self._stop.is_set():
                continue
            picture = self._video.picture_at(seconds)
            if picture is not None and picture is not self._made.peek():
                self._made.post(picture)
        self._video.close()

    def close(self) -> None:
        """Let the thread end; it closes the file."""
        self._stop.set()


class Inline:
    """The same where there is time: every picture exactly."""

    def __init__(self, video: Video) -> None:
        self._video = video

    def picture(self, play: Play, _size: tuple[int, int]) -> np.ndarray | None:
        return self._video.picture_at(self._video.moment(play))

    def close(self) -> None:
        self._video.close()


def _opened(path: Path) -> tuple[Any, str]:
    """The file, by a hardware decoder where one works on its first picture, and what decodes it."""
    for kind in HARDWARE.get(sys.platform, ()):
        if kind not in hwdevices_available():
            continue
        try:
            file = av.open(str(path), hwaccel=HWAccel(kind, allow_software_fallback=False))
            try:
                next(file.decode(video=0))
                file.seek(0)
                return file, kind
            except (StopIteration, OSError, ValueError, RuntimeError, NotImplementedError, av.error.FFmpegError):
                file.close()
        except (OSError, ValueError, RuntimeError, NotImplementedError, av.error.FFmpegError) as error:
            log.debug("%s: no %s decoder: %s", path, kind, _line(error))
    return av.open(str(path)), "processor"


def _line(error: BaseException) -> str:
    return " ".join(str(error).split())[:120]
