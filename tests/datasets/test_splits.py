"""Which part a photo belongs to, which photos a checkpoint has seen, and the same photo twice."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from catdog.datasets import Photo
from catdog.datasets.splits import fingerprint, part_by_hash, short_digest, some_seen, without_duplicates


def test_a_file_name_that_is_not_utf8_has_a_part_too():
    assert part_by_hash(os.fsdecode(b"caf\xe9.jpg")) in ("training", "tuning", "held-out")


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
