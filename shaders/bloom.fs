/*{
  "DESCRIPTION": "Light spills from bright parts: two small blurred copies are added back",
  "CREDIT": "Performer",
  "ISFVSN": "2",
  "CATEGORIES": ["Light"],
  "PASSES": [
    {"TARGET": "bright", "WIDTH": "$WIDTH/4.0", "HEIGHT": "$HEIGHT/4.0"},
    {"TARGET": "across", "WIDTH": "$WIDTH/8.0", "HEIGHT": "$HEIGHT/8.0"},
    {"TARGET": "near", "WIDTH": "$WIDTH/8.0", "HEIGHT": "$HEIGHT/8.0"},
    {"TARGET": "wide", "WIDTH": "$WIDTH/24.0", "HEIGHT": "$HEIGHT/24.0"},
    {"TARGET": "far", "WIDTH": "$WIDTH/24.0", "HEIGHT": "$HEIGHT/24.0"},
    {"TARGET": "spill", "WIDTH": "$WIDTH/8.0", "HEIGHT": "$HEIGHT/8.0"},
    {}
  ],
  "INPUTS": [
    {"NAME": "inputImage", "TYPE": "image"},
    {"NAME": "amount", "TYPE": "float", "MIN": 0, "MAX": 3, "DEFAULT": 0.9, "LABEL": "Amount"},
    {"NAME": "threshold", "TYPE": "float", "MIN": 0, "MAX": 1, "DEFAULT": 0.45, "LABEL": "Brightness from which light spills"},
    {"NAME": "radius", "TYPE": "float", "MIN": 0.2, "MAX": 3, "DEFAULT": 1.0, "LABEL": "Width"},
    {"NAME": "tint", "TYPE": "color", "DEFAULT": [1.0, 0.95, 0.9, 1.0], "LABEL": "Tint"}
  ],
  "PERFORMER": {"alpha": "premultiplied"}
}*/

vec3 row(sampler2D image, vec2 uv, vec2 d) {
  vec3 c = IMG_NORM_PIXEL(image, uv).rgb * 0.227;
  c += (IMG_NORM_PIXEL(image, uv + d * 1.38).rgb + IMG_NORM_PIXEL(image, uv - d * 1.38).rgb) * 0.316;
  c += (IMG_NORM_PIXEL(image, uv + d * 3.23).rgb + IMG_NORM_PIXEL(image, uv - d * 3.23).rgb) * 0.0703;
  return c;
}

void main() {
  vec2 uv = isf_FragNormCoord;
  vec2 step1 = radius / RENDERSIZE;
  if (PASSINDEX == 0) {
    vec2 d = 0.5 / RENDERSIZE;
    vec3 c = IMG_NORM_PIXEL(inputImage, uv + d * vec2(0.5, 0.5)).rgb + IMG_NORM_PIXEL(inputImage, uv + d * vec2(-0.5, 0.5)).rgb
           + IMG_NORM_PIXEL(inputImage, uv + d * vec2(0.5, -0.5)).rgb + IMG_NORM_PIXEL(inputImage, uv - d * vec2(0.5, 0.5)).rgb;
    c *= 0.25;
    float l = max(c.r, max(c.g, c.b));
    gl_FragColor = vec4(c * smoothstep(threshold - 0.15, threshold + 0.35, l), 1.0);
  } else if (PASSINDEX == 1) {
    gl_FragColor = vec4(row(bright, uv, vec2(step1.x, 0.0)), 1.0);
  } else if (PASSINDEX == 2) {
    gl_FragColor = vec4(row(across, uv, vec2(0.0, step1.y)), 1.0);
  } else if (PASSINDEX == 3) {
    gl_FragColor = vec4(row(near, uv, vec2(step1.x, 0.0)), 1.0);
  } else if (PASSINDEX == 4) {
    gl_FragColor = vec4(row(wide, uv, vec2(0.0, step1.y)), 1.0);
  } else if (PASSINDEX == 5) {
    vec3 light = (IMG_NORM_PIXEL(near, uv).rgb * 0.6 + IMG_NORM_PIXEL(far, uv).rgb * 0.8) * amount * tint.rgb;
    light = light / (1.0 + light * 0.5);
    gl_FragColor = vec4(min(light, 1.0), 1.0);
  } else {
    vec4 c = IMG_THIS_PIXEL(inputImage);
    vec3 light = IMG_NORM_PIXEL(spill, uv).rgb;
    float most = max(light.r, max(light.g, light.b));
    if (c.a < 1.0) light *= mix(most, 1.0, c.a);  // so that it is as bright on black as that of an opaque picture
    gl_FragColor = vec4(1.0 - (1.0 - c.rgb) * (1.0 - light), 1.0 - (1.0 - c.a) * (1.0 - most * most));
  }
}
