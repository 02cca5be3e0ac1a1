"""Video, camera, picture folder and text as layers: the right moment, on the beat, and what is broken stops nothing."""

import itertools
import threading
import time
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from parts.patience import PATIENCE_S, until
from parts.scenes import make
from parts.shows import Show, loud, run
from PIL import Image as Picture

from performer.generators.media.camera import Camera
from performer.generators.media.image_folder import Album, crossfaded
from performer.generators.media.text import Words
from performer.generators.media.video import Projector, Video
from performer.generators.painter import Painter
from performer.gl.render.renderer import Renderer
from performer.gl.window.offscreen import Offscreen
from performer.rig.loading import load_library, painter
from performer.rig.offline import Performance
from performer.rig.options import RenderOptions
from performer.system.errors import Fault
from performer.types.features import Features, Sound
from performer.types.frame import Frame, Play, Scene

FPS, COUNT, SIDE = 25, 60, 64
WHITE = (1.0, 1.0, 1.0, 1.0)
TUNNEL = "[[layer]]\nshader = 'tunnel'\n"


def level(number: int) -> int:
    return 20 + number * 3


def movie(path: Path, count: int = COUNT, gop: int = 12, codec: str = "mpeg4") -> Path:
    """Pictures that grow brighter by three of 255, one after the other."""
    with av.open(str(path), "w") as file:
        stream = file.add_stream(codec, rate=FPS)
        stream.width, stream.height, stream.pix_fmt, stream.gop_size = SIDE, SIDE, "yuv420p", gop
        stream.bit_rate = 2_000_000
        for i in range(count):
            frame = av.VideoFrame.from_ndarray(np.full((SIDE, SIDE, 3), level(i), np.uint8), format="rgb24")
            frame.pts, frame.time_base = i, Fraction(1, FPS)
            file.mux(stream.encode(frame))
        file.mux(stream.encode())
    return path


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    return movie(tmp_path_factory.mktemp("clip") / "clip.mp4")


def number_of(picture: np.ndarray) -> float:
    return (float(picture[..., :3].mean()) - 20) / 3


def play(position=0.0, offset=0.0, beats=0.0, beat=0.0):
    return Play(position, (offset, beats), beat)


def test_any_moment_of_a_video_in_any_order(clip):
    video = Video(clip)
    assert video.duration_s == pytest.approx(COUNT / FPS, abs=0.05)
    for number in (0, 1, 2, 30, 31, 5, 59, 58, 57, 40, 12, 11, 3):
        picture = video.picture_at((number + 0.5) / FPS)
        assert picture.shape == (SIDE, SIDE, 4) and picture.dtype == np.uint8
        assert number_of(picture) == pytest.approx(number, abs=0.9)
    video.close()


def test_loops_turn_round_and_follow_the_beat(clip):
    video = Video(clip)
    length = video.duration_s
    assert video.moment(play(length * 1.25)) == pytest.approx(length * 0.25)
    assert video.moment(play(-0.25 * length)) == pytest.approx(length * 0.75)
    assert video.moment(play(0.0, offset=0.5)) == pytest.approx(length * 0.5)
    # A round of four beats, whatever the video's own length.
    assert video.moment(play(99.0, beats=4.0, beat=9.0)) == pytest.approx(length * 0.25)
    video.close()
    there_and_back = Video(clip, "pingpong")
    assert there_and_back.moment(play(length * 1.25)) == pytest.approx(length * 0.75)
    there_and_back.close()
    once = Video(clip, "once")
    assert number_of(once.picture_at(once.moment(play(length * 7)))) == pytest.approx(COUNT - 1, abs=0.9)
    once.close()


