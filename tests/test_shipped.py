"""The shipped checkpoint, once, on real pictures."""

from __future__ import annotations

import io
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

import catdog
from catdog.datasets import read_folders
from catdog.datasets.cache import cache_photos
from catdog.datasets.splits import without_duplicates
from catdog.images import open_picture
from catdog.measuring.figures import Figures
from catdog.measuring.localization import centered_boxes, localize, pet_boxes, with_extent
from catdog.measuring.measure import measure
from catdog.measuring.model_card import model_card
from catdog.measuring.summary import named_figures
from catdog.measuring.tables import tables_of


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


@pytest.fixture(scope="module")
def stated(classifier) -> Figures:
    figures = Figures.from_dict(classifier.metadata.held_out)
    assert figures
    return figures


@pytest.mark.slow
def test_its_held_out_figures_are_those_of_its_metadata_and_above_the_floors(classifier, stated, shared_data):
    labeled = [shared_data / name for name in ("kaggle", "oxford-iiit-pet", "folders", "everyday")]
    found = read_folders(labeled, [shared_data / "neither"])
    photos, _ = without_duplicates(photo for each in found for photo in each.photos)
    figures, scored, failed = measure(classifier, [photo for photo in photos if photo.part == "held-out"], made_up=20)
    assert not failed and len(scored) == 1616
    assert figures and figures.pets and figures.negatives and figures.both and figures.maps
    assert (figures.pets.n, figures.negatives.n, figures.both.n, figures.maps.n) == (1162, 416, 38, 120)
    assert headline(figures) == pytest.approx(headline(stated), abs=2e-3)
    assert figures.pets.called_neither.value <= 0.04
    assert figures.negatives.called_neither.value >= 0.93
    assert figures.maps.peak_on_pet.value >= 0.98
    assert figures.maps.energy_on_pet > 1.5 * figures.maps.pet_area
    assert figures.maps.box_found.value > max(rate.value for rate in figures.maps.baselines.box_found.values())


@pytest.mark.slow
def test_its_boxes_overlap_the_pets_more_than_any_box_that_looks_at_nothing(classifier, shared_data):
    [found] = read_folders([shared_data / "oxford-iiit-pet"])
    photos, _ = cache_photos([photo for photo in found.photos if photo.trimap and photo.part == "held-out"])
    own = localize(photos, with_extent(classifier), classifier.metadata.box_threshold).overlaps
    centered = max(centered_boxes(pet_boxes(photos)).values(), key=np.mean)  # the best for these very photos
    gained = np.subtract(own, centered)  # photo by photo
    assert gained.mean() - 2 * gained.std() / len(gained) ** 0.5 > 0


def headline(figures: Figures) -> list[float]:
    assert figures.pets and figures.negatives and figures.pets_against_negatives
    return [
        figures.pets.two_way_accuracy.value,
        figures.pets.two_way_log_loss.value,
        figures.pets.called_neither.value,
        figures.negatives.called_neither.value,
        figures.pets_against_negatives.auroc,
    ]


def test_the_readmes_show_its_headline_figures_and_the_model_card_all_of_them(stated, root):
    from research.card import headline_rows, in_chinese

    english, chinese, card = (
        (root / name).read_text(encoding="utf-8")
        for name in ("README.md", "README.zh-CN.md", "checkpoints/catdog-resnet18.md")
    )
    assert len(headline_rows(stated)) == 6
    for name, value in headline_rows(stated):
        row = f"| {name} | {value} |"
        assert row in english
        assert in_chinese(row) in chinese and in_chinese(row) != row
    for name, value in named_figures(stated):
        assert f"| {name} | {value} |" in card


def test_what_a_checkpoint_started_from_limits_what_it_may_be_used_for(classifier):
    own = {"counts": {"training": {"mine cat": 9}, "tuning": {}}, "before": classifier.metadata.training}
    further = replace(classifier.metadata, training=classifier.metadata.training | own)
    assert "Kaggle's Dogs vs. Cats photos" in model_card(further)
    alone = replace(further, training=further.training | {"before": None, "averaged": [], "init": "imagenet"})
    assert "Kaggle" not in model_card(alone).split("## What it may be used for")[1]


def test_the_model_card_is_the_one_that_its_metadata_gives(classifier, root):
    card = (root / "checkpoints" / "catdog-resnet18.md").read_text(encoding="utf-8")
    tables = tables_of(root / "checkpoints" / "catdog-resnet18.safetensors")
    assert list(tables) == [
        "tried",
        "repeated",
        "recipes",
        "others",
        "left-out",
        "maps",
    ]
    assert card == model_card(classifier.metadata, tables)
