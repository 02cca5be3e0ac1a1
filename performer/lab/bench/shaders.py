"""Row S: what a pass, sixteen layers, a frame's memory and a saved file cost."""

from __future__ import annotations

import gc
import tempfile
import threading
import time
import tracemalloc
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any

import moderngl
import numpy as np

from performer.content import shaders as isf
from performer.content.library import FACTORY, Library
from performer.content.presets.reader import load
from performer.gl.render.compose import Compose
from performer.gl.render.node import Moment, Node
from performer.gl.render.program import Program
from performer.gl.render.renderer import Renderer
from performer.gl.render.target_pool import Pool, Target
from performer.gl.render.wait import finish
from performer.gl.window.offscreen import Offscreen
from performer.lab.bench.row import Row, in_turn
from performer.rig.check import music
from performer.rig.live.hot_reload import Watcher
from performer.rig.loading import load_library
from performer.rig.shader_trial import ShaderTrial
from performer.show.show import Show

SIZE = (64, 36)  # small, so that our own work shows beside the drawing
ROUNDS = 400
PASSES = 8
LAYERS = 16
SAVES = 12
MOST_US = 30.0
MOST_MS = 200.0
_CHAIN = """/*{"INPUTS": [{"NAME": "a", "TYPE": "float", "DEFAULT": 0.5}, {"NAME": "c", "TYPE": "color"}],
"PASSES": [%s {}]}*/
void main() { gl_FragColor = PASSINDEX == 0 ? vec4(fract(TIME) * a) : IMG_THIS_PIXEL(t0) + c * 0.01; }
"""
_FLAT = "/*{}*/\nvoid main() { gl_FragColor = vec4(%s, fract(TIME), 1.0, 1.0); }\n"


def rows(_seconds: float) -> list[Row]:
    """Microseconds per pass, sixteen layers, bytes per frame, and milliseconds from a saved file to its picture."""
    surface = Offscreen(SIZE)
    try:
        return [_per_pass(surface), _layers(surface), _memory(surface), _edit(surface)]
    finally:
        surface.close()


def _bare(ctx: moderngl.Context, programs: list[Any], targets: list[Target], textures: int, t: float) -> None:
    """The same draws with nothing around them: bind, set the time, draw, wait as our passes wait."""
    for program, target in zip(programs, targets, strict=True):
        program.set("TIME", t)
        for unit in range(textures):
            targets[0].texture.use(unit)
        target.fbo.use()
        program.render()


def _per_pass(surface: Offscreen) -> Row:
    ctx = surface.ctx
    spec = isf.parse(_CHAIN % "".join(f'{{"TARGET": "t{i}"}},' for i in range(PASSES - 1)), "chain")
    pool, black = Pool(ctx), ctx.texture((3, 3), 4, bytes(36))
    node = Node(ctx, pool, Compose(ctx), Program(ctx, spec), "n", black)
    programs = Program(ctx, spec).passes
    targets = [Target(ctx, SIZE, "f1") for _ in programs]
    moment = Moment(SIZE)
    t = [0.0]

    def ours() -> None:
        t[0] += 1 / 60
        moment.time = t[0]
        moment.dt = 1 / 60
        target = node.draw(moment, {}, {})
        if target is not None:
            pool.give(target)
        finish()

    def bare() -> None:
        t[0] += 1 / 60
        _bare(ctx, programs, targets, 1, t[0])
        finish()

    own, theirs = in_turn(ROUNDS, ours, bare, scale=1e6 / PASSES)
    over = float(np.median(own) - np.median(theirs))
    return Row(
        f"one pass of {PASSES}, {SIZE[0]}x{SIZE[1]}",
        "us",
        own,
        "bare moderngl",
        theirs,
        f"<= {MOST_US:.0f} us over bare",
        over <= MOST_US,
        f"{over:.1f} us over",
        {"over_us": over},
    )


