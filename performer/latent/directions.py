"""Directions of a latent space: named ways to turn, each a knob that changes one thing about the picture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import zip_longest

import numpy as np

#: Length of a direction's vector: an amount of 1 turns a latent about as far as three standard deviations of one axis.
LENGTH = 3.0
#: How those were found whose names say what they do; the others are numbered.
LASTING = ("measured", "taught")


@dataclass(frozen=True)
class Directions:
    """Directions of one model.

    Attributes
    ----------
    names : tuple[str, ...]
        Names of the knobs.
    kinds : tuple[str, ...]
        How each was found: "measured", "taught", "weights", "component" or "style".
    vectors : ndarray | None
        (K, D) float32 of length LENGTH; zeros for those that move the style instead.
    styles : ndarray | None
        (K, W) float32, what each adds to the style; None where none does.
    """

    names: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    vectors: np.ndarray | None = None
    styles: np.ndarray | None = None


def with_those_before(found: Directions, before: Directions) -> Directions:
    """What was found now, and of what was found before the knobs whose names say what they do, and are missing now.

    So that presets which name them go on: "measured" and "taught" ones. Both are of one model.
    """
    stay = [
        row
        for row, (name, kind) in enumerate(zip(before.names, before.kinds, strict=True))
        if kind in LASTING and name not in found.names
    ]
    if not stay or before.vectors is None or found.vectors is None:
        return found
    styles = found.styles
    if styles is not None:
        styles = np.concatenate([styles, np.zeros((len(stay), styles.shape[1]), np.float32)])
    return Directions(
        (*found.names, *(before.names[row] for row in stay)),
        (*found.kinds, *(before.kinds[row] for row in stay)),
        np.concatenate([found.vectors, before.vectors[stay]]),
        styles,
    )


def turned(z: np.ndarray, moves: Sequence[float], directions: Directions) -> np.ndarray:
    """A latent moved along the directions by some amounts, and brought back to its length.

    The prior lives on a sphere: what leaves it falls where no picture was learned.

    Parameters
    ----------
    z : ndarray
        (D,) float32.
    moves : Sequence[float]
        An amount for each direction, about -1.5..1.5; those that are left out at the end are 0.
    directions : Directions
        Of the model that z is a latent of.

    Returns
    -------
    ndarray
        (D,) float32 of the length of z.
    """
    if directions.vectors is None or not any(moves):
        return z
    moved: np.ndarray = z + _amounts(moves, directions) @ directions.vectors
    back: np.ndarray = (moved * (np.linalg.norm(z) / max(float(np.linalg.norm(moved)), 1e-6))).astype(np.float32)
    return back


def restyled(moves: Sequence[float], directions: Directions) -> np.ndarray | None:
    """What the directions add to the style by these amounts: (W,); None where none does."""
    if directions.styles is None or not any(moves):
        return None
    added: np.ndarray = _amounts(moves, directions) @ directions.styles
    return added if added.any() else None


def beyond(moves: Sequence[float], at: Sequence[float]) -> tuple[float, ...]:
    """How much further amounts are than others; where either ends, the rest are 0."""
    return tuple(there - here for there, here in zip_longest(moves, at, fillvalue=0.0))


def _amounts(moves: Sequence[float], directions: Directions) -> np.ndarray:
    amounts = np.zeros(len(directions.names), np.float32)
    amounts[: len(moves)] = moves[: len(amounts)]
    return amounts
