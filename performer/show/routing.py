"""Routing: what the routes of a scene make of its parameters, moment by moment, and who has a knob in hand. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import exp, isfinite, pi, sin

from performer.types.params import Param, Value
from performer.types.routes import COUNTS, CURVES, PHRASE_BARS, Route, presses

# time constants in which a hand takes a knob from the follower, and gives it back
TAKE_S = 0.1
GIVE_BACK_S = 2.0


def read(source: str, values: Mapping[str, float], t: float) -> float | None:
    """The source's value now; None when it has never spoken (a knob not yet touched)."""
    value = values.get(source)
    if value is not None:
        return value
    if source == "time":
        return t
    if source.startswith("lfo."):
        return 0.5 + 0.5 * sin(2.0 * pi * t * float(source[4:]))
    return None


class Smoother:
    """Smooths a value with one time constant upwards and another downwards, whatever the frame rate."""

    def __init__(self, attack: float, release: float, value: float = 0.0) -> None:
        self.attack = attack
        self.release = release
        self.value = value

    def step(self, target: float, dt: float) -> float:
        """Move towards target for dt seconds; returns the new value."""
        tau = self.attack if target > self.value else self.release
        self.value = target if tau <= 0.0 else self.value + (target - self.value) * (1.0 - exp(-dt / tau))
        return self.value


class HandPriority:
    """Who has a knob that both a performer and the follower may turn: 1 the performer's hand, 0 the follower.

    Parameters
    ----------
    hold : float
        Seconds that it stays with the hand that turned it last.
    """

    def __init__(self, hold: float) -> None:
        self.share = 0.0
        self.hold = hold
        self._seen: dict[str, float] = {}
        self.turned = False  # since the last step, other than by a control
        self._turned_t = float("-inf")
        self._glide = Smoother(TAKE_S, GIVE_BACK_S)

    def step(self, controls: Mapping[str, float | None], t: float, dt: float) -> float:
        """Where the controls are now -> `share`. What lay somewhere before is not being turned."""
        if self.turned or any(
            value is not None and value != self._seen.get(source, value) for source, value in controls.items()
        ):
            self._turned_t = t
            self.turned = False
        self._seen = {source: float("nan") if value is None else value for source, value in controls.items()}
        self.share = self._glide.step(1.0 if t - self._turned_t < self.hold else 0.0, dt)
        return self.share


class SoftTakeover:
    """Soft takeover: a controller has a knob only once it has passed where that knob is, so that nothing leaps."""

    NEAR = 1.5 / 127.0  # of its way: a step of a controller and a half

    def __init__(self) -> None:
        self.caught = False
        self._before: float | None = None

    def release(self) -> None:
        """Somebody else has turned the knob."""
        self.caught = False
        self._before = None

    def step(self, at: float, there: float, way: float) -> bool:
        """Note where the controller would put the knob, and where that is; True when it catches it now.

        Parameters
        ----------
        way : float
            Way of the whole controller.
        """
        before = self._before
        self._before = at
        if self.caught:
            return False
        passed = before is not None and (before - there) * (at - there) <= 0.0 and before != at
        self.caught = passed or abs(at - there) <= self.NEAR * abs(way)
        return self.caught


