"""Estimates of what lies outside the program: from taps like a person's, and from recordings of clicks."""

import numpy as np
import pytest

from performer.rig.calibration.estimate import LEAST, SKIPPED, Unclear, asynchronies, click, estimate, heard, tapped
from performer.system.errors import Fault

PERIOD = 0.75


def pulses(n: int = 27) -> np.ndarray:
    return 10.0 + PERIOD * np.arange(n)


def person(marks: np.ndarray, late_s: float, spread_s: float = 0.015, seed: int = 1) -> np.ndarray:
    """Taps of somebody who taps so late (negative: early), unevenly."""
    return marks + late_s + spread_s * np.random.default_rng(seed).standard_normal(len(marks))


def test_outliers_and_missed_pulses_do_not_move_the_estimate() -> None:
    taps = person(pulses(), -0.03)
    taps = np.delete(taps, [5, 11, 12])
    taps[7] += 0.2
    taps[15] -= 0.25
    found = tapped(pulses(), np.append(taps, [14.001, 14.2, 3.0, 90.0]), PERIOD, "clicks")
    assert found.delay_s == pytest.approx(-0.03, abs=0.01)
    assert found.spread_s < 0.03 and found.error_s < 0.008 and found.rejected >= 2


@pytest.mark.parametrize("screen_s", [-0.2, 0.0, 0.045, 0.3])
def test_the_persons_own_habit_cancels(screen_s: float) -> None:
    """A person is 40 ms early; the projector is late by screen_s: the difference of taps tells it."""
    clicks = tapped(pulses(), person(pulses(), -0.04, seed=2), PERIOD, "clicks")
    flashes = tapped(pulses(), person(pulses(), -0.04 + screen_s, seed=3), PERIOD, "flashes")
    found = flashes.minus(clicks)
    assert found.delay_s == pytest.approx(screen_s, abs=0.015)
    assert abs(found.delay_s - screen_s) < 4 * found.error_s


def test_taps_near_half_a_period_are_not_torn_apart() -> None:
    late = asynchronies(pulses(), person(pulses(), 0.36, 0.02), PERIOD)
    assert len(late) >= len(pulses()) - SKIPPED - 1
    assert np.std(late) < 0.03


def test_scattered_taps_are_refused_with_a_reason() -> None:
    at_random = np.sort(np.random.default_rng(4).uniform(10.0, 30.0, 27))
    with pytest.raises(Fault, match="too scattered"):
        tapped(pulses(), at_random, PERIOD, "clicks")
    with pytest.raises(Unclear, match=r"too scattered: they spread by \d+ ms, and at most 60 ms will do"):
        tapped(pulses(), person(pulses(), 0.0, 0.09), PERIOD, "clicks")


def test_taps_of_which_few_agree_are_told_by_their_number() -> None:
    two_ways = [at + (0.0 if n % 3 == 0 else 0.2 if n % 3 == 1 else -0.2) for n, at in enumerate(pulses())]
    with pytest.raises(Unclear, match=r"\d+ (ms|of \d+), and"):
        tapped(pulses(), two_ways, PERIOD, "clicks")


@pytest.mark.parametrize("taps", [[], [11.0], list(pulses()[: SKIPPED + LEAST - 1])])
def test_too_few_taps_are_refused(taps: list[float]) -> None:
    with pytest.raises(Fault, match=r"only \d+ of 24 flashes were tapped to, and 12 are needed"):
        tapped(pulses(), taps, PERIOD, "flashes")


def test_no_delays_are_no_estimate() -> None:
    with pytest.raises(ValueError):
        estimate([])
    assert estimate([0.1]).delay_s == 0.1


def recorded(delay_s: float, rate: int, noise: float, channels: int = 2, gain: float = 0.3) -> np.ndarray:
    """What a microphone hears of clicks at pulses(), from 9.5 s on; on its first channel only."""
    sound = noise * np.random.default_rng(5).standard_normal((int(24 * rate), channels))
    shape = click(rate)
    for at in pulses():
        first = round((at + delay_s - 9.5) * rate)
        sound[first : first + len(shape), 0] += gain * shape
        echo = first + round(0.03 * rate)
        sound[echo : echo + len(shape), 0] += 0.4 * gain * shape
    return sound.astype(np.float32)


@pytest.mark.parametrize(
    ("rate", "delay_s", "noise"), [(44100, 0.012, 0.001), (48000, 0.23, 0.02), (8000, 0.1, 0.005), (96000, 0.65, 0.01)]
)
def test_clicks_are_found_in_a_recording(rate: int, delay_s: float, noise: float) -> None:
    found = heard(list(pulses()), recorded(delay_s, rate, noise), rate, 9.5)
    assert found.delay_s == pytest.approx(delay_s, abs=0.001)
    assert found.count == len(pulses()) and found.spread_s < 0.001


def test_a_recording_without_clicks_is_refused() -> None:
    noise = recorded(0.1, 44100, 0.05, gain=0.0)
    for sound in (noise, np.zeros((0, 2)), np.zeros((50, 1)), np.zeros((24 * 44100, 1)), np.full((9999, 1), np.nan)):
        with pytest.raises(Fault, match="the microphone heard"):
            heard(list(pulses()), sound.astype(np.float32), 44100, 9.5)


def test_clicks_that_come_at_uneven_times_are_refused() -> None:
    uneven = np.asarray(pulses()) + np.random.default_rng(6).uniform(-0.04, 0.04, 27)
    sound = np.zeros((24 * 44100, 1), np.float32)
    for at in uneven:
        first = round((at + 0.1 - 9.5) * 44100)
        sound[first : first + len(click(44100)), 0] += click(44100)
    with pytest.raises(Fault, match="uneven times"):
        heard(list(pulses()), sound, 44100, 9.5)
