"""Trains a follower: a small causal network that hears music and moves knobs as a performer did, improvising."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import tomlkit
import torch
import torch.nn.functional as F
from onnx import TensorProto, helper, numpy_helper
from PIL import Image, ImageDraw
from torch import Tensor, nn

from performer.audio.control_features import NAMES, TICK_S
from performer.generators.tools.probe import sha256
from performer.lab.train.distributed import World
from performer.lab.train.export import TOLERANCE
from performer.lab.train.loop import Average, Options, Run
from performer.lab.train.moves_dataset import Pairs, Piece
from performer.show.follower import AutoPerformer, FollowerNet
from performer.system import folders
from performer.system.errors import Fault

LOOK = 48
HIDDEN = 96
MOVES = 5
SPAN = 200  # ticks that are learned from at once
WARM = 25  # of them at the beginning don't count: nobody can know yet
# learning rate, steps in which it is reached, and after which it is half
RATE = 4e-3
WARM_UP = 30
SLOW_DOWN = 1500
# log of a spread, in parts of the knob's usual step
CALMEST = -3.0
WILDEST = 3.0
# see `_astray`
ASTRAY = 0.1
LOST = 0.3
BACK_S = 0.5
ROUND_S = (4.0, 12.0)
MOST_BYTES = 300_000
FREE_S = 20.0  # of improvisation that is compared with what was played


class FollowerNetwork(nn.Module):
    """What follows is, for each knob, a mixture of MOVES Gaussians over its way in the next tick.

    scale  (K,) the usual step of each knob; start, (K,) where they begin
    """

    scale: Tensor
    start: Tensor

    def __init__(self, knobs: int, scale: np.ndarray | None = None, start: np.ndarray | None = None) -> None:
        super().__init__()
        self.look = nn.Linear(len(NAMES), LOOK)
        self.gru = nn.GRU(LOOK + knobs, HIDDEN, batch_first=True)
        self.head = nn.Linear(HIDDEN, 3 * MOVES * knobs)
        self.register_buffer("scale", torch.ones(knobs) if scale is None else torch.from_numpy(scale).float())
        self.register_buffer("start", torch.full((knobs,), 0.5) if start is None else torch.from_numpy(start).float())

    def forward(self, heard: Tensor, moved: Tensor, memory: Tensor | None = None) -> tuple[Tensor, ...]:
        """heard (B, T, N), moved (B, T, K) -> odds, means and log spreads (B, T, M, K), the latter in units of `scale`,
        and memory (1, B, H)."""
        looked = torch.cat([torch.tanh(self.look(heard)), moved], -1)
        passed, memory = self.gru(looked, memory)
        made = self.head(passed)
        odds, means, spreads = made.reshape(*made.shape[:-1], 3, MOVES, moved.shape[-1]).unbind(-3)
        return F.log_softmax(odds, -2), means, spreads.clamp(CALMEST, WILDEST), memory


def surprise(answer: tuple[Tensor, ...], step: Tensor, known: Tensor) -> Tensor:
    """Mean negative log likelihood of steps (B, T, K), in units of `scale`: nats per knob and tick.

    known  (B, T, K) float, 1 where the knob was in play
    """
    odds, means, spreads, _ = answer
    far = (step.unsqueeze(-2) - means) * torch.exp(-spreads)
    each = -0.5 * far.square() - spreads - 0.9189385
    whole = torch.logsumexp(odds + each, -2) * known
    return -whole[:, WARM:].sum() / known[:, WARM:].sum().clamp(min=1.0)


def batch_of(pairs: Pairs, rng: np.random.Generator, count: int) -> tuple[Tensor, Tensor, Tensor]:
    """Random stretches: heard (B, T, N), moved (B, T + 1, K), known (B, T + 1, K)."""
    span = min(SPAN, max(map(len, pairs.train)) - 1)
    long = [piece for piece in pairs.train if len(piece) > span]
    weights = np.array([len(piece) - span for piece in long], float)
    drawn = []
    for which in rng.choice(len(long), count, p=weights / weights.sum()):
        first = int(rng.integers(0, len(long[which]) - span))
        drawn.append(long[which].part(first, first + span + 1))
    return (
        torch.from_numpy(np.stack([piece.heard[:-1] for piece in drawn])),
        torch.from_numpy(np.stack([piece.moved for piece in drawn])),
        torch.from_numpy(np.stack([piece.known for piece in drawn])).float(),
    )


def _astray(count: int, span: int, knobs: int) -> Tensor:
    """How far (B, T, K) the knobs are from where they were, for at play nobody puts them right (exposure bias).

    In half of the stretches each knob begins anywhere (LOST) and wanders slowly (ASTRAY, in ROUND_S), and has to find
    back in BACK_S by what is heard; in the others it is where it was, and its way can be trusted.
    """
    t = (torch.arange(span) * TICK_S)[None, :, None]
    slow = 2.0 * torch.pi / torch.empty(count, 1, knobs).uniform_(*ROUND_S)
    wander = ASTRAY * torch.randn(count, 1, knobs) * torch.sin(slow * t + 2.0 * torch.pi * torch.rand(count, 1, knobs))
    begin = LOST * torch.randn(count, 1, knobs) * torch.exp(-t / BACK_S)
    return (wander + begin) * (torch.rand(count, 1, knobs) < 0.5)


def train_follower(pairs: Pairs, options: Options, world: World | None = None) -> Run:
    """Train, say how it goes, export with its card. Raises Fault."""
    torch.manual_seed(options.seed)
    moved = [piece.moved[:-1][piece.known[:-1].all(1)] for piece in pairs.train]
    steps = np.concatenate([np.diff(piece.moved, axis=0) for piece in pairs.train])
    known = np.concatenate([piece.known[1:] & piece.known[:-1] for piece in pairs.train])
    scale = np.sqrt((steps**2 * known).sum(0) / known.sum(0).clip(1)).clip(1e-3)
    start = np.concatenate(moved).mean(0) if sum(map(len, moved)) else np.full(len(pairs.knobs), 0.5)
    network = FollowerNetwork(len(pairs.knobs), scale, start)
    optimizer = torch.optim.Adam(network.parameters(), RATE, betas=(0.9, 0.98))
    average = Average(network, 150)
    with Run(
        options,
        {"network": network, "average": average.network, "optimizer": optimizer},
        world or World(),
        growing=False,
    ) as run:
        while True:
            for group in optimizer.param_groups:
                group["lr"] = RATE * min(1.0, (run.step + 1) / WARM_UP) / (1.0 + run.step / SLOW_DOWN)
            heard, moves, in_play = batch_of(pairs, run.rng, options.batch)
            off = _astray(len(moves), moves.shape[1] - 1, len(pairs.knobs))
            step = (moves.diff(dim=1) - off * (TICK_S / BACK_S)) / network.scale
            loss = surprise(network(heard, moves[:, :-1] + off), step, in_play[:, 1:] * in_play[:, :-1])
            optimizer.zero_grad(set_to_none=True)
            torch.autograd.backward(loss)
            nn.utils.clip_grad_norm_(network.parameters(), 1.0)
            run.world.average(network)
            optimizer.step()
            average.follow(network, run.step)
            run.note(surprise=loss)
            if not run.go_on(lambda: sheet(average.network, pairs, options.seed)):
                break
        run.save(lambda: sheet(average.network, pairs, options.seed))
        if run.world.first:
            figures = judge(average.network, pairs)
            difference = export(average.network, pairs, options.out)
            _card(pairs, run, figures, difference, average.network)
            print("\n".join(verdict(figures)), flush=True)
    return run


@torch.no_grad()
def judge(network: FollowerNetwork, pairs: Pairs) -> dict[str, float]:
    """How well it knows the next move on what it never heard, beside two who know nothing of the music.

    surprise  nats per knob and tick; of who holds still; and of who knows only where each knob usually is
    follows   how far what it expects, given nothing but music, correlate with what was played; mean of the knobs
    """
    nats: dict[str, list[float]] = {"surprise": [], "still": [], "mean": []}
    train = np.concatenate([piece.moved for piece in pairs.train])
    mean, spread = train.mean(0), train.std(0).clip(1e-3)
    scale = network.scale.numpy()
    follows = []
    for piece in pairs.test:
        if len(piece) < 3 * WARM:
            continue
        heard, moved, known = (torch.from_numpy(array)[None] for array in (piece.heard, piece.moved, piece.known))
        inside = (known[:, 1:] & known[:, :-1]).float()
        step = moved.diff(dim=1) / network.scale
        nats["surprise"].append(float(surprise(network(heard[:, :-1], moved[:, :-1]), step, inside)))
        sure = inside[0, WARM:].numpy()
        for who, far, wide in (
            ("still", step[0].numpy(), np.ones_like(scale)),
            ("mean", (piece.moved[1:] - mean) / scale, spread / scale),
        ):
            each = 0.5 * (far[WARM:] / wide) ** 2 + np.log(wide) + 0.9189385
            nats[who].append(float((each * sure).sum() / max(sure.sum(), 1.0)))
        free = improvise(network, piece.heard, None, piece.moved[0])
        for knob in range(piece.moved.shape[1]):
            a, b = free[:, knob], piece.moved[:, knob]
            if piece.known[:, knob].all() and b.std() > 0.01:
                follows.append(float(np.corrcoef(a, b)[0, 1]) if a.std() > 1e-4 else 0.0)
    made = {name: float(np.mean(each)) if each else float("nan") for name, each in nats.items()}
    return {**made, "follows": float(np.mean(follows)) if follows else 0.0}


def verdict(figures: dict[str, float]) -> list[str]:
    """In words, for who trained it."""
    mine, still, mean = (figures[name] for name in ("surprise", "still", "mean"))
    first = (
        f"on music that it never heard: surprise {mine:.2f} nats per knob and tick; "
        f"holding still {still:.2f}, knowing the mean {mean:.2f}"
    )
    if mine < min(still, mean):
        return [
            first,
            f"it beats both; what it expects follows the performer's moves by {figures['follows']:.2f} (correlation)",
        ]
    return [first, "it knows no more than somebody who holds still: record more, or train longer"]


@torch.no_grad()
def improvise(
    network: FollowerNetwork, heard: np.ndarray, luck: np.random.Generator | None, start: np.ndarray | None = None
) -> np.ndarray:
    """(n, K): what it plays to heard (n, N); without luck always what it expects."""
    moved = network.start[None] if start is None else torch.from_numpy(start)[None]
    memory = None
    made = []
    each = np.arange(moved.shape[1])
    for row in torch.from_numpy(heard):
        odds, means, spreads, memory = network(row[None, None], moved[None], memory)
        shares = odds[0, 0].exp()
        if luck is None:
            step = (shares * means[0, 0]).sum(0)
        else:
            chosen = (shares.cumsum(0).numpy() < luck.random(len(each))).sum(0).clip(max=MOVES - 1)
            step = means[0, 0, chosen, each] + torch.exp(spreads[0, 0, chosen, each]) * torch.from_numpy(
                luck.standard_normal(len(each)).astype(np.float32)
            )
        moved = (moved + step * network.scale).clamp(0.0, 1.0)
        made.append(moved[0].numpy())
    return np.array(made)


def sheet(network: FollowerNetwork, pairs: Pairs, seed: int) -> np.ndarray:
    """A picture: of each knob what was played (grey), what it expects (blue), two improvisations (orange)."""
    piece = max(pairs.test, key=len)
    piece = piece.part(0, min(len(piece), round(FREE_S / TICK_S)))
    lines = [(piece.moved, (150, 150, 150)), (improvise(network, piece.heard, None), (90, 150, 255))]
    lines += [
        (improvise(network, piece.heard, np.random.default_rng((seed, i))), colour)
        for i, colour in enumerate(((255, 150, 60), (200, 90, 40)))
    ]
    width = 1200
    height = 110
    picture = Image.new("RGB", (width, height * len(pairs.knobs)), (16, 16, 20))
    draw = ImageDraw.Draw(picture)
    for knob, name in enumerate(pairs.knobs):
        bottom = height * (knob + 1) - 8
        for values, colour in lines:
            xs = np.arange(len(values)) * (width - 1) / max(len(values) - 1, 1)
            ys = bottom - values[:, knob] * (height - 16)
            draw.line([(float(x), float(y)) for x, y in zip(xs, ys, strict=True)], fill=colour)
        draw.text((6, height * knob + 4), name, fill=(220, 220, 220))
    return np.asarray(picture)


def export(network: FollowerNetwork, pairs: Pairs, out: Path) -> float:
    """Write the network as ONNX that takes a tick a call, and return the largest difference from torch, over a stretch
    of play. Its inputs and outputs are those of `FollowerNet`. Raises Fault."""
    network = network.float().eval()
    weights = {name: value.detach().numpy().astype(np.float32) for name, value in network.state_dict().items()}
    count = len(pairs.knobs)
    tensors: list[onnx.TensorProto] = []
    nodes: list[onnx.NodeProto] = []

    def constant(name: str, value: np.ndarray) -> str:
        tensors.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def node(kind: str, inputs: list[str], output: str, **more: Any) -> str:
        nodes.append(helper.make_node(kind, inputs, [output], **more))
        return output

    def linear(x: str, name: str, layer: str, part: str = "") -> str:
        end = f"_{part}_l0" if part else ""
        return node(
            "Gemm",
            [
                x,
                constant(f"{name}_w", weights[f"{layer}weight{end}"].T),
                constant(f"{name}_b", weights[f"{layer}bias{end}"]),
            ],
            name,
        )

    def split(x: str, sizes: list[int], names: list[str]) -> None:
        nodes.append(helper.make_node("Split", [x, constant(f"{x}_sizes", np.array(sizes, np.int64))], names, axis=1))

    looked = node("Tanh", [linear("heard", "look", "look.")], "looked")
    seen = node("Concat", [looked, "moved"], "seen", axis=1)
    split(linear(seen, "new", "gru.", "ih"), [2 * HIDDEN, HIDDEN], ["new_gates", "new_state"])
    split(linear("memory", "old", "gru.", "hh"), [2 * HIDDEN, HIDDEN], ["old_gates", "old_state"])
    node("Sigmoid", [node("Add", ["new_gates", "old_gates"], "gates_sum")], "gates")
    split("gates", [HIDDEN, HIDDEN], ["reset", "update"])
    kept = node("Mul", ["reset", "old_state"], "kept")
    state = node("Tanh", [node("Add", ["new_state", kept], "state_sum")], "state")
    node("Add", [state, node("Mul", ["update", node("Sub", ["memory", state], "rest")], "held")], "remembered")
    split(linear("remembered", "made", "head."), [MOVES * count] * 3, ["flat_odds", "flat_means", "flat_spreads"])
    shape, scale = constant("shape", np.array([1, MOVES, count], np.int64)), constant("scale", weights["scale"])
    node("LogSoftmax", [node("Reshape", ["flat_odds", shape], "raw_odds")], "odds", axis=1)
    node("Mul", [node("Reshape", ["flat_means", shape], "many_means"), scale], "means")
    ends = [constant("calmest", np.array(CALMEST, np.float32)), constant("wildest", np.array(WILDEST, np.float32))]
    wide = node("Exp", [node("Clip", ["flat_spreads", *ends], "clipped")], "wide")
    node("Mul", [node("Reshape", [wide, shape], "many_spreads"), scale], "spreads")

    def info(name: str, *sides: int) -> onnx.ValueInfoProto:
        return helper.make_tensor_value_info(name, TensorProto.FLOAT, sides)

    graph = helper.make_graph(
        nodes,
        "follower",
        [info("heard", 1, len(NAMES)), info("moved", 1, count), info("memory", 1, HIDDEN)],
        [
            info("odds", 1, MOVES, count),
            info("means", 1, MOVES, count),
            info("spreads", 1, MOVES, count),
            info("remembered", 1, HIDDEN),
        ],
        tensors,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    helper.set_model_props(
        model,
        {
            "knobs": ",".join(pairs.knobs),
            "start": ",".join(f"{place:.4f}" for place in weights["start"]),
            "gist": ",".join(NAMES),
            "tick_s": str(TICK_S),
        },
    )
    onnx.checker.check_model(model, full_check=True)
    if model.ByteSize() > MOST_BYTES:
        raise Fault(
            f"{out}: {model.ByteSize() / 1e3:.0f} kB are more than {MOST_BYTES / 1e3:.0f}; learn fewer parameters"
        )
    new = out.with_suffix(".new")
    onnx.save(model, new)
    try:
        difference = _difference(network, FollowerNet(new), max(pairs.train, key=len))
        if difference > TOLERANCE:
            raise Fault(f"{out}: ONNX Runtime differs from torch by {difference:.2g}; not exported")
        new.replace(out)
    finally:
        new.unlink(missing_ok=True)
    return difference


@torch.no_grad()
def _difference(network: FollowerNetwork, net: FollowerNet, piece: Piece) -> float:
    player = AutoPerformer(net, 1)
    memory = None
    worst = 0.0
    for row in piece.heard[:200]:
        moved = player.knobs.copy()
        old = player.memory
        odds, means, spreads, memory = network(
            torch.from_numpy(row)[None, None], torch.from_numpy(moved)[None, None], torch.from_numpy(old)[None]
        )
        wanted = (odds[0], means[0] * network.scale, torch.exp(spreads[0]) * network.scale, memory[0])
        got = net(row[None], moved[None], old)
        worst = max([worst, *(float(np.abs(g - w.numpy()).max()) for g, w in zip(got, wanted, strict=True))])
        player.tick(row, 1.0)
    return worst


def _card(pairs: Pairs, run: Run, figures: dict[str, float], difference: float, network: nn.Module) -> None:
    """NAME.follower.toml, beside it."""
    options = run.options
    card = tomlkit.document()
    card["title"] = options.title or options.out.name.split(".")[0].replace("_", " ").title()
    card["kind"] = "follower"
    card["knobs"] = list(pairs.knobs)
    card["licence"] = pairs.licence
    card["sha256"] = sha256(options.out)
    card["data"] = {"source": pairs.source, "licence": pairs.licence, "minutes": round(pairs.seconds / 60.0, 1)}
    card["training"] = {
        "seed": options.seed,
        "steps": run.step,
        "batch": options.batch,
        "minutes": round(run.seconds / 60.0, 1),
        "machine": f"{os.cpu_count()} CPU cores",
        "parameters": sum(p.numel() for p in network.parameters()),
        "losses": {name: round(value, 4) for name, value in run.losses.items()},
        "export_difference": float(f"{difference:.1e}"),
        "command": options.command,
    }
    card["metrics"] = {name: round(value, 3) for name, value in figures.items()}
    folders.write_text(options.out.with_suffix(".toml"), tomlkit.dumps(card))
