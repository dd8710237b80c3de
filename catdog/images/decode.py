"""Anything a person hands over -> an upright RGB picture, or one clear error."""

from __future__ import annotations

import base64
import binascii
import io
import math
import os
import threading
import urllib.parse
from contextlib import nullcontext
from pathlib import Path
from typing import BinaryIO

import numpy as np
import pillow_heif
from PIL import Image, ImageCms

from catdog.images.bombs import is_bomb, is_exif_bomb

pillow_heif.register_heif_opener()

MAX_PIXELS = 89_478_485  # Pillow's own bomb limit: 256 MB of RGB
MAX_BYTES = 256 * 2**20  # an encoded file larger than its own decoded limit is no photo
LARGE = 2**25  # pixels, above which one picture is decoded at a time: some need ten bytes for each
MAX_NAME = 100  # characters of a file's name that an error repeats
MAX_ASPECT = 20  # a longer strip shows nothing at the network's input size
ARCHIVES = (b"PK\x03\x04", b"Rar!\x1a\x07", b"7z\xbc\xaf\x27\x1c", b"\x1f\x8b")  # zip, RAR, 7z, gzip: how they begin
FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF", "HEIF")

Picture = str | os.PathLike | bytes | bytearray | memoryview | BinaryIO | Image.Image | np.ndarray

# EXIF orientation (CIPA DC-008, tag 274) -> what makes the picture upright
UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
SWAPS_SIDES = {UPRIGHT[5], UPRIGHT[6], UPRIGHT[7], UPRIGHT[8]}
ORIENTATION_TAG = 274
ESCAPED_AT_ONCE = 2**16  # characters of a data: URL whose %-escapes are read together: each takes sixty bytes meanwhile
MAX_EXIF_TEXT = 2**18  # characters: EXIF as hexadecimal text in an old PNG, at most 64 KB in a JPEG


class ImageError(ValueError):
    """A picture that cannot be used. `code` is one word for programs, the text one sentence for people."""

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(code, sentence)
        self.code = code
        self.sentence = sentence

    def __str__(self) -> str:
        return self.sentence


def open_picture(source: Picture) -> Image.Image:
    """Open whatever a person hands over as an upright RGB picture.

    Args:
        source: a path; a `data:` URL; encoded bytes; a binary file object; a PIL image; or a NumPy array (h, w),
            (h, w, 1), (h, w, 3) or (h, w, 4), of uint8, uint16 or floats in [0, 1].

    Returns:
        A new picture in mode RGB and sRGB: EXIF orientation applied, transparency laid on white, an animation's
        first frame. A file that is cut off behind the last pixel of that frame is a picture still.

    Raises:
        ImageError: with code `missing`, `empty`, `unknown-type`, `damaged`, `too-large`, `too-long` or `bad-array`.
    """
    return open_reduced(source, None)[0]


def open_reduced(source: Picture, short_side: int | None) -> tuple[Image.Image, tuple[int, int]]:
    """Open a picture that will be shown small: a camera's JPEG several times sooner.

    Args:
        source: as for `open_picture`.
        short_side: in pixels, at least what a large JPEG may keep of its own: it is decoded at a half, a quarter or an
            eighth of its size then. None keeps all.

    Returns:
        The picture as `open_picture` gives it, and its full width and height in pixels.

    Raises:
        ImageError: as `open_picture`.
    """
    try:
        if isinstance(source, np.ndarray):
            picture = from_array(source)
            return picture, picture.size
        if isinstance(source, Image.Image):
            return upright_rgb(source, "The picture", None)
        name = name_of(source)
        return decode(read_bytes(source, name), name, short_side)
    except ImageError:
        raise
    except Exception as error:  # an object that only pretends to be a path or an array, or no memory left
        raise ImageError("damaged", f"The {type(source).__name__} cannot be opened as a picture.") from error


def name_of(source: Picture) -> str:
    """How an error calls the picture: its file name where it has one, in one line and without hidden characters."""
    if not isinstance(source, (str, os.PathLike)) or is_data_url(source):
        return "The picture"
    path = os.fsdecode(source)
    name = Path(path).name or f"The path {path!r}"
    visible = "".join(character if character.isprintable() else "\ufffd" for character in name)
    return visible if len(visible) <= MAX_NAME else f"{visible[: MAX_NAME - 1]}…"


