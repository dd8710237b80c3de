"""The many photos tab: files, a folder or a zip in; a gallery of verdicts and a table out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any, Literal

import gradio as gr
from gradio.data_classes import ListFiles
from gradio.processing_utils import save_bytes_to_cache
from gradio.utils import get_upload_folder

from catdog.classifier import Classifier
from catdog.images import MAX_PIXELS, Decoded, ImageError, is_picture
from catdog.page import words
from catdog.page.archive import ArchiveError, Member, members_of
from catdog.page.fetch import FetchesWithinLimits
from catdog.page.gallery import Answered, Entry, gallery_html, thumbnail

MAX_PHOTOS = 500
AT_ONCE = 4  # photos decoded together: bounds the memory, as in the classifier
TOO_LARGE = b"catdog: this file is too large to be sent"  # what upload.js sends in such a file's place
HERE = Path(__file__).parent

State = Literal["on", "stopped", "replaced"]


class TooManyPhotosError(ValueError):
    """More photos than one go takes."""


class RawFiles(FetchesWithinLimits, gr.File):
    """`gr.File` in the browser, but pairs of the visitor's own file name and the upload's path in Python."""

    def get_block_name(self) -> str:
        return "file"

    def preprocess(self, payload: Any) -> Any:
        return pairs_of(payload)


class RawFolder(FetchesWithinLimits, gr.UploadButton):
    """The same for a folder."""

    def get_block_name(self) -> str:
        return "uploadbutton"

    def preprocess(self, payload: Any) -> Any:
        return pairs_of(payload)


def pairs_of(payload: ListFiles | None) -> list[tuple[str, str]]:
    return [(file.orig_name or Path(file.path).name, file.path) for file in payload or ()]


def build(
    classifier: Classifier,
    max_file_size: int,
    keep_seconds: float,
    tabs: gr.Tabs,
    shown: tuple[gr.Image, Callable[[Callable[..., Any]], None]],
) -> None:
    """Lay out the tab and connect it; `tabs` and `shown` (from photo.py) are where a photo that is clicked is opened."""
    limits = {
        "photos": MAX_PHOTOS,
        "megabytes": max_file_size // 2**20,
        "megapixels": MAX_PIXELS // 10**6,
    }
    with gr.Row(equal_height=True):
        files = RawFiles(
            label=words.label("many.files"), file_count="multiple", height=150, elem_id="many-files", scale=3
        )
        with gr.Column(scale=1, min_width=180):
            folder = RawFolder(words.label("many.folder"), file_count="directory", elem_id="many-folder")
            stop = gr.Button(words.label("many.stop"), interactive=False, elem_id="many-stop")
    words.text(words.tagged("many.limits", values=limits), elem_id="many-limits")
    status = words.text(words.tagged("many.waiting", classes="waiting"), elem_id="many-status")
    gallery = gr.HTML("", elem_id="many", js_on_load=(HERE / "many.js").read_text(encoding="utf-8"))
    answered = gr.State([], time_to_live=keep_seconds)  # thumbnails are photos too
    order = gr.State({})  # a visitor's run; Gradio's own cancelling would leave an error where the status stands

    def respond(given: list[tuple[str, str]], order: dict[str, object]) -> Iterator[tuple[Any, ...]]:
        run = order["run"] = object()

        def state() -> State:
            return "on" if order["run"] is run else "stopped" if order["run"] is None else "replaced"

        yield from respond_to(classifier, lambda: entries_of(given), state)

    def respond_to_folder(given: list[tuple[str, str]], order: dict[str, object]) -> Iterator[tuple[Any, ...]]:
        yield from respond(pictures_among(given), order)

    outputs = [status, gallery, answered, files, stop]
    # "multiple": photos that are added while others are answered begin a run that takes the earlier one's place
    options = {"outputs": outputs, "concurrency_limit": 2, "trigger_mode": "multiple", "api_visibility": "private"}
    place = {"show_progress": "minimal", "show_progress_on": status}  # in the queue
    files.upload(respond, [files, order], **options, **place)
    folder.upload(respond_to_folder, [folder, order], **options, **place)
    stop.click(lambda order: order.update(run=None), order, None, queue=False, api_visibility="private")
    picture, answer_after = shown
    opening = gallery.select(
        opened, answered, [tabs, picture, status], show_progress="hidden", api_visibility="private"
    )
    answer_after(opening.success)


def respond_to(
    classifier: Classifier, collect: Callable[[], list[Entry]], state: Callable[[], State] = lambda: "on"
) -> Iterator[tuple[Any, ...]]:
    """Progress after every few photos, then the gallery; nothing more once another run has taken this one's place.

    Yields:
        Status, gallery, the photos in it, the emptied input, the stop button.
    """
    try:
        entries = collect()
    except (ArchiveError, TooManyPhotosError) as error:
        yield problem(error), "", [], None, gr.update(interactive=False)
        return
    done: list[Answered] = []
    yield progress(0, len(entries)), "", done, gr.skip(), gr.update(interactive=True)
    for some in answers_of(classifier, entries):
        done = done + some
        if state() != "on":
            break
        yield progress(len(done), len(entries)), *[gr.skip()] * 4
    if state() == "replaced":
        yield (gr.skip(),) * 5  # Gradio sends the last step again
        return
    status = summary(done, "many.stopped" if state() == "stopped" else "many.done")
    yield status, gallery_html(done), done, None, gr.update(interactive=False)


def entries_of(given: list[tuple[str, str]]) -> list[Entry]:
    """The photos in files and zips.

    Raises:
        ArchiveError: for a zip that is not opened.
        TooManyPhotosError: for more than MAX_PHOTOS.
    """
    entries: list[Entry] = []
    for name, path in given:
        if name.lower().endswith(".zip") and not too_large(path):
            entries += [Entry(f"{name}/{member.name}", member) for member in members_of(Path(path))]
        else:
            entries.append(Entry(name, path))
        if len(entries) > MAX_PHOTOS:
            raise TooManyPhotosError
    return entries


def pictures_among(given: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """A folder's pictures, by their names: it often holds other things too."""
    return [(name, path) for name, path in given if is_picture(PurePosixPath(name))]


