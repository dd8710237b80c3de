"""What stands in the served page's head: title, description, icon, what other sites show of a link to it, one style.

Gradio writes tags of its own there, about itself and with pictures from elsewhere; ours take their place.
"""

from __future__ import annotations

import html
import re
from pathlib import Path

from gradio.route_utils import get_root_url
from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import FileResponse
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from catdog.page import words

HERE = Path(__file__).parent
ICON = HERE / "icon.svg"
CARD = HERE / "card.jpg"  # examples/hard-kitten-and-dog.jpg (public domain) with its evidence maps, beside the name
CARD_SIZE = (1200, 630)  # px, the shape that other sites show whole
LESS_MOTION = """
@media (prefers-reduced-motion: reduce) {
  *, ::before, ::after {
    animation-duration: 0.01ms !important;
    animation-iteration-count: 1 !important;
    transition-duration: 0.01ms !important;
  }
}"""  # Gradio narrows css_paths to the tabs, and loads them late: what it shows while it starts would still move
MANIFEST = '<link rel="manifest" href="{}/manifest.json" />'  # Gradio's would be the whole site's
OTHERS = re.compile(r'<meta\s+(?:property|name)="(?:og|twitter):[^>]*>\s*')


class Head:
    """ASGI middleware around Gradio's own application: rewrites the head of its pages, leaves all else alone."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "GET":
            await self.app(scope, receive, send)
            return
        start: Message | None = None  # of a page, kept back until its new length is known
        page = b""

        async def rewrite(message: Message) -> None:
            nonlocal start, page
            if message["type"] == "http.response.start":
                kind = MutableHeaders(raw=message["headers"]).get("content-type", "")
                if kind.startswith("text/html"):
                    start = message
                    return
            if start is None:
                await send(message)
                return
            page += message.get("body", b"")
            if message.get("more_body", False):
                return
            ours = rewritten(
                page.decode(), get_root_url(Request(scope), scope["path"], scope.get("root_path"))
            ).encode()
            MutableHeaders(raw=start["headers"])["content-length"] = str(len(ours))
            await send(start)
            await send({"type": "http.response.body", "body": ours})

        await self.app(scope, receive, rewrite)


def rewritten(page: str, root: str) -> str:
    """A page of Gradio's with our head; `root` is the address that visitors see, without a slash at its end."""
    head, script, rest = page.partition("<script")  # what follows is no longer ours to search, but for one tag
    return (
        OTHERS.sub("", head).replace('<meta charset="utf-8" />', f'<meta charset="utf-8" />{tags(root)}')
        + script
        + rest.replace(MANIFEST.format(""), MANIFEST.format(html.escape(root)), 1)
    )


def tags(root: str) -> str:
    """In English: who reads them says no language."""
    title, description = (html.escape(words.WORDS[code][0]) for code in ("page.title", "page.introduction"))
    root = html.escape(root)
    width, height = CARD_SIZE
    return f"""
<title>{title}</title>
<meta name="description" content="{description}" />
<link rel="icon" type="image/svg+xml" href="{root}/favicon.ico" />
<meta property="og:type" content="website" />
<meta property="og:url" content="{root}/" />
<meta property="og:title" content="{title}" />
<meta property="og:description" content="{description}" />
<meta property="og:image" content="{root}/card.jpg" />
<meta property="og:image:width" content="{width}" />
<meta property="og:image:height" content="{height}" />
<meta name="twitter:card" content="summary_large_image" />
<style>{LESS_MOTION}</style>
"""


async def card(request: Request) -> FileResponse:
    return FileResponse(CARD)


ROUTES = [Route("/card.jpg", card)]
