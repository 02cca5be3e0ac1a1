"""A GAN generator or VAE decoder in an ONNX file, run by ONNX Runtime in the way that was found the fastest here."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from math import prod
from pathlib import Path
from time import perf_counter, thread_time

import numpy as np
import onnxruntime as ort

from performer.content.models import directions_file, inputs
from performer.content.models.card import Card, Entry, load
from performer.content.models.onnx_file import examine
from performer.generators.onnx import model_inputs
from performer.generators.onnx.autotune import PICTURES, Trial, best
from performer.generators.onnx.batching import LARGEST, Batch, draws, fits, paying
from performer.generators.onnx.buffer_pool import BufferPool
from performer.generators.onnx.float16 import to_float16
from performer.generators.onnx.io_binding import TYPES, Bound, BoundOnCard
from performer.generators.onnx.providers import CPU, RECORD, Way, driver, groups, opened, placed, steady
from performer.generators.onnx.tensor_layout import fed, planar
from performer.generators.onnx.widen_batch import with_batch_size
from performer.system.errors import Fault, nearest
from performer.system.onnx_errors import onnx_reason
from performer.types.frame import Walk
from performer.types.image import GpuImage

log = logging.getLogger(__name__)
ort.set_default_logger_severity(4)  # its warnings are repeated here in one line where they matter
LOOK_S = 1.0  # how often a picture that stays on the card is looked at
STAYING = ("tensor(float)", "tensor(float16)", "tensor(uint8)")  # outputs that can be drawn as they are on the card
TURNING = ("latent", "middle", "fine", "image")  # inputs that change from picture to picture

__all__ = ["OnnxGenerator", "create", "driver", "threads_for"]


def threads_for(cores: int | None) -> int:
    """How many cores a model on the CPU may use: one of a small machine's, so that drawing keeps the other."""
    return max(1, min(4, (cores or 2) // 2))


class OnnxGenerator:
    """Latent (D,) -> picture (3, H, W) float32, 0..1; or picture to picture, where its card says filter.

    `provider` says in words where it runs, and for how much of it that is true; `trials`, what `create` tried.

    Parameters
    ----------
    path : Path
        NAME.onnx with NAME.toml beside it.
    way : Way, optional
        In which it runs; `create` finds the best one.
    options : ort.SessionOptions, optional
        Options of the session, where they are not the usual ones.

    Raises
    ------
    Fault
        When the file, its card or the way is no good.
    """

    trials: tuple[Trial, ...] = ()

    def __init__(
        self, path: Path, way: Way = CPU, threads: int | None = None, options: ort.SessionOptions | None = None
    ) -> None:
        self.path = path
        self.way = way
        self.card: Card = load(path.with_suffix(".toml"))
        if not path.is_file():
            raise Fault(f"{path}: no such model file; its card is there, so the .onnx was moved or never made")
        self._stamp = path.stat().st_mtime_ns
        examine(path)
        self.mapping = model_inputs.Mapping(inputs.beside(path), self.card) if "w" in inputs.offered(path) else None
        self.directions = directions_file.usable(path, self.card)
        self._threads = threads or threads_for(os.cpu_count())
        options = _sparing(options or ort.SessionOptions(), self._threads)
        if way is not CPU:
            options.add_session_config_entry(RECORD, "1")
        try:
            self._session = opened(to_float16(path) if way.half else str(path), way, options)
        except Fault:
            raise
        except Exception as error:
            if way is not CPU:
                raise
            raise Fault(f"{path}: not a model that ONNX Runtime can load: {onnx_reason(error)}") from None
        where = placed(self._session)
        share = where[way.provider] / where.total() if where else 1.0
        self.provider = way.name if share > 0.995 else f"{way.name} ({share:.0%} of its operators)"
        self._looked = 0.0
        self._bound: Bound | BoundOnCard | None = None
        self._planes = BufferPool((3, self.card.size[1], self.card.size[0]), np.float32)  # where outputs are not so
        self._wire()
        if way.device != "cpu":
            self.bind_on_card(way.device)
        if self.card.kind == "filter":
            self.change(np.full((3, 8, 8), 0.5, np.float32))
        else:
            self.paint(np.ones(self.card.latent, np.float32))  # the first run plans memory, and proves the model works

    def _wire(self) -> None:
        """Settle what each input is fed with. Raises Fault where the card does not fit the file."""
        there = {entry.name: entry for entry in self._session.get_inputs()}
        results = [result.name for result in self._session.get_outputs()]
        card = self.card
        entries = card.inputs
        if not entries:
            if len(there) != 1 or (len(results) != 1 and not card.output):
                raise Fault(
                    f"{self.path}: expected one input and one output, found {len(there)} and {len(results)}; "
                    "`performer models import` writes a card that says what they are"
                )
            ((name, entry),) = there.items()
            wanted = [1, card.latent]
            if len(entry.shape) != 2 or (isinstance(entry.shape[1], int) and entry.shape[1] != wanted[1]):
                raise Fault(f"{self.path}: its input is {entry.shape}, but the card says latent = {card.latent}")
            entries = [Entry(name=name, role="latent", shape=(1, card.latent))]
        if {entry.name for entry in entries} != set(there):
            raise Fault(
                f"{self.path}: its inputs are {', '.join(there)}, but the card names "
                f"{', '.join(entry.name for entry in entries)}"
            )
        if card.output and card.output not in results:
            raise Fault(f"{self.path}: has no output {card.output!r}{nearest(card.output, results)}")
        self._out = card.output or results[0]
        self._kind = next(result.type for result in self._session.get_outputs() if result.name == self._out)
        if self._kind not in TYPES:
            raise Fault(f"{self.path}: its output {self._out!r} is {self._kind}, which is not an image")
        self._entries = entries
        for entry in entries:
            self._compare(entry, there[entry.name])
        self._feed = {entry.name: np.zeros(entry.shape, entry.type) for entry in entries}
        self._images = [entry for entry in entries if entry.role == "image"] if card.kind == "filter" else []
        self._inlets = model_inputs.InputFeed(self._feed, entries)
        latent = card.entry("latent") if card.inputs and card.kind != "filter" else None
        if latent is not None and card.latent not in (prod(latent.shape), _one_for_all(latent.shape)):
            raise Fault(f"{self.path}: its latent is {list(latent.shape)}, but the card says latent = {card.latent}")

    def _compare(self, entry: Entry, there: ort.NodeArg) -> None:
        """Raises Fault where an input is not what the card says of it."""
        kind = np.dtype(TYPES[there.type]).name if there.type in TYPES else there.type
        if kind != entry.type:
            raise Fault(f"{self.path}: its input {entry.name!r} is {kind}, but the card says {entry.type}")
        if len(there.shape) != len(entry.shape) or any(
            isinstance(side, int) and side > 0 and side != said
            for side, said in zip(there.shape, entry.shape, strict=True)
        ):
            raise Fault(
                f"{self.path}: its input {entry.name!r} is {there.shape}, but the card says {list(entry.shape)}"
            )

    @property
    def given(self) -> dict[str, np.ndarray]:
        """What its inputs were given for the newest picture; not to be written to."""
        return self._feed

    def end_profiling(self) -> str:
        """The file in which ONNX Runtime wrote what ran where, if its options asked for that."""
        return str(self._session.end_profiling())

    @property
    def mixes(self) -> bool:
        """Whether middle and fine layers may follow latents of their own."""
        return self._inlets.mixes

    @property
    def stays(self) -> bool:
        """Whether its pictures can stay on the card."""
        card = self.card
        plain = card.order == "rgb" and not card.mean and not card.std and self._kind in STAYING
        return plain and isinstance(self._bound, BoundOnCard)

    def bind_on_card(self, device: str) -> None:
        """Keep inputs and outputs in a device's memory ("cuda"; "cpu" goes the same way on the processor)."""
        card = self.card
        fixed = [entry.name for entry in card.inputs if entry.role not in TURNING]

        def dressed(address: int, size: int, dtype: str, raw: Callable[[], np.ndarray]) -> GpuImage:
            return GpuImage(
                address=address,
                size=size,
                shape=card.shape,
                dtype=dtype,
                layout=card.layout,
                low=card.range[0],
                high=card.range[1],
                clip=card.clip,
                fetch=lambda: planar(raw(), card.layout, *card.levels, card.clip, order=card.order),
            )

        self._bound = BoundOnCard(
            self._session, self._feed, self._out, card.shape, dressed, device, self.way.graph, fixed
        )

    def batch(self, count: int) -> Batch:
        """The model once more, for so many pictures in a run. Raises Fault, or ONNX Runtime's errors."""
        if not fits(self.card, self._entries):
            raise Fault(f"{self.path}: does not make one image per item of a batch")
        names = [entry.name for entry in self._entries]
        model = with_batch_size(self.path, names, count) if count > 1 else str(self.path)
        session = opened(model, self.way, _sparing(ort.SessionOptions(), self._threads))
        return Batch(session, self.card, self._entries, self._out, count)

    def several(self, enough: Callable[[], bool] = lambda: False) -> Batch | None:
        """The batch in which pictures cost the least, found by measuring half a second; None where none is worth it,
        where the file cannot be widened or holds another version by now, on a card, and when it is `enough`."""
        if self.way.device != "cpu":
            return None
        # One thread's own time, where it can be told, is what other programs do not disturb.
        clock = thread_time if self._threads == 1 and self.way is CPU and os.name != "nt" else perf_counter
        try:
            if self.path.stat().st_size > LARGEST or self._changed():
                return None
            found = paying(self.batch, draws(self.card, self._entries), clock, enough)
            return None if self._changed() else found
        except Exception as error:  # as below; it plays without
            log.debug("%s: not several pictures in a run: %s", self.path, onnx_reason(error))
            return None

    def _changed(self) -> bool:
        return self.path.stat().st_mtime_ns != self._stamp

    def paint(
        self,
        latent: np.ndarray,
        middle: np.ndarray | None = None,
        fine: np.ndarray | None = None,
        walk: Walk | None = None,
        offsets: tuple[np.ndarray | None, ...] = (),
        stay: bool = False,
    ) -> np.ndarray | GpuImage:
        """The picture of a latent: (D,) float32 -> (3, H, W) float32, 0..1, C-contiguous.

        Parameters
        ----------
        middle, fine : ndarray, optional
            Latents of the model's middle and fine layers, where it mixes styles; else the latent.
        walk : Walk, optional
            Whose truncation and noise are played.
        offsets : tuple[ndarray | None, ...], optional
            What is added to the styles of coarse, middle and fine layers, where it has a w space.
        stay : bool, optional
            Leave it on the card, where the model runs on one and `stays`.

        Raises
        ------
        Fault
            When the model fails, or makes what is not a picture (wrong shape, NaN, infinity).
        """
        if self.card.kind == "filter":
            raise Fault(
                f"{self.path}: is an image-to-image model; in a preset, say of = NAME, the layer whose image it takes"
            )
        changed = self._inlets.set(latent, middle, fine, walk, offsets)
        if changed and isinstance(self._bound, BoundOnCard):
            self._bound.send(changed)
        return self._run(stay)

    def change(
        self, picture: np.ndarray, stay: bool = False, each: dict[str, np.ndarray] | None = None
    ) -> np.ndarray | GpuImage:
        """What a model of kind filter makes of a picture: (3, h, w) -> (3, H, W), both float32, 0..1.

        Parameters
        ----------
        each : dict[str, ndarray], optional
            Pictures by the inputs that take another one.

        Raises
        ------
        Fault
            What is wrong, where, and the likely mend, in one line.
        """
        if self.card.kind != "filter":
            raise Fault(f"{self.path}: takes a latent, not an image; leave out of = NAME")
        names = [entry.name for entry in self._images]
        for name in each or ():
            if name not in names:
                raise Fault(
                    f"{self.path}: no input {name!r} that takes an image{nearest(name, names)}; "
                    f"there are {', '.join(names)}"
                )
        for entry in self._images:
            values = fed(
                each.get(entry.name, picture) if each else picture,
                entry.shape,
                entry.layout,
                *entry.levels,
                entry.order,
            )
            self._feed[entry.name][...] = values if entry.type.startswith("float") else np.rint(values)
        return self._run(stay)

    def _run(self, stay: bool = False) -> np.ndarray | GpuImage:
        try:
            out = self._bound.run() if self._bound is not None else self._session.run([self._out], self._feed)[0]
        except Exception as error:  # ONNX Runtime's errors have no common class
            raise Fault(f"{self.path}: the model failed: {onnx_reason(error)}") from None
        if isinstance(out, GpuImage):
            return self._kept(out) if stay else self._sound(out.fetch())
        card = self.card
        if out.shape != card.shape:
            raise Fault(f"{self.path}: made {list(out.shape)}, but the card says {list(card.shape)}")
        if self._bound is None:  # now that its shape is known, pictures get memory that is used again
            self._bound = Bound(self._session, self._feed, self._out, card.shape)
        return planar(
            self._sound(out), card.layout, *card.levels, card.clip, lambda: self._planes.take()[1], card.order
        )

    def _kept(self, out: GpuImage) -> GpuImage:
        """Looked at now and then: to copy each one only to look at it would cost what staying there saves."""
        if perf_counter() - self._looked > LOOK_S:
            self._sound(out.fetch())
            self._looked = perf_counter()
        return out

    def _sound(self, out: np.ndarray) -> np.ndarray:
        if not np.isfinite(out.sum(dtype=np.float32)):
            raise Fault(f"{self.path}: made an image with NaN or infinite values; train or export it again")
        return out


def _one_for_all(shape: tuple[int, ...]) -> int:
    """The size of a latent that all layers of an input (1, layers, size) share; 0 for other shapes, which have none."""
    return shape[2] if len(shape) == 3 and shape[0] == 1 else 0


def _sparing(options: ort.SessionOptions, threads: int) -> ort.SessionOptions:
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return options


def create(path: Path, provider: str = "auto", threads: int | None = None, repeats: bool = False) -> OnnxGenerator:
    """The generator in a model file, in the way that was measured to be the fastest here.

    Parameters
    ----------
    provider : str, optional
        "auto" (CUDA where it works, else the CPU), "cpu", "cuda", "tensorrt" or "openvino".
    repeats : bool, optional
        In the plainest way instead, so that every start gives the same pictures to the bit.

    Raises
    ------
    Fault
        What is wrong, where, and the likely mend, in one line.
    """
    threads = threads or threads_for(os.cpu_count())
    why = ""
    for group in groups(provider, threads):
        group = steady(group) if repeats else group
        if group.ways == (CPU,):
            if why:
                log.warning("CUDA does not work, models run on the CPU: %s", why)
            return OnnxGenerator(path, CPU, threads)
        try:
            chosen = best(
                [way.name for way in group.ways],
                lambda number, ways=group.ways: _Runner(OnnxGenerator(path, ways[number], threads)),  # type: ignore[misc]
                group.budget_s,
            )
        except Fault as fault:
            why = str(fault)
            continue
        model = chosen.runner.model
        model.trials = chosen.trials
        log.info("%s runs on %s (%s)", path.stem, model.provider, "; ".join(trial.line() for trial in chosen.trials))
        return model
    names = {"cuda": "CUDA", "tensorrt": "TensorRT", "openvino": "OpenVINO"}
    raise Fault(f"{names[provider]} does not work here: {why}; `performer doctor` tells more")


class _Runner:
    """A generator under trial."""

    def __init__(self, model: OnnxGenerator) -> None:
        self.model = model
        size = model.card.latent if model.card.kind != "filter" else 3 * 32 * 32
        rng = np.random.default_rng(11)
        self._given = rng.standard_normal((PICTURES, size)).astype(np.float32)

    def _made(self, number: int, stay: bool) -> np.ndarray | GpuImage:
        given = self._given[number]
        if self.model.card.kind == "filter":
            return self.model.change(np.clip(0.5 + 0.2 * given.reshape(3, 32, 32), 0.0, 1.0), stay)
        return self.model.paint(given, stay=stay)

    def picture(self, number: int) -> np.ndarray:
        made = self._made(number, False)
        assert isinstance(made, np.ndarray)
        return made

    def run(self, number: int) -> object:
        return self._made(number, self.model.stays)
