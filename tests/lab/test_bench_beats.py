"""Scores equal mir_eval's; the bench of a folder of songs, its changes, its pictures and its refusals."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st
from parts.clicks import RATE, clicks
from PIL import Image

from performer.lab.bench import beats, degradations, scores
from performer.system.errors import Fault

times = st.lists(st.floats(0.0, 60.0), max_size=80).map(lambda found: np.sort(np.array(found)))


@settings(max_examples=60, deadline=None)
@given(times, times, st.integers(0, 2**31))
def test_scores_are_those_of_mir_eval(truth: np.ndarray, found: np.ndarray, seed: int) -> None:
    mir_eval = pytest.importorskip("mir_eval")
    rng = np.random.default_rng(seed)
    steady = np.cumsum(rng.uniform(0.4, 0.6, 60))
    for real, said in ((truth, found), (steady, np.sort(steady + rng.normal(0.0, 0.05, 60))), (steady, steady[::2])):
        if not len(real) or not len(said):
            continue
        assert scores.f_measure(real, said, 0.07) == pytest.approx(mir_eval.beat.f_measure(real, said))
    for said in (np.sort(steady + rng.normal(0.0, 0.05, 60)), steady[1::2], steady[:-1] + 0.25, steady[::3]):
        _, cmlt, _, amlt = mir_eval.beat.continuity(steady, said)
        assert scores.continuity(steady, said) == pytest.approx((cmlt, amlt))


def test_chords_count_once_and_delay_is_measured_from_the_stroke() -> None:
    truth = {"onsets": [1.0, 1.01, 2.0, 3.0]}
    made = scores.score({"onsets": [1.0, 2.0, 3.0], "onsets_emitted": [1.01, 2.012, 3.014]}, truth)
    assert made["onset"] == 1.0 and made["onset_delay_ms"] == pytest.approx(11.0, abs=1.1)
    assert np.isnan(made["F"]) and np.isnan(made["downbeat"])


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    where = tmp_path_factory.mktemp("songs")
    entries = []
    for name, bpm, length in (("four", 120.0, 4), ("three", 140.0, 3)):
        soundfile.write(where / f"{name}.wav", clicks(bpm, 16.0, length), RATE)
        truth = np.arange(0.0, 16.0, 60.0 / bpm)
        entries.append({"file": f"{name}.wav", "beats": truth.tolist(), "downbeats": truth[::length].tolist()})
    soundfile.write(where / "unknown.wav", clicks(100.0, 4.0), RATE)
    entries.append({"file": "unknown.wav"})
    (where / "manifest.json").write_text(json.dumps(entries))
    return where


def test_a_folder_is_scored_file_by_file(folder: Path) -> None:
    made = beats.run(folder, ["without network"])["without network"]
    assert made["files"]["four.wav"]["F"] > 0.8 and made["files"]["three.wav"]["F"] > 0.8
    assert np.isnan(made["files"]["unknown.wav"]["F"]) and made["mean"]["F"] > 0.8
    assert 0.0 < made["mean"]["cpu"] < 1.0 and 0.0 <= made["calibration"]["error"] <= 1.0
    json.dumps(beats.clean(made), allow_nan=False)


@pytest.mark.parametrize("name", degradations.names())
def test_every_change_leaves_sound_and_moves_the_truth_along(name: str) -> None:
    sound = clicks(120.0, 10.0)
    made, stretch, late = degradations.apply(name, sound, RATE)
    assert len(made) == pytest.approx(len(sound) * stretch - late * RATE, rel=0.01)
    assert np.isfinite(made).all() and np.abs(made).max() > 0.001


@pytest.mark.parametrize(
    ("text", "says"),
    (
        ("{", "not JSON"),
        ("{}", "list of objects"),
        ('[{"beats": []}]', "entry 0 lacks `file`"),
        ('[{"file": "a.wav", "beats": "soon"}]', "a.wav: `beats` is no list"),
        ('[{"file": "a.wav", "beats": [1.0]}]', "no such sound file"),
    ),
)
def test_a_broken_manifest_gets_one_line(tmp_path: Path, text: str, says: str) -> None:
    (tmp_path / "manifest.json").write_text(text)
    with pytest.raises(Fault, match=says) as caught:
        beats.run(tmp_path)
    assert "\n" not in str(caught.value)


def test_the_command_writes_figures_and_pictures(folder: Path, tmp_path: Path) -> None:
    from performer.cli.main import main

    def run(*arguments: object) -> int:
        with pytest.raises(SystemExit) as left:
            main([str(argument) for argument in arguments])
        return int(left.value.code or 0)

    assert (
        run(
            "bench",
            "beats",
            folder,
            "--only",
            "four",
            "--json",
            tmp_path / "out.json",
            "--plot-confidence",
            tmp_path / "confidence.png",
        )
        == 0
    )
    assert json.loads((tmp_path / "out.json").read_text())["performer"]["files"]["four.wav"]["F"] > 0.5
    assert np.asarray(Image.open(tmp_path / "confidence.png")).std() > 5.0
    assert (
        run("analyse", folder / "four.wav", "--plot", tmp_path / "song.png", "--truth", folder / "manifest.json") == 0
    )
    assert np.asarray(Image.open(tmp_path / "song.png")).std() > 10.0
    assert run("analyse", folder / "four.wav", "--plot", tmp_path / "x.png", "--truth", "nowhere.json") == 2
