"""Training samples follow from their keys alone, and batches from seed, epoch and step."""

from __future__ import annotations

import io
import random
import shutil
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch.nn import functional as F

from catdog.datasets import Photo
from catdog.datasets.cache import MAX_CACHED_SIDE, CachedPhoto, cache_photos
from catdog.datasets.made_up import Compositor, covered, made_up_both, made_up_negatives
from catdog.datasets.samples import EvaluationSamples
from catdog.images import ImageError, open_picture
from catdog.images.decode import ORIENTATION_TAG
from catdog.labels import Label
from catdog.training.samples import Key, TrainingBatches, TrainingSamples
from catdog.transforms import EvaluationPreset, PlainPreset, TrainingPreset

SHAPE = (48, 64)


@pytest.fixture(scope="module")
def cached(pets) -> list[CachedPhoto]:
    photos, failed = cache_photos(pets)
    assert failed == []
    return photos


def of_sources(**counts: int) -> list[CachedPhoto]:
    """Photos without content, as many of each source."""
    photos = [Photo(None, (1, 0), source, "training") for source, count in counts.items() for _ in range(count)]
    return [CachedPhoto(photo, b"", (1, 1)) for photo in photos]


def covered_by(cached: CachedPhoto, seed: int) -> np.ndarray:
    """Where a photo differs from its covered self: (height, width)."""
    whole, made = (np.asarray(each).astype(int) for each in (cached.picture(), covered(cached, random.Random(seed))))
    return np.abs(whole - made).max(2) > 0


@pytest.mark.parametrize("seed", range(5))
def test_a_pet_is_covered_where_it_is_told_best_and_a_part_of_it_stays(cached, seed):
    extent = Image.new("L", (10, 10), 0)
    extent.paste(255, (2, 2, 8, 8))  # 36% of the picture
    one = replace(next(each for each in cached if sum(each.photo.label) == 1), extent=extent, strongest=(0.5, 0.4))
    differs = covered_by(one, seed)
    assert 0.9 * 0.2 * 0.36 < differs.mean() < 1.05 * 0.5 * 0.36
    rows, columns = np.nonzero(differs)
    height, width = differs.shape
    assert (rows.min() + rows.max()) / 2 / height == pytest.approx(0.4, abs=0.05)
    assert (columns.min() + columns.max()) / 2 / width == pytest.approx(0.5, abs=0.05)


def test_covered_samples_keep_their_label(cached):
    extent = Image.new("L", (4, 4), 255)
    photos = [replace(each, extent=extent, strongest=(0.5, 0.5)) for each in cached if sum(each.photo.label) == 1]
    samples = TrainingSamples(photos, PlainPreset("squash"), composite=0, made_negative=0, cover=1)
    plain = TrainingSamples(photos, PlainPreset("squash"), composite=0, made_negative=0)
    for index in range(3):
        key = Key(index, index, SHAPE)
        (pixels, label, _), (whole, expected, _) = samples[key], plain[key]
        assert torch.equal(label, expected) and not torch.equal(pixels, whole)


# ---------------------------------------------------------------------------- the cache


def test_photos_are_cached_in_their_order_and_decode_to_the_same_picture(pets, cached):
    assert [each.photo for each in cached] == pets
    for each in cached:
        assert each.size == each.picture().size == open_picture(each.photo.path).size
        assert each.picture() == open_picture(each.photo.path)


