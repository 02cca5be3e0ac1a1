"""A show that runs by itself: signals, signs of life, what is missing or broken when it starts, text on the picture."""

import json
import logging
import os
import signal
import socket
import subprocess
import sys
import threading
import time

import pytest
from parts.live import headless, pixels, play_until
from parts.patience import PATIENCE_S

from performer.content import banks
from performer.rig.live import budget
from performer.rig.live import rig as app
from performer.rig.live.output_files import checked
from performer.rig.live.rig import Rig
from performer.rig.pacing import SWAPS
from performer.system.errors import Fault
from performer.system.supervisor import restart_on_error, signals
from performer.system.systemd import SystemdNotifier
from performer.types.frame import ControlEvent

PLAY = [sys.executable, "-m", "performer", "play", "--headless", "--input", "demo", "--midi", "off", "--size", "160x90"]


def begun(*more: str) -> subprocess.Popen[str]:
    """A show that hears all signals, though a job of `nohup` and `&`, as this may be one, does not."""

    def hear() -> None:
        for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
            signal.signal(number, signal.SIG_DFL)

    return subprocess.Popen([*PLAY, *more], stderr=subprocess.PIPE, text=True, preexec_fn=hear)


def stage_set(program: subprocess.Popen[str]) -> None:
    """Wait until it plays."""
    for line in program.stderr:
        if line.startswith("delay:"):
            return
    raise AssertionError("it ended before it played")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_a_signal_ends_the_show_with_everything_in_its_file(tmp_path, number):
    film, stats = tmp_path / "film.mp4", tmp_path / "stats.json"
    program = begun("--record", str(film), "--stats", str(stats), "--seconds", "600")
    try:
        stage_set(program)
        while not (film.exists() and film.stat().st_size > 20_000):  # the first seconds are in it
            assert program.poll() is None
            time.sleep(0.05)
        program.send_signal(number)
        said = program.communicate(timeout=PATIENCE_S)[1]
    finally:
        program.kill()
    assert program.returncode == 0, said
    assert "Traceback" not in said
    import av

    with av.open(str(film)) as movie:
        assert movie.duration is not None and movie.duration > 0, "it was closed, not cut off"
    assert json.loads(stats.read_text())["frames"] > 0


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGINT])
def test_whoever_says_so_again_and_again_has_everything_in_its_file_still(tmp_path, number):
    film, stats = tmp_path / "film.mp4", tmp_path / "stats.json"
    program = begun("--record", str(film), "--stats", str(stats), "--seconds", "600")
    try:
        stage_set(program)
        while not (film.exists() and film.stat().st_size > 20_000):
            assert program.poll() is None
            time.sleep(0.05)
        while not stats.exists() and program.poll() is None:  # as long as it has work to do
            program.send_signal(number)
            time.sleep(0.01)
        said = program.communicate(timeout=PATIENCE_S)[1]
    finally:
        program.kill()
    assert stats.exists(), said
    assert json.loads(stats.read_text())["frames"] > 0
    assert program.returncode == 0 and "Traceback" not in said
    import av

    with av.open(str(film)) as movie:
        assert movie.duration is not None and movie.duration > 0, "it was closed, not cut off"


def test_signals_that_were_ignored_stay_so_and_all_is_as_before_afterwards():
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGHUP)}
    heard = []
    try:
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        with signals(lambda: heard.append(1)):
            os.kill(os.getpid(), signal.SIGHUP)
            os.kill(os.getpid(), signal.SIGTERM)
        assert heard == [1]
        assert signal.getsignal(signal.SIGTERM) == before[signal.SIGTERM]
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class Systemd:
    """Hears what a service says."""

    def __init__(self, path, **more: str) -> None:
        self.wire = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.wire.bind(str(path))
        self.wire.settimeout(PATIENCE_S)
        self.environ = {"NOTIFY_SOCKET": str(path), **more}

    def heard(self) -> str:
        return self.wire.recv(4096).decode()


def test_the_loop_that_draws_feeds_the_watchdog_and_no_child_can(tmp_path):
    systemd = Systemd(tmp_path / "notify", WATCHDOG_USEC="4000000", WATCHDOG_PID=str(os.getpid()))
    service = SystemdNotifier(systemd.environ)
    assert not systemd.environ, "children do not get to speak"
    service.begun("Tidal")
    assert systemd.heard().splitlines() == ["READY=1", "STATUS=Tidal"]
    for tick in range(300):
        service.alive(tick / 100)
    service.ends()
    assert [systemd.heard() for _ in range(4)] == ["WATCHDOG=1"] * 3 + ["STOPPING=1"], "four times as often as asked"
    systemd.wire.close()
    service.alive(100.0)  # nobody listens any more: the show goes on


