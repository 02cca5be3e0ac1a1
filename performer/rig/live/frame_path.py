"""One live frame's whole way, from the newest gestures and sound to the screen: read it from top to bottom."""

from __future__ import annotations

from time import sleep
from typing import TYPE_CHECKING

from performer.gl.render.wait import finish

if TYPE_CHECKING:
    from performer.rig.live.loop import LiveLoop


def one_frame(live: LiveLoop) -> None:
    """Take what has come, step the show, draw, hand on, wait, swap, and measure. Main thread, GL current."""
    wiring = live.wiring
    surface = live.surface
    now = live.wiring.now

    live.pace.rest()  # the later it begins, the newer is the sound in it
    events = live.controls.take()  # keys, MIDI, page; learned buttons; changed files

    begun = now()
    t, dt = live.next_moment(begun)  # when the picture will be seen, and since when
    effort = live.budget.effort  # what it may cost
    features, sound = wiring.listener.features(), wiring.listener.sound(dt)
    moves = wiring.followers.moves
    frame = wiring.show.step(t, dt, effort.size_of(surface.size), features, sound, events, moves=moves, effort=effort)

    wiring.frames.post(frame)  # the generator thread paints for it from now on
    wiring.followers.request(wiring.show.following)
    if wiring.moves is not None:
        wiring.moves.offer(begun, frame, events)
    live.meet_scene(frame)

    with live.tolerant("drawing") as drawing:  # the newest images, through layers, chains and transition
        live.renderer.draw(frame, wiring.images.peek() or {}, surface.screen)
    if drawing.failed:
        live.renderer.break_off()
    else:
        with live.tolerant("recording the frame"):
            live.captures.keep(frame)
    with live.tolerant("the control page"):
        live.captures.publish(frame, not drawing.failed)
    with live.tolerant("the HUD"):
        live.overlay.draw(frame, features.t, not drawing.failed)

    finish()  # waits for the card without the GIL
    drawn = now()
    live.budget.collect_garbage(drawn, drawn - begun)
    live.pace.wait(drawn - begun, dt)
    if drawing.failed:  # what was there is shown on
        sleep(live.stats.interval_s)
        return
    swapping = now()
    surface.swap()
    shown = now()
    live.pace.swapped(shown - swapping, dt)
    live.measure(begun, drawn, shown, features)
