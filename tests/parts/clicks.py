"""Clicks at a rate."""

from __future__ import annotations

import numpy as np

RATE = 44_100


def clicks(bpm: float, seconds: float, accent: int = 0, start: float = 0.0) -> np.ndarray:
    """A metronome: short 1 kHz clicks, every `accent`-th louder and with bass below."""
    t = np.arange(int(0.05 * RATE)) / RATE
    click = np.sin(2 * np.pi * 1_000 * t) * np.exp(-t * 120)
    strong = click + 1.5 * np.sin(2 * np.pi * 70 * t) * np.exp(-t * 50)
    sound = np.zeros(int(seconds * RATE) + len(t), np.float32)
    for number, beat in enumerate(np.arange(start, seconds, 60.0 / bpm)):
        at = round(beat * RATE)
        sound[at : at + len(t)] += 0.4 * (strong if accent and number % accent == 0 else click)
    return sound[: int(seconds * RATE)]
