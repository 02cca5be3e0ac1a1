/*{
  "DESCRIPTION": "Torn blocks and slipped lines for a moment after each hit; between hits the picture is whole",
  "CREDIT": "Performer", "ISFVSN": "2", "CATEGORIES": ["Glitch"],
  "PASSES": [
    {"TARGET": "memory", "PERSISTENT": true, "FLOAT": true, "WIDTH": "1", "HEIGHT": "1"},
    {}
  ],
  "INPUTS": [
    {"NAME": "inputImage", "TYPE": "image"},
    {"NAME": "hit", "TYPE": "event", "LABEL": "Tear now"},
    {"NAME": "amount", "TYPE": "float", "MIN": 0, "MAX": 1, "DEFAULT": 0.6, "LABEL": "How far blocks slip"},
    {"NAME": "decay", "TYPE": "float", "MIN": 0.02, "MAX": 2, "DEFAULT": 0.22, "LABEL": "Healing, seconds"},
    {"NAME": "blocks", "TYPE": "float", "MIN": 2, "MAX": 60, "DEFAULT": 14, "LABEL": "Blocks across"},
    {"NAME": "always", "TYPE": "float", "MIN": 0, "MAX": 1, "DEFAULT": 0.0, "LABEL": "Torn without hits"},
    {"NAME": "colour", "TYPE": "float", "MIN": 0, "MAX": 1, "DEFAULT": 0.6, "LABEL": "Colours come apart"}
  ],
  "PERFORMER": {"alpha": "premultiplied"}
}*/
float hash(vec2 p) { p = fract(p * vec2(123.34, 456.21)); p += dot(p, p + 45.32); return fract(p.x * p.y); }
void main() {
  if (PASSINDEX == 0) {  // r: strength of the newest tear, g: its number, which shuffles the blocks
    vec4 m = FRAMEINDEX == 0 ? vec4(0.0) : IMG_NORM_PIXEL(memory, vec2(0.5));
    m.r = hit ? 1.0 : m.r * exp(-TIMEDELTA / decay);
    m.g = hit ? fract(m.g + 0.381) : m.g;
    gl_FragColor = m;
    return;
  }
  vec2 uv = isf_FragNormCoord;
  vec4 m = IMG_NORM_PIXEL(memory, vec2(0.5));
  float strength = max(m.r, always) * amount;
  float beat = m.g * 97.0 + floor(TIME * 11.0) * 0.37;
  vec2 grid = vec2(blocks, blocks * 0.6 * RENDERSIZE.y / RENDERSIZE.x * 2.0);
  vec2 block = floor(uv * grid);
  float torn = step(1.0 - strength * 0.55, hash(block + beat));
  float row = floor(uv.y * 90.0);
  float slip = step(1.0 - strength * 0.35, hash(vec2(row, beat))) * (hash(vec2(row, beat + 3.0)) - 0.5);
  vec2 move = torn * (vec2(hash(block + beat + 7.0), hash(block - beat)) - 0.5) * 0.35 + vec2(slip * 0.3, 0.0);
  vec2 p = uv + move * strength;
  vec2 split = vec2(0.02 * strength * colour * (0.4 + torn), 0.0);
  vec2 red = IMG_NORM_PIXEL(inputImage, fract(p + split)).ra, green = IMG_NORM_PIXEL(inputImage, fract(p)).ga,
       blue = IMG_NORM_PIXEL(inputImage, fract(p - split)).ba;
  vec3 c = vec3(red.x, green.x, blue.x);
  c = mix(c, c.gbr, torn * step(0.75, hash(block * 1.7 + beat)) * colour);
  gl_FragColor = vec4(c, max(green.y, max(red.y, blue.y)));
}
