"""A GL 3.3 core context without a display, and a framebuffer in the window's stead."""

from __future__ import annotations

import ctypes
import sys
from typing import Any

import moderngl

from performer.system.errors import Fault
from performer.types.frame import ControlEvent


class Offscreen:
    """An offscreen context; main thread only, or any one thread.

    `ctx` is the moderngl context, `screen` an RGBA8 framebuffer to draw to.

    Parameters
    ----------
    size : tuple[int, int]
        (width, height) in pixels of `screen`.

    Raises
    ------
    Fault
        Where EGL is missing.
    """

    def __init__(self, size: tuple[int, int]) -> None:
        self.ctx = _context()
        self.size = size
        self.screen = self.ctx.framebuffer([self.ctx.texture(size, 4)])

    fullscreen = False

    def set_fullscreen(self, on: bool) -> None:
        """There is no screen to fill."""

    def poll(self) -> tuple[ControlEvent, ...]:
        """No keys here."""
        return ()

    def swap(self) -> None:
        """Nobody looks: the picture stays in `screen`."""

    def close(self) -> None:
        """Release the context and all that lives in it."""
        _let_go()
        self.ctx.release()


def _let_go() -> None:
    """Make no context current: a destroyed one that still is would keep this thread from any window's."""
    if sys.platform != "linux":
        return
    egl = ctypes.CDLL("libEGL.so.1")
    egl.eglGetCurrentDisplay.restype = ctypes.c_void_p
    egl.eglMakeCurrent.argtypes = [ctypes.c_void_p] * 4
    display = egl.eglGetCurrentDisplay()
    if display:
        egl.eglMakeCurrent(display, None, None, None)


def _context() -> moderngl.Context:
    options: dict[str, Any] = {"backend": "egl"} if sys.platform == "linux" else {}
    try:
        return moderngl.create_standalone_context(require=330, **options)
    except Exception as error:
        reason = str(error).strip().splitlines()
        raise Fault(
            f"no OpenGL 3.3 without a display: {reason[0] if reason else 'EGL did not start'}; "
            "on Debian: apt-get install libegl1 libgl1-mesa-dri"
        ) from None
