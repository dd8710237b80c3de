"""The page's files: read, compressed and given a digest once, when the server starts, and sent from memory."""

from __future__ import annotations

import html
import json
import os
import re
from pathlib import Path
from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from catdog.classifier import Classifier
from catdog.files import EXAMPLES
from catdog.page.about import about
from catdog.page.answers import problem
from catdog.page.code import code
from catdog.page.figures import figures_of
from catdog.page.guard import path_of
from catdog.page.sending import ISOLATED, KINDS, Asset, digest_of, send_asset, send_json
from catdog.pets import BANK

HERE = Path(__file__).parent
WEB = HERE / "web"
ROBOTS = b"User-agent: *\nDisallow: /engine/\nDisallow: /gradio_api/\n"
FOREVER = "public, max-age=31536000, immutable"  # for an address that has the digest of what is there
A_DAY = "public, max-age=86400"
ASK_FIRST = "no-cache"  # it may be kept, and is used once the server has said that it is still right
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; media-src 'self' blob:; "
    "connect-src 'self' blob: data:; worker-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'self'"
)
SPACES = "https://huggingface.co https://*.huggingface.co"  # show a Space inside a page of theirs
PERMISSIONS = "camera=(self), geolocation=(), microphone=()"
HOST = re.compile(r"([\w.-]+|\[[\da-fA-F:.]+\])(:\d{1,5})?")


def router(classifier: Classifier, site: Path | None = None) -> APIRouter:
    """Everything that a browser fetches before it asks about a photo.

    Args:
        site: a folder that build_site.py has written, which visitors may choose instead, below /device/.
    """
    routes = APIRouter()
    digest, files = read_web()
    page = files.pop("index.html").decode().replace("{{digest}}", digest)
    known = about(classifier)
    if site:
        known["elsewhere"] = "device/"
    contents = {
        FOREVER: {f"web/{digest}/{name}": content for name, content in files.items()},
        A_DAY: {
            "icon.svg": (HERE / "icon.svg").read_bytes(),
            "favicon.ico": (HERE / "icon.svg").read_bytes(),
            "card.jpg": (HERE / "card.jpg").read_bytes(),
            "robots.txt": ROBOTS,
            **{each["photo"]: (EXAMPLES.parent / each["photo"]).read_bytes() for each in known["examples"]},
        },
        ASK_FIRST: {
            **bank_of(known),
            "about.json": json.dumps(known, ensure_ascii=False).encode(),
            "code.json": json.dumps(code(), ensure_ascii=False).encode(),
            "figures.json": json.dumps(figures_of(classifier.metadata), ensure_ascii=False).encode(),
        },
    }
    found = {name: (Asset.of(name, each), cache) for cache, some in contents.items() for name, each in some.items()}

    async def send(request: Request) -> Response:
        name = path_of(request.scope)[1:]
        return send_asset(request, *found[name]) if name in found else problem("not-found", 404)

    if site:
        device = {f"device/{name}": (Asset.of(name, each), site_cache(name)) for name, each in read_site(site).items()}
        device["device/"] = device.pop("device/index.html")

        @routes.api_route("/device/{path:path}", methods=["GET", "HEAD"])
        async def send_site(request: Request) -> Response:
            name = path_of(request.scope)[1:]
            return send_asset(request, *device[name], ISOLATED) if name in device else problem("not-found", 404)

    for path in ("/web/{path:path}", "/examples/{path:path}", *(f"/{name}" for name in found if "/" not in name)):
        routes.add_api_route(path, send, methods=["GET", "HEAD"])

    @routes.api_route("/", methods=["GET", "HEAD"])
    async def index(request: Request) -> Response:
        policy = f"{POLICY} {SPACES}" if "SPACE_ID" in os.environ else POLICY
        own = page.replace("{{address}}", html.escape(address_of(request)))
        headers = {"Content-Security-Policy": policy, "Permissions-Policy": PERMISSIONS}
        return send_asset(request, Asset.of("index.html", own.encode()), ASK_FIRST, headers)

    @routes.api_route("/health", methods=["GET", "HEAD"])
    async def health(request: Request) -> Response:
        """That the server answers; the network is not asked, so that a host may look often."""
        return send_json(request, {"status": "ok"})

    return routes


def read_web() -> tuple[str, dict[str, bytes]]:
    """The files below web/ by their path there, and one digest for all of them: files of two versions are never mixed."""
    paths = [path for path in sorted(WEB.rglob("*")) if path.suffix in KINDS and path.is_file()]
    files = {path.relative_to(WEB).as_posix(): path.read_bytes() for path in paths}
    return digest_of(*(part for name, content in files.items() for part in (name.encode(), content))), files


def bank_of(known: dict[str, Any]) -> dict[str, bytes]:
    """The bank of other pets by the name that about.json has for it, where it has one."""
    return {known["bank"]: BANK.read_bytes()} if known["bank"] else {}


def read_site(site: Path) -> dict[str, bytes]:
    """The files of a site by their path in it, without those that are for hosts."""
    paths = [path for path in sorted(site.rglob("*")) if path.suffix in KINDS and path.is_file()]
    return {path.relative_to(site).as_posix(): path.read_bytes() for path in paths}


def site_cache(name: str) -> str:
    return FOREVER if name.startswith(("web/", "network/")) else ASK_FIRST  # those have a digest in their address


def address_of(request: Request) -> str:
    """Where visitors see the page, with a slash at its end: what the proxy says or, without one, they themselves."""
    root = request.scope.get("root_path", "").rstrip("/")
    said = request.headers
    host = said.get("X-Forwarded-Host", said.get("Host", "")).partition(",")[0].strip()
    scheme = said.get("X-Forwarded-Proto", request.url.scheme).partition(",")[0].strip()
    if root.startswith(("http://", "https://")) or scheme not in ("http", "https") or not HOST.fullmatch(host):
        return f"{root}/"
    return f"{scheme}://{host}{root}/"
