"""The flash limiter: no part of the picture flashes more than three times a second, and what does not is untouched."""

from __future__ import annotations

from collections.abc import Callable

import moderngl
import numpy as np
import pytest
from parts.live import headless, pixels, play_until

from performer.gl.render.compose import Compose
from performer.gl.render.flash_limiter import TILES, FlashLimiter
from performer.rig.live.rig import Rig
from performer.rig.offline import Performance
from performer.rig.options import RenderOptions
from performer.types.frame import ControlEvent

FPS = 60
SIZE = (96, 64)
STEP = 0.1  # WCAG 2.2: a tenth or more is a flash


@pytest.fixture(scope="module")
def ctx():
    try:
        made = moderngl.create_context(standalone=True, backend="egl", require=330)
    except Exception as error:
        pytest.skip(f"no EGL here: {error}")
    with made:
        yield made
    made.release()


def shown(
    ctx: moderngl.Context, picture: Callable[[float], np.ndarray], seconds: float
) -> tuple[np.ndarray, np.ndarray]:
    """Pictures (frames, H, W, 3) as they were and as they are shown, 0..1."""
    limiter, texture = FlashLimiter(ctx), ctx.texture(SIZE, 4)
    target = ctx.framebuffer([ctx.texture(SIZE, 4)])
    given, made = [], []
    for frame in range(round(seconds * FPS)):
        image = np.ones((SIZE[1], SIZE[0], 4))
        image[..., :3] = picture(frame / FPS)
        data = np.round(image * 255).astype(np.uint8)
        texture.write(data.tobytes())
        target.color_attachments[0].write(data.tobytes())
        limiter.look(texture, 1 / FPS, 1.0)
        limiter.dim(target)
        made.append(np.frombuffer(target.read(components=3), np.uint8).reshape(SIZE[1], SIZE[0], 3) / 255.0)
        given.append(data[..., :3] / 255.0)
    limiter.release()
    return np.array(given), np.array(made)


def flashes(light: np.ndarray) -> list[int]:
    """Frames at which relative luminance has risen by STEP and more since it last fell as much."""
    found, low, high, up = [], light[0], light[0], True
    for at, value in enumerate(light):
        if up:
            high = max(high, value)
            if value <= high - STEP:
                up, low = False, value
        else:
            low = min(low, value)
            if value >= low + STEP:
                up, high = True, value
                found.append(at)
    return found


def light(pictures: np.ndarray) -> np.ndarray:
    """Mean relative luminance of each picture (sRGB, as WCAG 2.2 has it)."""
    linear = np.where(pictures <= 0.04045, pictures / 12.92, ((pictures + 0.055) / 1.055) ** 2.4)
    return (linear @ np.array([0.2126, 0.7152, 0.0722])).mean(axis=(1, 2))


def most_in_a_second(frames: list[int]) -> int:
    return max((sum(one <= other < one + FPS for other in frames) for one in frames), default=0)


@pytest.mark.parametrize("hz", [4.0, 8.0, 15.0])
@pytest.mark.parametrize("colour", [(1.0, 1.0, 1.0), (0.2, 0.9, 0.1)])
def test_a_strobe_flashes_three_times_a_second_at_most(ctx, hz, colour) -> None:
    given, made = shown(ctx, lambda t: np.array(colour) * (t * hz % 1.0 < 0.5), 6.0)
    assert most_in_a_second(flashes(light(given))) >= hz - 1
    assert most_in_a_second(flashes(light(made))) <= 3
    assert (made <= given + 1 / 255).all(), "it only ever darkens"
    assert light(made).max() == pytest.approx(light(given).max(), abs=0.01), "some flashes are let through whole"


