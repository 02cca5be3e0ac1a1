"""Every kind of model plays a hundred frames, live and offline: by itself, and on a model, a camera, a video."""

import threading
import time

import numpy as np
import pytest
from onnx import helper
from parts.drawing import SHADERS
from parts.models import FLOAT, D, H, W, model, save
from parts.patience import PATIENCE_S
from PIL import Image as Picture

from performer.content.presets import reader
from performer.generators.onnx.session import create
from performer.generators.painter import Painter
from performer.gl.render.renderer import Renderer
from performer.gl.window.offscreen import Offscreen
from performer.show.show import Show
from performer.types.features import Features, Sound

SIZE, FRAMES, FPS = (32, 18), 100, 30.0
CARD = "title = 'Made'\nlicence = 'MIT'\nsize = [{width}, {height}]\nrange = [-1.0, 1.0]\n"
EFFECTS = {"negative": ("float32", "NCHW"), "packed": ("float32", "NHWC"), "grey": ("float16", "NCHW")}


def walker(path, more="", **shape):
    model(path, **shape)
    path.with_suffix(".toml").write_text(f"{CARD.format(width=W, height=H)}kind = 'gan'\nlatent = {D}\n{more}")


def effect(path, kind, layout):
    """Turns a picture of -1..1 into its negative."""
    shape = (1, 3, 12, 20) if layout == "NCHW" else (1, 12, 20, 3)
    number = helper.np_dtype_to_tensor_dtype(np.dtype(kind))
    info = helper.make_tensor_value_info
    nodes = [
        helper.make_node("Cast", ["picture"], ["wide"], to=FLOAT),
        helper.make_node("Neg", ["wide"], ["negative"]),
    ]
    save(path, nodes, [info("picture", number, shape)], [info("negative", FLOAT, shape)])
    path.with_suffix(".toml").write_text(
        f"{CARD.format(width=20, height=12)}kind = 'filter'\nlayout = '{layout}'\n[[inputs]]\nname = 'picture'\n"
        f"role = 'image'\nshape = {list(shape)}\ntype = '{kind}'\nlayout = '{layout}'\nrange = [-1.0, 1.0]\n"
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models")
    walker(folder / "walks.onnx")
    walker(folder / "channels_last.onnx", "layout = 'NHWC'\n", out=(1, H, W, 3))
    walker(folder / "grey_walks.onnx", "channels = 1\n", out=(1, 1, H, W))
    for name, (kind, layout) in EFFECTS.items():
        effect(folder / f"{name}.onnx", kind, layout)
    (folder / "pictures").mkdir()
    for name, colour in (("a", (200, 0, 0)), ("b", (0, 200, 0))):
        Picture.new("RGB", (32, 18), colour).save(folder / "pictures" / f"{name}.png")
    import av

    with av.open(str(folder / "film.mp4"), "w") as file:
        stream = file.add_stream("mpeg4", rate=25)
        stream.width, stream.height, stream.pix_fmt = 48, 32, "yuv420p"
        for i in range(50):
            picture = np.full((32, 48, 3), 40 + 4 * i, np.uint8)
            file.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        file.mux(stream.encode())
    return folder


@pytest.fixture(scope="module")
def world():
    headless = Offscreen(SIZE)
    yield headless
    headless.close()


SOURCES = {
    "walk": "model = 'walks'",
    "channels last": "model = 'channels_last'",
    "grey": "model = 'grey_walks'",
    "camera": "camera = 'lavfi:testsrc=size=32x18'",
    "video": "video = 'film.mp4'",
    "pictures": "pictures = 'pictures'\nplay = { speed = 8.0 }",
    "text": "text = ['one', 'two']\nplay = { speed = 8.0 }",
}
KINDS = {
    **{name: f"[[layer]]\n{source}\n" for name, source in SOURCES.items()},
    **{
        f"{effect} of {name}": f"[[layer]]\n{source}\n[[layer]]\nname = 'top'\nmodel = '{effect}'\nof = 'main'\n"
        for effect in EFFECTS
        for name, source in SOURCES.items()
        if effect == "negative" or name in ("walk", "camera", "video")
    },
}


@pytest.mark.parametrize("live", [True, False], ids=["live", "offline"])
@pytest.mark.parametrize("kind", KINDS)
def test_it_plays_a_hundred_frames(folder, world, caplog, kind, live):
    if not live and "camera" in kind:
        pytest.skip("there are no cameras offline")
    preset = reader.load(
        f"transition = {{ shader = 'fade' }}\n{KINDS[kind]}",
        "made",
        where=str(folder / "made.toml"),
        shaders=SHADERS,
        models={path.stem: () for path in folder.glob("*.onnx")},
        audio=(),
    )
    threads = []

    def begin(name, body):
        threads.append(threading.Thread(target=body, name=name, daemon=True))
        threads[-1].start()

    painter = Painter(lambda name: create(folder / f"{name}.onnx", "cpu", 1), begin=begin if live else None)
    renderer, show = Renderer(world.ctx, SHADERS), Show([preset], "made")
    seen, drawn, frames, ends = [], set(), 0, time.monotonic() + PATIENCE_S
    while frames < FRAMES:
        frame = show.step(frames / FPS, 1.0 / FPS, SIZE, Features(), Sound())
        images = painter.paint(frame)
        renderer.draw(frame, images, world.screen)
        if len(images) < len(preset.layers):  # live, they come when they are there
            assert live and time.monotonic() < ends
            time.sleep(0.001)
            continue
        frames += 1
        if live:
            time.sleep(0.001)
        seen.append(images[1, "top" if " of " in kind else "main"])
        drawn.add(world.screen.read())
    painter.close()
    renderer.release()
    for thread in threads:
        thread.join(PATIENCE_S)
    assert len({id(image) for image in seen}) > 1 and len(drawn) > 1, "it moves"
    assert not caplog.records
    if " of " in kind:  # what it shows is the negative of what it is of, at that moment
        below = images[1, "main"].pixels
        if below.dtype == np.uint8:
            below = below[..., :3] / 255.0 * (below[..., 3:] / 255.0)
        assert seen[-1].pixels.mean() == pytest.approx(1.0 - below.mean(), abs=0.02)
