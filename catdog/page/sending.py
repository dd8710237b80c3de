"""Content on its way out: in the smallest form that the browser takes, and not at all where the browser has it already."""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import brotli
from starlette.requests import Request
from starlette.responses import Response

KINDS = {  # media types; Python's own table is another on every machine
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".ico": "image/svg+xml",
    ".jpg": "image/jpeg",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".md": "text/plain; charset=utf-8",
    ".mjs": "text/javascript; charset=utf-8",
    ".onnx": "application/octet-stream",
    ".packed": "application/octet-stream",
    ".png": "image/png",
    ".safetensors": "application/octet-stream",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
    ".webmanifest": "application/manifest+json",
    ".webp": "image/webp",
}
PRESSED = (".jpg", ".onnx", ".packed", ".png", ".webp")  # hardly smaller when compressed
SMALL = 400  # bytes, below which compressing saves nothing
BEST, QUICK = 9, 4  # efforts: for what is compressed once, and for what somebody waits for
COMPRESS: dict[str, Callable[[bytes, int], bytes]] = {  # the better first
    "br": lambda content, effort: brotli.compress(content, quality=effort),
    "gzip": lambda content, effort: gzip.compress(content, effort, mtime=0),
}
HEADERS = {"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "Vary": "Accept-Encoding"}

ISOLATED = {
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Embedder-Policy": "require-corp",
}  # lets a page use threads


@dataclass(frozen=True)
class Asset:
    """A file as it is sent."""

    content: bytes
    kind: str  # its media type
    encoded: dict[str, bytes] = field(default_factory=dict)  # smaller forms of it, by encoding

    @classmethod
    def of(cls, name: str, content: bytes) -> Asset:
        suffix = Path(name).suffix
        worth = suffix not in PRESSED and len(content) > SMALL
        encoded = {encoding: compress(content, BEST) for encoding, compress in COMPRESS.items()} if worth else {}
        return cls(content, KINDS[suffix], encoded)

    @property
    def tag(self) -> str:
        """The same for all forms of the content, so weak (RFC 9110, section 8.8.1)."""
        return f'W/"{digest_of(self.content)}"'


def send_asset(request: Request, file: Asset, cache: str, headers: dict[str, str] | None = None) -> Response:
    """The file, or word that the browser has it already.

    Args:
        cache: how long it may be kept, as Cache-Control has it.
        headers: besides those that every file has.
    """
    headers = {**HEADERS, "Cache-Control": cache, "ETag": file.tag, **(headers or {})}
    if file.tag in [each.strip() for each in request.headers.get("If-None-Match", "").split(",")]:
        return Response(status_code=304, headers=headers)
    encoding = encoding_for(request)
    if encoding not in file.encoded:
        return Response(file.content, headers=headers, media_type=file.kind)
    return Response(file.encoded[encoding], headers={**headers, "Content-Encoding": encoding}, media_type=file.kind)


def send_json(request: Request, content: Any, status: int = 200) -> Response:
    """An answer, which nobody keeps."""
    body = json.dumps(content, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()
    headers = {**HEADERS, "Cache-Control": "no-store"}
    encoding = encoding_for(request)
    if encoding and len(body) > SMALL:
        body, headers["Content-Encoding"] = COMPRESS[encoding](body, QUICK), encoding
    return Response(body, status, headers, KINDS[".json"])


def encoding_for(request: Request) -> str:
    """The best encoding that the browser takes, such as "br" where it says `gzip, br;q=0.5`; empty for none."""
    said = request.headers.get("Accept-Encoding", "").replace(" ", "").lower()
    weights = [each.partition(";q=") for each in said.split(",")]
    taken = {name for name, _, weight in weights if weight.rstrip("0.") or not weight}
    return next((encoding for encoding in COMPRESS if encoding in taken), "")


def digest_of(*parts: bytes) -> str:
    """Twelve letters and digits that stand for this content alone."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(b"%d:" % len(part) + part)
    return digest.hexdigest()[:12]
