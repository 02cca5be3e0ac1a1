"""The followers that play: read by name, watched for newer files, heard tick by tick on the analysis thread."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from time import perf_counter

import numpy as np

from performer.audio.control_features import NAMES
from performer.content.models.onnx_file import SUMS, locations, operators
from performer.show.follower import AutoPerformer, FollowerNet
from performer.system.errors import Fault, nearest
from performer.system.mailboxes import Latest
from performer.system.onnx_errors import onnx_reason
from performer.system.timeouts import TimedOut, within
from performer.types.frame import FollowerRequest
from performer.types.preset import Preset

log = logging.getLogger(__name__)
MOST_BYTES = 4 << 20
LOAD_S = 10.0  # for reading and trying one
SLOWEST_S = 0.002  # for one tick
TRIES = 40
WATCH_S = 0.5
OPERATORS = SUMS | {"GRU"}  # all that a follower may be made of


def read(path: Path) -> FollowerNet:
    """A follower from its file, tried. Raises Fault."""
    try:
        size = path.stat().st_size
    except OSError as error:
        raise Fault(f"{path}: cannot be read: {error.strerror}") from None
    if size > MOST_BYTES:
        raise Fault(f"{path}: {size / 1e6:.1f} MB are too many for a follower (at most {MOST_BYTES >> 20} MB)")
    if outside := locations(path):
        raise Fault(f"{path}: wants to read {sorted(outside)[0]!r}; a follower is one file")
    if strange := operators(path) - OPERATORS:
        raise Fault(f"{path}: not a follower model: unsupported operators {', '.join(sorted(strange)[:3])}")
    try:
        return within(LOAD_S, lambda: _tried(path))
    except TimedOut:
        raise Fault(f"{path}: takes longer than {LOAD_S:.0f} s to load; not for live use") from None


def strange_knob(preset: Preset, net: FollowerNet) -> str:
    """What is wrong with the first route from a knob that the follower does not have; `` where all are known."""
    known = [f"follower.{knob}" for knob in net.knobs]
    for number, route in enumerate(preset.routes):
        heard = route.source.startswith("follower.") and not route.source.startswith("follower.play.")
        if heard and route.source not in known:
            return (
                f"route[{number}].from: the follower has no {route.source!r}{nearest(route.source, known)}; "
                f"there are {', '.join(known)}"
            )
    return ""


def _tried(path: Path) -> FollowerNet:
    net = FollowerNet(path)
    trial = AutoPerformer(net, 0)
    quiet = np.zeros(len(NAMES))
    took = []
    try:
        for _ in range(TRIES):
            begun = perf_counter()
            trial.tick(quiet, 1.0)
            took.append(perf_counter() - begun)
    except Exception as error:
        raise Fault(f"{path}: cannot play ({onnx_reason(error)})") from None
    if sorted(took)[TRIES // 2] > SLOWEST_S:
        raise Fault(f"{path}: needs {sorted(took)[TRIES // 2] * 1e3:.0f} ms a tick, more than {SLOWEST_S * 1e3:.0f} ms")
    return net


class FollowerPool:
    """All followers at play, each scene's its own.

    `load` and `run` belong to a thread that may wait, `attend` to the show's, `tick` to the analysis.

    Parameters
    ----------
    find : callable
        A name -> its file; raises Fault where there is none.
    presets : Iterable[Preset], optional
        Whose followers are loaded now.
    """

    def __init__(self, find: Callable[[str], Path], presets: Iterable[Preset] = ()) -> None:
        self._find = find
        self._nets: dict[str, tuple[FollowerNet | None, float]] = {}  # and its file's time
        self._wanted: Latest[Mapping[int, FollowerRequest]] = Latest()
        self._playing: dict[int, tuple[FollowerRequest, AutoPerformer, list[str]]] = {}
        self._failed: set[FollowerNet] = set()  # of those that are loaded
        self._moves: Latest[Mapping[int, Mapping[str, float]]] = Latest()
        led = [(preset, preset.follower.name) for preset in presets if preset.follower is not None]
        self.load({name for _, name in led})
        for preset, name in led:
            net = self._nets[name][0]
            if net is not None and (strange := strange_knob(preset, net)):
                log.warning("preset %s: %s", preset.name, strange)

    def load(self, names: Iterable[str]) -> None:
        """Read those that are new or have changed; one that cannot play is said once, and left out."""
        for name in names:
            old, before = self._nets.get(name, (None, -1.0))
            net = None
            stamp = 0.0
            try:
                path = self._find(name)
                stamp = path.stat().st_mtime
                if stamp == before:
                    continue
                net = read(path)
                if before >= 0.0:
                    log.info("%s: reloaded", path.name)
            except (Fault, OSError) as problem:
                if stamp != before:
                    log.warning(
                        "%s; %s",
                        problem,
                        "the previous version keeps playing" if old is not None else "playing without it",
                    )
                net = old
            self._nets = {**self._nets, name: (net, stamp)}

    def run(self, stop: threading.Event) -> None:
        """Thread body: newer files, and names that presets have come to want."""
        while not stop.wait(WATCH_S):
            self.load({each.name for each in (self._wanted.peek() or {}).values()})

    def request(self, wanted: Mapping[int, FollowerRequest]) -> None:
        """What scenes want: scene number -> Following."""
        self._wanted.post(wanted)

    @property
    def moves(self) -> Mapping[int, Mapping[str, float]]:
        """The newest of each scene: scene number -> route source -> 0..1."""
        return self._moves.peek() or {}

    def tick(self, heard: np.ndarray) -> None:
        """A tick of `control_features.TICK_S` further; what is heard, (len(NAMES),)."""
        wanted = self._wanted.peek() or {}
        if not wanted and not self._playing:
            return
        moves: dict[int, Mapping[str, float]] = {}
        ticked: list[AutoPerformer] = []  # a scene that goes on from another, and that one, share theirs
        for number, wish in wanted.items():
            net = self._nets.get(wish.name, (None, 0.0))[0]
            if net is None:
                continue
            _, improviser, sources = self._at_play(number, wish, net)
            if net not in self._failed and improviser not in ticked:
                ticked.append(improviser)
                try:
                    improviser.tick(heard, wish.wildness)
                except Exception as error:
                    self._failed = {one for one, _ in self._nets.values() if one in self._failed} | {net}
                    log.error(
                        "follower %s stopped (%s); its parameters stay where they are",
                        wish.name,
                        onnx_reason(error),
                    )
            moves[number] = dict(zip(sources, improviser.knobs.tolist(), strict=True))
        self._playing = {number: one for number, one in self._playing.items() if number in moves}
        self._moves.post(moves)

    def _at_play(
        self, number: int, wish: FollowerRequest, net: FollowerNet
    ) -> tuple[FollowerRequest, AutoPerformer, list[str]]:
        """A scene's follower; where its network or seed is another now, it goes on from where its knobs are."""
        there = self._playing.get(number) or self._playing.get(wish.after)
        if there is not None:
            self._playing[number] = there
        if there is None or there[1].net is not net or (there[0].name, there[0].seed) != (wish.name, wish.seed):
            start = there[1].knobs if there is not None and there[1].net.knobs == net.knobs else None
            there = self._playing[number] = (
                wish,
                AutoPerformer(net, wish.seed, start),
                [f"follower.{knob}" for knob in net.knobs],
            )
        return there
