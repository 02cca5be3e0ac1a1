/*{
  "DESCRIPTION": "Thousands of sparks carried by a swirling wind, leaving threads of light",
  "CREDIT": "Performer", "ISFVSN": "2", "CATEGORIES": ["Generator", "Feedback"],
  "PASSES": [{"TARGET": "threads", "PERSISTENT": true, "FLOAT": true}],
  "INPUTS": [
    {"NAME": "wind", "TYPE": "float", "MIN": 0, "MAX": 2, "DEFAULT": 0.5, "LABEL": "Speed, heights per second"},
    {"NAME": "sparks", "TYPE": "float", "MIN": 0, "MAX": 1, "DEFAULT": 0.4, "LABEL": "New sparks"},
    {"NAME": "decay", "TYPE": "float", "MIN": 0.05, "MAX": 5, "DEFAULT": 0.9, "LABEL": "Fading, seconds"},
    {"NAME": "scale", "TYPE": "float", "MIN": 0.5, "MAX": 6, "DEFAULT": 1.8, "LABEL": "Eddies across"},
    {"NAME": "hue", "TYPE": "float", "MIN": 0, "MAX": 1, "DEFAULT": 0.55, "LABEL": "Hue, turns"},
    {"NAME": "burst", "TYPE": "event", "LABEL": "A burst of sparks"}
  ]
}*/
float hash(vec2 p) { p = fract(p * vec2(123.34, 456.21)); p += dot(p, p + 45.32); return fract(p.x * p.y); }
vec3 palette(float t) { return 0.55 + 0.45 * cos(6.28318 * (t + vec3(0.0, 0.18, 0.38))); }
void main() {
  vec2 uv = isf_FragNormCoord, aspect = vec2(RENDERSIZE.x / RENDERSIZE.y, 1.0);
  float dt = min(TIMEDELTA, 0.1), t = TIME * 0.11;
  vec2 q = (uv - 0.5) * aspect * scale * 2.4;
  vec2 v = vec2(sin(q.y * 1.7 + t * 3.0) + 0.6 * cos(q.y * 3.1 - q.x * 1.3 + t), cos(q.x * 1.5 - t * 2.3) + 0.6 * sin(q.x * 2.9 + q.y * 1.1 - t));
  vec2 p = uv - v / aspect * wind * 0.35 * dt;
  vec3 past = IMG_NORM_PIXEL(threads, clamp(p, 0.0, 1.0)).rgb;
  past = FRAMEINDEX == 0 ? vec3(0.0) : clamp(past, 0.0, 4.0) * exp(-dt / decay);
  vec2 cells = aspect * 64.0, cell = floor(uv * cells);
  float tick = floor(TIME * 24.0);
  float born = step(1.0 - (burst ? 0.06 : 0.0) - 1.4 * sparks * sparks * dt, hash(cell + tick * 0.731));
  vec2 at = fract(uv * cells) - 0.5;
  vec3 spark = palette(hue + 0.25 * hash(cell) + 0.1 * length(v)) * smoothstep(0.42, 0.1, length(at)) * born * 2.2;
  gl_FragColor = vec4(max(past, spark), 1.0);
}
