"""Drawing, headless: passes and buffers, images, transitions, reloading; looked at pixel by pixel."""

import json
import logging
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from parts.drawing import BROKEN, SHADERS, SIZE, frame, layer, make, preset, read, scene

from performer.content import shaders as isf
from performer.content.shaders import AudioInput
from performer.gl.render.compose import Compose
from performer.gl.render.node import Moment, Node
from performer.gl.render.program import Program
from performer.gl.render.renderer import Renderer
from performer.gl.render.target_pool import Pool
from performer.gl.render.texture import ImageTexture, SoundTexture
from performer.gl.render.wait import after_pass, finish, nothing
from performer.gl.window.offscreen import Offscreen
from performer.system.errors import Fault
from performer.types.features import Sound
from performer.types.image import Image
from performer.types.status import Effort

SHARED = Path(__file__).resolve().parents[2].parent / "shared" / "corpus"
IMAGE = {"NAME": "inputImage", "TYPE": "image"}


@pytest.fixture(scope="module")
def world():
    headless = Offscreen(SIZE)
    yield headless
    headless.close()


class Bench:
    """One node by itself."""

    def __init__(self, world, spec, size=SIZE):
        self.pool, self.compose = Pool(world.ctx, deep=False), Compose(world.ctx)
        self.black = world.ctx.texture((3, 3), 4, bytes(36))
        self.program = Program(world.ctx, spec)
        self.node = Node(world.ctx, self.pool, self.compose, self.program, "n", self.black)
        self.moment = Moment(size)

    def draw(self, params=None, textures=None, size=None, time=0.0):
        self.moment.size, self.moment.time, self.moment.dt = size or self.moment.size, time, 1 / 60
        target = self.node.draw(self.moment, params or {}, textures or {})
        picture = np.frombuffer(target.texture.read(), np.float32 if target.dtype == "f4" else np.uint8)
        self.pool.give(target)
        picture = picture.reshape(target.size[1], target.size[0], 4)[::-1]
        return picture.copy() if target.dtype == "f4" else picture / 255.0


# -- one shader


def test_standard_variables(world):
    code = """void main() {
      if (check == 0) gl_FragColor = vec4(isf_FragNormCoord, gl_FragCoord.xy / RENDERSIZE);
      if (check == 1) gl_FragColor = vec4(TIME, TIMEDELTA, float(FRAMEINDEX), float(PASSINDEX));
      if (check == 2) gl_FragColor = DATE / vec4(4000.0, 20.0, 40.0, 86400.0);
    }"""
    spec = make(
        "standard",
        code,
        '{"INPUTS": [{"NAME": "check", "TYPE": "long", "VALUES": [0, 1, 2]}], "PASSES": ['
        '{"TARGET": "a", "FLOAT": true}]}',
    )
    bench = Bench(world, spec)
    bench.moment.date = (2000.0, 10.0, 20.0, 43200.0)
    place = bench.draw({"n.check": 0.0})
    x, y = (np.arange(64) + 0.5) / 64, (np.arange(36)[::-1] + 0.5) / 36
    expected = np.stack(np.broadcast_arrays(x[None, :], y[:, None]), -1)
    assert np.abs(place[..., :2] - expected).max() < 1e-5
    assert np.abs(place[..., 2:] - expected).max() < 1e-5
    assert bench.draw({"n.check": 1.0}, time=0.5)[0, 0] == pytest.approx([0.5, 1 / 60, 1.0, 0.0])
    assert bench.draw({"n.check": 2.0})[0, 0] == pytest.approx([0.5, 0.5, 0.5, 0.5])


def test_values_of_every_type_reach_the_shader(world):
    header = """{"INPUTS": [{"NAME": "f", "TYPE": "float"}, {"NAME": "b", "TYPE": "bool"}, {"NAME": "l", "TYPE": "long",
      "VALUES": [2, 7]}, {"NAME": "p", "TYPE": "point2D"}, {"NAME": "filter", "TYPE": "color"}]}"""
    code = """void main() {
      gl_FragColor = vec4(f, b ? 1.0 : 0.0, float(l) / 10.0, 1.0);
      if (isf_FragNormCoord.x > 0.5) gl_FragColor = vec4(p, filter.ba);
    }"""
    bench = Bench(world, make("types", code, header))
    drawn = bench.draw({"n.f": 0.2, "n.b": 1.0, "n.l": 7.0, "n.p": (0.4, 0.6), "n.filter": (0.0, 0.0, 0.8, 0.6)})
    assert drawn[0, 0] == pytest.approx([0.2, 1.0, 0.7, 1.0], abs=0.003)
    assert drawn[0, -1] == pytest.approx([0.4, 0.6, 0.8, 0.6], abs=0.003)
    assert bench.draw()[0, 0] == pytest.approx([0.0, 0.0, 0.2, 1.0], abs=0.003)


