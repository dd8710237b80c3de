"""Training, tuning or held-out: which part a photo belongs to, and which photos a checkpoint has seen."""

from __future__ import annotations

import base64
import hashlib
import os
import zlib
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path

from catdog.datasets.photo import PARTS, Photo

SHORT_DIGEST = 4  # bytes


def part_by_hash(name: str) -> str:
    """A tenth held out, a tenth for tuning, the rest for training, by the file's name alone."""
    digit = name_hash(name)
    return "held-out" if digit == 0 else "tuning" if digit == 1 else "training"


def name_hash(name: str) -> int:
    """0 to 9, from the bytes that the file system has for a name."""
    return zlib.crc32(os.fsencode(name)) % 10


def tuning_or_training(name: str) -> str:
    return "tuning" if name_hash(name) == 1 else "training"


def file_digest(path: Path) -> bytes | None:
    """SHA-256 of a file, None where it cannot be read: who opens it as a picture says so."""
    try:
        return hashlib.sha256(path.read_bytes()).digest()
    except OSError:
        return None


def size_of(path: Path) -> int:
    """Bytes of a file, -1 where it cannot be looked at."""
    try:
        return os.path.getsize(path)
    except OSError:
        return -1


def without_duplicates(photos: Iterable[Photo]) -> tuple[list[Photo], list[Photo]]:
    """Drop every second copy of the same bytes: held-out wins, then tuning, then the one that came first.

    Returns:
        The photos kept, in their order, and the copies dropped.
    """
    photos = list(photos)
    by_size: dict[int, list[int]] = defaultdict(list)
    for index, photo in enumerate(photos):
        by_size[size_of(photo.path)].append(index)
    by_content: dict[bytes, list[int]] = defaultdict(list)
    for indices in by_size.values():
        if len(indices) > 1:
            for index in indices:
                if digest := file_digest(photos[index].path):
                    by_content[digest].append(index)
    dropped: set[int] = set()
    for copies in by_content.values():
        kept = max(copies, key=lambda index: (PARTS.index(photos[index].part), -index))
        dropped.update(index for index in copies if index != kept)
    return (
        [photo for index, photo in enumerate(photos) if index not in dropped],
        [photos[index] for index in sorted(dropped)],
    )


def short_digest(content: bytes) -> bytes:
    """Four bytes that stand for a photo: two of ten thousand photos share them once in a hundred times."""
    return hashlib.sha256(content).digest()[:SHORT_DIGEST]


def fingerprint(digests: Iterable[bytes]) -> str:
    """The photos that a checkpoint has seen, for its metadata: they are never scored as held-out."""
    return base64.b64encode(b"".join(sorted(set(digests)))).decode()


def digests_in(fingerprint: str) -> list[bytes]:
    joined = base64.b64decode(fingerprint)
    return [joined[start : start + SHORT_DIGEST] for start in range(0, len(joined), SHORT_DIGEST)]


def some_seen(seen: str, photos: Sequence[Photo]) -> bool:
    """Whether a fingerprint holds some of these photos, of those that are not held out.

    Of up to a thousand of them, evenly spread, two must be in it: one may be there by chance.
    """
    digests = set(digests_in(seen))
    candidates = [photo for photo in photos if photo.part != "held-out"]
    candidates = candidates[:: len(candidates) // 1000 + 1]
    found = sum((file_digest(photo.path) or b"")[:SHORT_DIGEST] in digests for photo in candidates)
    return found >= min(2, max(1, len(candidates)))
