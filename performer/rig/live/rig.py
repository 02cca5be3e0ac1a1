"""The one wiring diagram: makes every shared object, every thread and every adapter, live and offline."""

from __future__ import annotations

import json
import logging
import os
import sys
import threading
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from queue import SimpleQueue
from time import perf_counter
from typing import Any

from performer.content import banks
from performer.content.library import content_folders
from performer.content.settings import midi_bindings
from performer.content.settings.page_token import load_or_create
from performer.generators.tools.thumbnail import ThumbnailPainter
from performer.gl.render.driver import is_software
from performer.gl.render.flash_limiter import FlashLimiter
from performer.gl.render.renderer import Renderer
from performer.gl.window.offscreen import Offscreen
from performer.gl.window.operator_window import OperatorWindow
from performer.gl.window.window import Window, monitors
from performer.io import link
from performer.io.midi import clock_out, ports, system
from performer.io.page.server import Page
from performer.io.page.state_publisher import StatePublisher
from performer.io.page.thumbnails import Thumbnails
from performer.io.record import moves
from performer.io.record.recorder import Recorder
from performer.io.record.stills import Stills
from performer.io.sound import portaudio, source
from performer.rig.calibration import settings_file
from performer.rig.latency import Latency
from performer.rig.listener import Listener
from performer.rig.live import last_screen
from performer.rig.live.follower_pool import FollowerPool
from performer.rig.live.hot_reload import Watcher
from performer.rig.live.loop import LiveLoop
from performer.rig.live.notices import NotificationHandler
from performer.rig.live.output_files import checked
from performer.rig.live.wiring import Surface, Wiring
from performer.rig.loading import load_library, load_model, painter
from performer.rig.options import PlayOptions
from performer.rig.shader_trial import ShaderTrial, verdicts_path
from performer.show.midi_learn import MidiLearn
from performer.show.show import Pads, Show
from performer.system.errors import Fault, refusing
from performer.system.mailboxes import Latest
from performer.system.supervisor import restart_on_error, signals
from performer.system.systemd import SystemdNotifier
from performer.system.timeouts import TimedOut, abandon, within
from performer.types.actions import LEARNABLE
from performer.types.notification import Notifications
from performer.types.preset import Preset

log = logging.getLogger(__name__)
SWITCH_S = 0.0005  # a thread waits this long for its turn; Python's own 5 ms is a third of a frame
NICENESS = 5  # niceness of threads that may wait
JOIN_TIMEOUT_S = 10.0  # a recording may still have its last pictures to write
CLOSE_TIMEOUT_S = 1.5  # what a frozen sound server gets to let go, and its thread
OPEN_TIMEOUT_S = 6.0  # and to open: more than any that is well
GREETING = "?  keys      h  what it hears"
GREETING_S = 3.0
DEVICE_POLL_S = 0.1  # how often devices are looked after


def play(options: PlayOptions) -> dict[str, Any]:
    """Play live until told to stop, by a key or a signal; returns the figures that --stats writes. Raises Fault."""
    options = checked(options)
    service = SystemdNotifier()
    if options.monitor is None and not options.headless:
        options = last_screen.recalled(options, monitors())
    with ExitStack() as written:
        with Rig(options) as rig:
            written.enter_context(signals(rig.loop.leave))  # a terminal that goes says so more than once
            for line in rig.notes():
                _say(line)
            rig.greet()
            if options.record is not None:
                rig.loop.captures.start_recording(options.record)
            service.begun(rig.show.preset.title)
            rig.remember_screen()  # now too: nobody knows how it will end
            rig.loop.run(options.seconds, service.alive)
            service.ends()
            rig.remember_screen()
            figures = rig.figures()
            if line := rig.latency.line():
                _say(line)
        if options.stats is not None:
            try:
                Path(options.stats).write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
            except OSError as error:
                raise Fault(f"{options.stats}: cannot be written: {error.strerror}") from None
    return figures


