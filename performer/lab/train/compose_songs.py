"""Songs made up by chance, with their exact beats: what the beat network is trained on.

A song is written in beats (styles of drumming, bass, chords, arpeggios and tunes over sections that come and go) and
then set in seconds by its tempo, its swing and its players' unsteadiness. All chance comes from one generator.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from performer.lab.train.musical_styles import BASSES, CHORDS, LEADS, PROGRESSIONS, SCALES, STYLES, Style

KICK = 36
SNARE = 38
CLAP = 39
HAT = 42
OPEN_HAT = 46
RIDE = 51
CRASH = 49
TOM = 45
RIM = 37
BLOCK = 76


@dataclass
class Note:
    """One note. at, length in seconds; pitch a MIDI number; velocity 1..127; part names who plays."""

    part: str
    at: float
    length: float
    pitch: int
    velocity: int


@dataclass
class Song:
    """Notes, the times of beats and of downbeats in seconds, and the General MIDI programs of the parts."""

    name: str
    notes: list[Note] = field(default_factory=list)
    beats: np.ndarray = field(default_factory=lambda: np.zeros(0))
    downbeats: np.ndarray = field(default_factory=lambda: np.zeros(0))
    programs: dict[str, int] = field(default_factory=dict)
    electronic: bool = False
    seconds: float = 0.0


class Writer:
    """Writes one song bar by bar, in beats: `notes` are (part, beat, length in beats, pitch, loudness 0..1)."""

    def __init__(self, rng: np.random.Generator, style: Style) -> None:
        self.rng = rng
        self.style = style
        self.notes: list[tuple[str, float, float, int, float]] = []  # part, beat, length in beats, pitch, loudness 0..1
        self.key = int(rng.integers(0, 12))
        self.scale = SCALES[int(rng.choice(4, p=(0.35, 0.45, 0.12, 0.08)))]
        self.progression = PROGRESSIONS[int(rng.integers(len(PROGRESSIONS)))]
        self.bars_per_chord = (
            float(rng.choice((0.5, 1.0, 1.0, 1.0, 2.0))) if style.beats != 2 else float(rng.choice((1.0, 2.0)))
        )
        self.pushed = rng.random() < 0.12  # chords come an eighth before their bar
        self.accent = rng.uniform(0.0, 0.25)

    def pitch(self, degree: int, octave: int) -> int:
        return 12 * octave + self.key + 12 * (degree // 7) + self.scale[degree % 7]

    def chord(self, beat: float) -> int:
        at = int((beat / self.style.beats + 1e-6) / self.bars_per_chord)
        return self.progression[at % len(self.progression)]

    def add(self, part: str, beat: float, length: float, pitch: int, loud: float) -> None:
        metric = beat % self.style.beats
        if abs(metric - round(metric)) < 1e-3:
            loud += self.accent * (1.0 if round(metric) % self.style.beats == 0 else 0.4)
        self.notes.append((part, beat, length, pitch, loud))

    def pattern(self, digits: str, wildness: float) -> np.ndarray:
        """(steps,) bool: one throw of the chances, some of them disturbed."""
        chance = np.array([int(d) for d in digits]) / 9.0
        chance = np.clip(chance, wildness * 0.08, 1.0 - wildness * 0.12)
        drawn: np.ndarray = self.rng.random(len(chance)) < chance
        return drawn

    def drums(self, first: int, bars: int, parts: Sequence[str], wildness: float) -> None:
        style = self.style
        rng = self.rng
        step = 1.0 / style.steps
        steady = {p: self.pattern(getattr(style, p), wildness) for p in ("kick", "snare", "hat")}
        snare = int(rng.choice((SNARE, SNARE, CLAP, RIM, 40)))
        hat = int(rng.choice((HAT, HAT, HAT, RIDE, 44, 70, 54)))
        second = rng.random() < 0.15  # a percussion of its own rhythm on top
        extra = rng.random(style.beats * style.steps) < rng.uniform(0.1, 0.5)
        extra_pitch = int(rng.choice((56, 60, 61, 62, 63, 64, 67, 75, 76, 77)))
        fills = rng.choice((0, 4, 8))
        for bar in range(first, first + bars):
            fill = fills and (bar + 1) % fills == 0
            for part, pitch, loud in (("kick", KICK, 0.8), ("snare", snare, 0.75), ("hat", hat, 0.5)):
                if part not in parts:
                    continue
                hits = steady[part] if rng.random() < 0.75 else self.pattern(getattr(style, part), wildness)
                for i in np.flatnonzero(hits):
                    if fill and i * 2 >= len(hits) and part != "kick":
                        continue
                    beat = bar * style.beats + i * step
                    kind = (
                        OPEN_HAT
                        if part == "hat" and pitch == HAT and i % style.steps == style.steps // 2 and rng.random() < 0.2
                        else pitch
                    )
                    self.add(
                        "drums",
                        beat,
                        0.2,
                        kind,
                        loud + rng.normal(0.0, 0.07) - (0.15 if part == "hat" and i % 2 else 0.0),
                    )
            if second:
                for i in np.flatnonzero(extra):
                    self.add("drums", bar * style.beats + i * step, 0.2, extra_pitch, 0.5 + rng.normal(0.0, 0.1))
            if fill and "snare" in parts:
                for late in range(len(steady["snare"]) // 2, len(steady["snare"])):
                    if rng.random() < 0.7:
                        self.add(
                            "drums",
                            bar * style.beats + late * step,
                            0.2,
                            int(rng.choice((snare, 45, 47, 41, 50))),
                            rng.uniform(0.5, 0.95),
                        )
        if "kick" in parts and rng.random() < 0.6:
            self.add("drums", first * style.beats, 2.0, CRASH, 0.7)

    def bass(self, first: int, bars: int, kind: str) -> None:
        style = self.style
        rng = self.rng
        if kind == "any":
            kind = str(
                rng.choice(
                    ("one", "eighth", "off", "octave", "run", "sparse", "syncopated", "syncopated", "kick", "long")
                )
            )
        steps = style.beats * style.steps
        step = 1.0 / style.steps
        length = 0.9
        half = max(1, style.steps // 2)
        on = np.zeros(steps, bool)
        if kind in ("one", "long"):
            on[0] = True
            length = style.beats * 0.95
        elif kind in ("eighth", "octave"):
            on[::half] = True
            length = 0.45
        elif kind == "off":
            on[half :: style.steps] = True
            length = 0.4
        elif kind == "run":
            on[:] = True
            on[:: style.steps] = rng.random() < 0.6
            length = step * 0.9
        elif kind == "walk":
            on[:: style.steps] = True
        elif kind == "tresillo":
            on[[0, *(i for i in (6, 8, 14) if i < steps)]] = True
        elif kind == "kick":
            on = self.pattern(style.kick, 0.2)
        else:
            on = rng.random(steps) < (0.2 if kind == "sparse" else 0.4)
            on[0] |= rng.random() < 0.8
        degrees = rng.choice((0, 0, 0, 0, 4, 7, 2, 6), steps)
        degrees[0] = 0
        for bar in range(first, first + bars):
            if kind == "syncopated" and rng.random() < 0.15:
                on = rng.random(steps) < 0.4
            for i in np.flatnonzero(on):
                beat = bar * style.beats + i * step
                root = self.chord(beat)
                degree = root + (int(degrees[i]) if kind in ("walk", "syncopated", "run", "sparse", "tresillo") else 0)
                degree += 7 if kind == "octave" and (i // half) % 2 else 0
                at = beat - 0.5 if self.pushed and i == 0 and bar > first else beat
                self.add("bass", at, length, self.pitch(degree, 3), 0.7 + rng.normal(0.0, 0.05))

    def harmony(self, first: int, bars: int, kind: str, part: str) -> None:
        style = self.style
        rng = self.rng
        if kind == "any":
            kind = str(
                rng.choice(
                    ("hold", "hold", "stab", "eighth", "quarter", "syncopated", "arp", "run", "skank", "charleston")
                )
            )
        step = 1.0 / style.steps
        on, length = self._comping(kind)
        voices = (0, 2, 4) if rng.random() < 0.7 else (0, 2, 4, 6)
        octave = int(rng.choice((4, 5, 5)))
        order = rng.permutation(8) % len(voices)
        for bar in range(first, first + bars):
            for n, i in enumerate(np.flatnonzero(on)):
                beat = bar * style.beats + i * step
                root = self.chord(beat)
                at = beat - 0.5 if self.pushed and i == 0 and bar > first else beat
                loud = 0.55 + rng.normal(0.0, 0.05)
                if kind in ("arp", "run"):
                    voice = voices[order[n % 8]]
                    self.add(part, at, length, self.pitch(root + voice, octave), loud)
                else:
                    for voice in voices:
                        self.add(
                            part,
                            at,
                            length,
                            self.pitch((root + voice) % 7 + (0 if root + voice < 7 else 7 * (kind == "hold")), octave),
                            loud,
                        )

    def _comping(self, kind: str) -> tuple[np.ndarray, float]:
        """At which steps of a bar the chords are struck, (steps,) bool, and how long each sounds, in beats."""
        style = self.style
        steps = style.beats * style.steps
        half = max(1, style.steps // 2)
        on = np.zeros(steps, bool)
        length = 0.4
        if kind == "hold":
            on[0] = True
            if self.bars_per_chord < 1.0 and steps % 2 == 0:
                on[steps // 2] = True
            length = style.beats * min(1.0, self.bars_per_chord) * 0.98
        elif kind in ("eighth", "arp"):
            on[::half] = True
        elif kind == "quarter":
            on[:: style.steps] = True
            length = 0.8
        elif kind == "run":
            on[:] = True
            length = 1.0 / style.steps
        elif kind == "skank":
            on[half :: style.steps] = True
            length = 0.15
        elif kind == "waltz":
            on[[i * style.steps for i in range(1, style.beats)]] = True
        elif kind == "charleston":
            on[[0, min(steps - 1, style.steps + half)]] = True
        else:
            on = self.rng.random(steps) < (0.25 if kind == "stab" else 0.35)
            on[half] |= kind == "stab"
        return on, length

    def tune(self, first: int, bars: int) -> None:
        style = self.style
        rng = self.rng
        step = 1.0 / style.steps
        density = rng.uniform(0.15, 0.55)
        phrase = int(rng.choice((1, 2, 4)))
        made: list[tuple[float, float, int]] = []
        at, degree = 0.0, int(rng.integers(0, 7))
        while at < phrase * style.beats:
            length = step * int(rng.choice((1, 2, 2, 3, 4, 4, 6, 8)))
            if rng.random() < 0.35 + density:
                degree = int(np.clip(degree + rng.integers(-2, 3), -3, 10))
                made.append((at, length * 0.9, degree))
            at += length
        for bar in range(first, first + bars, phrase):
            for at, length, degree in made:
                if bar + at / style.beats < first + bars and rng.random() < 0.93:
                    self.add(
                        "tune", bar * style.beats + at, length, self.pitch(degree, 5), 0.65 + rng.normal(0.0, 0.06)
                    )

    def sections(self, bars: int) -> None:
        """Parts come and go every four or eight bars; some sections have no drums, few have nothing but drums."""
        rng = self.rng
        style = self.style
        wildness = rng.uniform(0.0, 1.0)
        drumless = rng.random() < 0.12
        bare = rng.random() < 0.1  # drums alone
        have = {
            "bass": rng.random() < 0.85,
            "chords": rng.random() < 0.85,
            "second": rng.random() < 0.4,
            "tune": rng.random() < 0.55,
        }
        first = 0
        while first < bars:
            length = min(int(rng.choice((4, 8, 8, 16))), bars - first)
            kit = [p for p, chance in (("kick", 0.92), ("snare", 0.88), ("hat", 0.88)) if rng.random() < chance]
            if drumless or (first > 0 and rng.random() < 0.12):
                kit = []
            playing = {p for p, is_in in have.items() if is_in and rng.random() < 0.8 and not bare}
            if not kit and not playing:
                kit, playing = (["kick", "hat"], playing) if not drumless else ([], {"chords", "bass"})
            if kit:
                self.drums(first, length, kit, wildness)
            if "bass" in playing:
                self.bass(first, length, style.bass if rng.random() < 0.6 else "any")
            if "chords" in playing:
                self.harmony(first, length, style.chords if rng.random() < 0.6 else "any", "chords")
            if "second" in playing:
                self.harmony(first, length, "any", "second")
            if "tune" in playing:
                self.tune(first, length)
            first += length


def tempo_map(rng: np.random.Generator, style: Style, beats: int) -> np.ndarray:
    """Time in seconds of beats 0..beats: steady mostly, sometimes drifting, leaping, or slowing down."""
    low, high = style.tempo
    bpm = float(np.exp(rng.uniform(np.log(low * 0.95), np.log(high * 1.05))))
    bpm = min(max(bpm, 55.0), 215.0)
    tempi = np.full(beats, bpm)
    kind = rng.random()
    if kind < 0.12:  # drift, as players do
        tempi *= np.exp(np.cumsum(rng.normal(0.0, 0.004, beats)))
    elif kind < 0.18:  # another tempo from some bar on
        at = style.beats * int(rng.integers(1, max(2, beats // style.beats)))
        tempi[at:] *= float(rng.choice((0.8, 0.9, 1.1, 1.2, 1.33)))
    elif kind < 0.21:
        tempi *= np.linspace(1.0, float(rng.uniform(0.85, 1.15)), beats)
    tempi = np.clip(tempi, 52.0, 220.0)
    return np.concatenate([[0.0], np.cumsum(60.0 / tempi)])


def _swung(at: np.ndarray, steps: int, swing: float) -> np.ndarray:
    """Beats (n,) with every second step late by `swing` of a step."""
    place = at * steps
    whole = np.floor(place + 1e-6)
    odd = (whole % 2 == 1) & (np.abs(place - whole) < 0.01)
    swung: np.ndarray = at + np.where(odd, swing / steps, 0.0)
    return swung


def compose(seed: int, seconds: float = 40.0) -> Song:
    """A song of about so many seconds, the same for the same seed."""
    rng = np.random.default_rng(seed)
    weights = np.array([s.weight for s in STYLES])
    style = STYLES[int(rng.choice(len(STYLES), p=weights / weights.sum()))]
    writer = Writer(rng, style)
    bars = max(8, round(seconds * np.mean(style.tempo) / 60.0 / style.beats))
    writer.sections(bars)
    times = tempo_map(rng, style, (bars + 2) * style.beats)
    start = float(rng.uniform(0.0, 1.0)) - float(rng.choice((0.0, 0.0, 1.0, 5.0))) * float(rng.uniform(0.0, 1.0))
    return in_seconds(rng, style, writer, times, start, bars)


def accompany(seed: int, drums: Sequence[tuple[float, int, int]], bpm: float, beats: int, seconds: float) -> Song:
    """A song around a drummer's performance.

    drums    (seconds, pitch, velocity) of each stroke, counted from the first downbeat
    bpm      of the click it was played to; beats  per bar
    """
    rng = np.random.default_rng(seed)
    style = Style(
        "played",
        1.0,
        (bpm, bpm),
        beats,
        4,
        "9" + "0" * (4 * beats - 1),
        "0" * 4 * beats,
        "0" * 4 * beats,
        electronic=0.1,
    )
    writer = Writer(rng, style)
    bars = max(2, round(seconds * bpm / 60.0 / beats))
    have = rng.random(4) < (0.7, 0.6, 0.3, 0.4)
    for first in range(0, bars, 8):
        length = min(8, bars - first)
        if have[0]:
            writer.bass(first, length, "any")
        if have[1]:
            writer.harmony(first, length, "any", "chords")
        if have[2]:
            writer.harmony(first, length, "any", "second")
        if have[3]:
            writer.tune(first, length)
    times = np.arange((bars + 2) * beats + 1) * 60.0 / bpm
    song = in_seconds(rng, style, writer, times, 0.0, bars)
    limit = float(times[bars * beats])
    song.notes += [Note("drums", at, 0.2, pitch, velocity) for at, pitch, velocity in drums if at < limit]
    return song


def metronome(seed: int, seconds: float = 30.0) -> Song:
    """Next to nothing: clicks or kicks, perhaps accents, perhaps something between the beats."""
    rng = np.random.default_rng(seed)
    beats = int(rng.choice((2, 3, 4, 4, 4)))
    style = Style("metronome", 1.0, (55.0, 215.0), beats, 4, "", "", "", electronic=1.0)
    writer = Writer(rng, style)
    bars = max(4, round(seconds * 2.0 / beats))
    click, accent, other = (int(p) for p in rng.choice((KICK, SNARE, CLAP, HAT, RIM, BLOCK, BLOCK), 3))
    accented, between = rng.random() < 0.6, rng.random() < 0.35
    for beat in range(bars * beats):
        first = accented and beat % beats == 0
        writer.add("drums", beat, 0.1, accent if first else click, 0.9 if first else 0.65)
        if first and rng.random() < 0.5:
            writer.add("drums", beat, 0.1, KICK, 0.8)
        if between:
            writer.add("drums", beat + 0.5, 0.1, other, 0.4)
    times = tempo_map(rng, style, (bars + 2) * beats)
    return in_seconds(rng, style, writer, times, float(rng.uniform(0.0, 1.5)), bars)


def in_seconds(
    rng: np.random.Generator, style: Style, writer: Writer, times: np.ndarray, start: float, bars: int
) -> Song:
    """Beats become seconds; the song may begin anywhere in its first bars."""
    song = Song(style.name)
    number = np.arange(len(times))
    swing = float(rng.uniform(0.0, style.swing)) if rng.random() < 0.7 else 0.0
    human = float(rng.choice((0.0, 0.003, 0.008, 0.014))) * (1.0 - style.electronic)
    song.electronic = bool(rng.random() < style.electronic)
    lag = {part: float(rng.normal(0.0, human)) for part in ("drums", "bass", "chords", "second", "tune")}
    for part, at, length, pitch, loud in writer.notes:
        beat = float(_swung(np.array([at]), style.steps, swing)[0])
        begin = float(np.interp(beat, number, times)) + start
        end = float(np.interp(beat + length, number, times)) + start
        begin += float(rng.normal(lag[part], human)) if human else 0.0
        if begin < 0.0 or not 0 <= pitch < 128:
            continue
        song.notes.append(Note(part, begin, max(0.03, end - begin), pitch, int(np.clip(loud * 127, 8, 127))))
    song.notes.sort(key=lambda note: note.at)
    beats = times[: bars * style.beats] + start
    song.beats = beats[beats >= 0.0]
    downs = beats[:: style.beats]
    song.downbeats = downs[downs >= 0.0]
    song.programs = {
        "bass": int(rng.choice(BASSES)),
        "chords": int(rng.choice(CHORDS)),
        "second": int(rng.choice(CHORDS + LEADS)),
        "tune": int(rng.choice(LEADS)),
        "drums": int(rng.choice((0, 0, 8, 16, 24, 25, 26, 32, 40))),
    }
    song.seconds = float(times[bars * style.beats]) + start
    return song
