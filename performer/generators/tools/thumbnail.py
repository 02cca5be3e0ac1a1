"""The picture of a place in a model's latents, painted aside: one model at a time, on one core."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from performer.generators.generator import Generator
from performer.generators.painter import Painter
from performer.types.frame import Walk
from performer.types.image import GpuImage


class ThumbnailPainter:
    """(model, place as bytes) -> (3, H, W) float32, 0..1. One thread.

    Parameters
    ----------
    load : callable
        Model name -> Generator; raises Fault.
    stamp : callable, optional
        Model name -> when its file was changed; a changed one is loaded again.
    """

    def __init__(self, load: Callable[[str], Generator], stamp: Callable[[str], float] = lambda name: 0.0) -> None:
        self._load = load
        self._stamp = stamp
        self._sitter: tuple[tuple[str, float], Generator] | None = None

    def __call__(self, model: str, latent: bytes) -> np.ndarray:
        wanted = (model, self._stamp(model))
        if self._sitter is None or self._sitter[0] != wanted:
            self._sitter = None  # its memory first
            self._sitter = (wanted, self._load(model))
        pixels = Painter._drawn(self._sitter[1], Walk("drift", 0.0, 0, 1.0, stops=((latent, 1.0, ()),)))
        assert not isinstance(pixels, GpuImage)
        return pixels
