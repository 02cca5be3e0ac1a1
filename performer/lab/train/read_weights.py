"""Named tensors out of a checkpoint or a safetensors file, without running anything that is in it.

A `.pt` is read by torch.load(weights_only=True), whose unpickler builds tensors and plain containers and knows no
other function; a safetensors file is numbers behind a JSON header (https://github.com/huggingface/safetensors).
"""

from __future__ import annotations

import argparse
import json
import re
import struct
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from performer.system.errors import Fault

MOST_BYTES = 16 << 30  # of a file: checkpoints hold a discriminator and an optimiser's memory too
MOST_HEADER = 32 << 20
MOST_NUMBERS = 400 << 20  # of a generator: an ONNX file ends at 2 GB
DEEPEST = 8
MOST_NAMES = 200_000
SUFFIXES = (".pt", ".pth", ".ckpt", ".safetensors")
_TYPES = {
    "F64": torch.float64,
    "F32": torch.float32,
    "F16": torch.float16,
    "BF16": torch.bfloat16,
    "I64": torch.int64,
    "I32": torch.int32,
    "I16": torch.int16,
    "I8": torch.int8,
    "U8": torch.uint8,
    "BOOL": torch.bool,
}
WAY_OUT = "on a machine where you trust it, save the generator's state dict as .safetensors, or export to ONNX"


class Weights:
    """The tensors of one generator; each is asked for by its name and shape.

    path    of the file, for the words of a Fault
    notes   what was guessed or made up, in words
    """

    def __init__(self, path: Path, tensors: Mapping[str, Tensor]) -> None:
        self.path = path
        self.notes: list[str] = []
        self._tensors = dict(tensors)
        self._taken = set[str]()
        if sum(tensor.numel() for tensor in tensors.values()) > MOST_NUMBERS:
            raise Fault(f"{path}: more than {MOST_NUMBERS >> 20} million weights; too many for an ONNX file")

    def __contains__(self, name: str) -> bool:
        return name in self._tensors

    def names(self) -> list[str]:
        return list(self._tensors)

    def shape(self, name: str, rank: int) -> tuple[int, ...]:
        """Of a tensor that must be there with so many axes. Raises Fault."""
        if name not in self._tensors:
            raise Fault(f"{self.path}: {name} is missing; a whole generator is needed")
        shape = tuple(self._tensors[name].shape)
        if len(shape) != rank or 0 in shape:
            raise Fault(f"{self.path}: {name} is {list(shape)}; expected {rank} axes")
        return shape

    def take(self, name: str, *shape: int) -> Tensor:
        """A tensor as float32, contiguous and apart from the file. Raises Fault: missing, other shape, NaN."""
        had = self.shape(name, len(shape))
        if had != shape:
            raise Fault(f"{self.path}: {name} is {list(had)}; expected {list(shape)} by what goes before it")
        self._taken.add(name)
        tensor = self._tensors[name]
        if not tensor.is_floating_point():
            raise Fault(f"{self.path}: {name} holds {str(tensor.dtype).removeprefix('torch.')}; expected floats")
        tensor = tensor.detach().to(torch.float32, copy=True).contiguous()
        if not torch.isfinite(tensor).all():
            raise Fault(f"{self.path}: {name} holds NaN or infinite values; take an earlier checkpoint")
        return tensor

    def left(self) -> list[str]:
        """Names that nobody asked for."""
        return [name for name in self._tensors if name not in self._taken]


def read(path: Path) -> dict[str, Tensor]:
    """All tensors of a file, nested ones as `outer.inner`. Raises Fault in one line; runs no code."""
    try:
        size = path.stat().st_size
    except OSError as error:
        raise Fault(f"{path}: cannot be read: {error.strerror}") from None
    if size < 16:
        raise Fault(f"{path}: {size} bytes; no weights, or a truncated file: copy it again")
    if size > MOST_BYTES:
        raise Fault(f"{path}: {size / 1e9:.1f} GB; expected weights of at most {MOST_BYTES >> 30} GB")
    held = _safetensors(path, size) if path.suffix.lower() == ".safetensors" else _checkpoint(path)
    tensors: dict[str, Tensor] = {}
    for name, tensor in _flat(held, (), 0):
        if len(tensors) >= MOST_NAMES:
            raise Fault(f"{path}: holds more than {MOST_NAMES} tensors")
        tensors[name] = tensor
    if not tensors:
        raise Fault(f"{path}: holds no tensors")
    return tensors


