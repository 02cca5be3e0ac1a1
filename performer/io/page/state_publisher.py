"""What the control page may know of the show: a snapshot, posted by the main thread a few times a second."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from performer.latent.bank import Bank, Snapshot
from performer.show.show import Show
from performer.system.mailboxes import Latest
from performer.types.frame import Frame, Scene

EVERY_S = 0.1  # between two snapshots, and between two pictures
BUSY = 3.0  # times as long between two pictures where frames come late
WIDTH = 416  # pixels of the live picture


@dataclass(frozen=True, kw_only=True)
class PageState:
    """The show at one moment.

    Attributes
    ----------
    frame : Frame
        The newest one.
    scene : Scene
        The live scene in it.
    presets : tuple[tuple[str, str, str], ...]
        Name, title and mood of each, in the order of the digit keys.
    model : str
        That the scene's walk plays, "" for none.
    places : tuple[Place, ...]
        Its bank.
    dim : int
        Size of its latents.
    notices : tuple[tuple[str, str], ...]
        Level ("info", "warning" or "error") and text of each that is new.
    """

    frame: Frame
    scene: Scene
    presets: tuple[tuple[str, str, str], ...]
    model: str
    places: tuple[Snapshot, ...]
    dim: int
    seed: int
    notices: tuple[tuple[str, str], ...] = ()


class StatePublisher:
    """Where the main thread pins snapshots and small pictures, while somebody looks."""

    def __init__(self) -> None:
        self.glances: Latest[PageState] = Latest()
        self.pictures: Latest[np.ndarray] = Latest()  # (H, W, 3) uint8, top row first, small or not
        self._watched: Latest[bool] = Latest()
        self._busy: Latest[bool] = Latest()
        self._looked_t = self._pictured_t = float("-inf")
        self._presets: tuple[list[object], tuple[tuple[str, str, str], ...]] = ([], ())

    @property
    def watched(self) -> bool:
        """Whether somebody looks."""
        return bool(self._watched.peek())

    @watched.setter
    def watched(self, on: bool) -> None:
        self._watched.post(on)

    @property
    def busy(self) -> bool:
        """Whether frames come late: then whoever looks gets less, so that the show gets more."""
        return bool(self._busy.peek())

    @busy.setter
    def busy(self, on: bool) -> None:
        self._busy.post(on)

    def wants_picture(self, t: float) -> bool:
        """Whether it is time for another small picture."""
        if not self.watched or t - self._pictured_t < EVERY_S * (BUSY if self.busy else 1.0):
            return False
        self._pictured_t = t
        return True

    def look(self, show: Show, frame: Frame, t: float, notices: Iterable[tuple[str, str]] = ()) -> None:
        """Pin a snapshot, where one is due."""
        if not self.watched or t - self._looked_t < EVERY_S:
            return
        self._looked_t = t
        if self._presets[0] is not show.presets:
            self._presets = (show.presets, tuple((p.name, p.title, p.mood) for p in show.presets))  # type: ignore
        scene = frame.incoming or frame.scene
        model = next((layer.model for layer in scene.preset.model_layers if layer.model is not None), "")
        bank: Bank | None = show.recaller.banks.get(model)
        self.glances.post(
            PageState(
                frame=frame,
                scene=scene,
                presets=self._presets[1],
                model=model if bank is not None else "",
                places=tuple(bank.places) if bank else (),
                dim=bank.dim if bank else 0,
                seed=show.seed,
                notices=tuple(notices),
            )
        )
