/*{
  "DESCRIPTION": "A soft hand sweeps round like radar, with light on its edge",
  "CREDIT": "Performer", "ISFVSN": "2", "CATEGORIES": ["Transition"],
  "INPUTS": [
    {"NAME": "startImage", "TYPE": "image"},
    {"NAME": "endImage", "TYPE": "image"},
    {"NAME": "progress", "TYPE": "float", "MIN": 0, "MAX": 1, "DEFAULT": 0},
    {"NAME": "softness", "TYPE": "float", "MIN": 0.01, "MAX": 0.5, "DEFAULT": 0.12, "LABEL": "Softness"}
  ]
}*/
void main() {
  vec2 p = (isf_FragNormCoord - 0.5) * vec2(RENDERSIZE.x / RENDERSIZE.y, 1.0);
  float a = atan(p.x, p.y) / 6.28318 + 0.5;
  float edge = progress * (1.0 + 2.0 * softness) - softness;
  float k = smoothstep(edge + softness, edge - softness, a);
  vec3 c = mix(IMG_THIS_PIXEL(startImage).rgb, IMG_THIS_PIXEL(endImage).rgb, k);
  gl_FragColor = vec4(clamp(c * (1.0 + 1.6 * k * (1.0 - k)), 0.0, 1.0), 1.0);
}
