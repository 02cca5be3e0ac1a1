"""What a preset's media are played with: live, videos and cameras are read on threads of their own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import numpy as np

from performer.generators.media.camera import Camera
from performer.generators.media.image_folder import Album
from performer.generators.media.text import Words
from performer.generators.media.video import Inline, Projector, Video
from performer.system.errors import Fault
from performer.types.frame import Play
from performer.types.preset import PlaySpec

#: Starts a thread with that body.
Begin = Callable[[str, Callable[[], None]], None]


class Medium(Protocol):
    """A picture (H, W, 4) uint8 for a moment, or None while there is none; `size` is that of the frame."""

    def picture(self, play: Play, size: tuple[int, int]) -> np.ndarray | None: ...
    def close(self) -> None: ...


def create(spec: PlaySpec, begin: Begin | None) -> Medium:
    """Open what a layer shows; without `begin` everything is read when it is asked for, exactly. Raises Fault."""
    options = dict(spec.options)
    if spec.kind == "text":
        return Words(spec.what, str(options["font"]))
    if spec.kind == "pictures":
        return Album(Path(spec.what), bool(options["shuffle"]), int(options["seed"]), live=begin is not None)
    if spec.kind == "video":
        path = Path(spec.what)
        if not path.is_file():
            raise Fault(f"{path}: no such video")
        video = Video(path, str(options["loop"]))
        if begin is None:
            return Inline(video)
        projector = Projector(video)
        begin("video", projector.run)
        return projector
    camera = Camera(spec.what, bool(options["mirror"]))
    if begin is None:
        raise Fault(f"camera {spec.what}: a camera cannot be rendered offline; record it, and use the video")
    begin("camera", camera.run)
    return camera
