"""The one error that is meant for the person at the desk."""

import logging
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

log = logging.getLogger(__name__)
LONGEST_VALUE = 80  # letters of a value in an error


class Fault(Exception):
    """One line: what is wrong, where, and the likely mend. The command line prints it and exits with 2."""


def nearest(word: str, known: Iterable[str]) -> str:
    """`; did you mean 'x'?` for the known word closest to `word`, or `` when none is close."""
    import difflib

    word = word[:LONGEST_VALUE]  # the work grows with its square

    close = difflib.get_close_matches(word, list(known), n=1, cutoff=0.5)
    return f"; did you mean {close[0]!r}?" if close else ""


def shown(value: object) -> str:
    """A value as it is written, cut short where it is longer than a line should be."""
    text = repr(value)
    return text if len(text) <= LONGEST_VALUE else f"{text[: LONGEST_VALUE - 10]} ... {text[-4:]}"


def counted(number: int, one: str, more: str = "") -> str:
    """`1 picture`, `2 pictures`; `more` where that is not `one` with an s."""
    return f"{number} {one if number == 1 else more or one + 's'}"


@contextmanager
def refusing(where: object) -> Iterator[None]:
    """Make a Fault that names `where` of whatever goes wrong inside: for the reading of one file that anybody wrote.

    Hand-written checks name the usual faults better; this is for those that nobody thought of, so that one file never
    stops the rest. The traceback is logged for `--debug`.
    """
    try:
        yield
    except Fault:
        raise
    except Exception as error:
        log.debug("%s", where, exc_info=True)
        said = str(error).splitlines()
        reason = f"{type(error).__name__}: {said[0]:.200}" if said else type(error).__name__
        raise Fault(f"{where}: cannot be read ({reason}); it is left out") from error
