"""Rows D, H and I: the live loop as it plays, beside the loop that one would write first."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from time import perf_counter, sleep

import moderngl
import numpy as np
import psutil

from performer.app import PlayOptions, Rig, load_library
from performer.bench.row import Row
from performer.generators import onnx
from performer.gl.headless import Headless
from performer.gl.program import Program
from performer.gl.readback import Readback
from performer.isf.glsl import renamed
from performer.listener import Listener
from performer.sync import Ring

BLOCK, RATE = 256, 44100
CLICKS = 60
WINDOW = 2048


def _options(size: tuple[int, int], fps: float = 60.0) -> PlayOptions:
    return PlayOptions(input="demo", midi="off", size=size, headless=True, fps=fps)


class _AudioThread:
    """Wakes when a sound card's callback would, notes how late, and writes a block to a ring."""

    def __init__(self) -> None:
        self.late_ms: list[float] = []
        self.overflows = 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        ring, block, period = Ring(RATE, 2), np.zeros((BLOCK, 2), np.float32), BLOCK / RATE
        due = perf_counter() + period
        while not self._stop.is_set():
            sleep(max(0.0, due - perf_counter()))
            late = perf_counter() - due
            ring.write(block)
            self.late_ms.append(late * 1e3)
            if late > 2 * period:  # a card keeps two or three blocks; beyond that sound is lost
                self.overflows += 1
                due = perf_counter()
            due += period

    def stop(self) -> _AudioThread:
        self._stop.set()
        self._thread.join()
        return self


class NaiveLoop:
    """What one writes first: everything on one thread, the model inline, moderngl's own finish and read."""

    def __init__(self, size: tuple[int, int]) -> None:
        self.surface = Headless(size)
        library = load_library()
        self.model = onnx.create(next(iter(library.models.values())), "cpu")
        spec = library.shaders["lens_pulse"]
        self.program = Program(self.surface.ctx, spec).passes[0]
        for param in spec.inputs:
            self.program.set(renamed(param.name), param.default)
        self.program.set("RENDERSIZE", tuple(map(float, size)))
        width, height = self.model.card.size
        self.texture = self.surface.ctx.texture((width, height), 3)
        self.z = np.zeros(self.model.card.latent, np.float32)

    def picture(self, t: float, punch: float) -> None:
        self.z[:] = np.sin(t + np.arange(len(self.z)))
        image = self.model.paint(self.z).transpose(1, 2, 0)
        self.texture.write((np.clip(image, 0.0, 1.0) * 255.0).astype(np.uint8).tobytes())
        self.texture.use(0)
        self.program.set(renamed("punch"), punch)
        self.surface.ctx.enable_only(moderngl.NOTHING)
        self.surface.screen.use()
        self.program.render()
        self.surface.ctx.finish()
        self.surface.screen.read()


def lateness(seconds: float) -> list[Row]:
    """How late a sound callback's thread wakes beside our loop and beside the naive one, at 1280x720."""
    with Rig(_options((1280, 720))) as rig:
        rig.stage.run(3.0)
        audio = _AudioThread()
        rig.stage.run(seconds)
        ours = audio.stop()
    naive, interval = NaiveLoop((1280, 720)), sys.getswitchinterval()
    audio = _AudioThread()
    begun = perf_counter()
    while perf_counter() - begun < min(seconds, 15.0):
        naive.picture(perf_counter(), 0.5)
    peer = audio.stop()
    naive.surface.close()
    sys.setswitchinterval(interval)
    p99 = float(np.quantile(ours.late_ms, 0.99))
    return [Row("audio thread late", "ms", ours.late_ms, "naive loop", peer.late_ms, "p99 < 2 ms, no overflow",
                p99 < 2.0 and ours.overflows == 0, f"{ours.overflows} overflows, naive {peer.overflows}",
                {"overflows": ours.overflows, "peer_overflows": peer.overflows})]


def pace(seconds: float) -> list[Row]:
    """Interval error at 60 Hz with generator and analysis, beside a loop that only sleeps; then the rate at 720p."""
    process = psutil.Process()
    with Rig(_options((640, 360))) as rig:
        rig.stage.run(min(10.0, seconds))  # the governor settles
        before = process.memory_info().rss
        first = rig.stage.stats.frames
        missed = rig.stage.stats.missed
        rig.stage.run(seconds)
        stats = rig.stage.stats
        after = process.memory_info().rss
        intervals = stats._intervals[first + 1:stats.frames] * 1e3
        frames, missed = stats.frames - first, stats.missed - missed
        effort = str(rig.stage.governor.effort)
    ours = np.abs(intervals - 1e3 / 60.0)
    peer = _sleep_loop(min(seconds, 10.0))
    part = missed / max(frames, 1)
    p99 = float(np.quantile(ours, 0.99))
    rows = [Row("interval error at 640x360", "ms", ours.tolist(), "sleep loop", peer, "p99 <= 1.5 ms, <= 0.1 % missed",
                p99 <= 1.5 and part <= 0.001, f"{part:.2%} missed; {effort}",
                {"missed": missed, "frames": frames, "effort": effort, "rss_mb_before": before / 1e6,
                 "rss_mb_after": after / 1e6})]
    with Rig(_options((1280, 720))) as rig:
        rig.stage.run(min(8.0, seconds))
        first = rig.stage.stats.frames
        rig.stage.run(min(8.0, seconds))
        intervals = rig.stage.stats._intervals[first + 1:rig.stage.stats.frames] * 1e3
        effort = str(rig.stage.governor.effort)
    rate = 1e3 / float(np.mean(intervals))
    rows.append(Row("frame interval at 1280x720", "ms", intervals.tolist(), "", (), ">= 30 per second", rate >= 30.0,
                    f"{rate:.1f} per second; {effort}", {"fps": rate, "effort": effort}))
    return rows


