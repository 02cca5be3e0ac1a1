/*{
  "DESCRIPTION": "A lit grid runs to the horizon under a striped sun",
  "CREDIT": "Performer", "ISFVSN": "2", "CATEGORIES": ["Generator", "Geometry"],
  "INPUTS": [
    {"NAME": "speed", "TYPE": "float", "MIN": 0, "MAX": 4, "DEFAULT": 1.0, "LABEL": "Speed: change it rarely"},
    {"NAME": "push", "TYPE": "float", "MIN": 0, "MAX": 1, "DEFAULT": 0.0, "LABEL": "A step ahead, squares"},
    {"NAME": "sun", "TYPE": "float", "MIN": 0, "MAX": 0.6, "DEFAULT": 0.3, "LABEL": "Radius of the sun"},
    {"NAME": "glow", "TYPE": "float", "MIN": 0, "MAX": 4, "DEFAULT": 1.0, "LABEL": "Brightness of the grid"},
    {"NAME": "hue", "TYPE": "float", "MIN": 0, "MAX": 1, "DEFAULT": 0.88, "LABEL": "Hue, turns"}
  ]
}*/
vec3 tone(float h) { return 0.5 + 0.5 * cos(6.28318 * (h + vec3(0.0, 0.33, 0.67))); }
void main() {
  vec2 p = vec2((isf_FragNormCoord.x - 0.5) * RENDERSIZE.x / RENDERSIZE.y, isf_FragNormCoord.y - 0.42);
  vec3 c;
  if (p.y < 0.0) {
    float z = 0.22 / (0.02 - p.y);
    vec2 g = vec2(p.x * z * 3.0, z * 2.0 + TIME * speed + push);
    vec2 line = abs(fract(g) - 0.5), wide = vec2(0.012, 0.02) * (1.0 + z);
    float on = max(smoothstep(0.5 - wide.x, 0.5, line.x), smoothstep(0.5 - wide.y, 0.5, line.y));
    c = tone(hue) * (on * glow * exp(-0.16 * z) + 0.05) + tone(hue + 0.1) * 0.35 * exp(p.y * 18.0);
  } else {
    float r = length(p - vec2(0.0, 0.2)), slit = step(0.35, fract(p.y * 16.0 - TIME * 0.4)) + step(0.26, p.y);
    float disc = smoothstep(sun, sun - 0.008, r) * min(slit, 1.0);
    c = mix(tone(hue + 0.62) * 0.1, tone(hue) * 0.35, exp(-p.y * 5.0));
    c += tone(hue) * 0.25 * exp(-max(r - sun, 0.0) * 7.0);
    c = mix(c, mix(tone(hue), vec3(1.0, 0.85, 0.35), clamp(p.y * 2.2, 0.0, 1.0)), disc);
  }
  gl_FragColor = vec4(c, 1.0);
}
