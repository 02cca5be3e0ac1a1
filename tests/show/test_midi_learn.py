"""Pads that press keys: taught while playing, kept in a file, and two struck together that breed."""

import numpy as np
import pytest
from parts.banks import place, show
from parts.live import headless, play_until
from parts.shows import run

from performer.content.settings import midi_bindings
from performer.io.midi.codec import Decoder
from performer.latent.sphere import unit
from performer.rig.live.rig import Rig
from performer.show.midi_learn import MidiLearn
from performer.show.show import Pads
from performer.system.errors import Fault
from performer.types.actions import LEARNABLE, Act
from performer.types.frame import ControlEvent

M = ControlEvent(0.0, "app.learn")
BLACKOUT = ControlEvent(0.0, "show.blackout")


def note(number, value=0.8, channel=10):
    return ControlEvent(0.0, f"midi.note{number}", value, f"ch{channel}")


def cc(value, number=20):
    return ControlEvent(0.0, f"midi.cc{number}", value, "ch1")


def addresses(learn, *events):
    return [event.address for event in step(learn, *events)]


def step(learn, *events):
    """What is no MIDI is typed."""
    return [
        made
        for event in events
        for made in (learn.step([event]) if event.address.startswith("midi.") else learn.step([], [event]))
    ]


def taught(*events):
    learn = MidiLearn({}, LEARNABLE)
    step(learn, *events)
    return learn


def test_a_pad_learns_a_key_and_then_does_it():
    learn = MidiLearn({}, LEARNABLE)
    assert addresses(learn, M) == [] and "press a key" in learn.word
    assert addresses(learn, BLACKOUT) == []  # it is being taught: no blackout now
    assert not learn.changed
    assert addresses(learn, note(40)) == ["midi.note40"] and learn.changed  # it is not done at once
    assert learn.bound == {"note40 ch10": Act("show.blackout")}
    assert addresses(learn, note(40)) == ["midi.note40", "show.blackout"]  # it goes on to routes as well
    assert addresses(learn, note(40, 0.0)) == ["midi.note40"]
    assert addresses(learn, note(40, channel=1)) == ["midi.note40"]  # the keyboard on another channel
    assert addresses(learn, BLACKOUT) == ["show.blackout"] and learn.word == ""


def test_the_same_again_takes_it_away_and_another_key_takes_its_place():
    learn = taught(M, BLACKOUT, note(40), M, ControlEvent(0.0, "show.nudge", -0.01), note(40))
    assert learn.bound == {"note40 ch10": Act("show.nudge", -0.01)}
    assert [event.value for event in learn.step([note(40)])] == [0.8, -0.01]
    step(learn, M, ControlEvent(0.0, "show.nudge", -0.01), note(40))
    assert learn.bound == {} and addresses(learn, note(40)) == ["midi.note40"]


def test_never_mind():
    learn = taught(M, M)
    assert addresses(learn, BLACKOUT, note(40)) == ["show.blackout", "midi.note40"]
    learn = taught(M, BLACKOUT, M)
    assert addresses(learn, note(40)) == ["midi.note40"] and learn.bound == {}


def test_a_controllers_button_counts_once_a_press():
    learn = MidiLearn({"cc20 ch1": Act("show.tap"), "note41": Act("show.next")}, LEARNABLE)
    assert addresses(learn, cc(0.1), cc(0.7), cc(1.0)) == ["midi.cc20", "midi.cc20", "show.tap", "midi.cc20"]
    assert addresses(learn, cc(0.0), cc(1.0)) == ["midi.cc20", "midi.cc20", "show.tap"]
    assert addresses(learn, note(41), note(41, channel=3)) == ["midi.note41", "show.next"] * 2  # on any channel


def test_nothing_that_ends_a_show_can_be_taught():
    assert "app.quit" not in LEARNABLE and "app.learn" not in LEARNABLE and {"bank.breed", "app.keep"} <= LEARNABLE
    learn = taught(M)
    assert addresses(learn, ControlEvent(0.0, "app.quit")) == ["app.quit"]


def test_what_was_taught_survives_in_its_file(tmp_path):
    path = tmp_path / "pads.toml"
    bound = {"note40 ch10": Act("bank.breed"), "cc20 ch1": Act("show.preset", 3.0)}
    midi_bindings.write(bound, LEARNABLE, path)
    assert midi_bindings.read(LEARNABLE, path) == bound and midi_bindings.read(LEARNABLE, tmp_path / "none.toml") == {}


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("pad = 3", "expected on"),
        ("[[pad]]\non = 'note1'", "expected on"),
        ("[[", "not valid TOML"),
        ("[[pad]]\non = 'note1'\ndo = 'show.blackot'", "did you mean .*show.blackout"),
        ("[[pad]]\non = 'note1'\ndo = 'app.quit'", "no 'app.quit'"),
        ("[[pad]]\non = 'note1'\ndo = 'show.tap'\nvalue = 'x'", "expected on"),
        ("[[pad]]\non = 'note1'\ndo = ['show.tap']", "expected on"),
        ("[[pad]]\non = 1\ndo = 'show.tap'", "expected on"),
        ("[[pad]]\non = 'note1'\ndo = 'show.preset'\nvalue = nan", "expected on"),
        (f"[[pad]]\non = 'note1'\ndo = 'show.preset'\nvalue = 1{'0' * 400}", "expected on"),
    ],
    ids=lambda text: text[:60],
)
def test_a_bad_file_is_one_line_and_kept_when_another_is_written(text, complaint, tmp_path, monkeypatch, caplog):
    path = tmp_path / "pads.toml"
    path.write_text(text)
    with pytest.raises(Fault, match=complaint):
        midi_bindings.read(LEARNABLE, path)
    monkeypatch.setattr(midi_bindings, "pads_path", lambda: path)
    assert midi_bindings.learned(LEARNABLE) == {} and str(path) in caplog.text
    midi_bindings.write({"note1": Act("show.tap")}, LEARNABLE)
    assert path.with_suffix(".bad").read_text() == text and "show.tap" in path.read_text()


