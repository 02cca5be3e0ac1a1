"""Sound files as people have them: of every kind, cut off, scratched, of unknown length, hung together."""

from __future__ import annotations

import os
import struct

import numpy as np
import pytest
import soundfile
from scipy.signal import correlate

from performer.audio import surround
from performer.io.sound import player, sound_file, source
from performer.system.errors import Fault
from tests.parts.sound_files import encode, tone, wav_length

RATE = 22050
SECONDS = 2.0


def read(path, frames: int = 1000) -> np.ndarray:
    return np.concatenate(list(sound_file.blocks(path, frames)))


def alike(heard: np.ndarray, played: np.ndarray) -> float:
    n = min(len(heard), len(played))
    return float(np.corrcoef(heard[:n, 0], played[:n, 0])[0, 1])


def late_by(heard: np.ndarray, played: np.ndarray) -> int:
    """Samples by which what is heard is behind what was played."""
    return int(correlate(heard[:, 0], played[:, 0], "full", "fft").argmax()) - len(played) + 1


@pytest.mark.parametrize(
    ("name", "codec", "rate", "slack"),
    [
        ("a.m4a", "aac", RATE, 0),
        ("lossless.m4a", "alac", RATE, 0),
        ("a.wma", "wmav2", RATE, 2048),
        ("a.webm", "libopus", 48000, 0),
        ("a.mka", "flac", RATE, 0),
        ("flac.ogg", "flac", RATE, 0),
        ("a.ac3", "ac3", 48000, 1536),
        ("film.mp4", "aac", RATE, 0),
        ("film.mkv", "libopus", 48000, 0),
        ("a.opus", "libopus", 48000, 0),
        ("misnamed.wav", "libmp3lame", RATE, 0),
    ],
)
def test_what_ffmpeg_reads_is_read_to_the_sample(tmp_path, name, codec, rate, slack):
    path = tmp_path / name
    sound = tone(rate, SECONDS)
    if name == "misnamed.wav":
        encode(tmp_path / "a.mp3", codec, sound, rate).rename(path)
    else:
        encode(path, codec, sound, rate, picture=name.startswith("film"))
    info, heard = sound_file.probe(path), read(path)
    assert (info.rate, info.channels) == (rate, 1)
    assert abs(len(heard) - len(sound)) <= slack
    assert sound_file.duration_s(path) == len(heard) / rate
    late = late_by(heard, sound)
    assert abs(late) <= slack
    assert alike(heard[late:] if late > 0 else heard, sound[-late:] if late < 0 else sound) > 0.95
    np.testing.assert_array_equal(heard, read(path, 333))


@pytest.mark.parametrize(
    ("suffix", "format", "subtype"),
    [
        ("wav", "WAV", "PCM_U8"),
        ("wav", "WAV", "PCM_24"),
        ("wav", "WAV", "DOUBLE"),
        ("wav", "RF64", "PCM_16"),
        ("w64", "W64", "PCM_16"),
        ("aiff", "AIFF", "PCM_16"),
        ("caf", "CAF", "ALAC_16"),
        ("au", "AU", "PCM_16"),
    ],
)
@pytest.mark.parametrize("rate", [8000, 11025, 37800])
def test_what_libsndfile_reads_is_read_as_before(tmp_path, suffix, format, subtype, rate):
    path, sound = tmp_path / f"a.{suffix}", tone(rate, 1.0, 2)
    soundfile.write(path, sound, rate, format=format, subtype=subtype)
    np.testing.assert_allclose(read(path), sound, atol=0.01)
    assert sound_file.duration_s(path) == 1.0


@pytest.mark.parametrize(
    "head",
    [
        "length 0",
        "all lengths 0",
        "length -1",
        "length too small",
        "length too large",
        "riff length wrong",
        "rf64 of 0",
    ],
)
def test_a_wav_whose_recorder_was_switched_off_is_read_to_its_end(tmp_path, head):
    path, sound = tmp_path / "take.wav", tone(RATE, SECONDS)
    soundfile.write(path, sound, RATE, subtype="PCM_16", format="RF64" if "rf64" in head else "WAV")
    data = path.read_bytes()
    if head == "rf64 of 0":
        at = data.index(b"ds64") + 8
        data = data[:at] + bytes(24) + data[at + 24 :]
    elif head == "riff length wrong":
        data = data[:4] + struct.pack("<I", 100) + data[8:]
    else:
        length = {"length -1": 0xFFFFFFFF, "length too small": RATE, "length too large": RATE * 100}.get(head, 0)
        data = wav_length(data, length)
        if head in ("all lengths 0", "length -1"):
            data = data[:4] + struct.pack("<I", length) + data[8:]
    path.write_bytes(data)
    np.testing.assert_allclose(read(path), sound, atol=1e-4)
    assert sound_file.duration_s(path) == SECONDS


