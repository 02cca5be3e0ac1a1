"""Training, for seconds: losses fall, a resumed run is the uninterrupted one, what is exported is what was trained."""

import os
import pickle
import signal
import socket
import subprocess
import sys
import time
import tomllib
import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnxruntime as ort
import pytest
from parts.patience import PATIENCE_S, until
from PIL import Image

from performer.cli.main import main
from performer.system.errors import Fault

torch = pytest.importorskip("torch")
onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxscript")

from performer.generators.onnx.session import create  # noqa: E402
from performer.lab.train.augment import changed, policy_for  # noqa: E402
from performer.lab.train.dataset import Pictures, drawn, found  # noqa: E402
from performer.lab.train.evaluate import figures, measure  # noqa: E402
from performer.lab.train.export import export_network  # noqa: E402
from performer.lab.train.gan import train_gan  # noqa: E402
from performer.lab.train.loop import Options  # noqa: E402
from performer.lab.train.nets import Discriminator, Encoder, Generator  # noqa: E402
from performer.lab.train.synthetic_pictures import SOURCES, Easel  # noqa: E402
from performer.lab.train.upsample_order import blocked  # noqa: E402
from performer.lab.train.vae import Autoencoder, distance, prior_of, train_vae  # noqa: E402


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


@pytest.mark.parametrize("residual", [False, True])
def test_features_are_enlarged_in_the_processor_s_order(residual, tmp_path):
    torch.manual_seed(2)
    path = tmp_path / "g.onnx"
    export_network(Generator(16, 64, residual=residual), torch.randn(1, 16), path, "z", "image")

    def run() -> tuple[np.ndarray, list[str]]:
        """Its picture, and what becomes of the nodes that enlarge in a session of the processor."""
        o = ort.SessionOptions()
        o.optimized_model_filepath = str(tmp_path / "optimised.onnx")
        session = ort.InferenceSession(path, o, providers=["CPUExecutionProvider"])
        nodes = onnx.load(o.optimized_model_filepath, load_external_data=False).graph.node
        return (
            session.run(None, {"z": np.full((1, 16), 0.3, np.float32)})[0],
            sorted(node.op_type for node in nodes if node.op_type in ("Resize", "Upsample")),
        )

    plain, before = run()
    assert blocked(path) == 4 and blocked(path) == 0
    picture, after = run()
    assert np.abs(picture - plain).max() < 1e-4
    if "Upsample" not in before:
        pytest.skip("this processor's convolutions take the plain order")
    assert before.count("Resize") >= 4 and after.count("Resize") == before.count("Resize") - 4
    assert len(after) == len(before)


def test_a_model_without_features_to_enlarge_is_left_as_it_is(tmp_path):
    path = tmp_path / "mlp.onnx"
    export_network(torch.nn.Linear(16, 12), torch.randn(1, 16), path, "z", "image")
    before = path.read_bytes()
    assert blocked(path) == 0 and path.read_bytes() == before


def test_a_resumed_gan_is_the_uninterrupted_one(pictures, tmp_path):
    whole = train_gan(pictures, options(tmp_path / "whole.onnx", 6))
    train_gan(pictures, options(tmp_path / "parts.onnx", 3))
    parts = train_gan(pictures, options(tmp_path / "parts.onnx", 6, resume=True))
    assert whole.step == parts.step == 6
    for name in ("generator", "judge", "average"):
        one, two = whole.parts[name].state_dict(), parts.parts[name].state_dict()
        assert all(torch.equal(one[key], two[key]) for key in one), name
    assert "steps = 6" in (tmp_path / "parts.toml").read_text()


@pytest.mark.parametrize("size", [64, 128, 256, 512])
def test_networks_come_in_every_size(size):
    with torch.no_grad():
        picture = Generator(8, size)(torch.randn(1, 8))
        assert picture.shape == (1, 3, size, size) and torch.isfinite(picture).all()
        assert Discriminator(size)(picture).shape == (1,)
        mean, _ = Encoder(8, size)(picture)
        assert mean.shape == (1, 8)


def test_the_discriminator_takes_every_size_and_growing_is_soft():
    judge = Discriminator(128)
    for side in (8, 16, 32, 64, 128):
        assert judge(torch.rand(2, 3, side, side)).shape == (2,)


