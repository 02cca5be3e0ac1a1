"""Pictures per second as exact numbers: 30000/1001 has no float, and a film of an hour would drift by frames."""

from __future__ import annotations

import re
from fractions import Fraction

FINEST = 100_000  # largest denominator as written; players and containers want them small
USUAL = 1001  # of the nearest rate that is taken instead, and for floats

_WRITTEN = re.compile(r"[0-9]{1,9}(\.[0-9]{0,12})?|[0-9]{1,9}/[0-9]{1,9}", re.ASCII)


def rate(fps: float | Fraction) -> Fraction:
    """An exact rate; a float is taken for the fraction of small numbers that it is meant to be."""
    return fps if isinstance(fps, Fraction) else Fraction(fps).limit_denominator(USUAL)


def written(text: str) -> Fraction | None:
    """A rate as written, `60`, `29.97` or `30000/1001`; None for anything else."""
    text = text.strip()
    if not _WRITTEN.fullmatch(text) or (text.partition("/")[2].strip("0") == "" and "/" in text):
        return None
    exact = Fraction(text)
    return exact if exact.denominator <= FINEST else exact.limit_denominator(USUAL)
