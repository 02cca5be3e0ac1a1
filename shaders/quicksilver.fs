/*{
  "DESCRIPTION": "Drops of liquid metal that meet and part, mirroring a coloured room",
  "CREDIT": "Performer", "ISFVSN": "2", "CATEGORIES": ["Generator"],
  "INPUTS": [
    {"NAME": "size", "TYPE": "float", "MIN": 0.2, "MAX": 2, "DEFAULT": 1.0, "LABEL": "Size of the drops"},
    {"NAME": "spread", "TYPE": "float", "MIN": 0.1, "MAX": 1.5, "DEFAULT": 0.75, "LABEL": "How far they wander"},
    {"NAME": "push", "TYPE": "float", "MIN": -8, "MAX": 8, "DEFAULT": 0.0, "LABEL": "Stirred"},
    {"NAME": "glint", "TYPE": "float", "MIN": 0, "MAX": 2, "DEFAULT": 0.8, "LABEL": "Glints"},
    {"NAME": "hue", "TYPE": "float", "MIN": 0, "MAX": 1, "DEFAULT": 0.6, "LABEL": "Hue of the room, turns"}
  ]
}*/
vec3 palette(float t) { return 0.5 + 0.5 * cos(6.28318 * (t + vec3(0.0, 0.33, 0.67))); }
float field(vec2 p, float t) {
  float sum = 0.0;
  for (int i = 0; i < 7; i++) {
    float n = float(i), r = (0.1 + 0.045 * sin(n * 2.7 + 1.0)) * size;
    vec2 at = spread * vec2(max(0.75, 0.42 * RENDERSIZE.x / RENDERSIZE.y) * sin(t * (0.31 + 0.07 * n) + n * 2.4), 0.42 * cos(t * (0.27 + 0.09 * n) + n * 1.3));
    sum += r * r / (dot(p - at, p - at) + 0.0004);
  }
  return sum;
}
void main() {
  vec2 p = (isf_FragNormCoord - 0.5) * vec2(RENDERSIZE.x / RENDERSIZE.y, 1.0), e = vec2(0.004, 0.0);
  float t = TIME + push * 2.0, f = field(p, t);
  vec2 slope = vec2(field(p + e.xy, t) - f, field(p + e.yx, t) - f) / e.x;
  float height = sqrt(max(f - 1.0, 0.0));
  vec3 n = normalize(vec3(-slope * 0.22, 0.25 + height));
  vec3 r = reflect(vec3(0.0, 0.0, -1.0), n);
  float stripes = 0.5 + 0.5 * sin(9.0 * r.y + 3.0 * sin(3.0 * r.x + t * 0.3)), top = smoothstep(-0.2, 0.9, r.y);
  vec3 room = mix(palette(hue) * 0.12, palette(hue + 0.12) * 0.9 + 0.25, top) * (0.35 + 0.65 * stripes) + palette(hue + 0.5) * 0.5 * smoothstep(0.1, -0.8, r.y);
  room += glint * vec3(1.0, 0.97, 0.9) * pow(max(0.0, dot(r, normalize(vec3(0.4, 0.7, 0.5)))), 40.0);
  vec3 back = palette(hue + 0.55) * 0.10 * (1.0 - length(p)) + palette(hue) * 0.22 * exp(-4.0 * max(0.0, 1.0 - f));
  gl_FragColor = vec4(clamp(mix(back, room, smoothstep(0.95, 1.05, f)), 0.0, 1.0), 1.0);
}
