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
float luma(vec2 p) { return dot(IMG_NORM_PIXEL(pool, p).rgb, vec3(0.3, 0.59, 0.11)); }
void main() {
  vec2 uv = isf_FragNormCoord, aspect = vec2(RENDERSIZE.y / RENDERSIZE.x, 1.0), d = aspect * reach * 0.001;
  float dt = min(TIMEDELTA, 0.1);
  vec3 new = IMG_NORM_PIXEL(inputImage, uv).rgb;
  vec2 slope = vec2(luma(uv + vec2(d.x, 0.0)) - luma(uv - vec2(d.x, 0.0)),
                    luma(uv + vec2(0.0, d.y)) - luma(uv - vec2(0.0, d.y)));
  vec2 way = mix(slope, vec2(-slope.y, slope.x), swirl);
  way *= min(1.0, 6.0 * length(way)) / (length(way) + 1e-4);
  vec2 p = uv + way * aspect * flow * dt;
  vec3 past = IMG_NORM_PIXEL(pool, clamp(p, 0.001, 0.999)).rgb;
  gl_FragColor = vec4(FRAMEINDEX == 0 ? new : mix(clamp(past, 0.0, 1.0), new, 1.0 - exp(-fresh * dt)), 1.0);
}
