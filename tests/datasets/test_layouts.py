"""Folders become labeled photos in three parts, exactly as the data README fixes them."""

from __future__ import annotations

import hashlib
import shutil
import zlib
from collections import Counter
from pathlib import Path

import pytest

from catdog.datasets import DataError, Photo, read_folders
from catdog.datasets.layouts import negatives, recognize
from catdog.datasets.splits import part_by_hash, without_duplicates


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
        ("oxford-iiit-pet", "Oxford-IIIT Pet", {"cat": 384, "dog": 428}, 120),
        ("folders", "class folders", {"cat": 482, "dog": 677, "both": 7}, 98 + 7),
        ("everyday", "class folders", {"cat": 825, "dog": 650, "both": 212, "neither": 1633}, 78 + 61 + 31 + 153),
    ],
)
def test_the_shared_folders_hold_what_their_readme_says(shared_data, folder, layout, counts, held_out):
    found = recognize(shared_data / folder)
    assert found.layout == layout
    assert Counter(photo.verdict for photo in found.photos) == counts
    assert Counter(photo.part for photo in found.photos)["held-out"] == held_out
    assert found.unused == []


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


def test_of_everyday_s_held_out_photos_each_label_has_as_many_as_its_readme_says(shared_data):
    photos = recognize(shared_data / "everyday").photos
    held_out = Counter(photo.verdict for photo in photos if photo.part == "held-out")
    assert held_out == {"cat": 78, "dog": 61, "both": 31, "neither": 153}


@pytest.mark.parametrize(("folder", "few_both"), [("folders", True), ("everyday", False), ("neither", False)])
def test_the_other_folders_parts_follow_the_hash_of_the_name(shared_data, folder, few_both):
    reader = negatives if folder == "neither" else recognize
    for photo in reader(shared_data / folder).photos:
        digit = zlib.crc32(photo.path.name.encode()) % 10
        expected = {0: "held-out", 1: "tuning"}.get(digit, "training")
        assert photo.part == ("held-out" if photo.verdict == "both" and few_both else expected)


def test_no_shared_photo_stands_in_two_parts_or_twice_in_one(shared_data):
    folders = [shared_data / name for name in ("kaggle", "oxford-iiit-pet", "folders", "everyday")]
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


def test_a_few_photos_of_both_under_train_stay_there(tmp_path):
    names = [f"{number}.jpg" for number in range(20)]
    write(tmp_path, "train/cat/a.jpg", *(f"train/both/{name}" for name in names), "val/dog/b.jpg", "test/dog/c.jpg")
    both = [photo for photo in recognize(tmp_path).photos if photo.verdict == "both"]
    assert parts(both) == dict.fromkeys(names, "training")


@pytest.mark.parametrize(
    ("train", "val", "test"),
    [
        ("training", "validation", "testing"),
        ("training_set/training_set", "validation_set", "test_set/test_set"),
        ("Dataset/TRAIN", "Dataset/VAL", "Dataset/TEST"),
        ("archive/pets/train/train", "archive/pets/val", "archive/pets/test"),
        ("train/pets", "valid/pets", "test/pets"),
    ],
)
def test_parts_are_known_by_the_names_that_public_folders_give_them(tmp_path, train, val, test):
    names = {part: name_in(part) for part in ("training", "tuning", "held-out")}
    for place, prefix in ((train, ""), (val, "val-"), (test, "test-")):
        write(tmp_path / place, *(f"cats/{prefix}{name}" for name in names.values()), f"Dogs/{prefix}dog.jpg")
    found = recognize(tmp_path)
    assert Counter(photo.verdict for photo in found.photos) == {"cat": 9, "dog": 3}
    for photo in found.photos:
        prefix = photo.path.name.partition("-")[0]
        assert photo.part == {"val": "tuning", "test": "held-out"}.get(prefix, "training")
    assert found.unused == []


@pytest.mark.parametrize("test", ["test/1.jpg", "test/nothing.txt"])
def test_where_test_holds_no_labeled_photo_some_of_train_are_held_out(tmp_path, test):
    write(tmp_path, f"train/cat/{name_in('held-out')}", "train/dog/a.jpg", test)
    assert "held-out" in parts(recognize(tmp_path).photos).values()