def test_a_photo_that_cannot_be_read_is_returned_with_its_error(pets, tmp_path):
    content = pets[0].path.read_bytes()
    (tmp_path / "half.jpg").write_bytes(content[: len(content) // 2])
    (tmp_path / "text.jpg").write_text("dear sir or madam")
    broken = [replace(pets[0], path=tmp_path / name) for name in ("half.jpg", "text.jpg", "gone.jpg")]
    cached, failed = cache_photos([pets[0], *broken, pets[1]])
    assert [each.photo for each in cached] == [pets[0], pets[1]]
    assert [photo for photo, _ in failed] == broken
    assert [error.code for _, error in failed] == ["damaged", "unknown-type", "missing"]
    assert all(isinstance(error, ImageError) for _, error in failed)


def test_a_photo_whose_trimap_cannot_be_read_does_not_stop_training_later(pets, tmp_path):
    (tmp_path / "trimap.png").write_text("no picture")
    photo = replace(next(photo for photo in pets if photo.trimap), trimap=tmp_path / "trimap.png")
    cached, failed = cache_photos([photo])
    assert len(cached) + len(failed) == 1
    for each in cached:
        each.mask()


def test_a_trimap_that_is_deleted_later_is_not_missed(pets, tmp_path):
    photo = next(photo for photo in pets if photo.trimap)
    trimap = tmp_path / "trimap.png"
    shutil.copy(photo.trimap, trimap)
    [cached], _ = cache_photos([replace(photo, trimap=trimap)])
    before = cached.mask().tobytes()
    trimap.unlink()
    assert cached.mask().tobytes() == before


@pytest.mark.parametrize(("size", "expected"), [((1600, 1200), (683, 512)), ((1000, 2000), (512, 1024))])
def test_large_photos_are_shrunk_to_the_cache_s_side(tmp_path, size, expected):
    path = tmp_path / "large.png"
    Image.new("RGB", size, (10, 120, 240)).save(path)
    [cached], _ = cache_photos([Photo(path, (1, 0), "test", "training")])
    assert min(expected) == MAX_CACHED_SIDE
    assert cached.size == cached.picture().size == expected
    np.testing.assert_allclose(np.asarray(cached.picture())[100, 100], (10, 120, 240), atol=2)


def test_a_photo_at_the_cache_s_side_keeps_its_bytes(tmp_path):
    path = tmp_path / "photo.png"
    Image.new("RGB", (MAX_CACHED_SIDE, 700)).save(path)
    [cached], _ = cache_photos([Photo(path, (1, 0), "test", "training")])
    assert cached.content == path.read_bytes()


def test_a_cached_photo_s_size_is_that_of_the_upright_picture(tmp_path):
    exif = Image.Exif()
    exif[ORIENTATION_TAG] = 6
    Image.new("RGB", (60, 40)).save(tmp_path / "turned.jpg", exif=exif)
    [cached], _ = cache_photos([Photo(tmp_path / "turned.jpg", (1, 0), "test", "training")])
    assert cached.size == cached.picture().size == (40, 60)


def test_a_mask_comes_from_the_trimap_at_the_picture_s_size(cached):
    with_trimap = [each for each in cached if each.photo.trimap is not None]
    assert len(with_trimap) == 2
    for each in with_trimap:
        mask = np.asarray(each.mask())
        assert mask.shape == each.size[::-1]
        assert mask[20:60, 30:80].min() == 255
        assert mask.sum() == 255 * 40 * 50
    assert next(each for each in cached if each.photo.trimap is None).mask() is None


# ---------------------------------------------------------------------------- training samples


@pytest.mark.parametrize(("composite", "made_negative"), [(0.0, 0.0), (1.0, 0.0), (0.0, 1.0)])
def test_the_same_key_gives_the_same_tensor_and_another_seed_another(cached, composite, made_negative):
    samples = TrainingSamples(cached, TrainingPreset(), composite, made_negative)
    for index in range(len(cached)):
        picture, label, _ = samples[Key(5, index, SHAPE)]
        torch.manual_seed(random.randrange(1000))
        again, same_label, _ = samples[Key(5, index, SHAPE)]
        assert torch.equal(picture, again) and torch.equal(label, same_label)
        assert picture.shape == (3, *SHAPE) and picture.dtype == label.dtype == torch.float32
        assert not torch.equal(picture, samples[Key(6, index, SHAPE)][0])


def test_drawing_a_sample_leaves_the_global_random_states_alone(cached):
    samples = TrainingSamples(cached, TrainingPreset(), composite=0.5, made_negative=0.5)
    states = torch.get_rng_state(), random.getstate(), np.random.get_state()[1].tolist()
    for seed in range(6):
        samples[Key(seed, seed % len(cached), SHAPE)]
    assert torch.equal(states[0], torch.get_rng_state())
    assert states[1:] == (random.getstate(), np.random.get_state()[1].tolist())


def test_without_made_up_photos_every_sample_is_its_photo_with_its_label(cached):
    samples = TrainingSamples(cached, PlainPreset("squash"), composite=0.0, made_negative=0.0)
    for index, each in enumerate(cached):
        picture, label, _ = samples[Key(index, index, SHAPE)]
        assert tuple(label.tolist()) == each.photo.label
        assert torch.equal(picture, PlainPreset("squash")(each.picture(), SHAPE))


def test_photos_put_together_carry_the_labels_of_both(cached):
    samples = TrainingSamples(cached, PlainPreset("squash"), composite=1.0, made_negative=0.0)
    for index, each in enumerate(cached):
        labels = Counter(tuple(samples[Key(seed, index, SHAPE)][1].tolist()) for seed in range(60))
        own = each.photo.label
        if own == (0, 0):
            assert set(labels) == {(0, 0), (1, 0), (0, 1)}
        else:
            assert set(labels) == {own, (1, 1)}, "a seam alone must not mean both"
            assert labels[1, 1] > labels[own]


def plain_photos(tmp_path, **colors: Label) -> list[CachedPhoto]:
    """Photos of one color and label each."""
    for color in colors:
        Image.new("RGB", (64, 64), color).save(tmp_path / f"{color}.png")
    photos = [Photo(tmp_path / f"{color}.png", label, "test", "training") for color, label in colors.items()]
    return cache_photos(photos)[0]


@pytest.mark.parametrize("preset", [TrainingPreset(rotation=0, color=0), PlainPreset("squash")])
def test_places_say_which_photo_they_belong_to(tmp_path, preset):
    samples = TrainingSamples(plain_photos(tmp_path, red=(1, 0), blue=(0, 1)), preset, composite=1, made_negative=0)
    seen = Counter()
    for seed in range(40):
        picture, label, places = samples[Key(seed, 0, (128, 160))]
        assert places.shape == (2, 4, 5)
        torch.testing.assert_close(places.amax((1, 2)) > 0, label > 0)
        shades = F.adaptive_avg_pool2d(picture, (4, 5))
        for label, shade in enumerate((shades[0], shades[2])):  # red is the cat, blue the dog
            sure = shade[places[label] > 0.99], shade[places[label] == 0]
            if all(map(len, sure)) and shade.amax() > 1:  # not the gray ones
                seen[label] += 1
                assert sure[0].min() > sure[1].max()
    assert min(seen[0], seen[1]) > 10


def test_every_place_of_a_photo_alone_has_its_labels(cached):
    samples = TrainingSamples(cached, TrainingPreset(), composite=0.0, made_negative=0.5)
    for index in range(len(cached)):
        _, label, places = samples[Key(index, index, SHAPE)]
        assert torch.equal(places, label[:, None, None].expand(2, 2, 2))


def test_made_negatives_replace_pets_only(cached):
    samples = TrainingSamples(cached, PlainPreset("squash"), composite=0.0, made_negative=1.0)
    for index, each in enumerate(cached):
        picture, label, _ = samples[Key(1, index, SHAPE)]
        assert label.tolist() == [0, 0]
        unchanged = torch.equal(picture, PlainPreset("squash")(each.picture(), SHAPE))
        assert unchanged == (each.photo.label == (0, 0))


def test_about_the_share_asked_for_is_put_together_or_replaced(cached):
    samples = TrainingSamples(cached, PlainPreset("squash"), composite=0.3, made_negative=0.2)
    plain = PlainPreset("squash")(cached[0].picture(), (16, 16))
    drawn = [samples[Key(seed, 0, (16, 16))] for seed in range(300)]
    changed = [tuple(label.tolist()) for picture, label, _ in drawn if not torch.equal(picture, plain)]
    assert len(changed) == pytest.approx(150, abs=35)
    assert changed.count((0, 0)) == pytest.approx(60, abs=25)


def test_a_photo_of_both_is_left_alone(cached):
    both = replace(cached[0], photo=replace(cached[0].photo, label=(1, 1)))
    samples = TrainingSamples([both, *cached], PlainPreset("squash"), composite=0.5, made_negative=0.5)
    for seed in range(10):
        picture, label, _ = samples[Key(seed, 0, SHAPE)]
        assert label.tolist() == [1, 1]
        assert torch.equal(picture, PlainPreset("squash")(both.picture(), SHAPE))


def test_a_photo_of_both_keeps_both_pets_where_others_are_cropped_closely(tmp_path):
    picture = np.zeros((96, 96, 3), np.uint8)
    picture[40:56, :24, 0], picture[40:56, -24:, 2] = 255, 255  # a red and a blue pet, at the edges
    Image.fromarray(picture).save(tmp_path / "1.png")

    def missing(label: Label) -> int:
        """Of 40 samples, those in which one of the two cannot be seen."""
        cached, _ = cache_photos([Photo(tmp_path / "1.png", label, "a", "training")])
        samples = TrainingSamples(cached, TrainingPreset(color=0, min_scale=0.1), composite=0.0, made_negative=0.0)
        seen = [samples[Key(seed, 0, (96, 96))][0] for seed in range(40)]
        bright = [(each - each.amin((1, 2), keepdim=True)).amax(0) > 0.1 for each in seen]
        return sum(not (each[:, :40].any() and each[:, 56:].any()) for each in bright)

    assert missing((1, 1)) == 0
    assert missing((1, 0)) > 10


def scene_photos(folder: Path) -> list[CachedPhoto]:
    """A gray scene without a pet, and a red cat and a blue dog that fill the left half of theirs, as their extents say."""
    photos = []
    for name, color, label in (("scene", "gray", (0, 0)), ("cat", "red", (1, 0)), ("dog", "blue", (0, 1))):
        Image.new("RGB", (96, 96), color).save(folder / f"{name}.png")
        photos.append(Photo(folder / f"{name}.png", label, "a", "training"))
    cached, _ = cache_photos(photos)
    half = Image.new("L", (12, 12), 0)
    half.paste(255, (0, 0, 6, 12))
    return [cached[0], *(replace(each, extent=half) for each in cached[1:])]


def test_a_cut_out_reaches_as_far_as_the_extent_and_a_trimap_goes_before_it(tmp_path, cached):
    mask = np.asarray(scene_photos(tmp_path)[1].cutout())
    assert mask.shape == (96, 96)
    assert mask[:, :40].min() == 255 and mask[:, 56:].max() == 0
    with_trimap = next(each for each in cached if each.photo.trimap is not None)
    assert replace(with_trimap, extent=Image.new("L", (4, 4), 0)).cutout() == with_trimap.mask()
    without = next(each for each in cached if each.photo.trimap is None)
    assert without.cutout() is None


def test_in_a_scene_a_pet_stands_small_in_a_photo_without_one_and_keeps_its_label(tmp_path):
    scene, cat, dog = scene_photos(tmp_path)
    compositor = Compositor([scene, cat, dog])
    shares = []
    for seed in range(40):
        composite = compositor.scene(cat, random.Random(seed))
        red, green, blue = np.asarray(composite.picture, np.int16).transpose(2, 0, 1)
        assert composite.label == composite.second == (1, 0) and composite.first == (0, 0)
        assert np.abs(green - blue).max() <= 2 and (red - green).max() > 60
        seen, placed = red - green > 60, np.asarray(composite.placed) > 127
        assert (seen & ~placed).mean() < 0.01
        shares.append(placed.any(1).mean())  # of the height, of which it is the longer side
    assert min(shares) == pytest.approx(1 / 7, abs=0.05) and max(shares) == pytest.approx(1 / 2, abs=0.06)


def test_in_a_scene_what_is_no_pet_has_a_pet_s_outline_and_a_pet_without_outline_lends_another_s(tmp_path):
    scene, cat, dog = scene_photos(tmp_path)
    compositor = Compositor([scene, cat, dog])
    composite = compositor.scene(scene, random.Random(0))
    assert composite.label == (0, 0) and composite.placed.getbbox() is not None
    left, top, right, bottom = composite.placed.getbbox()
    assert (bottom - top) > 1.5 * (right - left), "half as wide as high, as the pets' outlines are"
    lent = compositor.scene(replace(dog, extent=None), random.Random(0))
    assert lent.label == (0, 1) and lent.placed.getbbox() is not None
    alone = Compositor([cat, replace(dog, extent=None)]).scene(cat, random.Random(0))
    assert alone.picture == cat.picture(), "no scene to stand in"


def test_as_many_samples_are_scenes_as_asked_for(tmp_path):
    photos = scene_photos(tmp_path)
    samples = TrainingSamples(photos, PlainPreset("squash"), composite=0.0, made_negative=0.0, scene=0.3)
    plain = PlainPreset("squash")(photos[1].picture(), (192, 192))
    drawn = [samples[Key(seed, 1, (192, 192))] for seed in range(200)]
    assert all(label.tolist() == [1, 0] for _, label, _ in drawn)
    changed = [places for picture, _, places in drawn if not torch.equal(picture, plain)]
    assert len(changed) == pytest.approx(60, abs=25)
    assert all(places[0].min() < 0.05 < places[0].max() and places[1].max() == 0 for places in changed)


def test_a_photo_that_finds_no_partner_stays_as_it_is(cached):
    cat = next(each for each in cached if each.photo.label == (1, 0))
    composite = Compositor([cat]).compose(cat, (0, 1), random.Random(0))
    assert composite.label == (1, 0)
    assert composite.picture == cat.picture()
    assert composite.placed.getbbox() is None


@pytest.mark.parametrize("size", [(1, 1), (1, 20), (3, 2), (40, 2)])
def test_the_smallest_photos_can_be_trained_on(tmp_path, size):
    photos = []
    for label in ((1, 0), (0, 1)):
        path = tmp_path / f"{label}.png"
        Image.new("RGB", size, "red").save(path)
        photos.append(Photo(path, label, "test", "training"))
    cached, _ = cache_photos(photos)
    for composite in (0.0, 1.0):
        samples = TrainingSamples(cached, TrainingPreset(), composite, made_negative=1 - composite)
        for seed in range(12):
            picture, _, _ = samples[Key(seed, seed % 2, (32, 32))]
            assert picture.shape == (3, 32, 32) and picture.isfinite().all()


# ---------------------------------------------------------------------------- made up once, to tune with


@pytest.mark.parametrize("make", [made_up_both, made_up_negatives])
def test_made_up_photos_follow_from_their_seed(cached, make):
    first, again, other = (make(cached, seed, 4) for seed in (3, 3, 4))
    assert len(first) == 4
    assert [each.content for each in first] == [each.content for each in again]
    assert [each.content for each in first] != [each.content for each in other]


def test_made_up_photos_of_both_are_labeled_both_and_negatives_neither(cached):
    assert {each.photo.label for each in made_up_both(cached, 0, 12)} == {(1, 1)}
    assert {each.photo.label for each in made_up_negatives(cached, 0, 12)} == {(0, 0)}


def test_a_made_up_photo_carries_its_own_picture_and_no_trimap(cached):
    for each in [*made_up_both(cached, 0, 6), *made_up_negatives(cached, 0, 6)]:
        assert each.size == Image.open(io.BytesIO(each.content)).size
        assert each.mask() is None
        assert each.photo.source == "made up"
        assert all(each.content != original.content for original in cached)


# ---------------------------------------------------------------------------- batches


def test_evaluation_batches_hold_every_photo_once_and_one_shape_each(cached):
    samples = EvaluationSamples(cached, EvaluationPreset(64))
    batches = samples.batches(2)
    assert sorted(index for batch in batches for index in batch) == list(range(len(cached)))
    assert max(len(batch) for batch in batches) == 2
    for batch in batches:
        assert len({samples[index][0].shape for index in batch}) == 1
        assert [samples[index][1] for index in batch] == batch


def batches_of(photos, epoch=0, first_step=0, **options):
    batches = TrainingBatches(photos, **({"batch_size": 8, "seed": 1, "balance": 1.0} | options))
    batches.shapes = [(64, 64), (48, 80)]
    batches.epoch, batches.first_step = epoch, first_step
    return list(batches)


@pytest.mark.parametrize("first_step", [0, 1, 4, 8])
def test_training_goes_on_at_any_step_with_the_same_remaining_batches(first_step):
    photos = of_sources(a=50, b=21)
    assert len(batches_of(photos)) == 8
    assert batches_of(photos, first_step=first_step) == batches_of(photos)[first_step:]


@pytest.mark.parametrize("world", [2, 3])
def test_the_processes_together_make_the_batch_of_one(world):
    photos = of_sources(a=50, b=21)
    of_each = [batches_of(photos, rank=rank, world=world) for rank in range(world)]
    for whole, *pieces in zip(batches_of(photos), *of_each, strict=True):
        assert sorted(key for piece in pieces for key in piece) == sorted(whole)
        assert len({key.shape for piece in pieces for key in piece}) == 1


def test_every_epoch_and_seed_has_its_own_order_and_random_choices():
    photos = of_sources(a=64)
    assert batches_of(photos) == batches_of(photos)
    first, second, other = batches_of(photos), batches_of(photos, epoch=1), batches_of(photos, seed=2)
    seeds = [{key.seed for batch in each for key in batch} for each in (first, second, other)]
    assert [len(each) for each in seeds] == [64, 64, 64]
    assert not seeds[0] & seeds[1] and not seeds[0] & seeds[2]
    assert [key.photo for batch in first for key in batch] != [key.photo for batch in second for key in batch]


def test_a_balance_of_one_shows_every_photo_once_an_epoch():
    indices = [key.photo for batch in batches_of(of_sources(a=40, b=24)) for key in batch]
    assert sorted(indices) == list(range(64))


def test_a_batch_has_one_of_the_shapes_and_all_are_used():
    batches = batches_of(of_sources(a=400))
    shapes = [{key.shape for key in batch} for batch in batches]
    assert {len(each) for each in shapes} == {1}
    assert set.union(*shapes) == {(64, 64), (48, 80)}


def test_a_balance_below_one_shows_a_small_source_more_often():
    photos = of_sources(large=900, small=100)
    indices = [key.photo for batch in batches_of(photos, batch_size=10, balance=0.5) for key in batch]
    counts = Counter("large" if index < 900 else "small" for index in indices)
    assert counts == {"large": 750, "small": 250}
    assert set(Counter(index for index in indices if index >= 900).values()) == {2, 3}


def test_photos_of_both_are_a_source_of_their_own():
    photos = of_sources(a=1000)
    photos[900:] = [replace(each, photo=replace(each.photo, label=(1, 1))) for each in photos[900:]]
    indices = [key.photo for batch in batches_of(photos, batch_size=10, balance=0.5) for key in batch]
    assert sum(index >= 900 for index in indices) == 250


@pytest.mark.parametrize(
    ("kinds", "shown"), [(100 * ["in action"], 250), (5 * [*map(str, range(20))], 100)], ids=["one", "rare"]
)
def test_a_kind_is_a_source_of_its_own_where_it_is_frequent(kinds, shown):
    photos = of_sources(a=1000)
    photos[900:] = [replace(each, photo=replace(each.photo, kind=kind)) for each, kind in zip(photos[900:], kinds)]
    indices = [key.photo for batch in batches_of(photos, batch_size=10, balance=0.5) for key in batch]
    assert sum(index >= 900 for index in indices) == shown


def test_an_incomplete_last_batch_is_left_out_unless_it_is_the_only_one():
    assert [len(batch) for batch in batches_of(of_sources(a=21))] == [8, 8]
    assert [len(batch) for batch in batches_of(of_sources(a=5))] == [5]
