"""Beat, bar and tempo: locking on clicks, monotone and continuous counts, and what the report announces."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from parts.clicks import RATE, clicks
from parts.hearing import hear, kicks

from performer.audio.analyse_file import analyse
from performer.audio.beat_network import beat_net
from performer.audio.downbeat import BarModel
from performer.audio.song_start import Opening
from performer.types.features import HEAD

AT = {name: HEAD.index(name) for name in HEAD}
CORPUS = Path(__file__).resolve().parents[2].parent / "shared" / "corpus"


@pytest.mark.parametrize("bpm", (90.0, 120.0, 140.0, 174.0))
@pytest.mark.parametrize("sound", ("clicks", "kicks"))
def test_a_steady_track_locks_within_four_seconds_and_stays(bpm: float, sound: str) -> None:
    made = clicks(bpm, 20.0) if sound == "clicks" else kicks(RATE, bpm, 20.0)
    report = analyse([made], RATE)
    truth = np.arange(0.0, 20.0, 60.0 / bpm)
    late = truth[(truth > 4.0) & (truth < 19.5)]
    beats = np.array([beat["t"] for beat in report["beats"]])
    apart = np.abs(late[:, None] - beats[None, :]).min(1)
    assert apart.max() <= 0.035
    assert len(beats[(beats > 4.0) & (beats < 19.5)]) == pytest.approx(len(late), abs=1)
    assert report["tempo"][-1]["bpm"] == pytest.approx(bpm, rel=0.01)
    assert report["tempo"][-1]["confidence"] > 0.6


@settings(max_examples=8, deadline=None)
@given(st.floats(60.0, 200.0), st.floats(60.0, 200.0), st.floats(0.0, 0.3), st.integers(0, 2**31))
def test_beat_and_bar_never_go_back_nor_jump(before: float, after: float, noise: float, seed: int) -> None:
    made = np.concatenate([clicks(before, 4.0, 4), clicks(after, 4.0, 3)])
    made = made + np.float32(noise) * np.random.default_rng(seed).standard_normal(len(made)).astype(np.float32)
    analyzer, rows = hear(made, RATE)
    dt = analyzer.hop / RATE
    for name, most in (("beat", 215 / 60 * dt * 2.6), ("bar", 215 / 60 / 3 * dt * 3.1)):
        steps = np.diff(rows[:, AT[name]])
        assert steps.min() >= 0.0
        assert steps.max() <= most


def test_a_new_tempo_is_followed() -> None:
    made = np.concatenate([kicks(RATE, 120.0, 8.0), kicks(RATE, 132.0, 10.0)])
    report = analyse([made], RATE)
    assert report["tempo"][14]["bpm"] == pytest.approx(120.0, rel=0.015)
    assert report["tempo"][-1]["bpm"] == pytest.approx(132.0, rel=0.015)


def test_a_break_is_coasted_through() -> None:
    made = np.concatenate([kicks(RATE, 120.0, 10.0), np.zeros(6 * RATE, np.float32)])
    made += 1e-3 * np.random.default_rng(5).standard_normal(len(made)).astype(np.float32)
    report = analyse([made], RATE)
    beats = np.array([beat["t"] for beat in report["beats"]])
    wanted = np.arange(10.5, 15.9, 0.5)
    assert np.abs(wanted[:, None] - beats[None, :]).min(1).max() < 0.07


@pytest.mark.parametrize("length", (3, 4))
def test_accents_open_the_bars(length: int) -> None:
    report = analyse([clicks(132.0, 30.0, length)], RATE)
    truth = np.arange(0.0, 30.0, 60.0 / 132.0)[::length]
    late = truth[(truth > 15.0) & (truth < 29.0)]
    bars = np.array([bar["t"] for bar in report["downbeats"]])
    assert np.abs(late[:, None] - bars[None, :]).min(1).max() < 0.07
    assert len(bars[(bars > 15.0) & (bars < 29.0)]) == pytest.approx(len(late), abs=1)


def test_music_begins_with_the_first_beat_of_a_bar_unless_it_tells_otherwise() -> None:
    """Bars of nothing but equal beats begin where the music did, after silence too; accents elsewhere win in time."""
    equal = clicks(120.0, 12.0)
    for sound, begun in ((equal, 0.0), (np.concatenate([np.zeros(3 * RATE, np.float32), equal]), 3.0)):
        bars = np.array([bar["t"] for bar in analyse([sound], RATE, beat_net())["downbeats"]])
        wanted = begun + np.arange(6.0, 11.5, 2.0)
        assert np.abs(wanted[:, None] - bars[None, :]).min(1).max() < 0.07
    bars = BarModel()
    for beat in range(40):
        bars.update(beat, 0.8 if beat % 4 == 1 else 0.1)
        if beat == 3:
            bars.opens(beat, 0, BarModel.JOINING)
            assert (bars.length, bars.first) == (4, 1)
    assert (bars.length, bars.first) == (4, 1)


def test_the_report_is_causal_and_complete() -> None:
    report = analyse(np.array_split(kicks(RATE, 128.0, 10.0), 37), RATE)
    assert set(report) == {"audio_s", "cpu_s", "hop_s", "beats", "downbeats", "tempo", "onsets"}
    assert report["audio_s"] == pytest.approx(10.0, abs=0.01)
    assert report["hop_s"] <= 0.006 and report["cpu_s"] > 0.0
    for kind in ("beats", "downbeats", "onsets"):
        times = [entry["t"] for entry in report[kind]]
        assert times == sorted(times)
        assert all(0.0 <= entry["emitted"] - entry["t"] < 0.05 for entry in report[kind])
    json.dumps(report)


@pytest.mark.parametrize("sound", ([], [np.zeros(0, np.float32)], [np.ones(1, np.float32)]))
def test_the_report_of_next_to_nothing(sound: list[np.ndarray]) -> None:
    report = analyse(sound, RATE)
    assert report["beats"] == [] and report["downbeats"] == [] and report["tempo"] == []


@pytest.mark.skipif(not (CORPUS / "manifest.json").exists(), reason="the corpus is not here")
def test_real_dance_music_is_followed() -> None:
    soundfile = pytest.importorskip("soundfile")
    entry = next(e for e in json.loads((CORPUS / "manifest.json").read_text()) if "TameAnderson" in e["file"])
    frames, rate = soundfile.read(CORPUS / entry["file"], dtype="float32", always_2d=True)
    report = analyse([frames.mean(1)], rate)
    beats = np.array([beat["t"] for beat in report["beats"]])
    truth = np.array(entry["beats"])
    truth = truth[truth > 15.0]
    assert np.mean(np.abs(truth[:, None] - beats[None, :]).min(1) < 0.07) > 0.95


def test_a_break_without_drums_is_coasted_through_for_eight_bars() -> None:
    """Drums, eight bars of a pad, and drums again on the same grid: all beats in between are where they belong."""
    bpm, bars = 120.0, 8
    drums, gap = kicks(RATE, bpm, 12.0), bars * 4 * 60.0 / bpm
    t = np.arange(int(gap * RATE)) / RATE
    pad = sum(np.sin(2 * np.pi * f * t) for f in (220.0, 277.2, 329.6)) * 0.05
    pad *= np.minimum(1.0, np.minimum(t, gap - t) / 0.5)
    report = analyse([np.concatenate([drums, pad.astype(np.float32), drums])], RATE, beat_net())
    beats = np.array([beat["t"] for beat in report["beats"]])
    for first, last in ((12.5, 12.0 + gap), (12.5 + gap, 23.0 + gap)):
        wanted = np.arange(first, last, 0.5)
        assert np.abs(wanted[:, None] - beats[None, :]).min(1).max() < 0.07


def test_a_leap_of_tempo_is_followed_within_four_beats() -> None:
    made = np.concatenate([kicks(RATE, 120.0, 12.0), kicks(RATE, 138.0, 12.0)])
    report = analyse([made], RATE, beat_net())
    beats = np.array([beat["t"] for beat in report["beats"]])
    wanted = np.arange(12.0, 23.5, 60.0 / 138.0)[4:]
    assert np.median(np.abs(wanted[:, None] - beats[None, :]).min(1)) < 0.035
    tempo = [entry["bpm"] for entry in report["tempo"] if entry["t"] > 12.0 + 6 * 60.0 / 138.0]
    assert np.median(tempo) == pytest.approx(138.0, rel=0.02)


@pytest.mark.parametrize(("length", "bpm"), ((3, 132.0), (4, 120.0), (6, 190.0), (7, 200.0)))
def test_bars_of_any_length_are_counted(length: int, bpm: float) -> None:
    report = analyse([clicks(bpm, 40.0, length)], RATE, beat_net())
    truth = np.arange(0.0, 40.0, 60.0 / bpm)[::length]
    late = truth[(truth > 25.0) & (truth < 39.0)]
    bars = np.array([bar["t"] for bar in report["downbeats"]])
    assert np.abs(late[:, None] - bars[None, :]).min(1).max() < 0.07
    assert len(bars[(bars > 25.0) & (bars < 39.0)]) == pytest.approx(len(late), abs=1)


def leaning(bpm: float, sure_s: float, seconds: float, silence_s: float = 0.0) -> np.ndarray:
    """Kicks on the beat; then hardly any, and bright strokes half way between, as a snare on all off-beats."""
    rng = np.random.default_rng(3)
    t = np.arange(int(0.12 * RATE)) / RATE
    kick = np.sin(2 * np.pi * 60 * t) * np.exp(-t * 30)
    snare = (rng.standard_normal(len(t)) * 0.6 + np.sin(2 * np.pi * 190 * t)) * np.exp(-t * 35)
    sound = np.zeros(int(seconds * RATE) + len(t))
    for beat in np.arange(0.0, seconds, 60.0 / bpm):
        at, off = round(beat * RATE), round((beat + 30.0 / bpm) * RATE)
        sound[at : at + len(t)] += kick * (0.5 if beat < sure_s else 0.04)
        if beat >= sure_s and off + len(t) < len(sound):
            sound[off : off + len(t)] += 0.5 * snare
    return np.concatenate([np.zeros(int(silence_s * RATE)), sound[: int(seconds * RATE)]]).astype(np.float32)


@pytest.mark.parametrize("silence_s", (0.02, 3.0))
def test_the_beat_that_music_began_with_is_kept_when_the_off_beats_grow_loud(silence_s: float) -> None:
    sound = leaning(112.0, 6.0, 24.0, silence_s)
    beats = np.array([beat["t"] for beat in analyse([sound], RATE, beat_net())["beats"]]) - silence_s
    wanted = np.arange(0.0, 23.5, 60.0 / 112.0)
    wanted = wanted[wanted > 4.0]
    assert np.abs(wanted[:, None] - beats[None, :]).min(1).max() < 0.07


@pytest.mark.parametrize(("cut_s", "kept"), ((0.004, True), (0.25, False)))
def test_music_that_was_cut_at_a_stroke_began_there_and_cut_elsewhere_did_not(cut_s: float, kept: bool) -> None:
    """At full level from the first sample on: 4 ms after a kick has set in, or anywhere in a tone that goes through."""
    sound = leaning(112.0, 6.0, 24.0)
    if not kept:
        sound += 0.1 * np.cos(2 * np.pi * 110 * np.arange(len(sound)) / RATE).astype(np.float32)
    sound = sound[round(cut_s * RATE) :]
    assert float(np.sqrt(np.mean(np.square(sound[: RATE // 1000])))) > 0.05
    beats = np.array([beat["t"] for beat in analyse([sound], RATE, beat_net())["beats"]]) + cut_s
    wanted = np.arange(0.0, 23.0, 60.0 / 112.0) + (0.0 if kept else 30.0 / 112.0)
    wanted = wanted[wanted > 18.0]
    assert np.abs(wanted[:, None] - beats[None, :]).min(1).max() < 0.07


def test_how_music_began_tells_of_bars_as_far_as_it_was_heard() -> None:
    """Out of silence; cut at a stroke, until something is louder; in the course of it."""

    def opening(first: float, stroke: float, later: float) -> Opening:
        made = Opening(0.01)
        made.join(first)
        for frame in range(200):
            made.update(stroke if frame < 10 else later, frame * 0.01, 0.0)
        return made

    assert opening(0.0, 1.0, 3.0).odds(0.5) == BarModel.OPENING
    assert opening(0.5, 1.0, 0.6).odds(0.5) == BarModel.STRUCK
    assert opening(0.5, 1.0, 1.5).odds(0.5) == BarModel.JOINING
    assert opening(0.5, 1.0, 3.0).loud and not opening(0.0, 0.01, 3.0).loud
    assert opening(0.5, 1.0, 0.6).heard(0.5) and not opening(0.5, 1.0, 1.5).heard(0.5)
    begun = opening(0.5, 1.0, 1.5)
    begun.silence()
    assert begun.heard(0.5)


def test_music_began_on_a_beat_though_all_that_follows_lies_between_them() -> None:
    """One kick, and then strokes on the off-beats: they are the beat until that is steady, and off-beats then."""
    sound = leaning(112.0, 0.1, 24.0, 0.02)
    beats = np.array([beat["t"] for beat in analyse([sound], RATE, beat_net())["beats"]]) - 0.02
    wanted = np.arange(0.0, 23.0, 60.0 / 112.0)
    wanted = wanted[wanted > 14.0]
    assert np.abs(wanted[:, None] - beats[None, :]).min(1).max() < 0.07


def test_a_beat_that_was_steady_for_long_is_kept_wherever_the_music_was_joined() -> None:
    sound = leaning(112.0, 14.0, 30.0)
    sound += 0.1 * np.cos(2 * np.pi * 110 * np.arange(len(sound)) / RATE).astype(np.float32)
    beats = np.array([beat["t"] for beat in analyse([sound], RATE, beat_net())["beats"]])
    wanted = np.arange(0.0, 29.0, 60.0 / 112.0)
    wanted = wanted[wanted > 4.0]
    assert np.abs(wanted[:, None] - beats[None, :]).min(1).max() < 0.07


def test_the_noise_of_a_room_is_no_beginning_of_music() -> None:
    """Noise sets in half a beat before the first kick, 25 dB below it."""
    noise = np.random.default_rng(5).standard_normal(RATE * 25).astype(np.float32)
    sound = np.zeros(RATE * 25, np.float32)
    song = leaning(112.0, 40.0, 24.0)
    first = round(30.0 / 112.0 * RATE)
    sound[first : first + len(song)] = song
    sound += 0.01 * noise
    sound[: RATE // 500] = 0.0
    beats = np.array([beat["t"] for beat in analyse([sound], RATE, beat_net())["beats"]])
    wanted = np.arange(8, 43) * 60.0 / 112.0 + 30.0 / 112.0
    assert np.abs(wanted[:, None] - beats[None, :]).min(1).max() < 0.07
