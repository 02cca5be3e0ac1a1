"""Row P: what a frame of each preset costs."""

from __future__ import annotations

from dataclasses import replace
from time import process_time

from performer.app import load_library, painter
from performer.bench.row import Row
from performer.check import music
from performer.frame import Images
from performer.gl.flush import finish
from performer.gl.headless import Headless
from performer.gl.renderer import Renderer
from performer.gl.targets import software
from performer.library import Library
from performer.preset import Preset
from performer.show import Show

SIZE = (640, 360)
FRAMES, EARLY = 80, 10  # frames that are drawn, and those before any is counted
PICTURE_EVERY = 3  # frames between two pictures of a model, which the frames between crossfade


def costs(_seconds: float) -> list[Row]:
    """Milliseconds of processor time, of all threads, to draw a frame of each preset as it is drawn live.

    Not the time until it is drawn, which other jobs share in; a model's work is not in it, nor is a graphics card's.
    """
    library, surface = load_library(), Headless(SIZE)
    try:
        return [
            Row(f"frame of {preset.name} at {SIZE[0]}x{SIZE[1]}", "ms CPU", cost(library, preset, surface))
            for preset in library.in_order()
        ]
    finally:
        surface.close()


def cost(library: Library, preset: Preset, surface: Headless, frames: int = FRAMES) -> list[float]:
    """That of each frame of one preset."""
    show, models = Show([preset], preset.name), painter(library, "cpu")
    renderer = Renderer(surface.ctx, library.shaders, deep=not software(surface.ctx))
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
