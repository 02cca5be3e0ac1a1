"""Sound files of every kind, made by the libraries that others make theirs with."""

from __future__ import annotations

import struct
from fractions import Fraction
from pathlib import Path

import av
import numpy as np


def tone(rate: int, seconds: float, channels: int = 1, hz: float = 440.0) -> np.ndarray:
    """A tone (n, channels) float32 that rises, swells and fades, so that no moment is like another."""
    t = np.arange(round(rate * seconds)) / rate
    wave = 0.3 * np.sin(2 * np.pi * hz * t * (1.0 + 0.02 * t)) * (1.0 + 0.5 * np.sin(1.7 * t))
    return np.repeat(wave.astype(np.float32)[:, None], channels, axis=1)


def encode(path: Path, codec: str, sound: np.ndarray, rate: int, layout: str = "mono", picture: bool = False) -> Path:
    """Write sound (n, channels) as FFmpeg does; with `picture`, a second of video beside it."""
    with av.open(str(path), "w") as file:
        stream = file.add_stream(codec, rate=rate)
        stream.codec_context.layout = layout
        stream.codec_context.bit_rate = 128_000
        if picture:
            video = file.add_stream("libx264", rate=10)
            video.width = video.height = 64
            video.pix_fmt = "yuv420p"
        file.start_encoding()
        if picture:
            for index in range(10):
                still = av.VideoFrame.from_ndarray(np.full((64, 64, 3), 20 * index, np.uint8), "rgb24")
                still.pts, still.time_base = index, Fraction(1, 10)
                file.mux(video.encode(still))
            file.mux(video.encode(None))
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(sound.reshape(1, -1)), "flt", layout)
        frame.sample_rate, frame.pts, frame.time_base = rate, 0, Fraction(1, rate)
        file.mux(stream.encode(frame))
        file.mux(stream.encode(None))
    return path


def wav_length(data: bytes, length: int) -> bytes:
    """A WAV whose header says that its sound has so many bytes."""
    at = data.index(b"data")
    return data[: at + 4] + struct.pack("<I", length) + data[at + 8 :]
