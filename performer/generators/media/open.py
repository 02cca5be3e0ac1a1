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
from performer.types.media_params import MEDIA
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
        return Album(
            Path(spec.what),
            bool(options["shuffle"]),
            int(options["seed"]),
            live=begin is not None,
            contain=bool(options["contain"]),
        )
    if spec.kind == "video":
        path = Path(spec.what)
        if not _is_file(path):
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


def prove(spec: PlaySpec, size: tuple[int, int]) -> None:
    """Make one picture of what a layer shows, as offline. Raises Fault where it is missing or cannot be read."""
    medium = create(spec, None)
    try:
        params = tuple(param.default for param in MEDIA[spec.kind] if param.name != "speed")
        if medium.picture(Play(0.0, params), size) is None:
            raise Fault(f"{spec.what}: none of its images can be read")
    finally:
        medium.close()


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # a name that no file can have
        return False
