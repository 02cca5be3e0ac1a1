"""What a generator made of a frame: a picture in memory, or one that has stayed on the graphics card."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False, slots=True, weakref_slot=True, kw_only=True)
class GpuImage:
    """A picture in a graphics card's memory, just as its model made it; it stays so for as long as anybody keeps this.

    Attributes
    ----------
    address : int
        Address of its first byte, as CUDA counts.
    size : int
        Bytes.
    device : int
        CUDA's number of the card.
    shape : tuple[int, ...]
        Shape of the tensor.
    dtype : str
        "float32", "float16" or "uint8".
    layout : str
        What its axes are, as cards say it: "NCHW", "HWC" ...
    low, high : float
        Its values for black and white.
    clip : bool
        Whether it may overshoot them.
    fetch : callable
        Copies it to the processor, as Image.pixels are there.
    """

    address: int
    size: int
    shape: tuple[int, ...]
    dtype: str
    layout: str
    low: float
    high: float
    clip: bool
    fetch: Callable[[], np.ndarray]
    device: int = 0


@dataclass(frozen=True, eq=False, slots=True)
class Image:
    """What a generator made of one frame's walk.

    Attributes
    ----------
    pixels : ndarray | OnCard
        (3, H, W) float32, planar RGB, 0..1, C-contiguous; or (H, W, 4) uint8, RGBA with straight alpha; or a picture
        that has stayed on the card.
    t : float
        `Frame.t` of the frame it was made for, in seconds.
    took : float
        Seconds of work it cost.
    cut : bool
        Show it at once, rather than by a crossfade from the one before.
    """

    pixels: np.ndarray | GpuImage
    t: float
    took: float = 0.0
    cut: bool = False

    @property
    def host(self) -> np.ndarray:
        """Its pixels in the processor's memory."""
        return self.pixels.fetch() if isinstance(self.pixels, GpuImage) else self.pixels


#: (scene number, layer name) -> newest Image, as the generator's mailbox carries them.
Images = Mapping[tuple[int, str], Image]
