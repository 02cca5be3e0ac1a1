"""Habits of Shadertoy code and of other programs' files: each draws what its author meant, a green picture."""

import numpy as np
import pytest
from parts.shader_play import MAIN, SIZE, play

from performer.content import shaders as isf
from performer.gl.render.program import Program
from performer.gl.window.offscreen import Offscreen
from performer.system.errors import Fault

GREEN = "vec4(0.0, 1.0, 0.0, 1.0)"
DRAW = MAIN + f" fragColor = {GREEN};\n}}\n"
#: name -> (text, notes)
FILES = {
    "macro_time": (f"#define iTime (iTime * 0.5 + 1.0)\n{MAIN} fragColor = vec4(0, iTime >= 1.0, 0, 1); }}", 0),
    "macro_size": (
        f"#define iResolution (iResolution * 2.0)\n{MAIN}"
        " fragColor = vec4(0, iResolution.xy == vec2(64, 40), 0, 1); }",
        0,
    ),
    "macro_mouse": (
        f"#define iMouse (iMouse / iResolution.xyxy)\n{MAIN} fragColor = vec4(0, 1, 0, 1) + iMouse * 0.0; }}",
        0,
    ),
    "macro_channel": (f"#define iChannel0 iChannel1\n{MAIN} fragColor = texture(iChannel0, vec2(0)) + {GREEN}; }}", 0),
    "macro_other_way": (
        f"#define time iTime\n#define iGlobalTime iTime\n{MAIN} fragColor = {GREEN} + iGlobalTime * 0.0; }}",
        0,
    ),
    "macro_texture": (
        f"#define texture2D(s, p) texture(s, p)\n{MAIN} fragColor = {GREEN} + texture2D(iChannel1, vec2(0)); }}",
        0,
    ),
    "macros_of_the_shim": (
        "#define color vec3(0, 1, 0)\n#define TIME iTime\n#define RENDERSIZE iResolution\n#define PASSINDEX 3\n"
        f"{MAIN} fragColor = vec4(color, PASSINDEX == 3 && TIME >= 0.0); }}",
        0,
    ),
    "arguments": (
        "vec3 f(float iTime, vec3 iMouse, sampler2D iChannel2, sampler2D iChannel3, int iFrame, vec2 iResolution) "
        "{ return texture(iChannel2, iResolution).rgb + texture(iChannel3, iResolution).rgb + iTime + iMouse; }\n"
        f"float time(float resolution, float sample) {{ return resolution * sample; }}\n{MAIN}"
        " float iDate = time(0.0, 1.0);"
        " fragColor = vec4(f(iDate, vec3(0, 1, 0), iChannel2, iChannel3, 1, vec2(0)), 1); }",
        0,
    ),
    "globals": (
        f"float TIME = 0.5;\nvec2 RENDERSIZE = vec2(1);\nconst vec4 DATE = {GREEN};\nfloat iTime = 1.0;\n"
        f"{MAIN} fragColor = DATE * iTime * RENDERSIZE.x * (TIME + 0.5); }}",
        0,
    ),
    "half_floats": (
        f"{MAIN} vec2 v = unpackHalf2x16(packHalf2x16(vec2(0, 1))); fragColor = vec4(v, 0, 1); }}",
        0,
    ),
    "remark": (f"// iChannel0: a medium noise texture\n// BBox: iChannel0\n{DRAW}", 1),
    "remark_table": (f"// iChannel0 = what the terminal shows | iResolution | iTime\n{DRAW}", 1),
    "remark_in_a_block": (f"/* iChannel1: who knows\n * iChannel2 = ?\n */\n{DRAW}", 2),
    "web_address": (f'#iChannel0 "https://example.org/a.png"\n{DRAW}', 1),
    "editors_lines": (
        '#iChannel0 "self"\n#iChannel0::WrapMode "Repeat"\n#iKeyboard\n#iUniform float up = 1.0 in { 0.0, 2.0 }\n'
        f"{MAIN} fragColor = vec4(0, up, texture(iChannel0, vec2(0)).b, 1); }}",
        1,
    ),
    "main_that_forwards": (
        "#ifdef GL_ES\nprecision mediump float;\n#endif\nuniform float time;\nuniform vec2 resolution;\n"
        "#define iTime time\n#define iResolution resolution\n"
        f"{MAIN} fragColor = vec4(0, iTime >= 0.0 && iResolution == vec2(32, 20), 0, 1); }}\n"
        "void main(void) { mainImage(gl_FragColor, gl_FragCoord.xy); }",
        0,
    ),
    "main_of_es3": (
        f"#version 300 es\nprecision highp float;\nuniform vec3 iResolution;\nout vec4 color;\n{DRAW}"
        "void main() { mainImage(color, gl_FragCoord.xy); }",
        0,
    ),
    "main_that_does_more": (
        f"{MAIN} fragColor = vec4(1, 0, 1, 1); }}\n"
        "void main() { vec4 c; mainImage(c, gl_FragCoord.xy); c.rgb = 1.0 - c.rgb; gl_FragColor = c; }",
        0,
    ),
    "main_for_elsewhere": (f"{DRAW}#ifdef STANDALONE\nvoid main() {{ gl_FragColor = vec4(1); }}\n#endif\n", 0),
    "other_sizes": (f"uniform vec2 iResolution;\n{MAIN} fragColor = vec4(0, iResolution == vec2(32, 20), 0, 1); }}", 0),
    "glsl_sandbox": (
        "#extension GL_OES_standard_derivatives : enable\nprecision mediump float;\nuniform float time;\n"
        "uniform vec2 mouse, resolution;\nuniform sampler2D backbuffer;\nvarying vec2 surfacePosition;\nvoid"
        " main(void) {\n"
        " vec2 p = gl_FragCoord.xy / resolution + surfacePosition * 0.0; bool ok = p.x < 1.0 && time >= 0.0 &&"
        " mouse.x == 0.0;\n"
        " gl_FragColor = vec4(0.0, ok, texture2D(backbuffer, p).b, 0.0);\n}",
        1,
    ),
    "glslviewer": (
        "uniform vec2 u_resolution;\nuniform vec2 u_mouse;\nuniform float u_time, u_delta;\nuniform int u_frame;\n"
        "void main() { gl_FragColor = vec4(u_mouse.x, u_resolution == vec2(32, 20) && u_time == float(u_frame)"
        " / 4.0, 0, 1); }",
        0,
    ),
    "bonzomatic": (
        "#version 410 core\nuniform float fGlobalTime; // in seconds\nuniform vec2 v2Resolution;\nuniform float"
        " fFrameTime;\n"
        "uniform sampler1D texFFT; // 0.0 is bass\nuniform sampler1D texFFTSmoothed;\nuniform sampler2D texNoise;\n"
        "layout(location = 0) out vec4 out_color; // out_color must be written\nvoid main(void) {\n"
        " float f = texture(texFFT, 0.1).r * 100 + texelFetch(texFFTSmoothed, 3, 0).r;\n"
        " out_color = vec4(f, v2Resolution == vec2(32, 20) && fGlobalTime >= 0, 0, 1) + texture(texNoise,"
        " vec2(0)) * 0;\n}",
        0,
    ),
}


