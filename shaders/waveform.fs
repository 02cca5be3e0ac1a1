/*{
  "DESCRIPTION": "The sound as a glowing thread, drawn straight or as a ring",
  "CREDIT": "Performer", "ISFVSN": "2", "CATEGORIES": ["Generator", "Audio"],
  "INPUTS": [
    {"NAME": "wave", "TYPE": "audio", "MAX": 1024},
    {"NAME": "ring", "TYPE": "float", "MIN": 0, "MAX": 1, "DEFAULT": 1.0, "LABEL": "Straight (0) or a ring (1)"},
    {"NAME": "height", "TYPE": "float", "MIN": 0, "MAX": 1, "DEFAULT": 0.5, "LABEL": "Height of the swing"},
    {"NAME": "radius", "TYPE": "float", "MIN": 0.05, "MAX": 0.6, "DEFAULT": 0.28, "LABEL": "Radius of the ring"},
    {"NAME": "glow", "TYPE": "float", "MIN": 0.1, "MAX": 3, "DEFAULT": 1.0, "LABEL": "Glow"},
    {"NAME": "hue", "TYPE": "float", "MIN": 0, "MAX": 1, "DEFAULT": 0.08, "LABEL": "Hue, turns"}
  ]
}*/
vec3 palette(float t) { return 0.6 + 0.4 * cos(6.28318 * (t + vec3(0.0, 0.2, 0.42))); }
float swing(float x) { return IMG_NORM_PIXEL(wave, vec2(clamp(x, 0.0, 1.0), 0.5)).r * 2.0 - 1.0; }
void main() {
  vec2 uv = isf_FragNormCoord, p = (uv - 0.5) * vec2(RENDERSIZE.x / RENDERSIZE.y, 1.0);
  p.x /= mix(1.0, max(1.0, 0.5 * RENDERSIZE.x / RENDERSIZE.y), step(0.5, ring));  // on very wide screens the ring is too
  float r = length(p), a = abs(atan(p.x, -p.y)) / 3.14159;  // mirrored, so that the ring closes
  float x = mix(uv.x, a * 0.6, step(0.5, ring));
  float d0 = mix(p.y, r - radius, step(0.5, ring));
  float s = swing(x), e = swing(x + 0.004);
  float edge = ring < 0.5 ? smoothstep(0.0, 0.12, uv.x) * smoothstep(1.0, 0.88, uv.x) : 1.0;
  float d = abs(d0 - s * height * 0.3 * edge) / sqrt(1.0 + pow((e - s) * height * 14.0, 2.0));
  float line = exp(-d * 260.0), halo = 0.004 * glow / (d + 0.012);
  vec3 c = palette(hue + 0.25 * abs(s)) * (line * 1.3 + halo) + line * 0.35;
  gl_FragColor = vec4(clamp(c, 0.0, 1.0), 1.0);
}
