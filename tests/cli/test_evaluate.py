"""evaluate.py, run as its users run it."""

from __future__ import annotations

import base64
import copy
import csv
import errno
import io
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from catdog.checkpoint import Metadata, save_checkpoint
from catdog.datasets.lists import read_excluded
from catdog.datasets.splits import fingerprint, short_digest
from catdog.resnet import ResNet


def class_folders(folder: Path, examples: list[Path]) -> Path:
    for kind in ("cat", "dog", "neither"):
        (folder / kind).mkdir(parents=True)
        for path in examples:
            if path.name.startswith(kind):
                shutil.copy(path, folder / kind)
    return folder


def test_evaluate_scores_all_of_an_unknown_folder(script, tmp_path, examples, checkpoint, capsys):
    folder = class_folders(tmp_path / "photos", examples)
    out = tmp_path / "figures.json"
    assert script("evaluate", "--data", folder, "--checkpoint", checkpoint, "--json", out) == 0
    said = capsys.readouterr().out
    assert "scored: all (7)" in said and "Worst mistakes" in said and "95% interval" in said
    figures = json.loads(out.read_text(encoding="utf-8"))
    assert figures["counts"] == {"cat": 3, "dog": 2, "neither": 2}
    rate = figures["pets"]["two_way_accuracy"]
    assert rate["n"] == 5 and rate["interval"][0] <= rate["value"] <= rate["interval"][1]
    assert sum(sum(row.values()) for row in figures["confusion"].values()) == 7


def test_evaluate_scores_only_the_held_out_part_of_a_folder_that_was_trained_on(
    script, network18, tmp_path, examples, capsys
):
    train = class_folders(tmp_path / "photos" / "train", examples)
    test = class_folders(tmp_path / "photos" / "test", examples)
    for path in test.rglob("*.jpg"):
        Image.open(path).crop((1, 1, 200, 200)).save(path)
    digests = [short_digest(path.read_bytes()) for path in train.rglob("*.jpg")]
    checkpoint = tmp_path / "net.safetensors"
    save_checkpoint(checkpoint, network18, Metadata(input_size=64, training={"photos": fingerprint(digests)}))
    assert script("evaluate", "--data", tmp_path / "photos", "--checkpoint", checkpoint) == 0
    assert "scored: held-out (7)" in capsys.readouterr().out
    assert script("evaluate", "--data", tmp_path / "photos", "--checkpoint", checkpoint, "--split", "training") == 0
    assert "scored: training" in capsys.readouterr().out


def test_evaluate_goes_on_after_a_broken_photo_and_says_so(script, tmp_path, examples, checkpoint, capsys):
    folder = class_folders(tmp_path / "photos", examples)
    (folder / "cat" / "broken.jpg").write_bytes(b"broken")
    assert script("evaluate", "--data", folder, "--checkpoint", checkpoint) == 1
    captured = capsys.readouterr()
    assert f"Skipped: {folder / 'cat' / 'broken.jpg'}: broken.jpg is not a picture" in captured.err
    assert "7 photos" in captured.out


def test_what_is_found_and_not_used_is_named(script, tmp_path, examples, checkpoint, capsys):
    folder = class_folders(tmp_path / "photos", examples)
    shutil.copytree(folder / "neither", folder / "wild")
    assert script("evaluate", "--data", folder, "--checkpoint", checkpoint) == 0
    assert f"2 pictures are not used in {folder}/wild: --neither {folder}/wild reads it" in capsys.readouterr().out


ODD_NAMES = (b"caf\xe9.jpg", b"two\nlines.jpg", "猫.jpg".encode())


@pytest.fixture
def oddly_named(tmp_path, examples) -> Path:
    """Class folders of small photos whose names are no UTF-8, have a newline, are Chinese; one cannot be read."""
    if sys.platform != "linux":
        pytest.skip("only Linux's file systems have such names")
    for width, kind in ((60, "cat"), (70, "dog")):
        place = tmp_path / os.fsdecode(b"photos \xe9") / kind
        place.mkdir(parents=True)
        for height, name in enumerate((*ODD_NAMES, b"a.jpg", b"b.jpg", b"c.jpg"), 60):
            Image.open(examples[0]).resize((width, height)).save(place / os.fsdecode(name))
    (place / os.fsdecode(b"broken \xe9\n.jpg")).write_bytes(b"broken")
    return place.parent


@pytest.fixture
def seeing_nothing(tmp_path, network18) -> Path:
    """A checkpoint that calls everything neither: every photo is a mistake."""
    save_checkpoint(tmp_path / "net.safetensors", network18, Metadata(input_size=64, offset=(-30.0, -30.0)))
    return tmp_path / "net.safetensors"


