"""What a picture may be, what it becomes once it is decoded, and the one error where it cannot be used."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import BinaryIO

import numpy as np
from PIL import Image

MAX_PIXELS = 89_478_485  # Pillow's own bomb limit: 256 MB of RGB
MAX_ASPECT = 20  # a longer strip shows nothing at the network's input size


@dataclass(frozen=True)
class Decoded:
    """A picture that is decoded once and may be asked about many times: it is taken wherever a picture is."""

    picture: Image.Image  # upright RGB, perhaps smaller than the file's; it is not to be changed
    size: tuple[int, int]  # full width and height in pixels, upright


Picture = (
    str
    | os.PathLike[str]
    | os.PathLike[bytes]
    | bytes
    | bytearray
    | memoryview
    | BinaryIO
    | Image.Image
    | np.ndarray
    | Decoded
)


class ImageError(ValueError):
    """A picture that cannot be used. `code` is one word for programs, the text one sentence for people."""

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(code, sentence)
        self.code = code
        self.sentence = sentence

    def __str__(self) -> str:
        return self.sentence

    def alone(self) -> ImageError:
        """This error without what led to it, whose frames hold the picture as far as it was decoded: to be kept, not raised."""
        self.__traceback__ = self.__cause__ = self.__context__ = None
        return self


def check_size(width: int, height: int, name: str) -> None:
    if width < 1 or height < 1:
        raise ImageError("empty", f"{name} has no pixels: it is {width}x{height}.")
    if width * height > MAX_PIXELS:
        raise too_large(name, f" ({width}x{height})")
    if max(width, height) > MAX_ASPECT * min(width, height):
        raise ImageError("too-long", f"{name} is {width}x{height}: its sides may differ by a factor of {MAX_ASPECT}.")


def too_large(name: str, size: str = "") -> ImageError:
    return ImageError("too-large", f"{name} has more than {MAX_PIXELS // 10**6} megapixels{size}: make it smaller.")
