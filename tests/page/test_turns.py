"""The waiting line: in order, fair, bounded, and left by whoever leaves."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable
from contextlib import ExitStack
from typing import Any

import hostile
import pytest
from PIL import Image
from starlette.requests import ClientDisconnect

from catdog.page import turns
from catdog.page.turns import Busy, Turns, pixels_in, visitor_at, while_there

MEGA = 10**6


class Work:
    """Pieces of work that run until they are let go, and what ran in which order."""

    def __init__(self) -> None:
        self.begun: list[str] = []
        self.most = self.now = 0
        self.go = threading.Event()

    def piece(self, name: str) -> Callable[[], str]:
        def work() -> str:
            self.begun.append(name)
            self.now += 1
            self.most = max(self.most, self.now)
            assert self.go.wait(60)
            self.now -= 1
            return name

        return work


async def until(condition: Callable[[], bool]) -> None:
    async def look() -> None:
        while not condition():
            await asyncio.sleep(0.005)

    await asyncio.wait_for(look(), 60)


def run(test: Callable[[], Awaitable[Any]]) -> Any:
    async def whole() -> Any:
        return await test()

    return asyncio.run(whole())


def test_visitors_take_turns_and_each_one_s_small_pictures_are_answered_in_order():
    work = Work()

    async def test() -> list[str]:
        line = Turns(at_once=1)
        names = ["greedy 1", "greedy 2", "greedy 3", "modest 1", "late 1"]
        asked = [asyncio.ensure_future(line.turn(name.split()[0], 0, work.piece(name))) for name in names]
        await until(lambda: line.waiting() == 4)
        work.go.set()
        return await asyncio.gather(*asked)

    assert run(test) == ["greedy 1", "greedy 2", "greedy 3", "modest 1", "late 1"]
    assert work.begun == ["greedy 1", "greedy 2", "modest 1", "late 1", "greedy 3"]


def test_no_more_run_at_once_than_may():
    work = Work()

    async def test() -> None:
        line = Turns(at_once=2)
        asked = [asyncio.ensure_future(line.turn(number, 0, work.piece(str(number)))) for number in range(6)]
        await until(lambda: len(work.begun) == 2 and line.waiting() == 4)
        work.go.set()
        await asyncio.gather(*asked)

    run(test)
    assert work.most == 2 and len(work.begun) == 6


def test_pixels_are_bounded_over_all_and_a_large_picture_is_not_overtaken():
    work = Work()

    async def test() -> None:
        line = Turns(at_once=4, pixels=20 * MEGA)
        sizes = {"12": 12, "100": 100, "1": 1}
        asked = [asyncio.ensure_future(line.turn(name, size * MEGA, work.piece(name))) for name, size in sizes.items()]
        await until(lambda: line.waiting() == 2)
        assert work.begun == ["12"]
        work.go.set()
        await asyncio.gather(*asked)

    run(test)
    assert work.begun == ["12", "100", "1"]


def test_a_visitor_s_small_picture_comes_before_a_large_one_that_was_there_a_little_earlier(monkeypatch):
    work = Work()
    monkeypatch.setattr(turns, "DELAY", 60 / MEGA)

    async def test() -> None:
        line = Turns(at_once=1)
        names = {"first": 0, "large": 2, "small": 1, "tiny": 0}
        asked = [asyncio.ensure_future(line.turn("one", size * MEGA, work.piece(name))) for name, size in names.items()]
        await until(lambda: line.waiting() == 3)
        work.go.set()
        await asyncio.gather(*asked)

    run(test)
    assert work.begun == ["first", "tiny", "small", "large"]


def test_large_pictures_of_one_visitor_may_not_wait_without_end_and_leave_room_for_small_ones(monkeypatch):
    work = Work()
    monkeypatch.setattr(turns, "BACKLOG", 30 * MEGA)

    async def test() -> None:
        line = Turns(at_once=1)
        asked = [asyncio.ensure_future(line.turn("one", 13 * MEGA, work.piece("large"))) for _ in range(3)]
        await until(lambda: line.waiting() == 2)
        with pytest.raises(Busy):
            await line.turn("one", 13 * MEGA, work.piece("one too many"))
        asked += [asyncio.ensure_future(line.turn(each, MEGA, work.piece("other"))) for each in ("one", "other")]
        work.go.set()
        await asyncio.gather(*asked)

    run(test)
    assert sorted(work.begun) == ["large"] * 3 + ["other"] * 2


def test_a_place_is_refused_where_one_visitor_or_all_hold_too_many():
    line = Turns(places=5, places_each=3)
    with ExitStack() as held:
        for _ in range(3):
            held.enter_context(line.place("greedy"))
        with pytest.raises(Busy):
            held.enter_context(line.place("greedy"))
        for _ in range(2):
            held.enter_context(line.place("modest"))
        with pytest.raises(Busy):
            held.enter_context(line.place("late"))
    with line.place("late"):
        pass


def test_who_leaves_while_waiting_is_never_answered_and_holds_up_nobody():
    work = Work()

    async def test() -> None:
        line = Turns(at_once=1, pixels=MEGA)
        first = asyncio.ensure_future(line.turn("first", 0, work.piece("first")))
        leaver = asyncio.ensure_future(line.turn("leaver", MEGA, work.piece("leaver")))
        last = asyncio.ensure_future(line.turn("last", 0, work.piece("last")))
        await until(lambda: line.waiting() == 2)
        leaver.cancel()
        await until(lambda: line.waiting() == 1)
        work.go.set()
        await asyncio.gather(first, last)
        assert leaver.cancelled()

    run(test)
    assert work.begun == ["first", "last"]


def test_work_that_has_begun_counts_until_it_ends_although_its_visitor_has_left():
    work = Work()

    async def test() -> None:
        line = Turns(at_once=1)
        leaver = asyncio.ensure_future(line.turn("leaver", 0, work.piece("leaver")))
        await until(lambda: work.begun == ["leaver"])
        leaver.cancel()
        last = asyncio.ensure_future(line.turn("last", 0, work.piece("last")))
        await until(lambda: leaver.cancelled() and line.waiting() == 1)
        work.go.set()
        assert await last == "last"

    run(test)
    assert work.most == 1


def test_an_error_of_the_work_is_its_visitor_s_and_the_line_goes_on():
    async def test() -> str:
        line = Turns(at_once=1)
        with pytest.raises(ZeroDivisionError):
            await line.turn("a", 0, lambda: str(1 / 0))
        return await line.turn("b", 0, lambda: "answer")

    assert run(test) == "answer"


@pytest.mark.parametrize("moment", range(4))
def test_leaving_at_any_moment_gives_back_what_was_taken(moment):
    """Cancelled before it waits, while it waits, as it is called, and while it works."""

    async def test() -> str:
        line = Turns(at_once=1)
        first = asyncio.ensure_future(line.turn("a", 5, lambda: "first"))
        leaver = asyncio.ensure_future(line.turn("b", 5, lambda: "leaver"))
        for _ in range(moment):
            await asyncio.sleep(0)
        leaver.cancel()
        await asyncio.wait({first, leaver})
        return await asyncio.wait_for(line.turn("c", 5, lambda: "answer"), 60)

    assert run(test) == "answer"


def test_a_visitor_who_disconnects_cancels_the_work():
    async def test() -> None:
        gone, cancelled = asyncio.Event(), asyncio.Event()

        async def receive() -> dict[str, Any]:
            await gone.wait()
            return {"type": "http.disconnect"}

        async def work() -> None:
            gone.set()
            try:
                await asyncio.Event().wait()
            finally:
                cancelled.set()

        with pytest.raises(ClientDisconnect):
            await while_there(receive, work())
        await asyncio.wait_for(cancelled.wait(), 60)

    run(test)


@pytest.mark.parametrize(
    ("content", "pixels"),
    [
        (hostile.png(4000, 3000), 4000 * 3000),
        (hostile.encoded("JPEG", Image.new("RGB", (4000, 3000))), 1000 * 750),
        (hostile.encoded("JPEG", Image.new("RGB", (4000, 3000)), progressive=True), 4000 * 3000),
        (hostile.encoded("JPEG", Image.new("RGB", (640, 480))), 640 * 480),
        (hostile.png(0, 0), 0),
        (b"no picture", 0),
    ],
    ids=["PNG", "JPEG", "progressive", "small", "without pixels", "none"],
)
def test_a_picture_s_cost_is_read_from_its_header(content, pixels):
    assert pixels_in(content) == pixels


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("93.184.216.34", "93.184.216.34", True),
        ("93.184.216.34", "93.184.216.35", False),
        ("2606:2800:220:1::1", "2606:2800:220:1:ffff::2", True),
        ("2606:2800:220:1::1", "2606:2800:220:2::1", False),
        (None, "", True),
    ],
)
def test_one_visitor_is_one_address_or_one_network_of_ipv6(one, other, same):
    assert (visitor_at(one) == visitor_at(other)) is same
