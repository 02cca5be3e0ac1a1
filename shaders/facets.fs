/*{
  "DESCRIPTION": "The picture behind cut glass: each facet looks elsewhere and catches its own light",
  "CREDIT": "Performer", "ISFVSN": "2", "CATEGORIES": ["Geometry", "Lens"],
  "INPUTS": [
    {"NAME": "inputImage", "TYPE": "image"},
    {"NAME": "number", "TYPE": "float", "MIN": 2, "MAX": 24, "DEFAULT": 6, "LABEL": "Facets across the height"},
    {"NAME": "bend", "TYPE": "float", "MIN": 0, "MAX": 1, "DEFAULT": 0.4, "LABEL": "How far facets look aside"},
    {"NAME": "shine", "TYPE": "float", "MIN": 0, "MAX": 1, "DEFAULT": 0.3, "LABEL": "Light and shade of the facets"}
  ],
  "PERFORMER": {"alpha": "premultiplied"}
}*/
float hash(vec2 p) { p = fract(p * vec2(123.34, 456.21)); p += dot(p, p + 45.32); return fract(p.x * p.y); }
void main() {
  vec2 uv = isf_FragNormCoord, aspect = vec2(RENDERSIZE.x / RENDERSIZE.y, 1.0), p = uv * aspect * number;
  vec2 skew = vec2(p.x + p.y * 0.57735, p.y * 1.1547), cell = floor(skew), f = fract(skew);
  float half_ = step(f.x + f.y, 1.0), a = 6.28318 * hash(cell + 0.31 * half_) + 0.4 * TIME;
  vec2 from = uv + bend * 0.22 * vec2(cos(a), sin(a)) / aspect;
  vec4 c = IMG_NORM_PIXEL(inputImage, 1.0 - abs(1.0 - mod(from, 2.0)));
  gl_FragColor = vec4(c.rgb * (1.0 + shine * 0.9 * sin(a * 1.7)), c.a);
}