def test_what_is_broken_half_way_keeps_its_last_picture(clip, tmp_path, caplog):
    data = bytearray(clip.read_bytes())
    middle = data.index(b"mdat") + (data.index(b"moov") - data.index(b"mdat")) // 2
    data[middle : middle + 500] = bytes(500)
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(bytes(data))
    video = Video(broken)
    pictures = [video.picture_at(i / FPS) for i in range(COUNT * 2)]
    assert all(picture is not None for picture in pictures)
    assert number_of(pictures[3]) == pytest.approx(3, abs=1.5)
    video.close()
    cut = tmp_path / "cut.mkv"
    whole = movie(tmp_path / "whole.mkv")
    cut.write_bytes(whole.read_bytes()[: -whole.stat().st_size // 2])
    shortened = Video(cut)
    assert shortened.picture_at(2.3) is not None and shortened.picture_at(0.1) is not None
    shortened.close()


@pytest.mark.parametrize(
    ("name", "content"),
    [("junk.mp4", bytes(range(256)) * 40), ("empty.mp4", b""), ("words.mp4", b"not a film at all\n" * 50)],
)
def test_what_is_no_video_is_a_fault(name, content, tmp_path):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(Fault, match=r"cannot be opened as a video|contains no video|can be decoded") as caught:
        Video(tmp_path / name)
    assert "\n" not in str(caught.value)


def test_a_projector_is_never_waited_for(clip, monkeypatch):
    video, may = Video(clip), threading.Event()
    decoded = video.picture_at
    monkeypatch.setattr(video, "picture_at", lambda *given: decoded(*given) if may.wait(PATIENCE_S) else None)
    projector = Projector(video)
    thread = threading.Thread(target=projector.run)
    thread.start()
    seen, moments = set(), itertools.count()

    def moves() -> bool:
        picture = projector.picture(play(next(moments) / FPS), (SIDE, SIDE))
        assert picture is not None
        seen.add(round(number_of(picture)))
        return len(seen) > 10

    assert not any(moves() for _ in range(80)) and len(seen) == 1, "nothing is decoded yet, and nobody waits for it"
    may.set()
    assert until(moves)
    projector.close()
    thread.join(PATIENCE_S)
    assert not thread.is_alive()


def test_a_synthetic_camera_shows_its_newest_picture_and_one_that_is_not_there_is_said_once(caplog):
    camera = Camera("lavfi:testsrc=size=64x48:rate=30", mirror=True)
    thread = threading.Thread(target=camera.run, daemon=True)
    thread.start()
    assert until(lambda: camera.picture(Play(0.0), (64, 48)) is not None)
    first = camera.picture(Play(0.0), (64, 48))
    assert first.shape == (48, 64, 4) and first[..., :3].std() > 30
    camera.close()
    thread.join(PATIENCE_S)
    assert not thread.is_alive()
    gone = Camera("/dev/video97")
    thread = threading.Thread(target=gone.run, daemon=True)
    thread.start()
    assert until(lambda: any("camera /dev/video97" in record.getMessage() for record in caplog.records))
    time.sleep(0.5)
    assert gone.picture(Play(0.0), (64, 48)) is None
    assert sum("camera /dev/video97" in record.getMessage() for record in caplog.records) == 1
    gone.close()
    thread.join(PATIENCE_S)


# -- pictures


def album(folder: Path) -> Path:
    for i, colour in enumerate(((255, 0, 0), (0, 255, 0), (0, 0, 255))):
        Picture.new("RGB", (40 + 10 * i, 30), colour).save(folder / f"{i}.png")
    return folder


def test_pictures_come_in_turn_and_crossfade(tmp_path, caplog):
    (album(tmp_path) / "1b.jpg").write_bytes(b"broken")
    it = Album(tmp_path, live=False)
    size = (32, 18)

    def colour(position, fade=0.5):
        picture = it.picture(Play(position, (fade,)), size)
        assert picture.shape == (18, 32, 4)
        return picture[9, 16, :3].tolist()

    assert colour(0.2) == [255, 0, 0] and colour(1.2) == [0, 255, 0] and colour(2.1) == [0, 0, 255]
    assert colour(3.2) == [255, 0, 0]  # round and round, the broken one left out
    assert sum("1b.jpg" in record.getMessage() for record in caplog.records) == 1
    red, green, _ = colour(0.75)
    assert 100 < red < 155 and 100 < green < 155
    assert colour(0.99, fade=0.0) == [255, 0, 0]
    with pytest.raises(Fault, match="no images there"):
        Album(tmp_path / "nowhere")


def test_shuffled_by_a_seed_and_new_pictures_are_noticed(tmp_path, monkeypatch):
    for i in range(8):
        Picture.new("RGB", (8, 8), (i * 30, 0, 0)).save(tmp_path / f"{i}.png")

    def order(seed):
        it = Album(tmp_path, True, seed, live=False)
        return [int(it.picture(Play(float(i), (0.0,)), (8, 8))[0, 0, 0]) for i in range(8)]

    assert order(1) == order(1) != order(2) != order(-1) and sorted(order(1)) == [i * 30 for i in range(8)]
    monkeypatch.setattr("performer.generators.media.image_folder.LOOK_S", 0.0)
    live = Album(tmp_path)
    Picture.new("RGB", (8, 8), (0, 0, 200)).save(tmp_path / "9.png")
    assert any(live.picture(Play(float(i), (0.0,)), (8, 8))[0, 0, 2] == 200 for i in range(9))


def test_logos_crossfade_without_the_colour_that_is_under_their_clear_parts():
    red, blue = np.zeros((2, 2, 4), np.uint8), np.zeros((2, 2, 4), np.uint8)
    red[..., 1] = blue[..., 1] = 255  # green, where they are clear
    red[0], blue[:, 0] = (200, 0, 0, 255), (0, 0, 200, 255)
    half = crossfaded(red, blue, 128)
    assert half[0, 0].tolist() == [100, 0, 100, 255]
    assert half[0, 1].tolist() == [200, 0, 0, 127] and half[1, 0].tolist() == [0, 0, 200, 127]
    assert half[1, 1, 3] == 0
    opaque = np.random.default_rng(1).integers(0, 256, (2, 4, 4, 4), np.uint8)
    opaque[..., 3] = 255
    mixed = crossfaded(opaque[0], opaque[1], 64)
    assert np.abs(mixed - (0.75 * opaque[0] + 0.25 * opaque[1])).max() <= 1.0 and (mixed[..., 3] == 255).all()


# -- text


@pytest.mark.parametrize("size", [(160, 90), (90, 160), (120, 120), (320, 80)], ids=["16:9", "9:16", "1:1", "4:1"])
@pytest.mark.parametrize("text", ["GO", "all the people in the house tonight", "Wwwwwwwwwwwwwwwwww", "jgpqy ÄÖÜ"])
def test_text_is_never_cut_off_and_uses_the_room(text, size):
    picture = Words(text).picture(Play(0.0, (1.0, WHITE)), size)
    assert picture.shape == (size[1], size[0], 4)
    alpha = picture[..., 3]
    rows, columns = np.nonzero(alpha > 40)
    assert rows.min() > 0 and columns.min() > 0 and rows.max() < size[1] - 1 and columns.max() < size[0] - 1
    wide, high = (np.ptp(columns) + 1) / size[0], (np.ptp(rows) + 1) / size[1]
    assert max(wide, high) > 0.6, "it could be larger"


def test_words_change_in_turn_and_keep_their_colour():
    words = Words("one\n\ntwo\nthree")
    red = (1.0, 0.0, 0.0, 0.5)
    pictures = [words.picture(Play(position, (0.8, red)), (96, 54)) for position in (0.0, 1.5, 2.0, 3.9)]
    assert all((picture[..., :3] == (255, 0, 0)).all() and picture[..., 3].max() in (127, 128) for picture in pictures)
    assert not np.array_equal(pictures[0], pictures[1]) and not np.array_equal(pictures[1], pictures[2])
    assert np.array_equal(pictures[0], pictures[3])
    assert words.picture(Play(3.95, (0.8, red)), (96, 54)) is pictures[3]  # nothing is set anew that did not change
    small = words.picture(Play(0.0, (0.3, red)), (96, 54))
    assert (small[..., 3] > 0).sum() < 0.5 * (pictures[0][..., 3] > 0).sum()
    with pytest.raises(Fault, match="not a font file"):
        Words("x", "/etc/hostname")


# -- in a preset


def preset_of(folder: Path, text: str):
    library = load_library()
    (folder / "media.toml").write_text(text)
    return library, library.load_preset(folder / "media.toml")


def test_media_in_a_preset_have_knobs_and_play(clip, tmp_path):
    library, preset = preset_of(
        tmp_path,
        f"""
[[layer]]
video = "{clip}"
play = {{ speed = 2.0, loop = "pingpong" }}
[[layer]]
name = "words"
text = ["a", "b"]
play = {{ color = [1.0, 0.5, 0.0], lock = "bar" }}
[[route]]
from = "audio.bass"
to = "main.play.speed"
range = [1.0, 2.0]
""",
    )
    assert preset.layers[0].play.what == str(clip) and preset.base["words.play.color"] == (1.0, 0.5, 0.0, 1.0)
    frames = run(
        Show([preset], "media"), 2.0, features=lambda t: loud(t, beat=2 * t, bar=t / 2, bpm=120.0, confidence=0.9)
    )
    assert frames[-1].scene.plays["main"].position == pytest.approx(2.0 * 1.9, rel=0.1)
    assert frames[-1].scene.plays["words"].position == pytest.approx(1.0, abs=0.1)
    it = painter(library, "cpu")
    images = it.paint(frames[-1])
    assert {name for _, name in images} == {"main", "words"} and all(i.pixels.shape[2] == 4 for i in images.values())
    again = it.paint(frames[-1])
    assert all(again[key] is images[key] for key in images)  # nothing moved: nothing is uploaded again
    it.close()


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ("video = 'a.mp4'\nmodel = 'molten'", "a layer needs one source.*model and video"),
        ("text = ''", r"layer\[0\].text: expected something to show"),
        (
            "text = 'a'\nplay = { beats = 4 }",
            r"layer\[0\].play.beats: a text has no 'beats'; it has speed, size, color",
        ),
        ("shader = 'tunnel'\nplay = { speed = 1 }", "play is for video"),
        ("camera = '0'\nwalk = { speed = 1 }", "a walk needs a model; this layer's source is a camera"),
    ],
)
def test_mistakes_are_named(change, complaint, tmp_path):
    with pytest.raises(Fault, match=complaint):
        preset_of(tmp_path, f"[[layer]]\n{change}\n")


