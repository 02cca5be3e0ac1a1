"""Pictures and sound into textures, wherever they were made."""

from __future__ import annotations

import logging
from pathlib import Path

import moderngl
import numpy as np

from performer.content.shaders import AudioInput
from performer.gl.render.gpu_transfer import COMPONENTS, Plain, Transport
from performer.gl.render.image_to_rgba import Converter
from performer.gl.render.target_pool import Alpha, Target
from performer.types.features import Sound
from performer.types.image import GpuImage, Image

log = logging.getLogger(__name__)

SLOW = 1.6  # images that come less often than every so many frames are crossfaded
LONGEST_FADE_S = 1.0
SMALL = 3  # a frame this many times as wide as the image shows the creases of linear filtering


class ImageTexture:
    """A generator's images as one texture that shaders can sample, in the frame's aspect: their middle part.

    An image goes up as it is, three planes of floats, and a small pass turns it into RGBA. When images come more
    slowly than frames, each is reached by a crossfade from what was shown when it came, as long as the time between
    the two images, so the picture never stops. Images far smaller than the frame are doubled smoothly.
    `texture` is None before the first image.

    Parameters
    ----------
    whole : bool, optional
        Show all of them instead, clear on both sides.
    """

    def __init__(self, ctx: moderngl.Context, converter: Converter | None = None, whole: bool = False) -> None:
        self.ctx = ctx
        self._whole = whole
        self._converter = converter or Converter(ctx)
        self._planes: moderngl.TextureArray | None = None
        self._transport: Transport | None = None  # for images that are on a card
        self._packed: moderngl.Texture | None = None
        self._opaque = True  # what is packed has alpha 255 everywhere
        self._weighed: Target | None = (
            None  # what is packed, its colours multiplied by its alpha; None where it is opaque
        )
        self._shown: Target | None = None
        self._before: Target | None = None
        self._fine: Target | None = None
        self._image: Image | None = None
        self._came = 0.0  # frame time at which the newest image was first drawn
        self._fade_s = 0.0
        self._stale = True
        self._warned = False

    @property
    def picture(self) -> Target | None:
        """What `texture` belongs to; it stays here, whoever gives it to a pool."""
        return self._fine or self._shown

    @property
    def texture(self) -> moderngl.Texture | None:
        return self.picture.texture if self.picture is not None else None

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

        Parameters
        ----------
        image : Image | None
            The newest image there is.
        dt : float
            Seconds between frames.
        size : tuple[int, int]
            Size of the frame; only its aspect counts.
        """
        if image is not None and image is not self._image and self._usable(image):
            if isinstance(image.pixels, GpuImage):
                self._carry(image, t, dt)
            elif image.pixels.dtype == np.uint8:
                self._take_packed(image)
            else:
                self.upload(image.pixels)
                self._take(image, t, dt)
        if self._packed is not None:
            return self._draw_packed(size)
        planes = self._source()
        if planes is None:  # nothing yet, or the next one is on its way
            return self.texture
        self._shape(size)
        progress = 1.0 if self._fade_s <= 0.0 else min(max((t - self._came + dt) / self._fade_s, 0.0), 1.0)
        if self._stale or progress < 1.0:
            assert self._shown is not None
            before = self._before.texture if self._before is not None and progress < 1.0 else None
            given = self._image.pixels if planes is not self._planes and self._image is not None else None
            self._converter.draw(planes, before, progress, self._shown, given if isinstance(given, GpuImage) else None)
            beside = self._whole and (planes.width, planes.height) != self._shown.size
            self._shown.alpha = Alpha.PREMULTIPLIED if beside else Alpha.OPAQUE
            if self._fine is not None:
                self._fine.alpha = self._shown.alpha
                self._converter.refine(self._shown.texture, self._fine)
            self._stale = progress < 1.0
        return self.texture

    def _usable(self, image: Image) -> bool:
        pixels = image.pixels
        if isinstance(pixels, GpuImage):
            return pixels.dtype in COMPONENTS
        planar = pixels.ndim == 3 and pixels.shape[0] == 3 and pixels.dtype == np.float32
        if pixels.size and (planar or (pixels.ndim == 3 and pixels.shape[2] == 4 and pixels.dtype == np.uint8)):
            return True
        self._log_once(f"an image of shape {pixels.shape}, {pixels.dtype}: expected (3, H, W) float32; the last stays")
        return False

    def _carry(self, image: Image, t: float, dt: float) -> None:
        """Bring an image from the card, by the best way that works."""
        assert isinstance(image.pixels, GpuImage)
        ways = self._converter.ways
        while True:
            if self._transport is None or not ways.good(self._transport):
                if self._transport is not None:
                    self._transport.release()
                self._transport = ways.transport(image.pixels.device)
            transport = self._transport
            try:
                taken = transport.bring(image)
            except Exception as error:  # what CUDA raises has no common class; the show goes on
                if not isinstance(transport, Plain):
                    ways.failed(transport, error)
                    continue
                self._log_once(f"a picture cannot be fetched from the card: {error}; the last one stays")
                return
            if taken is not None:
                if isinstance(transport, Plain):
                    self.upload(transport.pixels)
                self._take(taken, t, dt)
            return

    def _source(self) -> moderngl.TextureArray | None:
        """What the newest image lies in."""
        carried = self._image is not None and isinstance(self._image.pixels, GpuImage)
        if carried and self._transport is not None and not isinstance(self._transport, Plain):
            return self._transport.texture
        return self._planes

    def _log_once(self, what: str) -> None:
        if not self._warned:
            log.error("%s", what)
            self._warned = True

    def _take_packed(self, image: Image) -> None:
        assert isinstance(image.pixels, np.ndarray)
        height, width, _ = image.pixels.shape
        if self._packed is None or self._packed.size != (width, height):
            if self._packed is not None:
                self._packed.release()
            self._packed = self.ctx.texture((width, height), 4)
            self._packed.filter = (moderngl.LINEAR, moderngl.LINEAR)
            self._packed.repeat_x = self._packed.repeat_y = False
        pixels = np.ascontiguousarray(image.pixels)
        self._packed.write(pixels)
        self._opaque = int(pixels.view("<u4").min()) >= 0xFF000000
        self._image = image
        self._stale = True

    def _draw_packed(self, size: tuple[int, int]) -> moderngl.Texture:
        assert self._packed is not None
        wanted = _covering(self._packed.size, size, self._whole)
        dtype = "f1" if self._opaque else self._converter.dtype
        if self._shown is None or self._shown.size != wanted or self._shown.dtype != dtype:
            if self._shown is not None:
                self._shown.release()
            self._shown = Target(self.ctx, wanted, dtype, kept=True)
            self._stale = True
        if self._stale:
            self._converter.unpack(self._filterable(dtype), self._shown, self._whole)
            beside = self._whole and wanted != self._packed.size
            self._shown.alpha = Alpha.OPAQUE if self._opaque and not beside else Alpha.PREMULTIPLIED
            self._stale = False
        return self._shown.texture

    def _filterable(self, dtype: str) -> moderngl.Texture:
        """What is packed, so that clear pixels leave no trace in those beside them when it is filtered."""
        assert self._packed is not None
        old = self._weighed
        wanted = None if self._opaque else (self._packed.size, dtype)
        if old is not None and old.key != wanted:
            old.release()
            self._weighed = old = None
        if wanted is None:
            return self._packed
        if old is None:
            old = self._weighed = Target(self.ctx, self._packed.size, dtype, kept=True)
        self._converter.weigh(self._packed, old)
        return old.texture

    def _take(self, image: Image, t: float, dt: float) -> None:
        interval = image.t - self._image.t if self._image is not None else 0.0
        self._before, self._shown = self._shown, self._before
        slow = self._before is not None and interval > SLOW * dt
        self._fade_s = min(interval, LONGEST_FADE_S) if slow else 0.0
        self._image = image
        self._came = t
        self._stale = True

    def _shape(self, size: tuple[int, int]) -> None:
        planes = self._source()
        assert planes is not None
        wanted = _covering((planes.width, planes.height), size, self._whole)
        if self._shown is None or self._shown.size != wanted:
            if self._shown is not None:
                self._shown.release()
            self._shown = Target(self.ctx, wanted, self._converter.dtype, kept=True)
            self._stale = True
        double = (2 * wanted[0], 2 * wanted[1]) if size[0] >= SMALL * wanted[0] else None
        if (self._fine.size if self._fine is not None else None) != double:
            if self._fine is not None:
                self._fine.release()
            dtype = self._converter.dtype
            self._fine = Target(self.ctx, double, dtype, kept=True) if double is not None else None
            self._stale = True

    def release(self) -> None:
        for part in (
            self._transport,
            self._planes,
            self._packed,
            self._weighed,
            self._shown,
            self._before,
            self._fine,
        ):
            if part is not None:
                part.release()
        self._transport = self._planes = self._packed = self._weighed = None
        self._shown = self._before = self._fine = self._image = None


def _covering(image: tuple[int, int], frame: tuple[int, int], whole: bool) -> tuple[int, int]:
    """The largest part of an image, in pixels, that has the frame's aspect; or the smallest that holds the whole."""
    scale = (max if whole else min)(image[0] / frame[0], image[1] / frame[1])
    return max(1, round(frame[0] * scale)), max(1, round(frame[1] * scale))


