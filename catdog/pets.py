"""Your own pets, known again from a few photos. Nothing is trained: a pet is what its photos' signatures have in common.

A signature says what a pet looks like to the last stage, where the picture speaks for it (`Explanation.signature`). Its square
root is centered on that of other pets, and two are compared by the cosine (Wang et al. 2019, "SimpleShot"). A bank of other
pets' signatures, which belongs to a checkpoint, says what is common to all of them, and how alike strangers are.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import safetensors.numpy
import torch
from safetensors import SafetensorError

from catdog.checkpoint import digest_of_network
from catdog.classifier import Classifier, Explanation
from catdog.evidence import evidence_of, signatures_of
from catdog.files import CHECKPOINT, write_whole
from catdog.images import ImageError, Picture
from catdog.images.names import in_short
from catdog.labels import LABELS, Verdict

BANK = CHECKPOINT.with_name(f"{CHECKPOINT.stem}-pets.safetensors")
FORMAT, VERSION = "catdog pets", 1
MAX_PETS = 20
MAX_PHOTOS = 100  # of one pet
MAX_NAME = 60  # characters
UNNAMED = re.compile(
    "[\0-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"
)  # control, ends of lines, turns of writing
MAX_FILE = 2**24  # bytes, far more than the most pets take
STRANGERS = 95  # of a hundred other pets, how many are not taken for one that was taught
TINY = 1e-9


class PetError(ValueError):
    """Pets that cannot be used: one sentence that says what is wrong and what to do."""


@dataclass(frozen=True)
class Bank:
    """What other pets look like to a checkpoint."""

    cat: np.ndarray  # signatures (n, C)
    dog: np.ndarray
    weights: str  # the digest of the checkpoint's weights
    source: str  # where the photos are from, and their license

    @classmethod
    def load(cls, path: Path) -> Bank:
        """
        Raises:
            PetError: for a file that is no bank.
        """
        try:
            with path.open("rb") as file:
                size = int.from_bytes(file.read(8), "little")
                header = json.loads(file.read(size if size < MAX_FILE else 0))["__metadata__"]
            tensors = safetensors.numpy.load_file(path)
            cat, dog = (tensors[label].astype(np.float32) for label in LABELS)
            return cls(cat, dog, header["weights"], header["source"])
        except (OSError, SafetensorError, KeyError, ValueError, TypeError) as error:
            raise PetError(f"{path} is no bank of pets ({in_short(error)}).") from error

    def save(self, path: Path) -> None:
        """Write it, signatures as float16."""
        tensors = {label: getattr(self, label).astype(np.float16) for label in LABELS}
        write_whole(path, safetensors.numpy.save(tensors, {"weights": self.weights, "source": self.source}))


@dataclass(frozen=True)
class Pet:
    """A pet that was taught."""

    name: str
    label: Verdict  # "cat" or "dog"
    signatures: np.ndarray  # float32 (n, C), one a photo


@dataclass(frozen=True)
class Taught:
    """What became of the pictures that were to teach a pet."""

    used: int
    left_out: list[tuple[int, str]]  # which picture, and why


@dataclass(frozen=True)
class Recognition:
    """The taught pet that a picture is most like."""

    name: str
    similarity: float  # cosine, in [-1, 1]
    threshold: float  # what a pet must reach to be known; -1 without a bank
    known: bool  # False: a cat or a dog, but none that was taught


class Pets:
    """Pets that were taught, and who they are on other pictures.

    Args:
        classifier: whose signatures they are compared by.
        bank: of the same checkpoint; without one, the bank that comes with the shipped checkpoint, where that is the
            classifier's. Without any bank pets are told from each other, but strangers are not told from pets.
    """

    def __init__(self, classifier: Classifier, bank: Bank | None = None) -> None:
        self.classifier = classifier
        self.weights = digest_of_network(classifier.network)
        bank = bank or shipped_bank(self.weights)
        if bank is not None and bank.weights != self.weights:
            raise PetError("That bank of pets belongs to another checkpoint.")
        self.bank = bank
        self.pets: dict[str, Pet] = {}
        self.strangers: dict[str, list[np.ndarray]] = {
            label: [] for label in LABELS
        }  # signatures (C,), the newest last

    def teach(self, name: str, pictures: Iterable[Picture]) -> Taught:
        """Learn what a pet looks like, or learn more of it. Pictures without one single pet of its kind are left out.

        Raises:
            PetError: where the name cannot be used, no picture can, or there are too many.
        """
        return self.learn(name, self.classifier.explain(pictures, errors="return"))

    def learn(self, name: str, explanations: Iterable[Explanation | ImageError]) -> Taught:
        """`teach`, from what the classifier says of the pictures."""
        name = name.strip()
        if not is_name(name):
            raise PetError(f"A name has 1 to {MAX_NAME} letters.")
        if name not in self.pets and len(self.pets) == MAX_PETS:
            raise PetError(f"{MAX_PETS} pets are known, and more cannot be: forget one first.")
        explanations = list(explanations)
        label = self.pets[name].label if name in self.pets else commonest(explanations)
        signatures, left_out = [], []
        for index, each in enumerate(explanations):
            if reason := why_not(each, label):
                left_out.append((index, reason))
            elif isinstance(each, Explanation):
                signatures.append(each.signature)
        if not signatures:
            raise PetError(f"No picture shows one cat or one dog that could be {name}.")
        known = list(self.pets[name].signatures) if name in self.pets else []
        if len(known) + len(signatures) > MAX_PHOTOS:
            raise PetError(f"{MAX_PHOTOS} photos of {name} are enough: give fewer.")
        self.pets[name] = Pet(name, label, np.stack([*known, *signatures]).astype(np.float32))
        return Taught(len(signatures), left_out)

    def forget(self, name: str) -> None:
        """
        Raises:
            PetError: for a name that was never taught.
        """
        if self.pets.pop(name, None) is None:
            raise PetError(f"There is no pet {in_short(name)}: {', '.join(self.pets) or 'none was taught'}.")

    def reject(self, pictures: Iterable[Picture]) -> Taught:
        """Learn that pictures show none of the pets that were taught: who looks more like them is a stranger from now on."""
        used, left_out = 0, []
        for index, each in enumerate(self.classifier.explain(pictures, errors="return")):
            label = likelier(each) if isinstance(each, Explanation) else "cat"
            if reason := why_not(each, label):
                left_out.append((index, reason))
            elif isinstance(each, Explanation):
                self.strangers[label] = [*self.strangers[label], each.signature][-MAX_PHOTOS:]
                used += 1
        return Taught(used, left_out)

    def recognize(self, pictures: Iterable[Picture]) -> list[Recognition | None]:
        """Of each picture the taught pet that it is most like; None where it shows none, or none of that kind was taught.

        Raises:
            ImageError: for a picture that cannot be used.
        """
        return [self.recognized(each) for each in self.classifier.explain(pictures)]

    def recognized(self, explanation: Explanation) -> Recognition | None:
        """`recognize`, from what the classifier says of a picture."""
        prediction = explanation.prediction
        if prediction.verdict == "neither":
            return None
        label = likelier(explanation)
        own = self.look(explanation.signature, label)
        found = [(float(look @ own), threshold, name) for name, (look, threshold) in self.looks(label).items()]
        if not found:
            return None
        similarity, threshold, name = max(found, key=lambda each: each[0] - each[1])
        strangers = [self.look_of_all(one[None], label) for one in self.strangers[label]]
        stranger = max((float(look @ own) - line for look, line in strangers), default=-np.inf)
        known = similarity >= threshold and similarity - threshold >= stranger
        return Recognition(name, similarity, threshold, known)

    def places(self, name: str, picture: Picture) -> np.ndarray:
        """Which places of a picture make it like a pet that was taught, and which unlike it.

        The similarity is linear in the features of the places once the square root is written as s / sqrt(s): each place adds
        its own share of every channel, less that of the usual pet, by how much it speaks for the label.

        Returns:
            float32 (h, w), on the grid of the evidence; its sum is the similarity that `recognize` gives.

        Raises:
            ImageError: for a picture that cannot be used.
            PetError: for a name that was never taught, and for a picture in which nothing speaks for its kind.
        """
        if name not in self.pets:
            raise PetError(f"There is no pet {in_short(name)}.")
        label = self.pets[name].label
        preset = self.classifier.metadata.preset()
        batch = preset(self.classifier.open(picture).picture)[None].to(self.classifier.device)
        with torch.inference_mode():
            network = self.classifier.folded
            features = network.features(batch).float()
            evidence, _ = evidence_of(network, features)
            signature = signatures_of(evidence, features)[0, LABELS.index(label)].cpu().numpy()
        if not signature.any():
            raise PetError(f"Nothing in this picture speaks for a {label}.")
        weights = evidence[0, LABELS.index(label)].clamp(min=0).cpu().numpy()
        weights /= weights.sum()
        look, _ = self.look_of_all(self.pets[name].signatures, label)
        of_usual = self.centers[label]
        length = np.linalg.norm(np.sqrt(signature) - of_usual)
        shares = features[0].cpu().numpy() / np.sqrt(np.maximum(signature, TINY))[:, None, None]
        usual = np.broadcast_to(of_usual, signature.shape) @ look
        return (weights * (np.tensordot(look, shares, 1) - usual) / length).astype(np.float32)

    def looks(self, label: str) -> dict[str, tuple[np.ndarray, float]]:
        """Of each pet of a kind what it looks like (C,), and how alike a picture must be to show it."""
        return {pet.name: self.look_of_all(pet.signatures, label) for pet in self.pets.values() if pet.label == label}

    def look_of_all(self, signatures: np.ndarray, label: str) -> tuple[np.ndarray, float]:
        """What photos of a pet have in common (C,), and the similarity that most other pets of its kind do not reach."""
        look = unit(self.look(signatures, label).mean(0))
        if self.bank is None:
            return look, -1.0
        return look, float(np.percentile(self.look(getattr(self.bank, label), label) @ look, STRANGERS))

    def look(self, signatures: np.ndarray, label: str) -> np.ndarray:
        """Signatures (..., C) as they are compared: square roots less those of other pets, of unit length."""
        return unit(np.sqrt(signatures) - self.centers[label])

    @cached_property
    def centers(self) -> dict[str, np.ndarray | float]:
        """What all pets of a kind have in common: (C,), or 0 without a bank."""
        if self.bank is None:
            return dict.fromkeys(LABELS, 0.0)
        return {label: np.sqrt(getattr(self.bank, label)).mean(0) for label in LABELS}

    def recall(self, name: str) -> float | None:
        """How often a pet would be known on one of its own photos, had it been taught with the others alone: a share; None of
        a single photo."""
        pet = self.pets[name]
        if len(pet.signatures) < 2:
            return None
        hits = 0
        for index, signature in enumerate(pet.signatures):
            look, threshold = self.look_of_all(np.delete(pet.signatures, index, 0), pet.label)
            hits += bool(look @ self.look(signature, pet.label) >= threshold)
        return hits / len(pet.signatures)

    def save(self, path: Path | str) -> None:
        """Write all pets to one JSON file, which the page reads too.

        Raises:
            OSError: where it cannot be written; a file that was there before is intact then.
        """
        pets = [
            {"name": pet.name, "label": pet.label, "signatures": [encoded(one) for one in pet.signatures]}
            for pet in self.pets.values()
        ]
        strangers = {label: [encoded(one) for one in signatures] for label, signatures in self.strangers.items()}
        content = {"format": FORMAT, "version": VERSION, "weights": self.weights, "pets": pets, "strangers": strangers}
        write_whole(Path(path), json.dumps(content, ensure_ascii=False, indent=1).encode())

    def load(self, path: Path | str) -> None:
        """Take over the pets of a file; those that were known before are forgotten once it has been read.

        Raises:
            PetError: for another program's file, or pets of another checkpoint, whose signatures mean nothing to this one.
            OSError: where it cannot be read.
        """
        path = Path(path)
        if path.stat().st_size > MAX_FILE:
            raise PetError(f"{path} is too large to be a file of pets.")
        try:
            content: Any = json.loads(path.read_bytes())
            if content["format"] != FORMAT:
                raise PetError(f"{path} is another program's file, not one of pets.")
            if content["version"] != VERSION:
                raise PetError(f"{path} is of another version of this program: upgrade it, or teach the pets again.")
            if content["weights"] != self.weights:
                raise PetError(f"{path} was made with another checkpoint: teach the pets again with this one.")
            channels = self.classifier.network.fc.in_features
            pets = [read_pet(each, channels) for each in content["pets"]]
            given = content.get("strangers", {})  # a file of an earlier version has none
            strangers = {label: read_signatures(given.get(label, []), channels) for label in LABELS}
        except PetError:
            raise
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise PetError(f"{path} is no whole file of pets ({in_short(error)}).") from error
        if len(pets) > MAX_PETS or len({pet.name for pet in pets}) < len(pets):
            raise PetError(f"{path} has more than {MAX_PETS} pets, or two of one name.")
        self.pets, self.strangers = {pet.name: pet for pet in pets}, strangers


def shipped_bank(weights: str) -> Bank | None:
    """The bank that comes with the shipped checkpoint, where that has these weights."""
    if not BANK.is_file():
        return None
    shipped = Bank.load(BANK)
    return shipped if shipped.weights == weights else None


def is_name(text: Any) -> bool:
    """Whether a pet can be called that, here and on the page."""
    return isinstance(text, str) and 0 < len(text) <= MAX_NAME and not UNNAMED.search(text)


def likelier(explanation: Explanation) -> str:
    """The likelier label, whose the signature is."""
    return LABELS[explanation.prediction.dog > explanation.prediction.cat]


def commonest(explanations: Sequence[Explanation | ImageError]) -> Verdict:
    """The kind of pet that most pictures show."""
    verdicts = [each.prediction.verdict for each in explanations if isinstance(each, Explanation)]
    return "dog" if verdicts.count("dog") > verdicts.count("cat") else "cat"


def why_not(explanation: Explanation | ImageError, label: str) -> str:
    """Why a picture cannot teach what a pet of a kind looks like: a sentence's end, empty where it can."""
    if isinstance(explanation, ImageError):
        return str(explanation)
    verdict = explanation.prediction.verdict
    if verdict == label:
        return ""
    return {"neither": "it shows no pet", "both": "it shows a cat and a dog"}.get(verdict, f"it shows a {verdict}")


def unit(vectors: np.ndarray) -> np.ndarray:
    """Vectors (..., C) of length 1."""
    return vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), TINY)


def encoded(signature: np.ndarray) -> str:
    """float32, little-endian, in base64."""
    return base64.b64encode(signature.astype("<f4").tobytes()).decode()


def read_pet(content: dict[str, Any], channels: int) -> Pet:
    """
    Raises:
        ValueError, KeyError, TypeError: for anything but a pet.
    """
    name, label, texts = content["name"], content["label"], content["signatures"]
    if not is_name(name) or label not in LABELS:
        raise ValueError("a pet without a name or kind")
    return Pet(name, label, np.stack(read_signatures(texts, channels)))


def read_signatures(texts: Sequence[str], channels: int) -> list[np.ndarray]:
    """
    Raises:
        ValueError, TypeError: for anything but signatures, and for too many.
    """
    if len(texts) > MAX_PHOTOS:
        raise ValueError(f"{len(texts)} photos of a pet")
    signatures = [np.frombuffer(base64.b64decode(text, validate=True), "<f4").astype(np.float32) for text in texts]
    for one in signatures:
        if one.shape != (channels,) or not np.isfinite(one).all() or one.min() < 0:
            raise ValueError("signatures that are none")
    return signatures
