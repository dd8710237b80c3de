"""Folders become labeled photos in three parts, exactly as the data README fixes them."""

from __future__ import annotations

import hashlib
import os
import zlib
from collections import Counter
from pathlib import Path

import pytest

from catdog.datasets import DataError, Photo, read_folders
from catdog.datasets.layouts import negatives, recognize
from catdog.datasets.lists import read_excluded, read_labels
from catdog.datasets.splits import fingerprint, part_by_hash, short_digest, some_seen, without_duplicates


def write(folder: Path, *names: str) -> Path:
    """Files in a folder, each with its own bytes."""
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(str(path))
    return folder


def verdicts(photos: list[Photo]) -> dict[str, str]:
    return {photo.path.name: photo.verdict for photo in photos}


def parts(photos: list[Photo]) -> dict[str, str]:
    return {photo.path.name: photo.part for photo in photos}


def name_in(part: str, prefix: str = "photo") -> str:
    """A file name that the hash rule puts into this part."""
    digits = {"held-out": {0}, "tuning": {1}, "training": set(range(2, 10))}[part]
    names = (f"{prefix}{number}.jpg" for number in range(1000))
    return next(name for name in names if zlib.crc32(name.encode()) % 10 in digits)


# ---------------------------------------------------------------------------- the photos of ../shared/data


@pytest.mark.parametrize(
    ("folder", "layout", "counts", "held_out"),
    [
        ("kaggle", "Kaggle Dogs vs. Cats", {"cat": 3996, "dog": 3998}, 805),
        ("folders", "class folders", {"cat": 482, "dog": 677, "both": 7}, 98 + 7),
    ],
)
def test_the_shared_folders_hold_what_their_readme_says(shared_data, folder, layout, counts, held_out):
    found = recognize(shared_data / folder)
    assert found.layout == layout
    assert Counter(photo.verdict for photo in found.photos) == counts
    assert Counter(photo.part for photo in found.photos)["held-out"] == held_out


def test_the_shared_negatives_are_as_many_as_their_readme_says(shared_data):
    photos = negatives(shared_data / "neither").photos
    assert len(photos) == 3028
    assert Counter(photo.part for photo in photos)["held-out"] == 263
    assert {photo.verdict for photo in photos} == {"neither"}


def test_kaggle_s_test_photos_are_unlabeled(shared_data):
    found = recognize(shared_data / "kaggle")
    assert len(found.unlabeled) == 100
    assert {path.parent.name for path in found.unlabeled} == {"test1"}


def test_kaggle_s_parts_follow_the_last_digit_of_the_id(shared_data):
    for photo in recognize(shared_data / "kaggle").photos:
        digit = photo.path.name.split(".")[1][-1]
        assert photo.part == {"7": "held-out", "6": "tuning"}.get(digit, "training")


def test_oxford_s_parts_follow_its_lists_and_the_hash_rule(shared_data):
    folder = shared_data / "oxford-iiit-pet"
    held_out = {line.split()[0] for line in (folder / "annotations" / "test.txt").read_text().splitlines()}
    photos = recognize(folder).photos
    assert Counter(photo.path.stem in held_out for photo in photos) == {False: 692, True: 120}
    for photo in photos:
        tuning = "tuning" if zlib.crc32(photo.path.name.encode()) % 10 == 1 else "training"
        assert photo.part == ("held-out" if photo.path.stem in held_out else tuning)


def test_oxford_s_species_give_the_label_and_trimaps_come_along(shared_data):
    photos = recognize(shared_data / "oxford-iiit-pet").photos
    for photo in photos:  # cats' breeds have capitals there
        assert photo.verdict == ("cat" if photo.path.stem[0].isupper() else "dog")
    with_trimap = [photo for photo in photos if photo.trimap is not None]
    assert len(with_trimap) == 476
    assert all(photo.trimap.is_file() and photo.trimap.stem == photo.path.stem for photo in with_trimap)


@pytest.mark.parametrize("folder", ["folders", "neither"])
def test_the_other_folders_parts_follow_the_hash_of_the_name(shared_data, folder):
    photos = recognize(shared_data / folder).photos if folder == "folders" else negatives(shared_data / folder).photos
    for photo in photos:
        digit = zlib.crc32(photo.path.name.encode()) % 10
        expected = "held-out" if photo.verdict == "both" else {0: "held-out", 1: "tuning"}.get(digit, "training")
        assert photo.part == expected


