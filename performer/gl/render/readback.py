"""Pixels from the screen to memory, with the interpreter free for other threads meanwhile."""

from __future__ import annotations

import ctypes
from collections import deque
from collections.abc import Callable
from typing import Any

import moderngl
import numpy as np
from _moderngl import DefaultLoader

from performer.gl.render.driver import is_software

_READ_FRAMEBUFFER = 0x8CA8
_PIXEL_PACK_BUFFER = 0x88EB
_PACK_ALIGNMENT = 0x0D05
_RGB = 0x1907
_UNSIGNED_BYTE = 0x1401
_SYNC_GPU_COMMANDS_COMPLETE = 0x9117
_SYNC_FLUSH_COMMANDS_BIT = 1
_TIMEOUT_EXPIRED = 0x911B
_uint = ctypes.c_uint
_int = ctypes.c_int
_long = ctypes.c_ssize_t
_pointer = ctypes.c_void_p

DEPTH = 3  # reads in flight before `start` refuses another


class Readback:
    """Reads pictures back as (H, W, 3) uint8 arrays, top row first (a view with a negative row stride).

    moderngl's own read keeps the interpreter's lock while the picture is finished and copied; these calls let go
    of it. GL thread only, with the context current.
    """

    def __init__(self, ctx: moderngl.Context) -> None:
        load = DefaultLoader().load_opengl_function

        def call(name: str, result: Any, *arguments: Any) -> Callable[..., Any]:
            return ctypes.CFUNCTYPE(result, *arguments)(load(name))

        self._bind_framebuffer = call("glBindFramebuffer", None, _uint, _uint)
        self._bind_buffer = call("glBindBuffer", None, _uint, _uint)
        self._pixel_store = call("glPixelStorei", None, _uint, _int)
        self._read_pixels = call("glReadPixels", None, _int, _int, _int, _int, _uint, _uint, _pointer)
        self._fence = call("glFenceSync", _pointer, _uint, _uint)
        self._wait = call("glClientWaitSync", _uint, _pointer, _uint, ctypes.c_uint64)
        self._delete_fence = call("glDeleteSync", None, _pointer)
        self._get_data = call("glGetBufferSubData", None, _uint, _long, _long, _pointer)
        self._ctx = ctx
        self._direct = is_software(ctx)  # pictures are in main memory: cheaper than through a buffer
        self._free: list[moderngl.Buffer] = []
        self._flying: deque[tuple[Any, Any, tuple[int, int], float]] = deque()

    def read(self, source: moderngl.Framebuffer, size: tuple[int, int]) -> np.ndarray:
        """The picture in `source` now; waits until it is drawn."""
        width, height = size
        pixels = np.empty((height, width, 3), np.uint8)
        self._issue(source, size, pixels.ctypes.data)
        return pixels[::-1]

    def start(self, source: moderngl.Framebuffer, size: tuple[int, int], t: float) -> bool:
        """Ask for the picture in `source`, drawn for time t, without waiting. False when DEPTH are under way."""
        if len(self._flying) >= DEPTH:
            return False
        if self._direct:
            self._flying.append((self.read(source, size), None, size, t))
            return True
        need = size[0] * size[1] * 3
        buffer = self._free.pop() if self._free else self._ctx.buffer(reserve=need, dynamic=True)
        if buffer.size != need:
            buffer.orphan(need)
        self._bind_buffer(_PIXEL_PACK_BUFFER, buffer.glo)
        self._issue(source, size, None)
        self._bind_buffer(_PIXEL_PACK_BUFFER, 0)
        self._flying.append((buffer, self._fence(_SYNC_GPU_COMMANDS_COMPLETE, 0), size, t))
        return True

    def take(self, wait: bool = False) -> tuple[np.ndarray, float] | None:
        """The oldest picture asked for and its t; None while it is still on its way.

        Parameters
        ----------
        wait : bool, optional
            For it instead, up to a second.
        """
        if not self._flying:
            return None
        held, fence, (width, height), t = self._flying[0]
        if fence is None:
            self._flying.popleft()
            return held, t
        if self._wait(fence, _SYNC_FLUSH_COMMANDS_BIT, 1_000_000_000 if wait else 0) == _TIMEOUT_EXPIRED:
            return None
        self._flying.popleft()
        self._delete_fence(fence)
        pixels = np.empty((height, width, 3), np.uint8)
        self._bind_buffer(_PIXEL_PACK_BUFFER, held.glo)
        self._get_data(_PIXEL_PACK_BUFFER, 0, pixels.nbytes, pixels.ctypes.data)
        self._bind_buffer(_PIXEL_PACK_BUFFER, 0)
        self._free.append(held)
        return pixels[::-1], t

    def _issue(self, source: moderngl.Framebuffer, size: tuple[int, int], address: int | None) -> None:
        self._bind_framebuffer(_READ_FRAMEBUFFER, source.glo)
        self._pixel_store(_PACK_ALIGNMENT, 1)
        self._read_pixels(0, 0, *size, _RGB, _UNSIGNED_BYTE, address)
