"""The way of a picture from model to screen: memory that is used again, and never changes under whoever keeps it."""

import gc
import threading
import time

import numpy as np
import pytest
from parts.patience import PATIENCE_S

from performer.generators.onnx import providers
from performer.generators.onnx import session as onnx
from performer.generators.onnx.autotune import LEAST_PSNR_DB, Trial, best, choose, psnr
from performer.generators.onnx.buffer_pool import MOST, BufferPool
from performer.generators.onnx.io_binding import Bound
from performer.generators.onnx.providers import Group, Way
from performer.generators.onnx.session import create
from performer.generators.onnx.tensor_layout import planar
from performer.rig.loading import load_library
from performer.system import folders
from performer.system.errors import Fault

MODELS = sorted(load_library().models.values())
RNG = np.random.default_rng(7)


def latents(count: int, dim: int = 64) -> list[np.ndarray]:
    return [RNG.standard_normal(dim).astype(np.float32) for _ in range(count)]


def test_memory_is_lent_again_only_when_nobody_looks_at_it():
    loans = BufferPool((3, 4), np.float32)
    first, array = loans.take()
    array[...] = 1.0
    view = array[1:].reshape(-1)[2:].view(np.uint32)  # whatever is made of it keeps it
    del array
    second, other = loans.take()
    assert second != first and len(loans) == 2
    other[...] = 2.0
    assert (view == np.float32(1.0).view(np.uint32)).all()
    del view
    assert loans.take()[0] == first and len(loans) == 2


def test_one_array_too_many_is_not_kept():
    loans = BufferPool((2,), np.float32)
    taken = [loans.take() for _ in range(MOST + 2)]
    assert [number for number, _ in taken] == [*range(MOST), -1, -1] and len(loans) == MOST
    assert len({array.ctypes.data for _, array in taken}) == MOST + 2


@pytest.mark.parametrize("path", MODELS, ids=lambda path: path.stem)
def test_bound_pictures_are_those_of_a_plain_run_to_the_bit(path):
    model = create(path, "cpu")
    kept, plain = [], []
    for z in latents(MOST + 2, model.card.latent):
        kept.append(model.paint(z))
        plain.append(model._session.run([model._out], model._feed)[0][0].copy())
    for one, other in zip(kept, plain, strict=True):
        assert np.array_equal(one, other)


def test_pictures_in_a_row_use_the_same_memory():
    model = create(MODELS[0], "cpu")
    z = latents(12, model.card.latent)
    model.paint(z[0])
    gc.disable()
    try:
        places = {model.paint(one).ctypes.data for one in z}
        shown, places_in_a_show = [], set()
        for one in z:  # as in a show: one is drawn while the next is made
            shown = [*shown[-1:], model.paint(one)]
            places_in_a_show.add(shown[-1].ctypes.data)
    finally:
        gc.enable()
    assert len(places) == 1 and len(places_in_a_show) == 3


