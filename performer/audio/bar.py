"""Bars: which beat is the first, and how many beats there are."""

from __future__ import annotations

import numpy as np


class BarModel:
    """Which beat is the first of the bar, and whether bars have four beats or three.

    Each beat's evidence (bass and overall attack, change of harmony) is summed for every alignment and forgotten
    slowly.
    """

    MEMORY_BEATS = 64.0
    ENOUGH_BEATS = 15.0  # heard before bars of three are thought of
    CLEAR = 0.5  # by how much another beat's summed evidence must lead before bars are counted from it
    THREE = 1.15  # how much better three must explain than four before it is believed

    def __init__(self) -> None:
        # Length of a bar -> sums of evidence and of beats, by place in the bar.
        self._sums = {length: (np.zeros(length), np.zeros(length)) for length in (3, 4)}
        self._keep = 1.0 - 1.0 / self.MEMORY_BEATS
        self.length = 4
        self.first = 0  # beat number modulo length that opens a bar

    def update(self, beat: int, evidence: float) -> None:
        """Take the evidence (>= 0) found at beat number `beat`."""
        means, contrasts = {}, {}
        for length, (sums, beats) in self._sums.items():
            sums *= self._keep
            beats *= self._keep
            sums[beat % length] += evidence
            beats[beat % length] += 1.0
            means[length] = mean = sums / np.maximum(beats, 1.0)
            contrasts[length] = float(mean.max()) / max(float(mean.mean()), 1e-9) - 1.0
        sums, beats = self._sums[4]
        if self.length == 4:
            if beats.sum() > self.ENOUGH_BEATS and contrasts[3] > self.THREE * contrasts[4] + 0.1:
                self.length = 3
        elif contrasts[4] > contrasts[3]:
            self.length = 4
        mean, (_, beats) = means[self.length], self._sums[self.length]
        best = int(mean.argmax())
        self.first %= self.length
        if mean[best] > mean[self.first] + self.CLEAR / max(float(beats[best]), 1.0):
            self.first = best
