"""How many pixels HEIF and AVIF files have a decoder work for, told from their boxes before it starts.

A picture may be put together from tiles, and a few bytes can name the same tile thousands of times, or hold a tile far larger
than its place. ISO/IEC 14496-12 has the boxes, 23008-12 the items, 23008-2 (HEVC) and AV1's specification the pixels.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

MAX_BOXES = 200_000
HEVC, AV1 = (b"hvc1", b"hev1"), (b"av01",)
HEVC_SEQUENCE = 33  # NAL unit types (23008-2, table 7-1)
HEVC_PICTURES = range(32)
AV1_SEQUENCE, AV1_FRAMES = 1, (3, 6)  # OBU types (AV1, section 6.2.2)
FULL = 4  # bytes of version and flags


class BoxError(ValueError):
    """A file whose boxes cannot be followed."""


@dataclass
class Item:
    """A picture in a file, or what is put together from others."""

    kind: bytes = b""
    made_of: list[int] = field(default_factory=list)  # other items, as often as they are used
    properties: list[tuple[bytes, bytes]] = field(default_factory=list)
    extents: list[tuple[int, int]] = field(default_factory=list)  # where its bytes begin, and how many there are

    def side(self, name: bytes) -> tuple[int, int]:
        """What a property says of its width and height, in pixels."""
        for kind, content in self.properties:
            if kind == name and len(content) >= 12:
                return struct.unpack_from(">II", content, FULL)
        return 0, 0


def pixels_to_decode(content: bytes) -> tuple[int, int]:
    """Of a file's main picture, the pixels that a decoder goes through, and those that it shows.

    Raises:
        BoxError: where the boxes cannot be followed, or one picture is part of itself.
    """
    try:
        found = list(boxes(content, 0, len(content)))
        costs = [Meta(content, *body).cost() for kind, *body in found if kind == b"meta"]
        costs += [
            track_cost(content, *body)
            for movie, *whole in found
            if movie == b"moov"
            for kind, *body in boxes(content, *whole)
            if kind == b"trak"
        ]
        if not costs:
            return 0, 0
    except (struct.error, IndexError, RecursionError) as error:
        raise BoxError("its boxes end too early") from error
    return max(cost for cost, _ in costs), min(shown for _, shown in costs)


def boxes(content: bytes, start: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """The boxes between two places: kind, where the content begins and ends."""
    for _ in range(MAX_BOXES):
        if start + 8 > end:
            return
        size, kind = struct.unpack_from(">I4s", content, start)
        body = start + 8
        if size == 1:
            [size] = struct.unpack_from(">Q", content, body)
            body += 8
        stop = end if size == 0 else start + size
        if stop < body or stop > end:
            if kind == b"mdat" or not kind.isalnum():  # cut off, or no box at all
                return
            raise BoxError("one of its boxes is longer than what it is in")
        yield kind, body, stop
        start = stop
    raise BoxError("it has too many boxes")


class Meta:
    """A meta box: the items of a file."""

    def __init__(self, content: bytes, start: int, end: int) -> None:
        self.content = content
        self.items: dict[int, Item] = {}
        self.primary = 0
        self.shown_with: dict[int, list[int]] = {}  # an item -> its alpha and the like
        self.inner = 0  # where the bytes in the box itself begin
        self.costs: dict[int, int | None] = {}
        readers: dict[bytes, Callable[[int, int], None]] = {
            b"pitm": self.read_primary,
            b"iinf": self.read_kinds,
            b"iref": self.read_references,
            b"iprp": self.read_properties,
            b"iloc": self.read_places,
        }
        found = list(boxes(content, start + FULL, end))
        self.inner = next((body for kind, body, _ in found if kind == b"idat"), 0)
        for kind, body, stop in found:
            if read := readers.get(kind):
                read(body, stop)

    def item(self, number: int) -> Item:
        return self.items.setdefault(number, Item())

    def number(self, place: int, size: int) -> int:
        if place + size > len(self.content):
            raise IndexError
        return int.from_bytes(self.content[place : place + size], "big")

    def read_primary(self, place: int, end: int) -> None:
        self.primary = self.number(place + FULL, 4 if self.content[place] else 2)

    def read_kinds(self, place: int, end: int) -> None:
        first = place + FULL + (4 if self.content[place] else 2)
        for kind, body, _ in boxes(self.content, first, end):
            version = self.content[body]
            if kind == b"infe" and version >= 2:
                width = 4 if version > 2 else 2
                number = self.number(body + FULL, width)
                self.item(number).kind = self.content[body + FULL + width + 2 : body + FULL + width + 6]

    def read_references(self, place: int, end: int) -> None:
        width = 4 if self.content[place] else 2
        for kind, body, _ in boxes(self.content, place + FULL, end):
            origin, count = self.number(body, width), self.number(body + width, 2)
            first = body + width + 2
            targets = [self.number(first + width * index, width) for index in range(count)]
            if kind == b"dimg":
                self.item(origin).made_of += targets
            elif kind == b"auxl":
                for target in targets:
                    self.shown_with.setdefault(target, []).append(origin)

    def read_properties(self, place: int, end: int) -> None:
        properties: list[tuple[bytes, bytes]] = [(b"", b"")]  # they are counted from 1
        for kind, body, stop in boxes(self.content, place, end):
            if kind == b"ipco":
                properties += [(name, self.content[one:two]) for name, one, two in boxes(self.content, body, stop)]
            elif kind == b"ipma":
                self.read_associations(body, properties)

    def read_associations(self, place: int, properties: list[tuple[bytes, bytes]]) -> None:
        width = 4 if self.content[place] else 2
        size = 2 if self.content[place + 3] & 1 else 1
        count, place = self.number(place + FULL, 4), place + FULL + 4
        for _ in range(count):
            item, total = self.item(self.number(place, width)), self.number(place + width, 1)
            place += width + 1
            for _ in range(total):
                index = self.number(place, size) & (0x7FFF if size == 2 else 0x7F)
                place += size
                if index < len(properties):
                    item.properties.append(properties[index])

    def read_places(self, place: int, end: int) -> None:
        version, place = self.content[place], place + FULL
        offset_size, length_size = divmod(self.content[place], 16)
        base_size, index_size = divmod(self.content[place + 1], 16)
        index_size = index_size if version in (1, 2) else 0
        width = 4 if version > 1 else 2
        count, place = self.number(place + 2, width), place + 2 + width
        for _ in range(count):
            item, place = self.item(self.number(place, width)), place + width
            inside = False
            if version in (1, 2):
                inside, place = self.number(place, 2) & 15 == 1, place + 2
            base = self.number(place + 2, base_size) + (self.inner if inside else 0)
            parts, place = self.number(place + 2 + base_size, 2), place + 4 + base_size
            for _ in range(parts):
                place += index_size
                offset, length = self.number(place, offset_size), self.number(place + offset_size, length_size)
                item.extents.append((base + offset, length or len(self.content)))
                place += offset_size + length_size

    def cost(self) -> tuple[int, int]:
        """Pixels to go through for the main picture with its alpha, and pixels to show."""
        numbers = [self.primary, *self.shown_with.get(self.primary, [])]
        width, height = self.item(self.primary).side(b"ispe")
        return sum(map(self.cost_of, numbers)), width * height

    def cost_of(self, number: int) -> int:
        if number in self.costs:
            if (known := self.costs[number]) is None:
                raise BoxError("one of its pictures is part of itself")
            return known
        self.costs[number] = None
        item = self.item(number)
        width, height = item.side(b"ispe")
        cost = width * height
        if item.made_of:
            cost = max(cost, sum(map(self.cost_of, item.made_of)))
        elif item.kind in (*HEVC, *AV1):
            cost = max(cost, self.coded_pixels(item))
        self.costs[number] = cost
        return cost

    def coded_pixels(self, item: Item) -> int:
        """Pixels of all pictures in an item's bytes: those that its decoder goes through, whatever its box says."""
        data = b"".join(self.content[start : start + length] for start, length in item.extents)
        if item.kind in AV1:
            config = next((content[4:] for kind, content in item.properties if kind == b"av1C"), b"")
            units = [*obus(config), *obus(data)]
            areas = [av1_area(unit) for kind, unit in units if kind == AV1_SEQUENCE]
            pictures = sum(kind in AV1_FRAMES for kind, _ in units)
        else:
            config = next((content for kind, content in item.properties if kind == b"hvcC"), bytes(23))
            units = [*configured_nals(config), *nals(data, (config[21] & 3) + 1)]
            areas = [hevc_area(unit) for unit in units if unit[0] >> 1 & 63 == HEVC_SEQUENCE]
            pictures = sum(unit[0] >> 1 & 63 in HEVC_PICTURES and unit[2] >> 7 for unit in units)
        return max(areas, default=0) * max(1, pictures)


