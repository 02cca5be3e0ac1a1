"""Directions: what is known to be in a model is found, becomes knobs, and moves the picture that way; locked walks."""

import re
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from parts.models import H, W, save
from parts.scenes import TEXT, make
from parts.shows import Show, loud, run
from PIL import Image

from performer.cli.main import app
from performer.content.models import directions_file
from performer.generators.onnx.session import create
from performer.generators.tools.components import of_activations, of_seen, of_styles
from performer.generators.tools.find_directions import explore, strips
from performer.generators.tools.probe import sha256
from performer.latent.directions import LENGTH, Directions, restyled, turned, with_those_before
from performer.latent.style_space import offset_of
from performer.latent.walks import WALKS
from performer.rig.loading import load_library, painter
from performer.system.errors import Fault
from performer.types.features import Features, Sound
from performer.types.frame import ControlEvent, Frame, Scene, Walk

onnx = pytest.importorskip("onnx")
from onnx import TensorProto, helper  # noqa: E402

D = 8


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """Axis 0 makes it brighter, axis 1 redder and less blue, axis 2 turns a pattern up; the rest do next to nothing."""
    folder = tmp_path_factory.mktemp("known")
    rng = np.random.default_rng(1)
    matrix = np.zeros((D, 3, H, W), np.float32)
    matrix[0], matrix[1, 0], matrix[1, 2] = 0.35, 0.25, -0.25
    matrix[2] = np.sign(np.sin(np.arange(W) * 1.9))[None, None] * 0.15
    matrix[3:] = rng.standard_normal((D - 3, 3, H, W)) * 0.002
    info = helper.make_tensor_value_info
    path = save(
        folder / "known.onnx",
        [
            helper.make_node("MatMul", ["z", "m"], ["a"]),
            helper.make_node("Sigmoid", ["a"], ["b"]),
            helper.make_node("Reshape", ["b", "shape"], ["image"]),
        ],
        [info("z", TensorProto.FLOAT, [1, D])],
        [info("image", TensorProto.FLOAT, None)],
        [("m", matrix.reshape(D, -1)), ("shape", np.array([1, 3, H, W]))],
    )
    path.with_suffix(".toml").write_text(
        f'title = "Known"\nkind = "generator"\nlatent = {D}\nsize = [{W}, {H}]\nlicence = "CC0-1.0"\n'
    )
    return path


def test_what_is_in_a_model_is_found(model):
    generator = create(model, "cpu")
    directions, stories = explore(generator, samples=300)
    found = dict(zip(directions.names, directions.vectors, strict=True))
    explained = {story.name: story.explains for story in stories}
    assert abs(found["bright"][0]) > 0.98 * LENGTH and found["bright"][0] > 0 and explained["bright"] > 0.9
    assert found["warm"][1] > 0.95 * LENGTH and explained["warm"] > 0.8
    assert any(story.kind == "component" for story in stories) and len(set(directions.names)) == len(directions.names)
    weights = [vector for vector, kind in zip(directions.vectors, directions.kinds, strict=True) if kind == "weights"]
    assert all(np.linalg.norm(vector) == pytest.approx(LENGTH, rel=1e-3) for vector in directions.vectors)
    # Axes that do nothing are never among those of the weights.
    assert all(np.abs(vector[3:]).max() < 0.2 for vector in weights)
    z = np.random.default_rng(5).standard_normal(D).astype(np.float32)
    at = directions.names.index("bright")
    levels = [generator.paint(turned(z, [0.0] * at + [amount], directions)).mean() for amount in (-1.0, 0.0, 1.0)]
    assert levels == sorted(levels) and levels[2] - levels[0] > 0.2
    assert np.linalg.norm(turned(z, [0.0] * at + [1.0], directions)) == pytest.approx(np.linalg.norm(z), rel=1e-4)
    assert strips(generator, directions, starts=1).height == 132 * len(directions.names)
    directions_file.write(model, directions)
    again = directions_file.read(model)
    assert again.names == directions.names and np.array_equal(again.vectors, directions.vectors)


class Eye:
    """Sees how much of one faint pattern there is, which nothing else measures."""

    names = ("woven",)

    def __init__(self, shown: np.ndarray) -> None:
        logits = np.log(shown / (1.0 - shown)).reshape(D, -1)
        self._seek = np.linalg.pinv(logits)[:, 3]

    def __call__(self, picture: np.ndarray) -> np.ndarray:
        return np.array([np.log(picture / (1.0 - picture)).ravel() @ self._seek])


