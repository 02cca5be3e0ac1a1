"""StyleGAN weights: the own networks agree with slow formulas, imports play, and no file runs code or breaks things."""

import argparse
import io
import json
import pickle
import struct
import tomllib
import zipfile

import numpy as np
import onnxruntime as ort
import pytest
import scipy.signal

from performer.cli.main import main
from performer.content.models.inputs import offered
from performer.generators.onnx.session import create
from performer.generators.tools.find_directions import _weights, explore
from performer.generators.tools.probe import sha256
from performer.system.errors import Fault
from performer.types.frame import Walk

torch = pytest.importorskip("torch")
onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxscript")

from parts.stylegan_files import lowpass, rosinality, stylegan2, stylegan3, stylegan3_plan  # noqa: E402

from performer.lab.train import stylegan_to_onnx as converting  # noqa: E402
from performer.lab.train.filters import Down, Up, jinc, kaiser  # noqa: E402
from performer.lab.train.read_weights import read  # noqa: E402
from performer.lab.train.stylegan import PARTS  # noqa: E402
from performer.lab.train.stylegan3 import grids  # noqa: E402
from performer.lab.train.stylegan_formats import load  # noqa: E402
from performer.lab.train.stylegan_to_onnx import convert  # noqa: E402

D = 16


# -- the papers' formulas, as slow and plain as can be


def double(made):
    return {name: value.numpy().astype(np.float64) for name, value in made.items()}


def unit(x):
    return x / np.sqrt(np.mean(x**2) + 1e-8)


def lrelu(x):
    return np.where(x > 0, x, 0.2 * x) * np.sqrt(2)


def full(made, name, x, rate=1.0):
    weight = made[f"{name}.weight"]
    return weight @ x * rate / np.sqrt(weight.shape[1]) + made[f"{name}.bias"] * rate


def mapped(made, z, label, psi):
    x = unit(z)
    if "mapping.embed.weight" in made:
        x = np.concatenate([x, unit(full(made, "mapping.embed", label))])
    i = 0
    while f"mapping.fc{i}.weight" in made:
        x, i = lrelu(full(made, f"mapping.fc{i}", x, 0.01)), i + 1
    return made["mapping.w_avg"] * (1 - psi) + psi * x


def correlated(x, w):
    """(I, H, W) and (O, I, k, k) -> only where the kernel lies inside."""
    k = w.shape[-1]
    height, width = x.shape[1] - k + 1, x.shape[2] - k + 1
    return sum(
        np.einsum("oi,ihw->ohw", w[:, :, a, b], x[:, a : a + height, b : b + width]) for a in range(k) for b in range(k)
    )


def resampled(x, taps, up=1, down=1, before=0, after=0, gain=1.0):
    """Zeros between the samples, edges, a convolution with (T, T), every so manyth."""
    channels, height, width = x.shape
    zeros = np.zeros((channels, height * up, width * up))
    zeros[:, ::up, ::up] = x
    pads = [(0, 0), *[(max(before, 0), max(after, 0))] * 2]
    wide = np.pad(zeros, pads)[:, max(-before, 0) :, max(-before, 0) :]
    wide = wide[:, : wide.shape[1] - max(-after, 0), : wide.shape[2] - max(-after, 0)]
    return np.stack([scipy.signal.convolve2d(plane, taps, "valid") for plane in wide])[:, ::down, ::down] * gain


def modulated(made, name, w, demodulate=True):
    """Weights of this one picture: scaled by the style, then brought back to unit length for every output."""
    weight = made[f"{name}.weight"] * full(made, f"{name}.affine", w)[None, :, None, None]
    if demodulate:
        return weight / np.sqrt((weight**2).sum(axis=(1, 2, 3), keepdims=True) + 1e-8)
    return weight / np.sqrt(weight[0].size)


