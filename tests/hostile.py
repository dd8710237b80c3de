"""Malformed and hostile pictures, made from small honest ones: name -> what is handed over."""

from __future__ import annotations

import base64
import io
import re
import struct
import zlib
from collections.abc import Callable

import numpy as np
import pillow_heif
from PIL import Image, ImageCms

pillow_heif.register_heif_opener()

FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF", "HEIF")
PICTURE = Image.fromarray(
    (np.kron(np.arange(24).reshape(4, 6, 1) * 10, np.ones((8, 8, 1))) + np.array([0, 7, 25])).astype(np.uint8)
)
SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
Cases = dict[str, Callable[[], object]]


def encoded(format: str, picture: Image.Image = PICTURE, **options) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, format, **options)
    return buffer.getvalue()


def chunk(kind: bytes, content: bytes = b"") -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def png(width: int, height: int, *chunks: bytes, depth: int = 8, color: int = 2) -> bytes:
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, color, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + b"".join(chunks) + chunk(b"IEND")


def with_chunks(*chunks: bytes) -> bytes:
    """An honest PNG with more in front of its pixels."""
    content = encoded("PNG")
    return content[:33] + b"".join(chunks) + content[33:]


def segment(kind: int, content: bytes) -> bytes:
    return bytes([0xFF, kind]) + struct.pack(">H", len(content) + 2) + content


def with_segments(*segments: bytes) -> bytes:
    """An honest JPEG with more in front of its pixels, and without its JFIF segment."""
    content = encoded("JPEG")
    return content[:2] + b"".join(segments) + content[20:]


def tiff(tags: list[tuple[int, int, int, int | str]], data: bytes = b"", following: int = 0) -> bytes:
    """Little endian: tags of (number, type, count, value), "data" being the place of what follows the directory."""
    start = 8 + 2 + 12 * len(tags) + 4
    entries = (struct.pack("<HHII", *tag[:3], start if tag[3] == "data" else tag[3]) for tag in sorted(tags))
    return b"II*\0\x08\0\0\0" + struct.pack("<H", len(tags)) + b"".join(entries) + struct.pack("<I", following) + data


def gray_tiff(width: int, height: int, *more: tuple, data: bytes = b"", **options) -> bytes:
    tags = [(256, 4, 1, width), (257, 4, 1, height), (258, 3, 1, 8), (259, 3, 1, 1), (262, 3, 1, 1), (277, 3, 1, 1)]
    tags = [tag for tag in tags if tag[0] not in {each[0] for each in more}]
    return tiff([*tags, *more], data, **options)


def exif(*tags: tuple[int, int, int, int]) -> bytes:
    return b"Exif\0\0" + tiff(list(tags))


def overlapping_tags(count: int = 600, size: int = 2_000_000) -> bytes:
    """A block of two megabytes whose tags claim a gigabyte: each points to all of it."""
    return tiff([(1000 + index, 7, size, 8) for index in range(count)]) + bytes(size)


def gif(*blocks: bytes, size: tuple[int, int] = (48, 32)) -> bytes:
    """The colors of an honest GIF, then blocks of any kind."""
    content = encoded("GIF")
    colors = 13 + 3 * 2 ** ((content[10] & 7) + 1)
    return b"GIF89a" + struct.pack("<HH", *size) + content[10:colors] + b"".join(blocks)


def gif_frame() -> bytes:
    content = encoded("GIF")
    return content[13 + 3 * 2 ** ((content[10] & 7) + 1) : -1]


def webp_of_frames(count: int) -> bytes:
    """An animation: the honest picture, then one pixel so many times (WebP container specification, "Animation")."""

    def part(kind: bytes, content: bytes) -> bytes:
        return kind + struct.pack("<I", len(content)) + content + bytes(len(content) % 2)

    def frame(picture: Image.Image) -> bytes:
        return part(b"ANMF", bytes(6) + size(picture) + b"\x0a\0\0\0" + encoded("WEBP", picture, lossless=True)[12:])

    def size(picture: Image.Image) -> bytes:
        return b"".join((side - 1).to_bytes(3, "little") for side in picture.size)

    head = b"WEBP" + part(b"VP8X", b"\x02\0\0\0" + size(PICTURE)) + part(b"ANIM", bytes(6))
    return part(b"RIFF", head + frame(PICTURE) + frame(Image.new("RGB", (1, 1))) * count)


def bomb_in_a_tile(side: int = 12_000) -> bytes:
    """100x100 pixels of a tile of 144 million: 140 KB."""
    packer = zlib.compressobj(9)
    data = b"".join(packer.compress(bytes(side)) for _ in range(side)) + packer.flush()
    return gray_tiff(
        100,
        100,
        (259, 3, 1, 8),
        (322, 4, 1, side),
        (323, 4, 1, side),
        (324, 4, 1, "data"),
        (325, 4, 1, len(data)),
        data=data,
    )


