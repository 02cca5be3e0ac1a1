"""Tables of the command line: as wide as they must be in a pipe, and in a narrow terminal nothing is cut."""

import re

import pytest

from performer.system import console_table

ROWS = (
    ("glass", "gan", "64", "/home/someone/.local/share/performer/models/glass.onnx"),
    ("a_rather_long_name_of_a_model", "follower", "lift pace punch sway turn", "/models/[bold]é.onnx"),
)
HEADINGS = ("model", "kind", "latent", "file")


def put(monkeypatch, capsys, columns: int, terminal: bool, **more) -> list[str]:
    monkeypatch.setenv("COLUMNS", str(columns))
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("NO_COLOR", "1")
    for name in ("FORCE_COLOR", "TTY_COMPATIBLE"):
        monkeypatch.delenv(name, raising=False)
    if terminal:
        monkeypatch.setenv("TTY_COMPATIBLE", "1")
    console_table.put(HEADINGS, ROWS, **more)
    return re.sub(r"\x1b\[[0-9;]*m", "", capsys.readouterr().out).splitlines()


@pytest.mark.parametrize("columns", [5, 80, 300])
def test_a_pipe_gets_all_of_it_in_one_line_each(monkeypatch, capsys, columns):
    lines = put(monkeypatch, capsys, columns, False, spare=("file", "latent"))
    assert len(lines) == 6
    for row in ROWS:
        assert any(all(cell in line for cell in row) for line in lines)


def test_a_narrow_terminal_loses_spare_columns_and_says_so(monkeypatch, capsys):
    lines = put(monkeypatch, capsys, 80, True, spare=("file", "latent"))
    assert len(lines) == 7 and lines[-1] == "not shown for lack of space: file"
    assert "lift pace punch sway turn" in lines[4] and max(map(len, lines)) <= 80
    lines = put(monkeypatch, capsys, 60, True, spare=("file", "latent"))
    assert lines[-1] == "not shown for lack of space: latent, file" and max(map(len, lines)) <= 60


def test_the_first_column_is_never_cut_and_the_others_go_on_in_the_next_line(monkeypatch, capsys):
    for columns in (4, 20, 40):
        lines = put(monkeypatch, capsys, columns, True, spare=("file", "latent", "kind"))
        assert any(ROWS[1][0] in line for line in lines) and not any("…" in line for line in lines)
    lines = put(monkeypatch, capsys, 70, True)
    assert max(map(len, lines)) <= 70 and not any("…" in line for line in lines)
    letters = "".join(char for line in lines[3:] for char in line.split("│")[4:5] for char in char.strip())
    assert ROWS[0][3] in letters and ROWS[1][3] in letters