def test_no_shared_photo_stands_in_two_parts_or_twice_in_one(shared_data):
    folders = [shared_data / name for name in ("kaggle", "oxford-iiit-pet", "folders")]
    photos = [photo for found in read_folders(folders, [shared_data / "neither"]) for photo in found.photos]
    kept, dropped = without_duplicates(photos)
    assert len(kept) + len(dropped) == len(photos)
    content = Counter(hashlib.sha256(photo.path.read_bytes()).digest() for photo in kept)
    assert set(content.values()) == {1}
    assert all(hashlib.sha256(photo.path.read_bytes()).digest() in content for photo in dropped)


# ---------------------------------------------------------------------------- layouts


KAGGLE = ("cat.0.jpg", "cat.16.jpg", "dog.7.jpg", "dog.1237.jpg", "dog.70.jpg")
KAGGLE_PARTS = dict(zip(KAGGLE, ("training", "tuning", "held-out", "held-out", "training"), strict=True))


def test_a_flat_kaggle_folder_is_recognized(tmp_path):
    found = recognize(write(tmp_path, *KAGGLE, "catalog.jpg", "cat.x.jpg", "notes.txt"))
    assert found.layout == "Kaggle Dogs vs. Cats"
    assert verdicts(found.photos) == {name: name[:3] for name in KAGGLE}
    assert parts(found.photos) == KAGGLE_PARTS


@pytest.mark.parametrize("test", ["test", "test1"])
def test_kaggle_s_train_and_test_folders_are_recognized(tmp_path, test):
    write(tmp_path / "train", *KAGGLE)
    write(tmp_path / test, "1.jpg", "2.jpg", "readme.txt")
    found = recognize(tmp_path)
    assert parts(found.photos) == KAGGLE_PARTS
    assert [path.name for path in found.unlabeled] == ["1.jpg", "2.jpg"]


def test_unlabeled_photos_may_lie_beside_labeled_ones(tmp_path):
    found = recognize(write(tmp_path, *KAGGLE, "1.jpg"))
    assert [path.name for path in found.unlabeled] == ["1.jpg"]
    assert len(found.photos) == len(KAGGLE)


@pytest.mark.parametrize(("cat", "dog"), [("cat", "dog"), ("cats", "dogs"), ("Cat", "Dog"), ("CATS", "DOGS")])
def test_class_folders_are_recognized_by_singular_plural_and_capitals(tmp_path, cat, dog):
    write(tmp_path, f"{cat}/a.jpg", f"{dog}/b.PNG", f"{dog}/deeper/c.heic", "neither/d.webp", "both/e.avif")
    write(tmp_path, f"{cat}/notes.txt", "rabbit/f.jpg", "g.jpg")
    found = recognize(tmp_path)
    assert found.layout == "class folders"
    assert verdicts(found.photos) == {
        "a.jpg": "cat",
        "b.PNG": "dog",
        "c.heic": "dog",
        "d.webp": "neither",
        "e.avif": "both",
    }


def test_class_folders_without_train_and_val_follow_the_hash_rule(tmp_path):
    names = {part: name_in(part) for part in ("training", "tuning", "held-out")}
    write(tmp_path, *(f"cat/{name}" for name in names.values()))
    assert parts(recognize(tmp_path).photos) == {name: part for part, name in names.items()}


@pytest.mark.parametrize("val", ["val", "valid", "validation", "Val"])
def test_photos_under_val_are_tuning_photos_and_none_is_taken_from_train(tmp_path, val):
    names = {part: name_in(part) for part in ("training", "tuning", "held-out")}
    write(tmp_path / "train", *(f"cats/{name}" for name in names.values()))
    write(tmp_path / val, *(f"dogs/val-{name}" for name in names.values()))
    found = parts(recognize(tmp_path).photos)
    assert {found[f"val-{name}"] for name in names.values()} == {"tuning"}
    assert [found[names[part]] for part in names] == ["training", "training", "held-out"]


def test_photos_under_test_are_held_out_and_none_is_taken_from_train(tmp_path):
    names = {part: name_in(part) for part in ("training", "tuning", "held-out")}
    write(tmp_path / "train", *(f"cats/{name}" for name in names.values()))
    write(tmp_path / "test", *(f"dogs/test-{name}" for name in names.values()))
    found = parts(recognize(tmp_path).photos)
    assert {found[f"test-{name}"] for name in names.values()} == {"held-out"}
    assert [found[names[part]] for part in names] == ["training", "tuning", "training"]


