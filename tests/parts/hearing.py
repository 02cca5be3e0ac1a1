"""Made sound, and what the analyser says of it."""

from __future__ import annotations

import numpy as np

from performer.audio.analyzer import Analyzer
from performer.types.features import HEAD


def hear(sound: np.ndarray, rate: int, analyzer: Analyzer | None = None) -> tuple[Analyzer, np.ndarray]:
    """Stream mono sound through an analyser; returns it and all rows."""
    analyzer = analyzer or Analyzer(rate)
    hop = analyzer.hop
    sound = np.asarray(sound, np.float32)
    rows = [analyzer.process(sound[at : at + hop]).copy() for at in range(0, len(sound) - hop + 1, hop)]
    return analyzer, np.array(rows)


def kicks(rate: int, bpm: float, seconds: float, amplitude: float = 0.5) -> np.ndarray:
    """Bass drum hits, each a falling sine with a click, on every beat from 0 s on."""
    t = np.arange(int(rate * 0.25)) / rate
    hit = np.sin(2 * np.pi * (50 * t + 3.0 * (1 - np.exp(-t * 40)))) * np.exp(-t * 14)
    hit += 0.3 * np.exp(-t * 500) * np.sin(2 * np.pi * 3000 * t)
    sound = np.zeros(int(rate * seconds) + len(hit), np.float32)
    for beat in np.arange(0.0, seconds, 60.0 / bpm):
        at = round(beat * rate)
        sound[at : at + len(hit)] += hit
    return sound[: int(rate * seconds)] * np.float32(amplitude)


def values_of(rows: np.ndarray, analyzer: Analyzer, name: str) -> np.ndarray:
    return rows[:, len(HEAD) + analyzer.names.index(name)]
