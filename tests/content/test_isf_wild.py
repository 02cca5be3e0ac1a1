"""ISF as it is found in the wild: every habit that other hosts let pass is drawn, and drawn right (a green picture)."""

import json

import numpy as np
import pytest

from performer.content import shaders as isf
from performer.gl.render.compose import Compose
from performer.gl.render.node import Moment, Node
from performer.gl.render.program import Program
from performer.gl.render.target_pool import Pool
from performer.gl.window.offscreen import Offscreen

SIZE = (32, 18)
GREEN = "vec4(0.0, 1.0, 0.0, 1.0)"
RED = "vec4(1.0, 0.0, 0.0, 1.0)"
FLOAT = {"NAME": "amount", "TYPE": "float", "DEFAULT": 0.5}
IMAGE = {"NAME": "inputImage", "TYPE": "image"}


def passes_if(test: str, before: str = "", inside: str = "") -> str:
    """A shader that is green where the test holds."""
    return f"{before}\nvoid main() {{\n{inside}\n  gl_FragColor = ({test}) ? {GREEN} : {RED};\n}}\n"


#: name -> (header, test that holds, code before main)
HEADERS = {
    "no_identity": (
        {"INPUTS": [{"NAME": "amount", "TYPE": "float", "MIN": 0, "MAX": 1, "DEFAULT": 0.25}]},
        "amount == 0.25",
    ),
    "identity_only": (
        {"INPUTS": [{"NAME": "amount", "TYPE": "float", "MIN": 0, "MAX": 1, "IDENTITY": 0.25}]},
        "amount == 0.25",
    ),
    "bool_one": ({"INPUTS": [{"NAME": "on", "TYPE": "bool", "DEFAULT": 1}]}, "on"),
    "bool_true": ({"INPUTS": [{"NAME": "on", "TYPE": "bool", "DEFAULT": True}]}, "on"),
    "bool_text": ({"INPUTS": [{"NAME": "on", "TYPE": "bool", "DEFAULT": "true"}]}, "on"),
    "bool_float": ({"INPUTS": [{"NAME": "on", "TYPE": "bool", "DEFAULT": 1.0}]}, "on"),
    "bool_none": ({"INPUTS": [{"NAME": "on", "TYPE": "bool"}]}, "!on"),
    "numbers_as_text": (
        {"INPUTS": [{"NAME": "a", "TYPE": "float", "MIN": "0.0", "MAX": "2", "DEFAULT": "1.5"}]},
        "a == 1.5",
    ),
    "color_of_three": ({"INPUTS": [{"NAME": "c", "TYPE": "color", "DEFAULT": [0, 1, 0]}]}, "c == vec4(0, 1, 0, 1)"),
    "color_as_text": (
        {"INPUTS": [{"NAME": "c", "TYPE": "color", "DEFAULT": ["0.0", "1.0", "0", "1"]}]},
        "c == vec4(0, 1, 0, 1)",
    ),
    "point_beyond_limits": (
        {"INPUTS": [{"NAME": "p", "TYPE": "point2D", "DEFAULT": [200, 300]}]},
        "p == vec2(200, 300)",
    ),
    "long_without_values": ({"INPUTS": [{"NAME": "n", "TYPE": "long", "MIN": 2, "MAX": 9, "DEFAULT": 4}]}, "n == 4"),
    "long_bare": ({"INPUTS": [{"NAME": "n", "TYPE": "long"}]}, "n == 0"),
    "long_of_labels": ({"INPUTS": [{"NAME": "n", "TYPE": "long", "LABELS": ["a", "b"], "DEFAULT": 1}]}, "n == 1"),
    "long_default_label": (
        {"INPUTS": [{"NAME": "n", "TYPE": "long", "VALUES": [3, 7], "LABELS": ["a", "b"], "DEFAULT": "b"}]},
        "n == 7",
    ),
    "long_words": (
        {"INPUTS": [{"NAME": "n", "TYPE": "long", "VALUES": ["still", "wild"], "DEFAULT": "wild"}]},
        "n == 1",
    ),
    "long_repeats": (
        {"INPUTS": [{"NAME": "n", "TYPE": "long", "VALUES": [1, 1, 2], "LABELS": ["a", "b", "c"], "DEFAULT": 2}]},
        "n == 2",
    ),
    "type_in_capitals": ({"INPUTS": [{"NAME": "a", "TYPE": "FLOAT", "DEFAULT": 0.5}]}, "a == 0.5"),
    "type_int": ({"INPUTS": [{"NAME": "n", "TYPE": "int", "MIN": 0, "MAX": 5, "DEFAULT": 3}]}, "n == 3"),
    "keys_in_small": ({"inputs": [{"name": "a", "type": "float", "default": 0.5}]}, "a == 0.5"),
    "padded_names": ({"INPUTS": [{" NAME": "a ", "TYPE": " float ", "DEFAULT": 0.5}]}, "a == 0.5"),
    "empty_rows": ({"INPUTS": [{}, {"NAME": "a", "TYPE": "float", "DEFAULT": 0.5}, {}]}, "a == 0.5"),
    "twice_the_same": ({"INPUTS": [FLOAT, FLOAT]}, "amount == 0.5"),
    "labels_as_number": (
        {"INPUTS": [{**FLOAT, "LABEL": 3}], "CATEGORIES": "one", "DESCRIPTION": None, "VSN": 2},
        "amount == 0.5",
    ),
    "inputs_null": ({"INPUTS": None, "PASSES": None, "IMPORTED": None}, "TIME >= 0.0"),
    "inputs_empty_object": ({"INPUTS": {}, "PASSES": {}, "IMPORTED": []}, "TIME >= 0.0"),
    "named_like_functions": (
        {
            "INPUTS": [
                {"NAME": n, "TYPE": "float", "DEFAULT": 0.5}
                for n in ("distance", "exp", "step", "length", "scale", "mod", "radius", "texture")
            ]
        },
        "distance + exp + step + length + mod + texture == 3.0",
    ),
    "named_like_words": (
        {
            "INPUTS": [
                {"NAME": n, "TYPE": "float", "DEFAULT": 0.5}
                for n in (
                    "smooth",
                    "filter",
                    "sample",
                    "input",
                    "output",
                    "active",
                    "common",
                    "partition",
                    "buffer",
                    "shared",
                    "patch",
                    "precise",
                    "half",
                    "flat",
                    "precision",
                    "double",
                    "resource",
                    "subroutine",
                    "layout",
                    "centroid",
                    "coherent",
                )
            ]
        },
        "smooth + filter + sample + input + output + active + common + partition + buffer + shared"
        " + patch + precise + half + flat + precision + double + resource + subroutine + layout"
        " + centroid + coherent == 10.5",
    ),
    "fft_of_four": ({"INPUTS": [{"NAME": "fft", "TYPE": "audioFFT", "MAX": 4}]}, "IMG_SIZE(fft).x >= 1.0"),
    "unknown_keys": (
        {"INPUTS": [FLOAT], "TAGS": "a,b", "RESOURCE_TYPE": "Material", "GENERATORS": [{"X": 1}]},
        "amount == 0.5",
    ),
}

