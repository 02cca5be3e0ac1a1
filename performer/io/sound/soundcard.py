"""A sound card, or what the computer plays: PortAudio through sounddevice, found again by name when it was lost."""

from __future__ import annotations

import logging
import os
import sys
from typing import Any

import numpy as np

from performer.audio import surround
from performer.io.sound import portaudio
from performer.io.sound.source import CHANNELS, RING_S, Clock
from performer.system.errors import Fault, nearest
from performer.system.mailboxes import Ring
from performer.system.timeouts import TimedOut, within

log = logging.getLogger(__name__)
BLOCK = 256
SETTLE_S = 4.0  # after opening: a sound server's idle monitor may pause for 2 s before it runs
END_S = 1.5  # a stream that has not ended by then never will
OLDEST_S = 1.0  # an age beyond this is no age: that system's clock of the converter is wrong
SOUND_SERVERS = ("pulse", "pipewire")
MONITOR = "@DEFAULT_MONITOR@"


def has_input() -> bool:
    """Whether PortAudio is here and knows a device to record from."""
    try:
        import sounddevice

        return any(device["max_input_channels"] > 0 for device in sounddevice.query_devices())
    except Exception as error:  # an OSError without the library, PortAudioError without a host
        log.debug("no sound input: %s", error)
        return False


