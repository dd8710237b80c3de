"""Whatever a person hands over becomes an upright RGB picture, or one ImageError."""

from __future__ import annotations

import base64
import io
import re
import struct
import subprocess
import sys
import urllib.parse
import warnings
import zlib
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms

from catdog.images import ImageError, open_picture, open_reduced
from catdog.images import picture as limits
from catdog.images import source as reading
from catdog.images.decode import ORIENTATION_TAG

# format -> (how to write it without loss or nearly so, the largest difference of a channel that this may leave)
FORMATS = {
    "JPEG": ({"quality": 100, "subsampling": 0}, 3),
    "PNG": ({}, 0),
    "WEBP": ({"lossless": True}, 0),
    "GIF": ({}, 0),
    "BMP": ({}, 0),
    "TIFF": ({}, 0),
    "AVIF": ({"quality": 100, "subsampling": "4:4:4"}, 3),
    "HEIF": ({"quality": 100, "chroma": 444}, 3),
}
WITH_EXIF = [name for name in FORMATS if name not in ("GIF", "BMP")]
PROPERTY = settings(
    max_examples=100,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


def encoded(picture: Image.Image, format: str = "PNG", **options) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, format, **options)
    return buffer.getvalue()


def photo(name: str, **options) -> bytes:
    """A small picture with texture, so that every part of its file matters."""
    rng = np.random.default_rng(0)
    pixels = np.kron(rng.integers(0, 256, (8, 12, 3)), np.ones((8, 8, 1))) + rng.integers(-20, 20, (64, 96, 3))
    return encoded(Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8)), name, **options)


def difference(picture: Image.Image, expected) -> int:
    """Largest difference of a channel, 0 to 255."""
    values = np.asarray(picture).astype(int)
    expected = np.broadcast_to(np.asarray(expected), values.shape).astype(int)
    return int(np.abs(values - expected).max())


def code_of(source) -> str:
    """The error's code, once its text is seen to be one sentence."""
    with pytest.raises(ImageError) as caught:
        open_picture(source)
    assert str(caught.value).endswith((".", "....")) and "\n" not in str(caught.value)
    return caught.value.code


# ---------------------------------------------------------------------------- what may be handed over


@pytest.mark.parametrize(
    "wrap",
    [
        bytes,
        bytearray,
        memoryview,
        io.BytesIO,
        lambda content: Image.open(io.BytesIO(content)),
        lambda content: np.asarray(Image.open(io.BytesIO(content))),
        lambda content: "data:image/png;base64," + base64.b64encode(content).decode(),
        lambda content: "data:image/png," + urllib.parse.quote_from_bytes(content),
    ],
    ids=["bytes", "bytearray", "memoryview", "file", "PIL", "NumPy", "base64", "percent"],
)
def test_the_same_picture_comes_out_of_every_kind_of_input(quadrants, wrap):
    picture = open_picture(wrap(encoded(quadrants)))
    assert picture.mode == "RGB"
    assert difference(picture, quadrants) == 0


@pytest.mark.parametrize("kind", [str, Path])
def test_a_path_may_be_text_or_a_path(quadrants, tmp_path, kind):
    quadrants.save(tmp_path / "photo.png")
    assert difference(open_picture(kind(tmp_path / "photo.png")), quadrants) == 0


def test_an_open_file_may_be_handed_over(quadrants, tmp_path):
    quadrants.save(tmp_path / "photo.png")
    with (tmp_path / "photo.png").open("rb") as file:
        assert difference(open_picture(file), quadrants) == 0


@pytest.mark.parametrize("format", FORMATS)
def test_every_format_is_read(quadrants, format):
    options, within = FORMATS[format]
    picture = open_picture(encoded(quadrants, format, **options))
    assert picture.size == quadrants.size
    assert difference(picture, quadrants) <= within


def test_a_camera_s_jpeg_with_a_preview_is_read(quadrants):
    content = encoded(quadrants, "MPO", save_all=True, append_images=[quadrants.resize((24, 16))], quality=100)
    assert Image.open(io.BytesIO(content)).format == "MPO"
    assert open_picture(content).size == quadrants.size


