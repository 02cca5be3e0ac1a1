"""The way of a picture from model to screen: memory that is used again, and never changes under whoever keeps it."""

import gc

import numpy as np
import pytest

from performer.app import load_library
from performer.generators.binding import Bound
from performer.generators.layout import planar
from performer.generators.loan import MOST, Loans
from performer.generators.onnx import create

MODELS = sorted(load_library().models.values())
RNG = np.random.default_rng(7)


def latents(count: int, dim: int = 64) -> list[np.ndarray]:
    return [RNG.standard_normal(dim).astype(np.float32) for _ in range(count)]


def test_memory_is_lent_again_only_when_nobody_looks_at_it():
    loans = Loans((3, 4), np.float32)
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
    loans = Loans((2,), np.float32)
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
