"""A copy of the screen, read back without waiting, for whoever looks from elsewhere."""

from __future__ import annotations

import ctypes

import moderngl
import numpy as np
from _moderngl import DefaultLoader

from performer.gl.render.driver import is_software
from performer.gl.render.readback import Readback
from performer.gl.render.target_pool import Target

_READ = 0x8CA8
_DRAW = 0x8CA9
_COLOR = 0x4000
_LINEAR = 0x2601
HALF_AT = 2.2  # the screen this many times as wide is halved first: one step would leave out pixels


class Glimpse:
    """Pictures of the screen. GL thread only, with the context current.

    A graphics card makes them `width` pixels wide, so that little has to be fetched. Where the processor draws they
    stay as large as the screen: shrinking there takes 13 ms, fetching all of 1280x720 less than one.
    """

    def __init__(self, ctx: moderngl.Context, width: int) -> None:
        load = DefaultLoader().load_opengl_function
        self._bind = ctypes.CFUNCTYPE(None, ctypes.c_uint, ctypes.c_uint)(load("glBindFramebuffer"))
        corners = [ctypes.c_int] * 8
        self._blit = ctypes.CFUNCTYPE(None, *corners, ctypes.c_uint, ctypes.c_uint)(load("glBlitFramebuffer"))
        self._ctx = ctx
        self._width = width
        self._readback = Readback(ctx)
        self._steps: list[Target] = []
        self._whole = is_software(ctx)

    def start(self, screen: moderngl.Framebuffer, size: tuple[int, int], t: float) -> None:
        """Ask for the picture on the screen now; `size`, of the screen."""
        sizes = [] if self._whole else self._sizes(size)
        if [step.size for step in self._steps] != sizes:
            self.release()
            self._steps = [Target(self._ctx, small, "f1") for small in sizes]
        source = screen
        before = size
        for step in self._steps:
            self._bind(_READ, source.glo)
            self._bind(_DRAW, step.fbo.glo)
            self._blit(0, 0, *before, 0, 0, *step.size, _COLOR, _LINEAR)
            source = step.fbo
            before = step.size
        screen.use()
        self._readback.start(source, before, t)

    def take(self) -> np.ndarray | None:
        """The newest picture that is there, (H, W, 3) uint8, top row first; None until another one is."""
        newest = None
        while (read := self._readback.take()) is not None:
            newest = read[0]
        return newest

    def _sizes(self, size: tuple[int, int]) -> list[tuple[int, int]]:
        """By halves to the wished width, so that every pixel counts."""
        width, height = size
        sizes = []
        while width > HALF_AT * self._width:
            width = width // 2
            height = max(1, height // 2)
            sizes.append((width, height))
        wide = min(self._width, width)
        return [*sizes, (wide, max(2, round(wide * size[1] / size[0])))]

    def release(self) -> None:
        """Free its targets."""
        for step in self._steps:
            step.release()
        self._steps = []
