"""Numbers that a shader's header asks the host to make of others: times whose speed is a knob, ramps, filters.

MadMapper's GENERATORS. A shader that multiplies TIME by a speed jumps when that is turned; these go on from where they
are.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

#: What a signal may be, and the parameter that it follows, if it follows one.
KINDS = {
    "time_base": "",
    "animator": "",
    "shape_generator": "",
    "damper": "input_value",
    "adsr": "input_value",
    "adr": "input_value",
    "linear_filter": "input_value",
    "ease_filter": "input_value",
    "multiplier": "",
    "incrementer": "",
    "pass_thru": "input_value",
}
_SHAPES = ("smooth", "in", "out", "linear", "cut", "noise")
_USUAL_BPM = 120.0
_STEP_S = 1.0 / 60.0  # of the damper, whose numbers are meant for 60 frames a second


@dataclass(frozen=True, slots=True)
class Signal:
    """One number that is made.

    Attributes
    ----------
    kind : str
        One of KINDS.
    given : Mapping[str, float | str]
        Its parameters: numbers, names of inputs or of signals before it, words.
    words : Mapping[str, tuple[str, ...]]
        Input -> the words that its numbers stand for.
    """

    name: str
    kind: str
    given: Mapping[str, float | str]
    words: Mapping[str, tuple[str, ...]]


class Signals:
    """The signals of one shader as it plays; they start at rest."""

    def __init__(self, signals: tuple[Signal, ...]) -> None:
        self.signals = signals
        self._states: list[dict[str, float]] = [{} for _ in signals]
        self.values: dict[str, float] = {signal.name: 0.0 for signal in signals}

    def step(self, inputs: Mapping[str, float], dt: float, bpm: float = 0.0, beat: float = 0.0) -> Mapping[str, float]:
        """Go on by dt seconds; returns name -> value.

        Parameters
        ----------
        inputs : Mapping[str, float]
            Values of the shader's inputs; events are counts.
        bpm : float, optional
            Beats per minute of the music, 0 where it is not known.
        beat : float, optional
            Beats since it began.
        """
        known = {"/custom/BPM/bpm": bpm or _USUAL_BPM, "/custom/BPM/bpmPos": beat % 1.0}
        for signal, state in zip(self.signals, self._states, strict=True):
            asked = _Asked(signal, {**inputs, **self.values, **known})
            self.values[signal.name] = _next(asked, state, dt, bpm or _USUAL_BPM)
        return self.values


class _Asked:
    """A signal's parameters as they are now."""

    def __init__(self, signal: Signal, known: Mapping[str, float]) -> None:
        self.signal = signal
        self._known = known

    def number(self, name: str, usual: float = 0.0) -> float:
        given = self.signal.given.get(name, usual)
        value = self._known.get(given, usual) if isinstance(given, str) else given
        return value if math.isfinite(value) else usual

    def word(self, name: str) -> str:
        given = self.signal.given.get(name, "")
        if isinstance(given, str) and given in self._known:
            words = self.signal.words.get(given, _SHAPES)
            at = int(self._known[given])
            return words[at].lower() if 0 <= at < len(words) else ""
        return given.lower() if isinstance(given, str) else ""


def _next(asked: _Asked, state: dict[str, float], dt: float, bpm: float) -> float:
    kind = asked.signal.kind
    if kind in ("time_base", "animator", "shape_generator"):
        time = _time(asked, state, dt, bpm)
        return time if kind == "time_base" else _shape(asked.word("shape"), time)
    if kind == "multiplier":
        return math.prod(asked.number(f"value{i}", 1.0) for i in range(1, 5))
    if kind == "incrementer":
        for name, way in (("increment", 1.0), ("decrement", -1.0)):
            now = asked.number(name)
            state["count"] = state.get("count", 0.0) + way * max(now - state.get(name, now), 0.0)
            state[name] = now
        return state["count"]
    target = asked.number("input_value")
    if kind == "damper":
        return _damped(asked, state, target, dt)
    if kind in ("adsr", "adr"):
        return _attack_release(asked, state, target, dt)
    if kind in ("linear_filter", "ease_filter"):
        return _eased(asked, state, target, dt)
    return target


