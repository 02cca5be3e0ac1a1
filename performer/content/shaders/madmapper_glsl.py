"""The libraries that MadMapper materials include: functions of the same names, written anew from published formulas.

Noises look alike, not the same to the bit. Derivatives are central differences.
"""

from __future__ import annotations

_COMMON = """\
#define PI 3.14159265358979
#define saturate(x) clamp(x, 0.0, 1.0)
#define lerp(x, y, t) mix(x, y, t)
float luma(vec3 color) { return dot(color, vec3(0.2126, 0.7152, 0.0722)); }
float luminance(vec3 color) { return dot(color, vec3(0.299, 0.587, 0.114)); }
vec3 linearToRgb(vec3 color, vec3 range) { return color / (1.0 - luminance(color) / range); }
vec3 rgbToLinear(vec3 color, vec3 range) { return color / (1.0 + luminance(color) / range); }
vec3 applyContrastSaturationBrightness(vec3 color, float contrast, float saturation, float brightness) {
  vec3 bright = color * brightness;
  return mix(vec3(0.5), mix(vec3(luma(bright)), bright, saturation), contrast);
}
vec3 rgb2hsv(vec3 color) {
  float most = max(color.r, max(color.g, color.b));
  float range = most - min(color.r, min(color.g, color.b));
  float hue = 0.0;
  if (range > 0.0) {
    hue = most == color.r ? (color.g - color.b) / range
        : most == color.g ? (color.b - color.r) / range + 2.0 : (color.r - color.g) / range + 4.0;
  }
  return vec3(fract(hue / 6.0), most > 0.0 ? range / most : 0.0, most);
}
vec3 hsv2rgb(vec3 color) {
  vec3 ramp = clamp(abs(fract(color.x + vec3(1.0, 2.0 / 3.0, 1.0 / 3.0)) * 6.0 - 3.0) - 1.0, 0.0, 1.0);
  return color.z * mix(vec3(1.0), ramp, color.y);
}
float rgb2hue(vec3 color) { return rgb2hsv(color).x; }
"""

_HASH = """\
uint mad_mixed(uint x) {
  x = (x ^ (x >> 16)) * 0x7feb352du;
  x = (x ^ (x >> 15)) * 0x846ca68bu;
  return x ^ (x >> 16);
}
uint mad_hash(vec3 cell) {
  ivec3 at = ivec3(floor(cell));
  return mad_mixed(uint(at.x) + mad_mixed(uint(at.y) + mad_mixed(uint(at.z) + 77u)));
}
float mad_random(vec3 cell) { return float(mad_hash(cell) >> 8) / 16777216.0; }
vec3 mad_random3(vec3 cell) {
  uint x = mad_hash(cell);
  return vec3(x & 1023u, (x >> 10) & 1023u, (x >> 20) & 1023u) / 1023.0;
}
vec2 mad_gradient(vec2 cell, float turn) {
  float angle = 6.28318530718 * mad_random(vec3(cell, 0.0)) + turn;
  return vec2(cos(angle), sin(angle));
}
vec3 mad_gradient(vec3 cell) {
  vec2 at = mad_random3(cell).xy * vec2(6.28318530718, 2.0) - vec2(0.0, 1.0);
  return vec3(vec2(cos(at.x), sin(at.x)) * sqrt(max(1.0 - at.y * at.y, 0.0)), at.y);
}
"""

