"""What lies around a picture with alpha stays as it is: every effect over a checkerboard, ours and others'."""

import json
from pathlib import Path

import numpy as np
import pytest

from performer.content import shaders as isf
from performer.content.presets import reader
from performer.content.shaders.alpha import writes_opaque
from performer.gl.render.renderer import Renderer
from performer.gl.window.offscreen import Offscreen
from performer.types.features import Features, Sound
from performer.types.frame import Frame, Scene
from performer.types.image import Image

SIZE = (96, 54)
OURS = {
    spec.name: spec
    for spec in (isf.load(path) for path in sorted((Path(__file__).parents[2] / "shaders").glob("*.fs")))
}
EFFECTS = sorted(name for name, spec in OURS.items() if spec.kind == "filter")
SOURCES = sorted(name for name, spec in OURS.items() if spec.kind == "source")
#: They spread what they see in the middle over the picture: only an empty layer leaves all of the checkerboard.
FILLING = ("bloom", "kaleidoscope", "mirror_tile", "polar", "slit_scan", "facets", "feedback_zoom")
CODES = {
    "checks": "void main() { vec2 at = floor(gl_FragCoord.xy / 6.0); float on = mod(at.x + at.y, 2.0);"
    " gl_FragColor = vec4(mix(vec3(0.2, 0.4, 0.1), vec3(0.5, 0.1, 0.6), on), 1.0); }",
    "clear": "void main() { gl_FragColor = vec4(1.0, 0.5, 0.0, 0.0); }",
    "faint": "void main() { gl_FragColor = vec4(1.0, 0.0, 0.0, 0.25); }",
    "opaque": "void main() { gl_FragColor = vec4(isf_FragNormCoord, 0.3, 1.0); }",
    "negative": "void main() { vec4 c = IMG_THIS_PIXEL(inputImage); gl_FragColor = vec4(1.0 - c.rgb, c.a); }",
    "covering": "void main() { gl_FragColor = vec4(IMG_THIS_PIXEL(inputImage).rgb, 1.0); }",
    "larger": "void main() { gl_FragColor = IMG_NORM_PIXEL(inputImage, 0.5 + (isf_FragNormCoord - 0.5) * 0.37); }",
    "white": "void main() { gl_FragColor = vec4(1.0, 1.0, 1.0, 1.0); }",
    "fading": "void main() { gl_FragColor = max(IMG_THIS_PIXEL(inputImage), IMG_THIS_PIXEL(kept) * 0.5); }",
    "partly": "void main() { if (isf_FragNormCoord.x > 0.5) discard; gl_FragColor = vec4(1.0); }",
    "cut": "void main() { gl_FragColor = progress < 0.5 ? IMG_THIS_PIXEL(startImage) : IMG_THIS_PIXEL(endImage);}",
}
IMAGES = {"negative": ["inputImage"], "covering": ["inputImage"], "larger": ["inputImage"], "fading": ["inputImage"]}
IMAGES["cut"] = ["startImage", "endImage"]
PASSES = {"fading": [{"TARGET": "kept", "PERSISTENT": True, "FLOAT": True}]}


def make(name):
    header = {"INPUTS": [{"NAME": image, "TYPE": "image"} for image in IMAGES.get(name, ())]}
    if name in PASSES:
        header["PASSES"] = PASSES[name]
    return isf.parse(f"/*{json.dumps(header)}*/\n{CODES[name]}", name)


SHADERS = OURS | {name: make(name) for name in CODES}
CHECKS = "[[layer]]\nname='under'\nshader='checks'\n"


@pytest.fixture(scope="module")
def world():
    it = Offscreen(SIZE)
    yield it
    it.close()


@pytest.fixture(scope="module", params=[True, False], ids=["deep", "bytes"])
def renderer(world, request):
    it = Renderer(world.ctx, SHADERS, deep=request.param)
    yield it
    it.release()


def logo(colour=(255, 255, 255), soft=False):
    """(H, W, 4) uint8: a bright square in the middle of nothing, whose colour is that of no pixel seen."""
    picture = np.zeros((SIZE[1], SIZE[0], 4), np.uint8)
    picture[..., :3] = (0, 255, 255)  # under alpha 0: must never be seen
    picture[20:34, 40:56, :3] = colour
    picture[20:34, 40:56, 3] = 255
    if soft:
        picture[20:34, 40:56, 3] = np.linspace(0, 255, 16).astype(np.uint8)
    return picture


numbers = iter(range(1, 1 << 30))


def draw(renderer, world, text, picture=None, frames=1, values=None):
    """(H, W, 3) 0..255 after so many frames of a new scene; `picture` is what its layer `top` shows."""
    loaded = reader.load(
        "transition = { shader = 'cut' }\n" + text, "test", where="test.toml", shaders=SHADERS, models={}, audio=()
    )
    scene = Scene(next(numbers), loaded, dict(loaded.base) | (values or {}), {}, 0.0)
    images = {(scene.number, "top"): Image(picture, 0.0, 0.0, cut=True)} if picture is not None else {}
    for index in range(frames):
        now = Frame(index=index, t=index / 30, dt=1 / 30, size=SIZE, features=Features(), sound=Sound(), scene=scene)
        renderer.draw(now, images, world.screen)
    pixels = np.frombuffer(world.screen.read(components=3), np.uint8)
    return pixels.reshape(SIZE[1], SIZE[0], 3)[::-1].astype(int)


