"""Where shaders, models and presets come from, and what happens where names meet."""

import shutil

import pytest

from performer.audio.features import FEATURES
from performer.content.library import FACTORY, Library
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
