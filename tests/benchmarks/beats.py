"""Score the live analyser's beats on a folder with a manifest, and free peers beside it when they are installed.

    python -m tests.benchmarks.beats FOLDER [--json OUT.json] [--peers] [--only TEXT] [--change NAME]

FOLDER/manifest.json is a list of {"file", "beats", "downbeats", "onsets" (optional)}, times in seconds.
F is at 70 ms (beats) and 50 ms (onsets), beats from 0 s on; CMLt and AMLt as in mir_eval. Files are split in two
halves by a hash of their names: tune on `a`, trust `b`.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from performer.audio.mix import Mixer
from performer.audio.report import analyse

COLUMNS = ("F", "CMLt", "AMLt", "tempo1", "tempo2", "downbeat", "onset", "delay_ms", "onset_delay_ms", "first_s",
           "cpu")

Found = dict[str, Any]


def half(name: str) -> str:
    """`a` or `b`, by a hash of the file's name."""
    return "ab"[zlib.crc32(Path(name).name.encode()) & 1]


def change(sound: np.ndarray, rate: int, name: str) -> np.ndarray:
    """A worse copy of mono sound (n,): as heard quietly, in a crowd, through a wall, or with drop-outs."""
    rng = np.random.default_rng(7)
    if name == "quiet":
        return sound * np.float32(0.1)
    if name == "crowd":
        noise = np.cumsum(rng.standard_normal(len(sound)))
        noise -= np.convolve(noise, np.ones(200) / 200, "same")
        gain = np.sqrt(np.mean(sound**2) / np.mean(noise**2) / 10.0)
        return (sound + gain * noise).astype(np.float32)
    if name == "wall":
        from scipy.signal import butter, sosfilt

        return sosfilt(butter(4, 200.0, fs=rate, output="sos"), sound).astype(np.float32)
    if name == "dropouts":
        sound = sound.copy()
        for at in range(0, len(sound), 5 * rate):
            first = at + int(rng.integers(0, 4 * rate))
            sound[first:first + rate // 20] = 0.0
        return sound
    raise SystemExit(f"no such change: {name}; there are quiet, crowd, wall, dropouts")


def performer(sound: np.ndarray, rate: int) -> Found:
    """The live analyser."""
    made = analyse([sound], rate)
    tempi = [(entry["bpm"], entry["confidence"]) for entry in made["tempo"]]
    return {"beats": [e["t"] for e in made["beats"]], "downbeats": [e["t"] for e in made["downbeats"]],
            "onsets": [e["t"] for e in made["onsets"]], "emitted": [e["emitted"] for e in made["beats"]],
            "onsets_emitted": [e["emitted"] for e in made["onsets"]], "cpu": made["cpu_s"] / made["audio_s"],
            "bpm": float(np.median([bpm for bpm, _ in tempi])) if tempi else 0.0}


def aubio(sound: np.ndarray, rate: int) -> Found:
    """aubio.tempo and aubio.onset (specflux), hop 256, live."""
    import aubio as peer

    tempo = peer.tempo("default", 1024, 256, rate)
    onset = peer.onset("specflux", 1024, 256, rate)
    beats, emitted, onsets, onsets_emitted = [], [], [], []
    begun = time.process_time()
    for at in range(0, len(sound) - 255, 256):
        block = np.ascontiguousarray(sound[at:at + 256])
        if tempo(block)[0]:
            beats.append(float(tempo.get_last_s()))
            emitted.append((at + 256) / rate)
        if onset(block)[0]:
            onsets.append(float(onset.get_last_s()))
            onsets_emitted.append((at + 256) / rate)
    cpu = time.process_time() - begun
    return {"beats": beats, "emitted": emitted, "onsets": onsets, "onsets_emitted": onsets_emitted,
            "cpu": cpu * rate / len(sound), "bpm": float(tempo.get_bpm())}


def madmom(sound: np.ndarray, rate: int) -> Found:
    """madmom's online RNN and forward DBN."""
    from madmom.features.beats import DBNBeatTrackingProcessor, RNNBeatProcessor
    from soxr import resample

    sound = resample(sound, rate, 44_100).astype(np.float32)
    begun = time.process_time()
    activation = RNNBeatProcessor(online=True, fps=100, origin="online", num_frames=1)(sound)
    beats = DBNBeatTrackingProcessor(fps=100, online=True, correct=False)(activation)
    cpu = time.process_time() - begun
    return {"beats": list(beats), "cpu": cpu * 44_100 / len(sound), "bpm": _bpm(beats)}


def librosa(sound: np.ndarray, rate: int) -> Found:
    """librosa's beat tracker, which hears the whole file first."""
    import librosa as peer

    begun = time.process_time()
    bpm, beats = peer.beat.beat_track(y=sound, sr=rate, units="time")
    cpu = time.process_time() - begun
    onsets = peer.onset.onset_detect(y=sound, sr=rate, units="time")
    return {"beats": list(beats), "onsets": list(onsets), "cpu": cpu * rate / len(sound),
            "bpm": float(np.atleast_1d(bpm)[0])}


def _bpm(beats: Any) -> float:
    return float(60.0 / np.median(np.diff(beats))) if len(beats) > 2 else 0.0


def score(found: Found, truth: dict[str, Any]) -> dict[str, float]:
    """One file's scores by COLUMNS; NaN where truth or answer has nothing to compare."""
    import mir_eval

    beats, wanted = np.asarray(found["beats"], float), np.asarray(truth["beats"], float)
    beats = np.sort(beats[beats >= 0.0])
    out = dict.fromkeys(COLUMNS, float("nan"))
    out["F"] = mir_eval.beat.f_measure(wanted, beats)
    _, out["CMLt"], _, out["AMLt"] = mir_eval.beat.continuity(wanted, beats) if len(beats) > 1 else (0.0,) * 4
    real = _bpm(wanted)
    if real > 0.0:
        out["tempo1"] = float(abs(found["bpm"] / real - 1.0) < 0.04)
        out["tempo2"] = float(any(abs(found["bpm"] / real / k - 1.0) < 0.04 for k in (1, 2, 3, 1 / 2, 1 / 3)))
    if "downbeats" in found and truth.get("downbeats"):
        bars = np.asarray(found["downbeats"], float)
        out["downbeat"] = mir_eval.beat.f_measure(np.asarray(truth["downbeats"], float), bars[bars >= 0.0])
    if "onsets" in found and truth.get("onsets"):
        real_onsets = np.unique(np.asarray(truth["onsets"], float))
        # Notes of a chord that are struck within 30 ms are one onset.
        real_onsets = real_onsets[np.concatenate([[True], np.diff(real_onsets) > 0.03])]
        out["onset"] = mir_eval.onset.f_measure(real_onsets, np.asarray(found["onsets"], float), window=0.05)[0]
        if "onsets_emitted" in found and len(found["onsets"]):
            emitted = np.asarray(found["onsets_emitted"], float)
            near = np.searchsorted(real_onsets, emitted, "right") - 1
            late = emitted - real_onsets[np.maximum(near, 0)]
            late = late[(near >= 0) & (late < 0.05)]
            out["onset_delay_ms"] = 1000.0 * float(np.median(late)) if len(late) else float("nan")
    if found.get("emitted"):
        emitted = np.asarray(found["emitted"], float)
        apart = emitted[:, None] - wanted[None, :]
        nearest = apart[np.arange(len(emitted)), np.abs(apart).argmin(1)]
        nearest = nearest[np.abs(nearest) < 0.07]
        out["delay_ms"] = 1000.0 * float(np.median(nearest)) if len(nearest) else float("nan")
    right = [t for t in beats if np.min(np.abs(wanted - t)) < 0.07]
    out["first_s"] = float(right[0]) if right else float("nan")
    out["cpu"] = found["cpu"]
    return out


def bench(folder: Path, peers: bool = False, only: str = "", changed: str = "") -> dict[str, Any]:
    """Score every file of a folder: {tracker: {"files": {name: scores}, "a": means, "b": means, "mean": means}}."""
    manifest = json.loads((folder / "manifest.json").read_text())
    trackers: list[Callable[[np.ndarray, int], Found]] = [performer]
    if peers:
        for peer in (aubio, madmom, librosa):
            try:
                __import__(peer.__name__)
                trackers.append(peer)
            except ImportError:
                print(f"{peer.__name__}: not installed, left out", file=sys.stderr)
    result: dict[str, Any] = {tracker.__name__: {"files": {}} for tracker in trackers}
    for entry in manifest:
        if only not in entry["file"]:
            continue
        frames, rate = soundfile.read(folder / entry["file"], dtype="float32", always_2d=True)
        sound = Mixer(rate, frames.shape[1]).mix(frames)
        if changed:
            sound = change(sound, rate, changed)
        for tracker in trackers:
            result[tracker.__name__]["files"][entry["file"]] = score(tracker(sound, rate), entry)
    for made in result.values():
        for group in ("a", "b", "mean"):
            rows = [row for name, row in made["files"].items() if group in (half(name), "mean")]
            made[group] = {column: _mean([row[column] for row in rows]) for column in COLUMNS}
    return result


def _mean(values: list[float]) -> float:
    known = [value for value in values if not np.isnan(value)]
    return float(np.mean(known)) if known else float("nan")


def table(result: dict[str, Any]) -> str:
    """The result as text, a line per file and three of means per tracker."""
    lines = []
    for tracker, made in result.items():
        lines.append(f"{tracker:34s}" + "".join(f"{column:>9.9s}" for column in COLUMNS))
        rows = [(f"{half(name)} {Path(name).stem}", row) for name, row in made["files"].items()]
        for name, row in [*rows, *((f"= {group}", made[group]) for group in ("a", "b", "mean"))]:
            lines.append(f"{name:34.34s}" + "".join(f"{row[column]:9.3f}" for column in COLUMNS))
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--peers", action="store_true")
    parser.add_argument("--only", default="")
    parser.add_argument("--change", default="")
    options = parser.parse_args()
    result = bench(options.folder, options.peers, options.only, options.change)
    print(table(result))
    if options.json:
        options.json.write_text(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
