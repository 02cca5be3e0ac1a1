/*{
  "DESCRIPTION": "Recolours by brightness with a cosine palette that can be turned",
  "CREDIT": "Performer",
  "ISFVSN": "2",
  "CATEGORIES": ["Color"],
  "INPUTS": [
    {"NAME": "inputImage", "TYPE": "image"},
    {"NAME": "amount", "TYPE": "float", "MIN": 0, "MAX": 1, "DEFAULT": 1.0, "LABEL": "Mix"},
    {"NAME": "phase", "TYPE": "float", "MIN": -4, "MAX": 4, "DEFAULT": 0.0, "LABEL": "Turn of the palette"},
    {"NAME": "spread", "TYPE": "float", "MIN": 0.1, "MAX": 4, "DEFAULT": 1.0, "LABEL": "Turns from black to white"},
    {"NAME": "drift", "TYPE": "float", "MIN": 0, "MAX": 1, "DEFAULT": 0.3, "LABEL": "Slow turning by itself"},
    {"NAME": "keep", "TYPE": "float", "MIN": 0, "MAX": 1, "DEFAULT": 0.75, "LABEL": "Keep the light and dark of the picture"},
    {"NAME": "bias", "TYPE": "color", "DEFAULT": [0.5, 0.5, 0.5, 1.0], "LABEL": "Middle of the palette"},
    {"NAME": "swing", "TYPE": "color", "DEFAULT": [0.5, 0.5, 0.5, 1.0], "LABEL": "Reach of the palette"},
    {"NAME": "offset", "TYPE": "color", "DEFAULT": [0.0, 0.1, 0.22, 1.0], "LABEL": "Phase of red, green, blue, turns"}
  ],
  "PERFORMER": {"alpha": "premultiplied"}
}*/

float luma(vec3 c) {
  return dot(c, vec3(0.299, 0.587, 0.114));
}

vec3 wave(vec3 x) {
  x = abs(fract(x) * 2.0 - 1.0);
  return x * x * (3.0 - 2.0 * x) * 2.0 - 1.0;
}

void main() {
  vec4 s = IMG_THIS_PIXEL(inputImage);
  vec3 c = s.rgb / max(s.a, 1e-4);
  float l = luma(c);
  vec3 pal = bias.rgb + swing.rgb * wave(l * spread + phase + drift * TIME * 0.02 + offset.rgb);
  pal *= mix(1.0, min(l * 2.2, 1.0 + l * 0.2), keep);
  gl_FragColor = vec4(clamp(mix(c, pal, amount), 0.0, 1.0) * s.a, s.a);
}
