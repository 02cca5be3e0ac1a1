"""A contact sheet: pictures from all over a show, or of many things, on one page, each with a line below it."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from performer.io.record.movie import check_folder
from performer.system.errors import Fault
from performer.system.paths import expanded

_PAPER = (16, 17, 20)
_INK = (205, 208, 214)
_GAP = 8


def check_picture(path: str | Path) -> Path:
    """The path of a picture that can be written: told before the work, not after it. Raises Fault."""
    path = expanded(path)
    if path.suffix.lower() not in (".png", ".jpg", ".jpeg"):
        raise Fault(f"{path}: unknown extension {path.suffix!r} for an image; use .png or .jpg")
    check_folder(path.parent, 1 << 20)
    if path.is_dir():
        raise Fault(f"{path}: is a folder; give a file name")
    if path.exists() and not os.access(path, os.W_OK):
        raise Fault(f"{path}: is write-protected; choose another name")
    return path


class Sheet:
    """Keeps pictures, small, and saves them as one image: those it is told to, or evenly spread ones as they pass.

    Parameters
    ----------
    path : str | Path
        .png or .jpg; checked at once, Fault when it is no good.
    duration : float, optional
        Seconds of the show, over which the pictures are spread.
    count : int, optional
        Count of pictures.
    columns : int, optional
        Columns of the sheet.
    width : int, optional
        Width of one picture, in pixels.
    """

    def __init__(
        self, path: str | Path, duration: float = 0.0, count: int = 20, columns: int = 5, width: int = 384
    ) -> None:
        self.path = check_picture(path)
        self._columns = columns
        self._width = width
        self._times = [duration * (place + 0.5) / count for place in range(count)]
        self._kept: list[tuple[str, Image.Image]] = []

    def wants(self, t: float) -> bool:
        """Whether the picture at t seconds is the next one to keep."""
        return len(self._kept) < len(self._times) and t >= self._times[len(self._kept)]

    def offer(self, pixels: np.ndarray, t: float) -> bool:
        """Keep (H, W, 3) uint8, top row first, for t seconds if it is wanted."""
        if not self.wants(t):
            return False
        self.add(pixels, f"{int(t) // 60}:{t % 60:04.1f}")
        return True

    def add(self, pixels: np.ndarray, words: str) -> None:
        """Keep (H, W, 3) uint8, top row first, with words below it."""
        height = max(1, round(pixels.shape[0] * self._width / pixels.shape[1]))
        small = Image.fromarray(np.ascontiguousarray(pixels)).resize((self._width, height), Image.Resampling.LANCZOS)
        self._kept.append((words, small))

    def save(self) -> Path:
        """Write the sheet of what was kept. Raises Fault when nothing was, or it can't be written."""
        if not self._kept:
            raise Fault(f"{self.path}: no frame was rendered for the contact sheet")
        font = ImageFont.load_default(13)
        line = 20
        height = max(picture.height for _, picture in self._kept)
        columns = min(self._columns, len(self._kept))
        rows = -(-len(self._kept) // columns)
        page = Image.new("RGB", (_GAP + columns * (self._width + _GAP), _GAP + rows * (height + line + _GAP)), _PAPER)
        draw = ImageDraw.Draw(page)
        for place, (words, picture) in enumerate(self._kept):
            x = _GAP + place % columns * (self._width + _GAP)
            y = _GAP + place // columns * (height + line + _GAP)
            page.paste(picture, (x, y))
            draw.text((x + 2, y + height + 3), words, _INK, font)
        try:
            page.save(self.path, quality=88)
        except OSError as error:
            raise Fault(f"{self.path}: cannot be written ({error.strerror or error}); choose another folder") from error
        return self.path
