"""An untrusted model under trial, in a process of its own (probe.py): what it takes and makes, found by running it."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import prod
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np

from performer.content.models.card import LARGEST_LATENT, LARGEST_SIDE
from performer.content.models.layouts import levels
from performer.generators.onnx.io_binding import TYPES
from performer.generators.onnx.tensor_layout import fed
from performer.generators.tools.input_roles import (
    ATTEMPTS,
    STYLES,
    Input,
    Roles,
    listed,
    picture_axis,
    roles_of,
    shape_for,
)
from performer.generators.tools.value_range import Scale, range_of_input, range_of_output, trial_picture
from performer.system.errors import Fault
from performer.system.onnx_errors import onnx_reason

MEMORY_BYTES = 8 << 30
SLOWEST_S = 2.0  # for one picture: whatever is slower is no instrument
RANGE_TRIAL_S = 0.6  # for one picture: a slower model's range of input is not tried
DRAWS = 6


@dataclass(kw_only=True)
class Told:
    """What a person says beforehand; None, or empty, is found out.

    Attributes
    ----------
    latent : int | str | None
        Which input is the latent, or how many numbers it has; or both, as NAME=SIZE.
    range, mean, std, order
        Of the pictures that it makes; input_..., of those that it takes.
    roles : dict[str, str]
        Input -> what it is for, one of input_roles.TOLD_ROLES, or a number that it always gets.
    patience : float
        Times the usual bounds on its time.
    """

    latent: int | str | None = None
    range: tuple[float, float] | None = None
    layout: str | None = None
    output: str | None = None
    class_: int = 0
    truncation: float = 1.0
    patience: float = 1.0
    mean: tuple[float, ...] = ()
    std: tuple[float, ...] = ()
    order: str | None = None
    input_range: tuple[float, float] | None = None
    input_mean: tuple[float, ...] = ()
    input_std: tuple[float, ...] = ()
    input_order: str | None = None
    roles: dict[str, str] = field(default_factory=dict)


@dataclass
class Found:
    """What a model was found to be, as the fields of its card; `notes`, in words, what was guessed."""

    card: dict[str, Any] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


class Trial:
    """A model under trial."""

    def __init__(self, path: Path, told: Told) -> None:
        import onnxruntime as ort

        self.path = path
        self.told = told
        self.notes: list[str] = []
        ort.set_default_logger_severity(4)
        options = ort.SessionOptions()
        options.intra_op_num_threads = 2
        try:
            self.session = ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        except Exception as error:
            raise Fault(f"{path}: not a model that ONNX Runtime can load: {onnx_reason(error)}") from None
        self.outputs = [result.name for result in self.session.get_outputs()]
        self.inputs: list[Input] = []
        self.roles = Roles({})
        self.shapes: dict[str, tuple[int, ...]] = {}
        self.scales: dict[str, Scale] = {}  # of images
        self.orders: dict[str, str] = {}

    def found(self) -> Found:
        if not self.session.get_inputs():
            raise Fault(f"{self.path}: takes no input, so it always makes the same")
        if self.told.output not in (None, *self.outputs):
            raise Fault(f"{self.path}: no output {self.told.output!r}; there are {', '.join(self.outputs)}")
        for entry in self.session.get_inputs():
            if entry.type not in TYPES:
                raise Fault(f"{self.path}: input {entry.name!r} is {entry.type}; expected an array of numbers")
            shape = tuple(side if isinstance(side, int) and side > 0 else None for side in entry.shape)
            self.inputs.append(Input(entry.name, shape, np.dtype(TYPES[entry.type]).name))
        name, size = self._latent_told()
        try:
            output = self._output_told()
            self.roles = roles_of(self.inputs, output, name if name is not None else size, self.told.roles)
        except Fault as fault:
            raise Fault(f"{self.path}: {fault}") from None
        last: Fault | None = None
        for shapes in self._shapes(size):
            self.shapes = shapes
            try:
                return self._played()
            except Fault as fault:
                last = last or fault
        assert last is not None
        raise last

    def _latent_told(self) -> tuple[str | None, int | None]:
        """Name and size of the latent, as far as they were told. Raises Fault."""
        told = self.told.latent
        if told is None or isinstance(told, int):
            return None, told
        names = [entry.name for entry in self.inputs]
        name, equals, number = told.rpartition("=") if told not in names else (told, "", "")
        if told not in names and not equals:
            name, number = ("", told) if told.isdecimal() and told.isascii() else (told, "")
        size = int(number) if number.isdecimal() and number.isascii() and len(number) < 9 else None
        if number and not (size and size <= LARGEST_LATENT):
            raise Fault(f"--latent {told!r}: expected a size of 1 to {LARGEST_LATENT}, an input's name, or NAME=SIZE")
        return name or None, size

    def _output_told(self) -> tuple[int | None, ...] | None:
        """The shape of the picture that it makes, as far as the file tells it."""
        for result in self.session.get_outputs():
            if self.told.output in (None, result.name) and len(result.shape) == 4:
                return tuple(side if isinstance(side, int) else None for side in result.shape)
        return None

    def _shapes(self, size: int | None) -> list[dict[str, tuple[int, ...]]]:
        """Possible shapes of all inputs, the likeliest first. Raises Fault where a latent cannot have that size."""
        tries: list[dict[str, tuple[int, ...]]] = []
        for attempt in range(ATTEMPTS):
            shapes: dict[str, tuple[int, ...]] = {}
            for entry in self.inputs:
                role = self.roles.of[entry.name]
                wanted = size if role == "latent" else None
                shape = shape_for(entry, "latent" if role in STYLES else role, attempt, wanted)
                if shape is None:
                    raise Fault(
                        f"{self.path}: no latent of {size}: input {entry.name} takes {listed(entry.shape)}; "
                        "say --latent with a size that fits"
                    )
                shapes[entry.name] = shape
            if shapes not in tries:
                tries.append(shapes)
        for name in self.roles.named("latent"):
            if prod(tries[0][name]) > LARGEST_LATENT:
                raise Fault(
                    f"{self.path}: input {name} takes {prod(tries[0][name])} numbers; a latent has "
                    f"{LARGEST_LATENT} at the most"
                )
        return tries

    def _played(self) -> Found:
        rng = np.random.default_rng(1)
        self.notes = list(self.roles.notes)
        self.scales = {}
        types = {entry.name: entry.type for entry in self.inputs}
        turning = self.roles.named("latent") or self.roles.named("image")
        feed = {name: self._constant(rng, name, self.shapes[name], types[name]) for name in types}
        images = turning if self.roles.of[turning[0]] == "image" else []
        for name in images:
            self._describe(name, types[name])
        outputs: list[np.ndarray] = []
        at = 0
        layout = ""
        took = 0.0
        for number in range(DRAWS):
            if images:
                self._feed_picture(feed, rng.uniform(0.0, 1.0, (3, 12, 12)).astype(np.float32), types)
            else:
                for name in turning:
                    feed[name] = rng.standard_normal(self.shapes[name]).astype(types[name])
                feed |= {name: feed[turning[0]] for name, role in self.roles.of.items() if role in STYLES}
            begun = perf_counter()
            made = self._run(feed)
            took = perf_counter() - begun
            if took > SLOWEST_S * self.told.patience and outputs:
                raise Fault(
                    f"{self.path}: takes {took:.1f} s for an image; no more than "
                    f"{SLOWEST_S * self.told.patience:.0f} s can be played"
                )
            at, layout = self._picture(made)
            if number == 0 and images:
                self._scale_input(feed, types, at, layout, took)
                self._feed_picture(feed, rng.uniform(0.0, 1.0, (3, 12, 12)).astype(np.float32), types)
                made = self._run(feed)
            outputs.append(made[at])
        if took > SLOWEST_S:
            self.notes.append(f"takes {took:.1f} s for an image on the CPU: it needs a GPU")
        self._check(outputs, turning)
        card = self._card(outputs, layout, turning, types)
        if len(self.outputs) > 1:
            card["output"] = self.outputs[at]
            self.notes.append(f"of its outputs {', '.join(self.outputs)} it shows {self.outputs[at]}")
        return Found(card, self.notes)

    def _run(self, feed: dict[str, np.ndarray]) -> list[Any]:
        try:
            made: list[Any] = self.session.run(None, feed)
        except Exception as error:
            if "Failed to allocate memory" in str(error) or "bad_alloc" in str(error):
                raise Fault(
                    f"{self.path}: needs more memory than the {MEMORY_BYTES >> 30} GB that a model may take"
                ) from None
            raise Fault(f"{self.path}: fails when it runs: {onnx_reason(error)}") from None
        return made

    def _constant(self, rng: np.random.Generator, name: str, shape: tuple[int, ...], type_: str) -> np.ndarray:
        role = self.roles.of[name]
        array = np.zeros(shape, type_)
        if role == "class":
            if type_.startswith(("int", "uint")) or array.size == 1:
                array[...] = self.told.class_
            else:
                array.flat[self.told.class_ % array.size] = 1
        elif role == "truncation":
            array[...] = self.told.truncation
        elif role == "constant":
            array[...] = self.roles.values[name]
        elif role == "noise":
            array[...] = rng.standard_normal(shape)
        return array

    def _describe(self, name: str, type_: str) -> None:
        """What is known beforehand of the pictures that an input takes, by its type, the person or the file."""
        told, facts = self.told, self.session.get_modelmeta().custom_metadata_map
        blue_first = facts.get("Image.BitmapPixelFormat", "").startswith("Bgr")
        self.orders[name] = told.input_order or ("bgr" if blue_first else "rgb")
        by_fact = {"Normalized_0_1": (0.0, 1.0), "Normalized_1_1": (-1.0, 1.0), "NominalRange_0_255": (0.0, 255.0)}
        known = told.input_range or by_fact.get(facts.get("Image.NominalPixelRange", ""))
        if known is None and not type_.startswith("float"):
            known = {"bool": (0.0, 1.0), "int8": (-128.0, 127.0)}.get(type_, (0.0, 255.0))
        if known is not None or told.input_mean or told.input_std:
            self.scales[name] = Scale(known or (0.0, 1.0), told.input_mean, told.input_std)

    def _feed_picture(self, feed: dict[str, np.ndarray], picture: np.ndarray, types: dict[str, str]) -> None:
        """Feed every image the same picture (3, h, w), in the scale of each."""
        for name in self.roles.named("image"):
            scale = self.scales.get(name, Scale())
            order = self.orders[name]
            shape = self.shapes[name]
            low, high = levels(scale.range, scale.mean, scale.std, order)
            values = fed(picture, shape, _layout_of_input(shape), low, high, order)
            feed[name] = (values if types[name].startswith("float") else np.rint(values)).astype(types[name])

    def _scale_input(
        self, feed: dict[str, np.ndarray], types: dict[str, str], at: int, layout: str, took: float
    ) -> None:
        """Find out which values the pictures that go in have, where that is not known."""
        unknown = [name for name in self.roles.named("image") if name not in self.scales]
        if not unknown:
            return
        test = trial_picture()

        def run(scale: Scale) -> np.ndarray:
            self.scales |= dict.fromkeys(unknown, scale)
            self._feed_picture(feed, test, types)
            return _planes(self._run(feed)[at], layout)

        first = run(Scale())
        clearly = False
        if took > RANGE_TRIAL_S:
            scale = Scale(self.told.range or range_of_output([first]))
        else:
            colour = all(3 in self.shapes[name] for name in unknown)
            scale, clearly = range_of_input(run, self.told.range, first, colour)
        self.scales |= dict.fromkeys(unknown, scale)
        self.notes.append(
            f"its input is taken for pictures of {scale.words()}"
            + (", which brings out the most" if clearly else ", as they come out")
            + "; --input-range says otherwise"
        )

    def _picture(self, made: list[Any]) -> tuple[int, str]:
        """Which output is the picture, and its layout. Raises Fault."""
        found = []
        for at, out in enumerate(made):
            whole = isinstance(out, np.ndarray) and out.dtype.kind in "biuf"
            layout = _layout(np.shape(out), self.told.layout) if whole else None
            if layout is not None and (self.told.output in (None, self.outputs[at])):
                found.append(((out.shape[layout.index("C")] if "C" in layout else 1) == 3, out.size, -at, layout))
        if not found:
            shapes = ", ".join(f"{name} {list(np.shape(out))}" for name, out in zip(self.outputs, made, strict=True))
            if any(len(np.shape(out)) == 4 and _layout((1, *np.shape(out)[1:]), self.told.layout) for out in made):
                raise Fault(
                    f"{self.path}: makes several images at a time ({shapes}); export it with a batch of one, "
                    "or an open one"
                )
            raise Fault(f"{self.path}: none of its outputs is an image: {shapes}")
        best = max(found)
        return -best[2], best[3]

    def _check(self, outputs: list[np.ndarray], turning: list[str]) -> None:
        if any(not np.isfinite(out.astype(np.float64)).all() for out in outputs):
            raise Fault(f"{self.path}: makes NaN or infinite values")
        if all(np.array_equal(outputs[0], out) for out in outputs[1:]):
            raise Fault(
                f"{self.path}: its image does not change with input {' or '.join(map(repr, turning))}; if another "
                "is the latent: --latent NAME"
            )

    def _card(
        self, outputs: list[np.ndarray], layout: str, turning: list[str], types: dict[str, str]
    ) -> dict[str, Any]:
        sides = dict(zip(layout, outputs[0].shape, strict=True))
        if max(sides["H"], sides["W"]) > LARGEST_SIDE:
            raise Fault(f"{self.path}: makes {sides['W']}x{sides['H']} pixels; {LARGEST_SIDE} a side is the most")
        low, high, clip = self._range(outputs)
        walked = self.roles.named("latent")
        card: dict[str, Any] = {
            "kind": "generator" if walked else "filter",
            "latent": self._size(walked[0]) if walked else 1,
            "layout": layout,
            "channels": int(sides.get("C", 1)),
            "range": [low, high],
            **self._coding(self.told.order or "rgb", self.told.mean, self.told.std),
            "clip": clip,
            "size": [int(sides["W"]), int(sides["H"])],
            "inputs": [self._entry(name, types[name]) for name in self.roles.of],
        }
        return card

    def _size(self, name: str) -> int:
        """How many numbers the latent has: all that it takes, or those of one layer, where a person says so."""
        shape = self.shapes[name]
        size = self._latent_told()[1]
        if len(shape) == 3 and shape[0] == 1 and size is None and shape[1] > 1:
            self.notes.append(
                f"each of the {shape[1]} layers of {name} goes its own way; --latent {shape[2]} has them go the same"
            )
        return size or prod(shape)

    def _entry(self, name: str, type_: str) -> dict[str, Any]:
        role = self.roles.of[name]
        entry: dict[str, Any] = {"name": name, "role": role, "shape": list(self.shapes[name]), "type": type_}
        if role in ("class", "truncation", "constant"):
            by_role = {"class": self.told.class_, "truncation": self.told.truncation}
            entry["value"] = float(by_role[role] if role in by_role else self.roles.values[name])
        if role == "image":
            scale = self.scales.get(name, Scale())
            entry["layout"] = _layout_of_input(self.shapes[name])
            entry["range"] = list(scale.range)
            entry |= self._coding(self.orders[name], scale.mean, scale.std)
        return entry

    @staticmethod
    def _coding(order: str, mean: tuple[float, ...], std: tuple[float, ...]) -> dict[str, Any]:
        """The fields of a card that say how colours are coded, less what is usual."""
        fields: dict[str, Any] = {} if order == "rgb" else {"order": order}
        return fields | {key: list(value) for key, value in (("mean", mean), ("std", std)) if value}

    def _range(self, outputs: list[np.ndarray]) -> tuple[float, float, bool]:
        """Black, white, and whether it overshoots them, by what it made."""
        black, white = self.told.range or range_of_output(outputs)
        if outputs[0].dtype == np.uint8 and (black, white) == (0.0, 255.0):
            return black, white, False
        low = float(np.min(outputs))
        high = float(np.max(outputs))
        if self.told.range is None:
            self.notes.append(f"its values lie in {low:.2f} .. {high:.2f}: taken for {black:g} .. {white:g}")
        if self.told.mean or self.told.std:
            return black, white, True
        span = white - black
        return (
            black,
            white,
            min(low, high) < min(black, white) - 0.005 * abs(span) or high > max(black, white) + 0.005 * abs(span),
        )


def _layout_of_input(shape: tuple[int, ...]) -> str:
    """The layout of an input that takes pictures."""
    channel = picture_axis(shape)
    if channel is None:
        return "HW"
    return ("N" if len(shape) == 4 else "") + ("CHW" if channel == len(shape) - 3 else "HWC")


def _planes(out: np.ndarray, layout: str) -> np.ndarray:
    """An output as (C, H, W), its values as they are; alpha is left out."""
    planes = out[0] if layout.startswith("N") else out
    if layout.endswith("HWC"):
        planes = planes.transpose(2, 0, 1)
    return planes[None] if planes.ndim == 2 else planes[:3]


def _layout(shape: tuple[int, ...], wished: str | None) -> str | None:
    """The layout of an output of that shape, or None where it is no picture."""
    fits = {4: ("NCHW", "NHWC"), 3: ("CHW", "HWC", "NHW"), 2: ("HW",)}.get(len(shape), ())
    for layout in fits:
        if wished is not None and layout != wished:
            continue
        sides = dict(zip(layout, shape, strict=True))
        if sides.get("N", 1) == 1 and sides.get("C", 1) in (1, 3, 4) and min(sides["H"], sides["W"]) >= 8:
            return layout
    return None
