"""The streaming analyser: one hop of sound in, one row of features out. Pure: no clock, no thread, no I/O."""

from __future__ import annotations

from math import exp, log, log10, sqrt
from struct import Struct

import numpy as np
from scipy.linalg.blas import saxpy, sdot

from performer.audio.beat_tracker import BeatTracker, Net
from performer.audio.decimate import Decimator, factor
from performer.audio.features import FEATURES, RANGES, Moment, range_sums
from performer.audio.harmony import Tone
from performer.audio.onsets import Detector, Flux
from performer.audio.sections import Structure
from performer.audio.smoothing import AutoGain, Smoother
from performer.audio.spectrum import Spectrum, hop_size
from performer.types.features import BANDS, HEAD

SILENCE_DB = -76.0  # mean square below which there is no sound
PRESENT_DB = -66.0  # from here on there clearly is
QUIETEST_DB = -58.0  # the gain never treats less than this as loud
BAND_RELEASE_S = 0.12
BAND_RANGE_DB = 42.0  # what lies between 0 and 1 in the bands
CONTRAST = 10.0 / log(10.0) / BAND_RANGE_DB  # of a natural logarithm of power
ONSET_LATENCY_S = 0.008  # from the attack to its announcement, typically
LOUDEST = 8.0  # samples are clipped here: no sound card makes more than 1
# onset strength in the middle range, at its peak, that muffled sound stays below
MUFFLED = 0.2
MUFFLED_S = 3.0
BASS_SHARE = 0.12  # of the spectrum, as far as onsets go
TINY = 1e-4  # values below fade to zero at once