def test_what_an_eye_was_taught_to_see_becomes_a_knob(model):
    generator = create(model, "cpu")
    eye = Eye(np.stack([generator.paint(axis) for axis in np.eye(D, dtype=np.float32)]))
    directions, stories = explore(generator, samples=300, eye=eye)
    at = directions.names.index("woven")
    assert directions.kinds[at] == "taught" and directions.vectors[at][3] > 0.9 * LENGTH
    assert next(story.explains for story in stories if story.name == "woven") > 0.8


def test_a_file_that_is_no_directions_is_a_fault_and_the_model_plays_on(model, tmp_path):
    copy = tmp_path / "known.onnx"
    copy.write_bytes(model.read_bytes())
    copy.with_suffix(".toml").write_text(model.with_suffix(".toml").read_text())
    assert directions_file.read(copy) == Directions()
    beside = directions_file.beside(copy)
    beside.write_bytes(b"junk")
    with pytest.raises(Fault, match="cannot read these directions"):
        directions_file.read(copy)
    np.savez(beside, names=np.array(["a"], dtype=object), kinds=np.array(["x"]), vectors=np.ones((1, D)))
    with pytest.raises(Fault, match="cannot read these directions"):  # an object array would be a pickle
        directions_file.read(copy)
    np.savez_compressed(beside, names=np.array(["a"]), kinds=np.array(["x"]), vectors=np.ones((1, D)))
    data = bytearray(beside.read_bytes())
    data[59:80] = bytes(21)
    beside.write_bytes(data)
    with pytest.raises(Fault, match="cannot read these directions"):  # zlib's own error
        directions_file.read(copy)
    np.savez(beside, names=np.array(["../a"]), kinds=np.array(["x"]), vectors=np.ones((1, D)))
    with pytest.raises(Fault, match="not a directions file"):
        directions_file.read(copy)
    library = load_library()
    library.models["known"] = copy
    assert library.knobs()["known"] == () and beside in library.faults


def test_exploring_again_keeps_the_knobs_that_presets_name(model, tmp_path, capsys):
    copy = tmp_path / "known.onnx"
    copy.write_bytes(model.read_bytes())
    copy.with_suffix(".toml").write_text(model.with_suffix(".toml").read_text())
    before = Directions(
        ("petals", "dull", "dir9"), ("taught", "measured", "component"), np.eye(D, dtype=np.float32)[:3]
    )
    directions_file.write(copy, before)
    out = tmp_path / "strips.png"
    arguments = ["models", "explore", str(copy), "--samples", "100", "-o"]
    for wrong, complaint in (("x.txt", "unknown extension '.txt'"), ("nowhere/x.png", "no such folder")):
        with pytest.raises(Fault, match=complaint):
            app([*arguments, str(tmp_path / wrong)], standalone_mode=False)
        assert directions_file.read(copy).names == before.names  # told before the work
    app([*arguments, str(out)], standalone_mode=False)
    found = directions_file.read(copy)
    assert {"petals", "dull", "bright"} <= set(found.names) and "dir9" not in found.names
    assert np.array_equal(found.vectors[found.names.index("dull")], before.vectors[1])
    assert "petals" in capsys.readouterr().out and Image.open(out).height == 132 * len(found.names)
    np.savez(
        directions_file.beside(copy), names=np.array(["wide"]), kinds=np.array(["taught"]), vectors=np.ones((1, D + 1))
    )
    app([*arguments, str(out)], standalone_mode=False)  # those of another model are not taken over
    assert "wide" not in directions_file.read(copy).names


def test_knobs_from_before_do_not_move_the_style():
    found = Directions(("dir1",), ("style",), np.zeros((1, D), np.float32), np.ones((1, 5), np.float32))
    both = with_those_before(found, Directions(("wide",), ("taught",), np.ones((1, D), np.float32)))
    assert both.names == ("dir1", "wide") and restyled([0.0, 1.0], both) is None
    assert restyled([1.0, 0.0], both) is not None


