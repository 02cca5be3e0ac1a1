"""Letters as quads: a glyph atlas drawn once with Pillow, and the shader that draws quads, bars and dots."""

from __future__ import annotations

import unicodedata

import moderngl
import numpy as np
from PIL import Image, ImageDraw, ImageFont

#: What Pillow's own font can write; accents are dropped, and other characters come out as "?".
CHARACTERS = "".join(map(chr, range(32, 127))) + "«»°±·…‹›"
_PLAIN = str.maketrans({"–": "-", "—": "-", "’": "'", "‘": "'", "“": '"', "”": '"', "×": "x", "µ": "u", "ß": "ss"})

SET_LINES = 512  # lines of text kept ready; most are the same from one layout to the next

#: One quad: x, y, width, height in pixels from the top left; u, v, width, height in texels; r, g, b, a; corner radius.
QUAD = 13
LAYOUT = "4f 4f 4f 1f /i"
NAMES = ("rect", "glyph", "color", "radius")

VERTEX = """#version 330 core
uniform vec2 screen;
in vec4 rect; in vec4 glyph; in vec4 color; in float radius;
out vec2 texel; out vec2 at; flat out vec4 ink; flat out vec2 half_size; flat out float corner;
void main() {
    vec2 side = vec2(gl_VertexID & 1, gl_VertexID >> 1);
    vec2 pixel = rect.xy + side * rect.zw;
    texel = glyph.xy + side * glyph.zw;
    half_size = 0.5 * rect.zw;
    at = side * rect.zw - half_size;
    ink = color;
    corner = glyph.z > 0.0 ? -1.0 : min(radius, min(half_size.x, half_size.y));
    gl_Position = vec4(pixel.x / screen.x * 2.0 - 1.0, 1.0 - pixel.y / screen.y * 2.0, 0.0, 1.0);
}
"""
FRAGMENT = """#version 330 core
uniform sampler2D atlas;
in vec2 texel; in vec2 at; flat in vec4 ink; flat in vec2 half_size; flat in float corner;
out vec4 pixel;
void main() {
    float cover = 1.0;
    if (corner < 0.0) cover = texelFetch(atlas, ivec2(texel), 0).r;
    else if (corner > 0.0) cover = clamp(0.5 - length(max(abs(at) - half_size + corner, 0.0)) + corner, 0.0, 1.0);
    pixel = vec4(ink.rgb, 1.0) * (ink.a * cover);
}
"""


class Atlas:
    """Glyphs of one size in one texture.

    Parameters
    ----------
    pixels : int
        Font size.
    """

    def __init__(self, ctx: moderngl.Context, pixels: int) -> None:
        font = ImageFont.load_default(pixels)
        assert isinstance(font, ImageFont.FreeTypeFont)
        ascent, descent = font.getmetrics()
        self.pixels = pixels
        self.line = ascent + descent + max(2, pixels // 6)
        self._lines: dict[str, tuple[np.ndarray, float]] = {}
        advances = np.array([round(font.getlength(char)) for char in CHARACTERS], np.float32)
        advances[0] = max(advances[0], np.ceil(pixels * 0.27))  # rounding makes the space of small sizes too narrow
        digits = [CHARACTERS.index(digit) for digit in "0123456789"]
        shift = np.zeros(len(CHARACTERS), np.float32)  # digits share one width, so that numbers do not dance
        shift[digits] = (advances[digits].max() - advances[digits]) // 2
        advances[digits] = advances[digits].max()
        cell = pixels * 2, ascent + descent + 4
        columns = max(1, 1024 // cell[0])
        page = Image.new("L", (columns * cell[0], -(-len(CHARACTERS) // columns) * cell[1]))
        draw = ImageDraw.Draw(page)
        self._glyphs = np.zeros((len(CHARACTERS), 4), np.float32)
        self._offsets = np.zeros((len(CHARACTERS), 2), np.float32)
        for place, char in enumerate(CHARACTERS):
            left, top, right, bottom = font.getbbox(char)
            x, y = place % columns * cell[0], place // columns * cell[1]
            width = min(right - left, cell[0] - 2)
            height = min(bottom - top, cell[1] - 2)
            if width <= 0 or height <= 0:
                continue
            draw.text((x - left, y - top), char, 255, font)
            self._glyphs[place] = x, y, width, height
            self._offsets[place] = left + shift[place], top
        self.advances = advances
        self.texture = ctx.texture(page.size, 1, page.tobytes(), alignment=1)
        self.texture.filter = moderngl.NEAREST, moderngl.NEAREST
        self._places = np.full(max(map(ord, CHARACTERS)) + 1, CHARACTERS.index("?"), np.intp)
        self._places[[ord(char) for char in CHARACTERS]] = np.arange(len(CHARACTERS))

    def places(self, text: str) -> np.ndarray:
        """Which glyph each character is, (len(text),) intp."""
        if not text.isascii():
            plain = unicodedata.normalize("NFD", text.translate(_PLAIN))
            text = "".join(char for char in plain if not unicodedata.combining(char))
        codes = np.frombuffer(text.encode("utf-32-le", "replace"), np.uint32)
        return self._places[np.where(codes < len(self._places), codes, ord("?"))]

    def set(self, text: str) -> tuple[np.ndarray, float]:
        """Quads (letters, 8) of a line whose top left is 0, 0: their rect and glyph; and its width in pixels."""
        ready = self._lines.get(text)
        if ready is None:
            places = self.places(text)
            ends = np.cumsum(self.advances[places])
            quads = np.empty((len(places), 8), np.float32)
            quads[:, 4:8] = self._glyphs[places]
            quads[:, 2:4] = quads[:, 6:8]
            quads[:, 0:2] = self._offsets[places]
            quads[:, 0] += ends - self.advances[places]
            if len(self._lines) >= SET_LINES:
                self._lines.clear()
            ready = self._lines[text] = quads, float(ends[-1]) if len(ends) else 0.0
        return ready

    def width(self, text: str) -> float:
        """Of the text, in pixels."""
        return self.set(text)[1]

    def fit(self, text: str, width: float) -> str:
        """The text, ended with an ellipsis where it is wider than `width` pixels."""
        if self.width(text) <= width:
            return text
        return text[: self.letters(text, width - self.width("…"))].rstrip() + "…"

    def letters(self, text: str, width: float) -> int:
        """How many of the text's letters find room in `width` pixels."""
        ends = np.cumsum(self.advances[self.places(text)])
        return int(np.searchsorted(ends, width, side="right"))

    def write(self, out: np.ndarray, text: str, x: float, y: float, color: tuple[float, float, float, float]) -> int:
        """Set the text's quads into rows of `out` (n, QUAD), its line's top left at x, y; returns rows used."""
        quads = self.set(text)[0][: len(out)]
        rows = out[: len(quads)]
        rows[:, :8] = quads
        rows[:, 0] += x
        rows[:, 1] += y
        rows[:, 8:12] = color
        rows[:, 12] = 0.0
        return len(quads)
