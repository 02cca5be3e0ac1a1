"""Editing while the show plays: what is saved is seen, its new inputs are knobs, what is broken changes nothing."""

import numpy as np
import pytest
from parts.live import FLAT, headless, pixels, play_until

from performer.content import banks
from performer.content.library import FACTORY
from performer.latent.bank import Bank
from performer.rig.live.rig import Rig
from performer.types.frame import ControlEvent

KNOB = """/*{"INPUTS": [{"NAME": "level", "TYPE": "float", "DEFAULT": 0.2}%s]}*/
void main() { gl_FragColor = vec4(level, %s, 0.0, 1.0); }
"""
PRESET = """order = 0
[[layer]]
shader = "knob"
inputs = { level = 0.6 }
[[route]]
from = "midi.cc20"
to = "main.source.level"
"""


@pytest.fixture
def rig(user_folder):
    (user_folder / "shaders" / "knob.fs").write_text(KNOB % ("", "0.0"))
    (user_folder / "presets" / "knob.toml").write_text(PRESET)
    with Rig(headless(preset="knob")) as one:
        play_until(one, lambda: one.loop.stats.frames > 5)
        yield one


def test_what_is_saved_before_the_watch_begins_counts_too(user_folder):
    file = user_folder / "presets" / "knob.toml"
    (user_folder / "shaders" / "knob.fs").write_text(KNOB % ("", "0.0"))
    file.write_text(PRESET)
    show = Rig(headless(preset="knob"))  # has read everything
    file.write_text(PRESET.replace("0.6", "0.1"))
    with show as rig:
        assert play_until(rig, lambda: params(rig)["main.source.level"] == pytest.approx(0.1))


def params(rig):
    return rig.loop.wiring.frames.peek().scene.params


def test_new_inputs_are_knobs_at_once_and_the_others_stay_as_they_are(rig, user_folder):
    rig.hands.events.put(ControlEvent(rig.now(), "midi.cc20", 0.5))
    assert play_until(rig, lambda: params(rig)["main.source.level"] == pytest.approx(0.5, abs=0.2))
    before, scene = params(rig)["main.source.level"], rig.loop.wiring.frames.peek().scene.number
    (user_folder / "shaders" / "knob.fs").write_text(
        KNOB % (', {"NAME": "glow", "TYPE": "float", "DEFAULT": 0.9}', "glow")
    )
    assert play_until(rig, lambda: params(rig).get("main.source.glow") == 0.9)
    assert "main.source.glow" in rig.show.preset.params
    assert params(rig)["main.source.level"] == before, "the mapping holds"
    assert rig.loop.wiring.frames.peek().scene.number == scene, "the scene was not started anew"
    rig.loop.wiring.notices.clear()
    rig.loop.picture()
    assert pixels(rig)[:, :, 1].mean() == pytest.approx(0.9 * 255, abs=2)


def test_a_preset_takes_new_values_while_it_plays(rig, user_folder):
    number = rig.loop.wiring.frames.peek().scene.number
    (user_folder / "presets" / "knob.toml").write_text(PRESET.replace("0.6", "0.1"))
    assert play_until(rig, lambda: params(rig)["main.source.level"] == pytest.approx(0.1))
    assert rig.loop.wiring.frames.peek().scene.number == number


def test_an_endless_shader_is_refused_while_the_old_one_plays(rig, user_folder, caplog, monkeypatch):
    from performer.rig import shader_trial

    monkeypatch.setattr(shader_trial, "LIMIT_S", 0.3)
    loops = "for (int i = 0; i < 60000; i++) for (int j = 0; j < 60000; j++) a = fract(sin(a + float(i * j)) * 4e4);"
    (user_folder / "shaders" / "knob.fs").write_text(
        (KNOB % ("", "a")).replace("{ gl", "{ float a = TIME; " + loops + " gl")
    )
    assert play_until(rig, lambda: "would stall the show" in caplog.text)
    rig.loop.wiring.notices.clear()
    rig.loop.picture()
    assert pixels(rig)[:, :, 1].mean() < 2.0
    (user_folder / "shaders" / "knob.fs").write_text(KNOB % ("", "1.0"))
    assert play_until(rig, lambda: pixels(rig)[:, :, 1].mean() > 200.0), "and mended, it is taken"


