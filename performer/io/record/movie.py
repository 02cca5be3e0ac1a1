"""Moving pictures with sound, to a file that plays even when its writing was cut short."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.video.reformatter import ColorPrimaries, ColorRange, Colorspace, ColorTrc

from performer.audio import surround
from performer.system.errors import Fault, nearest
from performer.system.paths import expanded, for_ffmpeg
from performer.types.rates import rate as exact_rate

#: Ending -> container options. hybrid_fragmented leaves fragments while writing and an ordinary file when closed;
#: delay_moov lets it note the sound encoder's delay, so that sound and picture start together.
CONTAINERS = {
    ".mp4": {"movflags": "hybrid_fragmented+frag_keyframe+delay_moov+default_base_moof"},
    ".m4v": {"movflags": "hybrid_fragmented+frag_keyframe+delay_moov+default_base_moof"},
    ".mov": {"movflags": "hybrid_fragmented+frag_keyframe+delay_moov+default_base_moof"},
    ".mkv": {"cluster_time_limit": "1000"},
}

#: Encoders in hardware, tried in this order for live recording.
HARDWARE = ("h264_nvenc", "h264_videotoolbox")

#: Bytes that must be free where a movie goes before it is written; half of them stay free, for everything else.
LEAST_FREE = 256 << 20
CHECKED_BYTES = 4 << 20  # between two looks at the room, at the most

_AAC_RATES = (96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000)


class Movie:
    """An H.264 movie (yuv420p, BT.709) with AAC sound.

    Parameters
    ----------
    path : str | Path
        Ends in one of CONTAINERS; a file of that name is replaced.
    size : tuple[int, int]
        (width, height) of the frames; odd sides lose their last column or row.
    fps : float | Fraction
        Frames per second, exact where it is a Fraction.
    rate : int, optional
        Samples per second of the sound; None for no sound.
    channels : int, optional
        Channels of the sound; more than two are mixed to two.
    layout : Sequence[str], optional
        Names of their speakers, as audio.surround has them; empty where they are not known.
    live : bool, optional
        Encode as fast as may be, in hardware where it works; otherwise the same frames give the same file's picture,
        bit for bit, on any machine with the same libraries.

    Raises
    ------
    Fault
        Here and while writing: unknown ending, path not writable, disk full, no encoder.
    """

    def __init__(
        self,
        path: str | Path,
        size: tuple[int, int],
        fps: float | Fraction,
        *,
        rate: int | None = None,
        channels: int = 0,
        layout: Sequence[str] = (),
        live: bool = False,
    ) -> None:
        self.path = check_path(path)
        self.size = (size[0] & ~1, size[1] & ~1)
        if min(self.size) < 16:
            raise Fault(f"{self.path}: frames of {size[0]}x{size[1]} are too small for a movie; take at least 16x16")
        self.fps = exact_rate(fps)
        self.frames = 0  # positions filled on the time line, each 1/fps long
        self.samples = 0
        self._next_check = 0  # place on the time line at which to look for free space again
        self._written = self._checked = 0  # bytes of all packets, and when it was looked
        self._second = self._most = 0  # bytes of this second's packets, and of the most that a second had
        self._file: Any = None
        self.encoder = ""
        try:
            self._file = av.open(
                for_ffmpeg(self.path), "w", options={**CONTAINERS[self.path.suffix.lower()], "flush_packets": "1"}
            )
            self.encoder = pick_encoder(self.size, self.fps) if live else "libx264"
            self._video = self._add_video(live)
            self._audio = self._add_audio(rate, channels) if rate and channels else None
            self._file.start_encoding()
        except (av.FFmpegError, OSError, ValueError) as error:
            if self._file is None:
                raise self._fault(error) from error
            self._abandon()
            with contextlib.suppress(OSError):
                self.path.unlink()  # there is nothing in it
            raise Fault(
                f"{self.path}: the encoder {self.encoder} does not start for {self.size[0]}x{self.size[1]} "
                f"({_reason(error)})"
            ) from error
        self._channels = channels
        self._layout = layout
        self._rate = rate or 0

    def _add_video(self, live: bool) -> Any:
        stream = self._file.add_stream(self.encoder, rate=self.fps)
        configure(stream.codec_context, self.encoder, self.size, self.fps, live)
        return stream

    def _add_audio(self, rate: int, channels: int) -> Any:
        stream = self._file.add_stream("aac", rate=rate if rate in _AAC_RATES else 48000)
        stream.codec_context.layout = "mono" if channels == 1 else "stereo"
        stream.codec_context.bit_rate = 192_000 if channels > 1 else 128_000
        return stream

    @property
    def seconds(self) -> float:
        """How long the picture is so far."""
        return float(self.frames / self.fps)

    def write(self, pixels: np.ndarray, t: float | None = None) -> bool:
        """Append a frame.

        False when that place on the time line was filled already; a gap prolongs the frame before it.

        Parameters
        ----------
        pixels : ndarray
            (H, W, 3) uint8, top row first, any strides; another size than the movie's is scaled to it.
        t : float, optional
            Seconds from the movie's start, rounded to 1/fps; None: just after the last frame.
        """
        at = self.frames if t is None else round(t * self.fps)
        if at < self.frames:
            return False
        width, height = self.size
        if (pixels.shape[1] & ~1, pixels.shape[0] & ~1) == self.size:
            pixels = pixels[:height, :width]
        frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(pixels), "rgb24").reformat(
            width,
            height,
            "yuv420p",
            src_color_range=ColorRange.JPEG,
            dst_color_range=ColorRange.MPEG,
            dst_colorspace=Colorspace.ITU709,
            dst_color_trc=ColorTrc.BT709,
            dst_color_primaries=ColorPrimaries.BT709,
        )
        frame.pts = at
        frame.time_base = 1 / self.fps
        self._mux(self._video, frame)
        self.frames = at + 1
        second = at >= self._next_check
        if second:
            self._next_check = at + round(self.fps)
            self._second = 0
        if second or self._written - self._checked > CHECKED_BYTES:
            self._checked = self._written
            try:
                room = self._room()
            except OSError as error:  # a disk that was pulled out
                self._abandon()
                raise self._fault(error) from error
            if room < LEAST_FREE // 2:
                self.close()  # while there is still room to finish the file
                raise Fault(f"{self.path}: the disk is nearly full; the movie ends at {self.seconds:.1f} s")
        return True

    def _room(self) -> int:
        """Bytes that will be free once all is written that the encoders and the file's last fragment still hold."""
        waiting = max(self._written - self.path.stat().st_size, 0)
        return shutil.disk_usage(self.path.parent).free - waiting - 2 * self._most

    def write_audio(self, samples: np.ndarray) -> None:
        """Append sound (n, channels) float32 in -1..1, right after what was written before."""
        if self._audio is None or not len(samples):
            return
        if samples.ndim != 2 or samples.shape[1] != self._channels:
            raise ValueError(f"sound of shape {samples.shape} for a movie of {self._channels} channels")
        if self._channels > 2:
            samples = surround.mixed(samples, surround.to_stereo(self._layout, self._channels))
        planar = np.ascontiguousarray(np.clip(samples.T, -1.0, 1.0), np.float32)
        frame = av.AudioFrame.from_ndarray(planar, "fltp", "mono" if len(planar) == 1 else "stereo")
        frame.sample_rate = self._rate
        frame.time_base = Fraction(1, self._rate)
        frame.pts = self.samples
        self._mux(self._audio, frame)
        self.samples += len(samples)

    def close(self) -> None:
        """Write what the encoders still hold and finish the file. Closing twice does nothing."""
        if self._file is None:
            return
        for stream in (self._video, self._audio):
            if stream is not None:
                self._mux(stream, None)
        try:
            self._file.close()
        except (av.FFmpegError, OSError) as error:
            raise self._fault(error) from error
        finally:
            self._file = None

    def __enter__(self) -> Movie:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def _mux(self, stream: Any, frame: Any) -> None:
        try:
            for packet in stream.encode(frame):
                self._written += packet.size
                self._second += packet.size
                self._file.mux(packet)
            self._most = max(self._most, self._second)
        except (av.FFmpegError, OSError) as error:
            self._abandon()
            raise self._fault(error) from error

    def _abandon(self) -> None:
        file = self._file
        self._file = None
        if file is not None:
            try:
                file.close()
            except (av.FFmpegError, OSError, ValueError):  # the error that led here is the one to report
                return

    def _fault(self, error: Exception) -> Fault:
        full = getattr(error, "errno", None) == 28
        with contextlib.suppress(OSError):
            full = full or shutil.disk_usage(self.path.parent).free < LEAST_FREE // 2
        if full:
            return Fault(f"{self.path}: the disk is full; free some space or choose another folder")
        return Fault(
            f"{self.path}: cannot be written ({_reason(error)}); check the folder's permissions or choose another"
        )


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or " ".join(str(error).split())


