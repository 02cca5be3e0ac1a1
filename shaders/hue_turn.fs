/*{
  "DESCRIPTION": "Turns all hues around the colour circle and sets their strength; made for the harmony",
  "CREDIT": "Performer", "ISFVSN": "2", "CATEGORIES": ["Color"],
  "INPUTS": [
    {"NAME": "inputImage", "TYPE": "image"},
    {"NAME": "turn", "TYPE": "float", "MIN": -1, "MAX": 1, "DEFAULT": 0.0, "LABEL": "Turn, whole circles"},
    {"NAME": "vivid", "TYPE": "float", "MIN": 0, "MAX": 3, "DEFAULT": 1.0, "LABEL": "Saturation"},
    {"NAME": "spread", "TYPE": "float", "MIN": -1, "MAX": 1, "DEFAULT": 0.0, "LABEL": "More turn in bright parts"}
  ],
  "PERFORMER": {"alpha": "premultiplied"}
}*/
void main() {
  vec4 s = IMG_THIS_PIXEL(inputImage);
  vec3 c = s.rgb / max(s.a, 1e-4);
  vec3 yiq = mat3(0.299, 0.596, 0.211, 0.587, -0.274, -0.523, 0.114, -0.322, 0.312) * c;
  float a = 6.28318 * (turn + spread * (yiq.x - 0.5));
  vec2 q = mat2(cos(a), sin(a), -sin(a), cos(a)) * yiq.yz * vivid;
  c = mat3(1.0, 1.0, 1.0, 0.956, -0.272, -1.106, 0.621, -0.647, 1.703) * vec3(yiq.x, q);
  gl_FragColor = vec4(clamp(c, 0.0, 1.0) * s.a, s.a);
}
