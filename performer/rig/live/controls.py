"""What comes in between two frames: gestures, learned buttons, changed files; and what they ask of the program."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from queue import Empty
from typing import TYPE_CHECKING

from performer.latent.bank import Change
from performer.show.bank_edits import changed, frozen_copy
from performer.system.errors import Fault
from performer.system.logging_marks import ASIDE
from performer.types.actions import BY_ADDRESS, complaint, handlers
from performer.types.frame import ControlEvent

if TYPE_CHECKING:
    from performer.rig.live.loop import LiveLoop

log = logging.getLogger(__name__)
MOST_UNKNOWN = 64  # addresses that are complained of: a program that sends rubbish must not fill the log


class Controls:
    """Takes what the inputs have sent, and does what is asked of the program rather than of the show."""

    def __init__(self, live: LiveLoop) -> None:
        self._live = live
        self._handlers = handlers("live", self)
        self._unknown: set[str] = set()  # addresses that no action has

    def take(self) -> list[ControlEvent]:
        """All events since the last frame; what they ask of the program is done. Then at most one changed file."""
        wiring = self._live.wiring
        learn = self._live.wiring.learn
        events = learn.step(self._drain(), self._live.surface.poll())
        if learn.word:
            self._say(learn.word)
        if learn.changed:
            wiring.taught.put(dict(learn.bound))
        self._act(events)
        self._take_content()
        return events

    def _say(self, text: str) -> None:
        """Tell whoever plays: on desk, panel and page, in a window, and in the terminal."""
        self._live.wiring.notices.post(self._live.wiring.now(), text)
        log.info("%s", text, extra=ASIDE)

    def _drain(self) -> list[ControlEvent]:
        events = []
        while True:
            try:
                events.append(self._live.wiring.events.get_nowait())
            except Empty:
                return events

    def _act(self, events: Sequence[ControlEvent]) -> None:
        """Do what is asked of the program; say, once, what nobody can do."""
        now = self._live.wiring.now()
        for event in events:
            if (handler := self._handlers.get(event.address)) is not None:
                handler(event, now)
            elif event.address not in BY_ADDRESS and event.address not in self._unknown:
                wrong = complaint(event.address)
                if wrong is not None and len(self._unknown) < MOST_UNKNOWN:
                    self._unknown.add(event.address)
                    log.error("%s", wrong)

    def _take_content(self) -> None:
        """At most one changed file a frame: a compile may take a frame's time."""
        try:
            fresh = self._live.wiring.content.get_nowait()
        except Empty:
            return
        if isinstance(fresh, list):
            self._live.wiring.show.replace(fresh)
            return
        if isinstance(fresh, Change):
            self._live.wiring.show.recaller.banks[fresh.model].take(fresh)
            self._live.wiring.kept.put(fresh)
            return
        if isinstance(fresh, dict):
            recaller = self._live.wiring.show.recaller
            recaller.banks = {**fresh, **recaller.banks}
            return
        try:
            self._live.renderer.reload(fresh)
            self._say(f"{fresh.name}: reloaded")
        except Fault as fault:
            log.error("%s", fault)

    # What can be asked for: see types/actions.py.

    def quit(self, event: ControlEvent, t: float) -> None:
        """End the show."""
        self._live.leave()

    def meet_screen(self, event: ControlEvent, t: float) -> None:
        """Find out anew whether the screen sets the pace."""
        self._live.pace.look_again()

    def next_hud_page(self, event: ControlEvent, t: float) -> None:
        """Nothing, what it hears, figures."""
        self._live.overlay.next_page()

    def toggle_help(self, event: ControlEvent, t: float) -> None:
        """The keys, or not."""
        self._live.overlay.help = not self._live.overlay.help

    def take_snapshot(self, event: ControlEvent, t: float) -> None:
        """Save the next picture."""
        self._live.captures.want_snapshot = True

    def toggle_fullscreen(self, event: ControlEvent, t: float) -> None:
        """The whole screen, or a window."""
        self._live.surface.set_fullscreen(not self._live.surface.fullscreen)

    def notify(self, event: ControlEvent, t: float) -> None:
        """Show the event's text."""
        self._say(event.text)

    def toggle_recording(self, event: ControlEvent, t: float) -> None:
        """Record, or stop."""
        captures = self._live.captures
        if captures.recorder is not None:
            captures.stop_recording()
            return
        try:
            captures.start_recording()
        except Fault as fault:
            log.error("%s", fault)

    def edit_bank(self, event: ControlEvent, t: float) -> None:
        """Keep, rename or drop a place of a bank."""
        bank, word = changed(self._live.wiring.show.recaller.banks, event)
        if bank is not None:
            self._live.wiring.kept.put(bank)
        self._say(word)

    def keep_place(self, event: ControlEvent, t: float) -> None:
        """Put what the live scene's models show into their banks, under the event's text as name."""
        scene = self._live.scene
        wiring = self._live.wiring
        kept = []
        for layer in scene.preset.model_layers if scene is not None else ():
            assert layer.model is not None and scene is not None
            bank = wiring.show.recaller.banks.get(layer.model)
            latent = wiring.painter.shown(layer.model, scene.walks[layer.name])
            played = wiring.show.played(scene, layer)
            place = bank.keep(latent, event.text, (), played) if bank is not None and latent else None
            if bank is None or place is None:
                self._say(
                    f"{layer.model}: snapshot not saved (its bank is full or damaged, or it has made no image yet)"
                )
                continue
            wiring.kept.put(frozen_copy(bank))
            kept.append(f"{place.name} of {layer.model} ({len(bank.places)} in its bank)")
        if kept:
            self._say(f"saved {', '.join(kept)}")
        elif scene is None or not scene.preset.model_layers:
            self._say("no snapshot: no model is playing")
