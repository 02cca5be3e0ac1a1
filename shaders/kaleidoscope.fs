/*{
  "DESCRIPTION": "Mirrors a turning wedge of the picture around a centre",
  "CREDIT": "Performer",
  "ISFVSN": "2",
  "CATEGORIES": ["Geometry"],
  "INPUTS": [
    {"NAME": "inputImage", "TYPE": "image"},
    {"NAME": "segments", "TYPE": "float", "MIN": 2, "MAX": 24, "DEFAULT": 8, "LABEL": "Mirrors"},
    {"NAME": "angle", "TYPE": "float", "MIN": -1, "MAX": 1, "DEFAULT": 0.0, "LABEL": "Turn of the whole, turns"},
    {"NAME": "spin", "TYPE": "float", "MIN": -1, "MAX": 1, "DEFAULT": 0.0, "LABEL": "Turn of what the wedge sees, turns"},
    {"NAME": "zoom", "TYPE": "float", "MIN": 0.2, "MAX": 4, "DEFAULT": 1.0, "LABEL": "Zoom"},
    {"NAME": "drift", "TYPE": "float", "MIN": 0, "MAX": 1, "DEFAULT": 0.5, "LABEL": "Wandering of the wedge by itself"},
    {"NAME": "bend", "TYPE": "float", "MIN": -1, "MAX": 1, "DEFAULT": 0.0, "LABEL": "Twist with distance"},
    {"NAME": "blend", "TYPE": "float", "MIN": 0, "MAX": 1, "DEFAULT": 1.0, "LABEL": "Mix with the untouched picture"}
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

void main() {
  vec2 uv = isf_FragNormCoord;
  vec2 aspect = vec2(RENDERSIZE.x / RENDERSIZE.y, 1.0);
  vec2 p = (uv - 0.5) * aspect;
  float r = length(p);
  float n = floor(segments + 0.5);
  float a = atan(p.y, p.x) * 0.15915494 + angle + bend * r;
  // A triangle wave over one wedge: its slope flips without a seam.
  a = abs(fract(a * n) - 0.5) / n;
  vec2 roam = 0.18 * drift * vec2(turn(TIME * 0.021).x, turn(TIME * 0.017).y);
  vec2 q = turn(a + spin + drift * TIME * 0.008) * r / zoom;
  vec2 s = mix(uv, q / aspect.y + 0.5 + roam, blend);
  gl_FragColor = IMG_NORM_PIXEL(inputImage, fold(s));
}
