"""The live recorder: takes pictures without ever making the show wait, and keeps the sound beside them."""

from __future__ import annotations

import contextlib
import logging
import queue
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import numpy as np

from performer.io.record.audio_track import Track
from performer.io.record.movie import LEAST_FREE, Movie, check_path, clock_time
from performer.io.record.stills import dated_name
from performer.system import folders
from performer.system.errors import Fault, counted
from performer.system.mailboxes import Ring

log = logging.getLogger(__name__)

WAITING = 8  # pictures that may wait for the encoder
SILENCE_AFTER_S = 1.0  # a source that stays away this long is recorded as silence
LONGEST_HOLD_S = 10.0  # a still this long at most is repeated when pictures stop coming


class Heard(Protocol):
    """What the recorder needs of a sound input; all may be replaced when a device comes back in another shape."""

    ring: Ring
    rate: int
    layout: tuple[str, ...]


class Recorder:
    """Records pictures and sound to a movie; a thread of its own runs `run`.

    Raises Fault when the path is no good. What goes wrong later is in `fault`, and ends the recording only.

    Parameters
    ----------
    path : str | Path | None
        Path of the movie, or of NAME 2.mp4 where there is one already; None: a name by date and time in the person's
        videos folder.
    size : tuple[int, int]
        (width, height) of the pictures; of another size later, they are scaled.
    sound : Heard | None
        Whose ring is recorded beside them, or None.
    now : callable
        The show's clock, which also stamps the ring.
    fps : float, optional
        Pictures a second of the movie: pictures are repeated or left out to keep it.
    """

    def __init__(
        self,
        path: str | Path | None,
        size: tuple[int, int],
        sound: Heard | None,
        now: Callable[[], float],
        fps: float = 30.0,
    ) -> None:
        if path is None:
            self.path = dated_name(folders.videos(), ".mp4", LEAST_FREE)
        else:
            path = check_path(path)
            try:
                self.path = folders.free_name(path)
            except OSError as error:
                raise Fault(f"{path}: cannot be written ({error.strerror}); choose another folder") from None
        self.size = size
        self.fps = fps
        self.dropped = 0
        self.seconds = 0.0  # of movie written
        self.encoder = ""
        self.fault: Fault | None = None
        self.done = False
        self._born = now()
        self._queue: queue.Queue[tuple[np.ndarray, float]] = queue.Queue(WAITING)
        self._ended = threading.Event()
        self._first_t: float | None = None
        self._next_place = 0
        self._sound = sound
        self._rate = sound.rate if sound else 0
        self._channels = min(2, sound.ring.width) if sound else 0
        self._track = Track(self._rate, self._channels)

    def due(self, t: float) -> bool:
        """Whether a picture for time t (seconds, the show's clock) has a place in the movie."""
        return self._first_t is None or round((t - self._first_t) * self.fps) >= self._next_place

    def offer(self, pixels: np.ndarray, t: float) -> bool:
        """Hand over (H, W, 3) uint8, not to be changed afterwards, for time t. Never waits: False when left out."""
        if self._ended.is_set() or t < self._born or not self.due(t):  # pictures may still be on their way from before
            return False
        try:
            self._queue.put_nowait((pixels, t))
        except queue.Full:
            self.dropped += 1
            return False
        if self._first_t is None:
            self._first_t = t
        self._next_place = round((t - self._first_t) * self.fps) + 1
        return True

    def stop(self) -> None:
        """End the recording: what was offered is still written, by the thread. Returns at once."""
        self._ended.set()

    def run(self, stop: threading.Event) -> None:
        """Thread body: encode until `stop` or `self.stop()`, then finish the file."""
        frames = 0
        seconds = 0.0
        try:
            with Movie(
                self.path, self.size, self.fps, rate=self._rate or None, channels=self._channels, live=True
            ) as movie:
                self.encoder = movie.encoder
                try:
                    self._encode(movie, stop)
                finally:
                    frames = movie.frames
                    seconds = movie.seconds
        except Fault as fault:
            self.fault = fault
            log.error("recording stopped: %s", fault)
        finally:
            if not frames:  # nobody wants a file that plays nothing
                with contextlib.suppress(OSError):
                    self.path.unlink()
            elif self.fault is None or self.path.exists():
                left_out = f", {counted(self.dropped, 'picture')} dropped" if self.dropped else ""
                log.info("recorded %s: %s%s", self.path, clock_time(seconds), left_out)
            self.seconds = seconds
            self._ended.set()
            self.done = True

    def _encode(self, movie: Movie, stop: threading.Event) -> None:
        last: np.ndarray | None = None
        while not ((stop.is_set() or self._ended.is_set()) and self._queue.empty()):
            try:
                pixels, t = self._queue.get(timeout=0.1)
            except queue.Empty:
                self._encode_sound(movie)
                continue
            first = self._first_t if self._first_t is not None else t
            place = round((t - first) * self.fps)
            while last is not None and movie.frames < place and place - movie.frames < LONGEST_HOLD_S * self.fps:
                movie.write(last)
            movie.write(pixels, place / self.fps)
            last = pixels
            self.seconds = movie.seconds
            self._encode_sound(movie)
        self._encode_sound(movie)

    def _encode_sound(self, movie: Movie) -> None:
        """Write the sound up to the end of the picture, where it belongs by the ring's stamps."""
        if self._sound is None or self._first_t is None:
            return
        due = round(movie.seconds * self._rate) - movie.samples
        while due > 0:
            t = self._first_t + movie.samples / self._rate
            samples = self._track.read(self._sound.ring, self._sound.rate, t, due, self._sound.layout)
            if not len(samples):
                break
            movie.write_audio(samples)
            due -= len(samples)
        if due > SILENCE_AFTER_S * self._rate:
            movie.write_audio(np.zeros((due, self._channels), np.float32))
