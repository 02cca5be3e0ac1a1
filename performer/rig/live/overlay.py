"""HUD, help and notifications: over the picture, or on the operator's window where there is one."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from performer.gl.hud.hud import Hud, HudState
from performer.gl.window.operator_window import OperatorWindow
from performer.io.record.movie import clock_time
from performer.show import status_text
from performer.types.frame import Frame
from performer.types.notification import Notification
from performer.types.status import FULL_EFFORT

if TYPE_CHECKING:
    from performer.rig.live.loop import LiveLoop

DESK_EVERY = 3  # frames between two pictures of the desk
PAGES = 3  # none, for whoever plays, figures


class Overlay:
    """What is written for whoever plays.

    Parameters
    ----------
    page : int
        Page of the panel: 0 none, 1 for whoever plays, 2 figures.

    Attributes
    ----------
    help
        Whether the keys are shown.
    """

    def __init__(self, live: LiveLoop, page: int, desk: OperatorWindow | None) -> None:
        self._live = live
        self._hud = Hud(live.surface.ctx)
        self._desk = desk
        self.page = page
        self.help = False
        self.desk_page = 1  # which the desk always has one of

    def next_page(self) -> None:
        """The next page of the panel; the desk has always one of the two."""
        if self._desk is not None and not self._desk.closed:
            self.desk_page = 3 - self.desk_page
        else:
            self.page = (self.page + 1) % PAGES

    def draw(self, frame: Frame, heard_t: float, whole: bool) -> None:
        """Draw the panel to the desk, or over a picture that is whole; in full screen only what was asked for."""
        now = self._live.wiring.now()
        surface = self._live.surface
        renderer = self._live.renderer
        notices = self._live.wiring.notices.current(now)
        if self._desk is not None and not self._desk.closed:
            if frame.index % DESK_EVERY == 0:
                state = self._state(frame, notices, now, now - heard_t)
                state = replace(state, page=self.desk_page)
                self._desk.draw(renderer.live, renderer.preview if frame.preview is not None else None, state)
            return
        if not whole:
            return
        unseen = surface.fullscreen or frame.status.dark  # a blackout has no text in it
        if self.page or self.help or (notices and not unseen):
            self._hud.draw(self._state(frame, notices, now, now - heard_t), surface.screen, surface.size)
        if self.page and not self.help and frame.preview is not None:
            renderer.draw_inset(surface.screen, surface.size)

    def _state(self, frame: Frame, notices: tuple[Notification, ...], now: float, age_s: float) -> HudState:
        stats = self._live.stats
        wiring = self._live.wiring
        recorder = self._live.captures.recorder
        heard = frame.features
        typical = stats.interval_ms(0.5, recent=True)
        return HudState(
            t=now,
            page=self.page,
            help=self.help,
            fps=1000.0 / typical if typical else 0.0,
            p99_ms=stats.interval_ms(0.99, recent=True),
            missed=stats.missed,
            bpm=heard.bpm,
            confidence=heard.confidence,
            sync=frame.sync,
            beat=heard.beat,
            bar=heard.bar,
            level=heard.values.get("level", 0.0),
            bands=heard.bands,
            preset=frame.scene.preset.title,
            incoming=frame.incoming.preset.title if frame.incoming else "",
            progress=frame.progress,
            provider=self._provider(),
            model_rate_hz=wiring.painter.rate_hz,
            sound_age_ms=age_s * 1000.0,
            sound_note=wiring.sound_note(),
            midi_note=wiring.midi_note(),
            governor_note="" if frame.effort == FULL_EFFORT else str(frame.effort),
            recording="" if recorder is None else f"{clock_time(recorder.seconds)}, {recorder.dropped} dropped",
            frozen=frame.status.frozen,
            dark=frame.status.dark,
            messages=notices,
            routes=frame.routes,
            delays=wiring.latency.rows(),
            next=status_text.coming(frame.status),
            held=frame.status.held,
            by_hand=tuple(frame.status.by_hand),
            mode=", ".join(status_text.modes(frame.status)),
        )

    def _provider(self) -> str:
        """Where models run, and how their pictures come from there."""
        return ", ".join(filter(None, (self._live.wiring.painter.provider, self._live.renderer.way)))
