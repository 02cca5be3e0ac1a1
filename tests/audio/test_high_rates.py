"""Rates beyond 192 kHz: heard as others are, without longer sums than those."""

from __future__ import annotations

import numpy as np
import pytest
from parts.hearing import hear, kicks, values_of

from performer.audio.analyzer import Analyzer
from performer.audio.decimate import Decimator, factor
from performer.audio.downmix import PIECE, Mixer
from performer.types.features import BANDS, HEAD

HIGH = (250_000, 352_800, 384_000, 705_600, 768_000)


@pytest.mark.parametrize("rate", HIGH)
def test_no_sum_is_so_long_that_blas_cuts_it_up(rate: int) -> None:
    analyzer = Analyzer(rate)
    assert 48_000 < rate / factor(rate) <= 96_000
    assert analyzer.hop / rate <= 0.0085 and analyzer.hop <= PIECE
    assert analyzer._spectrum.size <= 8192 and analyzer._spectrum.hop == analyzer.hop // factor(rate)


def test_up_to_192_khz_nothing_is_changed() -> None:
    assert [factor(rate) for rate in (8_000, 48_000, 96_000, 192_000)] == [1, 1, 1, 1]


@pytest.mark.parametrize("rate", (352_800, 384_000))
def test_the_same_song_at_a_high_rate_is_heard_the_same(rate: int) -> None:
    usual, low = hear(kicks(rate // 4, 120.0, 6.0), rate // 4)
    there, high = hear(kicks(rate, 120.0, 6.0), rate)
    bpm, onsets = HEAD.index("bpm"), HEAD.index("onsets")
    assert high[-1, 0] == pytest.approx(low[-1, 0], abs=0.01)
    assert high[-1, bpm] == pytest.approx(low[-1, bpm], abs=0.5) and low[-1, bpm] > 0.0
    assert high[-1, onsets] == low[-1, onsets]
    n = min(len(low), len(high))
    assert np.abs(high[:n, -BANDS:] - low[:n, -BANDS:]).mean() < 0.02
    assert np.abs(values_of(high, there, "bass")[:n] - values_of(low, usual, "bass")[:n]).mean() < 0.02


@pytest.mark.parametrize("several", (4, 8, 16))
def test_what_is_heard_passes_and_what_is_not_leaves_no_alias(several: int) -> None:
    length, rate = 512 * several, 96_000 * several

    def level_db(hz: float) -> float:
        made = Decimator(several, length)
        sound = np.sin(2 * np.pi * hz * np.arange(4 * length) / rate).astype(np.float32)
        out = [made.push(sound[at : at + length]).copy() for at in range(0, len(sound), length)]
        return 20.0 * np.log10(np.std(np.concatenate(out[1:])) * np.sqrt(2.0) + 1e-12)

    for hz in (20.0, 1_000.0, 16_000.0, 30_000.0):
        assert abs(level_db(hz)) < 0.1 if hz > 100.0 else level_db(hz) < 1.0
    for hz in (70_000.0, 95_000.0, 96_500.0, 150_000.0):
        assert level_db(hz) < -65.0


def test_a_long_block_of_many_channels_is_mixed_piece_by_piece() -> None:
    sound = np.random.default_rng(1).standard_normal((4096, 40)).astype(np.float32) * 0.1
    step = PIECE // 40
    one, other = Mixer(48_000, 40), Mixer(48_000, 40)
    np.testing.assert_array_equal(
        one.mix(sound), np.concatenate([other.mix(sound[at : at + step]) for at in range(0, len(sound), step)])
    )
