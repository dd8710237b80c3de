"""What the page's server keeps from Gradio: bodies too large or too slow, odd ranges, and work for others."""

from __future__ import annotations

import asyncio
import re
import time

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

MAX_BODY = 72 * 2**20  # bytes: a photo of 50 MB as a data: URL, and what stands around it
MAX_UPLOAD = 2 * 2**30  # bytes of one upload, of all its files together: as much as a zip may unpack to
UPLOAD = "/gradio_api/upload"
MAX_HEADER = 8_192  # bytes of a header within an upload, as Gradio has it
IDLE_SECONDS = 30.0  # within which the next part of a body must come
BODY_SECONDS = 900.0  # within which all of it must
ELSEWHERE = re.compile(r"/file[=/]\s*https?:", re.IGNORECASE)  # Gradio would fetch it for anyone, without a limit
RECORDING = "/gradio_api/process_recording"  # Gradio would run ffmpeg on anyone's video
ONE_RANGE = re.compile(rb"bytes=(\d{0,15})-(\d{0,15})")


class Guard:
    """ASGI middleware around Gradio's own application."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = [(name, value) for name, value in scope["headers"] if name != b"range" or is_one_range(value)]
        scope = {**scope, "headers": headers}
        path = scope["path"].removeprefix(scope.get("root_path", "")).rstrip("/")  # a proxy may leave its path there
        uploading = path == UPLOAD
        limit = MAX_UPLOAD if uploading else MAX_BODY
        length = dict(headers).get(b"content-length", b"0")
        if ELSEWHERE.search(path):
            await PlainTextResponse("Only this server's own files are served.", 403)(scope, receive, send)
        elif path == RECORDING:
            await PlainTextResponse("No recordings are made here.", 403)(scope, receive, send)
        elif not length.isdigit() or int(length) > limit:
            await PlainTextResponse("This is too large.", 413)(scope, receive, send)
        else:
            body = bounded(receive, limit)
            await self.app(scope, files_alone(body, scope) if uploading else body, send)


def is_one_range(value: bytes) -> bool:
    """Whether Gradio answers a range rightly: it fails at several. A server may leave a range aside."""
    found = ONE_RANGE.fullmatch(value)
    return found is not None and not (all(found.groups()) and int(found[1]) > int(found[2]))


def files_alone(receive: Receive, scope: Scope) -> Receive:
    """An upload's body, whole and of nothing but files: Gradio would gather any other field in memory, however large.

    Where it is not so, Gradio is told in the words after which it deletes what had come.
    """
    complete = False
    fields = Fields(Headers(scope=scope).get("content-type", ""))

    async def receive_whole() -> Message:
        nonlocal complete
        try:
            message = await receive()
        except HTTPException as error:
            raise MultiPartException(error.detail) from error
        if message["type"] == "http.disconnect" and not complete:
            raise MultiPartException("The upload was cut off.")
        complete = not message.get("more_body", False)
        fields.look_at(message.get("body", b""))
        return message

    return receive_whole


class Fields:
    """Looks through a multipart body for fields that are no files."""

    def __init__(self, content_type: str) -> None:
        _, options = parse_options_header(content_type)
        boundary = options.get(b"boundary")
        if not boundary:  # Gradio refuses a body without one
            self._parser = None
            return
        self._parser = MultipartParser(
            boundary,
            {
                "on_part_begin": self._begin,
                "on_header_field": self._name,
                "on_header_value": self._value,
                "on_header_end": self._header,
                "on_headers_finished": self._check,
            },
        )

    def look_at(self, body: bytes) -> None:
        """Raises: MultiPartException for a field that is no file, and for what is no multipart body."""
        if self._parser is None:
            return
        try:
            self._parser.write(body)
        except FormParserError as error:
            raise MultiPartException("This is not an upload.") from error

    def _begin(self) -> None:
        self._header_name = self._header_value = self._disposition = b""

    def _name(self, data: bytes, start: int, end: int) -> None:
        self._header_name += data[start:end]

    def _value(self, data: bytes, start: int, end: int) -> None:
        self._header_value += data[start:end]
        if len(self._header_value) > MAX_HEADER:
            raise MultiPartException("A header is too large.")

    def _header(self) -> None:
        if self._header_name.lower() == b"content-disposition":
            self._disposition = self._header_value
        self._header_name = self._header_value = b""

    def _check(self) -> None:
        if b"filename" not in parse_options_header(self._disposition)[1]:
            raise MultiPartException("Only files can be uploaded.")


def bounded(receive: Receive, limit: float) -> Receive:
    """The request's body, as long as it keeps coming and stays below a number of bytes."""
    started, size, complete = time.monotonic(), 0, False

    async def receive_within_limits() -> Message:
        nonlocal size, complete
        if complete:  # what is awaited now is that the visitor leaves
            return await receive()
        left = min(IDLE_SECONDS, started + BODY_SECONDS - time.monotonic())
        try:
            message = await asyncio.wait_for(receive(), max(0.0, left))
        except asyncio.TimeoutError as error:
            raise HTTPException(408, "The request did not arrive in time.") from error
        size += len(message.get("body", b""))
        complete = not message.get("more_body", False)
        if size > limit:
            raise HTTPException(413, "This is too large.")
        return message

    return receive_within_limits
