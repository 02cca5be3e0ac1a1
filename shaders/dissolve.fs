/*{
  "DESCRIPTION": "Dissolves through drifting clouds with a bright seam",
  "CREDIT": "Performer", "ISFVSN": "2", "CATEGORIES": ["Transition"],
  "INPUTS": [
    {"NAME": "startImage", "TYPE": "image"},
    {"NAME": "endImage", "TYPE": "image"},
    {"NAME": "progress", "TYPE": "float", "MIN": 0, "MAX": 1, "DEFAULT": 0},
    {"NAME": "softness", "TYPE": "float", "MIN": 0.02, "MAX": 1, "DEFAULT": 0.25, "LABEL": "Softness"},
    {"NAME": "seam", "TYPE": "float", "MIN": 0, "MAX": 1, "DEFAULT": 0.3, "LABEL": "Light at the seam"}
  ]
}*/
float hash(vec2 p) { p = fract(p * vec2(123.34, 456.21)); p += dot(p, p + 45.32); return fract(p.x * p.y); }
float noise(vec2 p) {
  vec2 i = floor(p), f = fract(p);
  f = f * f * (3.0 - 2.0 * f);
  return mix(mix(hash(i), hash(i + vec2(1, 0)), f.x), mix(hash(i + vec2(0, 1)), hash(i + vec2(1, 1)), f.x), f.y);
}
void main() {
  vec2 p = isf_FragNormCoord * vec2(RENDERSIZE.x / RENDERSIZE.y, 1.0) * 3.0;
  float n = 0.6 * noise(p) + 0.3 * noise(p * 2.3 + 5.0) + 0.1 * noise(p * 5.1);
  float edge = progress * (1.0 + 2.0 * softness) - softness;
  float k = smoothstep(edge + softness, edge - softness, n * 0.9 + 0.05);
  vec4 c = mix(IMG_THIS_PIXEL(startImage), IMG_THIS_PIXEL(endImage), k);
  c.rgb += c.rgb * 4.0 * k * (1.0 - k) * seam;
  gl_FragColor = vec4(clamp(c.rgb, 0.0, 1.0), 1.0);
}
