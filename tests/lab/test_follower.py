"""The follower: moves are recorded, a network learns them, and improvises the same at any frame rate, or not at all."""

import logging
import os
import signal
import subprocess
import sys
import threading
import tomllib
import zipfile
from dataclasses import replace
from pathlib import Path

import mido
import numpy as np
import pytest
import soundfile
from parts.patience import PATIENCE_S, until
from parts.scenes import TEXT, make

from performer.audio.control_features import NAMES, TICK_S
from performer.cli.main import main
from performer.content.library import FACTORY, Library
from performer.io.record import moves
from performer.io.record.moves import Moves, MovesRecorder
from performer.io.sound import demo_song
from performer.rig.check import check
from performer.rig.listener import Listener
from performer.rig.live.follower_pool import MOST_BYTES, FollowerPool, read, strange_knob
from performer.rig.offline import Performance, rehearse
from performer.rig.options import RenderOptions
from performer.show.follower import AutoPerformer, FollowerNet
from performer.show.routing import Router
from performer.show.show import Show
from performer.system.errors import Fault
from performer.system.mailboxes import Ring
from performer.types.features import Features, Sound
from performer.types.frame import ControlEvent, FollowerRequest
from performer.types.routes import Route

onnx = pytest.importorskip("onnx")
SHIPPED = FACTORY / "models" / "puppeteer.follower.onnx"
FOLLOWED = (
    TEXT.replace('title = "First"', 'title = "First"\nfollower = "warmer"')
    + """
[[route]]
from = "follower.warm"
to = "main.latent.warm"
range = [-1.0, 1.0]
"""
)


class Source:
    """A listener's source that is fed by hand."""

    delay_s = 0.0

    def __init__(self, rate: int) -> None:
        self.rate, self.ring = rate, Ring(4 * rate, 1)

    def pump(self) -> None:
        pass

    def hear(self, block: np.ndarray) -> None:
        self.ring.write(block[:, None], (self.ring.written + len(block)) / self.rate)


def gated(seed: int, seconds: float, rate: int = 22050) -> tuple[np.ndarray, np.ndarray]:
    """A bass tone that comes and goes over a steady hiss, and where a slow hand would hold a knob that follows it."""
    rng = np.random.default_rng(seed)
    n = int(seconds * rate)
    gate, at = np.zeros(n), 0
    while at < n:
        length = int(rng.uniform(0.4, 1.4) * rate)
        gate[at : at + length] = rng.random() < 0.5
        at += length
    t = np.arange(n) / rate
    sound = 0.5 * gate * np.sin(2 * np.pi * 60.0 * t) + 0.05 * rng.standard_normal(n)
    every = rate // 100
    hand, value = [], 0.0
    for wished in gate[::every]:
        value += (wished - value) * (1.0 - np.exp(-0.01 / 0.25))
        hand.append(0.1 + 0.8 * value)
    return sound.astype(np.float32), np.interp(t, t[::every], hand)


def ticks_of(sound: np.ndarray, rate: int = 22050, block: int = 4096, follow=None) -> np.ndarray:
    source = Source(rate)
    listener, made, seen = Listener(source, follow), [], 0
    for at in range(0, len(sound), block):
        source.hear(sound[at : at + block])
        listener.hear()
        rows, _ = listener.ticks.since(seen)
        seen += len(rows)
        made.append(rows)
    return np.concatenate(made)


def recorded(seed: int, seconds: float = 30.0) -> Moves:
    sound, hand = gated(seed, seconds)
    ticks = ticks_of(sound)
    at = np.clip(np.round(ticks[:, 0] * 22050).astype(int), 0, len(hand) - 1)
    return Moves(ticks[:, 1:].astype(np.float16), hand[at, None].astype(np.float32), ticks[:, 0], ("main.latent.warm",))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("moves")
    for seed in range(2):
        moves.write(made / f"{seed}.npz", recorded(seed))
    return made


@pytest.fixture(scope="module")
def trained(folder):
    """models/warmer.follower.onnx, trained for seconds on a knob that follows the bass."""
    pytest.importorskip("torch")
    from performer.lab.train.follower import FollowerNetwork, judge, train_follower
    from performer.lab.train.loop import Options
    from performer.lab.train.moves_dataset import gather

    pairs = gather([folder])
    out = folder.parent / "content" / "models" / "warmer.follower.onnx"
    fresh = judge(FollowerNetwork(1), pairs)
    run = train_follower(pairs, Options(out, 0, 0, 400, None, 8))
    return out, fresh, judge(run.parts["average"], pairs)


