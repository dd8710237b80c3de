"""What a small damage leaves whole: a JPEG without its end marker, a PNG whose text has a wrong checksum."""

from __future__ import annotations

import hashlib
import io
import zlib

import numpy as np
from PIL import Image

from catdog.images.bombs import JPEG_BARE, JPEG_END, JPEG_MARKER, JPEG_SCAN

END_MARKER = b"\xff\xd9"
NO_PIXELS = bytes([0b01010101] * 64)  # what would change the last block, were it not complete
ROWS = 64  # looked at together: a second copy of a large picture would fill the memory
JPEG_FRAMES = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}  # start of frame (ITU-T T.81, table B.1)
JPEG_PROGRESSIVE = (0xC2, 0xCA)
PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
ANCILLARY = 0x20  # bit of a chunk's first letter, when it is lower case (PNG 1.2, section 3.3)


def mended(content: bytes) -> bytes | None:
    """A file that opens and shows every pixel of this one, which did not open; None where there is none."""
    if content.startswith(b"\xff\xd8"):
        return with_end_marker(content)
    if content.startswith(PNG_SIGNATURE):
        return without_wrong_checksums(content)
    return None


def with_end_marker(content: bytes) -> bytes | None:
    """A JPEG that lacks nothing but its end marker, with one.

    The decoder does not say whether it has read the last pixel: it fills up what is missing. So the picture is decoded
    twice, with something else behind its last byte: where that changes a pixel, the pixels were not complete.
    """
    if content.endswith(b"\0\0"):  # what a disk or a download filled up with; it must not pass for pixels
        content = content.rstrip(b"\0")
    content = content.rstrip(b"\xff")  # half of the marker
    if not has_all_scans(content):
        return None
    try:
        pixels = [pixels_digest(content + behind + END_MARKER) for behind in (b"", NO_PIXELS)]
    except Exception:  # Pillow's plugins raise anything at all
        return None
    return content + END_MARKER if pixels[0] == pixels[1] else None


def pixels_digest(content: bytes) -> bytes:
    """Of all pixels of a JPEG."""
    digest = hashlib.sha256()
    with Image.open(io.BytesIO(content), formats=["JPEG"]) as image:
        for top in range(0, image.height, ROWS):
            digest.update(image.crop((0, top, image.width, min(top + ROWS, image.height))).tobytes())
    return digest.digest()


def has_all_scans(content: bytes) -> bool:
    """Whether a JPEG without an end marker has, for every component, the last bit of every coefficient.

    A progressive one would show a coarser picture without its last scans, and others may have a scan a component.
    """
    complete: dict[int, np.ndarray] = {}  # component -> its coefficients
    progressive = False
    place = 2
    while found := JPEG_MARKER.search(content, place):
        kind, place = content[found.start() + 1], found.end()
        if kind == JPEG_END:
            return False
        if kind in JPEG_BARE:
            continue
        end = place + int.from_bytes(content[place : place + 2], "big")
        part = content[place + 2 : end]
        if kind in JPEG_FRAMES:
            progressive = kind in JPEG_PROGRESSIVE
            complete |= {component: np.zeros(64, bool) for component in part[6::3]}
        elif kind == JPEG_SCAN and part:
            count = part[0]
            components, choices = part[1 : 1 + 2 * count : 2], part[1 + 2 * count :]
            if len(choices) < 3 or not complete.keys() >= {*components}:
                return False
            first, last, low_bit = choices[0], choices[1], choices[2] & 15
            for component in components:
                if not progressive:
                    complete[component][:] = True
                elif low_bit == 0:
                    complete[component][first : last + 1] = True
        place = end
    return bool(complete) and all(each.all() for each in complete.values())


def without_wrong_checksums(content: bytes) -> bytes | None:
    """A PNG without the chunks that no pixel needs and whose checksum is wrong: libpng leaves them aside, too."""
    parts = [PNG_SIGNATURE]
    place = len(PNG_SIGNATURE)
    whole = True
    while place < len(content):
        end = place + 12 + int.from_bytes(content[place : place + 4], "big")
        name, stated = content[place + 4 : place + 8], content[end - 4 : end]
        is_wrong = len(stated) == 4 and int.from_bytes(stated, "big") != zlib.crc32(content[place + 4 : end - 4])
        if is_wrong and name[0] & ANCILLARY:
            whole = False
        else:
            parts.append(content[place:end])
        place = end
    return None if whole else b"".join(parts)
