"""Every command, with an example for its --help; everything heavy is imported when it is needed."""

from __future__ import annotations

import io
import logging
import sys
from typing import Annotated

import typer

from performer import __version__
from performer.cli import bench, calibrate, check, lists, machine, models, play, render, train
from performer.system.errors import Fault, shown

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


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


app.command(epilog="Example: performer play cathedral --input system --fullscreen")(play.play)
app.command(epilog="Example: performer render song.ogg out.mp4 --preset tidal --size 1920x1080 --sheet out.png")(
    render.render
)
app.command(epilog="Example: performer analyse song.ogg --json song.json")(render.analyse)
app.command(epilog="Example: performer check presets/ my_shader.fs --json report.json --pictures thumbnails/")(
    check.check
)
app.command(epilog="Example: performer calibrate --monitor HDMI-1 --fullscreen --by both")(calibrate.calibrate)
app.command(epilog="Example: performer devices --json")(machine.devices)
app.command(epilog="Example: performer doctor")(machine.doctor)
app.add_typer(bench.bench, name="bench")
app.command(epilog="Example: performer presets")(lists.presets)
app.command(epilog="Example: performer shaders")(lists.shaders)
app.command(epilog="Example: performer sources")(lists.sources)
app.add_typer(models.models, name="models")
app.add_typer(train.train, name="train")
app.command(epilog="Example: performer evaluate models/stones.onnx --pictures ~/pictures/stones")(train.evaluate)


def main(arguments: list[str] | None = None) -> None:
    """Run the command line; a Fault becomes one line and exit code 2, an interrupt is left to whoever called."""
    arguments = play.with_port(sys.argv[1:] if arguments is None else arguments)
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
