"""What the page's server keeps from Gradio: bodies too large or too slow, odd ranges, and fetching for others."""

from __future__ import annotations

import asyncio
import re
import time

from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

MAX_BODY = 72 * 2**20  # bytes: a photo of 50 MB as a data: URL, and what stands around it; uploads have their own limit
IDLE_SECONDS = 30.0  # within which the next part of a body must come
BODY_SECONDS = 900.0  # within which all of it must
ELSEWHERE = re.compile(r"/file[=/]\s*https?:", re.IGNORECASE)  # Gradio would fetch it for anyone, without a limit
ONE_RANGE = re.compile(rb"bytes=\d{0,15}-\d{0,15}")  # Gradio fails at several; a server may leave a range aside


class Guard:
    """ASGI middleware around Gradio's own application."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = [(name, value) for name, value in scope["headers"] if name != b"range" or ONE_RANGE.fullmatch(value)]
        scope = {**scope, "headers": headers}
        uploading = scope["path"].rstrip("/").endswith("/upload")
        limit = float("inf") if uploading else MAX_BODY
        length = dict(headers).get(b"content-length", b"0")
        if ELSEWHERE.search(scope["path"]):
            await PlainTextResponse("Only this server's own files are served.", 403)(scope, receive, send)
        elif not length.isdigit() or int(length) > limit:
            await PlainTextResponse("This is too large.", 413)(scope, receive, send)
        else:
            body = bounded(receive, limit)
            await self.app(scope, whole(body) if uploading else body, send)


def whole(receive: Receive) -> Receive:
    """An upload's body. Where it is cut off, Gradio is told in the words after which it deletes what had come."""
    complete = False

    async def receive_whole() -> Message:
        nonlocal complete
        try:
            message = await receive()
        except HTTPException as error:
            raise MultiPartException(error.detail) from error
        if message["type"] == "http.disconnect" and not complete:
            raise MultiPartException("The upload was cut off.")
        complete = not message.get("more_body", False)
        return message

    return receive_whole


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
