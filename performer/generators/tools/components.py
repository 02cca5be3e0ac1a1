"""Principal components of what goes on in a model, as directions: of its styles, or of its activations.

Both after Härkönen et al., "GANSpace: discovering interpretable GAN controls" (2020). A model with a space of styles is
moved in that space; of others, the components of an early layer's activations are led back to the latent by regression.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import onnxruntime as ort

from performer.generators.onnx.session import OnnxGenerator
from performer.system.errors import Fault

STYLE_DEVIATIONS = 2.0  # of a component, that an amount of 1 is: at three pictures begin to burn
MAPPED = 4096  # latents, to see what a mapping network does
LOOKED_AT = 600  # latents whose activations are looked at
DEPTH = 1 / 3  # of the convolutions, at which activations are taken: shape is settled there, and grain is not yet
TILES = 4  # on a side, of which each channel's means are taken
RIDGE = 0.02


def ridge(z: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Slopes (D,) or (D, K) of ridge regression from latents (N, D) to a target (N,) or (N, K)."""
    z = z.astype(np.float64)
    loss = RIDGE * len(z)
    slope: np.ndarray
    if z.shape[1] > len(z):  # the same in as many numbers as there are latents: theirs may be tens of thousands
        slope = z.T @ np.linalg.solve(z @ z.T + loss * np.eye(len(z)), target)
    else:
        slope = np.linalg.solve(z.T @ z + loss * np.eye(z.shape[1]), z.T @ target)
    return slope


def way_to_styles(model: OnnxGenerator) -> tuple[np.ndarray, np.ndarray]:
    """Styles (N, W) of many latents, less their mean, and the matrix (D, W) that comes nearest to the mapping."""
    assert model.mapping is not None
    z = np.random.default_rng(1).standard_normal((MAPPED, model.card.latent)).astype(np.float32)
    w = model.mapping(z).astype(np.float64)
    w -= w.mean(axis=0)
    return w, ridge(z, w)


def of_styles(model: OnnxGenerator) -> Iterator[tuple[float, np.ndarray]]:
    """How much of the styles' variance it is, 0..1, and what an amount of 1 adds: (W,)."""
    w, _ = way_to_styles(model)
    _, sizes, vectors = np.linalg.svd(w, full_matrices=False)
    shares = np.square(sizes) / np.square(sizes).sum()
    for size, share, vector in zip(sizes, shares, vectors, strict=True):
        yield float(share), vector * (STYLE_DEVIATIONS * size / np.sqrt(len(w)))


def of_activations(model: OnnxGenerator, z: np.ndarray) -> Iterator[tuple[float, np.ndarray]]:
    """How much of an early layer's variance it is, 0..1, and its direction (D,); nothing where none can be looked at.

    Parameters
    ----------
    z : ndarray
        (N, D) latents.
    """
    try:
        seen = _activations(model, z[:LOOKED_AT])
    except ImportError:
        return
    if seen is None:
        return
    yield from of_seen(z[:LOOKED_AT], seen)


def of_seen(z: np.ndarray, seen: np.ndarray) -> Iterator[tuple[float, np.ndarray]]:
    """The same, of whatever was seen (N, ...) of latents (N, D)."""
    flat = seen.reshape(len(seen), -1).astype(np.float64)
    left, sizes, _ = np.linalg.svd(flat - flat.mean(axis=0), full_matrices=False)
    shares = np.square(sizes) / max(float(np.square(sizes).sum()), 1e-12)
    for share, column in zip(shares, left.T, strict=True):
        if column.std() > 1e-9:
            yield float(share), ridge(z, column / column.std())


def tiles(planes: np.ndarray, side: int) -> np.ndarray:
    """(C, H, W) -> (C, side, side) at the most, the mean of each tile."""
    rows = [part.mean(axis=1) for part in np.array_split(planes, min(side, planes.shape[1]), axis=1)]
    return np.stack(
        [part.mean(axis=2) for part in np.array_split(np.stack(rows, axis=1), min(side, planes.shape[2]), axis=2)],
        axis=2,
    )


def _activations(model: OnnxGenerator, z: np.ndarray) -> np.ndarray | None:
    """What goes into a convolution at DEPTH, as means of TILES x TILES: (N, C, TILES, TILES). Raises ImportError."""
    import onnx

    stored = onnx.load(str(model.path), load_external_data=False)
    met = [node.input[0] for node in stored.graph.node if node.op_type in ("Conv", "ConvTranspose")]
    if not met or any(tensor.data_location == onnx.TensorProto.EXTERNAL for tensor in stored.graph.initializer):
        return None
    name = met[int(len(met) * DEPTH)]
    stored.graph.output.append(onnx.ValueInfoProto(name=name))
    seen = []
    try:
        session = ort.InferenceSession(stored.SerializeToString(), providers=["CPUExecutionProvider"])
        for row in z:
            model.paint(row)
            made = np.asarray(session.run([name], model.given)[0])
            if made.ndim != 4 or len(made) != 1 or not np.isfinite(made).all():
                return None
            seen.append(tiles(made[0], TILES))  # at once: all of a large model's activations are gigabytes
    except Fault:
        raise
    except Exception:  # a graph that takes no further output; ONNX Runtime's errors have no common class
        return None
    return np.stack(seen)
