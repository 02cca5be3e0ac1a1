"""Paths as people type them."""

from __future__ import annotations

from pathlib import Path

from performer.system.errors import Fault, shown


def expanded(path: str | Path) -> Path:
    """The path with ~ and ~somebody put in. Raises Fault where nobody has that name."""
    try:
        return Path(path).expanduser()
    except RuntimeError:
        raise Fault(f"{shown(str(path))}: nobody of that name has a folder here; write the whole path") from None
