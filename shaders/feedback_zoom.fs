/*{
  "DESCRIPTION": "Video feedback: the dark parts of the picture open on a drifting, turning echo of the past",
  "CREDIT": "Performer",
  "ISFVSN": "2",
  "CATEGORIES": ["Feedback", "Warp"],
  "PASSES": [
    {"TARGET": "echo", "PERSISTENT": true, "FLOAT": true}
  ],
  "INPUTS": [
    {"NAME": "inputImage", "TYPE": "image"},
    {"NAME": "zoom", "TYPE": "float", "MIN": -3, "MAX": 3, "DEFAULT": 0.35, "LABEL": "Growth of the echo, e-folds per second"},
    {"NAME": "rotate", "TYPE": "float", "MIN": -0.5, "MAX": 0.5, "DEFAULT": 0.02, "LABEL": "Turn of the echo, turns per second"},
    {"NAME": "decay", "TYPE": "float", "MIN": 0.05, "MAX": 8, "DEFAULT": 2.0, "LABEL": "Fading of the echo, seconds"},
    {"NAME": "hue", "TYPE": "float", "MIN": -1, "MAX": 1, "DEFAULT": 0.06, "LABEL": "Drift of its hue, turns per second"},
    {"NAME": "key", "TYPE": "float", "MIN": 0, "MAX": 1, "DEFAULT": 0.45, "LABEL": "Brightness from which the new picture covers the echo"},
    {"NAME": "seep", "TYPE": "float", "MIN": 0, "MAX": 10, "DEFAULT": 0.8, "LABEL": "New picture everywhere, per second"},
    {"NAME": "center", "TYPE": "point2D", "MIN": [0.0, 0.0], "MAX": [1.0, 1.0], "DEFAULT": [0.5, 0.5], "LABEL": "Centre"}
  ],
  "PERFORMER": {"alpha": "premultiplied"}
}*/

// (cos, sin) of x turns by parabolas, to 0.1 %: the real ones are dear where a CPU draws.
vec2 turn(float x) {
  vec2 s = fract(vec2(x + 0.25, x)) * 2.0 - 1.0;
  vec2 y = -4.0 * s * (1.0 - abs(s));
  return y * (0.775 + 0.225 * abs(y));
}

float luma(vec3 c) {
  return dot(c, vec3(0.299, 0.587, 0.114));
}

void main() {
  vec2 uv = isf_FragNormCoord;
  vec2 aspect = vec2(RENDERSIZE.x / RENDERSIZE.y, 1.0);
  float dt = min(TIMEDELTA, 0.1);
  vec4 fresh = IMG_THIS_PIXEL(inputImage);

  vec2 cs = turn(rotate * dt);
  vec2 p = (uv - center) * aspect;
  p = vec2(cs.x * p.x + cs.y * p.y, cs.x * p.y - cs.y * p.x) * exp(-zoom * dt);
  vec2 q = 1.0 - abs(1.0 - mod(p / aspect + center, 2.0));
  vec4 old = IMG_NORM_PIXEL(echo, q);
  vec3 past = old.rgb;

  // A small rotation about the grey axis; the sum of the channels stays as it is.
  float a = hue * dt * 3.6276;
  past += a * (past.zxy - past.yzx);
  past = clamp(past, 0.0, 1.0) * exp(-dt / decay);

  float k = smoothstep(key - 0.2, key + 0.25, luma(fresh.rgb));
  float rate = seep + 40.0 * k * k;
  float share = FRAMEINDEX == 0 ? 1.0 : 1.0 - exp(-rate * dt);
  // The echo covers what lies below as far as it is bright: where there was nothing it fades to nothing.
  float faded = clamp(old.a, 0.0, 1.0) * exp(-dt / decay);
  gl_FragColor = vec4(mix(past, fresh.rgb, share), max(fresh.a, faded + (fresh.a - faded) * share));
}