@pytest.mark.parametrize("format", FORMATS)
def test_every_format_is_read_by_a_process_that_has_read_nothing_before(quadrants, tmp_path, root, format):
    path = tmp_path / "photo"
    path.write_bytes(encoded(quadrants, format, **FORMATS[format][0]))
    program = """if True:
        import sys, types
        package = sys.modules["catdog"] = types.ModuleType("catdog")  # without its __init__, which imports torch
        package.__path__ = ["catdog"]
        from catdog.images import open_picture
        print(open_picture(sys.argv[1]).size)
    """
    process = subprocess.run([sys.executable, "-c", program, path], cwd=root, capture_output=True, text=True)
    assert process.stdout.strip() == str(quadrants.size), process.stderr


@pytest.mark.parametrize(
    ("array", "expected"),
    [
        (np.full((3, 4), 51, np.uint8), (51, 51, 51)),
        (np.full((3, 4, 1), 51, np.uint8), (51, 51, 51)),
        (np.full((3, 4), 51 * 257, np.uint16), (51, 51, 51)),
        (np.full((3, 4), 0.2, np.float32), (51, 51, 51)),
        (np.full((3, 4), True), (255, 255, 255)),
        (np.full((3, 4, 3), (10, 20, 30), np.uint8), (10, 20, 30)),
        (np.full((3, 4, 3), (257, 514, 65535), np.uint16), (1, 2, 255)),
        (np.full((3, 4, 3), (0, 0.2, 1), np.float64), (0, 51, 255)),
        (np.full((3, 4, 4), (10, 20, 30, 255), np.uint8), (10, 20, 30)),
        (np.full((3, 4, 4), (10, 20, 30, 0), np.uint8), (255, 255, 255)),
        (np.full((3, 4, 4), (1, 0, 0, 0.6), np.float32), (255, 102, 102)),
        (np.full((3, 4, 3), (10, 20, 30), np.uint8)[:, ::-1], (10, 20, 30)),
    ],
)
def test_arrays_of_every_kind_are_pictures(array, expected):
    picture = open_picture(array)
    assert (picture.mode, picture.size) == ("RGB", (4, 3))
    assert difference(picture, expected) <= (1 if array.dtype == np.float32 else 0)


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "RGBX", "CMYK", "YCbCr", "LAB", "HSV", "I", "F", "I;16"])
def test_a_pil_picture_of_any_mode_becomes_rgb(mode):
    if mode == "LAB":
        white = Image.new("LAB", (4, 3), (255, 128, 128))
    elif mode in ("I", "F", "I;16"):
        full = {"I": 65535, "F": 1.0, "I;16": 65535}[mode]
        white = Image.fromarray(np.full((3, 4), full, {"I": np.int32, "F": np.float32, "I;16": np.uint16}[mode]))
    else:
        white = Image.new("RGB", (4, 3), "white").convert(mode)
    assert white.mode == mode
    picture = open_picture(white)
    assert picture.mode == "RGB"
    assert difference(picture, 255) <= 1


def test_a_pil_picture_is_left_as_it_was(quadrants):
    before = quadrants.copy()
    open_picture(quadrants).paste("white", (0, 0, 96, 64))
    assert quadrants == before


# ---------------------------------------------------------------------------- what becomes of it


def as_stored(upright: np.ndarray, orientation: int) -> np.ndarray:
    """How a camera stores the picture: where its first row and column lie (EXIF 2.32, tag 274)."""
    return {
        1: lambda u: u,  # first row at the top, first column at the left
        2: lambda u: u[:, ::-1],  # top, right
        3: lambda u: u[::-1, ::-1],  # bottom, right
        4: lambda u: u[::-1],  # bottom, left
        5: lambda u: u.swapaxes(0, 1),  # left, top
        6: lambda u: u[:, ::-1].swapaxes(0, 1),  # right, top
        7: lambda u: u[::-1, ::-1].swapaxes(0, 1),  # right, bottom
        8: lambda u: u[::-1].swapaxes(0, 1),  # left, bottom
    }[orientation](upright)


@pytest.mark.parametrize("format", WITH_EXIF)
@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_exif_orientation_gives_the_same_upright_picture(quadrants, orientation, format):
    stored = Image.fromarray(np.ascontiguousarray(as_stored(np.asarray(quadrants), orientation)))
    exif = Image.Exif()
    exif[ORIENTATION_TAG] = orientation
    options, within = FORMATS[format]
    picture = open_picture(encoded(stored, format, exif=exif.tobytes(), **options))
    assert picture.size == quadrants.size
    assert difference(picture, quadrants) <= within