def check_path(path: str | Path) -> Path:
    """The path as a movie can be written to it; touches nothing. Raises Fault saying why it can't."""
    path = expanded(path)
    if path.suffix.lower() not in CONTAINERS:
        known = tuple(CONTAINERS)
        raise Fault(
            f"{path}: unknown extension {path.suffix!r} for a movie; use one of {', '.join(known)}"
            f"{nearest(path.suffix, known)}"
        )
    check_folder(path.parent, LEAST_FREE)
    if path.is_dir():
        raise Fault(f"{path}: is a folder; give a file name")
    if path.exists() and not os.access(path, os.W_OK):
        raise Fault(f"{path}: is write-protected; choose another name")
    return path


def clock_time(seconds: float) -> str:
    """`0:04`, `12:30`, `1:02:05`."""
    whole = max(0, round(seconds))
    hours = whole // 3600
    minutes = whole // 60 % 60
    return f"{hours}:{minutes:02d}:{whole % 60:02d}" if hours else f"{minutes}:{whole % 60:02d}"


def check_folder(folder: Path, least_free: int) -> None:
    """Raises Fault unless files can be written in the folder and `least_free` bytes are free there."""
    if not folder.is_dir():
        raise Fault(f"{folder}: there is no such folder; create it or choose another")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise Fault(f"{folder}: the folder is not writable; choose another")
    if shutil.disk_usage(folder).free < least_free:
        raise Fault(f"{folder}: the disk is full; free some space or choose another folder")


