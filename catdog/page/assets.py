"""The page's files: read, compressed and given a digest once, when the server starts, and sent from memory."""

from __future__ import annotations

import gzip
import hashlib
import html
import json
import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import brotli
from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from catdog.classifier import Classifier
from catdog.files import EXAMPLES
from catdog.page.about import about, examples, thumbnail
from catdog.page.figures import figures_of

HERE = Path(__file__).parent
WEB = HERE / "web"
KINDS = {  # nothing else below web/ is served
    ".css": "text/css; charset=utf-8",
    ".ico": "image/svg+xml",
    ".jpg": "image/jpeg",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
    ".webp": "image/webp",
    ".html": "text/html; charset=utf-8",
}
PRESSED = (".jpg", ".webp")  # compressed by themselves
SMALL = 400  # bytes, below which compressing saves nothing
FOREVER = "public, max-age=31536000, immutable"  # its address has the digest of what it is
A_DAY = "public, max-age=86400"
ASK_FIRST = "no-cache"  # kept, and used once the server has said that it is still right
SPACES = "https://huggingface.co https://*.huggingface.co https://*.hf.space"  # show a Space within a page of theirs
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; media-src 'self' blob:; "
    "connect-src 'self' blob: data:; worker-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'self'"
)
HOST = re.compile(r"[\w.-]+(:\d{1,5})?|\[[\da-fA-F:.]+\](:\d{1,5})?")


@dataclass(frozen=True)
class Asset:
    """A file as it is sent."""

    content: bytes
    kind: str  # its media type
    encoded: dict[str, bytes] = field(default_factory=dict)  # smaller forms, by the name of their encoding, best first

    @property
    def tag(self) -> str:
        """The same for all forms of the content, so weak (RFC 9110, 8.8.1)."""
        return f'W/"{digest_of(self.content)}"'


def router(classifier: Classifier) -> APIRouter:
    """Everything that a browser fetches before it asks about a photo."""
    routes = APIRouter()
    web = {path.relative_to(WEB).as_posix(): path.read_bytes() for path in sorted(WEB.rglob("*")) if is_served(path)}
    digest = digest_of(*(part for name, content in web.items() for part in (name.encode(), content)))
    page = web.pop("index.html").decode().replace("{{digest}}", digest)
    files = {f"web/{digest}/{name}": asset(name, content) for name, content in web.items()}
    told = {"about.json": about(classifier), "figures.json": figures_of(classifier.metadata)}
    brief = {name: asset(name, json.dumps(each, ensure_ascii=False).encode()) for name, each in told.items()}
    daily = {
        "icon.svg": asset("icon.svg", (HERE / "icon.svg").read_bytes()),
        "favicon.ico": asset("favicon.ico", (HERE / "icon.svg").read_bytes()),
        "card.jpg": asset("card.jpg", (HERE / "card.jpg").read_bytes()),
        "robots.txt": asset("robots.txt", b"User-agent: *\nDisallow: /engine/\nDisallow: /gradio_api/\n"),
    }
    for example in examples():
        name = Path(example["photo"]).name
        daily[example["photo"]] = asset(name, (EXAMPLES / name).read_bytes())
        daily[example["thumb"]] = asset(example["thumb"], thumbnail(EXAMPLES / name))

    @routes.api_route("/", methods=["GET", "HEAD"])
    async def index(request: Request) -> Response:
        own = page.replace("{{address}}", html.escape(address_of(request)))
        policy = f"{POLICY} {SPACES}" if "SPACE_ID" in os.environ else POLICY
        headers = {
            "Content-Security-Policy": policy,
            "Permissions-Policy": "camera=(self), microphone=(), geolocation=()",
        }
        return sent(request, asset("index.html", own.encode()), ASK_FIRST, headers)

    for found, cache in ((files, FOREVER), (daily, A_DAY), (brief, ASK_FIRST)):
        for name, each in found.items():
            routes.add_api_route(f"/{name}", sender(each, cache), methods=["GET", "HEAD"])

    @routes.api_route("/health", methods=["GET", "HEAD"])
    async def health(request: Request) -> Response:
        """That the server answers; the network is not asked, so that a host may look often."""
        return JSONResponse({"status": "ok"}, headers={"Cache-Control": "no-store"})

    return routes


def sender(file: Asset, cache: str) -> Any:
    async def send(request: Request) -> Response:
        return sent(request, file, cache)

    return send


def is_served(path: Path) -> bool:
    return path.is_file() and path.suffix in KINDS and not path.name.endswith(".test.js")


def asset(name: str, content: bytes) -> Asset:
    suffix = Path(name).suffix
    encoded = {}
    if suffix not in PRESSED and len(content) > SMALL:
        encoded = {"br": brotli.compress(content, quality=9), "gzip": gzip.compress(content, 9, mtime=0)}
    return Asset(content, KINDS[suffix], encoded)


def sent(request: Request, file: Asset, cache: str, headers: dict[str, str] | None = None) -> Response:
    """The file in the smallest form that the browser takes, or word that it has it already."""
    common = {
        "Cache-Control": cache,
        "ETag": file.tag,
        "Vary": "Accept-Encoding",
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        **(headers or {}),
    }
    if file.tag in [each.strip() for each in request.headers.get("If-None-Match", "").split(",")]:
        return Response(status_code=304, headers=common)
    taken = accepted(request.headers.get("Accept-Encoding", ""))
    for encoding, content in file.encoded.items():
        if encoding in taken:
            return Response(content, headers={**common, "Content-Encoding": encoding}, media_type=file.kind)
    return Response(file.content, headers=common, media_type=file.kind)


def accepted(header: str) -> set[str]:
    """The encodings that a browser takes: `gzip, br;q=0.5` -> gzip and br."""
    parts = [each.replace(" ", "").lower().partition(";q=") for each in header.split(",")]
    return {name for name, _, weight in parts if weight.rstrip("0.") or not weight}


def digest_of(*parts: bytes) -> str:
    """Twelve letters and digits that stand for the content alone."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(b"%d:" % len(part) + part)
    return digest.hexdigest()[:12]


def address_of(request: Request) -> str:
    """Where visitors see the page, with a slash at its end, as the proxy or else they themselves say."""
    root = request.scope.get("root_path", "").rstrip("/")
    if root.startswith(("http://", "https://")):
        return f"{root}/"
    said = request.headers
    host = said.get("X-Forwarded-Host", said.get("Host", "")).partition(",")[0].strip()
    scheme = said.get("X-Forwarded-Proto", request.url.scheme).partition(",")[0].strip()
    if not HOST.fullmatch(host) or scheme not in ("http", "https"):
        return f"{root}/"
    return f"{scheme}://{host}{root}/"
