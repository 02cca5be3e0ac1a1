"""Row E: a model in ONNX Runtime as the engine runs it, beside the same network in torch eager."""

from __future__ import annotations

import tempfile
from functools import partial
from pathlib import Path

import numpy as np

from performer.lab.bench.row import Row, in_turn
from performer.system.errors import Fault, counted

ROUNDS = 120


def against_torch(_seconds: float) -> list[Row]:
    """Milliseconds for one picture, with 1 and 2 threads. The weights are random: they do not change the time."""
    try:
        import torch

        from performer.lab.train.export import export_network
        from performer.lab.train.nets import Generator
    except ImportError as error:
        return [
            Row(
                "one image of a model",
                "ms",
                _shipped(),
                "torch eager",
                (),
                ">= 1.3x",
                None,
                f"peer not installed: {error.name}",
            )
        ]
    from performer.generators.onnx.session import create

    network = Generator(64, 128).eval()
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "same.onnx"
        export_network(network, torch.randn(1, 64), path, "z", "image")
        path.with_suffix(".toml").write_text(
            'title = "bench"\nkind = "gan"\nlatent = 64\nsize = [128, 128]\nlicence = "CC0-1.0"\n'
        )
        z = np.random.default_rng(1).standard_normal(64).astype(np.float32)
        tensor = torch.from_numpy(z[None])
        for threads in (1, 2):
            model = create(path, "cpu", threads)
            with torch.inference_mode():
                picture = model.paint(z)
                assert isinstance(picture, np.ndarray)
                if not np.allclose(picture, network(tensor)[0].numpy(), atol=1e-3):
                    raise Fault("bench row E: the exported model's picture is not the network's; nothing to compare")
            before = torch.get_num_threads()
            torch.set_num_threads(threads)
            with torch.inference_mode():
                ours, peer = in_turn(ROUNDS, partial(model.paint, z), partial(network, tensor))
            torch.set_num_threads(before)
            row = Row(f"128x128 image, {counted(threads, 'thread')}", "ms", ours, "torch eager", peer, ">= 1.3x")
            row.met = (row.ratio or 0.0) >= 1.3
            rows.append(row)
    return rows


def _shipped() -> list[float]:
    from performer.generators.onnx import session
    from performer.rig.loading import load_library

    path = next(iter(load_library().models.values()))
    model = session.create(path, "cpu")
    z = np.random.default_rng(1).standard_normal(model.card.latent).astype(np.float32)
    return in_turn(ROUNDS, lambda: model.paint(z))[0]
