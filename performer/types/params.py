"""Parameters: declared once, where they are consumed, and addressed the same way everywhere."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Any

from performer.system.errors import shown

Value = float | tuple[float, ...]

#: kind -> how many floats its value has; an `event` is a count of how often it was triggered.
KINDS = {"float": 1, "bool": 1, "long": 1, "event": 1, "point2D": 2, "color": 4}


@dataclass(frozen=True, slots=True)
class Param:
    """One knob of an effect, a source, a walk or a generator.

    Attributes
    ----------
    name : str
        As its consumer knows it; its address is `layer.node.name`.
    kind : str
        One of KINDS (the names of ISF 2).
    default : Value
        A float, or a tuple of 2 (point2D) or 4 (color, 0..1 RGBA).
    low : Value
        Smallest value, per component alike for tuples; for `long`, of `values`.
    high : Value
        Largest value.
    unit : str
        "s", "Hz", "turns", ... or "".
    values : tuple[int, ...]
        For `long`: the allowed numbers.
    labels : tuple[str, ...]
        Their names.
    """

    name: str
    kind: str = "float"
    default: Value = 0.0
    low: Value = 0.0
    high: Value = 1.0
    unit: str = ""
    label: str = ""
    values: tuple[int, ...] = ()
    labels: tuple[str, ...] = ()

    def clamp(self, value: Value) -> Value:
        """The nearest allowed value: clipped to low..high, a bool to 0 or 1, a long to one of its values."""
        if self.kind in ("color", "point2D"):
            parts = value if isinstance(value, tuple) else (value,) * KINDS[self.kind]
            lows, highs = self._bounds()
            return tuple(min(max(v, lo), hi) for v, lo, hi in zip(parts, lows, highs, strict=True))
        number = value[0] if isinstance(value, tuple) else value
        if self.kind == "event":
            return number
        if self.kind == "bool":
            return 1.0 if number >= 0.5 else 0.0
        if self.kind == "long" and self.values:
            return float(min(self.values, key=lambda allowed: abs(allowed - number)))
        low, high = float(self.low), float(self.high)  # type: ignore[arg-type]
        return min(max(number, low), high)

    def _bounds(self) -> tuple[Sequence[float], Sequence[float]]:
        n = KINDS[self.kind]
        low = self.low if isinstance(self.low, tuple) else (self.low,) * n
        high = self.high if isinstance(self.high, tuple) else (self.high,) * n
        return low, high

    def read(self, raw: Any) -> Value:
        """A value from a hand-written file: a number, true, a label or a list.

        Raises ValueError saying what was expected, also of numbers out of range.
        """
        n = KINDS[self.kind]
        if n > 1:
            if not isinstance(raw, (list, tuple)) or not all(_is_number(v) for v in raw):
                raise ValueError(f"expected a list of {n} numbers, got {shown(raw)}")
            parts = tuple(_float(v) for v in raw)
            if self.kind == "color" and len(parts) == 3:
                parts += (1.0,)
            if len(parts) != n:
                raise ValueError(f"expected {n} numbers, got {len(parts)}")
            lows, highs = self._bounds()
            for part, low, high in zip(parts, lows, highs, strict=True):
                _within(part, low, high, raw)
            return parts
        if isinstance(raw, str) and raw in self.labels:
            return float(self.values[self.labels.index(raw)])
        if isinstance(raw, bool) and self.kind in ("bool", "event"):
            return float(raw)
        if not _is_number(raw):
            wanted = (
                " or ".join(repr(label) for label in self.labels)
                if self.labels
                else "true or false"
                if self.kind == "bool"
                else "a number"
            )
            raise ValueError(f"expected {wanted}, got {shown(raw)}")
        value = _float(raw)
        if self.kind == "bool" and value not in (0.0, 1.0):
            raise ValueError(f"expected true or false, got {shown(raw)}")
        if self.kind == "long" and self.values and value not in self.values:
            raise ValueError(f"expected one of {', '.join(map(str, self.values))}, got {shown(raw)}")
        if self.kind not in ("event", "bool") and not self.values:
            lows, highs = self._bounds()
            _within(value, lows[0], highs[0], raw)
        return value


def _is_number(raw: Any) -> bool:
    return isinstance(raw, (int, float)) and not isinstance(raw, bool)


def _float(raw: int | float) -> float:
    try:
        value = float(raw)
    except OverflowError:
        raise ValueError("expected a number of less than 300 digits") from None
    if not isfinite(value):
        raise ValueError(f"expected a finite number, got {shown(raw)}")
    return value


def _within(value: float, low: float, high: float, raw: Any) -> None:
    if not low <= value <= high:
        raise ValueError(f"expected {low:g} to {high:g}, got {shown(raw)}")