def _layers(surface: Offscreen) -> Row:
    """Sixteen layers against as many draws and mixes, by hand."""
    ctx, library = surface.ctx, load_library()
    library.shaders["flat_bench"] = isf.parse(_FLAT % "0.0", "flat_bench")
    text = "".join(
        f'[[layer]]\nname = "l{i}"\nshader = "flat_bench"\nblend = "add"\nopacity = 0.1\n' for i in range(LAYERS)
    )
    preset = load(text, "layers", where="layers", shaders=library.shaders, models={}, audio=library.audio)
    show = Show([preset], preset.name)
    renderer = Renderer(ctx, library.shaders)
    features, sound = music(1.0)
    frame = show.step(1.0, 1 / 60, SIZE, features, sound)
    draws = Program(ctx, library.shaders["flat_bench"]).passes * LAYERS
    targets = [Target(ctx, SIZE, "f1") for _ in draws]
    compose = Compose(ctx)

    def ours() -> None:
        renderer.draw(frame, {}, surface.screen)
        finish()

    def bare() -> None:
        _bare(ctx, draws, targets, 0, 1.0)
        for at in range(LAYERS):
            compose.mix(targets[at].texture, targets[at - 1].texture, "add", 0.1, targets[(at + 1) % LAYERS].fbo)
        finish()

    own, theirs = in_turn(ROUNDS // 2, ours, bare, scale=1e6 / (2 * LAYERS))
    over = float(np.median(own) - np.median(theirs))
    renderer.release()
    return Row(
        f"{LAYERS} layers, per pass",
        "us",
        own,
        "their passes, bare",
        theirs,
        f"<= {MOST_US:.0f} us over bare",
        over <= MOST_US,
        f"{over:.1f} us over",
        {"over_us": over},
    )


def _memory(surface: Offscreen) -> Row:
    """Bytes that a frame of a whole preset leaves behind."""
    library = load_library()
    name = next(
        (p.name for p in library.in_order() if all(layer.model is None for layer in p.layers)),
        library.in_order()[0].name,
    )
    show = Show([library.presets[name]], name)
    renderer = Renderer(surface.ctx, library.shaders)
    features, sound = music(1.0)
    frames = [show.step(i / 60, 1 / 60, SIZE, features, sound) for i in range(200)]
    for frame in frames:
        renderer.draw(frame, {}, surface.screen)
    gc.collect()
    gc.disable()
    tracemalloc.start()
    left = []
    for _ in range(5):
        before = tracemalloc.get_traced_memory()[0]
        for frame in frames:
            renderer.draw(frame, {}, surface.screen)
        left.append((tracemalloc.get_traced_memory()[0] - before) / len(frames))
    tracemalloc.reset_peak()
    before = tracemalloc.get_traced_memory()[0]
    renderer.draw(frames[0], {}, surface.screen)
    passing = tracemalloc.get_traced_memory()[1] - before
    tracemalloc.stop()
    gc.enable()
    renderer.release()
    kept = max(0.0, float(np.median(left)))
    return Row(
        f"memory a frame of {name} keeps",
        "bytes",
        [kept],
        must="0",
        met=kept < 1.0,
        note=f"at most {passing} bytes held within one",
        extra={"kept": kept, "passing": passing},
    )


def _edit(surface: Offscreen) -> Row:
    """From the saving of a shader to its picture, through watcher, trial and swap, at 60 pictures a second."""
    took: list[float] = []
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        for kind in ("shaders", "presets"):
            (folder / kind).mkdir()
        file = folder / "shaders" / "edited.fs"
        file.write_text(_FLAT % "0.0")
        (folder / "presets" / "edited.toml").write_text('[[layer]]\nshader = "edited"\n')
        library = Library(audio=load_library().audio).load((FACTORY, folder))
        content: SimpleQueue[Any] = SimpleQueue()
        stop = threading.Event()
        trial = ShaderTrial(str(surface.ctx.info["GL_RENDERER"]), cache=None)
        trial.start()
        watcher = Watcher(library, content, trial)
        thread = threading.Thread(target=watcher.run, args=(stop,), daemon=True)
        thread.start()
        time.sleep(1.0)
        preset = library.presets["edited"]
        show = Show([preset], preset.name)
        renderer = Renderer(surface.ctx, library.shaders)
        features, sound = music(1.0)
        for at in range(SAVES):
            wanted = (at + 1) / (SAVES + 1)
            begun = time.perf_counter()
            file.write_text(_FLAT % f"{wanted:.4f}")
            while time.perf_counter() - begun < 5.0:
                try:
                    fresh = content.get_nowait()
                    if isinstance(fresh, list):
                        show.replace(fresh)
                    else:
                        renderer.reload(fresh)
                except Empty:
                    pass
                renderer.draw(show.step(time.perf_counter(), 1 / 60, SIZE, features, sound), {}, surface.screen)
                finish()
                if abs(surface.screen.read(viewport=(0, 0, 1, 1), components=1)[0] / 255.0 - wanted) < 0.01:
                    break
                time.sleep(1 / 60)
            took.append((time.perf_counter() - begun) * 1e3)
            time.sleep(0.15)
        stop.set()
        thread.join(5.0)
        renderer.release()
    p95 = float(np.quantile(took, 0.95))
    return Row(
        "a shader saved, until it is seen",
        "ms",
        took,
        must=f"<= {MOST_MS:.0f} ms",
        met=p95 <= MOST_MS,
        note=f"p95 {p95:.0f} ms",
        extra={"p95_ms": p95},
    )
