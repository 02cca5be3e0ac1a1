/*{
  "DESCRIPTION": "Gray-Scott reaction and diffusion: coral, spots and labyrinths that grow; a hit drops new seeds",
  "CREDIT": "Performer, after J. E. Pearson, Complex Patterns in a Simple System, 1993", "ISFVSN": "2", "CATEGORIES": ["Generator"],
  "PASSES": [
    {"TARGET": "dish", "PERSISTENT": true, "FLOAT": true, "WIDTH": "$WIDTH / max(1, $HEIGHT / 180)", "HEIGHT": "min($HEIGHT, 180)"},
    {"TARGET": "dish", "PERSISTENT": true, "FLOAT": true, "WIDTH": "$WIDTH / max(1, $HEIGHT / 180)", "HEIGHT": "min($HEIGHT, 180)"},
    {"TARGET": "dish", "PERSISTENT": true, "FLOAT": true, "WIDTH": "$WIDTH / max(1, $HEIGHT / 180)", "HEIGHT": "min($HEIGHT, 180)"},
    {"TARGET": "dish", "PERSISTENT": true, "FLOAT": true, "WIDTH": "$WIDTH / max(1, $HEIGHT / 180)", "HEIGHT": "min($HEIGHT, 180)"},
    {}
  ],
  "INPUTS": [
    {"NAME": "feed", "TYPE": "float", "MIN": 0.01, "MAX": 0.08, "DEFAULT": 0.037, "LABEL": "Feed"},
    {"NAME": "kill", "TYPE": "float", "MIN": 0.045, "MAX": 0.07, "DEFAULT": 0.06, "LABEL": "Kill"},
    {"NAME": "seed", "TYPE": "event", "LABEL": "Drop new seeds"},
    {"NAME": "hue", "TYPE": "float", "MIN": 0, "MAX": 1, "DEFAULT": 0.52, "LABEL": "Hue, turns"},
    {"NAME": "relief", "TYPE": "float", "MIN": 0, "MAX": 1, "DEFAULT": 0.7, "LABEL": "Light from the side"}
  ],
  "PERFORMER": {"cost": "high"}
}*/
float hash(vec2 p) { p = fract(p * vec2(123.34, 456.21)); p += dot(p, p + 45.32); return fract(p.x * p.y); }
vec3 palette(float t) { return 0.5 + 0.5 * cos(6.28318 * (t + vec3(0.0, 0.15, 0.35))); }
void main() {
  vec2 uv = isf_FragNormCoord;
  if (PASSINDEX < 4) {
    ivec2 size = ivec2(RENDERSIZE), at = ivec2(gl_FragCoord.xy), next = at + 1, last = at - 1;
    next -= size * ivec2(equal(next, size));
    last += size * ivec2(lessThan(last, ivec2(0)));
    vec2 cell = uv * RENDERSIZE / 9.0;
    float spots = step(0.98, hash(floor(cell) + 3.7)) * step(length(fract(cell) - 0.5), 0.42);
    if (FRAMEINDEX == 0) { gl_FragColor = vec4(1.0 - 0.5 * spots, spots * 0.5, 0.0, 1.0); return; }
    vec2 c = texelFetch(dish, at, 0).rg;
    vec2 cross = texelFetch(dish, ivec2(next.x, at.y), 0).rg + texelFetch(dish, ivec2(last.x, at.y), 0).rg
               + texelFetch(dish, ivec2(at.x, next.y), 0).rg + texelFetch(dish, ivec2(at.x, last.y), 0).rg;
    vec2 spread = cross - 4.0 * c;
    float step_t = clamp(TIMEDELTA * 60.0, 0.2, 1.0);
    float meet = c.r * c.g * c.g;
    c += step_t * (vec2(0.2097, 0.105) * spread + vec2(-meet + feed * (1.0 - c.r), meet - (feed + kill) * c.g));
    if (seed && PASSINDEX == 0) c.g = max(c.g, 0.6 * step(0.988, hash(floor(cell) + floor(TIME * 60.0))) * step(length(fract(cell) - 0.5), 0.4));
    gl_FragColor = vec4(clamp(c, 0.0, 1.0), 0.0, 1.0);
    return;
  }
  vec2 d = vec2(1.2, 1.2) / vec2(320.0, 180.0);
  float b = IMG_NORM_PIXEL(dish, uv).g;
  vec2 slope = vec2(IMG_NORM_PIXEL(dish, uv + vec2(d.x, 0.0)).g - b, IMG_NORM_PIXEL(dish, uv + vec2(0.0, d.y)).g - b);
  float body = smoothstep(0.08, 0.32, b), light = clamp(0.5 + dot(slope, vec2(-6.0, 6.0)) * relief, 0.0, 1.4);
  vec3 c = palette(hue + 0.55 * b) * body * (0.25 + light) + palette(hue + 0.5) * 0.10 * (1.0 - body);
  c += pow(max(light - 0.62, 0.0), 2.0) * 2.2 * body;
  gl_FragColor = vec4(clamp(c, 0.0, 1.0), 1.0);
}
