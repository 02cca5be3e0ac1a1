"""Where a song is going: build-up, drop, break and silence, from slow means of loudness, tone and onsets."""

from __future__ import annotations

from math import log10

from performer.audio.smoothing import smoothing

QUIET_DB = -70.0


class _Mean:
    """A value followed quickly and slowly; both begin with what is there."""

    def __init__(self, dt: float, fast_s: float, slow_s: float) -> None:
        self._fast_step, self._slow_step = smoothing(dt, fast_s), smoothing(dt, slow_s)
        self._count = 0
        self.fast = self.slow = 0.0

    def update(self, value: float) -> None:
        self._count += 1
        self.fast += (value - self.fast) * max(self._fast_step, 1.0 / self._count)
        self.slow += (value - self.slow) * max(self._slow_step, 1.0 / self._count)


class Structure:
    """Fed once a look (about eight times a second); all attributes are 0..1 unless said.

    Attributes
    ----------
    trend
        0.5 while loudness is steady, towards 1 while it rises and 0 while it falls, over some 8 s.
    density
        Onsets per second, 1 at DENSE.
    buildup
        How much of a build-up this is: brighter, denser, louder, with the bass held back.
    breaks
        How much of a break: bass and drums that were there are gone, and there is still sound.
    drop
        1 at a drop, then fading over DROP_S.
    drops
        Counts them.
    silence
        1 after SILENT_S without sound.
    """

    DENSE = 10.0
    DROP_S = 2.5
    SILENT_S = 0.6
    REST_S = 6.0  # between two drops at least
    MISSED_DB = (6.0, 16.0)  # below its usual loudness the bass begins to be missed, and is gone
    FORGET_DB_S = 0.25  # what is usual falls so fast
    BACK_DB = 5.0  # the bass is back when it is this close to the usual
    GONE_S = 1.5  # bass must have been gone so long for its return to be a drop

    def __init__(self, dt: float) -> None:
        self._dt = dt
        self._break_up, self._break_down = smoothing(dt, 0.8), smoothing(dt, 0.3)
        self._buildup_up, self._buildup_down = smoothing(dt, 1.2), smoothing(dt, 0.8)
        self._drop_down = smoothing(dt, self.DROP_S)
        self._level = _Mean(dt, 0.6, 8.0)
        self._bass = _Mean(dt, 0.5, 0.12)
        self._usual = QUIET_DB  # loudness of the bass when it is there
        self._bright = _Mean(dt, 1.5, 12.0)
        self._density = _Mean(dt, 1.2, 10.0)
        self._onsets = 0
        self._gone = self._silent = 0.0
        self._rest = 0.0
        self._expect = 0.0  # recent build-up or break, which makes a drop of the bass's return
        self.trend = 0.5
        self.density = 0.0
        self.buildup = 0.0
        self.breaks = 0.0
        self.drop = 0.0
        self.drops = 0
        self.silence = 1.0

    def update(self, power: float, bass: float, brightness: float, onsets: int, heard: bool) -> None:
        """One hop on.

        Parameters
        ----------
        power, bass : float
            Mean squares of all and of the bass.
        brightness : float
            0..1.
        onsets : int
            How many so far.
        heard : bool
            Whether there is sound at all.
        """
        dt = self._dt
        rate = (onsets - self._onsets) / dt
        self._onsets = onsets
        if not heard:
            self._silent += dt
            self.silence = min(1.0, self._silent / self.SILENT_S)
            self._fade()
            return
        self._silent = 0.0
        self.silence = 0.0
        self._level.update(max(QUIET_DB, 10.0 * log10(power + 1e-12)))
        self._bass.update(bass)
        self._bright.update(brightness)
        self._density.update(rate)
        rise = (self._level.fast - self._level.slow) / 12.0
        self.trend = min(1.0, max(0.0, 0.5 + 0.5 * rise))
        self.density = min(1.0, self._density.fast / self.DENSE)
        bass_db = max(QUIET_DB, 10.0 * log10(self._bass.fast + 1e-12))
        self._usual = max(bass_db, self._usual - self.FORGET_DB_S * dt)
        first, gone = self.MISSED_DB
        # No bass is missed where it never was more than a fraction of the sound.
        known = min(1.0, max(0.0, (self._usual - self._level.slow + 24.0) / 8.0))
        missing = known * min(1.0, max(0.0, (self._usual - bass_db - first) / (gone - first)))
        breaks = missing
        brighter = min(1.0, max(0.0, (self._bright.fast - self._bright.slow) * 8.0))
        denser = min(1.0, max(0.0, self._density.fast / max(self._density.slow, 1.0) - 1.0))
        louder = min(1.0, max(0.0, 2.0 * rise))
        climb = 0.4 * brighter + 0.35 * denser + 0.25 * louder
        held = 0.35 + 0.65 * missing
        self.breaks += (breaks - self.breaks) * (self._break_up if breaks > self.breaks else self._break_down)
        moving = min(1.0, 0.15 + 3.0 * self.density)  # a bright pad that stands still builds up to nothing
        buildup = min(1.0, 1.8 * climb * held * moving)
        self.buildup += (buildup - self.buildup) * (self._buildup_up if buildup > self.buildup else self._buildup_down)
        self._expect = max(self._expect - dt / 3.0, self.buildup, self.breaks)
        self._watch_for_drop(max(QUIET_DB, 10.0 * log10(self._bass.slow + 1e-12)), missing)

    def _watch_for_drop(self, bass_db: float, missing: float) -> None:
        dt = self._dt
        self._rest = max(0.0, self._rest - dt)
        self.drop = max(0.0, self.drop - self.drop * self._drop_down)
        if missing > 0.5 and bass_db < self._usual - self.BACK_DB:
            self._gone += dt
        elif bass_db > self._usual - self.BACK_DB:
            if self._gone >= self.GONE_S and self._expect > 0.35 and self._rest == 0.0:
                self.drops += 1
                self.drop = 1.0
                self._rest = self.REST_S
                self.breaks = self.buildup = self._expect = 0.0
            self._gone = 0.0

    def _fade(self) -> None:
        dt = self._dt
        for name in ("buildup", "breaks", "drop", "density"):
            setattr(self, name, getattr(self, name) * (1.0 - smoothing(dt, 0.5)))
        self.trend += (0.5 - self.trend) * smoothing(dt, 2.0)
        self._gone += dt
