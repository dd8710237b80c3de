"""The how-good tab: what the loaded checkpoint scored, where it fails, and what it was made from.

Every figure comes from the checkpoint's metadata; the pictures are the examples that come with the page.
"""

from __future__ import annotations

import html
import logging
import re
from functools import cache
from pathlib import Path

import gradio as gr

from catdog.checkpoint import Metadata
from catdog.classifier import Classifier, Explanation
from catdog.files import EXAMPLES
from catdog.images import open_picture
from catdog.measuring.figures import FEW, Figures, FiguresError, Rate
from catdog.measuring.model_card import card_text
from catdog.measuring.record import PhotoCounts, TrainingRecord
from catdog.page import plot, words
from catdog.page.drawing import data_url
from catdog.render import overlay

logger = logging.getLogger(__name__)

LabeledRate = tuple[
    str, dict[str, str], Rate | None
]  # code, values of its words, the rate (None where it was not measured)

SHOWN_MISTAKES = 3
CARD_SIDE = 480  # px


def build(classifier: Classifier, tab: gr.Tab) -> None:
    """Lay out the tab; the examples are answered when somebody first opens it."""
    metadata = classifier.metadata
    try:
        figures, record = Figures.from_dict(metadata.held_out), TrainingRecord.from_dict(metadata.training)
    except FiguresError as error:
        logger.warning("%s The page opens without them.", error)
        figures, record = None, None
    words.text(figures_html(figures), elem_id="good")
    mistakes = words.text("", elem_id="good-mistakes")
    words.text(origin_html(metadata, record), elem_id="good-origin")
    if record:
        with gr.Accordion(words.label("good.card"), open=False, elem_id="good-card"):
            gr.Markdown(card_text(metadata))

    @cache
    def answer() -> str:
        return mistakes_html(classifier, EXAMPLES)

    tab.select(answer, None, mistakes, show_progress="hidden", api_visibility="private")


def figures_html(figures: Figures | None) -> str:
    """Held-out rates with their intervals, and which verdict photos of each kind got."""
    if figures is None:
        return words.tagged("good.none", classes="waiting")
    right = figures.verdict_accuracy
    headline = words.tagged("good.headline", "h2", {"n": f"{figures.n:,}", "percent": f"{100 * right.value:.1f}"})
    groups = "".join(
        f"<h3>{words.tagged(code, 'span')}</h3>{rate_rows(rows)}"
        for code, rows in (("good.higher", successes(figures)), ("good.lower", failures(figures)))
    )
    return f"""
{headline}{words.tagged("good.held-out")}
<div class="rates">{groups}</div>{words.tagged("good.interval", classes="note")}
{numbers(figures)}{plots(figures)}
<h3>{words.tagged("good.confusion", "span")}</h3>{confusion_table(figures.confusion)}
"""


def successes(figures: Figures) -> list[LabeledRate]:
    """Rates that should be high."""
    pets, maps = figures.pets, figures.maps
    return [
        ("verdict", {}, figures.verdict_accuracy),
        ("two-way", {}, pets and pets.two_way_accuracy),
        *(
            ("source", {"source": source.partition(":")[2] or source}, each.two_way_accuracy)
            for source, each in figures.pets_by_source.items()
        ),
        ("negatives", {}, figures.negatives and figures.negatives.called_neither),
        ("both", {}, figures.both and figures.both.called_both),
        *((way.replace(" ", "-"), {}, each) for way, each in figures.made_up_both.items()),
        ("peak", {}, maps and maps.peak_on_pet),
        ("box", {}, maps and maps.box_found),
    ]


def failures(figures: Figures) -> list[LabeledRate]:
    """Rates that should be low, alike."""
    pets, negatives = figures.pets, figures.negatives
    return [
        ("called-neither", {}, pets and pets.called_neither),
        ("called-both", {}, pets and pets.called_both),
        ("sure-pet", {}, negatives and negatives.called_a_pet),
    ]


def rate_rows(rows: list[LabeledRate]) -> str:
    return "".join(rate_row(code, values, rate) for code, values, rate in rows if rate)


def rate_row(code: str, values: dict[str, str], rate: Rate) -> str:
    """A rate as a point on a line from 0 to 100%, its interval as a bar through it, and in figures."""
    low, high = rate.interval
    place = f"left: {100 * low:.2f}%; width: {100 * (high - low):.2f}%"
    point = f"left: {100 * rate.value:.2f}%"
    n = words.tagged("good.of", "small", {"k": f"{rate.k:,}", "n": f"{rate.n:,}"})
    few = words.tagged("good.few", "small", classes="few") if rate.n < FEW else ""
    return (
        f'<div class="rate">{words.tagged(f"figure.{code}", "span", values)}'
        f'<span class="line" aria-hidden="true"><i class="interval" style="{place}"></i>'
        f'<i class="point" style="{point}"></i></span>'
        f"<span><b>{rate.value:.1%}</b> <small>{low:.1%} – {high:.1%}</small> {n} {few}</span></div>"
    )


def numbers(figures: Figures) -> str:
    """The figures that are no rates."""
    lines = []
    if pets := figures.pets:
        loss = pets.two_way_log_loss
        if loss.interval:  # a single pet has none
            low, high = (f"{max(0.0, side):.3f}" for side in loss.interval)
            values = {"loss": f"{loss.value:.3f}", "low": low, "high": high, "n": pets.n}
            lines.append(words.tagged("good.loss", "li", values))
        for label, error in pets.calibration_error.items():
            values = {"error": f"{error.value:.1%}", "chance": f"{error.by_chance:.1%}", "n": pets.n}
            lines.append(words.tagged(f"calibration.{label}", "li", values))
    if against := figures.pets_against_negatives:
        lines.append(words.tagged("good.auroc", "li", {"area": f"{against.auroc:.3f}"}))
    return f'<ul class="numbers">{"".join(lines)}</ul>'