_NOISE = """\
vec4 mad_corners(vec3 i) {
  return vec4(mad_random(i), mad_random(i + vec3(1, 0, 0)), mad_random(i + vec3(0, 1, 0)),
              mad_random(i + vec3(1, 1, 0)));
}
float vnoise(vec3 p) {
  vec3 i = floor(p), f = p - i, u = f * f * f * (f * (f * 6.0 - 15.0) + 10.0);
  vec4 slice = mix(mad_corners(i), mad_corners(i + vec3(0, 0, 1)), u.z);
  return mix(mix(slice.x, slice.y, u.x), mix(slice.z, slice.w, u.x), u.y);
}
float vnoise(vec2 p) {
  vec2 i = floor(p), f = p - i, u = f * f * f * (f * (f * 6.0 - 15.0) + 10.0);
  vec2 low = vec2(mad_random(vec3(i, 0)), mad_random(vec3(i + vec2(1, 0), 0)));
  vec2 high = vec2(mad_random(vec3(i + vec2(0, 1), 0)), mad_random(vec3(i + 1.0, 0)));
  vec2 row = mix(low, high, u.y);
  return mix(row.x, row.y, u.x);
}
float flowNoise(vec2 p, float rot) {
  const float skew = 0.36602540378, unskew = 0.2113248654;
  vec2 i = floor(p + (p.x + p.y) * skew);
  vec2 a = p - i + (i.x + i.y) * unskew;
  vec2 next = a.x > a.y ? vec2(1, 0) : vec2(0, 1);
  vec2 b = a - next + unskew, c = a - 1.0 + 2.0 * unskew;
  vec3 w = max(0.5 - vec3(dot(a, a), dot(b, b), dot(c, c)), 0.0);
  w *= w;
  vec3 slope = vec3(dot(a, mad_gradient(i, rot)), dot(b, mad_gradient(i + next, rot)),
                    dot(c, mad_gradient(i + 1.0, rot)));
  return 99.2 * dot(w * w, slope);
}
float noise(vec2 p) { return flowNoise(p * 0.70710678, 0.0); }
float noise(vec3 p) {
  p *= 0.70710678;
  vec3 i = floor(p + (p.x + p.y + p.z) / 3.0);
  vec3 a = p - i + (i.x + i.y + i.z) / 6.0;
  vec3 g = step(a.yzx, a.xyz), l = 1.0 - g;
  vec3 one = min(g, l.zxy), two = max(g, l.zxy);
  vec3 b = a - one + 1.0 / 6.0, c = a - two + 1.0 / 3.0, d = a - 0.5;
  vec4 w = max(0.5 - vec4(dot(a, a), dot(b, b), dot(c, c), dot(d, d)), 0.0);
  w *= w;
  vec4 slope = vec4(dot(a, mad_gradient(i)), dot(b, mad_gradient(i + one)), dot(c, mad_gradient(i + two)),
                    dot(d, mad_gradient(i + 1.0)));
  return clamp(76.0 * dot(w * w, slope), -1.0, 1.0);
}
vec2 mad_worley(vec2 p) {
  vec2 i = floor(p), nearest = vec2(8.0);
  for (int y = -1; y <= 1; y++)
    for (int x = -1; x <= 1; x++) {
      vec2 cell = i + vec2(x, y), way = cell + mad_random3(vec3(cell, 5.0)).xy - p;
      float d = dot(way, way);
      nearest = d < nearest.x ? vec2(d, nearest.x) : vec2(nearest.x, min(nearest.y, d));
    }
  return min(sqrt(nearest), 1.0);
}
vec2 mad_worley(vec3 p) {
  vec3 i = floor(p);
  vec2 nearest = vec2(8.0);
  for (int z = -1; z <= 1; z++)
    for (int y = -1; y <= 1; y++)
      for (int x = -1; x <= 1; x++) {
        vec3 cell = i + vec3(x, y, z), way = cell + mad_random3(cell) - p;
        float d = dot(way, way);
        nearest = d < nearest.x ? vec2(d, nearest.x) : vec2(nearest.x, min(nearest.y, d));
      }
  return min(sqrt(nearest), 1.0);
}
#ifdef NOISE_WORLEY_ASHIMA_IMPL
vec2 worleyNoise(vec2 p) { return mad_worley(p); }
vec2 worleyNoise(vec3 p) { return mad_worley(p); }
#else
float worleyNoise(vec2 p) { return mad_worley(p).x; }
float worleyNoise(vec3 p) { return mad_worley(p).x; }
#endif
"""

