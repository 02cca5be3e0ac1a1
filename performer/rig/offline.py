"""The same show with a stepping clock: a song in, a movie out, the same frames every time."""

from __future__ import annotations

import json
import math
import os
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TextColumn
from rich.text import Text

from performer.audio import analyse_file
from performer.audio.beat_network import beat_net
from performer.audio.downmix import Mixer
from performer.content import banks
from performer.generators.media.open import prove
from performer.gl.render.flash_limiter import FlashLimiter
from performer.gl.render.readback import Readback
from performer.gl.render.renderer import Renderer
from performer.gl.render.wait import finish
from performer.gl.window.offscreen import Offscreen
from performer.io.midi import ports as midi
from performer.io.record.contact_sheet import Sheet
from performer.io.record.moves import MovesRecorder
from performer.io.record.movie import Movie, clock_time
from performer.io.record.plots import Trace
from performer.io.record.plots import song as draw_song
from performer.io.sound import demo_song, sound_file
from performer.rig.listener import Listener
from performer.rig.live.follower_pool import FollowerPool
from performer.rig.loading import load_library, painter
from performer.rig.options import RenderOptions
from performer.rig.shader_trial import ShaderTrial, verdicts_path
from performer.show.show import Pads, Show
from performer.system.errors import Fault
from performer.system.mailboxes import Ring
from performer.types.features import Sound
from performer.types.frame import ControlEvent, Frame
from performer.types.rates import rate

RING_S = 2.0
REEL_S = 30.0
REEL_BEGINS_BAR = 10  # two bars before the demo's first drop
#: Of the reel, in its order: as unlike each other as can be, and each at its best within seconds.
BEST = ("deep_tunnel", "chrome", "laser_chapel", "garden", "cut_ice", "quicksilver")
BLOCK = 4096
SHEET_PICTURES = 12
REHEARSED_HZ = 100  # pictures a second that are thought of, when none is drawn


class Song:
    """A sound file or the demo, in blocks: what stands in for a sound input offline.

    Attributes
    ----------
    rate, channels
        Of the sound.
    layout : tuple[str, ...]
        Names of the channels' speakers, as audio.surround has them; empty where they are not known.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self.layout: tuple[str, ...]
        if name == "demo":
            self.rate = 48000
            self.channels = 2
            self.layout = ()
            self._length_s: float | None = round(demo_song.BARS * 240.0 / demo_song.BPM * self.rate) / self.rate
            # Bar by bar as they are asked for: whoever wants two seconds does not wait for all of it.
            self._blocks: Iterator[np.ndarray] = islice(demo_song.bars(self.rate), demo_song.BARS)
        else:
            info = sound_file.probe(name)
            self.rate = info.rate
            self.channels = info.channels
            self.layout = info.layout
            self._length_s = None
            self._blocks = sound_file.blocks(name, self.rate)
        self._rest = np.zeros((0, self.channels), np.float32)

    def length_s(self, most: float | None = None) -> float:
        """Seconds of sound, or `most` where there are more; a compressed file is decoded once to tell. Raises Fault."""
        if self._length_s is None:
            self._length_s = sound_file.duration_s(self._name, most)
        return self._length_s if most is None else min(most, self._length_s)

    def read(self, n: int) -> np.ndarray:
        """The next n frames (n, channels) float32; fewer at the end."""
        parts = [self._rest]
        have = len(self._rest)
        while have < n:
            block = next(self._blocks, None)
            if block is None:
                break
            parts.append(block)
            have += len(block)
        joined = np.concatenate(parts) if len(parts) > 1 else self._rest
        self._rest = joined[n:]
        return joined[:n]


class _Heard:
    """A listener's source that is fed by hand."""

    delay_s = 0.0

    def __init__(self, song: Song) -> None:
        self.song = song
        self.rate = song.rate
        self.ring = Ring(int(RING_S * song.rate), song.channels)

    def pump(self) -> None:
        """Nothing comes by itself."""

    def hear(self, block: np.ndarray) -> None:
        self.ring.write(block, (self.ring.written + len(block)) / self.rate)


