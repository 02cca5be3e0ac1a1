"""What a preset file may say: a table of the schema for each table of the TOML, and the words for what is wrong."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from performer.system.errors import nearest, shown
from performer.types.preset_params import WALK_PARAMS

#: Where a layer's picture may come from.
SOURCES = ("model", "shader", "video", "camera", "pictures", "text")

#: Names of a layer's own nodes, which no effect may have.
RESERVED = ("walk", "middle", "fine", "latent", "play", "source", "mix", "transform", "key", "mask")


class Table(BaseModel):
    """A TOML table whose keys are all known: one that is not is an error."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True, allow_inf_nan=False)


#: Any whole number that a machine holds in one word.
Seed = Annotated[int, Field(ge=-(2**63), lt=2**63)]
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$", max_length=40)]


class NodeTable(Table):
    """[[layer.effect]], [[master.effect]]: a shader and the values of its inputs."""

    shader: str
    name: Name | None = None
    inputs: dict[str, Any] = {}


class StyleTable(Table):
    """[layer.walk.middle], [layer.walk.fine]: the walk of a model's middle or fine layers, where styles are mixed."""

    kind: str = "drift"
    speed: float = 0.15
    kick: float = 0.0
    truncation: float = 0.9
    seed: Seed = 2
    lock: Literal["free", "beat", "bar", "phrase"] = "free"


class WalkTable(Table):
    """[layer.walk]: how a layer walks through its model's latents."""

    kind: str = "drift"
    speed: float = WALK_PARAMS[0].default  # type: ignore[assignment]
    kick: float = 0.0
    truncation: float = WALK_PARAMS[2].default  # type: ignore[assignment]
    seed: Seed = 1
    lock: Literal["free", "beat", "bar", "phrase"] = "free"
    space: Literal["z", "w"] = "z"
    middle: StyleTable | None = None
    fine: StyleTable | None = None


class NoiseTable(Table):
    """[layer.noise]: the noise of a style-based model, by coarse, middle and fine layers."""

    amount: float = 0.0
    coarse: float = 1.0
    middle: float = 1.0
    fine: float = 1.0
    speed: float = 0.5
    seed: Seed = 3


class TransformTable(Table):
    """[layer.transform]: where a layer lies, how large and how turned it is."""

    x: float = 0.0
    y: float = 0.0
    scale: float = 1.0
    angle: float = 0.0


class KeyTable(Table):
    """[layer.key]: what a luma or chroma key cuts out."""

    threshold: float = 0.25
    softness: float = 0.1
    color: list[float] = [0.0, 1.0, 0.0]


class MaskTable(Table):
    """[layer.mask]: the layer whose picture masks this one."""

    layer: str
    amount: float = 1.0
    invert: bool = False


class PlayTable(Table):
    """How media play; which keys count depends on the kind."""

    speed: float | None = None
    position: float | None = None
    beats: float | None = None
    fade: float | None = None
    size: float | None = None
    color: list[float] | None = None
    lock: Literal["free", "beat", "bar", "phrase"] | None = None
    loop: Literal["loop", "pingpong", "once"] = "loop"
    shuffle: bool = False
    seed: Seed = 1
    mirror: bool = False
    font: str = ""


class LayerTable(Table):
    """[[layer]]: a source, its chain of effects, and how it is laid on."""

    name: Name = "main"
    model: str | None = None
    of: str | Annotated[dict[str, str], Field(min_length=1, max_length=16)] | None = None
    shader: str | None = None
    video: str | None = None
    camera: str | None = None
    pictures: str | None = None
    text: str | list[str] | None = None
    play: PlayTable | None = None
    inputs: dict[str, Any] = {}
    blend: str = "normal"
    opacity: float = Field(1.0, ge=0.0, le=1.0)
    fit: Literal["cover", "contain"] = "cover"
    transform: TransformTable = TransformTable()
    key: KeyTable | None = None
    mask: MaskTable | None = None
    walk: WalkTable | None = None
    latent: dict[str, float] = {}
    truncation: float | None = None
    noise: NoiseTable | None = None
    effect: list[NodeTable] = []

    @field_validator("noise", mode="before", json_schema_input_type=float | NoiseTable | None)
    @classmethod
    def _by_amount(cls, raw: Any) -> Any:
        return raw if raw is None or isinstance(raw, (dict, NoiseTable)) else {"amount": raw}

    @model_validator(mode="after")
    def _one_source(self) -> LayerTable:
        given = [name for name in SOURCES if getattr(self, name) is not None]
        if len(given) != 1:
            raise ValueError(
                f"a layer needs one source: {', '.join(SOURCES[:-1])} or {SOURCES[-1]}; "
                f"this one has {' and '.join(given) or 'none'}"
            )
        if self.walk is not None and self.model is None:
            raise ValueError(f"a walk needs a model; this layer's source is a {given[0]}")
        if self.play is not None and given[0] in ("model", "shader"):
            raise ValueError(f"play is for video, camera, pictures and text; this layer's source is a {given[0]}")
        for name in ("latent", "truncation", "noise"):
            if getattr(self, name) not in (None, {}) and (self.model is None or self.of is not None):
                raise ValueError(f"{name} needs a model that walks")
        if self.of is not None and (self.model is None or self.walk is not None):
            raise ValueError("of is for a model that turns another layer's picture into its own, without a walk")
        return self


