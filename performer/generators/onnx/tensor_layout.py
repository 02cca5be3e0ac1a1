"""What models make and take, whatever its order of axes and range, as the engine's planar pictures and back."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from performer.content.models.layouts import Level


def planar(
    out: np.ndarray,
    layout: str,
    low: Level,
    high: Level,
    clip: bool,
    into: Callable[[], np.ndarray] | None = None,
    order: str = "rgb",
) -> np.ndarray:
    """A model's output as (3, H, W) float32, 0..1, C-contiguous; grey is repeated, alpha lies on black.

    Parameters
    ----------
    low, high : Level
        The output's values for black and white.
    clip : bool
        It may overshoot: cut off what does.
    into : callable, optional
        Gives an array for it, where the output is not yet so; without it one is made.
    order : str, optional
        Order of its channels, "rgb" or "bgr"; alpha is the last of four in either.
    """
    picture = out[0] if layout.startswith("N") else out
    axes = layout.removeprefix("N")
    if axes == "HW":
        picture = picture[None]
    elif axes == "HWC":
        picture = picture.transpose(2, 0, 1)
    if (
        _plain(low, high)
        and not clip
        and order == "rgb"
        and len(picture) == 3
        and (picture.dtype == np.float32 and picture.flags.c_contiguous)
    ):
        return picture
    channels, height, width = picture.shape
    made = into() if into is not None else np.empty((3, height, width), np.float32)
    made[...] = picture[2::-1] if order == "bgr" and channels >= 3 else picture[:3]
    _spread(made, low, high, clip)
    if channels == 4:
        alpha = picture[3:].astype(np.float32)
        _spread(alpha, float(np.mean(low)), float(np.mean(high)), clip)
        made *= alpha
    return made


def _plain(low: Level, high: Level) -> bool:
    return not isinstance(low, np.ndarray) and (low, high) == (0.0, 1.0)


def _spread(values: np.ndarray, low: Level, high: Level, clip: bool) -> None:
    if not _plain(low, high):
        values -= np.float32(low)
        values /= np.float32(high - low)
    if clip:
        np.clip(values, 0.0, 1.0, out=values)


def fed(
    picture: np.ndarray, shape: tuple[int, ...], layout: str, low: Level, high: Level, order: str = "rgb"
) -> np.ndarray:
    """A picture (3, H, W) of 0..1 as the input of a model that takes pictures: `shape`, in its layout, range and
    order of channels; float32."""
    axes = layout.removeprefix("N")
    sizes = dict(zip(layout, shape, strict=True))
    resized = _resized(picture, sizes["H"], sizes["W"])
    channels = sizes.get("C", 1)
    if channels == 1:
        low = float(np.mean(low))
        high = float(np.mean(high))
        resized = np.tensordot(np.array([0.299, 0.587, 0.114], np.float32), resized, 1)[None]
    resized = resized * np.float32(high - low) + np.float32(low)
    if order == "bgr" and channels >= 3:
        resized = resized[::-1]
    if channels == 4:
        resized = np.concatenate([resized, np.full_like(resized[:1], np.mean(high))])
    if axes == "HWC":
        resized = resized.transpose(1, 2, 0)
    return np.ascontiguousarray(resized.reshape(shape), np.float32)


def _resized(picture: np.ndarray, height: int, width: int) -> np.ndarray:
    """Linear, from pixel middles."""
    for axis, wanted in ((1, height), (2, width)):
        had = picture.shape[axis]
        if had == wanted:
            continue
        at = np.clip((np.arange(wanted) + 0.5) * had / wanted - 0.5, 0.0, had - 1.0)
        low = np.floor(at).astype(int)
        part = (at - low).astype(np.float32).reshape((-1, 1) if axis == 1 else (1, -1))
        high = np.minimum(low + 1, had - 1)
        picture = np.take(picture, low, axis) * (1.0 - part) + np.take(picture, high, axis) * part
    return picture.astype(np.float32, copy=False)
