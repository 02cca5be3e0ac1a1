/*{
  "DESCRIPTION": "The punch of a kick: a short zoom through a bulging lens with light at its rim",
  "CREDIT": "Performer", "ISFVSN": "2", "CATEGORIES": ["Warp"],
  "INPUTS": [
    {"NAME": "inputImage", "TYPE": "image"},
    {"NAME": "punch", "TYPE": "float", "MIN": 0, "MAX": 1, "DEFAULT": 0.0, "LABEL": "Punch: route the kick here"},
    {"NAME": "zoom", "TYPE": "float", "MIN": 0, "MAX": 1, "DEFAULT": 0.3, "LABEL": "How near it comes"},
    {"NAME": "bulge", "TYPE": "float", "MIN": -1, "MAX": 2, "DEFAULT": 0.6, "LABEL": "Bulge of the lens"},
    {"NAME": "light", "TYPE": "float", "MIN": 0, "MAX": 1, "DEFAULT": 0.25, "LABEL": "Brighter with the punch"},
    {"NAME": "center", "TYPE": "point2D", "MIN": [0.0, 0.0], "MAX": [1.0, 1.0], "DEFAULT": [0.5, 0.5]}
  ],
  "PERFORMER": {"alpha": "premultiplied"}
}*/
void main() {
  vec2 aspect = vec2(RENDERSIZE.x / RENDERSIZE.y, 1.0);
  vec2 p = (isf_FragNormCoord - center) * aspect;
  float r2 = dot(p, p);
  p *= (1.0 - 0.55 * zoom * punch) * (1.0 - bulge * punch * 0.55 * exp(-r2 * 4.0));
  vec4 s = IMG_NORM_PIXEL(inputImage, 1.0 - abs(1.0 - mod(p / aspect + center, 2.0)));
  vec3 c = s.rgb / max(s.a, 1e-4);
  c *= 1.0 + light * punch * (0.6 + 1.2 * exp(-r2 * 3.0));
  gl_FragColor = vec4(c / (1.0 + max(c - 0.85, 0.0)) * s.a, s.a);
}
