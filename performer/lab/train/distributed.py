"""One process or many: which device to train on, and how several processes keep one set of weights.

Started by `torchrun` or `accelerate launch`, each process draws its own pictures and latents; gradients are averaged
before every step (synchronous data parallel, as in Goyal et al., "Accurate, large minibatch SGD", 2017).
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn


class World:
    """This process among the others; `rank` 0 reports, saves and exports.

    Joined from the variables that torchrun and accelerate set; by itself it is a world of one.
    """

    def __init__(self) -> None:
        self.size, self.rank = int(os.environ.get("WORLD_SIZE", "1")), int(os.environ.get("RANK", "0"))
        local = int(os.environ.get("LOCAL_RANK", "0"))
        cuda = torch.cuda.is_available() and not os.environ.get("ACCELERATE_USE_CPU", "").lower().startswith("t")
        self.device = torch.device("cuda", local) if cuda else torch.device("cpu")
        if self.size > 1 and not dist.is_initialized():
            dist.init_process_group("nccl" if cuda else "gloo")

    @property
    def first(self) -> bool:
        return self.rank == 0

    def agree(self, number: float) -> float:
        """The first process's number, in all of them."""
        if self.size == 1:
            return number
        told = torch.tensor([number], dtype=torch.float64, device=self.device)
        dist.broadcast(told, 0)
        return float(told.item())

    def alike(self, modules: Iterable[nn.Module]) -> None:
        """Give all processes the first one's weights."""
        if self.size > 1:
            for module in modules:
                for tensor in (*module.parameters(), *module.buffers()):
                    dist.broadcast(tensor.detach(), 0)

    def average(self, module: nn.Module) -> None:
        """Average the gradients over all processes."""
        if self.size == 1:
            return
        slopes: list[Tensor] = [p.grad for p in module.parameters() if p.grad is not None]
        flat = torch.cat([slope.reshape(-1) for slope in slopes])
        dist.all_reduce(flat)
        flat /= self.size
        for slope, part in zip(slopes, torch.split(flat, [slope.numel() for slope in slopes]), strict=True):
            slope.copy_(part.view_as(slope))

    def gather(self, item: Any) -> list[Any]:
        """Every process's item, in order of rank, in all of them."""
        if self.size == 1:
            return [item]
        found: list[Any] = [None] * self.size
        dist.all_gather_object(found, item)
        return found

    def leave(self) -> None:
        """Wait for the others, and part."""
        if self.size > 1 and dist.is_initialized():
            dist.barrier()
            dist.destroy_process_group()
