"""MIDI files as programs write them: what is there is played, and what is odd is said."""

from __future__ import annotations

import logging
from struct import pack

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from performer.io.midi import ports as midi
from performer.io.midi.midi_file import perform
from performer.system.errors import Fault

ON, OFF = b"\x90\x3c\x64", b"\x80\x3c\x00"
END = b"\x00\xff\x2f\x00"
TWO_BEATS = b"\x00" + ON + b"\x83\x60" + OFF + b"\x00" + ON + b"\x83\x60" + OFF  # 480 ticks each


def chunk(name: bytes, body: bytes, size: int | None = None) -> bytes:
    return name + pack(">I", len(body) if size is None else size) + body


def song(*tracks: bytes, form: int = 1, count: int | None = None, division: int = 480) -> bytes:
    header = pack(">HHH", form, len(tracks) if count is None else count, division)
    return chunk(b"MThd", header) + b"".join(chunk(b"MTrk", track) for track in tracks)


def struck(data: bytes) -> list[float]:
    return [round(t, 4) for t, message in perform(data).messages if message[0] >> 4 == 9 and message[2]]


@pytest.mark.parametrize(
    "meta",
    [
        b"\xff\x59\x02\x08\x00",  # eight sharps
        b"\xff\x59\x02\x00\xff",
        b"\xff\x59\x00",
        b"\xff\x58\x02\x04\x02",
        b"\xff\x58\x00",
        b"\xff\x54\x05\xff\x00\x00\x00\x00",
        b"\xff\x51\x02\x07\xa1",  # a tempo of two bytes, and one of 0
        b"\xff\x51\x03\x00\x00\x00",
        b"\xff\x20\x00",
        b"\xff\x03\x04\xff\xfe\x81\x00",  # text in no encoding
        b"\xff\x7f\x00",
        b"\xff\x60\x01\x05",
        b"\xf0\x05\x7e\x7f\x09\x01\xf7",
        b"\xf7\x02\x01\xf7",
    ],
)
def test_what_no_show_needs_does_no_harm_even_amid_a_running_status(meta):
    track = b"\x00" + meta + b"\x00" + ON + b"\x83\x60\x3c\x00\x00" + meta + b"\x83\x60\x3c\x64" + END
    assert struck(song(track)) == [0.0, 1.0]


@pytest.mark.parametrize(
    ("division", "seconds"),
    [
        (0xE728, 480 / 25 / 40),
        (0xE250, 480 / 30 / 80),
        (0xE804, 480 / 24 / 4),
        (0xE350, 480 / (30000 / 1001) / 80),
        (96, 2.5),
    ],
)
def test_ticks_may_be_parts_of_a_frame(division, seconds):
    assert struck(song(TWO_BEATS + END, division=division)) == [0.0, round(seconds, 4)]


def test_tempi_of_any_track_count_for_all():
    tempi = b"\x00\xff\x51\x03\x0f\x42\x40\x83\x60\xff\x51\x03\x07\xa1\x20" + END
    assert struck(song(tempi, TWO_BEATS + b"\x83\x60" + ON + END)) == [0.0, 1.0, 2.0]


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (song(TWO_BEATS + END, count=0), "says that it is empty; 1 track"),
        (song(TWO_BEATS + END, count=5), "says 5 tracks, it holds 1"),
        (song(TWO_BEATS), ""),  # no end mark
        (song(b"", TWO_BEATS + END), ""),
        (song(TWO_BEATS + END + TWO_BEATS), ""),
        (song(TWO_BEATS + END, form=2), ""),
        (song(TWO_BEATS + END, form=7), "format 7 is unknown"),
        (song(TWO_BEATS + END)[:-9], "cut off"),
        (song(TWO_BEATS + END) + b"\0\0\0", ""),
        (chunk(b"MThd", pack(">HHHI", 1, 1, 480, 7)) + chunk(b"MTrk", TWO_BEATS + END), ""),
        (song(count=1) + chunk(b"XFIH", b"abcde") + chunk(b"MTrk", TWO_BEATS + END) + chunk(b"XFKM", b"x"), ""),
        (song(count=1) + chunk(b"MTrk", TWO_BEATS + END, 99), "cut off"),
        (song(count=1) + chunk(b"MTrk", TWO_BEATS + END, 6), "wrong length"),
        (b"\0" * 128 + song(TWO_BEATS + END), "128 bytes before its header"),
        (song(TWO_BEATS + b"\x00\x90\x3c"), "damaged"),
        (song(TWO_BEATS + b"\x83\x60\xff\x01\x7fcut"), "damaged"),
    ],
)
def test_what_is_there_is_played_and_the_rest_is_said(data, said):
    assert struck(data) == [0.0, 0.5]
    assert said in "; ".join(perform(data).notes) and bool(said) == bool(perform(data).notes)


