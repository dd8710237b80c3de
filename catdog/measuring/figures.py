"""Labeled photos -> figures about a classifier, and the text that a person reads."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from catdog.classifier import Classifier, Prediction
from catdog.datasets import Photo
from catdog.datasets.cache import cache_photos
from catdog.datasets.made_up import WAYS, made_up_both
from catdog.decision import percent
from catdog.images import ImageError, one_line
from catdog.labels import LABELS
from catdog.measuring.localization import alone, box_baselines, gaussian, localize, point_at_both, with_extent
from catdog.measuring.metrics import (
    Rate,
    auroc,
    calibration_error,
    calibration_error_by_chance,
    confusion,
    mean_interval,
    reliability,
    roc,
    two_way_log_losses,
    two_way_right,
)

FEW = 30  # photos of a label, below which an interval says little
WORST = 10  # mistakes listed
SEED = 0


@dataclass(frozen=True)
class Scored:
    """A photo and what was said of it."""

    photo: Photo
    prediction: Prediction

    @property
    def surprise(self) -> float:
        """Cross-entropy of both labels in nats: how wrong, and how sure of it."""
        probabilities = np.clip([self.prediction.cat, self.prediction.dog], 1e-6, 1 - 1e-6)
        labels = np.array(self.photo.label)
        return float(-np.log(np.where(labels == 1, probabilities, 1 - probabilities)).sum())


def measure(
    classifier: Classifier,
    photos: Sequence[Photo],
    progress: Callable[[Iterable], Iterable] = iter,
    made_up: int = 200,
) -> tuple[dict[str, Any], list[Scored], list[ImageError]]:
    """Every figure about a classifier on labeled photos, what was said of each, and the photos that cannot be read.

    Where there are trimaps, the maps are measured against them, and photos of both are put together from the photos
    given, `made_up` in each way.
    """
    scored, failed = score(classifier, photos, progress)
    if not scored:
        return {}, [], failed
    figures = figures_of(scored)
    pets = [each.photo for each in scored if sum(each.photo.label) == 1]
    if with_trimaps := [photo for photo in pets if photo.trimap]:
        figures["maps"] = map_figures(classifier, with_trimaps)
    if classifier.metadata.head == "sigmoid" and {each.label for each in with_trimaps} == {(1, 0), (0, 1)}:
        figures["made_up_both"] = made_up_figures(classifier, pets, made_up)
        figures["peaks_of_both"] = peak_figures(classifier, with_trimaps, made_up)
    return figures, scored, failed


def map_figures(classifier: Classifier, pets: Sequence[Photo]) -> dict[str, Any]:
    """Whether the evidence is on the pet, as its trimap has it, beside what looking at nothing would score."""
    cached, _ = cache_photos(pets)
    found = localize(cached, with_extent(classifier), classifier.metadata.box_threshold)
    bump = localize(cached, alone(gaussian), classifier.metadata.box_threshold)
    return {
        "n": len(cached),
        "peak_on_pet": found.pointing.as_dict(),
        "peak_on_pet_off_center": found.pointing_off_center.as_dict(),
        "energy_on_pet": found.energy,
        "pet_area": float(np.mean([(np.asarray(photo.mask()) > 0).mean() for photo in cached])),
        "box_found": found.corloc.as_dict(),
        "baselines": {
            "center_on_pet": bump.pointing.as_dict(),
            "box_found": {name: rate.as_dict() for name, rate in box_baselines(cached).items()},
        },
    }


def made_up_figures(classifier: Classifier, pets: Sequence[Photo], count: int) -> dict[str, Any]:
    """How often photos of a cat and a dog are called `both`, `count` of each way to put them together."""
    cached, _ = cache_photos(pets)
    return {
        way: rate(np.array([answer.verdict == "both" for answer in answers]))
        for way, make in WAYS.items()
        for answers in [classifier.classify(each.content for each in made_up_both(cached, SEED, count, make))]
    }


def peak_figures(classifier: Classifier, with_trimaps: Sequence[Photo], count: int) -> dict[str, Any]:
    """Whether each label's map peaks on its own pet, where one is pasted onto a photo of the other at a half."""
    cached, _ = cache_photos(with_trimaps)
    found = point_at_both(cached, lambda picture: classifier.explain([picture])[0].evidence, 1 / 2, count, SEED)
    return {name: each.as_dict() for name, each in found.items()}


