"""Fields of noise that change smoothly, whose strength never does: any moment of them can be asked for."""

from __future__ import annotations

from functools import lru_cache
from math import cos, floor, pi, prod, sin

import numpy as np

#: How far activations swell at the most, in coarse, middle and fine layers: the middle ones break first.
REACH = (1.0, 0.35, 0.45)


@lru_cache(maxsize=96)
def _still(seed: int, number: int, index: int, shape: tuple[int, ...]) -> np.ndarray:
    words = [seed & 0xFFFFFFFFFFFFFFFF, (index & 0xFFFFFFFFFFFF) << 16 | number & 0xFFFF]
    rng = np.random.Generator(np.random.Philox(key=np.array(words, np.uint64)))
    return rng.standard_normal(prod(shape), dtype=np.float32).reshape(shape)


def field(position: float, seed: int, number: int, shape: tuple[int, ...], amount: float, out: np.ndarray) -> None:
    """Write a field of normal noise, `amount` strong, into `out`: another one at every whole position.

    On the way from one to the next it goes a quarter of a circle, on which the strength stays the same.

    Parameters
    ----------
    number : int
        Number of the field among those of one seed.
    """
    step = floor(position)
    turn = (position - step) * 0.5 * pi
    np.multiply(_still(seed, number, step, shape), np.float32(amount * cos(turn)), out)
    if turn:
        out += _still(seed, number, step + 1, shape) * np.float32(amount * sin(turn))


def strengths(sizes: list[int], amounts: tuple[float, float, float]) -> list[float]:
    """How strong the noise is in layers of some sizes, by amounts for coarse, middle and fine ones, 0..1 each.

    Sizes up to 8 are coarse: there is decided what is where. Those up to 32 are middle.
    """
    parts = [0 if size <= 8 else 1 if size <= 32 else 2 for size in sizes]
    return [amounts[part] * REACH[part] for part in parts]
