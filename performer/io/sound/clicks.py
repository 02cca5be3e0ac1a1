"""Clicks through a sound output, at times that are known as well as the sound system knows them."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any

import numpy as np

from performer.system.errors import Fault, nearest
from performer.system.native_noise import hush, silenced

BLOCK = 256
KEPT = 40  # blocks by whose median the output's clock is read
LONGEST_S = 2.0  # a latency beyond this is none: that system does not tell


class Clicks:
    """A sound output that is silent but for clicks.

    Parameters
    ----------
    device : str
        "" for the system's default output, an index, a name or a part of it.
    shape : callable
        Makes the click, (n,) float32, for a rate.
    now : callable
        The clock whose seconds are meant.

    Raises
    ------
    Fault
        When there is no such output.

    Attributes
    ----------
    name
        "API: NAME".
    """

    def __init__(self, device: str, shape: Callable[[int], np.ndarray], now: Callable[[], float]) -> None:
        try:
            import sounddevice as sd
        except OSError:
            raise Fault("PortAudio is missing: sudo apt-get install -y libportaudio2") from None
        hush("sounddevice")
        index, found = _find(sd, device)
        self.name = f"{sd.query_hostapis(found['hostapi'])['name']}: {found['name']}"
        self.rate = int(found["default_samplerate"])
        self._now, self._shape = now, shape(self.rate)
        self._firsts: list[int] = []  # samples at which clicks begin
        self._times: list[float] = []  # of clicks handed over: an output that stutters moves only those to come
        self._given = 0
        self._starts: deque[float] = deque(maxlen=KEPT)  # when sample 0 left, or would have, by each block
        try:
            with silenced():
                self._stream = sd.OutputStream(
                    device=index,
                    samplerate=self.rate,
                    channels=min(2, found["max_output_channels"]),
                    blocksize=BLOCK,
                    dtype="float32",
                    latency="high",
                    callback=self._callback,
                )
                self._stream.start()
        except sd.PortAudioError as error:
            raise Fault(
                f"--output {device or 'default'}: {found['name']} cannot be opened "
                f"({' '.join(str(error).split())[:160]})"
            ) from None

    def play(self, count: int, period_s: float, delay_s: float) -> None:
        """Click `count` times, period_s apart, the first some delay_s from now."""
        self._firsts = []
        self._times = []
        first = self._given + round((delay_s + float(self._stream.latency)) * self.rate)
        self._firsts = [first + round(n * period_s * self.rate) for n in range(count)]

    @property
    def times(self) -> list[float]:
        """When the clicks leave the loudspeaker, past and to come; seconds, as far as the sound system knows."""
        if not self._starts:
            return []
        given = list(self._times)
        start = float(np.median(list(self._starts)))
        return given + [start + first / self.rate for first in self._firsts[len(given) :]]

    def close(self) -> None:
        self._stream.abort()
        self._stream.close()

    def _callback(self, out: np.ndarray, frames: int, times: Any, status: Any) -> None:
        given = self._given
        shape = self._shape
        out[:] = 0.0
        for first in self._firsts:
            low = max(first, given)
            high = min(first + len(shape), given + frames)
            if low < high:
                out[low - given : high - given] = shape[low - first : high - first, None]
        latency = times.outputBufferDacTime - times.currentTime
        if not 0.0 <= latency <= LONGEST_S:
            latency = float(self._stream.latency)
        self._starts.append(self._now() + latency - given / self.rate)
        for first in self._firsts[len(self._times) :]:
            if first >= given + frames:
                break
            self._times.append(float(np.median(list(self._starts))) + first / self.rate)
        self._given = given + frames


def _find(sd: Any, wanted: str) -> tuple[int, dict[str, Any]]:
    known = [(i, d) for i, d in enumerate(sd.query_devices()) if d["max_output_channels"] > 0]
    if not known:
        raise Fault("no sound output to click through; plug one in, or start PulseAudio or PipeWire")
    if not wanted:
        return next((entry for entry in known if entry[0] == sd.default.device[1]), known[0])
    for index, device in known:
        if wanted == str(index) or wanted.lower() in device["name"].lower():
            return index, device
    names = [device["name"] for _, device in known]
    raise Fault(f"--output {wanted!r}: no such sound output{nearest(wanted, names)}; there are {', '.join(names)}")
