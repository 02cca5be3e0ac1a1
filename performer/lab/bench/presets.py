"""Row P: what a frame of each preset costs."""

from __future__ import annotations

from dataclasses import replace
from time import process_time

from performer.content.library import Library
from performer.gl.render.driver import is_software
from performer.gl.render.renderer import Renderer
from performer.gl.render.wait import finish
from performer.gl.window.offscreen import Offscreen
from performer.lab.bench.row import Row
from performer.rig.check import music
from performer.rig.loading import load_library, painter
from performer.show.show import Show
from performer.types.image import Images
from performer.types.preset import Preset

SIZE = (640, 360)
# frames that are drawn, and those before any is counted
FRAMES = 80
EARLY = 10
PICTURE_EVERY = 3  # frames between two pictures of a model, which the frames between crossfade


def costs(_seconds: float) -> list[Row]:
    """Milliseconds of processor time, of all threads, to draw a frame of each preset as it is drawn live.

    Not the time until it is drawn, which other jobs share in; a model's work is not in it, nor is a graphics card's.
    """
    library = load_library()
    surface = Offscreen(SIZE)
    try:
        return [
            Row(f"frame of {preset.name} at {SIZE[0]}x{SIZE[1]}", "ms CPU", cost(library, preset, surface))
            for preset in library.in_order()
        ]
    finally:
        surface.close()


def cost(library: Library, preset: Preset, surface: Offscreen, frames: int = FRAMES) -> list[float]:
    """That of each frame of one preset."""
    show, models = Show([preset], preset.name), painter(library, "cpu")
    renderer = Renderer(surface.ctx, library.shaders, deep=not is_software(surface.ctx))
    renderer.warm(preset)
    images: Images | None = None
    took = []
    for number in range(frames):
        t = (number + 1) / 60.0
        features, sound = music(t)
        frame = show.step(t, 1 / 60, surface.size, features, sound)
        if images is None:
            images = models.paint(frame)
        elif number % PICTURE_EVERY == 0:
            images = {key: replace(image, t=t) for key, image in images.items()}
        begun = process_time()
        renderer.draw(frame, images, surface.screen)
        finish()
        took.append((process_time() - begun) * 1e3)
    models.close()
    renderer.release()
    return took[EARLY:]