#: Texts of headers that are not JSON as such.
TEXTS = {
    "one_line": '/*{"INPUTS":[{"NAME":"a","TYPE":"float","DEFAULT":0.5}]}*/',
    "no_name": '/*{"INPUTS":[{"TYPE":"float"},{"NAME":"a","TYPE":"float","DEFAULT":0.5}]}*/\n',
    "byte_order_mark": '\ufeff/*{"INPUTS":[{"NAME":"a","TYPE":"float","DEFAULT":0.5}]}*/\n',
    "carriage_returns": '/*{\r\n"INPUTS":[\r\n{"NAME":"a","TYPE":"float","DEFAULT":0.5}\r\n]}\r\n*/\r\n',
    "old_mac_lines": '/*{\r"INPUTS":[\r{"NAME":"a","TYPE":"float","DEFAULT":0.5}\r]}\r*/\r',
    "tabs_in_strings": '/*{"DESCRIPTION":"a\tb\nc","INPUTS":[{"NAME":"a","TYPE":"float","DEFAULT":0.5}]}*/\n',
    "comments": '/*{// hello\n"INPUTS":[\n{"NAME":"a",// the knob\n"TYPE":"float","DEFAULT":0.5}]}*/\n',
    "commas": '/*{"INPUTS":[{"NAME":"a","TYPE":"float","DEFAULT":0.5,},],}*/\n',
    "odd_escapes": '/*{"DESCRIPTION":"it\\\'s C:\\dir","INPUTS":[{"NAME":"a","TYPE":"float","DEFAULT":0.5}]}*/\n',
    "odd_numbers": '/*{"INPUTS":[{"NAME":"a","TYPE":"float","MIN":-.5,"MAX":+1.,"DEFAULT":00.5f}]}*/\n',
    "python_words": '/*{"X":True,"Y":None,"INPUTS":[{"NAME":"a","TYPE":"float","DEFAULT":0.5}]}*/\n',
    "end_of_comment_in_string": '/*{"DESCRIPTION":"**/ x","INPUTS":[{"NAME":"a","TYPE":"float","DEFAULT":0.5}]}*/\n',
    "text_after_json": '/*{"INPUTS":[{"NAME":"a","TYPE":"float","DEFAULT":0.5}]}\nby me\n*/\n',
    "second_comment": '/*\n{"INPUTS":[{"NAME":"a","TYPE":"float","DEFAULT":0.5}]}\n*/\n/* {not json} */\n',
    "licence_first": '// MIT\n/* a licence */\n/*{"INPUTS":[{"NAME":"a","TYPE":"float","DEFAULT":0.5}]}*/\n',
    "double_star": '/**{"INPUTS":[{"NAME":"a","TYPE":"float","DEFAULT":0.5}]}**/\n',
}

