"""What every sound input offers, and which one `--input` means."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from performer.system.errors import Fault
from performer.system.mailboxes import Ring
from performer.system.paths import expanded

RING_S = 4.0  # of sound kept
CHANNELS = 64  # at most

Clock = Callable[[], float]


class SoundSource(Protocol):
    """A sound input. `ring` and `rate` are replaced together when it comes back in another shape.

    Attributes
    ----------
    ring : Ring
        (frames, channels) float32, stamped with the show's time at which the newest sample sounded.
    rate : int
        Samples per second.
    state : str
        "running" or "lost".
    note : str
        One line for people: what is heard.
    overflows : int
        Blocks that the sound system had to throw away.
    layout : tuple[str, ...]
        Names of the channels' speakers, as audio.surround has them; empty where they are not known.
    key : str
        "API: NAME" of a device; "" of sound that the program plays itself.
    reported_s : float
        Input latency as the sound system states it; 0 where no device is.
    delay_s : float
        How old the newest sample was when it last came, by the sound system's own clock.
    """

    ring: Ring
    rate: int
    layout: tuple[str, ...]
    state: str
    note: str
    overflows: int
    delay_s: float
    reported_s: float

    @property
    def key(self) -> str: ...

    def open(self) -> None:
        """Start. Raises Fault when that cannot be."""

    def pump(self) -> None:
        """Called by the analysis thread before it reads: brings what is due where no callback does."""

    def poll(self, now: float) -> None:
        """Called some ten times a second: looks after what was lost; a frozen sound server may keep it for long."""

    def prepare(self) -> None:
        """Called some ten times a second, and never kept by the sound system: decodes what will be due."""

    def close(self) -> None:
        """Stop, for good; a frozen sound server may keep it for long."""


def create(spec: str, now: Clock, mute: bool = False, patient: bool = False) -> SoundSource:
    """The source that `--input` names: default, system, demo, silence, a file, or a device's name or index.

    Parameters
    ----------
    now : Clock
        The show's clock.
    mute : bool, optional
        The sound system does not respond: ask it nothing.
    patient : bool, optional
        A device that is not there yet is waited for, in silence.

    Raises
    ------
    Fault
        What is wrong, where, and the likely mend, in one line.
    """
    from performer.io.sound import player, silence, sound_file, soundcard

    if spec == "demo":
        return player.demo_player(now, mute=mute)
    if spec == "silence":
        return silence.create(now)
    path = expanded(spec)
    if path.is_file():
        return player.file_player(path, now, mute, patient)
    if path.suffix.lower() in sound_file.SUFFIXES or len(path.parts) > 1:
        raise Fault(f"{spec}: no such sound file")
    if patient:
        return soundcard.SoundCard(spec, now, patient=True, mute=mute)
    if mute:
        if spec == "default":
            return player.demo_player(now, "the sound system does not respond", mute=True)
        raise Fault(f"--input {spec}: the sound system does not respond; restart it, or use --input demo")
    if spec == "default" and not soundcard.has_input():
        return player.demo_player(now, "no sound input, playing the demo")
    return soundcard.SoundCard(spec, now)
