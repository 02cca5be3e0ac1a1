"""The one error that is meant for the person at the desk."""

from collections.abc import Iterable


class Fault(Exception):
    """One line: what is wrong, where, and the likely mend. The command line prints it and exits with 2."""


def nearest(word: str, known: Iterable[str]) -> str:
    """`; did you mean 'x'?` for the known word closest to `word`, or `` when none is close."""
    import difflib

    close = difflib.get_close_matches(word, list(known), n=1, cutoff=0.5)
    return f"; did you mean {close[0]!r}?" if close else ""


def counted(number: int, one: str, more: str = "") -> str:
    """`1 picture`, `2 pictures`; `more` where that is not `one` with an s."""
    return f"{number} {one if number == 1 else more or one + 's'}"
