"""Offline: the same arguments give the same frames, bit for bit; sound is in the file; MIDI files play along."""

import subprocess
import sys
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import av
import mido
import numpy as np
import pytest
import soundfile
from parts.patience import until

from performer.rig.offline import Performance
from performer.rig.options import RenderOptions
from performer.system.errors import Fault

SIZE = (160, 90)


def options(song: Path | str, out: str = "unused.mp4", **more) -> RenderOptions:
    return RenderOptions(song=str(song), out=out, size=SIZE, fps=30.0, **more)


def click_track(path: Path, seconds: float = 16.0, every: float = 1.0, quiet_from: float | None = None) -> Path:
    """Short noisy clicks, far apart; silence from `quiet_from` on."""
    rate = 44100
    t = np.arange(int(seconds * rate)) / rate
    noise = np.random.default_rng(1).standard_normal(len(t))
    sound = (noise * 0.3 + np.sin(2 * np.pi * 60 * t)) * np.exp(-(t % every) * 30) * 0.5
    if quiet_from is not None:
        sound[t >= quiet_from] = 0.0
    soundfile.write(path, sound, rate)
    return path


def frames(the_options: RenderOptions, count: int):
    with Performance(the_options) as performance:
        return [performance.step()[1].copy() for _ in range(min(count, performance.frames))]