@pytest.fixture(scope="module")
def world():
    headless = Offscreen(SIZE)
    yield headless
    headless.close()


@pytest.mark.parametrize("name", FILES)
def test_files_of_other_programs_are_drawn(world, tmp_path, name):
    text, notes = FILES[name]
    path = tmp_path / f"{name}.glsl"
    path.write_text(text)
    spec = isf.load(path)
    assert len(spec.warnings) == notes, spec.warnings
    for picture in play(world, spec, 2):
        assert np.allclose(picture, (0.0, 1.0, 0.0, 1.0))


def test_a_misspelt_channel_is_a_note_that_names_the_nearest(tmp_path):
    path = tmp_path / "x.glsl"
    path.write_text(f"\n// iChannel1: audoi\n{DRAW}")
    (note,) = isf.load(path).warnings
    assert note.startswith(f"{path}:2: iChannel1") and "did you mean 'audio'" in note


def test_a_node_of_a_compositor_is_an_effect_on_its_source(world, tmp_path):
    path = tmp_path / "node.glsl"
    path.write_text(
        f"// iChannel0: Source, filter=linear, wrap=clamp\n{MAIN} fragColor = texture(iChannel0, vec2(0.5)); }}"
    )
    spec = isf.load(path)
    below = world.ctx.texture((1, 1), 4, bytes([0, 255, 0, 255]))
    assert spec.kind == "filter" and not spec.warnings
    assert np.allclose(play(world, spec, 1, textures={"inputImage": below})[0], (0, 1, 0, 1))


