"""Models that came along stay as they are: evaluating, exploring and training change them only where asked to."""

import hashlib
import shutil

import numpy as np
import pytest
from PIL import Image

from performer.cli import train as training
from performer.cli.main import main
from performer.cli.models import came_along
from performer.content import library
from performer.content.models.card import load
from performer.latent.directions import Directions
from performer.system import folders


@pytest.fixture
def models(tmp_path, monkeypatch):
    """A folder of models that counts as performer's own, with one in it."""
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "factory" / "models"
    folder.mkdir(parents=True)
    for part in (".onnx", ".toml", ".directions.npz", ".mapping.onnx"):
        shutil.copy(library.FACTORY / "models" / f"molten{part}", folder)
    monkeypatch.setattr(library, "FACTORY", tmp_path / "factory")
    monkeypatch.setattr(folders, "data", lambda: tmp_path / "yours")
    return folder


def prints(folder):
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()}


def code(*arguments: str) -> int:
    try:
        main(list(arguments))
    except SystemExit as end:
        return int(end.code or 0)
    return 0


def test_evaluate_leaves_its_card_unless_asked(models, tmp_path, capsys, monkeypatch):
    pytest.importorskip("torch")
    monkeypatch.setattr("performer.lab.train.evaluate.figures", lambda *_: ({"frechet": 1.5}, np.arange(64)))
    rng = np.random.default_rng(1)
    (tmp_path / "pictures").mkdir()
    for i in range(64):
        Image.fromarray(rng.integers(0, 255, (16, 16, 3), np.uint8)).save(tmp_path / "pictures" / f"{i}.png")
    model = models / "molten.onnx"
    before, asked = prints(models), ("evaluate", str(model), "--pictures", str(tmp_path / "pictures"), "--count", "64")
    assert code(*asked) == 0
    said = capsys.readouterr().out
    assert "frechet" in said and "--write adds the figures" in said
    assert prints(models) == before
    assert code(*asked, "--write") == 0
    assert "--write" not in capsys.readouterr().out
    assert load(model.with_suffix(".toml")).model_extra["metrics"]["samples"] == 64
    mine = tmp_path / "mine"
    shutil.copytree(models, mine)
    shutil.copy(library.FACTORY / "models" / "molten.toml", mine / "molten.toml")
    (mine / "molten.toml").write_text((mine / "molten.toml").read_text().replace("samples = 64", "samples = 1"))
    assert code("evaluate", str(mine / "molten.onnx"), *asked[2:]) == 0
    assert load(mine / "molten.toml").model_extra["metrics"]["samples"] == 64


def test_explore_leaves_its_directions_unless_asked(models, tmp_path, capsys, monkeypatch):
    found = Directions(("bright",), ("measured",), np.ones((1, 64), np.float32))
    strip = Image.new("RGB", (8, 8))
    monkeypatch.setattr("performer.generators.tools.find_directions.explore", lambda *_: (found, []))
    monkeypatch.setattr("performer.generators.tools.find_directions.strips", lambda *_: strip)
    model = models / "molten.onnx"
    before, asked = prints(models), ("models", "explore", str(model), "--samples", "100", "-o", str(tmp_path / "a.jpg"))
    assert code(*asked) == 0
    assert "--write replaces them" in capsys.readouterr().out
    assert prints(models) == before and (tmp_path / "a.jpg").is_file()
    assert code(*asked, "--write") == 0
    assert prints(models) != before


def test_a_training_without_a_name_goes_to_the_person_s_own_models(models, tmp_path, monkeypatch):
    pytest.importorskip("torch")
    pytest.importorskip("onnxscript")
    rng = np.random.default_rng(1)
    (tmp_path / "pictures").mkdir()
    for i in range(8):
        Image.fromarray(rng.integers(0, 255, (32, 32, 3), np.uint8)).save(tmp_path / "pictures" / f"{i}.png")
    monkeypatch.chdir(models.parent)  # as in a checkout
    before = prints(models)
    begun = []
    monkeypatch.setattr("performer.lab.train.vae.train_vae", lambda material, options, world: begun.append(options.out))
    assert code("train", "vae", str(tmp_path / "pictures"), "--size", "32", "--steps", "1") == 0
    assert begun == [tmp_path / "yours" / "models" / "model.onnx"]
    assert prints(models) == before
    assert training._among_yours("me.follower.onnx") == tmp_path / "yours" / "models" / "me.follower.onnx"


def test_which_models_came_along(models, tmp_path):
    assert came_along(models / "molten.onnx")
    assert not came_along(tmp_path / "mine" / "molten.onnx")
    (tmp_path / "link.onnx").symlink_to(models / "molten.onnx")
    assert came_along(tmp_path / "link.onnx")
