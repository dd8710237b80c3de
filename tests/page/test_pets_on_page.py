"""The page knows pets as Python does, from the same file and the same bank, number by number."""

from __future__ import annotations

import json
import shutil
import subprocess

import numpy as np
import pytest

import catdog
from catdog.page.inside import features_told
from catdog.pets import BANK, Bank, Pets, encoded

pytestmark = pytest.mark.skipif(shutil.which("node") is None, reason="Node.js runs the page's JavaScript")
MARKS = ("similarity", "threshold")


@pytest.fixture(scope="module")
def classifier() -> catdog.Classifier:
    return catdog.load(device="cpu")


@pytest.fixture(scope="module")
def pets(classifier, examples) -> Pets:
    """Every second example, in two cats and two dogs."""
    pets = Pets(classifier)
    named = {path.name: path for path in examples}
    pets.teach("咪咪", [named["cat-chelsea.jpg"], named["cat-ginger-kitten.jpg"]])
    pets.teach("<b>Tom</b>", [named["cat-kitten-with-yarn.jpg"]])
    pets.teach("Rex", [named["dog-german-shepherd.jpg"], named["dog-with-bicycle.jpg"]])
    pets.teach("Rex 👨‍👩‍👧", [named["dog-with-bicycle.jpg"]])
    pets.reject([named["both-side-by-side.jpg"], named["hard-kitten-and-dog.jpg"]])  # one of them shows a dog alone
    return pets


def test_the_page_knows_pets_as_python_does(root, classifier, pets, examples, tmp_path):
    path = tmp_path / "pets.json"
    pets.save(path)
    explanations = classifier.explain(examples)
    seen = [(name, path) for name, path in (("Rex", examples[4]), ("Rex 👨‍👩‍👧", examples[4]), ("咪咪", examples[1]))]
    question = {
        "file": path.read_text(encoding="utf-8"),
        "bank": str(BANK),
        "weights": pets.weights,
        "channels": classifier.network.fc.in_features,
        "answers": [
            {
                "signature": encoded(each.signature),
                "prediction": {
                    "cat": each.prediction.cat,
                    "dog": each.prediction.dog,
                    "verdict": each.prediction.verdict,
                },
            }
            for each in explanations
        ],
    }
    question["shown"] = []
    for name, photo in seen:
        told = features_told(classifier, photo.read_bytes())
        cat, dog = (encoded(np.array(one)) for one in told["evidence"])
        height, width = np.shape(told["evidence"])[1:]
        maps = {"cat": cat, "dog": dog, "height": height, "width": width}
        question["shown"].append(
            {"name": name, "label": pets.pets[name].label, "features": told["features"], "evidence": maps}
        )
    done = subprocess.run(
        ["node", root / "tests" / "page" / "pets.js"],
        input=json.dumps(question),
        capture_output=True,
        text=True,
        check=True,
    )
    said = json.loads(done.stdout)
    for (name, photo), places in zip(seen, said["places"]):
        expected = pets.places(name, photo)
        assert places == pytest.approx(expected.ravel().tolist(), abs=1e-4)
        assert sum(places) == pytest.approx(expected.sum(), abs=1e-3)
    known = 0
    for explanation, found in zip(explanations, said["found"]):
        expected = pets.recognized(explanation)
        assert (found is None) == (expected is None)
        if found and expected:
            assert (found["name"], found["known"]) == (expected.name, expected.known)
            assert [found[mark] for mark in MARKS] == pytest.approx(
                [getattr(expected, mark) for mark in MARKS], abs=1e-5
            )
            known += expected.known
    assert known >= 5, "those that were taught at least"
    counts = [len(pet.signatures) for pet in pets.pets.values()]
    recalls = [pets.recall(name) for name in pets.pets]
    assert said["recalled"] == [None if one is None else round(one * count) for one, count in zip(recalls, counts)]

    again = Pets(classifier)
    path.write_text(said["file"], encoding="utf-8")
    again.load(path)
    assert list(again.pets) == list(pets.pets)
    for one, other in zip(again.pets.values(), pets.pets.values()):
        assert one.label == other.label and np.array_equal(one.signatures, other.signatures)


def test_the_bank_is_that_of_the_shipped_checkpoint(pets):
    assert Bank.load(BANK).weights == pets.weights
