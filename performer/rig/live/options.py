"""What `performer play` takes, and whether what it writes can be written."""

from __future__ import annotations

import logging
import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from performer.io.record import moves
from performer.io.record.movie import check_path
from performer.system.errors import Fault

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class PlayOptions:
    """What `performer play` takes; see its --help."""

    preset: str | None = None
    input: str = "default"
    midi: str = "all"
    midi_api: str = ""
    size: tuple[int, int] = (1280, 720)
    monitor: str | None = None
    fullscreen: bool = False
    headless: bool = False
    hud: bool = False
    desk: bool = False
    gallery: bool = False
    limit_flashes: bool = False
    fps: float | None = None
    seconds: float | None = None
    seed: int = 0
    transition: str | None = None
    provider: str = "auto"
    output_delay_ms: float | None = None
    quantise: str = "now"
    autopilot: int = 0
    crossfader: str = ""
    pads: int | None = None
    pads_channel: int = 0
    program_channel: int | None = 0
    link: bool = False
    midi_clock_out: str | None = None
    page: int | None = None
    page_host: str = "127.0.0.1"
    record: str | None = None
    record_moves: str | None = None
    stats: str | None = None


def checked(options: PlayOptions) -> PlayOptions:
    """The options; in a gallery without those whose files cannot be written. Raises Fault."""
    for name, check in (("stats", writable), ("record", check_path), ("record_moves", moves.check_path)):
        path = getattr(options, name)
        try:
            if path is not None:
                check(path)
        except Fault as fault:
            if not options.gallery:
                raise
            log.error("%s", fault)
            without: dict[str, Any] = {name: None}
            options = replace(options, **without)
    return options


def writable(path: str) -> None:
    """Raises Fault unless a file can be written there; touches nothing."""
    folder = Path(path).absolute().parent
    if not folder.is_dir():
        raise Fault(f"{path}: cannot write there: no folder {folder}")
    if Path(path).is_dir() or not os.access(Path(path) if Path(path).exists() else folder, os.W_OK):
        raise Fault(f"{path}: cannot write there; choose another place")
