"""Where shaders, models and presets come from, and what happens where names meet."""

import os
import shutil
import sys
from pathlib import Path
from queue import SimpleQueue

import pytest

from performer.audio.features import FEATURES
from performer.content import shaders as isf
from performer.content.library import FACTORY, Library
from performer.content.presets import reader as preset
from performer.content.shaders import gl_transitions
from performer.rig.live.hot_reload import Watcher
from performer.rig.shader_trial import ShaderTrial
from performer.system.errors import Fault

WIPE = "// Author: me\nvec4 transition(vec2 uv) { return mix(getFromColor(uv), getToColor(uv), progress); }\n"


def load(folder, **more) -> Library:
    return Library(audio=tuple(FEATURES), **more).load((FACTORY, folder))


def test_shaders_of_all_manners_are_found_in_folders_within_folders(tmp_path):
    (tmp_path / "shaders" / "pack").mkdir(parents=True)
    (tmp_path / "shaders" / "pack" / "wipe.glsl").write_text(WIPE)
    toy = tmp_path / "shaders" / "toy"
    toy.mkdir()
    for name in ("Image", "Buffer A"):
        (toy / f"{name}.glsl").write_text("void mainImage(out vec4 c, in vec2 p) { c = vec4(1.0); }")
    (tmp_path / "shaders" / "broken.glsl").write_text("float x;")
    (tmp_path / "shaders" / "pack" / "round").symlink_to(tmp_path / "shaders")
    library = load(tmp_path)
    assert library.shaders["wipe"].kind == "transition" and library.shaders["toy"].kind == "source"
    assert "Image" not in library.shaders and len(library.shaders["toy"].passes) == 2
    assert [path.name for path in library.faults if path.is_relative_to(tmp_path)] == ["broken.glsl"]


def test_a_transition_does_not_take_the_place_of_an_effect(tmp_path):
    (tmp_path / "shaders").mkdir()
    (tmp_path / "shaders" / "kaleidoscope.glsl").write_text(WIPE)
    (tmp_path / "shaders" / "dissolve.glsl").write_text(WIPE)
    library = load(tmp_path)
    assert library.shaders["kaleidoscope"].kind == "filter"
    assert library.shaders["kaleidoscope_transition"].credit == "me"
    assert library.shaders["dissolve"].credit == "me", "the user's come first"


def test_any_transition_may_change_all_presets(tmp_path):
    path = tmp_path / "mine.glsl"
    path.write_text(WIPE)
    for name, wanted in ((str(path), "mine"), ("iris", "iris")):
        assert {p.transition.shader for p in load(tmp_path, transition=name).presets.values()} == {wanted}
    for name, words in (("iriss", "did you mean 'iris'"), ("bloom", "no such transition"), ("x.glsl", "is the path")):
        with pytest.raises(Fault, match=words):
            load(tmp_path, transition=name)


def test_a_refused_shader_leaves_the_factorys(tmp_path):
    (tmp_path / "shaders").mkdir()
    shutil.copy(FACTORY / "shaders" / "tunnel.fs", tmp_path / "shaders" / "tunnel.fs")
    library = load(tmp_path)
    assert [spec.name for spec in library.foreign(*library.presets.values())] == ["tunnel"]
    library.refuse({"tunnel": Fault("too slow")})
    assert library.shaders["tunnel"].path.is_relative_to(FACTORY)
    assert library.faults[tmp_path / "shaders" / "tunnel.fs"].args == ("too slow",)


def test_a_folder_that_is_called_as_a_model_is_none(tmp_path):
    (tmp_path / "models" / "stones.onnx").mkdir(parents=True)
    (tmp_path / "models" / "swaying.follower.onnx").mkdir()
    library = load(tmp_path)
    assert "stones" not in library.models and "molten" in library.models
    assert "swaying" not in library.followers()


def hostile(folder):
    """A user's shader folder of files that have stopped readers before; name -> whether it can be drawn."""
    shaders = folder / "shaders"
    (shaders / "toy").mkdir(parents=True)
    (shaders / "toy" / "common.glsl").write_text("#define LEVEL 0.5\nconst float TAU = 6.28;\n")
    (shaders / "toy" / "image.glsl").write_text("void mainImage(out vec4 c, in vec2 p) { c = vec4(LEVEL); }")
    main = "\nvoid main() { gl_FragColor = vec4(1.0); }"
    long = "b" * 300
    deep = "-1" * 490
    for name, text in {
        "long.fs": '/*{"IMPORTED": {"a": {"PATH": "' + long + '.png"}}}*/' + main,
        "half.fs": '/*{"IMPORTED": {"a": {"PATH": "\\ud800.png"}}}*/' + main,
        "deep.fs": '/*{"PASSES": [{"TARGET": "a", "WIDTH": "1' + deep + '"}, {}]}*/' + main,
        "toy_long.glsl": f"// iChannel0: {long}.png\nvoid mainImage(out vec4 c, in vec2 p) {{ c = vec4(1.0); }}",
        "toy_half.glsl": "// iChannel0: \ud800.png\nvoid mainImage(out vec4 c, in vec2 p) { c = vec4(1.0); }",
    }.items():
        (shaders / name).write_text(text, encoding="utf-8", errors="surrogatepass")
    (shaders / "nul.fs").write_bytes(b"/*{}*/\n" + b"\0" * 100)
    os.mkfifo(shaders / "pipe.fs")
    (shaders / "device.glsl").symlink_to("/dev/zero")
    return {"toy": True, "long": True, "half": True, "deep": True, "toy_long": True, "toy_half": True, "nul": False}


