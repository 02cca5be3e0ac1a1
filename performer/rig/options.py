"""What commands take, each option stated once: its type, its default, its range, and what --help says of it.

The command line is made from these (performer.cli.options). They load next to nothing, as nobody waits for a help.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from typing import Annotated, Any

from performer.rig.arguments import (
    channel_text,
    controller,
    fps_of,
    live_fps_of,
    program_channel,
    quantum,
    size_of,
    size_text,
)


@dataclass(frozen=True)
class Option:
    """How a command line asks for a field.

    Parameters
    ----------
    help : str
        What it is for.
    least, most : float or None
        Limits of a number.
    read : callable or None
        Makes the value of what was typed, and raises Fault; None where the field's type says it all.
    write : callable or None
        Makes of a default what would be typed for it, where that is something else.
    placed : bool
        Given by its place in the line, not by its name.
    """

    help: str
    least: float | None = None
    most: float | None = None
    read: Callable[[str], Any] | None = None
    write: Callable[[Any], str] | None = None
    placed: bool = False


Size = Annotated[tuple[int, int], Option("Width x height in pixels, such as 1280x720.", read=size_of, write=size_text)]
Seed = Annotated[int, Option("Random seed: the same seed gives the same show.")]
Transition = Annotated[str | None, Option("A transition, by name or file, for every change of preset.")]
Provider = Annotated[str, Option("Where models run: auto, cuda, cpu, tensorrt or openvino.")]
Quantise = Annotated[str, Option("Quantise changes of preset and jumps: now, beat, bar or phrase.", read=quantum)]
Autopilot = Annotated[int, Option("Autopilot: change the preset every so many bars; 0: off.", least=0, most=512)]
LimitFlashes = Annotated[bool, Option("Limit flashes: no part of the image flashes more than three times a second.")]
Pads = Annotated[
    int | None,
    Option("MIDI note of the first snapshot pad: this pad and those after it recall snapshots.", least=0, most=127),
]
PadsChannel = Annotated[
    int,
    Option(
        "MIDI channel of the snapshot pads, so that a keyboard on another channel recalls nothing; 0: any.",
        least=0,
        most=16,
    ),
]
ProgramChannel = Annotated[
    int | None,
    Option(
        "The MIDI channel whose program changes select presets: 1 to 16, all, or off.",
        read=program_channel,
        write=channel_text,
    ),
]
MidiApi = Annotated[str, Option("alsa or jack, where there is a choice.")]
Monitor = Annotated[str | None, Option("Name, part of it, or index.")]
Fullscreen = Annotated[bool, Option("Fill the monitor.")]


@dataclass(frozen=True, kw_only=True)
class PlayOptions:
    """What `performer play` takes, in the order of its --help."""

    preset: Annotated[str | None, Option("Name of a preset, or path of a TOML file.", placed=True)] = None
    input: Annotated[
        str,
        Option("default, system (what the computer plays), a device's name or index, a sound file, demo, or silence."),
    ] = "default"
    midi: Annotated[str, Option("all, off, or part of a port's name.")] = "all"
    midi_api: MidiApi = ""
    size: Size = (1280, 720)
    monitor: Monitor = None
    fullscreen: Fullscreen = False
    headless: Annotated[bool, Option("No window: render offscreen.")] = False
    hud: Annotated[bool, Option("Start with the HUD shown (h).")] = False
    desk: Annotated[
        bool,
        Option(
            "Operator window: HUD, output and preview of the other deck. The audience's window shows the output alone."
        ),
    ] = False
    gallery: Annotated[
        bool,
        Option(
            "Unattended installation: waits for screen and sound, skips broken presets, writes no notifications on "
            "the image."
        ),
    ] = False
    fps: Annotated[
        float | None,
        Option(
            "Frames per second, such as 59.94 or 60000/1001; default: the screen's refresh rate, 60 without one.",
            read=live_fps_of,
        ),
    ] = None
    seconds: Annotated[float | None, Option("Stop after so many seconds.", least=0.0)] = None
    seed: Seed = 0
    transition: Transition = None
    provider: Provider = "auto"
    output_delay_ms: Annotated[
        float | None,
        Option(
            "External latency: display and audio output beyond what the program measures; beats are drawn earlier "
            "by it. Default: what `performer calibrate` measured.",
            least=-1000.0,
            most=1000.0,
        ),
    ] = None
    quantise: Quantise = "now"
    autopilot: Autopilot = 0
    limit_flashes: LimitFlashes = False
    crossfader: Annotated[
        str,
        Option(
            "Two decks, with this MIDI controller as the crossfader, such as cc8. Key c toggles two decks, too.",
            read=controller,
        ),
    ] = ""
    pads: Pads = None
    pads_channel: PadsChannel = 0
    program_channel: ProgramChannel = 0
    link: Annotated[bool, Option("Follow an Ableton Link session (needs the extra `link`).")] = False
    midi_clock_out: Annotated[str | None, Option("Send MIDI clock to this port: part of its name, or virtual.")] = None
    page: Annotated[
        int | None,
        Option(
            "Serve a control page for a browser on this machine, at this port (default 8765).",
            least=0,
            most=65535,
        ),
    ] = None
    page_host: Annotated[
        str,
        Option(
            "Address that the control page listens on: 0.0.0.0 lets a tablet, and everybody else in your network, "
            "reach it."
        ),
    ] = "127.0.0.1"
    record: Annotated[str | None, Option("Record to this file (.mp4 or .mkv) from the start.")] = None
    record_moves: Annotated[
        str | None,
        Option("Record your control moves, for `train follower`: NAME.npz, or a folder."),
    ] = None
    stats: Annotated[str | None, Option("Write statistics of the show to this JSON file.")] = None


@dataclass(frozen=True, kw_only=True)
class RenderOptions:
    """What `performer render` takes, in the order of its --help."""

    song: Annotated[str, Option("A sound file, or demo.", placed=True)]
    out: Annotated[str, Option("The movie to write (.mp4 or .mkv).", placed=True)]
    preset: Annotated[str | None, Option("Name of a preset, or path of a TOML file.")] = None
    size: Size = (1280, 720)
    fps: Annotated[
        float | Fraction,
        Option("Frames per second, exact: 60, 29.97, 30000/1001.", read=partial(fps_of, most=240), write="{:g}".format),
    ] = 60.0
    seconds: Annotated[float | None, Option("Render only the first so many seconds.", least=0.05)] = None
    seed: Seed = 0
    transition: Transition = None
    midi: Annotated[str | None, Option("A MIDI file played along with the song.")] = None
    sheet: Annotated[str | None, Option("Also write a contact sheet to this PNG file.")] = None
    provider: Provider = "auto"
    quantise: Quantise = "now"
    autopilot: Autopilot = 0
    limit_flashes: LimitFlashes = False
    pads: Pads = None
    pads_channel: PadsChannel = 0
    force: Annotated[bool, Option("Overwrite an existing file.")] = False
    program_channel: ProgramChannel = None


@dataclass(frozen=True, kw_only=True)
class CalibrateOptions:
    """What `performer calibrate` takes, in the order of its --help."""

    by: Annotated[str, Option("tapping, microphone or both.")] = "tapping"
    input: Annotated[str, Option("The microphone: default, system, a device's name or index.")] = "default"
    output: Annotated[str, Option("Sound output that clicks: a device's name or index.")] = ""
    midi: Annotated[str, Option("all, off, or part of the name of a port whose pads you tap.")] = "all"
    midi_api: MidiApi = ""
    monitor: Monitor = None
    size: Size = (1280, 720)
    fullscreen: Fullscreen = False
    pulses: Annotated[int, Option("Number of clicks, and then of flashes, at 1.3 per second.")] = 27