def red_flashes(pictures: np.ndarray) -> list[int]:
    """Frames at which (R - G - B) x 320 has risen by more than 20 since it last fell as much, to or from saturated red
    (WCAG 2.0 to 2.2), in the mean of each picture."""
    linear = np.where(pictures <= 0.04045, pictures / 12.92, ((pictures + 0.055) / 1.055) ** 2.4)
    red = 320.0 * np.maximum(linear[..., 0] - linear[..., 1] - linear[..., 2], 0.0).mean(axis=(1, 2))
    saturated = (linear[..., 0] >= 0.8 * np.maximum(linear.sum(axis=-1), 1e-6)).any(axis=(1, 2))
    found, turn, up = [], 0, True
    for at, value in enumerate(red):
        if value >= red[turn] if up else value <= red[turn]:
            turn = at
        elif abs(value - red[turn]) > 20.0:
            if not up and (saturated[at] or saturated[turn]):
                found.append(at)
            up, turn = not up, at
    return found


def rgb(red: float, green: float, blue: float) -> np.ndarray:
    """sRGB of linear light."""
    linear = np.array([red, green, blue])
    return np.where(linear <= 0.0031308, linear * 12.92, 1.055 * linear ** (1 / 2.4) - 0.055)


@pytest.mark.parametrize("hz", [4.0, 8.0, 15.0])
@pytest.mark.parametrize(
    ("one", "other"),
    [
        ((0.3, 0.0, 0.0), (0.0, 0.0, 0.0)),  # too dark to be a flash of luminance
        ((0.8, 0.02, 0.05), (0.1, 0.15, 0.9)),  # of nearly the same luminance
        ((1.0, 0.0, 0.0), (0.6, 0.0, 0.0)),
        ((0.9, 0.1, 0.1), (0.25, 0.25, 0.25)),
        ((1.0, 0.0, 0.0), (1.0, 1.0, 1.0)),
    ],
)
def test_saturated_red_flashes_three_times_a_second_at_most_however_dark(ctx, hz, one, other) -> None:
    given, made = shown(ctx, lambda t: rgb(*one) if t * hz % 1.0 < 0.5 else rgb(*other), 6.0)
    assert most_in_a_second(red_flashes(given)) >= hz - 1
    assert most_in_a_second(red_flashes(made)) <= 3
    assert most_in_a_second(flashes(light(made))) <= 3, "nor does what is held down make others"
    assert (made <= given + 1 / 255).all() and np.array_equal(given[: FPS // 8], made[: FPS // 8])


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ((0.0, 0.0, 0.5), (0.0, 0.0, 0.0)),  # blue, as dark
        ((0.2, 0.05, 0.06), (0.02, 0.01, 0.01)),  # a red that is not saturated
        ((0.5, 0.0, 0.0), (0.455, 0.0, 0.0)),  # a flicker of less than 20
    ],
)
def test_what_is_no_red_flash_is_left_as_it_is_to_the_bit(ctx, one, other) -> None:
    given, made = shown(ctx, lambda t: rgb(*one) if t * 10 % 1.0 < 0.5 else rgb(*other), 4.0)
    assert np.array_equal(given, made) and red_flashes(given) == []


