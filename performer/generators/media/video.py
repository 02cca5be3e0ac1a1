"""A video file as a layer's source: any moment of it, forwards, backwards, in loops that last so many beats."""

from __future__ import annotations

import logging
import math
import threading
from bisect import bisect_right, insort
from collections import OrderedDict
from pathlib import Path
from time import monotonic

import av
import numpy as np

from performer.generators.media.file_stamp import GONE, stamp_of
from performer.generators.media.video_frame import Screening
from performer.generators.media.video_reader import VideoReader
from performer.system.errors import Fault
from performer.system.heap import give_back
from performer.system.mailboxes import Latest
from performer.types.frame import Play

log = logging.getLogger(__name__)
KEPT_BYTES = 192 << 20  # of decoded pictures, so that going backwards does not decode everything anew
LOOK_S = 2.0  # how often the file is looked at
AHEAD_S = 1.5  # further ahead than this it is quicker to seek
PATIENCE = 400  # pictures decoded on the way to one, live: then what is asked for by now is looked at
ROUNDING_S = 1e-6  # a moment this little before a picture is that picture's: moments are quotients
NEVER = 1 << 62


class Video:
    """A video by its moments.

    `decoder` is the hardware that decodes it, or "processor".

    Parameters
    ----------
    path : Path
        Path of the file.
    loop : str, optional
        "loop", "pingpong" or "once".

    Raises
    ------
    Fault
        When it contains no video.
    """

    def __init__(self, path: Path, loop: str = "loop") -> None:
        self.path = path
        self.loop = loop
        self.stamp = stamp_of(path)  # of what is played, even if it is replaced just now
        self._reader = VideoReader(path)
        self.decoder = self._reader.decoder
        self.duration_s = self._reader.duration_s
        self._screening = Screening(self._reader.aspect)
        self._kept: OrderedDict[int, np.ndarray] = OrderedDict()  # time -> picture, those used last at the end
        self._starts: list[int] = []  # the times of those, in order
        self._ends: dict[int, int] = {}  # time -> that of the picture after it, where that was seen
        self._size = 0
        self._newest: int | None = None  # time of the picture read last, since the last seek
        self._aim = 0  # what was sought last
        self._told = False
        self.shown: np.ndarray | None = None
        self.picture_at(0.0)

    def moment(self, play: Play) -> float:
        """Seconds into the file that a Play asks for."""
        offset, beats = float(play.params[0]), float(play.params[1])  # type: ignore[arg-type]
        turn = offset + (play.beat / beats if beats > 0.0 else play.position / self.duration_s)
        if self.loop == "once":
            turn = min(max(turn, 0.0), 1.0)
        elif self.loop == "pingpong":
            turn = 1.0 - abs(turn % 2.0 - 1.0)
        else:
            turn %= 1.0
        return turn * self.duration_s

    def picture_at(self, seconds: float, most: int | None = None) -> np.ndarray | None:
        """(H, W, 4) uint8 of that moment: the picture that began last; where it cannot be had, the last good one.

        Parameters
        ----------
        most : int, optional
            Pictures to decode on the way, at most: with more to do, the next call goes on.
        """
        wanted = self._reader.first + math.floor((max(seconds, 0.0) + ROUNDING_S) / self._reader.base)
        found = self._find(wanted)
        if found is None:
            self._read_to(wanted, most)
            found = self._find(wanted)
        if found is not None:
            self._kept.move_to_end(found)
        elif self._starts:  # broken there, or still on the way
            found = self._starts[max(0, bisect_right(self._starts, wanted) - 1)]
        if found is not None:
            self.shown = self._kept[found]
        return self.shown

    def _find(self, wanted: int) -> int | None:
        """The time of the kept picture that is to be seen then, if its end is known."""
        place = bisect_right(self._starts, wanted)
        if not place:
            return None
        start = self._starts[place - 1]
        return start if wanted < self._ends.get(start, start) else None

    def _read_to(self, wanted: int, most: int | None) -> None:
        """Read until the picture after the wanted one: only then is it known that no other comes between."""
        reader = self._reader
        ahead = max(self._newest or 0, self._aim) + AHEAD_S / reader.base if reader.seeks else NEVER
        if self._newest is None or not self._newest <= wanted <= ahead:
            reader.seek(wanted)
            self._newest = None
            self._aim = wanted
        count = 0
        while most is None or count < most:
            count += 1
            got = reader.read()
            time, frame = got if got is not None else (NEVER, None)
            if self._newest is not None and self._newest in self._kept:
                self._ends[self._newest] = time
            if frame is None:
                return
            self._newest = time
            self._keep(time, frame)
            if time > wanted:
                return

    def _keep(self, time: int, frame: av.VideoFrame) -> None:
        if time in self._kept:
            self._kept.move_to_end(time)
            return
        try:
            picture = self._screening.shown(frame)
        except (ValueError, av.error.FFmpegError) as error:
            if not self._told:
                self._told = True
                log.warning("%s: a frame cannot be shown (%s)", self.path, " ".join(str(error).split())[:120])
            return
        self._size += picture.nbytes
        self._kept[time] = picture
        insort(self._starts, time)
        while self._size > KEPT_BYTES and len(self._kept) > 2:  # the one that is wanted, and the one after it
            old, dropped = self._kept.popitem(last=False)
            self._size -= dropped.nbytes
            self._starts.remove(old)
            self._ends.pop(old, None)

    def close(self) -> None:
        self._kept.clear()
        self._starts.clear()
        self._reader.close()


class Projector:
    """Decodes a video on a thread of its own: `picture` asks for a moment and gets the newest there is.

    When the file is replaced, the new one plays as soon as it is whole.
    """

    def __init__(self, video: Video) -> None:
        self._video = video
        self._wanted: Latest[float] = Latest()
        self._made: Latest[np.ndarray] = Latest()
        self._stop = threading.Event()
        self._looked = monotonic()
        self._seen = video.stamp  # at the last look
        self._refused = GONE  # what could not be opened
        if video.shown is not None:
            self._made.post(video.shown)

    def picture(self, play: Play, _size: tuple[int, int]) -> np.ndarray | None:
        self._wanted.post(self._video.moment(play))
        return self._made.peek()

    def run(self) -> None:
        """Thread body."""
        seen = 0
        while not self._stop.is_set():
            seen, seconds = self._wanted.wait(seen, 0.2)
            if self._stop.is_set():
                break
            self._look()
            if seconds is None:
                continue
            picture = self._video.picture_at(seconds, PATIENCE)
            if picture is not None and picture is not self._made.peek():
                self._made.post(picture)
        self._video.close()
        picture = None
        give_back()

    def _look(self) -> None:
        """Take up a file that was replaced, once nobody has written to it from one look to the next."""
        now = monotonic()
        if now - self._looked < LOOK_S:
            return
        before, self._looked, self._seen = self._seen, now, stamp_of(self._video.path)
        if self._seen != before or self._seen in (GONE, self._video.stamp, self._refused):
            return
        try:
            fresh = Video(self._video.path, self._video.loop)
        except Fault as fault:
            self._refused = self._seen
            log.warning("%s; the previous version keeps playing", fault)
            return
        self._video.close()
        self._video = fresh
        give_back()
        log.info("%s: new version loaded", fresh.path)

    def close(self) -> None:
        """Let the thread end; it closes the file."""
        self._stop.set()


class Inline:
    """The same where there is time: every picture exactly."""

    def __init__(self, video: Video) -> None:
        self._video = video

    def picture(self, play: Play, _size: tuple[int, int]) -> np.ndarray | None:
        return self._video.picture_at(self._video.moment(play))

    def close(self) -> None:
        self._video.close()
