"""The flash limiter: at most three flashes a second on any part of the picture, for eyes that cannot bear more.

A flash is a rise of relative luminance by a tenth and more after a fall of as much (W3C, WCAG 2.2, 2.3.1, which allows
three within any second; red ones and the size of what flashes are not told apart here). What would be one too many is
drawn darker, so that it rises by less. Fades, cuts, and pulses up to two a second are left as they are, to the bit.
"""

from __future__ import annotations

import moderngl

from performer.gl.compose import TAME
from performer.gl.flush import after_pass
from performer.isf.glsl import VERTEX_SOURCE

TILES = (6, 4)  # parts of the picture that are looked after by themselves
STEP = 0.095  # of relative luminance: a tenth is a flash; the rest is for eight bits, and for sRGB as a power of 2.2
RATE_HZ = 2.0  # with one to begin with, three in a second
GAMMA = 2.2

# A tile's state: the luminance it last turned at, whether it has risen since, how many flashes it may, and its gain.
_LOOK = f"""\
#version 330 core
out vec4 state;
uniform sampler2D image, before;
uniform float dt, light;
const int GRID = 16;
{TAME}
void main() {{
  vec2 tiles = vec2({TILES[0]}.0, {TILES[1]}.0), corner = floor(gl_FragCoord.xy);
  float seen = 0.0;
  for (int y = 0; y < GRID; y++) for (int x = 0; x < GRID; x++) {{
    vec3 c = tame(max(texture(image, (corner + (vec2(x, y) + 0.5) / float(GRID)) / tiles).rgb, 0.0) * light);
    seen += dot(pow(c, vec3({GAMMA})), vec3(0.2126, 0.7152, 0.0722));
  }}
  seen /= float(GRID * GRID);
  vec4 old = texelFetch(before, ivec2(corner), 0);
  float turned = old.x, risen = old.y, may = min(1.0, old.z + {RATE_HZ} * dt), shown = seen;
  if (risen > 0.5) {{
    turned = max(turned, seen);
    if (seen < turned - {STEP}) {{ risen = 0.0; turned = seen; }}
  }} else {{
    turned = min(turned, seen);
    if (seen > turned + {STEP}) {{
      if (may >= 1.0) {{ may -= 1.0; risen = 1.0; turned = seen; }}
      else shown = turned + {STEP};
    }}
  }}
  state = vec4(turned, risen, may, seen > shown ? shown / seen : 1.0);
}}
"""
# No tile is brighter anywhere than it may be, and none that does not flash is touched; between two that do it is soft.
_DIM = f"""\
#version 330 core
in vec2 isf_FragNormCoord;
out vec4 pixel;
uniform sampler2D state;
void main() {{
  float gain = texelFetch(state, ivec2(isf_FragNormCoord * vec2({TILES[0]}.0, {TILES[1]}.0)), 0).a;
  if (gain < 1.0) gain = pow(min(gain, texture(state, isf_FragNormCoord).a), {1.0 / GAMMA:.6f});
  pixel = vec4(vec3(gain), 1.0);
}}
"""


class FlashLimiter:
    """Looks at every picture, and darkens what of it would flash too often. GL thread only."""

    def __init__(self, ctx: moderngl.Context) -> None:
        self._ctx, self._after = ctx, after_pass(ctx)
        self._programs = [ctx.program(vertex_shader=VERTEX_SOURCE, fragment_shader=source) for source in (_LOOK, _DIM)]
        self._look, self._dim = self._programs
        self._look["before"].value = 1  # type: ignore[union-attr]
        self._look_vao, self._dim_vao = self._vaos = [ctx.vertex_array(program, []) for program in self._programs]
        self._states = [ctx.framebuffer([ctx.texture(TILES, 4, dtype="f4")]) for _ in range(2)]
        for state in self._states:
            state.clear(0.0, 1.0, 1.0, 1.0)
            texture = state.color_attachments[0]
            texture.repeat_x = texture.repeat_y = False

    def look(self, picture: moderngl.Texture, dt: float, light: float) -> None:
        """Take note of the next picture, to be shown times `light`, dt seconds after the last."""
        before, now = self._states
        self._states = [now, before]
        now.use()
        picture.use(0)
        before.color_attachments[0].use(1)
        self._look["dt"].value, self._look["light"].value = dt, light  # type: ignore[union-attr]
        self._look_vao.render(moderngl.TRIANGLES, 3)
        self._after()

    def dim(self, target: moderngl.Framebuffer) -> None:
        """Darken that picture, which was drawn over the whole of `target`."""
        ctx = self._ctx
        target.use()
        self._states[0].color_attachments[0].use(0)
        ctx.enable(moderngl.BLEND)
        ctx.blend_func = moderngl.ZERO, moderngl.SRC_COLOR
        self._dim_vao.render(moderngl.TRIANGLES, 3)
        ctx.disable(moderngl.BLEND)
        self._after()

    def release(self) -> None:
        for state in self._states:
            state.color_attachments[0].release()
            state.release()
        for part in (*self._vaos, *self._programs):
            part.release()