def plain2(made, ws, clamp=256.0):
    """The synthesis of StyleGAN2."""
    made, at, picture = double(made), 0, None
    x = made["synthesis.b4.const"]
    sides = sorted(int(n.split(".")[1][1:]) for n in made if n.startswith("synthesis.b") and n.endswith("conv1.bias"))
    for side in sides:
        block = f"synthesis.b{side}"
        taps = made[f"{block}.resample_filter"]
        before, gain = x, np.sqrt(0.5) if f"{block}.skip.weight" in made else 1.0
        for conv in ("conv0", "conv1") if side > 4 else ("conv1",):
            name = f"{block}.{conv}"
            weight = modulated(made, name, ws[at])
            at += 1
            if conv == "conv0":  # upsampled, then a convolution (and not a correlation) with a margin of one
                x = correlated(resampled(x, taps, 2, 1, 3, 2, 4.0), weight[:, :, ::-1, ::-1])
            else:
                x = correlated(np.pad(x, ((0, 0), (1, 1), (1, 1))), weight)
            x = x + made[f"{name}.noise_const"] * made[f"{name}.noise_strength"] + made[f"{name}.bias"][:, None, None]
            scale = gain if conv == "conv1" else 1.0
            x = np.clip(lrelu(x) * scale, -clamp * scale, clamp * scale)
        if f"{block}.skip.weight" in made:
            weight = made[f"{block}.skip.weight"] / np.sqrt(before.shape[0]) * gain
            x = x + resampled(correlated(before, weight), taps, 2, 1, 2, 1, 4.0)
        if picture is not None:
            picture = resampled(picture, taps, 2, 1, 2, 1, 4.0)
        if f"{block}.torgb.weight" in made:
            colours = correlated(x, modulated(made, f"{block}.torgb", ws[at], False))
            colours = np.clip(colours + made[f"{block}.torgb.bias"][:, None, None], -clamp, clamp)
            picture = colours if picture is None else picture + colours
    return picture


def plain3(made, ws, layers, radial):
    """The synthesis of StyleGAN3."""
    made = double(made)
    names = sorted(
        {
            n.rsplit(".", 1)[0]
            for n in made
            if n.startswith("synthesis.L") and n.endswith(".bias") and "affine" not in n
        },
        key=lambda n: int(n.split("_")[0][len("synthesis.L") :]),
    )
    cutoff, half, rate, sizes = stylegan3_plan(int(names[-1].split("_")[1]), layers)
    t = full(made, "synthesis.input.affine", ws[0])
    t = t / np.hypot(t[0], t[1])
    turn = np.array([[t[0], -t[1], 0], [t[1], t[0], 0], [0, 0, 1]])
    move = np.array([[1, 0, -t[2]], [0, 1, -t[3]], [0, 0, 1]])
    whole = turn @ move @ made["synthesis.input.transform"]
    freqs, wide = made["synthesis.input.freqs"], len(made["synthesis.input.freqs"])
    phases = made["synthesis.input.phases"] + freqs @ whole[:2, 2]
    freqs = freqs @ whole[:2, :2]
    fade = np.clip(1 - (np.linalg.norm(freqs, axis=1) - cutoff[0]) / (rate[0] / 2 - cutoff[0]), 0, 1)
    at = (np.arange(sizes[0]) + 0.5 - sizes[0] / 2) / rate[0]
    x = np.zeros((wide, sizes[0], sizes[0]))
    for c in range(wide):
        angle = at[None, :] * freqs[c, 0] + at[:, None] * freqs[c, 1] + phases[c]
        x[c] = np.sin(2 * np.pi * angle) * fade[c]
    x = np.einsum("oc,chw->ohw", made["synthesis.input.weight"] / np.sqrt(wide), x)
    for i, name in enumerate(names):
        last, before = i == layers, max(i - 1, 0)
        weight = modulated(made, name, ws[i + 1], not last) / np.sqrt(made[f"{name}.magnitude_ema"])
        k = weight.shape[-1]
        x = correlated(np.pad(x, ((0, 0), (k - 1, k - 1), (k - 1, k - 1))), weight)
        x = x + made[f"{name}.bias"][:, None, None]
        if last:
            return np.clip(x, -256, 256) * 0.25
        finest = 2 * max(rate[before], rate[i])
        up, down = int(finest / rate[before]), int(finest / rate[i])
        one = lowpass(6 * up, cutoff[before], 2 * half[before], finest)
        two = lowpass(6 * down, cutoff[i], 2 * half[i], finest, radial and i < layers - 2)
        one, two = np.outer(one, one), two if two.ndim == 2 else np.outer(two, two)
        total = (sizes[i] - 1) * down + 1 - x.shape[1] * up + len(one) + len(two) - 2
        low = (total + up) // 2
        x = resampled(x, one, up, 1, low, total - low, up**2)
        x = resampled(np.clip(lrelu(x), -256, 256), two, 1, down)
    return None


def saved(folder, made, name="w.pt"):
    path = folder / name
    torch.save(made, path)
    return path


