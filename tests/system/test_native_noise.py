"""Nothing that C libraries print reaches the terminal, and everything that Python writes does."""

from __future__ import annotations

import subprocess
import sys

import pytest
from parts.patience import PATIENCE_S

START = """
import ctypes, logging, os, sys
from performer.system import native_noise
libc = ctypes.CDLL(None)
"""


def said(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", START + code], capture_output=True, text=True, timeout=PATIENCE_S)
    assert done.returncode == 0, done.stderr
    return done.stderr


def test_what_is_printed_from_c_is_silenced_and_what_python_writes_is_not() -> None:
    heard = said("""
native_noise.keep_stderr()
logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
with native_noise.silenced():
    with native_noise.silenced():
        libc.write(2, b"noise one\\n", 10)
        logging.info("a log line")
    libc.write(2, b"noise two\\n", 10)
    try:
        raise ValueError("a traceback")
    except ValueError:
        sys.excepthook(*sys.exc_info())
libc.write(2, b"afterwards\\n", 11)
""")
    assert (
        "noise" not in heard and "a log line" in heard and "ValueError: a traceback" in heard and "afterwards" in heard
    )


def test_where_python_has_no_descriptor_of_its_own_nothing_is_lost() -> None:
    heard = said("""
with native_noise.silenced():
    print("ours", file=sys.stderr, flush=True)
    libc.write(2, b"theirs\\n", 7)
""")
    assert "ours" in heard and "theirs" in heard


def test_debug_shows_it() -> None:
    heard = said("""
native_noise.keep_stderr()
logging.basicConfig(level=logging.DEBUG)
with native_noise.silenced():
    libc.write(2, b"theirs\\n", 7)
""")
    assert "theirs" in heard


MIDI = """
import rtmidi
{hush}
for api in (rtmidi.API_LINUX_ALSA, rtmidi.API_UNIX_JACK):
    try:
        rtmidi.MidiIn(api, "nobody")
    except (SystemError, rtmidi.RtMidiError):
        pass
"""


@pytest.mark.skipif(sys.platform != "linux", reason="ALSA and JACK are of Linux")
def test_alsa_and_jack_are_quiet_for_good() -> None:
    pytest.importorskip("rtmidi")
    if "ALSA lib" not in (loud := said(MIDI.format(hush=""))) and "jack server" not in loud:
        pytest.skip("both are here, and have nothing to say")
    assert said(MIDI.format(hush='native_noise.hush("rtmidi")')) == ""
