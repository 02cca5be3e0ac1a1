"""Banks: places are kept, recalled with a glide, bred from, held by pads, and survive in their file."""

import threading
from dataclasses import replace
from queue import SimpleQueue

import numpy as np
import pytest
from parts.banks import D, place, show
from parts.live import headless, play_for, play_until
from parts.patience import until
from parts.scenes import TEXT, make
from parts.shows import loud, run
from PIL import Image

from performer.cli.main import main
from performer.content import banks
from performer.generators.onnx.session import create
from performer.generators.painter import Painter
from performer.generators.tools.encoder import encoded
from performer.lab.train.synthetic_pictures import Easel
from performer.latent.bank import Bank, child, glided, numbers
from performer.latent.directions import Directions
from performer.latent.sphere import unit
from performer.latent.style_space import latent_of
from performer.rig.live.rig import Rig
from performer.rig.loading import load_library, painter
from performer.show.bank_edits import frozen_copy
from performer.show.show import Pads, Show
from performer.show.snapshot_recall import HeldWalk
from performer.show.status_text import waiting
from performer.system.errors import Fault
from performer.types.features import Features
from performer.types.frame import ControlEvent, Walk


def test_a_glide_goes_on_a_great_circle_from_here_to_there():
    start, there = (np.frombuffer(place(seed), np.float32) for seed in (5, 6))
    assert np.array_equal(glided(start, there, 0.0), start) and np.array_equal(glided(start, there, 1.0), there)
    steps = [glided(start, there, part) for part in np.linspace(0, 1, 21)]
    assert all(np.linalg.norm(step) == pytest.approx(np.sqrt(D), rel=1e-3) for step in steps)
    far = [np.linalg.norm(step - there) for step in steps]
    assert far == sorted(far, reverse=True)
    directions = Directions(("bright",), ("measured",), np.ones((1, D), np.float32))
    walk = Walk("drift", 1.0, 3, 1.0)
    other = replace(walk, stops=((b"1234", 0.5, ()),))  # a place of another model
    assert np.array_equal(latent_of(walk, D, directions), latent_of(other, D, directions))


def test_offspring_are_between_their_parents_and_repeat():
    parents = [place(1), place(2)]
    one, again, other = child(parents, 7, 1), child(parents, 7, 1), child(parents, 7, 2)
    assert one == again != other
    a, b, c = (unit(np.frombuffer(v, np.float32)) for v in (*parents, one))
    strangers = [unit(np.frombuffer(place(seed), np.float32)) for seed in range(10, 40)]
    assert max(c @ a, c @ b) > 0.6 and max(c @ a, c @ b) > max(c @ s for s in strangers) - 0.1
    assert child([place(1)], 7, 1) != place(1)
    assert child(parents, -1, 1) != child(parents, 1, 1)  # any seed will do


def test_recalled_places_glide_in_follow_each_other_and_let_go():
    it, bank = show()
    frames = run(
        it,
        8.0,
        events=[
            ControlEvent(1.0, "bank.recall", 1.0),
            ControlEvent(1.5, "bank.next"),
            ControlEvent(5.0, "bank.let_go"),
        ],
    )
    stops = {round(f.t, 2): f.scene.walks["main"].stops for f in frames}
    assert stops[0.9] == ()
    assert stops[1.4][0][0] == bank.places[1].latent and 0.0 < stops[1.4][0][1] < 1.0
    assert [latent for latent, *_ in stops[2.0]] == [bank.places[1].latent, bank.places[2].latent]
    assert stops[4.5] == ((bank.places[2].latent, 1.0, ()),)  # the one before it is forgotten
    assert 0.0 < stops[6.0][0][1] < 1.0 and stops[7.9] == ()
    parts = [f.scene.walks["main"].stops[0][1] for f in frames if 1.02 < f.t < 3.0]
    assert parts == sorted(parts)
    assert "held: place 3" in next(waiting(f.status) for f in frames if f.t > 4.0)