class Router:
    """The routes of one scene with their followers.

    Parameters
    ----------
    routes : Sequence[Route]
        What moves what.
    params : Mapping[str, Param]
        Address -> Param of every target.
    base : Mapping[str, Value]
        Address -> value with all routes at rest.
    hold : float, optional
        See Grip.
    counts : Mapping[str, float], optional
        Counts of notes and presses so far, from which event parameters count; None: as they are in the first step.
    """

    def __init__(
        self,
        routes: Sequence[Route],
        params: Mapping[str, Param],
        base: Mapping[str, Value],
        hold: float = 0.0,
        counts: Mapping[str, float] | None = None,
    ) -> None:
        self.base = dict(base)
        self._params, self._hands = params, dict[str, Value]()  # what a hand adds to each knob
        self._led = {route.target for route in routes if _by_follower(route)}
        self._grips = {route.target: HandPriority(hold) for route in routes if route.target in self._led}
        self._rows = [(route, Smoother(route.attack, route.release), params[route.target]) for route in routes]
        self._targets = {route.target: params[route.target] for route in routes}
        self._pickups = {route: SoftTakeover() for route in routes if route.pickup}
        self._presses = {route.source: presses(route.source) for route in routes}
        self._edges: dict[Route, tuple[bool, int]] = {}
        self._first: dict[Route, float] = {}
        if counts is not None:
            for route in filter(_by_hand, routes):
                name = route.source if route.source in COUNTS else self._presses[route.source]
                self._first[route] = counts.get(name, 0.0)
        self._held: dict[Route, tuple[float, float]] = {}  # beat, bar or phrase, and what was read when it began

    def follow(self, other: Router) -> None:
        """Take over what the other's followers and counters hold, for routes that both have."""
        self._hands = {
            address: more
            for address, more in other._hands.items()
            if address in self.base and self.base[address] == other.base[address]
        }
        held = {route: follower.value for route, follower, _ in other._rows}
        for route, follower, _ in self._rows:
            follower.value = held.get(route, follower.value)
        for target, grip in other._grips.items():
            if target in self._grips:
                grip.hold, self._grips[target] = self._grips[target].hold, grip
        self._pickups.update({route: pickup for route, pickup in other._pickups.items() if route in self._pickups})
        self._edges.update(other._edges)
        self._first.update(other._first)
        self._held.update(other._held)

    def turn(self, address: str, value: Value) -> None:
        """Set a knob by hand, an event knob off; routes move it about its new place. Strange addresses do nothing."""
        param, base = self._params.get(address), self.base.get(address)
        if param is None or base is None:
            return
        if param.kind == "event":
            value = _sum(self._hands.get(address, 0.0), 1.0)
            base = 0.0
        elif isinstance(base, tuple) != isinstance(value, tuple):
            return
        else:
            value = param.clamp(value)
        self._hands[address] = _sum(value, base, -1.0)
        for route, pickup in self._pickups.items():
            if route.target == address:
                pickup.release()
        if address in self._grips:
            self._grips[address].turned = True

    def release(self) -> None:
        """Knobs that were set by hand go back; what an event has counted stays counted."""
        self._hands = {address: more for address, more in self._hands.items() if self._params[address].kind == "event"}
        for pickup in self._pickups.values():
            pickup.release()

    def turned(self) -> dict[str, Value]:
        """Knobs that were set by hand, and to what."""
        return {address: _sum(self.base[address], more) for address, more in self._hands.items()}

    def step(
        self, values: Mapping[str, float], t: float, dt: float, led: float = 1.0
    ) -> tuple[dict[str, Value], list[tuple[str, str, float]]]:
        """All parameters now, and (source, target, 0..1) of each route.

        Several routes to one target add what each would change of its base value. What a follower moves counts by
        `led`, 0..1, and not at all while a hand is on that knob.
        """
        params = dict(self.base)
        shown = []
        for target, grip in self._grips.items():
            grip.step(
                {
                    route.source: values.get(route.source)
                    for route, _, _ in self._rows
                    if route.target == target and _by_hand(route)
                },
                t,
                dt,
            )
        for route, follower, param in self._rows:
            raw = read(route.source, values, t)
            if param.kind == "event":
                raw = values.get(self._presses[route.source], raw)
            if raw is None or not isfinite(raw):
                continue
            if route.quantise != "now":
                raw = self._hold(route, raw, values)
            if param.kind == "event":
                amount = self._event(route, raw, self._presses[route.source] in values)
                count = params[route.target]
                params[route.target] = (count if isinstance(count, float) else 0.0) + amount
                shown.append((route.source, route.target, min(amount % 2.0, 1.0)))
                continue
            x = _read(route, raw)
            if route.pickup and not self._has(route, follower, x):
                shown.append((route.source, route.target, x))
                continue
            x = follower.step(x, dt)
            part = self._part(route, led) if self._led else 1.0
            params[route.target] = _offset(params[route.target], self.base[route.target], route.outside, x, part)
            shown.append((route.source, route.target, x * part if _by_follower(route) else x))
        for address, more in self._hands.items():
            params[address] = self._params[address].clamp(_sum(params[address], more))
        for target, param in self._targets.items():
            params[target] = param.clamp(params[target])
        return params, shown

    def resting(self, address: str, values: Mapping[str, float], led: float = 1.0) -> Value:
        """Where a knob is but for what the music moves: as the preset says, and as hands have put it.

        Controllers count where they are going; what does not stay where it is put (notes, bends) does not count.
        """
        at = base = self.base[address]
        for route, _, _ in self._rows:
            raw = values.get(route.source)
            if (
                route.target == address
                and stays(route.source)
                and raw is not None
                and isfinite(raw)
                and (not route.pickup or self._pickups[route].caught)
            ):
                at = _offset(at, base, route.outside, _read(route, raw), self._part(route, led) if self._led else 1.0)
        param = self._params[address]
        if address in self._hands:
            at = param.clamp(_sum(at, self._hands[address]))
        return param.clamp(at) if address in self._targets else at

    def _has(self, route: Route, follower: Smoother, x: float) -> bool:
        """Whether a controller has picked its knob up; when it does, it takes it from whatever hand had it."""
        pickup, (low, high) = self._pickups[route], route.outside
        there = _sum(self.base[route.target], self._hands.get(route.target, 0.0))
        assert not (isinstance(low, tuple) or isinstance(high, tuple) or isinstance(there, tuple))
        if pickup.step(low + (high - low) * x, there, high - low):
            self._hands.pop(route.target, None)
            follower.value = x
        return pickup.caught

    def _part(self, route: Route, led: float) -> float:
        """How far a route counts."""
        grip = self._grips.get(route.target)
        if grip is None or not (_by_follower(route) or _by_hand(route)):
            return 1.0
        led *= 1.0 - grip.share
        return led if _by_follower(route) else 1.0 - led

    def _hold(self, route: Route, raw: float, values: Mapping[str, float]) -> float:
        """The source as it was when the present beat, bar or phrase began; as it is while nobody knows the tempo."""
        if values.get("beat.tempo", 0.0) <= 0.0:
            return raw
        place = values["beat.count" if route.quantise == "beat" else "beat.bars"]
        if route.quantise == "phrase":
            place //= PHRASE_BARS
        held = self._held.get(route)
        if held is None or held[0] != place:
            held = self._held[route] = (place, raw)
        return held[1]

    def _event(self, route: Route, raw: float, counted: bool) -> float:
        if counted or route.source in COUNTS:  # counted from the scene's start, so that old events do not fire again
            return raw - self._first.setdefault(route, raw)
        high, count = self._edges.get(route, (raw >= 0.5, 0))
        if high:
            high = raw > 0.35
        elif raw >= 0.5:
            high = True
            count = count + 1
        self._edges[route] = (high, count)
        return float(count)


