"""The window on a real X server: keys, full screen, resizing, monitors."""

from __future__ import annotations

import io
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator

import glfw
import numpy as np
import pytest
from parts.display import SCREEN, press
from parts.patience import PATIENCE_S
from PIL import Image

from performer.gl.window.window import Window, monitors
from performer.system.errors import Fault
from performer.types.actions import TWICE_WITHIN_S
from performer.types.frame import ControlEvent

pytestmark = pytest.mark.usefixtures("xvfb")


@pytest.fixture
def window() -> Iterator[Window]:
    made = Window((480, 270), vsync=False)
    glfw.focus_window(made._handle)
    settle(made)
    yield made
    made.close()


def settle(window: Window, seconds: float = 0.15) -> list[ControlEvent]:
    events = []
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        events += window.poll()
        window.swap()
        time.sleep(0.005)
    return events


def typed(window: Window, *keys: str) -> list[tuple[str, float]]:
    press(*keys)
    return [(event.address, event.value) for event in settle(window)]


def picture(window: Window) -> np.ndarray:
    width, height = window.size
    return np.frombuffer(window.screen.read(components=3), np.uint8).reshape(height, width, 3)


def test_every_key_arrives_as_its_event(window: Window) -> None:
    assert typed(window, "1", "2", "9", "0") == [("show.preset", value) for value in (0, 1, 8, 9)]
    assert typed(window, "KP_3") in ([("show.preset", 2)], [])  # a server without a keypad sends nothing
    assert typed(window, "Right", "Left", "space") == [("show.next", 1), ("show.previous", 1), ("show.tap", 1)]
    assert typed(window, "b", "z", "h", "s", "r", "f") == [
        ("show.blackout", 1),
        ("show.freeze", 1),
        ("app.hud", 1),
        ("app.snapshot", 1),
        ("app.record", 1),
        ("app.fullscreen", 1),
    ]
    assert typed(window, "shift+slash", "F1") == [("app.help", 1)] * 2


def test_keys_without_a_meaning_or_with_control_do_nothing(window: Window) -> None:
    assert typed(window, "y", "ctrl+b", "alt+s", "ctrl+1", "slash", "Tab") == []
    assert typed(window, "shift+b") == [("show.blackout", 1)]


def test_a_key_held_down_counts_once(window: Window) -> None:
    subprocess.run(["xdotool", "keydown", "b", "keydown", "Right"], check=True)
    held = settle(window, 0.9)  # the server repeats after 0.66 s
    subprocess.run(["xdotool", "keyup", "b", "keyup", "Right"], check=True)
    settle(window)
    assert [event.address for event in held] == ["show.blackout", "show.next"]


def test_escape_quits_only_twice_within_a_second(window: Window) -> None:
    press("Escape")
    first = settle(window, TWICE_WITHIN_S + 0.2)
    assert [event.address for event in first] == ["app.notice"]
    assert first[0].text == "press esc again to quit"
    assert typed(window, "Escape") == [("app.notice", 0)]
    assert typed(window, "Escape") == [("app.quit", 1)]


def test_events_are_stamped_with_the_given_clock() -> None:
    window = Window((320, 180), vsync=False, clock=lambda: 42.5)
    glfw.focus_window(window._handle)
    settle(window)
    press("b")
    events = settle(window)
    window.close()
    assert [event.t for event in events] == [42.5]


def test_the_close_button_quits(window: Window) -> None:
    callback = glfw.set_window_close_callback(window._handle, None)
    glfw.set_window_close_callback(window._handle, callback)
    callback(window._handle)
    assert [event.address for event in window.poll()] == ["app.quit"]


def test_full_screen_and_back_to_the_same_place(window: Window) -> None:
    glfw.set_window_pos(window._handle, 200, 120)
    settle(window)
    texture = window.ctx.texture((1, 1), 4, bytes([9, 8, 7, 6]))
    window.toggle_fullscreen()
    settle(window)
    assert window.fullscreen
    assert window.size == SCREEN
    assert glfw.get_input_mode(window._handle, glfw.CURSOR) == glfw.CURSOR_HIDDEN
    window.screen.use()
    window.ctx.clear(0.0, 1.0, 0.0)
    assert picture(window).shape == (*SCREEN[::-1], 3)
    assert (picture(window) == (0, 255, 0)).all()
    window.toggle_fullscreen()
    settle(window)
    assert not window.fullscreen
    assert window.size == (480, 270)
    assert tuple(glfw.get_window_pos(window._handle)) == (200, 120)
    assert glfw.get_input_mode(window._handle, glfw.CURSOR) == glfw.CURSOR_NORMAL
    assert texture.read() == bytes([9, 8, 7, 6])


def test_starting_in_full_screen_covers_the_monitor() -> None:
    window = Window((320, 180), fullscreen=True, monitor=0, vsync=False)
    settle(window)
    size, full = window.size, window.fullscreen
    window.close()
    assert full
    assert size == SCREEN


def test_the_picture_fills_the_window_after_resizing(window: Window) -> None:
    for size in ((701, 333), (64, 48), (900, 500)):
        glfw.set_window_size(window._handle, *size)
        settle(window)
        assert window.size == size
        window.screen.use()
        assert window.ctx.viewport == (0, 0, *size)
        window.screen.clear(1.0, 0.0, 0.0)
        assert (picture(window) == (255, 0, 0)).all()


def test_a_hidden_window_keeps_its_size_and_can_be_drawn_to(window: Window) -> None:
    glfw.hide_window(window._handle)
    settle(window)
    window.screen.clear(0.0, 0.0, 1.0)
    assert window.size == (480, 270)
    glfw.show_window(window._handle)
    settle(window)
    assert window.size == (480, 270)


@pytest.mark.skipif(not shutil.which("import"), reason="needs ImageMagick's import")
def test_a_screenshot_of_the_display_shows_what_was_drawn(window: Window) -> None:
    for colour in ((255, 0, 0), (0, 0, 255)):
        window.screen.clear(*(part / 255 for part in colour))
        window.swap()
        settle(window, 0.05)
        shot = subprocess.run(["import", "-window", "root", "png:-"], check=True, capture_output=True).stdout
        seen = np.asarray(Image.open(io.BytesIO(shot)).convert("RGB"))
        assert seen.reshape(-1, 3).max(0).tolist() == list(colour)


def test_an_unknown_monitor_is_named_with_those_that_exist() -> None:
    name = monitors()[0]
    with pytest.raises(Fault, match="no monitor 'projector'; there are 0: " + name):
        Window((320, 180), monitor="projector")
    with pytest.raises(Fault, match="no monitor '7'"):
        Window((320, 180), monitor=7)
    window = Window((320, 180), monitor=name[:3].upper(), vsync=False)
    assert window.size == (320, 180)
    window.close()


def test_without_a_display_one_line_says_what_to_do() -> None:
    code = (
        "from performer.gl.window.window import Window\nfrom performer.system.errors import Fault\n"
        "try:\n    Window()\nexcept Fault as fault:\n    print(fault)\n"
    )
    run = subprocess.run(
        [sys.executable, "-c", code], env={"PATH": "/usr/bin"}, capture_output=True, text=True, timeout=PATIENCE_S
    )
    assert run.stderr == ""
    assert run.stdout.startswith("no display: ")
    assert run.stdout.endswith("use --headless\n")
    assert run.stdout.count("\n") == 1