def test_an_event_is_true_for_one_frame(world):
    bench = Bench(
        world,
        make(
            "event",
            "void main() { gl_FragColor = vec4(hit ? 1.0 : 0.0); }",
            '{"INPUTS": [{"NAME": "hit", "TYPE": "event"}]}',
        ),
    )
    seen = [bench.draw({"n.hit": float(count)})[0, 0, 0] for count in (41, 41, 42, 42, 44, 44, 0, 1)]
    assert seen == [0, 0, 1, 0, 1, 0, 0, 1]


def test_sampling_functions_agree(world):
    code = """void main() {
      vec4 same = IMG_THIS_PIXEL(inputImage);
      vec2 at = isf_FragNormCoord;
      float off = distance(same, IMG_THIS_NORM_PIXEL(inputImage)) + distance(same, IMG_NORM_PIXEL(inputImage, at))
        + distance(same, IMG_PIXEL(inputImage, at * IMG_SIZE(inputImage))) + distance(same, texture2D(inputImage, at))
        + distance(same, texture2DRect(inputImage, at * _inputImage_imgSize));
      gl_FragColor = vec4(same.rg, off, IMG_SIZE(inputImage).x / 10.0);
    }"""
    bench = Bench(world, make("sampling", code, '{"INPUTS": [{"NAME": "inputImage", "TYPE": "image"}]}'))
    pixels = np.random.default_rng(1).integers(0, 255, (4, 5, 4), np.uint8)
    texture = world.ctx.texture((5, 4), 4, pixels.tobytes())
    texture.repeat_x = texture.repeat_y = False
    drawn = bench.draw(textures={"inputImage": texture})
    assert drawn[..., 2].max() < 0.01
    assert drawn[0, 0, 3] == pytest.approx(0.5, abs=0.01)
    assert drawn[-1, 0, :2] == pytest.approx(pixels[0, 0, :2] / 255, abs=0.01)


def test_a_persistent_float_buffer_counts_and_survives_resizing(world):
    spec = make(
        "count",
        "void main() { gl_FragColor = IMG_THIS_PIXEL(sum) + vec4(1.0); }",
        '{"PASSES": [{"TARGET": "sum", "PERSISTENT": true, "FLOAT": true}]}',
    )
    bench = Bench(world, spec)
    assert [bench.draw()[5, 5, 0] for _ in range(300)] == list(range(1, 301))
    assert bench.draw(size=(32, 18)).shape == (18, 32, 4)
    assert bench.draw(size=(128, 72))[9, 9, 0] == 302.0


def test_sized_passes_see_their_own_size_and_each_other(world):
    header = """{"INPUTS": [{"NAME": "part", "TYPE": "float", "DEFAULT": 0.25}], "PASSES": [
      {"TARGET": "small", "WIDTH": "$WIDTH * $part", "HEIGHT": "max(1, $HEIGHT / 0)"},
      {"TARGET": "tiny", "WIDTH": 2}, {}]}"""
    code = """void main() {
      if (PASSINDEX == 0) gl_FragColor = vec4(RENDERSIZE / 100.0, 0.0, 1.0);
      else if (PASSINDEX == 1) gl_FragColor = vec4(IMG_SIZE(small) / 100.0, IMG_SIZE(tiny).x / 10.0, 1.0);
      else gl_FragColor = vec4(IMG_NORM_PIXEL(small, vec2(0.5)).rg, IMG_SIZE(tiny).x / 10.0, IMG_THIS_PIXEL(tiny).r);
    }"""
    bench = Bench(world, make("sized", code, header))
    assert bench.draw()[0, 0] == pytest.approx([0.16, 0.36, 0.2, 0.16], abs=0.003)
    assert bench.draw({"n.part": 0.5})[0, 0] == pytest.approx([0.32, 0.36, 0.2, 0.32], abs=0.003)


