"""A picture's file as pixels: upright, in sRGB, eight bits a channel, whatever it is stored as.

Pillow reads them; it clips where deep and float samples should be scaled, and leaves a picture's colour profile and
the sense of its samples to its caller, so that is done here.
"""

from __future__ import annotations

import io
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import av
import numpy as np
from PIL import Image, ImageCms, TiffImagePlugin, UnidentifiedImageError

from performer.system.errors import Fault
from performer.system.paths import for_ffmpeg

warnings.filterwarnings("ignore", module=r"PIL\.")  # what matters of a damaged picture is said in one line

#: Pillow's formats that may be read; others call programs (EPS: Ghostscript) or need a plug-in.
FORMATS = (
    *("PNG", "JPEG", "WEBP", "AVIF", "TIFF", "GIF", "BMP", "DIB", "TGA", "DDS", "PPM", "JPEG2000", "QOI"),
    *("ICO", "ICNS", "PSD", "PCX", "SGI"),
)
#: Of linear light in floats, which FFmpeg reads and Pillow does not.
LINEAR = {".exr", ".hdr", ".pic", ".pfm"}
ENDINGS = LINEAR | {
    *(".png", ".apng", ".jpg", ".jpeg", ".jpe", ".jfif", ".webp", ".avif", ".bmp", ".dib", ".tif", ".tiff", ".gif"),
    *(".tga", ".dds", ".ppm", ".pgm", ".pbm", ".pnm", ".jp2", ".j2k", ".qoi", ".psd", ".pcx", ".sgi"),
}
HIGHLIGHTS = 16.0  # floats up to here are parts of white, with highlights above 1; larger ones count as integers do
TIFF_STARTS = (b"II*\0", b"MM\0*")
#: TIFF's SampleFormat -> numpy's kind.
SAMPLES = {1: "u", 2: "i", 3: "f"}
TAG_BITS = 258
TAG_COMPRESSION = 259
TAG_PHOTOMETRIC = 262
TAG_OFFSETS = 273
TAG_CHANNELS = 277
TAG_COUNTS = 279
TAG_PREDICTOR = 317
TAG_PLANES = 284
TAG_SAMPLE = 339
TAG_WIDTH = 256
TAG_HEIGHT = 257
TAG_ORIENTATION = 274
WHITE_IS_ZERO = 0
#: EXIF's orientation -> what turns a picture upright.
TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def read(path: Path, near: int | None = None) -> Image.Image:
    """The first picture of a file, in mode RGB or RGBA.

    Parameters
    ----------
    near : int, optional
        Pixels: a JPEG may come smaller than it is, if no side falls below this.

    Raises
    ------
    Fault
        With the file's name.
    """
    with opened(path) as picture:
        if near is not None:
            picture.draft("RGB", (near, near))
        return as_shown(picture)


@contextmanager
def opened(path: Path) -> Iterator[Image.Image]:
    """The file as Pillow opens it, for its pictures one by one; what goes wrong until it closes becomes a Fault."""
    try:
        if path.suffix.lower() in LINEAR:
            yield _linear(path)
            return
        # By its name, Pillow would map an uncompressed TIFF into memory, and mistake the sides of one that is turned.
        with path.open("rb") as file, _of(path, file) as picture:
            yield picture
    except Fault:
        raise
    except Exception as error:  # readers of damaged files raise whatever they stumble over
        raise Fault(f"{path}: cannot be read as an image ({_why(error)})") from None