#: name -> code (the test's expression, before main, inside main)
GLSL = {
    "int_to_float": ("x == 3.0", "", "float x = 1; x += 2;"),
    "int_arguments": ("pow(3.0, 2) == 9.0 && mod(5, 3) == 2.0 && max(1, 0.5) == 1.0 && clamp(2, 0, 1) == 1"),
    "int_mix": ("mix(0, 1, 0.5) == 0.5 && smoothstep(0, 1, 0.5) == 0.5 && step(1, 2.0) == 1.0"),
    "int_returned": (
        "f() == 1.0 && g(2.0) == -1.0",
        "float f() { return 1; }\nfloat g(float x) { if (x > 1.0) return -1;\n return (0); }",
        "",
    ),
    "braces_split_by_conditions": (
        "f(1.0) == 2.0 && n() == 1",
        "float f(float x) {\n#if 1\n if (x > 0.5) {\n#else\n if (x > 0.7) {\n#endif\n"
        " return 2; } else if (x > 0.2) { return 1; }\n return 0; }\n"
        "int n() { return 1; }",
        "",
    ),
    "const_of_uniform": ("k == amount * 2.0", "const float k = amount * 2.0;", ""),
    "const_of_local": ("y == 0.25", "", "vec2 p = vec2(0.25); const float y = p.x; const vec2 z = p * y;"),
    "const_of_own_function": ("y == 4.0", "float sq(float x) { return x * x; }", "const float y = sq(2.0);"),
    "const_of_macro": ("y >= 0.0", "#define now TIME\nconst float y = now;", ""),
    "const_array_size": ("a[3] == 1.0", "const int N = 4; const int M = N;", "float a[M]; a[3] = 1.0;"),
    "const_list": ("b == 0.5", "", "const float a = 1.0, b = amount;"),
    "global_of_uniform": ("t >= 0.0 && s == RENDERSIZE", "float t = TIME * 2.0; vec2 s = RENDERSIZE;", ""),
    "global_of_input": ("g.x <= 1.0", "vec2 g = isf_FragNormCoord;", ""),
    "words_as_names": (
        "true",
        "float filter(float sample) { return sample; }\nstruct S { float input; float active; };",
        "float texture = 1.0; float smooth = filter(texture); vec2 flat = vec2(smooth); S s;"
        " s.input = 1.0; float output = s.input, common = 2.0; float partition = common, half = 0.5;"
        " float sampler = 1.0, precise = 2.0, buffer = 3.0, shared = 4.0, patch = 5.0, resource = 6.0;",
    ),
    "own_builtins": (
        "round(1.4) == 1.0 && abs(sinh(0.0)) == 0.0 && tanh(0.0) == 0.0 && mix(1.0, 2.0) == 3.0",
        "float round(float x) { return floor(x + 0.5); }\nfloat sinh(float x) { return x; }\n"
        "float tanh(float x) { return x; }\nfloat mix(float a, float b) { return a + b; }\n"
        "float trunc(float x) { return floor(x); }\nmat2 inverse(mat2 m) { return m; }\n"
        "mat2 transpose(mat2 m) { return m; }\nbool isnan(float x) { return x != x; }",
        "",
    ),
    "own_texture": ("texture(vec2(0.5)).g == 1.0", "vec4 texture(vec2 uv) { return vec4(uv, 0.0, 1.0) * 2.0; }", ""),
    "own_saturate": ("saturate(2.0) == 1.0", "#define saturate(x) clamp(x, 0.0, 1.0)", ""),
    "version_inside": (
        "true",
        "#version 120\n#extension GL_OES_standard_derivatives : enable\n#extension all : warn",
        "float d = dFdx(1.0);",
    ),
    "version_late": ("true", "float a() { return 1.0; }\n#version 150", ""),
    "precision": (
        "true",
        "#ifdef GL_ES\nprecision highp float;\n#endif\nprecision mediump int;",
        "highp float x = 1.0; lowp vec4 y = vec4(x);",
    ),
    "version_switch": ("true", "#if __VERSION__ <= 120\nvarying vec2 unused;\n#else\nin vec2 unused;\n#endif", ""),
    "own_uniforms": (
        "TIME >= 0.0 && amount == 0.5",
        "uniform float TIME;\nuniform vec2 RENDERSIZE;\n"
        "uniform float amount;\nuniform float other;\nuniform float mine = 2.0;",
        "",
    ),
    "own_uniforms_in_a_row": ("TIME >= 0.0", "uniform float TIME, other;\nuniform vec2 mouse, RENDERSIZE;", ""),
    "neighbours_nobody_gives": (
        "distance(right_coord - left_coord, vec2(2.0 / RENDERSIZE.x, 0.0)) < 1e-5 && "
        "distance(lefta_coord, isf_FragNormCoord + vec2(-1, 1) / RENDERSIZE) < 1e-5 && "
        "turn == mat2(1.0) && distance(taps[4], isf_FragNormCoord) < 1e-5 && "
        "distance(below_coord, isf_FragNormCoord - vec2(0.0, 1.0 / RENDERSIZE.y)) < 1e-5",
        "#if __VERSION__ <= 120\nvarying vec2 left_coord, right_coord, lefta_coord;\n"
        "varying vec2 below_coord;\nvarying mat2 turn;\nvarying vec2 taps[5];\n#else\n"
        "in vec2 left_coord;\nin vec2 right_coord;\nin vec2 lefta_coord;\n"
        "in vec2 below_coord;\nin mat2 turn;\nin vec2 taps[5];\n#endif",
        "",
    ),
    "overloads_beside_builtins": (
        "cos(S(0.0), 0.0) == 1.0 && cos(0.0) == 1.0 && mod(4.0, 3.0) == 1.0",
        "struct S { float x; };\nfloat cos(S s, float x) { return cos(x); }\nfloat mod(S s) { return mod(s.x, 1.0); }",
        "",
    ),
    "own_and_built_in": (
        "mod(vec2(5.0), 3.0).x == 2.0 && mod(7, 4) == 30.0 && mix(0.0, 1.0, 0.5) == 0.5 && "
        "mix(1.0, 2.0) == 3.0 && max(1, 2) == 2 && max(vec3(1.0)) == 1.0 && round(vec2(1.6)).x == 2.0"
        " && round(1.0) == 7.0 && clamp(vec4(2.0), 0.0, 1.0).x == 1.0",
        "float mod(int a, int b) { return 30.0; }\nfloat mix(in float a, const in float b)"
        " { return a + b; }\nfloat max(vec3 v) { return max(v.x, max(v.y, v.z)); }\n"
        "float round(float x) { return 7.0; }\nvec4 clamp(vec4 c) { return clamp(c, 0.0, 1.0); }",
        "",
    ),
    "varying_nobody_gives": (
        "abs(v.x - isf_FragNormCoord.x) < 2.0",
        "varying vec2 v;\nvarying vec2 offsets[9];",
        "vec2 o = offsets[2];",
    ),
    "varying_in_a_row": ("true", "varying vec2 left, right;", "vec2 o = left + right;"),
    "frag_data": ("true", "", "gl_FragData[1] = vec4(1.0);"),
    "frag_coord": ("gl_FragCoord.x / RENDERSIZE.x - isf_FragNormCoord.x < 0.001 && vv_FragNormCoord.x < 1.0"),
    "arrays": (
        "a[1] == 2.0 && b[2] == 3.0 && c[0].y == 1.0 && d[1] == 2.0 && a.length() == 3",
        "const float d[2] = float[2](1.0, 2.0);",
        "float a[3] = float[3](1.0, 2.0, 3.0); float b[] = float[](1, 2, 3); vec2 c[1] = vec2[](vec2(0, 1));",
    ),
    "c_arrays": (
        "a[1] == 2.0 && m[0].x == 1.0",
        "",
        "float a[3] = {1.0, 2.0, 3.0}; vec2 m[2] = { vec2(1.0), vec2(2.0) };",
    ),
    "loop_to_float": ("n == 3.0", "", "float n = 0.0; float end = 3.0; for (int i = 0; i < end; i++) n++;"),
    "loop_out_of_range": ("true", "", "float a[4]; for (int i = 0; i < 5; ++i) a[i] = 1.0;"),
    "bits_and_remainders": ("(5 % 3) == 2 && (6 & 2) == 2 && (1 << 2) == 4"),
    "switches": (
        "x == 2.0",
        "",
        "float x = 0.0; switch (int(amount * 2.0)) { case 1: x = 2.0; break; default: break; }",
    ),
    "empty_statements": ("true", "float f() { return 1.0; };\n;", ";;"),
    "endif_with_words": ("true", "#ifdef FOO\n#else FOO\n#endif FOO", ""),
    "double_underscores": ("my__name == 1.0", "", "float my__name = 1.0;"),
    "defined_twice": ("PI > 3.0", "#define PI 3.14\n#define PI 3.14159", ""),
    "undefined_in_if": ("true", "#if FOO\nnonsense\n#endif", ""),
    "long_macro": ("m(1.0) == 3.0", "#define m(x) (x + \\\n 1.0 + \\\n 1.0) // sum", ""),
    "unicode": ("true", "// \u00e9\u4e2d\nfloat a\u00a0= 1.0; /* \u2028 */", ""),
    "vertex_words": ("gl_TexCoord[0].x <= 1.0 && gl_Color.g >= 0.0"),
    "derivatives": ("fwidth(isf_FragNormCoord.x) > 0.0"),
    "no_spaces": ("true", "", "vec4 c=vec4(1.,.5,0.,1.);c.rgb*=.5;c=c.bgra;float f=1.e2,g=1e-2;"),
    "date_and_frames": ("DATE.x > 1000.0 && FRAMEINDEX >= 0 && TIMEDELTA >= 0.0 && PASSINDEX == 0"),
    "bool_vectors": ("all(lessThan(vec2(0.0), vec2(1.0))) && any(bvec2(true, false)) && not(bvec2(false)).x"),
    "bool_arithmetic": ("float(true) + float(amount > 0.1) == 2.0"),
    "ternary_mix": ("x == 1.0", "", "float x = amount > 0.1 ? 1 : 0.5;"),
    "int_vectors": ("vec2(v).x == 3.0", "", "ivec2 v = ivec2(3.7, 2); vec2 w = v; w *= 2; w = w / 2; w = v * 0.5;"),
    "matrices": ("(mat2(1, 2, 3, 4) * vec2(1, 0)).y == 2.0 && mat3(2)[1][1] == 2.0"),
    "matrix_from_matrix": ("mat2(mat3(2.0))[0][0] == 2.0"),
    "unsigned_from_int": ("u == 5u && h == 6u", "uint next(uint x) { return x + 1; }", "uint u = 5; uint h = next(5);"),
    "uint_maths": ("(uint(3) >> 1u) == 1u"),
    "structs": (
        "s.a == 1.0 && t[1].a == 2.0",
        "struct S { float a; vec3 b; };",
        "S s = S(1.0, vec3(0.0)); S t[2]; t[1] = S(2.0, vec3(1.0));",
    ),
    "void_main": ("true", "float g(void) { return 1.0; }", ""),
    "compound_shift": ("true", "", "int a = 3; a <<= 1; a ^= 2; bool b = true; b = b ^^ false;"),
    "renamed_twice": ("half + half_ == 3.0", "", "float half = 1.0; float half_ = 2.0;"),
}

