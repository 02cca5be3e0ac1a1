"""Uniforms of Shadertoy and other hosts, by the names they have there: time, date, size, mouse, sound.

Shadertoy, GLSL Sandbox, glslViewer and the Book of Shaders, Bonzomatic, and editors. Here they are variables, not
macros: an author may give a macro, an argument or a variable the same name.
"""

from __future__ import annotations

import re

_TIME = {"float": "TIME"}
_DELTA = {"float": "TIMEDELTA"}
_FRAME = {"int": "FRAMEINDEX", "float": "float(FRAMEINDEX)"}
_SIZE = {
    "vec2": "RENDERSIZE",
    "vec3": "vec3(RENDERSIZE, 1.0)",
    "vec4": "vec4(RENDERSIZE, 1.0 / RENDERSIZE)",
    "ivec2": "ivec2(RENDERSIZE)",
}
_PIXELS = {
    "vec2": "iMouse * RENDERSIZE",
    "vec3": "vec3(iMouse * RENDERSIZE, 0.0)",
    "vec4": "vec4(iMouse * RENDERSIZE, iMouse * RENDERSIZE)",
}
_UNIT = {"vec2": "iMouse", "vec3": "vec3(iMouse, 0.0)", "vec4": "vec4(iMouse, iMouse)"}
_DATE = {"vec4": "vec4(DATE.x, DATE.y - 1.0, DATE.zw)"}

#: Shadertoy's, which nobody declares: name -> (its type there, GLSL of every type it may be declared with).
SHADERTOY = {
    "iResolution": ("vec3", _SIZE),
    "iTime": ("float", _TIME),
    "iGlobalTime": ("float", _TIME),
    "iTimeDelta": ("float", _DELTA),
    "iFrame": ("int", _FRAME),
    "iFrameRate": ("float", {"float": "1.0 / max(TIMEDELTA, 0.0001)"}),
    "iMouse": ("vec4", _PIXELS),
    "iDate": ("vec4", _DATE),
    "iSampleRate": ("float", {"float": "48000.0"}),
}
#: Those of other programs, which a shader declares.
_OTHERS = {
    "time u_time uTime utime globalTime fGlobalTime u_Time": _TIME,
    "u_delta u_deltaTime u_timeDelta deltaTime fFrameTime": _DELTA,
    "frame u_frame uFrame frameCount": _FRAME,
    "resolution u_resolution uResolution v2Resolution u_Resolution viewport": _SIZE,
    "mouse": _UNIT,  # GLSL Sandbox's, from 0 to 1; the others count pixels
    "u_mouse uMouse u_Mouse v2Mouse": _PIXELS,
    "u_date date": _DATE,
}
DECLARED = {name: kinds for names, kinds in _OTHERS.items() for name in names.split()}
#: Samplers that show the last picture, by other programs' names.
LAST_PICTURE = ("backbuffer", "backBuffer", "u_backbuffer", "prevFrame", "u_prevFrame", "texPreviousFrame")
#: ... the picture below: an effect's.
PICTURE_BELOW = ("u_tex0", "u_texture_0", "u_texture0")
#: ... and the spectrum, of one dimension.
SPECTRUM = ("texFFT", "texFFTSmoothed", "texFFTIntegrated")

_UNIFORM = re.compile(r"\buniform\s+(?:(?:lowp|mediump|highp)\s+)?(\w+)\s+(\w+(?:\s*,\s*\w+)*)\s*(?:=[^;]{0,400})?;")
_WORD = re.compile(r"[A-Za-z_]\w*")
_DEFINED = re.compile(r"\b(?:float|int|[iu]?vec[234])\s+(\w+)\s*(?:=(?!=)|;|\[)")


def variables(code: str) -> tuple[str, frozenset[str]]:
    """GLSL that declares those the code wants, to stand before it, and the names whose declarations it replaces.

    It uses a uniform `iMouse`, vec2 in 0..1; an author's `iMouse` must have another name by then.
    """
    declared = {name.strip(): match[1] for match in _UNIFORM.finditer(code) for name in match[2].split(",")}
    words = set(_WORD.findall(code))
    own = _globals(code)
    lines = []
    names = set()
    for name in sorted(words & (set(SHADERTOY) | (set(DECLARED) & set(declared)))):
        usual, kinds = SHADERTOY.get(name, ("", DECLARED.get(name, {})))
        kind = declared.get(name, usual)
        if kind not in kinds or name in own:
            continue
        names.add(name)
        lines.append(f"{kind} {'iMouse_isf' if name == 'iMouse' else name} = {kinds[kind]};\n")
    return "".join(lines), frozenset(names)


def _globals(code: str) -> set[str]:
    """Names of the variables that the code declares outside functions, uniforms left out."""
    outside = []
    depth = 0
    for piece in re.split(r"([{}])", code):
        if piece in "{}":
            depth += 1 if piece == "{" else -1
        elif depth <= 0:
            outside.append(piece)
    return set(_DEFINED.findall(re.sub(r"\buniform\b[^;]{0,400};", "", ";".join(outside))))
