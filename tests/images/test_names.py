"""Which files are pictures by their names, and how a name is shown."""

from __future__ import annotations

import os
from pathlib import PurePath

import pytest

from catdog.images import is_hidden, is_picture, one_line


@pytest.mark.parametrize(
    "name", ["._cat.jpg", ".cat.jpg", ".thumbnails", "__MACOSX", "@eaDir", "Thumbs.db", "thumbs.DB", "desktop.ini"]
)
def test_what_systems_add_beside_photos_is_hidden(name):
    assert is_hidden(name)
    assert not is_picture(PurePath(name, "cat.jpg"))
    assert not is_picture(PurePath("pets", name))


@pytest.mark.parametrize("name", ["cat.jpg", "_cat.JPG", "cat.1.jpeg", "..", "MACOSX", "猫.heic", "eaDir", "@home.png"])
def test_other_names_are_not_hidden(name):
    assert not is_hidden(name)
    assert is_picture(PurePath("pets", name)) == ("." in name.strip("."))


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("a cat, 猫 and é.jpg", "a cat, 猫 and é.jpg"),
        ("two\nlines\r\t.jpg", r"two\nlines\r\t.jpg"),
        (os.fsdecode(b"caf\xe9.jpg"), r"caf\udce9.jpg"),
        ("bell\x07\x1b[31m\u2028\u202egpj.exe", r"bell\x07\x1b[31m\u2028\u202egpj.exe"),
    ],
)
def test_a_name_is_shown_in_one_line_that_any_terminal_can_take(name, shown):
    assert one_line(name) == shown
    assert one_line(PurePath("pets", name)) == f"pets/{shown}"
