"""The live show on real parts: a sound server that dies and returns, MIDI ports, a window, edited files."""

import json
import logging
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from parts.display import press
from parts.live import FLAT, SIZE, headless, pixels, play_for, play_until, screenshot

from performer.gl.render.readback import Readback
from performer.rig.live.rig import Rig
from performer.rig.loading import load_library
from performer.system.errors import Fault
from performer.types.frame import ControlEvent

ROOT = Path(__file__).resolve().parents[2]
CORPUS = ROOT.parent / "shared" / "corpus"


def test_the_demo_plays_headless_and_writes_its_figures(tmp_path):
    from performer.rig.live.rig import play

    figures = play(headless(seconds=3.0, stats=str(tmp_path / "stats.json"), record=str(tmp_path / "live.mp4")))
    assert json.loads((tmp_path / "stats.json").read_text()) == figures
    assert {
        "frames",
        "missed",
        "overflows",
        "interval_p50_ms",
        "interval_p99_ms",
        "latency_p50_ms",
        "latency_p99_ms",
        "provider",
        "model_rate_hz",
    } <= set(figures)
    delay = figures["delay"]
    parts = ("device", "hop", "window", "analysis", "draw", "present", "outside")
    assert all(0.0 <= delay[part]["p50_ms"] <= delay[part]["p95_ms"] for part in parts)
    assert delay["total"]["p95_ms"] >= delay["total"]["p50_ms"] > delay["draw"]["p50_ms"] > 0.0
    assert figures["input_reported_ms"] == 0.0
    assert delay["look_ahead"]["p50_ms"] >= 0.5 * delay["draw"]["p50_ms"]
    assert figures["frames"] > 20 and figures["provider"] in ("CPU", "CUDA") and figures["model_rate_hz"] > 0.5
    import av

    with av.open(str(tmp_path / "live.mp4")) as movie:
        shown = [frame.to_ndarray(format="rgb24") for frame in movie.decode(movie.streams.video[0])]
        assert len(movie.streams.audio) == 1
    assert len(shown) > 20 and np.abs(shown[-1].astype(int) - shown[5]).mean() > 1.0


def test_a_model_that_fails_leaves_the_last_picture(caplog):
    with Rig(headless()) as rig:
        assert play_until(rig, lambda: rig.painter.rate_hz > 0)
        play_for(rig, 1.0)
        layer = next(layer for layer in rig.show.preset.layers if layer.model)
        model = rig.painter._models[layer.model].model

        def out_of_memory(*given, **more):
            raise MemoryError

        model.paint = out_of_memory
        play_for(rig, 1.5)
        assert pixels(rig).std() > 5.0
        assert sum("out of memory" in record.getMessage() for record in caplog.records) == 1


def test_commands_reach_the_stage(tmp_path):
    with Rig(headless()) as rig:
        rig.loop.wiring.snapshots.folder = tmp_path
        for address in ("app.snapshot", "app.hud", "app.help"):
            rig.hands.events.put(ControlEvent(rig.now(), address))
        play_until(rig, lambda: bool(rig.loop.wiring.snapshots.saved))
        assert rig.loop.wiring.snapshots.saved[0].is_file()
        rig.hands.events.put(ControlEvent(rig.now(), "app.quit"))
        rig.loop.run(20.0)
        assert rig.now() < 60.0


def test_the_hud_is_drawn_over_the_picture(user_folder):
    def shown(rig):
        rig.loop.wiring.notices.clear()
        rig.loop.picture()
        return pixels(rig).astype(int)

    with Rig(headless(preset="flat")) as rig:
        play_until(rig, lambda: rig.loop.stats.frames > 10)
        plain = shown(rig)
        pages = []
        for _ in range(3):
            rig.hands.events.put(ControlEvent(rig.now(), "app.hud"))
            pages.append(shown(rig))
    assert np.abs(pages[0] - plain).mean() > 2.0
    assert np.abs(pages[1] - pages[0]).mean() > 1.0, "figures come with the second press"
    assert np.array_equal(pages[2], plain), "and the third takes them away"


