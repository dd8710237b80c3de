"""The gallery of the many photos tab: a cell for each photo with its verdict, filters, and the table to download."""

from __future__ import annotations

import base64
import html
import io
from collections import Counter
from dataclasses import dataclass

from PIL import Image

from catdog.batch.rows import row_of, write_csv
from catdog.classifier import Prediction
from catdog.images import ImageError
from catdog.page import words
from catdog.page.archive import Member

THUMBNAIL_SIDE = 160  # px; about 3 kB each
FORMULA = ("=", "+", "-", "@", "\t", "\r")
DOUBTFUL = 0.4  # a probability between 20% and 80%


@dataclass(frozen=True)
class Entry:
    """One photo that a visitor handed over."""

    name: str  # as the visitor knows it; never trusted
    source: str | Member


@dataclass(frozen=True)
class Answered:
    """One photo and what became of it."""

    entry: Entry
    answer: Prediction | ImageError
    thumbnail: str  # data: URL, empty for a photo that cannot be read


def gallery_html(done: list[Answered]) -> str:
    """Filters, order, the table to download, and a cell for each photo."""
    if not done:
        return ""
    counts = Counter(kind_of(each) for each in done)
    choices = words.tagged("show.all", "option", {"count": len(done)}, value="") + "".join(
        words.tagged(f"show.{kind}", "option", {"count": counts[kind]}, value=kind)
        for kind in ("cat", "dog", "both", "neither", "unreadable")
        if counts[kind]
    )
    orders = "".join(words.tagged(f"order.{order}", "option", value=order) for order in ("given", "doubt", "verdict"))
    cells = "".join(cell(index, each) for index, each in enumerate(done))
    return f"""
<div class="tools">
  <label>{words.tagged("many.show", "span")}<select name="kind">{choices}</select></label>
  <label>{words.tagged("many.order", "span")}<select name="order">{orders}</select></label>
  <label><input type="checkbox" name="doubtful" value="{DOUBTFUL}">{words.tagged("many.doubtful", "span")}</label>
  {words.tagged("many.download", "a", classes="download", download="catdog.csv", href=csv_url(done))}
</div>
<ul class="photos">{cells}</ul>
{words.tagged("many.no-match", classes="no-match", hidden="hidden")}
"""


def kind_of(each: Answered) -> str:
    return "unreadable" if isinstance(each.answer, ImageError) else each.answer.verdict


def cell(index: int, each: Answered) -> str:
    """One photo in the gallery: a button that opens it in the photo tab, or why it could not be read."""
    name = html.escape(each.entry.name)
    kind = kind_of(each)
    if isinstance(each.answer, ImageError):
        why = words.tagged(f"problem.{each.answer.code}", "span", classes="why")
        return (
            f'<li data-kind="{kind}" data-doubt="1"><div class="photo" title="{name}">'
            f'{why}<span class="name">{name}</span></div></li>'
        )
    bars = "".join(
        f'<span class="track"><span class="fill {label}" style="width: {100 * getattr(each.answer, label):.1f}%"></span>'
        f"</span>"
        for label in ("cat", "dog")
    )
    return (
        f'<li data-kind="{kind}" data-doubt="{doubt(each.answer):.3f}">'
        f'<button type="button" class="photo" data-index="{index}" title="{name}">'
        f'<img src="{each.thumbnail}" alt="" loading="lazy">{words.tagged(f"verdict.{kind}", "span", classes=f"verdict {kind}")}'
        f'{bars}<span class="name">{name}</span></button></li>'
    )


def csv_url(done: list[Answered]) -> str:
    """The table that predict.py writes, as a link that needs no file on the server.

    Spreadsheets take it for UTF-8 by the mark at its beginning, and no name for a formula.
    """
    file = io.StringIO(newline="")
    write_csv((row_of(plain(each.entry.name), each.answer) for each in done), file)
    return "data:text/csv;charset=utf-8;base64," + base64.b64encode(file.getvalue().encode("utf-8-sig")).decode()


def plain(name: str) -> str:
    """A file's name with a quote before what a spreadsheet would compute."""
    return f"'{name}" if name.startswith(FORMULA) else name


def doubt(prediction: Prediction) -> float:
    """0 where both probabilities are 0 or 1, 1 where one of them is a half."""
    return max(1 - abs(2 * probability - 1) for probability in (prediction.cat, prediction.dog))


def thumbnail(picture: Image.Image) -> str:
    """A small copy as a `data:` URL, so that it needs no file."""
    small = picture.copy()
    small.thumbnail((THUMBNAIL_SIDE, THUMBNAIL_SIDE))
    buffer = io.BytesIO()
    small.save(buffer, "WEBP", quality=60, method=0)
    return "data:image/webp;base64," + base64.b64encode(buffer.getvalue()).decode()
