/*{
  "DESCRIPTION": "A tube: bulging glass, lines, phosphor dots, a rolling bar, and colours that miss each other",
  "CREDIT": "Performer", "ISFVSN": "2", "CATEGORIES": ["Stylize"],
  "INPUTS": [
    {"NAME": "inputImage", "TYPE": "image"},
    {"NAME": "lines", "TYPE": "float", "MIN": 60, "MAX": 600, "DEFAULT": 220, "LABEL": "Lines over the height"},
    {"NAME": "bulge", "TYPE": "float", "MIN": 0, "MAX": 0.5, "DEFAULT": 0.12, "LABEL": "Bulge of the glass"},
    {"NAME": "miss", "TYPE": "float", "MIN": 0, "MAX": 1, "DEFAULT": 0.15, "LABEL": "Colours miss each other"},
    {"NAME": "tear", "TYPE": "float", "MIN": 0, "MAX": 1, "DEFAULT": 0.0, "LABEL": "Torn sideways"},
    {"NAME": "glow", "TYPE": "float", "MIN": 0, "MAX": 2, "DEFAULT": 1.0, "LABEL": "Brightness"}
  ],
  "PERFORMER": {"alpha": "premultiplied"}
}*/
float hash(float n) { return fract(sin(n * 91.17) * 4375.85); }
void main() {
  vec2 p = isf_FragNormCoord * 2.0 - 1.0;
  p *= 1.0 + bulge * dot(p, p) * 0.5;
  vec2 uv = p * 0.5 / (1.0 + bulge * 0.5) + 0.5;
  float row = floor(uv.y * 24.0), jolt = step(1.0 - 0.6 * tear, hash(row + floor(TIME * 14.0))) * (hash(row * 3.1 + floor(TIME * 14.0)) - 0.5);
  uv.x += jolt * tear * 0.25;
  float m = 0.006 * miss;
  vec2 red = IMG_NORM_PIXEL(inputImage, uv + vec2(m, 0.0)).ra, green = IMG_NORM_PIXEL(inputImage, uv).ga, blue = IMG_NORM_PIXEL(inputImage, uv - vec2(m, 0.0)).ba;
  vec3 c = vec3(red.x, green.x, blue.x);
  float cover = max(green.y, max(red.y, blue.y));
  float line = 0.72 + 0.28 * cos(6.28318 * uv.y * lines), column = mod(floor(gl_FragCoord.x), 3.0);
  vec3 dots = column < 0.5 ? vec3(1.25, 0.85, 0.85) : column < 1.5 ? vec3(0.85, 1.25, 0.85) : vec3(0.85, 0.85, 1.25);
  float bar = 1.0 + 0.12 * smoothstep(0.25, 0.0, abs(fract(uv.y + TIME * 0.13) - 0.5));
  float edge = smoothstep(0.0, 0.02, uv.x) * smoothstep(1.0, 0.98, uv.x) * smoothstep(0.0, 0.02, uv.y) * smoothstep(1.0, 0.98, uv.y);
  c *= line * dots * bar * edge * glow * (1.15 - 0.35 * dot(p, p) * 0.5);
  gl_FragColor = vec4(clamp(c, 0.0, cover), cover);
}
