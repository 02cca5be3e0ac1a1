"""Knobs that plain GLSL declares: `uniform float size; // = 0.2`, the habit of gl-transitions, -> parameters."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from performer.types.params import KINDS, Param, Value

_UNIFORM = re.compile(
    r"^[ \t]*uniform[ \t]+(?:(?:lowp|mediump|highp)[ \t]+)?(\w+)[ \t]+(\w+)[ \t]*(?:=([^;\n]*))?"
    r"(?:/\*\s*=([^\n]*?)\*/[ \t]*)?;[ \t]*(?:(?://|/\*)[ \t]*=([^\n]*))?",
    re.M,
)
_NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"
_VALUE = re.compile(rf"\s*(?:(true|false)\b|[bi]?(?:vec[234]|float|int)\s*\(([^()]*)\)|({_NUMBER}))")
#: GLSL type -> kind of parameter, type of the uniform that carries it
_TYPES = {
    "float": ("float", "float"),
    "int": ("long", "int"),
    "bool": ("bool", "bool"),
    "vec2": ("point2D", "vec2"),
    "ivec2": ("point2D", "vec2"),
    "vec3": ("color", "vec4"),
    "vec4": ("color", "vec4"),
}


@dataclass(frozen=True, slots=True)
class Declared:
    """What a shader declares of its own.

    Attributes
    ----------
    params : tuple[Param, ...]
        Its knobs.
    uniforms : dict[str, str]
        Name -> GLSL type of the uniform that carries it.
    shims : str
        Macros that give a name the author's type again, where the parameter's is wider.
    images : tuple[str, ...]
        Names of its samplers.
    """

    params: tuple[Param, ...]
    uniforms: dict[str, str]
    shims: str
    images: tuple[str, ...]


def read(code: str, taken: frozenset[str]) -> Declared:
    """All uniforms that the code declares, but for names in `taken`; defaults stand behind them in a comment."""
    params: dict[str, Param] = {}
    uniforms: dict[str, str] = {}
    shims: list[str] = []
    images: list[str] = []
    for match in _UNIFORM.finditer(code):
        written = match[1]
        name = match[2]
        if name in taken or name in params or name in images:
            continue
        if written == "sampler2D":
            images.append(name)
        elif written in _TYPES:
            kind, uniforms[name] = _TYPES[written]
            if written in ("ivec2", "vec3"):
                shims.append(f"#define {name} {written}({name})\n")
            params[name] = _param(name, kind, _numbers(match[3] or match[4] or match[5] or ""))
    return Declared(tuple(params.values()), uniforms, "".join(shims), tuple(images))


def _numbers(text: str) -> list[float]:
    """The numbers of `0.5`, `true`, `vec2(0.5, 1.0)` or `ivec2(4)`; none of anything else."""
    match = _VALUE.match(text)
    if match is None:
        return []
    if match[1]:
        return [float(match[1] == "true")]
    found = [float(n) for n in re.findall(_NUMBER, match[2] if match[2] is not None else match[3])]
    return [n for n in found if math.isfinite(n)]


def _param(name: str, kind: str, given: list[float]) -> Param:
    """A knob whose range is 0..1, or as much wider as its default asks for."""
    n = KINDS[kind]
    given = given or [0.0]
    if kind == "bool":
        return Param(name, kind, float(given[0] != 0.0))
    parts = given * n if len(given) == 1 else given
    if (n == 4 and len(parts) < 4) or (n == 4 and len(given) == 1):
        parts = [*parts[:3], 1.0]
    parts = [float(int(v)) if kind == "long" else v for v in (*parts, *[0.0] * n)][:n]
    limits = [_range(v, whole=kind == "long") for v in parts]
    default: Value = parts[0] if n == 1 else tuple(parts)
    low: Value = limits[0][0] if n == 1 else tuple(low for low, _ in limits)
    high: Value = limits[0][1] if n == 1 else tuple(high for _, high in limits)
    return Param(name, kind, default, low, high)


def _range(value: float, whole: bool) -> tuple[float, float]:
    most = max(2.0 * abs(value), 1.0) if abs(value) > 1.0 else 1.0
    if whole:
        most = max(most, 4.0)
    return (-most if value < 0.0 else 0.0), most
