"""Pictures of the show, saved as PNG away from the main thread."""

from __future__ import annotations

import logging
import queue
import threading
from datetime import datetime
from pathlib import Path

import numpy as np
from PIL import Image

from performer.io.record.movie import check_folder
from performer.system import folders
from performer.system.errors import Fault
from performer.system.paths import expanded

log = logging.getLogger(__name__)

WAITING = 4  # pictures that may wait for the disk


class Stills:
    """Saves pictures named by date and time; a thread runs `run`.

    Parameters
    ----------
    folder : str | Path, optional
        Where they go; None: `performer` in the person's pictures folder, made when first needed.
    """

    def __init__(self, folder: str | Path | None = None) -> None:
        self.folder = expanded(folder) if folder else folders.pictures()
        self.saved: list[Path] = []
        self._queue: queue.Queue[np.ndarray] = queue.Queue(WAITING)

    def offer(self, pixels: np.ndarray) -> bool:
        """Have (H, W, 3) uint8, top row first, saved soon; never waits. False when too many wait already."""
        try:
            self._queue.put_nowait(pixels)
        except queue.Full:
            log.warning("screenshot dropped: disk too slow")
            return False
        return True

    def run(self, stop: threading.Event) -> None:
        """Thread body: save what is offered, and what is left when `stop` is set."""
        while not (stop.is_set() and self._queue.empty()):
            try:
                pixels = self._queue.get(timeout=0.1)
            except queue.Empty:
                continue
            try:
                path = save(pixels, self.folder)
            except Fault as fault:
                log.error("screenshot not saved: %s", fault)
            else:
                self.saved.append(path)
                log.info("saved %s", path)


def save(pixels: np.ndarray, folder: Path) -> Path:
    """Save one picture under a new name; returns its path. Raises Fault when it can't."""
    path = dated_name(folder, ".png")
    try:
        Image.fromarray(np.ascontiguousarray(pixels)).save(path, compress_level=4)
    except OSError as error:
        path.unlink(missing_ok=True)
        raise Fault(f"{path}: cannot be written ({error.strerror or error}); choose another folder") from error
    return path


def dated_name(folder: Path, ending: str, least_free: int = 1 << 20) -> Path:
    """A new, empty file in `folder`, which is made, named by the present date and time. Raises Fault."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Fault(f"{folder}: cannot be made ({error.strerror}); choose another folder") from error
    check_folder(folder, least_free)
    try:
        return folders.free_name(folder / f"performer {datetime.now():%Y-%m-%d %H.%M.%S}{ending}")
    except OSError as error:
        raise Fault(f"{folder}: cannot be written to ({error.strerror}); choose another folder") from error
