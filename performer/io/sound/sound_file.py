"""Sound files, decoded block by block: by libsndfile where it reads them right, else by FFmpeg; past damage."""

from __future__ import annotations

import logging
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
import soxr

from performer.audio import surround
from performer.io.sound import containers
from performer.io.sound.decoders import Damaged, Decoder, Pyav, Sndfile
from performer.system.errors import Fault

log = logging.getLogger(__name__)
LEAST_RATE = 4000  # below a telephone's, nothing of a drum is left
MOST_RATE = 1_536_000  # beyond, the header is damaged
#: Endings by which a name is meant as a sound file, though there is none.
SUFFIXES = frozenset(
    f".{name}"
    for name in (
        "wav",
        "flac",
        "ogg",
        "oga",
        "mp3",
        "aif",
        "aiff",
        "opus",
        "m4a",
        "mp4",
        "aac",
        "alac",
        "wma",
        "webm",
        "mka",
        "mkv",
        "mov",
        "caf",
        "ac3",
        "au",
        "w64",
        "rf64",
    )
)


@dataclass(frozen=True)
class FileInfo:
    """What a sound file holds.

    Attributes
    ----------
    rate : int
        Samples per second.
    channels : int
        How many.
    layout : tuple[str, ...]
        Names of their speakers, as audio.surround has them; empty where they are not known.
    """

    rate: int
    channels: int
    layout: tuple[str, ...] = ()


def probe(path: str | Path) -> FileInfo:
    """What is in a file. Raises Fault."""
    reader = Reader(path)
    reader.close()
    return reader.info


def duration_s(path: str | Path, most: float | None = None) -> float:
    """Seconds of sound that a file holds; where its word is no proof it is decoded once.

    Parameters
    ----------
    most : float, optional
        Beyond which nobody asks: then it is at least this.

    Raises
    ------
    Fault
        What is wrong, where, and the likely mend, in one line.
    """
    reader = Reader(path)
    try:
        if reader.frames is not None:
            return reader.frames / reader.info.rate
        count = 0
        enough = np.inf if most is None else most * reader.info.rate
        while count < enough and len(block := reader.read()):
            count += len(block)
        return count / reader.info.rate
    finally:
        reader.close()


def blocks(path: str | Path, frames: int, loop: bool = False) -> Iterator[np.ndarray]:
    """The file in blocks (frames, channels) float32, the last one shorter; with `loop`, over and over. Raises Fault."""
    reader = Reader(path)
    rest = np.zeros((0, reader.info.channels), np.float32)
    heard = False
    try:
        while True:
            block = reader.read()
            if len(block):
                heard = True
                rest = np.concatenate([rest, block]) if len(rest) else block
                whole = len(rest) // frames * frames
                for at in range(0, whole, frames):
                    yield rest[at : at + frames]
                rest = rest[whole:]
                continue
            if len(rest):
                yield rest
            if not loop or not heard:
                return
            rest = rest[:0]
            heard = False
            reader.rewind()
    finally:
        reader.close()


