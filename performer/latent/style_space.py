"""Walks through w, the space of styles, instead of through the latents that a mapping network makes styles of.

A style-based generator maps its latent z to w, from which its layers' styles are read. In w a straight way changes the
picture more evenly (Karras et al., "A style-based generator architecture for generative adversarial networks", 2019).
Keyframes are those of the same walk through z.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from performer.latent.bank import eased, glided
from performer.latent.directions import Directions, beyond, restyled, turned
from performer.latent.walks import WALKS, latent
from performer.types.frame import Walk

Mapping = Callable[[np.ndarray], np.ndarray]  # latents (N, D) -> styles (N, W)


def latent_of(walk: Walk, dim: int, directions: Directions) -> np.ndarray:
    """The latent (D,) float32 that a walk asks for, kept places and directions included.

    A place is moved by what directions have changed since it was recalled: what they were then is in it.
    """
    z = turned(latent(walk.kind, walk.position, walk.seed, dim, walk.truncation), walk.moves, directions)
    for goal, part, at in walk.stops:
        if len(goal) >= 4 * dim:
            there = turned(np.frombuffer(goal[: 4 * dim], np.float32), beyond(walk.moves, at), directions)
            z = glided(z, there, part)
    return z


def offset_of(walk: Walk, z: np.ndarray, directions: Directions, mapping: Mapping) -> np.ndarray | None:
    """What is to be added to the style of `z`, the walk's latent, to be where the walk is in w: (W,); None for nothing.

    Directions of the style are in it. Raises Fault when the mapping fails.
    """
    offset, added = _way(walk, z, directions, mapping), restyled(walk.moves, directions)
    if offset is None or added is None:
        return added if offset is None else offset
    together: np.ndarray = offset + added
    return together


def _way(walk: Walk, z: np.ndarray, directions: Directions, mapping: Mapping) -> np.ndarray | None:
    """The same, without directions of the style.

    Kept places glide in on straight ways, each to its own style, if it was kept in w, or to that of its latent.
    """
    dim = len(z)
    stops = [
        (np.frombuffer(goal, np.float32), part, beyond(walk.moves, at), restyled(at, directions))
        for goal, part, at in walk.stops
        if part > 0.0 and len(goal) >= 4 * dim
    ]
    if walk.space != "w" and not any(len(goal) > dim or style is not None for goal, _, _, style in stops):
        return None
    keys = WALKS[walk.kind].keyframes(walk.position) if walk.space == "w" else ()
    rows = [z, *(latent(walk.kind, at, walk.seed, dim, walk.truncation) for at, _ in keys)]
    moved = [rows[0], *(turned(row, walk.moves, directions) for row in rows[1:])]
    moved += [turned(goal[:dim], moves, directions) for goal, _, moves, _ in stops]
    styles = mapping(np.stack(moved + [goal[:dim] for goal, *_ in stops]))
    own = styles[0]
    w = (
        np.tensordot(np.array([weight for _, weight in keys], np.float32), styles[1 : 1 + len(keys)], 1)
        if keys
        else own
    )
    for i, (goal, part, _, style) in enumerate(stops):
        there = styles[1 + len(keys) + i]
        if len(goal) == dim + len(own):  # a direction adds what it adds to the style of the place's latent
            there = there - styles[len(moved) + i] + goal[dim:]
        elif walk.space != "w":
            there = own
        if style is not None:  # what directions of the style added when it was kept is in it, or in its latent's
            there = there - style
        w = w + (there - w) * np.float32(eased(part))
    return np.asarray(w - own, np.float32)
