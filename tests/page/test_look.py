"""Look inside, without a browser: the stages, the methods, and that stopping stops."""

from __future__ import annotations

import copy
import json
import threading
from collections.abc import Iterator

import numpy as np
import pytest
import torch

from catdog.cams import CAM_METHODS, STAGES, cam_map
from catdog.checkpoint import Metadata
from catdog.classifier import Classifier
from catdog.images import open_picture
from catdog.labels import LABELS
from catdog.page import look


@pytest.fixture(scope="module")
def classifier(tiny_network) -> Classifier:
    return Classifier(copy.deepcopy(tiny_network), Metadata(input_size=64), torch.device("cpu"))


def messages(classifier, path, method: str, stop: threading.Event, stage: int = 1) -> Iterator[dict]:
    return look.method_of(classifier, str(path), method, stage, "dog", stop)


def test_every_method_has_its_name():
    assert tuple(look.NAMES) == CAM_METHODS


def test_the_stages_come_with_a_map_and_a_block_each(classifier, examples):
    message = look.stages_of(classifier, str(examples[0]), "dog")
    assert message["kind"] == "stages" and message["label"] == "dog" and message["seconds"] > 0
    assert len(message["maps"]) == len(message["blocks"]) == len(STAGES)
    sizes = {open_picture(url).size for url in message["maps"]}
    assert len(sizes) == 1 and min(*sizes) == 64  # as large as the network's input
    for block in message["blocks"]:
        x, residual, total = (np.array(values) for values in block["maps"])
        assert x + residual == pytest.approx(total, abs=0.02)
        assert max(abs(values).max() for values in (x, residual, total)) <= block["scale"] + 0.01
    json.dumps(message)


def test_without_a_label_the_stages_are_those_of_the_likelier_one(classifier, examples):
    [prediction] = classifier.classify(examples[:1])
    likelier = max(LABELS, key=lambda label: getattr(prediction, label))
    assert look.stages_of(classifier, str(examples[0]), None)["label"] == likelier


def test_a_method_ends_with_its_map_and_its_time(classifier, examples):
    *_, last = messages(classifier, examples[0], "GradCAM", threading.Event(), stage=4)
    assert last["kind"] == "method" and last["seconds"] > 0
    assert (last["method"], last["stage"], last["label"]) == ("GradCAM", 4, "dog")
    decoded = classifier.open(examples[0])
    batch = classifier.metadata.preset()(decoded.picture, decoded.size)[None]
    [expected] = cam_map(classifier.network, batch, "GradCAM", 4, LABELS.index("dog"))
    assert np.asarray(open_picture(last["map"]))[..., 0] / 255 == pytest.approx(expected, abs=0.005)


def test_a_slow_method_tells_how_far_it_is(classifier, examples, monkeypatch):
    monkeypatch.setattr(look, "REPORT_SECONDS", 0.01)
    shares = [
        each["share"]
        for each in messages(classifier, examples[0], "ScoreCAM", threading.Event(), stage=2)
        if each["kind"] == "progress"
    ]
    assert len(shares) > 2 and shares == sorted(shares) and 0 <= shares[0] < shares[-1] <= 1


def threads() -> set[str]:
    return {thread.name for thread in threading.enumerate()}


def test_stopping_ends_the_work_before_it_is_done(classifier, examples, monkeypatch):
    monkeypatch.setattr(look, "REPORT_SECONDS", 0.01)
    before, stop = threads(), threading.Event()
    work = messages(classifier, examples[0], "ScoreCAM", stop, stage=4)
    next(work)
    stop.set()
    *progress, last = work
    assert last["kind"] == "stopped"
    assert all(each["share"] < 0.9 for each in progress)
    assert threads() == before


def test_a_visitor_who_leaves_leaves_no_work_behind(classifier, examples, monkeypatch):
    monkeypatch.setattr(look, "REPORT_SECONDS", 0.01)
    before = threads()
    work = messages(classifier, examples[0], "ScoreCAM", threading.Event(), stage=4)
    next(work)
    work.close()
    assert threads() == before


def test_a_later_wish_stops_the_earlier_one_of_the_same_visitor_only():
    runs = look.Runs()
    first, other = runs.start("a"), runs.start("b")
    second = runs.start("a")
    assert first.is_set() and not second.is_set() and not other.is_set()
    runs.stop("a")
    runs.stop("a")
    assert second.is_set() and not other.is_set()


def test_a_photo_that_is_gone_is_a_code_and_news_each_time(classifier, tmp_path):
    path = tmp_path / "gone.jpg"
    first, second = (look.stages_of(classifier, str(path), None) for _ in range(2))
    [third], [fourth] = (list(messages(classifier, path, "GradCAM", threading.Event())) for _ in range(2))
    for each in (first, second, third, fourth):
        assert each["kind"] == "problem" and each["code"] == "missing"
    assert first != second and third != fourth, "an equal value is not told to the page"
