"""Show.step: changes crossfade, freeze and blackout hold, walks integrate, nothing depends on the frame rate."""

from itertools import pairwise

import pytest
from parts.scenes import TEXT, make
from parts.shows import SECOND, loud, run, show

from performer.show.show import RENEW_S, Show
from performer.show.status_text import modes
from performer.types.features import Features, Sound
from performer.types.frame import ControlEvent

QUIET = Features()


def test_a_change_of_preset_goes_through_its_transition():
    frames = run(show(), 4.0, events=[ControlEvent(1.0, "show.next")])
    progress = [f.progress for f in frames if f.incoming]
    assert len(progress) == pytest.approx(120, abs=2)
    assert progress == sorted(progress) and progress[0] < 0.02 and progress[-1] > 0.97
    assert frames[-1].scene.preset.name == "second" and frames[-1].incoming is None
    assert frames[-1].scene.number != frames[0].scene.number


def test_presets_are_chosen_by_number_name_and_wrap_around():
    it = show()
    run(it, 0.1, events=[ControlEvent(0.0, "show.preset", 1)])
    assert it.preset.name == "second"
    run(it, 0.1, events=[ControlEvent(0.0, "show.preset", 0, "first")])
    assert it.preset.name == "first"
    run(it, 0.1, events=[ControlEvent(0.0, "show.previous")])
    assert it.preset.name == "second"
    run(it, 0.1, events=[ControlEvent(0.0, "show.preset", 99)])
    assert it.preset.name == "second"


def test_freeze_holds_everything_but_the_index():
    it = show()
    run(it, 1.0, features=lambda t: loud(t, 1.0))
    a, *_, b = run(it, 0.5, features=lambda t: loud(t, 1.0), events=[ControlEvent(1.0, "show.freeze")], start=1.0)
    assert a.scene is b.scene and a.t == b.t and b.index > a.index and b.dt == 0.0
    moving = run(it, 0.5, features=lambda t: loud(t, 1.0), events=[ControlEvent(1.5, "show.freeze")], start=1.5)
    assert moving[-1].scene.walks["main"].position > b.scene.walks["main"].position


def test_what_was_frozen_goes_on_where_it_stood_and_so_does_a_change():
    it = show()
    before = run(it, 2.0, events=[ControlEvent(1.0, "show.next")])[-1]
    run(it, 60.0, events=[ControlEvent(2.0, "show.freeze")], start=2.0)
    after = run(it, 0.1, events=[ControlEvent(62.0, "show.freeze")], start=62.0)[0]
    assert after.scene.t == pytest.approx(before.scene.t, abs=0.05)
    assert after.incoming is not None and after.incoming.t == pytest.approx(before.incoming.t, abs=0.05)
    assert after.progress == pytest.approx(before.progress, abs=0.05)


def test_blackout_is_soft_and_comes_back():
    frames = run(show(), 3.0, events=[ControlEvent(0.5, "show.blackout"), ControlEvent(2.0, "show.blackout")])
    levels = [f.blackout for f in frames]
    assert levels[0] == 0.0 and max(levels) == 1.0 and levels[-1] < 0.01
    assert max(b - a for a, b in pairwise(levels)) < 0.2


@pytest.mark.parametrize("fps", [24, 60, 144])
def test_walks_cover_the_same_way_at_any_frame_rate(fps):
    frames = run(show(), 4.0, fps)
    assert frames[-1].scene.walks["main"].position == pytest.approx(2.0, abs=0.03)


def test_a_kick_pushes_the_walk_and_bass_moves_the_zoom():
    calm, pushed = run(show(), 1.0)[-1], run(show(), 1.0, features=lambda t: loud(t, 1.0))[-1]
    assert pushed.scene.walks["main"].position > calm.scene.walks["main"].position + 3.0
    assert pushed.scene.params["main.echo.zoom"] > 1.1 and calm.scene.params["main.echo.zoom"] == 1.02


def test_a_cc_moves_a_parameter_and_notes_are_counted():
    it = show()
    frame = run(it, 0.2, events=[ControlEvent(0.0, "midi.cc74", 0.25), ControlEvent(0.1, "midi.note60", 0.8)])[-1]
    assert frame.scene.params["master.bloom.amount"] == pytest.approx(0.25)
    assert it._midi["midi.notes"] == 1.0 and it._midi["midi.velocity"] == 0.8
    run(it, 0.2, events=[ControlEvent(0.3, "midi.note60", 0.0)], start=0.2)
    assert it._midi["midi.velocity"] == 0.0


