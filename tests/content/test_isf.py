"""ISF files: what is read from them, what is tolerated, what is refused and in which words."""

import json
import math
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from performer.content import shaders as isf
from performer.content.shaders import pass_size
from performer.system.errors import Fault

CORPUS = Path(__file__).resolve().parents[2].parent / "shared" / "corpus" / "isf"
MAIN = "void main() { gl_FragColor = vec4(1.0); }\n"


def shader(header: object, code: str = MAIN) -> str:
    return f"/*{header if isinstance(header, str) else json.dumps(header)}*/\n{code}"


def inputs(*rows: dict) -> isf.ShaderSpec:
    return isf.parse(shader({"INPUTS": list(rows)}), "x")


def test_kinds_follow_the_names_of_images():
    image = {"TYPE": "image"}
    assert inputs().kind == "source"
    assert inputs({"NAME": "texture1", **image}).kind == "source"
    assert inputs({"NAME": "inputImage", **image}).kind == "filter"
    change = inputs(
        {"NAME": "startImage", **image}, {"NAME": "endImage", **image}, {"NAME": "progress", "TYPE": "float"}
    )
    assert change.kind == "transition"
    assert [p.name for p in change.inputs] == []  # progress is the show's, not a knob


def test_every_type_of_input_becomes_a_parameter():
    spec = inputs(
        {"NAME": "f", "TYPE": "float", "MIN": -2, "MAX": 4, "DEFAULT": 0.5, "LABEL": "Ef"},
        {"NAME": "b", "TYPE": "bool", "DEFAULT": True},
        {"NAME": "e", "TYPE": "event"},
        {"NAME": "l", "TYPE": "long", "VALUES": [3, 5, 9], "LABELS": ["three", "five"], "DEFAULT": 5},
        {"NAME": "p", "TYPE": "point2D", "MIN": [0, -1], "MAX": [2, 1], "DEFAULT": [1, 0.5]},
        {"NAME": "c", "TYPE": "color", "DEFAULT": [1, 0, 0.5]},
        {"NAME": "wave", "TYPE": "audio"},
        {"NAME": "bins", "TYPE": "audioFFT", "MAX": 64},
    )
    f, b, e, choice, p, c = spec.inputs
    assert (f.default, f.low, f.high, f.label) == (0.5, -2.0, 4.0, "Ef")
    assert (b.kind, b.default) == ("bool", 1.0)
    assert (e.kind, e.default) == ("event", 0.0)
    assert (choice.values, choice.labels, choice.default) == ((3, 5, 9), ("three", "five", "9"), 5.0)
    assert (p.default, p.low, p.high) == ((1.0, 0.5), (0.0, -1.0), (2.0, 1.0))
    assert c.default == (1.0, 0.0, 0.5, 1.0)
    assert [(a.name, a.spectrum, a.width) for a in spec.audio] == [("wave", False, 1024), ("bins", True, 64)]


@pytest.mark.parametrize(
    ("row", "default", "low", "high"),
    [
        ({}, 0.0, 0.0, 1.0),
        ({"DEFAULT": 5}, 5.0, 0.0, 5.0),
        ({"MIN": 2, "MAX": 8}, 2.0, 2.0, 8.0),
        ({"MIN": 1, "MAX": 0, "DEFAULT": 0.5}, 0.5, 0.0, 1.0),
        ({"MIN": "0.25", "MAX": "2", "DEFAULT": "0.5"}, 0.5, 0.25, 2.0),
        ({"MIN": 0, "MAX": 1, "DEFAULT": -3}, -3.0, -3.0, 1.0),
    ],
)
def test_limits_always_hold_the_default(row, default, low, high):
    param = inputs({"NAME": "f", "TYPE": "float", **row}).inputs[0]
    assert (param.default, param.low, param.high) == (default, low, high)


