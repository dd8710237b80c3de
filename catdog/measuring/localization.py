"""Do the maps show where the pet is? Measured against Oxford-IIIT Pet's trimaps."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from PIL import Image

from catdog.cams import cam_map
from catdog.classifier import Classifier, Explanation
from catdog.datasets import composites
from catdog.datasets.cache import CachedPhoto
from catdog.evidence import boxes_of, fine_map
from catdog.labels import LABELS
from catdog.measuring.figures import MapBaselines, MapFigures, Rate
from catdog.transforms import Box

MIN_IOU = 0.5  # intersection over union: a box that overlaps the pet's by this much has found it (CorLoc)
BOX_THRESHOLDS = (0.02, 0.03, 0.04, 0.05, 0.06, 0.08, 0.1, 0.15, 0.2, 0.3)
CENTERED_BOXES = tuple(percent / 100 for percent in range(30, 101, 5))  # shares of both sides

MapOf = Callable[[CachedPhoto, int], np.ndarray]  # photo, label -> (h, w), anything that is larger where the pet is
MapsOf = Callable[[CachedPhoto, int], tuple[np.ndarray, np.ndarray]]  # such a map, and what its box is drawn from
PetBox = tuple[tuple[int, int], Box]  # a photo's size (width, height), and the box around its pet


@dataclass
class Localization:
    """What a kind of map scored, photo by photo."""

    threshold: float  # share of the peak that belongs to the box
    hits: list[bool] = field(default_factory=list)  # the peak is on the pet
    off_center: list[bool] = field(default_factory=list)  # the photo's center is not on the pet
    energies: list[float] = field(default_factory=list)  # share of the positive map on the pet
    overlaps: list[float] = field(default_factory=list)  # intersection over union of the box and the pet's

    def add(self, pet: np.ndarray, values: np.ndarray, extent: np.ndarray) -> None:
        """Score a photo's map.

        Args:
            pet: bool (height, width) of the photo, True on the pet with its border.
            values: the map (h, w).
            extent: what its box is drawn from (h, w).
        """
        height, width = pet.shape
        self.hits.append(bool(pet[peak_of(values, (width, height))]))
        self.off_center.append(not pet[height // 2, width // 2])
        positive = np.maximum(fine_map(np.maximum(values, 0), (width, height)), 0)
        self.energies.append(float(positive[pet].sum() / positive.sum()) if positive.any() else 0.0)
        [box] = boxes_of(extent[None], (0, 0, width, height), self.threshold)
        self.overlaps.append(0.0 if box is None else iou(box, box_around(pet)))

    @property
    def pointing(self) -> Rate:
        """The pointing game (Zhang et al. 2018)."""
        return Rate(sum(self.hits), len(self.hits))

    @property
    def pointing_off_center(self) -> Rate:
        hits = [hit for hit, off in zip(self.hits, self.off_center) if off]
        return Rate(sum(hits), len(hits))

    @property
    def energy(self) -> float:
        """The energy-based pointing game (Wang et al. 2020, Score-CAM): its mean over the photos."""
        return float(np.mean(self.energies))

    @property
    def corloc(self) -> Rate:
        return corloc(self.overlaps)


def localize(photos: Sequence[CachedPhoto], maps_of: MapsOf, threshold: float) -> Localization:
    """Score one kind of map on photos of one pet with a trimap, whose border counts as pet.

    Args:
        photos: with trimaps.
        maps_of: the maps of a photo for a label.
        threshold: share of the peak that belongs to the box.
    """
    result = Localization(threshold)
    for photo in photos:
        result.add(pet_of(photo), *maps_of(photo, photo.photo.label.index(1)))
    return result


class MapScores:
    """The evidence on photos of one pet with a trimap, beside what looking at nothing scores."""

    def __init__(self, threshold: float) -> None:
        self.evidence = Localization(threshold)
        self.center = Localization(threshold)
        self.areas: list[float] = []  # the pet's share of the photo
        self.boxes: list[PetBox] = []

    def add(self, photo: CachedPhoto, explanation: Explanation) -> None:
        pet, label = pet_of(photo), photo.photo.label.index(1)
        bump = gaussian(photo, label)
        self.evidence.add(pet, explanation.evidence[label], explanation.extent[label])
        self.center.add(pet, bump, bump)
        self.areas.append(float(pet.mean()))
        self.boxes.append((photo.size, box_around(pet)))

    def figures(self) -> MapFigures | None:
        """None where there was no photo with a trimap."""
        if not self.areas:
            return None
        return MapFigures(
            n=len(self.areas),
            peak_on_pet=self.evidence.pointing,
            peak_on_pet_off_center=self.evidence.pointing_off_center,
            energy_on_pet=self.evidence.energy,
            pet_area=float(np.mean(self.areas)),
            box_found=self.evidence.corloc,
            baselines=MapBaselines(self.center.pointing, box_baselines(self.boxes)),
        )


def mask_of(photo: CachedPhoto) -> Image.Image:
    """Of a photo with a trimap: the pet with its border as 255 on 0."""
    mask = photo.mask()
    if mask is None:
        raise ValueError(f"{photo.photo.path} has no trimap.")
    return mask


def pet_of(photo: CachedPhoto) -> np.ndarray:
    """The same as bool (height, width)."""
    return np.asarray(mask_of(photo)) > 0


def peak_of(values: np.ndarray, size: tuple[int, int]) -> tuple[int, int]:
    """Where a map (h, w) is highest: row and column in a photo of a size (width, height)."""
    fine = fine_map(values, size)
    row, column = np.unravel_index(fine.argmax(), fine.shape)
    return int(row), int(column)


def corloc(overlaps: Sequence[float]) -> Rate:
    """Correct localization: how many boxes overlap the pet's by MIN_IOU or more."""
    return Rate(sum(each >= MIN_IOU for each in overlaps), len(overlaps))


