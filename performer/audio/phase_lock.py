"""The beat that music began with, or that has long been found, kept while its tempo lasts: half a beat beside it is
where off-beats are."""

from __future__ import annotations

from collections.abc import Sequence
from math import log

LEVELS = (1.0, 2.0, 0.5)  # tempi that are followed from, times the anchored one

STEADY_S = 0.02  # how far the beats of a steady tempo may lie beside a line


def steady(beats: Sequence[tuple[int, float]]) -> tuple[float, float] | None:
    """Numbers of beats and when they came -> seconds per beat, and when the newest was due, by least squares.

    None where they do not follow one another, or not in one tempo.
    """
    if beats[-1][0] - beats[0][0] != len(beats) - 1:
        return None
    count = len(beats)
    middle = (count - 1) / 2.0
    mean = sum(at for _, at in beats) / count
    period = sum((i - middle) * at for i, (_, at) in enumerate(beats)) / sum((i - middle) ** 2 for i in range(count))
    begun = mean - middle * period
    if period <= 0.0 or max(abs(at - begun - i * period) for i, (_, at) in enumerate(beats)) > STEADY_S:
        return None
    return period, begun + 2.0 * middle * period


class Anchor:
    """Keeps a beat phase through a tracker's slips of half a beat, and its tempo through slips to twice or half of it.

    Hats, guitars and snares between the beats are often louder than what is on them. Music that came out of silence
    mostly began on a beat; a tracker that found that beat and later moves by half of one, at the same tempo, has more
    likely been drawn to the off-beats than the music has leapt. The same holds for a beat that was found for long.
    """

    SAME = 0.06  # relative difference up to which a tempo is the anchored one, or its double or half
    LOST_S = 4.0  # another tempo for so long ends it
    PATIENCE = 96.0  # beats that are held against the tracker's opinion
    # beats for which its tempo is held against twice or half of it: at first, and at most
    HOLD = 8.0
    STAY = 256.0
    GROWTH = 16.0  # by how much longer for each beat at that tempo
    # share of an error of phase or tempo that is made up for in one step
    GAIN = 0.1
    SLOW = 0.02
    ASTRAY = 0.12  # beats beside both the anchored beat and its off-beat from which on a phase is doubted

    def __init__(self) -> None:
        self.bpm = 0.0  # anchored to; 0: to nothing
        self.known = False  # that music began with this beat; otherwise it has only been found for long
        self._phase = 0.0
        self._lost = 0.0
        self._held = 0.0
        self._stay = 0.0

    def drop(self, phase: float, bpm: float, known: bool) -> None:
        """Hold on to this beat.

        Parameters
        ----------
        phase : float
            Of the beat, now, 0..1.
        bpm : float
            Beats per minute.
        known : bool
            Whether music began with it.
        """
        self.known = known
        self._phase = phase
        self.bpm = bpm
        self._lost = 0.0
        self._held = 0.0
        self._stay = self.HOLD

    def weigh(self) -> None:
        """Hold on to nothing."""
        self.bpm = 0.0

    def follow(self, phase: float, bpm: float, dt: float) -> tuple[float, float]:
        """What a tracker says dt seconds later, phase 0..1 and beats per minute -> what to go by instead."""
        if self.bpm <= 0.0:
            return phase, bpm
        beats = self.bpm / 60.0 * dt
        self._phase = (self._phase + beats) % 1.0
        level = min(LEVELS, key=lambda times: abs(log(bpm / self.bpm / times)))
        if abs(log(bpm / self.bpm / level)) > self.SAME:
            self._lost += dt
            if self._lost > self.LOST_S:
                self.weigh()
            return phase, bpm
        self._lost = 0.0
        place = phase / level % 1.0
        apart = (place - self._phase + 0.5) % 1.0 - 0.5
        turned = abs(apart) > 0.25
        if turned:
            place = (place + 0.5) % 1.0
            apart = (place - self._phase + 0.5) % 1.0 - 0.5
        astray = abs(apart) > self.ASTRAY  # on its way from one to the other: neither is meant
        self._phase = (self._phase + (self.SLOW if astray else self.GAIN) * apart) % 1.0
        if astray:
            place = self._phase
        self.bpm += self.GAIN * (bpm / level - self.bpm)
        self._held = max(0.0, self._held + (beats if turned else -beats))
        if self._held > self.PATIENCE:
            self.weigh()
            return phase, bpm
        self._stay += self.GROWTH * beats if level == 1.0 else -beats
        if self._stay < 0.0:  # twice or half as fast for longer than not: that it is, then
            self.drop(phase, bpm, self.known)
            return phase, bpm
        self._stay = min(self._stay, self.STAY)
        return place, bpm / level
