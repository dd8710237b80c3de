"""Figures, plots and mistakes on one page that a person reads: no network, one file."""

from __future__ import annotations

import base64
import html
import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from PIL import Image
from sklearn.metrics import precision_recall_curve, roc_curve

from catdog import metrics
from catdog.checkpoint import LABELS
from catdog.classifier import Classifier
from catdog.images import open_picture
from catdog.metrics import percent
from catdog.render import COLORS, overlay
from catdog.report import Scored, table_of

INK = "#808080"  # readable on white and on black
SHOWN_SIDE = 320  # px, of a mistake's picture


def write_report(
    folder: Path,
    figures: dict[str, Any],
    scored: Sequence[Scored],
    classifier: Classifier,
    command: str,
    seconds: float,
) -> None:
    """Write `index.html` and `figures.json` into a folder that exists.

    Args:
        folder: where to.
        figures: of `report.measure`, and `scored` what they were measured on.
        classifier: for the maps of the worst mistakes.
        command: that makes this report again.
        seconds: that it took until here.
    """
    probabilities = np.array([[each.prediction.cat, each.prediction.dog] for each in scored])
    labels = np.array([each.photo.label for each in scored])
    plots = [("Probabilities", histograms(probabilities, labels))]
    plots.append(("Calibration", reliability(probabilities, labels)))
    pet = labels.sum(1) > 0
    if pet.any() and not pet.all():
        plots.append(("A pet or none, by the larger probability", curves(probabilities.max(1), pet)))
    sections = [
        section("Figures", table(("", "figure"), table_of(figures)) + warning(figures)),
        section("Verdicts", verdicts(figures["confusion"])),
        *(section(title, figure) for title, figure in plots),
        section("Worst mistakes", mistakes(figures["worst_mistakes"], scored, classifier)),
        section("How it was made", made(figures, classifier, command, seconds)),
    ]
    page = PAGE.format(count=f"{figures['n']:,}", sections="\n".join(sections))
    (folder / "figures.json").write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    (folder / "index.html").write_text(page, encoding="utf-8")


def section(title: str, content: str) -> str:
    return f"<section><h2>{html.escape(title)}</h2>{content}</section>"


def table(head: Sequence[str], body: Sequence[Sequence[object]]) -> str:
    def line(cells: Sequence[object], kind: str) -> str:
        return "<tr>" + "".join(f"<{kind}>{html.escape(str(cell))}</{kind}>" for cell in cells) + "</tr>"

    rows = "".join(line(cells, "td") for cells in body)
    return f"<div class=wide><table><thead>{line(head, 'th')}</thead><tbody>{rows}</tbody></table></div>"


def warning(figures: dict[str, Any]) -> str:
    words = ""
    if figures["few"]:
        words += f"<p>Few photos of {html.escape(', '.join(figures['few']))}: their intervals are wide.</p>"
    if "maps" not in figures:
        words += (
            "<p>None of these photos has a trimap: the maps were not measured, and no photos of both were made up.</p>"
        )
    return words


def verdicts(confusion: dict[str, dict[str, int]]) -> str:
    order = list(next(iter(confusion.values())))
    body = [(truth, *(f"{row[verdict]:,}" for verdict in order)) for truth, row in confusion.items()]
    return table(("shows \\ called", *order), body)


def plot(columns: int, width: float = 8.0, height: float = 3.0) -> tuple[Figure, list]:
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


def color_of(label: str) -> tuple[float, ...]:
    return tuple(value / 255 for value in COLORS[label])


