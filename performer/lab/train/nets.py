"""The networks: a light style-based generator (also the VAE's decoder), its discriminator, and the VAE's encoder."""

from __future__ import annotations

from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

WIDTHS = {4: 128, 8: 96, 16: 64, 32: 48, 64: 32, 128: 16, 256: 12, 512: 8}
FIRST_SIDE = 32  # training begins with pictures of this size
LARGE = 64  # from this side on one convolution a size is enough: there is little left to invent, and it costs most


def sides(size: int) -> list[int]:
    """4, 8 .. size."""
    steps = [4]
    while steps[-1] < size:
        steps.append(steps[-1] * 2)
    return steps


class StyledConv(nn.Module):
    """3x3 convolution whose channels are scaled and shifted by the style, after pixel norm (Karras et al., 2018)."""

    def __init__(self, inside: int, outside: int, style: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inside, outside, 3, padding=1)
        self.style = nn.Linear(style, 2 * outside)
        nn.init.normal_(self.style.weight, std=0.15)
        nn.init.zeros_(self.style.bias)

    def forward(self, x: Tensor, w: Tensor) -> Tensor:
        x = self.conv(x)
        x = x * torch.rsqrt(x.square().mean(dim=1, keepdim=True) + 1e-6)
        scale, shift = self.style(w)[:, :, None, None].chunk(2, dim=1)
        return F.leaky_relu(x * (1.0 + scale) + shift, 0.2)


class Generator(nn.Module):
    """Latent (N, D) -> picture (N, 3, size, size), 0..1 by and large.

    Mapping of two layers, a 4x4 start that the latent shapes too (styles alone take long to move things about),
    bilinear upsampling (nearest leaves a grid), a picture at every size that is added up.
    normalise  bring latents to the sphere first: for a GAN, whose latents all lie there
    residual   a way round the convolutions of each size (He et al., 2016): for a VAE, whose every picture must be met
    """

    def __init__(
        self, latent: int, size: int, style: int = 128, normalise: bool = True, residual: bool = False
    ) -> None:
        super().__init__()
        self.latent = latent
        self.size = size
        self.normalise = normalise
        self.mapping = nn.Sequential(
            nn.Linear(latent, style), nn.LeakyReLU(0.2), nn.Linear(style, style), nn.LeakyReLU(0.2)
        )
        self.start = nn.Parameter(torch.randn(1, WIDTHS[4], 4, 4))
        self.place = nn.Linear(latent, WIDTHS[4] * 16)
        inside = WIDTHS[4]
        self.first, self.second, self.to_rgb = nn.ModuleList(), nn.ModuleList(), nn.ModuleList()
        self.short = nn.ModuleList()
        for side in sides(size):
            outside = WIDTHS[side]
            self.first.append(StyledConv(inside, outside, style))
            self.second.append(StyledConv(outside, outside, style) if side < LARGE else nn.Identity())
            self.to_rgb.append(nn.Conv2d(outside, 3, 1))
            if residual:
                self.short.append(nn.Conv2d(inside, outside, 1, bias=False))
            inside = outside

    def forward(self, z: Tensor, side: int | None = None) -> Tensor:
        """side  stop at this size: training begins with small pictures"""
        if self.normalise:
            z = z * torch.rsqrt(z.square().mean(dim=1, keepdim=True) + 1e-8)
        w = self.mapping(z)
        x = self.start + self.place(z).reshape(z.shape[0], -1, 4, 4)
        picture: Tensor | None = None
        for at, now in enumerate(sides(self.size)):
            if picture is not None:
                x = F.interpolate(x, scale_factor=2.0, mode="bilinear", align_corners=False)
                picture = F.interpolate(picture, scale_factor=2.0, mode="bilinear", align_corners=False)
            before = x
            x = self.first[at](x, w)
            if isinstance(self.second[at], StyledConv):
                x = self.second[at](x, w)
            if self.short:
                x = (x + self.short[at](before)) * 0.7071
            rgb = self.to_rgb[at](x)
            picture = rgb if picture is None else picture + rgb
            if now == side:
                break
        assert picture is not None
        return picture * 0.5 + 0.5


