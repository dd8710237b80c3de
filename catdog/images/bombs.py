"""Small files that would keep a decoder busy for minutes, or fill the memory: told by a look at their parts."""

from __future__ import annotations

import re

import numpy as np

from catdog.images.heif import pixels_to_decode

MAX_SCANS = 64  # of a JPEG: encoders write a dozen; each costs a pass over all pixels, and a few bytes
MAX_PARTS = 100_000  # segments of a JPEG, chunks of a PNG: a few microseconds each
MAX_GIF_BLOCKS = 5_000  # before the first frame: Pillow copies a comment again for each of its blocks of 255 bytes
MAX_NUMBERS = 2**21  # in one TIFF tag: more than the smallest tiles of the largest picture
MAX_CLAIM = 2**24  # bytes that tags may claim in any case: random ones soon claim more than a small file has
MAX_METADATA = 64  # segments of a JPEG with EXIF, or with Photoshop's resources, 64 KB each: Pillow goes through them
MAX_RUNS = 2**21  # pixels of a BMP in runs, which Pillow unpacks in Python: a quarter of a second
MAX_TILE_PIXELS = 2**24  # libtiff unpacks whole tiles, however little of them lies within the picture
MAX_TILE_SHARE = 4  # of larger pictures: how many times their pixels all tiles may have
MAX_PROFILE = 2**24  # bytes of an ICC profile: printers' have a few million
MAX_PROFILE_TAGS = 100  # Little CMS reads no more

JPEG_MARKER = re.compile(rb"\xff[\x01-\xcf\xd8-\xfe]")  # no stuffed zero, no restart, no fill byte
JPEG_SCAN, JPEG_END, JPEG_EXIF, JPEG_PHOTOSHOP = 0xDA, 0xD9, 0xE1, 0xED
EXIF_PREFIX = re.compile(rb"\A(?:Exif\0\0)+")
EXIF_START = re.compile(rb"II\*\0|MM\0\*")
BMP_COMPRESSIONS = (1, 2)  # runs of bytes, of half bytes
JPEG_BARE = {0x01, 0xD8}  # markers without a length
TIFF_WIDTH, TIFF_LENGTH, TIFF_TILE_WIDTH, TIFF_TILE_LENGTH = 256, 257, 322, 323
TIFF_UNITS = np.zeros(2**16, np.uint64)  # bytes of a value, by the tag's type (TIFF 6.0, section 2; BigTIFF)
TIFF_UNITS[1:19] = 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8, 4, 0, 0, 8, 8, 8


def is_decoding_bomb(content: bytes) -> bool:
    """Whether an encoded picture costs far more to decode than its pixels account for.

    Raises:
        BoxError: where that cannot be told of a HEIF or AVIF file.
    """
    if content.startswith(b"\xff\xd8"):
        return is_jpeg_bomb(content)
    if content.startswith(b"\x89PNG"):
        return is_png_bomb(content)
    if content.startswith(b"GIF8"):
        return is_gif_bomb(content)
    if content.startswith(b"BM"):
        return is_bmp_bomb(content)
    if content[4:8] == b"ftyp":
        return is_heif_bomb(content)
    return content[:2] in (b"II", b"MM") and is_tag_bomb(content)


def is_jpeg_bomb(content: bytes) -> bool:
    scans = parts = photoshop = 0
    exif = []
    place = 2
    while found := JPEG_MARKER.search(content, place):
        kind, place = content[found.start() + 1], found.end()
        if kind == JPEG_END:
            break
        if kind in JPEG_BARE:
            continue
        end = place + int.from_bytes(content[place : place + 2], "big")
        if kind == JPEG_EXIF and content[place + 2 : place + 8] == b"Exif\0\0":
            exif.append(content[place + 8 : end])
        parts += 1
        scans += kind == JPEG_SCAN
        photoshop += kind == JPEG_PHOTOSHOP
        if scans > MAX_SCANS or parts > MAX_PARTS or max(len(exif), photoshop) > MAX_METADATA:
            return True
        place = end
    return is_exif_bomb(b"".join(exif))


def is_png_bomb(content: bytes) -> bool:
    place = 8
    for _ in range(MAX_PARTS):
        if place >= len(content):
            return False
        place += 12 + int.from_bytes(content[place : place + 4], "big")
    return True


def is_gif_bomb(content: bytes) -> bool:
    """Count the blocks of the extensions that stand before the first frame."""

    def table(flags: int) -> int:  # bytes of a color table
        return 3 * 2 ** ((flags & 7) + 1) if flags & 0x80 else 0

    place = 13 + table(content[10] if len(content) > 10 else 0)
    blocks = 0
    while place < len(content) and content[place] != ord(","):
        place += 1
        if content[place - 1] != ord("!"):
            continue  # Pillow, too, looks on from the next byte
        place += 1  # the extension's label
        while place < len(content) and content[place]:
            place += 1 + content[place]
            blocks += 1
            if blocks > MAX_GIF_BLOCKS:
                return True
        place += 1
    return False


