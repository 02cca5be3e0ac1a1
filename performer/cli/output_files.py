"""Files that commands write: whether they can be is told before the work."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from performer.system.errors import Fault


def may_write(path: str | None) -> str | None:
    """The path of a file that can be written: told before the work, not after it. Raises Fault."""
    if path is not None and path != "-":
        from performer.system.paths import writable

        writable(path)
    return path


def may_draw(path: str | None) -> str | None:
    """The path of a picture that can be written, likewise. Raises Fault."""
    if path is not None:
        from performer.io.record.contact_sheet import check_picture

        check_picture(path)
    return path


def write_json(data: Any, path: str) -> None:
    """Write to a file, or to standard output for "-". Raises Fault."""
    import json

    text = json.dumps(data, indent=1, allow_nan=False) + "\n"
    if path == "-":
        sys.stdout.write(text)
        return
    try:
        Path(path).write_text(text, encoding="utf-8")
    except OSError as error:
        raise Fault(f"{path}: cannot write: {error.strerror}") from None
