"""Anything a person hands over -> an upright RGB picture, or one clear error."""

from __future__ import annotations

import io
import logging
import math
import re
import threading
import warnings
from contextlib import nullcontext

import numpy as np
import pillow_heif
from PIL import Image, ImageCms

from catdog.images.arrays import from_array, gray_to_uint8
from catdog.images.bombs import is_decoding_bomb, is_exif_bomb, is_profile_bomb
from catdog.images.heif import BoxError
from catdog.images.mend import mended
from catdog.images.picture import Decoded, ImageError, Picture, check_size, too_large
from catdog.images.source import name_of, read_bytes

pillow_heif.register_heif_opener()
logging.getLogger("PIL").addHandler(logging.NullHandler())  # its notes reach who listens to them, and not the terminal

LARGE = 2**25  # pixels, above which one picture is decoded at a time: some need ten bytes for each
FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF", "HEIF")

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
MAX_EXIF_TEXT = 2**18  # characters: EXIF as hexadecimal text in an old PNG, at most 64 KB in a JPEG
PLUGINS = re.compile(r"PIL\.\w+ImagePlugin")  # Pillow's modules for a format each

decoding_large = threading.Lock()
SRGB = ImageCms.createProfile("sRGB")


def open_picture(source: Picture) -> Image.Image:
    """Open whatever a person hands over as an upright RGB picture.

    Args:
        source: a path; a `data:` URL; encoded bytes; a binary file object; a PIL image; a NumPy array (h, w),
            (h, w, 1), (h, w, 3) or (h, w, 4), of uint8, uint16 or floats in [0, 1]; or a `Decoded`.

    Returns:
        A new picture in mode RGB and sRGB: EXIF orientation applied, transparency laid on white, an animation's
        first frame. A file that is cut off behind the last pixel of that frame is a picture still. Of a `Decoded`, a
        copy of what it holds.

    Raises:
        ImageError: with code `missing`, `empty`, `unknown-type`, `damaged`, `too-large`, `too-long` or `bad-array`.
    """
    return source.picture.copy() if isinstance(source, Decoded) else open_reduced(source, None).picture


def open_reduced(source: Picture, short_side: int | None) -> Decoded:
    """Open a picture that will be shown small: a camera's JPEG several times sooner.

    Args:
        source: as for `open_picture`. A `Decoded` is returned as it is.
        short_side: in pixels, at least what a large picture may keep of its own: a JPEG is decoded at a half, a quarter or
            an eighth of its size then, others beyond 33 megapixels are made smaller before their colors are converted.
            None keeps all.

    Raises:
        ImageError: as `open_picture`.
        ValueError: for a `Decoded` that keeps less than `short_side`.
    """
    if isinstance(source, Decoded):
        kept = min(source.picture.size)
        if source.picture.size != source.size and (short_side is None or kept < short_side):
            raise ValueError(
                f"The picture was reduced to {kept} pixels on its short side, which is too few: open it with "
                f"short_side={short_side}."
            )
        return source
    try:
        silence_plugins()
        if isinstance(source, np.ndarray):
            return upright_rgb(from_array(source), "The array", None)
        if isinstance(source, Image.Image):
            return upright_rgb(source, "The picture", None)
        name = name_of(source)
        return decode(read_bytes(source, name), name, short_side)
    except ImageError:
        raise
    except Exception as error:  # an object that only pretends to be a path or an array, or no memory left
        raise ImageError("damaged", f"The {type(source).__name__} cannot be opened as a picture.") from error


def silence_plugins() -> None:
    """Keep what Pillow's plugins warn of, such as odd EXIF, from the user: a picture opens or is refused in our words.

    The filter holds for the whole process, but for these modules alone, so it is put before the user's own ones, which
    may turn every warning into an error. `warnings.catch_warnings` would put back the filters that other threads
    changed meanwhile. Pillow's warning of a bomb stays for those who ask for it: they may rely on it elsewhere.
    """
    if not warnings.filters or warnings.filters[0][3] != PLUGINS:
        warnings.filterwarnings("ignore", module=PLUGINS.pattern)
        warnings.filterwarnings("ignore", category=Image.DecompressionBombWarning, append=True)


