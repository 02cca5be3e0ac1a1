"""MadMapper's materials: a function of a place, numbers made by the host, libraries to include."""

import json

import numpy as np
import pytest
from parts.shader_play import SIZE, play

from performer.content import shaders as isf
from performer.content.shaders.madmapper_glsl import LIBRARIES
from performer.content.shaders.signals import Signal, Signals
from performer.gl.render.node import Moment
from performer.gl.window.offscreen import Offscreen
from performer.system.errors import Fault

GREEN = (0.0, 1.0, 0.0, 1.0)
INCLUDES = '#include "MadCommon.glsl"\n#include "MadNoise.glsl"\n#include "MadSDF.glsl"\n'


@pytest.fixture(scope="module")
def world():
    headless = Offscreen(SIZE)
    yield headless
    headless.close()


def load(folder, header, body, before=""):
    path = folder / "mat.fs"
    text = f"/*{json.dumps(header)}*/\n{before}vec4 materialColorForPixel(vec2 texCoord) {{ {body} }}\n"
    path.write_text(text)
    return isf.load(path)


def passes(world, folder, test, header=None, before="", frames=1, textures=None):
    """Whether the material is green where the test holds, in the last frame."""
    spec = load(folder, header or {}, f"return ({test}) ? vec4(0, 1, 0, 1) : vec4(1, 0, 0, 1);", before)
    return np.allclose(play(world, spec, frames, textures=textures)[-1], GREEN)


def test_places_begin_at_the_top_left(world, tmp_path):
    spec = load(tmp_path, {}, "return vec4(texCoord, fract(CLOCK_TIME), 0.5);")
    picture = play(world, spec, 2)[1]
    assert spec.kind == "source" and not spec.warnings
    assert np.allclose(picture[0, 0], (0.0, 1.0, 0.25, 0.5), atol=0.03), "the first row of a texture is the lowest"
    assert np.allclose(picture[-1, -1], (1.0, 0.0, 0.25, 0.5), atol=0.03)


def test_what_it_samples_is_upright_with_it(world, tmp_path):
    header = {"IMPORTED": [{"NAME": "mat_picture", "PATH": "none.png", "GL_TEXTURE_WRAP": "REPEAT"}]}
    green_above = world.ctx.texture((1, 2), 4, bytes([255, 0, 0, 255, 0, 255, 0, 255]))
    for sample in (
        "texture(mat_picture, vec2(0.5, 0.25))",
        "texture(mat_picture, vec2(0.5, 0.25), 0.0)",
        "IMG_NORM_PIXEL(mat_picture, vec2(0.5, 0.25))",
        "IMG_NORM_PIXEL_LOD(mat_picture, vec2(0.5, 0.25), 0.0)",
        "IMG_TEXEL_FETCH(mat_picture, ivec2(0), 0.0)",
        "texelFetch(mat_picture, ivec2(0, 0), 0)",
    ):
        test = f"{sample}.g > 0.9"
        assert passes(world, tmp_path, test, header, textures={"mat_picture": green_above}), sample


def test_all_kinds_of_inputs(world, tmp_path):
    inputs = [
        {"LABEL": "Group/Range", "NAME": "mat_range", "TYPE": "floatRange", "DEFAULT": [-2, 0.75], "MIN": -4, "MAX": 1},
        {"NAME": "mat_count", "TYPE": "int", "MIN": 1, "MAX": 10, "DEFAULT": 5},
        {"NAME": "mat_go", "TYPE": "event"},
        {
            "NAME": "mat_way",
            "TYPE": "long",
            "VALUES": ["To and fro", "In"],
            "DEFAULT": "In",
            "FLAGS": "generate_as_define",
        },
        {"NAME": "mat_on", "TYPE": "bool", "DEFAULT": True, "FLAGS": "button,generate_as_define"},
        {"NAME": "mat_curve", "TYPE": "curve", "DEFAULT": [0, 0, 1, 1]},
        {"NAME": "mat_low", "TYPE": "audioFFT", "SIZE": 16, "ATTACK": 0.0, "DECAY": 0.4},
    ]
    test = (
        "mat_range == vec2(-2, 0.75) && mat_count == 5 && !mat_go && mat_way == 1 && ok && IMG_SIZE(mat_low).x == 16.0"
    )
    before = (
        "#if defined(mat_way_IS_In) && defined(mat_on_IS_true) && !defined(mat_way_IS_To_and_fro)\nbool ok ="
        " true;\n#endif\n"
    )
    low = world.ctx.texture((16, 1), 1, bytes(16))
    assert passes(world, tmp_path, test, {"INPUTS": inputs}, before, textures={"mat_low": low})
    spec = isf.load(tmp_path / "mat.fs")
    assert [p.low for p in spec.inputs if p.name == "mat_range"] == [(-4.0, -4.0)]
    assert spec.audio[0].width == 16 and any("curve" in note for note in spec.warnings)