def styles_of(made, generator, seed, psi, label=None):
    """Latents for the three parts, and the plain style of each layer."""
    rng = np.random.default_rng(seed)
    z = rng.standard_normal((3, D))
    given = {name: torch.zeros(shape) for name, shape in generator.inputs().items()}
    given |= {f"z{part}": torch.tensor(row[None]).float() for part, row in zip(PARTS, z, strict=True)}
    given["truncation"] += psi
    one_hot = None
    if label is not None:
        one_hot = np.eye(generator.mapping.classes)[label]
        given["label"] += torch.tensor(one_hot).float()
    ws = [mapped(double(made), row, one_hot, psi) for row in z]
    return given, [ws[part] for part in generator.parts]


def shown(generator, given):
    with torch.no_grad():
        return generator(*given.values())[0].numpy()


TWO = {
    "skip": {},
    "labels": {"classes": 5},
    "resnet": {"architecture": "resnet"},
    "orig": {"architecture": "orig"},
    "grey": {"colours": 1},
    "8 mapping layers": {"layers": 8},
    "64": {"size": 64},
}


def calm(made):
    """Colours that lie within 0..1, so that nothing is cut off."""
    for name in made:
        if ".torgb.weight" in name or ".torgb.bias" in name:
            made[name] = made[name] * 0.1
        elif name.startswith("synthesis.L") and made[name].shape[:1] == (3,):
            made[name] = made[name] * 3.0
    return made


@pytest.mark.parametrize("case", TWO)
def test_stylegan2_is_what_the_paper_says(case, tmp_path):
    made = calm(stylegan2(**TWO[case]))
    found = load(saved(tmp_path, {"G_ema": made, "D": {"b4.out.weight": torch.ones(2)}}))
    given, ws = styles_of(made, found.generator, 3, 0.8, 2 if "classes" in TWO[case] else None)
    wanted = plain2(made, ws) * 0.5 + 0.5
    assert wanted.shape[1] == TWO[case].get("size", 32) and 0.02 < wanted.std() < 0.6
    assert shown(found.generator, given) == pytest.approx(np.clip(wanted, 0.0, 1.0), abs=2e-5)
    assert found.place == "G_ema" and set(found.generator.parts) == {0, 1, 2} and not found.notes


@pytest.mark.parametrize("radial", [False, True])
@pytest.mark.parametrize("size,layers", [(32, 6), (64, 14)])
def test_stylegan3_is_what_the_paper_says(size, layers, radial, tmp_path):
    made = calm(stylegan3(size, layers=layers, radial=radial, most=10))
    found = load(saved(tmp_path, made))
    assert found.what == f"StyleGAN3-{'R' if radial else 'T'}, {size}x{size}" and not found.notes
    given, ws = styles_of(made, found.generator, 3, 0.8)
    wanted = plain3(made, ws, layers, radial)
    with torch.no_grad():
        raw = found.generator.synthesis([torch.tensor(w[None]).float() for w in ws], {})[0].numpy()
    assert wanted.shape == (3, size, size) and wanted.std() > 0.02
    assert raw == pytest.approx(wanted, abs=1e-4 * max(1.0, np.abs(wanted).max()))
    # The filters are designed anew where the file has none, and come out the same.
    bare = load(saved(tmp_path, {n: t for n, t in made.items() if "_filter" not in n}, "bare.pt"))
    assert shown(bare.generator, given) == pytest.approx(shown(found.generator, given), abs=1e-5)


def test_the_layout_of_rosinality_is_the_same_network(tmp_path):
    made = calm(stylegan2())
    other, mean = rosinality(made)
    one = load(saved(tmp_path, made))
    for held in (
        {"g_ema": other, "latent_avg": mean},
        {
            "latent_avg": mean.repeat(18, 1),
            "state_dict": {f"decoder.{name}": value for name, value in other.items()}
            | {"encoder.body.0.weight": torch.ones(3)},
        },
    ):
        two = load(saved(tmp_path, held, "r.pt"))
        given, _ = styles_of(made, one.generator, 5, 0.6)
        assert shown(two.generator, given) == pytest.approx(shown(one.generator, given), abs=1e-6)
        assert "rosinality" in two.what
    two = load(saved(tmp_path, other, "no-mean.pt"))
    assert "no mean style" in two.notes[0]
    z = np.random.default_rng(1).standard_normal((4000, D))
    wanted = np.mean([mapped(double(made), row, None, 1.0) for row in z], axis=0)
    assert two.generator.mapping.mean[0].numpy() == pytest.approx(wanted, abs=0.15 * wanted.std())


