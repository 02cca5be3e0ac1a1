"""Two decoders of sound with one face: libsndfile, and FFmpeg's by PyAV for what that cannot read or gives up on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import nullcontext
from itertools import chain
from typing import Any, BinaryIO, Protocol

import av
import numpy as np
import soundfile

from performer.audio import surround
from performer.system.native_noise import silenced

STEP = 1 << 14  # samples that libsndfile is asked for at once
#: Containers that hold sound. Not those that name other files or addresses (playlists, hls, concat): nothing but
#: the file that was named is ever opened.
CONTAINERS = (
    "aac,ac3,aiff,amr,ape,asf,au,avi,caf,dsf,dts,dtshd,eac3,flac,flv,iff,ircam,matroska,mlp,mov,mp3,mpc,mpc8,mpeg,"
    "mpegts,mxf,nut,ogg,oma,rm,shn,tak,truehd,tta,voc,w64,wav,wtv,wv,xwma"
)
HOLE_S = 0.02  # sound that is missing for longer than this is silence, so that what follows comes in its time
LONGEST_HOLE_S = 10.0  # beyond this it is the time stamps that jump
PATIENCE = 200  # times in a row that nothing can be read, after which nothing more is hoped for
PLANES = 8  # that a frame of FFmpeg's holds in itself
FAR_S = 60.0  # what is further on is sought, not decoded up to
RUN_IN_S = 2.0  # decoded before a place that is sought


class Damaged(Exception):
    """A decoder cannot read on, or not at all; in words."""


class Decoder(Protocol):
    """A stream of sound.

    Attributes
    ----------
    rate : int
        Samples per second, of what was read last.
    channels : int
        How many, of what was read last.
    frames : int | None
        Samples that the file says it has; None where that is not known or not exact.
    exact : bool
        Whether they need no proof: nothing is compressed.
    layout : tuple[str, ...]
        Names of its channels' speakers (see audio.surround); empty where they are not known.
    """

    rate: int
    channels: int
    layout: tuple[str, ...]
    frames: int | None
    exact: bool

    def read(self) -> np.ndarray:
        """The next samples (n, channels) float32, as many as come; none at the end. Raises Damaged."""

    def close(self) -> None: ...


class Sndfile:
    """libsndfile: wav, aiff, caf, au, flac, ogg, mp3 and some older ones.

    Raises Damaged.

    Parameters
    ----------
    file : BinaryIO | str | bytes
        Its path, or a part of one.
    """

    def __init__(self, file: BinaryIO | str | bytes) -> None:
        try:
            with silenced():  # mpg123 prints what it thinks of a file, from C
                self._file = soundfile.SoundFile(file)
        except soundfile.LibsndfileError as error:
            raise Damaged(error.error_string) from None
        self.rate = self._file.samplerate
        self.channels = self._file.channels
        self.layout = surround.USUAL.get(self.channels, ())
        self.frames: int | None = self._file.frames if 0 <= self._file.frames < 1 << 62 else None
        self._prints = self._file.format == "MP3"
        self.exact = self._file.format not in ("FLAC", "OGG", "MP3")

    def read(self) -> np.ndarray:
        try:
            with silenced() if self._prints else nullcontext():
                return self._file.read(STEP, dtype="float32", always_2d=True)  # type: ignore[no-any-return]
        except soundfile.LibsndfileError as error:
            raise Damaged(error.error_string) from None

    def close(self) -> None:
        self._file.close()


class Pyav:
    """FFmpeg's decoders: all that they know, and past damage.

    Raises Damaged, also where not one sample can be decoded.

    Parameters
    ----------
    skip : int, optional
        Samples that are not wanted, from the beginning.
    ignore_length : bool, optional
        Ignore length of a WAV: it says too little.
    """

    exact = False

    def __init__(self, file: BinaryIO, skip: int = 0, ignore_length: bool = False) -> None:
        options = {"format_whitelist": CONTAINERS} | ({"ignore_length": "1"} if ignore_length else {})
        try:
            self._container: Any = av.open(file, options=options, metadata_errors="replace")
        except (av.FFmpegError, OSError, ValueError) as error:
            raise Damaged(_reason(error)) from None
        try:
            self._stream = self._sound()
            self.frames: int | None = None
            self._made = 0  # samples, since the beginning
            self._base: float | None = None  # time of the first, in seconds
            self._skip = skip
            self._packer: av.AudioResampler | None = None
            self._packs: tuple[str, str, int] | None = None  # what that was made for
            frames = self._frames()
            first = next(frames, None)
            if first is None:
                raise Damaged("nothing of its sound can be decoded")
        except BaseException:
            self._container.close()
            raise
        self.rate = int(first.sample_rate)
        self.channels = int(first.layout.nb_channels)
        self.layout = _layout(first.layout)
        self._end: float | None = None  # seconds, where the container knows where coded sound is only filling
        if self._container.format.name.startswith("mov") and self._stream.duration:
            self._end = float(self._stream.duration * self._stream.time_base)
        if skip > FAR_S * self.rate:
            first, frames = self._sought(first)
        self._blocks = self._decoded(first, frames)

    def _sound(self) -> Any:
        stream: Any = self._container.streams.best("audio")
        if stream is None:
            raise Damaged("there is no sound in it")
        if getattr(stream, "codec_context", None) is None:
            raise Damaged("no decoder here knows how its sound is written")
        stream.codec_context.thread_type = "NONE"  # the same samples every time
        if stream.codec_context.name == "flac":  # what its checksum does not vouch for is noise at full level
            stream.codec_context.options = {"err_detect": "crccheck+explode"}
        return stream

    def read(self) -> np.ndarray:
        for block in self._blocks:
            if self._skip:
                drop = min(self._skip, len(block))
                self._skip -= drop
                block = block[drop:]
            if len(block):
                return block
        return np.zeros((0, self.channels), np.float32)

    def close(self) -> None:
        self._container.close()

    def _decoded(self, first: Any, frames: Iterator[Any]) -> Iterator[np.ndarray]:
        for frame in chain([first], frames):
            samples = _floats(self._packed(frame))
            rate = int(frame.sample_rate)
            channels = samples.shape[1]
            if (rate, channels) != (self.rate, self.channels):  # another programme on the same station
                self.rate, self.channels, self.layout = rate, channels, _layout(frame.layout)
                self._made = 0
                self._base = None
                self._end = None
            hole = self._hole(frame)
            if hole:
                self._made += hole
                yield np.zeros((hole, channels), np.float32)
            if self._end is not None:
                samples = samples[: max(0, round(self._end * rate) - self._made)]
            self._made += len(samples)
            yield samples

    def _frames(self) -> Iterator[Any]:
        vain = 0
        while vain < PATIENCE:
            try:
                for packet in self._container.demux(self._stream):
                    try:
                        frames = packet.decode()
                    except av.FFmpegError:
                        continue
                    for frame in frames:
                        vain = 0
                        if frame.samples and frame.sample_rate:
                            yield frame
                return
            except EOFError:
                return
            except (av.FFmpegError, OSError, ValueError):
                vain += 1

    def _packed(self, frame: Any) -> Any:
        """The same frame, in one plane where it has eight or more: PyAV 18 reads beyond those, and crashes."""
        channels = frame.layout.nb_channels
        if not frame.format.is_planar or channels < PLANES:
            return frame
        kind = (frame.format.name, frame.layout.name, frame.sample_rate)
        if self._packer is None or self._packs != kind:
            self._packs = kind
            self._packer = av.AudioResampler("flt", frame.layout, frame.sample_rate)
        return self._packer.resample(frame)[0]  # one for one, as the rate stays

    def _hole(self, frame: Any) -> int:
        """Samples that are missing before this frame, by its time."""
        if frame.pts is None or frame.time_base is None:
            return 0
        t = float(frame.pts * frame.time_base)
        if self._base is None:
            self._base = t - self._made / self.rate
        hole = t - self._base - self._made / self.rate
        if abs(hole) > LONGEST_HOLE_S:
            self._base = t - self._made / self.rate
            return 0
        return round(hole * self.rate) if hole > HOLE_S else 0

    def _sought(self, first: Any) -> tuple[Any, Iterator[Any]]:
        """The frame from which on to decode, and those after it: near what is wanted, by the time that it says."""
        base = self._stream.time_base
        start = self._stream.start_time or 0
        at = self._skip / self.rate - RUN_IN_S
        try:
            self._container.seek(start + int(at / base), stream=self._stream)
        except (av.FFmpegError, OSError, ValueError):
            self._container.seek(0)
        frames = self._frames()
        for frame in frames:
            if frame.pts is not None:
                self._base = float(start * base)
                self._made = max(0, round((float(frame.pts * base) - self._base) * self.rate))
                self._skip = max(0, self._skip - self._made)
                return frame, frames
        return first, frames


def _layout(layout: Any) -> tuple[str, ...]:
    names = tuple(channel.name for channel in layout.channels)
    known = all(name in surround.SHARES for name in names)
    return names if known else surround.USUAL.get(len(names), ())


def _floats(frame: Any) -> np.ndarray:
    """A frame's samples (n, channels) float32."""
    raw = frame.to_ndarray()
    channels = frame.layout.nb_channels
    raw = raw.T if frame.format.is_planar else raw.reshape(-1, channels)
    if raw.dtype.kind == "f":
        return np.ascontiguousarray(raw, np.float32)
    if raw.dtype == np.uint8:
        return np.ascontiguousarray((raw.astype(np.float32) - 128.0) / 128.0)
    return np.ascontiguousarray(raw * np.float64(0.5 ** (8 * raw.dtype.itemsize - 1)), np.float32)


def _reason(error: Exception) -> str:
    words = getattr(error, "strerror", None) or str(error)
    return " ".join(words.split()).split(":")[0]
