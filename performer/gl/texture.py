"""Pictures and sound from the CPU into textures."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import moderngl
import numpy as np

from performer.frame import Image, Sound
from performer.gl.flush import after_pass
from performer.gl.targets import Target
from performer.isf import AudioInput
from performer.isf.glsl import VERTEX_SOURCE

log = logging.getLogger(__name__)

SLOW = 1.6  # images that come less often than every so many frames are crossfaded
LONGEST_FADE_S = 1.0
SMALL = 3  # a frame this many times as wide as the image shows the creases of linear filtering

_CONVERT = """\
#version 330 core
in vec2 isf_FragNormCoord;
out vec4 pixel;
uniform sampler2DArray planes;
uniform sampler2D before;
uniform ivec2 corner;
uniform float progress;
void main() {
  // The generator's first row is the top one; GL's is the bottom.
  ivec2 at = ivec2(corner.x + int(gl_FragCoord.x), corner.y - int(gl_FragCoord.y));
  ivec2 size = textureSize(planes, 0).xy;
  if (at.x < 0 || at.y < 0 || at.x >= size.x || at.y >= size.y) {  // beside a picture that is shown whole
    pixel = vec4(0.0);
    return;
  }
  vec3 now = vec3(texelFetch(planes, ivec3(at, 0), 0).r, texelFetch(planes, ivec3(at, 1), 0).r,
                  texelFetch(planes, ivec3(at, 2), 0).r);
  vec3 old = progress < 1.0 ? texture(before, isf_FragNormCoord).rgb : now;
  pixel = vec4(mix(old, now, progress), 1.0);
}
"""
# Pictures that come packed: any size, alpha kept; their first row is the top one too.
_UNPACK = """\
#version 330 core
in vec2 isf_FragNormCoord;
out vec4 pixel;
uniform sampler2D packed_picture;
uniform vec2 part;
void main() {
  vec2 at = (isf_FragNormCoord - 0.5) * part + 0.5;
  vec2 beside = step(0.5, abs(at - 0.5));
  pixel = texture(packed_picture, vec2(at.x, 1.0 - at.y)) * (1.0 - max(beside.x, beside.y));
}
"""
# Catmull-Rom in five bilinear taps, after J. Jimenez, "Filmic SMAA" (SIGGRAPH 2016); its corners weigh next to nothing.
_REFINE = """\
#version 330 core
in vec2 isf_FragNormCoord;
out vec4 pixel;
uniform sampler2D image;
void main() {
  vec2 size = vec2(textureSize(image, 0));
  vec2 at = isf_FragNormCoord * size;
  vec2 middle = floor(at - 0.5) + 0.5;
  vec2 f = at - middle;
  vec2 w0 = f * (-0.5 + f * (1.0 - 0.5 * f));
  vec2 w2 = f * (0.5 + f * (2.0 - 1.5 * f));
  vec2 w3 = f * f * (-0.5 + 0.5 * f);
  vec2 w12 = 1.0 - w0 - w3;
  vec2 p12 = (middle + w2 / w12) / size, p0 = (middle - 1.0) / size, p3 = (middle + 2.0) / size;
  vec4 sum = vec4(texture(image, p12).rgb, 1.0) * (w12.x * w12.y)
    + vec4(texture(image, vec2(p12.x, p0.y)).rgb, 1.0) * (w12.x * w0.y)
    + vec4(texture(image, vec2(p0.x, p12.y)).rgb, 1.0) * (w0.x * w12.y)
    + vec4(texture(image, vec2(p3.x, p12.y)).rgb, 1.0) * (w3.x * w12.y)
    + vec4(texture(image, vec2(p12.x, p3.y)).rgb, 1.0) * (w12.x * w3.y);
  pixel = vec4(sum.rgb / sum.a, texture(image, isf_FragNormCoord).a);
}
"""


class Converter:
    """The passes from planes of floats to RGBA; one serves all image textures of a context.

    dtype  of those textures, as `Target` says it
    """

    def __init__(self, ctx: moderngl.Context, dtype: str = "f1") -> None:
        self.dtype = dtype
        self._after = after_pass(ctx)
        self.program = ctx.program(vertex_shader=VERTEX_SOURCE, fragment_shader=_CONVERT)
        self.program["planes"].value, self.program["before"].value = 0, 1  # type: ignore[union-attr]
        self._corner: Any = self.program["corner"]
        self._progress: Any = self.program["progress"]
        self._vao = ctx.vertex_array(self.program, [])
        self._cubic = ctx.program(vertex_shader=VERTEX_SOURCE, fragment_shader=_REFINE)
        self._refine = ctx.vertex_array(self._cubic, [])
        self._packed = ctx.program(vertex_shader=VERTEX_SOURCE, fragment_shader=_UNPACK)
        self._unpack = ctx.vertex_array(self._packed, [])

    def refine(self, image: moderngl.Texture, into: Target) -> None:
        """Enlarge without the creases of linear filtering."""
        into.fbo.use()
        image.use(0)
        self._refine.render(moderngl.TRIANGLES, 3)
        self._after()

    def unpack(self, picture: moderngl.Texture, into: Target, whole: bool) -> None:
        """The middle part of a packed picture that has the target's aspect; where that is larger, clear beside it."""
        into.fbo.use()
        picture.use(0)
        aspect, wanted = picture.width / picture.height, into.size[0] / into.size[1]
        least = max if whole else min
        part = (least(1.0, wanted / aspect), least(1.0, aspect / wanted))
        self._packed["part"].value = part  # type: ignore[union-attr]
        self._unpack.render(moderngl.TRIANGLES, 3)
        self._after()

    def draw(self, planes: moderngl.TextureArray, before: moderngl.Texture | None, progress: float,
             into: Target) -> None:
        """Crossfade from `before` (as it is) to the planes (their middle part, as large as `into`)."""
        into.fbo.use()
        planes.use(0)
        if before is not None:
            before.use(1)
        left, top = (planes.width - into.size[0]) // 2, (planes.height - into.size[1]) // 2
        self._corner.value = (left, planes.height - 1 - top)
        self._progress.value = progress if before is not None else 1.0
        self._vao.render(moderngl.TRIANGLES, 3)
        self._after()

    def release(self) -> None:
        for part in (self._vao, self._refine, self._unpack, self.program, self._cubic, self._packed):
            part.release()


