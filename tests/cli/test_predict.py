"""predict.py, run as its users run it."""

from __future__ import annotations

import csv
import io
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from PIL import Image

from catdog import load
from catdog.datasets.lists import read_excluded
from catdog.files import writing_alone


def test_a_folder_becomes_rows_and_a_broken_file_gets_its_error(script, folder, checkpoint):
    out = folder / "answers.csv"
    assert script("predict", folder, "--csv", out, "--checkpoint", checkpoint) == 1
    with open(out, newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ["path", "verdict", "cat", "dog", "error"]
    assert [Path(row["path"]).name for row in rows] == ["a.jpg", "b.jpg", "c.jpg", "d.jpg"]
    assert [bool(row["error"]) for row in rows] == [False, False, True, False]
    assert all(0 <= float(row["cat"]) <= 1 for row in rows if not row["error"])


def test_files_keep_the_order_given_and_patterns_are_expanded(script, folder, checkpoint):
    out = folder / "answers.json"
    paths = [folder / "d.jpg", folder / "[ab].jpg"]
    assert script("predict", *paths, "--json", out, "--checkpoint", checkpoint) == 0
    rows = json.loads(out.read_text(encoding="utf-8"))
    assert [Path(row["path"]).name for row in rows] == ["d.jpg", "a.jpg", "b.jpg"]
    assert rows[0]["error"] is None and set(rows[0]) == {"path", "verdict", "cat", "dog", "error"}


def test_pictures_may_be_shown_in_several_sizes_and_mirrored(script, folder, checkpoint):
    answers = []
    for number, views in enumerate(((), ("--mirrored",), ("--sizes", 64, 96, "--mirrored"))):
        out = folder / f"{number}.json"
        assert script("predict", folder / "a.jpg", "--json", out, "--checkpoint", checkpoint, *views) == 0
        answers.append(json.loads(out.read_text())[0]["cat"])
    [expected] = load(checkpoint, "cpu").classify([folder / "a.jpg"], sizes=(64, 96), mirrored=True)
    assert answers[2] == pytest.approx(expected.cat, abs=1e-6)
    assert len({round(answer, 5) for answer in answers}) == 3


def test_a_recursive_pattern_names_no_picture_twice_and_passes_over_empty_folders(script, folder, checkpoint):
    (folder / "more" / "empty").mkdir(parents=True)
    shutil.copy(folder / "a.jpg", folder / "more")
    out = folder / "answers.json"
    assert script("predict", folder / "**", "--json", out, "--checkpoint", checkpoint) == 1
    names = [Path(row["path"]).name for row in json.loads(out.read_text(encoding="utf-8"))]
    assert sorted(names) == ["a.jpg", "a.jpg", "b.jpg", "c.jpg", "d.jpg"]


def test_a_kaggle_submission_has_a_row_an_id_sorted_and_a_half_for_the_unreadable(
    script, tmp_path, examples, checkpoint
):
    for number in (10, 9, 2):
        shutil.copy(examples[0], tmp_path / f"{number}.jpg")
    (tmp_path / "3.jpg").write_bytes(b"broken")
    out = tmp_path / "submission.csv"
    assert script("predict", tmp_path, "--kaggle", out, "--checkpoint", checkpoint) == 1
    with open(out, newline="", encoding="utf-8") as file:
        rows = list(csv.reader(file))
    assert [row[0] for row in rows] == ["id", "2", "3", "9", "10"]
    assert rows[2][1] == "0.5" != rows[1][1]
    assert float(rows[1][1]) == pytest.approx(float(rows[3][1]), abs=1e-4)


def test_a_kaggle_label_is_the_share_of_dog_in_the_two_probabilities(script, folder, checkpoint):
    shutil.move(folder / "a.jpg", folder / "1.jpg")
    assert script("predict", folder / "1.jpg", "--kaggle", folder / "out.csv", "--checkpoint", checkpoint) == 0
    assert script("predict", folder / "1.jpg", "--json", folder / "out.json", "--checkpoint", checkpoint) == 0
    [row] = json.loads((folder / "out.json").read_text())
    label = float((folder / "out.csv").read_text().split(",")[-1])
    assert label == pytest.approx(row["dog"] / (row["cat"] + row["dog"]), abs=1e-6)
    assert label != pytest.approx(row["dog"], abs=1e-3)


def test_a_kaggle_submission_has_one_picture_an_id(script, tmp_path, examples, checkpoint, capsys):
    for part in ("one", "two"):
        (tmp_path / part).mkdir()
        shutil.copy(examples[0], tmp_path / part / "7.jpg")
    assert script("predict", tmp_path, "--kaggle", tmp_path / "out.csv", "--checkpoint", checkpoint) == 2
    assert "2 pictures have the number 7" in capsys.readouterr().err


def names_in(file: Path) -> list[str]:
    return [Path(row["path"]).name for row in json.loads(file.read_text(encoding="utf-8"))]


COMPANIONS = ("._a.jpg", ".hidden.jpg", "Thumbs.db", "__MACOSX/x.jpg", "@eaDir/a.jpg/x.jpg", "deep/.cache/x.jpg")


@pytest.mark.parametrize("given", [".", "*", "**", "**/*.jpg"])
def test_hidden_companions_are_no_pictures_in_folders_and_patterns(script, folder, checkpoint, given):
    for name in COMPANIONS:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(folder / "a.jpg", folder / name)
    out = folder.parent / f"{folder.name}.json"
    assert script("predict", folder / given, "--json", out, "--checkpoint", checkpoint) == 1
    assert names_in(out) == ["a.jpg", "b.jpg", "c.jpg", "d.jpg"]


def test_companions_that_a_shell_wrote_are_passed_over(script, folder, checkpoint):
    (folder / "__MACOSX").mkdir()
    (folder / "Thumbs.db").write_bytes(b"thumbnails")
    given = sorted(folder.iterdir())
    out = folder.parent / f"{folder.name}.json"
    assert script("predict", *given, "--json", out, "--checkpoint", checkpoint) == 1
    assert names_in(out) == ["a.jpg", "b.jpg", "c.jpg", "d.jpg"]


@pytest.mark.parametrize("given", ["", "*.jpg", "a.jpg"])
def test_what_is_asked_for_in_a_hidden_folder_is_answered(script, folder, checkpoint, given):
    (folder / ".cache").mkdir()
    shutil.copy(folder / "a.jpg", folder / ".cache" / "a.jpg")
    out = folder / "out.json"
    assert script("predict", folder / ".cache" / given, "--json", out, "--checkpoint", checkpoint) == 0
    assert names_in(out) == ["a.jpg"]


def test_an_archive_is_to_be_unpacked(script, folder, checkpoint, capsys):
    with zipfile.ZipFile(folder / "photos.zip", "w") as archive:
        archive.write(folder / "a.jpg", "a.jpg")
    assert script("predict", folder / "photos.zip", folder / "a.jpg", "--checkpoint", checkpoint) == 1
    first, second = capsys.readouterr().out.splitlines()
    assert "photos.zip is an archive: unpack it" in first and "(cat " in second


@pytest.fixture
def odd_names(tmp_path, examples) -> Path:
    """Photos whose names are no UTF-8, have a newline, are Chinese."""
    if sys.platform != "linux":
        pytest.skip("only Linux's file systems have such names")
    for name in ODD_NAMES:
        Image.open(examples[0]).resize((64, 64)).save(tmp_path / os.fsdecode(name))
    return tmp_path


ODD_NAMES = (b"caf\xe9.jpg", b"two\nlines.jpg", "猫.jpg".encode())


@pytest.mark.parametrize("encoding", ["utf-8", "cp1252", "ascii"])
def test_every_row_is_printed_in_one_line_whatever_the_names_and_the_encoding(root, odd_names, checkpoint, encoding):
    done = subprocess.run(
        [sys.executable, "scripts/predict.py", str(odd_names), "--checkpoint", str(checkpoint)],
        cwd=root,
        env=os.environ | {"PYTHONIOENCODING": encoding},
        capture_output=True,
    )
    assert (done.returncode, done.stderr) == (0, b"")
    lines = done.stdout.decode(encoding).splitlines()
    names = [line.removeprefix(f"{odd_names}/").partition(":")[0] for line in lines]
    assert names == ["caf\\udce9.jpg", "two\\nlines.jpg", "猫.jpg" if encoding == "utf-8" else "\\u732b.jpg"]


@pytest.mark.parametrize("kind", ["csv", "json"])
def test_every_row_is_written_whatever_the_names_and_can_be_read_back(script, odd_names, checkpoint, kind):
    out = odd_names.parent / f"{odd_names.name}.{kind}"
    assert script("predict", odd_names, f"--{kind}", out, "--checkpoint", checkpoint) == 0
    text = out.read_text(encoding="utf-8")
    if kind == "json":
        assert [os.fsencode(Path(row["path"]).name) for row in json.loads(text)] == sorted(ODD_NAMES)
    else:
        names = [Path(row["path"]).name for row in csv.DictReader(io.StringIO(text, newline=""))]
        assert names == ["caf\\udce9.jpg", "two\nlines.jpg", "猫.jpg"]
        is_listed = read_excluded(out)
        assert all(is_listed(odd_names / os.fsdecode(name)) for name in ODD_NAMES)


@pytest.mark.slow
@pytest.mark.parametrize("asked", ["answers", "help"])
def test_a_closed_pipe_ends_predict_without_a_traceback(root, folder, checkpoint, asked):
    arguments = ["--help"] if asked == "help" else [str(folder / "a.jpg"), "--checkpoint", str(checkpoint)]
    command = [sys.executable, "scripts/predict.py", *arguments]
    with subprocess.Popen(command, cwd=root, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        process.stdout.close()
        assert process.stderr.read() == ""
    assert process.returncode == 1


def test_without_a_file_the_answers_are_printed_rounded_towards_doubt(script, folder, checkpoint, capsys):
    assert script("predict", folder / "a.jpg", folder / "none.jpg", "--checkpoint", checkpoint) == 1
    first, second = capsys.readouterr().out.splitlines()
    assert "a.jpg: " in first and "100%" not in first
    assert "no file none.jpg" in second


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["a.jpg", "--csv", "x.csv", "--json", "x.json"], "exclude"),
        (["*.nothing"], "Nothing matches"),
        (["a.jpg", "--kaggle", "x.csv"], "1.jpg"),
        (["a.jpg", "--checkpoint", "none.safetensors"], "scripts/train.py"),
        (["a.jpg", "--csv", "no/such/folder/x.csv"], "x.csv"),
        (["a.jpg", "--ray", "nowhere"], "HOST:PORT"),
        (["a.jpg", "--sizes", "64", "100"], "--sizes has 100: it must be a multiple of 32."),
        (["--ray", "127.0.0.1:6379", "a.jpg"], "No picture to classify: give files, folders or patterns, before --ray"),
        ([], "No picture"),
    ],
)
def test_predict_tells_wrong_use_in_a_sentence(script, folder, checkpoint, monkeypatch, capsys, arguments, word):
    monkeypatch.chdir(folder)
    if "--checkpoint" not in arguments:
        arguments = [*arguments, "--checkpoint", checkpoint]
    assert script("predict", *arguments) == 2
    assert word in capsys.readouterr().err


