"""What a follower hears: the analyser's rows condensed to one short vector every TICK_S, whatever the frame rate."""

from __future__ import annotations

from collections.abc import Sequence
from math import cos, exp, pi, sin

import numpy as np

from performer.types.features import BANDS, HEAD

TICK_S = 0.02
GROUP = 4  # bands that are heard as one
LEVELS = (
    "level",
    "bass",
    "lowmid",
    "mid",
    "treble",
    "centroid",
    "flatness",
    "flux",
    "onset",
    "kick",
    "snare",
    "hat",
    "energy",
    "trend",
    "density",
    "buildup",
    "break",
    "drop",
    "silence",
    "dissonance",
    "minor",
    "key_fit",
)
AGES = ("onset", "kick", "snare", "hat")
AGE_S = 0.6  # time constant in which an onset is forgotten
PERIODS_BARS = (1, 2, 4, 8)
TRUST = 2.0  # beats of half the full confidence are already taken at their word
FASTEST_BPM = 240.0

#: Names of a gist's numbers; a recording and a follower carry them, so that neither is read as what it is not.
NAMES = (
    *(f"band{i}" for i in range(BANDS // GROUP)),
    *LEVELS,
    *(f"{name}_age" for name in AGES),
    "hue_x",
    "hue_y",
    "beat_x",
    "beat_y",
    *(f"bars{n}_{axis}" for n in PERIODS_BARS for axis in "xy"),
    "confidence",
    "tempo",
)


class ControlFeatures:
    """Condenses rows of the feature ring.

    Numbers are 0..1; what turns (hue, beat, and where in 1, 2, 4 and 8 bars) is a point on a circle, smaller the less
    it may be trusted; an age is 1 at the onset and falls.

    Parameters
    ----------
    names : Sequence[str]
        Names of the features in a row, between HEAD and the bands.
    """

    def __init__(self, names: Sequence[str]) -> None:
        first = len(HEAD)
        self._bands = first + len(names)
        self._levels = [first + list(names).index(name) for name in LEVELS]
        self._hue, self._fit = first + list(names).index("hue"), first + list(names).index("key_fit")
        self._ages = [HEAD.index(f"{name}_t") for name in AGES]
        self._beat, self._bar = HEAD.index("beat"), HEAD.index("bar")
        self._bpm, self._confidence = HEAD.index("bpm"), HEAD.index("confidence")
        self._made = np.zeros(len(NAMES))

    def look(self, row: np.ndarray) -> np.ndarray:
        """A row of the feature ring -> (len(NAMES),) float64, the same array each time."""
        made = self._made
        at = BANDS // GROUP
        np.mean(row[self._bands :].reshape(-1, GROUP), axis=1, out=made[:at])
        made[at : at + len(LEVELS)] = row[self._levels]
        t = float(row[0])
        confidence = float(row[self._confidence])
        trust = min(1.0, TRUST * confidence)
        rest = [exp(-max(t - float(row[column]), 0.0) / AGE_S) for column in self._ages]
        rest += _point(float(row[self._hue]), float(row[self._fit]))
        rest += _point(float(row[self._beat]), trust)
        for bars in PERIODS_BARS:
            rest += _point(float(row[self._bar]) / bars, trust)
        rest += [confidence, min(float(row[self._bpm]) / FASTEST_BPM, 1.0)]
        made[at + len(LEVELS) :] = rest
        return made


def _point(turns: float, radius: float) -> tuple[float, float]:
    angle = 2.0 * pi * (turns % 1.0)
    return radius * cos(angle), radius * sin(angle)
