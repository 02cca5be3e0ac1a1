"""What the buttons of controllers were taught, in the user's settings folder: one TOML file, written whole."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Collection, Mapping
from math import isfinite
from pathlib import Path
from queue import Empty, SimpleQueue

from performer.system import folders, toml_file
from performer.system.errors import Fault, nearest
from performer.system.logging_marks import ASIDE
from performer.types.actions import Act

log = logging.getLogger(__name__)
HEAD = "# What pads do: press m, a key, then the pad, while playing. Without `ch` in `on` any channel counts.\n"


def pads_path() -> Path:
    """The file, which need not be there; on Linux ~/.config/performer/pads.toml."""
    return folders.config() / "pads.toml"


def learned(may: Collection[str]) -> dict[str, Act]:
    """What was taught before, button -> what it does; a file that is no good is logged, and nothing known then."""
    try:
        return read(may)
    except Fault as fault:
        log.warning("%s", fault)
        return {}


def run(taught: SimpleQueue[Mapping[str, Act]], may: Collection[str], stop: threading.Event) -> None:
    """Thread body: write whatever comes; what is left when told to stop is written still."""
    while not (stop.is_set() and taught.empty()):
        try:
            bound = taught.get(timeout=0.2)
        except Empty:
            continue
        try:
            log.info("MIDI bindings saved: %s", write(bound, may), extra=ASIDE)
        except Fault as fault:
            log.error("%s", fault)


def read(may: Collection[str], path: Path | None = None) -> dict[str, Act]:
    """Button -> what it does; none where there is no file.

    Parameters
    ----------
    may : Collection[str]
        What a button may do.

    Raises
    ------
    Fault
        For a file that is no good.
    """
    path = path or pads_path()
    try:
        rows = toml_file.load(path).get("pad", [])
    except FileNotFoundError:
        return {}
    except Fault as fault:
        raise Fault(f"{fault}; mend or remove it") from None
    bound = {}
    for number, row in enumerate(rows if isinstance(rows, list) else [None]):
        try:
            on, act = row["on"], Act(row["do"], float(row.get("value", 1.0)))
            if not (isinstance(on, str) and isinstance(act.address, str) and isfinite(act.value)):
                raise ValueError
        except (TypeError, KeyError, ValueError, OverflowError, AttributeError):
            raise Fault(f'{path}: pad[{number}]: expected on = "note40 ch10" and do = "show.tap"') from None
        if act.address not in may:
            raise Fault(f"{path}: pad[{number}].do: no {act.address!r}{nearest(act.address, may)}")
        bound[on] = act
    return bound


def write(bound: Mapping[str, Act], may: Collection[str], path: Path | None = None) -> Path:
    """Put them into the file; one that was no good is kept as NAME.bad. Raises Fault."""
    import tomlkit

    path = path or pads_path()
    rows = [{"on": on, "do": act.address, "value": act.value} for on, act in bound.items()]
    try:
        try:
            read(may, path)
        except Fault:  # somebody's work, which a slip of the pen spoilt
            os.replace(path, path.with_suffix(".bad"))
        folders.write_text(path, HEAD + tomlkit.dumps({"pad": rows}))
    except Fault as fault:
        raise Fault(f"{fault}; the MIDI bindings of this show will be lost when it ends") from None
    except OSError as error:
        raise Fault(
            f"{path}: cannot be written: {error.strerror}; the MIDI bindings of this show will be lost when it ends"
        ) from None
    return path