def test_other_manners_and_new_files_are_noticed(rig, user_folder):
    folder = user_folder / "shaders"
    (folder / "toy.glsl").write_text("void mainImage(out vec4 c, in vec2 p) { c = vec4(0.0, 0.0, 1.0, 1.0); }")
    assert play_until(rig, lambda: "toy" in rig.library.shaders)
    (user_folder / "presets" / "toy.toml").write_text('order = 1\n[[layer]]\nshader = "toy"\n')
    assert play_until(rig, lambda: any(p.name == "toy" for p in rig.show.presets))
    rig.hands.events.put(ControlEvent(rig.now(), "show.preset", 0.0, "toy"))
    play_until(rig, lambda: rig.loop.wiring.frames.peek().scene.preset.name == "toy")
    rig.loop.wiring.notices.clear()
    rig.loop.picture()
    assert pixels(rig)[:, :, 2].mean() > 200.0


def test_a_preset_that_waited_for_its_shader_is_taken(rig, user_folder):
    (user_folder / "presets" / "late.toml").write_text('order = 1\n[[layer]]\nshader = "late"\n')
    assert play_until(rig, lambda: any(path.name == "late.toml" for path in rig.library.faults))
    (user_folder / "shaders" / "late.fs").write_text(FLAT.replace("COLOUR", "vec4(1.0)"))
    assert play_until(rig, lambda: any(p.name == "late" for p in rig.show.presets))
    assert not any(path.name == "late.toml" for path in rig.library.faults)


def test_a_folder_put_in_the_others_place_is_watched_too(rig, user_folder):
    import shutil

    presets, fresh = user_folder / "presets", user_folder / "fresh"

    def level(value: float) -> bool:
        return play_until(rig, lambda: params(rig)["main.source.level"] == pytest.approx(value))

    fresh.mkdir()
    (fresh / "knob.toml").write_text(PRESET.replace("0.6", "0.1"))
    shutil.rmtree(presets)
    fresh.rename(presets)
    assert level(0.1)
    (presets / "knob.toml").write_text(PRESET.replace("0.6", "0.4"))
    assert level(0.4)


@pytest.fixture
def bank_folder(tmp_path, monkeypatch):
    folder = tmp_path / "banks"
    for function in (banks.read_all, banks.BankWriter.__init__):
        monkeypatch.setattr(function, "__defaults__", (folder,))
    return folder


def test_a_preset_of_a_model_that_came_while_it_plays_is_taken_and_its_bank(user_folder, bank_folder, rig):
    import shutil

    for ending in (".onnx", ".toml"):
        shutil.copy(FACTORY / "models" / f"molten{ending}", user_folder / "models" / f"fresh{ending}")
    bank = Bank("fresh", 64)
    bank.keep(np.ones(64, np.float32).tobytes(), "from yesterday")
    banks.write(bank, bank_folder)
    (user_folder / "presets" / "fresh.toml").write_text('order = 1\n[[layer]]\nmodel = "fresh"\n')
    assert play_until(rig, lambda: any(preset.name == "fresh" for preset in rig.show.presets))
    rig.hands.events.put(ControlEvent(rig.now(), "show.preset", 0.0, "fresh"))
    assert play_until(rig, lambda: "fresh" in rig.painter._models)
    assert [place.name for place in rig.show.recaller.banks["fresh"].places] == ["from yesterday"]
    assert play_until(rig, lambda: rig.loop.scene.preset.name == "fresh")
    rig.hands.events.put(ControlEvent(rig.now(), "app.keep", 1.0, "here"))
    assert play_until(rig, lambda: (bank_folder / "fresh.toml").read_text().count("[[place]]") == 2)
    rig.hands.events.put(ControlEvent(rig.now(), "bank.recall", 0.0))
    assert play_until(rig, lambda: rig.loop.scene.walks["main"].stops)
