/*{
  "DESCRIPTION": "Living cells, packed and pulsing, with lit walls",
  "CREDIT": "Performer", "ISFVSN": "2", "CATEGORIES": ["Generator"],
  "PASSES": [
    {"TARGET": "cores", "FLOAT": true, "WIDTH": "128", "HEIGHT": "32"},
    {}
  ],
  "INPUTS": [
    {"NAME": "scale", "TYPE": "float", "MIN": 1, "MAX": 14, "DEFAULT": 4.5, "LABEL": "Cells over the height"},
    {"NAME": "pulse", "TYPE": "float", "MIN": 0, "MAX": 1, "DEFAULT": 0.0, "LABEL": "Cells swell"},
    {"NAME": "wall", "TYPE": "float", "MIN": 0, "MAX": 1, "DEFAULT": 0.35, "LABEL": "Light of the walls"},
    {"NAME": "push", "TYPE": "float", "MIN": -8, "MAX": 8, "DEFAULT": 0.0, "LABEL": "Stirred"},
    {"NAME": "hue", "TYPE": "float", "MIN": 0, "MAX": 1, "DEFAULT": 0.92, "LABEL": "Hue, turns"}
  ],
  "PERFORMER": {"alpha": "opaque"}
}*/
vec2 hash2(vec2 p) { return fract(sin(vec2(dot(p, vec2(127.1, 311.7)), dot(p, vec2(269.5, 183.3)))) * 43758.5453); }
vec3 palette(float t) { return 0.5 + 0.5 * cos(6.28318 * (t + vec3(0.0, 0.33, 0.67))); }
void main() {
  if (PASSINDEX == 0) {  // where the core of each cell is now, and what it is like
    vec2 h = hash2(floor(gl_FragCoord.xy) - vec2(64.0, 16.0));
    gl_FragColor = vec4(0.5 + 0.42 * sin(TIME * 0.5 + push * 3.0 + 6.28318 * h), h);
    return;
  }
  vec2 p = (isf_FragNormCoord - 0.5) * vec2(RENDERSIZE.x / RENDERSIZE.y, 1.0) * scale, cell = floor(p), f = fract(p);
  float near = 9.0, second = 9.0;
  vec2 id = vec2(0.0), to = vec2(0.0);
  for (int y = -1; y <= 1; y++) for (int x = -1; x <= 1; x++) {
    ivec2 at = ivec2(cell) + ivec2(x, y) + ivec2(64, 16);
    vec4 core = texelFetch(cores, ivec2(at.x & 127, at.y), 0);
    vec2 d = vec2(float(x), float(y)) + core.xy - f;
    float r = dot(d, d) - 0.12 * pulse * core.z;
    if (r < near) { second = near; near = r; id = core.zw; to = d; } else if (r < second) second = r;
  }
  float wide = sqrt(max(second, 0.0)) - sqrt(max(near, 0.0)), depth = smoothstep(0.0, 0.5, wide);
  vec3 body = palette(hue + 0.18 * (id.x - 0.5)) * (0.12 + 0.75 * depth * (0.5 + 0.5 * id.y) * (0.75 + 0.5 * pulse));
  float shine = pow(max(0.0, dot(normalize(vec3(to, 0.45)), normalize(vec3(-0.4, 0.6, 0.9)))), 18.0);
  vec3 c = body + palette(hue + 0.42) * wall * (exp(-wide * 22.0) + 0.6 * exp(-wide * 6.0)) + vec3(shine) * 0.55 * depth;
  float core = smoothstep(0.16, 0.05, sqrt(max(near, 0.0)) - 0.06 * pulse);
  c = mix(c, palette(hue + 0.55) * 0.35, core * 0.8);
  gl_FragColor = vec4(clamp(c, 0.0, 1.0), 1.0);
}
