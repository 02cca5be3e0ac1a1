"""Tempo, beat and bar, causally: a hidden Markov model over tempo and position, and a clock that follows it.

The state space is that of Krebs, Böck and Widmer ("An efficient state-space model for joint tempo and meter
tracking", ISMIR 2015): a state is a whole number of frames per beat and a frame within the beat, so that time
passes by moving every probability one place on, and tempo may change only at a beat. The observation model is
log-linear in the onset strengths instead of learned.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import atan2, ceil, floor, hypot, pi

import numpy as np
from scipy.linalg.blas import sasum, saxpy, sscal

SLOWEST_BPM = 55.0
FASTEST_BPM = 215.0


@dataclass(frozen=True)
class Pull:
    """Where evidence is expected: weights on the beat, half way and at the quarters; half width in seconds.

    Attributes
    ----------
    balanced : bool
        Evidence speaks against the rest of a beat as it speaks for these places, so that steady noise is for no tempo;
        otherwise it tells of these places alone.
    """

    weights: tuple[float, float, float]
    width_s: float
    balanced: bool


def _aligned(count: int) -> np.ndarray:
    """(count,) float32 zeros from a multiple of 64 bytes on: BLAS adds in another order elsewhere, and rounds so."""
    memory = np.zeros(count + 16, np.float32)
    first = -memory.ctypes.data % 64 // 4
    return memory[first : first + count]


class BeatModel:
    """Forward pass over (tempo, position in the beat).

    Parameters
    ----------
    fps : float
        Updates per second.
    pulls : Pull
        One for each kind of evidence that `update` takes: HEARD for onset strengths, which also fall between beats;
        LEARNED for evidence of beats alone.
    spread : float, optional
        Relative tempo change per beat that costs one unit of log probability.
    """

    HEARD = Pull((1.0, 0.5, 0.2), 0.025, True)
    LEARNED = Pull((1.0, 0.0, 0.0), 0.017, False)

    RESTART = 5e-4  # share of probability per beat that may jump to any tempo
    CENTRE_BPM = 120.0
    OCTAVES = 0.8  # width of the tempo prior, in octaves
    LEANING = 0.5  # how many times a second the prior speaks
    # how unsure a seed is: of the tempo, relative, and in beats
    SEED_TEMPO = 0.03
    SEED_PHASE = 0.08
    REACH = 0.05  # relative width in tempo of what is read as one tempo

    def __init__(self, fps: float, *pulls: Pull, spread: float = 0.018) -> None:
        self.fps = fps
        frames = np.arange(floor(60.0 * fps / FASTEST_BPM), ceil(60.0 * fps / SLOWEST_BPM) + 1)
        self.frames = frames.astype(np.float32)
        self.tempi = 60.0 * fps / frames
        starts = np.concatenate([[0], np.cumsum(frames)[:-1]])
        self.starts = starts
        self._ends = starts + frames - 1
        count = int(frames.sum())
        phase = np.concatenate([np.arange(n) / n for n in frames])
        length = np.repeat(frames, frames)
        self._phase = phase
        self._circle = np.stack([np.cos(2 * np.pi * phase), np.sin(2 * np.pi * phase)]).astype(np.float32)
        prior = np.exp(-0.5 * (np.log2(self.tempi / self.CENTRE_BPM) / self.OCTAVES) ** 2)
        self._lean = np.repeat(np.log(prior) * self.LEANING / fps, frames).astype(np.float32)
        self._pulls = [self._template(pull, phase, length) for pull in pulls or (self.HEARD,)]
        prior /= frames * np.sum(prior / frames)
        ratio = np.abs(np.log(frames[:, None] / frames[None, :]))
        change = np.exp(-ratio / spread) * prior[None, :] ** 0.05
        change /= change.sum(1, keepdims=True)
        change = (1.0 - self.RESTART) * change + self.RESTART * prior[None, :]
        self._change = np.ascontiguousarray(change.T.astype(np.float32))
        self._fresh = np.repeat(prior / frames, frames).astype(np.float32)
        self.p, self._next = _aligned(count), _aligned(count)
        self.p[:] = self._fresh
        self._observed = np.zeros(count, np.float32)
        self._marginal = np.zeros(len(frames), np.float32)
        self._sums = np.zeros(len(frames) + 1, np.float32)
        reach = np.maximum(1, np.round(self.REACH * frames)).astype(int)
        self._first = np.maximum(0, np.arange(len(frames)) - reach)
        self._last = np.minimum(len(frames), np.arange(len(frames)) + reach + 1)
        self.phase = 0.0
        self.bpm = 0.0
        self.certainty = 0.0  # 0..1, share of probability that agrees on this phase and tempo

    def _template(self, pull: Pull, phase: np.ndarray, length: np.ndarray) -> np.ndarray:
        width = pull.width_s * self.fps

        def near(place: float) -> np.ndarray:
            apart = np.abs((phase - place + 0.5) % 1.0 - 0.5) * length
            closeness: np.ndarray = np.exp(-0.5 * (apart / width) ** 2)
            return closeness

        on, half, quarter = pull.weights
        shape = np.maximum.reduce([on * near(0.0), half * near(0.5), quarter * near(0.25), quarter * near(0.75)])
        if pull.balanced:
            mean = np.add.reduceat(shape, self.starts) / self.frames
            shape = shape - np.repeat(mean, self.frames.astype(int))
        template: np.ndarray = shape.astype(np.float32)
        return template

    def update(self, *activations: float) -> None:
        """One frame on. activations: log odds that a beat is here, about -2..2, one for each pull."""
        p = self.p
        moved = self._next
        observed = self._observed
        observed[:] = self._lean
        for pull, activation in zip(self._pulls, activations, strict=True):
            saxpy(pull, observed, a=activation)
        np.exp(observed, out=observed)
        np.multiply(p[:-1], observed[1:], out=moved[1:])
        moved[self.starts] = self._change.dot(p[self._ends]) * observed[self.starts]
        total = sasum(moved)
        if total > 0.0:
            sscal(1.0 / total, moved)
        else:
            moved[:] = self._fresh
        self.p = moved
        self._next = p

    def seed(self, phase: float, bpm: float) -> None:
        """Believe in this phase (0..1) and tempo, without being sure."""
        lengths = 60.0 * self.fps / self.tempi
        near = np.exp(-0.5 * (np.log(self.tempi / bpm) / self.SEED_TEMPO) ** 2) + 1e-6
        apart = np.abs((self._phase - phase + 0.5) % 1.0 - 0.5)
        p = np.repeat(near / lengths, self.frames.astype(int)) * (np.exp(-0.5 * (apart / self.SEED_PHASE) ** 2) + 0.01)
        self.p[:] = p / p.sum()

    def read(self) -> None:
        """Set phase, bpm and certainty from the probabilities as they are."""
        marginal = np.add.reduceat(self.p, self.starts, out=self._marginal)
        sums = self._sums
        np.add.accumulate(marginal, out=sums[1:])
        best = int((sums[self._last] - sums[self._first]).argmax())
        low = self._first[best]
        high = self._last[best]
        near = marginal[low:high]
        mass = float(sums[high] - sums[low])
        first = self.starts[low]
        last = self._ends[high - 1] + 1
        x, y = self._circle[:, first:last].dot(self.p[first:last]).tolist()
        self.phase = atan2(y, x) / (2 * pi) % 1.0
        self.bpm = 60.0 * self.fps * mass / float(near.dot(self.frames[low:high]))
        self.certainty = hypot(x, y)


class BeatClock:
    """A monotone, continuous count of beats and bars that follows a model's phase by running faster or slower."""

    CATCH_UP_S = 0.12
    SLOWEST = 0.25  # never slower than this share of the tempo, so that a beat is never taken back
    FASTEST = 2.5

    def __init__(self, dt: float) -> None:
        self._dt = dt
        self._gain = dt / self.CATCH_UP_S
        self.beat = 0.0

    def advance(self, phase: float, bpm: float) -> None:
        """One hop on, towards the beat phase (0..1) the model holds for this very moment."""
        step = bpm / 60.0 * self._dt
        wanted = step + ((phase - self.beat - step + 0.5) % 1.0 - 0.5) * self._gain
        if wanted < self.SLOWEST * step:
            wanted = self.SLOWEST * step
        self.beat += wanted if wanted < self.FASTEST * step else self.FASTEST * step
