"""MIDI bytes -> events: every kind of message, running status, 14 bits, and whatever rubbish a cable brings."""

import logging

import pytest
from hypothesis import given
from hypothesis import strategies as st

from performer.io.midi.codec import AT_ONCE_S, Decoder


def heard(*data: int, t: float = 1.0):
    return [(e.address, e.value, e.text) for e in Decoder().feed(data, t)]


@pytest.mark.parametrize(
    ("data", "events"),
    [
        ((0x90, 60, 127), [("midi.note60", 1.0, "ch1")]),
        ((0x9F, 60, 0), [("midi.note60", 0.0, "ch16")]),
        ((0x82, 60, 64), [("midi.note60", 0.0, "ch3")]),
        ((0xA0, 61, 127), [("midi.touch61", 1.0, "ch1")]),
        ((0xB0, 74, 127), [("midi.cc74", 1.0, "ch1")]),
        ((0xC1, 5), [("midi.program", 5.0, "ch2"), ("show.preset", 5.0, "")]),
        ((0xD0, 127), [("midi.pressure", 1.0, "ch1")]),
        ((0xE0, 0x7F, 0x7F), [("midi.bend", 1.0, "ch1")]),
        ((0xE0, 0, 0), [("midi.bend", 0.0, "ch1")]),
        ((0xF2, 4, 1), [("midi.position", 132.0, "")]),
        (
            (0xF8, 0xFA, 0xFB, 0xFC),
            [("midi.clock", 1.0, ""), ("midi.start", 1.0, ""), ("midi.continue", 1.0, ""), ("midi.stop", 1.0, "")],
        ),
        ((0xFE, 0xFF, 0xF6), []),
    ],
)
def test_messages(data, events):
    assert heard(*data) == events


def test_the_middle_of_the_bend_is_a_half():
    assert heard(0xE0, 0, 0x40)[0][1] == pytest.approx(0.5, abs=1e-4)


@given(st.lists(st.tuples(st.integers(0, 127), st.integers(0, 127)), min_size=1, max_size=20), st.integers(0, 15))
def test_running_status_reads_as_if_each_message_had_its_own(notes, channel):
    status = 0x90 | channel
    short = [status] + [byte for note in notes for byte in note]
    full = [byte for note in notes for byte in (status, *note)]
    assert heard(*short) == heard(*full) and len(heard(*short)) == len(notes)


@given(st.lists(st.integers(0, 127), max_size=40), st.integers(0, 3))
def test_real_time_bytes_may_fall_anywhere_even_inside_a_message(exclusive, at):
    message = [0x90, 60, 100]
    message.insert(min(at, 2) + 1 if at < 3 else 0, 0xF8)
    events = heard(0xF0, *exclusive, 0xF7, *message)
    assert sorted(address for address, _, _ in events) == ["midi.clock", "midi.note60"]


@given(st.binary(max_size=400))
def test_any_bytes_give_sound_events_and_never_an_error(data):
    decoder = Decoder()
    for event in decoder.feed(data, 2.0):
        assert event.t == 2.0 and event.address.startswith(("midi.", "show.preset"))
        top = {"midi.position": 16383.0, "midi.program": 127.0, "show.preset": 127.0}.get(event.address, 1.0)
        assert 0.0 <= event.value <= top
    after = decoder.feed((0xF7, 0x90, 60, 127), 3.0)
    assert ("midi.note60", 1.0) in [(e.address, e.value) for e in after], "it finds its way back"


@given(st.binary(max_size=200), st.integers(1, 7))
def test_how_the_bytes_are_cut_does_not_matter(data, size):
    whole, cut = Decoder(), Decoder()
    pieces = [event for at in range(0, len(data), size) for event in cut.feed(data[at : at + size], 0.0)]
    assert pieces == whole.feed(data, 0.0)


def test_malformed_bytes_are_reported_once(caplog):
    decoder = Decoder("keys")
    with caplog.at_level(logging.WARNING):
        for _ in range(50):
            assert decoder.feed((1, 2, 3), 0.0) == []
    assert len(caplog.records) == 1 and "keys" in caplog.text


@given(st.integers(0, 31), st.integers(0, 127), st.integers(0, 127))
def test_a_low_part_that_follows_at_once_gives_fourteen_bits(number, high, low):
    events = heard(0xB0, number, high, number + 32, low)
    assert [address for address, _, _ in events] == [f"midi.cc{number}"] * 2
    assert events[1][1] == pytest.approx((high * 128 + low) / 16383)


def test_a_fourteen_bit_controller_is_monotone_once_it_is_known():
    decoder, values = Decoder(), []
    for i, value in enumerate(range(0, 16384, 37)):
        values += [e.value for e in decoder.feed((0xB0, 1, value >> 7, 33, value & 127), i * 0.01)][-1:]
    assert values == sorted(values)
    alone = decoder.feed((0xB0, 33, 5), 1000.0)
    assert alone[0].address == "midi.cc1", "a small move may send the low part only"


def test_a_button_numbered_thirty_two_above_a_fader_stays_a_button():
    decoder = Decoder()
    decoder.feed((0xB0, 0, 64), 0.0)
    (event,) = decoder.feed((0xB0, 32, 127), 4 * AT_ONCE_S)
    assert (event.address, event.value) == ("midi.cc32", 1.0)


