"""The bench measures what it says, beside a peer, and never judges by itself whether a test passes."""

import json
import math
from functools import partial

import numpy as np
import pytest

from performer.lab.bench import drawing, hearing, live, models, paint_ahead, presets, report, shaders
from performer.lab.bench.row import Row, in_turn
from performer.system.errors import Fault


@pytest.fixture(autouse=True)
def short(monkeypatch):
    for module in (drawing, hearing, models, shaders):
        monkeypatch.setattr(module, "ROUNDS", 8)
    monkeypatch.setattr(hearing, "WARM_HOPS", 20)
    monkeypatch.setattr(live, "CLICKS", 3)
    monkeypatch.setattr(shaders, "SAVES", 2)


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


def test_a_smooth_walk_s_pictures_are_watched_in_turns():
    (row,) = paint_ahead.ahead(1.0)
    if row.note == "a batch does not pay here":
        assert not row.ours
    else:
        assert len(row.ours) == len(row.peer) == paint_ahead.ROUNDS and min(row.ours) > 0.0
        assert row.extra["rate_hz"] > 1.0 and row.extra["peer_rate_hz"] > 1.0 and row.extra["count"] > 1
        assert row.extra["uneven"] > 0.0 and row.extra["peer_uneven"] > 0.0  # there were intervals, not only one


def test_a_frame_of_each_preset_costs_something(monkeypatch):
    monkeypatch.setattr(presets, "SIZE", (64, 36))
    monkeypatch.setattr(presets, "cost", partial(presets.cost, frames=presets.EARLY + 2))
    rows = presets.costs(1.0)
    assert len(rows) == len(presets.load_library().presets)
    assert all(len(row.ours) == 2 and min(row.ours) > 0.0 for row in rows)


def test_the_live_rows_play_the_real_loop():
    rows = live.lateness(2.0) + live.pace(2.0)
    assert [row.unit for row in rows] == ["ms"] * 3
    assert len(rows[0].ours) > 5 and len(rows[0].peer) > 5 and min(rows[0].ours + rows[0].peer) >= 0.0
    assert rows[1].extra["frames"] > 0 and rows[1].extra["rss_mb_after"] > 50 and 0.0 < rows[2].extra["fps"] < 70.0


def test_a_click_begins_at_its_own_sample_and_ends_a_block_later():
    t = [0.0]
    clicks = live._Clicks(lambda: t[0])
    clicks.click((10 * live.BLOCK + 100) / live.RATE)
    for t[0] in np.arange(0.0, 0.2, 0.003):
        clicks.pump()
    loud = np.flatnonzero(clicks.ring.latest(clicks.ring.written)[:, 0])
    assert loud[0] == 10 * live.BLOCK + 100 and loud[-1] == loud[0] + live.BLOCK - 1 and len(loud) == live.BLOCK


def test_clicks_that_nobody_sees_miss_the_target(monkeypatch):
    monkeypatch.setattr(live, "_our_clicks", lambda clicks, seed: ([1.0], 0))
    monkeypatch.setattr(live, "_naive_clicks", lambda clicks, seed: ([], 0))
    (row,) = live.click_to_pixel(1.0)
    assert row.met is False and row.ratio is None
    json.dumps(row.figures(), allow_nan=False)


def test_shaders_are_measured_pass_by_pass():
    found = report.run(["S"], 1.0)
    json.dumps(found, allow_nan=False)
    one, layers, memory, edit = found["rows"]
    assert one["peer"]["p50"] > 0 and "over_us" in one and layers["peer"]["p50"] > 0 and "over_us" in layers
    assert 0.0 <= memory["kept"] < 100.0, "bytes that a frame leaves behind"
    assert memory["passing"] > 0 and 0.0 < edit["p95_ms"] < 5000.0, "every save was seen"


def test_an_unknown_row_is_a_fault():
    with pytest.raises(Fault, match="no such row"):
        report.run(["Z"], 1.0)
