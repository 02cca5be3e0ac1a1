"""The word in the page's address that is kept from start to start, so that a tablet on a wall finds its page again."""

from __future__ import annotations

import re
import secrets
from pathlib import Path

from performer.system import folders
from performer.system.errors import Fault

_WORD = re.compile(r"[A-Za-z0-9_-]{16,64}")


def word_path() -> Path:
    """The file, for its owner alone; on Linux ~/.config/performer/io/page.word."""
    return folders.config() / "page.word"


def load_or_create(path: Path | None = None) -> str:
    """The kept word; a new one, drawn and kept, where there is none. Raises Fault."""
    path = path or word_path()
    try:
        word = path.read_text(encoding="ascii").strip()
    except FileNotFoundError:
        word = ""
    except (OSError, UnicodeDecodeError) as error:
        raise Fault(f"{path}: cannot be read: {error}; the page's address is another one this time") from None
    if _WORD.fullmatch(word):
        return word
    if word:
        raise Fault(
            f"{path}: no word for an address (16 to 64 letters, digits, - and _); remove the file, and another is drawn"
        )
    word = secrets.token_urlsafe(16)
    try:
        folders.write_text(path, word + "\n", private=True)
    except Fault as fault:
        raise Fault(f"{fault}; the page's address is another one next time") from None
    return word