def test_a_few_photos_of_both_are_all_held_out(tmp_path):
    write(tmp_path, "cat/a.jpg", f"both/{name_in('training')}", f"both/{name_in('tuning')}")
    assert {photo.part for photo in recognize(tmp_path).photos if photo.verdict == "both"} == {"held-out"}


def test_many_photos_of_both_follow_the_hash_rule(tmp_path):
    write(tmp_path, "cat/a.jpg", *(f"both/{number}.jpg" for number in range(100)))
    both = [photo for photo in recognize(tmp_path).photos if photo.verdict == "both"]
    assert parts(both) == {photo.path.name: part_by_hash(photo.path.name) for photo in both}
    assert len({photo.part for photo in both}) == 3


@pytest.mark.parametrize("above", ["", "oxford-iiit-pet"])
def test_oxford_iiit_pet_is_recognized_also_from_one_folder_above(tmp_path, above):
    folder = tmp_path / above
    write(folder / "images", "Bengal_1.jpg", "pug_1.jpg", "pug_2.jpg")
    write(folder / "annotations" / "trimaps", "pug_1.png")
    (folder / "annotations" / "trainval.txt").write_text("# id class species breed\nBengal_1 6 1 2\npug_1 27 2 20\n")
    (folder / "annotations" / "test.txt").write_text("pug_2 27 2 20\npug_3 27 2 20\n\n")
    found = recognize(tmp_path)
    assert found.layout == "Oxford-IIIT Pet"
    assert verdicts(found.photos) == {"Bengal_1.jpg": "cat", "pug_1.jpg": "dog", "pug_2.jpg": "dog"}
    assert parts(found.photos)["pug_2.jpg"] == "held-out"
    assert [photo.path.stem for photo in found.photos if photo.trimap is not None] == ["pug_1"]


def test_what_was_recognized_is_said_with_counts(tmp_path):
    write(tmp_path / "train", *KAGGLE)
    write(tmp_path / "test1", "1.jpg")
    assert recognize(tmp_path).summary() == "Kaggle Dogs vs. Cats, 2 cat, 3 dog, 1 unlabeled"


def test_several_folders_are_read_in_their_order(tmp_path):
    write(tmp_path / "one", "cat.1.jpg")
    write(tmp_path / "two", "dogs/a.jpg")
    write(tmp_path / "three", "deep/b.jpg", "c.txt")
    found = read_folders([tmp_path / "one", str(tmp_path / "two")], [tmp_path / "three"])
    assert [each.layout for each in found] == ["Kaggle Dogs vs. Cats", "class folders", "negatives"]
    assert [verdicts(each.photos) for each in found] == [{"cat.1.jpg": "cat"}, {"a.jpg": "dog"}, {"b.jpg": "neither"}]


@pytest.mark.parametrize("names", [(), ("a.jpg", "b.jpg"), ("rabbit/a.jpg",), ("cat/notes.txt", "dog/notes.txt")])
def test_a_folder_without_a_label_shows_the_three_layouts(tmp_path, names):
    with pytest.raises(DataError) as caught:
        recognize(write(tmp_path, *names))
    text = str(caught.value)
    assert str(tmp_path) in text
    for layout in ("Kaggle Dogs vs. Cats", "class folders", "Oxford-IIIT Pet"):
        assert layout in text


@pytest.mark.parametrize("reader", [recognize, negatives])
def test_a_missing_folder_is_named(tmp_path, reader):
    with pytest.raises(DataError, match="There is no folder .*gone"):
        reader(tmp_path / "gone")


def test_a_folder_of_negatives_without_a_picture_is_refused(tmp_path):
    with pytest.raises(DataError, match="no picture"):
        negatives(write(tmp_path, "notes.txt"))


def test_a_folder_gives_the_same_photos_wherever_it_lies_and_however_it_was_filled(tmp_path):
    names = [f"{kind}/{number}.jpg" for kind in ("cat", "dog", "neither") for number in range(40)]
    first = recognize(write(tmp_path / "first" / "photos", *names)).photos
    second = recognize(write(tmp_path / "second" / "photos", *reversed(names))).photos

    def seen(photos):
        return [(photo.path.parts[-2:], photo.label, photo.source, photo.part) for photo in photos]

    assert seen(first) == seen(second)


