"""The page: its frame and its tabs. A new tab is a new file here and a line in `build`."""

from __future__ import annotations

from pathlib import Path

import gradio as gr
from starlette.middleware import Middleware

from catdog.classifier import Classifier
from catdog.page import api, photo, words
from catdog.page.guard import Guard

KEEP_SECONDS = 3000  # after which an upload is deleted, at the next look
LOOK_SECONDS = 600
MAX_FILE_SIZE = 50 * 2**20  # bytes
HERE = Path(__file__).parent


def build(classifier: Classifier) -> gr.Blocks:
    """The whole page for a loaded classifier."""
    with gr.Blocks(title=words.TITLE, analytics_enabled=False, delete_cache=(LOOK_SECONDS, KEEP_SECONDS)) as page:
        gr.Markdown(f"# {words.TITLE}\n{words.INTRODUCTION}", elem_id="introduction")
        with gr.Tab(words.PHOTO_TAB):
            photo.build(classifier, MAX_FILE_SIZE)
        gr.Markdown(words.PRIVACY, elem_id="privacy")
        api.build(classifier)
    return page


def launch(page: gr.Blocks, **options) -> None:
    """Serve the page; nothing of a visitor is kept, counted or shared."""
    page.launch(
        theme=gr.themes.Soft(primary_hue="orange", secondary_hue="blue", font=["system-ui", "sans-serif"]),
        css_paths=HERE / "style.css",
        head=f"<script>{(HERE / 'upload.js').read_text(encoding='utf-8')}</script>",
        footer_links=["api", "settings"],
        max_file_size=MAX_FILE_SIZE,
        run_history=False,
        enable_monitoring=False,
        strict_cors=True,
        pwa=False,
        ssr_mode=False,
        app_kwargs={"middleware": [Middleware(Guard)]},
        **options,
    )
