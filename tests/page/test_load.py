"""Visitors at once: answers as for one alone, one line for all of them, and nothing left behind."""

from __future__ import annotations

import asyncio
import io
import json
import os
import random
import signal
import statistics
import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError
from held import PATIENCE, Held, held_page
from PIL import Image
from served import IDLE, KEPT, files_in, serving

from catdog.page.turns import Turns

VISITORS = 64
SIDES = (100, 480, 1600)  # px, long side of the photos


def values(stream: str) -> list[Any]:
    return [json.loads(line[5:]) for line in stream.splitlines() if line.startswith("data:")]


@dataclass
class Page:
    """A page that is talked to as browsers and programs do."""

    client: httpx.AsyncClient
    uploaded: set[str] = field(default_factory=set)

    async def upload(self, content: bytes) -> str:
        answer = await self.client.post("/gradio_api/upload", files={"files": ("photo.jpg", content)})
        assert answer.status_code == 200, answer.text
        [path] = answer.json()
        self.uploaded.add(path)
        return path

    async def ask(self, path: str) -> str:
        """The address of the answer to come."""
        body = {"data": [{"path": path, "meta": {"_type": "gradio.FileData"}}]}
        answer = await self.client.post("/gradio_api/call/classify", json=body)
        assert answer.status_code == 200, answer.text
        return f"/gradio_api/call/classify/{answer.json()['event_id']}"

    async def classify(self, content: bytes) -> Any:
        """What a program is told: the answer's fields, or an error's."""
        answer = await self.client.get(await self.ask(await self.upload(content)))
        [*_, last] = values(answer.text)
        return last

    async def engine(self, name: str, content: bytes) -> Any:
        """What the page is told."""
        return (await self.client.post(f"/engine/{name}", content=content)).json()

    async def begin_to_ask(self, content: bytes) -> asyncio.StreamWriter:
        """The page has sent a photo; the visitor has the connection in hand."""
        _, writer = await asyncio.open_connection(self.client.base_url.host, self.client.base_url.port)
        writer.write(f"POST /engine/explain HTTP/1.1\r\nHost: x\r\nContent-Length: {len(content)}\r\n\r\n".encode())
        writer.write(content)
        await writer.drain()
        return writer

    async def begin_to_upload(self, content: bytes) -> asyncio.StreamWriter:
        """Half of an upload is sent; the visitor has the connection in hand."""
        _, writer = await asyncio.open_connection(self.client.base_url.host, self.client.base_url.port)
        head = "POST /gradio_api/upload HTTP/1.1\r\nHost: x\r\nContent-Type: multipart/form-data; boundary=cut\r\n"
        part = b'--cut\r\nContent-Disposition: form-data; name="files"; filename="half.jpg"\r\n\r\n' + content
        writer.write(f"{head}Content-Length: {2 * len(part)}\r\n\r\n".encode() + part)
        await writer.drain()
        return writer

    async def leave_while_waiting(self, content: bytes) -> None:
        address = await self.ask(await self.upload(content))
        async with self.client.stream("GET", address):
            pass


def visiting(port: int) -> httpx.AsyncClient:
    limits = httpx.Limits(max_connections=None, keepalive_expiry=2)  # seconds; the server hangs up after 5
    return httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=PATIENCE, limits=limits, trust_env=False)


# ---------------------------------------------------------------------------- a line that stands still


def test_one_line_is_for_programs_and_the_page_and_beyond_its_end_everybody_is_told_to_come_later(
    tiny_network, examples, monkeypatch
):
    photo = examples[0].read_bytes()

    async def crowd(port: int, held: Held, turns: Turns) -> tuple[list[Any], list[Any]]:
        async with visiting(port) as client:
            visitor = Page(client)
            asked = [asyncio.ensure_future(ask(photo)) for ask in ways(visitor)]
            await until(lambda: turns.waiting() == 2)
            refused = [await visitor.engine("explain", photo), await visitor.classify(photo)]
            held.go.set()
            return await asyncio.gather(*asked), refused

    with held_page(tiny_network, monkeypatch, 2) as (held, turns, port):
        answers, refused = asyncio.run(crowd(port, held, turns))
    assert all("verdict" in str(answer) for answer in answers)
    assert refused[0] == {"problem": "busy"}
    assert refused[1]["error"] == "busy: Too many are waiting. Please try again in a moment."


def test_a_python_program_that_is_turned_away_gets_a_sentence(tiny_network, examples, monkeypatch):
    with held_page(tiny_network, monkeypatch, -1) as (_, _, port):
        client = Client(f"http://127.0.0.1:{port}", verbose=False)
        with pytest.raises(AppError, match=r"busy: Too many are waiting\. Please try again in a moment\."):
            client.predict(handle_file(examples[0]), api_name="/classify")


