"""One line of the table: our samples, a peer's samples taken in turn with them, and what must be reached."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any

import numpy as np


@dataclass
class Row:
    """What was measured.

    ours, peer  samples in `unit`; an empty peer could not be measured, and `note` says why
    must        the target in words; met, whether it was reached (None: there is none)
    """

    what: str
    unit: str
    ours: Sequence[float]
    peer_name: str = ""
    peer: Sequence[float] = ()
    must: str = ""
    met: bool | None = None
    note: str = ""
    extra: dict[str, Any] = field(default_factory=dict)

    @property
    def ratio(self) -> float | None:
        """Peer's median by ours: above 1 we are better."""
        return self._ratio(0.5)

    def _ratio(self, part: float) -> float | None:
        if not len(self.peer) or not len(self.ours):
            return None
        return float(np.quantile(self.peer, part)) / max(float(np.quantile(self.ours, part)), 1e-12)

    def figures(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "what": self.what,
            "unit": self.unit,
            "ours": _quantiles(self.ours),
            "peer_name": self.peer_name,
            "peer": _quantiles(self.peer),
            "ratio": self.ratio,
            "ratio_p99": self._ratio(0.99),
            "must": self.must,
            "met": self.met,
            "note": self.note,
            **self.extra,
        }

    def line(self) -> str:
        """For reading while the next row is measured."""
        what, p50, p99, peer, peer_p50, peer_p99, ratio, must, met = self.cells()
        return f"{what}: {p50}, p99 {p99}; {peer}: {peer_p50}, p99 {peer_p99}; {ratio}; must be {must}: {met or '-'}"

    def cells(self) -> list[str]:
        """For the table."""
        ours, peer = _quantiles(self.ours), _quantiles(self.peer)

        def cell(figures: dict[str, float] | None, name: str) -> str:
            return f"{figures[name]:.3g} {self.unit}" if figures else "-"

        return [
            self.what + (f" ({self.note})" if self.note else ""),
            cell(ours, "p50"),
            cell(ours, "p99"),
            self.peer_name or "-",
            cell(peer, "p50"),
            cell(peer, "p99"),
            "-" if self.ratio is None else f"{self.ratio:.2f}x",
            self.must,
            {True: "yes", False: "NO", None: ""}[self.met],
        ]


def _quantiles(samples: Sequence[float]) -> dict[str, float] | None:
    if not len(samples):
        return None
    values = np.asarray(samples, float)
    return {
        "n": len(values),
        "min": float(values.min()),
        "p50": float(np.quantile(values, 0.5)),
        "p99": float(np.quantile(values, 0.99)),
    }


def in_turn(rounds: int, *works: Callable[[], object], scale: float = 1e3) -> list[list[float]]:
    """Time the works one after another, round after round, so that all meet the same noise; ms by default."""
    samples: list[list[float]] = [[] for _ in works]
    for work in works:
        work()
    for _ in range(rounds):
        for i, work in enumerate(works):
            begun = perf_counter()
            work()
            samples[i].append((perf_counter() - begun) * scale)
    return samples
