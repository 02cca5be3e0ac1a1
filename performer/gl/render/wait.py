"""Waiting for the graphics driver without holding the interpreter: other threads run meanwhile.

moderngl's own finish and read keep the GIL while the driver works; a call through ctypes gives it back.
"""

from __future__ import annotations

import ctypes
import ctypes.util
import sys
from collections.abc import Callable

import moderngl

from performer.gl.render.driver import is_software
from performer.system.errors import Fault


def _library() -> ctypes.CDLL:
    if sys.platform == "win32":
        return ctypes.WinDLL("opengl32")
    if sys.platform == "darwin":
        return ctypes.CDLL("/System/Library/Frameworks/OpenGL.framework/OpenGL")
    for name in ("libOpenGL.so.0", "libGL.so.1", ctypes.util.find_library("GL"), "libGLESv2.so.2"):
        try:
            return ctypes.CDLL(name or "")
        except OSError:
            continue
    raise Fault("no OpenGL library found; on Debian: apt-get install libgl1 libopengl0")


def _function(name: str) -> Callable[[], None]:
    global _gl
    if _gl is None:
        _gl = _library()
    function = getattr(_gl, name)
    function.restype = None
    function.argtypes = ()
    return function  # type: ignore[no-any-return]


_gl: ctypes.CDLL | None = None
_flush: Callable[[], None] | None = None
_finish: Callable[[], None] | None = None


def flush() -> None:
    """Hand everything drawn so far to the driver; does not wait."""
    global _flush
    if _flush is None:
        _flush = _function("glFlush")
    _flush()


def finish() -> None:
    """Wait until everything drawn so far is done, with the GIL free. Needs the current thread's context."""
    global _finish
    if _finish is None:
        _finish = _function("glFinish")
    flush()
    _finish()


def nothing() -> None:
    """What there is to wait for after a pass on a graphics card."""


def after_pass(ctx: moderngl.Context) -> Callable[[], None]:
    """What to call after each pass.

    A software renderer draws on the processor and makes the next call wait for it, which moderngl does with the GIL
    held: 100 ms late at p99 for an audio thread, against 10 ms when each pass is waited for here. A card gets no call.
    """
    return finish if is_software(ctx) else nothing