def test_who_leaves_while_waiting_makes_room_on_the_page_and_in_a_program(tiny_network, examples, monkeypatch):
    photo = examples[0].read_bytes()

    async def crowd(port: int, held: Held, turns: Turns) -> Any:
        async with visiting(port) as client:
            visitor = Page(client)
            first = asyncio.ensure_future(visitor.engine("classify", photo))
            address = await visitor.ask(await visitor.upload(photo))
            async with client.stream("GET", address):
                await until(lambda: turns.waiting() == 1)
            await until(lambda: turns.waiting() == 0)
            writer = await visitor.begin_to_ask(photo)
            await until(lambda: turns.waiting() == 1)
            writer.close()
            await until(lambda: turns.waiting() == 0)
            last = asyncio.ensure_future(visitor.classify(photo))
            await until(lambda: turns.waiting() == 1)
            held.go.set()
            await first
            return await last

    with held_page(tiny_network, monkeypatch, 1) as (held, turns, port):
        assert "verdict" in str(asyncio.run(crowd(port, held, turns)))


async def until(condition: Callable[[], bool]) -> None:
    async def look() -> None:
        while not condition():
            await asyncio.sleep(0.05)

    await asyncio.wait_for(look(), PATIENCE)


def test_an_upload_that_is_cut_off_leaves_no_file(tiny_network, examples, monkeypatch, tmp_path):
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))

    async def leave(port: int) -> None:
        async with visiting(port) as client:
            writer = await Page(client).begin_to_upload(examples[0].read_bytes())
            await until(lambda: len(files_in(tmp_path)) == 1)
            writer.close()
            await until(lambda: not files_in(tmp_path))

    with held_page(tiny_network, monkeypatch, 1) as (_, _, port):
        assert not files_in(tmp_path)
        asyncio.run(leave(port))


# ---------------------------------------------------------------------------- a crowd


@pytest.fixture
def server(root, tmp_path):
    with serving(root, tmp_path) as served:
        yield served