class SoundCard:
    """Captures a device at its own rate, all its channels.

    Parameters
    ----------
    spec : str
        "default", "system", an index, or a name or a part of it; remembered by host API and name from then on.
    now : Clock
        The show's clock.
    patient : bool, optional
        Opened by `poll`, as soon as it is there; until then silent.
    mute : bool, optional
        Not opened before that: the sound system does not respond.
    """

    def __init__(self, spec: str, now: Clock, patient: bool = False, mute: bool = False) -> None:
        self.rate = 48000
        self.ring = Ring(int(RING_S * 48000), 2)
        self.layout: tuple[str, ...] = ()
        self.state = "lost"
        self.note = spec
        self.overflows = 0
        self._spec = spec
        self._now = now
        self._patient = patient
        self._mute = mute
        self._key: tuple[str, str] | None = None  # host API and name
        self._stream: Any = None
        self.reported_s = 0.0  # input latency as PortAudio states it
        self.delay_s = self._guess_s = 0.0
        self._opened_t = 0.0
        self._lateness = portaudio.StreamHealth(now())
        self._search = portaudio.RetrySchedule(now())

    @property
    def key(self) -> str:
        """ "API: NAME" of the device once it was opened, by which it is remembered."""
        if self._key is None:
            return ""
        return ("system through " if self._spec == "system" else "") + ": ".join(self._key)

    def open(self) -> None:
        if not self._patient:
            self._start()
            return
        self.note = f"{self._spec}: not there yet"
        if not self._mute:
            try:  # what is there is there from the beginning: a recording takes its rate and channels from it
                self._start()
            except Exception as error:  # PortAudio missing, no device
                log.debug("%s; waiting for it", error)

    def pump(self) -> None:
        """Nothing is due: the callback brings it."""

    def prepare(self) -> None:
        """Nothing is known beforehand."""

    def poll(self, now: float) -> None:
        if self._stream is not None:
            late = self._lateness.only_late(now, self.ring.written)
            if self._lateness.quiet_s <= 0.0 or (self._stream.active and (late or now - self._opened_t < SETTLE_S)):
                return
            log.warning("sound input lost: %s; trying again every second", self.note)
            self.state = "lost"
            self._search.begin(now)
            self._let_go()
        if not self._search.due(now):
            return
        new = self._key is None
        try:
            if not portaudio.call_pending():  # else the list of devices stays as it is; what is in it may yet open
                portaudio.reinitialise()
            self._start()
            log.info("sound input %s: %s", "there" if new else "back", self.note)
        except Fault as fault:
            (log.warning if new and self._search.tries == 1 else log.debug)("%s; waiting for it", fault)

    def close(self) -> None:
        portaudio.detach()
        self._stop()

    def _start(self) -> None:
        import sounddevice as sd

        index, device, api = self._find(sd)
        channels = min(CHANNELS, device["max_input_channels"])
        if api == "ALSA" and device["name"] in (*SOUND_SERVERS, "default"):
            channels = min(channels, 2)  # a sound server offers 32 and fills two
        rate = int(device["default_samplerate"])
        ring = Ring(int(RING_S * rate), channels)

        def callback(block: np.ndarray, frames: int, times: Any, status: Any) -> None:
            # The first sample's age, less the time that the block itself takes; some systems do not tell.
            age = times.currentTime - times.inputBufferAdcTime - frames / rate
            self.delay_s = max(age, 0.0) if -0.5 * frames / rate < age < OLDEST_S else self._guess_s
            ring.write(block, self._now() - self.delay_s)
            self.overflows += bool(status)

        before = os.environ.get("PULSE_SOURCE")
        if self._spec == "system" and before is None:
            os.environ["PULSE_SOURCE"] = MONITOR  # read by the sound server's library when the stream is opened
        try:
            with portaudio.blocking_call():
                self._stream = sd.InputStream(
                    device=index,
                    samplerate=rate,
                    channels=channels,
                    blocksize=BLOCK,
                    dtype="float32",
                    latency="low",
                    callback=callback,
                )
            self.reported_s = float(self._stream.latency)
            self.delay_s = self._guess_s = 0.5 * self.reported_s
            self.ring = ring
            self.rate = rate
            # What a computer plays comes in the usual order; what stands at the inputs of an interface nobody knows.
            self.layout = surround.USUAL.get(channels, ()) if self._spec == "system" else ()
            self._opened_t = self._now()
            self._lateness = portaudio.StreamHealth(self._opened_t)
            with portaudio.blocking_call():
                self._stream.start()
        except Exception as error:
            self._stop()
            raise Fault(
                f"--input {self._spec}: {device['name']} cannot be opened ({portaudio.line(error)}); "
                "is another program holding it?"
            ) from None
        finally:
            if self._spec == "system" and before is None:
                os.environ.pop("PULSE_SOURCE", None)
        self._key = (api, device["name"])
        self.state = "running"
        what = "what the computer plays" if self._spec == "system" else device["name"]
        self.note = f"{what} ({api}), {rate} Hz, {channels} ch, {BLOCK} samples"

    def _stop(self) -> None:
        stream = self._stream
        self._stream = None
        if stream is not None:
            portaudio.end(stream, self.note)

    def _let_go(self) -> None:
        """Stop a stream whose device is gone; one that does not end (its server died in it) is left to itself."""
        stream = self._stream
        self._stream = None
        try:
            within(END_S, lambda: portaudio.end(stream, self.note))
        except TimedOut:
            log.warning("the lost sound input did not close; abandoned")

    def _find(self, sd: Any) -> tuple[int, dict[str, Any], str]:
        """Index, description and host API's name of the device meant. Raises Fault."""
        apis = [api["name"] for api in sd.query_hostapis()]
        known = [(i, d, apis[d["hostapi"]]) for i, d in enumerate(sd.query_devices()) if d["max_input_channels"] > 0]
        if self._key is not None:
            for entry in known:
                if (entry[2], entry[1]["name"]) == self._key:
                    return entry
            raise Fault(f"{self._key[1]} is not there")
        if self._spec == "system":
            return self._monitor(known)
        if self._spec == "default":
            index = sd.default.device[0]
            if not known:
                raise Fault("no sound input; plug one in, or play a file: --input song.ogg")
            return next((entry for entry in known if entry[0] == index), known[0])
        return self._named(known)

    def _named(self, known: list[tuple[int, dict[str, Any], str]]) -> tuple[int, dict[str, Any], str]:
        """The device whose number or name is asked for, or a part of its name. Raises Fault."""
        for entry in known:
            if str(entry[0]) == self._spec:
                return entry
        wanted = self._spec.lower()
        for entry in sorted(known, key=lambda e: (e[1]["name"].lower() != wanted, e[0])):
            if wanted in entry[1]["name"].lower() or wanted in f"{entry[2]}: {entry[1]['name']}".lower():
                return entry
        names = [d["name"] for _, d, _ in known]
        raise Fault(
            f"--input {self._spec!r}: no such file or sound input{nearest(self._spec, names)}; "
            f"there are {', '.join(names) or 'no inputs'} (`performer devices` lists them)"
        )

    @staticmethod
    def _monitor(known: list[tuple[int, dict[str, Any], str]]) -> tuple[int, dict[str, Any], str]:
        for index, device, api in known:
            name = device["name"].lower()
            if (
                name in SOUND_SERVERS
                or "monitor" in name
                or "loopback" in name
                or "stereo mix" in name
                or "blackhole" in name
            ):
                return index, device, api
        mend = {"darwin": "install BlackHole and play into it", "win32": "enable Stereo Mix in the sound settings"}.get(
            sys.platform, "start PulseAudio or PipeWire and install libasound2-plugins"
        )
        raise Fault(f"--input system: what the computer plays cannot be heard here; {mend}")