def found(path: Path):
    return lambda name: path


# What is heard


@pytest.mark.parametrize("rate", [22050, 44100, 48000])
def test_ticks_are_as_far_apart_as_they_should_be_whatever_the_hop(rate):
    sound, _ = gated(3, 6.0, rate)
    ticks = ticks_of(sound, rate)
    assert abs(len(ticks) - 6.0 / TICK_S) <= 2 and ticks.shape[1] == 1 + len(NAMES)
    assert np.abs(ticks[:, 0] - (np.arange(len(ticks)) + 1) * TICK_S).max() < 0.025
    assert np.isfinite(ticks).all() and np.abs(ticks[:, 1:]).max() <= 1.0


def test_a_gist_of_silence_and_of_nonsense_is_finite():
    for sound in (np.zeros(44100, np.float32), np.full(44100, np.nan, np.float32), np.full(44100, 1e30, np.float32)):
        ticks = ticks_of(sound)
        assert len(ticks) > 90 and np.isfinite(ticks).all() and np.abs(ticks[:, 1:]).max() <= 1.0


# Recordings


def test_an_automation_of_a_song_is_recorded_as_it_was(tmp_path):
    track = mido.MidiTrack()
    for i in range(60):  # a ramp of six seconds, ten steps a second at 120 bpm
        track.append(mido.Message("control_change", control=74, value=2 * i, time=0 if i == 0 else 96))
    song = mido.MidiFile(tracks=[track])
    song.save(tmp_path / "knobs.mid")
    preset = tmp_path / "mine.toml"
    preset.write_text(
        'title = "Mine"\n[[layer]]\nmodel = "pearl"\n[layer.walk]\nkind = "drift"\nspeed = 2.0\n'
        '[[route]]\nfrom = "midi.cc74"\nto = "main.latent.warm"\nrange = [-1.0, 1.0]\n'
    )
    soundfile.write(tmp_path / "song.wav", gated(1, 12.0)[0], 22050)
    line = rehearse(str(tmp_path / "song.wav"), str(tmp_path / "knobs.mid"), str(tmp_path / "m.npz"), str(preset))
    assert "m.npz" in line and "main.latent.warm" in line
    made = moves.read(tmp_path / "m.npz")
    assert set(made.knobs) == {"midi.cc74", "main.latent.warm", "main.walk"}
    warm = made.moves[:, made.knobs.index("main.latent.warm")]
    for second in (1.0, 3.0, 5.0):
        assert warm[round(second / TICK_S)] == pytest.approx(second * 20 / 127, abs=0.04)
    walk = made.moves[:, made.knobs.index("main.walk")]
    assert walk[500] - walk[250] == pytest.approx(2.0 * 250 * TICK_S, rel=0.02)
    from performer.lab.train.moves_dataset import gather

    pairs = gather([tmp_path / "m.npz"])
    assert pairs.knobs == ("warm",)  # the walk's speed never changed, the controller is the same motion
    with pytest.raises(SystemExit):  # a recording is never written over
        main(["train", "moves", str(tmp_path / "song.wav"), str(tmp_path / "knobs.mid"), "-o", str(tmp_path / "m.npz")])


def recorder_at_work(path: Path, seconds: float) -> MovesRecorder:
    ticks = Ring(4096, 1 + len(NAMES), np.float64)
    recorder = MovesRecorder(path, ticks)
    show = Show([make()], "first")
    for i in range(round(seconds * 60)):
        t = (i + 1) / 60
        events = [
            ControlEvent(t, "midi.cc74", min(1.0, t / 10.0)),
            ControlEvent(t, "midi.clock"),
            ControlEvent(t, "knob.main.echo.zoom", 2.0),
        ]
        frame = show.step(t, 1 / 60, (64, 36), Features(t=t), Sound(), events)
        while (ticks.written + 1) * TICK_S <= t:
            ticks.write(np.full((1, 1 + len(NAMES)), (ticks.written + 1) * TICK_S))
        recorder.offer(t, frame, events)
        recorder.take()
    return recorder


def test_what_was_saved_by_the_way_survives_a_crash(tmp_path):
    recorder = recorder_at_work(tmp_path / "a.npz", 4.0)
    recorder.save()
    made = moves.read(tmp_path / "a.npz")  # and nothing more was ever said to the recorder
    assert len(made.t) == pytest.approx(200, abs=2)
    bloom = made.moves[:, made.knobs.index("master.bloom.amount")]
    assert np.abs(bloom - made.t / 10.0).max() < 0.01
    assert "midi.clock" not in made.knobs
    assert made.moves[50, made.knobs.index("main.echo.zoom")] == 1.0


