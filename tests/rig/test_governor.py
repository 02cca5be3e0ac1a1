"""The governor gives up quality when frames come late, and regains it without flapping."""

from itertools import pairwise

from performer.rig.live.governor import LADDER, Governor, ShaderThrottle


def drive(governor: Governor, cost, seconds: float, start: float = 0.0) -> list[int]:
    levels = []
    t = start
    while t < start + seconds:
        took = cost(governor.effort)
        t += max(took, governor.budget_s)
        governor.step(t, took)
        levels.append(governor.level)
    return levels


def test_it_steps_down_until_frames_fit_and_stays_there():
    governor = Governor(1 / 60)
    levels = drive(governor, lambda e: 0.003 + 0.030 * e.scale**2, 60.0)
    settled = levels[600:]
    assert 0 < settled[-1] < len(LADDER) - 1
    assert 0.003 + 0.030 * governor.effort.scale**2 <= governor.budget_s
    assert len([1 for a, b in pairwise(settled) if a != b]) <= 4


def test_it_regains_what_it_gave_up_when_the_load_is_gone():
    governor = Governor(1 / 60)
    drive(governor, lambda e: 0.05, 10.0)
    assert governor.level == len(LADDER) - 1
    assert governor.effort.image_interval_s > 0.1 and "images at most 8/s" in str(governor.effort)
    drive(governor, lambda e: 0.002, 120.0, start=10.0)
    assert governor.level == 0
    assert governor.effort == Governor(1 / 60).effort  # all of it: each frame may have its own image again
    assert governor.effort.image_interval_s == 0.0 and str(governor.effort) == "100% resolution"


def test_pixels_go_before_images_and_images_before_effects():
    for a, b in pairwise(LADDER):
        assert b.scale <= a.scale and b.image_interval_s >= a.image_interval_s and b.skip >= a.skip and a != b
        assert (a.scale / b.scale) ** 2 < 1.45
    assert min(e.scale for e in LADDER if e.image_interval_s <= 1 / 30) <= 0.35
    assert not any(e.skip for e in LADDER if e.image_interval_s < 1 / 12)


def climbs(levels: list[int]) -> int:
    return len([1 for a, b in pairwise(levels) if b < a])


def test_what_may_fit_is_tried_ever_more_rarely_until_the_preset_changes():
    def cost(effort):  # held up by other work rather than by pixels; only the whole resolution is too much
        return 0.017 if effort.scale == 1.0 else 0.0125

    governor = Governor(1 / 60)
    drive(governor, cost, 10.0)
    assert governor.level == 1
    early = climbs(drive(governor, cost, 100.0, start=10.0))
    late = climbs(drive(governor, cost, 100.0, start=110.0))
    assert 2 <= early <= 4 and late <= 1
    governor.forget()
    assert climbs(drive(governor, cost, 25.0, start=210.0)) >= 1


def test_a_climb_that_holds_goes_all_the_way():
    governor = Governor(1 / 60)
    drive(governor, lambda e: 0.025, 4.0)
    assert governor.level > 2
    drive(governor, lambda e: 0.011 + 0.002 * e.scale**2, 120.0, start=4.0)  # never below two thirds of the budget
    assert governor.level == 0


def test_it_waits_for_what_else_was_given_up():
    patient, alone = Governor(1 / 60), Governor(1 / 60)
    for i in range(200):
        patient.step(i / 60, 0.03)
        alone.step(i / 60, 0.03)
        if i % 30 == 29:
            patient.wait(i / 60)  # twice a second a shader is eased
    assert patient.level == 1 and alone.level > 2


def test_a_lone_slow_frame_changes_nothing():
    governor = Governor(1 / 60)
    for i in range(600):
        governor.step(i / 60, 0.2 if i == 300 else 0.005)
    assert governor.level == 0


def test_a_restless_beginning_costs_nothing_and_a_slow_one_does():
    restless, slow = Governor(1 / 60), Governor(1 / 60)
    for i in range(110):
        restless.step(i / 60, 0.025 if i % 8 == 0 else 0.009)
        slow.step(i / 60, 0.025)
    assert restless.level == 0 and slow.level > 0
    for i in range(110, 300):
        restless.step(i / 60, 0.025 if i % 8 == 0 else 0.009)
    assert restless.level > 0


def test_the_one_shader_that_is_too_slow_gives_way():
    relief = ShaderThrottle(1 / 60)
    costs = {"bloom": 0.002, "fractal": 0.012}
    assert relief.step(10.0, costs, late=False) is None
    assert relief.step(10.0, costs, late=True) == "fractal"
    assert relief.step(10.1, costs, late=True) is None  # first see what it brought
    assert relief.step(20.0, {"bloom": 0.006, "fractal": 0.007}, late=True) is None  # slow together: the governor's
    assert relief.step(30.0, {}, late=True) is None