class ImageTexture:
    """A generator's images as one texture that shaders can sample, in the frame's aspect: their middle part.

    whole  show all of them instead, clear on both sides


    An image goes up as it is, three planes of floats, and a small pass turns it into RGBA. When images come more
    slowly than frames, each is reached by a crossfade from what was shown when it came, as long as the time between
    the two images, so the picture never stops. Images far smaller than the frame are doubled smoothly.
    `texture` is None before the first image.
    """

    def __init__(self, ctx: moderngl.Context, converter: Converter | None = None, whole: bool = False) -> None:
        self.ctx, self._whole = ctx, whole
        self._converter = converter or Converter(ctx)
        self._planes: moderngl.TextureArray | None = None
        self._packed: moderngl.Texture | None = None
        self._shown: Target | None = None
        self._before: Target | None = None
        self._fine: Target | None = None
        self._image: Image | None = None
        self._came = 0.0  # frame time at which the newest image was first drawn
        self._fade_s = 0.0
        self._stale = True
        self._warned = False

    @property
    def texture(self) -> moderngl.Texture | None:
        shown = self._fine or self._shown
        return shown.texture if shown is not None else None

    def upload(self, pixels: np.ndarray) -> None:
        """Copy (3, H, W) float32 to the card, as it is."""
        _, height, width = pixels.shape
        if self._planes is None or (self._planes.width, self._planes.height) != (width, height):
            if self._planes is not None:
                self._planes.release()
            self._planes = self.ctx.texture_array((width, height, 3), 1, dtype="f4")
            self._planes.filter = (moderngl.NEAREST, moderngl.NEAREST)
        self._planes.write(pixels if pixels.flags.c_contiguous else np.ascontiguousarray(pixels))

    def draw(self, image: Image | None, t: float, dt: float, size: tuple[int, int]) -> moderngl.Texture | None:
        """The texture to show at frame time t (seconds), or None before the first image.

        image  the newest image there is
        dt     seconds between frames
        size   of the frame; only its aspect counts
        """
        if image is not None and image is not self._image and self._usable(image):
            if image.pixels.dtype == np.uint8:
                self._take_packed(image)
            else:
                self._take(image, t, dt)
        if self._packed is not None:
            return self._draw_packed(size)
        if self._planes is None:
            return None
        self._shape(size)
        progress = 1.0 if self._fade_s <= 0.0 else min(max((t - self._came + dt) / self._fade_s, 0.0), 1.0)
        if self._stale or progress < 1.0:
            assert self._shown is not None
            before = self._before.texture if self._before is not None and progress < 1.0 else None
            self._converter.draw(self._planes, before, progress, self._shown)
            if self._fine is not None:
                self._converter.refine(self._shown.texture, self._fine)
            self._stale = progress < 1.0
        return self.texture

    def _usable(self, image: Image) -> bool:
        pixels = image.pixels
        planar = pixels.ndim == 3 and pixels.shape[0] == 3 and pixels.dtype == np.float32
        if pixels.size and (planar or (pixels.ndim == 3 and pixels.shape[2] == 4 and pixels.dtype == np.uint8)):
            return True
        if not self._warned:
            log.error("an image of shape %s, %s: expected (3, H, W) float32; the last one stays", pixels.shape,
                      pixels.dtype)
            self._warned = True
        return False

    def _take_packed(self, image: Image) -> None:
        height, width, _ = image.pixels.shape
        if self._packed is None or self._packed.size != (width, height):
            if self._packed is not None:
                self._packed.release()
            self._packed = self.ctx.texture((width, height), 4)
            self._packed.filter = (moderngl.LINEAR, moderngl.LINEAR)
            self._packed.repeat_x = self._packed.repeat_y = False
        self._packed.write(np.ascontiguousarray(image.pixels))
        self._image, self._stale = image, True

    def _draw_packed(self, size: tuple[int, int]) -> moderngl.Texture:
        assert self._packed is not None
        wanted = _covering(self._packed.size, size, self._whole)
        if self._shown is None or self._shown.size != wanted:
            if self._shown is not None:
                self._shown.release()
            self._shown, self._stale = Target(self.ctx, wanted, "f1"), True
        if self._stale:
            self._converter.unpack(self._packed, self._shown, self._whole)
            self._stale = False
        return self._shown.texture

    def _take(self, image: Image, t: float, dt: float) -> None:
        interval = image.t - self._image.t if self._image is not None else 0.0
        self.upload(image.pixels)
        self._before, self._shown = self._shown, self._before
        slow = self._before is not None and interval > SLOW * dt
        self._fade_s = min(interval, LONGEST_FADE_S) if slow else 0.0
        self._image, self._came, self._stale = image, t, True

    def _shape(self, size: tuple[int, int]) -> None:
        assert self._planes is not None
        wanted = _covering((self._planes.width, self._planes.height), size, self._whole)
        if self._shown is None or self._shown.size != wanted:
            if self._shown is not None:
                self._shown.release()
            self._shown, self._stale = Target(self.ctx, wanted, self._converter.dtype), True
        double = (2 * wanted[0], 2 * wanted[1]) if size[0] >= SMALL * wanted[0] else None
        if (self._fine.size if self._fine is not None else None) != double:
            if self._fine is not None:
                self._fine.release()
            dtype = self._converter.dtype
            self._fine, self._stale = Target(self.ctx, double, dtype) if double is not None else None, True

    def release(self) -> None:
        for part in (self._planes, self._packed, self._shown, self._before, self._fine):
            if part is not None:
                part.release()
        self._planes = self._packed = self._shown = self._before = self._fine = self._image = None