def over(layer, *effects):
    return CHECKS + layer + chain(effects)


def chain(effects):
    return "".join(f"[[layer.effect]]\nshader='{name}'\nname='e{at}'\n" for at, name in enumerate(effects))


TEXT = "[[layer]]\nname='top'\ntext='HI'\n"
#: What eight bits with a dither may be off by.
NEAR = 1


@pytest.mark.parametrize("effect", EFFECTS)
def test_an_effect_on_nothing_shows_what_lies_below(renderer, world, effect):
    checks = draw(renderer, world, CHECKS, frames=4)
    for layer in ("[[layer]]\nname='top'\nshader='clear'\n", TEXT):
        drawn = draw(renderer, world, over(layer, effect), np.full((8, 8, 4), (255, 255, 255, 0), np.uint8), frames=4)
        assert np.abs(drawn - checks).max() <= NEAR


@pytest.mark.parametrize("effect", EFFECTS)
def test_an_effect_on_a_logo_leaves_its_surroundings(renderer, world, effect):
    checks = draw(renderer, world, CHECKS, frames=4)
    for picture in (logo(), logo((255, 60, 30), soft=True)):
        drawn = draw(renderer, world, over(TEXT, effect), picture, frames=4)
        changed = np.abs(drawn - checks).max(2) > NEAR
        assert changed.mean() > 0.02, "the logo is gone"
        if effect not in FILLING:
            assert not changed[:6].any() and not changed[-6:].any()
            assert not changed[:, :14].any() and not changed[:, -14:].any()
        assert changed.mean() < 0.75 or effect == "bloom"  # whose light reaches everywhere, however little
        # Where alpha is 0 the file says cyan: none of it may come through.
        cyan = (drawn[..., 1] > 200) & (drawn[..., 2] > 200) & (drawn[..., 0] < 60)
        assert not cyan.any()


@pytest.mark.parametrize("effect", EFFECTS)
def test_an_effect_leaves_opaque_what_was(renderer, world, effect):
    """Over a black or a white ground an opaque layer looks the same."""
    top = "[[layer]]\nname='top'\nshader='opaque'\n" + f"[[layer.effect]]\nshader='{effect}'\n"
    grounds = [f"[[layer]]\nname='under'\nshader='{ground}'\n" for ground in ("checks", "aurora")]
    one, two = (draw(renderer, world, ground + top, frames=4) for ground in grounds)
    assert np.abs(one - two).max() <= NEAR
    alone = draw(renderer, world, top, frames=4)
    assert np.abs(alone - one).max() <= NEAR


@pytest.mark.parametrize("name", SOURCES)
def test_a_source_of_ours_covers_what_lies_below(renderer, world, name):
    source = f"[[layer]]\nname='top'\nshader='{name}'\n"
    assert writes_opaque(OURS[name])
    alone, above = draw(renderer, world, source, frames=2), draw(renderer, world, CHECKS + source, frames=2)
    assert np.abs(alone - above).max() <= NEAR


@pytest.mark.parametrize(
    "layer", [TEXT, "[[layer]]\nname='top'\npictures='logo'\n", "[[layer]]\nname='top'\nvideo='l.mp4'\n"]
)
def test_alone_a_logo_lies_on_black(renderer, world, layer):
    for transform in (
        "",
        "transform = { scale = 0.9 }\n",
        "opacity = 0.999\n",
        "fit = 'contain'\n" if "text" not in layer else "",
    ):
        drawn = draw(renderer, world, layer + transform, logo())
        assert drawn[:10].max() <= NEAR and drawn[:, :20].max() <= NEAR
        assert drawn[24:30, 44:52].min() >= 250


def test_alone_a_source_is_seen_as_far_as_its_alpha_goes(renderer, world):
    assert draw(renderer, world, "[[layer]]\nshader='clear'\n").max() <= NEAR
    # A quarter of the light of red: half of its number.
    assert draw(renderer, world, "[[layer]]\nshader='faint'\n")[5, 5] == pytest.approx([128, 0, 0], abs=2)
    half = draw(renderer, world, "[[layer]]\nshader='partly'\n")
    assert half[:, :47].min() > 250 and half[:, 50:].max() <= NEAR
    seen = draw(renderer, world, CHECKS + "[[layer]]\nname='top'\nshader='partly'\n")
    assert np.array_equal(seen[:, 50:], draw(renderer, world, CHECKS)[:, 50:])


def test_the_last_effect_of_all_may_be_clear_too(renderer, world):
    master = "[[master.effect]]\nshader='fading'\n"
    drawn = draw(renderer, world, TEXT + master, logo(), frames=3)
    assert drawn[:10].max() <= NEAR and drawn[24:30, 44:52].min() >= 250


