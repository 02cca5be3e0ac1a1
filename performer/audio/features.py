"""The named features: one decorated function each, and it becomes the route source `audio.NAME`."""

from __future__ import annotations

from cmath import phase
from collections.abc import Callable
from dataclasses import dataclass
from math import exp, log, log2, pi

import numpy as np

from performer.audio.harmony import PITCH_HZ, Tone
from performer.audio.sections import Structure
from performer.audio.spectrum import band_centres, band_edges
from performer.types.features import BANDS

#: Ranges in hertz whose loudness is measured, each with a gain of its own.
#: The last figure: decibels below the level's reference under which a range is never blown up to full size.
RANGES = {
    "level": (27.5, 16_000.0, 0.0),
    "bass": (27.5, 140.0, 18.0),
    "lowmid": (140.0, 500.0, 18.0),
    "mid": (500.0, 3_000.0, 26.0),
    "treble": (3_000.0, 16_000.0, 36.0),
}


@dataclass(slots=True)
class Moment:
    """What has been measured of the newest window, before any smoothing.

    Attributes
    ----------
    loudness : dict[str, float]
        Name of RANGES -> amplitude relative to what counts as loud in that range, 0..1.
    tone : tuple[float, float, float]
        (3,) of the bands: mean octave above the lowest, mean log power, log of the mean power.
    rise : float
        Onset strength, relative to recent peaks, 0..1.
    onset, kick, snare, hat : tuple[float, float]
        (strength 0..1, age in seconds) of the newest of each.
    presence : float
        0..1: 0 in silence, 1 as soon as there is clearly sound.
    harmony : Tone
        Chroma, key, pitch and dissonance as last looked at.
    structure : Structure
        Where the song is going.
    """

    loudness: dict[str, float]
    tone: tuple[float, float, float]
    rise: float
    onset: tuple[float, float]
    kick: tuple[float, float]
    snare: tuple[float, float]
    hat: tuple[float, float]
    presence: float
    harmony: Tone
    structure: Structure


@dataclass(frozen=True, slots=True)
class Feature:
    """A measure in 0..1 and the follower it goes through: attack and release in seconds.

    A slow one is measured a few times a second, after each look at tone and structure; others every hop.
    """

    name: str
    measure: Callable[[Moment], float]
    attack: float
    release: float
    slow: bool = False


FEATURES: dict[str, Feature] = {}


def feature(
    attack: float = 0.0, release: float = 0.0, slow: bool = False, name: str = ""
) -> Callable[[Callable[[Moment], float]], Feature]:
    """Register a function (Moment) -> 0..1 under its own name, or the one given."""

    def register(measure: Callable[[Moment], float]) -> Feature:
        made = Feature(name or measure.__name__, measure, attack, release, slow)
        FEATURES[made.name] = made
        return made

    return register


@feature(attack=0.01, release=0.15)
def level(m: Moment) -> float:
    """Loudness of everything, relative to the last minute's loud passages."""
    return m.loudness["level"]


@feature(attack=0.0, release=0.08)
def bass(m: Moment) -> float:
    """27 to 140 Hz: kick and bass."""
    return m.loudness["bass"]


@feature(attack=0.0, release=0.1)
def lowmid(m: Moment) -> float:
    """140 to 500 Hz: toms, low voices, warmth."""
    return m.loudness["lowmid"]


@feature(attack=0.0, release=0.1)
def mid(m: Moment) -> float:
    """500 Hz to 3 kHz: voices, leads, snares."""
    return m.loudness["mid"]


@feature(attack=0.0, release=0.08)
def treble(m: Moment) -> float:
    """3 to 16 kHz: hats, cymbals, breath."""
    return m.loudness["treble"]


@feature(attack=0.03, release=0.1)
def centroid(m: Moment) -> float:
    """Brightness: centre of the bands' power on the octave scale, 0 at 27 Hz, 1 at 16 kHz."""
    return m.tone[0] * m.presence


@feature(attack=0.03, release=0.1)
def flatness(m: Moment) -> float:
    """Noisiness: geometric over arithmetic mean of the bands' power, as decibels from -40 (tone) to 0 (noise)."""
    return max(0.0, 1.0 + (m.tone[1] - m.tone[2]) * (10.0 / log(10.0)) / 40.0) * m.presence


@feature(attack=0.0, release=0.03)
def flux(m: Moment) -> float:
    """How much the spectrum rises just now."""
    return m.rise


@feature()
def onset(m: Moment) -> float:
    """Strength of the newest onset, decaying with its age."""
    return _decayed(m.onset, 0.15)


@feature()
def kick(m: Moment) -> float:
    """Strength of the newest bass-drum-like onset, decaying with its age."""
    return _decayed(m.kick, 0.18)