def read_bytes(source: Picture, name: str) -> bytes:
    """Encoded bytes of a path, `data:` URL, bytes or file object, at most MAX_BYTES."""
    try:
        if is_data_url(source):
            content = from_data_url(source)
        elif isinstance(source, (str, os.PathLike)):
            content = read_file(Path(os.fsdecode(source)), name)
        elif isinstance(source, (bytes, bytearray, memoryview)):
            content = bytes(source)
        elif hasattr(source, "read"):
            content = source.read(MAX_BYTES + 1)
        else:
            raise ImageError(
                "unknown-type",
                f"{type(source).__name__} is not a kind of picture: hand over a path, bytes, an image or an array.",
            )
    except ImageError:
        raise
    except Exception as error:  # a file object may raise anything, and have a `read` of its own kind
        raise ImageError("missing", f"{name} cannot be read: {getattr(error, 'strerror', None) or error}.") from error
    if isinstance(content, (bytearray, memoryview)):
        content = bytes(content)
    if not isinstance(content, bytes):
        raise ImageError("unknown-type", f"{name} is text: open the file in binary mode.")
    if content.startswith(ARCHIVES):  # whatever its size: a smaller one would not do either
        raise ImageError("unknown-type", f"{name} is an archive: unpack it and hand over the pictures in it.")
    if not content:
        raise ImageError("empty", f"{name} is empty: it has no bytes.")
    if len(content) > MAX_BYTES:
        raise ImageError("too-large", f"{name} is larger than {MAX_BYTES // 2**20} MB: hand over a smaller file.")
    return content


def read_file(path: Path, name: str) -> bytes:
    if not path.exists():
        raise ImageError("missing", f"There is no file {name}: check the path.")
    if not path.is_file():  # a folder, a device, a pipe that would never end
        raise ImageError("missing", f"{name} is not a file: hand over a picture file.")
    with path.open("rb") as file:
        return file.read(MAX_BYTES + 1)


def is_data_url(source: Picture) -> bool:
    return isinstance(source, str) and source[:5].lower() == "data:"


def from_data_url(url: str) -> bytes:
    """The bytes of a `data:` URL (RFC 2397)."""
    header, comma, body = url.partition(",")
    if not comma:
        raise ImageError("unknown-type", "The data: URL has no comma: expected data:image/png;base64,....")
    if len(body) > 3 * MAX_BYTES:  # a byte is at most %XX
        raise ImageError(
            "too-large", f"The data: URL is larger than {MAX_BYTES // 2**20} MB: hand over a smaller file."
        )
    raw = unescaped(body)
    if not header.endswith(";base64"):
        return raw
    try:
        return base64.b64decode(raw, validate=False)
    except binascii.Error as error:
        raise ImageError("damaged", "The data: URL is not valid base64: it is cut off or garbled.") from error


def unescaped(text: str) -> bytes:
    """`urllib.parse.unquote_to_bytes`, a part at a time."""
    parts = []
    start = 0
    while start < len(text):
        end = start + ESCAPED_AT_ONCE
        if "%" in text[end - 2 : end]:  # not within an escape
            end = text.index("%", end - 2)
        parts.append(urllib.parse.unquote_to_bytes(text[start:end]))
        start = end
    return b"".join(parts)


def decode(content: bytes, name: str, short_side: int | None) -> tuple[Image.Image, tuple[int, int]]:
    if is_bomb(content):
        raise ImageError("damaged", f"{name} is made to keep a decoder busy: its parts are more than its pixels need.")
    try:
        image = Image.open(io.BytesIO(content), formats=FORMATS)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise too_large(name) from error
    except Exception as error:  # Pillow's plugins raise anything at all on a hostile header
        raise ImageError(
            "unknown-type",
            f"{name} is not a picture that can be read: use JPEG, PNG, WebP, GIF, BMP, TIFF, AVIF or HEIC.",
        ) from error
    return upright_rgb(image, name, short_side)


def upright_rgb(image: Image.Image, name: str, short_side: int | None) -> tuple[Image.Image, tuple[int, int]]:
    """Check the size before a pixel is decoded, then decode, turn and convert: the picture and its full size."""
    check_size(*image.size, name)
    width, height = image.size
    try:
        if short_side is not None:
            share = min(1.0, short_side / min(width, height))
            image.draft(None, (math.ceil(width * share), math.ceil(height * share)))  # of a JPEG; nothing for others
        with decoding_large if width * height > LARGE else nullcontext():
            image.load()
            rgb = to_rgb(image)
            turn = UPRIGHT.get(orientation(image))
            upright = rgb.transpose(turn) if turn is not None else rgb
        upright.info = {}  # or whoever opens the result again would turn it again
        return upright, (height, width) if turn in SWAPS_SIDES else (width, height)
    except Exception as error:  # see decode: OSError, SyntaxError, struct.error, MemoryError, ...
        raise ImageError("damaged", f"{name} is damaged or cut off: it cannot be decoded to the end.") from error


decoding_large = threading.Lock()


