"""The synthesis of StyleGAN2 (Karras et al., 2020) from named weights, in either of the two public layouts."""

from __future__ import annotations

import re

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from performer.lab.train import stylegan
from performer.lab.train.filters import Twice
from performer.lab.train.read_weights import Weights
from performer.lab.train.stylegan import GAIN, SLOPE, Modulated
from performer.system.errors import Fault

LARGEST = 4096  # pixels on a side
BINOMIAL = (1.0, 3.0, 3.0, 1.0)


class Layer(nn.Module):
    """Modulated 3x3 convolution, upsampling if asked, then noise, bias and leaky ReLU.

    inside, style  channels of what comes in, and the length of the style
    side           of the output, in pixels; its noise is drawn from `seed`, where the file has none of its own
    taps           the filter (T, T) of the upsampling
    gain           of the output, which `clamp` bounds before
    """

    weight: Tensor
    taps: Tensor
    shift: Tensor
    noise: Tensor

    def __init__(
        self,
        weights: Weights,
        name: str,
        *,
        inside: int,
        side: int,
        style: int,
        taps: Tensor | None,
        clamp: float | None,
        gain: float = 1.0,
    ) -> None:
        super().__init__()
        seed = 2 * side if taps is not None else 2 * side + 1
        scale = GAIN * gain
        self.conv = Modulated(weights, name, inside, style, gain=scale)
        self.outside = self.conv.outside
        self.clamp = None if clamp is None else clamp * gain
        if taps is None:
            self.register_buffer("weight", self.conv.weight)
        else:  # upsampled by zeros between samples: a transposed convolution
            self.register_buffer("weight", self.conv.weight.transpose(0, 1).contiguous())
            self.edge = len(taps) // 2 - 1
            self.register_buffer("taps", 4.0 * taps.flip(0, 1)[None, None].repeat(self.outside, 1, 1, 1))
        self.ups = taps is not None
        shift = weights.take(f"{name}.bias", self.outside) * scale
        self.register_buffer("shift", shift[None, :, None, None])
        self.scale = scale
        noise = torch.zeros(side, side)
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
        assert back is not None
        if self.ups:
            x = F.conv_transpose2d(x * style, self.weight, stride=2)
            x = F.conv2d(x, self.taps, padding=self.edge, groups=self.outside)
        else:
            x = F.conv2d(x * style, self.weight, padding=self.conv.kernel // 2)
        x = F.leaky_relu(x * back + self.shift + (self.noise + grain * self.scale), SLOPE)
        return x if self.clamp is None else x.clamp(-self.clamp, self.clamp)


class ToRgb(nn.Module):
    """Modulated 1x1 convolution to colours."""

    bias: Tensor

    def __init__(self, weights: Weights, name: str, inside: int, style: int, clamp: float | None) -> None:
        super().__init__()
        self.conv = Modulated(weights, name, inside, style, demodulate=False, kernels=(1,))
        self.channels = self.conv.outside
        self.clamp = clamp
        self.register_buffer("bias", weights.take(f"{name}.bias", self.channels))

    def forward(self, x: Tensor, w: Tensor) -> Tensor:
        style, _ = self.conv.scales(w)
        x = F.conv2d(x, self.conv.weight * style.reshape(1, -1, 1, 1), self.bias)
        return x if self.clamp is None else x.clamp(-self.clamp, self.clamp)


class _Block(nn.Module):
    """The layers of one size: `first` upsamples to it (but for 4x4), `short` is a way round `first` and `second`.

    inside, outside  channels of what comes in and goes out
    rgb, twice       colours of this size, and what makes those of the size before as large, where the file has them
    """

    def __init__(
        self, weights: Weights, side: int, inside: int, style: int, clamp: float | None, *, last: bool
    ) -> None:
        super().__init__()
        name = f"synthesis.b{side}"
        taps = _taps(weights, name)
        self.side = side
        self.first: Layer | None = None
        self.short: _Short | None = None
        self.rgb: ToRgb | None = None
        self.twice: Twice | None = None
        gain = 1.0
        if side > 4:
            self.first = Layer(weights, f"{name}.conv0", inside=inside, side=side, style=style, taps=taps, clamp=clamp)
            if f"{name}.skip.weight" in weights:
                gain = 0.5**0.5
                self.short = _Short(weights, f"{name}.skip", inside, self.first.outside, taps, gain)
            inside = self.first.outside
        self.second = Layer(
            weights, f"{name}.conv1", inside=inside, side=side, style=style, taps=None, clamp=clamp, gain=gain
        )
        self.outside = self.second.outside
        if last or f"{name}.torgb.weight" in weights:
            self.rgb = ToRgb(weights, f"{name}.torgb", self.outside, style, clamp)
            if side > 4:
                self.twice = Twice(taps, self.rgb.channels)


class Synthesis(stylegan.Synthesis):
    """Styles, one a layer -> picture (1, channels, size, size), -1..1 by and large.

    Its architecture is seen by what there is: colours at every size (skip), a shortcut round every block (resnet),
    or neither.
    """

    start: Tensor

    def __init__(self, weights: Weights, style: int, clamp: float | None = stylegan.CLAMP) -> None:
        super().__init__()
        found = {int(m[1]) for name in weights.names() if (m := re.match(r"synthesis\.b(\d+)\.", name))}
        blocks = [4]
        while blocks[-1] * 2 in found:
            blocks.append(blocks[-1] * 2)
        self.size = blocks[-1]
        self.grains = blocks
        if self.size > LARGEST or found - set(blocks):
            raise Fault(
                f"{weights.path}: has blocks of {', '.join(map(str, sorted(found)))}; expected 4, 8, 16 .. "
                f"{LARGEST} without a gap"
            )
        inside = weights.shape("synthesis.b4.const", 3)[0]
        self.register_buffer("start", weights.take("synthesis.b4.const", inside, 4, 4)[None])
        self.blocks = nn.ModuleList()
        sides = []
        for side in blocks:
            block = _Block(weights, side, inside, style, clamp, last=side == self.size)
            inside = block.outside
            sides += [side] if block.first is None else [side, side]
            if block.rgb is not None:
                self.channels = block.rgb.channels
            self.blocks.append(block)
        self.sides = [*sides, self.size]  # the last colours have a style of their own
        if self.channels not in (1, 3, 4):
            raise Fault(f"{weights.path}: makes pictures of {self.channels} channels; 1, 3 or 4 can be shown")

    def forward(self, styles: list[Tensor], grain: dict[int, Tensor]) -> Tensor:
        x = self.start
        picture: Tensor | None = None
        at = 0
        for block in self.blocks:
            assert isinstance(block, _Block)
            before = x
            noise = grain[block.side]
            if block.first is not None:
                x = block.first(x, styles[at], noise)
                at += 1
            x = block.second(x, styles[at], noise)
            at += 1
            if block.short is not None:
                x = x + block.short(before)
            if block.rgb is not None:
                colours: Tensor = block.rgb(x, styles[at])
                if picture is not None and block.twice is not None:
                    colours = block.twice(picture) + colours
                picture = colours
        assert picture is not None
        return picture


def _taps(weights: Weights, block: str) -> Tensor:
    """The filter of a block's upsampling, (T, T), of unit gain; the paper's, where the file has none. Raises Fault."""
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

    weight: Tensor

    def __init__(self, weights: Weights, name: str, inside: int, outside: int, taps: Tensor, gain: float) -> None:
        super().__init__()
        self.register_buffer("weight", weights.take(f"{name}.weight", outside, inside, 1, 1) * gain * inside**-0.5)
        self.twice = Twice(taps, outside)

    def forward(self, x: Tensor) -> Tensor:
        larger: Tensor = self.twice(F.conv2d(x, self.weight))
        return larger