def _time(asked: _Asked, state: dict[str, float], dt: float, bpm: float) -> float:
    """Seconds at a speed; `strob` lets it be seen only so often."""
    speed, curve = asked.number("speed", 1.0), max(asked.number("speed_curve", 1.0), 0.0)
    rate = math.copysign(min(abs(speed), 1e3) ** min(curve, 16.0), speed)
    if asked.number("bpm_sync") and speed:
        rate = math.copysign(2.0 ** round(math.log2(min(max(abs(speed), 1 / 64), 64.0))), speed) * bpm / 60.0
    elif asked.number("link_speed_to_global_bpm"):
        rate *= bpm / _USUAL_BPM
    if asked.number("reverse"):
        rate = -rate
    state["time"] = state.get("time", 0.0) + min(max(rate, -1e6), 1e6) * dt
    pause = asked.number("strob")
    state["since"] = state.get("since", pause) + dt
    if pause <= 0.0 or state["since"] >= pause:
        state["since"], state["shown"] = 0.0, state["time"]
    return state.get("shown", 0.0)


def _shape(shape: str, time: float) -> float:
    """A cycle of one, 0 to 1."""
    at = time % 1.0
    if shape == "in":
        return at
    if shape == "out":
        return 1.0 - at
    if shape == "linear":
        return 1.0 - abs(2.0 * at - 1.0)
    if shape == "cut":
        return float(at >= 0.5)
    if shape in ("noise", "random"):
        eased = at * at * (3.0 - 2.0 * at)
        return (1.0 - eased) * _random(math.floor(time)) + eased * _random(math.floor(time) + 1)
    return 0.5 - 0.5 * math.cos(2.0 * math.pi * at)


def _random(number: int) -> float:
    mixed = (number * 0x9E3779B1) & 0xFFFFFFFF
    mixed = ((mixed ^ (mixed >> 15)) * 0x85EBCA6B) & 0xFFFFFFFF
    return ((mixed ^ (mixed >> 13)) & 0xFFFF) / 65535.0


def _damped(asked: _Asked, state: dict[str, float], target: float, dt: float) -> float:
    """A spring: `hardness` pulls, `damping` brakes."""
    hardness, damping = (
        min(max(asked.number("hardness", 0.1), 0.0), 1.0),
        min(max(asked.number("damping", 0.8), 0.0), 1.0),
    )
    value, speed = state.get("value", target), state.get("speed", 0.0)
    due = state.get("due", 0.0) + min(dt, 1.0)
    while due >= _STEP_S:
        speed = (speed + (target - value) * hardness) * (1.0 - damping)
        value += speed
        due -= _STEP_S
    state.update(value=value, speed=speed, due=due)
    return value


def _attack_release(asked: _Asked, state: dict[str, float], target: float, dt: float) -> float:
    """Up by `attack`, held for `decay` seconds, down by `release`; 0 is at once, 1 takes ten seconds."""

    def most(name: str) -> float:
        slow = min(max(asked.number(name), 0.0), 1.0)
        return 10.0 * (1.0 - (0.01 + slow * 0.98)) ** 3 * dt if slow > 0.0 else math.inf

    value = state.get("value", target)
    state["held"] = 0.0 if target >= value else state.get("held", 0.0) + dt
    if target >= value:
        value += min(target - value, most("attack"))
    elif state["held"] > asked.number("decay"):
        value -= min(value - target, most("release"))
    state["value"] = value
    return value


def _eased(asked: _Asked, state: dict[str, float], target: float, dt: float) -> float:
    """From where it is to a new target in `duration` seconds, evenly or eased in, out or both."""
    if target != state.get("target", target):
        state.update(begin=state.get("value", target), since=0.0)
    state["target"] = target
    state["since"] = state.get("since", math.inf) + dt
    duration = asked.number("duration", 0.5)
    part = min(state["since"] / duration, 1.0) if duration > 0.0 else 1.0
    if asked.signal.kind == "ease_filter":
        curve, way = min(max(asked.number("curve", 2.0), 1.0), 10.0), asked.word("type")
        if way == "easein":
            part = part**curve
        elif way == "easeout":
            part = 1.0 - (1.0 - part) ** curve
        else:
            part = 0.5 * (2.0 * part) ** curve if part < 0.5 else 1.0 - 0.5 * (2.0 - 2.0 * part) ** curve
    begin = state.get("begin", target)
    state["value"] = begin + (target - begin) * part
    return state["value"]
