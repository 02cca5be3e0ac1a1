"""Models of other people: which input is walked, which is fed a picture, in which values, order and type."""

from pathlib import Path

import numpy as np
import pytest

from performer.cli.import_options import told_of
from performer.content.models.card import load
from performer.content.models.layouts import levels
from performer.generators.onnx.session import OnnxGenerator, create
from performer.generators.onnx.tensor_layout import fed
from performer.generators.painter import Painter
from performer.generators.tools import probe as probing
from performer.generators.tools.components import RIDGE, ridge
from performer.generators.tools.find_directions import explore
from performer.generators.tools.import_model import bring
from performer.generators.tools.input_roles import Input, roles_of, shape_for
from performer.generators.tools.probe import Told
from performer.generators.tools.value_range import IMAGENET, Scale, range_of_input, range_of_output, trial_picture
from performer.latent.walks import latent
from performer.rig.loading import load_library
from performer.system.errors import Fault
from performer.types.features import Features, Sound
from performer.types.frame import Frame, Scene, Walk

onnx = pytest.importorskip("onnx")
from onnx import TensorProto, helper, numpy_helper  # noqa: E402

D, SIDE = 12, 32
TYPES = {
    "uint8": TensorProto.UINT8,
    "int8": TensorProto.INT8,
    "int32": TensorProto.INT32,
    "int64": TensorProto.INT64,
    "float16": TensorProto.FLOAT16,
    "float32": TensorProto.FLOAT,
    "float64": TensorProto.DOUBLE,
    "bool": TensorProto.BOOL,
}
AXES = {"NCHW": (0, 1, 2, 3), "NHWC": (0, 2, 3, 1), "CHW": (1, 2, 3), "HWC": (2, 3, 1)}


@pytest.fixture(autouse=True)
def here(monkeypatch):
    """Try models in this process: what that process of its own adds is tested elsewhere."""
    monkeypatch.setattr(probing, "ask", lambda body, path, words, time_s, late: probing._attend(words))


def save(path: Path, nodes, inputs, outputs, weights=(), facts=()) -> Path:
    def info(entry):
        name, type_, shape = entry
        return helper.make_tensor_value_info(name, TYPES[type_], shape)

    graph = helper.make_graph(
        nodes, "made", [*map(info, inputs)], [*map(info, outputs)], [numpy_helper.from_array(v, k) for k, v in weights]
    )
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    made.ir_version = 9
    helper.set_model_props(made, dict(facts))
    onnx.save(made, path)
    return path


def node(*arguments, **more):
    return helper.make_node(*arguments, **more)


def shape_of(layout: str, channels: int, side: int = SIDE) -> list[int]:
    sides = {"N": 1, "C": channels, "H": side, "W": side}
    return [sides[axis] for axis in layout]


