"""The README's reel, an animated WebP: python tests/benchmarks/reel.py docs/pictures/reel.webp

Each of some presets plays a bar of the demo groove, from its drop on, and the next comes in on the downbeat.
"""

import sys

import numpy as np
from PIL import Image
from rich.progress import track

from performer.io.sound import demo_song
from performer.rig.offline import Performance
from performer.rig.options import RenderOptions

PRESETS = ("tidal", "chrome", "deep_tunnel", "garden", "laser_chapel", "cut_ice", "quicksilver", "liquid_gold")
BAR_S = 240.0 / demo_song.BPM
FRAMES = 30  # of a bar
FPS = FRAMES / BAR_S
FIRST_BAR = next(bar for bar, part in demo_song.PARTS if part == "drop")
SIZE, SHOWN = (640, 360), (384, 216)


def bar(preset: str, number: int) -> list[Image.Image]:
    """The pictures of a preset in one bar; it has played from the groove's beginning on."""
    kept = []
    with Performance(
        RenderOptions(song="demo", out="unused.mp4", preset=preset, size=SIZE, fps=FPS, seconds=(number + 1) * BAR_S)
    ) as show:
        for now in range((number + 1) * FRAMES):
            _, pixels, _ = show.step()
            if now >= number * FRAMES:
                kept.append(Image.fromarray(np.ascontiguousarray(pixels)).resize(SHOWN, Image.Resampling.LANCZOS))
    return kept


def main(path: str) -> None:
    pictures = [
        picture
        for place, preset in enumerate(track(PRESETS, "drawing", transient=True))
        for picture in bar(preset, FIRST_BAR + place)
    ]
    pictures[0].save(
        path, save_all=True, append_images=pictures[1:], duration=round(1000 / FPS), loop=0, quality=72, method=6
    )
    print(f"{path}: {len(pictures)} pictures of {len(PRESETS)} presets")


if __name__ == "__main__":
    main(sys.argv[1])
