"""Directions of a latent space: named ways to turn, each a knob that changes one thing about the picture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

#: Length of a direction's vector: an amount of 1 turns a latent about as far as three standard deviations of one axis.
LENGTH = 3.0


@dataclass(frozen=True)
class Directions:
    """Directions of one model.

    names    of the knobs; kinds, how each was found: "measured", "component" or "weights"
    vectors  (K, D) float32 of length LENGTH
    """

    names: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    vectors: np.ndarray | None = None


def turned(z: np.ndarray, moves: Sequence[float], directions: Directions) -> np.ndarray:
    """A latent (D,) moved along the directions by some amounts (about -1.5..1.5), and brought back to its length.

    The prior lives on a sphere: what leaves it falls where no picture was learned.
    """
    if directions.vectors is None or not any(moves):
        return z
    amounts = np.zeros(len(directions.vectors), np.float32)
    amounts[:len(moves)] = moves[:len(amounts)]
    moved: np.ndarray = z + amounts @ directions.vectors
    back: np.ndarray = (moved * (np.linalg.norm(z) / max(float(np.linalg.norm(moved)), 1e-6))).astype(np.float32)
    return back
