"""The demo: a house groove of forty bars synthesised in code, the same every time, for when there is no other sound."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

import numpy as np
from scipy.signal import butter, lfilter, sosfilt

BPM = 124.0
BARS = 40
SEED = 5
DRIVE = 1.15  # into soft clipping
LOUDEST = 10.0 ** (-1.0 / 20.0)

#: (first bar, its name): what plays in each part is decided in `_bar_parts`
PARTS = ((0, "intro"), (8, "build"), (12, "drop"), (20, "break"), (26, "build"), (28, "drop"), (36, "outro"))

# Chords as semitones from A2: Am9, Fmaj7, Cmaj7, Em7.
_CHORDS = ((0, 7, 10, 14, 15), (-4, 3, 8, 12, 15), (3, 7, 10, 14, 19), (-5, 2, 7, 10, 14))
_BASS_STEPS = (0, 0, 1, 0, 0, 1, 0, 1, 0, 0, 1, 0, 0, 1, 1, 0)
_ARP = (0, 2, 4, 3, 1, 4, 2, 3, 0, 4, 2, 1, 3, 4, 2, 4)


def beat_times() -> np.ndarray:
    """Seconds of all beats of one round."""
    return np.arange(BARS * 4) * 60.0 / BPM


def part_of(bar: int) -> str:
    """Name of the part that a bar (0 .. BARS - 1) belongs to."""
    return next(name for first, name in reversed(PARTS) if bar >= first)


def bars(rate: int) -> Iterator[np.ndarray]:
    """The round bar by bar, again and again: (n, 2) float32 at `rate` samples per second, peaks near -1 dBFS."""
    while True:
        groove = _Groove(rate)
        for index in range(BARS):
            yield (np.tanh(groove.bar(index) * DRIVE) * LOUDEST).astype(np.float32)


def render(rate: int) -> np.ndarray:
    """One whole round, (n, 2) float32."""
    return np.concatenate(list(islice(bars(rate), BARS)))


class _Groove:
    """Voices are made once and placed; only filters that move are worked out bar by bar."""

    def __init__(self, rate: int) -> None:
        self.rate = rate
        self.rng = np.random.default_rng(SEED)
        edges = np.round(np.arange(BARS * 16 + 1) * 60.0 / BPM / 4 * rate).astype(int)
        self.steps = edges  # first sample of every sixteenth
        self.kick, self.snare, self.hat, self.open = self._kick(), self._clap(), self._hat(0.03), self._hat(0.16)
        self.saw = self._table()
        self.tail = np.zeros((int(1.2 * rate), 2))  # echoes that reach into the next bar

    def bar(self, index: int) -> np.ndarray:
        part = part_of(index)
        first = index * 16
        start = self.steps[first]
        end = self.steps[first + 16]
        n = end - start
        at = self.steps[first : first + 16] - start
        out = np.zeros((n + len(self.tail), 2))
        out[: len(self.tail)] += self.tail
        drop = part == "drop"
        into = index - max(b for b, _ in PARTS if b <= index)
        length = {"intro": 8, "build": 4 if index < 20 else 2, "drop": 8, "break": 6, "outro": 4}[part]
        rise = (into + np.arange(n) / n) / length if part == "build" else np.full(n, 1.0 if drop else 0.35)
        pump = self._pump(n, at) if part in ("drop", "intro", "outro") else np.ones(n)
        wet = self._pad(index, n, rise, part) * pump[:, None] * (0.30 if part == "break" else 0.20)
        if part in ("drop", "break", "build"):
            wet += self._arp(index, n, at, rise) * pump[:, None] * (0.16 if drop else 0.11)
        out[:n] += wet
        if drop or (part == "intro" and index >= 4) or part == "outro":
            out[:n] += (self._bass(index, n, at) * pump * (0.55 if drop else 0.38))[:, None]
        self._drums(out, index, part, into, length, at)
        if part == "build":
            noise = self.rng.standard_normal(n) * rise**2 * 0.10
            sos = butter(2, [800 / (self.rate / 2), 0.6], "band", output="sos")
            out[:n] += sosfilt(sos, noise)[:, None] * np.array([1.0, 0.9])
        if index in (12, 28):
            t = np.arange(int(1.1 * self.rate)) / self.rate
            crash = self.rng.standard_normal(len(t)) * np.exp(-3.5 * t)
            sos = butter(2, 3000 / (self.rate / 2), "high", output="sos")
            out[: len(crash)] += (sosfilt(sos, crash) * 0.16)[:, None]
        self.tail = out[n:].copy()
        return out[:n]

    def _drums(self, out: np.ndarray, index: int, part: str, into: int, length: int, at: np.ndarray) -> None:
        if part == "build":
            self._roll(out, into, length, at)
        elif part == "break":
            for step in (4, 12):
                self._add(out, self.snare, at[step], 0.13, -0.3)
        else:
            self._beat(out, index, part, at)
        if part == "drop" and into == 7:
            for step in (13, 14, 15):
                self._add(out, self.snare, at[step], 0.3 + 0.08 * (step - 13), 0.2)

    def _roll(self, out: np.ndarray, into: int, length: int, at: np.ndarray) -> None:
        """The snare of a part that builds up: louder and denser towards its end."""
        last = into == length - 1
        steps = range(0, 16, 4) if into < length / 2 else range(0, 16, 2) if not last else range(16)
        for i, step in enumerate(steps):
            self._add(out, self.snare, at[step], 0.16 + 0.34 * (into + i / 16) / length, 0.1)

    def _beat(self, out: np.ndarray, index: int, part: str, at: np.ndarray) -> None:
        """Kick, snare and hats; an intro brings them one after the other."""
        if part != "intro" or index >= 2:
            for step in (0, 4, 8, 12):
                self._add(out, self.kick, at[step], 0.95)
        if part != "intro" or index >= 4:
            for step in (4, 12):
                self._add(out, self.snare, at[step], 0.5, -0.08)
        for step in range(16):
            loud = (0.10, 0.16, 0.30, 0.15)[step % 4] * (1.0 if part == "drop" else 0.7)
            self._add(out, self.hat, at[step], loud * (0.8 + 0.4 * self.rng.random()), 0.25 if step % 2 else -0.2)
        if part == "drop":
            for step in (2, 6, 10, 14):
                self._add(out, self.open, at[step], 0.22, 0.15)

    def _pump(self, n: int, at: np.ndarray) -> np.ndarray:
        """Ducking by the kick."""
        t = np.arange(n)
        since = t - at[::4][np.searchsorted(at[::4], t, side="right") - 1]
        duck: np.ndarray = 1.0 - 0.75 * np.exp(-since / self.rate / 0.09)
        return duck

    def _pad(self, index: int, n: int, rise: np.ndarray, part: str) -> np.ndarray:
        chord = _CHORDS[index % 4]
        out = np.zeros((n, 2))
        for i, semitone in enumerate(chord):
            hertz = 110.0 * 2.0 ** (semitone / 12.0)
            for cents, pan in ((-7.0, 0.25), (6.0, 0.75)):
                wave = self._wave(hertz * 2.0 ** (cents / 1200.0), n, 0.13 * i + pan)
                out += wave[:, None] * np.array([np.cos(pan * np.pi / 2), np.sin(pan * np.pi / 2)])
        dark = lfilter(*butter(2, 500 / (self.rate / 2)), out, axis=0)
        bright = lfilter(*butter(2, 4500 / (self.rate / 2)), out, axis=0)
        open_up = np.clip(rise, 0.1, 1.0)[:, None] ** 1.5
        t = np.arange(n) / self.rate
        fade = np.minimum(1.0, t / 0.03) * np.minimum(1.0, (n / self.rate - t) / 0.02)
        faded: np.ndarray = (dark * (1.0 - open_up) + bright * open_up * 0.8) * fade[:, None]
        return faded

    def _arp(self, index: int, n: int, at: np.ndarray, rise: np.ndarray) -> np.ndarray:
        chord = _CHORDS[index % 4]
        out = np.zeros((n + self.rate, 2))
        length = int(0.22 * self.rate)
        decay = np.exp(-np.arange(length) / self.rate * 14.0)
        for step in range(16):
            hertz = 440.0 * 2.0 ** (chord[_ARP[(step + 3 * index) % 16]] / 12.0)
            note = self._wave(hertz, length, 0.0) * decay
            note = lfilter(*butter(1, min(0.9, (900 + 5000 * rise[at[step]]) / (self.rate / 2))), note)
            pan = 0.5 + 0.35 * np.sin(step * 1.7)
            sides = np.array([np.cos(pan * np.pi / 2), np.sin(pan * np.pi / 2)])
            out[at[step] : at[step] + length] += note[:, None] * sides
            echo = at[step] + int(0.75 * 60.0 / BPM * self.rate)
            out[echo : echo + length] += (note * 0.35)[: len(out) - echo, None][:, [0, 0]] * np.array([0.4, 0.9])
        return out[:n]

    def _bass(self, index: int, n: int, at: np.ndarray) -> np.ndarray:
        hertz = 55.0 * 2.0 ** (_CHORDS[index % 4][0] / 12.0)
        out = np.zeros(n)
        length = int(0.17 * self.rate)
        t = np.arange(length) / self.rate
        shape = np.minimum(1.0, t / 0.004) * np.exp(-t * 7.0) * np.minimum(1.0, (length / self.rate - t) / 0.01)
        low = np.sin(2 * np.pi * hertz * t) * 0.9
        buzz = lfilter(*butter(2, 700 / (self.rate / 2)), self._wave(hertz, length, 0.0)) * 0.55
        note = (low + buzz) * shape
        for step, on in enumerate(_BASS_STEPS):
            if on or step in (2, 6, 10, 14):
                end = min(n, at[step] + length)
                out[at[step] : end] += note[: end - at[step]]
        return out

    def _wave(self, hertz: float, n: int, phase: float) -> np.ndarray:
        """A saw without the harmonics that would fold back."""
        table = self.saw[min(len(self.saw) - 1, max(0, int(np.log2(hertz / 27.5))))]
        places = (np.arange(n) * (hertz / self.rate) + phase) % 1.0 * (len(table) - 1)
        return table[places.astype(np.int32)]

    def _table(self) -> list[np.ndarray]:
        """Saw waves, one per octave from 27.5 Hz, with as many harmonics as fit below 16 kHz."""
        x = np.arange(4097) / 4096.0
        tables = []
        for octave in range(8):
            most = max(1, min(200, int(min(16000.0, 0.45 * self.rate) / (27.5 * 2.0 ** (octave + 1)))))
            k = np.arange(1, most + 1)[:, None]
            tables.append((np.sin(2 * np.pi * k * x) / k).sum(axis=0) * (2.0 / np.pi))
        return tables

    def _kick(self) -> np.ndarray:
        t = np.arange(int(0.32 * self.rate)) / self.rate
        phase = 2 * np.pi * (48.0 * t + 150.0 / 38.0 * (1.0 - np.exp(-38.0 * t)))
        click = self.rng.standard_normal(len(t)) * np.exp(-t * 900.0) * 0.35
        drum: np.ndarray = np.sin(phase) * np.exp(-t * 9.5) * np.minimum(1.0, (t[-1] - t) / 0.02) + click
        return drum

    def _clap(self) -> np.ndarray:
        t = np.arange(int(0.24 * self.rate)) / self.rate
        bursts = sum(np.where(t >= d, np.exp(-(t - d) * 260.0), 0.0) for d in (0.0, 0.011, 0.022))
        bursts = bursts + np.exp(-t * 22.0) * 0.6
        sos = butter(2, [900 / (self.rate / 2), min(0.9, 7000 / (self.rate / 2))], "band", output="sos")
        noise = sosfilt(sos, self.rng.standard_normal(len(t)))
        hands: np.ndarray = noise * bursts * 1.1 + np.sin(2 * np.pi * 190 * t) * np.exp(-t * 38.0) * 0.4
        return hands

    def _hat(self, tau: float) -> np.ndarray:
        t = np.arange(int(min(0.25, 6 * tau) * self.rate)) / self.rate
        sos = butter(4, min(0.85, 7500 / (self.rate / 2)), "high", output="sos")
        metal: np.ndarray = sosfilt(sos, self.rng.standard_normal(len(t))) * np.exp(-t / tau) * 1.6
        return metal

    @staticmethod
    def _add(out: np.ndarray, voice: np.ndarray, at: int, gain: float, pan: float = 0.0) -> None:
        end = min(len(out), at + len(voice))
        sides = np.array([1.0 - max(0.0, pan), 1.0 + min(0.0, pan)]) * gain
        out[at:end] += voice[: end - at, None] * sides