def point_at_both(
    photos: Sequence[CachedPhoto],
    evidence_of: Callable[[Image.Image], np.ndarray],
    fraction: float,
    count: int,
    seed: int,
) -> dict[str, Rate]:
    """The pointing game on made-up photos of both: the cat's peak on the cat, the dog's on the dog, and both at once.

    Args:
        photos: of one pet each, with trimaps, cats and dogs: one is cut out and pasted onto another.
        evidence_of: picture -> (2, h, w), for cat and dog.
        fraction: the cut-out's longer side, as a share of the other photo's short side.
        count: of made-up photos.
    """
    rng = random.Random(seed)
    hits: dict[str, list[bool]] = {label: [] for label in LABELS}
    for _ in range(count):
        base = rng.choice(photos)
        pet = rng.choice([photo for photo in photos if photo.photo.label != base.photo.label])
        pet_mask, base_mask = mask_of(pet), mask_of(base)
        picture, placed = composites.paste(base.picture(), pet.picture(), pet_mask, rng, fraction, base_mask)
        above = np.asarray(placed) > 127
        below = (np.asarray(base_mask.resize(picture.size, Image.Resampling.NEAREST)) > 0) & ~above
        evidence = evidence_of(picture)
        for photo, mask in ((pet, above), (base, below)):
            label = photo.photo.label.index(1)
            hits[LABELS[label]].append(bool(mask[peak_of(evidence[label], picture.size)]))
    hits["both at once"] = [cat and dog for cat, dog in zip(*hits.values())]
    return {name: Rate(sum(values), len(values)) for name, values in hits.items()}


def fit_box_threshold(photos: Sequence[CachedPhoto], maps_of: MapsOf) -> float:
    """Of BOX_THRESHOLDS the one whose boxes overlap the pets' most, on photos that are not held out."""
    maps = {id(photo): maps_of(photo, photo.photo.label.index(1)) for photo in photos}
    scores = [
        np.mean(localize(photos, lambda photo, label: maps[id(photo)], threshold).overlaps)
        for threshold in BOX_THRESHOLDS
    ]
    return BOX_THRESHOLDS[int(np.argmax(scores))]


def closed_form(classifier: Classifier, size: int | None = None) -> MapOf:
    """Evidence, with the photo's short side at `size` pixels, or the size that the checkpoint was made for."""

    def map_of(photo: CachedPhoto, label: int) -> np.ndarray:
        [explanation] = classifier.explain([photo.content], size=size)
        return explanation.evidence[label]

    return map_of


def with_extent(classifier: Classifier, size: int | None = None) -> MapsOf:
    """The evidence, and its extent, which `Explanation.boxes` are drawn from."""

    def maps_of(photo: CachedPhoto, label: int) -> tuple[np.ndarray, np.ndarray]:
        [explanation] = classifier.explain([photo.content], size=size)
        return explanation.evidence[label], explanation.extent[label]

    return maps_of


def box_from_map(map_of: MapOf) -> MapsOf:
    """A map whose box is drawn from the map itself."""

    def maps_of(photo: CachedPhoto, label: int) -> tuple[np.ndarray, np.ndarray]:
        values = map_of(photo, label)
        return values, values

    return maps_of


def by_package(classifier: Classifier, method: str) -> MapOf:
    """A method of the grad-cam package, on the last stage."""
    preset = classifier.metadata.preset()

    def map_of(photo: CachedPhoto, label: int) -> np.ndarray:
        batch = preset(photo.picture())[None].to(classifier.device)
        return cam_map(classifier.network, batch, method, 4, label)[0]

    return map_of


def gaussian(photo: CachedPhoto, label: int) -> np.ndarray:
    """A baseline that looks at nothing: a bump in the photo's center, a quarter of each side wide."""
    y, x = np.mgrid[-1:1:64j, -1:1:64j]
    return np.exp(-(x**2 + y**2) / (2 * 0.5**2)).astype(np.float32)


def pet_boxes(photos: Sequence[CachedPhoto]) -> list[PetBox]:
    return [(photo.size, box_around(pet_of(photo))) for photo in photos]


def centered_boxes(pets: Sequence[PetBox]) -> dict[float, list[float]]:
    """What looking at nothing scores: for each share of both sides, how much the centered box overlaps each pet's."""
    return {share: [iou(centered(size, share), box) for size, box in pets] for share in CENTERED_BOXES}


def box_baselines(pets: Sequence[PetBox]) -> dict[str, Rate]:
    """CorLoc of the whole photo's box, and of the best centered box of a fixed share of both sides."""
    found = {share: corloc(overlaps) for share, overlaps in centered_boxes(pets).items()}
    best = max(found, key=lambda share: found[share].value)
    return {"the whole photo": found[1.0], f"a centered box of {best:.2f} of each side": found[best]}


def centered(size: tuple[int, int], share: float) -> Box:
    width, height = size
    across, down = width * (1 - share) / 2, height * (1 - share) / 2
    return round(across), round(down), round(width - across), round(height - down)


def box_around(mask: np.ndarray) -> Box:
    """Of a mask (h, w) with something in it: left, top, right, bottom in pixels."""
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1


def iou(one: Box, two: Box) -> float:
    """Intersection over union of two boxes."""
    across = min(one[2], two[2]) - max(one[0], two[0])
    down = min(one[3], two[3]) - max(one[1], two[1])
    if across <= 0 or down <= 0:
        return 0.0
    union = sum((box[2] - box[0]) * (box[3] - box[1]) for box in (one, two)) - across * down
    return across * down / union
