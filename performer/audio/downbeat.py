"""Bars: which beat is the first, and how many beats there are, as a filter over (length of a bar, place in it).

The bar pointer of Whiteley, Cemgil and Godsill ("Bayesian modelling of temporal structure in musical audio", ISMIR
2006), moved by whole beats: each beat is one step, so the filter is a few dozen numbers.
"""

from __future__ import annotations

from math import log

import numpy as np

#: Beats in a bar, and how likely that is before anything was heard.
LENGTHS = {4: 0.72, 3: 0.13, 6: 0.06, 7: 0.05, 5: 0.04}


class BarModel:
    """Forward pass over (beats in a bar, place in the bar); `update` once a beat.

    Attributes
    ----------
    length
        Beats in a bar, as believed.
    first
        Beat number modulo length that opens a bar.
    """

    CHANGE = 0.001  # chance per beat that bars begin anew, with any length
    TRUST = 0.25  # beats resemble each other: each tells less than if it stood alone
    CLEAR = 1.5  # how much likelier another reading must be before it is taken
    #: How much likelier music begins with the first beat of a bar than with any one of the others, if it was known to
    #: begin, if it was cut at a loud stroke, and if it may have been joined anywhere.
    OPENING = 100.0
    STRUCK = 10.0
    JOINING = 2.0

    def __init__(self) -> None:
        self._lengths = np.concatenate([np.full(n, n) for n in LENGTHS])
        self._places = np.concatenate([np.arange(n) for n in LENGTHS])
        starts = np.concatenate([[0], np.cumsum(list(LENGTHS))[:-1]])
        self._from = np.arange(len(self._places)) - 1  # where each state's probability comes from
        for start, length in zip(starts, LENGTHS, strict=True):
            self._from[start] = start + length - 1
        self._fresh = np.concatenate([np.full(n, chance / n) for n, chance in LENGTHS.items()])
        self._first = self._places == 0
        self.p = self._fresh.copy()
        self.length = 4
        self.first = 0
        self.certainty = 0.0

    def update(self, beat: int, downbeat: float) -> None:
        """A beat has come.

        Parameters
        ----------
        beat : int
            Its number.
        downbeat : float
            0..1, how far it sounded like the first of a bar.
        """
        downbeat = min(max(downbeat, 0.02), 0.98)
        p = (1.0 - self.CHANGE) * self.p[self._from] + self.CHANGE * self._fresh
        p *= np.where(self._first, downbeat**self.TRUST, (1.0 - downbeat) ** self.TRUST)
        self.p = p / p.sum()
        best = int(self.p.argmax())
        length = int(self._lengths[best])
        first = (beat - int(self._places[best])) % int(self._lengths[best])
        if (length, first) != (self.length, self.first):
            here = (beat - self.first) % self.length
            now = float(self.p[(self._lengths == self.length) & (self._places == here)][0])
            if float(self.p[best]) > self.CLEAR * now:
                self.length = length
                self.first = first
        here = (beat - self.first) % self.length
        self.certainty = float(self.p[(self._lengths == self.length) & (self._places == here)][0])

    def opens(self, beat: int, first: int, odds: float) -> None:
        """The newest beat is number `beat`; beat number `first` is so much likelier the first of a bar than another."""
        self.p *= np.where(self._places == (beat - first) % self._lengths, odds, 1.0)
        self.p /= self.p.sum()


def likeness(evidence: float, mean: float, spread: float) -> float:
    """Evidence among its recent mean and spread -> 0..1, how far it stands out as a downbeat should."""
    z = (evidence - mean) / max(spread, 1e-3)
    odds: float = 1.5 * z - log(3.0)
    return float(1.0 / (1.0 + np.exp(-odds)))
