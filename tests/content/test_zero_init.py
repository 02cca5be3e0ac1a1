"""Variables that an author leaves unset: they start at zero, on every driver, wherever they are declared."""

import hashlib
import sys

import numpy as np
import pytest
from parts.shader_play import MAIN, SIZE, play

from performer.content import shaders as isf
from performer.content.library import FACTORY
from performer.content.shaders.zero_init import zeroed
from performer.gl.render.compose import Compose
from performer.gl.render.node import Moment, Node
from performer.gl.render.program import Program
from performer.gl.render.target_pool import Pool
from performer.gl.window.offscreen import Offscreen

COLOUR = "fragColor = vec4(0.0, ok ? 1.0 : 0.0, 0.0, 1.0); }"
LOOP = "for (int k = 0; k < 3; k++)"  # the second time round, what the first left lies there
#: name -> (before the function, its body, which sets `ok`)
UNSET = {
    "scalars": (
        "",
        "float a, b = 2.0, c; int i; uint u; bool no; ok = a + c == 0.0 && i == 0 && u == 0u && !no && b == 2.0;",
    ),
    "vectors": ("", "vec2 a; vec3 b; vec4 c; ivec2 d; bvec3 e; ok = a.x + b.y + c.w == 0.0 && d.y == 0 && !any(e);"),
    "matrices": ("", "mat2 a; mat3 b; mat2x3 c; ok = a[0][0] + a[1][1] + b[2][2] + c[1][2] == 0.0;"),
    "array": ("", "float a[4]; a[1] += 1.0; ok = a[0] + a[1] + a[2] + a[3] == 1.0;"),
    "array_of_a_type": ("", "vec2[3] a; float[2] b, c; ok = a[2].y + b[1] + c[0] == 0.0;"),
    "array_of_a_macros_size": ("#define N 5\n", "float a[N], b; a[3] += 1.0; ok = a[N - 1] + a[3] + b == 1.0;"),
    "array_of_a_constants_size": ("", "const int n = 40; vec3 a[n]; a[7].y += 1.0; ok = a[39].x + a[7].y == 1.0;"),
    "for_head": ("", "vec4 c = vec4(0); for (int i; i++ < 9;) c += 0.1; ok = abs(c.y - 0.9) < 0.001;"),
    "for_heads": ("", "float s; for (float i, d; i++ < 9.0; ) { d += 0.5; s += d; } ok = s == 22.5;"),
    "loop_body": (
        "",
        f"float s; {LOOP} {{ float d; vec2 a[2]; d += 1.0; a[1].x += 1.0; s += d + a[1].x; }} ok = s == 6.0;",
    ),
    "branches": ("", "if (true) { float a; a += 1.0; ok = a == 1.0; } else { float a; ok = a == 1.0; }"),
    "switch": (
        "",
        "switch (2) { case 1: ok = false; break; case 2: float a; ok = a == 0.0; break; default: ok = false; }",
    ),
    "global": ("float a; vec3 b, c = vec3(1);\n", "a += 1.0; b += c; ok = a == 1.0 && b == vec3(1);"),
    "global_arrays": (
        "#define N 4\nconst int m = 33; float a[N], b[3]; vec2 c[m];\n",
        "a[1]++; b[2]++; c[32]++; ok = a[0] + a[1] + b[0] + b[2] + c[31].x + c[32].x == 3.0;",
    ),
    "struct": (
        "struct S { highp float a; vec3 b, c; };\nS s;\n",
        f"s.a += 1.0; {LOOP} {{ S t; t.b += 1.0; ok = t.b == vec3(1) && t.c == vec3(0) && s.a == 1.0; }}",
    ),
    "struct_in_struct": (
        "struct A { float x[3]; };\nstruct B { A a; A many[2]; bool on; } one;\n",
        f"{LOOP} {{ B b; b.many[1].x[2] += 1.0; ok = b.many[1].x[2] == 1.0 && b.a.x[0] == 0.0 && !b.on && !one.on; }}",
    ),
    "array_of_structs": ("struct S { float a; };\n", f"{LOOP} {{ S s[3]; s[2].a += 1.0; ok = s[2].a == 1.0; }}"),
    "struct_and_its_arrays": (
        "#define N 40\nstruct S { float a; } few[3],\n many[N];\nconst float k = 1.0; vec2 c[N];\n",
        "few[2].a += 1.0; many[39].a += 1.0; c[3].y += k; ok = few[2].a + many[39].a + c[3].y == 3.0;",
    ),
    "out_arguments": (
        "void f(float x, out float a, const in vec2 y, out highp vec3 b, inout float c) { a += x; b += y.x; "
        "c += 1.0; }\n",
        "float a = 5.0, c = 2.0; vec3 b = vec3(5); f(1.0, a, vec2(2), b, c); "
        "ok = a == 1.0 && b == vec3(2) && c == 3.0;",
    ),
    "out_arrays": (
        "struct S { float a; };\nvoid f(out float a[3], out S s, out float[2] b) { a[1] += 1.0; s.a += 1.0; "
        "b[0] += 1.0; }\n",
        "float a[3] = float[3](5.0, 5.0, 5.0), b[2]; S s = S(7.0); f(a, s, b); "
        "ok = a[0] == 0.0 && a[1] == 1.0 && s.a == 1.0;",
    ),
    "macro_for_a_type": (
        "#define F float\n#define V vec3\n",
        f"{LOOP} {{ F a; V b[2]; a += 1.0; ok = a + b[1].x == 1.0; }}",
    ),
    "macro_that_declares": (
        "#define EACH(n) for (float i, d; i++ < n;)\n#define START float q, \\\n r;\n",
        "float s; EACH(3.0) { d += 1.0; s += d; } START q += r; ok = s == 6.0 && q == 0.0;",
    ),
    "conditions": (
        "#ifdef NEVER\nvoid f() { if (true) {\n#else\nvoid f() { {\n#endif\n float a; a += 1.0; } }\nfloat b;\n",
        "\n#if 1\n float c; {\n#else\n float d; {\n#endif\n float e; ok = b + c + e == 0.0; }",
    ),
    "declarations_that_stay": (
        "float f(float a, float b); const float k = 1.0, l = 2.0;\nfloat f(float a, float b) { return a + b; }\n",
        "vec2 a = vec2(1.0, 2.0), b = vec2(f(k, l), 0.0); float c = a.x > 0.0 ? b.x : b.y, d; "
        "ok = c == 3.0 && d == 0.0;",
    ),
}


