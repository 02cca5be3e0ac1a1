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
  ]
}*/
float luma(vec3 c) { return dot(c, vec3(0.3, 0.59, 0.11)); }
void main() {
  vec2 uv = isf_FragNormCoord, aspect = vec2(RENDERSIZE.y / RENDERSIZE.x, 1.0), d = aspect * reach * 0.001;
  float dt = min(TIMEDELTA, 0.1);
  vec3 new = IMG_THIS_PIXEL(inputImage).rgb;
  vec3 right = IMG_NORM_PIXEL(pool, uv + vec2(d.x, 0.0)).rgb, left = IMG_NORM_PIXEL(pool, uv - vec2(d.x, 0.0)).rgb;
  vec3 above = IMG_NORM_PIXEL(pool, uv + vec2(0.0, d.y)).rgb, below = IMG_NORM_PIXEL(pool, uv - vec2(0.0, d.y)).rgb;
  vec2 slope = vec2(luma(right) - luma(left), luma(above) - luma(below));
  vec2 way = mix(slope, vec2(-slope.y, slope.x), swirl);
  way /= length(way) + 0.25;  // strong slopes drive no faster than a limit
  vec2 p = uv + way * aspect * flow * dt;
  // A little viscosity: without it the flow would tear its own edges into teeth.
  vec3 past = mix(IMG_NORM_PIXEL(pool, clamp(p, 0.001, 0.999)).rgb, 0.25 * (right + left + above + below), min(10.0 * dt, 0.5));
  gl_FragColor = vec4(FRAMEINDEX == 0 ? new : mix(clamp(past, 0.0, 1.0), new, 1.0 - exp(-fresh * dt)), 1.0);
}
