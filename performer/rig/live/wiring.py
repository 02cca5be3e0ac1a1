"""What the live loop reads from and writes to: mailboxes, queues and the parts that other threads feed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from queue import SimpleQueue
from typing import Protocol

import moderngl

from performer.generators.painter import Painter
from performer.io.page.state_publisher import StatePublisher
from performer.io.record.moves import MovesRecorder
from performer.io.record.recorder import Recorder
from performer.io.record.stills import Stills
from performer.latent.bank import Bank, Change
from performer.rig.latency import Latency
from performer.rig.listener import Listener
from performer.rig.live.follower_pool import FollowerPool
from performer.rig.live.hot_reload import Content
from performer.show.midi_learn import MidiLearn
from performer.show.show import Show
from performer.system.mailboxes import Latest
from performer.types.actions import Act
from performer.types.frame import ControlEvent, Frame
from performer.types.image import Images
from performer.types.notification import Notifications


class Surface(Protocol):
    """Where pictures go: a window, or an offscreen buffer."""

    ctx: moderngl.Context
    screen: moderngl.Framebuffer
    size: tuple[int, int]

    @property
    def fullscreen(self) -> bool: ...
    def set_fullscreen(self, on: bool) -> None: ...
    def poll(self) -> Sequence[ControlEvent]: ...
    def swap(self) -> None: ...
    def close(self) -> None: ...


@dataclass(kw_only=True)
class Wiring:
    """What the loop reads from and writes to; `Rig` fills it in.

    Attributes
    ----------
    events : SimpleQueue[ControlEvent]
        Gestures of all inputs.
    content : SimpleQueue[Content]
        Shaders, presets and banks whose files changed while playing, banks of models that came meanwhile.
    notices : Notifications
        Short lines for whoever plays.
    sound_note, midi_note : callable
        Say what is heard and played now.
    record : callable
        Makes a Recorder for a path, or for None a path of its own choice; raises Fault.
    kept : SimpleQueue[Bank | Change]
        Banks that were changed, to be written, and what others did to them, once that is done here.
    followers : Followers
        Those that improvise.
    moves : MovesRecorder | None
        Records what hands do, if it is recorded.
    learn : Learn
        What the buttons of controllers do; what they learn goes to `taught`, to be written.
    latency : Latency
        Measures the way from sound to picture, and so how far ahead beats are drawn.
    board : Board | None
        Where the control page looks, if there is one.
    """

    show: Show
    listener: Listener
    painter: Painter
    frames: Latest[Frame]
    images: Latest[Images]
    events: SimpleQueue[ControlEvent]
    content: SimpleQueue[Content]
    notices: Notifications
    snapshots: Stills
    record: Callable[[str | None, tuple[int, int]], Recorder]
    now: Callable[[], float]
    sound_note: Callable[[], str]
    midi_note: Callable[[], str]
    latency: Latency
    kept: SimpleQueue[Bank | Change]
    followers: FollowerPool
    learn: MidiLearn
    taught: SimpleQueue[Mapping[str, Act]]
    moves: MovesRecorder | None = None
    board: StatePublisher | None = None
