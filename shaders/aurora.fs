/*{
  "DESCRIPTION": "Curtains of northern light over a dark horizon, folding in the wind",
  "CREDIT": "Performer", "ISFVSN": "2", "CATEGORIES": ["Generator"],
  "PASSES": [
    {"TARGET": "curtains", "FLOAT": true, "WIDTH": "$HEIGHT * 4", "HEIGHT": "5"},
    {}
  ],
  "INPUTS": [
    {"NAME": "power", "TYPE": "float", "MIN": 0, "MAX": 2, "DEFAULT": 1.4, "LABEL": "Brightness"},
    {"NAME": "fold", "TYPE": "float", "MIN": 0, "MAX": 2, "DEFAULT": 0.8, "LABEL": "Folds"},
    {"NAME": "rise", "TYPE": "float", "MIN": 0, "MAX": 1, "DEFAULT": 0.4, "LABEL": "Height of the curtains"},
    {"NAME": "wind", "TYPE": "float", "MIN": -8, "MAX": 8, "DEFAULT": 0.0, "LABEL": "Moved by the wind"},
    {"NAME": "hue", "TYPE": "float", "MIN": 0, "MAX": 1, "DEFAULT": 0.64, "LABEL": "Hue, turns"}
  ]
}*/
float hash(vec2 p) { return fract(sin(dot(p, vec2(127.1, 311.7))) * 43758.5453); }
float noise(vec2 p) {
  vec2 i = floor(p), f = fract(p), u = f * f * (3.0 - 2.0 * f);
  return mix(mix(hash(i), hash(i + vec2(1.0, 0.0)), u.x), mix(hash(i + vec2(0.0, 1.0)), hash(i + vec2(1.0, 1.0)), u.x), u.y);
}
void main() {
  // What is the same from top to bottom is drawn once: a row for each curtain, and one for the hills; 4 heights wide.
  if (PASSINDEX == 0) {
    float n = floor(gl_FragCoord.y), at = gl_FragCoord.x * 4.0 / RENDERSIZE.x - 2.0;
    float x = at * (0.9 + 0.25 * n) + n * 7.3, t = TIME * 0.12 + wind;
    float base = 0.18 + 0.1 * n + 0.16 * fold * (noise(vec2(x * 1.3 - t, t * 0.4 + n)) - 0.5) + 0.05 * fold * sin(x * 5.0 + 2.0 * t + n);
    float rays = 0.45 + 0.55 * noise(vec2(x * 26.0 + 6.0 * noise(vec2(x * 2.0, t)), t * 1.5));
    float tall = (0.12 + 0.5 * rise) * (0.6 + 0.8 * noise(vec2(x * 2.1 + t, n * 3.0)));
    float hill = 0.07 + 0.06 * noise(vec2(at * 2.3, 4.0)) + 0.015 * noise(vec2(at * 19.0, 1.0));
    gl_FragColor = vec4(n < 3.5 ? base : hill, rays * power * (0.85 - 0.13 * n), 1.0 / tall, 1.0);
    return;
  }
  vec2 p = (isf_FragNormCoord - vec2(0.5, 0.0)) * vec2(RENDERSIZE.x / RENDERSIZE.y, 1.0);
  vec3 c = mix(vec3(0.012, 0.02, 0.05), vec3(0.0, 0.0, 0.02), p.y);
  vec2 cell = floor(p * 90.0);
  c += step(0.992, hash(cell)) * smoothstep(0.4, 0.0, length(fract(p * 90.0) - 0.5)) * (0.4 + 0.4 * sin(TIME * 3.0 + 90.0 * hash(cell + 3.0)));
  float wide = IMG_SIZE(curtains).x;
  int column = int(min((4.0 - abs(4.0 - mod(p.x + 2.0, 8.0))) * 0.25 * wide, wide - 1.0));
  vec3 turn = 6.28318 * (hue + vec3(0.0, 0.33, 0.67)), along = 0.5 * cos(turn), across = 0.5 * sin(turn);
  vec3 top = 0.5 + 0.5 * cos(turn + 2.26195);
  for (int i = 0; i < 4; i++) {
    vec3 curtain = texelFetch(curtains, ivec2(column, i), 0).rgb;
    float above = p.y - curtain.x, high = above * curtain.z;
    float body = smoothstep(-0.012, 0.012, above) * exp(-2.2 * max(high, 0.0)) * curtain.y;
    float back = 0.1256636 * float(i);  // each a little further back in hue
    c += mix(0.5 + along * cos(back) + across * sin(back), top, clamp(high, 0.0, 1.0)) * body;
  }
  float hill = texelFetch(curtains, ivec2(column, 4), 0).r;
  c *= smoothstep(hill - 0.004, hill + 0.004, p.y);
  gl_FragColor = vec4(clamp(c, 0.0, 1.0), 1.0);
}
