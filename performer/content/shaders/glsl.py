"""An author's GLSL, whatever its age, -> GLSL 3.30 core whose errors name the author's own lines."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from performer.content.shaders.builtin_overloads import given_back
from performer.content.shaders.legacy_glsl import forgive
from performer.content.shaders.zero_init import zeroed

#: Reserved in GLSL 3.30 but ordinary names in the GLSL 1.20 and ES 1.00 that most ISF files are written in.
_RESERVED_WORDS = (
    "common partition active asm class union enum typedef template this packed goto inline noinline volatile public "
    "static extern external interface long short half fixed unsigned superp input output hvec2 hvec3 hvec4 dvec2 dvec3 "
    "dvec4 fvec2 fvec3 fvec4 sampler3DRect filter sizeof cast namespace using row_major sample "
    "double dmat2 dmat3 dmat4 buffer shared coherent restrict readonly writeonly resource atomic_uint patch subroutine "
    "precise"
)
RESERVED = frozenset(_RESERVED_WORDS.split())
#: Keywords of 3.30 that a modern shader may use as such: renamed only where an input or a pass has that name.
_KEYWORDS = (
    "attribute const uniform varying layout centroid flat smooth noperspective break continue do for while switch case "
    "default if else in out inout float int void bool true false invariant discard return lowp mediump highp precision "
    "struct uint mat2 mat3 mat4 vec2 vec3 vec4 ivec2 ivec3 ivec4 bvec2 bvec3 bvec4 uvec2 uvec3 uvec4 sampler2D "
    "samplerCube sampler1D sampler3D texture textureSize textureLod textureProj texture2D texture2DLod texture2DProj "
    "IMG_PIXEL IMG_NORM_PIXEL IMG_SIZE IMG_THIS_PIXEL IMG_THIS_NORM_PIXEL"
)
KEYWORDS = frozenset(_KEYWORDS.split())

_OLD = {
    "gl_FragColor": "isf_FragColor",
    "gl_FragData": "isf_FragData",
    "vv_FragNormCoord": "isf_FragNormCoord",
    "vv_vertShaderInit": "isf_vertShaderInit",
    "gl_TexCoord": "isf_TexCoord",
    "gl_Vertex": "isf_Vertex",
    "gl_Color": "isf_Color",
    "gl_FrontColor": "isf_FrontColor",
    "gl_MultiTexCoord0": "isf_MultiTexCoord0",
    "gl_ModelViewProjectionMatrix": "isf_Matrix",
    "gl_ModelViewMatrix": "isf_Matrix",
    "gl_ProjectionMatrix": "isf_Matrix",
    "ftransform": "isf_ftransform",
    "sampler2DRect": "sampler2D",
    "samplerCube": "sampler2D",
    "texture2DRect": "texture2D_pixels",
    "texture2DLodEXT": "texture2DLod",
    "texture2DGradEXT": "textureGrad",
    "texture2DGradARB": "textureGrad",
    "texelFetch2D": "texelFetch",
    "textureSize2D": "textureSize",
}

_COMMENT = re.compile(r"//(?:\\\n|[^\n])*|/\*.*?(?:\*/|\Z)", re.S)
_WORD = re.compile(r"[A-Za-z_]\w*")
_DIRECTIVE = re.compile(r"^[ \t]*#[ \t]*(?:version|extension)\b[^\n]*", re.M)
_PRECISION = re.compile(r"\bprecision\s+(?:lowp|mediump|highp)\s+\w+\s*;")
_QUALIFIED = re.compile(
    r"\b((?:uniform|varying|in|out|attribute)\s+(?:(?:lowp|mediump|highp|const)\s+)*\w+\s+)"
    r"(\w+(?:\s*\[[^\]]*\])?(?:\s*,\s*\w+)*)(\s*(?:=[^;]{0,4000})?;)"
)
#: Qualifiers of 3.30 that older shaders use as names: nothing that can be qualified follows.
_UNQUALIFYING = re.compile(
    r"\b(smooth|flat|centroid|noperspective)\b(?!\s+(?:in|out|varying|smooth|flat|centroid)\b)"
    r"|\b(layout)\b(?!\s*\()|\b(precision)\b"
)
_C_ARRAY = re.compile(r"\b(\w+)\s+(\w+)\s*\[([^\[\]{};]*)\]\s*=\s*\{([^{};]*)\}")
_INPUT = re.compile(r"^\s*(?:smooth\s+)?in\s+(float|vec2|vec3|vec4|mat2|mat3|mat4)\s+([\w\s,\[\]]+?)\s*;", re.M)
_NEIGHBOUR = re.compile(r"(left|right|above|below)([ab]?)_?coords?", re.I)
_IMAGE_FACT = re.compile(r"\b_(\w+?)_(imgRect|imgSize|flip|normTexCoord|texCoord)\b")

# Where they exist, they take implicit conversions and constants as freely as other drivers do.
_HEAD = (
    "#version 330 core\n#extension GL_ARB_shading_language_420pack : enable\n#extension GL_ARB_gpu_shader5 : enable\n"
    "#extension GL_ARB_shading_language_packing : enable\n"
)
_PIXELS = """\
vec4 IMG_NORM_PIXEL(sampler2D image, vec2 at) { return texture(image, at); }
vec4 IMG_NORM_PIXEL(sampler2D image, vec3 at) { return texture(image, at.xy); }
vec4 IMG_NORM_PIXEL(sampler2D image, vec4 at) { return texture(image, at.xy); }
vec4 IMG_PIXEL(sampler2D image, vec2 at) { return texture(image, at / vec2(textureSize(image, 0))); }
vec4 IMG_PIXEL(sampler2D image, vec3 at) { return IMG_PIXEL(image, at.xy); }
vec4 IMG_PIXEL(sampler2D image, vec4 at) { return IMG_PIXEL(image, at.xy); }
vec4 IMG_THIS_NORM_PIXEL(sampler2D image) { return texture(image, isf_FragNormCoord); }
vec4 IMG_THIS_PIXEL(sampler2D image) { return texture(image, isf_FragNormCoord); }
vec2 IMG_SIZE(sampler2D image) { return vec2(textureSize(image, 0)); }
vec4 texture2D(sampler2D image, vec2 at) { return texture(image, at); }
vec4 texture2DLod(sampler2D image, vec2 at, float level) { return textureLod(image, at, level); }
vec4 texture2D_pixels(sampler2D image, vec2 at) { return IMG_PIXEL(image, at); }
vec4 texture2DProj(sampler2D image, vec3 at) { return textureProj(image, at); }
"""
_BIASED = """\
vec4 texture2D(sampler2D image, vec2 at, float bias) { return texture(image, at, bias); }
vec4 IMG_NORM_PIXEL(sampler2D image, vec2 at, float bias) { return texture(image, at, bias); }
vec4 IMG_PIXEL(sampler2D image, vec2 at, float bias) { return texture(image, at / vec2(textureSize(image, 0)), bias); }
"""
# The nearest thing where a cube map is one picture. Only where it is called: it calls what inputs may be named like.
_CUBE = """\
vec4 textureCube(sampler2D image, vec3 way) {
  vec2 turns = vec2(atan(way.z, way.x), 2.0 * asin(clamp(normalize(way).y, -1.0, 1.0))) / 6.2831853;
  return texture(image, turns + 0.5);
}
"""
_STANDARD = """\
uniform int PASSINDEX;
uniform vec2 RENDERSIZE;
uniform float TIME;
uniform float TIMEDELTA;
uniform vec4 DATE;
uniform int FRAMEINDEX;
"""
#: What reserved words get, to be names; `program.complaint` takes it off again.
SUFFIX = "_isf"
STANDARD = ("PASSINDEX", "RENDERSIZE", "TIME", "TIMEDELTA", "DATE", "FRAMEINDEX")

#: Every word of the standard's, as a name of the author's own: for manners that do not know the standard.
ORDINARY = {name: f"{name}{SUFFIX}" for name in STANDARD}

#: Draws with three vertices: one triangle that covers the target.
VERTEX_SOURCE = """\
#version 330 core
out vec2 isf_FragNormCoord;
void main() {
  isf_FragNormCoord = vec2((gl_VertexID << 1) & 2, gl_VertexID & 2);
  gl_Position = vec4(isf_FragNormCoord * 2.0 - 1.0, 0.0, 1.0);
}
"""
#: Draws with four, a strip: an author's vertex shader may compute what is only right at the corners.
_VERTEX_PRELUDE = """\
out vec2 isf_FragNormCoord;
#define isf_MultiTexCoord0 vec4(float(gl_VertexID & 1), float(gl_VertexID >> 1), 0.0, 1.0)
#define isf_Vertex vec4(isf_MultiTexCoord0.xy * 2.0 - 1.0, 0.0, 1.0)
#define isf_Matrix mat4(1.0)
#define isf_fragCoord floor(isf_FragNormCoord * RENDERSIZE)
#define isf_Color vec4(1.0)
vec4 isf_FrontColor, isf_TexCoord[4];
vec4 isf_ftransform() { return isf_Vertex; }
void isf_vertShaderInit() {
  isf_FragNormCoord = isf_MultiTexCoord0.xy;
  gl_Position = isf_Vertex;
}
"""


def renamed(name: str) -> str:
    """The name that an input or a pass called `name` has in the translated GLSL."""
    return f"{name}{SUFFIX}" if name in RESERVED or name in KEYWORDS else name


def fragment(
    code: str,
    first_line: int,
    uniforms: Mapping[str, str],
    images: Iterable[str],
    before: str = "",
    after: str = "",
    given: Iterable[str] = (),
    names: Mapping[str, str] = {},
) -> str:
    """Translate a fragment shader.

    Parameters
    ----------
    code : str
        The author's GLSL after the header.
    first_line : int
        Its first line's number in the author's file.
    uniforms : Mapping[str, str]
        Name -> GLSL type of the value inputs.
    images : Iterable[str]
        Names of everything that is sampled: image and audio inputs, pass targets, imported pictures.
    before : str, optional
        GLSL 3.30 of our own between declarations and code.
    after : str, optional
        Behind the code.
    given : Iterable[str], optional
        Names that `before` declares: the author's own declarations of them are left out.
    names : Mapping[str, str], optional
        Other names for some of the author's.
    """
    body = translate(code, first_line, uniforms, images, given, names)
    wide = re.search(r"\bisf_FragData\b", body) is not None
    output, zeros = "", list[str]()
    if wide:
        output = "out vec4 isf_FragData[4];\n#define isf_FragColor isf_FragData[0]\n"
        zeros = [f"isf_FragData[{i}] = vec4(0.0);" for i in range(4)]
    elif "isf_FragColor" in body + after:
        output = "out vec4 isf_FragColor;\n"
        zeros = ["isf_FragColor = vec4(0.0);"]
    if re.search(r"\bisf_TexCoord\b", body):
        output += "#define isf_TexCoord vec4[1](vec4(isf_FragNormCoord, 0.0, 1.0))\n"
    if re.search(r"\bisf_Color\b", body):
        output += "#define isf_Color vec4(1.0)\n"
    head = _HEAD + "in vec2 isf_FragNormCoord;\n#define isf_FragCoord gl_FragCoord.xy\n"
    head += "#define isf_fragCoord gl_FragCoord.xy\n" + output
    head += _declarations(uniforms, images, body)
    if "textureCube" in body:
        head += _CUBE
    written = zeroed(before + f"#line {first_line}\n" + body + "\n" + after, tuple(zeros))
    return head + _PIXELS + _BIASED + given_back(before + body) + written


def plain_vertex(fragment: str) -> tuple[str, list[str]]:
    """The vertex shader where the author gave none, and what the fragment shader wants of it beyond the format."""
    wanted: dict[str, str] = {}
    for kind, names in _INPUT.findall(fragment):
        wanted |= {name.strip(): kind for name in names.split(",") if name.strip() != "isf_FragNormCoord"}
    if not wanted:
        return VERTEX_SOURCE, []
    lines = ["  vec2 step = 1.0 / RENDERSIZE;\n"]
    for name, kind in wanted.items():
        if "[" in name:
            plain = name.split("[")[0]
            lines.append(f"  for (int i = 0; i < {plain}.length(); i++) {plain}[i] = {_likely('', kind)};\n")
        else:
            lines.append(f"  {name} = {_likely(name, kind)};\n")
    declared = "uniform vec2 RENDERSIZE;\n" + "".join(f"out {kind} {name};\n" for name, kind in wanted.items())
    source = VERTEX_SOURCE.replace("void main() {\n", f"{declared}void main() {{\n")
    source = source[: source.rindex("}")] + "".join(lines) + "}\n"
    return source, list(wanted)


def _likely(name: str, kind: str) -> str:
    """What a missing vertex shader most likely gave: the neighbours' places, by their usual names, or this place."""
    match = _NEIGHBOUR.fullmatch(name)
    if kind == "vec2" and match is not None:
        x, y = {"left": -1, "right": 1}.get(match[1], 0), {"above": 1, "below": -1}.get(match[1], 0)
        y = {"a": 1, "b": -1}.get(match[2], y)
        return f"isf_FragNormCoord + step * vec2({x}.0, {y}.0)"
    return {
        "vec2": "isf_FragNormCoord",
        "vec3": "vec3(isf_FragNormCoord, 0.0)",
        "vec4": "vec4(isf_FragNormCoord, 0.0, 1.0)",
    }.get(kind, f"{kind}({float(kind.startswith('mat'))})")