def test_places_struck_on_and_on_do_not_pile_up():
    holding, most = HeldWalk(), 0
    for i in range(600):  # ten a second, each of which takes two to come
        holding.recall(b"%d" % i, 0.1 * i, 2.0)
        stops = holding.stops(0.1 * i)
        most = max(most, len(stops))
        assert stops[0][1] == (1.0 if i > 20 else stops[0][1])
    assert most <= 22
    for i in range(600):
        holding.recall(b"%d" % i, 100.0 + 0.1 * i, 2.0)
        holding.release(100.05 + 0.1 * i, 2.0)
        assert len(holding.stops(100.1 + 0.1 * i)) <= (45 if i < 25 else 25)
    assert holding.stops(200.0) == ()


@pytest.mark.parametrize(
    "gestures",
    [
        {1.0: b"A", 4.0: b"B", 5.0: None},
        {1.0: b"A", 4.0: None, 5.0: b"B"},
        {1.0: b"A", 1.5: None, 2.0: b"A", 2.5: b"B"},
        {1.0: b"A", 2.0: None, 2.5: b"B", 3.0: None, 3.5: b"C"},
        {1.0: b"A", 2.0: b"B", 2.5: None, 3.5: None},
    ],
    ids=str,
)
def test_whatever_is_struck_and_let_go_nothing_jumps(gestures):
    holding, names, before = HeldWalk(), b"ABC", None
    for i in range(801):
        t = 0.01 * i
        for latent in [latent for at, latent in gestures.items() if abs(at - t) < 1e-6]:
            holding.release(t, 2.0) if latent is None else holding.recall(latent, t, 2.0)
        at = np.zeros(3)  # how much of each place there is, the walk being nought
        for latent, part, _ in holding.stops(t):
            at += (np.eye(3)[names.index(latent)] - at) * part
        assert before is None or np.abs(at - before).max() <= 0.0151
        before = at


def test_a_keyboard_beside_the_pads_recalls_nothing():
    def held(channel: str) -> tuple:
        it, _ = show(pads=Pads(36, 10))
        return run(it, 3.0, events=[ControlEvent(1.0, "midi.note36", 1.0, channel)])[-1].scene.walks["main"].stops

    assert held("ch1") == () and held("ch10") != ()


def test_pads_recall_and_the_bar_is_waited_for():
    it, bank = show(pads=Pads(36), quantise="bar")

    def heard(t):
        return loud(t, beat=2 * t, bar=t / 2, bpm=120.0, confidence=0.9)

    run(it, 4.1, features=heard)
    frames = run(it, 4.0, features=heard, start=4.1, events=[ControlEvent(4.4, "midi.note38", 0.8)])
    first = next(f for f in frames if f.scene.walks["main"].stops)
    assert first.t == pytest.approx(6.0, abs=0.06) and first.scene.walks["main"].stops[0][0] == bank.places[2].latent
    done = next(f.t for f in frames if f.scene.walks["main"].stops and f.scene.walks["main"].stops[0][1] >= 1.0)
    assert done == pytest.approx(8.0, abs=0.1)  # a glide of a bar


def test_an_empty_bank_or_a_place_that_is_not_there_changes_nothing():
    it, _ = show()
    events = [ControlEvent(0.1, "bank.recall", 99.0), ControlEvent(0.2, "bank.recall", 0.0, "no such")]
    frames = run(it, 0.5, events=events)
    assert all(f.scene.walks["main"].stops == () for f in frames)
    empty = Show([make()], "first")
    last = run(empty, 0.3, features=lambda t: Features(t=t), events=[ControlEvent(0.1, "bank.breed")])[-1]
    assert last.scene.walks["main"].stops == () and "no snapshots yet" in waiting(last.status)


# -- files


