"""What StyleGAN2 and StyleGAN3 share, as networks built from named weights: mapping, styles, modulated convolution.

Karras et al., "Analyzing and improving the image quality of StyleGAN" (2020), and "Alias-free generative adversarial
networks" (2021). Weights are stored before their equalised learning rate (Karras et al., 2018): what they are divided
by there is folded in here once. Made for a batch of one, which is what plays.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from performer.lab.train.read_weights import Weights
from performer.system.errors import Fault

# of the leaky ReLU, which is scaled to keep a variance of one
SLOPE = 0.2
GAIN = 2.0**0.5
CLAMP = 256.0  # where activations end, so that they fit into half precision
MAPPING_RATE = 0.01  # the mapping's learning rate, beside that of the rest
AVERAGED = 10_000  # latents for the mean style, where a file does not have it
PARTS = ("", "_middle", "_fine")
# pixels on a side up to which layers are coarse, and middle (Karras et al., 2019)
COARSEST = 8.0
MIDDLE = 32.0


class Full(nn.Module):
    """Fully connected: (N, inside) -> (N, outside); weights `name.weight` and `name.bias`."""

    weight: Tensor
    bias: Tensor

    def __init__(self, weights: Weights, name: str, inside: int, outside: int, rate: float = 1.0) -> None:
        super().__init__()
        self.register_buffer("weight", weights.take(f"{name}.weight", outside, inside) * (rate * inside**-0.5))
        self.register_buffer("bias", weights.take(f"{name}.bias", outside) * rate)

    def forward(self, x: Tensor) -> Tensor:
        return F.linear(x, self.weight, self.bias)


def normalised(x: Tensor) -> Tensor:
    """(N, D) with a mean square of one."""
    return x * torch.rsqrt(x.square().mean(dim=1, keepdim=True) + 1e-8)


class Mapping(nn.Module):
    """Latent (1, D) and perhaps a label (1, classes) -> style (1, W).

    latent, classes, style  their sizes, by the shapes of the weights; classes is 0 where it takes no label
    """

    met: Tensor
    told: Tensor
    mean: Tensor

    def __init__(self, weights: Weights) -> None:
        super().__init__()
        count = 0
        while f"mapping.fc{count}.weight" in weights:
            count += 1
        shapes = [weights.shape(f"mapping.fc{i}.weight", 2) for i in range(max(count, 1))]
        self.style = shapes[-1][0]
        self.classes = 0
        embedded = 0
        self.embed = None
        if "mapping.embed.weight" in weights:
            embedded, self.classes = weights.shape("mapping.embed.weight", 2)
            self.embed = Full(weights, "mapping.embed", self.classes, embedded)
        self.latent = shapes[0][1] - embedded
        if self.latent < 1:
            raise Fault(f"{weights.path}: its mapping takes no latent; there is nothing to walk through")
        insides = [shapes[0][1], *(outside for outside, _ in shapes[:-1])]
        layers = [
            Full(weights, f"mapping.fc{i}", inside, outside, MAPPING_RATE)
            for i, (inside, (outside, _)) in enumerate(zip(insides, shapes, strict=True))
        ]
        self.layers = nn.ModuleList(layers)
        # Of the first layer, what the latent meets, and what the label's embedding.
        self.register_buffer("met", layers[0].weight[:, : self.latent].contiguous())
        self.register_buffer("told", layers[0].weight[:, self.latent :].contiguous())
        if "mapping.w_avg" in weights:
            mean = weights.take("mapping.w_avg", self.style)
        else:
            mean = self._mean()
            weights.notes.append(f"has no mean style (w_avg); it was measured on {AVERAGED} latents")
        self.register_buffer("mean", mean[None])

    def forward(self, z: Tensor, label: Tensor | None = None) -> Tensor:
        first = self.layers[0]
        assert isinstance(first, Full)
        x: Tensor = F.leaky_relu(F.linear(normalised(z), self.met, first.bias) + self.shift(label), SLOPE) * GAIN
        for layer in self.layers[1:]:
            x = F.leaky_relu(layer(x), SLOPE) * GAIN
        return x

    def shift(self, label: Tensor | None) -> Tensor | float:
        """What a label adds to the first layer."""
        if self.embed is None or label is None:
            return 0.0
        return F.linear(normalised(self.embed(label)), self.told)

    def _mean(self) -> Tensor:
        rng = torch.Generator().manual_seed(0)
        z = torch.randn(AVERAGED, self.latent, generator=rng)
        label = torch.eye(self.classes)[torch.arange(AVERAGED) % self.classes] if self.classes else None
        with torch.no_grad():
            styles: Tensor = self(z, label)
        return styles.mean(dim=0)


class Modulated(nn.Module):
    """Convolution whose input channels are scaled by a style, and whose outputs are brought back to unit variance.

    Instead of weights of its own for every picture, the input is scaled by the style and the output by the
    demodulation, which comes to the same (Karras et al., 2020, section 2.2) and leaves the weights constant.
    outside, kernel  by the shape of the weights; demodulate, or keep the weights' scale; gain, of the output
    """

    weight: Tensor
    energy: Tensor

    def __init__(
        self,
        weights: Weights,
        name: str,
        inside: int,
        style: int,
        demodulate: bool = True,
        gain: float = 1.0,
        kernels: tuple[int, ...] = (3,),
    ) -> None:
        super().__init__()
        self.outside, _, self.kernel, _ = weights.shape(f"{name}.weight", 4)
        if self.kernel not in kernels:
            raise Fault(
                f"{weights.path}: {name}.weight is {self.kernel} pixels wide; expected {' or '.join(map(str, kernels))}"
            )
        weight = weights.take(f"{name}.weight", self.outside, inside, self.kernel, self.kernel)
        self.demodulate = demodulate
        self.gain = gain
        self.affine = Full(weights, f"{name}.affine", style, inside)
        if demodulate:  # a scale of the weights makes no difference then; this one keeps values near one
            weight = weight * torch.rsqrt(weight.square().sum(dim=(1, 2, 3), keepdim=True) + 1e-8)
            self.register_buffer("energy", weight.square().sum(dim=(2, 3)))
        else:
            weight = weight * (inside * self.kernel**2) ** -0.5
        self.register_buffer("weight", weight)

    def scales(self, w: Tensor) -> tuple[Tensor, Tensor | None]:
        """Style (1, W) -> what inputs (1, inside, 1, 1) and outputs (1, outside, 1, 1) are multiplied by."""
        style: Tensor = self.affine(w)
        if not self.demodulate:
            return style[:, :, None, None] * self.gain, None
        style = normalised(style)
        back = torch.rsqrt(F.linear(style.square(), self.energy) + 1e-8) * self.gain
        return style[:, :, None, None], back[:, :, None, None]


class Synthesis(nn.Module):
    """Styles, one for each of `sides`, and noise for each of `grains` -> picture (1, channels, size, size), -1..1.

    sides   of the style of each layer, in pixels that its bandwidth is worth
    grains  sides of the layers to whose output noise can be added, as `forward` takes it: side -> (1, 1, side, side)
    """

    size: int
    channels: int
    sides: Sequence[float]
    grains: Sequence[int]


class Generator(nn.Module):
    """Latent (1, D), those of middle and fine layers, and what may be played -> picture, 0..1.

    w           three (1, W), added to the styles of coarse, middle and fine layers
    truncation  (1, 1): 1 leaves styles, 0 makes them all the mean one (Karras et al., 2019)
    label       (1, classes), where there are labels
    grain       noise that is added, one (1, 1, side, side) for each side in `grains`; 0 adds none
    synthesis   styles, one of (1, W) for each of its `sides`, and grain -> picture of -1..1 by and large
    """

    def __init__(self, mapping: Mapping, synthesis: Synthesis) -> None:
        super().__init__()
        self.mapping = mapping
        self.synthesis = synthesis
        self.grains = tuple(synthesis.grains)
        sides = synthesis.sides
        self.parts = [0 if side <= COARSEST else 1 if side <= MIDDLE else 2 for side in sides]
        if self.parts[-1] < 2:  # a small picture: what is coarse stays, and each part has a layer
            self.parts = [0 if i < len(sides) // 2 else 1 if i < len(sides) - 2 else 2 for i in range(len(sides))]

    def inputs(self) -> dict[str, tuple[int, ...]]:
        """Name -> shape of all that `forward` takes, in its order."""
        mapping = self.mapping
        latents = {f"z{part}": (1, mapping.latent) for part in PARTS}
        offsets = {f"w{part}": (1, mapping.style) for part in PARTS}
        label = {"label": (1, mapping.classes)} if mapping.classes else {}
        grains = {f"noise_{side}": (1, 1, side, side) for side in self.grains}
        return {**latents, **offsets, "truncation": (1, 1), **label, **grains}

    def forward(self, *given: Tensor) -> Tensor:
        named = dict(zip(self.inputs(), given, strict=True))
        mean = self.mapping.mean
        styles = [
            mean
            + named["truncation"] * (self.mapping(named[f"z{part}"], named.get("label")) + named[f"w{part}"] - mean)
            for part in PARTS
        ]
        grain = {side: named[f"noise_{side}"] for side in self.grains}
        picture: Tensor = self.synthesis([styles[part] for part in self.parts], grain)
        return (picture * 0.5 + 0.5).clamp(0.0, 1.0)
