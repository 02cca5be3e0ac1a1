"""Plays a file or the demo in real time, heard where there is an output, and brings what is heard to the ring."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from performer.audio import surround
from performer.io.sound import demo_song, portaudio, sound_file
from performer.io.sound.source import RING_S, Clock
from performer.system.mailboxes import Ring

log = logging.getLogger(__name__)
TAPE_S = 12.0  # decoded sound kept
AHEAD_S = 4.0  # decoded before it is needed
BLOCK = 256
RETRY_S = 1.0


class Player:
    """A sound source that plays blocks.

    Parameters
    ----------
    name : str
        For people.
    blocks : Iterator[ndarray]
        (n, channels) float32 each, endless.
    rate : int
        Samples per second.
    layout : tuple[str, ...], optional
        Names of the channels' speakers, as audio.surround has them; empty where they are not known.
    now : Clock
        The show's clock.
    mute : bool, optional
        Never open an output.
    patient : bool, optional
        An output that is not there yet is waited for.
    """

    # no device brings it
    key = ""
    reported_s = 0.0

    def __init__(
        self,
        name: str,
        blocks: Iterator[np.ndarray],
        rate: int,
        channels: int,
        *,
        now: Clock,
        mute: bool = False,
        patient: bool = False,
        layout: tuple[str, ...] = (),
    ) -> None:
        self.layout = layout
        self._to_stereo = surround.to_stereo(layout, channels) if channels > 2 else None
        self.rate = rate
        self.ring = Ring(int(RING_S * rate), channels)
        self.state = "running"
        self.overflows = 0
        # a sample comes when it is heard
        self.note = name
        self.delay_s = 0.0
        self._name = name
        self._blocks = blocks
        self._now = now
        self._mute = mute
        self._tape = Ring(int(TAPE_S * rate), channels)
        self._stream: Any = None
        self._at = (0, 0.0)  # a sample, and the show's time at which it is heard
        self._given = 0  # samples handed to the output
        self._calls = 0
        self._seen_calls = 0
        self._seen_t = 0.0
        self._search = portaudio.RetrySchedule(now()) if patient else None  # for an output that was lost

    def open(self) -> None:
        self.prepare()
        self._at = (0, self._now())
        if not self._mute:
            self._start_output()
        self.note = f"{self._name}, {self.rate} Hz, {'heard' if self._stream else 'silent: no sound output'}"

    def pump(self) -> None:
        """Write to the ring what has been heard since the last call."""
        sample, t = self._at
        now = self._now()
        heard = min(sample + int((now - t) * self.rate), self._tape.written)
        ring = self.ring
        if heard > ring.written:
            rows, lost = self._tape.since(ring.written, heard - ring.written)
            if lost:  # the machine slept: what was missed is gone
                ring.write(np.zeros((lost, ring.width), np.float32))
            ring.write(rows, now - (heard - ring.written - len(rows)) / self.rate)

    def poll(self, now: float) -> None:
        if self._stream is None:
            if self._search is not None and self._search.due(now):
                self._given = self.ring.written
                self._start_output(anew=True)
            return
        if self._calls != self._seen_calls:
            self._seen_calls = self._calls
            self._seen_t = now
        elif now - self._seen_t > RETRY_S:  # the output is gone: go on by the clock, and try to have it back
            self._go_on()
            self._stop_output()
            self._go_on()  # a server that thawed may have asked for more before it let go
            self._search = portaudio.RetrySchedule(now)
            self._start_output()

    def close(self) -> None:
        portaudio.detach()
        self._stop_output()

    def prepare(self) -> None:
        """Keep the tape AHEAD_S before what is heard and given."""
        wanted = max(self.ring.written, self._given) + int(AHEAD_S * self.rate)
        while self._tape.written < wanted:
            block = next(self._blocks, None)
            if block is None:
                return
            self._tape.write(block)

    def _go_on(self) -> None:
        self._at = (self.ring.written, self._now())
        self._given = self.ring.written

    def _start_output(self, anew: bool = False) -> None:
        """Have it heard, if that can be. anew  look for devices first"""
        try:
            import sounddevice

            if anew and not portaudio.call_pending():
                portaudio.reinitialise()
            with portaudio.blocking_call():
                self._stream = sounddevice.OutputStream(
                    samplerate=self.rate,
                    channels=min(2, self._tape.width),
                    blocksize=BLOCK,
                    dtype="float32",
                    callback=self._callback,
                )
                self._stream.start()
            self._seen_t = self._now()
        except Exception as error:  # PortAudio missing, no device, a rate it cannot play
            log.debug("no sound output: %s", error)
            self._stream = None

    def _stop_output(self) -> None:
        stream = self._stream
        self._stream = None
        if stream is not None:
            portaudio.end(stream, "the output")

    def _callback(self, out: np.ndarray, frames: int, times: Any, status: Any) -> None:
        """PortAudio's thread: hand over what is prepared, note when it will be heard."""
        rows, _ = self._tape.since(self._given, frames)
        n = len(rows)
        if self._to_stereo is not None and out.shape[1] == 2:
            surround.mixed(rows, self._to_stereo, out[:n])
        else:
            out[:n] = rows[:, : out.shape[1]]
        out[n:] = 0.0
        self._at = (self._given, self._now() + max(0.0, times.outputBufferDacTime - times.currentTime))
        self._given += n
        self._calls += 1
        self.overflows += bool(status)


def file_player(path: Path, now: Clock, mute: bool = False, patient: bool = False) -> Player:
    """A file, over and over. Raises Fault."""
    info = sound_file.probe(path)
    sound = sound_file.blocks(path, info.rate, loop=True)
    return Player(path.name, sound, info.rate, info.channels, now=now, mute=mute, patient=patient, layout=info.layout)


def demo_player(now: Clock, why: str = "", mute: bool = False) -> Player:
    """The demo groove; `why` says what it stands in for."""
    return Player("demo groove" + (f" ({why})" if why else ""), demo_song.bars(48000), 48000, 2, now=now, mute=mute)
