"""The page and the endpoints for programs, served by Gradio; the page itself is the files below web/."""

from __future__ import annotations

import os
from typing import Any

from gradio import Server
from starlette.requests import Request
from starlette.responses import Response

from catdog.classifier import Classifier
from catdog.device import share_heaps
from catdog.page import answers, assets, endpoints, inside
from catdog.page.answers import MAX_PHOTO
from catdog.page.turns import Turns

SESSIONS = 500  # newest ones that Gradio remembers: every call of a program begins one


def build(classifier: Classifier) -> Server:
    """Everything that is served for a loaded classifier."""
    server = Server(title="catdog", openapi_url=None, docs_url=None, redoc_url=None)
    turns = Turns()
    server.include_router(assets.router(classifier))
    server.include_router(answers.router(classifier, turns))
    server.include_router(inside.router(classifier, turns))
    endpoints.add_endpoints(server, classifier, turns)
    server.add_exception_handler(Exception, failed)
    return server


async def failed(request: Request, error: Exception) -> Response:
    """What is said of a mistake of ours, which is logged with its traceback: nothing of the server."""
    return answers.problem(request, "failed", 500)


def launch(server: Server, **options: Any) -> None:
    """Serve the page; nothing of a visitor is kept, counted or shared."""
    share_heaps()
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
    server.launch(
        max_file_size=MAX_PHOTO,
        state_session_capacity=SESSIONS,
        run_history=False,
        enable_monitoring=False,
        strict_cors=True,
        pwa=False,
        ssr_mode=False,
        **options,
    )
