"""Words as a layer's source, one after the other on the beat, as large as the picture allows and never cut off."""

from __future__ import annotations

from math import floor

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from performer.system.errors import Fault
from performer.types.frame import Play

LARGEST = 1280  # pixels on the longer side; type is sharp enough from there on
MARGIN = 0.04  # of the picture, that stays free on every side
COLOURS = 64  # steps of each channel: a colour that moves need not be set anew for every shade


class Words:
    """Words or lines of text on nothing.

    text  one to a line; they are shown in turn
    font  a .ttf or .otf file; "" for the one that comes along with Pillow (Aileron, CC0)
    Raises Fault when the font is no good.
    """

    def __init__(self, text: str, font: str = "") -> None:
        self._lines = [line.strip() for line in text.splitlines() if line.strip()]
        self._font_path = font
        if font:
            try:
                ImageFont.truetype(font, 20)
            except OSError:
                raise Fault(f"{font}: not a font file that can be read; expected .ttf or .otf") from None
        self._made: tuple[object, np.ndarray] | None = None

    def picture(self, play: Play, size: tuple[int, int]) -> np.ndarray:
        """(H, W, 4) uint8 in the frame's aspect: the word of the moment in its colour, clear around it."""
        share = float(play.params[0])  # type: ignore[arg-type]
        colour = play.params[1]
        assert isinstance(colour, tuple)
        word = self._lines[floor(play.position) % len(self._lines)]
        scale = min(1.0, LARGEST / max(size))
        fit = (max(8, round(size[0] * scale)), max(8, round(size[1] * scale)))
        shade = tuple(round(round(part * COLOURS) / COLOURS * 255) for part in colour)
        mark = (word, fit, round(share, 2), shade)
        if self._made is None or self._made[0] != mark:
            self._made = (mark, self._set(word, fit, round(share, 2), shade))
        return self._made[1]

    def _set(self, word: str, size: tuple[int, int], share: float, shade: tuple[int, ...]) -> np.ndarray:
        room = (size[0] * (1.0 - 2.0 * MARGIN) * share, size[1] * (1.0 - 2.0 * MARGIN) * share)
        lines = self._broken(word, room)
        text = "\n".join(lines)
        probe = ImageDraw.Draw(Image.new("L", (1, 1)))
        low, high = 4, max(5, size[1] * 2)
        while high - low > 1:  # the largest that fits
            middle = (low + high) // 2
            box = probe.multiline_textbbox((0, 0), text, self._font(middle), align="center", spacing=middle * 0.1)
            if box[2] - box[0] <= room[0] and box[3] - box[1] <= room[1]:
                low = middle
            else:
                high = middle
        font = self._font(low)
        box = probe.multiline_textbbox((0, 0), text, font, align="center", spacing=low * 0.1)
        mask = Image.new("L", size)
        at = ((size[0] - box[2] - box[0]) / 2, (size[1] - box[3] - box[1]) / 2)
        ImageDraw.Draw(mask).multiline_text(at, text, 255, font, align="center", spacing=low * 0.1)
        out = np.empty((size[1], size[0], 4), np.uint8)
        out[..., :3] = shade[:3]
        out[..., 3] = (np.asarray(mask, np.uint16) * shade[3] + 127) // 255
        return out

    def _broken(self, word: str, room: tuple[float, float]) -> list[str]:
        """A phrase broken into the lines with which it can be set largest."""
        parts = word.split()
        best, size = [word], 0.0
        for count in range(1, len(parts) + 1):
            lines = _spread(parts, count)
            width = max(self._font(100).getlength(line) for line in lines)
            fits = min(room[0] / max(width, 1.0), room[1] / (len(lines) * 115.0))
            if fits > size * 1.05:
                best, size = lines, fits
        return best

    def _font(self, size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
        return ImageFont.truetype(self._font_path, size) if self._font_path else ImageFont.load_default(size)

    def close(self) -> None:
        self._made = None


def _spread(parts: list[str], count: int) -> list[str]:
    """Words over so many lines, as evenly as their lengths allow."""
    total, line = sum(map(len, parts)) + len(parts), ""
    lines: list[str] = []
    for place, part in enumerate(parts):
        full = len(line) + len(part) / 2 > total / count or len(parts) - place < count - len(lines)
        if line and full and len(lines) < count - 1:
            lines.append(line)
            line = ""
        line = f"{line} {part}".strip()
    return [*lines, line]
