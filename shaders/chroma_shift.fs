/*{
  "DESCRIPTION": "Splits red and blue apart, along a direction and away from the centre",
  "CREDIT": "Performer",
  "ISFVSN": "2",
  "CATEGORIES": ["Color", "Lens"],
  "INPUTS": [
    {"NAME": "inputImage", "TYPE": "image"},
    {"NAME": "amount", "TYPE": "float", "MIN": 0, "MAX": 1, "DEFAULT": 0.15, "LABEL": "Split"},
    {"NAME": "radial", "TYPE": "float", "MIN": 0, "MAX": 1, "DEFAULT": 0.7, "LABEL": "Away from the centre, rather than sideways"},
    {"NAME": "angle", "TYPE": "float", "MIN": -1, "MAX": 1, "DEFAULT": 0.0, "LABEL": "Direction, turns"}
  ],
  "PERFORMER": {"alpha": "premultiplied"}
}*/

// (cos, sin) of x turns by parabolas, to 0.1 %: the real ones are dear where a CPU draws.
vec2 turn(float x) {
  vec2 s = fract(vec2(x + 0.25, x)) * 2.0 - 1.0;
  vec2 y = -4.0 * s * (1.0 - abs(s));
  return y * (0.775 + 0.225 * abs(y));
}

void main() {
  vec2 uv = isf_FragNormCoord;
  vec2 p = uv - 0.5;
  vec2 d = mix(turn(angle) * 0.5, p * (0.4 + 2.0 * dot(p, p)), radial) * amount * 0.12;
  vec2 g = IMG_THIS_PIXEL(inputImage).ga;
  vec2 r = IMG_NORM_PIXEL(inputImage, clamp(uv - d, 0.0, 1.0)).ra;
  vec2 b = IMG_NORM_PIXEL(inputImage, clamp(uv + d, 0.0, 1.0)).ba;
  gl_FragColor = vec4(r.x, g.x, b.x, max(g.y, max(r.y, b.y)));
}
