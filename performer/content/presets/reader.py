"""TOML text -> Preset. An error names the file, the key, what was expected and the nearest match."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

from pydantic import ValidationError

from performer.content.presets import schema as tables
from performer.latent.walks import WALKS
from performer.system import toml_file
from performer.system.errors import Fault, nearest, shown
from performer.system.paths import expanded
from performer.types import preset_params
from performer.types.blend_modes import BLEND_MODES, KEYS
from performer.types.layer_params import KEY, MASK, OPACITY, TRANSFORM
from performer.types.media_params import LOCKS, MEDIA
from performer.types.params import Param, Value
from performer.types.preset import FollowerSpec, Layer, Node, PlaySpec, Preset, Transition, WalkSpec
from performer.types.routes import CURVES, Route, complaint

LONGEST_KEY = 255  # letters of a key in an error


class Shader(Protocol):
    """What a preset needs to know of an ISF shader (`shaders.ShaderSpec` is one)."""

    @property
    def kind(self) -> str:
        """One of source, filter and transition."""

    @property
    def inputs(self) -> tuple[Param, ...]:
        """Its parameters."""


def load(
    text: str,
    name: str,
    *,
    where: str,
    shaders: Mapping[str, Shader],
    models: Mapping[str, Sequence[str]],
    audio: Sequence[str],
    transition: str | None = None,
    inlets: Mapping[str, Mapping[str, float]] | None = None,
) -> Preset:
    """Read one preset.

    Parameters
    ----------
    where : str
        The file, for errors.
    shaders : Mapping[str, Shader]
        All shaders by name.
    models : Mapping[str, Sequence[str]]
        All models with the names of their directions.
    audio : Sequence[str]
        The names of the analyser's features.
    transition : str, optional
        Shader to change to it with, whatever the preset says.
    inlets : Mapping[str, Mapping[str, float]], optional
        Model -> which of "w", "truncation" and "noise" it has, with their values at rest.

    Raises
    ------
    Fault
        What is wrong, where, and the likely mend, in one line.
    """
    try:
        raw = toml_file.loads(text)
    except toml_file.TOMLDecodeError as error:
        raise Fault(f"{where}: not valid TOML: {error}") from None
    try:
        table = tables.PresetTable.model_validate(raw)
    except ValidationError as error:
        raise Fault(f"{where}: {tables.complaint_of(error)}") from None
    if transition is not None and transition != table.transition.shader:
        table.transition = tables.TransitionTable(shader=transition, seconds=table.transition.seconds)
        table.route = [route for route in table.route if not route.target.startswith("transition.")]
    return _Reader(where, shaders, models, audio, inlets or {}).preset(table, name, raw)


def to_toml(preset: Preset) -> str:
    """The preset as TOML text that loads as the same preset."""
    import tomlkit  # only when writing: playing does not need it

    return tomlkit.dumps(preset.source)


def schema() -> dict[str, Any]:
    """JSON Schema of a preset file, for editors."""
    return tables.PresetTable.model_json_schema(by_alias=True)


class _Reader:
    """Turns checked tables into a Preset; every name is looked up, every value is read by its Param."""

    def __init__(
        self,
        where: str,
        shaders: Mapping[str, Shader],
        models: Mapping[str, Sequence[str]],
        audio: Sequence[str],
        inlets: Mapping[str, Mapping[str, float]],
    ) -> None:
        self.where = where
        self.shaders = shaders
        self.models = models
        self.audio = audio
        self.inlets = inlets
        self.params: dict[str, Param] = {}
        self.base: dict[str, Value] = {}

    def preset(self, table: tables.PresetTable, name: str, raw: Mapping[str, Any]) -> Preset:
        layers: list[Layer] = []
        for i, row in enumerate(table.layer):
            if row.name in ("master", "transition", "follower") or row.name in (layer.name for layer in layers):
                raise self.fault(f"layer[{i}].name", f"{row.name!r} is taken; each layer needs a name of its own")
            layers.append(self.layer(row, f"layer[{i}]"))
        self.others(layers)
        master = self.chain("master", table.master.effect, "master.effect")
        change = table.transition
        self.node("transition", "shader", change.shader, change.inputs, "transition", "transition")
        led = table.follower
        for param in preset_params.FOLLOWER_PARAMS if led is not None else ():
            self.knob("follower.play", param, getattr(led, param.name), f"follower.{param.name}")
        routes = tuple(self.route(row, f"route[{i}]", table) for i, row in enumerate(table.route))
        return Preset(
            name=name,
            title=table.title or name.replace("_", " ").title(),
            author=table.author,
            mood=table.mood,
            tags=tuple(table.tags),
            order=table.order,
            transition=Transition(change.shader, change.seconds),
            layers=tuple(layers),
            master=master,
            routes=routes,
            params=self.params,
            base=self.base,
            source=raw,
            follower=FollowerSpec(led.name, led.seed, led.hold) if led is not None else None,
        )

    def layer(self, row: tables.LayerTable, key: str) -> Layer:
        walk = play = None
        kind = next((name for name in MEDIA if getattr(row, name) is not None), None)
        if kind is not None:
            play = self.media(row, kind, key)
        elif row.model is not None:
            if row.model not in self.models:
                raise self.fault(f"{key}.model", f"no model {shown(row.model)}{nearest(row.model, list(self.models))}")
            spec = row.walk or tables.WalkTable()
            if row.of is None and spec.kind not in WALKS:
                raise self.fault(
                    f"{key}.walk.kind",
                    f"expected one of {', '.join(WALKS)}, got {shown(spec.kind)}" + nearest(spec.kind, list(WALKS)),
                )
            if row.of is None:
                walk = self.walk(row, spec, key)
        else:
            assert row.shader is not None
            self.node(row.name, "source", row.shader, row.inputs, key, "source")
        self.lie(row, key)
        effects = self.chain(row.name, row.effect, f"{key}.effect")
        return Layer(
            name=row.name,
            model=row.model,
            shader=row.shader,
            walk=walk,
            effects=effects,
            blend=row.blend,
            mask=row.mask.layer if row.mask else None,
            of=row.of if row.of is None or isinstance(row.of, str) else next(iter(row.of.values())),
            fit=row.fit,
            play=play,
            each=tuple(row.of.items()) if isinstance(row.of, dict) else (),
        )

    def media(self, row: tables.LayerTable, kind: str, key: str) -> PlaySpec:
        spec = row.play or tables.PlayTable()
        knobs = {param.name: param for param in MEDIA[kind]}
        own = {
            "video": ("loop",),
            "camera": ("mirror",),
            "pictures": ("shuffle", "seed", "lock"),
            "text": ("lock", "font"),
        }[kind]
        for name in spec.model_fields_set:
            if name not in knobs and name not in own:
                raise self.fault(
                    f"{key}.play.{name}", f"a {kind} has no {shown(name)}; it has " + ", ".join((*knobs, *own))
                )
        for param in knobs.values():
            self.knob(f"{row.name}.play", param, getattr(spec, param.name), f"{key}.play.{param.name}")
        what = getattr(row, kind)
        words = "\n".join(what) if isinstance(what, list) else what
        if not words.strip():
            raise self.fault(f"{key}.{kind}", "expected something to show, got nothing")
        if kind in ("video", "pictures"):
            words = self.beside(words, f"{key}.{kind}")
        elif kind == "camera" and not words.isprintable():
            raise self.fault(f"{key}.camera", f"no camera has such a name: {shown(words)}")
        font = self.beside(spec.font, f"{key}.play.font") if spec.font else ""
        return PlaySpec(
            kind,
            words,
            spec.lock or LOCKS[kind],
            (
                ("loop", spec.loop),
                ("shuffle", int(spec.shuffle)),
                ("seed", spec.seed),
                ("mirror", int(spec.mirror)),
                ("contain", int(row.fit == "contain")),
                ("font", font),
            ),
        )

    def beside(self, name: str, key: str) -> str:
        """The whole path of a file that a preset names, as seen from where the preset is."""
        if any(ord(sign) < 32 or ord(sign) == 127 for sign in name):
            raise self.fault(
                key,
                f"no file's name is {shown(name)}; in double quotes \\t and \\n are no letters: "
                "write paths with /, or in 'single quotes'",
            )
        try:
            return str((Path(self.where).parent / expanded(name)).resolve())
        except Fault as fault:
            raise self.fault(key, str(fault)) from None
        except RuntimeError:
            raise self.fault(key, f"{shown(name)}: these links go round in a circle") from None
        except OSError as error:
            raise self.fault(key, f"{shown(name)}: {error.strerror}") from None

    def walk(self, row: tables.LayerTable, spec: tables.WalkTable, key: str) -> WalkSpec:
        for param in preset_params.WALK_PARAMS:
            self.knob(f"{row.name}.walk", param, getattr(spec, param.name), f"{key}.walk.{param.name}")
        assert row.model is not None
        known = self.models[row.model]
        for name in row.latent:
            if name not in known:
                raise self.fault(
                    f"{key}.latent.{name}",
                    f"{shown(row.model)} has no direction {shown(name)}"
                    + (
                        nearest(name, list(known))
                        or f"; it has {', '.join(known) or 'none'} (`performer models explore` finds some)"
                    ),
                )
        for name in known:
            self.knob(
                f"{row.name}.latent",
                replace(preset_params.DIRECTION, name=name),
                row.latent.get(name),
                f"{key}.latent.{name}",
            )
        styles: list[WalkSpec | None] = []
        for name, style in (("middle", spec.middle), ("fine", spec.fine)):
            if style is None:
                styles.append(None)
                continue
            if style.kind not in WALKS:
                raise self.fault(
                    f"{key}.walk.{name}.kind",
                    f"expected one of {', '.join(WALKS)}, got {shown(style.kind)}" + nearest(style.kind, list(WALKS)),
                )
            for param in preset_params.WALK_PARAMS:
                self.knob(f"{row.name}.{name}", param, getattr(style, param.name), f"{key}.walk.{name}.{param.name}")
            styles.append(WalkSpec(kind=style.kind, seed=style.seed, lock=style.lock))
        inlets = self.played(row, spec, key)
        seed = (row.noise or tables.NoiseTable()).seed
        return WalkSpec(
            kind=spec.kind,
            seed=spec.seed,
            lock=spec.lock,
            knobs=tuple(f"{row.name}.latent.{name}" for name in known),
            styles=(styles[0], styles[1]),
            space=spec.space,
            inlets=inlets,
            noise_seed=seed,
        )

    def played(self, row: tables.LayerTable, spec: tables.WalkTable, key: str) -> tuple[str, ...]:
        """What of the model can be played besides its latent, with its knobs."""
        assert row.model is not None
        has = self.inlets.get(row.model, {})
        for where, asked, name, what in (
            ("walk.space", spec.space == "w", "w", 'no w space: walk through "z"'),
            ("truncation", row.truncation is not None, "truncation", "no truncation"),
            ("noise", row.noise is not None, "noise", "no noise"),
        ):
            if asked and name not in has:
                raise self.fault(
                    f"{key}.{where}",
                    f"{shown(row.model)} has {what}; the default models and those trained here have one",
                )
        if "truncation" in has:
            knob = replace(preset_params.TRUNCATION, default=has["truncation"])
            self.knob(row.name, knob, row.truncation, f"{key}.truncation")
        if "noise" in has:
            noise = row.noise or tables.NoiseTable()
            for param, name in zip(preset_params.NOISE, ("amount", "coarse", "middle", "fine", "speed"), strict=True):
                self.knob(row.name, param, getattr(noise, name), f"{key}.noise.{name}")
        return tuple(name for name in ("truncation", "noise") if name in has)

    def lie(self, row: tables.LayerTable, key: str) -> None:
        """The knobs of how a layer lies on those below."""
        if row.blend not in BLEND_MODES:
            raise self.fault(
                f"{key}.blend",
                f"expected one of {', '.join(BLEND_MODES)}, got {shown(row.blend)}"
                + nearest(row.blend, list(BLEND_MODES)),
            )
        if row.key is not None and row.blend not in KEYS:
            raise self.fault(
                f"{key}.key", f"a key needs blend = {' or '.join(map(repr, KEYS))}, not {shown(row.blend)}"
            )
        self.knob(f"{row.name}.mix", OPACITY, row.opacity, f"{key}.opacity")
        parts: list[tuple[str, Sequence[Param], object]] = [("transform", TRANSFORM, row.transform)]
        if row.blend in KEYS:
            parts.append(("key", KEY, row.key or tables.KeyTable()))
        if row.mask is not None:
            parts.append(("mask", MASK, row.mask))
        for name, params, table in parts:
            for param in params:
                self.knob(f"{row.name}.{name}", param, getattr(table, param.name), f"{key}.{name}.{param.name}")

    def others(self, layers: Sequence[Layer]) -> None:
        """Look up the layers that others name."""
        names = [layer.name for layer in layers]
        model_layers = [layer.name for layer in layers if layer.shader is None and layer.of is None]
        for i, layer in enumerate(layers):
            for key, wished, known, what in (
                ("mask.layer", layer.mask, names, "other layer"),
                ("of", layer.of, model_layers, "layer with a model or media of its own"),
                *(
                    (f"of.{name}", other, model_layers, "layer with a model or media of its own")
                    for name, other in layer.each
                ),
            ):
                known = [name for name in known if name != layer.name]
                if wished is not None and wished not in known:
                    raise self.fault(
                        f"layer[{i}].{key}",
                        f"no {what} {shown(wished)}"
                        + (nearest(wished, known) or f"; there are {', '.join(known) or 'none'}"),
                    )

    def chain(self, layer: str, rows: Sequence[tables.NodeTable], key: str) -> tuple[Node, ...]:
        nodes: list[Node] = []
        for i, row in enumerate(rows):
            name = row.name or row.shader
            if name in tables.RESERVED or name in (node.name for node in nodes):
                raise self.fault(f"{key}[{i}].name", f"{shown(name)} is taken; give this effect a name of its own")
            self.node(layer, name, row.shader, row.inputs, f"{key}[{i}]", "filter")
            nodes.append(Node(name, row.shader))
        return tuple(nodes)

    def node(self, layer: str, name: str, shader: str, inputs: Mapping[str, Any], key: str, kind: str) -> None:
        known = [n for n, spec in self.shaders.items() if spec.kind == kind]
        spec = self.shaders.get(shader)
        if spec is None:
            raise self.fault(f"{key}.shader", f"no shader {shown(shader)}{nearest(shader, known)}")
        if spec.kind != kind:
            raise self.fault(f"{key}.shader", f"expected a {kind}, but {shown(shader)} is a {spec.kind}")
        knobs = {param.name: param for param in spec.inputs}
        for given in inputs:
            if given not in knobs:
                raise self.fault(
                    f"{key}.inputs.{given}",
                    f"{shown(shader)} has no input {shown(given)}"
                    + (nearest(given, list(knobs)) or f"; it has {', '.join(knobs) or 'none'}"),
                )
        for param in knobs.values():
            self.knob(f"{layer}.{name}", param, inputs.get(param.name), f"{key}.inputs.{param.name}")

    def knob(self, node: str, param: Param, raw: Any, key: str) -> None:
        address = f"{node}.{param.name}"
        self.params[address] = param
        if raw is None:
            self.base[address] = param.default
        else:
            self.base[address] = self.reading(param.read, raw, key)

    def route(self, row: tables.RouteTable, key: str, table: tables.PresetTable) -> Route:
        wrong = complaint(row.source, self.audio)
        if row.source.startswith("follower.") and not wrong and table.follower is None:
            wrong = f'{shown(row.source)} needs a follower: write follower = "NAME" at the top of the file'
        if wrong:
            raise self.fault(f"{key}.from", wrong)
        param = self.params.get(row.target)
        if param is None:
            raise self.fault(f"{key}.to", f"no parameter {shown(row.target)}{nearest(row.target, list(self.params))}")
        if row.curve not in CURVES:
            raise self.fault(
                f"{key}.curve",
                f"expected one of {', '.join(CURVES)}, got {shown(row.curve)}" + nearest(row.curve, list(CURVES)),
            )
        if row.inside[0] == row.inside[1]:
            raise self.fault(f"{key}.in", f"expected two different numbers, got {list(row.inside)}")
        pickup = row.takeover == "pickup"
        if pickup and (not row.source.startswith("midi.cc") or param.kind != "float"):
            raise self.fault(
                f"{key}.takeover", "a controller (midi.cc74, say) picks up a knob of one number; leave it out here"
            )
        low, high = (
            (0.0, 1.0)
            if param.kind == "event"
            else tuple(self.reading(param.read, end, f"{key}.range") for end in row.outside)
        )
        return Route(
            row.source, row.target, row.curve, row.inside, (low, high), row.attack, row.release, row.quantise, pickup
        )

    def reading(self, read: Callable[[Any], Value], raw: Any, key: str) -> Value:
        try:
            return read(raw)
        except ValueError as error:
            raise self.fault(key, str(error)) from None

    def fault(self, key: str, what: str) -> Fault:
        if not key.isprintable() or len(key) > LONGEST_KEY:  # somebody's own words are in it
            key = shown(key)
        return Fault(f"{self.where}: {key}: {what}")
