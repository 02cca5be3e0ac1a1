"""Runs the rows, prints each as it comes in and a table of all at the end, and returns all figures."""

from __future__ import annotations

import os
import platform
from collections.abc import Callable
from typing import Any

from rich.console import Console
from rich.table import Table

from performer.lab.bench import drawing, hearing, live, models, paint_ahead, presets, shaders
from performer.lab.bench.row import Row
from performer.system.errors import Fault, counted, nearest

Rows = dict[str, Callable[[float], list[Row]]]
ROWS: Rows = {
    "A": hearing.features,
    "B": paint_ahead.ahead,
    "D": live.lateness,
    "E": models.against_torch,
    "F": drawing.upload,
    "G": drawing.shader,
    "H": live.click_to_pixel,
    "I": live.pace,
    "P": presets.costs,
    "S": shaders.rows,
}


def run(only: list[str], seconds: float, among: Rows = ROWS) -> dict[str, Any]:
    """Measure the named rows, or all; `seconds` is the length of the long ones. Raises Fault for an unknown row."""
    for letter in only:
        if letter not in among:
            raise Fault(f"--only {letter}: no such row{nearest(letter, list(among))}; there are {', '.join(among)}")
    table = Table("row", "what", "ours p50", "ours p99", "peer", "peer p50", "peer p99", "ratio", "must", "met")
    console = Console(width=160)
    cores = counted(os.cpu_count() or 1, "core")
    figures: dict[str, Any] = {"machine": f"{cores}, {platform.machine()}, {platform.python_version()}"}
    rows: list[dict[str, Any]] = []
    for letter in only or list(among):
        console.print(f"measuring {letter} ...", style="dim")
        for row in among[letter](seconds):
            rows.append({"row": letter, **row.figures()})
            table.add_row(letter, *row.cells())
            console.print(f"{letter} {row.line()}", markup=False, highlight=False)  # stays if a later row is stopped
    figures["rows"] = rows
    console.print(table)
    return figures
