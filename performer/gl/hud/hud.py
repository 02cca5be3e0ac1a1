"""What the show hears and does, written over the picture: panel, help and short notices, in one draw call."""

from __future__ import annotations

from dataclasses import dataclass, field

import moderngl
import numpy as np

from performer.gl.hud.glyphs import FRAGMENT, LAYOUT, NAMES, QUAD, VERTEX, Atlas
from performer.types.actions import ACTIONS
from performer.types.features import BANDS
from performer.types.notification import Notification
from performer.types.routes import PHRASE_BARS

FADE_S = 0.5
LAYOUT_S = 0.1  # text is set anew at most this often; meters move every frame
MOST_QUADS = 4096
MOST_ROUTES = 8
MOST_COLUMNS = 3
MOST_LINES = 3  # of one value, or of one notice
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


@dataclass(frozen=True, slots=True, kw_only=True)
class HudState:
    """What the HUD shows at time t (seconds, the show's clock).

    Attributes
    ----------
    page : int
        Page of the panel: 0 none, 1 for whoever plays, 2 the engineering figures.
    help : bool
        The keys, in the panel's place; notices show anyway while they are new.
    missed : int
        Pictures that came too late, so far.
    beat, bar : float
        Monotone numbers of beats and bars.
    level, bands
        0..1; bands (64,).
    preset, incoming : str
        Titles.
    progress : float
        0..1 of the change.
    next : str
        The preset that comes next, and when.
    held, by_hand
        Kept places that hold the walk; parameters that were set by hand.
    mode : str
        What changes wait for, autopilot, decks.
    model_rate_hz : float
        Images per second made.
    sound_age_ms : float
        Sound age ms of the newest sound in the picture; NaN for none.
    recording : str
        "" when none.
    delays : tuple[tuple[str, str], ...]
        (label, text) of the way from sound to picture.
    routes : tuple[tuple[str, str, float], ...]
        (source, target, 0..1).
    """

    t: float = 0.0
    page: int = 1
    help: bool = False
    fps: float = 0.0
    p99_ms: float = 0.0
    missed: int = 0
    bpm: float = 0.0
    confidence: float = 0.0
    sync: str = "none"
    beat: float = 0.0
    bar: float = 0.0
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
    next: str = ""
    held: str = ""
    by_hand: tuple[str, ...] = ()
    mode: str = ""
    delays: tuple[tuple[str, str], ...] = ()
    frozen: bool = False
    dark: bool = False
    messages: tuple[Notification, ...] = ()
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
        # Their first quads; of bands 0: not shown.
        self._bands = self._routes = self._level = self._beat = self._change = self._phrase = 0
        self._bar_width = 0.0
        self._floor = self._tall = 0.0
        hue = np.linspace(0.0, 1.0, BANDS, dtype=np.float32)[:, None]
        self._band_colors = (1 - hue) * np.array(_WARM, np.float32) + hue * np.array(_ACCENT, np.float32)

    def draw(self, state: HudState, target: moderngl.Framebuffer, size: tuple[int, int]) -> None:
        """Draw over what is in `target`, whose size in pixels is (width, height)."""
        notices = tuple(message for message in state.messages if state.t - message.t < message.timeout_s)
        still = state.frozen, state.dark
        shape = (size, state.page, state.help, len(state.routes), bool(state.incoming), still, notices)
        if state.t - self._set_t >= LAYOUT_S or state.t < self._set_t or shape != self._set_for:
            self._set_t = state.t
            self._set_for = shape
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

    def _lay_out(self, state: HudState, notices: tuple[Notification, ...], size: tuple[int, int]) -> None:
        """Set all quads anew; those of meters are placed here and moved by `_move_meters`."""
        self._atlas = self._atlas_for(size[1])
        self._count = 0
        self._bands = 0
        if state.help:
            self._lay_help(size)
        elif state.page:
            self._lay_panel(state, size)
        if notices:
            self._lay_notices(state.t, notices, size, 1.0 if state.help or state.page else 0.86)

    def _lay_panel(self, state: HudState, size: tuple[int, int]) -> None:
        """Meters and what plays on top, rows of the page below; what finds no room there goes on in another column."""
        em = self._atlas.pixels
        column = _Columns(self, size)
        self._lay_meters(state, column)
        if state.page == 1:
            rows = [
                ("next", state.next, _TEXT),
                ("held", state.held, _WARM),
                ("by hand", ", ".join(state.by_hand), _WARM),
                ("mode", state.mode, _ACCENT),
                ("sound", state.sound_note, _TEXT),
                ("midi", state.midi_note, _TEXT),
                ("record", state.recording, _RED),
            ]
        else:
            age = "" if state.sound_age_ms != state.sound_age_ms else f"{state.sound_age_ms:.0f} ms  "
            rows = [
                ("picture", f"{state.fps:.0f} fps   p99 {state.p99_ms:.1f} ms   missed {state.missed}", _TEXT),
                ("model", f"{state.model_rate_hz:.0f} Hz  {state.provider}", _TEXT),
                ("sound", f"{age}{state.sound_note}", _TEXT),
                *((label, text, _TEXT) for label, text in state.delays),
                ("midi", state.midi_note, _TEXT),
                ("governor", state.governor_note, _WARM),
                ("record", state.recording, _RED),
            ]
        indent = round(em * 5.2)
        for label, value, color in rows:
            parts = self._wrap(value, column.inner - indent) if value else []
            for number, part in enumerate(parts):
                y = column.take(self._atlas.line, keep=len(parts) - number)
                if y is None:
                    break
                if number == 0:
                    self._text(label, column.x, y, _DIM)
                self._text(part, column.x + indent, y, color)
        if state.page == 2 and state.routes:
            self._lay_routes(state.routes[:MOST_ROUTES], column)
        elif state.page == 1 and (y := column.take(self._atlas.line)) is not None:
            self._text("h  statistics    ?  keys", column.x, y, _DIM)
        column.close()

    def _lay_meters(self, state: HudState, column: _Columns) -> None:
        em = self._atlas.pixels
        line = self._atlas.line
        x = column.x
        inner = column.inner
        bar = max(3, round(em * 0.25))
        dot = round(em * 0.8)
        y = column.skip(line + em * 0.2)
        self._beat = self._box(x, y + (line - dot) // 2, dot, dot, _ACCENT, dot)
        at = x + dot + em * 0.5
        at = self._text(f"{state.bpm:.1f} bpm" if state.bpm > 0 else "no beat yet", at, y, _TEXT)
        if state.bpm > 0:
            self._text(f"{state.confidence * 100:.0f} %  {state.sync}", at + em * 0.8, y, _DIM)
            place = f"bar {int(state.bar % PHRASE_BARS) + 1} of {PHRASE_BARS}"
            self._text(place, x + inner - self._atlas.width(place), y, _TEXT)

        y = column.skip(bar + em * 0.5)
        self._bar_width = inner / PHRASE_BARS
        for number in range(PHRASE_BARS):
            self._box(x + number * self._bar_width, y, round(self._bar_width) - 2, bar, _TROUGH, bar)
        self._phrase = self._count
        for number in range(PHRASE_BARS):
            self._box(x + number * self._bar_width, y, 0, bar, _WARM, bar)

        self._tall = round(em * 2.4)
        self._floor = column.skip(self._tall + em * 0.35) + self._tall
        self._bands = self._count
        step = inner // BANDS
        for band in range(BANDS):
            self._box(x + band * step, self._floor - 1, step - 1, 1, tuple(self._band_colors[band]))
        y = column.skip(bar + em * 0.5)
        self._box(x, y, inner - 1, bar, _TROUGH, bar)
        self._level = self._box(x, y, inner - 1, bar, _ACCENT, bar)

        stopped = " ".join(word for word, on in (("BLACKOUT", state.dark), ("FROZEN", state.frozen)) if on)
        if stopped:
            self._text(stopped, x, column.skip(line), _WARM)
        if state.incoming:
            arrow = f"› {state.incoming}"
            between = em * 0.5
            beside = self._atlas.width(state.preset) + between + self._atlas.width(arrow) <= inner
            y = column.skip(line)
            end = self._text(self._atlas.fit(state.preset, inner), x, y, _DIM)
            if beside:
                self._text(arrow, end + between, y, _TEXT)
            else:
                self._text(self._atlas.fit(arrow, inner), x, column.skip(line), _TEXT)
            y = column.skip(bar + em * 0.3)
            self._box(x, y, inner - 1, bar, _TROUGH, bar)
            self._change = self._box(x, y, 0, bar, _TEXT, bar)
        else:
            for part in self._wrap(state.preset, inner):
                self._text(part, x, column.skip(line), _TEXT)
            column.skip(em * 0.2)

    def _lay_routes(self, shown: tuple[tuple[str, str, float], ...], column: _Columns) -> None:
        em = self._atlas.pixels
        line = self._atlas.line
        inner = column.inner
        bar = max(3, round(em * 0.25))
        meter = round(inner * 0.15)
        split = round(min(max(self._atlas.width(source) for source, _, _ in shown) + em * 0.6, inner * 0.45))
        room = inner - split - meter - em * 0.6
        column.gap(em * 0.5)
        troughs = self._count
        for _ in shown:
            self._box(0, 0, 0, bar, _TROUGH, bar)
        self._routes = self._count
        for _ in shown:
            self._box(0, 0, 0, bar, _ACCENT, bar)
        pairs = [(self._wrap(source, split - em * 0.4), self._wrap(goal, room)) for source, goal, _ in shown]
        whole = sum(max(map(len, pair)) for pair in pairs)  # a list that is torn apart is hard to read
        for place, (sources, goals) in enumerate(pairs):
            for number in range(max(len(sources), len(goals))):
                first = place == 0 and number == 0
                y = column.take(line, keep=whole if first else max(len(sources), len(goals)) - number)
                if y is None:
                    return
                if number == 0:
                    x = round(column.x + inner - 1 - meter)
                    for row in (troughs + place, self._routes + place):
                        self._data[row, 0:2] = x, round(y + (line - bar) // 2)
                    self._data[troughs + place, 2] = meter
                if number < len(sources):
                    self._text(sources[number], column.x, y, _DIM)
                if number < len(goals):
                    self._text(goals[number], column.x + split, y, _TEXT)

    def _lay_help(self, size: tuple[int, int]) -> None:
        em = self._atlas.pixels
        line = self._atlas.line
        entries = [entry for entry in ACTIONS if entry.label]
        rows = -(-len(entries) // 2)
        keys = max(self._atlas.width(entry.label) for entry in entries) + em
        column = keys + max(self._atlas.width(entry.help) for entry in entries) + em * 2
        width = column * 2 + em
        height = (rows + 1.6) * line + em * 1.6
        left = round((size[0] - width) / 2)
        below = em * 6.0  # two notices have room under it
        top = round(max(em * 1.1, min((size[1] - height) / 2, size[1] - height - below)))
        self._box(left, top, width, height, (*_PANEL[:3], 1.0), em * 0.6)
        self._text("keys", left + em * 1.4, top + em * 0.9, _DIM)
        for place, entry in enumerate(entries):
            x = round(left + em * 1.4 + place // rows * column)
            y = round(top + em * 0.9 + (place % rows + 1.4) * line)
            self._text(entry.label, x, y, _ACCENT)
            self._text(entry.help, x + keys, y, _TEXT)

    def _lay_notices(self, t: float, notices: tuple[Notification, ...], size: tuple[int, int], solid: float) -> None:
        """The newest notices at the bottom; `solid` 0..1, how little shines through them."""
        em = self._atlas.pixels
        line = self._atlas.line
        widest = size[0] - em * 5
        y = size[1] - em * 1.2
        for message in reversed(notices[-4:]):
            fade = min(1.0, (message.timeout_s - (t - message.t)) / FADE_S)
            lines = self._wrap(
                " ".join(message.text.split()) + (f"  (x{message.times})" if message.times > 1 else ""), widest
            )
            width = max(self._atlas.width(part) for part in lines)
            height = len(lines) * line + em * 0.8
            y -= height
            left = round((size[0] - width) / 2)
            color = _LEVELS.get(message.severity, _ACCENT)
            self._box(left - em * 1.2, y, width + em * 2.2, height, (*_PANEL[:3], solid * fade), em * 0.5)
            self._box(left - em * 0.75, y + em * 0.45, em * 0.2, height - em * 0.9, (*color[:3], fade), em)
            for place, part in enumerate(lines):
                self._text(part, left, round(y + em * 0.4 + place * line), (*_TEXT[:3], fade))
            y -= em * 0.5

    def _wrap(self, text: str, widest: float) -> list[str]:
        """At most MOST_LINES lines of at most `widest` pixels; a longer word is broken, a longer text ends in "…"."""
        lines = [""]
        words = text.split(" ")
        while words and len(lines) <= MOST_LINES:
            word = words.pop(0)
            longer = f"{lines[-1]} {word}".lstrip()
            if self._atlas.width(longer) <= widest:
                lines[-1] = longer
                continue
            if lines[-1]:
                lines.append("")
                words.insert(0, word)
                continue
            head = max(1, self._atlas.letters(word, widest))
            mark = max(word.rfind(mark, 0, head) for mark in "._/-,")
            head = mark + 1 if mark >= head // 2 else head
            lines[-1] = word[:head]
            if word[head:]:
                lines.append("")
                words.insert(0, word[head:])
        rest = " ".join([*lines[MOST_LINES:], *words]).strip()
        shown = lines[:MOST_LINES]
        if rest:
            shown[-1] = f"{shown[-1]} {rest}"
        return [self._atlas.fit(part, widest) for part in shown if part]

    def _move_meters(self, state: HudState) -> None:
        data = self._data
        rows = data[self._bands : self._bands + BANDS]
        heights = np.clip(state.bands, 0.0, 1.0)
        np.nan_to_num(heights, copy=False)
        rows[:, 3] = 1.0 + np.round(heights * (self._tall - 1.0))
        rows[:, 1] = self._floor - rows[:, 3]
        full = data[self._level - 1, 2]
        data[self._level, 2] = full * min(max(state.level, 0.0), 1.0)
        if state.incoming:
            data[self._change, 2] = full * min(max(state.progress, 0.0), 1.0)
        if state.bpm > 0:
            filled = np.clip(state.bar % PHRASE_BARS - np.arange(PHRASE_BARS), 0.0, 1.0)
            data[self._phrase : self._phrase + PHRASE_BARS, 2] = filled * (round(self._bar_width) - 2)
        data[self._beat, 11] = (0.25 + 0.75 * (1.0 - state.beat % 1.0) ** 2) if state.bpm > 0 else 0.25
        for place, (_, _, amount) in enumerate(state.routes[:MOST_ROUTES] if state.page == 2 else ()):
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


class _Columns:
    """Where the panel's next line goes: down a column, and on in another beside it where the picture ends.

    x      left end of lines, pixels; inner  their greatest width, pixels
    """

    def __init__(self, hud: Hud, size: tuple[int, int]) -> None:
        em = hud._atlas.pixels
        self.inner = BANDS * max(3, round(em * 0.36))
        self._hud = hud
        self._pad = em
        self._width = self.inner + 2 * em
        self._left = self._top = round(em * 1.1)
        self._right = size[0]
        self._bottom = size[1] - self._top
        self._boxes = [hud._box(0, 0, 0, 0, _PANEL, em * 0.5) for _ in range(MOST_COLUMNS)]  # text goes on top of them
        self._number = 0
        self.x = self._left + self._pad
        self._y = self._top + self._pad * 0.7

    def skip(self, height: float) -> int:
        """The place of something that must not leave this column; returns its top."""
        y = self._y
        self._y += height
        return round(y)

    def gap(self, height: float) -> None:
        """Leave some room, unless a column has just begun."""
        self._y += height

    def take(self, height: float, keep: int = 1) -> int | None:
        """The top of a line that stays together with the `keep` - 1 after it; None where the picture is full."""
        if self._y + height * keep > self._bottom - self._pad * 0.5:
            beside = self._left + self._width + round(self._pad * 0.5)
            if self._number + 1 >= MOST_COLUMNS or beside + self._width > self._right:
                if self._y + height > self._bottom:
                    return None
            else:
                self.close()
                self._number += 1
                self._left = beside
                self.x = self._left + self._pad
                self._y = self._top + self._pad * 0.7
        return self.skip(height)

    def close(self) -> None:
        """Draw the column's ground."""
        height = min(self._y + self._pad * 0.6, self._bottom) - self._top
        self._hud._data[self._boxes[self._number], 0:4] = self._left, self._top, self._width, height
