"""A picture component that hands on the visitor's file as it came."""

from __future__ import annotations

import gradio as gr
from gradio.data_classes import ImageData

from catdog.page.fetch import FetchesWithinLimits


class RawImage(FetchesWithinLimits, gr.Image):
    """`gr.Image` in the browser, but the file's path (or its `data:` URL) in Python.

    `gr.Image` itself decodes uploads before our code sees them: transparency and color profiles are lost, HEIC is
    refused, and its errors are not ours.
    """

    def get_block_name(self) -> str:
        return "image"

    def preprocess(self, payload: ImageData | None) -> str | None:
        if payload is None:
            return None
        if payload.path:
            return payload.path  # Gradio has checked that it is an upload of this page
        if payload.url and payload.url.startswith("data:"):
            return payload.url
        raise gr.Error("missing: No picture was sent.", print_exception=False)  # never a path or address as "url"
