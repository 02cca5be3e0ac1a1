"""What a person moved the beat by holds until its source mends itself, goes on to something else, or all is undone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest
from parts.shows import run, show

from performer.show.clock import ShowClock
from performer.show.status_text import moved_by_hand, waiting
from performer.types.features import Features
from performer.types.frame import ControlEvent

BPM = 120.0
STRUCK = 10.0  # when a person strikes the downbeat, which falls on whole seconds


def sound(beside: Callable[[float], float], bar: Callable[[float], float] = lambda t: 0.0, **more):
    """An analyser whose beat is so many beats beside the true one, and its downbeat so many more."""

    def features(t: float) -> Features:
        beat = t * BPM / 60.0 + beside(t)
        return Features(**{"t": t, "beat": beat, "bar": (beat + bar(t)) / 4, "bpm": BPM, "confidence": 0.8, **more})

    return features


def off(value: float, wanted: float = 0.0) -> float:
    return abs((value - wanted + 0.5) % 1.0 - 0.5)


def slide(begin: float, seconds: float, by: float) -> Callable[[float], float]:
    """What a tracker's clock does that moves by so many beats."""
    return lambda t: by * min(max((t - begin) / seconds, 0.0), 1.0)


@dataclass(frozen=True)
class Moment:
    """What the clock says, and what the panel says of it."""

    t: float
    beat: float
    bar: float
    said: str


def play(seconds: float, features=lambda t: Features(t=t), events=(), fps: int = 60) -> list[Moment]:
    clock, moments, pending = ShowClock(), [], sorted(events, key=lambda event: event.t)
    for i in range(round(seconds * fps)):
        t = (i + 1) / fps
        due = [event for event in pending if event.t <= t]
        pending = pending[len(due) :]
        pulse = clock.step(t, 1 / fps, features(t), due)
        moments.append(Moment(t, pulse.beat, pulse.bar, moved_by_hand(pulse.moved, pulse.downbeat_moved, pulse.meter)))
    return moments


def struck(features, seconds: float = 40.0, more=(), at: float = STRUCK) -> list[Moment]:
    return play(seconds, features, [ControlEvent(at, "show.resync"), *more])


def at(moments: list[Moment], t: float) -> Moment:
    return next(moment for moment in moments if moment.t > t)


@pytest.mark.parametrize("seconds", [0.01, 0.4, 1.5])
@pytest.mark.parametrize("by", [0.5, -0.5, 0.3, -0.2, 0.15])
def test_a_source_that_mends_itself_is_right_again(seconds, by):
    features = sound(lambda t: -by + slide(20.0, seconds, by)(t))
    frames = struck(features)
    for f in frames:
        if 12.0 < f.t < 20.0:
            assert off(f.beat - f.t * 2.0) < 0.01 and off(f.bar - (f.t - STRUCK) / 2.0) < 0.01
            assert "by hand" in f.said
        if f.t > 25.0:
            assert off(f.beat - f.t * 2.0) < 0.01 and off(f.bar - f.t / 2.0) < 0.01
            assert "by hand" not in f.said
    beats = [f.beat for f in frames]
    assert beats == sorted(beats)


@pytest.mark.parametrize(("seconds", "by"), [(8.0, 0.5), (15.0, 0.5), (15.0, -0.5), (6.0, 0.3)])
def test_a_source_that_slides_to_where_it_should_be_is_right_again(seconds, by):
    frames = struck(sound(lambda t: -by + slide(20.0, seconds, by)(t)), 50.0)
    assert at(frames, 19.0).said and not frames[-1].said
    assert all(off(f.beat - f.t * 2.0) < 0.01 for f in frames if f.t > 38.0)


def test_it_holds_while_the_source_only_trembles_and_its_tempo_drifts():
    features = sound(lambda t: -0.5 + 0.03 * ((t * 7.3) % 1.0 - 0.5) + 0.004 * t)
    frames = struck(features, 120.0)
    assert frames[-1].said == "beat +0.48 by hand"


def test_a_leap_of_any_size_ends_it():
    frames = struck(sound(lambda t: -0.2 + slide(20.0, 0.4, 0.4)(t)))
    assert off(frames[-1].beat - frames[-1].t * 2.0, 0.2) < 0.01


