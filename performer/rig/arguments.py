"""What is typed for options that have words of their own, read: sizes, rates, channels, controllers, moments."""

from __future__ import annotations

from fractions import Fraction

from performer.system.errors import Fault, nearest
from performer.system.numbers import whole_number
from performer.types.rates import written


def size_of(text: str) -> tuple[int, int]:
    """(width, height) from "1280x720". Raises Fault."""
    width, height = (whole_number(side, 16384) or 0 for side in text.lower().partition("x")[::2])
    if min(width, height) < 16:
        raise Fault(f"--size {text!r}: expected WIDTHxHEIGHT from 16x16 to 16384x16384, such as 1280x720")
    return width, height


def size_text(size: tuple[int, int]) -> str:
    """As `size_of` reads it."""
    return "{}x{}".format(*size)


def fps_of(text: str, most: int) -> Fraction:
    """Pictures per second, exact as written: 60, 29.97, 30000/1001; 1 to `most`. Raises Fault."""
    fps = written(text)
    if fps is None or not 1 <= fps <= most:
        raise Fault(f"--fps {text[:40]!r}: expected 1 to {most} frames per second, such as 60, 29.97 or 30000/1001")
    return fps


def live_fps_of(text: str) -> float:
    """Pictures per second of a live show: 1 to 500. Raises Fault."""
    return float(fps_of(text, most=500))


def quantum(text: str) -> str:
    """One of now, beat, bar, phrase. Raises Fault."""
    from performer.show.cues import QUANTA

    if text not in QUANTA:
        raise Fault(f"--quantise {text!r}: expected {', '.join(QUANTA)}{nearest(text, QUANTA)}")
    return text


def controller(text: str) -> str:
    """The address of a MIDI controller: midi.cc8 from "cc8" or "8"; "" stays so. Raises Fault."""
    number = whole_number(text.lower().removeprefix("midi.").removeprefix("cc"), 127)
    if text and number is None:
        raise Fault(f"--crossfader {text!r}: expected the number of a MIDI controller, cc0 to cc127")
    return f"midi.cc{number}" if text else ""


def program_channel(text: str) -> int | None:
    """The MIDI channel whose program changes select presets: 1..16, 0 for all, None for off. Raises Fault."""
    word = text.strip().lower()
    if word in ("all", "off"):
        return 0 if word == "all" else None
    if word.isascii() and word.isdecimal() and len(word) <= 2 and 1 <= int(word) <= 16:
        return int(word)
    raise Fault(f"--program-channel {text[:40]!r}: expected 1 to 16, all or off")


def channel_text(channel: int | None) -> str:
    """As `program_channel` reads it."""
    return "off" if channel is None else str(channel or "all")
