"""Frame -> Images: runs the models of a frame's layers; inline offline, on its own thread live."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from time import perf_counter
from typing import Protocol

import numpy as np

from performer.errors import Fault
from performer.frame import Frame, Image, Images, Scene, Walk
from performer.generators.card import Card
from performer.latent.walks import latent
from performer.sync import Latest

log = logging.getLogger(__name__)
RETRY_S = 5.0  # a model that failed is left alone this long


class Generator(Protocol):
    """What the painter needs of a generator; `onnx.OnnxGenerator` is one."""

    card: Card
    provider: str

    def paint(self, latent: np.ndarray) -> np.ndarray: ...


class Painter:
    """Keeps models loaded and paints what frames ask for.

    A model that cannot be loaded, fails or runs out of memory is reported once and leaves the last image standing.

    load  model name -> Generator; raises Fault
    """

    def __init__(self, load: Callable[[str], Generator]) -> None:
        self._load = load
        self._models: dict[str, Generator] = {}
        self._failed: dict[str, float] = {}
        self._told: set[str] = set()
        self._done: dict[tuple[int, str], tuple[Walk, Image]] = {}
        self.provider = "none"
        self.rate_hz = 0.0  # images per second while the walks move
        self.took_s = 0.0  # seconds of the newest image
        self.least_interval_s = 0.0  # the governor's wish: no images faster than this

    def warm(self, name: str) -> None:
        """Load a model now, rather than when a frame first asks for it. Raises Fault."""
        if name not in self._models:
            self._models[name] = self._load(name)
            self.provider = self._models[name].provider

    def paint(self, frame: Frame) -> Images:
        """Images of all model layers of the frame's scenes; those whose walk stands still are kept as they are."""
        images: dict[tuple[int, str], Image] = {}
        done: dict[tuple[int, str], tuple[Walk, Image]] = {}
        for scene in frame.scenes:
            for layer in scene.preset.layers:
                if layer.model is None:
                    continue
                key = (scene.number, layer.name)
                walk = scene.walks[layer.name]
                old = self._done.get(key)
                if old is not None and old[0] == walk:
                    done[key] = old
                else:
                    image = self._image(layer.model, walk, frame.t, scene)
                    if image is not None:
                        done[key] = (walk, image)
                    elif old is not None:
                        done[key] = old
                if key in done:
                    images[key] = done[key][1]
        self._done = done
        return images

    def run(self, frames: Latest[Frame], images: Latest[Images], stop: threading.Event) -> None:
        """Thread body: paint the newest frame again and again; frames that came meanwhile are skipped."""
        seen = 0
        last = perf_counter()
        while not stop.is_set():
            seen, frame = frames.wait(seen, 0.1)
            if frame is None:
                continue
            begun = perf_counter()
            made = self.paint(frame)
            previous = images.peek()
            if previous is None or any(previous.get(key) is not image for key, image in made.items()):
                images.post(made)
                now = perf_counter()
                self.rate_hz += 0.1 * (1.0 / max(now - last, 1e-4) - self.rate_hz)
                last = now
            rest = self.least_interval_s - (perf_counter() - begun)
            if rest > 0.0:
                stop.wait(rest)

    def _image(self, name: str, walk: Walk, t: float, scene: Scene) -> Image | None:
        if self._failed.get(name, 0.0) > perf_counter():
            return None
        begun = perf_counter()
        try:
            self.warm(name)
            model = self._models[name]
            z = latent(walk.kind, walk.position, walk.seed, model.card.latent, walk.truncation)
            pixels = model.paint(z)
        except (Fault, MemoryError) as error:
            self._models.pop(name, None)
            self._failed[name] = perf_counter() + RETRY_S
            why = str(error) or "out of memory"
            if why not in self._told:
                self._told.add(why)
                log.error("%s (%r keeps its last picture)", why, scene.preset.title)
            return None
        self.took_s = perf_counter() - begun
        return Image(pixels, t, self.took_s)


