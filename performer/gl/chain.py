"""A node of a chain: one ISF shader with its passes and buffers, drawn once a frame."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import moderngl

from performer.frame import Value
from performer.gl.compose import Compose
from performer.gl.program import Program
from performer.gl.targets import Pool, Target
from performer.isf import Pass
from performer.isf.glsl import renamed


@dataclass(slots=True)
class Moment:
    """What the standard variables of ISF say in this frame.

    size      (width, height) of the picture in pixels
    time, dt  seconds since the scene started, and since the last frame
    date      year, month, day, seconds of the day
    """

    size: tuple[int, int] = (1, 1)
    time: float = 0.0
    dt: float = 0.0
    date: tuple[float, float, float, float] = (2000.0, 1.0, 1.0, 0.0)


class _Buffer:
    """A persistent target and the twin that the next pass draws to."""

    __slots__ = ("back", "front")

    def __init__(self, front: Target, back: Target) -> None:
        self.front, self.back = front, back

    def release(self) -> None:
        self.front.release()
        self.back.release()


class Node:
    """One shader in a chain, with the buffers that only it has; the program may be shared.

    prefix  its parameters' addresses are `prefix.input`
    """

    def __init__(self, ctx: moderngl.Context, pool: Pool, compose: Compose, program: Program, prefix: str,
                 black: moderngl.Texture) -> None:
        self.ctx, self.pool, self.compose, self.prefix, self.black = ctx, pool, compose, prefix, black
        self.frames = 0
        self._bound: Mapping[str, moderngl.Texture] = {}
        self._kept: dict[str, _Buffer] = {}
        self._counts: dict[str, float] = {}
        self._values: dict[str, Value] = {}
        self.adopt(program)

    def adopt(self, program: Program) -> None:
        """Draw with another program from now on; buffers of the same name and kind keep what they hold."""
        self.program = program
        spec = program.spec
        self._knobs = [(renamed(p.name), f"{self.prefix}.{p.name}", p.name, p.kind, p.default) for p in spec.inputs]
        lasting = {p.target: p.floating for p in spec.passes if p.target and p.persistent}
        for name in [n for n, buffer in self._kept.items() if lasting.get(n) != buffer.front.floating]:
            self._kept.pop(name).release()
        self._sizes: dict[int, tuple[int, int]] = {}
        self._shaped: tuple[tuple[int, int], tuple[Value, ...]] | None = None
        self._size_names = sorted({name for p in spec.passes for name in p.names})
        last = len(spec.passes) - 1
        self._passes = [(i, p) for i, p in enumerate(spec.passes) if p.target or i == last]

    def draw(self, moment: Moment, params: Mapping[str, Value], textures: Mapping[str, moderngl.Texture],
             into: moderngl.Framebuffer | None = None) -> Target | None:
        """Draw all passes.

        params    address -> value; an input that is missing has its default
        textures  what its image, sound and imported inputs show, by name
        into      draw the picture there, if its last pass allows; as large as the moment says
        Returns the picture, which the caller gives back to the pool, or None when it was drawn to `into`.
        """
        program = self.program
        values = self._turn(params)
        self._bound = textures
        program.set("TIME", moment.time)
        program.set("TIMEDELTA", moment.dt if self.frames else 0.0)
        program.set("DATE", moment.date)
        program.set("FRAMEINDEX", self.frames)
        self._shape(moment.size, values)
        lent: dict[str, Target] = {}
        self._bind(lent)
        result: Target | None = None
        for index, one in self._passes:
            size = self._sizes[index]
            program.set("PASSINDEX", index)
            program.set("RENDERSIZE", (float(size[0]), float(size[1])))
            if one.target is None:
                if into is not None and size == moment.size:
                    self._render(into)
                    result = None
                else:
                    result = self.pool.take(size)
                    self._render(result.fbo)
            else:
                result = self._render_buffer(one, size, lent)
        for target in lent.values():
            if target is not result:
                self.pool.give(target)
        self.frames += 1
        return result

    def _turn(self, params: Mapping[str, Value]) -> dict[str, Value]:
        """Set the inputs' uniforms; returns name -> value."""
        values: dict[str, Value] = self._values
        turn = self.program.set
        for uniform, address, name, kind, default in self._knobs:
            value = params.get(address, default)
            values[name] = value
            if kind == "bool":
                turn(uniform, value >= 0.5)  # type: ignore[operator]
            elif kind == "long":
                turn(uniform, int(value))  # type: ignore[arg-type]
            elif kind == "event":
                # The value counts triggers: true in the one frame in which it has grown.
                turn(uniform, value > self._counts.get(name, value))  # type: ignore[operator]
                self._counts[name] = value  # type: ignore[assignment]
            else:
                turn(uniform, value)
        return values

    def _render(self, fbo: moderngl.Framebuffer) -> None:
        fbo.use()
        if self.program.corners:
            fbo.clear()  # the author's corners need not cover everything
        self.program.render()

    def _render_buffer(self, one: Pass, size: tuple[int, int], lent: dict[str, Target]) -> Target:
        """A pass to a buffer: never to the texture it may be reading."""
        name = one.target
        assert name is not None
        if one.persistent:
            buffer = self._kept[name]
            self._render(buffer.back.fbo)
            buffer.front, buffer.back = buffer.back, buffer.front
            drawn = buffer.front
        else:
            drawn = self.pool.take(size, one.floating)
            self._render(drawn.fbo)
            before = lent.get(name)
            if before is not None:
                self.pool.give(before)
            lent[name] = drawn
        unit = self.program.units.get(name)
        if unit is not None:
            drawn.texture.use(unit)
        return drawn

    def _shape(self, full: tuple[int, int], values: Mapping[str, Value]) -> None:
        """Settle the sizes of all passes, where what they depend on has changed, and those of lasting buffers.

        All before the first pass: then every pass sees textures of the same kinds, which drivers compile for.
        """
        now = tuple([values[name] for name in self._size_names])
        if self._shaped == (full, now):
            return
        self._shaped = (full, now)
        numbers = {name: float(values[name]) for name in self._size_names}  # type: ignore[arg-type]
        for index, one in self._passes:
            size = self._sizes[index] = one.size(full, numbers)
            if one.target is None or not one.persistent:
                continue
            buffer = self._kept.get(one.target)
            if buffer is None or buffer.front.size != size:
                self._kept[one.target] = self._resized(buffer, size, one.floating)

    def _resized(self, old: _Buffer | None, size: tuple[int, int], floating: bool) -> _Buffer:
        new = _Buffer(Target(self.ctx, size, floating), Target(self.ctx, size, floating))
        new.front.kept = new.back.kept = True
        if old is not None:
            self.compose.copy(old.front.texture, new.front.fbo)
            old.release()
        return new

    def _bind(self, lent: Mapping[str, Target]) -> None:
        for name, unit in self.program.units.items():
            texture = self._bound.get(name)
            if texture is None:
                kept, borrowed = self._kept.get(name), lent.get(name)
                texture = (kept.front.texture if kept is not None else
                           borrowed.texture if borrowed is not None else self.black)
            texture.use(unit)

    def release(self) -> None:
        for buffer in self._kept.values():
            buffer.release()
        self._kept.clear()
