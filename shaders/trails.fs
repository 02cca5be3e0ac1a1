/*{
  "DESCRIPTION": "Afterglow: bright parts stay and fade over a time in seconds, dark parts come at once",
  "CREDIT": "Performer",
  "ISFVSN": "2",
  "CATEGORIES": ["Feedback"],
  "PASSES": [
    {"TARGET": "glow", "PERSISTENT": true, "FLOAT": true}
  ],
  "INPUTS": [
    {"NAME": "inputImage", "TYPE": "image"},
    {"NAME": "decay", "TYPE": "float", "MIN": 0.02, "MAX": 8, "DEFAULT": 0.7, "LABEL": "Fading to a third, seconds"},
    {"NAME": "drift", "TYPE": "float", "MIN": -1, "MAX": 1, "DEFAULT": 0.1, "LABEL": "Rising of the afterglow, heights per second"},
    {"NAME": "warmth", "TYPE": "float", "MIN": -1, "MAX": 1, "DEFAULT": 0.35, "LABEL": "The afterglow turns to red (or blue) as it fades"}
  ],
  "PERFORMER": {"alpha": "premultiplied"}
}*/

void main() {
  vec2 uv = isf_FragNormCoord;
  float dt = min(TIMEDELTA, 0.1);
  vec4 fresh = IMG_THIS_PIXEL(inputImage);
  vec4 past = IMG_NORM_PIXEL(glow, clamp(uv - vec2(0.0, drift * dt), 0.0, 1.0));
  vec3 rate = (1.0 + warmth * vec3(-0.35, 0.15, 0.9)) / decay;
  past.rgb /= 1.0 + rate * dt;
  past.a /= 1.0 + min(rate.r, min(rate.g, rate.b)) * dt;
  gl_FragColor = max(fresh, past);
}
