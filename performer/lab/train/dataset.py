"""Training pictures: drawn without end by code, or found in a folder; all end up as one uint8 array."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, ImageSequence

from performer.generators.media.picture import ENDINGS, as_shown, opened
from performer.lab.train.synthetic_pictures import SOURCES, Easel
from performer.system.errors import Fault, counted, nearest

log = logging.getLogger(__name__)
LEAST = 8
LEAST_SIDE = 8  # pixels; there is nothing to learn from less
MOST_BYTES = 4 << 30  # in memory
MOST_MOMENTS = 8  # of an animation
MOST_WARNINGS = 12


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
            raise Fault(f"no source {name!r}{nearest(name, SOURCES)}; there are {', '.join(SOURCES)}")
    easel = Easel(sources, size, seed)
    try:
        pixels = easel.draw_many(0, min(count, MOST_BYTES // (3 * size * size)))
    finally:
        easel.close()
    return Pictures(pixels, f"drawn by performer/lab/train/synthetic_pictures.py: {', '.join(sources)}", "CC0-1.0")


def found(folder: Path, size: int, licence: str, seed: int = 1) -> Pictures:
    """All readable pictures of a folder, centre-cropped to a square; broken and double ones are left out.

    Where they would not fit into memory, a random part of them is taken. Raises Fault when fewer than LEAST remain.
    """
    try:
        if not folder.is_dir():
            raise Fault(f"{folder}: no such image folder")
        paths = sorted(p for p in folder.rglob("*") if p.suffix.lower() in ENDINGS and p.is_file())
    except OSError as error:
        raise Fault(f"{folder}: cannot be read as an image folder ({error.strerror})") from None
    most = MOST_BYTES // (3 * size * size)
    if len(paths) > most:
        log.warning("%s: %d pictures are more than memory holds; %d of them are taken", folder, len(paths), most)
        keep = np.random.default_rng(seed).choice(len(paths), most, replace=False)
        paths = [paths[i] for i in sorted(keep)]
    kept: dict[bytes, np.ndarray] = {}
    broken = doubles = 0
    for path in paths:
        try:
            for square in _squares(path, size):
                mark = _mark(square)
                doubles += mark in kept
                if len(kept) < most:
                    kept.setdefault(mark, square)
        except Fault as fault:
            broken += 1
            if broken <= MOST_WARNINGS:
                log.warning("%s; left out", fault)
    if broken or doubles:
        log.warning(
            "%s: %s; %d broken and %d double ones were left out", folder, counted(len(kept), "picture"), broken, doubles
        )
    if len(kept) < LEAST:
        raise Fault(
            f"{folder}: {counted(len(kept), 'usable picture')} among {counted(len(paths), 'file')}; "
            f"training needs at least {LEAST} different ones"
        )
    return Pictures(np.stack(list(kept.values())), f"{counted(len(kept), 'picture')} of {folder.name}", licence)


def _squares(path: Path, size: int) -> Iterator[np.ndarray]:
    """A picture's middle as (size, size, 3) uint8; of an animation some moments."""
    with opened(path) as picture:
        count = getattr(picture, "n_frames", 1)
        many = min(count, MOST_MOMENTS)
        wanted = {round(i * (count - 1) / max(1, many - 1)) for i in range(many)}
        for number, moment in enumerate(ImageSequence.Iterator(picture)):
            if number not in wanted:
                continue
            if min(moment.size) < LEAST_SIDE:
                raise ValueError(f"{moment.width}x{moment.height} pixels are too few to learn from")
            whole = _on_black(as_shown(moment))
            yield np.asarray(ImageOps.fit(whole, (size, size), Image.Resampling.LANCZOS))


def _on_black(picture: Image.Image) -> Image.Image:
    """As RGB: what is clear is black."""
    if picture.mode == "RGB":
        return picture
    black = Image.new("RGBA", picture.size, (0, 0, 0, 255))
    return Image.alpha_composite(black, picture).convert("RGB")


def _mark(square: np.ndarray) -> bytes:
    """The same for a picture in another size or compression: which of neighbours is brighter, and the colours."""
    small = Image.fromarray(square).resize((9, 8), Image.Resampling.BOX)
    grey = np.asarray(small.convert("L"), np.int16)
    tones = np.asarray(small.resize((2, 2), Image.Resampling.BOX), np.uint8) // 24
    return np.packbits(grey[:, 1:] > grey[:, :-1] + 2).tobytes() + tones.tobytes()
