"""Find out what a latent space can do, without any training: named directions, and a strip of pictures for each.

measured    ridge regression from latents to what is measured of their pictures: brightness, warmth, detail ... (as in
            Plumerault et al., "Controlling generative models with continuous factors of variations", 2020)
component   principal components of the pictures, led back to the latent by regression (GANSpace: Härkönen et al., 2020)
weights     eigenvectors of the weights that first meet the latent, or a StyleGAN's styles (SeFa: Shen and Zhou, 2021)
taught      regression as for measured, to what an eye sees that was taught (`performer.train.traits`)
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from performer.errors import Fault
from performer.generators.onnx import OnnxGenerator
from performer.latent.directions import LENGTH, Directions, turned

SAMPLES = 900
MAPPED = 4096  # latents, to see what a mapping network does
LEAST_FIT = 0.12  # of what is measured, that a direction must explain, in pictures it was not fitted on
COMPONENTS, WEIGHTS = 4, 3
LEAST_WEIGHT = 0.3  # of the mean eigenvalue: what weighs less does next to nothing
ALIKE = 0.85  # cosine from which two directions are one
STEPS = (-1.5, -1.0, -0.5, 0.0, 0.5, 1.0, 1.5)
STRIP_SIDE = 128


def _luma(p: np.ndarray) -> np.ndarray:
    return 0.2126 * p[0] + 0.7152 * p[1] + 0.0722 * p[2]


def _detail(p: np.ndarray) -> float:
    y = _luma(p)
    return float(np.log(np.abs(np.diff(y, axis=0)).mean() + np.abs(np.diff(y, axis=1)).mean() + 1e-3))


def _likeness(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.corrcoef(a.ravel(), b.ravel())[0, 1]) if a.std() > 1e-4 and b.std() > 1e-4 else 0.0


def _centre(p: np.ndarray) -> float:
    y = _luma(p)
    h, w = y.shape
    return float(y[h // 4:h - h // 4, w // 4:w - w // 4].mean() - y.mean())


#: Name of a knob -> what it is fitted to, of a picture (3, H, W) of 0..1.
MEASURES: dict[str, Callable[[np.ndarray], float]] = {
    "bright": lambda p: float(_luma(p).mean()),
    "contrast": lambda p: float(_luma(p).std()),
    "colourful": lambda p: float((p.max(axis=0) - p.min(axis=0)).mean()),
    "warm": lambda p: float((p[0] - p[2]).mean()),
    "green": lambda p: float((p[1] - 0.5 * (p[0] + p[2])).mean()),
    "detail": _detail,
    "symmetric": lambda p: _likeness(_luma(p), _luma(p)[:, ::-1]),
    "centre": _centre,
}


@dataclass(frozen=True)
class Story:
    """How a direction was found: how much of its measure, or of the pictures, it explains, 0..1; nan where unknown."""

    name: str
    kind: str
    explains: float


class Eye(Protocol):
    """Sees in a picture (3, H, W), 0..1, how much there is of each of its names: (names,)."""

    names: tuple[str, ...]

    def __call__(self, picture: np.ndarray) -> np.ndarray: ...


def explore(model: OnnxGenerator, seed: int = 1, samples: int = SAMPLES,
            eye: Eye | None = None) -> tuple[Directions, list[Story]]:
    """The directions of a model; the first ones are the surest. Raises Fault for a model without a latent."""
    if model.card.kind == "filter":
        raise Fault(f"{model.path}: turns pictures into pictures and has no latent to explore")
    dim = model.card.latent
    rng = np.random.default_rng(seed)
    z = rng.standard_normal((samples, dim)).astype(np.float32)
    z *= np.sqrt(dim) / np.linalg.norm(z, axis=1, keepdims=True)
    measured, small, seen = np.zeros((samples, len(MEASURES))), [], []
    for i in range(samples):
        picture = model.paint(z[i])
        measured[i] = [measure(picture) for measure in MEASURES.values()]
        small.append(_tiles(picture))
        if eye is not None:
            seen.append(eye(picture))
    taught = [] if eye is None else [*_measured(z, np.stack(seen), eye.names, "taught")]
    found = [*_measured(z, measured, tuple(MEASURES), "measured"), *taught, *_components(z, np.stack(small)),
             *_weights(model)]
    kept: list[tuple[Story, np.ndarray]] = []
    numbers = {"component": 0, "weights": 0}
    most = {"component": COMPONENTS, "weights": WEIGHTS, "measured": len(MEASURES), "taught": len(taught)}
    for story, vector in found:
        unit = vector / np.linalg.norm(vector)
        if any(abs(float(unit @ other)) > ALIKE * LENGTH for _, other in kept):
            continue
        if story.kind in numbers:
            numbers[story.kind] += 1
            if numbers[story.kind] > most[story.kind]:
                continue
            story = Story(f"{'dir' if story.kind == 'component' else 'sefa'}{numbers[story.kind]}", story.kind,
                          story.explains)
        kept.append((story, (unit * LENGTH).astype(np.float32)))
    directions = Directions(tuple(s.name for s, _ in kept), tuple(s.kind for s, _ in kept),
                            np.stack([vector for _, vector in kept]))
    return directions, [story for story, _ in kept]


def _measured(z: np.ndarray, measured: np.ndarray, names: tuple[str, ...],
              kind: str) -> Iterator[tuple[Story, np.ndarray]]:
    half = len(z) * 3 // 4
    stories = []
    for name, values in zip(names, measured.T, strict=True):
        if values.std() < 1e-4:
            continue
        target = (values - values.mean()) / values.std()
        slope = _ridge(z[:half], target[:half])
        fit = 1.0 - float(np.square(target[half:] - z[half:] @ slope).mean())
        if fit > LEAST_FIT:
            stories.append((Story(name, kind, fit), slope))
    yield from sorted(stories, key=lambda pair: -pair[0].explains)


def _components(z: np.ndarray, small: np.ndarray) -> Iterator[tuple[Story, np.ndarray]]:
    flat = small.reshape(len(small), -1)
    flat = flat - flat.mean(axis=0)
    left, sizes, _ = np.linalg.svd(flat, full_matrices=False)
    shares = np.square(sizes) / np.square(sizes).sum()
    for i in range(min(3 * COMPONENTS, len(sizes))):
        slope = _ridge(z, left[:, i] / left[:, i].std())
        yield Story(f"dir{i + 1}", "component", float(shares[i])), slope


def _weights(model: OnnxGenerator) -> Iterator[tuple[Story, np.ndarray]]:
    """Eigenvectors of A^T A for the matrices that the latent meets first; nothing without the onnx package.

    Where the only way in is a mapping network, A are the matrices that its styles meet, led back through it.
    """
    try:
        import onnx
        from onnx import numpy_helper
    except ImportError:
        return
    graph, dim = onnx.load(str(model.path)).graph, model.card.latent
    stored = {tensor.name: tensor for tensor in graph.initializer}
    latents = {entry.name for entry in model.card.inputs if entry.role in ("latent", "middle", "fine")}
    reached = latents or {entry.name for entry in graph.input}
    met: dict[str, np.ndarray] = {}
    others: list[tuple[str, np.ndarray]] = []  # what is met, and by which matrix (out, in)
    for node in graph.node:
        dense = node.op_type in ("Gemm", "MatMul") and len(node.input) > 1 and node.input[1] in stored
        if dense:
            weight = np.asarray(numpy_helper.to_array(stored[node.input[1]]), np.float64)
            whole = any(part.name == "transB" and part.i for part in node.attribute)
            others.append((node.input[0], weight if whole else weight.T))
        if not reached & set(node.input):
            continue
        if dense:
            weight = weight.T if weight.ndim == 2 and weight.shape[0] == dim else weight  # (out, in)
            if weight.ndim == 2 and weight.shape[1] == dim:
                met[f"{node.input[0]} {node.input[1]}"] = weight
        else:
            reached |= set(node.output)
    if model.mapping is not None and len({name.split()[1] for name in met}) == 1:
        total = _through(model, others)
    else:
        total = sum((weight.T @ weight / np.square(weight).sum() for weight in met.values()), np.zeros((dim, dim)))
    if not total.any():
        return
    sizes, vectors = np.linalg.eigh(total)
    for i in range(min(3 * WEIGHTS, dim)):
        if sizes[-1 - i] < LEAST_WEIGHT * sizes.mean():
            return
        yield Story(f"sefa{i + 1}", "weights", float(sizes[-1 - i] / sizes.sum())), vectors[:, -1 - i]


def _through(model: OnnxGenerator, dense: list[tuple[str, np.ndarray]]) -> np.ndarray:
    """A^T A (D, D) for the matrices A of all layers' styles, times the matrix that comes nearest to the mapping."""
    assert model.mapping is not None
    z = np.random.default_rng(1).standard_normal((MAPPED, model.card.latent)).astype(np.float32)
    w = model.mapping(z).astype(np.float64)
    way = _ridge(z, w - w.mean(axis=0))  # (D, W)
    heard = Counter(name for name, _ in dense)
    total = np.zeros((way.shape[1], way.shape[1]))
    for name, weight in dense:
        if heard[name] > 1 and weight.shape[1] == way.shape[1]:
            total += weight.T @ weight / np.square(weight).sum()
    return np.asarray(way @ total @ way.T)