def test_a_file_name_that_is_not_utf8_has_a_part_too():
    assert part_by_hash(os.fsdecode(b"caf\xe9.jpg")) in ("training", "tuning", "held-out")


# ---------------------------------------------------------------------------- the same photo twice


def test_an_excluded_photo_is_known_by_the_end_of_its_path(tmp_path):
    excluded = tmp_path / "odd.csv"
    here = tmp_path.resolve()
    rows = ["path,why", "cat/1.jpg,a drawing", "../pets/dog/2.jpg,a cat", f"{here}/dog/3.jpg,none", "4.jpg,none", ","]
    excluded.write_bytes(b"\xef\xbb\xbf" + "\r\n".join(rows).encode())  # as spreadsheets write it
    is_excluded = read_excluded(excluded)
    names = [
        "cat/1.jpg",
        "dog/1.jpg",
        "pets/dog/2.jpg",
        "cat/2.jpg",
        "dog/3.jpg",
        "more/dog/3.jpg",
        "cat/4.jpg",
        "14.jpg",
    ]
    left_out = [name for name in names if is_excluded(here / name)]
    assert left_out == ["cat/1.jpg", "pets/dog/2.jpg", "dog/3.jpg", "cat/4.jpg"]
    assert is_excluded(here / "runs" / ".." / "cat" / "1.jpg")


def test_a_relabeled_photo_has_the_label_of_its_row_and_others_keep_theirs(tmp_path):
    relabeled = tmp_path / "labels.csv"
    relabeled.write_text("path,label,why\ncat/1.jpg,both,a dog behind it\n2.jpg,neither,a drawing\n")
    label_of = read_labels(relabeled)
    assert label_of(tmp_path / "cat" / "1.jpg", (1, 0)) == (1, 1)
    assert label_of(tmp_path / "dog" / "2.jpg", (0, 1)) == (0, 0)
    assert label_of(tmp_path / "dog" / "1.jpg", (0, 1)) == (0, 1)


@pytest.mark.parametrize(
    ("read", "content"),
    [
        (read, content)
        for read in (read_excluded, read_labels)
        for content in (b"name\nx.jpg\n", b"dear sir\n", b"", b"\xff\xfe\x00", None)
    ]
    + [(read_labels, b"path\nx.jpg\n"), (read_labels, b"path,label\nx.jpg,wolf\n")],
)
def test_what_is_no_list_of_photos_is_refused(tmp_path, read, content):
    path = tmp_path / "odd.csv"
    if content is not None:
        path.write_bytes(content)
    wanted = {read_excluded: "a column path", read_labels: "path and label, each label one of cat, dog, both, neither"}
    with pytest.raises(DataError, match=wanted[read]):
        read(path)


def test_photos_that_were_trained_on_are_known_among_new_ones_that_sort_first(tmp_path):
    new = [photo_in(tmp_path, f"a{index}.jpg", "training", f"new {index}") for index in range(120)]
    old = [photo_in(tmp_path, f"b{index}.jpg", "training", f"old {index}") for index in range(3)]
    seen = fingerprint(short_digest(photo.path.read_bytes()) for photo in old)
    assert some_seen(seen, new + old) and some_seen(seen, old[:1])
    assert not some_seen(seen, new)
    assert not some_seen(seen, new + old[:1])  # four bytes may agree by chance
    assert not some_seen(seen, [])


def photo_in(folder: Path, name: str, part: str, content: str) -> Photo:
    (folder / name).write_text(content)
    return Photo(folder / name, (1, 0), "test", part)


@pytest.mark.parametrize(
    ("copies", "kept"),
    [
        (("training", "tuning", "held-out"), 2),
        (("held-out", "tuning", "training"), 0),
        (("training", "tuning"), 1),
        (("tuning", "training"), 0),
        (("training", "training"), 0),
    ],
)
def test_of_the_same_bytes_held_out_wins_then_tuning_then_the_first(tmp_path, copies, kept):
    photos = [photo_in(tmp_path, f"{number}.jpg", part, "same") for number, part in enumerate(copies)]
    others = [photo_in(tmp_path, f"other{number}.jpg", "training", f"{number} of same size") for number in range(3)]
    remaining, dropped = without_duplicates([*others, *photos])
    assert remaining == [*others, photos[kept]]
    assert dropped == [photo for photo in photos if photo != photos[kept]]