def test_several_passes_into_one_buffer_see_the_one_before(world):
    for lasting in (True, False):
        header = json.dumps({"PASSES": 3 * [{"TARGET": "a", "PERSISTENT": lasting}] + [{}]})
        code = (
            "void main() { vec4 c = IMG_THIS_PIXEL(a);"
            " gl_FragColor = PASSINDEX == 0 ? vec4(0.1) : PASSINDEX == 3 ? c : c * 2.0; }"
        )
        bench = Bench(world, make("several", code, header))
        for _ in range(3):
            assert bench.draw()[3, 3, 0] == pytest.approx(0.4, abs=0.02)


def test_nothing_is_allocated_once_it_runs(world):
    bench = Bench(
        world,
        make(
            "two",
            "void main() { gl_FragColor = PASSINDEX == 0 ? vec4(1.0) : IMG_THIS_PIXEL(a); }",
            '{"PASSES": [{"TARGET": "a"}, {}]}',
        ),
    )
    bench.draw()
    bench.pool.ctx = None  # whoever would allocate now fails
    for _ in range(5):
        bench.draw()
        bench.pool.step()


def test_only_software_renderers_are_waited_for():
    for name, called in (("llvmpipe (LLVM 15.0.6, 256 bits)", finish), ("NVIDIA H200/PCIe/SSE2", nothing)):
        assert after_pass(SimpleNamespace(info={"GL_RENDERER": name})) is called


def test_idle_targets_are_released(world):
    pool = Pool(world.ctx, deep=False)
    pool.give(pool.take((8, 8)))
    for _ in range(1000):
        pool.step()
    assert not pool._free


def test_compile_errors_name_the_authors_line(world):
    with pytest.raises(Fault, match=r"^broken:3: .*nothing"):
        Program(world.ctx, BROKEN)
    vertex = isf.parse(
        "/*{}*/\nvoid main() { gl_FragColor = vec4(1.0); }",
        "v",
        Path("a/v.fs"),
        "void main() {\n isf_vertShaderInit();\n\n gl_Position = nix;\n}",
    )
    with pytest.raises(Fault, match=r"^a/v\.vs:4: .*nix"):
        Program(world.ctx, vertex)
    with pytest.raises(Fault, match=r"does not link: .*missing"):
        Program(world.ctx, make("x", "float missing();\nvoid main() { gl_FragColor = vec4(missing()); }"))
    assert world.ctx.error == "GL_NO_ERROR"


DIALECTS = {
    "globals": "vec2 st = gl_FragCoord.xy / RENDERSIZE;\nfloat t = TIME * amount;\n"
    "void main() { gl_FragColor = vec4(st, t, 1); }",
    "own round": "float round(float x) { return floor(x + 0.5); }\nvoid main() { gl_FragColor = vec4(round(amount)); }",
    "texture as a name": "void main() { vec4 texture = IMG_THIS_PIXEL(inputImage);"
    " gl_FragColor = texture + texture2D(inputImage, vec2(0.5)); }",
    "reserved names": "float smooth(float half) { return half; }\n"
    "void main() { float input = 1.0; float flat = 2.0; vec4 sample = vec4(input * flat);"
    " gl_FragColor = sample * smooth(0.5); }",
    "samplers as parameters": "vec4 f(sampler2D s, vec2 p) { return IMG_PIXEL(s, p) + IMG_THIS_PIXEL(s); }\n"
    "void main() { gl_FragColor = f(inputImage, isf_FragNormCoord); }",
    "whole numbers": "void main() { float a = 1; if (amount > 1) a = 2;"
    " gl_FragColor = vec4(pow(amount, 2), mod(TIME, 2), a, mode); }",
    "C arrays": "const float w[2] = {0.25, 0.75};\nvoid main() { gl_FragColor = vec4(w[mode]); }",
    "const of a uniform": "const vec2 middle = RENDERSIZE * 0.5;\nvoid main() { gl_FragColor = vec4(middle, 0, 1); }",
    "redeclared": "uniform float TIME;\nuniform sampler2D inputImage;\nvarying vec2 isf_FragNormCoord;\n"
    "void main() { gl_FragColor = IMG_THIS_PIXEL(inputImage) + TIME; }",
    "fixed function": "void main() { gl_FragData[0] = IMG_NORM_PIXEL(inputImage, gl_TexCoord[0].st); }",
    "embedded": "#extension GL_OES_standard_derivatives : enable\n#ifdef GL_ES\nprecision highp float;\n#endif\n"
    "void main() { lowp float a = dFdx(amount); gl_FragColor = vec4(a); }",
    "own output": "#version 330\nout vec4 colour;\nvoid main() { colour = texture(inputImage, isf_FragNormCoord); }",
    "shadertoy": "void mainImage(out vec4 c, in vec2 p) { c = vec4(p / RENDERSIZE, 0.5, 1.0); }\r\n"
    "void main(void) { mainImage(gl_FragColor, gl_FragCoord.xy); }\r\n",
    "other letters": "// h\u00e9llo \u2014 \u201cquotes\u201d\nvoid main() { gl_FragColor = vec4(1.0); } // \u00fc",
}


