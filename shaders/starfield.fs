/*{
  "DESCRIPTION": "Layers of stars flying past, twinkling, with a haze of colour behind",
  "CREDIT": "Performer", "ISFVSN": "2", "CATEGORIES": ["Generator"],
  "INPUTS": [
    {"NAME": "push", "TYPE": "float", "MIN": -4, "MAX": 4, "DEFAULT": 0.0, "LABEL": "Jump ahead, layers"},
    {"NAME": "spark", "TYPE": "float", "MIN": 0, "MAX": 2, "DEFAULT": 0.7, "LABEL": "Brightness"},
    {"NAME": "haze", "TYPE": "float", "MIN": 0, "MAX": 1, "DEFAULT": 0.4, "LABEL": "Haze"},
    {"NAME": "hue", "TYPE": "float", "MIN": 0, "MAX": 1, "DEFAULT": 0.62, "LABEL": "Hue, turns"},
    {"NAME": "turn", "TYPE": "float", "MIN": -1, "MAX": 1, "DEFAULT": 0.0, "LABEL": "Turn, turns"}
  ]
}*/
vec2 hash2(vec2 p) {
  vec3 q = fract(vec3(p.xyx) * vec3(0.1031, 0.1030, 0.0973));
  q += dot(q, q.yzx + 33.33);
  return fract((q.xx + q.yz) * q.zy);
}
// sin of x turns by parabolas, to 0.1 %: the real one is dear where a CPU draws.
vec3 wave(vec3 x) {
  x = fract(x) * 2.0 - 1.0;
  x *= 4.0 * abs(x) - 4.0;
  return x * (0.775 + 0.225 * abs(x));
}
float wave(float x) { return wave(vec3(x)).x; }
vec3 palette(float t) { return 0.55 + 0.45 * wave(t + vec3(0.25, 0.41, 0.61)); }
void main() {
  vec2 p = (isf_FragNormCoord - 0.5) * vec2(RENDERSIZE.x / RENDERSIZE.y, 1.0);
  float a = 6.28318 * (turn + TIME * 0.008);
  p = mat2(cos(a), -sin(a), sin(a), cos(a)) * p;
  vec3 c = vec3(0.0);
  for (int i = 0; i < 4; i++) {
    float z = fract(float(i) * 0.25 + TIME * 0.06 + push * 0.25);
    vec2 q = p * mix(22.0, 2.0, z) + float(i) * 17.3, cell = floor(q), h = hash2(cell);
    vec2 d = fract(q) - 0.2 - 0.6 * h;
    float size = 0.0012 * (0.3 + h.x * h.x * 3.0), fade = smoothstep(0.0, 0.25, z) * smoothstep(1.0, 0.8, z);
    float twinkle = 0.75 + 0.25 * wave(TIME * (0.31831 + 0.795775 * h.y) + h.x * 6.3662);
    float r2 = dot(d, d);
    c += palette(hue + 0.5 * h.y - 0.25) * (size / (r2 + 0.0006) * fade * twinkle * smoothstep(0.5, 0.1, sqrt(r2)));
  }
  float cloud = 0.5 + 0.25 * sin(p.x * 3.1 + TIME * 0.07 + 2.0 * sin(p.y * 2.3)) + 0.25 * sin(p.y * 4.3 - TIME * 0.05 + 1.7 * sin(p.x * 2.9));
  c = c * spark + palette(hue + 0.2 * cloud) * cloud * cloud * haze * 0.35;
  gl_FragColor = vec4(clamp(c, 0.0, 1.0), 1.0);
}
