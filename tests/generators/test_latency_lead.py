"""Slow models: pictures are made for where the walk will be when they are seen."""

import threading
import time
from dataclasses import replace

import numpy as np
import pytest

from performer.content.models.card import load
from performer.generators.painter import Painter
from performer.generators.prediction.latency_lead import MOST_S, LatencyLead
from performer.latent.directions import Directions
from performer.rig.loading import load_library
from performer.system.mailboxes import Latest
from performer.types.features import Features, Sound
from performer.types.frame import Frame, Scene, Walk

LIBRARY = load_library()


def frame(t: float, position: float, number: int = 1, styles: tuple[Walk | None, Walk | None] = (None, None)) -> Frame:
    preset = LIBRARY.presets["undertow"]
    name = next(layer.name for layer in preset.layers if layer.model)
    walk = Walk("tour", position, 1, 1.0, styles=styles)
    return Frame(
        index=round(t * 60),
        t=t,
        dt=1 / 60,
        size=(64, 36),
        features=Features(),
        sound=Sound(),
        scene=Scene(number, preset, preset.base, {name: walk}, t),
    )


def walk_of(frame: Frame) -> Walk:
    (walk,) = frame.scene.walks.values()
    return walk


def test_a_steady_walk_is_met_where_it_will_be():
    lead = LatencyLead()
    for i in range(8):
        given = frame(0.1 * i, 0.3 * i)
        moved = walk_of(lead.ahead(given, 0.15)).position
    assert moved == pytest.approx(0.3 * 7 + 3.0 * 0.15)
    assert walk_of(lead.ahead(frame(0.8, 2.4), 60.0)).position == pytest.approx(2.4 + 3.0 * MOST_S)


def test_a_walk_that_rests_and_a_frame_without_delay_stay_the_same_objects():
    lead = LatencyLead()
    for i in range(4):
        given = frame(0.1 * i, 5.0)
        assert lead.ahead(given, 0.2) is given
    for i in range(4, 8):
        given = frame(0.1 * i, 5.0 + i)
        assert lead.ahead(given, 0.0) is given


def test_a_kick_is_no_speed_and_a_turn_is_not_overshot():
    lead, positions = LatencyLead(), [0.0, 0.1, 0.2, 1.2, 1.3, 1.4, 1.3, 1.2]
    moved = [walk_of(lead.ahead(frame(0.1 * i, at), 0.1)).position for i, at in enumerate(positions)]
    assert [m - at for m, at in zip(moved, positions, strict=True)] == pytest.approx(
        [0.0, 0.0, 0.1, 0.1, 0.1, 0.1, 0.0, -0.1]
    )


def test_another_scene_a_pause_and_the_same_frame_again_tell_no_speed():
    lead = LatencyLead()
    for i in range(5):
        lead.ahead(frame(0.1 * i, 1.0 * i), 0.1)
    same = frame(0.4, 4.0)
    assert walk_of(lead.ahead(same, 0.1)).position == pytest.approx(5.0)  # what was known is kept
    other = frame(0.5, 9.0, number=2)
    assert lead.ahead(other, 0.1) is other
    for i in range(5):
        lead.ahead(frame(1.0 + 0.1 * i, 1.0 * i), 0.1)
    late = frame(9.0, 40.0)
    assert lead.ahead(late, 0.1) is late


def test_mixed_styles_have_speeds_of_their_own():
    lead = LatencyLead()
    for i in range(5):
        styles = (Walk("drift", 2.0 * i * 0.1, 2, 1.0), None)
        moved = walk_of(lead.ahead(frame(0.1 * i, 1.0, styles=styles), 0.1))
    assert moved.position == 1.0 and moved.styles[1] is None
    assert moved.styles[0] == replace(styles[0], position=pytest.approx(0.8 + 0.2))


class Slow:
    """A model that takes its time, and notes which walks it was asked for."""

    provider, mixes, stays, mapping = "none", False, False, None

    def __init__(self) -> None:
        self.card = load(LIBRARY.models["molten"].with_suffix(".toml"))
        self.directions, self.asked = Directions((), (), np.zeros((0, self.card.latent), np.float32)), []

    def paint(self, latent, middle=None, fine=None, walk=None, offsets=()):
        self.asked.append(walk.position)
        time.sleep(0.03)
        return np.zeros((3, 8, 8), np.float32)


def test_a_slow_model_is_asked_for_what_will_be_and_a_painter_without_a_thread_for_what_is():
    model = Slow()
    painter = Painter(lambda name: model)
    painter.paint(frame(1.0, 1.0))
    painter.paint(frame(1.1, 1.4))
    painter.paint(frame(1.2, 1.8))
    assert model.asked == [1.0, 1.4, 1.8]  # offline: pictures depend on their frame alone
    model.asked.clear()
    frames, images, stop = Latest(), Latest(), threading.Event()
    thread = threading.Thread(target=painter.run, args=(frames, images, stop))
    thread.start()
    given = []
    for i in range(16):
        given.append(4.0 * i * 0.05)
        frames.post(frame(2.0 + i * 0.05, given[-1]))
        count = images.count
        while images.count == count and len(model.asked) <= i:
            time.sleep(0.005)
        images.wait(i, 5.0)
    stop.set()
    thread.join()
    assert model.asked[0] == given[0]
    lead = np.array(model.asked[-6:]) - given[-6:]
    assert (lead > 0.0).all() and (lead <= 4.0 * MOST_S + 1e-9).all()
