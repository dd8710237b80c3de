"""Folders -> labeled photos in three parts: training, tuning, held-out; and made-up photos."""

from catdog.datasets.layouts import read_folders
from catdog.datasets.photo import PARTS, DataError, Found, Photo

__all__ = ["PARTS", "DataError", "Found", "Photo", "read_folders"]
