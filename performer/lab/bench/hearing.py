"""Row A: all features of one hop, beside aubio's and librosa's nearest equal."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from performer.audio.analyzer import Analyzer
from performer.io.sound import demo_song
from performer.lab.bench.row import Row, in_turn

RATE = 48000
WARM_HOPS = 400
ROUNDS = 3000


def features(_seconds: float) -> list[Row]:
    """Microseconds for one hop of the demo song."""
    song = demo_song.render(RATE).mean(axis=1).astype(np.float32)
    analyzer = Analyzer(RATE)
    hop = analyzer.hop

    def player() -> Callable[[], np.ndarray]:
        """The song hop by hop, from the drop on; each side has a player of its own and hears every hop."""
        at = 12 * 4 * int(60 / demo_song.BPM * RATE)

        def block() -> np.ndarray:
            nonlocal at
            at = (at + hop) % (len(song) - 2 * hop)
            heard: np.ndarray = song[at : at + hop]
            return heard

        return block

    heard = player()

    def ours() -> None:
        analyzer.process(heard())

    for _ in range(WARM_HOPS):
        ours()
    rows = []
    peers = {"aubio pvoc + specflux + tempo": _aubio(hop, player()), "librosa mel + onset": _librosa(hop, player())}
    for name, peer in peers.items():
        if peer is None:
            (own,) = in_turn(ROUNDS, ours, scale=1e6)
            rows.append(
                Row(
                    "features per hop",
                    "us",
                    own,
                    name,
                    (),
                    "<= 60 us p50",
                    float(np.median(own)) <= 60.0,
                    "peer not installed",
                )
            )
            continue
        own, theirs = in_turn(ROUNDS if "aubio" in name else 200, ours, peer, scale=1e6)
        rows.append(
            Row(
                "features per hop",
                "us",
                own,
                name,
                theirs,
                "<= 60 us p50, below the peer",
                float(np.median(own)) <= min(60.0, float(np.median(theirs))),
            )
        )
    return rows


def _aubio(hop: int, block: Callable[[], np.ndarray]) -> Callable[[], Any] | None:
    try:
        import aubio
    except ImportError:
        return None
    vocoder, onset = aubio.pvoc(1024, hop), aubio.specdesc("specflux", 1024)
    tempo = aubio.tempo("specflux", 1024, hop, RATE)

    def work() -> None:
        samples = block()
        onset(vocoder(samples))
        tempo(samples)

    return work


def _librosa(hop: int, block: Callable[[], np.ndarray]) -> Callable[[], Any] | None:
    try:
        import librosa
    except ImportError:
        return None
    window = np.zeros(2048, np.float32)

    def work() -> None:
        window[:-hop] = window[hop:]
        window[-hop:] = block()
        mel = librosa.feature.melspectrogram(y=window, sr=RATE, n_fft=2048, hop_length=hop, n_mels=80)
        librosa.onset.onset_strength(S=librosa.power_to_db(mel), sr=RATE)

    return work
