"""From onset strengths and spectra, hop by hop, to beat, bar, tempo and confidence."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from math import exp, floor, log, sqrt

import numpy as np
from scipy.linalg.blas import sasum, sscal

from performer.audio.downbeat import BarModel, likeness
from performer.audio.phase_lock import Anchor, steady
from performer.audio.smoothing import smoothing
from performer.audio.song_start import Opening
from performer.audio.tempo_model import BeatClock, BeatModel
from performer.types.features import BANDS

COMPRESSION = 60.0  # amplitudes this many times below the loud ones begin to count

#: A frame of band levels (BANDS,) -> probabilities of a beat and of a downbeat.
Net = Callable[[np.ndarray], tuple[float, float]]


class _Strengths:
    """Without a network: how far onset strengths speak for a beat, and changes of bass and harmony for a downbeat.

    dt  seconds per frame
    """

    MEAN_S = 1.0
    PEAK_S = 4.0
    WEIGHTS = (0.4, 1.5, 0.8)  # of low, mid and high onset strengths
    LEAST = 0.05  # strengths below this are no onsets, however quiet all else is
    FLOOR = 0.3  # a range is never blown up to more than its peak over this share of the strongest's
    # up to 150 Hz, and to 1.2 kHz: where bass lines and chords change
    BASS_BANDS = 17
    TONE_BANDS = 38
    USUAL_BEATS = 32.0

    def __init__(self, dt: float) -> None:
        self._mean_step = smoothing(dt, self.MEAN_S)
        self._peak_step = smoothing(dt, self.PEAK_S)
        self._mean = [0.0, 0.0, 0.0]
        self._peak = [0.0, 0.0, 0.0]
        self._low = 0.0  # strongest bass onset around the newest beat
        self._before = np.zeros(self.TONE_BANDS, np.float32)  # sums of the tone in the last half beat, and
        self._after = np.zeros(self.TONE_BANDS, np.float32)  # in the first quarter of this one
        self._before_n = self._after_n = 0
        self._usual = [1e-3, 1e-3, 1e-3]  # slowly decaying peaks of the evidence
        self._evidence = 1.5
        self._spread = 0.5

    def activation(self, loudest: Sequence[float]) -> float:
        """The strongest of each range's onsets in this frame -> evidence for the beat model, about -0.5..2."""
        mean = self._mean
        peak = self._peak
        for i, strength in enumerate(loudest):
            mean[i] += (strength - mean[i]) * self._mean_step
            fallen = peak[i] + (strength - peak[i]) * self._peak_step
            peak[i] = strength if strength > fallen else fallen
        least = max(self.FLOOR * max(peak), self.LEAST)
        made = 0.0
        for i, weight in enumerate(self.WEIGHTS):
            made += weight * (loudest[i] - mean[i]) / max(peak[i], least)
        return made

    def gather(self, phase: float, low: float, levels: np.ndarray) -> None:
        """A frame at this phase of the beat, its bass onset and its band levels (BANDS,)."""
        tone = levels[: self.TONE_BANDS]
        if 0.5 <= phase < 0.95:
            self._before += tone
            self._before_n += 1
        elif 0.05 < phase <= 0.3:
            self._after += tone
            self._after_n += 1
        if abs(phase - 0.5) > 0.35:
            self._low = max(self._low, low)

    def judge(self) -> float | None:
        """A third of a beat has gone by: how far it sounded like the first of a bar, 0..1."""
        made = None
        if self._before_n and self._after_n:
            before = self._before / self._before_n
            after = self._after / self._after_n
            change = np.abs(after - before)
            total = after + before
            found = [self._low]
            for part in (slice(0, self.BASS_BANDS), slice(self.BASS_BANDS, None)):
                found.append(float(change[part].sum()) / (float(total[part].sum()) + 1e-6))
            self._usual = [max(0.98 * usual, value, 1e-3) for usual, value in zip(self._usual, found, strict=True)]
            evidence = sum(v / usual for v, usual in zip(found, self._usual, strict=True))
            made = likeness(evidence, self._evidence, self._spread)
            self._evidence += (evidence - self._evidence) / self.USUAL_BEATS
            self._spread += (abs(evidence - self._evidence) * 1.25 - self._spread) / self.USUAL_BEATS
        self._low = 0.0
        self._before[:] = 0.0
        self._after[:] = 0.0
        self._before_n = self._after_n = 0
        return made


