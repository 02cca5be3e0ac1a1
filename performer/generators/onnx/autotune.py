"""Which way of running a model to take: all are tried when it is loaded, and the fastest right one is kept."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from time import perf_counter
from typing import Generic, Protocol, TypeVar

import numpy as np

from performer.system.errors import Fault
from performer.system.onnx_errors import onnx_reason
from performer.system.timeouts import TimedOut, within

LEAST_PSNR_DB = 45.0  # between pictures of one way and of the first: an error of 1.4 of 255, which nobody sees
WORTH = 1.05  # how much faster than the first another must be: less is noise
PICTURES = 4  # that are compared
# runs before, and runs of which the median counts
WARM = 3
TIMED = 16


class Runner(Protocol):
    """A model, ready to run in one way; numbers stand for inputs, the same ones for every runner."""

    def picture(self, number: int) -> np.ndarray: ...
    def run(self, number: int) -> object: ...


R = TypeVar("R", bound=Runner)


@dataclass(frozen=True)
class Trial:
    """What came of one way.

    Attributes
    ----------
    ms : float
        Milliseconds for a picture, median; inf where it does not work.
    psnr_db : float
        PSNR, in decibels, of its worst picture against the first way's.
    fault : str
        Why it does not work, or is wrong; empty where all is well.
    """

    name: str
    ms: float = math.inf
    psnr_db: float = math.inf
    fault: str = ""

    def line(self) -> str:
        """For people."""
        same = "" if math.isinf(self.psnr_db) else f", {self.psnr_db:.0f} dB"
        return f"{self.name}: {self.fault}" if self.fault else f"{self.name}: {self.ms:.2f} ms{same}"


def choose(trials: Sequence[Trial]) -> int:
    """Number of the fastest that is right: the first one that works, unless another is worth it.

    Raises Fault with every way's reason where none is.
    """
    right = [number for number, trial in enumerate(trials) if not trial.fault and trial.psnr_db >= LEAST_PSNR_DB]
    if not right:
        raise Fault("; ".join(dict.fromkeys(trial.line() for trial in trials)) or "there is nothing to try")
    fastest = min(right, key=lambda number: trials[number].ms)
    return fastest if trials[fastest].ms * WORTH <= trials[right[0]].ms else right[0]


@dataclass(frozen=True)
class Chosen(Generic[R]):
    """The runner that was taken, its number among the names, and what came of each."""

    runner: R
    number: int
    trials: tuple[Trial, ...]


def best(
    names: Sequence[str], begin: Callable[[int], R], budget_s: float, clock: Callable[[], float] = perf_counter
) -> Chosen[R]:
    """Try each way and keep the best.

    Parameters
    ----------
    begin : callable
        Makes the runner of a number; may raise anything.
    budget_s : float
        Seconds after which no further way is waited for, once one works; the rest comes too late and is dropped.

    Raises
    ------
    Fault
        Where none works.
    """
    runners: dict[int, R] = {}
    trials: list[Trial] = []
    truth: list[np.ndarray] = []
    ends = clock() + budget_s
    for number, name in enumerate(names):
        left = ends - clock()
        if left <= 0.0:
            trials.append(Trial(name, fault=f"not tried: {budget_s:.0f} s were over"))
            continue
        try:
            runner, trial, pictures = within(left, partial(_begun, name, begin, number, truth))
        except TimedOut:
            trials.append(Trial(name, fault=f"not ready after {budget_s:.0f} s"))
            continue
        except Exception as error:  # ONNX Runtime's errors have no common class
            trials.append(Trial(name, fault=str(error) if isinstance(error, Fault) else onnx_reason(error)))
            continue
        truth = truth or ([] if trial.fault else pictures)
        trials.append(trial)
        runners[number] = runner
    chosen = choose(trials)
    return Chosen(runners[chosen], chosen, tuple(trials))


def _begun(
    name: str, begin: Callable[[int], R], number: int, truth: Sequence[np.ndarray]
) -> tuple[R, Trial, list[np.ndarray]]:
    return _tried(name, begin(number), truth)


def _tried(name: str, runner: R, truth: Sequence[np.ndarray]) -> tuple[R, Trial, list[np.ndarray]]:
    pictures = [np.array(runner.picture(number), np.float32) for number in range(PICTURES)]
    if not all(np.isfinite(picture).all() for picture in pictures):
        return runner, Trial(name, fault="makes NaN or infinite values"), pictures
    worst = min((psnr(one, other) for one, other in zip(pictures, truth, strict=False)), default=math.inf)
    if worst < LEAST_PSNR_DB:
        return runner, Trial(name, psnr_db=worst, fault=f"its pictures differ ({worst:.0f} dB)"), pictures
    took = []
    for number in range(WARM + TIMED):
        begun = perf_counter()
        runner.run(number % PICTURES)
        took.append(perf_counter() - begun)
    return runner, Trial(name, 1e3 * float(np.median(took[WARM:])), worst), pictures


def psnr(one: np.ndarray, other: np.ndarray) -> float:
    """Peak signal-to-noise ratio in dB of two pictures of 0..1; inf where they are the same, -inf for other sizes."""
    if one.shape != other.shape:
        return -math.inf
    error = float(np.mean(np.square(one.astype(np.float64) - other)))
    return math.inf if error == 0.0 else -10.0 * math.log10(error)
