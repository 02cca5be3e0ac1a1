"""Songs that keep their beat to themselves: what trackers that wait for drums get wrong.

Intros and breaks without drums, over riffs that lean on the off-beats; loops of one to four bars that repeat exactly,
some cut out of a drummer's playing; hand drums with many strokes to the beat; tunes that begin with an upbeat. Written
with `songs.Writer`; truth is as exact.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from performer.lab.train.compose_songs import CRASH, HAT, KICK, Note, Song, Writer, in_seconds, tempo_map
from performer.lab.train.musical_styles import LEANING, STYLES

#: Groups of eighths or sixteenths that songs are pushed forward by.
GROUPS = ((3, 3, 2), (3, 3, 3, 3, 4), (3, 3, 4, 3, 3), (2, 3, 3), (3, 2, 3), (3, 3, 3, 3, 2, 2), (3, 5), (6, 6, 4))
#: Strokes of hand drums from the deepest to the brightest: congas, bongos, toms, timbales, claves and blocks.
HANDS = ((64, 63, 62), (61, 60, 62), (41, 45, 48), (64, 61, 60), (43, 66, 65), (45, 76, 75), (64, 62, 77))
GUITARS = (25, 26, 27, 28, 29, 30, 31, 84)
KEYS = (0, 4, 5, 7, 16, 18, 38, 39, 80, 81, 87)


class _Arranger(Writer):
    """Parts beyond `Writer`'s."""

    def rhythm(self) -> np.ndarray:
        """(steps of a bar,) 0..1: how hard each is struck; 0 for not at all."""
        rng = self.rng
        style = self.style
        steps = style.beats * style.steps
        half = max(1, style.steps // 2)
        struck = np.zeros(steps)
        kind = str(rng.choice(("groups", "accents", "off", "pushed", "loose", "loose", "gallop", "straight")))
        if kind in ("groups", "accents"):
            if kind == "accents":
                struck[::half] = 0.5
            unit = int(rng.choice((1, half)))
            at = 0
            number = 0
            groups = GROUPS[int(rng.integers(len(GROUPS)))]
            while at < steps:
                struck[at] = 0.9
                at += unit * groups[number % len(groups)]
                number += 1
        elif kind == "off":
            struck[half :: style.steps] = 0.8
            struck[:: style.steps] = 0.7 * (rng.random(style.beats) < 0.25)
        elif kind == "pushed":  # beats that come an eighth early
            struck[:: style.steps] = 0.8
            for beat in range(1, style.beats):
                if rng.random() < 0.55:
                    struck[beat * style.steps] = 0.0
                    struck[beat * style.steps - half] = 0.85
        elif kind == "gallop":
            struck[:: style.steps] = 0.9
            struck[half :: style.steps] = 0.6
            struck[style.steps - 1 :: style.steps] = 0.6
        elif kind == "straight":
            struck[:: int(rng.choice((half, style.steps)))] = 0.7
        else:
            chance = np.full(steps, 0.12)
            chance[::half] = rng.uniform(0.3, 0.7)
            struck[rng.random(steps) < chance] = 0.8
        if kind != "off":
            struck[0] = 0.9 * (rng.random() < 0.8)
        if not struck.any():
            struck[half] = 0.8
        return struck

    def figure(self) -> list[tuple[np.ndarray, np.ndarray]]:
        """One, two or four bars of (how hard, scale degrees above the chord's root), to be repeated as they are."""
        rng = self.rng
        steps = self.style.beats * self.style.steps
        first = self.rhythm()
        made = []
        for bar in range(int(rng.choice((1, 1, 2, 2, 4)))):
            struck = first if bar == 0 or rng.random() < 0.6 else self.rhythm()
            degrees = rng.choice((0, 0, 0, 0, 2, 3, 4, 6, 7), steps)
            if rng.random() < 0.5:
                degrees[0] = 0
            made.append((struck, degrees))
        return made

    def riff(
        self,
        first: int,
        bars: int,
        part: str,
        figure: Sequence[tuple[np.ndarray, np.ndarray]],
        octave: int,
        stacked: Sequence[int],
        follows: bool,
    ) -> None:
        """A figure over and over. stacked  degrees that sound together; follows  whether it moves with the chords."""
        style = self.style
        rng = self.rng
        step = 1.0 / style.steps
        short = rng.random() < 0.5
        for bar in range(first, first + bars):
            struck, degrees = figure[bar % len(figure)]
            places = np.flatnonzero(struck)
            for place, after in zip(places, [*places[1:], len(struck)], strict=True):
                beat = bar * style.beats + place * step
                length = step * (0.8 if short else 0.95 * (after - place))
                ahead = beat + 0.5 if self.pushed else beat
                root = self.chord(ahead) if follows else 0
                for voice in stacked:
                    loud = float(struck[place]) * 0.8 + rng.normal(0.0, 0.04)
                    self.add(part, beat, length, self.pitch(root + int(degrees[place]) + voice, octave), loud)

    def hands(self, first: int, bars: int, pattern: np.ndarray, drums: Sequence[int]) -> None:
        """Hand drums. pattern  (steps,) -1 for none, else which drum."""
        for bar in range(first, first + bars):
            for place in np.flatnonzero(pattern >= 0):
                if self.rng.random() < 0.96:
                    beat = bar * self.style.beats + place / self.style.steps
                    loud = (0.85, 0.65, 0.5)[int(pattern[place])] + self.rng.normal(0.0, 0.08)
                    self.add("drums", beat, 0.2, drums[int(pattern[place])], loud)

    def hand_pattern(self) -> np.ndarray:
        """Deep strokes on few strong places, brighter ones between, up to all the steps of a beat."""
        rng = self.rng
        style = self.style
        steps = style.beats * style.steps
        density = np.full(steps, rng.uniform(0.25, 0.9))
        density[:: style.steps] = 0.9
        pattern = np.where(rng.random(steps) < density, rng.integers(1, 3, steps), -1)
        deep = rng.random(steps) < 0.12
        deep[:: style.steps] |= rng.random(style.beats) < 0.35
        deep[0] = rng.random() < 0.85
        pattern[deep] = 0
        return pattern

    def count_in(self, first: int) -> None:
        """A bar of sticks or hats before the drums."""
        pitch = int(self.rng.choice((37, HAT, 44, 75)))
        for beat in range(self.style.beats):
            self.add("drums", first * self.style.beats + beat, 0.1, pitch, 0.7)


def arrange(seed: int, seconds: float = 40.0) -> Song:
    """A song with an intro, breaks and riffs, or hand drums; the same for the same seed."""
    rng = np.random.default_rng(seed)
    drawn = LEANING if rng.random() < 0.35 else STYLES
    weights = np.array([s.weight for s in drawn])
    style = drawn[int(rng.choice(len(drawn), p=weights / weights.sum()))]
    by_hand = rng.random() < 0.18
    if by_hand:
        style = replace(
            style,
            name="hands",
            steps=4,
            tempo=(62.0, 150.0),
            electronic=0.0,
            swing=0.25,
            beats=int(rng.choice((3, 4, 4, 4))),
        )
    writer = _Arranger(rng, style)
    writer.pushed = rng.random() < 0.25
    bars = max(8, round(seconds * float(np.mean(style.tempo)) / 60.0 / style.beats))
    upbeat = rng.random() < 0.1  # the first bar holds nothing but an upbeat
    first = int(upbeat)
    if upbeat:
        for place in range(int(rng.integers(1, 4))):
            writer.add("tune", style.beats - (place + 1) * 0.5, 0.45, writer.pitch(4 - place, 5), 0.7)
    if by_hand:
        _by_hand(writer, first, bars - first)
    else:
        _sections(writer, first, bars - first)
    times = tempo_map(rng, style, (bars + 2) * style.beats)
    begin = rng.random()
    if upbeat:
        start = float(rng.uniform(0.0, 0.5)) - float(times[style.beats - 2])
    elif begin < 0.5:
        start = float(rng.uniform(0.0, 0.05))
    elif begin < 0.75:
        start = float(rng.uniform(0.0, 1.5))
    else:
        start = -float(rng.uniform(0.0, 8.0))
    song = in_seconds(rng, style, writer, times, start, bars)
    guitar = rng.random() < 0.5
    for part in ("chords", "second"):
        if rng.random() < 0.6:
            song.programs[part] = int(rng.choice(GUITARS if guitar else KEYS))
    return song


def _by_hand(writer: _Arranger, first: int, bars: int) -> None:
    rng = writer.rng
    drums = HANDS[int(rng.integers(len(HANDS)))]
    patterns = [writer.hand_pattern() for _ in range(int(rng.choice((1, 2, 2, 4))))]
    more = rng.random(3) < (0.35, 0.3, 0.3)
    for bar in range(first, first + bars):
        writer.hands(bar, 1, patterns[bar % len(patterns)], drums)
    if more[0]:
        writer.bass(first, bars, "any")
    if more[1]:
        writer.riff(first, bars, "chords", writer.figure(), 5, (0, 2), True)
    if more[2]:
        writer.tune(first, bars)


def _sections(writer: _Arranger, first: int, bars: int) -> None:
    """An intro without drums, mostly; then drums, all at once or one by one; breaks; the riffs go on throughout."""
    rng = writer.rng
    style = writer.style
    wildness = rng.uniform(0.0, 1.0)
    main, other = writer.figure(), writer.figure()
    octave, stacked = int(rng.choice((3, 4, 4, 5))), ((0,), (0, 4), (0, 2, 4))[int(rng.integers(3))]
    follows = rng.random() < 0.7
    low = str(rng.choice((style.bass, "any", "eighth", "off", "riff")))
    comping = str(rng.choice((style.chords, "any", "skank", "hold", "stab")))
    bring = {"riff": 0.75, "bass": 0.55, "chords": 0.45, "second": 0.2, "tune": 0.3}
    at = first
    kit: list[str] = []
    while at < first + bars:
        intro = at == first
        length = min(int(rng.choice((2, 4, 4, 8) if intro else (4, 4, 8, 8, 16))), first + bars - at)
        kit = _next_kit(rng, kit, intro)
        playing = {part for part, chance in bring.items() if rng.random() < (chance if intro else 0.8 * chance)}
        if not kit and not playing & {"riff", "chords", "bass"}:
            playing.add("riff")
        _section_drums(writer, at, length, kit, wildness)
        if "riff" in playing:
            writer.riff(at, length, "chords", main, octave, stacked, follows)
        if "bass" in playing and low == "riff":
            writer.riff(at, length, "bass", main, 3, (0,), follows)
        elif "bass" in playing:
            writer.bass(at, length, low)
        if "chords" in playing:
            writer.harmony(at, length, comping, "second")
        if "second" in playing:
            writer.riff(at, length, "second", other, 5, (0,), True)
        if "tune" in playing:
            writer.tune(at, length)
        at += length


def _next_kit(rng: np.random.Generator, kit: list[str], intro: bool) -> list[str]:
    """What the drummer plays in the section after one with `kit`: nothing, one part, or all."""
    if intro:
        return [] if rng.random() < 0.75 else ["hat"]
    if rng.random() < 0.2 and kit:
        return []
    if len(kit) == 1 or rng.random() < 0.7:
        return ["kick", "snare", "hat"]
    return [str(rng.choice(("kick", "hat")))]


def _section_drums(writer: _Arranger, at: int, length: int, kit: list[str], wildness: float) -> None:
    """The drums of a section of `length` bars from bar `at` on; without a kit, now and then a count-in at its end."""
    rng = writer.rng
    if kit:
        writer.drums(at, length, kit, wildness)
        if rng.random() < 0.5:
            writer.add("drums", at * writer.style.beats, 2.0, CRASH, 0.75)
    elif length > 1 and rng.random() < 0.15:
        writer.count_in(at + length - 1)


def loop(seed: int, drums: Sequence[tuple[float, int, int]], bpm: float, beats: int, seconds: float = 25.0) -> Song:
    """One to four bars over and over, exactly: of a drummer's playing, or of a style's drums where `drums` is empty.

    drums  (seconds, pitch, velocity) of each stroke, counted from the first downbeat; bpm  of its click;
    beats  per bar
    """
    rng = np.random.default_rng(seed)
    written = [s for s in STYLES + LEANING if s.beats == 4]
    style = written[int(rng.integers(len(written)))]
    size = int(rng.choice((1, 1, 2, 4)))
    if drums:
        style = replace(style, name="loop", beats=beats, steps=4)
        bar = beats * 60.0 / bpm
        first = int(rng.integers(0, max(1, int(drums[-1][0] / bar) - size)))
        inside = [(at / bar - first, p, v) for at, p, v in drums if -0.02 <= at / bar - first < size - 0.02]
        tempo = bpm * float(rng.uniform(0.85, 1.2))
    else:
        writer = _Arranger(rng, style)
        writer.drums(0, size, ("kick", "snare", "hat"), rng.uniform(0.3, 1.0))
        if rng.random() < 0.3:
            writer.hands(0, size, writer.hand_pattern(), HANDS[int(rng.integers(len(HANDS)))])
        inside = [
            (at / style.beats, pitch, int(np.clip(loud * 127, 8, 127)))
            for _, at, _, pitch, loud in writer.notes
            if pitch != CRASH
        ]
        tempo = float(rng.uniform(*style.tempo))
    if not inside:
        inside = [(0.0, KICK, 100)]
    tempo = min(max(tempo, 55.0), 215.0)
    bar = style.beats * 60.0 / tempo
    times_over = max(2, round(seconds / bar / size))
    bars = size * times_over
    melodic = _Arranger(rng, style)
    if rng.random() < 0.35:
        figure = melodic.figure()
        melodic.riff(0, bars, "bass", figure[:1] if size == 1 else figure, 3, (0,), False)
    if rng.random() < 0.25:
        melodic.riff(0, bars, "chords", melodic.figure(), 5, (0, 2, 4), size > 1)
    times = np.arange((bars + 2) * style.beats + 1) * 60.0 / tempo
    start = 0.0 if rng.random() < 0.6 else -float(rng.uniform(0.0, size * bar))
    song = in_seconds(rng, style, melodic, times, start, bars)
    for turn in range(times_over):
        for at, pitch, velocity in inside:
            begin = (turn * size + at) * bar + start
            if begin >= 0.0:
                song.notes.append(Note("drums", begin, 0.2, pitch, velocity))
    song.notes.sort(key=lambda note: note.at)
    return song
