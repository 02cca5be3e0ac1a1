"""Smooth walks are painted ahead, several pictures in a run; what nobody foretold throws those away at once."""

import time
from dataclasses import replace

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from parts.patience import PATIENCE_S

from performer.generators.generator import ModelSlot
from performer.generators.onnx import batching as batches
from performer.generators.onnx.buffer_pool import MOST
from performer.generators.onnx.session import OnnxGenerator, create
from performer.generators.onnx.widen_batch import with_batch_size
from performer.generators.painter import Painter
from performer.generators.prediction.paint_ahead import NEAR, STEADY_S, PaintAhead
from performer.latent.bank import Bank
from performer.rig.live.rig import Rig
from performer.rig.loading import load_library, painter
from performer.rig.options import PlayOptions
from performer.system.errors import Fault
from performer.types.features import Features, Sound
from performer.types.frame import ControlEvent, Frame, Scene, Walk
from performer.types.preset import Preset
from performer.types.status import Effort

LIBRARY = load_library()
MODELS = ("molten", "glass", "pearl", "blossom", "chrome")
DT = 1.0 / 60.0
KEY = ((1, "main"), "molten")


def walking(position: float, **more) -> Walk:
    return Walk(**{"kind": "tour", "position": position, "seed": 3, "truncation": 1.0, **more})


def seen(ahead: PaintAhead, walks, first: float = 0.0) -> list[bool]:
    """See one walk after another, one a frame."""
    return [ahead.see(KEY, walk, first + i * DT) for i, walk in enumerate(walks)]


def steady(**more) -> tuple[PaintAhead, float]:
    """One that has seen a walk go on at 0.6 a second for half a second, and when it last did."""
    ahead: PaintAhead = PaintAhead()
    assert all(seen(ahead, (walking(0.6 * i * DT, **more) for i in range(31))))
    return ahead, 30 * DT


# What can be foretold, without a model


def test_a_steady_walk_is_foretold_with_all_that_moves_on():
    ahead: PaintAhead = PaintAhead()
    seen(
        ahead,
        (
            walking(
                0.6 * i * DT,
                styles=(None, Walk("drift", 5.0 - 0.3 * i * DT, 4, 1.0)),
                noise=(0.2 * i * DT, 7.0, 0.5, 0.5, 0.5),
                moves=(0.3, 0.0),
            )
            for i in range(31)
        ),
    )
    now = 30 * DT
    plan = ahead.plan(4, 0.0499, 0.01)
    assert [due for due, _ in plan] == pytest.approx([now + 3 * k * DT for k in (1, 2, 3, 4)])
    for due, walk in plan:
        t = due + 3 * DT  # a crossfade will have reached it then
        assert walk.position == pytest.approx(0.6 * t) and walk.styles[1].position == pytest.approx(5.0 - 0.3 * t)
        assert walk.noise == pytest.approx((0.2 * t, 7.0, 0.5, 0.5, 0.5)) and walk.moves == (0.3, 0.0)
        assert walk.styles[0] is None and walk.kind == "tour" and walk.seed == 3


@pytest.mark.parametrize(("kind", "units"), [("tour", 1.0), ("drift", 1.0), ("hop", 6.7), ("loop", 8.0)])
def test_how_far_a_walk_may_be_from_what_was_foretold_is_counted_in_pictures(kind, units):
    for by, kept in ((0.9 * NEAR, True), (1.1 * NEAR, False)):
        ahead, now = steady(kind=kind)
        (due, walk), *_ = plan = ahead.plan(2, 0.05, 0.0)
        assert walk.position == pytest.approx(0.6 * (due + 3 * DT))
        ahead.keep([(due, name) for (due, _), name in zip(plan, "ab", strict=True)])
        assert ahead.see(KEY, walking(0.6 * (now + DT) + by / units, kind=kind), now + DT) is kept
        assert len(ahead) == (2 if kept else 0)


