"""Row B: what a picture of a smooth walk costs in the live loop, painted ahead and one at a time, in turns."""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter

import numpy as np
import psutil

from performer.lab.bench.row import Row
from performer.rig.live.rig import Rig
from performer.rig.options import PlayOptions
from performer.types.status import Effort

ROUNDS = 4
LEAST_S = 1.0  # of a turn: fewer pictures tell nothing of intervals, and systems count work by the hundredth
RATE_HZ = 20.0  # of pictures, as on a machine that is hard pressed


def ahead(seconds: float) -> list[Row]:
    """Milliseconds of work for a picture of 128x128, on the thread that paints, where only 20 a second are allowed."""
    options = PlayOptions(input="demo", midi="off", size=(160, 90), headless=True, fps=60.0, preset="undertow")
    with Rig(options) as rig:
        rig.loop.budget.governor.step = lambda t, took_s: False  # type: ignore[method-assign]
        rig.loop.budget.governor.ladder = (Effort(image_interval_s=1.0 / RATE_HZ),)
        rig.loop.run(3.0)
        (loaded,) = rig.painter._models.values()
        batch = loaded.model.several()
        loaded.tried = True
        if batch is None:
            return [Row("a picture of a smooth walk", "ms", (), note="a batch does not pay here")]
        thread = next(thread for thread, _ in rig._threads if thread.name == "generator")
        turn_s = max(seconds / (2 * ROUNDS), LEAST_S)
        found: dict[bool, list[tuple[float, float, float]]] = {True: [], False: []}
        for number in range(2 * ROUNDS):
            loaded.several = batch if number % 2 else None
            rig.loop.run(1.0)
            found[bool(number % 2)].append(_watched(rig, turn_s, lambda: _worked_s(thread.native_id)))
    ours = found[True]
    peer = found[False]
    part = float(np.median([one[0] / other[0] for one, other in zip(ours, peer, strict=True)]))
    (_, rate, uneven), (_, peer_rate, peer_uneven) = (np.median(rows, axis=0).tolist() for rows in (ours, peer))
    return [
        Row(
            "a picture of a smooth walk",
            "ms",
            [row[0] for row in ours],
            "one at a time",
            [row[0] for row in peer],
            "less work for a picture",
            part < 1.0,
            f"{batch.count} in a run, {part:.0%} of the work; {rate:.1f} a second, one at a time {peer_rate:.1f}; "
            f"intervals vary by {uneven:.0%} and {peer_uneven:.0%}",
            {
                "count": batch.count,
                "share": batch.share,
                "part": part,
                "rate_hz": rate,
                "peer_rate_hz": peer_rate,
                "uneven": uneven,
                "peer_uneven": peer_uneven,
            },
        )
    ]


def _watched(rig: Rig, seconds: float, worked_s: Callable[[], float]) -> tuple[float, float, float]:
    """Milliseconds of work for a picture, pictures a second, and by what part of themselves their intervals vary."""
    images = rig.loop.wiring.images
    count, worked, begun, newest = images.count, worked_s(), perf_counter(), None
    times: list[float] = []
    while perf_counter() - begun < seconds:
        rig.loop.picture()
        image = next(iter((images.peek() or {}).values()), None)
        if image is not newest:
            newest = image
            times.append(perf_counter())
    made = max(images.count - count, 1)
    intervals = np.diff(times[1:])
    return (
        (worked_s() - worked) / made * 1e3,
        made / (perf_counter() - begun),
        float(intervals.std() / intervals.mean()),
    )


def _worked_s(thread: int | None) -> float:
    return float(next(one.user_time + one.system_time for one in psutil.Process().threads() if one.id == thread))
