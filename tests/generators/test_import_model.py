"""Bringing models in: every layout plays, what is dangerous or no good is one line, new versions glide in."""

import shutil
import threading
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from onnx import helper
from parts.models import FLOAT, D, H, W, model, onnx, save
from parts.patience import PATIENCE_S, until

from performer.cli.main import main
from performer.content.models.onnx_file import examine, locations
from performer.generators.onnx.session import create
from performer.generators.onnx.tensor_layout import fed, planar
from performer.generators.painter import GLIDE_S, Painter
from performer.generators.tools.import_model import bring, judge, named
from performer.generators.tools.probe import Told, known, probe
from performer.latent.directions import Directions
from performer.rig.loading import load_library, painter
from performer.system.errors import Fault
from performer.types.features import Features, Sound
from performer.types.frame import Frame, Scene, Walk

LAYOUTS = {
    "plain": {},
    "batch by name": {"batch": "N"},
    "no batch": {"latent": (D,), "out": (3, H, W)},
    "rank 4": {"latent": (1, D, 1, 1)},
    "rank 3": {"latent": (1, 3, D // 3)},
    "NHWC": {"out": (1, H, W, 3)},
    "HWC": {"out": (H, W, 3), "latent": (D,)},
    "grey": {"out": (1, 1, H, W)},
    "grey without channel": {"out": (H, W)},
    "alpha": {"out": (1, 4, H, W), "low": 0.0},
    "0..1": {"low": 0.0},
    "0..255": {"low": 0.0, "high": 255.0},
    "overshooting": {"gain": 1.3},
    "batch of grey": {"out": (1, H, W)},
}


@pytest.mark.parametrize("name", LAYOUTS)
def test_every_layout_is_found_out_and_plays(name, tmp_path):
    made = model(tmp_path / "made.onnx", **LAYOUTS[name])
    out, found = bring(made, "mine", tmp_path / "models", Told(), "CC0-1.0", "", False)
    generator = create(out, "cpu")
    rng = np.random.default_rng(1)
    one, two = (generator.paint(rng.standard_normal(D).astype(np.float32)).copy() for _ in range(2))
    assert one.shape == (3, H, W) and one.dtype == np.float32 and one.flags.c_contiguous
    assert min(one.min(), two.min()) >= 0.0 and max(one.max(), two.max()) <= 1.0
    assert 0.2 < one.mean() < 0.8 if name != "alpha" else 0.05 < one.mean() < 0.6
    assert one.std() > 0.1 and np.abs(one - two).mean() > 0.05
    assert found.card["latent"] == D and found.card["size"] == [W, H]
    assert found.card["clip"] is (name == "overshooting") and out.with_suffix(".png").is_file()
    known(out)  # its card has its hash: nothing is tried again


def test_the_latent_of_open_size_is_tried(tmp_path):
    path = model(tmp_path / "open.onnx", size=100, latent=(1, "D"))
    assert probe(path).card["latent"] == 100
    odd = model(tmp_path / "odd.onnx", size=77, latent=("N", "D"))
    with pytest.raises(Fault, match="fails when it runs"):
        probe(odd)
    assert probe(odd, Told(latent=77)).card["latent"] == 77


def test_labels_noise_truncation_and_several_outputs(tmp_path):
    nodes = [
        helper.make_node("MatMul", ["z", "m"], ["a"]),
        helper.make_node("MatMul", ["class_label", "k"], ["b"]),
        helper.make_node("Mul", ["a", "truncation"], ["c"]),
        helper.make_node("Add", ["c", "b"], ["d"]),
        helper.make_node("Reshape", ["d", "shape"], ["e"]),
        helper.make_node("Add", ["e", "noise"], ["f"]),
        helper.make_node("Tanh", ["f"], ["image"]),
        helper.make_node("Identity", ["a"], ["features"]),
    ]
    rng = np.random.default_rng(1)
    weights = [
        ("m", rng.standard_normal((D, 3 * H * W)).astype(np.float32) * 0.3),
        ("shape", np.array([1, 3, H, W])),
        ("k", rng.standard_normal((5, 3 * H * W)).astype(np.float32)),
    ]
    info = helper.make_tensor_value_info
    path = save(
        tmp_path / "many.onnx",
        nodes,
        [
            info("z", FLOAT, [1, D]),
            info("class_label", FLOAT, [1, 5]),
            info("truncation", FLOAT, []),
            info("noise", FLOAT, [1, 1, H, W]),
        ],
        [info("features", FLOAT, None), info("image", FLOAT, None)],
        weights,
    )
    pictures = []
    for label in (0, 3):
        out, found = bring(path, f"many{label}", tmp_path / "m", Told(class_=label, truncation=0.5), "MIT", "", False)
        assert found.card["output"] == "image"
        assert {e["name"]: e["role"] for e in found.card["inputs"]} == {
            "z": "latent",
            "class_label": "class",
            "truncation": "truncation",
            "noise": "noise",
        }
        pictures.append(create(out, "cpu").paint(np.ones(D, np.float32)))
        assert np.array_equal(pictures[-1], create(out, "cpu").paint(np.ones(D, np.float32)))
    assert np.abs(pictures[0] - pictures[1]).mean() > 0.1


def test_styles_of_a_model_that_was_made_here_still_mix(tmp_path):
    out, found = bring(load_library().models["glass"], "pane", tmp_path / "m", Told(), "CC0-1.0", "", False)
    assert [entry["role"] for entry in found.card["inputs"]][:3] == ["latent", "middle", "fine"]
    generator = create(out, "cpu")
    rng = np.random.default_rng(1)
    one, two = (rng.standard_normal(found.card["latent"]).astype(np.float32) for _ in range(2))
    assert generator.mapping is not None  # and it came along
    assert generator.mixes and np.abs(generator.paint(one).copy() - generator.paint(one, fine=two)).mean() > 0.01


def picture_model(path: Path) -> Path:
    """Turns a picture into its negative, in -1..1, at 32x32."""
    info = helper.make_tensor_value_info
    return save(
        path,
        [
            helper.make_node("Neg", ["input"], ["a"]),
            helper.make_node("Mul", ["a", "two"], ["b"]),
            helper.make_node("Tanh", ["b"], ["output"]),
        ],
        [info("input", FLOAT, ["N", 3, 32, 32])],
        [info("output", FLOAT, None)],
        [("two", np.float32(2.0))],
    )


def test_a_model_from_picture_to_picture_plays_on_another_layer(tmp_path):
    out, found = bring(
        picture_model(tmp_path / "negative.onnx"),
        "negative",
        tmp_path / "models",
        Told(range=(-1, 1)),
        "MIT",
        "",
        False,
    )
    assert found.card["kind"] == "filter"
    turned = create(out, "cpu").change(np.concatenate([np.ones((1, 8, 8)), np.zeros((2, 8, 8))]).astype(np.float32))
    assert turned.shape == (3, 32, 32) and turned[0].max() < 0.1 and turned[1:].min() > 0.9
    library = load_library()
    library.models["negative"] = out
    (tmp_path / "p.toml").write_text(
        "[[layer]]\nmodel = 'molten'\n[[layer]]\nname = 'top'\nmodel = 'negative'\nof = 'main'\n"
    )
    preset = library.load_preset(tmp_path / "p.toml")
    scene = Scene(1, preset, preset.base, {"main": Walk("tour", 0.3, 1, 1.0)}, 0.0)
    images = painter(library, "cpu").paint(
        Frame(index=0, t=0.0, dt=1 / 60, size=(64, 36), features=Features(), sound=Sound(), scene=scene)
    )
    below, top = images[1, "main"].pixels, images[1, "top"].pixels
    small = below.reshape(3, 32, 4, 32, 4).mean(axis=(2, 4))
    assert np.corrcoef(small.ravel(), top.ravel())[0, 1] < -0.9
    with pytest.raises(Fault, match=r"layer\[0\].of: no layer with a model or media of its own 'stars'"):
        (tmp_path / "q.toml").write_text("[[layer]]\nmodel = 'negative'\nof = 'stars'\n")
        library.load_preset(tmp_path / "q.toml")


# -- what is no good


def test_data_outside_the_folder_is_refused(tmp_path):
    inside = tmp_path / "models"
    inside.mkdir()
    (tmp_path / "secret.bin").write_bytes(bytes(100000))
    path = model(inside / "sly.onnx", save_as_external_data=True, location="sly.data", size_threshold=1024)
    assert locations(path) == {"sly.data"}
    examine(path)
    out, _ = bring(path, "kept", tmp_path / "other", Told(), "MIT", "", False)
    assert create(out, "cpu").paint(np.ones(D, np.float32)).std() > 0.1
    for bad in ("../secret.bin", str(tmp_path / "secret.bin"), "a/../../secret.bin"):
        wrong = onnx.load(path, load_external_data=False)
        for tensor in wrong.graph.initializer:
            for entry in tensor.external_data:
                if entry.key == "location":
                    entry.value = bad
        (inside / "sly.onnx").write_bytes(wrong.SerializeToString())
        with pytest.raises(Fault, match="outside its own folder; refused"):
            probe(path)
        shutil.copy(out.with_suffix(".toml"), path.with_suffix(".toml"))
        with pytest.raises(Fault, match="outside its own folder; refused"):
            create(path, "cpu")
    (inside / "link.data").symlink_to(tmp_path / "secret.bin")
    for tensor in wrong.graph.initializer:
        for entry in tensor.external_data:
            if entry.key == "location":
                entry.value = "link.data"
    (inside / "sly.onnx").write_bytes(wrong.SerializeToString())
    with pytest.raises(Fault, match="refused"):
        examine(path)


def broken(folder: Path) -> dict[str, tuple[Path, str]]:
    """Name -> a model that is no good, and what is said of it."""
    info = helper.make_tensor_value_info
    whole = model(folder / "whole.onnx")
    truncated = folder / "truncated.onnx"
    truncated.write_bytes(whole.read_bytes()[:-400])
    junk = folder / "junk.onnx"
    junk.write_bytes(b"GIF89a" + bytes(range(256)) * 20)
    unknown = save(
        folder / "unknown.onnx",
        [helper.make_node("Dream", ["z"], ["image"])],
        [info("z", FLOAT, [1, D])],
        [info("image", FLOAT, None)],
    )
    nothing = save(
        folder / "nan.onnx",
        [helper.make_node("Sqrt", ["z"], ["a"]), helper.make_node("Expand", ["a", "shape"], ["image"])],
        [info("z", FLOAT, [1, 1, 1, 1])],
        [info("image", FLOAT, None)],
        [("shape", np.array([1, 3, 16, 16]))],
    )
    flat = save(
        folder / "flat.onnx",
        [helper.make_node("Identity", ["z"], ["numbers"])],
        [info("z", FLOAT, [1, D])],
        [info("numbers", FLOAT, None)],
    )
    still = save(
        folder / "still.onnx",
        [helper.make_node("Mul", ["z", "zero"], ["a"]), helper.make_node("Expand", ["a", "shape"], ["image"])],
        [info("z", FLOAT, [1, 1, 1, 1])],
        [info("image", FLOAT, None)],
        [("shape", np.array([1, 3, 16, 16])), ("zero", np.float32(0.0))],
    )
    greedy = save(
        folder / "greedy.onnx",
        [
            helper.make_node("Expand", ["z", "huge"], ["a"]),
            helper.make_node("ReduceMean", ["a"], ["b"], keepdims=1),
            helper.make_node("Expand", ["b", "shape"], ["image"]),
        ],
        [info("z", FLOAT, [1, 1, 1, 1])],
        [info("image", FLOAT, None)],
        [("shape", np.array([1, 3, 16, 16])), ("huge", np.array([25, 1000, 1000, 1000]))],
    )
    slow = save(
        folder / "slow.onnx",
        [
            helper.make_node("Expand", ["z", "wide"], ["a"]),
            *(helper.make_node("MatMul", ["a" if i == 0 else f"m{i - 1}", "square"], [f"m{i}"]) for i in range(220)),
            helper.make_node("ReduceMean", ["m219"], ["b"], keepdims=1),
            helper.make_node("Expand", ["b", "shape"], ["image"]),
        ],
        [info("z", FLOAT, [1, 1, 1, 1])],
        [info("image", FLOAT, None)],
        [
            ("shape", np.array([1, 3, 16, 16])),
            ("wide", np.array([1, 1, 2048, 2048])),
            ("square", np.eye(2048, dtype=np.float32)),
        ],
    )
    four = save(
        folder / "four.onnx",
        [helper.make_node("Expand", ["z", "shape"], ["image"])],
        [info("z", FLOAT, [1, 1, 1, 1])],
        [info("image", FLOAT, None)],
        [("shape", np.array([4, 3, 16, 16]))],
    )
    return {
        "truncated": (truncated, "truncated one|cannot|can load"),
        "junk": (junk, "not an ONNX file"),
        "unknown operator": (unknown, "it has no operator '[A-Za-z]+'.*; export it without that"),
        "nan": (nothing, "NaN"),
        "no picture": (flat, "none of its outputs is an image"),
        "still": (still, "does not change with input"),
        "greedy": (greedy, "memory"),
        "four at a time": (four, "several images at a time.*batch of one"),
        "slow": (slow, "for a picture|took longer"),
    }


@pytest.mark.parametrize(
    ("file", "name"),
    [("Größe neu (2).onnx", "grosse_neu_2"), ("512-Faces.onnx", "model_512_faces"), ("夜.onnx", "model")],
)
def test_a_name_is_made_of_any_file_s(file, name):
    assert named(Path(file)) == name


def test_a_model_that_comes_along_is_not_hidden_unasked(tmp_path, monkeypatch):
    from performer.generators.tools import import_model as bringing
    from performer.system import folders

    monkeypatch.setattr(folders, "data", lambda: tmp_path)
    with pytest.raises(Fault, match="is a factory model"):
        bringing.place("glass", tmp_path / "models", False)
    assert bringing.place("glass", tmp_path / "models", True) == tmp_path / "models" / "glass.onnx"
    assert bringing.place("glass", tmp_path / "elsewhere", False) == tmp_path / "elsewhere" / "glass.onnx"


@pytest.fixture(scope="module")
def no_good(tmp_path_factory):
    return broken(tmp_path_factory.mktemp("broken"))


@pytest.mark.parametrize(
    "name", ["truncated", "junk", "unknown operator", "nan", "no picture", "still", "greedy", "slow", "four at a time"]
)
def test_what_is_no_good_is_one_line_and_leaves_nothing(name, no_good, tmp_path, monkeypatch):
    monkeypatch.setattr("performer.generators.tools.probe.TIME_S", 8.0)
    path, complaint = no_good[name]
    with pytest.raises(Fault, match=complaint) as caught:
        bring(path, "bad", tmp_path / "models", Told(), "MIT", "", False)
    assert "\n" not in str(caught.value) and str(path) in str(caught.value)
    assert not (tmp_path / "models").exists()


def test_a_strangers_model_is_tried_before_it_plays(no_good, tmp_path):
    path, _ = no_good["still"]
    path.with_suffix(".toml").write_text('title = "x"\nkind = "gan"\nlatent = 1\nsize = [16, 16]\nlicence = "x"\n')
    library = load_library()
    library.models["stranger"] = path
    with pytest.raises(Fault, match="does not change"):
        painter(library, "cpu").warm("stranger")


# -- the command line


def test_import_check_and_list(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("sys.stdin", open("/dev/null"))  # noqa: SIM115
    made = model(tmp_path / "My-Stones.onnx")
    folder = tmp_path / "models"
    assert code("models", "import", str(made), "--to", str(folder), "--licence", "CC-BY-4.0") == 0
    said = capsys.readouterr().out
    assert 'model = "my_stones"' in said and "taken for -1 .. 1" in said
    assert code("models", "import", str(made), "--to", str(folder)) == 2
    assert "there is a model of that name" in capsys.readouterr().err
    assert code("models", "check", str(folder / "my_stones.onnx"), "--fps", "5") == 0
    said = capsys.readouterr().out
    assert "as imported" in said and "CC-BY-4.0" in said and "ran on     CPU (100%" in said and "keeps up" in said
    shutil.copy(model(tmp_path / "other.onnx", gain=0.5), folder / "my_stones.onnx")
    assert code("models", "check", str(folder / "my_stones.onnx"), "--fps", "5") == 1
    assert "NOT the file" in capsys.readouterr().out
    assert code("models", "list") == 0 and "molten" in capsys.readouterr().out
    (tmp_path / "net.pkl").write_bytes(b"cos\nsystem\n")
    assert code("models", "import", str(tmp_path / "net.pkl")) == 2
    assert "can run any code" in capsys.readouterr().err
    assert code("models", "import", str(made), "--to", str(folder), "--name", "two", "--output", "nothing") == 2
    assert "no output 'nothing'; there are" in capsys.readouterr().err
    for command, name, said in (("check", "puppeteer", "is a follower"), ("explore", "no.onnx", "no such model file")):
        assert code("models", command, name) == 2
        assert said in capsys.readouterr().err


def code(*arguments: str) -> int:
    try:
        main(list(arguments))
    except SystemExit as end:
        return int(end.code or 0)
    return 0


def test_what_an_import_cannot_use_is_one_line(tmp_path, capsys, monkeypatch):
    made = str(model(tmp_path / "stones.onnx"))
    (tmp_path / "file").write_text("")
    for more, says in (
        (("--to", str(tmp_path / "file")), "file: models cannot be written there"),
        (("--to", str(tmp_path / "file" / "below")), "below: models cannot be written there"),
        (("--range=nan,1",), "--range 'nan,1': expected two different, finite numbers"),
        (("--range=1,1",), "--range '1,1': expected two different, finite numbers"),
    ):
        assert code("models", "import", made, *more) == 2
        said = capsys.readouterr().err
        assert says in said and said.count("\n") == 1

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("performer.generators.tools.import_model.shutil.move", full)
    assert code("models", "import", made, "--to", str(tmp_path / "new")) == 2
    assert "new: cannot be written: No space left on device" in capsys.readouterr().err


def test_the_verdict_is_by_the_slowest(tmp_path):
    out, _ = bring(model(tmp_path / "m.onnx"), "m", tmp_path / "o", Told(), "MIT", "", False)
    assert judge(out, "cpu", 1.0).fits and not judge(out, "cpu", 1e6).fits
    slow = replace(judge(out, "cpu", 60.0), p95_ms=15.0, fits=False)  # 67 a second, were there nothing else to do
    assert "does not keep up with 60 frames per second: 53 are safe" in slow.lines()[-1]
    verdict = judge(out, "cpu", 60.0)
    assert verdict.p95_ms >= verdict.p50_ms > 0.0 and verdict.provider == "CPU" and verdict.as_imported


# -- a new version while it plays


class Plain:
    """A generator of one grey that takes a while to load."""

    directions = Directions()
    mixes, mapping = False, None

    def __init__(self, level: float, card) -> None:
        self.level, self.card, self.provider = level, card, "CPU"

    def paint(self, latent, middle=None, fine=None, walk=None, offsets=()):
        return np.full((3, 8, 8), self.level, np.float32)

    def change(self, picture):
        return picture


def test_a_new_version_is_loaded_aside_and_glides_in(monkeypatch):
    monkeypatch.setattr("performer.generators.painter.LOOK_S", 0.0)
    card = load_library().models["molten"]
    from performer.content.models.card import load

    card = load(card.with_suffix(".toml"))
    stamps, levels = {"molten": 1.0}, {1.0: 0.0, 2.0: 1.0}

    may = threading.Event()
    may.set()

    def slowly(name):
        level = levels[stamps[name]]
        assert may.wait(PATIENCE_S)
        return Plain(level, card)

    it = Painter(slowly, lambda name: stamps[name], begin=lambda name, body: None)
    library = load_library()
    preset = library.presets["undertow"]
    seen = []

    def draw(t):
        scene = Scene(1, preset, preset.base, {"main": Walk("tour", t, 1, 1.0)}, t)
        images = it.paint(
            Frame(index=0, t=t, dt=1 / 60, size=(64, 36), features=Features(), sound=Sound(), scene=scene)
        )
        return float(images[1, "main"].pixels.mean()) if images else None

    t = 0.0
    while draw(t) is None:
        time.sleep(0.01)
        t += 0.01
    may.clear()
    stamps["molten"] = 2.0
    for _ in range(20):  # nobody waits for a model
        seen.append(draw(t))
        t += 0.01
    may.set()

    def arrived() -> bool:
        nonlocal t
        seen.append(draw(t))
        t += 0.01
        return seen[-1] > 0.0

    assert until(arrived)
    for i in range(40):
        seen.append(draw(t + i * GLIDE_S / 30))
    assert seen[0] == 0.0 and seen[-1] == 1.0 and seen == sorted(seen)
    assert sum(0.05 < level < 0.95 for level in seen) > 10


def test_planar_and_back():
    rng = np.random.default_rng(1)
    picture = rng.random((3, 8, 10)).astype(np.float32)
    for layout, shape in (("NCHW", (1, 3, 8, 10)), ("NHWC", (1, 8, 10, 3)), ("CHW", (3, 8, 10)), ("HWC", (8, 10, 3))):
        for low, high in ((0.0, 1.0), (-1.0, 1.0), (0.0, 255.0)):
            there = fed(picture, shape, layout, low, high)
            assert planar(there, layout, low, high, False) == pytest.approx(picture, abs=1e-4)
    assert fed(picture, (1, 3, 4, 5), "NCHW", 0.0, 1.0).mean() == pytest.approx(picture.mean(), abs=0.05)