@pytest.mark.parametrize(
    "change",
    [
        {"position": 1.5},
        {"position": 0.5},
        {"seed": 4},
        {"kind": "drift"},
        {"truncation": 0.9},
        {"space": "w"},
        {"psi": 0.7},
        {"moves": (0.0, 0.1)},
        {"moves": ()},
        {"stops": ((b"kept", 0.01, ()),)},
        {"noise": (0.0, 7.0, 0.1, 0.1, 0.2)},
        {"noise": ()},
        {"noise": (0.0, 8.0, 0.1, 0.1, 0.1)},
        {"styles": (Walk("drift", 0.0, 1, 1.0), None)},
        {"styles": (None, None)},
    ],
    ids=lambda change: f"{next(iter(change))}",
)
def test_what_nobody_foretold_throws_away_what_was_painted(change):
    rest = {
        "psi": 0.9,
        "moves": (0.0, 0.05),
        "noise": (0.0, 7.0, 0.1, 0.1, 0.1),
        "styles": (None, Walk("drift", 2.0, 1, 1.0)),
    }
    ahead, now = steady(**rest)
    ahead.keep([(due, "picture") for due, _ in ahead.plan(2, 0.05, 0.0)])
    assert len(ahead) == 2
    assert ahead.see(KEY, walking(0.6 * (now + DT), **rest), now + DT) and len(ahead) == 2
    t = now + 2 * DT
    assert not ahead.see(KEY, walking(**{"position": 0.6 * t, **rest, **change}), t)
    assert len(ahead) == 0 and ahead.due(t + 1.0) is None and ahead.plan(2, 0.05, 0.0) == []
    assert ahead.see(KEY, walking(**{"position": 0.6 * t + 0.6 * DT, **rest, **change}), t + DT)  # said once


def test_another_preset_or_layer_a_pause_and_no_walk_at_all_throw_it_away_too():
    for key, walk, wait in (
        (((2, "main"), "molten"), walking(0.31), DT),
        (((1, "main"), "glass"), walking(0.31), DT),
        (KEY, None, DT),
        (KEY, walking(0.6 * (30 * DT + 0.9)), 0.9),
        (KEY, walking(0.3), -DT),
    ):
        ahead, now = steady()
        ahead.keep([(due, "picture") for due, _ in ahead.plan(2, 0.05, 0.0)])
        assert not ahead.see(key, walk, now + wait) and len(ahead) == 0


def test_after_a_kick_it_takes_a_while_until_a_walk_is_trusted_again():
    ahead, now = steady()
    assert ahead.plan(2, 0.05, 0.0)
    at, waited = 0.6 * now, 0
    seen(ahead, [walking(at + 0.3)], now + DT)
    while not ahead.plan(2, 0.05, 0.0):
        waited += 1
        at += 0.6 * DT
        assert ahead.see(KEY, walking(at + 0.3), now + DT + waited * DT)
    assert STEADY_S - DT <= waited * DT <= STEADY_S + 2 * DT


def test_a_walk_that_bends_or_whose_knobs_turn_is_not_foretold():
    for walks in (
        (walking(0.6 * i * DT + 0.4 * (i * DT) ** 2 * 2.0) for i in range(31)),
        (walking(0.6 * i * DT, moves=(0.02 * i * DT, 0.0)) for i in range(31)),
    ):
        ahead: PaintAhead = PaintAhead()
        seen(ahead, walks)
        assert ahead.plan(2, 0.05, 0.0) == []


def test_nothing_is_painted_ahead_of_a_walk_that_rests_too_early_too_slowly_or_for_every_frame():
    ahead: PaintAhead = PaintAhead()
    assert ahead.plan(2, 0.05, 0.0) == [] and ahead.due(1.0) is None and ahead.frame_s == 0.0
    assert all(seen(ahead, (walking(0.3) for _ in range(31)))) and ahead.plan(2, 0.05, 0.0) == []
    ahead = PaintAhead()
    seen(ahead, (walking(0.6 * i * DT) for i in range(10)))
    assert ahead.plan(2, 0.05, 0.0) == []
    ahead, _ = steady()
    assert ahead.plan(2, 0.05, 0.06) == [] and ahead.plan(2, 0.017, 0.001) == [] and ahead.plan(2, 0.05, 0.04)


def test_the_newest_picture_that_is_due_wins_and_a_frozen_show_waits():
    ahead, now = steady()
    plan = ahead.plan(4, 0.0334, 0.0)
    ahead.keep([(due, name) for (due, _), name in zip(plan, "abcd", strict=True)])
    assert ahead.plan(4, 0.0334, 0.0) == []  # not before these are gone
    assert ahead.due(now + DT) is None
    assert ahead.due(now + 1.9 * DT) == "a" and ahead.due(now + 2.0 * DT) is None
    assert ahead.due(now + 6.1 * DT) == "c" and len(ahead) == 1  # "b" was too late
    for _ in range(5):  # frozen
        assert ahead.see(KEY, walking(0.6 * now), now)
    assert ahead.due(now + 8.0 * DT) == "d"