def test_a_cluster_that_does_not_answer_is_told_and_no_file_is_begun(script, folder, checkpoint, capsys):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    out = folder / "answers.csv"
    assert script("predict", folder, "--csv", out, "--checkpoint", checkpoint, "--ray", address) == 2
    said = capsys.readouterr().err
    assert f"Nobody answers at {address}" in said and len(said.splitlines()) == 1
    assert not out.exists()


def test_without_ray_the_way_to_it_is_told(script, folder, checkpoint, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "ray", None)
    assert script("predict", folder, "--checkpoint", checkpoint, "--ray", "auto") == 2
    assert "pip install 'ray[data]'" in capsys.readouterr().err


@contextmanager
def full_disk(size: int = 0) -> Iterator[None]:
    """The system itself writes no file larger than `size` bytes."""
    import resource

    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)


@pytest.mark.skipif(os.name == "nt", reason="Windows has no limit of a file's size")
@pytest.mark.parametrize("kind", ["csv", "json"])
def test_a_full_disk_leaves_the_earlier_answers_whole(script, folder, checkpoint, capsys, kind):
    out = folder / "answers"
    arguments = [folder, f"--{kind}", out, "--checkpoint", checkpoint]
    assert script("predict", *arguments) == 1
    before = out.read_bytes()
    shutil.copy(folder / "a.jpg", folder / "e.jpg")
    capsys.readouterr()
    with full_disk(100):
        assert script("predict", *arguments) == 2
    said = capsys.readouterr().err
    assert "File too large" in said and len(said.splitlines()) == 1
    assert out.read_bytes() == before and not list(folder.glob(".*.tmp"))
    assert script("predict", *arguments) == 1
    assert out.read_bytes() != before and not list(folder.glob(".*"))