def vertex(code: str, uniforms: Mapping[str, str], images: Iterable[str]) -> str:
    """Translate an author's vertex shader, to be drawn as a strip of four vertices."""
    body = translate(code, 1, uniforms, images, vertex=True)
    head = _HEAD + _VERTEX_PRELUDE + _declarations(uniforms, images, body)
    return head + _PIXELS + given_back(body) + zeroed("#line 1\n" + body + "\n")


def _declarations(uniforms: Mapping[str, str], images: Iterable[str], body: str) -> str:
    lines = [f"uniform {kind} {renamed(name)};\n" for name, kind in uniforms.items()]
    lines += [f"uniform sampler2D {renamed(name)};\n" for name in images]
    known = set(images)
    facts = {
        "imgRect": "vec4(0.0, 0.0, 1.0, 1.0)",
        "imgSize": "vec2(textureSize({}, 0))",
        "flip": "false",
        "normTexCoord": "isf_FragNormCoord",
        "texCoord": "isf_FragNormCoord",
    }
    for name, fact in sorted(set(_IMAGE_FACT.findall(body))):
        if name in known:
            lines.append(f"#define _{name}_{fact} {facts[fact].format(renamed(name))}\n")
    return _STANDARD + "".join(lines)


def translate(
    code: str,
    line: int,
    uniforms: Mapping[str, str],
    images: Iterable[str],
    given: Iterable[str] = (),
    names: Mapping[str, str] = {},
    *,
    vertex: bool = False,
) -> str:
    """Old names to new ones outside comments; every line stays on its line.

    Parameters
    ----------
    line : int
        Number of the code's first line.
    given : Iterable[str], optional
        Names whose declarations are left out, besides those of uniforms and images.
    names : Mapping[str, str], optional
        Other names for some of the author's.
    """
    code = code.replace("\r\n", "\n").replace("\r", "\n")
    code = "".join(c if c == "\n" or c == "\t" or 32 <= ord(c) < 127 else " " for c in without_comments(code))
    code = _PRECISION.sub("", _DIRECTIVE.sub("", code))
    ours = set(uniforms) | set(images) | set(given) | {"isf_FragNormCoord", "vv_FragNormCoord"}
    ours |= set(STANDARD) - set(names)
    code = _QUALIFIED.sub(lambda match: _not_ours(match, ours), code)
    code = _C_ARRAY.sub(r"\1 \2[\3] = \1[](\4)", code)
    code = forgive(code, line)
    code = _UNQUALIFYING.sub(lambda match: match[0] + SUFFIX, code)
    words = dict(_OLD)
    words |= {name: f"{name}{SUFFIX}" for name in RESERVED}
    words |= {name: renamed(name) for name in ours if name in KEYWORDS}
    words["varying"] = "out" if vertex else "in"
    words["attribute"] = "in"
    words |= names
    return _WORD.sub(lambda match: words.get(match[0], match[0]), code)


def _not_ours(match: re.Match[str], ours: set[str]) -> str:
    """A declaration without the names that the host declares."""
    names = match[2].split(",")
    left = [name for name in names if name.split("[")[0].strip() not in ours]
    if len(left) == len(names):
        return match[0]
    return match[1] + ",".join(left) + match[3] if left else re.sub(r"[^\n]", "", match[0])


def without_comments(code: str) -> str:
    """The code with a space in each comment's stead; lines stay where they are."""
    return _COMMENT.sub(lambda match: " " + "\n" * match[0].count("\n"), code)