def score(
    classifier: Classifier, photos: Sequence[Photo], progress: Callable[[Iterable], Iterable] = iter
) -> tuple[list[Scored], list[ImageError]]:
    """Classify labeled photos; those that cannot be read are returned as errors."""
    answers = classifier.classify(progress([photo.path for photo in photos]), errors="return")
    scored = [Scored(photo, answer) for photo, answer in zip(photos, answers) if isinstance(answer, Prediction)]
    return scored, [answer for answer in answers if isinstance(answer, ImageError)]


def figures_of(scored: Sequence[Scored]) -> dict[str, Any]:
    """Every figure, as plain values that JSON can hold. Rates are {value, k, n, interval}."""
    probabilities = np.array([[each.prediction.cat, each.prediction.dog] for each in scored])
    labels = np.array([each.photo.label for each in scored])
    verdicts = np.array([each.prediction.verdict for each in scored])
    pets = labels.sum(1) == 1
    negatives = labels.sum(1) == 0
    both = labels.sum(1) == 2
    counts = Counter(each.photo.verdict for each in scored)
    figures: dict[str, Any] = {
        "n": len(scored),
        "counts": dict(counts),
        "few": [verdict for verdict, count in counts.items() if count < FEW],
        "verdict_accuracy": rate(verdicts == np.array([each.photo.verdict for each in scored])),
        "confusion": confusion([each.photo.label for each in scored], list(verdicts)),
    }
    if pets.any():
        losses = two_way_log_losses(probabilities[pets], labels[pets])
        mean, interval = mean_interval(losses)
        figures["pets"] = {
            "n": int(pets.sum()),
            "two_way_accuracy": rate(two_way_right(probabilities[pets], labels[pets])),
            "two_way_log_loss": {"value": mean, "interval": interval and list(interval)},
            "called_neither": rate(verdicts[pets] == "neither"),
            "called_both": rate(verdicts[pets] == "both"),
            "calibration_error": errors_of(probabilities[pets], labels[pets]),
        }
        sources = np.array([each.photo.source for each in scored])
        figures["pets_by_source"] = {
            source: {
                "two_way_accuracy": rate(two_way_right(probabilities[at], labels[at])),
                "called_neither": rate(verdicts[at] == "neither"),
                "called_both": rate(verdicts[at] == "both"),
            }
            for source in sorted(set(sources[pets]))
            for at in [pets & (sources == source)]
        }
    if negatives.any():
        figures["negatives"] = {
            "n": int(negatives.sum()),
            "called_neither": rate(verdicts[negatives] == "neither"),
            "called_a_pet_at_0.9": rate(probabilities[negatives].max(1) >= 0.9),
        }
    if both.any():
        figures["both"] = {"n": int(both.sum()), "called_both": rate(verdicts[both] == "both")}
    if pets.any() and negatives.any():
        known = pets | negatives
        figures["pets_against_negatives"] = {
            "auroc": auroc(probabilities[pets].max(1), probabilities[negatives].max(1)),
            "roc": roc(probabilities[pets].max(1), probabilities[negatives].max(1)),
            "calibration_error": errors_of(probabilities[known], labels[known]),
        }
    figures["worst_mistakes"] = [
        {
            "name": one_line(each.photo.path.name),
            "label": each.photo.verdict,
            "verdict": each.prediction.verdict,
            "cat": each.prediction.cat,
            "dog": each.prediction.dog,
        }
        for each in worst_of(scored)
    ]
    return figures


def worst_of(scored: Sequence[Scored]) -> list[Scored]:
    """The mistakes that it was surest of, the worst first."""
    mistakes = [each for each in scored if each.prediction.verdict != each.photo.verdict]
    return sorted(mistakes, key=lambda each: -each.surprise)[:WORST]


def rate(right: np.ndarray) -> dict[str, Any]:
    return Rate(int(np.sum(right)), len(right)).as_dict()


def errors_of(probabilities: np.ndarray, labels: np.ndarray) -> dict[str, dict[str, Any]]:
    """Calibration error of each label, beside what a perfectly calibrated classifier would show at this n, and its bins:
    mean probability, k and n."""
    return {
        label: {
            "value": calibration_error(probabilities[:, i], labels[:, i]),
            "by_chance": calibration_error_by_chance(probabilities[:, i]),
            "bins": [(mean, rate.k, rate.n) for mean, rate in reliability(probabilities[:, i], labels[:, i])],
        }
        for i, label in enumerate(LABELS)
    }