def test_the_demo_offline_is_the_whole_round(monkeypatch):
    from performer.io.sound import demo_song
    from performer.rig.offline import Song

    monkeypatch.setattr(demo_song, "BARS", 3)
    whole, song = demo_song.render(48000), Song("demo")
    assert song.length_s() == len(whole) / song.rate and song.channels == whole.shape[1]
    assert np.array_equal(np.concatenate([song.read(50_000) for _ in range(len(whole) // 50_000 + 2)]), whole)


def test_the_same_arguments_give_the_same_frames_bit_for_bit():
    one, two = (frames(options("demo", seconds=3.0, seed=3), 60) for _ in range(2))
    assert all(np.array_equal(a, b) for a, b in zip(one, two, strict=True))
    other = frames(options("demo", seconds=3.0, seed=4), 60)
    assert not np.array_equal(one[-1], other[-1])


def test_a_rendered_movie_has_its_length_its_sound_and_its_sheet(tmp_path):
    out, sheet = tmp_path / "out.mp4", tmp_path / "out.png"
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "performer",
            "render",
            "demo",
            str(out),
            "--seconds",
            "2",
            "--fps",
            "25",
            "--size",
            "320x180",
            "--sheet",
            str(sheet),
        ],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    with av.open(str(out)) as movie:
        video, audio = movie.streams.video[0], movie.streams.audio[0]
        assert (video.width, video.height) == (320, 180)
        count = sum(1 for _ in movie.decode(video))
        movie.seek(0)
        sound = np.concatenate([block.to_ndarray() for block in movie.decode(audio)], axis=1)
    assert count == 50
    assert sound.shape[1] / audio.rate == pytest.approx(2.0, abs=0.1)
    assert np.abs(sound).max() > 0.05
    from PIL import Image

    assert np.asarray(Image.open(sheet)).std() > 10


def test_an_interrupted_render_leaves_a_playable_file(tmp_path):
    out = tmp_path / "cut.mp4"
    process = subprocess.Popen(
        [sys.executable, "-m", "performer", "render", "demo", str(out), "--size", "320x180"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    assert until(lambda: process.poll() is not None or (out.exists() and out.stat().st_size > 400_000))
    process.kill()
    process.wait()
    with av.open(str(out)) as movie:
        assert sum(1 for _ in movie.decode(movie.streams.video[0])) > 20


def test_a_midi_file_plays_along(tmp_path):
    song = mido.MidiFile()
    track = mido.MidiTrack(
        [mido.Message("program_change", program=2, time=0), mido.Message("note_on", note=60, velocity=100, time=480)]
    )
    song.tracks.append(track)
    song.save(tmp_path / "song.mid")
    with Performance(options("demo", seconds=3.0, midi=str(tmp_path / "song.mid"), program_channel=1)) as performance:
        names = [performance.step()[0] for _ in range(45)]
    assert names[0].incoming is not None
    assert names[0].incoming.preset.name == performance.presets[2].name


@pytest.mark.parametrize("channel", [None, 2])
def test_the_instruments_of_a_song_do_not_take_its_preset_away(tmp_path, channel):
    track = mido.MidiTrack([mido.Message("program_change", channel=c, program=c) for c in range(16) if c != 1])
    mido.MidiFile(tracks=[track]).save(tmp_path / "song.mid")
    song = options("demo", preset="tidal", midi=str(tmp_path / "song.mid"), program_channel=channel)
    with Performance(song) as performance:
        frames = [performance.step()[0] for _ in range(3)]
    assert all(frame.incoming is None and frame.scene.preset.name == "tidal" for frame in frames)


def test_moments_of_an_exact_rate_do_not_drift():
    fps = Fraction(30000, 1001)
    with Performance(replace(options("demo", seconds=2.002), fps=fps)) as performance:
        assert performance.frames == 60
        frames, sound = [], 0
        for _ in range(60):
            frame, _, block = performance.step()
            frames.append(frame)
            sound += len(block)
    assert [frame.t for frame in frames] == [float((i + Fraction(1, 2)) / fps) for i in range(60)]
    assert sound == round(60 / fps * 48000)


def changes(pixels: list[np.ndarray]) -> np.ndarray:
    small = np.stack([p.astype(np.float32).reshape(45, 2, 80, 2, 3).mean(axis=(1, 3)) for p in pixels])
    return np.abs(np.diff(small, axis=0)).mean(axis=(1, 2, 3))


def test_the_picture_follows_clicks_and_calms_down_in_silence(tmp_path):
    song = click_track(tmp_path / "clicks.wav", 24.0, quiet_from=16.0)
    moved = changes(frames(options(song), 24 * 30))
    t = (np.arange(len(moved)) + 1.5) / 30.0
    since = t % 1.0
    sounding = (t > 4.0) & (t < 16.0)
    after = moved[sounding & (since < 0.15)].mean()
    elsewhere = moved[sounding & (since > 0.4)].mean()
    silent = moved[t > 19.0].mean()
    print(f"after clicks {after:.2f}, elsewhere {elsewhere:.2f}, in silence {silent:.2f}")
    assert after >= 3.0 * elsewhere
    assert silent <= 1.2 * elsewhere and silent < after / 3.0


def test_render_says_what_it_wrote_and_writes_over_nothing_unasked(tmp_path, capsys):
    from performer.rig.offline import render

    wanted = replace(options("demo", str(tmp_path / "out.mp4"), seconds=0.3), sheet=str(tmp_path / "out.png"))
    render(wanted)
    told = capsys.readouterr()
    assert told.out.splitlines()[0].startswith(f"{tmp_path / 'out.mp4'}: 0:00 of 160x90 at 30 fps, ")
    assert told.out.splitlines()[1] == f"{tmp_path / 'out.png'}: contact sheet"
    assert "elapsed" in told.err
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    for options_now in (wanted, replace(wanted, out=str(tmp_path / "new.mp4"))):
        with pytest.raises(Fault, match=r"already exists; --force overwrites it"):
            render(options_now)
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before
    render(replace(wanted, force=True, seconds=0.1))
    assert (tmp_path / "out.mp4").read_bytes() != before[tmp_path / "out.mp4"]


def test_what_is_read_is_never_written_over(tmp_path):
    from performer.rig.offline import render

    song = click_track(tmp_path / "song.wav", 1.0)
    film = tmp_path / "song.mp4"
    film.write_bytes(song.read_bytes())
    with pytest.raises(Fault, match="is the input file"):
        render(options(film, str(film), force=True))
    assert film.read_bytes() == song.read_bytes()


def test_a_render_that_was_stopped_says_how_much_there_is(tmp_path, capsys, monkeypatch):
    from performer.rig.offline import render

    step = Performance.step

    def stop_soon(self):
        if self.index == 12:
            raise KeyboardInterrupt
        return step(self)

    monkeypatch.setattr(Performance, "step", stop_soon)
    with pytest.raises(KeyboardInterrupt):
        render(options("demo", str(tmp_path / "out.mp4"), seconds=1.0))
    assert "stopped early: 18 pictures are missing" in capsys.readouterr().out


def test_times_of_the_progress_are_read_at_a_glance():
    from types import SimpleNamespace

    from performer.io.record.movie import clock_time
    from performer.rig.offline import _Times

    assert [clock_time(t) for t in (0.4, 4, 59.6, 750, 3725)] == ["0:00", "0:04", "1:00", "12:30", "1:02:05"]
    column = _Times()
    running = SimpleNamespace(elapsed=4.2, time_remaining=12.4, finished=False)
    assert str(column.render(running)) == "0:04 elapsed, 0:12 left"
    assert str(column.render(SimpleNamespace(elapsed=None, time_remaining=None, finished=False))) == "0:00 elapsed"
    assert str(column.render(SimpleNamespace(elapsed=16, time_remaining=0, finished=True))) == "0:16 elapsed"


def test_the_reel_shows_six_presets_from_before_the_drop_on(tmp_path, monkeypatch):
    """Seldom, and without drawing; what changes when is read from the frames."""
    from performer.rig import offline

    monkeypatch.chdir(tmp_path)
    (tmp_path / "performer-demo.png").write_bytes(b"of last time")
    seen: list[tuple[str, float]] = []

    def noted(self):
        frame, block = self._next(draw=False)
        playing = (frame.incoming or frame.scene).preset.name
        if not seen or seen[-1][0] != playing:
            seen.append((playing, frame.t))
        return frame, np.zeros((36, 64, 3), np.uint8), block

    monkeypatch.setattr(Performance, "step", noted)
    plain = offline.render
    monkeypatch.setattr(offline, "render", lambda wanted, *more: plain(replace(wanted, fps=4.0), *more))
    offline.show_reel(RenderOptions(song="demo", out="", size=(64, 36)))
    assert {path.name for path in tmp_path.iterdir()} == {
        "performer-demo.png",
        "performer-demo 2.mp4",
        "performer-demo 2.png",
    }, "nothing is written over"
    assert [name for name, _ in seen] == list(offline.BEST) and len(seen) == 6
    with av.open(str(tmp_path / "performer-demo 2.mp4")) as movie:
        assert movie.duration / 1e6 == pytest.approx(30.0, abs=0.6)
    begins = [t - seen[0][1] for _, t in seen]
    assert all(3.3 < b - a < 6.5 for a, b in pairwise([*begins, 30.0]))


def test_the_default_preset_is_one_of_the_best():
    from performer.rig.loading import load_library
    from performer.rig.offline import BEST

    assert load_library().in_order()[0].name in BEST
