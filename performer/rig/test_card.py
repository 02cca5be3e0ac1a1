"""`play --test-card`: the test card on the screen that the show will be on, until it is ended."""

from __future__ import annotations

from collections import deque
from time import perf_counter

from performer.gl.hud.test_card import Card
from performer.gl.render.wait import finish
from performer.gl.window.offscreen import Offscreen
from performer.gl.window.window import Window
from performer.rig.options import PlayOptions
from performer.rig.pacing import SWAPS, Pace
from performer.system.supervisor import signals

LATE = 1.5  # of the time between two pictures; what comes later than that was missed on the screen
SHOWN = 120  # pictures over which their rate is told


def show(options: PlayOptions) -> int:
    """Draw the card until told to stop, by a key or a signal, or for `options.seconds`; returns how many pictures.

    `f` fills the screen, `esc` twice ends it. Raises Fault without such a screen.
    """
    surface: Window | Offscreen = (
        Offscreen(options.size)
        if options.headless
        else Window(options.size, options.monitor, options.fullscreen, title="performer: test card")
    )
    ended = False

    def end() -> None:
        nonlocal ended
        ended = True

    try:
        with signals(end):
            card = Card(surface.ctx)
            begun = perf_counter()
            number = 0
            late = 0
            pace = Pace(1.0 / _hertz(surface, options))
            times: deque[float] = deque(maxlen=SHOWN)
            while not ended and (options.seconds is None or perf_counter() - begun < options.seconds):
                for event in surface.poll():
                    if event.address == "app.quit":
                        ended = True
                    elif event.address == "app.fullscreen":
                        surface.set_fullscreen(not surface.fullscreen)
                        times.clear()
                hertz = _hertz(surface, options)
                card.draw(surface.screen, surface.size, number, _lines(surface, hertz, number, times, late))
                finish()
                pace.wait(0.0, pace.interval_s)
                before = perf_counter()
                surface.swap()
                now = perf_counter()
                pace.swapped(now - before, pace.interval_s)
                late += bool(times) and number > SWAPS and now - times[-1] > LATE / hertz
                times.append(now)
                number += 1
            return number
    except KeyboardInterrupt:
        return number
    finally:
        surface.close()


def _hertz(surface: Window | Offscreen, options: PlayOptions) -> float:
    return options.fps or (surface.refresh_hz if isinstance(surface, Window) else 60.0)


def _lines(surface: Window | Offscreen, hertz: float, number: int, times: deque[float], late: int) -> list[str]:
    where = surface.monitor_name if isinstance(surface, Window) else "no screen"
    rate = (len(times) - 1) / (times[-1] - times[0]) if len(times) > SHOWN // 2 else 0.0
    return [
        where,
        f"{surface.size[0]} x {surface.size[1]} pixels, {hertz:g} Hz",
        f"{rate:.1f} pictures a second, {late} late" if rate else "",
        f"picture {number}",
        "" if surface.fullscreen or isinstance(surface, Offscreen) else "f fills the screen, esc esc quits",
    ]
