"""How right beats and onsets are, as the field counts it. All times are seconds, sorted."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

NAMES = ("F", "CMLt", "AMLt", "tempo1", "tempo2", "downbeat", "onset", "delay_ms", "onset_delay_ms", "first_s")
BEAT_WINDOW_S = 0.07
ONSET_WINDOW_S = 0.05
CHORD_S = 0.03  # notes struck within this time are one onset
TEMPO_WITHIN = 0.04


def f_measure(truth: np.ndarray, found: np.ndarray, window_s: float) -> float:
    """Harmonic mean of precision and recall, each event matched once (Dixon, "Onset detection revisited", 2006)."""
    if not len(truth) or not len(found):
        return 0.0
    matched = i = j = 0
    while i < len(truth) and j < len(found):  # both are sorted: taking the earliest match first matches the most
        apart = found[j] - truth[i]
        if abs(apart) <= window_s:
            matched = matched + 1
            i = i + 1
            j = j + 1
        elif apart < 0.0:
            j += 1
        else:
            i += 1
    return 2.0 * matched / (len(truth) + len(found))


def continuity(truth: np.ndarray, found: np.ndarray) -> tuple[float, float]:
    """CMLt and AMLt: share of beats that follow one another rightly, at the true level, and at any allowed one.

    Of Davies, Degara and Plumbley, "Evaluation methods for musical audio beat tracking algorithms" (2009), 4.2.
    """
    if len(truth) < 2 or len(found) < 2:
        return 0.0, 0.0
    totals = [_total(level, found) for level in _levels(truth)]
    return totals[0], max(totals)


def _levels(truth: np.ndarray) -> Iterator[np.ndarray]:
    """As written, on the off-beats, twice as fast, and half as fast in both ways."""
    places = np.arange(len(truth))
    double = np.interp(np.arange(0, len(truth) - 0.5, 0.5), places, truth)
    yield from (truth, double[1::2], double, truth[::2], truth[1::2])


def _total(truth: np.ndarray, found: np.ndarray, within: float = 0.175) -> float:
    used: set[int] = set()
    if len(truth) < 2:
        return 0.0
    for m, beat in enumerate(found):
        n = int(np.abs(truth - beat).argmin())
        if n in used:
            continue
        first = m == 0 or n == 0
        a, b = (n, n + 1) if first and n + 1 < len(truth) else (n - 1, n)
        c, d = (m, m + 1) if first and m + 1 < len(found) else (m - 1, m)
        true_interval = truth[b] - truth[a]
        interval = found[d] - found[c]
        if true_interval <= 0.0:
            continue
        phase = abs(truth[n] - beat) / true_interval
        period = abs(1.0 - interval / true_interval)
        if phase < within and period < within:
            used.add(n)
    return len(used) / max(len(truth), len(found))


def tempo_of(beats: np.ndarray) -> float:
    """Beats per minute of the middle one of all intervals; 0 for fewer than three beats."""
    return float(60.0 / np.median(np.diff(beats))) if len(beats) > 2 else 0.0


def merged(onsets: np.ndarray) -> np.ndarray:
    """Onsets with chords counted once."""
    times = np.unique(onsets)
    kept: np.ndarray = times[np.concatenate([[True], np.diff(times) > CHORD_S])] if len(times) else times
    return kept


def score(found: Mapping[str, Sequence[float] | float], truth: Mapping[str, Sequence[float]]) -> dict[str, float]:
    """Scores by NAMES; NaN where truth or answer has nothing to compare.

    found  "beats", and if known "emitted" (when each was announced), "downbeats", "onsets", "onsets_emitted", "bpm"
    truth  "beats", "downbeats", "onsets", as far as they are known
    """
    out = dict.fromkeys(NAMES, float("nan"))

    def times(source: Mapping[str, Any], name: str) -> np.ndarray | None:
        return np.sort(np.asarray(source[name], float)) if name in source else None

    beats, wanted = times(found, "beats"), times(truth, "beats")
    if beats is not None and wanted is not None and len(wanted):
        beats = beats[beats >= 0.0]
        out["F"] = f_measure(wanted, beats, BEAT_WINDOW_S)
        out["CMLt"], out["AMLt"] = continuity(wanted, beats)
        real, said = tempo_of(wanted), float(found.get("bpm") or tempo_of(beats))  # type: ignore[arg-type]
        if real > 0.0:
            out["tempo1"] = float(abs(said / real - 1.0) < TEMPO_WITHIN)
            out["tempo2"] = float(any(abs(said / real / k - 1.0) < TEMPO_WITHIN for k in (1, 2, 3, 1 / 2, 1 / 3)))
        right = [t for t in beats if np.abs(wanted - t).min() < BEAT_WINDOW_S]
        out["first_s"] = float(right[0]) if right else float("nan")
        out["delay_ms"] = _delay(times(found, "emitted"), wanted, BEAT_WINDOW_S, BEAT_WINDOW_S)
    bars, first = times(found, "downbeats"), times(truth, "downbeats")
    if bars is not None and first is not None and len(first):
        out["downbeat"] = f_measure(first, bars[bars >= 0.0], BEAT_WINDOW_S)
    onsets, struck = times(found, "onsets"), times(truth, "onsets")
    if onsets is not None and struck is not None and len(struck):
        struck = merged(struck)
        out["onset"] = f_measure(struck, onsets, ONSET_WINDOW_S)
        out["onset_delay_ms"] = _delay(times(found, "onsets_emitted"), struck, 0.0, ONSET_WINDOW_S)
    return out


def _delay(emitted: np.ndarray | None, truth: np.ndarray, early_s: float, late_s: float) -> float:
    """Median milliseconds from the nearest true event to its announcement, among those in reach."""
    if emitted is None or not len(emitted):
        return float("nan")
    if early_s > 0.0:
        nearest = truth[np.abs(emitted[:, None] - truth[None, :]).argmin(1)]
    else:
        nearest = truth[np.maximum(np.searchsorted(truth, emitted, "right") - 1, 0)]
    apart = emitted - nearest
    apart = apart[(apart >= -early_s) & (apart < late_s)]
    return 1000.0 * float(np.median(apart)) if len(apart) else float("nan")
