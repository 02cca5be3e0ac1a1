"""Training pictures: drawn without end by code, or found in a folder; all end up as one uint8 array."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from performer.errors import Fault
from performer.train.draw import SOURCES, Easel

log = logging.getLogger(__name__)
ENDINGS = {".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff", ".gif"}
LEAST = 8


@dataclass
class Pictures:
    """Pictures (N, size, size, 3) uint8 in memory, and where they are from."""

    pixels: np.ndarray
    source: str
    licence: str

    def batch(self, rng: np.random.Generator, count: int) -> np.ndarray:
        """Some of them, mirrored at random: (count, 3, size, size) float32, 0..1."""
        chosen = self.pixels[rng.integers(0, len(self.pixels), count)]
        flips = rng.random(count) < 0.5
        chosen = np.where(flips[:, None, None, None], chosen[:, :, ::-1], chosen)
        return np.ascontiguousarray(chosen.transpose(0, 3, 1, 2), dtype=np.float32) / 255.0


def drawn(sources: tuple[str, ...], size: int, count: int, seed: int) -> Pictures:
    """`count` pictures drawn by code. Raises Fault for an unknown source."""
    for name in sources:
        if name not in SOURCES:
            raise Fault(f"no source {name!r}; there are {', '.join(SOURCES)}")
    easel = Easel(sources, size, seed)
    try:
        pixels = easel.draw_many(0, count)
    finally:
        easel.close()
    return Pictures(pixels, f"drawn by performer/train/draw.py: {', '.join(sources)}", "CC0-1.0")


def found(folder: Path, size: int, licence: str) -> Pictures:
    """All readable pictures of a folder, centre-cropped to a square; broken and double ones are left out.

    Raises Fault when fewer than LEAST remain.
    """
    kept: dict[bytes, np.ndarray] = {}
    for path in sorted(p for p in folder.rglob("*") if p.suffix.lower() in ENDINGS):
        try:
            with Image.open(path) as picture:
                side = min(picture.size)
                left, top = (picture.width - side) // 2, (picture.height - side) // 2
                square = picture.convert("RGB").resize(
                    (size, size), Image.Resampling.LANCZOS, (left, top, left + side, top + side))
        except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
            log.warning("%s: left out, cannot be read as a picture (%s)", path, error)
            continue
        kept.setdefault(square.tobytes(), np.asarray(square))
    if len(kept) < LEAST:
        raise Fault(f"{folder}: {len(kept)} usable picture(s); training needs at least {LEAST}")
    return Pictures(np.stack(list(kept.values())), f"{len(kept)} pictures of {folder.name}", licence)
