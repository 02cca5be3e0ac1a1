"""`performer render` and `performer analyse`: the show and its hearing on a song's file, offline."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from performer.cli.options import Debug, takes_options
from performer.cli.output_files import may_draw, may_write, write_json
from performer.rig.options import RenderOptions


@takes_options
def render(options: RenderOptions, debug: Debug = False) -> None:
    """Render a song offline: the same show, frame by frame, with the sound in the file."""
    from performer.rig import offline

    offline.render(options)


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
