"""The raw sound as shaders see it: a standing waveform and a spectrum linear in hertz."""

from __future__ import annotations

from functools import partial
from math import isfinite

import numpy as np

from performer.audio.smoothing import smoothing
from performer.types.features import Sound

SAMPLES = 2048
WAVE = 1024
BINS = 512


class Scope:
    """Turns the newest samples into a `Sound`, once per picture."""

    RELEASE_S = 3.0  # of the automatic gain
    QUIETEST = 1e-3  # peak amplitude that is still brought to full size
    RANGE_DB = 60.0  # of the spectrum, from 0 to 1

    def __init__(self) -> None:
        self._peak = self.QUIETEST
        self._window = np.hanning(WAVE + 1)[:-1].astype(np.float32)
        self._window *= 2.0 / self._window.sum()

    def look(self, samples: np.ndarray, dt: float) -> Sound:
        """The newest SAMPLES mono samples (SAMPLES,), dt seconds after the last look -> Sound.

        The waveform begins at a rising zero crossing, the newest that leaves WAVE samples after it, so that a
        steady tone stands still. The samples are kept: nobody may change them later.
        """
        peak = float(max(samples.max(), -samples.min()))
        if not isfinite(peak):
            samples = np.nan_to_num(samples, nan=0.0, posinf=0.0, neginf=0.0)
            peak = float(max(samples.max(), -samples.min()))
        if peak < 1e-6:
            return Sound()
        self._peak = max(peak, self._peak + (peak - self._peak) * smoothing(dt, self.RELEASE_S), self.QUIETEST)
        return Sound(later=partial(self._drawn, samples.astype(np.float32, copy=False), self._peak))

    def _drawn(self, samples: np.ndarray, peak: float) -> tuple[np.ndarray, np.ndarray]:
        last = len(samples) - WAVE
        crossings = np.flatnonzero((samples[:last] < 0.0) & (samples[1 : last + 1] >= 0.0))
        first = int(crossings[-1]) + 1 if len(crossings) else last
        wave = samples[first : first + WAVE] / peak
        magnitudes = np.abs(np.fft.rfft(samples[-WAVE:] * self._window))[:BINS] / peak
        decibels = 20.0 * np.log10(magnitudes + 1e-9)
        return np.clip(wave, -1.0, 1.0), np.clip(1.0 + decibels / self.RANGE_DB, 0.0, 1.0).astype(np.float32)
