"""Routes: ranges kept, time constants independent of the frame rate, events counted, sources checked."""

from math import exp

import pytest
from hypothesis import given
from hypothesis import strategies as st

from performer.show.routing import Router, Smoother
from performer.types.params import Param
from performer.types.routes import CURVES, Route, complaint

unit_floats = st.floats(0, 1)


@given(
    st.sampled_from(sorted(CURVES)),
    st.lists(st.floats(-5, 5), min_size=1, max_size=40),
    st.floats(0, 2),
    st.floats(0, 2),
    st.floats(-3, 3),
    st.floats(-3, 3),
)
def test_the_target_never_leaves_its_range(curve, inputs, attack, release, low, high):
    param = Param("zoom", default=1.0, low=-1.0, high=2.0)
    route = Route("audio.bass", "main.x.zoom", curve, (0.0, 1.0), (low, high), attack, release)
    router = Router([route], {"main.x.zoom": param}, {"main.x.zoom": 1.0})
    for i, value in enumerate(inputs):
        params, shown = router.step({"audio.bass": value}, i / 60, 1 / 60)
        assert -1.0 <= params["main.x.zoom"] <= 2.0
        assert 0.0 <= shown[0][2] <= 1.0


@given(st.sampled_from(sorted(CURVES)), unit_floats, unit_floats)
def test_curves_rise_from_0_to_1(curve, a, b):
    f = CURVES[curve].function
    assert f(0.0) == 0.0 and f(1.0) == 1.0
    assert f(min(a, b)) <= f(max(a, b))


@given(st.integers(20, 300), st.floats(0.02, 1.0))
def test_attack_and_release_are_seconds_whatever_the_frame_rate(fps, tau):
    follower = Smoother(tau, tau)
    n = max(1, round(tau * fps))
    for _ in range(n):
        follower.step(1.0, tau / n)
    assert follower.value == pytest.approx(1.0 - exp(-1.0), abs=1e-6)


def test_several_routes_add_their_offsets_from_the_base():
    param = Param("zoom", default=1.0, low=0.0, high=4.0)
    routes = [Route("audio.bass", "a.b.zoom", outside=(1.0, 1.5)), Route("midi.cc74", "a.b.zoom", outside=(1.0, 2.0))]
    router = Router(routes, {"a.b.zoom": param}, {"a.b.zoom": 1.0})
    assert router.step({"audio.bass": 1.0}, 0, 0.1)[0]["a.b.zoom"] == pytest.approx(1.5)
    assert router.step({"audio.bass": 1.0, "midi.cc74": 1.0}, 0, 0.1)[0]["a.b.zoom"] == pytest.approx(2.5)


def test_tuples_are_routed_by_component():
    param = Param("centre", "point2D", (0.5, 0.5), (0.0, 0.0), (1.0, 1.0))
    route = Route("audio.bass", "a.b.centre", outside=((0.5, 0.5), (1.0, 0.0)))
    router = Router([route], {"a.b.centre": param}, {"a.b.centre": (0.5, 0.5)})
    assert router.step({"audio.bass": 0.5}, 0, 0.1)[0]["a.b.centre"] == pytest.approx((0.75, 0.25))


def test_events_count_from_the_scene_s_start_and_levels_trigger_once():
    params = {"a.b.hit": Param("hit", "event"), "a.b.tap": Param("tap", "event")}
    routes = [Route("audio.kicks", "a.b.hit"), Route("midi.cc64", "a.b.tap")]
    router = Router(routes, params, {"a.b.hit": 0.0, "a.b.tap": 0.0})
    counts = []
    for kicks, pedal in [(41, 0.0), (41, 0.9), (42, 1.0), (44, 0.4), (44, 0.1), (44, 0.8)]:
        now, _ = router.step({"audio.kicks": kicks, "midi.cc64": pedal}, 0, 0.1)
        counts.append((now["a.b.hit"], now["a.b.tap"]))
    assert counts == [(0, 0), (0, 1), (1, 1), (3, 1), (3, 1), (3, 2)]