IMAGES = {
    "all_calls": (
        "IMG_PIXEL(inputImage, gl_FragCoord.xy) == IMG_THIS_PIXEL(inputImage) && IMG_SIZE(inputImage).x > 0.0"
        " && IMG_NORM_PIXEL(inputImage, isf_FragNormCoord) == IMG_THIS_NORM_PIXEL(inputImage)"
    ),
    "old_calls": (
        "texture2D(inputImage, isf_FragNormCoord).a == 1.0 && texture2D(inputImage, vec2(0.5), 0.0).a == 1.0"
        " && texture2DRect(inputImage, gl_FragCoord.xy).a == 1.0"
        " && texture2DLod(inputImage, vec2(0.5), 0.0).a == 1.0"
        " && texture2DProj(inputImage, vec3(0.5, 0.5, 1.0)).a == 1.0"
    ),
    "new_calls": (
        "texture(inputImage, isf_FragNormCoord).a == 1.0 && textureSize(inputImage, 0).x > 0"
        " && texelFetch(inputImage, ivec2(0), 0).a == 1.0"
    ),
    "nested_macros": (
        "TWO(ONE).a == 2.0",
        "#define ONE vec2(0.5)\n#define TEX(p) IMG_NORM_PIXEL(inputImage, p)\n#define TWO(p) (TEX(p) + TEX((p) * 0.5))",
        "",
    ),
    "wide_places": (
        "IMG_NORM_PIXEL(inputImage, vec3(0.5)).a == 1.0 && IMG_PIXEL(inputImage, gl_FragCoord).a == 1.0"
        " && IMG_PIXEL(inputImage, ivec2(1, 1)).a == 1.0"
    ),
    "sampler_parameter": (
        "f(inputImage, vec2(0.5)).a == 1.0",
        "vec4 f(sampler2D image, vec2 at) { return IMG_NORM_PIXEL(image, at) * IMG_SIZE(image).x"
        " / IMG_SIZE(image).x; }",
        "",
    ),
    "rect_parameter": (
        "f(inputImage, vec2(0.5)).a == 1.0",
        "vec4 f(sampler2DRect image, vec2 at) { return texture2DRect(image, at); }",
        "",
    ),
    "facts": ("_inputImage_imgSize.x > 0.0 && _inputImage_imgRect.z == 1.0 && !_inputImage_flip"),
    "image_macro": ("IMG_NORM_PIXEL(iChannel0, vec2(0.5)).a == 1.0", "#define iChannel0 inputImage", ""),
    "texture_macro": (
        "texture(inputImage, vec2(0.5)).a == 1.0",
        "#define texture(image, at) IMG_NORM_PIXEL(image, at)",
        "",
    ),
}


