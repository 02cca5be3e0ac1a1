/*{
  "DESCRIPTION": "The camera whips aside, smearing, and lands on the new picture",
  "CREDIT": "Performer", "ISFVSN": "2", "CATEGORIES": ["Transition"],
  "INPUTS": [
    {"NAME": "startImage", "TYPE": "image"},
    {"NAME": "endImage", "TYPE": "image"},
    {"NAME": "progress", "TYPE": "float", "MIN": 0, "MAX": 1, "DEFAULT": 0},
    {"NAME": "blur", "TYPE": "float", "MIN": 0, "MAX": 1, "DEFAULT": 0.5, "LABEL": "Smear"}
  ]
}*/
void main() {
  vec2 uv = isf_FragNormCoord;
  float at = progress * progress * (3.0 - 2.0 * progress), fast = 4.0 * progress * (1.0 - progress);
  vec3 sum = vec3(0.0);
  for (int i = 0; i < 12; i++) {
    float x = uv.x + at + blur * 0.4 * fast * (float(i) / 11.0 - 0.5);
    sum += x < 1.0 ? IMG_NORM_PIXEL(startImage, clamp(vec2(x, uv.y), 0.0, 1.0)).rgb
                   : IMG_NORM_PIXEL(endImage, clamp(vec2(x - 1.0, uv.y), 0.0, 1.0)).rgb;
  }
  gl_FragColor = vec4(sum / 12.0, 1.0);
}
