"""The live loop: one picture after another, on the main thread, newest of everything, never waiting for anyone.

`frame_path.one_frame` is what it does for each.
"""

from __future__ import annotations

import gc
import logging
import math
from collections.abc import Callable
from time import sleep

from performer.gl.render.pass_timer import Timer
from performer.gl.render.renderer import Renderer
from performer.gl.window.operator_window import OperatorWindow
from performer.rig.live.budget import Budget
from performer.rig.live.captures import Captures
from performer.rig.live.controls import Controls
from performer.rig.live.frame_path import one_frame
from performer.rig.live.frame_stats import Stats
from performer.rig.live.overlay import Overlay
from performer.rig.live.wiring import Surface, Wiring
from performer.rig.pacing import Pace
from performer.system.tolerant import Cause, Tolerant
from performer.types.features import Features
from performer.types.frame import Frame, Scene

log = logging.getLogger(__name__)
TIMED_EVERY = 4  # frames between two in which each shader's cost is measured
FIRST_DT = 1.0 / 60.0  # seconds that the first frame is taken to last


class LiveLoop:
    """Draws the show on a surface until it is told to stop.

    Parameters
    ----------
    surface : Surface
        Window or offscreen buffer, whose context is current.
    fps : float
        Pictures per second: the screen's, or what is wished where there is none.
    hud : bool, optional
        Begin with the panel shown.
    desk : Desk, optional
        A second window for panel and previews, if there is one; the surface then shows nothing but the picture.
    """

    def __init__(
        self,
        surface: Surface,
        renderer: Renderer,
        wiring: Wiring,
        *,
        fps: float,
        hud: bool = False,
        desk: OperatorWindow | None = None,
    ) -> None:
        self.surface = surface
        self.renderer = renderer
        self.wiring = wiring
        renderer.timer = Timer(surface.ctx, every=TIMED_EVERY)
        renderer.monitor = desk is not None
        self.stats = Stats(1.0 / fps)
        self.pace = Pace(1.0 / fps)
        self.budget = Budget(1.0 / fps, renderer)
        self.controls = Controls(self)
        self.captures = Captures(self)
        self.overlay = Overlay(self, int(hud), desk)
        self.scene: Scene | None = None  # live, in the newest frame
        self._quit = False
        self._last_t: float | None = None
        self._failures: set[Cause] = set()

    def leave(self) -> None:
        """End after the picture that is being drawn."""
        self._quit = True

    def run(self, seconds: float | None = None, alive: Callable[[float], None] = lambda now: None) -> None:
        """Play for so many seconds, or until told to quit; `alive` hears the time of each picture."""
        begun = self.wiring.now()
        gc.collect()
        gc.freeze()
        gc.disable()
        try:
            while not self._quit and (seconds is None or self.wiring.now() - begun < seconds):
                self.picture()
                alive(self.wiring.now())
        except KeyboardInterrupt:
            log.info("interrupted")
        finally:
            gc.enable()
            self.captures.stop_recording()

    def picture(self) -> None:
        """One frame. Whatever fails in it, the last good picture stays on the screen, and the next frame is tried."""
        with self.tolerant("a frame") as whole:
            one_frame(self)
        if whole.failed:
            sleep(self.stats.interval_s)  # no screen has held it up

    def tolerant(self, what: str) -> Tolerant:
        """A context in which failures are logged, once for each cause, and end nothing."""
        return Tolerant(what, self._failures)

    def next_moment(self, begun: float) -> tuple[float, float]:
        """When the picture begun now will be seen, on the show's clock, and the seconds since the one before."""
        t = begun + self.wiring.latency.look_ahead_s
        if self._last_t is None:
            self._last_t = t - FIRST_DT
        t = max(t, self._last_t)  # the look-ahead may shrink by more than a frame; a show never goes back
        dt = t - self._last_t
        self._last_t = t
        return t, dt

    def meet_scene(self, frame: Frame) -> None:
        """Note which scene is live; with another preset, what did not fit may fit."""
        scene = frame.incoming or frame.scene
        if self.scene is None or scene.preset is not self.scene.preset:
            self.budget.governor.forget()
        self.scene = scene

    def measure(self, begun: float, drawn: float, shown: float, features: Features) -> None:
        """Note when a frame was begun, drawn and shown, and how old its sound was."""
        listener = self.wiring.listener
        heard_t = features.t if listener.rows.written else math.nan
        self.stats.shown(shown, shown - heard_t)
        self.wiring.latency.shown(begun, drawn, shown, heard_t, listener.device_s, listener.window_s)
        self.budget.spent(shown, drawn - begun)