def thin_tiles() -> bytes:
    """4000x300 pixels in 250 tiles of 16x2^20, four billion pixels: 16 MB of each pack to 16 KB."""
    packer = zlib.compressobj(9)
    data = packer.compress(bytes(2**24)) + packer.flush()
    return gray_tiff(
        4_000,
        300,
        (259, 3, 1, 8),
        (322, 4, 1, 16),
        (323, 4, 1, 2**20),
        (324, 4, 250, "data"),
        (325, 4, 250, 1_134),
        data=struct.pack("<250I", *[2_134] * 250) + struct.pack("<250I", *[len(data)] * 250) + data,
    )


def with_profile_tag(signature: bytes, content: bytes) -> bytes:
    """An ICC profile for sRGB with one more tag."""
    count = int.from_bytes(SRGB[128:132], "big")
    table, rest = SRGB[132 : 132 + 12 * count], SRGB[132 + 12 * count :]
    shifted = b"".join(
        table[place : place + 4]
        + struct.pack(">I", int.from_bytes(table[place + 4 : place + 8], "big") + 12)
        + table[place + 8 : place + 12]
        for place in range(0, len(table), 12)
    )
    own = struct.pack(">4sII", signature, len(SRGB) + 12, len(content))
    rest = rest.replace(b"\0s\0R\0G\0B", b"\0n\0o\0n\0e")  # by its name it would be known and not used
    body = struct.pack(">I", count + 1) + shifted + own + rest + content
    return struct.pack(">I", 128 + len(body)) + SRGB[4:128] + body


def chain_of_curves(count: int) -> bytes:
    """A profile that gives every pixel `count` sets of three curves, all of them the same: 8 bytes each, which pack well."""
    segment = b"parf" + bytes(4) + struct.pack(">HHffff", 0, 0, 1.0, 1.0, 0.0, 0.0)
    curve = b"curf" + bytes(4) + struct.pack(">HH", 1, 0) + segment
    element = b"cvst" + bytes(4) + struct.pack(">HH", 3, 3) + struct.pack(">II", 36, len(curve)) * 3 + curve
    place = 16 + 8 * count
    table = struct.pack(">II", place, len(element)) * count
    return with_profile_tag(b"D2B0", b"mpet" + bytes(4) + struct.pack(">HHI", 3, 3, count) + table + element)


