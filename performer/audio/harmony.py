"""Tone: chroma, key, pitch and dissonance, from a longer and lower look at the sound than the onsets need.

The sound is thinned out to some 11 kHz; every REST_S one window of a third of a second is looked at, a step at a time,
so that no hop does all the work.
"""

from __future__ import annotations

from math import floor, log2, pi, sqrt

import numpy as np
from scipy.signal import firwin

from performer.audio.spectrum import Transform

LOWEST_HZ = 55.0
HIGHEST_HZ = 4_000.0
RATE_HZ = 11_000.0  # the thinned-out rate is the sound's halved until another time would be too often
WINDOW = 4096
PITCH_WINDOW = 1024
PITCH_HZ = (60.0, 1_200.0)
REST_S = 0.12
KEY_S = 10.0  # memory for the key
CLEARER = 0.05  # by how much another key must fit better before it is believed
PEAKS = 10  # partials that are heard for dissonance
TAPS = 32
TOGETHER = 4  # hops thinned out in one go,
BLOCK = 16  # so many values by one row of a matrix product

#: How well each degree fits a major and a minor key (Krumhansl, "Cognitive Foundations of Musical Pitch", 1990).
MAJOR = (6.35, 2.23, 3.48, 2.33, 4.38, 4.09, 2.52, 5.19, 2.39, 3.66, 2.29, 2.88)
MINOR = (6.33, 2.68, 3.52, 5.38, 2.60, 3.53, 2.54, 4.75, 3.98, 2.69, 3.34, 3.17)


