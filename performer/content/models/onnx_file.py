"""Which other files an ONNX file wants to read, and what it is made of, found without loading it.

Only the protobuf wire format is walked.

Field numbers are those of onnx.proto3 (ONNX 1.16); https://protobuf.dev/programming-guides/encoding tells the format.
"""

from __future__ import annotations

import mmap
from collections.abc import Iterator
from pathlib import Path

from performer.system.errors import Fault

# message -> field -> message it holds; what is not here is skipped unread.
_INTO: dict[str, dict[int, str]] = {
    "model": {7: "graph", 25: "function"},
    "graph": {1: "node", 5: "tensor", 15: "sparse"},
    "function": {7: "node", 11: "attribute"},
    "node": {5: "attribute"},
    "attribute": {5: "tensor", 6: "graph", 10: "tensor", 11: "graph", 22: "sparse", 23: "sparse"},
    "sparse": {1: "tensor", 2: "tensor"},
    "tensor": {13: "entry"},
}
_OPERATOR = 4  # field of a node
_DEEPEST = 64
_BYTES = 2  # the wire format of what has a length: messages, text, packed numbers
#: Sums and products, which end, and whose size the file bounds: what a small network of a stranger may be made of.
SUMS = frozenset(
    (
        "Abs",
        "Add",
        "Cast",
        "Clip",
        "Concat",
        "Constant",
        "Div",
        "Elu",
        "Erf",
        "Exp",
        "Flatten",
        "Gather",
        "Gelu",
        "Gemm",
        "Identity",
        "LayerNormalization",
        "LeakyRelu",
        "Log",
        "LogSoftmax",
        "MatMul",
        "Max",
        "Min",
        "Mul",
        "Neg",
        "PRelu",
        "Pow",
        "Reciprocal",
        "ReduceL2",
        "ReduceMean",
        "ReduceSum",
        "Relu",
        "Reshape",
        "Sigmoid",
        "Slice",
        "Softmax",
        "Softplus",
        "Split",
        "Sqrt",
        "Squeeze",
        "Sub",
        "Tanh",
        "Transpose",
        "Unsqueeze",
    )
)


class Broken(Exception):
    """What was read is no ONNX file, or a part of one."""


def locations(path: Path) -> set[str]:
    """All places of external data that the file names. Raises Fault when it is no ONNX file."""
    return {word for kind, word in _found(path) if kind == "location"}


def operators(path: Path) -> set[str]:
    """All kinds of nodes in the file, those of inner graphs too. Raises Fault when it is no ONNX file."""
    return {word for kind, word in _found(path) if kind == "operator"}


def _found(path: Path) -> set[tuple[str, str]]:
    try:
        if path.exists() and not path.is_file():
            raise Fault(f"{path}: not a model file, but a folder or a device")
        with path.open("rb") as file:
            if path.stat().st_size < 16:
                raise Broken
            with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
                return set(_walk(data, 0, len(data), "model", 0))
    except FileNotFoundError:
        raise Fault(f"{path}: no such model file") from None
    except OSError as error:
        raise Fault(f"{path}: cannot be read: {error.strerror}") from None
    except (Broken, UnicodeDecodeError):
        raise Fault(f"{path}: not an ONNX file, or a truncated one; export or copy it again") from None


def examine(path: Path) -> None:
    """Refuse a model whose data lies outside its own folder. Raises Fault."""
    home = path.resolve().parent
    for location in sorted(locations(path)):
        inside = home / location
        if Path(location).is_absolute() or "\\" in location or not inside.resolve().is_relative_to(home):
            raise Fault(f"{path}: wants to read {location!r}, outside its own folder; refused")
        if not inside.is_file():
            raise Fault(f"{path}: its data file {location} is missing; copy it beside the model")


def _walk(data: mmap.mmap, at: int, end: int, message: str, depth: int) -> Iterator[tuple[str, str]]:
    if depth > _DEEPEST:
        raise Broken
    while at < end:
        tag, at = varint(data, at, end)
        field = tag >> 3
        wire = tag & 7
        if field == 0:
            raise Broken
        if wire != _BYTES:
            at = _after_number(data, at, end, wire)
            continue
        length, at = varint(data, at, end)
        if at + length > end:
            raise Broken
        inner = _INTO[message].get(field)
        if inner == "entry":
            key, value = _entry(data, at, at + length)
            if key == "location":
                yield key, value
        elif message == "node" and field == _OPERATOR:
            yield "operator", data[at : at + length].decode()
        elif inner is not None:
            yield from _walk(data, at, at + length, inner, depth + 1)
        at += length


def _after_number(data: mmap.mmap, at: int, end: int, wire: int) -> int:
    """Where a number in the wire format `wire` ends. Raises Broken."""
    if wire == 0:
        _, at = varint(data, at, end)
    elif wire in (1, 5):
        at += 8 if wire == 1 else 4
    else:
        raise Broken
    if at > end:
        raise Broken
    return at


def _entry(data: mmap.mmap, at: int, end: int) -> tuple[str, str]:
    found = {1: "", 2: ""}
    while at < end:
        tag, at = varint(data, at, end)
        length, at = varint(data, at, end)
        if tag & 7 != _BYTES or at + length > end:
            raise Broken
        if tag >> 3 in found:
            found[tag >> 3] = data[at : at + length].decode()
        at += length
    return found[1], found[2]


def varint(data: mmap.mmap | bytearray, at: int, end: int) -> tuple[int, int]:
    """A number and where it ends. Raises Broken."""
    value = shift = 0
    while at < end and shift < 70:
        byte = data[at]
        value |= (byte & 0x7F) << shift
        at = at + 1
        shift = shift + 7
        if byte < 0x80:
            return value, at
    raise Broken
