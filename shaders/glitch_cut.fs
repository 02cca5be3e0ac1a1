/*{
  "DESCRIPTION": "A cut that stutters: blocks and lines jump between the two pictures",
  "CREDIT": "Performer", "ISFVSN": "2", "CATEGORIES": ["Transition"],
  "INPUTS": [
    {"NAME": "startImage", "TYPE": "image"},
    {"NAME": "endImage", "TYPE": "image"},
    {"NAME": "progress", "TYPE": "float", "MIN": 0, "MAX": 1, "DEFAULT": 0},
    {"NAME": "blocks", "TYPE": "float", "MIN": 4, "MAX": 60, "DEFAULT": 18, "LABEL": "Blocks across"}
  ]
}*/
float hash(vec2 p) { p = fract(p * vec2(123.34, 456.21)); p += dot(p, p + 45.32); return fract(p.x * p.y); }
void main() {
  vec2 uv = isf_FragNormCoord, grid = vec2(blocks, blocks * RENDERSIZE.y / RENDERSIZE.x);
  float tick = floor(progress * 14.0), storm = 1.0 - abs(progress * 2.0 - 1.0);
  float h = hash(floor(uv * grid) + tick), row = hash(vec2(floor(uv.y * 60.0), tick));
  vec2 p = uv + vec2(step(1.0 - 0.4 * storm, row) * (row - 0.8) * 0.6, 0.0) * storm;
  float k = step(h * 0.8 + 0.1, progress);
  vec2 s = vec2(0.015 * storm, 0.0);
  vec3 a = vec3(IMG_NORM_PIXEL(startImage, fract(p + s)).r, IMG_NORM_PIXEL(startImage, fract(p)).g, IMG_NORM_PIXEL(startImage, fract(p - s)).b);
  vec3 b = vec3(IMG_NORM_PIXEL(endImage, fract(p - s)).r, IMG_NORM_PIXEL(endImage, fract(p)).g, IMG_NORM_PIXEL(endImage, fract(p + s)).b);
  gl_FragColor = vec4(mix(a, b, progress >= 1.0 ? 1.0 : k), 1.0);
}
