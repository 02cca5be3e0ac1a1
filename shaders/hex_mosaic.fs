/*{
  "DESCRIPTION": "A honeycomb of lit cells, each with the colour of what lies behind it",
  "CREDIT": "Performer", "ISFVSN": "2", "CATEGORIES": ["Stylize"],
  "INPUTS": [
    {"NAME": "inputImage", "TYPE": "image"},
    {"NAME": "cells", "TYPE": "float", "MIN": 4, "MAX": 80, "DEFAULT": 22, "LABEL": "Cells over the height"},
    {"NAME": "gap", "TYPE": "float", "MIN": 0, "MAX": 1, "DEFAULT": 0.2, "LABEL": "Gap between cells"},
    {"NAME": "swell", "TYPE": "float", "MIN": 0, "MAX": 1, "DEFAULT": 0.5, "LABEL": "Dark cells shrink"},
    {"NAME": "relief", "TYPE": "float", "MIN": 0, "MAX": 1, "DEFAULT": 0.5, "LABEL": "Bevel"},
    {"NAME": "amount", "TYPE": "float", "MIN": 0, "MAX": 1, "DEFAULT": 1.0, "LABEL": "Mix"}
  ],
  "PERFORMER": {"alpha": "premultiplied"}
}*/
float hex(vec2 p) {
  p = abs(p);
  return max(dot(p, vec2(0.5, 0.866025)), p.x);
}
void main() {
  vec2 wide = vec2(RENDERSIZE.x / RENDERSIZE.y, 1.0), p = (isf_FragNormCoord - 0.5) * wide * cells, s = vec2(1.0, 1.7320508);
  vec4 centre = floor(vec4(p, p - vec2(0.5, 0.8660254)) / s.xyxy) + 0.5;
  vec4 apart = vec4(p - centre.xy * s, p - (centre.zw + 0.5) * s);
  vec2 d = dot(apart.xy, apart.xy) < dot(apart.zw, apart.zw) ? apart.xy : apart.zw;
  vec2 middle = (p - d) / cells / wide + 0.5;
  vec4 cell = IMG_NORM_PIXEL(inputImage, clamp(middle, 0.0, 1.0)), here = IMG_THIS_PIXEL(inputImage);
  vec3 c = cell.rgb;
  float l = dot(c, vec3(0.299, 0.587, 0.114)), size = 0.5 * (1.0 - gap) * mix(1.0, 0.35 + 0.65 * sqrt(l), swell);
  float inside = smoothstep(0.03, -0.03, hex(d) - size);
  float light = 1.0 + relief * (0.9 * dot(normalize(d + 1e-4), vec2(-0.5, 0.8)) * smoothstep(0.3, 1.0, hex(d) / size) + 0.25);
  vec3 lit = c * light * inside;
  float cover = here.a + (cell.a - here.a) * amount;
  gl_FragColor = vec4(clamp(mix(here.rgb, lit, amount), 0.0, cover), cover);
}
