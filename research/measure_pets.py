"""How well pets are known again: breeds in the place of pets, each taught with a few photos and looked for among other breeds
that neither it nor the bank has. Prints a table."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from itertools import combinations
from pathlib import Path

import numpy as np
import torch
import tyro
from PIL import Image, ImageOps
from torch.nn import functional
from tqdm import tqdm

import catdog
from catdog.checkpoint import CheckpointError
from catdog.classifier import Classifier
from catdog.cli import program
from catdog.datasets import DataError, read_folders
from catdog.datasets.cache import cache_photos
from catdog.evidence import evidence_of, signatures_of
from catdog.images import open_picture
from catdog.labels import LABELS
from catdog.measuring.metrics import auroc
from catdog.measuring.tables import markdown_table
from catdog.pets import STRANGERS, Pets, likelier, unit
from research.pet_bank import by_breed

OF_BREED = 10  # photos of each other breed
MOMENT = 200  # photos that are cropped twice, as if they had been taken twice
CROP = 0.03  # of a side, at most, that a crop leaves out
ALIKE = 0.95  # as web/pets/pets.js has it
LEFT = 3  # photos at least to look for a pet on
Looks = Callable[[np.ndarray, np.ndarray], np.ndarray]  # signatures, those of the bank -> as they are compared
Line = Callable[[np.ndarray, np.ndarray], float]  # a pet's looks, how alike the bank is -> what a photo must reach


@dataclass
class Options:
    """Measure how well pets are known again."""

    data: Path
    """The Oxford-IIIT Pet folder."""
    checkpoint: Path | None = None
    """Without one, the checkpoint that is shipped."""
    draws: int = 20
    """How often photos and breeds are drawn anew for each breed."""


Signatures = dict[str, np.ndarray]  # what photos of a species look like, by breed: (n, C) each
KINDS = ("shipped", "plain", "mirrored", "cropped", "stages")  # of signatures


def main() -> int:
    options = tyro.cli(Options, prog=program())
    try:
        kinds = signatures_of_species(options)
    except (CheckpointError, DataError) as error:
        print(f"{program()}: {error}", file=sys.stderr)
        return 2
    root = partial(centered, power=0.5)
    species = kinds["shipped"]
    rows = [
        *((f"{count} photo{'s' * (count > 1)}", species, count, root) for count in (1, 3, 5, 8)),
        ("5 photos, without the square root", species, 5, partial(centered, power=1.0)),
        ("5 photos, the cube root", species, 5, partial(centered, power=1 / 3)),
        ("5 photos, not centered", species, 5, lambda values, bank: unit(np.sqrt(values))),
        ("5 photos, the mean of all places", kinds["plain"], 5, root),
        ("5 photos, each mirrored too", kinds["mirrored"], 5, root),
        ("5 photos, each cropped to its box too", kinds["cropped"], 5, root),
        ("5 photos, stages 3 and 4 together", kinds["stages"], 5, both_stages),
        ("5 photos, a line halfway to the pet's own", species, 5, root, halfway),
    ]
    header = (
        "taught with",
        "AUROC",
        f"known, at {100 - STRANGERS}% of the bank",
        "strangers taken for it",
        "two told apart",
    )
    table = markdown_table(
        header, [(name, *measured(of, count, looks, options.draws, *line)) for name, of, count, looks, *line in rows]
    )
    breeds = sum(map(len, species.values()))
    print(f"{breeds} breeds, each with photos drawn {options.draws} times.\n\n{table}")
    print(f"\n{rejected(species, options.draws)}")
    print(f"\n{moments(options, species)}")
    return 0


def moments(options: Options, species: dict[str, Signatures]) -> str:
    """How alike two photos of one moment are, and two of one breed: what the page keeps one of lies between."""
    pets = Pets(catdog.load(options.checkpoint))
    rng = np.random.default_rng(0)
    photos = [photo for found in read_folders([options.data]) for photo in found.photos]
    twice = []
    for place in rng.permutation(len(photos))[:MOMENT]:
        whole = open_picture(photos[place].path)
        one, other = pets.classifier.explain([cropped(whole, rng), cropped(whole, rng)])
        label = likelier(one)
        if one.signature.any() and other.signature.any():
            twice.append(float(pets.look(one.signature, label) @ pets.look(other.signature, label)))
    apart = []
    for label, each in species.items():
        for values in each.values():
            looks = pets.look(values, label)
            apart.append((looks @ looks.T)[np.triu_indices(len(looks), 1)])
    of_breed = np.concatenate(apart)
    over = f"More alike than {ALIKE}: {(np.array(twice) > ALIKE).mean():.0%} of {len(twice)} photos cropped twice"
    return f"{over}, {(of_breed > ALIKE).mean():.3%} of {len(of_breed):,} pairs of photos of one breed."


def cropped(picture: Image.Image, rng: np.random.Generator) -> Image.Image:
    """Nearly all of it, a little turned, as a hand that is not quite still takes it."""
    left, top, right, bottom = rng.uniform(0, CROP, 4) * (*picture.size, *picture.size)
    box = (int(left), int(top), picture.width - int(right), picture.height - int(bottom))
    return picture.rotate(rng.uniform(-2, 2), Image.Resampling.BILINEAR).crop(box)


def signatures_of_species(options: Options) -> dict[str, dict[str, Signatures]]:
    """Of each of KINDS, for each species."""
    classifier = catdog.load(options.checkpoint)
    photos = [photo for found in read_folders([options.data]) for photo in found.photos]
    cached, _ = cache_photos(photos)
    channels = classifier.network.fc.in_features
    found = {
        kind: np.zeros((len(cached), channels * 3 // 2 if kind == "stages" else channels), np.float32) for kind in KINDS
    }
    for index, one in enumerate(tqdm(cached)):
        label, picture = one.photo.label.index(1), open_picture(one.content)
        [explanation] = classifier.explain([picture])
        box = explanation.boxes[LABELS[label]]
        whole, plain, third = signatures_of_picture(classifier, picture, label)
        mirrored, _, _ = signatures_of_picture(classifier, ImageOps.mirror(picture), label)
        cropped, _, _ = signatures_of_picture(classifier, picture.crop(box), label) if box else (whole, plain, third)
        of_kinds = (whole, plain, (whole + mirrored) / 2, (whole + cropped) / 2, np.concatenate([whole, third]))
        for kind, values in zip(KINDS, of_kinds):
            found[kind][index] = values
    place = {one.photo.path: index for index, one in enumerate(cached)}
    by_kind: dict[str, dict[str, Signatures]] = {kind: {} for kind in KINDS}
    for label in LABELS:
        breeds = by_breed([one.photo for one in cached if one.photo.verdict == label])
        for kind, values in found.items():
            indices = {breed: [place[photo.path] for photo in of_one] for breed, of_one in breeds.items()}
            by_kind[kind][label] = {breed: values[of] for breed, of in indices.items()}
    return by_kind


@torch.inference_mode()
def signatures_of_picture(
    classifier: Classifier, picture: Image.Image, label: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The signature as it is shipped, the plain mean of all places (C,) each, and the third stage's signature (C / 2,)."""
    network = classifier.folded
    third = network.layer3_output(classifier.metadata.preset()(picture)[None].to(classifier.device))
    features = network.layer4(third)
    evidence, _ = evidence_of(network, features)
    fine = functional.interpolate(evidence, third.shape[2:], mode="bilinear", align_corners=False)
    shipped, early = (signatures_of(each, of)[0, label] for each, of in ((evidence, features), (fine, third)))
    return shipped.cpu().numpy(), features.mean((2, 3))[0].cpu().numpy(), early.cpu().numpy()


