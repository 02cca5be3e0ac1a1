"""Walks through w, truncation and noise: at rest nothing changes, and each does what it says when it is played."""

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from parts.scenes import AUDIO, SHADERS, TEXT
from parts.shows import loud, run

from performer.content import banks
from performer.content.models import inputs
from performer.content.presets import reader
from performer.generators.onnx.session import create
from performer.generators.painter import Painter
from performer.generators.tools.probe import probe
from performer.latent.bank import Bank
from performer.latent.style_noise import field, strengths
from performer.latent.style_space import latent_of, offset_of
from performer.latent.walks import WALKS, latent
from performer.rig.loading import load_library, painter
from performer.show.show import Show
from performer.system.errors import Fault
from performer.types import preset
from performer.types.features import Features, Sound
from performer.types.frame import Frame, Scene, Walk

NAMES = ["molten", "glass", "chrome", "pearl", "blossom"]
LIBRARY = load_library()
MODELS = {name: create(LIBRARY.models[name], "cpu") for name in NAMES}
HAS = {"marble": {"w": 0.0, "truncation": 1.0, "noise": 0.0}}


def make(text: str = TEXT, name: str = "first", has=HAS) -> preset.Preset:
    return reader.load(
        text,
        name,
        where=f"presets/{name}.toml",
        shaders=SHADERS,
        audio=AUDIO,
        inlets=has,
        models={"marble": ("bright", "warm"), "nebula": ()},
    )


def shown(model, walk: Walk) -> np.ndarray:
    return Painter._drawn(model, walk).copy()


# -- where a walk is in w


@given(st.sampled_from(sorted(WALKS)), st.floats(-20, 500))
def test_keyframes_weigh_one_together_and_alone_at_a_picture(kind, position):
    keys = WALKS[kind].keyframes(position)
    assert sum(weight for _, weight in keys) == pytest.approx(1.0, abs=1e-9)
    near = WALKS[kind].keyframes(position + 1e-6)
    whole = dict(keys)
    for at, weight in near:
        assert weight == pytest.approx(whole.get(at, 0.0), abs=1e-4)
    at = float(np.floor(position)) + (0.5 if kind == "hop" else 0.0)
    alone = [(key, weight) for key, weight in WALKS[kind].keyframes(at) if abs(weight) > 1e-9]
    if kind != "hop":
        assert alone == [(at, 1.0)]
    assert np.allclose(sum(w * WALKS[kind](p, 3, 16) for p, w in alone), WALKS[kind](at, 3, 16), atol=1e-5)


@pytest.mark.parametrize("name", NAMES)
def test_a_walk_through_w_meets_that_through_z_at_its_pictures_and_goes_another_way(name):
    model = MODELS[name]
    for kind in ("tour", "drift", "orbit", "loop"):
        z, w = (Walk(kind, 3.0, 5, 0.9, space=space) for space in "zw")
        assert np.abs(shown(model, z) - shown(model, w)).max() < 2e-3
        half = 3.0625 if kind == "loop" else 3.5
        assert np.abs(shown(model, replace(z, position=half)) - shown(model, replace(w, position=half))).mean() > 0.003
        again = shown(model, replace(w, position=half))
        shown(model, replace(w, position=77.3))
        assert np.array_equal(again, shown(model, replace(w, position=half)))  # any moment can be sought


def test_the_way_between_two_pictures_is_straight_in_w():
    model = MODELS["glass"]

    def style(walk: Walk) -> np.ndarray:
        z = latent_of(walk, 64, model.directions)
        return model.mapping(z[None])[0] + offset_of(walk, z, model.directions, model.mapping)

    walks = [Walk("tour", 3.0 + part, 5, 0.9, space="w") for part in np.linspace(0, 1, 9)]
    first, *between, last = (style(walk) for walk in walks)
    for one in between:
        part = (one - first) @ (last - first) / np.square(last - first).sum()
        assert 0.0 < part < 1.0 and np.abs(first + part * (last - first) - one).max() < 1e-4
    smooth = np.stack([style(Walk("drift", 3.0 + 0.01 * i, 5, 0.9, space="w")) for i in range(300)])
    bend = np.abs(np.diff(smooth, 2, axis=0)).max()
    assert bend < 0.1 * np.abs(np.diff(smooth, axis=0)).max()  # no corner where a picture is passed


