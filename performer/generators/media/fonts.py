"""Which font a text is set in, and what the font cannot write."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from pathlib import Path

from PIL import ImageFont

from performer.system.errors import Fault

#: Inter (SIL Open Font License, see LICENSE.txt beside it): Latin, Greek and Cyrillic.
INTER = Path(__file__).parent / "typeface" / "Inter-Regular.otf"
_PROBE = 40  # pixels; large enough that two letters look different
_MISSING = "\U0010fffe"  # no character at all: what a font draws for it stands for all that it lacks
_KEPT_SIZES = 32


class Font:
    """A typeface in any size.

    Parameters
    ----------
    path : str
        Path of a .ttf or .otf file, or "" for the font that comes with Pillow (Aileron, CC0), which has little but
        ASCII.

    Raises
    ------
    Fault
        When it cannot be read.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self._sizes: dict[float, ImageFont.FreeTypeFont] = {}
        try:
            self.at(20)
        except OSError:
            raise Fault(f"{path}: not a font file that can be read; expected .ttf or .otf") from None

    def at(self, pixels: float) -> ImageFont.FreeTypeFont:
        """The font in a size."""
        if pixels not in self._sizes:
            if len(self._sizes) >= _KEPT_SIZES:
                self._sizes.clear()
            made = ImageFont.truetype(self.path, pixels) if self.path else ImageFont.load_default(pixels)
            assert isinstance(made, ImageFont.FreeTypeFont)
            self._sizes[pixels] = made
        return self._sizes[pixels]

    def lacks(self, letters: Iterable[str]) -> list[str]:
        """Those of the letters that the font has no glyph for, each once; what is never drawn is not among them."""
        plain = self.at(_PROBE).font_variant(layout_engine=ImageFont.Layout.BASIC)
        blank = _drawn(plain, _MISSING)
        return [
            letter
            for letter in dict.fromkeys(letters)
            if unicodedata.category(letter) not in ("Zs", "Cf", "Cc") and _drawn(plain, letter) == blank
        ]


def _drawn(font: ImageFont.FreeTypeFont, letter: str) -> tuple[object, bytes, float]:
    mask = font.getmask(letter)
    return mask.size, bytes(mask), font.getlength(letter)


def choose(text: str, path: str = "") -> tuple[Font, list[str]]:
    """The font for a text, and the letters that it lacks.

    Parameters
    ----------
    path : str, optional
        Path of the font that is wished; "" for Pillow's, or Inter where that lacks a letter.

    Raises
    ------
    Fault
        What is wrong, where, and the likely mend, in one line.
    """
    letters = dict.fromkeys(text)
    if path:
        wished = Font(path)
        return wished, wished.lacks(letters)
    first = Font("")
    shaped = any(unicodedata.category(letter) in ("Cf", "Mn", "Mc", "Me") for letter in letters)
    if not shaped and not first.lacks(letters):
        return first, []
    second = Font(str(INTER))
    return second, second.lacks(letters)