def test_a_bank_written_and_read_again_is_the_same(tmp_path):
    bank = Bank("marble", D)
    bank.keep(place(1), "dusk", ("calm", "blue"))
    bank.keep(place(2))
    bank.keep(place(3), "dusk")
    assert [p.name for p in bank.places] == ["dusk", "place 2", "place 3"]
    kept, stop = SimpleQueue(), threading.Event()
    kept.put(bank)
    stop.set()
    banks.run(banks.BankWriter({}, tmp_path), kept, print, stop)  # what is left is written still
    again = banks.read("marble", D, tmp_path)
    assert [(p.name, p.tags) for p in again.places] == [(p.name, p.tags) for p in bank.places]
    for one, two in zip(again.places, bank.places, strict=True):
        assert np.frombuffer(one.latent, np.float32) == pytest.approx(np.frombuffer(two.latent, np.float32), abs=1e-4)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("place = 3", "expected name and latent"),
        ("[[place]]\nname = 'a'", "expected name and latent"),
        ("[[place]]\nname = 'a'\nlatent = [1.0]", "expected 32 numbers"),
        ("[[", "not valid TOML"),
        ("[[place]]\nname = 'a'\nlatent = [" + "nan, " * 31 + "nan]", "expected 32 numbers"),
    ],
)
def test_a_bad_bank_is_one_line_and_not_written_over(text, complaint, tmp_path, caplog):
    (tmp_path / "marble.toml").write_text(text)
    with pytest.raises(Fault, match=complaint):
        banks.read("marble", D, tmp_path)
    assert banks.read_all({"marble": D, "other": 4}, tmp_path).keys() == {"other"}
    assert (tmp_path / "marble.toml").read_text() == text


def shown(bank: Bank) -> list[str]:
    return [one.name for one in bank.places]


def test_two_shows_and_a_hand_share_a_bank_and_nothing_is_lost(tmp_path):
    first, second = Bank("marble", D), Bank("marble", D)
    keepers = [banks.BankWriter({"marble": bank}, tmp_path) for bank in (first, second)]
    first.keep(place(1), "dusk", ("calm",))
    first.keep(place(2))
    keepers[0].write(frozen_copy(first))
    second.keep(place(3), "dusk")
    (change,) = keepers[1].look()
    keepers[1].write(frozen_copy(second))  # of the show that does not know yet what the other one kept
    assert len(set(shown(banks.read("marble", D, tmp_path)))) == 3
    second.take(change)
    keepers[1].took(change)
    assert keepers[1].look() == [] and len(second.places) == 3 and len(set(shown(second))) == 3
    (change,) = keepers[0].look()
    first.take(change)
    keepers[0].took(change)
    latents = {tuple(numbers(one.latent)) for one in first.places}
    assert latents == {tuple(numbers(place(number))) for number in (1, 2, 3)} and len(first.places) == 3
    # A picture is encoded beside the show, and one place taken out by hand.
    by_hand = banks.read("marble", D, tmp_path)
    by_hand.drop("dusk")
    by_hand.keep(place(4), "rose")
    banks.write(by_hand, tmp_path)
    (change,) = keepers[0].look()
    first.take(change)
    keepers[0].took(change)
    first.keep(place(5), "night")
    keepers[0].write(frozen_copy(first))
    there = shown(banks.read("marble", D, tmp_path))
    assert "rose" in there and "night" in there and len(there) == len(first.places) == 4
    (tmp_path / "marble.toml").unlink()
    assert keepers[0].look() == [] and len(first.places) == 4  # a file that is away is no wish to lose all


def test_a_bank_that_is_damaged_while_it_plays_is_put_aside(tmp_path, caplog):
    bank = Bank("marble", D)
    keeper, path = banks.BankWriter({"marble": bank}, tmp_path), tmp_path / "marble.toml"
    bank.keep(place(1), "dusk")
    keeper.write(frozen_copy(bank))
    path.write_text("place = [[[")
    assert keeper.look() == [] == keeper.look() and caplog.text.count("not valid TOML") == 1
    bank.keep(place(2), "dawn")
    keeper.write(frozen_copy(bank))
    assert shown(banks.read("marble", D, tmp_path)) == ["dusk", "dawn"]
    assert (tmp_path / "marble.damaged").read_text() == "place = [[[" and "marble.damaged" in caplog.text


def test_a_show_learns_what_is_kept_beside_it(tmp_path, monkeypatch):
    monkeypatch.setattr(banks.read_all, "__defaults__", (tmp_path,))
    monkeypatch.setattr(banks.BankWriter.__init__, "__defaults__", (tmp_path,))
    with Rig(headless(preset="undertow")) as rig:
        other = Bank("molten", 64)
        other.keep(np.ones(64, np.float32).tobytes(), "rose")
        banks.write(other, tmp_path)
        assert play_until(rig, lambda: shown(rig.show.recaller.banks["molten"]) == ["rose"])
        assert play_until(rig, lambda: rig.painter.rate_hz > 0)
        rig.hands.events.put(ControlEvent(rig.now(), "app.keep", 1.0, "here"))
        assert play_until(rig, lambda: len(rig.show.recaller.banks["molten"].places) == 2)
    assert shown(banks.read("molten", 64, tmp_path)) == ["rose", "here"]


