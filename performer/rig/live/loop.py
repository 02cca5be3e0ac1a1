"""The live loop: one picture after another, on the main thread, newest of everything, never waiting for anyone."""

from __future__ import annotations

import gc
import logging
import math
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from queue import Empty, SimpleQueue
from time import sleep
from typing import Any, Protocol

import moderngl

from performer.generators.painter import Painter
from performer.gl.hud.hud import Hud, HudState, Message
from performer.gl.render.pass_timer import Timer
from performer.gl.render.readback import Readback
from performer.gl.render.renderer import Renderer
from performer.gl.render.small_readback import Glimpse
from performer.gl.render.wait import finish
from performer.gl.window.operator_window import Desk
from performer.io.page.snapshot import WIDTH, Board
from performer.io.record.moves import MovesRecorder
from performer.io.record.movie import clock_time
from performer.io.record.recorder import Recorder
from performer.io.record.snapshot import Snapshots
from performer.latent.bank import Bank, Change
from performer.rig.latency import Latency
from performer.rig.listener import Listener
from performer.rig.live.followers import Followers
from performer.rig.live.frame_stats import Stats
from performer.rig.live.governor import Governor, Relief
from performer.rig.live.hot_reload import Content
from performer.rig.pacing import Pacer
from performer.show import status_text
from performer.show.bank_edits import changed, snapshot
from performer.show.midi_learn import Learn
from performer.show.show import Show
from performer.system.errors import Fault
from performer.system.logging_marks import ASIDE
from performer.system.mailboxes import Latest
from performer.system.tolerant import Cause, Tolerant
from performer.types.actions import BY_ADDRESS, Act, complaint, handlers
from performer.types.frame import ControlEvent, Features, Frame, Images, Scene

log = logging.getLogger(__name__)
TIDY_S = 10.0  # seconds between two collections of garbage, each in a frame's idle time
LATEST_TIDY_S = 300.0
CALM_S = 0.5  # time constant with which a slow picture is forgotten
MARGIN_S = 0.002  # for what a picture may take longer than those before it
NOTICE_S = 4.0
STEADY = 4  # measurements of a shader before it is held to be slow
DESK_EVERY = 3  # frames between two pictures of the desk
TIMED_EVERY = 4  # frames between two in which each shader's cost is measured
HUD_PAGES = 3  # none, for whoever plays, figures
MOST_UNKNOWN = 64  # addresses that are complained of: a program that sends rubbish must not fill the log
SWAPS = 40  # first swaps, by which the stage learns whether the screen sets the pace


class Surface(Protocol):
    """Where pictures go: a window, or an offscreen buffer."""

    ctx: moderngl.Context
    screen: moderngl.Framebuffer
    size: tuple[int, int]

    @property
    def fullscreen(self) -> bool: ...
    def set_fullscreen(self, on: bool) -> None: ...
    def poll(self) -> Sequence[ControlEvent]: ...
    def swap(self) -> None: ...
    def close(self) -> None: ...


@dataclass
class Wiring:
    """What the loop reads from and writes to; app.py fills it in.

    events    gestures of all inputs
    content   shaders, presets and banks whose files changed while playing, banks of models that came meanwhile
    notices   one-line messages for the HUD
    sound_note, midi_note  say what is heard and played now
    record    makes a Recorder for a path, or for None a path of its own choice; raises Fault
    kept      banks that were changed, to be written, and what others did to them, once that is done here
    followers those that improvise
    moves     records what hands do, if it is recorded
    learn     what the buttons of controllers do; what they learn goes to `taught`, to be written
    latency   measures the way from sound to picture, and so how far ahead beats are drawn
    board     where the control page looks, if there is one
    """

    show: Show
    listener: Listener
    painter: Painter
    frames: Latest[Frame]
    images: Latest[Images]
    events: SimpleQueue[ControlEvent]
    content: SimpleQueue[Content]
    notices: deque[Message]
    snapshots: Snapshots
    record: Callable[[str | None, tuple[int, int]], Recorder]
    now: Callable[[], float]
    sound_note: Callable[[], str]
    midi_note: Callable[[], str]
    latency: Latency
    kept: SimpleQueue[Bank | Change]
    followers: Followers
    learn: Learn
    taught: SimpleQueue[Mapping[str, Act]]
    moves: MovesRecorder | None = None
    board: Board | None = None