def test_what_stands_behind_the_sound_of_a_wav_is_not_played(tmp_path):
    path, sound = tmp_path / "a.wav", tone(RATE, SECONDS)
    soundfile.write(path, sound, RATE, subtype="PCM_16")
    data = path.read_bytes()
    for behind in (b"LIST" + struct.pack("<I", 20000) + bytes(20000), b"TAG" + b"\xff" * 30000, b"\xff" * 500):
        path.write_bytes(data + behind)
        assert len(read(path)) == len(sound)


def test_flac_of_unknown_length_plays_over_and_over(tmp_path):
    path, sound = tmp_path / "a.flac", tone(RATE, SECONDS)
    soundfile.write(path, sound, RATE, subtype="PCM_16")
    data = bytearray(path.read_bytes())
    data[21] &= 0xF0  # 36 bits: samples in all
    data[22:26] = bytes(4)
    path.write_bytes(data)
    assert len(read(path)) == len(sound) and sound_file.duration_s(path) == SECONDS
    blocks = sound_file.blocks(path, RATE, loop=True)
    twice = np.concatenate([next(blocks) for _ in range(4)])
    np.testing.assert_array_equal(twice[: len(sound)], twice[len(sound) :])


def scratched(path, seconds: float, where: float = 0.5):
    sound = tone(RATE, seconds)
    soundfile.write(path, sound, RATE)
    data = bytearray(path.read_bytes())
    at = int(len(data) * where)
    data[at : at + 1500] = b"\xaa" * 1500
    path.write_bytes(data)
    return sound


@pytest.mark.parametrize("suffix", ["flac", "mp3", "ogg"])
def test_a_scratch_is_played_past_and_said_once(tmp_path, suffix, caplog):
    path = tmp_path / f"a.{suffix}"
    sound = scratched(path, 20.0)
    heard = read(path)
    assert len(sound) - 2 * RATE < len(heard) <= len(sound) + 1152
    assert np.abs(heard).max() < 0.7, "what is damaged is silence, no noise"
    assert np.abs(heard[-RATE:]).max() > 0.1
    if suffix == "flac":
        assert len(heard) == len(sound)
        quiet = np.abs(heard - sound)[:, 0] > 1e-3
        assert 0 < quiet.sum() < RATE, "what follows the scratch comes in its time"
        assert caplog.text.count("damaged") == 1 and "0:1" in caplog.text
    assert sound_file.duration_s(path) == len(heard) / RATE


@pytest.mark.parametrize("suffix", ["flac", "mp3"])
def test_live_a_scratched_file_goes_round_and_round(tmp_path, suffix):
    path, t = tmp_path / f"a.{suffix}", 0.0
    scratched(path, 8.0)
    sound = player.file_player(path, lambda: t, mute=True)
    sound.open()
    for step in range(1, 26 * 10):
        t = step / 10.0
        sound.pump()
        sound.prepare()
    assert sound.ring.written == pytest.approx(t * RATE, abs=2)
    assert np.abs(sound.ring.latest(RATE)).max() > 0.1


@pytest.mark.parametrize("name", ["a.flac", "a.mp3", "a.ogg", "a.wav", "a.aiff", "a.mka", "a.ac3"])
@pytest.mark.parametrize("share", [0.3, 0.6])
def test_a_file_that_was_cut_off_plays_as_far_as_it_goes(tmp_path, name, share):
    path, seconds, rate = tmp_path / name, 12.0, 48000
    sound = tone(rate, seconds) + 0.1 * np.random.default_rng(1).standard_normal((rate * 12, 1)).astype(np.float32)
    if path.suffix in (".mka", ".ac3"):
        encode(path, "ac3", sound, rate)
    else:
        soundfile.write(path, sound, rate)
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    heard = read(path)
    assert (share - 0.15) * seconds < len(heard) / rate < (share + 0.15) * seconds
    assert sound_file.duration_s(path) == len(heard) / rate


def test_ogg_in_a_row_is_played_to_its_end_at_one_rate(tmp_path):
    path, parts = tmp_path / "row.ogg", []
    for name, rate, channels in (("a", 44100, 2), ("b", RATE, 2), ("c", 44100, 1)):
        soundfile.write(tmp_path / f"{name}.ogg", tone(rate, 1.0, channels), rate)
        parts.append((tmp_path / f"{name}.ogg").read_bytes())
    path.write_bytes(b"".join(parts))
    heard = read(path)
    assert heard.shape == (3 * 44100, 2)
    for second in (0, 1, 2):
        assert alike(heard[second * 44100 :], tone(44100, 1.0)) > 0.98
    path.write_bytes(parts[0] + b"".join([parts[1][:-200], parts[2]]))
    assert len(read(path)) >= 2 * 44100, "a damaged one in the middle costs only itself"