def test_a_missing_video_is_said_once_and_the_rest_plays(tmp_path, caplog):
    library, preset = preset_of(tmp_path, f"{TUNNEL}[[layer]]\nname = 'film'\nvideo = 'gone.mp4'\n")
    it = painter(library, "cpu")
    for i in range(3):
        scene = Scene(1, preset, preset.base, {}, 0.0, {"film": play(i / 10)})
        assert (
            it.paint(Frame(index=i, t=i / 10, dt=0.1, size=(64, 36), features=Features(), sound=Sound(), scene=scene))
            == {}
        )
    assert sum("no such video" in record.getMessage() for record in caplog.records) == 1


def test_alpha_reaches_the_mix_and_the_top_is_on_top(tmp_path):
    half = np.zeros((40, 40, 4), np.uint8)
    half[:20] = (255, 0, 0, 255)  # red above, nothing below
    Picture.fromarray(half).save(tmp_path / "half.png")
    library, preset = preset_of(tmp_path, f"{TUNNEL}[[layer]]\nname = 'flag'\npictures = 'half.png'\n")
    world = Offscreen((64, 64))
    renderer, it = Renderer(world.ctx, library.shaders), painter(library, "cpu")
    drawn = []
    for number, opacity in ((1, 1.0), (2, 0.0)):
        params = {**preset.base, "flag.mix.opacity": opacity}
        scene = Scene(number, preset, params, {}, 0.5, {"flag": Play(0.0, (0.0,))})
        frame = Frame(index=0, t=0.5, dt=1 / 60, size=(64, 64), features=Features(), sound=Sound(), scene=scene)
        renderer.draw(frame, it.paint(frame), world.screen)
        drawn.append(np.frombuffer(world.screen.read(components=3), np.uint8).reshape(64, 64, 3)[::-1].astype(int))
    with_flag, without = drawn
    assert (with_flag[4:28, 4:60] == (255, 0, 0)).all()
    assert np.abs(with_flag[36:60] - without[36:60]).max() <= 1
    renderer.release()
    world.close()


