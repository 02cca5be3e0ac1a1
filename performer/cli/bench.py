"""`performer bench`: the hot path and the hearing, measured beside peers."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from performer.cli.options import Debug
from performer.cli.output_files import may_draw, may_write, write_json

bench = typer.Typer(
    help="Measure the hot path, or the hearing, beside a peer or a bare loop in one run.",
    invoke_without_command=True,
    pretty_exceptions_enable=False,
)


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
