"""`performer check`: whether presets, shaders and models work."""

from __future__ import annotations

from typing import Annotated

import typer

from performer.cli.options import Debug, takes_options
from performer.cli.output_files import may_write, write_json
from performer.rig.options import Provider


@takes_options
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