@pytest.mark.parametrize(
    "size, kept", [((1600, 1200), (800, 600)), ((4000, 3000), (500, 375)), ((800, 600), (800, 600))]
)
@pytest.mark.parametrize("orientation", [1, 6])
def test_a_large_jpeg_is_decoded_smaller_where_that_is_enough(quadrants, size, kept, orientation):
    exif = Image.Exif()
    exif[ORIENTATION_TAG] = orientation
    turned = slice(None, None, -1 if orientation == 6 else 1)
    reduced = open_reduced(encoded(quadrants.resize(size), "JPEG", exif=exif), 310)
    assert (reduced.picture.size, reduced.size) == (kept[turned], size[turned])
    whole = open_picture(encoded(quadrants.resize(size), "JPEG", exif=exif))
    assert whole.size == reduced.size
    assert difference(reduced.picture.resize((8, 8)), whole.resize((8, 8))) <= 4


def test_other_formats_are_decoded_whole(quadrants):
    decoded = open_reduced(encoded(quadrants.resize((1600, 1200)), "PNG"), 310)
    assert decoded.picture.size == decoded.size == (1600, 1200)


@pytest.mark.parametrize("exif", [b"Exif\0\0", b"Exif\0\0MM\0*\0\0\0\x08\xff\xff\x01", b"Exif\0\0" + bytes(range(200))])
@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP"])
def test_a_broken_exif_block_spoils_no_picture(quadrants, format, exif):
    options, within = FORMATS[format]
    assert difference(open_picture(encoded(quadrants, format, exif=exif, **options)), quadrants) <= within


@pytest.mark.parametrize("format", ["PNG", "WEBP", "TIFF", "AVIF", "HEIF"])
def test_alpha_is_laid_on_white(format):
    half = Image.new("RGBA", (32, 32), (255, 0, 0, 128))
    half.paste((0, 0, 255, 255), (0, 0, 32, 16))
    options, within = FORMATS[format]
    picture = open_picture(encoded(half, format, **options))
    assert difference(picture.crop((0, 0, 32, 16)), (0, 0, 255)) <= within
    assert difference(picture.crop((0, 16, 32, 32)), (255, 127, 127)) <= within


def test_gray_with_alpha_is_laid_on_white():
    assert difference(open_picture(encoded(Image.new("LA", (4, 4), (100, 51)))), 224) == 0  # 100 * 0.2 + 255 * 0.8


@pytest.mark.parametrize(
    ("format", "options", "expected"),
    [
        ("PNG", {"transparency": 0}, 255),
        ("PNG", {"transparency": bytes([51])}, 224),
        ("PNG", {}, 100),
        ("GIF", {"transparency": 0}, 255),
        ("GIF", {}, 100),
    ],
)
def test_a_transparent_color_of_a_palette_is_laid_on_white(format, options, expected):
    picture = Image.new("P", (4, 4), 0)
    picture.putpalette([100, 100, 100, 1, 2, 3])
    assert difference(open_picture(encoded(picture, format, **options)), expected) == 0


@pytest.mark.parametrize(("mode", "key"), [("RGB", (9, 9, 9)), ("L", 9)])
def test_a_transparent_color_without_a_palette_is_laid_on_white(mode, key):
    assert difference(open_picture(encoded(Image.new(mode, (4, 4), key), transparency=key)), 255) == 0
    assert difference(open_picture(encoded(Image.new(mode, (4, 4), key))), 9) == 0


def test_sixteen_bit_gray_is_scaled_and_not_clipped():
    values = np.array([[0, 257 * 100, 257 * 200, 65535]], np.uint16)
    picture = open_picture(encoded(Image.fromarray(values)))
    assert np.asarray(picture)[0, :, 0].tolist() == [0, 100, 200, 255]


def test_float_gray_is_scaled_and_not_clipped():
    values = np.array([[0, 0.2, 1]], np.float32)
    assert np.asarray(open_picture(encoded(Image.fromarray(values), "TIFF")))[0, :, 0].tolist() == [0, 51, 255]


