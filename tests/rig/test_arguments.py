"""Rates and channels as people write them."""

from fractions import Fraction

import pytest

from performer.rig.arguments import fps_of, program_channel
from performer.system.errors import Fault


def test_rates_and_channels():
    assert fps_of("30000/1001", 240) == Fraction(30000, 1001) and fps_of("29.97", 240) == Fraction("29.97")
    assert [program_channel(text) for text in ("all", "OFF", "1", "16", "010"[1:])] == [0, None, 1, 16, 10]


@pytest.mark.parametrize("text", ["0", "241", "0.5", "30/0", "fast", "1" * 500])
def test_a_bad_rate_is_one_line(text):
    with pytest.raises(Fault, match=r"--fps '.{0,50}: expected 1 to 240 frames per second, such as 60, 29.97"):
        fps_of(text, 240)


@pytest.mark.parametrize("text", ["0", "17", "ch3", "", "١"])
def test_a_bad_channel_is_one_line(text):
    with pytest.raises(Fault, match=r"--program-channel .*: expected 1 to 16, all or off"):
        program_channel(text)
