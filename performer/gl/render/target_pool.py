"""Framebuffers to draw to, lent and taken back, so that a frame allocates none."""

from __future__ import annotations

from enum import Enum

import moderngl

IDLE_FRAMES = 240  # a target that nobody borrowed for so long is released


class Alpha(Enum):
    """What a picture's fourth channel says of the other three."""

    OPAQUE = "opaque"  # it is 1 everywhere
    PREMULTIPLIED = "premultiplied"  # colours are multiplied by it already, so that filtering needs no care
    STRAIGHT = "straight"  # they are not: what ISF shaders read and write


class Target:
    """A texture and the framebuffer that draws to it.

    Parameters
    ----------
    size : tuple[int, int]
        (width, height) in pixels.
    dtype : str
        Dtype of its four channels, as moderngl says it: "f1" bytes, "nu2" 16-bit 0..1, "f2" and "f4" floats.
    kept : bool, optional
        Belongs to a node or a layer for good: giving it to the pool does nothing.

    Attributes
    ----------
    alpha
        Alpha of the picture it holds; whoever draws one says it.
    """

    __slots__ = ("alpha", "dtype", "fbo", "kept", "key", "size", "texture", "used")

    def __init__(self, ctx: moderngl.Context, size: tuple[int, int], dtype: str, kept: bool = False) -> None:
        self.size = size
        self.dtype = dtype
        self.key = (size, dtype)
        self.used = 0
        self.kept = kept
        self.alpha = Alpha.OPAQUE
        self.texture = ctx.texture(size, 4, dtype=dtype)
        self.texture.filter = (moderngl.LINEAR, moderngl.LINEAR)
        self.texture.repeat_x = self.texture.repeat_y = False
        self.fbo = ctx.framebuffer([self.texture])
        self.fbo.clear()

    def release(self) -> None:
        self.fbo.release()
        self.texture.release()


class Pool:
    """Lends targets; what is drawn to one is undefined after it was given back.

    Parameters
    ----------
    deep : bool, optional
        Pictures are 16-bit floats that may be brighter than white, buffers 16 bits, so that feedback neither bands nor
        leaves ghosts; else both are bytes, which costs half where the processor draws.
    """

    def __init__(self, ctx: moderngl.Context, deep: bool = True) -> None:
        self.ctx = ctx
        self.deep = deep
        self.picture = "f2" if deep else "f1"
        self._free: dict[tuple[tuple[int, int], str], list[Target]] = {}
        self._lent: set[Target] = set()
        self._frame = 0

    def buffer(self, floating: bool) -> str:
        """What a pass to a buffer is kept as: 32-bit floats where its author wants floats, else 0..1."""
        return "f4" if floating else "nu2" if self.deep else "f1"

    def take(self, size: tuple[int, int], dtype: str | None = None) -> Target:
        """A target for a picture, or of another kind."""
        dtype = dtype or self.picture
        free = self._free.get((size, dtype))
        target = free.pop() if free else Target(self.ctx, size, dtype)
        self._lent.add(target)
        return target

    def give(self, target: Target) -> None:
        if target.kept:
            return
        self._lent.discard(target)
        target.used = self._frame
        self._free.setdefault(target.key, []).append(target)

    def give_all(self) -> None:
        """Take back whatever is lent: a frame broke off, and nobody uses it any more."""
        for target in list(self._lent):
            self.give(target)

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
        self.give_all()
        for free in self._free.values():
            for target in free:
                target.release()
        self._free.clear()
