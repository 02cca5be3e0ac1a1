"""What the show hears and does, written over the picture: panel, help and short notices, in one draw call."""

from __future__ import annotations

from dataclasses import dataclass, field

import moderngl
import numpy as np

from performer.gl.hud.glyphs import FRAGMENT, LAYOUT, NAMES, QUAD, VERTEX, Atlas
from performer.types.frame import BANDS
from performer.types.keys import KEYS

SHOWN_S = 4.0  # a notice stays this long, and fades at its end
FADE_S = 0.5
LAYOUT_S = 0.1  # text is set anew at most this often; meters move every frame
MOST_QUADS = 4096
MOST_ROUTES = 8
SIZES = (11, 13, 16, 20, 24, 32, 48)  # font sizes, pixels

_Color = tuple[float, float, float, float]
_PANEL: _Color = (0.03, 0.035, 0.05, 0.74)
_TEXT: _Color = (0.95, 0.96, 0.97, 1.0)
_DIM: _Color = (0.68, 0.71, 0.76, 1.0)
_TROUGH: _Color = (1.0, 1.0, 1.0, 0.13)
_ACCENT: _Color = (0.42, 0.83, 1.0, 1.0)
_WARM: _Color = (1.0, 0.75, 0.30, 1.0)
_RED: _Color = (1.0, 0.36, 0.33, 1.0)
_LEVELS = {"info": _ACCENT, "warning": _WARM, "error": _RED}


@dataclass(frozen=True, slots=True)
class Message:
    """A one-line notice; `t` on the show's clock, `level` "info", "warning" or "error"."""

    t: float
    text: str
    level: str = "info"


@dataclass(frozen=True, slots=True)
class HudState:
    """What the HUD shows at time t (seconds, the show's clock).

    panel, help      which of the two is on; notices younger than SHOWN_S show anyway
    missed           pictures that came too late, so far
    beat             monotone number of beats
    level, bands     0..1; bands (64,)
    preset, incoming titles; `progress` 0..1 of the change
    model_rate_hz    images per second made
    sound_age_ms     of the newest sound in the picture; NaN for none
    recording        "" when none
    waiting          what comes next and when
    delays           (label, text) of the way from sound to picture
    routes           (source, target, 0..1)
    """

    t: float = 0.0
    panel: bool = True
    help: bool = False
    fps: float = 0.0
    p99_ms: float = 0.0
    missed: int = 0
    bpm: float = 0.0
    confidence: float = 0.0
    sync: str = "none"
    beat: float = 0.0
    level: float = 0.0
    bands: np.ndarray = field(default_factory=lambda: np.zeros(BANDS, np.float32))
    preset: str = ""
    incoming: str = ""
    progress: float = 0.0
    provider: str = ""
    model_rate_hz: float = 0.0
    sound_age_ms: float = float("nan")
    sound_note: str = ""
    midi_note: str = ""
    governor_note: str = ""
    recording: str = ""
    waiting: str = ""
    delays: tuple[tuple[str, str], ...] = ()
    frozen: bool = False
    dark: bool = False
    messages: tuple[Message, ...] = ()
    routes: tuple[tuple[str, str, float], ...] = ()