class Analyzer:
    """Hears sound hop by hop and tells features, onsets, beat, bar and tempo.

    Parameters
    ----------
    rate : int
        Samples per second.
    net : Net, optional
        Hears beats in frames of band levels, as `activation.BeatNet` does; None: onset strengths alone.

    Attributes
    ----------
    hop
        Samples per call of `process`.
    names : tuple[str, ...]
        The named features, in the order of a row.
    """

    def __init__(self, rate: int, net: Net | None = None) -> None:
        self.rate = rate
        self.hop = hop_size(rate)
        several = factor(rate)
        self._decimator = Decimator(several, self.hop) if several > 1 else None
        # of what is analysed
        rate = rate // several
        hop = self.hop // several
        self._spectrum = Spectrum(rate)
        self.names: tuple[str, ...] = tuple(sorted(FEATURES, key=lambda name: FEATURES[name].slow))
        dt = hop / rate
        self._dt = dt
        self._hops = 0
        self._row = np.zeros(len(HEAD) + len(self.names) + BANDS)
        self._row[HEAD.index("onset_t")] = -np.inf
        self._followed = self._row[len(HEAD) :]
        self._raw = np.zeros(len(self.names) + BANDS)
        self._band_raw = self._raw[-BANDS:]
        self._measures = [made.measure for made in FEATURES.values() if not made.slow]
        self._slow_measures = [made.measure for made in FEATURES.values() if made.slow]
        self._write_head = Struct(f"{len(HEAD)}d").pack_into
        self._write_quick = Struct(f"{len(self._measures)}d").pack_into
        self._slow_raw = self._raw[len(self._measures) : len(self.names)]
        self._tone = Tone(rate, hop)
        self._structure = Structure(self._tone.interval_s)
        self._follower = Smoother(
            dt,
            [FEATURES[name].attack for name in self.names] + [0.0] * BANDS,
            [FEATURES[name].release for name in self.names] + [BAND_RELEASE_S] * BANDS,
        )
        self._gain = AutoGain(dt, len(RANGES), QUIETEST_DB)
        self._sums = range_sums()
        self._ranges = np.zeros(len(self._sums), np.float32)
        self._parts = [(name, below) for name, (_, _, below) in RANGES.items()]
        self._logs = np.zeros(BANDS, np.float32)
        self._shades = np.zeros(BANDS, np.float32)
        self._share = np.full(BANDS, 1.0 / BANDS, np.float32)
        # numpy is quickest with arrays of one kind.
        self._least = np.full(BANDS, 1e-12, np.float32)
        self._black = np.zeros(BANDS, np.float32)
        self._white = np.ones(BANDS, np.float32)
        self._flux = Flux(dt, rate / self._spectrum.size, len(self._spectrum.power))
        self._any = Detector(dt, threshold=0.04, ratio=1.2, peak_share=0.05, rest_s=0.045)
        self._kick = Detector(dt, threshold=0.4, ratio=2.0, peak_share=0.35, rest_s=0.1)
        self._snare = Detector(dt, threshold=0.25, ratio=2.0, peak_share=0.35, rest_s=0.1)
        self._hat = Detector(dt, threshold=0.3, ratio=1.8, peak_share=0.25, rest_s=0.06)
        self._tracker = BeatTracker(rate, hop, net)
        self._loudest_rise = 0.05
        self._clear = 0.0
        self._onset_t = float("-inf")
        self._moment = Moment(
            dict.fromkeys(RANGES, 0.0),
            (0.0, 0.0, 0.0),
            0.0,
            (0.0, 0.0),
            (0.0, 0.0),
            (0.0, 0.0),
            (0.0, 0.0),
            0.0,
            self._tone,
            self._structure,
        )

    @property
    def activation(self) -> float:
        """What the newest frame said for a beat, as the beat model reads it: log odds, above 0 for rather yes."""
        return self._tracker.activation

    def process(self, samples: np.ndarray) -> np.ndarray:
        """One hop on.

        Parameters
        ----------
        samples : ndarray
            (hop,) float32 mono; NaN and infinities count as 0.

        Returns
        -------
        ndarray
            (len(HEAD) + len(names) + BANDS,) float64 as `frame.Features.from_row` reads it; the same buffer every call.

        Raises
        ------
        ValueError
            For any other number of samples.
        """
        if samples.shape != (self.hop,):
            raise ValueError(f"a hop is ({self.hop},) samples at {self.rate} Hz, not {samples.shape}")
        # The energy is soon found, and while it is small no sample is large; NaN is not below either.
        if not sdot(samples, samples) <= LOUDEST**2 and not float(np.abs(samples).max()) <= LOUDEST:
            samples = np.nan_to_num(samples, nan=0.0, posinf=0.0, neginf=0.0, copy=True)
            np.clip(samples, -LOUDEST, LOUDEST, out=samples)
        if self._hops == 0:
            self._tracker.join(float(np.sqrt(np.mean(np.square(samples[: max(1, self.rate // 1000)])))))
        if self._decimator is not None:
            samples = self._decimator.push(samples)
        self._spectrum.push(samples)
        self._hops += 1
        t = self._hops * self.hop / self.rate
        presence = self._measure()
        strengths = self._flux.update(self._spectrum.amplitude, self._loud_amplitude).tolist()
        self._listen(t, strengths, presence)
        self._tracker.update(strengths[1:4], self._spectrum.bands, self._loud_amplitude, presence > 0.0)
        if self._tone.push(samples, presence > 0.0):
            self._look(presence)
        self._fill(t)
        return self._row

    def _look(self, presence: float) -> None:
        """Tone has had another look: measure what changes slowly."""
        m = self._moment
        self._structure.update(
            float(self._ranges[0]), float(self._ranges[1]), m.tone[0], self._any.count, presence > 0.0
        )
        self._slow_raw[:] = [measure(m) for measure in self._slow_measures]
        fading = (self._follower.values < TINY) & (self._raw < TINY)
        self._follower.values[fading] = self._raw[fading] = 0.0

    def _measure(self) -> float:
        """Loudness, tone and bands of the newest window; returns how present sound is, 0..1."""
        bands = self._spectrum.bands
        logs = self._logs
        shades = self._shades
        m = self._moment
        self._sums.dot(bands, out=self._ranges)
        *powers, weighted = self._ranges.tolist()
        total = powers[0]
        levels_db = [10.0 * log10(power + 1e-20) for power in powers]
        presence = min(max((levels_db[0] - SILENCE_DB) / (PRESENT_DB - SILENCE_DB), 0.0), 1.0)
        m.presence = presence
        reference = self._gain.update(levels_db) if presence > 0.0 else self._gain.reference
        overall = reference[0]
        loudness = m.loudness
        for (name, below), power, ref in zip(self._parts, powers, reference, strict=True):
            if ref < overall - below:
                ref = overall - below
            value = sqrt(power) * exp(-0.1151292546497 * ref) * presence
            loudness[name] = value if value < 1.0 else 1.0
        self._loud_amplitude = exp(0.1151292546497 * overall) * 0.35
        np.add(bands, self._least, out=logs)
        np.log(logs, out=logs)
        m.tone = (weighted / (total + 1e-20), sdot(logs, self._share), log(total / BANDS + 1e-12))
        shades.fill(1.0 - (overall - 9.0) / BAND_RANGE_DB)  # a band seldom holds all of the loudness
        saxpy(logs, shades, a=CONTRAST)
        np.maximum(shades, self._black, out=shades)
        np.minimum(shades, self._white, out=shades)
        if presence < 1.0:
            shades *= presence
        self._band_raw[:] = shades
        return presence

    def _listen(self, t: float, strengths: list[float], presence: float) -> None:
        every, low, mid, _, body, crack, air = strengths
        m = self._moment
        if presence <= 0.0:
            every = low = mid = body = crack = air = 0.0
        self._clear = max(mid, self._clear * (1.0 - self._dt / MUFFLED_S))
        if self._clear < MUFFLED:  # through a wall only the bass is left: a bass onset is all there is
            every = max(every, BASS_SHARE * low * min(1.0, 2.0 - 2.0 * self._clear / MUFFLED))
        loudest = self._loudest_rise = max(every, 0.05, self._loudest_rise * (1.0 - 0.4 * self._dt))
        m.rise = min(1.0, every / loudest)
        if self._any.update(every):
            self._onset_t = t - ONSET_LATENCY_S
        self._kick.update(low if low > 2.5 * mid + 0.3 else 0.0)
        self._snare.update(min(body, crack) * 2.0 if low < 3.0 * crack else 0.0)
        self._hat.update(air if air > 2.2 * mid + 0.2 and air > low else 0.0)
        m.onset = (self._any.strength * presence, self._any.age)
        m.kick = (self._kick.strength * presence, self._kick.age)
        m.snare = (self._snare.strength * presence, self._snare.age)
        m.hat = (self._hat.strength * presence, self._hat.age)

    def _fill(self, t: float) -> None:
        m = self._moment
        tracker = self._tracker
        # Packed, since numpy looks long at a tuple before it takes the numbers.
        self._write_head(
            self._row.data,
            0,
            t,
            self._onset_t,
            self._any.count,
            self._kick.count,
            self._snare.count,
            self._hat.count,
            tracker.beat,
            tracker.bar,
            tracker.bpm,
            tracker.confidence,
            self._structure.drops,
            tracker.bars.length,
            t - self._kick.age,
            t - self._snare.age,
            t - self._hat.age,
        )
        self._write_quick(self._raw.data, 0, *[measure(m) for measure in self._measures])
        self._followed[:] = self._follower.update(self._raw)
