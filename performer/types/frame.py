"""The nouns that travel between rooms: ControlEvent, Walk, Scene, Frame. All are frozen: hand one on and forget it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from performer.types.features import Features, Sound
from performer.types.params import Value
from performer.types.preset import Preset
from performer.types.status import FULL_EFFORT, NO_STATUS, Effort, Status


@dataclass(frozen=True, slots=True)
class ControlEvent:
    """One gesture, or one message from another program.

    Attributes
    ----------
    t : float
        Seconds, on the show's clock, when it arrived.
    address : str
        What was touched: `midi.cc74`, `midi.note60`, `midi.clock`, `show.tap`, `show.preset` ...
    value : float
        0..1 for continuous controls; velocity 0..1 for notes (0: released); a number for `show.preset`.
    text : str
        A name, where a number will not do (a preset's).
    latent : bytes
        float32 as bytes, for what glides there or is kept.
    words : tuple[str, ...]
        More names: a model's, then tags or the name before.
    port : int
        Which MIDI input it came through, by a number of its own: two may send clocks; 0 for none.
    """

    t: float
    address: str
    value: float = 1.0
    text: str = ""
    latent: bytes = b""
    words: tuple[str, ...] = ()
    port: int = field(default=0, compare=False)


#: A kept place that holds a walk: its latent as bytes, with a style after it if it has one; how far it has come, 0..1;
#: amounts of the model's directions at which it is as it was kept.
Stop = tuple[bytes, float, tuple[float, ...]]


@dataclass(frozen=True, slots=True)
class Walk:
    """Where a layer's walker stands; the generator turns it into a latent with `latent.walks`.

    Attributes
    ----------
    kind : str
        Name of a row of `latent.walks.WALKS`.
    position : float
        The one float that Show integrates (about one keyframe per unit).
    seed : int
        Seed of the path.
    truncation : float
        0..1.5, how far from the mean latent the walk strays.
    moves : tuple[float, ...]
        Amounts of the model's directions, in their order.
    styles : tuple[Walk | None, Walk | None]
        Walks of the middle and of the fine layers, where styles are mixed; None: this walk.
    stops : tuple[Stop, ...]
        Kept places that hold the walk.
    space : str
        "z", or "w": through the styles that the model's mapping makes of keyframes.
    psi : float | None
        How far pictures stray from the model's mean one; None: as the model's card says.
    noise : tuple[float, ...]
        (position, seed, amounts for coarse, middle and fine layers) of its noise; () for none.
    """

    kind: str
    position: float
    seed: int
    truncation: float
    moves: tuple[float, ...] = ()
    stops: tuple[Stop, ...] = ()
    styles: tuple[Walk | None, Walk | None] = (None, None)
    space: str = "z"
    psi: float | None = None
    noise: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Play:
    """What a layer of media shows at one moment.

    Attributes
    ----------
    position : float
        What its speed has come to: seconds of a video, pictures or words since the scene began.
    params : tuple[Value, ...]
        Its other parameters' values, in the order of `media_params.MEDIA`, speed left out.
    beat : float
        Monotone number of beats, for what is timed by it.
    """

    position: float
    params: tuple[Value, ...] = ()
    beat: float = 0.0


@dataclass(frozen=True, slots=True)
class FollowerRequest:
    """The follower that a scene wants at play, its seed, and how wildly it plays, 0..2.

    Attributes
    ----------
    after : int
        Number of the scene whose improvisation it goes on with; 0: it begins its own.
    """

    name: str
    seed: int
    wildness: float
    after: int = 0


@dataclass(frozen=True, slots=True)
class Scene:
    """One preset as it stands at one moment.

    Attributes
    ----------
    number : int
        Counts the scenes started in this show: the same preset started again is another scene.
    preset : Preset
        What it plays.
    params : Mapping[str, Value]
        Address (`layer.node.param`) -> value; events are counts.
    walks : Mapping[str, Walk]
        Layer name -> Walk, for layers whose source is a model.
    t : float
        Seconds since the scene started.
    plays : Mapping[str, Play]
        Layer name -> Play, for layers whose source is media.
    """

    number: int
    preset: Preset
    params: Mapping[str, Value]
    walks: Mapping[str, Walk]
    t: float
    plays: Mapping[str, Play] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """Everything a picture depends on; the same frames give the same pictures.

    Attributes
    ----------
    index : int
        Counts pictures from 0.
    t, dt : float
        Seconds, on the show's clock, and since the last frame.
    size : tuple[int, int]
        (width, height) in pixels.
    features : Features
        The sound, as predicted for the moment this picture is seen.
    sound : Sound
        Raw waveform and spectrum.
    scene : Scene
        What is playing.
    incoming : Scene | None
        What it changes to.
    progress : float
        0..1 of that change.
    renewal : bool
        That change is of a scene into itself: a plain dissolve, whatever the preset's transition.
    blackout : float
        0..1, how far the picture is dimmed to black.
    sync : str
        What drives the beat: "audio", "midi", "tap" or "none".
    preview : Scene | None
        The scene on the deck that is not live, where there are two.
    routes : tuple[tuple[str, str, float], ...]
        (source, target, 0..1) for each route of the scene, for the HUD.
    effort : Effort
        What this picture may cost.
    status : Status
        How the show stands, for whoever shows or publishes it.
    """

    index: int
    t: float
    dt: float
    size: tuple[int, int]
    features: Features
    sound: Sound
    scene: Scene
    incoming: Scene | None = None
    progress: float = 0.0
    blackout: float = 0.0
    sync: str = "none"
    routes: tuple[tuple[str, str, float], ...] = ()
    preview: Scene | None = None
    renewal: bool = False
    effort: Effort = FULL_EFFORT
    status: Status = NO_STATUS

    @property
    def scenes(self) -> tuple[Scene, ...]:
        """All that are drawn."""
        return tuple(scene for scene in (self.scene, self.incoming, self.preview) if scene is not None)


EMPTY: Mapping[str, Value] = MappingProxyType({})
