"""Where walks will be when a slow model's picture is seen: so that it is on the beat and not a picture behind."""

from __future__ import annotations

from dataclasses import replace

from performer.types.frame import Frame, Scene, Walk

MOST_S = 0.3  # further ahead nothing is sure
GAP_S = 1.0  # frames further apart tell nothing of a speed

Key = tuple[int, str, int]


class LatencyLead:
    """Moves walks on by the speed they have had; one thread's.

    A speed is what a walk has kept up for two pictures in a row: the smaller one of both, none where they differ in
    sign. So a kick, which comes once, is not taken for a speed.
    """

    def __init__(self) -> None:
        self._seen: dict[Key, tuple[float, float, float, float]] = {}  # t, position, speed, of the last picture and now
        self._fresh: dict[Key, tuple[float, float, float, float]] = {}

    def ahead(self, frame: Frame, seconds: float) -> Frame:
        """The frame as it will be in so many seconds, as far as its walks go; the same frame where none moves."""
        seconds = min(seconds, MOST_S)
        self._fresh = {}
        scene = self._scene(frame.scene, frame.t, seconds)
        incoming = self._scene(frame.incoming, frame.t, seconds) if frame.incoming is not None else None
        self._seen = self._fresh
        if scene is frame.scene and incoming is frame.incoming:
            return frame
        return replace(frame, scene=scene, incoming=incoming)

    def _scene(self, scene: Scene, t: float, seconds: float) -> Scene:
        walks = {name: self._walk((scene.number, name, 0), walk, t, seconds) for name, walk in scene.walks.items()}
        return scene if all(walks[name] is walk for name, walk in scene.walks.items()) else replace(scene, walks=walks)

    def _walk(self, key: Key, walk: Walk, t: float, seconds: float) -> Walk:
        middle, fine = (
            None if style is None else self._walk((*key[:2], number), style, t, seconds)
            for number, style in enumerate(walk.styles, 1)
        )
        moved = walk.position + self._speed(key, walk.position, t) * seconds
        if moved == walk.position and (middle, fine) == walk.styles:
            return walk
        return replace(walk, position=moved, styles=(middle, fine))

    def _speed(self, key: Key, position: float, t: float) -> float:
        """Positions per second."""
        before_t, before, last, now = self._seen.get(key, (t, position, 0.0, 0.0))
        if 0.0 < t - before_t < GAP_S:
            last = now
            now = (position - before) / (t - before_t)
        elif t != before_t:
            last = now = 0.0
        self._fresh[key] = (t, position, last, now)
        return min(last, now, key=abs) if last * now > 0.0 else 0.0
