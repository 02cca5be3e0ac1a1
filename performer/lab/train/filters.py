"""Resampling by FIR filters, in forms that ONNX Runtime runs fast: depthwise convolutions, one axis at a time.

The signals are those of Karras et al., "Analyzing and improving the image quality of StyleGAN" (2020), and "Alias-free
generative adversarial networks" (2021): zeros are put between the samples, edges are padded, a filter is convolved.
"""

from __future__ import annotations

import numpy as np
import scipy.signal
import scipy.special
import torch
import torch.nn.functional as F
from torch import Tensor, nn


def kaiser(taps: int, cutoff: float, width: float, rate: float) -> Tensor:
    """Lowpass filter (taps,) of unit gain: a sinc under a Kaiser window (Karras et al., 2021, appendix C.1).

    cutoff  end of the passband; width, of the transition around it; rate, of samples: all in cycles per picture
    """
    return torch.tensor(scipy.signal.firwin(taps, cutoff, width=width, fs=rate), dtype=torch.float32)


def jinc(taps: int, cutoff: float, width: float, rate: float) -> Tensor:
    """The same, radially symmetric: (taps, taps), a jinc under a Kaiser window for each axis (appendix C.1)."""
    at = (np.arange(taps) - (taps - 1) / 2) / rate
    radius = np.hypot(at[:, None], at[None])
    near = radius < 1e-12
    turn = np.where(near, 1.0, np.pi * radius)
    shape = np.where(near, cutoff, scipy.special.j1(2.0 * cutoff * turn) / turn)
    window = np.kaiser(taps, scipy.signal.kaiser_beta(scipy.signal.kaiser_atten(taps, width / (rate / 2))))
    shape *= np.outer(window, window)
    return torch.tensor(shape / shape.sum(), dtype=torch.float32)


class Up(nn.Module):
    """(N, C, H, W) -> as many zeros between samples as make it `factor` times as large, then a filter along both axes.

    taps    (T,); the gain makes up for the zeros
    before, after  zeros added at the ends of each axis, at the higher rate; negative: cut off
    Each phase of the output is a convolution of the input itself; then the phases are interleaved.
    """

    bank: Tensor

    def __init__(self, taps: Tensor, factor: int, channels: int, size: int, before: int, after: int) -> None:
        super().__init__()
        self.factor = factor
        self.channels = channels
        flipped = taps.flip(0) * factor
        self.wanted = size * factor + before + after - len(taps) + 1
        first = [(before - phase) % factor for phase in range(factor)]  # tap that meets the first sample
        start = [(phase + tap - before) // factor for phase, tap in enumerate(first)]
        lowest = min(start)
        rows = [
            torch.cat([torch.zeros(at - lowest), flipped[tap::factor]]) for at, tap in zip(start, first, strict=True)
        ]
        length = max(len(row) for row in rows)
        bank = torch.stack([F.pad(row, (0, length - len(row))) for row in rows])
        count = -(-self.wanted // factor)
        self.pad = (-lowest, lowest + count + length - 1 - size)
        self.register_buffer("bank", bank.reshape(factor, 1, 1, length).repeat(1, channels, 1, 1)[:, :, None])

    def forward(self, x: Tensor) -> Tensor:
        low, high = self.pad
        if min(low, high) < 0:
            stop = x.shape[-1] + min(high, 0)
            x = x[:, :, max(-low, 0) : stop, max(-low, 0) : stop]
        x = F.pad(x, (max(low, 0), max(high, 0), max(low, 0), max(high, 0)))
        return self._along(self._along(x, 3), 2)

    def _along(self, x: Tensor, axis: int) -> Tensor:
        bank = self.bank if axis == 3 else self.bank.transpose(3, 4)
        parts = [F.conv2d(x, taps, groups=self.channels) for taps in bank]
        n, c, height, width = parts[0].shape
        x = torch.stack(parts, dim=axis + 1)
        sides = (height, width * self.factor) if axis == 3 else (height * self.factor, width)
        return x.reshape(n, c, *sides).narrow(axis, 0, self.wanted)


class Down(nn.Module):
    """(N, C, H, W) -> filtered, then every `factor`-th sample of both axes; taps (T,) or, for both at once, (T, T)."""

    taps: Tensor

    def __init__(self, taps: Tensor, factor: int, channels: int) -> None:
        super().__init__()
        self.factor = factor
        self.channels = channels
        self.apart = taps.ndim == 1
        taps = taps.flip(tuple(range(taps.ndim)))
        self.register_buffer("taps", (taps[None] if self.apart else taps)[None, None].repeat(channels, 1, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        if not self.apart:
            return F.conv2d(x, self.taps, stride=self.factor, groups=self.channels)
        x = F.conv2d(x, self.taps, stride=(1, self.factor), groups=self.channels)
        return F.conv2d(x, self.taps.transpose(2, 3), stride=(self.factor, 1), groups=self.channels)


class Twice(nn.Module):
    """(N, C, H, W) -> (N, C, 2H, 2W) by a filter (T, T), T even: the upsampling of pictures in StyleGAN2."""

    taps: Tensor

    def __init__(self, taps: Tensor, channels: int) -> None:
        super().__init__()
        self.channels = channels
        self.edge = len(taps) // 2 - 1
        self.register_buffer("taps", (4.0 * taps)[None, None].repeat(channels, 1, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        return F.conv_transpose2d(x, self.taps, stride=2, padding=self.edge, groups=self.channels)