@pytest.mark.parametrize("size", [0, 6, 99])
def test_a_track_after_one_of_wrong_length_is_found(size):
    body = TWO_BEATS + END
    assert struck(song(count=2) + chunk(b"MTrk", body, size) + chunk(b"MTrk", body)) == [0.0, 0.0, 0.5, 0.5]


@pytest.mark.parametrize("first", [b"", b"DISP\x03\0\0\0abc\0", b"DISP\x03\0\0\0abc"])
@pytest.mark.parametrize("more", [0, 1])
def test_a_file_wrapped_into_riff_is_read(first, more):
    inner = song(b"\x00\xff\x01" + bytes((more,)) + b"x" * more + TWO_BEATS + END)
    body = b"RMID" + first + b"data" + pack("<I", len(inner)) + inner + b"\0" * (len(inner) % 2)
    assert struck(b"RIFF" + pack("<I", len(body) + 1) + body) == [0.0, 0.5]


def test_patterns_that_do_not_belong_together_are_played_one_after_another():
    data = song(TWO_BEATS + END, TWO_BEATS + END, form=2)
    assert struck(data) == [0.0, 0.5, 1.0, 1.5] and "one after another" in perform(data).notes[0]


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "is empty"),
        (b"la la la", "no MIDI header"),
        (b"MThd\0\0\0\6\0\1\0", "breaks off in its header"),
        (song(count=0), "holds no track"),
        (song(TWO_BEATS, division=0), "0 ticks in a quarter note"),
        (song(TWO_BEATS, division=0xE700), "0 ticks in a frame"),
    ],
)
def test_what_cannot_be_read_is_one_line(tmp_path, data, said):
    (tmp_path / "bad.mid").write_bytes(data)
    with pytest.raises(Fault, match=said) as raised:
        midi.events(str(tmp_path / "bad.mid"))
    assert "bad.mid" in str(raised.value) and "\n" not in str(raised.value)


def test_keys_that_a_cut_file_holds_are_let_go_at_its_end(tmp_path, caplog):
    path = tmp_path / "cut.mid"
    path.write_bytes(song(b"\x00" + ON + b"\x83\x60\x90\x40\x64\x83\x60\x80"))
    with caplog.at_level(logging.WARNING):
        events = midi.events(str(path))
    assert [(e.address, e.value > 0.0, e.t) for e in events] == [
        ("midi.note60", True, 0.0),
        ("midi.note64", True, 0.5),
        ("midi.note60", False, 0.5),
        ("midi.note64", False, 0.5),
    ]
    assert "cut.mid: track 1 is damaged" in caplog.text


@settings(deadline=None)
@given(st.binary(max_size=120), st.integers(0, 60))
def test_any_bytes_are_read_or_refused(data, at):
    whole = song(TWO_BEATS + END, TWO_BEATS + END)
    for tried in (data, whole[:at] + data + whole[at:], whole[:at] + data):
        try:
            played = perform(tried)
        except Fault:
            continue
        times = [t for t, _ in played.messages]
        assert times == sorted(times) and all(t >= 0.0 for t in times)
