"""Other beat trackers, where they are installed. Each takes mono sound (n,) and tells what `scores.score` reads."""

from __future__ import annotations

import time
from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

import numpy as np
import soxr

from performer.lab.bench.scores import tempo_of

Found = dict[str, Any]


def aubio(sound: np.ndarray, rate: int) -> Found:
    """aubio.tempo and aubio.onset (specflux), hop 256, live."""
    import aubio as peer

    tempo, onset = peer.tempo("default", 1024, 256, rate), peer.onset("specflux", 1024, 256, rate)
    made: Found = {"beats": [], "emitted": [], "onsets": [], "onsets_emitted": []}
    begun = time.process_time()
    for at in range(0, len(sound) - 255, 256):
        block = np.ascontiguousarray(sound[at : at + 256])
        if tempo(block)[0]:
            made["beats"].append(float(tempo.get_last_s()))
            made["emitted"].append((at + 256) / rate)
        if onset(block)[0]:
            made["onsets"].append(float(onset.get_last_s()))
            made["onsets_emitted"].append((at + 256) / rate)
    return made | {"cpu": (time.process_time() - begun) * rate / len(sound), "bpm": float(tempo.get_bpm())}


def madmom(sound: np.ndarray, rate: int) -> Found:
    """madmom's online recurrent network and forward-decoded dynamic Bayesian network."""
    from madmom.features.beats import DBNBeatTrackingProcessor, RNNBeatProcessor

    sound = soxr.resample(sound, rate, 44_100).astype(np.float32)
    begun = time.process_time()
    activation = RNNBeatProcessor(online=True, fps=100, origin="online")(sound)
    beats = DBNBeatTrackingProcessor(fps=100, online=True)(activation)
    cpu = time.process_time() - begun
    return {"beats": list(beats), "cpu": cpu * 44_100 / len(sound), "bpm": tempo_of(np.asarray(beats))}


def librosa(sound: np.ndarray, rate: int) -> Found:
    """librosa's beat tracker, which hears the whole file first."""
    import librosa as peer

    begun = time.process_time()
    bpm, beats = peer.beat.beat_track(y=sound, sr=rate, units="time")
    cpu = time.process_time() - begun
    onsets = peer.onset.onset_detect(y=sound, sr=rate, units="time")
    return {
        "beats": list(beats),
        "onsets": list(onsets),
        "cpu": cpu * rate / len(sound),
        "bpm": float(np.atleast_1d(bpm)[0]),
    }


def installed() -> dict[str, Callable[[np.ndarray, int], Found]]:
    """Those that can be run here."""
    return {peer.__name__: peer for peer in (aubio, madmom, librosa) if find_spec(peer.__name__)}
