"""`performer devices` and `performer doctor`: what this machine has, and what it lacks."""

from __future__ import annotations

from typing import Annotated

import typer

from performer.cli.options import Debug
from performer.cli.output_files import write_json


def devices(json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False, debug: Debug = False) -> None:
    """List sound devices, MIDI ports and monitors."""
    from performer.cli import doctor as surgery

    found = surgery.devices()
    if json:
        write_json(found, "-")
    else:
        print("\n".join(surgery.device_lines(found)))


def doctor(debug: Debug = False) -> None:
    """Name each missing part and the command that mends it; exit 1 if the show cannot run."""
    from performer.cli import doctor as surgery

    findings = surgery.examine()
    for finding in findings:
        print(finding.line())
    raise typer.Exit(1 if any(finding.fatal for finding in findings) else 0)
