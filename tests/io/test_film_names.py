"""Names that look like addresses are files, written and read without a look at any network; rates are exact."""

from __future__ import annotations

import threading
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from performer.generators.media.camera import Camera
from performer.generators.media.picture import _linear
from performer.generators.media.video_reader import _opened
from performer.io.record.movie import Movie
from performer.io.record.recorder import Recorder
from performer.types.rates import rate, written

NAMES = ["2026-05-01T22:30:00.mp4", "http:x.mp4", "http:/x.mov", "tcp:1:2.mkv", "concat:a|b.mp4", "file:b.mp4", "-.mp4"]
PICTURE = np.full((36, 64, 3), 128, np.uint8)


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    """Relative names, which is where the trouble is."""
    monkeypatch.chdir(tmp_path)
    Path("http:").mkdir()


def film(name: str | Path, fps: float | Fraction = 10, pictures: int = 3) -> None:
    with Movie(name, (64, 36), fps) as movie:
        for _ in range(pictures):
            movie.write(PICTURE)


@pytest.mark.parametrize("name", NAMES)
def test_films_of_any_name_are_written_and_read_as_videos(name):
    film(name)
    assert Path(name).stat().st_size > 500
    file, _ = _opened(Path(name))
    with file:
        assert sum(1 for _ in file.decode(video=0)) == 3


def test_live_recordings_too():
    recorder, stop = Recorder("22:30:00.mp4", (64, 36), None, lambda: 0.0), threading.Event()
    for i in range(3):
        assert recorder.offer(PICTURE, 1.0 + i / 30)
    stop.set()
    recorder.run(stop)
    assert recorder.fault is None and Path("22:30:00.mp4").stat().st_size > 500


def test_a_picture_whose_name_looks_like_a_numbered_series_is_one():
    Path("http:100%d.pfm").write_bytes(b"PF\n2 2\n-1.0\n" + np.full((2, 2, 3), 1.0, "<f4").tobytes())
    assert np.asarray(_linear(Path("http:100%d.pfm"))).min() == 255


@pytest.mark.parametrize("graph", ["movie=http\\://host/x", "testsrc,ladspa=file=x.so", "amovie=a.wav", "null"])
def test_a_synthetic_camera_reads_no_files_and_loads_no_code(graph):
    with pytest.raises(ValueError, match="synthetic sources: color"):
        Camera(f"lavfi:{graph}")._place()


@pytest.mark.parametrize("ending", [".mp4", ".mov", ".mkv"])
@pytest.mark.parametrize(
    "fps", [Fraction(30000, 1001), Fraction(24000, 1001), Fraction("29.97"), Fraction("23.976"), 25]
)
def test_pictures_come_exactly_when_their_rate_says(ending, fps):
    film(f"a{ending}", fps, 100)
    with av.open(f"a{ending}") as file:
        stream = file.streams.video[0]
        assert stream.average_rate == pytest.approx(float(fps), rel=1e-5 if ending == ".mkv" else 1e-12)
        times = [frame.pts * frame.time_base for frame in file.decode(stream)]
    wrong = max(abs(time - Fraction(i) / fps) for i, time in enumerate(times))
    assert len(times) == 100 and wrong <= (Fraction(1, 2000) if ending == ".mkv" else 0)  # mkv counts milliseconds


@pytest.mark.parametrize(
    ("text", "fps"),
    [
        ("60", 60),
        ("60.0", 60),
        (" 29.97", Fraction(2997, 100)),
        ("23.976", Fraction(2997, 125)),
        ("30000/1001", Fraction(30000, 1001)),
        ("60/2", 30),
        ("29.97002997", Fraction(30000, 1001)),
        ("59.94", Fraction(2997, 50)),
    ],
)
def test_rates_are_taken_as_they_are_written(text, fps):
    assert written(text) == fps


@pytest.mark.parametrize("text", ["", "x", "30/0", "1/00", "-30", "1e2", "30/", "/30", "1_0", "3٠", "30:1", "9" * 400])
def test_what_is_no_rate_is_none(text):
    assert written(text) is None


def test_floats_are_what_they_are_meant_to_be():
    assert (rate(30.0), rate(29.97), rate(30000 / 1001)) == (30, Fraction(2997, 100), Fraction(30000, 1001))
