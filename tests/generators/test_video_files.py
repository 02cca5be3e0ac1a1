"""Videos of every container and codec: each moment shows its own picture, as its file means it to look."""

import gc
import logging
import struct
import threading
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from parts.patience import PATIENCE_S

from performer.generators.media import video as video_module
from performer.generators.media.video import Projector, Video
from performer.generators.media.video_reader import VideoReader
from performer.system.errors import Fault
from performer.types.frame import Play

SIDE, FPS, COUNT = 72, 25, 40
X264 = {"preset": "veryfast"}
VPX = {"deadline": "realtime", "cpu-used": "8"}
HEVC = {"preset": "ultrafast", "x265-params": "log-level=none"}


def stripes(number: int) -> np.ndarray:
    """A picture that says in eight stripes which it is."""
    picture = np.zeros((SIDE, SIDE, 3), np.uint8)
    for bit in range(8):
        picture[:, bit * SIDE // 8 : (bit + 1) * SIDE // 8] = 255 * (number >> bit & 1)
    return picture


def number_of(picture: np.ndarray) -> int:
    height, width = picture.shape[:2]
    middles = [picture[height // 2, (2 * bit + 1) * width // 16, 0] > 127 for bit in range(8)]
    return sum(int(lit) << bit for bit, lit in enumerate(middles))


def write(
    path: Path,
    codec: str,
    pictures,
    pix_fmt: str = "yuv420p",
    options=None,
    gop: int = 12,
    b_frames: int | None = None,
    times=None,
    start: int = 0,
    container=None,
    muxing=None,
    aspect: Fraction | None = None,
    tags=None,
    metadata=None,
) -> Path:
    """A video of pictures (H, W, 3 or 4) uint8, or of frames; times are in milliseconds, or one picture is 1/25 s."""
    pictures = list(pictures)
    with av.open(str(path), "w", format=container, options=muxing or {}) as file:
        stream = file.add_stream(codec, rate=FPS, options=options or {})
        file.metadata.update(metadata or {})
        first = pictures[0]
        size = (first.width, first.height) if isinstance(first, av.VideoFrame) else first.shape[1::-1]
        stream.width, stream.height = size
        stream.pix_fmt, stream.gop_size = pix_fmt, gop
        if b_frames is not None:
            stream.codec_context.max_b_frames = b_frames
        if aspect is not None:
            stream.sample_aspect_ratio = aspect
        if times is not None:
            stream.time_base = stream.codec_context.time_base = Fraction(1, 1000)
        for name, value in (tags or {}).items():
            setattr(stream.codec_context, name, value)
        for i, picture in enumerate(pictures):
            frame = picture
            if not isinstance(picture, av.VideoFrame):
                kind = "rgba" if picture.shape[2] == 4 else "rgb24"
                frame = av.VideoFrame.from_ndarray(picture, format=kind).reformat(format=pix_fmt)
            frame.pts, frame.time_base = (
                (i + start, Fraction(1, FPS)) if times is None else (times[i], Fraction(1, 1000))
            )
            file.mux(stream.encode(frame))
        file.mux(stream.encode())
    return path


def numbered(path: Path, codec: str, count: int = COUNT, **how) -> Path:
    return write(path, codec, map(stripes, range(count)), **how)


FILES = {
    "b_frames.mp4": ("libx264", {"options": X264, "b_frames": 2}),
    "open_groups.mp4": ("libx264", {"options": X264 | {"x264-params": "open-gop=1"}, "b_frames": 3}),
    "open_groups.ts": ("libx264", {"options": X264 | {"x264-params": "open-gop=1"}, "b_frames": 3}),
    "one_key.ts": ("libx264", {"options": X264, "gop": 500}),
    "broadcast.ts": ("mpeg2video", {"b_frames": 2}),
    "camcorder.m2ts": ("libx264", {"options": X264, "b_frames": 2, "container": "mpegts"}),
    "disc.vob": ("mpeg2video", {"b_frames": 2}),
    "disc.mpg": ("mpeg2video", {"b_frames": 2}),
    "old.avi": ("mpeg4", {"b_frames": 2}),
    "b_frames.avi": ("libx264", {"options": X264, "b_frames": 2}),
    "b_frames.mkv": ("libx264", {"options": X264, "b_frames": 2}),
    "late.mp4": ("libx264", {"options": X264, "b_frames": 2, "start": 25}),
    "late.mkv": ("libx264", {"options": X264, "start": 10}),
    "fragments.mp4": ("libx264", {"options": X264, "muxing": {"movflags": "frag_keyframe+empty_moov"}}),
    "no_index.mkv": ("libx264", {"options": X264, "muxing": {"live": "1"}}),
    "web.webm": ("libvpx-vp9", {"options": VPX}),
    "raw.h264": ("libx264", {"options": X264, "b_frames": 2}),
    "raw.hevc": ("libx265", {"options": HEVC}),
    "raw.m2v": ("mpeg2video", {"b_frames": 2, "container": "mpeg2video"}),
    "raw.mjpeg": ("mjpeg", {"pix_fmt": "yuvj420p"}),
    "phone.mov": ("libx265", {"options": HEVC}),
    "edit.mov": ("prores_ks", {"pix_fmt": "yuv422p10le"}),
    "moving.gif": ("gif", {"pix_fmt": "rgb8"}),
    "old.flv": ("flv", {}),
    "old.wmv": ("wmv2", {}),
}


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder, made = tmp_path_factory.mktemp("videos"), {}

    def get(name: str) -> Path:
        if name not in made:
            codec, how = FILES[name]
            made[name] = numbered(folder / name, codec, **how)
        return made[name]

    return get


@pytest.mark.parametrize("name", FILES)
def test_every_moment_shows_its_own_picture_forwards_backwards_and_scrubbed(name, files, monkeypatch):
    every = list(range(COUNT))
    middle = [(i + 0.5) / FPS for i in every]
    video = Video(files(name))
    assert video.duration_s == pytest.approx(COUNT / FPS, abs=0.002)
    assert [number_of(video.picture_at(at)) for at in middle] == every
    assert [number_of(video.picture_at(at)) for at in middle] == every  # the loop's second round
    video.close()
    monkeypatch.setattr(video_module, "KEPT_BYTES", 5 * SIDE * SIDE * 4)  # so that all is decoded, and decoded again
    video = Video(files(name))
    assert [number_of(video.picture_at(at)) for at in reversed(middle)] == every[::-1]
    for number in (0, 20, 21, 39, 38, 5, 17, 16, 30, 1):
        assert number_of(video.picture_at(middle[number])) == number
    assert number_of(video.picture_at(99.0)) == COUNT - 1
    assert len(video._kept) <= 6 and set(video._ends) <= set(video._starts) == set(video._kept)
    video.close()


@pytest.mark.parametrize("name", ["one_key.ts", "raw.h264", "b_frames.mkv"])
def test_loops_reach_every_picture_of_any_container(name, files):
    there_and_back = Video(files(name), "pingpong")
    length = COUNT / FPS
    steps = [(i + 0.5) / FPS for i in range(2 * COUNT)]
    seen = [number_of(there_and_back.picture_at(there_and_back.moment(Play(at, (0.0, 0.0))))) for at in steps]
    assert seen == [*range(COUNT), *reversed(range(COUNT))]
    there_and_back.close()
    once = Video(files(name), "once")
    assert number_of(once.picture_at(once.moment(Play(7 * length, (0.0, 0.0))))) == COUNT - 1
    backwards = [number_of(once.picture_at(once.moment(Play(length - at, (0.0, 0.0))))) for at in steps[:COUNT]]
    assert backwards == list(reversed(range(COUNT)))
    once.close()


def test_sequential_pictures_of_a_transport_stream_seek_once(files, monkeypatch):
    video = Video(files("open_groups.ts"))
    sought = []
    seek = video._reader.seek
    monkeypatch.setattr(video._reader, "seek", lambda time: (sought.append(time), seek(time)))
    for i in range(COUNT):
        video.picture_at((i + 0.5) / FPS)
    assert len(sought) <= 1
    video.close()


@pytest.mark.parametrize(("ending", "b_frames"), [("mp4", 0), ("mp4", 2), ("mkv", 0), ("mkv", 2), ("mov", 2)])
def test_a_picture_of_varying_rate_stays_until_the_next_one(ending, b_frames, tmp_path):
    times = [0, 3000, 3400, 3440, 6000, 6033]
    path = numbered(tmp_path / f"a.{ending}", "libx264", len(times), options=X264, b_frames=b_frames, times=times)
    for order in (1, -1):
        video = Video(path)
        moments = [(t + d) / 1000 for t in times for d in (0, 1, 20)] + [1.5, 2.999, 3.399, 5.999]
        for at in moments[::order]:
            wanted = sum(t <= 1000 * at + 1e-6 for t in times) - 1
            assert number_of(video.picture_at(at)) == wanted, at
        assert 6.0 < video.duration_s < 6.2
        video.close()


def test_a_film_that_was_cut_off_or_has_longer_sound_loops_over_its_pictures(tmp_path, files):
    whole = files("b_frames.mkv").read_bytes()
    (tmp_path / "cut.mkv").write_bytes(whole[: len(whole) * 6 // 10])
    cut = Video(tmp_path / "cut.mkv")
    assert 0.3 < cut.duration_s < 1.2
    cut.close()
    with av.open(str(tmp_path / "sound.mkv"), "w") as file:
        stream = file.add_stream("libx264", rate=FPS, options=X264)
        stream.width = stream.height = SIDE
        stream.pix_fmt = "yuv420p"
        sound = file.add_stream("pcm_s16le", rate=8000, layout="mono")
        for i in range(10):
            file.mux(stream.encode(av.VideoFrame.from_ndarray(stripes(i), format="rgb24")))
        file.mux(stream.encode())
        block = av.AudioFrame.from_ndarray(np.zeros((1, 8000 * 3), np.int16), format="s16", layout="mono")
        block.sample_rate, block.pts = 8000, 0
        file.mux(sound.encode(block))
        file.mux(sound.encode())
    longer = Video(tmp_path / "sound.mkv")
    assert longer.duration_s == pytest.approx(10 / FPS, abs=0.002)
    longer.close()


def test_what_is_damaged_is_passed_over(files, tmp_path, caplog):
    data = bytearray(files("broadcast.ts").read_bytes())
    for packet in range(len(data) // 188 * 4 // 10, len(data) // 188 * 5 // 10):
        data[packet * 188 + 4 : packet * 188 + 188] = bytes(184)
    (tmp_path / "hurt.ts").write_bytes(bytes(data))
    video = Video(tmp_path / "hurt.ts")
    seen = [number_of(video.picture_at((i + 0.5) / FPS)) for i in range(COUNT)]
    assert seen[:8] == list(range(8)) and seen[-6:] == list(range(COUNT - 6, COUNT))
    video.close()
    assert sum(record.levelno >= logging.WARNING for record in caplog.records) <= 1


# -- how it looks


def corners(width: int = 64, height: int = 48) -> np.ndarray:
    """White at the upper left, red at the upper right, else black."""
    picture = np.zeros((height, width, 3), np.uint8)
    picture[: height // 2, : width // 2] = 255
    picture[: height // 2, width // 2 :, 0] = 255
    return picture


def looks(picture: np.ndarray) -> list[str]:
    """Its quarters: upper left, upper right, lower left, lower right."""
    height, width = picture.shape[:2]
    names = {(True, True): "white", (True, False): "red", (False, False): "black"}
    places = [(y, x) for y in (height // 4, height * 3 // 4) for x in (width // 4, width * 3 // 4)]
    return [names[bool(picture[y, x, 0] > 127), bool(picture[y, x, 1] > 127)] for y, x in places]


MATRICES = {
    "as stored": ((1, 0, 0, 1), ["white", "red", "black", "black"]),
    "a quarter clockwise": ((0, 1, -1, 0), ["black", "white", "black", "red"]),
    "half": ((-1, 0, 0, -1), ["black", "black", "red", "white"]),
    "a quarter back": ((0, -1, 1, 0), ["red", "black", "white", "black"]),
    "mirrored": ((-1, 0, 0, 1), ["red", "white", "black", "black"]),
    "upside down": ((1, 0, 0, -1), ["black", "black", "white", "red"]),
}


@pytest.mark.parametrize("turn", MATRICES)
def test_a_film_is_turned_as_its_display_matrix_says(turn, tmp_path):
    (a, b, c, d), wanted = MATRICES[turn]
    path = write(tmp_path / "a.mp4", "libx264", [corners()] * 3, options=X264)
    data = path.read_bytes()
    plain = struct.pack(">9i", 65536, 0, 0, 0, 65536, 0, 0, 0, 1 << 30)
    at = data.rindex(plain)  # of the track; the first is the film's
    matrix = struct.pack(">9i", a << 16, b << 16, 0, c << 16, d << 16, 0, 0, 0, 1 << 30)
    path.write_bytes(data[:at] + matrix + data[at + len(plain) :])
    video = Video(path)
    picture = video.picture_at(0.06)
    assert picture.shape == ((64, 48, 4) if a == 0 else (48, 64, 4)) and picture.flags.c_contiguous
    assert looks(picture) == wanted
    video.close()


@pytest.mark.parametrize(
    ("ending", "codec", "aspect", "shape"),
    [
        ("mp4", "libx264", Fraction(2, 1), (48, 128)),
        ("mkv", "libx264", Fraction(1, 2), (96, 64)),
        ("avi", "mpeg4", Fraction(16, 11), (48, 93)),
        ("mp4", "libx264", Fraction(1, 1), (48, 64)),
        ("mp4", "libx264", Fraction(500, 1), (48, 64)),  # a mistake of the file's
    ],
)
def test_pixels_are_square(ending, codec, aspect, shape, tmp_path):
    video = Video(write(tmp_path / f"a.{ending}", codec, [corners()] * 3, aspect=aspect))
    assert video.picture_at(0.0).shape == (*shape, 4) and looks(video.picture_at(0.0))[0] == "white"
    video.close()


def yuv(colour, matrix: str, full: bool, width: int, height: int) -> av.VideoFrame:
    """A frame of one colour, 0..1, by a matrix's own definition."""
    red, blue = {"601": (0.299, 0.114), "709": (0.2126, 0.0722), "2020": (0.2627, 0.0593)}[matrix]
    r, g, b = colour
    y = red * r + (1 - red - blue) * g + blue * b
    cb, cr = (b - y) / (2 - 2 * blue), (r - y) / (2 - 2 * red)
    levels = (255 * y, 128 + 255 * cb, 128 + 255 * cr) if full else (16 + 219 * y, 128 + 224 * cb, 128 + 224 * cr)
    frame = av.VideoFrame(width, height, "yuv420p")
    for plane, value in zip(frame.planes, levels, strict=True):
        plane.update(bytes([min(255, max(0, round(value)))]) * plane.buffer_size)
    return frame


COLOURS = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0), (0.8, 0.4, 0.1), (1.0, 1.0, 1.0), (0.5, 0.5, 0.5))


@pytest.mark.parametrize(
    ("matrix", "full", "size", "tags"),
    [
        ("601", False, (64, 48), {}),
        ("601", False, (720, 576), {}),
        ("709", False, (1280, 720), {}),
        ("709", False, (720, 1280), {}),  # as telephones hold it
        ("709", False, (64, 48), {"colorspace": 1}),
        ("601", False, (1280, 720), {"colorspace": 6}),
        ("601", False, (1280, 720), {"colorspace": 5}),
        ("2020", False, (64, 48), {"colorspace": 9}),
        ("709", True, (64, 48), {"colorspace": 1, "color_range": 2}),
        ("601", True, (64, 48), {"colorspace": 6, "color_range": 2}),
        ("2020", True, (64, 48), {"colorspace": 9, "color_range": 2}),
        ("709", False, (64, 48), {"colorspace": 1, "color_range": 1}),
        ("709", True, (1280, 720), {"color_range": 2}),
    ],
)
def test_colours_are_those_of_the_files_matrix_and_range(matrix, full, size, tags, tmp_path):
    frames = [yuv(colour, matrix, full, *size) for colour in COLOURS]
    for frame in frames:
        for name, value in tags.items():
            setattr(frame, name, value)
    path = write(tmp_path / "a.mkv", "libx264", frames, options=X264 | {"qp": "0"}, tags=tags, gop=1)
    video = Video(path)
    for i, colour in enumerate(COLOURS):
        shown = video.picture_at((i + 0.5) / FPS)[size[1] // 2, size[0] // 2]
        assert np.abs(shown[:3].astype(float) - 255 * np.array(colour)).max() <= 3.5, (colour, shown)
    video.close()


@pytest.mark.parametrize(
    ("name", "codec", "pix_fmt", "options"),
    [
        ("a.webm", "libvpx-vp9", "yuva420p", VPX),
        ("b.webm", "libvpx", "yuva420p", {"deadline": "realtime", "auto-alt-ref": "0"}),
        ("a.mov", "prores_ks", "yuva444p10le", {}),
        ("b.mov", "png", "rgba", {}),
        ("c.mov", "qtrle", "argb", {}),
    ],
)
def test_alpha_is_kept(name, codec, pix_fmt, options, tmp_path):
    pictures = []
    for i in range(16):
        picture = np.full((48, 64, 4), 255, np.uint8)
        picture[:, 4 * i :, 3] = 0
        pictures.append(picture)
    video = Video(write(tmp_path / name, codec, pictures, pix_fmt, options))
    for i in (1, 15, 8, 2):
        alpha = video.picture_at((i + 0.5) / FPS)[24, :, 3]
        assert (alpha[: 4 * i - 2] > 200).all() and (alpha[4 * i + 2 :] < 50).all()
    video.close()


def test_deep_video_has_its_range(tmp_path):
    ramp = np.tile(np.linspace(0, 65535, 64).astype(np.uint16), (48, 1))
    frames = [av.VideoFrame.from_ndarray(ramp, format="gray16le") for _ in range(3)]
    video = Video(write(tmp_path / "a.mkv", "ffv1", frames, "gray16le"))
    assert np.abs(video.picture_at(0.0)[24, :, 0] - np.linspace(0, 255, 64)).max() < 2
    video.close()


def test_a_cover_is_not_the_film(tmp_path):
    with av.open(str(tmp_path / "a.mp4"), "w") as file:
        cover = file.add_stream("mjpeg", rate=1)
        cover.width = cover.height = SIDE
        cover.pix_fmt, cover.disposition = "yuvj420p", av.stream.Disposition.attached_pic
        film = file.add_stream("libx264", rate=FPS, options=X264)
        film.width = film.height = SIDE
        film.pix_fmt = "yuv420p"
        file.mux(cover.encode(av.VideoFrame.from_ndarray(stripes(255), format="rgb24")))
        file.mux(cover.encode())
        for i in range(10):
            file.mux(film.encode(av.VideoFrame.from_ndarray(stripes(i), format="rgb24")))
        file.mux(film.encode())
    video = Video(tmp_path / "a.mp4")
    assert number_of(video.picture_at(0.3)) == 7
    video.close()


def test_a_file_that_is_gone_keeps_its_last_picture(files, tmp_path, caplog):
    path = tmp_path / "raw.h264"
    path.write_bytes(files("raw.h264").read_bytes())
    video = Video(path)
    assert number_of(video.picture_at(1.0)) == 25
    video._kept.clear(), video._starts.clear(), video._ends.clear()
    path.unlink()
    assert number_of(video.picture_at(0.0)) == 25 and number_of(video.picture_at(0.5)) == 25
    assert sum("cannot be read again" in record.getMessage() for record in caplog.records) == 1
    video.close()


def test_live_a_far_picture_is_reached_though_no_call_decodes_all_the_way(files):
    video = Video(files("one_key.ts"))
    for _ in range(COUNT):
        video.picture_at(1.5, most=3)
    assert number_of(video.shown) == 37
    video.close()


@pytest.mark.parametrize("name", ["n" * 300 + ".mp4", "d/" * 3000])
def test_names_that_no_file_can_have_are_one_line(name, tmp_path):
    with pytest.raises(Fault) as caught:
        Video(tmp_path / name)
    assert "\n" not in str(caught.value)


def test_live_a_replaced_film_is_the_new_one_once_it_is_whole(tmp_path, files, monkeypatch, caplog):
    monkeypatch.setattr(video_module, "LOOK_S", -1.0)
    path = tmp_path / "film.mp4"
    path.write_bytes(files("b_frames.mp4").read_bytes())
    new = numbered(tmp_path / "new.mp4", "libx264", 200, options=X264).read_bytes()
    projector = Projector(Video(path))
    first = projector._video
    projector._look()
    assert projector._video is first
    path.write_bytes(new[:3000])
    projector._look()  # it may still be on its way
    assert projector._video is first and not caplog.records
    for _ in range(3):
        projector._look()  # it is not: this is all of it, and no film
    assert projector._video is first and len(caplog.records) == 1
    path.write_bytes(new)
    projector._look()
    assert projector._video is first
    projector._look()
    assert projector._video is not first and projector._video.duration_s == pytest.approx(8.0)
    assert number_of(projector._video.picture_at(7.5)) == 187
    assert first._reader._lost and not first._kept  # nothing of the old one is kept
    path.unlink()
    second = projector._video
    projector._look()
    projector._look()
    assert projector._video is second
    second.close()


def test_pictures_that_were_shown_are_gone_without_a_collection_of_garbage(tmp_path):
    """While a show plays, garbage is collected seldom: nothing of a film may wait for that."""
    path = write(tmp_path / "a.mp4", "libx264", [corners()] * 30, options=X264)
    for rounds in (1, 3):
        gc.collect()
        gc.disable()
        try:
            for _ in range(rounds):
                video = Video(path)
                for i in range(25):
                    video.picture_at(i / 25)
                video.close()
                del video
            left = [one for one in gc.get_objects() if isinstance(one, av.VideoFrame)]
            assert not [one for one in left if one.width > 16]  # tiny is that whose display matrix was read
            del left
        finally:
            gc.enable()


def test_a_film_that_is_over_gives_its_memory_back(tmp_path, monkeypatch):
    given = []
    monkeypatch.setattr(video_module, "give_back", lambda: given.append(threading.current_thread().name))
    monkeypatch.setattr(video_module, "LOOK_S", -1.0)
    path = write(tmp_path / "a.mp4", "libx264", [corners()] * 3, options=X264)
    projector = Projector(Video(path))
    path.write_bytes(write(tmp_path / "b.mp4", "libx264", [corners()] * 9, options=X264).read_bytes())
    for _ in range(2):
        projector._look()
    assert given == ["MainThread"]
    thread = threading.Thread(target=projector.run, name="film")
    thread.start()
    projector.close()
    thread.join(PATIENCE_S)
    assert given[-1] == "film" and not projector._video._kept


def test_a_stream_that_begins_later_ends_nothing(files):
    """PyAV trips over it at the file's end, where it asks the decoder for what it still holds."""
    reader = VideoReader(files("b_frames.mp4"))
    packets = reader._packets

    def trips():
        for packet in packets:
            if packet.size == 0:
                raise IndexError("list index out of range")
            yield packet

    reader._packets = trips()
    seen = []
    while (got := reader.read()) is not None:
        seen.append(got[0])
    assert len(seen) == COUNT
    reader.close()


def test_a_codec_that_is_not_known_and_odd_titles_are_one_line_or_none(files, tmp_path):
    whole = files("b_frames.mp4").read_bytes()
    (tmp_path / "odd.mp4").write_bytes(whole.replace(b"avc1", b"zzzz"))
    with pytest.raises(Fault, match="of a codec that is not known"):
        Video(tmp_path / "odd.mp4")
    titled = numbered(tmp_path / "title.mkv", "libx264", 5, options=X264, metadata={"title": "Name____"})
    titled.write_bytes(titled.read_bytes().replace(b"Name____", b"\xc4\xff\xfe____\x80"))
    video = Video(titled)
    assert number_of(video.picture_at(0.1)) == 2
    video.close()


@pytest.mark.parametrize("name", ["b_frames.mp4", "b_frames.mkv", "one_key.ts", "disc.vob", "old.avi", "raw.h264"])
def test_a_damaged_film_is_one_line_or_plays(name, files, tmp_path):
    whole, rng = files(name).read_bytes(), np.random.default_rng(3)
    damaged = [whole[: len(whole) * part // 10] for part in range(0, 10, 2)]
    for reach in (300, 1500, len(whole)):
        for _ in range(4):
            copy = bytearray(whole)
            for place in rng.integers(0, min(reach, len(copy)), 8):
                copy[place] = rng.integers(0, 256)
            damaged.append(bytes(copy))
    for i, content in enumerate(damaged):
        path = tmp_path / f"{i}-{name}"
        path.write_bytes(content)
        try:
            video = Video(path)
        except Fault as fault:
            assert str(fault).startswith(f"{path}: ") and "\n" not in str(fault)
            continue
        for at in (0.0, 0.5, 0.54, 1.5, 1.2, 0.1):
            picture = video.picture_at(at)
            assert picture is None or picture.shape[2] == 4
        video.close()
