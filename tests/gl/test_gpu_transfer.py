"""Pictures that stay on a card get into GL: by sharing, by pinned memory, or through the processor, alike in each.

CUDA is a double (parts_cuda.py); the models, ONNX Runtime's bindings and GL are real.
"""

import gc
import inspect
import threading
import weakref

import numpy as np
import pytest
from parts.live import play_until

from performer.generators.onnx.buffer_pool import MOST
from performer.generators.onnx.session import create
from performer.generators.onnx.tensor_layout import planar
from performer.generators.painter import Painter
from performer.gl.render.renderer import Renderer
from performer.gl.render.texture import ImageTexture
from performer.gl.window.offscreen import Offscreen
from performer.rig.loading import load_library
from performer.system.errors import Fault
from performer.system.mailboxes import Latest
from performer.types.features import Features, Sound
from performer.types.frame import Frame, Scene, Walk
from performer.types.image import GpuImage, Image

RNG = np.random.default_rng(5)
LIBRARY = load_library()
MODELS = LIBRARY.models


@pytest.fixture
def world():
    surface = Offscreen((64, 36))
    yield surface
    surface.close()


def tensor(
    picture: np.ndarray,
    layout: str = "NCHW",
    dtype: str = "float32",
    low: float = 0.0,
    high: float = 1.0,
    clip: bool = False,
) -> GpuImage:
    """A picture (C, H, W) of 0..1 as a model would have left it on the card."""
    values = picture * (high - low) + low
    axes = layout.removeprefix("N")
    values = values.transpose(1, 2, 0) if axes == "HWC" else values[0] if axes == "HW" else values
    values = np.ascontiguousarray(values.round() if dtype == "uint8" else values).astype(dtype)
    values = values[None] if layout.startswith("N") else values
    return GpuImage(
        address=values.ctypes.data,
        size=values.nbytes,
        shape=values.shape,
        dtype=dtype,
        layout=layout,
        low=low,
        high=high,
        clip=clip,
        fetch=lambda: planar(values, layout, low, high, clip),
    )


def drawn(texture: ImageTexture, image: Image, t: float = 0.0) -> np.ndarray:
    """(H, W, 3) uint8, the first row on top."""
    size = image.host.shape[2], image.host.shape[1]
    shown = texture.draw(image, t, 1.0, size)
    return np.frombuffer(shown.read(), np.uint8).reshape(size[1], size[0], 4)[::-1, :, :3].astype(int)


def of_the_processor(world: Offscreen, image: Image) -> np.ndarray:
    return drawn(ImageTexture(world.ctx), Image(image.host, image.t))


KINDS = [
    ("NCHW", "float32", -1.0, 1.0, False, 3),
    ("NCHW", "float16", 0.0, 1.0, False, 3),
    ("NHWC", "float32", -1.0, 1.0, True, 3),
    ("HWC", "float16", -1.0, 1.0, False, 3),
    ("HWC", "uint8", 0.0, 255.0, False, 3),
    ("CHW", "uint8", 0.0, 255.0, False, 3),
    ("HW", "float32", 0.0, 1.0, False, 1),
    ("NHWC", "float16", 0.0, 1.0, False, 1),
    ("NCHW", "float32", 0.0, 1.0, False, 4),
    ("HWC", "float32", 0.0, 255.0, True, 4),
]


@pytest.mark.parametrize(("layout", "dtype", "low", "high", "clip", "channels"), KINDS)
@pytest.mark.parametrize("way", ["shared", "pinned", "plain"])
def test_every_tensor_comes_out_as_on_the_processor(world, card, way, layout, dtype, low, high, clip, channels):
    card.fails = {"shared": set(), "pinned": {"register"}, "plain": {"device"}}[way]
    picture = RNG.random((channels, 9, 13)).astype(np.float32) * (1.2 if clip else 1.0) - (0.1 if clip else 0.0)
    image = Image(tensor(picture, layout, dtype, low, high, clip), 1.0)
    texture = ImageTexture(world.ctx)
    texture.draw(image, 0.0, 1.0, (13, 9))
    made = drawn(texture, image)
    assert texture._converter.ways.name == way
    assert np.abs(made - of_the_processor(world, image)).max() <= 1 and made.std() > 20
    texture.release()


def test_sharing_registers_once_maps_for_each_picture_and_lets_go(world, card):
    texture = ImageTexture(world.ctx)
    for number in range(3):
        image = Image(tensor(RNG.random((3, 9, 13)).astype(np.float32)), float(number))
        assert np.array_equal(drawn(texture, image), of_the_processor(world, image))
        drawn(texture, image)  # the same image again costs nothing
    assert card.calls == ["device", "current", "register", *3 * ["map", "copy", "record", "unmap"]]
    image = Image(tensor(RNG.random((3, 20, 10)).astype(np.float32)), 3.0)  # another size: another buffer
    assert np.array_equal(drawn(texture, image), of_the_processor(world, image))
    assert card.calls[-6:] == ["unregister", "register", "map", "copy", "record", "unmap"] and len(card.registered) == 1
    texture.release()
    assert card.calls[-1] == "unregister" and not card.registered


