"""Find out what a latent space can do, without any training: named directions, and a strip of pictures for each.

measured    ridge regression from latents to what is measured of their pictures: brightness, warmth, detail ... (as in
            Plumerault et al., "Controlling generative models with continuous factors of variations", 2020)
style       principal components of the styles, where a model has a space of them (`components`)
component   principal components of an early layer's activations, or else of the pictures, led back to the latent
weights     eigenvectors of the weights that first meet the latent, or a StyleGAN's styles (SeFa: Shen and Zhou, 2021)
taught      regression as for measured, to what an eye sees that was taught (`performer.lab.train.picture_attributes`)
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any, Protocol

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from performer.generators.onnx.session import OnnxGenerator
from performer.generators.tools.components import of_activations, of_seen, of_styles, ridge, tiles, way_to_styles
from performer.latent.directions import LENGTH, Directions, restyled, turned
from performer.system.errors import Fault

SAMPLES = 900
PICTURE_TILES = 16
LEAST_FIT = 0.12  # of what is measured, that a direction must explain, in pictures it was not fitted on
COMPONENTS = 4
WEIGHTS = 3
MOST = {"style": COMPONENTS, "component": COMPONENTS, "weights": WEIGHTS}
LEAST_WEIGHT = 0.3  # of the mean eigenvalue: what weighs less does next to nothing
WIDEST = 4096  # latents whose weights are looked at: of larger ones it takes gigabytes
ALIKE = 0.85  # cosine from which two directions are one
STEPS = (-1.5, -1.0, -0.5, 0.0, 0.5, 1.0, 1.5)
STRIP_SIDE = 128


def _luma(p: np.ndarray) -> np.ndarray:
    light: np.ndarray = 0.2126 * p[0] + 0.7152 * p[1] + 0.0722 * p[2]
    return light


def _detail(p: np.ndarray) -> float:
    y = _luma(p)
    return float(np.log(np.abs(np.diff(y, axis=0)).mean() + np.abs(np.diff(y, axis=1)).mean() + 1e-3))


def _likeness(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.corrcoef(a.ravel(), b.ravel())[0, 1]) if a.std() > 1e-4 and b.std() > 1e-4 else 0.0


def _centre(p: np.ndarray) -> float:
    y = _luma(p)
    h, w = y.shape
    return float(y[h // 4 : h - h // 4, w // 4 : w - w // 4].mean() - y.mean())


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


def explore(
    model: OnnxGenerator, seed: int = 1, samples: int = SAMPLES, eye: Eye | None = None
) -> tuple[Directions, list[Story]]:
    """The directions of a model; the first ones are the surest. Raises Fault for a model without a latent."""
    if model.card.kind == "filter":
        raise Fault(f"{model.path}: is an image-to-image model without a latent to explore")
    dim = model.card.latent
    rng = np.random.default_rng(seed)
    z = rng.standard_normal((samples, dim)).astype(np.float32)
    z *= np.sqrt(dim) / np.linalg.norm(z, axis=1, keepdims=True)
    measured = np.zeros((samples, len(MEASURES)))
    small = []
    seen = []
    for i in range(samples):
        picture = model.paint(z[i])
        assert isinstance(picture, np.ndarray)  # on a card only where it is asked to stay there
        measured[i] = [measure(picture) for measure in MEASURES.values()]
        small.append(tiles(picture, PICTURE_TILES))
        if eye is not None:
            seen.append(eye(picture))
    taught = [] if eye is None else [*_measured(z, np.stack(seen), eye.names, "taught")]
    found = [
        *_measured(z, measured, tuple(MEASURES), "measured"),
        *taught,
        *_components(model, z, small),
        *_weights(model),
    ]
    numbers = {"style": 0, "component": 0, "weights": 0}
    way = way_to_styles(model)[1] if model.mapping is not None else None
    kept: list[tuple[Story, np.ndarray]] = []
    for story, vector in found:
        if numbers.get(story.kind, 0) >= MOST.get(story.kind, len(found)):
            continue
        if any(_cosine(story, vector, *other, way) > ALIKE for other in kept):
            continue
        if story.kind in numbers:
            numbers[story.kind] += 1
            story = replace(story, name=f"{'sefa' if story.kind == 'weights' else 'dir'}{numbers[story.kind]}")
        kept.append((story, vector))
    stories = [story for story, _ in kept]
    styles = 0 if way is None else way.shape[1]
    return _put_together(stories, [vector for _, vector in kept], dim, styles), stories


def _cosine(story: Story, vector: np.ndarray, other: Story, there: np.ndarray, way: np.ndarray | None) -> float:
    """How alike two directions are, 0..1; `way` leads a direction of the latent to the styles that it changes."""
    if way is not None and story.kind != other.kind and "style" in (story.kind, other.kind):
        vector, there = (
            one if kind == "style" else one @ way for one, kind in ((vector, story.kind), (there, other.kind))
        )
    return abs(float(vector @ there)) / max(float(np.linalg.norm(vector) * np.linalg.norm(there)), 1e-9)


def _put_together(stories: list[Story], vectors: list[np.ndarray], dim: int, styles: int) -> Directions:
    moves = np.zeros((len(stories), dim), np.float32)
    styled = np.zeros((len(stories), styles), np.float32)
    for row, (story, vector) in enumerate(zip(stories, vectors, strict=True)):
        if story.kind == "style":
            styled[row] = vector
        else:
            moves[row] = vector * (LENGTH / np.linalg.norm(vector))
    return Directions(
        tuple(story.name for story in stories),
        tuple(story.kind for story in stories),
        moves,
        styled if styled.any() else None,
    )


def _components(model: OnnxGenerator, z: np.ndarray, small: list[np.ndarray]) -> Iterator[tuple[Story, np.ndarray]]:
    if model.mapping is not None:
        kind, found = "style", of_styles(model)
    else:
        kind, found = "component", of_activations(model, z)
    at_all = False
    for share, vector in islice(found, 3 * COMPONENTS):
        at_all = True
        yield Story("", kind, share), vector
    if not at_all:
        for share, vector in islice(of_seen(z, np.stack(small)), 3 * COMPONENTS):
            yield Story("", "component", share), vector


def _measured(
    z: np.ndarray, measured: np.ndarray, names: tuple[str, ...], kind: str
) -> Iterator[tuple[Story, np.ndarray]]:
    half = len(z) * 3 // 4
    stories = []
    for name, values in zip(names, measured.T, strict=True):
        if values.std() < 1e-4:
            continue
        target = (values - values.mean()) / values.std()
        slope = ridge(z[:half], target[:half])
        fit = 1.0 - float(np.square(target[half:] - z[half:] @ slope).mean())
        if fit > LEAST_FIT:
            stories.append((Story(name, kind, fit), slope))
    yield from sorted(stories, key=lambda pair: -pair[0].explains)


def _weights(model: OnnxGenerator) -> Iterator[tuple[Story, np.ndarray]]:
    """Eigenvectors of A^T A for the matrices that the latent meets first; nothing without the onnx package.

    Where the only way in is a mapping network, A are the matrices that its styles meet, led back through it.
    """
    try:
        import onnx
    except ImportError:
        return
    dim = model.card.latent
    if dim > WIDEST:
        return
    graph = onnx.load(str(model.path)).graph
    stored = {tensor.name: tensor for tensor in graph.initializer}
    latents = {entry.name for entry in model.card.inputs if entry.role in ("latent", "middle", "fine")}
    met, others = _matrices(graph.node, stored, latents or {entry.name for entry in graph.input}, dim)
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


def _matrices(
    nodes: Iterable[Any], stored: Mapping[str, Any], reached: set[str], dim: int
) -> tuple[dict[str, np.ndarray], list[tuple[str, np.ndarray]]]:
    """The matrices (out, in) of a graph's dense layers: those that the latent meets first, by name, and all of them.

    stored   tensors of the file by name
    reached  names of the inputs that are latents, of `dim` numbers
    all      what is met, and by which matrix
    """
    from onnx import numpy_helper

    met: dict[str, np.ndarray] = {}
    others: list[tuple[str, np.ndarray]] = []
    reached = set(reached)
    for node in nodes:
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
    return met, others


def _through(model: OnnxGenerator, dense: list[tuple[str, np.ndarray]]) -> np.ndarray:
    """A^T A (D, D) for the matrices A of all layers' styles, times the matrix that comes nearest to the mapping."""
    _, way = way_to_styles(model)
    heard = Counter(name for name, _ in dense)
    total = np.zeros((way.shape[1], way.shape[1]))
    for name, weight in dense:
        if heard[name] > 1 and weight.shape[1] == way.shape[1]:
            total += weight.T @ weight / np.square(weight).sum()
    return np.asarray(way @ total @ way.T)


