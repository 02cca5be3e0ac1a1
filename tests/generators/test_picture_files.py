"""Pictures of every kind look as a viewer shows them; a folder's come as they arrive; damaged ones are one line."""

import io
import shutil
import struct

import av
import numpy as np
import pytest
from PIL import Image

from performer.generators.media import image_folder
from performer.generators.media.image_folder import Album
from performer.generators.media.open import create
from performer.generators.media.picture import ENDINGS, read
from performer.lab.train.dataset import found
from performer.rig.loading import load_library
from performer.system.errors import Fault
from performer.types.frame import Play

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning:PIL")
RAMP = np.tile(np.linspace(0.0, 1.0, 64), (48, 1))
COLOURS = np.stack([RAMP, RAMP**2, 1.0 - RAMP], axis=-1)
UPRIGHT = np.zeros((20, 40, 3), np.uint8)  # white at the upper left, so that every turn and mirroring shows
UPRIGHT[:10, :20] = 255
#: EXIF's orientation -> how an upright picture is stored with it.
STORED = {
    1: lambda p: p,
    2: lambda p: p[:, ::-1],
    3: lambda p: p[::-1, ::-1],
    4: lambda p: p[::-1],
    5: lambda p: p.swapaxes(0, 1),
    6: lambda p: np.rot90(p),
    7: lambda p: p[::-1, ::-1].swapaxes(0, 1),
    8: lambda p: np.rot90(p, -1),
}


def tiff(values, dtype, kind, white_is_zero=False) -> bytes:
    """An uncompressed TIFF; kind: 1 unsigned, 2 signed, 3 float."""
    values = values.astype(dtype)
    height, width = values.shape[:2]
    channels = 1 if values.ndim == 2 else values.shape[2]
    data, bits = values.tobytes(), values.dtype.itemsize * 8
    directory = 8 + len(data)
    beyond = directory + 2 + 10 * 12 + 4
    several = channels > 1
    entries = [
        (256, 3, 1, width),
        (257, 3, 1, height),
        (258, 3, channels, beyond if several else bits),
        (259, 3, 1, 1),
        (262, 3, 1, 2 if several else int(not white_is_zero)),
        (273, 4, 1, 8),
        (277, 3, 1, channels),
        (278, 3, 1, height),
        (279, 4, 1, len(data)),
        (339, 3, channels, beyond + 2 * channels if several else kind),
    ]
    made = struct.pack("<2sHI", b"II", 42, directory) + data + struct.pack("<H", len(entries))
    made += b"".join(struct.pack("<HHII", *entry) for entry in entries) + struct.pack("<I", 0)
    return made + struct.pack(f"<{2 * channels}H", *[bits] * channels, *[kind] * channels)


def profile(name, primaries, curve) -> bytes:
    """An ICC profile of a display: primaries in D50's XYZ, one a row, and 0..1 -> linear light."""

    def text(words):
        return b"desc" + bytes(4) + struct.pack(">I", len(words) + 1) + words.encode() + bytes(1 + 78)

    def xyz(values):
        return b"XYZ " + bytes(4) + struct.pack(">3i", *(round(value * 65536) for value in values))

    steps = [round(float(curve(i / 1023)) * 65535) for i in range(1024)]
    curves = b"curv" + bytes(4) + struct.pack(">I1024H", 1024, *steps)
    tags = {b"desc": text(name), b"wtpt": xyz((0.9642, 1.0, 0.8249))}
    tags |= {key: xyz(row) for key, row in zip((b"rXYZ", b"gXYZ", b"bXYZ"), primaries, strict=True)}
    tags |= dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), curves)
    table, body = struct.pack(">I", len(tags)), b""
    start = 128 + 4 + 12 * len(tags)
    for key, content in tags.items():
        content += bytes(-len(content) % 4)
        table += struct.pack(">4sII", key, start + len(body), len(content))
        body += content
    size = start + len(body)
    head = struct.pack(">I4sI4s4s4s", size, bytes(4), 0x02100000, b"mntr", b"RGB ", b"XYZ ") + bytes(12) + b"acsp"
    return head.ljust(68, b"\0") + struct.pack(">3i", 63190, 65536, 54061) + bytes(48) + table + body


