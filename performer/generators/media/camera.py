"""A camera as a layer's source: the newest picture, always; one that is unplugged is looked for again."""

from __future__ import annotations

import logging
import re
import sys
import threading
from pathlib import Path
from time import monotonic
from typing import Any

import av
import numpy as np

from performer.system.errors import Fault
from performer.system.mailboxes import Latest
from performer.types.frame import Play

log = logging.getLogger(__name__)
RETRY_S = 2.0
SETTLE_S = 1.0
#: Platform -> FFmpeg's format for cameras, and how a number names one.
FORMATS = {"linux": ("v4l2", "/dev/video{}"), "darwin": ("avfoundation", "{}:none"), "win32": ("dshow", "video={}")}
#: FFmpeg's sources that need nothing but their options.
SOURCES = ("color", "gradients", "mandelbrot", "rgbtestsrc", "smptebars", "smptehdbars", "testsrc", "testsrc2")
SYNTHETIC = re.compile(rf"({'|'.join(SOURCES)})(=[\w.:=/#-]*)?", re.ASCII)


class Camera:
    """A camera, opened and read on a thread of its own.

    Parameters
    ----------
    what : str
        Its number, device path or name; "lavfi:SOURCE=OPTIONS" for one of FFmpeg's synthetic ones.
    mirror : bool, optional
        As in a mirror.
    """

    def __init__(self, what: str, mirror: bool = False) -> None:
        self.what = what
        self._mirror = mirror
        self._newest: Latest[np.ndarray] = Latest()
        self._stop = threading.Event()
        self._told = False

    def picture(self, _play: Play, _size: tuple[int, int]) -> np.ndarray | None:
        """(H, W, 4) uint8, or None before the first."""
        return self._newest.peek()

    def run(self) -> None:
        """Thread body: read until closed; a camera that is lost is tried again every two seconds."""
        while not self._stop.is_set():
            try:
                self._read()
                why = "it sends no more"
            except (OSError, av.error.FFmpegError, ValueError, IndexError) as error:
                why = " ".join(str(error).split())[:120]
            if not self._stop.is_set() and not self._told:
                self._told = True
                log.warning("camera %s: %s; the last frame stays, and reconnection is tried", self.what, why)
            self._stop.wait(RETRY_S)

    def _read(self) -> None:
        form, name = self._place()
        options = {"fflags": "nobuffer"} if form != "lavfi" else {}
        with av.open(name, format=form, options=options, timeout=(5.0, 5.0)) as device:
            begun = monotonic()
            for count, frame in enumerate(device.decode(device.streams.video[0])):
                if self._stop.is_set():
                    return
                if self._told:
                    self._told = False
                    log.info("camera %s is back", self.what)
                picture = frame.to_ndarray(format="rgba")
                self._newest.post(np.ascontiguousarray(picture[:, ::-1]) if self._mirror else picture)
                if form == "lavfi":  # which is as fast as it can be; a camera waits by itself
                    self._stop.wait(max(0.0, begun + (count + 1) / 30.0 - monotonic()))

    def _place(self) -> tuple[str, str]:
        if self.what.startswith("lavfi:"):
            graph = self.what.removeprefix("lavfi:")
            if not SYNTHETIC.fullmatch(graph):  # others read files, fetch from networks and load code
                raise ValueError(f"not one of FFmpeg's synthetic sources: {', '.join(SOURCES)}, with their options")
            return "lavfi", graph
        form, numbered = FORMATS.get(sys.platform, FORMATS["linux"])
        if self.what.isascii() and self.what.isdigit():
            return form, numbered.format(self.what)
        if form == "v4l2" and not self.what.startswith("/"):
            return form, _by_name(self.what)
        return form, self.what if form != "dshow" else f"video={self.what}"

    def wait(self, seconds: float) -> None:
        self._stop.wait(seconds)

    def close(self) -> None:
        self._stop.set()


def glimpse(what: str, patience_s: float = 8.0) -> np.ndarray:
    """One picture of a camera, (H, W, 4) uint8, after it has had a moment to find its exposure. Raises Fault."""
    camera = Camera(what)
    thread = threading.Thread(target=camera.run, daemon=True)
    thread.start()
    picture, begun = None, monotonic()
    while monotonic() - begun < patience_s and (picture is None or monotonic() - begun < SETTLE_S):
        picture = camera.picture(Play(0.0), (0, 0))
        camera.wait(0.05)
    camera.close()
    if picture is None:
        raise Fault(f"camera {what}: no frame arrived")
    return picture


def _by_name(wanted: str) -> str:
    """The device of a camera whose name contains `wanted`; raises OSError listing those there are."""
    known: dict[str, Any] = {}
    for path in sorted(Path("/sys/class/video4linux").glob("video*")):
        try:
            known[(path / "name").read_text(encoding="utf-8").strip()] = f"/dev/{path.name}"
        except OSError:
            continue
    for name, device in known.items():
        if wanted.lower() in name.lower():
            return str(device)
    raise OSError(f"no camera of that name; there are {', '.join(known) or 'none'}")