@pytest.mark.parametrize("encoding", ["utf-8", "cp1252", "ascii"])
def test_odd_names_are_escaped_in_figures_and_report_whatever_the_encoding(
    root, oddly_named, seeing_nothing, tmp_path, encoding
):
    command = ["scripts/evaluate.py", "--data", oddly_named, "--checkpoint", seeing_nothing]
    done = subprocess.run(
        [sys.executable, *command, "--report", tmp_path / "report", "--json", tmp_path / "figures.json"],
        cwd=root,
        env=os.environ | {"PYTHONIOENCODING": encoding},
        capture_output=True,
    )
    lines = done.stderr.decode(encoding).splitlines()
    assert done.returncode == 1 and len(lines) == 1, lines
    assert lines[0].startswith(f"Skipped: {tmp_path}/photos \\udce9/dog/broken \\udce9\\n.jpg: ")
    said = done.stdout.decode(encoding)
    chinese = "猫" if encoding == "utf-8" else "\\u732b"
    for name in ("caf\\udce9.jpg", "two\\nlines.jpg", f"{chinese}.jpg"):
        assert f"  {name}: cat, called neither" in said
    assert len(json.loads((tmp_path / "figures.json").read_text())["worst_mistakes"]) == 10
    page = (tmp_path / "report" / "index.html").read_text(encoding="utf-8")
    assert all(f"<small>{name}</small>" in page for name in ("caf\\udce9.jpg", "two\\nlines.jpg", "猫.jpg"))


def test_suspects_with_odd_names_can_be_left_out_of_training(script, oddly_named, seeing_nothing, tmp_path):
    out = tmp_path / "suspects.csv"
    arguments = ["--data", oddly_named, "--checkpoint", seeing_nothing, "--suspects", out, "--init", "none"]
    assert script("evaluate", *arguments) == 1  # one cannot be read
    is_excluded = read_excluded(out)
    assert all(is_excluded(oddly_named / "cat" / os.fsdecode(name)) for name in ODD_NAMES)
    assert not is_excluded(oddly_named / "cat" / "d.jpg")
    assert "two\\nlines.jpg" in out.with_suffix(".html").read_text(encoding="utf-8")


def test_the_report_is_one_page_that_needs_no_network(script, tmp_path, examples, checkpoint):
    folder = class_folders(tmp_path / "photos", examples)
    report, figures = tmp_path / "report", tmp_path / "figures.json"
    options = ["--data", folder, "--checkpoint", checkpoint, "--json", figures, "--report", report]
    assert script("evaluate", *options) == 0
    page = (report / "index.html").read_text(encoding="utf-8")
    alone = json.loads(figures.read_text(encoding="utf-8"))
    held = json.loads((report / "figures.json").read_text(encoding="utf-8"))
    assert {name: held[name] for name in alone} == alone
    assert held["made"]["checkpoint"].startswith(checkpoint.name)
    assert sum(held["plots"]["histograms"]["cat"]["dog"]) == alone["counts"]["cat"]
    assert len(held["plots"]["precision_recall"]) > 2
    assert not re.search(r'(src|href)="(?!data:)', page)
    assert "7 photos" in page and "scripts/evaluate.py" in page
    mistakes = json.loads(figures.read_text(encoding="utf-8"))["worst_mistakes"]
    assert page.count('<img alt="" src="data:image/jpeg') == len(mistakes) > 0
    assert page.count("data:image/svg+xml") == 3
    assert held["made"]["checkpoint"] in page
    assert not list(report.glob(".*"))


def test_a_report_shows_the_photo_itself_where_two_have_one_name(script, tmp_path, network18):
    """Of a checkpoint that calls everything neither."""
    checkpoint = tmp_path / "net.safetensors"
    save_checkpoint(checkpoint, network18, Metadata(input_size=64, offset=(-30.0, -30.0)))
    for label, color in (("cat", "red"), ("dog", "blue")):
        (tmp_path / "photos" / label).mkdir(parents=True)
        Image.new("RGB", (64, 64), color).save(tmp_path / "photos" / label / "1.png")
    report = tmp_path / "report"
    assert script("evaluate", "--data", tmp_path / "photos", "--checkpoint", checkpoint, "--report", report) == 0
    page = (report / "index.html").read_text(encoding="utf-8")
    cards = re.findall(r'base64,([^"]+)"><figcaption>(\w+), called', page)
    assert len(cards) == 2
    for content, label in cards:
        red, _, blue = Image.open(io.BytesIO(base64.b64decode(content))).resize((1, 1)).getpixel((0, 0))
        assert (red > blue) == (label == "cat")


@pytest.mark.parametrize("kind", ["cat", "neither"])
def test_a_report_on_one_kind_is_refused_and_leaves_nothing(script, tmp_path, examples, checkpoint, capsys, kind):
    folder, report = class_folders(tmp_path / "photos", examples), tmp_path / "report"
    for other in {"cat", "dog", "neither"} - {kind}:
        shutil.rmtree(folder / other)
    place = ["--neither", folder / kind] if kind == "neither" else ["--data", folder]
    assert script("evaluate", *place, "--checkpoint", checkpoint, "--report", report) == 2
    assert "cats and of dogs" in capsys.readouterr().err
    assert not report.exists()


