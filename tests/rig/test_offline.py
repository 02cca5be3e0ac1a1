"""Offline: the same arguments give the same frames, bit for bit; sound is in the file; MIDI files play along."""

import subprocess
import sys
import time
from pathlib import Path

import av
import mido
import numpy as np
import pytest
import soundfile

from performer.rig.offline import Performance, RenderOptions

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
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and not (out.exists() and out.stat().st_size > 400_000):
        time.sleep(0.1)
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
    with Performance(options("demo", seconds=3.0, midi=str(tmp_path / "song.mid"))) as performance:
        names = [performance.step()[0] for _ in range(45)]
    assert names[0].incoming is not None
    assert names[0].incoming.preset.name == performance.presets[2].name


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
