"""Many channels -> one, without losing any: silent ones don't dilute, opposite ones don't cancel."""

from __future__ import annotations

import numpy as np

from performer.audio.smoothing import smoothing

PIECE = 8192  # numbers multiplied at once: BLAS cuts up longer products for threads, which wait for one another
LOUDEST = 8.0  # samples are clipped here: no sound card makes more than 1


class Mixer:
    """Mixes sound to mono by weights that follow each channel's energy and polarity slowly.

    Parameters
    ----------
    rate : int
        Samples per second.
    channels : int
        How many come in.
    """

    ENERGY_S = 0.5  # over which energy and correlation are averaged
    TURN_S = 0.05  # in which a weight follows
    PRESENT = 1e-3  # share of the loudest channel's energy from which on a channel counts in full
    OPPOSED = -0.8  # correlation below which a channel is the loudest turned over: wide stereo goes to -0.7

    def __init__(self, rate: int, channels: int) -> None:
        self._rate = rate
        self._moments = np.zeros((channels, channels), np.float32)
        self._weights = np.full(channels, 1.0 / channels, np.float32)
        self._heard = False

    def mix(self, frames: np.ndarray) -> np.ndarray:
        """frames (n, channels) float32 -> (n,) float32; NaN and infinities count as 0."""
        n = len(frames)
        if n == 0:
            return np.zeros(0, np.float32)
        if frames.size > PIECE:
            step = max(1, PIECE // frames.shape[1])
            return np.concatenate([self.mix(frames[at : at + step]) for at in range(0, n, step)])
        flat = frames.reshape(-1)
        with np.errstate(over="ignore", invalid="ignore"):
            energy = float(np.dot(flat, flat))  # not the sum, in which huge samples of both signs cancel
        sound = energy <= flat.size * LOUDEST**2  # NaN is not below either
        if not sound:
            frames = np.clip(np.nan_to_num(frames, nan=0.0, posinf=0.0, neginf=0.0), -LOUDEST, LOUDEST)
        if frames.shape[1] == 1:
            return np.ascontiguousarray(frames[:, 0])
        if not sound:  # nothing can be learned from it
            mixed: np.ndarray = frames @ self._weights
            return mixed
        dt = n / self._rate
        now = frames.T @ frames / n
        self._moments += (now - self._moments) * (smoothing(dt, self.ENERGY_S) if self._heard else 1.0)
        target = self._target()
        if target is not None:
            self._weights += (target - self._weights) * (smoothing(dt, self.TURN_S) if self._heard else 1.0)
            self._heard = True
        return frames @ self._weights

    def _target(self) -> np.ndarray | None:
        energy = self._moments.diagonal()
        loudest = int(energy.argmax())
        most = float(energy[loudest])
        if most < 1e-12:
            return None
        share = np.minimum(energy / (most * self.PRESENT), 1.0)
        likeness = self._moments[loudest] / np.sqrt(np.maximum(energy * most, 1e-20))
        weights: np.ndarray = np.where(likeness < self.OPPOSED, -share, share) / share.sum()
        return weights
