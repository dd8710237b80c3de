"""Anything a person hands over -> an upright RGB picture, or one clear error."""

from catdog.images.decode import EXTENSIONS, MAX_PIXELS, ImageError, Picture, open_picture, open_reduced

__all__ = ["EXTENSIONS", "MAX_PIXELS", "ImageError", "Picture", "open_picture", "open_reduced"]
