"""What all trainings share: options, checkpoints that resume exactly, progress, logs, the sample sheet."""

from __future__ import annotations

import logging
import signal
import warnings
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import Any, Generic, TypeVar

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from tensorboardX import SummaryWriter
from torch import Tensor, nn

from performer.lab.train.dataset import Pictures
from performer.lab.train.distributed import World
from performer.lab.train.nets import FIRST_SIDE
from performer.system import folders
from performer.system.errors import Fault, counted

log = logging.getLogger(__name__)
SAVE_S = 240.0
FIRST_SAVE_S = 45.0
STAGES = ((0.25, 4), (0.6, 2), (float("inf"), 1))  # until which part of the training pictures are how much smaller
SAY_S = 15.0
LOG_STEPS = 20

Network = TypeVar("Network", bound=nn.Module)


@dataclass
class Options:
    """A training.

    out      models/NAME.onnx to write
    size     pixels on a side, 0 where no pictures are made; latent, size of the latent
    steps    or minutes: whichever ends first ends the training
    resume   go on from the checkpoint beside `out`
    net      one of `baselines.NETS`, for a GAN
    augment  one of `augment.POLICIES`, or auto: by the number of pictures
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
    net: str = "style"
    augment: str = "auto"

    @property
    def checkpoint(self) -> Path:
        return self.out.with_suffix(".ckpt")

    @property
    def log(self) -> Path:
        """The folder of logs for TensorBoard."""
        return self.out.with_suffix(".log")


class Average(Generic[Network]):
    """Exponential moving average of a network's weights, over about `steps` steps."""

    def __init__(self, network: Network, steps: float) -> None:
        self.network = deepcopy(network).eval().requires_grad_(False)
        self.keep = 1.0 - 1.0 / steps

    @torch.no_grad()
    def follow(self, network: Network, step: int) -> None:
        keep = min(self.keep, step / (step + 10.0))
        for mine, theirs in zip(self.network.parameters(), network.parameters(), strict=True):
            mine.lerp_(theirs, 1.0 - keep)
        for kept, new in zip(self.network.buffers(), network.buffers(), strict=True):
            kept.copy_(new)


