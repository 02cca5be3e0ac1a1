"""Routes: source -> curve, range, attack and release -> target, as a preset says them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import isfinite, sqrt

from performer.system.errors import nearest, shown
from performer.system.numbers import whole_number
from performer.types.params import Value


@dataclass(frozen=True, slots=True)
class Curve:
    """What a route makes of its source.

    Attributes
    ----------
    name : str
        As presets write it after `curve =`.
    help : str
        What it does, for people.
    function : Callable[[float], float]
        0..1 to 0..1, rising; 0 stays 0, and 1 stays 1.
    """

    name: str
    help: str
    function: Callable[[float], float]


_ROWS = (
    Curve("linear", "as it is", lambda x: x),
    Curve("square", "holds back what is weak", lambda x: x * x),
    Curve("sqrt", "brings out what is weak", sqrt),
    Curve("smooth", "begins and ends softly", lambda x: x * x * (3.0 - 2.0 * x)),
    Curve("step", "nothing below one half, all from there on", lambda x: 1.0 if x >= 0.5 else 0.0),
)
#: A new curve is one row.
CURVES = {curve.name: curve for curve in _ROWS}

#: Sources that count, for `event` targets; their phase or strength has another name.
COUNTS = (
    "audio.onsets",
    "audio.kicks",
    "audio.snares",
    "audio.hats",
    "audio.drops",
    "beat.count",
    "beat.bars",
    "midi.notes",
)
PHRASE_BARS = 8  # bars in a phrase
BEAT = ("beat.phase", "beat.pulse", "beat.bar", "beat.confidence", "beat.tempo")
MIDI = ("midi.bend", "midi.pressure", "midi.velocity", "midi.note", "midi.program")


@dataclass(frozen=True, slots=True)
class Route:
    """What moves what.

    Attributes
    ----------
    source : str
        `audio.bass`, `beat.pulse`, `midi.cc74`, `follower.sway`, `lfo.0.25`, `time` ...
    target : str
        Address of a parameter, `layer.node.param`.
    curve : str
        One of CURVES, applied after the source's part `inside` is stretched to 0..1.
    outside : tuple[Value, Value]
        What the target gets for 0 and for 1.
    attack : float
        Seconds to rise by 63 %.
    release : float
        To fall.
    quantise : str
        "beat", "bar" or "phrase": the source is read only when one begins; "now": always.
    pickup : bool
        A controller moves the target only from where it has passed the target's present value on.
    """

    source: str
    target: str
    curve: str = "linear"
    inside: tuple[float, float] = (0.0, 1.0)
    outside: tuple[Value, Value] = (0.0, 1.0)
    attack: float = 0.0
    release: float = 0.0
    quantise: str = "now"
    pickup: bool = False


def complaint(source: str, audio: Sequence[str]) -> str | None:
    """Why `source` is not a route source, with the nearest that is; None when all is well.

    Parameters
    ----------
    audio : Sequence[str]
        Names of the analyser's features.
    """
    if source in COUNTS or source in BEAT or source in MIDI or source == "time":
        return None
    room, _, name = source.partition(".")
    if room == "audio" and name in audio:
        return None
    if room == "midi":
        for stem in ("cc", "note", "touch"):
            if name.startswith(stem) and whole_number(name[len(stem) :], 127) is not None:
                return None
    if room == "follower" and name and name.replace("_", "").isalnum():
        return None
    if room == "lfo":
        try:
            rate = float(name)
        except ValueError:
            rate = -1.0
        if isfinite(rate) and 0.0 < rate <= 30.0:
            return None
        return f"{shown(source)}: an lfo needs its rate in hertz, above 0 and at most 30, such as 'lfo.0.25'"
    known = [*(f"audio.{n}" for n in audio), *COUNTS, *BEAT, *MIDI, "midi.cc74", "midi.note60", "lfo.0.25", "time"]
    return f"{shown(source)} is no route source{nearest(source, known)}"


def presses(source: str) -> str:
    """The name under which presses of a control are counted; no route source itself."""
    return f"{source}.presses"