def _sleep_loop(seconds: float) -> list[float]:
    errors, last = [], perf_counter()
    end = last + seconds
    due = last
    while last < end:
        due += 1 / 60
        sleep(max(0.0, due - perf_counter()))
        now = perf_counter()
        errors.append(abs(now - last - 1 / 60) * 1e3)
        last = now
    return errors


class _Clicks:
    """A sound input into whose ring clicks are put by hand; silence otherwise, written in real time."""

    def __init__(self, now: Callable[[], float]) -> None:
        self.rate, self.ring, self.now = RATE, Ring(4 * RATE, 1), now
        self.clicked: float | None = None  # when the newest click's first sample was written
        self._wanted = False
        self._noise = np.random.default_rng(1).standard_normal((BLOCK, 1)).astype(np.float32) * 0.5

    def click(self) -> None:
        self._wanted = True

    def pump(self) -> None:
        while (self.ring.written + BLOCK) / RATE <= self.now():
            loud, self._wanted = self._wanted, False
            self.ring.write(self._noise if loud else np.zeros((BLOCK, 1), np.float32), self.now())
            if loud:
                self.clicked = self.now() - BLOCK / RATE


def click_to_pixel(_seconds: float) -> list[Row]:
    """Milliseconds from a click's first sample until a drawn picture has changed by it, at 640x360 and 60 Hz."""
    ours, peer = _our_clicks(), _naive_clicks()
    p50 = float(np.median(ours)) if ours else float("inf")
    limit = 1e3 / 60.0 + 10.0
    return [Row("click to changed pixel", "ms", ours, "naive loop, 2048 window", peer, f"p50 <= {limit:.1f} ms",
                p50 <= limit, f"{len(ours)} of {CLICKS} clicks seen, naive {len(peer)}")]


def _our_clicks() -> list[float]:
    with Rig(_options((640, 360))) as rig:
        source = _Clicks(rig.now)
        listener = Listener(source)
        stop = threading.Event()
        thread = threading.Thread(target=lambda: listener.run(stop), daemon=True)
        thread.start()
        rig.stage.wiring.listener = listener
        rig.stage.run(2.0)
        found = _measure(source, rig.stage.picture, Readback(rig.surface.ctx), rig.surface.screen)
        stop.set()
        thread.join()
    return found


def _naive_clicks() -> list[float]:
    begun = perf_counter()
    source, naive = _Clicks(lambda: perf_counter() - begun), NaiveLoop((640, 360))
    due, mean = perf_counter(), 1e-4

    def picture() -> None:
        nonlocal due, mean
        source.pump()
        window = source.ring.latest(WINDOW)[:, 0] * np.hanning(WINDOW)
        energy = float(np.abs(np.fft.rfft(window)).mean())
        punch = 1.0 if energy > 4.0 * mean + 1e-3 else 0.0
        mean += (energy - mean) * 0.02
        naive.picture(source.now(), punch)
        due = max(due + 1 / 60, perf_counter())
        sleep(max(0.0, due - perf_counter()))

    try:
        return _measure(source, picture, Readback(naive.surface.ctx), naive.surface.screen)
    finally:
        naive.surface.close()


def _measure(source: _Clicks, picture: Callable[[], None], readback: Readback,
             screen: moderngl.Framebuffer) -> list[float]:
    """Click at random phases; a click is seen in the first picture that differs from the one before far more than
    pictures do in the silence before it."""
    rng = np.random.default_rng(3)
    found = []
    last = readback.read(screen, (640, 360))[::6, ::6].astype(np.int16)

    def change() -> float:
        nonlocal last
        picture()
        now = readback.read(screen, (640, 360))[::6, ::6].astype(np.int16)
        moved = float(np.abs(now - last).mean())
        last = now
        return moved

    for _ in range(CLICKS):
        rest, end = 0.0, perf_counter() + 0.5 + 0.1 * float(rng.random())
        while perf_counter() < end:
            moved = change()
            if end - perf_counter() < 0.25:
                rest = max(rest, moved)
        sleep(float(rng.random()) / 60.0)
        source.clicked = None
        source.click()
        deadline = perf_counter() + 0.5
        while perf_counter() < deadline:
            if change() > 2.0 * rest + 0.3 and source.clicked is not None:
                found.append((source.now() - source.clicked) * 1e3)
                break
    return found
