"""What draws in a file of GLSL: Shadertoy's mainImage, or a main() of the author's own."""

from __future__ import annotations

import re

from performer.content.shaders import glsl
from performer.system.errors import Fault

ENTRY = re.compile(r"\bvoid\s+mainImage\s*\(")
MAIN = re.compile(r"\bvoid\s+main\s*\(\s*(?:void)?\s*\)\s*\{")
#: An output of the author's own, as GLSL ES 3.00 has it: a variable here, which is copied to the one output there is.
OUTPUT = re.compile(r"(?:\blayout\s*\([^)]*\)\s*)?\bout\s+(?:(?:lowp|mediump|highp)\s+)?(vec[34])\s+(\w+)\s*;")
_CONDITION = re.compile(r"^[ \t]*#[ \t]*(if|ifdef|ifndef|endif)\b", re.M)
_FORWARDED = re.compile(
    r"mainImage\s*\([^;]*\)\s*;|vec4\s+\w+\s*(?:=[^;]*)?;|\w+(?:\.[rgbaxyzw]+)?\s*=\s*(?:[\w.]+|vec4\s*\([\w.,\s]*\))\s*;"
)


def draws(code: str) -> bool:
    """Whether code without comments is a fragment shader whose main() draws, as GLSL Sandbox and others have them."""
    output = re.search(r"\bgl_Frag(?:Color|Data)\b", code) or OUTPUT.search(code)
    return MAIN.search(code) is not None and output is not None and "gl_Position" not in code


def drawing(text: str, common: str, where: str) -> tuple[str, str]:
    """The author's GLSL, and the statements that draw with it into `isf_color`, a vec4.

    An own main() that only calls mainImage, as files have it that shall run elsewhere too, is not called; in the
    translation `main` must have the name isf_main. Raises Fault where nothing draws.
    """
    plain = glsl.without_comments(text)
    outputs = [match[2] for match in OUTPUT.finditer(plain)]
    entry = ENTRY.search(plain) or ENTRY.search(glsl.without_comments(common))
    main = MAIN.search(plain)
    if entry is None and not draws(plain):
        raise Fault(
            f"{where}:1: no mainImage; expected void mainImage(out vec4 fragColor, in vec2 fragCoord) or void main()"
        )
    code = OUTPUT.sub(r"\1 \2;", plain)
    if entry is not None and (main is None or _conditional(plain, main.start()) or _forwards(plain, main.end())):
        return code, "mainImage(isf_color, gl_FragCoord.xy);"
    if outputs:
        name = f"{outputs[0]}{glsl.SUFFIX}" if outputs[0] in glsl.RESERVED else outputs[0]
        return code, f"isf_main(); isf_color = vec4({name}{', 1.0' if 'vec3' in OUTPUT.search(plain)[1] else ''});"  # type: ignore[index]
    return code, "isf_main(); isf_color = isf_FragColor;"


def _conditional(code: str, at: int) -> bool:
    """Whether a place is inside an #if, which may leave it out."""
    return sum(-1 if match[1] == "endif" else 1 for match in _CONDITION.finditer(code, 0, at)) > 0


def _forwards(code: str, at: int) -> bool:
    """Whether the body that begins there does nothing but call mainImage and hand its colour on."""
    depth = 1
    end = at
    while depth and end < len(code):
        depth += (code[end] == "{") - (code[end] == "}")
        end += 1
    body = code[at : end - 1]
    return "mainImage" in body and not _FORWARDED.sub("", body).strip()
