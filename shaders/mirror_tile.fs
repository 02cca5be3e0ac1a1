/*{
  "DESCRIPTION": "A wall of mirrored tiles that turns and breathes as one",
  "CREDIT": "Performer", "ISFVSN": "2", "CATEGORIES": ["Geometry"],
  "INPUTS": [
    {"NAME": "inputImage", "TYPE": "image"},
    {"NAME": "tiles", "TYPE": "float", "MIN": 1, "MAX": 8, "DEFAULT": 2.0, "LABEL": "Tiles across the height"},
    {"NAME": "angle", "TYPE": "float", "MIN": -1, "MAX": 1, "DEFAULT": 0.0, "LABEL": "Turn, turns"},
    {"NAME": "shift", "TYPE": "point2D", "MIN": [-1.0, -1.0], "MAX": [1.0, 1.0], "DEFAULT": [0.0, 0.0]},
    {"NAME": "bulge", "TYPE": "float", "MIN": -1, "MAX": 1, "DEFAULT": 0.0, "LABEL": "Bulge of each tile"},
    {"NAME": "drift", "TYPE": "float", "MIN": 0, "MAX": 1, "DEFAULT": 0.3, "LABEL": "Wandering by itself"}
  ],
  "PERFORMER": {"alpha": "premultiplied"}
}*/
void main() {
  vec2 aspect = vec2(RENDERSIZE.x / RENDERSIZE.y, 1.0);
  vec2 p = (isf_FragNormCoord - 0.5) * aspect;
  float a = 6.28318 * angle + 0.12 * drift * sin(TIME * 0.21);
  p = mat2(cos(a), -sin(a), sin(a), cos(a)) * p * tiles;
  p += shift + drift * 0.35 * vec2(sin(TIME * 0.17), cos(TIME * 0.13));
  vec2 m = 1.0 - abs(1.0 - mod(p + 0.5, 2.0)) - 0.5;
  m *= 1.0 - bulge * 0.9 * (0.5 - dot(m, m));
  gl_FragColor = IMG_NORM_PIXEL(inputImage, clamp(m + 0.5, 0.0, 1.0));
}