#: For places of each kind, V a vec2 or vec3.
_SUMS = """\
float mad_cell(V p) { return mad_worley(p).x; }
float billowedNoise(V p) { return abs(noise(p)); }
float ridgedNoise(V p, float ridge) { float r = ridge - abs(noise(p)); return r * r; }
float ridgedNoise(V p) { return ridgedNoise(p, 1.0); }
float fBm(V p, int octaves, float lacunarity, float gain) {
  float sum = 0.0, amplitude = 0.5;
  for (int i = 0; i < octaves; i++) { sum += amplitude * noise(p); p *= lacunarity; amplitude *= gain; }
  return sum;
}
float fBm(V p) { return fBm(p, 4, 2.0, 0.5); }
float billowyTurbulence(V p, int octaves, float lacunarity, float gain) {
  float sum = 0.0, amplitude = 0.5;
  for (int i = 0; i < octaves; i++) { sum += amplitude * billowedNoise(p); p *= lacunarity; amplitude *= gain; }
  return sum;
}
float billowyTurbulence(V p) { return billowyTurbulence(p, 4, 2.0, 0.5); }
float ridgedMF(V p, float ridge, int octaves, float lacunarity, float gain) {
  float sum = 0.0, amplitude = 0.5, before = 1.0;
  for (int i = 0; i < octaves; i++) {
    float n = ridgedNoise(p, ridge);
    sum += n * amplitude * before;
    before = n;
    p *= lacunarity;
    amplitude *= gain;
  }
  return sum;
}
float ridgedMF(V p, float ridge) { return ridgedMF(p, ridge, 4, 2.0, 0.5); }
float ridgedMF(V p) { return ridgedMF(p, 1.0); }
"""
#: Derivative -> the noise it is of, and its further arguments.
_DERIVATIVES = (
    ("dvnoise", "vnoise", ""),
    ("dnoise", "noise", ""),
    ("dWorleyNoise", "mad_cell", ""),
    ("dBillowedNoise", "billowedNoise", ""),
    ("dRidgedNoise", "ridgedNoise", ""),
    ("dRidgedNoise", "ridgedNoise", "float ridge"),
    ("dfBm", "fBm", ""),
    ("dfBm", "fBm", "int octaves, float lacunarity, float gain"),
    ("dBillowyTurbulence", "billowyTurbulence", ""),
    ("dBillowyTurbulence", "billowyTurbulence", "int octaves, float lacunarity, float gain"),
    ("dRidgedMF", "ridgedMF", ""),
    ("dRidgedMF", "ridgedMF", "float ridge"),
    ("dRidgedMF", "ridgedMF", "float ridge, int octaves, float lacunarity, float gain"),
)
_CURL = """\
vec2 curlNoise(vec2 p) { vec3 d = dnoise(p); return vec2(d.z, -d.y); }
vec2 curlNoise(vec2 p, float t) { vec3 d = dFlowNoise(p, t); return vec2(d.z, -d.y); }
"""

