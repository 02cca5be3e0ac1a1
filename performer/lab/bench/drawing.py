"""Rows F and G: a tensor's way into a texture, and what our drawing costs over a bare moderngl loop."""

from __future__ import annotations

import moderngl
import numpy as np

from performer.content.shaders.glsl import renamed
from performer.gl.render.program import Program
from performer.gl.render.renderer import Renderer
from performer.gl.render.texture import ImageTexture
from performer.gl.render.wait import finish
from performer.gl.window.offscreen import Offscreen
from performer.lab.bench.row import Row, in_turn
from performer.rig.check import music, trial
from performer.rig.loading import load_library
from performer.show.show import Show

ROUNDS = 300


def upload(_seconds: float) -> list[Row]:
    """Milliseconds to bring (3, 512, 512) float32 into GL, beside transpose, clip, uint8 and write."""
    surface = Offscreen((64, 64))
    image = ImageTexture(surface.ctx)
    plain = surface.ctx.texture((512, 512), 3)
    pixels = np.random.default_rng(1).random((3, 512, 512), np.float32)

    def ours() -> None:
        image.upload(pixels)

    def peer() -> None:
        plain.write((np.clip(pixels.transpose(1, 2, 0), 0.0, 1.0) * 255.0).astype(np.uint8).tobytes())

    own, theirs = in_turn(ROUNDS, ours, peer)
    surface.close()
    return [
        Row(
            "512x512 tensor to texture",
            "ms",
            own,
            "transpose + clip + write",
            theirs,
            "<= 0.10 ms on the CPU",
            float(np.median(own)) <= 0.10,
        )
    ]


def shader(_seconds: float) -> list[Row]:
    """Milliseconds that our loop takes longer than a bare draw of the same GLSL at 1280x720."""
    size = (1280, 720)
    surface = Offscreen(size)
    library = load_library()
    spec = library.shaders["tunnel"]
    preset = trial(spec, library)
    show = Show([preset], preset.name)
    renderer = Renderer(surface.ctx, library.shaders)
    renderer.warm(preset)
    program = Program(surface.ctx, spec).passes[0]
    for param in spec.inputs:
        program.set(renamed(param.name), param.default)
    program.set("RENDERSIZE", tuple(map(float, size)))
    t = [0.0]

    def ours() -> None:
        t[0] += 1 / 60
        features, sound = music(t[0])
        frame = show.step(t[0], 1 / 60, size, features, sound)
        renderer.draw(frame, {}, surface.screen)
        finish()

    def bare() -> None:
        t[0] += 1 / 60
        program.set("TIME", t[0])
        surface.ctx.enable_only(moderngl.NOTHING)
        surface.screen.use()
        program.render()
        finish()

    own, theirs = in_turn(ROUNDS, ours, bare)
    surface.close()
    extra = float(np.median(own) - np.median(theirs))
    return [
        Row(
            "one shader at 720p, show included",
            "ms",
            own,
            "bare moderngl loop",
            theirs,
            "<= 0.3 ms over bare",
            extra <= 0.3,
            f"{extra:.2f} ms over",
            {"over_ms": extra},
        )
    ]
