"""Smooth walks: where they will be, and the pictures that were painted for then, several at once."""

from __future__ import annotations

from collections import deque
from collections.abc import Hashable, Sequence
from dataclasses import replace
from math import ceil
from operator import sub
from statistics import median
from typing import Generic, TypeVar

from performer.latent.walks import WALKS
from performer.types.frame import Walk

P = TypeVar("P")

STEADY_S = 0.25  # for so long a walk must have gone straight on before it is trusted to
NEAR = 0.02  # of the way to another picture, or of a knob's one: nobody sees it
STRAIGHT = NEAR / 5.0  # what a walk that is trusted may have strayed: beyond its end a bend grows faster than before it
GAP_S = 0.5  # frames further apart tell nothing
LATE = 0.25  # of a frame, by which pictures may come more often than they should

Moment = tuple[float, tuple[Hashable, ...], tuple[float, ...], tuple[float, ...]]


def _pictures(walk: Walk) -> float:
    """Pictures that a walk goes through in one unit of its position at the most."""
    kind = WALKS.get(walk.kind)
    return kind.pictures if kind is not None else 1.0


def _apart(walk: Walk, t: float) -> Moment:
    """A walk at time t: what is the same or not, places (in pictures) that move on, and knobs that should rest."""
    walks = (walk, *(style for style in walk.styles if style is not None))
    at, seed, *amounts = walk.noise or (0.0, 0.0)
    names = (
        *((one.kind, one.seed, one.space) for one in walks),
        *(style is None for style in walk.styles),
        *((goal, kept) for goal, _, kept in walk.stops),
        walk.psi is None,
        len(walk.moves),
        len(amounts),
        seed,
    )
    places = (*(one.position * _pictures(one) for one in walks), at)
    knobs = (
        *(one.truncation for one in walks),
        walk.psi or 0.0,
        *walk.moves,
        *(part for _, part, _ in walk.stops),
        *amounts,
    )
    return t, names, places, knobs


def _moved(walk: Walk, by: Sequence[float]) -> Walk:
    """A walk further on by so many pictures, in the order of its places."""
    steps = iter(by)

    def on(one: Walk) -> Walk:
        return replace(one, position=one.position + next(steps) / _pictures(one))

    moved = on(walk)
    middle, fine = (style and on(style) for style in walk.styles)
    noise = (walk.noise[0] + next(steps), *walk.noise[1:]) if walk.noise else ()
    return replace(moved, styles=(middle, fine), noise=noise)


def _near(one: Sequence[float], other: Sequence[float], most: float) -> bool:
    return all(abs(a - b) <= most for a, b in zip(one, other, strict=True))


class PaintAhead(Generic[P]):
    """What can be foretold of one walk, and the pictures that were painted for it; one thread's. No clock of its own.

    A walk that has gone straight on for a while is taken to go on so. Pictures are painted for the moments at which
    a crossfade will have reached them. When the walk is elsewhere than was foretold, none of them is shown any more.
    """

    def __init__(self) -> None:
        self._key: Hashable = None
        self._walk: Walk | None = None
        self._seen: deque[Moment] = deque()  # of the last STEADY_S
        self._line: tuple[Moment, tuple[float, ...]] | None = None  # from where and how fast pictures were painted
        self._ready: deque[tuple[float, P]] = deque()

    def __len__(self) -> int:
        """Pictures that wait for their moment."""
        return len(self._ready)

    @property
    def frame_s(self) -> float:
        """Seconds between two frames, most of the time; 0 before that is known."""
        times = [moment[0] for moment in self._seen]
        return median(map(sub, times[1:], times)) if len(times) > 1 else 0.0

    def see(self, key: Hashable, walk: Walk | None, t: float) -> bool:
        """Note where a walk is at time t, in seconds, and what it is a walk of (None: there is none to foretell).

        False where pictures had been painted ahead, and for something else than this: they are gone.
        """
        now = _apart(walk, t) if walk is not None else None
        if (
            now is None
            or key != self._key
            or (self._seen and (now[1] != self._seen[-1][1] or not 0.0 <= t - self._seen[-1][0] < GAP_S))
        ):
            self._seen.clear()
        self._key = key
        self._walk = walk
        foretold = now is not None and bool(self._seen) and self._foretold(now)
        if now is not None and (not self._seen or t > self._seen[-1][0]):
            self._seen.append(now)
            while len(self._seen) > 2 and t - self._seen[1][0] >= STEADY_S:
                self._seen.popleft()
        if self._line is None or foretold:
            return True
        self.forget()
        return False

    def _foretold(self, now: Moment) -> bool:
        if self._line is None:
            return True
        (since, _, places, knobs), speeds = self._line
        there = [place + speed * (now[0] - since) for place, speed in zip(places, speeds, strict=True)]
        return _near(now[2], there, NEAR) and _near(now[3], knobs, NEAR)

    def forget(self) -> None:
        """Throw away what was painted ahead."""
        self._line = None
        self._ready.clear()

    def due(self, t: float) -> P | None:
        """The newest picture whose moment has come, those before it being too late; None where none has."""
        picture = None
        while self._ready and self._ready[0][0] <= t + 0.5 * self.frame_s:
            picture = self._ready.popleft()[1]
        return picture

    def plan(self, count: int, least_s: float, work_s: float) -> list[tuple[float, Walk]]:
        """When the next pictures are due, and where the walk is to be in them; none where nobody can know, or it rests.

        Parameters
        ----------
        least_s : float
            Seconds between two pictures, at the least; it becomes a whole number of frames, since they would judder
            else.
        work_s : float
            Seconds that painting them takes; none either where that is more than the time between two, for then they
            would come too late, and so would what nobody foretold; nor where each frame has its picture.
        """
        if self._ready:
            return []
        self._line = None
        if self._walk is None or len(self._seen) < 3:
            return []
        first = self._seen[0]
        last = self._seen[-1]
        spell_s = last[0] - first[0]
        if spell_s < STEADY_S:
            return []
        speeds = tuple((b - a) / spell_s for a, b in zip(first[2], last[2], strict=True))
        frame_s = self.frame_s
        frames = ceil(least_s / frame_s - LATE)
        every_s = frames * frame_s
        if not any(speeds) or frames < 2 or work_s > every_s:
            return []
        for t, _, places, knobs in self._seen:
            straight = [place + speed * (t - first[0]) for place, speed in zip(first[2], speeds, strict=True)]
            if not _near(places, straight, STRAIGHT) or not _near(knobs, last[3], STRAIGHT):
                return []
        self._line = (last, speeds)
        return [
            (last[0] + number * every_s, _moved(self._walk, [speed * (number + 1) * every_s for speed in speeds]))
            for number in range(1, count + 1)
        ]

    def keep(self, pictures: Sequence[tuple[float, P]]) -> None:
        """Pictures for the moments of the plan."""
        self._ready.extend(pictures)
