"""Rehearsals: songs made up by chance, with breaks, build-ups and drops, and a puppeteer of rules who plays to them.

What the follower that comes along is taught with; nobody's music and nobody's hands are in it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.signal import butter, sosfilt

from performer.audio.control_features import NAMES
from performer.io.record.moves import Moves, write
from performer.lab.train.compose_songs import CRASH, HAT, KICK, OPEN_HAT, SNARE, Note, Song, compose
from performer.lab.train.render_songs import DrumMachine, worsen
from performer.rig.listener import KEPT_TICKS, Listener
from performer.system.mailboxes import Ring

RATE = 44_100
SECONDS = 80.0
STEP_S = 0.005  # of the puppeteer's hands
REACTION_S = 0.03  # hands are a little late for a drum, and the ear needs time to know it
KNOBS = ("lift", "pace", "punch", "sway", "turn")


@dataclass(frozen=True)
class Section:
    """Bars `first` up to `last` of a song: groove, break, build or drop."""

    kind: str
    first: int
    last: int


def arranged(seed: int) -> tuple[Song, list[Section]]:
    """A song with a plan: grooves, breaks, build-ups with rolls, drops."""
    rng = np.random.default_rng((seed, 5))
    song = compose(seed, SECONDS)
    bars = len(song.downbeats) - 1
    plan = []
    first = 0
    for kind in _dramaturgy(rng):
        if first >= bars:
            break
        length = int(rng.choice({"groove": (8, 8, 16), "break": (4, 8), "build": (4, 4, 8), "drop": (8, 16)}[kind]))
        plan.append(Section(kind, first, min(first + length, bars)))
        first += length
    kept = []
    for note in song.notes:
        section = _at(plan, song, note.at)
        beaten = note.part == "drums" and note.pitch not in (HAT, OPEN_HAT)
        low = note.part == "bass" or beaten
        if not (section.kind in ("break", "build") and low):
            kept.append(note)
    for section in plan:
        beats = song.beats[(song.beats >= song.downbeats[section.first]) & (song.beats < song.downbeats[section.last])]
        if section.kind == "build":
            kept += _roll(beats)
        if section.kind == "drop":
            kept.append(Note("drums", float(song.downbeats[section.first]), 1.0, CRASH, 120))
            kicks = [note.at for note in kept if note.part == "drums" and note.pitch == KICK]
            kept += [
                Note("drums", float(beat), 0.2, KICK, 115)
                for beat in beats
                if not any(abs(beat - kick) < 0.08 for kick in kicks)
            ]
    song.notes = sorted(kept, key=lambda note: note.at)
    return song, plan


def _dramaturgy(rng: np.random.Generator) -> Iterator[str]:
    if rng.random() < 0.3:
        yield "break"
    while True:
        yield "groove"
        if rng.random() < 0.8:
            yield "break"
        if rng.random() < 0.8:
            yield "build"
        yield "drop"


def _at(plan: list[Section], song: Song, t: float) -> Section:
    bar = int(np.searchsorted(song.downbeats, t + 0.02)) - 1
    return next((section for section in plan if section.first <= bar < section.last), plan[-1 if bar > 0 else 0])


def _roll(beats: np.ndarray) -> list[Note]:
    """Snares on the beat, then twice, then four times as many, louder and louder."""
    made = []
    for i, (beat, after) in enumerate(zip(beats, np.append(beats[1:], 2 * beats[-1] - beats[-2]), strict=True)):
        part = i / len(beats)
        count = 1 if part < 0.5 else 2 if part < 0.75 else 4
        made += [
            Note("drums", float(beat + (after - beat) * k / count), 0.1, SNARE, int(50 + 65 * part))
            for k in range(count)
        ]
    return made


def sounded(song: Song, plan: list[Section], seed: int) -> np.ndarray:
    """(n,) float32 mono at RATE: drum machine, plain synthesizers, a riser of noise in build-ups, a random mix."""
    rng = np.random.default_rng((seed, 6))
    drums = DrumMachine(rng, RATE).play([note for note in song.notes if note.part == "drums"], song.seconds)
    rest = np.zeros(len(drums) + 4 * RATE)
    bright = {part: rng.uniform(0.3, 0.9) for part in ("bass", "chords", "second", "tune")}
    for note in song.notes:
        if note.part in bright:
            tone = _tone(note, bright[note.part])
            first = int(note.at * RATE)
            tone = tone[: len(rest) - first]
            rest[first : first + len(tone)] += tone * (note.velocity / 127.0) * (1.6 if note.part == "bass" else 0.5)
    rest = rest[: len(drums)]
    for section in plan:
        if section.kind == "build":
            first, last = (int(song.downbeats[bar] * RATE) for bar in (section.first, section.last))
            last = min(last, len(rest))
            up = np.linspace(0.0, 1.0, last - first)
            hiss = sosfilt(butter(2, 4000, "highpass", fs=RATE, output="sos"), rng.standard_normal(last - first))
            rest[first:last] += hiss * up**2 * rng.uniform(0.3, 0.9)
    mixed = drums / (drums.std() + 1e-6) * rng.uniform(0.6, 1.6) + rest / (rest.std() + 1e-6)
    if rng.random() < 0.3:
        return worsen(mixed, rng, RATE)
    loud: np.ndarray = (mixed / np.abs(mixed).max() * rng.uniform(0.3, 0.9)).astype(np.float32)
    return loud


def _tone(note: Note, bright: float) -> np.ndarray:
    """A few harmonics that fade."""
    t = np.arange(int((note.length + 0.1) * RATE)) / RATE
    pitch_hz = 440.0 * 2.0 ** ((note.pitch - 69) / 12.0)
    tone = sum(
        bright**k / (k + 1) * np.sin(2.0 * np.pi * pitch_hz * (k + 1) * t)
        for k in range(6)
        if pitch_hz * (k + 1) < RATE / 2
    )
    shape = np.minimum(t / 0.005, 1.0) * np.exp(-t / 0.8) * np.clip((note.length + 0.1 - t) / 0.1, 0.0, 1.0)
    made: np.ndarray = tone * shape
    return made


def played(song: Song, plan: list[Section], seed: int) -> np.ndarray:
    """(n, len(KNOBS)) float32, one row every STEP_S: what the puppeteer does.

    sway   leaves for another place every four bars, and takes its time to get there
    lift   opens through a build-up, is wide in the drop, low in a break
    punch  strikes with the kick, hardest on the downbeat, at times with the snare; now and then it lets one go
    turn   leans from side to side, bar by bar; beat by beat in the last bar of eight; upright in a break
    pace   hurries with the build-up and in the drop, surges when eight bars begin
    """
    rng = np.random.default_rng((seed, 7))
    count = int(song.seconds / STEP_S)
    t = np.arange(count) * STEP_S
    lift, pace, punch, sway, turn = (np.full(count, 0.5) for _ in range(5))
    punch[:] = 0.0
    place = 0.5
    side = 1.0
    downs = song.downbeats
    for section in plan:
        for bar in range(section.first, section.last):
            first, last = np.searchsorted(t, (downs[bar], downs[bar + 1]))
            if last <= first:
                continue
            through = np.linspace(0.0, 1.0, last - first, endpoint=False)
            along = (bar - section.first + through) / (section.last - section.first)
            since = bar - section.first + through
            lift[first:last] = {
                "groove": 0.45 + 0.0 * along,
                "break": 0.18 + 0.0 * along,
                "build": 0.25 + 0.75 * along**2,
                "drop": 0.65 + 0.35 * np.exp(-since / 2.0),
            }[section.kind]
            pace[first:last] = {
                "groove": 0.32 + 0.0 * along,
                "break": 0.1 + 0.0 * along,
                "build": 0.2 + 0.6 * along,
                "drop": 0.55 + 0.0 * along,
            }[section.kind]
            if (bar - section.first) % 8 == 0 and section.kind != "build":
                pace[first:last] += 0.4 * np.exp(-4.0 * through)
            if (bar - section.first) % 4 == 0:
                far = rng.uniform(0.3, 0.6) * (1.0 if place < 0.5 else -1.0)
                far *= -0.4 if rng.random() < 0.3 else 1.0
                glide = downs[min(bar + (3 if section.kind == "break" else 1), len(downs) - 1)] - downs[bar]
                place = float(np.clip(place + far, 0.05, 0.95))
                now = sway[first]  # off at once, and slower and slower: who watches knows that it is on its way
                sway[first:] = place + (now - place) * np.exp(-3.0 * (t[first:] - t[first]) / max(glide, 0.1))
            lean = {"groove": 0.3, "break": 0.0, "build": 0.15, "drop": 0.42}[section.kind]
            if (bar - section.first) % 8 == 7 and section.kind in ("groove", "drop"):
                beats = np.searchsorted(song.beats, t[first:last] + 1e-3)
                turn[first:last] = 0.5 + lean * np.where(beats % 2, 1.0, -1.0)
            else:
                turn[first:last] = 0.5 + lean * side
            side = -side
    for note in song.notes:
        if note.part != "drums" or note.pitch not in (KICK, SNARE) or rng.random() < 0.08:
            continue
        kind = _at(plan, song, note.at).kind
        down = np.abs(downs - note.at).min() < 0.06
        hard = (1.0 if down else 0.75) if note.pitch == KICK else (0.35 if kind != "build" else 0.5)
        first = int((note.at + REACTION_S) / STEP_S)
        strike = hard * np.exp(-np.arange(count - first) * STEP_S / 0.2) if first < count else np.zeros(0)
        punch[first:] = np.maximum(punch[first:], strike)
    made = np.stack([_lag(lift, 0.25), _lag(pace, 0.2), _lag(punch, 0.012), sway, _lag(turn, 0.09)], axis=1)
    hands: np.ndarray = made.clip(0.0, 1.0).astype(np.float32)
    return hands


def _lag(values: np.ndarray, tau: float) -> np.ndarray:
    """Values as a hand that needs some time gets there."""
    share = 1.0 - np.exp(-STEP_S / tau)
    followed: np.ndarray = sosfilt([[share, 0.0, 0.0, 1.0, share - 1.0, 0.0]], values - values[0]) + values[0]
    return followed


class _Heard:
    """A listener's source that is fed by hand."""

    delay_s = 0.0
    rate = RATE

    def __init__(self) -> None:
        self.ring = Ring(RATE, 1)

    def pump(self) -> None:
        """Nothing comes by itself."""