@pytest.mark.parametrize("net", ["dcgan", "mlp"])
def test_the_baselines_train_and_export(net, pictures, tmp_path):
    run = train_gan(pictures, options(tmp_path / "b.onnx", 4, net=net))
    assert run.side == 32 and run.step == 4
    assert create(tmp_path / "b.onnx", "cpu").paint(np.ones(16, np.float32)).shape == (3, 32, 32)
    assert f'net = "{net}"' in (tmp_path / "b.toml").read_text()


def test_a_gan_learns_its_colours(tmp_path):
    """On pictures of two colours the mean colour of samples comes near theirs, and the losses go into the log."""
    colours = np.array([[220, 40, 30], [200, 60, 40]], np.uint8)
    plain = Pictures(np.repeat(colours, 8, axis=0)[:, None, None].repeat(32, 1).repeat(32, 2), "two colours", "CC0-1.0")
    run = train_gan(plain, options(tmp_path / "c.onnx", 60, augment="none"))
    model = create(tmp_path / "c.onnx", "cpu")
    rng = np.random.default_rng(1)
    latents = rng.standard_normal((16, 16)).astype(np.float32)
    mean = np.mean([model.paint(z).mean(axis=(1, 2)) for z in latents], axis=0)
    assert mean[0] > mean[1] + 0.15 and mean[0] > mean[2] + 0.15
    assert set(run.losses) == {"generator", "discriminator"}
    assert list((tmp_path / "c.log").glob("events*")) and (tmp_path / "c.png").is_file()


def test_augmentation_is_differentiable_and_keeps_the_shape():
    picture = torch.rand(4, 3, 32, 32, requires_grad=True)
    for policy in ("none", "shift", "all"):
        moved = changed(picture, policy)
        assert moved.shape == picture.shape
        (slope,) = torch.autograd.grad(moved.sum(), picture)
        assert torch.isfinite(slope).all() and slope.abs().sum() > 0
    assert policy_for(100) == "all" and policy_for(10000) == "shift" and policy_for(100, "none") == "none"


def test_ctrl_c_exports_what_there_is(tmp_path):
    code = [
        sys.executable,
        "-m",
        "performer",
        "train",
        "vae",
        "--source",
        "cells",
        "--count",
        "16",
        "--size",
        "32",
        "--latent",
        "8",
        "--minutes",
        "5",
        "--batch",
        "4",
        "-o",
        str(tmp_path / "v.onnx"),
        "--threads",
        "1",
    ]
    process = subprocess.Popen(code, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=tmp_path)
    try:
        assert until(lambda: process.poll() is not None or list(tmp_path.glob("v.log/events*")))
        time.sleep(1.0)
        process.send_signal(signal.SIGINT)
        said, _ = process.communicate(timeout=PATIENCE_S)
    finally:
        process.kill()
    assert process.returncode == 0, said
    assert "exported, with its card" in said and (tmp_path / "v.ckpt").is_file()
    assert create(tmp_path / "v.onnx", "cpu").paint(np.ones(8, np.float32)).shape == (3, 32, 32)
    assert "performer train vae" in (tmp_path / "v.toml").read_text()


def test_two_processes_keep_one_set_of_weights(tmp_path):
    """Started as torchrun and accelerate start them; both end with the same weights, and one exports."""
    code = """
import sys, torch
from pathlib import Path
from performer.lab.train.evaluate import figures, measure  # noqa: E402
from performer.lab.train.export import export_network  # noqa: E402
from performer.lab.train.gan import train_gan
from performer.lab.train.loop import Options
from performer.lab.train.dataset import drawn
from performer.lab.train.distributed import World
world = World()
run = train_gan(drawn(("cells",), 32, 16, 1), Options(Path(sys.argv[1]) / "m.onnx", 32, 8, 3, None, 4), world)
torch.save(run.parts["generator"].state_dict(), Path(sys.argv[1]) / f"{world.rank}.pt")
print("draws", run.rng.integers(1 << 30))
world.leave()
"""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", code, str(tmp_path)],
            stdout=subprocess.PIPE,
            text=True,
            env={
                **os.environ,
                "WORLD_SIZE": "2",
                "RANK": str(rank),
                "LOCAL_RANK": str(rank),
                "MASTER_ADDR": "127.0.0.1",
                "MASTER_PORT": str(port),
                "OMP_NUM_THREADS": "1",
            },
        )
        for rank in range(2)
    ]
    said = [process.communicate(timeout=PATIENCE_S)[0] for process in processes]
    assert [process.returncode for process in processes] == [0, 0]
    one, two = (torch.load(tmp_path / f"{rank}.pt", weights_only=True) for rank in range(2))
    assert all(torch.equal(one[key], two[key]) for key in one)
    draws = [line for text in said for line in text.splitlines() if line.startswith("draws")]
    assert len(set(draws)) == 2, "each process must see other pictures"
    assert 'machine = "2 processes' in (tmp_path / "m.toml").read_text()


