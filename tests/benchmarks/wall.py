"""The README's wall of presets: python tests/benchmarks/wall.py docs/pictures/presets.jpg

Each preset plays the demo groove offline; of a picture every half second, the one with the most colour is shown.
"""

import sys

from rich.progress import track

from performer.io.record.contact_sheet import Sheet
from performer.rig.loading import load_library
from performer.rig.offline import Performance
from performer.rig.options import RenderOptions

FPS, SECONDS, FROM_S = 16.0, 5.5, 2.0
SIZE = (640, 360)
BURNT = 0.12  # share of pixels near white from which a picture is none to show


def best(preset: str):
    """(H, W, 3) uint8."""
    pictures = []
    with Performance(
        RenderOptions(song="demo", out="unused.mp4", preset=preset, size=SIZE, fps=FPS, seconds=SECONDS)
    ) as show:
        for number in range(show.frames):
            _, pixels, _ = show.step()
            if number >= FROM_S * FPS and number % (FPS // 2) == 0:
                burnt = float((pixels.min(axis=2) > 245).mean())
                pictures.append((burnt < BURNT, float(pixels.std()), pixels.copy()))
    return max(pictures, key=lambda one: one[:2])[2]


def main(path: str) -> None:
    sheet, presets = Sheet(path, columns=5, width=288), load_library().in_order()
    for preset in track(presets, "drawing", transient=True):
        sheet.add(best(preset.name), preset.title)
    print(f"{sheet.save()}: {len(presets)} presets")


if __name__ == "__main__":
    main(sys.argv[1])
