"""The beat that music began with, kept through slips of half a beat and through twice or half the tempo."""

from __future__ import annotations

import pytest

from performer.audio.phase_lock import STEADY_S, Anchor, steady

DT = 0.02


def told(
    anchor: Anchor, bpm: float, seconds: float, level: float = 1.0, beside: float = 0.0, start: float = 0.0
) -> list[tuple[float, float]]:
    """What is gone by while a tracker says `level` times bpm, `beside` beats beside the beat of `start` seconds on."""
    made = []
    for step in range(1, round(seconds / DT) + 1):
        at = (start + step * DT) * bpm / 60.0 + beside
        made.append(anchor.follow(at * level % 1.0, bpm * level, DT))
    return made


def beside(phase: float, bpm: float, seconds: float) -> float:
    return abs((phase - seconds * bpm / 60.0 + 0.5) % 1.0 - 0.5)


def test_without_an_anchor_the_tracker_is_believed() -> None:
    assert Anchor().follow(0.3, 100.0, DT) == (0.3, 100.0)


def test_a_slip_of_half_a_beat_is_not_followed_for_twenty_four_bars_and_then_is() -> None:
    anchor = Anchor()
    anchor.drop(0.0, 120.0, True)
    for step, (phase, bpm) in enumerate(told(anchor, 120.0, 47.0, beside=0.5), 1):
        assert beside(phase, 120.0, step * DT) < 0.02 and bpm == pytest.approx(120.0)
    phase, _ = told(anchor, 120.0, 2.0, beside=0.5, start=47.0)[-1]
    assert beside(phase, 120.0, 49.0) == pytest.approx(0.5, abs=0.02) and anchor.bpm == 0.0


@pytest.mark.parametrize("level", (2.0, 0.5))
def test_another_octave_is_not_followed_until_it_lasted_many_times_longer(level: float) -> None:
    anchor = Anchor()
    anchor.drop(0.0, 100.0, True)
    told(anchor, 100.0, 3.0)
    for step, (phase, bpm) in enumerate(told(anchor, 100.0, 48.0, level, start=3.0), 1):
        assert bpm == pytest.approx(100.0)
        assert beside(phase, 100.0, 3.0 + step * DT) < 0.02
    assert told(anchor, 100.0, 8.0, level, start=51.0)[-1][1] == pytest.approx(100.0 * level)
    assert anchor.bpm == pytest.approx(100.0 * level) and anchor.known


def test_another_tempo_is_followed_at_once() -> None:
    anchor = Anchor()
    anchor.drop(0.0, 100.0, True)
    assert anchor.follow(0.4, 132.0, DT) == (0.4, 132.0)
    for _ in range(round(5.0 / DT)):
        assert anchor.follow(0.4, 132.0, DT) == (0.4, 132.0)
    assert anchor.bpm == 0.0


def test_a_player_who_drifts_is_followed() -> None:
    anchor = Anchor()
    anchor.drop(0.0, 100.0, True)
    at, bpm = 0.0, 100.0
    for _ in range(3000):
        bpm += 0.01
        at += bpm / 60.0 * DT
        phase, said = anchor.follow(at % 1.0, bpm, DT)
        assert abs((phase - at + 0.5) % 1.0 - 0.5) < 1e-6 and said == bpm
    assert anchor.bpm == pytest.approx(130.0, abs=1.0)


def test_beats_of_one_tempo_lie_on_a_line() -> None:
    beats = [(7 + i, 3.0 + 0.5 * i + (-1) ** i * 0.5 * STEADY_S) for i in range(17)]
    line = steady(beats)
    assert line is not None
    assert line[0] == pytest.approx(0.5, abs=1e-3) and line[1] == pytest.approx(11.0, abs=0.5 * STEADY_S)


@pytest.mark.parametrize(
    "beats",
    (
        [(i, 0.5 * i + 0.1 * (i > 8)) for i in range(17)],
        [(i, 0.5 * i * (1.0 + 0.01 * i)) for i in range(17)],
        [(i + (i > 8), 0.5 * i) for i in range(17)],
    ),
)
def test_leaps_changes_and_gaps_are_no_line(beats: list[tuple[int, float]]) -> None:
    assert steady(beats) is None