class Hud:
    """Draws a HudState over a framebuffer; its text size follows the picture's height. GL thread only."""

    def __init__(self, ctx: moderngl.Context) -> None:
        self._ctx = ctx
        self._program = ctx.program(VERTEX, FRAGMENT)
        self._buffer = ctx.buffer(reserve=MOST_QUADS * QUAD * 4, dynamic=True)
        self._quads = ctx.vertex_array(self._program, [(self._buffer, LAYOUT, *NAMES)])
        self._data = np.zeros((MOST_QUADS, QUAD), np.float32)
        self._count = 0
        self._atlases: dict[int, Atlas] = {}
        self._atlas = self._atlas_for(ctx.viewport[3])
        self._set_t = float("-inf")
        self._set_for: tuple[object, ...] = ()
        self._bands = self._routes = self._level = self._beat = self._change = 0  # their first quads; 0: not shown
        self._floor = self._tall = 0.0
        hue = np.linspace(0.0, 1.0, BANDS, dtype=np.float32)[:, None]
        self._band_colors = (1 - hue) * np.array(_WARM, np.float32) + hue * np.array(_ACCENT, np.float32)

    def draw(self, state: HudState, target: moderngl.Framebuffer, size: tuple[int, int]) -> None:
        """Draw over what is in `target`, whose size in pixels is (width, height)."""
        notices = tuple(message for message in state.messages if state.t - message.t < SHOWN_S)
        still = state.frozen, state.dark
        shape = (size, state.panel, state.help, len(state.routes), bool(state.incoming), still, notices)
        if state.t - self._set_t >= LAYOUT_S or state.t < self._set_t or shape != self._set_for:
            self._set_t, self._set_for = state.t, shape
            self._lay_out(state, notices, size)
        if not self._count:
            return
        if self._bands:
            self._move_meters(state)
        self._buffer.orphan()
        self._buffer.write(self._data[: self._count])
        ctx = self._ctx
        target.use()
        self._atlas.texture.use(0)
        self._program["screen"] = size
        ctx.enable(moderngl.BLEND)
        ctx.blend_func = moderngl.ONE, moderngl.ONE_MINUS_SRC_ALPHA
        self._quads.render(moderngl.TRIANGLE_STRIP, vertices=4, instances=self._count)
        ctx.disable(moderngl.BLEND)

    def _atlas_for(self, height: int) -> Atlas:
        wanted = height / 45.0
        pixels = min(SIZES, key=lambda size: abs(size - wanted))
        if pixels not in self._atlases:
            self._atlases[pixels] = Atlas(self._ctx, pixels)
        return self._atlases[pixels]

    def _lay_out(self, state: HudState, notices: tuple[Message, ...], size: tuple[int, int]) -> None:
        """Set all quads anew; those of meters are placed here and moved by `_move_meters`."""
        self._atlas = self._atlas_for(size[1])
        self._count = 0
        self._bands = 0
        if state.panel:
            self._lay_panel(state, size)
        if state.help:
            self._lay_help(size)
        if notices:
            self._lay_notices(state.t, notices, size)

    def _lay_panel(self, state: HudState, size: tuple[int, int]) -> None:
        em, line = self._atlas.pixels, self._atlas.line
        step = max(3, round(em * 0.36))
        inner = BANDS * step
        pad = em
        left = top = round(em * 1.1)
        x, y = left + pad, top + pad * 0.7
        value_x = x + round(em * 5.2)
        panel = self._box(left, top, inner + 2 * pad, 0, _PANEL, em * 0.5)

        dot = round(em * 0.8)
        self._beat = self._box(x, y + (line - dot) // 2, dot, dot, _ACCENT, dot)
        at = x + dot + em * 0.5
        at = self._text(f"{state.bpm:.1f} bpm" if state.bpm > 0 else "no beat yet", at, y, _TEXT)
        if state.bpm > 0:
            self._text(f"{state.confidence * 100:.0f} %  {state.sync}", at + em * 0.8, y, _DIM)
        right = " ".join(word for word, on in (("BLACKOUT", state.dark), ("FROZEN", state.frozen)) if on)
        if right:
            self._text(right, x + inner - self._atlas.width(right), y, _WARM)
        y += line + em * 0.3

        self._tall = round(em * 2.4)
        self._floor = y + self._tall
        self._bands = self._count
        for band in range(BANDS):
            self._box(x + band * step, self._floor - 1, step - 1, 1, tuple(self._band_colors[band]))
        y = self._floor + round(em * 0.35)
        bar = max(3, round(em * 0.25))
        self._box(x, y, inner - 1, bar, _TROUGH, bar)
        self._level = self._box(x, y, inner - 1, bar, _ACCENT, bar)
        y += bar + round(em * 0.5)

        if state.incoming:
            arrow = f"› {state.incoming}"
            half = self._text(self._atlas.fit(state.preset, inner * 0.5), x, y, _DIM) + em * 0.5
            self._text(self._atlas.fit(arrow, x + inner - half), half, y, _TEXT)
        else:
            self._text(self._atlas.fit(state.preset, inner), x, y, _TEXT)
        y += line
        if state.incoming:
            self._box(x, y, inner - 1, bar, _TROUGH, bar)
        self._change = self._box(x, y, 0, bar, _TEXT, bar)
        y += bar + round(em * 0.3) if state.incoming else round(em * 0.2)

        age = "" if state.sound_age_ms != state.sound_age_ms else f"{state.sound_age_ms:.0f} ms  "
        room = x + inner - value_x

        def wrapped(label: str, text: str, color: _Color) -> list[tuple[str, str, _Color]]:
            return [("" if number else label, part, color) for number, part in enumerate(self._wrap(text, room))]

        rows = [
            ("picture", f"{state.fps:.0f} fps   p99 {state.p99_ms:.1f} ms   missed {state.missed}", _TEXT),
            ("model", f"{state.model_rate_hz:.0f} Hz  {state.provider}", _TEXT),
            *wrapped("sound", f"{age}{state.sound_note}", _TEXT),
            *((label, text, _TEXT) for label, text in state.delays),
            ("midi", state.midi_note, _TEXT),
            *wrapped("timing", state.waiting, _ACCENT),
            *wrapped("governor", state.governor_note, _WARM),
            ("record", state.recording, _RED),
        ]
        for label, value, color in rows:
            if value:
                self._text(label, x, y, _DIM)
                self._text(self._atlas.fit(value, room), value_x, y, color)
                y += line

        shown = state.routes[:MOST_ROUTES]
        if shown:
            y += round(em * 0.5)
            self._box(x, y, inner - 1, 1, _TROUGH)
            y += round(em * 0.4)
            split = round(inner * 0.30)
            meter = round(inner * 0.2)
            troughs = self._count
            for place in range(len(shown)):
                self._box(x + inner - 1 - meter, y + place * line + (line - bar) // 2, meter, bar, _TROUGH, bar)
            self._routes = self._count
            self._data[self._routes : self._routes + len(shown)] = self._data[troughs : self._routes]
            self._data[self._routes : self._routes + len(shown), 8:12] = _ACCENT
            self._count += len(shown)
            for source, goal, _ in shown:
                self._text(self._atlas.fit(source, split - em * 0.6), x, y, _DIM)
                self._text(self._atlas.fit(goal, inner - split - meter - em * 0.8), x + split, y, _TEXT)
                y += line
        self._data[panel, 3] = min(y + pad * 0.6, size[1] - top) - top

    def _lay_help(self, size: tuple[int, int]) -> None:
        em, line = self._atlas.pixels, self._atlas.line
        entries = [entry for entry in KEYS if entry.label]
        rows = -(-len(entries) // 2)
        keys = max(self._atlas.width(entry.label) for entry in entries) + em
        column = keys + max(self._atlas.width(entry.help) for entry in entries) + em * 2
        width, height = column * 2 + em, (rows + 1.6) * line + em * 1.6
        left, top = round((size[0] - width) / 2), round((size[1] - height) / 2)
        self._box(left, top, width, height, (*_PANEL[:3], 0.88), em * 0.6)
        self._text("keys", left + em * 1.4, top + em * 0.9, _DIM)
        for place, entry in enumerate(entries):
            x = round(left + em * 1.4 + place // rows * column)
            y = round(top + em * 0.9 + (place % rows + 1.4) * line)
            self._text(entry.label, x, y, _ACCENT)
            self._text(entry.help, x + keys, y, _TEXT)

    def _lay_notices(self, t: float, notices: tuple[Message, ...], size: tuple[int, int]) -> None:
        em, line = self._atlas.pixels, self._atlas.line
        widest = size[0] - em * 5
        y = size[1] - em * 1.2
        for message in reversed(notices[-4:]):
            fade = min(1.0, (SHOWN_S - (t - message.t)) / FADE_S)
            lines = self._wrap(" ".join(message.text.split()), widest)
            width = max(self._atlas.width(part) for part in lines)
            height = len(lines) * line + em * 0.8
            y -= height
            left = round((size[0] - width) / 2)
            color = _LEVELS.get(message.level, _ACCENT)
            self._box(left - em * 1.2, y, width + em * 2.2, height, (*_PANEL[:3], 0.86 * fade), em * 0.5)
            self._box(left - em * 0.75, y + em * 0.45, em * 0.2, height - em * 0.9, (*color[:3], fade), em)
            for place, part in enumerate(lines):
                self._text(part, left, round(y + em * 0.4 + place * line), (*_TEXT[:3], fade))
            y -= em * 0.5

    def _wrap(self, text: str, widest: float) -> list[str]:
        """At most three lines of at most `widest` pixels."""
        lines = [""]
        for word in text.split(" "):
            longer = f"{lines[-1]} {word}".lstrip()
            if lines[-1] and len(lines) < 3 and self._atlas.width(longer) > widest:
                lines.append(word)
            else:
                lines[-1] = longer
        return [self._atlas.fit(part, widest) for part in lines]

    def _move_meters(self, state: HudState) -> None:
        data = self._data
        rows = data[self._bands : self._bands + BANDS]
        heights = np.clip(state.bands, 0.0, 1.0)
        np.nan_to_num(heights, copy=False)
        rows[:, 3] = 1.0 + np.round(heights * (self._tall - 1.0))
        rows[:, 1] = self._floor - rows[:, 3]
        full = data[self._level - 1, 2]
        data[self._level, 2] = full * min(max(state.level, 0.0), 1.0)
        data[self._change, 2] = full * min(max(state.progress, 0.0), 1.0) if state.incoming else 0.0
        data[self._beat, 11] = (0.25 + 0.75 * (1.0 - state.beat % 1.0) ** 2) if state.bpm > 0 else 0.25
        for place, (_, _, amount) in enumerate(state.routes[:MOST_ROUTES]):
            data[self._routes + place, 2] = data[self._routes - min(len(state.routes), MOST_ROUTES) + place, 2] * min(
                max(amount, 0.0), 1.0
            )

    def _box(self, x: float, y: float, width: float, height: float, color: _Color, radius: float = 0.0) -> int:
        """A rectangle; returns its row."""
        row = min(self._count, MOST_QUADS - 1)
        self._data[row] = (round(x), round(y), width, height, 0.0, 0.0, 0.0, 0.0, *color, radius)
        self._count = row + 1
        return row

    def _text(self, text: str, x: float, y: float, color: _Color) -> float:
        """A line of text with its top left at x, y; returns where it ends."""
        used = self._atlas.write(self._data[self._count :], text, round(x), round(y), color)
        self._count += used
        return x + self._atlas.width(text)