def test_memory_on_the_card_is_held_while_it_is_copied(world, card):
    texture = ImageTexture(world.ctx)
    card.fails = {"register"}  # by pinned memory, where copies go on behind
    card.busy = True
    first = Image(tensor(RNG.random((3, 9, 13)).astype(np.float32)), 0.0)
    pixels, held = first.host, weakref.ref(first.pixels)
    assert texture.draw(first, 0.0, 1.0, (13, 9)) is None
    second = Image(tensor(RNG.random((3, 9, 13)).astype(np.float32)), 1.0)
    del first
    gc.collect()
    assert texture.draw(second, 1.0, 1.0, (13, 9)) is None and held() is not None
    card.busy = False
    assert np.array_equal(drawn(texture, second, 2.0), of_the_processor(world, Image(pixels, 0.0)))  # in its turn
    assert np.array_equal(drawn(texture, second, 3.0), of_the_processor(world, second))
    gc.collect()
    assert held() is None
    assert card.calls.count("copy") == 2 and card.calls.count("allocate") == 2
    texture.release()
    assert card.pinned == 0


def test_pinned_pictures_keep_up_with_the_frames_one_late(world, card):
    card.fails = {"register"}
    texture = ImageTexture(world.ctx)
    images = [Image(tensor(RNG.random((3, 9, 13)).astype(np.float32)), float(i)) for i in range(6)]
    texture.draw(images[0], 0.0, 1.0, (13, 9))
    for number in range(1, 6):
        assert np.array_equal(
            drawn(texture, images[number], float(number)), of_the_processor(world, images[number - 1])
        )


@pytest.mark.parametrize(
    ("fails", "ends"),
    [
        ({"device"}, "plain"),
        ({"current"}, "plain"),
        ({"register"}, "pinned"),
        ({"map"}, "pinned"),
        ({"unmap"}, "pinned"),
        ({"copy"}, "plain"),
        ({"register", "allocate"}, "plain"),
        ({"record"}, "plain"),
    ],
)
def test_each_kind_of_failure_falls_back_once_and_says_why(world, card, fails, ends, caplog):
    card.fails = fails
    texture = ImageTexture(world.ctx)
    for number in range(3):
        image = Image(tensor(RNG.random((3, 9, 13)).astype(np.float32)), float(number))
        texture.draw(image, float(number), 1.0, (13, 9))
        assert np.array_equal(drawn(texture, image, number + 0.5), of_the_processor(world, image))
    assert texture._converter.ways.name == ends
    said = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert 1 <= len(said) == len(set(said)) <= 2 and "CUDA_ERROR" in said[0]
    other = ImageTexture(world.ctx, texture._converter)  # the next one does not try what fails
    calls = len(card.calls)
    other.draw(image, 0.0, 1.0, (13, 9))
    assert not fails & set(card.calls[calls:])
    texture.release()
    other.release()
    assert card.pinned == 0 and world.ctx.error == "GL_NO_ERROR"


def test_a_card_that_is_lost_while_playing_is_one_line_and_the_picture_stays(world, card, caplog):
    texture = ImageTexture(world.ctx)
    image = Image(tensor(RNG.random((3, 9, 13)).astype(np.float32)), 0.0)
    before = drawn(texture, image)
    card.fails = {"map", "copy", "unregister", "allocate"}

    def gone() -> np.ndarray:
        raise RuntimeError("CUDA error 719: unspecified launch failure")

    lost = tensor(RNG.random((3, 9, 13)).astype(np.float32))
    lost = GpuImage(
        address=lost.address,
        size=lost.size,
        shape=lost.shape,
        dtype=lost.dtype,
        layout=lost.layout,
        low=lost.low,
        high=lost.high,
        clip=lost.clip,
        fetch=gone,
    )
    for number in range(3):
        shown = texture.draw(Image(lost, number + 1.0), number + 1.0, 1.0, (13, 9))
        back = np.frombuffer(shown.read(), np.uint8).reshape(9, 13, 4)[::-1, :, :3]
        assert np.array_equal(back, before)
    errors = [record.getMessage() for record in caplog.records if record.levelname == "ERROR"]
    assert len(errors) == 1 and "719" in errors[0]
    texture.release()


def test_without_cuda_core_pictures_go_through_the_processor(world, monkeypatch, caplog):
    import sys

    monkeypatch.setitem(sys.modules, "cuda", None)
    texture = ImageTexture(world.ctx)
    image = Image(tensor(RNG.random((3, 9, 13)).astype(np.float32)), 0.0)
    assert np.array_equal(drawn(texture, image), of_the_processor(world, image))
    assert "cuda-core is not installed" in caplog.text and texture._converter.ways.name == "plain"


