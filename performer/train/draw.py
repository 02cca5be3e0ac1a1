"""Endless training pictures, free of rights: each is drawn by one fragment shader from random numbers alone."""

from __future__ import annotations

import moderngl
import numpy as np

from performer.gl.headless import Headless

SOURCES = ("marble", "flow", "nebula", "cells")

_VERTEX = """
#version 330 core
out vec2 uv;
void main() {
  vec2 p = vec2((gl_VertexID << 1) & 2, gl_VertexID & 2);
  uv = p;
  gl_Position = vec4(p * 2.0 - 1.0, 0.0, 1.0);
}
"""

_FRAGMENT = """
#version 330 core
in vec2 uv;
out vec4 pixel;
uniform vec4 a, b, c, d;  // sixteen random numbers in 0..1
uniform int source;

float hash(vec2 p) {
  vec3 q = fract(vec3(p.xyx) * 0.1031);
  q += dot(q, q.yzx + 33.33);
  return fract((q.x + q.y) * q.z);
}
vec2 hash2(vec2 p) { return vec2(hash(p), hash(p + 57.31)); }
float noise(vec2 p) {
  vec2 i = floor(p), f = fract(p);
  f = f * f * f * (f * (f * 6.0 - 15.0) + 10.0);
  return mix(mix(hash(i), hash(i + vec2(1, 0)), f.x), mix(hash(i + vec2(0, 1)), hash(i + vec2(1, 1)), f.x), f.y);
}
float fbm(vec2 p, int octaves) {
  float sum = 0.0, size = 0.5;
  for (int i = 0; i < octaves; i++) { sum += size * noise(p); p = mat2(1.6, 1.2, -1.2, 1.6) * p + 7.3; size *= 0.5; }
  return sum;
}
// Cosine palettes: Inigo Quilez, "Palettes", 1999.
vec3 palette(float t) {
  vec3 phase = vec3(0.0, 0.12 + 0.28 * d.x, 0.22 + 0.45 * d.y) + d.z;
  return clamp(0.52 + 0.5 * cos(6.28318 * (t * (0.7 + 0.6 * d.w) + phase)), 0.0, 1.0);
}
vec2 fold(vec2 p, float way) {  // some pictures are kaleidoscopic
  if (way < 0.62) return p;
  float n = floor(3.0 + 5.0 * fract(way * 17.0)), turn = 6.28318 / n;
  float angle = mod(atan(p.y, p.x), turn);
  angle = abs(angle - 0.5 * turn);
  return length(p) * vec2(cos(angle), sin(angle));
}

vec3 marble(vec2 p) {
  float zoom = mix(0.45, 1.1, a.x);
  p = fold(p, a.y) * zoom + a.zw * 40.0;
  vec2 q = vec2(fbm(p, 4), fbm(p + 5.2, 4));
  vec2 r = vec2(fbm(p + 3.5 * q + b.x * 9.0, 4), fbm(p + 3.5 * q + 8.3, 4));
  float f = fbm(p + mix(2.0, 4.5, b.y) * r, 5);
  vec3 colour = palette(f * 1.9 + 0.35 * r.x);
  float vein = 1.0 - smoothstep(0.0, 0.055, abs(f - 0.46 - 0.12 * (q.x - 0.5)));
  float fine = 1.0 - smoothstep(0.0, 0.03, abs(fract(f * 7.0) - 0.5) - 0.02);
  colour *= 0.25 + 1.15 * smoothstep(0.15, 0.75, r.y);
  return colour + vein * vec3(1.0, 0.82, 0.55) * 0.75 + fine * 0.12;
}
vec3 flow(vec2 p) {
  p = fold(p, a.y) * mix(0.5, 1.1, a.x) + a.zw * 40.0;
  vec2 w = p;
  for (int i = 0; i < 3; i++) {
    float n = fbm(w * 0.9 + b.xy * 11.0, 3) * 6.28318 * 1.6;
    w += 0.42 * vec2(cos(n), sin(n));
  }
  float f = fbm(w * 0.8, 3), bands = f * mix(9.0, 20.0, b.z);
  float ridge = 0.5 + 0.5 * sin(bands * 3.14159);
  vec3 colour = palette(f * 2.2 + 0.12 * floor(bands)) * (0.18 + 0.95 * ridge * ridge);
  float light = pow(ridge, 9.0);
  return colour + light * palette(f + 0.5) * 0.6;
}
vec3 nebula(vec2 p) {
  vec2 s = p;
  p = fold(p, a.y * 0.8) * mix(0.8, 1.7, a.x) + a.zw * 40.0;
  vec2 q = vec2(fbm(p, 5), fbm(p + 3.1, 5));
  float cloud = fbm(p + 2.6 * q + b.xy * 5.0, 6), dust = fbm(p * 1.7 - 2.2 * q.yx + 11.0, 5);
  float glow = smoothstep(0.22, 0.70, cloud), dark = smoothstep(0.42, 0.70, dust);
  vec3 colour = palette(cloud * 1.5 + 0.25 * q.x) * glow * 1.5 + palette(q.y * 1.3 + 0.4) * pow(glow, 3.0) * 1.3;
  colour *= mix(1.0, 0.12, dark);
  colour += 0.7 * pow(max(0.0, 1.0 - length(s - (b.zw - 0.5) * 1.1) * 1.1), 3.0) * palette(0.2 + q.x);
  return 1.0 - exp(-colour * 1.6);
}
vec3 cells(vec2 p) {
  p = fold(p, a.y) * mix(1.4, 2.8, a.x) + a.zw * 40.0;
  p += 0.7 * (vec2(fbm(p * 0.7, 3), fbm(p * 0.7 + 9.1, 3)) - 0.5) * (0.5 + 2.0 * b.x);
  vec2 cell = floor(p), at = fract(p);
  float first = 8.0, second = 8.0; vec2 id = vec2(0.0), to = vec2(0.0);
  for (int y = -1; y <= 1; y++) for (int x = -1; x <= 1; x++) {
    vec2 g = vec2(x, y), o = hash2(cell + g), r = g + o - at;
    float dist = dot(r, r);
    if (dist < first) { second = first; first = dist; id = cell + g; to = r; } else second = min(second, dist);
  }
  float edge = sqrt(second) - sqrt(first), body = smoothstep(0.0, 0.22, edge), tone = hash(id);
  float rim = exp(-edge * mix(9.0, 22.0, b.y));
  vec3 colour = palette(tone * 0.75 + 0.25 * sqrt(first)) * body * (1.15 - 0.75 * sqrt(first));
  colour += rim * palette(tone * 0.2 + 0.55) * 1.1;
  colour += pow(max(0.0, 1.0 - length(to + vec2(0.12, -0.14)) * 2.2), 4.0) * 0.55;
  return colour;
}
void main() {
  vec2 p = uv * 2.0 - 1.0;
  float turn = 6.28318 * c.x;
  p = mat2(cos(turn), -sin(turn), sin(turn), cos(turn)) * p + (c.yz - 0.5) * 0.5;
  vec3 colour = source == 0 ? marble(p) : source == 1 ? flow(p) : source == 2 ? nebula(p) : cells(p);
  colour = clamp(colour, 0.0, 1.0);
  pixel = vec4(mix(colour, colour * colour * (3.0 - 2.0 * colour), 0.6), 1.0);
}
"""


