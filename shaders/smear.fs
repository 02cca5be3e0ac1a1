/*{
  "DESCRIPTION": "Bright parts run like wet paint in one direction, as in sorted pixels",
  "CREDIT": "Performer", "ISFVSN": "2", "CATEGORIES": ["Distortion"],
  "PASSES": [
    {"TARGET": "paint", "WIDTH": "$WIDTH/2.0", "HEIGHT": "$HEIGHT/2.0"},
    {}
  ],
  "INPUTS": [
    {"NAME": "inputImage", "TYPE": "image"},
    {"NAME": "amount", "TYPE": "float", "MIN": 0, "MAX": 1, "DEFAULT": 0.5, "LABEL": "Length"},
    {"NAME": "threshold", "TYPE": "float", "MIN": 0, "MAX": 1, "DEFAULT": 0.45, "LABEL": "Runs from this brightness on"},
    {"NAME": "angle", "TYPE": "float", "MIN": -1, "MAX": 1, "DEFAULT": 0.25, "LABEL": "Direction, turns"},
    {"NAME": "grain", "TYPE": "float", "MIN": 0, "MAX": 1, "DEFAULT": 0.6, "LABEL": "Unevenness of the streaks"}
  ],
  "PERFORMER": {"alpha": "premultiplied"}
}*/
float luma(vec3 c) { return dot(c, vec3(0.299, 0.587, 0.114)); }
float hash(float n) { return fract(sin(n * 12.9898) * 43758.5453); }
void main() {
  if (PASSINDEX == 1) {  // what ran here covers what is darker
    vec4 here = IMG_THIS_PIXEL(inputImage), run = IMG_THIS_PIXEL(paint);
    gl_FragColor = run.a > luma(here.rgb) ? vec4(run.rgb, max(here.a, smoothstep(0.0, 0.1, run.a))) : here;
    return;
  }
  vec2 wide = vec2(RENDERSIZE.y / RENDERSIZE.x, 1.0), way = vec2(cos(6.28318 * angle), sin(6.28318 * angle));
  float lane = dot(isf_FragNormCoord / wide, vec2(-way.y, way.x)) * 160.0;
  float reach = 0.45 * amount * mix(1.0, mix(hash(floor(lane)), hash(floor(lane) + 1.0), smoothstep(0.2, 0.8, fract(lane))) * 1.4, grain);
  vec2 move = way * wide * reach / 24.0;
  vec4 best = vec4(IMG_THIS_PIXEL(inputImage).rgb, 0.0);
  for (int i = 1; i <= 24; i++) {
    float far = float(i) / 24.0;
    vec3 c = IMG_NORM_PIXEL(inputImage, clamp(isf_FragNormCoord + move * float(i), 0.0, 1.0)).rgb;
    float l = luma(c), run = l - 0.35 * far;
    if (l > threshold && run > best.a) best = vec4(c * (1.0 - 0.45 * far), run);
  }
  gl_FragColor = best;
}