def test_a_report_that_cannot_be_written_leaves_the_earlier_one(
    script, tmp_path, examples, checkpoint, monkeypatch, capsys
):
    folder, report = class_folders(tmp_path / "photos", examples), tmp_path / "report"
    report.mkdir()
    (report / "index.html").write_text("earlier")

    def full(path, *arguments, **options):
        if path.parent == report:
            raise OSError(errno.ENOSPC, "No space left on device", str(path))
        return write(path, *arguments, **options)

    write = Path.write_text
    monkeypatch.setattr(Path, "write_text", full)
    assert script("evaluate", "--data", folder, "--checkpoint", checkpoint, "--report", report) == 1
    assert "No space left" in capsys.readouterr().err
    assert [path.name for path in report.iterdir()] == ["index.html"]
    assert (report / "index.html").read_text() == "earlier"


@pytest.mark.parametrize("general", [False, True])
def test_a_wrong_label_is_the_first_suspect_and_can_be_left_out_of_training(script, tmp_path, network18, general):
    """The network tells an orange cat from a blue dog, and sees neither in the third color."""
    init = tmp_path / "general.pth" if general else "none"
    if general:
        torch.save(network18.state_dict(), init)
    colors = {"cat": (220, 120, 40), "dog": (40, 90, 220), "neither": (60, 160, 60)}
    checkpoint = tmp_path / "net.safetensors"
    save_checkpoint(checkpoint, telling_apart(network18, list(colors.values())), Metadata(input_size=64))
    generator = np.random.default_rng(0)
    for label, color in list(colors.items())[:2]:
        (tmp_path / "photos" / label).mkdir(parents=True)
        for index in range(12):
            shown = {("cat", 7): colors["dog"], ("dog", 3): colors["neither"]}.get((label, index), color)
            pixels = np.clip(generator.normal(shown, 25, (64, 64, 3)), 0, 255).astype(np.uint8)
            Image.fromarray(pixels).save(tmp_path / "photos" / label / f"{label}{index}.png")
    out = tmp_path / "suspects.csv"
    assert (
        script("evaluate", "--data", tmp_path / "photos", "--checkpoint", checkpoint, "--suspects", out, "--init", init)
        == 0
    )
    with open(out, newline="", encoding="utf-8") as file:
        first, second, *others = csv.DictReader(file)
    found = {(Path(each["path"]).name, each["label"], each["likelier"]) for each in (first, second)}
    assert found == {("cat7.png", "cat", "dog"), ("dog3.png", "dog", "neither")}
    assert len(others) == 22
    assert out.with_suffix(".html").read_text(encoding="utf-8").count("<figure>") == 24
    is_excluded = read_excluded(out)
    assert is_excluded(tmp_path / "photos" / "cat" / "cat7.png") and not is_excluded(tmp_path / "cat7.png")


@torch.inference_mode()
def telling_apart(network: ResNet, colors: Sequence[tuple[int, int, int]]) -> ResNet:
    """A copy with a head that says cat of the first color, dog of the second, neither of the third."""
    network = copy.deepcopy(network)
    preset = Metadata(input_size=64).preset()
    seen = [network.features(preset(Image.new("RGB", (64, 64), color))[None]).mean((2, 3))[0] for color in colors]
    wanted = torch.tensor([[6.0, -6.0], [-6.0, 6.0], [-6.0, -6.0]])
    network.fc.weight.copy_(torch.linalg.lstsq(torch.stack(seen), wanted, driver="gelsd").solution.T)
    network.fc.bias.zero_()
    return network


def test_suspects_need_enough_photos_of_each_label(script, tmp_path, examples, checkpoint, capsys):
    folder = class_folders(tmp_path / "photos", examples)
    out = tmp_path / "suspects.csv"
    assert script("evaluate", "--data", folder, "--checkpoint", checkpoint, "--suspects", out, "--init", "none") == 2
    assert "5 photos of each" in capsys.readouterr().err
    assert not out.exists()


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["--data", "nowhere"],
        ["--neither", "empty"],
        ["--data", "empty"],
        ["--data", "photos", "--json", "no/such/folder/x.json"],
        ["--data", "photos", "--json", "empty"],
        ["--data", "photos", "--suspects", "empty"],
    ],
)
def test_evaluate_tells_wrong_use_in_a_sentence(script, tmp_path, examples, checkpoint, monkeypatch, capsys, arguments):
    monkeypatch.chdir(tmp_path)
    class_folders(tmp_path / "photos", examples)
    (tmp_path / "empty").mkdir()
    assert script("evaluate", *arguments, "--checkpoint", checkpoint) == 2
    assert capsys.readouterr().err.startswith("evaluate.py: ")
