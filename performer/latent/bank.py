"""Banks of places in a latent space: kept, recalled with a glide, and bred from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType

import numpy as np

from performer.latent.sphere import slerp, unit

SPREAD = 0.35  # how far a child strays from the way between its parents, as part of a unit vector
MOST = 512  # places in a bank


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A latent with a name.

    Attributes
    ----------
    latent : bytes
        (D,) float32 as bytes, so that a Frame may carry it.
    w : bytes
        (W,) float32 as bytes: the style, where it was kept from a walk through w and is not just its latent's.
    played : tuple[tuple[str, float], ...]
        (direction, amount) of those that the music moved when it was kept; they are in the latent.
    """

    name: str
    latent: bytes
    tags: tuple[str, ...] = ()
    w: bytes = b""
    played: tuple[tuple[str, float], ...] = ()

    @property
    def whole(self) -> bytes:
        """Latent and style, as `Walk.stops` takes them."""
        return self.latent + self.w

    @property
    def mark(self) -> tuple[object, ...]:
        """What it is known by, in a bank and in its file, where numbers are rounded."""
        return (self.name, self.tags, *numbers(self.latent))


@dataclass(frozen=True)
class Change:
    """What somebody else did to a bank: places that came, and marks of those that are gone."""

    model: str
    came: tuple[Snapshot, ...]
    gone: frozenset[tuple[object, ...]]


@dataclass
class Bank:
    """The places of one model, in the order of its pads.

    Attributes
    ----------
    dim : int
        Size of the model's latents.
    """

    model: str
    dim: int
    places: list[Snapshot] = field(default_factory=list)

    def keep(
        self,
        latent: bytes,
        name: str = "",
        tags: Sequence[str] = (),
        played: Mapping[str, float] = MappingProxyType({}),
    ) -> Snapshot | None:
        """Add a place; without a name it gets a number. None when the bank is full.

        Parameters
        ----------
        latent : bytes
            Latent of the bank's size, and a style after it, if it has one.
        played : Mapping[str, float], optional
            See Place.
        """
        if len(self.places) >= MOST:
            return None
        name = self._free(name)
        place = Snapshot(name, latent[: 4 * self.dim], tuple(tags), latent[4 * self.dim :], tuple(played.items()))
        self.places.append(place)
        return place

    def take(self, change: Change) -> None:
        """Do the same; what came has another name where its own is taken by another place."""
        self.places = [place for place in self.places if place.mark not in change.gone]
        there = {place.mark for place in self.places}
        for place in change.came:
            if place.mark not in there and len(self.places) < MOST:
                self.places.append(replace(place, name=self._free(place.name)))

    def fits(self, latent: bytes) -> bool:
        """Whether it can be a place: finite numbers, at least as many as the model's latents have."""
        if len(latent) % 4 or len(latent) < 4 * self.dim:
            return False
        numbers = np.frombuffer(latent, np.float32)
        return bool(np.isfinite(numbers).all() and numbers[: self.dim].any())

    def rename(self, name: str, new: str, tags: Sequence[str] = ()) -> Snapshot | None:
        """Give a place another name, where that is not taken, and tags. None when there is no such place."""
        at = self._index(name)
        if at is None:
            return None
        if new != name:
            new = self._free(new)
        self.places[at] = replace(self.places[at], name=new, tags=tuple(tags))
        return self.places[at]

    def drop(self, name: str) -> Snapshot | None:
        """Take a place out; None when there is no such place."""
        at = self._index(name)
        return self.places.pop(at) if at is not None else None

    def _index(self, name: str) -> int | None:
        return next((i for i, place in enumerate(self.places) if place.name == name), None)

    def _free(self, name: str) -> str:
        """That name, if nobody has it."""
        taken = {place.name for place in self.places}
        number = len(self.places) + 1
        while not name or name in taken:
            name = f"place {number}"
            number += 1
        return name


def numbers(part: bytes) -> list[float]:
    """A latent's or a style's numbers, as they are written."""
    return [round(float(v), 5) for v in np.frombuffer(part, np.float32)]


def child(parents: Sequence[bytes], seed: int, number: int, spread: float = SPREAD) -> bytes:
    """Offspring of some latents: somewhere between two of them, and a little aside; of one alone, near it.

    The same parents, seed, number and spread give the same child.

    Parameters
    ----------
    parents : Sequence[bytes]
        Latents, each (D,) float32 as bytes; at least one.
    seed, number : int
        Which child it is.
    spread : float, optional
        How far it strays from the way between its parents, as part of a unit vector.

    Returns
    -------
    bytes
        (D,) float32 as bytes, of the parents' mean length.
    """
    rng = np.random.default_rng((seed % (1 << 63), number))
    vectors = [np.frombuffer(parent, np.float32) for parent in parents]
    length = float(np.mean([np.linalg.norm(vector) for vector in vectors]))
    first, second = (unit(vectors[i]) for i in rng.integers(0, len(vectors), 2))
    between = slerp(first, second, float(rng.random()))
    aside = unit(rng.standard_normal(len(between)).astype(np.float32))
    born = unit(between + spread * float(rng.random() + 0.4) * aside)
    return (born * np.float32(length)).astype(np.float32).tobytes()


def eased(part: float) -> float:
    """How far a glide is, that sets off and arrives softly."""
    part = min(max(part, 0.0), 1.0)
    return part * part * (3.0 - 2.0 * part)


def glided(start: np.ndarray, there: np.ndarray, part: float) -> np.ndarray:
    """On the way from a latent to another, on a great circle, setting off and arriving softly.

    Parameters
    ----------
    start, there : ndarray
        (D,) float32.
    part : float
        0 is the start, 1 the other; beyond, it stays there.

    Returns
    -------
    ndarray
        (D,) float32; its length goes evenly from one's to the other's.
    """
    if part <= 0.0:
        return start
    if part >= 1.0:
        return there.copy()
    lengths = float(np.linalg.norm(start)), float(np.linalg.norm(there))
    way = eased(part)
    return slerp(unit(start), unit(there), way) * np.float32(lengths[0] + (lengths[1] - lengths[0]) * way)
