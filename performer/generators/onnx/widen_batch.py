"""A model for several pictures in a run, where its file says one: the same network with another batch axis."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from performer.content.models.onnx_file import Broken, varint
from performer.system.errors import Fault


def with_batch_size(path: Path, names: Sequence[str], count: int) -> bytes:
    """The model with a batch axis of `count` instead of 1, for the inputs of those names and all outputs.

    A one is replaced by another number of as many bytes, in the file's own format (see external.py). Raises Fault.
    """
    try:
        data = bytearray(path.read_bytes())
        for field, first, last in _fields(data, 0, len(data)):
            if field == 7:
                _widen(data, first, last, set(names), count)
    except (OSError, Broken, UnicodeDecodeError, IndexError) as error:
        raise Fault(f"{path}: cannot be read: {error}") from None
    return bytes(data)


def _widen(data: bytearray, first: int, last: int, names: set[str], count: int) -> None:
    """The graph between two bytes: shapes of inputs (11) and outputs (12), and those that a Reshape is told."""
    parts = list(_fields(data, first, last))
    shapes = set()
    for field, at, end in parts:
        if field == 1 and _text(data, at, end, 4) == "Reshape":
            given = [data[a:b].decode() for number, a, b in _fields(data, at, end) if number == 1]
            shapes.update(given[1:2])
    for field, at, end in parts:
        if field == 12 or (field == 11 and _text(data, at, end, 1) in names):
            for a, _ in _within(data, at, end, 2, 1, 2, 1, 1)[:1]:  # type, tensor, shape, dimension, its value
                _write(data, a, a + 1, count)
        elif field == 5 and _text(data, at, end, 8) in shapes:
            _reshape(data, at, end, count)
        elif field == 1 and _text(data, at, end, 4) == "Constant" and _text(data, at, end, 2) in shapes:
            for a, b in _within(data, at, end, 5, 5):  # attribute, tensor
                _reshape(data, a, b, count)


def _reshape(data: bytearray, first: int, last: int, count: int) -> None:
    for field, at, _ in _fields(data, first, last):
        if field in (7, 9):  # numbers of seven bits each, or raw ones of eight bytes
            _write(data, at, at + (8 if field == 9 else 1), count)
            return


def _write(data: bytearray, at: int, end: int, count: int) -> None:
    if int.from_bytes(data[at:end], "little") == 1:
        data[at] = count


def _text(data: bytearray, first: int, last: int, wanted: int) -> str:
    return next((data[at:end].decode() for field, at, end in _fields(data, first, last) if field == wanted), "")


def _within(data: bytearray, first: int, last: int, *path: int) -> list[tuple[int, int]]:
    """Where the fields lie to which a path of field numbers leads."""
    found = [(first, last)]
    for wanted in path:
        found = [(a, b) for at, end in found for field, a, b in _fields(data, at, end) if field == wanted]
    return found


def _fields(data: bytearray, at: int, end: int) -> Iterator[tuple[int, int, int]]:
    """Number of each field of a message, and where what it holds begins and ends. Raises Broken."""
    while at < end:
        tag, at = varint(data, at, end)
        wire = tag & 7
        length = 0
        if wire == 0:
            length = varint(data, at, end)[1] - at
        elif wire == 2:
            length, at = varint(data, at, end)
        elif wire in (1, 5):
            length = 8 if wire == 1 else 4
        else:
            raise Broken
        if at + length > end:
            raise Broken
        yield tag >> 3, at, at + length
        at += length