def test_the_header_may_have_comments_trailing_commas_and_odd_numbers():
    spec = isf.parse(
        shader("""{
        "CREDIT": "https://not.a/comment, really,", // a comment
        "INPUTS": [ {"NAME": "f", "TYPE": "float", "MIN": -.5, "MAX": 1., "DEFAULT": +.25,}, ],
    }"""),
        "x",
    )
    assert spec.credit == "https://not.a/comment, really,"
    assert (spec.inputs[0].low, spec.inputs[0].high, spec.inputs[0].default) == (-0.5, 1.0, 0.25)
    assert len(spec.warnings) == 1 and "trailing commas" in spec.warnings[0]


def test_the_header_may_follow_a_licence():
    spec = isf.parse("/* MIT */\n// mine\n" + shader({"DESCRIPTION": "d"}), "x")
    assert spec.description == "d"
    assert "#line 3\n" in spec.fragment


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("void main() {}", 1, "no ISF header"),
        ('/*{\n "INPUTS": [\n {} \n {} ]\n}*/' + MAIN, 4, "comma"),
        ('/*{"INPUTS": []}*/\n', 1, "no main()"),
        (shader('{\n"INPUTS": [\n{"NAME": "a b", "TYPE": "float"}]}'), 3, "letters, digits"),
        (shader('{\n"INPUTS": [\n{"NAME": "f", "TYPE": "flaot"}]}'), 3, "did you mean 'float'?"),
        (shader('{\n"INPUTS": {"NAME": "f"}}'), 2, "expected a list"),
        (shader('{\n"INPUTS": [3]}'), 2, "expected an object"),
        (shader('{"PASSES": [{"TARGET": "x; }"}]}'), 1, "letters, digits"),
        (shader('{"INPUTS": [{"NAME": "TIME", "TYPE": "float"}]}'), 1, "taken"),
        (shader('{"INPUTS": [{"NAME": "a", "TYPE": "float"}],\n"PASSES": [{"TARGET": "a"}]}'), 1, "rename"),
        (shader("[" * 100_000), 1, "header"),
        (shader('{"a":' * 5_000), 1, "nested too deeply"),
        (shader('{"a": ' + "9" * 5_000 + "}"), 1, "not valid JSON"),
    ],
)
def test_what_is_wrong_is_said_with_the_authors_line(text, line, words):
    with pytest.raises(Fault) as fault:
        isf.parse(text, "x", Path("shaders/x.fs"))
    assert str(fault.value).startswith(f"shaders/x.fs:{line}: ")
    assert words in str(fault.value)
    assert "\n" not in str(fault.value)


def test_junk_and_giants_are_refused(tmp_path):
    junk = tmp_path / "junk.fs"
    junk.write_bytes(bytes(range(256)) * 400)
    giant = tmp_path / "giant.fs"
    giant.write_text(shader({"DESCRIPTION": "x" * 10_000_000}))
    long_header = tmp_path / "long.fs"
    long_header.write_text(shader({"DESCRIPTION": "x" * 2_000_000}))
    for path in (junk, giant, long_header, tmp_path / "none.fs", tmp_path):
        with pytest.raises(Fault, match=path.name):
            isf.load(path)


def test_imported_pictures_stay_in_the_shaders_folder(tmp_path):
    (tmp_path / "inside.png").write_bytes(b"")
    path = tmp_path / "x.fs"
    for file in ("../secret.png", "/etc/passwd", "a/../../b.png", "C:\\x.png", "..\\b.png"):
        with pytest.raises(Fault, match="leaves the shader's folder"):
            isf.parse(shader({"IMPORTED": {"pic": {"PATH": file}}}), "x", path)
    spec = isf.parse(shader({"IMPORTED": {"pic": {"PATH": "./inside.png"}}}), "x", path)
    assert spec.imported == (("pic", tmp_path / "inside.png"),) and not spec.warnings
    missing = isf.parse(shader({"IMPORTED": [{"NAME": "pic", "PATH": "gone.png"}]}), "x", path)
    assert "is not there" in missing.warnings[0]
    (tmp_path / "link.png").symlink_to("/etc/hostname")
    with pytest.raises(Fault, match="leaves"):
        isf.parse(shader({"IMPORTED": {"pic": {"PATH": "link.png"}}}), "x", path)


