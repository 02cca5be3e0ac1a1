"""ShaderSpec -> a compiled program whose uniforms are set only where they changed."""

from __future__ import annotations

import re
from typing import Any

import moderngl

from performer.errors import Fault
from performer.isf import ShaderSpec
from performer.isf.glsl import FRAGMENT, VERTEX, renamed

#: How drivers begin a complaint: Mesa `1:12(3): error: `, NVIDIA `1(12) : error C0000: `, others `ERROR: 1:12: `.
_COMPLAINT = re.compile(
    r"^(?:ERROR:\s*)?(\d+)(?::(\d+)(?:\(\d+\))?|\((\d+)\))\s*:\s*(?:error\s*(?:[A-Z]\d+)?:\s*)?(.*)$")
_NO_REASON = ("=", "GLSL", "vertex_sh", "fragment_sh", "geometry_sh", "tess_")


class Program:
    """A compiled shader, shared by all nodes that draw with it.

    Raises Fault("FILE:LINE: what the driver says") when it does not compile; GL is then as it was.
    """

    __slots__ = ("_last", "_mode", "_set", "_vao", "corners", "glsl", "spec", "units")

    def __init__(self, ctx: moderngl.Context, spec: ShaderSpec) -> None:
        self.spec, self.corners = spec, spec.corners
        try:
            self.glsl = ctx.program(vertex_shader=spec.vertex, fragment_shader=spec.fragment)
        except moderngl.Error as error:
            _ = ctx.error  # so that the failure is not blamed on a later call
            raise Fault(complaint(spec, str(error))) from None
        self._vao = ctx.vertex_array(self.glsl, [])
        self._vao.vertices = 4 if spec.corners else 3
        self._mode = moderngl.TRIANGLE_STRIP if spec.corners else moderngl.TRIANGLES
        self.units: dict[str, int] = {}
        self._set: dict[str, Any] = {}
        self._last: dict[str, Any] = {}
        samplers = {renamed(name): name for name in (
            *spec.images, *(a.name for a in spec.audio), *spec.targets, *(name for name, _ in spec.imported))}
        for name in self.glsl:
            member = self.glsl[name]
            if not isinstance(member, moderngl.Uniform):
                continue
            if name in samplers:
                self.units[samplers[name]] = len(self.units)
                member.value = self.units[samplers[name]]
            else:
                self._set[name] = member

    def uses(self, name: str) -> bool:
        """Whether the driver kept the uniform."""
        return name in self._set

    def set(self, name: str, value: Any) -> None:
        """Set a uniform, if the program has it and the value is not the last one."""
        uniform = self._set.get(name)
        if uniform is not None and self._last.get(name) != value:
            uniform.value = value
            self._last[name] = value

    def render(self) -> None:
        """Draw over the bound framebuffer."""
        self._vao.render(self._mode)

    def release(self) -> None:
        self._vao.release()
        self.glsl.release()


def complaint(spec: ShaderSpec, text: str) -> str:
    """The driver's first error as `FILE:LINE: message`."""
    stage = FRAGMENT
    first = ""
    for raw in text.splitlines():
        line = raw.strip()
        if line in ("vertex_shader", "fragment_shader"):
            stage = VERTEX if line == "vertex_shader" else FRAGMENT
            continue
        match = _COMPLAINT.match(line)
        if match is None:
            if line and not first and not line.startswith(_NO_REASON):
                first = line
            continue
        if "warning" in line.lower() and "error" not in line.lower():
            continue
        source, number, message = int(match[1]), match[2] or match[3], match[4].strip()
        where = spec.where
        if source == VERTEX and spec.path is not None:
            where = str(spec.path.with_suffix(".vs"))
        if source in (FRAGMENT, VERTEX):
            return f"{where}:{number}: {message}"
        first = first or message
    where = f"{spec.where}" if stage == FRAGMENT or spec.path is None else str(spec.path.with_suffix(".vs"))
    return f"{where}: the shader does not compile: {first or 'the driver gives no reason'}"