def test_what_plays_is_kept_and_comes_back(tmp_path, monkeypatch):
    monkeypatch.setattr(banks.read_all, "__defaults__", (tmp_path,))
    monkeypatch.setattr(banks.BankWriter.__init__, "__defaults__", (tmp_path,))
    with Rig(headless(preset="undertow")) as rig:
        assert play_until(rig, lambda: rig.painter.rate_hz > 0)
        rig.hands.events.put(ControlEvent(rig.now(), "app.keep", 1.0, "here"))
        assert play_until(rig, lambda: rig.show.recaller.banks["molten"].places)
        rig.hands.events.put(ControlEvent(rig.now(), "bank.recall", 0.0))
        play_for(rig, 0.3)
        assert until((tmp_path / "molten.toml").exists)
    (kept,) = banks.read("molten", 64, tmp_path).places
    assert kept.name == "here"
    assert np.linalg.norm(np.frombuffer(kept.latent, np.float32)) == pytest.approx(8.0, rel=0.01)


def test_a_picture_finds_its_place_in_a_vae(tmp_path, monkeypatch, capsys):
    for name in ("read", "write"):
        monkeypatch.setattr(getattr(banks, name), "__defaults__", (tmp_path,))
    path = load_library().models["blossom"]
    model = create(path, "cpu")
    easel = Easel(("blossom",), 128, 77)
    pictures = easel.draw_many(0, 4)
    easel.close()
    for i, picture in enumerate(pictures):
        Image.fromarray(picture).resize((300, 300)).save(tmp_path / "flower.png")
        again = model.paint(encoded(path, tmp_path / "flower.png")).transpose(1, 2, 0) * 255
        far = [np.abs(again - other).mean() for other in pictures]
        assert int(np.argmin(far)) == i and far[i] < 0.8 * np.mean(far[:i] + far[i + 1 :])
    main_ok("models", "encode", "blossom", str(tmp_path / "flower.png"), "--tag", "rose")
    main_ok("models", "encode", "blossom", "--camera", "lavfi:testsrc=size=64x64:rate=30")
    main_ok("models", "breed", "blossom", "--count", "6", "-o", str(tmp_path / "b.jpg"), "--keep", "2")
    assert "2 parents and 6 offspring" in capsys.readouterr().out and Image.open(tmp_path / "b.jpg").width > 1000
    assert [p.name for p in banks.read("blossom", 64, tmp_path).places] == ["flower", "camera", "seed 1 number 2"]
    with pytest.raises(Fault, match="has no encoder"):
        encoded(load_library().models["molten"], tmp_path / "flower.png")


def main_ok(*arguments: str) -> None:
    try:
        main(list(arguments))
    except SystemExit as end:
        assert not end.code


# -- a kept place, and knobs


TURNED = """
[[layer]]
model = "chrome"
latent = { green = 0.3 }
[layer.walk]
kind = "tour"
speed = 0.3
space = "SPACE"
[[route]]
from = "midi.cc20"
to = "main.latent.warm"
range = [-1.0, 1.0]
[[route]]
from = "audio.level"
to = "main.latent.bright"
range = [-0.8, 0.8]
[[layer]]
name = "other"
model = "glass"
latent = { bright = 0.5 }
[layer.walk]
kind = "drift"
"""


@pytest.fixture(scope="module")
def played():
    """A library, two of its models loaded, and how a frame's layer looks in them."""
    library = load_library()
    it = painter(library, "cpu")
    it.warm("chrome")
    it.warm("glass")
    return (
        library,
        it,
        lambda frame, layer, model: Painter._drawn(it._models[model].model, frame.scene.walks[layer]).copy(),
    )


def kept(it, painted, frame):
    """Keep what a frame shows, as the stage does, and have the banks read from their files again."""
    for layer in it.preset.model_layers:
        latent = painted.shown(layer.model, frame.scene.walks[layer.name])
        it.recaller.banks[layer.model].keep(latent, "here", (), it.played(frame.scene, layer))


