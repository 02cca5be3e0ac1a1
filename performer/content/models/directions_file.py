"""NAME.directions.npz beside a model: its directions. Plain arrays; nothing in it is ever run."""

from __future__ import annotations

import logging
import re
import stat
from functools import lru_cache
from math import prod
from pathlib import Path
from typing import Any

import numpy as np

from performer.content.models.card import Card
from performer.latent.directions import Directions
from performer.system import folders
from performer.system.errors import Fault

log = logging.getLogger(__name__)
_NAME = re.compile(r"^[a-z][a-z0-9_]{0,30}$")
MOST = 64


def beside(model: Path) -> Path:
    """The file of a model's directions."""
    return model.with_suffix(".directions.npz")


def read(model: Path) -> Directions:
    """A model's directions; none where it has no such file. Raises Fault."""
    path = beside(model)
    try:
        found = path.stat()
    except OSError:
        return Directions()
    if not stat.S_ISREG(found.st_mode):  # a pipe would never be read to its end
        raise Fault(f"{path}: not a file")
    return _read(path, found.st_mtime)


def fitting(model: Path, card: Card) -> Directions:
    """A model's directions, if they are of its latent and its styles. Raises Fault."""
    directions, w = read(model), card.entry("w")
    for table, wanted in ((directions.vectors, card.latent), (directions.styles, prod(w.shape) if w else 0)):
        if table is not None and table.shape[1] != wanted:
            raise Fault(
                f"{beside(model)}: directions of {table.shape[1]} numbers, where the model has {wanted}; "
                "`performer models explore` finds them again"
            )
    return directions


@lru_cache(maxsize=64)
def _read(path: Path, stamp: float) -> Directions:
    try:
        with np.load(path, allow_pickle=False) as stored:
            names, kinds = ([str(text) for text in stored[key]] for key in ("names", "kinds"))
            vectors = np.asarray(stored["vectors"], np.float32)
            styles = np.asarray(stored["styles"], np.float32) if "styles" in stored else None
    except Exception as error:  # what zipfile, zlib and numpy raise over damaged files has no common class
        raise Fault(
            f"{path}: cannot read these directions ({' '.join(str(error).split())[:80]}); "
            "`performer models explore` finds them again"
        ) from None
    if (
        any(
            table.ndim != 2 or len(table) != len(names) or not np.isfinite(table).all()
            for table in (vectors, styles)
            if table is not None
        )
        or not len(names) == len(kinds) <= MOST
        or not all(_NAME.match(name) for name in names)
        or len(set(names)) != len(names)
    ):
        raise Fault(f"{path}: not a directions file; `performer models explore` makes a new one")
    return Directions(tuple(names), tuple(kinds), vectors, styles)


def usable(model: Path, card: Card) -> Directions:
    """A model's directions; none where they are damaged or of another model, which is said: it plays without."""
    try:
        return fitting(model, card)
    except Fault as fault:
        _say(str(fault))
        return Directions()


@lru_cache(maxsize=64)  # a model is loaded more than once
def _say(line: str) -> None:
    log.warning("%s", line)


def write(model: Path, directions: Directions) -> Path:
    """Put directions beside a model, whole. Raises Fault."""
    path = beside(model)
    assert directions.vectors is not None
    parts: dict[str, Any] = {} if directions.styles is None else {"styles": directions.styles}
    with folders.replacing(path) as file:
        np.savez_compressed(
            file,
            names=np.array(directions.names),
            kinds=np.array(directions.kinds),
            vectors=directions.vectors,
            **parts,
        )
    return path
