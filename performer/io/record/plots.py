"""Pictures of what was heard, drawn with Pillow: one song from start to end, and how far confidence may be believed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from performer.audio.analyzer import Analyzer
from performer.system.errors import Fault
from performer.types.features import BANDS, HEAD

GROUND = (14, 15, 20)
PANEL = (22, 24, 32)
GRID = (44, 48, 60)
TEXT = (196, 202, 214)
WAVE = (104, 140, 190)
BEAT = (255, 196, 84)
DOWNBEAT = (255, 112, 92)
TRUE = (98, 214, 150)
HEARD = (122, 200, 255)
LEFT = 86
RIGHT = 24
TOP = 40
GAP = 22
PIXELS_PER_S = 40


class Trace:
    """Collects what `song` draws while a song is analysed: pass `take` as `each` to `report.analyse`."""

    def __init__(self) -> None:
        self.t: list[float] = []
        self.wave: list[tuple[float, float]] = []
        self.bands: list[np.ndarray] = []
        self.activation: list[float] = []
        self.bpm: list[float] = []
        self.confidence: list[float] = []

    def take(self, analyzer: Analyzer, samples: np.ndarray, row: np.ndarray) -> None:
        """One hop."""
        self.t.append(float(row[0]))
        self.wave.append((float(samples.min()), float(samples.max())))
        self.bands.append((row[-BANDS:] * 255.0).astype(np.uint8))
        self.activation.append(analyzer.activation)
        self.bpm.append(float(row[HEAD.index("bpm")]))
        self.confidence.append(float(row[HEAD.index("confidence")]))


def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)


def _save(picture: Image.Image, path: str) -> None:
    try:
        picture.save(Path(path))
    except (OSError, ValueError) as error:
        raise Fault(f"{path}: cannot write the picture: {error}") from None


def _heat(values: np.ndarray) -> np.ndarray:
    """0..255 (h, w) -> RGB: black over violet and orange to pale yellow."""
    stops = np.array([(14, 15, 20), (66, 30, 110), (180, 54, 96), (250, 150, 70), (252, 244, 190)], float)
    at = values.astype(float) / 255.0 * (len(stops) - 1)
    low = np.minimum(at.astype(int), len(stops) - 2)
    share = (at - low)[..., None]
    colours: np.ndarray = (stops[low] * (1.0 - share) + stops[low + 1] * share).astype(np.uint8)
    return colours


class _Panels:
    """A stack of panels with one axis of time."""

    def __init__(self, seconds: float, heights: Sequence[int], title: str) -> None:
        self.scale = min(PIXELS_PER_S, 6000.0 / max(seconds, 1.0))
        self.width = max(480, int(seconds * self.scale))
        self.tops = [TOP + sum(heights[:i]) + i * GAP for i in range(len(heights))]
        self.heights = heights
        total = self.tops[-1] + heights[-1] + 40
        self.picture = Image.new("RGB", (LEFT + self.width + RIGHT, total), GROUND)
        self.draw = ImageDraw.Draw(self.picture)
        self.draw.text((LEFT, 10), title, TEXT, _font(17))
        for top, height in zip(self.tops, heights, strict=True):
            self.draw.rectangle((LEFT, top, LEFT + self.width - 1, top + height - 1), PANEL)
        every = next(step for step in (1, 2, 5, 10, 30, 60, 300, 1800) if step * self.scale >= 60)
        for second in range(0, int(seconds) + 1, every):
            x = self.x(second)
            for top, height in zip(self.tops, heights, strict=True):
                self.draw.line((x, top, x, top + height - 1), GRID)
            self.draw.text((x, total - 30), f"{second // 60}:{second % 60:02d}", TEXT, _font(12), anchor="ma")

    def x(self, t: float) -> float:
        return LEFT + t * self.scale

    def label(self, panel: int, text: str) -> None:
        y = self.tops[panel] + self.heights[panel] // 2
        self.draw.text((LEFT - 10, y), text, TEXT, _font(13), anchor="rm", align="right")

    def curve(self, panel: int, t: Sequence[float], values: np.ndarray, colour: tuple[int, int, int]) -> None:
        """Values 0..1, the highest in each column of pixels."""
        top = self.tops[panel]
        height = self.heights[panel]
        column = np.minimum((np.asarray(t) * self.scale).astype(int), self.width - 1)
        highest = np.full(self.width, -1.0)
        np.maximum.at(highest, column, np.clip(values, 0.0, 1.0))
        points = [(LEFT + c, top + height - 2 - v * (height - 4)) for c, v in enumerate(highest) if v >= 0.0]
        if len(points) > 1:
            self.draw.line(points, colour, 2)

    def ticks(
        self, panel: int, times: Sequence[float], colour: tuple[int, int, int], first: float, last: float
    ) -> None:
        """Upright lines from `first` to `last`, shares of the panel's height from its top."""
        top = self.tops[panel]
        height = self.heights[panel]
        for t in times:
            self.draw.line((self.x(t), top + first * height, self.x(t), top + last * height - 1), colour, 2)


