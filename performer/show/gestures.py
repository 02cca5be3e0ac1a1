"""What hands did between two pictures: what came and went is seen all the same, and presses are counted. Pure."""

from __future__ import annotations

from performer.types.routes import presses

NEAR = 1.5 / 127.0  # a step of a controller and a half: coming and going by less is no gesture
# a button or key is pressed when its value rises to the one, and free again at the other
DOWN = 0.5
UP = 0.35


class Gestures:
    """Where controllers, keys and wheels are, as a picture should see them.

    For each picture: `begin`, then `take` for every message, then `end`.

    Attributes
    ----------
    values : dict[str, float]
        Address -> 0..1. What came and went since the last picture is where it was farthest, for one picture: a key as
        hard as it was struck, any other control at the turning point farthest from where it is now.
    presses : dict[str, float]
        `presses(address)` -> how often it was pressed, however shortly.
    """

    def __init__(self) -> None:
        self.values: dict[str, float] = {}
        self.presses: dict[str, float] = {}
        self._down: set[str] = set()
        self._paths: dict[str, list[float]] = {}  # of what was moved since the last picture: first where it was then
        self._passing: dict[str, float] = {}  # where it really is, of what is shown elsewhere in this picture

    def begin(self) -> None:
        """A new picture: what is shown where it was in passing goes to where it is."""
        self.values.update(self._passing)
        self._passing.clear()
        self._paths.clear()

    def take(self, address: str, value: float) -> None:
        """A control is at 0..1 now."""
        path = self._paths.get(address)
        if path is None:
            path = self._paths[address] = [self.values.get(address, 0.0)]
        path.append(value)
        self.values[address] = value
        if address in self._down:
            if value <= UP:
                self._down.remove(address)
        elif value >= DOWN:
            self._down.add(address)
            key = presses(address)
            self.presses[key] = self.presses.get(key, 0.0) + 1.0

    def end(self) -> None:
        """All messages for this picture are here."""
        for address, path in self._paths.items():
            if len(path) > 2:
                now, seen = path[-1], _farthest(address, path)
                if seen != now:
                    self.values[address], self._passing[address] = seen, now

    def clear(self) -> None:
        """Forget where everything is; what was counted stays counted."""
        self.values.clear()
        self._down.clear()
        self._paths.clear()
        self._passing.clear()


def _farthest(address: str, path: list[float]) -> float:
    """What a picture shows of a control that went this way.

    path  where it was in the last picture, then at least two values, up to where it is now
    """
    now = path[-1]
    if address.startswith(("midi.note", "midi.velocity")):
        return max(path[1:])
    seen = now
    away = NEAR
    for before, here, after in zip(path, path[1:], path[2:], strict=False):
        if (here - before) * (after - here) < 0.0 and abs(here - now) > away:
            seen = here
            away = abs(here - now)
    return seen
