"""A node of a chain: one ISF shader with its passes and buffers, drawn once a frame."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import moderngl

from performer.content.shaders import Pass
from performer.content.shaders.glsl import renamed
from performer.content.shaders.signals import Signals
from performer.gl.render.compose import Compose
from performer.gl.render.pass_timer import Timer
from performer.gl.render.program import PassProgram, Program
from performer.gl.render.target_pool import Pool, Target
from performer.types.frame import EMPTY
from performer.types.params import Value

#: Scales of one shader's own resolution, tried in turn where it alone is too slow; 0.0: it is left out.
EASING = (1.0, 0.5, 0.25, 0.0)


@dataclass(slots=True)
class Moment:
    """What the standard variables of ISF say in this frame.

    Attributes
    ----------
    size : tuple[int, int]
        (width, height) of the picture in pixels.
    time, dt : float
        Seconds since the scene started, and since the last frame.
    date : tuple[float, float, float, float]
        Year, month, day, seconds of the day.
    bpm : float
        Beats per minute of the music, 0 where it is not known.
    beat : float
        Beats since it began.
    """

    size: tuple[int, int] = (1, 1)
    time: float = 0.0
    dt: float = 0.0
    date: tuple[float, float, float, float] = (2000.0, 1.0, 1.0, 0.0)
    bpm: float = 0.0
    beat: float = 0.0


class _Buffer:
    """A persistent target and the twin that the next pass draws to."""

    __slots__ = ("back", "front")

    def __init__(self, front: Target, back: Target) -> None:
        self.front = front
        self.back = back

    def release(self) -> None:
        self.front.release()
        self.back.release()


class Node:
    """One shader in a chain, with the buffers that only it has; the program may be shared.

    Parameters
    ----------
    prefix : str
        Its parameters' addresses are `prefix.input`.
    rest : Mapping[str, Value], optional
        Inputs that nothing moves but hands, and their values: while they stay there, it draws with programs made for
        that; None: it has none.
    settle : bool, optional
        Make such programs now; else it uses those that were made.

    Attributes
    ----------
    scale
        Scale of its passes' resolution, where it is too slow at the picture's own; 0: it is left out.
    """

    def __init__(
        self,
        ctx: moderngl.Context,
        pool: Pool,
        compose: Compose,
        program: Program,
        prefix: str,
        black: moderngl.Texture,
        rest: Mapping[str, Value] | None = None,
        settle: bool = False,
    ) -> None:
        self.ctx = ctx
        self.pool = pool
        self.compose = compose
        self.prefix = prefix
        self.black = black
        self._rest = rest
        self._settle = settle
        self.frames = 0
        self.scale = 1.0
        self._bound: Mapping[str, moderngl.Texture] = {}
        self._kept: dict[str, _Buffer] = {}
        self._counts: dict[str, float] = {}
        self._values: dict[str, Value] = {}
        self._settings: dict[str, Any] = {}
        self._at_rest = False
        self._signals: Signals | None = None
        self.adopt(program)

    def adopt(self, program: Program) -> None:
        """Draw with another program from now on; buffers of the same name and kind keep what they hold."""
        self.program = program
        self._settings.clear()
        self._settled: dict[tuple[int, bool], PassProgram | None] = {}
        spec = program.spec
        if self._signals is None or spec.signals != self._signals.signals:
            self._signals = Signals(spec.signals)
        self._restful = program.settles and self._rest is not None
        rest = self._rest if self._restful and self._rest is not None else EMPTY
        self._knobs = [
            (renamed(p.name), f"{self.prefix}.{p.name}", p.name, p.kind, p.default, rest.get(p.name))
            for p in spec.inputs
        ]
        lasting = {p.target: self.pool.buffer(p.floating) for p in spec.passes if p.target and p.persistent}
        for name in [n for n, buffer in self._kept.items() if lasting.get(n) != buffer.front.dtype]:
            self._kept.pop(name).release()
        self._sizes: dict[int, tuple[int, int]] = {}
        self._shaped: tuple[tuple[int, int], tuple[Value, ...]] | None = None
        self._size_names = sorted({name for p in spec.passes for name in p.names})
        last = len(spec.passes) - 1
        self._passes = [(i, p) for i, p in enumerate(spec.passes) if p.target or i == last]

    def draw(
        self,
        moment: Moment,
        params: Mapping[str, Value],
        textures: Mapping[str, moderngl.Texture],
        into: moderngl.Framebuffer | None = None,
        timer: Timer | None = None,
    ) -> Target | None:
        """Draw all passes.

        Parameters
        ----------
        params : Mapping[str, Value]
            Address -> value; an input that is missing has its default.
        textures : Mapping[str, moderngl.Texture]
            What its image, sound and imported inputs show, by name.
        into : moderngl.Framebuffer, optional
            Draw the picture there, if its last pass allows; as large as the moment says.
        timer : Timer, optional
            Times the passes.

        Returns
        -------
        Target | None
            The picture, which the caller gives back to the pool, or None when it was drawn to `into`.
        """
        values = self._turn(params)
        settings = self._settings
        settings["TIME"], settings["TIMEDELTA"] = moment.time, moment.dt if self.frames else 0.0
        settings["DATE"], settings["FRAMEINDEX"] = moment.date, self.frames
        if self.program.spec.signals:
            self._signal(moment, values)
        self._bound = textures
        self._shape(moment.size, values)
        lent: dict[str, Target] = {}
        result: Target | None = None
        for index, one in self._passes:
            size = self._sizes[index]
            program = self._program(index, size)
            settings["RENDERSIZE"] = (float(size[0]), float(size[1]))
            for name, value in settings.items():
                program.set(name, value)
            self._bind(program, lent)
            if timer is not None:
                timer.begin(self, index)
            if one.target is not None:
                result = self._render_buffer(program, one, size, lent)
            elif into is not None and size == moment.size:
                self._render(program, into)
                result = None
            else:
                result = self.pool.take(size)
                self._render(program, result.fbo)
            if timer is not None:
                timer.end()
        for target in lent.values():
            if target is not result:
                self.pool.give(target)
        self.frames += 1
        return result

    @property
    def eased(self) -> bool:
        """Whether it has given up all it can: a source always draws something."""
        return self.scale <= (EASING[-2] if self.program.spec.kind == "source" else EASING[-1])

    def throttle(self) -> None:
        """Draw at a smaller scale from now on, or not at all."""
        if not self.eased:
            self.scale = EASING[EASING.index(self.scale) + 1]

    def set(self, name: str, value: float) -> None:
        """Set a uniform that is no parameter: a transition's progress."""
        self._settings[name] = value

    def _turn(self, params: Mapping[str, Value]) -> dict[str, Value]:
        """Look up the inputs: as uniforms into `_settings`; returns name -> value."""
        values = self._values
        settings = self._settings
        at_rest = self._restful
        for uniform, address, name, kind, default, rest in self._knobs:
            value = params.get(address, default)
            values[name] = value
            if rest is not None and value != rest:
                at_rest = False
            if kind == "bool":
                settings[uniform] = value >= 0.5  # type: ignore[operator]
            elif kind == "long":
                settings[uniform] = int(value)  # type: ignore[arg-type]
            elif kind == "event":
                # The value counts triggers: true in the one frame in which it has grown.
                settings[uniform] = value > self._counts.get(name, value)  # type: ignore[operator]
                self._counts[name] = value  # type: ignore[assignment]
            else:
                settings[uniform] = value
        self._at_rest = at_rest
        return values

    def _signal(self, moment: Moment, values: Mapping[str, Value]) -> None:
        """Let the shader's signals go on by this frame: as uniforms into `_settings`."""
        assert self._signals is not None
        inputs = {name: float(value) for name, value in values.items() if not isinstance(value, tuple)}
        dt = moment.dt if self.frames else 0.0
        for name, value in self._signals.step(inputs, dt, moment.bpm, moment.beat).items():
            self._settings[renamed(name)] = value

    def _program(self, index: int, size: tuple[int, int]) -> PassProgram:
        """What to draw a pass of this size with, as knobs and images are now."""
        program = self.program.passes[index]
        if not self._at_rest or self._rest is None:
            return program
        bound = self._bound
        fetched = bool(program.here) and all(name in bound and bound[name].size == size for name in program.here)
        key = index, fetched
        if key not in self._settled:
            self._settled[key] = self.program.settled(index, fetched, self._rest, self._settle)
        return self._settled[key] or program

    def _render(self, program: PassProgram, fbo: moderngl.Framebuffer) -> None:
        fbo.use()
        if not program.covers:
            fbo.clear()
        program.render()

    def _render_buffer(self, program: PassProgram, one: Pass, size: tuple[int, int], lent: dict[str, Target]) -> Target:
        """A pass to a buffer: never to the texture it may be reading."""
        name = one.target
        assert name is not None
        if one.persistent:
            buffer = self._kept[name]
            self._render(program, buffer.back.fbo)
            buffer.front, buffer.back = buffer.back, buffer.front
            drawn = buffer.front
        else:
            drawn = self.pool.take(size, self.pool.buffer(one.floating))
            self._render(program, drawn.fbo)
            before = lent.get(name)
            if before is not None:
                self.pool.give(before)
            lent[name] = drawn
        return drawn

    def _shape(self, full: tuple[int, int], values: Mapping[str, Value]) -> None:
        """Settle the sizes of all passes, where what they depend on has changed, and those of lasting buffers.

        All before the first pass: a buffer's size is the same wherever a shader asks for it.
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
                self._kept[one.target] = self._resized(buffer, size, self.pool.buffer(one.floating))

    def _resized(self, old: _Buffer | None, size: tuple[int, int], dtype: str) -> _Buffer:
        new = _Buffer(Target(self.ctx, size, dtype, kept=True), Target(self.ctx, size, dtype, kept=True))
        if old is not None:
            self.compose.copy(old.front.texture, new.front.fbo)
            old.release()
        return new

    def _bind(self, program: PassProgram, lent: Mapping[str, Target]) -> None:
        for name, unit in program.units.items():
            texture = self._bound.get(name)
            if texture is None:
                kept, borrowed = self._kept.get(name), lent.get(name)
                texture = (
                    kept.front.texture if kept is not None else borrowed.texture if borrowed is not None else self.black
                )
            texture.use(unit)

    def release(self) -> None:
        for buffer in self._kept.values():
            buffer.release()
        self._kept.clear()
