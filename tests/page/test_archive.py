"""Zips that visitors hand over."""

from __future__ import annotations

import io
import struct
import zipfile

import pytest
from PIL import Image

from catdog.images import ImageError, open_picture
from catdog.page import archive
from catdog.page.archive import ArchiveError, members_of
from catdog.page.words import ZIP


@pytest.fixture
def jpeg() -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (40, 30), "orange").save(buffer, "JPEG")
    return buffer.getvalue()


def zipped(path, contents: dict[str, bytes], **options):
    with zipfile.ZipFile(path, "w", **options) as file:
        for name, content in contents.items():
            file.writestr(name, content)
    return path


def refusal(path) -> str:
    with pytest.raises(ArchiveError) as raised:
        members_of(path)
    assert raised.value.code in ZIP
    return raised.value.code


def test_pictures_in_folders_are_found_in_order_and_other_files_left_out(tmp_path, jpeg):
    contents = {
        "b/2.jpg": jpeg,
        "a.JPG": jpeg,
        "notes.txt": b"x",
        "__MACOSX/a.JPG": b"x",
        "b/._2.jpg": b"x",
        "@eaDir/a.JPG/thumb.jpg": jpeg,
    }
    members = members_of(zipped(tmp_path / "photos.zip", contents))
    assert [member.name for member in members] == ["b/2.jpg", "a.JPG"]
    assert open_picture(members[0].read()).size == (40, 30)


@pytest.mark.parametrize("name", ["../evil.jpg", "/etc/evil.jpg", "a/../../evil.jpg", "..\\evil.jpg", "C:/evil.jpg"])
def test_a_zip_that_names_files_outside_of_itself_is_refused(tmp_path, jpeg, name):
    assert refusal(zipped(tmp_path / "photos.zip", {"fine.jpg": jpeg, name: jpeg})) == "names"


def test_a_zip_of_zips_is_refused(tmp_path, jpeg):
    inner = zipped(tmp_path / "inner.zip", {"a.jpg": jpeg}).read_bytes()
    assert refusal(zipped(tmp_path / "photos.zip", {"a.jpg": jpeg, "more/inner.ZIP": inner})) == "nested"


def test_a_picture_that_unpacks_to_far_more_than_it_is_packed_is_refused(tmp_path):
    bomb = zipped(tmp_path / "photos.zip", {"a.bmp": bytes(4 * 2**20)}, compression=zipfile.ZIP_DEFLATED)
    assert bomb.stat().st_size < 10_000
    assert refusal(bomb) == "bomb"


def test_a_zip_that_unpacks_to_too_much_in_all_is_refused(tmp_path, jpeg, monkeypatch):
    path = zipped(tmp_path / "photos.zip", {f"{number}.jpg": jpeg for number in range(9)})
    assert len(members_of(path)) == 9
    monkeypatch.setattr(archive, "MAX_UNPACKED", 8 * len(jpeg))
    assert refusal(path) == "bomb"


def test_a_list_of_contents_that_would_fill_the_memory_is_refused_before_it_is_read(tmp_path, jpeg, monkeypatch):
    path = zipped(tmp_path / "photos.zip", {f"{number}.jpg": jpeg for number in range(9)})
    monkeypatch.setattr(archive, "MAX_DIRECTORY", 200)
    monkeypatch.setattr(zipfile, "ZipFile", None)
    assert refusal(path) == "bomb"


def test_a_member_never_unpacks_to_more_than_it_states(tmp_path):
    path = zipped(tmp_path / "photos.zip", {"a.bmp": bytes(2**20)}, compression=zipfile.ZIP_DEFLATED)
    content = bytearray(path.read_bytes())
    for signature, place in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):  # both say 100 bytes
        start = content.index(signature) + place
        content[start : start + 4] = struct.pack("<I", 100)
    path.write_bytes(content)
    [member] = members_of(path)
    with pytest.raises(ImageError) as raised:
        member.read()
    assert raised.value.code == "damaged"


def test_two_pictures_of_one_name_are_both_read(tmp_path, jpeg):
    path = tmp_path / "photos.zip"
    with pytest.warns(UserWarning, match="Duplicate name"), zipfile.ZipFile(path, "w") as file:
        file.writestr("a.jpg", jpeg)
        file.writestr("a.jpg", b"another")
    assert [member.read() for member in members_of(path)] == [jpeg, b"another"]


@pytest.mark.parametrize("compression", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_zip_whose_packing_python_does_not_stop_in_time_is_refused(tmp_path, jpeg, compression):
    """A bzip2 of a few hundred bytes that stands for 400 MB and states 100 would fill the memory."""
    assert refusal(zipped(tmp_path / "photos.zip", {"a.jpg": jpeg}, compression=compression)) == "method"


def test_a_zip_that_is_gone_is_refused(tmp_path):
    assert refusal(tmp_path / "photos.zip") == "damaged"


def test_a_locked_zip_is_refused(tmp_path, jpeg):
    path = zipped(tmp_path / "photos.zip", {"a.jpg": jpeg})
    content = bytearray(path.read_bytes())
    content[content.index(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(content)
    assert refusal(path) == "encrypted"


@pytest.mark.parametrize("content", [b"", b"no zip at all", b"PK\x05\x06" + bytes(10)])
def test_what_is_no_zip_is_refused(tmp_path, content):
    path = tmp_path / "photos.zip"
    path.write_bytes(content)
    assert refusal(path) == "damaged"


def test_a_zip_that_is_cut_off_is_refused(tmp_path, jpeg):
    path = zipped(tmp_path / "photos.zip", {"a.jpg": jpeg})
    path.write_bytes(path.read_bytes()[: len(jpeg) // 2])
    assert refusal(path) == "damaged"


def test_one_damaged_picture_is_an_error_of_its_own(tmp_path, jpeg):
    path = zipped(tmp_path / "photos.zip", {"a.jpg": jpeg, "b.jpg": jpeg})
    content = bytearray(path.read_bytes())
    content[content.index(jpeg) + 20] ^= 255
    path.write_bytes(content)
    first, second = members_of(path)
    with pytest.raises(ImageError, match="a.jpg is damaged in the zip"):
        first.read()
    assert second.read() == jpeg


def test_a_zip_that_has_been_deleted_is_an_error_of_the_picture(tmp_path, jpeg):
    path = zipped(tmp_path / "photos.zip", {"a.jpg": jpeg})
    [member] = members_of(path)
    path.unlink()
    with pytest.raises(ImageError) as raised:
        member.read()
    assert raised.value.code == "missing"
