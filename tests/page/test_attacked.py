"""The page while it is attacked in every way at once: a visitor with a stopwatch, and what is left when it is over."""

from __future__ import annotations

import http.client
import io
import json
import os
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import hostile
import numpy as np
import pytest
from PIL import Image
from served import Served, serving

PATIENCE = 240.0  # seconds, where other tests run beside it
MEMORY = 300 * 2**20  # bytes above those of before that may be held half a minute later
BETWEEN = 0.5  # seconds between two questions of the visitor
PART = b'--cut\r\nContent-Disposition: form-data; name="files"; filename="a.png"\r\n\r\nx\r\n'


def request(port: int, method: str, path: str, body: bytes = b"", source: str = "127.0.0.1", **headers: str) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE, source_address=(source, 0))
    try:
        connection.request(method, path, body, {name.replace("_", "-"): value for name, value in headers.items()})
        response = connection.getresponse()
        response.read()
        return response.status
    finally:
        connection.close()


def post_json(port: int, path: str, body: bytes) -> int:
    return request(port, "POST", f"/gradio_api/{path}", body, Content_Type="application/json")


def left_open(port: int, *sent: bytes, count: int = 20, seconds: float = 2) -> None:
    """Connections that never come to an end, for a while."""
    connections = [socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) for _ in range(count)]
    try:
        for connection in connections:
            for part in sent:
                connection.sendall(part)
        time.sleep(seconds)
    finally:
        for connection in connections:
            connection.close()


def head(method: str, path: str, *lines: str) -> bytes:
    return "\r\n".join([f"{method} {path} HTTP/1.1", "Host: x", *lines, "", ""]).encode()


def noise() -> bytes:
    """A PNG of 13 megapixels in 50 KB."""
    return hostile.encoded("PNG", Image.fromarray(np.zeros((3600, 3600, 3), np.uint8)))


LARGE = noise()
FORM = ("Content-Type: multipart/form-data; boundary=cut", "Content-Length: 9999999")
ATTACKS: list[Callable[[int], object]] = [
    lambda port: post_json(port, "call/classify", b'{"data": [' + b"[]," * (20 * 2**20 // 3) + b"[]]}"),
    lambda port: post_json(port, "queue/join", b'{"data": [], "session_hash": "' + b"x" * 50 * 2**20 + b'"}'),
    lambda port: post_json(port, "call/classify", b'{"data": [{"path": "' + b"x" * 25 * 2**20 + b'"}]}'),
    lambda port: [post_json(port, "call/classify", b'{"data": ["data:image/png;base64,AAAA"]}') for _ in range(101)],
    lambda port: [post_json(port, "queue/join", json.dumps({"data": ["x"], "fn_index": 0, "session_hash": f"s{n}"}).encode())
                  for n in range(101)],
    lambda port: [post_json(port, "run/classify", b'{"data": ["x"]}') for _ in range(40)],
    lambda port: [request(port, "POST", "/engine/classify", LARGE) for _ in range(4)],
    lambda port: left_open(port, head("POST", "/engine/explain", "Content-Length: 9999"), LARGE[:5_000]),
    lambda port: left_open(port, head("POST", "/gradio_api/upload", *FORM), PART * 500),
    lambda port: left_open(port, head("POST", "/engine/frame", "Transfer-Encoding: chunked") + b"1\r\nx\r\n" * 50_000, count=5),
    lambda port: left_open(port, head("GET", "/", "X-A: " + "x" * 60_000)[:-4]),
    lambda port: left_open(port, head("GET", "/card.jpg")),  # and is not read
    lambda port: [request(port, "GET", f"/gradio_api/queue/data?session_hash={n}") for n in range(101)],
    lambda port: post_json(port, "call/classify_many", json.dumps({"data": [["http://127.0.0.1:1/x.png"] * 500]}).encode()),
]  # fmt: skip


def attack(port: int, number: int, seconds: float) -> None:
    """One attack again and again, for a process of its own, which leaves the processor to the page: on the internet the
    attackers have their own."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            ATTACKS[number](port)
        except (OSError, http.client.HTTPException):
            time.sleep(0.05)


def waits(served: Served, photo: bytes, seconds: float) -> list[float]:
    """How long a visitor from elsewhere waits for each answer, the page itself among them."""
    took, end = [], time.monotonic() + seconds
    while time.monotonic() < end:
        for method, path, body in (("GET", "/", b""), ("POST", "/engine/explain", photo)):
            begun = time.monotonic()
            assert request(served.port, method, path, body, source="127.0.0.2") == 200
            took.append(time.monotonic() - begun)
        time.sleep(BETWEEN)
    return took


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="reads memory from /proc, and has a second address of its own")
@pytest.mark.timeout(3600)
def test_a_visitor_is_answered_while_the_page_is_attacked_in_every_way_and_nothing_is_left(
    root, tmp_path, examples, capsys
):
    """CATDOG_LOAD_SECONDS says for how long; 10 without it, when other tests may run beside it and no time is asked for."""
    asked = os.environ.get("CATDOG_LOAD_SECONDS")
    seconds = float(asked or 10)
    buffer = io.BytesIO()
    Image.open(examples[0]).save(buffer, "JPEG")
    with serving(root, tmp_path) as served:
        waits(served, buffer.getvalue(), 3)
        files, before = served.files(), served.memory()
        code = "import sys; sys.path.insert(0, 'tests'); sys.path.insert(0, 'tests/page'); import test_attacked as t; "
        attackers = [
            subprocess.Popen(
                ["nice", "-n", "19", sys.executable, "-c", f"{code}t.attack({served.port}, {number}, {seconds})"],
                cwd=root,
            )
            for number in range(len(ATTACKS))
        ]
        try:
            took = waits(served, buffer.getvalue(), seconds)
        finally:
            for each in attackers:
                each.kill()
                each.wait()
        until = time.monotonic() + 30
        while (served.memory() > before + MEMORY or served.files() != files) and time.monotonic() < until:
            time.sleep(0.5)
        after = served.memory()
        with capsys.disabled():
            print(f"\n{len(took)} answers, median {statistics.median(took):.2f} s, worst {max(took):.2f} s;")
            print(f"memory {before // 2**20} MB before, {after // 2**20} MB after")
        assert not asked or (statistics.median(took) < 1 and max(took) < 5)
        assert after <= before + MEMORY
        assert served.files() == files
        assert "Traceback" not in Path(served.log).read_text()
