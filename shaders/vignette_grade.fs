/*{
  "DESCRIPTION": "Final grade: exposure, contrast, gamma, saturation, vignette and film grain",
  "CREDIT": "Performer",
  "ISFVSN": "2",
  "CATEGORIES": ["Color", "Grade"],
  "INPUTS": [
    {"NAME": "inputImage", "TYPE": "image"},
    {"NAME": "exposure", "TYPE": "float", "MIN": -2.0, "MAX": 2.0, "DEFAULT": 0.0, "LABEL": "Exposure, stops"},
    {"NAME": "contrast", "TYPE": "float", "MIN": 0.0, "MAX": 2.0, "DEFAULT": 1.1, "LABEL": "Contrast"},
    {"NAME": "gamma", "TYPE": "float", "MIN": 0.4, "MAX": 2.5, "DEFAULT": 1.0, "LABEL": "Gamma"},
    {"NAME": "saturation", "TYPE": "float", "MIN": 0.0, "MAX": 2.0, "DEFAULT": 1.1, "LABEL": "Saturation"},
    {"NAME": "vignette", "TYPE": "float", "MIN": 0.0, "MAX": 1.0, "DEFAULT": 0.45, "LABEL": "Vignette"},
    {"NAME": "grain", "TYPE": "float", "MIN": 0.0, "MAX": 0.3, "DEFAULT": 0.04, "LABEL": "Grain"},
    {"NAME": "shadows", "TYPE": "color", "DEFAULT": [0.02, 0.03, 0.07, 1.0], "LABEL": "Tint of the shadows"}
  ],
  "PERFORMER": {"alpha": "premultiplied"}
}*/

float hash(vec2 p) {
  p = fract(p * vec2(123.34, 456.21));
  p += dot(p, p + 45.32);
  return fract(p.x * p.y);
}

void main() {
  vec2 uv = isf_FragNormCoord;
  vec4 s = IMG_THIS_PIXEL(inputImage);
  vec3 c = s.rgb / max(s.a, 1e-4) * exp2(exposure);
  // A soft shoulder keeps highlights coloured when the exposure is pushed.
  c = c / (1.0 + max(c - 0.75, 0.0) * 0.8);
  float luma = dot(c, vec3(0.299, 0.587, 0.114));
  c = mix(vec3(luma), c, saturation);
  vec3 k = clamp(c, 0.0, 1.0);
  c = mix(k, k * k * (3.0 - 2.0 * k), clamp(contrast - 1.0, 0.0, 1.0));
  c = mix(vec3(0.4), c, min(contrast, 1.0));
  c = pow(max(c, 0.0), vec3(1.0 / gamma));
  c += shadows.rgb * (1.0 - clamp(luma * 3.0, 0.0, 1.0));
  vec2 d = uv - 0.5;
  c *= 1.0 - vignette * smoothstep(0.1, 0.75, dot(d, d) * 1.9);
  c += (hash(uv * RENDERSIZE * 0.5 + fract(TIME * 7.13) * 91.0) - 0.5) * grain;
  gl_FragColor = vec4(clamp(c, 0.0, 1.0) * s.a, s.a);
}
