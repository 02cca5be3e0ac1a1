"""Words for people."""

from __future__ import annotations


def counted(number: int, one: str, more: str = "") -> str:
    """`1 picture`, `2 pictures`; `more` where that is not `one` with an s."""
    return f"{number} {one if number == 1 else more or one + 's'}"
