"""Any preset into any other, whole or broken, in time or never: the show goes on."""

import logging
import threading
import time
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from parts.drawing import SHADERS
from parts.patience import PATIENCE_S
from PIL import Image as Picture

from performer.content.presets import reader
from performer.generators.painter import Painter
from performer.gl.render.renderer import Renderer
from performer.gl.window.offscreen import Offscreen
from performer.latent.directions import Directions
from performer.show.show import Show
from performer.system.errors import Fault
from performer.types.features import Features, Sound
from performer.types.frame import ControlEvent, Frame

SIZE = (32, 18)
FPS = 30.0
CHANGE_S = 0.2
SHADERS = {name: spec for name, spec in SHADERS.items() if name != "broken"}
MODELS = ("red", "green", "late", "never", "gone", "damaged", "fails", "negative")


def movie(path: Path) -> Path:
    """A second of blue."""
    with av.open(str(path), "w") as file:
        stream = file.add_stream("mpeg4", rate=25)
        stream.width, stream.height, stream.pix_fmt = 48, 32, "yuv420p"
        for i in range(25):
            frame = av.VideoFrame.from_ndarray(np.full((32, 48, 3), (0, 0, 200), np.uint8), format="rgb24")
            frame.pts, frame.time_base = i, Fraction(1, 25)
            file.mux(stream.encode(frame))
        file.mux(stream.encode())
    return path


class Model:
    """A generator of one colour, which may fail at its third picture."""

    provider, directions, mapping = "CPU", Directions(), None
    mixes = stays = False

    class card:
        latent = 4

    def __init__(self, colour, fails=False):
        self.colour, self.left = np.array(colour, np.float32).reshape(3, 1, 1), 2 if fails else 1 << 30

    def paint(self, latent, middle=None, fine=None, walk=None, offsets=()):
        self.left -= 1
        if self.left < 0:
            raise Fault("the model failed")
        return np.broadcast_to(self.colour, (3, 8, 12)).copy()

    def change(self, picture):
        return np.ascontiguousarray(1.0 - picture)


class Models:
    """Loads by name: in time, late, never or not at all."""

    def __init__(self):
        self.over, self.come = threading.Event(), threading.Event()

    def __call__(self, name):
        if name == "late":
            self.come.wait(PATIENCE_S)
        if name == "never":
            self.over.wait(PATIENCE_S)
        if name in ("gone", "damaged"):
            raise Fault(f"{name}.onnx: {name}")
        return Model((0, 1, 0) if name == "green" else (1, 0, 0), name == "fails")


def layers(folder: Path) -> dict[str, str]:
    """What presets of each kind show."""

    def layer(source, name="main", more=""):
        return f"[[layer]]\nname = '{name}'\n{source}\n{more}\n"

    effect = "[[layer.effect]]\nshader = 'invert'"
    return {
        "shader": layer("shader = 'ramp'"),
        "model": layer("model = 'red'"),
        "two models": layer("model = 'red'") + layer("model = 'green'", "top", "blend = 'add'"),
        "model late over one in time": layer("model = 'never'") + layer("model = 'green'", "top", "opacity = 0.5"),
        "model of a video": layer(f"video = '{folder}/blue.mp4'") + layer("model = 'negative'\nof = 'main'", "top"),
        "late model": layer("model = 'late'"),
        "slow model": layer("model = 'never'", more=effect),
        "missing model": layer("model = 'gone'"),
        "damaged model": layer("model = 'damaged'"),
        "failing model": layer("model = 'fails'"),
        "camera": layer("camera = 'lavfi:color=0x808080:size=32x18'"),
        "absent camera": layer("camera = '87'"),
        "video": layer(f"video = '{folder}/blue.mp4'"),
        "missing video": layer(f"video = '{folder}/gone.mp4'"),
        "damaged video": layer(f"video = '{folder}/noise.mp4'"),
        "pictures": layer(f"pictures = '{folder}/pictures'", more=effect),
        "no pictures": layer(f"pictures = '{folder}/empty'"),
        "masked by an absent camera": layer("model = 'green'", more="[layer.mask]\nlayer = 'cam'")
        + layer("camera = '87'", "cam", "opacity = 0.0"),
    }


#: Kind -> the colour that it has in the end, where it has one of its own.
COLOURS = {"model": (1, 0, 0), "two models": (1, 1, 0), "late model": (1, 0, 0), "camera": (0.5, 0.5, 0.5)} | {
    "video": (0, 0, 0.78),
    "model of a video": (1, 1, 0.22),
    "pictures": (1, 0, 1),
}


