"""A trained network -> models/NAME.onnx with its card, after proving that both give the same picture."""

from __future__ import annotations

import logging
import os
import warnings
from pathlib import Path

import numpy as np
import onnxruntime as ort
import tomlkit
import torch
from torch import Tensor, nn

from performer.generators.tools.probe import sha256
from performer.lab.train.add_model_inputs import inlets
from performer.lab.train.dataset import Pictures
from performer.lab.train.loop import Run, laid_out
from performer.lab.train.split_style_inputs import split
from performer.lab.train.upsample_order import blocked
from performer.system import folders
from performer.system.errors import Fault

OPSET = 18
TOLERANCE = 1e-3
MOST_BYTES = 8 << 20


class _Shown(nn.Module):
    """A generator whose pictures are clamped to 0..1 in the graph."""

    def __init__(self, generator: nn.Module) -> None:
        super().__init__()
        self.generator = generator

    def forward(self, z: Tensor) -> Tensor:
        picture: Tensor = self.generator(z)
        return picture.clamp(0.0, 1.0)


class _Mean(nn.Module):
    def __init__(self, encoder: nn.Module) -> None:
        super().__init__()
        self.encoder = encoder

    def forward(self, image: Tensor) -> Tensor:
        mean: Tensor
        mean, _ = self.encoder(image)
        return mean


def export_generator(generator: nn.Module, kind: str, pictures: Pictures, run: Run) -> None:
    """Write the generator and its card; Raises Fault when ONNX Runtime disagrees with torch."""
    options = run.options
    if not options.resume:  # of another model that had this name
        for part in (".encoder.onnx", ".directions.npz"):
            options.out.with_suffix(part).unlink(missing_ok=True)
    difference = export_network(_Shown(generator), torch.randn(1, options.latent), options.out, "z", "image")
    mixes = split(options.out)
    more = inlets(options.out, options.latent)
    blocked(options.out)
    card = tomlkit.document()
    card["title"] = options.title or options.out.stem.replace("_", " ").title()
    card["kind"] = kind
    card["latent"] = options.latent
    card["prior"] = "normal"
    card["layout"] = "NCHW"
    card["range"] = [0.0, 1.0]
    card["size"] = [options.size, options.size]
    card["licence"] = pictures.licence
    card["sha256"] = sha256(options.out)
    if mixes or more:
        latents = (("z", "latent"), ("z_middle", "middle"), ("z_fine", "fine"))[: 3 if mixes else 1]
        card["inputs"] = [{"name": name, "role": role, "shape": [1, options.latent]} for name, role in latents] + more
    card["data"] = {"source": pictures.source, "licence": pictures.licence, "pictures": len(pictures.pixels)}
    card["training"] = {
        "seed": options.seed,
        "steps": run.step,
        "batch": options.batch,
        "minutes": round(run.seconds / 60, 1),
        "net": options.net,
        "machine": _machine(run),
        "parameters": sum(p.numel() for p in generator.parameters()),
        "losses": {name: round(value, 4) for name, value in run.losses.items()},
        "export_difference": float(f"{difference:.1e}"),
        "command": options.command,
    }
    folders.write_text(options.out.with_suffix(".toml"), tomlkit.dumps(card))


def _machine(run: Run) -> str:
    device = run.world.device
    what = torch.cuda.get_device_name(device) if device.type == "cuda" else f"{os.cpu_count()} CPU cores"
    return what if run.world.size == 1 else f"{run.world.size} processes, {what}"


def export_encoder(encoder: nn.Module, run: Run) -> None:
    """Write NAME.encoder.onnx beside the decoder: a picture (1, 3, H, W), 0..1, to its latent (1, D)."""
    size = run.options.size
    path = run.options.out.with_suffix(".encoder.onnx")
    export_network(_Mean(encoder), torch.rand(1, 3, size, size), path, "image", "z")


def export_network(network: nn.Module, example: Tensor, path: Path, given: str, result: str) -> float:
    """Export, and return the largest difference between torch and ONNX Runtime."""
    network = laid_out(network.float().eval(), torch.contiguous_format)
    path.parent.mkdir(parents=True, exist_ok=True)
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)  # it misses packages that nothing here is made with
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            network,
            (example,),
            str(path),
            input_names=[given],
            output_names=[result],
            opset_version=OPSET,
            dynamo=True,
            external_data=False,
            verbose=False,
        )
    if path.stat().st_size > MOST_BYTES:
        size = path.stat().st_size / 1e6
        raise Fault(f"{path}: {size:.1f} MB is more than {MOST_BYTES >> 20} MB; train a smaller one")
    session = ort.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    with torch.no_grad():
        wanted = network(example).numpy()
    difference = float(np.abs(session.run(None, {given: example.numpy()})[0] - wanted).max())
    if difference > TOLERANCE:
        raise Fault(f"{path}: ONNX Runtime differs from torch by {difference:.2g}; not exported")
    return difference
