"""The nouns that travel between rooms: Features, Sound, ControlEvent, Walk, Scene, Frame.

All are frozen: a thread may hand one to another and forget it. No snapshot holds an edge ("an onset now!"),
since a latest-wins box may drop it; it holds a count and a time, which cannot be lost.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

import numpy as np

from performer.system.errors import counted
from performer.types.params import Value
from performer.types.preset import Preset

BANDS = 64

#: Columns that open every row of the feature ring; named features in 0..1 follow, then BANDS log-spaced bands.
HEAD = (
    "t",
    "onset_t",
    "onsets",
    "kicks",
    "snares",
    "hats",
    "beat",
    "bar",
    "bpm",
    "confidence",
    "drops",
    "meter",
    "kick_t",
    "snare_t",
    "hat_t",
)

#: Columns of HEAD that are moments on the clock of whoever wrote the row.
TIMES = ("t", "onset_t", "kick_t", "snare_t", "hat_t")


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class Features:
    """What is known of the sound at one moment.

    Attributes
    ----------
    t : float
        Seconds of the newest sample heard, on the show's clock.
    values : Mapping[str, float]
        Named features, each in 0..1 (route sources `audio.NAME`).
    bands : ndarray
        (64,) float, log-spaced in frequency, each in 0..1.
    onset_t : float
        Seconds of the newest onset; -inf before the first.
    onsets : int
        How many onsets so far.
    kicks : int
        Snares, hats count theirs.
    beat : float
        Monotone number of beats; its phase is `beat % 1`.
    bar : float
        Monotone number of bars; `bar % 1` is 0 on the downbeat.
    bpm : float
        Beats per minute; 0 when unknown.
    confidence : float
        0..1, how far `beat` may be trusted.
    drops : int
        How many drops so far: returns of the bass after a break or a build-up.
    meter : int
        Beats in a bar.
    kick_t, snare_t, hat_t : float
        Seconds of the newest of each; -inf before the first.
    """

    t: float = 0.0
    values: Mapping[str, float] = field(default_factory=dict)
    bands: np.ndarray = field(default_factory=lambda: np.zeros(BANDS, np.float32))
    onset_t: float = float("-inf")
    onsets: int = 0
    kicks: int = 0
    snares: int = 0
    hats: int = 0
    beat: float = 0.0
    bar: float = 0.0
    bpm: float = 0.0
    confidence: float = 0.0
    drops: int = 0
    meter: int = 4
    kick_t: float = float("-inf")
    snare_t: float = float("-inf")
    hat_t: float = float("-inf")

    @classmethod
    def from_row(cls, row: np.ndarray, names: Sequence[str]) -> Features:
        """Read one row of the feature ring: HEAD, then `names` in order, then the bands.

        Parameters
        ----------
        row : ndarray
            (len(HEAD) + len(names) + BANDS,) float64.
        """
        first = len(HEAD)
        last = first + len(names)
        (t, onset_t, onsets, kicks, snares, hats, beat, bar, bpm, confidence, drops, meter, kick_t, snare_t, hat_t) = (
            row[:first].tolist()
        )
        return cls(
            t=t,
            values=dict(zip(names, row[first:last].tolist(), strict=True)),
            bands=row[last : last + BANDS].astype(np.float32),
            onset_t=onset_t,
            onsets=int(onsets),
            kicks=int(kicks),
            snares=int(snares),
            hats=int(hats),
            beat=beat,
            bar=bar,
            bpm=bpm,
            confidence=confidence,
            drops=int(drops),
            meter=max(1, int(meter)),
            kick_t=kick_t,
            snare_t=snare_t,
            hat_t=hat_t,
        )

    def beat_at(self, t: float) -> float:
        """Number of beats at time t (seconds), before or after the newest sample, at the present tempo."""
        return self.beat + (t - self.t) * self.bpm / 60.0


class Sound:
    """The raw sound that shaders may see, through ISF `audio` and `audioFFT` inputs.

    Parameters
    ----------
    waveform : ndarray, optional
        (1024,) float32, -1..1 after automatic gain, newest sample last.
    spectrum : ndarray, optional
        (512,) float32, 0..1, magnitudes linear in hertz from 0 to half the sample rate.
    later : callable, optional
        Makes both instead, when somebody asks for them: most scenes never do.
    """

    __slots__ = ("_later", "_seen")

    def __init__(
        self,
        waveform: np.ndarray | None = None,
        spectrum: np.ndarray | None = None,
        later: Callable[[], tuple[np.ndarray, np.ndarray]] | None = None,
    ) -> None:
        self._later = later
        self._seen = (
            None
            if later is not None
            else (
                np.zeros(1024, np.float32) if waveform is None else waveform,
                np.zeros(512, np.float32) if spectrum is None else spectrum,
            )
        )

    @property
    def waveform(self) -> np.ndarray:
        """(1024,) float32, -1..1, newest sample last."""
        return self._both()[0]

    @property
    def spectrum(self) -> np.ndarray:
        """(512,) float32, 0..1."""
        return self._both()[1]

    def _both(self) -> tuple[np.ndarray, np.ndarray]:
        if self._seen is None:
            assert self._later is not None
            self._seen = self._later()
        return self._seen


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
class Following:
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


@dataclass(frozen=True, eq=False, slots=True, weakref_slot=True, kw_only=True)
class OnCard:
    """A picture in a graphics card's memory, just as its model made it; it stays so for as long as anybody keeps this.

    Attributes
    ----------
    address : int
        Address of its first byte, as CUDA counts.
    size : int
        Bytes.
    device : int
        CUDA's number of the card.
    shape : tuple[int, ...]
        Shape of the tensor.
    dtype : str
        "float32", "float16" or "uint8".
    layout : str
        What its axes are, as cards say it: "NCHW", "HWC" ...
    low, high : float
        Its values for black and white.
    clip : bool
        Whether it may overshoot them.
    fetch : callable
        Copies it to the processor, as Image.pixels are there.
    """

    address: int
    size: int
    shape: tuple[int, ...]
    dtype: str
    layout: str
    low: float
    high: float
    clip: bool
    fetch: Callable[[], np.ndarray]
    device: int = 0


@dataclass(frozen=True, eq=False, slots=True)
class Image:
    """What a generator made of one frame's walk.

    Attributes
    ----------
    pixels : ndarray | OnCard
        (3, H, W) float32, planar RGB, 0..1, C-contiguous; or (H, W, 4) uint8, RGBA with straight alpha; or a picture
        that has stayed on the card.
    t : float
        `Frame.t` of the frame it was made for, in seconds.
    took : float
        Seconds of work it cost.
    cut : bool
        Show it at once, rather than by a crossfade from the one before.
    """

    pixels: np.ndarray | OnCard
    t: float
    took: float = 0.0
    cut: bool = False

    @property
    def host(self) -> np.ndarray:
        """Its pixels in the processor's memory."""
        return self.pixels.fetch() if isinstance(self.pixels, OnCard) else self.pixels


#: (scene number, layer name) -> newest Image, as the generator's mailbox carries them.
Images = Mapping[tuple[int, str], Image]

EMPTY: Mapping[str, Value] = MappingProxyType({})