def pick_encoder(size: tuple[int, int], fps: Fraction) -> str:
    """The first encoder in HARDWARE that really encodes a frame of this size, else libx264."""
    for name in HARDWARE:
        try:
            codec: Any = av.CodecContext.create(name, "w")
            configure(codec, name, size, fps, live=True)
            black = av.VideoFrame(*size, "yuv420p")
            black.pts = 0
            if [*codec.encode(black), *codec.encode(None)]:
                return name
        except (av.FFmpegError, OSError, ValueError, LookupError):
            continue
    return "libx264"


def configure(codec: Any, encoder: str, size: tuple[int, int], fps: Fraction, live: bool) -> None:
    """Set up a codec context; its threads and settings are fixed offline, so that pictures repeat bit for bit."""
    codec.width, codec.height = size
    codec.pix_fmt = "yuv420p"
    codec.framerate = fps
    codec.time_base = 1 / fps
    codec.gop_size = max(1, round(fps))  # a second: what an interrupted file loses at most
    codec.color_range = ColorRange.MPEG
    codec.colorspace = Colorspace.ITU709
    codec.color_primaries = ColorPrimaries.BT709
    codec.color_trc = ColorTrc.BT709
    if encoder == "libx264":
        # bf=0: with B-frames x264's macroblock tree reads memory it never wrote, and files differ from run to run.
        codec.options = {"preset": "ultrafast", "crf": "20"} if live else {"preset": "veryfast", "crf": "16", "bf": "0"}
        codec.thread_count = max(1, (os.cpu_count() or 1) // 4) if live else 4
    else:
        codec.bit_rate = int(size[0] * size[1] * float(fps) * 0.25)
