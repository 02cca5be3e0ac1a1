"""Walks: pure functions (position, seed, dim) -> unit vector; a new one is one function with @walk(...).

`position` is the one float that the show integrates from speed, kicks and beats; about one new picture per unit.
Nothing is remembered between calls: any moment of any walk can be seeked, and a dropped frame changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from math import cos, floor, pi, sin

import numpy as np

from performer.latent.sphere import point, slerp, unit

MANY = 4096  # numbers of a latent, from which few keyframes are kept: of the largest, each is a megabyte

_few, _many = lru_cache(maxsize=16)(point), lru_cache(maxsize=512)(point)


def _key(seed: int, number: int, dim: int) -> np.ndarray:
    return (_few if dim > MANY else _many)(seed, number, dim)


WalkFunction = Callable[[float, int, int], np.ndarray]
Keyframes = tuple[tuple[float, float], ...]


def _smoothly(position: float, step: float = 1.0) -> Keyframes:
    """Through the pictures at every `step`, without a corner (Catmull and Rom, "A class of local interpolating
    splines", 1974)."""
    at = floor(position / step)
    x = position / step - at
    weights = (
        ((2.0 - x) * x - 1.0) * x / 2.0,
        ((3.0 * x - 5.0) * x * x + 2.0) / 2.0,
        ((4.0 - 3.0 * x) * x + 1.0) * x / 2.0,
        (x - 1.0) * x * x / 2.0,
    )
    return tuple(((at + i - 1) * step, weight) for i, weight in enumerate(weights))


def _tour_eased(x: float) -> float:
    return x * 0.4 + x * x * (3.0 - 2.0 * x) * 0.6


def _tour_keyframes(position: float) -> Keyframes:
    step = floor(position)
    eased = _tour_eased(position - step)
    return (step, 1.0 - eased), (step + 1.0, eased)


def _hop_eased(x: float) -> float:
    return 1.0 - (1.0 - min(x / 0.45, 1.0)) ** 3


def _hop_keyframes(position: float) -> Keyframes:
    step = floor(position)
    eased = _hop_eased(position - step)
    return (step - 0.5, 1.0 - eased), (step + 0.5, eased)


@dataclass(frozen=True, slots=True)
class WalkKind:
    """A walk, with all that others need to know of it.

    Attributes
    ----------
    function : WalkFunction
        (position, seed, dim) -> (dim,) float32 of length 1; its docstring says what it does.
    pictures : float
        Pictures that it goes through in one unit of its position at the most.
    on_beats : bool
        Its position counts beats, where nothing else is asked for.
    keyframes : Callable[[float], Keyframes]
        Position -> (position, weight) of the pictures that it lies between, where the way from one to the next is
        another space's business. The weights' sum is 1; only at a picture, it is that one alone.
    """

    function: WalkFunction
    pictures: float = 1.0
    on_beats: bool = False
    keyframes: Callable[[float], Keyframes] = _smoothly

    def __call__(self, position: float, seed: int, dim: int) -> np.ndarray:
        """The walk's unit vector (dim,) float32 there."""
        return self.function(position, seed, dim)


#: All walks, by the name that presets use.
WALKS: dict[str, WalkKind] = {}


def walk(
    pictures: float = 1.0, on_beats: bool = False, keyframes: Callable[[float], Keyframes] = _smoothly
) -> Callable[[WalkFunction], WalkFunction]:
    """Make a function a walk that presets may name. It must be pure: any moment of a walk can be sought.

    Parameters
    ----------
    pictures, on_beats, keyframes : optional
        As in WalkKind: what others must know of a walk that is unlike most.
    """

    def kept(function: WalkFunction) -> WalkFunction:
        WALKS[function.__name__] = WalkKind(function, pictures, on_beats, keyframes)
        return function

    return kept


@lru_cache(maxsize=64)
def _waves(seed: int, dim: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed % (1 << 63))
    return rng.uniform(0.35, 1.25, (2, dim)), rng.uniform(0.0, 2.0 * pi, (2, dim))


@walk()
def drift(position: float, seed: int, dim: int) -> np.ndarray:
    """Wander without aim: every axis is two slow waves of its own, so that the path never repeats."""
    rate, phase = _waves(seed, dim)
    return unit(np.sin(position * rate + phase).sum(axis=0)).astype(np.float32)


@walk(keyframes=_tour_keyframes)
def tour(position: float, seed: int, dim: int) -> np.ndarray:
    """Visit one keyframe after another on great circles, lingering a little at each."""
    step = floor(position)
    return slerp(_key(seed, step, dim), _key(seed, step + 1, dim), _tour_eased(position - step))


@walk()
def orbit(position: float, seed: int, dim: int) -> np.ndarray:
    """Circle: four units make one turn, and the plane of the circle leans over within some ten turns."""
    turn = position * 0.5 * pi
    lean = position * 0.037 * pi
    a, b, c = _key(seed, 0, dim), _key(seed, 1, dim), _key(seed, 2, dim)
    aside = unit(b * np.float32(cos(lean)) + c * np.float32(sin(lean)))
    aside = unit(aside - a * np.dot(a, aside))
    return (a * np.float32(cos(turn)) + aside * np.float32(sin(turn))).astype(np.float32)


@walk(pictures=6.7, on_beats=True, keyframes=_hop_keyframes)
def hop(position: float, seed: int, dim: int) -> np.ndarray:
    """Jump to a new keyframe at each whole position and rest there: its position counts beats, not seconds."""
    step = floor(position)
    return slerp(_key(seed, step - 1, dim), _key(seed, step, dim), _hop_eased(position - step))


@walk(pictures=8.0, keyframes=lambda position: _smoothly(position, 0.125))
def loop(position: float, seed: int, dim: int) -> np.ndarray:
    """Come back to the beginning after each unit, without a seam: two waves through four keyframes of the walk."""
    turn = (position - floor(position)) * 2.0 * pi
    a, b, c, d = (_key(seed, i, dim) for i in range(4))
    aside = unit(b - a * np.dot(a, b))
    way = a * np.float32(cos(turn)) + aside * np.float32(sin(turn))
    return unit(way + (c * np.float32(cos(2.0 * turn)) + d * np.float32(sin(2.0 * turn))) * np.float32(0.55))


def latent(kind: str, position: float, seed: int, dim: int, truncation: float) -> np.ndarray:
    """The latent of a walker, on the sphere of radius sqrt(dim), where a normal prior lives.

    Parameters
    ----------
    kind : str
        Name of a walk: a key of WALKS.
    position : float
        Of the walker; about one keyframe per unit, or per beat for the walks that are `on_beats`.
    seed : int
        Of the path: another seed, another journey.
    dim : int
        Size of the latent.
    truncation : float
        0..1: how far it may stray from the walk's home (0 stays there, 1 goes everywhere).

    Returns
    -------
    ndarray
        (dim,) float32 of length sqrt(dim).
    """
    at = WALKS[kind](position, seed, dim)
    if truncation < 1.0:
        at = slerp(_key(seed, -1, dim), at, max(truncation, 0.0))
    return at * np.float32(np.sqrt(dim))