def test_directions_and_mixing_work_in_w():
    model = MODELS["glass"]
    names = model.directions.names
    walk = Walk("tour", 2.4, 5, 0.9, space="w")
    warm, cold = (
        shown(model, replace(walk, moves=tuple(amount if name == "warm" else 0.0 for name in names)))
        for amount in (1.0, -1.0)
    )
    assert (warm[0] - warm[2]).mean() > (cold[0] - cold[2]).mean() + 0.15
    fine = replace(walk, styles=(None, Walk("tour", 7.5, 9, 1.0, space="w")))
    assert np.abs(shown(model, fine) - shown(model, walk)).mean() > 0.005
    in_z = replace(fine, styles=(None, Walk("tour", 7.5, 9, 1.0)))
    assert np.abs(shown(model, fine) - shown(model, in_z)).mean() > 1e-4


# -- truncation and noise


@pytest.mark.parametrize("name", NAMES)
def test_at_rest_the_inlets_change_nothing_and_are_all_there(name):
    model = MODELS[name]
    z = latent("tour", 0.4, 3, 64, 0.9)
    plain = model.paint(z).copy()
    rested = shown(model, Walk("tour", 0.4, 3, 0.9, psi=1.0))
    assert np.array_equal(plain, rested)
    shown(model, Walk("tour", 0.4, 3, 0.9, psi=0.4, noise=(0.2, 3.0, 1.0, 1.0, 1.0)))
    assert np.array_equal(plain, model.paint(z))  # nothing is left behind
    assert inputs.offered(model.path) == {"w": 0.0, "truncation": 1.0, "noise": 0.0}
    assert model.path.stat().st_size + inputs.beside(model.path).stat().st_size < 8e6


def test_inputs_that_stay_on_a_card_are_sent_when_they_change():
    walk = Walk("tour", 0.4, 3, 0.9)
    played = [
        walk,
        replace(walk, psi=0.5),
        replace(walk, noise=(0.2, 3.0, 0.5, 0.5, 0.5)),
        replace(walk, space="w"),
        replace(walk, psi=1.0),
        walk,
    ]
    plain = [shown(MODELS["glass"], one) for one in played]
    model = create(LIBRARY.models["glass"], "cpu")
    model.bind_on_card("cpu")  # the same way, in the processor's memory
    for one, wanted in zip(played, plain, strict=True):
        kept = Painter._drawn(model, one, True)
        assert np.array_equal(kept.fetch(), wanted)
    assert np.array_equal(plain[0], plain[-1]) and not np.array_equal(plain[0], plain[2])


@pytest.mark.parametrize("name", NAMES)
def test_truncation_draws_every_picture_to_the_mean_one(name):
    model = MODELS[name]
    walks = [Walk("tour", position, 5, 1.0) for position in (0.0, 1.0, 2.0, 3.0)]
    apart = {
        psi: np.mean(
            [np.abs(a - b).mean() for a, b in pairwise(shown(model, replace(walk, psi=psi)) for walk in walks)]
        )
        for psi in (0.0, 0.5, 1.0)
    }
    assert apart[0.0] < 1e-5 < apart[0.5] < apart[1.0]


def test_noise_moves_pictures_by_its_layers_and_comes_back():
    model = MODELS["blossom"]
    walk = Walk("tour", 2.0, 4, 0.9)
    still = shown(model, walk)

    def far(*amounts: float, position: float = 0.3, seed: float = 3.0) -> float:
        return float(np.abs(shown(model, replace(walk, noise=(position, seed, *amounts))) - still).mean())

    assert 0.005 < far(0.2, 0.2, 0.2) < far(0.6, 0.6, 0.6)
    grain, shape = (shown(model, replace(walk, noise=(0.3, 3.0, *amounts))) for amounts in ((0, 0, 0.6), (0.6, 0, 0)))

    def rough(picture: np.ndarray) -> float:
        return float(np.abs(np.diff(picture, axis=2)).mean())

    assert rough(grain) > 1.15 * rough(still) and rough(shape) < 1.15 * rough(still)
    one, again, other, later = (
        shown(model, replace(walk, noise=(position, seed, 0.5, 0.5, 0.5)))
        for position, seed in ((0.3, 3.0), (0.3, 3.0), (0.3, 4.0), (0.35, 3.0))
    )
    assert np.array_equal(one, again) and not np.array_equal(one, other)
    assert np.abs(later - one).mean() < 0.5 * np.abs(other - one).mean()  # it moves, and does not flicker