class SoundTexture:
    """Waveform or spectrum as a texture of one row; red, green and blue are alike. Both: two rows, in red.

    The waveform is 0..1 with silence at 0.5, the spectrum 0..1 from 0 Hz up to half the sample rate.
    """

    def __init__(self, ctx: moderngl.Context, sound: AudioInput) -> None:
        self._spectrum = sound.spectrum
        self._both = sound.both
        width = sound.width
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
            _gather(sound.spectrum[: len(sound.spectrum) // 2] if self._both else sound.spectrum, self._rows[0])
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
        if not path.is_file():  # a pipe would be waited for
            raise OSError("no such file")
        with Picture.open(path) as opened:
            opened.thumbnail((4096, 4096))
            flipped = opened.convert("RGBA").transpose(Picture.Transpose.FLIP_TOP_BOTTOM)
        size, data = flipped.size, flipped.tobytes()
    except Exception as error:  # readers of damaged pictures raise nearly anything
        log.warning("%s: cannot be read as an image (%s); a plain one takes its place", path, error)
        size = (2, 2)
        data = bytes([128, 128, 128, 255] * 4)
    texture = ctx.texture(size, 4, data)
    texture.filter = (moderngl.LINEAR, moderngl.LINEAR)
    texture.repeat_x = texture.repeat_y = False
    return texture