def test_passes_of_both_versions():
    second = isf.parse(
        shader(
            {
                "PASSES": [
                    {"TARGET": "a", "persistent": 1, "FLOAT": True, "WIDTH": "$WIDTH/4", "HEIGHT": 16},
                    {"TARGET": "a"},
                    {},
                ]
            }
        ),
        "x",
    )
    assert second.passes[0] == second.passes[1]
    assert second.passes[0].persistent and second.passes[0].floating and second.passes[2].target is None
    assert second.passes[0].size((640, 360), {}) == (160, 16)
    assert second.targets == ("a",)
    first = isf.parse(
        shader({"PERSISTENT_BUFFERS": {"a": {"WIDTH": 8, "FLOAT": True}, "never": {}}, "PASSES": [{"TARGET": "a"}]}),
        "x",
    )
    assert first.passes[0].persistent and first.passes[0].floating
    assert first.passes[0].size((640, 360), {}) == (8, 360)
    assert first.buffers == ("never",)
    assert isf.parse(shader({"PERSISTENT_BUFFERS": ["a"], "PASSES": [{"TARGET": "a"}]}), "x").passes[0].persistent


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("$WIDTH/4.0", 160.0),
        ("floor($WIDTH*min((0.2),1.0))", 128.0),
        ("max($WIDTH, $HEIGHT, 1)", 640.0),
        ("-2^2 + 10", 6.0),
        ("2 ** 3 ** 2", 512.0),
        ("$amount * $HEIGHT", 180.0),
        ("amount*2", 1.0),
        (" 512 ", 512.0),
        ("clamp($WIDTH, 1, 100)", 100.0),
        ("7 % 4", 3.0),
        ("(1+2)*-3", -9.0),
        ("1e2f", 100.0),
        (".5*4", 2.0),
        ("floor(pi)", 3.0),
        ("average(2, 4) + cuberoot(8)", 5.0),
        ("divide($WIDTH, 2)", 320.0),
        ("fract(2.25)", 0.25),
    ],
)
def test_sizes_are_computed(text, expected):
    one = pass_size.parse(text, frozenset({"amount"}))
    assert one.value({"WIDTH": 640.0, "HEIGHT": 360.0, "amount": 0.5}) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "1/",
        "$DEPTH",
        "__import__('os')",
        "a.b",
        "1 2",
        "(1",
        "min()",
        "pow(1)",
        "[1]",
        "1 if 1 else 2",
        "(" * 500 + "1" + ")" * 500,
        "$WIDTH; 3",
        "lambda: 1",
    ],
)
def test_sizes_outside_the_grammar_are_refused(text):
    with pytest.raises(ValueError, match=r"size|argument"):
        pass_size.parse(text, frozenset())


@pytest.mark.parametrize("text", ["1/0", "1 % 0", "9^9^9^9", "log(0-1)", "sqrt(0-1)", "exp(10000)"])
def test_sizes_without_a_value_are_the_pictures(text):
    spec = isf.parse(shader({"PASSES": [{"TARGET": "a", "WIDTH": text}]}), "x")
    assert spec.passes[0].size((640, 360), {}) == (640, 360)


def test_absurd_sizes_are_clamped_and_unreadable_ones_warned_of():
    spec = isf.parse(
        shader({"PASSES": [{"TARGET": "a", "WIDTH": "1e9", "HEIGHT": "-5"}, {"TARGET": "b", "WIDTH": "?"}]}), "x"
    )
    assert spec.passes[0].size((640, 360), {}) == (8192, 1)
    assert spec.passes[1].size((640, 360), {}) == (640, 360)
    notes = "\n".join(spec.warnings)
    assert "PASSES[1].WIDTH" in notes
    assert "'1e9' is 1e+09 pixels at 1920x1080; 8192 is taken" in notes and "1 is taken" in notes
    assert spec.passes[1].size((0, 0), {}) == (1, 1)


