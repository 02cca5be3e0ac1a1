"""The governor: gives up resolution, then the rate of new images, then costly passes, so that frames stay in time."""

from __future__ import annotations

from collections import deque
from collections.abc import Hashable, Mapping

from performer.types.status import Effort

WINDOW = 45  # frames over which p95 is taken
HIGH = 0.94  # part of the frame's budget above which something is given up
WARM_UP_S = 2.0  # at first, while models are tried and caches fill, only what is late half of the time counts
SETTLE_S = 0.7  # pause after a step down, to see what it brought
SETTLE_UP_S = 0.3  # and after a step up
REGAIN_S = 4.0  # calm needed before a step up that is sure to fit, even if all of a slow frame grew with the pixels;
PROBE_S = 10.0  # and before one that may fit: if half of a usual frame grew, and what holds up a few frames did not
LEAST_GROWTH = 1.2  # by which a frame's time is thought to grow where a step up adds no pixels
RETRY_WITHIN_S = 60.0  # a step up that is taken back within this time is tried again only after twice as long
MOST_PATIENCE = 128.0


LADDER = (
    Effort(1.0, 0.0, 0),
    Effort(0.85, 1 / 30, 0),
    Effort(0.72, 1 / 30, 0),
    Effort(0.6, 1 / 30, 0),
    Effort(0.5, 1 / 30, 0),
    Effort(0.42, 1 / 30, 0),
    Effort(0.35, 1 / 30, 0),
    Effort(0.35, 1 / 20, 0),
    Effort(0.35, 1 / 12, 0),
    Effort(0.35, 1 / 12, 1),
    Effort(0.35, 1 / 12, 2),
    Effort(0.33, 1 / 8, 3),
)

SLOW = 0.5  # part of the frame's budget above which one shader is too slow, where frames are late
EASE_S = 1.5  # between two steps, to see what the last one brought


class ShaderThrottle:
    """Finds the one shader that makes frames late, so that it alone is scaled down, then left out.

    Parameters
    ----------
    budget_s : float
        Seconds that a frame may take.
    """

    def __init__(self, budget_s: float) -> None:
        self.budget_s = budget_s
        self._moved_t = float("-inf")

    def step(self, t: float, costs: Mapping[Hashable, float], late: bool) -> Hashable | None:
        """Who should give way now, or None.

        Parameters
        ----------
        costs : Mapping[Hashable, float]
            Seconds of each shader.
        late : bool
            Whether frames are late, or were until the governor gave something up.
        """
        if not late or t - self._moved_t < EASE_S or not costs:
            return None
        slowest = max(costs, key=lambda one: costs[one])
        if costs[slowest] <= SLOW * self.budget_s:
            return None
        self._moved_t = t
        return slowest


class Governor:
    """Watches how long frames take and chooses the effort, with hysteresis.

    Parameters
    ----------
    budget_s : float
        Seconds that a frame may take.
    """

    def __init__(self, budget_s: float, ladder: tuple[Effort, ...] = LADDER) -> None:
        self.budget_s = budget_s
        self.ladder = ladder
        self.level = 0
        self._took: deque[float] = deque(maxlen=WINDOW)
        self._moved_t = float("-inf")
        self._began_t: float | None = None
        self._sure_since: float | None = None
        self._calm_since: float | None = None
        self._patience: dict[int, float] = {}  # level -> by how much longer it is waited for
        self._raised_t = float("-inf")

    @property
    def effort(self) -> Effort:
        return self.ladder[self.level]

    def step(self, t: float, took_s: float) -> bool:
        """Note a frame that took `took_s` seconds, at time t; True when the effort changed."""
        self._took.append(took_s)
        if self._began_t is None:
            self._began_t = t
        pause = SETTLE_UP_S if self._raised_t == self._moved_t else SETTLE_S
        if len(self._took) < WINDOW // 3 or t - self._moved_t < pause:
            return False
        ordered = sorted(self._took)
        usual = ordered[len(ordered) // 2]
        late = ordered[int(0.95 * (len(ordered) - 1))] if t - self._began_t > WARM_UP_S else usual
        if late > HIGH * self.budget_s and self.level < len(self.ladder) - 1:
            if t - self._raised_t < RETRY_WITHIN_S:
                self._patience[self.level] = min(2.0 * self._patience.get(self.level, 1.0), MOST_PATIENCE)
            return self._move(t, 2 if late > 2.0 * self.budget_s and self.level < len(self.ladder) - 2 else 1)
        if self.level > 0 and self._can_step_up(t, usual, late):
            self._raised_t = t
            return self._move(t, -1)
        return False

    def forget(self) -> None:
        """Another preset: what did not fit may fit now."""
        self._patience.clear()

    def wait(self, t: float) -> None:
        """Something else was given up at time t: see first what that brings."""
        self._move(t, 0)

    def _can_step_up(self, t: float, usual: float, late: float) -> bool:
        """Whether it is time for a step up, by a usual frame's seconds and a slow one's."""
        growth = max((self.ladder[self.level - 1].scale / self.effort.scale) ** 2, LEAST_GROWTH)
        room, patience = HIGH * self.budget_s, self._patience.get(self.level - 1, 1.0)
        sure = late * growth < room
        calm = late + 0.5 * usual * (growth - 1.0) < room
        self._sure_since = (t if self._sure_since is None else self._sure_since) if sure else None
        self._calm_since = (t if self._calm_since is None else self._calm_since) if sure or calm else None
        return any(
            since is not None and t - since >= wait * patience
            for since, wait in ((self._sure_since, REGAIN_S), (self._calm_since, PROBE_S))
        )

    def _move(self, t: float, by: int) -> bool:
        self.level += by
        self._moved_t = t
        self._sure_since = self._calm_since = None
        self._took.clear()
        return True