class Performance:
    """Frames of a song, one after another, and their pixels.

    Context manager; raises Fault when anything it needs is missing.
    """

    def __init__(self, options: RenderOptions) -> None:
        self.options = options
        library = load_library(options.transition)
        presets = library.in_order()
        if not presets and options.preset is None:
            raise Fault("no presets; install performer again, or name one with --preset FILE.toml")
        first = library.find(options.preset) if options.preset else presets[0]
        for layer in first.layers:
            if layer.play is not None:
                prove(layer.play, options.size)
        self.song = Song(options.song)
        self._events = midi.events(options.midi, options.program_channel) if options.midi else []
        self._heard = _Heard(self.song)
        self._followers = FollowerPool(library.follower, library.presets.values())
        self._listener = Listener(self._heard, self._followers.tick)
        self.presets = library.in_order()
        self.preset = first
        self._show = Show(
            self.presets,
            first.name,
            seed=options.seed,
            quantise=options.quantise,
            autopilot=options.autopilot,
            banks=banks.read_all(library.dims()),
            pads=Pads(options.pads, options.pads_channel) if options.pads is not None else None,
        )
        self._followers.request(self._show.following)
        self._painter = painter(library, options.provider, repeats=True)
        for layer in first.layers:
            if layer.model is not None:
                self._painter.warm(layer.model)
        self._surface = Offscreen(options.size)
        trial = ShaderTrial(str(self._surface.ctx.info["GL_RENDERER"]), verdicts_path())
        try:
            library.refuse(trial.examine(library.foreign(*self.presets, first)))
        finally:
            trial.stop()
        self._renderer = Renderer(self._surface.ctx, library.shaders)
        self._renderer.limiter = FlashLimiter(self._surface.ctx) if options.limit_flashes else None
        self._renderer.warm(first)
        self._readback = Readback(self._surface.ctx)
        length = self.song.length_s(options.seconds)
        self.fps = rate(options.fps)
        self.frames = max(1, math.ceil(length * float(self.fps) - 1e-6))
        self.index = 0

    def __enter__(self) -> Performance:
        return self

    def __exit__(self, *error: object) -> None:
        self._painter.close()
        self._surface.close()

    def lead_in(self, seconds: float, changes: Sequence[tuple[float, str]] = ()) -> None:
        """Hear so many seconds of the song before the first picture; nothing of them is drawn.

        Parameters
        ----------
        changes : Sequence[tuple[float, str]], optional
            (seconds after that, preset) at which another preset comes in.
        """
        events = [ControlEvent(seconds + t, "show.preset", text=name) for t, name in changes]
        self._events = sorted((*self._events, *events), key=lambda event: event.t)
        while self.index < round(seconds * self.fps):
            self._next(draw=False)

    def step(self) -> tuple[Frame, np.ndarray, np.ndarray]:
        """The next frame, its pixels (H, W, 3) uint8, and the sound (n, channels) that goes with it.

        A picture is of the middle of the time that it is seen.
        """
        frame, block = self._next()
        return frame, self._readback.read(self._surface.screen, self.options.size), block

    def _next(self, draw: bool = True) -> tuple[Frame, np.ndarray]:
        dt = float(1 / self.fps)
        t = float((self.index + Fraction(1, 2)) / self.fps)
        first = self._heard.ring.written
        wanted = round((self.index + 1) / self.fps * self.song.rate) - first
        block = self.song.read(wanted)
        half = len(block) // 2
        self._heard.hear(block[:half])
        self._listener.hear()
        due: list[ControlEvent] = []
        while self._events and self._events[0].t <= t:
            due.append(self._events.pop(0))
        sound = self._listener.sound(dt)
        frame = self._show.step(
            t, dt, self.options.size, self._listener.features(), sound, due, moves=self._followers.moves
        )
        self._followers.request(self._show.following)
        self._heard.hear(block[half:])
        if draw:
            self._renderer.draw(frame, self._painter.paint(frame), self._surface.screen)
            finish()
        self.index += 1
        return frame, block