def test_a_shader_edited_while_playing_is_swapped_and_a_broken_one_is_not(user_folder, caplog):
    shader = user_folder / "shaders" / "flat.fs"
    with Rig(headless(preset="flat")) as rig:
        play_until(rig, lambda: rig.loop.stats.frames > 5)
        rig.loop.wiring.notices.clear()
        rig.loop.picture()
        assert pixels(rig).mean(axis=(0, 1)) == pytest.approx([255, 0, 0], abs=1)
        time.sleep(0.5)  # the watcher's first look at the folder
        shader.write_text(FLAT.replace("COLOUR", "vec4(0.0, 1.0, 0.0, 1.0)"))
        assert play_until(rig, lambda: pixels(rig)[:, :, 1].mean() > 200)
        shader.write_text(FLAT.replace("COLOUR", "nonsense"))
        assert play_until(rig, lambda: "flat.fs:3" in caplog.text)
        rig.loop.picture()
        assert pixels(rig)[:, :, 1].mean() > 150


def test_a_changed_preset_is_taken_and_a_broken_one_is_reported(user_folder, caplog):
    path = user_folder / "presets" / "flat.toml"
    with Rig(headless(preset="flat")) as rig:
        play_until(rig, lambda: rig.loop.stats.frames > 5)
        time.sleep(0.5)
        path.write_text('order = 0\ntitle = "Renamed"\n[[layer]]\nshader = "flat"\n')
        assert play_until(rig, lambda: rig.show.presets[0].title == "Renamed")
        path.write_text('order = 0\n[[layer]]\nshader = "flut"\n')
        assert play_until(rig, lambda: "did you mean 'flat'" in caplog.text)
        rig.loop.picture()


@pytest.mark.skipif(not CORPUS.is_dir(), reason="the corpus of songs is not here")
def test_a_song_from_the_sound_server_is_followed_and_its_death_survived(pulse):
    with Rig(headless(input="default")) as rig:
        assert rig.sound.state == "running"
        player = pulse.play(CORPUS / "audio" / "lmms_Saber-FinalStep.ogg")
        try:
            heard: list[float] = []

            def listening() -> bool:
                heard.append(rig.listener.features().values.get("level", 0.0))
                return rig.listener.features().bpm > 0.0 and max(heard[-30:]) > 0.4 and rig.now() > 8.0

            assert play_until(rig, listening)
            first, frames = pixels(rig), rig.loop.stats.frames
            play_for(rig, 0.5)
            assert np.abs(pixels(rig).astype(int) - first).mean() > 0.5
            pulse.kill()
            assert play_until(rig, lambda: rig.sound.state == "lost")
            frames = rig.loop.stats.frames
            play_for(rig, 2.0)
            assert rig.loop.stats.frames - frames > 15, "the picture goes on"
            assert rig.listener.features() is not None and pixels(rig).std() > 3.0
            pulse.start()
            player = pulse.play(CORPUS / "audio" / "lmms_Saber-FinalStep.ogg")
            assert play_until(
                rig, lambda: rig.sound.state == "running" and rig.listener.features().values["level"] > 0.3
            )
        finally:
            player.kill()


def test_midi_moves_a_parameter_changes_the_preset_and_drives_the_beat(jack, tmp_path):
    text = (
        '[[layer]]\nmodel = "{}"\n[[layer.effect]]\nshader = "feedback_zoom"\nname = "echo"\n'
        '[[route]]\nfrom = "midi.cc74"\nto = "main.mix.opacity"\n'
    )
    path = tmp_path / "knob.toml"
    path.write_text(text.format(next(iter(load_library().models))))
    with Rig(headless(preset=str(path), midi="all", midi_api="jack")) as rig:
        port = jack.virtual_output("stick")
        try:
            assert play_until(rig, lambda: "stick" in rig.hands.note), "a new port is noticed"

            def turned() -> bool:  # JACK connects in its own time: turn the knob until it is heard
                port.send_message([0xB0, 74, 32])
                return "midi.cc74" in rig.show._midi

            assert play_until(rig, turned)
            frame = rig.loop.wiring.frames.peek()
            assert frame.scene.params["main.mix.opacity"] == pytest.approx(32 / 127, abs=1e-6)
            port.send_message([0xC0, 1])
            assert play_until(rig, lambda: rig.show.preset is rig.show.presets[1])
            stop = threading.Event()

            def clock() -> None:
                port.send_message([0xFA])
                due = time.perf_counter()
                while not stop.is_set():
                    port.send_message([0xF8])
                    due += 60.0 / 100.0 / 24
                    time.sleep(max(0.0, due - time.perf_counter()))

            ticker = threading.Thread(target=clock)
            ticker.start()
            try:
                assert play_until(
                    rig,
                    lambda: (
                        rig.loop.wiring.frames.peek().sync == "midi"
                        and rig.show.clock.pulse.bpm == pytest.approx(100, abs=4)
                        and rig.show.clock.pulse.beat > 3
                    ),
                )
            finally:
                stop.set()
                ticker.join()
        finally:
            port.close_port()
            port.delete()


