"""Blend modes, curves and walks are rows: one is all that a new one needs, and the docs say what its row says."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from performer.generators.prediction import paint_ahead
from performer.gl.render.compose import Compose
from performer.gl.window.offscreen import Offscreen
from performer.latent.walks import WALKS, walk
from performer.show.live_scene import _lock
from performer.types.blend_modes import BLEND_MODES, KEYS, BlendMode
from performer.types.frame import Walk
from performer.types.preset import WalkSpec
from performer.types.routes import CURVES

DOCS = Path(__file__).resolve().parents[2] / "docs"


def test_docs_say_what_the_rows_say() -> None:
    layers, presets = (" ".join((DOCS / name).read_text().split()) for name in ("layers.md", "presets.md"))
    for mode in BLEND_MODES.values():
        assert f"| `{mode.name}` | {mode.help} |" in layers
    for curve in CURVES.values():
        assert f"`{curve.name}` ({curve.help})" in presets
    for name in WALKS:
        assert f"| `{name}` |" in presets


def test_keys_are_the_modes_that_cut_out() -> None:
    assert KEYS == ("luma_key", "chroma_key")


@pytest.mark.parametrize("curve", CURVES)
def test_a_curve_goes_from_nothing_to_all(curve: str) -> None:
    steps = [CURVES[curve].function(x) for x in np.linspace(0.0, 1.0, 21)]
    assert steps[0] == 0.0 and steps[-1] == 1.0 and steps == sorted(steps)


def test_a_new_blend_mode_is_one_row(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(BLEND_MODES, "average", BlendMode("average", "half of each", "c = 0.5 * (a + b);"))
    surface = Offscreen((4, 4))
    try:
        ctx = surface.ctx
        below, above = (ctx.texture((4, 4), 4, bytes([*rgb, 255] * 16)) for rgb in ((255, 0, 51), (51, 102, 153)))
        compose = Compose(ctx)
        compose.mix(below, above, "average", 1.0, surface.screen)
        drawn = np.frombuffer(surface.screen.read(), np.uint8).reshape(-1, 3)
        compose.release()
    finally:
        surface.close()
    assert np.abs(drawn.astype(int) - [153, 51, 102]).max() <= 1


def test_a_new_walk_is_one_function(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("performer.latent.walks.WALKS", dict(WALKS))

    @walk(pictures=3.0, on_beats=True)
    def jump(position: float, seed: int, dim: int) -> np.ndarray:
        return np.full(dim, dim**-0.5, np.float32)

    from performer.latent import walks

    row = walks.WALKS["jump"]
    monkeypatch.setitem(WALKS, "jump", row)
    assert row(1.5, 0, 4).tolist() == [0.5] * 4 and sum(weight for _, weight in row.keyframes(1.5)) == pytest.approx(1)
    assert paint_ahead._pictures(Walk("jump", 0.0, 0, 1.0)) == 3.0
    assert paint_ahead._pictures(Walk("drift", 0.0, 0, 1.0)) == 1.0
    assert _lock(WalkSpec(kind="jump", seed=0)) == "beat" and _lock(WalkSpec(kind="jump", seed=0, lock="bar")) == "bar"
