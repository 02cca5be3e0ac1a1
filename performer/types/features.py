"""What is known of the sound at one moment. No snapshot holds an edge: a count and a time cannot be lost."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

BANDS = 64


#: Columns that open every row of the feature ring; named features in 0..1 follow, then BANDS log-spaced bands.
HEAD = (
    "t",
    "onset_t",
    "onsets",
    "kicks",
    "snares",
    "hats",
    "beat",
    "bar",
    "bpm",
    "confidence",
    "drops",
    "meter",
    "kick_t",
    "snare_t",
    "hat_t",
)


#: Columns of HEAD that are moments on the clock of whoever wrote the row.
TIMES = ("t", "onset_t", "kick_t", "snare_t", "hat_t")


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class Features:
    """What is known of the sound at one moment.

    Attributes
    ----------
    t : float
        Seconds of the newest sample heard, on the show's clock.
    values : Mapping[str, float]
        Named features, each in 0..1 (route sources `audio.NAME`).
    bands : ndarray
        (64,) float, log-spaced in frequency, each in 0..1.
    onset_t : float
        Seconds of the newest onset; -inf before the first.
    onsets : int
        How many onsets so far.
    kicks : int
        Snares, hats count theirs.
    beat : float
        Monotone number of beats; its phase is `beat % 1`.
    bar : float
        Monotone number of bars; `bar % 1` is 0 on the downbeat.
    bpm : float
        Beats per minute; 0 when unknown.
    confidence : float
        0..1, how far `beat` may be trusted.
    drops : int
        How many drops so far: returns of the bass after a break or a build-up.
    meter : int
        Beats in a bar.
    kick_t, snare_t, hat_t : float
        Seconds of the newest of each; -inf before the first.
    """

    t: float = 0.0
    values: Mapping[str, float] = field(default_factory=dict)
    bands: np.ndarray = field(default_factory=lambda: np.zeros(BANDS, np.float32))
    onset_t: float = float("-inf")
    onsets: int = 0
    kicks: int = 0
    snares: int = 0
    hats: int = 0
    beat: float = 0.0
    bar: float = 0.0
    bpm: float = 0.0
    confidence: float = 0.0
    drops: int = 0
    meter: int = 4
    kick_t: float = float("-inf")
    snare_t: float = float("-inf")
    hat_t: float = float("-inf")

    @classmethod
    def from_row(cls, row: np.ndarray, names: Sequence[str]) -> Features:
        """Read one row of the feature ring: HEAD, then `names` in order, then the bands.

        Parameters
        ----------
        row : ndarray
            (len(HEAD) + len(names) + BANDS,) float64.
        """
        first = len(HEAD)
        last = first + len(names)
        (t, onset_t, onsets, kicks, snares, hats, beat, bar, bpm, confidence, drops, meter, kick_t, snare_t, hat_t) = (
            row[:first].tolist()
        )
        return cls(
            t=t,
            values=dict(zip(names, row[first:last].tolist(), strict=True)),
            bands=row[last : last + BANDS].astype(np.float32),
            onset_t=onset_t,
            onsets=int(onsets),
            kicks=int(kicks),
            snares=int(snares),
            hats=int(hats),
            beat=beat,
            bar=bar,
            bpm=bpm,
            confidence=confidence,
            drops=int(drops),
            meter=max(1, int(meter)),
            kick_t=kick_t,
            snare_t=snare_t,
            hat_t=hat_t,
        )

    def beat_at(self, t: float) -> float:
        """Number of beats at time t (seconds), before or after the newest sample, at the present tempo."""
        return self.beat + (t - self.t) * self.bpm / 60.0


class Sound:
    """The raw sound that shaders may see, through ISF `audio` and `audioFFT` inputs.

    Parameters
    ----------
    waveform : ndarray, optional
        (1024,) float32, -1..1 after automatic gain, newest sample last.
    spectrum : ndarray, optional
        (512,) float32, 0..1, magnitudes linear in hertz from 0 to half the sample rate.
    later : callable, optional
        Makes both instead, when somebody asks for them: most scenes never do.
    """

    __slots__ = ("_later", "_seen")

    def __init__(
        self,
        waveform: np.ndarray | None = None,
        spectrum: np.ndarray | None = None,
        later: Callable[[], tuple[np.ndarray, np.ndarray]] | None = None,
    ) -> None:
        self._later = later
        self._seen = (
            None
            if later is not None
            else (
                np.zeros(1024, np.float32) if waveform is None else waveform,
                np.zeros(512, np.float32) if spectrum is None else spectrum,
            )
        )

    @property
    def waveform(self) -> np.ndarray:
        """(1024,) float32, -1..1, newest sample last."""
        return self._both()[0]

    @property
    def spectrum(self) -> np.ndarray:
        """(512,) float32, 0..1."""
        return self._both()[1]

    def _both(self) -> tuple[np.ndarray, np.ndarray]:
        if self._seen is None:
            assert self._later is not None
            self._seen = self._later()
        return self._seen