def test_a_window_shows_the_show_and_takes_keys(xvfb):
    with Rig(headless(headless=False, size=(480, 270))) as rig:
        play_until(rig, lambda: rig.loop.stats.frames > 30 and rig.painter.rate_hz > 0)
        first = screenshot(xvfb)
        name = rig.show.preset.name
        press("Right")
        assert play_until(rig, lambda: rig.show.preset.name != name)
        play_for(rig, 2.5)
        second = screenshot(xvfb)
        assert first.std() > 5.0 and second.std() > 5.0
        assert np.abs(first.astype(int) - second).mean() > 2.0
        press("b")
        assert play_until(rig, lambda: rig.loop.wiring.frames.peek().blackout == 1.0)
        press("Escape")
        play_for(rig, 0.3)
        assert not rig.loop._quit
        press("Escape")
        assert play_until(rig, lambda: rig.loop._quit)


def test_the_other_deck_is_seen_on_the_panel_and_comes_in_by_a_take():
    with Rig(headless(preset="tidal", hud=True)) as rig:
        for address, text in (("show.decks", ""), ("show.preset", "deep_tunnel")):
            rig.hands.events.put(ControlEvent(rig.now(), address, 0.0, text))
        assert play_until(rig, lambda: rig.renderer.preview is not None)
        play_for(rig, 0.5)
        assert rig.show.preset.name == "tidal"
        shown = pixels(rig)
        left, top = SIZE[0] - 4 - round(0.26 * SIZE[0]), SIZE[1] - 4 - round(0.26 * SIZE[1])
        inset = shown[top + 2 : -6, left + 2 : -6].astype(float)
        assert inset.std() > 5.0 and (shown[top - 1, left:-5] > 200).all()  # its bright rim
        rig.hands.events.put(ControlEvent(rig.now(), "show.take"))
        assert play_until(rig, lambda: rig.show.preset.name == "deep_tunnel")


def test_a_window_opens_with_the_keys_that_find_all_else_and_full_screen_without(xvfb):
    with Rig(headless(headless=False, fps=10.0)) as rig:
        told = [len([0 for notice in rig.loop.wiring.notices if "?  keys" in notice.text])]
        for fullscreen in (False, True):
            rig.surface.set_fullscreen(fullscreen)
            rig.greet()
            told.append(len([0 for notice in rig.loop.wiring.notices if "?  keys" in notice.text]))
    assert told == [0, 1, 1]