@given(st.floats(0, 1000), st.integers(0, 1 << 40), st.integers(0, 6))
def test_a_field_is_normal_everywhere_on_its_way_and_repeats(position, seed, number):
    one, two, near = (np.empty((1, 1, 64, 64), np.float32) for _ in range(3))
    field(position, seed, number, one.shape, 0.5, one)
    field(position, seed, number, one.shape, 0.5, two)
    field(position + 1e-3, seed, number, one.shape, 0.5, near)
    assert np.array_equal(one, two) and one.std() == pytest.approx(0.5, abs=0.04)
    assert np.abs(near - one).max() < 0.01
    assert strengths([4, 8, 16, 32, 64, 256], (1.0, 0.0, 0.5))[1:4] == [1.0, 0.0, 0.0]


# -- presets


def test_a_preset_asks_for_w_truncation_and_noise_and_routes_to_them():
    text = TEXT.replace('model = "marble"', 'model = "marble"\ntruncation = 0.8\nnoise = 0.1').replace(
        "seed = 7", 'seed = 7\nspace = "w"\nfine = { kind = "hop" }'
    )
    text += '[[route]]\nfrom = "audio.bass"\nto = "main.noise"\nrange = [0.0, 0.5]\n'
    text += '[[route]]\nfrom = "audio.bass"\nto = "main.truncation"\nrange = [0.8, 1.4]\n'
    it = make(text)
    assert (it.base["main.truncation"], it.base["main.noise"], it.base["main.noise_fine"]) == (0.8, 0.1, 1.0)
    frames = run(Show([it], "first"), 2.0, features=loud)
    walk = frames[-1].scene.walks["main"]
    assert walk.space == walk.styles[1].space == "w" and walk.psi > 0.8
    position, seed, *amounts = walk.noise
    assert position == pytest.approx(0.5 * 2.0, abs=0.05) and seed == 3.0 and min(amounts) > 0.1
    table = make(TEXT.replace("seed = 7", "seed = 7\n[layer.noise]\namount = 0.5\ncoarse = 0.0\nspeed = 2.0\nseed = 9"))
    walk = run(Show([table], "first", seed=1), 1.0, features=loud)[-1].scene.walks["main"]
    assert walk.noise == (pytest.approx(2.0, abs=0.1), 9.0 + 7919, 0.0, 0.5, 0.5) and walk.space == "z"
    for seed in (-3, 2**63 - 1):  # any will do that fits into 64 bits
        odd = make(TEXT.replace("seed = 7", f"seed = 7\n[layer.noise]\namount = 0.5\nseed = {seed}"))
        noise = run(Show([odd], "first", seed=-1), 0.1, features=loud)[-1].scene.walks["main"].noise
        assert noise[1] == int(noise[1]) >= 0.0
    quiet = run(Show([make()], "first"), 0.2, features=loud)[-1].scene.walks["main"]
    assert quiet.noise == () and quiet.psi == 1.0


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("seed = 7", 'seed = 7\nspace = "w"', r"layer\[0\].walk.space: 'marble' has no w space"),
        (
            'model = "marble"',
            'model = "marble"\ntruncation = 0.5',
            r"layer\[0\].truncation: 'marble' has no truncation",
        ),
        ('model = "marble"', 'model = "marble"\nnoise = 0.5', r"layer\[0\].noise: 'marble' has no noise"),
        ('to = "main.walk.kick"', 'to = "main.noise"', r"no parameter 'main.noise'"),
    ],
)
def test_models_without_them_are_refused_in_one_line(old, new, complaint):
    with pytest.raises(Fault, match=complaint):
        make(TEXT.replace(old, new), has={})
    with pytest.raises(Fault, match="noise needs a model"):
        make(TEXT.replace('shader = "tunnel"', 'shader = "tunnel"\nnoise = 0.5'))
    with pytest.raises(Fault, match=r"layer\[0\].noise.amout: unknown key; did you mean 'amount'"):
        make(TEXT.replace("seed = 7", "seed = 7\n[layer.noise]\namout = 1"))
    with pytest.raises(Fault, match=r"layer\[0\].noise.amount: should be a valid number"):
        make(TEXT.replace('model = "marble"', 'model = "marble"\nnoise = "much"'))
    with pytest.raises(Fault, match="'z' or 'w'"):
        make(TEXT.replace("seed = 7", 'seed = 7\nspace = "x"'))


