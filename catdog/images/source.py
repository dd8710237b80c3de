"""Reading the bytes of an encoded picture: from a path, a `data:` URL, bytes or a file object."""

from __future__ import annotations

import base64
import binascii
import os
import urllib.parse
from pathlib import Path

from catdog.images.names import MAX_NAME
from catdog.images.picture import ImageError, Picture

MAX_BYTES = 256 * 2**20  # an encoded file larger than its own decoded limit is no photo
ARCHIVES = (b"PK\x03\x04", b"Rar!\x1a\x07", b"7z\xbc\xaf\x27\x1c", b"\x1f\x8b")  # zip, RAR, 7z, gzip: how they begin
ESCAPED_AT_ONCE = 2**16  # characters of a data: URL whose %-escapes are read together: each takes sixty bytes meanwhile


def name_of(source: Picture) -> str:
    """How an error calls the picture: its file name where it has one, in one line and without hidden characters."""
    if not isinstance(source, (str, os.PathLike)) or (isinstance(source, str) and is_data_url(source)):
        return "The picture"
    path = os.fsdecode(source)
    name = Path(path).name or f"The path {path!r}"
    visible = "".join(character if character.isprintable() else "\ufffd" for character in name)
    return visible if len(visible) <= MAX_NAME else f"{visible[: MAX_NAME - 1]}…"


def read_bytes(source: Picture, name: str) -> bytes:
    """Encoded bytes of a path, `data:` URL, bytes or file object, at most MAX_BYTES."""
    try:
        if isinstance(source, str) and is_data_url(source):
            content = from_data_url(source)
        elif isinstance(source, (str, os.PathLike)):
            content = read_file(Path(os.fsdecode(source)), name)
        elif isinstance(source, (bytes, bytearray, memoryview)):
            content = bytes(source)
        elif (read := getattr(source, "read", None)) is not None:
            content = read(MAX_BYTES + 1)
        else:
            raise ImageError(
                "unknown-type",
                f"{type(source).__name__} is not a kind of picture: hand over a path, bytes, an image or an array.",
            )
    except ImageError:
        raise
    except Exception as error:  # a file object may raise anything, and have a `read` of its own kind
        raise ImageError("missing", f"{name} cannot be read: {getattr(error, 'strerror', None) or error}.") from error
    if isinstance(content, (bytearray, memoryview)):
        content = bytes(content)
    if not isinstance(content, bytes):
        raise ImageError("unknown-type", f"{name} is text: open the file in binary mode.")
    if content.startswith(ARCHIVES):  # whatever its size: a smaller one would not do either
        raise ImageError("unknown-type", f"{name} is an archive: unpack it and hand over the pictures in it.")
    if not content:
        raise ImageError("empty", f"{name} is empty: it has no bytes.")
    if len(content) > MAX_BYTES:
        raise ImageError("too-large", f"{name} is larger than {MAX_BYTES // 2**20} MB: hand over a smaller file.")
    return content


def read_file(path: Path, name: str) -> bytes:
    if not path.exists():
        raise ImageError("missing", f"There is no file {name}: check the path.")
    if path.is_dir():
        try:
            os.scandir(path).close()
        except OSError as error:  # it stands for the photos in it
            raise ImageError("missing", f"{name} is a folder that cannot be read: {error.strerror}.") from error
    if not path.is_file():  # a folder, a device, a pipe that would never end
        raise ImageError("missing", f"{name} is not a file: hand over a picture file.")
    with path.open("rb") as file:
        return file.read(MAX_BYTES + 1)


def is_data_url(text: str) -> bool:
    return text[:5].lower() == "data:"


def from_data_url(url: str) -> bytes:
    """The bytes of a `data:` URL (RFC 2397)."""
    header, comma, body = url.partition(",")
    if not comma:
        raise ImageError("unknown-type", "The data: URL has no comma: expected data:image/png;base64,....")
    if len(body) > 3 * MAX_BYTES:  # a byte is at most %XX
        raise ImageError(
            "too-large", f"The data: URL is larger than {MAX_BYTES // 2**20} MB: hand over a smaller file."
        )
    raw = unescaped(body)
    if not header.endswith(";base64"):
        return raw
    try:
        return base64.b64decode(raw, validate=False)
    except binascii.Error as error:
        raise ImageError("damaged", "The data: URL is not valid base64: it is cut off or garbled.") from error


def unescaped(text: str) -> bytes:
    """`urllib.parse.unquote_to_bytes`, a part at a time."""
    parts = []
    start = 0
    while start < len(text):
        end = start + ESCAPED_AT_ONCE
        if "%" in text[end - 2 : end]:  # not within an escape
            end = text.index("%", end - 2)
        parts.append(urllib.parse.unquote_to_bytes(text[start:end]))
        start = end
    return b"".join(parts)