def test_a_long_recording_goes_on_in_the_next_file(tmp_path, monkeypatch):
    monkeypatch.setattr(moves, "PART_TICKS", 100)
    recorder_at_work(tmp_path / "a.npz", 5.0).finish()
    parts = [moves.read(tmp_path / name) for name in ("a.npz", "a.2.npz")]
    assert [len(part.t) for part in parts] == [100, 100]
    assert parts[1].t[0] - parts[0].t[-1] == pytest.approx(TICK_S)


def test_no_part_of_an_older_recording_is_ever_written_over(tmp_path, monkeypatch):
    monkeypatch.setattr(moves, "PART_TICKS", 100)
    old = tmp_path / "a.2.npz"
    old.write_bytes(b"kept")
    with pytest.raises(Fault, match=r"a.npz: later parts of a recording of that name are there already \(a.2.npz\)"):
        MovesRecorder(tmp_path / "a.npz", Ring(64, 1 + len(NAMES), np.float64))
    old.rename(tmp_path / "a.b.2.npz")  # of another one
    recorder = recorder_at_work(tmp_path / "a.npz", 1.0)
    for name in ("a.npz", "a.2.npz"):  # another show began to record under that name in the same moment
        (tmp_path / name).write_bytes(b"kept")
    monkeypatch.setattr(moves, "PART_TICKS", 50)
    recorder.finish()
    assert len(moves.read(tmp_path / "a.3.npz").t) == 50 and "a.3.npz: 1 s" in recorder.line()
    assert all((tmp_path / name).read_bytes() == b"kept" for name in ("a.npz", "a.2.npz", "a.b.2.npz"))
    folder = tmp_path / "moves"
    folder.mkdir()
    (folder / "moves_4.2.npz").write_bytes(b"kept")  # whose first part was moved away
    assert MovesRecorder(folder, Ring(64, 1 + len(NAMES), np.float64)).path.name == "moves_5.npz"


def test_a_recorder_holds_on_to_nothing_while_no_sound_comes_and_when_the_disk_is_full(tmp_path, monkeypatch, caplog):
    recorder, show = MovesRecorder(tmp_path / "a.npz", Ring(64, 1 + len(NAMES), np.float64)), Show([make()], "first")
    for i in range(3000):  # 50 s
        t = (i + 1) / 60
        recorder.offer(t, show.step(t, 1 / 60, (64, 36), Features(t=t), Sound()), ())
        recorder.take()
    assert len(recorder._frames) <= moves.LATE_S * 60 + 1
    recorder = recorder_at_work(tmp_path / "b.npz", 1.0)

    def full(file, **parts):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(moves.np, "savez", full)
    stop = threading.Event()
    stop.set()
    recorder.run(stop)
    assert "moves are no longer recorded: " in caplog.text
    assert "b.npz: cannot be written: No space left on device" in caplog.text
    assert not list(tmp_path.iterdir())
    recorder.offer(2.0, show.step(51.0, 1 / 60, (64, 36), Features(t=51.0), Sound()), ())
    assert recorder._queue.empty()


def test_a_knob_that_cannot_move_is_not_recorded(tmp_path):
    show, ticks = Show([make()], "first"), Ring(64, 1 + len(NAMES), np.float64)
    params = show.preset.params
    params["main.echo.zoom"] = replace(params["main.echo.zoom"], low=1.0, high=1.0)
    recorder, turned = MovesRecorder(tmp_path / "a.npz", ticks), [ControlEvent(0.1, "knob.main.echo.zoom", 1.0)]
    frame = show.step(0.1, 0.1, (64, 36), Features(t=0.1), Sound(), turned)
    recorder.offer(0.1, frame, turned)
    assert "main.echo.zoom" not in recorder._queue.get()[1]


def test_a_show_that_is_interrupted_keeps_its_moves(tmp_path):
    out = tmp_path / "live.npz"
    show = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "performer",
            "play",
            "drift",
            "--headless",
            "--input",
            "demo",
            "--midi",
            "off",
            "--size",
            "160x90",
            "--fps",
            "20",
            "--record-moves",
            str(out),
        ],
        stderr=subprocess.PIPE,
        text=True,
        # A job in the background is born deaf to it.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    try:
        assert until(lambda: out.exists() or show.poll() is not None)
        show.send_signal(signal.SIGINT)
        _, said = show.communicate(timeout=PATIENCE_S)
    finally:
        show.kill()
    made = moves.read(out)
    assert len(made.t) * TICK_S >= 5.0 and "main.walk" in made.knobs
    assert "no parameter was moved" in said
    walk = made.moves[:, made.knobs.index("main.walk")]
    assert np.diff(walk).min() >= 0.0 and walk[-1] > walk[0]