@pytest.fixture(scope="module")
def world():
    headless = Offscreen(SIZE)
    yield headless
    headless.close()


def draw(world, spec, frames=2, images=True):
    """(H, W, 4) of the last of so many frames."""
    ctx = world.ctx
    pool, compose, black = Pool(ctx, deep=False), Compose(ctx), ctx.texture((3, 3), 4, bytes(36))
    white = ctx.texture((8, 8), 4, bytes([255]) * 256)
    node = Node(ctx, pool, compose, Program(ctx, spec), "n", black)
    given = dict.fromkeys((*spec.images, *(a.name for a in spec.audio)), white) if images else {}
    for _ in range(frames):
        target = node.draw(Moment(SIZE, 1.0, 1 / 60), {}, given)
        floats = np.float32 if target.dtype == "f4" else np.uint8
        picture = np.frombuffer(target.texture.read(), floats).reshape(target.size[1], target.size[0], 4)
        pool.give(target)
    return picture if picture.dtype == np.float32 else picture / 255.0


def is_green(picture):
    return picture[..., 1].min() > 0.9 and picture[..., 0].max() < 0.1


def parse(header, code, vertex=None):
    return isf.parse(f"/*{json.dumps(header)}*/\n{code}", "wild", vertex=vertex)


@pytest.mark.parametrize("name", HEADERS)
def test_headers(world, name):
    header, test, *before = HEADERS[name]
    assert is_green(draw(world, parse(header, passes_if(test, *before))))


