"""TOML text -> Preset. An error names the file, the key, what was expected and the nearest match."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal, Protocol

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from performer.control.layering import BLENDS, KEY, KEYS, MASK, OPACITY, TRANSFORM
from performer.control.params import Param
from performer.control.routes import CURVES, Route, complaint
from performer.errors import Fault, nearest
from performer.frame import Value
from performer.latent.walks import WALKS

WALK_PARAMS = (
    Param("speed", default=0.15, low=0.0, high=4.0, unit="positions per second (per beat for hop)"),
    Param("kick", default=0.0, low=0.0, high=16.0, unit="positions per second"),
    Param("truncation", default=0.9, low=0.0, high=1.0),
)

#: Names of a layer's own nodes, which no effect may have.
RESERVED = ("walk", "source", "mix", "transform", "key", "mask")


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", populate_by_name=True, allow_inf_nan=False)


Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$", max_length=40)]


class _Node(_Table):
    shader: str
    name: Name | None = None
    inputs: dict[str, Any] = {}


class _Walk(_Table):
    kind: str = "drift"
    speed: float = WALK_PARAMS[0].default  # type: ignore[assignment]
    kick: float = 0.0
    truncation: float = WALK_PARAMS[2].default  # type: ignore[assignment]
    seed: int = 1


class _Transform(_Table):
    x: float = 0.0
    y: float = 0.0
    scale: float = 1.0
    angle: float = 0.0


class _Key(_Table):
    threshold: float = 0.25
    softness: float = 0.1
    color: list[float] = [0.0, 1.0, 0.0]


class _Mask(_Table):
    layer: str
    amount: float = 1.0
    invert: bool = False


class _Layer(_Table):
    name: Name = "main"
    model: str | None = None
    of: str | None = None
    shader: str | None = None
    inputs: dict[str, Any] = {}
    blend: str = "normal"
    opacity: float = Field(1.0, ge=0.0, le=1.0)
    transform: _Transform = _Transform()
    key: _Key | None = None
    mask: _Mask | None = None
    walk: _Walk | None = None
    effect: list[_Node] = []

    @model_validator(mode="after")
    def _one_source(self) -> _Layer:
        if (self.model is None) == (self.shader is None):
            raise ValueError("a layer needs either model = NAME or shader = NAME")
        if self.walk is not None and self.model is None:
            raise ValueError("a walk needs a model; this layer's source is a shader")
        if self.of is not None and (self.model is None or self.walk is not None):
            raise ValueError("of is for a model that turns another layer's picture into its own, without a walk")
        return self


class _Master(_Table):
    effect: list[_Node] = []


class _Transition(_Table):
    shader: str = "dissolve"
    seconds: float = Field(default=1.5, ge=0.0, le=60.0)
    inputs: dict[str, Any] = {}


class _Route(_Table):
    source: str = Field(alias="from")
    target: str = Field(alias="to")
    curve: str = "linear"
    inside: tuple[float, float] = Field((0.0, 1.0), alias="in")
    outside: tuple[float | list[float], float | list[float]] = Field((0.0, 1.0), alias="range")
    attack: float = Field(0.0, ge=0.0, le=60.0)
    release: float = Field(0.0, ge=0.0, le=60.0)
    quantise: Literal["now", "beat", "bar", "phrase"] = "now"


class _Preset(_Table):
    title: str = ""
    author: str = ""
    mood: str = ""
    tags: list[str] = []
    order: int = 1000
    transition: _Transition = _Transition()
    layer: list[_Layer] = Field(min_length=1, max_length=16)
    master: _Master = _Master()
    route: list[_Route] = []


class Shader(Protocol):
    """What a preset needs to know of an ISF shader (`isf.ShaderSpec` is one)."""

    @property
    def kind(self) -> str: ...
    @property
    def inputs(self) -> tuple[Param, ...]: ...


@dataclass(frozen=True, slots=True)
class Node:
    """One shader in a chain; its parameters' addresses are `layer.name.input`."""

    name: str
    shader: str


@dataclass(frozen=True, slots=True)
class WalkSpec:
    """How a layer's walker moves; its speed, kick and truncation are parameters `layer.walk.*`."""

    kind: str
    seed: int


@dataclass(frozen=True, slots=True)
class Layer:
    """A source (a model or an ISF source shader, node name "source"), its chain, and how it lies on those below.

    blend  one of `layering.BLENDS`
    mask   name of the layer whose brightness says where this one is seen
    """

    name: str
    model: str | None
    shader: str | None
    walk: WalkSpec | None
    effects: tuple[Node, ...]
    blend: str
    mask: str | None = None
    of: str | None = None


