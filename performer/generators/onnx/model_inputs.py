"""What a model takes besides its latent, and can be played: offsets in w, truncation, noise. And NAME.mapping.onnx."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnxruntime as ort

from performer.content.models.card import Card, Entry
from performer.content.models.onnx_file import SUMS, examine, operators
from performer.latent.style_noise import field, strengths
from performer.system.errors import Fault
from performer.system.onnx_errors import onnx_reason
from performer.types.frame import Walk

MOST_BYTES = 64 << 20
STYLES = ("w", "w_middle", "w_fine")


class Mapping:
    """A model's mapping network: latents (N, D) float32 -> styles (N, W) float32.

    Raises Fault when the file is no good, or does not belong to the card; called, when it fails.
    """

    def __init__(self, path: Path, card: Card) -> None:
        self._path = path
        examine(path)
        if path.stat().st_size > MOST_BYTES:
            raise Fault(f"{path}: not the mapping of this model: larger than {MOST_BYTES >> 20} MB")
        if strange := operators(path) - SUMS:  # it is run here, without a trial in a process of its own
            raise Fault(f"{path}: not the mapping of this model: it holds {', '.join(sorted(strange)[:3])}")
        options = ort.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        try:
            self._session = ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
            (given,), (made,) = self._session.get_inputs(), self._session.get_outputs()
            self._given = given.name
            self._made = made.name
            styles = self(np.ones((2, card.latent), np.float32))
        except Exception as error:  # ONNX Runtime's errors have no common class
            raise Fault(f"{path}: not the mapping of this model: {onnx_reason(error)}") from None
        entry = card.entry("w")
        if entry is None or styles.shape != (2, int(np.prod(entry.shape))) or not np.isfinite(styles).all():
            raise Fault(
                f"{path}: makes {list(styles.shape[1:])} of a latent, but the card's w is "
                f"{list(entry.shape) if entry else 'not there'}"
            )

    def __call__(self, latents: np.ndarray) -> np.ndarray:
        given = {self._given: np.ascontiguousarray(latents, np.float32)}
        try:
            styles: np.ndarray = self._session.run([self._made], given)[0]
        except Exception as error:
            raise Fault(f"{self._path}: the mapping failed: {onnx_reason(error)}") from None
        return styles


class InputFeed:
    """Keeps the arrays that a model is fed with for one picture, and sets them as a walk asks.

    Parameters
    ----------
    feed : dict[str, ndarray]
        Input name -> array, which is written in place.
    """

    def __init__(self, feed: dict[str, np.ndarray], entries: Sequence[Entry]) -> None:
        self._feed = feed
        self._latent: np.ndarray | None = None
        self._styles: list[np.ndarray] = []  # what middle and fine layers are fed with
        for entry in entries:
            array = feed[entry.name]
            if entry.role == "class" and array.size > 1:
                array.flat[int(entry.value) % array.size] = 1  # one-hot
            elif entry.role in ("class", "truncation", "constant"):
                array[...] = entry.value
            elif entry.role == "noise":  # always the same, so that pictures repeat
                array[...] = np.random.default_rng(0).standard_normal(entry.shape)
            elif entry.role in ("middle", "fine"):
                self._styles.append(array)
            elif entry.role == "latent":
                self._latent = array
        by_role = {
            role: [entry for entry in entries if entry.role == role and entry.type.startswith("float")]
            for role in ("truncation", "grain", "noise", *STYLES)
        }
        self._offsets = [by_role[role][0].name for role in STYLES if by_role[role]]
        self._moved = [False] * len(self._offsets)
        self._truncations = by_role["truncation"]
        self._grain = [entry.name for entry in by_role["grain"]]
        self._sizes = [max(entry.shape) for entry in by_role["grain"]]
        self._noise = {entry.name: feed[entry.name].copy() for entry in by_role["noise"]}
        self._noisy = False

    @property
    def mixes(self) -> bool:
        """Whether middle and fine layers may follow latents of their own."""
        return len(self._styles) == 2

    def set(
        self,
        latent: np.ndarray,
        middle: np.ndarray | None = None,
        fine: np.ndarray | None = None,
        walk: Walk | None = None,
        offsets: tuple[np.ndarray | None, ...] = (),
    ) -> list[str]:
        """Take latents; truncation and noise from a walk; offsets in w for coarse, middle and fine layers.

        None: the latent, where layers have none of their own; else at rest. Returns the names of the inputs that
        changed, those of latents left out.
        """
        assert self._latent is not None
        self._latent[...] = latent.reshape(self._latent.shape if latent.size == self._latent.size else -1)
        for array, style in zip(self._styles, (middle, fine), strict=False):
            array[...] = (latent if style is None else style).reshape(array.shape)
        changed = []
        for i, name in enumerate(self._offsets):
            offset = offsets[i] if i < len(offsets) else None
            if offset is not None or self._moved[i]:
                array = self._feed[name]
                array[...] = 0.0 if offset is None else offset.reshape(array.shape)
                self._moved[i] = offset is not None
                changed.append(name)
        psi = walk.psi if walk is not None else None
        for entry in self._truncations:
            wanted = np.float32(entry.value if psi is None else psi)
            array = self._feed[entry.name]
            if (array != wanted).any():
                array[...] = wanted
                changed.append(entry.name)
        noise = walk.noise if walk is not None else ()
        if noise or self._noisy:
            self._set_noise(noise)
            changed += [*self._grain, *self._noise]
        return changed

    def _set_noise(self, noise: tuple[float, ...]) -> None:
        position, seed, *amounts = noise or (0.0, 0.0, 0.0, 0.0, 0.0)
        strong = strengths(self._sizes, tuple(amounts))  # type: ignore[arg-type]
        for i, (name, amount) in enumerate(zip(self._grain, strong, strict=True)):
            array = self._feed[name]
            field(position, int(seed), i, array.shape, amount, array)
        for i, (name, rest) in enumerate(self._noise.items()):  # noisy at rest: the more amount, the more it moves
            moved = min(max(amounts), 1.0)
            array = self._feed[name]
            field(position, int(seed), 64 + i, array.shape, moved, array)
            array += rest * np.float32(np.sqrt(1.0 - moved * moved))
        self._noisy = bool(noise)