def test_a_downbeat_that_mends_itself_is_right_again_and_the_beat_stays_moved():
    frames = struck(sound(lambda t: -0.1, slide(20.0, 1.0, 2.0)), at=11.0)
    before = at(frames, 19.0)
    assert "downbeat" in before.said and off(before.bar - (before.t - 11.0) / 2.0) < 0.01
    assert "downbeat" not in frames[-1].said and "beat +0.10" in frames[-1].said
    assert off(frames[-1].bar - (frames[-1].t * 2.0 + 2.0) / 4.0) < 0.01


def test_a_nudge_ends_with_a_leap_too():
    nudges = [ControlEvent(5.0 + 0.1 * i, "show.nudge", 0.01) for i in range(5)]
    frames = play(30.0, sound(slide(20.0, 0.4, 0.5)), nudges)
    assert off(at(frames, 15.0).beat - 30.0, 0.1) < 0.05
    assert off(frames[-1].beat - frames[-1].t * 2.0, 0.5) < 0.01


@pytest.mark.parametrize(
    "ended",
    [
        {"values": {"level": 0.0}},
        {"bpm": 0.0, "confidence": 0.0},
        {"bpm": 150.0},
    ],
)
def test_silence_another_song_or_tempo_ends_it(ended):
    whole = sound(lambda t: -0.3)

    def features(t: float) -> Features:
        return sound(lambda t: -0.3, **ended)(t) if 20.0 < t < 24.0 else whole(t)

    frames = struck(features)
    assert "by hand" in at(frames, 19.0).said
    assert "by hand" not in frames[-1].said and off(frames[-1].beat - frames[-1].t * 2.0, -0.3) < 0.01


def test_a_short_silence_does_not():
    features = sound(lambda t: -0.3)
    quiet = sound(lambda t: -0.3, values={"level": 0.0})
    frames = struck(lambda t: quiet(t) if 20.0 < t < 21.0 else features(t))
    assert "beat +0.30" in frames[-1].said


def test_panic_takes_it_back_and_the_panel_tells():
    it, features = show(), sound(lambda t: -0.3)
    moved = run(it, 3.0, features=features, events=[ControlEvent(2.0, "show.resync")])[-1]
    assert "beat +0.30 by hand" in waiting(moved.status)
    frames = run(it, 3.0, features=features, events=[ControlEvent(3.1, "show.panic")], start=3.0)
    assert (
        "by hand" not in waiting(frames[-1].status) and off(frames[-1].features.beat - frames[-1].t * 2.0, -0.3) < 0.01
    )


@pytest.mark.parametrize("wish", ["show.double", "show.half"])
def test_a_downbeat_that_was_struck_at_another_factor_stays_one_without_it(wish):
    back = {"show.double": "show.half", "show.half": "show.double"}[wish]
    more = [ControlEvent(5.0, wish), ControlEvent(20.0, back)]
    frames = struck(sound(lambda t: -0.3), more=more)
    for f in frames:
        if f.t > 12.0 and (f.t - STRUCK) % 4.0 < 0.01 and abs(f.t - 20.0) > 1.0:
            assert off(f.beat) < 0.05 and off(f.bar) < 0.02


def test_taps_that_begin_anew_and_a_link_that_jumps_forget_it():
    taps = [ControlEvent(1.0 + 0.5 * k, "show.tap") for k in range(8)]
    again = [ControlEvent(12.2 + 0.5 * k, "show.tap") for k in range(8)]
    frames = play(18.0, events=[*taps, ControlEvent(6.25, "show.resync"), *again])
    assert "by hand" in at(frames, 8.0).said
    assert "by hand" not in frames[-1].said and off(frames[-1].beat - (frames[-1].t - 12.2) * 2.0) < 0.02
    link = [ControlEvent(0.0, "link.peers", 1.0), ControlEvent(0.0, "link.tempo", 120.0)]
    link += [ControlEvent(k / 50, "link.beat", k / 25 + (0.6 if k > 500 else 0.0)) for k in range(1000)]
    frames = play(19.0, events=[*link, ControlEvent(6.25, "show.resync")])
    assert "by hand" in at(frames, 8.0).said and "by hand" not in frames[-1].said
