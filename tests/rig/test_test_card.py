"""The test card: every edge is there, circles are round, bars have their colours, each picture is another one."""

import subprocess
import sys
from itertools import pairwise

import numpy as np
import pytest
from parts.display import SCREEN, press
from parts.live import screenshot
from parts.patience import PATIENCE_S

from performer.gl.hud.test_card import CELLS, Card
from performer.gl.window.offscreen import Offscreen
from performer.gl.window.window import Window
from performer.rig import test_card
from performer.rig.options import PlayOptions

BARS = [(1, 1, 1), (1, 1, 0), (0, 1, 1), (0, 1, 0), (1, 0, 1), (1, 0, 0), (0, 0, 1), (0, 0, 0)]


def drawn(size, number=1, lines=()) -> np.ndarray:
    """(H, W, 3) uint8, top row first."""
    surface = Offscreen(size)
    Card(surface.ctx).draw(surface.screen, size, number, lines)
    made = np.frombuffer(surface.screen.read(components=3, alignment=1), np.uint8).reshape(size[1], size[0], 3)[::-1]
    surface.close()
    return made


@pytest.mark.parametrize("size", [(1280, 720), (1024, 768), (1921, 1081), (600, 800)])
def test_edges_circles_and_bars_are_where_they_should_be(size):
    (width, height), picture = size, drawn(size)
    for rim in (picture[0], picture[-1], picture[:, 0], picture[:, -1]):
        assert (rim == 255).all(), "the outermost pixels"
    assert (picture[1, 2 : width // 8] < 255).any()
    cell, middle = min(size) // CELLS, (width / 2, height / 2)
    white = picture.min(axis=2) == 255
    for angle in np.radians([0, 25, 90, 155, 180, 205, 270, 335]):  # not where the strips are
        radii = np.arange(4.9, 6.1, 0.25 / cell) * cell
        x = (middle[0] + radii * np.cos(angle)).astype(int)
        y = (middle[1] + radii * np.sin(angle)).astype(int)
        inside = (x > 1) & (x < width - 2) & (y > 1) & (y < height - 2)
        found = radii[inside][white[y[inside], x[inside]]]
        if inside.all():
            assert len(found) and found.mean() == pytest.approx(5.5 * cell, abs=1.5), np.degrees(angle)
    for place, bar in enumerate(BARS):
        shown = picture[int(middle[1] + 1.75 * cell), int(middle[0] + (place - 3.5) * cell)]
        assert shown.tolist() == pytest.approx([191 * part for part in bar], abs=1)
    ramp = picture[int(middle[1] + 2.9 * cell), int(middle[0] - 3.9 * cell) : int(middle[0] + 3.9 * cell), 0]
    assert sorted(set(ramp.tolist())) == pytest.approx(np.linspace(0, 255, 11), abs=1)
    assert (np.diff(ramp.astype(int)) >= 0).all()


def test_lines_of_one_pixel_are_one_pixel_wide():
    picture = drawn((1280, 720))[:, :, 0].astype(int)
    top, left = 720 // 2 - 4 * 60 + 20, 1280 // 2 - 4 * 60
    upright, level = picture[top : top + 20, left + 20 : left + 100], picture[top : top + 20, left + 140 : left + 220]
    assert (np.abs(np.diff(upright, axis=1)) == 255).all() and (np.diff(upright, axis=0) == 0).all()
    assert (np.abs(np.diff(level, axis=0)) == 255).all() and (np.diff(level, axis=1) == 0).all()


def test_each_picture_is_another_one_and_text_is_in_the_middle():
    pictures = [drawn((640, 360), number) for number in range(12)]
    assert all((one != other).any() for one, other in pairwise(pictures))
    plain, told = drawn((640, 360)), drawn((640, 360), lines=["Beamer 2000", "640 x 360 pixels, 60 Hz"])
    changed = np.argwhere((plain != told).any(axis=2))
    low, high = changed.min(axis=0), changed.max(axis=0)
    assert len(changed) > 200 and (low > [180 - 90, 320 - 120]).all() and (high < [180 + 30, 320 + 120]).all()
    long = drawn((640, 360), lines=["a name that is much too long for the card, and then some more of it " * 4])
    assert np.argwhere((plain != long).any(axis=2)).max(axis=0)[1] < 320 + 120


def test_the_command_draws_it_without_a_display_and_ends():
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "performer",
            "play",
            "--test-card",
            "--headless",
            "--seconds",
            "0.5",
            "--size",
            "320x240",
        ],
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_it_fills_the_screen_and_two_escapes_end_it(xvfb, monkeypatch):
    seen, polls = [], []
    poll = Window.poll

    def looked(window):
        polls.append(window.fullscreen)
        if len(polls) == 30:
            seen.append(screenshot(xvfb))
            press("Escape", "Escape")
        return poll(window)

    monkeypatch.setattr(Window, "poll", looked)
    assert test_card.show(PlayOptions(fullscreen=True, seconds=120.0)) >= 29
    assert polls[29] and len(polls) < 5000
    assert seen[0].shape[:2] == (SCREEN[1], SCREEN[0]) and (seen[0][0] == 255).all() and (seen[0][:, -1] == 255).all()