class Stage:
    """Draws the show on a surface until it is told to stop.

    surface  window or offscreen buffer, whose context is current
    fps      pictures per second: the screen's, or what is wished where there is none
    desk     a second window for panel and previews, if there is one; the surface then shows nothing but the picture
    """

    def __init__(
        self,
        surface: Surface,
        renderer: Renderer,
        wiring: Wiring,
        fps: float,
        hud: bool = False,
        desk: Desk | None = None,
    ) -> None:
        self.surface, self.renderer, self.wiring = surface, renderer, wiring
        self.stats = Stats(1.0 / fps)
        self.governor, self.relief = Governor(1.0 / fps), Relief(1.0 / fps)
        renderer.timer = Timer(surface.ctx, every=TIMED_EVERY)
        self.recorder: Recorder | None = None
        self._pacer: Pacer | None = Pacer(1.0 / fps)
        self._swap_s: list[float] = []
        self._hasty = 0  # pictures in a row that no screen held up
        self._hud, self._desk = Hud(surface.ctx), desk
        renderer.monitor = desk is not None
        self._page, self._help_on = int(hud), False  # of the HUD: 0 none, 1 for whoever plays, 2 figures
        self._desk_page = 1  # which the desk always has one of
        self._readback: Readback | None = None
        self._glimpse: Glimpse | None = None
        self._want_snapshot = False
        self._quit = False
        self._work_s = 1.0 / fps  # the longest that a picture took of late
        self._tidied_t = 0.0
        self._deepest = 0  # level that the governor went down to
        self._last_t: float | None = None
        self._scene: Scene | None = None  # live, in the newest frame
        self._failures: set[Cause] = set()
        self._handlers = handlers("live", self)
        self._unknown: set[str] = set()  # addresses that no action has

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
            self.stop_recording()

    def picture(self) -> None:
        """One frame, from the newest gestures and sound to the screen.

        Whatever fails in it, the last good picture stays on the screen, and the next frame is tried.
        """
        with self._tolerant("a frame") as whole:
            self._frame()
        if whole.failed:
            sleep(self.stats.interval_s)  # no screen has held it up

    def _tolerant(self, what: str) -> Tolerant:
        return Tolerant(what, self._failures)

    def _frame(self) -> None:
        wiring, surface, governor = self.wiring, self.surface, self.governor
        if self._pacer is not None:  # the later a picture begins, the newer is the sound in it
            self._pacer.rest(self._work_s + MARGIN_S)
        events = wiring.learn.step(self._drain(), surface.poll())
        if wiring.learn.word:
            self._say(wiring.learn.word)
        if wiring.learn.changed:
            wiring.taught.put(dict(wiring.learn.bound))
        self._act(events)
        self._take_content()
        begun = wiring.now()
        t = begun + wiring.latency.look_ahead_s
        dt = 1.0 / 60.0 if self._last_t is None else max(t - self._last_t, 0.0)
        self._last_t = t
        effort = governor.effort
        size = (max(2, round(surface.size[0] * effort.scale)), max(2, round(surface.size[1] * effort.scale)))
        features = wiring.listener.features()
        frame = wiring.show.step(
            t, dt, size, features, wiring.listener.sound(dt), events, wiring.followers.moves, effort
        )
        wiring.frames.post(frame)
        wiring.followers.attend(wiring.show.following)
        if wiring.moves is not None:
            wiring.moves.offer(begun, frame, events)
        scene = frame.incoming or frame.scene
        if self._scene is None or scene.preset is not self._scene.preset:
            governor.forget()
        self._scene = scene
        with self._tolerant("drawing") as drawing:
            self.renderer.draw(frame, wiring.images.peek() or {}, surface.screen)
        if drawing.failed:
            self.renderer.break_off()
        else:
            with self._tolerant("keeping the picture"):
                self._keep_pixels(frame)
        if wiring.board is not None:
            with self._tolerant("the control page"):
                self._pin(wiring.board, frame, not drawing.failed)
        with self._tolerant("the HUD"):
            self._draw_hud(frame, features, not drawing.failed)
        finish()
        drawn = wiring.now()
        took = drawn - begun
        self._work_s = max(took, self._work_s + (took - self._work_s) * min(1.0, dt / CALM_S))
        self._tidy(drawn, took)
        if self._pacer is not None:
            self._pacer.wait()
        if drawing.failed:  # what was there is shown on
            sleep(self.stats.interval_s)
            return
        swapping = wiring.now()
        surface.swap()
        shown = wiring.now()
        self._meet_screen(shown - swapping, dt)
        listener = wiring.listener
        heard_t = features.t if listener.rows.written else math.nan
        self.stats.shown(shown, shown - heard_t)
        wiring.latency.shown(begun, drawn, shown, heard_t, listener.device_s, listener.window_s)
        if governor.step(shown, took):
            self._own_up()
        timer = self.renderer.timer
        if governor.level > 0 and timer is not None and timer.on:
            slow = self.relief.step(shown, self.renderer.costs(STEADY), late=True)
            if slow is not None:
                log.warning("%s", self.renderer.ease(slow))
                governor.wait(shown)

    def stop_recording(self) -> None:
        """Close the recording, if there is one; it says itself how long it has become."""
        if self.recorder is not None:
            recorder, self.recorder = self.recorder, None
            recorder.stop()

    def start_recording(self, path: str | None = None) -> None:
        """Record from now on. Raises Fault when the path is no good."""
        self.recorder = self.wiring.record(path, self.surface.size)
        log.info("recording to %s", self.recorder.path)

    def _own_up(self) -> None:
        """Say what is given up, once for each depth, and never on the picture: the panel always shows it."""
        if self.governor.level > self._deepest:
            self._deepest = self.governor.level
            log.info("governor: %s", self.governor.effort, extra=ASIDE)

    def _meet_screen(self, took: float, dt: float) -> None:
        """Find out whether swapping waits for a screen: then that is the pace, and two would beat.

        A screen that is gone waits for nobody: then the pace is ours again.
        """
        if self._pacer is None:
            self._hasty = self._hasty + 1 if dt < 0.5 * self.stats.interval_s else 0
            if self._hasty >= SWAPS:
                self._pacer, self._hasty = Pacer(self.stats.interval_s), 0
        elif len(self._swap_s) < SWAPS:
            self._swap_s.append(took)
            if len(self._swap_s) == SWAPS and sorted(self._swap_s)[SWAPS // 2] > 0.25 * self.stats.interval_s:
                self._pacer = None

    def _drain(self) -> list[ControlEvent]:
        events = []
        while True:
            try:
                events.append(self.wiring.events.get_nowait())
            except Empty:
                return events

    def _take_content(self) -> None:
        """At most one changed file a frame: a compile may take a frame's time."""
        try:
            fresh = self.wiring.content.get_nowait()
        except Empty:
            return
        if isinstance(fresh, list):
            self.wiring.show.replace(fresh)
            return
        if isinstance(fresh, Change):
            self.wiring.show.recaller.banks[fresh.model].take(fresh)
            self.wiring.kept.put(fresh)
            return
        if isinstance(fresh, dict):
            recaller = self.wiring.show.recaller
            recaller.banks = {**fresh, **recaller.banks}
            return
        try:
            self.renderer.reload(fresh)
            self._say(f"{fresh.name}: reloaded")
        except Fault as fault:
            log.error("%s", fault)

    # What can be asked for: see types/actions.py.

    def quit(self, event: ControlEvent, t: float) -> None:
        """End the show."""
        self.leave()

    def meet_screen(self, event: ControlEvent, t: float) -> None:
        """Find out anew whether the screen sets the pace."""
        self._swap_s.clear()

    def next_hud_page(self, event: ControlEvent, t: float) -> None:
        """Nothing, what it hears, figures; the desk has always one of the two."""
        if self._desk is not None and not self._desk.closed:
            self._desk_page = 3 - self._desk_page
        else:
            self._page = (self._page + 1) % HUD_PAGES

    def toggle_help(self, event: ControlEvent, t: float) -> None:
        """The keys, or not."""
        self._help_on = not self._help_on

    def take_snapshot(self, event: ControlEvent, t: float) -> None:
        """Save the next picture."""
        self._want_snapshot = True

    def toggle_fullscreen(self, event: ControlEvent, t: float) -> None:
        """The whole screen, or a window."""
        self.surface.set_fullscreen(not self.surface.fullscreen)

    def keep_place(self, event: ControlEvent, t: float) -> None:
        """Keep what the live scene's models show, under the event's text as name."""
        self._keep_place(event.text)

    def notify(self, event: ControlEvent, t: float) -> None:
        """Show the event's text."""
        self._say(event.text)

    def toggle_recording(self, event: ControlEvent, t: float) -> None:
        """Record, or stop."""
        if self.recorder is not None:
            self.stop_recording()
            return
        try:
            self.start_recording()
        except Fault as fault:
            log.error("%s", fault)

    def edit_bank(self, event: ControlEvent, t: float) -> None:
        """Keep, rename or drop a place of a bank."""
        bank, word = changed(self.wiring.show.recaller.banks, event)
        if bank is not None:
            self.wiring.kept.put(bank)
        self._say(word)

    def _act(self, events: Sequence[ControlEvent]) -> None:
        """Do what is asked of the program; say, once, what nobody can do."""
        now = self.wiring.now()
        for event in events:
            if (handler := self._handlers.get(event.address)) is not None:
                handler(event, now)
            elif event.address not in BY_ADDRESS and event.address not in self._unknown:
                wrong = complaint(event.address)
                if wrong is not None and len(self._unknown) < MOST_UNKNOWN:
                    self._unknown.add(event.address)
                    log.error("%s", wrong)

    def _keep_place(self, name: str) -> None:
        """Put what the live scene's models show into their banks."""
        scene, wiring, kept = self._scene, self.wiring, []
        for layer in scene.preset.dreaming if scene is not None else ():
            assert layer.model is not None and scene is not None
            bank = wiring.show.recaller.banks.get(layer.model)
            latent = wiring.painter.shown(layer.model, scene.walks[layer.name])
            played = wiring.show.played(scene, layer)
            place = bank.keep(latent, name, (), played) if bank is not None and latent else None
            if bank is None or place is None:
                self._say(f"{layer.model}: is not kept (its bank is full or damaged, or nothing is painted yet)")
                continue
            wiring.kept.put(snapshot(bank))
            kept.append(f"{place.name} of {layer.model} ({len(bank.places)} in its bank)")
        if kept:
            self._say(f"kept {', '.join(kept)}")
        elif scene is None or not scene.preset.dreaming:
            self._say("nothing to keep: no model plays")

    def _keep_pixels(self, frame: Frame) -> None:
        """Hand the picture, without the HUD, to the recorder and the snapshot folder."""
        recorder = self.recorder
        if recorder is not None and recorder.done:  # it has said why
            self.recorder = recorder = None
        if recorder is None and not self._want_snapshot:
            return
        if self._readback is None:
            self._readback = Readback(self.surface.ctx)
        if self._want_snapshot:
            self._want_snapshot = False
            self.wiring.snapshots.offer(self._readback.read(self.surface.screen, self.surface.size))
        if recorder is not None:
            if recorder.due(frame.t):
                self._readback.start(self.surface.screen, self.surface.size, frame.t)
            while (read := self._readback.take()) is not None:
                recorder.offer(*read)

    def _pin(self, board: Board, frame: Frame, whole: bool) -> None:
        """Show whoever looks at the control page how things are; the picture only if it is whole."""
        t = self.wiring.now()
        board.busy = self.governor.level > 0
        board.look(self.wiring.show, frame, t, [(m.level, m.text) for m in self.wiring.notices if t - m.t < m.seconds])
        if whole and board.wants_picture(t):
            self._glimpse = self._glimpse or Glimpse(self.surface.ctx, WIDTH)
            self._glimpse.start(self.surface.screen, self.surface.size, t)
        picture = self._glimpse.take() if self._glimpse is not None else None
        if picture is not None:
            board.pictures.post(picture)

    def _draw_hud(self, frame: Frame, features: Features, whole: bool) -> None:
        """Draw the panel to the desk, or over a picture that is whole; in full screen only what was asked for."""
        now = self.wiring.now()
        notices = self.wiring.notices
        while notices and now - notices[0].t > NOTICE_S:
            notices.popleft()
        if self._desk is not None and not self._desk.closed:
            if frame.index % DESK_EVERY == 0:
                state = self._state(frame, now, now - features.t)
                state = replace(state, page=self._desk_page)
                self._desk.draw(self.renderer.live, self.renderer.preview if frame.preview is not None else None, state)
            return
        if not whole:
            return
        unseen = self.surface.fullscreen or frame.status.dark  # a blackout has no text in it
        if self._page or self._help_on or (notices and not unseen):
            self._hud.draw(self._state(frame, now, now - features.t), self.surface.screen, self.surface.size)
        if self._page and not self._help_on and frame.preview is not None:
            self.renderer.draw_inset(self.surface.screen, self.surface.size)

    def _state(self, frame: Frame, now: float, age_s: float) -> HudState:
        stats, wiring, recorder = self.stats, self.wiring, self.recorder
        heard: Any = frame.features
        typical = stats.interval_ms(0.5, recent=True)
        return HudState(
            t=now,
            page=self._page,
            help=self._help_on,
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
            governor_note="" if self.governor.level == 0 else str(self.governor.effort),
            recording="" if recorder is None else f"{clock_time(recorder.seconds)}, {recorder.dropped} dropped",
            frozen=frame.status.frozen,
            dark=frame.status.dark,
            messages=tuple(wiring.notices),
            routes=frame.routes,
            delays=wiring.latency.rows(),
            next=status_text.coming(frame.status),
            held=frame.status.held,
            by_hand=tuple(frame.status.by_hand),
            mode=", ".join(status_text.modes(frame.status)),
        )

    def _provider(self) -> str:
        """Where models run, and how their pictures come from there."""
        return ", ".join(filter(None, (self.wiring.painter.provider, self.renderer.way)))

    def _say(self, text: str) -> None:
        """Tell whoever plays: on desk, panel and page, in a window, and in the terminal."""
        self.wiring.notices.append(Message(self.wiring.now(), text))
        log.info("%s", text, extra=ASIDE)

    def _tidy(self, now: float, took: float) -> None:
        """Collect garbage when the frame leaves time for it; where none ever does, at long last."""
        idle, since = self.stats.interval_s - took, now - self._tidied_t
        if since > TIDY_S and (idle > 0.004 or since > LATEST_TIDY_S):
            gc.collect()  # what was there at the start is frozen, so there is little to look through
            self._tidied_t = now