def test_figures_tell_good_samples_from_bad(pictures):
    many = drawn(("cells",), 32, 80, seed=3)
    rng = np.random.default_rng(1)

    def good(z):
        return many.pixels[int(abs(z[0]) * 997) % 80].transpose(2, 0, 1).astype(np.float32) / 255

    def same(z):
        return many.pixels[0].transpose(2, 0, 1).astype(np.float32) / 255

    def noise(z):
        return rng.random((3, 32, 32), np.float32)

    (fine, _), (poor, _), (bad, order) = (figures(paint, 8, many, 80, 1) for paint in (good, same, noise))
    assert fine["frechet"] < poor["frechet"] < bad["frechet"]
    assert fine["precision"] > 0.9 and bad["precision"] < 0.1 and bad["coverage"] < 0.1
    assert fine["coverage"] > poor["coverage"] and fine["recall"] > 0.8 > poor["recall"]
    assert fine["diversity"] > 0.8 and poor["diversity"] < 0.01 and len(set(order)) == 80
    assert poor["path_length"] == pytest.approx(0.0, abs=1e-3)


def test_evaluate_writes_the_card(tmp_path, caplog):
    train_gan(drawn(("flow",), 32, 16, 1), options(tmp_path / "e.onnx", 2))
    measure(tmp_path / "e.onnx", None, "", 64, 1, str(tmp_path / "missed.png"))
    card = tomllib.loads((tmp_path / "e.toml").read_text())
    assert {
        "frechet",
        "precision",
        "recall",
        "coverage",
        "diversity",
        "path_length",
        "ms_p50",
        "discriminator_accuracy",
    } <= set(card["metrics"])
    assert 0.0 <= card["metrics"]["discriminator_accuracy"] <= 1.0
    assert Image.open(tmp_path / "missed.png").size[0] == 8 * 32
    (tmp_path / "e.ckpt").write_bytes(b"of something else")  # tells nothing, and stops nothing
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # of few pictures too
        found_figures = measure(tmp_path / "e.onnx", None, "", 64, 1, None)
    assert "discriminator_accuracy" not in found_figures and "scores of its discriminator are left out" in caplog.text


def test_odd_pictures_are_read_as_they_look(tmp_path):
    x = np.linspace(0, 1, 40)
    slope = (np.tile(x, (30, 1)) * 65535).astype(np.uint16)
    Image.fromarray(slope).save(tmp_path / "deep.png")
    Image.fromarray((slope / 256).astype(np.uint8)).convert("CMYK").save(tmp_path / "cmyk.jpg", quality=95)
    Image.fromarray((x[None] * np.ones((30, 1))).astype(np.float32)).save(tmp_path / "float.tiff")
    rng = np.random.default_rng(1)
    moments = [Image.fromarray(rng.integers(0, 255, (24, 24, 3), np.uint8)) for _ in range(20)]
    moments[0].save(tmp_path / "moving.gif", save_all=True, append_images=moments[1:], duration=40)
    Image.new("RGB", (1, 1)).save(tmp_path / "dot.png")
    read = found(tmp_path, 16, "CC0-1.0")
    # The three slopes look alike, so one of them is kept; of the animation there are eight moments.
    assert len(read.pixels) == 9
    ramp = read.pixels[[np.ptp(p.mean(axis=(0, 2))) > 150 and p.std(axis=2).max() < 12 for p in read.pixels]]
    assert len(ramp) == 1 and ramp[0, 8, 1].mean() < 60 and ramp[0, 8, -2].mean() > 190


@pytest.mark.parametrize(("count", "complaint"), [(0, "0 usable"), (1, "1 usable")])
def test_too_few_pictures_are_a_fault(tmp_path, count, complaint):
    for i in range(count):
        Image.effect_noise((32, 32), 50).save(tmp_path / f"{i}.png")
    with pytest.raises(Fault, match=complaint):
        found(tmp_path, 16, "CC0-1.0")