def track_cost(content: bytes, start: int, end: int) -> tuple[int, int]:
    """Of an AVIF sequence's track, pixels to go through for its first picture, and pixels to show (14496-12, section 8)."""
    for name in (b"mdia", b"minf", b"stbl"):
        inner = next((body for kind, *body in boxes(content, start, end) if kind == name), None)
        if inner is None:
            return 0, 0
        start, end = inner
    parts = {kind: content[body:stop] for kind, body, stop in boxes(content, start, end)}
    described, sizes = parts.get(b"stsd", b""), parts.get(b"stsz", b"")
    offsets, width = (parts[b"stco"], 4) if b"stco" in parts else (parts.get(b"co64", b""), 8)
    for kind, body, stop in boxes(described, 8, len(described)):
        if kind not in AV1:
            continue
        across, down = struct.unpack_from(">HH", described, body + 24)  # a visual sample entry has 78 bytes of its own
        config = next(
            (described[one + 4 : two] for name, one, two in boxes(described, body + 78, stop) if name == b"av1C"), b""
        )
        first, size = int.from_bytes(offsets[8 : 8 + width], "big"), int.from_bytes(sizes[4:8] or b"", "big")
        size = size or int.from_bytes(sizes[12:16], "big")
        units = [*obus(config), *obus(content[first : first + size])]
        areas = [av1_area(unit) for kind, unit in units if kind == AV1_SEQUENCE]
        return max(areas, default=0) * max(1, sum(kind in AV1_FRAMES for kind, _ in units)), across * down
    return 0, 0