def _sum(one: Value, two: Value, times: float = 1.0) -> Value:
    if isinstance(one, tuple):
        assert isinstance(two, tuple)
        return tuple([a + times * b for a, b in zip(one, two, strict=True)])
    assert not isinstance(two, tuple)
    return one + times * two


def stays(source: str) -> bool:
    """Whether what a source says stays until a hand says something else."""
    return source.startswith("midi.cc")


def _read(route: Route, raw: float) -> float:
    low, high = route.inside
    return CURVES[route.curve].function(min(max((raw - low) / (high - low), 0.0), 1.0))


def _by_hand(route: Route) -> bool:
    return route.source.startswith("midi.")


def _by_follower(route: Route) -> bool:
    return route.source.startswith("follower.")


def _offset(now: Value, base: Value, outside: tuple[Value, Value], x: float, part: float = 1.0) -> Value:
    """A value, moved by what a route would change of its base value, or by a part of it."""
    low, high = outside
    if isinstance(now, tuple):
        n = len(now)
        lows = low if isinstance(low, tuple) else (low,) * n
        highs = high if isinstance(high, tuple) else (high,) * n
        bases = base if isinstance(base, tuple) else (base,) * n
        return tuple(
            _partly(v, v + a + (b - a) * x - c, part) for v, a, b, c in zip(now, lows, highs, bases, strict=True)
        )
    assert not isinstance(low, tuple) and not isinstance(high, tuple) and not isinstance(base, tuple)
    return _partly(now, now + low + (high - low) * x - base, part)


def _partly(now: float, then: float, part: float) -> float:
    return then if part == 1.0 else now + (then - now) * part
