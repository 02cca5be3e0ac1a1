"""Words as a layer's source, one after the other on the beat, as large as the picture allows and never cut off."""

from __future__ import annotations

import logging
import unicodedata
from bisect import bisect_left
from collections.abc import Callable
from functools import lru_cache
from math import floor, sqrt

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from performer.generators.media.fonts import choose
from performer.types.frame import Play

log = logging.getLogger(__name__)
LARGEST = 1280  # pixels on the longer side; type is sharp enough from there on
MARGIN = 0.04  # of the picture, that stays free on every side
COLOURS = 64  # steps of each channel: a colour that moves need not be set anew for every shade
MOST_LETTERS = 20_000  # of one text: a full page has 3,000
LEADING = 0.1  # of the font's size, between lines
SMALLEST_UNBROKEN = 0.04  # of the picture's height: words that would have to be set smaller are broken
FEW = 24  # words: so many are tried in every number of lines
NAMED = 12  # letters of those that the font lacks
#: Format characters that shape the letters beside them, or say which way they run; all others are left out.
_SHAPING = frozenset("\u200c\u200d\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")

Measure = Callable[[str], float]


class Words:
    """Words or lines of text on nothing.

    Raises Fault when the font is no good. Letters that the font lacks are named in a warning.

    Parameters
    ----------
    text : str
        One to a line; they are shown in turn.
    font : str, optional
        A .ttf or .otf file; "" for one that comes along, see `fonts.choose`.
    """

    def __init__(self, text: str, font: str = "") -> None:
        self._lines = [line for line in map(_cleaned, text.splitlines()) if line] or [""]
        for at, line in enumerate(self._lines):
            if len(line) > MOST_LETTERS:
                _warn(f"{len(line)} letters at once; the first {MOST_LETTERS} are shown")
                self._lines[at] = line[:MOST_LETTERS]
        self._font, lacking = choose("".join(self._lines), font)
        if lacking:
            _warn(_told(lacking, font))
        self._set_for: tuple[object, ...] | None = None
        self._mask = np.zeros((0, 0), np.uint16)
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
        setting = (word, fit, round(share, 2))
        mark = (setting, shade)
        if self._made is None or self._made[0] != mark:
            if self._set_for != setting:
                self._set_for, self._mask = setting, self._set(*setting)
            self._made = (mark, _coloured(self._mask, shade))
        return self._made[1]

    def _set(self, word: str, size: tuple[int, int], share: float) -> np.ndarray:
        """(H, W) uint16, 0..255: how far each pixel is covered."""
        mask = Image.new("L", size)
        if not word:
            return np.asarray(mask, np.uint16)
        room = (size[0] * (1.0 - 2.0 * MARGIN) * share, size[1] * (1.0 - 2.0 * MARGIN) * share)
        lines, pixels = broken(word, room, SMALLEST_UNBROKEN * size[1], self._font.at(100).getlength)
        text = "\n".join(lines)
        font, box = self._largest(text, room, size, pixels if len(lines) > FEW else 0.0)
        at = ((size[0] - box[2] - box[0]) / 2, (size[1] - box[3] - box[1]) / 2)
        spacing = font.size * LEADING
        ImageDraw.Draw(mask).multiline_text(at, text, 255, font, align="center", spacing=spacing)
        return np.asarray(mask, np.uint16)

    def _largest(
        self, text: str, room: tuple[float, float], size: tuple[int, int], near: float
    ) -> tuple[ImageFont.FreeTypeFont, tuple[float, float, float, float]]:
        """The font in the largest size in which the text fits, and the text's box then.

        near  pixels that the size is not far from; 0: not known
        """
        probe = ImageDraw.Draw(Image.new("L", (1, 1)))

        def box_of(pixels: int) -> tuple[float, float, float, float]:
            return probe.multiline_textbbox(
                (0, 0), text, self._font.at(pixels), align="center", spacing=pixels * LEADING
            )

        def fits(pixels: int) -> bool:
            box = box_of(pixels)
            return box[2] - box[0] <= room[0] and box[3] - box[1] <= room[1]

        low = 4
        high = max(5, size[1] * 2)
        if near:
            low = max(1, floor(near * 0.8))
            high = max(2, round(near * 1.3))
        while low > 1 and not fits(low):
            low, high = max(1, low // 2), low
        while high - low > 1:
            middle = (low + high) // 2
            if fits(middle):
                low = middle
            else:
                high = middle
        return self._font.at(low), box_of(low)

    def close(self) -> None:
        self._made = None


def broken(word: str, room: tuple[float, float], smallest: float, measure: Measure) -> tuple[list[str], float]:
    """A phrase broken into the lines with which it can be set largest, and about how large that is, in pixels.

    Parameters
    ----------
    room : tuple[float, float]
        Width and height in pixels.
    smallest : float
        Size in pixels below which words that are too long for a line are broken, too.
    measure : Measure
        The width of a text at 100 pixels.
    """
    parts = word.split()
    lines, size = _best(parts, room, measure)
    if size >= smallest:
        return lines, size
    # As if all letters were alike: so large they would fill the room.
    width = measure(word) / len(word)
    filling = 100.0 * sqrt(room[0] * room[1] / max(width * 115.0 * len(word), 1.0))
    most = max(1, floor(room[0] * 100.0 / max(width * filling, 1.0)))
    if all(len(part) <= most for part in parts):
        return lines, size
    return _best([piece for part in parts for piece in _pieces(part, most)], room, measure)


def _best(parts: list[str], room: tuple[float, float], measure: Measure) -> tuple[list[str], float]:
    """Words in so many lines that they can be set largest; fewer where that is nearly as large."""
    few = len(parts) <= FEW
    widths = {} if few else {part: measure(part) for part in set(parts)}
    space = measure(" ")

    def wide(line: str) -> float:
        return measure(line) if few else sum(widths[part] + space for part in line.split()) - space

    def by_width(count: int) -> float:
        """The size, in pixels, in which so many lines fit the width."""
        return 100.0 * room[0] / max(1.0, *map(wide, spread(parts, count)))

    def by_height(count: int) -> float:
        return 100.0 * room[1] / (count * 115.0)

    counts = range(1, len(parts) + 1)
    if not few:  # the more lines, the narrower and the taller they are: the best number is where both fit alike
        middle = bisect_left(counts, True, key=lambda count: by_width(count) >= by_height(count))
        counts = counts[max(0, middle - 2) : middle + 3]
    best = 1
    size = 0.0
    for count in counts:
        fits = min(by_width(count), by_height(count))
        if fits > size * (1.05 if few else 1.0):
            best = count
            size = fits
    return spread(parts, best), size


def spread(parts: list[str], count: int) -> list[str]:
    """Words over so many lines, as evenly as their lengths allow."""
    total = sum(map(len, parts)) + len(parts)
    lines: list[str] = []
    line: list[str] = []
    length = 0
    for place, part in enumerate(parts):
        full = length + len(part) / 2 > total / count or len(parts) - place < count - len(lines)
        if line and full and len(lines) < count - 1:
            lines.append(" ".join(line))
            line = []
            length = 0
        line.append(part)
        length += len(part) + (length > 0)
    return [*lines, " ".join(line)]


def _pieces(word: str, most: int) -> list[str]:
    """A word in pieces of so many letters, or a few more: marks stay with the letter that they belong to."""
    count = -(-len(word) // most)
    ends = [round(len(word) * (at + 1) / count) for at in range(count)]
    pieces = []
    start = 0
    for end in ends:
        while end < len(word) and (_joins(word[end]) or word[end - 1] == "\u200d"):
            end += 1
        if end > start:
            pieces.append(word[start:end])
            start = end
    return pieces


def _joins(letter: str) -> bool:
    return letter in _SHAPING or unicodedata.category(letter) in ("Mn", "Mc", "Me")


def _cleaned(line: str) -> str:
    """A line in composed letters, without what is no letter: control characters part words, invisible ones go."""
    composed = unicodedata.normalize("NFC", line).replace("ŉ", "ʼn")  # a letter that Unicode itself takes back
    kept = (
        " " if unicodedata.category(letter) in ("Cc", "Cs", "Zs") else letter
        for letter in composed
        if letter in _SHAPING or unicodedata.category(letter) != "Cf"
    )
    return "".join(kept).strip()


@lru_cache(maxsize=256)
def _warn(what: str) -> None:
    """Say it once, however often a preset with that text is played."""
    log.warning("text: %s", what)


def _told(lacking: list[str], font: str) -> str:
    """Which letters are missing, and what to do about it."""
    some = " ".join(map(_named, lacking[:NAMED])) + (
        f" and {len(lacking) - NAMED} more" if len(lacking) > NAMED else ""
    )
    if font:
        return f"{font} has no {some}; choose another font"
    return f"the font has no {some}; name a .ttf or .otf file that has them: play = {{ font = ... }}"


def _named(letter: str) -> str:
    return letter if letter.isprintable() and not _joins(letter) else f"U+{ord(letter):04X}"


def _coloured(mask: np.ndarray, shade: tuple[int, ...]) -> np.ndarray:
    """(H, W, 4) uint8 of one colour, as far as the mask covers."""
    out = np.empty((*mask.shape, 4), np.uint8)
    out[..., :3] = shade[:3]
    out[..., 3] = (mask * shade[3] + 127) // 255
    return out
