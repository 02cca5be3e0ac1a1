"""A preset as it is played: layers, chains, walks, media, routes and all parameters. `content.presets` reads it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from performer.types.params import Param, Value
from performer.types.routes import Route


@dataclass(frozen=True, slots=True)
class Node:
    """One shader in a chain; its parameters' addresses are `layer.name.input`."""

    name: str
    shader: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WalkSpec:
    """How a layer's walker moves; its speed, kick and truncation are parameters `layer.walk.*`.

    Attributes
    ----------
    lock : str
        "free": its position counts seconds; "beat", "bar", "phrase": those, and keyframes fall on them.
    styles : tuple[WalkSpec | None, WalkSpec | None]
        Walks of the middle and the fine layers, `layer.middle.*` and `layer.fine.*`, where styles are mixed.
    knobs : tuple[str, ...]
        Addresses of the model's directions, `layer.latent.*`, in the model's order.
    space : str
        "z", or "w": through the styles of the model.
    inlets : tuple[str, ...]
        What else of the model can be played: "truncation", `layer.truncation`; "noise", `layer.noise` and its shares.
    noise_seed : int
        Noise seed of that noise.
    """

    kind: str
    seed: int
    lock: str = "free"
    knobs: tuple[str, ...] = ()
    styles: tuple[WalkSpec | None, WalkSpec | None] = (None, None)
    space: str = "z"
    inlets: tuple[str, ...] = ()
    noise_seed: int = 3


@dataclass(frozen=True, slots=True)
class PlaySpec:
    """Media that a layer shows; its knobs are parameters `layer.play.*`.

    Attributes
    ----------
    kind : str
        One of `media_params.MEDIA`.
    what : str
        File, folder, device or words, one of them to a line.
    lock : str
        "free", "beat", "bar" or "phrase": what its speed is counted in.
    options : tuple[tuple[str, str | int], ...]
        Loop, shuffle, seed, mirror, font.
    """

    kind: str
    what: str
    lock: str
    options: tuple[tuple[str, str | int], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Layer:
    """A source (a model or an ISF source shader, node name "source"), its chain, and how it lies on those below.

    Attributes
    ----------
    blend : str
        One of `blend_modes.BLEND_MODES`.
    mask : str | None
        Name of the layer whose brightness says where this one is seen.
    of : str | None
        Name of the layer whose picture the model turns into another; the first of those in `each`.
    each : tuple[tuple[str, str], ...]
        (input of the model, name of the layer whose picture it takes), where each takes its own; the others take the
        first's.
    fit : str
        "cover": the middle of the model's or media's picture; "contain": all of it, clear on both sides.
    """

    name: str
    model: str | None
    shader: str | None
    walk: WalkSpec | None
    effects: tuple[Node, ...]
    blend: str
    mask: str | None = None
    of: str | None = None
    fit: str = "cover"
    play: PlaySpec | None = None
    each: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Transition:
    """How the show changes to a preset: a transition shader, over so many seconds."""

    shader: str
    seconds: float


@dataclass(frozen=True, slots=True)
class FollowerSpec:
    """The follower that improvises with the scene; how much and how wildly are parameters `follower.play.*`.

    Attributes
    ----------
    seed : int
        Seed of its improvisation.
    hold : float
        Seconds that a knob stays with the hand that turned it last.
    """

    name: str
    seed: int
    hold: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Preset:
    """A scene to play.

    Attributes
    ----------
    params : Mapping[str, Param]
        Address -> Param of every knob.
    base : Mapping[str, Value]
        Address -> value of every knob with all routes at rest.
    source : Mapping[str, Any]
        The TOML as written, ready to be written again.
    """

    name: str
    title: str
    author: str
    mood: str
    tags: tuple[str, ...]
    order: int
    transition: Transition
    layers: tuple[Layer, ...]
    master: tuple[Node, ...]
    routes: tuple[Route, ...]
    params: Mapping[str, Param] = field(repr=False)
    base: Mapping[str, Value] = field(repr=False)
    source: Mapping[str, Any] = field(repr=False, compare=False)
    follower: FollowerSpec | None = None

    @property
    def shaders(self) -> tuple[str, ...]:
        """Names of all shaders it draws with, each once."""
        names = [layer.shader for layer in self.layers if layer.shader is not None]
        names += [node.shader for layer in self.layers for node in layer.effects]
        return tuple(dict.fromkeys([*names, *(node.shader for node in self.master), self.transition.shader]))

    @property
    def model_layers(self) -> tuple[Layer, ...]:
        """Layers that walk through a model's latents: those that a bank may hold, the first of each model."""
        first: dict[str, Layer] = {}
        for layer in self.layers:
            if layer.walk is not None and layer.model is not None:
                first.setdefault(layer.model, layer)
        return tuple(first.values())

    def same_shape(self, other: Preset) -> bool:
        """Whether the other differs only in values, routes and inputs: then it can take over while this one plays."""
        return (self.layers, self.master, self.transition.shader) == (
            other.layers,
            other.master,
            other.transition.shader,
        )
