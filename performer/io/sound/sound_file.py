"""Sound files, decoded block by block: wav, flac, ogg, mp3 and what else libsndfile reads."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile

from performer.system.errors import Fault

LEAST_RATE = 4000  # below a telephone's, nothing of a drum is left


@dataclass(frozen=True)
class FileInfo:
    """Samples per second, channels, and length in seconds of a sound file."""

    rate: int
    channels: int
    duration_s: float


def probe(path: str | Path) -> FileInfo:
    """What is in a file. Raises Fault."""
    with _opened(path) as file:
        return FileInfo(file.samplerate, file.channels, file.frames / file.samplerate)


def blocks(path: str | Path, frames: int, loop: bool = False) -> Iterator[np.ndarray]:
    """The file in blocks (frames, channels) float32, the last one shorter; with `loop`, over and over. Raises Fault."""
    with _opened(path) as file:
        while True:
            try:
                block = file.read(frames, dtype="float32", always_2d=True)
            except soundfile.LibsndfileError as error:
                raise Fault(f"{path}: broken off while reading: {error}") from None
            if len(block):
                yield block
            elif loop and file.frames:
                file.seek(0)
            else:
                return


def _opened(path: str | Path) -> soundfile.SoundFile:
    if not Path(path).is_file():
        raise Fault(f"{path}: no such sound file")
    if not Path(path).stat().st_size:  # of which libsndfile says that it is not there
        raise Fault(f"{path}: this sound file is empty")
    try:
        file = soundfile.SoundFile(str(path))
    except soundfile.LibsndfileError as error:
        raise Fault(
            f"{path}: not a sound file that can be read ({error.error_string}); convert it to wav or flac"
        ) from None
    if file.frames < 1:
        file.close()
        raise Fault(f"{path}: this sound file is empty")
    if file.samplerate < LEAST_RATE:
        rate = file.samplerate
        file.close()
        raise Fault(f"{path}: {rate} samples per second hold no sound that could be heard; convert it to 44100 Hz")
    return file
