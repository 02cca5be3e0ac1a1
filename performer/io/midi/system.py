"""The system's MIDI through RtMidi, once for in and out: which API, a client of it, ports by name, errors in a line."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from performer.system.errors import Fault
from performer.system.native_noise import hush, silenced

SEQUENCER = Path("/dev/snd/seq")  # ALSA's
SHARED = Path("/dev/shm")  # where a running JACK server keeps its memory


def api_number(name: str) -> int:
    """RtMidi's number of an API: "", "alsa" or "jack". Raises Fault for another, or one that this build lacks."""
    import rtmidi

    known = {"": rtmidi.API_UNSPECIFIED, "alsa": rtmidi.API_LINUX_ALSA, "jack": rtmidi.API_UNIX_JACK}
    if name not in known:
        raise Fault(f"--midi-api {name!r}: expected alsa or jack")
    if (
        not name
        and sys.platform == "linux"
        and not SEQUENCER.exists()
        and any(path.is_socket() for path in SHARED.glob("jack_*_*"))
    ):
        return int(rtmidi.API_UNIX_JACK)  # no ALSA sequencer, but a JACK server
    if known[name] not in (rtmidi.API_UNSPECIFIED, *rtmidi.get_compiled_api()):
        raise Fault(f"--midi-api {name}: this build of RtMidi does not have it; leave it out")
    return int(known[name])


def client_in(api: int, name: str) -> Any:
    """A client that hears, `rtmidi.MidiIn`. Raises Fault without a MIDI system."""
    import rtmidi

    return _client(rtmidi.MidiIn, api, name)


def client_out(api: int, name: str) -> Any:
    """A client that sends, `rtmidi.MidiOut`. Raises Fault without a MIDI system."""
    import rtmidi

    return _client(rtmidi.MidiOut, api, name)


def _client(kind: Any, api: int, name: str) -> Any:
    """Asking ALSA in vain would print lines of its own, so its device is looked for first."""
    import rtmidi

    if sys.platform == "linux" and api != rtmidi.API_UNIX_JACK and not SEQUENCER.exists():
        raise Fault(f"no MIDI system here (no {SEQUENCER}); on Linux: sudo modprobe snd-seq")
    hush("rtmidi")
    try:
        with silenced():
            return kind(api, name)
    except errors() as error:
        raise Fault(f"no MIDI system here ({one_line(error)})") from None


def errors() -> tuple[type[Exception], ...]:
    """What RtMidi raises where a port or a server is gone."""
    import rtmidi

    return (rtmidi.RtMidiError, SystemError, RuntimeError, NotImplementedError)


def matching(names: Sequence[str], pattern: str) -> list[str]:
    """Names with `pattern` in them, any case; all for "" and "all"."""
    part = "" if pattern == "all" else pattern.lower()
    return [name for name in names if part in name.lower()]


def one_line(error: Exception) -> str:
    """An error's message without line breaks, at most 160 characters."""
    return " ".join(str(error).split())[:160]
