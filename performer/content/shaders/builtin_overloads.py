"""Built-in functions that an author overloads: some drivers then hide the built-in ones, so they are given back.

GLSL 3.30, 6.1, lets a shader overload built-in functions; Mesa takes any function of that name for a redefinition.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

_DEFINED = re.compile(r"\b(?!return\b|else\b)\w+\s+(\w+)\s*\(([^(){};]*)\)\s*[{;]")
_QUALIFIER = re.compile(r"\b(?:const|in|out|inout|lowp|mediump|highp)\b")
_T = ("float", "vec2", "vec3", "vec4")

#: Shapes of signatures, result first; T stands for float and each vector, V for each vector, F for float.
_SHAPES = {
    "T T": "radians degrees sin cos tan asin acos atan sinh cosh tanh asinh acosh atanh exp log exp2 log2 sqrt "
    "inversesqrt abs sign floor ceil fract round trunc normalize fwidth dFdx dFdy",
    "F T": "length",
    "F T T": "distance dot",
    "T T T": "pow atan mod min max step reflect",
    "V V F": "mod min max",
    "V F V": "step",
    "T T T T": "clamp mix smoothstep faceforward",
    "V V F F": "clamp",
    "V V V F": "mix",
    "T T T F": "refract",
    "V F F V": "smoothstep",
    "int int": "abs sign",
    "int int int": "min max",
    "int int int int": "clamp",
    "vec3 vec3 vec3": "cross",
    "vec4 sampler2D vec2": "texture",
}


def _signatures() -> dict[str, set[tuple[str, ...]]]:
    """Name -> (result, parameter types ...)."""
    found: dict[str, set[tuple[str, ...]]] = {}
    for shape, names in _SHAPES.items():
        for kind in _T if "T" in shape.split() else _T[1:] if "V" in shape.split() else ("",):
            types = tuple({"T": kind, "V": kind, "F": "float"}.get(part, part) for part in shape.split())
            for name in names.split():
                found.setdefault(name, set()).add(types)
    return found


BUILT_IN = _signatures()


def given_back(code: str) -> str:
    """GLSL to stand before an author's code: every built-in overload of the functions it defines, but for its own."""
    own: dict[str, set[tuple[str, ...]]] = {}
    for name, parameters in _DEFINED.findall(code):
        if name in BUILT_IN:
            own.setdefault(name, set()).add(tuple(_types(parameters)))
    first = []
    second = []
    for name in sorted(own):
        for result, *types in sorted(BUILT_IN[name]):
            if tuple(types) in own[name]:
                continue
            arguments = ", ".join(f"x{i}" for i in range(len(types)))
            parameters = ", ".join(f"{kind} x{i}" for i, kind in enumerate(types))
            first.append(f"{result} isf_{name}({parameters}) {{ return {name}({arguments}); }}\n")
            second.append(f"{result} {name}({parameters}) {{ return isf_{name}({arguments}); }}\n")
    return "".join(first + second)


def _types(parameters: str) -> Iterator[str]:
    for parameter in parameters.split(","):
        words = _QUALIFIER.sub("", parameter).split()
        if words and words != ["void"]:
            yield words[0] + ("[]" if "[" in parameter else "")
