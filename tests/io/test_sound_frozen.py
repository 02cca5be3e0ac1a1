"""A sound server that is there and answers nothing: the show goes on, and it ends when it is told to."""

import os
import signal
import subprocess
import sys
import threading
import time

import pytest
from parts.patience import PATIENCE_S, until

from performer.io.sound import player
from performer.system.timeouts import TimedOut, within

PLAY = """
import sys, threading
from performer.rig.live.rig import Rig
from performer.rig.options import PlayOptions
options = PlayOptions(input=sys.argv[1], midi="off", size=(160, 90), headless=True, fps=30.0, preset="{preset}")
with Rig(options) as rig:
    for line in rig.notes():
        print(line, flush=True)
    rig.loop.run({before})
    print("ready", rig.sound.note, flush=True)
    sys.stdin.readline()
    rig.loop.run({after})
    print("heard", rig.sound.ring.written / rig.sound.rate, "frames", rig.loop.stats.frames,
          "t", rig.listener.features().t, "now", rig.now(), flush=True)
print("over", flush=True)
"""


def start(source: str, before: float, after: float) -> subprocess.Popen[str]:
    code = PLAY.format(preset="tidal", before=before, after=after)
    return subprocess.Popen(
        [sys.executable, "-c", code, source],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def read_until(program: subprocess.Popen[str], word: str) -> str:
    for line in program.stdout:
        if line.startswith(word):
            return line
    raise AssertionError(program.stderr.read())


@pytest.mark.parametrize("source", ["demo", "default"])
def test_a_server_that_freezes_stalls_nothing_and_the_show_ends(pulse, source) -> None:
    program = start(source, 2.0, 6.0)
    try:
        assert "silent" not in read_until(program, "ready")
        pulse.freeze()
        out, err = program.communicate("go\n", timeout=PATIENCE_S)
        assert program.returncode == 0, err
        words = next(line for line in out.splitlines() if line.startswith("heard")).split()
        assert out.rstrip().endswith("over")
        assert int(words[3]) > 90, "pictures went on"
        if source == "demo":  # the groove goes on by the clock, far beyond what was decoded before the server froze
            assert float(words[5]) > float(words[7]) - 1.0
        assert "Traceback" not in err
    finally:
        pulse.freeze(False)
        program.kill()
        program.wait()


def test_a_server_that_is_frozen_from_the_start_is_named_and_the_demo_plays_unheard(pulse) -> None:
    pulse.freeze()
    program = start("default", 1.0, 1.0)
    try:
        out, err = program.communicate("go\n", timeout=PATIENCE_S)
        assert program.returncode == 0, err
        assert "the sound system does not respond" in next(x for x in out.splitlines() if x.startswith("sound: "))
        assert "over" in out
    finally:
        pulse.freeze(False)
        program.kill()
        program.wait()


def test_a_named_input_on_a_frozen_server_is_one_line(pulse) -> None:
    pulse.freeze()
    try:
        done = subprocess.run(
            [
                sys.executable,
                "-m",
                "performer",
                "play",
                "--headless",
                "--input",
                "club",
                "--seconds",
                "1",
                "--midi",
                "off",
            ],
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
        )
        assert done.returncode == 2
        assert "performer: --input club: the sound system does not respond" in done.stderr
    finally:
        pulse.freeze(False)


def test_devices_are_listed_though_the_server_is_frozen(pulse) -> None:
    pulse.freeze()
    try:
        done = subprocess.run(
            [sys.executable, "-m", "performer", "devices"], capture_output=True, text=True, timeout=PATIENCE_S
        )
        assert done.returncode == 0
        assert "the sound system does not respond" in done.stdout
    finally:
        pulse.freeze(False)


def test_a_player_goes_on_by_the_clock_while_its_output_hangs_and_is_heard_again_after(pulse) -> None:
    sound, stop = player.demo_player(time.perf_counter), threading.Event()

    def often(look) -> threading.Thread:
        def body() -> None:
            while not stop.wait(0.05):
                look()

        thread = threading.Thread(target=body, daemon=True)
        thread.start()
        return thread

    sound.open()
    threads = [often(lambda: sound.poll(time.perf_counter())), often(sound.prepare), often(sound.pump)]
    try:
        time.sleep(2.0)
        assert sound._calls > 0
        pulse.freeze()
        before, then = sound.ring.written, time.perf_counter()
        time.sleep(7.0)
        heard_s = (sound.ring.written - before) / sound.rate
        assert heard_s == pytest.approx(time.perf_counter() - then, abs=1.5)
        pulse.freeze(False)
        calls = sound._calls
        assert until(lambda: sound._calls >= calls + 100)
    finally:
        pulse.freeze(False)
        stop.set()
        for thread in threads:
            thread.join(PATIENCE_S)
        sound.close()


def test_a_call_that_is_overdue_is_given_up_and_its_late_result_handed_on() -> None:
    gate, late = threading.Event(), []
    with pytest.raises(TimedOut):
        within(0.05, lambda: gate.wait(PATIENCE_S) and 7, late.append)
    assert late == []
    gate.set()
    assert until(lambda: late)
    assert late == [7]


def test_a_call_in_time_gives_its_result_or_its_error() -> None:
    assert within(5.0, lambda: 3, lambda _: os.kill(os.getpid(), signal.SIGABRT)) == 3
    with pytest.raises(ZeroDivisionError):
        within(5.0, lambda: 1 // 0)
