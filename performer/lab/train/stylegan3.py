"""The synthesis of StyleGAN3 (Karras et al., "Alias-free generative adversarial networks", 2021) from named weights."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from itertools import product

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from performer.lab.train import stylegan
from performer.lab.train.filters import Down, Up, jinc, kaiser
from performer.lab.train.read_weights import Weights
from performer.lab.train.stylegan import CLAMP, GAIN, SLOPE, Full, Modulated
from performer.system.errors import Fault

LARGEST = 4096  # pixels on a side
# cycles per picture (section 3.2 and appendix F.2 of the paper)
FIRST_CUTOFF = 2.0
FIRST_STOPBAND = 2.0**2.1
LAST_STOPBAND = 2.0**0.3  # times the last cutoff
# pixels round the picture; last layers that use all of their bandwidth
MARGIN = 10
CRITICAL = 2
FILTER = 6  # taps at the lower rate
OVER = 2  # how many times finer the leaky ReLU is worked out
OUTPUT = 0.25  # scale of the last layer's colours


@dataclass(frozen=True)
class Grid:
    """How a layer's output is sampled: pixels on a side, samples per picture, cutoff and half transition in cycles."""

    size: int
    rate: float
    cutoff: float
    half: float


def grids(resolution: int, layers: int, margin: int = MARGIN, critical: int = CRITICAL) -> list[Grid]:
    """The paper's design (appendix F.2): cutoffs and stopbands grow geometrically, the last `critical` ones are full.

    layers  without the last, which makes colours; there is one grid more than that
    """
    last = resolution / 2
    found = []
    for i in range(layers + 1):
        part = min(i / max(layers - critical, 1), 1.0)
        cutoff = FIRST_CUTOFF * (last / FIRST_CUTOFF) ** part
        stopband = FIRST_STOPBAND * (last * LAST_STOPBAND / FIRST_STOPBAND) ** part
        rate = 2.0 ** math.ceil(math.log2(min(2.0 * stopband, resolution)))
        size = resolution if i >= layers - 1 else round(rate) + 2 * margin
        found.append(Grid(size, rate, cutoff, max(stopband, rate / 2) - cutoff))
    return found


class Fourier(nn.Module):
    """The input: waves of many directions, turned and moved by the style -> (1, channels, size, size)."""

    weight: Tensor
    freqs: Tensor
    phases: Tensor
    turn: Tensor
    move: Tensor
    at: Tensor

    def __init__(self, weights: Weights, style: int, grid: Grid) -> None:
        super().__init__()
        name = "synthesis.input"
        self.channels = weights.shape(f"{name}.weight", 2)[0]
        weight = weights.take(f"{name}.weight", self.channels, self.channels)
        self.register_buffer("weight", weight * self.channels**-0.5)
        self.register_buffer("freqs", weights.take(f"{name}.freqs", self.channels, 2))
        self.register_buffer("phases", weights.take(f"{name}.phases", self.channels))
        whole = weights.take(f"{name}.transform", 3, 3) if f"{name}.transform" in weights else torch.eye(3)
        self.register_buffer("turn", whole[:2, :2].contiguous())
        self.register_buffer("move", whole[:2, 2:].contiguous())
        self.affine = Full(weights, f"{name}.affine", style, 4)
        self.grid = grid
        if float(self.freqs.norm(dim=1).max()) > 1.05 * grid.cutoff:
            weights.notes.append("its input holds finer waves than the paper's")
        at = (torch.arange(grid.size) + 0.5 - grid.size / 2) / grid.rate
        self.register_buffer("at", torch.stack([at.repeat(grid.size), at.repeat_interleave(grid.size)]))  # x, y

    def forward(self, w: Tensor) -> Tensor:
        t: Tensor = self.affine(w)[0]
        t = t / t[:2].norm()  # cosine and sine of a turn, then a move
        turn = torch.stack([torch.stack([t[0], -t[1]]), torch.stack([t[1], t[0]])])
        phases = self.phases[:, None] + self.freqs @ (turn @ (self.move - t[2:, None]))
        freqs = self.freqs @ (turn @ self.turn)
        # Waves that a transform makes too fine for the grid fade out.
        over = (freqs.norm(dim=1, keepdim=True) - self.grid.cutoff) / (self.grid.rate / 2 - self.grid.cutoff)
        waves = torch.sin((freqs @ self.at + phases) * (2.0 * math.pi)) * (1.0 - over).clamp(0.0, 1.0)
        mixed: Tensor = self.weight @ waves
        return mixed.reshape(1, self.channels, self.grid.size, self.grid.size)


