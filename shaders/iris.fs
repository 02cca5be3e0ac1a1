/*{
  "DESCRIPTION": "An iris opens on the new picture with a bright, wavering rim",
  "CREDIT": "Performer", "ISFVSN": "2", "CATEGORIES": ["Transition"],
  "INPUTS": [
    {"NAME": "startImage", "TYPE": "image"},
    {"NAME": "endImage", "TYPE": "image"},
    {"NAME": "progress", "TYPE": "float", "MIN": 0, "MAX": 1, "DEFAULT": 0},
    {"NAME": "waver", "TYPE": "float", "MIN": 0, "MAX": 1, "DEFAULT": 0.35, "LABEL": "Wavering of the rim"}
  ]
}*/
void main() {
  vec2 p = (isf_FragNormCoord - 0.5) * vec2(RENDERSIZE.x / RENDERSIZE.y, 1.0);
  float far = 0.55 * length(vec2(RENDERSIZE.x / RENDERSIZE.y, 1.0)) + 0.1, a = atan(p.y, p.x);
  float r = length(p) + waver * 0.06 * (sin(a * 5.0 + progress * 9.0) + 0.6 * sin(a * 9.0 - progress * 7.0));
  float k = smoothstep(0.03, -0.03, r - progress * far * 1.15 + 0.05);
  vec2 bend = p * exp(-abs(r - progress * far * 1.15) * 16.0) * 0.12;
  vec3 c = mix(IMG_NORM_PIXEL(startImage, clamp(isf_FragNormCoord - bend, 0.0, 1.0)).rgb, IMG_NORM_PIXEL(endImage, isf_FragNormCoord).rgb, k);
  gl_FragColor = vec4(clamp(c * (1.0 + 2.0 * k * (1.0 - k)), 0.0, 1.0), 1.0);
}
