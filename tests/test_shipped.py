"""The shipped checkpoint, once, on real pictures."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest
from huggingface_hub import ModelCard
from PIL import Image

import catdog
from catdog.datasets import read_folders
from catdog.datasets.splits import without_duplicates
from catdog.images import open_picture
from catdog.measuring.figures import Figures
from catdog.measuring.measure import measure


@pytest.fixture(scope="module")
def classifier() -> catdog.Classifier:
    return catdog.load(device="cpu")


def test_the_examples_are_told_apart(classifier, examples):
    for path, prediction in zip(examples, classifier.classify(examples)):
        kind = path.name.partition("-")[0]
        if kind != "hard":
            assert prediction.verdict == kind, path.name


def test_a_plain_wall_has_almost_no_evidence(classifier):
    [explanation] = classifier.explain([Image.new("RGB", (640, 480), (200, 195, 180))])
    assert explanation.prediction.verdict == "neither"
    places = explanation.evidence[0].size
    assert (explanation.evidence * places).max() < 0.5 * classifier.metadata.evidence_scale


def test_a_camera_s_jpeg_that_is_decoded_smaller_gets_the_same_answer(classifier, examples):
    for path in (path for path in examples if not path.name.startswith("hard")):  # those change with any resampling
        picture = open_picture(path)
        buffer = io.BytesIO()
        large = picture.resize((picture.width * 5, picture.height * 5), Image.Resampling.LANCZOS)
        large.save(buffer, "JPEG", quality=88)
        reduced, whole = classifier.explain([buffer.getvalue(), open_picture(buffer.getvalue())])
        assert reduced.prediction.cat == pytest.approx(whole.prediction.cat, abs=1e-2), path.name
        assert reduced.prediction.dog == pytest.approx(whole.prediction.dog, abs=1e-2), path.name
        assert (reduced.view, reduced.prediction.verdict) == (whole.view, whole.prediction.verdict)
        assert reduced.evidence.shape == whole.evidence.shape


@pytest.mark.slow
def test_its_held_out_figures_are_those_of_its_metadata_and_its_boxes_beat_the_best_that_looks_at_nothing(
    classifier, shared_data
):
    found = read_folders(
        [shared_data / "kaggle", shared_data / "oxford-iiit-pet", shared_data / "folders"], [shared_data / "neither"]
    )
    photos, _ = without_duplicates(photo for each in found for photo in each.photos)
    figures, _, failed = measure(classifier, [photo for photo in photos if photo.part == "held-out"])
    assert not failed and figures and figures.pets and figures.negatives and figures.both and figures.maps
    assert (figures.pets.n, figures.negatives.n, figures.both.n, figures.maps.n) == (1023, 263, 7, 120)
    stated = Figures.from_dict(classifier.metadata.held_out)
    for measured, written in zip(figures_in(figures), figures_in(stated)):
        assert measured == pytest.approx(written, abs=2e-3)
    assert figures.pets.called_neither.value <= 0.04
    assert figures.negatives.called_neither.value >= 0.93
    maps = figures.maps
    assert maps.peak_on_pet.value >= 0.98
    assert maps.energy_on_pet > 1.5 * maps.pet_area
    low, _ = maps.box_found.interval
    assert low > max(rate.value for rate in maps.baselines.box_found.values())


def figures_in(figures: Figures) -> list[float]:
    return [
        figures.pets.two_way_accuracy.value,
        figures.pets.two_way_log_loss.value,
        figures.pets.called_neither.value,
        figures.negatives.called_neither.value,
        figures.pets_against_negatives.auroc,
        figures.maps.energy_on_pet,
        *(rate.value for rate in (*figures.made_up_both.values(), *figures.peaks_of_both.values())),
    ]


def test_the_readmes_show_its_figures(classifier, root):
    from research.card import in_chinese, readme_block

    english = (root / "README.md").read_text(encoding="utf-8")
    chinese = (root / "README.zh-CN.md").read_text(encoding="utf-8")
    block = readme_block(Figures.from_dict(classifier.metadata.held_out))
    assert block.count("\n| ") == 6
    assert block in english
    assert in_chinese(block) in chinese


def test_the_model_card_is_a_valid_card_of_the_hub(root):
    card = ModelCard.load(root / "checkpoints" / "catdog-resnet18.md")
    assert (card.data.library_name, card.data.pipeline_tag) == ("catdog", "image-classification")
    assert (card.data.license, card.data.license_name) == ("other", "research-only")
    results = {(each.dataset_type, each.metric_name): each for each in card.data.eval_results}
    assert results["held-out-one-cat-or-dog", "Two-way right"].metric_value == 0.9902
    assert all(each.task_type == "image-classification" for each in results.values())
    assert card.text.lstrip().startswith("# catdog")


def test_what_a_checkpoint_started_from_limits_what_it_may_be_used_for(classifier):
    from catdog.measuring.model_card import model_card

    own = {"counts": {"training": {"mine cat": 9}, "tuning": {}}, "before": classifier.metadata.training}
    further = replace(classifier.metadata, training=classifier.metadata.training | own)
    assert "Kaggle's Dogs vs. Cats photos" in model_card(further)
    alone = replace(further, training=further.training | {"before": None, "init": "imagenet"})
    assert "Kaggle" not in model_card(alone).split("## What it may be used for")[1]


def test_the_model_card_is_the_one_that_its_metadata_gives(classifier, root):
    from catdog.measuring.model_card import model_card
    from catdog.measuring.tables import tables_of

    card = (root / "checkpoints" / "catdog-resnet18.md").read_text(encoding="utf-8")
    tables = tables_of(root / "checkpoints" / "catdog-resnet18.safetensors")
    assert list(tables) == [
        "tried",
        "repeated",
        "recipes",
        "inputs",
        "others",
        "left-out",
        "scores",
        "maps",
        "faithful",
    ]
    assert card == model_card(classifier.metadata, tables)
