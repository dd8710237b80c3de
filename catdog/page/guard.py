"""What reaches the server at all: the addresses listed here, with bodies and headers of the size that each needs."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs

from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from catdog.page.bodies import Bodies, Body, RefusedError, read_json, without_marks
from catdog.page.listening import Listening
from catdog.page.turns import visitor_at

PHOTO = 50 * 2**20  # bytes
FRAME = 150 * 2**10
CALL = 72 * 2**20  # a photo as a data: URL, and what stands around it
UPLOAD = 256 * 2**20  # of all the files in one request
HEADERS, HEADER_BYTES, QUERY_BYTES = 64, 16 * 2**10, 1_024
SESSION = re.compile(r"[\w-]{1,64}")
OPEN, OPEN_EACH = 600, 300  # requests over all visitors, and of one: most systems give a process 1,024 files
SENTENCES = {
    "busy": "Too many are waiting. Please try again in a moment.",
    "no-json": "Send JSON in UTF-8.",
    "no-length": "Send a body with its Content-Length.",
    "no-session": "Send a session_hash of up to 64 letters and digits to /queue/join, and none elsewhere.",
    "not-found": "There is nothing here.",
    "slow": "The request did not arrive in time.",
    "too-deep": "The JSON is nested too deeply.",
    "too-large": "This is too large.",
    "too-long": "A name or an address is too long.",
    "wrong-method": "That cannot be done here.",
}


@dataclass(frozen=True)
class Route:
    """Addresses that exist, what may be done there, and how many bytes may be sent there."""

    pattern: str
    methods: tuple[str, ...]
    limit: int = 0
    kind: str = ""  # what is done besides passing it on; see Guard.answer


NAMES = "classify|explain|classify_many"
ROUTES = (
    Route(
        r"/|/(health|about\.json|figures\.json|code\.json|robots\.txt|favicon\.ico|icon\.svg|card\.jpg|pets\.safetensors)",
        ("GET", "HEAD"),
    ),
    Route(r"/(web|examples)/[\w./-]+", ("GET", "HEAD")),
    Route(r"/device/[\w./-]*", ("GET", "HEAD")),  # the page without a server, where one was built
    Route(r"/engine/(explain|classify|layers|blocks|weights|features|stages|methods)", ("POST",), PHOTO),
    Route(r"/engine/frame", ("POST",), FRAME),
    Route(r"/config|/gradio_api/info", ("GET",)),
    Route(r"/gradio_api/startup-events", ("GET",)),  # asked for by Gradio itself, when it starts
    Route(rf"/gradio_api/call/({NAMES})", ("POST",), CALL, "call"),
    Route(rf"/gradio_api/call/({NAMES})/(?P<session>[0-9a-f]{{32}})", ("GET",), 0, "listen"),
    Route(r"/gradio_api/queue/join", ("POST",), CALL, "join"),
    Route(r"/gradio_api/queue/data", ("GET",), 0, "listen"),
    Route(r"/gradio_api/upload", ("POST",), UPLOAD, "upload"),
    Route(r"/gradio_api/mcp/?", ("GET", "DELETE")),
    Route(r"/gradio_api/mcp/?", ("POST",), CALL, "json"),
)


class Guard:
    """ASGI middleware around the whole server."""

    def __init__(self, app: ASGIApp, listening: Listening) -> None:
        self.app, self.listening = app, listening
        self.bodies = Bodies(drop_one=listening.drop_one)
        self.open: Counter[str] = Counter()  # requests, by visitor

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
        elif scope["type"] == "http":
            answer = Answer(send)
            try:
                route = route_of(scope)
                check_head(scope, route)
                visitor = visitor_at((scope.get("client") or [None])[0])
                with self.opened(visitor), self.bodies.begin(receive, route.limit, route.kind != "upload") as body:
                    await self.answer(route, without_range(scope), body, answer)
            except RefusedError as error:
                if not answer.started:
                    await refusal(error)(scope, receive, send)
        else:
            await send({"type": "websocket.close", "code": 1008})

    @contextmanager
    def opened(self, visitor: str) -> Iterator[None]:
        """One more request of a visitor. Raises: RefusedError where there are too many."""
        if self.open[visitor] >= OPEN_EACH or self.open.total() >= OPEN:
            raise RefusedError(503, "busy")
        self.open[visitor] += 1
        try:
            yield
        finally:
            self.open[visitor] -= 1
            if not self.open[visitor]:
                del self.open[visitor]

    async def answer(self, route: Route, scope: Scope, body: Body, answer: Answer) -> None:
        if route.kind == "listen":
            await self.listen(session_in(route, scope), scope, body, answer)
        elif route.kind in ("call", "join", "json"):
            content = await body.whole()
            if content is None:
                return
            asked = read_json(content)
            if route.kind != "json":
                self.ask(route, asked, body, answer)
            body.repeat(without_marks(content))
            await self.pass_on(scope, body, answer)
        else:
            await self.pass_on(scope, body, answer)

    def ask(self, route: Route, asked: Any, body: Body, answer: Answer) -> None:
        """Note under which name a program will listen, as soon as Gradio has taken what it asks, and keeps it."""
        session = asked.get("session_hash") if isinstance(asked, dict) else None
        named = isinstance(session, str) and SESSION.fullmatch(session) is not None
        if named != (route.kind == "join") or (not named and session is not None):
            raise RefusedError(400, "no-session")

        def taken(said: bytes) -> None:
            name = str(session if named else json.loads(said).get("event_id"))
            self.listening.asked(name, self.bodies.keep(body))

        answer.taken = taken

    async def listen(self, session: str, scope: Scope, body: Body, answer: Answer) -> None:
        if not self.listening.begin(session):
            raise RefusedError(404, "not-found")
        try:
            await self.pass_on(scope, body, answer)
        finally:
            self.listening.end(session, left=not answer.complete)

    async def pass_on(self, scope: Scope, body: Body, answer: Answer) -> None:
        """To the server itself, to which a body that is refused looks as if the visitor had left."""
        refused: RefusedError | None = None

        async def receive() -> Message:
            nonlocal refused
            try:
                return await body.receive()
            except RefusedError as error:
                refused = error
                answer.silent = True
                return {"type": "http.disconnect"}

        try:
            await self.app(scope, receive, answer.send)
        except ClientDisconnect:
            pass
        except Exception:
            if refused is None:
                raise
        if refused is not None:
            raise refused


class Answer:
    """The server's answer on its way out."""

    def __init__(self, send: Send) -> None:
        self.started = self.complete = self.silent = False
        self.taken: Callable[[bytes], None] | None = None  # is told the body of a status 200 before it is sent
        self._send, self._status, self._said = send, 0, b""

    async def send(self, message: Message) -> None:
        if self.silent:
            return
        if message["type"] == "http.response.start":
            self.started, self._status = True, message["status"]
        elif message["type"] == "http.response.body":
            self.complete = not message.get("more_body", False)
            if self.taken and self._status == 200:
                self._said += message.get("body", b"")
                if self.complete:
                    self.taken(self._said)
        await self._send(message)


