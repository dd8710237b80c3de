"""The model card, as the Hugging Face Hub reads it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from huggingface_hub import ModelCard

from catdog.checkpoint import Metadata, load_checkpoint
from catdog.measuring.model_card import model_card


@pytest.fixture(scope="module")
def shipped() -> Metadata:
    return load_checkpoint()[1]


def test_the_front_matter_is_what_the_hub_reads(shipped):
    data = ModelCard(model_card(shipped)).data
    assert data.get("library_name") == "catdog"
    assert data.pipeline_tag == "image-classification"
    assert (data.license, data.license_name) == ("other", "research-only")
    assert "grad-cam" in data.tags
    assert data.model_name == "catdog-resnet18"


def test_the_model_index_has_the_held_out_figures_with_their_n(shipped):
    results = {
        (each.dataset_name, each.metric_name): each.metric_value
        for each in ModelCard(model_card(shipped)).data.eval_results
    }
    assert results["Held-out photos: one cat or dog, n 1,162", "Two-way right"] == 0.9888
    assert results["Held-out photos: neither, n 416", "Called neither"] == 0.976
    assert results["Held-out photos: a cat and a dog, n 38", "Called both"] == 0.8947


def test_a_card_without_figures_or_record_says_so(shipped):
    card = model_card(replace(shipped, held_out={}, training={}))
    data = ModelCard(card).data
    assert data.eval_results is None and data.license == "unknown"
    assert "No held-out photos were given." in card and "does not say how it was trained" in card
