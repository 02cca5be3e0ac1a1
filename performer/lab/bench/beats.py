"""Scores the live analyser on a folder of songs with known beats, and free peers beside it where they are installed."""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from performer.audio.analyse_file import analyse
from performer.audio.beat_network import beat_net
from performer.audio.downmix import Mixer
from performer.io.sound import sound_file
from performer.lab.bench import degradations, peers
from performer.lab.bench.scores import BEAT_WINDOW_S, NAMES, score
from performer.system.errors import Fault, nearest
from performer.system.interrupts import leave_to_parent

COLUMNS = (*NAMES, "cpu")
BINS = 10

Tracker = Callable[[np.ndarray, int], dict[str, Any]]


def performer(sound: np.ndarray, rate: int) -> dict[str, Any]:
    """The live analyser, with its network."""
    return _heard(analyse([sound], rate, beat_net()))


def without_network(sound: np.ndarray, rate: int) -> dict[str, Any]:
    """The live analyser by onset strengths alone."""
    return _heard(analyse([sound], rate))


def _heard(made: dict[str, Any]) -> dict[str, Any]:
    tempi = [entry["bpm"] for entry in made["tempo"]]
    return {
        "beats": [e["t"] for e in made["beats"]],
        "emitted": [e["emitted"] for e in made["beats"]],
        "confidence": [e["confidence"] for e in made["beats"]],
        "downbeats": [e["t"] for e in made["downbeats"]],
        "onsets": [e["t"] for e in made["onsets"]],
        "onsets_emitted": [e["emitted"] for e in made["onsets"]],
        "cpu": made["cpu_s"] / max(made["audio_s"], 1e-9),
        "bpm": float(np.median(tempi)) if tempi else 0.0,
    }


TRACKERS: dict[str, Tracker] = {"performer": performer, "without network": without_network}


def half(name: str) -> str:
    """`a` or `b`, by a hash of the file's name: tune on one, trust the other."""
    return "ab"[zlib.crc32(Path(name).name.encode()) & 1]


def manifest(folder: Path) -> list[dict[str, Any]]:
    """Entries of FOLDER/manifest.json: {"file", "beats", "downbeats", "onsets"}, all but "file" optional, in seconds.

    Raises Fault, in a line, when it is missing, broken, or an entry is no such thing.
    """
    path = folder / "manifest.json"
    try:
        entries = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise Fault(f"{path}: {error.strerror}; a list of {{file, beats, downbeats, onsets}} is expected") from None
    except ValueError as error:
        raise Fault(f"{path}: not JSON: {error}") from None
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise Fault(f"{path}: expected a list of objects, each with a file and its beats")
    for number, entry in enumerate(entries):
        if not isinstance(entry.get("file"), str):
            raise Fault(f"{path}: entry {number} lacks `file`")
        for key in ("beats", "downbeats", "onsets"):
            times = entry.get(key, [])
            if not isinstance(times, list) or not all(isinstance(t, int | float) and t == t for t in times):
                raise Fault(f"{path}: {entry['file']}: `{key}` is no list of seconds")
    return entries


def _one(folder: Path, entry: dict[str, Any], tracker: str, change: str) -> tuple[dict[str, float], list[list[float]]]:
    """Scores of one file, and (confidence, right or not) of each beat from 0 s on."""
    path = folder / entry["file"]
    rate = sound_file.probe(path).rate
    frames = np.concatenate(list(sound_file.blocks(path, rate)))
    sound, stretch, late = degradations.apply(change, Mixer(rate, frames.shape[1]).mix(frames), rate)
    truth = {
        key: [t * stretch - late for t in entry[key] if t * stretch >= late]
        for key in ("beats", "downbeats", "onsets")
        if entry.get(key)
    }
    found = (TRACKERS | peers.installed())[tracker](sound, rate)
    wanted = np.asarray(truth.get("beats", []), float)
    trust = []
    if len(wanted):
        for at, confidence in zip(found["beats"], found.get("confidence", []), strict=False):
            if wanted[0] - 1.0 < at < wanted[-1] + 1.0:
                trust.append([confidence, float(np.abs(wanted - at).min() < BEAT_WINDOW_S)])
    return score(found, truth) | {"cpu": found["cpu"]}, trust


