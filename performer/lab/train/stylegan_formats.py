"""Which generator a file holds, and in whose layout: names of tensors tell, shapes tell the rest."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from performer.lab.train import stylegan2, stylegan3
from performer.lab.train.read_weights import Weights, read
from performer.lab.train.stylegan import CLAMP, Generator, Mapping
from performer.system.errors import Fault

#: Layout -> how the name of a tensor ends that only its generators have, and one that must be beside it.
ANCHORS = {
    "StyleGAN3": ("synthesis.input.weight", "mapping.fc0.weight"),
    "StyleGAN2": ("synthesis.b4.const", "mapping.fc0.weight"),
    "StyleGAN2, layout of rosinality": ("input.input", "style.1.weight"),
}
#: What a file may hold besides, and no picture depends on: filters of single layers, counters.
IDLE = r".*\.(resample_filter|up_filter|down_filter|num_batches_tracked|noise_const)"
SHOWN = 3  # names in a Fault
#: How rosinality's training calls the tensors of a layer -> how NVIDIA's does.
_ROSINALITY = {
    "conv.weight": "weight",
    "conv.modulation.weight": "affine.weight",
    "noise.weight": "noise_strength",
    "conv.modulation.bias": "affine.bias",
    "activate.bias": "bias",
    "bias": "bias",
}


@dataclass(frozen=True)
class Found:
    """A generator, ready to run: what it is in words, and what was guessed."""

    generator: Generator
    what: str
    place: str
    notes: list[str]
    parameters: int


def load(path: Path) -> Found:
    """The generator in a file of weights; an average of training (EMA) is preferred. Raises Fault in one line."""
    tensors = read(path)
    candidates = sorted(_candidates(tensors), key=lambda found: "ema" not in found[1].lower())
    if not candidates:
        names = ", ".join(list(tensors)[:SHOWN])
        raise Fault(
            f"{path}: no StyleGAN2 or StyleGAN3 generator in it ({names} ..); weights do not tell what network "
            "they are of, so export it to ONNX where it was trained (torch.onnx.export), and import that"
        )
    layout, prefix = candidates[0]
    own = {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}
    if "rosinality" in layout:
        for owner in (prefix, re.sub(r"[^.]+\.$", "", prefix), ""):  # beside the generator, or further out
            if f"{owner}latent_avg" in tensors:
                own["latent_avg"] = tensors[f"{owner}latent_avg"]
                break
        own = dict(_renamed(own))
    weights = Weights(path, own)
    with torch.no_grad():
        mapping = Mapping(weights)
        synthesis: stylegan2.Synthesis | stylegan3.Synthesis
        if layout == "StyleGAN3":
            synthesis = stylegan3.Synthesis(weights, mapping.style)
            layout = f"{layout}-{'R' if synthesis.kernel == 1 else 'T'}"
        else:
            synthesis = stylegan2.Synthesis(weights, mapping.style, None if "rosinality" in layout else CLAMP)
    strange = [
        name for name in weights.left() if re.match(r"mapping\.|synthesis\.", name) and not re.fullmatch(IDLE, name)
    ]
    if strange:
        raise Fault(
            f"{path}: holds {strange[0]}"
            + (f" and {len(strange) - 1} more" if len(strange) > 1 else "")
            + f", which {layout} does not have; it is another network: export it to ONNX where it was trained"
        )
    parameters = sum(tensor.numel() for tensor in own.values())
    what = f"{layout}, {synthesis.size}x{synthesis.size}"
    return Found(Generator(mapping, synthesis).eval(), what, prefix.rstrip("."), weights.notes, parameters)


def _candidates(tensors: dict[str, Tensor]) -> Iterator[tuple[str, str]]:
    """(layout, prefix) of each generator."""
    for name in tensors:
        for layout, (anchor, other) in ANCHORS.items():
            if name.endswith(anchor):
                prefix = name.removesuffix(anchor)
                if (not prefix or prefix.endswith(".")) and f"{prefix}{other}" in tensors:
                    yield layout, prefix


def _renamed(own: dict[str, Tensor]) -> Iterator[tuple[str, Tensor]]:
    """StyleGAN2 in the layout of rosinality's training -> the names and shapes of NVIDIA's."""
    layers = {"conv1": "b4.conv1", "to_rgb1": "b4.torgb"}
    for i in range(32):
        side = 2 ** (3 + i // 2)
        layers[f"convs.{i}"] = f"b{side}.conv{i % 2}"
        layers[f"to_rgbs.{i}"] = f"b{2 ** (3 + i)}.torgb"
    for name, tensor in own.items():
        if m := re.fullmatch(r"style\.(\d+)\.(weight|bias)", name):
            yield f"mapping.fc{int(m[1]) - 1}.{m[2]}", tensor
        elif name == "latent_avg":
            yield "mapping.w_avg", tensor.float().reshape(-1, tensor.shape[-1]).mean(dim=0)
        elif name == "input.input":
            yield "synthesis.b4.const", tensor[0] if tensor.ndim == 4 else tensor
        elif (m := re.fullmatch(r"noises\.noise_(\d+)", name)) and tensor.ndim == 4:
            at = int(m[1])
            layer = "b4.conv1" if at == 0 else layers.get(f"convs.{at - 1}", name)
            yield f"synthesis.{layer}.noise_const", tensor[0, 0]
        elif (m := re.fullmatch(r"(conv1|to_rgb1|convs\.\d+|to_rgbs\.\d+)\.(.*)", name)) and m[1] in layers:
            if m[2] in _ROSINALITY:
                yield _layer_tensor(f"synthesis.{layers[m[1]]}", m[2], tensor)
            elif m[2] == "conv.blur.kernel":  # with the gain of four in it
                yield f"synthesis.{layers[m[1]].rpartition('.')[0]}.resample_filter", tensor / 4.0
            elif m[2] != "upsample.kernel":
                yield name, tensor
        else:
            yield name, tensor


def _layer_tensor(layer: str, part: str, tensor: Tensor) -> tuple[str, Tensor]:
    """A tensor of one layer by NVIDIA's name and in its shape; part: one of _ROSINALITY."""
    name = _ROSINALITY[part]
    if part == "conv.weight" and tensor.ndim == 5:
        tensor = tensor[0]
    elif part == "noise.weight" and tensor.numel() == 1:
        tensor = tensor.reshape(())
    elif name == "bias":
        tensor = tensor.reshape(-1)
    return f"{layer}.{name}", tensor
