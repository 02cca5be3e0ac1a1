"""Many channels to two, by where their speakers stand: ITU-R BS.775, as players and set-top boxes do it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import numpy as np

HALF_POWER = 0.7071068  # -3 dB

#: Speaker -> its share in left and right. The names are FFmpeg's: F front, B back, S side, T top, W wide; L, R, C.
#: Deep effects (LFE) are left out: they are meant for a speaker that a pair does not have, and say nothing new.
SHARES: dict[str, tuple[float, float]] = {
    "FL": (1.0, 0.0),
    "FR": (0.0, 1.0),
    "DL": (1.0, 0.0),
    "DR": (0.0, 1.0),
    "WL": (1.0, 0.0),
    "WR": (0.0, 1.0),
    "FLC": (1.0, 0.0),
    "FRC": (0.0, 1.0),
    "FC": (HALF_POWER, HALF_POWER),
    "LFE": (0.0, 0.0),
    "LFE2": (0.0, 0.0),
    "BL": (HALF_POWER, 0.0),
    "BR": (0.0, HALF_POWER),
    "SL": (HALF_POWER, 0.0),
    "SR": (0.0, HALF_POWER),
    "SDL": (HALF_POWER, 0.0),
    "SDR": (0.0, HALF_POWER),
    "BC": (0.5, 0.5),
    "TFL": (HALF_POWER, 0.0),
    "TFR": (0.0, HALF_POWER),
    "TSL": (HALF_POWER, 0.0),
    "TSR": (0.0, HALF_POWER),
    "TBL": (HALF_POWER, 0.0),
    "TBR": (0.0, HALF_POWER),
    "TC": (0.5, 0.5),
    "TFC": (0.5, 0.5),
    "TBC": (0.5, 0.5),
    "BFL": (HALF_POWER, 0.0),
    "BFR": (0.0, HALF_POWER),
    "BFC": (0.5, 0.5),
}

#: Number of channels -> who they are where a file does not say: the order that WAV, FLAC and Windows share.
USUAL: dict[int, tuple[str, ...]] = {
    3: ("FL", "FR", "FC"),
    4: ("FL", "FR", "BL", "BR"),
    5: ("FL", "FR", "FC", "BL", "BR"),
    6: ("FL", "FR", "FC", "LFE", "BL", "BR"),
    7: ("FL", "FR", "FC", "LFE", "BC", "SL", "SR"),
    8: ("FL", "FR", "FC", "LFE", "BL", "BR", "SL", "SR"),
}


def to_stereo(layout: Sequence[str], channels: int) -> np.ndarray:
    """What makes two channels of many, (channels, 2) float32: see `mixed`.

    Parameters
    ----------
    layout : Sequence[str]
        Names of the speakers, as SHARES has them; empty where nobody knows them (the inputs of a mixing desk, say):
        then they go left and right in turns, and each side is their mean.
    """
    return _matrix(tuple(layout), channels)


@cache
def _matrix(layout: tuple[str, ...], channels: int) -> np.ndarray:
    if len(layout) == channels and any(sum(SHARES.get(name, ())) for name in layout):
        rows = [SHARES.get(name, (0.0, 0.0)) for name in layout]
        matrix = np.array(rows, np.float32)
    elif channels == 1:
        matrix = np.ones((1, 2), np.float32)
    else:
        matrix = np.zeros((channels, 2), np.float32)
        for side in (0, 1):
            matrix[side::2, side] = 1.0 / len(range(side, channels, 2))
    matrix.setflags(write=False)
    return matrix


def mixed(frames: np.ndarray, matrix: np.ndarray, out: np.ndarray | None = None) -> np.ndarray:
    """`frames @ matrix`, (n, channels) and (channels, 2) float32 -> (n, 2), without the threads of BLAS."""
    if out is None:
        out = np.empty((len(frames), 2), np.float32)
    out[:] = 0.0
    for channel, shares in enumerate(matrix.tolist()):
        for side, share in enumerate(shares):
            if share:
                out[:, side] += np.float32(share) * frames[:, channel]
    return out


def fitted(frames: np.ndarray, layout: Sequence[str], channels: int) -> np.ndarray:
    """The same sound (n, have) in so many channels (n, channels) float32, contiguous.

    One channel is repeated; two are the first two of more; more are brought to two, and those to one by their mean.
    """
    have = frames.shape[1]
    if have == channels:
        return frames
    if have == 1:
        return np.repeat(frames, channels, axis=1)
    if have > 2:
        frames = mixed(frames, to_stereo(layout, have))
    if channels == 1:
        return np.ascontiguousarray(frames.mean(1, keepdims=True, dtype=np.float32))
    out = np.zeros((len(frames), channels), np.float32)
    out[:, :2] = frames
    return out
