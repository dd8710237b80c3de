"""Figures, plots and mistakes on one page that a person reads: no network, one file."""

from __future__ import annotations

import base64
import html
import io
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from PIL import Image
from sklearn.metrics import precision_recall_curve, roc_curve

from catdog.classifier import Classifier
from catdog.decision import percent
from catdog.images import one_line, open_picture
from catdog.labels import LABELS
from catdog.measuring.figures import Figures
from catdog.measuring.measure import Scored, worst_mistakes
from catdog.measuring.metrics import reliability_bins
from catdog.measuring.summary import KINDS_HEAD, kind_rows, named_figures
from catdog.render import COLORS, overlay

INK = "#808080"  # readable on white and on black
SHOWN_SIDE = 320  # px, of a mistake's picture
BINS = np.linspace(0, 1, 26)  # of the histograms


def write_report(
    folder: Path,
    figures: Figures,
    scored: Sequence[Scored],
    classifier: Classifier,
    made: dict[str, str],
) -> None:
    """Write `index.html` and `figures.json` into a folder that exists.

    Args:
        folder: where to.
        figures: of `measure`, and `scored` what they were measured on.
        classifier: for the maps of the worst mistakes.
        made: how the report was made, in words: what, and its value.

    Raises:
        OSError: when a file cannot be written; then an earlier report stays.
    """
    probabilities = np.array([[each.prediction.cat, each.prediction.dog] for each in scored])
    labels = np.array([each.photo.label for each in scored])
    plots = [("Probabilities", histograms(probabilities, labels))]
    plots.append(("Calibration", reliability_diagrams(probabilities, labels)))
    pet = labels.sum(1) > 0
    if pet.any() and not pet.all():
        plots.append(("A pet or none, by the larger probability", curves(probabilities.max(1), pet)))
    metadata = classifier.metadata
    if metadata.head == "sigmoid" and len(np.unique(labels.sum(1))) == 3:
        plots.append(("What the thresholds trade", trade_offs(probabilities, labels, metadata.present, metadata.both)))
    sections = [
        section("Figures", table(("", "figure"), named_figures(figures)) + warning(figures)),
        section("Verdicts", verdicts(figures.confusion)),
        *([section("By kind, the worst first", table(KINDS_HEAD, kind_rows(figures.kinds)))] if figures.kinds else []),
        *(section(title, figure) for title, figure in plots),
        section("Worst mistakes", mistakes(worst_mistakes(scored), classifier)),
        section("How it was made", table(("", ""), list(made.items()))),
    ]
    page = PAGE.format(count=f"{figures.n:,}", sections="\n".join(sections))
    drawn = {"made": made, "plots": points(probabilities, labels)}
    files = {"figures.json": json.dumps(figures.to_dict() | drawn, indent=1) + "\n", "index.html": page}
    temporary = {name: folder / f".{name}.{os.getpid()}.tmp" for name in files}
    try:
        for name, text in files.items():
            temporary[name].write_text(text, encoding="utf-8", errors="backslashreplace")
        for name in files:
            os.replace(temporary[name], folder / name)
    finally:
        for path in temporary.values():
            path.unlink(missing_ok=True)


def section(title: str, content: str) -> str:
    return f"<section><h2>{html.escape(title)}</h2>{content}</section>"


def table(head: Sequence[str], body: Sequence[Sequence[object]]) -> str:
    def line(cells: Sequence[object], kind: str) -> str:
        return "<tr>" + "".join(f"<{kind}>{html.escape(str(cell))}</{kind}>" for cell in cells) + "</tr>"

    rows = "".join(line(cells, "td") for cells in body)
    return f"<div class=wide><table><thead>{line(head, 'th')}</thead><tbody>{rows}</tbody></table></div>"


def warning(figures: Figures) -> str:
    words = ""
    if figures.few:
        words += f"<p>Few photos of {html.escape(', '.join(figures.few))}: their intervals are wide.</p>"
    if figures.maps is None:
        words += (
            "<p>None of these photos has a trimap: the maps were not measured, and no photos of both were made up.</p>"
        )
    elif not figures.made_up_both:
        words += (
            "<p>No photos of both were made up: that takes trimaps of cats and of dogs, and a network for both.</p>"
        )
    return words


def verdicts(confusion: dict[str, dict[str, int]]) -> str:
    order = list(next(iter(confusion.values())))
    body = [(truth, *(f"{row[verdict]:,}" for verdict in order)) for truth, row in confusion.items()]
    return table(("shows \\ called", *order), body)