@pytest.mark.parametrize("tag", [b"", b"TAG" + bytes(125)])
def test_mp3s_in_a_row_are_played_to_the_end(tmp_path, tag):
    path, rate, rng = tmp_path / "a.mp3", 44100, np.random.default_rng(1)
    soundfile.write(path, 0.1 * rng.standard_normal(rate * 2) + tone(rate, 2.0)[:, 0], rate)
    one = path.read_bytes()
    path.write_bytes(one + tag + b"ID3\x03\0\0\0\0\x02\0" + bytes(256) + one + tag + one)
    heard = read(path)
    assert len(heard) == 6 * rate
    np.testing.assert_allclose(heard[: 2 * rate], heard[-2 * rate :], atol=1e-4)
    path.write_bytes(one + tag)
    assert len(read(path)) == 2 * rate


def test_a_film_without_sound_is_said_to_be_one(tmp_path):
    import av

    with av.open(str(tmp_path / "a.mp4"), "w") as file:
        stream = file.add_stream("libx264", rate=10)
        stream.width = stream.height = 64
        stream.pix_fmt = "yuv420p"
        file.mux(stream.encode(av.VideoFrame.from_ndarray(np.zeros((64, 64, 3), np.uint8), "rgb24")))
        file.mux(stream.encode(None))
    with pytest.raises(Fault, match=r"a\.mp4.*there is no sound in it"):
        sound_file.probe(tmp_path / "a.mp4")


def test_flac_and_opus_in_a_row(tmp_path):
    for name, codec, rate in (("a.ogg", "flac", RATE), ("a.opus", "libopus", 48000)):
        data = encode(tmp_path / name, codec, tone(rate, 1.0), rate).read_bytes()
        (tmp_path / name).write_bytes(data + data)
        assert len(read(tmp_path / name)) == 2 * rate


def test_a_long_file_that_is_damaged_late_is_sought_in(tmp_path, monkeypatch):
    from performer.io.sound import decoders

    monkeypatch.setattr(decoders, "FAR_S", 3.0)
    path = tmp_path / "a.flac"
    sound = scratched(path, 20.0, 0.8)
    heard = read(path)
    assert len(heard) == len(sound)
    wrong = np.flatnonzero(np.abs(heard - sound)[:, 0] > 1e-3)
    assert wrong[0] > 14 * RATE and len(wrong) < RATE


def test_tags_and_pictures_before_an_mp3_are_no_sound(tmp_path):
    path, sound = tmp_path / "a.mp3", tone(44100, SECONDS, 2)
    soundfile.write(path, sound, 44100)
    frame = b"APIC" + struct.pack(">I", 3014) + b"\0\0" + b"\0image/png\0\x03\0" + bytes(range(256)) * 11 + bytes(184)
    size = len(frame)
    head = b"ID3\x03\0\0" + bytes([0, 0, size >> 7, size & 127])
    path.write_bytes(head + frame + path.read_bytes() + b"TAG" + bytes(125))
    assert len(read(path)) == len(sound)


PLAYLIST = b"#EXTM3U\n#EXTINF:2,\nother.wav\n#EXT-X-ENDLIST\n"


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("empty.wav", b""),
        ("zeros.wav", bytes(50000)),
        ("text.wav", b"some words, not sound\n" * 500),
        ("text.mp3", b"some words, not sound\n" * 500),
        ("head.flac", b"fLaC\0\0\0\x22"),
        ("list.m4a", PLAYLIST),
        ("list.mp3", b"ffconcat version 1.0\nfile other.wav\n"),
        ("picture.wav", b"\x89PNG\r\n\x1a\n" + bytes(3000)),
    ],
)
def test_what_is_no_sound_is_one_line(tmp_path, monkeypatch, name, data):
    monkeypatch.chdir(tmp_path)
    soundfile.write("other.wav", tone(RATE, 1.0), RATE)  # which a list must not bring in
    (tmp_path / name).write_bytes(data)
    with pytest.raises(Fault, match=name) as caught:
        source.create(str(tmp_path / name), lambda: 0.0, mute=True)
    assert "\n" not in str(caught.value)


def test_an_mp4_without_its_index_is_said_to_be_unfinished(tmp_path):
    data = encode(tmp_path / "a.m4a", "aac", tone(RATE, SECONDS), RATE).read_bytes()
    (tmp_path / "a.m4a").write_bytes(data[: data.index(b"moov")])
    with pytest.raises(Fault, match=r"a\.m4a.*index.*save or copy it again"):
        sound_file.probe(tmp_path / "a.m4a")


def test_a_folder_a_pipe_and_a_name_that_cannot_be(tmp_path):
    os.mkfifo(tmp_path / "pipe.wav")
    for path in (tmp_path, tmp_path / "pipe.wav", "/dev/zero", tmp_path / ("n" * 300), "a\0b.wav", "\udcff.wav"):
        with pytest.raises(Fault):
            sound_file.probe(path)


