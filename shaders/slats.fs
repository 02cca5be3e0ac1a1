/*{
  "DESCRIPTION": "Slats turn over one after the other, with light on their edges",
  "CREDIT": "Performer", "ISFVSN": "2", "CATEGORIES": ["Transition"],
  "INPUTS": [
    {"NAME": "startImage", "TYPE": "image"},
    {"NAME": "endImage", "TYPE": "image"},
    {"NAME": "progress", "TYPE": "float", "MIN": 0, "MAX": 1, "DEFAULT": 0},
    {"NAME": "count", "TYPE": "float", "MIN": 2, "MAX": 40, "DEFAULT": 14, "LABEL": "How many"}
  ]
}*/
void main() {
  vec2 uv = isf_FragNormCoord;
  float n = floor(count + 0.5), slat = floor(uv.x * n), at = fract(uv.x * n) - 0.5;
  float k = clamp(progress * 2.0 - slat / n, 0.0, 1.0), a = 3.14159 * smoothstep(0.0, 1.0, k), narrow = max(abs(cos(a)), 0.001);
  float inside = step(abs(at), 0.5 * narrow), u = (slat + 0.5 + at / narrow) / n;
  vec3 old = IMG_NORM_PIXEL(startImage, vec2(u, uv.y)).rgb, fresh = IMG_NORM_PIXEL(endImage, vec2(u, uv.y)).rgb;
  vec3 c = (cos(a) > 0.0 ? old : fresh) * (0.45 + 0.55 * narrow) * inside;
  c += 0.35 * sin(a) * exp(-abs(abs(at) - 0.5 * narrow) * 30.0);
  gl_FragColor = vec4(clamp(progress <= 0.0 ? IMG_NORM_PIXEL(startImage, uv).rgb : progress >= 1.0 ? IMG_NORM_PIXEL(endImage, uv).rgb : c, 0.0, 1.0), 1.0);
}