class Layer(nn.Module):
    """Modulated convolution, then a leaky ReLU worked out at twice the rate between two lowpass filters."""

    weight: Tensor
    shift: Tensor

    def __init__(
        self,
        weights: Weights,
        name: str,
        inside: int,
        style: int,
        before: Grid,
        after: Grid,
        colours: bool,
        critical: bool,
    ) -> None:
        super().__init__()
        self.conv = Modulated(weights, name, inside, style, not colours, 1.0 if colours else GAIN, kernels=(1, 3))
        self.outside = self.conv.outside
        self.colours = colours
        shift = weights.take(f"{name}.bias", self.outside) * (1.0 if colours else GAIN)
        self.register_buffer("shift", shift[None, :, None, None])
        size = weights.take(f"{name}.magnitude_ema")  # the mean square of what comes in, as training saw it
        if size <= 0.0:
            raise Fault(f"{weights.path}: {name}.magnitude_ema is {float(size):g}; expected more than 0")
        self.register_buffer("weight", self.conv.weight * size.rsqrt())
        finest = max(before.rate, after.rate) * (1 if colours else OVER)
        up = round(finest / before.rate)
        down = round(finest / after.rate)
        radial = self.conv.kernel == 1 and not critical
        up_taps = _taps(weights, f"{name}.up_filter", up, colours, before, finest, False)
        down_taps = _taps(weights, f"{name}.down_filter", down, colours, after, finest, radial)
        total = (
            (after.size - 1) * down + 1 - (before.size + self.conv.kernel - 1) * up + len(up_taps) + len(down_taps) - 2
        )
        low = (total + up) // 2  # samples lie in the middle of their pixels (appendix C.3)
        had = before.size + self.conv.kernel - 1
        plain = total == 0 and up == down == 1
        self.up = nn.Identity() if plain else Up(up_taps, up, self.outside, had, low, total - low)
        self.down = nn.Identity() if plain else Down(down_taps, down, self.outside)

    def forward(self, x: Tensor, w: Tensor) -> Tensor:
        style, back = self.conv.scales(w)
        edge = self.conv.kernel - 1
        if back is None:
            x = F.conv2d(x, self.weight * style.reshape(1, -1, 1, 1), padding=edge)
        else:
            x = F.conv2d(x * style, self.weight, padding=edge) * back
        x = self.up(x + self.shift)
        x = (x if self.colours else F.leaky_relu(x, SLOPE)).clamp(-CLAMP, CLAMP)
        lower: Tensor = self.down(x)
        return lower


class Synthesis(stylegan.Synthesis):
    """Styles, one for the input and one a layer -> picture (1, channels, size, size), -1..1 by and large.

    The size of each layer's output is in its name (L3_52_512); the rest follows from the paper's design, which must
    come to just these sizes. kernel: of its layers' convolutions but the last, 1 or 3 pixels wide. Noise is not added:
    it would stick to the pixels, which this design is there to avoid.
    """

    grains = ()

    def __init__(self, weights: Weights, style: int) -> None:
        super().__init__()
        pattern = re.compile(r"synthesis\.(L(\d+)_(\d+)_(\d+))\.weight")
        found = sorted((int(m[2]), int(m[3]), int(m[4]), m[1]) for n in weights.names() if (m := pattern.fullmatch(n)))
        if [entry[0] for entry in found] != list(range(len(found))) or len(found) < 3:
            raise Fault(
                f"{weights.path}: has layers {', '.join(entry[3] for entry in found) or 'none'}; expected L0, "
                "L1 .. without a gap"
            )
        sizes = [entry[1] for entry in found]
        self.size = sizes[-1]
        plan, critical = _plan(weights, sizes)
        self.input = Fourier(weights, style, plan[0])
        self.kernel = 3
        self.layers = nn.ModuleList()
        sides = [2.0 * plan[0].cutoff]
        inside = self.input.channels
        for i, (_, _, channels, name) in enumerate(found):
            layer = Layer(
                weights,
                f"synthesis.{name}",
                inside,
                style,
                plan[max(i - 1, 0)],
                plan[i],
                i == len(found) - 1,
                i >= len(found) - 1 - critical,
            )
            if layer.outside != channels:
                raise Fault(
                    f"{weights.path}: synthesis.{name} has {layer.outside} channels, and another number in its name"
                )
            if i == 0:
                self.kernel = layer.conv.kernel
            self.layers.append(layer)
            sides.append(2.0 * plan[i].cutoff)
            inside = layer.outside
        self.channels = inside
        self.sides = sides
        if self.channels not in (1, 3, 4):
            raise Fault(f"{weights.path}: makes pictures of {self.channels} channels; 1, 3 or 4 can be shown")

    def forward(self, styles: list[Tensor], grain: dict[int, Tensor]) -> Tensor:
        x: Tensor = self.input(styles[0])
        for layer, w in zip(self.layers, styles[1:], strict=True):
            x = layer(x, w)
        return x * OUTPUT


def _plan(weights: Weights, sizes: list[int]) -> tuple[list[Grid], int]:
    """The grids that come to those sizes, and how many layers are critical. Raises Fault."""
    layers = len(sizes) - 1
    resolution = sizes[-1]
    if 16 <= resolution <= LARGEST and layers <= 64:
        for margin, critical in sorted(
            product(range(65), range(layers)), key=lambda pair: (pair != (MARGIN, CRITICAL), pair[0] != MARGIN, pair)
        ):
            plan = grids(resolution, layers, margin, critical)
            if [grid.size for grid in plan] == sizes:
                if (margin, critical) != (MARGIN, CRITICAL):
                    weights.notes.append(
                        f"its sizes tell of a margin of {margin} and {critical} critical layers, "
                        f"not the paper's {MARGIN} and {CRITICAL}"
                    )
                return plan, critical
    raise Fault(
        f"{weights.path}: its layers have {', '.join(map(str, sizes))} pixels on a side, which the paper's "
        "design never comes to; export it to ONNX where it was trained"
    )


def _taps(weights: Weights, name: str, factor: int, colours: bool, grid: Grid, rate: float, radial: bool) -> Tensor:
    """A layer's filter: the file's, or the paper's where it has none."""
    if factor == 1 or colours:
        return torch.ones(1)
    length = FILTER * factor
    designed = (jinc if radial else kaiser)(length, grid.cutoff, 2.0 * grid.half, rate)
    if name not in weights:
        return designed
    taps = weights.take(name, *[length] * designed.ndim)
    if float((taps - designed).abs().max()) > 0.01 * float(designed.abs().max()):
        weights.notes.append(f"{name} is not the paper's filter; the file's is taken")
    return taps
