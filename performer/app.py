"""The one wiring diagram: makes every shared object, every thread and every adapter, live and offline."""

from __future__ import annotations

import json
import logging
import os
import sys
import tempfile
import threading
from collections import deque
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue
from time import perf_counter
from typing import Any

from performer.audio.features import FEATURES
from performer.errors import Fault
from performer.frame import ControlEvent, Frame, Images
from performer.generators import onnx
from performer.generators.painter import Painter
from performer.gl.headless import Headless
from performer.gl.hud import Message
from performer.gl.renderer import Renderer
from performer.gl.window import Window, monitors
from performer.inputs import midi, source
from performer.isf import ShaderSpec
from performer.library import FACTORY, USER, Library
from performer.listener import Listener
from performer.outputs.movie import check_path
from performer.outputs.recorder import Recorder
from performer.outputs.snapshot import Snapshots
from performer.preset import Preset
from performer.show import Show
from performer.stage import Stage, Surface, Wiring
from performer.sync import Latest

log = logging.getLogger(__name__)
REEL_S = 20.0
JOIN_S = 10.0  # a recording may still have its last pictures to write
WATCH_S = 0.1  # how often devices are looked after


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
    fps: float | None = None
    seconds: float | None = None
    seed: int = 0
    provider: str = "auto"
    output_delay_ms: float = 0.0
    record: str | None = None
    stats: str | None = None


class _Toasts(logging.Handler):
    """Warnings and errors become notices on the picture, each once per cause."""

    def __init__(self, notices: deque[Message], now: Callable[[], float]) -> None:
        super().__init__(logging.INFO)
        self._notices, self._now = notices, now

    def emit(self, record: logging.LogRecord) -> None:
        level = {logging.ERROR: "error", logging.WARNING: "warning"}.get(record.levelno, "info")
        self._notices.append(Message(self._now(), record.getMessage(), level))


def load_library() -> Library:
    """All shaders, models and presets, the factory's and the user's."""
    return Library(audio=tuple(FEATURES)).load()


def painter(library: Library, provider: str) -> Painter:
    """A painter that loads the library's models by name."""
    return Painter(lambda name: onnx.create(library.models[name], provider))


def play(options: PlayOptions) -> dict[str, Any]:
    """Play live until told to stop; returns the figures that --stats writes. Raises Fault."""
    if options.stats is not None:
        _writable(options.stats)
    if options.record is not None:
        check_path(options.record)
    started = perf_counter()

    def now() -> float:
        return perf_counter() - started

    library = load_library()
    presets = library.in_order()
    if not presets:
        raise Fault(f"no presets in {FACTORY / 'presets'} or {USER / 'presets'}; install performer again")
    first = library.find(options.preset) if options.preset else presets[0]
    if first not in presets:
        presets = library.in_order()
    notices: deque[Message] = deque(maxlen=8)
    toasts = _Toasts(notices, now)
    stop = threading.Event()
    threads: list[threading.Thread] = []

    def begin(name: str, body: Callable[[], None]) -> None:
        thread = threading.Thread(target=body, name=name, daemon=True)
        thread.start()
        threads.append(thread)

    logging.getLogger("performer").addHandler(toasts)
    sys.setswitchinterval(0.0005)  # a thread that waits for its turn waits this long, not 5 ms
    with ExitStack() as closing:
        closing.callback(logging.getLogger("performer").removeHandler, toasts)
        surface: Surface = (Headless(options.size) if options.headless else
                            Window(options.size, options.monitor, options.fullscreen, clock=now))
        closing.callback(surface.close)
        sound = source.create(options.input, now)
        sound.open()
        closing.callback(sound.close)
        hands = midi.create(options.midi, options.midi_api, now)
        closing.callback(hands.close)
        events: SimpleQueue[ControlEvent] = hands.events
        content: SimpleQueue[ShaderSpec | list[Preset]] = SimpleQueue()
        frames: Latest[Frame] = Latest()
        images: Latest[Images] = Latest()
        models = painter(library, options.provider)
        for layer in first.layers:
            if layer.model is not None:
                models.warm(layer.model)
        listener = Listener(sound)
        snapshots = Snapshots()
        renderer = Renderer(surface.ctx, library.shaders)
        renderer.warm(first)

        def record(path: str | None, size: tuple[int, int]) -> Recorder:
            recorder = Recorder(path, size, sound, now)
            begin("recorder", lambda: recorder.run(stop))
            return recorder

        wiring = Wiring(
            Show(presets, first.name, options.seed), listener, models, frames, images, events, content, notices,
            snapshots, record, now, lambda: sound.note, lambda: hands.note,
            lambda: sound.overflows + listener.lost, options.output_delay_ms / 1000.0,
        )
        fps = options.fps or (surface.refresh_hz if isinstance(surface, Window) else 60.0)
        stage = Stage(surface, renderer, wiring, fps, options.hud)
        closing.callback(lambda: _join(stop, threads))
        begin("analysis", lambda: listener.run(stop))
        begin("generator", lambda: models.run(frames, images, stop))
        begin("devices", lambda: _look_after([sound, hands], now, stop))
        begin("snapshots", lambda: snapshots.run(stop))
        begin("files", lambda: _watch(library, content, stop))
        _say(f"sound: {sound.note}")
        _say(f"midi: {hands.note}")
        _say(f"models: {models.provider}; drawing: {surface.ctx.info['GL_RENDERER']}")
        if options.record is not None:
            stage.start_recording(options.record)
        stage.run(options.seconds)
        figures = _figures(stage, wiring)
    if options.stats is not None:
        Path(options.stats).write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    return figures