def render(options: RenderOptions, begin_s: float = 0.0, changes: Sequence[tuple[float, str]] = ()) -> None:
    """Render a song to a movie, with a progress bar, and say what was written.

    Stopped early, the movie holds what was done. A file that is there is written over with `force` only.

    Parameters
    ----------
    begin_s : float, optional
        Seconds of the song that are heard, but not in the movie.
    changes : Sequence[tuple[float, str]], optional
        (seconds of the movie, preset) at which another preset comes in.

    Raises
    ------
    Fault
        What is wrong, where, and the likely mend, in one line.
    """
    _spare_files(options)
    with Performance(options) as performance:
        performance.lead_in(begin_s, changes)
        song = performance.song
        sheet = None
        if options.sheet is not None:
            sheet = Sheet(options.sheet, float(performance.frames / performance.fps), SHEET_PICTURES, columns=4)
        movie = Movie(
            options.out, options.size, performance.fps, rate=song.rate, channels=song.channels, layout=song.layout
        )
        try:
            with (
                movie,
                Progress(
                    TextColumn("{task.description}"),
                    BarColumn(),
                    TextColumn("{task.completed:.0f}/{task.total:.0f}"),
                    _Times(),
                    console=Console(stderr=True),
                ) as progress,
            ):
                task = progress.add_task(f"rendering {Path(options.out).name}", total=performance.frames)
                for number in range(performance.frames):
                    _, pixels, block = performance.step()
                    movie.write(pixels)
                    movie.write_audio(block)
                    if sheet is not None:
                        sheet.offer(pixels, float((number + Fraction(1, 2)) / performance.fps))
                    progress.advance(task)
        finally:
            if movie.frames:
                print(_told(movie, performance.frames), flush=True)
            if sheet is not None and movie.frames:
                print(f"{sheet.save()}: contact sheet", flush=True)


def _spare_files(options: RenderOptions) -> None:
    """Raises Fault where something would be written over that nobody gave up."""
    for path, option in ((options.out, ""), (options.sheet, "--sheet ")):
        if path is None or not os.path.exists(path):
            continue
        for read in (options.song, options.midi):
            if read is not None and os.path.exists(read) and os.path.samefile(path, read):
                raise Fault(f"{option}{path}: is the input file; choose another name for the output")
        if not options.force and not os.path.isdir(path):
            raise Fault(f"{option}{path}: already exists; --force overwrites it, or choose another name")


def _told(movie: Movie, wanted: int) -> str:
    """What was written, in one line."""
    size = movie.path.stat().st_size / 1e6 if movie.path.exists() else 0.0
    short = "" if movie.frames >= wanted else f", stopped early: {wanted - movie.frames} pictures are missing"
    return (
        f"{movie.path}: {clock_time(movie.seconds)} of {movie.size[0]}x{movie.size[1]} "
        f"at {float(movie.fps):g} fps, {size:.1f} MB{short}"
    )


class _Times(ProgressColumn):
    """`0:04 elapsed, 0:12 left`."""

    def render(self, task: Task) -> Text:
        words = f"{clock_time(task.elapsed or 0.0)} elapsed"
        if task.time_remaining is not None and not task.finished:
            words += f", {clock_time(task.time_remaining)} left"
        return Text(words)


def show_reel(options: RenderOptions) -> None:
    """Where there is no display: some seconds of the demo as a movie and a contact sheet, and where they are.

    Parameters
    ----------
    options : RenderOptions
        Options of which song, out, sheet, seconds and fps are chosen here; a preset plays alone, without one the best
        do in turn.
    """
    folder = Path.cwd() if os.access(Path.cwd(), os.W_OK) else Path(tempfile.gettempdir())
    movie, sheet = _free_names(folder / "performer-demo", (".mp4", ".png"))
    changes: list[tuple[float, str]] = []
    if options.preset is None:
        known = load_library().presets
        shown = [name for name in BEST if name in known]
        bar_s = 240.0 / demo_song.BPM
        options = replace(options, preset=shown[0] if shown else None)
        changes = [(round(REEL_S * i / len(shown) / bar_s) * bar_s, name) for i, name in enumerate(shown) if i]
    print(
        f"no display here: rendering {REEL_S:.0f} s of the demo instead (--headless would play without a window)",
        file=sys.stderr,
        flush=True,
    )
    options = replace(options, song="demo", out=str(movie), sheet=str(sheet), seconds=REEL_S, fps=30.0)
    render(options, REEL_BEGINS_BAR * 240.0 / demo_song.BPM, changes)


