"""The bench measures what it says, beside a peer, and never judges by itself whether a test passes."""

import json
import math

import pytest

from performer.bench import drawing, hearing, live, models, report
from performer.bench.row import Row, in_turn
from performer.errors import Fault


@pytest.fixture(autouse=True)
def short(monkeypatch):
    for module in (drawing, hearing, models):
        monkeypatch.setattr(module, "ROUNDS", 8)
    monkeypatch.setattr(hearing, "WARM_HOPS", 20)
    monkeypatch.setattr(live, "CLICKS", 3)


def test_works_are_timed_in_turn():
    order = []
    ours, peer = in_turn(5, lambda: order.append("a"), lambda: order.append("b"))
    assert order == ["a", "b"] * 6 and len(ours) == len(peer) == 5 and min(ours) >= 0


def test_a_row_reports_quantiles_and_the_ratio():
    row = Row("x", "ms", [1.0, 2.0, 3.0], "peer", [4.0, 4.0], "<= 2", True)
    figures = row.figures()
    assert figures["ours"]["p50"] == 2.0 and figures["ratio"] == 2.0 and "2.00x" in row.cells()
    assert Row("x", "ms", [1.0], "peer").figures()["ratio"] is None


@pytest.mark.parametrize("letter", ["A", "F", "G", "H"])
def test_a_row_has_figures_of_both_sides(letter):
    found = report.run([letter], 1.0)
    json.dumps(found, allow_nan=False)
    assert found["rows"] and all(row["row"] == letter for row in found["rows"])
    for row in found["rows"]:
        assert row["ours"]["p50"] > 0 and math.isfinite(row["ours"]["p99"]) and row["must"]
        assert row["peer"] is None or row["ratio"] > 0


def test_the_live_rows_play_the_real_loop():
    rows = live.lateness(1.0) + live.pace(1.0)
    assert [row.unit for row in rows] == ["ms"] * 3
    assert len(rows[0].ours) > 100 and len(rows[0].peer) > 20
    assert rows[1].extra["frames"] > 5 and rows[1].extra["rss_mb_after"] > 50 and rows[2].extra["fps"] > 1


def test_an_unknown_row_is_a_fault():
    with pytest.raises(Fault, match="no such row"):
        report.run(["Z"], 1.0)