@pytest.mark.parametrize("name", DIALECTS)
def test_dialects_compile(world, name):
    header = """{"INPUTS": [{"NAME": "inputImage", "TYPE": "image"}, {"NAME": "amount", "TYPE": "float"},
      {"NAME": "mode", "TYPE": "long", "VALUES": [0, 1]}]}"""
    Bench(world, make(name, DIALECTS[name], header)).draw()


@pytest.mark.parametrize("name", ["mix", "floor", "smooth", "sample", "filter", "input", "texture", "in", "half"])
def test_inputs_may_have_awkward_names(world, name):
    header = json.dumps({"INPUTS": [{"NAME": name, "TYPE": "float"}]})
    spec = make("x", f"void main() {{ gl_FragColor = vec4({name}); }}", header)
    assert Bench(world, spec).draw({f"n.{name}": 0.6})[0, 0, 0] == pytest.approx(0.6, abs=0.003)


# -- the corpus


@pytest.mark.skipif(not SHARED.exists(), reason="needs the corpus")
def test_the_expected_pictures_match(world):
    from PIL import Image as Picture

    folder = SHARED / "isf" / "tests"
    size = (128, 128)
    drawn = {}
    drawn["generator"] = Bench(world, isf.load(folder / "assets" / "generator.fs"), size).draw()
    for name in ("persistent-buffers", "version1", "version1.upgraded"):
        bench = Bench(world, isf.load(folder / "assets" / f"{name}.fs"), size)
        for at in (0.0, 0.5, 1.0):
            drawn[name] = bench.draw({"n.xPos": at})
    for name, picture in drawn.items():
        file = folder / "expected" / f"{name}.png"
        expected = np.asarray(Picture.open(file if file.exists() else folder / "expected/persistent-buffers.png"))
        # The pictures were saved with x and y exchanged, the bottom row first.
        assert np.abs(picture[::-1].transpose(1, 0, 2) - expected / 255.0).max() < 3 / 255, name


@pytest.mark.skipif(not SHARED.exists(), reason="needs the corpus")
@pytest.mark.parametrize("path", sorted((SHARED / "isf").rglob("*.fs")), ids=lambda path: path.stem)
def test_the_corpus_is_drawn(world, path):
    if path.name == "bad-metadata.fs":
        pytest.skip("broken on purpose")
    bench = Bench(world, isf.load(path), (160, 90))
    rng = np.random.default_rng(3)
    image = np.kron(rng.integers(0, 255, (9, 16, 4)), np.ones((10, 10, 1))).astype(np.uint8)
    texture = world.ctx.texture((160, 90), 4, image.tobytes())
    for i in range(8):
        picture = bench.draw(textures=dict.fromkeys(bench.program.spec.images, texture), time=1.0 + i / 60)
    assert np.isfinite(picture).all()
    assert picture[..., :3].std() > 0.01


# -- images and sound


@pytest.mark.parametrize("shape", [(36, 64), (33, 57), (128, 128)])
def test_an_image_comes_out_as_it_went_in(world, shape):
    pixels = np.random.default_rng(2).random((3, *shape), np.float32)
    texture = ImageTexture(world.ctx)
    assert texture.texture is None and texture.draw(None, 0.0, 1 / 60, (64, 36)) is None
    shown = texture.draw(Image(pixels, 0.0), 0.0, 1 / 60, (shape[1], shape[0]))
    back = np.frombuffer(shown.read(), np.uint8).reshape(*shape, 4)[::-1, :, :3]
    assert np.abs(back / 255.0 - pixels.transpose(1, 2, 0)).max() <= 0.5 / 255 + 1e-6


def test_the_middle_part_that_fits_is_shown(world):
    pixels = np.zeros((3, 100, 100), np.float32)
    pixels[0] = np.linspace(0, 1, 100, dtype=np.float32)[:, None]
    texture = ImageTexture(world.ctx).draw(Image(pixels, 0.0), 0.0, 1 / 60, (200, 100))
    assert texture.size == (100, 50)
    column = np.frombuffer(texture.read(), np.uint8).reshape(50, 100, 4)[::-1, 50, 0] / 255
    assert column == pytest.approx(np.linspace(0, 1, 100)[25:75], abs=0.01)


