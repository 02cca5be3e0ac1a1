/*{
  "DESCRIPTION": "Curtains of northern light over a dark horizon, folding in the wind",
  "CREDIT": "Performer", "ISFVSN": "2", "CATEGORIES": ["Generator"],
  "INPUTS": [
    {"NAME": "power", "TYPE": "float", "MIN": 0, "MAX": 2, "DEFAULT": 1.4, "LABEL": "Brightness"},
    {"NAME": "fold", "TYPE": "float", "MIN": 0, "MAX": 2, "DEFAULT": 0.8, "LABEL": "Folds"},
    {"NAME": "rise", "TYPE": "float", "MIN": 0, "MAX": 1, "DEFAULT": 0.4, "LABEL": "Height of the curtains"},
    {"NAME": "wind", "TYPE": "float", "MIN": -8, "MAX": 8, "DEFAULT": 0.0, "LABEL": "Moved by the wind"},
    {"NAME": "hue", "TYPE": "float", "MIN": 0, "MAX": 1, "DEFAULT": 0.64, "LABEL": "Hue, turns"}
  ]
}*/
float hash(vec2 p) { return fract(sin(dot(p, vec2(127.1, 311.7))) * 43758.5453); }
float noise(vec2 p) {
  vec2 i = floor(p), f = fract(p), u = f * f * (3.0 - 2.0 * f);
  return mix(mix(hash(i), hash(i + vec2(1.0, 0.0)), u.x), mix(hash(i + vec2(0.0, 1.0)), hash(i + vec2(1.0, 1.0)), u.x), u.y);
}
vec3 palette(float t) { return 0.5 + 0.5 * cos(6.28318 * (t + vec3(0.0, 0.33, 0.67))); }
void main() {
  vec2 p = (isf_FragNormCoord - vec2(0.5, 0.0)) * vec2(RENDERSIZE.x / RENDERSIZE.y, 1.0);
  float t = TIME * 0.12 + wind;
  vec3 c = mix(vec3(0.012, 0.02, 0.05), vec3(0.0, 0.0, 0.02), p.y);
  vec2 cell = floor(p * 90.0);
  c += step(0.992, hash(cell)) * smoothstep(0.4, 0.0, length(fract(p * 90.0) - 0.5)) * (0.4 + 0.4 * sin(TIME * 3.0 + 90.0 * hash(cell + 3.0)));
  for (int i = 0; i < 4; i++) {
    float n = float(i), x = p.x * (0.9 + 0.25 * n) + n * 7.3;
    float base = 0.18 + 0.1 * n + 0.16 * fold * (noise(vec2(x * 1.3 - t, t * 0.4 + n)) - 0.5) + 0.05 * fold * sin(x * 5.0 + 2.0 * t + n);
    float rays = 0.45 + 0.55 * noise(vec2(x * 26.0 + 6.0 * noise(vec2(x * 2.0, t)), t * 1.5)), above = p.y - base;
    float tall = (0.12 + 0.5 * rise) * (0.6 + 0.8 * noise(vec2(x * 2.1 + t, n * 3.0)));
    float body = smoothstep(-0.012, 0.012, above) * exp(-max(above, 0.0) / tall * 2.2) * rays;
    c += mix(palette(hue - 0.02 * n), palette(hue + 0.36), clamp(above / tall, 0.0, 1.0)) * body * power * (0.85 - 0.13 * n);
  }
  float hill = 0.07 + 0.06 * noise(vec2(p.x * 2.3, 4.0)) + 0.015 * noise(vec2(p.x * 19.0, 1.0));
  c *= smoothstep(hill - 0.004, hill + 0.004, p.y);
  gl_FragColor = vec4(clamp(c, 0.0, 1.0), 1.0);
}
