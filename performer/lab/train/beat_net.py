"""The beat network: its shape, its training on examples written by `beat_dataset.write`, and its export to ONNX."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import nn
from torch.nn import functional as F

from performer.system import folders
from performer.types.features import BANDS

BATCH = 12  # examples a step of training
CONTEXT = 4  # frames that the first layer sees
FASTER = 0.2  # logarithm of the speed by which crops are played at most faster or slower
BEGINNINGS = 0.3  # share of crops that begin where their song does


class _Block(nn.Module):
    """One dilated causal convolution with a way round it."""

    def __init__(self, channels: int, dilation: int) -> None:
        super().__init__()
        self.before = 2 * dilation
        self.conv = nn.Conv1d(channels, channels, 3, dilation=dilation)
        self.mix = nn.Conv1d(channels, channels, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        heard: torch.Tensor = self.mix(F.elu(self.conv(F.pad(x, (self.before, 0)))))
        return x + heard


class BeatNetwork(nn.Module):
    """Band levels (batch, frames, BANDS) -> log odds (batch, frames, 2) of beat and downbeat.

    A causal temporal convolutional network after Davies and Böck ("Temporal convolutional networks for musical audio
    beat tracking", EUSIPCO 2019): each layer looks twice as far back as the one before, the last some 20 s.
    """

    prepare: torch.Tensor

    def __init__(self, channels: int = 32, layers: int = 10) -> None:
        super().__init__()
        self.look = nn.Linear(CONTEXT * BANDS, channels)
        self.register_buffer("prepare", _rises(), persistent=False)
        self.blocks = nn.ModuleList(_Block(channels, 2**layer) for layer in range(layers))
        self.head = nn.Linear(channels, 2)
        with torch.no_grad():
            self.head.bias[:] = torch.tensor([-3.2, -4.5])  # about as often as beats and downbeats come

    def widen(self, other: BeatNetwork) -> None:
        """Answer as `other` does, which has fewer channels, with room to learn more (Chen, Goodfellow and Shlens,
        "Net2Net: Accelerating learning via knowledge transfer", ICLR 2016)."""
        theirs = other.state_dict()
        with torch.no_grad():
            for name, mine in self.state_dict().items():
                given = theirs[name]
                inside = tuple(slice(0, size) for size in given.shape)
                if mine.dim() > 1 and name != "look.weight":
                    mine[: given.shape[0], given.shape[1] :] = 0.0  # what the new channels say counts for nothing yet
                mine[inside] = given

    def forward(self, bands: torch.Tensor) -> torch.Tensor:
        seen = torch.cat([bands.new_zeros(len(bands), CONTEXT - 1, BANDS), bands], 1)
        windows = seen.unfold(1, CONTEXT, 1).transpose(2, 3).flatten(2)
        x = F.elu(self.look(windows @ self.prepare.T)).transpose(1, 2)
        for block in self.blocks:
            x = block(x)
        odds: torch.Tensor = self.head(F.elu(x).transpose(1, 2))
        return odds


def _rises() -> torch.Tensor:
    """(CONTEXT * BANDS, CONTEXT * BANDS): the newest frame, and how far it rose above each one before; well scaled.

    Onsets are then plain to see from the first step of training on; the export folds this into the first layer.
    """
    blocks = torch.zeros(CONTEXT, CONTEXT)
    blocks[0, CONTEXT - 1] = 0.3
    for back in range(1, CONTEXT):
        blocks[back, CONTEXT - 1], blocks[back, CONTEXT - 1 - back] = 1.5, -1.5
    return torch.kron(blocks, torch.eye(BANDS))


class Examples:
    """Crops of examples, disturbed: louder, brighter, higher, with bands missing, faster or slower."""

    def __init__(self, files: Sequence[Path], seed: int) -> None:
        self._songs = []
        for file in files:
            with np.load(file) as z:
                self._songs.append((z["frames"], z["targets"]))
        self._rng = np.random.default_rng(seed)
        lengths = np.array([len(frames) for frames, _ in self._songs], float)
        self._chance = lengths / lengths.sum()

    def crop(self, length: int) -> tuple[np.ndarray, np.ndarray]:
        """(length, BANDS) float32 levels and (length, 2) float32 targets 0..1."""
        rng = self._rng
        frames, marks = self._songs[int(rng.choice(len(self._songs), p=self._chance))]
        speed = float(np.exp(rng.uniform(-FASTER, FASTER)))
        need = int(length * speed) + 2
        first = int(rng.integers(0, max(1, len(frames) - need)))
        silence = 0
        if rng.random() < BEGINNINGS:  # what is heard when the music starts is of interest too
            first, silence = 0, int(rng.integers(0, 150)) * int(rng.random() < 0.6)
        at = np.minimum(first + (np.arange(length - silence) * speed), len(frames) - 1)
        index = at.astype(int)
        share = (at - index)[:, None].astype(np.float32)
        part = frames[first : first + need + 1].astype(np.float32)
        low = np.minimum(index - first, len(part) - 1)
        levels = np.zeros((length, BANDS), np.float32)
        levels[silence:] = part[low] * (1.0 - share) + part[np.minimum(low + 1, len(part) - 1)] * share
        target = np.zeros((length, 2), np.float32)
        for column in (0, 1):
            hits = np.flatnonzero(marks[first : first + need, column] == 2) / speed
            hits = np.round(hits).astype(int) + silence
            hits = hits[hits < length - 1]
            target[np.maximum(hits - 1, 0), column] = 0.4
            target[hits + 1, column] = 0.4
            target[hits, column] = 1.0
        levels = self._recoloured(levels)
        shift = int(rng.integers(-3, 4))
        levels = np.roll(levels, shift, 1)
        if shift > 0:
            levels[:, :shift] = 0.0
        elif shift < 0:
            levels[:, shift:] = 0.0
        if rng.random() < 0.25:
            low_band = int(rng.integers(0, BANDS))
            levels[:, low_band : low_band + int(rng.integers(2, 16))] = 0.0
        if rng.random() < 0.1:
            levels[:, int(rng.integers(14, 40)) :] = 0.0
        return levels.astype(np.float32), target

    def _recoloured(self, levels: np.ndarray) -> np.ndarray:
        """Louder or softer, through another equaliser, over some noise."""
        rng = self._rng
        if rng.random() < 0.3:
            return levels
        knots = np.linspace(0, BANDS - 1, int(rng.integers(2, 7)))
        curve = np.interp(np.arange(BANDS), knots, rng.normal(0.0, 4.0, len(knots)))
        gain = 10.0 ** ((curve + rng.uniform(-10.0, 8.0)) / 20.0)
        amplitude = np.expm1(levels) * gain.astype(np.float32)
        if rng.random() < 0.3:
            hiss = rng.standard_normal(levels.shape).astype(np.float32)
            amplitude += np.abs(hiss) * np.float32(10.0 ** rng.uniform(-1.5, 0.5))
        louder: np.ndarray = np.log1p(amplitude)
        return louder

    def batch(self, count: int, length: int) -> tuple[torch.Tensor, torch.Tensor]:
        levels, marks = zip(*(self.crop(length) for _ in range(count)), strict=True)
        return torch.from_numpy(np.stack(levels)), torch.from_numpy(np.stack(marks))


def loss_of(odds: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """Cross entropy; the first frames count less, since nobody can know yet."""
    weight = torch.ones(odds.shape[1])
    weight[:180] = torch.linspace(0.1, 1.0, 180)
    each = F.binary_cross_entropy_with_logits(odds, target, reduction="none") * weight[None, :, None]
    return each[..., 0].mean() + 1.5 * each[..., 1].mean()


def _keep(network: nn.Module, path: Path) -> None:
    """Put its weights into a file, whole. Raises Fault."""
    with folders.replacing(path) as file:
        torch.save(network.state_dict(), file)


def train(
    network: BeatNetwork,
    files: Sequence[Path],
    held_out: Sequence[Path],
    *,
    minutes: float,
    seed: int,
    keep: Path,
    length: int = 1800,
    rate: float = 2e-3,
) -> BeatNetwork:
    """Train for so many minutes, and say how it goes; returns the network averaged over its last steps.

    keep    the file for its weights, written now and then
    length  frames of one example
    """
    torch.manual_seed(seed)
    examples = Examples(files, seed)
    others = Examples(held_out, seed + 1)
    tests = [others.batch(16, 1800) for _ in range(3)]
    optimizer = torch.optim.AdamW(network.parameters(), lr=rate, weight_decay=1e-3)
    average = torch.optim.swa_utils.AveragedModel(
        network,
        multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(0.995),  # type: ignore[no-untyped-call]
    )
    begun = time.monotonic()
    step = 0
    running = 0.0
    said = 0.0
    while (share := (time.monotonic() - begun) / (60.0 * minutes)) < 1.0:
        for group in optimizer.param_groups:
            group["lr"] = rate * min(1.0, (step + 1) / 100.0) * max(0.02, 0.5 + 0.5 * float(np.cos(np.pi * share)))
        levels, target = examples.batch(BATCH, length)
        optimizer.zero_grad(set_to_none=True)
        loss = loss_of(network(levels), target)
        torch.autograd.backward(loss)
        nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()
        average.update_parameters(network)
        running += 0.02 * (float(loss.detach()) - running) if step else float(loss.detach())
        step += 1
        if time.monotonic() - said > 60.0:
            said = time.monotonic()
            with torch.no_grad():
                tested = float(np.mean([float(loss_of(average.module(a), b)) for a, b in tests]))
            print(f"{share:4.0%} step {step} loss {running:.4f} held out {tested:.4f}")
            _keep(average.module, keep)
    _keep(average.module, keep)
    made = average.module
    assert isinstance(made, BeatNetwork)
    return made


def exported(file: Path) -> BeatNetwork:
    """The network that `export` wrote there, to be trained on."""
    weights = {t.name: torch.from_numpy(numpy_helper.to_array(t).copy()) for t in onnx.load(file).graph.initializer}
    channels, layers = len(weights["look_b"]), sum(name.startswith("mix") for name in weights) // 2
    network = BeatNetwork(channels, layers)
    state = {
        "look.weight": weights["look_w"].T @ torch.linalg.inv(network.prepare),
        "look.bias": weights["look_b"],
        "head.weight": weights["logits_w"].T,
        "head.bias": weights["logits_b"],
    }
    for layer in range(layers):
        conv = weights[f"conv{layer}_w"].reshape(3, channels, channels).permute(2, 1, 0)
        state[f"blocks.{layer}.conv.weight"], state[f"blocks.{layer}.conv.bias"] = conv, weights[f"conv{layer}_b"]
        state[f"blocks.{layer}.mix.weight"] = weights[f"mix{layer}_w"].T[:, :, None]
        state[f"blocks.{layer}.mix.bias"] = weights[f"mix{layer}_b"]
    network.load_state_dict(state)
    return network


def export(network: BeatNetwork, out: Path, about: dict[str, str]) -> None:
    """Write the network as ONNX that takes one frame a call; its inputs and outputs are those of `BeatNet`.

    What each layer heard one and two dilations ago comes in as `old` and `older`; what it hears now goes out as
    `heard`. The caller keeps them.
    """
    weights = {k: v.detach().numpy().astype(np.float32) for k, v in network.state_dict().items()}
    layers = len(network.blocks)
    channels = len(weights["look.bias"])
    tensors = []
    nodes = []

    def constant(name: str, value: np.ndarray) -> str:
        tensors.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def node(kind: str, inputs: Sequence[str], output: str, **options: Any) -> str:
        nodes.append(helper.make_node(kind, list(inputs), [output], **options))
        return output

    def linear(x: str, name: str, weight: np.ndarray, bias: np.ndarray) -> str:
        return node("Gemm", (x, constant(name + "_w", weight), constant(name + "_b", bias)), name)

    look = (weights["look.weight"] @ network.prepare.numpy()).T
    x = node("Elu", (linear("bands", "look", look, weights["look.bias"]),), "heard0")
    heard = []
    rows = {kind: [f"{kind}{layer}" for layer in range(layers)] for kind in ("old", "older")}
    for kind, names in rows.items():
        nodes.append(helper.make_node("Split", [kind], names, axis=0, num_outputs=layers))
    for layer in range(layers):
        heard.append(x)
        name = f"blocks.{layer}"
        taps = node("Concat", (rows["older"][layer], rows["old"][layer], x), f"taps{layer}", axis=1)
        conv = weights[name + ".conv.weight"].transpose(2, 1, 0).reshape(3 * channels, channels)
        bent = node("Elu", (linear(taps, f"conv{layer}", conv, weights[name + ".conv.bias"]),), f"bent{layer}")
        mixed = linear(bent, f"mix{layer}", weights[name + ".mix.weight"][:, :, 0].T, weights[name + ".mix.bias"])
        x = node("Add", (x, mixed), f"heard{layer + 1}")
    node("Concat", heard, "heard", axis=0)
    last = node("Elu", (x,), "last")
    node("Sigmoid", (linear(last, "logits", weights["head.weight"].T, weights["head.bias"]),), "odds")

    def info(name: str, *shape: int) -> onnx.ValueInfoProto:
        return helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)

    past = [info(kind, layers, channels) for kind in ("old", "older")]
    graph = helper.make_graph(
        nodes,
        "beats",
        [info("bands", 1, CONTEXT * BANDS), *past],
        [info("odds", 1, 2), info("heard", layers, channels)],
        tensors,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    helper.set_model_props(model, about)
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, out)