def test_filters_and_resampling_by_definition():
    at = np.arange(12) - 5.5
    beta = scipy.signal.kaiser_beta(2.285 * 11 * np.pi * (3.0 / 16.0) + 7.95)
    own = 2 * 4.0 / 32.0 * np.sinc(2 * 4.0 / 32.0 * at) * np.kaiser(12, beta)
    assert kaiser(12, 4.0, 3.0, 32.0).numpy() == pytest.approx(own / own.sum(), abs=1e-6)
    assert jinc(12, 4.0, 3.0, 32.0).numpy() == pytest.approx(lowpass(12, 4.0, 3.0, 32.0, True), abs=1e-6)
    rng = np.random.default_rng(1)
    x = rng.standard_normal((3, 9, 9))
    for factor, low, high, count in (
        (1, 0, 0, 1),
        (2, 5, 6, 12),
        (2, 4, 5, 12),
        (4, 9, 3, 24),
        (2, -3, 2, 12),
        (4, -2, -5, 7),
        (2, 3, -1, 5),
        (1, 2, -3, 4),
    ):
        taps = rng.standard_normal(count)
        wanted = resampled(x, np.outer(taps, taps), factor, 1, low, high, factor**2)
        up = Up(torch.tensor(taps).float(), factor, 3, 9, low, high)
        assert up(torch.tensor(x[None]).float())[0].numpy() == pytest.approx(wanted, abs=1e-4)
        whole = rng.standard_normal((5, 5))
        for two, square in ((torch.tensor(whole), whole), (torch.tensor(whole[0]), np.outer(whole[0], whole[0]))):
            down = Down(two.float(), 2, 3)
            assert down(torch.tensor(x[None]).float())[0].numpy() == pytest.approx(resampled(x, square, 1, 2), abs=1e-4)


#: Resolution, base and most of the channels, radial; layer -> sizes, channels and numbers in buffers, as trainings of
#: StyleGAN3 print them (NVlabs/stylegan3, issues 40, 49 and 194).
PRINTED = (
    (
        128,
        65536,
        1024,
        True,
        {
            8: (84, 1024, 157),
            9: (148, 1024, 169),
            10: (148, 912, 157),
            11: (148, 683, 157),
            12: (148, 512, 25),
            13: (128, 512, 25),
        },
    ),
    (
        512,
        65536,
        1024,
        True,
        {0: (36, 1024, 157), 1: (36, 1024, 157), 2: (52, 1024, 169), 3: (52, 1024, 157), 4: (84, 1024, 169)},
    ),
    (
        256,
        32768,
        512,
        False,
        {0: (36, 512, 25), 1: (36, 512, 25), 2: (36, 512, 25), 3: (52, 512, 37), 4: (52, 512, 25)},
    ),
)


@pytest.mark.parametrize("size,base,most,radial,printed", PRINTED)
def test_the_design_comes_to_the_layers_of_public_trainings(size, base, most, radial, printed):
    plan = grids(size, 14)
    for at, wanted in printed.items():
        now, before = plan[at], plan[max(at - 1, 0)]
        finest = 2 * max(now.rate, before.rate)
        up, down = 6 * finest / before.rate, 6 * finest / now.rate
        buffers = up + (down**2 if radial and at < 12 else down) + 1
        assert (now.size, round(min(base / 2 / now.cutoff, most)), buffers) == wanted


# -- from a file to a model that plays


@pytest.fixture(scope="module")
def brought(tmp_path_factory):
    """What the command line makes of a StyleGAN2 with labels, in a checkpoint, and of a StyleGAN3 in safetensors."""
    folder = tmp_path_factory.mktemp("brought")
    made = {"stones": calm(stylegan2(64, classes=4)), "waves": calm(stylegan3())}
    saved(folder, {"g_ema": made["stones"], "step": 3, "args": argparse.Namespace(size=64)}, "stones.pt")
    safe(folder / "waves.safetensors", made["waves"])
    for name in ("stones.pt", "waves.safetensors"):
        more = ["--label", "1", "--truncation", "0.7"] if name == "stones.pt" else []
        assert (
            code("models", "import", str(folder / name), "--to", str(folder / "models"), "--licence", "CC0-1.0", *more)
            == 0
        )
    return folder, made


def safe(path, tensors, change=None):
    """A safetensors file, by its specification."""
    header, body = {"__metadata__": {"format": "pt"}}, b""
    kinds = {torch.float32: "F32", torch.float16: "F16", torch.bfloat16: "BF16"}
    for name, value in tensors.items():
        raw = value.reshape(-1).view(torch.uint8).numpy().tobytes()
        header[name] = {
            "dtype": kinds[value.dtype],
            "shape": list(value.shape),
            "data_offsets": [len(body), len(body) + len(raw)],
        }
        body += raw
    if change:
        change(header)
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + body)
    return path


def code(*arguments):
    try:
        main(list(arguments))
    except SystemExit as end:
        return int(end.code or 0)
    return 0


