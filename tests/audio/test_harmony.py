"""Chroma, key, pitch and dissonance of made sounds; build-ups, breaks and drops of made songs."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from parts.hearing import hear, values_of

from performer.audio.features import NOTES
from performer.audio.harmony import roughness
from performer.types.features import HEAD

RATE = 44_100


def hertz(note: float) -> float:
    return float(440.0 * 2.0 ** ((note - 69) / 12))


def voice(note: float, seconds: float, rate: int = RATE) -> np.ndarray:
    """One note with six partials."""
    t = np.arange(int(seconds * rate)) / rate
    return sum(np.sin(2 * np.pi * hertz(note) * k * t) / k for k in range(1, 7)) * 0.1  # type: ignore[return-value]


def chords(*notes: tuple[int, ...]) -> np.ndarray:
    return np.concatenate([sum(voice(n, 1.0) for n in chord) for chord in notes])


@pytest.mark.parametrize("rate", (22_050, 44_100, 48_000, 96_000))
@pytest.mark.parametrize("note", (40, 57, 69, 84))
def test_the_pitch_of_one_voice(note: int, rate: int) -> None:
    analyzer, rows = hear(voice(note, 1.5, rate), rate)
    octaves = np.log2(1200.0 / 60.0)
    wanted = np.log2(hertz(note) / 60.0) / octaves
    assert values_of(rows, analyzer, "pitch")[-1] == pytest.approx(wanted, abs=0.03 / octaves)
    assert values_of(rows, analyzer, "voiced")[-1] > 0.8
    strongest = max(NOTES, key=lambda n: values_of(rows, analyzer, f"chroma_{n}")[-1])
    assert strongest == NOTES[note % 12]


@pytest.mark.parametrize("rate", (32_000, 44_100, 96_000, 192_000))
def test_a_pitch_is_exact_at_any_rate(rate: int) -> None:
    analyzer, rows = hear(voice(69, 1.0, rate), rate)
    octaves = np.log2(1200.0 / 60.0)
    assert values_of(rows, analyzer, "pitch")[-1] * octaves == pytest.approx(np.log2(440.0 / 60.0), abs=0.001)


def test_noise_has_no_pitch() -> None:
    analyzer, rows = hear(0.1 * np.random.default_rng(0).standard_normal(2 * RATE), RATE)
    assert values_of(rows, analyzer, "voiced")[-100:].max() < 0.1


@pytest.mark.parametrize("up", (0, 5, 7, 11))
@pytest.mark.parametrize("minor", (False, True))
def test_the_key_of_a_cadence(up: int, minor: bool) -> None:
    third, tonic = (3 if minor else 4), 60 + up
    cadence = (
        (tonic, tonic + third, tonic + 7),
        (tonic + 5, tonic + 5 + third, tonic + 12),
        (tonic - 5, tonic - 1, tonic + 2),
        (tonic, tonic + third, tonic + 7),
    )
    analyzer, rows = hear(chords(*(cadence * 3)), RATE)
    major = (tonic + (3 if minor else 0)) % 12
    assert values_of(rows, analyzer, "key")[-1] == pytest.approx(major * 7 % 12 / 12.0)
    assert (values_of(rows, analyzer, "minor")[-1] > 0.5) == minor


def test_a_fifth_up_turns_the_hue_by_a_twelfth() -> None:
    hues = []
    for tonic in (60, 67, 74):
        analyzer, rows = hear(chords(*((tonic, tonic + 4, tonic + 7),) * 4), RATE)
        hues.append(values_of(rows, analyzer, "hue")[-1])
    for one, next_ in itertools.pairwise(hues):
        assert (next_ - one + 0.5) % 1.0 - 0.5 == pytest.approx(1.0 / 12.0, abs=0.03)


def test_clusters_are_rougher_than_fifths() -> None:
    def rough(*notes: int) -> float:
        analyzer, rows = hear(sum(voice(n, 1.5) for n in notes), RATE)  # type: ignore[arg-type]
        return float(values_of(rows, analyzer, "dissonance")[-1])

    assert rough(60) < rough(60, 67) < rough(60, 64, 67) < rough(60, 61) < rough(60, 61, 62, 66)
    assert roughness(np.zeros(0), np.zeros(0)) == 0.0


def arrangement(bpm: float = 128.0) -> tuple[np.ndarray, dict[str, float]]:
    """Sixteen bars of a beat, eight of a break, eight of a build-up, then the drop: the sound, and when each begins."""
    beat, rng = 60.0 / bpm, np.random.default_rng(3)
    times = {"break": 64 * beat, "buildup": 96 * beat, "drop": 128 * beat, "end": 192 * beat}
    sound = np.zeros(int((times["end"] + 1.0) * RATE))
    t = np.arange(int(0.3 * RATE)) / RATE
    kick = np.sin(2 * np.pi * (50 * t + 4 * (1 - np.exp(-t * 40)))) * np.exp(-t * 12)
    hat = rng.standard_normal(len(t)) * np.exp(-t * 90)
    snare = rng.standard_normal(len(t)) * np.exp(-t * 30)

    def put(what: np.ndarray, at: float, gain: float) -> None:
        first = int(at * RATE)
        part = sound[first : first + len(what)]
        part += gain * what[: len(part)]

    for number in range(192):
        at = number * beat
        if number < 64 or number >= 128:
            put(kick, at, 0.8)
            put(hat, at + beat / 2, 0.2)
            put(np.sin(2 * np.pi * 55 * t), at + beat / 2, 0.3)
        elif number >= 96:  # rolls get faster and louder
            share = (number - 96) / 32
            for stroke in range(1 if share < 0.3 else 2 if share < 0.6 else 4):
                put(snare, at + stroke * beat / (1 if share < 0.3 else 2 if share < 0.6 else 4), 0.05 + 0.25 * share)
    pad = sum(np.sin(2 * np.pi * hertz(n) * np.arange(len(sound)) / RATE) for n in (57, 60, 64)) * 0.04
    seconds = np.arange(len(sound)) / RATE
    riser = rng.standard_normal(len(sound)) * np.clip((seconds - times["buildup"]) / (32 * beat), 0.0, 1.0) * 0.08
    riser[seconds > times["drop"]] = 0.0
    return (sound + pad + riser).astype(np.float32), times


def test_a_break_a_build_up_and_a_drop_are_told_apart() -> None:
    sound, times = arrangement()
    analyzer, rows = hear(sound, RATE)
    t = rows[:, 0]

    def mean(name: str, first: float, last: float) -> float:
        return float(values_of(rows, analyzer, name)[(t > first) & (t < last)].mean())

    beat = (8.0, times["break"])
    quiet = (times["break"] + 3.0, times["buildup"])
    assert mean("break", *quiet) > 0.6 > 0.2 > mean("break", *beat)
    rising = (times["buildup"] + 6.0, times["drop"])
    assert mean("buildup", *rising) > 0.4 and mean("buildup", *rising) > 3.0 * mean("buildup", *beat)
    assert mean("trend", *rising) > 0.52 and mean("density", *rising) > mean("density", *quiet)
    drops = rows[:, HEAD.index("drops")]
    assert drops[-1] == 1.0
    assert t[np.flatnonzero(np.diff(drops))[0]] == pytest.approx(times["drop"], abs=0.6)
    assert mean("drop", times["drop"] + 0.3, times["drop"] + 1.5) > 0.5
    assert mean("silence", 1.0, times["end"]) == 0.0
