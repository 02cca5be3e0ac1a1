"""Two decks: what is chosen waits on the other deck, and comes in by fader, by take, and on the bar."""

import pytest
from parts.scenes import TEXT, make
from parts.shows import loud, run

from performer.show.crossfader import Crossfader
from performer.show.show import Show
from performer.show.status_text import waiting
from performer.types.features import Features
from performer.types.frame import ControlEvent

SECOND = TEXT.replace("First", "Second").replace("order = 1", "order = 2")
THIRD = TEXT.replace("First", "Third").replace("order = 1", "order = 3")


def show(**more):
    return Show([make(), make(SECOND, "second"), make(THIRD, "third")], "first", **more)


def names(frame):
    return tuple(scene.preset.name if scene else None for scene in (frame.scene, frame.incoming, frame.preview))


def test_a_chosen_preset_waits_in_the_preview_and_plays_there():
    it = show()
    frames = run(
        it, 1.0, features=loud, events=[ControlEvent(0.1, "show.decks"), ControlEvent(0.2, "show.preset", 0, "second")]
    )
    assert names(frames[0]) == ("first", None, None)
    assert names(frames[-1]) == ("first", None, "second")
    early, late = frames[30].preview, frames[-1].preview
    assert late.number == early.number and late.walks["main"].position > early.walks["main"].position
    assert "deck A live, B: Second" in waiting(frames[-1].status) and it.coming == (it.presets[1], None)
    again = run(it, 0.2, events=[ControlEvent(1.1, "show.preset", 0, "third")], start=1.0)
    assert names(again[-1]) == ("first", None, "third")


def test_a_fader_brings_the_other_deck_in_and_they_change_places():
    it = show(crossfader="midi.cc8")
    run(it, 0.1, events=[ControlEvent(0.0, "show.preset", 0, "second")])
    moves = [ControlEvent(0.1 + i * 0.05, "midi.cc8", i / 10) for i in range(11)]
    frames = run(it, 0.7, events=moves, start=0.1)
    progress = [f.progress for f in frames if f.incoming]
    assert progress == sorted(progress) and 0.05 < progress[0] < 0.15 and progress[-1] == pytest.approx(0.9)
    assert names(frames[-1]) == ("second", None, "first")
    back = run(it, 0.3, events=[ControlEvent(0.9, "midi.cc8", 0.7)], start=0.8)
    assert names(back[-1]) == ("second", "first", None) and back[-1].progress == pytest.approx(0.3)
    # While both are seen nothing is torn away by a choice.
    same = run(it, 0.2, events=[ControlEvent(1.1, "show.preset", 0, "third")], start=1.1)
    assert names(same[-1]) == ("second", "first", None)


def test_a_take_goes_over_by_itself_in_the_time_of_the_transition():
    it = show()
    run(it, 0.2, events=[ControlEvent(0.0, "show.decks"), ControlEvent(0.1, "show.preset", 0, "second")])
    frames = run(it, 2.6, events=[ControlEvent(0.3, "show.take")], start=0.2)
    crossing = [f for f in frames if f.incoming]
    assert len(crossing) == pytest.approx(120, abs=3)  # two seconds
    assert names(frames[-1]) == ("second", None, "first")
    again = run(it, 2.6, events=[ControlEvent(3.0, "show.take")], start=2.9)
    assert names(again[-1]) == ("first", None, "second")


def test_a_take_waits_for_the_bar():
    it = show(quantise="bar")

    def heard(t):
        return loud(t, beat=t * 2.0, bar=t * 0.5, bpm=120.0, confidence=0.9)

    run(it, 4.1, features=heard, events=[ControlEvent(0.0, "show.decks"), ControlEvent(0.1, "show.preset", 0, "third")])
    frames = run(it, 3.0, features=heard, events=[ControlEvent(4.3, "show.take")], start=4.1)
    begun = next(f.t for f in frames if f.incoming)
    assert begun == pytest.approx(6.0, abs=0.06)


def test_one_deck_again():
    it = show()
    run(it, 0.2, events=[ControlEvent(0.0, "show.decks"), ControlEvent(0.1, "show.preset", 0, "second")])
    frames = run(it, 0.5, events=[ControlEvent(0.3, "show.decks")], start=0.2)
    assert names(frames[-1]) == ("first", None, None)
    changed = run(it, 0.5, events=[ControlEvent(0.8, "show.next")], start=0.7)
    assert names(changed[-1])[:2] == ("first", "second")


def test_a_controller_takes_over_where_it_meets_the_crossfader():
    fader = Crossfader()
    fader.take(0.0)
    assert fader.step(0.1) and fader.live == "B" and fader.position == 1.0
    for position in (0.3, 0.5, 0.2):
        fader.move(position)
        assert fader.position == 1.0
    for position in (0.8, 0.99, 0.6):
        fader.move(position)
    assert fader.position == 0.6 and fader.progress == pytest.approx(0.4)


def test_an_edited_preset_reaches_both_decks():
    it = show()
    run(it, 0.2, events=[ControlEvent(0.0, "show.decks"), ControlEvent(0.1, "show.preset", 0, "second")])
    edited = make(SECOND.replace("zoom = 1.02", "zoom = 1.5"), "second")
    it.replace([make(), edited, make(THIRD, "third")])
    frame = run(it, 0.1, features=lambda t: Features(t=t), start=0.2)[-1]
    assert frame.preview.preset is edited