@pytest.fixture(scope="module")
def world():
    headless = Offscreen(SIZE)
    yield headless
    headless.close()


@pytest.mark.parametrize("name", UNSET)
def test_what_is_unset_is_zero(world, tmp_path, name):
    before, body = UNSET[name]
    path = tmp_path / "unset.glsl"
    # What a function before it leaves behind is what an unset variable would hold.
    dirt = (
        "float dirt(float x) { float m[8]; for (int i = 0; i < 8; i++) m[i] = x * float(i + 3); return m[int(x)]; }\n"
    )
    path.write_text(
        f"{before}{dirt}{MAIN} bool ok; float z = dirt(mod(fragCoord.x, 7.0)); {body} if (z < -1.0) ok = false; "
        f"{COLOUR}"
    )
    for picture in play(world, isf.load(path), 2):
        assert np.allclose(picture, (0.0, 1.0, 0.0, 1.0))


@pytest.mark.parametrize(
    "text",
    [
        "/*{}*/\nvoid main() { if (isf_FragNormCoord.x < 2.0) gl_FragColor += vec4(0, 1, 0, 1); }",
        "/*{}*/\nvoid main() { gl_FragData[0] += vec4(0, 1, 0, 1); }",
        "/*{}*/\n#version 300 es\nlayout(location = 0) out vec4 colour;\nvoid main() { colour += vec4(0, 1, 0, 1); }",
        "void mainImage(out vec4 o, vec2 u) { o += vec4(0, 1, 0, 1); }",
        "out vec4 o;\nvoid main() { o += vec4(0, 1, 0, 1); }",
    ],
)
def test_the_picture_itself_starts_at_zero(world, tmp_path, text):
    path = tmp_path / ("x.fs" if text.startswith("/*") else "x.glsl")
    path.write_text(text)
    assert np.allclose(play(world, isf.load(path), 1)[0], (0, 1, 0, 1))


