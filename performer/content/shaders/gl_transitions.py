"""Transitions as https://gl-transitions.com has them: `vec4 transition(vec2 uv)` with getFromColor and getToColor.

Only a shim around the author's code: what it draws is what its author wrote.
"""

from __future__ import annotations

import re
from pathlib import Path

from performer.content.shaders import glsl, uniform_params
from performer.content.shaders.spec import Pass, ShaderSpec
from performer.system.errors import Fault

ENTRY = re.compile(r"\bvec4\s+transition\s*\(")
_GIVEN = frozenset({"progress", "ratio", "startImage", "endImage"})
_BEFORE = """\
float ratio = RENDERSIZE.x / RENDERSIZE.y;
vec4 getFromColor(vec2 uv) { return texture(startImage, uv); }
vec4 getToColor(vec2 uv) { return texture(endImage, uv); }
"""
_AFTER = "void main() { isf_FragColor = transition(isf_FragNormCoord); }\n"
_TAG = re.compile(r"^\s*(?://|\*|/\*)\s*(author|name)s?\s*:?\s*(.+?)\s*(?:\*/)?$", re.I | re.M)


def parse(text: str, name: str, path: Path | None = None) -> ShaderSpec:
    """Read a transition; its `uniform float x; // = 0.5` are knobs. Raises Fault."""
    where = str(path) if path is not None else name
    if ENTRY.search(text) is None:
        raise Fault(f"{where}:1: no transition; expected vec4 transition(vec2 uv) {{ ... }}")
    knobs = uniform_params.read(text, _GIVEN)
    uniforms = {**knobs.uniforms, "progress": "float"}
    images = ("startImage", "endImage", *knobs.images)
    fragment = glsl.fragment(text, 1, uniforms, images, _BEFORE + knobs.shims, _AFTER, _GIVEN)
    tags = {key.lower(): value for key, value in _TAG.findall(text[:2000])}
    return ShaderSpec(
        name=name,
        kind="transition",
        description=tags.get("name", ""),
        credit=tags.get("author", ""),
        categories=("Transition",),
        inputs=knobs.params,
        images=images,
        audio=(),
        passes=(Pass(),),
        buffers=(),
        imported=(),
        fragment=fragment,
        vertex=glsl.VERTEX_SOURCE,
        path=path,
    )