def plot(columns: int, width: float = 8.0, height: float = 3.0) -> tuple[Figure, list[Axes]]:
    """Axes side by side, transparent, in an ink that is readable on light and on dark."""
    figure = Figure(figsize=(width, height), layout="constrained")
    figure.patch.set_alpha(0)
    all_axes = list(np.atleast_1d(figure.subplots(1, columns)))
    for axes in all_axes:
        axes.patch.set_alpha(0)
        axes.tick_params(colors=INK)
        axes.grid(color=INK, alpha=0.25)
        for each in (axes.xaxis.label, axes.yaxis.label, axes.title):
            each.set_color(INK)
        for spine in axes.spines.values():
            spine.set_color(INK)
    return figure, all_axes


def as_svg(figure: Figure, words: str) -> str:
    for axes in figure.axes:
        if axes.get_legend_handles_labels()[1]:
            axes.legend(frameon=False, labelcolor=INK, fontsize=8)
    buffer = io.StringIO()
    figure.savefig(buffer, format="svg")
    source = base64.b64encode(buffer.getvalue().encode()).decode()
    return f'<img class=plot alt="{html.escape(words)}" src="data:image/svg+xml;base64,{source}">'


def color_of(label: str) -> tuple[float, float, float]:
    red, green, blue = COLORS[label]
    return red / 255, green / 255, blue / 255


def points(probabilities: np.ndarray, labels: np.ndarray) -> dict[str, Any]:
    """What the plots show and the figures do not hold: counts of the histograms' bins, and precision against recall."""
    counts = {
        name: {label: np.histogram(probabilities[group, index], BINS)[0].tolist() for index, label in enumerate(LABELS)}
        for name, group in groups_of(labels)
    }
    shown: dict[str, Any] = {"histograms": counts}
    pet = labels.sum(1) > 0
    if pet.any() and not pet.all():
        precise, found, _ = precision_recall_curve(pet, probabilities.max(1))
        shown["precision_recall"] = np.stack([found, precise], 1).tolist()
    return shown


def groups_of(labels: np.ndarray) -> list[tuple[str, np.ndarray]]:
    """Which photos show a cat, a dog and neither, as far as there are any."""
    kinds = (("cat", (1, 0)), ("dog", (0, 1)), ("neither", (0, 0)))
    groups = [(name, (labels == pair).all(1)) for name, pair in kinds]
    return [(name, group) for name, group in groups if group.any()]


def histograms(probabilities: np.ndarray, labels: np.ndarray) -> str:
    """Both probabilities, for photos of a cat, of a dog and of neither."""
    groups = groups_of(labels)
    figure, all_axes = plot(len(groups))
    for axes, (name, group) in zip(all_axes, groups):
        for index, label in enumerate(LABELS):
            axes.hist(
                probabilities[group, index],
                BINS.tolist(),
                color=color_of(label),
                alpha=0.6,
                label=f"p({label})",
            )
        axes.set(title=f"shows {name} (n {group.sum():,})", xlabel="probability", yscale="log")
    all_axes[0].set_ylabel("photos")
    return as_svg(figure, "Histograms of both probabilities")


def reliability_diagrams(probabilities: np.ndarray, labels: np.ndarray) -> str:
    """Of the photos that were given about this probability, how many show the pet, with 95% intervals."""
    figure, all_axes = plot(len(LABELS), width=7, height=3.4)
    for index, (axes, label) in enumerate(zip(all_axes, LABELS)):
        axes.plot([0, 1], [0, 1], color=INK, linewidth=1, linestyle="--", label="perfect")
        bins = reliability_bins(probabilities[:, index], labels[:, index])
        x, y, low, high = np.array([(each.mean, each.rate.value, *each.rate.interval) for each in bins]).T
        errors = np.maximum(0, [y - low, high - y])
        axes.errorbar(x, y, errors, fmt="o", markersize=4, color=color_of(label), label=label)
        axes.set(title=label, xlabel="probability given", xlim=(-0.02, 1.02), ylim=(-0.02, 1.02))
    all_axes[0].set_ylabel("share that shows it")
    return as_svg(figure, "Reliability diagrams of cat and dog")


def curves(scores: np.ndarray, positive: np.ndarray) -> str:
    """ROC, and precision against recall."""
    figure, (roc, precision) = plot(2, width=7, height=3.4)
    wrong, right, _ = roc_curve(positive, scores)
    roc.plot(wrong, right, color=color_of("dog"))
    precise, found, _ = precision_recall_curve(positive, scores)
    precision.plot(found, precise, color=color_of("dog"))
    # of a good network only the corner is worth looking at
    edge = 0.2 if np.interp(0.2, wrong, right) > 0.9 else 1.0
    low = (1 - edge - 0.005, 1.005)
    roc.set(title="ROC", xlabel="negatives taken for pets", ylabel="pets found", xlim=(-0.005, edge), ylim=low)
    precision.set(title="precision and recall", xlabel="pets found", ylabel="of those found, pets", xlim=low, ylim=low)
    return as_svg(figure, "ROC curve, and precision against recall")


