"""When the analysis looks for sound."""

from __future__ import annotations

import numpy as np
import pytest

from performer.rig.listener import Rhythm

HOP_S = 256 / 44_100
LOOK_S, HEAR_S = 5e-5, 3e-4  # what a look costs, and what it does when there is sound
SECONDS = 20.0


def looks(block: int, jitter_s: float, hops_s: float = HOP_S) -> tuple[np.ndarray, float]:
    """Blocks of so many samples come at 44.1 kHz: how late each hop was found, in hops, and looks per hop."""
    rng = np.random.default_rng(1)
    every = block / 44_100
    came = np.sort(np.arange(1, int(SECONDS / every) + 2) * every + rng.random(int(SECONDS / every) + 1) * jitter_s)
    rhythm = Rhythm(0.0)
    t, heard, count, late = 0.0, 0, 0, []
    while t < SECONDS:
        whole = int(np.searchsorted(came, t, side="right") * every / hops_s + 1e-9)
        found = whole > heard
        if found:
            late.append((t - came[int(np.ceil((heard + 1) * hops_s / every - 1e-9)) - 1]) / hops_s)
            heard = whole
        rest = rhythm.rest(t, found, hops_s)
        t += max(rest, HEAR_S if found else 0.0) + LOOK_S
        count += 1
    return np.array(late[20:]), count / (SECONDS / hops_s)


@pytest.mark.parametrize("jitter_s", (0.0, 0.002))
@pytest.mark.parametrize("block", (100, 128, 256, 441, 1024))
def test_sound_is_found_soon_after_it_came_by_few_looks(block: int, jitter_s: float) -> None:
    late, each = looks(block, jitter_s)
    assert late.mean() < 0.12 and np.quantile(late, 0.9) < 0.3
    assert each < 4.1


def test_without_sound_it_soon_looks_twice_a_hop() -> None:
    rhythm = Rhythm(0.0)
    rests = [rhythm.rest(n * 1e-3, False, HOP_S) for n in range(1000)]
    assert rests[0] < 0.2 * HOP_S and rests[-1] == HOP_S / 2
    assert sum(rests[: rests.index(HOP_S / 2)]) < 0.2


def test_after_a_pause_it_is_in_step_within_a_few_blocks() -> None:
    rhythm, t = Rhythm(0.0), 0.0
    while t < 5.0:
        t += rhythm.rest(t, False, HOP_S)
    late = []
    due = t + 1e-3
    while len(late) < 40:
        found = t >= due
        if found:
            late.append((t - due) / HOP_S)
            due += HOP_S
        t += max(rhythm.rest(t, found, HOP_S), LOOK_S)
    assert max(late) < 0.6 and max(late[5:]) < 0.15