NAMES = (
    "radians degrees sin cos tan asin acos atan pow exp log exp2 log2 sqrt inversesqrt abs sign floor "
    "ceil fract mod min max clamp mix step smoothstep length distance dot cross normalize reflect refract "
    "round trunc texture textureSize textureLod texture2D transpose inverse determinant any all not equal "
    "isnan fwidth noise1 shadow image at level bias way turns x0 position color size scale ratio time "
    "mouse resolution progress speed main_color uv st p i a b c d e f "
)
BUILT_IN = NAMES.split()


def test_inputs_may_be_named_like_anything(world):
    rows = [{"NAME": name, "TYPE": "float", "DEFAULT": 0.5} for name in BUILT_IN]
    test = " + ".join(BUILT_IN) + f" == {0.5 * len(BUILT_IN)}"
    for more in ([], [IMAGE]):
        assert is_green(draw(world, parse({"INPUTS": [*rows, *more]}, passes_if(test))))
    for name in BUILT_IN:  # and so may images
        header = {"INPUTS": [{"NAME": name, "TYPE": "image"}], "PASSES": [{"TARGET": "buf"}, {}]}
        calls = f"IMG_THIS_PIXEL({name}).a == 1.0 && IMG_PIXEL({name}, gl_FragCoord.xy).a == 1.0"
        assert parse(header, passes_if(calls)).images == (name,)
        if name in ("texture", "image", "mix", "clamp", "inverse"):
            assert is_green(draw(world, parse(header, passes_if(calls))))


@pytest.mark.parametrize("name", TEXTS)
def test_texts(world, name, tmp_path):
    path = tmp_path / f"{name}.fs"
    path.write_bytes((TEXTS[name] + passes_if("a == 0.5")).encode())
    assert is_green(draw(world, isf.load(path)))


def test_wide_characters(world, tmp_path):
    path = tmp_path / "wide.fs"
    path.write_text(TEXTS["one_line"] + passes_if("a == 0.5"), encoding="utf-16")
    assert is_green(draw(world, isf.load(path)))


