"""Tables for the command line: nothing in them is ever cut off."""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len
from rich.console import Console
from rich.table import Column, Table
from rich.text import Text

LEAST = 11  # characters of a column with its line and its margins


def put(headings: Sequence[str], rows: Sequence[Sequence[str]], spare: Sequence[str] = (), title: str = "") -> None:
    """Print a table; the cells of its first column stay in one line.

    Where nobody's terminal is written to (a pipe, a file) it is as wide as it must be. In one, what does not fit
    without the spare columns goes on in the next line of its cell.

    Parameters
    ----------
    spare : Sequence[str], optional
        Headings of columns that are left out, the first one first, where the terminal is too narrow for all.
    """
    console = Console()
    shown = list(headings)
    table = _table(shown, headings, rows, title)
    wide = console.options.update(width=1 << 20)
    for heading in spare if console.is_terminal else ():
        if console.measure(table, options=wide).maximum <= console.width:
            break
        shown.remove(heading)
        table = _table(shown, headings, rows, title)
    least = table.columns[0].min_width or 0
    console.width = max(
        console.width,
        least + 4 + LEAST * (len(shown) - 1) if console.is_terminal else console.measure(table, options=wide).maximum,
    )
    console.print(table)
    if len(shown) < len(headings):
        left_out = ", ".join(heading for heading in headings if heading not in shown)
        print(f"not shown for lack of space: {left_out}")


def _table(shown: Sequence[str], headings: Sequence[str], rows: Sequence[Sequence[str]], title: str) -> Table:
    places = [headings.index(heading) for heading in shown]
    first = max((cell_len(row[places[0]]) for row in rows), default=0)
    table = Table(
        Column(shown[0], no_wrap=True, min_width=first),
        *(Column(heading, overflow="fold") for heading in shown[1:]),
        title=title or None,
    )
    for row in rows:
        table.add_row(*(Text(row[place]) for place in places))
    return table
