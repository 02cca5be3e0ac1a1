"""Two decks and a crossfader: what is chosen goes to the deck that is not live, and comes in by hand or by a take."""

from __future__ import annotations

NEAR = 0.06  # a fader on a controller takes over where it meets the crossfader


class Crossfader:
    """Where the picture stands between deck A (0) and deck B (1), and which of the two is live.

    `position` is 0..1; `progress` is how far the other deck has come in.
    """

    def __init__(self) -> None:
        self.position = 0.0
        self.live_b = False
        self._speed = 0.0  # of a take, per second towards the other deck
        self._hand: float | None = None  # where the controller's fader was last
        self._held = False  # whether it has taken over

    @property
    def progress(self) -> float:
        """How far the deck that is not live is in, 0..1."""
        return 1.0 - self.position if self.live_b else self.position

    @property
    def live(self) -> str:
        """The deck that is live: A or B."""
        return "B" if self.live_b else "A"

    def move(self, position: float) -> None:
        """A hand on the fader, 0..1; one that stands elsewhere counts from where it meets the crossfader."""
        before = self._hand
        self._hand = position
        if not self._held:
            crossed = before is not None and (before - self.position) * (position - self.position) <= 0.0
            self._held = crossed or abs(position - self.position) < NEAR
        if self._held:
            self.position = min(max(position, 0.0), 1.0)
            self._speed = 0.0

    def take(self, seconds: float) -> None:
        """Go all the way to the other deck in so many seconds, from wherever it stands."""
        self._speed = 1.0 / max(seconds, 1e-3)
        self._held = False

    def step(self, dt: float) -> bool:
        """Go on for dt seconds; True when the other deck has come in wholly: it is the live one now."""
        if self._speed > 0.0:
            way = self._speed * dt
            self.position = min(max(self.position + (-way if self.live_b else way), 0.0), 1.0)
        if self.progress < 1.0:
            return False
        self.live_b = not self.live_b
        self._speed = 0.0
        return True
