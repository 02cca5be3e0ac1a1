"""A folder of pictures as a layer's source, one after the other, each crossfading to the next."""

from __future__ import annotations

import logging
from collections import OrderedDict
from math import floor
from pathlib import Path
from time import monotonic

import numpy as np
from PIL import Image, ImageOps

from performer.generators.media.file_stamp import GONE, Stamp, stamp_of
from performer.generators.media.picture import ENDINGS, read
from performer.system.errors import Fault
from performer.types.frame import Play

log = logging.getLogger(__name__)
LOOK_S = 2.0  # how often the folder is looked at for new pictures
LARGEST = 1920  # pixels on the longer side
KEPT = 6


class Album:
    """The pictures of a folder, by name or shuffled; live, new, changed and completed ones are noticed.

    A picture alone is an album of one. One that cannot be read, as while it is being copied, is left out until its
    file changes; of one that is replaced, the version before stays until the new one is whole.

    Parameters
    ----------
    contain : bool, optional
        Show all of each, clear on both sides, rather than its middle.

    Raises
    ------
    Fault
        When there is none.
    """

    def __init__(
        self, folder: Path, shuffle: bool = False, seed: int = 1, live: bool = True, contain: bool = False
    ) -> None:
        self.folder = folder
        self._shuffle = shuffle
        self._seed = seed
        self._live = live
        self._contain = contain
        self._kept: OrderedDict[tuple[Path, tuple[int, int]], tuple[Stamp, np.ndarray]] = OrderedDict()
        self._stamps: dict[Path, Stamp] = {}
        self._broken: dict[Path, tuple[Stamp, str]] = {}  # and why
        self._told: set[Path] = set()
        self._looked = monotonic()
        try:
            self._paths = self._look()
        except OSError as error:
            raise Fault(f"{folder}: cannot be read as an image folder ({error.strerror})") from None
        if not self._paths:
            raise Fault(f"{folder}: no images there; expected a folder with {', '.join(sorted(ENDINGS))}")
        self._made: tuple[np.ndarray, np.ndarray, int, np.ndarray] | None = None  # of which two, how much, and what

    def _look(self) -> list[Path]:
        """The pictures in their order, less those that are broken; raises OSError."""
        if self.folder.is_file():
            paths = [self.folder]
        else:
            paths = sorted(p for p in self.folder.glob("*") if p.suffix.lower() in ENDINGS and p.is_file())
        if self._shuffle:
            order = np.random.default_rng(self._seed % (1 << 63)).permutation(len(paths))
            paths = [paths[i] for i in order]
        self._stamps = {path: stamp_of(path) for path in paths}
        for path, (stamp, why) in list(self._broken.items()):
            if self._stamps.get(path, GONE) == stamp:
                self._log_once(path, why)  # it is not on its way: nobody has written to it since the last look
            else:
                del self._broken[path]
        return [path for path in paths if path not in self._broken]

    def picture(self, play: Play, size: tuple[int, int]) -> np.ndarray | None:
        """(H, W, 4) uint8 in the frame's aspect, the middle of each picture or all of it."""
        if self._live and monotonic() - self._looked > LOOK_S:
            self._looked = monotonic()
            try:
                self._paths = self._look() or self._paths
            except OSError as error:
                log.debug("%s: cannot be looked at: %s", self.folder, error.strerror)
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
        made = self._made
        if made is None or made[0] is not now or made[1] is not after or made[2] != weight:
            made = self._made = (now, after, weight, crossfaded(now, after, weight))
        return made[3]

    def _at(self, step: int, size: tuple[int, int]) -> np.ndarray | None:
        """Picture number `step`, round and round; broken ones are left out and said once."""
        while self._paths:
            path = self._paths[step % len(self._paths)]
            stamp = self._stamps.get(path, GONE)
            kept = self._kept.get((path, size))
            if kept is not None and (kept[0] == stamp or path in self._broken):
                self._kept.move_to_end((path, size))
                return kept[1]
            try:
                whole = read(path, near=max(size)).convert("RGBA")
            except Fault as fault:
                self._broken[path] = (stamp, str(fault))
                if not self._live:
                    self._log_once(path, str(fault))
                if kept is not None:
                    return kept[1]
                self._paths = [other for other in self._paths if other != path]
                continue
            self._told.discard(path)
            if self._contain:
                fitted = ImageOps.pad(whole, size, Image.Resampling.LANCZOS, (0, 0, 0, 0))
            else:
                fitted = ImageOps.fit(whole, size, Image.Resampling.LANCZOS)
            picture = np.asarray(fitted)
            self._kept[path, size] = (stamp, picture)
            self._kept.move_to_end((path, size))
            while len(self._kept) > KEPT:
                self._kept.popitem(last=False)
            return picture
        return None

    def _log_once(self, path: Path, why: str) -> None:
        if path not in self._told:
            self._told.add(path)
            log.warning("%s; left out", why)

    def close(self) -> None:
        self._kept.clear()


def _fit(size: tuple[int, int]) -> tuple[int, int]:
    scale = min(1.0, LARGEST / max(size))
    return max(2, round(size[0] * scale)), max(2, round(size[1] * scale))


def crossfaded(before: np.ndarray, after: np.ndarray, weight: int) -> np.ndarray:
    """(H, W, 4) uint8 between two such pictures, 0..256; a colour counts as far as its alpha goes."""
    if before[..., 3].min() == after[..., 3].min() == 255:
        both = before.astype(np.uint16) * (256 - weight) + after.astype(np.uint16) * weight
        return (both >> 8).astype(np.uint8)
    shares = before[..., 3:].astype(np.uint32) * (256 - weight), after[..., 3:].astype(np.uint32) * weight
    whole = shares[0] + shares[1]
    colours = (before[..., :3] * shares[0] + after[..., :3] * shares[1]) // np.maximum(whole, 1)
    return np.concatenate([colours, whole >> 8], axis=2).astype(np.uint8)
