/*{
  "DESCRIPTION": "Time runs across the picture: one edge is now, the other a while ago",
  "CREDIT": "Performer", "ISFVSN": "2", "CATEGORIES": ["Feedback"],
  "PASSES": [
    {"TARGET": "past", "PERSISTENT": true},
    {}
  ],
  "INPUTS": [
    {"NAME": "inputImage", "TYPE": "image"},
    {"NAME": "speed", "TYPE": "float", "MIN": 0.05, "MAX": 4, "DEFAULT": 0.6, "LABEL": "Widths per second"},
    {"NAME": "mirrored", "TYPE": "bool", "DEFAULT": true, "LABEL": "From the middle to both sides"},
    {"NAME": "amount", "TYPE": "float", "MIN": 0, "MAX": 1, "DEFAULT": 1.0, "LABEL": "Mix"}
  ],
  "PERFORMER": {"alpha": "premultiplied"}
}*/
void main() {
  vec2 uv = isf_FragNormCoord;
  if (PASSINDEX == 0) {
    float w = 1.0 / RENDERSIZE.x, move = max(speed * min(TIMEDELTA, 0.1), w), slit = move + 2.0 * w;
    float at = mirrored ? abs(uv.x - 0.5) : uv.x, side = uv.x < 0.5 && mirrored ? -1.0 : 1.0;
    vec4 old = FRAMEINDEX == 0 ? vec4(0.0, 0.0, 0.0, IMG_THIS_PIXEL(inputImage).a) : IMG_NORM_PIXEL(past, vec2(uv.x - side * move, uv.y));
    vec4 fresh = IMG_NORM_PIXEL(inputImage, vec2(mirrored ? 0.5 : 0.02, uv.y));
    gl_FragColor = at < slit ? fresh : old;
  } else {
    vec4 c = IMG_NORM_PIXEL(past, uv), s = IMG_THIS_PIXEL(inputImage);
    gl_FragColor = vec4(mix(s.rgb, c.rgb, amount), s.a + (c.a - s.a) * amount);
  }
}