ADOBE = profile(
    "Adobe RGB (1998)",
    ((0.60974, 0.31111, 0.01947), (0.20528, 0.62567, 0.06087), (0.14919, 0.06322, 0.74457)),
    lambda v: v**2.19921875,
)
DISPLAY_P3 = profile(
    "Display P3",
    ((0.51512, 0.24120, -0.00105), (0.29198, 0.69225, 0.04189), (0.15710, 0.06657, 0.78407)),
    lambda v: v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4,
)


def pixels(path) -> np.ndarray:
    return np.asarray(read(path).convert("RGBA")).astype(int)


def assert_ramp(path, wanted=RAMP):
    picture = pixels(path)
    wanted = wanted if wanted.ndim == 3 else np.repeat(wanted[..., None], 3, axis=2)
    assert np.abs(picture[..., :3] - wanted * 255.0).max() <= 2.0
    assert (picture[..., 3] == 255).all()


@pytest.mark.parametrize(
    ("values", "dtype", "kind"),
    [
        (RAMP * 65535, "<u2", 1),
        (RAMP * 32767, "<i2", 2),
        (RAMP * (2**32 - 1), "<u4", 1),
        (RAMP * (2**31 - 1), "<i4", 2),
        (RAMP * 65535, "<u4", 1),  # as programs keep sixteen bits in thirty-two
        (RAMP, "<f2", 3),
        (RAMP, "<f4", 3),
        (RAMP, "<f8", 3),
        (RAMP * 255, "<f4", 3),
        (RAMP * 65535, "<f4", 3),
        (COLOURS * 65535, "<u2", 1),
        (COLOURS * (2**32 - 1), "<u4", 1),
        (COLOURS, "<f2", 3),
        (COLOURS, "<f4", 3),
        (COLOURS, "<f8", 3),
    ],
)
def test_deep_and_float_tiffs_go_from_black_to_white(values, dtype, kind, tmp_path):
    (tmp_path / "a.tif").write_bytes(tiff(values, dtype, kind))
    assert_ramp(tmp_path / "a.tif", RAMP if values.ndim == 2 else COLOURS)


def test_a_tiff_may_have_its_white_at_zero_and_highlights_above_one(tmp_path):
    (tmp_path / "film.tif").write_bytes(tiff((1.0 - RAMP) * 65535, "<u2", 1, white_is_zero=True))
    assert_ramp(tmp_path / "film.tif")
    bright = np.where(RAMP > 0.9, 3.0, RAMP)
    bright[0, 0], bright[0, 1] = np.nan, np.inf
    (tmp_path / "bright.tif").write_bytes(tiff(bright, "<f4", 3))
    picture = pixels(tmp_path / "bright.tif")[..., 0]
    assert picture[0, 0] == 0 and picture[0, 1] == 255 and (picture[:, 60:] == 255).all()
    assert picture[5, 32] == pytest.approx(RAMP[5, 32] * 255, abs=1)


def test_sixteen_bits_of_other_formats(tmp_path):
    deep = (RAMP * 65535).astype(np.uint16)
    for name in ("a.png", "a.pgm", "a.jp2", "a.tiff"):
        Image.fromarray(deep).save(tmp_path / name)
        assert_ramp(tmp_path / name)


def test_linear_light_is_encoded(tmp_path):
    half = np.full((8, 16, 3), 0.2140, np.float32)  # of the light, which sRGB writes as 0.5
    frame = av.VideoFrame.from_ndarray(half, format="gbrpf32le")
    for kind in ("exr", "hdr"):
        codec = av.CodecContext.create(kind, "w")
        codec.width, codec.height, codec.pix_fmt, codec.framerate = 16, 8, "gbrpf32le", 25
        made = [bytes(packet) for packet in [*codec.encode(frame), *codec.encode(None)]]
        (tmp_path / f"a.{kind}").write_bytes(b"".join(made))
        assert np.abs(pixels(tmp_path / f"a.{kind}")[..., :3] - 127.5).max() <= 2
    (tmp_path / "a.pfm").write_bytes(b"PF\n16 8\n-1.0\n" + half.tobytes())
    assert np.abs(pixels(tmp_path / "a.pfm")[..., :3] - 127.5).max() <= 2


