"""A whole signal streamed through the live analyser: what it announced, and when."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from math import floor
from typing import Any

import numpy as np

from performer.audio.analyzer import Analyzer
from performer.audio.beat_tracker import Net
from performer.types.features import HEAD

TEMPO_EVERY_S = 0.5


def analyse(
    blocks: Iterable[np.ndarray],
    rate: int,
    net: Net | None = None,
    each: Callable[[Analyzer, np.ndarray, np.ndarray], None] | None = None,
) -> dict[str, Any]:
    """Stream a signal through an Analyzer, hop by hop.

    Parameters
    ----------
    blocks : Iterable[ndarray]
        Mono samples (n,), -1..1, in blocks of any length.
    rate : int
        Samples per second.
    net : Net, optional
        Hears beats besides; see Analyzer.
    each : callable, optional
        Called after every hop with the analyser, the hop's samples and its row.

    Returns
    -------
    dict
        Seconds throughout: {"audio_s", "cpu_s", "hop_s", "beats": [{"t", "emitted", "confidence"}], "downbeats": [...],
        "tempo": [{"t", "bpm", "confidence"}], "onsets": [{"t", "emitted"}]}. `emitted` is the end of the newest sample
        known when the thing was announced; nothing is revised. `cpu_s` is the processor time of `Analyzer.process`
        alone.
    """
    analyzer = Analyzer(rate, net)
    hop = analyzer.hop
    column = {name: HEAD.index(name) for name in HEAD}
    beats: list[dict[str, float]] = []
    downbeats: list[dict[str, float]] = []
    onsets: list[dict[str, float]] = []
    tempo: list[dict[str, float]] = []
    before = (0.0, 0.0, 0.0, 0)
    cpu = 0.0
    samples = 0
    next_tempo = TEMPO_EVERY_S
    for block in _hops(blocks, hop):
        begun = time.process_time()
        row = analyzer.process(block)
        cpu += time.process_time() - begun
        if each is not None:
            each(analyzer, block, row)
        samples += hop
        t, beat, bar, count = (float(row[column[name]]) for name in ("t", "beat", "bar", "onsets"))
        for made, was, now in ((beats, before[1], beat), (downbeats, before[2], bar)):
            if floor(now) > floor(was):
                share = (floor(now) - was) / (now - was)
                made.append(
                    {
                        "t": before[0] + share * (t - before[0]),
                        "emitted": t,
                        "confidence": float(row[column["confidence"]]),
                    }
                )
        if count > before[3]:
            onsets.append({"t": float(row[column["onset_t"]]), "emitted": t})
        if t >= next_tempo:
            tempo.append({"t": t, "bpm": float(row[column["bpm"]]), "confidence": float(row[column["confidence"]])})
            next_tempo += TEMPO_EVERY_S
        before = (t, beat, bar, int(count))
    return {
        "audio_s": samples / rate,
        "cpu_s": cpu,
        "hop_s": hop / rate,
        "beats": beats,
        "downbeats": downbeats,
        "tempo": tempo,
        "onsets": onsets,
    }


def _hops(blocks: Iterable[np.ndarray], hop: int) -> Iterable[np.ndarray]:
    """The same samples in blocks of `hop`; an incomplete last one is filled with zeros."""
    rest = np.zeros(0, np.float32)
    for block in blocks:
        block = np.concatenate([rest, np.asarray(block, np.float32)])
        whole = len(block) // hop * hop
        for at in range(0, whole, hop):
            yield block[at : at + hop]
        rest = block[whole:]
    if len(rest):
        yield np.concatenate([rest, np.zeros(hop - len(rest), np.float32)])
