/*{
  "DESCRIPTION": "Recolours by brightness along four colours, dark to light",
  "CREDIT": "Performer",
  "ISFVSN": "2",
  "CATEGORIES": ["Color"],
  "INPUTS": [
    {"NAME": "inputImage", "TYPE": "image"},
    {"NAME": "amount", "TYPE": "float", "MIN": 0, "MAX": 1, "DEFAULT": 1.0, "LABEL": "Mix"},
    {"NAME": "shift", "TYPE": "float", "MIN": -1, "MAX": 1, "DEFAULT": 0.0, "LABEL": "Moves the gradient along the brightness"},
    {"NAME": "gain", "TYPE": "float", "MIN": 0.2, "MAX": 4, "DEFAULT": 1.0, "LABEL": "Contrast of the brightness"},
    {"NAME": "fold", "TYPE": "float", "MIN": 0, "MAX": 4, "DEFAULT": 0.0, "LABEL": "Contour lines: how often the gradient is run to and fro"},
    {"NAME": "ink", "TYPE": "color", "DEFAULT": [0.01, 0.01, 0.05, 1.0], "LABEL": "Darkest"},
    {"NAME": "shade", "TYPE": "color", "DEFAULT": [0.25, 0.02, 0.3, 1.0], "LABEL": "Shade"},
    {"NAME": "body", "TYPE": "color", "DEFAULT": [0.95, 0.3, 0.2, 1.0], "LABEL": "Body"},
    {"NAME": "light", "TYPE": "color", "DEFAULT": [1.0, 0.93, 0.7, 1.0], "LABEL": "Lightest"}
  ],
  "PERFORMER": {"alpha": "premultiplied"}
}*/

float luma(vec3 c) {
  return dot(c, vec3(0.299, 0.587, 0.114));
}

void main() {
  vec4 s = IMG_THIS_PIXEL(inputImage);
  vec3 c = s.rgb / max(s.a, 1e-4);
  float l = (luma(c) - 0.4) * gain + 0.4 + shift;
  float w = abs(1.0 - mod(l * (1.0 + 2.0 * fold), 2.0));
  l = mix(clamp(l, 0.0, 1.0), 1.0 - w, min(fold, 1.0)) * 3.0;
  vec3 g = mix(ink.rgb, shade.rgb, smoothstep(0.0, 1.0, l));
  g = mix(g, body.rgb, smoothstep(1.0, 2.0, l));
  g = mix(g, light.rgb, smoothstep(2.0, 3.0, l));
  gl_FragColor = vec4(mix(c, g, amount) * s.a, s.a);
}