@pytest.mark.parametrize("space", ["z", "w"])
def test_a_kept_place_comes_back_as_it_was_with_knobs_still_turned(space, played, tmp_path):
    library, painted, look = played
    path = tmp_path / "turned.toml"
    path.write_text(TURNED.replace("SPACE", space))
    it = Show([library.load_preset(path)], "turned", banks={"chrome": Bank("chrome", 64), "glass": Bank("glass", 64)})

    def heard(t, level):
        return Features(t=t, values={"level": level})

    def go(seconds, start, level, *events):
        return run(it, seconds, features=lambda t: heard(t, level), start=start, events=events, fps=20)[-1]

    turned = [
        ControlEvent(0.5, "midi.cc20", 1.0),
        ControlEvent(0.5, "knob.main.latent.dir1", 1.2),
        ControlEvent(0.5, "knob.main.latent.detail", -0.7),
        ControlEvent(0.5, "knob.other.latent.warm", 0.9),
    ]
    at_keeping = go(2.0, 0.0, 0.9, *turned)
    assert at_keeping.scene.walks["main"].moves.count(0.0) < len(at_keeping.scene.walks["main"].moves) - 4
    kept(it, painted, at_keeping)
    for model in ("chrome", "glass"):
        banks.write(it.recaller.banks[model], tmp_path)
        it.recaller.banks[model] = banks.read(model, 64, tmp_path)
    (place,) = it.recaller.banks["chrome"].places
    assert dict(place.played).keys() == {"bright"}, "what hands turned is in the place alone"
    pictures = {
        (layer, model): look(at_keeping, layer, model) for layer, model in (("main", "chrome"), ("other", "glass"))
    }

    def off(frame):
        return {
            model: float(np.abs(look(frame, layer, model) - pictures[layer, model]).mean()) for layer, model in pictures
        }

    elsewhere = go(4.0, 2.0, 0.9)
    assert min(off(elsewhere).values()) > 0.02
    still = go(4.0, 6.0, 0.9, ControlEvent(6.2, "bank.recall", 0.0))
    assert max(off(still).values()) < 2e-3, "knobs as they were when it was kept"
    other = go(
        4.0,
        10.0,
        0.9,
        ControlEvent(10.1, "bank.let_go"),
        ControlEvent(13.0, "midi.cc20", 0.2),
        ControlEvent(13.0, "knob.main.latent.dir1", -0.4),
        ControlEvent(13.0, "knob.other.latent.warm", -1.0),
    )
    assert other.scene.walks["main"].stops == ()
    again = go(4.0, 14.0, 0.9, ControlEvent(14.1, "bank.recall", 0.0))
    assert max(off(again).values()) < 2e-3, "knobs turned elsewhere before the recall"
    turned_on = go(0.5, 18.0, 0.9, ControlEvent(18.1, "knob.main.latent.detail", 0.9))
    assert off(turned_on)["chrome"] > 0.02 and off(turned_on)["glass"] < 2e-3, "from there knobs go on"
    back = go(0.5, 18.5, 0.9, ControlEvent(18.6, "knob.main.latent.detail", -0.7))
    assert max(off(back).values()) < 2e-3
    assert off(go(0.5, 19.0, 0.1))["chrome"] > 0.01, "and so does the music"
    assert max(off(go(0.5, 19.5, 0.9)).values()) < 2e-3


def test_a_place_that_music_moved_comes_as_it_looked_where_no_music_moves_it(played, tmp_path):
    library, painted, look = played
    loud, quiet = tmp_path / "moved.toml", tmp_path / "plain.toml"
    loud.write_text(TURNED.replace("SPACE", "z"))
    quiet.write_text('[[layer]]\nmodel = "chrome"\nlatent = { bright = -0.9 }\n')
    it = Show(
        [library.load_preset(loud), library.load_preset(quiet)],
        "moved",
        banks={"chrome": Bank("chrome", 64), "glass": Bank("glass", 64)},
    )
    before = run(it, 2.0, features=lambda t: Features(t=t, values={"level": 0.9}), fps=20)[-1]
    kept(it, painted, before)
    after = run(
        it,
        8.0,
        start=2.0,
        fps=20,
        events=[ControlEvent(2.0, "show.preset", 0.0, "plain"), ControlEvent(5.0, "bank.recall", 0.0)],
    )[-1]
    assert after.scene.preset.name == "plain" and after.scene.walks["main"].moves
    assert np.abs(look(after, "main", "chrome") - look(before, "main", "chrome")).mean() < 2e-3


