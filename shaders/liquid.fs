/*{
  "DESCRIPTION": "The picture dissolves in a liquid: it is carried by its own brightness and keeps flowing",
  "CREDIT": "Performer", "ISFVSN": "2", "CATEGORIES": ["Feedback", "Warp"],
  "PASSES": [{"TARGET": "pool", "PERSISTENT": true, "FLOAT": true}],
  "INPUTS": [
    {"NAME": "inputImage", "TYPE": "image"},
    {"NAME": "flow", "TYPE": "float", "MIN": 0, "MAX": 1, "DEFAULT": 0.35, "LABEL": "Speed of the liquid, heights per second"},
    {"NAME": "fresh", "TYPE": "float", "MIN": 0.1, "MAX": 20, "DEFAULT": 1.6, "LABEL": "New picture, per second"},
    {"NAME": "swirl", "TYPE": "float", "MIN": -1, "MAX": 1, "DEFAULT": 0.7, "LABEL": "Around (1) or along (0) the slopes"},
    {"NAME": "reach", "TYPE": "float", "MIN": 1, "MAX": 20, "DEFAULT": 6, "LABEL": "Size of the eddies, thousandths of the height"}
  ],
  "PERFORMER": {"alpha": "premultiplied"}
}*/
float luma(vec3 c) { return dot(c, vec3(0.3, 0.59, 0.11)); }
void main() {
  vec2 uv = isf_FragNormCoord, aspect = vec2(RENDERSIZE.y / RENDERSIZE.x, 1.0), d = aspect * reach * 0.001;
  float dt = min(TIMEDELTA, 0.1);
  vec4 new = IMG_THIS_PIXEL(inputImage);
  vec4 right = IMG_NORM_PIXEL(pool, uv + vec2(d.x, 0.0)), left = IMG_NORM_PIXEL(pool, uv - vec2(d.x, 0.0));
  vec4 above = IMG_NORM_PIXEL(pool, uv + vec2(0.0, d.y)), below = IMG_NORM_PIXEL(pool, uv - vec2(0.0, d.y));
  vec2 slope = vec2(luma(right.rgb) - luma(left.rgb), luma(above.rgb) - luma(below.rgb));
  vec2 way = mix(slope, vec2(-slope.y, slope.x), swirl);
  way /= length(way) + 0.25;  // strong slopes drive no faster than a limit
  vec2 p = uv + way * aspect * flow * dt;
  // A little viscosity: without it the flow would tear its own edges into teeth.
  vec4 carried = IMG_NORM_PIXEL(pool, clamp(p, 0.001, 0.999)), mean = 0.25 * (right + left + above + below);
  float thick = min(10.0 * dt, 0.5), share = 1.0 - exp(-fresh * dt);
  vec3 past = mix(carried.rgb, mean.rgb, thick);
  float cover = carried.a + (mean.a - carried.a) * thick;
  cover += (new.a - cover) * share;
  gl_FragColor = FRAMEINDEX == 0 ? new : vec4(mix(clamp(past, 0.0, 1.0), new.rgb, share), cover);
}
