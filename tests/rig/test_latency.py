"""The measure of the way from sound to picture: parts that add up, a median that hitches do not move."""

from math import isnan, nan

import numpy as np
import pytest
from parts.scenes import make

from performer.audio.spectrum import Spectrum, window_size
from performer.rig.latency import KEPT, PARTS, Latency, window_delay_s
from performer.show.show import Show
from performer.types.features import Features, Sound


def play(
    latency: Latency,
    pictures: int,
    draw=0.004,
    present=0.008,
    device=0.01,
    row=0.003,
    hitch_every: int = 0,
    first: int = 0,
) -> None:
    """Pictures at 60 Hz, each with sound up to `row` and the device's delay before it begins."""
    for n in range(first, first + pictures):
        begun = n / 60.0
        late = 0.2 if hitch_every and n % hitch_every == 0 else 0.0
        latency.shown(begun, begun + draw, begun + draw + present + late, begun - row - device, device, 0.013)


def test_the_parts_add_up_to_the_total() -> None:
    latency = Latency(1 / 60, scan_s=0.008, outside_s=0.05)
    play(latency, 300)
    known = {"device": 10.0, "window": 13.0, "analysis": 3.0, "draw": 4.0, "present": 16.0, "outside": 50.0}
    for name, ms in known.items():
        assert latency.ms(name) == pytest.approx(ms, abs=1e-6) and latency.ms(name, 0.95) == pytest.approx(ms, abs=1e-6)
    assert latency.ms("hop") == pytest.approx(1000 / 120, rel=0.05)
    assert latency.ms("hop", 0.95) == pytest.approx(0.95 * 1000 / 60, rel=0.05)
    assert latency.ms("total") == pytest.approx(sum(known.values()) + latency.ms("hop"), abs=0.2)
    assert set(latency.figures()) == {*PARTS, "total", "look_ahead"}


def test_beats_are_drawn_ahead_by_all_that_lies_between_the_step_and_the_eye() -> None:
    latency = Latency(1 / 60, scan_s=0.008, outside_s=0.05)
    play(latency, 600)
    assert latency.look_ahead_s == pytest.approx(0.004 + 0.008 + 0.008 + 0.05, abs=5e-4)
    latency.outside_s = -0.1  # loudspeakers later than the picture
    assert latency.look_ahead_s == pytest.approx(0.020 - 0.1, abs=5e-4)


def test_hitches_do_not_move_the_look_ahead_and_it_never_jumps() -> None:
    latency = Latency(1 / 60)
    play(latency, 600, hitch_every=7)
    assert latency.look_ahead_s == pytest.approx(0.012, abs=5e-4)
    assert latency.ms("present", 0.95) > 150.0
    steps = [latency.look_ahead_s]
    for n in range(600, 900):
        play(latency, 1, draw=0.03, first=n)
        steps.append(latency.look_ahead_s)
    assert np.abs(np.diff(steps)).max() < 0.004
    play(latency, 600, draw=0.03, first=900)
    assert latency.look_ahead_s == pytest.approx(0.038, abs=1e-3)


def test_without_sound_only_what_was_seen_is_told() -> None:
    latency = Latency(1 / 60)
    assert latency.line() == "" and isnan(latency.ms("total"))
    assert latency.figures() == {"look_ahead": {"p50_ms": pytest.approx(8.33, abs=0.01)}}
    for n in range(50):
        latency.shown(n / 60, n / 60 + 0.004, n / 60 + 0.012, nan)
    assert latency.line() == "" and set(latency.figures()) == {"draw", "present", "look_ahead"}


def test_the_shows_beat_is_that_of_the_moment_in_which_it_is_seen() -> None:
    """A steady 120 bpm: each picture's beat is the music's at the time it is seen, outside delay and all."""
    show, latency = Show([make()], "first"), Latency(1 / 60, scan_s=0.008, outside_s=0.09)
    off, before = [], 0.0
    for n in range(600):
        begun = n / 60.0
        heard = Features(t=begun - 0.01, beat=2.0 * (begun - 0.01), bpm=120.0, confidence=1.0)
        t = begun + latency.look_ahead_s
        frame = show.step(t, max(t - before, 0.0), (64, 64), heard, Sound())
        before = t
        latency.shown(begun, begun + 0.004, begun + 0.012, heard.t, 0.002, 0.005)
        seen = begun + 0.012 + 0.008 + 0.09
        off.append((frame.features.beat - 2.0 * seen + 0.5) % 1.0 - 0.5)
        assert frame.features.t == t
    assert np.abs(off[120:]).max() < 0.01


def test_old_pictures_are_forgotten() -> None:
    latency = Latency(1 / 60)
    play(latency, 100, draw=0.5)
    play(latency, KEPT + 1, draw=0.002, first=100)
    assert latency.ms("draw", 1.0) == pytest.approx(2.0)


def test_sound_that_stands_still_or_jumps_is_not_measured() -> None:
    latency = Latency(1 / 60)
    for n in range(100):
        latency.shown(n / 60, n / 60, n / 60, heard_t=1.0)
    assert isnan(latency.ms("total"))
    play(latency, 3, first=6000)
    assert latency.ms("device") == pytest.approx(10.0)


@pytest.mark.parametrize("rate", [8000, 44100, 48000, 192000])
def test_the_windows_delay_is_when_a_tone_begins_to_show(rate: int) -> None:
    assert 0.002 < window_delay_s(rate) < 0.25 * window_size(rate) / rate
    heard = Spectrum(rate)
    tone = np.sin(2 * np.pi * 1000.0 * np.arange(rate) / rate).astype(np.float32)
    powers = []
    for at in range(0, rate - heard.hop, heard.hop):
        heard.push(tone[at : at + heard.hop])
        powers.append(float(heard.bands.sum()))
    shown_s = np.interp(0.01 * powers[-1], powers, heard.hop / rate * np.arange(1, len(powers) + 1))
    assert shown_s == pytest.approx(window_delay_s(rate), abs=0.004)


def test_the_line_names_every_part() -> None:
    latency = Latency(1 / 60, outside_s=0.03)
    play(latency, 100)
    assert all(name in latency.line() for name in PARTS)
    assert "ahead" in latency.line()