def check_size(width: int, height: int, name: str) -> None:
    if width < 1 or height < 1:
        raise ImageError("empty", f"{name} has no pixels: it is {width}x{height}.")
    if width * height > MAX_PIXELS:
        raise too_large(name, f" ({width}x{height})")
    if max(width, height) > MAX_ASPECT * min(width, height):
        raise ImageError("too-long", f"{name} is {width}x{height}: its sides may differ by a factor of {MAX_ASPECT}.")


def too_large(name: str, size: str = "") -> ImageError:
    return ImageError("too-large", f"{name} has more than {MAX_PIXELS // 10**6} megapixels{size}: make it smaller.")


def orientation(image: Image.Image) -> int:
    """The EXIF orientation; 1, upright, where the tag is missing or its block is broken."""
    exif, as_text = image.info.get("exif") or b"", image.info.get("Raw profile type exif") or ""
    if is_exif_bomb(exif) or len(as_text) > MAX_EXIF_TEXT:
        return 1
    try:
        return image.getexif().get(ORIENTATION_TAG, 1)
    except Exception:  # a broken EXIF block spoils no picture
        return 1


def to_rgb(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I") or image.mode == "F":  # 16-bit and float gray: Pillow would clip, not scale
        return Image.fromarray(gray_to_uint8(np.asarray(image))).convert("RGB")
    alpha = None
    if image.has_transparency_data:
        rgba = image.convert("RGBA")
        alpha = rgba.getchannel("A")
        image = image.convert("L") if image.mode in ("LA", "La") else rgba.convert("RGB")
    elif image.mode not in ("RGB", "L", "CMYK", "LAB"):
        image = image.convert("RGB")
    rgb = to_srgb(image)
    if alpha is None:
        return rgb
    white = Image.new("RGB", rgb.size, "white")
    white.paste(rgb, mask=alpha)
    return white


def to_srgb(image: Image.Image) -> Image.Image:
    """RGB, gray, Lab or CMYK by its ICC profile to sRGB; a plain conversion where there is none or it is broken."""
    profile = image.info.get("icc_profile")
    if profile:
        try:
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            if image.mode != "RGB" or "sRGB" not in ImageCms.getProfileDescription(source):
                return ImageCms.profileToProfile(image, source, SRGB, outputMode="RGB")
        except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
            pass  # a profile for another kind of picture, or no profile at all: the numbers are taken for sRGB
    return image.convert("RGB") if image.mode != "RGB" else image.copy()


SRGB = ImageCms.createProfile("sRGB")


def gray_to_uint8(values: np.ndarray) -> np.ndarray:
    """Gray of 16 or 32 bits or float -> uint8. Only 16 bits state their range; for the others it is the smallest of
    1 (float), 255, 65535 and the peak that holds every value."""
    scaled = np.nan_to_num(values.astype(np.float32), copy=False)
    if values.dtype.itemsize == 2:
        full = 65535.0
    else:
        peak = float(scaled.max())
        limits = (1.0, 255.0, 65535.0) if values.dtype.kind == "f" else (255.0, 65535.0)
        full = next((limit for limit in limits if peak <= limit), peak)
    scaled *= 255.0 / full  # in place: one copy of a large picture is enough
    return np.clip(np.round(scaled, out=scaled), 0, 255, out=scaled).astype(np.uint8)


def from_array(array: np.ndarray) -> Image.Image:
    shape = "x".join(map(str, array.shape))
    if array.ndim == 3 and array.shape[2] == 1:
        array = array[:, :, 0]
    if not (array.ndim == 2 or (array.ndim == 3 and array.shape[2] in (3, 4))):
        raise ImageError(
            "bad-array", f"The array is {shape}: expected (height, width), or that with 1, 3 or 4 channels."
        )
    check_size(array.shape[1], array.shape[0], "The array")
    if np.issubdtype(array.dtype, np.floating):
        if not (np.isfinite(array).all() and array.min() >= 0 and array.max() <= 1):
            raise ImageError("bad-array", "The array of floats has values outside [0, 1]: divide by 255 first.")
        array = np.round(array * 255).astype(np.uint8)
    elif array.dtype.kind == "u" and array.dtype.itemsize == 2:  # of either byte order
        array = np.round(array / 257).astype(np.uint8)  # 65535 / 255
    elif array.dtype == np.bool_:
        array = array.astype(np.uint8) * 255
    elif array.dtype != np.uint8:
        raise ImageError("bad-array", f"The array holds {array.dtype}: expected uint8, uint16 or floats in [0, 1].")
    return upright_rgb(Image.fromarray(np.ascontiguousarray(array)), "The array", None)[0]