@pytest.mark.parametrize(
    "harm", ["truncated", "lacks", "pickled", "shapes", "other", "text", "infinite", "damaged", "lying"]
)
def test_a_recording_that_is_no_good_is_one_clear_line(harm, folder, tmp_path):
    good, path = moves.read(folder / "0.npz"), tmp_path / "bad.npz"
    arrays = {
        "heard": good.heard,
        "moves": good.moves,
        "t": good.t,
        "knobs": np.array(good.knobs),
        "gist": np.array(NAMES),
        "tick_s": np.array(TICK_S),
    }
    if harm == "truncated":
        data = (folder / "0.npz").read_bytes()
        path.write_bytes(data[: len(data) // 2])
    elif harm == "text":
        path.write_text("not a recording")
    elif harm == "damaged":  # zlib's own error
        np.savez_compressed(path, **arrays)
        data = bytearray(path.read_bytes())
        data[60:90] = bytes(30)
        path.write_bytes(data)
    elif harm == "lying":  # about its size
        with zipfile.ZipFile(path, "w") as parts, parts.open("heard.npy", "w") as heard:
            header = {"descr": "<f2", "fortran_order": False, "shape": (10**15, len(NAMES))}
            np.lib.format.write_array_header_1_0(heard, header)
    else:
        changed = {
            "lacks": {"knobs": None},
            "pickled": {"knobs": np.array([{}], object)},
            "shapes": {"t": good.t[:-1]},
            "other": {"gist": np.array([*NAMES[:-1], "smell"])},
            "infinite": {"heard": np.full_like(good.heard, np.inf)},
        }[harm]
        arrays.update(changed)
        np.savez(path, **{name: array for name, array in arrays.items() if array is not None})
    with pytest.raises(Fault, match=r"bad\.npz") as caught:
        moves.read(path)
    assert "\n" not in str(caught.value)


def test_a_recording_is_never_written_over(tmp_path):
    (tmp_path / "a.npz").write_bytes(b"precious")
    for path, why in (
        (tmp_path / "a.npz", "already"),
        (tmp_path / "a.wav", r"\.npz"),
        (tmp_path / "no" / "a.npz", "no such folder"),
    ):
        with pytest.raises(Fault, match=why):
            moves.check_path(path)
    assert moves.check_path(tmp_path).name == "moves_1.npz"
    assert moves.check_path(f"{tmp_path}/new/") == tmp_path / "new" / "moves_1.npz" and (tmp_path / "new").is_dir()
    with pytest.raises(Fault, match=r"a new one: hands/"):
        moves.check_path(tmp_path / "hands")
    with pytest.raises(Fault, match="cannot make this folder"):
        moves.check_path(f"{tmp_path}/a.npz/in/")


# Training


def test_a_folder_with_a_broken_recording_is_learned_from_without_it(folder, tmp_path, caplog):
    pytest.importorskip("torch")
    from performer.lab.train.moves_dataset import gather

    (tmp_path / "bad.npz").write_bytes(b"no")
    (tmp_path / "good.npz").write_bytes((folder / "0.npz").read_bytes())
    with caplog.at_level(logging.WARNING):
        pairs = gather([tmp_path])
    assert pairs.files == 1 and caplog.text.count("left out") == 1
    with pytest.raises(Fault, match=r"was not recorded.*warm"):
        gather([tmp_path], ["wamr"])
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(Fault, match="no recordings"):
        gather([empty])
    moves.write(tmp_path / "short.npz", recorded(5, 4.0))
    with pytest.raises(Fault, match="only 3 s of moves"):
        gather([tmp_path / "short.npz"])
    still = moves.read(folder / "0.npz")
    moves.write(tmp_path / "still.npz", replace(still, moves=np.full_like(still.moves, 0.5)))
    with pytest.raises(Fault, match="no parameter was moved"):
        gather([tmp_path / "still.npz"])


def test_training_lowers_the_loss_and_beats_who_holds_still(trained):
    _, fresh, figures = trained
    assert figures["surprise"] < fresh["surprise"] - 0.5
    assert figures["surprise"] < min(figures["still"], figures["mean"])


def test_it_follows_sound_that_it_never_heard(trained):
    made = recorded(11, 20.0)
    net = FollowerNet(trained[0])
    for wildness, least in ((0.0, 0.7), (0.5, 0.5)):
        player = AutoPerformer(net, 3)
        played = np.array([float(player.tick(row, wildness)[0]) for row in made.heard.astype(np.float32)])
        assert np.corrcoef(played[100:], made.moves[100:, 0])[0, 1] > least, wildness
        assert played.min() >= 0.0 and played.max() <= 1.0


def test_it_is_small_and_its_card_says_what_it_is(trained):
    path = trained[0]
    assert path.stat().st_size < 300_000
    card = tomllib.loads(path.with_suffix(".toml").read_text())
    assert card["knobs"] == ["warm"] and card["training"]["export_difference"] < 1e-3
    assert card["metrics"]["surprise"] < card["metrics"]["still"]
    assert path.with_suffix(".png").is_file()


def test_a_resumed_training_is_the_uninterrupted_one(folder, tmp_path):
    torch = pytest.importorskip("torch")
    from performer.lab.train.follower import train_follower
    from performer.lab.train.loop import Options
    from performer.lab.train.moves_dataset import gather

    pairs = gather([folder])

    def run(name: str, steps: int, resume: bool = False):
        return train_follower(pairs, Options(tmp_path / f"{name}.follower.onnx", 0, 0, steps, None, 2, resume=resume))

    whole = run("whole", 4)
    run("parts", 2)
    parts = run("parts", 4, resume=True)
    for name in ("network", "average"):
        one, two = whole.parts[name].state_dict(), parts.parts[name].state_dict()
        assert all(torch.equal(one[key], two[key]) for key in one), name
    assert (tmp_path / "whole.follower.onnx").read_bytes() == (tmp_path / "parts.follower.onnx").read_bytes()


def test_the_command_trains_and_says_how_to_play_it(folder, tmp_path):
    pytest.importorskip("torch")
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "performer",
            "train",
            "follower",
            str(folder),
            "-o",
            str(tmp_path / "mine.onnx"),
            "--steps",
            "3",
            "--batch",
            "2",
        ],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert 'follower = "mine"' in done.stdout and '"follower.warm"' in done.stdout and "surprise" in done.stdout
    assert read(tmp_path / "mine.follower.onnx").knobs == ("warm",)


# At play


def performed(path: Path, fps: int, seed: int = 0, seconds: float = 6.0) -> np.ndarray:
    """(quarters of a second,): where the follower's parameter is, by a show at that rate."""
    rate = 22050
    sound, _ = gated(21, seconds, rate)
    source, followers = Source(rate), FollowerPool(found(path))
    followers.load(["warmer"])
    listener, show = Listener(source, followers.tick), Show([make(FOLLOWED)], "first", seed=seed)
    followers.request(show.following)
    seen = []
    for i in range(round(seconds * fps)):
        t = (i + 1) / fps
        source.hear(sound[source.ring.written : round(t * rate)])
        listener.hear()
        frame = show.step(t, 1 / fps, (64, 36), listener.features(), Sound(), (), moves=followers.moves)
        followers.request(show.following)
        if (i + 1) % (fps // 2) == 0:
            seen.append(frame.scene.params["main.latent.warm"])
    return np.array(seen)


def test_it_plays_the_same_at_any_frame_rate_and_for_the_same_seed(trained):
    slow, fast, again, other = (performed(trained[0], fps, seed) for fps, seed in ((30, 0), (120, 0), (30, 0), (30, 1)))
    assert np.array_equal(slow, again) and np.abs(slow - fast).max() < 1e-6
    assert np.abs(slow - other).max() > 1e-3 and np.ptp(slow) > 0.2


def test_the_same_ticks_and_seed_give_the_same_moves_to_the_bit(trained):
    heard = recorded(13, 5.0).heard.astype(np.float32)
    runs = []
    for seed in (4, 4, 5):
        player = AutoPerformer(FollowerNet(trained[0]), seed)
        runs.append(np.array([player.tick(row, 1.0).copy() for row in heard]))
    assert np.array_equal(runs[0], runs[1]) and not np.array_equal(runs[0], runs[2])


def test_wildness_is_how_wild_it_is(trained):
    made = recorded(12, 10.0)
    net, wild = FollowerNet(trained[0]), []
    for wildness in (0.0, 0.5, 2.0):
        runs = []
        for seed in range(3):
            player = AutoPerformer(net, seed)
            runs.append([float(player.tick(row, wildness)[0]) for row in made.heard.astype(np.float32)])
        wild.append(float(np.std(runs, axis=0).mean()))
    assert wild[0] == 0.0 and 0.0 < wild[1] < wild[2]


def test_the_hand_on_a_knob_wins_over_the_follower_and_gives_it_back():
    params = make(FOLLOWED).params
    routes = [
        Route("follower.warm", "main.latent.warm", outside=(-1.0, 1.0)),
        Route("midi.cc1", "main.latent.warm", outside=(-1.0, 1.0)),
    ]
    router = Router(routes, params, {"main.latent.warm": 0.0}, hold=4.0)
    values = {"follower.warm": 0.9, "midi.cc1": 0.1}  # the knob lies there from the scene before
    seen = []
    for i in range(60 * 20):
        t = i / 60
        if 2.0 <= t < 3.0:
            values["midi.cc1"] = 0.25
        seen.append(router.step(values, t, 1 / 60)[0]["main.latent.warm"])
    at = dict(zip((round(i / 60, 2) for i in range(len(seen))), seen, strict=True))
    assert at[1.5] == pytest.approx(0.8, abs=0.01)
    assert at[3.0] == pytest.approx(-0.5, abs=0.01) and at[5.9] == pytest.approx(-0.5, abs=0.01)
    assert at[19.0] == pytest.approx(0.8, abs=0.01)
    assert abs(np.diff(seen)).max() < 0.3
    led = [router.step(values, 20.0 + i / 60, 1 / 60, led=0.0)[0]["main.latent.warm"] for i in range(3)]
    assert led[-1] == pytest.approx(-0.5, abs=0.01)  # a follower that counts for nothing leaves the knob to the hand
    router.turn("main.latent.warm", 0.6)  # on the page
    page = [router.step(values, 40.0 + i / 60, 1 / 60)[0]["main.latent.warm"] for i in range(60)][-1]
    assert page == pytest.approx(0.6 - 0.5, abs=0.01)  # about which the controller, in the same hands, moves it


def test_a_preset_names_its_follower():
    preset = make(FOLLOWED)
    assert preset.follower is not None and preset.follower.name == "warmer" and preset.follower.hold == 8.0
    assert preset.base["follower.play.wildness"] == 1.0
    table = FOLLOWED.replace('follower = "warmer"', "") + '[follower]\nname = "warmer"\nwildness = 1.5\nseed = 4\n'
    show = Show([make(table)], "first", seed=0)
    assert show.following == {1: FollowerRequest("warmer", 4, 1.5)}
    for text, why in (
        (FOLLOWED.replace('follower = "warmer"', ""), "needs a follower"),
        (table + "wildnes = 1\n", "wildness"),
        (FOLLOWED.replace("follower.warm", "follower."), "route"),
    ):
        with pytest.raises(Fault, match=why):
            make(text)


# When it is no good


def graph(path: Path, means: list, metadata: dict | None = None, tensors=(), inputs=None) -> Path:
    """A follower of one knob and one move, whose `means` is what the nodes make of what it hears."""
    from onnx import TensorProto, helper

    def info(name, *shape):
        return helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)

    constants = [
        helper.make_node("Constant", [], [name], value=helper.make_tensor(name, TensorProto.FLOAT, shape, [v]))
        for name, shape, v in (("odds", (1, 1, 1), 0.0), ("spreads", (1, 1, 1), 0.01))
    ]
    nodes = [*constants, helper.make_node("Identity", ["memory"], ["remembered"]), *means]
    made = helper.make_graph(
        nodes,
        "follower",
        inputs or [info("heard", 1, len(NAMES)), info("moved", 1, 1), info("memory", 1, 2)],
        [*(info(name, 1, 1, 1) for name in ("odds", "means", "spreads")), info("remembered", 1, 2)],
        list(tensors),
    )
    model = helper.make_model(made, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    helper.set_model_props(
        model, {"knobs": "warm", "start": "0.5", "gist": ",".join(NAMES), "tick_s": str(TICK_S), **(metadata or {})}
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    onnx.save(model, path)
    return path


def node(*words, **more):
    return onnx.helper.make_node(*words, **more)


def number(name: str, value, kind=None):
    return onnx.numpy_helper.from_array(np.asarray(value, kind or np.float32), name)


def nan_when_loud(path: Path) -> Path:
    """Moves steadily; a logarithm of less than nothing as soon as the level is above a half."""
    at = NAMES.index("level")
    nodes = [
        node("Slice", ["heard", "from", "to", "axis"], ["level"]),
        node("Sub", ["half", "level"], ["left"]),
        node("Log", ["left"], ["log"]),
        node("Mul", ["log", "zero"], ["none"]),
        node("Add", ["none", "step"], ["s"]),
        node("Reshape", ["s", "shape"], ["means"]),
    ]
    tensors = [
        number("from", [at], np.int64),
        number("to", [at + 1], np.int64),
        number("axis", [1], np.int64),
        number("half", 0.5),
        number("zero", 0.0),
        number("step", 0.002),
        number("shape", [1, 1, 1], np.int64),
    ]
    return graph(path, nodes, tensors=tensors)


def test_a_follower_that_says_nonsense_stops_and_its_knobs_stay(tmp_path, caplog):
    followers = FollowerPool(found(nan_when_loud(tmp_path / "n.follower.onnx")))
    followers.load(["n"])
    followers.request({1: FollowerRequest("n", 1, 0.0)})
    quiet, loud = np.zeros(len(NAMES)), np.ones(len(NAMES))
    for _ in range(10):
        followers.tick(quiet)
    before = followers.moves[1]["follower.warm"]
    assert before == pytest.approx(0.52, abs=1e-4)
    with caplog.at_level(logging.INFO):
        for _ in range(10):
            followers.tick(loud)
    assert followers.moves[1]["follower.warm"] == before
    assert len(caplog.records) == 1 and "stopped" in caplog.text
    for stamp in range(1, 6):  # saved again and again, and no better: only what is loaded is remembered
        os.utime(tmp_path / "n.follower.onnx", (stamp, stamp))
        followers.load(["n"])
        followers.tick(loud)
    assert len(followers._failed) == 1 and caplog.text.count("stopped") == 6


@pytest.mark.parametrize(
    "harm", ["missing", "text", "truncated", "large", "strange", "external", "gist", "knobs", "shape"]
)
def test_a_follower_that_is_no_good_is_one_line_and_the_preset_plays_without(harm, tmp_path, caplog):
    path = tmp_path / "warmer.follower.onnx"
    still = [node("Constant", [], ["means"], value=number("means", [[[0.0]]]))]
    if harm == "text":
        path.write_text("this is no network, however long it is")
    elif harm == "large":
        with path.open("wb") as file:
            file.truncate(MOST_BYTES + 1)
    elif harm == "strange":
        graph(path, [node("NonZero", ["heard"], ["many"]), *still])
    elif harm == "external":
        tensor = number("means", [[[0.0]]])
        tensor.data_location = onnx.TensorProto.EXTERNAL
        tensor.ClearField("raw_data")
        tensor.external_data.add(key="location", value="../../etc/passwd")
        graph(path, [node("Constant", [], ["means"], value=tensor)])
    elif harm in ("gist", "knobs"):
        graph(path, still, {harm: "a,b"})
    elif harm == "shape":
        graph(path, [node("Constant", [], ["means"], value=number("means", [[[0.0, 1.0]]]))])
    elif harm == "truncated":
        data = graph(path, still).read_bytes()
        path.write_bytes(data[: len(data) // 2])
    with caplog.at_level(logging.INFO):
        nowhere = Library(audio=(), folders=(tmp_path.parent,)).follower
        followers = FollowerPool(nowhere if harm == "missing" else found(path))
        for _ in range(5):
            followers.load(["warmer"])
    assert len(caplog.records) == 1, caplog.text
    assert "\n" not in caplog.text.strip() and "playing without it" in caplog.text
    show = Show([make(FOLLOWED)], "first")
    followers.request(show.following)
    followers.tick(np.zeros(len(NAMES)))
    frame = show.step(0.1, 0.1, (64, 36), Features(t=0.1), Sound(), (), moves=followers.moves)
    assert frame.scene.params["main.latent.warm"] == 0.0


def test_a_knob_that_the_follower_does_not_have_is_named(tmp_path, caplog):
    path = graph(tmp_path / "warmer.follower.onnx", [node("Constant", [], ["means"], value=number("m", [[[0.0]]]))])
    good, bad = make(FOLLOWED), make(FOLLOWED.replace("follower.warm", "follower.wram"))
    assert strange_knob(good, read(path)) == ""
    FollowerPool(found(path), [good])
    assert not caplog.records
    FollowerPool(found(path), [bad])
    assert len(caplog.records) == 1 and "did you mean 'follower.warm'?" in caplog.text
    (tmp_path / "first.toml").write_text(
        'follower = "pupeteer"\n[[layer]]\nshader = "aurora"\n'
        '[[route]]\nfrom = "follower.swey"\nto = "main.mix.opacity"\n'
    )
    assert "did you mean 'puppeteer'?" in check([str(tmp_path / "first.toml")], None, "cpu")[0]["error"]
    text = (tmp_path / "first.toml").read_text().replace("pupeteer", "puppeteer")
    (tmp_path / "first.toml").write_text(text)
    assert "the follower has no 'follower.swey'" in check([str(tmp_path / "first.toml")], None, "cpu")[0]["error"]
    (tmp_path / "first.toml").write_text(text.replace("swey", "sway"))
    assert check([str(tmp_path / "first.toml")], None, "cpu")[0]["ok"]


def test_an_improvisation_goes_on_when_its_scene_is_renewed(tmp_path, monkeypatch):
    monkeypatch.setattr("performer.show.show.SCENE_S", 5.0)
    path = graph(tmp_path / "warmer.follower.onnx", [node("Constant", [], ["means"], value=number("m", [[[0.002]]]))])
    followers = FollowerPool(found(path))
    followers.load(["warmer"])
    show = Show([make(FOLLOWED)], "first")
    alone, expected, routed, numbers = AutoPerformer(read(path), show.following[1].seed), [], [], set()
    for i in range(20 * 20):  # a tick a frame
        followers.request(show.following)
        followers.tick(np.zeros(len(NAMES)))
        expected.append(2.0 * float(alone.tick(np.zeros(len(NAMES)), 1.0)[0]) - 1.0)
        frame = show.step((i + 1) / 20, 1 / 20, (64, 36), Features(t=i / 20), Sound(), (), moves=followers.moves)
        routed.append([scene.params["main.latent.warm"] for scene in frame.scenes])
        numbers |= {scene.number for scene in frame.scenes}
    assert len(numbers) >= 3 and any(len(both) == 2 for both in routed)
    for both, one in zip(routed, expected, strict=True):
        assert both == pytest.approx([one] * len(both), abs=1e-5), "ticked once, and never begun again"
    assert len(followers._playing) <= 2, "scenes that are over are forgotten"


def test_a_newer_file_is_taken_while_it_plays_and_a_broken_one_is_not(tmp_path, caplog):
    path = graph(tmp_path / "up.follower.onnx", [node("Constant", [], ["means"], value=number("m", [[[0.01]]]))])
    followers = FollowerPool(found(path))
    followers.load(["up"])
    followers.request({1: FollowerRequest("up", 1, 0.0)})

    def play(count: int) -> float:
        for _ in range(count):
            followers.tick(np.zeros(len(NAMES)))
        return followers.moves[1]["follower.warm"]

    up = play(20)
    assert up == pytest.approx(0.7, abs=1e-3)
    graph(path, [node("Constant", [], ["means"], value=number("m", [[[-0.01]]]))])
    os.utime(path, (1, 1))
    followers.load(["up"])
    assert play(1) == pytest.approx(up - 0.01, abs=1e-3)
    path.write_bytes(b"half a file, while somebody is copying it")
    caplog.clear()
    with caplog.at_level(logging.WARNING):
        followers.load(["up"])
        followers.load(["up"])
    assert play(1) == pytest.approx(up - 0.02, abs=1e-3)
    assert caplog.text.count("\n") == 1 and "the previous version keeps playing" in caplog.text


# The one that comes along


def test_the_shipped_follower_is_small_free_and_quick():
    net = read(SHIPPED)
    card = tomllib.loads(SHIPPED.with_suffix(".toml").read_text())
    assert SHIPPED.stat().st_size < 300_000 and card["licence"] == "CC0-1.0" and tuple(card["knobs"]) == net.knobs
    assert card["metrics"]["surprise"] < min(card["metrics"]["still"], card["metrics"]["mean"])
    sound = demo_song.render(44100)[: 44100 * 20].mean(1)
    played = []
    player = AutoPerformer(net, 1)
    ticks_of(sound, 44100, follow=lambda heard: played.append(player.tick(heard, 1.0).copy()))
    assert np.isfinite(played).all() and np.std(played, axis=0).min() > 0.01


def test_the_preset_that_plays_with_it_gives_the_same_frames_again():
    def pictures():
        with Performance(
            RenderOptions(
                song="demo",
                out="unused.mp4",
                preset="marionette",
                size=(160, 90),
                fps=20.0,
                seconds=2.0,
                provider="cpu",
            )
        ) as it:
            steps = [it.step() for _ in range(it.frames)]
            return [frame.routes for frame, _, _ in steps], [pixels.copy() for _, pixels, _ in steps]

    (routes, one), (_, two) = pictures(), pictures()
    assert all(np.array_equal(a, b) for a, b in zip(one, two, strict=True))
    led = {target: x for source, target, x in routes[-1] if source.startswith("follower.")}
    assert len(led) >= 4