def test_a_time_goes_on_when_its_speed_is_turned(world, tmp_path):
    header = {
        "INPUTS": [{"NAME": "mat_speed", "TYPE": "float", "DEFAULT": 2.0, "MAX": 4.0}],
        "GENERATORS": [{"NAME": "mat_time", "TYPE": "time_base", "PARAMS": {"speed": "mat_speed"}}],
    }
    spec = load(tmp_path, header, "return vec4(mat_time / 4.0, 0, 0, 1);")
    assert [p[0, 0, 0] for p in play(world, spec, 4)] == pytest.approx([0.0, 0.125, 0.25, 0.375], abs=0.01)


def test_the_last_frame_can_be_read(world, tmp_path):
    header = {"RASTERISATION_SETTINGS": {"REQUIRES_LAST_FRAME": True}}
    spec = load(
        tmp_path, header, "return texture(mm_LastFrame, texCoord) + vec4(texCoord.y > 0.5 ? 0.25 : 0.0, 0, 0, 1);"
    )
    pictures = play(world, spec, 3)
    assert [p[0, 0, 0] for p in pictures] == pytest.approx([0.25, 0.5, 0.75], abs=0.01)
    assert pictures[2][-1, 0, 0] == 0.0


def test_colours_are_clamped_unless_the_header_says_no(world, tmp_path):
    body = "return vec4(texture(mm_LastFrame, texCoord).r > 1.5 ? 0.0 : 2.0, 1, 0, 1);"
    for clamped, reds in ((True, [1.0, 1.0]), (False, [1.0, 0.0])):
        spec = load(tmp_path, {"RENDER_SETTINGS": {"CLAMP_MATERIAL_OUTPUT": clamped}}, body)
        assert [p[0, 0, 0] for p in play(world, spec, 2)] == reds


def test_its_vertex_shader_computes_for_it(world, tmp_path):
    (tmp_path / "mat.vs").write_text(
        '#include "MadCommon.glsl"\nout float half_;\nout vec2 place;\n'
        "void materialVsFunc(vec2 uv) { half_ = mat_a; place = uv; }\n"
    )
    header = {"INPUTS": [{"NAME": "mat_a", "TYPE": "float", "DEFAULT": 0.5}]}
    assert passes(
        world, tmp_path, "half_ == 0.5 && distance(place, texCoord) < 0.01", header, "in float half_;\nin vec2 place;\n"
    )


def test_surface_effects_change_the_picture_below(world, tmp_path):
    path = tmp_path / "fx.fs"
    path.write_text(
        "/*{}*/\nvec4 fxColorForPixel(vec2 uv) { vec4 c = FX_NORM_PIXEL(uv); c.rgb = 1 - c.rgb; return c; }\n"
    )
    (tmp_path / "fx.vs").write_text("void fxVsFunc() { gl_Position = mm_ModelViewProjectionMatrix * mm_Vertex; }\n")
    magenta = world.ctx.texture((1, 1), 4, bytes([255, 0, 255, 255]))
    spec = isf.load(path)
    assert spec.kind == "filter"
    assert np.allclose(play(world, spec, 1, textures={"inputImage": magenta})[0], GREEN)