@pytest.mark.parametrize("name,label", [("stones", 1), ("waves", None)])
def test_what_was_imported_shows_what_torch_shows(name, label, brought):
    folder, made = brought
    out = folder / "models" / f"{name}.onnx"
    model = create(out, "cpu")
    (source,) = folder.glob(f"{name}.*")
    generator = load(source).generator
    given, _ = styles_of(made[name], generator, 7, 0.7 if name == "stones" else 1.0, label)
    parts = [given[f"z{part}"][0].numpy() for part in PARTS]
    picture = model.paint(*parts).copy()
    assert picture == pytest.approx(shown(generator, given), abs=1e-3)
    assert np.array_equal(picture, create(out, "cpu").paint(*parts))
    assert picture.std() > 0.03 and model.mixes
    alone = model.paint(parts[0]).copy()
    assert np.array_equal(alone, model.paint(parts[0], parts[0], parts[0]))
    for mixed in (model.paint(parts[0], parts[1]).copy(), model.paint(parts[0], None, parts[2]).copy()):
        assert np.abs(mixed - alone).mean() > 0.005
    assert out.with_suffix(".png").is_file()


def test_config_r_and_residual_networks_are_exported_too(tmp_path):
    for made in (calm(stylegan3(radial=True)), calm(stylegan2(architecture="resnet"))):
        path, out = saved(tmp_path, made), tmp_path / "out.onnx"
        generator = load(path).generator
        assert converting._export(path, generator, out) < 1e-3
        given, _ = styles_of(made, generator, 3, 0.9)
        session = ort.InferenceSession(out, providers=["CPUExecutionProvider"])
        (picture,) = session.run(None, {name: value.numpy() for name, value in given.items()})
        assert picture[0] == pytest.approx(shown(generator, given), abs=1e-3) and picture.std() > 0.01


@pytest.mark.parametrize("name", ["stones", "waves"])
def test_it_walks_through_w_and_takes_truncation_and_noise(name, brought):
    folder, made = brought
    model = create(folder / "models" / f"{name}.onnx", "cpu")
    assert offered(model.path) == {
        "w": 0.0,
        "truncation": 0.7 if name == "stones" else 1.0,
        **({"noise": 0.0} if name == "stones" else {}),
    }
    one, two = np.random.default_rng(4).standard_normal((2, D)).astype(np.float32)
    styles = model.mapping(np.stack([one, two]))
    label = np.eye(4)[1] if name == "stones" else None
    for row, z in zip(styles, (one, two), strict=True):
        assert row == pytest.approx(mapped(double(made[name]), z.astype(np.float64), label, 1.0), abs=1e-4)
    there, here = model.paint(two).copy(), model.paint(one).copy()
    offset = styles[1] - styles[0]
    assert model.paint(one, offsets=(offset,) * 3) == pytest.approx(there, abs=1e-4)
    only = model.paint(one, offsets=(None, None, offset)).copy()
    assert np.abs(only - here).mean() > 0.005 and np.abs(only - there).mean() > 0.005
    calm = model.paint(one, walk=Walk("tour", 0.0, 1, 1.0, psi=0.2)).copy()
    assert np.abs(calm - here).mean() > 0.005
    noisy = model.paint(one, walk=Walk("tour", 0.0, 1, 1.0, noise=(0.5, 3.0, 0.5, 0.5, 0.5))).copy()
    assert (np.abs(noisy - here).mean() > 0.01) == (name == "stones")
    assert np.array_equal(model.paint(one), here)


def test_its_card_says_what_is_known(brought):
    folder, _ = brought
    card = tomllib.loads((folder / "models" / "stones.toml").read_text())
    assert card["kind"] == "gan" and card["latent"] == D and card["size"] == [64, 64] and card["range"] == [0.0, 1.0]
    assert card["licence"] == "CC0-1.0" and card["training"]["net"] == "StyleGAN2, 64x64"
    assert card["training"]["what"] == "unknown" and card["training"]["export_difference"] < 1e-3
    assert card["data"]["weights_sha256"] == sha256(folder / "stones.pt")
    assert {entry["role"]: entry["value"] for entry in card["inputs"] if "value" in entry} == {
        "truncation": 0.7,
        "class": 1.0,
    }
    assert [entry["role"] for entry in card["inputs"]][:8] == [
        "latent",
        "middle",
        "fine",
        "w",
        "w_middle",
        "w_fine",
        "truncation",
        "class",
    ]


