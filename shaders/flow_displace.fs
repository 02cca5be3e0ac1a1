/*{
  "DESCRIPTION": "Carries the picture along a slow divergence-free noise flow; its amount makes it breathe",
  "CREDIT": "Performer",
  "ISFVSN": "2",
  "CATEGORIES": ["Warp"],
  "PASSES": [
    {"TARGET": "flow", "FLOAT": true, "WIDTH": "max($WIDTH/4.0, 160.0)", "HEIGHT": "max($HEIGHT/4.0, 90.0)"},
    {}
  ],
  "INPUTS": [
    {"NAME": "inputImage", "TYPE": "image"},
    {"NAME": "amount", "TYPE": "float", "MIN": 0, "MAX": 1, "DEFAULT": 0.25, "LABEL": "Displacement"},
    {"NAME": "scale", "TYPE": "float", "MIN": 0.5, "MAX": 8, "DEFAULT": 2.0, "LABEL": "Number of eddies across"},
    {"NAME": "detail", "TYPE": "float", "MIN": 0, "MAX": 1, "DEFAULT": 0.4, "LABEL": "Fine eddies"},
    {"NAME": "phase", "TYPE": "float", "MIN": -4, "MAX": 4, "DEFAULT": 0.0, "LABEL": "Shift of the flow, turns"},
    {"NAME": "drift", "TYPE": "float", "MIN": 0, "MAX": 1, "DEFAULT": 0.3, "LABEL": "How far the flow changes by itself"}
  ],
  "PERFORMER": {"alpha": "premultiplied"}
}*/

// (cos, sin) of x turns by parabolas, to 0.1 %: the real ones are dear where a CPU draws.
vec2 turn(float x) {
  vec2 s = fract(vec2(x + 0.25, x)) * 2.0 - 1.0;
  vec2 y = -4.0 * s * (1.0 - abs(s));
  return y * (0.775 + 0.225 * abs(y));
}

// Off the edge the picture goes on as in a mirror, so no border ever shows.
vec2 fold(vec2 uv) {
  return 1.0 - abs(1.0 - mod(uv, 2.0));
}

// Rotated gradient of a sum of plane waves: no sources, no sinks, so nothing tears.
vec2 curl(vec2 p, float t) {
  vec2 v = vec2(0.8, -0.6) * turn(dot(p, vec2(0.6, 0.8)) + t).y;
  v += vec2(0.3, 0.95) * turn(dot(p, vec2(-0.95, 0.3)) * 1.31 - t * 0.7 + 0.3).y;
  v += vec2(-0.98, 0.2) * turn(dot(p, vec2(0.2, 0.98)) * 0.83 + t * 0.53 + 0.6).y;
  return v;
}

void main() {
  vec2 uv = isf_FragNormCoord;
  if (PASSINDEX == 1) {  // the flow is smooth: a quarter of the size is enough of it
    gl_FragColor = IMG_NORM_PIXEL(inputImage, fold(uv + IMG_NORM_PIXEL(flow, uv).xy));
    return;
  }
  vec2 aspect = vec2(RENDERSIZE.x / RENDERSIZE.y, 1.0);
  float t = TIME * 0.06 * drift + phase;
  vec2 p = (uv - 0.5) * aspect * scale * 0.5;
  vec2 v = curl(p, t);
  vec2 w = curl(p * 2.3 + v * 0.35, -t * 1.7);
  vec2 d = (v + w * detail) * amount * 0.12 / sqrt(scale);
  gl_FragColor = vec4(d / aspect, 0.0, 1.0);
}
