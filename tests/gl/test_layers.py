"""How layers lie on one another, and what happens to the picture at the end: transform, keys, masks, tone, dither."""

import json

import numpy as np
import pytest

from performer.content import shaders as isf
from performer.content.presets import reader
from performer.gl.render.renderer import Renderer
from performer.gl.window.offscreen import Offscreen
from performer.system.errors import Fault
from performer.types.features import Features, Sound
from performer.types.frame import Frame, Scene

SIZE = (64, 36)


def make(name, code, inputs=()):
    return isf.parse(f"/*{json.dumps({'INPUTS': list(inputs)})}*/\n{code}", name)


COLOUR = {"NAME": "colour", "TYPE": "color", "DEFAULT": [1, 1, 1, 1]}
SHADERS = {
    spec.name: spec
    for spec in (
        make("flat", "void main() { gl_FragColor = colour; }", [COLOUR]),
        make("bright", "void main() { gl_FragColor = vec4(colour.rgb * 3.0, 1.0); }", [COLOUR]),
        make("halves", "void main() { gl_FragColor = vec4(vec3(step(0.5, isf_FragNormCoord.x)), 1.0); }"),
        make("slope", "void main() { gl_FragColor = vec4(vec3(0.2 + 0.02 * isf_FragNormCoord.x), 1.0); }"),
        make(
            "screen",
            """void main() {
      gl_FragColor = isf_FragNormCoord.x < 0.5 ? vec4(0.1, 0.85, 0.15, 1.0) : vec4(0.9, 0.2, 0.2, 1.0); }""",
        ),
        isf.parse(
            """/*{"INPUTS": [{"NAME": "inputImage", "TYPE": "image"}], "PASSES": [
      {"TARGET": "kept", "PERSISTENT": true}, {}]}*/
      void main() {
        if (PASSINDEX == 0) gl_FragColor = max(IMG_THIS_PIXEL(inputImage), 0.97 * IMG_THIS_PIXEL(kept));
        else gl_FragColor = vec4(IMG_THIS_PIXEL(kept).rgb, 1.0);
      }""",
            "glow",
        ),
        make(
            "cut",
            "void main() { gl_FragColor = progress < 0.5 ? IMG_THIS_PIXEL(startImage) : IMG_THIS_PIXEL(endImage);}",
            [{"NAME": "startImage", "TYPE": "image"}, {"NAME": "endImage", "TYPE": "image"}],
        ),
    )
}


@pytest.fixture(scope="module")
def world():
    it = Offscreen(SIZE)
    yield it
    it.close()


@pytest.fixture
def renderer(world):
    it = Renderer(world.ctx, SHADERS)
    yield it
    it.release()


def load(text):
    return reader.load(
        "transition = { shader = 'cut' }\n" + text, "test", where="test.toml", shaders=SHADERS, models={}, audio=()
    )


def draw(renderer, world, text, index=0, **params):
    """(H, W, 3) of 0..1, the first row on top."""
    loaded = load(text)
    values = dict(loaded.base) | {key.replace("__", "."): value for key, value in params.items()}
    scene = Scene(hash(text), loaded, values, {}, 0.0)
    renderer.draw(
        Frame(index=index, t=0.0, dt=1 / 60, size=SIZE, features=Features(), sound=Sound(), scene=scene),
        {},
        world.screen,
    )
    pixels = np.frombuffer(world.screen.read(components=3), np.uint8)
    return pixels.reshape(SIZE[1], SIZE[0], 3)[::-1] / 255.0


def test_a_layer_is_moved_turned_and_made_small(renderer, world):
    text = "[[layer]]\nshader='flat'\ninputs={colour=[0,0,0]}\n[[layer]]\nname='box'\nshader='halves'\n"
    half = draw(renderer, world, text, box__transform__scale=0.5)
    assert half[:8].max() == 0.0 and half[:, :15].max() == 0.0  # nothing outside its frame
    assert half[10:26, 34:46].min() > 0.98 and half[10:26, 18:30].max() < 0.02
    moved = draw(renderer, world, text, box__transform__scale=0.5, box__transform__x=0.25, box__transform__y=0.25)
    assert moved[1:17, 50:62].min() > 0.98 and moved[20:].max() == 0.0  # right and up
    turned = draw(renderer, world, text, box__transform__scale=0.5, box__transform__angle=0.25)
    # A quarter turn anticlockwise: what was right is on top, and a pixel is as high as it is wide.
    assert turned[4:16, 30:34].min() > 0.98 and turned[20:, 30:34].max() < 0.02
    rows, columns = np.nonzero(turned[..., 0] > 0.5)
    assert columns.max() - columns.min() == pytest.approx(17, abs=2)
    assert rows.max() - rows.min() == pytest.approx(15, abs=2)