def test_another_process_s_watchdog_is_left_alone(tmp_path):
    systemd = Systemd(tmp_path / "notify", WATCHDOG_USEC="4000000", WATCHDOG_PID="1")
    service = SystemdNotifier(systemd.environ)
    service.alive(0.0)
    service.ends()
    assert systemd.heard() == "STOPPING=1"
    SystemdNotifier({}).alive(0.0)


def test_play_tells_systemd_that_it_lives(tmp_path):
    systemd = Systemd(tmp_path / "notify", WATCHDOG_USEC="400000")
    program = subprocess.Popen(
        [*PLAY, "--gallery", "--seconds", "2"], stderr=subprocess.PIPE, text=True, env={**os.environ, **systemd.environ}
    )
    try:
        said = [systemd.heard()]
        while said[-1] != "STOPPING=1":
            said.append(systemd.heard())
    finally:
        errors = program.communicate(timeout=PATIENCE_S)[1]
    assert said[0].startswith("READY=1") and said.count("WATCHDOG=1") >= 3 and program.returncode == 0, errors


def test_a_thread_that_fails_is_begun_again_and_one_that_ends_is_not(monkeypatch, caplog):
    from performer.system import supervisor as service

    monkeypatch.setattr(service, "FIRST_REST_S", 0.01)
    calls = []

    def body() -> None:
        calls.append(1)
        if len(calls) < 4:
            raise ValueError("a whim")

    restart_on_error("devices", body, threading.Event())
    assert len(calls) == 4
    assert sum("devices failed" in record.getMessage() for record in caplog.records) == 3
    told = threading.Event()
    told.set()
    restart_on_error("devices", body, told)
    assert len(calls) == 4


def test_threads_begun_at_the_same_time_are_all_waited_for():
    class Slow(threading.Thread):
        def is_alive(self) -> bool:
            time.sleep(0.05)
            return super().is_alive()

    with Rig(headless()) as rig:
        slow = Slow(target=rig._stop.wait, daemon=True)
        slow.start()
        rig._threads.append((slow, 1.0))
        at_once = [threading.Thread(target=rig._begin, args=(name, rig._stop.wait)) for name in ("recorder", "media")]
        for thread in at_once:
            thread.start()
        for thread in at_once:
            thread.join()
        assert {"recorder", "media"} <= {thread.name for thread, _ in rig._threads}


def test_a_gallery_begins_with_what_is_whole(user_folder, caplog):
    (user_folder / "presets" / "flat.toml").write_text("broken [")
    (user_folder / "presets" / "lame.toml").write_text('order = -5\n[[layer]]\nmodel = "lame"\n')
    (user_folder / "models" / "lame.onnx").write_bytes(b"no model")
    for wanted in ("flat", None):
        with pytest.raises(Fault), Rig(headless(preset=wanted)):
            pass
        with Rig(headless(preset=wanted, gallery=True)) as rig:
            play_until(rig, lambda: rig.loop.stats.frames > 5)
            assert rig.show.preset.name not in ("flat", "lame")
            assert pixels(rig).std() > 5.0
    assert "flat.toml" in caplog.text and "lame" in caplog.text


def test_a_gallery_without_sound_plays_on_in_silence_and_not_the_demo(monkeypatch):
    monkeypatch.setenv("XDG_RUNTIME_DIR", "/nowhere")
    with Rig(headless(input="No Such Card", gallery=True)) as rig:
        play_until(rig, lambda: rig.loop.stats.frames > 10)
        assert rig.sound.state == "lost" and rig.listener.features().t == 0.0
        assert pixels(rig).std() > 5.0


def test_nothing_is_written_over_a_gallery_s_picture(caplog, tmp_path, monkeypatch):
    for function in (banks.read_all, banks.BankWriter.__init__):  # the bank of whoever runs this stays as it is
        monkeypatch.setattr(function, "__defaults__", (tmp_path,))
    with Rig(headless(gallery=True)) as rig:
        play_until(rig, lambda: rig.loop.stats.frames > 5)
        logging.getLogger("performer.io").warning("sound input lost: it is gone")
        rig.hands.events.put(ControlEvent(rig.now(), "app.keep"))
        play_until(rig, lambda: rig.loop.wiring.kept.empty())
        rig.loop.picture()
        assert not rig.loop.wiring.notices and "it is gone" in caplog.text


def test_what_the_governor_gives_up_is_logged_once_and_never_on_the_picture(caplog):
    caplog.set_level(logging.INFO)
    with Rig(headless()) as rig:
        rig.loop.wiring.notices.clear()
        for level in (1, 2, 1, 2, 1):
            rig.loop.budget.governor.level = level
            rig.loop.budget.log_effort()
        assert sum("governor" in record.getMessage() for record in caplog.records) == 2
        assert not any("governor" in message.text for message in rig.loop.wiring.notices)


