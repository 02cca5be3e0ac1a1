"""The live recorder: takes pictures without ever making the show wait, and keeps the sound beside them."""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import numpy as np
import platformdirs

from performer.errors import Fault
from performer.outputs.movie import LEAST_FREE, Movie, check_path, claim
from performer.outputs.snapshot import free_name
from performer.sync import Ring

log = logging.getLogger(__name__)

WAITING = 8  # pictures that may wait for the encoder
TOLERANCE_S = 0.04  # sound further than this from its place on the time line is put right
SILENCE_AFTER_S = 1.0  # a source that stays away this long is recorded as silence
LONGEST_HOLD_S = 10.0  # a still this long at most is repeated when pictures stop coming


class Heard(Protocol):
    """What the recorder needs of a sound input; both may be replaced when a device comes back in another shape."""

    ring: Ring
    rate: int


class Recorder:
    """Records pictures and sound to a movie; a thread of its own runs `run`.

    path   of the movie, or of NAME 2.mp4 where there is one already; None: a name by date and time in the person's
           videos folder
    size   (width, height) of the pictures; of another size later, they are scaled
    sound  whose ring is recorded beside them, or None
    now    the show's clock, which also stamps the ring
    fps    of the movie: pictures are repeated or left out to keep it

    Raises Fault when the path is no good. What goes wrong later is in `fault`, and ends the recording only.
    """

    def __init__(self, path: str | Path | None, size: tuple[int, int], sound: Heard | None,
                 now: Callable[[], float], fps: float = 30.0) -> None:
        if path is None:
            self.path = free_name(Path(platformdirs.user_videos_dir()) / "performer", ".mp4", LEAST_FREE)
        else:
            path = check_path(path)
            try:
                self.path = claim(path)
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
        self._ring: Ring | None = None
        self._rate = sound.rate if sound else 0
        self._channels = sound.ring.width if sound else 0
        self._at = 0  # samples of the ring that were recorded or passed over

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
        try:
            with Movie(self.path, self.size, self.fps, self._rate or None, self._channels, live=True) as movie:
                self.encoder = movie.encoder
                self._encode(movie, stop)
        except Fault as fault:
            self.fault = fault
            log.error("recording stopped: %s", fault)
        finally:
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
        if due <= 0:
            return
        ring = self._sound.ring
        if self._sound.rate == self._rate and ring.width == self._channels:
            if ring is not self._ring:
                self._ring, self._at = ring, _place(ring, self._first_t + movie.samples / self._rate, self._rate)
            due -= self._copy(movie, ring, due)
        if due > SILENCE_AFTER_S * self._rate:
            movie.write_audio(np.zeros((due, self._channels), np.float32))

    def _copy(self, movie: Movie, ring: Ring, due: int) -> int:
        """Write at most `due` samples from the ring; returns how many."""
        assert self._first_t is not None
        place = _place(ring, self._first_t + movie.samples / self._rate, self._rate)
        written = 0
        if abs(place - self._at) > TOLERANCE_S * self._rate:
            self._at = place
        if self._at < 0:  # the movie began before the ring did
            written = min(-self._at, due)
            movie.write_audio(np.zeros((written, self._channels), np.float32))
            self._at += written
        if self._at >= ring.written or written == due:
            return written
        samples, lost = ring.since(self._at, due - written)
        self._at += lost + len(samples)
        if lost:
            lost = min(lost, due - written)
            movie.write_audio(np.zeros((lost, self._channels), np.float32))
            samples = samples[:due - written - lost]
        movie.write_audio(samples)
        return written + lost + len(samples)


def _place(ring: Ring, t: float, rate: int) -> int:
    """Which sample of the ring belongs to time t, by the stamp of its newest write."""
    while True:
        count, stamp = ring.written, ring.stamp
        if ring.written == count:
            return round(count - (stamp - t) * rate)
