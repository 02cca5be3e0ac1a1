"""Sound in on real parts: a server's null sink, played into by paplay, heard through PortAudio."""

import subprocess
import sys
import threading
import time

import numpy as np
import pytest
import soundfile
from parts.patience import PATIENCE_S
from scipy.signal import correlate

from performer.io.sound import demo_song, player, portaudio, sound_file, soundcard, source
from performer.io.sound.soundcard import SoundCard
from performer.system.errors import Fault


def wait_for(true, timeout: float, sound=None, now=time.perf_counter) -> bool:
    """Look after the sound as the devices' thread does until true() or the time is up."""
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        if true():
            return True
        if sound is not None:
            sound.pump()
            sound.prepare()
            sound.poll(now())
        time.sleep(0.05)
    return False


@pytest.fixture(scope="module")
def groove() -> np.ndarray:
    return demo_song.render(44100)


@pytest.fixture
def song(tmp_path, groove):
    """Twelve seconds of the demo's first drop, not louder than half, as a file."""
    first = int(12 * 4 * 60 / demo_song.BPM * 44100)
    path = tmp_path / "song.wav"
    soundfile.write(path, groove[first : first + 12 * 44100] * 0.5, 44100, subtype="FLOAT")
    return path


@pytest.mark.parametrize("spec", ["default", "system", "pulse"])
def test_what_is_captured_is_what_was_played(pulse, song, spec):
    sound = SoundCard(spec, time.perf_counter)
    sound.open()
    try:
        assert sound.ring.width == 2 and sound.rate == 44100
        pulse.play(song)
        assert wait_for(lambda: np.abs(sound.ring.latest(1000)).max() > 0.01, PATIENCE_S, sound)
        assert sound.state == "running"
        time.sleep(3.0)
        heard = sound.ring.latest(2 * sound.rate)
        played, _ = soundfile.read(song, dtype="float32")
        found = correlate(played[:, 0], heard[:, 0], "valid", "fft")
        at = int(found.argmax())
        part = played[at : at + len(heard)]
        for channel in (0, 1):
            assert np.corrcoef(part[:, channel], heard[:, channel])[0, 1] > 0.98
        assert heard.std() == pytest.approx(part.std(), rel=0.05)
        assert 0.0 < sound.reported_s < 0.5 and 0.0 <= sound.delay_s < 0.2, "both delays of the device are known"
        assert sound.key.startswith("system through ALSA: " if spec == "system" else "ALSA: ")
        assert time.perf_counter() - 0.2 < sound.ring.stamp <= time.perf_counter()
    finally:
        sound.close()


def test_the_server_dies_and_returns_twice(pulse, song):
    sound = SoundCard("default", time.perf_counter)
    sound.open()
    try:
        for _ in range(2):
            player = pulse.play(song)
            assert wait_for(lambda: np.abs(sound.ring.latest(1000)).max() > 0.01, PATIENCE_S, sound)
            pulse.kill()
            player.kill()
            assert wait_for(lambda: sound.state == "lost", PATIENCE_S, sound)
            assert not wait_for(lambda: sound.state == "running" and sound.ring.written > 0, 1.5, sound)
            pulse.start()
        assert wait_for(lambda: sound.state == "running" and sound.ring.written > 0, PATIENCE_S, sound)
    finally:
        sound.close()


def test_a_server_that_freezes_and_thaws(pulse):
    """Whoever looks after the device may hang with it; everyone else goes on, and the sound returns."""
    sound, stop = SoundCard("default", time.perf_counter), threading.Event()

    def look_after() -> None:
        while not stop.wait(0.05):
            sound.poll(time.perf_counter())

    sound.open()
    looking = threading.Thread(target=look_after, daemon=True)
    looking.start()
    try:
        assert wait_for(lambda: sound.ring.written > 4410, PATIENCE_S)
        time.sleep(4.0)
        pulse.freeze()
        assert wait_for(lambda: sound.state == "lost", PATIENCE_S)
        time.sleep(1.0)
        before = sound.ring
        pulse.freeze(False)
        assert wait_for(lambda: sound.ring is not before and sound.ring.written > 4410, PATIENCE_S)
        assert sound.state == "running"
    finally:
        pulse.freeze(False)
        stop.set()
        looking.join(PATIENCE_S)
        sound.close()


