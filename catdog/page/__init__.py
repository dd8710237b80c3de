"""The page and the endpoints for programs, served by Gradio; the page itself is the files below web/."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from gradio import Server
from starlette.requests import Request
from starlette.responses import Response

from catdog.classifier import Classifier
from catdog.device import give_back_memory, share_heaps
from catdog.page import answers, assets, endpoints, inside
from catdog.page.answers import MAX_PHOTO
from catdog.page.guard import Guard
from catdog.page.listening import UNHEARD, Listening
from catdog.page.turns import PLACES, Turns
from catdog.page.uploads import Uploads

SESSIONS = 500  # newest ones that Gradio remembers: every call of a program begins one
GIVE_BACK_SECONDS = 15.0
CALLS = PLACES + UNHEARD + 100  # of programs, handed on at once: they wait in our line, not in Gradio's queue


def build(classifier: Classifier, site: Path | None = None) -> Server:
    """Everything that is served for a loaded classifier.

    Args:
        site: a folder that build_site.py has written, for visitors who would rather not send their photos.
    """
    turns, listening, uploads = Turns(), Listening(), Uploads()
    server = Server(title="catdog", openapi_url=None, docs_url=None, redoc_url=None)
    server.add_middleware(Guard, listening=listening)
    server.include_router(answers.router(classifier, turns))
    server.include_router(inside.router(classifier, turns))
    server.include_router(assets.router(classifier, site))
    server.include_router(endpoints.router(uploads))
    endpoints.add_endpoints(server, classifier, endpoints.Programs(turns, listening, uploads))
    server.add_exception_handler(Exception, failed)
    server.state.uploads = uploads
    return server


async def failed(request: Request, error: Exception) -> Response:
    """What is said of a mistake of ours, which is logged with its traceback: nothing of the server."""
    return answers.problem("failed", 500)


@asynccontextmanager
async def sweeping(server: Server) -> AsyncIterator[None]:
    """Old uploads are deleted and memory is given back for as long as the page is served, and all uploads in the end."""
    sweeping = [asyncio.create_task(each) for each in (server.state.uploads.keep_swept(), keep_giving_back())]
    try:
        yield
    finally:
        for each in sweeping:
            each.cancel()
        server.state.uploads.delete_own()


async def keep_giving_back() -> None:
    """What large pictures and bodies leave behind goes back to the system, again and again."""
    while True:
        await asyncio.sleep(GIVE_BACK_SECONDS)
        await asyncio.to_thread(give_back_memory)


def launch(server: Server, **options: Any) -> None:
    """Serve the page; nothing of a visitor is kept, counted or shared."""
    share_heaps()
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
    server.launch(
        max_file_size=MAX_PHOTO,
        max_threads=CALLS,
        state_session_capacity=SESSIONS,
        run_history=False,
        enable_monitoring=False,
        strict_cors=True,
        pwa=False,
        ssr_mode=False,
        app_kwargs={"lifespan": sweeping},
        **options,
    )
