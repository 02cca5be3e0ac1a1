"""A GAN generator or VAE decoder in an ONNX file, run by ONNX Runtime on CUDA where that really works, else the CPU."""

from __future__ import annotations

import ctypes
import logging
import os
from pathlib import Path

import numpy as np
import onnxruntime as ort

from performer.errors import Fault, nearest
from performer.generators import knobs
from performer.generators.binding import Bound
from performer.generators.card import Card, Entry, load
from performer.generators.external import examine
from performer.generators.layout import fed, planar
from performer.generators.loan import Loans

log = logging.getLogger(__name__)
ort.set_default_logger_severity(4)  # its warnings are repeated here in one line where they matter


def threads_for(cores: int | None) -> int:
    """How many cores a model on the CPU may use: one of a small machine's, so that drawing keeps the other."""
    return max(1, min(4, (cores or 2) // 2))


class OnnxGenerator:
    """Latent (D,) -> picture (3, H, W) float32, 0..1; or picture to picture, where its card says filter.

    path      NAME.onnx with NAME.toml beside it
    provider  "auto", "cuda" or "cpu"
    options   of the session, where they are not the usual ones
    Raises Fault when the file, its card or the provider is no good.
    """

    def __init__(self, path: Path, provider: str = "auto", threads: int | None = None,
                 options: ort.SessionOptions | None = None) -> None:
        self.path = path
        self.card: Card = load(path.with_suffix(".toml"))
        if not path.is_file():
            raise Fault(f"{path}: no such model file; its card is there, so the .onnx was moved or never made")
        examine(path)
        self.directions = knobs.read(path)
        options = options or ort.SessionOptions()
        options.intra_op_num_threads = threads or threads_for(os.cpu_count())
        options.inter_op_num_threads = 1
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        self._session = self._open(options, provider)
        self.provider = "CUDA" if self._session.get_providers()[0].startswith("CUDA") else "CPU"
        self._feed: dict[str, np.ndarray] = {}  # bound: write in place
        self._bound: Bound | None = None
        self._planes = Loans((3, self.card.size[1], self.card.size[0]), np.float32)  # for outputs that are not yet so
        self._turn: Entry | None = None  # the input that changes from picture to picture
        self._styles: dict[str, np.ndarray] = {}  # "middle", "fine" -> what those layers are fed with
        self._wire()
        if self.card.kind == "filter":
            self.change(np.full((3, 8, 8), 0.5, np.float32))
        else:
            self.paint(np.ones(self.card.latent, np.float32))  # the first run plans memory, and proves the model works

    def _wire(self) -> None:
        """Settle what each input is fed with. Raises Fault where the card does not fit the file."""
        there = {entry.name: entry for entry in self._session.get_inputs()}
        results = [result.name for result in self._session.get_outputs()]
        card = self.card
        entries = card.inputs
        if not entries:
            if len(there) != 1 or (len(results) != 1 and not card.output):
                raise Fault(f"{self.path}: expected one input and one output, found {len(there)} and {len(results)}; "
                            "`performer models import` writes a card that says what they are")
            (name, entry), = there.items()
            wanted = [1, card.latent]
            if len(entry.shape) != 2 or (isinstance(entry.shape[1], int) and entry.shape[1] != wanted[1]):
                raise Fault(f"{self.path}: its input is {entry.shape}, but the card says latent = {card.latent}")
            entries = [Entry(name=name, role="latent", shape=(1, card.latent))]
        if {entry.name for entry in entries} != set(there):
            raise Fault(f"{self.path}: its inputs are {', '.join(there)}, but the card names "
                        f"{', '.join(entry.name for entry in entries)}")
        if card.output and card.output not in results:
            raise Fault(f"{self.path}: has no output {card.output!r}{nearest(card.output, results)}")
        self._out = card.output or results[0]
        for entry in entries:
            array = self._feed[entry.name] = np.zeros(entry.shape, entry.type)
            if entry.role == "class" and array.size > 1:
                array.flat[int(entry.value) % array.size] = 1  # one-hot
            elif entry.role in ("class", "truncation"):
                array[...] = entry.value
            elif entry.role == "noise":  # always the same, so that pictures repeat
                array[...] = np.random.default_rng(0).standard_normal(entry.shape)
            elif entry.role in ("middle", "fine"):
                self._styles[entry.role] = array
            else:
                self._turn = entry
        assert self._turn is not None
        if self._turn.role == "latent" and self._feed[self._turn.name].size != card.latent:
            raise Fault(f"{self.path}: its latent is {list(self._turn.shape)}, but the card says "
                        f"latent = {card.latent}")

    def end_profiling(self) -> str:
        """The file in which ONNX Runtime wrote what ran where, if its options asked for that."""
        return str(self._session.end_profiling())

    @property
    def mixes(self) -> bool:
        """Whether middle and fine layers may follow latents of their own."""
        return len(self._styles) == 2

    def paint(self, latent: np.ndarray, middle: np.ndarray | None = None,
              fine: np.ndarray | None = None) -> np.ndarray:
        """The picture of a latent: (D,) float32 -> (3, H, W) float32, 0..1, C-contiguous.

        middle, fine  latents of the model's middle and fine layers, where it mixes styles; else the latent
        Raises Fault when the model fails, or makes what is not a picture (wrong shape, NaN, infinity).
        """
        assert self._turn is not None
        if self._turn.role != "latent":
            raise Fault(f"{self.path}: turns pictures into pictures; in a preset, say of = NAME, the layer whose "
                        "picture it takes")
        self._feed[self._turn.name][...] = latent.reshape(self._turn.shape)
        for array, style in zip(self._styles.values(), (middle, fine), strict=False):
            array[...] = (latent if style is None else style).reshape(array.shape)
        return self._run()

    def change(self, picture: np.ndarray) -> np.ndarray:
        """What a model of kind filter makes of a picture: (3, h, w) -> (3, H, W), both float32, 0..1. Raises Fault."""
        turn = self._turn
        assert turn is not None
        if turn.role != "image":
            raise Fault(f"{self.path}: takes a latent, not a picture; leave out of = NAME")
        self._feed[turn.name][...] = fed(picture, turn.shape, turn.layout, *turn.range)
        return self._run()

    def _run(self) -> np.ndarray:
        try:
            out = self._bound.run() if self._bound is not None else self._session.run([self._out], self._feed)[0]
        except Exception as error:  # ONNX Runtime's errors have no common class
            raise Fault(f"{self.path}: the model failed: {_line(error)}") from None
        card = self.card
        if out.shape != card.shape:
            raise Fault(f"{self.path}: made {list(out.shape)}, but the card says {list(card.shape)}")
        if self._bound is None:  # now that its shape is known, pictures get memory that is used again
            self._bound = Bound(self._session, self._feed, self._out, card.shape)
        if not np.isfinite(out.sum(dtype=np.float32)):
            raise Fault(f"{self.path}: made a picture with NaN or infinite values; train or export it again")
        return planar(out, card.layout, *card.range, card.clip, lambda: self._planes.take()[1])

    def _open(self, options: ort.SessionOptions, provider: str) -> ort.InferenceSession:
        if provider != "cpu" and "CUDAExecutionProvider" in ort.get_available_providers() and driver():
            try:
                ort.preload_dlls()
                session = self._session_on(["CUDAExecutionProvider", "CPUExecutionProvider"], options)
                if session.get_providers()[0] == "CUDAExecutionProvider":
                    return session
                why = "ONNX Runtime fell back to the CPU"
            except Exception as error:
                why = _line(error)
            if provider == "cuda":
                raise Fault(f"CUDA does not work here: {why}; `performer doctor` tells more")
            log.warning("CUDA does not work, models run on the CPU: %s", why)
        elif provider == "cuda":
            raise Fault("no CUDA here: no NVIDIA driver, or onnxruntime-gpu is missing; `performer doctor` tells more")
        try:
            return self._session_on(["CPUExecutionProvider"], options)
        except Exception as error:
            raise Fault(f"{self.path}: not a model that ONNX Runtime can load: {_line(error)}") from None

    def _session_on(self, providers: list[str], options: ort.SessionOptions) -> ort.InferenceSession:
        return ort.InferenceSession(str(self.path), options, providers=providers)


def driver() -> bool:
    """Whether the NVIDIA driver's library can be loaded."""
    try:
        ctypes.CDLL("nvcuda.dll" if os.name == "nt" else "libcuda.so.1")
    except OSError:
        return False
    return True


def _line(error: Exception) -> str:
    return " ".join(str(error).split())[:300]


def create(path: Path, provider: str = "auto") -> OnnxGenerator:
    """The generator in a model file. Raises Fault."""
    return OnnxGenerator(path, provider)