@pytest.mark.parametrize(
    ("more", "complaint"),
    [
        ("noise = 3", r"presets/first.toml: layer\[0\].noise.amount: expected 0 to 1, got 3"),
        ("noise = { amount = 1, fine = -0.1 }", r"layer\[0\].noise.fine: expected 0 to 1, got -0.1"),
        ("truncation = 1.6", r"layer\[0\].truncation: expected 0 to 1.5, got 1.6"),
        ("latent = { warm = 2 }", r"layer\[0\].latent.warm: expected -1.5 to 1.5, got 2"),
    ],
)
def test_what_is_out_of_range_is_refused_in_one_line(more, complaint):
    with pytest.raises(Fault, match=complaint):
        make(TEXT.replace('model = "marble"', f'model = "marble"\n{more}'))


# -- banks


def test_what_was_kept_in_w_comes_back_as_it_was(tmp_path):
    it, model = painter(LIBRARY, "cpu"), MODELS["chrome"]
    it.warm("chrome")
    between = Walk("tour", 2.5, 5, 0.9, space="w")
    bank = Bank("chrome", 64)
    in_w = bank.keep(it.shown("chrome", between), "w")
    in_z = bank.keep(it.shown("chrome", replace(between, space="z")), "z")
    assert len(in_w.w) == 4 * 128 and in_w.latent == in_z.latent and in_z.w == b""
    banks.write(bank, tmp_path)
    again = banks.read("chrome", 64, tmp_path).places
    for elsewhere in (Walk("drift", 9.1, 8, 0.9, space="w"), Walk("drift", 9.1, 8, 0.9)):
        for place, wanted in zip(again, (between, replace(between, space="z")), strict=True):
            there = shown(model, replace(elsewhere, stops=((place.whole, 1.0, ()),)))
            assert np.abs(there - shown(model, wanted)).max() < 5e-3
        way = [shown(model, replace(elsewhere, stops=((again[0].whole, part, ()),))) for part in np.linspace(0, 1, 30)]
        assert np.array_equal(way[0], shown(model, elsewhere))
        steps = [np.abs(b - a).mean() for a, b in pairwise(way)]
        assert max(steps) < 0.4 * np.abs(way[-1] - way[0]).mean()
    (tmp_path / "chrome.toml").write_text((tmp_path / "chrome.toml").read_text().replace("w = [", "w = [nan, ", 1))
    with pytest.raises(Fault, match=r"place\[0\].w"):
        banks.read("chrome", 64, tmp_path)


# -- files


def test_a_mapping_that_is_not_the_models_is_one_line(tmp_path):
    for end in (".onnx", ".toml", ".mapping.onnx"):
        (tmp_path / f"glass{end}").write_bytes(LIBRARY.models["glass"].with_suffix(end).read_bytes())
    assert "w" in inputs.offered(tmp_path / "glass.onnx")
    for content, complaint in (
        (b"not a model", "not an ONNX file"),
        (LIBRARY.models["glass"].read_bytes(), "not the mapping of this model: .*Conv"),
    ):
        (tmp_path / "glass.mapping.onnx").write_bytes(content)
        with pytest.raises(Fault, match=complaint):
            create(tmp_path / "glass.onnx", "cpu")
    (tmp_path / "glass.mapping.onnx").unlink()
    assert "w" not in inputs.offered(tmp_path / "glass.onnx") and create(tmp_path / "glass.onnx", "cpu").mapping is None