@pytest.mark.parametrize("function", ["laserMaterialFunc", "vectorMaterialFunc"])
def test_laser_materials_are_refused_by_name(tmp_path, function):
    path = tmp_path / "laser.fs"
    path.write_text(f"/*{{}}*/\nvoid {function}(int number, int count, out vec2 pos, out vec4 color) {{ }}\n")
    with pytest.raises(Fault, match=rf"laser\.fs: a MadMapper laser material \({function}\)"):
        isf.load(path)


def test_the_libraries_are_what_they_say(world, tmp_path):
    same = (
        "distance(hsv2rgb(rgb2hsv(vec3(0.2, 0.7, 0.4))), vec3(0.2, 0.7, 0.4)) < 0.001 && abs(rgb2hue(vec3(0, 1,"
        " 0)) - 1.0 / 3.0) < 0.001"
    )
    near = "vec3 p = vec3(texCoord * 9.0, 0.5); vec2 q = p.xy;"
    ranges = (
        "float v = vnoise(p) + vnoise(q), n = noise(p), m = noise(q), w = worleyNoise(p), x = worleyNoise(q);"
        "bool ok = v >= 0.0 && v <= 2.0 && abs(n) <= 1.0 && abs(m) <= 1.0 && w >= 0.0 && x <= 1.0 &&"
        " billowedNoise(p) == abs(n)"
        " && abs(fBm(q)) < 1.0 && ridgedMF(p, 1.0) > 0.0 && abs(dnoise(q).x - m) < 0.001"
        " && abs(flowNoise(q, 1.0)) <= 1.0 && length(curlNoise(q)) < 9.0"
        " && abs(vnoise(p + 0.0001) - vnoise(p)) < 0.01 && abs(noise(p + 0.0001) - n) < 0.01;"
    )
    shapes = (
        "vec2 id; vec2 r = repeat(vec2(2.75, 0.25), vec2(1.0), id); ok = ok && r == vec2(0.25, -0.25) && id =="
        " vec2(2, 0)"
        " && circle(vec2(3, 4), 1.0) == 4.0 && rectangle(vec2(3, 0), vec2(1)) == 2.0 && line(vec2(0, 2),"
        " vec2(-1, 0), vec2(1, 0), 1.0)"
        " == 1.5 && subtract(1.0, 2.0) == 1.0 && smoothBlend(5.0, 1.0, 0.1) == 1.0 && fill(vec3(0), vec3(1),"
        " -1.0) == vec3(1)"
        " && stroke(vec4(0), vec4(1), -2.0, 1.0) == vec4(0) && glow(vec3(1), 0.0, 1.0).x == 0.5 &&"
        " hexagon(vec2(0), 1.0) == -1.0;"
    )
    spec = load(
        tmp_path,
        {},
        f"{near} {ranges} {shapes} return vec4(0, ok && {same}, saturate(lerp(-3.0, 0.0, 0.5)), 1);",
        INCLUDES,
    )
    assert np.allclose(play(world, spec, 1)[0], GREEN)
    spec = load(
        tmp_path,
        {},
        "vec2 q = texCoord * 8.0; return vec4(vnoise(q), noise(q) * 0.5 + 0.5, worleyNoise(q), 1);",
        INCLUDES,
    )
    picture = play(world, spec, 1)[0]
    assert (picture[..., :3].std((0, 1)) > 0.05).all(), "noise is no flat field"


@pytest.mark.parametrize("name", sorted(LIBRARIES))
def test_each_library_compiles_alone(world, tmp_path, name):
    assert passes(world, tmp_path, "true", before=f'#define NOISE_WORLEY_ASHIMA_IMPL\n#include "{name}"\n')


def test_odd_generators_are_notes(world, tmp_path):
    rows = [
        {"NAME": "mat_strange", "TYPE": "wobbler", "PARAMS": {"input_value": "mat_a"}},
        {"NAME": "mat_a", "TYPE": "time_base"},
        {"NAME": "no name", "TYPE": "time_base"},
        {"NAME": "mat_none", "TYPE": "time_base", "PARAMS": "speed"},
    ]
    header = {"INPUTS": [{"NAME": "mat_a", "TYPE": "float", "DEFAULT": 0.5}], "GENERATORS": rows}
    assert passes(world, tmp_path, "mat_strange == 0.5 && mat_none == 0.0", header)
    assert [note.split("GENERATORS")[1][:3] for note in isf.load(tmp_path / "mat.fs").warnings] == ["[0]", "[1]", "[2]"]


