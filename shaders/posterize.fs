/*{
  "DESCRIPTION": "Flat inks with a woven dither, as a screen print of the picture",
  "CREDIT": "Performer", "ISFVSN": "2", "CATEGORIES": ["Stylize", "Color"],
  "INPUTS": [
    {"NAME": "inputImage", "TYPE": "image"},
    {"NAME": "levels", "TYPE": "float", "MIN": 2, "MAX": 12, "DEFAULT": 4, "LABEL": "Inks per colour"},
    {"NAME": "dither", "TYPE": "float", "MIN": 0, "MAX": 1, "DEFAULT": 0.6, "LABEL": "Weave between the inks"},
    {"NAME": "grain", "TYPE": "float", "MIN": 1, "MAX": 8, "DEFAULT": 3, "LABEL": "Size of the weave, 720ths of the height"},
    {"NAME": "amount", "TYPE": "float", "MIN": 0, "MAX": 1, "DEFAULT": 1.0}
  ],
  "PERFORMER": {"alpha": "premultiplied"}
}*/
float bayer2(vec2 a) { a = floor(a); return fract(a.x / 2.0 + a.y * a.y * 0.75); }
float bayer(vec2 a) { return bayer2(0.5 * a) * 0.25 + bayer2(a); }
void main() {
  vec4 s = IMG_THIS_PIXEL(inputImage);
  vec3 c = s.rgb / max(s.a, 1e-4);
  float w = bayer(gl_FragCoord.xy / max(1.0, grain * RENDERSIZE.y / 720.0)) - 0.5;
  vec3 inked = floor(c * (levels - 1.0) + 0.5 + w * dither) / (levels - 1.0);
  gl_FragColor = vec4(mix(c, clamp(inked, 0.0, 1.0), amount) * s.a, s.a);
}