@pytest.mark.parametrize(
    ("ink", "expected"), [((0, 255, 255, 0), (255, 0, 0)), ((0, 0, 0, 0), 255), ((0, 0, 0, 255), 0)]
)
def test_cmyk_inks_become_colors(ink, expected):
    content = encoded(Image.new("CMYK", (16, 16), ink), "JPEG", quality=100)
    assert Image.open(io.BytesIO(content)).mode == "CMYK"
    assert difference(open_picture(content), expected) <= 3


@pytest.mark.parametrize("format", ["GIF", "WEBP", "PNG", "TIFF"])
def test_an_animation_gives_its_first_frame(quadrants, format):
    frames = [Image.new("RGB", quadrants.size, color) for color in ("black", "white")]
    options = {"lossless": True} if format == "WEBP" else {}
    content = encoded(quadrants, format, save_all=True, append_images=frames, **options)
    assert Image.open(io.BytesIO(content)).n_frames == 3
    assert difference(open_picture(content), quadrants) == 0


def red_and_blue_swapped() -> bytes:
    """A profile whose red is sRGB's blue and the other way round; the same bytes at any time of day."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    profile = profile[:24] + bytes(12) + profile[36:]  # when it was made
    profile = profile.replace(b"rXYZ", b"....").replace(b"bXYZ", b"rXYZ").replace(b"....", b"bXYZ")
    return profile.replace("sRGB".encode("utf-16-be"), "test".encode("utf-16-be"))


@pytest.mark.parametrize("format", [name for name in FORMATS if name not in ("GIF", "BMP")])
def test_colors_are_converted_from_the_picture_s_profile(format):
    options, within = FORMATS[format]
    red = Image.new("RGB", (16, 16), (255, 0, 0))
    content = encoded(red, format, icc_profile=red_and_blue_swapped(), **options)
    assert difference(open_picture(content), (0, 0, 255)) <= within + 2


def test_a_profile_also_holds_where_there_is_alpha():
    half = Image.new("RGBA", (4, 4), (255, 0, 0, 128))
    picture = open_picture(encoded(half, icc_profile=red_and_blue_swapped()))
    assert difference(picture, (127, 127, 255)) <= 2


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "CMYK", "L", "LA", "I;16"])
def test_a_huge_picture_is_made_smaller_before_its_colors_are_converted(mode):
    """Whatever its format: that is the slowest part."""
    small = Image.new("RGBA", (60, 60), (200, 40, 90, 255))
    small.paste((0, 255, 0, 0), (0, 0, 60, 30))  # green that is not seen
    size = (6_000, 5_900)
    if mode == "I;16":
        huge = Image.fromarray(np.full(size[::-1], 40_000, np.uint16))
    else:
        huge = small.convert("RGBA" if mode == "RGBA" else mode).resize(size, Image.Resampling.NEAREST)
    profile = red_and_blue_swapped() if mode in ("RGB", "RGBA") else None
    content = encoded(huge, "TIFF" if mode == "CMYK" else "PNG", icc_profile=profile, compress_level=1)
    whole, reduced = open_picture(content), open_reduced(content, 1_000)
    assert reduced.size == size and min(reduced.picture.size) == 1_180
    assert difference(reduced.picture, whole.resize(reduced.picture.size, Image.Resampling.BOX)) <= 2


def test_an_srgb_profile_changes_nothing(quadrants):
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    assert difference(open_picture(encoded(quadrants, icc_profile=profile)), quadrants) == 0


@pytest.mark.parametrize("profile", [b"not a profile", red_and_blue_swapped()[:200], bytes(3000)])
def test_a_broken_profile_is_left_aside(quadrants, profile):
    assert difference(open_picture(encoded(quadrants, icc_profile=profile)), quadrants) == 0


def test_a_profile_for_another_kind_of_picture_is_left_aside():
    gray = Image.new("L", (4, 4), 100)
    assert difference(open_picture(encoded(gray, icc_profile=red_and_blue_swapped())), 100) == 0


# ---------------------------------------------------------------------------- what is refused


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(ImageError, match=r"no file gone\.jpg") as caught:
        open_picture(tmp_path / "gone.jpg")
    assert caught.value.code == "missing"


def test_a_folder_is_no_picture(tmp_path):
    assert code_of(tmp_path) == "missing"


def test_a_path_that_no_file_can_have_is_missing(tmp_path):
    assert code_of("x" * 5000) == "missing"
    assert code_of("photo\0.jpg") == "missing"


def test_a_closed_file_cannot_be_read(quadrants):
    file = io.BytesIO(encoded(quadrants))
    file.close()
    assert code_of(file) == "missing"


class Strange:
    """A file object with a `read` of its own kind."""

    def __init__(self, read):
        self.read = read


def test_whatever_a_file_object_does_ends_in_an_image_error(quadrants):
    content = encoded(quadrants)
    assert code_of(Strange(lambda: content)) == "missing"  # a read without a size
    assert code_of(Strange(lambda size: 1 / 0)) == "missing"
    assert code_of(Strange(lambda size: None)) == "unknown-type"
    assert open_picture(Strange(lambda size: bytearray(content))).size == quadrants.size


def test_an_empty_file_is_called_empty(tmp_path):
    (tmp_path / "nothing.jpg").touch()
    assert code_of(tmp_path / "nothing.jpg") == "empty"
    assert code_of(b"") == "empty"
    assert code_of(io.BytesIO()) == "empty"
    assert code_of("data:image/png;base64,") == "empty"


@pytest.mark.parametrize(
    "content",
    [
        b"<svg xmlns='http://www.w3.org/2000/svg' width='9' height='9'/>",
        b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n<<>>\nendobj\n",
        b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n",
        b"P6\n1 1\n255\nabc",
        b"dear sir or madam",
        b"PK\x03\x04",
        b"\0" * 1000,
    ],
    ids=["svg", "pdf", "eps", "ppm", "text", "zip", "zeros"],
)
def test_other_kinds_of_file_are_an_unknown_type(content):
    assert code_of(content) == "unknown-type"


@pytest.mark.parametrize("source", [None, 7, ["photo.jpg"], io.StringIO("text"), "data:image/png;base64"])
def test_what_is_no_picture_at_all_is_an_unknown_type(source):
    assert code_of(source) == "unknown-type"


def test_garbled_base64_is_called_damaged():
    assert code_of("data:image/png;base64,AAAAA") == "damaged"


@pytest.mark.parametrize("format", ["JPEG", "PNG"])
@pytest.mark.parametrize("share", [0.3, 0.5, 0.7, 0.9, 0.98])
def test_a_picture_that_is_cut_off_is_called_damaged(format, share):
    content = photo(format)
    assert code_of(content[: int(len(content) * share)]) == "damaged"


def test_a_real_photo_that_is_cut_off_is_called_damaged(examples, tmp_path):
    content = examples[0].read_bytes()
    (tmp_path / "half.jpg").write_bytes(content[: len(content) // 2])
    with pytest.raises(ImageError, match=r"half\.jpg is damaged or cut off"):
        open_picture(tmp_path / "half.jpg")


@pytest.mark.parametrize("lost", [1, 2])
@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"quality": 100, "subsampling": 0}], ids=str)
def test_a_jpeg_without_its_end_marker_is_the_picture_it_was(options, lost):
    content = photo("JPEG", **options)
    assert content.endswith(b"\xff\xd9")
    assert open_picture(content[:-lost]) == open_picture(content)
    assert open_picture(content[:-lost] + bytes(300)) == open_picture(content), "zeros that a camera filled up with"
    reduced = open_reduced(content[:-lost], 16)
    assert reduced.size == (96, 64) and reduced.picture == open_reduced(content, 16).picture


@pytest.mark.parametrize("options", [{}, {"progressive": True}], ids=str)
def test_a_jpeg_that_lacks_more_than_its_end_marker_is_called_damaged(options):
    content = photo("JPEG", **options)
    scans = [found.start() for found in re.finditer(b"\xff\xda", content)]
    assert len(scans) > 5 or not options
    for end in (len(content) - 20, len(content) // 2, len(content) // 3, *scans[1:]):
        assert code_of(content[:end]) == "damaged"
        if scans[1:]:  # to a plain one's decoder, zeros are pixels like any other
            assert code_of(content[:end] + bytes(300)) == "damaged"


def with_chunk(kind: bytes, content: bytes, before: bytes = b"IDAT") -> bytes:
    """The PNG with another chunk, whose checksum is wrong."""
    chunk = struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content) ^ 1)
    png = photo("PNG")
    place = png.index(before) - 4
    return png[:place] + chunk + png[place:]


@pytest.mark.parametrize("before", [b"IDAT", b"IEND"])
@pytest.mark.parametrize(
    "kind, content", [(b"tEXt", b"Comment\0hello"), (b"zTXt", b"a\0\0" + zlib.compress(b"b")), (b"tIME", bytes(7))]
)
def test_a_wrong_checksum_of_what_no_pixel_needs_spoils_no_png(kind, content, before):
    assert open_picture(with_chunk(kind, content, before)) == open_picture(photo("PNG"))


def test_a_wrong_checksum_of_what_says_how_to_read_the_pixels_is_refused():
    content = bytearray(with_chunk(b"tEXt", b"Comment\0hello"))
    content[content.index(b"IHDR") + 4 + 13] ^= 1
    assert code_of(bytes(content)) == "unknown-type"


def png_header(width: int, height: int) -> bytes:
    """A PNG that says it is this large and holds no pixel."""
    parts = [b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0), b"IDAT" + zlib.compress(b""), b"IEND"]
    chunks = [struct.pack(">I", len(part) - 4) + part + struct.pack(">I", zlib.crc32(part)) for part in parts]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


@pytest.mark.parametrize("size", [(9_500, 9_500), (30_000, 30_000), (2**31 - 1, 2**31 - 1)])
@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
def test_a_bomb_is_refused_by_its_header(size, monkeypatch):
    monkeypatch.setattr("PIL.ImageFile.ImageFile.load", lambda self: pytest.fail("the pixels are decoded"))
    assert code_of(png_header(*size)) == "too-large"


def test_the_pixel_limit_holds_for_every_kind_of_input(quadrants, monkeypatch):
    monkeypatch.setattr(limits, "MAX_PIXELS", 96 * 64)
    assert open_picture(encoded(quadrants)).size == (96, 64)
    monkeypatch.setattr(limits, "MAX_PIXELS", 96 * 64 - 1)
    for source in (encoded(quadrants), quadrants, np.asarray(quadrants)):
        assert code_of(source) == "too-large"


def test_a_file_beyond_the_byte_limit_is_not_read(quadrants, tmp_path, monkeypatch):
    content = encoded(quadrants)
    (tmp_path / "photo.png").write_bytes(content)
    monkeypatch.setattr(reading, "MAX_BYTES", len(content))
    assert open_picture(tmp_path / "photo.png").size == (96, 64)
    monkeypatch.setattr(reading, "MAX_BYTES", len(content) - 1)
    for source in (tmp_path / "photo.png", content, io.BytesIO(content)):
        assert code_of(source) == "too-large"


@pytest.mark.parametrize("size", [(1, 20_000), (20_000, 1), (1, 21), (2001, 100)])
def test_a_long_strip_is_refused(size):
    for source in (Image.new("L", size), encoded(Image.new("L", size)), np.zeros(size[::-1], np.uint8)):
        assert code_of(source) == "too-long"


@pytest.mark.parametrize("size", [(1, 20), (2000, 100), (1, 1)])
def test_a_picture_at_the_limit_of_length_is_taken(size):
    assert open_picture(Image.new("L", size)).size == size


@pytest.mark.parametrize(
    "array",
    [
        np.full((3, 4), 1.5),
        np.full((3, 4), -0.1),
        np.full((3, 4), np.nan),
        np.full((3, 4), np.inf),
        np.zeros((3, 4), np.int64),
        np.zeros((3, 4), np.complex64),
        np.full((3, 4), None),
        np.zeros((3, 4, 2), np.uint8),
        np.zeros((3, 4, 5), np.uint8),
        np.zeros((1, 3, 4, 3), np.uint8),
        np.zeros(4, np.uint8),
        np.zeros((), np.uint8),
    ],
    ids=lambda array: f"{array.dtype} {array.shape} {array.flat[0]}",
)
def test_an_array_that_is_no_picture_is_refused(array):
    assert code_of(array) == "bad-array"


@pytest.mark.parametrize("shape", [(0, 4), (4, 0, 3)])
def test_an_array_without_pixels_is_called_empty(shape):
    assert code_of(np.zeros(shape, np.uint8)) == "empty"


# ---------------------------------------------------------------------------- decoded once


def test_what_is_decoded_is_taken_as_a_picture_and_not_decoded_again(quadrants, monkeypatch):
    content = encoded(quadrants.resize((1600, 1200)), "JPEG")
    decoded = open_reduced(content, 310)
    monkeypatch.setattr(Image, "open", None)
    assert open_reduced(decoded, 310) is decoded
    copy = open_picture(decoded)
    assert copy == decoded.picture and copy is not decoded.picture
    with pytest.raises(ValueError, match=r"reduced to 600 pixels .* open it with short_side=601"):
        open_reduced(decoded, 601)


# ---------------------------------------------------------------------------- warnings

# its one tag, the maker, says that it is longer than the block
ODD = b"Exif\0\0II*\0\x08\0\0\0\x01\0\x0f\x01\x02\0\xff\0\0\0\x20\0\0\0"


def test_what_pillow_s_plugins_warn_of_reaches_nobody(quadrants):
    """Also where every warning is asked for, or is an error."""
    odd = encoded(quadrants, "JPEG", exif=ODD)
    for action in ("always", "error"):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter(action)
            with pytest.raises(UserWarning) if action == "error" else nullcontext():
                Image.open(io.BytesIO(odd)).getexif()  # it does warn
            seen = len(caught)
            assert open_picture(odd).size == quadrants.size
        assert len(caught) == seen


def test_a_process_that_asks_for_nothing_sees_no_warning(quadrants, root, tmp_path):
    (tmp_path / "odd.jpg").write_bytes(encoded(quadrants, "JPEG", exif=ODD))
    (tmp_path / "huge.png").write_bytes(png_header(12_000, 10_000))
    program = """if True:
        import sys
        from catdog.images import ImageError, open_picture
        for path in sys.argv[1:]:
            try:
                print(open_picture(path).size)
            except ImageError as error:
                print(error.code)
    """
    command = [sys.executable, "-c", program, tmp_path / "odd.jpg", tmp_path / "huge.png"]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["(96, 64)", "too-large"] and done.stderr == ""


def test_another_s_wish_that_a_bomb_be_an_error_is_left_alone(quadrants):
    with warnings.catch_warnings():
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        open_picture(encoded(quadrants))
        with pytest.raises(Image.DecompressionBombWarning):
            Image.open(io.BytesIO(png_header(12_000, 10_000)))
        assert code_of(png_header(12_000, 10_000)) == "too-large"


# ---------------------------------------------------------------------------- whatever happens


def opens_or_is_refused(content: bytes) -> None:
    try:
        picture = open_picture(content)
    except ImageError:
        return
    assert picture.mode == "RGB"


MAGIC = [b"", b"\xff\xd8\xff\xe0", b"\x89PNG\r\n\x1a\n", b"GIF89a", b"BM", b"II*\0", b"MM\0*", b"RIFF\0\0\0\0WEBPVP8 "]
MAGIC += [b"\0\0\0\x18ftypheic", b"\0\0\0\x18ftypavif"]


@PROPERTY
@given(st.sampled_from(MAGIC), st.binary(max_size=200))
def test_random_bytes_raise_nothing_but_image_errors(magic, content):
    opens_or_is_refused(magic + content)


@pytest.mark.slow
@pytest.mark.parametrize("format", FORMATS)
@settings(PROPERTY, max_examples=60)
@given(data=st.data())
def test_a_garbled_picture_raises_nothing_but_image_errors(format, data):
    exif = Image.Exif()
    exif[ORIENTATION_TAG] = 6
    extra = {"exif": exif.tobytes(), "icc_profile": red_and_blue_swapped()} if format in WITH_EXIF else {}
    content = bytearray(photo(format, **extra))
    for place, value in data.draw(
        st.lists(st.tuples(st.integers(0, len(content) - 1), st.integers(0, 255)), min_size=1, max_size=20)
    ):
        content[place] = value
    end = data.draw(st.just(len(content)) | st.integers(0, len(content)))
    opens_or_is_refused(bytes(content[:end]))


@pytest.mark.parametrize("orientation", range(1, 9))
def test_opening_an_upright_picture_again_changes_nothing(orientation, quadrants, tmp_path):
    exif = Image.Exif()
    exif[274] = orientation
    quadrants.save(tmp_path / "turned.jpg", exif=exif)
    once = open_picture(tmp_path / "turned.jpg")
    assert open_picture(once) == once