def test_directions_are_parameters_that_presets_and_routes_set():
    text = TEXT.replace("[layer.walk]", "latent = { bright = 0.5 }\n[layer.walk]", 1)
    text += '[[route]]\nfrom = "audio.bass"\nto = "main.latent.warm"\nrange = [-1.0, 1.0]\nquantise = "beat"\n'
    preset = make(text)
    assert preset.base["main.latent.bright"] == 0.5 and preset.params["main.latent.warm"].high == 1.5
    frame = run(Show([preset], "first"), 0.5, features=loud)[-1]
    assert frame.scene.walks["main"].moves[0] == 0.5 and frame.scene.walks["main"].moves[1] != 0.0
    with pytest.raises(Fault, match=r"layer\[0\].latent.brigt: 'marble' has no direction 'brigt'.*bright"):
        make(text.replace("bright = 0.5", "brigt = 0.5"))
    with pytest.raises(Fault, match="latent needs a model"):
        make(TEXT.replace('shader = "tunnel"', 'shader = "tunnel"\nlatent = { bright = 1.0 }'))


def test_a_shipped_model_answers_its_knobs():
    library = load_library()
    names = library.knobs()
    assert {"bright", "warm"} <= set(names["glass"])
    it = painter(library, "cpu")
    preset = next(p for p in library.in_order() if p.layers[0].model == "glass")
    means = []
    for amount in (-1.0, 1.0):
        moves = tuple(amount if name == "warm" else 0.0 for name in names["glass"])
        walk = Walk("tour", 0.4, 3, 1.0, moves)
        scene = Scene(1, preset, preset.base, {preset.layers[0].name: walk}, 0.0)
        image = it.paint(
            Frame(index=0, t=0.0, dt=1 / 60, size=(64, 36), features=Features(), sound=Sound(), scene=scene)
        )[1, preset.layers[0].name]
        means.append(image.pixels.mean(axis=(1, 2)))
    assert means[1][0] - means[1][2] > means[0][0] - means[0][2] + 0.2


# -- styles that are mixed


def test_middle_and_fine_layers_follow_walks_of_their_own():
    text = TEXT.replace("seed = 7", "seed = 7\nfine = { kind = 'hop', speed = 1.0, seed = 3 }", 1)
    preset = make(text + '[[route]]\nfrom = "audio.bass"\nto = "main.fine.speed"\nrange = [1.0, 2.0]\n')
    assert preset.base["main.fine.speed"] == 1.0 and "main.middle.speed" not in preset.base
    frames = run(Show([preset], "first"), 3.0, features=loud)
    middle, fine = frames[-1].scene.walks["main"].styles
    assert middle is None and fine.kind == "hop" and fine.seed == 3
    assert fine.position > frames[30].scene.walks["main"].styles[1].position
    with pytest.raises(Fault, match=r"layer\[0\].walk.fine.kind: expected one of .*hop"):
        make(text.replace("'hop'", "'hopp'"))


@pytest.mark.parametrize("name", ["molten", "glass", "chrome", "pearl", "blossom"])
def test_the_shipped_models_mix_styles(name):
    library = load_library()
    path = library.models[name]
    generator = create(path, "cpu")
    assert generator.mixes and generator.card.sha256 == sha256(path)
    rng = np.random.default_rng(2)
    one, two = (rng.standard_normal(64).astype(np.float32) for _ in range(2))
    whole = generator.paint(one).copy()
    assert np.array_equal(whole, generator.paint(one, one, one))
    fine, middle = generator.paint(one, None, two).copy(), generator.paint(one, two, None).copy()
    other = generator.paint(two).copy()
    for mixed in (fine, middle):
        assert 0.01 < np.abs(mixed - whole).mean() < 0.9 * np.abs(other - whole).mean() + 0.05
    it = painter(library, "cpu")
    preset = next(p for p in library.in_order() if p.layers[-1].model == name or p.layers[0].model == name)
    layer = next(layer for layer in preset.layers if layer.model == name)
    walk = Walk("tour", 0.4, 3, 1.0)
    shown = []
    for styles in ((None, None), (None, Walk("tour", 7.0, 9, 1.0))):
        scene = Scene(1, preset, preset.base, {layer.name: replace(walk, styles=styles)}, 0.0)
        shown.append(
            it.paint(Frame(index=0, t=0.0, dt=1 / 60, size=(64, 36), features=Features(), sound=Sound(), scene=scene))[
                1, layer.name
            ].pixels
        )
    assert np.abs(shown[0] - shown[1]).mean() > 0.003


# -- walks that are locked to the music