@pytest.mark.parametrize("seed", range(4))
def test_whatever_a_walk_does_no_picture_is_handed_out_that_is_elsewhere(seed):
    rng, ahead, at, speed, handed = np.random.default_rng(seed), PaintAhead(), 0.0, 0.5, 0
    planned: dict[int, tuple[float, float, float]] = {}  # picture -> painted at, speed then, position then
    for i in range(1500):
        t = i * DT
        if rng.random() < 0.02:
            speed = float(rng.uniform(-1.0, 1.0))
        at += speed * DT + (float(rng.uniform(0.1, 2.0)) if rng.random() < 0.01 else 0.0)
        ahead.see(KEY, walking(at), t)
        number = ahead.due(t)
        if number is not None:
            begun, pace, was = planned[number]
            assert abs(was + pace * (t - begun) - at) <= NEAR + 1e-9
            handed += 1
        if plan := ahead.plan(2, 0.04, 0.0):
            (one_t, one), (other_t, other) = plan
            pace = (other.position - one.position) / (other_t - one_t)
            planned.update({2 * i + k: (t, pace, at) for k in (0, 1)})
            ahead.keep([(one_t, 2 * i), (other_t, 2 * i + 1)])
    assert handed > 50


# Several pictures in a run, of real models


def model_of(name: str) -> OnnxGenerator:
    return create(LIBRARY.models[name], "cpu", 1)


def asked(model: OnnxGenerator, position: float) -> batches.Asked:
    walk = walking(
        position,
        styles=(None, Walk("drift", 2.0 * position, 5, 1.0)),
        psi=0.9 - 0.1 * position,
        space="w" if position > 0.5 else "z",
        noise=(position, 7.0, 0.1, 0.1, 0.1),
    )
    return Painter._model_inputs(model, walk)


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("count", batches.COUNTS)
def test_a_shipped_model_s_batch_is_its_single_pictures(name, count):
    model = model_of(name)
    given = [asked(model, 0.37 * i) for i in range(count)]
    alone = [model.paint(*one).copy() for one in given]
    together = model.batch(count).paint(given)
    assert np.abs(alone[0] - alone[1]).mean() > 0.005
    for one, other in zip(alone, together, strict=True):
        assert other.shape == one.shape and other.dtype == np.float32 and other.flags.c_contiguous
        apart = np.abs(one - other)  # sums of floats in another order
        assert apart.max() < 1e-4 and apart.mean() < 1e-5
    assert all(np.array_equal(model.paint(*one), was) for one, was in zip(given, alone, strict=True))


def test_a_batch_s_pictures_stay_as_they_are_and_its_memory_is_used_again():
    model = model_of("glass")
    batch = model.batch(2)
    kept = batch.paint([asked(model, 0.1), asked(model, 0.2)])
    before = [one.copy() for one in kept]
    for i in range(3 * MOST):
        newest = batch.paint([asked(model, 0.01 * i), asked(model, 0.02 * i)])
    assert all(np.array_equal(one, was) for one, was in zip(kept, before, strict=True))
    assert len(batch._bound._loans) <= 3 and newest[0].base is not None


def toy(
    path,
    layout="NCHW",
    shape=(1, 3, 4, 4),
    latent=(1, 6),
    constant=False,
    mixing=False,
    low=0.0,
    clip=False,
    seed=2,
    half=False,
):
    """z (1, 6) through one layer to a picture; `mixing` takes the mean of the batch away."""
    rng = np.random.default_rng(seed)
    weight = numpy_helper.from_array(rng.standard_normal((6, 48)).astype(np.float32) * 0.1, "weight")
    told = numpy_helper.from_array(np.array(shape, np.int64), "told")
    nodes = [helper.make_node("MatMul", ["z", "weight"], ["flat"]), helper.make_node("Sigmoid", ["flat"], ["soft"])]
    if mixing:
        axes = numpy_helper.from_array(np.array([0], np.int64), "axes")
        nodes += [
            helper.make_node("ReduceMean", ["soft", "axes"], ["mean"], keepdims=1),
            helper.make_node("Sub", ["soft", "mean"], ["less"]),
        ]
    nodes.append(helper.make_node("Reshape", ["less" if mixing else "soft", "told"], ["whole" if half else "image"]))
    if half:
        nodes.append(helper.make_node("Cast", ["whole"], ["image"], to=TensorProto.FLOAT16))
    stored = [weight] + ([axes] if mixing else [])
    if constant:
        nodes.insert(0, helper.make_node("Constant", [], ["told"], value=told))
    else:
        stored.append(told)
    made = TensorProto.FLOAT16 if half else TensorProto.FLOAT
    graph = helper.make_graph(
        nodes,
        "toy",
        [helper.make_tensor_value_info("z", TensorProto.FLOAT, latent)],
        [helper.make_tensor_value_info("image", made, shape)],
        stored,
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9), path)
    path.with_suffix(".toml").write_text(
        f'title = "Toy"\nkind = "gan"\nlatent = 6\nlayout = "{layout}"\nrange = [{low}, 1.0]\nsize = [4, 4]\n'
        f'licence = "CC0-1.0"\nclip = {str(clip).lower()}\n'
    )
    return create(path, "cpu", 1)


