"""Which content a file has, without reading it: whether it was replaced, or is still being written."""

from __future__ import annotations

from pathlib import Path

#: Its inode, size, and the nanoseconds of its changes.
Stamp = tuple[int, int, int, int]
GONE: Stamp = (0, 0, 0, 0)


def stamp_of(path: Path) -> Stamp:
    """Another one after every change of the file; GONE where there is none."""
    try:
        known = path.stat()
    except (OSError, ValueError):
        return GONE
    return known.st_ino, known.st_size, known.st_mtime_ns, known.st_ctime_ns