def test_the_desk_shows_panel_and_decks_and_the_audience_only_the_picture(xvfb):
    import glfw

    with Rig(headless(headless=False, size=(480, 270), hud=True, desk=True, preset="tidal")) as rig:
        main, desk = rig.surface, rig.loop.overlay._desk
        glfw.set_window_pos(main._handle, 0, 0)
        glfw.set_window_pos(desk._handle, 0, 270)
        for address, text in (("show.decks", ""), ("show.preset", "deep_tunnel")):
            rig.hands.events.put(ControlEvent(rig.now(), address, 0.0, text))
        assert play_until(rig, lambda: rig.renderer.preview is not None and rig.painter.rate_hz > 0)
        play_for(rig, 1.5)
        seen = screenshot(xvfb)
        width, height = desk.size
        picture = seen[:270, :480].astype(float)
        table = seen[270 : 270 + height, :width].astype(float)
        live, other = table[20 : height // 2 - 20, -200:-40], table[height // 2 + 20 : -20, -200:-40]
        assert picture.std() > 10.0 and live.std() > 10.0 and other.std() > 5.0
        assert np.abs(live.mean(axis=(0, 1)) - other.mean(axis=(0, 1))).max() > 5.0
        panel = table[20 : height - 20, 20 : width // 2 - 20]
        assert (panel.min(axis=2) > 200).mean() > 0.002, "there is no text"
        # The audience sees no panel: where it would be, there is the picture as the model made it.
        without = pixels_of(rig, (480, 270))
        assert np.abs(without.astype(float)[20:250, 20:460] - picture[20:250, 20:460]).mean() < 25.0
        assert (picture[5:135, 5:180].min(axis=2) > 235).mean() < 0.02
        press("h")
        assert play_until(rig, lambda: rig.loop.overlay.desk_page == 2), "the desk has figures at the first press"
        press("h")
        assert play_until(rig, lambda: rig.loop.overlay.desk_page == 1)
        assert rig.loop.overlay.page == 1, "what --hud began with, not what was turned to at the desk"
        press("b")
        assert play_until(rig, lambda: rig.loop.wiring.frames.peek().blackout == 1.0)
        desk._on_close(None)
        before = rig.loop.stats.frames
        play_for(rig, 0.5)
        assert desk.closed and rig.loop.stats.frames >= before + 5 and not rig.loop._quit


def pixels_of(rig: Rig, size: tuple[int, int]) -> np.ndarray:
    return Readback(rig.surface.ctx).read(rig.surface.screen, size).copy()


def breaking(monkeypatch, owner, name: str, error: Exception):
    """Let a method fail until the returned switch is turned off."""
    whole, on = getattr(owner, name), [True]

    def broken(*given, **more):
        if on:
            raise type(error)(*error.args)
        return whole(*given, **more)

    monkeypatch.setattr(owner, name, broken)
    return on


@pytest.mark.parametrize(
    ("owner", "name"),
    [
        ("renderer", "draw"),
        ("renderer._compose", "mix"),
        ("show", "step"),
        ("listener", "features"),
    ],
)
@pytest.mark.parametrize("error", [AttributeError("no attribute 'use'"), Fault("out of something")])
def test_a_frame_that_fails_is_the_last_good_picture_and_is_said_once(
    rig_of_two_layers, monkeypatch, caplog, owner, name, error
):
    rig = rig_of_two_layers
    play_until(rig, lambda: rig.painter.rate_hz > 0)
    rig.loop.wiring.notices.clear()
    rig.loop.picture()
    before, shown = pixels(rig), rig.loop.stats.frames
    held = rig
    for part in owner.split("."):
        held = getattr(held, part)
    caplog.clear()
    rig.loop._failures.clear()
    on = breaking(monkeypatch, held, name, error)
    for _ in range(5):
        rig.loop.picture()
    assert np.array_equal(pixels(rig), before) and rig.loop.stats.frames == shown
    assert [record.levelname for record in caplog.records if record.levelno > logging.INFO] == ["ERROR"]
    lent = len(rig.renderer._pool._lent)
    on.clear()
    rig.loop.wiring.notices.clear()
    for _ in range(5):
        rig.loop.picture()
    assert rig.loop.stats.frames == shown + 5 and not np.array_equal(pixels(rig), before)
    assert lent == len(rig.renderer._pool._lent) == 0


@pytest.mark.parametrize("part", ["overlay.draw", "captures.keep", "controls.take"])
def test_what_is_only_beside_the_picture_does_not_keep_it_from_being_shown(
    rig_of_two_layers, monkeypatch, caplog, part
):
    rig = rig_of_two_layers
    play_until(rig, lambda: rig.painter.rate_hz > 0)
    shown = rig.loop.stats.frames
    caplog.clear()
    rig.loop._failures.clear()
    owner, _, name = part.partition(".")
    breaking(monkeypatch, getattr(rig.loop, owner), name, OSError("gone"))
    for _ in range(5):
        rig.loop.picture()
    assert rig.loop.stats.frames == shown + (0 if part == "controls.take" else 5)
    assert [record.levelname for record in caplog.records if record.levelno > logging.INFO] == ["ERROR"]


@pytest.fixture(scope="module")
def rig_of_two_layers(tmp_path_factory):
    path = tmp_path_factory.mktemp("two") / "two.toml"
    path.write_text("[[layer]]\nmodel = 'molten'\n[[layer]]\nname = 'top'\nshader = 'tunnel'\nblend = 'screen'\n")
    with Rig(headless(preset=str(path))) as rig:
        yield rig
