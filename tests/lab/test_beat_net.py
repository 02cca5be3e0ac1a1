"""The beat network: songs with exact beats, training that learns, an export that equals torch, and a live net."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from performer.audio.beat_network import FILE, BeatNet, beat_net
from performer.system.errors import Fault
from performer.types.features import BANDS

torch = pytest.importorskip("torch")

from performer.lab.train import arrange_songs, beat_dataset, compose_songs, render_songs  # noqa: E402
from performer.lab.train.beat_net import BeatNetwork, Examples, export, exported, loss_of  # noqa: E402


@pytest.mark.parametrize("seed", range(6))
def test_a_song_is_the_same_for_the_same_seed_and_its_beats_are_even(seed: int) -> None:
    song, again = compose_songs.compose(seed, 20.0), compose_songs.compose(seed, 20.0)
    assert song.notes == again.notes and np.array_equal(song.beats, again.beats)
    assert song.notes and 55.0 / 1.1 <= 60.0 / np.median(np.diff(song.beats)) <= 220.0
    assert set(song.downbeats) <= set(song.beats) and 2 <= len(song.beats) / len(song.downbeats) <= 8
    assert all(0 <= note.pitch < 128 and 1 <= note.velocity <= 127 and note.at >= 0.0 for note in song.notes)


def test_arranged_songs_begin_without_drums_mostly_and_loops_repeat_exactly() -> None:
    late = 0
    for seed in range(20):
        song, again = arrange_songs.arrange(seed, 20.0), arrange_songs.arrange(seed, 20.0)
        assert song.notes == again.notes and np.array_equal(song.beats, again.beats)
        assert set(song.downbeats) <= set(song.beats)
        assert all(0 <= note.pitch < 128 and 1 <= note.velocity <= 127 and note.at >= 0.0 for note in song.notes)
        drums = [note.at for note in song.notes if note.part == "drums"]
        late += not drums or min(drums) > song.notes[0].at + 1.0
    assert late >= 5
    bar = [(at * 0.5, 36, 100) for at in range(4)] + [(1.3, 38, 90)]
    song = arrange_songs.loop(3, bar * 1, 120.0, 4)
    strokes = np.array([note.at for note in song.notes if (note.part, note.pitch) == ("drums", 38)])
    length = song.downbeats[1] - song.downbeats[0]
    assert len(strokes) > 3 and np.diff(strokes) == pytest.approx(length * np.round(np.diff(strokes) / length))


def test_targets_lie_where_the_network_should_name_the_beat() -> None:
    song = compose_songs.compose(1, 20.0)
    marks = beat_dataset.targets(song, 4000, 0.01)
    named = (np.flatnonzero(marks[:, 0] == 2) + 1) * 0.01
    assert np.abs(named - 0.02 - song.beats[: len(named)]).max() <= 0.0051


def test_a_drum_machine_plays_when_it_should() -> None:
    notes = [compose_songs.Note("drums", at, 0.1, 36, 120) for at in (0.5, 1.0, 1.5)]
    made = render_songs.DrumMachine(np.random.default_rng(0), 22_050).play(notes, 2.0)
    assert np.abs(made[:11_000]).max() < 1e-6 and np.abs(made[11_025:12_000]).max() > 0.3


@pytest.mark.skipif(shutil.which("fluidsynth") is None, reason="FluidSynth is not here")
def test_fluidsynth_plays_notes_on_time() -> None:
    font = Path("/usr/share/sounds/sf2/TimGM6mb.sf2")
    if not font.exists():
        pytest.skip("the soundfont is not here")
    made = render_songs.fluidsynth(
        [compose_songs.Note("drums", 1.0, 0.2, 38, 127)], {"drums": 0}, font, 44_100, 2.0, False
    )
    first = int(np.flatnonzero(np.abs(made) > 0.1 * np.abs(made).max())[0])
    assert first / 44_100 == pytest.approx(1.0, abs=0.01)


def _written(folder: Path) -> list[Path]:
    """Two easy examples: every 45 frames a burst in the low bands is a beat, every fourth louder and wider."""
    paths = []
    for number in range(2):
        frames, marks = np.zeros((3000, BANDS), np.float16), np.zeros((3000, 2), np.uint8)
        for beat, at in enumerate(range(10 + number, 2990, 45)):
            frames[at : at + 4, : 40 if beat % 4 == 0 else 12] = 4.0
            marks[at, 0] = 2
            marks[at, 1] = 2 * (beat % 4 == 0)
        paths.append(folder / f"{number}.npz")
        np.savez(paths[-1], frames=frames, targets=marks)
    return paths


def test_training_lowers_the_loss_and_the_export_equals_torch(tmp_path: Path) -> None:
    torch.manual_seed(0)
    network, examples = BeatNetwork(channels=16, layers=6), Examples(_written(tmp_path), 0)
    optimizer = torch.optim.Adam(network.parameters(), 1e-2)
    losses = []
    for _ in range(30):
        levels, target = examples.batch(8, 300)
        optimizer.zero_grad()
        loss = loss_of(network(levels), target)
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
    assert np.mean(losses[-5:]) < 0.7 * losses[0]

    wider = BeatNetwork(channels=24, layers=6)
    wider.widen(network)
    levels, _ = examples.batch(1, 200)
    with torch.no_grad():
        assert torch.allclose(wider(levels), network(levels), atol=1e-4)

    export(network, tmp_path / "net.onnx", {"training": "a test"})
    with torch.no_grad():
        assert torch.allclose(exported(tmp_path / "net.onnx")(levels), network(levels), atol=1e-3)
    net = BeatNet(tmp_path / "net.onnx")
    levels, _ = examples.batch(1, 200)
    with torch.no_grad():
        wanted = torch.sigmoid(network(levels))[0].numpy()
    made = np.array([net(frame) for frame in levels[0].numpy()])
    assert np.abs(made - wanted).max() < 1e-4


def test_the_shipped_network_is_small_and_says_what_it_learned_from() -> None:
    onnx = pytest.importorskip("onnx")
    assert FILE.stat().st_size < 1_000_000
    facts = {p.key: p.value for p in onnx.load(FILE).metadata_props}
    assert "composed songs" in facts["training"]
    net = beat_net()
    assert net is not None
    for odds in (net(np.zeros(BANDS, np.float32)), net(np.full(BANDS, 9.0, np.float32))):
        assert all(0.0 <= p <= 1.0 for p in odds)


def test_a_file_that_is_no_network_is_refused_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "net.onnx").write_bytes(b"not a network")
    with pytest.raises(Fault, match="not a beat network") as caught:
        BeatNet(tmp_path / "net.onnx")
    assert "\n" not in str(caught.value)
