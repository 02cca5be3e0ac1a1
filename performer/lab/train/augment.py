"""Differentiable augmentation: the same kinds of change for real and made pictures, so that few of them go a long way.

After Zhao et al., "Differentiable augmentation for data-efficient GAN training", 2020.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

FEW = 2500  # below so many pictures a discriminator would learn them by heart
POLICIES = ("none", "shift", "all")


def policy_for(count: int, wished: str = "auto") -> str:
    """What to do to a set of so many pictures: shifts alone where there are many."""
    return wished if wished != "auto" else "shift" if count >= FEW else "all"


def changed(pictures: Tensor, policy: str) -> Tensor:
    """(N, 3, S, S), each changed in its own way drawn from torch's generator.

    shift  moved by up to an eighth, edges mirrored
    all    also brightness, saturation and contrast, and a square of half the side greyed out
    """
    if policy == "none":
        return pictures
    x = _shifted(pictures)
    return _cut(_tinted(x)) if policy == "all" else x


def _draw(x: Tensor) -> Tensor:
    return torch.rand(x.shape[0], 1, 1, 1).to(x)


def _shifted(x: Tensor) -> Tensor:
    n, _, side, _ = x.shape
    most = max(1, side // 8)
    down, right = (torch.randint(0, 2 * most + 1, (n,)).tolist() for _ in range(2))
    padded = F.pad(x, (most,) * 4, mode="reflect")
    return torch.stack([padded[i, :, down[i] : down[i] + side, right[i] : right[i] + side] for i in range(n)])


def _tinted(x: Tensor) -> Tensor:
    x = x + (_draw(x) - 0.5) * 0.6
    grey = x.mean(dim=1, keepdim=True)
    x = grey + (x - grey) * (_draw(x) * 1.5 + 0.25)
    middle = x.mean(dim=(1, 2, 3), keepdim=True)
    return middle + (x - middle) * (_draw(x) * 0.8 + 0.6)


def _cut(x: Tensor) -> Tensor:
    n, _, side, _ = x.shape
    at = torch.arange(side)
    rows, columns = (torch.randint(0, side + 1, (n, 1)) for _ in range(2))
    hit_rows, hit_columns = ((at[None] - centre).abs() < side // 4 for centre in (rows, columns))
    hole = (hit_rows[:, :, None] & hit_columns[:, None, :])[:, None].to(x)
    return x * (1.0 - hole) + 0.5 * hole
