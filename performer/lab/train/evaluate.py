"""How good a generator is, in numbers that need no downloaded network; they go into its card.

The features are those of a small convolutional network with fixed random weights. They see edges, textures and colours,
not meanings, so the distances compare trainings here with each other, and not with the FID of papers.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
import tomlkit
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor, nn

from performer.generators.onnx.session import create
from performer.io.record.contact_sheet import check_picture
from performer.lab.train.baselines import pair
from performer.lab.train.dataset import Pictures, drawn, found
from performer.lab.train.loop import sheet_of
from performer.lab.train.picture_attributes import sources_of
from performer.latent.walks import latent
from performer.system import console_table, folders
from performer.system.errors import Fault
from performer.system.paths import writable

log = logging.getLogger(__name__)
SIDE = 64  # pixels, at which pictures are compared
NEIGHBOURS = 3
STEP = 0.01  # of a walk, for its smoothness
WALK_STEPS = 240
SHOWN = 32


class Features(nn.Module):
    """(N, 3, S, S) 0..1 -> (N, 192): means and spreads of the channels of three layers; always the same weights."""

    def __init__(self) -> None:
        super().__init__()
        draws = torch.Generator().manual_seed(20)
        widths = (3, 24, 32, 40)
        layers = [nn.Conv2d(a, b, 3, padding=1) for a, b in pairwise(widths)]
        for layer in layers:
            shape = layer.weight.shape
            flat = torch.empty(shape[0], shape[1] * 9).normal_(generator=draws)
            layer.weight.data = (flat / flat.norm(dim=1, keepdim=True) * 1.4).view(shape)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
        self.layers = nn.ModuleList(layers)

    @torch.no_grad()
    def forward(self, pictures: Tensor) -> Tensor:
        x = F.interpolate(pictures, (SIDE, SIDE), mode="bilinear", antialias=True, align_corners=False) * 2.0 - 1.0
        found = []
        for layer in self.layers:
            x = F.relu(layer(x))
            found += [x.mean(dim=(2, 3)), x.std(dim=(2, 3))]
            x = F.avg_pool2d(x, 2)
        return torch.cat(found, dim=1)


def frechet(one: np.ndarray, two: np.ndarray) -> float:
    """Distance of two clouds of features (N, D), each taken as a normal distribution (Dowson and Landau, 1982)."""
    # The trace of a root is the sum of the roots; of few pictures the product has none of its own.
    roots = np.sqrt(np.maximum(np.linalg.eigvals(np.cov(one.T) @ np.cov(two.T)).real, 0.0))
    apart = float(np.square(one.mean(0) - two.mean(0)).sum())
    return apart + float(np.trace(np.cov(one.T) + np.cov(two.T))) - 2.0 * float(roots.sum())


def manifold(real: np.ndarray, made: np.ndarray) -> tuple[float, float, float, np.ndarray]:
    """Precision, recall (Kynkäänniemi et al., 2019) and coverage (Naeem et al., 2020), and how far from any sample each
    real picture is, in units of its own neighbourhood."""
    real_radius, made_radius = _radius(real), _radius(made)
    apart = _distances(real, made)
    precision = float((apart <= real_radius[:, None]).any(axis=0).mean())
    recall = float((apart <= made_radius[None]).any(axis=1).mean())
    missed = apart.min(axis=1) / np.maximum(real_radius, 1e-9)
    return precision, recall, float((missed <= 1.0).mean()), missed


def _radius(points: np.ndarray) -> np.ndarray:
    sorted_so_far: np.ndarray = np.partition(_distances(points, points), NEIGHBOURS, axis=1)
    return sorted_so_far[:, NEIGHBOURS]  # the nearest is itself


def _distances(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    square: np.ndarray = np.square(a).sum(1)[:, None] + np.square(b).sum(1)[None] - 2.0 * a @ b.T
    far: np.ndarray = np.sqrt(np.maximum(square, 0.0))
    return far


def figures(
    paint: Callable[[np.ndarray], np.ndarray], dim: int, pictures: Pictures, count: int, seed: int
) -> tuple[dict[str, float], np.ndarray]:
    """Measure a generator: latent (D,) -> picture (3, H, W); also returns the numbers of the pictures missed most."""
    rng = np.random.default_rng(seed)
    count = min(count, len(pictures.pixels))
    chosen = rng.choice(len(pictures.pixels), count, replace=False)
    real = torch.from_numpy(pictures.pixels[chosen].transpose(0, 3, 1, 2).astype(np.float32) / 255.0)
    latents = rng.standard_normal((count, dim)).astype(np.float32)
    latents *= np.sqrt(dim) / np.linalg.norm(latents, axis=1, keepdims=True)
    made = []
    took = []
    for z in latents:
        begun = perf_counter()
        made.append(torch.from_numpy(paint(z).copy()))
        took.append(perf_counter() - begun)
    network = Features()
    ours, theirs = (
        np.concatenate([network(all_[i : i + 64]).numpy() for i in range(0, count, 64)]).astype(np.float64)
        for all_ in (torch.stack(made), real)
    )
    scale = theirs.std(axis=0) + 1e-6
    ours = ours / scale
    theirs = theirs / scale
    precision, recall, coverage, missed = manifold(theirs, ours)
    halves = frechet(theirs[::2], theirs[1::2])
    path = torch.stack(
        [
            torch.from_numpy(paint(latent("tour", i * 0.25 + j * STEP, seed, dim, 1.0)).copy())
            for i in range(WALK_STEPS // 2)
            for j in (0, 1)
        ]
    )
    walked = np.concatenate([network(path[i : i + 64]).numpy() for i in range(0, len(path), 64)]) / scale
    lengths = np.linalg.norm(walked[1::2] - walked[::2], axis=1) / STEP
    spread = {}
    for name, points in (("made", ours), ("real", theirs)):
        apart = _distances(points, points)
        spread[name] = float(apart[np.triu_indices(len(points), 1)].mean())
    return {
        "frechet": frechet(theirs, ours),
        "frechet_of_halves": halves,
        "precision": precision,
        "recall": recall,
        "coverage": coverage,
        "diversity": spread["made"] / max(spread["real"], 1e-9),
        "path_length": float(lengths.mean()),
        "path_unevenness": float(lengths.std() / max(lengths.mean(), 1e-9)),
        "ms_p50": 1e3 * float(np.median(took)),
        "ms_p95": 1e3 * float(np.quantile(took, 0.95)),
    }, chosen[np.argsort(-missed)]


def accuracy(checkpoint: Path, size: int, dim: int, net: str, pictures: Pictures, seed: int) -> float | None:
    """How often the discriminator of a GAN's checkpoint is right; 0.5 is a coin. None without one."""
    if not checkpoint.is_file():
        return None
    try:
        state = torch.load(checkpoint, weights_only=True, map_location="cpu")
        generator, judge = pair(net, dim, size)
        generator.load_state_dict(state["generator"])
        judge.load_state_dict(state["judge"])
    except Exception:  # what torch and zipfile raise over damaged files has no common class
        raise Fault(f"{checkpoint}: not a GAN's checkpoint for this model") from None
    torch.manual_seed(seed)
    right = 0
    with torch.no_grad():
        for _ in range(8):
            real = torch.from_numpy(pictures.batch(np.random.default_rng(seed), 16))
            right += int((judge(real) > 0.0).sum()) + int((judge(generator(torch.randn(16, dim))) < 0.0).sum())
    return right / 256.0