def test_a_picture_with_nan_on_the_card_is_black_there_not_everywhere(world, card):
    picture = RNG.random((3, 9, 13)).astype(np.float32) * 0.5 + 0.3
    picture[1, 4, 5] = np.nan
    made = drawn(ImageTexture(world.ctx), Image(tensor(picture), 0.0))
    assert made[4, 5].tolist() == [0, 0, 0] and (made.reshape(-1, 3).min(axis=1) > 50).sum() == 9 * 13 - 1


# -- the generator's end: ONNX Runtime's memory


@pytest.mark.parametrize("name", sorted(MODELS))
def test_a_model_s_picture_stays_where_it_was_made_and_is_drawn_from_there(world, card, name):
    plain, model = create(MODELS[name], "cpu"), create(MODELS[name], "cpu")
    model.bind_on_card("cpu")
    assert model.stays and not plain.stays
    texture = ImageTexture(world.ctx)
    for number in range(3):
        z = RNG.standard_normal(model.card.latent).astype(np.float32)
        made = model.paint(z, stay=True)
        assert isinstance(made, GpuImage) and made.shape == model.card.shape
        assert np.array_equal(made.fetch(), plain.paint(z)) and np.array_equal(model.paint(z), plain.paint(z))
        image = Image(made, float(number))
        assert np.array_equal(drawn(texture, image, float(number)), of_the_processor(world, image))
    texture.release()


def test_what_is_kept_on_the_card_never_changes_and_what_is_let_go_is_used_again():
    model = create(MODELS["molten"], "cpu")
    model.bind_on_card("cpu")
    latents = [RNG.standard_normal(64).astype(np.float32) for _ in range(MOST + 2)]
    kept = [model.paint(z, stay=True) for z in latents]
    pictures = [create(MODELS["molten"], "cpu").paint(z) for z in latents]
    assert len({made.address for made in kept}) == MOST + 2
    for made, picture in zip(kept, pictures, strict=True):
        assert np.array_equal(made.fetch(), picture)
    places = {made.address for made in kept[:MOST]}
    del made, kept
    shown = None
    for z in latents:
        shown = model.paint(z, stay=True)
        assert shown.address in places
    assert np.array_equal(shown.fetch(), pictures[-1])


def test_nan_on_the_card_is_noticed(monkeypatch):
    model = create(MODELS["molten"], "cpu")
    model.bind_on_card("cpu")
    bad = np.full(64, np.nan, np.float32)
    with pytest.raises(Fault, match="NaN"):
        model.paint(bad, stay=True)  # the first is looked at
    model.paint(np.ones(64, np.float32), stay=True)
    assert isinstance(model.paint(bad, stay=True), GpuImage)  # within a second nobody looks
    monkeypatch.setattr("performer.generators.onnx.session.LOOK_S", 0.0)
    with pytest.raises(Fault, match="NaN"):
        model.paint(bad, stay=True)


def test_the_whole_way_from_walk_to_screen_is_the_same_picture(world, card):
    def load(name: str):
        model = create(MODELS[name], "cpu")
        model.bind_on_card("cpu")
        return model

    preset = next(one for one in LIBRARY.in_order() if any(layer.model == "glass" for layer in one.layers))
    pictures = []
    for stay in (False, True):
        renderer, painter = Renderer(world.ctx, LIBRARY.shaders), Painter(load, stay=stay)
        shown = []
        for index in range(4):
            walks = {layer.name: Walk("tour", 0.3 * index, 3, 1.0) for layer in preset.layers if layer.model}
            scene = Scene(1, preset, preset.base, walks, index / 60)
            frame = Frame(
                index=index, t=index / 60, dt=1 / 60, size=(64, 36), features=Features(), sound=Sound(), scene=scene
            )
            images = painter.paint(frame)
            assert all(isinstance(image.pixels, GpuImage) is stay for image in images.values())
            renderer.draw(frame, images, world.screen)
            shown.append(world.screen.read())
        assert renderer.way == ("shared" if stay else "")
        renderer.release()
        pictures.append(shown)
    assert pictures[0] == pictures[1] and len(set(pictures[0])) == 4
    assert not card.registered and world.ctx.error == "GL_NO_ERROR"


def test_the_thread_that_makes_pictures_never_touches_cuda_and_gl(world, card):
    model = create(MODELS["glass"], "cpu")
    model.bind_on_card("cpu")
    made: list[Image] = []

    def body() -> None:
        made.extend(
            Image(model.paint(RNG.standard_normal(64).astype(np.float32), stay=True), float(i)) for i in range(3)
        )

    thread = threading.Thread(target=body)
    thread.start()
    thread.join()
    assert card.calls == []
    texture = ImageTexture(world.ctx)
    for image in made:
        assert np.array_equal(drawn(texture, image, image.t), of_the_processor(world, image))
    texture.release()


