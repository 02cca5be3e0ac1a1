"""What a picture may cost, and how the show stands: both travel in each Frame."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from performer.system.errors import counted
from performer.types.params import Value


@dataclass(frozen=True, slots=True)
class Effort:
    """What a picture may cost, as the governor says.

    Attributes
    ----------
    scale : float
        Scale of the inner resolution, 1.0 being the window's own.
    image_interval_s : float
        Least seconds between two images of a model; 0: each frame may have its own.
    skip : int
        How many effects marked costly are left out.
    """

    scale: float = 1.0
    image_interval_s: float = 0.0
    skip: int = 0

    def size_of(self, size: tuple[int, int]) -> tuple[int, int]:
        """The inner resolution of a picture of (width, height) pixels."""
        return max(2, round(size[0] * self.scale)), max(2, round(size[1] * self.scale))

    def __str__(self) -> str:
        return (
            f"{self.scale:.0%} resolution"
            + (f", images at most {1.0 / self.image_interval_s:.0f}/s" if self.image_interval_s else "")
            + (f", {counted(self.skip, 'effect')} left out" if self.skip else "")
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """How the show stands, for whoever shows or publishes it; no picture depends on it.

    Attributes
    ----------
    frozen, dark : bool
        A freeze, a blackout was asked for.
    held : str
        Names of the kept places that hold the walks, as they were recalled last; "" for none.
    by_hand : Mapping[str, Value]
        Address -> value of the live scene's parameters that were set by hand.
    coming : str
        Title of the preset that comes next; "" where the autopilot will choose, or where there is none.
    beats : float | None
        Until it comes, where that is known.
    cued : bool
        It waits for the music; else it is what lies on the other deck, or what the next key would bring.
    live, other : str
        The deck that is live, "A" or "B", and the title of what lies on the other; "" with one deck.
    quantise : str
        What changes wait for: "now", "beat", "bar" or "phrase".
    autopilot_bars : int
        Bars from one change of the autopilot to the next; 0: it is off.
    tempo_factor : float
        By what the source's tempo is multiplied, on request: 1/4 .. 4.
    beat_moved, downbeat_moved : float
        Beats by which a person has moved the source's beat and its downbeat.
    meter : int
        Beats in a bar.
    """

    frozen: bool = False
    dark: bool = False
    held: str = ""
    by_hand: Mapping[str, Value] = field(default_factory=dict)
    coming: str = ""
    beats: float | None = None
    cued: bool = False
    live: str = ""
    other: str = ""
    quantise: str = "now"
    autopilot_bars: int = 0
    tempo_factor: float = 1.0
    beat_moved: float = 0.0
    downbeat_moved: float = 0.0
    meter: int = 4


FULL_EFFORT = Effort()


NO_STATUS = Status()
