"""The test card, by which a projector is set up: is all of the picture there, round, sharp, in its colours, on time?"""

from __future__ import annotations

from collections.abc import Sequence

import moderngl
import numpy as np

from performer.content.shaders.glsl import VERTEX_SOURCE
from performer.gl.hud.glyphs import FRAGMENT, LAYOUT, NAMES, QUAD, VERTEX, Atlas
from performer.gl.render.wait import after_pass

CELLS = 12  # squares of the grid along the shorter side
SWEEP = 120  # pictures in which the upright line crosses the card
MOST_LETTERS = 512

# Safe areas: 93 % for all that moves, 90 % for text (SMPTE ST 2046-1, EBU R 95). Bars: 75 % (ITU-R BT.471).
_CARD = f"""\
#version 330 core
out vec4 pixel;
uniform vec2 size;
uniform int number;
const vec3 BARS[8] = vec3[](vec3(.75), vec3(.75, .75, 0), vec3(0, .75, .75), vec3(0, .75, 0),
                            vec3(.75, 0, .75), vec3(.75, 0, 0), vec3(0, 0, .75), vec3(0));
bool edge(vec2 away, vec2 half_size, float width) {{  // on the rim of a box about the middle, inside of it
  vec2 inside = half_size - away;
  return min(inside.x, inside.y) >= 0.0 && min(inside.x, inside.y) < width;
}}
bool ring(vec2 at, float radius, float width) {{ return abs(length(at) - radius) < 0.5 * width; }}
void main() {{
  vec2 p = vec2(gl_FragCoord.x, size.y - gl_FragCoord.y), middle = 0.5 * size, from = p - middle, away = abs(from);
  float cell = floor(min(size.x, size.y) / {CELLS}.0), line = max(1.0, floor(size.y / 720.0));
  vec3 c = vec3(0.16);
  if (any(lessThan(mod(away, cell), vec2(line)))) c = vec3(0.5);
  if (edge(away, floor(middle * 0.93), line + 1.0) && mod(p.x + p.y, 16.0) < 8.0) c = vec3(0.2, 0.8, 1.0);
  if (edge(away, floor(middle * 0.90), line + 1.0) && mod(p.x + p.y, 16.0) < 8.0) c = vec3(1.0, 0.8, 0.2);
  if (ring(from, 5.5 * cell, line + 1.0)) c = vec3(1.0);
  if (ring(away - (middle - 1.5 * cell), 1.25 * cell, line + 1.0)) c = vec3(1.0);
  vec2 at = from / cell;
  if (abs(at.x) < 4.0) {{
    float x = at.x + 4.0;
    if (at.y >= -4.0 && at.y < -3.0) {{  // lines of one pixel: blurred where the screen does not show its own pixels
      ivec2 q = ivec2(p);
      c = vec3(x < 2.0 ? q.x & 1 : x < 4.0 ? q.y & 1 : x < 6.0 ? (q.x ^ q.y) & 1 : (q.x >> 1) & 1);
    }} else if (at.y >= -3.0 && at.y < 1.0) {{
      c = vec3(0.04);  // for text
    }} else if (at.y >= 1.0 && at.y < 2.5) {{
      c = BARS[int(x)];
    }} else if (at.y >= 2.5 && at.y < 3.25) {{
      c = vec3(floor(x / 8.0 * 11.0) / 10.0);
    }} else if (at.y >= 3.25 && at.y < 4.0) {{  // next to black and next to white
      float step = floor(fract(x / 4.0) * 8.0), shade = mod(step, 2.0) < 1.0 ? 0.0 : 0.01 * (step + 1.0);
      c = vec3(x < 4.0 ? shade : 1.0 - shade);
    }}
  }}
  if (at.y >= 4.125 && at.y < 4.625 && abs(at.x) < 2.5)  // one of ten is lit in turn: a camera sees what is left out
    c = vec3(int(2.0 * (at.x + 2.5)) == number % 10 ? 1.0 : 0.0);
  if (abs(p.x - (float(number % {SWEEP}) + 0.5) / {SWEEP}.0 * size.x) < line) c = vec3(1.0);  // a tear breaks it
  if (edge(away, middle, 1.0)) c = vec3(1.0);  // the outermost pixels
  pixel = vec4(c, 1.0);
}}
"""


class Card:
    """Draws the card. GL thread only."""

    def __init__(self, ctx: moderngl.Context) -> None:
        self._ctx, self._after = ctx, after_pass(ctx)
        self._card = ctx.program(vertex_shader=VERTEX_SOURCE, fragment_shader=_CARD)
        self._whole = ctx.vertex_array(self._card, [])
        self._letters = ctx.program(VERTEX, FRAGMENT)
        self._buffer = ctx.buffer(reserve=MOST_LETTERS * QUAD * 4, dynamic=True)
        self._quads = ctx.vertex_array(self._letters, [(self._buffer, LAYOUT, *NAMES)])
        self._data = np.zeros((MOST_LETTERS, QUAD), np.float32)
        self._atlas: Atlas | None = None

    def draw(self, target: moderngl.Framebuffer, size: tuple[int, int], number: int, lines: Sequence[str]) -> None:
        """Draw the picture of that number over `target`, whose size in pixels is (width, height).

        Parameters
        ----------
        lines : Sequence[str]
            Lines of text in its middle, at most six; the first one is larger than the others by being brighter.
        """
        target.use()
        self._card["size"], self._card["number"] = tuple(map(float, size)), number
        self._whole.render(moderngl.TRIANGLES, 3)
        self._after()
        cell = min(size) // CELLS
        wanted = max(8, round(0.4 * cell))
        if self._atlas is None or self._atlas.pixels != wanted:
            self._atlas = Atlas(self._ctx, wanted)
        atlas = self._atlas
        count = 0
        top = size[1] / 2 - cell - len(lines) * atlas.line / 2
        for place, text in enumerate(lines):
            shown = atlas.fit(text, 7.6 * cell)
            shade = 1.0 if place == 0 else 0.8
            count += atlas.write(
                self._data[count:],
                shown,
                round(size[0] / 2 - atlas.width(shown) / 2),
                round(top + place * atlas.line),
                (shade, shade, shade, 1.0),
            )
        self._buffer.orphan()
        self._buffer.write(self._data[:count])
        atlas.texture.use(0)
        self._letters["screen"] = size
        self._ctx.enable(moderngl.BLEND)
        self._ctx.blend_func = moderngl.ONE, moderngl.ONE_MINUS_SRC_ALPHA
        self._quads.render(moderngl.TRIANGLE_STRIP, vertices=4, instances=count)
        self._ctx.disable(moderngl.BLEND)