def walking(kind: str, lock: str, speed: float) -> str:
    return TEXT.replace('kind = "tour"', f'kind = "{kind}"\nlock = "{lock}"').replace("speed = 0.5", f"speed = {speed}")


def heard(t, bpm=120.0, confidence=0.9):
    return Features(
        t=t,
        values={"kick": 0.0, "bass": 0.0, "onset": 0.0},
        beat=t * bpm / 60.0,
        bar=t * bpm / 240.0,
        bpm=bpm,
        confidence=confidence,
    )


@pytest.mark.parametrize(("lock", "seconds"), [("beat", 0.5), ("bar", 2.0), ("phrase", 16.0)])
def test_keyframes_of_a_locked_walk_fall_on_what_it_counts(lock, seconds):
    it = Show([make(), make(walking("tour", lock, 1.0), "second")], "first")
    frames = run(it, 40.0, fps=30, features=heard, events=[ControlEvent(5.3, "show.preset", 0, "second")])
    late = [f for f in frames if f.t > 8.0]
    assert late[0].scene.preset.name == "second"
    for frame in late:
        phase = (frame.features.bar / {"beat": 0.25, "bar": 1.0, "phrase": 8.0}[lock]) % 1.0
        apart = abs((frame.scene.walks["main"].position - phase + 0.5) % 1.0 - 0.5)
        assert apart < 0.08
    span = late[-1].scene.walks["main"].position - late[0].scene.walks["main"].position
    assert span == pytest.approx((late[-1].t - late[0].t) / seconds, rel=0.03)


def test_a_loop_of_four_bars_has_no_seam_and_comes_back():
    it = Show([make(walking("loop", "bar", 0.25), "first")], "first")
    frames = [f for f in run(it, 40.0, features=heard) if f.t > 20.0]
    walks = [f.scene.walks["main"] for f in frames]
    places = [WALKS["loop"](w.position, w.seed, 32) for w in walks]
    period = 8 * 60  # frames in four bars at 120 bpm
    assert max(np.linalg.norm(places[i] - places[i + period]) for i in range(0, 700, 50)) < 0.02
    steps = [np.linalg.norm(b - a) for a, b in pairwise(places)]
    assert max(steps) < 4.0 * np.median(steps)


def test_without_a_beat_a_locked_walk_goes_on_by_itself():
    it = Show([make(walking("loop", "bar", 0.25), "first")], "first")
    frames = run(it, 10.0, features=lambda t: Features(t=t, values={"kick": 0.0, "bass": 0.0, "onset": 0.0}))
    positions = [f.scene.walks["main"].position for f in frames]
    assert positions == sorted(positions) and positions[-1] - positions[0] > 0.05


# -- style space


def test_principal_styles_are_those_that_a_mapping_varies_most_in(tmp_path):
    chrome = create(load_library().models["chrome"], "cpu")
    found = list(of_styles(chrome))
    shares = [share for share, _ in found]
    assert shares == sorted(shares, reverse=True) and sum(shares) == pytest.approx(1.0)
    z = np.random.default_rng(77).standard_normal((2000, 64)).astype(np.float32)
    w = chrome.mapping(z)
    spreads = [float((w @ (vector / np.linalg.norm(vector))).std()) for _, vector in found[:4]]
    # Latents that the components were not found by vary along them as said, and along the first ones most.
    assert spreads == sorted(spreads, reverse=True)
    assert spreads == pytest.approx([float(np.linalg.norm(vector)) / 2.0 for _, vector in found[:4]], rel=0.06)


def test_a_direction_of_the_style_moves_the_picture_of_any_walk():
    chrome = create(load_library().models["chrome"], "cpu")
    directions = chrome.directions
    at = directions.names.index("dir1")
    assert directions.kinds[at] == "style" and not directions.vectors[at].any() and directions.styles[at].any()
    z = np.random.default_rng(3).standard_normal(64).astype(np.float32)
    moves = [0.7 if i == at else 0.0 for i in range(len(directions.names))]
    expected = chrome.paint(z, offsets=(restyled(moves, directions),) * 3)
    for space in ("z", "w"):
        walk = Walk("tour", 0.0, 5, 1.0, space=space)
        still = offset_of(walk, z, directions, chrome.mapping)
        moved = offset_of(replace(walk, moves=tuple(moves)), z, directions, chrome.mapping)
        assert moved - (0.0 if still is None else still) == pytest.approx(restyled(moves, directions), abs=1e-4)
    assert np.abs(expected - chrome.paint(z)).mean() > 0.05
    assert restyled([0.0] * len(moves), directions) is None
    only_z = [0.7 if kind != "style" else 0.0 for kind in directions.kinds]
    assert restyled(only_z, directions) is None