def is_bmp_bomb(content: bytes) -> bool:
    """Of a bitmap in runs, where a few bytes stand for a line: whether it has many pixels."""
    header = content[14:34]  # its size, width, height, planes, bits, compression (BITMAPINFOHEADER)
    if len(header) < 20 or int.from_bytes(header[16:20], "little") not in BMP_COMPRESSIONS:
        return False
    width, height = (int.from_bytes(header[place : place + 4], "little", signed=True) for place in (4, 8))
    return abs(width * height) > MAX_RUNS


def is_heif_bomb(content: bytes) -> bool:
    """Of HEIF and AVIF: whether they are put together from far more than they show, or their EXIF block, which may stand
    anywhere, is one; whatever begins like one is looked at.

    Raises:
        BoxError: where it cannot be followed what they are put together from.
    """
    decoded, shown = pixels_to_decode(content)
    if decoded > max(MAX_TILE_PIXELS, MAX_TILE_SHARE * shown):
        return True
    view = memoryview(content)
    starts = [found.start() for found, _ in zip(EXIF_START.finditer(content), range(MAX_METADATA))]
    return len(starts) == MAX_METADATA or any(is_tag_bomb(view[start:]) for start in starts)


def is_exif_bomb(block: bytes) -> bool:
    return is_tag_bomb(EXIF_PREFIX.sub(b"", block))


def is_tag_bomb(block: bytes | memoryview) -> bool:
    """Whether the first directory of a TIFF file or an EXIF block claims more than there is.

    Pillow copies what every tag points to. In an honest file no two tags share their bytes, so that together they have
    fewer than the file.
    """
    order = "<" if block[:2] == b"II" else ">"
    big = block[2:4] in (b"+\0", b"\0+")
    field = 8 if big else 4  # bytes of a count, of an offset, of a value that stands in its place
    tag = np.dtype(
        [("tag", f"{order}u2"), ("type", f"{order}u2"), ("count", f"{order}u{field}"), ("value", f"V{field}")]
    )
    try:
        [start] = np.frombuffer(block, f"{order}u{field}", 1, field)
        number = np.dtype(f"{order}u{8 if big else 2}")
        [tags] = np.frombuffer(block, number, 1, int(start))
        start = int(start) + number.itemsize
        directory = np.frombuffer(block, tag, min(int(tags), (len(block) - start) // tag.itemsize), start)
    except ValueError:  # it ends before its directory
        return False
    units = TIFF_UNITS[directory["type"]]
    sizes = units * np.minimum(directory["count"].astype(np.uint64), len(block) + 1)
    offsets = np.frombuffer(directory["value"].tobytes(), f"{order}u{field}")
    copied = (sizes > field) & (sizes <= len(block)) & (offsets <= len(block) - np.minimum(sizes, len(block)))
    if (
        sizes[copied].sum() > max(len(block), MAX_CLAIM)
        or (directory["count"][copied & (units > 1)] > MAX_NUMBERS).any()
    ):
        return True
    byte_order = "little" if order == "<" else "big"
    numbers: dict[int, int] = dict.fromkeys((TIFF_WIDTH, TIFF_LENGTH, TIFF_TILE_WIDTH, TIFF_TILE_LENGTH), 0)
    for index in np.flatnonzero(np.isin(directory["tag"], list(numbers))):
        place, size = int(offsets[index]), int(units[index])
        value = block[place : place + size] if size > field else directory["value"][index].tobytes()[:size]
        name = int(directory["tag"][index])
        numbers[name] = max(numbers[name], int.from_bytes(value, byte_order))
    width, length, tile_width, tile_length = numbers.values()
    tiles = (width + tile_width) * (length + tile_length) if tile_width and tile_length else 0
    return tile_width * tile_length > MAX_TILE_PIXELS or tiles > max(MAX_TILE_PIXELS, MAX_TILE_SHARE * width * length)


def is_profile_bomb(profile: bytes) -> bool:
    """Whether an ICC profile makes a chain of elements of every pixel ("mpet", ICC.1:2010, section 10.14), which may be of any
    length: a few hundred bytes, once compressed, have thousands of curves. Matrices and tables cost about the same always."""
    count = int.from_bytes(profile[128:132], "big")
    if len(profile) > MAX_PROFILE or count > MAX_PROFILE_TAGS:
        return True
    offsets = [int.from_bytes(profile[place : place + 4], "big") for place in range(136, 136 + 12 * count, 12)]
    return any(profile[offset : offset + 4] == b"mpet" for offset in offsets)
