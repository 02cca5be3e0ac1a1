"""What can be told of the alpha that a shader writes, from its text alone."""

from __future__ import annotations

import re

from performer.content.shaders.spec import ShaderSpec

_OUTPUT = re.compile(r"\bisf_FragColor\b")
_DECLARED = "out vec4 isf_FragColor;"
_CLEARED = "isf_FragColor = vec4(0.0);"  # what an output that the author leaves unset holds
_SET_TO_VEC4 = re.compile(r"\bisf_FragColor\s*=\s*vec4\s*\(")
_MAIN = re.compile(r"\bmain\s*\(\s*(?:void)?\s*\)\s*\{")
_RETURN = re.compile(r"\breturn\b")
_ONE = re.compile(r"1(?:\.0*)?")


def writes_opaque(spec: ShaderSpec) -> bool:
    """Whether alpha is 1 wherever the shader draws its picture.

    It is where the author says so, or every way through main() ends in `gl_FragColor = vec4(..., 1.0);`. False where
    that cannot be seen.
    """
    if spec.alpha == "opaque":
        return True
    code = spec.glsl(len(spec.passes) - 1)[1].replace(_DECLARED, "", 1).replace(_CLEARED, "", 1)
    if spec.corners or "isf_FragData" in code or re.search(r"\bdiscard\b", code):
        return False
    ends = {}  # of each write: where it begins, and where its semicolon is
    for write in _SET_TO_VEC4.finditer(code):
        end = _end_of_opaque(code, write.end())
        if end is None:
            return False
        ends[write.start()] = end
    return len(ends) == len(_OUTPUT.findall(code)) and _always(code, ends)


def _end_of_opaque(code: str, start: int) -> int | None:
    """Where the statement of a call ends whose arguments begin at `start`; None where the last of them is not one."""
    depth = 1
    last = start
    for at in range(start, len(code)):
        letter = code[at]
        if letter in "([":
            depth += 1
        elif letter in ")]":
            depth -= 1
        elif letter == "," and depth == 1:
            last = at + 1
        if depth == 0:
            end = re.compile(r"\s*;").match(code, at + 1)
            one = last > start and _ONE.fullmatch(code[last:at].strip()) is not None
            return end.end() if one and end is not None else None
    return None


def _always(code: str, ends: dict[int, int]) -> bool:
    """Whether main() writes on each way through it: at its own level, and before every return."""
    mains = list(_MAIN.finditer(code))
    if not mains:
        return False
    begin = close = mains[-1].end()
    depth = 1
    own = False
    for close in range(begin, len(code)):
        depth += {"{": 1, "}": -1}.get(code[close], 0)
        if depth == 0:
            break
        own = own or (depth == 1 and close in ends and code[:close].rstrip()[-1] in ";{}")
    written = {len(code[:end].rstrip()) for end in ends.values()}
    returns = [match.start() for match in _RETURN.finditer(code, begin, close)]
    return own and all(len(code[:at].rstrip()) in written for at in returns)