class Tone:
    """Hears sound hop by hop; what it found stands in its attributes.

    Attributes
    ----------
    chroma
        (12,) float, 0..1, C first: strength of each pitch class, the strongest 1.
    key
        0..11, C first.
    minor
        Whether it is a minor key.
    key_fit
        0..1, correlation with its profile.
    fifths
        Complex, |.| <= 1: the chroma's centre on the circle of fifths; its angle is a hue of the harmony.
    pitch_hz
        Hertz, of a single voice.
    clarity
        0..1, how much of one voice the sound is (McLeod and Wyvill, 2005).
    dissonance
        0..1, roughness of the strongest partials (Sethares, "Local consonance", JASA 1993).
    """

    def __init__(self, rate: int, hop: int) -> None:
        every = self._every = max(1, min(2 ** floor(log2(rate / RATE_HZ)), TOGETHER * hop // BLOCK))
        self.rate = rate / every
        self._kept = self._filled = BLOCK * every if every > 1 else 0  # a block of the hops before
        self._line = np.zeros(self._kept + TOGETHER * hop, np.float32)
        if every > 1:
            self._banks = _low_pass(every)
            blocks = self._line.reshape(-1, self._kept)
            self._blocks = (blocks[:-1], blocks[1:])
            self._thin = np.zeros((2, len(blocks) - 1, BLOCK), np.float32)
        self._ring = np.zeros(2 * WINDOW + TOGETHER * hop // every, np.float32)
        self._at = WINDOW
        self._window = np.hanning(WINDOW).astype(np.float32)
        self._rest = max(8, round(REST_S * rate / hop))
        self.interval_s = self._rest * hop / rate  # from one look to the next
        self._count = 0
        hertz = np.arange(WINDOW // 2 + 1) * self.rate / WINDOW
        self._low = int(np.searchsorted(hertz, LOWEST_HZ))
        self._high = int(np.searchsorted(hertz, min(HIGHEST_HZ, 0.45 * self.rate)))
        self._hertz = hertz[self._low : self._high]
        self._fold = _chroma_bank(self._hertz)
        self._transform = Transform(WINDOW)
        self._loud = np.zeros(self._high - self._low, np.float32)  # amplitude of each bin
        self._longest = min(int(self.rate / PITCH_HZ[0]), PITCH_WINDOW // 2 - 2)  # lag that a pitch may have
        padded = -(-(PITCH_WINDOW + self._longest + 1) // 256) * 256  # a length that is transformed quickly
        self._pitch_transform = Transform(padded)
        self._pitch_power = np.zeros(padded // 2 + 1, np.float32)
        self._energy = np.zeros(self._longest + 1, np.float32)
        profiles = [np.roll(p, k) for p in (MAJOR, MINOR) for k in range(12)]
        centred = np.array(profiles) - np.mean(profiles, 1, keepdims=True)
        self._profiles = centred / np.linalg.norm(centred, axis=1, keepdims=True)
        self._memory = np.zeros(12)
        self._keep = 1.0 - min(1.0, self._rest * hop / rate / KEY_S)
        self._circle = np.exp(2j * pi * 7 * np.arange(12) / 12)
        self.chroma = np.zeros(12)
        self.key = 0
        self.minor = False
        self.key_fit = 0.0
        self.fifths = 0j
        self.pitch_hz = 0.0
        self.clarity = 0.0
        self.dissonance = 0.0
        steps = (self._look, self._hear_chroma, self._hear_key, self._hear_pitch, self._hear_dissonance)
        self._last = (len(steps) - 1) * (self._rest // 6)
        self._steps = {number * (self._rest // 6): step for number, step in enumerate(steps)}

    def push(self, samples: np.ndarray, heard: bool) -> bool:
        """One hop (hop,) float32, and whether there is sound at all; true when a whole look is done."""
        end = self._filled + len(samples)
        self._line[self._filled : end] = samples
        self._filled = end
        if end == len(self._line):
            self._thin_out()
        count = self._count
        self._count = (count + 1) % self._rest
        if count in self._steps:
            if heard:
                self._steps[count]()
            else:
                self._fade()
        return count == self._last

    def _thin_out(self) -> None:
        thin = line = self._line
        self._filled = self._kept
        if self._every > 1:
            early, late = self._thin
            self._blocks[0].dot(self._banks[0], out=early)
            self._blocks[1].dot(self._banks[1], out=late)
            early += late
            thin = early.reshape(-1)
            line[: self._kept] = line[-self._kept :]
        at = self._at
        end = self._at + len(thin)
        self._ring[at:end] = thin
        self._at = end
        if end > 2 * WINDOW:
            self._ring[:WINDOW] = self._ring[end - WINDOW : end]
            self._at = WINDOW

    def _look(self) -> None:
        transform = self._transform
        np.multiply(self._ring[self._at - WINDOW : self._at], self._window, out=transform.frame)
        transform.run()
        np.abs(transform.bins[self._low : self._high], out=self._loud)

    def _hear_chroma(self) -> None:
        # Amplitudes, not power, tame the loud bass; what lies far below the loudest partial is noise.
        loud = self._loud - np.float32(0.02) * self._loud.max()
        np.maximum(loud, 0.0, out=loud)
        folded = self._fold.dot(loud)
        folded -= folded.min()
        peak = float(folded.max())
        self.chroma = folded / peak if peak > 1e-9 else np.zeros(12)

    def _hear_key(self) -> None:
        chroma = self.chroma
        memory = self._memory
        memory *= self._keep
        memory += (1.0 - self._keep) * chroma
        centred = memory - memory.sum() / 12.0
        size = sqrt(centred.dot(centred))
        if size > 1e-6:
            fits = self._profiles.dot(centred) / size
            best = int(fits.argmax())
            now = self.key + 12 * self.minor
            if fits[best] > fits[now] + CLEARER:
                self.key = best % 12
                self.minor = best >= 12
                now = best
            self.key_fit = max(0.0, float(fits[now]))
        centre = complex(chroma.dot(self._circle)) / max(float(chroma.sum()), 1e-6)
        self.fifths += (centre - self.fifths) * 0.2

    def _hear_pitch(self) -> None:
        x = self._ring[self._at - PITCH_WINDOW : self._at]
        last = self._longest
        energy = self._energy
        transform = self._pitch_transform
        power = self._pitch_power
        frame = transform.frame
        frame[:PITCH_WINDOW], frame[PITCH_WINDOW:] = x, 0.0
        transform.run()
        np.abs(transform.bins, out=power)
        np.multiply(power, power, out=power)
        # What is real and even is transformed back as it is forth, but for its length.
        frame[: len(power)], frame[len(power) :] = power, power[-2:0:-1]
        transform.run()
        alike = transform.bins.real[: last + 1] * np.float32(2.0 / len(frame))
        # Of what overlaps at each lag, counted twice: all, less the ends that don't.
        begin = x[:last]
        end = x[: -last - 1 : -1]
        energy[0] = 0.0
        np.add.accumulate(begin * begin + end * end, out=energy[1:])
        np.subtract(2.0 * x.dot(x) + np.float32(1e-12), energy, out=energy)
        likeness = np.divide(alike, energy, out=alike)
        negative = likeness[:last] < 0.0
        crossing = int(negative.argmax())
        first = max(int(self.rate / PITCH_HZ[1]), crossing if negative[crossing] else last)
        inside = likeness[first:last]
        self.clarity = 0.0
        if len(inside) < 3:
            return
        falls = inside[1:] < inside[:-1]
        peaks = np.greater(falls[1:], falls[:-1]).nonzero()[0] + 1
        heights = inside[peaks]
        highest = float(heights.max(initial=0.0))
        if highest <= 0.0:
            return
        at = first + int(peaks[(heights >= 0.9 * highest).argmax()])
        a, b, c = likeness[at - 1 : at + 2].tolist()
        shift = 0.5 * (a - c) / (a - 2.0 * b + c) if a - 2.0 * b + c != 0.0 else 0.0
        self.clarity = min(max(b, 0.0), 1.0)
        if self.clarity > 0.5:
            self.pitch_hz = self.rate / (at + shift)

    def _hear_dissonance(self) -> None:
        loud = self._loud
        rises = loud[1:] > loud[:-1]
        top = np.greater(rises[:-1], rises[1:]).nonzero()[0] + 1
        if len(top) > PEAKS:
            top = top[loud[top].argpartition(-PEAKS)[-PEAKS:]]
        self.dissonance = roughness(self._hertz[top], loud[top])

    def _fade(self) -> None:
        self.chroma *= 0.5
        self.fifths *= 0.8
        self.clarity = self.dissonance = 0.0


def roughness(hertz: np.ndarray, loudness: np.ndarray) -> float:
    """How rough partials (n,) of these frequencies and amplitudes sound together, 0..1: a semitone is, a fifth is not.

    Sethares' fit to Plomp and Levelt's curves, for each pair, relative to all pairs' loudness.
    """
    column = hertz[:, None]
    apart = np.abs(column - hertz)
    apart /= np.minimum(column, hertz) * (0.0207 / 0.24) + 18.96 / 0.24
    loudness = loudness.astype(np.float64)
    total = float(loudness.sum()) ** 2 - float(loudness.dot(loudness))  # of all pairs of two
    if total <= 0.0:
        return 0.0
    rough = float(loudness.dot((np.exp(apart * -3.51) - np.exp(apart * -5.75)).dot(loudness))) / total
    return min(1.0, rough / 0.09)


def _low_pass(every: int) -> tuple[np.ndarray, np.ndarray]:
    """Two (BLOCK * every, BLOCK) float32: a block of samples and the next by them, added up, are every `every`th
    sample of the low-passed sound; TAPS samples up to its place make one."""
    fir = firwin(TAPS, 0.8 / every, window="hamming")
    width = BLOCK * every
    bank = np.zeros((2 * width, BLOCK), np.float32)
    for place in range(BLOCK):
        first = width - TAPS + 1 + place * every
        bank[first : first + TAPS, place] = fir
    return np.ascontiguousarray(bank[:width]), np.ascontiguousarray(bank[width:])


def _chroma_bank(hertz: np.ndarray) -> np.ndarray:
    """(12, len(hertz)) float32: how much each bin belongs to each pitch class, C first, A at 440 Hz."""
    semitone = 12.0 * np.log2(hertz / 440.0) + 9.0
    apart = (semitone[None, :] - np.arange(12)[:, None] + 6.0) % 12.0 - 6.0
    weight = np.exp(-0.5 * (apart / 0.25) ** 2)
    octave = np.array([log2(h / 440.0) for h in hertz])
    bank: np.ndarray = (weight * np.exp(-0.5 * (octave / 1.6) ** 2)[None, :]).astype(np.float32)
    return bank