@pytest.mark.timeout(30)
def test_folders_that_link_to_themselves_are_read_once(tmp_path):
    write(tmp_path, "train/cat/1.jpg", "train/dog/2.jpg")
    for name in ("train", "val", "test"):
        (tmp_path / "train" / name).symlink_to(tmp_path / "train")
        (tmp_path / "train" / "cat" / name).symlink_to(tmp_path)
    assert len(recognize(tmp_path).photos) == 2


@pytest.mark.parametrize("above", ["PetImages", "archive/PetImages", "train/train", "dataset"])
def test_folders_that_only_wrap_are_passed_through(tmp_path, above):
    write(tmp_path / above, "Cat/a.jpg", "Dog/b.jpg")
    write(tmp_path, "readme.txt", "__MACOSX/PetImages/Cat/._a.jpg", ".cache/x/cat/c.jpg")
    assert verdicts(recognize(tmp_path).photos) == {"a.jpg": "cat", "b.jpg": "dog"}


def test_class_folders_may_have_chinese_names(tmp_path):
    write(tmp_path, "猫/a.jpg", "狗/b.jpg")
    assert verdicts(recognize(tmp_path).photos) == {"a.jpg": "cat", "b.jpg": "dog"}


def test_kaggle_s_flat_folder_may_lie_in_one_of_its_own_name_and_have_parts(tmp_path):
    write(tmp_path / "train" / "train", *KAGGLE)
    assert parts(recognize(tmp_path).photos) == KAGGLE_PARTS
    write(tmp_path / "valid", "cat.100.jpg")
    write(tmp_path / "test", "dog.200.jpg")
    found = parts(recognize(tmp_path).photos)
    assert found == {**dict.fromkeys(KAGGLE, "training"), "cat.100.jpg": "tuning", "dog.200.jpg": "held-out"}


def test_labeled_photos_beside_kaggle_s_train_folder_are_read_too(tmp_path):
    write(tmp_path / "train", *KAGGLE)
    write(tmp_path, "cat.300.jpg")
    assert len(recognize(tmp_path).photos) == len(KAGGLE) + 1


# ---------------------------------------------------------------------------- what is not used


HIDDEN = ("._a.jpg", ".b.jpg", "__MACOSX/c.jpg", "@eaDir/a.jpg/d.jpg", ".thumbnails/e.jpg", "Thumbs.db", "Desktop.ini")


@pytest.mark.parametrize("photo", ["cat.1.jpg", "cat/1.jpg", "train/cat/1.jpg", "images/pug_1.jpg"])
def test_hidden_companions_are_no_photos_in_any_layout(tmp_path, photo):
    write(tmp_path, photo)
    write((tmp_path / photo).parent, *HIDDEN, f"._{Path(photo).name}")
    write(tmp_path, *HIDDEN, f"__MACOSX/{photo}", f".git/{photo}")
    found = recognize(tmp_path)
    assert [each.path for each in found.photos] == [tmp_path / photo]
    assert found.unused == [] and found.unlabeled == []


def test_hidden_companions_are_no_negatives(tmp_path):
    write(tmp_path, "a.jpg", "deep/c.jpg", *HIDDEN)
    assert verdicts(negatives(tmp_path).photos) == {"a.jpg": "neither", "c.jpg": "neither"}


def test_a_folder_may_itself_lie_in_a_hidden_one(tmp_path):
    write(tmp_path / ".cache" / "pets", "cat/a.jpg", "dog/b.jpg")
    assert len(recognize(tmp_path / ".cache" / "pets").photos) == 2


def test_folders_that_no_label_is_known_for_are_named_with_their_counts_and_the_way_to_use_them(tmp_path):
    write(tmp_path, "train/cat/a.jpg", "train/dog/b.jpg", "train/wild/c.jpg", "train/wild/more/d.jpg", "e.jpg")
    write(tmp_path, *(f"valid/{number}.jpg" for number in range(3)), "more/cat/f.jpg", "more/dog/g.jpg")
    assert sorted(recognize(tmp_path).unused) == [
        f"1 picture is not used in {tmp_path}: neither file name nor folder gives a label.",
        f"2 pictures are not used in {tmp_path}/more: --data {tmp_path}/more reads it.",
        f"2 pictures are not used in {tmp_path}/train/wild: --neither {tmp_path}/train/wild reads it, if no cat and no dog "
        "is in it.",
        f"3 pictures are not used in {tmp_path}/valid: sort it into {tmp_path}/valid/cat and {tmp_path}/valid/dog.",
    ]


