"""Worse and other copies of a song, with the truth moved along: how robust is what was heard?"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import soxr
from scipy.signal import butter, sosfilt

SEED = 7

Change = Callable[[np.ndarray, int], np.ndarray]


def quiet(sound: np.ndarray, rate: int) -> np.ndarray:
    """20 dB down."""
    return sound * np.float32(0.1)


def crowd(sound: np.ndarray, rate: int) -> np.ndarray:
    """People talking, 10 dB below the music: noise that is louder towards the bass."""
    noise = np.cumsum(np.random.default_rng(SEED).standard_normal(len(sound)))
    noise -= np.convolve(noise, np.ones(200) / 200, "same")
    gain = np.sqrt(np.mean(sound**2) / np.mean(noise**2) / 10.0)
    mixed: np.ndarray = (sound + gain * noise).astype(np.float32)
    return mixed


def wall(sound: np.ndarray, rate: int) -> np.ndarray:
    """Through a wall: nothing above 200 Hz."""
    return np.asarray(sosfilt(butter(4, 200.0, fs=rate, output="sos"), sound), np.float32)


def dropouts(sound: np.ndarray, rate: int) -> np.ndarray:
    """50 ms of nothing somewhere in every 5 s."""
    rng, sound = np.random.default_rng(SEED), sound.copy()
    for at in range(0, len(sound), 5 * rate):
        first = at + int(rng.integers(0, 4 * rate))
        sound[first : first + rate // 20] = 0.0
    return sound


def clipped(sound: np.ndarray, rate: int) -> np.ndarray:
    """12 dB too loud for the sound card."""
    peak = max(float(np.abs(sound).max(initial=0.0)), 1e-9)
    return np.clip(sound * np.float32(4.0 / peak), -1.0, 1.0)


CHANGES: dict[str, Change] = {"quiet": quiet, "crowd": crowd, "wall": wall, "dropouts": dropouts, "clipped": clipped}

#: Played faster or slower, pitch with it, as a turntable does.
SPEEDS = {"slower": 1.0 / 1.08, "faster": 1.08}

#: Seconds of the beginning that are not heard: the ear comes in somewhere in a bar.
LATE = {"joined late": 5.3}


def apply(name: str, sound: np.ndarray, rate: int) -> tuple[np.ndarray, float, float]:
    """The changed sound (n,); true times must be multiplied by the second, and the third (seconds) taken off then."""
    if name in SPEEDS:
        speed = SPEEDS[name]
        return soxr.resample(sound, speed * rate, rate).astype(np.float32), 1.0 / speed, 0.0
    if name in LATE:
        return sound[int(LATE[name] * rate) :], 1.0, LATE[name]
    return (CHANGES[name](sound, rate) if name else sound), 1.0, 0.0


def names() -> list[str]:
    """All changes."""
    return [*CHANGES, *SPEEDS, *LATE]