def as_shown(picture: Image.Image) -> Image.Image:
    """A picture of any mode and orientation as a viewer shows it: upright, in sRGB, mode RGB or RGBA."""
    picture.load()
    shown: Image.Image = picture
    if picture.mode.startswith(("I", "F")):
        shown = Image.fromarray(_eight_bits(*_samples(picture)))
    elif picture.mode == "LAB":
        shown = _transformed(picture, ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")))
    shown = _in_srgb(shown, picture.info.get("icc_profile"))
    clear = shown.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in shown.info
    shown = shown.convert("RGBA" if clear else "RGB")
    return _upright(shown, picture)


def _of(path: Path, file: BinaryIO) -> Image.Image:
    try:
        return Image.open(file, formats=FORMATS)
    except UnidentifiedImageError:
        file.seek(0)
        if file.read(len(TIFF_STARTS[0])) in TIFF_STARTS:
            return _odd_tiff(path, file)
        raise


def _why(error: Exception) -> str:
    if isinstance(error, UnidentifiedImageError):
        return "it is not an image, or damaged from the start"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return " ".join(str(error).split())[:100] or type(error).__name__


def _upright(shown: Image.Image, picture: Image.Image) -> Image.Image:
    """Turned as its EXIF says; one that cannot be read turns nothing."""
    try:
        turn = TURNS.get(picture.getexif().get(TAG_ORIENTATION, 1))
    except Exception:  # damaged EXIF is no reason to leave a picture out
        return shown
    return shown if turn is None else shown.transpose(turn)


def _samples(picture: Image.Image) -> tuple[np.ndarray, float, bool]:
    """A deep or float picture (H, W), what is white in it, and whether white is zero."""
    values = np.asarray(picture)
    tags = getattr(picture, "tag_v2", None)
    if tags is None:  # PNG, PGM, JPEG 2000: Pillow spreads their samples over 16 bits
        return values, _white(values) if picture.mode == "F" else 65535.0, False
    bits, kind = int(tags.get(TAG_BITS, (32,))[0]), int(tags.get(TAG_SAMPLE, (1,))[0])
    if kind == 1 and bits == 32:
        values = values.view(np.uint32)
    turned = tags.get(TAG_PHOTOMETRIC, 1) == WHITE_IS_ZERO
    if kind == 3 or bits > 16:
        return values, _white(values), turned
    return values, float((1 << (bits - (kind == 2))) - 1), turned


def _white(values: np.ndarray) -> float:
    """What is white among floats or long integers, of which nothing says it: the least usual range that holds all."""
    if values.dtype.kind == "f":
        top = float(np.max(values, initial=0.0, where=np.isfinite(values)))
        if top <= HIGHLIGHTS:
            return 1.0
    else:
        top = float(values.max())
    usual = (255.0, 65535.0, float(np.iinfo(np.int32).max), float(np.iinfo(np.uint32).max))
    whole = float(np.iinfo(values.dtype).max) if values.dtype.kind in "ui" else usual[-1]
    return next((white for white in usual if top <= white), max(top, whole))


def _eight_bits(values: np.ndarray, white: float, turned: bool) -> np.ndarray:
    """Samples as uint8, 0..white as 0..255; what is no number is black."""
    parts = np.nan_to_num(values.astype(np.float64) / white, nan=0.0, posinf=1.0, neginf=0.0).clip(0.0, 1.0)
    if turned:
        parts = 1.0 - parts
    return (parts * 255.0 + 0.5).astype(np.uint8)


def _odd_tiff(path: Path, file: BinaryIO) -> Image.Image:
    """A TIFF of samples that Pillow does not know, as half and double floats and deep colours. Raises Fault."""
    file.seek(0)
    tags = TiffImagePlugin.ImageFileDirectory_v2(file.read(8))
    file.seek(tags.next)
    tags.load(file)
    bits, kinds = set(tags.get(TAG_BITS, (1,))), set(tags.get(TAG_SAMPLE, (1,)))
    channels, compression = int(tags.get(TAG_CHANNELS, 1)), int(tags.get(TAG_COMPRESSION, 1))
    readable = (
        len(bits) == len(kinds) == 1
        and bits <= {8, 16, 32, 64}
        and kinds <= set(SAMPLES)
        and compression in (1, 8, 32946)
        and int(tags.get(TAG_PREDICTOR, 1)) == 1
        and (channels == 1 or int(tags.get(TAG_PLANES, 1)) == 1)
        and TAG_OFFSETS in tags
    )
    if not readable:
        raise Fault(f"{path}: cannot be read as an image (a kind of TIFF that is not known; save it as PNG)")
    strips = []
    for start, length in zip(tags[TAG_OFFSETS], tags[TAG_COUNTS], strict=True):
        file.seek(start)
        strips.append(file.read(length) if compression == 1 else zlib.decompress(file.read(length)))
    kind = np.dtype(f"{'<' if tags.prefix == b'II' else '>'}{SAMPLES[kinds.pop()]}{bits.pop() // 8}")
    height = int(tags[TAG_HEIGHT])
    width = int(tags[TAG_WIDTH])
    values = np.frombuffer(b"".join(strips), kind)[: height * width * channels].reshape(height, width, channels)
    values = values.astype(kind.newbyteorder("="))
    values = values[..., 0] if channels < 3 else values[..., :4]
    white = _white(values) if kind.kind == "f" or kind.itemsize > 2 else float(np.iinfo(kind).max)
    return Image.fromarray(_eight_bits(values, white, tags.get(TAG_PHOTOMETRIC, 1) == WHITE_IS_ZERO))


def _linear(path: Path) -> Image.Image:
    """A picture of linear light (OpenEXR, Radiance, PFM), 0..1 of it as sRGB has it."""
    with av.open(for_ffmpeg(path), options={"pattern_type": "none"}) as file:
        frame = next(file.decode(video=0))
    clear = any(component.is_alpha for component in frame.format.components)
    light = frame.to_ndarray(format="gbrapf32le" if clear else "gbrpf32le").astype(np.float64)
    light = np.nan_to_num(light, nan=0.0, posinf=1.0, neginf=0.0).clip(0.0, 1.0)
    colour = light[..., :3]
    light[..., :3] = np.where(colour <= 0.0031308, colour * 12.92, 1.055 * colour ** (1.0 / 2.4) - 0.055)
    return Image.fromarray((light * 255.0 + 0.5).astype(np.uint8))


def _in_srgb(picture: Image.Image, icc: bytes | None) -> Image.Image:
    """By the picture's colour profile, where it has one that fits its mode and is not sRGB itself."""
    if not icc:
        return picture
    try:
        profile = ImageCms.ImageCmsProfile(io.BytesIO(icc))
        space = profile.profile.xcolor_space.strip()
        if "sRGB" in ImageCms.getProfileDescription(profile):
            return picture
        if picture.mode == "P":
            picture = picture.convert("RGBA" if "transparency" in picture.info else "RGB")
        alpha = picture.getchannel("A") if picture.mode in ("RGBA", "LA") else None
        plain = picture if alpha is None else picture.convert(picture.mode[:-1])
        if {"RGB": "RGB", "CMYK": "CMYK", "L": "GRAY"}.get(plain.mode) != space:
            return picture
        shown = _transformed(plain, profile)
    except (ImageCms.PyCMSError, OSError, ValueError):  # of a damaged profile: the numbers as they are
        return picture
    if alpha is not None:
        shown.putalpha(alpha)
    return shown


def _transformed(picture: Image.Image, profile: ImageCms.ImageCmsProfile) -> Image.Image:
    shown = ImageCms.profileToProfile(
        picture,
        profile,
        ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")),
        ImageCms.Intent.RELATIVE_COLORIMETRIC,
        outputMode="RGB",
        flags=ImageCms.Flags.BLACKPOINTCOMPENSATION,
    )
    assert shown is not None  # it is None only where the picture itself is changed
    return shown