@feature()
def snare(m: Moment) -> float:
    """Strength of the newest snare-like onset, decaying with its age."""
    return _decayed(m.snare, 0.15)


@feature()
def hat(m: Moment) -> float:
    """Strength of the newest hat-like onset, decaying with its age."""
    return _decayed(m.hat, 0.08)


@feature(attack=1.0, release=3.0)
def energy(m: Moment) -> float:
    """Slow loudness, for the mood of a passage rather than its notes."""
    return m.loudness["level"]


@feature(slow=True)
def hue(m: Moment) -> float:
    """Where the harmony lies on the circle of fifths, as an angle: near keys are near, and 1 is 0 again."""
    return phase(m.harmony.fifths) / (2.0 * pi) % 1.0


@feature(slow=True)
def key(m: Moment) -> float:
    """The key on the circle of fifths: C (and A minor) 0, G 1/12, D 2/12 ... F 11/12."""
    major = (m.harmony.key + 3 * m.harmony.minor) % 12
    return major * 7 % 12 / 12.0


@feature(attack=1.0, release=1.0, slow=True)
def minor(m: Moment) -> float:
    """1 in a minor key, 0 in a major one, gliding between."""
    return float(m.harmony.minor)


@feature(attack=0.5, release=1.0, slow=True)
def key_fit(m: Moment) -> float:
    """How well the last ten seconds fit the key."""
    return m.harmony.key_fit * m.presence


@feature(slow=True)
def pitch(m: Moment) -> float:
    """Pitch of a single voice, in octaves: 0 at 60 Hz, 1 at 1200 Hz; stays where it was when there is none."""
    if m.harmony.pitch_hz <= 0.0:
        return 0.0
    return min(1.0, max(0.0, log2(m.harmony.pitch_hz / PITCH_HZ[0]) / log2(PITCH_HZ[1] / PITCH_HZ[0])))


@feature(attack=0.05, release=0.2, slow=True)
def voiced(m: Moment) -> float:
    """How clearly the sound is a single voice with a pitch."""
    return max(0.0, 2.0 * m.harmony.clarity - 1.0) * m.presence


@feature(attack=0.2, release=0.5, slow=True)
def dissonance(m: Moment) -> float:
    """Roughness of what sounds together: 0 for a tone or a fifth, high for clusters."""
    return m.harmony.dissonance * m.presence


def _pitch_class(number: int) -> Callable[[Moment], float]:
    def measure(m: Moment) -> float:
        return float(m.harmony.chroma[number]) * m.presence

    return measure


NOTES = ("c", "cs", "d", "ds", "e", "f", "fs", "g", "gs", "a", "as", "b")
for _number, _note in enumerate(NOTES):
    feature(attack=0.05, release=0.3, slow=True, name=f"chroma_{_note}")(_pitch_class(_number))


@feature(attack=0.3, release=0.5, slow=True)
def trend(m: Moment) -> float:
    """0.5 while loudness is steady, towards 1 while it rises and 0 while it falls, over some 8 seconds."""
    return m.structure.trend


@feature(attack=0.1, release=0.4, slow=True)
def density(m: Moment) -> float:
    """Onsets per second: 1 at ten."""
    return m.structure.density


@feature(slow=True)
def buildup(m: Moment) -> float:
    """How much of a build-up this is: brighter, denser and louder, with the bass held back."""
    return m.structure.buildup


@feature(slow=True, name="break")
def break_(m: Moment) -> float:
    """How much of a break: bass and drums that were there are gone."""
    return m.structure.breaks


@feature(slow=True)
def drop(m: Moment) -> float:
    """1 when the bass comes back after a break or build-up, then fading over some seconds."""
    return m.structure.drop


@feature(attack=0.1, release=0.1, slow=True)
def silence(m: Moment) -> float:
    """1 when there has been no sound for more than half a second."""
    return m.structure.silence


def _decayed(event: tuple[float, float], tau: float) -> float:
    strength, age = event
    return strength * exp(-age / tau) if age < 10.0 * tau else 0.0


def range_sums() -> np.ndarray:
    """(len(RANGES) + 1, BANDS) float32: power of each range from the bands' power; last row, octaves per band."""
    edges = band_edges()
    rows = []
    for low, high, _ in RANGES.values():
        shared = np.minimum(edges[1:], high) - np.maximum(edges[:-1], low)
        rows.append(np.clip(shared / np.diff(edges), 0.0, 1.0))
    centres = band_centres()
    rows.append(np.log(centres / centres[0]) / np.log(centres[-1] / centres[0]))
    assert len(centres) == BANDS
    return np.array(rows, np.float32)
