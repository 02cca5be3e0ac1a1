"""How the music that is heard began: whether its very beginning was heard, and tells where beats and bars are."""

from __future__ import annotations

from performer.audio.downbeat import BarModel
from performer.audio.smoothing import smoothing


class Opening:
    """How loud music was when it began, and has become since.

    Parameters
    ----------
    dt : float
        Seconds per frame.
    """

    LEVEL_S = 0.1
    SHARE = 0.1  # of the highest power since that music begins with at least; with less it is a room's noise
    SOFT = 0.3  # share of what counts as loud that the first millisecond of music out of silence stays below
    STROKE_S = 0.045  # in which a stroke has risen that the very first sound was cut at

    def __init__(self, dt: float) -> None:
        self._step = smoothing(dt, self.LEVEL_S)
        self._first = 0.0  # amplitude of the very first sound, root of the mean square
        self._stroke = 0.0  # highest power within STROKE_S of it
        self._level = 0.0  # power with which the music began,
        self._power = 0.0  # that of the last tenth of a second,
        self._highest = 0.0  # and the highest since

    def join(self, amplitude: float) -> None:
        """How loud the very first millisecond is (root of the mean square): at full level, music was playing before."""
        self._first = amplitude

    def silence(self) -> None:
        """What comes now comes out of silence."""
        self._first = 0.0

    def begin(self) -> None:
        """The first onset, now."""
        self._level = self._highest = 0.0

    def update(self, power: float, now: float, begun: float | None) -> None:
        """One frame: its power, seconds since the very first sound, and when music began, if that tells something."""
        self._power += (power - self._power) * self._step
        if now < self.STROKE_S:
            self._stroke = max(self._stroke, power)
        if begun is not None and now - begun < self.LEVEL_S:
            self._level = max(self._level, power)
        elif begun is not None:
            self._highest = max(self._highest, self._power)

    @property
    def loud(self) -> bool:
        """Whether it was music that began, and not a room's noise before it."""
        return self._level > self.SHARE * self._highest

    def heard(self, reference: float) -> bool:
        """Whether music is heard from its beginning on: out of silence, or from a stroke that is the loudest so far.

        Parameters
        ----------
        reference : float
            The amplitude that counts as loud.
        """
        return self._first < self.SOFT * reference or self._stroke >= self._highest

    def odds(self, reference: float) -> float:
        """How much likelier the first beat is the first one of a bar than any other."""
        if self._first < self.SOFT * reference:
            return BarModel.OPENING
        return BarModel.STRUCK if self.heard(reference) else BarModel.JOINING
