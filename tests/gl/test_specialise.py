"""Programs for knobs that stand still: they draw what the others do, and give way to a hand."""

from dataclasses import replace

import numpy as np
import pytest

from performer.content import shaders as isf
from performer.content.shaders import specialise
from performer.gl.render.driver import is_software
from performer.gl.render.readback import Readback
from performer.gl.render.renderer import Renderer
from performer.gl.render.wait import finish
from performer.gl.window.offscreen import Offscreen
from performer.rig.check import FPS, music
from performer.rig.loading import load_library, painter
from performer.show.show import Show

SIZE = (160, 90)
LIBRARY = load_library()
MANY = """/*{"INPUTS": [{"NAME": "inputImage", "TYPE": "image"}, {"NAME": "a", "TYPE": "float"},
{"NAME": "on", "TYPE": "bool"}, {"NAME": "n", "TYPE": "long", "VALUES": [0, 7]}, {"NAME": "filter", "TYPE": "color"},
{"NAME": "at", "TYPE": "point2D"}]}*/
void main() { gl_FragColor = on ? IMG_THIS_PIXEL(inputImage) * a : filter * float(n) + at.xyxy; }"""


@pytest.fixture(scope="module")
def surface():
    it = Offscreen(SIZE)
    yield it
    it.close()


def test_inputs_become_constants_of_their_kind():
    text = specialise.constant(
        isf.parse(MANY, "many").glsl(0)[1],
        {"a": 1e-7, "on": 1.0, "n": 7.0, "filter": (1.0, 0.5, 0.0, 1.0), "at": (0.25, 2)},
    )
    for line in (
        "const float a = float(1e-07);",
        "const bool on = true;",
        "const int n = 7;",
        "const vec4 filter_isf = vec4(1.0, 0.5, 0.0, 1.0);",
        "const vec2 at = vec2(0.25, 2.0);",
    ):
        assert line in text.splitlines()
    assert "uniform sampler2D inputImage;" in text and "uniform float TIME;" in text


def test_what_is_not_finite_stays_a_uniform():
    text = isf.parse(MANY, "many").glsl(0)[1]
    assert specialise.constant(text, {"a": float("inf")}) == text


@pytest.mark.parametrize(
    ("code", "names"),
    [
        ("IMG_THIS_PIXEL(inputImage)", {"inputImage"}),
        ("IMG_THIS_NORM_PIXEL( inputImage ) + IMG_NORM_PIXEL(old, vec2(0.5))", {"inputImage"}),
        ("IMG_THIS_PIXEL(inputImage) + IMG_THIS_PIXEL(old)", set()),  # a buffer may have any size
        ("IMG_NORM_PIXEL(inputImage, isf_FragNormCoord)", set()),
    ],
)
def test_images_are_known_that_are_sampled_at_the_very_pixel(code, names):
    spec = isf.parse(
        '/*{"INPUTS": [{"NAME": "inputImage", "TYPE": "image"}], "PASSES": [{"TARGET": "old"}, {}]}*/\n'
        f"void main() {{ gl_FragColor = {code}; }}",
        "some",
    )
    text = spec.glsl(1)[1]
    assert specialise.here(text, spec.images) == names
    assert "texelFetch(image, ivec2(gl_FragCoord.xy), 0)" in specialise.fetched(text)


def drawn(surface, renderer, preset, moved=None, frames=12):
    """Pictures of a preset, (frames, H, W, 3), with some knobs elsewhere."""
    show, models, readback, pictures = Show([preset], preset.name), painter(LIBRARY, "cpu"), Readback(surface.ctx), []
    for i in range(frames):
        features, sound = music((i + 1) / FPS)
        frame = show.step((i + 1) / FPS, 1 / FPS, SIZE, features, sound)
        if moved:
            frame = replace(frame, scene=replace(frame.scene, params={**frame.scene.params, **moved}))
        renderer.draw(frame, models.paint(frame), surface.screen)
        finish()
        pictures.append(readback.read(surface.screen, SIZE).astype(np.float32))
    return np.stack(pictures)


def settled_programs(renderer):
    return {name: len(program._settled) for name, program in renderer._programs.items() if program is not None}


@pytest.mark.parametrize("name", [preset.name for preset in LIBRARY.in_order()])
def test_a_preset_at_rest_looks_as_with_knobs_that_turn(name, surface):
    if not is_software(surface.ctx):
        pytest.skip("a graphics card needs no such programs")
    preset = LIBRARY.presets[name]
    plain, quick = (Renderer(surface.ctx, LIBRARY.shaders, deep=False) for _ in range(2))
    quick.warm(preset)
    made = settled_programs(quick)
    assert sum(made.values()) > 0
    apart = np.abs(drawn(surface, plain, preset) - drawn(surface, quick, preset))
    assert settled_programs(quick) == made, "compiled while it played"
    assert sum(settled_programs(plain).values()) == 0
    # A rounding the other way moves what is sharp by a pixel here and there, and feedback keeps it.
    assert apart.mean() < 0.5
    plain.release()
    quick.release()


def test_a_knob_that_is_turned_is_obeyed_and_comes_back(surface):
    preset = LIBRARY.presets["tidal"]
    renderer = Renderer(surface.ctx, LIBRARY.shaders, deep=False)
    renderer.warm(preset)
    before = drawn(surface, renderer, preset)
    dark = drawn(surface, renderer, preset, {"master.grade.gamma": 0.5})
    assert dark.mean() < 0.7 * before.mean()
    renderer.release()
