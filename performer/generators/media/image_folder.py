"""A folder of pictures as a layer's source, one after the other, each crossfading to the next."""

from __future__ import annotations

import logging
from collections import OrderedDict
from math import floor
from pathlib import Path
from time import monotonic

import numpy as np
from PIL import Image, ImageOps

from performer.system.errors import Fault
from performer.types.frame import Play

log = logging.getLogger(__name__)
ENDINGS = {".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff", ".gif"}
LOOK_S = 2.0  # how often the folder is looked at for new pictures
LARGEST = 1920  # pixels on the longer side
KEPT = 6


class Album:
    """The pictures of a folder, by name or shuffled; new ones are noticed. Raises Fault when there is none.

    A picture alone is an album of one.
    """

    def __init__(self, folder: Path, shuffle: bool = False, seed: int = 1, live: bool = True) -> None:
        self.folder, self._shuffle, self._seed, self._live = folder, shuffle, seed, live
        self._kept: OrderedDict[tuple[Path, tuple[int, int]], np.ndarray] = OrderedDict()
        self._broken: set[Path] = set()
        self._looked = monotonic()
        self._paths = self._look()
        if not self._paths:
            raise Fault(f"{folder}: no pictures there; expected a folder with {', '.join(sorted(ENDINGS))}")
        self._made: tuple[object, np.ndarray] | None = None

    def _look(self) -> list[Path]:
        if self.folder.is_file():
            return [self.folder]
        paths = sorted(p for p in self.folder.glob("*") if p.suffix.lower() in ENDINGS and p.is_file())
        if self._shuffle:
            order = np.random.default_rng(self._seed % (1 << 63)).permutation(len(paths))
            paths = [paths[i] for i in order]
        return [path for path in paths if path not in self._broken]

    def picture(self, play: Play, size: tuple[int, int]) -> np.ndarray | None:
        """(H, W, 4) uint8 in the frame's aspect, the middle of each picture."""
        if self._live and monotonic() - self._looked > LOOK_S:
            self._looked = monotonic()
            self._paths = self._look() or self._paths
        share = float(play.params[0])  # type: ignore[arg-type]
        step = floor(play.position)
        part = play.position - step
        mixed = max(0.0, (part - (1.0 - share)) / share) if share > 0.0 else 0.0
        fit = _fit(size)
        now = self._at(step, fit)
        if now is None or mixed <= 0.0 or len(self._paths) < 2:
            return now
        after = self._at(step + 1, fit)
        if after is None:
            return now
        weight = round(mixed * mixed * (3.0 - 2.0 * mixed) * 256)
        mark = (step, weight, fit)
        if self._made is None or self._made[0] != mark:
            both = now.astype(np.uint16) * (256 - weight) + after.astype(np.uint16) * weight
            self._made = (mark, (both >> 8).astype(np.uint8))
        return self._made[1]

    def _at(self, step: int, size: tuple[int, int]) -> np.ndarray | None:
        """Picture number `step`, round and round; broken ones are left out and said once."""
        while self._paths:
            path = self._paths[step % len(self._paths)]
            key = (path, size)
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
            try:
                with Image.open(path) as opened:
                    opened.draft("RGB", size)
                    whole = ImageOps.exif_transpose(opened).convert("RGBA")
                self._kept[key] = np.asarray(ImageOps.fit(whole, size, Image.Resampling.LANCZOS))
                while len(self._kept) > KEPT:
                    self._kept.popitem(last=False)
                return self._kept[key]
            except (OSError, ValueError, SyntaxError, EOFError, Image.DecompressionBombError) as error:
                log.warning("%s: cannot be read as a picture (%s); left out", path, " ".join(str(error).split())[:100])
                self._broken.add(path)
                self._paths = [other for other in self._paths if other != path]
        return None

    def close(self) -> None:
        self._kept.clear()


def _fit(size: tuple[int, int]) -> tuple[int, int]:
    scale = min(1.0, LARGEST / max(size))
    return max(2, round(size[0] * scale)), max(2, round(size[1] * scale))