class Graph:
    """Nodes, one after another, each named by its number."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.weights: list[tuple[str, np.ndarray]] = []

    def __call__(self, kind: str, *given, **more) -> str:
        names = []
        for one in given:
            if not isinstance(one, str):
                self.weights.append((f"k{len(self.weights)}", one))
                one = self.weights[-1][0]
            names.append(one)
        self.nodes.append(node(kind, names, [f"n{len(self.nodes)}"], **more))
        return f"n{len(self.nodes) - 1}"

    def save(self, path: Path, inputs, last: str, type_="float32", facts=()) -> Path:
        return save(
            path, [*self.nodes, node("Identity", [last], ["y"])], inputs, [("y", type_, None)], self.weights, facts
        )


def f32(value) -> np.ndarray:
    return np.float32(value)


def to_unit(
    graph: Graph, name: str, layout: str, low, high, mean=(0, 0, 0), std=(1, 1, 1), order="rgb", type_="float32"
):
    """An input as planes (1, C, H, W) of 0..1, in red, green and blue."""
    at = graph("Cast", name, to=TensorProto.FLOAT) if type_ != "float32" else name
    if layout.endswith("HWC"):
        at = graph("Transpose", at, perm=[0, 3, 1, 2] if layout[0] == "N" else [2, 0, 1])
    if layout[0] != "N":
        at = graph("Unsqueeze", at, np.array([0]))
    if mean != (0, 0, 0):
        at = graph("Mul", at, f32(np.reshape(std, (1, 3, 1, 1))))
        at = graph("Add", at, f32(np.reshape(mean, (1, 3, 1, 1))))
    at = graph("Sub", at, f32(low))
    at = graph("Div", at, f32(high - low))
    return graph("Gather", at, np.array([2, 1, 0]), axis=1) if order == "bgr" else at


def from_unit(graph: Graph, at: str, layout: str, low, high, type_="float32", order="rgb", bounded=True) -> str:
    """Such planes as an output."""
    if bounded:
        at = graph("Clip", at, f32(0.0), f32(1.0))
    if order == "bgr":
        at = graph("Gather", at, np.array([2, 1, 0]), axis=1)
    at = graph("Add", graph("Mul", at, f32(high - low)), f32(low))
    if layout != "NCHW":
        if layout.endswith("HWC"):
            at = graph("Transpose", at, perm=[0, 2, 3, 1])
        if layout[0] != "N":
            at = graph("Squeeze", at, np.array([0]))
    if type_ == "bool":
        return graph("Greater", at, f32(0.5 * (low + high)))
    return graph("Cast", at, to=TYPES[type_]) if type_ != "float32" else at


def filter_model(path: Path, name="input", facts=(), **more) -> Path:
    """Gives back the picture that it is fed."""
    given = {"layout": "NCHW", "low": 0.0, "high": 1.0, "mean": (0, 0, 0), "std": (1, 1, 1), "type": "float32"}
    given |= {key.removeprefix("in_"): value for key, value in more.items() if key.startswith("in_")}
    made = {"layout": "NCHW", "low": 0.0, "high": 1.0, "type_": "float32", "bounded": True}
    made |= {key.removeprefix("out_"): value for key, value in more.items() if key.startswith("out_")}
    graph, type_ = Graph(), given.pop("type")
    at = to_unit(graph, name, type_=type_, **given)
    at = from_unit(graph, at, **made)
    return graph.save(path, [(name, type_, shape_of(given["layout"], 3))], at, made["type_"], facts)


def imported(path: Path, told: Told | None = None) -> OnnxGenerator:
    out, _ = bring(path, "mine", path.parent / "models", told or Told(), "CC0-1.0", "", True)
    return create(out, "cpu")


# -- pictures in other values

FULL = {"high": 255.0}
FILTERS = {
    "0..1 as it is": {},
    "unbounded": {"out_bounded": False},
    "0..255 to 0..1": {"in_high": 255.0},
    "0..1 to 0..255": {"out_high": 255.0},
    "0..255 both": {"in_high": 255.0, "out_high": 255.0},
    "0..255 to -1..1": {"in_high": 255.0, "out_low": -1.0},
    "-1..1 to 0..1": {"in_low": -1.0},
    "0..1 to -1..1": {"out_low": -1.0},
    "-1..1 both": {"in_low": -1.0, "out_low": -1.0},
    "-1..1 to 0..255": {"in_low": -1.0, "out_high": 255.0},
    "ImageNet to 0..1": {"in_mean": IMAGENET[0], "in_std": IMAGENET[1]},
    "ImageNet to 0..255": {"in_mean": IMAGENET[0], "in_std": IMAGENET[1], "out_high": 255.0},
    "0..1 to bytes": {"out_high": 255.0, "out_type_": "uint8"},
    "0..1 to bytes that overflow": {"out_high": 255.0, "out_type_": "uint8", "out_bounded": False},
    "-1..1 to bytes": {"in_low": -1.0, "out_high": 255.0, "out_type_": "uint8"},
    "bytes both": {"in_high": 255.0, "in_type": "uint8", "out_high": 255.0, "out_type_": "uint8"},
    "bytes to 0..1": {"in_high": 255.0, "in_type": "uint8"},
    "int32 in": {"in_high": 255.0, "in_type": "int32"},
    "int64 in and out": {"in_high": 255.0, "in_type": "int64", "out_high": 255.0, "out_type_": "int64"},
    "double both": {"in_type": "float64", "out_type_": "float64"},
    "half both": {"in_type": "float16", "out_type_": "float16"},
    "NHWC both": {"in_layout": "NHWC", "out_layout": "NHWC"},
    "NHWC bytes": {
        "in_layout": "NHWC",
        "out_layout": "NHWC",
        "in_high": 255.0,
        "in_type": "uint8",
        "out_high": 255.0,
        "out_type_": "uint8",
    },
    "HWC to CHW": {"in_layout": "HWC", "out_layout": "CHW"},
}


@pytest.mark.parametrize("name", FILTERS)
def test_a_picture_goes_in_and_comes_out_in_its_own_values(name, tmp_path):
    model = imported(filter_model(tmp_path / "m.onnx", **FILTERS[name]))
    picture = trial_picture(SIDE, SIDE)
    assert model.card.kind == "filter"
    assert np.abs(model.change(picture) - picture).mean() < 0.01


def test_what_was_guessed_can_be_said_otherwise(tmp_path):
    bgr = {"in_high": 255.0, "in_order": "bgr", "out_order": "bgr", "out_high": 255.0}
    picture = trial_picture(SIDE, SIDE)
    mirrored = filter_model(tmp_path / "bgr.onnx", **bgr | {"out_order": "rgb"})
    assert np.abs(imported(mirrored).change(picture) - picture[::-1]).mean() < 0.01
    assert np.abs(imported(mirrored, Told(input_order="bgr")).change(picture) - picture).mean() < 0.01
    mirrored = filter_model(tmp_path / "bgr_out.onnx", **bgr | {"in_order": "rgb"})
    assert np.abs(imported(mirrored, Told(order="bgr")).change(picture) - picture).mean() < 0.01
    dim = imported(filter_model(tmp_path / "plain.onnx"), Told(input_range=(0.0, 0.5)))
    assert np.abs(dim.change(picture) - 0.5 * picture).mean() < 0.01
    caffe = filter_model(
        tmp_path / "caffe.onnx", in_high=255.0, in_order="bgr", in_mean=(104.0, 117.0, 123.0), in_std=(1, 1, 1)
    )
    told = Told(input_range=(0.0, 255.0), input_mean=(104.0, 117.0, 123.0), input_order="bgr")
    assert np.abs(imported(caffe, told).change(picture) - picture).mean() < 0.01


def test_what_a_file_s_own_facts_say_is_taken(tmp_path):
    facts = {"Image.BitmapPixelFormat": "Bgr8", "Image.NominalPixelRange": "NominalRange_0_255"}
    # Unbounded and of one scale: nothing that it does tells 0..255 from 0..1.
    path = filter_model(
        tmp_path / "m.onnx", facts=facts, in_high=255.0, in_order="bgr", out_high=255.0, out_bounded=False
    )
    picture = trial_picture(SIDE, SIDE)
    assert np.abs(imported(path).change(picture) - picture).mean() < 0.01


def two_pictures(path: Path, one: str, other: str, share: float, channels=3) -> Path:
    graph = Graph()
    at = graph("Add", graph("Mul", one, f32(share)), graph("Mul", other, f32(1.0 - share)))
    shape = [1, channels, SIDE, SIDE]
    return graph.save(path, [(one, "float32", shape), (other, "float32", shape)], at)


@pytest.mark.parametrize(
    "names", [("content", "style"), ("style", "content"), ("input", "image"), ("x", "pixel_values")]
)
@pytest.mark.parametrize("share", [0.9, 0.1])
def test_each_of_two_pictures_is_fed(names, share, tmp_path):
    model = imported(two_pictures(tmp_path / "two.onnx", *names, share))
    picture = trial_picture(SIDE, SIDE)
    assert np.abs(model.change(picture) - picture).max() < 1e-5
    assert [entry.role for entry in model.card.inputs] == ["image", "image"]


def test_a_number_beside_a_picture_stays_as_it_is_told(tmp_path):
    graph = Graph()
    at = graph("Mul", "image", "alpha")
    inputs = [("image", "float32", [1, 3, SIDE, SIDE]), ("alpha", "float32", []), ("training", "bool", [])]
    path = graph.save(tmp_path / "m.onnx", inputs, at)
    picture = trial_picture(SIDE, SIDE)
    assert np.abs(imported(path).change(picture) - picture).mean() < 0.01
    half = imported(path, Told(roles={"alpha": "0.5"}, range=(0.0, 1.0), input_range=(0.0, 1.0)))
    assert np.abs(half.change(picture) - 0.5 * picture).mean() < 0.01


# -- latents


def generator_model(path: Path, name="z", shape=(1, D), type_="float32", low=0.0, high=1.0, in_type="float32") -> Path:
    size = int(np.prod(shape))
    out = shape_of("NCHW", 3, 16)
    graph = Graph()
    matrix = np.random.default_rng(3).standard_normal((size, int(np.prod(out)))).astype(np.float32)
    at = graph("Cast", name, to=TensorProto.FLOAT) if in_type != "float32" else name
    at = graph("MatMul", graph("Reshape", at, np.array([1, -1])), matrix * f32(2.0 / np.sqrt(size)))
    at = graph("Add", graph("Mul", graph("Sigmoid", at), f32(high - low)), f32(low))
    at = graph("Reshape", at, np.array(out))
    if type_ == "bool":
        at = graph("Greater", at, f32(0.5 * (low + high)))
    elif type_ != "float32":
        at = graph("Cast", at, to=TYPES[type_])
    return graph.save(path, [(name, in_type, list(shape))], at, type_)


def moves(model: OnnxGenerator) -> None:
    """Its picture is within 0..1, and goes with the walk."""
    one, two = (np.array(model.paint(latent("tour", at, 1, model.card.latent, 1.0))) for at in (0.0, 1.0))
    assert one.shape == (3, model.card.size[1], model.card.size[0]) and one.dtype == np.float32
    assert min(one.min(), two.min()) >= -1e-6 and max(one.max(), two.max()) <= 1.0 + 1e-6
    assert one.std() > 0.1 and np.abs(one - two).mean() > 0.05
    assert 0.3 < one.mean() < 0.7


@pytest.mark.parametrize("name", ["latent", "latent_sample", "z", "ws", "w", "latents", "input_z", "latentCode"])
@pytest.mark.parametrize("shape", [(1, 4, 8, 8), (1, 3, 8, 8), (1, 10, 64), (1, 1, 16, 16), (1, 16, 8, 8), (1, D)])
def test_what_is_called_a_latent_is_walked(name, shape, tmp_path):
    assert roles_of([Input(name, shape, "float32")]).of == {name: "latent"}


@pytest.mark.parametrize("shape", [(1, 4, 8, 8), (1, 8, 8, 4), (1, 16, 8, 8), (1, 10, 64), (10, 64), (1, D, 1, 1)])
def test_latents_of_every_shape_play(shape, tmp_path):
    model = imported(generator_model(tmp_path / "m.onnx", shape=shape))
    assert model.card.latent == np.prod(shape)
    moves(model)


@pytest.mark.parametrize(
    ("name", "shape", "output", "role"),
    [
        ("input", (1, 4, 32, 32), (1, 3, 256, 256), "latent"),
        ("sample", (1, 4, 64, 64), (1, 3, 512, 512), "latent"),
        ("sample", (None, 4, None, None), (None, 3, None, None), "latent"),
        ("x", (None, 4, None, None), (None, 3, None, None), "latent"),
        ("sample", (1, 3, 64, 64), (1, 3, 64, 64), "image"),
        ("input", (1, 4, 64, 64), (1, 4, 64, 64), "image"),
        ("input", (1, 4, 64, 64), (1, 3, 64, 64), "image"),
        ("image", (1, 4, 32, 32), (1, 3, 256, 256), "image"),
        ("pixel_values", (None, 3, None, None), None, "image"),
        ("x", (1, 64, 64, 3), None, "image"),
        ("style", (1, 18, 512), None, "latent"),
        ("style", (1, 512), None, "latent"),
        ("styles", (None, None, 512), None, "latent"),
        ("style", (1, 3, 64, 64), None, "image"),
        ("input", (1, 14, 512), None, "latent"),
        ("input", (1, 64, 64), None, "image"),
        ("noise", (1, 3, 64, 64), None, "latent"),
        ("noise", (1, D), None, "latent"),
        ("rgb", (48, 64, 3), None, "image"),
        ("input", (None, None, None, None), None, "image"),
        ("latent", (None, None, None, None), None, "latent"),
        ("image", (64, 64), None, "image"),
        ("image", (None, None), None, "image"),
        ("z", (64, 64), None, "latent"),
    ],
)
def test_a_lone_input_is_a_latent_or_a_picture(name, shape, output, role):
    assert roles_of([Input(name, shape, "float32")], output).of == {name: role}


@pytest.mark.parametrize(
    ("name", "shape", "type_", "role"),
    [
        ("input", (1, 3, 64, 64), "int64", "image"),
        ("input", (64, 64, 3), "int32", "image"),
        ("input", (64, 64, 3), "uint8", "image"),
        ("input", (None, None, None, 3), "uint8", "image"),
        ("frame", (64, 64), "uint8", "image"),
    ],
)
def test_whole_numbers_may_be_a_picture(name, shape, type_, role):
    assert roles_of([Input(name, shape, type_)]).of == {name: role}


def test_codes_alone_cannot_be_walked():
    with pytest.raises(Fault, match=r"none of its inputs can be a latent or an image: tokens \[1, 256\]"):
        roles_of([Input("tokens", (1, 256), "int64")])


@pytest.mark.parametrize(
    ("inputs", "roles"),
    [
        ({"noise": (1, D), "gain": ()}, {"noise": "latent", "gain": "constant"}),
        ({"noise": (1, D), "gain": (1,)}, {"noise": "latent", "gain": "constant"}),
        ({"gain": (1, 1), "noise": (1, D)}, {"noise": "latent", "gain": "constant"}),
        ({"gain": (1, D), "noise": (1, D)}, {"noise": "latent", "gain": "constant"}),
        ({"z": (1, D), "noise": (1, D)}, {"z": "latent", "noise": "noise"}),
        ({"noise": (1, 1, 16, 16), "input": (1, D)}, {"noise": "noise", "input": "latent"}),
        ({"content": (1, 3, 64, 64), "noise": (1, D)}, {"content": "image", "noise": "noise"}),
        ({"content": (1, 3, 64, 64), "style": (1, D)}, {"content": "image", "style": "noise"}),
        ({"style": (1, D), "z": (1, D)}, {"style": "noise", "z": "latent"}),
        ({"z": (1, D), "epsilon": ()}, {"z": "latent", "epsilon": "constant"}),
        ({"z": (1, D), "psi": ()}, {"z": "latent", "psi": "truncation"}),
        ({"z": (1, D), "truncation_psi": (1,)}, {"z": "latent", "truncation_psi": "truncation"}),
    ],
)
def test_inputs_beside_each_other(inputs, roles):
    found = roles_of([Input(name, shape, "float32") for name, shape in inputs.items()])
    assert found.of == roles
    for name, role in found.of.items():
        assert (name in found.values) is (role == "constant")


def test_an_input_called_noise_is_walked_where_the_other_is_a_gain(tmp_path):
    graph = Graph()
    matrix = np.random.default_rng(3).standard_normal((D, 768)).astype(np.float32)
    at = graph("Mul", graph("Tanh", graph("MatMul", "noise", matrix)), "gain")
    at = graph("Reshape", at, np.array([1, 3, 16, 16]))
    for shape in ([], [1], [1, 1]):
        path = graph.save(tmp_path / "m.onnx", [("gain", "float32", shape), ("noise", "float32", [1, D])], at)
        model = imported(path)
        assert model.card.latent == D
        moves(model)


def test_a_person_s_word_goes_before_every_guess(tmp_path):
    picture = [Input("image", (1, 4, 8, 8), "float32")]
    assert roles_of(picture, latent="image").of == {"image": "latent"}
    assert roles_of(picture, latent=256).of == {"image": "latent"}
    assert roles_of([Input("z", (1, 3, 8, 8), "float32")], told={"z": "picture"}).of == {"z": "image"}
    for latent_, told, said in (
        ("imagge", {}, "no input 'imagge'; did you mean 'image'"),
        (255, {}, r"no input takes a latent of 255; there are image \[1, 4, 8, 8\]"),
        (None, {"image": "painting"}, "expected a number, or one of latent, picture"),
        (None, {"image": "nan"}, "expected a number, or one of latent, picture"),
    ):
        with pytest.raises(Fault, match=said):
            roles_of(picture, latent=latent_, told=told)
    two = generator_model(tmp_path / "m.onnx", "image", (1, 4, 8, 8))
    for word in ("image", 256, "256", "image=256"):
        moves(imported(two, Told(latent=word)))
    with pytest.raises(Fault, match="no input takes a latent of 12"):
        imported(two, Told(latent="12"))
    with pytest.raises(Fault, match="no latent of 12: input image takes"):
        imported(two, Told(latent="image=12"))
    with pytest.raises(Fault, match="expected a size of 1 to"):
        imported(two, Told(latent="image=0"))


def test_layers_of_styles_go_their_own_ways_or_the_same(tmp_path):
    path = generator_model(tmp_path / "m.onnx", "ws", (1, 10, 8))
    each, same = imported(path), imported(path, Told(latent=8))
    assert (each.card.latent, same.card.latent) == (80, 8)
    moves(same)
    z = latent("tour", 0.3, 1, 8, 1.0)
    assert np.array_equal(same.paint(z), each.paint(np.tile(z, 10)))
    assert load(same.path.with_suffix(".toml")).latent == 8


@pytest.mark.parametrize(
    ("shape", "size", "wanted"),
    [
        ((None, 4, None, None), None, (1, 4, 32, 32)),
        ((None, 4, None, None), 16384, (1, 4, 64, 64)),
        ((1, None, None, 4), 1024, (1, 16, 16, 4)),
        ((None, None), 77, (1, 77)),
        ((1, None, 64), None, (1, 18, 64)),
        ((1, None, 64), 640, (1, 10, 64)),
        ((None, D), 13, None),
        ((None, 4, None, None), 13, None),
    ],
)
def test_open_sides_of_latents(shape, size, wanted):
    assert shape_for(Input("z", shape, "float32"), "latent", 0, size) == wanted


def test_a_latent_with_open_sides_is_not_tried_as_a_large_picture(tmp_path):
    graph = Graph()
    weight = np.random.default_rng(1).standard_normal((12, 4, 1, 1)).astype(np.float32)
    at = graph("Tanh", graph("DepthToSpace", graph("Conv", "latent_sample", weight), blocksize=2))
    path = graph.save(tmp_path / "m.onnx", [("latent_sample", "float32", ["b", 4, "h", "w"])], at)
    assert imported(path).card.size == (64, 64)
    assert imported(path, Told(latent=1024)).card.size == (32, 32)


# -- outputs of every type


@pytest.mark.parametrize("type_", TYPES)
def test_outputs_of_every_type_play(type_, tmp_path):
    low, high = {"uint8": (0, 255), "int8": (-128, 127), "int32": (0, 255), "int64": (0, 255)}.get(type_, (-1, 1))
    model = imported(generator_model(tmp_path / "m.onnx", type_=type_, low=low, high=high))
    moves(model)
    batch = model.batch(2)
    asked = [(latent("tour", at, 1, D, 1.0), None, None, None, ()) for at in (0.0, 1.0)]
    for made, one in zip(batch.paint(asked), asked, strict=True):
        assert np.abs(made - model.paint(one[0])).max() < 1e-3


@pytest.mark.parametrize("type_", ["int32", "int64"])
def test_whole_numbers_of_0_and_1_are_black_and_white(type_, tmp_path):
    picture = imported(generator_model(tmp_path / "m.onnx", type_=type_, low=0, high=2)).paint(np.ones(D, np.float32))
    assert set(np.unique(picture)) == {0.0, 1.0}


def test_doubles_go_in(tmp_path):
    moves(imported(generator_model(tmp_path / "m.onnx", in_type="float64")))


# -- what is said, and what goes on from there


def test_an_import_says_what_it_found_and_the_card_keeps_it(tmp_path):
    out, found = bring(
        filter_model(tmp_path / "m.onnx", in_high=255.0),
        "mine",
        tmp_path / "models",
        Told(order="bgr", input_order="bgr"),
        "MIT",
        "",
        False,
    )
    assert told_of(found.card) == [
        "takes  input: picture, NCHW, bgr, 0 .. 255 (1x3x32x32 float32)",
        "makes  32x32, NCHW, bgr, 0 .. 1",
    ]
    assert any("--input-range" in note and "0 .. 255" in note for note in found.notes)
    card = load(out.with_suffix(".toml"))
    assert (card.order, card.inputs[0].order, card.inputs[0].range) == ("bgr", "bgr", (0.0, 255.0))


def test_a_large_latent_can_be_explored(tmp_path):
    model = imported(generator_model(tmp_path / "m.onnx", "latent_sample", (1, 4, 16, 16)))
    directions, stories = explore(model, samples=100)
    assert directions.vectors is not None and directions.vectors.shape == (len(stories), 1024)


def test_directions_of_wide_latents_are_those_of_narrow_ones():
    rng = np.random.default_rng(1)
    z, target = rng.standard_normal((30, 31)).astype(np.float32), rng.standard_normal((30, 2))
    plain = z.T.astype(float) @ z + RIDGE * 30 * np.eye(31)
    assert np.allclose(ridge(z, target), np.linalg.solve(plain, z.T @ target), atol=1e-6)


@pytest.fixture
def show(tmp_path):
    """Paint three layers: models `one` and `other` that walk, and `top`, a model of two pictures, with of = ..."""
    found = load_library()
    for name, seed in (("one", "z"), ("other", "w")):
        path = generator_model(tmp_path / f"{name}.onnx", seed)
        found.models[name] = bring(path, name, tmp_path / "models", Told(), "CC0-1.0", "", True)[0]
    two = two_pictures(tmp_path / "two.onnx", "content", "style", 0.9)
    found.models["two"] = bring(two, "two", tmp_path / "models", Told(), "CC0-1.0", "", True)[0]

    def paint(of: str, frames: int = 3):
        (tmp_path / "p.toml").write_text(
            "[[layer]]\nmodel = 'one'\n[[layer]]\nname = 'other'\nmodel = 'other'\n"
            f"[[layer]]\nname = 'top'\nmodel = 'two'\nof = {of}\n"
        )
        preset = found.load_preset(tmp_path / "p.toml")
        it = Painter(lambda name: create(found.models[name], "cpu"))
        for i in range(frames):
            walks = {"main": Walk("tour", 0.1 * i, 1, 1.0), "other": Walk("tour", 0.1 * i, 2, 1.0)}
            scene = Scene(1, preset, preset.base, walks, 0.0)
            images = it.paint(
                Frame(index=i, t=i / 60, dt=1 / 60, size=(64, 64), features=Features(), sound=Sound(), scene=scene)
            )
        return {name: np.array(image.pixels) for (_, name), image in images.items()}

    return paint


def larger(picture: np.ndarray) -> np.ndarray:
    return fed(picture, (3, SIDE, SIDE), "CHW", 0.0, 1.0)


def test_two_pictures_may_each_be_another_layer_s(show, caplog):
    same = show("'main'")
    assert np.abs(same["top"] - larger(same["main"])).max() < 1e-5
    for of, shares in (
        ("{ content = 'main', style = 'other' }", (0.9, 0.1)),
        ("{ style = 'main', content = 'other' }", (0.1, 0.9)),
        ("{ style = 'other' }", (0.0, 1.0)),
    ):
        images = show(of)
        wanted = shares[0] * larger(images["main"]) + shares[1] * larger(images["other"])
        assert np.abs(images["top"] - wanted).max() < 1e-5
    assert not caplog.records
    assert "top" not in show("{ styel = 'other' }")
    assert "no input 'styel' that takes an image; did you mean 'style'?" in caplog.text
    with pytest.raises(Fault, match=r"layer\[2\].of.style: no layer with a model or media of its own 'stars'"):
        show("{ content = 'main', style = 'stars' }")
    with pytest.raises(Fault, match=r"layer\[2\].of"):
        show("{}")


def test_a_model_of_pictures_goes_on_for_a_hundred(show):
    images = show("'main'", 100)
    assert np.abs(images["top"] - larger(images["main"])).max() < 1e-5


@pytest.mark.parametrize("shape", [[1, 4, SIDE, SIDE], [1, SIDE, SIDE, 4], [SIDE, SIDE, 4]])
def test_alpha_goes_in_whole(shape, tmp_path):
    graph = Graph()
    path = graph.save(tmp_path / "m.onnx", [("input", "float32", shape)], graph("Identity", "input"))
    model, picture = imported(path), trial_picture(SIDE, SIDE)
    assert model.card.channels == 4 and np.abs(model.change(picture) - picture).max() < 1e-5


@pytest.mark.parametrize("shape", [[1, 1, SIDE, SIDE], [1, SIDE, SIDE, 1], [1, SIDE, SIDE], [SIDE, SIDE], ["h", "w"]])
def test_grey_goes_in_and_out(shape, tmp_path):
    graph = Graph()
    path = graph.save(tmp_path / "m.onnx", [("image", "float32", shape)], graph("Identity", "image"))
    model = imported(path, Told())
    picture = trial_picture(model.card.size[1], model.card.size[0])
    made = model.change(picture)
    assert np.abs(made - (0.299 * picture[0] + 0.587 * picture[1] + 0.114 * picture[2])).max() < 1e-5


CURVES = {
    "negative": lambda p: 1.0 - p,
    "soft": lambda p: 0.15 + 0.7 * p,
    "an S": lambda p: 1.0 / (1.0 + np.exp(-np.clip(5.0 * (p - 0.5), -50.0, 50.0))),
    "hard, cut off": lambda p: np.clip(0.5 + 1.6 * (p - 0.5), 0.0, 1.0),
    "soft in bytes": lambda p: np.round(255.0 * (0.15 + 0.7 * p)).astype(np.int64).astype(np.uint8),
    "cut off in bytes": lambda p: np.round(255.0 * np.clip(p, 0.0, 1.0)).astype(np.uint8),
}


@pytest.mark.parametrize("curve", CURVES)
@pytest.mark.parametrize("range_", [(0.0, 1.0), (-1.0, 1.0), (0.0, 255.0)])
def test_the_values_that_go_in_are_seen_by_what_comes_out(curve, range_):
    low, high = range_
    picture = trial_picture()

    def run(scale: Scale) -> np.ndarray:
        given = fed(picture, (3, 64, 64), "CHW", *levels(scale.range, scale.mean, scale.std, "rgb"))
        return CURVES[curve]((given.astype(np.float64) - low) / (high - low))

    found, clearly = range_of_input(run, None, run(Scale()))
    assert found == Scale(range_)
    assert clearly is (range_ != range_of_output([run(Scale(range_))]))


@pytest.mark.parametrize("type_", TYPES)
def test_only_what_can_be_drawn_as_it_is_stays_on_a_card(type_, tmp_path):
    low, high = {"uint8": (0, 255), "int8": (-128, 127), "int32": (0, 255), "int64": (0, 255)}.get(type_, (0, 1))
    model = imported(generator_model(tmp_path / "m.onnx", type_=type_, low=low, high=high))
    z = latent("tour", 0.3, 1, D, 1.0)
    wanted = np.array(model.paint(z))
    model.bind_on_card("cpu")
    assert model.stays is (type_ in ("float16", "float32", "uint8"))
    assert np.array_equal(model.paint(z), wanted)
    out, _ = bring(tmp_path / "m.onnx", "blue", tmp_path / "models", Told(order="bgr"), "CC0-1.0", "", True)
    mirrored = create(out, "cpu")
    mirrored.bind_on_card("cpu")
    assert not mirrored.stays and np.array_equal(mirrored.paint(z), wanted[::-1])
