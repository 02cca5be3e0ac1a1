"""A live show without a window, and the pictures it draws."""

import time

import numpy as np
import pytest
from PIL import ImageGrab

from parts.patience import PATIENCE_S
from performer.gl.render.readback import Readback
from performer.rig.live.rig import Rig
from performer.rig.options import PlayOptions
from performer.system import folders

SIZE = (320, 180)


def headless(**more) -> PlayOptions:
    return PlayOptions(**{"input": "demo", "midi": "off", "size": SIZE, "headless": True, "fps": 30.0, **more})


def play_until(rig: Rig, done) -> bool:
    """Draw pictures until done() or patience ends."""
    ends = time.monotonic() + PATIENCE_S
    while time.monotonic() < ends:
        rig.loop.picture()
        if done():
            return True
    return False


def play_for(rig: Rig, seconds: float) -> None:
    """Draw pictures for so long, and at least ten for every second, however busy the machine is."""
    ends, frames = rig.now() + seconds, 0
    while rig.now() < ends or frames < 10 * seconds:
        rig.loop.picture()
        frames += 1


def pixels(rig: Rig) -> np.ndarray:
    return Readback(rig.surface.ctx).read(rig.surface.screen, SIZE).copy()


@pytest.fixture
def user_folder(tmp_path, monkeypatch):
    """A user's data folder of its own, with a shader and a preset that uses it."""
    folder = tmp_path / "user"
    for kind in ("shaders", "presets", "models"):
        (folder / kind).mkdir(parents=True)
    (folder / "shaders" / "flat.fs").write_text(FLAT.replace("COLOUR", "vec4(1.0, 0.0, 0.0, 1.0)"))
    (folder / "presets" / "flat.toml").write_text('order = 0\n[[layer]]\nshader = "flat"\n')
    monkeypatch.setattr(folders, "data", lambda: folder)
    return folder


FLAT = '/*{"ISFVSN": "2", "INPUTS": []}*/\nvoid main() {\n  gl_FragColor = COLOUR;\n}\n'


def screenshot(display: str) -> np.ndarray:
    return np.asarray(ImageGrab.grab(xdisplay=display).convert("RGB"))
