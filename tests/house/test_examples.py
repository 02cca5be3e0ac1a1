"""Each example runs as its header says, and writes what it promises."""

import csv
import json
import re
import runpy
import sys
from pathlib import Path

import av
import mido
import numpy as np
import pytest
import soundfile
from parts.clicks import RATE, clicks
from PIL import Image

from performer.audio.features import FEATURES
from performer.content import library
from performer.latent.walks import WALKS

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = sorted((ROOT / "docs" / "examples").glob("*.py"))


@pytest.fixture
def run(tmp_path, monkeypatch, capsys):
    """Run an example in a folder of its own, with factory content alone; return what it prints."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "user"))
    walks, features = dict(WALKS), dict(FEATURES)

    def body(name: str, *words: str) -> str:
        path = ROOT / "docs" / "examples" / f"{name}.py"
        monkeypatch.setattr(sys, "argv", [str(path), *words])
        runpy.run_path(str(path), run_name="__main__")
        return capsys.readouterr().out

    yield body
    for table, before in ((WALKS, walks), (FEATURES, features)):
        table.clear()
        table.update(before)


@pytest.fixture
def song(tmp_path):
    """Six seconds of a metronome at 120 bpm, four beats in a bar."""
    soundfile.write(tmp_path / "song.wav", clicks(120, 6.0, 4), RATE)
    return "song.wav"


def picture(path: str) -> np.ndarray:
    """(H, W, 3), and not of one colour."""
    pixels = np.asarray(Image.open(path).convert("RGB"), int)
    assert pixels.std() > 3.0
    return pixels


def analyse_a_file(run, song):
    told = run("analyse_a_file", song, "analysis.json")
    heard = json.loads(Path("analysis.json").read_text())
    assert abs(heard["tempo"][-1]["bpm"] - 120.0) < 1.0 and len(heard["onsets"]) == 12
    assert f"{len(heard['beats'])} beats" in told


def beats_to_csv(run, song):
    run("beats_to_csv", song, "beats.csv")
    rows = list(csv.DictReader(Path("beats.csv").read_text().splitlines()))
    times = [float(row["seconds"]) for row in rows]
    assert len(rows) >= 9 and np.allclose(np.diff(times[3:]), 0.5, atol=0.03)
    assert 1 <= sum(row["downbeat"] == "1" for row in rows) <= 4


def preset_to_picture(run, song):
    told = run("preset_to_picture", "tidal", "tidal.png")
    assert picture("tidal.png").shape == (360, 640, 3) and told.startswith("Tidal at 2.05 s")


def render_five_seconds(run, song):
    run("render_five_seconds", song, "film.mp4")
    with av.open("film.mp4") as film:
        assert len(list(film.decode(video=0))) == 75
        assert film.streams.audio


def walk_a_model(run, song):
    run("walk_a_model", "molten", "strip.png")
    strip = picture("strip.png")
    assert strip.shape == (128, 6 * 128, 3)
    first, last = strip[:, :128], strip[:, -128:]
    assert np.abs(first - last).mean() > 5.0


def own_walk(run, song):
    lines = run("own_walk").splitlines()
    assert (
        "pendulum" in lines[0] and lines[1].split(" ", 1)[1] == lines[5].split(" ", 1)[1] != lines[2].split(" ", 1)[1]
    )


def own_output(run, song):
    assert run("own_output", "tidal", "loop.gif") == "loop.gif: 0 dropped\n"
    with Image.open("loop.gif") as loop:
        assert loop.n_frames == 12 and loop.size == (160, 90) and loop.info["duration"] == 100


def parameters_of_a_preset(run, song):
    lines = run("parameters_of_a_preset", "tidal").splitlines()
    preset = library.Library(audio=tuple(FEATURES)).load().find("tidal")
    assert [line.split()[0] for line in lines] == list(preset.params)
    assert sum("moved by" in line for line in lines) == len({route.target for route in preset.routes})


def draw_a_shader(run, song):
    told = run("draw_a_shader", str(ROOT / "shaders" / "tunnel.fs"), "tunnel.png")
    assert picture("tunnel.png").shape == (360, 640, 3) and told.startswith("tunnel, a source: ")


def mix_styles(run, song):
    assert run("mix_styles", "molten", "mixed.png") == "styles mixed\n"
    sheet = picture("mixed.png")
    assert sheet.shape == (3 * 128, 3 * 128, 3)
    assert np.abs(sheet[:128, :128] - sheet[:128, 128:256]).mean() > 5.0


def read_a_midi_file(run, song):
    file, track = mido.MidiFile(ticks_per_beat=480), mido.MidiTrack()
    file.tracks.append(track)
    track.append(mido.Message("note_on", note=60, velocity=99, channel=2))
    track.append(mido.Message("note_off", note=60, channel=2, time=480))
    file.save("song.mid")
    lines = run("read_a_midi_file", "song.mid").splitlines()
    assert lines[0].split() == ["0.000", "s", "channel", "3", "note", "60", "velocity", "99"]
    assert lines[1] == "0.50 s, 2 messages"


def find_directions(run, song):
    told = run("find_directions", "molten", "direction.png")
    assert re.search(r"^\w+ +measured +explains 0\.[1-9]", told, re.M)
    assert picture("direction.png").shape == (128, 3 * 128, 3)


def breed_places(run, song):
    assert run("breed_places", "molten", "children.png") == "kept: place 1, place 2\n"
    assert picture("children.png").shape == (128, 8 * 128, 3)


CHECKS = {
    check.__name__: check
    for check in (
        analyse_a_file,
        beats_to_csv,
        preset_to_picture,
        render_five_seconds,
        walk_a_model,
        own_walk,
        own_output,
        parameters_of_a_preset,
        draw_a_shader,
        mix_styles,
        read_a_midi_file,
        find_directions,
        breed_places,
    )
}


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_the_example_does_what_its_header_says(path, run, song):
    first, *_ = path.read_text(encoding="utf-8").splitlines()
    assert first.startswith("# ") and f"python docs/examples/{path.name}" in path.read_text(encoding="utf-8")
    CHECKS[path.stem](run, song)


def test_each_check_has_its_example():
    assert set(CHECKS) == {path.stem for path in EXAMPLES}
