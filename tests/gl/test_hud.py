"""The HUD, drawn over pictures through EGL."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import moderngl
import numpy as np
import pytest

from performer.gl.hud.hud import MOST_QUADS, Hud, HudState
from performer.gl.render.readback import DEPTH, Readback
from performer.types.notification import TIMEOUT_S, Notification

SIZES = ((640, 360), (1280, 720), (3840, 2160))
ROUTES = (("audio.bass", "main.feedback.zoom", 0.8), ("lfo.slow", "master.palette.shift", 0.1))


@pytest.fixture(scope="module")
def ctx() -> Iterator[moderngl.Context]:
    try:
        made = moderngl.create_context(standalone=True, backend="egl", require=330)
    except Exception as error:
        pytest.skip(f"no EGL here: {error}")
    with made:
        yield made
    made.release()


class Canvas:
    """A picture of one grey, and what the HUD makes of it."""

    def __init__(self, ctx: moderngl.Context, size: tuple[int, int], grey: float = 0.5) -> None:
        self.ctx, self.size, self.grey = ctx, size, grey
        self.target = ctx.framebuffer([ctx.texture(size, 4)])
        self.hud = Hud(ctx)
        self.readback = Readback(ctx)

    def draw(self, state: HudState) -> np.ndarray:
        self.target.clear(self.grey, self.grey, self.grey, 1.0)
        self.hud.draw(state, self.target, self.size)
        assert self.ctx.error == "GL_NO_ERROR"
        return self.readback.read(self.target, self.size).astype(int)


def changed(picture: np.ndarray, grey: int = 128) -> np.ndarray:
    return (np.abs(picture - grey) > 2).any(-1)


def state(t: float = 1.0, **more: object) -> HudState:
    known = {
        "bpm": 128.0,
        "confidence": 0.9,
        "preset": "Marble",
        "sound_note": "pulse",
        "routes": ROUTES,
        "fps": 60.0,
        "provider": "CPU",
        "bands": np.linspace(1, 0, 64, dtype=np.float32),
        "level": 0.5,
    }
    return HudState(t=t, **{**known, **more})  # type: ignore[arg-type]


@pytest.mark.parametrize("size", SIZES)
def test_the_panel_stands_in_the_top_left_and_nowhere_else(ctx: moderngl.Context, size: tuple[int, int]) -> None:
    rows, columns = np.nonzero(changed(Canvas(ctx, size).draw(state(page=2))))
    assert 0 < columns.min() < size[0] * 0.05
    assert 0 < rows.min() < size[1] * 0.08
    assert columns.max() < size[0] * 0.5
    assert size[1] * 0.3 < rows.max() < size[1] * 0.9


@pytest.mark.parametrize("grey", [0.0, 1.0])
def test_text_can_be_read_on_black_and_on_white(ctx: moderngl.Context, grey: float) -> None:
    canvas = Canvas(ctx, (640, 360), grey)
    picture = canvas.draw(state(routes=()))
    inside = picture[20:150, 20:270].max(-1)
    assert inside.max() > 230
    assert np.median(inside) < 90


def test_nothing_is_drawn_when_all_is_off(ctx: moderngl.Context) -> None:
    canvas = Canvas(ctx, (640, 360))
    assert not changed(canvas.draw(state(page=0))).any()
    assert changed(canvas.draw(state(1.01))).any()
    assert not changed(canvas.draw(state(1.02, page=0))).any()


def test_meters_move_every_frame_and_text_ten_times_a_second(ctx: moderngl.Context) -> None:
    canvas = Canvas(ctx, (1280, 720))
    before = canvas.draw(state(1.0, page=2))
    after = canvas.draw(state(1.02, page=2, bands=np.zeros(64, np.float32)))
    moved = np.abs(after - before).any(-1)
    assert moved.any()
    bands = canvas.hud._floor
    assert np.nonzero(moved)[0].max() < bands
    text = canvas.draw(state(1.04, page=2, bands=np.zeros(64, np.float32), provider="CUDA"))
    assert np.array_equal(text, after)
    text = canvas.draw(state(1.15, page=2, bands=np.zeros(64, np.float32), provider="CUDA"))
    assert not np.array_equal(text, after)


@pytest.mark.parametrize(
    "change",
    [
        {"level": 1.0},
        {"beat": 0.5},
        {"incoming": "Neon", "progress": 0.5},
        {"frozen": True},
        {"dark": True},
        {"recording": "3 s, 0 dropped"},
        {"midi_note": "Launchpad"},
        {"help": True},
        {"sync": "midi"},
        {"bar": 2.0},
        {"next": "Halo in 3 beats"},
        {"held": "crimson"},
        {"by_hand": ("main.feedback.zoom",)},
        {"mode": "changes on the bar"},
        {"page": 2},
    ],
)
def test_everything_it_is_told_shows(ctx: moderngl.Context, change: dict[str, object]) -> None:
    canvas = Canvas(ctx, (1280, 720))
    before = canvas.draw(state(1.0, routes=()))
    assert not np.array_equal(before, canvas.draw(state(2.0, **{"routes": (), **change})))


@pytest.mark.parametrize(
    "change",
    [
        {"routes": (*ROUTES[:1], (*ROUTES[1][:2], 1.0))},
        {"recording": "3 s, 0 dropped"},
        {"governor_note": "75 %"},
        {"midi_note": "Launchpad"},
        {"delays": (("delay", "48 ms"),)},
        {"sound_age_ms": 20.0},
        {"missed": 7},
        {"p99_ms": 30.0},
        {"model_rate_hz": 40.0},
    ],
)
def test_the_second_page_has_the_figures(ctx: moderngl.Context, change: dict[str, object]) -> None:
    canvas = Canvas(ctx, (1280, 720))
    assert not np.array_equal(canvas.draw(state(1.0, page=2)), canvas.draw(state(2.0, page=2, **change)))


FULL = {
    "preset": "Laser Chapel of Light",
    "incoming": "Mirror Hall, Slowly Turning",
    "next": "Words on the Wall in 12 beats",
    "held": "crimson, wet stone, offspring 12",
    "by_hand": ("main.feedback_zoom.zoom", "master.palette_map.shift"),
    "mode": "deck A live, B: Mirror Hall, changes on the phrase, autopilot every 16 bars, tempo x0.5",
    "sound_note": "Scarlett 2i2 USB: Audio (hw:1,0), ALSA, 48000 Hz, 2 channels, block 256",
    "midi_note": "nanoKONTROL2 MIDI 1, Launchpad Mini MK3 MIDI 2",
    "provider": "TensorrtExecutionProvider, by way of the processor's memory",
    "governor_note": "effects at 75 %, images at 12 Hz, pictures at 70 %",
    "recording": "3722 s, 12 dropped",
    "delays": (("delay", "48 ms from sound to light"), ("", "hop 5.3 + analysis 8.1 + drawing 11.2 + screen 16.7")),
    "routes": tuple(
        (source, target, 0.5)
        for source in ("audio.brightness", "follower.wildness")
        for target in ("main.latent.roughness", "overlay.kaleidoscope.segments", "main.zoom", "master.grade.exposure")
    ),
    "dark": True,
    "frozen": True,
    "sound_age_ms": 21.0,
}


@pytest.mark.parametrize("size", [(640, 360), (1280, 720), (1920, 1080)])
@pytest.mark.parametrize("page", [1, 2])
def test_nothing_is_cut(ctx: moderngl.Context, size: tuple[int, int], page: int, monkeypatch: Any) -> None:
    written: list[str] = []
    plain = Hud._text
    monkeypatch.setattr(Hud, "_text", lambda self, text, *more: written.append(text) or plain(self, text, *more))
    canvas = Canvas(ctx, size)
    canvas.draw(state(1.0, **{**FULL, "page": page}))
    told = "".join(written).replace(" ", "")
    on_page = {
        1: ("preset", "incoming", "next", "held", "mode", "sound_note", "midi_note", "recording"),
        2: ("preset", "provider", "governor_note", "sound_note", "midi_note", "recording"),
    }
    for name in on_page[page]:
        assert str(FULL[name]).replace(" ", "") in told, name
    if page == 2:
        assert told.count("roughness") == 2 and "…" not in told
    rows = canvas.hud._data[: canvas.hud._count]
    for left, top, wide, high in rows[rows[:, 2] > 0, 0:4]:
        assert left >= 0 and top >= 0 and left + wide <= size[0] and top + high <= size[1]


@pytest.mark.parametrize("size", SIZES)
def test_nothing_shines_through_the_help(ctx: moderngl.Context, size: tuple[int, int]) -> None:
    notice = Notification(0.5, "recording to a file")
    dark, light = Canvas(ctx, size, 0.0), Canvas(ctx, size, 1.0)
    first = dark.draw(state(1.0, help=True, page=0, messages=(notice,)))
    second = light.draw(state(1.0, help=True, page=2, messages=(notice,)))
    same = (first == second).all(-1)
    inside = light.hud._data[0, 0:4].astype(int) + [12, 12, -24, -24]  # without the round corners
    left, top, wide, high = inside
    assert wide > size[0] * 0.4 and same[top : top + high, left : left + wide].all()
    texts = dark.hud._data[: dark.hud._count]
    assert (texts[:, 0] + texts[:, 2]).max() <= size[0] and (texts[:, 1] + texts[:, 3]).max() <= size[1]


def test_a_notice_may_be_shorter_than_others(ctx: moderngl.Context) -> None:
    canvas = Canvas(ctx, (640, 360))
    short = (Notification(1.0, "?  keys", timeout_s=3.0),)
    assert changed(canvas.draw(state(3.8, page=0, messages=short))).any()
    assert not changed(canvas.draw(state(4.05, page=0, messages=short))).any()


def test_notices_show_without_the_panel_for_four_seconds_and_fade(ctx: moderngl.Context) -> None:
    canvas = Canvas(ctx, (640, 360))
    notice = (Notification(10.0, "shaders/feedback.fs:42: 'zooom' undeclared", "error"),)

    def strength(t: float) -> int:
        return int(np.abs(canvas.draw(state(t, page=0, messages=notice)) - 128).sum())

    full = strength(10.1)
    rows = np.nonzero(changed(canvas.draw(state(10.2, page=0, messages=notice))))[0]
    assert rows.min() > 180
    assert strength(10.0 + TIMEOUT_S - 0.25) < 0.9 * full
    assert strength(10.0 + TIMEOUT_S + 0.05) == 0


def test_long_notices_wrap_between_words(ctx: moderngl.Context) -> None:
    hud = Canvas(ctx, (640, 360)).hud
    text = "the quick brown fox jumps over the lazy dog " * 2
    lines = hud._wrap(text.strip(), 300)
    assert len(lines) > 1
    assert " ".join(lines) == text.strip()
    assert all(hud._atlas.width(line) <= 300 for line in lines)
    assert hud._wrap("w" * 500, 300)[-1].endswith("…")
    assert "".join(hud._wrap("shaders/" + "w" * 30, 200)) == "shaders/" + "w" * 30
    assert len(hud._wrap("word " * 500, 300)) == 3


def test_bad_values_and_foreign_letters_do_no_harm(ctx: moderngl.Context) -> None:
    canvas = Canvas(ctx, (640, 360))
    picture = canvas.draw(
        state(
            bands=np.full(64, np.nan, np.float32),
            level=9.0,
            progress=-3.0,
            incoming="Ünïcödé 音楽 🎹\n" + "x" * 400,
            sound_note="y" * 3000,
            messages=tuple(Notification(1.0, f"{'long ' * 300}{n}") for n in range(9)),
            routes=tuple((f"audio.{n}", "main.node.param" * 9, 2.0) for n in range(40)),
        )
    )
    assert changed(picture).any()
    assert canvas.hud._count < MOST_QUADS
    columns = np.nonzero(changed(picture)[:, :])[1]
    assert columns.max() < 640


def test_the_size_may_change_between_frames(ctx: moderngl.Context) -> None:
    hud, readback = Hud(ctx), Readback(ctx)
    for size in ((1280, 720), (64, 48), (640, 360)):
        target = ctx.framebuffer([ctx.texture(size, 4)])
        target.clear(0.5, 0.5, 0.5, 1.0)
        hud.draw(state(), target, size)
        assert changed(readback.read(target, size).astype(int)).any()


def test_what_a_frame_costs(ctx: moderngl.Context) -> None:
    canvas = Canvas(ctx, (1280, 720))
    rng = np.random.default_rng(1)
    costs = []
    for frame in range(240):
        now = state(frame / 60, beat=frame / 30, bands=rng.random(64).astype(np.float32), missed=frame)
        begun = time.perf_counter()
        canvas.hud.draw(now, canvas.target, canvas.size)
        costs.append(time.perf_counter() - begun)
        ctx.finish()
    half, most = np.percentile(np.array(costs) * 1e3, (50, 99))
    print(f"\nHUD: p50 {half:.2f} ms, p99 {most:.2f} ms of CPU a frame, {canvas.hud._count} quads")
    assert canvas.hud._count > 100


@pytest.mark.parametrize("direct", [True, False])
def test_pixels_come_back_as_drawn_top_row_first(ctx: moderngl.Context, direct: bool) -> None:
    readback = Readback(ctx)
    readback._direct = direct
    for size in ((64, 48), (101, 33)):  # a row of 303 bytes: no padding may creep in
        wanted = np.random.default_rng(size[0]).integers(0, 256, (size[1], size[0], 4), dtype=np.uint8)
        target = ctx.framebuffer([ctx.texture(size, 4, wanted[::-1].tobytes())])
        assert np.array_equal(readback.read(target, size), wanted[..., :3])
        assert [readback.start(target, size, t) for t in range(DEPTH + 1)] == [True] * DEPTH + [False]
        target.clear(0.0, 0.0, 0.0, 1.0)
        for t in range(DEPTH):
            pixels, stamp = readback.take(wait=True)  # type: ignore[misc]
            assert stamp == t
            assert np.array_equal(pixels, wanted[..., :3])
        assert readback.take() is None
        assert ctx.error == "GL_NO_ERROR"


def test_long_lines_of_the_panel_go_on_in_the_next_one(ctx: moderngl.Context) -> None:
    size = (640, 360)

    def lowest(**more: object) -> int:
        return int(np.nonzero(changed(Canvas(ctx, size).draw(state(page=2, routes=(), **more))))[0].max())

    short, long = "33% resolution", "33% resolution, images at most 8/s, 3 effects left out"
    assert lowest(governor_note=long) > lowest(governor_note=short)
    assert lowest(sound_note="demo groove, 48000 Hz, silent: no sound output") > lowest(sound_note="demo groove")
