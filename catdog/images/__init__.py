"""Anything a person hands over -> an upright RGB picture, or one clear error."""

from catdog.images.decode import open_picture, open_reduced
from catdog.images.names import COMPANIONS, EXTENSIONS, is_hidden, is_picture, one_line
from catdog.images.picture import MAX_PIXELS, Decoded, ImageError, Picture

__all__ = [
    "COMPANIONS",
    "EXTENSIONS",
    "MAX_PIXELS",
    "Decoded",
    "ImageError",
    "Picture",
    "is_hidden",
    "is_picture",
    "one_line",
    "open_picture",
    "open_reduced",
]
