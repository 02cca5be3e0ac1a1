"""GLSL that the drivers of its day let pass and 3.30 core refuses, made acceptable; every line stays on its line."""

from __future__ import annotations

import re
from collections.abc import Iterator

_WORD = re.compile(r"(?<![\w.])[A-Za-z_]\w*")
_DEFINE = re.compile(r"^[ \t]*#[ \t]*define[ \t]+(\w+)(\([^)\n]*\))?((?:\\\n|[^\n])*)", re.M)
_AFTER_DIRECTIVE = re.compile(r"^([ \t]*#[ \t]*(?:else|endif))\b[^\n]+", re.M)
_CONST = re.compile(
    r"\bconst\s+(?:(?:lowp|mediump|highp)\s+)?(\w+)(?:\s*\[[^\]]*\])?\s+(\w+)\s*(?:\[[^\]]*\]\s*)?=(?!=)"
)
_DECLARED = re.compile(r"(?:^|,)\s*(\w+)\s*(?:\[[^\]]*\]\s*)?=(?!=)")
_FUNCTION = re.compile(r"\b(\w+)\s+(\w+)\s*\([^(){};]*\)\s*\{")
_LINE = re.compile(r"^#line (\d+)$", re.M)
_STRUCT = re.compile(r"\bstruct\s+(\w+)")
_WHOLE = re.compile(r"\breturn\b(\s*\(?\s*[-+]?\s*\d+\s*\)?\s*);")

#: What may stand in a constant expression: constructors, and the functions of GLSL 1.20 whose results are constant.
_CONSTANT_WORDS = (
    "float int uint bool vec2 vec3 vec4 ivec2 ivec3 ivec4 uvec2 uvec3 uvec4 bvec2 bvec3 bvec4 mat2 mat3 mat4 true "
    "false radians degrees sin cos tan asin acos atan pow exp log exp2 log2 sqrt inversesqrt abs sign floor ceil fract "
    "mod min max clamp mix step smoothstep length distance dot cross normalize reflect refract faceforward "
    "matrixCompMult lessThan lessThanEqual greaterThan greaterThanEqual equal notEqual any all not e E f F u U x"
)
_CONSTANT = frozenset(_CONSTANT_WORDS.split())


def forgive(code: str, line: int) -> str:
    """Rewrite what 3.30 refuses: constants that are none, whole numbers returned as floats, macros defined twice.

    Parameters
    ----------
    code : str
        Without comments.
    line : int
        Number of its first line, for the `#line` after an inserted one.
    """
    code = _AFTER_DIRECTIVE.sub(r"\1", code)
    code = _constants(code)
    code = _returns(code)
    return _macros(code, line)


def _constants(code: str) -> str:
    """Drop `const` before what is no constant expression: 1.20's drivers took it for "does not change"."""
    macros = {m[1]: m[3] for m in _DEFINE.finditer(code)}
    own = {m[2] for m in _FUNCTION.finditer(code)}  # also "if": never a constant either
    constant = (set(_CONSTANT) | {m[1] for m in _STRUCT.finditer(code)}) - own

    def is_constant(text: str, depth: int = 0) -> bool:
        return all(
            word in constant or (word in macros and depth < 8 and is_constant(macros[word], depth + 1))
            for word in _WORD.findall(text)
        )

    pieces = []
    at = 0
    for match in _CONST.finditer(code):
        declared = code[match.start(2) : _end(code, match.end())]
        names = _names(declared)
        values = _WORD.sub(lambda m, names=names: "" if m[0] in names else m[0], declared)  # type: ignore[misc]
        if is_constant(values):
            constant |= names
        elif match.start() >= at:
            pieces += [code[at : match.start()], " " * len("const")]
            at = match.start() + len("const")
    return "".join([*pieces, code[at:]])


def _end(code: str, at: int) -> int:
    """Where a declaration's semicolon stands."""
    end = code.find(";", at)
    return len(code) if end < 0 else end


def _names(declared: str) -> set[str]:
    """The names in `a = f(1, 2), b = 3`."""
    flat = []
    depth = 0
    for letter in declared:
        depth += letter in "([{"
        flat.append(letter if depth == 0 else " ")
        depth -= letter in ")]}"
    return {m[1] for m in _DECLARED.finditer("".join(flat))}


def _returns(code: str) -> str:
    """`return 1;` in a function of float: implicit only since 4.20."""
    pieces = []
    at = 0
    for kind, start, end in _bodies(code):
        if kind == "float" and start >= at:
            pieces += [code[at:start], _WHOLE.sub(r"return float(\1);", code[start:end])]
            at = end
    return "".join([*pieces, code[at:]])


def _bodies(code: str) -> Iterator[tuple[str, int, int]]:
    """(type, start, end) of the functions' bodies; none reaches into the next, however `#if` splits the braces."""
    found = [match for match in _FUNCTION.finditer(code) if match[2] not in ("if", "for", "while", "switch")]
    ends = [match.start() for match in found[1:]] + [len(code)]
    for match, limit in zip(found, ends, strict=False):  # no function: no bodies
        depth, at = 1, match.end()
        while depth and at < limit:
            depth += (code[at] == "{") - (code[at] == "}")
            at += 1
        yield match[1], match.end(), at


def _macros(code: str, line: int) -> str:
    """The later of two definitions of a macro counts, as with most drivers; the standard makes it an error."""
    seen: dict[str, str] = {}

    def again(match: re.Match[str]) -> str:
        name, body = match[1], f"{match[2] or ''} {match[3].split()}"
        before, seen[name] = seen.get(name, body), body
        if before == body or name.startswith("GL_"):
            return match[0]
        return f"#undef {name}\n#line {_number(code, match.start(), line)}\n{match[0]}"

    return _DEFINE.sub(again, code)


def _number(code: str, at: int, line: int) -> int:
    """The number of the line at a place, in code whose first line has number `line` and which may hold `#line`s."""
    told = list(_LINE.finditer(code, 0, at))
    if not told:
        return line + code.count("\n", 0, at)
    return int(told[-1][1]) + code.count("\n", told[-1].end(), at) - 1
