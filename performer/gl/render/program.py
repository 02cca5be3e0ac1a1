"""ShaderSpec -> compiled programs, one for each pass."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import moderngl

from performer.content.shaders import ShaderSpec, specialise
from performer.content.shaders.alpha import writes_opaque
from performer.content.shaders.glsl import SUFFIX, renamed
from performer.content.shaders.spec import FILE_LINES
from performer.gl.render.driver import is_software
from performer.gl.render.wait import after_pass
from performer.system.errors import Fault
from performer.types.frame import EMPTY
from performer.types.params import Value

#: How drivers begin a complaint: Mesa `0:12(3): error: `, NVIDIA `0(12) : error C0000: `, others `ERROR: 0:12: `.
_COMPLAINT = re.compile(r"^(?:ERROR:\s*)?\d+(?::(\d+)(?:\(\d+\))?|\((\d+)\))\s*:\s*(?:error\s*(?:[A-Z]\d+)?:\s*)?(.*)$")

_OWN = Path(__file__).resolve().parents[3]  # all that comes along lies in there


class PassProgram:
    """The shader as compiled for one of its passes; sets uniforms only where they changed.

    `here` are the names of such images; `covers` says that every pixel is drawn.

    Parameters
    ----------
    rest : Mapping[str, Value], optional
        Inputs that it takes as constants.
    fetched : bool, optional
        Reads images that it samples at the pixel it draws as they are: they must be as large as what is drawn.
    """

    __slots__ = ("_after", "_last", "_mode", "_set", "_vao", "covers", "glsl", "here", "units")

    def __init__(
        self,
        ctx: moderngl.Context,
        spec: ShaderSpec,
        index: int,
        rest: Mapping[str, Value] = EMPTY,
        fetched: bool = False,
    ) -> None:
        vertex, fragment = spec.glsl(index)
        self.here = frozenset() if spec.corners else specialise.here(fragment, spec.images)
        fragment = specialise.constant(fragment, rest)
        if fetched:
            fragment = specialise.fetched(fragment)
        self.glsl = ctx.program(vertex_shader=vertex, fragment_shader=fragment)
        self.covers = not spec.corners and re.search(r"\bdiscard\b", fragment) is None
        self._vao = ctx.vertex_array(self.glsl, [])
        self._after = after_pass(ctx)
        self._vao.vertices = 4 if spec.corners else 3
        self._mode = moderngl.TRIANGLE_STRIP if spec.corners else moderngl.TRIANGLES
        self.units: dict[str, int] = {}  # name of an image -> texture unit, for those the driver kept
        self._set: dict[str, Any] = {}
        self._last: dict[str, Any] = {}
        samplers = {
            renamed(name): name
            for name in (
                *spec.images,
                *(a.name for a in spec.audio),
                *spec.targets,
                *(name for name, _ in spec.imported),
            )
        }
        for name in self.glsl:
            member = self.glsl[name]
            if not isinstance(member, moderngl.Uniform):
                continue
            if name in samplers:
                self.units[samplers[name]] = len(self.units)
                member.value = self.units[samplers[name]]
            else:
                self._set[name] = member

    def set(self, name: str, value: Any) -> None:
        """Set a uniform, if the program has it and the value is not the last one."""
        uniform = self._set.get(name)
        if uniform is not None and self._last.get(name) != value:
            uniform.value = value
            self._last[name] = value

    def render(self) -> None:
        """Draw over the bound framebuffer."""
        self._vao.render(self._mode)
        self._after()

    def release(self) -> None:
        self._vao.release()
        self.glsl.release()


class Program:
    """A compiled shader, shared by all nodes that draw with it.

    Raises Fault("FILE:LINE: what the driver says") when it does not compile; GL is then as it was.

    Attributes
    ----------
    passes : list[PassProgram]
        One program for each of the shader's passes.
    settles
        Whether it is worth the while to compile it for knobs that stand still: where the processor draws, and it came
        with the program, so that nothing is compiled that was not tried.
    opaque
        Whether its picture has alpha 1 everywhere, whatever it reads.
    """

    def __init__(self, ctx: moderngl.Context, spec: ShaderSpec) -> None:
        self.ctx = ctx
        self.spec = spec
        self.settles = is_software(ctx) and spec.path is not None and spec.path.is_relative_to(_OWN)
        self.opaque = writes_opaque(spec)
        self.passes: list[PassProgram] = []
        self._settled: dict[tuple[int, bool, tuple[tuple[str, Value], ...]], PassProgram] = {}
        index = 0
        try:
            for index in range(len(spec.passes)):
                self.passes.append(PassProgram(ctx, spec, index))
        except Exception as error:  # moderngl's own for what does not compile; others for what it cannot even pass on
            self.release()
            _ = ctx.error  # so that the failure is not blamed on a later call
            if not isinstance(error, moderngl.Error):
                raise Fault(f"{spec.where}: cannot be compiled: {type(error).__name__}: {error!s:.200}") from error
            raise Fault(complaint(spec, str(error), index)) from None

    def settled(self, index: int, fetched: bool, rest: Mapping[str, Value], make: bool) -> PassProgram | None:
        """Pass `index` for inputs that stay at `rest`, and images as large as what is drawn or not.

        Parameters
        ----------
        make : bool
            Compile it if need be, which takes a frame's time and more; else None where nobody has.
        """
        key = index, fetched, tuple(rest.items())
        if key not in self._settled and make:
            self._settled[key] = PassProgram(self.ctx, self.spec, index, rest, fetched)
        return self._settled.get(key)

    def release(self) -> None:
        for one in (*self.passes, *self._settled.values()):
            one.release()


def complaint(spec: ShaderSpec, text: str, index: int = 0) -> str:
    """The driver's first error in a pass as `FILE:LINE: message`; the lines are the author's own, by `#line`."""
    where = spec.where
    reason = ""
    sources = spec.sources
    for raw in text.splitlines():
        line = raw.strip()
        if line == "vertex_shader" and spec.path is not None and spec.corners:
            where = str(spec.path.with_suffix(".vs"))
            sources = ()
        match = _COMPLAINT.match(line)
        if match is not None and "warning" not in line.lower():
            number = int(match[1] or match[2])
            file, number = divmod(number, FILE_LINES)
            if sources:
                where = sources[index][min(file, len(sources[index]) - 1)]
            return f"{where}:{number}: {match[3].strip().replace(SUFFIX, '')}"
        if not reason and line.lower().startswith(("error", "fatal")):
            reason = line.split(":", 1)[-1].strip()
    return f"{where}: the shader does not link: {reason or 'the driver gives no reason'}"