def trade_offs(probabilities: np.ndarray, labels: np.ndarray, present: float, both: float) -> str:
    """What each threshold trades for what: of pets called both against both found, and of pets called neither against
    negatives called neither, with the checkpoint's own thresholds marked."""
    pets, negatives, of_both = (probabilities[labels.sum(1) == count] for count in (1, 0, 2))
    sides = (
        ("both", pets.min(1), of_both.min(1), both, "pets called both", "photos of both called both"),
        ("neither", -pets.max(1), -negatives.max(1), -present, "pets called neither", "negatives called neither"),
    )
    figure, all_axes = plot(2, width=7, height=3.4)
    for axes, (name, wrong, right, chosen, x, y) in zip(all_axes, sides):
        shares = [(reaching(wrong, threshold), reaching(right, threshold)) for threshold in np.unique([*wrong, *right])]
        axes.plot(*zip(*shares), color=color_of("dog"))
        axes.plot(
            reaching(wrong, chosen), reaching(right, chosen), "o", color=color_of("cat"), label=f"at {abs(chosen):.2f}"
        )
        axes.set(title=name, xlabel=x, ylabel=y, xlim=(-0.002, 0.1), ylim=(0.5, 1.005))
    return as_svg(figure, "What the two thresholds trade, the chosen points marked")


def reaching(scores: np.ndarray, threshold: float) -> float:
    return float((scores >= threshold).mean())


def mistakes(worst: Sequence[Scored], classifier: Classifier) -> str:
    """The worst mistakes as pictures with both maps."""
    if not worst:
        return "<p>None.</p>"
    cards = []
    for each in worst:
        [explanation] = classifier.explain([each.photo.path])
        picture = overlay(open_picture(each.photo.path), explanation, classifier.metadata.evidence_scale)
        said = each.prediction
        words = f"{each.photo.verdict}, called {said.verdict}: cat {percent(said.cat)}, dog {percent(said.dog)}"
        cards.append(card(picture, words, each.photo.path.name))
    return f"<p>Orange is evidence for a cat, blue for a dog.</p><div class=cards>{''.join(cards)}</div>"


def card(picture: Image.Image, words: str, name: str) -> str:
    """A picture with what is said of it and its file's name below."""
    return (
        f'<figure><img alt="" src="{as_jpeg(picture)}"><figcaption>{html.escape(words)}<br>'
        f"<small>{html.escape(one_line(name))}</small></figcaption></figure>"
    )


def as_jpeg(picture: Image.Image) -> str:
    picture.thumbnail((SHOWN_SIDE, SHOWN_SIDE))
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=85)
    return f"data:image/jpeg;base64,{base64.b64encode(buffer.getvalue()).decode()}"


PAGE = """\
<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark">
<title>catdog: report</title>
<style>
body {{ font: 16px/1.5 system-ui, sans-serif; max-width: 56rem; margin: 2rem auto; padding: 0 1rem; }}
h1 {{ font-size: 1.6rem; }} h2 {{ font-size: 1.15rem; margin: 2.5rem 0 .5rem; }}
.wide {{ overflow-x: auto; }}
table {{ border-collapse: collapse; font-variant-numeric: tabular-nums; }}
th, td {{ text-align: left; vertical-align: top; padding: .25rem 1.25rem .25rem 0; border-bottom: 1px solid #8884; }}
td {{ overflow-wrap: break-word; }} td:first-child {{ white-space: nowrap; }}
.plot {{ width: 100%; height: auto; }}
.cards {{ display: grid; grid-template-columns: repeat(auto-fill, minmax(11rem, 1fr)); gap: 1rem; }}
figure {{ margin: 0; break-inside: avoid; }} figure img {{ width: 100%; aspect-ratio: 4 / 3; object-fit: contain; }}
figcaption {{ font-size: .85rem; overflow-wrap: anywhere; }}
section {{ break-inside: avoid-page; }}
@media (max-width: 40rem) {{ th, td {{ padding-right: .5rem; }} td:first-child {{ white-space: normal; min-width: 7.5rem; }} }}
@media print {{ body {{ margin: 0; max-width: none; }} }}
</style>
<h1>How good it is, on {count} photos</h1>
{sections}
</html>
"""
