"""Find out what a stranger's model takes and makes, by running it in a process of its own with bounds."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np

from performer.content.models.card import load
from performer.content.models.onnx_file import examine
from performer.system.errors import Fault
from performer.system.onnx_errors import onnx_reason
from performer.system.sandbox import answer, ask

TIME_S = 30.0  # for all that is tried
MEMORY_BYTES = 8 << 30
SLOWEST_S = 2.0  # for one picture: whatever is slower is no instrument
DRAWS = 6
SIZES = (512, 128, 256, 100, 64, 1024, 32, 16)  # of a latent whose size the file leaves open
SIDES = (256, 512, 128, 224, 64)  # and of a picture
LARGEST_SIDE = 8192
STYLES = ("middle", "fine")
_NOISE, _LABEL = re.compile(r"noise|rand", re.I), re.compile(r"class|label|cond|^y$|^c$|categ", re.I)
_OURS, _GRAIN = {"z", "w", "truncation"}, re.compile(r"^noise_\d+$")
_NAMED = {
    "z": "latent",
    "z_middle": "middle",
    "z_fine": "fine",
    "label": "class",
    **{name: name for name in ("w", "w_middle", "w_fine", "truncation")},
}
_TRUNCATION = re.compile(r"trunc|psi", re.I)
_TYPES = {
    "tensor(float)": "float32",
    "tensor(float16)": "float16",
    "tensor(int64)": "int64",
    "tensor(int32)": "int32",
    "tensor(uint8)": "uint8",
    "tensor(double)": "float64",
}


@dataclass
class Told:
    """What a person says beforehand; None is found out. patience: times the usual bounds on its time."""

    latent: int | None = None
    range: tuple[float, float] | None = None
    layout: str | None = None
    output: str | None = None
    class_: int = 0
    truncation: float = 1.0
    patience: float = 1.0


@dataclass
class Found:
    """What a model was found to be, as the fields of its card; `notes`, in words, what was guessed."""

    card: dict[str, Any] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def sha256(path: Path) -> str:
    """Of a file's content, in hexadecimal."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def probe(path: Path, told: Told | None = None) -> Found:
    """Work out inputs and outputs of an ONNX file. Raises Fault, in one line, where it cannot be played."""
    examine(path)
    told = told or Told()
    time_s = TIME_S * told.patience
    said = ask(
        "performer.generators.tools.probe:attend",
        path,
        {**vars(told), "path": str(path)},
        time_s,
        f"took longer than {time_s:.0f} s to load and draw {DRAWS} pictures; not for live use",
    )
    return Found(said["card"], said["notes"])


def known(path: Path) -> None:
    """Try a model, unless its card was written for just this file. Raises Fault."""
    try:
        card = load(path.with_suffix(".toml"))
        if card.sha256 == sha256(path):
            return
    except OSError as error:
        raise Fault(f"{path}: cannot be read: {error.strerror}") from None
    probe(path, Told(latent=card.latent, output=card.output or None))


def attend() -> None:
    """The body of that process."""
    answer(_attend, MEMORY_BYTES)


def _attend(words: dict[str, Any]) -> dict[str, Any]:
    given: dict[str, Any] = {
        name: tuple(value) if name == "range" and value else value for name, value in words.items() if name != "path"
    }
    told = Told(**given)
    found = _Trial(Path(words["path"]), told).found()
    return {"card": found.card, "notes": found.notes}