def test_a_cube_map_is_made_do_with(world, tmp_path):
    path = tmp_path / "sky.fs"
    header = {"IMPORTED": {"sky": {"TYPE": "cube", "PATH": [f"{side}.png" for side in range(6)]}}}
    path.write_text(
        f"/*{json.dumps(header)}*/\n"
        + passes_if(
            "look(sky, vec3(0.0, 1.0, 0.0)).a >= 0.0",
            "vec4 look(samplerCube s, vec3 way) { return textureCube(s, way); }",
        )
    )
    spec = isf.load(path)
    assert is_green(draw(world, spec)) and "whole sky" in spec.warnings[0]


@pytest.mark.parametrize("name", GLSL)
def test_old_and_loose_glsl(world, name):
    case = GLSL[name]
    code = passes_if(*((case,) if isinstance(case, str) else case))
    assert is_green(draw(world, parse({"INPUTS": [FLOAT]}, code)))


@pytest.mark.parametrize("name", IMAGES)
def test_images(world, name):
    case = IMAGES[name]
    code = passes_if(*((case,) if isinstance(case, str) else case))
    assert is_green(draw(world, parse({"INPUTS": [IMAGE]}, code)))


FEED = "gl_FragColor = (PASSINDEX < LAST) ? vec4(0.0, 1.0, 0.0, 1.0) : "
#: name -> (PASSES, PERSISTENT_BUFFERS, code); green after two frames
PASSES = {
    "last_without_target": ([{"TARGET": "a"}, {}], None, FEED.replace("LAST", "1") + "IMG_THIS_PIXEL(a);"),
    "last_with_target": (
        [{"TARGET": "a", "WIDTH": "$WIDTH/2"}, {"TARGET": "b"}],
        None,
        FEED.replace("LAST", "1") + "IMG_THIS_PIXEL(a);",
    ),
    "one_target_often": (
        [{"TARGET": "a"}, {"TARGET": "a"}, {"TARGET": "a"}, {}],
        None,
        FEED.replace("LAST", "1") + "IMG_THIS_PIXEL(a);",
    ),
    "two_without_target": ([{"TARGET": "a"}, {}, {}], None, FEED.replace("LAST", "1") + "IMG_THIS_PIXEL(a);"),
    "empty_target": ([{"TARGET": "a"}, {"TARGET": ""}], None, FEED.replace("LAST", "1") + "IMG_THIS_PIXEL(a);"),
    "persistent_text": (
        [{"TARGET": "a", "PERSISTENT": "true"}, {}],
        None,
        "gl_FragColor = PASSINDEX == 1 ? IMG_THIS_PIXEL(a) : FRAMEINDEX == 0 ? " + GREEN + " : IMG_THIS_PIXEL(a);",
    ),
    "persistent_one": (
        [{"TARGET": "a", "PERSISTENT": 1, "FLOAT": 1}, {}],
        None,
        "gl_FragColor = PASSINDEX == 1 ? IMG_THIS_PIXEL(a) / 4.0 : FRAMEINDEX == 0 ? 2.0 * "
        + GREEN
        + " : 2.0 * IMG_THIS_PIXEL(a);",
    ),
    "persistent_one_only": (
        [{"TARGET": "a", "PERSISTENT": True}],
        None,
        "gl_FragColor = FRAMEINDEX == 0 ? " + GREEN + " : IMG_THIS_PIXEL(a);",
    ),
    "float_text": (
        [{"TARGET": "a", "FLOAT": "1"}, {}],
        None,
        "gl_FragColor = PASSINDEX == 0 ? 100.0 * " + GREEN + " : IMG_THIS_PIXEL(a) / 100.0;",
    ),
    "sizes": (
        [{"TARGET": "a", "WIDTH": "floor($WIDTH / 4)", "HEIGHT": "max(1, $HEIGHT * $amount)"}, {}],
        None,
        "gl_FragColor = PASSINDEX == 1 ? (IMG_SIZE(a) == vec2(8, 9) ? IMG_THIS_PIXEL(a) : " + RED + ") : "
        "RENDERSIZE == vec2(8, 9) ? " + GREEN + " : " + RED + ";",
    ),
    "sizes_as_numbers": (
        [{"TARGET": "a", "WIDTH": 3, "HEIGHT": "5.0"}, {"WIDTH": "", "HEIGHT": None}],
        None,
        FEED.replace("LAST", "1") + "IMG_SIZE(a) == vec2(3, 5) ? IMG_THIS_PIXEL(a) : " + RED + ";",
    ),
    "sizes_without_sense": (
        [{"TARGET": "a", "WIDTH": "$WIDTH / 0", "HEIGHT": "nonsense(2)"}, {}],
        None,
        FEED.replace("LAST", "1") + "IMG_THIS_PIXEL(a);",
    ),
    "sizes_of_nothing": (
        [{"TARGET": "a", "WIDTH": "$WIDTH * 0", "HEIGHT": -3}, {}],
        None,
        FEED.replace("LAST", "1") + "IMG_SIZE(a) == vec2(1) ? IMG_THIS_PIXEL(a) : " + RED + ";",
    ),
    "buffers_as_list": (
        [{"TARGET": "a"}, {}],
        ["a"],
        "gl_FragColor = PASSINDEX == 1 ? IMG_THIS_PIXEL(a) : FRAMEINDEX == 0 ? " + GREEN + " : IMG_THIS_PIXEL(a);",
    ),
    "buffers_as_object": (
        [{"TARGET": "a"}, {}],
        {"a": {"WIDTH": "$WIDTH/8", "HEIGHT": 2}},
        "gl_FragColor = PASSINDEX == 1 ? IMG_THIS_PIXEL(a) : IMG_SIZE(a) != vec2(4, 2) ? "
        + RED
        + " : FRAMEINDEX == 0 ? "
        + GREEN
        + " : IMG_THIS_PIXEL(a);",
    ),
    "buffer_never_drawn": ([{}], ["a"], "gl_FragColor = " + GREEN + " + IMG_THIS_PIXEL(a) * 0.0;"),
    "target_named_like_a_word": (
        [{"TARGET": "buffer"}, {"TARGET": "filter"}, {}],
        None,
        "gl_FragColor = PASSINDEX == 0 ? " + GREEN + " : PASSINDEX == 1 ? "
        "IMG_THIS_PIXEL(buffer) : IMG_THIS_PIXEL(filter);",
    ),
    "index_from_the_back": (
        [{"TARGET": "a"}, {"TARGET": "b"}, {}],
        None,
        "int i = PASSINDEX; if (i == 0) gl_FragColor = " + GREEN + "; else if (i == 1)"
        " gl_FragColor = IMG_PIXEL(a, gl_FragCoord.xy); else gl_FragColor = IMG_PIXEL(b,"
        " gl_FragCoord.xy);",
    ),
}


