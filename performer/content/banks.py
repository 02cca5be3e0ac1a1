"""Where banks are kept: one TOML file a model, in the user's folder, written whole on a thread that may wait.

Others may write them too: another show, `models encode`, a hand with an editor. What they do is taken over, and
what this show keeps is put beside it.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from math import isfinite
from pathlib import Path
from queue import Empty, SimpleQueue

import numpy as np

from performer.latent.bank import MOST, Bank, Change, Snapshot, numbers
from performer.system import folders, toml_file
from performer.system.errors import Fault, counted, refusing
from performer.system.logging_marks import ASIDE

log = logging.getLogger(__name__)
LARGEST = 256 << 20  # bytes: a full bank of large styles has a fifth of it
LOOK_S = 0.5  # how often it is looked whether others wrote a bank


def bank_folder() -> Path:
    """Where banks are kept unless another folder is named; it need not be there."""
    return folders.data() / "banks"


def read(model: str, dim: int, folder: Path | None = None) -> Bank:
    """A model's bank; an empty one where it has none. Raises Fault."""
    path = (folder or bank_folder()) / f"{model}.toml"
    try:
        rows = toml_file.load(path, LARGEST).get("place", [])
    except FileNotFoundError:
        return Bank(model, dim)
    bank = Bank(model, dim)
    for number, row in enumerate(rows[:MOST] if isinstance(rows, list) else [None]):
        try:
            with np.errstate(over="ignore"):  # infinite, which is said below
                latent, w = np.array(row["latent"], np.float32), np.array(row.get("w", []), np.float32)
            name, tags = str(row["name"]), tuple(str(tag) for tag in row.get("tags", []))
            played = {str(knob): float(amount) for knob, amount in row.get("played", {}).items()}
        except OverflowError:
            raise Fault(f"{path}: place[{number}]: a number of hundreds of digits") from None
        except (TypeError, KeyError, ValueError, AttributeError):
            raise Fault(f"{path}: place[{number}]: expected name and latent") from None
        if latent.shape != (dim,) or not np.isfinite(latent).all() or not latent.any():
            raise Fault(f"{path}: place[{number}].latent: expected {counted(dim, 'number')}, as {model!r} takes them")
        if w.ndim != 1 or not np.isfinite(w).all():
            raise Fault(f"{path}: place[{number}].w: expected the numbers of a style")
        if not all(map(isfinite, played.values())):
            raise Fault(f"{path}: place[{number}].played: expected numbers")
        bank.places.append(Snapshot(name, latent.tobytes(), tags, w.tobytes(), tuple(played.items())))
    return bank


def read_all(dims: Mapping[str, int], folder: Path | None = None) -> dict[str, Bank]:
    """The banks of all models; one that cannot be read is said, and left as it is."""
    folder = folder or bank_folder()
    banks = {}
    for model, dim in dims.items():
        try:
            with refusing(folder / f"{model}.toml"):
                banks[model] = read(model, dim, folder)
        except Fault as fault:
            log.warning("%s", fault)
    return banks


def write(bank: Bank, folder: Path | None = None) -> Path:
    """Put a bank into its file, whole. Raises Fault."""
    import tomlkit

    rows = [
        {
            "name": place.name,
            "tags": list(place.tags),
            **{key: numbers(part) for key, part in (("latent", place.latent), ("w", place.w)) if part},
            **({"played": {knob: round(amount, 4) for knob, amount in place.played}} if place.played else {}),
        }
        for place in bank.places
    ]
    path = (folder or bank_folder()) / f"{bank.model}.toml"
    folders.write_text(path, tomlkit.dumps({"place": rows}))
    return path


class BankWriter:
    """Writes the banks of a show into their files, and notices what others write there.

    Parameters
    ----------
    banks : Mapping[str, Bank]
        Those of the show, as they were read.
    """

    def __init__(self, banks: Mapping[str, Bank], folder: Path | None = None) -> None:
        self.folder = folder or bank_folder()
        self._dims = {model: bank.dim for model, bank in banks.items()}
        self._known = {model: {place.mark for place in bank.places} for model, bank in banks.items()}
        self._stamps: dict[str, tuple[int, int] | None] = dict.fromkeys(banks)  # perhaps written since they were read
        self._damaged: set[str] = set()
        self._told: list[Change] = []  # what the show does not know yet

    def look(self) -> list[Change]:
        """What others did since, for the show; a file that is damaged is said once."""
        changes = [change for model in self._dims if (change := self._look(model)) is not None]
        self._told += changes
        return changes

    def took(self, change: Change) -> None:
        """The show has done what somebody else did."""
        self._told.remove(change)

    def write(self, bank: Bank) -> Path:
        """Write what the show has, and beside it what it does not know yet. Raises Fault, and OSError."""
        path = self._file(bank.model)
        for change in self._told:
            if change.model == bank.model:
                bank.take(change)
        if bank.model in self._damaged:
            aside = path.with_suffix(".damaged")
            path.replace(aside)
            self._damaged.discard(bank.model)
            log.error(
                "%s was damaged: renamed to %s, and written anew with the snapshots of this show", path, aside.name
            )
        write(bank, self.folder)
        self._dims[bank.model], self._known[bank.model] = bank.dim, {place.mark for place in bank.places}
        self._stamps[bank.model] = _stamp(path)
        return path

    def _file(self, model: str) -> Path:
        return self.folder / f"{model}.toml"

    def _look(self, model: str) -> Change | None:
        stamp = _stamp(self._file(model))
        if stamp == self._stamps[model] or stamp is None:  # a file that is away is no wish to lose all
            return None
        self._stamps[model] = stamp
        try:
            with refusing(self._file(model)):
                theirs = {place.mark: place for place in read(model, self._dims[model], self.folder).places}
        except Fault as fault:
            self._damaged.add(model)
            log.error("%s", fault)
            return None
        self._damaged.discard(model)
        known, self._known[model] = self._known[model], set(theirs)
        change = Change(
            model, tuple(place for mark, place in theirs.items() if mark not in known), frozenset(known - theirs.keys())
        )
        return change if change.came or change.gone else None


def _stamp(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size


def run(
    keeper: BankWriter, kept: SimpleQueue[Bank | Change], tell: Callable[[Change], None], stop: threading.Event
) -> None:
    """Thread body: write every bank that comes; what is left when told to stop is written still.

    Parameters
    ----------
    kept : SimpleQueue[Bank | Change]
        Banks, to be written, and changes that the show has taken over.
    tell : callable
        Gets what others changed.
    """
    while not (stop.is_set() and kept.empty()):
        try:
            bank = kept.get(timeout=LOOK_S)
        except Empty:
            bank = None
        if isinstance(bank, Change):
            keeper.took(bank)
            continue
        for change in keeper.look():
            tell(change)
        if bank is not None:
            try:
                log.info("snapshot saved: %s", keeper.write(bank), extra=ASIDE)
            except Fault as fault:
                log.error("%s", fault)
            except OSError as error:
                log.error("%s: cannot write the bank: %s", keeper.folder, error.strerror)