def test_small_images_are_doubled_smoothly(world):
    y, x = np.mgrid[0:36, 0:64].astype(np.float32)

    def wave(x, y):
        return 0.5 + 0.4 * np.sin(x * 0.4) * np.cos(y * 0.3)

    image = Image(np.stack(3 * [wave(x, y)]).astype(np.float32), 0.0)
    texture = ImageTexture(world.ctx)
    assert texture.draw(image, 0.0, 1 / 60, (64 * 3 - 1, 36 * 3)).size == (64, 36)
    fine = texture.draw(image, 0.0, 1 / 60, (64 * 3, 36 * 3))
    back = np.frombuffer(fine.read(), np.uint8).reshape(72, 128, 4)[::-1, :, 0] / 255
    y, x = (np.mgrid[0:72, 0:128] + 0.5) / 2 - 0.5
    assert np.abs(back - wave(x, y))[4:-4, 4:-4].max() < 0.01


def test_slow_images_are_crossfaded_and_fast_ones_are_not(world):
    black, white = np.zeros((3, 8, 8), np.float32), np.ones((3, 8, 8), np.float32)

    def level(texture, image, t):
        shown = texture.draw(image, t, 0.02, (8, 8))
        return shown.read()[0] / 255

    slow = ImageTexture(world.ctx)
    assert level(slow, Image(black, 0.0), 0.1) == 0.0
    new = Image(white, 0.2)
    rise = [level(slow, new, 0.4 + 0.02 * i) for i in range(12)]
    assert rise[:9] == pytest.approx([0.1 * (i + 1) for i in range(9)], abs=0.01)
    assert rise[9:] == [1.0, 1.0, 1.0]
    # The next image comes in the middle of the change: it starts from what is seen then, without a jump.
    level(slow, Image(black, 0.4), 0.64)
    assert level(slow, Image(black, 0.4), 0.66) < 1.0
    fast = ImageTexture(world.ctx)
    level(fast, Image(black, 0.0), 0.0)
    assert level(fast, Image(white, 0.02), 0.02) == 1.0


def test_sound_arrives_as_a_texture(world):
    wave = np.sin(np.linspace(0, 20, 1024)).astype(np.float32)
    bins = np.linspace(0, 1, 512, dtype=np.float32)
    sound = Sound(wave, bins)
    full = SoundTexture(world.ctx, AudioInput("w", False, 1024))
    full.show(sound, 0)
    assert np.frombuffer(full.texture.read(), np.float32) == pytest.approx(0.5 + 0.5 * wave, abs=1e-6)
    four = SoundTexture(world.ctx, AudioInput("f", True, 4))
    four.show(sound, 0)
    assert np.frombuffer(four.texture.read(), np.float32) == pytest.approx(bins[[127, 255, 383, 511]])
    volume = SoundTexture(world.ctx, AudioInput("v", False, 1))
    volume.show(sound, 0)
    assert np.frombuffer(volume.texture.read(), np.float32)[0] == pytest.approx(0.5 + 0.5 * np.abs(wave).max())


# -- frames


def test_a_source_with_its_effects(world):
    renderer = Renderer(world.ctx, SHADERS)
    one = preset(layer(shader="ramp", effects=["invert"]))
    renderer.draw(frame(scene(one, main__source__level=1.0)), {}, world.screen)
    finish()
    drawn = read(world.screen)
    assert drawn[0, -1] == pytest.approx([0.0, 0.0, 0.0], abs=0.02)
    assert drawn[-1, 0] == pytest.approx([1.0, 1.0, 0.0], abs=0.02)
    renderer.draw(frame(scene(one), 1, effort=Effort(skip=1)), {}, world.screen)
    assert read(world.screen)[0, -1] == pytest.approx([1.0, 1.0, 0.25], abs=0.02)
    renderer.release()


@pytest.mark.parametrize("lasting", [True, False])
def test_the_last_of_several_passes_is_what_is_seen(world, lasting):
    spec = make(
        "several",
        "void main() { gl_FragColor = PASSINDEX == 0 ? vec4(0.0) : vec4(vec3(0.5), 1.0) + IMG_THIS_PIXEL(a); }",
        json.dumps({"PASSES": [{"TARGET": "a", "PERSISTENT": lasting, "WIDTH": 1}, {}]}),
    )
    renderer = Renderer(world.ctx, {**SHADERS, "several": spec})
    for effects in ((), ("invert",)):
        one = scene(preset(layer(shader="several", effects=effects)), len(effects))
        for blackout in (0.0, 1e-9):  # drawn straight to the screen, and by way of a target
            renderer.draw(frame(one, blackout=blackout), {}, world.screen)
            assert read(world.screen).mean() == pytest.approx(0.5, abs=0.003)
    renderer.release()