def test_a_bank_of_before_is_read_and_what_is_no_knob_in_it_is_one_line(tmp_path):
    bank = Bank("marble", D)
    bank.keep(place(1), "dusk")
    banks.write(bank, tmp_path)
    text = (tmp_path / "marble.toml").read_text()
    assert "played" not in text and banks.read("marble", D, tmp_path).places[0].played == ()
    bank.keep(place(2), "dawn", (), {"bright": 0.5, "warm": -0.25})
    banks.write(bank, tmp_path)
    assert banks.read("marble", D, tmp_path).places[1].played == (("bright", 0.5), ("warm", -0.25))
    for wrong in (
        "played = 3",
        'played = "x"',
        "played = { bright = nan }",
        'played = { bright = "high" }',
        "played = { bright = [1] }",
    ):
        (tmp_path / "marble.toml").write_text(text + wrong + "\n")
        with pytest.raises(Fault, match=r"place\[0\]"):
            banks.read("marble", D, tmp_path)


def test_each_model_of_a_scene_is_held_by_its_own_bank():
    text = TEXT + '[[layer]]\nname = "far"\nmodel = "nebula"\n[[layer]]\nname = "twin"\nmodel = "marble"\n'
    marble, nebula = Bank("marble", D), Bank("nebula", D)
    marble.keep(place(1), "a")
    marble.keep(place(2), "b")
    nebula.keep(place(3), "c")
    it = Show([make(text)], "first", banks={"marble": marble, "nebula": nebula})
    assert [layer.name for layer in it.preset.model_layers] == ["main", "far"]

    def held(*events):
        frame = run(it, 3.0, events=events, start=held.t)[-1]
        held.t += 3.0
        stops = {layer: [stop[0] for stop in walk.stops] for layer, walk in frame.scene.walks.items()}
        return stops, waiting(frame.status)

    held.t = 0.0
    assert held(ControlEvent(0.1, "bank.recall", 0.0)) == (
        {"main": [place(1)], "far": [place(3)], "twin": []},
        "held: a, c",
    )
    assert held(ControlEvent(3.1, "bank.recall", 1.0))[0] == {"main": [place(2)], "far": [place(3)], "twin": []}
    assert held(ControlEvent(6.1, "bank.recall", -1.0, "a", words=("nebula",)))[0]["main"] == [place(2)]
    assert held(ControlEvent(9.1, "bank.recall", -1.0, "a", words=("marble",)))[0]["main"] == [place(1)]
    assert held(ControlEvent(12.1, "bank.next"))[0] == {"main": [place(2)], "far": [place(3)], "twin": []}
    assert held(ControlEvent(15.1, "bank.let_go"))[0] == {"main": [], "far": [], "twin": []}


def test_what_is_kept_from_the_deck_that_comes_in_is_its_own():
    bright = TEXT.replace("First", "Second") + '[[route]]\nfrom = "audio.level"\nto = "main.latent.bright"\n'
    plain, other = (
        make(TEXT.replace('name = "echo"', 'name = "hall"').replace("main.echo", "main.hall")),
        make(bright, "second"),
    )
    it = Show([plain, other], "first", banks={"marble": Bank("marble", D)}, crossfader="midi.cc8")
    events = [
        ControlEvent(0.1, "show.preset", 1.0),
        *(ControlEvent(0.2 + 0.1 * i, "midi.cc8", 0.5 * i) for i in range(2)),
    ]
    last = run(it, 2.0, features=loud, events=events)[-1]
    assert last.incoming is not None and last.incoming.preset is other
    played = {scene.preset.name: it.played(scene, scene.preset.model_layers[0]) for scene in last.scenes}
    assert played["first"] == {} and played["second"] == {"bright": pytest.approx(0.8)}
    assert it.played(replace(last.scene, number=99), plain.model_layers[0]) == {}, "a scene that is over"