def plots(figures: Figures) -> str:
    """Reliability diagrams of both labels, and the ROC curve, where there were negatives."""
    against = figures.pets_against_negatives
    if against is None or not against.roc:
        return ""
    errors = against.calibration_error
    drawings = [
        ("good.reliability-cat", plot.reliability_diagram(errors["cat"].bins, "cat")),
        ("good.reliability-dog", plot.reliability_diagram(errors["dog"].bins, "dog")),
        ("good.roc", plot.curve(against.roc)),
    ]
    shown = "".join(f"<figure>{drawing}{words.tagged(code, 'figcaption')}</figure>" for code, drawing in drawings)
    return f'<div class="plots">{shown}</div>'


def confusion_table(confusion: dict[str, dict[str, int]]) -> str:
    """Rows are what a photo shows, columns what it was called; the darker, the larger the share of its row."""
    verdicts = next(iter(confusion.values()))  # what was called, whether or not there is a photo that shows it
    head = "".join(words.tagged(f"kind.{verdict}", "th", scope="col") for verdict in verdicts)
    body = ""
    for shown, row in confusion.items():
        total = max(sum(row.values()), 1)
        cells = "".join(
            f'<td class="{"right" if shown == called else "wrong"}" style="--share: {row[called] / total:.3f}">{row[called]}</td>'
            for called in row
        )
        body += f"<tr>{words.tagged(f'kind.{shown}', 'th', scope='row')}{cells}</tr>"
    return (
        f'<table class="confusion"><thead><tr>{words.tagged("good.shows-called", "td")}{head}</tr></thead>'
        f"<tbody>{body}</tbody></table>"
    )


def mistakes_html(classifier: Classifier, folder: Path) -> str:
    """The examples that it gets most wrong, with their maps, and what it is bad at in words."""
    truths = truths_of(folder / "README.md")
    paths = [folder / name for name in sorted(truths)]
    explanations = classifier.explain(paths)
    wrong = [
        (path, explanation)
        for path, explanation in zip(paths, explanations)
        if explanation.prediction.verdict != truths[path.name]
    ]
    wrong.sort(key=lambda pair: -wrongness(pair[1], truths[pair[0].name]))
    cards = "".join(
        mistake_card(classifier, path, explanation, truths[path.name]) for path, explanation in wrong[:SHOWN_MISTAKES]
    )
    said = words.tagged("good.examples", values={"wrong": len(wrong), "n": len(paths)})
    return (
        f"<h3>{words.tagged('good.bad-at', 'span')}</h3>{words.tagged('good.weaknesses')}"
        f'{said}<div class="mistakes">{cards}</div>'
    )


def truths_of(table: Path) -> dict[str, str]:
    """File name -> verdict, from the examples' README: its first column, and the first word of `true answer`."""
    rows = re.findall(r"^\| `([^`]+)` \|[^|]*\| (\w+)", table.read_text(encoding="utf-8"), re.MULTILINE)
    return dict(rows)


def wrongness(explanation: Explanation, truth: str) -> float:
    """How far the worse of the two probabilities is from the truth."""
    prediction = explanation.prediction
    return max(abs(getattr(prediction, label) - (truth in (label, "both"))) for label in ("cat", "dog"))


def mistake_card(classifier: Classifier, path: Path, explanation: Explanation, truth: str) -> str:
    painted = overlay(open_picture(path), explanation, classifier.metadata.evidence_scale)
    painted.thumbnail((CARD_SIDE, CARD_SIDE))
    verdict = explanation.prediction.verdict
    return (
        f'<figure><img src="{data_url(painted)}" data-word-alt="good.alt"><figcaption>'
        f"{words.tagged('good.called', 'span')} <b>{words.tagged(f'kind.{verdict}', 'span')}</b>, "
        f"{words.tagged('good.shows', 'span')} <b>{words.tagged(f'kind.{truth}', 'span')}</b></figcaption></figure>"
    )


def origin_html(metadata: Metadata, record: TrainingRecord | None) -> str:
    """Which network, which photos."""
    lines = [
        words.tagged("good.network", "li", {"architecture": metadata.architecture, "size": metadata.input_size}),
        words.tagged("good.thresholds", "li", {"present": f"{metadata.present:.2f}", "both": f"{metadata.both:.2f}"}),
    ]
    if record and record.epochs_run is not None:  # not where another program trained it
        values = {"epochs": record.epochs_run, "best": record.best_epoch or 0, "commit": record.commit or "–"}
        lines.append(words.tagged("good.trained", "li", values))
    return (
        f"<h3>{words.tagged('good.origin', 'span')}</h3><ul>{''.join(lines)}</ul>"
        f"{sources_table(record.counts) if record else ''}"
    )


def sources_table(counts: PhotoCounts) -> str:
    """Photos by source, label and part."""
    body = "".join(
        f'<tr><th scope="row">{html.escape(name)}</th>'
        + "".join(f"<td>{part.get(name, 0):,}</td>" for part in (counts.training, counts.tuning))
        + "</tr>"
        for name in sorted(counts.training.keys() | counts.tuning.keys())
    )
    head = words.tagged("good.training-photos", "th", scope="col") + words.tagged(
        "good.tuning-photos", "th", scope="col"
    )
    return f'<table class="sources"><thead><tr>{words.tagged("good.source", "td")}{head}</tr></thead><tbody>{body}</tbody></table>'