def test_old_glsl_is_translated_line_by_line():
    code = (
        "// gl_FragColor stays in comments\n#version 120\nprecision highp float;\nvarying vec2 v;\n"
        "uniform vec2 RENDERSIZE; uniform vec2 mouse;\nvoid main() {\n"
        "  vec4 texture = texture2D(inputImage, vv_FragNormCoord);\n  float sample = 1.0;\n"
        "  gl_FragColor = texture * sample;\n}\n"
    )
    spec = isf.parse('/*{\n"INPUTS": [{"NAME": "inputImage", "TYPE": "image"}]\n}*/\n' + code, "x")
    body = spec.fragment[spec.fragment.index("#line") :].split("\n")
    assert body[0] == "#line 3"
    lines = dict(enumerate(body[1:], 3))
    assert lines[7] == "in vec2 v;"
    assert "RENDERSIZE" not in lines[8] and "mouse" in lines[8]
    assert "isf_FragNormCoord" in lines[10] and "isf_FragColor" in lines[12]
    assert "gl_FragColor" not in "".join(body)
    assert spec.warnings and "vertex shader" in spec.warnings[0]


def test_a_vertex_shader_beside_is_taken(tmp_path):
    (tmp_path / "x.fs").write_text(shader({}, "varying vec2 v;\n" + MAIN))
    (tmp_path / "x.vs").write_text("varying vec2 v;\nvoid main() { isf_vertShaderInit(); v = isf_FragNormCoord; }\n")
    spec = isf.load(tmp_path / "x.fs")
    assert spec.corners and "out vec2 v;" in spec.vertex and not spec.warnings


def test_costly_effects_say_so():
    assert isf.parse(shader({"PERFORMER": {"cost": "high"}}), "x").costly
    assert not inputs().costly


_scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
_json = st.recursive(
    _scalars,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                ["NAME", "TYPE", "MIN", "MAX", "DEFAULT", "VALUES", "LABELS", "TARGET", "WIDTH", "PATH", "x"]
            ),
            inner,
            max_size=5,
        )
    ),
    max_leaves=12,
)
_rows = st.lists(
    st.fixed_dictionaries(
        {
            "NAME": st.sampled_from(["a", "b", "inputImage", "TIME", "in", "main", "filter"]) | _scalars,
            "TYPE": st.sampled_from(
                ["float", "bool", "long", "event", "color", "point2D", "image", "audio", "audioFFT", "?"]
            ),
        },
        optional=dict.fromkeys(("MIN", "MAX", "DEFAULT", "VALUES", "LABELS", "LABEL", "IDENTITY"), _json),
    ),
    max_size=4,
)
_headers = st.fixed_dictionaries(
    {},
    optional={
        "INPUTS": _rows | _json,
        "PASSES": _json,
        "IMPORTED": _json,
        "PERSISTENT_BUFFERS": _json,
        "CATEGORIES": _json,
        "DESCRIPTION": _json,
        "PERFORMER": _json,
    },
)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(_headers)
def test_any_json_is_read_or_refused(header):
    try:
        spec = isf.parse(shader(header), "x")
    except Fault as fault:
        assert str(fault).startswith("x:") and "\n" not in str(fault)
        return
    for param in spec.inputs:
        assert param.clamp(param.default) == param.default
        for value in param.default if isinstance(param.default, tuple) else (param.default,):
            assert math.isfinite(value)
    for one in spec.passes:
        width, height = one.size((640, 360), dict.fromkeys(one.names, 0.0))
        assert 1 <= width <= 8192 and 1 <= height <= 8192


@given(st.text(alphabet='/*{}[]",:.0-+\\\n ain"/'))
def test_any_text_is_read_or_refused(text):
    for whole in (text, f"/*{{{text}}}*/{MAIN}", shader({}, f"void main() {{}} {text}")):
        try:
            isf.parse(whole, "x")
        except Fault as fault:
            assert "\n" not in str(fault)


@pytest.mark.skipif(not CORPUS.exists(), reason="needs the corpus")
def test_the_corpus_is_read_and_its_broken_file_refused():
    files = sorted(CORPUS.rglob("*.fs"))
    assert len(files) > 10
    for path in files:
        if path.name == "bad-metadata.fs":
            with pytest.raises(Fault, match=r"bad-metadata\.fs:7: .*comma"):
                isf.load(path)
        else:
            isf.load(path)
