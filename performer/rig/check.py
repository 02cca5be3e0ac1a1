"""`performer check`: does everything in these files and folders load, compile, run and draw?"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
from PIL import Image as Picture

from performer.audio.control_features import NAMES
from performer.content import shaders as isf
from performer.content.library import FACTORY, FOLLOWER, Library
from performer.content.models.card import load as load_card
from performer.content.presets.reader import load
from performer.content.shaders import ShaderSpec
from performer.generators.media.open import prove
from performer.generators.onnx import session
from performer.generators.painter import Painter
from performer.gl.render.node import Node
from performer.gl.render.pass_timer import Timer
from performer.gl.render.readback import Readback
from performer.gl.render.renderer import Renderer
from performer.gl.render.wait import finish
from performer.gl.window.offscreen import Offscreen
from performer.io.record.contact_sheet import Sheet
from performer.latent.walks import latent
from performer.rig.live import follower_pool as followers
from performer.rig.loading import load_library, painter
from performer.rig.shader_trial import ShaderTrial, verdicts_path
from performer.show.follower import AutoPerformer
from performer.show.show import Show
from performer.system.errors import Fault, nearest, refusing
from performer.types.features import Features, Sound
from performer.types.frame import ControlEvent
from performer.types.preset import Preset

SIZE = (320, 180)
FRAMES = 40
FPS = 20.0
OTHER_SEED = 5  # of the picture that a transition leads to
PROFILED = (1920, 1080)
PROFILE_FRAMES = 12
PATIENCE_S = 20.0  # what is drawn too slowly for all frames is judged by those it got
SUFFIXES = {**dict.fromkeys(isf.SUFFIXES, "shader"), ".toml": "preset", ".onnx": "model"}


def check(
    paths: list[str],
    pictures: str | None,
    provider: str,
    profile: bool = False,
    told: Callable[[dict[str, Any]], None] = lambda row: None,
) -> list[dict[str, Any]]:
    """One row for each file: {"path", "kind", "ok", "error", "warnings", "profile"}; folders are searched through.

    Parameters
    ----------
    paths : list[str]
        Files, folders, or names of presets, shaders, models and followers; none for all that came with the program.
    pictures : str | None
        Folder for a thumbnail of each, and sheet.jpg with all of them; None for no pictures.
    profile : bool, optional
        Also measure what each shader costs at 1080p: {"ms", "passes_ms"}; None for anything else.
    told : callable, optional
        Hears of each row as soon as it is there.

    Raises
    ------
    Fault
        What is wrong, where, and the likely mend, in one line.
    """
    library = load_library()
    named = [path for given in paths for path in _named(given, library)]
    files = list(dict.fromkeys(_files(named or [FACTORY / kind for kind in ("shaders", "models", "presets")])))
    if not files:
        others = isf.foreign(path for folder in named for path in folder.rglob("*"))
        raise Fault(
            f"{', '.join(map(str, named))}: nothing to check there: no shaders (.fs, .glsl, .frag), presets "
            "(.toml) or models (.onnx)" + (f"; {others}" if others else "")
        )
    if pictures is not None:
        try:
            Path(pictures).mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise Fault(f"{pictures}: cannot make this folder: {error.strerror}") from None
    rows = []
    with _Bench(provider, profile, library) as bench:
        for path in files:
            rows.append(bench.row(path, pictures))
            told(rows[-1])
        if bench.sheet is not None and any(row["ok"] for row in rows):
            bench.sheet.save()
        return rows


def _named(given: str, library: Library) -> list[Path]:
    """The file or folder of that path, or all content of that name. Raises Fault where there is neither."""
    path = Path(given)
    if os.path.exists(given):  # which says no to what is no path at all
        return [path]
    if path.name != given or path.suffix in SUFFIXES or path.suffix.lower() in isf.FOREIGN:
        raise Fault(f"{given}: no such file or folder")
    shaders = {name: spec.path for name, spec in library.shaders.items() if spec.path is not None}
    kinds: tuple[Mapping[str, Path], ...] = (shaders, library.models, library.followers(), library.files)
    broken = {one.stem: one for one in library.faults}
    found = [kind[given] for kind in (*kinds, broken) if given in kind]
    if not found:
        known = sorted({name for kind in (*kinds, broken) for name in kind})
        raise Fault(f"{given}: no such file, preset, shader or model{nearest(given, known)}")
    return list(dict.fromkeys(found))


def summary(rows: Sequence[Mapping[str, Any]]) -> str:
    """In one line: `81 checked: 80 ok, 1 failed, 2 with notes`."""
    bad = sum(not row["ok"] for row in rows)
    noted = sum(bool(row["warnings"]) for row in rows)
    words = [f"{len(rows) - bad} ok"] + [f"{bad} failed"] * (bad > 0) + [f"{noted} with notes"] * (noted > 0)
    return f"{len(rows)} checked: {', '.join(words)}"


def _files(named: list[Path]) -> Iterator[Path]:
    for path in named:
        if path.is_dir():
            others = {p for p in path.rglob("*") if p.suffix in (".toml", ".onnx") and p.is_file() and not _is_card(p)}
            yield from sorted({*isf.files(path), *others})
        else:
            yield path


def _is_card(path: Path) -> bool:
    beside = path.name.endswith((".encoder.onnx", ".mapping.onnx"))
    return beside or (path.suffix == ".toml" and path.with_suffix(".onnx").exists())


class _Bench:
    """A headless stage on which each file is tried by itself."""

    def __init__(self, provider: str, profile: bool, library: Library) -> None:
        self.provider = provider
        self.profile = profile
        self.library = library
        self.surface = Offscreen(SIZE)
        self.readback = Readback(self.surface.ctx)
        self.trial = ShaderTrial(str(self.surface.ctx.info["GL_RENDERER"]), verdicts_path())
        self.spec: ShaderSpec | None = None  # of the file that is tried
        self.sheet: Sheet | None = None  # of all that was drawn
        self.pictures = painter(self.library, provider)  # for what is tried on a test picture: all trials have one

    def __enter__(self) -> _Bench:
        return self

    def __exit__(self, *error: object) -> None:
        self.trial.stop()
        self.surface.close()

    def row(self, path: Path, pictures: str | None) -> dict[str, Any]:
        kind = "shader" if path.is_dir() else "follower" if path.name.endswith(FOLLOWER) else SUFFIXES.get(path.suffix)
        error = ""
        self.spec = None
        cost = None
        try:
            if kind is None:
                if path.suffix.lower() in isf.FOREIGN:
                    isf.load(path)  # says what it is
                raise Fault(f"{path}: expected .fs or .glsl (shader), .toml (preset) or .onnx (model)")
            trials: dict[str, Callable[[Path], np.ndarray]] = {
                "shader": self.shader,
                "preset": self.preset,
                "model": self.model,
                "follower": self.follower,
            }
            with refusing(path):
                picture = trials[kind](path)
            if not np.isfinite(picture).all():
                raise Fault(f"{path}: drew NaN or infinite values")
            if pictures is not None:
                Picture.fromarray(picture).save(Path(pictures) / f"{path.stem}.png")
                self.sheet = self.sheet or Sheet(Path(pictures) / "sheet.jpg", columns=6, width=240)
                self.sheet.add(picture, path.stem.replace("_", " "))
            if self.profile and self.spec is not None:
                cost = self.cost(self.spec)
        except Fault as fault:
            error = str(fault)
        return {
            "path": str(path),
            "kind": kind or "unknown",
            "ok": not error,
            "error": error or None,
            "warnings": list(self.spec.warnings) if self.spec is not None else [],
            "profile": cost,
        }

    def model(self, path: Path) -> np.ndarray:
        """Three places of a drift, side by side."""
        generator = session.create(path, self.provider)
        latents = [latent("drift", 3.0 * i, 1, load_card(path.with_suffix(".toml")).latent, 1.0) for i in range(3)]
        row = np.concatenate([generator.paint(z) for z in latents], axis=2)
        strip: np.ndarray = (np.clip(row, 0.0, 1.0).transpose(1, 2, 0) * 255.0 + 0.5).astype(np.uint8)
        return strip

    def follower(self, path: Path) -> np.ndarray:
        """Where its knobs go in its first seconds, though there is nothing to hear; time goes to the right."""
        player = AutoPerformer(followers.read(path), 1)
        picture = np.zeros((SIZE[1], SIZE[0], 3), np.uint8)
        nothing = np.zeros(len(NAMES))
        try:
            for x in range(SIZE[0]):
                for knob, place in enumerate(player.tick(nothing, 1.0)):
                    picture[round((1.0 - float(place)) * (SIZE[1] - 2)) :, x, knob % 3] += 60
        except ValueError as error:
            raise Fault(f"{path}: {error}") from None
        return picture

    def preset(self, path: Path) -> np.ndarray:
        loaded = self.library.load_preset(path)
        if loaded.follower is not None:
            net = followers.read(self.library.follower(loaded.follower.name))
            if strange := followers.strange_knob(loaded, net):
                raise Fault(f"{path}: {strange}")
        for layer in loaded.layers:
            if layer.play is not None and layer.play.kind != "camera":  # one may be plugged in for the show only
                prove(layer.play, SIZE)
        return self.draw(loaded, painter(self.library, self.provider))

    def shader(self, path: Path) -> np.ndarray:
        """Draw it in a scene of its own: a source alone, an effect on a test picture, a transition half way."""
        spec = self.spec = isf.load(path)
        if not path.resolve().is_relative_to(FACTORY):  # a stranger's might hang the driver, and this with it
            refused = self.trial.examine([spec])
            if refused:
                raise refused[spec.name]
        self.library.shaders[spec.name] = spec
        return self.draw(trial(spec, self.library), self.pictures, trial(spec, self.library, OTHER_SEED))

    def cost(self, spec: ShaderSpec) -> dict[str, Any]:
        """Milliseconds of the shader's passes at 1920x1080, the median of some frames."""
        preset = trial(spec, self.library)
        show = Show([preset, preset], preset.name)
        renderer = Renderer(self.surface.ctx, self.library.shaders)
        timer = renderer.timer = Timer(self.surface.ctx)
        screen = self.surface.ctx.framebuffer([self.surface.ctx.texture(PROFILED, 4)])
        try:
            passes: list[float] = []
            begun = perf_counter()
            for i in range(PROFILE_FRAMES):
                if perf_counter() - begun > PATIENCE_S and passes:
                    break
                t = (i + 1) / FPS
                features, sound = music(t)
                events = [ControlEvent(t, "show.next")] if spec.kind == "transition" and i == 0 else []
                frame = show.step(t, 1.0 / FPS, PROFILED, features, sound, events)
                renderer.draw(frame, self.pictures.paint(frame), screen)
                finish()
                for node in timer.costs():
                    if isinstance(node, Node) and node.program.spec is spec:
                        passes = [1e3 * cost for cost in timer.passes(node)]
            return {"ms": sum(passes), "passes_ms": passes}
        finally:
            renderer.release()
            for part in (*screen.color_attachments, screen):
                part.release()

    def draw(self, preset: Preset, models: Painter, other: Preset | None = None) -> np.ndarray:
        """The picture of two seconds of music at 120 bpm, half way through a transition if that is what is tried.

        Parameters
        ----------
        other : Preset, optional
            What the transition leads to.
        """
        show = Show([preset, other or preset], preset.name)
        renderer = Renderer(self.surface.ctx, self.library.shaders)
        for layer in preset.layers:
            if layer.model is not None:
                models.warm(layer.model)
        renderer.warm(preset)
        changing = preset.tags == ("trial-transition",)
        try:
            begun = perf_counter()
            for i in range(FRAMES):
                if perf_counter() - begun > PATIENCE_S and i > (FRAMES // 2 + 1 if changing else 1):
                    break
                t = (i + 1) / FPS
                features, sound = music(t)
                events = [ControlEvent(t, "show.next")] if changing and i == FRAMES // 2 else []
                frame = show.step(t, 1.0 / FPS, SIZE, features, sound, events)
                renderer.draw(frame, models.paint(frame), self.surface.screen)
                finish()
            return self.readback.read(self.surface.screen, SIZE).copy()
        finally:
            renderer.release()


def lines(row: Mapping[str, Any]) -> list[str]:
    """A row for people: one line, and one for each note."""
    error = f": {row['error']}" if row["error"] else ""
    line = f"{'ok  ' if row['ok'] else 'FAIL'} {row['kind']:7} {row['path']}{error}{cost_line(row['profile'])}"
    return [line, *(f"     note: {warning}" for warning in row["warnings"])]


def cost_line(cost: dict[str, Any] | None) -> str:
    """For the end of a line: `  1080p: 3.10 ms (0.40 + 2.70)`."""
    if cost is None:
        return ""
    each = " + ".join(f"{ms:.2f}" for ms in cost["passes_ms"])
    return f"  1080p: {cost['ms']:.2f} ms" + (f" ({each})" if len(cost["passes_ms"]) > 1 else "")


def trial(spec: ShaderSpec, library: Library, seed: int = 1) -> Preset:
    """A preset that shows one shader; `seed` is that of the picture it is tried on. Raises Fault."""
    model = f'model = "{next(iter(library.models), "")}"\nwalk = {{ seed = {seed} }}'
    picture = model if library.models else 'shader = "tunnel"'
    name = spec.name.replace('"', "")
    source = f'shader = "{name}"' if spec.kind == "source" else picture
    text = f"[[layer]]\n{source}\n"
    if spec.kind == "filter":
        text += f'[[layer.effect]]\nshader = "{name}"\nname = "tried"\n'
    node = {"source": "main.source", "filter": "main.tried"}.get(spec.kind)
    for param in spec.inputs:
        if param.kind == "event" and node is not None:
            text += f'[[route]]\nfrom = "audio.kicks"\nto = "{node}.{param.name}"\n'
    transition = name if spec.kind == "transition" else "dissolve"
    text += f'[transition]\nshader = "{transition}"\nseconds = 2.0\n'
    if spec.kind == "transition":
        text = 'tags = ["trial-transition"]\n' + text
    tomllib.loads(text)
    return load(
        text,
        "trial",
        where=spec.name,
        shaders=library.shaders,
        models=library.knobs(),
        audio=library.audio,
        inlets=library.inlets(),
    )


def music(t: float) -> tuple[Features, Sound]:
    """Made-up features of a house beat at 120 bpm, for pictures that need some."""
    beat = t * 2.0
    kick = max(0.0, 1.0 - (beat % 1.0) * 3.0)
    names = load_names()
    values = dict.fromkeys(names, 0.5)
    values.update({"kick": kick, "onset": kick, "bass": 0.3 + 0.7 * kick})
    x = np.linspace(0.0, 40.0, 1024, dtype=np.float32)
    wave = np.sin(x + 7.0 * t) * (0.3 + 0.4 * kick) + np.sin(x * 3.1 - 11.0 * t) * 0.25
    spectrum = np.exp(-np.linspace(0.0, 5.0, 512, dtype=np.float32)) * (0.6 + 0.4 * kick)
    bands = np.linspace(0.9, 0.2, 64, dtype=np.float32)
    count = int(beat)
    return (
        Features(
            t=t,
            values=values,
            bands=bands,
            onset_t=count / 2.0,
            onsets=count,
            kicks=count,
            snares=count // 2,
            hats=count * 2,
            beat=beat,
            bar=beat / 4.0,
            bpm=120.0,
            confidence=0.9,
        ),
        Sound(wave, spectrum),
    )


def load_names() -> tuple[str, ...]:
    from performer.audio.features import FEATURES

    return tuple(FEATURES)
