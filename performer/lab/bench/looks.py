"""How presets look and react, in numbers: change with the music, contrast, burnt areas, likeness to each other."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from rich.progress import track

from performer.rig.loading import load_library
from performer.rig.offline import Performance
from performer.rig.options import RenderOptions
from performer.system import console_table
from performer.system.errors import Fault, nearest

FPS = 30.0
HEIGHT = 96
SKIP_S = 1.0  # the first pictures come out of the dark, and the gain is still finding itself
SMOOTH_S = 0.1  # what is nearer together than this is seen as one
LATEST_S = 0.1  # a picture that answers later than this does not answer
REACTIVE = 0.3  # what a preset tagged `reactive` has to reach
BURNT = 250


@dataclass(frozen=True)
class Look:
    """One preset under one song.

    reaction  correlation of the picture's change with the strength of the onsets in it, both smoothed over 0.1 s, at
              the lag from 0 to 0.1 s where it is best
    change    mean difference of one picture to the next, tile by tile, of 255: what is seen from the back of the hall
    contrast  mean standard deviation within a picture, of 255
    burnt     share of pixels near white
    thumb     (9, 16, 3) mean picture, 0..255
    """

    preset: str
    tags: tuple[str, ...]
    reaction: float
    change: float
    contrast: float
    burnt: float
    thumb: np.ndarray


def look(preset: str, song: str, seconds: float, aspect: float = 16 / 9, seed: int = 0) -> Look:
    """Play a preset offline under a song. Raises Fault."""
    size = (2 * round(HEIGHT * aspect / 2), HEIGHT)
    changes = []
    onsets = []
    thumbs = []
    contrasts = []
    burnt = []
    before = np.zeros(0)
    loud = 0.0
    with Performance(
        RenderOptions(song=song, out="unused.mp4", preset=preset, size=size, fps=FPS, seconds=seconds, seed=seed)
    ) as show:
        tags = show.preset.tags
        for _ in range(show.frames):
            frame, pixels, _ = show.step()
            now = thumbnail(pixels.astype(np.float32))
            onset = frame.features.values["onset"]
            if len(before) and frame.t > SKIP_S:
                changes.append(float(np.abs(now - before).mean()))
                onsets.append(max(onset - loud, 0.0))
                contrasts.append(float(pixels.std()))
                burnt.append(float((pixels.min(axis=2) > BURNT).mean()))
                thumbs.append(now)
            before = now
            loud = onset
    if len(changes) < FPS:
        raise Fault(f"{song}: too short to see a reaction; at least two seconds are needed")
    return Look(
        preset,
        tags,
        reaction(np.array(changes), np.array(onsets)),
        float(np.mean(changes)),
        float(np.mean(contrasts)),
        float(np.mean(burnt)),
        np.mean(thumbs, axis=0),
    )


def thumbnail(picture: np.ndarray) -> np.ndarray:
    """(H, W, 3) -> (9, 16, 3), the mean of each tile."""
    rows = np.array_split(picture, 9, axis=0)
    return np.stack([[tile.mean(axis=(0, 1)) for tile in np.array_split(row, 16, axis=1)] for row in rows])


def reaction(changes: np.ndarray, onsets: np.ndarray) -> float:
    """Pearson's correlation of two series of one value a picture, at the best lag; 0 where one stands still."""
    width = max(1, round(SMOOTH_S * FPS))
    box = np.ones(width) / width
    change, onset = (np.convolve(series, box, "valid") for series in (changes, onsets))
    best = 0.0
    for lag in range(round(LATEST_S * FPS) + 1):
        a, b = change[lag:], onset[: len(onset) - lag]
        if a.std() > 1e-9 and b.std() > 1e-9:
            best = max(best, float(np.corrcoef(a, b)[0, 1]))
    return best


def run(song: str, seconds: float, presets: list[str]) -> dict[str, object]:
    """Look at presets, all of them when none is named, print a table and return the figures. Raises Fault."""
    names = [preset.name for preset in load_library().in_order()]
    for name in presets:
        if name not in names:
            raise Fault(f"no preset {name!r}{nearest(name, names)}")
    looks = [look(name, song, seconds) for name in track(presets or names, "playing", transient=True)]
    cells: list[tuple[str, ...]] = []
    rows = []
    for one in looks:
        others = sorted(
            (float(np.abs(one.thumb - other.thumb).mean()), other.preset) for other in looks if other is not one
        )
        near, whom = others[0] if others else (float("nan"), "")
        weak = "reactive" in one.tags and one.reaction < REACTIVE
        cells.append(
            (
                one.preset + (" (reactive)" if "reactive" in one.tags else ""),
                f"{one.reaction:.2f}" + (" LOW" if weak else ""),
                f"{one.change:.1f}",
                f"{one.contrast:.0f}",
                f"{one.burnt:.1%}",
                f"{whom} {near:.0f}" if others else "",
            )
        )
        rows.append(
            {
                "preset": one.preset,
                "tags": list(one.tags),
                "reaction": one.reaction,
                "change": one.change,
                "contrast": one.contrast,
                "burnt": one.burnt,
                "nearest": whom or None,
                "distance": near if others else None,
            }
        )
    console_table.put(("preset", "reaction", "change", "contrast", "burnt", "nearest preset"), cells)
    pairs = [float(np.abs(a.thumb - b.thumb).mean()) for i, a in enumerate(looks) for b in looks[i + 1 :]]
    mean = float(np.mean(pairs)) if pairs else None
    if mean is not None:
        print(f"mean distance between two presets: {mean:.1f} of 255")
    return {"song": song, "seconds": seconds, "presets": rows, "mean_distance": mean}
