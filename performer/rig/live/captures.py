"""Where finished pictures go besides the screen: the recorder, the snapshot folder, the control page."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from performer.gl.render.readback import Readback
from performer.gl.render.small_readback import Glimpse
from performer.io.page.state_publisher import WIDTH
from performer.io.record.recorder import Recorder
from performer.types.frame import Frame
from performer.types.status import FULL_EFFORT

if TYPE_CHECKING:
    from performer.rig.live.loop import LiveLoop

log = logging.getLogger(__name__)


class Captures:
    """Hands pictures on without the HUD, and without waiting for anybody."""

    def __init__(self, live: LiveLoop) -> None:
        self._live = live
        self.recorder: Recorder | None = None
        self.want_snapshot = False
        self._readback: Readback | None = None
        self._glimpse: Glimpse | None = None

    def start_recording(self, path: str | None = None) -> None:
        """Record from now on. Raises Fault when the path is no good."""
        self.recorder = self._live.wiring.record(path, self._live.surface.size)
        log.info("recording to %s", self.recorder.path)

    def stop_recording(self) -> None:
        """Close the recording, if there is one; it says itself how long it has become."""
        if self.recorder is not None:
            recorder = self.recorder
            self.recorder = None
            recorder.stop()

    def keep(self, frame: Frame) -> None:
        """Hand the picture, without the HUD, to the recorder and the snapshot folder."""
        recorder = self.recorder
        if recorder is not None and recorder.done:  # it has said why
            self.recorder = recorder = None
        if recorder is None and not self.want_snapshot:
            return
        if self._readback is None:
            self._readback = Readback(self._live.surface.ctx)
        if self.want_snapshot:
            self.want_snapshot = False
            self._live.wiring.snapshots.offer(self._readback.read(self._live.surface.screen, self._live.surface.size))
        if recorder is not None:
            if recorder.due(frame.t):
                self._readback.start(self._live.surface.screen, self._live.surface.size, frame.t)
            while (read := self._readback.take()) is not None:
                recorder.offer(*read)

    def publish(self, frame: Frame, whole: bool) -> None:
        """Show whoever looks at the control page how things are; the picture only if it is whole."""
        board, t = self._live.wiring.board, self._live.wiring.now()
        if board is None:
            return
        board.busy = frame.effort != FULL_EFFORT
        board.look(
            self._live.wiring.show, frame, t, [(one.severity, one.text) for one in self._live.wiring.notices.current(t)]
        )
        if whole and board.wants_picture(t):
            self._glimpse = self._glimpse or Glimpse(self._live.surface.ctx, WIDTH)
            self._glimpse.start(self._live.surface.screen, self._live.surface.size, t)
        picture = self._glimpse.take() if self._glimpse is not None else None
        if picture is not None:
            board.pictures.post(picture)