def strips(model: OnnxGenerator, directions: Directions, seed: int = 1, starts: int = 2) -> Image.Image:
    """A row of pictures for each direction, from -1.5 to 1.5, at some places of the space."""
    dim = model.card.latent
    rng = np.random.default_rng(seed + 99)
    places = rng.standard_normal((starts, dim)).astype(np.float32)
    places *= np.sqrt(dim) / np.linalg.norm(places, axis=1, keepdims=True)
    font = ImageFont.load_default(13)
    left = 96
    line = STRIP_SIDE + 4
    wide = len(STEPS) * STRIP_SIDE + 10
    page = Image.new("RGB", (left + starts * wide, line * len(directions.names)), (16, 17, 20))
    draw = ImageDraw.Draw(page)
    for row, name in enumerate(directions.names):
        draw.text((6, row * line + STRIP_SIDE // 2 - 8), name, (205, 208, 214), font)
        for start, z in enumerate(places):
            for column, amount in enumerate(STEPS):
                moves = [0.0] * len(directions.names)
                moves[row] = amount
                moved, style = turned(z, moves, directions), restyled(moves, directions)
                picture = model.paint(moved, offsets=(style, style, style))
                assert isinstance(picture, np.ndarray)
                page.paste(_tile(picture), (left + start * wide + column * STRIP_SIDE, row * line))
    return page


def _tile(picture: np.ndarray) -> Image.Image:
    pixels: Any = (np.clip(picture, 0.0, 1.0).transpose(1, 2, 0) * 255.0 + 0.5).astype(np.uint8)
    return Image.fromarray(pixels).resize((STRIP_SIDE, STRIP_SIDE), Image.Resampling.LANCZOS)
