"""The command line. Every command has an example in its --help; everything heavy is imported when it is needed."""

from __future__ import annotations

import io
import logging
import sys
from pathlib import Path
from typing import Annotated

import typer

from performer import __version__
from performer.cli import lists, train
from performer.cli.arguments import fps_of, program_channel
from performer.cli.models import models
from performer.cli.output_files import may_draw, may_write, write_json
from performer.system.errors import Fault, nearest, shown
from performer.system.numbers import whole_number

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)

Size = Annotated[str, typer.Option(help="Width x height in pixels, such as 1280x720.")]
Seed = Annotated[int, typer.Option(help="Random seed: the same seed gives the same show.")]
Transition = Annotated[str | None, typer.Option(help="A transition, by name or file, for every change of preset.")]
Provider = Annotated[str, typer.Option(help="Where models run: auto, cuda, cpu, tensorrt or openvino.")]
Debug = Annotated[bool, typer.Option("--debug", help="Show tracebacks and all log lines.")]


Quantise = Annotated[str, typer.Option(help="Quantise changes of preset and jumps: now, beat, bar or phrase.")]
Autopilot = Annotated[
    int, typer.Option(min=0, max=512, help="Autopilot: change the preset every so many bars; 0: off.")
]


LimitFlashes = Annotated[
    bool,
    typer.Option("--limit-flashes", help="Limit flashes: no part of the image flashes more than three times a second."),
]
Force = Annotated[bool, typer.Option("--force", help="Overwrite an existing file.")]
PAGE_PORT = "8765"  # of --page, when none is given
ProgramChannel = Annotated[
    str,
    typer.Option(
        "--program-channel", help="The MIDI channel whose program changes select presets: 1 to 16, all, or off."
    ),
]
PadsChannel = Annotated[
    int,
    typer.Option(
        min=0,
        max=16,
        help="MIDI channel of the snapshot pads, so that a keyboard on another channel recalls nothing; 0: any.",
    ),
]
Pads = Annotated[
    int | None,
    typer.Option(
        min=0, max=127, help="MIDI note of the first snapshot pad: this pad and those after it recall snapshots."
    ),
]


def _version(asked: bool) -> None:
    if asked:
        print(f"performer {__version__}")
        raise typer.Exit


