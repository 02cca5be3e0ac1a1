/*{
  "DESCRIPTION": "The bright parts of the old picture melt down first and uncover the new one",
  "CREDIT": "Performer", "ISFVSN": "2", "CATEGORIES": ["Transition"],
  "INPUTS": [
    {"NAME": "startImage", "TYPE": "image"},
    {"NAME": "endImage", "TYPE": "image"},
    {"NAME": "progress", "TYPE": "float", "MIN": 0, "MAX": 1, "DEFAULT": 0},
    {"NAME": "drip", "TYPE": "float", "MIN": 0, "MAX": 1, "DEFAULT": 0.35, "LABEL": "How far it drips"}
  ]
}*/
float luma(vec3 c) { return dot(c, vec3(0.3, 0.59, 0.11)); }
void main() {
  vec2 uv = isf_FragNormCoord;
  float bright = luma(IMG_NORM_PIXEL(startImage, uv).rgb);
  vec2 down = vec2(0.0, progress * progress * drip * (0.3 + bright));
  vec4 a = IMG_NORM_PIXEL(startImage, clamp(uv + down, 0.0, 1.0)), b = IMG_NORM_PIXEL(endImage, uv);
  float k = smoothstep(0.0, 0.35, progress - 0.55 * (1.0 - sqrt(luma(a.rgb))));
  gl_FragColor = mix(a, b, progress >= 1.0 ? 1.0 : k);
}
