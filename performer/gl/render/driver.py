"""What the graphics driver says of itself."""

from __future__ import annotations

import re

import moderngl

#: Renderers that draw on the processor: Mesa's, Google's, Intel's, Microsoft's (with its OpenGL 1.1) and Apple's.
_SOFTWARE = re.compile(
    r"llvmpipe|lavapipe|softpipe|swrast|\bswr\b|software|swiftshader|basic render|\bwarp\b|gdi generic", re.IGNORECASE
)


def is_software(ctx: moderngl.Context) -> bool:
    """Whether the processor does the drawing: then bytes are cheaper than floats, and reading back costs little."""
    return _SOFTWARE.search(str(ctx.info["GL_RENDERER"])) is not None