def test_sound_that_stops_coming_fades_instead_of_standing_still():
    it = show()
    run(it, 1.0, features=lambda t: loud(t))
    frames = run(it, 2.0, features=lambda t: loud(1.0), start=1.0)
    levels = [f.features.values["bass"] for f in frames]
    assert levels[5] == pytest.approx(0.9) and levels[-1] < 0.01
    assert levels == sorted(levels, reverse=True)


def test_another_seed_is_another_walk_and_the_same_seed_the_same():
    one, same, other = (run(show(seed), 1.0)[-1] for seed in (1, 1, 2))
    assert one.scene.walks == same.scene.walks != other.scene.walks


def test_midi_clock_drives_the_beat():
    ticks = [ControlEvent(0.2, "midi.start")]
    ticks += [ControlEvent(0.2 + i * 60 / 128 / 24, "midi.clock") for i in range(24 * 16)]
    frames = run(show(), 4.0, events=ticks)
    assert frames[-1].sync == "midi" and frames[-1].features.bpm == pytest.approx(128, abs=1)
    beats = [f.features.beat for f in frames]
    assert beats == sorted(beats)
    expected = (frames[-1].t - 0.2) * 128 / 60
    assert abs((beats[-1] - expected + 0.5) % 1 - 0.5) < 0.03


def test_taps_set_the_tempo_and_the_beat_never_goes_back():
    taps = [ControlEvent(1.0 + 0.5 * i, "show.tap") for i in range(5)]
    heard = [loud(t, beat=max(0.0, t * 1.5), bpm=90.0, confidence=0.6) for t in (i / 60 for i in range(1, 400))]
    it = show()
    frames = run(it, 5.0, features=lambda t: heard[min(int(t * 60), 398)], events=taps)
    at_tap = next(f for f in frames if f.t >= 3.5)
    assert at_tap.sync == "tap" and at_tap.features.bpm == pytest.approx(120, abs=0.5)
    assert abs((at_tap.features.beat + 0.5) % 1 - 0.5) < 0.08
    beats = [f.features.beat for f in frames]
    assert all(b >= a for a, b in pairwise(beats))


def test_a_scene_that_plays_for_hours_dissolves_into_itself_so_that_its_time_stays_exact(monkeypatch):
    monkeypatch.setattr("performer.show.show.SCENE_S", 10.0)
    it = show()
    it.step(0.0, 1 / 60, (640, 360), QUIET, Sound(), [ControlEvent(0.0, "knob.main.walk.speed", 0.5)])
    frames = run(it, 40.0)
    assert max(f.scene.t for f in frames) < 10.5 + RENEW_S
    assert {f.scene.preset.name for f in frames} == {"first"} and len({f.scene.number for f in frames}) == 4
    assert all(f.progress < 1.0 and f.incoming.preset.name == "first" for f in frames if f.incoming)
    assert all(f.renewal == (f.incoming is not None) for f in frames)
    assert len([f for f in frames if f.incoming]) == pytest.approx(3 * RENEW_S * 60, abs=6)
    positions = [(f.incoming or f.scene).walks["main"].position for f in frames]
    assert all(0.0 < b - a < 0.1 for a, b in pairwise(positions)), "the walk goes on, at the pace set by hand"
    assert it.status.by_hand == {"main.walk.speed": 0.5}
    changing = run(it, 1.0, events=[ControlEvent(40.1, "show.next")], start=40.0)
    assert changing[-1].incoming is not None and not changing[-1].renewal


def test_a_scene_that_plays_for_hours_is_renewed_on_a_downbeat_and_not_at_all_when_others_take_turns(monkeypatch):
    monkeypatch.setattr("performer.show.show.SCENE_S", 10.0)
    frames = run(show(), 30.0, features=lambda t: loud(t, beat=t * 2.0, bar=t / 2.0, bpm=120.0, confidence=0.9))
    begun = [f for before, f in pairwise(frames) if f.incoming and not before.incoming]
    assert begun and all(f.features.bar % 1.0 < 0.05 for f in begun)
    events = [ControlEvent(t, "show.next") for t in (5.0, 10.0, 15.0, 20.0)]
    assert len({f.scene.number for f in run(show(), 24.0, events=events)}) == 5


