"""gl-transitions: all that lie in the corpus load as they are, draw, begin with one picture and end with the other."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from performer.content import shaders as isf
from performer.content.shaders import gl_transitions
from performer.gl.render.compose import Compose
from performer.gl.render.node import Moment, Node
from performer.gl.render.program import Program
from performer.gl.render.target_pool import Pool
from performer.gl.window.offscreen import Offscreen
from performer.system.errors import Fault

CORPUS = Path(__file__).resolve().parents[2].parent / "shared" / "corpus" / "gl-transitions"
SIZE = (48, 32)
#: Do not show the whole first picture at the start, or the second at the end, by their authors' design.
LOOSE = 12


@pytest.fixture(scope="module")
def world():
    headless = Offscreen(SIZE)
    yield headless
    headless.close()


class Table:
    """Draws a transition between a red ramp and a blue one."""

    def __init__(self, world, spec):
        self.ctx, self.pool = world.ctx, Pool(world.ctx, deep=False)
        x = np.linspace(0, 255, SIZE[0]).astype(np.uint8)
        self.pictures = []
        for channel in (0, 2):
            pixels = np.zeros((SIZE[1], SIZE[0], 4), np.uint8)
            pixels[..., channel], pixels[..., 3] = x // 2 + 100, 255
            texture = world.ctx.texture(SIZE, 4, pixels.tobytes())
            texture.repeat_x = texture.repeat_y = False
            self.pictures.append((texture, pixels[..., :3] / 255.0))
        self.node = Node(
            world.ctx,
            self.pool,
            Compose(world.ctx),
            Program(world.ctx, spec),
            "n",
            world.ctx.texture((3, 3), 4, bytes(36)),
        )
        self.spec = spec

    def draw(self, progress, params=None):
        self.node.set("progress", progress)
        given = dict.fromkeys(self.spec.images, self.pictures[0][0])
        given["endImage"] = self.pictures[1][0]
        target = self.node.draw(Moment(SIZE, 1.0, 1 / 60), params or {}, given)
        picture = np.frombuffer(target.texture.read(), np.uint8).reshape(SIZE[1], SIZE[0], 4)[..., :3] / 255.0
        self.pool.give(target)
        return picture


@pytest.mark.skipif(not CORPUS.exists(), reason="needs the corpus")
def test_the_whole_collection_plays(world):
    files = sorted(CORPUS.glob("*.glsl"))
    assert len(files) == 125
    loose, knobs, middles = [], 0, []
    for path in files:
        spec = isf.load(path)
        assert spec.kind == "transition" and spec.name == path.stem
        knobs += len(spec.inputs)
        table = Table(world, spec)
        first, middle, last = (table.draw(p) for p in (0.0, 0.5, 1.0))
        middles.append(middle.mean())
        if np.abs(first - table.pictures[0][1]).mean() > 0.05 or np.abs(last - table.pictures[1][1]).mean() > 0.05:
            loose.append(path.stem)
    assert knobs > 180
    assert len(loose) <= LOOSE, loose
    assert np.std(middles) > 0.01


WIPE = """// Author: me
// License: MIT
uniform float soft; // = 0.25
uniform ivec2 count; // = ivec2(4, 2)
uniform vec3 tint /* = vec3(0.5, 1.0, 2.0) */;
uniform bool up; // = true
uniform int steps; // =3
uniform vec2 way; // = vec2(-1.0, 4)
uniform vec4 back; // = vec4(0.1)
uniform float old = 3.0;
uniform sampler2D luma;

vec4 transition(vec2 uv) {
  if (count != ivec2(4, 2) || steps != 3 || !up) return vec4(0.0);
  if (way != vec2(-1.0, 4.0) || tint != vec3(0.5, 1.0, 2.0)) return vec4(0.0);
  if (abs(ratio - 1.5) > 0.01 || back.r != 0.1 || old != 3.0 || texture2D(luma, uv).r < 0.0) return vec4(0.0);
  return mix(getFromColor(uv), getToColor(uv), progress) * vec4(tint.r * 2.0);
}
"""


def test_comments_behind_uniforms_are_knobs(world):
    spec = gl_transitions.parse(WIPE, "wipe")
    knobs = {param.name: param for param in spec.inputs}
    assert spec.credit == "me" and spec.images == ("startImage", "endImage", "luma")
    assert [knobs[n].kind for n in ("soft", "count", "tint", "up", "steps")] == [
        "float",
        "point2D",
        "color",
        "bool",
        "long",
    ]
    assert knobs["soft"].default == 0.25 and knobs["tint"].default == (0.5, 1.0, 2.0, 1.0)
    assert knobs["way"].low == (-1.0, 0.0) and knobs["way"].high == (1.0, 8.0)
    for knob in knobs.values():
        assert knob.clamp(knob.default) == knob.default
    table = Table(world, spec)
    assert np.abs(table.draw(0.0) - table.pictures[0][1]).max() < 0.02
    assert np.abs(table.draw(1.0) - table.pictures[1][1]).max() < 0.02
    darker = table.draw(1.0, {"n.tint": (0.25, 1.0, 2.0, 1.0)})  # turned away from what the code expects
    assert darker.max() == 0.0


def test_errors_name_the_authors_lines(world, tmp_path):
    path = tmp_path / "bad.glsl"
    path.write_text("// one\nuniform float a; // = 1.0\n\nvec4 transition(vec2 uv) {\n  return nothing;\n}\n")
    with pytest.raises(Fault, match=r"bad\.glsl:5: .*nothing"):
        Program(world.ctx, isf.load(path))
    path.write_text("float nothing;\n")
    with pytest.raises(Fault, match=r"bad\.glsl:1: .*transition"):
        isf.load(path)


@settings(deadline=None, max_examples=200)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["float", "int", "bool", "vec2", "ivec2", "vec3", "vec4", "sampler2D", "mat2", "quux"]),
            st.sampled_from(["a", "b", "progress", "ratio", "sample", "smooth", "In"]),
            st.text(alphabet="0123456789.,()-+e vectrufals=/*; ", max_size=20),
        ),
        max_size=5,
    )
)
def test_any_default_is_read_or_left_aside(rows):
    text = "".join(f"uniform {kind} {name}; // = {default}\n" for kind, name, default in rows)
    spec = gl_transitions.parse(f"{text}vec4 transition(vec2 uv) {{ return vec4(1.0); }}\n", "any")
    names = [param.name for param in spec.inputs]
    assert len(names) == len(set(names)) and not {"progress", "ratio"} & set(names)
    for param in spec.inputs:
        assert param.clamp(param.default) == param.default
