"""The screen that the show was on last, in the user's settings folder: it comes back there."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from performer.rig.options import PlayOptions
from performer.system import folders, toml_file
from performer.system.errors import Fault

log = logging.getLogger(__name__)
HEAD = "# The screen that the show was on last; `performer play --monitor NAME` chooses another.\n"


def screen_path() -> Path:
    """The file, which need not be there; on Linux ~/.config/performer/screen.toml."""
    return folders.config() / "screen.toml"


def recalled(options: PlayOptions, names: Sequence[str]) -> PlayOptions:
    """The options, on the screen of last time where that is not the first, which is where shows begin anyway, and may
    be a person's own; filled, where it was.

    Parameters
    ----------
    names : Sequence[str]
        Names of the monitors that are there, the system's first one first. A name that two of them have tells nothing.
    """
    path = screen_path()
    try:
        row = toml_file.load(path)
        name = row["monitor"]
        filled = row["fullscreen"]
        if not (isinstance(name, str) and isinstance(filled, bool)):
            raise TypeError
    except FileNotFoundError:
        return options
    except (Fault, KeyError, TypeError):
        log.warning("%s: does not say which screen; remove it", path)
        return options
    if names.count(name) != 1 or names.index(name) == 0:
        return options
    return replace(options, monitor=str(names.index(name)), fullscreen=options.fullscreen or filled)


def remember(name: str, fullscreen: bool) -> None:
    """Write which screen the show is on, and whether it fills it; where that cannot be, it is only said."""
    import tomlkit

    path, text = screen_path(), HEAD + tomlkit.dumps({"monitor": name, "fullscreen": fullscreen})
    try:
        if path.is_file() and path.read_text(encoding="utf-8", errors="replace") == text:
            return
        folders.write_text(path, text)
    except Fault as fault:
        log.info("%s", fault)
    except OSError as error:
        log.info("%s: cannot be read: %s", path, error.strerror)