@dataclass(frozen=True, slots=True)
class Transition:
    """How the show changes to a preset: a transition shader, over so many seconds."""

    shader: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Preset:
    """A scene to play.

    params  address -> Param of every knob
    base    address -> value of every knob with all routes at rest
    source  the TOML as written, ready to be written again
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

    @property
    def shaders(self) -> tuple[str, ...]:
        """Names of all shaders it draws with, each once."""
        names = [layer.shader for layer in self.layers if layer.shader is not None]
        names += [node.shader for layer in self.layers for node in layer.effects]
        return tuple(dict.fromkeys([*names, *(node.shader for node in self.master), self.transition.shader]))

    def same_shape(self, other: Preset) -> bool:
        """Whether the other differs only in values, routes and inputs: then it can take over while this one plays."""
        return (self.layers, self.master, self.transition.shader) == (
            other.layers, other.master, other.transition.shader)


def load(
    text: str,
    name: str,
    *,
    where: str,
    shaders: Mapping[str, Shader],
    models: Sequence[str],
    audio: Sequence[str],
    transition: str | None = None,
) -> Preset:
    """Read one preset.

    where       the file, for errors
    shaders     all shaders by name; models, the names of all models; audio, the names of the analyser's features
    transition  shader to change to it with, whatever the preset says
    Raises Fault.
    """
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise Fault(f"{where}: not valid TOML: {error}") from None
    try:
        table = _Preset.model_validate(raw)
    except ValidationError as error:
        raise Fault(f"{where}: {_first(error)}") from None
    if transition is not None and transition != table.transition.shader:
        table.transition = _Transition(shader=transition, seconds=table.transition.seconds)
        table.route = [route for route in table.route if not route.target.startswith("transition.")]
    return _Reader(where, shaders, models, audio).preset(table, name, raw)


def to_toml(preset: Preset) -> str:
    """The preset as TOML text that loads as the same preset."""
    import tomlkit  # only when writing: playing does not need it

    return tomlkit.dumps(preset.source)


def schema() -> dict[str, Any]:
    """JSON Schema of a preset file, for editors."""
    return _Preset.model_json_schema(by_alias=True)


class _Reader:
    """Turns checked tables into a Preset; every name is looked up, every value is read by its Param."""

    def __init__(
        self, where: str, shaders: Mapping[str, Shader], models: Sequence[str], audio: Sequence[str]
    ) -> None:
        self.where, self.shaders, self.models, self.audio = where, shaders, models, audio
        self.params: dict[str, Param] = {}
        self.base: dict[str, Value] = {}

    def preset(self, table: _Preset, name: str, raw: Mapping[str, Any]) -> Preset:
        layers: list[Layer] = []
        for i, row in enumerate(table.layer):
            if row.name in ("master", "transition") or row.name in (layer.name for layer in layers):
                raise self.fault(f"layer[{i}].name", f"{row.name!r} is taken; each layer needs a name of its own")
            layers.append(self.layer(row, f"layer[{i}]"))
        self.others(layers)
        master = self.chain("master", table.master.effect, "master.effect")
        change = table.transition
        self.node("transition", "shader", change.shader, change.inputs, "transition", "transition")
        routes = tuple(self.route(row, f"route[{i}]") for i, row in enumerate(table.route))
        return Preset(
            name, table.title or name.replace("_", " ").title(), table.author, table.mood, tuple(table.tags),
            table.order, Transition(change.shader, change.seconds), tuple(layers), master, routes,
            self.params, self.base, raw,
        )

    def layer(self, row: _Layer, key: str) -> Layer:
        walk = None
        if row.model is not None:
            if row.model not in self.models:
                raise self.fault(f"{key}.model", f"no model {row.model!r}{nearest(row.model, list(self.models))}")
            spec = row.walk or _Walk()
            if row.of is None and spec.kind not in WALKS:
                raise self.fault(
                    f"{key}.walk.kind", f"expected one of {', '.join(WALKS)}, got {spec.kind!r}"
                    + nearest(spec.kind, list(WALKS)))
            walk = WalkSpec(spec.kind, spec.seed) if row.of is None else None
            for param in WALK_PARAMS if row.of is None else ():
                self.knob(f"{row.name}.walk", param, getattr(spec, param.name), f"{key}.walk.{param.name}")
        else:
            assert row.shader is not None
            self.node(row.name, "source", row.shader, row.inputs, key, "source")
        self.lie(row, key)
        effects = self.chain(row.name, row.effect, f"{key}.effect")
        return Layer(row.name, row.model, row.shader, walk, effects, row.blend, row.mask.layer if row.mask else None,
                     row.of)

    def lie(self, row: _Layer, key: str) -> None:
        """The knobs of how a layer lies on those below."""
        if row.blend not in BLENDS:
            raise self.fault(f"{key}.blend", f"expected one of {', '.join(BLENDS)}, got {row.blend!r}"
                             + nearest(row.blend, list(BLENDS)))
        if row.key is not None and row.blend not in KEYS:
            raise self.fault(f"{key}.key", f"a key needs blend = {' or '.join(map(repr, KEYS))}, not {row.blend!r}")
        self.knob(f"{row.name}.mix", OPACITY, row.opacity, f"{key}.opacity")
        tables: list[tuple[str, Sequence[Param], _Table | None]] = [("transform", TRANSFORM, row.transform)]
        if row.blend in KEYS:
            tables.append(("key", KEY, row.key or _Key()))
        if row.mask is not None:
            tables.append(("mask", MASK, row.mask))
        for name, params, table in tables:
            for param in params:
                self.knob(f"{row.name}.{name}", param, getattr(table, param.name), f"{key}.{name}.{param.name}")

    def others(self, layers: Sequence[Layer]) -> None:
        """Look up the layers that others name."""
        names = [layer.name for layer in layers]
        dreaming = [layer.name for layer in layers if layer.model is not None and layer.of is None]
        for i, layer in enumerate(layers):
            for key, wished, known, what in (("mask.layer", layer.mask, names, "other layer"),
                                             ("of", layer.of, dreaming, "layer with a model of its own")):
                known = [name for name in known if name != layer.name]
                if wished is not None and wished not in known:
                    raise self.fault(f"layer[{i}].{key}", f"no {what} {wished!r}"
                                     + (nearest(wished, known) or f"; there are {', '.join(known) or 'none'}"))

    def chain(self, layer: str, rows: Sequence[_Node], key: str) -> tuple[Node, ...]:
        nodes: list[Node] = []
        for i, row in enumerate(rows):
            name = row.name or row.shader
            if name in RESERVED or name in (node.name for node in nodes):
                raise self.fault(f"{key}[{i}].name", f"{name!r} is taken; give this effect a name of its own")
            self.node(layer, name, row.shader, row.inputs, f"{key}[{i}]", "filter")
            nodes.append(Node(name, row.shader))
        return tuple(nodes)

    def node(self, layer: str, name: str, shader: str, inputs: Mapping[str, Any], key: str, kind: str) -> None:
        known = [n for n, spec in self.shaders.items() if spec.kind == kind]
        spec = self.shaders.get(shader)
        if spec is None:
            raise self.fault(f"{key}.shader", f"no shader {shader!r}{nearest(shader, known)}")
        if spec.kind != kind:
            raise self.fault(f"{key}.shader", f"expected a {kind}, but {shader!r} is a {spec.kind}")
        knobs = {param.name: param for param in spec.inputs}
        for given in inputs:
            if given not in knobs:
                raise self.fault(f"{key}.inputs.{given}", f"{shader!r} has no input {given!r}"
                                 + (nearest(given, list(knobs)) or f"; it has {', '.join(knobs) or 'none'}"))
        for param in knobs.values():
            self.knob(f"{layer}.{name}", param, inputs.get(param.name), f"{key}.inputs.{param.name}")

    def knob(self, node: str, param: Param, raw: Any, key: str) -> None:
        address = f"{node}.{param.name}"
        self.params[address] = param
        if raw is None:
            self.base[address] = param.default
        else:
            self.base[address] = self.reading(param.read, raw, key)

    def route(self, row: _Route, key: str) -> Route:
        wrong = complaint(row.source, self.audio)
        if wrong:
            raise self.fault(f"{key}.from", wrong)
        param = self.params.get(row.target)
        if param is None:
            raise self.fault(f"{key}.to", f"no parameter {row.target!r}{nearest(row.target, list(self.params))}")
        if row.curve not in CURVES:
            raise self.fault(f"{key}.curve", f"expected one of {', '.join(CURVES)}, got {row.curve!r}"
                             + nearest(row.curve, list(CURVES)))
        if row.inside[0] == row.inside[1]:
            raise self.fault(f"{key}.in", f"expected two different numbers, got {list(row.inside)}")
        low, high = ((0.0, 1.0) if param.kind == "event" else
                     tuple(self.reading(param.read, end, f"{key}.range") for end in row.outside))
        return Route(row.source, row.target, row.curve, row.inside, (low, high), row.attack, row.release,
                     row.quantise)

    def reading(self, read: Callable[[Any], Value], raw: Any, key: str) -> Value:
        try:
            return read(raw)
        except ValueError as error:
            raise self.fault(key, str(error)) from None

    def fault(self, key: str, what: str) -> Fault:
        return Fault(f"{self.where}: {key}: {what}")


def _first(error: ValidationError) -> str:
    """The first complaint of the schema, with its key as the file spells it and the nearest known key."""
    one = error.errors()[0]
    key = ""
    for part in one["loc"]:
        key += f"[{part}]" if isinstance(part, int) else f".{part}" if key else str(part)
    if one["type"] == "extra_forbidden":
        word = str(one["loc"][-1])
        known = _keys_beside(one["loc"])
        return f"{key}: unknown key{nearest(word, known) or '; expected one of ' + ', '.join(known)}"
    what = one["msg"].removeprefix("Value error, ").removeprefix("Input ")
    got = one.get("input")
    shown = "" if isinstance(got, (dict, list)) or one["type"] == "missing" else f", got {got!r}"
    return f"{key}: {what[0].lower() + what[1:]}{shown}"


def _keys_beside(loc: tuple[int | str, ...]) -> list[str]:
    tables: dict[str, type[_Table]] = {
        "layer": _Layer, "effect": _Node, "walk": _Walk, "route": _Route, "transition": _Transition, "master": _Master,
        "transform": _Transform, "key": _Key, "mask": _Mask,
    }
    parents = [part for part in loc[:-1] if isinstance(part, str)]
    table = tables.get(parents[-1], _Preset) if parents else _Preset
    return [info.alias or name for name, info in table.model_fields.items()]