def _ridge(z: np.ndarray, target: np.ndarray) -> np.ndarray:
    z = z.astype(np.float64)
    slope: np.ndarray = np.linalg.solve(z.T @ z + 0.02 * len(z) * np.eye(z.shape[1]), z.T @ target)
    return slope


def _tiles(picture: np.ndarray) -> np.ndarray:
    """(3, H, W) -> (3, 16, 16), the mean of each tile."""
    rows = [part.mean(axis=1) for part in np.array_split(picture, min(16, picture.shape[1]), axis=1)]
    return np.stack([part.mean(axis=2) for part in np.array_split(np.stack(rows, axis=1), min(16, picture.shape[2]),
                                                                  axis=2)], axis=2)


def strips(model: OnnxGenerator, directions: Directions, seed: int = 1, starts: int = 2) -> Image.Image:
    """A row of pictures for each direction, from -1.5 to 1.5, at some places of the space."""
    dim = model.card.latent
    rng = np.random.default_rng(seed + 99)
    places = rng.standard_normal((starts, dim)).astype(np.float32)
    places *= np.sqrt(dim) / np.linalg.norm(places, axis=1, keepdims=True)
    font = ImageFont.load_default(13)
    left, line = 96, STRIP_SIDE + 4
    wide = len(STEPS) * STRIP_SIDE + 10
    page = Image.new("RGB", (left + starts * wide, line * len(directions.names)), (16, 17, 20))
    draw = ImageDraw.Draw(page)
    for row, name in enumerate(directions.names):
        draw.text((6, row * line + STRIP_SIDE // 2 - 8), name, (205, 208, 214), font)
        for start, z in enumerate(places):
            for column, amount in enumerate(STEPS):
                moves = [0.0] * len(directions.names)
                moves[row] = amount
                page.paste(_tile(model.paint(turned(z, moves, directions))),
                           (left + start * wide + column * STRIP_SIDE, row * line))
    return page


def _tile(picture: np.ndarray) -> Image.Image:
    pixels: Any = (np.clip(picture, 0.0, 1.0).transpose(1, 2, 0) * 255.0 + 0.5).astype(np.uint8)
    return Image.fromarray(pixels).resize((STRIP_SIDE, STRIP_SIDE), Image.Resampling.LANCZOS)
