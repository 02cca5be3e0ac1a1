/*{
  "DESCRIPTION": "Laser beams fan out of the floor through drifting haze",
  "CREDIT": "Performer", "ISFVSN": "2", "CATEGORIES": ["Generator", "Light"],
  "INPUTS": [
    {"NAME": "beams", "TYPE": "float", "MIN": 2, "MAX": 24, "DEFAULT": 9, "LABEL": "Beams"},
    {"NAME": "spread", "TYPE": "float", "MIN": 0.1, "MAX": 1, "DEFAULT": 0.7, "LABEL": "Opening of the fan"},
    {"NAME": "sweep", "TYPE": "float", "MIN": 0, "MAX": 1, "DEFAULT": 0.5, "LABEL": "Swaying by itself"},
    {"NAME": "glow", "TYPE": "float", "MIN": 0, "MAX": 4, "DEFAULT": 1.0, "LABEL": "Brightness"},
    {"NAME": "hue", "TYPE": "float", "MIN": 0, "MAX": 1, "DEFAULT": 0.35, "LABEL": "Hue, turns"}
  ]
}*/
float hash(vec2 p) { p = fract(p * vec2(123.34, 456.21)); p += dot(p, p + 45.32); return fract(p.x * p.y); }
float noise(vec2 p) {
  vec2 i = floor(p), f = fract(p); f = f * f * (3.0 - 2.0 * f);
  return mix(mix(hash(i), hash(i + vec2(1, 0)), f.x), mix(hash(i + vec2(0, 1)), hash(i + vec2(1, 1)), f.x), f.y);
}
void main() {
  float wide = RENDERSIZE.x / RENDERSIZE.y;
  vec2 p = (isf_FragNormCoord - vec2(0.5, -0.12)) * vec2(min(wide, 2.0), 1.0);
  float a = atan(p.x, p.y) / (1.4 * spread) + 0.25 * sweep * sin(TIME * 0.7), r = length(p);
  float k = a * beams * 0.5, cell = floor(k + 0.5);
  float sway = 0.35 * sweep * sin(TIME * 1.3 + cell * 2.1);
  float off = abs(k - cell - sway * 0.6);
  float line = 0.9 * exp(-off * r * 220.0 / beams) + 0.2 * exp(-off * 7.0);
  float haze = 0.35 + 0.9 * noise(p * 4.0 + vec2(TIME * 0.15, -TIME * 0.3));
  float on = step(abs(a), 1.0) * smoothstep(1.5, 0.2, r * 0.9);
  vec3 tint = 0.5 + 0.5 * cos(6.28318 * (hue + 0.05 * cell + vec3(0.0, 0.33, 0.67)));
  float light = line * on * haze * glow;
  gl_FragColor = vec4(tint * light + pow(min(light, 1.4), 3.0) * 0.25 + tint * 0.03 * haze, 1.0);
}