def song(
    made: dict[str, Any], trace: Trace, truth: Mapping[str, Sequence[float]] | None, title: str, path: str
) -> None:
    """Waveform, bands, activation, beats (against truth, if known), tempo and confidence over time, as a PNG.

    Parameters
    ----------
    made : dict[str, Any]
        What `analyse_file.analyse` returned.
    truth : Mapping[str, Sequence[float]] | None
        "beats" and "downbeats" in seconds.

    Raises
    ------
    Fault
        What is wrong, where, and the likely mend, in one line.
    """
    panels = _Panels(made["audio_s"], (90, 192, 90, 74, 100, 80), title)
    top = panels.tops[0]
    height = panels.heights[0]
    middle = top + height / 2
    peak = max((max(-low, high) for low, high in trace.wave), default=0.0) or 1.0
    for t, (low, high) in zip(trace.t, trace.wave, strict=True):
        x = panels.x(t)
        panels.draw.line((x, middle - high / peak * height * 0.48, x, middle - low / peak * height * 0.48), WAVE)
    panels.label(0, "sound")
    if trace.bands:
        columns = np.minimum((np.array(trace.t) * panels.scale).astype(int), panels.width - 1)
        heat = np.zeros((panels.width, BANDS), np.uint8)
        np.maximum.at(heat, columns, np.array(trace.bands))
        bands = Image.fromarray(_heat(heat.T[::-1])).resize((panels.width, panels.heights[1]), Image.Resampling.NEAREST)
        panels.picture.paste(bands, (LEFT, panels.tops[1]))
    panels.label(1, "27 Hz to\n16 kHz")
    activation = 1.0 / (1.0 + np.exp(-2.0 * np.array(trace.activation)))
    panels.curve(2, trace.t, activation, HEARD)
    panels.label(2, "beat\nactivation")
    panels.ticks(3, [b["t"] for b in made["beats"]], BEAT, 0.0, 0.5)
    panels.ticks(3, [b["t"] for b in made["downbeats"]], DOWNBEAT, 0.0, 0.5)
    if truth:
        panels.ticks(3, truth.get("beats", ()), TRUE, 0.5, 1.0)
        panels.ticks(3, truth.get("downbeats", ()), DOWNBEAT, 0.5, 1.0)
    panels.label(3, "beats" + ("\ntruth" if truth else ""))
    panels.curve(4, trace.t, (np.array(trace.bpm) - 40.0) / 180.0, BEAT)
    panels.label(4, "tempo\n40..220\nbpm")
    panels.curve(5, trace.t, np.array(trace.confidence), TRUE)
    panels.label(5, "confidence\n0..1")
    _save(panels.picture, path)


def confidence(calibration: dict[str, Any], path: str) -> None:
    """Reliability diagram: of the beats announced with this confidence, how many were right. Raises Fault."""
    side = 420
    left = 70
    top = 50
    picture = Image.new("RGB", (left + side + 40, top + side + 70), GROUND)
    draw = ImageDraw.Draw(picture)
    draw.rectangle((left, top, left + side, top + side), PANEL)
    draw.text((left, 14), f"confidence of beats: calibration error {calibration['error']:.3f}", TEXT, _font(16))
    for tenth in range(0, 11, 2):
        at = side * tenth / 10
        draw.line((left + at, top, left + at, top + side), GRID)
        draw.line((left, top + at, left + side, top + at), GRID)
        draw.text((left + at, top + side + 8), f"{tenth / 10:.1f}", TEXT, _font(12), anchor="ma")
        draw.text((left - 8, top + side - at), f"{tenth / 10:.1f}", TEXT, _font(12), anchor="rm")
    draw.line((left, top + side, left + side, top), GRID, 3)
    total = sum(each["beats"] for each in calibration["bins"]) or 1
    points = []
    for each in calibration["bins"]:
        x, y = left + each["confidence"] * side, top + side - each["right"] * side
        size = 3 + 22 * (each["beats"] / total) ** 0.5
        draw.ellipse((x - size, y - size, x + size, y + size), None, BEAT, 2)
        points.append((x, y))
    if len(points) > 1:
        draw.line(points, BEAT, 2)
    draw.text((left + side / 2, top + side + 34), "confidence said", TEXT, _font(13), anchor="ma")
    draw.text((left + 10, top + 10), "beats right within 70 ms", TEXT, _font(13))
    _save(picture, path)
