"""What lies outside the program's clocks, estimated from taps or from a recording. Pure.

A person who taps to a steady pulse is early or late by a habit of their own, mostly early (the negative mean
asynchrony; Repp, "Sensorimotor synchronization: A review of the tapping literature", Psychonomic Bulletin & Review
2005). So taps to flashes alone say nothing of a screen; their difference to taps to clicks does, as far as the habit
is the same for eyes and ears: it differs by some 10 to 20 ms.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import atan2, pi, sqrt

import numpy as np

from performer.system.errors import Fault

LEAST = 8  # taps, or clicks heard, that make an estimate
SKIPPED = 3  # pulses at the start of a part, until a person has found the beat
OUTLIER = 3.0  # deviations beyond which a tap does not count
NARROWEST_S = 0.012  # spread below which nothing is taken for an outlier
SCATTERED_S = 0.060  # spread of taps beyond which they say nothing
NOISY_S = 0.010  # the same of clicks heard by a microphone
LOUD = 6.0  # a click stands out by this much of what else correlates with it
LONGEST_S = 0.7  # delay of a click, from loudspeaker to recording
MAD = 1.4826  # median absolute deviation -> standard deviation of a normal distribution


class Unclear(Fault):
    """What was tapped or heard does not tell the delay; another try may."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """A delay and how far to trust it.

    Attributes
    ----------
    delay_s : float
        Seconds.
    spread_s : float
        Standard deviation of one tap or click, robust.
    count : int
        Count of those that were used.
    rejected : int
        Rejected of outliers.
    error_s : float
        Standard error of `delay_s`.
    """

    delay_s: float
    spread_s: float
    count: int
    rejected: int
    error_s: float

    def minus(self, other: Estimate) -> Estimate:
        """The difference of two independent estimates."""
        return Estimate(
            self.delay_s - other.delay_s,
            sqrt(self.spread_s**2 + other.spread_s**2),
            self.count + other.count,
            self.rejected + other.rejected,
            sqrt(self.error_s**2 + other.error_s**2),
        )


def estimate(delays: Sequence[float]) -> Estimate:
    """Median of the delays (seconds) without outliers. Raises ValueError for none."""
    known = np.asarray(delays, float)
    if not len(known):
        raise ValueError("no delays")
    for _ in range(3):  # an outlier widens the spread that it is judged by
        centre = float(np.median(known))
        spread = MAD * float(np.median(np.abs(known - centre)))
        kept = known[np.abs(known - centre) <= OUTLIER * max(spread, NARROWEST_S)]
        if len(kept) == len(known):
            break
        known = kept
    # The median of n normal values has 1.2533 times the standard error of their mean.
    return Estimate(
        float(np.median(known)), spread, len(known), len(delays) - len(known), 1.2533 * spread / sqrt(len(known))
    )


def asynchronies(pulses: Sequence[float], taps: Sequence[float], period_s: float) -> list[float]:
    """How late each tap is after its pulse, in seconds, whatever the common delay within half a period.

    Parameters
    ----------
    pulses : Sequence[float]
        Seconds, ascending, period_s apart; the first SKIPPED don't count.
    taps : Sequence[float]
        Seconds; of several taps nearest to a pulse one counts.
    """
    marks = np.asarray(pulses, float)[SKIPPED:]
    made = np.asarray(taps, float)
    if not len(marks) or not len(made):
        return []
    made = made[(made > marks[0] - 0.5 * period_s) & (made < marks[-1] + 0.5 * period_s)]
    if not len(made):
        return []
    turn = 2 * pi / period_s
    nearest = np.abs(made[:, None] - marks[None, :]).argmin(1)
    phases = (made - marks[nearest]) * turn
    common = atan2(float(np.sin(phases).sum()), float(np.cos(phases).sum())) / turn
    late: dict[int, float] = {}
    for tap in made:
        pulse = int(np.abs(tap - common - marks).argmin())
        off = float(tap - marks[pulse])
        if abs(off - common) < 0.5 * period_s and (pulse not in late or abs(off - common) < abs(late[pulse] - common)):
            late[pulse] = off
    return list(late.values())


def tapped(pulses: Sequence[float], taps: Sequence[float], period_s: float, what: str) -> Estimate:
    """How late a person taps after pulses they perceive. Raises Unclear when that cannot be told, and says by what.

    Parameters
    ----------
    what : str
        "clicks" or "flashes", for the error.
    """
    late = asynchronies(pulses, taps, period_s)
    wanted = max(LEAST, (len(pulses) - SKIPPED) // 2)
    if len(late) < wanted:
        raise Unclear(
            f"only {len(late)} of {max(0, len(pulses) - SKIPPED)} {what} were tapped to, and {wanted} are needed; "
            f"tap once with each, on the space bar or a MIDI pad"
        )
    found = estimate(late)
    if found.spread_s > SCATTERED_S:
        raise Unclear(
            f"the taps to the {what} are too scattered: they spread by {found.spread_s * 1000:.0f} ms, and at most "
            f"{SCATTERED_S * 1000:.0f} ms will do; tap with the beat, as evenly as you can"
        )
    if found.count < wanted:
        raise Unclear(
            f"too few taps to the {what} agree: {found.count} of {len(late)}, and {wanted} are needed; "
            f"{found.rejected} were far from the others; tap once with each"
        )
    return found


def click(rate: int) -> np.ndarray:
    """The click that is played: 6 ms of a sine falling from 4 to 1 kHz, (n,) float32, peak 0.8.

    A sweep is found in a recording to the sample, through a small loudspeaker and a telephone's band alike.
    """
    t = np.arange(round(0.006 * rate)) / rate
    phase = 2 * np.pi * (4000.0 * t - 0.5 * 3000.0 * t * t / 0.006)
    shape = np.sin(np.pi * (t + 0.5 / rate) / 0.006) ** 0.5
    made: np.ndarray = (0.8 * shape * np.sin(phase)).astype(np.float32)
    return made


def heard(clicks: Sequence[float], sound: np.ndarray, rate: int, start: float) -> Estimate:
    """How late clicks are in a recording. Raises Unclear when they are not heard, or not clearly.

    Parameters
    ----------
    clicks : Sequence[float]
        Seconds at which they left the loudspeaker, by the sound system's clock.
    sound : ndarray
        (n, channels) recorded at `rate`.
    start : float
        Seconds at which its first sample sounded, by the same clock.
    """
    shape = click(rate).astype(float)
    sound = np.nan_to_num(sound.astype(float), posinf=0.0, neginf=0.0)
    likeness = (
        np.max([np.abs(np.correlate(channel, shape, "valid")) for channel in sound.T], axis=0)
        if len(sound) > len(shape)
        else np.zeros(0)
    )
    late = []
    for at in clicks:
        first = round((at - start - 0.05) * rate)
        if first < 0 or first + round((0.05 + LONGEST_S) * rate) > len(likeness):
            continue
        part = likeness[first : first + round((0.05 + LONGEST_S) * rate)]
        peak = int(part.argmax())
        if part[peak] > LOUD * max(float(np.quantile(part, 0.9)), 1e-6):
            late.append((first + peak) / rate + start - at)
    wanted = max(LEAST, len(clicks) // 2)
    if len(late) < wanted:
        raise Unclear(
            f"the microphone heard {len(late)} of {len(clicks)} clicks, and {wanted} are needed; turn the "
            "loudspeakers up, choose --input and --output (`performer devices` lists them), or tap: --by tapping"
        )
    found = estimate(late)
    if found.spread_s > NOISY_S or found.count < len(late) // 2:
        number = (
            f"they spread by {found.spread_s * 1000:.0f} ms, and at most {NOISY_S * 1000:.0f} ms will do"
            if found.spread_s > NOISY_S
            else f"{found.rejected} of {len(late)} are far from the others"
        )
        raise Unclear(
            f"the clicks were heard at uneven times: {number}; other sound is too loud, or the sound system stutters"
        )
    return found