def centered(values: np.ndarray, bank: np.ndarray, power: float) -> np.ndarray:
    return unit(values**power - (bank**power).mean(0))


def both_stages(values: np.ndarray, bank: np.ndarray) -> np.ndarray:
    """The last stage's and the third's signatures, each compared as one alone is."""
    split = values.shape[-1] * 2 // 3
    parts = [centered(values[..., part], bank[..., part], 0.5) for part in (slice(split), slice(split, None))]
    return np.concatenate(parts, -1) / 2**0.5


def of_bank_alone(own: np.ndarray, bank: np.ndarray) -> float:
    """What a photo must reach: what most of the bank does not, which is compared with a pet.

    Args:
        own: the looks of the pet's photos (n, C).
        bank: how alike the bank's are to it.
    """
    return float(np.percentile(bank, STRANGERS))


def halfway(own: np.ndarray, bank: np.ndarray) -> float:
    """Halfway from there to how alike the pet's own photos are to the others of it."""
    apart = [unit(np.delete(own, index, 0).mean(0)) @ own[index] for index in range(len(own))]
    line = of_bank_alone(own, bank)
    return max(line, (line + float(np.mean(apart))) / 2)


def measured(
    species: dict[str, Signatures], count: int, looks: Looks, draws: int, line: Line = of_bank_alone
) -> tuple[str, ...]:
    """A row: means over breeds and draws, with the 95% interval of the mean over breeds."""
    rng = np.random.default_rng(0)
    by_pet, apart = [], []
    for each in species.values():
        for breed, own in each.items():
            if len(own) >= count + LEFT:
                by_pet.append(np.mean([one_draw(each, breed, count, looks, line, rng) for _ in range(draws)], 0))
        for pair in combinations(sorted(each), 2):
            if min(len(each[breed]) for breed in pair) >= count + LEFT:
                apart.append(np.mean([told_apart(each, pair, count, looks, rng) for _ in range(max(1, draws // 5))]))
    found = np.array(by_pet)
    half = 1.96 * found.std(0, ddof=1) / len(found) ** 0.5
    area, known, taken = (f"{100 * mean:.1f}% ±{100 * wide:.1f}" for mean, wide in zip(found.mean(0), half))
    return area, known, taken, f"{100 * np.mean(apart):.1f}%, the worst two {100 * np.min(apart):.0f}%"


def one_draw(
    breeds: Signatures, breed: str, count: int, looks: Looks, line: Line, rng: np.random.Generator
) -> tuple[float, float, float]:
    """AUROC of a pet's other photos against strangers, how many of them are known, how many strangers are taken for it."""
    others = rng.permutation([other for other in breeds if other != breed])
    of_bank, strange = (
        np.concatenate([some(breeds[other], OF_BREED, rng) for other in half]) for half in (others[::2], others[1::2])
    )
    own = looks(rng.permutation(breeds[breed]), of_bank)
    look = unit(own[:count].mean(0))
    similar = own[count:] @ look
    stranger, bank = (looks(values, of_bank) @ look for values in (strange, of_bank))
    threshold = line(own[:count], bank)
    area = auroc(similar, stranger)
    return area, (similar >= threshold).mean(), (stranger >= threshold).mean()


def told_apart(breeds: Signatures, pair: tuple[str, str], count: int, looks: Looks, rng: np.random.Generator) -> float:
    """Of two pets' other photos, the share that is more like the right one."""
    of_bank = np.concatenate([some(values, OF_BREED, rng) for breed, values in breeds.items() if breed not in pair])
    own = [looks(rng.permutation(breeds[breed]), of_bank) for breed in pair]
    first, second = (unit(values[:count].mean(0)) for values in own)
    right = [(own[0][count:] @ (first - second) > 0), (own[1][count:] @ (second - first) > 0)]
    return float(np.mean([each.mean() for each in right]))


def rejected(species: dict[str, Signatures], draws: int) -> str:
    """What one photo of a stranger that was taken for a pet teaches, as `Pets.reject`: of that stranger's other photos, and of
    the pet's, how many are taken for the pet before and after."""
    rng = np.random.default_rng(0)
    by_pet = []
    for each in species.values():
        for breed, own in each.items():
            if len(own) < 5 + LEFT:
                continue
            found = [row for _ in range(draws) if (row := one_rejection(each, breed, rng)) is not None]
            if found:
                by_pet.append(np.mean(found, 0))
    means = 100 * np.mean(by_pet, 0)
    half = 196 * np.std(by_pet, 0, ddof=1) / len(by_pet) ** 0.5
    strange, strange_after, known, known_after = (f"{mean:.1f}% ±{wide:.1f}" for mean, wide in zip(means, half))
    return (
        f"After one photo of a stranger that was taken for a pet of 5 photos ({len(by_pet)} breeds): taken for it are of that "
        f"stranger's others {strange} before and {strange_after} after, of the pet's own {known} before and {known_after} after."
    )


def one_rejection(breeds: Signatures, breed: str, rng: np.random.Generator) -> tuple[float, float, float, float] | None:
    """None where no stranger is taken for the pet."""
    others = rng.permutation([other for other in breeds if other != breed])
    of_bank = np.concatenate([some(breeds[other], OF_BREED, rng) for other in others[::2]])
    looks = partial(centered, bank=of_bank, power=0.5)
    own = rng.permutation(breeds[breed])
    pet = unit(looks(own[:5]).mean(0))
    line = np.percentile(looks(of_bank) @ pet, STRANGERS)
    for other in others[1::2]:
        strange = looks(rng.permutation(breeds[other]))
        taken = np.flatnonzero(strange @ pet >= line)
        if not len(taken) or len(strange) < 1 + LEFT:
            continue
        stranger, rest = strange[taken[0]], np.delete(strange, taken[0], 0)
        limit = np.percentile(looks(of_bank) @ stranger, STRANGERS)
        margins = [(values @ pet - line, values @ stranger - limit) for values in (rest, looks(own[5:]))]
        (before, after), (known, known_after) = [
            (float((margin >= 0).mean()), float(((margin >= 0) & (margin >= other)).mean()))
            for margin, other in margins
        ]
        return before, after, known, known_after
    return None


def some(values: np.ndarray, most: int, rng: np.random.Generator) -> np.ndarray:
    return rng.permutation(values)[:most]


if __name__ == "__main__":
    sys.exit(main())
