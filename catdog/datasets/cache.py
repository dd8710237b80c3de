"""Photos whose encoded bytes are in memory and known to decode."""

from __future__ import annotations

import io
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from PIL import Image

from catdog.datasets import composites
from catdog.datasets.photo import Photo
from catdog.datasets.splits import short_digest
from catdog.images import Decoded, ImageError, open_picture, open_reduced
from catdog.images.source import read_bytes

MAX_CACHED_SIDE = 512  # px, short side: larger photos are shrunk once, or every epoch would decode megapixels


@dataclass(frozen=True)
class CachedPhoto:
    """A photo whose encoded bytes are in memory and known to decode."""

    photo: Photo
    content: bytes
    size: tuple[int, int]  # width, height of the upright picture
    digest: bytes = b""  # of the file
    trimap: bytes | None = None  # encoded, in memory too: the file may be gone in the middle of a training
    extent: Image.Image | None = None  # where a network sees the pet: 0 to 255, coarse
    strongest: tuple[float, float] | None = None  # where what it sees is strongest, in shares of width and height

    def picture(self) -> Image.Image:
        return open_picture(self.content)

    def mask(self) -> Image.Image | None:
        """The pet as 255 on 0, at the picture's size, where a trimap says so."""
        if self.trimap is None:
            return None
        return composites.pet_mask(Image.open(io.BytesIO(self.trimap)), self.size)

    def cutout(self) -> Image.Image | None:
        """The same, or where there is no trimap what a network has told: its edge is soft and only about right."""
        if self.trimap is None and self.extent is not None:
            return composites.extent_mask(self.extent, self.size)
        return self.mask()


def cache_photos(photos: Sequence[Photo], threads: int = 4) -> tuple[list[CachedPhoto], list[tuple[Photo, ImageError]]]:
    """Read and decode every photo once.

    Returns:
        Those that can be read, in their order, and those that cannot, each with its error.
    """
    pool = ThreadPoolExecutor(threads)
    try:
        results = list(zip(photos, pool.map(cache_photo, photos)))
    finally:  # Ctrl-C waits for the photos that are being read, not for all
        pool.shutdown(cancel_futures=True)
    cached = [result for _, result in results if isinstance(result, CachedPhoto)]
    failed = [(photo, result) for photo, result in results if isinstance(result, ImageError)]
    return cached, failed


def cache_photo(photo: Photo) -> CachedPhoto | ImageError:
    try:
        return decode_photo(photo)[0]
    except ImageError as error:
        return error.alone()


def decode_photo(photo: Photo, enough: int | None = None) -> tuple[CachedPhoto, Decoded]:
    """A photo for the cache, and what it was decoded to.

    Args:
        photo: with a trimap, that is decoded too: a broken one would stop training much later.
        enough: pixels of the short side, below which the picture need not be decoded.

    Raises:
        ImageError: where the photo or its trimap cannot be used.
    """
    decoded = open_reduced(photo.path, enough)
    picture = decoded.picture
    content = photo.path.read_bytes()
    trimap = None
    if photo.trimap is not None:
        trimap = read_bytes(photo.trimap, photo.trimap.name)
        open_picture(trimap)
    digest = short_digest(content)
    if min(decoded.size) <= MAX_CACHED_SIDE and picture.size == decoded.size:
        return CachedPhoto(photo, content, decoded.size, digest, trimap), decoded
    scale = min(1.0, MAX_CACHED_SIDE / min(picture.size))
    size = round(picture.width * scale), round(picture.height * scale)
    shrunk = picture.resize(size, reducing_gap=3.0)
    return CachedPhoto(photo, encode(shrunk), size, digest, trimap), decoded


def encode(picture: Image.Image) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=95)
    return buffer.getvalue()
