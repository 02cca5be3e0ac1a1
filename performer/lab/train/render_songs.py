"""Songs -> sound: soundfonts through FluidSynth, drum machines made on the spot, and what rooms and mixes do."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

import mido
import numpy as np
import soundfile
from scipy.signal import butter, fftconvolve, lfilter, sosfilt

from performer.lab.train.compose_songs import BLOCK, CLAP, CRASH, HAT, KICK, OPEN_HAT, RIDE, RIM, SNARE, Note, Song
from performer.system.errors import Fault

TICKS = 960  # per beat of a nominal 60 beats per minute: one is about a millisecond


def midi(notes: Sequence[Note], programs: dict[str, int]) -> mido.MidiFile:
    """A MIDI file whose time is seconds; drums on channel 10."""
    channels = {"bass": 0, "chords": 1, "second": 2, "tune": 3, "drums": 9}
    events: list[tuple[int, int, mido.Message]] = []
    for part, channel in channels.items():
        events.append((0, 0, mido.Message("program_change", channel=channel, program=programs.get(part, 0))))
    for note in notes:
        channel = channels[note.part]
        first = round(note.at * TICKS)
        last = round((note.at + note.length) * TICKS)
        events.append((first, 2, mido.Message("note_on", channel=channel, note=note.pitch, velocity=note.velocity)))
        events.append((max(last, first + 1), 1, mido.Message("note_off", channel=channel, note=note.pitch)))
    events.sort(key=lambda event: event[:2])
    track = mido.MidiTrack([mido.MetaMessage("set_tempo", tempo=1_000_000)])
    now = 0
    for at, _, message in events:
        track.append(message.copy(time=at - now))
        now = at
    return mido.MidiFile(type=0, ticks_per_beat=TICKS, tracks=[track])


def fluidsynth(
    notes: Sequence[Note], programs: dict[str, int], soundfont: Path, rate: int, seconds: float, reverb: bool
) -> np.ndarray:
    """Notes played by a soundfont: (n,) float32 mono. Raises Fault when FluidSynth is not there or fails."""
    count = int(seconds * rate)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "song.mid"
        out = Path(folder) / "song.wav"
        midi(notes, programs).save(path)
        command = [
            "fluidsynth",
            "-niq",
            "-F",
            str(out),
            "-r",
            str(rate),
            "-g",
            "0.5",
            "-R",
            str(int(reverb)),
            "-C",
            "0",
            "-o",
            "synth.dynamic-sample-loading=1",
            str(soundfont),
            str(path),
        ]
        try:
            subprocess.run(command, check=True, capture_output=True, timeout=300)
        except FileNotFoundError:
            raise Fault("training the beat network needs FluidSynth; on Debian: apt-get install fluidsynth") from None
        except subprocess.SubprocessError as error:
            raise Fault(f"FluidSynth could not play {soundfont.name}: {error}") from None
        sound = soundfile.read(out, dtype="float32", always_2d=True)[0].mean(1)
    made = np.zeros(count, np.float32)
    made[: min(count, len(sound))] = sound[:count]
    return made


class DrumMachine:
    """One-shots of a drum machine that never was, drawn from a generator."""

    def __init__(self, rng: np.random.Generator, rate: int) -> None:
        self.rate = rate
        self._rng = rng
        deep, high = rng.uniform(42, 62), rng.uniform(120, 320)
        self._shots = {
            KICK: self._kick(deep, high, rng.uniform(0.08, 0.5), rng.uniform(0.01, 0.06)),
            SNARE: self._noise(0.12 * rng.uniform(0.6, 2.0), 1200, 9000) + 0.6 * self._kick(180, 260, 0.09, 0.03),
            CLAP: self._clap(),
            HAT: 0.5 * self._noise(rng.uniform(0.02, 0.07), 6500, 15000),
            OPEN_HAT: 0.5 * self._noise(rng.uniform(0.15, 0.4), 6500, 15000),
            RIDE: 0.4 * self._noise(0.3, 5000, 15000),
            CRASH: 0.6 * self._noise(1.0, 3000, 15000),
            RIM: 0.6 * self._kick(800, 1600, 0.03, 0.005),
            BLOCK: 0.7 * self._kick(block := rng.uniform(600.0, 2500.0), block, rng.uniform(0.005, 0.03), 0.01),
        }
        self._tom = self._kick(90, 180, 0.2, 0.05)

    def _time(self, seconds: float) -> np.ndarray:
        return np.arange(int(seconds * self.rate)) / self.rate

    def _kick(self, deep: float, high: float, decay: float, sweep: float) -> np.ndarray:
        t = self._time(1.0)
        phase = 2 * np.pi * np.cumsum(deep + (high - deep) * np.exp(-t / sweep)) / self.rate
        shot: np.ndarray = np.tanh(self._rng.uniform(1.0, 3.0) * np.sin(phase) * np.exp(-t / decay))
        return shot

    def _noise(self, decay: float, low: float, high: float) -> np.ndarray:
        t = self._time(1.0)
        sos = butter(2, (low, min(high, 0.45 * self.rate)), "bandpass", fs=self.rate, output="sos")
        shot: np.ndarray = sosfilt(sos, self._rng.standard_normal(len(t))) * np.exp(-t / (decay / 2.0))
        return shot

    def _clap(self) -> np.ndarray:
        shot = np.zeros(self.rate)
        body = self._noise(0.12, 900, 5000)
        for at in (0.0, 0.011, 0.022):
            first = int(at * self.rate)
            shot[first:] += body[: len(shot) - first] * (1.0 if at > 0.02 else 0.5)
        return shot

    def play(self, notes: Sequence[Note], seconds: float) -> np.ndarray:
        """(n,) float32 mono."""
        out = np.zeros(int(seconds * self.rate) + self.rate)
        for note in notes:
            shot = self._shots.get(note.pitch)
            if shot is None:
                shot = self._shots[HAT] if note.pitch > 50 else self._tom
            first = int(note.at * self.rate)
            if first + len(shot) <= len(out):
                out[first : first + len(shot)] += shot * (note.velocity / 127.0) ** 1.5
        return out[: int(seconds * self.rate)].astype(np.float32)


def _level(sound: np.ndarray) -> np.ndarray:
    power = float(np.sqrt(np.mean(sound**2)))
    levelled: np.ndarray = sound / power if power > 1e-6 else sound
    return levelled


def perform(song: Song, soundfonts: Sequence[Path], seed: int, rate: int) -> np.ndarray:
    """A song as sound, mixed by chance: (n,) float32 mono, peak below 1."""
    rng = np.random.default_rng(seed + 1_000_003)
    strokes = [note for note in song.notes if note.part == "drums"]
    others = [note for note in song.notes if note.part != "drums"]
    reverb = rng.random() < 0.5
    drums = np.zeros(int(song.seconds * rate), np.float32)
    rest: np.ndarray = drums.copy()
    if strokes:
        if song.electronic:
            drums = DrumMachine(rng, rate).play(strokes, song.seconds)
        else:
            drums = fluidsynth(
                strokes, song.programs, soundfonts[int(rng.integers(len(soundfonts)))], rate, song.seconds, reverb
            )
    if others:
        full = [font for font in soundfonts if "LV2" not in font.name]  # those hold drums alone
        rest = fluidsynth(others, song.programs, full[int(rng.integers(len(full)))], rate, song.seconds, reverb)
    rest = _level(rest)
    if song.electronic and rng.random() < 0.6:  # the kick ducks all else
        duck = np.ones(len(rest))
        release = rng.uniform(0.08, 0.3)
        shape = 1.0 - rng.uniform(0.3, 0.9) * np.exp(-np.arange(int(3 * release * rate)) / (release * rate))
        for note in strokes:
            first = int(note.at * rate)
            if note.pitch == KICK and first < len(duck):
                part = duck[first : first + len(shape)]
                np.minimum(part, shape[: len(part)], out=part)
        rest = rest * duck
    mixed = _level(drums) * 10.0 ** (rng.uniform(-9.0, 8.0) / 20.0) + rest
    return worsen(mixed, rng, rate)


def worsen(sound: np.ndarray, rng: np.random.Generator, rate: int) -> np.ndarray:
    """What rooms, mixes, cheap speakers and crowds do to sound (n,)."""
    sound = _level(sound)
    if rng.random() < 0.35:  # a tilt of the tone
        b, a = butter(1, rng.uniform(200, 3000), "lowpass", fs=rate)
        sound = _level(sound + rng.uniform(-0.8, 1.5) * lfilter(b, a, sound))
    if rng.random() < 0.3:  # a room
        length = int(rng.uniform(0.1, 1.2) * rate)
        tail = rng.standard_normal(length) * np.exp(-np.arange(length) / (length / 5.0))
        wet = fftconvolve(sound, tail)[: len(sound)]
        sound = sound + rng.uniform(0.1, 0.7) * _level(wet)
    if rng.random() < 0.5:  # compression, to the point of distortion
        drive = rng.uniform(0.3, 2.5)
        sound = np.tanh(drive * _level(sound))
    chance = rng.random()
    if chance < 0.10:  # through a wall
        sound = sosfilt(butter(4, rng.uniform(120, 500), fs=rate, output="sos"), sound)
    elif chance < 0.18:  # a small speaker
        sound = sosfilt(butter(2, rng.uniform(150, 500), "highpass", fs=rate, output="sos"), sound)
    elif chance < 0.28:
        sound = sosfilt(butter(3, rng.uniform(2000, 8000), fs=rate, output="sos"), sound)
    sound = _level(sound)
    if rng.random() < 0.25:  # a crowd
        noise = np.cumsum(rng.standard_normal(len(sound)))
        noise -= np.convolve(noise, np.ones(200) / 200, "same")
        sound = sound + _level(noise) * 10.0 ** (-rng.uniform(6.0, 25.0) / 20.0)
    if rng.random() < 0.1:
        for at in range(0, len(sound), 5 * rate):
            first = at + int(rng.integers(0, 4 * rate))
            sound[first : first + int(rng.uniform(0.03, 0.3) * rate)] = 0.0
    if rng.random() < 0.15:  # somebody turns the volume
        at = int(rng.integers(0, len(sound)))
        sound[at:] = sound[at:] * 10.0 ** (rng.uniform(-15.0, 10.0) / 20.0)
    peak = float(np.abs(sound).max())
    scaled: np.ndarray = (sound * (10.0 ** (rng.uniform(-25.0, -0.5) / 20.0) / max(peak, 1e-6))).astype(np.float32)
    return scaled
