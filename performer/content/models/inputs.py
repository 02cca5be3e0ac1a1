"""Which inputs besides its latent a model offers, as its card says."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from performer.content.models.card import load
from performer.system.errors import Fault


def beside(model: Path) -> Path:
    """The file of a model's mapping network."""
    return model.with_suffix(".mapping.onnx")


def offered(model: Path) -> dict[str, float]:
    """Which of "w", "truncation" and "noise" a model can be played by -> its value at rest; none without a card."""
    try:
        return _offered(model, model.with_suffix(".toml").stat().st_mtime, beside(model).is_file())
    except (OSError, Fault):
        return {}


@lru_cache(maxsize=64)
def _offered(model: Path, stamp: float, mapped: bool) -> dict[str, float]:
    card = load(model.with_suffix(".toml"))
    found = {"w": 0.0} if mapped and card.entry("w") is not None else {}
    truncation = card.entry("truncation")
    if truncation is not None:
        found["truncation"] = truncation.value
    if card.entry("grain") is not None or card.entry("noise") is not None:
        found["noise"] = 0.0
    return found
