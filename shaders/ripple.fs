/*{
  "DESCRIPTION": "Rings of water run outwards from the centre; each drop is one hit",
  "CREDIT": "Performer", "ISFVSN": "2", "CATEGORIES": ["Warp"],
  "PASSES": [
    {"TARGET": "drops", "PERSISTENT": true, "FLOAT": true, "WIDTH": "1", "HEIGHT": "1"},
    {}
  ],
  "INPUTS": [
    {"NAME": "inputImage", "TYPE": "image"},
    {"NAME": "drop", "TYPE": "event", "LABEL": "Let a drop fall"},
    {"NAME": "amount", "TYPE": "float", "MIN": 0, "MAX": 1, "DEFAULT": 0.5, "LABEL": "Height of the waves"},
    {"NAME": "speed", "TYPE": "float", "MIN": 0.1, "MAX": 3, "DEFAULT": 0.9, "LABEL": "Heights per second"},
    {"NAME": "decay", "TYPE": "float", "MIN": 0.1, "MAX": 4, "DEFAULT": 0.7, "LABEL": "Fading, seconds"},
    {"NAME": "shine", "TYPE": "float", "MIN": 0, "MAX": 2, "DEFAULT": 0.6, "LABEL": "Light on the waves"},
    {"NAME": "center", "TYPE": "point2D", "MIN": [0.0, 0.0], "MAX": [1.0, 1.0], "DEFAULT": [0.5, 0.5]}
  ],
  "PERFORMER": {"alpha": "premultiplied"}
}*/
void main() {
  vec4 ages = IMG_NORM_PIXEL(drops, vec2(0.5));  // of the last four drops, the newest first
  if (PASSINDEX == 0) {
    vec4 before = FRAMEINDEX == 0 ? vec4(100.0) : drop ? vec4(-TIMEDELTA, ages.rgb) : ages;
    gl_FragColor = min(before + TIMEDELTA, 100.0);
    return;
  }
  vec2 uv = isf_FragNormCoord;
  vec2 aspect = vec2(RENDERSIZE.x / RENDERSIZE.y, 1.0);
  vec2 p = (uv - center) * aspect;
  float r = length(p) + 1e-4, wave = 0.0;
  for (int i = 0; i < 4; i++) {
    float t = ages[i], front = r - t * speed;
    wave += sin(clamp(front * 34.0, -12.566, 6.283)) * exp(-front * front * 60.0 - t / decay);
  }
  vec2 q = uv - p / r / aspect * wave * amount * 0.07;
  vec4 c = IMG_NORM_PIXEL(inputImage, 1.0 - abs(1.0 - mod(q, 2.0)));
  gl_FragColor = vec4(clamp(c.rgb * (1.0 + wave * shine * amount) + max(wave, 0.0) * shine * amount * 0.12 * c.a, 0.0, c.a), c.a);
}
