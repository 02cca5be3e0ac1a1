"""Numbers as people type them."""

from __future__ import annotations


def whole_number(text: str, most: int) -> int | None:
    """The number 0..most that a text is in the digits 0 to 9, without zeros before it; None where it is none.

    str.isdigit is also true of superscripts, which int refuses, and of texts too long for it.
    """
    if not (text.isascii() and text.isdigit()) or len(text) > len(str(most)) or (text[0] == "0" and text != "0"):
        return None
    number = int(text)
    return number if number <= most else None