def box(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I4s", 8 + len(content), kind) + content


def heic_grid(tile: tuple[int, int], rows: int, columns: int, shown: tuple[int, int]) -> bytes:
    """A picture put together from one tile, again and again."""
    coded = encoded("HEIF", Image.new("RGB", tile, (120, 130, 140)), quality=10)
    meta = coded.index(b"meta") - 4
    config = coded[(start := coded.index(b"hvcC") - 4) : start + int.from_bytes(coded[start : start + 4], "big")]
    mdat = coded.index(b"mdat")
    data = coded[mdat + 4 : mdat - 4 + int.from_bytes(coded[mdat - 4 : mdat], "big")]
    sizes = [box(b"ispe", struct.pack(">III", 0, *each)) for each in (shown, tile)]
    kinds = [
        box(b"infe", struct.pack(">IHH4sB", 2 << 24, number, 0, kind, 0))
        for number, kind in ((1, b"grid"), (2, b"hvc1"))
    ]
    grid = struct.pack(">BBBBII", 0, 1, rows - 1, columns - 1, *shown)

    def file(place: int) -> bytes:
        places = struct.pack(">IHHHHHII", 0, 0x4400, 2, 1, 0, 1, place, len(grid))
        places += struct.pack(">HHHII", 2, 0, 1, place + len(grid), len(data))
        associations = struct.pack(">IIHBBHBBB", 0, 2, 1, 1, 1, 2, 2, 2, 0x83)
        content = (
            box(b"hdlr", bytes(8) + b"pict" + bytes(13))
            + box(b"pitm", struct.pack(">IH", 0, 1))
            + box(b"iinf", struct.pack(">IH", 0, 2) + b"".join(kinds))
            + box(b"iref", bytes(4) + box(b"dimg", struct.pack(">HH", 1, rows * columns) + b"\0\2" * rows * columns))
            + box(b"iprp", box(b"ipco", b"".join(sizes) + config) + box(b"ipma", associations))
            + box(b"iloc", places)
        )
        return coded[:meta] + box(b"meta", bytes(4) + content) + box(b"mdat", grid + data)

    return file(len(file(0)) - len(grid) - len(data))


def many_scans(count: int = 5_000) -> bytes:
    """A progressive JPEG that goes over its pixels again and again."""
    content = encoded("JPEG", Image.new("L", (2_000, 2_000), 128), progressive=True)
    last, end = content.rindex(b"\xff\xda"), content.rindex(b"\xff\xd9")
    return content[:end] + content[last:end] * count + content[end:]


def resized(format: str, width: int, height: int) -> bytes:
    """A picture whose header says that it is this large; its pixels are those of a small one."""
    content = bytearray(encoded(format))
    if format == "JPEG":
        place = re.search(rb"\xff\xc0", content).start()
        struct.pack_into(">HH", content, place + 5, height, width)
    elif format == "PNG":
        struct.pack_into(">II", content, 16, width, height)
        struct.pack_into(">I", content, 29, zlib.crc32(content[12:29]))
    elif format == "GIF":
        struct.pack_into("<HH", content, 6, width, height)
        place = content.index(b",")
        struct.pack_into("<HH", content, place + 5, width, height)
    elif format == "BMP":
        struct.pack_into("<ii", content, 18, width, height)
    elif format == "WEBP":
        frame = bytes(content[12:])
        header = b"\0\0\0\0" + (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
        body = b"WEBPVP8X" + struct.pack("<I", 10) + header + frame
        return b"RIFF" + struct.pack("<I", len(body)) + body
    elif format == "TIFF":
        return gray_tiff(width, height, (273, 4, 1, "data"), (279, 4, 1, 100), data=bytes(100))
    else:  # AVIF, HEIF: the box with the picture's size
        for found in re.finditer(b"ispe", content):
            struct.pack_into(">II", content, found.start() + 8, width, height)
    return bytes(content)


def to_be_cut() -> dict[str, bytes]:
    """Small honest files with parts of every kind: markers, chunks, blocks, directories, frames."""

    def frames() -> dict:  # new ones each time: a save leaves options behind in them
        return {"save_all": True, "append_images": [small.rotate(90), small.rotate(180)]}

    small = PICTURE.resize((16, 12))
    alpha = small.convert("RGBA")
    alpha.putalpha(Image.linear_gradient("L").resize(small.size))
    more = {"exif": exif((274, 3, 1, 6)), "icc_profile": SRGB}
    return {
        "JPEG": encoded("JPEG", small, comment=b"a", quality=75, restart_marker_rows=1, **more),
        "JPEG, progressive": encoded("JPEG", small, progressive=True, **more),
        "JPEG, two in an MPO": encoded("MPO", small, **frames()),
        "PNG": encoded("PNG", alpha, **more),
        "PNG, palette": encoded("PNG", small.quantize(16), transparency=3),
        "PNG, animated": encoded("PNG", small, **frames()),
        "WebP": encoded("WEBP", alpha, **more),
        "WebP, lossless": encoded("WEBP", alpha, lossless=True),
        "WebP, animated": encoded("WEBP", small, **frames()),
        "GIF": encoded("GIF", small.quantize(16), comment=b"a" * 300),
        "GIF, animated": encoded("GIF", small.quantize(16), **frames()),
        "BMP": encoded("BMP", small),
        "BMP, palette": encoded("BMP", small.quantize(16)),
        "TIFF": encoded("TIFF", small, **more),
        "TIFF, compressed strips": encoded("TIFF", small, compression="tiff_lzw", strip_size=96),
        "TIFF, three pages": encoded("TIFF", small.copy(), compression="tiff_deflate", **frames()),
        "AVIF": encoded("AVIF", alpha, **more),
        "HEIF": encoded("HEIF", alpha, **more),
    }


def cut_at_parts(format: str) -> Cases:
    """Cut off where about a dozen of the file's parts begin."""
    content = encoded(format, **({"progressive": True} if format == "JPEG" else {}))
    mark = {
        "JPEG": rb"\xff[\xc0-\xfe]",
        "PNG": b"....(?=IHDR|IDAT|IEND)",
        "GIF": b"[,!;]",
        "WEBP": b"RIFF|WEBP|VP8",
        "TIFF": b"II|\x00\x01|\x01\x01",
        "BMP": rb"BM|\x28\x00",
    }.get(format, b"ftyp|meta|iinf|iprp|ispe|mdat|iloc")
    places = sorted({found.start() for found in re.finditer(mark, content, re.DOTALL)})
    places = places[:: max(1, len(places) // 12)]
    return {f"cut/{format} at {place + 2}": (lambda end=place + 2: content[:end]) for place in places}


def cases() -> Cases:
    """All of them; `kind/name`."""
    found: Cases = {}
    for format in FORMATS:
        found |= cut_at_parts(format)
        found[f"bomb/{format} of 60000x60000"] = lambda format=format: resized(
            format, *((60_000, 60_000) if format != "WEBP" else (16_383, 16_383))
        )
        found[f"strip/{format} of 1x60000"] = lambda format=format: resized(
            format, 1, 60_000 if format != "WEBP" else 16_383
        )
        found[f"size/{format} of 400x300 with the pixels of 48x32"] = lambda format=format: resized(format, 400, 300)
        if format != "WEBP":
            found[f"nothing/{format} of 0x0"] = lambda format=format: resized(format, 0, 0)
        found[f"garbage/{format} followed by zeros"] = lambda format=format: encoded(format)[:24] + bytes(5_000)
        found[f"garbage/{format} with its middle turned over"] = lambda format=format: turned_over(encoded(format))
    groups = (
        bombs,
        bitmaps,
        boxes,
        svgs,
        depths,
        inks,
        profiles,
        exifs,
        animations,
        polyglots,
        chunks,
        tiffs,
        data_urls,
    )
    for group in (*groups, arrays):
        found |= {f"{group.__name__}/{name}": make for name, make in group().items()}
    return found | {f"objects/{name}": make for name, make in objects().items()}


def turned_over(content: bytes) -> bytes:
    third = len(content) // 3
    return content[:third] + content[third : 2 * third][::-1] + content[2 * third :]


def bmp(
    width: int, height: int, rows: bytes, bits: int = 8, compression: int = 0, colors: int = 256, start: int = 0
) -> bytes:
    header = struct.pack("<IiiHHIIiiII", 40, width, height, 1, bits, compression, len(rows), 0, 0, colors, 0)
    start = start or 14 + len(header) + 1024
    return b"BM" + struct.pack("<IHHI", start + len(rows), 0, 0, start) + header + bytes(1024) + rows


def runs(side: int) -> bytes:
    """A pixel and an end of line in each row."""
    return b"\1\1\0\0" * (side - 1) + b"\1\1\0\1"


def bitmaps() -> Cases:
    gray = bytes(48 * 32)
    return {
        "from the top down": lambda: bmp(48, -32, gray),
        "of no bits": lambda: bmp(48, 32, gray, bits=0),
        "of a width below zero": lambda: bmp(-48, 32, gray),
        "of four billion colors": lambda: bmp(48, 32, gray, colors=2**32 - 1),
        "of unknown compression": lambda: bmp(48, 32, gray, compression=77),
        "whose pixels lie beyond its end": lambda: bmp(48, 32, gray, start=2**31),
        "in runs": lambda: bmp(100, 100, runs(100), compression=1),
        "in runs that leave the picture": lambda: bmp(100, 100, b"\0\2\xff\xff" * 1_000, compression=1),
        "in runs without an end": lambda: bmp(100, 100, b"\xff\1" * 10_000, compression=1),
        "in runs of half bytes": lambda: bmp(100, 100, runs(100), bits=4, compression=2, colors=16),
    }


def boxes() -> Cases:
    """Of HEIF and AVIF, which are boxes within boxes: length, kind, content."""
    return {
        f"{format}, {name}": lambda format=format, change=change: change(encoded(format))
        for format in ("HEIF", "AVIF")
        for name, change in {
            "the first box of no length": lambda content: bytes(4) + content[4:],
            "the first box of four billion bytes": lambda content: b"\xff\xff\xff\xff" + content[4:],
            "a box within itself": lambda content: content.replace(b"iprp", b"meta", 1),
            "a hundred thousand empty boxes": lambda content: content[:32] + b"\0\0\0\x08free" * 100_000 + content[32:],
            "of another brand": lambda content: content[:8] + b"qt  " + content[12:],
        }.items()
    }


def bombs() -> Cases:
    return {
        "BMP of runs, 89 million pixels in 39 KB": lambda: bmp(9_450, 9_450, runs(9_450), compression=1),
        "PNG at the limits of its header": lambda: png(2**31 - 1, 2**31 - 1, chunk(b"IDAT", zlib.compress(b""))),
        "PNG of zeros, 60 million pixels in 60 KB": lambda: png(
            8_000, 7_500, chunk(b"IDAT", zlib.compress(bytes(60_000_000), 9)), depth=8, color=0
        ),
        "PNG text that unpacks to 100 MB": lambda: with_chunks(
            chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(100 << 20), 9))
        ),
        "PNG profile that unpacks to 100 MB": lambda: with_chunks(
            chunk(b"iCCP", b"a\0\0" + zlib.compress(bytes(100 << 20), 9))
        ),
        "TIFF tile far larger than the picture": bomb_in_a_tile,
        "TIFF tiles far higher than the picture": thin_tiles,
        "HEIC of one tile 256 times": lambda: heic_grid((8_192, 8_192), 16, 16, (9_000, 9_000)),
        "HEIC of one tile far larger than its place": lambda: heic_grid((8_192, 8_192), 1, 1, (100, 100)),
        "TIFF tags that share their bytes": overlapping_tags,
        "JPEG of 5000 scans": many_scans,
        "JPEG of 200000 segments": lambda: with_segments(segment(0xFE, b"a") * 200_000),
        "GIF comment of 100000 blocks": lambda: gif(b"!\xfe", b"\x01a" * 100_000, b"\0", gif_frame(), b";"),
        "GIF of 100000 comments": lambda: gif(b"!\xfe\x01a\0" * 100_000, gif_frame(), b";"),
        "GIF frame far larger than its screen": lambda: gif(
            b"," + struct.pack("<HHHHB", 0, 0, 65_535, 65_535, 0), b"\x08\x01\x01\0;", size=(1, 1)
        ),
        "TIFF of one strip a pixel": lambda: gray_tiff(
            2_000,
            2_000,
            (273, 4, 4_000_000, "data"),
            (279, 4, 4_000_000, "data"),
            (278, 4, 1, 1),
            data=bytes(16_000_000),
        ),
    }


def svgs() -> Cases:
    laughs = "".join(f'<!ENTITY l{i} "{f"&l{i - 1};" * 10}">' for i in range(1, 10))
    return {
        "plain": lambda: b"<svg xmlns='http://www.w3.org/2000/svg' width='9' height='9'/>",
        "a billion laughs": lambda: f'<!DOCTYPE svg [<!ENTITY l0 "ha">{laughs}]><svg>&l9;</svg>'.encode(),
        "a file of the machine": lambda: (
            b'<!DOCTYPE svg [<!ENTITY x SYSTEM "file:///etc/passwd">]><svg><text>&x;</text></svg>'
        ),
        "as a data: URL": lambda: "data:image/svg+xml,<svg onload='alert(1)'/>",
        "named PNG by its magic": lambda: b"\x89PNG\r\n\x1a\n<svg/>",
    }


def depths() -> Cases:
    wide = np.arange(48 * 32, dtype=np.uint16).reshape(32, 48) * 40
    return {
        "PNG of 16 bits gray": lambda: encoded("PNG", Image.fromarray(wide)),
        "PNG of 16 bits RGB": lambda: png(4, 1, chunk(b"IDAT", zlib.compress(b"\0" + bytes(range(24)))), depth=16),
        "PNG of 16 bits, alpha": lambda: png(2, 1, chunk(b"IDAT", zlib.compress(b"\0" + bytes(16))), depth=16, color=6),
        "PNG of 3 bits": lambda: png(2, 1, chunk(b"IDAT", zlib.compress(b"\0" * 9)), depth=3),
        "PNG of color type 7": lambda: png(2, 1, chunk(b"IDAT", zlib.compress(b"\0" * 9)), color=7),
        "TIFF of 16 bits": lambda: encoded("TIFF", Image.fromarray(wide)),
        "TIFF of 32 bits": lambda: encoded("TIFF", Image.fromarray(wide.astype(np.int32) * -70_000)),
        "TIFF of floats with NaN and infinities": lambda: encoded(
            "TIFF", Image.fromarray(np.array([[np.nan, np.inf, -np.inf, 1e38]], np.float32))
        ),
        "TIFF of 999 bits": lambda: gray_tiff(
            4, 4, (258, 3, 1, 999), (273, 4, 1, "data"), (279, 4, 1, 16), data=bytes(16)
        ),
        "BMP of 64 bits": lambda: encoded("BMP")[:28] + b"\x40\0" + encoded("BMP")[30:],
    }


def inks() -> Cases:
    cmyk = encoded("JPEG", PICTURE.convert("CMYK"))

    def adobe(transform: int) -> Callable[[], bytes]:
        marker = segment(0xEE, b"Adobe\0\x64\0\0\0\0" + bytes([transform]))
        without = re.sub(rb"\xff\xee\0\x0eAdobe.{7}", b"", cmyk, flags=re.DOTALL)
        return lambda: without[:2] + marker + without[2:]

    return {
        **{f"CMYK, Adobe transform {transform}": adobe(transform) for transform in (0, 1, 2, 255)},
        "RGB, Adobe transform 2": lambda: with_segments(segment(0xEE, b"Adobe\0\x64\0\0\0\0\x02")),
        "Adobe marker cut off": lambda: with_segments(segment(0xEE, b"Adobe")),
        "JPEG of 5 components": lambda: re.sub(
            rb"(\xff\xc0\0.\x08....)\x03", b"\\g<1>\x05", encoded("JPEG"), flags=re.DOTALL
        ),
    }


def profiles() -> Cases:
    huge_tag = SRGB[:128] + struct.pack(">I", 2**32 - 1) + SRGB[132:]
    garbled = {
        "cut off": SRGB[:200],
        "zeros": bytes(3_000),
        "of 2^32 tags": huge_tag,
        "of a negative size": b"\xff\xff\xff\xff" + SRGB[4:],
        "turned over": turned_over(SRGB),
        "a chain of 20000 curves": chain_of_curves(20_000),
        "for CMYK": SRGB.replace(b"RGB ", b"CMYK"),
        "for Lab": SRGB.replace(b"RGB ", b"Lab "),
        "of a million bytes": SRGB + bytes(1_000_000),
    }
    cases = {f"PNG, {name}": (lambda icc=icc: encoded("PNG", icc_profile=icc)) for name, icc in garbled.items()}
    parts = [segment(0xE2, b"ICC_PROFILE\0" + bytes([number, 255]) + b"x" * 50_000) for number in (0, 7, 7, 255)]
    return cases | {"JPEG, parts missing and double": lambda: with_segments(*parts)}


def exifs() -> Cases:
    blocks = {
        **{f"orientation {value}": exif((274, 3, 1, value)) for value in (0, 9, 255, 65_535)},
        "orientation as text": exif((274, 2, 4, 0x41414141)),
        "orientation twice": exif((274, 3, 1, 6), (274, 3, 1, 8)),
        "orientation as four billion numbers": exif((274, 3, 2**32 - 1, 8)),
        "a directory in itself": exif((34665, 4, 1, 8), (34853, 4, 1, 8), (40965, 4, 1, 8)),
        "65535 tags of which none is there": b"Exif\0\0II*\0\x08\0\0\0\xff\xff",
        "a directory beyond its end": b"Exif\0\0II*\0\xff\xff\xff\xff",
        "zeros": bytes(6_000),
        "tags of unknown types": exif(*((index, 99, 2**31, 7) for index in range(200))),
        "the prefix a thousand times": b"Exif\0\0" * 1_000 + exif((274, 3, 1, 6)),
    }
    cases = {f"PNG, {name}": (lambda block=block: with_chunks(chunk(b"eXIf", block))) for name, block in blocks.items()}
    cases |= {f"JPEG, {name}": (lambda b=block: with_segments(segment(0xE1, b))) for name, block in blocks.items()}
    for format in ("WEBP", "HEIF"):
        cases[f"{format}, gigantic"] = lambda format=format: encoded(
            format, exif=overlapping_tags(count=60, size=500_000)
        )
    return cases | {
        "PNG, gigantic": lambda: with_chunks(chunk(b"eXIf", overlapping_tags())),
        "JPEG, gigantic": lambda: with_segments(
            *(segment(0xE1, b"Exif\0\0" + part) for part in parts_of(overlapping_tags(), 65_000))
        ),
        "AVIF, gigantic": lambda: encoded("AVIF") + overlapping_tags(),
        "PNG, as text": lambda: with_chunks(
            chunk(b"zTXt", b"Raw profile type exif\0\0" + zlib.compress(b"\nexif\n9\n" + b"41" * 400_000))
        ),
        "JPEG, a thousand segments": lambda: with_segments(segment(0xE1, b"Exif\0\0" + bytes(60_000)) * 1_000),
        "JPEG, an XMP of orientation 9": lambda: with_segments(
            segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0<x tiff:Orientation='9'/>" + b"tiff:Orientation=" * 3_000)
        ),
    }


def parts_of(content: bytes, size: int) -> list[bytes]:
    return [content[start : start + size] for start in range(0, len(content), size)]


def animations() -> Cases:
    frame = b",\0\0\0\0\x01\0\x01\0\0\x02\x02\x44\x01\0"
    control = struct.pack(">IIIIIHHBB", 0, 48, 32, 0, 0, 1, 10, 0, 0)
    return {
        "GIF of a million frames": lambda: gif(gif_frame(), frame * 1_000_000, b";"),
        "GIF of a million frames, none whole": lambda: gif((b"," + bytes(9)) * 1_000_000),
        "APNG that promises four billion frames": lambda: with_chunks(
            chunk(b"acTL", struct.pack(">II", 2**32 - 1, 0)), chunk(b"fcTL", control)
        ),
        "APNG of 100000 frames": lambda: with_chunks(
            chunk(b"acTL", struct.pack(">II", 100_000, 0)), chunk(b"fcTL", control) * 100_000
        ),
        "TIFF whose directory follows itself": lambda: gray_tiff(
            8, 8, (273, 4, 1, "data"), (279, 4, 1, 64), data=bytes(64), following=8
        ),
        "WebP of a million frames": lambda: webp_of_frames(1_000_000),
        "WebP of a million frames, the last cut off": lambda: webp_of_frames(1_000_000)[:-7],
        "WebP of 61 frames": lambda: encoded("WEBP", save_all=True, append_images=[PICTURE.rotate(1)] * 60),
    }


def polyglots() -> Cases:
    archive = b"PK\x05\x06" + bytes(18)
    page = b"<html><script>alert(1)</script></html>"
    return {
        "JPEG and ZIP": lambda: encoded("JPEG") + archive,
        "PNG and a page": lambda: with_chunks(chunk(b"tEXt", b"a\0" + page)),
        "GIF and JavaScript": lambda: b"GIF89a=1;alert(1);//",
        "GIF and a page": lambda: encoded("GIF") + page,
        "PDF and JPEG": lambda: b"%PDF-1.7\n" + encoded("JPEG"),
        "a page, then a PNG": lambda: page + encoded("PNG"),
        "EPS in a DOS wrapper": lambda: b"\xc5\xd0\xd3\xc6" + struct.pack("<7I", 30, 99, 0, 0, 0, 0, 0) + b"%!PS\nquit",
        "a pickle": lambda: b"\x80\x04cos\nsystem\n(S'true'\ntR.",
        "BMP whose size says PNG": lambda: b"BM" + encoded("PNG"),
        "JPEG in a JPEG": lambda: with_segments(
            segment(0xE0, b"JFXX\0\x10" + encoded("JPEG")), segment(0xFE, encoded("JPEG"))
        ),
    }


def chunks() -> Cases:
    good = encoded("PNG")
    pixels = good[33:-12]
    return {
        "PNG with a wrong checksum": lambda: good[:29] + b"\0\0\0\0" + good[33:],
        "PNG without a palette": lambda: png(4, 4, chunk(b"IDAT", zlib.compress(bytes(20))), color=3),
        "PNG whose palette is short": lambda: png(
            4, 4, chunk(b"PLTE", b"abc"), chunk(b"IDAT", zlib.compress(b"\0\x09\x09\x09\x09" * 4)), color=3
        ),
        "PNG with its header twice": lambda: good[:33] + good[8:33] + pixels + good[-12:],
        "PNG with its header last": lambda: good[:8] + pixels + good[8:33] + good[-12:],
        "PNG without pixels": lambda: png(4, 4),
        "PNG whose pixels are no zlib": lambda: png(4, 4, chunk(b"IDAT", b"no zlib at all")),
        "PNG whose chunk is four gigabytes long": lambda: good[:33] + b"\xff\xff\xff\xff" + good[37:],
        "PNG of 200000 chunks": lambda: with_chunks(chunk(b"prIv") * 200_000),
        "PNG of 200000 texts": lambda: with_chunks(chunk(b"tEXt", b"a\0b") * 200_000),
        "PNG of filter 9": lambda: png(2, 1, chunk(b"IDAT", zlib.compress(b"\x09" + bytes(6)))),
        "JPEG without tables": lambda: re.sub(rb"\xff\xdb\0.{65}", b"", encoded("JPEG"), flags=re.DOTALL),
        "JPEG whose segment has no length": lambda: with_segments(b"\xff\xfe\0\0"),
        "JPEG of restarts": lambda: encoded("JPEG")[:-2] + b"\xff\xd0" * 50_000 + b"\xff\xd9",
        "JPEG of fill bytes": lambda: b"\xff\xd8" + b"\xff" * 500_000 + encoded("JPEG")[2:],
        "JPEG of Photoshop's resources": lambda: with_segments(
            segment(0xED, b"Photoshop 3.0\0" + b"8BIM\x04\x04\0\0\0\0\0\0" * 5_000) * 100
        ),
        "WebP with a size of four gigabytes": lambda: b"RIFF\xff\xff\xff\xff" + encoded("WEBP")[8:],
        "WebP with a strange chunk": lambda: encoded("WEBP")[:12] + b"JUNK\xff\xff\xff\x7f" + encoded("WEBP")[12:],
        "BMP of a negative height": lambda: resized("BMP", 48, -(2**31)),
        "BMP whose pixels lie beyond its end": lambda: encoded("BMP")[:10] + b"\xff\xff\xff\x7f" + encoded("BMP")[14:],
        "BMP of 4 billion colors": lambda: encoded("BMP")[:46] + b"\xff\xff\xff\xff" + encoded("BMP")[50:],
        "GIF of 12 bits a code": lambda: gif(b",\0\0\0\0\x30\0\x20\0\0\x0c\xff", b"\xff" * 255, b"\0;"),
        "GIF that never ends a block": lambda: gif(b"!\xf9", b"\xff" * 9_000),
    }


def tiffs() -> Cases:
    return {
        "no directory": lambda: b"II*\0\0\0\0\0",
        "a directory of 65535 tags": lambda: b"II*\0\x08\0\0\0\xff\xff" + bytes(100),
        "strips beyond the end": lambda: gray_tiff(8, 8, (273, 4, 1, 2**31), (279, 4, 1, 64)),
        "a strip of four gigabytes": lambda: gray_tiff(
            8, 8, (273, 4, 1, "data"), (279, 4, 1, 2**32 - 1), data=bytes(64)
        ),
        "no strips": lambda: gray_tiff(8, 8),
        "65535 samples a pixel": lambda: gray_tiff(8, 8, (277, 3, 1, 65_535), (273, 4, 1, "data"), data=bytes(64)),
        "tiles of 0x0": lambda: gray_tiff(8, 8, (322, 4, 1, 0), (323, 4, 1, 0), (324, 4, 1, "data"), data=bytes(64)),
        "an unknown compression": lambda: gray_tiff(8, 8, (259, 3, 1, 4_711), (273, 4, 1, "data"), data=bytes(64)),
        "fax that never ends": lambda: gray_tiff(
            800, 800, (258, 3, 1, 1), (259, 3, 1, 4), (273, 4, 1, "data"), (279, 4, 1, 64), data=b"\x55" * 64
        ),
        "JPEG inside that is none": lambda: gray_tiff(
            8, 8, (259, 3, 1, 7), (273, 4, 1, "data"), (279, 4, 1, 64), data=bytes(64)
        ),
        "BigTIFF cut off": lambda: b"II+\0\x08\0\0\0\x10\0\0\0\0\0\0\0\xff\xff\xff\xff",
    }


def data_urls() -> Cases:
    good = base64.b64encode(encoded("PNG")).decode()
    return {
        "no comma": lambda: f"data:image/png;base64{good}",
        "no base64": lambda: "data:image/png;base64,%%%%",
        "cut off": lambda: f"data:image/png;base64,{good[:-30]}",
        "cut off within four": lambda: f"data:image/png;base64,{good[:101]}",
        "of another alphabet": lambda: "data:image/png;base64,猫犬猫犬",
        "percent signs without digits": lambda: "data:image/png,%zz%1",
        "a data: URL within": lambda: f"data:text/plain,data:image/png;base64,{good}",
        "text": lambda: "data:text/html,<script>alert(1)</script>",
        "no type": lambda: "data:,",
        "in capitals": lambda: f"DATA:image/png;base64,{good}",
        "a file behind it": lambda: "data:file:///etc/passwd,",
        "ten million escapes": lambda: "data:image/png," + "%41" * 10_000_000,
        "a good one, all in escapes": lambda: "data:image/png," + "".join(f"%{byte:02x}" for byte in encoded("PNG")),
        "half a surrogate": lambda: "data:image/png,\udc80",
    }


def arrays() -> Cases:
    return {
        "NaN": lambda: np.full((8, 8, 3), np.nan),
        "infinity": lambda: np.full((8, 8, 3), np.inf),
        "one NaN": lambda: np.where(np.eye(8) > 0, np.nan, 0.5),
        "below zero": lambda: np.full((8, 8), -1e-9),
        "half floats": lambda: np.full((8, 8, 3), 0.5, np.float16),
        "a trillion pixels of one byte": lambda: np.broadcast_to(np.zeros((), np.uint8), (2**20, 2**20)),
        "dates": lambda: np.zeros((8, 8), "datetime64[s]"),
        "records": lambda: np.zeros((8, 8), [("cat", "u1"), ("dog", "u1")]),
        "text": lambda: np.full((8, 8), "cat"),
        "objects": lambda: np.full((8, 8), object()),
        "the other byte order": lambda: np.full((8, 8), 257, ">u2"),
        "backwards": lambda: np.zeros((8, 8, 3), np.uint8)[::-1, ::-1],
        "masked": lambda: np.ma.masked_all((8, 8), np.uint8),
        "32 dimensions": lambda: np.zeros((1,) * 32, np.uint8),
        "no pixels": lambda: np.zeros((0, 8, 3), np.uint8),
        "1x100000": lambda: np.zeros((1, 100_000), np.uint8),
        "of a kind that answers nothing": lambda: np.zeros((8, 8)).view(Silent),
    }


class Silent(np.ndarray):
    """An array that cannot be calculated with."""

    def __array_ufunc__(self, *arguments, **options):
        raise RuntimeError("no")


class Endless:
    """A file that has no end."""

    def read(self, size: int = -1) -> bytes:
        return b"\xff\xd8" + bytes(min(size, 2**20) - 2)


class Raising:
    """A path and a file that raise whatever they are asked."""

    def __fspath__(self):
        raise RuntimeError("no path")

    def read(self, size: int = -1):
        raise RecursionError("no file")


class NumberPath:
    def __fspath__(self):
        return 7


def objects() -> Cases:
    def closed() -> Image.Image:
        picture = Image.open(io.BytesIO(encoded("PNG")))
        picture.close()
        return picture

    return {
        "a PIL picture that is closed": closed,
        "a PIL picture that is cut off": lambda: Image.open(
            io.BytesIO(encoded("JPEG", PICTURE.resize((480, 320)))[:-999])
        ),
        "a PIL picture without pixels": lambda: Image.new("RGB", (0, 0)),
        "a file without an end": Endless,
        "a path that raises": Raising,
        "a path that is a number": NumberPath,
        "memory in strides": lambda: memoryview(encoded("PNG") * 2)[::2],
        "numbers in memory": lambda: memoryview(np.zeros(9)),
        "nothing": lambda: None,
        "a list": lambda: [encoded("PNG")],
        "a number": lambda: float("nan"),
    }