def listened(sound: np.ndarray) -> np.ndarray:
    """Sound (n,) at RATE -> (ticks, 1 + len(NAMES)): moments and what a follower hears in them."""
    source = _Heard()
    listener = Listener(source)
    made = []
    read = 0
    for at in range(0, len(sound), RATE // 4):
        block = sound[at : at + RATE // 4, None]
        source.ring.write(block, (source.ring.written + len(block)) / RATE)
        listener.hear()
        rows, _ = listener.ticks.since(read, KEPT_TICKS)
        read += len(rows)
        made.append(rows)
    return np.concatenate(made)


def rehearse(seed: int) -> Moves:
    """One song, heard and played to."""
    song, plan = arranged(seed)
    ticks = listened(sounded(song, plan, seed))
    hands = played(song, plan, seed)
    at = np.clip(np.round(ticks[:, 0] / STEP_S).astype(int), 0, len(hands) - 1)
    assert ticks.shape[1] == 1 + len(NAMES)
    return Moves(ticks[:, 1:].astype(np.float16), hands[at], ticks[:, 0], KNOBS)


def put(seed: int, folder: Path) -> Path:
    """One rehearsal as FOLDER/SEED.npz; one that is there is kept."""
    path = folder / f"{seed}.npz"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        write(path, rehearse(seed))
    return path