def route_of(scope: Scope) -> Route:
    """Raises: RefusedError for an address that is not listed, and for a method that is not for it."""
    path = path_of(scope)
    found = [route for route in ROUTES if re.fullmatch(route.pattern, path)]
    for route in found:
        if scope["method"] in route.methods:
            return route
    raise RefusedError(405, "wrong-method") if found else RefusedError(404, "not-found")


def path_of(scope: Scope) -> str:
    """Without the path below which a proxy shows the page, whether or not the proxy takes it away."""
    path, root = scope["path"], scope.get("root_path", "").rstrip("/")
    return path[len(root) :] or "/" if root and f"{path}/".startswith(f"{root}/") else path


def session_in(route: Route, scope: Scope) -> str:
    """Under which name a program listens."""
    found = re.fullmatch(route.pattern, path_of(scope))
    if found and "session" in found.groupdict():
        return found["session"]
    return parse_qs(scope["query_string"].decode("latin-1")).get("session_hash", [""])[0]


def check_head(scope: Scope, route: Route) -> None:
    """Raises: RefusedError for what can be refused before a byte of the body has come."""
    headers = scope["headers"]
    if len(headers) > HEADERS or sum(len(name) + len(value) for name, value in headers) > HEADER_BYTES:
        raise RefusedError(431, "too-large")
    if len(scope["query_string"]) > QUERY_BYTES:
        raise RefusedError(414, "too-long")
    told = dict(headers)
    length = told.get(b"content-length", b"0")
    if b"transfer-encoding" in told or not length.isdigit():  # chunks of one byte each would keep the server busy
        raise RefusedError(411, "no-length")
    if int(length) > route.limit:
        raise RefusedError(413, "too-large")


def without_range(scope: Scope) -> Scope:
    """Nothing is sent in parts, as a server may decide (RFC 9110, 14.2)."""
    return {**scope, "headers": [each for each in scope["headers"] if each[0] != b"range"]}


def refusal(error: RefusedError) -> JSONResponse:
    """A code for the page and a sentence for people; the connection ends, so that no more of the body is read."""
    headers = {"Connection": "close", **({"Retry-After": "2"} if error.code == "busy" else {})}
    return JSONResponse({"problem": error.code, "detail": SENTENCES[error.code]}, error.status, headers)
