"""MadMapper's materials and surface effects: ISF headers over one function that gives the colour of a place.

Format: https://github.com/madmappersoftware/MadMapper-Materials. Their places and pictures begin at the top left: what
they sample is turned over with them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from performer.content.shaders import glsl
from performer.content.shaders.signals import KINDS, Signal
from performer.system.errors import Fault
from performer.types.params import Param

LAST_FRAME = "mm_LastFrame"
_MATERIAL = re.compile(r"\bvec4\s+materialColorForPixel\s*\(")
_EFFECT = re.compile(r"\bvec4\s+fxColorForPixel\s*\(")
_LASER = re.compile(r"\bvoid\s+(laserMaterialFunc|vectorMaterialFunc|scanMaterialFunc)\s*\(")
_VERTEX = re.compile(r"\bvoid\s+materialVsFunc\s*\(")
#: What samples -> the same, turned over.
NAMES = {
    name: f"mad_{name}"
    for name in ("texture", "textureLod", "texture2D", "texelFetch", "IMG_NORM_PIXEL", "IMG_PIXEL", "IMG_THIS_PIXEL")
} | {"IMG_THIS_NORM_PIXEL": "mad_IMG_THIS_PIXEL"}
_BEFORE = """\
#define CLOCK_TIME TIME
vec2 mad_place = vec2(isf_FragNormCoord.x, 1.0 - isf_FragNormCoord.y);
vec2 mad_over(vec2 at) { return vec2(at.x, 1.0 - at.y); }
vec4 mad_texture(sampler2D image, vec2 at) { return texture(image, mad_over(at)); }
vec4 mad_texture(sampler2D image, vec2 at, float bias) { return texture(image, mad_over(at), bias); }
vec4 mad_textureLod(sampler2D image, vec2 at, float level) { return textureLod(image, mad_over(at), level); }
vec4 mad_texelFetch(sampler2D image, ivec2 at, int level) {
  return texelFetch(image, ivec2(at.x, textureSize(image, level).y - 1 - at.y), level);
}
#define mad_texture2D mad_texture
#define mad_IMG_NORM_PIXEL mad_texture
vec4 mad_IMG_PIXEL(sampler2D image, vec2 at) { return mad_texture(image, at / vec2(textureSize(image, 0))); }
vec4 mad_IMG_THIS_PIXEL(sampler2D image) { return texture(image, isf_FragNormCoord); }
#define IMG_NORM_PIXEL_LOD mad_textureLod
vec4 IMG_TEXEL_FETCH(sampler2D image, ivec2 at, float level) { return mad_texelFetch(image, at, int(level)); }
"""
_EFFECTS = """\
vec2 mm_FragNormCoord = mad_place;
vec4 FX_NORM_PIXEL(vec2 at) { return mad_texture(inputImage, at); }
vec4 FX_NORM_PIXEL_LOD(vec2 at, float level) { return mad_textureLod(inputImage, at, level); }
vec4 FX_TEXEL_FETCH(vec2 at, float level) { return mad_texelFetch(inputImage, ivec2(at), int(level)); }
vec2 FX_IMG_SIZE() { return vec2(textureSize(inputImage, 0)); }
"""
_VERTEX_MAIN = (
    "\nvoid main() { isf_vertShaderInit(); materialVsFunc(vec2(isf_FragNormCoord.x, 1.0 - isf_FragNormCoord.y)); }\n"
)
SHOWN = "void main() { gl_FragColor = IMG_THIS_PIXEL(mm_LastFrame); }\n"


def entry(code: str, where: str) -> str:
    """The function that draws, "materialColorForPixel" or "fxColorForPixel"; empty where it is no file of MadMapper's.

    Raises Fault for what draws with a laser.
    """
    plain = glsl.without_comments(code)
    for name, pattern in (("materialColorForPixel", _MATERIAL), ("fxColorForPixel", _EFFECT)):
        if pattern.search(plain):
            return name
    laser = _LASER.search(plain)
    if laser is not None and not re.search(r"\bmain\s*\(", plain):
        raise Fault(f"{where}: a MadMapper laser material ({laser[1]}): it draws paths for a laser; not played here")
    return ""


def before(function: str, header: Mapping[str, Any], params: list[Param]) -> str:
    """GLSL to stand before the author's."""
    lines = _BEFORE + (_EFFECTS if function == "fxColorForPixel" else "")
    flags = {
        str(row.get("NAME")): str(row.get("FLAGS", "")) for row in header.get("INPUTS") or [] if isinstance(row, dict)
    }
    for param in params:
        if "generate_as_define" in flags.get(param.name, ""):
            lines += f"#define {param.name}_IS_{_default_word(param)}\n"
    return lines


def after(function: str, header: Mapping[str, Any]) -> str:
    """GLSL to stand behind the author's: what draws."""
    settings = header.get("RENDER_SETTINGS")
    clamped = not (isinstance(settings, dict) and settings.get("CLAMP_MATERIAL_OUTPUT") is False)
    colour = f"{function}(mad_place)"
    return f"void main() {{ isf_FragColor = {f'clamp({colour}, 0.0, 1.0)' if clamped else colour}; }}\n"


def vertex(code: str) -> str | None:
    """A material's vertex shader with a main() of its own; None for one that is another's, such as an effect's."""
    plain = glsl.without_comments(code)
    if _VERTEX.search(plain):
        return code + _VERTEX_MAIN
    return code if re.search(r"\bvoid\s+main\s*\(", plain) else None


def keeps_last_frame(header: Mapping[str, Any], code: str) -> bool:
    """Whether it reads the picture before."""
    settings = header.get("RASTERISATION_SETTINGS")
    asked = isinstance(settings, dict) and bool(settings.get("REQUIRES_LAST_FRAME"))
    return asked or re.search(rf"\b{LAST_FRAME}\b", code) is not None


def signals(rows: list[dict[str, Any]], params: list[Param], where: str, notes: list[str]) -> tuple[Signal, ...]:
    """The header's GENERATORS; what is wrong with one is a note."""
    words = {param.name: tuple(param.labels) for param in params if param.labels}
    found: list[Signal] = []
    for number, row in enumerate(rows):
        name, kind = str(row.get("NAME", "")).strip(), str(row.get("TYPE", "")).strip().lower()
        if not re.fullmatch(r"[A-Za-z_]\w{0,79}", name) or name in {param.name for param in params}:
            notes.append(f"{where}: GENERATORS[{number}].NAME: expected a name of its own, got {name!r:.60}; left out")
            continue
        if kind not in KINDS:
            notes.append(
                f"{where}: GENERATORS[{number}]: TYPE {kind!r:.40} is not known here; {name} stays as its input is"
            )
            kind = "pass_thru"
        given = row.get("PARAMS", row.get("FILTERS"))
        values = {str(key).lower(): _value(raw) for key, raw in given.items()} if isinstance(given, dict) else {}
        found.append(Signal(name, kind, values, words))
    return tuple(found)


def _value(raw: Any) -> float | str:
    """A number, or the name of what gives one."""
    try:
        return float(raw)
    except (TypeError, ValueError, OverflowError):
        return raw if isinstance(raw, str) else 0.0


def _default_word(param: Param) -> str:
    """What a choice or a switch is by default, as a piece of a macro's name."""
    if param.kind == "bool":
        return "true" if param.default else "false"
    at = param.values.index(int(param.default)) if param.values and int(param.default) in param.values else 0  # type: ignore[arg-type]
    word = param.labels[at] if at < len(param.labels) else str(param.default)
    return re.sub(r"\W", "_", word)
