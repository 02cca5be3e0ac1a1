"""NAME.encoder.onnx beside a VAE's decoder: a picture to the latent that is nearest to it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnxruntime as ort
from PIL import Image, ImageOps

from performer.content.models.onnx_file import examine
from performer.generators.media.picture import read
from performer.system.errors import Fault
from performer.system.onnx_errors import onnx_reason


def encoded(model: Path, picture: Path | np.ndarray) -> np.ndarray:
    """The latent (D,) float32 of the middle square of a picture: a file, or (H, W, 4) uint8. Raises Fault."""
    path = model.with_suffix(".encoder.onnx")
    if not path.is_file():
        raise Fault(f"{model.stem} has no encoder ({path.name} is not there); only a VAE's latents can be looked for")
    examine(path)
    try:
        session = ort.InferenceSession(str(path), providers=["CPUExecutionProvider"])
        (entry,) = session.get_inputs()
        height, width = entry.shape[2:]
        if isinstance(picture, np.ndarray):
            whole = Image.fromarray(picture).convert("RGB")
        else:
            whole = read(picture).convert("RGB")
        square = ImageOps.fit(whole, (int(width), int(height)), Image.Resampling.LANCZOS)
        given = np.asarray(square, np.float32).transpose(2, 0, 1)[None] / 255.0
        latent = np.asarray(session.run(None, {entry.name: np.ascontiguousarray(given)})[0], np.float32).reshape(-1)
    except Fault:
        raise
    except Exception as error:  # ONNX Runtime's errors have no common class
        raise Fault(f"{path}: does not turn a picture into a latent: {onnx_reason(error)}") from None
    if not np.isfinite(latent).all():
        raise Fault(f"{path}: makes NaN or infinite values of {picture}")
    return latent