class Bits:
    """The bits of some bytes, from the first one on.

    Raises:
        IndexError: beyond the last one.
    """

    def __init__(self, content: bytes) -> None:
        self.value, self.left = int.from_bytes(content, "big"), 8 * len(content)

    def take(self, count: int) -> int:
        self.left -= count
        if self.left < 0:
            raise IndexError
        return self.value >> self.left & (1 << count) - 1

    def golomb(self) -> int:
        """An unsigned Exp-Golomb code (23008-2, section 9.2)."""
        zeros = 0
        while not self.take(1):
            zeros += 1
        return (1 << zeros) - 1 + self.take(zeros)


def configured_nals(config: bytes) -> Iterator[bytes]:
    """The NAL units of an hvcC box (14496-15, section 8.3.3)."""
    place = 23
    for _ in range(config[22]):
        count, place = int.from_bytes(config[place + 1 : place + 3], "big"), place + 3
        for _ in range(count):
            size, place = int.from_bytes(config[place : place + 2], "big"), place + 2
            if len(unit := config[place : place + size]) > 2:
                yield unit
            place += size


def nals(data: bytes, width: int) -> Iterator[bytes]:
    """NAL units behind their lengths."""
    place = 0
    while place + width < len(data):
        size, place = int.from_bytes(data[place : place + width], "big"), place + width
        if len(unit := data[place : place + min(size, 256)]) > 2:  # their headers are enough
            yield unit
        place += size


def hevc_area(unit: bytes) -> int:
    """Pixels of a picture, by its sequence parameter set (23008-2, section 7.3.2.2)."""
    bits = Bits(unit[2:].replace(b"\0\0\3", b"\0\0"))
    bits.take(4)
    layers = bits.take(3)
    bits.take(1 + 96)
    present = [(bits.take(1), bits.take(1)) for _ in range(layers)]
    if layers:
        bits.take(2 * (8 - layers))
    for profile, level in present:
        bits.take(88 * profile + 8 * level)
    bits.golomb()
    if bits.golomb() == 3:
        bits.take(1)
    return bits.golomb() * bits.golomb()


def obus(data: bytes) -> Iterator[tuple[int, bytes]]:
    """AV1's units: their types, and the first bytes of their contents (AV1, section 5.3)."""
    place = 0
    while place < len(data):
        head = data[place]
        place += 2 if head & 4 else 1
        size = len(data) - place
        if head & 2:
            size = 0
            for index in range(8):
                part, place = data[place], place + 1
                size |= (part & 127) << 7 * index
                if part < 128:
                    break
        yield head >> 3 & 15, data[place : place + min(size, 256)]
        place += size


def av1_area(unit: bytes) -> int:
    """Pixels of the largest frame that a sequence may have, by its header (AV1, section 5.5)."""
    bits = Bits(unit)
    bits.take(4)
    if bits.take(1):  # a still picture's short header
        bits.take(5)
    else:
        delay = 0
        if bits.take(1):
            bits.take(64)
            if bits.take(1):
                bits.golomb()
            if bits.take(1):
                delay = bits.take(5) + 1
                bits.take(42)
        delays = bits.take(1)
        for _ in range(bits.take(5) + 1):
            bits.take(12)
            if bits.take(5) > 7:
                bits.take(1)
            if delay and bits.take(1):
                bits.take(2 * delay + 1)
            if delays and bits.take(1):
                bits.take(4)
    width, height = bits.take(4) + 1, bits.take(4) + 1
    return (bits.take(width) + 1) * (bits.take(height) + 1)