def test_an_output_of_another_shape_than_bound_is_an_error_not_a_picture():
    model = create(MODELS[0], "cpu")
    height, width = model.card.shape[2:]
    bound = Bound(model._session, model._feed, model._out, (1, 3, height // 2, width))
    with pytest.raises(Exception, match="invalid dimensions"):
        bound.run()


@pytest.mark.parametrize("layout", ["NCHW", "NHWC", "HWC", "CHW"])
@pytest.mark.parametrize("type_", [np.float32, np.float16, np.uint8])
def test_conversion_into_memory_that_is_used_again(layout, type_):
    low, high = (0.0, 255.0) if type_ is np.uint8 else (-1.0, 1.0)
    wanted = RNG.random((3, 5, 7)).astype(np.float32)
    axes = layout.removeprefix("N")
    made = (wanted if axes == "CHW" else wanted.transpose(1, 2, 0)) * (high - low) + low
    made = made.round().astype(type_) if type_ is np.uint8 else made.astype(type_)
    made = made[None] if "N" in layout else made
    into = np.full((3, 5, 7), 9.0, np.float32)
    assert planar(made, layout, low, high, False, lambda: into) is into
    assert np.allclose(into, wanted, atol=3e-3) and np.array_equal(into, planar(made, layout, low, high, False))


class Timed:
    """A runner whose pictures and whose time are told."""

    def __init__(self, picture: np.ndarray, took_s: float = 0.0) -> None:
        self._picture, self._took_s = picture, took_s

    def picture(self, number: int) -> np.ndarray:
        return self._picture * (number + 1) / 8.0

    def run(self, number: int) -> None:
        time.sleep(self._took_s)


PICTURE = RNG.random((3, 8, 8)).astype(np.float32)


def test_the_first_way_is_kept_unless_another_is_worth_it():
    def chosen(*ms: float) -> int:
        return choose([Trial(str(number), one) for number, one in enumerate(ms)])

    assert chosen(4.0) == 0 and chosen(4.0, 2.0, 1.0) == 2
    assert chosen(4.0, 3.9) == 0  # that is noise
    assert choose([Trial("fails", fault="no"), Trial("works", 5.0)]) == 1
    assert choose([Trial("right", 4.0), Trial("wrong", 1.0, LEAST_PSNR_DB - 1.0), Trial("fair", 2.0, 50.0)]) == 2
    with pytest.raises(Fault, match="one: no driver; two: NaN"):
        choose([Trial("one", fault="no driver"), Trial("two", fault="NaN")])


def test_what_fails_makes_nan_differs_or_takes_too_long_is_not_taken():
    released = threading.Event()

    def begin(number: int) -> Timed:
        if number == 1:
            raise RuntimeError("cudnn64_9.dll\nis missing")
        if number == 5:
            released.wait(PATIENCE_S)
        return (
            Timed(PICTURE, 0.004),
            None,
            Timed(PICTURE * np.nan),
            Timed(PICTURE + 0.1),
            Timed(PICTURE + 1e-4, 0.001),
            Timed(PICTURE),
        )[number]

    try:
        found = best(("plain", "no library", "nan", "wrong", "half", "late", "untried"), begin, 1.5)
    finally:
        released.set()
    assert found.number == 4 and found.runner.picture(0) is not None
    faults = [trial.fault for trial in found.trials]
    assert faults == [
        "",
        "cudnn64_9.dll is missing",
        "makes NaN or infinite values",
        "its pictures differ (26 dB)",
        "",
        "not ready after 2 s",
        "not tried: 2 s were over",
    ]
    assert found.trials[4].psnr_db == pytest.approx(86.0, abs=0.2) and "86 dB" in found.trials[4].line()


def real_ways() -> tuple[Way, ...]:
    """Ways of the CPU: as it is, in half floats, one whose provider is not there, and one that fails when it loads."""
    return (
        Way("plain", options={"made": "up"}),
        Way("half", half=True, options={"made": "up"}),
        Way("not here", "CUDAExecutionProvider", {"device_id": "0"}),
        Way("unknown", "NopeExecutionProvider"),
    )


def test_the_same_chooser_picks_among_real_sessions(monkeypatch):
    monkeypatch.setattr(onnx, "groups", lambda provider, threads: [Group(real_ways(), 30.0)])
    model = create(MODELS[0])
    lines = {trial.name: trial for trial in model.trials}
    assert list(lines) == ["plain", "half", "not here", "unknown"] and model.provider in ("plain", "half")
    assert not lines["plain"].fault and lines["plain"].ms < 1e4
    assert not lines["half"].fault and 45.0 < lines["half"].psnr_db < 120.0  # other numbers, the same picture
    assert lines["not here"].fault and lines["unknown"].fault
    z = latents(1, model.card.latent)[0]
    assert psnr(model.paint(z), create(MODELS[0], "cpu").paint(z)) > 45.0
    again = create(MODELS[0], repeats=True)  # a rendering takes the first way, however fast the others are
    assert [trial.name for trial in again.trials] == ["plain"]
    assert np.array_equal(again.paint(z), onnx.OnnxGenerator(MODELS[0], real_ways()[0]).paint(z))


@pytest.mark.parametrize("path", MODELS, ids=lambda path: path.stem)
def test_models_in_half_floats_look_the_same(path):
    whole, half = create(path, "cpu"), onnx.OnnxGenerator(path, Way("half", half=True))
    assert half._session.get_outputs()[0].type == "tensor(float16)"
    for z in latents(3, whole.card.latent):
        picture = half.paint(z)
        assert picture.dtype == np.float32 and psnr(whole.paint(z), picture) > 55.0


def test_where_nothing_of_a_group_works_the_next_is_tried_and_said(monkeypatch, caplog):
    broken = Group((Way("broken", "NopeExecutionProvider"),), 5.0)
    monkeypatch.setattr(onnx, "groups", lambda provider, threads: [broken, Group((onnx.CPU,))])
    assert create(MODELS[0]).provider == "CPU"
    assert "CUDA does not work, models run on the CPU: broken:" in caplog.text
    monkeypatch.setattr(onnx, "groups", lambda provider, threads: [broken])
    with pytest.raises(Fault, match="CUDA does not work here: broken:"):
        create(MODELS[0], "cuda")


def test_asking_for_what_is_not_here_says_what_is_missing(monkeypatch):
    monkeypatch.setattr(providers, "driver", lambda: False)
    monkeypatch.setattr(providers.ort, "get_available_providers", lambda: ["CPUExecutionProvider"])
    assert [group.ways for group in providers.groups("auto", 1)] == [(onnx.CPU,)]
    for name, told in {
        "cuda": "NVIDIA driver",
        "tensorrt": "pip install tensorrt",
        "openvino": "pip install onnxruntime-openvino",
        "coreml": "there are auto, cpu, cuda",
    }.items():
        with pytest.raises(Fault, match=told):
            providers.groups(name, 1)


def test_with_a_card_all_its_ways_come_before_the_processor(monkeypatch, tmp_path):
    monkeypatch.setattr(providers, "driver", lambda: True)
    monkeypatch.setattr(folders, "cache", lambda: tmp_path)
    monkeypatch.setattr(
        providers.ort,
        "get_available_providers",
        lambda: [
            "TensorrtExecutionProvider",
            "CUDAExecutionProvider",
            "OpenVINOExecutionProvider",
            "CPUExecutionProvider",
        ],
    )
    first, last = providers.groups("auto", 1)
    assert [way.name for way in first.ways][:2] == ["CUDA", "CUDA graph"] and last.ways == (onnx.CPU,)
    assert all(
        way.device == "cuda" and (way.options.get("enable_cuda_graph") == "1") is way.graph for way in first.ways
    )
    (plain,) = providers.steady(first).ways
    assert (plain.name, plain.graph, plain.half) == ("CUDA", False, False)
    assert plain.options["cudnn_conv_algo_search"] == "DEFAULT" != first.ways[0].options["cudnn_conv_algo_search"]
    assert providers.steady(last) == last
    (only,) = providers.groups("tensorrt", 1)
    assert only.budget_s > first.budget_s and only.ways[0].options["trt_engine_cache_path"] == str(tmp_path / "engines")
    (intel,) = providers.groups("openvino", 3)
    assert intel.ways[0].options == {"device_type": "CPU", "num_of_threads": "3"}


def test_the_session_tells_on_which_provider_its_operators_lie():
    options = providers.ort.SessionOptions()
    options.add_session_config_entry(providers.RECORD, "1")
    session = providers.opened(str(MODELS[0]), onnx.CPU, options)
    assert set(providers.placed(session)) <= {"CPUExecutionProvider"}
    assert not providers.placed(providers.opened(str(MODELS[0]), onnx.CPU, providers.ort.SessionOptions()))


def test_doctor_tells_what_of_the_way_over_a_card_is_there(monkeypatch):
    from performer.cli import doctor

    monkeypatch.setattr(onnx, "driver", lambda: False)
    (found,) = doctor._card({"CPU"})
    assert found.ok and "no NVIDIA driver" in found.note
    monkeypatch.setattr(onnx, "driver", lambda: True)
    monkeypatch.setattr(doctor.importlib.util, "find_spec", lambda name: None)
    parts = {finding.part: finding for finding in doctor._card({"CPU"})}
    assert set(parts) == {"cuda", "sharing", "half"} and not any(finding.ok for finding in parts.values())
    assert all("install" in finding.mend and "cuda" in finding.mend for finding in parts.values())
    monkeypatch.setattr(doctor.importlib.util, "find_spec", lambda name: object())
    assert all(finding.ok for finding in doctor._card({"CUDA half graph"}))
