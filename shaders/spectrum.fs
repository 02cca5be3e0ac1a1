/*{
  "DESCRIPTION": "The spectrum as a mirrored ridge of light over a logarithmic axis, with its reflection",
  "CREDIT": "Performer", "ISFVSN": "2", "CATEGORIES": ["Generator", "Audio"],
  "INPUTS": [
    {"NAME": "fft", "TYPE": "audioFFT", "MAX": 512},
    {"NAME": "height", "TYPE": "float", "MIN": 0, "MAX": 1, "DEFAULT": 0.62, "LABEL": "Height"},
    {"NAME": "glow", "TYPE": "float", "MIN": 0, "MAX": 2, "DEFAULT": 0.8, "LABEL": "Glow"},
    {"NAME": "hue", "TYPE": "float", "MIN": 0, "MAX": 1, "DEFAULT": 0.5, "LABEL": "Hue, turns"},
    {"NAME": "fan", "TYPE": "float", "MIN": 0, "MAX": 1, "DEFAULT": 0.0, "LABEL": "Around a circle"}
  ]
}*/
vec3 palette(float t) { return 0.55 + 0.45 * cos(6.28318 * (t + vec3(0.0, 0.17, 0.36))); }
float bin(float x) { return IMG_NORM_PIXEL(fft, vec2(clamp(x, 0.0, 1.0), 0.5)).r; }
void main() {
  vec2 uv = isf_FragNormCoord;
  vec2 p = (uv - 0.5) * vec2(RENDERSIZE.x / RENDERSIZE.y, 1.0);
  float along = mix(abs(uv.x - 0.5) * 2.0, abs(atan(p.x, -p.y)) / 3.14159, fan);
  float up = mix(abs(uv.y - 0.42) / 0.58, max(length(p) - 0.18, 0.0) / 0.4, fan);
  float f = pow(2.0, mix(-8.6, -0.6, along));  // about 60 Hz to 16 kHz
  float spread = 0.002 + 0.02 * f;
  float tone = (bin(f) + bin(f - spread) + bin(f + spread)) / 3.0;
  float level = pow(clamp((tone - 0.25) * (1.0 + 0.7 * along) * 1.4, 0.0, 1.0), 1.4) * height;
  float inside = smoothstep(0.012, -0.012, up - level);
  float rim = exp(-abs(up - level) * 70.0), halo = exp(-max(up - level, 0.0) * 9.0) * level;
  vec3 c = palette(hue + 0.35 * along) * inside * (0.12 + 0.75 * up / max(level, 0.05));
  c += palette(hue + 0.35 * along + 0.12) * (rim * (0.35 + level) + halo * glow * 0.8);
  c *= mix(uv.y < 0.42 ? 0.28 : 1.0, 1.0, fan);
  gl_FragColor = vec4(clamp(c, 0.0, 1.0), 1.0);
}