def test_a_pictures_colour_profile_is_obeyed(tmp_path):
    green = Image.new("RGB", (8, 8), (144, 255, 60))  # what Adobe RGB writes for sRGB's green
    for name in ("a.png", "a.jpg", "a.tif"):
        green.save(tmp_path / name, icc_profile=ADOBE, **({"quality": 100} if name == "a.jpg" else {}))
        assert np.abs(pixels(tmp_path / name)[4, 4] - (0, 255, 0, 255)).max() <= 10
    red = Image.new("RGBA", (8, 8), (234, 51, 35, 128))
    red.save(tmp_path / "p3.png", icc_profile=DISPLAY_P3)
    assert np.abs(pixels(tmp_path / "p3.png")[4, 4] - (255, 0, 0, 128)).max() <= 10
    red.convert("RGB").save(tmp_path / "broken.png", icc_profile=DISPLAY_P3[:200])
    assert pixels(tmp_path / "broken.png")[4, 4].tolist() == [234, 51, 35, 255]


@pytest.mark.parametrize("ending", ["jpg", "jfif", "png", "webp", "avif", "tif"])
def test_a_picture_is_turned_as_its_exif_says(ending, tmp_path):
    for orientation, stored in STORED.items():
        turn = Image.Exif()
        turn[274] = orientation
        path = tmp_path / f"{orientation}.{ending}"
        how = {"jfif": {"format": "JPEG"}, "webp": {"lossless": True}}.get(ending, {})
        Image.fromarray(np.ascontiguousarray(stored(UPRIGHT))).save(path, exif=turn, **how)
        shown = pixels(path)
        assert shown.shape == (20, 40, 4), orientation
        assert np.abs(shown[2:8, 2:18, :3] - 255).max() < 30 and shown[12:18, :, :3].max() < 30, orientation
        assert shown[2:8, 22:38, :3].max() < 30, orientation


def test_palettes_prints_and_bits_keep_colours_and_clearness(tmp_path):
    indexed = Image.new("P", (8, 8))
    indexed.putpalette([255, 0, 0, 0, 0, 255])
    indexed.paste(1, (4, 0, 8, 8))
    for name in ("a.png", "a.gif"):
        indexed.save(tmp_path / name, transparency=0)
        picture = pixels(tmp_path / name)
        assert picture[0, 0, 3] == 0 and picture[0, 7].tolist() == [0, 0, 255, 255]
    for name in ("print.jpg", "print.tif"):
        Image.new("CMYK", (8, 8), (255, 0, 0, 0)).save(tmp_path / name)
        assert np.abs(pixels(tmp_path / name)[4, 4] - (0, 255, 255, 255)).max() <= 3
    bits = Image.fromarray(RAMP > 0.5)
    assert bits.mode == "1"
    for name in ("bits.png", "bits.tif", "bits.pbm"):
        bits.save(tmp_path / name)
        assert np.array_equal(pixels(tmp_path / name)[..., 0], np.where(RAMP > 0.5, 255, 0))
    grey = Image.fromarray((RAMP * 255).astype(np.uint8))
    Image.merge("LA", (grey, grey)).save(tmp_path / "la.png")
    assert pixels(tmp_path / "la.png")[4, 32].tolist() == [129, 129, 129, 129]
    grey.save(tmp_path / "moving.gif", save_all=True, append_images=[grey.rotate(180)])
    assert_ramp(tmp_path / "moving.gif")
    grey.save(tmp_path / "moving.webp", save_all=True, lossless=True, append_images=[grey.rotate(180)])
    assert_ramp(tmp_path / "moving.webp")