class MasterTable(Table):
    """[master]: the effects on all layers together."""

    effect: list[NodeTable] = []


class TransitionTable(Table):
    """[transition]: how this preset comes in."""

    shader: str = "dissolve"
    seconds: float = Field(default=1.5, ge=0.0, le=60.0)
    inputs: dict[str, Any] = {}


class RouteTable(Table):
    """[[route]]: a source that moves a parameter."""

    source: str = Field(alias="from")
    target: str = Field(alias="to")
    curve: str = "linear"
    inside: tuple[float, float] = Field((0.0, 1.0), alias="in")
    outside: tuple[float | list[float], float | list[float]] = Field((0.0, 1.0), alias="range")
    attack: float = Field(0.0, ge=0.0, le=60.0)
    release: float = Field(0.0, ge=0.0, le=60.0)
    quantise: Literal["now", "beat", "bar", "phrase"] = "now"
    takeover: Literal["jump", "pickup"] = "jump"


class FollowerTable(Table):
    """hold: seconds that a knob stays with the hand that turned it last."""

    name: str = Field(pattern=r"^[A-Za-z0-9_-]+$", max_length=40)
    amount: float = 1.0
    wildness: float = 1.0
    seed: Seed = 1
    hold: float = Field(8.0, ge=0.0, le=3600.0)


class PresetTable(Table):
    """A whole preset file."""

    title: str = ""
    author: str = ""
    mood: str = ""
    tags: list[str] = []
    order: int = Field(1000, ge=-(10**9), le=10**9)
    transition: TransitionTable = TransitionTable()
    layer: list[LayerTable] = Field(min_length=1, max_length=16)
    master: MasterTable = MasterTable()
    follower: FollowerTable | None = None
    route: list[RouteTable] = []

    @field_validator("follower", mode="before", json_schema_input_type=str | FollowerTable | None)
    @classmethod
    def _by_name(cls, raw: Any) -> Any:
        return {"name": raw} if isinstance(raw, str) else raw


def complaint_of(error: ValidationError) -> str:
    """The first complaint of the schema, with its key as the file spells it and the nearest known key."""
    one = error.errors()[0]
    key = ""
    for part in one["loc"]:
        word = part if isinstance(part, int) or re.fullmatch(r"[\w-]{1,80}", part) else shown(part)
        key += f"[{word}]" if isinstance(part, int) else f".{word}" if key else str(word)
    if one["type"] == "extra_forbidden":
        word = str(one["loc"][-1])
        known = _keys_beside(one["loc"])
        return f"{key}: unknown key{nearest(word, known) or '; expected one of ' + ', '.join(known)}"
    what = one["msg"].removeprefix("Value error, ").removeprefix("Input ")
    got = one.get("input")
    if one["type"] == "list_type" and isinstance(got, dict):
        what = f"expected several, each under [[{key}]] with two brackets"
    quiet = isinstance(got, (dict, list)) or one["type"] == "missing"
    return f"{key}: {what[0].lower() + what[1:]}{'' if quiet else f', got {shown(got)}'}"


def _keys_beside(loc: tuple[int | str, ...]) -> list[str]:
    tables: dict[str, type[Table]] = {
        "layer": LayerTable,
        "effect": NodeTable,
        "walk": WalkTable,
        "route": RouteTable,
        "master": MasterTable,
        "transition": TransitionTable,
        "transform": TransformTable,
        "key": KeyTable,
        "mask": MaskTable,
        "play": PlayTable,
        "middle": StyleTable,
        "fine": StyleTable,
        "noise": NoiseTable,
        "follower": FollowerTable,
    }
    parents = [part for part in loc[:-1] if isinstance(part, str)]
    table = tables.get(parents[-1], PresetTable) if parents else PresetTable
    return [info.alias or name for name, info in table.model_fields.items()]