def test_a_mapping_that_fails_while_it_plays_leaves_the_last_picture(tmp_path, caplog):
    onnx = pytest.importorskip("onnx")
    for suffix in (".onnx", ".toml", ".mapping.onnx"):
        (tmp_path / f"pearl{suffix}").write_bytes(LIBRARY.models["pearl"].with_suffix(suffix).read_bytes())
    at = tmp_path / "pearl.mapping.onnx"
    mapping = onnx.load(at)
    mapping.graph.input[0].type.tensor_type.shape.dim[0].dim_value = 2  # as many as it is tried with
    onnx.save(mapping, at)
    one = make(TEXT.replace("[layer.walk]", '[layer.walk]\nspace = "w"'))
    assert one.layers[0].walk.space == "w"
    painter = Painter(lambda name: create(tmp_path / "pearl.onnx", "cpu"))
    frame = Show([one], "first").step(0.1, 0.1, (64, 36), loud(0.1), Sound())
    assert painter.paint(frame) == {}
    assert "pearl.mapping.onnx: the mapping failed" in caplog.text
    painter.warm("marble")
    assert painter.shown("marble", frame.scene.walks["main"]) is None


def test_a_model_of_ours_without_its_card_is_known_again(tmp_path):
    path = tmp_path / "glass.onnx"
    path.write_bytes(LIBRARY.models["glass"].read_bytes())
    roles = {entry["name"]: entry["role"] for entry in probe(path).card["inputs"]}
    assert roles == {entry.name: entry.role for entry in MODELS["glass"].card.inputs}
    assert next(iter(roles)) == "z"


def test_new_models_get_them_too(tmp_path):
    torch = pytest.importorskip("torch")
    pytest.importorskip("onnxscript")
    from performer.lab.train.dataset import drawn
    from performer.lab.train.gan import train_gan
    from performer.lab.train.loop import Options
    from performer.lab.train.vae import train_vae

    torch.manual_seed(1)
    pictures = drawn(("flow",), 32, 12, seed=1)
    for train in (train_gan, train_vae):
        path = tmp_path / f"{train.__name__}.onnx"
        train(pictures, Options(path, 32, 16, 3, None, 4))
        assert inputs.offered(path) == {"w": 0.0, "truncation": 1.0, "noise": 0.0}
        model = create(path, "cpu")
        walk = Walk("tour", 0.5, 3, 1.0)
        plain = shown(model, walk)
        for change in ({"space": "w"}, {"psi": 0.2}, {"noise": (0.0, 1.0, 1.0, 1.0, 1.0)}):
            picture = shown(model, replace(walk, **change))
            assert np.isfinite(picture).all() and not np.array_equal(picture, plain)
    baseline = tmp_path / "plain.onnx"
    train_gan(pictures, Options(baseline, 32, 16, 2, None, 4, net="mlp"))
    assert inputs.offered(baseline) == {}
    create(baseline, "cpu")


def test_a_library_plays_them_from_a_preset_file():
    text = '[[layer]]\nmodel = "glass"\nnoise = 0.4\n[layer.walk]\nkind = "tour"\nspace = "w"\nspeed = 1.0\n'
    it = reader.load(
        text,
        "mine",
        where="mine.toml",
        shaders=LIBRARY.shaders,
        models=LIBRARY.knobs(),
        audio=(),
        inlets=LIBRARY.inlets(),
    )
    show, pictures, models = Show([it], "mine"), [], painter(LIBRARY, "cpu")
    for i in range(3):
        frame = show.step(0.1 * (i + 1), 0.1, (64, 36), Features(), Sound())
        pictures.append(models.paint(frame)[1, "main"].pixels)
    assert all(np.abs(b - a).mean() > 1e-4 for a, b in pairwise(pictures))
    still = Frame(
        index=0,
        t=0.0,
        dt=1 / 60,
        size=(64, 36),
        features=Features(),
        sound=Sound(),
        scene=Scene(1, it, it.base, frame.scene.walks, 0.0),
    )
    assert models.paint(still)[1, "main"] is models.paint(still)[1, "main"]  # what stands still costs nothing


def test_the_folder_of_models_names_no_mapping_as_a_model():
    assert not [name for name in LIBRARY.models if "." in name]
    assert {Path(path).stem for path in LIBRARY.models.values()} >= set(NAMES)