class BeatTracker:
    """From onset strengths and band levels, hop by hop, to beat, bar, tempo and confidence.

    Parameters
    ----------
    rate : int
        Samples per second.
    hop
        Samples per hop.
    net : Net, optional
        Hears beats and downbeats; None: onset strengths must do.
    """

    FPS = 90.0
    LATENCY_S = 0.024  # by which strengths lag the sound,
    NET_LATENCY_S = 0.025  # and the network
    HEARD = 0.02  # certainty from which on a beat is believed to have been heard
    NET_SPREAD = 0.01  # the network's beats wander less than onsets do
    HIT_BEATS = 8.0
    #: Logistic regression on the root of certainty, the mean hit, and whether the beat is kept that music began with;
    #: fitted on MIDI songs played by a soundfont and on half of the corpus, from the start, joined later, and changed.
    TRUST = (-0.76, 0.31, 4.41, 1.15)
    TRUST_PLAIN = (-0.26, 1.64, 0.0, 0.88)
    FORGET_S = 4.0  # silence over which confidence fades
    FADE_S = 1.0
    FAINT = 0.08  # below this nothing speaks for a beat any more
    TRUSTED = 0.4  # confidence from which on a tempo is kept through a break
    COAST_S = 40.0  # over which confidence fades in a break
    QUIET_S = 2.0  # after so much silence the next onset is the beginning of something
    STRUCK = 0.25  # strength of that onset
    OPENED_S = (1.5, 10.0)  # when, after it, it is looked back to which beat of the bar it was
    OPENED_LATE_S = 45.0  # and how long to whether it was on a beat, once the tempo is steady
    ON_BEAT = 0.12  # how near to a beat it must have been to hold on to it, and
    # certainty
    ANCHORED = 0.49
    ANCHORED_PLAIN = 0.25
    # certainty from which on a beat that has been steady for sixteen is kept
    KEPT = 0.4
    KEPT_PLAIN = 0.2
    # While the network is not sure of any beat it counts for little, and onset strengths for the more.
    HELP = 4.0
    SURE = 0.9
    FIRM = 0.7
    DOUBT_S = 3.0
    # of the network's log odds, and where they are cut
    OFFSET = 3.0
    GAIN = 0.4
    LEAST = -4.0
    MOST = 4.0

    def __init__(self, rate: int, hop: int, net: Net | None = None) -> None:
        dt = hop / rate
        self._every = max(1, round(1.0 / dt / self.FPS))
        frame = dt * self._every
        self._dt = dt
        self._net = net
        self._latency = self.LATENCY_S if net is None else self.NET_LATENCY_S
        self._levels = np.zeros(BANDS, np.float32)
        self._strengths = _Strengths(frame)
        if net is None:
            self.model = BeatModel(1.0 / frame, BeatModel.HEARD)
        else:
            self.model = BeatModel(1.0 / frame, BeatModel.HEARD, BeatModel.LEARNED, spread=self.NET_SPREAD)
        self.clock = BeatClock(dt)
        self.bars = BarModel()
        self._anchor = Anchor()
        self._phase = 0.0  # that is gone by: the model's, or half a beat beside it
        self._trust_step = smoothing(2.0 * frame, 0.5)
        self._fade = 1.0 - smoothing(2.0 * frame, self.FORGET_S)
        self._count = 0
        self._now = 0.0
        self._evidence: tuple[float, ...] = (0.0,) if net is None else (0.0, 0.0)
        self._sure = 0.0  # highest probability of a beat that the network gave lately
        self._doubt = 1.0 - smoothing(frame, self.DOUBT_S)
        self._speaks = 0.0  # how far the newest frame speaks for a beat at all, 0..1
        self._vivid = 0.0  # its recent peaks
        self._coasting = False
        self._beats: deque[tuple[int, float]] = deque(maxlen=17)
        self._quiet = self.QUIET_S  # seconds of silence up to now
        self._awaited = False  # there was silence, and no onset since
        self._begun: float | None = None  # when the music began, while that tells something
        self._opening = Opening(frame)
        self._opened = False  # whether it is known with which beat it did
        self._turn = False  # the model is read after every second frame
        self._age = 0  # hops since the frame that was read
        self._loudest = [0.0, 0.0, 0.0]  # onset strengths since the last frame: low, mid, high
        self._low = 0.0
        self._odds = (0.0, 0.0)
        self._hits = 0.0  # mean of what the network said at the beats that were announced
        self._best = [0.0, 0.0]  # highest probabilities of beat and downbeat around the newest beat
        self._judged = 0
        self._certainty = 0.0
        self.activation = 0.0
        self.bar = 0.0
        self.bpm = 0.0
        self.confidence = 0.0

    @property
    def beat(self) -> float:
        """Monotone number of beats."""
        return self.clock.beat

    def join(self, amplitude: float) -> None:
        """How loud the very first millisecond is (root of the mean square): at full level, music was playing before."""
        self._opening.join(amplitude)

    def update(self, strengths: Sequence[float], bands: np.ndarray, reference: float, heard: bool) -> None:
        """One hop.

        Parameters
        ----------
        strengths : Sequence[float]
            Onset strengths (low, mid, high).
        bands : ndarray
            (BANDS,) power, and the amplitude that counts as loud.
        heard : bool
            Whether there is sound.
        """
        loudest = self._loudest
        for i, strength in enumerate(strengths):
            if strength > loudest[i]:
                loudest[i] = strength
        self._count += 1
        self._age += 1
        self._now += self._dt
        if self._count >= self._every:
            self._count = 0
            self._frame(bands, reference, heard)
        elif self._count == 1:  # a hop later, so that no hop does all the work
            self._follow(heard, reference)
            self._gather()
            if self._begun is not None:
                self._look_back(self._begun, reference)
        if self.bpm <= 0.0:
            return
        if self._coasting:
            self.clock.advance((self.clock.beat + self.bpm / 60.0 * self._dt) % 1.0, self.bpm)
        else:
            ahead = self._latency + self._age * self._dt
            self.clock.advance((self._phase + ahead * self.bpm / 60.0) % 1.0, self.bpm)
        self._advance_bar()

    def _follow(self, heard: bool, reference: float) -> None:
        """Move the model by a frame; while nothing speaks for any beat, keep the tempo of the last bars instead."""
        frame = self._every * self._dt
        self._vivid = max(self._speaks, self._vivid * (1.0 - frame / self.FADE_S))
        coasting = self._vivid < self.FAINT and (self._coasting or self.confidence > self.TRUSTED)
        if coasting:
            self._certainty *= 1.0 - frame / (self.COAST_S if heard else self.FORGET_S)
            self.confidence = self._trust()
            if not self._coasting:
                self.bpm = self._steady_bpm()
        else:
            if self._coasting:  # a beat is heard again: most likely where it was expected
                behind = self._latency * self.bpm / 60.0
                self.model.seed((self.clock.beat - behind) % 1.0, self.bpm)
                self._let_go()
            self.model.update(*self._evidence)
            self._turn = not self._turn
            if self._turn:
                self._read(heard)
                self._age = 1
        self._coasting = coasting
        number = floor(self.clock.beat)
        if not self._beats or number > self._beats[-1][0]:
            self._beats.append((number, self._now))
            if not coasting and self._anchor.bpm <= 0.0 and self.confidence > self.TRUSTED:
                self._keep(reference)

    def _let_go(self) -> None:
        """What comes now need not go on with what was before."""
        self._anchor.weigh()
        self._beats.clear()

    def _steady_bpm(self) -> float:
        """The tempo of the last bars, finer than the model's: how many beats in how many seconds."""
        if len(self._beats) < 5:
            return self.bpm
        (first, begun), (last, ended) = self._beats[0], self._beats[-1]
        measured = 60.0 * (last - first) / (ended - begun)
        return measured if abs(measured / self.bpm - 1.0) < 0.03 else self.bpm

    def _frame(self, bands: np.ndarray, reference: float, heard: bool) -> None:
        np.sqrt(bands, out=self._levels)
        sscal(COMPRESSION / reference, self._levels)
        np.log1p(self._levels, out=self._levels)
        strengths = self._strengths.activation(self._loudest)
        if self._net is not None:
            self._odds = self._net(self._levels)
            p = min(max(self._odds[0], 1e-4), 0.9999)
            self._speaks = p
            self._sure = max(p, self._sure * self._doubt)
            strengths *= self.HELP * max(0.0, 1.0 - self._sure / self.SURE)
            learned = min(max(log(p / (1.0 - p)) + self.OFFSET, self.LEAST), self.MOST) * self.GAIN
            learned *= min(1.0, self._sure / self.FIRM) ** 3
            self._evidence = (strengths, learned)
            self.activation = learned
        else:
            self._speaks = max(0.0, strengths)
            self._evidence = (strengths,)
            self.activation = strengths
        self._await(heard)
        self._opening.update(float(sasum(bands)), self._now, self._begun)
        if not heard:
            self._evidence = (0.0,) * len(self._evidence)
            self.activation = self._speaks = 0.0
        self._low = self._loudest[0]
        self._loudest = [0.0, 0.0, 0.0]

    def _await(self, heard: bool) -> None:
        """Notice the first onset after silence."""
        if not heard:
            self._quiet += self._every * self._dt
            return
        if self._quiet >= self.QUIET_S:
            self._awaited = True
            self._begun = None
            if self._now >= self.QUIET_S:
                self._opening.silence()
            self._let_go()
        self._quiet = 0.0
        if self._awaited and max(self._loudest) > self.STRUCK:
            self._awaited = False
            self._begun = self._now
            self._opened = False
            self._opening.begin()

    def _look_back(self, begun: float, reference: float) -> None:
        """As soon as the tempo is known: most music begins on a beat, and with the first one of a bar."""
        ago = self._now - begun
        if ago > self.OPENED_LATE_S:
            self._begun = None
        elif self.OPENED_S[0] < ago <= self.OPENED_S[1] and self.confidence > self.TRUSTED and self._opening.loud:
            beat = self.clock.beat - ago * self.bpm / 60.0
            apart = abs(beat - round(beat))
            if apart < 0.25 and not self._opened:
                self.bars.opens(self._judged, round(beat), self._opening.odds(reference))
                self._opened = True
            sure = self._certainty > (self.ANCHORED_PLAIN if self._net is None else self.ANCHORED)
            free = self._anchor.bpm <= 0.0
            if free and sure and apart < self.ON_BEAT and self._opening.heard(reference):
                self._anchor.drop(self.model.phase, self.model.bpm, True)

    def _keep(self, reference: float) -> None:
        """A beat has come: where the tempo has been steady for sixteen, hold on to it.

        Where music was known to begin half a beat beside, that is on the beat, and what sounds stronger is not.
        """
        if len(self._beats) < 17 or self._certainty <= (self.KEPT_PLAIN if self._net is None else self.KEPT):
            return
        line = steady(self._beats)
        if line is None or abs(60.0 / line[0] / self.model.bpm - 1.0) > 0.03:
            return
        phase = self.model.phase
        apart = 0.25
        if self._begun is not None and self._opening.heard(reference) and self._opening.loud:
            beat = (self._begun - line[1]) / line[0]
            apart = abs(beat - round(beat))
            if apart > 0.5 - self.ON_BEAT:
                phase = (phase + 0.5) % 1.0
                apart = 0.0
                if not self._opened:
                    self.bars.opens(self._judged, round(self._beats[-1][0] + beat + 0.5), BarModel.OPENING)
                    self._opened = True
        self._anchor.drop(phase, self.model.bpm, apart < self.ON_BEAT)

    def _read(self, heard: bool) -> None:
        self.model.read()
        dt = 2.0 * self._every * self._dt
        self._phase, bpm = self._anchor.follow(self.model.phase, self.model.bpm, dt)
        if heard:
            self._certainty += (self.model.certainty - self._certainty) * self._trust_step
        else:
            self._certainty *= self._fade
        if self.bpm > 0.0 or self._certainty > self.HEARD:
            self.bpm = bpm
            self.confidence = self._trust()

    def _trust(self) -> float:
        """How likely an announced beat is right within 70 ms, as it was on songs made up for training."""
        root = sqrt(self._certainty)
        constant, certain, hits, anchored = self.TRUST_PLAIN if self._net is None else self.TRUST
        known = self._anchor.bpm > 0.0 and self._anchor.known
        odds = constant + certain * root + hits * self._hits + anchored * known
        likely = 1.0 / (1.0 + exp(-odds))
        return likely * min(1.0, 2.0 * root)  # nothing heard is not even chance

    def _gather(self) -> None:
        """Collect what speaks for a downbeat at each beat; judge it a third of a beat later."""
        number = floor(self.clock.beat)
        phase = self.clock.beat - number
        if self._net is None:
            self._strengths.gather(phase, self._low, self._levels)
        elif phase < 0.3 or phase > 0.85:
            self._best = [max(best, odds) for best, odds in zip(self._best, self._odds, strict=True)]
        if number <= self._judged or not 0.3 < phase < 0.5:
            return
        self._judged = number
        if self._net is None:
            evidence = self._strengths.judge()
        else:
            evidence = self._best[1] / max(self._best[0], self._best[1], 0.05)
            self._hits += (self._best[0] - self._hits) / self.HIT_BEATS
            self._best = [0.0, 0.0]
        if evidence is not None:
            self.bars.update(number, evidence)

    def _advance_bar(self) -> None:
        bar = self.bar
        length = self.bars.length
        step = self.bpm / 60.0 * self._dt / length
        wanted = (self.clock.beat - self.bars.first) / length
        behind = (wanted - bar - step + 0.5) % 1.0 - 0.5
        if behind < (BeatClock.SLOWEST - 1.0) * step:
            behind = (BeatClock.SLOWEST - 1.0) * step
        self.bar = bar + step + (behind if behind < 2.0 * step else 2.0 * step)