def test_a_folder_of_pictures_is_read_and_what_is_broken_left_out(tmp_path, caplog):
    rng = np.random.default_rng(1)
    for i in range(9):
        mode = ("RGB", "L", "RGBA")[i % 3]
        Image.fromarray(rng.integers(0, 255, (20 + i, 40, 3), np.uint8)).convert(mode).save(tmp_path / f"{i}.png")
    (tmp_path / "copy.png").write_bytes((tmp_path / "0.png").read_bytes())
    (tmp_path / "broken.jpg").write_bytes(b"not a picture")
    read = found(tmp_path, 16, "CC0-1.0")
    assert read.pixels.shape == (9, 16, 16, 3) and "broken.jpg" in caplog.text
    with pytest.raises(Fault, match="no such image folder"):
        found(tmp_path / "nowhere", 16, "CC0-1.0")
    with pytest.raises(Fault, match="no checkpoint to resume"):
        train_gan(read, options(tmp_path / "none.onnx", 1, resume=True))
    (tmp_path / "noted.log").write_text("what somebody wrote there")
    with pytest.raises(Fault, match=r"noted.log: a file, where the folder"):
        train_gan(read, options(tmp_path / "noted.onnx", 1))


def test_resuming_with_other_options_says_which(tmp_path, caplog):
    pictures = Pictures(np.random.default_rng(1).integers(0, 255, (16, 32, 32, 3), np.uint8), "noise", "CC0-1.0")
    out = tmp_path / "it.onnx"
    train_gan(pictures, options(out, 2))
    for wrong, complaint in (
        ({"latent": 5}, r"was trained with --latent \d+, not 5"),
        ({"net": "mlp"}, "--net style"),
        ({"steps": 2}, r"has run for 2 steps .* count from the very beginning"),
    ):
        with pytest.raises(Fault, match=complaint):
            train_gan(pictures, replace(options(out, 4, resume=True), **wrong))
    with pytest.raises(Fault, match="another kind of training"):
        train_vae(pictures, options(out, 4, resume=True))
    assert train_gan(pictures, replace(options(out, 3, resume=True), seed=77)).step == 3
    assert "--seed was" in caplog.text

    class Evil:
        def __reduce__(self):
            return (os.mkdir, (str(tmp_path / "ran"),))

    for damaged in (out.with_suffix(".ckpt").read_bytes()[:999], pickle.dumps(Evil()), b""):
        out.with_suffix(".ckpt").write_bytes(damaged)
        with pytest.raises(Fault, match="or a damaged one") as caught:
            train_gan(pictures, options(out, 4, resume=True))
        assert "weights_only" not in str(caught.value) and not (tmp_path / "ran").exists()


def test_a_training_is_not_written_over_unasked(tmp_path, capsys):
    out = tmp_path / "it.onnx"
    command = ["train", "gan", "--source", "marble", "--count", "10", "--size", "32", "--steps", "1", "-o", str(out)]
    for there in (out.with_suffix(".ckpt"), out):
        there.write_bytes(b"hours")
        with pytest.raises(SystemExit):
            main(command)
        assert there.read_bytes() == b"hours" and "--resume continues" in capsys.readouterr().err
    for part in (".encoder.onnx", ".directions.npz"):
        out.with_suffix(part).write_bytes(b"of the model before")
    with pytest.raises(SystemExit) as left:
        main([*command, "--force"])
    assert left.value.code == 0 and out.stat().st_size > 1000 and "torchvision" not in capsys.readouterr().err
    assert not out.with_suffix(".encoder.onnx").exists() and not out.with_suffix(".directions.npz").exists()
    assert "--force" not in out.with_suffix(".toml").read_text()


def test_an_eye_learns_what_pictures_were_drawn_by():
    from performer.lab.train.picture_attributes import TRAITS, Traits

    eye = Traits(("blossom",), pictures=500, steps=200)
    assert {"curl", "petals"} <= set(eye.names) <= set(TRAITS["blossom"])
    assert all(0.4 < share <= 1.0 for share in eye.seen.values())
    easel = Easel(("blossom",), 128, 5)
    try:
        pictures = [easel.draw(i).transpose(2, 0, 1).astype(np.float32) / 255.0 for i in range(48)]
        curls = [easel.numbers(i)[TRAITS["blossom"]["curl"][0]] for i in range(48)]
    finally:
        easel.close()
    told = [eye(picture)[eye.names.index("curl")] for picture in pictures]
    assert np.corrcoef(told, curls)[0, 1] > 0.5  # at another size, and never seen
