"""Several pictures of a model in one run: a processor makes small ones at less cost than one after another."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
import onnxruntime as ort

from performer.content.models.card import Card, Entry
from performer.generators.onnx.autotune import WORTH
from performer.generators.onnx.buffer_pool import BufferPool
from performer.generators.onnx.io_binding import Bound
from performer.generators.onnx.model_inputs import InputFeed
from performer.generators.onnx.tensor_layout import planar
from performer.system.errors import Fault
from performer.system.onnx_errors import onnx_reason
from performer.types.frame import Walk

COUNTS = (2, 4)  # of pictures in a run that are tried
MORE = 1.1  # by how much a larger batch must be better than a smaller one, which foretells less and fits in sooner
ROUNDS = 6
PART = 0.2  # of a new time that counts at once
SLOWEST_S = 0.06  # for a picture: a batch of slower ones never fits between two pictures
LARGEST = 64 << 20  # bytes of a model that is kept once more
CLOSE = 2.5e-4  # of 0..1, between a picture and itself in a batch: a sixteenth of what eight bits tell apart

#: What is asked of a picture: latent, middle, fine, walk, offsets, as `OnnxGenerator.paint` takes them.
Asked = tuple[np.ndarray, np.ndarray | None, np.ndarray | None, Walk | None, tuple[np.ndarray | None, ...]]


class Batch:
    """A model that makes `count` pictures in a run, in memory of its own that is used again.

    Attributes
    ----------
    share
        What a picture costs in it, as a part of what one alone does.
    single_s
        Seconds that one alone takes now.
    """

    def __init__(
        self, session: ort.InferenceSession, card: Card, entries: Sequence[Entry], output: str, count: int
    ) -> None:
        self.count = count
        self.share = 1.0
        self.single_s = 0.0
        feed = {entry.name: np.zeros((count, *entry.shape[1:]), entry.type) for entry in entries}
        self._card = card
        self._inlets = [
            InputFeed({name: array[i : i + 1] for name, array in feed.items()}, entries) for i in range(count)
        ]
        # What comes out is handed out as it is, or, where it is no picture yet, written into other memory that is lent.
        self._bound = Bound(session, feed, output, (count, *card.shape[1:]))
        kind = next(result.type for result in session.get_outputs() if result.name == output)
        plain = (kind, card.layout, card.channels, card.order, card.range, card.mean, card.std, card.clip) == (
            "tensor(float)",
            "NCHW",
            3,
            "rgb",
            (0.0, 1.0),
            (),
            (),
            False,
        )
        self._planes = None if plain else BufferPool((count, 3, card.size[1], card.size[0]), np.float32)

    @property
    def work_s(self) -> float:
        """Seconds that a run takes now."""
        return self.count * self.share * self.single_s

    def took(self, seconds: float) -> None:
        """Note how long a single picture took; one that was held up by something else counts little."""
        self.single_s += PART * (min(seconds, 2.0 * self.single_s) - self.single_s)

    def paint(self, asked: Sequence[Asked]) -> list[np.ndarray]:
        """Pictures (3, H, W) float32, 0..1, C-contiguous, `count` of them. Raises Fault when the model fails."""
        for inlets, one in zip(self._inlets, asked, strict=True):
            inlets.set(*one)
        try:
            out = self._bound.run()
        except Exception as error:  # ONNX Runtime's errors have no common class
            raise Fault(f"the model failed: {onnx_reason(error)}") from None
        if not np.isfinite(out.sum(dtype=np.float32)):
            raise Fault("made an image with NaN or infinite values")
        card = self._card
        planes = self._planes.take()[1] if self._planes is not None else out
        return [
            planar(out[i : i + 1], card.layout, *card.levels, card.clip, lambda i=i: planes[i], card.order)  # type: ignore[misc]
            for i in range(self.count)
        ]


def fits(card: Card, entries: Sequence[Entry]) -> bool:
    """Whether a model takes and makes pictures one to a batch."""
    return (
        card.kind != "filter"
        and card.layout.startswith("N")
        and len(card.layout) == 4
        and all(entry.shape[:1] == (1,) for entry in entries)
    )


def paying(
    begin: Callable[[int], Batch],
    draws: Sequence[Asked],
    clock: Callable[[], float],
    enough: Callable[[], bool] = lambda: False,
) -> Batch | None:
    """The batch that makes pictures at the least cost, measured in turn with single ones; None where none is worth it.

    Parameters
    ----------
    begin : callable
        Makes a batch of so many; may raise anything, and what raises is left out.
    draws : Sequence[Asked]
        What is asked in the trial, as many as the largest batch takes.
    clock : callable
        Clock of seconds that were worked, or that went by.
    enough : callable, optional
        Says that nobody wants to know any more.
    """
    single = begin(1)
    truth = [single.paint(draws[:1])[0].copy()]
    begun = clock()
    single.paint(draws[:1])
    if clock() - begun > SLOWEST_S or enough():
        return None
    truth += [single.paint([one])[0].copy() for one in draws[1:]]
    chosen: Batch | None = None
    for count in COUNTS:
        try:
            batch = begin(count)
            made = batch.paint(draws[:count])
        except Exception:  # ONNX Runtime's errors have no common class; single pictures still work
            return chosen
        if any(np.abs(one - true).max() > CLOSE for one, true in zip(made, truth, strict=False)):
            return chosen
        alone_s = together_s = math.inf  # the least: whatever else runs here only adds
        for _ in range(ROUNDS):
            if enough():
                return None
            begun = clock()
            single.paint(draws[:1])
            between = clock()
            batch.paint(draws[:count])
            alone_s, together_s = min(alone_s, between - begun), min(together_s, clock() - between)
        batch.share = together_s / count / max(alone_s, 1e-9)
        batch.single_s = alone_s
        if batch.share * (WORTH if chosen is None else MORE) > (1.0 if chosen is None else chosen.share):
            return chosen
        chosen = batch
    return chosen


def draws(card: Card, entries: Sequence[Entry], seed: int = 13) -> list[Asked]:
    """Pictures to try, all inputs played, each otherwise: what is mixed up within a batch shows."""
    rng = np.random.default_rng(seed)
    size = next((int(np.prod(entry.shape)) for entry in entries if entry.role == "w"), 0)
    found: list[Asked] = []
    for i in range(max(COUNTS)):
        latents = rng.standard_normal((3, card.latent)).astype(np.float32)
        walk = Walk("drift", 0.0, 1, 1.0, psi=1.0 - 0.1 * i, noise=(0.3 * i, 5.0, 0.2, 0.2, 0.2))
        offsets = tuple(rng.standard_normal((3, size)).astype(np.float32) * 0.1) if size else ()
        found.append((latents[0], latents[1], latents[2], walk, offsets))
    return found
