"""What each pass costs the graphics card, read some frames late so that nothing waits for it."""

from __future__ import annotations

from collections import deque
from collections.abc import Hashable, Mapping
from statistics import median
from time import perf_counter

import moderngl

from performer.gl.render.wait import after_pass, nothing

LATE = 3  # timed frames before a query is read: by then its result lies ready
SAMPLES = 7  # newest samples over which a pass's median is taken


class _Pass:
    """One pass of one node: queries in flight, and what the last ones said."""

    __slots__ = ("queries", "samples", "started")

    def __init__(self) -> None:
        self.queries: list[moderngl.Query] = []
        self.samples: deque[float] = deque(maxlen=SAMPLES)
        self.started = 0


class Timer:
    """Times passes by GL_TIME_ELAPSED queries; on a software renderer, whose passes are waited for, by the clock.

    Parameters
    ----------
    every : int, optional
        Times each so many frames; the others cost nothing.
    """

    def __init__(self, ctx: moderngl.Context, every: int = 1) -> None:
        self.ctx = ctx
        self.every = every
        self._passes: dict[tuple[Hashable, int], _Pass] = {}
        self._spare: list[moderngl.Query] = []
        self._frame = -1
        self.on = False
        # llvmpipe's own queries give the time of one tile.
        self._by_clock = after_pass(ctx) is not nothing
        self._now: _Pass | None = None
        self._begun = 0.0

    def frame(self) -> None:
        """A frame begins."""
        self._frame += 1
        self.on = self._frame % self.every == 0

    def begin(self, owner: Hashable, index: int) -> None:
        """Pass `index` of `owner` is drawn next. Passes don't nest."""
        key = (owner, index)
        now = self._passes.get(key)
        if now is None:
            now = self._passes[key] = _Pass()
        self._now = now
        if self._by_clock:
            self._begun = perf_counter()
            return
        at = now.started % LATE
        if at == len(now.queries):
            now.queries.append(self._spare.pop() if self._spare else self.ctx.query(time=True))
        elif now.started >= LATE:
            now.samples.append(now.queries[at].elapsed * 1e-9)
        now.queries[at].mglo.begin()

    def end(self) -> None:
        """The pass that began last is over."""
        now = self._now
        if now is None:
            return
        if self._by_clock:
            now.samples.append(perf_counter() - self._begun)
        else:
            now.queries[now.started % LATE].mglo.end()
        now.started += 1
        self._now = None

    def costs(self, least: int = 1) -> Mapping[Hashable, float]:
        """owner -> seconds that its passes take together, of late; owners timed less than `least` times are missing."""
        found: dict[Hashable, float] = {}
        for (owner, _), one in self._passes.items():
            if len(one.samples) >= least:
                found[owner] = found.get(owner, 0.0) + median(one.samples)
        return found

    def passes(self, owner: Hashable) -> list[float]:
        """Seconds of each pass of an owner, in order."""
        return [
            median(one.samples)
            for (of, _), one in sorted(self._passes.items(), key=lambda item: item[0][1])
            if of is owner and one.samples
        ]

    def forget(self, owner: Hashable) -> None:
        """The owner is gone, or draws something else now."""
        for key in [key for key in self._passes if key[0] is owner]:
            self._spare += self._passes.pop(key).queries  # moderngl has no way to release one

    def release(self) -> None:
        """Forget everybody."""
        self._passes.clear()
