"""What begins and ends between two pictures is seen: by routes, by event inputs, and in recorded moves."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from parts.scenes import TEXT, make

from performer.audio.control_features import NAMES
from performer.io.midi.codec import Decoder
from performer.io.record.moves import MovesRecorder, read
from performer.show.gestures import Gestures
from performer.show.show import Show
from performer.system.mailboxes import Ring
from performer.types.features import Features, Sound
from performer.types.frame import ControlEvent

ROUTED = (
    TEXT
    + '[[route]]\nfrom = "midi.note60"\nto = "top.mix.opacity"\nrange = [0.0, 1.0]\n'
    + '[[route]]\nfrom = "SOURCE"\nto = "main.echo.hit"\n'
)


def seen(*pictures: list[tuple[str, float]], of: str) -> list[float]:
    """What each picture shows of a control, given the messages before it."""
    gestures, shown = Gestures(), []
    for messages in pictures:
        gestures.begin()
        for address, value in messages:
            gestures.take(address, value)
        gestures.end()
        shown.append(gestures.values.get(of, 0.0))
    return shown


@pytest.mark.parametrize(
    ("control", "pictures", "shown"),
    [
        ("midi.note60", [[0.8, 0.0], [], []], [0.8, 0.0, 0.0]),
        ("midi.note60", [[0.8, 0.0, 0.3], []], [0.8, 0.3]),
        ("midi.note60", [[0.8], [0.0, 0.5, 0.0], []], [0.8, 0.5, 0.0]),
        ("midi.note60", [[0.8, 0.0], [0.4, 0.0], []], [0.8, 0.4, 0.0]),
        ("midi.note60", [[1.0], [0.0], []], [1.0, 0.0, 0.0]),
        ("midi.cc64", [[1.0, 0.0], []], [1.0, 0.0]),
        ("midi.cc64", [[1.0], [0.0, 1.0], []], [1.0, 0.0, 1.0]),
        ("midi.cc64", [[1.0], [0.0, 1.0, 0.0], []], [1.0, 1.0, 0.0]),
        ("midi.bend", [[0.5], [0.2, 0.0, 0.3, 0.5], []], [0.5, 0.0, 0.5]),
        ("midi.pressure", [[0.3, 0.9, 0.0], []], [0.9, 0.0]),
        ("midi.touch60", [[0.3, 0.0], []], [0.3, 0.0]),
        ("midi.cc1", [[0.2, 0.4, 0.7], [0.9, 0.95, 0.2]], [0.7, 0.95]),
        ("midi.cc1", [[0.2], [0.3, 0.4, 0.5], []], [0.2, 0.5, 0.5]),
        ("midi.cc1", [[64 / 128], [63 / 128, 63.9 / 128], []], [0.5, 63.9 / 128, 63.9 / 128]),
    ],
)
def test_a_picture_shows_what_was_passed_in_going_and_the_next_one_where_it_is(control, pictures, shown):
    assert seen(*[[(control, value) for value in picture] for picture in pictures], of=control) == shown


@settings(deadline=None)
@given(st.lists(st.tuples(st.floats(0.0, 1.0), st.booleans()), max_size=40))
def test_presses_are_counted_however_messages_fall_into_pictures(moves):
    at_once, one_by_one = Gestures(), Gestures()
    for value, picture in moves:
        one_by_one.begin()
        one_by_one.take("midi.cc64", value)
        one_by_one.end()
        at_once.take("midi.cc64", value)
        if picture:
            at_once.end()
            at_once.begin()
    at_once.end()
    at_once.begin()
    assert at_once.presses == one_by_one.presses
    assert at_once.values.get("midi.cc64") == (moves[-1][0] if moves else None)


def test_a_fader_of_fourteen_bits_shows_no_gesture_between_its_two_messages():
    decoder, gestures = Decoder(), Gestures()
    for step, value in enumerate(range(16383, 0, -90)):
        gestures.begin()
        for event in decoder.feed((0xB0, 1, value >> 7, 33, value & 127), step * 0.01):
            gestures.take(event.address, event.value)
        gestures.end()
        assert gestures.values["midi.cc1"] == pytest.approx(value / 16383, abs=1e-6)


def show(source: str = "midi.note60") -> Show:
    return Show([make(ROUTED.replace("SOURCE", source))], "first")


def steps(it: Show, *pictures: list[tuple[str, float]], start: int = 0):
    frames = []
    for i, messages in enumerate(pictures, start):
        t = (i + 1) / 30
        events = [ControlEvent(t - 0.02, address, value) for address, value in messages]
        frames.append(it.step(t, 1 / 30, (64, 36), Features(t=t), Sound(), events))
    return frames


STROKE = [("midi.note60", 0.8), ("midi.note60", 0.0)]


def test_every_stroke_reaches_routes_and_event_inputs_the_first_too():
    frames = steps(show(), [], STROKE, [], STROKE, STROKE, [*STROKE, *STROKE], [])
    assert [round(f.scene.params["top.mix.opacity"], 3) for f in frames[1:]] == [0.8, 0.0, 0.8, 0.8, 0.8, 0.0]
    assert [f.scene.params["main.echo.hit"] for f in frames] == [0.0, 1.0, 1.0, 2.0, 3.0, 5.0, 5.0]


@pytest.mark.parametrize("source", ["midi.cc64", "midi.velocity", "midi.touch60", "midi.pressure", "midi.bend"])
def test_presses_of_any_control_reach_event_inputs(source):
    address = "midi.note60" if source == "midi.velocity" else source
    press = [(address, 1.0), (address, 0.0)]
    frames = steps(show(source), [], press, [], [*press, *press], [])
    assert [f.scene.params["main.echo.hit"] for f in frames] == [0.0, 1.0, 1.0, 3.0, 3.0]


def test_the_first_note_is_counted_where_notes_are():
    frames = steps(show("midi.notes"), [], STROKE, [])
    assert [f.scene.params["main.echo.hit"] for f in frames] == [0.0, 1.0, 1.0]


def test_velocity_is_seen_of_a_stroke_that_is_over():
    it = show()
    steps(it, STROKE)
    assert it._midi["midi.velocity"] == 0.8
    steps(it, [], start=1)
    assert it._midi["midi.velocity"] == 0.0


def test_panic_and_a_new_scene_take_no_event_back_and_fire_none():
    it = show()
    steps(it, STROKE, STROKE)
    frames = steps(it, [("show.panic", 1.0)], [("show.preset", 0.0)], [], STROKE, start=2)
    assert frames[0].scene.params["main.echo.hit"] == 2.0
    hits = [f.incoming.params["main.echo.hit"] for f in frames[1:] if f.incoming is not None]
    assert hits == [0.0, 0.0, 1.0]


def test_a_note_during_a_freeze_does_not_stand_after_it():
    it = show()
    steps(it, [], [("show.freeze", 1.0)], STROKE, [])
    frames = steps(it, [("show.freeze", 1.0)], start=4)
    assert frames[0].scene.params["top.mix.opacity"] == 0.0


def test_recorded_moves_have_what_came_and_went(tmp_path):
    ticks, it = Ring(64, 1 + len(NAMES), np.float64), show()
    recorder = MovesRecorder(tmp_path / "hands.npz", ticks)
    for i, messages in enumerate(([], STROKE, [], [])):
        t = (i + 1) / 30
        events = [ControlEvent(t, address, value) for address, value in messages]
        recorder.offer(t, it.step(t, 1 / 30, (64, 36), Features(t=t), Sound(), events), events)
        ticks.write(np.array([[t, *[0.0] * len(NAMES)]]), t)
    recorder.finish()
    moves = read(tmp_path / "hands.npz")
    struck = moves.moves[:, moves.knobs.index("midi.note60")]
    assert struck[1] == pytest.approx(0.8) and struck[-1] == 0.0
