"""The order of axes of what models make and take, as cards name it."""

from __future__ import annotations

#: Name -> which axis of the output is the channel; without N there is no batch axis. HW: one channel, no axis for it.
LAYOUTS = ("NCHW", "NHWC", "CHW", "HWC", "NHW", "HW")


def shape_of(layout: str, channels: int, height: int, width: int) -> tuple[int, ...]:
    """The shape of an output in a layout."""
    sides = {"N": 1, "C": channels, "H": height, "W": width}
    return tuple(sides[axis] for axis in layout)
