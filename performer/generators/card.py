"""models/NAME.toml: what a model is, what it was made from, and how it is to be played."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from performer.errors import Fault


class Card(BaseModel):
    """The facts of a model that a performer and the engine need.

    latent  size of the latent vector; prior, how it is spread ("normal": on the sphere of radius sqrt(latent))
    layout  of the output: NCHW or NHWC; range, of its values; size, (width, height) in pixels
    """

    model_config = ConfigDict(extra="allow")

    title: str
    kind: Literal["gan", "vae"]
    latent: int = Field(ge=1, le=8192)
    prior: Literal["normal"] = "normal"
    layout: Literal["NCHW", "NHWC"] = "NCHW"
    range: tuple[float, float] = (0.0, 1.0)
    size: tuple[int, int]
    licence: str
    data: dict[str, Any] = {}
    training: dict[str, Any] = {}

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the output, with the batch of one."""
        width, height = self.size
        return (1, 3, height, width) if self.layout == "NCHW" else (1, height, width, 3)


def load(path: Path) -> Card:
    """Read a model's card. Raises Fault naming file and key."""
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise Fault(f"{path}: no card for this model; write one with title, kind, latent, size and licence") from None
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise Fault(f"{path}: cannot read this card: {error}") from None
    try:
        return Card.model_validate(raw)
    except ValidationError as error:
        one = error.errors()[0]
        key = ".".join(str(part) for part in one["loc"])
        raise Fault(f"{path}: {key}: {one['msg'].removeprefix('Input ')}") from None