def photos_of(examples: list[Path]) -> list[bytes]:
    """Small and large, in three formats; every fourth cannot be read."""
    photos = []
    for number, path in enumerate(examples):
        picture = Image.open(path)
        side = SIDES[number % len(SIDES)]
        picture = picture.resize((side, max(1, side * picture.height // picture.width)))
        buffer = io.BytesIO()
        picture.save(buffer, ("JPEG", "WEBP", "PNG")[number % 3] if side < 1600 else "JPEG")
        photos.append(buffer.getvalue())
        if number % 3 == 0:
            photos.append((buffer.getvalue()[:600], b"", b"no picture", b"\xff\xd8\xff")[number // 3 % 4])
    return photos


def ways(visitor: Page) -> list[Callable[[bytes], Awaitable[Any]]]:
    """How a photo is asked about: by a program, and by the page."""
    return [visitor.classify, partial(visitor.engine, "classify"), partial(visitor.engine, "explain")]


async def crowd(visitor: Page, photos: list[bytes], alone: list[Any], seconds: float) -> list[float]:
    """Visitors who ask again and again; every fourth time one leaves in the middle. Seconds each answer took."""
    end = time.monotonic() + seconds
    took = []

    async def visit(number: int) -> None:
        rng = random.Random(number)
        while time.monotonic() < end:
            index, mood = rng.randrange(len(photos)), rng.randrange(12)
            if mood == 0:
                (await visitor.begin_to_upload(photos[index])).close()
            elif mood == 1:
                await visitor.leave_while_waiting(photos[index])
            elif mood == 2:
                (await visitor.begin_to_ask(photos[index])).close()
            else:
                started = time.monotonic()
                answer = await ways(visitor)[mood % 3](photos[index])
                took.append(time.monotonic() - started)
                assert answer == alone[index][mood % 3]

    await asyncio.gather(*map(visit, range(VISITORS)))
    return took


async def settled(visitor: Page, photo: bytes) -> None:
    """Until idle threads have ended; they do when the next work comes."""
    for _ in range(3):  # they end one after another, and those that have computed have helpers
        await asyncio.sleep(2 * IDLE)
        await visitor.classify(photo)
    await asyncio.sleep(1)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="reads memory, threads and handles from /proc")
@pytest.mark.timeout(3600)
def test_a_crowd_gets_the_answers_that_one_visitor_gets_and_leaves_nothing_behind(server, examples, capsys):
    """CATDOG_LOAD_SECONDS says for how long; 6 without it."""
    seconds = float(os.environ.get("CATDOG_LOAD_SECONDS", "6"))
    at_start = server.files()
    photos = photos_of(examples)

    async def visit() -> tuple[list[float], list[float], list[tuple[int, int, int]]]:
        async with visiting(server.port) as client:
            visitor = Page(client)
            alone = [[await ask(photo) for ask in ways(visitor)] for photo in photos]
            answers = 0
            while answers < KEPT:  # Gradio has begun to forget the oldest: memory stands where it stays
                answers += len(await crowd(visitor, photos, alone, max(10, seconds / 3)))
            await settled(visitor, photos[0])
            state = [(server.memory(), server.threads(), server.handles())]
            single = []
            for photo, expected in zip(photos, alone):
                for ask, answer in zip(ways(visitor), expected):
                    started = time.monotonic()
                    assert await ask(photo) == answer
                    single.append(time.monotonic() - started)
            took = await crowd(visitor, photos, alone, seconds)
            for _ in range(10):  # Gradio's workers end a little late, and those that have computed have helpers
                await settled(visitor, photos[0])
                if server.threads() <= state[0][1]:
                    break
            state.append((server.memory(), server.threads(), server.handles()))
            left = server.files() - at_start
            assert all(path.endswith(tuple(visitor.uploaded)) for path in left), "files that are no visitor's upload"
            return single, took, state

    single, took, [before, after] = asyncio.run(visit())
    alone, p95 = statistics.mean(single), statistics.quantiles(took, n=20)[-1]
    with capsys.disabled():
        print(f"\n{len(took)} answers in {seconds:.0f} s, p95 {p95:.2f} s, one visitor alone {alone:.3f} s a photo;")
        print(f"memory, threads, handles: {before} before, {after} after")
    log = server.log.read_text()
    assert "Traceback" not in log and "Exception" not in log, log
    assert after[0] <= 1.05 * before[0]
    assert after[1] <= before[1] + 1, "threads"  # the last worker may be one with a helper
    assert after[2] <= before[2], "handles"
    assert p95 <= 2 * VISITORS * alone
    server.process.send_signal(signal.SIGINT)
    server.process.wait(PATIENCE)
    assert server.files() <= at_start


# ---------------------------------------------------------------------------- a crowd with cameras


async def cameras(ask, frames: list[bytes], alone: list[Any], seconds: float) -> int:
    """Visitors on the live tab, each of whom sends the next frame when the last answer has come. How many answers."""
    until = time.monotonic() + seconds

    async def visit(number: int) -> int:
        answers = 0
        while time.monotonic() < until:
            index = (number + answers) % len(frames)
            assert await ask(frames[index]) == alone[index]
            answers += 1
        return answers

    return sum(await asyncio.gather(*map(visit, range(VISITORS))))


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="reads memory, threads and handles from /proc")
@pytest.mark.timeout(3600)
def test_a_crowd_with_cameras_gets_the_answers_that_one_visitor_gets_and_leaves_nothing_behind(
    server, examples, capsys
):
    """CATDOG_LOAD_SECONDS says for how long; 6 without it."""
    seconds = float(os.environ.get("CATDOG_LOAD_SECONDS", "6"))
    at_start = server.files()
    frames = []
    for path in examples:
        buffer = io.BytesIO()
        Image.open(path).resize((320, 240)).save(buffer, "JPEG", quality=80)
        frames.append(buffer.getvalue())
    frames.append(b"no frame")

    async def visit() -> tuple[int, list[tuple[int, int, int]]]:
        async with visiting(server.port) as client:
            ask = partial(Page(client).engine, "frame")
            alone = [await ask(frame) for frame in frames]
            assert all("verdict" in answer["prediction"] for answer in alone[:-1])
            assert alone[-1] == {"problem": "unknown-type"}
            state, answers = [], 0
            for duration in (max(5, seconds / 3), seconds):  # to warm up, and to measure
                answers = await cameras(ask, frames, alone, duration)
                for _ in range(3):
                    await asyncio.sleep(2 * IDLE)
                    await ask(frames[0])
                state.append((server.memory(), server.threads(), server.handles()))
            return answers, state

    answers, [before, after] = asyncio.run(visit())
    with capsys.disabled():
        print(f"\n{answers} frames in {seconds:.0f} s; memory, threads, handles: {before} before, {after} after")
    log = server.log.read_text()
    assert "Traceback" not in log and "Exception" not in log, log
    assert after[0] <= 1.05 * before[0]
    assert after[1] <= before[1] + 1, "threads"
    assert after[2] <= before[2], "handles"
    assert server.files() == at_start, "a frame is only ever in memory"