def signal(kind, **given):
    return Signals((Signal("it", kind, given, {"shape": ("Smooth", "In", "Out", "Linear", "Cut")}),))


def run(signals, steps, dt=0.25, bpm=0.0, **inputs):
    return [signals.step(inputs, dt, bpm)["it"] for _ in range(steps)]


@pytest.mark.parametrize(
    ("given", "bpm", "values"),
    [
        ({}, 0.0, [0.25, 0.5, 0.75]),
        ({"speed": 3.0, "speed_curve": 2.0}, 0.0, [2.25, 4.5, 6.75]),
        ({"speed": -2.0, "speed_curve": 2.0}, 0.0, [-1.0, -2.0, -3.0]),
        ({"speed": 2.0, "reverse": 1.0}, 0.0, [-0.5, -1.0, -1.5]),
        ({"link_speed_to_global_bpm": 1.0}, 60.0, [0.125, 0.25, 0.375]),
        ({"speed": 0.6, "bpm_sync": 1.0}, 120.0, [0.25, 0.5, 0.75]),
        ({"strob": 0.5}, 0.0, [0.25, 0.25, 0.75]),
        ({"speed": 1e300, "speed_curve": 1e300}, 0.0, [250000.0, 500000.0, 750000.0]),
    ],
)
def test_times(given, bpm, values):
    assert run(signal("time_base", **given), 3, bpm=bpm) == pytest.approx(values)


def test_shapes():
    for number, values in enumerate(
        ([0.5, 1.0, 0.5], [0.25, 0.5, 0.75], [0.75, 0.5, 0.25], [0.5, 1.0, 0.5], [0.0, 1.0, 1.0])
    ):
        assert run(signal("animator", shape="shape"), 3, shape=float(number)) == pytest.approx(values)
    assert run(signal("animator", shape="Out"), 2) == pytest.approx([0.75, 0.5])
    noise = run(signal("animator", shape="Noise"), 200)
    assert 0.0 <= min(noise) < 0.3 and 0.7 < max(noise) <= 1.0 and noise == run(signal("animator", shape="Noise"), 200)


def test_filters_follow_their_input():
    for kind, given in (
        ("damper", {"hardness": 0.3}),
        ("adsr", {"attack": 0.3, "release": 0.3}),
        ("linear_filter", {}),
        ("ease_filter", {}),
    ):
        signals = signal(kind, input_value="x", **given)
        assert run(signals, 1, 0.05, x=0.0) == [0.0]
        rising = run(signals, 100, 0.05, x=1.0)
        assert 0.0 < rising[0] < rising[1] < 1.0 and rising[-1] == pytest.approx(1.0, abs=0.01), kind
        assert run(signals, 100, 0.05, x=0.0)[-1] == pytest.approx(0.0, abs=0.01), kind
    held = signal("adsr", input_value="x", decay=0.5)
    assert run(held, 1, 0.1, x=1.0) + run(held, 8, 0.1, x=0.0)[3:] == [1.0, 1.0, 1.0, 0.0, 0.0, 0.0]


def test_counts_products_and_the_beat():
    counter = signal("incrementer", increment="up", decrement="down")
    assert [counter.step({"up": up, "down": down}, 0.1)["it"] for up, down in ((4, 0), (5, 0), (7, 1), (7, 1))] == [
        0,
        1,
        2,
        2,
    ]
    assert run(signal("multiplier", value1="x", value2=0.5), 1, x=4.0) == [2.0]
    assert signal("pass_thru", input_value="/custom/BPM/bpmPos").step({}, 0.1, 120.0, 6.25)["it"] == 0.25
    assert Moment().bpm == 0.0 and signal("pass_thru", input_value="/custom/BPM/bpm").step({}, 0.1)["it"] == 120.0
