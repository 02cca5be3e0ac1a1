"""Training, for seconds: losses fall, a resumed run is the uninterrupted one, what is exported is what was trained."""

from pathlib import Path

import numpy as np
import onnxruntime as ort
import pytest
from PIL import Image

from performer.errors import Fault

torch = pytest.importorskip("torch")
pytest.importorskip("onnxscript")

from performer.generators.onnx import create  # noqa: E402
from performer.train.draw import SOURCES, Easel  # noqa: E402
from performer.train.gan import train_gan  # noqa: E402
from performer.train.loop import Options  # noqa: E402
from performer.train.nets import Discriminator  # noqa: E402
from performer.train.pictures import drawn, found  # noqa: E402
from performer.train.vae import Autoencoder, distance, prior_of, train_vae  # noqa: E402


@pytest.fixture(scope="module")
def pictures():
    return drawn(("flow", "cells"), 32, 24, seed=1)


def options(path: Path, steps: int, **more) -> Options:
    return Options(path, 32, 16, steps, None, 4, **more)


def test_a_drawn_picture_depends_on_seed_and_index_alone():
    easel = Easel(SOURCES, 32, seed=5)
    first = easel.draw_many(0, 8)
    assert np.array_equal(first[5], easel.draw(5)) and first.std() > 30
    easel.close()
    other = Easel(SOURCES, 32, seed=6)
    assert not np.array_equal(first, other.draw_many(0, 8))
    other.close()


def test_a_vae_learns_and_its_export_equals_torch(pictures, tmp_path):
    torch.manual_seed(1)
    fresh = Autoencoder(16, 32)
    real = torch.from_numpy(pictures.pixels[:8].transpose(0, 3, 1, 2).astype(np.float32) / 255)
    with torch.no_grad():
        before = float(distance(fresh.decoder(fresh.encoder(real)[0]), real))
    run = train_vae(pictures, options(tmp_path / "v.onnx", 80))
    assert run.losses["reconstruction"] < 0.9 * before
    model = create(tmp_path / "v.onnx", "cpu")
    image = model.paint(np.zeros(16, np.float32))
    assert image.shape == (3, 32, 32) and 0.0 <= image.min() <= image.max() <= 1.0
    state = torch.load(tmp_path / "v.ckpt", weights_only=True)["average"]
    kept = Autoencoder(16, 32)
    kept.load_state_dict(state)
    mean, spread = prior_of(kept.eval().encoder, pictures, 1)
    with torch.no_grad():
        wanted = kept.decoder(mean[None]).clamp(0, 1)[0].numpy()  # the middle of the prior
        latents = kept.encoder(real)[0]
    assert np.abs(image - wanted).max() < 1e-3
    encoder = ort.InferenceSession(tmp_path / "v.encoder.onnx", providers=["CPUExecutionProvider"])
    z = np.concatenate([encoder.run(None, {"image": one[None].numpy()})[0] for one in real])
    assert np.abs(z @ spread.T.numpy() + mean.numpy() - latents.numpy()).max() < 1e-2
    there_and_back = np.stack([model.paint(one) for one in z])
    assert np.abs(there_and_back - real.numpy()).mean() < 0.9 * np.abs(image - real.numpy()).mean()


def test_a_resumed_gan_is_the_uninterrupted_one(pictures, tmp_path):
    whole = train_gan(pictures, options(tmp_path / "whole.onnx", 6))
    train_gan(pictures, options(tmp_path / "parts.onnx", 3))
    parts = train_gan(pictures, options(tmp_path / "parts.onnx", 6, resume=True))
    assert whole.step == parts.step == 6
    for name in ("generator", "judge", "average"):
        one, two = whole.parts[name].state_dict(), parts.parts[name].state_dict()
        assert all(torch.equal(one[key], two[key]) for key in one), name
    assert "steps = 6" in (tmp_path / "parts.toml").read_text()


def test_the_discriminator_takes_every_size_and_growing_is_soft():
    judge = Discriminator(128)
    for side in (8, 16, 32, 64, 128):
        assert judge(torch.rand(2, 3, side, side)).shape == (2,)


def test_a_folder_of_pictures_is_read_and_what_is_broken_left_out(tmp_path, caplog):
    rng = np.random.default_rng(1)
    for i in range(9):
        mode = ("RGB", "L", "RGBA")[i % 3]
        Image.fromarray(rng.integers(0, 255, (20 + i, 40, 3), np.uint8)).convert(mode).save(tmp_path / f"{i}.png")
    (tmp_path / "copy.png").write_bytes((tmp_path / "0.png").read_bytes())
    (tmp_path / "broken.jpg").write_bytes(b"not a picture")
    read = found(tmp_path, 16, "CC0-1.0")
    assert read.pixels.shape == (9, 16, 16, 3) and "broken.jpg" in caplog.text
    with pytest.raises(Fault, match="at least 8"):
        found(tmp_path / "nowhere", 16, "CC0-1.0")
    with pytest.raises(Fault, match="no checkpoint to resume"):
        train_gan(read, options(tmp_path / "none.onnx", 1, resume=True))