def measure(
    model: Path, folder: Path | None, source: str, count: int, seed: int, missed: str | None, write: bool = True
) -> dict[str, Any]:
    """Measure a model, print a table, and, where `write`, put the figures into its card. Raises Fault."""
    card_path = model.with_suffix(".toml")
    if missed is not None:
        check_picture(missed)
    generator = create(model, "auto")
    if generator.card.kind == "filter":
        raise Fault(f"{model}: is an image-to-image model: it has no samples of its own to measure")
    if write:
        writable(str(card_path))
    card = tomlkit.parse(card_path.read_text(encoding="utf-8"))
    size = max(generator.card.size)
    if folder is not None:
        pictures = found(folder, size, "", seed)
    else:
        sources = sources_of(model, source)
        pictures = drawn(sources, size, count, seed + 1)

    def painted(z: np.ndarray) -> np.ndarray:
        picture = generator.paint(z)
        assert isinstance(picture, np.ndarray)  # nothing was asked to stay on the card
        return picture

    found_figures, order = figures(painted, generator.card.latent, pictures, count, seed)
    if generator.card.kind == "gan":
        net = str(card.get("training", {}).get("net", "style"))
        try:
            judged = accuracy(model.with_suffix(".ckpt"), size, generator.card.latent, net, pictures, seed)
        except Fault as fault:
            log.warning("%s; scores of its discriminator are left out", fault)
            judged = None
        if judged is not None:
            found_figures["discriminator_accuracy"] = judged
    if missed is not None:
        shown = torch.from_numpy(pictures.pixels[order[:SHOWN]].transpose(0, 3, 1, 2).astype(np.float32) / 255.0)
        Image.fromarray(sheet_of(shown)).save(missed)
    rounded = {name: float(f"{value:.4g}") for name, value in found_figures.items()}
    samples = min(count, len(pictures.pixels))
    card["metrics"] = {"samples": samples, "seed": seed, "provider": generator.provider, **rounded}
    if write:
        folders.write_text(card_path, tomlkit.dumps(card))
    console_table.put(
        ("figure", "value", "what it says"),
        [(name, f"{value:g}", WORDS[name]) for name, value in rounded.items()],
        title=str(model),
    )
    return found_figures


WORDS = {
    "frechet": "distance to the training pictures in random features (not FID); the next line is the best there can be",
    "frechet_of_halves": "the same between two halves of the training pictures",
    "precision": "share of samples that look like training pictures",
    "recall": "share of training pictures that samples could be",
    "coverage": "share of training pictures that some sample comes near",
    "diversity": "how far samples are apart, by how far training pictures are",
    "path_length": "change along a walk, in feature units per keyframe",
    "path_unevenness": "how much that change varies: 0 is steady",
    "ms_p50": "milliseconds for a picture, half the time",
    "ms_p95": "and nineteen times of twenty",
    "discriminator_accuracy": "how often the discriminator is right; 0.5 is a coin",
}
