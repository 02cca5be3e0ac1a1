"""What drawn pictures were drawn by, told from the picture: how many petals, how far folded, how much curl.

The numbers behind every drawn picture are known, so a small network can learn to see them; with its eye directions of a
model are found that do the same (supervised directions, as InterFaceGAN's: Shen et al., 2020).
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import tomlkit
import torch
import torch.nn.functional as F

from performer.lab.train.loop import fast, laid_out
from performer.lab.train.nets import Encoder
from performer.lab.train.synthetic_pictures import SOURCES, Easel
from performer.system.errors import Fault

#: Source -> trait -> which of the sixteen numbers of a picture, and from where on it shows (0: all the way).
TRAITS: dict[str, dict[str, tuple[int, float]]] = {
    "marble": {"zoom": (0, 0.0), "folded": (1, 0.62), "swirl": (5, 0.0)},
    "flow": {"zoom": (0, 0.0), "folded": (1, 0.62), "bands": (6, 0.0)},
    "nebula": {"zoom": (0, 0.0), "folded": (1, 0.775)},
    "cells": {"zoom": (0, 0.0), "folded": (1, 0.62), "warped": (4, 0.0), "rim": (5, 0.0)},
    "forms": {"bent": (4, 0.0), "molten": (5, 0.0), "ridged": (11, 0.6)},
    "blossom": {"petals": (0, 0.0), "whorls": (1, 0.0), "wide": (2, 0.0), "curl": (4, 0.0), "notched": (6, 0.0)},
}
SIDE = 64
PICTURES = 3000
TRAINING_STEPS = 1200
BATCH = 32
RATE = 1e-3
LEAST_SEEN = 0.4  # of a trait's variance, in pictures the network was not trained on; else nobody could see it


def sources_of(model: Path, named: str = "") -> tuple[str, ...]:
    """The sources a model was trained on: those named, or its card's. Raises Fault where neither says."""
    card = tomlkit.parse(model.with_suffix(".toml").read_text(encoding="utf-8"))
    names = named or str(card.get("data", {}).get("source", "")).partition(".py:")[2]
    sources = tuple(name.strip() for name in names.split(",") if name.strip())
    if not sources or any(name not in SOURCES for name in sources):
        raise Fault(f"{model}: its card does not say which sources it was drawn from; there are {', '.join(SOURCES)}")
    return sources


class Traits:
    """Sees traits in pictures.

    names  of the traits that can be seen
    seen   name -> share of its variance that is told right, 0..1
    """

    def __init__(
        self, sources: tuple[str, ...], seed: int = 1, pictures: int = PICTURES, steps: int = TRAINING_STEPS
    ) -> None:
        """Draw pictures and learn to see what they were drawn by; minutes."""
        every = tuple(dict.fromkeys(name for source in sources for name in TRAITS[source]))
        shown, told, known = _lessons(sources, every, seed, pictures)
        self.seen: dict[str, float] = {}
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            eye = self._eye = laid_out(Encoder(len(every), SIDE), torch.channels_last)
            train = len(shown) * 7 // 8
            optimizer = torch.optim.Adam(eye.parameters(), RATE)
            schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 2.0 * RATE, total_steps=steps)
            for _ in range(steps):
                some = torch.randint(0, train, (BATCH,))
                error = (_told(eye, shown[some]) - told[some]).square() * known[some]
                optimizer.zero_grad(set_to_none=True)
                torch.autograd.backward(error.sum() / known[some].sum().clamp(min=1.0))
                optimizer.step()
                schedule.step()
        with torch.no_grad():
            errors = torch.cat(
                [
                    (_told(eye, part) - right).square()
                    for part, right in zip(torch.split(shown[train:], 64), torch.split(told[train:], 64), strict=True)
                ]
            )
        for i, name in enumerate(every):
            there = known[train:, i] > 0.0
            share = 1.0 - float(errors[there, i].mean() / told[train:][there, i].var())
            if share > LEAST_SEEN:
                self.seen[name] = share
        self.names = tuple(self.seen)
        self._columns = [every.index(name) for name in self.names]

    @torch.no_grad()
    def __call__(self, picture: np.ndarray) -> np.ndarray:
        """How much of each trait is in a picture (3, H, W), 0..1: (names,) float32, in standard deviations."""
        small = F.interpolate(torch.from_numpy(picture)[None].float(), (SIDE, SIDE), mode="area")
        told: np.ndarray = _told(self._eye, small)[0, self._columns].numpy()
        return told


def _told(eye: Encoder, pictures: torch.Tensor) -> torch.Tensor:
    mean: torch.Tensor
    mean, _ = eye(fast(pictures))
    return mean


def _lessons(
    sources: tuple[str, ...], names: tuple[str, ...], seed: int, count: int
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Pictures (N, 3, SIDE, SIDE), their traits (N, names) around 0, and where a picture has each trait at all."""
    easel = Easel(sources, SIDE, seed + 31)
    try:
        pixels = easel.draw_many(0, count)
        numbers = np.stack([easel.numbers(i) for i in range(count)])
    finally:
        easel.close()
    told = np.zeros((count, len(names)), np.float32)
    known = np.zeros((count, len(names)), np.float32)
    for i in range(count):
        for name, (number, begins) in TRAITS[sources[i % len(sources)]].items():
            value = numbers[i, number]
            # A share p of pictures that shows it has the deviation sqrt(p (1 - p)); an even spread, 1 / sqrt(12).
            told[i, names.index(name)] = (
                ((value >= begins) - (1.0 - begins)) / np.sqrt(begins * (1.0 - begins))
                if begins
                else (value - 0.5) * np.sqrt(12.0)
            )
            known[i, names.index(name)] = 1.0
    shown = torch.from_numpy(pixels.transpose(0, 3, 1, 2).astype(np.float32) / 255.0)
    return shown, torch.from_numpy(told), torch.from_numpy(known)