_SDF = """\
float circle(vec2 p, float radius) { return length(p) - radius; }
float circle(vec2 p, vec2 center, float radius) { return circle(p - center, radius); }
float rectangle(vec2 p, vec2 size) {
  vec2 d = abs(p) - size;
  return length(max(d, 0.0)) + min(max(d.x, d.y), 0.0);
}
float rectangle(vec2 p, float radius) { return rectangle(p, vec2(radius)); }
float rectangle(vec2 p, vec2 center, vec2 size) { return rectangle(p - center, size); }
float rectangle(vec2 p, vec2 center, float radius) { return rectangle(p - center, vec2(radius)); }
float roundedRectangle(vec2 p, vec2 size, float cornerRadius) {
  return length(max(abs(p) - size + cornerRadius, 0.0)) - cornerRadius;
}
float roundedRectangle(vec2 p, vec2 center, vec2 size, float cornerRadius) {
  return roundedRectangle(p - center, size, cornerRadius);
}
float triangle(vec2 p, float radius) {
  return max(dot(vec2(abs(p.x), p.y), vec2(0.8660254, 0.5)), -p.y) - 0.5 * radius;
}
float triangle(vec2 p, vec2 center, float radius) { return triangle(p - center, radius); }
float hexagon(vec2 p, float radius) { p = abs(p); return max(dot(p, vec2(0.8660254, 0.5)), p.y) - radius; }
float hexagon(vec2 p, vec2 center, float radius) { return hexagon(p - center, radius); }
float line(vec2 p, vec2 start, vec2 end, float width) {
  vec2 way = end - start, from = p - start;
  return length(from - way * clamp(dot(from, way) / max(dot(way, way), 1e-9), 0.0, 1.0)) - 0.5 * width;
}
float arc(vec2 p, float radius, float angle, float width) {
  float half_width = 0.5 * width;
  float ring = abs(length(p) - radius + half_width) - half_width;
  return max(-dot(vec2(abs(p.x), p.y), vec2(cos(angle), sin(angle))), ring);
}
float fillDist(float dist) {
#if defined(SDF_ANTIALIASING_NONE)
  return step(dist, 0.0);
#else
  float pixel = max(length(vec2(dFdx(dist), dFdy(dist))), 1e-6);
  return 1.0 - smoothstep(-pixel, pixel, dist);
#endif
}
float strokeDist(float dist, float width) { return clamp(fillDist(dist) - fillDist(dist + width), 0.0, 1.0); }
float blend(float d1, float d2) { return min(d1, d2); }
float smin(float a, float b, float k) {
  float h = clamp(0.5 + 0.5 * (b - a) / k, 0.0, 1.0);
  return mix(b, a, h) - k * h * (1.0 - h);
}
float smoothBlend(float d1, float d2, float k) { return smin(d1, d2, k); }
float subtract(float d1, float d2) { return max(d1, -d2); }
float intersect(float d1, float d2) { return max(d1, d2); }
vec2 translate(vec2 p, vec2 t) { return p - t; }
vec2 rotate(vec2 p, float a) { return p * mat2(cos(a), -sin(a), sin(a), cos(a)); }
vec2 transform(vec2 p, mat2 m) { return p * m; }
vec2 repeat(vec2 p, vec2 offset, out vec2 cellId) { cellId = floor(p / offset); return mod(p, offset) - 0.5 * offset; }
vec2 repeat(vec2 p, vec2 offset) { vec2 cell; return repeat(p, offset, cell); }
vec2 repeat(vec2 p, vec2 offset, vec2 a, vec2 b, out vec2 cellId) {
  return repeat(p + mod(floor(p / offset).yx, b) * a, offset, cellId);
}
vec2 repeat(vec2 p, vec2 offset, vec2 a, vec2 b) { vec2 cell; return repeat(p, offset, a, b, cell); }
vec2 repeatRadial(vec2 p, float angle, float angleOffset, out vec2 cellId) {
  float a = angleOffset + atan(p.y, p.x) + 0.5 * angle;
  cellId = vec2(floor(a / angle));
  a = mod(a, angle) - 0.5 * angle;
  return vec2(cos(a), sin(a)) * length(p);
}
vec2 repeatRadial(vec2 p, float angle, out vec2 cellId) { return repeatRadial(p, angle, 0.0, cellId); }
vec2 repeatRadial(vec2 p, float angle, float angleOffset) {
  vec2 cell;
  return repeatRadial(p, angle, angleOffset, cell);
}
vec2 repeatRadial(vec2 p, float angle) { return repeatRadial(p, angle, 0.0); }
"""
#: For colours of each kind, C a vec3 or vec4.
_COLOURS = """\
C fill(C a, C b, float dist) { return mix(a, b, fillDist(dist)); }
C stroke(C a, C b, float dist, float width) { return mix(a, b, strokeDist(dist, width)); }
C glow(C color, float dist, float width) { return color * (1.0 - smoothstep(-width, width, abs(dist))); }
"""


def _derivative(name: str, of: str, more: str, n: int) -> str:
    """A noise with its derivatives: (value, d/dx, d/dy and so on)."""
    passed = "".join(f", {argument.split()[1]}" for argument in more.split(", ") if argument)
    steps = [", ".join("0.01" if axis == i else "0.0" for axis in range(n)) for i in range(n)]
    slopes = ", ".join(
        f"({of}(p + vec{n}({step}){passed}) - {of}(p - vec{n}({step}){passed})) / 0.02" for step in steps
    )
    arguments = f", {more}" if more else ""
    return f"vec{n + 1} {name}(vec{n} p{arguments}) {{ return vec{n + 1}({of}(p{passed}), {slopes}); }}\n"


def _noise() -> str:
    text = _HASH + _NOISE + "".join(_SUMS.replace("V p", f"vec{n} p") for n in (2, 3))
    text += "".join(_derivative(*row, n) for row in _DERIVATIVES for n in (2, 3))
    return text + _derivative("dFlowNoise", "flowNoise", "float rot", 2) + _CURL


#: Name of the file -> GLSL.
LIBRARIES = {
    "MadCommon.glsl": _COMMON,
    "MadNoise.glsl": _noise(),
    "MadSDF.glsl": _SDF + "".join(_COLOURS.replace("C ", f"{kind} ") for kind in ("vec3", "vec4")),
}
