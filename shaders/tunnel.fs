/*{
  "DESCRIPTION": "A flight through a fluted tube of light whose walls carry rings and stripes",
  "CREDIT": "Performer", "ISFVSN": "2", "CATEGORIES": ["Generator"],
  "INPUTS": [
    {"NAME": "push", "TYPE": "float", "MIN": -4, "MAX": 4, "DEFAULT": 0.0, "LABEL": "Jump ahead, rings"},
    {"NAME": "sides", "TYPE": "float", "MIN": 3, "MAX": 16, "DEFAULT": 6, "LABEL": "Flutes"},
    {"NAME": "rings", "TYPE": "float", "MIN": 0, "MAX": 1, "DEFAULT": 0.6, "LABEL": "Brightness of the rings"},
    {"NAME": "twist", "TYPE": "float", "MIN": -1, "MAX": 1, "DEFAULT": 0.25, "LABEL": "Twist with depth, turns"},
    {"NAME": "bend", "TYPE": "float", "MIN": 0, "MAX": 1, "DEFAULT": 0.5, "LABEL": "Bends of the way"},
    {"NAME": "hue", "TYPE": "float", "MIN": 0, "MAX": 1, "DEFAULT": 0.6, "LABEL": "Hue, turns"},
    {"NAME": "glow", "TYPE": "float", "MIN": 0, "MAX": 2, "DEFAULT": 0.8, "LABEL": "Light at the end"}
  ]
}*/
vec3 palette(float t) { return 0.5 + 0.5 * cos(6.28318 * (t + vec3(0.0, 0.2, 0.42))); }
void main() {
  vec2 p = (isf_FragNormCoord - 0.5) * vec2(RENDERSIZE.x / RENDERSIZE.y, 1.0) * 2.0;
  p += bend * 0.35 * vec2(sin(TIME * 0.31), cos(TIME * 0.23));
  float r = length(p) + 1e-4, depth = 0.5 / r;
  float a = atan(p.y, p.x) / 6.28318 + twist * depth * 0.25 + TIME * 0.013;
  float flute = abs(fract(a * sides) - 0.5) * 2.0;
  float z = depth + TIME * 0.55 + push + 0.09 * (flute - 0.5);
  float ring = smoothstep(0.28, 0.0, abs(fract(z) - 0.5)) * rings;
  float line = smoothstep(0.10, 0.0, abs(flute - 0.9));
  float fog = exp(-depth * 0.32);
  vec3 c = palette(hue + floor(z) * 0.09 + flute * 0.12) * (0.10 + ring * 1.1) * (0.35 + 0.65 * flute);
  c += line * palette(hue + 0.45 + depth * 0.04) * 0.55;
  c *= fog;
  c += palette(hue + 0.1) * glow * exp(-r * 7.0);
  gl_FragColor = vec4(clamp(c, 0.0, 1.0), 1.0);
}
