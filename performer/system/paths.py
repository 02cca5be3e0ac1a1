"""Paths as people type them, and as FFmpeg is told them."""

from __future__ import annotations

import os
from pathlib import Path

from performer.system.errors import Fault, shown


def expanded(path: str | Path) -> Path:
    """The path with ~ and ~somebody put in. Raises Fault where nobody has that name."""
    try:
        return Path(path).expanduser()
    except RuntimeError:
        raise Fault(f"{shown(str(path))}: no user of that name here; write the whole path") from None


def for_ffmpeg(path: str | Path) -> str:
    """The whole path. A name with a colon looks like an address to FFmpeg (`22:30.mp4`), and is looked up in a network
    where it can be (`http:x.mp4`); what begins with a slash or a drive never is.
    """
    return os.path.abspath(path)


def writable(path: str) -> None:
    """Raise Fault unless a file can be written there; touches nothing."""
    folder = Path(path).absolute().parent
    if not folder.is_dir():
        raise Fault(f"{path}: cannot write there: no folder {folder}")
    if Path(path).is_dir() or not os.access(Path(path) if Path(path).exists() else folder, os.W_OK):
        raise Fault(f"{path}: cannot write there; choose another place")
