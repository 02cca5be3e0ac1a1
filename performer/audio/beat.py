"""Tempo, beat and bar, causally: a hidden Markov model over tempo and position, and a clock that follows it.

The state space is that of Krebs, Böck and Widmer ("An efficient state-space model for joint tempo and meter
tracking", ISMIR 2015): a state is a whole number of frames per beat and a frame within the beat, so that time
passes by moving every probability one place on, and tempo may change only at a beat. The observation model is
log-linear in the onset strengths instead of learned.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import atan2, ceil, floor, hypot, pi, sqrt

import numpy as np

from performer.audio.follow import smoothing

SLOWEST_BPM = 55.0
FASTEST_BPM = 215.0


class BeatModel:
    """Forward pass over (tempo, position in the beat).

    fps  updates per second
    """

    TEMPO_SPREAD = 0.018  # relative tempo change per beat that costs one unit of log probability
    RESTART = 5e-4  # share of probability per beat that may jump to any tempo
    CENTRE_BPM = 120.0
    OCTAVES = 0.8  # width of the tempo prior, in octaves
    LEANING = 0.5  # how many times a second the prior speaks
    WIDTH_S = 0.025  # half width of what counts as on the beat
    WEIGHTS = (1.0, 0.5, 0.2)  # pull of onsets on the beat, half way, and at the quarters
    REACH = 0.05  # relative width in tempo of what is read as one tempo

    def __init__(self, fps: float) -> None:
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
        self._cos = np.cos(2 * np.pi * phase).astype(np.float32)
        self._sin = np.sin(2 * np.pi * phase).astype(np.float32)
        self._pull = self._template(phase, length)
        prior = np.exp(-0.5 * (np.log2(self.tempi / self.CENTRE_BPM) / self.OCTAVES) ** 2)
        self._lean = np.repeat(np.log(prior) * self.LEANING / fps, frames).astype(np.float32)
        prior /= frames * np.sum(prior / frames)
        ratio = np.abs(np.log(frames[:, None] / frames[None, :]))
        change = np.exp(-ratio / self.TEMPO_SPREAD) * prior[None, :] ** 0.05
        change /= change.sum(1, keepdims=True)
        change = (1.0 - self.RESTART) * change + self.RESTART * prior[None, :]
        self._change = np.ascontiguousarray(change.T.astype(np.float32))
        self._fresh = np.repeat(prior / frames, frames).astype(np.float32)
        self.p = self._fresh.copy()
        self._next = np.zeros(count, np.float32)
        self._ones = np.ones(count, np.float32)
        self._observed = np.zeros(count, np.float32)
        self._marginal = np.zeros(len(frames), np.float32)
        self._sums = np.zeros(len(frames) + 1, np.float32)
        reach = np.maximum(1, np.round(self.REACH * frames)).astype(int)
        self._first = np.maximum(0, np.arange(len(frames)) - reach)
        self._last = np.minimum(len(frames), np.arange(len(frames)) + reach + 1)
        self.phase = 0.0
        self.bpm = 0.0
        self.certainty = 0.0  # 0..1, share of probability that agrees on this phase and tempo

    def _template(self, phase: np.ndarray, length: np.ndarray) -> np.ndarray:
        width = self.WIDTH_S * self.fps

        def near(place: float) -> np.ndarray:
            apart = np.abs((phase - place + 0.5) % 1.0 - 0.5) * length
            closeness: np.ndarray = np.exp(-0.5 * (apart / width) ** 2)
            return closeness

        on, half, quarter = self.WEIGHTS
        pull = np.maximum.reduce([on * near(0.0), half * near(0.5), quarter * near(0.25), quarter * near(0.75)])
        # Zero mean per tempo: steady noise speaks for no tempo.
        mean = np.add.reduceat(pull, self.starts) / self.frames
        template: np.ndarray = pull - np.repeat(mean, self.frames.astype(int))
        return template.astype(np.float32)

    def update(self, activation: float) -> None:
        """One frame on. activation: log odds that onsets speak for a beat here, about -0.5..2."""
        p, moved = self.p, self._next
        moved[1:] = p[:-1]
        moved[self.starts] = self._change @ p[self._ends]
        np.multiply(self._pull, activation, out=self._observed)
        self._observed += self._lean
        np.exp(self._observed, out=self._observed)
        np.multiply(moved, self._observed, out=moved)
        total = float(np.dot(moved, self._ones))
        if total > 0.0:
            moved *= 1.0 / total
        else:
            moved[:] = self._fresh
        self.p, self._next = moved, p

    def read(self) -> None:
        """Set phase, bpm and certainty from the probabilities as they are."""
        marginal = np.add.reduceat(self.p, self.starts, out=self._marginal)
        np.cumsum(marginal, out=self._sums[1:])
        best = int((self._sums[self._last] - self._sums[self._first]).argmax())
        low, high = self._first[best], self._last[best]
        near = marginal[low:high]
        mass = float(self._sums[high] - self._sums[low])
        first = self.starts[low]
        last = self._ends[high - 1] + 1
        x = float(np.dot(self.p[first:last], self._cos[first:last]))
        y = float(np.dot(self.p[first:last], self._sin[first:last]))
        self.phase = atan2(y, x) / (2 * pi) % 1.0
        self.bpm = 60.0 * self.fps * mass / float(np.dot(near, self.frames[low:high]))
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
        behind = (phase - self.beat - step + 0.5) % 1.0 - 0.5
        wanted = step + behind * self._gain
        self.beat += min(max(wanted, self.SLOWEST * step), self.FASTEST * step)


class BarModel:
    """Which beat is the first of the bar, and whether bars have four beats or three.

    Each beat's evidence (bass and overall attack, change of harmony) is summed for every alignment and forgotten
    slowly.
    """

    MEMORY_BEATS = 64.0
    ENOUGH_BEATS = 15.0  # heard before bars of three are thought of
    CLEAR = 0.5  # by how much another beat's summed evidence must lead before bars are counted from it
    THREE = 1.15  # how much better three must explain than four before it is believed

    def __init__(self) -> None:
        # Length of a bar -> sums of evidence and of beats, by place in the bar.
        self._sums = {length: (np.zeros(length), np.zeros(length)) for length in (3, 4)}
        self._keep = 1.0 - 1.0 / self.MEMORY_BEATS
        self.length = 4
        self.first = 0  # beat number modulo length that opens a bar

    def update(self, beat: int, evidence: float) -> None:
        """Take the evidence (>= 0) found at beat number `beat`."""
        means, contrasts = {}, {}
        for length, (sums, beats) in self._sums.items():
            sums *= self._keep
            beats *= self._keep
            sums[beat % length] += evidence
            beats[beat % length] += 1.0
            means[length] = mean = sums / np.maximum(beats, 1.0)
            contrasts[length] = float(mean.max()) / max(float(mean.mean()), 1e-9) - 1.0
        sums, beats = self._sums[4]
        if self.length == 4:
            if beats.sum() > self.ENOUGH_BEATS and contrasts[3] > self.THREE * contrasts[4] + 0.1:
                self.length = 3
        elif contrasts[4] > contrasts[3]:
            self.length = 4
        mean, (_, beats) = means[self.length], self._sums[self.length]
        best = int(mean.argmax())
        self.first %= self.length
        if mean[best] > mean[self.first] + self.CLEAR / max(float(beats[best]), 1.0):
            self.first = best


class BeatTracker:
    """From onset strengths, hop by hop, to beat, bar, tempo and confidence.

    rate  samples per second; hop  samples per hop
    """

    FPS = 90.0
    MEAN_S = 1.0
    PEAK_S = 4.0
    WEIGHTS = (0.4, 1.5, 0.8)  # of low, mid and high onset strengths
    LEAST = 0.05  # strengths below this are no onsets, however quiet all else is
    FLOOR = 0.3  # a range is never blown up to more than its peak over this share of the strongest's
    LATENCY_S = 0.020  # by which the strengths lag the sound
    BASS_BANDS, TONE_BANDS = 17, 38  # up to 150 Hz, and to 1.2 kHz: where bass lines and chords change
    TONE_COMPRESSION = 30.0
    HEARD = 0.02  # certainty from which on a beat is believed to have been heard
    FORGET_S = 4.0  # silence over which confidence fades

    def __init__(self, rate: int, hop: int) -> None:
        dt = hop / rate
        self._every = max(1, round(1.0 / dt / self.FPS))
        frame = dt * self._every
        self._dt = dt
        self.model = BeatModel(1.0 / frame)
        self.clock = BeatClock(dt)
        self.bars = BarModel()
        self._mean_step = smoothing(frame, self.MEAN_S)
        self._peak_step = smoothing(frame, self.PEAK_S)
        self._trust_step = smoothing(frame, 0.5)
        self._fade = 1.0 - smoothing(frame, self.FORGET_S)
        self._count = 0
        self._age = 0  # hops since the frame that was read
        self._heard_low = 0.0
        self._loudest = [0.0, 0.0, 0.0]  # since the last frame: low, mid, high
        self._mean = [0.0, 0.0, 0.0]
        self._peak = [0.0, 0.0, 0.0]
        self._low = 0.0  # strongest bass onset around the newest beat
        self._tone = np.zeros(self.TONE_BANDS, np.float32)
        self._before = np.zeros(self.TONE_BANDS, np.float32)  # sums of the tone in the last half beat, and
        self._after = np.zeros(self.TONE_BANDS, np.float32)  # in the first quarter of this one
        self._before_n = self._after_n = 0
        self._usual = [1e-3, 1e-3, 1e-3]  # slowly decaying peaks of the evidence
        self._judged = 0
        self.bar = 0.0
        self.bpm = 0.0
        self.confidence = 0.0
        self._certainty = 0.0

    @property
    def beat(self) -> float:
        """Monotone number of beats."""
        return self.clock.beat

    def update(self, strengths: Sequence[float], bands: np.ndarray, reference: float, heard: bool) -> None:
        """One hop.

        strengths  onset strengths (low, mid, high)
        bands      (BANDS,) power, and the amplitude that counts as loud
        heard      whether there is sound
        """
        loudest = self._loudest
        for i, strength in enumerate(strengths):
            if strength > loudest[i]:
                loudest[i] = strength
        self._count += 1
        self._age += 1
        if self._count >= self._every:
            self._count = 0
            self._frame(heard)
        elif self._count == 1:  # a hop later, so that no hop does all the work
            self._read(heard)
            self._age = 1
            self._gather(self._heard_low, bands, reference)
        if self.bpm <= 0.0:
            return
        ahead = self.LATENCY_S + self._age * self._dt
        self.clock.advance((self.model.phase + ahead * self.bpm / 60.0) % 1.0, self.bpm)
        self._advance_bar()

    def _frame(self, heard: bool) -> None:
        mean, peak = self._mean, self._peak
        for i, strength in enumerate(self._loudest):
            mean[i] += (strength - mean[i]) * self._mean_step
            peak[i] = max(strength, peak[i] + (strength - peak[i]) * self._peak_step)
        least = max(self.FLOOR * max(peak), self.LEAST)
        activation = 0.0
        for i, weight in enumerate(self.WEIGHTS):
            activation += weight * (self._loudest[i] - mean[i]) / max(peak[i], least)
        self.model.update(activation if heard else 0.0)
        self._heard_low = self._loudest[0]
        self._loudest = [0.0, 0.0, 0.0]

    def _read(self, heard: bool) -> None:
        self.model.read()
        if heard:
            self._certainty += (self.model.certainty - self._certainty) * self._trust_step
        else:
            self._certainty *= self._fade
        if self.bpm > 0.0 or self._certainty > self.HEARD:
            self.bpm = self.model.bpm
            self.confidence = min(1.0, 1.25 * sqrt(self._certainty))

    def _gather(self, low: float, bands: np.ndarray, reference: float) -> None:
        """Collect what speaks for a downbeat at each beat; judge it a third of a beat later."""
        tone = self._tone
        np.sqrt(bands[:len(tone)], out=tone)
        tone *= self.TONE_COMPRESSION / reference
        np.log1p(tone, out=tone)
        number = floor(self.clock.beat)
        phase = self.clock.beat - number
        if phase >= 0.5:
            if phase < 0.95:
                self._before += tone
                self._before_n += 1
        elif number > self._judged and phase > 0.3:
            self._judge(number)
        elif phase > 0.05:
            self._after += tone
            self._after_n += 1
        if abs(phase - 0.5) > 0.35:
            self._low = max(self._low, low)

    def _judge(self, number: int) -> None:
        if self._before_n and self._after_n:
            before, after = self._before / self._before_n, self._after / self._after_n
            change, total = np.abs(after - before), after + before
            found = [self._low]
            for part in (slice(0, self.BASS_BANDS), slice(self.BASS_BANDS, None)):
                found.append(float(change[part].sum()) / (float(total[part].sum()) + 1e-6))
            self._usual = [max(0.98 * usual, value, 1e-3) for usual, value in zip(self._usual, found, strict=True)]
            self.bars.update(number, sum(v / usual for v, usual in zip(found, self._usual, strict=True)))
        self._judged = number
        self._low = 0.0
        self._before[:] = 0.0
        self._after[:] = 0.0
        self._before_n = self._after_n = 0

    def _advance_bar(self) -> None:
        length = self.bars.length
        step = self.bpm / 60.0 * self._dt / length
        wanted = (self.clock.beat - self.bars.first) / length
        behind = (wanted - self.bar - step + 0.5) % 1.0 - 0.5
        self.bar += min(max(step + behind, BeatClock.SLOWEST * step), 3.0 * step)
