"""Framebuffers to draw to, lent and taken back, so that a frame allocates none."""

from __future__ import annotations

import moderngl

IDLE_FRAMES = 240  # a target that nobody borrowed for so long is released


class Target:
    """A texture and the framebuffer that draws to it.

    size      (width, height) in pixels
    floating  four 32-bit floats per pixel instead of four bytes
    kept      belongs to a node for good: giving it to the pool does nothing
    """

    __slots__ = ("fbo", "floating", "kept", "key", "size", "texture", "used")

    def __init__(self, ctx: moderngl.Context, size: tuple[int, int], floating: bool) -> None:
        self.size, self.floating, self.key, self.used = size, floating, (size, floating), 0
        self.kept = False
        self.texture = ctx.texture(size, 4, dtype="f4" if floating else "f1")
        self.texture.filter = (moderngl.LINEAR, moderngl.LINEAR)
        self.texture.repeat_x = self.texture.repeat_y = False
        self.fbo = ctx.framebuffer([self.texture])
        self.fbo.clear()

    def release(self) -> None:
        self.fbo.release()
        self.texture.release()


class Pool:
    """Lends targets; what is drawn to one is undefined after it was given back."""

    def __init__(self, ctx: moderngl.Context) -> None:
        self.ctx = ctx
        self._free: dict[tuple[tuple[int, int], bool], list[Target]] = {}
        self._frame = 0

    def take(self, size: tuple[int, int], floating: bool = False) -> Target:
        free = self._free.get((size, floating))
        return free.pop() if free else Target(self.ctx, size, floating)

    def give(self, target: Target) -> None:
        if target.kept:
            return
        target.used = self._frame
        self._free.setdefault(target.key, []).append(target)

    def step(self) -> None:
        """A frame is over: release what has been idle for long, as after a change of size."""
        self._frame += 1
        if self._frame % IDLE_FRAMES:
            return
        for key, free in list(self._free.items()):
            for target in [t for t in free if self._frame - t.used > IDLE_FRAMES]:
                free.remove(target)
                target.release()
            if not free:
                del self._free[key]

    def release(self) -> None:
        for free in self._free.values():
            for target in free:
                target.release()
        self._free.clear()
