"""Bodies of requests on their way in: how large, how deep, how slow they may be, and how many fit into memory together."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import anyio
from starlette.types import Message, Receive

IDLE_SECONDS = 30.0  # within which the next part of a body must come
BODY_SECONDS = 900.0  # within which all of it must: 50 MB over a slow telephone line
MEMORY = 512 * 2**20  # bytes of all bodies that are held, until they are answered
ARRIVING = 200  # bodies that are still coming
SYNTAX = 64 * 2**10  # bytes of JSON without its strings
STRINGS = 20_000  # in JSON, with the quotation marks inside of them: 500 uploads have 7,000
FILE = "gradio.FileData"  # how Gradio's clients mark a file
DEPTH = 16  # of JSON's brackets within each other; an endpoint needs 6
TEXT = 4_096  # bytes of a string: names and addresses. A picture as a data: URL may be longer.
TEXTS = 512 * 2**10  # bytes of JSON without its pictures: 500 uploads have 150,000


class RefusedError(Exception):
    """A request that is not answered: its status, and the reason as a code."""

    def __init__(self, status: int, code: str) -> None:
        super().__init__(code)
        self.status, self.code = status, code


class Bodies:
    """What is held of all requests. Where it is too much, what nobody listens to makes room, then the body that has been
    coming for longest: a crowd of slow senders cannot keep out a visitor whose photo comes in a second.
    """

    def __init__(
        self, memory: int = MEMORY, arriving: int = ARRIVING, drop_one: Callable[[], bool] = lambda: False
    ) -> None:
        """
        Args:
            drop_one: gives back what is kept of one request, where it can.
        """
        self._memory, self._most, self._drop_one = memory, arriving, drop_one
        self._arriving: dict[Body, None] = {}  # in the order they began

    @contextmanager
    def begin(self, receive: Receive, limit: int, kept: bool) -> Iterator[Body]:
        """A body of at most `limit` bytes; `kept`: in memory, until the request has been answered.

        Raises:
            RefusedError: where there is no room.
        """
        body = Body(self, receive, limit, kept)
        self._arriving[body] = None
        try:
            if len(self._arriving) > self._most:
                self._evict_another(body)
            yield body
        finally:
            self.has_come(body)
            self.release(body)

    def has_come(self, body: Body) -> None:
        self._arriving.pop(body, None)

    def hold(self, body: Body, size: int) -> None:
        """Raises: RefusedError where there is no room, and nobody to make it."""
        while size > self._memory:
            if not self._drop_one():
                self._evict_another(body)
        self._memory -= size
        body.held += size

    def release(self, body: Body) -> None:
        self._memory += body.held
        body.held = 0

    def keep(self, body: Body) -> Callable[[], None]:
        """Hold what has come longer than the request lasts; gives what ends it, to be called once."""
        size, body.held = body.held, 0

        def release() -> None:
            self._memory += size

        return release

    def _evict_another(self, body: Body) -> None:
        oldest = next(iter(self._arriving), body)
        if oldest is body:
            raise RefusedError(503, "busy")
        self.has_come(oldest)
        self.release(oldest)
        oldest.evict()


class Body:
    """One request's body. `receive` is ASGI's, within limits."""

    def __init__(self, bodies: Bodies, receive: Receive, limit: int, kept: bool) -> None:
        self.held = 0  # bytes
        self._bodies, self._receive, self._limit, self._kept = bodies, receive, limit, kept
        self._size, self._complete, self._evicted = 0, False, False
        self._until = time.monotonic() + BODY_SECONDS
        self._waiting: anyio.CancelScope | None = None
        self._again: bytes | None = None

    def evict(self) -> None:
        self._evicted = True
        if self._waiting is not None:
            self._waiting.cancel()

    async def receive(self) -> Message:
        """Raises: RefusedError for a body that is too large or too slow."""
        if self._again is not None:
            content, self._again = self._again, None
            return {"type": "http.request", "body": content, "more_body": False}
        if self._complete:  # what is awaited now is that the visitor leaves
            return await self._receive()
        message: Message | None = None
        seconds = min(IDLE_SECONDS, self._until - time.monotonic())
        with anyio.move_on_after(max(0.0, seconds)) as self._waiting:
            message = await self._receive()
        self._waiting = None
        if message is None or self._evicted:
            raise RefusedError(408, "slow")
        part = len(message.get("body", b""))
        self._size += part
        if self._size > self._limit:
            raise RefusedError(413, "too-large")
        if self._kept:
            self._bodies.hold(self, part)
        if not message.get("more_body", False):
            self._complete = True
            self._bodies.has_come(self)
        return message

    def repeat(self, content: bytes) -> None:
        """Give all of it once more, in one part."""
        self._again = content

    async def whole(self) -> bytes | None:
        """All of it; None where the visitor leaves before."""
        parts = []
        while not self._complete:
            message = await self.receive()
            if message["type"] == "http.disconnect":
                return None
            parts.append(message.get("body", b""))
        return b"".join(parts)


def read_json(content: bytes) -> Any:
    """What is asked for, with an empty string for each picture: JSON is looked through before anybody parses it.

    Raises:
        RefusedError: for what is no JSON in UTF-8, is nested too deeply, or has strings too long or too many.
    """
    if b"\0" in content:  # UTF-16 and UTF-32, which Python's parser would take too
        raise RefusedError(400, "no-json")
    syntax, depth = bytearray(), 0
    for kind, start, end in parts_of(content):
        piece = content[start:end]
        if kind == "string":
            if end - start > TEXT and not piece.startswith(b'"data:'):
                raise RefusedError(400, "too-long")
            syntax += piece if end - start <= TEXT else b'""'
            if len(syntax) > TEXTS:
                raise RefusedError(413, "too-large")
            continue
        for byte in piece:
            depth += (byte in b"[{") - (byte in b"]}")
            if depth > DEPTH:
                raise RefusedError(400, "too-deep")
        syntax += piece
    try:
        return json.loads(syntax)
    except (ValueError, RecursionError) as error:
        raise RefusedError(400, "no-json") from error


def without_marks(content: bytes) -> bytes:
    """The same JSON with no file marked as one, so that only the endpoints look at it: Gradio itself would copy an upload, fetch
    an address without limit, and open a path that an assistant names."""
    pieces = ((kind, content[start:end]) for kind, start, end in parts_of(content))
    return b"".join(b'"catdog.FileData"' if kind == "string" and is_mark(piece) else piece for kind, piece in pieces)


def is_mark(string: bytes) -> bool:
    """Whether this JSON string is the mark, however it is written."""
    if len(string) > 6 * len(FILE) + 2:  # each letter as \u and four digits, and the quotation marks
        return False
    try:
        return json.loads(string) == FILE
    except ValueError:
        return False


def parts_of(content: bytes) -> Iterator[tuple[str, int, int]]:
    """Strings, with their quotation marks, and what stands between them, as start and end.

    Raises:
        RefusedError: where they are too many or too large.
    """
    position = outside = marks = 0
    while position < len(content):
        start = content.find(b'"', position)
        until = len(content) if start < 0 else start
        outside += until - position
        if outside > SYNTAX:
            raise RefusedError(413, "too-large")
        yield "syntax", position, until
        if start < 0:
            return
        end = start
        while end == start or is_escaped(content, end):
            end = content.find(b'"', end + 1)
            marks += 1
            if end < 0:
                raise RefusedError(400, "no-json")
            if marks > STRINGS:
                raise RefusedError(413, "too-large")
        position = end + 1
        yield "string", start, position


def is_escaped(content: bytes, position: int) -> bool:
    """Whether an odd number of backslashes stands before a quotation mark.

    Raises:
        RefusedError: for a run of them that has no sense.
    """
    before = content[max(0, position - TEXT) : position]
    backslashes = len(before) - len(before.rstrip(b"\\"))
    if backslashes == TEXT:
        raise RefusedError(400, "too-long")
    return backslashes % 2 == 1
