"""How a layer's colours meet those below: a new blend mode is one row of the table here.

Light adds and covers in linear light, which a square comes near enough to (sRGB is a power of 2.2, by and large); the
other modes are what painting programs define, on the numbers as they are (W3C, "Compositing and Blending", 2024).
"""

from __future__ import annotations

from dataclasses import dataclass

#: The layer covers what is below, as far as it is seen.
_COVER = "sqrt(mix(a * a, c * c, seen))"


@dataclass(frozen=True, slots=True)
class BlendMode:
    """One way for a layer to meet what is below.

    Attributes
    ----------
    name : str
        As presets write it after `blend =`.
    help : str
        What it does, for people.
    glsl : str
        Statements that set `c`, the colour that the layer shows (vec3, >= 0), or weaken `seen`, how far it is seen
        (float, 0..1). They know `a`, the colour below, and `b`, the layer's (vec3, >= 0, 1 is white); `LUMA`, `hue`,
        and of a key `key` (threshold, softness) and `key_color`.
    light : str
        Expression of the picture (vec3) from those.
    key : bool
        It cuts out a part of the layer: such a layer has the parameters `key.*`.
    """

    name: str
    help: str
    glsl: str = ""
    light: str = _COVER
    key: bool = False


_ROWS = (
    BlendMode("normal", "covers, as far as the layer's alpha and opacity go"),
    BlendMode("add", "light on light", light="sqrt(a * a + b * b * seen)"),
    BlendMode("screen", "brightens, never beyond white", "c = 1.0 - (1.0 - min(a, 1.0)) * (1.0 - min(b, 1.0));"),
    BlendMode("multiply", "darkens, as two slides laid on each other", "c = a * b;"),
    BlendMode(
        "overlay",
        "multiplies where it is dark below, screens where it is bright",
        "c = mix(2.0 * a * b, 1.0 - 2.0 * (1.0 - min(a, 1.0)) * (1.0 - min(b, 1.0)), step(0.5, a));",
    ),
    BlendMode("lighten", "the brighter of both, in each channel", "c = max(a, b);"),
    BlendMode("darken", "the darker of both, in each channel", "c = min(a, b);"),
    BlendMode("difference", "how far both are apart, in each channel", "c = abs(a - b);"),
    BlendMode(
        "luma_key",
        "cuts out what is darker than `key.threshold`",
        "seen *= smoothstep(key.x - key.y, key.x + key.y + 1e-4, dot(b, LUMA));",
        key=True,
    ),
    BlendMode(
        "chroma_key",
        "cuts out what is nearer to `key.color` than `key.threshold`, and takes its glow off the edges",
        """\
float apart = distance(hue(b), hue(key_color));
  seen *= smoothstep(key.x - key.y, key.x + key.y + 1e-4, apart);
  // What is left of the colour shines through hair and edges: take it out where it leads.
  vec3 way = key_color - dot(key_color, vec3(1.0 / 3.0));
  c -= way * max(0.0, dot(hue(b), hue(key_color)) / max(dot(hue(key_color), hue(key_color)), 1e-4) - 0.25) * 0.8;
  c = max(c, 0.0);""",
        key=True,
    ),
)
BLEND_MODES = {mode.name: mode for mode in _ROWS}
#: Names of those that cut out what is dark, or of one colour.
KEYS = tuple(mode.name for mode in _ROWS if mode.key)
