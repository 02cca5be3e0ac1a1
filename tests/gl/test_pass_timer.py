"""What passes cost, and how one that costs too much gives way; drawn through EGL."""

import json

import numpy as np
import pytest
from parts.drawing import FLAT, INVERT, SHADERS, frame, layer, make, preset, read, scene

from performer.gl.render.pass_timer import LATE, Timer
from performer.gl.render.renderer import Renderer
from performer.gl.window.offscreen import Offscreen

SIZE = (64, 36)
HEAVY = make(
    "heavy",
    """void main() {
  float a = 0.0;
  if (PASSINDEX == 0) for (int i = 0; i < 3000; i++) a += sin(float(i) + isf_FragNormCoord.x);
  gl_FragColor = vec4(RENDERSIZE.x / 64.0, a * 1e-6, 0.0, 1.0);
}""",
    json.dumps({"INPUTS": [{"NAME": "inputImage", "TYPE": "image"}], "PASSES": [{"TARGET": "a"}, {}]}),
)


@pytest.fixture(scope="module")
def world():
    headless = Offscreen(SIZE)
    yield headless
    headless.close()


@pytest.mark.parametrize("by_clock", [True, False])
def test_costs_are_measured_pass_by_pass(world, by_clock):
    renderer = Renderer(world.ctx, {**SHADERS, "heavy": HEAVY})
    timer = renderer.timer = Timer(world.ctx)
    timer._by_clock = by_clock  # queries are tried too, though a software renderer's say little
    one = preset(layer(shader="flat_colour", effects=["heavy"]))
    for at in range(LATE + 4):
        renderer.draw(frame(scene(one), index=at), {}, world.screen)
    heavy = next(node for node in renderer.costs() if node.program.spec.name == "heavy")
    flat = next(node for node in renderer.costs() if node.program.spec.name == "flat_colour")
    assert len(timer.passes(heavy)) == 2 and len(timer.passes(flat)) == 1
    assert all(0.0 <= cost < 1.0 for cost in renderer.costs().values())
    if by_clock:
        assert renderer.costs()[heavy] > renderer.costs()[flat] > 0.0
        assert renderer.costs()[heavy] == pytest.approx(sum(timer.passes(heavy)))
    renderer.release()
    assert not timer.costs()


def test_only_some_frames_are_timed(world):
    timer = Timer(world.ctx, every=3)
    on = []
    for _ in range(7):
        timer.frame()
        on.append(timer.on)
    assert on == [True, False, False, True, False, False, True]


def test_a_slow_effect_is_drawn_smaller_then_left_out(world):
    renderer = Renderer(world.ctx, {**SHADERS, "heavy": HEAVY})
    renderer.timer = Timer(world.ctx)
    one = scene(preset(layer(shader="flat_colour", effects=["heavy"])))

    def look():
        renderer.draw(frame(one), {}, world.screen)
        return read(world.screen)[5, 5]

    assert look() == pytest.approx([1.0, 0.0, 0.0], abs=0.02)
    heavy = next(node for node in renderer.costs() if node.program.spec is HEAVY)
    assert "50%" in renderer.throttle(heavy)
    assert look() == pytest.approx([0.5, 0.0, 0.0], abs=0.02)
    assert "25%" in renderer.throttle(heavy)
    assert look() == pytest.approx([0.25, 0.0, 0.0], abs=0.02)
    assert "left out" in renderer.throttle(heavy)
    assert look() == pytest.approx([0.5, 0.25, 0.0], abs=0.02)  # what lies below
    assert heavy not in renderer.costs()
    renderer.reload(HEAVY)  # mended, perhaps: it gets another chance
    assert look() == pytest.approx([1.0, 0.0, 0.0], abs=0.02)
    renderer.release()


def test_a_source_keeps_drawing(world):
    renderer = Renderer(world.ctx, {**SHADERS, FLAT.name: FLAT})
    renderer.timer = Timer(world.ctx)
    one = scene(preset(layer(shader="flat_colour", effects=[INVERT.name])))
    renderer.draw(frame(one), {}, world.screen)
    source = next(node for node in renderer.costs() if node.program.spec is FLAT)
    for _ in range(3):
        renderer.throttle(source)
    assert source.scale == 0.25 and source not in renderer.costs()
    renderer.draw(frame(one), {}, world.screen)
    assert np.allclose(read(world.screen), [0.5, 0.75, 1.0], atol=0.02)
    renderer.release()