def test_a_key_cuts_out_what_is_dark_or_of_one_colour(renderer, world):
    under = "[[layer]]\nshader='flat'\ninputs={colour=[0,0,1]}\n"
    luma = draw(renderer, world, under + "[[layer]]\nname='top'\nshader='halves'\nblend='luma_key'\n")
    assert luma[5, 5] == pytest.approx([0, 0, 1], abs=0.01) and luma[5, 50] == pytest.approx([1, 1, 1], abs=0.01)
    chroma = draw(
        renderer,
        world,
        under + "[[layer]]\nname='top'\nshader='screen'\nblend='chroma_key'\n"
        "key={color=[0.1, 0.85, 0.15], threshold=0.2}\n",
    )
    assert chroma[5, 5] == pytest.approx([0, 0, 1], abs=0.01)
    assert chroma[5, 50] == pytest.approx([0.9, 0.2, 0.2], abs=0.02)


def test_a_layer_may_be_seen_only_through_another(renderer, world):
    text = (
        "[[layer]]\nshader='flat'\ninputs={colour=[0,0,1]}\n"
        "[[layer]]\nname='top'\nshader='flat'\ninputs={colour=[1,0,0]}\nmask={layer='hole'}\n"
        "[[layer]]\nname='hole'\nshader='halves'\nopacity=0.0\n"
    )
    seen = draw(renderer, world, text)
    assert seen[5, 5] == pytest.approx([0, 0, 1], abs=0.01) and seen[5, 50] == pytest.approx([1, 0, 0], abs=0.01)
    turned = draw(renderer, world, text, top__mask__invert=1.0)
    assert turned[5, 5] == pytest.approx([1, 0, 0], abs=0.01) and turned[5, 50] == pytest.approx([0, 0, 1], abs=0.01)
    off = draw(renderer, world, text, top__mask__amount=0.0)
    assert off[5, 5] == pytest.approx([1, 0, 0], abs=0.01)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ("mask={layer='holes'}", r"layer\[1\].mask.layer: no other layer 'holes'.*hole"),
        ("mask={layer='top'}", r"no other layer 'top'"),
        ("key={threshold=0.5}", r"layer\[1\].key: a key needs blend = 'luma_key' or 'chroma_key', not 'normal'"),
        ("transform={scal=2.0}", r"layer\[1\].transform.scal: unknown key.*scale"),
        ("transform={scale='big'}", r"layer\[1\].transform.scale: .*number"),
    ],
)
def test_mistakes_are_named(change, complaint):
    with pytest.raises(Fault, match=complaint):
        load(f"[[layer]]\nname='hole'\nshader='flat'\n[[layer]]\nname='top'\nshader='flat'\n{change}\n")


def test_brighter_than_white_keeps_its_hue_and_bleaches(renderer, world):
    orange = draw(renderer, world, "[[layer]]\nshader='bright'\n", main__source__colour=(0.6, 0.3, 0.0, 1.0))[5, 5]
    assert orange[0] == pytest.approx(1.0, abs=0.01) and orange[0] > orange[1] + 0.2 > orange[2] + 0.3
    assert orange[2] > 0.1
    white = draw(renderer, world, "[[layer]]\nshader='flat'\n")
    assert white.min() == 1.0  # what is not too bright stays exactly as it is


def test_slopes_do_not_band_and_black_is_black(renderer, world):
    text = "[[layer]]\nshader='slope'\n"
    mean = np.mean([draw(renderer, world, text, index=i) for i in range(16)], axis=0)[..., 0].mean(axis=0)
    wanted = 0.2 + 0.02 * (np.arange(64) + 0.5) / 64
    assert np.abs(mean - wanted).max() < 0.0008  # a fifth of a step of eight bits
    assert draw(renderer, world, "[[layer]]\nshader='flat'\n", main__source__colour=(0.0, 0.0, 0.0, 1.0)).max() == 0.0


def test_feedback_leaves_no_ghost(renderer, world):
    """Bytes would stick at 16 of 255, where 0.97 of it rounds up to itself again."""
    text = "[[layer]]\nshader='flat'\n[[layer.effect]]\nshader='glow'\n"
    for i in range(400):
        level = 1.0 if i < 3 else 0.0
        last = draw(renderer, world, text, index=i, main__source__colour=(level, level, level, 1.0))
    assert last.max() < 0.004


def test_in_bytes_the_picture_is_nearly_the_same(world):
    text = "[[layer]]\nshader='halves'\n[[layer]]\nname='top'\nshader='screen'\nblend='overlay'\nopacity=0.7\n"
    pictures = []
    for deep in (True, False):
        renderer = Renderer(world.ctx, SHADERS, deep=deep)
        pictures.append(draw(renderer, world, text))
        renderer.release()
    assert np.abs(pictures[0] - pictures[1]).max() < 0.012