def test_nothing_is_written_over_a_full_screen_unasked(caplog, monkeypatch):
    caplog.set_level(logging.INFO)
    with Rig(headless(preset="aurora")) as rig:
        rig.hands.events.put(ControlEvent(rig.now(), "show.freeze"))
        assert play_until(rig, lambda: rig.show.status.frozen)
        drawn = []
        monkeypatch.setattr(rig.loop.overlay._hud, "draw", lambda *of: drawn.append(of))
        for fullscreen, seen in ((True, False), (False, True)):
            monkeypatch.setattr(type(rig.surface), "fullscreen", property(lambda self, on=fullscreen: on))
            drawn.clear()
            rig.loop.wiring.notices.clear()
            logging.getLogger("performer.io").error("MIDI port gone: nano")
            rig.hands.events.put(ControlEvent(rig.now(), "app.notice", 1.0, "tempo 120"))
            rig.loop.picture()
            assert [message.text for message in rig.loop.wiring.notices] == ["MIDI port gone: nano", "tempo 120"]
            assert bool(drawn) is seen
        monkeypatch.setattr(type(rig.surface), "fullscreen", property(lambda self: True))
        drawn.clear()
        rig.hands.events.put(ControlEvent(rig.now(), "app.hud"))
        rig.loop.picture()
        assert drawn, "the panel is there for who asks for it, and the notices with it"
        assert {message.text for message in drawn[-1][0].messages} == {"MIDI port gone: nano", "tempo 120"}
    assert sum("tempo 120" in record.getMessage() for record in caplog.records) == 2, "the terminal has them all"


def test_no_notice_lights_up_a_blackout():
    with Rig(headless()) as rig:
        rig.hands.events.put(ControlEvent(rig.now(), "show.blackout"))
        assert play_until(rig, lambda: pixels(rig).max() == 0)
        logging.getLogger("performer.io").warning("MIDI port gone: nano")
        rig.loop.picture()
        assert rig.loop.wiring.notices and pixels(rig).max() == 0
        rig.hands.events.put(ControlEvent(rig.now(), "app.hud"))
        rig.loop.picture()
        assert pixels(rig).max() > 0, "the panel is there for who asks for it"


def test_garbage_is_collected_though_no_frame_leaves_time_for_it(monkeypatch):
    collected = []
    monkeypatch.setattr(budget.gc, "collect", lambda: collected.append(1))
    with Rig(headless()) as rig:
        collected.clear()
        rig.loop.budget._collected_t = 0.0
        for second in range(1, int(2 * budget.GC_LATEST_S)):
            rig.loop.budget.collect_garbage(float(second), 1.0)
        assert len(collected) == 1


def test_what_cannot_be_written_keeps_only_a_person_from_the_show(tmp_path, caplog):
    wanted = headless(record=str(tmp_path / "missing" / "film.mp4"), stats=str(tmp_path))
    with pytest.raises(Fault):
        checked(wanted)
    left = checked(headless(record=wanted.record, stats=wanted.stats, record_moves=f"{tmp_path}/moves/", gallery=True))
    assert left.record is None and left.stats is None and left.record_moves == f"{tmp_path}/moves/"
    assert "no such folder" in caplog.text


def test_figures_that_cannot_be_written_at_the_end_are_one_line(tmp_path, monkeypatch):
    def full(path, *given, **more):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(app.Path, "write_text", full)
    with pytest.raises(Fault, match=r"stats.json: cannot be written: No space"):
        app.play(headless(seconds=0.2, stats=str(tmp_path / "stats.json")))


def test_who_counts_on_a_screen_gets_no_demo_instead(tmp_path):
    bare = {name: value for name, value in os.environ.items() if name not in ("DISPLAY", "WAYLAND_DISPLAY")}
    done = subprocess.run(
        [sys.executable, "-m", "performer", "play", "--input", "demo", "--fullscreen"],
        env=bare,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
    )
    assert done.returncode == 2 and "no display" in done.stderr
    assert not list(tmp_path.iterdir())


def test_when_the_screen_stops_setting_the_pace_the_show_does(monkeypatch):
    with Rig(headless(fps=10.0)) as rig:
        rig.loop.pace._pacer = None  # as with a screen that swaps wait for; this one waits for nobody
        play_until(rig, lambda: rig.loop.pace._pacer is not None)
        assert rig.loop.pace._pacer is not None
        rig.loop.pace._swaps_s[:] = [0.0] * SWAPS
        rig.hands.events.put(ControlEvent(rig.now(), "app.screen"))
        rig.loop.picture()
        assert len(rig.loop.pace._swaps_s) == 1, "it looks again when a screen is back"
