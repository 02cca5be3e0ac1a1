"""The beat network: its shape, its training on examples written by `beats.write`, and its export to ONNX."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import nn
from torch.nn import functional as F

from performer.frame import BANDS

CONTEXT = 4  # frames that the first layer sees


class BeatNetwork(nn.Module):
    """Band levels (batch, frames, BANDS) -> log odds (batch, frames, 2) of beat and downbeat."""

    def __init__(self, width: int = 96, hidden: int = 96) -> None:
        super().__init__()
        self.hidden = hidden
        self.look = nn.Linear(CONTEXT * BANDS, width)
        self.register_buffer("prepare", _rises(), persistent=False)
        self.lstm = nn.LSTM(width, hidden, num_layers=2, batch_first=True)
        self.head = nn.Linear(hidden, 2)
        with torch.no_grad():
            self.head.bias[:] = torch.tensor([-3.2, -4.5])  # about as often as beats and downbeats come

    def forward(self, bands: torch.Tensor) -> torch.Tensor:
        seen = torch.cat([bands.new_zeros(len(bands), CONTEXT - 1, BANDS), bands], 1)
        windows = seen.unfold(1, CONTEXT, 1).transpose(2, 3).flatten(2)
        heard, _ = self.lstm(F.elu(self.look(windows @ self.prepare.T)))
        odds: torch.Tensor = self.head(heard)
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
    """Crops of examples, disturbed: louder, higher, with bands missing, faster or slower."""

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
        speed = float(rng.uniform(0.92, 1.08))
        need = int(length * speed) + 2
        first = int(rng.integers(0, max(1, len(frames) - need)))
        at = np.minimum(first + (np.arange(length) * speed), len(frames) - 1)
        index = at.astype(int)
        share = (at - index)[:, None].astype(np.float32)
        part = frames[first:first + need + 1].astype(np.float32)
        low = np.minimum(index - first, len(part) - 1)
        levels = part[low] * (1.0 - share) + part[np.minimum(low + 1, len(part) - 1)] * share
        target = np.zeros((length, 2), np.float32)
        for column in (0, 1):
            hits = np.flatnonzero(marks[first:first + need, column] == 2) / speed
            hits = np.round(hits).astype(int)
            hits = hits[hits < length - 1]
            target[np.maximum(hits - 1, 0), column] = 0.4
            target[hits + 1, column] = 0.4
            target[hits, column] = 1.0
        if rng.random() < 0.5:
            levels = np.log1p(np.expm1(levels) * 10.0 ** (rng.uniform(-10.0, 8.0) / 20.0))
        shift = int(rng.integers(-2, 3))
        levels = np.roll(levels, shift, 1)
        if shift > 0:
            levels[:, :shift] = 0.0
        elif shift < 0:
            levels[:, shift:] = 0.0
        if rng.random() < 0.3:
            low_band = int(rng.integers(0, BANDS))
            levels[:, low_band:low_band + int(rng.integers(2, 16))] = 0.0
        if rng.random() < 0.1:
            levels[:, int(rng.integers(14, 40)):] = 0.0
        return levels.astype(np.float32), target

    def batch(self, count: int, length: int) -> tuple[torch.Tensor, torch.Tensor]:
        levels, marks = zip(*(self.crop(length) for _ in range(count)), strict=True)
        return torch.from_numpy(np.stack(levels)), torch.from_numpy(np.stack(marks))


def loss_of(odds: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """Cross entropy; the first frames count less, since nobody can know yet."""
    weight = torch.ones(odds.shape[1])
    weight[:180] = torch.linspace(0.1, 1.0, 180)
    each = F.binary_cross_entropy_with_logits(odds, target, reduction="none") * weight[None, :, None]
    return each[..., 0].mean() + 1.5 * each[..., 1].mean()


def train(network: BeatNetwork, files: Sequence[Path], held_out: Sequence[Path], minutes: float, seed: int,
          say: Callable[[str], None], keep: Path, batch: int = 24, length: int = 1400, rate: float = 2e-3) -> BeatNetwork:
    """Train for so many minutes; returns the network averaged over its last steps. `keep` is written now and then."""
    torch.manual_seed(seed)
    examples, others = Examples(files, seed), Examples(held_out, seed + 1)
    tests = [others.batch(16, 1800) for _ in range(3)]
    optimizer = torch.optim.AdamW(network.parameters(), lr=rate, weight_decay=1e-3)
    average = torch.optim.swa_utils.AveragedModel(network, multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(0.995))
    begun, step, running, said = time.monotonic(), 0, 0.0, 0.0
    while (share := (time.monotonic() - begun) / (60.0 * minutes)) < 1.0:
        for group in optimizer.param_groups:
            group["lr"] = rate * min(1.0, (step + 1) / 100.0) * max(0.02, 0.5 + 0.5 * float(np.cos(np.pi * share)))
        levels, target = examples.batch(batch, length)
        optimizer.zero_grad(set_to_none=True)
        loss = loss_of(network(levels), target)
        loss.backward()
        nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()
        average.update_parameters(network)
        running += 0.02 * (float(loss.detach()) - running) if step else float(loss.detach())
        step += 1
        if time.monotonic() - said > 60.0:
            said = time.monotonic()
            with torch.no_grad():
                tested = float(np.mean([float(loss_of(average.module(a), b)) for a, b in tests]))
            say(f"{share:4.0%} step {step} loss {running:.4f} held out {tested:.4f}")
            torch.save(average.module.state_dict(), keep)
    torch.save(average.module.state_dict(), keep)
    made: BeatNetwork = average.module
    return made


def export(network: BeatNetwork, out: Path, about: dict[str, str]) -> None:
    """Write the network as ONNX that takes one frame a call; its inputs and outputs are those of `BeatNet`."""
    hidden, weights = network.hidden, {k: v.detach().numpy().astype(np.float32) for k, v in network.state_dict().items()}
    tensors, nodes = [], []

    def constant(name: str, value: np.ndarray) -> str:
        tensors.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def torch_to_onnx(value: np.ndarray) -> np.ndarray:
        enter, forget, cell, leave = np.split(value, 4)
        return np.concatenate([enter, leave, forget, cell])  # ONNX has them in this order

    past = (CONTEXT - 1) * BANDS
    constant("cuts", np.array([past] + 4 * [hidden], np.int64))
    nodes.append(helper.make_node("Split", ["state", "cuts"], ["past", "h0", "c0", "h1", "c1"], axis=1))
    nodes.append(helper.make_node("Concat", ["past", "bands"], ["seen"], axis=1))
    constant("look_w", (weights["look.weight"] @ network.prepare.numpy()).T)
    constant("look_b", weights["look.bias"])
    nodes.append(helper.make_node("Gemm", ["seen", "look_w", "look_b"], ["looked"]))
    nodes.append(helper.make_node("Elu", ["looked"], ["heard0"]))
    constant("first", np.array([0], np.int64))
    for layer in (0, 1):
        w, r = (torch_to_onnx(weights[f"lstm.weight_{kind}_l{layer}"])[None] for kind in ("ih", "hh"))
        b = np.concatenate([torch_to_onnx(weights[f"lstm.bias_{kind}_l{layer}"]) for kind in ("ih", "hh")])[None]
        names = [constant(f"{kind}{layer}", value) for kind, value in (("w", w), ("r", r), ("b", b))]
        for name in (f"heard{layer}", f"h{layer}", f"c{layer}"):
            nodes.append(helper.make_node("Unsqueeze", [name, "first"], [name + "_3d"]))
        nodes.append(helper.make_node("LSTM", [f"heard{layer}_3d", *names, "", f"h{layer}_3d", f"c{layer}_3d"],
                                      ["", f"h{layer}_new", f"c{layer}_new"], hidden_size=hidden))
        nodes.append(helper.make_node("Squeeze", [f"h{layer}_new", "first"], [f"heard{layer + 1}"]))
        nodes.append(helper.make_node("Squeeze", [f"c{layer}_new", "first"], [f"cell{layer + 1}"]))
    constant("head_w", weights["head.weight"].T)
    constant("head_b", weights["head.bias"])
    nodes.append(helper.make_node("Gemm", ["heard2", "head_w", "head_b"], ["logits"]))
    nodes.append(helper.make_node("Sigmoid", ["logits"], ["odds"]))
    constant("from", np.array([BANDS], np.int64))
    constant("to", np.array([past + BANDS], np.int64))
    constant("axis", np.array([1], np.int64))
    nodes.append(helper.make_node("Slice", ["seen", "from", "to", "axis"], ["later"]))
    nodes.append(helper.make_node("Concat", ["later", "heard1", "cell1", "heard2", "cell2"], ["next"], axis=1))
    size = past + 4 * hidden
    graph = helper.make_graph(
        nodes, "beats", [helper.make_tensor_value_info("bands", TensorProto.FLOAT, [1, BANDS]),
                         helper.make_tensor_value_info("state", TensorProto.FLOAT, [1, size])],
        [helper.make_tensor_value_info("odds", TensorProto.FLOAT, [1, 2]),
         helper.make_tensor_value_info("next", TensorProto.FLOAT, [1, size])], tensors)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    helper.set_model_props(model, about)
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, out)