def _covering(image: tuple[int, int], frame: tuple[int, int], whole: bool) -> tuple[int, int]:
    """The largest part of an image, in pixels, that has the frame's aspect; or the smallest that holds the whole."""
    scale = (max if whole else min)(image[0] / frame[0], image[1] / frame[1])
    return max(1, round(frame[0] * scale)), max(1, round(frame[1] * scale))


class SoundTexture:
    """Waveform or spectrum as a texture of one row; red, green and blue are alike. Both: two rows, in red.

    The waveform is 0..1 with silence at 0.5, the spectrum 0..1 from 0 Hz up to half the sample rate.
    """

    def __init__(self, ctx: moderngl.Context, sound: AudioInput) -> None:
        self._spectrum, self._both, width = sound.spectrum, sound.both, sound.width
        self._rows = np.zeros((2 if sound.both else 1, width), np.float32)
        self.texture = ctx.texture((width, len(self._rows)), 1, dtype="f4")
        self.texture.filter = (moderngl.LINEAR, moderngl.LINEAR)
        self.texture.repeat_x = self.texture.repeat_y = False
        self.texture.swizzle = "R001" if sound.both else "RRR1"
        self._frame = -1

    def show(self, sound: Sound, frame: int) -> None:
        """Upload the sound of frame number `frame`, once."""
        if frame == self._frame:
            return
        self._frame = frame
        if self._spectrum:
            _gather(sound.spectrum[:len(sound.spectrum) // 2] if self._both else sound.spectrum, self._rows[0])
        if self._both or not self._spectrum:
            row = self._rows[-1]
            _gather(np.abs(sound.waveform) if len(row) == 1 else sound.waveform, row)
            row *= 0.5
            row += 0.5
        self.texture.write(self._rows)

    def release(self) -> None:
        self.texture.release()


def _gather(values: np.ndarray, out: np.ndarray) -> None:
    """Fewer columns than values: each shows the greatest of those it stands for; more: values repeat."""
    if len(out) == len(values):
        out[:] = values
        return
    if len(out) > len(values):
        np.take(values, (np.arange(len(out)) * len(values)) // len(out), out=out)
        return
    starts = (np.arange(len(out)) * len(values)) // len(out)
    np.maximum.reduceat(values, starts, out=out)


def picture(ctx: moderngl.Context, path: Path) -> moderngl.Texture:
    """A picture file as a texture, right way up; a plain grey one, and a log line, where it cannot be read."""
    from PIL import Image as Picture

    try:
        with Picture.open(path) as opened:
            opened.thumbnail((4096, 4096))
            flipped = opened.convert("RGBA").transpose(Picture.Transpose.FLIP_TOP_BOTTOM)
        size, data = flipped.size, flipped.tobytes()
    except (OSError, ValueError, SyntaxError, Picture.DecompressionBombError) as error:
        log.warning("%s: cannot be read as a picture (%s); a plain one takes its place", path, error)
        size, data = (2, 2), bytes([128, 128, 128, 255] * 4)
    texture = ctx.texture(size, 4, data)
    texture.filter = (moderngl.LINEAR, moderngl.LINEAR)
    texture.repeat_x = texture.repeat_y = False
    return texture