def test_what_a_vertex_shader_hands_on_starts_at_zero(world, tmp_path):
    (tmp_path / "x.fs").write_text(
        "/*{}*/\nvarying vec4 a;\nvarying vec2 b[2];\nvoid main() { gl_FragColor = a + b[1].xyxy; }"
    )
    (tmp_path / "x.vs").write_text(
        "varying vec4 a;\nvarying vec2 b[2];\nvoid main() { isf_vertShaderInit(); a += vec4(0, 1, 0, 1); }"
    )
    assert np.allclose(play(world, isf.load(tmp_path / "x.fs"), 1)[0], (0, 1, 0, 1))


def test_lines_stay_and_values_stay():
    code = "float a,\n b = f(1, 2),\n c[2] = float[2](1.0, 2.0);\nuniform vec2 d;\nin vec2 e;\n"
    "uniform Block { float g; };\n"
    written = zeroed(code)
    assert written == code.replace("float a,", "float a = 0.0,")
    assert zeroed("vec2 f(in vec2 x, inout vec2 y);\n#define P float x, float y\n#define Q vec2 z\n").count("=") == 0


def test_long_nonsense_is_read_in_a_time_that_grows_with_its_length():
    """Counted, not timed: the steps that the reader takes are the tokens."""
    for piece in ("out ", "uniform ", "float a[N]; ", "struct S { ", "float f(", "#define A\n", "flat in "):
        few, many = (_steps(piece * count) for count in (200, 400))
        assert many < 2.5 * few, piece


def _steps(code: str) -> int:
    """Lines of Python that run while a text is read."""
    count = 0

    def trace(frame, event, argument):
        nonlocal count
        count += event == "line"
        return trace

    sys.settrace(trace)
    try:
        zeroed(code)
    finally:
        sys.settrace(None)
    return count


def test_odd_brackets_end():
    for code in (
        "float a[",
        "void f(",
        "struct S {",
        "struct",
        "float",
        "out",
        "{{{{",
        "}}}}",
        "float a = (",
        "for (float",
    ):
        assert zeroed(code * 3)


SHADERS = sorted(isf.files(FACTORY / "shaders"))


@pytest.mark.parametrize("path", SHADERS, ids=lambda path: path.stem)
def test_every_shader_of_ours_draws_the_same_to_the_bit(world, path):
    """Twice, with what other shaders left behind between the two; and it declares nothing without a value."""
    spec = isf.load(path)
    grey = world.ctx.texture((4, 4), 4, bytes(range(64)))
    given = dict.fromkeys((*spec.images, *(sound.name for sound in spec.audio), *(n for n, _ in spec.imported)), grey)
    hashes = set()
    for _ in range(2):
        pictures = draw_raw(world, spec, given)
        hashes.add(hashlib.sha256(b"".join(pictures)).hexdigest())
        dirty = isf.load(SHADERS[0])
        draw_raw(world, dirty, dict.fromkeys((*dirty.images, *(sound.name for sound in dirty.audio)), grey))
    assert len(hashes) == 1
    for text in (spec.fragment, *spec.fragments):
        inner = text.replace("out vec4 isf_FragColor;", "")
        assert zeroed(inner) == inner, "nothing is left to be set"


def draw_raw(world, spec, given):

    pool = Pool(world.ctx, deep=False)
    black = world.ctx.texture((3, 3), 4, bytes(36))
    node = Node(world.ctx, pool, Compose(world.ctx), Program(world.ctx, spec), "n", black)
    pictures = []
    for at in range(2):
        target = node.draw(Moment((48, 27), at / 4.0, 0.25), {}, given)
        pictures.append(target.texture.read())
        pool.give(target)
    node.release()
    node.program.release()
    return pictures