class _Down(nn.Module):
    """Residual block that halves the sides by averaging."""

    def __init__(self, inside: int, outside: int) -> None:
        super().__init__()
        self.first, self.second = nn.Conv2d(inside, inside, 3, padding=1), nn.Conv2d(inside, outside, 3, padding=1)
        self.short = nn.Conv2d(inside, outside, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        y = F.leaky_relu(self.first(x), 0.2)
        y = F.avg_pool2d(F.leaky_relu(self.second(y), 0.2), 2)
        round_it: Tensor = self.short(F.avg_pool2d(x, 2))
        return (y + round_it) * 0.7071


class Discriminator(nn.Module):
    """Picture (N, 3, side, side) -> score (N,), for every side up to `size`.

    The picture enters at every size (Karras et al., 2020), so that a larger side only adds to what was learned on
    the smaller; the spread within the batch is seen too (Karras et al., 2017).
    """

    def __init__(self, size: int) -> None:
        super().__init__()
        self.enter, self.down = nn.ModuleDict(), nn.ModuleDict()
        for side in sides(size)[1:]:
            self.enter[str(side)] = nn.Conv2d(3, WIDTHS[side // 2], 4, 2, 1)
            if side < size:
                self.down[str(side)] = _Down(WIDTHS[side], WIDTHS[side // 2])
                if side > FIRST_SIDE // 2:  # not there at first: must begin softly
                    for weight in self.down[str(side)].parameters():
                        nn.init.normal_(weight, std=0.02)
        self.leave = nn.Sequential(
            nn.Conv2d(WIDTHS[4] + 1, WIDTHS[4], 3, padding=1),
            nn.LeakyReLU(0.2),
            nn.Flatten(),
            nn.Linear(WIDTHS[4] * 16, 128),
            nn.LeakyReLU(0.2),
            nn.Linear(128, 1),
        )

    def forward(self, picture: Tensor) -> Tensor:
        x: Tensor | None = None
        picture = picture * 2.0 - 1.0
        side = picture.shape[-1]
        while side > 4:
            seen = F.leaky_relu(self.enter[str(side)](picture), 0.2)
            x = seen if x is None else self.down[str(side)](x) + seen
            picture = F.avg_pool2d(picture, 2)
            side = side // 2
        assert x is not None
        spread = x.float().var(dim=0, unbiased=False).add(1e-8).sqrt().mean()
        x = torch.cat([x, spread.to(x.dtype).expand(x.shape[0], 1, 4, 4)], dim=1)
        score: Tensor = self.leave(x)
        return score[:, 0]


class Encoder(nn.Module):
    """Picture (N, 3, size, size) 0..1 -> mean and log variance of its latent, (N, D) each."""

    def __init__(self, latent: int, size: int) -> None:
        super().__init__()
        steps = sides(size // 2)[::-1]
        self.enter = nn.Conv2d(3, WIDTHS[size // 2], 4, 2, 1)
        self.down = nn.Sequential(*[_Down(WIDTHS[a], WIDTHS[b]) for a, b in pairwise(steps)])
        self.leave = nn.Linear(WIDTHS[4] * 16, 2 * latent)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        x = self.down(F.leaky_relu(self.enter(x * 2.0 - 1.0), 0.2))
        mean, log_variance = self.leave(x.flatten(1)).chunk(2, dim=1)
        return mean, log_variance.clamp(-8.0, 4.0)


class PatchDiscriminator(nn.Module):
    """Picture -> score of every patch; keeps a decoder from blurring."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(3, 32, 4, 2, 1),
            nn.LeakyReLU(0.2),
            nn.Conv2d(32, 64, 4, 2, 1),
            nn.LeakyReLU(0.2),
            nn.Conv2d(64, 96, 4, 2, 1),
            nn.LeakyReLU(0.2),
            nn.Conv2d(96, 1, 3, 1, 1),
        )

    def forward(self, x: Tensor) -> Tensor:
        scores: Tensor = self.body(x * 2.0 - 1.0)
        return scores