def test_a_red_pulse_is_left_as_it_is_and_white_beside_red_makes_no_red_flashes(ctx) -> None:
    given, made = shown(ctx, lambda t: rgb(0.4 + 0.4 * np.sin(2 * np.pi * 1.5 * t), 0.0, 0.0), 4.0)
    assert np.array_equal(given, made) and len(red_flashes(given)) >= 5
    left = np.arange(SIZE[0]) % (SIZE[0] // TILES[0]) < SIZE[0] // TILES[0] // 2  # of each tile
    given, made = shown(ctx, lambda t: np.where(left[:, None], rgb(0.5, 0.0, 0.0), float(t * 10 % 1.0 < 0.5)), 6.0)
    assert red_flashes(given) == [] and most_in_a_second(red_flashes(made)) <= 3
    assert most_in_a_second(flashes(light(made))) <= 3


@pytest.mark.parametrize(
    "picture",
    [
        lambda t: 0.5 + 0.5 * np.sin(2 * np.pi * 1.5 * t),  # a pulse
        lambda t: min(1.0, t / 3.0),  # a fade
        lambda t: float(t > 1.0),  # a cut
        lambda t: 0.6 + 0.04 * (t * 15 % 1.0 < 0.5),  # a flicker too faint to be a flash
        lambda t: np.exp(-8 * (t % 0.5)),  # kicks at 120 a minute
    ],
)
def test_what_does_not_flash_is_left_as_it_is_to_the_bit(ctx, picture) -> None:
    given, made = shown(ctx, lambda t: np.full(3, picture(t)), 5.0)
    assert np.array_equal(given, made)


@pytest.mark.parametrize("around", [0.0, 0.7, 1.0])
@pytest.mark.parametrize("part", [(slice(None), slice(0, 2)), (slice(1, 2), slice(2, 3)), (slice(1, 3), slice(1, 5))])
def test_only_the_part_that_flashes_is_darkened_and_all_of_it(ctx, part, around) -> None:
    flashing = np.zeros((TILES[1], TILES[0]), bool)
    flashing[part] = True
    high, wide = SIZE[1] // TILES[1], SIZE[0] // TILES[0]
    where = np.kron(flashing, np.ones((high, wide), bool))[..., None]
    given, made = shown(ctx, lambda t: np.where(where, float(t * 10 % 1.0 < 0.5), around), 4.0)
    for y, x in np.argwhere(flashing):
        tile = made[:, y * high : (y + 1) * high, x * wide : (x + 1) * wide]
        assert most_in_a_second(flashes(light(tile))) <= 3, (y, x)
    assert np.array_equal(np.where(where, 0.0, made), np.where(where, 0.0, given))


def test_brighter_than_white_is_judged_as_it_is_shown(ctx) -> None:
    limiter, compose = FlashLimiter(ctx), Compose(ctx)
    picture, target = ctx.texture(SIZE, 4, dtype="f2"), ctx.framebuffer([ctx.texture(SIZE, 4)])
    pictures: dict[bool, list[np.ndarray]] = {False: [], True: []}
    for frame in range(4 * FPS):
        red = 8.0 if frame % 6 < 3 else 1.0  # which bleaches to white, and is red again
        picture.write(np.tile(np.array([red, 0.0, 0.0, 1.0], np.float16), SIZE[0] * SIZE[1]).tobytes())
        for limited, made in pictures.items():
            if limited:
                limiter.look(picture, 1 / FPS, 1.0)
            compose.present(picture, target, 1.0, frame)
            if limited:
                limiter.dim(target)
            made.append(np.frombuffer(target.read(components=3), np.uint8).reshape(SIZE[1], SIZE[0], 3) / 255.0)
    limiter.release()
    compose.release()
    assert most_in_a_second(flashes(light(np.array(pictures[False])))) >= 9
    assert most_in_a_second(flashes(light(np.array(pictures[True])))) <= 3


STROBE = """/*{"ISFVSN": "2", "INPUTS": []}*/
void main() { gl_FragColor = vec4(vec3(mod(float(FRAMEINDEX), 4.0) < 2.0 ? 1.0 : 0.0), 1.0); }
"""


@pytest.mark.parametrize("limited", [False, True])
def test_a_show_is_limited_when_asked_for(user_folder, limited) -> None:
    (user_folder / "shaders" / "flat.fs").write_text(STROBE)
    options = RenderOptions(
        song="demo", out="unused.mp4", preset="flat", size=SIZE, fps=FPS, seconds=4.0, limit_flashes=limited
    )
    with Performance(options) as it:
        made = np.array([it.step()[1].copy() for _ in range(it.frames)]) / 255.0
    found = most_in_a_second(flashes(light(made)))
    assert found <= 3 if limited else found >= 12


def test_live_too_and_a_frozen_picture_comes_back_out_of_the_dark(user_folder) -> None:
    (user_folder / "shaders" / "flat.fs").write_text(STROBE.replace("< 2.0", "< 9.0"))
    with Rig(headless(preset="flat", limit_flashes=True)) as rig:
        for address, dark in (("show.freeze", False), ("show.blackout", True), ("show.blackout", False)):
            rig.hands.events.put(ControlEvent(rig.now(), address))
            rig.loop.wiring.notices.clear()
            assert play_until(rig, lambda dark=dark: (pixels(rig).mean() < 2) if dark else (pixels(rig).mean() > 253))
