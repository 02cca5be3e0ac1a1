"""The few passes of our own: copy, mix two layers, the last one to the screen."""

from __future__ import annotations

import moderngl

from performer.gl.flush import after_pass
from performer.isf.glsl import VERTEX_SOURCE

#: Order of `preset.BLENDS`, as the mix shader numbers them.
MODES = {"normal": 0, "add": 1, "screen": 2, "multiply": 3, "lighten": 4, "difference": 5}

_COPY = """\
#version 330 core
in vec2 isf_FragNormCoord;
out vec4 pixel;
uniform sampler2D image;
uniform float gain;
void main() { pixel = texture(image, isf_FragNormCoord) * gain; }
"""
# Layers are opaque unless their shader says otherwise, so the picture below is weighed by alpha and opacity.
_MIX = """\
#version 330 core
in vec2 isf_FragNormCoord;
out vec4 pixel;
uniform sampler2D below;
uniform sampler2D above;
uniform float opacity;
uniform int mode;
void main() {
  vec3 a = texture(below, isf_FragNormCoord).rgb;
  vec4 top = texture(above, isf_FragNormCoord);
  vec3 b = top.rgb;
  vec3 c = b;
  if (mode == 1) c = a + b;
  else if (mode == 2) c = 1.0 - (1.0 - a) * (1.0 - b);
  else if (mode == 3) c = a * b;
  else if (mode == 4) c = max(a, b);
  else if (mode == 5) c = abs(a - b);
  pixel = vec4(mix(a, c, clamp(top.a, 0.0, 1.0) * opacity), 1.0);
}
"""
_DARK = """\
#version 330 core
in vec2 isf_FragNormCoord;
out vec4 pixel;
void main() {
  vec2 p = isf_FragNormCoord - vec2(0.5, 0.35);
  float light = 0.07 + 0.13 * exp(-3.0 * dot(p, p));
  pixel = vec4(light * vec3(0.85, 0.92, 1.1), 1.0);
}
"""


class Compose:
    """Copies and mixes textures; every method draws over the whole of `into`."""

    def __init__(self, ctx: moderngl.Context) -> None:
        self._after = after_pass(ctx)
        self._copy = ctx.program(vertex_shader=VERTEX_SOURCE, fragment_shader=_COPY)
        self._mix = ctx.program(vertex_shader=VERTEX_SOURCE, fragment_shader=_MIX)
        self._dark = ctx.program(vertex_shader=VERTEX_SOURCE, fragment_shader=_DARK)
        self._mix["below"].value, self._mix["above"].value = 0, 1  # type: ignore[union-attr]
        self._copy_vao, self._mix_vao, self._dark_vao = (
            ctx.vertex_array(p, []) for p in (self._copy, self._mix, self._dark))

    def copy(self, image: moderngl.Texture, into: moderngl.Framebuffer, gain: float = 1.0) -> None:
        """The image times gain, stretched to fit, linearly filtered."""
        into.use()
        image.use(0)
        self._copy["gain"].value = gain  # type: ignore[union-attr]
        self._copy_vao.render(moderngl.TRIANGLES, 3)
        self._after()

    def mix(self, below: moderngl.Texture, above: moderngl.Texture, mode: int, opacity: float,
            into: moderngl.Framebuffer) -> None:
        """`above` on `below` by one of MODES, `opacity` 0..1."""
        into.use()
        below.use(0)
        above.use(1)
        self._mix["mode"].value, self._mix["opacity"].value = mode, opacity  # type: ignore[union-attr]
        self._mix_vao.render(moderngl.TRIANGLES, 3)
        self._after()

    def dark(self, into: moderngl.Framebuffer) -> None:
        """A dark neutral glow: what is seen where nothing can be drawn yet."""
        into.use()
        self._dark_vao.render(moderngl.TRIANGLES, 3)
        self._after()

    def release(self) -> None:
        for part in (self._copy_vao, self._mix_vao, self._dark_vao, self._copy, self._mix, self._dark):
            part.release()
