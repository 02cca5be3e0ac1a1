"""The flash limiter: at most three flashes a second on any part of the picture, for eyes that cannot bear more.

A flash is a rise of relative luminance by a tenth and more after a fall of as much. A red flash is one to or from a
saturated red, where R / (R + G + B) is 0.8 and more, in which (R - G - B) x 320, 0 at the least, rises by 20 and more
after such a fall, however little light that is (W3C, WCAG 2.0 to 2.2, 2.3.1, "general flash and red flash thresholds",
after the rules of broadcasters, ITU-R BT.1702; R, G, B linear). Of either, three are allowed within any second; the
size of what flashes is not told apart here. What would be one too many is drawn darker, so that it rises by less.
Fades, cuts, and pulses up to two a second are left as they are, to the bit.
"""

from __future__ import annotations

import moderngl

from performer.content.shaders.glsl import VERTEX_SOURCE
from performer.gl.render.compose import TAME
from performer.gl.render.wait import after_pass

TILES = (6, 4)  # parts of the picture that are looked after by themselves
STEP = 0.095  # of relative luminance: a tenth is a flash; the rest is for eight bits, and for sRGB as a power of 2.2
RED_STEP = 0.055  # of R - G - B: 20 / 320 is a flash
RATE_HZ = 2.0  # with one to begin with, three in a second
GAMMA = 2.2

# Of each tile, for its luminance and for its red: what it last turned at, whether it has risen since, how many flashes
# it may. What was shown counts: what one of the two holds down, the other does not see. And the gain, in `light.a`.
_LOOK = f"""\
#version 330 core
layout(location = 0) out vec4 light_state;
layout(location = 1) out vec4 red_state;
uniform sampler2D image, before, red_before;
uniform float dt, light;
const int GRID = 16;
{TAME}
float allowed(float seen, float step, vec4 old) {{
  return old.y < 0.5 && seen > old.x + step && min(1.0, old.z + {RATE_HZ} * dt) < 1.0 ? old.x + step : seen;
}}
vec4 after(float shown, float step, vec4 old) {{
  float turned = old.x, risen = old.y, may = min(1.0, old.z + {RATE_HZ} * dt);
  if (risen > 0.5) {{
    turned = max(turned, shown);
    if (shown < turned - step) {{ risen = 0.0; turned = shown; }}
  }} else {{
    turned = min(turned, shown);
    if (shown > turned + step * 1.0001) {{ may = max(may - 1.0, 0.0); risen = 1.0; turned = shown; }}
  }}
  return vec4(turned, risen, may, 1.0);
}}
void main() {{
  vec2 tiles = vec2({TILES[0]}.0, {TILES[1]}.0), corner = floor(gl_FragCoord.xy);
  float seen = 0.0, red = 0.0;
  for (int y = 0; y < GRID; y++) for (int x = 0; x < GRID; x++) {{
    vec3 c = tame(max(texture(image, (corner + (vec2(x, y) + 0.5) / float(GRID)) / tiles).rgb, 0.0) * light);
    c = pow(c, vec3({GAMMA}));
    seen += dot(c, vec3(0.2126, 0.7152, 0.0722));
    red += smoothstep(0.75, 0.8, c.r / max(c.r + c.g + c.b, 1e-6)) * max(c.r - c.g - c.b, 0.0);
  }}
  seen /= float(GRID * GRID);
  red /= float(GRID * GRID);
  vec4 old = texelFetch(before, ivec2(corner), 0), old_red = texelFetch(red_before, ivec2(corner), 0);
  float shown = allowed(seen, {STEP}, old), gain = seen > shown ? shown / seen : 1.0;
  float shown_red = allowed(red * gain, {RED_STEP}, old_red);
  if (red * gain > shown_red) gain = shown_red / red;
  light_state = vec4(after(seen * gain, {STEP}, old).xyz, gain);
  red_state = after(red * gain, {RED_STEP}, old_red);
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
        for unit, name in enumerate(("image", "before", "red_before")):
            uniform = self._look[name]
            assert isinstance(uniform, moderngl.Uniform)
            uniform.value = unit
        self._look_vao, self._dim_vao = self._vaos = [ctx.vertex_array(program, []) for program in self._programs]
        self._states = [[ctx.texture(TILES, 4, dtype="f4") for _ in ("light", "red")] for _ in range(2)]
        self._targets = [ctx.framebuffer(textures) for textures in self._states]
        for target in self._targets:
            target.clear(0.0, 1.0, 1.0, 1.0)
        for texture in (texture for textures in self._states for texture in textures):
            texture.repeat_x = texture.repeat_y = False

    def look(self, picture: moderngl.Texture, dt: float, light: float) -> None:
        """Take note of the next picture, to be shown times `light`, dt seconds after the last."""
        self._states.reverse()
        self._targets.reverse()
        self._targets[0].use()
        for unit, texture in enumerate((picture, *self._states[1])):
            texture.use(unit)
        self._look["dt"], self._look["light"] = dt, light
        self._look_vao.render(moderngl.TRIANGLES, 3)
        self._after()

    def dim(self, target: moderngl.Framebuffer) -> None:
        """Darken that picture, which was drawn over the whole of `target`."""
        ctx = self._ctx
        target.use()
        self._states[0][0].use(0)
        ctx.enable(moderngl.BLEND)
        ctx.blend_func = moderngl.ZERO, moderngl.SRC_COLOR
        self._dim_vao.render(moderngl.TRIANGLES, 3)
        ctx.disable(moderngl.BLEND)
        self._after()

    def release(self) -> None:
        for target, textures in zip(self._targets, self._states, strict=True):
            for texture in textures:
                texture.release()
            target.release()
        for vao in self._vaos:
            vao.release()
        for program in self._programs:
            program.release()