def decode(content: bytes, name: str, short_side: int | None) -> Decoded:
    try:
        is_bomb = is_decoding_bomb(content)
    except BoxError as error:
        raise ImageError("damaged", f"{name} is damaged or cut off: {error}.") from error
    if is_bomb:
        raise ImageError("damaged", f"{name} is made to keep a decoder busy: its parts are more than its pixels need.")
    try:
        return upright_rgb(opened(content, name), name, short_side)
    except ImageError as error:
        if error.code not in ("damaged", "unknown-type"):
            raise
        with decoding_large:  # it decodes twice
            whole = mended(content)
        if whole is None:
            raise
    return upright_rgb(opened(whole, name), name, short_side)


def opened(content: bytes, name: str) -> Image.Image:
    """With its header read, and no pixel decoded."""
    try:
        return Image.open(io.BytesIO(content), formats=FORMATS)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise too_large(name) from error
    except Exception as error:  # Pillow's plugins raise anything at all on a hostile header
        raise ImageError(
            "unknown-type",
            f"{name} is not a picture that can be read: use JPEG, PNG, WebP, GIF, BMP, TIFF, AVIF or HEIC.",
        ) from error


def upright_rgb(image: Image.Image, name: str, short_side: int | None) -> Decoded:
    """Check the size before a pixel is decoded, then decode, turn and convert."""
    check_size(*image.size, name)
    width, height = image.size
    try:
        if short_side is not None:
            share = min(1.0, short_side / min(width, height))
            image.draft(None, (math.ceil(width * share), math.ceil(height * share)))  # of a JPEG; nothing for others
        with decoding_large if width * height > LARGE else nullcontext():
            image.load()
            times = 1 if short_side is None or width * height <= LARGE else max(1, min(image.size) // short_side)
            rgb = to_rgb(image, times)
            turn = UPRIGHT.get(orientation(image))
            upright = rgb.transpose(turn) if turn is not None else rgb
        upright.info = {}  # or whoever opens the result again would turn it again
        return Decoded(upright, (height, width) if turn in SWAPS_SIDES else (width, height))
    except Exception as error:  # see opened: OSError, SyntaxError, struct.error, MemoryError, ...
        raise ImageError("damaged", f"{name} is damaged or cut off: it cannot be decoded to the end.") from error


def orientation(image: Image.Image) -> int:
    """The EXIF orientation; 1, upright, where the tag is missing or its block is broken."""
    exif, as_text = image.info.get("exif") or b"", image.info.get("Raw profile type exif") or ""
    if is_exif_bomb(exif) or len(as_text) > MAX_EXIF_TEXT:
        return 1
    try:
        return image.getexif().get(ORIENTATION_TAG, 1)
    except Exception:  # a broken EXIF block spoils no picture
        return 1


def to_rgb(image: Image.Image, times: int) -> Image.Image:
    """On white, in sRGB, and so many times smaller, before its colors are converted: that is the slowest part."""
    if image.mode.startswith("I") or image.mode == "F":  # 16-bit and float gray: Pillow would clip, not scale
        return Image.fromarray(gray_to_uint8(np.asarray(image))).convert("RGB").reduce(times)
    alpha = None
    if image.has_transparency_data:
        rgba = image.convert("RGBA")
        if times > 1:
            rgba = rgba.convert("RGBa").reduce(times).convert("RGBA")  # colors that are not seen do not count
        alpha = rgba.getchannel("A")
        image = rgba.convert("L" if image.mode in ("LA", "La") else "RGB")
    elif image.mode not in ("RGB", "L", "CMYK", "LAB"):
        image = image.convert("RGB")
    if alpha is None and times > 1:
        image = image.reduce(times)
    rgb = to_srgb(image)
    if alpha is None:
        return rgb
    white = Image.new("RGB", rgb.size, "white")
    white.paste(rgb, mask=alpha)
    return white


def to_srgb(image: Image.Image) -> Image.Image:
    """RGB, gray, Lab or CMYK by its ICC profile to sRGB; a plain conversion where there is none, or it is broken or made to
    keep a processor busy."""
    profile = image.info.get("icc_profile")
    if profile and not is_profile_bomb(profile):
        try:
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            if image.mode != "RGB" or "sRGB" not in ImageCms.getProfileDescription(source):
                return ImageCms.buildTransform(source, SRGB, image.mode, "RGB").apply(image)
        except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
            pass  # a profile for another kind of picture, or no profile at all: the numbers are taken for sRGB
    return image.convert("RGB") if image.mode != "RGB" else image.copy()
