"""A display of its own for tests: Xvfb, and the keys of a keyboard sent with xdotool."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator

import pytest

from parts.patience import PATIENCE_S

SCREEN = (1600, 900)


@pytest.fixture(scope="module")
def xvfb() -> Iterator[str]:
    """An X display without a window manager; DISPLAY names it while the module's tests run."""
    if not shutil.which("Xvfb") or not shutil.which("xdotool"):
        pytest.skip("needs Xvfb and xdotool: apt-get install xvfb xdotool")
    read, write = os.pipe()
    server = subprocess.Popen(
        ["Xvfb", "-displayfd", str(write), "-screen", "0", f"{SCREEN[0]}x{SCREEN[1]}x24", "-nolisten", "tcp"],
        pass_fds=(write,),
        stderr=subprocess.DEVNULL,
    )
    os.close(write)
    with os.fdopen(read) as pipe:
        number = pipe.readline().strip()
    if not number:
        pytest.skip("Xvfb did not start")
    before = {name: os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY")}
    os.environ["DISPLAY"] = f":{number}"
    os.environ.pop("WAYLAND_DISPLAY", None)
    yield os.environ["DISPLAY"]
    import glfw

    glfw.terminate()  # before its server goes: a later test starts it afresh on another
    for name, value in before.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value
    server.terminate()
    server.wait(PATIENCE_S)


def press(*keys: str) -> None:
    """Press and release keys by their X names, in the window that has the focus."""
    subprocess.run(["xdotool", "key", "--delay", "15", *keys], check=True, timeout=PATIENCE_S)