def test_a_pad_taught_in_a_show_does_it_there_and_in_the_next(tmp_path, monkeypatch):
    monkeypatch.setattr(midi_bindings, "pads_path", lambda: tmp_path / "pads.toml")
    with Rig(headless()) as rig:
        type_keys(monkeypatch, rig, M, BLACKOUT)
        rig.loop.picture()
        rig.hands.events.put(note(40))
        assert play_until(rig, lambda: rig.loop.wiring.learn.bound)
        assert not rig.show.status.dark
        rig.hands.events.put(note(40))
        assert play_until(rig, lambda: rig.show.status.dark)
    with Rig(headless()) as rig:
        rig.hands.events.put(note(40))
        assert play_until(rig, lambda: rig.show.status.dark)


def type_keys(monkeypatch, rig, *events):
    """As if they were typed into the window."""
    typed = [*events]
    monkeypatch.setattr(rig.surface, "poll", lambda: [typed.pop(0) for _ in typed[:]])


def test_only_a_key_that_is_typed_is_taught():
    learn = taught(M)
    others = [
        ControlEvent(0.0, "midi.program", 2.0, "ch1"),
        ControlEvent(0.0, "show.preset", 2.0),
        ControlEvent(0.0, "show.tap"),
    ]  # a program change, and a tap on the control page
    assert learn.step(others) == others and learn.word == ""
    assert [event.address for event in learn.step([ControlEvent(0.0, "show.next")], [BLACKOUT])] == ["show.next"]
    step(learn, note(40))
    assert learn.bound == {"note40 ch10": Act("show.blackout")}


def test_a_button_that_was_down_when_its_cable_came_out_counts_again():
    learn, decoder = MidiLearn({"cc20 ch1": Act("show.tap")}, LEARNABLE), Decoder()
    assert [e.address for e in learn.step(decoder.feed([0xB0, 20, 127], 0.0))] == ["midi.cc20", "show.tap"]
    lost = decoder.release(1.0)
    assert learn.step(lost) == [] and not any(event.address.startswith("midi.") for event in lost), "faders stay"
    assert [e.address for e in learn.step(Decoder().feed([0xB0, 20, 127], 2.0))] == ["midi.cc20", "show.tap"]


def pad(t, number, down=True):
    return ControlEvent(t, f"midi.note{number}", float(down), "ch10")


def goal(frames):
    """The latent that the walk is held at, or glides to."""
    stops = frames[-1].scene.walks["main"].stops
    return stops[-1][0] if stops else None


def closeness(one, other):
    a, b = (unit(np.frombuffer(latent, np.float32)) for latent in (one, other))
    return float(a @ b)


def test_a_pad_struck_while_another_is_held_breeds_from_the_two():
    it, bank = show(pads=Pads(36))
    assert goal(run(it, 1.0, events=[pad(0.1, 36)])) == place(1)
    first = goal(run(it, 1.0, start=1.0, events=[pad(1.1, 38)]))
    assert first not in {p.latent for p in bank.places}
    assert max(closeness(first, place(1)), closeness(first, place(3))) > 0.5
    assert "offspring 1 of place 1 and place 3" in it.recaller.word
    second = goal(run(it, 1.0, start=2.0, events=[pad(2.1, 38, False), pad(2.2, 38)]))
    assert second not in (first, None)  # each stroke brings another one
    run(it, 0.2, start=3.0, events=[pad(3.05, 36, False), pad(3.05, 38, False)])
    assert goal(run(it, 1.0, start=3.2, events=[pad(3.3, 37)])) == place(2)  # alone again: recalled
    again, _ = show(pads=Pads(36))
    run(again, 1.0, events=[pad(0.1, 36)])
    assert goal(run(again, 1.0, start=1.0, events=[pad(1.1, 38)])) == first  # the same seed, the same child


def test_notes_without_a_place_neither_recall_nor_breed():
    it, _ = show(pads=Pads(36))
    assert goal(run(it, 0.5, events=[pad(0.1, 20), pad(0.2, 70)])) is None
    assert goal(run(it, 1.0, start=0.5, events=[pad(0.6, 37)])) == place(2)  # 70 is held still, but is no place
    assert goal(run(it, 1.0, start=1.5, events=[pad(1.6, 80)])) == place(2)


def test_a_taught_pad_breeds_from_all():
    it, bank = show()
    learn = MidiLearn({"note50 ch10": Act("bank.breed")}, LEARNABLE)
    born = goal(run(it, 1.0, events=learn.step([pad(0.1, 50)])))
    assert born is not None and born not in {p.latent for p in bank.places}


def test_a_pad_on_a_real_port_is_taught_and_then_does_it(jack, tmp_path, monkeypatch):
    monkeypatch.setattr(midi_bindings, "pads_path", lambda: tmp_path / "pads.toml")
    stick = jack.virtual_output("stick")
    try:
        with Rig(headless(midi="all", midi_api="jack")) as rig:
            learn = rig.loop.wiring.learn
            assert play_until(rig, lambda: "stick" in rig.hands.note)
            type_keys(monkeypatch, rig, M, BLACKOUT)

            def struck(done):
                stick.send_message([0x99, 40, 100])
                stick.send_message([0x89, 40, 0])
                return done()

            assert play_until(rig, lambda: struck(lambda: learn.bound))
            assert learn.bound == {"note40 ch10": Act("show.blackout")}
            assert play_until(rig, lambda: struck(lambda: rig.show.status.dark))
    finally:
        stick.close_port()
        stick.delete()
