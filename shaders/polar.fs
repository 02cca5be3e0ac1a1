/*{
  "DESCRIPTION": "Wraps the picture round a well that draws it in, without a seam",
  "CREDIT": "Performer", "ISFVSN": "2", "CATEGORIES": ["Warp", "Geometry"],
  "INPUTS": [
    {"NAME": "inputImage", "TYPE": "image"},
    {"NAME": "depth", "TYPE": "float", "MIN": 0.05, "MAX": 1, "DEFAULT": 0.35, "LABEL": "Depth of the well"},
    {"NAME": "spiral", "TYPE": "float", "MIN": -2, "MAX": 2, "DEFAULT": 0.4, "LABEL": "Winding"},
    {"NAME": "fall", "TYPE": "float", "MIN": -1, "MAX": 1, "DEFAULT": 0.15, "LABEL": "Falling, pictures per second: change it rarely"},
    {"NAME": "push", "TYPE": "float", "MIN": -1, "MAX": 1, "DEFAULT": 0.0, "LABEL": "A step inwards"},
    {"NAME": "dark", "TYPE": "float", "MIN": 0, "MAX": 1, "DEFAULT": 0.6, "LABEL": "Dark at the bottom"}
  ],
  "PERFORMER": {"alpha": "premultiplied"}
}*/
void main() {
  vec2 p = (isf_FragNormCoord - 0.5) * vec2(RENDERSIZE.x / RENDERSIZE.y, 1.0);
  float r = max(length(p), 0.004), down = -log(r) * depth;
  vec2 uv = vec2(atan(p.y, p.x) / 3.14159265 + spiral * down, down + TIME * fall + push);
  uv.x = abs(mod(uv.x * 2.0, 4.0) - 2.0) * 0.5;
  uv.y = abs(mod(uv.y * 2.0, 2.0) - 1.0);
  vec4 c = IMG_NORM_PIXEL(inputImage, uv);
  gl_FragColor = vec4(c.rgb * mix(1.0, smoothstep(0.0, 0.35, r), dark), c.a);
}