@pytest.mark.parametrize("name", PASSES)
def test_passes(world, name):
    passes, buffers, code = PASSES[name]
    header = {"INPUTS": [FLOAT], "PASSES": passes} | ({"PERSISTENT_BUFFERS": buffers} if buffers else {})
    assert is_green(draw(world, parse(header, f"void main() {{ {code} }}\n")))


#: name -> (.fs, .vs)
VERTICES = {
    "old_names": (
        "varying vec2 v;\nvoid main() { gl_FragColor = vec4(0.0, v.x, 0.0, 1.0); }",
        "varying vec2 v;\nvoid main() { vv_vertShaderInit(); v = vec2(1.0) + vv_FragNormCoord * 0.0; }",
    ),
    "both_versions": (
        "#if __VERSION__ <= 120\nvarying vec2 v[2];\n#else\nin vec2 v[2];\n#endif\n"
        "void main() { gl_FragColor = vec4(0.0, v[1].x, 0.0, 1.0); }",
        "#if __VERSION__ <= 120\nvarying vec2 v[2];\n#else\nout vec2 v[2];\n#endif\n"
        "void main(void) {\n isf_vertShaderInit();\n v[0] = vec2(0.0); v[1] = vec2(1.0); }",
    ),
    "fixed_function": (
        "varying vec4 c;\nvoid main() { gl_FragColor = vec4(0.0, 1.0, 0.0, 1.0) * c; }",
        "varying vec4 c;\nvoid main() { c = gl_Color; gl_TexCoord[0] = gl_MultiTexCoord0;"
        " gl_FrontColor = gl_Color; gl_Position = gl_ModelViewProjectionMatrix * gl_Vertex; }",
    ),
    "transform": (
        "void main() { gl_FragColor = vec4(0.0, 1.0, 0.0, 1.0); }",
        "void main() { isf_vertShaderInit(); gl_Position = ftransform(); }",
    ),
    "reads_sizes": (
        "varying vec2 v;\nvoid main() { gl_FragColor = vec4(0.0, v.y, 0.0, 1.0); }",
        "varying vec2 v;\nuniform float amount;\nvoid main() { isf_vertShaderInit();"
        " vec2 d = 1.0 / RENDERSIZE;\n v = vec2(0.0, d.x > 0.0 && TIME >= 0.0 && amount == 0.5\n"
        " ? 1.0 : 0.0); }",
    ),
}


@pytest.mark.parametrize("name", VERTICES)
def test_vertex_shaders(world, name):
    code, vertex = VERTICES[name]
    assert is_green(draw(world, parse({"INPUTS": [FLOAT]}, code, vertex)))
