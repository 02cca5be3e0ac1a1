/*{
  "DESCRIPTION": "A rush through the old picture into the new one",
  "CREDIT": "Performer", "ISFVSN": "2", "CATEGORIES": ["Transition"],
  "INPUTS": [
    {"NAME": "startImage", "TYPE": "image"},
    {"NAME": "endImage", "TYPE": "image"},
    {"NAME": "progress", "TYPE": "float", "MIN": 0, "MAX": 1, "DEFAULT": 0},
    {"NAME": "strength", "TYPE": "float", "MIN": 0, "MAX": 1, "DEFAULT": 0.5, "LABEL": "Strength"}
  ]
}*/
void main() {
  vec2 p = isf_FragNormCoord - 0.5;
  float k = smoothstep(0.25, 0.75, progress), rush = strength * sin(progress * 3.14159);
  vec3 c = vec3(0.0);
  for (int i = 0; i < 6; i++) {
    float s = 1.0 - rush * (0.15 + 0.09 * float(i));
    c += mix(IMG_NORM_PIXEL(startImage, 0.5 + p * s).rgb, IMG_NORM_PIXEL(endImage, 0.5 + p * (s + (1.0 - k) * 0.0)).rgb, k);
  }
  gl_FragColor = vec4(c / 6.0, 1.0);
}
