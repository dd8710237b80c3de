"""Labeled photos -> what a classifier says of them, and every figure about it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import islice

import numpy as np

from catdog.classifier import REDUCED, Classifier, Explanation, Prediction
from catdog.datasets import Photo
from catdog.datasets.cache import CachedPhoto, decode_photo
from catdog.datasets.made_up import WAYS, made_up_both
from catdog.images import Decoded, ImageError, one_line
from catdog.labels import LABELS
from catdog.measuring.figures import (
    FEW,
    BothFigures,
    CalibrationFigures,
    DetectionFigures,
    Figures,
    KindFigures,
    Mistake,
    NegativeFigures,
    PetFigures,
    Rate,
    SourceFigures,
)
from catdog.measuring.localization import MapScores, point_at_both
from catdog.measuring.metrics import (
    auroc,
    calibration_error,
    calibration_error_by_chance,
    confusion,
    mean_of,
    reliability_bins,
    roc,
    two_way_log_losses,
    two_way_right,
)

WORST = 10  # mistakes listed
FEWEST = 5  # photos of a kind; those of rarer ones are counted together
OTHERS = "others"
SURE = 0.9  # a probability of a negative that is counted
CHUNK = 64  # photos decoded at a time
SEED = 0


@dataclass(frozen=True)
class Scored:
    """A photo and what was said of it."""

    photo: Photo
    prediction: Prediction

    @property
    def cross_entropy(self) -> float:
        """Of both labels together, in nats: how wrong, and how sure of it."""
        probabilities = np.clip([self.prediction.cat, self.prediction.dog], 1e-6, 1 - 1e-6)
        labels = np.array(self.photo.label)
        return float(-np.log(np.where(labels == 1, probabilities, 1 - probabilities)).sum())


def measure(
    classifier: Classifier,
    photos: Sequence[Photo],
    progress: Callable[[Sequence[Photo]], Iterable[Photo]] = iter,
    made_up: int = 200,
) -> tuple[Figures | None, list[Scored], list[tuple[Photo, ImageError]]]:
    """Every figure about a classifier on labeled photos, what was said of each, and the photos that cannot be read.

    Each photo is decoded once, for its answer and for its maps. Where there are trimaps, the maps are measured against
    them, and photos of both are put together from the photos given, `made_up` in each way.

    Args:
        progress: shows how far it is, such as `tqdm`.

    Returns:
        No figures where no photo can be read.
    """
    composes = classifier.metadata.head == "sigmoid" and has_both_trimaps(photos)
    scored: list[Scored] = []
    failed: list[tuple[Photo, ImageError]] = []
    pets: list[CachedPhoto] = []  # as encoded bytes, from which photos of both are put together
    maps = MapScores(classifier.metadata.box_threshold)
    for photo, answer in explain_photos(classifier, progress(photos)):
        if isinstance(answer, ImageError):
            failed.append((photo, answer))
            continue
        cached, explanation = answer
        scored.append(Scored(photo, explanation.prediction))
        if sum(photo.label) == 1:
            if photo.trimap:
                maps.add(cached, explanation)
            if composes:
                pets.append(cached)
    if not scored:
        return None, [], failed
    figures = replace(figures_of(scored), maps=maps.figures())
    if composes and has_both_trimaps([cached.photo for cached in pets]):
        figures = replace(
            figures,
            made_up_both=made_up_figures(classifier, pets, made_up),
            peaks_of_both=peak_figures(classifier, [cached for cached in pets if cached.photo.trimap], made_up),
        )
    return figures, scored, failed


def has_both_trimaps(photos: Sequence[Photo]) -> bool:
    """Whether there is a cat and a dog to cut out."""
    return {photo.label for photo in photos if photo.trimap and sum(photo.label) == 1} == {(1, 0), (0, 1)}


def explain_photos(
    classifier: Classifier, photos: Iterable[Photo]
) -> Iterator[tuple[Photo, tuple[CachedPhoto, Explanation] | ImageError]]:
    """Each photo with its bytes and its explanation, in order, or why it cannot be read."""
    enough = REDUCED * classifier.metadata.input_size

    def decode(photo: Photo) -> tuple[CachedPhoto, Decoded] | ImageError:
        try:
            return decode_photo(photo, enough)
        except ImageError as error:
            return error.alone()

    photos = iter(photos)
    with ThreadPoolExecutor(4) as pool:
        while chunk := list(islice(photos, CHUNK)):
            decoded = list(pool.map(decode, chunk))
            pictures = [each[1] for each in decoded if not isinstance(each, ImageError)]
            explanations = iter(classifier.explain(pictures))
            for photo, each in zip(chunk, decoded):
                yield photo, each if isinstance(each, ImageError) else (each[0], next(explanations))


def figures_of(scored: Sequence[Scored]) -> Figures:
    """The figures that follow from the answers alone."""
    probabilities = np.array([[each.prediction.cat, each.prediction.dog] for each in scored])
    labels = np.array([each.photo.label for each in scored])
    verdicts = np.array([each.prediction.verdict for each in scored])
    sources = np.array([each.photo.source for each in scored])
    pets, negatives, both = (labels.sum(1) == present for present in (1, 0, 2))
    counts = Counter(each.photo.verdict for each in scored)
    return Figures(
        n=len(scored),
        counts=dict(counts),
        few=tuple(verdict for verdict, count in counts.items() if count < FEW),
        verdict_accuracy=rate_of(verdicts == np.array([each.photo.verdict for each in scored])),
        confusion=confusion([each.photo.label for each in scored], [each.prediction.verdict for each in scored]),
        worst_mistakes=tuple(
            Mistake(
                one_line(each.photo.path.name),
                each.photo.verdict,
                each.prediction.verdict,
                each.prediction.cat,
                each.prediction.dog,
            )
            for each in worst_mistakes(scored)
        ),
        pets=pet_figures(probabilities[pets], labels[pets], verdicts[pets]) if pets.any() else None,
        pets_by_source={
            str(source): SourceFigures(
                two_way_accuracy=rate_of(two_way_right(probabilities[at], labels[at])),
                called_neither=rate_of(verdicts[at] == "neither"),
                called_both=rate_of(verdicts[at] == "both"),
            )
            for source in sorted(set(sources[pets]))
            for at in [pets & (sources == source)]
        },
        negatives=negative_figures(probabilities[negatives], verdicts[negatives]) if negatives.any() else None,
        both=BothFigures(int(both.sum()), rate_of(verdicts[both] == "both")) if both.any() else None,
        pets_against_negatives=(
            detection_figures(probabilities, labels, pets, negatives) if pets.any() and negatives.any() else None
        ),
        kinds=kind_figures(scored),
    )


def kind_figures(scored: Sequence[Scored]) -> tuple[KindFigures, ...]:
    """By kind of scene or animal, and by source where photos have none; the worst first. Nothing where no photo has a kind."""
    if not any(each.photo.kind for each in scored):
        return ()
    kinds = [(each.photo.kind or each.photo.source, each.photo.verdict) for each in scored]
    counts = Counter(kinds)
    called: dict[tuple[str, str], Counter[str]] = {}
    for (kind, label), each in zip(kinds, scored):
        name = kind if counts[kind, label] >= FEWEST else OTHERS
        called.setdefault((name, label), Counter())[each.prediction.verdict] += 1
    figures = [
        KindFigures(kind, label, Rate(verdicts[label], verdicts.total()), dict(verdicts.most_common()))
        for (kind, label), verdicts in called.items()
    ]
    return tuple(sorted(figures, key=lambda each: (each.right.value, -each.right.n)))


def pet_figures(probabilities: np.ndarray, labels: np.ndarray, verdicts: np.ndarray) -> PetFigures:
    return PetFigures(
        n=len(labels),
        two_way_accuracy=rate_of(two_way_right(probabilities, labels)),
        two_way_log_loss=mean_of(two_way_log_losses(probabilities, labels)),
        called_neither=rate_of(verdicts == "neither"),
        called_both=rate_of(verdicts == "both"),
        calibration_error=calibration_figures(probabilities, labels),
    )


def negative_figures(probabilities: np.ndarray, verdicts: np.ndarray) -> NegativeFigures:
    return NegativeFigures(
        n=len(verdicts),
        called_neither=rate_of(verdicts == "neither"),
        called_a_pet=rate_of(probabilities.max(1) >= SURE),
    )


def detection_figures(
    probabilities: np.ndarray, labels: np.ndarray, pets: np.ndarray, negatives: np.ndarray
) -> DetectionFigures:
    larger, known = probabilities.max(1), pets | negatives
    return DetectionFigures(
        auroc=auroc(larger[pets], larger[negatives]),
        calibration_error=calibration_figures(probabilities[known], labels[known]),
        roc=roc(larger[pets], larger[negatives]),
    )


def calibration_figures(probabilities: np.ndarray, labels: np.ndarray) -> dict[str, CalibrationFigures]:
    """Of each label."""
    return {
        label: CalibrationFigures(
            value=calibration_error(probabilities[:, i], labels[:, i]),
            by_chance=calibration_error_by_chance(probabilities[:, i]),
            bins=reliability_bins(probabilities[:, i], labels[:, i]),
        )
        for i, label in enumerate(LABELS)
    }


def made_up_figures(classifier: Classifier, pets: Sequence[CachedPhoto], count: int) -> dict[str, Rate]:
    """How often photos of a cat and a dog are called `both`, `count` of each way to put them together."""
    return {
        way: rate_of(np.array([answer.verdict == "both" for answer in answers]))
        for way, make in WAYS.items()
        for answers in [classifier.classify(each.content for each in made_up_both(pets, SEED, count, make))]
    }


def peak_figures(classifier: Classifier, with_trimaps: Sequence[CachedPhoto], count: int) -> dict[str, Rate]:
    """Whether each label's map peaks on its own pet, where one is pasted onto a photo of the other at a half."""
    return point_at_both(
        with_trimaps, lambda picture: classifier.explain([picture])[0].evidence, fraction=1 / 2, count=count, seed=SEED
    )


def worst_mistakes(scored: Sequence[Scored]) -> list[Scored]:
    """The mistakes that it was surest of, the worst first."""
    mistakes = [each for each in scored if each.prediction.verdict != each.photo.verdict]
    return sorted(mistakes, key=lambda each: -each.cross_entropy)[:WORST]


def rate_of(hits: np.ndarray) -> Rate:
    """How many of some booleans (n,) are true."""
    return Rate(int(hits.sum()), len(hits))
