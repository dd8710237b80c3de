"""Who is answered when: one waiting line over all routes and endpoints, fair between visitors, bounded in every way.

A visitor who asks holds a place from then on, until the answer is there; nobody gets one where too many are held already. A few
pictures are decoded and answered at a time, and of large ones as many as fit into memory. Visitors take turns, so that a
hundred photos of one do not come before the one photo of another. Who they are is told by their addresses, which many may share;
so, for each, small pictures come before large ones that were there a little earlier, and few large ones may wait.
"""

from __future__ import annotations

import asyncio
import contextvars
import ipaddress
import math
import time
from bisect import insort
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

from starlette.requests import ClientDisconnect
from starlette.types import Receive

from catdog.images import MAX_PIXELS, ImageError
from catdog.images.decode import opened
from catdog.images.source import read_bytes

Answer = TypeVar("Answer")

AT_ONCE = 2  # one is decoded while the network, which uses all cores, is asked about the other
PLACES = 200  # over all visitors
PLACES_EACH = 100  # of one visitor: some ten seconds on two cores
BACKLOG = 4 * MAX_PIXELS  # of one visitor, waiting: a few seconds, where a format takes its time
DELAY = 0.25 / 10**6  # seconds per pixel that a picture waits for smaller ones, about five times what it takes
SHORT_SIDE = 672  # px: a large JPEG is decoded at a half, a quarter or an eighth of its size, but no smaller than that


class Busy(Exception):
    """Too many are waiting: come again later."""


@dataclass(eq=False)
class Asked:
    """One piece of work that waits to be called."""

    pixels: int
    due: float  # on the clock of time.monotonic
    called: asyncio.Future[None]


class Turns:
    """The line. All of it runs in one event loop; only the work itself runs in threads."""

    def __init__(
        self, at_once: int = AT_ONCE, places: int = PLACES, places_each: int = PLACES_EACH, pixels: int = MAX_PIXELS
    ) -> None:
        """
        Args:
            at_once: pieces of work that run together.
            places: visitors' requests that wait or are answered.
            places_each: those of one visitor among them.
            pixels: that are decoded together. A larger picture is decoded alone.
        """
        self._room, self._pixels, self._all_pixels = at_once, pixels, pixels
        self._places, self._places_each = places, places_each
        self._held: dict[Hashable, int] = {}  # places, by visitor
        self._lines: OrderedDict[Hashable, list[Asked]] = OrderedDict()  # by visitor, whose turn is next first
        self._threads = ThreadPoolExecutor(at_once + 1, thread_name_prefix="turn")  # one reads headers

    def waiting(self) -> int:
        return sum(map(len, self._lines.values()))

    @contextmanager
    def place(self, visitor: Hashable) -> Iterator[None]:
        """Hold a place for a request that may need several turns.

        Raises:
            Busy: where there is none.
        """
        held = self._held.get(visitor, 0)
        if held >= self._places_each or sum(self._held.values()) >= self._places:
            raise Busy
        self._held[visitor] = held + 1
        try:
            yield
        finally:
            self._held[visitor] -= 1
            if not self._held[visitor]:
                del self._held[visitor]

    async def measure(self, source: str | bytes) -> int:
        """Pixels that are decoded of a picture, as its header has them; 0 where it has none, and is refused before.

        Args:
            source: a path, a `data:` URL or the encoded picture.
        """
        return await asyncio.get_running_loop().run_in_executor(self._threads, pixels_in, source)

    async def turn(self, visitor: Hashable, pixels: int, work: Callable[[], Answer]) -> Answer:
        """Wait for a turn, do the work in a thread, and return what it returns. Who holds a place may call this.

        Whoever is cancelled while waiting leaves the line. Work that has begun is done to its end, and counts until then.

        Args:
            pixels: that the work decodes.

        Raises:
            Busy: where so many pixels of the visitor's wait that these would have to wait too long.
        """
        loop = asyncio.get_running_loop()
        line = self._lines.get(visitor, [])
        pixels = min(pixels, self._all_pixels)
        if pixels and sum(each.pixels for each in line) + pixels > BACKLOG:
            raise Busy
        asked = Asked(pixels, time.monotonic() + DELAY * pixels, loop.create_future())
        insort(line, asked, key=lambda each: each.due)
        self._lines[visitor] = line
        self._call()
        try:
            await asked.called
        except asyncio.CancelledError:
            if asked.called.cancelled():
                self._leave(visitor, asked)
            else:  # called and cancelled at the same time
                self._done(asked)
            raise
        working = loop.run_in_executor(self._threads, contextvars.copy_context().run, work)
        working.add_done_callback(partial(self._finished, asked))
        return await asyncio.shield(working)

    def _finished(self, asked: Asked, working: asyncio.Future[Any]) -> None:
        if not working.cancelled():
            working.exception()  # looked at, or asyncio would log that of a visitor who has left
        self._done(asked)

    def _leave(self, visitor: Hashable, asked: Asked) -> None:
        line = self._lines.get(visitor, [])
        if asked in line:
            line.remove(asked)
            if not line:
                del self._lines[visitor]
        self._call()  # those behind may need less room

    def _done(self, asked: Asked) -> None:
        self._room += 1
        self._pixels += asked.pixels
        self._call()

    def _call(self) -> None:
        """Call as many as there is room for. Who needs more than there is holds up the others, or would wait forever."""
        while self._lines and self._room:
            visitor, line = next(iter(self._lines.items()))
            if line[0].pixels > self._pixels:
                return
            asked = line.pop(0)
            self._lines.move_to_end(visitor)
            if not line:
                del self._lines[visitor]
            if asked.called.cancelled():
                continue
            self._room -= 1
            self._pixels -= asked.pixels
            asked.called.set_result(None)


def pixels_in(source: str | bytes) -> int:
    try:
        picture = opened(read_bytes(source, "The picture"), "The picture")
    except ImageError:
        return 0
    width, height = picture.size
    share = SHORT_SIDE / max(1, min(width, height))
    if share < 1 and "progression" not in picture.info:  # whose parts are all kept until the last has come
        picture.draft(None, (math.ceil(width * share), math.ceil(height * share)))  # of a JPEG; nothing for others
    return math.prod(picture.size)


def visitor_at(host: str | None) -> str:
    """Who counts as one visitor: an address, or all that one connection is given of IPv6 (a /64)."""
    try:
        address = ipaddress.ip_address((host or "").partition("%")[0])
    except ValueError:  # a socket of the machine itself, or a test
        return host or ""
    if isinstance(address, ipaddress.IPv6Address) and not address.ipv4_mapped:
        return str(ipaddress.ip_network((address, 64), strict=False))
    return str(address)


async def while_there(receive: Receive, work: Awaitable[Answer]) -> Answer:
    """Do the work for as long as the visitor, whose whole body has come, stays connected.

    Raises:
        ClientDisconnect: where the visitor leaves; the work is cancelled.
    """
    working = asyncio.ensure_future(work)
    leaving = asyncio.ensure_future(left(receive))
    try:
        await asyncio.wait({working, leaving}, return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            raise ClientDisconnect
        return working.result()
    finally:
        for task in (working, leaving):
            task.cancel()


async def left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
