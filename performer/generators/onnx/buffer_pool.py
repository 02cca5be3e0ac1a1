"""Arrays that are lent out and used again once nobody looks at them, so that a picture allocates none."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Any

import numpy as np

MOST = 6  # pieces kept: one being made, one on its way, one shown, one in a glide, and some to spare


class _Lease:
    """What an array on loan is based on: numpy keeps it alive for as long as any view of that array lives."""

    __slots__ = ("__array_interface__", "__weakref__", "_memory")

    def __init__(self, memory: np.ndarray) -> None:
        self.__array_interface__ = memory.__array_interface__
        self._memory = memory


class BufferPool:
    """Memory of one shape and type, lent to one reader after another.

    Whoever keeps an array (or a view of it) keeps that memory, and the next one gets other memory: nothing that was
    handed out ever changes. Taken by one thread, let go by any.

    Parameters
    ----------
    memory : callable, optional
        Makes a piece; np.empty where not given.
    """

    def __init__(
        self, shape: tuple[int, ...], dtype: Any, memory: Callable[[tuple[int, ...], Any], np.ndarray] = np.empty
    ) -> None:
        self._shape = shape
        self._dtype = dtype
        self._memory = memory
        self._pieces: list[np.ndarray] = []
        self._leases: list[Callable[[], _Lease | None]] = []

    def __len__(self) -> int:
        """Pieces of memory that are kept."""
        return len(self._pieces)

    def take(self) -> tuple[int, np.ndarray]:
        """Its number (-1 for one too many, which is not used again) and an array with whatever was in it before."""
        for number, lease in enumerate(self._leases):
            if lease() is None:
                return number, self._lend(number)
        if len(self._pieces) == MOST:
            return -1, self._memory(self._shape, self._dtype)
        self._pieces.append(self._memory(self._shape, self._dtype))
        self._leases.append(_nobody)
        return len(self._pieces) - 1, self._lend(len(self._pieces) - 1)

    def _lend(self, number: int) -> np.ndarray:
        lease = _Lease(self._pieces[number])
        self._leases[number] = weakref.ref(lease)
        return np.asarray(lease)


def _nobody() -> None:
    """Like a weak reference to what is gone."""
