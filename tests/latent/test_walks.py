"""Walks stay on the sphere, are continuous and seekable, and differ by seed."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from performer.latent.sphere import point, slerp, unit
from performer.latent.walks import WALKS, latent

positions = st.floats(-50, 5000, allow_nan=False)
kinds = st.sampled_from(sorted(WALKS))


@given(kinds, positions, st.integers(-(2**40), 2**40), st.integers(2, 128))
def test_every_position_is_on_the_unit_sphere(kind, position, seed, dim):
    at = WALKS[kind](position, seed, dim)
    assert at.shape == (dim,) and at.dtype == np.float32
    assert np.linalg.norm(at) == pytest.approx(1.0, abs=2e-4)


@given(kinds, st.floats(0, 1000), st.integers(0, 1000))
def test_a_small_step_is_a_small_change(kind, position, seed):
    a, b = WALKS[kind](position, seed, 64), WALKS[kind](position + 1e-3, seed, 64)
    assert np.linalg.norm(a - b) < 0.03


@given(kinds, st.floats(0, 100), st.integers(0, 1000))
def test_a_walk_moves_and_the_seed_matters(kind, position, seed):
    assert np.linalg.norm(WALKS[kind](position, seed, 64) - WALKS[kind](position + 1.3, seed, 64)) > 0.02
    assert np.linalg.norm(WALKS[kind](position, seed, 64) - WALKS[kind](position, seed + 1, 64)) > 0.02


@given(kinds, st.floats(0, 100), st.integers(0, 1000))
def test_a_position_always_gives_the_same_place(kind, position, seed):
    assert np.array_equal(WALKS[kind](position, seed, 32), WALKS[kind](position, seed, 32))


@given(st.integers(0, 10**6), st.integers(0, 10**6), st.floats(0, 1))
def test_slerp_keeps_to_the_great_circle(i, j, amount):
    a, b = point(1, i, 16), point(2, j, 16)
    c = slerp(a, b, amount)
    assert np.linalg.norm(c) == pytest.approx(1.0, abs=1e-3)
    whole = np.arccos(np.clip(a @ b, -1, 1))
    assert np.arccos(np.clip(a @ c, -1, 1)) == pytest.approx(amount * whole, abs=2e-3)


def test_slerp_between_opposite_and_equal_points():
    a = point(0, 0, 8)
    assert np.allclose(slerp(a, a, 0.5), a, atol=1e-5)
    half = slerp(a, -a, 0.5)
    assert abs(half @ a) < 1e-5 and np.linalg.norm(half) == pytest.approx(1.0, abs=1e-5)
    assert np.linalg.norm(unit(np.zeros(4))) == 1.0


def test_hop_rests_between_beats():
    assert np.allclose(WALKS["hop"](3.5, 1, 16), WALKS["hop"](3.99, 1, 16))
    assert not np.allclose(WALKS["hop"](3.01, 1, 16), WALKS["hop"](3.3, 1, 16))


def test_truncation_draws_the_walk_home():
    home = latent("drift", 0.0, 5, 64, 0.0)
    assert np.allclose(home, latent("tour", 12.3, 5, 64, 0.0))
    near, far = latent("drift", 7.0, 5, 64, 0.2), latent("drift", 7.0, 5, 64, 1.0)
    assert np.linalg.norm(near - home) < np.linalg.norm(far - home)
    assert np.linalg.norm(near) == pytest.approx(8.0, abs=1e-2)
