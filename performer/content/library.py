"""Where shaders, models and presets lie: the factory's, read-only, and the user's, which come first."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from performer.content import shaders as isf
from performer.content.models import directions_file, inputs
from performer.content.models.card import load as load_card
from performer.content.presets import reader
from performer.content.shaders import ShaderSpec
from performer.system import folders as own_folders
from performer.system import text_file
from performer.system.errors import Fault, nearest, refusing
from performer.types.preset import Preset

log = logging.getLogger(__name__)
FOLLOWER = ".follower.onnx"
_package = Path(__file__).parents[1]
FACTORY = _package / "factory" if (_package / "factory").is_dir() else _package.parent  # in a wheel; in a checkout


def content_folders() -> tuple[Path, Path]:
    """Where content lies: the factory's folder, and the person's own, which need not be there."""
    return FACTORY, own_folders.data()


@dataclass(kw_only=True)
class Library:
    """All content by name. What is broken is left out and kept in `faults`, path -> Fault.

    Attributes
    ----------
    audio : Sequence[str]
        Names of the analyser's features, which presets may route from.
    files : dict[str, Path]
        Preset -> its file.
    folders : Sequence[Path]
        Those that were read.
    stamps : dict[Path, int]
        What `stamped` said just before they were read.
    transition : str | None
        Shader for every change of preset, whatever the presets say: its name, or its file's path.
    """

    audio: Sequence[str]
    shaders: dict[str, ShaderSpec] = field(default_factory=dict)
    models: dict[str, Path] = field(default_factory=dict)
    presets: dict[str, Preset] = field(default_factory=dict)
    faults: dict[Path, Fault] = field(default_factory=dict)
    files: dict[str, Path] = field(default_factory=dict)
    folders: Sequence[Path] = ()
    stamps: dict[Path, int] = field(default_factory=dict)
    transition: str | None = None

    def load(self, folders: Sequence[Path] | None = None) -> Library:
        """Read everything; later folders win over earlier ones.

        Parameters
        ----------
        folders : Sequence[Path], optional
            Those of `content_folders` where none are named.

        Raises
        ------
        Fault
            Where the transition is none.
        """
        self.folders = folders = content_folders() if folders is None else folders
        self.stamps = self.stamped()
        for folder in folders:
            for path in isf.files(folder / "shaders"):
                self._keep(path, self.load_shader)
        self.find_models()
        if self.transition is not None:
            self.transition = self._change(self.transition)
        for folder in folders:
            for path in sorted((folder / "presets").glob("*.toml")):
                self._keep(path, self.load_preset)
        for folder in self.watched:
            if said := isf.foreign(path for path in self.stamps if path.is_relative_to(folder)):
                log.warning("%s: %s", folder, said)
        return self

    def find_models(self) -> None:
        """Take up the models that are there; later folders win over earlier ones."""
        for folder in self.folders:
            for path in sorted((folder / "models").glob("*.onnx")):
                if path.is_file() and not path.stem.endswith((".encoder", ".mapping", ".follower")):
                    self.models[path.stem] = path

    @property
    def watched(self) -> list[Path]:
        """The folders whose files are taken again when they are saved."""
        return [folder / kind for folder in self.folders for kind in ("shaders", "presets")]

    def stamped(self) -> dict[Path, int]:
        """When each file of those folders was saved, in nanoseconds."""
        found = {}
        for folder in self.watched:
            with contextlib.suppress(OSError):  # a folder that is taken away meanwhile
                for path in folder.rglob("*"):
                    with contextlib.suppress(OSError):
                        found[path] = path.stat().st_mtime_ns
        return found

    def _change(self, name: str) -> str:
        """The name of a transition, given that or the path of its file. Raises Fault."""
        if Path(name).suffix in isf.SUFFIXES:
            name = self.load_shader(Path(name)).name
        spec = self.shaders.get(name)
        if spec is None or spec.kind != "transition":
            known = sorted(other for other, spec in self.shaders.items() if spec.kind == "transition")
            raise Fault(f"--transition {name}: no such transition{nearest(name, known)}; there are {', '.join(known)}")
        return name

    def load_shader(self, path: Path) -> ShaderSpec:
        """Read a shader (again) and keep it under its file's name. Raises Fault."""
        return self.keep_shader(isf.load(path))

    def keep_shader(self, spec: ShaderSpec) -> ShaderSpec:
        """Keep a shader under its name, or under another one where that is taken by a shader of another kind."""
        other = self.shaders.get(spec.name)
        if other is not None and other.path != spec.path and other.kind != spec.kind:
            # A transition called "kaleidoscope" must not take the place of the effect that presets use.
            spec = replace(spec, name=f"{spec.name}_{spec.kind}")
        self.shaders[spec.name] = spec
        return spec

    def load_preset(self, path: Path) -> Preset:
        """Read a preset (again) and keep it under its file's name. Raises Fault."""
        try:
            text = text_file.read(path)
        except FileNotFoundError:
            raise Fault(f"{path}: no such preset file") from None
        loaded = reader.load(
            text,
            path.stem,
            where=str(path),
            shaders=self.shaders,
            models=self.knobs(),
            audio=self.audio,
            transition=self.transition,
            inlets=self.inlets(),
        )
        self.presets[path.stem], self.files[path.stem] = loaded, path
        return loaded

    def knobs(self) -> dict[str, tuple[str, ...]]:
        """All models with the names of their directions."""
        found = {}
        for name, path in self.models.items():
            try:
                with refusing(directions_file.beside(path)):
                    found[name] = directions_file.read(path).names
            except Fault as fault:
                found[name] = ()
                if directions_file.beside(path) not in self.faults:
                    self.faults[directions_file.beside(path)] = fault
                    log.warning("%s", fault)
        return found

    def inlets(self) -> dict[str, dict[str, float]]:
        """What all models can be played by besides their latents."""
        found: dict[str, dict[str, float]] = {}
        for name, path in self.models.items():
            found[name] = {}
            with contextlib.suppress(Fault), refusing(path.with_suffix(".toml")):  # said when the model is loaded
                found[name] = inputs.offered(path)
        return found

    def changed(self, model: str) -> float:
        """When a model's file was changed, in seconds; 0 where it is gone."""
        try:
            return self.models[model].stat().st_mtime
        except OSError:
            return 0.0

    def dims(self) -> dict[str, int]:
        """Size of the latents of each model that has a card and walks."""
        found = {}
        for name, path in self.models.items():
            try:
                with refusing(path.with_suffix(".toml")):
                    card = load_card(path.with_suffix(".toml"))
            except Fault:
                continue
            if card.kind != "filter":
                found[name] = card.latent
        return found

    def followers(self) -> dict[str, Path]:
        """All followers by name, looked up now: one may have been trained meanwhile."""
        return {
            path.name.removesuffix(FOLLOWER): path
            for folder in self.folders
            for path in sorted((folder / "models").glob(f"*{FOLLOWER}"))
            if path.is_file()
        }

    def follower(self, name: str) -> Path:
        """The file of a follower. Raises Fault."""
        there = self.followers()
        if name not in there:
            raise Fault(f"no follower {name!r}{nearest(name, list(there))}")
        return there[name]

    def foreign(self, *presets: Preset) -> list[ShaderSpec]:
        """The shaders of these presets that did not come with the program."""
        names = {name for one in presets for name in one.shaders}
        return [
            spec
            for name, spec in self.shaders.items()
            if name in names and spec.path is not None and not spec.path.is_relative_to(FACTORY)
        ]

    def refuse(self, refused: Mapping[str, Fault]) -> None:
        """Take out shaders that cannot be played; the factory's of that name, if there is one, takes its place."""
        for name, fault in refused.items():
            log.error("%s", fault)
            spec = self.shaders.pop(name)
            if spec.path is not None:
                self.faults[spec.path] = fault
            own = next((path for path in isf.files(FACTORY / "shaders") if path.stem == name), None)
            if own is not None:
                self.load_shader(own)

    def in_order(self) -> list[Preset]:
        """All presets as the digit keys count them."""
        return sorted(self.presets.values(), key=lambda p: (p.order, p.name))

    def find(self, name: str) -> Preset:
        """A preset by name, or by the path of a TOML file. Raises Fault."""
        if name in self.presets:
            return self.presets[name]
        path = Path(name)
        if path.suffix.lower() == ".toml":
            return self.load_preset(path)
        if path.suffix.lower() in isf.FOREIGN:
            isf.load(path)  # says what it is
        for path, fault in self.faults.items():
            if path.stem == name:
                raise fault
        raise Fault(
            f"no preset {name!r}{nearest(name, list(self.presets))}; there are "
            f"{', '.join(p.name for p in self.in_order())}"
        )

    def _keep(self, path: Path, load: Callable[[Path], object]) -> None:
        try:
            with refusing(path):
                load(path)
        except Fault as fault:
            self.faults[path] = fault
            log.warning("%s", fault)