def _free_names(stem: Path, suffixes: Sequence[str]) -> list[Path]:
    """Files NAME.mp4 and NAME.png, or NAME 2.mp4 and NAME 2.png ..., none of which is there."""
    number = 1
    while True:
        name = stem.name if number == 1 else f"{stem.name} {number}"
        paths = [stem.with_name(name + suffix) for suffix in suffixes]
        if not any(path.exists() for path in paths):
            return paths
        number += 1


def rehearse(song: str, automation: str, out: str, preset: str | None = None) -> str:
    """Record moves offline, without drawing: a song, and a MIDI file of what a performer does to it.

    Parameters
    ----------
    preset : str, optional
        Whose routes the controllers move; without one they are recorded as they are.

    Returns
    -------
    str
        What was recorded, in words.

    Raises
    ------
    Fault
        What is wrong, where, and the likely mend, in one line.
    """
    library = load_library()
    presets = library.in_order()
    if preset is None and not presets:
        raise Fault("no presets; install performer again, or name one with --preset FILE.toml")
    first = library.find(preset) if preset is not None else presets[0]
    events = midi.events(automation)
    heard = _Heard(Song(song))
    listener = Listener(heard)
    show = Show([first], first.name)
    recorder = MovesRecorder(out, listener.ticks)
    step = round(heard.rate / REHEARSED_HZ)
    while len(block := heard.song.read(step)):
        heard.hear(block)
        listener.hear()
        t = heard.ring.stamp
        due = []
        while events and events[0].t <= t:
            due.append(events.pop(0))
        frame = show.step(t, len(block) / heard.rate, (16, 16), listener.features(), Sound(), due)
        recorder.offer(t, frame, due)
        recorder.take()
    try:
        recorder.finish()
    except OSError as error:
        raise Fault(f"{out}: cannot write: {error.strerror}") from None
    return recorder.line()


def analyse(name: str, plot: str | None = None, truth: str | None = None) -> dict[str, Any]:
    """What the live analyser says of a file, streamed hop by hop: see `performer.audio.analyse_file`.

    Parameters
    ----------
    plot : str, optional
        Where to draw it, a PNG.
    truth : str, optional
        A manifest.json that names the file, or a text file with a beat's seconds first in each line, to draw beside.

    Raises
    ------
    Fault
        What is wrong, where, and the likely mend, in one line.
    """
    song = Song(name)
    mixer = Mixer(song.rate, song.channels)
    known = _truth(truth, name) if truth is not None else None

    def blocks() -> Iterator[np.ndarray]:
        while len(block := song.read(BLOCK)):
            yield mixer.mix(block)

    if plot is None:
        return analyse_file.analyse(blocks(), song.rate, beat_net())
    trace = Trace()
    made = analyse_file.analyse(blocks(), song.rate, beat_net(), trace.take)
    draw_song(made, trace, known, Path(name).name, plot)
    return made


def _truth(path: str, song: str) -> dict[str, list[float]]:
    try:
        text = Path(path).read_text(encoding="utf-8")
        if not path.endswith(".json"):
            return {"beats": [float(line.split()[0]) for line in text.splitlines() if line.strip()]}
        entry = next(each for each in json.loads(text) if Path(each["file"]).name == Path(song).name)
        return {key: [float(t) for t in entry.get(key, [])] for key in ("beats", "downbeats")}
    except StopIteration:
        raise Fault(f"{path}: does not name {Path(song).name}") from None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise Fault(f"{path}: no list of beats ({error})") from None
