"""Onsets: rises of the log spectrum, as in SuperFlux (Böck and Widmer, DAFx 2013), by band and causal."""

from __future__ import annotations

import numpy as np
from scipy.linalg.blas import sscal

from performer.audio.smoothing import smoothing

#: Strengths in the order `Flux.update` gives them: the range in hertz of each.
RANGES = {
    "all": (27.5, 16_000.0),
    "low": (27.5, 140.0),
    "mid": (200.0, 3_000.0),
    "high": (3_000.0, 16_000.0),
    "body": (130.0, 500.0),
    "crack": (1_500.0, 6_000.0),
    "air": (6_000.0, 16_000.0),
}


class Flux:
    """Spectral flux with vibrato suppression: how much each bin exceeds its neighbourhood of LAG_S ago.

    A bin is compared with the loudest of itself and its two neighbours then, so that a gliding or trembling
    tone is no onset.

    Parameters
    ----------
    dt : float
        Seconds per hop.
    width : float
        Hertz per bin.
    bins : int
        How many bins a spectrum has.
    """

    LAG_S = 0.0107
    COMPRESSION = 60.0  # amplitudes this many times below the reference begin to count

    def __init__(self, dt: float, width: float, bins: int) -> None:
        lowest, highest = RANGES["all"]
        self._first = int(np.ceil(lowest / width))
        self._last = max(self._first + 2, min(bins, int(highest / width) + 1))
        hertz = np.arange(self._first, self._last) * width
        self._lag = max(1, round(self.LAG_S / dt))
        self._past = [np.zeros(len(hertz), np.float32) for _ in range(self._lag)]
        self._at = 0
        # A zero at either end, so that the outermost bins have two neighbours too.
        padded = np.zeros(len(hertz) + 2, np.float32)
        louder = np.zeros(len(hertz) + 1, np.float32)
        self._log = padded[1:-1]
        self._pairs = (padded[:-1], padded[1:])
        self._louder = louder
        self._triples = (louder[:-1], louder[1:])
        self._rise = np.zeros(len(hertz), np.float32)
        self._nothing = np.zeros(len(hertz), np.float32)
        inside = np.array([(hertz >= low) & (hertz < high) for low, high in RANGES.values()])
        self._means = (inside / np.maximum(inside.sum(1, keepdims=True), 1)).astype(np.float32)
        self.strengths = np.zeros(len(RANGES), np.float32)

    def update(self, amplitude: np.ndarray, reference: float) -> np.ndarray:
        """Amplitude per bin (bins,) and the present reference amplitude -> strengths (len(RANGES),).

        A strength is the mean rise of the log spectrum over its bins: 0 when nothing rises, some 0.05..1 at onsets.
        """
        log = self._log
        rise = self._rise
        past = self._past[self._at]
        log[:] = amplitude[self._first : self._last]
        sscal(self.COMPRESSION / reference, log)
        np.log1p(log, out=log)
        np.subtract(log, past, out=rise)
        np.maximum(rise, self._nothing, out=rise)
        # Store the maximum over neighbours, ready to be compared with LAG_S from now.
        np.maximum(*self._pairs, out=self._louder)
        np.maximum(*self._triples, out=past)
        self._at = (self._at + 1) % self._lag
        self._means.dot(rise, out=self.strengths)
        return self.strengths


class Detector:
    """Announces an onset as soon as a strength stands out from its recent past.

    Parameters
    ----------
    threshold : float
        Least strength that may count.
    ratio : float
        How many times the running mean it must reach.
    rest_s : float
        Seconds between two onsets at least.
    """

    MEAN_S = 0.25
    PEAK_S = 1.5

    def __init__(self, dt: float, threshold: float, ratio: float, peak_share: float, rest_s: float) -> None:
        self._threshold = threshold
        self._ratio = ratio
        self._share = peak_share
        self._rest = rest_s
        self._dt = dt
        self._mean_step = smoothing(dt, self.MEAN_S)
        self._peak_step = smoothing(dt, self.PEAK_S)
        self._mean = 0.0
        self._peak = 0.0
        self._last = 0.0
        self._armed = True
        self.count = 0
        self.age = float("inf")
        self.strength = 0.0

    def update(self, value: float) -> bool:
        """Take one strength; true when an onset is announced, its `strength` (0..1) then newly set."""
        age = self.age = self.age + self._dt
        limit = self._threshold
        usual = self._ratio * self._mean
        far = self._share * self._peak
        if usual > limit:
            limit = usual
        if far > limit:
            limit = far
        found = value > limit and self._armed and value >= self._last and age >= self._rest
        if found:
            self.count += 1
            age = self.age = 0.0
            self._armed = False
            self.strength = 0.0
        if age < 0.03:  # the peak comes a hop or two after the announcement
            loud = max(self._peak, value)
            self.strength = max(self.strength, min(1.0, value / loud) if loud > 0.0 else 0.0)
        if value < 0.6 * limit or value < 0.5 * self._last:
            self._armed = True
        self._mean += (value - self._mean) * self._mean_step
        self._peak = value if value > self._peak else self._peak + (value - self._peak) * self._peak_step
        self._last = value
        return found