@pytest.mark.parametrize("way", ["shared", "pinned"])
def test_a_picture_in_gl_is_one_whole_picture_while_the_next_are_made(world, card, way):
    """A generator's thread as fast as it can beside a drawing one: no picture is a mixture, and none goes backwards."""
    card.fails = {"register"} if way == "pinned" else set()
    reference, model = create(MODELS["glass"], "cpu"), create(MODELS["glass"], "cpu")
    model.bind_on_card("cpu")
    latents = RNG.standard_normal((24, 64)).astype(np.float32)
    wanted = [of_the_processor(world, Image(reference.paint(z), 0.0)) for z in latents]
    mailbox: Latest[Image] = Latest()

    def body() -> None:
        for number, z in enumerate(latents):
            mailbox.post(Image(model.paint(z, stay=True), float(number)))

    thread = threading.Thread(target=body)
    thread.start()
    texture, seen = ImageTexture(world.ctx), []
    while thread.is_alive() or len(seen) < 8 or seen[-1] < len(latents) - 1:
        image = mailbox.peek()
        if image is None:
            continue
        shown = texture.draw(image, image.t, 1e3, (128, 128))
        if shown is None:
            continue
        back = np.frombuffer(shown.read(), np.uint8).reshape(128, 128, 4)[::-1, :, :3].astype(int)
        taken = texture._image
        assert taken is not None and np.array_equal(back, wanted[round(taken.t)])
        seen.append(taken.t)
    thread.join()
    assert seen == sorted(seen) and len(set(seen)) > 2 and seen[-1] == len(latents) - 1
    assert len(model._bound._places) <= MOST
    texture.release()


def test_the_double_is_called_as_the_real_one_would_be(card):
    """Where cuda-core is installed, its functions take what is given to the double's."""
    import importlib
    import sys

    double = sys.modules["cuda.core"]
    for name in ("cuda", "cuda.core"):
        sys.modules.pop(name)
    try:
        real = importlib.import_module("cuda.core")
    except ImportError:
        pytest.skip("cuda-core is not installed")
    finally:
        for name in [name for name in sys.modules if name == "cuda" or name.startswith("cuda.")]:
            sys.modules.pop(name)
    compared = 0
    for part in ("Buffer", "Device", "Event", "GraphicsResource", "LegacyPinnedMemoryResource", "Stream"):
        for name in vars(getattr(double, part)):
            if name.startswith("_"):
                continue
            there = getattr(getattr(real, part), name, None)
            assert there is not None or name in ("work", "owner"), f"{part}.{name}"
            if callable(there) and callable(getattr(getattr(double, part), name)):
                mine, its = inspect.signature(getattr(getattr(double, part), name)), inspect.signature(there)
                assert list(mine.parameters) == list(its.parameters), f"{part}.{name}{its}"
                compared += 1
    assert compared >= 8 and real.EventOptions()


def test_row_k_measures_each_way_of_a_card(card, monkeypatch):
    torch = pytest.importorskip("torch")
    from performer.lab.bench import gpu

    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda: "a double")
    monkeypatch.setattr(torch.Tensor, "cuda", lambda tensor: tensor)
    monkeypatch.setattr(gpu, "WIDTH", 64)
    monkeypatch.setattr(gpu, "HEIGHT", 36)
    rows = gpu.upload(1.0)
    assert [row.what.rsplit(" ", 1)[1] for row in rows] == ["shared", "pinned", "plain"]
    assert all(len(row.ours) == len(row.peer) == gpu.ROUNDS // 4 and row.met is not None for row in rows)
    assert not card.registered and card.pinned == 0


def test_a_live_show_over_a_card_shares_says_so_and_lets_go_at_the_end(card, monkeypatch):
    from performer.rig import loading
    from performer.rig.live import rig as app

    def bound(path, provider, threads=None, repeats=False):
        model = create(path, "cpu")
        model.bind_on_card("cpu")
        return model

    monkeypatch.setattr(
        app, "is_software", lambda ctx: False
    )  # as on a card; pictures of a software renderer do not stay
    monkeypatch.setattr(loading.onnx, "create", bound)
    options = app.PlayOptions(preset="honeycomb", input="demo", midi="off", size=(160, 90), headless=True, fps=60.0)
    with app.Rig(options) as rig:
        assert play_until(rig, lambda: rig.renderer.way and card.calls.count("copy") > 2)
        assert rig.renderer.way == "shared" and card.calls.count("copy") > 2 and card.registered
        frame = rig.loop.wiring.frames.peek()
        assert rig.loop.overlay._state(frame, (), rig.now(), 0.0).provider == "CPU, shared"
    assert not card.registered
