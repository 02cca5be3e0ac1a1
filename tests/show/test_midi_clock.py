"""MIDI clocks of several ports, of one that was running before, and of one that stumbles, through real decoders."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from performer.io.midi.codec import Decoder
from performer.show.clock import ShowClock
from performer.types.features import Features

CLOCK, START, CONTINUE, STOP = 0xF8, 0xFA, 0xFB, 0xFC
Sent = list[tuple[float, int, tuple[int, ...]]]  # seconds, port, bytes


def pulses(bpm: float, begin: float, end: float, port: int = 0, late: float = 0.0) -> Sent:
    step = 60.0 / bpm / 24
    return [(begin + n * step + late, port, (CLOCK,)) for n in range(round((end - begin) / step))]


def play(sent: Sent, seconds: float, features=lambda t: Features(t=t), fps: int = 60) -> list:
    """(t, pulse) of each picture."""
    clock, moments = ShowClock(), []
    decoders = {port: Decoder("one name for all") for port in {port for _, port, _ in sent}}
    pending = sorted(sent)
    for i in range(round(seconds * fps)):
        t = (i + 1) / fps
        due = [one for one in pending if one[0] <= t]
        pending = pending[len(due) :]
        events = [event for at, port, data in due for event in decoders[port].feed(data, at)]
        moments.append((t, clock.step(t, 1 / fps, features(t), events)))
    return moments


def heard(bpm: float, offset: float = 0.0, confidence: float = 0.8):
    return lambda t: Features(
        t=t, beat=t * bpm / 60.0 + offset, bar=(t * bpm / 60.0 + offset) / 4, bpm=bpm, confidence=confidence
    )


def off(value: float, wanted: float = 0.0) -> float:
    return abs((value - wanted + 0.5) % 1.0 - 0.5)


def two(*ports: int, bpm: float = 120.0, begin: float = 1.0, end: float = 9.0, start: bool = True) -> Sent:
    """The same clock on several ports, one a little later than the other."""
    sent: Sent = []
    for port in ports:
        sent += pulses(bpm, begin, end, port, 0.004 * port)
        if start:
            sent.append((begin - 0.001 + 0.004 * port, port, (START,)))
    return sent


@pytest.mark.parametrize("ports", [(0,), (0, 1), (0, 1, 2), tuple(range(8))])
@pytest.mark.parametrize("start", [True, False])
def test_the_same_clock_on_several_ports_is_one(ports: Sequence[int], start):
    moments = play(two(*ports, start=start), 8.9)
    _, pulse = moments[-1]
    assert pulse.source == "midi" and pulse.bpm == pytest.approx(120.0, abs=0.5) and pulse.confidence >= 0.5
    assert start == (pulse.confidence > 0.9)
    beats = [pulse.beat for _, pulse in moments]
    assert beats == sorted(beats)
    if start:
        assert all(off(pulse.beat, (t - 1.0) * 2.0) < 0.02 for t, pulse in moments if t > 2.0)


def test_of_two_clocks_one_is_followed_and_stayed_with():
    sent = [*two(0, bpm=120.0, end=20.0), *two(1, bpm=97.0, begin=3.0, end=20.0)]
    tempi = {round(pulse.bpm) for t, pulse in play(sent, 19.0) if t > 2.0}
    assert tempi == {120}


def test_a_clock_that_stops_on_one_port_goes_on_by_the_other():
    for end in ([], [(6.0, 0, (STOP,))]):
        sent = [*two(0, end=6.0 if not end else 12.0), *two(1, end=12.0), *end]
        moments = play(sent, 11.9)
        after = [(t, pulse) for t, pulse in moments if t > 7.0]
        assert all(pulse.source == "midi" and abs(pulse.bpm - 120.0) < 0.5 for _, pulse in after)
        assert all(off(pulse.beat, (t - 1.0) * 2.0) < 0.02 for t, pulse in after)


def test_a_started_clock_is_preferred_to_one_that_only_runs():
    sent = [*two(0, bpm=120.0, begin=1.0, end=20.0, start=False), *two(1, bpm=97.0, begin=5.0, end=20.0)]
    _, pulse = play(sent, 12.0)[-1]
    assert pulse.bpm == pytest.approx(97.0, abs=0.5)


def test_a_clock_whose_start_was_missed_goes_on_from_the_beat_that_was():
    tapped = heard(120.0, 0.3, confidence=0.3)
    moments = play(two(0, begin=4.0, start=False), 8.9, lambda t: tapped(t) if t < 4.3 else Features(t=t))
    assert moments[-1][1].source == "midi"
    assert all(off(pulse.beat, t * 2.0 + 0.3) < 0.02 for t, pulse in moments if t > 1.0)


def test_its_beats_are_where_they_are_heard():
    moments = play(two(0, start=False), 8.9, lambda t: heard(120.3, 0.3, confidence=0.5)(t))
    assert all(
        pulse.source == "midi" and abs(pulse.bpm - 120.0) < 0.5 and off(pulse.beat, t * 120.3 / 60.0 + 0.3) < 0.02
        for t, pulse in moments
        if t > 2.0
    )


def test_a_machine_that_idles_at_another_tempo_does_not_lead_sound_that_is_sure():
    moments = play(two(0, bpm=120.0, end=12.0, start=False), 11.0, heard(97.0))
    assert moments[-1][1].source == "audio" and moments[-1][1].bpm == 97.0


def test_a_clock_that_was_stopped_gives_no_tempo_and_goes_on_where_it_is_told():
    sent = [*two(0, end=12.0), (4.0, 0, (STOP,)), (6.0, 0, (0xF2, 8, 0)), (6.0005, 0, (CONTINUE,))]
    moments = play(sent, 11.9)
    assert all(pulse.source == "none" for t, pulse in moments if 4.5 < t < 5.9)
    assert all(off(pulse.beat, (t - 6.0) * 2.0) < 0.1 for t, pulse in moments if t > 7.5)


def test_a_gap_does_not_bend_the_tempo():
    sent = [one for one in two(0, end=12.0) if not 5.0 < one[0] < 6.5]
    after = [pulse for t, pulse in play(sent, 11.9) if t > 7.0]
    assert all(abs(pulse.bpm - 120.0) < 0.5 and pulse.source == "midi" for pulse in after)


def test_ports_that_come_and_go_all_night_are_forgotten():
    clock = ShowClock()
    for number in range(100):
        decoder = Decoder()
        for n in range(12):
            t = number + n * 0.02
            clock.step(t, 0.02, Features(t=t), decoder.feed((CLOCK,), t))
    assert len(clock._midi._clocks) <= 32 and clock.pulse.source == "midi"
