"""Real parts for tests: a sound server, a MIDI server. Each starts in folders of its own and is gone afterwards."""

from __future__ import annotations

import atexit
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from parts.patience import PATIENCE_S

# The networks here are tiny, and threads that wait for each other on a busy machine take minutes instead of seconds.
os.environ.setdefault("OMP_NUM_THREADS", "1")


def _own_home() -> None:
    """Folders of this run's own instead of the person's, for this process and all that it starts."""
    home = Path(tempfile.mkdtemp(prefix="performer-tests-"))
    atexit.register(shutil.rmtree, home, ignore_errors=True)
    for name in [name for name in os.environ if name.startswith("XDG_") and name.endswith("_DIR")]:
        del os.environ[name]  # XDG_PICTURES_DIR and the like lead out of HOME again
    folders = {"HOME": "", "XDG_DATA_HOME": "data", "XDG_CONFIG_HOME": "config", "XDG_CACHE_HOME": "cache"}
    folders |= {"XDG_STATE_HOME": "state", "XDG_RUNTIME_DIR": "run"}
    for name, below in folders.items():
        (home / below).mkdir(mode=0o700, exist_ok=True)
        os.environ[name] = str(home / below)


_own_home()

# How long an example takes says how busy the machine is; the same examples each time, and nothing kept of the last run.
hypothesis.settings.register_profile(
    "performer",
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
)
hypothesis.settings.load_profile("performer")

#: Fixtures that live beside the parts they are of.
pytest_plugins = ["parts.cuda", "parts.display", "parts.live"]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Says how the order can be had again: tests run in another one each time."""
    seed = config.getoption("randomly_seed", None)
    if isinstance(seed, int):
        terminalreporter.write_line(f"This order again: --randomly-seed={seed}")


ASOUND = """
<{alsa}>
pcm.!default {{ type pulse }}
ctl.!default {{ type pulse }}
pcm.pulse {{ type pulse }}
"""


def _needs(*programs: str) -> None:
    for program in programs:
        if shutil.which(program) is None:
            pytest.skip(f"{program} is not installed")


class Pulse:
    """A PulseAudio server with one null sink, `club`, whose monitor is the default source."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._server: subprocess.Popen[bytes] | None = None
        self._players: list[subprocess.Popen[bytes]] = []

    def start(self) -> None:
        self._server = subprocess.Popen(
            [
                "pulseaudio",
                "-n",
                "--exit-idle-time=-1",
                "--daemonize=no",
                "--use-pid-file=no",
                "-L",
                "module-null-sink sink_name=club",
                "-L",
                "module-native-protocol-unix",
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        deadline = time.monotonic() + PATIENCE_S
        while subprocess.run(["pactl", "info"], capture_output=True).returncode != 0:
            assert time.monotonic() < deadline, "PulseAudio does not start"
            time.sleep(0.05)

    def kill(self) -> None:
        """As when it crashes: without a good-bye."""
        if self._server is not None:
            self._server.send_signal(signal.SIGKILL)
            self._server.wait()
            self._server = None

    def freeze(self, on: bool = True) -> None:
        """As when it hangs: it is there, and answers nothing."""
        if self._server is not None:
            self._server.send_signal(signal.SIGSTOP if on else signal.SIGCONT)

    def play(self, path: Path) -> subprocess.Popen[bytes]:
        player = subprocess.Popen(["paplay", "--device=club", str(path)], stderr=subprocess.DEVNULL)
        self._players.append(player)
        return player

    def stop(self) -> None:
        for player in self._players:
            player.kill()
            player.wait()
        self.kill()


def _portaudio_again() -> None:
    import sounddevice as sd

    sd._terminate()
    sd._initialize()


@pytest.fixture
def pulse(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Pulse]:
    """A running server, and PortAudio's default device on it."""
    _needs("pulseaudio", "pactl", "paplay")
    runtime = tmp_path / "run"
    runtime.mkdir(mode=0o700)
    config = tmp_path / "asound.conf"
    config.write_text(ASOUND.format(alsa="/usr/share/alsa/alsa.conf"))
    for name, value in (
        ("XDG_RUNTIME_DIR", runtime),
        ("ALSA_CONFIG_PATH", config),
        ("HOME", tmp_path),
        ("PULSE_SOURCE", "club.monitor"),
        ("PULSE_RUNTIME_PATH", runtime / "pulse"),
    ):
        monkeypatch.setenv(name, str(value))
    monkeypatch.delenv("PULSE_SERVER", raising=False)
    server = Pulse(tmp_path)
    server.start()
    try:
        _portaudio_again()
        import sounddevice as sd

        if not any(d["max_input_channels"] for d in sd.query_devices()):
            pytest.skip("ALSA's PulseAudio plug-in is missing: apt-get install libasound2-plugins")
        yield server
    finally:
        server.stop()
        monkeypatch.undo()
        _portaudio_again()


class Jack:
    """A JACK server on a dummy driver, and virtual MIDI ports on it."""

    def virtual_output(self, name: str):
        import rtmidi

        port = rtmidi.MidiOut(rtmidi.API_UNIX_JACK, name)
        port.open_virtual_port(name)
        return port


@pytest.fixture
def jack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Jack]:
    """A running JACK server of this test's own."""
    _needs("jackd")
    import sounddevice  # noqa: F401  (PortAudio looks for JACK once, at import; it must not find the one that dies here)

    name = f"performer{os.getpid()}"
    monkeypatch.setenv("JACK_DEFAULT_SERVER", name)
    monkeypatch.setenv("JACK_NO_AUDIO_RESERVATION", "1")
    log = (tmp_path / "jackd.log").open("wb")
    # In step with its clients, as long as they need: a busy machine must not lose a message.
    server = subprocess.Popen(
        [
            "jackd",
            "--no-realtime",
            "--sync",
            "--timeout",
            "5000",
            "-n",
            name,
            "-d",
            "dummy",
            "-r",
            "48000",
            "-p",
            "1024",
        ],
        stdout=log,
        stderr=log,
    )
    try:
        deadline = time.monotonic() + PATIENCE_S
        while subprocess.run(["jack_wait", "-s", name, "-c"], capture_output=True).stdout.strip() != b"running":
            if time.monotonic() > deadline or server.poll() is not None:
                pytest.skip(f"jackd does not start: {(tmp_path / 'jackd.log').read_text(errors='replace')[-300:]}")
            time.sleep(0.05)
        yield Jack()
    finally:
        server.terminate()
        server.wait(PATIENCE_S)
        log.close()


def _context(value: object) -> Any:
    """The GL context of a fixture's value: itself, its own, or its surface's; None where there is none."""
    moderngl = sys.modules.get("moderngl")
    if moderngl is None:
        return None
    for found in (value, getattr(value, "ctx", None), getattr(getattr(value, "surface", None), "ctx", None)):
        if isinstance(found, moderngl.Context):
            return found
    return None


@contextmanager
def _current(values: Iterable[object]) -> Iterator[None]:
    """GL contexts of these are current meanwhile: in any order of tests, others may have been made before."""
    with ExitStack() as entered:
        for found in [one for one in map(_context, values) if one is not None][:1]:
            entered.enter_context(found)
        yield


@pytest.hookimpl(wrapper=True)
def pytest_fixture_setup(fixturedef: pytest.FixtureDef[Any], request: pytest.FixtureRequest) -> Iterator[Any]:
    with _current(request.getfixturevalue(name) for name in fixturedef.argnames if name != "request"):
        return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[Any]:
    with _current(getattr(item, "funcargs", {}).values()):
        return (yield)
