"""What options say in words of their own, read: rates and channels."""

from __future__ import annotations

from fractions import Fraction

from performer.system.errors import Fault
from performer.types.rates import written


def fps_of(text: str, most: int) -> Fraction:
    """Pictures per second, exact as written: 60, 29.97, 30000/1001; 1 to `most`. Raises Fault."""
    fps = written(text)
    if fps is None or not 1 <= fps <= most:
        raise Fault(f"--fps {text[:40]!r}: expected 1 to {most} frames per second, such as 60, 29.97 or 30000/1001")
    return fps


def program_channel(text: str) -> int | None:
    """The MIDI channel whose program changes select presets: 1..16, 0 for all, None for off. Raises Fault."""
    word = text.strip().lower()
    if word in ("all", "off"):
        return 0 if word == "all" else None
    if word.isascii() and word.isdecimal() and len(word) <= 2 and 1 <= int(word) <= 16:
        return int(word)
    raise Fault(f"--program-channel {text[:40]!r}: expected 1 to 16, all or off")
