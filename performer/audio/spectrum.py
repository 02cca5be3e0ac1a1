"""Samples -> power spectrum and 64 log-spaced bands, with everything planned and allocated beforehand."""

from __future__ import annotations

from itertools import cycle

import numpy as np
from scipy.fftpack import rfft  # unlike scipy.fft's it works in place, and asks less before it begins
from scipy.linalg.blas import saxpy, sdot

from performer.audio.decimate import factor
from performer.types.features import BANDS

LOWEST_HZ = 27.5
HIGHEST_HZ = 16_000.0
WINDOW_S = 0.0427  # 2048 samples at 48 kHz
HOP_S = 0.006  # a hop is the largest power of two that is no longer


def hop_size(rate: int) -> int:
    """Samples per hop: the largest power of two of at most 6 ms, no more than 512 of those that are analysed."""
    several = factor(rate)
    return several * int(min(512, 2 ** np.floor(np.log2(HOP_S * rate / several))))


def window_size(rate: int) -> int:
    """Samples per window: the power of two nearest to 43 ms, of those that are analysed."""
    several = factor(rate)
    return several * int(2 ** np.round(np.log2(WINDOW_S * rate / several)))


def window(n: int) -> np.ndarray:
    """Asymmetric Hann window (n,) float64: rises over five sixths, falls over the newest sixth.

    The late peak keeps the resolution of the whole window, yet an attack is seen a few milliseconds after it.
    """
    rise = n - n // 6
    up = 0.5 - 0.5 * np.cos(np.pi * (np.arange(rise) + 0.5) / rise)
    down = 0.5 + 0.5 * np.cos(np.pi * (np.arange(n - rise) + 0.5) / (n - rise))
    return np.concatenate([up, down])


def band_edges() -> np.ndarray:
    """Edges of the bands in hertz, (BANDS + 1,)."""
    return np.geomspace(LOWEST_HZ, HIGHEST_HZ, BANDS + 1)


def band_centres() -> np.ndarray:
    """Centres of the bands in hertz, (BANDS,)."""
    edges = band_edges()
    centres: np.ndarray = np.sqrt(edges[1:] * edges[:-1])
    return centres


def filterbank(rate: int, n: int) -> np.ndarray:
    """Weights (BANDS, n // 2 + 1) float32 that integrate a power spectrum over each band.

    Power between bins is interpolated, so a band narrower than a bin gets its share. Bands above half the
    rate are zero.
    """
    width = rate / n
    weights = np.zeros((BANDS, n // 2 + 1))
    edges = band_edges()
    for band in range(BANDS):
        low = edges[band]
        high = edges[band + 1]
        steps = max(8, int(np.ceil(8 * (high - low) / width)))
        at = (low + (np.arange(steps) + 0.5) * (high - low) / steps) / width
        at = at[at < n // 2]
        share = (high - low) / width / steps
        below = np.floor(at).astype(int)
        np.add.at(weights[band], below, (1.0 - at + below) * share)
        np.add.at(weights[band], below + 1, (at - below) * share)
    return weights.astype(np.float32)


class Transform:
    """A real Fourier transform in place, without an array made anew.

    Attributes
    ----------
    frame
        (n,) float32: what is to be transformed; afterwards no longer that.
    bins
        (n // 2 + 1,) complex64, once `run`; the first, which is real, stands in its imaginary part.
    """

    def __init__(self, n: int) -> None:
        # fftpack's order is the bins' own, but for the parts of the first and last that are always 0.
        parts = np.zeros(n + 2, np.float32)
        self.frame = parts[1:-1]
        self.bins = parts.view(np.complex64)

    def run(self) -> None:
        """Transform `frame` into `bins`."""
        self.frame[:] = rfft(self.frame, overwrite_x=True)  # where scipy did work in place this changes nothing


class Spectrum:
    """The newest window's spectrum, hop by hop; an offset of the sound is taken out.

    Attributes
    ----------
    amplitude
        (n // 2 + 1,) float32, root mean square per bin.
    power
        The same squared: it sums to the mean square of the sound.
    bands
        (BANDS,) float32, mean square per band.
    """

    def __init__(self, rate: int) -> None:
        self.rate = rate
        self.hop = hop = hop_size(rate)
        self.size = n = window_size(rate)
        shape = window(n)
        self._window = (shape * np.sqrt(2.0 / (n * np.sum(shape**2)))).astype(np.float32)
        self._weights = (shape / np.sum(shape)).astype(np.float32)  # of the samples in the offset
        ring = np.zeros(2 * n, np.float32)  # every sample twice, so that a window is contiguous
        # For each hop of the ring: where it is kept, twice, and the window it ends.
        self._places = cycle(
            [
                (ring[at : at + hop], ring[at + n : at + n + hop], ring[at + hop : at + hop + n])
                for at in range(0, n, hop)
            ]
        )
        self._transform = Transform(n)
        self.amplitude = np.zeros(n // 2 + 1, np.float32)
        self.power = np.zeros(n // 2 + 1, np.float32)
        self.bands = np.zeros(BANDS, np.float32)
        # Low and high bands apart: each row of the bank touches only a few bins.
        bank = filterbank(rate, n)
        self._blocks = []
        for first, last in ((0, 44), (44, BANDS)):
            used = np.flatnonzero(bank[first:last].any(0))
            low, high = (used[0], used[-1] + 1) if len(used) else (0, 1)
            rows = np.ascontiguousarray(bank[first:last, low:high])
            self._blocks.append((rows.dot, self.power[low:high], self.bands[first:last]))

    def push(self, samples: np.ndarray) -> None:
        """Take (hop,) float32 finite samples; all attributes then tell of the newest window."""
        kept, again, newest = next(self._places)
        kept[:] = samples
        again[:] = samples
        frame = self._transform.frame
        np.multiply(newest, self._window, out=frame)
        saxpy(self._window, frame, a=-sdot(newest, self._weights))  # less the offset, as the window makes it
        self._transform.run()
        np.abs(self._transform.bins, out=self.amplitude)
        np.multiply(self.amplitude, self.amplitude, out=self.power)
        for weigh, power, bands in self._blocks:
            weigh(power, out=bands)