@pytest.mark.parametrize("deep", [True, False])
@pytest.mark.parametrize(
    ("blend", "expected"),
    [
        ("normal", (0.5, 0.25, 0.0)),
        ("add", (0.64, 0.472, 0.4)),
        ("screen", (0.7, 0.55, 0.4)),
        ("multiply", (0.2, 0.1, 0.0)),
        ("overlay", (0.4, 0.2, 0.0)),
        ("lighten", (0.5, 0.4, 0.4)),
        ("darken", (0.4, 0.25, 0.0)),
        ("difference", (0.1, 0.15, 0.4)),
    ],
)
def test_layers_are_mixed(world, blend, expected, deep):
    renderer = Renderer(world.ctx, SHADERS, deep=deep)
    two = preset(layer("below", shader="flat_colour"), layer("above", shader="flat_colour", blend=blend))
    grey = {"below__source__colour": (0.4, 0.4, 0.4, 1.0)}
    for opacity in (1.0, 0.5, 0.0):
        renderer.draw(frame(scene(two, above__mix__opacity=opacity, **grey)), {}, world.screen)
        wanted = [(0.4**2 + opacity * (value**2 - 0.4**2)) ** 0.5 for value in expected]  # in linear light
        assert read(world.screen)[5, 5] == pytest.approx(wanted, abs=0.006)
    renderer.release()


def test_master_effects_and_blackout(world):
    renderer = Renderer(world.ctx, SHADERS)
    one = preset(layer(shader="flat_colour"), layer("second", shader="flat_colour", blend="add"), master=["invert"])
    renderer.draw(frame(scene(one)), {}, world.screen)
    red = 1.0 - 0.5 * 2.0**0.5  # two lights of 0.5, in linear light
    green = 1.0 - 0.25 * 2.0**0.5
    assert read(world.screen)[5, 5] == pytest.approx([red, green, 1.0], abs=0.006)
    renderer.draw(frame(scene(one), blackout=0.5), {}, world.screen)
    assert read(world.screen)[5, 5] == pytest.approx([0.5 * red, 0.5 * green, 0.5], abs=0.006)
    renderer.draw(frame(scene(one), blackout=1.0), {}, world.screen)
    assert read(world.screen).max() == 0.0
    renderer.release()


def test_a_change_of_scene_goes_through_its_transition(world):
    renderer = Renderer(world.ctx, SHADERS)
    old, new = scene(preset(layer(shader="flat_colour")), 1), scene(preset(layer(shader="ramp")), 2)
    renderer.draw(frame(old), {}, world.screen)
    start = read(world.screen)
    renderer.draw(frame(old, incoming=new, progress=0.5), {}, world.screen)
    middle = read(world.screen)
    assert set(renderer._scene_states) == {1, 2}
    renderer.draw(frame(new), {}, world.screen)
    end = read(world.screen)
    assert set(renderer._scene_states) == {2}
    assert np.abs(middle - (start + end) / 2).max() < 0.01
    broken = scene(preset(layer(shader="ramp"), transition="broken"), 3)
    renderer.draw(frame(new, incoming=broken, progress=0.5), {}, world.screen)
    assert np.abs(read(world.screen) - end).max() < 0.01
    renderer.release()


def test_a_scene_is_renewed_by_a_plain_dissolve(world):
    negative = make(
        "negative",
        "void main() { gl_FragColor = vec4(1.0 - IMG_THIS_PIXEL(endImage).rgb, progress); }",
        '{"INPUTS": [{"NAME": "startImage", "TYPE": "image"}, {"NAME": "endImage", "TYPE": "image"}]}',
    )
    renderer = Renderer(world.ctx, {**SHADERS, "negative": negative})
    same = preset(layer(shader="ramp"), transition="negative")
    renderer.draw(frame(scene(same, 1)), {}, world.screen)
    before = read(world.screen)
    renderer.draw(frame(scene(same, 1), incoming=scene(same, 2), progress=0.3), {}, world.screen)
    assert np.abs(read(world.screen) - before).max() > 0.5
    renderer.draw(frame(scene(same, 1), incoming=scene(same, 2), progress=0.3, renewal=True), {}, world.screen)
    assert np.abs(read(world.screen) - before).max() < 0.01
    renderer.release()


