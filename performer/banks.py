"""Where banks are kept: one TOML file a model, in the user's folder, written whole on a thread that may wait."""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping
from math import isfinite
from pathlib import Path
from queue import Empty, SimpleQueue

import numpy as np

from performer import toml
from performer.errors import Fault
from performer.latent.bank import MOST, Bank, Place
from performer.library import USER
from performer.toasts import ASIDE
from performer.words import counted

log = logging.getLogger(__name__)
FOLDER = USER / "banks"


def read(model: str, dim: int, folder: Path = FOLDER) -> Bank:
    """A model's bank; an empty one where it has none. Raises Fault."""
    path = folder / f"{model}.toml"
    try:
        rows = toml.loads(path.read_text(encoding="utf-8")).get("place", [])
    except FileNotFoundError:
        return Bank(model, dim)
    except (OSError, UnicodeDecodeError, toml.TOMLDecodeError) as error:
        raise Fault(f"{path}: cannot read this bank: {error}") from None
    bank = Bank(model, dim)
    for number, row in enumerate(rows[:MOST] if isinstance(rows, list) else [None]):
        try:
            latent, w = np.array(row["latent"], np.float32), np.array(row.get("w", []), np.float32)
            name, tags = str(row["name"]), tuple(str(tag) for tag in row.get("tags", []))
            played = {str(knob): float(amount) for knob, amount in row.get("played", {}).items()}
        except (TypeError, KeyError, ValueError, AttributeError):
            raise Fault(f"{path}: place[{number}]: expected name and latent") from None
        if latent.shape != (dim,) or not np.isfinite(latent).all() or not latent.any():
            raise Fault(f"{path}: place[{number}].latent: expected {counted(dim, 'number')}, as {model!r} takes them")
        if w.ndim != 1 or not np.isfinite(w).all():
            raise Fault(f"{path}: place[{number}].w: expected the numbers of a style")
        if not all(map(isfinite, played.values())):
            raise Fault(f"{path}: place[{number}].played: expected numbers")
        bank.places.append(Place(name, latent.tobytes(), tags, w.tobytes(), tuple(played.items())))
    return bank


def read_all(dims: Mapping[str, int], folder: Path = FOLDER) -> dict[str, Bank]:
    """The banks of all models; one that cannot be read is said, and left as it is."""
    banks = {}
    for model, dim in dims.items():
        try:
            banks[model] = read(model, dim, folder)
        except Fault as fault:
            log.warning("%s", fault)
    return banks


def write(bank: Bank, folder: Path = FOLDER) -> Path:
    """Put a bank into its file, whole."""
    import tomlkit

    rows = [{"name": place.name, "tags": list(place.tags),
             **{key: [round(float(v), 5) for v in np.frombuffer(part, np.float32)]
                for key, part in (("latent", place.latent), ("w", place.w)) if part},
             **({"played": {knob: round(amount, 4) for knob, amount in place.played}} if place.played else {})}
            for place in bank.places]
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{bank.model}.toml"
    new = path.with_suffix(".new")
    new.write_text(tomlkit.dumps({"place": rows}), encoding="utf-8")
    new.replace(path)
    return path


def run(kept: SimpleQueue[Bank], stop: threading.Event, folder: Path = FOLDER) -> None:
    """Thread body: write every bank that comes; what is left when told to stop is written still."""
    while not (stop.is_set() and kept.empty()):
        try:
            bank = kept.get(timeout=0.2)
        except Empty:
            continue
        try:
            log.info("kept: %s", write(bank, folder), extra=ASIDE)
        except OSError as error:
            log.error("%s: cannot write the bank: %s", folder, error.strerror)