def test_a_second_run_that_writes_the_same_file_is_refused(script, folder, checkpoint, capsys):
    out = folder / "answers.csv"
    arguments = [folder / "a.jpg", "--csv", out, "--checkpoint", checkpoint]
    with writing_alone(out):
        out.with_name(".answers.csv.lock").unlink()  # tidied up by hand
        assert script("predict", *arguments) == 2
    said = capsys.readouterr().err
    assert "another run is writing it" in said and len(said.splitlines()) == 1 and not out.exists()
    assert script("predict", *arguments) == 0


def test_an_unfinished_run_with_another_checkpoint_is_not_mixed_with_this_one(script, folder, checkpoint, capsys):
    out = folder / "answers.csv"
    journal = folder / ".answers.csv.part"
    journal.write_text('{"run": "of another one"}\n')
    arguments = [folder / "a.jpg", "--csv", out, "--checkpoint", checkpoint]
    assert script("predict", *arguments) == 2
    said = capsys.readouterr().err
    assert "another checkpoint" in said and len(said.splitlines()) == 1 and not out.exists()
    journal.unlink()
    assert script("predict", *arguments) == 0 and not list(folder.glob(".*"))


@pytest.mark.skipif(not Path("/dev/stdout").exists(), reason="a name of standard output")
def test_answers_may_go_to_what_is_no_file(folder, checkpoint, root):
    command = [
        sys.executable,
        "scripts/predict.py",
        folder / "a.jpg",
        "--checkpoint",
        checkpoint,
        "--csv",
        "/dev/stdout",
    ]
    said = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True).stdout
    assert said.startswith("path,verdict,cat,dog,error\n") and len(said.splitlines()) == 2
    assert Path("/dev/stdout").is_symlink()


@pytest.mark.timeout(60)
def test_folders_that_link_to_themselves_end(script, folder, checkpoint):
    for name in ("one", "two"):
        (folder / name).mkdir()
        for other in ("one", "two"):
            (folder / name / f"to-{other}").symlink_to(folder / other)
            (folder / name / "up").unlink(missing_ok=True)
            (folder / name / "up").symlink_to(folder)
    out = folder / "answers.json"
    for given in (folder, folder / "**", folder / "**" / "*.jpg"):
        assert script("predict", given, "--json", out, "--checkpoint", checkpoint) == 1
        assert len(json.loads(out.read_text(encoding="utf-8"))) == 4
