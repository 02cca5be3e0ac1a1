"""A translated shader made for what does not change: knobs that stand still, pictures as large as what is drawn.

Where the processor draws, a branch that is not taken is computed all the same, and a power of one takes as long as any;
and a picture of the same size need not be filtered. The result differs by rounding at most.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from math import isfinite

from performer.content.shaders.glsl import renamed
from performer.types.params import Value

_FILTERED = (
    "vec4 IMG_THIS_NORM_PIXEL(sampler2D image) { return texture(image, isf_FragNormCoord); }\n"
    "vec4 IMG_THIS_PIXEL(sampler2D image) { return texture(image, isf_FragNormCoord); }\n"
)
_FETCHED = _FILTERED.replace("texture(image, isf_FragNormCoord)", "texelFetch(image, ivec2(gl_FragCoord.xy), 0)")
_HERE = re.compile(r"\bIMG_THIS(?:_NORM)?_PIXEL\s*\(\s*(?!sampler2D\b)([^()]*?)\s*\)")


def constant(fragment: str, values: Mapping[str, Value]) -> str:
    """The shader with these inputs as constants; those that are not finite stay as they are."""
    for name, value in values.items():
        parts = value if isinstance(value, tuple) else (value,)
        if all(isfinite(part) for part in parts):
            fragment = re.sub(
                rf"^uniform (\w+) {renamed(name)};$",
                lambda match, of=parts: _declared(match[0], match[1], of),  # type: ignore[misc]
                fragment,
                count=1,
                flags=re.M,
            )
    return fragment


def _declared(line: str, kind: str, parts: tuple[float, ...]) -> str:
    text = {"bool": lambda: str(parts[0] >= 0.5).lower(), "int": lambda: str(int(parts[0]))}.get(
        kind, lambda: f"{kind}({', '.join(repr(float(part)) for part in parts)})"
    )()
    return line.replace("uniform", "const", 1).replace(";", f" = {text};")


def here(fragment: str, images: Iterable[str]) -> frozenset[str]:
    """Names of the image inputs that are sampled at the very pixel that is drawn; none where others are, too."""
    known = {renamed(name): name for name in images}
    sampled = set(_HERE.findall(fragment))
    whole = sampled <= set(known) and _FILTERED in fragment
    return frozenset(known[name] for name in sampled) if whole else frozenset()


def fetched(fragment: str) -> str:
    """The shader where what it samples at the very pixel that is drawn is read as it is: see `here`."""
    return fragment.replace(_FILTERED, _FETCHED, 1)
