"""A generator, as the painter needs it, and one in use."""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter
from typing import Protocol

import numpy as np

from performer.content.models.card import Card
from performer.generators.onnx.batching import Batch
from performer.generators.onnx.model_inputs import Mapping
from performer.latent.directions import Directions
from performer.system.timeouts import Call
from performer.types.frame import Walk
from performer.types.image import GpuImage


class Generator(Protocol):
    """What the painter needs of a generator; `onnx.OnnxGenerator` is one."""

    card: Card
    provider: str
    directions: Directions
    mapping: Mapping | None

    @property
    def mixes(self) -> bool: ...
    @property
    def stays(self) -> bool: ...
    def paint(
        self,
        latent: np.ndarray,
        middle: np.ndarray | None = None,
        fine: np.ndarray | None = None,
        walk: Walk | None = None,
        offsets: tuple[np.ndarray | None, ...] = (),
        stay: bool = False,
    ) -> np.ndarray | GpuImage: ...
    def change(
        self, picture: np.ndarray, stay: bool = False, each: dict[str, np.ndarray] | None = None
    ) -> np.ndarray | GpuImage: ...
    def several(self, enough: Callable[[], bool] = ...) -> Batch | None: ...


class ModelSlot:
    """A model in use; for a while also the version before it, from which it glides."""

    __slots__ = ("before", "fresh", "looked", "model", "several", "since", "stamp", "tried")

    def __init__(self, model: Generator, stamp: float) -> None:
        self.model = model
        self.stamp = stamp
        self.looked = perf_counter()
        self.before: Generator | None = None
        self.since = 0.0
        self.fresh: tuple[Call[Generator], float] | None = None  # a new version on its way
        self.several: Batch | None = None  # the same model for several pictures in a run, if trying it has shown a gain
        self.tried = False
