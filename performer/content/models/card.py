"""models/NAME.toml: what a model is, what it was made from, and how it is to be played."""

from __future__ import annotations

from math import prod
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from performer.content.models.layouts import Level, levels, shape_of
from performer.system import toml_file
from performer.system.errors import Fault

LARGEST_CARD = 4 << 20  # bytes
LARGEST_SIDE = 8192  # pixels
LARGEST_LATENT = 1 << 18  # numbers: that of a picture of 2048x2048 in a latent diffusion model, say
LARGEST_INPUT = 1 << 26  # numbers of all inputs together

Layout = Literal["NCHW", "NHWC", "CHW", "HWC", "NHW", "HW"]
Order = Literal["rgb", "bgr"]
Role = Literal[
    "latent",
    "middle",
    "fine",
    "class",
    "noise",
    "truncation",
    "constant",
    "w",
    "w_middle",
    "w_fine",
    "grain",
    "image",
]
Number = Annotated[float, Field(ge=-1e6, le=1e6, allow_inf_nan=False)]
Side = Annotated[int, Field(ge=1, le=LARGEST_SIDE)]
Channels = tuple[()] | tuple[Number, Number, Number]


def _contrast(range_: tuple[float, float], std: Channels) -> None:
    """Raises ValueError where black and white are the same."""
    if range_[0] == range_[1]:
        raise ValueError(f"range: black and white cannot both be {range_[0]:g}")
    if std and min(abs(number) for number in std) < 1e-6:
        raise ValueError("std: cannot be 0")


class Entry(BaseModel):
    """One input of a model.

    Attributes
    ----------
    role : Role
        latent; middle, fine: latents of those layers, the same one unless styles are mixed; class: a label; noise:
        normal, always the same unless it is played; truncation; w, w_middle, w_fine: added to those layers' styles;
        grain: 0, or by how much the activations of that size swell; constant: always `value`; image: a picture, for
        models of kind filter: each of their images gets the same one.
    shape : tuple[int, ...]
        Shape of the array it takes; a latent of [1, N, D] where the card's latent is D: the same one for all N layers.
    type : str
        Type of its numbers, as numpy calls it.
    value : Number
        What a truncation is at rest, a constant always, or which class.
    layout, order, range, mean, std
        Of an image: the order of its channels is rgb or bgr, and what goes in is (picture - mean) / std of a picture
        whose black and white are the range; mean and std in that order.
    """

    model_config = ConfigDict(extra="forbid")

    name: str
    role: Role
    shape: Annotated[tuple[Annotated[int, Field(ge=1, le=LARGEST_INPUT)], ...], Field(max_length=8)]
    type: Literal[
        "float16",
        "float32",
        "float64",
        "bool",
        "int8",
        "int16",
        "int32",
        "int64",
        "uint8",
        "uint16",
        "uint32",
        "uint64",
    ] = "float32"
    value: Number = 0.0
    layout: Layout = "NCHW"
    order: Order = "rgb"
    range: tuple[Number, Number] = (0.0, 1.0)
    mean: Channels = ()
    std: Channels = ()

    @model_validator(mode="after")
    def _sound(self) -> Entry:
        if prod(self.shape) > LARGEST_INPUT:
            raise ValueError(f"shape {list(self.shape)} is no shape of an input")
        if self.role == "image" and len(self.shape) != len(self.layout):
            raise ValueError(f"shape {list(self.shape)} has no layout {self.layout}")
        _contrast(self.range, self.std)
        return self

    @property
    def levels(self) -> tuple[Level, Level]:
        """What is fed for black and for white."""
        return levels(self.range, self.mean, self.std, self.order)


class Card(BaseModel):
    """The facts of a model that a performer and the engine need.

    Attributes
    ----------
    kind : Literal['gan', 'vae', 'generator', 'filter']
        gan, vae, generator (any other that takes a latent), or filter (picture to picture).
    latent : int
        Size of the latent vector.
    prior : Literal['normal']
        How it is spread ("normal": on the sphere of radius sqrt(latent)).
    layout : Layout
        Layout of the output.
    channels : Literal[1, 3, 4]
        1, 3 or 4.
    range : tuple[Number, Number]
        Its values for black and white.
    clip : bool
        It may overshoot that.
    order, mean, std
        Of the output, as of an input.
    size : tuple[Side, Side]
        (width, height) in pixels.
    output : str
        Its name, where there are several.
    inputs : list[Entry]
        What they are, where it is not just the latent.
    sha256 : str
        sha256 of the file that the card was written for.
    """

    model_config = ConfigDict(extra="allow")

    title: str
    kind: Literal["gan", "vae", "generator", "filter"]
    latent: int = Field(default=1, ge=1, le=LARGEST_LATENT)
    prior: Literal["normal"] = "normal"
    layout: Layout = "NCHW"
    channels: Literal[1, 3, 4] = 3
    order: Order = "rgb"
    range: tuple[Number, Number] = (0.0, 1.0)
    mean: Channels = ()
    std: Channels = ()
    clip: bool = False
    size: tuple[Side, Side]
    licence: str
    output: str = ""
    inputs: Annotated[list[Entry], Field(max_length=256)] = []
    sha256: str = ""
    data: dict[str, Any] = {}
    training: dict[str, Any] = {}

    @model_validator(mode="after")
    def _sound(self) -> Card:
        _contrast(self.range, self.std)
        if self.mean + self.std and self.channels == 1:
            raise ValueError("mean and std are of three channels, and this model makes one")
        if sum(prod(entry.shape) for entry in self.inputs) > LARGEST_INPUT:
            raise ValueError(f"inputs: more than {LARGEST_INPUT} numbers together")
        return self

    @property
    def levels(self) -> tuple[Level, Level]:
        """What the output makes of black and of white."""
        return levels(self.range, self.mean, self.std, self.order)

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
        raw = toml_file.load(path, LARGEST_CARD)
    except FileNotFoundError:
        raise Fault(
            f"{path}: no card for this model; write one with title, kind, latent, size and licence, or let "
            f"`performer models import {path.with_suffix('.onnx').name}` write it"
        ) from None
    try:
        card = Card.model_validate(raw)
    except ValidationError as error:
        one = error.errors()[0]
        key = ".".join(str(part) for part in one["loc"])
        why = one["msg"].removeprefix("Input ").removeprefix("Value error, ")
        raise Fault(f"{path}: {key}: {why}" if key else f"{path}: {why}") from None
    if card.inputs and card.entry("image" if card.kind == "filter" else "latent") is None:
        raise Fault(
            f"{path}: inputs: a {card.kind} needs one with role {'image' if card.kind == 'filter' else 'latent'!r}"
        )
    return card
