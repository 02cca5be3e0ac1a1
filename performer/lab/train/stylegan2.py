"""The synthesis of StyleGAN2 (Karras et al., 2020) from named weights, in either of the two public layouts."""

from __future__ import annotations

import re

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from performer.lab.train.filters import Twice
from performer.lab.train.read_weights import Weights
from performer.lab.train.stylegan import CLAMP, GAIN, SLOPE, Modulated
from performer.system.errors import Fault

LARGEST = 4096  # pixels on a side
BINOMIAL = (1.0, 3.0, 3.0, 1.0)


class Layer(nn.Module):
    """Modulated 3x3 convolution, upsampling if asked, then noise, bias and leaky ReLU."""

    def __init__(
        self,
        weights: Weights,
        name: str,
        inside: int,
        side: int,
        style: int,
        taps: Tensor | None,
        seed: int,
        clamp: float | None,
        gain: float = 1.0,
    ) -> None:
        super().__init__()
        scale = GAIN * gain
        self.conv = Modulated(weights, name, inside, style, gain=scale)
        self.outside, self.clamp = self.conv.outside, None if clamp is None else clamp * gain
        if taps is None:
            self.register_buffer("weight", self.conv.weight)
        else:  # upsampled by zeros between samples: a transposed convolution
            self.register_buffer("weight", self.conv.weight.transpose(0, 1).contiguous())
            self.edge = len(taps) // 2 - 1
            self.register_buffer("taps", 4.0 * taps.flip(0, 1)[None, None].repeat(self.outside, 1, 1, 1))
        self.ups = taps is not None
        shift = weights.take(f"{name}.bias", self.outside) * scale
        self.register_buffer("shift", shift[None, :, None, None])
        self.scale, noise = scale, torch.zeros(side, side)
        if f"{name}.noise_strength" in weights:
            strength = weights.take(f"{name}.noise_strength")
            if f"{name}.noise_const" in weights:
                noise = weights.take(f"{name}.noise_const", side, side)
            else:
                noise = torch.randn(side, side, generator=torch.Generator().manual_seed(seed))
            noise = noise * strength * scale
        self.register_buffer("noise", noise[None, None])

    def forward(self, x: Tensor, w: Tensor, grain: Tensor) -> Tensor:
        style, back = self.conv.scales(w)
        if self.ups:
            x = F.conv_transpose2d(x * style, self.weight, stride=2)
            x = F.conv2d(x, self.taps, padding=self.edge, groups=self.outside)
        else:
            x = F.conv2d(x * style, self.weight, padding=self.conv.kernel // 2)
        x = F.leaky_relu(x * back + self.shift + (self.noise + grain * self.scale), SLOPE)
        return x if self.clamp is None else x.clamp(-self.clamp, self.clamp)


class ToRgb(nn.Module):
    """Modulated 1x1 convolution to colours."""

    def __init__(self, weights: Weights, name: str, inside: int, style: int, clamp: float | None) -> None:
        super().__init__()
        self.conv = Modulated(weights, name, inside, style, demodulate=False, kernels=(1,))
        self.channels, self.clamp = self.conv.outside, clamp
        self.register_buffer("bias", weights.take(f"{name}.bias", self.channels))

    def forward(self, x: Tensor, w: Tensor) -> Tensor:
        style, _ = self.conv.scales(w)
        x = F.conv2d(x, self.conv.weight * style.reshape(1, -1, 1, 1), self.bias)
        return x if self.clamp is None else x.clamp(-self.clamp, self.clamp)


class Synthesis(nn.Module):
    """Styles, one a layer -> picture (1, channels, size, size), -1..1 by and large.

    Its architecture is seen by what there is: colours at every size (skip), a shortcut round every block (resnet),
    or neither. sides: of each layer's style, in pixels; grains: those for which noise can be added.
    """

    def __init__(self, weights: Weights, style: int, clamp: float | None = CLAMP) -> None:
        super().__init__()
        found = {int(m[1]) for name in weights.names() if (m := re.match(r"synthesis\.b(\d+)\.", name))}
        blocks = [4]
        while blocks[-1] * 2 in found:
            blocks.append(blocks[-1] * 2)
        self.size, self.grains = blocks[-1], blocks
        if self.size > LARGEST or found - set(blocks):
            raise Fault(
                f"{weights.path}: has blocks of {', '.join(map(str, sorted(found)))}; expected 4, 8, 16 .. "
                f"{LARGEST} without a gap"
            )
        inside = weights.shape("synthesis.b4.const", 3)[0]
        self.register_buffer("start", weights.take("synthesis.b4.const", inside, 4, 4)[None])
        self.blocks, self.sides = nn.ModuleList(), []
        for side in blocks:
            name, parts = f"synthesis.b{side}", nn.ModuleDict()
            taps = self._taps(weights, name)
            short = side > 4 and f"{name}.skip.weight" in weights
            gain = 0.5**0.5 if short else 1.0
            if side > 4:
                parts["first"] = Layer(weights, f"{name}.conv0", inside, side, style, taps, 2 * side, clamp)
                if short:
                    parts["short"] = _Short(weights, f"{name}.skip", inside, parts["first"].outside, taps, gain)
                inside = parts["first"].outside
                self.sides.append(side)
            parts["second"] = Layer(weights, f"{name}.conv1", inside, side, style, None, 2 * side + 1, clamp, gain)
            inside = parts["second"].outside
            self.sides.append(side)
            if side == self.size or f"{name}.torgb.weight" in weights:
                parts["rgb"] = ToRgb(weights, f"{name}.torgb", inside, style, clamp)
                self.channels = parts["rgb"].channels
                if side > 4:
                    parts["twice"] = Twice(taps, self.channels)
            self.blocks.append(parts)
        self.sides.append(self.size)  # the last colours have a style of their own
        if self.channels not in (1, 3, 4):
            raise Fault(f"{weights.path}: makes pictures of {self.channels} channels; 1, 3 or 4 can be shown")

    def forward(self, styles: list[Tensor], grain: dict[int, Tensor]) -> Tensor:
        x, picture, at = self.start, None, 0
        for side, parts in zip(self.grains, self.blocks, strict=True):
            before, noise = x, grain[side]
            if "first" in parts:
                x = parts["first"](x, styles[at], noise)
                at += 1
            x = parts["second"](x, styles[at], noise)
            at += 1
            if "short" in parts:
                x = x + parts["short"](before)
            if "rgb" in parts:
                colours = parts["rgb"](x, styles[at])
                picture = colours if picture is None else parts["twice"](picture) + colours
        assert picture is not None
        return picture

    @staticmethod
    def _taps(weights: Weights, block: str) -> Tensor:
        """The filter of a block's upsampling, (T, T), of unit gain; the paper's, where the file has none."""
        name = f"{block}.resample_filter"
        if name not in weights:
            taps = torch.tensor(BINOMIAL)
            return torch.outer(taps, taps) / taps.sum().square()
        length = weights.shape(name, 2)[0]
        if length % 2 or length > 16:
            raise Fault(f"{weights.path}: {name} has {length} taps; expected 2, 4 .. 16")
        return weights.take(name, length, length)


class _Short(nn.Module):
    """The way round a block, in the resnet architecture: 1x1 convolution, then twice the size."""

    def __init__(self, weights: Weights, name: str, inside: int, outside: int, taps: Tensor, gain: float) -> None:
        super().__init__()
        self.register_buffer("weight", weights.take(f"{name}.weight", outside, inside, 1, 1) * gain * inside**-0.5)
        self.twice = Twice(taps, outside)

    def forward(self, x: Tensor) -> Tensor:
        return self.twice(F.conv2d(x, self.weight))
