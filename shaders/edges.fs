/*{
  "DESCRIPTION": "Neon contours: the outlines of the picture glow in their own colours over its shadow",
  "CREDIT": "Performer", "ISFVSN": "2", "CATEGORIES": ["Stylize"],
  "INPUTS": [
    {"NAME": "inputImage", "TYPE": "image"},
    {"NAME": "amount", "TYPE": "float", "MIN": 0, "MAX": 1, "DEFAULT": 0.9, "LABEL": "Outlines instead of the picture"},
    {"NAME": "gain", "TYPE": "float", "MIN": 0, "MAX": 12, "DEFAULT": 4.0, "LABEL": "Brightness of the outlines"},
    {"NAME": "width", "TYPE": "float", "MIN": 0.5, "MAX": 6, "DEFAULT": 1.6, "LABEL": "Width, thousandths of the height"},
    {"NAME": "shadow", "TYPE": "float", "MIN": 0, "MAX": 1, "DEFAULT": 0.18, "LABEL": "What is left of the picture"},
    {"NAME": "tint", "TYPE": "color", "DEFAULT": [0.55, 0.9, 1.0, 1.0], "LABEL": "Tint"}
  ],
  "PERFORMER": {"alpha": "premultiplied"}
}*/
void main() {
  vec2 uv = isf_FragNormCoord;
  vec2 d = vec2(RENDERSIZE.y / RENDERSIZE.x, 1.0) * width * 0.001;
  vec4 s = IMG_THIS_PIXEL(inputImage);
  vec3 c = s.rgb;
  vec3 r = IMG_NORM_PIXEL(inputImage, uv + vec2(d.x, 0.0)).rgb;
  vec3 l = IMG_NORM_PIXEL(inputImage, uv - vec2(d.x, 0.0)).rgb;
  vec3 u = IMG_NORM_PIXEL(inputImage, uv + vec2(0.0, d.y)).rgb;
  vec3 b = IMG_NORM_PIXEL(inputImage, uv - vec2(0.0, d.y)).rgb;
  vec3 slope = abs(r - l) + abs(u - b);
  float strength = max(slope.r, max(slope.g, slope.b));
  vec3 own = (c + 0.15) / (max(c.r, max(c.g, c.b)) + 0.15);
  vec3 line = mix(own, own * tint.rgb * 1.4, 0.6) * strength * gain;
  line = line / (1.0 + 0.5 * line);
  float cover = 1.0 - (1.0 - s.a) * (1.0 - min(amount * max(line.r, max(line.g, line.b)), 1.0));
  gl_FragColor = vec4(mix(c, c * shadow + line, amount), cover);
}