def histograms(probabilities: np.ndarray, labels: np.ndarray) -> str:
    """Both probabilities, for photos of a cat, of a dog and of neither."""
    groups = [(name, (labels == pair).all(1)) for name, pair in (("cat", (1, 0)), ("dog", (0, 1)), ("neither", (0, 0)))]
    groups = [(name, group) for name, group in groups if group.any()]
    figure, all_axes = plot(len(groups))
    for axes, (name, group) in zip(all_axes, groups):
        for index, label in enumerate(LABELS):
            axes.hist(
                probabilities[group, index],
                np.linspace(0, 1, 26),
                color=color_of(label),
                alpha=0.6,
                label=f"p({label})",
            )
        axes.set(title=f"shows {name} (n {group.sum():,})", xlabel="probability", yscale="log")
    all_axes[0].set_ylabel("photos")
    return as_svg(figure, "Histograms of both probabilities")


def reliability(probabilities: np.ndarray, labels: np.ndarray) -> str:
    """Of the photos that were given about this probability, how many show the pet, with 95% intervals."""
    figure, all_axes = plot(len(LABELS), width=7, height=3.4)
    for index, (axes, label) in enumerate(zip(all_axes, LABELS)):
        axes.plot([0, 1], [0, 1], color=INK, linewidth=1, linestyle="--", label="perfect")
        bins = metrics.reliability(probabilities[:, index], labels[:, index])
        x, y, low, high = np.array([(mean, rate.value, *rate.interval) for mean, rate in bins]).T
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
    roc.set(title="ROC", xlabel="negatives taken for pets", ylabel="pets found", xlim=(-0.005, 0.2), ylim=(0.8, 1.005))
    precise, found, _ = precision_recall_curve(positive, scores)
    precision.plot(found, precise, color=color_of("dog"))
    precision.set(
        title="precision and recall",
        xlabel="pets found",
        ylabel="of those found, pets",
        xlim=(0.8, 1.005),
        ylim=(0.8, 1.005),
    )
    return as_svg(figure, "ROC curve, and precision against recall")


def mistakes(worst: Sequence[dict[str, Any]], scored: Sequence[Scored], classifier: Classifier) -> str:
    """The worst mistakes as pictures with both maps."""
    if not worst:
        return "<p>None.</p>"
    by_name = {each.photo.path.name: each.photo.path for each in scored}
    cards = []
    for each in worst:
        [explanation] = classifier.explain([by_name[each["name"]]])
        picture = overlay(open_picture(by_name[each["name"]]), explanation, classifier.metadata.evidence_scale)
        words = f"{each['label']}, called {each['verdict']}: cat {percent(each['cat'])}, dog {percent(each['dog'])}"
        cards.append(card(picture, words, each["name"]))
    return f"<p>Orange is evidence for a cat, blue for a dog.</p><div class=cards>{''.join(cards)}</div>"


def card(picture: Image.Image, words: str, name: str) -> str:
    """A picture with what is said of it and its file's name below."""
    return (
        f'<figure><img alt="" src="{as_jpeg(picture)}"><figcaption>{html.escape(words)}<br>'
        f"<small>{html.escape(name)}</small></figcaption></figure>"
    )


def as_jpeg(picture: Image.Image) -> str:
    picture.thumbnail((SHOWN_SIDE, SHOWN_SIDE))
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=85)
    return f"data:image/jpeg;base64,{base64.b64encode(buffer.getvalue()).decode()}"


def made(figures: dict[str, Any], classifier: Classifier, command: str, seconds: float) -> str:
    metadata = classifier.metadata
    training = metadata.training
    counts = ", ".join(f"{count:,} {name}" for name, count in figures["counts"].items())
    rows = [
        ("photos", counts),
        ("command", command),
        ("time", f"{seconds:.0f} s"),
        ("network", f"{metadata.architecture}, {metadata.resize}, {metadata.input_size} px"),
        ("trained on", "; ".join(training.get("folders", ())) or "unknown"),
        ("commit, PyTorch", f"{training.get('commit', '')}, {training.get('torch', '')}"),
    ]
    return table(("", ""), rows)


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
@media (max-width: 40rem) {{ td:first-child {{ white-space: normal; min-width: 8rem; }} }}
@media print {{ body {{ margin: 0; max-width: none; }} }}
</style>
<h1>How good it is, on {count} photos</h1>
{sections}
</html>
"""