def test_a_larger_target_gets_the_picture_enlarged(world):
    renderer = Renderer(world.ctx, SHADERS)
    large = world.ctx.framebuffer([world.ctx.texture((128, 72), 4)])
    renderer.draw(frame(scene(preset(layer(shader="ramp")))), {}, large)
    drawn = read(large, (128, 72))
    assert drawn[36, :, 0] == pytest.approx((np.arange(128) + 0.5) / 128, abs=0.012)
    renderer.release()


def test_a_model_without_an_image_is_never_black(world):
    renderer = Renderer(world.ctx, SHADERS)
    first, second = (scene(preset(layer(model="m")), number) for number in (1, 2))
    renderer.draw(frame(first), {}, world.screen)
    empty = read(world.screen)
    assert 0.03 < empty.mean() < 0.3 and empty.std() > 0.005
    red = np.zeros((3, 32, 32), np.float32)
    red[0] = 1.0
    renderer.draw(frame(first, t=0.1), {(1, "main"): Image(red, 0.0)}, world.screen)
    assert read(world.screen)[3, 3] == pytest.approx([1.0, 0.0, 0.0])
    # The next scene has no image yet: the last picture stands in, also after its own scene has gone.
    renderer.draw(frame(first, t=0.2, incoming=second, progress=0.9), {(1, "main"): Image(red, 0.0)}, world.screen)
    for t in (0.3, 0.4):
        renderer.draw(frame(second, t=t), {}, world.screen)
        assert read(world.screen)[3, 3] == pytest.approx([1.0, 0.0, 0.0])
    green = np.ascontiguousarray(red[[1, 0, 2]])
    renderer.draw(frame(second, t=0.5), {(2, "main"): Image(green, 0.4)}, world.screen)
    assert read(world.screen)[3, 3] == pytest.approx([0.0, 1.0, 0.0])
    renderer.release()


def test_a_broken_shader_is_left_out_and_said_once(world, caplog):
    renderer = Renderer(world.ctx, SHADERS)
    one = preset(layer(shader="flat_colour", effects=["broken", "missing"]), layer("b", shader="broken", blend="add"))
    with caplog.at_level(logging.ERROR):
        for i in range(3):
            renderer.draw(frame(scene(one), i), {}, world.screen)
    assert read(world.screen)[5, 5, 0] > 0.5
    assert [record.message.split(":")[0] for record in caplog.records] == ["broken", "no shader 'missing'; left out"]
    with pytest.raises(Fault, match="broken:3"):
        renderer.warm(one)
    renderer.release()


def test_a_node_that_fails_while_drawing_is_left_out(world, caplog):
    renderer = Renderer(world.ctx, SHADERS)
    one = preset(layer(shader="ramp", effects=["invert"]))
    renderer.draw(frame(scene(one)), {}, world.screen)
    wrong = scene(one, main__source__level="loud")
    with caplog.at_level(logging.ERROR):
        for i in range(3):
            renderer.draw(frame(wrong, i), {}, world.screen)
    assert len(caplog.records) == 1
    assert 0.7 < read(world.screen).mean() < 0.99  # the dark glow, inverted
    renderer.release()


def test_an_image_of_the_wrong_kind_leaves_the_last_one(world, caplog):
    renderer = Renderer(world.ctx, SHADERS)
    one = scene(preset(layer(model="m")))
    red = np.zeros((3, 16, 16), np.float32)
    red[0] = 1.0
    renderer.draw(frame(one), {(1, "main"): Image(red, 0.0)}, world.screen)
    shapes = (np.zeros((16, 16, 3), np.float32), np.zeros((3, 16, 16)), np.zeros((3, 0, 4), np.float32))
    for i, bad in enumerate(shapes):
        renderer.draw(frame(one, i, t=0.1 * i), {(1, "main"): Image(bad, 0.1 * i)}, world.screen)
        assert read(world.screen)[3, 3] == pytest.approx([1.0, 0.0, 0.0])
    assert len(caplog.records) == 1
    renderer.release()


