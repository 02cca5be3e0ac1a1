/*{
  "DESCRIPTION": "A flash from the middle throws the old picture outwards and leaves the new one",
  "CREDIT": "Performer", "ISFVSN": "2", "CATEGORIES": ["Transition"],
  "INPUTS": [
    {"NAME": "startImage", "TYPE": "image"},
    {"NAME": "endImage", "TYPE": "image"},
    {"NAME": "progress", "TYPE": "float", "MIN": 0, "MAX": 1, "DEFAULT": 0},
    {"NAME": "flash", "TYPE": "float", "MIN": 0, "MAX": 1, "DEFAULT": 0.6, "LABEL": "Flash"}
  ]
}*/
void main() {
  vec2 uv = isf_FragNormCoord, aspect = vec2(RENDERSIZE.x / RENDERSIZE.y, 1.0), p = uv - 0.5;
  float r = length(p * aspect) / (0.5 * length(aspect)), edge = progress * 1.3 - 0.1;
  float push = smoothstep(edge + 0.35, edge, r) * progress;
  vec3 old = IMG_NORM_PIXEL(startImage, 0.5 + p * (1.0 - 0.7 * push)).rgb, fresh = IMG_NORM_PIXEL(endImage, uv).rgb;
  float rim = exp(-abs(r - edge) * 14.0) * flash * 4.0 * progress * (1.0 - progress);
  gl_FragColor = vec4(mix(fresh, old, smoothstep(edge - 0.06, edge + 0.06, r)) + rim * vec3(1.0, 0.85, 0.7), 1.0);
}