KINDS = ("png", "jpg", "avif", "dds", "webp", "tif", "gif", "bmp", "tga", "jp2", "ppm", "qoi")


@pytest.mark.parametrize("ending", KINDS)
def test_a_damaged_picture_is_one_line(ending, tmp_path):
    made = io.BytesIO()
    noise = np.random.default_rng(1).integers(0, 255, (24, 24, 3), np.uint8)
    how = {"pixel_format": "DXT5"} if ending == "dds" else {}
    format = {"jpg": "JPEG", "jp2": "JPEG2000", "tif": "TIFF"}.get(ending, ending.upper())
    Image.fromarray(noise).convert("RGBA" if how else "RGB").save(made, format, **how)
    whole, path = made.getvalue(), tmp_path / f"a.{ending}"
    rng = np.random.default_rng(2)
    damaged = [whole[:length] for length in {0, 1, 4, 12, 30, 100, len(whole) // 2, len(whole) - 40}]
    for _ in range(24):
        copy = bytearray(whole)
        for place in rng.integers(0, min(len(copy), 200), 6):
            copy[place] = rng.integers(0, 256)
        damaged.append(bytes(copy))
    faults = 0
    for content in damaged:
        path.write_bytes(content)
        try:
            assert read(path).mode in ("RGB", "RGBA")
        except Fault as fault:
            faults += 1
            assert str(fault).startswith(f"{path}: cannot be read as an image (") and "\n" not in str(fault)
    assert faults >= 3


def test_a_picture_that_calls_a_program_is_not_read(tmp_path):
    (tmp_path / "a.png").write_bytes(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 8 8\n%%EndComments\nshowpage\n")
    with pytest.raises(Fault, match="cannot be read as an image"):
        read(tmp_path / "a.png")


# -- folders


def colour(album, position=0.0) -> list[int]:
    return album.picture(Play(position, (0.0,)), (16, 16))[8, 8, :3].tolist()


def test_a_folder_of_any_format_is_an_album(tmp_path):
    assert {".avif", ".jfif", ".jpe", ".tga", ".dds", ".exr"} <= ENDINGS
    for name in ("a.avif", "b.jfif", "c.TIF"):
        (tmp_path / name[0]).mkdir()
        format = {"b.jfif": "JPEG", "c.TIF": "TIFF"}.get(name)
        Image.new("RGB", (16, 16), (250, 0, 0)).save(tmp_path / name[0] / name, format)
        assert colour(Album(tmp_path / name[0], live=False))[0] > 240


@pytest.fixture
def always_looking(monkeypatch):
    monkeypatch.setattr(image_folder, "LOOK_S", -1.0)


def test_a_picture_that_is_still_being_copied_is_shown_when_it_is_whole(tmp_path, always_looking, caplog):
    noise = np.random.default_rng(1).integers(0, 255, (64, 64, 3), np.uint8)
    noise[..., 2] = 255
    Image.fromarray(noise).save(tmp_path / "whole.png")
    whole = (tmp_path / "whole.png").read_bytes()
    (tmp_path / "whole.png").unlink()
    Image.new("RGB", (16, 16), (255, 0, 0)).save(tmp_path / "a.png")
    album = Album(tmp_path)
    (tmp_path / "b.png").write_bytes(whole[:5000])
    for i in range(4):
        (tmp_path / "b.png").write_bytes(whole[: 5500 + 500 * i])
        assert colour(album, i) == [255, 0, 0]
    assert not caplog.records  # it is on its way, not broken
    for i in range(4):
        colour(album, i)
    assert [record.getMessage().count("b.png") for record in caplog.records] == [1]  # it is, or nobody writes to it
    (tmp_path / "b.png").write_bytes(whole)
    assert 255 in {colour(album, i)[2] for i in range(4)}


def test_a_replaced_picture_is_the_new_one_and_the_old_one_until_that_is_whole(tmp_path, always_looking):
    path = tmp_path / "a.png"
    Image.new("RGB", (16, 16), (255, 0, 0)).save(path)
    Image.new("RGB", (16, 16), (0, 255, 0)).save(tmp_path / "next.png")
    album = Album(path)
    assert colour(album) == [255, 0, 0]
    new = (tmp_path / "next.png").read_bytes()
    path.write_bytes(new[:50])
    assert colour(album) == colour(album) == colour(album) == [255, 0, 0]
    path.write_bytes(new)
    assert colour(album) == [0, 255, 0]
    Image.new("RGB", (16, 16), (0, 0, 255)).save(tmp_path / "next.png")
    shutil.move(tmp_path / "next.png", path)
    assert colour(album) == [0, 0, 255]
    path.unlink()
    assert colour(album) == [0, 0, 255]


def test_crossfades_take_up_a_replaced_picture(tmp_path, always_looking):
    for name, shade in (("a.png", (200, 0, 0)), ("b.png", (0, 0, 0))):
        Image.new("RGB", (16, 16), shade).save(tmp_path / name)
    album = Album(tmp_path)
    half = Play(0.5, (1.0,))
    assert album.picture(half, (16, 16))[8, 8, 0] == pytest.approx(100, abs=2)
    Image.new("RGB", (16, 16), (100, 0, 0)).save(tmp_path / "a.png")
    assert album.picture(half, (16, 16))[8, 8, 0] == pytest.approx(50, abs=2)


@pytest.mark.parametrize("name", ["n" * 300, "n" * 300 + ".png", "d/" * 3000])
def test_names_that_no_file_can_have_are_one_line(name, tmp_path):
    with pytest.raises(Fault) as caught:
        Album(tmp_path / name)
    assert "\n" not in str(caught.value)
    with pytest.raises(Fault):
        read(tmp_path / name)
    with pytest.raises(Fault):
        found(tmp_path / name, 16, "CC0-1.0")


def test_training_reads_the_same_pictures(tmp_path):
    rng = np.random.default_rng(1)
    for i, ending in enumerate(("avif", "jfif", "dds", "tga") * 2):
        format = "JPEG" if ending == "jfif" else None
        Image.fromarray(rng.integers(0, 255, (24, 24, 3), np.uint8)).save(tmp_path / f"{i}.{ending}", format)
    (tmp_path / "deep.tif").write_bytes(tiff(COLOURS, "<f4", 3))
    (tmp_path / "broken.avif").write_bytes((tmp_path / "0.avif").read_bytes()[:100])
    read_pixels = found(tmp_path, 16, "CC0-1.0").pixels
    assert len(read_pixels) == 9
    slope = next(picture for picture in read_pixels if np.abs(np.diff(picture[:, :, 0].astype(int), axis=0)).max() <= 1)
    assert slope[8, 0, 0] < 45 and slope[8, -1, 0] > 210  # the middle of it


def test_contain_shows_all_of_each_picture(tmp_path):
    stripes = np.zeros((40, 160, 3), np.uint8)
    stripes[:, :20], stripes[:, -20:] = (255, 0, 0), (0, 0, 255)
    Image.fromarray(stripes).save(tmp_path / "wide.png")
    (tmp_path / "a.toml").write_text('[[layer]]\npictures = "wide.png"\nfit = "contain"\n')
    (tmp_path / "b.toml").write_text('[[layer]]\npictures = "wide.png"\n')
    library = load_library()
    shown = {}
    for name in ("a", "b"):
        (layer,) = library.load_preset(tmp_path / f"{name}.toml").layers
        medium = create(layer.play, None)
        shown[name] = medium.picture(Play(0.0, (0.0,)), (64, 64))
        medium.close()
    whole = shown["a"]
    assert whole.shape == (64, 64, 4)
    assert (whole[:20, :, 3] == 0).all() and (whole[-20:, :, 3] == 0).all() and (whole[30:34, :, 3] == 255).all()
    assert whole[32, 3].tolist() == [255, 0, 0, 255] and whole[32, 60].tolist() == [0, 0, 255, 255]
    assert (shown["b"][..., 3] == 255).all() and shown["b"][32, 3].tolist() == [0, 0, 0, 255]
