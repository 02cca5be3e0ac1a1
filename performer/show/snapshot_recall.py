"""A walk held at kept places of its latent space: glides to them, from one to the next, and back to the walk."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from performer.latent.bank import Bank, Snapshot, child
from performer.show.clock import Pulse
from performer.show.cues import CALM_BPM, TRUSTED
from performer.types.frame import ControlEvent, Stop

PAD_NOTE = 36  # the lowest note of most pads


def glide_s(pulse: Pulse) -> float:
    """Seconds of a bar, by which glides are timed."""
    bpm = pulse.bpm if pulse.confidence >= TRUSTED and pulse.bpm > 0.0 else CALM_BPM
    return pulse.meter * 60.0 / bpm


@dataclass(slots=True)
class _Held:
    """A place that holds a walk: since when, in how many seconds it comes, and the same of its leaving.

    at  amounts of the directions at which it is as it was kept
    """

    latent: bytes
    since: float
    seconds: float
    at: tuple[float, ...] = ()
    left: tuple[float, float] | None = None


class HeldWalk:
    """What holds one layer's walk, if anything: the last place counts, those before it while it is still coming."""

    def __init__(self) -> None:
        self._places: list[_Held] = []

    def recall(self, latent: bytes, t: float, seconds: float, at: tuple[float, ...] = ()) -> None:
        """Glide to a place; those that are being left go on leaving meanwhile.

        Parameters
        ----------
        at : tuple[float, ...], optional
            Amounts of the model's directions at which it is as it was kept: what they are more or less, it is moved.
        """
        self._places.append(_Held(latent, t, seconds, at))

    def release(self, t: float, seconds: float) -> None:
        """Glide back to the walk, which has gone on meanwhile."""
        for held in self._places:
            held.left = held.left or (t, seconds)

    def stops(self, t: float) -> tuple[Stop, ...]:
        """What to go through one after the other from the walk's own latent."""
        kept: list[_Held] = []
        parts: list[Stop] = []
        for held in self._places:
            part = min(max((t - held.since) / max(held.seconds, 1e-3), 0.0), 1.0)
            if held.left is not None:
                part = min(part, 1.0 - (t - held.left[0]) / max(held.left[1], 1e-3))
                if t - held.left[0] >= held.left[1]:
                    continue
            elif part >= 1.0:  # those before it can no longer be seen
                kept = []
                parts = []
            kept.append(held)
            parts.append((held.latent, part, held.at))
        self._places = kept
        return tuple(parts)


class SnapshotRecall:
    """Which place comes next: by number, in turn, or bred from those that were kept.

    Parameters
    ----------
    banks : Mapping[str, Bank]
        Model -> Bank.
    seed : int
        Seed of the offspring.
    """

    def __init__(self, banks: Mapping[str, Bank], seed: int) -> None:
        self.banks = banks
        self._seed = seed
        self._at: dict[str, int] = {}  # model -> which came last
        self._born = 0
        self.word = ""  # the newest place's name, for the HUD

    def wanted(self, event: ControlEvent, model: str) -> Snapshot | None:
        """What a gesture asks of a model's bank, if it is there."""
        bank = self.banks.get(model)
        address = event.address
        value = event.value
        text = event.text
        if address == "bank.glide":  # to a latent that comes with it
            if bank is None or event.words[:1] != (model,) or not bank.fits(event.latent):
                return None
            self.word = text
            return Snapshot(text, event.latent)
        if event.address == "bank.recall" and event.words[:1] not in ((), (model,)):
            return None
        if bank is None or not bank.places:
            self.word = "no snapshots yet (k saves one)"
            return None
        if address == "bank.breed":
            return self._bred(bank, event.words)
        if text:
            found = [i for i, place in enumerate(bank.places) if place.name == text]
        elif address == "bank.recall":
            found = [int(value)] if 0 <= value < len(bank.places) else []
        else:
            found = [(self._at.get(model, -1) + (1 if address == "bank.next" else -1)) % len(bank.places)]
        if not found:
            return None
        return self._recalled(bank, found[0])

    def _recalled(self, bank: Bank, at: int) -> Snapshot:
        self._at[bank.model] = at
        self.word = bank.places[at].name
        return bank.places[at]

    def _bred(self, bank: Bank, numbers: Sequence[str]) -> Snapshot | None:
        """Offspring of the places with these numbers, the last of which was struck, or of all."""
        there = [int(number) for number in numbers if int(number) < len(bank.places)]
        if numbers and int(numbers[-1]) not in there:
            return None
        if len(there) == 1:
            return self._recalled(bank, there[0])
        self._born += 1
        of = f" of {' and '.join(bank.places[at].name for at in there)}" if there else ""
        self.word = f"offspring {self._born}{of}"
        parents = [bank.places[at].latent for at in there or range(len(bank.places))]
        return Snapshot(self.word, child(parents, self._seed, self._born))