def answers_of(classifier: Classifier, entries: list[Entry]) -> Iterator[list[Answered]]:
    """Answer a few photos at a time, in order."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for start in range(0, len(entries), AT_ONCE):
            some = entries[start : start + AT_ONCE]
            decoded = list(pool.map(partial(open_entry, classifier), some))
            answers = iter(classifier.classify([each for each in decoded if isinstance(each, Decoded)]))
            yield [
                Answered(entry, each, "")
                if isinstance(each, ImageError)
                else Answered(entry, next(answers), thumbnail(each.picture))
                for entry, each in zip(some, decoded)
            ]


def too_large(path: str) -> bool:
    """Whether this is the note in the place of a file that was too large to be sent."""
    file = Path(path)
    return file.is_file() and file.stat().st_size == len(TOO_LARGE) and file.read_bytes() == TOO_LARGE


def open_entry(classifier: Classifier, entry: Entry) -> Decoded | ImageError:
    """A photo, decoded once for its answer and its thumbnail."""
    try:
        if isinstance(entry.source, Member):
            return classifier.open(entry.source.read())
        if too_large(entry.source):
            raise ImageError("too-large", f"{entry.name} is too large to be sent.")
        return classifier.open(entry.source)
    except ImageError as error:
        return error


def problem(error: ArchiveError | TooManyPhotosError) -> str:
    if isinstance(error, TooManyPhotosError):
        return words.tagged("many.too-many", values={"photos": MAX_PHOTOS}, classes="problem", role="alert")
    return words.tagged(f"zip.{error.code}", classes="problem", role="alert")


def progress(done: int, total: int) -> str:
    said = words.tagged("many.progress", values={"done": done, "total": total})
    return f'<div class="progress">{said}<progress max="{max(total, 1)}" value="{done}"></progress></div>'


def summary(done: list[Answered], code: str) -> str:
    if not done:
        return words.tagged("many.none", classes="waiting", role="status")
    return words.tagged(code, values={"photos": len(done)}, role="status")


def opened(done: list[Answered], event: gr.EventData) -> tuple[Any, ...]:
    """Open the photo that was clicked in the photo tab, as it was handed over: tabs, picture, status."""
    try:
        source = done[event.index].entry.source
        path = source if isinstance(source, str) else unpacked(source)
    except (IndexError, ImageError):
        path = ""
    if not Path(path).is_file():  # uploads are deleted after a while, and so are the answers
        return gr.skip(), gr.skip(), words.tagged("many.gone", classes="problem", role="alert")
    return gr.Tabs(selected="photo"), path, gr.skip()


def unpacked(member: Member) -> str:
    """A picture in a zip as a file among the uploads, which is deleted with them."""
    return save_bytes_to_cache(member.read(), PurePosixPath(member.name).name, get_upload_folder())
