"""The how-good tab without a browser."""

from __future__ import annotations

import re
from dataclasses import replace

import gradio as gr
import pytest
import torch

from catdog.checkpoint import Metadata, load_checkpoint
from catdog.classifier import Classifier
from catdog.measuring.figures import CalibrationFigures, DetectionFigures, Figures, Mean, Rate, ReliabilityBin
from catdog.measuring.record import TrainingRecord
from catdog.page import quality, words


@pytest.fixture(scope="module")
def shipped() -> Metadata:
    return load_checkpoint()[1]


@pytest.fixture(scope="module")
def figures(shipped) -> Figures:
    read = Figures.from_dict(shipped.held_out)
    assert read
    return read


def text_of(markup: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", markup))


def test_every_rate_of_the_checkpoint_is_shown_with_n_and_interval(figures):
    shown = text_of(quality.figures_html(figures))
    rates = [rate for _, _, rate in quality.successes(figures) + quality.failures(figures) if rate]
    assert len(rates) >= 10
    for rate in rates:
        low, high = rate.interval
        assert f"{rate.value:.1%} {low:.1%} – {high:.1%} {rate.k:,} of {rate.n:,}" in shown


def test_other_figures_are_shown_when_the_checkpoint_holds_others(figures):
    shown = text_of(quality.figures_html(replace(figures, n=4321, verdict_accuracy=Rate(2160, 4320))))
    assert "Right on 50.0% of 4,321 held-out photos" in shown and "48.5% – 51.5%" in shown


def test_rates_of_few_photos_say_so(figures):
    markup = quality.figures_html(figures)
    few = [rate for _, _, rate in quality.successes(figures) if rate and rate.n < 30]
    assert markup.count("good.few") == len(few) > 0


def test_the_confusion_table_has_every_count(figures):
    cells = re.findall(r"<td class=[^>]+>(\d+)</td>", quality.figures_html(figures))
    assert cells == [str(count) for row in figures.confusion.values() for count in row.values()]


def test_a_checkpoint_without_photos_of_both_has_its_counts_under_their_heads(figures):
    rows = {truth: dict(row) for truth, row in figures.confusion.items() if truth != "both"}
    table = quality.confusion_table(rows)
    head, *body = re.findall(r"<tr>.*?</tr>", table)
    assert re.findall(r"good\.[\w-]+|kind\.\w+", head) == [
        "good.shows-called",
        "kind.cat",
        "kind.dog",
        "kind.both",
        "kind.neither",
    ]
    assert [len(re.findall("<td", row)) for row in body] == [4, 4, 4]


def test_the_loss_of_a_single_pet_which_has_no_interval_is_left_out(figures):
    assert figures.pets
    single = replace(figures, pets=replace(figures.pets, n=1, two_way_log_loss=Mean(0.25, None)))
    assert "good.loss" in quality.numbers(figures)
    assert "good.loss" not in quality.numbers(single)


def test_the_plots_have_a_point_for_every_bin_and_go_up_with_what_was_measured(figures):
    bins = (ReliabilityBin(0.1, 0, 40), ReliabilityBin(0.5, 3, 4), ReliabilityBin(0.9, 30, 30))
    errors = dict.fromkeys(("cat", "dog"), CalibrationFigures(0.1, 0.1, bins))
    against = DetectionFigures(auroc=0.9, calibration_error=errors, roc=((0, 0), (0, 0.9), (1, 1)))
    markup = quality.plots(replace(figures, pets_against_negatives=against))
    drawings = markup.split("</svg>")[:3]
    for label, drawing in zip(("cat", "dog"), drawings):
        heights = [float(y) for y in re.findall(rf'<circle class="{label}" cx="[^"]+" cy="([^"]+)"', drawing)]
        assert heights == [100, 25, 0]  # downwards in SVG
    assert 'points="14.00,100.00 14.00,10.00 114.00,0.00"' in drawings[2]
    assert quality.plots(replace(figures, pets_against_negatives=None)) == ""


def test_a_checkpoint_without_figures_says_so():
    assert "good.none" in quality.figures_html(None)
    assert "good.trained" not in quality.origin_html(Metadata(), None)


def test_a_checkpoint_whose_figures_cannot_be_read_opens_the_page_without_them(tiny_network, caplog):
    metadata = Metadata(input_size=32, held_out={"note": "mine"}, training={"init": "none"})
    classifier = Classifier(tiny_network, metadata, torch.device("cpu"))
    with gr.Blocks() as blocks, gr.Tab() as tab:
        quality.build(classifier, tab)
    assert "good.none" in str(blocks.get_config_file())
    assert "cannot be read" in caplog.text


def test_no_name_of_a_photo_that_may_not_be_shown_is_on_the_page(shipped, figures):
    names = [each.name for each in figures.worst_mistakes]
    page = quality.figures_html(figures) + quality.origin_html(shipped, TrainingRecord.from_dict(shipped.training))
    assert names and not any(name in page for name in names)


def test_where_it_comes_from_is_what_the_checkpoint_says(shipped):
    shown = text_of(quality.origin_html(shipped, TrainingRecord.from_dict(shipped.training)))
    assert shipped.training["commit"] in shown and shipped.architecture in shown
    assert f"{shipped.present:.2f}" in shown and f"{shipped.both:.2f}" in shown
    for part in shipped.training["counts"].values():
        for name, count in part.items():
            assert name in shown and f"{count:,}" in shown


def test_every_example_has_a_truth(root, examples):
    truths = quality.truths_of(root / "examples" / "README.md")
    assert set(truths) == {path.name for path in examples}
    assert set(truths.values()) == {"cat", "dog", "both", "neither"}
    assert truths["hard-red-panda.jpg"] == "neither" and truths["hard-drawn-dog.jpg"] == "dog"


def test_the_worst_mistakes_are_examples_that_are_wrong_the_worst_first(tiny_network, root, examples):
    classifier = Classifier(tiny_network, Metadata(input_size=32), torch.device("cpu"))
    truths = quality.truths_of(root / "examples" / "README.md")
    explanations = dict(zip(truths, classifier.explain([root / "examples" / name for name in truths])))
    wrong = [name for name, truth in truths.items() if explanations[name].prediction.verdict != truth]
    markup = quality.mistakes_html(classifier, root / "examples")
    shown = re.findall(r'data-word="good.called".*?kind\.(\w+).*?kind\.(\w+)', markup)
    assert len(shown) == min(len(wrong), quality.SHOWN_MISTAKES) > 0
    assert all(called != truth for called, truth in shown)
    assert f"gets {len(wrong)} wrong" in markup
    codes = re.findall(r'data-word[a-z-]*="([^"]+)"', markup)
    assert codes and set(codes) <= set(words.WORDS)
    worst = max(wrong, key=lambda name: quality.wrongness(explanations[name], truths[name]))
    assert shown[0] == (explanations[worst].prediction.verdict, truths[worst])