def run(
    folder: Path, trackers: Sequence[str] = ("performer",), change: str = "", only: str = "", jobs: int = 1
) -> dict[str, Any]:
    """Score every file: {tracker: {"files": {name: scores}, "a", "b", "mean": scores, "calibration": ...}}.

    Raises Fault for an unknown change or tracker, or a folder that has no such songs.
    """
    if change and change not in degradations.names():
        raise Fault(
            f"--change {change}: no such change{nearest(change, degradations.names())}; "
            f"there are {', '.join(degradations.names())}"
        )
    entries = [entry for entry in manifest(folder) if only in entry["file"]]
    if not entries:
        raise Fault(f"{folder}: no song" + (f" with {only!r} in its name" if only else ""))
    result: dict[str, Any] = {}
    with ProcessPoolExecutor(jobs, initializer=leave_to_parent) as pool:
        for tracker in trackers:
            n = len(entries)
            rows = list(pool.map(_one, [folder] * n, entries, [tracker] * n, [change] * n))
            files = {entry["file"]: scores for entry, (scores, _) in zip(entries, rows, strict=True)}
            made: dict[str, Any] = {"files": files, "calibration": calibration([t for _, ts in rows for t in ts])}
            for group in ("a", "b", "mean"):
                kept = [row for name, row in files.items() if group in (half(name), "mean")]
                made[group] = {column: _mean([row[column] for row in kept]) for column in COLUMNS}
            result[tracker] = made
    return result


def calibration(trust: Sequence[Sequence[float]]) -> dict[str, Any]:
    """How far confidence means what it says: per tenth of it, how many beats were right within 70 ms.

    `error` is the expected calibration error (Naeini, Cooper and Hauskrecht, AAAI 2015), 0..1.
    """
    bins = []
    error = 0.0
    for number in range(BINS):
        inside = [(c, r) for c, r in trust if number <= c * BINS < number + 1 or (number == BINS - 1 and c >= 1.0)]
        if inside:
            said = float(np.mean([c for c, _ in inside]))
            right = float(np.mean([r for _, r in inside]))
            bins.append({"confidence": said, "right": right, "beats": len(inside)})
            error += abs(said - right) * len(inside) / len(trust)
    return {"bins": bins, "error": error}


def _mean(values: Sequence[float]) -> float:
    known = [value for value in values if not np.isnan(value)]
    return float(np.mean(known)) if known else float("nan")


def tables(result: dict[str, Any], halves: bool) -> None:
    """Print a table per tracker: a row per file, and the means."""
    console = Console(width=160)
    for tracker, made in result.items():
        table = Table(tracker, *COLUMNS)
        rows = [(Path(name).stem, row) for name, row in made["files"].items()]
        groups = ("a", "b", "mean") if halves else ("mean",)
        for name, row in [*rows, *((f"= {group}", made[group]) for group in groups)]:
            table.add_row(name, *("-" if np.isnan(row[c]) else f"{row[c]:.3f}" for c in COLUMNS))
        console.print(table)


def clean(data: Any) -> Any:
    """The same without NaN, which JSON does not know: None."""
    if isinstance(data, dict):
        return {key: clean(value) for key, value in data.items()}
    if isinstance(data, list):
        return [clean(value) for value in data]
    return None if isinstance(data, float) and np.isnan(data) else data


def robustness(folder: Path, trackers: Sequence[str], only: str = "", jobs: int = 1) -> dict[str, Any]:
    """The means as the songs are and after every change: {tracker: {change: scores}}; printed as they come."""
    console = Console(width=160)
    result: dict[str, Any] = {tracker: {} for tracker in trackers}
    table = Table("tracker", "change", *COLUMNS)
    for change in ("", *degradations.names()):
        for tracker, made in run(folder, trackers, change, only, jobs).items():
            result[tracker][change or "as it is"] = made["mean"]
            row = made["mean"]
            cells = ("-" if np.isnan(row[c]) else f"{row[c]:.3f}" for c in COLUMNS)
            table.add_row(tracker, change or "as it is", *cells)
    console.print(table)
    return result