@pytest.mark.parametrize(
    "how",
    [
        {},
        {"constant": True},
        {"layout": "NHWC", "shape": (1, 4, 4, 3)},
        {"low": -1.0, "clip": True},
        {"latent": ("N", 6)},
        {"shape": (1, -1, 4, 4)},
        {"half": True},
    ],
    ids=lambda how: " ".join(how) or "plain",
)
def test_strangers_of_many_layouts_make_several_pictures(tmp_path, how):
    model = toy(tmp_path / "toy.onnx", **how)
    latents = np.random.default_rng(5).standard_normal((4, 6)).astype(np.float32)
    alone = [model.paint(one).copy() for one in latents]
    together = model.batch(4).paint([(one, None, None, None, ()) for one in latents])
    assert np.abs(np.array(alone) - np.array(together)).max() < 1e-6 and np.abs(alone[0] - alone[1]).max() > 0.01
    assert all(one.dtype == np.float32 and one.flags.c_contiguous for one in together)


def test_what_cannot_make_several_pictures_goes_on_singly(tmp_path):
    mixed = toy(tmp_path / "mixed.onnx", mixing=True)
    assert mixed.several() is None  # its pictures are others in a batch
    flat = toy(tmp_path / "flat.onnx", layout="CHW", shape=(3, 4, 4))
    assert flat.several() is None
    with pytest.raises(Fault, match="one image per item of a batch"):
        flat.batch(2)
    gone = toy(tmp_path / "gone.onnx")
    whole = gone.path.read_bytes()
    for size in (len(whole) // 3, len(whole) - 5, 0):
        gone.path.write_bytes(whole[:size])
        assert gone.several() is None
    gone.path.unlink()
    assert gone.several() is None
    with pytest.raises(Fault, match="cannot be read"):
        with_batch_size(gone.path, ["z"], 2)


def test_a_file_that_holds_another_version_by_now_is_not_made_a_batch_of(tmp_path, monkeypatch):
    model, other = toy(tmp_path / "toy.onnx"), toy(tmp_path / "other.onnx", seed=3)
    monkeypatch.setattr("performer.generators.onnx.session.paying", lambda begin, *rest: begin(2))
    assert model.several() is not None

    def meanwhile(begin, *rest):
        other.path.replace(model.path)
        return begin(2)

    monkeypatch.setattr("performer.generators.onnx.session.paying", meanwhile)
    assert model.several() is None
    monkeypatch.setattr("performer.generators.onnx.session.paying", lambda begin, *rest: pytest.fail("opened"))
    assert model.several() is None


class Timed:
    """A batch whose pictures cost what it is told, on a clock of its own."""

    def __init__(self, count: int, cost: float, now: list[float]) -> None:
        self.count, self.share, self.single_s, self._cost, self._now = count, 1.0, 0.0, cost, now

    def paint(self, given):
        self._now[0] += self._cost * self.count
        return [np.full((3, 2, 2), one[0].mean(), np.float32) for one in given]


@pytest.mark.parametrize(
    ("costs", "taken"),
    [
        ((0.010, 0.008, 0.0078), 2),
        ((0.010, 0.008, 0.006), 4),
        ((0.010, 0.0098, 0.005), None),
        ((0.010, 0.011, 0.009), None),
        ((0.1, 0.01, 0.01), None),
    ],
)
def test_the_count_is_chosen_by_what_a_picture_costs(costs, taken):
    now = [0.0]
    cost = dict(zip((1, *batches.COUNTS), costs, strict=True))
    given = batches.draws(model_of("glass").card, [])
    found = batches.paying(lambda count: Timed(count, cost[count], now), given, lambda: now[0])
    assert (found and found.count) == taken
    if found is not None:
        assert found.share == pytest.approx(cost[taken] / cost[1]) and found.single_s == pytest.approx(cost[1])


def test_the_default_models_are_measured_on_the_processor_and_never_on_a_card(monkeypatch):
    model = model_of("pearl")
    found = model.several()
    assert found is None or (found.count in batches.COUNTS and found.share < 1.0 and found.single_s > 0.0)
    assert model.several(lambda: True) is None  # the show is over
    model.way = replace(model.way, device="cuda")
    monkeypatch.setattr(model, "batch", lambda count: pytest.fail("tried on a card"))
    assert model.several() is None


# The painter


def still(preset: Preset, walk: Walk, t: float, number: int = 1) -> Frame:
    name = next(layer.name for layer in preset.layers if layer.model)
    scene = Scene(number, preset, preset.base, {name: walk}, t)
    return Frame(
        index=round(t / DT),
        t=t,
        dt=DT,
        size=(64, 36),
        features=Features(),
        sound=Sound(),
        scene=scene,
        effort=Effort(image_interval_s=0.05),
    )


class Script:
    """Mailboxes of a painter: frames of a list at the pace of a screen, one whenever it asks; notes what it posts."""

    def __init__(self, it: Painter, frames: list[Frame]) -> None:
        self._painter, self._frames, self._at = it, frames, 0
        self.posted: list[tuple[int, Walk, np.ndarray]] = []
        self._newest = None

    def run(self) -> list[tuple[int, Walk, np.ndarray]]:
        """(number of the frame, walk that the picture is of, picture) of each that was shown."""
        self._painter.run(self, self, self)  # type: ignore[arg-type]
        return self.posted

    def wait(self, count: int, timeout: float):
        time.sleep(DT)
        self._at += 1
        return self._at, self._frames[self._at - 1]

    def is_set(self) -> bool:
        return self._at == len(self._frames)

    def peek(self):
        return self._newest

    def post(self, images) -> None:
        self._newest = images
        ((key, image),) = images.items()
        self.posted.append((self._at - 1, self._painter._done[key][0], image.pixels.copy()))  # type: ignore[arg-type]


def ready(count: int = 2) -> tuple[Painter, OnnxGenerator, batches.Batch]:
    """A live painter with glass loaded, that makes so many pictures in a run."""
    model = model_of("glass")
    batch = model.batch(count)
    batch.share = 0.8
    it = Painter(lambda name: model, begin=lambda name, body: None)
    it.warm("glass")
    it._models["glass"].several, it._models["glass"].tried = batch, True
    return it, model, batch


def test_a_smooth_walk_is_painted_ahead_and_shows_what_single_pictures_would():
    it, model, batch = ready()
    frames = [still(LIBRARY.presets["coral"], walking(0.6 * i * DT), i * DT) for i in range(120)]
    posted = Script(it, frames).run()
    assert it.ahead > 15
    late = [(at, walk, pixels) for at, walk, pixels in posted if at > 45]
    gaps = np.diff([at for at, _, _ in late])
    assert (gaps == 3).all()  # 0.04 s, in whole frames
    for at, walk, pixels in late:
        assert walk.position == pytest.approx(0.6 * (at + 3) * DT)
        apart = np.abs(pixels - model.paint(*Painter._model_inputs(model, walk)))
        assert apart.max() < 1e-4 and apart.mean() < 1e-5
    assert len(batch._bound._loans) <= 3


def test_a_jump_is_answered_by_the_very_next_picture():
    it, model, _ = ready(4)
    at = [0.6 * i * DT + (5.25 if i >= 80 else 0.0) for i in range(110)]
    posted = Script(it, [still(LIBRARY.presets["coral"], walking(p), i * DT) for i, p in enumerate(at)]).run()
    assert it.ahead >= 4
    ((first, walk, pixels),) = [one for one in posted if one[0] >= 80][:1]
    assert first == 80  # though it might have rested, and pictures were ready
    assert walk.position == pytest.approx(at[80], abs=0.1)
    assert np.array_equal(pixels, model.paint(*Painter._model_inputs(model, walk)))
    after = [walk.position for frame, walk, _ in posted if 80 <= frame < 80 + STEADY_S / DT]
    assert min(after) > 5.0


def test_a_place_that_takes_hold_and_another_scene_are_answered_at_once_too():
    it, _, _ = ready()
    goal = np.ones(64, np.float32).tobytes()
    held = ((goal, 0.5, ()),)
    frames = [
        still(LIBRARY.presets["coral"], walking(0.6 * i * DT, stops=held if i >= 70 else ()), i * DT) for i in range(75)
    ]
    frames += [still(LIBRARY.presets["honeycomb"], walking(0.1 + 0.6 * i * DT), (75 + i) * DT, 2) for i in range(5)]
    posted = [(at, walk) for at, walk, _ in Script(it, frames).run() if at >= 70]
    assert it.ahead > 0 and posted[0][0] == 70 and posted[0][1].stops == held
    assert all(walk.position < 0.3 for at, walk in posted if at >= 75) and any(at >= 75 for at, _ in posted)


def test_a_batch_that_fails_leaves_single_pictures(caplog):
    it, _, batch = ready()
    batch.paint = lambda given: (_ for _ in ()).throw(MemoryError)  # type: ignore[method-assign]
    posted = Script(it, [still(LIBRARY.presets["coral"], walking(0.6 * i * DT), i * DT) for i in range(80)]).run()
    assert it.ahead == 0 and len(posted) > 8 and posted[-1][0] > 70 and not caplog.records
    assert it._models["glass"].several is None


def test_a_new_version_that_comes_as_a_trial_ends_does_not_get_the_old_one_s_batch():
    it, model, batch = ready()

    class Raced(ModelSlot):
        @property
        def several(self):
            return self._kept

        @several.setter
        def several(self, found):
            if found is not None:  # between the trial's end and its being noted
                self.model, self._kept = newer, None
            self._kept = found

    newer, loaded = model_of("glass"), Raced(model, 0.0)
    model.several = lambda enough: batch  # type: ignore[method-assign]
    it._try(loaded, model)
    assert loaded.model is newer and loaded.several is None


def test_what_is_rendered_is_never_painted_ahead():
    it = painter(LIBRARY, "cpu", repeats=True)
    model, preset = model_of("glass"), LIBRARY.presets["coral"]
    for i in range(40):
        (image,) = it.paint(still(preset, walking(0.6 * i * DT), i * DT)).values()
        assert np.array_equal(image.pixels, model.paint(*Painter._model_inputs(model, walking(0.6 * i * DT))))
    assert it.ahead == 0 and not it._models["glass"].tried
    posted = Script(it, [still(preset, walking(0.6 * i * DT), i * DT) for i in range(40)]).run()
    assert posted and it.ahead == 0 and not it._models["glass"].tried


def test_a_live_show_paints_ahead_when_pictures_must_be_few_and_follows_a_jump_and_a_kept_place(monkeypatch):
    with Rig(PlayOptions(input="demo", midi="off", size=(160, 90), headless=True, fps=30.0, preset="undertow")) as rig:
        it, stage = rig.painter, rig.loop
        stage.budget.governor.step = lambda t, took: False  # type: ignore[method-assign]

        def until(done) -> bool:
            ends = time.monotonic() + PATIENCE_S
            while time.monotonic() < ends and not done():
                stage.picture()
            return done()

        loaded = it._models["molten"]
        assert until(lambda: it.rate_hz > 0.0) and not loaded.tried  # every frame may have its picture
        tried: list[bool] = []
        model = loaded.model
        monkeypatch.setattr(model, "several", lambda enough: tried.append(enough()) or model.batch(2))
        stage.budget.governor.ladder = (Effort(image_interval_s=1.0 / 8.0),)
        assert until(lambda: it.ahead >= 6) and tried == [False]
        before = stage.scene.walks["main"].position
        rig.hands.events.put(ControlEvent(rig.now(), "show.jump"))
        assert until(lambda: next(iter(it._done.values()))[0].position > before + 0.5)
        many = it.ahead
        assert until(lambda: it.ahead > many)
        goal = np.ones(64, np.float32).tobytes()
        rig.show.recaller.banks["molten"] = bank = Bank("molten", 64)
        bank.keep(goal, "here")
        rig.hands.events.put(ControlEvent(rig.now(), "bank.recall"))
        rig.hands.events.put(ControlEvent(rig.now(), "bank.recall", 0.0))
        assert until(lambda: any(part > 0.3 for _, part, _ in next(iter(it._done.values()))[0].stops))
