"""What can be told of the alpha that a shader writes, from its text alone."""

from __future__ import annotations

import re

from performer.content.shaders.spec import ShaderSpec

_OUTPUT = re.compile(r"(?<!out vec4 )\bisf_FragColor\b")
_SET_TO_VEC4 = re.compile(r"\bisf_FragColor\s*=\s*vec4\s*\(")
_ONE = re.compile(r"1(?:\.0*)?")


def writes_opaque(spec: ShaderSpec) -> bool:
    """Whether alpha is 1 wherever the shader draws its picture.

    It is where the author says so, or every write is `gl_FragColor = vec4(..., 1.0);`. False where that cannot be seen.
    """
    if spec.alpha == "opaque":
        return True
    code = spec.glsl(len(spec.passes) - 1)[1]
    if spec.corners or "isf_FragData" in code or re.search(r"\bdiscard\b", code):
        return False
    writes = list(_SET_TO_VEC4.finditer(code))
    return (
        bool(writes) and len(writes) == len(_OUTPUT.findall(code)) and all(_ends_in_one(code, w.end()) for w in writes)
    )


def _ends_in_one(code: str, start: int) -> bool:
    """Whether the last of the arguments that begin at `start` is the number one, and nothing follows the call."""
    depth, last = 1, start
    for at in range(start, len(code)):
        letter = code[at]
        if letter in "([":
            depth += 1
        elif letter in ")]":
            depth -= 1
        elif letter == "," and depth == 1:
            last = at + 1
        if depth == 0:
            alone = code[at + 1 :].lstrip().startswith(";")
            return alone and last > start and _ONE.fullmatch(code[last:at].strip()) is not None
    return False
