"""Endless training pictures, free of rights: each is drawn by one fragment shader from random numbers alone."""

from __future__ import annotations

import moderngl
import numpy as np

from performer.gl.window.offscreen import Offscreen

SOURCES = ("marble", "flow", "nebula", "cells", "forms", "blossom")

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
// Soft bodies melted into each other (distance fields: Inigo Quilez, "Smooth minimum", 2013), lit from two sides.
float melted(float x, float y, float k) {
  float h = max(k - abs(x - y), 0.0) / k;
  return min(x, y) - h * h * k * 0.25;
}
vec4 part[5];  // where, and how large; negative: a ring
mat2 lean[5];
float body(vec3 p) {
  float bend = mix(-1.2, 1.2, b.x) * p.y;
  p.xz = mat2(cos(bend), -sin(bend), sin(bend), cos(bend)) * p.xz;
  float far = 1e3;
  for (int i = 0; i < 5; i++) {
    vec3 q = p - part[i].xyz;
    float size = abs(part[i].w), one = length(q) - size;
    if (part[i].w < 0.0) {
      q.xy = lean[i] * q.xy;
      q.yz = mat2(0.6, -0.8, 0.8, 0.6) * q.yz;
      one = length(vec2(length(q.xy) - 1.15 * size, q.z)) - 0.34 * size;
    }
    far = melted(far, one, mix(0.12, 0.42, b.y));
  }
  return far + mix(0.0, 0.018, step(0.6, c.w)) * sin(34.0 * p.y + 9.0 * p.x);
}
vec3 forms(vec2 p) {
  for (int i = 0; i < 5; i++) {
    float n = float(i), turn = 6.28318 * hash(a.xw * 43.0 + n);
    part[i] = vec4(0.95 * (vec3(hash(a.xy * 91.0 + n), hash(a.zw * 71.0 + n), hash(b.yz * 53.0 + n)) - 0.5),
                   mix(0.16, 0.40, hash(b.zw * 37.0 + n)) * (hash(a.yz * 29.0 + n) > 0.55 ? -1.0 : 1.0));
    lean[i] = mat2(cos(turn), -sin(turn), sin(turn), cos(turn));
  }
  vec3 eye = vec3(0.0, 0.0, 2.4), way = normalize(vec3(p * 0.40, -1.0));
  float t = 0.0, near = 1e3;
  bool hit = false;
  for (int i = 0; i < 60; i++) {
    float far = body(eye + way * t);
    near = min(near, far);
    if (far < 0.002) { hit = true; break; }
    t += far * 0.75;
    if (t > 4.2) break;
  }
  vec3 low = palette(0.08) * 0.10, high = palette(0.42) * 0.42;
  vec3 behind = mix(low, high, smoothstep(1.5, 0.0, length(p - vec2(0.2, -0.15))));
  behind += palette(0.75) * 0.35 * exp(-9.0 * max(near, 0.0));
  if (!hit) return behind;
  vec3 at = eye + way * t;
  vec2 e = vec2(0.004, 0.0);
  vec3 n = normalize(vec3(body(at + e.xyy) - body(at - e.xyy), body(at + e.yxy) - body(at - e.yxy),
                          body(at + e.yyx) - body(at - e.yyx)));
  vec3 key = normalize(vec3(-0.6, 0.75, 0.6)), back = reflect(way, n);
  float light = max(dot(n, key), 0.0), rim = pow(1.0 - max(dot(n, -way), 0.0), 2.5);
  float film = dot(n, vec3(0.35, 0.5, 0.2)) + 0.25 * at.y;  // colours turn with the surface as on a thin film
  vec3 colour = palette(0.55 * film + 0.1) * (0.12 + 0.95 * light);
  colour += palette(0.55 * film + 0.6) * rim * 0.95;
  colour += vec3(1.0, 0.97, 0.9) * (pow(max(dot(back, key), 0.0), 28.0) * 0.9
                                    + 0.35 * smoothstep(0.55, 0.75, back.y) * (0.4 + rim));
  return colour;
}
// Flowers: whorls of petals, the inner ones above, each with a rim, veins and its own shade.
vec3 blossom(vec2 p) {
  vec3 colour = mix(palette(0.45) * 0.22, palette(0.62) * 0.03, smoothstep(0.1, 1.5, length(p)));
  float petals = floor(mix(4.0, 11.0, a.x) + 0.5), layers = floor(mix(2.0, 5.0, a.y) + 0.5);
  float narrow = mix(0.7, 2.2, a.z), curl = mix(-0.9, 0.9, b.x);
  for (int i = 0; i < 5; i++) {
    if (float(i) >= layers) break;
    float n = float(i), size = mix(1.02, 0.26, n / 4.6) * mix(0.85, 1.0, a.w);
    float r = length(p) / size, angle = atan(p.y, p.x) + curl * r + n * 3.14159 / petals + 1.570796;
    float wave = abs(mod(angle, 6.28318 / petals) - 3.14159 / petals) * petals / 3.14159;
    float edge = 1.0 - pow(wave, narrow * 1.6) * mix(0.45, 0.95, b.z);
    float inside = edge - r, soft = smoothstep(0.0, 0.035, inside);
    float shade = smoothstep(0.0, 0.75, r / max(edge, 0.05));
    float vein = 0.5 + 0.5 * cos(wave * mix(10.0, 22.0, b.w));
    vec3 petal = palette(0.16 * n + 0.55 * shade + 0.2 * c.w) * (0.30 + 0.85 * shade) * (0.82 + 0.25 * vein * shade);
    petal += palette(0.16 * n + 0.3) * 0.55 * exp(-26.0 * max(inside, 0.0));
    float shadow = smoothstep(-0.22, 0.02, inside);
    colour = mix(colour * (1.0 - 0.55 * shadow), petal, soft);
  }
  float heart = length(p) / 0.16, grain = noise(p * 46.0 + a.zw * 9.0);
  vec3 middle = palette(0.85) * (1.15 - 0.6 * heart) + 0.5 * smoothstep(0.55, 0.85, grain);
  return mix(colour, middle, smoothstep(1.05, 0.85, heart + 0.25 * (grain - 0.5)));
}
void main() {
  vec2 p = uv * 2.0 - 1.0;
  float turn = source < 4 ? 6.28318 * c.x : 0.0;  // things have an upper side, textures have not
  p = mat2(cos(turn), -sin(turn), sin(turn), cos(turn)) * p;
  p += (c.yz - 0.5) * (source < 4 ? 0.5 : source == 4 ? 0.2 : 0.05);
  vec3 colour = source == 0 ? marble(p) : source == 1 ? flow(p) : source == 2 ? nebula(p) : source == 3 ? cells(p)
              : source == 4 ? forms(p) : blossom(p);
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
        self.size = size
        self.seed = seed
        self._surface = Offscreen((2 * size, 2 * size))
        ctx = self._surface.ctx
        self._program = ctx.program(_VERTEX, _FRAGMENT)
        self._quad = ctx.vertex_array(self._program, [])
        self._target = ctx.framebuffer([ctx.texture((2 * size, 2 * size), 3)])

    def numbers(self, index: int) -> np.ndarray:
        """The sixteen numbers, 0..1, that picture number `index` is drawn by."""
        return np.random.default_rng((self.seed, index)).random(16)

    def draw(self, index: int) -> np.ndarray:
        """Picture number `index`: (size, size, 3) uint8."""
        for name, four in zip("abcd", self.numbers(index).reshape(4, 4), strict=True):
            self._program[name] = tuple(four)
        self._program["source"] = self.kinds[index % len(self.kinds)]
        self._target.use()
        self._quad.render(moderngl.TRIANGLES, 3)
        large = np.frombuffer(self._target.read(components=3, alignment=1), np.uint8)
        pixels = large.reshape(self.size, 2, self.size, 2, 3).astype(np.uint16)
        mean: np.ndarray = (pixels.sum(axis=(1, 3)) + 2) // 4
        return mean.astype(np.uint8)

    def draw_many(self, first: int, count: int) -> np.ndarray:
        """Pictures first .. first + count: (count, size, size, 3) uint8."""
        return np.stack([self.draw(i) for i in range(first, first + count)])

    def close(self) -> None:
        self._surface.close()
