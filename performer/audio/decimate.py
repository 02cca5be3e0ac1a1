"""Very high rates brought down: above 192 kHz there is nothing to hear, and twice the samples are twice the work."""

from __future__ import annotations

from math import ceil, log2

import numpy as np

MOST = 192_000  # samples per second that are analysed as they are
USUAL = 96_000  # what more is brought down to, at most
TAPS = 25  # of the filter, for each sample that becomes a part of one: 80 dB from 0.6 of the new rate on
KAISER = 7.86  # of such a filter's window


def factor(rate: int) -> int:
    """How many samples become one: 1, 4, 8, 16 ..."""
    return 1 if rate <= MOST else int(2 ** ceil(log2(rate / USUAL)))


class Decimator:
    """Makes one sample of several, block after block, without aliases below 0.4 of the new rate.

    It delays by half its filter, a sixth of a millisecond at the most. Nothing is allocated while it runs, and BLAS
    has no part in it: products as long as these are cut up for threads there, which then wait for one another.

    Parameters
    ----------
    factor : int
        Samples that become one.
    length : int
        Samples of a block, a multiple of it.
    """

    def __init__(self, factor: int, length: int) -> None:
        taps = TAPS * factor
        at = np.arange(taps) - 0.5 * (taps - 1)
        shape = np.sinc(at / factor) * np.kaiser(taps, KAISER)
        self._taps = (shape / shape.sum()).astype(np.float32)
        self._sound = np.zeros(taps - 1 + length, np.float32)
        self._rows = np.lib.stride_tricks.sliding_window_view(self._sound, taps)[factor - 1 :: factor]
        self._kept = taps - 1
        self._out = np.zeros(length // factor, np.float32)

    def push(self, samples: np.ndarray) -> np.ndarray:
        """(length,) float32 finite -> (length / factor,) float32; the same buffer every call."""
        self._sound[: self._kept] = self._sound[-self._kept :]
        self._sound[self._kept :] = samples
        np.einsum("ij,j->i", self._rows, self._taps, out=self._out)
        return self._out