def _flat(held: Any, way: tuple[str, ...], depth: int) -> Iterator[tuple[str, Tensor]]:
    if depth > DEEPEST or not isinstance(held, Mapping):
        return
    for key, value in held.items():
        if isinstance(value, Tensor):
            # What is sparse, quantised, on no device or larger than what it shows of its storage is no weight.
            plain = value.layout == torch.strided and value.device.type == "cpu" and not value.is_quantized
            if plain and value.numel() * value.element_size() <= value.untyped_storage().nbytes():
                yield ".".join((*way, str(key))), value
        else:
            yield from _flat(value, (*way, str(key)), depth + 1)


def _checkpoint(path: Path) -> Any:
    zipped = zipfile.is_zipfile(path)
    if zipped:
        try:
            with zipfile.ZipFile(path) as archive:
                if any("/code/" in entry.filename for entry in archive.infolist()):
                    raise Fault(f"{path}: a TorchScript program, not weights; {WAY_OUT}")
                if any(entry.compress_type != zipfile.ZIP_STORED for entry in archive.infolist()):
                    raise Fault(f"{path}: a compressed archive, as torch never writes; refused")
        except (zipfile.BadZipFile, OSError, ValueError, struct.error):
            raise Fault(f"{path}: a truncated or damaged checkpoint; copy it again") from None
    try:
        # A Namespace, the options of a training, holds values and does nothing.
        with torch.serialization.safe_globals([argparse.Namespace]):
            return torch.load(path, map_location="cpu", weights_only=True, mmap=zipped)
    except MemoryError:
        raise
    except Exception as error:  # an unpickler that is fed nonsense raises nearly anything
        words = " ".join(str(error).split())
        wanted = re.search(r"GLOBAL ([\w.]+)", words)
        if wanted or re.search("nsupported (?!operand)|unrecognized|Can only", words):
            what = f" ({wanted[1]})" if wanted else ""
            raise Fault(f"{path}: holds more than tensors{what}, and opening that could run code; {WAY_OUT}") from None
        if "memory" in words:
            raise Fault(f"{path}: says it holds more than fits into memory; refused") from None
        raise Fault(f"{path}: not a checkpoint of torch, or a truncated one; copy it again") from None


def _safetensors(path: Path, size: int) -> dict[str, Tensor]:
    wrong = Fault(f"{path}: not a safetensors file, or a truncated one; copy it again")
    with path.open("rb") as file:
        (length,) = struct.unpack("<Q", file.read(8))
        if length > min(MOST_HEADER, size - 8):
            raise wrong
        try:
            header = json.loads(file.read(length))
        except (ValueError, RecursionError):
            raise wrong from None
    body = size - 8 - length
    if not isinstance(header, dict):
        raise wrong
    header.pop("__metadata__", None)
    stored = torch.UntypedStorage.from_file(str(path), False, size)
    tensors = {}
    end = 0
    try:
        for name, entry in sorted(header.items(), key=lambda item: item[1]["data_offsets"]):
            kind, shape, (begin, stop) = entry["dtype"], entry["shape"], entry["data_offsets"]
            if kind not in _TYPES:
                raise Fault(f"{path}: {name} is of type {kind}; expected one of {', '.join(_TYPES)}")
            count = 1
            for side in shape:
                if type(side) is not int or side < 0:
                    raise wrong
                count *= side
            width = _TYPES[kind].itemsize
            if type(begin) is not int or begin != end or stop - begin != count * width or stop > body:
                raise wrong  # the format leaves no gaps, and nothing lies twice
            end = stop
            part = stored[8 + length + begin : 8 + length + stop].clone()  # the file's parts need not be aligned
            tensors[name] = torch.tensor([], dtype=_TYPES[kind]).set_(part).reshape(shape)
    except (KeyError, TypeError, ValueError):
        raise wrong from None
    return tensors
