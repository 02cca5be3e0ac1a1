"""Rows D, H and I: the live loop as it plays, beside the loop that one would write first."""

from __future__ import annotations

import threading
from collections.abc import Callable
from time import perf_counter, sleep

import moderngl
import numpy as np
import psutil

from performer.content.shaders.glsl import renamed
from performer.generators.onnx import session
from performer.gl.render.program import Program
from performer.gl.render.readback import Readback
from performer.gl.window.offscreen import Offscreen
from performer.lab.bench.row import Row
from performer.rig.listener import Listener
from performer.rig.live.rig import Rig
from performer.rig.loading import load_library
from performer.rig.options import PlayOptions
from performer.system.mailboxes import Ring

BLOCK = 256
RATE = 44100
CLICKS = 60
SEEN_S = 0.25  # a change that comes later than this is not the click's
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
        ring = Ring(RATE, 2)
        block = np.zeros((BLOCK, 2), np.float32)
        period = BLOCK / RATE
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
        self.surface = Offscreen(size)
        library = load_library()
        self.model = session.create(next(iter(library.models.values())), "cpu")
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
        pixels = self.model.paint(self.z)
        assert isinstance(pixels, np.ndarray)
        image = pixels.transpose(1, 2, 0)
        self.texture.write((np.clip(image, 0.0, 1.0) * 255.0).astype(np.uint8).tobytes())
        self.texture.use(0)
        self.program.set(renamed("punch"), punch)
        self.surface.ctx.enable_only(moderngl.NOTHING)
        self.surface.screen.use()
        self.program.render()
        self.surface.ctx.finish()
        self.surface.screen.read()

    def play(self, seconds: float) -> None:
        """Pictures at 60 Hz, or as fast as they come."""
        end = perf_counter() + seconds
        while (due := perf_counter() + 1 / 60) < end + 1 / 60:
            self.picture(perf_counter(), 0.5)
            sleep(max(0.0, due - perf_counter()))


def lateness(seconds: float) -> list[Row]:
    """How late a sound callback's thread wakes beside our loop and beside the naive one, at 1280x720.

    The naive loop plays before and after ours: a noise that grows or fades meets both.
    """
    peers = [_naive_lateness(min(0.5 * seconds, 15.0))]
    process = psutil.Process()
    with Rig(_options((1280, 720))) as rig:
        rig.loop.run(3.0)
        before = process.memory_info().rss
        audio = _AudioThread()
        rig.loop.run(seconds)
        ours = audio.stop()
        after = process.memory_info().rss
        effort = str(rig.loop.budget.governor.effort)
    peers.append(_naive_lateness(min(0.5 * seconds, 15.0)))
    late = [ms for peer in peers for ms in peer.late_ms]
    overflows = sum(peer.overflows for peer in peers)
    peer_s = len(late) * BLOCK / RATE
    p99 = float(np.quantile(ours.late_ms, 0.99))
    return [
        Row(
            "audio thread late",
            "ms",
            ours.late_ms,
            "naive loop",
            late,
            "p99 < 2 ms, no overflow in 10 min",
            p99 < 2.0 and ours.overflows == 0,
            f"{ours.overflows} overflows in {seconds:.0f} s, naive {overflows} in {peer_s:.0f} s; {effort}",
            {
                "seconds": seconds,
                "overflows": ours.overflows,
                "peer_overflows": overflows,
                "effort": effort,
                "rss_mb_before": before / 1e6,
                "rss_mb_after": after / 1e6,
            },
        )
    ]


def _naive_lateness(seconds: float) -> _AudioThread:
    naive = NaiveLoop((1280, 720))
    audio = _AudioThread()
    naive.play(seconds)
    audio.stop()
    naive.surface.close()
    return audio


def pace(seconds: float) -> list[Row]:
    """Interval error at 60 Hz with generator and analysis, beside a loop that only sleeps; then the rate at 720p."""
    process = psutil.Process()
    peer = _sleep_loop(min(0.5 * seconds, 5.0))
    with Rig(_options((640, 360))) as rig:
        rig.loop.run(min(10.0, seconds))  # the governor settles
        before = process.memory_info().rss
        first = rig.loop.stats.frames
        missed = rig.loop.stats.missed
        rig.loop.run(seconds)
        stats = rig.loop.stats
        after = process.memory_info().rss
        intervals = stats._intervals[first + 1 : stats.frames] * 1e3
        frames = stats.frames - first
        missed = stats.missed - missed
        effort = str(rig.loop.budget.governor.effort)
    ours = np.abs(intervals - 1e3 / 60.0)
    peer += _sleep_loop(min(0.5 * seconds, 5.0))
    part = missed / max(frames + missed, 1)
    p99 = float(np.quantile(ours, 0.99))
    fps = 1e3 / float(np.mean(intervals))
    rows = [
        Row(
            "interval error at 640x360",
            "ms",
            ours.tolist(),
            "sleep loop",
            peer,
            "p99 <= 1.5 ms, <= 0.1 % missed",
            p99 <= 1.5 and part <= 0.001,
            f"{part:.2%} missed; {fps:.1f} per second; {effort}",
            {
                "fps": fps,
                "missed": missed,
                "frames": frames,
                "effort": effort,
                "rss_mb_before": before / 1e6,
                "rss_mb_after": after / 1e6,
            },
        )
    ]
    with Rig(_options((1280, 720))) as rig:
        rig.loop.run(min(8.0, seconds))
        first = rig.loop.stats.frames
        rig.loop.run(min(8.0, seconds))
        intervals = rig.loop.stats._intervals[first + 1 : rig.loop.stats.frames] * 1e3
        effort = str(rig.loop.budget.governor.effort)
    rate = 1e3 / float(np.mean(intervals))
    rows.append(
        Row(
            "frame interval at 1280x720",
            "ms",
            intervals.tolist(),
            "",
            (),
            ">= 30 per second",
            rate >= 30.0,
            f"{rate:.1f} per second; {effort}",
            {"fps": rate, "effort": effort},
        )
    )
    return rows