class Easel:
    """Draws pictures of some sources at one size; the same seed and indexes give the same pictures.

    sources  names of SOURCES, drawn in turn
    size     pixels on a side; every picture is drawn at twice that and averaged
    """

    def __init__(self, sources: tuple[str, ...], size: int, seed: int) -> None:
        self.kinds = [SOURCES.index(name) for name in sources]
        self.size, self.seed = size, seed
        self._surface = Headless((2 * size, 2 * size))
        ctx = self._surface.ctx
        self._program = ctx.program(_VERTEX, _FRAGMENT)
        self._quad = ctx.vertex_array(self._program, [])
        self._target = ctx.framebuffer([ctx.texture((2 * size, 2 * size), 3)])

    def draw(self, index: int) -> np.ndarray:
        """Picture number `index`: (size, size, 3) uint8."""
        rng = np.random.default_rng((self.seed, index))
        for name in "abcd":
            self._program[name] = tuple(rng.random(4))
        self._program["source"] = self.kinds[index % len(self.kinds)]
        self._target.use()
        self._quad.render(moderngl.TRIANGLES, 3)
        large = np.frombuffer(self._target.read(components=3, alignment=1), np.uint8)
        pixels = large.reshape(self.size, 2, self.size, 2, 3).astype(np.uint16)
        return ((pixels.sum(axis=(1, 3)) + 2) // 4).astype(np.uint8)

    def draw_many(self, first: int, count: int) -> np.ndarray:
        """Pictures first .. first + count: (count, size, size, 3) uint8."""
        return np.stack([self.draw(i) for i in range(first, first + count)])

    def close(self) -> None:
        self._surface.close()