def as_text(figures: dict[str, Any]) -> str:
    """The figures for a terminal."""
    lines = [f"{figures['n']:,} photos: " + ", ".join(f"{count:,} {name}" for name, count in figures["counts"].items())]
    table = table_of(figures)
    width = max(len(name) for name, _ in table) + 2
    lines += [f"{name:<{width}}{value}" for name, value in table]
    if figures["few"]:
        lines.append(f"Fewer than {FEW} photos of {', '.join(figures['few'])}: their intervals are wide.")
    lines += [
        "",
        f"{'':>10}" + "".join(f"{verdict:>9}" for verdict in ("cat", "dog", "both", "neither")) + "   <- verdict",
    ]
    for truth, row in figures["confusion"].items():
        lines.append(f"{truth:>10}" + "".join(f"{count:>9,}" for count in row.values()))
    if figures["worst_mistakes"]:
        lines += ["", "Worst mistakes:"]
        for each in figures["worst_mistakes"]:
            lines.append(
                f"  {each['name']}: {each['label']}, called {each['verdict']} "
                f"(cat {percent(each['cat'])}, dog {percent(each['dog'])})"
            )
    return "\n".join(lines)


def table_of(figures: dict[str, Any]) -> list[tuple[str, str]]:
    """The headline figures as rows of name and value, for the terminal, the model card and the README."""
    rows = [("verdict right", in_words(figures["verdict_accuracy"]))]
    if pets := figures.get("pets"):
        loss = pets["two_way_log_loss"]
        errors = pets["calibration_error"]
        rows += [
            ("pets: two-way right", in_words(pets["two_way_accuracy"])),
            ("pets: two-way log loss", loss_in_words(loss, pets["n"])),
            ("pets: called neither", in_words(pets["called_neither"])),
            ("pets: called both", in_words(pets["called_both"])),
            ("pets: calibration error", calibration_in_words(errors)),
        ]
    if negatives := figures.get("negatives"):
        rows += [
            ("negatives: called neither", in_words(negatives["called_neither"])),
            ("negatives: a pet with 0.9 or more", in_words(negatives["called_a_pet_at_0.9"])),
        ]
    if both := figures.get("both"):
        rows.append(("both: called both", in_words(both["called_both"])))
    for way, each in figures.get("made_up_both", {}).items():
        rows.append((f"made-up both, {way}: called both", in_words(each)))
    for name, each in figures.get("peaks_of_both", {}).items():
        rows.append((f"made-up both, at a half: peak on its pet, {name}", in_words(each)))
    if maps := figures.get("maps"):
        center = maps["baselines"]["center_on_pet"]
        boxes = maps["baselines"]["box_found"]
        rows += [
            ("maps: peak on the pet", in_words(maps["peak_on_pet"])),
            ("the photo's center: on the pet", in_words(center)),
            ("maps: peak on the pet where the center is not", in_words(maps["peak_on_pet_off_center"])),
            ("maps: evidence on the pet", f"{maps['energy_on_pet']:.1%} (the pet covers {maps['pet_area']:.1%})"),
            ("maps: box found", in_words(maps["box_found"])),
            *((f"{name}: box found", in_words(each)) for name, each in boxes.items()),
        ]
    if against := figures.get("pets_against_negatives"):
        errors = against["calibration_error"]
        rows += [
            ("pets against negatives: AUROC", f"{against['auroc']:.4f}"),
            ("both kinds: calibration error", calibration_in_words(errors)),
        ]
    for source, each in figures.get("pets_by_source", {}).items():
        rows.append((f"{source}: two-way right", in_words(each["two_way_accuracy"])))
        rows.append((f"{source}: called neither", in_words(each["called_neither"])))
        if "called_both" in each:  # checkpoints of earlier versions do not say it
            rows.append((f"{source}: called both", in_words(each["called_both"])))
    return rows


def loss_in_words(loss: dict[str, Any], n: int) -> str:
    if loss["interval"] is None:
        return f"{loss['value']:.4f} (n {n})"
    low, high = loss["interval"]
    return f"{loss['value']:.4f} (n {n}, 95% interval {max(0, low):.4f} to {high:.4f})"


def calibration_in_words(errors: dict[str, dict[str, float]]) -> str:
    parts = [
        f"{label} {each['value']:.2%} (perfectly calibrated: {each['by_chance']:.2%})" for label, each in errors.items()
    ]
    return ", ".join(parts)


def in_words(rate: dict[str, Any]) -> str:
    return str(Rate(rate["k"], rate["n"]))