class Run:
    """Counts steps and time, saves and resumes, says how it goes.

    parts    everything with a state_dict that the training changes; networks first are made alike in all processes
    growing  begin with small pictures
    Ctrl-C ends it after the step in hand, as if it had been its last; a second one at once.
    """

    def __init__(self, options: Options, parts: dict[str, Any], world: World, growing: bool = True) -> None:
        self.options = options
        self.parts = parts
        self.world = world
        self.growing = growing
        self.step = 0
        self.before_s = 0.0
        self.rng = np.random.default_rng((options.seed, world.rank))
        self.losses: dict[str, float] = {}
        self.progress = 0.0
        if options.log.is_file():
            raise Fault(
                f"{options.log}: a file, where the folder of this training's logs goes; move it, or take "
                "another name with -o"
            )
        if options.resume:
            self._load()
        else:
            options.out.parent.mkdir(parents=True, exist_ok=True)
            world.alike(part for part in parts.values() if isinstance(part, nn.Module))
            torch.manual_seed(options.seed + 1000003 * world.rank)
        self._begun = self._said = monotonic()
        self._saved = self._begun - SAVE_S + FIRST_SAVE_S
        self.progress = self._progress()
        self.interrupted = False
        self._handler: Any = None
        self._writer: SummaryWriter | None = None
        self._bar: Progress | None = None

    def __enter__(self) -> Run:
        try:
            self._handler = signal.signal(signal.SIGINT, self._interrupt)
        except ValueError:  # not the main thread, which alone gets signals
            self._handler = None
        if self.world.first:
            self._writer = SummaryWriter(str(self.options.log))
            if Console().is_terminal:
                self._bar = Progress(BarColumn(), TextColumn("{task.description}"), TimeRemainingColumn())
                self._bar.update(self._bar.add_task(self._line(), total=1.0), completed=self.progress)
                self._bar.start()
        return self

    def __exit__(self, *error: object) -> None:
        if self._handler is not None:
            signal.signal(signal.SIGINT, self._handler)
        if self._bar is not None:
            self._bar.stop()
        if self._writer is not None:
            self._writer.close()

    def _interrupt(self, *_: object) -> None:
        if self.interrupted:
            raise KeyboardInterrupt
        self.interrupted = True
        print("stopping after this step and exporting the model; press again to quit at once", flush=True)

    @property
    def side(self) -> int:
        """Pixels on a side to train with now: small pictures first, for what is large is learned from them cheaply."""
        options = self.options
        if not self.growing:
            return options.size
        shrink = next(s for until, s in STAGES if self.progress < until)
        return max(min(FIRST_SIDE, options.size), options.size // shrink)

    @property
    def seconds(self) -> float:
        """Of training, earlier parts of it included."""
        return self.before_s + monotonic() - self._begun

    def _progress(self) -> float:
        options = self.options
        return max(
            self.step / options.steps if options.steps else 0.0,
            self.seconds / (60.0 * options.minutes) if options.minutes else 0.0,
        )

    def note(self, **losses: Tensor) -> None:
        """Average the losses over about a hundred steps."""
        for name, loss in losses.items():
            value = float(loss.detach())
            if value != value:
                raise Fault(
                    f"{self.options.out.name}: training diverged at step {self.step} ({name} is NaN); "
                    "resume from the checkpoint with a smaller learning rate"
                )
            self.losses[name] = value + 0.99 * (self.losses.get(name, value) - value)

    def go_on(self, sheet: Callable[[], np.ndarray]) -> bool:
        """After each step: save and report when it is time; False when the training is done."""
        self.step += 1
        now = monotonic()
        if self._writer is not None and self.step % LOG_STEPS == 0:
            for name, value in self.losses.items():
                self._writer.add_scalar(f"loss/{name}", value, self.step)
            self._writer.add_scalar("side", self.side, self.step)
        if self._bar is not None:
            self._bar.update(self._bar.task_ids[0], completed=self.progress, description=self._line())
        elif self.world.first and now - self._said > SAY_S:
            self._said = now
            print(self._line(), flush=True)
        # One number settles for all processes whether to save and whether to end.
        told = self.world.agree(-1.0 if self.interrupted else self._progress() + 10.0 * (now - self._saved > SAVE_S))
        if told >= 10.0:
            self.save(sheet)
            told -= 10.0
        self.progress = max(told, self.progress)
        return 0.0 <= told < 1.0

    def _line(self) -> str:
        figures = "  ".join(f"{name} {value:.3f}" for name, value in self.losses.items())
        side = f"{self.side}x{self.side}  " if self.side else ""
        return f"step {self.step}  {self.seconds / 60:.1f} min  {side}{figures}"

    def save(self, sheet: Callable[[], np.ndarray]) -> None:
        """Checkpoint and sample sheet, each put in place whole."""
        self._saved = monotonic()
        words = self.rng.bit_generator.state["state"]
        mine = {"torch": torch.get_rng_state(), "numpy": [str(words["state"]), str(words["inc"])]}
        if self.world.device.type == "cuda":
            mine["cuda"] = torch.cuda.get_rng_state(self.world.device)
        draws = self.world.gather(mine)
        if not self.world.first:
            return
        state = {name: part.state_dict() for name, part in self.parts.items()}
        state["run"] = {
            "step": self.step,
            "seconds": self.seconds,
            "losses": self.losses,
            "draws": draws,
            "asked": self._asked(),
        }
        with folders.replacing(self.options.checkpoint) as file:
            torch.save(state, file)
        pictures = sheet()
        Image.fromarray(pictures).save(self.options.out.with_suffix(".png"))
        if self._writer is not None:
            self._writer.add_image("samples", pictures, self.step, dataformats="HWC")

    def _asked(self) -> dict[str, Any]:
        """Options that a training keeps to the end, and those that make it exactly the uninterrupted one."""
        options = self.options
        fixed = {"size": options.size, "latent": options.latent, "net": options.net}
        return {**fixed, "seed": options.seed, "batch": options.batch}

    def _load(self) -> None:
        path = self.options.checkpoint
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                state = torch.load(path, weights_only=True, map_location="cpu")
            run = state["run"]
            draws = run["draws"]
        except FileNotFoundError:
            raise Fault(f"{path}: no checkpoint to resume from; start without --resume") from None
        except Exception:  # what torch and zipfile raise over damaged files has no common class
            raise Fault(
                f"{path}: no checkpoint of a training, or a damaged one; remove it, and start without --resume"
            ) from None
        if set(state) - {"run"} != set(self.parts):
            raise Fault(f"{path}: is the checkpoint of another kind of training; take another name with -o")
        was = run.get("asked", {})  # older ones do not say
        other = {key: value for key, value in self._asked().items() if was.get(key, value) != value}
        for key, value in other.items():
            if key not in ("seed", "batch"):
                raise Fault(
                    f"{path}: was trained with --{key} {was[key]}, not {value}; resume with that, or take "
                    "another name with -o"
                )
            log.warning(
                "%s: --%s was %s; with %s it is not exactly the uninterrupted training", path, key, was[key], value
            )
        try:
            for name, part in self.parts.items():
                part.load_state_dict(state[name])
        except (RuntimeError, ValueError, KeyError):
            raise Fault(
                f"{path}: is not of this network; resume with the options it was begun with, or take another "
                "name with -o"
            ) from None
        if len(draws) != self.world.size:
            raise Fault(
                f"{path}: was trained by {counted(len(draws), 'process', 'processes')}, not "
                f"{self.world.size}; start as many"
            )
        self.step = run["step"]
        self.before_s = run["seconds"]
        self.losses = run["losses"]
        self._begun = monotonic()
        if self._progress() >= 1.0:
            raise Fault(
                f"{path}: has run for {counted(self.step, 'step')} and {self.seconds / 60.0:.1f} minutes "
                "already; --steps and --minutes count from the very beginning, so give more to go on"
            )
        mine = draws[self.world.rank]
        torch.set_rng_state(mine["torch"])
        if "cuda" in mine and self.world.device.type == "cuda":
            torch.cuda.set_rng_state(mine["cuda"], self.world.device)
        words = dict(self.rng.bit_generator.state)
        words["state"] = {"state": int(mine["numpy"][0]), "inc": int(mine["numpy"][1])}
        self.rng.bit_generator.state = words


def laid_out(network: Network, layout: torch.memory_format) -> Network:
    """The network itself, its weights moved into that layout of memory."""
    moved: Network = network.to(memory_format=layout)  # type: ignore[call-overload]  # torch's types lack it
    return moved


def fast(x: Tensor) -> Tensor:
    """Channels last: three times faster than the usual layout together with bfloat16 on a CPU."""
    return x.to(memory_format=torch.channels_last)


def sheet_of(pictures: Tensor, columns: int = 8) -> np.ndarray:
    """(N, 3, S, S) -> one picture (rows * S, columns * S, 3) uint8."""
    n, _, side, _ = pictures.shape
    grid = pictures[: n // columns * columns].float().cpu().clamp(0, 1).reshape(-1, columns, 3, side, side)
    return (grid.permute(0, 3, 1, 4, 2).reshape(-1, columns * side, 3).numpy() * 255 + 0.5).astype(np.uint8)


def batch_of(pictures: Pictures, run: Run) -> Tensor:
    """The next batch of training pictures; of small ones there are twice as many."""
    many = run.options.batch * (2 if run.side <= FIRST_SIDE else 1)
    return fast(torch.from_numpy(pictures.batch(run.rng, many)).to(run.world.device))


def shrunk(pictures: Tensor, side: int) -> Tensor:
    """The same pictures with `side` pixels on a side."""
    return pictures if pictures.shape[-1] == side else fast(F.avg_pool2d(pictures, pictures.shape[-1] // side))
