"""A picture component that hands on the visitor's file as it came."""

from __future__ import annotations

import gradio as gr
from gradio.data_classes import ImageData

from gradio.events import Dependency

class RawImage(gr.Image):
    """`gr.Image` in the browser, but the file's path (or its `data:` URL) in Python.

    `gr.Image` itself decodes uploads before our code sees them: transparency and colour profiles are lost, HEIC is
    refused, and its errors are not ours.
    """

    def get_block_name(self) -> str:
        return "image"

    def preprocess(self, payload: ImageData | None) -> str | None:
        if payload is None:
            return None
        return payload.path or payload.url
    from typing import Callable, Literal, Sequence, Any, TYPE_CHECKING
    from gradio.blocks import Block
    if TYPE_CHECKING:
        from gradio.components import Timer
        from gradio.components.base import Component