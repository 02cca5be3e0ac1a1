"""Movies, recordings, snapshots and sheets: written, then read back with a decoder."""

from __future__ import annotations

import contextlib
import logging
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
import pytest
from parts.patience import PATIENCE_S
from PIL import Image

from performer.io.record import movie as movie_module
from performer.io.record.contact_sheet import Sheet
from performer.io.record.movie import Movie, check_path
from performer.io.record.recorder import WAITING, Recorder
from performer.io.record.stills import Stills, save
from performer.system import folders
from performer.system.errors import Fault
from performer.system.mailboxes import Ring

RATE = 48000


def flash(index: int, size: tuple[int, int] = (160, 90), every: int = 30) -> np.ndarray:
    """A grey ramp that turns white once in `every` frames, with a square that moves."""
    width, height = size
    pixels = np.empty((height, width, 3), np.uint8)
    pixels[:] = np.linspace(20, 120, width, dtype=np.uint8)[:, None]
    if index % every == 0:
        pixels[:] = 250
    pixels[10:20, index % (width - 10) :][:, :10] = (255, 40, 0)
    return pixels


def click(index: int, samples: int, every: int = 30) -> np.ndarray:
    sound = np.zeros((samples, 2), np.float32)
    if index % every == 0:
        sound[:96] = np.sin(np.arange(96) * 0.9)[:, None]
    return sound


def read(path: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray, float]:
    """Frames (n, H, W, 3), their times, the sound (n,) as placed on the time line from 0, and its rate."""
    frames, times = [], []
    with av.open(str(path)) as file:
        for frame in file.decode(video=0):
            frames.append(frame.to_ndarray(format="rgb24"))
            times.append(frame.time)
    sound, rate = np.zeros(0, np.float32), 0
    with av.open(str(path)) as file:
        if file.streams.audio:
            rate = file.streams.audio[0].rate
            sound = np.zeros(int((times[-1] + 2) * rate), np.float32)
            for frame in file.decode(audio=0):
                block = frame.to_ndarray()[0]
                at = round(frame.time * rate)
                if at < 0:
                    block, at = block[-at:], 0
                sound[at : at + len(block)] = block[: len(sound) - at]
    return np.array(frames), np.array(times), sound, rate


