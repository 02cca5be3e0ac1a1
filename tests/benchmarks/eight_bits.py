"""Whether the default models may be kept in eight bits: how far their pictures are off, and what a picture costs.

    python tests/benchmarks/eight_bits.py [MODEL ...]

Needs the package onnx. Processor time on one thread, each way by turns; PSNR over pictures not calibrated with.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from time import thread_time

import numpy as np
import onnxruntime as ort
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_dynamic, quantize_static

from performer.content.library import FACTORY
from performer.content.models.card import load

CALIBRATED, JUDGED, ROUNDS = 40, 12, 8


def opened(path: Path) -> ort.InferenceSession:
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    return ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def feeds(model: Path, seed: int, count: int) -> Iterator[dict[str, np.ndarray]]:
    """What a model is given for a picture, as a walk at rest gives it."""
    card, rng = load(model.with_suffix(".toml")), np.random.default_rng(seed)
    mapping = opened(model.with_suffix(".mapping.onnx"))
    for _ in range(count):
        z = rng.standard_normal((1, card.latent)).astype(np.float32)
        w = mapping.run(None, {mapping.get_inputs()[0].name: z})[0]
        yield {
            entry.name: z
            if entry.role in ("latent", "middle", "fine")
            else w
            if entry.role[0] == "w"
            else np.full(entry.shape, float(entry.role == "truncation"), np.float32)
            for entry in card.inputs
        }


class Reader(CalibrationDataReader):
    def __init__(self, model: Path) -> None:
        self._feeds = feeds(model, 1, CALIBRATED)

    def get_next(self) -> dict[str, np.ndarray] | None:
        return next(self._feeds, None)


def main(names: list[str]) -> None:
    ort.set_default_logger_severity(4)
    static = {
        "quant_format": QuantFormat.QDQ,
        "per_channel": True,
        "activation_type": QuantType.QUInt8,
        "weight_type": QuantType.QInt8,
    }
    with tempfile.TemporaryDirectory() as folder:
        for name in names:
            model = FACTORY / "models" / f"{name}.onnx"
            ways = {
                "32-bit floats": model,
                **{way: Path(folder) / f"{name} {way}.onnx" for way in ("convolutions", "all", "weights")},
            }
            quantize_static(model, ways["convolutions"], Reader(model), op_types_to_quantize=["Conv"], **static)
            quantize_static(model, ways["all"], Reader(model), **static)
            quantize_dynamic(model, ways["weights"], weight_type=QuantType.QUInt8)
            sessions = {way: opened(path) for way, path in ways.items()}
            given = list(feeds(model, 2, JUDGED))
            made = {
                way: np.stack([np.clip(session.run(None, feed)[0], 0.0, 1.0) for feed in given])
                for way, session in sessions.items()
            }
            took: dict[str, list[float]] = {way: [] for way in sessions}
            for feed in given * ROUNDS:
                for way, session in sessions.items():
                    begun = thread_time()
                    session.run(None, feed)
                    took[way].append(1e3 * (thread_time() - begun))
            for way, path in ways.items():
                error = np.square(made[way] - made["32-bit floats"]).mean(axis=(1, 2, 3, 4))
                psnr = -10.0 * np.log10(np.maximum(error, 1e-12))
                print(
                    f"{name:8} {way:14} {np.median(took[way]):6.2f} ms  {path.stat().st_size / 1e6:.1f} MB  "
                    f"PSNR {psnr.mean():.0f} dB, at worst {psnr.min():.0f}",
                    flush=True,
                )


if __name__ == "__main__":
    main(sys.argv[1:] or ["molten", "glass", "chrome", "blossom", "pearl"])
