"""The pictures in a visitor's zip file, read one at a time and never unpacked to the disk."""

from __future__ import annotations

import struct
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from catdog.images import ImageError, is_picture

MAX_DIRECTORY = 2**20  # bytes of a zip's list of contents: about 10,000 files
MAX_UNPACKED = 2 * 2**30  # bytes, of all pictures together
MAX_MEMBER = 50 * 2**20  # bytes of one picture: as much as one upload may have
MAX_RATIO = 200  # of unpacked to packed bytes of a picture of some size: only a bomb shrinks so well
SMALL = 2**20  # bytes; a member up to this size is no bomb, however well it shrinks
# what `zipfile` raises where a zip is damaged
DAMAGED = (zipfile.BadZipFile, zlib.error, struct.error, EOFError, OSError, ValueError, RuntimeError)
METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)  # of these, Python unpacks no more than a member states

# The end of a zip's list of contents (APPNOTE.TXT 4.3.16): signature, 3 counts of no use here, the number of files,
# the list's size and place, the comment's length. Before it, in zips of more than 4 GB or 65,535 files, a locator.
END = struct.Struct("<4s3HHIIH")
END_SIGNATURE = b"PK\x05\x06"
LOCATOR_SIGNATURE = b"PK\x06\x07"
LOCATOR_SIZE = 20


class ArchiveError(Exception):
    """A zip that is not opened; `code` names the reason: `damaged`, `encrypted`, `method`, `nested`, `names` or `bomb`."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True)
class Member:
    """One picture in a zip."""

    archive: Path
    entry: zipfile.ZipInfo

    @property
    def name(self) -> str:
        """With its folders."""
        return self.entry.filename

    def read(self) -> bytes:
        """Its bytes.

        Raises:
            ImageError: where the zip is gone, or this part of it is damaged.
        """
        name = PurePosixPath(self.name).name
        try:
            with zipfile.ZipFile(self.archive) as archive:
                return archive.read(self.entry)  # not by name: two may share one
        except FileNotFoundError as error:
            raise ImageError("missing", f"{name} is gone: hand over the zip again.") from error
        except DAMAGED as error:
            raise ImageError("damaged", f"{name} is damaged in the zip: it cannot be unpacked.") from error


def members_of(path: Path) -> list[Member]:
    """The pictures in a zip, by their names' extensions, in the order of the zip.

    Nothing is unpacked: the checks go by what the zip says of itself, and reading a member stops at the size it states.

    Raises:
        ArchiveError: for a zip that is gone, damaged, encrypted or packed in an unusual way, holds another archive, names
            files outside of itself, or would unpack to more than anyone means.
    """
    try:
        check_directory(path)
        with zipfile.ZipFile(path) as archive:
            entries = [entry for entry in archive.infolist() if not entry.is_dir()]
    except DAMAGED as error:
        raise ArchiveError("damaged") from error
    if any(leads_outside(entry.filename) for entry in entries):
        raise ArchiveError("names")
    if any(entry.filename.lower().endswith(".zip") for entry in entries):
        raise ArchiveError("nested")
    entries = [entry for entry in entries if is_picture(PurePosixPath(entry.filename))]
    if any(entry.flag_bits & 1 for entry in entries):
        raise ArchiveError("encrypted")
    if any(entry.compress_type not in METHODS for entry in entries):
        raise ArchiveError("method")
    if sum(entry.file_size for entry in entries) > MAX_UNPACKED or any(map(is_zip_bomb, entries)):
        raise ArchiveError("bomb")
    return [Member(path, entry) for entry in entries]


def check_directory(path: Path) -> None:
    """Refuse a list of contents that would fill the memory before a single file is looked at."""
    with path.open("rb") as file:
        size = file.seek(0, 2)
        file.seek(max(0, size - END.size - LOCATOR_SIZE - 2**16))  # the comment has at most 2**16 - 1 bytes
        tail = file.read()
    place = tail.rfind(END_SIGNATURE)
    if place < 0 or len(tail) - place < END.size:
        raise ArchiveError("damaged")
    directory = END.unpack_from(tail, place)[5]
    large = tail[max(0, place - LOCATOR_SIZE) :].startswith(LOCATOR_SIGNATURE)  # its sizes stand elsewhere
    if large or directory > MAX_DIRECTORY:
        raise ArchiveError("bomb")


def leads_outside(name: str) -> bool:
    """Whether a name is absolute, climbs out of its folder, or is written for Windows so that it might."""
    return name.startswith("/") or "\\" in name or ":" in name.split("/")[0] or ".." in name.split("/")


def is_zip_bomb(entry: zipfile.ZipInfo) -> bool:
    ratio = entry.file_size / max(entry.compress_size, 1)
    return entry.file_size > MAX_MEMBER or (entry.file_size > SMALL and ratio > MAX_RATIO)
