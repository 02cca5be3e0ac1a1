"""Every shader and preset that comes along is drawn through EGL: not flat, not burnt, alive, and unlike the others.

PERFORMER_GOLDEN=write puts the presets' pictures into tests/data/presets, where later runs compare theirs.
"""

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from performer.gl.render.readback import Readback
from performer.gl.render.renderer import Renderer
from performer.gl.render.wait import finish
from performer.gl.window.offscreen import Offscreen
from performer.lab.bench.looks import REACTIVE, look, reaction
from performer.rig.check import FPS, music, trial
from performer.rig.loading import load_library, painter
from performer.rig.offline import Performance
from performer.rig.options import RenderOptions
from performer.show.show import Show
from performer.types.features import Sound
from performer.types.frame import ControlEvent

ROOT = Path(__file__).resolve().parents[2]
GOLDEN = Path(__file__).parents[1] / "data" / "presets"
SIZE = (160, 90)
LIBRARY = load_library()
SHADERS = sorted(LIBRARY.shaders)
PRESETS = [preset.name for preset in LIBRARY.in_order()]
TOLERANCE = 14.0  # of 255, mean over the small picture: drivers round differently, and feedback adds it up


@pytest.fixture(scope="module")
def surface():
    it = Offscreen(SIZE)
    yield it
    it.close()


def drawn(surface, preset, frames=24, change_at=None, sounding=True):
    """The pictures of a preset under made-up music, (frames, H, W, 3) float."""
    show, renderer = Show([preset, preset], preset.name), Renderer(surface.ctx, LIBRARY.shaders)
    models, readback, pictures = painter(LIBRARY, "cpu"), Readback(surface.ctx), []
    try:
        for i in range(frames):
            t = (i + 1) / FPS
            features, sound = music(t)
            events = [ControlEvent(t, "show.next")] if i == change_at else []
            frame = show.step(t, 1 / FPS, SIZE, features, sound if sounding else Sound(), events)
            renderer.draw(frame, models.paint(frame), surface.screen)
            finish()
            pictures.append(readback.read(surface.screen, SIZE).astype(np.float32))
    finally:
        renderer.release()
    return np.stack(pictures)


def with_inputs(name: str, inputs: dict[str, float]):
    """A scene that shows one source or effect with some of its inputs set."""
    spec = LIBRARY.shaders[name]
    preset = trial(spec, LIBRARY)
    node = "main.source" if spec.kind == "source" else "main.tried"
    return replace(preset, base={**preset.base, **{f"{node}.{key}": value for key, value in inputs.items()}})


def test_there_is_enough_to_play_with():
    kinds = [spec.kind for spec in LIBRARY.shaders.values()]
    assert kinds.count("filter") >= 14 and kinds.count("source") >= 5 and kinds.count("transition") >= 5
    assert len(PRESETS) >= 10 and not LIBRARY.faults
    model_layers = [preset for preset in LIBRARY.in_order() if any(layer.model for layer in preset.layers)]
    assert len(model_layers) >= len(PRESETS) / 2
    for preset in LIBRARY.in_order():
        assert preset.routes and (preset.master or any(layer.effects for layer in preset.layers))
        assert preset.author and preset.mood and preset.tags


@pytest.mark.parametrize("name", [n for n in SHADERS if LIBRARY.shaders[n].kind != "transition"])
def test_a_shader_draws_and_answers_its_inputs(name, surface):
    spec = LIBRARY.shaders[name]
    pictures = drawn(surface, trial(spec, LIBRARY))
    assert np.isfinite(pictures).all()
    last = pictures[-1]
    assert last.mean() > 1.0, "black"
    assert last.std() > 1.0, "flat"
    if spec.kind == "source":
        assert np.abs(pictures[-1] - pictures[-12]).mean() > 0.05, "a source that stands still"
    floats = [param for param in spec.inputs if param.kind == "float"]
    moved = [
        np.abs(drawn(surface, with_inputs(name, {param.name: end}), 12)[-1] - pictures[11]).mean()
        for param in floats[:3]
        for end in (param.low, param.high)
    ]
    assert max(moved) > 0.3, "none of its first inputs changes anything"


@pytest.mark.parametrize("name", [n for n in SHADERS if LIBRARY.shaders[n].kind == "transition"])
def test_a_transition_begins_with_the_one_and_ends_with_the_other(name, surface):
    spec = LIBRARY.shaders[name]
    start, end = (np.zeros((SIZE[1], SIZE[0], 4), np.uint8) for _ in range(2))
    x = np.linspace(0, 255, SIZE[0]).astype(np.uint8)
    start[:, :, 0], end[:, :, 2] = x, x[::-1]
    start[..., 3] = end[..., 3] = 255
    from performer.gl.render.program import Program

    program = Program(surface.ctx, spec).passes[0]
    textures = [surface.ctx.texture(SIZE, 4, picture.tobytes()) for picture in (start, end)]
    for texture, image in zip(textures, ("startImage", "endImage"), strict=True):
        texture.use(program.units[image])
    from performer.content.shaders.glsl import renamed

    for param in spec.inputs:
        program.set(renamed(param.name), param.default)
    program.set("RENDERSIZE", tuple(map(float, SIZE)))
    seen = []
    for progress in (0.0, 0.5, 1.0):
        program.set("progress", progress)
        surface.screen.use()
        program.render()
        finish()
        seen.append(Readback(surface.ctx).read(surface.screen, SIZE)[::-1].astype(np.float32))
    begin, finish_picture = start[..., :3].astype(np.float32), end[..., :3].astype(np.float32)
    assert np.abs(seen[0] - begin).mean() < 6.0
    assert np.abs(seen[2] - finish_picture).mean() < 6.0
    assert np.abs(seen[1] - begin).mean() > 8.0 and np.abs(seen[1] - finish_picture).mean() > 8.0


