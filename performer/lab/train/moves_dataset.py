"""Recorded moves as training material: pieces of music, and what hands did to it."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np

from performer.audio.control_features import TICK_S
from performer.io.record.moves import Moves, read
from performer.system.errors import Fault, counted, nearest

log = logging.getLogger(__name__)
WALK = ".walk"
FASTEST = 4.0  # positions a second of a walk that count as 1
LEAP = 40.0  # faster than this it was set somewhere else
GAP_S = 0.1  # ticks further apart than this belong to two pieces
STILL = 0.01  # a knob that was moved less (standard deviation) was not played
HELD_OUT = 0.15  # the last part of each piece
LEAST_S = 10.0


@dataclass(frozen=True)
class Piece:
    """heard (n, len(NAMES)) float32; moved (n, K) float32, 0..1; known (n, K) bool: where that knob was in play."""

    heard: np.ndarray
    moved: np.ndarray
    known: np.ndarray

    def __len__(self) -> int:
        return len(self.heard)

    def part(self, first: int, last: int) -> Piece:
        return Piece(self.heard[first:last], self.moved[first:last], self.known[first:last])


@dataclass(frozen=True)
class Pairs:
    """knobs, as routes will name them; train and test, pieces to learn from and to be tried on; files, how many."""

    knobs: tuple[str, ...]
    train: tuple[Piece, ...]
    test: tuple[Piece, ...]
    files: int
    licence: str = "unknown"
    source: str = ""

    @property
    def seconds(self) -> float:
        return sum(map(len, (*self.train, *self.test))) * TICK_S


def gather(paths: Sequence[Path], knobs: Sequence[str] = (), licence: str = "unknown") -> Pairs:
    """All recordings of these files and folders; what cannot be read is named and left out. Raises Fault.

    knobs  which to learn, by address or last part; all that were moved when not given: parameters and walks, or the
           bare controllers where no parameter was
    """
    files = [file for path in paths for file in (sorted(path.rglob("*.npz")) if path.is_dir() else [path])]
    if not files:
        raise Fault(
            f"{', '.join(map(str, paths)) or 'no file'}: no recordings (.npz) there; `play --record-moves` makes some"
        )
    found: list[Moves] = []
    for file in files:
        try:
            found.append(read(file))
        except Fault as fault:
            if len(files) == 1:
                raise
            log.warning("left out: %s", fault)
    return sort(found, knobs, licence, f"{counted(len(found), 'recording')} of moves")


def sort(found: Sequence[Moves], knobs: Sequence[str], licence: str, source: str) -> Pairs:
    """Recordings -> what a training needs. Raises Fault."""
    pieces = [piece for moves in found for piece in _pieces(moves)]
    moved: dict[str, list[np.ndarray]] = {}
    for _, columns in pieces:
        for name, column in columns.items():
            moved.setdefault(name, []).append(column[np.isfinite(column)])
    played = [name for name, parts in moved.items() if (all_ := np.concatenate(parts)).size and all_.std() > STILL]
    chosen = _chosen(knobs, list(moved), played)
    made = []
    for heard, columns in pieces:
        nothing = np.full(len(heard), np.nan, np.float32)
        values = np.stack([columns.get(name, nothing) for name in chosen], axis=1)
        known = np.isfinite(values)
        if known.any():
            made.append(Piece(heard, np.where(known, values, 0.5).clip(0.0, 1.0).astype(np.float32), known))
    train = []
    test = []
    for piece in made:
        last = len(piece) - round(HELD_OUT * len(piece))
        train.append(piece.part(0, last))
        test.append(piece.part(last, len(piece)))
    seconds = sum(map(len, train)) * TICK_S
    if seconds < LEAST_S:
        raise Fault(
            f"only {seconds:.0f} s of moves; a follower needs {LEAST_S:.0f} at the very least, and minutes "
            "to become one worth hearing"
        )
    return Pairs(_short(chosen), tuple(train), tuple(test), len(found), licence, source)


def _chosen(wished: Sequence[str], there: list[str], played: list[str]) -> list[str]:
    if wished:
        chosen = []
        for wish in wished:
            meant = [name for name in there if wish in (name, name.rpartition(".")[2])]
            if len(meant) != 1:
                raise Fault(
                    f"--knobs {wish}: "
                    + (
                        f"{', '.join(meant)} are meant; give the whole address"
                        if meant
                        else f"was not recorded{nearest(wish, there) or '; there are ' + ', '.join(there)}"
                    )
                )
            chosen += meant
        return chosen
    parameters = [name for name in played if not name.startswith("midi.")]
    if all(name.endswith(WALK) for name in parameters):  # bare controllers say more than a walk alone
        parameters += [name for name in played if name.startswith("midi.")]
    if not parameters:
        raise Fault("no parameter was moved in these recordings; move some while `play --record-moves` runs")
    return sorted(parameters)


def _short(names: Sequence[str]) -> tuple[str, ...]:
    """Last parts of addresses, or more of them where two end alike."""
    parts = [name.split(".") for name in names]
    for count in range(1, 5):
        short = ["_".join(each[-count:]) for each in parts]
        if len(set(short)) == len(short):
            return tuple(short)
    return tuple("_".join(each) for each in parts)


def _pieces(moves: Moves) -> list[tuple[np.ndarray, dict[str, np.ndarray]]]:
    """Without gaps: what was heard, and each knob; walks as their speed."""
    cuts = [0, *(np.flatnonzero(np.abs(np.diff(moves.t)) > GAP_S) + 1).tolist(), len(moves.t)]
    made = []
    for first, last in pairwise(cuts):
        if last - first > 1:
            columns = {name: moves.moves[first:last, i] for i, name in enumerate(moves.knobs)}
            walks = {
                name: _speed(column, moves.t[first:last]) for name, column in columns.items() if name.endswith(WALK)
            }
            made.append((moves.heard[first:last], columns | walks))
    return made


def _speed(position: np.ndarray, t: np.ndarray) -> np.ndarray:
    rate = np.diff(position.astype(np.float64)) / np.diff(t).clip(0.1 * TICK_S)  # ticks lie a hop more or less apart
    rate = np.append(rate, rate[-1:])
    rate = np.where((rate < 0.0) | (rate > LEAP), 0.0, rate) / FASTEST
    smooth = np.convolve(np.pad(rate, 2, mode="edge"), np.full(5, 0.2), "valid")
    speed: np.ndarray = smooth.clip(0.0, 1.0).astype(np.float32)
    return speed