def test_a_silent_knob_leaves_the_base_and_nan_is_ignored():
    param = Param("zoom", default=1.0, low=0.0, high=4.0)
    router = Router([Route("midi.cc1", "a.b.zoom", outside=(0.0, 4.0))], {"a.b.zoom": param}, {"a.b.zoom": 1.5})
    assert router.step({}, 0, 0.1)[0]["a.b.zoom"] == 1.5
    assert router.step({"midi.cc1": float("nan")}, 0, 0.1)[0]["a.b.zoom"] == 1.5


@pytest.mark.parametrize(
    "good", ["audio.bass", "audio.kicks", "beat.pulse", "midi.cc74", "midi.note127", "lfo.0.25", "time", "midi.bend"]
)
def test_known_sources_are_taken(good):
    assert complaint(good, ["bass", "level"]) is None


@pytest.mark.parametrize(
    ("bad", "says"),
    [
        ("audio.bas", "did you mean 'audio.bass'"),
        ("midi.cc200", "no route"),
        ("lfo.0", "rate in hertz"),
        ("lfo.x", "rate in hertz"),
        ("bass", "no route"),
        ("lfo.nan", "rate in hertz"),
    ],
)
def test_unknown_sources_are_named_with_the_nearest(bad, says):
    assert says in complaint(bad, ["bass", "level"])


# -- soft takeover


def picked(cc, router, seconds=0.05):
    """Where the knob is after a controller stood there for a while."""
    for i in range(round(seconds * 60)):
        params, _ = router.step({} if cc is None else {"midi.cc20": cc}, i / 60, 1 / 60)
    return params["main.x.zoom"]


def picking(base=0.5, more=(), pickup=True, **route):
    routes = [Route("midi.cc20", "main.x.zoom", pickup=pickup, **route), *more]
    return Router(routes, {"main.x.zoom": Param("zoom", default=0.0, low=-1.0, high=2.0)}, {"main.x.zoom": base})


def test_a_controller_has_its_knob_only_from_where_it_has_passed_it():
    router = picking()
    assert [picked(cc, router) for cc in (None, 0.9, 0.8, 0.6)] == [0.5] * 4
    assert [picked(cc, router) for cc in (0.4, 0.9, 0.1)] == pytest.approx([0.4, 0.9, 0.1])
    assert picked(0.9, picking(pickup=False)) == pytest.approx(0.9), "at once, where nothing else is said"
    near = picking()
    assert picked(0.5 + 1.0 / 127.0, near) == pytest.approx(0.5 + 1.0 / 127.0), "it stands there already"
    turned_over = picking(0.5, outside=(1.5, -0.5))
    assert [picked(cc, turned_over) for cc in (0.1, 0.45, 0.55)] == pytest.approx([0.5, 0.5, 0.4])


def test_a_hand_on_the_page_takes_it_and_the_controller_picks_it_up_again():
    router = picking(attack=0.5, release=0.5)
    for cc in (0.4, 0.6):
        picked(cc, router, 5.0)
    router.turn("main.x.zoom", 0.2)
    assert picked(0.6, router) == pytest.approx(0.2) and router.turned() == {"main.x.zoom": pytest.approx(0.2)}
    assert picked(0.3, router) == pytest.approx(0.2)
    assert picked(0.19, router) == pytest.approx(0.19) and router.turned() == {}, "without a leap, however slow it is"
    assert picked(0.7, router, 8.0) == pytest.approx(0.7, abs=1e-3)
    router.release()  # panic
    assert picked(None, router) == 0.5 and picked(0.8, router) == 0.5


def test_what_was_picked_up_stays_so_when_the_preset_is_edited_and_music_still_moves_it():
    bass = Route("audio.bass", "main.x.zoom", outside=(0.5, 0.8))
    router = picking(more=(bass,))
    for cc in (0.6, 0.4):
        router.step({"midi.cc20": cc, "audio.bass": 1.0}, 0.0, 1 / 60)
    edited = picking(more=(bass,))
    edited.follow(router)
    params, _ = edited.step({"midi.cc20": 0.3, "audio.bass": 1.0}, 0.1, 1 / 60)
    assert params["main.x.zoom"] == pytest.approx(0.3 + 0.3)
    assert edited.resting("main.x.zoom", {"midi.cc20": 0.3, "audio.bass": 1.0}) == pytest.approx(0.3)
    fresh = picking(more=(bass,))
    assert fresh.resting("main.x.zoom", {"midi.cc20": 0.9}) == 0.5