def _sleep_loop(seconds: float) -> list[float]:
    errors = []
    last = perf_counter()
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

    delay_s = 0.0

    def __init__(self, now: Callable[[], float]) -> None:
        self.rate = RATE
        self.ring = Ring(4 * RATE, 1)
        self.now = now
        self._first = -BLOCK  # number of the newest click's first sample
        self._noise = np.random.default_rng(1).standard_normal((BLOCK, 1)).astype(np.float32) * 0.5

    def click(self, t: float) -> None:
        """Sound a click of BLOCK samples from time t on, which must be to come."""
        self._first = round(t * RATE)

    def pump(self) -> None:
        """Write what a card would have brought by now, in whole blocks; sample n sounds at n / RATE."""
        while (self.ring.written + BLOCK) / RATE <= self.now():
            block = np.zeros((BLOCK, 1), np.float32)
            ahead = self._first - self.ring.written
            if 0 <= ahead < BLOCK:
                block[ahead:] = self._noise[: BLOCK - ahead]
            elif -BLOCK < ahead < 0:
                block[: BLOCK + ahead] = self._noise[-ahead:]
            self.ring.write(block, self.now())


def click_to_pixel(_seconds: float) -> list[Row]:
    """Milliseconds from a click's first sample until a drawn picture has changed by it, at 640x360 and 60 Hz.

    Every fourth try is silent: what is "seen" then tells how far to trust the rest. A click that is not seen counts
    as infinitely late when the target is judged. The naive loop plays before and after ours.
    """
    half = (CLICKS + 1) // 2
    peer, peer_false = _naive_clicks(half, 3)
    ours, false = _our_clicks(CLICKS, 4)
    more, more_false = _naive_clicks(half, 5)
    peer = peer + more
    peer_false = peer_false + more_false
    p50 = float(np.median(ours + [float("inf")] * (CLICKS - len(ours))))
    limit = 1e3 / 60.0 + 10.0
    return [
        Row(
            "click to changed pixel",
            "ms",
            ours,
            "naive loop, 2048 window",
            peer,
            f"p50 <= {limit:.1f} ms",
            p50 <= limit,
            f"{len(ours)} of {CLICKS} seen, {false} of {CLICKS // 3} in silence; "
            f"naive {len(peer)} of {2 * half}, {peer_false} of {2 * (half // 3)}",
            {
                "clicks": CLICKS,
                "silences": CLICKS // 3,
                "seen_in_silence": false,
                "peer_clicks": 2 * half,
                "peer_silences": 2 * (half // 3),
                "peer_seen_in_silence": peer_false,
            },
        )
    ]


def _our_clicks(clicks: int, seed: int) -> tuple[list[float], int]:
    with Rig(_options((640, 360))) as rig:
        source = _Clicks(rig.now)
        listener = Listener(source)
        stop = threading.Event()
        thread = threading.Thread(target=lambda: listener.run(stop), daemon=True)
        thread.start()
        rig.loop.wiring.listener = listener
        rig.loop.run(2.0)
        found = _measure(source, rig.loop.picture, Readback(rig.surface.ctx), rig.surface.screen, clicks, seed)
        stop.set()
        thread.join()
    return found


def _naive_clicks(clicks: int, seed: int) -> tuple[list[float], int]:
    begun = perf_counter()
    source = _Clicks(lambda: perf_counter() - begun)
    naive = NaiveLoop((640, 360))
    due = perf_counter()
    mean = 1e-4

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
        return _measure(source, picture, Readback(naive.surface.ctx), naive.surface.screen, clicks, seed)
    finally:
        naive.surface.close()


def _measure(
    source: _Clicks,
    picture: Callable[[], None],
    readback: Readback,
    screen: moderngl.Framebuffer,
    clicks: int,
    seed: int,
) -> tuple[list[float], int]:
    """Latencies of the clicks that were seen, and how often one was "seen" in silence.

    Clicks sound at any phase of the frame. One is seen in the first picture that differs from the one before far more
    than pictures did in the silence before it.
    """
    rng = np.random.default_rng(seed)
    found = []
    false = 0
    last = readback.read(screen, (640, 360))[::6, ::6].astype(np.int16)

    def change() -> tuple[float, float]:
        """How far the next picture differs from this one, and when it was shown."""
        nonlocal last
        picture()
        shown = source.now()
        now = readback.read(screen, (640, 360))[::6, ::6].astype(np.int16)
        moved = float(np.abs(now - last).mean())
        last = now
        return moved, shown

    for trial in range(clicks + clicks // 3):
        silent = trial % 4 == 3
        at = source.now() + 0.5 + 0.1 * float(rng.random())
        rest = 0.0
        if not silent:
            source.click(at)
        while True:
            moved, shown = change()
            if shown <= at:
                rest = max(rest, moved if at - shown < 0.25 else 0.0)
            elif shown - at > SEEN_S:
                break
            elif moved > 2.0 * rest + 0.3:
                if silent:
                    false += 1
                else:
                    found.append((shown - at) * 1e3)
                break
    return found, false
