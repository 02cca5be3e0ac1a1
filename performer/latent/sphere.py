"""Geometry of the unit sphere in D dimensions, where the latents of a normal prior effectively live."""

from __future__ import annotations

import numpy as np


def unit(v: np.ndarray) -> np.ndarray:
    """v / |v| along the last axis; a zero vector becomes the first axis.

    Parameters
    ----------
    v : ndarray
        (..., D) float.

    Returns
    -------
    ndarray
        (..., D), of the same type.
    """
    norm = np.linalg.norm(v, axis=-1, keepdims=True)
    axis = np.zeros(v.shape[-1], v.dtype)
    axis[0] = 1.0
    return np.where(norm > 1e-12, v / np.maximum(norm, 1e-12), axis)


def point(seed: int, index: int, dim: int) -> np.ndarray:
    """The index-th of an endless row of uniformly spread unit vectors that belongs to a seed.

    Parameters
    ----------
    seed, index : int
        Any whole numbers; of those beyond 64 bits the lower ones count.
    dim : int
        Size of the vector, at least 1.

    Returns
    -------
    ndarray
        (dim,) float32 of length 1.
    """
    key = np.array([seed & 0xFFFFFFFFFFFFFFFF, index & 0xFFFFFFFFFFFFFFFF], np.uint64)
    rng = np.random.Generator(np.random.Philox(key=key))
    return unit(rng.standard_normal(dim).astype(np.float32))


def slerp(a: np.ndarray, b: np.ndarray, amount: float) -> np.ndarray:
    """Walk the great circle from a to b.

    Parameters
    ----------
    a, b : ndarray
        (D,) float32 unit vectors; of two opposite ones the way between is not unique, and a fixed one is taken.
    amount : float
        0..1; 0 gives a, 1 gives b.

    Returns
    -------
    ndarray
        (D,) float32 of length 1.

    Notes
    -----
    K. Shoemake, "Animating rotation with quaternion curves", SIGGRAPH 1985. Vectors that are nearly alike are mixed in
    a straight line, where the formula would divide by nearly nothing.
    """
    cosine = float(np.clip(np.dot(a, b), -1.0, 1.0))
    if cosine > 0.99995:
        return unit(a + (b - a) * np.float32(amount))
    if cosine < -0.99995:
        aside = np.roll(a, 1)
        aside = unit(aside - a * np.dot(a, aside))
        angle = np.pi * amount
        return (a * np.float32(np.cos(angle)) + aside * np.float32(np.sin(angle))).astype(np.float32)
    angle = np.arccos(cosine)
    left = np.sin((1.0 - amount) * angle)
    right = np.sin(amount * angle)
    return ((a * np.float32(left) + b * np.float32(right)) / np.float32(np.sin(angle))).astype(np.float32)
