"""NAME.directions.npz beside a model: its directions. Plain arrays; nothing in it is ever run."""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path

import numpy as np

from performer.errors import Fault
from performer.latent.directions import Directions

_NAME = re.compile(r"^[a-z][a-z0-9_]{0,30}$")
MOST = 64


def beside(model: Path) -> Path:
    """The file of a model's directions."""
    return model.with_suffix(".directions.npz")


def read(model: Path) -> Directions:
    """A model's directions; none where it has no such file. Raises Fault."""
    path = beside(model)
    try:
        stamp = path.stat().st_mtime
    except OSError:
        return Directions()
    return _read(path, stamp)


@lru_cache(maxsize=64)
def _read(path: Path, stamp: float) -> Directions:
    try:
        with np.load(path, allow_pickle=False) as stored:
            names, kinds = ([str(text) for text in stored[key]] for key in ("names", "kinds"))
            vectors = np.asarray(stored["vectors"], np.float32)
    except Exception as error:  # what zipfile, zlib and numpy raise over damaged files has no common class
        raise Fault(f"{path}: cannot read these directions ({' '.join(str(error).split())[:80]}); "
                    "`performer models explore` finds them again") from None
    if vectors.ndim != 2 or not len(names) == len(kinds) == len(vectors) <= MOST or not np.isfinite(vectors).all() or \
            not all(_NAME.match(name) for name in names) or len(set(names)) != len(names):
        raise Fault(f"{path}: these are no directions; `performer models explore` finds them again")
    return Directions(tuple(names), tuple(kinds), vectors)


def write(model: Path, directions: Directions) -> Path:
    """Put directions beside a model, whole."""
    path = beside(model)
    new = path.with_suffix(".new.npz")
    assert directions.vectors is not None
    np.savez_compressed(new, names=np.array(directions.names), kinds=np.array(directions.kinds),
                        vectors=directions.vectors)
    new.replace(path)
    return path
