/*{
  "DESCRIPTION": "Two families of rings slide over each other; where they meet, new figures appear",
  "CREDIT": "Performer", "ISFVSN": "2", "CATEGORIES": ["Generator"],
  "INPUTS": [
    {"NAME": "rings", "TYPE": "float", "MIN": 4, "MAX": 80, "DEFAULT": 26, "LABEL": "Rings over the height"},
    {"NAME": "apart", "TYPE": "float", "MIN": 0, "MAX": 1, "DEFAULT": 0.3, "LABEL": "Distance of the centres"},
    {"NAME": "phase", "TYPE": "float", "MIN": -8, "MAX": 8, "DEFAULT": 0.0, "LABEL": "Rings run outwards"},
    {"NAME": "edge", "TYPE": "float", "MIN": 0, "MAX": 1, "DEFAULT": 0.75, "LABEL": "Sharpness"},
    {"NAME": "arms", "TYPE": "float", "MIN": 0, "MAX": 12, "DEFAULT": 0, "LABEL": "Wound into arms"},
    {"NAME": "hue", "TYPE": "float", "MIN": 0, "MAX": 1, "DEFAULT": 0.55, "LABEL": "Hue, turns"}
  ]
}*/
vec3 palette(float t) { return 0.5 + 0.5 * cos(6.28318 * (t + vec3(0.0, 0.33, 0.67))); }
float family(vec2 p, float turn) {
  return rings * length(p) + turn * floor(arms + 0.5) * atan(p.y, p.x) / 6.28318 - phase * turn;
}
void main() {
  vec2 p = (isf_FragNormCoord - 0.5) * vec2(RENDERSIZE.x / RENDERSIZE.y, 1.0);
  float a = TIME * 0.12, soft = mix(0.5, 0.06, edge);
  vec2 way = 0.5 * apart * vec2(cos(a), sin(a * 1.31));
  float one = family(p - way, 1.0) - TIME * 0.25, two = family(p + way, -1.0) - TIME * 0.2;
  float u = smoothstep(-soft, soft, sin(6.28318 * one)), v = smoothstep(-soft, soft, sin(6.28318 * two));
  float both = abs(u - v), slow = 0.5 + 0.5 * cos(6.28318 * (one - two) * 0.5);
  vec3 c = mix(vec3(0.01, 0.01, 0.03), palette(hue + 0.16 * slow), both);
  c += palette(hue + 0.45) * u * v * 0.55 * slow;
  vec2 rim = isf_FragNormCoord - 0.5;
  gl_FragColor = vec4(clamp(c * (1.1 - 1.1 * dot(rim, rim)), 0.0, 1.0), 1.0);
}
