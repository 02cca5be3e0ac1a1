"""What both trainings share: options, checkpoints that resume exactly, the sample sheet, the running average."""

from __future__ import annotations

import logging
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor, nn

from performer.errors import Fault
from performer.train.nets import FIRST_SIDE
from performer.train.pictures import Pictures

log = logging.getLogger(__name__)
SAVE_S = 240.0
STAGES = ((0.25, 4), (0.6, 2), (float("inf"), 1))  # until which part of the training pictures are how much smaller
SAY_S = 15.0


@dataclass
class Options:
    """A training.

    out      models/NAME.onnx to write
    size     pixels on a side; latent, size of the latent
    steps    or minutes: whichever ends first ends the training
    resume   go on from the checkpoint beside `out`
    """

    out: Path
    size: int = 128
    latent: int = 64
    steps: int | None = None
    minutes: float | None = None
    batch: int = 16
    seed: int = 1
    resume: bool = False
    title: str = ""
    command: str = ""
    losses: dict[str, float] = field(default_factory=dict)

    @property
    def checkpoint(self) -> Path:
        return self.out.with_suffix(".ckpt")


class Average:
    """Exponential moving average of a network's weights, over about `steps` steps."""

    def __init__(self, network: nn.Module, steps: float) -> None:
        self.network = deepcopy(network).eval().requires_grad_(False)
        self.keep = 1.0 - 1.0 / steps

    @torch.no_grad()
    def follow(self, network: nn.Module, step: int) -> None:
        keep = min(self.keep, step / (step + 10.0))
        for mine, theirs in zip(self.network.parameters(), network.parameters(), strict=True):
            mine.lerp_(theirs, 1.0 - keep)


class Run:
    """Counts steps and time, saves and resumes, says how it goes.

    parts  everything with a state_dict that the training changes
    """

    def __init__(self, options: Options, parts: dict[str, Any]) -> None:
        self.options, self.parts = options, parts
        self.step = 0
        self.before_s = 0.0
        self.rng = np.random.default_rng(options.seed)
        self.losses: dict[str, float] = {}
        if options.resume:
            self._load()
        self._begun = self._saved = self._said = monotonic()

    @property
    def side(self) -> int:
        """Pixels on a side to train with now: small pictures first, for what is large is learned from them cheaply."""
        options = self.options
        done = max(self.step / options.steps if options.steps else 0.0,
                   self.seconds / (60.0 * options.minutes) if options.minutes else 0.0)
        shrink = next(s for until, s in STAGES if done < until)
        return max(min(FIRST_SIDE, options.size), options.size // shrink)

    @property
    def seconds(self) -> float:
        """Of training, earlier parts of it included."""
        return self.before_s + monotonic() - self._begun

    def note(self, **losses: Tensor) -> None:
        """Average the losses over about a hundred steps."""
        for name, loss in losses.items():
            value = float(loss.detach())
            if value != value:
                raise Fault(f"{self.options.out.name}: training diverged at step {self.step} ({name} is NaN); "
                            "resume from the checkpoint with a smaller learning rate")
            self.losses[name] = value + 0.99 * (self.losses.get(name, value) - value)

    def go_on(self, sheet: Callable[[], np.ndarray]) -> bool:
        """After each step: save and report when it is time; False when the training is done."""
        self.step += 1
        now = monotonic()
        if now - self._said > SAY_S:
            self._said = now
            figures = "  ".join(f"{name} {value:.3f}" for name, value in self.losses.items())
            print(f"step {self.step}  {self.seconds / 60:.1f} min  {figures}", flush=True)
        if now - self._saved > SAVE_S:
            self.save(sheet)
        options = self.options
        return not ((options.steps is not None and self.step >= options.steps)
                    or (options.minutes is not None and self.seconds >= 60.0 * options.minutes))

    def save(self, sheet: Callable[[], np.ndarray]) -> None:
        """Checkpoint and sample sheet, each put in place whole."""
        self._saved = monotonic()
        state = {name: part.state_dict() for name, part in self.parts.items()}
        words = self.rng.bit_generator.state["state"]
        state["run"] = {"step": self.step, "seconds": self.seconds, "torch": torch.get_rng_state(),
                        "numpy": [str(words["state"]), str(words["inc"])], "losses": self.losses}
        new = self.options.checkpoint.with_suffix(".new")
        torch.save(state, new)
        new.replace(self.options.checkpoint)
        Image.fromarray(sheet()).save(self.options.out.with_suffix(".png"))

    def _load(self) -> None:
        path = self.options.checkpoint
        try:
            state = torch.load(path, weights_only=True)
            for name, part in self.parts.items():
                part.load_state_dict(state[name])
        except FileNotFoundError:
            raise Fault(f"{path}: no checkpoint to resume from; start without --resume") from None
        except Exception as error:
            raise Fault(f"{path}: cannot resume from this: {str(error).splitlines()[0]}") from None
        run = state["run"]
        self.step, self.before_s, self.losses = run["step"], run["seconds"], run["losses"]
        torch.set_rng_state(run["torch"])
        words = self.rng.bit_generator.state
        words["state"] = {"state": int(run["numpy"][0]), "inc": int(run["numpy"][1])}
        self.rng.bit_generator.state = words


def fast(x: Tensor) -> Tensor:
    """Channels last: three times faster than the usual layout together with bfloat16 on a CPU."""
    return x.to(memory_format=torch.channels_last)


def sheet_of(pictures: Tensor, columns: int = 8) -> np.ndarray:
    """(N, 3, S, S) -> one picture (rows * S, columns * S, 3) uint8."""
    n, _, side, _ = pictures.shape
    grid = pictures[:n // columns * columns].clamp(0, 1).reshape(-1, columns, 3, side, side)
    return (grid.permute(0, 3, 1, 4, 2).reshape(-1, columns * side, 3).numpy() * 255 + 0.5).astype(np.uint8)


def batch_of(pictures: Pictures, run: Run) -> Tensor:
    """The next batch of training pictures; of small ones there are twice as many."""
    many = run.options.batch * (2 if run.side <= FIRST_SIDE else 1)
    return fast(torch.from_numpy(pictures.batch(run.rng, many)))


def shrunk(pictures: Tensor, side: int) -> Tensor:
    """The same pictures with `side` pixels on a side."""
    return pictures if pictures.shape[-1] == side else fast(F.avg_pool2d(pictures, pictures.shape[-1] // side))
