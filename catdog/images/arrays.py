"""NumPy arrays as pictures."""

from __future__ import annotations

import numpy as np
from PIL import Image

from catdog.images.picture import ImageError, check_size


def from_array(array: np.ndarray) -> Image.Image:
    shape = "x".join(map(str, array.shape))
    if array.ndim == 3 and array.shape[2] == 1:
        array = array[:, :, 0]
    if not (array.ndim == 2 or (array.ndim == 3 and array.shape[2] in (3, 4))):
        raise ImageError(
            "bad-array", f"The array is {shape}: expected (height, width), or that with 1, 3 or 4 channels."
        )
    check_size(array.shape[1], array.shape[0], "The array")
    if np.issubdtype(array.dtype, np.floating):
        if not (np.isfinite(array).all() and array.min() >= 0 and array.max() <= 1):
            raise ImageError("bad-array", "The array of floats has values outside [0, 1]: divide by 255 first.")
        array = np.round(array * 255).astype(np.uint8)
    elif array.dtype.kind == "u" and array.dtype.itemsize == 2:  # of either byte order
        array = np.round(array / 257).astype(np.uint8)  # 65535 / 255
    elif array.dtype == np.bool_:
        array = array.astype(np.uint8) * 255
    elif array.dtype != np.uint8:
        raise ImageError("bad-array", f"The array holds {array.dtype}: expected uint8, uint16 or floats in [0, 1].")
    return Image.fromarray(np.ascontiguousarray(array))


def gray_to_uint8(values: np.ndarray) -> np.ndarray:
    """Gray of 16 or 32 bits or float -> uint8. Only 16 bits state their range; for the others it is the smallest of
    1 (float), 255, 65535 and the peak that holds every value."""
    scaled = np.nan_to_num(values.astype(np.float32), copy=False)
    if values.dtype.itemsize == 2:
        full = 65535.0
    else:
        peak = float(scaled.max())
        limits = (1.0, 255.0, 65535.0) if values.dtype.kind == "f" else (255.0, 65535.0)
        full = next((limit for limit in limits if peak <= limit), peak)
    scaled *= 255.0 / full  # in place: one copy of a large picture is enough
    return np.clip(np.round(scaled, out=scaled), 0, 255, out=scaled).astype(np.uint8)
