"""What programs upload: in a folder of its own that nobody else can read, up to a total, and deleted after a while."""

from __future__ import annotations

import asyncio
import errno
import os
import re
import secrets
import shutil
import tempfile
import threading
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.requests import Request

from catdog.page.turns import visitor_at

KEEP_SECONDS = 3_000.0  # after which an upload is deleted, at the next look
LOOK_SECONDS = 600.0
NEEDED_SECONDS = 60.0  # for which an upload is kept also where others need its room
TOTAL = 2 * 2**30  # bytes of all uploads
COMING, COMING_EACH = 4_000, 1_000  # files of forms that have not ended, over all visitors and of one
MAX_FILES = 500  # of one request
MAX_FILE = 50 * 2**20  # bytes
MAX_HEADER = 4_096  # bytes of a part's header
MAX_NAME = 100  # characters that are kept of a file's name
SENT = re.compile(r"([0-9a-f]{32})/([^/\0]{1,100})")  # what the program is told, and sends back
FULL_DISK = (errno.ENOSPC, errno.EDQUOT)


class UploadError(Exception):
    """Why an upload is refused: a status, a code and a sentence."""

    def __init__(self, status: int, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.status, self.code, self.sentence = status, code, sentence


class Uploads:
    """The folder. A program is told no path of this machine, but a name that nobody else can guess."""

    def __init__(self, folder: Path | None = None, total: int = TOTAL) -> None:
        """
        Args:
            folder: without it, one below GRADIO_TEMP_DIR. What is too old there is deleted, whoever put it there.
            total: bytes of all uploads.
        """
        above = os.environ.get("GRADIO_TEMP_DIR") or os.path.join(tempfile.gettempdir(), "gradio")
        self.folder = folder or Path(above) / "uploads"
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.folder.chmod(0o700)
        self._total, self._used = total, 0
        self._own: set[Path] = set()  # what this process put there
        self._lock = (
            threading.RLock()
        )  # forms are written in threads: a disk may be slow, and others wait for their answers
        self._coming: Counter[str] = Counter()  # files of forms that have not ended, by visitor
        self._closing: set[asyncio.Future[None]] = set()  # which the loop would forget otherwise
        self._turn = asyncio.Semaphore(1)  # one at a time, or many threads would take the processor from the answers
        self.sweep()

    def path_of(self, sent: str) -> Path | None:
        """Where the upload lies that a program names; None where there is no such upload."""
        found = SENT.fullmatch(sent)
        path = self.folder / found[1] / found[2] if found and found[2] not in (".", "..") else None
        return path if path is not None and path.is_file() and not path.is_symlink() else None

    async def receive(self, request: Request) -> list[str]:
        """Keep the files of a form, all of them or none; what the program may call them.

        Raises:
            UploadError: for what is no form with files alone, for files that are too large, and where there is no room.
            starlette.requests.ClientDisconnect: where the visitor leaves.
        """
        visitor = visitor_at(request.client and request.client.host)
        form = Form(request.headers.get("content-type", ""), self, visitor)
        try:
            async for part in request.stream():
                async with self._turn:
                    await asyncio.to_thread(form.write, part)
            return form.finish()
        except OSError as error:
            if error.errno in FULL_DISK:
                raise full() from error
            raise
        finally:
            closing = asyncio.ensure_future(self._close(form))  # which is done also where this is cancelled
            self._closing.add(closing)
            closing.add_done_callback(self._closing.discard)
            await asyncio.shield(closing)

    async def _close(self, form: Form) -> None:
        async with self._turn:
            await asyncio.to_thread(form.close)

    def begin_file(self, visitor: str) -> None:
        """Raises: UploadError where too many files are on the way, each of which may have to be deleted again."""
        with self._lock:
            if self._coming[visitor] >= COMING_EACH or self._coming.total() >= COMING:
                raise UploadError(503, "busy", "Too many files come at once. Please try again in a moment.")
            self._coming[visitor] += 1

    def end_files(self, visitor: str, count: int) -> None:
        with self._lock:
            self._coming[visitor] -= count
            if not self._coming[visitor]:
                del self._coming[visitor]

    def reserve(self, size: int) -> None:
        """Raises: UploadError where there is no room, also without those that nobody needs any more."""
        with self._lock:
            if self._used + size > self._total:
                self.sweep(NEEDED_SECONDS, size)
            if self._used + size > self._total:
                raise full()
            self._used += size

    def release(self, size: int) -> None:
        with self._lock:
            self._used = max(0, self._used - size)

    def sweep(self, seconds: float = KEEP_SECONDS, room: int | None = None) -> None:
        """Delete what is older than that, oldest first; only as much as is needed where `room` bytes are."""
        with self._lock:
            kept = []
            for place in self.folder.iterdir():
                with suppress(OSError):  # another process may sweep too
                    kept.append((place.stat().st_mtime, sum(each.stat().st_size for each in place.iterdir()), place))
            self._used = sum(size for _, size, _ in kept)
            for changed, size, place in sorted(kept):
                if changed > time.time() - seconds or (room is not None and self._used + room <= self._total):
                    break
                self.delete(place)
                self.release(size)

    def new_place(self) -> Path:
        """A folder for one upload, whose name nobody can guess."""
        place = self.folder / secrets.token_hex(16)
        place.mkdir(mode=0o700)
        with self._lock:
            self._own.add(place)
        return place

    def delete(self, place: Path) -> None:
        shutil.rmtree(place, ignore_errors=True)
        with self._lock:
            self._own.discard(place)

    def delete_own(self) -> None:
        """When the page is served no longer."""
        for place in tuple(self._own):
            self.delete(place)

    async def keep_swept(self) -> None:
        """Look for what is too old, again and again."""
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            await asyncio.to_thread(self.sweep)


class Form:
    """A multipart body (RFC 7578) whose files are written as they come, one at a time."""

    def __init__(self, content_type: str, uploads: Uploads, visitor: str) -> None:
        kind, options = parse_options_header(content_type)
        if kind != b"multipart/form-data" or not options.get(b"boundary"):
            raise no_form("An upload is a form of the kind multipart/form-data.")
        self._uploads, self._visitor = uploads, visitor
        self._begun = 0  # files
        self._places: list[Path] = []  # a folder each, deleted unless all has come
        self._file: BinaryIO | None = None
        self._size = self._reserved = 0  # bytes of this file, and of all
        self._ended = self._kept = False
        self._lock = threading.Lock()  # who cancels a request does not end the thread that writes
        self._parser = MultipartParser(
            options[b"boundary"],
            {
                "on_part_begin": self._begin_part,
                "on_header_field": self._header_name,
                "on_header_value": self._header_value,
                "on_header_end": self._end_header,
                "on_headers_finished": self._begin_file,
                "on_part_data": self._data,
                "on_part_end": self._end_file,
                "on_end": self._end,
            },
        )

    def write(self, part: bytes) -> None:
        try:
            with self._lock:
                self._parser.write(part)
        except FormParserError as error:
            raise no_form("This is no form of the kind multipart/form-data.") from error

    def finish(self) -> list[str]:
        if not self._ended or not self._places:
            raise no_form("The upload was cut off." if self._places else "Send files under the name files.")
        self._kept = True
        return [f"{place.name}/{next(place.iterdir()).name}" for place in self._places]

    def close(self) -> None:
        with self._lock:
            if self._file is not None:
                self._file.close()
            if not self._kept:
                for place in self._places:
                    self._uploads.delete(place)
                self._uploads.release(self._reserved)
            self._uploads.end_files(self._visitor, self._begun)

    def _begin_part(self) -> None:
        self._name = self._value = self._disposition = b""
        self._size = 0

    def _header_name(self, data: bytes, start: int, end: int) -> None:
        self._name += data[start:end]
        self._check_header()

    def _header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]
        self._check_header()

    def _check_header(self) -> None:
        if len(self._name) + len(self._value) > MAX_HEADER:
            raise no_form("A header in the upload is too long.")

    def _end_header(self) -> None:
        if self._name.lower() == b"content-disposition":
            self._disposition = self._value
        self._name = self._value = b""

    def _begin_file(self) -> None:
        _, options = parse_options_header(self._disposition)
        if options.get(b"name") != b"files" or b"filename" not in options:
            raise no_form("Only files can be uploaded, under the name files.")
        if len(self._places) >= MAX_FILES:
            raise UploadError(413, "too-many", f"Upload at most {MAX_FILES} files at a time.")
        self._uploads.begin_file(self._visitor)
        self._begun += 1
        place = self._uploads.new_place()
        self._places.append(place)
        self._file = (place / file_name(options[b"filename"])).open("xb")

    def _data(self, data: bytes, start: int, end: int) -> None:
        assert self._file is not None
        self._size += end - start
        if self._size > MAX_FILE:
            raise UploadError(413, "too-large", f"A file is larger than {MAX_FILE // 2**20} MB.")
        self._uploads.reserve(end - start)
        self._reserved += end - start
        self._file.write(data[start:end])

    def _end_file(self) -> None:
        assert self._file is not None
        self._file.close()  # before the next is opened, and where the disk is full this says so
        self._file = None

    def _end(self) -> None:
        self._ended = True


def file_name(sent: bytes) -> str:
    """A name that is one on every system: how an error calls the picture."""
    name = sent.decode("utf-8", "replace").replace("\\", "/").rpartition("/")[2]
    name = "".join(letter if letter.isprintable() and letter not in '<>:"|?*' else "_" for letter in name).strip(". ")
    while len(name.encode()) > MAX_NAME:
        name = name[1:]  # its ending stays
    return name or "picture"


def no_form(sentence: str) -> UploadError:
    return UploadError(400, "no-upload", sentence)


def full() -> UploadError:
    return UploadError(507, "full", "There is no room for uploads just now. Please try again later.")