def test_the_layout_that_fits_most_photos_is_read_and_the_rest_is_named(tmp_path):
    write(tmp_path, "cat.1.jpg", "cat/a.jpg", "cat/b.jpg", "dog/c.jpg")
    found = recognize(tmp_path)
    assert found.layout == "class folders"
    assert [each.partition(":")[0] for each in found.unused] == [f"1 picture is not used in {tmp_path}"]


@pytest.mark.parametrize(
    ("name", "way_out"), [("photos.zip", "unpack it"), ("photos.tar.gz", "unpack it"), ("cat.jpg", "is a file")]
)
@pytest.mark.parametrize("reader", [recognize, negatives])
def test_a_file_in_the_place_of_a_folder_is_told(tmp_path, reader, name, way_out):
    write(tmp_path, name)
    with pytest.raises(DataError, match=f"{name} .*{way_out}"):
        reader(tmp_path / name)


def test_a_folder_of_folders_names_those_that_work(tmp_path):
    write(tmp_path, "one/cat.1.jpg", "two/dogs/a.jpg", "three/rabbit.jpg")
    with pytest.raises(DataError, match=f"give {tmp_path}/one {tmp_path}/two instead"):
        recognize(tmp_path)


def test_of_a_folder_named_like_a_label_the_one_around_it_is_wanted(tmp_path):
    write(tmp_path, "cat/a.jpg", "dog/b.jpg")
    with pytest.raises(DataError, match=f"whose name is a label: give the folder that it lies in, {tmp_path}"):
        recognize(tmp_path / "cat")


# ---------------------------------------------------------------------------- Oxford-IIIT Pet


@pytest.mark.parametrize("given", [".", "images"])
def test_oxford_s_photos_alone_are_known_by_their_breeds(tmp_path, given):
    names = {part: f"{name_in(part, 'Maine_Coon_')}" for part in ("training", "tuning", "held-out")}
    write(tmp_path / "images", *names.values(), "american_pit_bull_terrier_12.jpg", "IMG_1234.jpg", "Bengal_1.mat")
    found = recognize(tmp_path / given)
    assert found.layout == "Oxford-IIIT Pet"
    assert verdicts(found.photos) == {
        **dict.fromkeys(names.values(), "cat"),
        "american_pit_bull_terrier_12.jpg": "dog",
    }
    assert {photo.path.name: photo.part for photo in found.photos if photo.verdict == "cat"} == {
        name: part for part, name in names.items()
    }
    assert [each.partition(" in ")[0] for each in found.unused] == ["1 picture is not used"]


def test_oxford_s_list_alone_gives_species_and_leaves_the_part_to_the_name(tmp_path):
    names = {part: name_in(part, "Bengal_") for part in ("training", "tuning", "held-out")}
    write(tmp_path / "images", *names.values(), "pug_1.jpg")
    write(tmp_path / "annotations" / "trimaps", "pug_1.png")
    lines = [
        "#Image CLASS-ID SPECIES BREED ID",
        *(f"{Path(name).stem} 6 1 2" for name in names.values()),
        "pug_1 27 2 20",
    ]
    (tmp_path / "annotations" / "list.txt").write_text("\n".join(lines))
    found = recognize(tmp_path)
    assert {photo.path.name: photo.part for photo in found.photos if photo.verdict == "cat"} == {
        name: part for part, name in names.items()
    }
    assert [photo.path.name for photo in found.photos if photo.verdict == "dog" and photo.trimap] == ["pug_1.jpg"]
    assert found.unused == []


@pytest.mark.parametrize("line", ["pug_1", "pug_1 27 3 20"])
def test_a_list_of_oxford_s_that_says_no_species_is_told(tmp_path, line):
    write(tmp_path / "images", "pug_1.jpg")
    (tmp_path / "annotations").mkdir()
    (tmp_path / "annotations" / "trainval.txt").write_text(line)
    with pytest.raises(DataError, match=r"trainval.txt has a line .*pug_1"):
        recognize(tmp_path)


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


def test_an_empty_file_is_no_photo_and_is_named(tmp_path, examples):
    for kind in ("cat", "dog"):
        (tmp_path / kind).mkdir()
        shutil.copy(next(path for path in examples if path.name.startswith(kind)), tmp_path / kind / "1.jpg")
    (tmp_path / "cat" / "666.jpg").touch()
    [found] = read_folders([tmp_path])
    assert sorted(photo.path.name for photo in found.photos) == ["1.jpg", "1.jpg"]
    assert found.unused == [f"{tmp_path / 'cat' / '666.jpg'} is empty and not used."]
