"""A GAN generator or VAE decoder in an ONNX file, run by ONNX Runtime on CUDA where that really works, else the CPU."""

from __future__ import annotations

import ctypes
import logging
import os
from pathlib import Path

import numpy as np
import onnxruntime as ort

from performer.errors import Fault
from performer.generators.card import Card, load

log = logging.getLogger(__name__)
ort.set_default_logger_severity(4)  # its warnings are repeated here in one line where they matter


def threads_for(cores: int | None) -> int:
    """How many cores a model on the CPU may use: one of a small machine's, so that drawing keeps the other."""
    return max(1, min(4, (cores or 2) // 2))


class OnnxGenerator:
    """Latent (D,) -> picture (3, H, W) float32, 0..1.

    path      NAME.onnx with NAME.toml beside it
    provider  "auto", "cuda" or "cpu"
    Raises Fault when the file, its card or the provider is no good.
    """

    def __init__(self, path: Path, provider: str = "auto", threads: int | None = None) -> None:
        self.path = path
        self.card: Card = load(path.with_suffix(".toml"))
        if not path.is_file():
            raise Fault(f"{path}: no such model file; its card is there, so the .onnx was moved or never made")
        options = ort.SessionOptions()
        options.intra_op_num_threads = threads or threads_for(os.cpu_count())
        options.inter_op_num_threads = 1
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        self._session = self._open(options, provider)
        self.provider = "CUDA" if self._session.get_providers()[0].startswith("CUDA") else "CPU"
        entry, result = self._session.get_inputs(), self._session.get_outputs()
        if len(entry) != 1 or len(result) != 1:
            raise Fault(f"{path}: expected one input and one output, found {len(entry)} and {len(result)}")
        self._in, self._out = entry[0].name, result[0].name
        wanted = [1, self.card.latent]
        if len(entry[0].shape) != 2 or (isinstance(entry[0].shape[1], int) and entry[0].shape[1] != wanted[1]):
            raise Fault(f"{path}: its input is {entry[0].shape}, but the card says latent = {self.card.latent}")
        self._latent = np.zeros(wanted, np.float32)
        self.paint(self._latent[0] + 1.0)  # the first run plans memory; it also proves that the model works

    def paint(self, latent: np.ndarray) -> np.ndarray:
        """The picture of a latent: (D,) float32 -> (3, H, W) float32, 0..1, C-contiguous.

        Raises Fault when the model fails, or makes what is not a picture (wrong shape, NaN, infinity).
        """
        self._latent[0] = latent
        try:
            out = self._session.run([self._out], {self._in: self._latent})[0]
        except Exception as error:  # ONNX Runtime's errors have no common class
            raise Fault(f"{self.path}: the model failed: {_line(error)}") from None
        if out.shape != self.card.shape:
            raise Fault(f"{self.path}: made {list(out.shape)}, but the card says {list(self.card.shape)}")
        image = np.asarray(out[0], np.float32)
        if not np.isfinite(image.sum()):
            raise Fault(f"{self.path}: made a picture with NaN or infinite values; train or export it again")
        if self.card.layout == "NHWC":
            image = np.ascontiguousarray(image.transpose(2, 0, 1))
        low, high = self.card.range
        if (low, high) != (0.0, 1.0):
            image = (image - low) / (high - low)
        return image

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