def test_without_truncation_left_all_latents_are_one_picture(brought, tmp_path):
    folder, _ = brought
    for part in ("waves.onnx", "waves.toml"):
        (tmp_path / part).write_bytes((folder / "models" / part).read_bytes())
    card = tmp_path / "waves.toml"
    rng = np.random.default_rng(2)
    latents = rng.standard_normal((3, D)).astype(np.float32)
    spread = []
    for psi in ("1.0", "0.5", "0.0"):
        card.write_text((folder / "models" / "waves.toml").read_text().replace("value = 1.0", f"value = {psi}"))
        model = create(tmp_path / "waves.onnx", "cpu")
        spread.append(np.std([model.paint(z) for z in latents], axis=0).mean())
    assert spread[0] > spread[1] > 1e-3 and spread[2] < 1e-6


def test_it_can_be_explored(brought):
    folder, _ = brought
    model = create(folder / "models" / "stones.onnx", "cpu")
    directions, stories = explore(model, 1, 120)
    assert {"weights", "style"} <= {story.kind for story in stories}
    assert np.isfinite(directions.vectors).all() and directions.vectors.shape[1] == D
    # All styles of this one listen to one direction of w; the first found from the weights moves that more than any.
    strong = np.random.default_rng(8).standard_normal(24)
    strong /= np.linalg.norm(strong)
    sly = onnx.load(model.path)
    for tensor in sly.graph.initializer:
        if tensor.name.endswith("affine.weight"):
            one_sided = np.outer(np.ones(tensor.dims[0]), strong).astype(np.float32)
            tensor.CopyFrom(onnx.numpy_helper.from_array(one_sided, tensor.name))
    for part in (".toml", ".mapping.onnx"):
        (folder / f"sly{part}").write_bytes(model.path.with_suffix(part).read_bytes())
    onnx.save(sly, folder / "sly.onnx")
    _, first = next(_weights(create(folder / "sly.onnx", "cpu")))
    z = np.random.default_rng(9).standard_normal((2000, D)).astype(np.float32)
    moved = model.mapping(z) @ strong
    best = np.linalg.lstsq(z, moved - moved.mean(), rcond=None)[0]
    assert abs(np.corrcoef(z @ first, moved)[0, 1]) > 0.95 * np.corrcoef(z @ best, moved)[0, 1] > 0.1


# -- what is no good: one line each


