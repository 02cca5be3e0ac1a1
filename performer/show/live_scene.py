"""A scene in progress: its routes' followers, its walkers' positions, where its media are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from math import floor, isfinite
from typing import Any

from performer.latent.bank import Snapshot
from performer.latent.walks import WALKS
from performer.show.clock import Pulse
from performer.show.cues import span_beats
from performer.show.routing import Router, stays
from performer.show.snapshot_recall import HeldWalk
from performer.types.frame import FollowerRequest, Play, Scene, Walk
from performer.types.media_params import MEDIA
from performer.types.params import KINDS, Value
from performer.types.preset import Layer, Preset, WalkSpec
from performer.types.preset_params import NOISE
from performer.types.routes import PHRASE_BARS

IDLE_BEATS_PER_S = 0.2  # walks counted in beats still breathe when nothing can be heard


class LiveScene:
    """A scene in progress: its routes' followers and its walkers' positions.

    Parameters
    ----------
    counts : Mapping[str, float], optional
        Counts of notes and presses before it began.
    """

    def __init__(
        self,
        number: int,
        preset: Preset,
        t: float,
        *,
        seed: int,
        pulse: Pulse,
        counts: Mapping[str, float] | None = None,
    ) -> None:
        self.number = number
        self.preset = preset
        self.started = t
        self._seed = seed
        self.after = 0  # number of the scene that it goes on from, if it does
        self.router, self.following = _router(preset, counts), _following(preset, preset.base, seed, 0)
        self.positions = {name: self._first(node, walk, pulse) for name, node, walk in _walkers(preset)}
        self.positions |= {layer.name: 0.0 for layer in preset.layers if layer.play}
        self.positions |= {
            f"{layer.name}.noise": 0.0
            for layer in preset.layers
            if layer.walk is not None and "noise" in layer.walk.inlets
        }
        self.seeds = {name: walk.seed + 7919 * seed for name, _, walk in _walkers(preset)}
        self.routes: tuple[tuple[str, str, float], ...] = ()
        self.holdings: dict[str, HeldWalk] = {}  # of layers, from their first kept place on
        self._moves: dict[str, tuple[float, ...]] = {}  # layer -> amounts of its model's directions, a frame ago
        self._led: Value | None = None  # how far the follower counts, as the routes had it a frame ago

    def adopt(self, preset: Preset) -> None:
        """Go on with an edited version of the preset: knobs, followers and walkers stay where they are."""
        router = _router(preset)
        router.follow(self.router)
        self.preset = preset
        self.router = router

    def take_over(self, before: LiveScene) -> None:
        """Go on where another scene of the same preset stands, but for the time that shaders see."""
        self.router.follow(before.router)
        self.after = before.number
        self.following = before.following and replace(before.following, after=before.number)
        self.positions = dict(before.positions)
        self.holdings = before.holdings
        self._led = before._led

    def hold(self, layer: Layer, place: Snapshot, t: float, seconds: float, values: Mapping[str, float]) -> None:
        """Let a layer's walk glide to a place, which comes as it was kept wherever the knobs of its directions are.

        From there hands move it on. What the music moves is where the music has it now: that of then is taken off.
        """
        played = dict(place.played)
        at = [rest + (played.get(name, 0.0) if musical else 0.0) for name, rest, musical in self._knobs(layer, values)]
        self.holdings.setdefault(layer.name, HeldWalk()).recall(place.whole, t, seconds, tuple(at) if any(at) else ())

    def release(self, t: float, seconds: float) -> None:
        """All walks glide back to where they would be."""
        for holding in self.holdings.values():
            holding.release(t, seconds)

    def played(self, layer: Layer, values: Mapping[str, float]) -> dict[str, float]:
        """How far the music moves the directions of a layer's model now, by their names."""
        moves = self._moves.get(layer.name, ())
        return (
            {
                name: move - rest
                for move, (name, rest, musical) in zip(moves, self._knobs(layer, values), strict=True)
                if musical and move != rest
            }
            if any(moves)
            else {}
        )

    def _knobs(self, layer: Layer, values: Mapping[str, float]) -> list[tuple[str, float, bool]]:
        """Of each direction its name, where its knob is but for the music, and whether the music moves it."""
        led = self.preset.base.get("follower.play.amount", 1.0) if self._led is None else self._led
        moved = {route.target for route in self.preset.routes if not stays(route.source)}
        knobs = layer.walk.knobs if layer.walk is not None else ()
        return [
            (
                address.rpartition(".")[2],
                self.router.resting(address, values, led),  # type: ignore
                address in moved,
            )
            for address in knobs
        ]

    def turn(self, address: str, value: float, text: str) -> None:
        """Set a knob by hand; of a colour or a point, `text` has the numbers, with commas."""
        try:
            parts = tuple(float(part) for part in text.split(",")) if text else ()
        except ValueError:
            return
        if all(map(isfinite, (value, *parts))) and len(parts) in (
            0,
            KINDS.get(self.preset.params[address].kind, 0) if address in self.preset.params else 0,
        ):
            self.router.turn(address, parts or value)

    def jump(self) -> None:
        """All walkers on to their next keyframe, at least half a keyframe away."""
        for layer in self.preset.layers:
            if layer.name in self.positions and (layer.play is None or layer.play.kind != "video"):
                self.positions[layer.name] = floor(self.positions[layer.name] + 0.5) + 1.0

    def _first(self, node: str, walk: WalkSpec, pulse: Pulse) -> float:
        """Where a walk begins: one that is locked so that its whole positions fall on what it counts."""
        lock = _lock(walk)
        if lock == "free":
            return 0.0
        count = pulse.beat if lock == "beat" else pulse.bar / (PHRASE_BARS if lock == "phrase" else 1)
        speed = self.preset.base[f"{node}.speed"]
        assert isinstance(speed, float)
        return (count * speed) % 1.0

    @staticmethod
    def _span(walk: WalkSpec, dt: float, beats: float, meter: int) -> float:
        """How much of what a walk counts has gone by: seconds, or beats, bars, phrases; those never stand still."""
        lock = _lock(walk)
        return dt if lock == "free" else max(beats, IDLE_BEATS_PER_S * dt) / span_beats(lock, meter)

    def step(self, values: Mapping[str, float], t: float, dt: float, beats: float, beat: float, meter: int) -> Scene:
        """Advance to time t; return the scene as it stands then."""
        amount = self.preset.base.get("follower.play.amount", 1.0) if self._led is None else self._led
        params, routes = self.router.step(values, t, dt, amount)  # type: ignore[arg-type]
        self.routes = tuple(routes)
        self._led = params.get("follower.play.amount")
        self.following = _following(self.preset, params, self._seed, self.after)
        walks = {}
        for layer in self.preset.layers:
            if layer.walk is None:
                continue
            moves = self._moves[layer.name] = tuple([params[address] for address in layer.walk.knobs])  # type: ignore
            holding = self.holdings.get(layer.name)
            walk = replace(
                self._walked(layer.name, f"{layer.name}.walk", layer.walk, params, dt, beats, meter),
                moves=moves if any(moves) else (),
                stops=holding.stops(t) if holding is not None else (),
                space=layer.walk.space,
                **self._inlets(layer.name, layer.walk, params, dt),
            )
            if layer.walk.styles != (None, None):
                middle, fine = (
                    self._walked(f"{layer.name}.{part}", f"{layer.name}.{part}", style, params, dt, beats, meter)
                    if style is not None
                    else None
                    for part, style in zip(("middle", "fine"), layer.walk.styles, strict=True)
                )
                walk = replace(
                    walk,
                    styles=(
                        middle and replace(middle, space=walk.space),
                        fine and replace(fine, space=walk.space),
                    ),
                )
            walks[layer.name] = walk
        plays = self._play(params, dt, beats, beat, meter)
        return Scene(self.number, self.preset, params, walks, t - self.started, plays)

    def _walked(
        self, name: str, node: str, spec: WalkSpec, params: Mapping[str, Value], dt: float, beats: float, meter: int
    ) -> Walk:
        """One walker, a step further."""
        speed, kick, truncation = (params[f"{node}.{knob}"] for knob in ("speed", "kick", "truncation"))
        assert isinstance(speed, float) and isinstance(kick, float) and isinstance(truncation, float)
        self.positions[name] += speed * self._span(spec, dt, beats, meter) + kick * dt
        return Walk(spec.kind, self.positions[name], self.seeds[name], truncation)

    def _inlets(self, layer: str, spec: WalkSpec, params: Mapping[str, Value], dt: float) -> dict[str, Any]:
        """Truncation and noise of a layer's model, as fields of a Walk."""
        found: dict[str, Any] = {}
        if "truncation" in spec.inlets:
            found["psi"] = params[f"{layer}.truncation"]
        if "noise" in spec.inlets:
            amount, coarse, middle, fine, speed = (
                float(params[f"{layer}.{knob.name}"])  # type: ignore[arg-type]
                for knob in NOISE
            )
            self.positions[f"{layer}.noise"] += speed * dt
            if amount > 0.0:
                seed = float((spec.noise_seed + 7919 * self._seed) % (1 << 52))  # a float has all numbers up to there
                found["noise"] = (
                    self.positions[f"{layer}.noise"],
                    seed,
                    amount * coarse,
                    amount * middle,
                    amount * fine,
                )
        return found

    def _play(self, params: Mapping[str, Value], dt: float, beats: float, beat: float, meter: int) -> dict[str, Play]:
        """Where the media of each layer are."""
        plays = {}
        for layer in self.preset.layers:
            if layer.play is None:
                continue
            names = [f"{layer.name}.play.{param.name}" for param in MEDIA[layer.play.kind]]
            if names:
                lock = layer.play.lock
                span = dt if lock == "free" else max(beats, IDLE_BEATS_PER_S * dt) / span_beats(lock, meter)
                speed = params[names[0]]
                assert isinstance(speed, float)
                self.positions[layer.name] += speed * span
            plays[layer.name] = Play(self.positions[layer.name], tuple([params[name] for name in names[1:]]), beat)
        return plays