class _Trial:
    """A model under trial."""

    def __init__(self, path: Path, told: Told) -> None:
        import onnxruntime as ort

        self.path, self.told = path, told
        self.notes: list[str] = []
        ort.set_default_logger_severity(4)
        options = ort.SessionOptions()
        options.intra_op_num_threads = 2
        try:
            self.session = ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        except Exception as error:
            raise Fault(f"{path}: not a model that ONNX Runtime can load: {onnx_reason(error)}") from None

    def found(self) -> Found:
        inputs = self.session.get_inputs()
        if not inputs:
            raise Fault(f"{self.path}: takes no input, so it always makes the same")
        for entry in inputs:
            if entry.type not in _TYPES or _TYPES[entry.type] == "float64":
                raise Fault(f"{self.path}: input {entry.name!r} is {entry.type}; expected numbers of at most 32 bits")
        roles = self._roles(inputs)
        last: Fault | None = None
        for shapes in self._shapes(inputs, roles):
            try:
                return self._played(inputs, roles, shapes)
            except Fault as fault:
                last = last or fault
                if not any(isinstance(side, str) or side is None for entry in inputs for side in entry.shape[1:]):
                    break
        assert last is not None
        raise last

    def _roles(self, inputs: list[Any]) -> dict[str, str]:
        """Input name -> role, by type, shape and name; what is left over is the latent."""
        roles: dict[str, str] = {}
        names = {entry.name for entry in inputs}
        if names >= _OURS and all(name in _NAMED or _GRAIN.match(name) for name in names):  # made here
            return {entry.name: _NAMED.get(entry.name, "grain") for entry in inputs}
        for entry in inputs:
            known = [side for side in entry.shape if isinstance(side, int)]
            if _TYPES[entry.type] in ("int64", "int32") or (_LABEL.search(entry.name) and len(entry.shape) <= 2):
                roles[entry.name] = "class"
            elif _TRUNCATION.search(entry.name) or (not entry.shape or (known == [1] and len(entry.shape) == 1)):
                roles[entry.name] = "truncation"
            elif _NOISE.search(entry.name) and len(inputs) > 1:
                roles[entry.name] = "noise"
            elif len(entry.shape) >= 3 and _picture_axes(entry.shape) is not None:
                roles[entry.name] = "image"
        left = [entry for entry in inputs if entry.name not in roles]
        if left:
            roles[left[0].name] = "latent"
            for name in [n for n, role in roles.items() if role == "image"]:
                roles[name] = "noise"
        for entry in left[1:]:  # they make no difference that a walk could use, unless named as models made here do
            part = entry.name.removeprefix(f"{left[0].name}_")
            roles[entry.name] = part if part in STYLES and entry.shape == left[0].shape else "noise"
            if roles[entry.name] == "noise":
                self.notes.append(f"input {entry.name} is taken for noise")
        if not left and "image" not in roles.values():
            there = ", ".join(f"{entry.name} {entry.shape}" for entry in inputs)
            raise Fault(f"{self.path}: none of its inputs can be a latent or a picture: {there}")
        return roles

    def _shapes(self, inputs: list[Any], roles: dict[str, str]) -> list[dict[str, tuple[int, ...]]]:
        """Possible shapes, the likeliest first: open sides get the usual sizes."""
        tries = []
        sizes = (self.told.latent,) if self.told.latent else SIZES
        for number in range(max(len(sizes), len(SIDES))):
            size, side = sizes[min(number, len(sizes) - 1)], SIDES[min(number, len(SIDES) - 1)]
            shapes = {}
            for entry in inputs:
                role, shape = roles[entry.name], list(entry.shape)
                channel = _picture_axes(shape) if role == "image" else None
                for axis, given in enumerate(shape):
                    if isinstance(given, int) and given > 0:
                        continue
                    if axis == 0 and (len(shape) > 1 or role == "class"):
                        shape[axis] = 1
                    elif role == "image":
                        shape[axis] = 3 if axis == channel else side
                    else:
                        shape[axis] = size if axis == (1 if len(shape) > 1 else 0) else 1
                shapes[entry.name] = tuple(shape)
            if shapes not in tries:
                tries.append(shapes)
        return tries

    def _played(self, inputs: list[Any], roles: dict[str, str], shapes: dict[str, tuple[int, ...]]) -> Found:
        rng = np.random.default_rng(1)
        types = {entry.name: _TYPES[entry.type] for entry in inputs}
        turn = next(name for name, role in roles.items() if role in ("latent", "image"))
        feed = {name: self._constant(rng, roles[name], shapes[name], types[name]) for name in roles}
        # A model that takes pictures may want them in 0..1, -1..1 or 0..255: its own range tells, by and large.
        low, high = (0.0, 255.0) if types[turn] == "uint8" else (0.0, 1.0)
        outputs: list[np.ndarray] = []
        for _ in range(DRAWS):
            feed[turn] = (
                rng.standard_normal(shapes[turn]) if roles[turn] == "latent" else rng.uniform(low, high, shapes[turn])
            ).astype(types[turn])
            feed |= {name: feed[turn] for name, role in roles.items() if role in STYLES}
            begun = perf_counter()
            try:
                made = self.session.run(None, feed)
            except Exception as error:
                if "Failed to allocate memory" in str(error) or "bad_alloc" in str(error):
                    raise Fault(
                        f"{self.path}: needs more memory than the {MEMORY_BYTES >> 30} GB that a model may take"
                    ) from None
                raise Fault(f"{self.path}: fails when it runs: {onnx_reason(error)}") from None
            took = perf_counter() - begun
            if took > SLOWEST_S * self.told.patience and outputs:
                raise Fault(
                    f"{self.path}: takes {took:.1f} s for a picture; no more than "
                    f"{SLOWEST_S * self.told.patience:.0f} s can be played"
                )
            at, layout = self._picture(made)
            outputs.append(made[at])
        if took > SLOWEST_S:
            self.notes.append(f"takes {took:.1f} s for a picture on the processor: it is for a graphics card")
        self._check(outputs, turn)
        card = self._card(outputs, layout, turn, roles, shapes, types, (low, high))
        names = [result.name for result in self.session.get_outputs()]
        if self.told.output not in (None, *names):
            raise Fault(f"{self.path}: no output {self.told.output!r}; there are {', '.join(names)}")
        if len(names) > 1:
            card["output"] = names[at]
            self.notes.append(f"of its outputs {', '.join(names)} it shows {names[at]}")
        return Found(card, self.notes)

    def _constant(self, rng: np.random.Generator, role: str, shape: tuple[int, ...], type_: str) -> np.ndarray:
        array = np.zeros(shape, type_)
        if role == "class":
            if type_.startswith("int") or array.size == 1:
                array[...] = self.told.class_
            else:
                array.flat[self.told.class_ % array.size] = 1
        elif role == "truncation":
            array[...] = self.told.truncation
        elif role == "noise":
            array[...] = rng.standard_normal(shape)
        return array

    def _picture(self, made: list[Any]) -> tuple[int, str]:
        """Which output is the picture, and its layout. Raises Fault."""
        names = [result.name for result in self.session.get_outputs()]
        if self.told.output not in (None, *names):
            raise Fault(f"{self.path}: no output {self.told.output!r}; there are {', '.join(names)}")
        found = []
        for at, out in enumerate(made):
            layout = _layout(np.shape(out), self.told.layout) if isinstance(out, np.ndarray) else None
            if layout is not None and (self.told.output in (None, names[at])):
                found.append(((out.shape[layout.index("C")] if "C" in layout else 1) == 3, out.size, -at, layout))
        if not found:
            shapes = ", ".join(f"{name} {list(np.shape(out))}" for name, out in zip(names, made, strict=True))
            if any(len(np.shape(out)) == 4 and _layout((1, *np.shape(out)[1:]), self.told.layout) for out in made):
                raise Fault(
                    f"{self.path}: makes several pictures at a time ({shapes}); export it with a batch of one, "
                    "or an open one"
                )
            raise Fault(f"{self.path}: none of its outputs is a picture: {shapes}")
        best = max(found)
        return -best[2], best[3]

    def _check(self, outputs: list[np.ndarray], turn: str) -> None:
        if any(not np.isfinite(out.astype(np.float64)).all() for out in outputs):
            raise Fault(f"{self.path}: makes NaN or infinite values")
        if all(np.array_equal(outputs[0], out) for out in outputs[1:]):
            raise Fault(f"{self.path}: its picture does not change with input {turn!r}")

    def _card(
        self,
        outputs: list[np.ndarray],
        layout: str,
        turn: str,
        roles: dict[str, str],
        shapes: dict[str, tuple[int, ...]],
        types: dict[str, str],
        given: tuple[float, float],
    ) -> dict[str, Any]:
        sides = dict(zip(layout, outputs[0].shape, strict=True))
        if max(sides["H"], sides["W"]) > LARGEST_SIDE:
            raise Fault(f"{self.path}: makes {sides['W']}x{sides['H']} pixels; {LARGEST_SIDE} a side is the most")
        low, high, clip = self._range(outputs)
        card: dict[str, Any] = {
            "kind": "generator" if roles[turn] == "latent" else "filter",
            "latent": int(np.prod(shapes[turn])) if roles[turn] == "latent" else 1,
            "layout": layout,
            "channels": int(sides.get("C", 1)),
            "range": [low, high],
            "clip": clip,
            "size": [int(sides["W"]), int(sides["H"])],
            "inputs": [],
        }
        for name, role in roles.items():
            entry: dict[str, Any] = {"name": name, "role": role, "shape": list(shapes[name]), "type": types[name]}
            if role in ("class", "truncation"):
                entry["value"] = float(self.told.class_ if role == "class" else self.told.truncation)
            if role == "image":
                channel = _picture_axes(list(shapes[name]))
                axes = (
                    ["H", "W"]
                    if channel is None
                    else ["C", "H", "W"]
                    if channel <= len(shapes[name]) - 3
                    else ["H", "W", "C"]
                )
                entry["layout"] = ("N" if len(shapes[name]) == 4 else "") + "".join(axes)
                # Pictures go in as they come out: models from picture to picture nearly always keep their range.
                entry["range"] = [low, high] if types[name] != "uint8" else [0.0, 255.0]
            card["inputs"].append(entry)
        return card

    def _range(self, outputs: list[np.ndarray]) -> tuple[float, float, bool]:
        """Black, white, and whether it overshoots them, by what it made."""
        if outputs[0].dtype == np.uint8:
            return 0.0, 255.0, False
        low, high = float(np.min(outputs)), float(np.max(outputs))
        if self.told.range is not None:
            black, white = self.told.range
        elif high > 16.0:
            black, white = 0.0, 255.0
        elif np.quantile(outputs, 0.02) < -0.15:
            black, white = -1.0, 1.0
        else:
            black, white = 0.0, 1.0
        if self.told.range is None:
            self.notes.append(f"its values lie in {low:.2f} .. {high:.2f}: taken for {black:g} .. {white:g}")
        span = white - black
        return black, white, low < black - 0.005 * span or high > white + 0.005 * span


def _picture_axes(shape: list[Any]) -> int | None:
    """Which axis of an input is the channel, if it can be a picture at all: the sides are 8 pixels or open."""
    axes = list(range(len(shape) - 3, len(shape)))
    if len(shape) < 3 or len(shape) > 4:
        return None
    for channel in (axes[0], axes[2]):
        sides = [shape[axis] for axis in axes if axis != channel]
        if shape[channel] in (1, 3, 4) and all(not isinstance(side, int) or side >= 8 for side in sides):
            return channel
    return None


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