def test_reloading_keeps_buffers_and_refuses_what_is_broken(world):
    code = "void main() { gl_FragColor = IMG_THIS_PIXEL(sum) + vec4(STEP, 0.0, 0.0, 1.0); }"
    header = '{"PASSES": [{"TARGET": "sum", "PERSISTENT": true, "FLOAT": true}]}'
    spec = make("adds", code.replace("STEP", "0.125"), header)
    renderer = Renderer(world.ctx, {**SHADERS, "adds": spec})
    one = preset(layer(shader="adds"))
    levels = []

    def draw():
        renderer.draw(frame(scene(one), len(levels)), {}, world.screen)
        levels.append(read(world.screen)[5, 5, 0])

    draw()
    draw()
    with pytest.raises(Fault, match="adds:2: "):
        renderer.reload(replace(make("adds", "void main() { gl_FragColor = oops; }", header)))
    draw()
    renderer.reload(make("adds", code.replace("STEP", "0.25"), header))
    draw()
    assert levels == pytest.approx([0.125, 0.25, 0.375, 0.625], abs=0.003)
    # A shader that could not be had before plays from the next scene on.
    renderer.reload(
        make(
            "adds",
            "void main() { gl_FragColor = vec4(vec3(more), 1.0); }",
            '{"INPUTS": [{"NAME": "more", "TYPE": "float", "DEFAULT": 0.75}]}',
        )
    )
    draw()
    assert levels[-1] == pytest.approx(0.75, abs=0.003)
    renderer.release()


def test_sound_and_imported_pictures_reach_the_shader(world, tmp_path, caplog):
    from PIL import Image as Picture

    rows = np.zeros((2, 2, 3), np.uint8)
    rows[0] = (255, 0, 0)  # the upper row
    Picture.fromarray(rows).save(tmp_path / "picture.png")
    (tmp_path / "corrupt.png").write_bytes(b"\x89PNG\r\n")
    path = tmp_path / "both.fs"
    path.write_text("""/*{"INPUTS": [{"NAME": "wave", "TYPE": "audio"}, {"NAME": "bins", "TYPE": "audioFFT", "MAX": 8}],
      "IMPORTED": {"pic": {"PATH": "picture.png"}, "bad": {"PATH": "corrupt.png"}}}*/
      void main() { gl_FragColor = isf_FragNormCoord.x < 0.5 ? IMG_THIS_PIXEL(pic) :
        vec4(IMG_NORM_PIXEL(wave, vec2(0.5)).g, IMG_NORM_PIXEL(bins, vec2(0.99, 0.5)).r, IMG_THIS_PIXEL(bad).r, 1);}""")
    spec = isf.load(path)
    renderer = Renderer(world.ctx, {**SHADERS, "both": spec})
    sound = Sound(np.full(1024, -0.5, np.float32), np.linspace(0, 1, 512, dtype=np.float32))
    for i in range(2):
        renderer.draw(replace(frame(scene(preset(layer(shader="both"))), i), sound=sound), {}, world.screen)
    drawn = read(world.screen)
    assert drawn[1, 1] == pytest.approx([1.0, 0.0, 0.0], abs=0.05) and drawn[-2, 1].max() < 0.05
    assert drawn[5, -5] == pytest.approx([0.25, 1.0, 0.5], abs=0.01)
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    renderer.release()


def test_warming_leaves_no_trace(world):
    renderer = Renderer(world.ctx, SHADERS)
    one = preset(layer(model="m", effects=["invert"]), layer("b", shader="ramp", blend="add"), master=["invert"])
    renderer.warm(one)
    assert not renderer._scene_states and renderer._last_image is None
    assert set(renderer._programs) == {"invert", "ramp", "fade"}
    renderer.release()


def test_the_same_frames_give_the_same_pictures(world):
    spec = make(
        "noisy",
        """void main() {
      float n = fract(sin(dot(gl_FragCoord.xy, vec2(12.9898, 78.233)) + TIME) * 43758.5453);
      gl_FragColor = mix(IMG_THIS_PIXEL(old), vec4(n, DATE.w / 86400.0, float(hit), 1.0), 0.5); }""",
        '{"INPUTS": [{"NAME": "hit", "TYPE": "event"}], "PASSES": [{"TARGET": "old", "PERSISTENT": true}]}',
    )
    pictures = []
    for _ in range(2):
        renderer = Renderer(world.ctx, {**SHADERS, "noisy": spec})
        one = preset(layer(shader="noisy"))
        renderer.warm(one)
        for i in range(20):
            hits = scene(one, t=i / 60, main__source__hit=float(i // 4))
            renderer.draw(frame(hits, i, i / 60), {}, world.screen)
        pictures.append(world.screen.read())
        renderer.release()
    assert pictures[0] == pictures[1]
