"""Screens that are unplugged and come back, on a real X server whose outputs can be switched: Xorg's dummy driver."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from parts.patience import PATIENCE_S

from performer.rig.live import last_screen
from performer.rig.options import PlayOptions

CONFIG = """
Section "Device"
  Identifier "card"
  Driver "dummy"
  VideoRam 64000
EndSection
Section "Monitor"
  Identifier "any"
  HorizSync 5.0-1000.0
  VertRefresh 5.0-200.0
EndSection
Section "Screen"
  Identifier "screen"
  Device "card"
  Monitor "any"
  DefaultDepth 24
  SubSection "Display"
    Depth 24
    Modes "640x480"
    Virtual 1280 480
  EndSubSection
EndSection
Section "ServerFlags"
  Option "AutoAddDevices" "false"
EndSection
"""

PLAY = """
import subprocess, time
from performer.gl.window.window import Window, glfw

def xrandr(*words):
    subprocess.run(["xrandr", *words], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

def plug(name, x):
    subprocess.run(["xrandr", "--addmode", name, "640x480"], stderr=subprocess.DEVNULL)
    xrandr("--output", name, "--mode", "640x480", "--pos", f"{x}x0")
    xrandr()  # the server looks what is connected

def unplug(name):
    xrandr("--output", name, "--off")

def where(window, true):
    "Looks as the show does, until it is so."
    end, seen = time.monotonic() + 100.0, []
    while time.monotonic() < end:
        seen += [event.address for event in window.poll()]
        window.swap()
        if true():
            break
        time.sleep(0.01)
    at = glfw.get_window_pos(window._handle), glfw.get_window_size(window._handle)
    print(window.fullscreen, *at, seen, sep=";", flush=True)

plug("DUMMY0", 0)
"""


@pytest.fixture(scope="module")
def xorg(tmp_path_factory) -> Iterator[str]:
    """A display with outputs DUMMY0, DUMMY1 ..."""
    if not all(map(shutil.which, ("Xorg", "xrandr"))) or not list(Path("/usr/lib/xorg").rglob("dummy_drv.so")):
        pytest.skip("needs Xorg's dummy driver: apt-get install xserver-xorg-video-dummy x11-xserver-utils")
    folder = tmp_path_factory.mktemp("xorg")
    (folder / "xorg.conf").write_text(CONFIG)
    read, write = os.pipe()
    server = subprocess.Popen(
        [
            "Xorg",
            "-displayfd",
            str(write),
            "-config",
            str(folder / "xorg.conf"),
            "-logfile",
            str(folder / "log"),
            "-noreset",
            "-nolisten",
            "tcp",
            "-sharevts",
            "-novtswitch",
        ],
        pass_fds=(write,),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    os.close(write)
    with os.fdopen(read) as pipe:
        number = pipe.readline().strip()
    if not number:
        server.wait(PATIENCE_S)
        pytest.skip("Xorg may not start here")
    yield f":{number}"
    server.terminate()
    server.wait(PATIENCE_S)


def play(display: str, *lines: str) -> list[tuple[bool, tuple[int, int], tuple[int, int], list[str]]]:
    """What `where` said, line by line: full screen, place, size, events."""
    env = {name: value for name, value in os.environ.items() if name != "WAYLAND_DISPLAY"} | {"DISPLAY": display}
    done = subprocess.run(
        [sys.executable, "-c", PLAY + "\n".join(lines)],
        env=env,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        cwd=Path(__file__).resolve().parents[2],
    )
    assert done.returncode == 0, done.stderr
    return [tuple(map(read_back, line.split(";"))) for line in done.stdout.splitlines()]  # type: ignore[misc]


def read_back(text: str) -> object:
    import ast

    return ast.literal_eval(text)


def test_a_show_comes_back_on_the_screen_it_was_on(xorg, tmp_path):
    start = f"""
import platformdirs
platformdirs.user_config_dir = lambda *args, **more: {str(tmp_path)!r}
from performer.rig.live import rig as app
from performer.rig.live import last_screen, loop
from performer.content.library import Library
from performer.rig.options import PlayOptions

Library.in_order = lambda self: [self.presets["aurora"]]  # others need not be made ready

def show(gesture="", **more):
    def picture(self, before=loop.LiveLoop.picture):
        before(self)
        window = self.surface
        if gesture and self.stats.frames > 1:
            exec(gesture)
            self.leave()
        elif self.stats.frames > 3:
            self.leave()
        show.seen = window.fullscreen, glfw.get_window_pos(window._handle), glfw.get_window_size(window._handle), []
    kept, loop.LiveLoop.picture = loop.LiveLoop.picture, picture
    try:
        app.play(PlayOptions(preset="aurora", input="demo", midi="off", size=(320, 180), **more))
    finally:
        loop.LiveLoop.picture = kept
    print(*show.seen, sep=";", flush=True)
"""
    both, lone = 'plug("DUMMY1", 640)', 'unplug("DUMMY1")'
    first, again, named = play(
        xorg, start, both, 'show(monitor="DUMMY1", fullscreen=True)', "show()", 'show(monitor="DUMMY0")', lone
    )
    (absent,) = play(xorg, start, 'last_screen.remember("DUMMY1", True)', "show()")
    back, moved = play(
        xorg,
        start,
        both,
        'last_screen.remember("DUMMY1", True)',
        'show("window.set_fullscreen(False); glfw.set_window_pos(window._handle, 100, 100)")',
        "show()",
        lone,
    )
    filled = (True, (640, 0), (640, 480), [])
    assert first == again == filled
    assert named[0] is False and named[1][0] < 640, "who names a screen gets it"
    assert absent[0] is False and absent[2] == (320, 180), "one that is not there is not waited for"
    assert back[2] == (320, 180) and moved[0] is False and moved[1][0] < 640, "it was moved to the other by hand"


def test_what_says_no_screen_is_one_line(tmp_path, monkeypatch, caplog):
    monkeypatch.setattr(last_screen, "screen_path", lambda: tmp_path / "screen.toml")
    options = PlayOptions()
    assert last_screen.recalled(options, ["A", "B"]) is options and caplog.text == ""
    last_screen.remember("B", True)
    assert last_screen.recalled(options, ["A", "B"]) == replace(options, monitor="1", fullscreen=True)
    assert last_screen.recalled(replace(options, fullscreen=True), ["A", "B"]).monitor == "1"
    for names in (["A"], ["B", "A"], ["A", "B", "B"], []):
        assert last_screen.recalled(options, names) is options
    for text in ("monitor = 3\nfullscreen = true", "monitor = 'B'", "[[", "monitor = 'B'\nfullscreen = 'yes'"):
        (tmp_path / "screen.toml").write_text(text)
        caplog.clear()
        assert last_screen.recalled(options, ["A", "B"]) is options and len(caplog.records) == 1


def test_a_projector_that_goes_and_comes_back_is_filled_again(xorg):
    full, lone, again, gone, back = play(
        xorg,
        'plug("DUMMY1", 640)',
        'window = Window((320, 180), "DUMMY1", True, vsync=False)',
        "where(window, lambda: window.fullscreen)",
        'unplug("DUMMY1")',
        "where(window, lambda: not window.fullscreen)",
        'plug("DUMMY1", 640)',
        "where(window, lambda: window.fullscreen)",
        'unplug("DUMMY1")',
        "where(window, lambda: not window.fullscreen)",
        'plug("DUMMY1", 640)',
        "where(window, lambda: window.fullscreen)",
        'unplug("DUMMY1")',
    )
    for filled in (full, again, back):
        assert filled[:3] == (True, (640, 0), (640, 480))
    for left in (lone, gone):
        assert left[0] is False and left[2] == (320, 180) and left[1] == (160, 150), "in the middle of what is left"
    assert "app.screen" in again[3] and "app.screen" in back[3] and "app.screen" not in full[3]


def test_the_only_screen_goes_and_comes_back(xorg):
    full, gone, back = play(
        xorg,
        "window = Window((320, 180), None, True, vsync=False)",
        "where(window, lambda: window.fullscreen)",
        'unplug("DUMMY0")',
        "where(window, lambda: not glfw.get_monitors() and not window.fullscreen)",
        'plug("DUMMY0", 0)',
        "where(window, lambda: window.fullscreen)",
    )
    assert full[:3] == back[:3] == (True, (0, 0), (640, 480))
    assert gone[0] is False


def test_who_left_full_screen_is_not_put_back_into_it_and_stays_in_sight(xorg):
    window, left, later = play(
        xorg,
        'plug("DUMMY1", 640)',
        'window = Window((320, 180), "DUMMY1", True, vsync=False)',
        "window.set_fullscreen(False)",
        "where(window, lambda: not window.fullscreen)",
        'unplug("DUMMY1")',
        "where(window, lambda: glfw.get_window_pos(window._handle)[0] < 640)",
        'plug("DUMMY1", 640)',
        "where(window, lambda: len(glfw.get_monitors()) == 2)",
        'unplug("DUMMY1")',
    )
    assert window[0] is left[0] is later[0] is False
    assert window[1][0] >= 640 and left[1] == later[1] == (160, 150)
