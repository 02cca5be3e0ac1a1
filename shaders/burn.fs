/*{
  "DESCRIPTION": "The old picture burns away like paper, with a glowing edge and drifting smoke",
  "CREDIT": "Performer", "ISFVSN": "2", "CATEGORIES": ["Transition"],
  "INPUTS": [
    {"NAME": "startImage", "TYPE": "image"},
    {"NAME": "endImage", "TYPE": "image"},
    {"NAME": "progress", "TYPE": "float", "MIN": 0, "MAX": 1, "DEFAULT": 0},
    {"NAME": "heat", "TYPE": "float", "MIN": 0, "MAX": 2, "DEFAULT": 1.0, "LABEL": "Glow of the edge"}
  ]
}*/
float hash(vec2 p) { return fract(sin(dot(p, vec2(127.1, 311.7))) * 43758.5453); }
float noise(vec2 p) {
  vec2 i = floor(p), f = fract(p), u = f * f * (3.0 - 2.0 * f);
  return mix(mix(hash(i), hash(i + vec2(1.0, 0.0)), u.x), mix(hash(i + vec2(0.0, 1.0)), hash(i + vec2(1.0, 1.0)), u.x), u.y);
}
void main() {
  vec2 uv = isf_FragNormCoord, p = uv * vec2(RENDERSIZE.x / RENDERSIZE.y, 1.0);
  float n = 0.55 * noise(p * 3.0) + 0.28 * noise(p * 8.0) + 0.17 * noise(p * 23.0);
  float edge = n * 0.8 + 0.2 * uv.y - (progress * 1.25 - 0.15);
  vec3 old = IMG_THIS_PIXEL(startImage).rgb, fresh = IMG_THIS_PIXEL(endImage).rgb;
  old *= mix(1.0, smoothstep(0.0, 0.12, edge), step(0.001, progress));
  float inside = smoothstep(0.0, -0.015, edge), running = smoothstep(0.0, 0.05, progress) * smoothstep(1.0, 0.95, progress);
  vec3 glow = heat * running * (vec3(1.0, 0.45, 0.08) * exp(-abs(edge) * 40.0) + vec3(1.0, 0.9, 0.6) * exp(-abs(edge) * 130.0));
  vec3 c = mix(old, fresh, progress >= 1.0 ? 1.0 : progress <= 0.0 ? 0.0 : inside);
  gl_FragColor = vec4(clamp(c + glow, 0.0, 1.0), 1.0);
}
