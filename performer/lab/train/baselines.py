"""The two classic generators, to measure the style-based one against: DCGAN and a GAN of fully connected layers."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from performer.lab.train.nets import Discriminator, Generator

MLP_MOST = 64  # pixels on a side; beyond, its last layer alone would be larger than a whole other generator


class DCGenerator(nn.Module):
    """Transposed convolutions with batch norm (Radford et al., 2016): (N, D) -> (N, 3, size, size), 0..1."""

    def __init__(self, latent: int, size: int, width: int = 32) -> None:
        super().__init__()
        self.latent = latent
        self.size = size
        channels = min(width * size // 8, 256)
        layers: list[nn.Module] = [nn.Unflatten(1, (latent, 1, 1)), *_up(latent, channels, 4, 1, 0)]
        side = 4
        while side < size // 2:
            layers += _up(channels, max(channels // 2, 16), 4, 2, 1)
            channels = max(channels // 2, 16)
            side = side * 2
        self.body = nn.Sequential(*layers, nn.ConvTranspose2d(channels, 3, 4, 2, 1), nn.Tanh())
        self.apply(_small)

    def forward(self, z: Tensor, side: int | None = None) -> Tensor:
        """side  is not used: it always learns the whole size"""
        made: Tensor = self.body(z)
        return made * 0.5 + 0.5


class DCDiscriminator(nn.Module):
    """Strided convolutions: (N, 3, size, size) -> (N,)."""

    def __init__(self, size: int, width: int = 24) -> None:
        super().__init__()
        layers: list[nn.Module] = [nn.Conv2d(3, width, 4, 2, 1), nn.LeakyReLU(0.2)]
        side = size // 2
        channels = width
        while side > 4:
            wider = min(channels * 2, 192)
            layers += [nn.Conv2d(channels, wider, 4, 2, 1, bias=False), nn.BatchNorm2d(wider), nn.LeakyReLU(0.2)]
            side = side // 2
            channels = wider
        self.body = nn.Sequential(*layers, nn.Conv2d(channels, 1, side), nn.Flatten())
        self.apply(_small)

    def forward(self, picture: Tensor) -> Tensor:
        score: Tensor = self.body(picture * 2.0 - 1.0)
        return score[:, 0]


class MLPGenerator(nn.Module):
    """Fully connected layers (Goodfellow et al., 2014)."""

    def __init__(self, latent: int, size: int, width: int = 128) -> None:
        super().__init__()
        self.latent = latent
        self.size = size
        self.body = nn.Sequential(
            nn.Linear(latent, width),
            nn.LeakyReLU(0.2),
            nn.Linear(width, width),
            nn.LeakyReLU(0.2),
            nn.Linear(width, 3 * size * size),
            nn.Sigmoid(),
            nn.Unflatten(1, (3, size, size)),
        )

    def forward(self, z: Tensor, side: int | None = None) -> Tensor:
        made: Tensor = self.body(z)
        return made


class MLPDiscriminator(nn.Module):
    def __init__(self, size: int, width: int = 128) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Flatten(),
            nn.Linear(3 * size * size, width),
            nn.LeakyReLU(0.2),
            nn.Linear(width, width),
            nn.LeakyReLU(0.2),
            nn.Linear(width, 1),
        )

    def forward(self, picture: Tensor) -> Tensor:
        score: Tensor = self.body(picture * 2.0 - 1.0)
        return score[:, 0]


NETS = ("style", "dcgan", "mlp")


def pair(net: str, latent: int, size: int) -> tuple[nn.Module, nn.Module]:
    """Generator and discriminator of one of NETS. Raises ValueError where it does not come in that size."""
    if net == "mlp" and size > MLP_MOST:
        raise ValueError(f"--net mlp makes pictures of at most {MLP_MOST}x{MLP_MOST}")
    if net == "dcgan":
        return DCGenerator(latent, size), DCDiscriminator(size)
    if net == "mlp":
        return MLPGenerator(latent, size), MLPDiscriminator(size)
    return Generator(latent, size), Discriminator(size)


def _up(inside: int, outside: int, kernel: int, stride: int, padding: int) -> list[nn.Module]:
    return [
        nn.ConvTranspose2d(inside, outside, kernel, stride, padding, bias=False),
        nn.BatchNorm2d(outside),
        nn.ReLU(),
    ]


def _small(module: nn.Module) -> None:
    if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
        nn.init.normal_(module.weight, 0.0, 0.02)
    elif isinstance(module, nn.BatchNorm2d):
        torch.nn.init.normal_(module.weight, 1.0, 0.02)
