"""The order of axes of what models make and take, as cards name it."""

from __future__ import annotations

import numpy as np

#: Name -> which axis of the output is the channel; without N there is no batch axis. HW: one channel, no axis for it.
LAYOUTS = ("NCHW", "NHWC", "CHW", "HWC", "NHW", "HW")


def shape_of(layout: str, channels: int, height: int, width: int) -> tuple[int, ...]:
    """The shape of an output in a layout."""
    sides = {"N": 1, "C": channels, "H": height, "W": width}
    return tuple(sides[axis] for axis in layout)


#: A value of black or white: the same for all channels, or (3, 1, 1) float32 for red, green and blue.
Level = float | np.ndarray


def levels(
    range_: tuple[float, float], mean: tuple[float, ...], std: tuple[float, ...], order: str
) -> tuple[Level, Level]:
    """Values of black and white where (value - mean) / std is fed or made, of pictures of a range.

    Parameters
    ----------
    mean, std : tuple[float, ...]
        Of the channels in the model's own order; empty: 0 and 1.
    """
    low, high = range_
    if not mean and not std:
        return low, high
    middle = np.array(mean or (0.0, 0.0, 0.0), np.float32).reshape(3, 1, 1)
    spread = np.array(std or (1.0, 1.0, 1.0), np.float32).reshape(3, 1, 1)
    if order == "bgr":
        middle = middle[::-1]
        spread = spread[::-1]
    return (low - middle) / spread, (high - middle) / spread
