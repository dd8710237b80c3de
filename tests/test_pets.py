"""Pets are known again from a few photos, strangers are not taken for them, and their file is checked."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch

import catdog
from catdog.checkpoint import Metadata
from catdog.classifier import Classifier, Explanation, Prediction
from catdog.images import ImageError
from catdog.labels import LABELS
from catdog.pets import MAX_NAME, MAX_PETS, MAX_PHOTOS, Bank, PetError, Pets, unit

CHANNELS = 512
LOOKS = np.random.default_rng(7).random((40, CHANNELS)).astype(np.float32)  # of so many pets


@pytest.fixture
def classifier(tiny_network) -> Classifier:
    return Classifier(tiny_network, Metadata(input_size=64), torch.device("cpu"))


@pytest.fixture
def pets(classifier) -> Pets:
    """None taught, with a bank of other pets."""
    strangers = np.concatenate([LOOKS[10:], LOOKS[10:] * 0.9])
    weights = Pets(classifier).weights
    return Pets(classifier, Bank(strangers, strangers, weights, "made up"))


def photo(pet: int, verdict: str = "dog", seed: int = 0) -> Explanation:
    """What a classifier says of a photo of a pet: no two are alike."""
    look = LOOKS[pet] * np.random.default_rng([pet, seed]).uniform(0.9, 1.1, CHANNELS)
    cat, dog = {"cat": (0.9, 0.1), "dog": (0.1, 0.9), "both": (0.9, 0.8), "neither": (0.1, 0.2)}[verdict]
    nothing = np.zeros((2, 2, 2), np.float32)
    prediction = Prediction(cat, dog, verdict, (0.0, 0.0))
    boxes = dict.fromkeys(LABELS)
    return Explanation(
        prediction, nothing, np.zeros(2, np.float32), (0, 0, 9, 9), boxes, nothing, look.astype(np.float32)
    )


def photos(pet: int, count: int, verdict: str = "dog", first: int = 0) -> list[Explanation]:
    return [photo(pet, verdict, first + seed) for seed in range(count)]


@pytest.fixture
def taught(pets) -> Pets:
    """Rex and Bello, two dogs, and Mimi, a cat."""
    pets.learn("Rex", photos(0, 4))
    pets.learn("Bello", photos(1, 4))
    pets.learn("Mimi", photos(2, 4, "cat"))
    return pets


def test_who_is_rejected_is_not_taken_for_a_pet_again(taught, classifier, monkeypatch):
    likeness = 0.8 * LOOKS[0] + 0.2 * LOOKS[5]  # Rex's double
    monkeypatch.setitem(globals(), "LOOKS", np.concatenate([LOOKS, likeness[None]]).astype(np.float32))
    assert taught.recognized(photo(40)).known
    given = [photo(40, seed=1), photo(3, "neither"), ImageError("damaged", "It is broken.")]
    monkeypatch.setattr(type(classifier), "explain", lambda self, pictures, errors: given)
    learned = taught.reject(["a.jpg", "b.jpg", "c.jpg"])
    assert learned.used == 1 and [place for place, _ in learned.left_out] == [1, 2]
    mistaken = taught.recognized(photo(40))
    assert mistaken.name == "Rex" and not mistaken.known and mistaken.similarity >= mistaken.threshold
    assert taught.recognized(photo(0, seed=9)).known, "Rex himself still is"
    assert taught.recognized(photo(1, seed=9)).known


def test_those_rejected_are_kept_with_the_pets(taught, pets, tmp_path):
    taught.strangers["dog"] = [photo(40 % 40, seed=3).signature]
    path = tmp_path / "pets.json"
    taught.save(path)
    again = Pets(taught.classifier, taught.bank)
    again.load(path)
    assert np.array_equal(again.strangers["dog"][0], taught.strangers["dog"][0]) and not again.strangers["cat"]
    content = json.loads(path.read_text())
    del content["strangers"]  # as an earlier version wrote it
    path.write_text(json.dumps(content))
    again.load(path)
    assert again.strangers == {"cat": [], "dog": []} and set(again.pets) == {"Rex", "Bello", "Mimi"}
    content["strangers"] = {"dog": ["AAAA"]}
    path.write_text(json.dumps(content))
    with pytest.raises(PetError, match="no whole file of pets"):
        again.load(path)


def test_a_pet_is_known_on_other_photos_of_it(taught):
    for name, pet, verdict in (("Rex", 0, "dog"), ("Bello", 1, "dog"), ("Mimi", 2, "cat")):
        for seed in range(10, 15):
            found = taught.recognized(photo(pet, verdict, seed))
            assert found is not None and found.name == name and found.known


def test_a_stranger_is_like_one_of_them_and_not_known(taught):
    found = [taught.recognized(photo(pet)) for pet in range(3, 10)]
    assert {each.name for each in found} <= {"Rex", "Bello"}, "not a cat's name"
    assert sum(each.known for each in found) <= 1, "of a hundred, five for each of the two"


def test_a_photo_without_a_pet_shows_none_of_them(taught):
    assert taught.recognized(photo(0, "neither")) is None


def test_of_five_in_a_hundred_strangers_of_the_bank_a_pet_is_thought(taught):
    look, threshold = taught.looks("dog")["Rex"]
    similarities = taught.look(taught.bank.dog, "dog") @ look
    assert (similarities >= threshold).mean() == pytest.approx(0.05, abs=0.02)


def test_more_photos_can_be_taught_and_a_pet_forgotten(taught):
    assert taught.learn("Rex", photos(0, 3, first=20)).used == 3
    assert len(taught.pets["Rex"].signatures) == 7
    taught.forget("Rex")
    assert taught.recognized(photo(0, seed=30)).name == "Bello"
    with pytest.raises(PetError, match="There is no pet Rex: Bello, Mimi"):
        taught.forget("Rex")


def test_photos_that_cannot_teach_it_are_left_out_each_with_its_reason(pets):
    broken = ImageError("cut-off", "it is cut off")
    mixed = [photo(0), photo(0, "cat"), broken, photo(0, "both"), photo(0, "neither"), photo(0, seed=1)]
    taught = pets.learn("Rex", mixed)
    assert taught.used == 2
    assert taught.left_out == [
        (1, "it shows a cat"),
        (2, str(broken)),
        (3, "it shows a cat and a dog"),
        (4, "it shows no pet"),
    ]


def test_without_a_photo_that_can_nothing_is_taught(pets):
    with pytest.raises(PetError, match="No picture shows one cat or one dog that could be Rex"):
        pets.learn("Rex", [photo(0, "neither")])
    assert not pets.pets


@pytest.mark.parametrize("name", ["", "  ", "x" * (MAX_NAME + 1), "Rex\n", "\x00", "a\u202eb"])
def test_a_name_that_cannot_be_shown_is_refused(pets, name):
    if name == "Rex\n":  # a line's end around it is nobody's name
        assert pets.learn(name, photos(0, 1)).used == 1 and list(pets.pets) == ["Rex"]
        return
    with pytest.raises(PetError, match="A name has"):
        pets.learn(name, photos(0, 1))


def test_names_of_any_script_and_of_html_are_names(pets):
    for name in ("毛毛", "Ζορό", "🐶", "<b>Rex</b>"):
        pets.learn(name, photos(0, 1))
    assert list(pets.pets) == ["毛毛", "Ζορό", "🐶", "<b>Rex</b>"]


def test_more_pets_or_photos_than_can_be_kept_are_refused(pets):
    for number in range(MAX_PETS):
        pets.learn(f"pet {number}", photos(0, 1))
    with pytest.raises(PetError, match="forget one first"):
        pets.learn("one more", photos(0, 1))
    with pytest.raises(PetError, match="are enough"):
        pets.learn("pet 0", photos(0, 1) * MAX_PHOTOS)
    assert len(pets.pets["pet 0"].signatures) == 1


def test_how_often_a_pet_would_be_known_is_told_from_its_own_photos(taught):
    assert taught.recall("Rex") == 1.0
    taught.learn("Rex", photos(8, 1))  # which is another dog
    assert taught.recall("Rex") == 0.8
    taught.learn("Luna", photos(6, 1))
    assert taught.recall("Luna") is None


def test_without_a_bank_pets_are_told_from_each_other(classifier):
    pets = Pets(classifier)
    assert pets.bank is None, "a network of random weights has none"
    pets.learn("Rex", photos(0, 3))
    pets.learn("Bello", photos(1, 3))
    assert [pets.recognized(photo(pet, seed=9)).name for pet in (0, 1)] == ["Rex", "Bello"]
    assert pets.recognized(photo(3)).known


def test_a_file_keeps_them(taught, classifier, tmp_path):
    path = tmp_path / "pets.json"
    taught.save(path)
    again = Pets(classifier, taught.bank)
    again.load(path)
    assert list(again.pets) == ["Rex", "Bello", "Mimi"]
    for name, pet in taught.pets.items():
        assert again.pets[name].label == pet.label
        assert (again.pets[name].signatures == pet.signatures).all()
    assert json.loads(path.read_text(encoding="utf-8"))["pets"][0]["name"] == "Rex"


def changed(**values):
    return lambda content: {**content, **values}


def with_pet(**values):
    return lambda content: {**content, "pets": [{**content["pets"][0], **values}]}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (changed(format="dogs"), "another program's file"),
        (changed(version=2), "another version"),
        (changed(weights="0" * 64), "another checkpoint"),
        (changed(pets=None), "no whole file"),
        (changed(pets=[{}]), "no whole file"),
        (with_pet(name="x" * 200), "no whole file"),
        (with_pet(name=7), "no whole file"),
        (with_pet(label="hamster"), "no whole file"),
        (with_pet(signatures=[]), "no whole file"),
        (with_pet(signatures=["AAAA"]), "no whole file"),
        (with_pet(signatures=["?"]), "no whole file"),
        (lambda content: {**content, "pets": content["pets"] * 2}, "two of one name"),
        (lambda content: [content], "no whole file"),
        (lambda content: "", "no whole file"),
    ],
)
def test_a_file_of_anything_else_is_one_sentence_and_nothing_is_lost(taught, tmp_path, change, message):
    path = tmp_path / "pets.json"
    taught.save(path)
    path.write_text(json.dumps(change(json.loads(path.read_text(encoding="utf-8")))), encoding="utf-8")
    with pytest.raises(PetError, match=message):
        taught.load(path)
    assert list(taught.pets) == ["Rex", "Bello", "Mimi"]


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe", b"[" * 100_000, b"0" * (2**24 + 1)], ids=len)
def test_a_file_that_is_no_json_is_one_sentence(taught, tmp_path, content):
    path = tmp_path / "pets.json"
    path.write_bytes(content)
    with pytest.raises(PetError):
        taught.load(path)


def test_a_bank_is_kept_in_a_file_and_belongs_to_a_checkpoint(pets, classifier, network18, tmp_path):
    path = tmp_path / "bank.safetensors"
    pets.bank.save(path)
    bank = Bank.load(path)
    assert bank.dog == pytest.approx(pets.bank.dog, abs=1e-3) and bank.source == "made up"
    with pytest.raises(PetError, match="another checkpoint"):
        Pets(Classifier(network18, Metadata(), torch.device("cpu")), bank)
    for content in (b"", b"{}", bytes(100), path.read_bytes()[:-10]):
        path.write_bytes(content)
        with pytest.raises(PetError, match="no bank"):
            Bank.load(path)


def test_vectors_become_as_long_as_one_and_nothing_stays_nothing():
    assert unit(np.array([[3.0, 4.0], [0.0, 0.0]])).tolist() == [[0.6, 0.8], [0.0, 0.0]]


@pytest.mark.parametrize("with_bank", [True, False])
def test_the_places_of_a_picture_add_up_to_its_similarity(examples, with_bank):
    classifier = catdog.load(device="cpu")
    pets = Pets(classifier)
    if not with_bank:
        pets.bank = None
    named = {path.name: path for path in examples}
    pets.teach("Rex", [named["dog-german-shepherd.jpg"], named["dog-with-bicycle.jpg"]])
    for name in ("dog-german-shepherd.jpg", "dog-with-bicycle.jpg"):
        [found] = pets.recognize([named[name]])
        [explanation] = classifier.explain([named[name]])
        places = pets.places("Rex", named[name])
        assert found and places.shape == explanation.evidence.shape[1:]
        assert places.sum() == pytest.approx(found.similarity, abs=1e-3)
        assert not places[explanation.evidence[1] < 0].any(), "what speaks against a dog says nothing of which"
        assert places[explanation.evidence[1] > 0].std() > 0
    with pytest.raises(PetError, match="no pet"):
        pets.places("Bello", examples[0])