def test_a_video_rendered_offline_is_exact_and_repeats(clip, tmp_path):
    (tmp_path / "film.toml").write_text(f'[[layer]]\nvideo = "{clip}"\n')
    shows = []
    for _ in range(2):
        options = RenderOptions(
            song="demo",
            out="unused.mp4",
            preset=str(tmp_path / "film.toml"),
            size=(64, 64),
            fps=float(FPS),
            seconds=1.0,
        )
        with Performance(options) as it:
            shows.append([it.step()[1].copy() for _ in range(it.frames)])
    assert all(np.array_equal(a, b) for a, b in zip(*shows, strict=True))
    numbers = [number_of(picture) for picture in shows[0]]
    assert np.diff(numbers).mean() == pytest.approx(1.0, abs=0.1) and numbers[0] < 2.0


def test_the_live_painter_opens_aside_and_closes_with_the_scene(clip, tmp_path):
    library, preset = preset_of(tmp_path, f"[[layer]]\nvideo = '{clip}'\n")
    threads = []

    def begin(name, body):
        threads.append(threading.Thread(target=body, name=name, daemon=True))
        threads[-1].start()

    it = painter(library, "cpu", begin)
    deadline = time.monotonic() + PATIENCE_S
    images = {}
    while not images and time.monotonic() < deadline:
        scene = Scene(1, preset, preset.base, {}, 0.0, {"main": play(0.4)})
        images = it.paint(Frame(index=0, t=0.0, dt=0.1, size=(64, 36), features=Features(), sound=Sound(), scene=scene))
        time.sleep(0.01)
    assert images[1, "main"].cut and [thread.name for thread in threads] == ["video"]
    other = load_library().presets["aurora"]
    it.paint(
        Frame(
            index=1,
            t=0.1,
            dt=0.1,
            size=(64, 36),
            features=Features(),
            sound=Sound(),
            scene=Scene(2, other, other.base, {}, 0.0),
        )
    )
    threads[0].join(PATIENCE_S)
    assert not threads[0].is_alive()


def test_a_medium_that_fails_is_closed_and_leaves_nothing_behind(monkeypatch):
    class Failing:
        closed = 0

        def picture(self, play, size):
            raise Fault("the disk went away")

        def close(self):
            Failing.closed += 1

    monkeypatch.setattr("performer.generators.painter.create", lambda spec, begin: Failing())
    it = Show([make('title = "First"\n[[layer]]\ntext = "a"\n')], "first")
    painter = Painter(lambda name: None)
    painter.paint(run(it, 0.1)[-1])
    assert Failing.closed == 1 and painter._failed
    painter.close()
    assert not painter._failed and not painter._media
