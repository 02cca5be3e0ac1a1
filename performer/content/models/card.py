"""models/NAME.toml: what a model is, what it was made from, and how it is to be played."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from performer.generators.onnx.tensor_layout import shape_of
from performer.system import toml_file
from performer.system.errors import Fault


class Entry(BaseModel):
    """One input of a model.

    role   latent; middle, fine: latents of those layers, the same one unless styles are mixed; class: a label; noise:
           normal, always the same unless it is played; truncation; w, w_middle, w_fine: added to those layers' styles;
           grain: 0, or by how much the activations of that size swell; image: a picture, for models of kind filter
    shape  of the array it takes; type, "float32", "float16" or "int64"
    value  what a truncation is at rest, or which class
    layout, range  of an image
    """

    model_config = ConfigDict(extra="forbid")

    name: str
    role: Literal[
        "latent", "middle", "fine", "class", "noise", "truncation", "w", "w_middle", "w_fine", "grain", "image"
    ]
    shape: tuple[int, ...]
    type: Literal["float32", "float16", "int64", "int32", "uint8"] = "float32"
    value: float = 0.0
    layout: Literal["NCHW", "NHWC", "CHW", "HWC", "NHW", "HW"] = "NCHW"
    range: tuple[float, float] = (0.0, 1.0)

    @model_validator(mode="after")
    def _small_enough(self) -> Entry:
        count = 1
        for side in self.shape:
            count *= side
        if min(self.shape, default=1) < 1 or count > 1 << 26:
            raise ValueError(f"shape {list(self.shape)} is no shape of an input")
        return self


class Card(BaseModel):
    """The facts of a model that a performer and the engine need.

    kind    gan, vae, generator (any other that takes a latent), or filter (picture to picture)
    latent  size of the latent vector; prior, how it is spread ("normal": on the sphere of radius sqrt(latent))
    layout  of the output; channels, 1, 3 or 4; range, its values for black and white; clip, it may overshoot that
    size    (width, height) in pixels
    output  its name, where there are several; inputs, what they are, where it is not just the latent
    sha256  of the file that the card was written for
    """

    model_config = ConfigDict(extra="allow")

    title: str
    kind: Literal["gan", "vae", "generator", "filter"]
    latent: int = Field(default=1, ge=1, le=65536)
    prior: Literal["normal"] = "normal"
    layout: Literal["NCHW", "NHWC", "CHW", "HWC", "NHW", "HW"] = "NCHW"
    channels: Literal[1, 3, 4] = 3
    range: tuple[float, float] = (0.0, 1.0)
    clip: bool = False
    size: tuple[int, int]
    licence: str
    output: str = ""
    inputs: list[Entry] = []
    sha256: str = ""
    data: dict[str, Any] = {}
    training: dict[str, Any] = {}

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the output, with the batch of one where it has a batch axis."""
        width, height = self.size
        return shape_of(self.layout, self.channels, height, width)

    def entry(self, role: str) -> Entry | None:
        """The input of that role."""
        return next((entry for entry in self.inputs if entry.role == role), None)


def load(path: Path) -> Card:
    """Read a model's card. Raises Fault naming file and key."""
    try:
        raw = toml_file.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise Fault(
            f"{path}: no card for this model; write one with title, kind, latent, size and licence, or let "
            f"`performer models import {path.with_suffix('.onnx').name}` write it"
        ) from None
    except (OSError, UnicodeDecodeError, toml_file.TOMLDecodeError) as error:
        raise Fault(f"{path}: cannot read this card: {error}") from None
    try:
        card = Card.model_validate(raw)
    except ValidationError as error:
        one = error.errors()[0]
        key = ".".join(str(part) for part in one["loc"])
        raise Fault(f"{path}: {key}: {one['msg'].removeprefix('Input ').removeprefix('Value error, ')}") from None
    if card.range[0] == card.range[1]:
        raise Fault(f"{path}: range: black and white cannot both be {card.range[0]:g}")
    if card.inputs and card.entry("image" if card.kind == "filter" else "latent") is None:
        raise Fault(
            f"{path}: inputs: a {card.kind} needs one with role {'image' if card.kind == 'filter' else 'latent'!r}"
        )
    return card
