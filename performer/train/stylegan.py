"""What StyleGAN2 and StyleGAN3 share, as networks built from named weights: mapping, styles, modulated convolution.

Karras et al., "Analyzing and improving the image quality of StyleGAN" (2020), and "Alias-free generative adversarial
networks" (2021). Weights are stored before their equalised learning rate (Karras et al., 2018): what they are divided
by there is folded in here once. Made for a batch of one, which is what plays.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from performer.errors import Fault
from performer.train.weights import Weights

SLOPE, GAIN = 0.2, 2.0 ** 0.5  # of the leaky ReLU, which is scaled to keep a variance of one
CLAMP = 256.0  # where activations end, so that they fit into half precision
MAPPING_RATE = 0.01  # the mapping's learning rate, beside that of the rest
AVERAGED = 10_000  # latents for the mean style, where a file does not have it
COARSEST, MIDDLE = 8.0, 32.0  # pixels on a side up to which layers are coarse, and middle (Karras et al., 2019)


class Full(nn.Module):
    """Fully connected: (N, inside) -> (N, outside); weights `name.weight` and `name.bias`."""

    def __init__(self, weights: Weights, name: str, inside: int, outside: int, rate: float = 1.0) -> None:
        super().__init__()
        self.register_buffer("weight", weights.take(f"{name}.weight", outside, inside) * (rate * inside ** -0.5))
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

    def __init__(self, weights: Weights) -> None:
        super().__init__()
        count = 0
        while f"mapping.fc{count}.weight" in weights:
            count += 1
        shapes = [weights.shape(f"mapping.fc{i}.weight", 2) for i in range(max(count, 1))]
        self.style = shapes[-1][0]
        self.classes, embedded, self.embed = 0, 0, None
        if "mapping.embed.weight" in weights:
            embedded, self.classes = weights.shape("mapping.embed.weight", 2)
            self.embed = Full(weights, "mapping.embed", self.classes, embedded)
        self.latent = shapes[0][1] - embedded
        insides = [shapes[0][1], *(outside for outside, _ in shapes[:-1])]
        self.layers = nn.ModuleList(Full(weights, f"mapping.fc{i}", inside, outside, MAPPING_RATE)
                                    for i, (inside, (outside, _)) in enumerate(zip(insides, shapes, strict=True)))
        if "mapping.w_avg" in weights:
            mean = weights.take("mapping.w_avg", self.style)
        else:
            mean = self._mean()
            weights.notes.append(f"has no mean style (w_avg); it was measured on {AVERAGED} latents")
        self.register_buffer("mean", mean[None])

    def forward(self, z: Tensor, label: Tensor | None = None) -> Tensor:
        x = normalised(z)
        first, *others = self.layers
        if self.embed is None or label is None:
            x = first(x)
        else:  # the first layer in two parts, so that the latent meets weights of its own
            y = normalised(self.embed(label))
            x = F.linear(x, first.weight[:, :self.latent], first.bias) + F.linear(y, first.weight[:, self.latent:])
        x = F.leaky_relu(x, SLOPE) * GAIN
        for layer in others:
            x = F.leaky_relu(layer(x), SLOPE) * GAIN
        return x

    def _mean(self) -> Tensor:
        rng = torch.Generator().manual_seed(0)
        z = torch.randn(AVERAGED, self.latent, generator=rng)
        label = torch.eye(self.classes)[torch.arange(AVERAGED) % self.classes] if self.classes else None
        with torch.no_grad():
            return self(z, label).mean(dim=0)


class Modulated(nn.Module):
    """Convolution whose input channels are scaled by a style, and whose outputs are brought back to unit variance.

    Instead of weights of its own for every picture, the input is scaled by the style and the output by the
    demodulation, which comes to the same (Karras et al., 2020, section 2.2) and leaves the weights constant.
    outside, kernel  by the shape of the weights; demodulate, or keep the weights' scale; gain, of the output
    """

    def __init__(self, weights: Weights, name: str, inside: int, style: int, demodulate: bool = True,
                 gain: float = 1.0, kernels: tuple[int, ...] = (3,)) -> None:
        super().__init__()
        self.outside, _, self.kernel, _ = weights.shape(f"{name}.weight", 4)
        if self.kernel not in kernels:
            raise Fault(f"{weights.path}: {name}.weight is {self.kernel} pixels wide; expected "
                        f"{' or '.join(map(str, kernels))}")
        weight = weights.take(f"{name}.weight", self.outside, inside, self.kernel, self.kernel)
        self.demodulate, self.gain = demodulate, gain
        self.affine = Full(weights, f"{name}.affine", style, inside)
        if demodulate:  # a scale of the weights makes no difference then; this one keeps values near one
            weight = weight * torch.rsqrt(weight.square().sum(dim=(1, 2, 3), keepdim=True) + 1e-8)
            self.register_buffer("energy", weight.square().sum(dim=(2, 3)))
        else:
            weight = weight * (inside * self.kernel ** 2) ** -0.5
        self.register_buffer("weight", weight)

    def scales(self, w: Tensor) -> tuple[Tensor, Tensor | None]:
        """Style (1, W) -> what inputs (1, inside, 1, 1) and outputs (1, outside, 1, 1) are multiplied by."""
        style = self.affine(w)
        if not self.demodulate:
            return style[:, :, None, None] * self.gain, None
        style = normalised(style)
        back = torch.rsqrt(F.linear(style.square(), self.energy) + 1e-8) * self.gain
        return style[:, :, None, None], back[:, :, None, None]


class Generator(nn.Module):
    """Latent (1, D), those of middle and fine layers, truncation (1,) and perhaps a label -> picture, 0..1.

    synthesis  styles, one of (1, W) for each of its `sides`, to a picture of -1..1 by and large
    Truncation draws styles towards the mean one: 1 leaves them, 0 makes them all the same (Karras et al., 2019).
    """

    def __init__(self, mapping: Mapping, synthesis: nn.Module) -> None:
        super().__init__()
        self.mapping, self.synthesis = mapping, synthesis
        sides: list[float] = synthesis.sides
        self.parts = [0 if side <= COARSEST else 1 if side <= MIDDLE else 2 for side in sides]
        if self.parts[-1] < 2:  # a small picture: what is coarse stays, and each part has a layer
            self.parts = [0 if i < len(sides) // 2 else 1 if i < len(sides) - 2 else 2 for i in range(len(sides))]

    def forward(self, z: Tensor, z_middle: Tensor, z_fine: Tensor, truncation: Tensor,
                label: Tensor | None = None) -> Tensor:
        mean = self.mapping.mean
        styles = [mean + truncation * (self.mapping(part, label) - mean) for part in (z, z_middle, z_fine)]
        picture = self.synthesis([styles[part] for part in self.parts])
        return (picture * 0.5 + 0.5).clamp(0.0, 1.0)
