/*{
  "DESCRIPTION": "Printed dots: three turned screens of ink, or light, whose size is the brightness",
  "CREDIT": "Performer", "ISFVSN": "2", "CATEGORIES": ["Stylize"],
  "INPUTS": [
    {"NAME": "inputImage", "TYPE": "image"},
    {"NAME": "dots", "TYPE": "float", "MIN": 12, "MAX": 160, "DEFAULT": 52, "LABEL": "Dots across the height"},
    {"NAME": "amount", "TYPE": "float", "MIN": 0, "MAX": 1, "DEFAULT": 1.0, "LABEL": "Dots instead of the picture"},
    {"NAME": "swell", "TYPE": "float", "MIN": 0.4, "MAX": 2, "DEFAULT": 1.0, "LABEL": "Size of the dots"},
    {"NAME": "angle", "TYPE": "float", "MIN": -1, "MAX": 1, "DEFAULT": 0.04, "LABEL": "Turn of the screens, turns"}
  ],
  "PERFORMER": {"alpha": "premultiplied"}
}*/
float screen(vec2 p, float a, int channel) {
  mat2 m = mat2(cos(a), -sin(a), sin(a), cos(a));
  vec2 q = m * p * dots, cell = floor(q) + 0.5;
  vec2 at = (cell * m) / dots / vec2(RENDERSIZE.x / RENDERSIZE.y, 1.0) + 0.5;
  float ink = IMG_NORM_PIXEL(inputImage, clamp(at, 0.0, 1.0))[channel];
  float radius = sqrt(clamp(ink, 0.0, 1.0)) * 0.72 * swell;
  float soft = dots / RENDERSIZE.y * 1.4;
  return smoothstep(radius + soft, radius - soft, length(q - cell)) * smoothstep(0.01, 0.06, ink);
}
void main() {
  vec2 p = (isf_FragNormCoord - 0.5) * vec2(RENDERSIZE.x / RENDERSIZE.y, 1.0);
  float a = 6.28318 * angle;
  vec3 dotted = vec3(screen(p, a + 0.26, 0), screen(p, a + 1.31, 1), screen(p, a, 2));
  vec4 s = IMG_THIS_PIXEL(inputImage);  // beside a picture with alpha only the dots themselves cover what lies below
  float cover = max(s.a, amount * max(dotted.r, max(dotted.g, dotted.b)));
  gl_FragColor = vec4(mix(s.rgb, dotted, amount), cover);
}
