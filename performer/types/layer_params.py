"""How one layer lies on those below it: its knobs, and what they come to for a picture of some shape."""

from __future__ import annotations

from collections.abc import Mapping
from math import cos, pi, sin

from performer.types.params import Param, Value

OPACITY = Param("opacity", default=1.0)
#: `LAYER.transform.*`: in picture widths and heights from the middle, right and up; 1 is the whole picture.
TRANSFORM = (
    Param("x", default=0.0, low=-2.0, high=2.0, unit="picture widths"),
    Param("y", default=0.0, low=-2.0, high=2.0, unit="picture heights"),
    Param("scale", default=1.0, low=0.01, high=8.0),
    Param("angle", default=0.0, low=-1.0, high=1.0, unit="turns"),
)
#: `LAYER.key.*`: what is nearer to black, or to the colour, than the threshold is cut out.
KEY = (
    Param("threshold", default=0.25, low=0.0, high=1.0),
    Param("softness", default=0.1, low=0.0, high=1.0),
    Param("color", "color", (0.0, 1.0, 0.0, 1.0), 0.0, 1.0),
)
#: `LAYER.mask.*`: how far the brightness of the other layer decides where this one is seen.
MASK = (
    Param("amount", default=1.0),
    Param("invert", "bool", 0.0),
)

#: Where a point of the picture lies in the layer: at = (a, b; c, d) * (p - middle) + (x, y), all 0..1 across.
Snapshot = tuple[float, float, float, float, float, float]
AS_IT_IS: Snapshot = (1.0, 0.0, 0.0, 1.0, 0.5, 0.5)


def number(params: Mapping[str, Value], address: str, default: float) -> float:
    """A parameter that is one float."""
    value = params.get(address, default)
    return value if isinstance(value, float) else float(value)  # type: ignore[arg-type]


def place(x: float, y: float, scale: float, angle: float, aspect: float) -> Snapshot | None:
    """The inverse of: turn by `angle` (turns, anticlockwise), enlarge by `scale`, move by x and y.

    Parameters
    ----------
    aspect : float
        Width by height of the picture.

    Returns
    -------
    Place | None
        None where the layer stays as it is.
    """
    if x == 0.0 and y == 0.0 and scale == 1.0 and angle == 0.0:
        return None
    size = max(abs(scale), 1e-3)
    c, s = cos(2.0 * pi * angle) / size, sin(2.0 * pi * angle) / size
    a, b, d = c, s / aspect, -s * aspect
    return (a, b, d, c, 0.5 - a * x - b * y, 0.5 - d * x - c * y)
