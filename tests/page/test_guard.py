"""The guard by itself: which addresses exist, what a body and a head may be, and who is answered."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Iterable
from functools import partial
from typing import Any

import pytest

from catdog.page import bodies, guard, listening
from catdog.page.bodies import Bodies, RefusedError, read_json
from catdog.page.guard import Guard
from catdog.page.listening import Listening, UnheardError

JSON = [(b"content-type", b"application/json")]
EVENT = "0" * 32


class Server:
    """Answers everything, and remembers what reached it."""

    def __init__(self, answer: bytes = b"{}", status: int = 200) -> None:
        self.reached: list[tuple[str, bytes]] = []
        self.answer, self.status = answer, status

    async def __call__(self, scope, receive, send) -> None:
        body, more = b"", True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                return
            body, more = body + message.get("body", b""), message.get("more_body", False)
        self.reached.append((scope["path"], body))
        await send({"type": "http.response.start", "status": self.status, "headers": []})
        await send({"type": "http.response.body", "body": self.answer})


async def ask(
    app,
    path: str,
    method: str = "GET",
    parts: Iterable[bytes] = (b"",),
    headers: Iterable[tuple[bytes, bytes]] = (),
    query: bytes = b"",
    root: str = "",
    length: int | None = None,
    client: str = "93.184.216.34",
) -> tuple[int, bytes]:
    """The status and the body of the answer. A body without a last part never comes to its end."""
    parts = list(parts)
    told = length if length is not None else sum(map(len, parts))
    scope = {
        "type": "http",
        "method": method,
        "path": path,
        "root_path": root,
        "query_string": query,
        "headers": [(b"content-length", str(told).encode()), *headers],
        "client": (client, 50_000),
    }
    coming = [{"type": "http.request", "body": part, "more_body": True} for part in parts]
    if length is None:
        coming[-1]["more_body"] = False
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        if coming:
            return coming.pop(0)
        await asyncio.Event().wait()
        raise AssertionError

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    await app(scope, receive, send)
    return sent[0]["status"], b"".join(each.get("body", b"") for each in sent[1:])


def status(path: str, method: str = "GET", app: Server | None = None, **options: Any) -> int:
    return asyncio.run(ask(Guard(app or Server(), Listening()), path, method, **options))[0]


# ---------------------------------------------------------------------------- addresses


GIVEN = """/ /health /about.json /figures.json /code.json /pets.safetensors
/web/abc123/app.js /web/abc123/elements/photo-tab.js /examples/cat.jpg
/config /gradio_api/info /gradio_api/mcp /gradio_api/mcp/"""
DENIED = """/gradio_api/run/classify /gradio_api/api/classify /gradio_api/reset /gradio_api/cancel /gradio_api/component_server
/gradio_api/deep_link /gradio_api/upload_progress /gradio_api/dev/reload /gradio_api/queue/status /gradio_api/heartbeat/x
/gradio_api/file=/etc/passwd /gradio_api/file/etc/passwd /gradio_api/proxy=http://example.org/ /gradio_api/stream/x
/gradio_api/app_id /gradio_api/user /gradio_api/token /gradio_api/theme.css /gradio_api/mcp/sse /gradio_api/mcp/schema
/gradio_api/process_recording /gradio_api/openapi.json /gradio_api/run-history/buckets /gradio_api/call/v2/classify
/gradio_api/call/get_config /gradio_api/custom_component/0/client/component/x /monitoring /monitoring/summary /login /logout
/static/x /assets/x /svelte/x /theme.css /manifest.json /pwa_icon /runs /openapi.json /docs /redoc /run/classify //config
/config/ /CONFIG /gradio_api/call/classify%2f /engine /engine/explain/x /engine/forget /web /.env /../config"""


@pytest.mark.parametrize("path", GIVEN.split())
def test_what_the_page_and_programs_need_exists(path):
    assert status(path) == 200


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "OPTIONS"])
def test_nothing_else_does(method):
    server = Server()
    for path in DENIED.split():
        assert status(path, method, server) == 404, path
    assert server.reached == []


@pytest.mark.parametrize(
    ("path", "method"), [("/", "POST"), ("/health", "DELETE"), ("/engine/explain", "GET"), ("/config", "PUT")]
)
def test_an_address_takes_only_its_own_methods(path, method):
    assert status(path, method) == 405


@pytest.mark.parametrize("path", ["/pets/health", "/health"])
def test_a_proxy_may_take_its_own_path_away_or_not(path):
    assert status(path, root="/pets") == 200
    assert status("/petshealth", root="/pets") == 404


def test_a_socket_for_messages_both_ways_is_closed():
    sent = []

    async def send(message):
        sent.append(message)

    asyncio.run(Guard(Server(), Listening())({"type": "websocket"}, None, send))
    assert [each["type"] for each in sent] == ["websocket.close"]


# ---------------------------------------------------------------------------- heads and bodies


@pytest.mark.parametrize(
    ("expected", "options"),
    [
        (431, {"headers": [(b"x-%d" % number, b"y") for number in range(100)]}),
        (431, {"headers": [(b"x", b"y" * 20_000)]}),
        (414, {"query": b"x" * 2_000}),
        (411, {"headers": [(b"transfer-encoding", b"chunked")]}),
        (413, {"parts": [b"a body where none belongs"]}),
    ],
)
def test_a_head_that_is_too_large_or_tells_no_length_is_refused(expected, options):
    assert status("/health", **options) == expected


@pytest.mark.parametrize(
    ("path", "largest"),
    [("/engine/frame", 150 * 2**10), ("/engine/classify", 50 * 2**20), ("/gradio_api/call/classify", 72 * 2**20)],
)
def test_each_address_has_its_own_limit_told_or_found_out(path, largest):
    assert status(path, "POST", length=largest + 1) == 413
    lying = {"length": 10, "parts": [b"x" * largest, b"x"]}
    assert status(path, "POST", **lying) == 413


def test_a_range_is_left_aside():
    async def app(scope, receive, send):
        assert [name for name, _ in scope["headers"]] == [b"content-length"]
        await Server()(scope, receive, send)

    assert status("/card.jpg", app=app, headers=[(b"range", b"bytes=0-0,1-1")]) == 200


def test_a_body_that_stops_coming_is_given_up_and_its_answer_says_so(monkeypatch):
    monkeypatch.setattr(bodies, "IDLE_SECONDS", 0.05)
    server = Server()
    for path in ("/engine/explain", "/gradio_api/upload", "/gradio_api/call/classify"):
        assert status(path, "POST", server, parts=[b"half"], length=8) == 408
    assert server.reached == []


def test_a_body_that_drips_has_an_end(monkeypatch):
    monkeypatch.setattr(bodies, "BODY_SECONDS", 0.2)
    until = time.monotonic() + 60

    async def drip() -> dict[str, Any]:
        await asyncio.sleep(0.01)
        assert time.monotonic() < until
        return {"type": "http.request", "body": b"x", "more_body": True}

    async def read() -> None:
        with Bodies().begin(drip, 10**6, kept=True) as body:
            await body.whole()

    with pytest.raises(RefusedError, match="slow"):
        asyncio.run(read())


def test_where_memory_is_short_the_body_that_has_been_coming_for_longest_makes_room():
    async def stay() -> dict[str, Any]:
        await asyncio.Event().wait()
        raise AssertionError

    def sending(*parts: bytes) -> Callable[[], Awaitable[dict[str, Any]]]:
        coming = list(parts)

        async def receive() -> dict[str, Any]:
            if not coming:
                return await stay()
            return {"type": "http.request", "body": coming.pop(0), "more_body": bool(coming) or len(parts) == 1}

        return receive

    async def read() -> list[Any]:
        held = Bodies(memory=100)

        async def one(receive) -> Any:
            with held.begin(receive, 10**6, kept=True) as body:
                return await body.whole()

        slow = [asyncio.ensure_future(one(sending(b"x" * 40))) for _ in range(2)]
        await asyncio.sleep(0.01)
        quick = await one(sending(b"y" * 30, b"y" * 10))
        [slow[1].cancel()]
        return [quick, *await asyncio.gather(*slow, return_exceptions=True)]

    quick, oldest, newer = asyncio.run(read())
    assert quick == b"y" * 40
    assert isinstance(oldest, RefusedError) and oldest.status == 408
    assert isinstance(newer, asyncio.CancelledError), "one was enough"


def test_where_all_bodies_have_come_and_memory_is_full_the_next_is_told_to_come_later():
    async def read() -> None:
        held = Bodies(memory=100)

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": b"x" * 60, "more_body": False}

        with held.begin(receive, 1_000, kept=True) as first:
            await first.whole()
            with pytest.raises(RefusedError, match="busy"), held.begin(receive, 1_000, kept=True) as second:
                await second.whole()
        with held.begin(receive, 1_000, kept=True) as third:
            assert await third.whole() == b"x" * 60

    asyncio.run(read())


def test_one_visitor_cannot_take_all_connections(monkeypatch):
    monkeypatch.setattr(guard, "OPEN_EACH", 2)

    async def test() -> list[int]:
        go = asyncio.Event()

        async def app(scope, receive, send):
            await go.wait()
            await Server()(scope, receive, send)

        guarded = Guard(app, Listening())
        greedy = [asyncio.ensure_future(ask(guarded, "/health")) for _ in range(3)]
        modest = asyncio.ensure_future(ask(guarded, "/health", client="93.184.216.35"))
        await asyncio.sleep(0.01)
        go.set()
        return [status for status, _ in await asyncio.gather(*greedy, modest)]

    assert asyncio.run(test()) == [200, 200, 503, 200]


# ---------------------------------------------------------------------------- JSON


PICTURE = "data:image/png;base64," + "A" * 100_000
LOOKED_THROUGH = [
    {"data": [{"path": "0/cat.png", "meta": {"_type": "gradio.FileData"}}]},
    {"data": ['a "quoted" word', "a backslash \\", "\\\\", 'both \\"', "é😀", ""]},
    {"data": [[{"path": "0" * 40, "meta": {"_type": "gradio.FileData"}}] * 500]},
    [],
    "text",
    None,
    0.5,
]


@pytest.mark.parametrize("value", LOOKED_THROUGH)
@pytest.mark.parametrize("plain", [True, False])
def test_what_a_program_sends_is_read(value, plain):
    assert read_json(json.dumps(value, ensure_ascii=plain).encode()) == value


def test_a_picture_in_it_is_left_out():
    assert read_json(json.dumps({"data": [PICTURE, "x"]}).encode()) == {"data": ["", "x"]}


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"[" * 100, "too-deep"),
        (b'{"a":' * 100, "too-deep"),
        (b"[[],[]," * 20 * 2**20, "too-large"),
        (b"[" + b"0," * 10**6, "too-large"),
        (b'["' + b"x" * 10_000 + b'"]', "too-long"),
        (b'{"' + b"x" * 10_000 + b'": 1}', "too-long"),
        (b'["' + b"\\" * 10_001 + b'"]', "too-long"),
        (b'["data:' + b'\\"' * 10**6 + b'"]', "too-large"),
        (b'""' * 10**6, "too-large"),
        (b"[" + b'"' + b"x" * 3_000 + b'"' * 1, "no-json"),
        (b"[" + b",".join([b'"' + b"x" * 4_000 + b'"'] * 1_000) + b"]", "too-large"),
        (b'["cut', "no-json"),
        (b"", "no-json"),
        (b"{]", "no-json"),
        ("[1]".encode("utf-16"), "no-json"),
        (b"[\xff]", "no-json"),
    ],
    ids=lambda value: repr(value)[:20],
)
def test_what_would_cost_more_than_it_is_worth_is_refused_before_it_is_parsed(content, code):
    begun = time.process_time()
    with pytest.raises(RefusedError, match=code):
        read_json(content)
    assert time.process_time() - begun < 1


def test_nothing_hides_from_it_behind_backslashes():
    for backslashes in range(12):
        hidden = b'["' + b"\\" * backslashes + b'", ' + b"[" * 50 + b"]" * 50 + b', ""]'
        try:
            json.loads(hidden)
        except ValueError:
            continue
        with pytest.raises(RefusedError, match="too-deep"):
            read_json(hidden)


@pytest.mark.parametrize(
    ("path", "session", "expected"),
    [
        ("/gradio_api/queue/join", "b4f8d5a2-1", 200),
        ("/gradio_api/queue/join", None, 400),
        ("/gradio_api/queue/join", "x" * 65, 400),
        ("/gradio_api/queue/join", 7, 400),
        ("/gradio_api/queue/join", "a/b", 400),
        ("/gradio_api/call/classify", None, 200),
        ("/gradio_api/call/classify", "b4f8d5a2-1", 400),
        ("/gradio_api/call/classify", "", 400),
    ],
)
def test_a_session_is_named_where_programs_need_one_and_nowhere_else(path, session, expected):
    body = json.dumps({"data": []} | ({} if session is None else {"session_hash": session})).encode()
    server = Server(json.dumps({"event_id": EVENT}).encode())
    assert status(path, "POST", server, parts=[body], headers=JSON) == expected
    assert [each for _, each in server.reached] == ([body] if expected == 200 else [])


# ---------------------------------------------------------------------------- who listens


def test_a_stranger_s_session_is_not_listened_to():
    server = Server()
    assert status(f"/gradio_api/call/classify/{EVENT}", app=server) == 404
    assert status("/gradio_api/queue/data", app=server, query=b"session_hash=guessed") == 404
    assert status("/gradio_api/queue/data", app=server) == 404
    assert server.reached == []


@pytest.mark.parametrize(
    ("path", "sent", "heard", "query"),
    [
        ("/gradio_api/call/classify", {}, f"/gradio_api/call/classify/{EVENT}", b""),
        ("/gradio_api/queue/join", {"session_hash": "s"}, "/gradio_api/queue/data", b"session_hash=s"),
    ],
)
def test_a_program_hears_what_it_asked(path, sent, heard, query):
    async def test() -> list[int]:
        guarded = Guard(Server(json.dumps({"event_id": EVENT}).encode()), Listening())
        asked = await ask(guarded, path, "POST", [json.dumps({"data": []} | sent).encode()], JSON)
        return [asked[0], (await ask(guarded, heard, query=query))[0]]

    assert asyncio.run(test()) == [200, 200]


def test_what_gradio_has_refused_is_not_listened_to():
    async def test() -> int:
        guarded = Guard(Server(b"full", 503), Listening())
        await ask(guarded, "/gradio_api/queue/join", "POST", [b'{"session_hash": "s"}'], JSON)
        return (await ask(guarded, "/gradio_api/queue/data", query=b"session_hash=s"))[0]

    assert asyncio.run(test()) == 404


def nothing() -> None:
    """What is given back where nothing was kept."""


async def soon(condition: Callable[[], bool]) -> None:
    async def look() -> None:
        while not condition():
            await asyncio.sleep(0.002)

    await asyncio.wait_for(look(), 60)


def test_the_work_begins_when_somebody_listens_and_stops_when_nobody_does():
    begun: list[str] = []

    async def test() -> None:
        sessions = Listening()

        async def work() -> str:
            begun.append("begun")
            await asyncio.Event().wait()
            return "answer"

        sessions.asked("s", nothing)
        answering = asyncio.ensure_future(sessions.answer("s", work))
        await asyncio.sleep(0.01)
        assert not begun
        assert sessions.begin("s")
        await soon(lambda: bool(begun))
        sessions.end("s", left=True)
        with pytest.raises(UnheardError):
            await answering
        assert not sessions.begin("s")

    asyncio.run(test())


def test_work_that_nobody_ever_listens_to_is_given_up(monkeypatch):
    monkeypatch.setattr(listening, "SECONDS", 0.02)

    async def test() -> None:
        sessions = Listening()
        sessions.asked("s", nothing)
        with pytest.raises(UnheardError):
            await sessions.answer("s", lambda: asyncio.sleep(0))
        assert not sessions.begin("s"), "nothing of it is kept"

    asyncio.run(test())


def test_of_many_that_nobody_listens_to_the_oldest_are_dropped(monkeypatch):
    monkeypatch.setattr(listening, "UNHEARD", 3)

    async def test() -> list[str]:
        sessions = Listening()
        answering = {}
        for name in "abcdef":
            sessions.asked(name, nothing)
            answering[name] = asyncio.ensure_future(sessions.answer(name, lambda: asyncio.sleep(0, "answer")))
            await asyncio.sleep(0)
            if name == "a":
                sessions.begin("a")
        for name in "def":
            sessions.begin(name)
        ended = await asyncio.gather(*answering.values(), return_exceptions=True)
        return ["answer" if each == "answer" else type(each).__name__ for each in ended]

    assert asyncio.run(test()) == ["answer", "UnheardError", "UnheardError", "answer", "answer", "answer"]


def test_what_is_kept_of_a_request_is_given_back_once_whatever_becomes_of_it(monkeypatch):
    monkeypatch.setattr(listening, "SECONDS", 0.02)
    given: list[str] = []

    async def test() -> None:
        sessions = Listening()
        for name in ("answered", "left", "unheard", "unanswered", "dropped"):
            sessions.asked(name, partial(given.append, name))
        sessions.begin("answered")
        await sessions.answer("answered", lambda: asyncio.sleep(0))
        assert given == ["answered"]
        sessions.begin("left")
        leaving = asyncio.ensure_future(sessions.answer("left", asyncio.Event().wait))
        await asyncio.sleep(0)
        sessions.end("left", left=True)
        await asyncio.wait({leaving})
        assert sessions.drop_one()
        sessions.begin("unanswered")  # Gradio has refused what it took
        sessions.end("unanswered", left=False)
        await soon(lambda: len(given) == 5)
        assert not sessions.drop_one()

    asyncio.run(test())
    assert sorted(given) == ["answered", "dropped", "left", "unanswered", "unheard"]


def test_a_call_that_nobody_listens_to_makes_room_for_others(monkeypatch):
    body = json.dumps({"data": [PICTURE]}).encode()

    async def test() -> list[int]:
        events = iter(range(10**31, 10**31 + 9))

        async def app(scope, receive, send):
            await Server(json.dumps({"event_id": f"{next(events):032x}"}).encode())(scope, receive, send)

        guarded = Guard(app, Listening())
        guarded.bodies = Bodies(2 * len(body), drop_one=guarded.listening.drop_one)
        return [(await ask(guarded, "/gradio_api/call/classify", "POST", [body], JSON))[0] for _ in range(6)]

    assert asyncio.run(test()) == [200] * 6


def test_a_session_has_few_listeners():
    async def test() -> list[bool]:
        sessions = Listening()
        sessions.asked("s", nothing)
        return [sessions.begin("s") for _ in range(4)]

    assert asyncio.run(test()) == [True, True, False, False]


def test_a_program_that_asks_again_while_its_stream_ends_is_answered():
    async def test() -> str:
        sessions = Listening()
        sessions.asked("s", nothing)
        sessions.begin("s")
        await sessions.answer("s", lambda: asyncio.sleep(0, "first"))
        sessions.asked("s", nothing)
        answering = asyncio.ensure_future(sessions.answer("s", lambda: asyncio.sleep(0.01, "second")))
        await asyncio.sleep(0)
        sessions.end("s", left=False)
        assert sessions.begin("s")
        return await answering

    assert asyncio.run(test()) == "second"