@pytest.fixture(scope="module")
def shows():
    """preset -> pictures of its first seconds with the demo, 160x90 at 15 per second."""
    shown = {}
    for name in PRESETS:
        with Performance(
            RenderOptions(song="demo", out="unused.mp4", preset=name, size=SIZE, fps=15.0, seconds=3.0, provider="cpu")
        ) as it:
            shown[name] = np.stack([it.step()[1].copy() for _ in range(it.frames)]).astype(np.float32)
    return shown


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_is_neither_flat_nor_burnt_and_moves(name, shows):
    pictures = shows[name][15:]
    assert pictures.std(axis=(1, 2, 3)).mean() > 8.0, "flat"
    assert (pictures.min(axis=3) > 250).mean() < 0.35, "burnt"
    assert np.abs(np.diff(pictures, axis=0)).mean() > 0.4, "still"


@pytest.fixture(scope="module")
def stage(surface):
    """One renderer and one painter for all: shaders compile once."""
    with surface.ctx:  # other shows have had contexts of their own meanwhile
        renderer, models = Renderer(surface.ctx, LIBRARY.shaders), painter(LIBRARY, "cpu")
        yield renderer, models
        renderer.release()


@pytest.mark.parametrize("size", [(90, 160), (120, 120), (320, 80)], ids=["9:16", "1:1", "4:1"])
@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_fills_any_shape(name, size, surface, stage):
    renderer, models = stage
    show = Show([LIBRARY.presets[name]], name)
    target = surface.ctx.framebuffer([surface.ctx.texture(size, 4)])
    pictures = []
    for i in range(16):
        t = (i + 1) / FPS
        features, sound = music(t)
        frame = show.step(t, 1 / FPS, size, features, sound)
        frame = replace(frame, scene=replace(frame.scene, number=hash((name, size))))
        renderer.draw(frame, models.paint(frame), target)
        finish()
        pictures.append(Readback(surface.ctx).read(target, size).astype(np.float32))
    for part in (*target.color_attachments, target):
        part.release()
    seen = np.stack(pictures[8:])
    assert seen.std(axis=(1, 2, 3)).mean() > 6.0, "flat"
    assert (seen.min(axis=3) > 250).mean() < 0.4, "burnt"
    assert np.abs(np.diff(seen, axis=0)).mean() > 0.2, "still"
    if "dark" in LIBRARY.presets[name].tags:  # things that float in the dark may leave the rim to it
        return
    # Nothing stops before the edge: along the longer side, ends are not black where the middle is bright.
    length = np.swapaxes(seen, 1, 2) if size[0] > size[1] else seen
    profile = length.max(axis=(0, 2, 3))
    tenth = len(profile) // 10
    assert min(profile[:tenth].max(), profile[-tenth:].max()) > 10.0, "stops before the edge"


@pytest.mark.parametrize("name", ["tidal", "laser_chapel"])
def test_a_reactive_preset_follows_the_onsets(name):
    assert "reactive" in LIBRARY.presets[name].tags
    assert look(name, "demo", 6.0).reaction > REACTIVE


def test_a_reaction_is_a_change_that_comes_with_the_onset_or_just_after():
    rng = np.random.default_rng(2)
    onsets = (rng.random(600) < 0.06) * rng.random(600)
    assert reaction(np.roll(onsets, 2) + 0.1, onsets) > 0.9
    assert reaction(rng.random(600), onsets) < 0.2
    assert reaction(np.roll(onsets, 20), onsets) < 0.2
    assert reaction(np.zeros(600), onsets) == 0.0


def small(picture: np.ndarray) -> np.ndarray:
    return picture.reshape(9, 10, 16, 10, 3).mean(axis=(1, 3))


def test_presets_differ_from_each_other(shows):
    distances = {
        (a, b): float(np.abs(small(shows[a][30]) - small(shows[b][30])).mean())
        for i, a in enumerate(PRESETS)
        for b in PRESETS[i + 1 :]
    }
    nearest = sorted(distances.items(), key=lambda item: item[1])[:3]
    assert nearest[0][1] > 10.0, f"too alike: {nearest}"


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_looks_as_it_did(name, shows):
    path = GOLDEN / f"{name}.png"
    picture = shows[name][30].astype(np.uint8)
    if os.environ.get("PERFORMER_GOLDEN") == "write":
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(picture).save(path, optimize=True)
    was = np.asarray(Image.open(path)).astype(np.float32)
    assert np.abs(small(was) - small(picture.astype(np.float32))).mean() < TOLERANCE