def write(path: Path, frames: int, size: tuple[int, int] = (160, 90), fps: int = 30) -> None:
    with Movie(path, size, fps, rate=RATE, channels=2) as movie:
        for index in range(frames):
            assert movie.write(flash(index, size))
            movie.write_audio(click(index, RATE // fps))
        assert movie.seconds == pytest.approx(frames / fps)


@pytest.mark.parametrize("ending", [".mp4", ".mkv", ".mov"])
def test_a_movie_decodes_to_what_was_written(tmp_path: Path, ending: str) -> None:
    write(tmp_path / f"a{ending}", 75)
    frames, times, sound, rate = read(tmp_path / f"a{ending}")
    assert frames.shape == (75, 90, 160, 3)
    assert times == pytest.approx(np.arange(75) / 30, abs=1e-3)
    assert rate == RATE
    away = np.abs(frames[7].astype(int) - flash(7).astype(int))[25:].mean()
    assert away < 3
    flashes = times[frames[:, 40:].mean((1, 2, 3)) > 200]
    loud = np.flatnonzero(np.abs(sound) > 0.3) / rate
    clicks = loud[np.r_[True, np.diff(loud) > 0.2]]
    assert flashes == pytest.approx([0, 1, 2], abs=1e-3)
    assert clicks == pytest.approx([0, 1, 2], abs=0.002)


def test_colours_come_back(tmp_path: Path) -> None:
    pixels = np.zeros((64, 96, 3), np.uint8)
    pixels[:, :32], pixels[:, 32:64], pixels[:, 64:] = (255, 0, 0), (10, 200, 30), (20, 30, 240)
    with Movie(tmp_path / "a.mp4", (96, 64), 25) as movie:
        for _ in range(5):
            movie.write(pixels)
    with av.open(str(tmp_path / "a.mp4")) as file:
        frame = next(file.decode(video=0))
    assert (int(frame.colorspace), int(frame.color_range)) == (1, 1)
    seen = frame.to_ndarray(format="rgb24")
    for x in (16, 48, 80):
        assert seen[32, x].astype(int) == pytest.approx(pixels[32, x].astype(int), abs=5)


def test_odd_sizes_lose_a_line_and_flipped_views_are_taken(tmp_path: Path) -> None:
    size = (161, 91)
    with Movie(tmp_path / "a.mp4", size, 29.97) as movie:
        for index in range(4):
            movie.write(flash(1 + index, size)[::-1])
    frames, times, _, _ = read(tmp_path / "a.mp4")
    assert frames.shape == (4, 90, 160, 3)
    assert times[3] == pytest.approx(3 / 29.97, abs=1e-3)
    top, bottom = frames[0][8:22].max(), frames[0][71:80].max()
    assert bottom > 200 > top


def test_a_frame_of_another_size_is_scaled(tmp_path: Path) -> None:
    with Movie(tmp_path / "a.mp4", (160, 90), 10) as movie:
        movie.write(flash(1))
        movie.write(np.kron(flash(1), np.ones((2, 3, 1), np.uint8)))
    small, large = read(tmp_path / "a.mp4")[0].astype(int)
    assert np.abs(small - large).mean() < 4


def test_times_repeat_and_drop(tmp_path: Path) -> None:
    with Movie(tmp_path / "a.mp4", (160, 90), 10) as movie:
        assert [movie.write(flash(1), t) for t in (0.0, 0.04, 0.1, 0.5)] == [True, False, True, True]
        assert movie.seconds == pytest.approx(0.6)
    assert read(tmp_path / "a.mp4")[1] == pytest.approx([0.0, 0.1, 0.5], abs=1e-3)


def test_two_runs_give_the_same_picture_bit_for_bit(tmp_path: Path) -> None:
    for name in "ab":
        write(tmp_path / f"{name}.mp4", 48, (320, 180))
    one, other = read(tmp_path / "a.mp4"), read(tmp_path / "b.mp4")
    assert np.array_equal(one[0], other[0])
    assert np.array_equal(one[2], other[2])
    assert (tmp_path / "a.mp4").read_bytes() == (tmp_path / "b.mp4").read_bytes()


@pytest.mark.parametrize(("rate", "channels"), [(44100, 1), (96000, 2), (192000, 2), (48000, 6), (22050, 1)])
def test_any_rate_and_channel_count_of_sound(tmp_path: Path, rate: int, channels: int) -> None:
    with Movie(tmp_path / "a.mp4", (64, 64), 20, rate=rate, channels=channels) as movie:
        for index in range(40):
            movie.write(flash(index, (64, 64)))
            t = np.arange(index * rate // 20, (index + 1) * rate // 20) / rate
            movie.write_audio(np.repeat(np.sin(2 * np.pi * 440 * t)[:, None], channels, 1).astype(np.float32) / 2)
    _, _, sound, heard = read(tmp_path / "a.mp4")
    middle = sound[heard // 2 : heard * 3 // 2]
    assert np.argmax(np.abs(np.fft.rfft(middle * np.hanning(len(middle))))) == 440
    assert np.abs(middle).max() == pytest.approx(0.5, abs=0.06)


@pytest.mark.parametrize("ending", [".mp4", ".mkv"])
def test_a_killed_writer_leaves_a_file_that_plays(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"a{ending}"
    code = f"""
import sys
sys.path[:0] = [{str(Path(__file__).parents[2])!r}, {str(Path(__file__).parents[1])!r}]
from pathlib import Path
from tests.io.test_record import Movie, click, flash
movie = Movie(Path({str(path)!r}), (160, 90), 30, rate=48000, channels=2)
for index in range(150):
    movie.write(flash(index))
    movie.write_audio(click(index, 1600))
print("written", flush=True)
import time
time.sleep(60)
"""
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "written\n"
    process.send_signal(signal.SIGKILL)
    process.wait(PATIENCE_S)
    process.stdout.close()
    frames, times, sound, rate = read(path)
    assert len(frames) >= 90  # of 150: at most what the encoder holds and one second are lost
    assert times == pytest.approx(np.arange(len(frames)) / 30, abs=1e-3)
    loud = np.flatnonzero(np.abs(sound) > 0.3) / rate
    assert loud[loud > 0.5][0] == pytest.approx(1.0, abs=0.002)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A folder on a file system of 1 MB."""
    folder = tmp_path / "small"
    folder.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)], capture_output=True).returncode:
        pytest.skip("may not mount a small file system here")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def noise(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 255, (180, 320, 3), dtype=np.uint8)


def test_a_full_disk_is_seen_before_the_start(small_disk: Path) -> None:
    with pytest.raises(Fault, match=r"disk is full"):
        Movie(small_disk / "a.mp4", (320, 180), 30)
    assert not (small_disk / "a.mp4").exists()


@pytest.mark.parametrize("ending", [".mp4", ".mkv"])
def test_a_disk_that_fills_up_ends_in_one_line(small_disk: Path, ending: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(movie_module, "LEAST_FREE", 0)
    monkeypatch.setattr(Movie, "_room", lambda movie: 1 << 40)  # somebody else takes it between two looks
    path = small_disk / f"a{ending}"
    movie = Movie(path, (320, 180), 4)
    with pytest.raises(Fault, match=r"the disk is full") as raised:
        for index in range(300):
            movie.write(noise(index))
    assert "\n" not in str(raised.value)
    movie.close()
    kept = 0
    with av.open(str(path)) as file, contextlib.suppress(av.error.InvalidDataError):  # the last packet is cut
        for _ in file.decode(video=0):
            kept += 1
    assert kept >= 5


def test_a_disk_that_is_nearly_full_ends_the_movie_properly(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    movie = Movie(tmp_path / "a.mp4", (160, 90), 10)
    for index in range(15):
        movie.write(flash(index))
    monkeypatch.setattr(movie_module, "LEAST_FREE", 1 << 62)
    with pytest.raises(Fault, match=r"nearly full; the movie ends at 2\.1 s"):
        for index in range(15, 40):
            movie.write(flash(index))
    assert len(read(tmp_path / "a.mp4")[0]) == 21


def test_bad_paths_are_told_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "folder.mp4").mkdir()
    (tmp_path / "file").write_text("")
    for path, reason in (
        (tmp_path / "a.avi", "unknown extension '.avi'"),
        (tmp_path / "a.mkw", "did you mean '.mkv'"),
        (tmp_path / "a", "unknown extension ''"),
        (tmp_path / "none" / "a.mp4", "no such folder"),
        (tmp_path / "file" / "a.mp4", "no such folder"),
        (tmp_path / "folder.mp4", "is a folder"),
        (Path("/proc/a.mp4"), "cannot be written|not writable|disk is full"),
    ):
        with pytest.raises(Fault, match=reason) as raised:
            Movie(path, (64, 64), 30)
        assert "\n" not in str(raised.value)
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["file", "folder.mp4"]
    with pytest.raises(Fault, match="too small"):
        Movie(tmp_path / "a.mp4", (8, 8), 30)


@pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0, reason="needs root, to be somebody else for a moment")
def test_a_folder_of_somebody_else_is_told(tmp_path: Path) -> None:
    code = f"""
import os, sys
sys.path[:0] = [{str(Path(__file__).parents[2])!r}, {str(Path(__file__).parents[1])!r}]
from performer.io.record.movie import check_path
from performer.system.errors import Fault
os.setuid(65534)
try:
    check_path("/usr/share/a.mp4")
except Fault as fault:
    print(fault)
"""
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=PATIENCE_S)
    assert run.stdout == "/usr/share: the folder is not writable; choose another\n"


def test_checking_a_path_leaves_the_file_alone(tmp_path: Path) -> None:
    (tmp_path / "a.MP4").write_text("precious")
    assert check_path(tmp_path / "a.MP4") == tmp_path / "a.MP4"
    assert (tmp_path / "a.MP4").read_text() == "precious"


class Heard:
    """A sound input whose samples the test writes."""

    def __init__(self, seconds: float = 4.0, rate: int = RATE, channels: int = 2) -> None:
        self.ring = Ring(int(seconds * rate), channels)
        self.rate = rate
        self.layout: tuple[str, ...] = ()


class Take:
    """A recorder with its thread, fed a show of flashes and clicks whose clock the test turns."""

    def __init__(self, path: Path, sound: Heard | None, fps: float = 30.0, start: float = 100.0) -> None:
        self.t = self.start = start
        self.sound = sound
        self.recorder = Recorder(path, (160, 90), sound, lambda: self.t, fps)
        self.stop = threading.Event()
        self.thread = threading.Thread(target=self.recorder.run, args=(self.stop,))
        self.thread.start()

    def play(self, frames: int, heard: bool = True, seen: bool = True) -> None:
        """So many frames at 30 a second; every 30th flashes and clicks. Waits for room, as a real show would."""
        for _ in range(frames):
            index = round((self.t - self.start) * 30)
            if seen:
                while self.recorder._queue.full():
                    time.sleep(0.001)
                self.recorder.offer(flash(index), self.t)
            self.t = self.start + (index + 1) / 30
            if heard and self.sound is not None:
                self.sound.ring.write(click(index, RATE // 30), stamp=self.t)
            time.sleep(0.001)

    def finish(self) -> None:
        self.stop.set()
        self.thread.join(PATIENCE_S)
        assert not self.thread.is_alive()
        assert self.recorder.done


def starts(times: np.ndarray) -> np.ndarray:
    return times[np.r_[True, np.diff(times) > 0.2]]


def test_a_recording_holds_what_was_seen_and_heard_in_step(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "performer")
    sound = Heard()
    sound.ring.write(np.full((RATE, 2), 0.9, np.float32), stamp=99.9)  # heard before: not part of the recording
    take = Take(tmp_path / "a.mp4", sound)
    take.play(100)
    take.finish()
    assert (take.recorder.fault, take.recorder.dropped) == (None, 0)
    assert take.recorder.seconds == pytest.approx(100 / 30)
    assert f"recorded {take.recorder.path}: 0:03" in caplog.messages, "told when it is whole, with its true length"
    frames, times, heard, rate = read(tmp_path / "a.mp4")
    assert len(frames) == 100
    assert times == pytest.approx(np.arange(100) / 30, abs=1e-3)
    flashes = times[frames[:, 40:].mean((1, 2, 3)) > 200]
    clicks = starts(np.flatnonzero(np.abs(heard) > 0.3) / rate)
    assert flashes == pytest.approx([0, 1, 2, 3], abs=1e-3)
    assert clicks == pytest.approx([0, 1, 2, 3], abs=0.005)


def test_missing_pictures_are_repeated_and_lost_sound_is_silence(tmp_path: Path) -> None:
    sound = Heard()
    take = Take(tmp_path / "a.mp4", sound)
    take.play(35)
    take.play(20, seen=False)
    take.play(35)
    take.play(75, heard=False)  # the card is gone for 2.5 s
    take.play(75)
    take.finish()
    assert take.recorder.fault is None
    frames, times, heard, rate = read(tmp_path / "a.mp4")
    assert len(frames) == 240
    assert times == pytest.approx(np.arange(240) / 30, abs=1e-3)
    assert np.abs(frames[50].astype(int) - frames[36].astype(int)).mean() < 3
    clicks = starts(np.flatnonzero(np.abs(heard) > 0.3) / rate)
    assert clicks == pytest.approx([0, 1, 2, 6, 7], abs=0.045)


def test_a_higher_picture_rate_is_thinned_to_the_movies(tmp_path: Path) -> None:
    take = Take(tmp_path / "a.mkv", None, fps=10)
    taken = 0
    for index in range(57):
        taken += take.recorder.due(100 + index / 60) and take.recorder.offer(flash(index), 100 + index / 60)
        time.sleep(0.005)
    take.finish()
    assert taken == 10
    assert len(read(tmp_path / "a.mkv")[0]) == 10


def test_offering_never_waits_and_counts_what_it_drops(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path / "a.mp4", (160, 90), None, lambda: 0.0)
    pixels = flash(1)
    assert not recorder.offer(pixels, -1.0)  # of an earlier recording
    begun = time.perf_counter()
    taken = sum(recorder.offer(pixels, index / 30) for index in range(200))
    print(f"\noffering 200 frames to a stuck recorder: {(time.perf_counter() - begun) * 1e3:.2f} ms")
    assert (taken, recorder.dropped) == (WAITING, 200 - WAITING)
    recorder.stop()
    assert not recorder.offer(pixels, 10.0)
    recorder.run(threading.Event())  # what waited is still written
    assert len(read(tmp_path / "a.mp4")[0]) == WAITING


def test_a_recording_that_fails_ends_itself_only(small_disk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(movie_module, "LEAST_FREE", 0)
    monkeypatch.setattr(Movie, "_room", lambda movie: 1 << 40)
    take = Take(small_disk / "a.mp4", None)
    for index in range(2000):
        take.recorder.offer(noise(index), 100 + index / 30)
        if take.recorder.done:
            break
        time.sleep(0.002)
    take.finish()
    assert "the disk is full" in str(take.recorder.fault)
    assert not take.recorder.offer(noise(0), 1000.0)
    with pytest.raises(Fault, match="no such folder"):
        Recorder("/no/such/folder/a.mp4", (160, 90), None, lambda: 0.0)


@pytest.mark.parametrize("ending", [".mp4", ".mkv"])
def test_a_recording_ends_while_there_is_room_for_others_and_plays(ending: str, tmp_path: Path) -> None:
    folder = tmp_path / "disk"
    folder.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", str(folder)], capture_output=True).returncode:
        pytest.skip("may not mount a small file system here")
    least = 12 << 20
    try:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(movie_module, "LEAST_FREE", least)
            take = Take(folder / f"a{ending}", None)
            pictures, t, lowest = [noise(seed).repeat(2, 0).repeat(2, 1) for seed in range(4)], 100.0, least
            deadline = time.monotonic() + PATIENCE_S
            while not take.recorder.done and time.monotonic() < deadline:  # some MB a second, a fragment each second
                if take.recorder.offer(pictures[round(t * 30) % 4], t):
                    t += 1.0 / 30.0
                else:
                    time.sleep(0.002)
                lowest = min(lowest, shutil.disk_usage(folder).free)
            take.finish()
        assert "nearly full; the movie ends at" in str(take.recorder.fault)
        assert lowest >= least // 2
        said = float(str(take.recorder.fault).split()[-2])
        assert len(read(folder / f"a{ending}")[0]) == pytest.approx(said * 30, abs=2)
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def test_an_encoder_that_does_not_start_leaves_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(movie_module, "pick_encoder", lambda size, fps: "h264_of_nobody")
    take = Take(tmp_path / "a.mp4", None)
    take.finish()
    assert "the encoder h264_of_nobody does not start for 160x90" in str(take.recorder.fault)
    assert "\n" not in str(take.recorder.fault) and list(tmp_path.iterdir()) == []


def test_a_recording_without_a_single_picture_leaves_no_file(tmp_path: Path) -> None:
    take = Take(tmp_path / "a.mp4", Heard())
    take.finish()
    assert take.recorder.fault is None and list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("rate", "channels"), [(44100, 1), (96000, 4), (48000, 6), (32000, 2)])
def test_a_card_that_comes_late_in_another_shape_is_recorded_in_step(rate: int, channels: int, tmp_path: Path) -> None:
    sound = Heard()  # as a patient sound card that is not there: 48000 Hz, stereo, silent
    take = Take(tmp_path / "a.mp4", sound)
    take.play(45, heard=False)
    sound.ring, sound.rate = Ring(4 * rate, channels), rate
    for _ in range(120):
        index = round((take.t - take.start) * 30)
        take.play(1, heard=False)
        block = np.zeros((rate // 30, channels), np.float32)
        if index % 30 == 0:
            block[: rate // 300] = 0.8 * np.sin(np.arange(rate // 300) * 2.0 * np.pi * 1000.0 / rate)[:, None]
        sound.ring.write(block, stamp=take.t)
    take.finish()
    assert take.recorder.fault is None
    _, _, heard, there = read(tmp_path / "a.mp4")
    assert there == 48000
    clicks = starts(np.flatnonzero(np.abs(heard) > 0.3) / there)
    assert clicks == pytest.approx([2, 3, 4, 5], abs=0.005)
    first = heard[round(1.995 * there) : round(2.02 * there)]
    assert np.abs(first).max() == pytest.approx(0.8, abs=0.12)
    assert np.abs(np.fft.rfft(first, 48000)).argmax() == pytest.approx(1000, abs=60)


def test_a_recording_without_a_name_goes_to_the_videos(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folders, "videos", lambda: tmp_path / "videos")
    path = Recorder(None, (160, 90), None, lambda: 0.0).path
    assert path.parent == tmp_path / "videos"
    assert path.suffix == ".mp4"


def test_a_recording_never_takes_the_place_of_another_file(tmp_path: Path) -> None:
    for name in ("set.mp4", "set 2.mp4"):
        (tmp_path / name).write_bytes(b"last night")
    recorder = Recorder(tmp_path / "set.mp4", (160, 90), None, lambda: 0.0)
    assert recorder.path == tmp_path / "set 3.mp4"
    assert Recorder(tmp_path / "set.mp4", (160, 90), None, lambda: 0.0).path.name == "set 4.mp4"  # before either runs
    recorder.offer(flash(0), 0.0)
    recorder.stop()
    recorder.run(threading.Event())
    assert recorder.fault is None and recorder.path.stat().st_size > 0
    assert all((tmp_path / name).read_bytes() == b"last night" for name in ("set.mp4", "set 2.mp4"))


def test_snapshots_are_saved_aside_under_new_names(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    snapshots = Stills(tmp_path / "new" / "folder")
    stop = threading.Event()
    pictures = [flash(index)[::-1] for index in range(1, 4)]
    assert all(snapshots.offer(picture) for picture in pictures)
    stop.set()
    with caplog.at_level(logging.INFO):
        snapshots.run(stop)
    assert len(set(snapshots.saved)) == 3
    for path, picture in zip(snapshots.saved, pictures, strict=True):
        assert np.array_equal(np.asarray(Image.open(path)), picture)
        assert f"saved {path}" in caplog.text


def test_a_snapshot_that_cannot_be_saved_is_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(Fault, match="cannot be made"):
        save(flash(1), tmp_path / "file" / "folder")
    snapshots = Stills(tmp_path / "file")
    assert [snapshots.offer(flash(1)) for _ in range(6)].count(True) == 4
    stop = threading.Event()
    stop.set()
    snapshots.run(stop)
    assert caplog.text.count("screenshot not saved") == 4


def test_a_contact_sheet_spreads_over_the_show(tmp_path: Path) -> None:
    sheet = Sheet(tmp_path / "sheet.png", duration=10.0, count=6, columns=3, width=96)
    kept = [t for t in np.arange(0, 10, 0.1) if sheet.offer(np.full((90, 160, 3), int(20 + t * 20), np.uint8), t)]
    assert kept == pytest.approx([(place + 0.5) * 10 / 6 for place in range(6)], abs=0.1)
    page = np.asarray(Image.open(sheet.save())).astype(int)
    assert page.shape == (8 + 2 * (54 + 20 + 8), 8 + 3 * (96 + 8), 3)
    for place, t in enumerate(kept):
        x, y = 8 + place % 3 * 104, 8 + place // 3 * 82
        assert abs(page[y + 27, x + 48] - int(20 + t * 20)).max() <= 1
        assert page[y + 55 : y + 74, x : x + 96].max() > 150  # its time is written under it


def test_a_contact_sheet_tells_bad_paths_at_once(tmp_path: Path) -> None:
    with pytest.raises(Fault, match=r"unknown extension '\.gif'"):
        Sheet(tmp_path / "a.gif", 10.0)
    with pytest.raises(Fault, match="no such folder"):
        Sheet(tmp_path / "none" / "a.png", 10.0)
    with pytest.raises(Fault, match="no frame was rendered"):
        Sheet(tmp_path / "a.png", 10.0).save()
