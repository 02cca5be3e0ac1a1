"""Training material for the beat network: composed songs, and human drumming, as frames of band levels with targets."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from performer.audio.analyzer import Analyzer
from performer.audio.beat_network import DELAY_S
from performer.io.midi import midi_file
from performer.lab.train import arrange_songs, compose_songs
from performer.lab.train.render_songs import perform
from performer.system.errors import Fault
from performer.types.features import BANDS

RATES = (44_100, 44_100, 48_000, 48_000, 22_050, 96_000)


class _Tape:
    """Stands where the network will be and keeps what it is given."""

    def __init__(self) -> None:
        self.frames: list[np.ndarray] = []

    def __call__(self, frame: np.ndarray) -> tuple[float, float]:
        self.frames.append(frame.astype(np.float16))
        return 0.0, 0.0


def frames(sound: np.ndarray, rate: int) -> tuple[np.ndarray, float]:
    """Sound (n,) -> what the live analyser would show its network: (frames, BANDS) float16, and seconds per frame."""
    tape = _Tape()
    analyzer = Analyzer(rate, tape)
    hop = analyzer.hop
    for at in range(0, len(sound) - hop + 1, hop):
        analyzer.process(sound[at : at + hop])
    made = np.array(tape.frames, np.float16).reshape(-1, BANDS)
    every = len(sound) // hop / max(1, len(made))
    return made, round(every) * hop / rate


def targets(song: compose_songs.Song, count: int, dt: float) -> np.ndarray:
    """(count, 2) uint8: 2 in the frame that should name a beat (a downbeat), 1 in its neighbours."""
    made = np.zeros((count, 2), np.uint8)
    for column, times in enumerate((song.beats, song.downbeats)):
        at = np.round((times + DELAY_S) / dt).astype(int) - 1  # frame i ends at (i + 1) dt
        for shift, value in ((-1, 1), (1, 1), (0, 2)):
            inside = at[(at + shift >= 0) & (at + shift < count)] + shift
            made[inside, column] = value
    return made


def performances(folder: Path) -> list[tuple[Path, float, int]]:
    """Drum performances of a folder laid out like the Groove MIDI Dataset: file, beats per minute, beats per bar."""
    found = []
    with (folder / "info.csv").open(newline="") as file:
        for row in csv.DictReader(file):
            path = folder / row["midi_filename"]
            upper, lower = row["time_signature"].split("-")
            if row["beat_type"] == "beat" and lower == "4" and float(row["duration"]) > 8.0 and path.exists():
                found.append((path, float(row["bpm"]), int(upper)))
    return sorted(found)


def strokes(path: Path) -> list[tuple[float, int, int]]:
    """(seconds, pitch, velocity) of each stroke of a MIDI file. Raises Fault."""
    try:
        played = midi_file.perform(path.read_bytes())
    except Fault as fault:
        raise Fault(f"{path}: not a MIDI file that can be read ({fault})") from None
    return [(t, message[1], message[2]) for t, message in played.messages if message[0] >> 4 == 9 and message[2]]


def example(
    seed: int, soundfonts: Sequence[Path], drummers: Sequence[tuple[Path, float, int]]
) -> dict[str, np.ndarray]:
    """One song as frames, targets and seconds per frame.

    One in twelve is next to a metronome, four in twelve are of the kinds of `arrange`; of the others one in five is
    built around a drummer, if there are any.
    """
    rng = np.random.default_rng(seed + 77)
    if seed % 12 == 7:
        song = compose_songs.metronome(seed)
    elif seed % 2 and rng.random() < 0.3:
        path, bpm, beats = drummers[int(rng.integers(len(drummers)))] if drummers else (None, 0.0, 4)
        song = arrange_songs.loop(seed, strokes(path) if path and rng.random() < 0.5 else (), bpm, beats)
    elif seed % 2:
        song = arrange_songs.arrange(seed)
    elif drummers and rng.random() < 0.2:
        path, bpm, beats = drummers[int(rng.integers(len(drummers)))]
        speed = float(rng.uniform(0.9, 1.1)) if 65.0 < bpm < 190.0 else 1.0
        played = [(at / speed, pitch, velocity) for at, pitch, velocity in strokes(path)]
        song = compose_songs.accompany(seed, played, bpm * speed, beats, min(40.0, played[-1][0]))
    else:
        song = compose_songs.compose(seed)
    rate = RATES[int(rng.integers(len(RATES)))]
    sound = perform(song, soundfonts, seed, rate)
    made, dt = frames(sound, rate)
    return {"frames": made, "targets": targets(song, len(made), dt), "dt": np.array(dt), "name": np.array(song.name)}


def write(
    seeds: Sequence[int], out: Path, soundfonts: Sequence[Path], drummers: Sequence[tuple[Path, float, int]]
) -> None:
    """Examples as OUT/SEED.npz, those that are there kept."""
    out.mkdir(parents=True, exist_ok=True)
    for seed in seeds:
        path = out / f"{seed}.npz"
        if not path.exists():
            arrays: dict[str, Any] = dict(example(seed, soundfonts, drummers))
            np.savez(path, **arrays)