FROZEN = """
import sys, threading, time
from performer.io.sound.soundcard import SoundCard
sound = SoundCard("default", time.perf_counter)
sound.open()
time.sleep(4.5)
print("ready", flush=True)
sys.stdin.readline()
threading.Thread(target=lambda: [(sound.poll(time.perf_counter()), time.sleep(0.05)) for _ in range(400)],
                 daemon=True).start()
while sound.state == "running":
    time.sleep(0.05)
time.sleep(0.3)
sound.close()
"""


def test_the_program_ends_though_the_server_is_frozen(pulse):
    program = subprocess.Popen([sys.executable, "-c", FROZEN], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        assert program.stdout.readline() == "ready\n"
        pulse.freeze()
        program.communicate("go\n", timeout=PATIENCE_S)
        assert program.returncode == 0
    finally:
        pulse.freeze(False)
        program.kill()
        program.wait()


def test_an_idle_monitor_that_is_slow_to_begin_is_not_lost(pulse, caplog):
    sound = SoundCard("default", time.perf_counter)
    sound.open()
    try:
        assert wait_for(lambda: sound.ring.written > 4410, PATIENCE_S, sound)
        assert sound.state == "running" and "lost" not in caplog.text
    finally:
        sound.close()


def test_an_unknown_device_is_a_fault_that_names_what_there_is(pulse):
    with pytest.raises(Fault, match=r"'pulze'.*did you mean 'pulse'"):
        SoundCard("pulze", time.perf_counter).open()
    with pytest.raises(Fault, match="'97'"):
        SoundCard("97", time.perf_counter).open()


def test_the_demo_is_heard_at_the_sink_in_step_with_the_ring(pulse):
    """What the ring says is heard now is what the sink's monitor brings, within a server's latency."""
    sound, ears = player.demo_player(time.perf_counter), SoundCard("default", time.perf_counter)
    ears.open()
    sound.open()
    try:
        assert "heard" in sound.note
        assert wait_for(
            lambda: sound.ring.written > 4 * sound.rate and ears.ring.written > 3 * ears.rate, PATIENCE_S, sound
        )
        ears.poll(time.perf_counter())
        sound.pump()
        a, a_end = sound.ring.latest(2 * sound.rate)[::48, 0], sound.ring.stamp
        b, b_end = ears.ring.latest(2 * ears.rate)[:, 0], ears.ring.stamp
        b = np.interp(np.arange(2000) / 1000.0, np.arange(len(b)) / ears.rate, b)
        score = correlate(b - b.mean(), a - a.mean(), "full", "fft") / (a.std() * b.std() * 2000)
        lag_s = (int(score.argmax()) - 1999) / 1000.0 + b_end - a_end
        assert score.max() > 0.4
        assert abs(lag_s) < 0.25
        wait_for(lambda: False, 0.5, sound)
        pulse.kill()
        before = sound.ring.written
        assert wait_for(lambda: sound.ring.written > before + 2 * sound.rate, PATIENCE_S, sound), (
            "it goes on by the clock"
        )
    finally:
        sound.close()
        ears.close()


def test_a_file_is_brought_at_the_pace_of_the_clock(song):
    t = 0.0
    sound = player.Player("song", sound_file.blocks(song, 44100, loop=True), 44100, 2, now=lambda: t, mute=True)
    sound.open()
    played, _ = soundfile.read(song, dtype="float32")
    for step in range(1, 3001):
        t = step / 200.0
        sound.pump()
        if step % 20 == 0:
            sound.prepare()
            sound.poll(t)
    assert sound.ring.written == pytest.approx(15.0 * 44100, abs=2)
    newest = sound.ring.latest(1000)
    end = sound.ring.written - 12 * 44100
    np.testing.assert_array_equal(newest, played[end - 1000 : end])
    assert sound.ring.stamp == pytest.approx(15.0, abs=1e-3)


@pytest.mark.parametrize(
    ("suffix", "subtype"), [("wav", "PCM_16"), ("flac", "PCM_24"), ("ogg", "VORBIS"), ("mp3", "MPEG_LAYER_III")]
)
def test_blocks_give_the_whole_file(tmp_path, groove, suffix, subtype):
    path, clip = tmp_path / f"clip.{suffix}", groove[:44100]
    soundfile.write(path, clip, 44100, subtype=subtype)
    parts = list(sound_file.blocks(path, 1000))
    assert all(part.dtype == np.float32 and part.shape == (1000, 2) for part in parts[:-1])
    whole = np.concatenate(parts)
    assert len(whole) == sound_file.duration_s(path) * 44100
    assert np.corrcoef(whole[:44100, 0], clip[:, 0])[0, 1] > 0.95


def test_bad_files_are_faults(tmp_path):
    (tmp_path / "text.wav").write_text("this is no sound")
    soundfile.write(tmp_path / "empty.wav", np.zeros((0, 2)), 44100)
    for name in ("text.wav", "empty.wav", "missing.wav"):
        with pytest.raises(Fault, match=name):
            source.create(str(tmp_path / name), time.perf_counter).open()


def test_the_demo_is_the_same_every_time_and_mixed(groove):
    seconds = demo_song.BARS * 4 * 60.0 / demo_song.BPM
    assert demo_song.BARS >= 32 and len(groove) == pytest.approx(seconds * 44100, abs=1)
    assert {name for _, name in demo_song.PARTS} >= {"intro", "build", "drop", "break"}
    np.testing.assert_array_equal(groove, demo_song.render(44100))
    assert np.isfinite(groove).all()
    assert 0.5 < np.abs(groove).max() <= 10 ** (-1 / 20) + 1e-6
    assert np.abs(groove.mean(axis=0)).max() < 0.01
    clipped = np.mean(np.abs(groove) > 0.98 * 10 ** (-1 / 20))
    assert clipped < 0.01


def test_the_demo_joins_its_own_beginning_without_a_click(groove):
    bars = demo_song.bars(44100)
    twice = np.concatenate([next(bars) for _ in range(demo_song.BARS + 1)])
    join = len(groove)
    typical = np.quantile(np.abs(np.diff(groove[:, 0])), 0.999)
    assert np.abs(twice[join] - twice[join - 1]).max() <= max(typical, 0.05)


def test_the_demos_kicks_stand_on_its_beats(groove):
    """In the drop the lowest octave rises within 20 ms of every beat."""
    beats = demo_song.beat_times()
    for beat in beats[12 * 4 : 20 * 4]:
        at = int(beat * 44100)
        before = np.abs(groove[at - 400 : at]).mean()
        after = np.abs(groove[at : at + 900]).mean()
        assert after > before


def test_an_output_that_was_lost_is_had_back_when_its_server_returns_late(pulse):
    sound = player.demo_player(time.perf_counter)
    sound.open()
    try:
        assert wait_for(lambda: sound._calls > 10, PATIENCE_S, sound)
        pulse.kill()
        assert wait_for(lambda: sound._stream is None, PATIENCE_S, sound), "the first try to have it back fails"
        pulse.start()
        calls = sound._calls
        assert wait_for(lambda: sound._calls > calls + 10, PATIENCE_S, sound)
    finally:
        sound.close()


def test_a_patient_card_is_opened_when_it_comes(pulse, song):
    pulse.kill()
    sound = source.create("default", time.perf_counter, patient=True)
    sound.open()
    try:
        assert sound.state == "lost" and not wait_for(lambda: sound.state == "running", 2.0, sound)
        pulse.start()
        assert wait_for(lambda: sound.state == "running", PATIENCE_S, sound)
        pulse.play(song)
        assert wait_for(lambda: np.abs(sound.ring.latest(1000)).max() > 0.01, PATIENCE_S, sound)
    finally:
        sound.close()


def test_a_patient_card_that_is_there_is_there_from_the_beginning(pulse):
    for mute in (False, True):
        sound = source.create("default", time.perf_counter, mute, patient=True)
        sound.open()
        assert (sound.state, sound.rate) == (("lost", 48000) if mute else ("running", 44100))
        sound.close()


def test_what_stays_away_is_looked_for_seldom_until_something_is_plugged_in(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    search = portaudio.RetrySchedule(0.0)
    tries = [t / 10 for t in range(int(2 * portaudio.EAGER_S * 10)) if search.due(t / 10)]
    early = [t for t in tries if t < portaudio.EAGER_S]
    assert len(early) == pytest.approx(portaudio.EAGER_S / portaudio.RETRY_S, abs=2)
    assert len(tries) - len(early) <= portaudio.EAGER_S / portaudio.SELDOM_S + 1
    now = 2 * portaudio.EAGER_S
    (tmp_path / "pipewire-0").touch()
    assert sum(search.due(now + t / 10) for t in range(100)) >= 9


def test_a_server_that_only_comes_late_is_not_lost(pulse, caplog):
    """As when the machine is busy: the server is there, and its sound goes on after two seconds."""
    sound = SoundCard("default", time.perf_counter)
    sound.open()
    try:
        assert wait_for(lambda: sound.ring.written > 4410, PATIENCE_S, sound)
        sound._opened_t -= soundcard.SETTLE_S
        before = sound.ring
        pulse.freeze()
        assert wait_for(lambda: sound._lateness.quiet_s > 2.0, PATIENCE_S, sound)
        written = before.written
        pulse.freeze(False)
        assert wait_for(lambda: before.written > written + 4410, PATIENCE_S, sound)
        assert sound.ring is before and sound.state == "running" and "lost" not in caplog.text
    finally:
        pulse.freeze(False)
        sound.close()


class Stream:
    """A stream that is there."""

    active = True

    def abort(self):
        """Nothing is held."""

    close = abort


def polled(monkeypatch, every_s: float, served=lambda: True, plugged=lambda: ()) -> float:
    """Seconds without a sample after which an open device is lost, polled that often; at most twenty."""
    monkeypatch.setattr(portaudio, "served", served)
    monkeypatch.setattr(portaudio, "plugged", plugged)
    monkeypatch.setattr(SoundCard, "_start", lambda self: None)
    monkeypatch.setattr(portaudio, "reinitialise", lambda: None)
    sound = SoundCard("default", lambda: 0.0)
    sound._stream, sound.state, sound._opened_t = Stream(), "running", -100.0
    sound._lateness._served, sound._lateness._plugged = True, ()
    t = 0.0
    sound.poll(t)
    while t < 20.0 and sound.state == "running":
        t += every_s
        sound.poll(t)
    return t


def test_a_device_that_is_gone_is_lost_at_once_and_one_that_is_there_later(monkeypatch):
    assert 2.9 < polled(monkeypatch, 0.1) < 3.3
    assert 0.9 < polled(monkeypatch, 0.1, served=lambda: False) < 1.3
    assert 0.9 < polled(monkeypatch, 0.1, plugged=lambda: ("/dev/snd 7",)) < 1.3


def test_time_in_which_nobody_looked_is_not_held_against_a_device(monkeypatch):
    assert polled(monkeypatch, 1.5, served=lambda: False) > 5.0
    assert polled(monkeypatch, 1.5) > 14.0


def test_a_stream_that_has_ended_is_lost(monkeypatch):
    monkeypatch.setattr(Stream, "active", False)
    assert polled(monkeypatch, 0.1) < 0.2
