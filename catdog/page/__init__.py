"""The page: its frame and its tabs. A new tab is a new file here and a line in `build`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gradio as gr
from gradio.themes import Base, Soft
from starlette.middleware import Middleware

from catdog.classifier import Classifier
from catdog.device import share_heaps
from catdog.page import api, head, live, many, photo, quality, words
from catdog.page.guard import Guard

KEEP_SECONDS = 3000  # after which an upload is deleted, at the next look
LOOK_SECONDS = 600
MAX_FILE_SIZE = 50 * 2**20  # bytes
MAX_WAITING = 100  # requests, over all visitors: some ten seconds on two cores; who comes then is turned away
SESSIONS = 500  # newest ones, whose state is kept: every call of a program begins one, and Gradio would keep 10,000
HERE = Path(__file__).parent


def build(classifier: Classifier) -> gr.Blocks:
    """The whole page for a loaded classifier."""
    title = words.WORDS["page.title"][0]
    with gr.Blocks(title=title, analytics_enabled=False, delete_cache=(LOOK_SECONDS, KEEP_SECONDS)) as page:
        words.text(header(), elem_id="introduction")
        with gr.Tabs() as tabs:  # every tab is there from the start: Gradio words only those in another language
            with gr.Tab(words.label("photo.tab"), id="photo", render_children=True):
                shown = photo.build(classifier, MAX_FILE_SIZE)
            with gr.Tab(words.label("live.tab"), id="live", render_children=True):
                live.build(classifier.live)
            with gr.Tab(words.label("many.tab"), id="many", render_children=True):
                many.build(classifier, MAX_FILE_SIZE, KEEP_SECONDS, tabs, shown)
            with gr.Tab(words.label("good.tab"), id="good", render_children=True) as good:
                quality.build(classifier, good)
        words.text(words.tagged("page.privacy"), elem_id="privacy")
        api.build(classifier)
    return page.queue(max_size=MAX_WAITING)


def header() -> str:
    """Name, purpose, and the button that changes the language."""
    return f"""
<div class="title"><h1>{words.TITLE}</h1>{words.tagged("page.other-language", "button", id="language", type="button")}</div>
{words.tagged("page.introduction")}
"""


def scripts() -> list[str]:
    """What runs before the tabs appear, in this order."""
    names = ("gradio.js", "camera.js", "evidence.js", "upload.js")
    return [words.script()] + [(HERE / name).read_text(encoding="utf-8") for name in names]


def theme() -> Base:
    """Gradio's soft theme in the cat's and the dog's colors, its small labels with more contrast."""
    soft = Soft(primary_hue="orange", secondary_hue="blue", font=["system-ui", "sans-serif"])
    return soft.set(block_label_text_color="*primary_800", block_label_background_fill_dark="*primary_800")


def launch(page: gr.Blocks, prevent_thread_lock: bool = False, **options: Any) -> None:
    """Serve the page; nothing of a visitor is kept, counted or shared."""
    share_heaps()
    page.launch(
        prevent_thread_lock=True,
        theme=theme(),
        css_paths=[HERE / "style.css", HERE / "tabs.css"],
        head="".join(f"<script>{script}</script>" for script in scripts()),
        i18n=words.translations(),
        footer_links=["api", "settings"],
        max_file_size=MAX_FILE_SIZE,
        state_session_capacity=SESSIONS,
        run_history=False,
        enable_monitoring=False,
        strict_cors=True,
        pwa=False,
        ssr_mode=False,
        favicon_path=head.ICON,
        app_kwargs={"routes": api.ROUTES + head.ROUTES, "middleware": [Middleware(Guard), Middleware(head.Head)]},
        **options,
    )
    api.delete_what_assistants_send(page)
    if not prevent_thread_lock:
        page.block_thread()