# Channel that sounds -> how loud left and right are.
FIVE = {"FL": (1, 0), "FR": (0, 1), "FC": (0.7071, 0.7071), "LFE": (0, 0), "BL": (0.7071, 0), "BR": (0, 0.7071)}
SEVEN = FIVE | {"SL": (0.7071, 0), "SR": (0, 0.7071)}
QUAD = {name: FIVE[name] for name in ("FL", "FR", "BL", "BR")}


@pytest.mark.parametrize("shares", [FIVE, SEVEN, QUAD])
def test_many_channels_are_two_as_the_field_does_it(shares):
    matrix = surround.to_stereo(tuple(shares), len(shares))
    np.testing.assert_allclose(matrix, np.array(list(shares.values())), atol=1e-4)
    assert surround.USUAL[len(shares)] == tuple(shares)


def test_inputs_that_nobody_knows_go_left_and_right_in_turns():
    np.testing.assert_allclose(surround.to_stereo((), 4), [[0.5, 0], [0, 0.5], [0.5, 0], [0, 0.5]])


@pytest.mark.parametrize(
    ("name", "codec", "rate", "layout", "speaker"),
    [
        ("a.flac", "flac", RATE, "5.1", "FC"),
        ("a.m4a", "aac", RATE, "5.1", "FC"),
        ("a.ac3", "ac3", 48000, "5.1(side)", "SL"),
        ("a.opus", "libopus", 48000, "5.1", "FC"),
        ("quad.wav", "pcm_s16le", RATE, "quad", "BR"),
        ("masked.wav", "pcm_s16le", RATE, "3.1", "LFE"),
        ("masked2.wav", "pcm_s16le", RATE, "4.0", "BC"),
        ("seven.flac", "flac", RATE, "7.1", "SR"),
        ("seven.m4a", "aac", 48000, "7.1", "BL"),
    ],
)
def test_a_voice_comes_from_where_its_file_puts_it(tmp_path, name, codec, rate, layout, speaker):
    import av

    names = [channel.name for channel in av.AudioLayout(layout).channels]
    sound = np.zeros((rate, len(names)), np.float32)
    at = names.index(speaker)
    sound[:, at] = tone(rate, 1.0)[:, 0]
    path = encode(tmp_path / name, codec, sound, rate, layout)
    info, heard = sound_file.probe(path), read(path)
    assert info.layout[int(np.abs(heard).max(0).argmax())] == speaker
    pair = surround.fitted(heard, info.layout, 2)
    shares = np.sqrt((pair**2).mean(0)) / np.sqrt((sound[:, at] ** 2).mean())
    np.testing.assert_allclose(shares, surround.SHARES[speaker], atol=0.05)


def test_films_and_recordings_have_the_middle_of_surround_on_both_sides(tmp_path):
    import av

    from performer.io.record.audio_track import Track
    from performer.io.record.movie import Movie
    from performer.system.mailboxes import Ring

    rate, layout = 48000, ("FL", "FR", "FC", "LFE", "SL", "SR")
    sound = np.zeros((rate, 6), np.float32)
    sound[:, 2], sound[:, 3] = 0.5 * np.sin(np.arange(rate) * 0.1), 0.9
    with Movie(tmp_path / "a.mp4", (64, 64), 10, rate=rate, channels=6, layout=layout) as movie:
        movie.write(np.zeros((64, 64, 3), np.uint8))
        movie.write_audio(sound)
    with av.open(str(tmp_path / "a.mp4")) as file:
        pair = np.concatenate([frame.to_ndarray() for frame in file.decode(audio=0)], 1)
    for side in pair:
        assert np.sqrt((side[8000:40000] ** 2).mean()) == pytest.approx(0.25, abs=0.01), "-3 dB of 0.354"
    ring = Ring(rate, 6)
    ring.write(sound, 1.0)
    taken = Track(rate, 2).read(ring, rate, 0.0, rate, layout)
    np.testing.assert_allclose(taken[:, 0], 0.7071 * sound[:, 2], atol=1e-4)
    np.testing.assert_array_equal(taken[:, 0], taken[:, 1])


def test_the_output_hears_the_middle_of_a_surround_file_on_both_sides(tmp_path):
    class Times:
        outputBufferDacTime = currentTime = 0.0

    sound = np.zeros((RATE, 6), np.float32)
    sound[:, 2] = 0.5
    soundfile.write(tmp_path / "a.wav", sound, RATE)
    played = player.file_player(tmp_path / "a.wav", lambda: 0.0, mute=True)
    played.open()
    out = np.ones((256, 2), np.float32)
    played._callback(out, 256, Times, 0)
    np.testing.assert_allclose(out, 0.35355, atol=1e-3)
    assert played.ring.width == 6