class Reader:
    """A sound file that is open: read to its end, again from its beginning.

    What cannot be decoded is passed over; that is said once. All of it has the rate and the channels of its beginning.

    Raises
    ------
    Fault
        What is wrong, where, and the likely mend, in one line.

    Attributes
    ----------
    info
        Info of what it gives.
    frames
        Samples in it where that is sure; None: only decoding it would tell.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = path
        self._file, size = _opened(path)
        try:
            self._forgotten = containers.length_forgotten(self._file, size)
            self._parts = containers.parts(self._file, size)
            self._by_pyav: set[int] = set()  # parts that libsndfile reads wrong or not to their end
            self._part = self._at = 0  # which is read, and how many of its samples are
            self._decoder: Decoder | None = None
            self._ahead: np.ndarray | None = None  # read already, to see whether there is any
            self._resampler: soxr.ResampleStream | None = None
            self._resampled = 0  # the rate that it takes
            self._told = False
            self._begin()
        except BaseException:
            self._file.close()
            raise

    def read(self) -> np.ndarray:
        """The next samples (n, channels) float32, as many as come; none at the end."""
        ahead = self._ahead
        self._ahead = None
        return self._next() if ahead is None else ahead

    def rewind(self) -> None:
        """Begin anew. What nothing can be read from any more ends at once."""
        try:
            self._begin()
        except Fault as fault:
            log.warning("%s", fault)
            self._ahead = np.zeros((0, self.info.channels), np.float32)
            self._part = len(self._parts)
            self._decoder = None

    def close(self) -> None:
        self._end_part()
        self._file.close()

    def _begin(self) -> None:
        self._end_part()
        self._resampler = None
        self._part = self._at = 0
        self._decoder = decoder = self._open(0)
        self.info = FileInfo(decoder.rate, decoder.channels, decoder.layout)
        self.frames = decoder.frames if decoder.exact and len(self._parts) == 1 else None
        self._ahead = ahead = self._next()
        if not len(ahead):
            raise Fault(f"{self.path}: this sound file is empty, or broken off before its sound")

    def _open(self, part: int) -> Decoder:
        """The best decoder of a part, at its beginning. Raises Fault."""
        decoder = self._best(part)
        if LEAST_RATE <= decoder.rate <= MOST_RATE:
            return decoder
        decoder.close()
        what = "hold no sound that could be heard" if decoder.rate < LEAST_RATE else "are more than there can be"
        raise Fault(f"{self.path}: {decoder.rate} samples per second {what}; convert it to 44100 Hz")

    def _best(self, part: int) -> Decoder:
        first = None
        why = ""
        if part not in self._by_pyav and not self._forgotten:
            try:
                first = Sndfile(self._named() if len(self._parts) == 1 else self._window(part))
            except Damaged as error:
                why = str(error)
        if first is not None and first.frames and first.channels <= 2:
            return first
        try:
            other = Pyav(self._window(part), ignore_length=self._forgotten)
        except Damaged as error:
            if first is None:
                raise self._fault(str(error), why) from None
            if not first.frames:
                raise Fault(f"{self.path}: this sound file is empty, or broken off before its sound") from None
            return first
        if first is None:
            return other
        if first.frames and (first.exact or other.channels != first.channels):
            if other.channels == first.channels:
                first.layout = other.layout  # only that one knows it
            other.close()
            return first
        first.close()
        return other

    def _named(self) -> str | bytes:
        """The file's path: its ending helps libsndfile where the beginning is no sound."""
        return str(self.path) if os.name == "nt" else os.fsencode(self.path)

    def _window(self, part: int) -> BinaryIO:
        return containers.Part(self._file, *self._parts[part])  # type: ignore[return-value]

    def _fault(self, said: str, before: str) -> Fault:
        if "sound" not in said and containers.unfinished(self._file):
            return Fault(
                f"{self.path}: cannot be read: the index, which stands at its end, is missing or damaged; "
                "save or copy it again"
            )
        why = said if "sound" in said or not before or "does not exist" in before else before.rstrip(".")
        return Fault(f"{self.path}: not a sound file that can be read ({why}); convert it to wav or flac")

    def _next(self) -> np.ndarray:
        """The next samples of this part or of those after it, as the beginning was."""
        while self._decoder is not None:
            decoder = self._decoder
            try:
                block = decoder.read()
            except Damaged:
                self._go_past()
                continue
            if len(block):
                self._at += len(block)
                block = self._alike(block, decoder)
                if len(block):
                    return block
            elif isinstance(decoder, Sndfile) and decoder.frames is not None and self._at < decoder.frames:
                self._go_past()
            else:
                rest = self._flushed()
                self._next_part()
                if len(rest):
                    return rest
        return np.zeros((0, self.info.channels), np.float32)

    def _go_past(self) -> None:
        """libsndfile gave up: the other one goes on from there, and begins next time."""
        where = self._at // self.info.rate
        part = self._part
        self._end_part()
        self._by_pyav.add(part)
        try:
            self._decoder = Pyav(self._window(part), skip=self._at)
        except Damaged:
            self._next_part()
        if not self._told:
            self._told = True
            log.warning(
                "%s: damaged or broken off at %d:%02d; what is whole is played", self.path, where // 60, where % 60
            )

    def _next_part(self) -> None:
        self._end_part()
        self._part = self._part + 1
        self._at = 0
        while self._part < len(self._parts):
            try:
                self._decoder = self._open(self._part)
            except Fault:
                self._part += 1
            else:
                return

    def _end_part(self) -> None:
        decoder = self._decoder
        self._decoder = None
        if decoder is not None:
            decoder.close()

    def _alike(self, block: np.ndarray, decoder: Decoder) -> np.ndarray:
        """The same sound at the rate and in the channels of the beginning."""
        block = surround.fitted(block, decoder.layout, self.info.channels)
        if decoder.rate == self.info.rate:
            rest = self._flushed()
            return np.concatenate([rest, block]) if len(rest) else block
        if self._resampler is None or self._resampled != decoder.rate:
            rest = self._flushed()
            self._resampled = decoder.rate
            self._resampler = soxr.ResampleStream(decoder.rate, self.info.rate, self.info.channels, "float32")
            return np.concatenate([rest, self._resampler.resample_chunk(block)])
        made: np.ndarray = self._resampler.resample_chunk(block)
        return made

    def _flushed(self) -> np.ndarray:
        """What a resampler still holds."""
        nothing = np.zeros((0, self.info.channels), np.float32)
        if self._resampler is None:
            return nothing
        rest: np.ndarray = self._resampler.resample_chunk(nothing, last=True)
        self._resampler = None
        return rest


def _opened(path: str | Path) -> tuple[BinaryIO, int]:
    """A regular file, open, and its size. Raises Fault."""
    try:
        # Not waited for: a pipe without a writer would never open.
        number = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    except (FileNotFoundError, NotADirectoryError, ValueError):
        raise Fault(f"{path}: no such sound file") from None
    except OSError as error:
        raise Fault(f"{path}: cannot be read: {error.strerror}") from None
    found = os.fstat(number)
    if not stat.S_ISREG(found.st_mode):
        os.close(number)
        what = "a folder" if stat.S_ISDIR(found.st_mode) else "a pipe or a device"
        raise Fault(f"{path}: {what}, not a sound file")
    if not found.st_size:
        os.close(number)
        raise Fault(f"{path}: this sound file is empty")
    return os.fdopen(number, "rb"), found.st_size