@pytest.mark.skipif(sys.platform == "win32", reason="no pipes in folders")
def test_no_file_in_a_users_folder_stops_the_others(tmp_path):
    drawn = hostile(tmp_path)
    library = load(tmp_path)
    assert {name: name in library.shaders for name in drawn} == drawn
    assert {path.name for path in library.faults if path.is_relative_to(tmp_path)} == {"nul.fs"}
    for name in ("long", "half", "toy_long", "toy_half"):
        (note,) = library.shaders[name].warnings
        assert "is not there" in note and len(note) < 300 + len(str(tmp_path))
    assert library.shaders["deep"].passes[0].size((64, 36), {}) == (1, 36)
    for name in ("pipe.fs", "device.glsl"):
        with pytest.raises(Fault, match="no regular file"):
            isf.load(tmp_path / "shaders" / name)


def test_a_reader_that_fails_in_a_way_nobody_thought_of_refuses_that_file_alone(tmp_path, monkeypatch, caplog):
    (tmp_path / "shaders").mkdir()
    (tmp_path / "presets").mkdir()
    for name in ("one", "two"):
        (tmp_path / "shaders" / f"{name}.glsl").write_text(WIPE)
    (tmp_path / "presets" / "other.toml").write_text('[[layer]]\nshader = "tunnel"\n')
    parse, load_preset = gl_transitions.parse, preset.load

    def strange(*given, **named):
        if "one" in given or "other" in given:
            raise RecursionError("maximum recursion depth exceeded\nsecond line")
        return (parse if "two" in given else load_preset)(*given, **named)

    monkeypatch.setattr(gl_transitions, "parse", strange)
    monkeypatch.setattr(preset, "load", strange)
    library = load(tmp_path)
    assert "two" in library.shaders and "aurora" in library.presets and "other" not in library.presets
    assert {path.name for path in library.faults} == {"one.glsl", "other.toml"}
    for fault in library.faults.values():
        assert "RecursionError: maximum recursion depth exceeded" in str(fault) and "\n" not in str(fault)
    watcher = Watcher(library, SimpleQueue(), ShaderTrial("none", cache=None))
    caplog.clear()
    watcher.take([tmp_path / "shaders" / "one.glsl", tmp_path / "presets" / "other.toml"])
    assert sorted(record.message.split(": ")[0].rsplit("/")[-1] for record in caplog.records) == [
        "one.glsl",
        "other.toml",
    ]


def test_other_programs_presets_are_said_by_name(tmp_path, caplog):
    for kind in ("shaders", "presets"):
        (tmp_path / kind / "pack").mkdir(parents=True)
    milk = "[preset00]\nfRating=3.0\n"
    for name in ("shaders/one.milk", "shaders/pack/two.MILK", "presets/three.milk", "presets/four.tox"):
        (tmp_path / name).write_text(milk)
    (tmp_path / "shaders" / "renamed.glsl").write_text(milk)
    library = load(tmp_path)
    said = [record.message.removeprefix(str(tmp_path)) for record in caplog.records]
    assert "/shaders: 2 MilkDrop presets (.milk): not played here" in said
    assert "/presets: 1 MilkDrop preset (.milk), 1 TouchDesigner component (.tox): not played here" in said
    assert len(said) == 3 and "a MilkDrop preset, whatever its ending" in str(
        library.faults[tmp_path / "shaders/renamed.glsl"]
    )
    for find in (library.find, lambda name: isf.load(Path(name))):
        with pytest.raises(Fault, match=r"one\.milk: a MilkDrop preset \(\.milk\): not played here"):
            find(str(tmp_path / "shaders" / "one.milk"))
    caplog.clear()
    Watcher(library, SimpleQueue(), ShaderTrial("none", cache=None)).take([tmp_path / "presets" / "three.milk"])
    assert [record.message for record in caplog.records] == ["1 MilkDrop preset (.milk): not played here"]