def test_all_notes_off_lets_go_of_every_key_of_its_channel():
    decoder = Decoder()
    decoder.feed([0x90, 60, 100, 64, 100, 0x93, 60, 100, 0x80, 64, 0], 0.0)
    release = [event for event in decoder.feed([0xB0, 123, 0], 1.0) if event.address.startswith("midi.note")]
    (off,) = release
    assert (off.address, off.value, off.text, off.t) == ("midi.note60", 0.0, "ch1", 1.0)
    release = decoder.feed([0xB3, 120, 0], 1.5)[1:]
    assert [(event.address, event.text) for event in release] == [("midi.note60", "ch4")]
    decoder.feed([0x92, 61, 100], 1.6)
    assert [(event.address, event.text) for event in decoder.release(2.0)] == [("midi.note61", "ch3")]
    assert decoder.release(2.0) == []


def said(decoder: Decoder, *messages: tuple[float, int, int]) -> list[tuple[str, float]]:
    """Of controllers (seconds, number, value): addresses and values."""
    return [(e.address, e.value) for t, number, value in messages for e in decoder.feed((0xB0, number, value), t)]


@pytest.mark.parametrize(("high", "low"), [(17, 49), (13, 45), (1, 33), (0, 32), (31, 63)])
@pytest.mark.parametrize("apart", [0.02, 0.008, 0.004, 0.001])
@pytest.mark.parametrize(("one", "two"), [(1, -1), (1, 1), (2, 3), (-1, 5)])
@pytest.mark.parametrize("first", [0, 1])
def test_two_knobs_that_turn_at_once_stay_two(high, low, apart, one, two, first):
    decoder, t = Decoder("desk"), 0.0
    for k in range(12):
        pair = [(high, 60 + one * k), (low, 64 + two * k)]
        for number, value in (pair, pair[::-1])[first]:
            t += apart
            events = said(decoder, (t, number, value))
            assert k < 2 or events == [(f"midi.cc{number}", value / 127.0)]
    assert said(decoder, (t + 10.0, low, 127), (t + 10.5, high, 5)) == [
        (f"midi.cc{low}", 1.0),
        (f"midi.cc{high}", 5 / 127),
    ]


def test_two_knobs_of_one_scan_are_two_as_soon_as_one_of_them_turns_alone():
    decoder, t = Decoder("desk"), 0.0
    for k in range(30):
        t += 0.01
        said(decoder, (t, 17, 40 + k), (t, 49, 90 - 2 * k))
    assert said(decoder, (t + 1.0, 49, 127)) == [("midi.cc49", 1.0)]
    said(decoder, (t + 2.0, 17, 80), (t + 2.02, 17, 81))
    assert said(decoder, (t + 3.0, 17, 82), (t + 3.0, 49, 126)) == [("midi.cc17", 82 / 127), ("midi.cc49", 126 / 127)]


def test_a_desk_that_tells_all_its_knobs_at_once_has_knobs():
    decoder = Decoder("desk")
    for t in (0.0, 1.0, 2.0):
        events = said(decoder, *((t + number * 1e-4, number, 64) for number in range(120)))
        assert [address for address, _ in events] == [f"midi.cc{number}" for number in range(120)]
    assert said(decoder, (3.0, 49, 127)) == [("midi.cc49", 1.0)]


def test_one_that_was_taken_for_a_low_part_is_its_own_again_after_a_few_moves():
    decoder = Decoder("desk")
    for k in range(8):  # as by chance a controller of 14 bits would send
        said(decoder, (k * 0.1, 17, 64), (k * 0.1, 49, 10 * k))
    assert said(decoder, (5.0, 49, 30))[0][0] == "midi.cc17"
    said(decoder, *((6.0 + k * 0.02, 17, 64 + k) for k in range(5)))
    assert said(decoder, (9.0, 49, 127)) == [("midi.cc49", 1.0)]


@pytest.mark.parametrize("step", [1, 5, 37, 64, 100, 127, 128, 129, 250, 1000])
@pytest.mark.parametrize("within", [0.0, 0.0007, 0.002])
@pytest.mark.parametrize("low_first", [False, True])
@pytest.mark.parametrize("down", [False, True])
def test_controllers_of_fourteen_bits_are_read_whole_whichever_part_comes_first(step, within, low_first, down):
    decoder = Decoder()
    values = list(range(0, 16384, step))[: 16384 // step][:400]
    for k, value in enumerate(values[::-1] if down else values):
        parts = [(1, value >> 7), (33, value & 127)]
        first, second = parts[::-1] if low_first else parts
        events = said(decoder, (k * 0.02, *first), (k * 0.02 + within, *second))
        assert events[-1] == ("midi.cc1", pytest.approx(value / 16383))


def test_a_fine_turn_may_send_the_low_part_alone_for_long():
    decoder, last = Decoder(), None
    for k, value in enumerate(range(4000, 9000, 3)):
        parts = [(1, value >> 7)] if last is None or value >> 7 != last >> 7 else []
        events = said(decoder, *((k * 0.03, *part) for part in [*parts, (33, value & 127)]))
        last = value
        assert k < 600 or events[-1] == ("midi.cc1", pytest.approx(value / 16383))


def test_program_changes_select_presets_on_the_channels_that_may():
    def presets(programs: int | None) -> list[float]:
        events = Decoder("song", programs).feed((0xC0, 5, 0xC9, 7), 0.0)
        assert sum(e.address == "midi.program" for e in events) == 2
        return [e.value for e in events if e.address == "show.preset"]

    assert (presets(0), presets(10), presets(3), presets(None)) == ([5.0, 7.0], [7.0], [], [])