def test_strangers_effects_see_colours_as_they_are_written(renderer, world):
    checks = draw(renderer, world, CHECKS)
    faint = logo((255, 60, 30))
    faint[20:34, 40:56, 3] = 128
    drawn = draw(renderer, world, over(TEXT, "negative"), faint)
    assert np.abs(drawn - checks)[:18].max() <= NEAR
    light = (checks[27, 48] / 255) ** 2 * (127 / 255) + (np.array([0, 195, 225]) / 255) ** 2 * (128 / 255)
    assert drawn[27, 48] == pytest.approx(np.sqrt(light) * 255, abs=3)
    # An effect that says it is opaque is; where there was nothing it sees black, not the file's cyan.
    covered = draw(renderer, world, over(TEXT, "covering"), logo())
    assert covered[:10].max() <= NEAR and covered[27, 48].min() >= 250
    # One that keeps its own picture, and one of ours after it.
    kept = draw(renderer, world, over(TEXT, "fading", "hue_turn"), logo(), frames=3)
    assert np.abs(kept - checks)[:18].max() <= NEAR and kept[27, 48].min() >= 250


@pytest.mark.parametrize(
    "effects",
    [(), ("larger",), ("flow_displace",), ("larger", "mirror_tile"), ("negative", "larger", "hue_turn", "negative")],
)
def test_no_rim_of_another_colour(renderer, world, effects):
    """White on white is white, however it is filtered on the way."""
    small = logo()[::2, ::2].copy()
    small[..., :3][small[..., 3] == 0] = 0  # black under alpha 0, as most programs write it
    text = "[[layer]]\nshader='white'\n" + TEXT + "transform = { scale = 1.37, angle = 0.03 }\n" + chain(effects)
    assert draw(renderer, world, text, small).min() >= 250


def test_a_mask_with_alpha_is_dark_where_it_is_clear(renderer, world):
    text = CHECKS + "[[layer]]\nname='red'\nshader='faint'\nmask={layer='top'}\n" + TEXT + "opacity=0.0\n"
    drawn, checks = draw(renderer, world, text, logo()), draw(renderer, world, CHECKS)
    assert np.array_equal(drawn[:18], checks[:18]) and (drawn[27, 48] != checks[27, 48]).any()


def test_words_that_have_not_come_yet_cover_nothing(renderer, world):
    checks = draw(renderer, world, CHECKS)
    draw(renderer, world, TEXT, np.full((8, 8, 4), 255, np.uint8))  # another scene's picture must not stand in
    assert np.abs(draw(renderer, world, over(TEXT, "hue_turn")) - checks).max() <= NEAR


@pytest.mark.parametrize(
    ("code", "opaque"),
    [
        ("void main() { gl_FragColor = vec4(c.rgb, 1.0); }", True),
        ("void main() { gl_FragColor = vec4(f(a, b), 0.0, 1); }", True),
        ("void main() { if (x) { gl_FragColor = vec4(vec3(0.0), 1.); return; } gl_FragColor = vec4(c, 1.0) ; }", True),
        ("void main() { gl_FragColor = vec4(c.rgb, 0.5); }", False),
        ("void main() { gl_FragColor = vec4(1.0); }", False),
        ("void main() { gl_FragColor = vec4(c.rgb, 1.0) * 0.5; }", False),
        ("void main() { gl_FragColor = vec4(c.rgb, 1.0); gl_FragColor.a = 0.0; }", False),
        ("void main() { gl_FragColor = c; }", False),
        ("void main() { if (x) discard; gl_FragColor = vec4(c.rgb, 1.0); }", False),
        ("void main(void) { if (x) { c = d; } gl_FragColor = vec4(c.rgb, 1.0); }", True),
        ("void main() { if (x) return; gl_FragColor = vec4(c.rgb, 1.0); }", False),
        ("void main() { if (x) gl_FragColor = vec4(c.rgb, 1.0); }", False),
        ("void main() { if (x) { gl_FragColor = vec4(c.rgb, 1.0); } }", False),
        ("void main() { if (x) y = 1.0; else gl_FragColor = vec4(c.rgb, 1.0); }", False),
        ("vec4 f() { return c; } void main() { gl_FragColor = vec4(f().rgb, 1.0); }", True),
        ("void main() { fill(gl_FragColor); gl_FragColor = vec4(c.rgb, 1.0); }", False),
    ],
)
def test_what_is_opaque_is_told_from_the_text(code, opaque):
    assert writes_opaque(isf.parse("/*{}*/\n" + code, "one")) is opaque


def test_what_a_shader_says_of_its_alpha():
    header = '/*{"PERFORMER": {"alpha": "%s"}}*/ void main() { gl_FragColor = vec4(0.5); }'
    assert isf.parse(header % "premultiplied", "one").alpha == "premultiplied"
    assert isf.parse(header % "Straight", "one").warnings == ()
    odd = isf.parse(header % "thick", "one")
    assert odd.alpha == "" and "expected straight, premultiplied or opaque, got 'thick'" in odd.warnings[0]