@app.callback()
def performer(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Listens to music and draws what follows it: live on stage, or into a film."""


def quantum(text: str) -> str:
    """One of now, beat, bar, phrase. Raises Fault."""
    from performer.show.cues import QUANTA

    if text not in QUANTA:
        raise Fault(f"--quantise {text!r}: expected {', '.join(QUANTA)}{nearest(text, QUANTA)}")
    return text


def controller(text: str) -> str:
    """The address of a MIDI controller: midi.cc8 from "cc8" or "8"; "" stays so. Raises Fault."""
    number = whole_number(text.lower().removeprefix("midi.").removeprefix("cc"), 127)
    if text and number is None:
        raise Fault(f"--crossfader {text!r}: expected the number of a MIDI controller, cc0 to cc127")
    return f"midi.cc{number}" if text else ""


def size_of(text: str) -> tuple[int, int]:
    """(width, height) from "1280x720". Raises Fault."""
    width, height = (whole_number(side, 16384) or 0 for side in text.lower().partition("x")[::2])
    if min(width, height) < 16:
        raise Fault(f"--size {text!r}: expected WIDTHxHEIGHT from 16x16 to 16384x16384, such as 1280x720")
    return width, height


@app.command(epilog="Example: performer play cathedral --input system --fullscreen")
def play(
    preset: Annotated[str | None, typer.Argument(help="Name of a preset, or path of a TOML file.")] = None,
    input: Annotated[
        str,
        typer.Option(
            help="default, system (what the computer plays), a device's name or index, a sound file, or demo."
        ),
    ] = "default",
    midi: Annotated[str, typer.Option(help="all, off, or part of a port's name.")] = "all",
    midi_api: Annotated[str, typer.Option(help="alsa or jack, where there is a choice.")] = "",
    size: Size = "1280x720",
    monitor: Annotated[str | None, typer.Option(help="Name, part of it, or index.")] = None,
    fullscreen: Annotated[bool, typer.Option("--fullscreen", help="Fill the monitor.")] = False,
    headless: Annotated[bool, typer.Option("--headless", help="No window: render offscreen.")] = False,
    hud: Annotated[bool, typer.Option("--hud", help="Start with the HUD shown (h).")] = False,
    desk: Annotated[
        bool,
        typer.Option(
            "--desk",
            help="Operator window: HUD, output and preview of the other deck. "
            "The audience's window shows the output alone.",
        ),
    ] = False,
    gallery: Annotated[
        bool,
        typer.Option(
            "--gallery",
            help="Unattended installation: waits for screen and sound, skips broken "
            "presets, writes no notifications on the image.",
        ),
    ] = False,
    fps: Annotated[
        str | None,
        typer.Option(
            help="Frames per second, such as 59.94 or 60000/1001; default: the screen's refresh rate, 60 without one."
        ),
    ] = None,
    seconds: Annotated[float | None, typer.Option(min=0.0, help="Stop after so many seconds.")] = None,
    seed: Seed = 0,
    transition: Transition = None,
    provider: Provider = "auto",
    output_delay_ms: Annotated[
        float | None,
        typer.Option(
            min=-1000.0,
            max=1000.0,
            help="External latency: display and audio output beyond what the program measures; "
            "beats are drawn earlier by it. Default: what `performer calibrate` measured.",
        ),
    ] = None,
    quantise: Quantise = "now",
    autopilot: Autopilot = 0,
    limit_flashes: LimitFlashes = False,
    crossfader: Annotated[
        str,
        typer.Option(
            help="Two decks, with this MIDI controller as the crossfader, such as cc8. Key c toggles two decks, too."
        ),
    ] = "",
    pads: Pads = None,
    pads_channel: PadsChannel = 0,
    program_changes: ProgramChannel = "all",
    link: Annotated[
        bool, typer.Option("--link", help="Follow an Ableton Link session (needs the extra `link`).")
    ] = False,
    midi_clock_out: Annotated[
        str | None, typer.Option(help="Send MIDI clock to this port: part of its name, or virtual.")
    ] = None,
    page: Annotated[
        int | None,
        typer.Option(
            min=0,
            max=65535,
            help="Serve a control page for a browser on this machine, at this port (default 8765).",
        ),
    ] = None,
    page_host: Annotated[
        str,
        typer.Option(
            help="Address that the control page listens on: 0.0.0.0 lets a tablet, and everybody "
            "else in your network, reach it."
        ),
    ] = "127.0.0.1",
    record: Annotated[str | None, typer.Option(help="Record to this file (.mp4 or .mkv) from the start.")] = None,
    record_moves: Annotated[
        str | None,
        typer.Option(help="Record your control moves, for `train follower`: NAME.npz, or a folder."),
    ] = None,
    stats: Annotated[str | None, typer.Option(help="Write statistics of the show to this JSON file.")] = None,
    test_card: Annotated[
        bool, typer.Option("--test-card", help="Show a test card instead of the show, to set up a projector.")
    ] = False,
    debug: Debug = False,
) -> None:
    """Play live: listen, draw, follow the music. Press ? for the keys."""
    from performer.rig.live import rig as wiring
    from performer.rig.live.options import PlayOptions

    options = PlayOptions(
        preset=preset,
        input=input,
        midi=midi,
        midi_api=midi_api,
        size=size_of(size),
        monitor=monitor,
        fullscreen=fullscreen,
        headless=headless,
        hud=hud,
        desk=desk,
        fps=float(fps_of(fps, 500)) if fps is not None else None,
        seconds=seconds,
        seed=seed,
        transition=transition,
        provider=provider,
        output_delay_ms=output_delay_ms,
        record=record,
        record_moves=record_moves,
        stats=stats,
        quantise=quantum(quantise),
        autopilot=autopilot,
        crossfader=controller(crossfader),
        pads=pads,
        pads_channel=pads_channel,
        program_channel=program_channel(program_changes),
        link=link,
        midi_clock_out=midi_clock_out,
        page=page,
        page_host=page_host,
        gallery=gallery,
        limit_flashes=limit_flashes,
    )
    asked = fullscreen or desk or gallery or monitor is not None  # somebody counts on a screen
    if test_card:
        from performer.rig import test_card as testcard

        testcard.show(options)
    elif headless or asked or wiring.has_display():
        wiring.play(options)
    else:
        from performer.rig import offline

        offline.show_reel(offline.RenderOptions("demo", "", preset, options.size, seed=seed, provider=provider))


@app.command(epilog="Example: performer render song.ogg out.mp4 --preset tidal --size 1920x1080 --sheet out.png")
def render(
    song: Annotated[str, typer.Argument(help="A sound file, or demo.")],
    out: Annotated[str, typer.Argument(help="The movie to write (.mp4 or .mkv).")],
    preset: Annotated[str | None, typer.Option(help="Name of a preset, or path of a TOML file.")] = None,
    size: Size = "1280x720",
    fps: Annotated[str, typer.Option(help="Frames per second, exact: 60, 29.97, 30000/1001.")] = "60",
    seconds: Annotated[float | None, typer.Option(min=0.05, help="Render only the first so many seconds.")] = None,
    seed: Seed = 0,
    transition: Transition = None,
    midi: Annotated[str | None, typer.Option(help="A MIDI file played along with the song.")] = None,
    sheet: Annotated[str | None, typer.Option(help="Also write a contact sheet to this PNG file.")] = None,
    provider: Provider = "auto",
    quantise: Quantise = "now",
    autopilot: Autopilot = 0,
    limit_flashes: LimitFlashes = False,
    pads: Pads = None,
    pads_channel: PadsChannel = 0,
    force: Force = False,
    program_changes: ProgramChannel = "off",
    debug: Debug = False,
) -> None:
    """Render a song offline: the same show, frame by frame, with the sound in the file."""
    from performer.rig import offline

    offline.render(
        offline.RenderOptions(
            song=song,
            out=out,
            preset=preset,
            size=size_of(size),
            fps=fps_of(fps, 240),
            seconds=seconds,
            seed=seed,
            midi=midi,
            sheet=sheet,
            transition=transition,
            provider=provider,
            quantise=quantum(quantise),
            autopilot=autopilot,
            pads=pads,
            pads_channel=pads_channel,
            program_channel=program_channel(program_changes),
            limit_flashes=limit_flashes,
            force=force,
        )
    )


@app.command(epilog="Example: performer analyse song.ogg --json song.json")
def analyse(
    file: Annotated[str, typer.Argument(help="A sound file, or demo.")],
    json: Annotated[
        str | None,
        typer.Option(
            help="JSON file to write; - for standard output (the default without --plot).", callback=may_write
        ),
    ] = None,
    plot: Annotated[str | None, typer.Option(help="Plot the analysis to this PNG.", callback=may_draw)] = None,
    truth: Annotated[
        str | None, typer.Option(help="Reference beats to plot beside: a manifest.json or a text file.")
    ] = None,
    debug: Debug = False,
) -> None:
    """Stream a file hop by hop through the live analyser; write beats, tempo and onsets as JSON."""
    from performer.rig import offline

    made = offline.analyse(file, plot, truth)
    if plot is not None:
        print(f"plot: {plot}", file=sys.stderr)
    if json is not None or plot is None:
        write_json(made, json or "-")


@app.command(epilog="Example: performer check presets/ my_shader.fs --json report.json --pictures thumbnails/")
def check(
    paths: Annotated[
        list[str] | None,
        typer.Argument(help="Files, folders, or names of presets, shaders and models; all content when none is given."),
    ] = None,
    json: Annotated[
        str | None, typer.Option(help="Write one row per file to this JSON file.", callback=may_write)
    ] = None,
    pictures: Annotated[str | None, typer.Option(help="Write a thumbnail of each to this folder.")] = None,
    profile: Annotated[bool, typer.Option("--profile", help="Measure what each shader costs at 1080p.")] = False,
    provider: Provider = "auto",
    debug: Debug = False,
) -> None:
    """Load presets, compile and draw shaders, run models; exit 1 if any fails."""
    from performer.rig import check as checking

    rows = checking.check(
        paths or [], pictures, provider, profile, lambda row: print("\n".join(checking.lines(row)), flush=True)
    )
    print(checking.summary(rows))
    if json is not None:
        write_json(rows, json)
    raise typer.Exit(0 if all(row["ok"] for row in rows) else 1)


@app.command(epilog="Example: performer calibrate --monitor HDMI-1 --fullscreen --by both")
def calibrate(
    by: Annotated[str, typer.Option(help="tapping, microphone or both.")] = "tapping",
    input: Annotated[str, typer.Option(help="The microphone: default, system, a device's name or index.")] = "default",
    output: Annotated[str, typer.Option(help="Sound output that clicks: a device's name or index.")] = "",
    midi: Annotated[str, typer.Option(help="all, off, or part of the name of a port whose pads you tap.")] = "all",
    midi_api: Annotated[str, typer.Option(help="alsa or jack, where there is a choice.")] = "",
    monitor: Annotated[str | None, typer.Option(help="Name, part of it, or index.")] = None,
    size: Size = "1280x720",
    fullscreen: Annotated[bool, typer.Option("--fullscreen", help="Fill the monitor.")] = False,
    pulses: Annotated[int, typer.Option(help="Number of clicks, and then of flashes, at 1.3 per second.")] = 27,
    debug: Debug = False,
) -> None:
    """Measure how late screen and sound are outside the program, by your taps or a microphone; play uses it."""
    from performer.rig.calibration import session as calibrating

    calibrating.calibrate(
        calibrating.CalibrateOptions(
            by=by,
            input=input,
            output=output,
            midi=midi,
            midi_api=midi_api,
            monitor=monitor,
            size=size_of(size),
            fullscreen=fullscreen,
            pulses=pulses,
        ),
        print,
    )


@app.command(epilog="Example: performer devices --json")
def devices(json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False, debug: Debug = False) -> None:
    """List sound devices, MIDI ports and monitors."""
    from performer.cli import doctor as surgery

    found = surgery.devices()
    if json:
        write_json(found, "-")
    else:
        print("\n".join(surgery.device_lines(found)))


@app.command(epilog="Example: performer doctor")
def doctor(debug: Debug = False) -> None:
    """Name each missing part and the command that mends it; exit 1 if the show cannot run."""
    from performer.cli import doctor as surgery

    findings = surgery.examine()
    for finding in findings:
        print(finding.line())
    raise typer.Exit(1 if any(finding.fatal for finding in findings) else 0)


bench = typer.Typer(
    help="Measure the hot path, or the hearing, beside a peer or a bare loop in one run.",
    invoke_without_command=True,
    pretty_exceptions_enable=False,
)
app.add_typer(bench, name="bench")


@bench.callback(epilog="Example: performer bench --only A,D,I --json figures.json")
def rows(
    context: typer.Context,
    json: Annotated[str | None, typer.Option(help="Write all figures to this JSON file.", callback=may_write)] = None,
    only: Annotated[str, typer.Option(help="Rows to measure, such as A,D,I; all by default.")] = "",
    seconds: Annotated[float, typer.Option(min=1.0, help="Length of the long rows (B, D and I).")] = 60.0,
    debug: Debug = False,
) -> None:
    """Measure the hot path beside a peer or a bare loop, in one run, as ratios."""
    if context.invoked_subcommand:
        return
    from performer.lab.bench import report

    figures = report.run([row for row in only.upper().replace(" ", "").split(",") if row], seconds)
    if json is not None:
        write_json(figures, json)


@bench.command(epilog="Example: performer bench shaders --json shaders.json")
def shaders(
    json: Annotated[str | None, typer.Option(help="Write all figures to this JSON file.", callback=may_write)] = None,
    debug: Debug = False,
) -> None:
    """What the render chain costs beside bare moderngl: per pass, per layer, per frame."""
    from performer.lab.bench import report

    figures = report.run(["S"], 60.0)
    if json is not None:
        write_json(figures, json)


@bench.command(epilog="Example: performer bench gpu --json gpu.json")
def gpu(
    json: Annotated[str | None, typer.Option(help="Write all figures to this JSON file.", callback=may_write)] = None,
    seconds: Annotated[float, typer.Option(min=1.0, help="Length of the show at 1080p.")] = 20.0,
    debug: Debug = False,
) -> None:
    """What an NVIDIA card is for: 1080p tensors into GL, a 512x512 generator, 1080p60. Without one it says so."""
    from performer.lab.bench import gpu as rows
    from performer.lab.bench import report

    print(f"on: {rows.where()}")
    figures = report.run([], seconds, rows.ROWS)
    if json is not None:
        write_json({"on": rows.where(), **figures}, json)


@bench.command(epilog="Example: performer bench beats songs/ --json beats.json --peers")
def beats(
    folder: Annotated[Path, typer.Argument(help="Songs and a manifest.json with their beats.")],
    json: Annotated[str | None, typer.Option(help="Write all scores to this JSON file.", callback=may_write)] = None,
    change: Annotated[str, typer.Option(help="Make the sound worse first: quiet, crowd, wall, dropouts ...")] = "",
    robustness: Annotated[bool, typer.Option(help="Mean scores, unchanged and after every degradation.")] = False,
    with_peers: Annotated[bool, typer.Option("--peers", help="Also aubio, madmom and librosa, if installed.")] = False,
    plain: Annotated[bool, typer.Option(help="Also the analyser without its neural network.")] = False,
    halves: Annotated[bool, typer.Option(help="Also the means of both halves of the folder.")] = False,
    only: Annotated[str, typer.Option(help="Only files whose name contains this.")] = "",
    jobs: Annotated[int, typer.Option(min=1, help="Songs analysed in parallel.")] = 1,
    plot_confidence: Annotated[
        str | None, typer.Option(help="Plot the calibration of the confidence to this PNG.", callback=may_draw)
    ] = None,
    debug: Debug = False,
) -> None:
    """Score beats, downbeats, tempo and onsets on songs whose truth is known."""
    from performer.lab.bench import beats as scoring
    from performer.lab.bench import peers

    trackers = ["performer"] + ["without network"] * plain + list(peers.installed()) * with_peers
    if robustness:
        figures = scoring.robustness(folder, trackers, only, jobs)
    else:
        figures = scoring.run(folder, trackers, change, only, jobs)
        scoring.tables(figures, halves)
    if plot_confidence is not None:
        from performer.io.record.plots import confidence

        confidence(figures["performer"]["calibration"], plot_confidence)
    if json is not None:
        write_json(scoring.clean(figures), json)


@bench.command(epilog="Example: performer bench looks song.ogg --seconds 30 --json looks.json")
def looks(
    song: Annotated[str, typer.Argument(help="A sound file, or demo.")] = "demo",
    preset: Annotated[list[str] | None, typer.Option(help="Only this preset; may be given several times.")] = None,
    seconds: Annotated[float, typer.Option(min=2.0, help="Seconds of the song for each preset.")] = 20.0,
    json: Annotated[str | None, typer.Option(help="Write all figures to this JSON file.", callback=may_write)] = None,
    debug: Debug = False,
) -> None:
    """How presets look and react: change with the onsets, contrast, burnt areas, likeness to each other."""
    from performer.lab.bench import looks as looking

    figures = looking.run(song, seconds, preset or [])
    if json is not None:
        write_json(figures, json)


app.command(epilog="Example: performer presets")(lists.presets)
app.command(epilog="Example: performer shaders")(lists.shaders)
app.command(epilog="Example: performer sources")(lists.sources)
app.add_typer(models, name="models")
app.add_typer(train.train, name="train")
app.command(epilog="Example: performer evaluate models/stones.onnx --pictures ~/pictures/stones")(train.evaluate)


def with_port(arguments: list[str]) -> list[str]:
    """Arguments in which --page without a number has its usual port."""
    at = arguments.index("--page") + 1 if "--page" in arguments else 0
    bare = at and not (at < len(arguments) and arguments[at].isdigit())
    return [*arguments[:at], PAGE_PORT, *arguments[at:]] if bare else arguments


def main(arguments: list[str] | None = None) -> None:
    """Run the command line; a Fault becomes one line and exit code 2, an interrupt is left to whoever called."""
    arguments = with_port(sys.argv[1:] if arguments is None else arguments)
    for stream in (sys.stdout, sys.stderr):  # a name that the terminal has no letters for is no reason to stop
        if isinstance(stream, io.TextIOWrapper) and stream.errors == "strict":
            stream.reconfigure(errors="backslashreplace")
    debug = "--debug" in arguments
    logging.basicConfig(level=logging.DEBUG if debug else logging.INFO, format="%(message)s", stream=sys.stderr)
    if not debug:
        logging.getLogger().setLevel(logging.WARNING)
        logging.getLogger("performer").setLevel(logging.INFO)
    try:
        app(arguments, prog_name="performer")
    except Fault as fault:
        if debug:
            raise
        print(f"performer: {fault}", file=sys.stderr)
        sys.exit(2)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(141)
    except OSError as error:  # of a file that somebody named: a name too long, links in a circle, a disk that is gone
        if debug or error.filename is None:
            raise
        print(f"performer: {shown(str(error.filename))}: {error.strerror}", file=sys.stderr)
        sys.exit(2)