def _walkers(preset: Preset) -> list[tuple[str, str, WalkSpec]]:
    """(key of its position, its node, its spec) of every walker: of layers, and of mixed styles."""
    found = []
    for layer in preset.layers:
        if layer.walk is not None:
            found.append((layer.name, f"{layer.name}.walk", layer.walk))
            found += [
                (f"{layer.name}.{part}", f"{layer.name}.{part}", style)
                for part, style in zip(("middle", "fine"), layer.walk.styles, strict=True)
                if style is not None
            ]
    return found


def _router(preset: Preset, counts: Mapping[str, float] | None = None) -> Router:
    hold = preset.follower.hold if preset.follower else 0.0
    return Router(preset.routes, preset.params, preset.base, hold, counts)


def _following(preset: Preset, params: Mapping[str, Value], seed: int, after: int) -> FollowerRequest | None:
    """What the scene wants of a follower now, if it has one."""
    spec = preset.follower
    if spec is None:
        return None
    wildness = params["follower.play.wildness"]
    assert isinstance(wildness, float)
    return FollowerRequest(spec.name, spec.seed + 7919 * seed, wildness, after)


def _lock(walk: WalkSpec) -> str:
    return "beat" if walk.lock == "free" and walk.kind in WALKS and WALKS[walk.kind].on_beats else walk.lock