class Sly:
    """Writes a file when it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (open, (str(self.path), "w"))


def refused(path, complaint):
    with pytest.raises(Fault, match=complaint) as caught:
        load(path)
    assert "\n" not in str(caught.value) and str(path) in str(caught.value)


def test_nothing_in_a_file_runs(tmp_path):
    made, trap = stylegan2(), tmp_path / "trap"
    path = tmp_path / "sly.pt"
    torch.save({"g_ema": made, "args": Sly(trap)}, path)
    refused(path, r"holds more than tensors \((\w+\.)?open\), .*could run code; on a machine where you .*safetensors")
    path.write_bytes(pickle.dumps({"g_ema": Sly(trap)}))
    refused(path, "holds more than tensors|not a checkpoint")
    torch.save({"g_ema": made, "inner": pickle.dumps(Sly(trap))}, path)  # a pickle in a pickle is a string of bytes
    assert load(path).what == "StyleGAN2, 32x32"
    torch.save({"g_ema": made, "args": Sly(trap)}, path, _use_new_zipfile_serialization=False)
    refused(path, "holds more than tensors")
    assert not trap.exists()
    torch.jit.save(torch.jit.script(torch.nn.Linear(2, 2)), tmp_path / "program.pt")
    refused(tmp_path / "program.pt", "a TorchScript program")


def test_old_checkpoints_and_half_precision_are_read(tmp_path):
    made = calm(stylegan2())
    whole = load(saved(tmp_path, made)).generator
    given, _ = styles_of(made, whole, 3, 1.0)
    torch.save({"G_ema": made}, tmp_path / "old.pt", _use_new_zipfile_serialization=False)
    assert np.array_equal(shown(load(tmp_path / "old.pt").generator, given), shown(whole, given))
    safe(tmp_path / "half.safetensors", {name: value.half() for name, value in made.items()})
    assert shown(load(tmp_path / "half.safetensors").generator, given) == pytest.approx(shown(whole, given), abs=0.02)
    safe(tmp_path / "brain.safetensors", {name: value.bfloat16() for name, value in made.items()})
    assert shown(load(tmp_path / "brain.safetensors").generator, given) == pytest.approx(shown(whole, given), abs=0.1)


def test_truncated_and_damaged_files(tmp_path):
    made = stylegan2()
    whole = saved(tmp_path, made).read_bytes()
    for part in (20, 1000, len(whole) // 2, len(whole) - 50):
        (tmp_path / "cut.pt").write_bytes(whole[:part])
        refused(tmp_path / "cut.pt", "truncated")
    (tmp_path / "junk.pt").write_bytes(b"GIF89a" + bytes(range(256)) * 20)
    refused(tmp_path / "junk.pt", "not a checkpoint")
    (tmp_path / "short.pt").write_bytes(b"abc")
    refused(tmp_path / "short.pt", "no weights")
    refused(tmp_path / "nowhere.pt", "cannot be read")
    packed = tmp_path / "packed.pt"
    with zipfile.ZipFile(io.BytesIO(whole)) as had, zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as now:
        for entry in had.infolist():
            now.writestr(entry.filename, had.read(entry))
    refused(packed, "compressed archive")


def test_a_checkpoint_that_says_it_holds_gigabytes(tmp_path):
    real = 1_000_003
    whole = saved(tmp_path, {"mapping.fc0.weight": torch.zeros(real), "synthesis.b4.const": torch.ones(3, 4, 4)})
    sly = tmp_path / "sly.pt"
    with zipfile.ZipFile(whole) as had, zipfile.ZipFile(sly, "w", zipfile.ZIP_STORED) as now:
        for entry in had.infolist():
            data = had.read(entry)
            if entry.filename.endswith("data.pkl"):
                assert data.count(struct.pack("<i", real)) >= 1
                data = data.replace(struct.pack("<i", real), struct.pack("<i", 2_000_000_003))
            now.writestr(entry.filename, data)
    refused(sly, "truncated|more than fits into memory|mapping.fc0.weight is")
    old = tmp_path / "old.pt"
    torch.save({"mapping.fc0.weight": torch.zeros(real)}, old, _use_new_zipfile_serialization=False)
    old.write_bytes(old.read_bytes().replace(struct.pack("<i", real), struct.pack("<i", 2_000_000_003)))
    refused(old, "truncated|more than fits into memory|no StyleGAN2")


def change(name, **fields):
    return lambda header: header[name].update(fields)


SAFE = {
    "a header of 2 exabytes": (lambda raw: struct.pack("<Q", 1 << 61) + raw[8:], None),
    "a header longer than the file": (lambda raw: struct.pack("<Q", len(raw)) + raw[8:], None),
    "no JSON": (lambda raw: struct.pack("<Q", 20) + b"{" * 20 + raw[28:], None),
    "deep JSON": (lambda raw: struct.pack("<Q", 200000) + b"[" * 200000, None),
    "truncated": (lambda raw: raw[:-100], None),
    "100 GB": (None, change("mapping.w_avg", shape=[25_000_000_000])),
    "negative": (None, change("mapping.w_avg", shape=[-24, -1])),
    "no number": (None, change("mapping.w_avg", shape=["24"])),
    "outside": (None, change("mapping.w_avg", data_offsets=[1 << 40, (1 << 40) + 96])),
    "backwards": (None, change("mapping.w_avg", data_offsets=[96, 0])),
    "twice the same": (None, lambda header: header.update(other=header["mapping.w_avg"])),
    "no offsets": (None, lambda header: header["mapping.w_avg"].pop("data_offsets")),
    "a list": (None, lambda header: header.update(other=[1, 2])),
    "unknown type": (None, change("mapping.w_avg", dtype="Q4_K")),
}


@pytest.mark.parametrize("case", SAFE)
def test_a_safetensors_file_that_lies(case, tmp_path):
    raw, header = SAFE[case]
    path = safe(tmp_path / "sly.safetensors", stylegan2(), header)
    if raw:
        path.write_bytes(raw(path.read_bytes()))
    refused(path, "not a safetensors file|is of type")


def but(**changes):
    def changed(made):
        for name, value in changes.items():
            name = name.replace("__", ".")
            if value is None:
                del made[name]
            else:
                made[name] = value(made[name]) if callable(value) else value
        return made

    return changed


WRONG = {
    "nan": (but(synthesis__b8__conv0__weight=lambda t: t / 0.0), "synthesis.b8.conv0.weight holds NaN or infinite"),
    "missing": (but(synthesis__b16__conv1__bias=None), "synthesis.b16.conv1.bias is missing"),
    "no mapping": (but(mapping__fc0__weight=None), "no StyleGAN2 or StyleGAN3 generator"),
    "shape": (but(synthesis__b8__conv1__weight=lambda t: t[:, :-1]), r"conv1.weight is \[32, 31, 3, 3\]; expected"),
    "axes": (but(synthesis__b8__conv1__weight=lambda t: t[..., 0]), "expected 4 axes"),
    "kernel": (but(synthesis__b8__conv1__weight=lambda t: torch.ones(32, 32, 5, 5)), "5 pixels wide; expected 3"),
    "gap": (lambda made: {n: t for n, t in made.items() if ".b16." not in n}, "without a gap"),
    "integers": (but(synthesis__b4__const=lambda t: t.int()), "holds int32; expected floats"),
    "stretched": (
        but(synthesis__b4__const=lambda t: torch.zeros(1).expand(10**4, 10**4, 10**3)),
        "no StyleGAN2 or|is missing",
    ),
    "sparse": (but(synthesis__b4__conv1__bias=lambda t: t.to_sparse()), "conv1.bias is missing"),
    "channels": (
        but(
            synthesis__b32__torgb__weight=lambda t: t[:2],
            synthesis__b32__torgb__bias=lambda t: t[:2],
            synthesis__b16__torgb__weight=None,
            synthesis__b8__torgb__weight=None,
            synthesis__b4__torgb__weight=None,
        ),
        "pictures of 2 channels|which StyleGAN2 does not have",
    ),
    "more": (but(synthesis__b8__attention__weight=torch.ones(3)), "which StyleGAN2 does not have; it is another"),
    "filter": (but(synthesis__b8__resample_filter=torch.ones(5, 5)), "has 5 taps; expected 2, 4"),
}


@pytest.mark.parametrize("case", WRONG)
def test_weights_that_are_no_generator(case, tmp_path):
    made, complaint = WRONG[case]
    refused(saved(tmp_path, {"G_ema": made(stylegan2())}), complaint)


def test_stylegan3_of_another_design(tmp_path):
    made = stylegan3()
    name = next(n for n in made if n.startswith("synthesis.L2_") and n.endswith("magnitude_ema"))
    refused(saved(tmp_path, made | {name: torch.tensor(-1.0)}), "magnitude_ema is -1; expected more than 0")
    refused(saved(tmp_path, {n: t for n, t in made.items() if n != name}), "magnitude_ema is missing")
    refused(saved(tmp_path, {n: t for n, t in made.items() if "synthesis.L2_" not in n}), "without a gap")
    refused(
        saved(tmp_path, {n.replace("L2_36", "L2_40").replace("L2_52", "L2_40"): t for n, t in made.items()}),
        "the paper's design never comes to",
    )
    other = {
        n.replace("synthesis.L", "synthesis.L"): t * 1.5 if n.endswith("L3_52_24.up_filter") else t
        for n, t in made.items()
    }
    changed = [n for n in made if n.startswith("synthesis.L3") and n.endswith("up_filter")]
    other |= {n: made[n] * 1.5 for n in changed}
    assert "is not the paper's filter" in load(saved(tmp_path, other)).notes[0]


def test_other_networks_are_refused_with_a_way_out(tmp_path):
    dcgan = {"main.0.weight": torch.ones(100, 64, 4, 4), "main.1.bias": torch.ones(64)}
    refused(saved(tmp_path, {"generator": dcgan}), r"\(generator.main.0.weight, .* export it to ONNX")
    refused(saved(tmp_path, {"epoch": 3}), "holds no tensors")
    refused(saved(tmp_path, [1, 2, 3]), "holds no tensors")


def test_nothing_is_left_behind_and_bounds_hold(tmp_path, monkeypatch, capsys):
    path = saved(tmp_path, {"main.0.weight": torch.ones(100, 64, 4, 4)})
    assert code("models", "import", str(path), "--name", "x", "--to", str(tmp_path / "models")) == 2
    assert "no StyleGAN2" in capsys.readouterr().err and not (tmp_path / "models").exists()
    assert code("models", "import", str(path), "--range=0,1", "--to", str(tmp_path / "models")) == 2
    assert "--range: is for ONNX files" in capsys.readouterr().err
    monkeypatch.setattr(converting, "TIME_S", 0.3)
    with pytest.raises(Fault, match="took longer than 0 s"):
        convert(path, tmp_path / "x.onnx")
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(Fault, match=r"torch is needed: .*install.*weights"):
        convert(path, tmp_path / "x.onnx")


def test_many_tensors_and_deep_nests_end(tmp_path):
    deep = {"synthesis.b4.const": torch.ones(3)}
    for _ in range(40):
        deep = {"a": deep}
    refused(saved(tmp_path, deep), "holds no tensors")
    assert len(read(saved(tmp_path, stylegan2()))) == len(stylegan2())
