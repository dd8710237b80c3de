"""Who listens for the answer to what a program asked: nobody is answered who does not listen.

A program asks in one request and listens in another. What is asked is given to `Listening.answer`, which begins when the program
listens and stops when it leaves, so that requests without a listener cost nothing but their number.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TypeVar

Answer = TypeVar("Answer")

SECONDS = 60.0  # within which a program must listen
LISTENERS = 2  # of one session: a program whose connection was lost may not know yet
UNHEARD = 200  # sessions that nobody listens to: of more, the oldest is dropped


class UnheardError(Exception):
    """Nobody listens any more."""


@dataclass
class Session:
    """What was asked under one name: Gradio's session hash or, without one, its event id."""

    listeners: int = 0
    open: int = 0  # that was asked and is not answered
    kept: list[Callable[[], None]] = field(default_factory=list)  # what gives back the memory of what was asked
    heard: asyncio.Event = field(default_factory=asyncio.Event)
    answering: set[asyncio.Task] = field(default_factory=set)


class Listening:
    """All sessions, in one event loop."""

    def __init__(self) -> None:
        self._sessions: dict[str, Session] = {}

    def asked(self, name: str, release: Callable[[], None]) -> None:
        """A request was taken whose answer will be under this name; `release` is called when it is answered or dropped."""
        session = self._session(name)
        session.open += 1
        session.kept.append(release)
        while len(self._unheard()) > UNHEARD:
            self.drop_one()
        asyncio.get_running_loop().call_later(SECONDS, self._expire, name, session)

    def drop_one(self) -> bool:
        """Drop the oldest session that nobody listens to; whether there was one."""
        unheard = self._unheard()
        if unheard:
            self._drop(unheard[0])
        return bool(unheard)

    def begin(self, name: str) -> bool:
        """A program listens; whether there is anything to hear."""
        session = self._sessions.get(name)
        if session is None or session.listeners >= LISTENERS:
            return False
        session.listeners += 1
        session.heard.set()
        return True

    def end(self, name: str, left: bool) -> None:
        """It has heard everything, or has left: then nothing more is answered."""
        session = self._sessions.get(name)
        if session is None or not session.listeners:  # dropped meanwhile
            return
        session.listeners -= 1
        if session.listeners:
            return
        session.heard.clear()
        if left or session.open <= 0:
            self._drop(name)

    async def answer(self, name: str, work: Callable[[], Awaitable[Answer]]) -> Answer:
        """Do the work while somebody listens.

        Raises:
            UnheardError: where nobody does.
        """
        session = self._session(name)
        answering = asyncio.ensure_future(self._once_heard(session, work))
        session.answering.add(answering)
        try:
            return await answering
        except asyncio.CancelledError:
            if self._sessions.get(name) is session:  # it was not dropped: the server ends
                raise
            raise UnheardError from None
        finally:
            session.answering.discard(answering)
            self._close(name, session)

    async def _once_heard(self, session: Session, work: Callable[[], Awaitable[Answer]]) -> Answer:
        try:
            await asyncio.wait_for(session.heard.wait(), SECONDS)
        except asyncio.TimeoutError:
            raise UnheardError from None
        return await work()

    def _session(self, name: str) -> Session:
        return self._sessions.setdefault(name, Session())

    def _unheard(self) -> list[str]:
        return [name for name, session in self._sessions.items() if not session.listeners]

    def _expire(self, name: str, session: Session) -> None:
        """Also of what Gradio refused without asking us, as it does where there is an argument too many."""
        if self._sessions.get(name) is session and not session.listeners and not session.answering:
            self._drop(name)

    def _close(self, name: str, session: Session) -> None:
        session.open -= 1
        if session.kept:
            session.kept.pop(0)()
        if session.open <= 0 and not session.listeners and self._sessions.get(name) is session:
            self._drop(name)

    def _drop(self, name: str) -> None:
        session = self._sessions.pop(name)
        for release in session.kept:
            release()
        session.kept.clear()
        for each in session.answering:
            each.cancel()