class Rig:
    """A live show, wired up: every shared object, every thread, every adapter. A context manager.

    Raises Fault when a part that was asked for is missing; whatever was opened by then is closed again.
    """

    def __init__(self, options: PlayOptions) -> None:
        self.options = options
        self._started = perf_counter()
        self._stop = threading.Event()
        self._threads: list[tuple[threading.Thread, float]] = []
        self._beginning = threading.Lock()  # the painter's thread begins some too
        self._closing = ExitStack()
        try:
            self._build()
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Rig:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def now(self) -> float:
        """The show's clock: seconds since the rig was built."""
        return perf_counter() - self._started

    def close(self) -> None:
        """Stop all threads, then close what they used."""
        self._stop.set()
        if hasattr(self, "painter"):
            self.painter.close()
        for thread, patience_s in self._threads:
            thread.join(patience_s)
            if thread.is_alive():
                abandon(thread)
        self._closing.close()

    def remember_screen(self) -> None:
        """Keep in mind where the window is, for the next show. Main thread."""
        if isinstance(self.surface, Window) and (home := self.surface.home)[0]:
            last_screen.remember(*home)

    def _open_sound(self) -> source.SoundSource:
        """The sound that was asked for; where the sound system is frozen, what needs none. Raises Fault."""

        def opened() -> source.SoundSource:
            with portaudio.blocking_call():
                sound = source.create(self.options.input, self.now, patient=self.options.gallery)
                sound.open()
            return sound

        try:
            return within(OPEN_TIMEOUT_S, opened, late=lambda sound: sound.close())
        except TimedOut:
            portaudio.detach()
            log.warning("the sound system does not respond; no sound is played")
        sound = source.create(self.options.input, self.now, mute=True, patient=self.options.gallery)
        sound.open()
        return sound

    def _external_latency(self) -> float:
        """Seconds of delay outside the program: as told, or as calibrated for this screen and input."""
        told = self.options.output_delay_ms
        if told is not None:
            self._delay_note = f"{told:.0f} ms external latency, as given"
            return told / 1000.0
        self._delay_note = "external latency unknown (`performer calibrate` measures it)"
        if not isinstance(self.surface, Window):
            return 0.0
        try:
            seconds, used = settings_file.outside(settings_file.load(), self.surface.monitor_name, self.sound.key)
        except Fault as fault:
            log.warning("%s", fault)
            return 0.0
        if used:
            self._delay_note = f"{seconds * 1000.0:+.0f} ms external latency, as calibrated: " + ", ".join(
                row.note() for row in used
            )
        return seconds

    def _close_sound(self) -> None:
        try:
            within(CLOSE_TIMEOUT_S, self.sound.close)
        except TimedOut:
            portaudio.detach()
            log.warning("the sound system did not close; abandoned")

    def _look_after(self) -> None:
        self.sound.prepare()
        self.hands.poll(self.now())

    def _wanted(self, presets: list[Preset]) -> Preset:
        """The preset that was asked for; in a gallery the first one, where that cannot be read. Raises Fault."""
        try:
            return self.library.find(self.options.preset) if self.options.preset else presets[0]
        except Fault as fault:
            if not (self.options.gallery and presets):
                raise
            log.error("%s", fault)
            return presets[0]

    def _opening(self, wanted: Preset, presets: list[Preset]) -> Preset:
        """What the show begins with, made ready; in a gallery the next one, where that fails. Raises Fault."""
        for preset in (wanted, *presets):
            try:
                for layer in preset.layers:
                    if layer.model is not None:
                        self.painter.warm(layer.model)
                with refusing(preset.name):
                    self.renderer.warm(preset)
                return preset
            except Fault as fault:
                if not self.options.gallery:
                    raise
                log.error("%s", fault)
        raise Fault("no preset can be loaded; `performer check` says why")

    def _build(self) -> None:
        options = self.options
        closing = self._closing
        notices = self._log_to_notices()
        self.library = load_library(options.transition)
        presets = self.library.in_order()
        if not presets and options.preset is None:
            where = " or ".join(str(folder / "presets") for folder in content_folders())
            raise Fault(f"no presets in {where}; install performer again")
        first = self._wanted(presets)
        interval = sys.getswitchinterval()
        sys.setswitchinterval(SWITCH_S)
        closing.callback(sys.setswitchinterval, interval)
        clock_port = self._open_devices()
        first, trial = self._make_ready(first, presets)
        self.followers = FollowerPool(self.library.follower, self.library.presets.values())
        self.listener = Listener(self.sound, self.followers.tick)
        hands = options.record_moves
        taken = moves.MovesRecorder(hands, self.listener.ticks) if hands is not None else None
        self.show = Show(
            self.library.in_order(),
            first.name,
            seed=options.seed,
            quantise=options.quantise,
            autopilot=options.autopilot,
            crossfader=options.crossfader,
            banks=banks.read_all(self.library.dims()),
            pads=Pads(options.pads, options.pads_channel) if options.pads is not None else None,
        )
        refresh_hz = self.surface.refresh_hz if isinstance(self.surface, Window) else 0.0
        fps = options.fps or refresh_hz or 60.0
        self.latency = Latency(1.0 / fps, 0.5 / refresh_hz if refresh_hz else 0.0, self._external_latency())
        self.page = self._page(options.page_host, options.page) if options.page is not None else None
        wiring = Wiring(
            show=self.show,
            listener=self.listener,
            painter=self.painter,
            frames=Latest(),
            images=Latest(),
            events=self.hands.events,
            content=SimpleQueue(),
            notices=notices,
            snapshots=Stills(),
            record=self._record,
            now=self.now,
            sound_note=lambda: self.sound.note,
            midi_note=lambda: self.hands.note,
            latency=self.latency,
            kept=SimpleQueue(),
            followers=self.followers,
            learn=MidiLearn(midi_bindings.learned(LEARNABLE), LEARNABLE),
            taught=SimpleQueue(),
            moves=taken,
            board=self.page.board if self.page is not None else None,
        )
        self.followers.request(self.show.following)
        desk = OperatorWindow(self.surface) if options.desk and isinstance(self.surface, Window) else None
        if desk is not None:
            closing.callback(desk.close)
        self.loop = LiveLoop(self.surface, self.renderer, wiring, fps=fps, hud=options.hud, desk=desk)
        self._begin_threads(wiring, clock_port, trial)

    def _log_to_notices(self) -> Notifications:
        """Where the desk and the HUD find what the log says."""
        notices = Notifications(0 if self.options.gallery else 8)
        toasts = NotificationHandler(notices, self.now)
        logging.getLogger("performer").addHandler(toasts)
        self._closing.callback(logging.getLogger("performer").removeHandler, toasts)
        return notices

    def _open_devices(self) -> Any:
        """Open screen, sound, MIDI and Link; returns the port that is sent MIDI clock, if one is. Raises Fault."""
        options = self.options
        closing = self._closing
        self.surface: Surface = (
            Offscreen(options.size)
            if options.headless
            else Window(options.size, options.monitor, options.fullscreen, clock=self.now)
        )
        closing.callback(self.surface.close)
        self.sound = self._open_sound()
        closing.callback(self._close_sound)
        self.hands = ports.create(options.midi, options.midi_api, self.now, options.program_channel)
        closing.callback(self.hands.close)
        self.link = link.Link(self.hands.events, self.now) if options.link else None
        clock_port = (
            clock_out.open_port(options.midi_clock_out, system.api_number(options.midi_api))
            if options.midi_clock_out is not None
            else None
        )
        if clock_port is not None:
            closing.callback(clock_port.close_port)
        return clock_port

    def _make_ready(self, wanted: Preset, presets: list[Preset]) -> tuple[Preset, ShaderTrial]:
        """Load models and shaders; returns what the show begins with, and who tries new shaders. Raises Fault."""
        options = self.options
        closing = self._closing
        self.painter = painter(
            self.library,
            options.provider,
            lambda name, body: self._begin(name, body, patient=1, join_s=CLOSE_TIMEOUT_S, once=True),
            stay=not is_software(self.surface.ctx),
        )
        trial = ShaderTrial(str(self.surface.ctx.info["GL_RENDERER"]), verdicts_path())
        closing.callback(trial.stop)
        self.library.refuse(trial.examine(self.library.foreign(*presets, wanted)))
        self.renderer = renderer = Renderer(
            self.surface.ctx, self.library.shaders, None, deep=not is_software(self.surface.ctx)
        )
        renderer.limiter = FlashLimiter(self.surface.ctx) if options.limit_flashes else None
        closing.callback(renderer.release)  # what CUDA has registered goes before the context does
        first = self._opening(wanted, presets)
        for preset in presets:
            try:
                with refusing(preset.name):
                    renderer.warm(preset)
            except Fault as fault:
                log.error("%s", fault)
        return first, trial

    def _begin_threads(self, wiring: Wiring, clock_port: Any, trial: ShaderTrial) -> None:
        stop = self._stop
        keeper = banks.BankWriter(self.show.recaller.banks)
        taken = wiring.moves
        self._begin("analysis", lambda: self.listener.run(stop))
        self._begin("generator", lambda: self.painter.run(wiring.frames, wiring.images, stop), patient=1)
        self._begin("sound", lambda: _poll(lambda: self.sound.poll(self.now()), stop), join_s=CLOSE_TIMEOUT_S)
        self._begin("devices", lambda: _poll(self._look_after, stop))
        if self.link is not None:
            self._begin("link", lambda session=self.link: session.run(stop))  # type: ignore[misc]
        if clock_port is not None:
            self._begin("midi clock", lambda: clock_out.MidiClock(clock_port, wiring.frames, self.now).run(stop))
        self._begin("banks", lambda: banks.run(keeper, wiring.kept, wiring.content.put, stop))
        if self.page is not None:
            self._begin("page", partial(self.page.run, stop), patient=1, once=True)
            self._begin("thumbnails", partial(self.page.thumbnails.run, stop), patient=2)
        self._begin("followers", lambda: self.followers.run(stop))
        if taken is not None:
            self._begin("moves", lambda: taken.run(stop))
        self._begin("pads", lambda: midi_bindings.run(wiring.taught, LEARNABLE, stop))
        self._begin("snapshots", lambda: wiring.snapshots.run(stop))
        self._begin("files", lambda: Watcher(self.library, wiring.content, trial).run(stop))

    def greet(self) -> None:
        """Name the two keys that a newcomer needs to find all else; in full screen an audience may be looking."""
        if isinstance(self.surface, Window) and not self.surface.fullscreen:
            self.loop.wiring.notices.post(self.now(), GREETING, timeout_s=GREETING_S)

    def notes(self) -> list[str]:
        """What is heard, played and drawn with, a line each."""
        link_note = [f"link: {self.link.note}"] if self.link is not None else []
        page_note = self.page.notes() if self.page is not None else []
        return [
            f"sound: {self.sound.note}",
            f"midi: {self.hands.note}",
            *link_note,
            *page_note,
            f"models: {self.painter.provider}; drawing: {self.surface.ctx.info['GL_RENDERER']}",
            f"delay: {self._delay_note}",
        ]

    def figures(self) -> dict[str, Any]:
        """What --stats writes: counts, milliseconds, hertz."""
        stats = self.loop.stats
        return {
            "frames": stats.frames,
            "missed": stats.missed,
            "overflows": self.sound.overflows + self.listener.lost,
            "interval_p50_ms": stats.interval_ms(0.5),
            "interval_p99_ms": stats.interval_ms(0.99),
            "latency_p50_ms": stats.latency_ms(0.5),
            "latency_p99_ms": stats.latency_ms(0.99),
            "provider": self.painter.provider,
            "model_rate_hz": self.painter.rate_hz,
            "preset": self.show.preset.name,
            "effort": str(self.loop.budget.governor.effort),
            "bpm": self.show.clock.pulse.bpm,
            "delay": self.latency.figures(),
            "input_reported_ms": self.sound.reported_s * 1000.0,
        }

    def _page(self, host: str, port: int) -> Page:
        """The control page, on its port. Raises Fault."""
        changed = self.library.changed
        board = StatePublisher()
        portrait = ThumbnailPainter(lambda name: load_model(self.library, name, "cpu", 1), changed)
        word = None
        if self.options.gallery:  # whose tablet must find it after every start
            try:
                word = load_or_create()
            except Fault as fault:
                log.error("%s", fault)
        page = Page(
            host,
            port,
            events=self.hands.events,
            now=self.now,
            board=board,
            thumbnails=Thumbnails(portrait, lambda: board.busy, changed),
            token=word,
        )
        self._closing.callback(page.close)
        return page

    def _begin(
        self, name: str, body: Callable[[], None], patient: int = 0, join_s: float = JOIN_TIMEOUT_S, once: bool = False
    ) -> None:
        """Start a thread; a patient one steps back for sound and drawing where cores are few, a more patient one more.

        join_s  how long it is waited for at the end
        once    its body is not begun again should it fail
        """

        def run() -> None:
            if patient and sys.platform == "linux":  # there, priorities belong to threads
                os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS * patient)
            if once:
                body()
            else:
                restart_on_error(name, body, self._stop)

        thread = threading.Thread(target=run, name=name, daemon=True)
        thread.start()
        with self._beginning:
            self._threads = [*(pair for pair in self._threads if pair[0].is_alive()), (thread, join_s)]

    def _record(self, path: str | None, size: tuple[int, int]) -> Recorder:
        recorder = Recorder(path, size, self.sound, self.now)
        self._begin("recorder", lambda: recorder.run(self._stop), patient=1, once=True)
        return recorder


def has_display() -> bool:
    """Whether a window could be opened."""
    try:
        monitors()
    except Fault:
        return False
    return True


def _poll(look: Callable[[], None], stop: threading.Event) -> None:
    """Thread body: devices that were lost come back, new MIDI ports are noticed."""
    while not stop.wait(DEVICE_POLL_S):
        look()


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
