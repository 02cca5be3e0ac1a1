"""The show clock's sources and wishes; cues and the autopilot; MIDI clock out; Link between two peers."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from queue import SimpleQueue

import numpy as np
import pytest
from parts.patience import PATIENCE_S
from parts.shows import loud, run, show

from performer.io.midi import clock_out, system
from performer.show.show import Show
from performer.show.status_text import waiting
from performer.system.mailboxes import Latest
from performer.types.features import Features
from performer.types.frame import ControlEvent

DT = 1 / 60


def heard(bpm: float = 120.0, confidence: float = 0.8, meter: int = 4):
    """Features of steady music."""
    return lambda t: Features(
        t=t, beat=t * bpm / 60.0, bar=t * bpm / 60.0 / meter, bpm=bpm, confidence=confidence, meter=meter
    )


def link_events(bpm: float, seconds: float, start: float = 0.0, offset: float = 0.0) -> list[ControlEvent]:
    times = np.arange(start, start + seconds, 0.02)
    return [
        ControlEvent(start, "link.peers", 1.0),
        ControlEvent(start, "link.tempo", bpm),
        *(ControlEvent(float(t), "link.beat", float((t - start) * bpm / 60.0 + offset)) for t in times),
    ]


def ticks(bpm: float, seconds: float, start: float, bursts_s: float = 0.0) -> list[ControlEvent]:
    """A MIDI clock; with bursts_s, one behind a line that delivers only so often."""
    times = np.arange(start, start + seconds, 60.0 / bpm / 24)
    if bursts_s:
        times = np.ceil(times / bursts_s) * bursts_s
    return [ControlEvent(start, "midi.start"), *(ControlEvent(float(t), "midi.clock") for t in times)]


def off(value: float, wanted: float) -> float:
    return abs((value - wanted + 0.5) % 1.0 - 0.5)


def test_link_leads_while_somebody_else_is_there_and_sound_takes_over_after() -> None:
    frames = run(show(), 8.0, features=heard(100.0), events=link_events(126.0, 4.0, offset=2.25))
    during = next(f for f in frames if f.t > 3.0)
    assert during.sync == "link" and during.features.bpm == pytest.approx(126.0)
    assert off(during.features.beat, during.t * 126.0 / 60.0 + 2.25) < 0.02
    assert frames[-1].sync == "audio" and frames[-1].features.bpm == pytest.approx(100.0)
    beats = [f.features.beat for f in frames]
    assert beats == sorted(beats) and max(np.diff(beats)) < 0.2
    alone = [e for e in link_events(126.0, 4.0) if e.address != "link.peers"]
    assert run(show(), 2.0, features=heard(100.0), events=alone)[-1].sync == "audio"


def test_a_clock_that_stumbles_loses_to_sound_that_is_sure() -> None:
    clean = run(show(), 4.0, features=heard(confidence=0.9), events=ticks(128.0, 4.0, 0.1))[-1]
    wild = run(show(), 4.0, features=heard(confidence=0.9), events=ticks(128.0, 4.0, 0.1, bursts_s=0.3))[-1]
    assert (clean.sync, wild.sync) == ("midi", "audio")


@pytest.mark.parametrize(("wish", "factor"), (("show.double", 2.0), ("show.half", 0.5)))
def test_tempo_is_doubled_and_halved_until_undone_or_the_music_changes(wish: str, factor: float) -> None:
    it = show()
    frames = run(it, 3.0, features=heard(), events=[ControlEvent(1.0, wish)])
    assert frames[-1].features.bpm == pytest.approx(120.0 * factor) and f"x{factor:g}" in waiting(frames[-1].status)
    beats = [f.features.beat for f in frames]
    assert beats == sorted(beats) and beats[-1] - beats[-61] == pytest.approx(2.0 * factor, rel=0.02)
    undone = run(
        it, 1.0, features=heard(), start=3.0, events=[ControlEvent(3.1, "show.half" if factor > 1.0 else "show.double")]
    )
    assert undone[-1].features.bpm == pytest.approx(120.0)
    run(it, 1.0, features=heard(), start=4.0, events=[ControlEvent(4.1, wish)])
    assert run(it, 1.0, features=heard(150.0), start=5.0)[-1].features.bpm == pytest.approx(150.0)


def test_resync_makes_this_moment_the_downbeat() -> None:
    frames = run(show(), 6.0, features=heard(), events=[ControlEvent(3.2, "show.resync")])
    after = [f for f in frames if f.t > 4.0]
    assert all(off(f.features.beat, (f.t - 3.2) * 2.0) < 0.08 for f in after)
    assert all(off(f.features.bar, (f.t - 3.2) * 0.5) < 0.04 for f in after)
    for name in ("beat", "bar"):
        values = [getattr(f.features, name) for f in frames]
        assert values == sorted(values)


def test_a_nudge_moves_the_beat_by_so_many_seconds() -> None:
    nudges = [ControlEvent(1.0 + 0.1 * i, "show.nudge", 0.01) for i in range(5)]
    frames = run(show(), 4.0, features=heard(), events=nudges)
    assert off(frames[-1].features.beat, frames[-1].t * 2.0 + 0.1) < 0.005


def test_bars_of_three_stay_bars_of_three() -> None:
    frames = run(show(), 6.0, features=heard(meter=3))
    assert frames[-1].features.meter == 3
    assert frames[-1].features.bar - frames[-61].features.bar == pytest.approx(2.0 / 3.0, rel=0.02)


def test_who_taps_along_for_long_keeps_the_bars_going() -> None:
    taps = [ControlEvent(1.0 + 0.5 * k, "show.tap") for k in range(32)]
    frames = run(show(), 17.0, events=taps)
    bars = {round((f.features.t - 1.0) / 0.5, 2): f.features.bar for f in frames}
    assert bars[28.0] - bars[12.0] == pytest.approx(4.0, abs=0.1)
    for number in (12.0, 16.0, 20.0, 24.0, 28.0):
        assert (bars[number] + 0.5) % 1.0 == pytest.approx(0.5, abs=0.05), "every fourth tap is a downbeat"


def two(quantise: str = "now", autopilot: int = 0, seed: int = 0) -> Show:
    first = show()
    presets = []
    for name in ("one", "two", "three", "four"):
        presets.append(
            first.presets[0].model_copy(update={"name": name, "title": name})
            if hasattr(first.presets[0], "model_copy")
            else _renamed(first.presets[0], name)
        )
    return Show(presets, "one", seed=seed, quantise=quantise, autopilot=autopilot)


def _renamed(preset, name):
    from dataclasses import replace

    return replace(preset, name=name, title=name)


@pytest.mark.parametrize(("quantise", "after"), (("now", 0.0), ("beat", 0.5), ("bar", 2.0), ("phrase", 16.0)))
def test_a_change_waits_for_its_boundary(quantise: str, after: float) -> None:
    frames = run(two(quantise), 20.0, features=heard(), events=[ControlEvent(0.3, "show.preset", 0.0, "two")])
    begun = next(f.t for f in frames if f.incoming is not None or f.scene.preset.name == "two")
    assert begun == pytest.approx(max(0.3, after), abs=0.06)
    if quantise in ("bar", "phrase"):
        assert "two in" in waiting(next(f for f in frames if f.t > 0.5).status)


def test_a_change_never_hangs_where_no_beat_is_known() -> None:
    frames = run(two("bar"), 6.0, events=[ControlEvent(1.0, "show.preset", 0.0, "two")])
    begun = next(f.t for f in frames if f.incoming is not None or f.scene.preset.name == "two")
    assert begun == pytest.approx(3.0, abs=0.1)


def test_asked_for_twice_it_comes_at_once() -> None:
    asked = [ControlEvent(t, "show.preset", 0.0, "two") for t in (0.2, 0.6)]
    frames = run(two("phrase"), 2.0, features=heard(), events=asked)
    begun = next(f.t for f in frames if f.incoming is not None)
    assert begun == pytest.approx(0.6, abs=0.06)


def played(frames) -> list[str]:
    names = [(f.incoming or f.scene).preset.name for f in frames]
    return [name for i, name in enumerate(names) if i == 0 or names[i - 1] != name]


def test_the_autopilot_changes_at_phrases_in_an_order_of_its_seed() -> None:
    frames = run(two(autopilot=8), 70.0, features=heard())
    names = played(frames)
    assert names[0] == "one" and len(names) == 5 and set(names[1:4]) == {"two", "three", "four"}
    assert played(run(two(autopilot=8), 70.0, features=heard())) == names
    orders = {tuple(played(run(two(autopilot=8, seed=seed), 70.0, features=heard()))) for seed in range(5)}
    assert len(orders) > 1
    changes = [f.t for f, g in zip(frames[1:], frames, strict=False) if f.incoming is not None and g.incoming is None]
    assert all(off(t / 16.0, 0.0) < 0.01 for t in changes)


def test_the_autopilot_goes_by_time_without_a_beat_and_can_be_switched() -> None:
    assert len(played(run(two(autopilot=4), 17.0))) == 3
    off_again = run(two(autopilot=4), 17.0, events=[ControlEvent(0.5, "show.autopilot")])
    assert len(played(off_again)) == 1


def test_a_drop_brings_the_change_forward_to_the_next_downbeat() -> None:
    def dropping(t: float) -> Features:
        return Features(t=t, beat=t * 2.0, bar=t / 2.0, bpm=120.0, confidence=0.8, drops=int(t > 11.0))

    frames = run(two(autopilot=8), 14.0, features=dropping)
    begun = next(f.t for f in frames if f.incoming is not None)
    assert begun == pytest.approx(12.0, abs=0.06)


def test_a_jump_moves_the_walkers_on_at_the_bar() -> None:
    frames = run(two("bar"), 4.0, features=heard(), events=[ControlEvent(0.5, "show.jump")])
    layer = next(iter(frames[0].scene.walks), None)
    if layer is None:
        pytest.skip("this preset has no walker")
    steps = np.diff([f.scene.walks[layer].position for f in frames])
    assert frames[int(steps.argmax()) + 1].t == pytest.approx(2.0, abs=0.06) and steps.max() > 0.2


class _Port:
    def __init__(self) -> None:
        self.sent: list[tuple[float, list[int]]] = []
        self.now = 0.0

    def send_message(self, message: list[int]) -> None:
        self.sent.append((self.now, message))

    def close_port(self) -> None:
        self.sent.append((self.now, []))


def test_midi_clock_out_sends_24_pulses_a_beat_from_a_downbeat_on() -> None:
    port, frames = _Port(), Latest()
    clock = clock_out.MidiClock(port, frames, lambda: port.now)
    made = run(show(), 10.0, features=heard(126.0))
    for now in np.arange(0.0, 9.9, 0.001):
        port.now = float(now)
        frames.post(made[min(int(now / DT), len(made) - 1)])
        for _ in range(3):
            if clock.step() > 0.0:
                break
    starts = [t for t, message in port.sent if message == [clock_out.START]]
    pulses = np.array([t for t, message in port.sent if message == [clock_out.PULSE]])
    assert len(starts) == 1 and off(starts[0] * 126.0 / 240.0, 0.0) < 0.02
    assert np.abs(np.diff(pulses) - 60.0 / 126.0 / 24).max() < 0.003
    assert abs(pulses[0] - starts[0]) < 0.006
    port.now = 20.0  # the beat is lost
    frames.post(run(show(), 0.1)[-1])
    clock.step()
    assert port.sent[-1][1] == [clock_out.STOP]


def test_midi_clock_out_goes_on_after_a_port_that_failed_once() -> None:
    class Hurried(threading.Event):
        def wait(self, timeout: float | None = None) -> bool:
            return self.is_set()

    stop = Hurried()

    class Failing(_Port):
        failures, open = 1, True

        def send_message(self, message: list[int]) -> None:
            if self.failures or not self.open:
                self.failures = 0
                raise RuntimeError("no answer")
            super().send_message(message)
            stop.set()

        def close_port(self) -> None:
            self.open = False

    def now() -> float:
        port.now += 0.001
        return port.now

    port, frames = Failing(), Latest()
    frames.post(run(show(), 4.0, features=heard(126.0))[-1])
    port.now = 4.0
    with pytest.raises(RuntimeError, match="no answer"):
        clock_out.MidiClock(port, frames, now).run(stop)
    port.now = 4.0
    clock_out.MidiClock(port, frames, now).run(stop)  # as `restart_on_error` does
    assert [message for _, message in port.sent] == [[clock_out.START], [clock_out.STOP]]


def test_midi_clock_out_reaches_a_real_port(jack) -> None:
    import rtmidi

    drum_machine = rtmidi.MidiIn(rtmidi.API_UNIX_JACK, "drum machine")
    drum_machine.ignore_types(timing=False)
    drum_machine.open_virtual_port("in")
    found: list[int] = []
    drum_machine.set_callback(lambda message, _: found.append(message[0][0]))
    frames, stop, begun = Latest(), threading.Event(), time.perf_counter()
    port = clock_out.open_port("drum machine", system.api_number("jack"))
    clock = clock_out.MidiClock(port, frames, lambda: time.perf_counter() - begun)
    frames.post(run(show(), 0.1, features=heard(120.0))[-1])
    thread = threading.Thread(target=clock.run, args=(stop,))
    thread.start()
    patience = time.monotonic() + PATIENCE_S
    while not found and time.monotonic() < patience:  # it starts on the next downbeat
        time.sleep(0.05)
    time.sleep(1.2)
    stop.set()
    thread.join()
    time.sleep(0.1)
    drum_machine.close_port()
    drum_machine.delete()
    assert found[0] == clock_out.START and found[-1] == clock_out.STOP
    assert 24 < found.count(clock_out.PULSE) < 80


def test_an_unknown_port_is_a_fault(jack) -> None:
    from performer.system.errors import Fault

    with pytest.raises(Fault, match="no such port"):
        clock_out.open_port("nowhere at all", system.api_number("jack"))


def test_without_a_midi_system_the_clock_says_so(monkeypatch, capfd) -> None:
    from performer.system.errors import Fault

    monkeypatch.setattr(system, "SEQUENCER", Path("/nowhere/seq"))
    monkeypatch.setattr("sys.platform", "linux")
    with pytest.raises(Fault, match="no MIDI system here"):
        clock_out.open_port("drum machine", 0)
    assert "ALSA" not in capfd.readouterr().err


def test_two_link_peers_share_a_tempo() -> None:
    link = pytest.importorskip("link")
    from performer.io.link import Link

    other = link.Link(133.0)
    other.enabled = True
    events: SimpleQueue[ControlEvent] = SimpleQueue()
    ours = Link(events, time.perf_counter)
    try:
        for _ in range(200):  # ten seconds: where there is no way from one to the other, there is nothing to test
            ours.look()
            if ours.peers:
                break
            time.sleep(0.05)
        if not ours.peers:
            pytest.skip("peers cannot find each other on this network")
        state = other.captureSessionState()
        state.setTempo(141.0, other.clock().micros())
        other.commitSessionState(state)
        for _ in range(60):
            ours.look()
            time.sleep(0.02)
        assert "141.0 bpm" in ours.note and "1 other" in ours.note
        it = show()
        t = time.perf_counter()
        found = [events.get_nowait() for _ in range(events.qsize())]
        frames = run(it, 0.5, features=lambda t: loud(t), start=t - 0.4, events=found)
        assert frames[-1].sync == "link" and frames[-1].features.bpm == pytest.approx(141.0, abs=0.1)
    finally:
        other.enabled = False
        ours._link.enabled = False


def test_the_autopilot_does_not_wait_for_bars_that_never_come() -> None:
    def stuck(t: float) -> Features:
        return Features(t=t, beat=3.0, bar=0.75, bpm=120.0, confidence=0.9)

    assert len(played(run(two(autopilot=4), 60.0, features=stuck))) >= 2