def has_display() -> bool:
    """Whether a window could be opened."""
    try:
        monitors()
    except Fault:
        return False
    return True


def show_reel(options: PlayOptions) -> None:
    """Where there is no display: render 20 s of the demo to a movie and a contact sheet, and say where they are."""
    from performer import offline

    folder = Path.cwd() if os.access(Path.cwd(), os.W_OK) else Path(tempfile.gettempdir())
    movie, sheet = folder / "performer-demo.mp4", folder / "performer-demo.png"
    _say("no display here: rendering 20 s of the demo instead (--headless would play without a window)")
    offline.render(offline.RenderOptions(
        song="demo", out=str(movie), sheet=str(sheet), preset=options.preset, seconds=REEL_S, size=options.size,
        fps=30.0, seed=options.seed, provider=options.provider))
    _say(f"movie: {movie}")
    _say(f"contact sheet: {sheet}")


def _figures(stage: Stage, wiring: Wiring) -> dict[str, Any]:
    stats, show = stage.stats, wiring.show
    return {
        "frames": stats.frames, "missed": stats.missed, "overflows": wiring.overflows(),
        "interval_p50_ms": stats.interval_ms(0.5), "interval_p99_ms": stats.interval_ms(0.99),
        "latency_p50_ms": stats.latency_ms(0.5), "latency_p99_ms": stats.latency_ms(0.99),
        "provider": wiring.painter.provider, "model_rate_hz": wiring.painter.rate_hz,
        "preset": show.preset.name, "effort": str(stage.governor.effort), "bpm": show.clock.pulse.bpm,
    }


def _look_after(devices: list[Any], now: Callable[[], float], stop: threading.Event) -> None:
    """Thread body: devices that were lost come back, new MIDI ports are noticed."""
    while not stop.wait(WATCH_S):
        for device in devices:
            device.poll(now())


def _watch(library: Library, content: SimpleQueue[ShaderSpec | list[Preset]], stop: threading.Event) -> None:
    """Thread body: shaders and presets saved while playing are read aside; the main thread takes what is good."""
    from watchfiles import watch

    folders = [folder / kind for folder in (FACTORY, USER) for kind in ("shaders", "presets")]
    for changes in watch(*(f for f in folders if f.is_dir()), stop_event=stop, debounce=60, step=20, rust_timeout=500,
                         raise_interrupt=False):
        for path in {Path(name) for _, name in changes}:
            if not path.is_file() or path.suffix not in (".fs", ".vs", ".toml"):
                continue
            try:
                if path.suffix == ".toml":
                    library.load_preset(path)
                    content.put(library.in_order())
                else:
                    content.put(library.load_shader(path.with_suffix(".fs")))
            except Fault as fault:
                log.error("%s", fault)


def _join(stop: threading.Event, threads: list[threading.Thread]) -> None:
    stop.set()
    for thread in threads:
        thread.join(JOIN_S)


def _writable(path: str) -> None:
    folder = Path(path).absolute().parent
    if not folder.is_dir():
        raise Fault(f"{path}: cannot write there: no folder {folder}")
    if Path(path).is_dir() or not os.access(Path(path) if Path(path).exists() else folder, os.W_OK):
        raise Fault(f"{path}: cannot write there; choose another place")


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