@pytest.fixture(scope="module")
def presets(tmp_path_factory):
    folder = tmp_path_factory.mktemp("media")
    movie(folder / "blue.mp4")
    (folder / "noise.mp4").write_bytes(np.random.default_rng(1).bytes(4000))
    (folder / "empty").mkdir()
    (folder / "pictures").mkdir()
    Picture.new("RGB", (32, 18), (0, 255, 0)).save(folder / "pictures" / "green.png")
    return [
        reader.load(
            f"transition = {{ shader = 'fade', seconds = {CHANGE_S} }}\n{text}",
            name,
            where=str(folder / name),
            shaders=SHADERS,
            models=dict.fromkeys(MODELS, ()),
            audio=(),
        )
        for name, text in layers(folder).items()
    ]


@pytest.fixture(scope="module")
def world():
    headless = Offscreen(SIZE)
    yield headless
    headless.close()


class Stage:
    """Show, painter and renderer, a frame at a time."""

    def __init__(self, world, presets):
        self.world, self.models, self.threads = world, Models(), []
        self.painter = Painter(self.models, begin=self._begin)
        self.renderer = Renderer(world.ctx, SHADERS)
        self.show = Show(presets, presets[0].name)
        self.t, self.frames = 0.0, 0
        self.images = {}

    def _begin(self, name, body):
        self.threads = [thread for thread in self.threads if thread.is_alive()]
        self.threads.append(threading.Thread(target=body, name=name, daemon=True))
        self.threads[-1].start()

    def picture(self, name=None) -> Frame:
        """One frame, after a change to a preset; black is no picture."""
        self.t += 1.0 / FPS
        events = [ControlEvent(self.t, "show.preset", text=name)] if name else []
        frame = self.show.step(self.t, 1.0 / FPS, SIZE, Features(), Sound(), events)
        self.images = self.painter.paint(frame)
        self.renderer.draw(frame, self.images, self.world.screen)
        self.frames += 1
        return frame

    def colour(self):
        pixels = np.frombuffer(self.world.screen.read(components=3), np.uint8)
        return pixels.reshape(SIZE[1], SIZE[0], 3).mean(axis=(0, 1)) / 255.0

    def settle(self, name) -> None:
        """Until a preset is alone, and shows the colour that it has."""
        wanted, ends = COLOURS.get(name), time.monotonic() + PATIENCE_S
        while True:
            frame = self.picture()
            alone = frame.incoming is None
            if alone and (wanted is None or np.abs(self.colour() - wanted).max() < 0.02):
                return
            assert not alone or time.monotonic() < ends, f"{name}: {self.colour()}, not {wanted}"
            if alone:
                time.sleep(0.001)

    def close(self):
        self.models.over.set()
        self.models.come.set()
        self.painter.close()
        self.renderer.release()
        for thread in self.threads:
            thread.join(PATIENCE_S)


@pytest.fixture
def stage(world, presets, caplog):
    with caplog.at_level(logging.CRITICAL):
        it = Stage(world, presets)
        yield it
        it.close()


def every_run(names, length=2):
    """A walk in which every run of so many names comes (a de Bruijn sequence), and its first ones again at the end."""
    walk = list(names[:1]) * length
    seen = {tuple(walk)}
    while True:
        for name in reversed(names):  # the first name last: then the walk gets everywhere
            step = (*walk[len(walk) - length + 1 :], name)
            if step not in seen:
                seen.add(step)
                walk.append(name)
                break
        else:
            assert len(seen) == len(names) ** length
            return walk


def test_any_preset_changes_into_any_other(stage, presets):
    stage.models.come.set()
    for name in every_run([one.name for one in presets]):
        stage.picture(name)
        stage.settle(name)
        assert stage.colour().max() > 0.02, f"{name} is black"


@pytest.mark.parametrize("frames", [1, 3])
def test_any_preset_changes_into_any_other_before_the_last_change_is_over(stage, presets, frames):
    for at, name in enumerate(every_run([one.name for one in presets])):
        if at == 150:
            stage.models.come.set()
        stage.picture(name)
        for _ in range(frames - 1):
            stage.picture()
        assert at < 50 or stage.colour().max() > 0.02, f"{name} is black"
    stage.picture("model")
    stage.settle("model")


def test_any_three_in_a_row(stage):
    names = ["model", "slow model", "absent camera", "two models", "late model", "video"]
    for at, name in enumerate(every_run(names, 3)):
        if at == 100:
            stage.models.come.set()
        stage.picture(name)
        for _ in range((2, 8, 4)[at % 3]):
            stage.picture()
    for name in ("model", "two models", "late model", "video"):
        stage.picture(name)
        stage.settle(name)


def test_the_other_deck_may_show_what_the_live_one_waits_for(stage, presets):
    stage.picture("model")
    stage.settle("model")
    stage.show._two_decks = True
    for name in every_run([one.name for one in presets]):
        stage.picture(name)
        for value in (0.3, 1.0 if stage.show._fader.live == "A" else 0.0):
            stage.show.step(stage.t, 0.0, SIZE, Features(), Sound(), [ControlEvent(stage.t, "show.crossfader", value)])
            stage.picture()
            stage.picture()