def test_a_picture_that_reads_itself_sees_the_one_before(world, tmp_path):
    path = tmp_path / "self.glsl"
    path.write_text(f'#iChannel0 "self"\n{MAIN} fragColor = texture(iChannel0, vec2(0.5)) + vec4(0.25, 0, 0, 0.5); }}')
    assert [p[0, 0, 0] for p in play(world, isf.load(path), 3)] == pytest.approx([0.25, 0.5, 0.75], abs=0.01)


def test_included_files_are_read_and_their_errors_named(world, tmp_path):
    (tmp_path / "parts").mkdir()
    (tmp_path / "parts" / "colours.glsl").write_text(
        '#include "one.glsl"\nvec4 green() { return vec4(0, ONE, 0, 1); } /* open'
    )
    (tmp_path / "parts" / "one.glsl").write_text("#define ONE 2\n#define ONE 1\n")
    (tmp_path / "bad.glsl").write_text("\nfloat f() {\n return oops; }")
    include = '#include "parts/colours.glsl"\n// #include "never.glsl"\n'
    for name, text in (
        ("a.glsl", f"{include}{MAIN} fragColor = green(); }}"),
        ("b.fs", f'/*{{"DESCRIPTION": ""}}*/\n{include}void main() {{ gl_FragColor = green(); }}'),
        ("c.glsl", f'#ifdef ELSEWHERE\n#include "never.glsl"\n#endif\n{DRAW}'),
    ):
        (tmp_path / name).write_text(text)
        assert np.allclose(play(world, isf.load(tmp_path / name), 1)[0], (0, 1, 0, 1))
    for name, text, words in (
        ("d.glsl", f'\n#include "common.glsl"\n{DRAW}', r"d\.glsl:2: there is no file 'common\.glsl'"),
        ("e.fs", "/*{}*/\n#include <noise.glsl>\nvoid main() {}", r"e\.fs:2: there is no file 'noise\.glsl'"),
        ("f.glsl", f'#include "../x.glsl"\n{DRAW}', r"f\.glsl:1: .*outside the shader's folder"),
        ("g.glsl", f'#include "g.glsl"\n{DRAW}', r"g\.glsl:1: .*without end"),
        ("h.glsl", f"#include nothing\n{DRAW}", r"h\.glsl:1: #include: expected"),
        ("i.glsl", f'#include "bad.glsl"\n{DRAW}', r"bad\.glsl:3: .*oops"),
        ("j.glsl", f'#include "parts/one.glsl"\n\n{MAIN} oops; }}', r"j\.glsl:4: .*oops"),
        ("k.fs", '/*{}*/\n#include "bad.glsl"\nvoid main() {}', r"bad\.glsl:3: .*oops"),
    ):
        (tmp_path / name).write_text(text)
        with pytest.raises(Fault, match=words):
            Program(world.ctx, isf.load(tmp_path / name))


def test_samples_with_a_bias(world, tmp_path):
    (tmp_path / "bias.fs").write_text(
        '/*{"INPUTS": [{"NAME": "inputImage", "TYPE": "image"}]}*/\nvoid main() {\n'
        " gl_FragColor = IMG_NORM_PIXEL(inputImage, vec2(0.5), 1.0) + IMG_PIXEL(inputImage, vec2(0.0), -1.0); }"
    )
    below = world.ctx.texture((1, 1), 4, bytes([0, 255, 0, 255]))
    assert np.allclose(play(world, isf.load(tmp_path / "bias.fs"), 1, textures={"inputImage": below})[0], (0, 1, 0, 1))


def test_what_is_no_shader_is_still_refused(tmp_path):
    for name, text in (
        ("library.glsl", "float f(float x) { return x; }"),
        ("corners.glsl", "void main() { gl_Position = vec4(0.0); gl_FragColor; }"),
        ("nothing.glsl", "void main() {}"),
        ("comment.glsl", "// void mainImage(out vec4 c, in vec2 p)\nfloat x;"),
    ):
        (tmp_path / name).write_text(text)
        with pytest.raises(Fault, match="no shader that is known"):
            isf.load(tmp_path / name)