def test_what_a_route_holds_for_a_phrase_is_held_when_the_scene_is_renewed(monkeypatch):
    monkeypatch.setattr("performer.show.show.SCENE_S", 5.0)
    held = TEXT + '[[route]]\nfrom = "audio.level"\nto = "master.bloom.amount"\nquantise = "phrase"\n'
    frames = run(
        Show([make(held)], "first"),
        15.0,
        features=lambda t: Features(
            t=t, beat=t * 2.0, bar=t / 2.0, bpm=120.0, confidence=0.9, values={"level": t / 20.0}
        ),
    )
    both = [
        (f.scene.params["master.bloom.amount"], f.incoming.params["master.bloom.amount"]) for f in frames if f.incoming
    ]
    assert both and all(old == new for old, new in both)


def test_media_that_cannot_be_opened_twice_just_go_on(monkeypatch):
    monkeypatch.setattr("performer.show.show.SCENE_S", 10.0)
    it = Show([make(TEXT + '[[layer]]\nname = "words"\ntext = ["one", "two"]\n')], "first")
    frames = run(it, 25.0)
    assert {f.scene.number for f in frames} == {1} and max(f.scene.t for f in frames) < 11.0
    places = [f.scene.plays["words"].position for f in frames]
    assert places == sorted(places)


def test_panic_undoes_whatever_hands_have_done_and_leaves_what_plays():
    routed = TEXT + '[[route]]\nfrom = "midi.cc74"\nto = "master.bloom.amount"\n'
    it = Show([make(routed), make(SECOND, "second")], "first", quantise="bar")
    run(it, 1.0, features=loud)
    before = it.step(1.0, 0.01, (640, 360), loud(1.0), Sound()).scene.params
    hands = [
        ControlEvent(1.1, "show.blackout"),
        ControlEvent(1.1, "midi.cc74", 1.0),
        ControlEvent(1.1, "midi.note40", 1.0),
        ControlEvent(1.1, "knob.main.echo.zoom", 1.9),
        ControlEvent(1.2, "show.freeze"),
        ControlEvent(1.2, "show.preset", 1.0),
        ControlEvent(1.2, "show.jump"),
    ]
    stuck = run(it, 1.0, features=loud, events=hands, start=1.0)[-1]
    assert it.status.dark and it.status.frozen and stuck.blackout > 0.9
    frames = run(it, 3.0, features=loud, events=[ControlEvent(2.1, "show.panic")], start=2.0)
    last = frames[-1]
    assert not it.status.dark and not it.status.frozen and last.blackout < 0.05 and it.status.by_hand == {}
    assert last.scene.preset.name == "first" and not last.incoming, "the change that waited is forgotten"
    assert last.scene.params["master.bloom.amount"] == before["master.bloom.amount"]
    assert last.scene.walks["main"].position > stuck.scene.walks["main"].position
    it.step(6.0, 0.01, (640, 360), loud(6.0), Sound(), [ControlEvent(6.0, "midi.cc74", 1.0)])
    again = it.step(6.1, 0.01, (640, 360), loud(6.1), Sound())
    assert again.scene.params["master.bloom.amount"] != before["master.bloom.amount"], "touched again, it counts again"


def test_what_comes_next_is_known():
    one, two, three = make(), make(TEXT.replace("First", "Second"), "second"), make(TEXT, "third")
    show = Show([one, two, three], "first")
    assert show.coming == (two, None)
    run(show, 0.2, events=[ControlEvent(0.1, "show.preset", 2)])
    assert show.coming == (one, None), "after the last comes the first"
    assert Show([one], "first").coming == (one, None)
    show = Show([one, two, three], "first", quantise="phrase")
    run(show, 0.2, features=loud, events=[ControlEvent(0.1, "show.preset", 2)])
    preset, beats = show.coming
    assert preset is three and 28.0 <= beats <= 32.0
    show = Show([one, two, three], "first", autopilot=16)
    run(show, 0.2, features=loud)
    preset, beats = show.coming
    assert preset is None and 60.0 <= beats <= 64.0 and "autopilot every 16 bars" in modes(show.status)
