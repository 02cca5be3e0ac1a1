"""Files that are no shaders, or bad ones: one line each, and the show draws on."""

import json
import os

import numpy as np
import pytest
from parts.drawing import SHADERS, frame, layer, preset, read, scene

from performer.content import shaders as isf
from performer.gl.render.renderer import Renderer
from performer.gl.window.offscreen import Offscreen
from performer.system.errors import Fault

SIZE = (64, 36)
GREEN = "void main() { gl_FragColor = vec4(0.0, 1.0, 0.0, 1.0) + 0.0 * IMG_THIS_PIXEL(pic); }"
DRAW = "void main() { gl_FragColor = vec4(0.0, 1.0, 0.0, 1.0); }"


@pytest.fixture(scope="module")
def world():
    headless = Offscreen(SIZE)
    yield headless
    headless.close()


def one_line(path) -> str:
    with pytest.raises(Fault) as fault:
        isf.load(path)
    assert "\n" not in str(fault.value) and len(str(fault.value)) < 500
    return str(fault.value)


@pytest.mark.parametrize("suffix", [".fs", ".glsl", ".frag"])
def test_junk_is_refused_in_one_line(tmp_path, suffix):
    path = tmp_path / f"junk{suffix}"
    rng = np.random.default_rng(1)
    for content in (
        b"",
        b"\xff" * 10_000,
        rng.bytes(100_000),
        b"\0" * 5_000,
        b"/*{",
        b"/*{}*/",
        b"\x89PNG\r\n\x1a\n" * 50,
        b"/*{" + b"[" * 200_000,
        b'/*{"INPUTS": [{"NAME": "' + b"x" * 100_000 + b'", "TYPE": "float"}]}*/',
    ):
        path.write_bytes(content)
        assert path.name in one_line(path)
    path.write_bytes(b'/*{"DESCRIPTION": "' + b"x" * 10_000_000 + b'"}*/\n' + DRAW.encode())
    assert "MB" in one_line(path)


def test_folders_and_links_that_lead_nowhere(tmp_path):
    (tmp_path / "empty").mkdir()
    assert "no image.glsl" in one_line(tmp_path / "empty")
    os.symlink(tmp_path / "loop.fs", tmp_path / "loop.fs")
    assert "loop.fs" in one_line(tmp_path / "loop.fs")
    assert list(isf.files(tmp_path)) == []
    assert isf.owner(tmp_path / "gone.fs") is None and isf.owner(tmp_path / "x.txt") is None


def test_pictures_that_are_shaders_loops_or_junk_are_replaced(world, tmp_path, caplog):
    """A shader that imports itself, two that import each other, a link to itself, a text: a plain picture each."""
    os.symlink(tmp_path / "loop.png", tmp_path / "loop.png")
    (tmp_path / "text.png").write_text("no picture")
    for name, file in (
        ("own", "own.fs"),
        ("there", "back.fs"),
        ("back", "there.fs"),
        ("text", "text.png"),
        ("gone", "gone.png"),
    ):
        (tmp_path / f"{name}.fs").write_text(f"/*{json.dumps({'IMPORTED': {'pic': {'PATH': file}}})}*/\n{GREEN}")
    for name in ("own", "there", "back", "text", "gone"):
        spec = isf.load(tmp_path / f"{name}.fs")
        renderer = Renderer(world.ctx, {**SHADERS, name: spec})
        renderer.draw(frame(scene(preset(layer(shader=name)))), {}, world.screen)
        assert np.allclose(read(world.screen), [0.0, 1.0, 0.0], atol=0.01)
        renderer.release()
    assert "a plain one takes its place" in caplog.text


def test_absurd_passes_are_drawn_at_a_size_that_can_be_had(world):
    passes = [
        {"TARGET": "a", "WIDTH": "1e12", "HEIGHT": "$HEIGHT / 0"},
        {"TARGET": "b", "WIDTH": "$x", "HEIGHT": 0},
        {"TARGET": "c", "WIDTH": "log(0 - 1)", "HEIGHT": "-1e300 * 1e300"},
        {},
    ]
    header = {"INPUTS": [{"NAME": "x", "TYPE": "float", "DEFAULT": 0}], "PASSES": passes}
    spec = isf.parse(f"/*{json.dumps(header)}*/\n{DRAW}", "absurd")
    assert len(spec.warnings) >= 4 and all(note.startswith("absurd:1: PASSES[") for note in spec.warnings)
    assert all(side >= 1 for one in spec.passes for side in one.size((0, 0), {"x": 0.0}))
    renderer = Renderer(world.ctx, {**SHADERS, "absurd": spec})
    renderer.draw(frame(scene(preset(layer(shader="absurd")))), {}, world.screen)
    assert np.allclose(read(world.screen), [0.0, 1.0, 0.0], atol=0.01)
    renderer.release()
