"""Which values of an untrusted model's pictures are black and white, going in and coming out, by what it does."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

RANGES = ((0.0, 1.0), (-1.0, 1.0), (0.0, 255.0))
#: Means and deviations of red, green and blue in ImageNet, of pictures of 0..1: https://pytorch.org/vision (models)
IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
CLEARLY = 0.12  # of the whole range, by which other values going in must bring out more
_RARE = 0.1  # what pictures by ImageNet's mean, which few models of pictures take, must bring out more
_LEAP = 0.3  # what a leap of more than half the range, from row to row of a ramp, takes away
_LIMIT = 0.01  # of the range: nearer to its ends is black and white


@dataclass(frozen=True)
class Scale:
    """(picture * (high - low) + low - mean) / std of a picture of 0..1; mean and std in the model's order of channels,
    empty where 0 and 1."""

    range: tuple[float, float] = (0.0, 1.0)
    mean: tuple[float, ...] = ()
    std: tuple[float, ...] = ()

    def words(self) -> str:
        """For people."""
        if (self.range, self.mean, self.std) == ((0.0, 1.0), *IMAGENET):
            return "ImageNet's mean and deviation"
        said = f"{self.range[0]:g} .. {self.range[1]:g}"
        if self.mean or self.std:
            said += f" less {_joined(self.mean or (0.0,) * 3)}, by {_joined(self.std or (1.0,) * 3)}"
        return said

    def option(self) -> str:
        """As the command line takes it."""
        return "imagenet" if self.mean else f"{self.range[0]:g},{self.range[1]:g}"


def _joined(numbers: tuple[float, ...]) -> str:
    return ",".join(f"{number:g}" for number in numbers)


def range_of_output(outputs: list[np.ndarray]) -> tuple[float, float]:
    """Black and white of pictures, by the type and the spread of their numbers."""
    kind = outputs[0].dtype
    if kind == np.bool_:
        return 0.0, 1.0
    low, high = float(min(out.min() for out in outputs)), float(max(out.max() for out in outputs))
    if kind.kind in "iu":
        if low < 0.0 and max(-low, high) <= 128.0 and low < -1.0:
            return -128.0, 127.0
        return (0.0, 1.0) if low >= 0.0 and high <= 1.0 else (0.0, 255.0)
    if high > 16.0:
        return 0.0, 255.0
    if np.quantile(np.concatenate([out.ravel() for out in outputs]).astype(np.float32), 0.02) < -0.15:
        return -1.0, 1.0
    return 0.0, 1.0


def trial_picture(height: int = 64, width: int = 64) -> np.ndarray:
    """A picture (3, H, W) float32 with every level of grey on its left, and colours of every level on its right."""
    rng = np.random.default_rng(5)
    # Not in equal steps, which could be whole turns of numbers that overflow.
    ramp = np.linspace(0.0, 1.0, height, dtype=np.float32)[:, None] ** 1.3
    picture = np.repeat(np.tile(ramp, (1, width))[None], 3, axis=0)
    coarse = rng.uniform(0.0, 1.0, (3, 8, 8)).astype(np.float32)
    colours = coarse.repeat(-(-height // 8), axis=1).repeat(-(-width // 8), axis=2)[:, :height, :width]
    picture[:, :, width // 2 :] = colours[:, :, width // 2 :]
    return picture


def range_of_input(
    run: Callable[[Scale], np.ndarray],
    told: tuple[float, float] | None,
    first: np.ndarray,
    colour: bool = True,
) -> tuple[Scale, bool]:
    """The scale of the pictures that a model takes, and whether what it made of them tells it from others.

    Pictures go in as they come out, as nearly all models have it, unless another scale brings out clearly more.

    Parameters
    ----------
    run : callable
        Feeds the test picture in a scale, and gives what comes out, (C, H, W).
    told : tuple[float, float] | None
        Black and white of what comes out, where that is known.
    first : ndarray
        What comes out of 0..1.
    """
    bounds = told or _bounds(run(Scale((-1e4, 1e4))))
    default = Scale(bounds or range_of_output([first]))
    made = {default: run(default)}
    for other in RANGES:
        made.setdefault(Scale(other), first if other == (0.0, 1.0) else run(Scale(other)))
    if colour:
        made[Scale((0.0, 1.0), *IMAGENET)] = run(Scale((0.0, 1.0), *IMAGENET))
    return _best(default, made, bounds)


def _best(default: Scale, made: Mapping[Scale, np.ndarray], bounds: tuple[float, float] | None) -> tuple[Scale, bool]:
    worth = {scale: _worth(out, bounds) - _RARE * bool(scale.mean) for scale, out in made.items()}
    best = max(worth, key=lambda scale: (worth[scale], scale == default))
    clearly = worth[best] > worth[default] + CLEARLY
    return (best if clearly else default), clearly


def _bounds(out: np.ndarray) -> tuple[float, float] | None:
    """The range that what comes out never leaves, whatever goes in (a tanh, say); None where there is none."""
    low, high = float(out.min()), float(out.max())
    for black, white in RANGES:
        near = 2e-3 * (white - black)
        if abs(low - black) < near and abs(high - white) < near:
            return black, white
    return None


def _worth(out: np.ndarray, bounds: tuple[float, float] | None) -> float:
    """How much of its range the test picture (C, H, W) fills, 0..1, less what lies at its ends, or is noise."""
    if not np.isfinite(out.astype(np.float64)).all():
        return -1.0
    low, high = bounds or range_of_output([out])
    part = (out.astype(np.float32) - low) / (high - low)
    bottom, top = np.quantile(np.clip(part, 0.0, 1.0), (0.02, 0.98))
    at_ends = float(((part < _LIMIT) | (part > 1.0 - _LIMIT)).mean())
    # Whole numbers that overflow begin again at black: then the ramp on the left leaps.
    border = part.shape[1] // 10  # where convolutions meet what they are padded with
    ramp = np.clip(part[:, border : part.shape[1] - border, : max(part.shape[2] // 4, 1)], 0.0, 1.0)
    leaps = float(np.median((np.abs(np.diff(ramp, axis=1)) > 0.5).sum(axis=1)))
    return float(top - bottom) - at_ends - _LEAP * min(leaps, 3.0)
