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
    let_go = [event for event in decoder.feed([0xB0, 123, 0], 1.0) if event.address.startswith("midi.note")]
    assert [(event.address, event.value, event.text, event.t) for event in let_go] == [("midi.note60", 0.0, "ch1", 1.0)]
    let_go = decoder.feed([0xB3, 120, 0], 1.5)[1:]
    assert [(event.address, event.text) for event in let_go] == [("midi.note60", "ch4")]
    decoder.feed([0x92, 61, 100], 1.6)
    assert [(event.address, event.text) for event in decoder.release(2.0)] == [("midi.note61", "ch3")]
    assert decoder.release(2.0) == []