@pytest.fixture(scope="module")
def convolved(tmp_path_factory):
    """Two axes of the latent fill the first layer; what the others do is added after all convolutions."""
    folder = tmp_path_factory.mktemp("convolved")
    rng = np.random.default_rng(2)
    planes = np.zeros((D, 4, H, W), np.float32)
    planes[0], planes[1, :, :, : W // 2] = 1.0, 0.5
    late = np.zeros((D, 3 * H * W), np.float32)
    late[3:] = rng.standard_normal((D - 3, 3 * H * W)) * 0.4
    info = helper.make_tensor_value_info
    path = save(
        folder / "convolved.onnx",
        [
            helper.make_node("MatMul", ["z", "planes"], ["a"]),
            helper.make_node("Reshape", ["a", "first"], ["b"]),
            helper.make_node("Conv", ["b", "k"], ["c"], pads=[1, 1, 1, 1]),
            helper.make_node("Relu", ["c"], ["d"]),
            helper.make_node("Conv", ["d", "l"], ["e"], pads=[1, 1, 1, 1]),
            helper.make_node("MatMul", ["z", "late"], ["f"]),
            helper.make_node("Reshape", ["f", "shape"], ["g"]),
            helper.make_node("Add", ["e", "g"], ["h"]),
            helper.make_node("Sigmoid", ["h"], ["image"]),
        ],
        [info("z", TensorProto.FLOAT, [1, D])],
        [info("image", TensorProto.FLOAT, None)],
        [
            ("planes", planes.reshape(D, -1)),
            ("first", np.array([1, 4, H, W])),
            ("late", late),
            ("shape", np.array([1, 3, H, W])),
            ("k", rng.standard_normal((4, 4, 3, 3)).astype(np.float32) * 0.05),
            ("l", rng.standard_normal((3, 4, 3, 3)).astype(np.float32) * 0.05),
        ],
    )
    path.with_suffix(".toml").write_text(
        f'title = "Convolved"\nkind = "generator"\nlatent = {D}\nsize = [{W}, {H}]\nlicence = "CC0-1.0"\n'
    )
    return path


def test_without_a_space_of_styles_an_early_layers_activations_are_looked_at(convolved):
    generator = create(convolved, "cpu")
    z = np.random.default_rng(1).standard_normal((300, D)).astype(np.float32)
    (first, vector), (second, other) = list(of_activations(generator, z))[:2]
    assert first > second > 0.0 and first + second > 0.99  # two axes reach that layer, and no more
    assert abs(vector[0]) > 0.9 * np.linalg.norm(vector) and abs(other[1]) > 0.9 * np.linalg.norm(other)
    pictures = np.stack([generator.paint(row) for row in z])
    (_, vector), *_ = of_seen(z, pictures)  # the pictures show most of the axes that come late
    assert np.abs(vector[3:]).max() > abs(vector[0])
    directions, stories = explore(generator, samples=300)
    assert {story.kind for story in stories} >= {"component"} and directions.styles is None


@pytest.mark.parametrize(
    ("vectors", "styles", "complaint"),
    [
        (np.ones((1, 63), np.float32), None, "63 numbers, where the model has 64"),
        (np.zeros((1, 64), np.float32), np.ones((1, 9), np.float32), "9 numbers, where the model has"),
        (np.zeros((1, 64), np.float32), np.ones((2, 128), np.float32), "not a directions file"),
        (np.zeros((1, 64), np.float32), np.full((1, 128), np.nan, np.float32), "not a directions file"),
    ],
)
def test_a_model_plays_without_directions_that_are_of_another(vectors, styles, complaint, tmp_path, caplog):
    for path in load_library().models["glass"].parent.glob("glass*"):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    directions_file.write(tmp_path / "glass.onnx", Directions(("dir1",), ("style",), vectors, styles))
    model = create(tmp_path / "glass.onnx", "cpu")
    assert model.directions == Directions() and re.search(complaint, caplog.text)
    assert model.paint(np.ones(64, np.float32)).std() > 0.01
