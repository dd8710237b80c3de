"""predict.py, evaluate.py and card.py, run as their users run them."""

from __future__ import annotations

import base64
import copy
import csv
import errno
import io
import json
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from catdog import load
from catdog.checkpoint import Metadata, load_checkpoint, save_checkpoint
from catdog.datasets.lists import read_excluded
from catdog.datasets.splits import fingerprint, short_digest
from catdog.resnet import ResNet
from catdog.training import samples
from catdog.training.config import TrainConfig


@pytest.fixture(scope="module")
def checkpoint(network18, tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("checkpoint") / "net.safetensors"
    save_checkpoint(path, network18, Metadata(input_size=64))
    return path


@pytest.fixture
def folder(tmp_path, examples) -> Path:
    """Three pictures and a broken one."""
    for name, source in zip(("a.jpg", "b.jpg", "d.jpg"), examples):
        shutil.copy(source, tmp_path / name)
    (tmp_path / "c.jpg").write_bytes(b"broken")
    return tmp_path


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


def test_a_kaggle_submission_has_one_picture_an_id(script, tmp_path, examples, checkpoint, capsys):
    for part in ("one", "two"):
        (tmp_path / part).mkdir()
        shutil.copy(examples[0], tmp_path / part / "7.jpg")
    assert script("predict", tmp_path, "--kaggle", tmp_path / "out.csv", "--checkpoint", checkpoint) == 2
    assert "2 pictures have the number 7" in capsys.readouterr().err


@pytest.mark.slow
def test_a_closed_pipe_ends_predict_without_a_traceback(root, folder, checkpoint):
    command = [sys.executable, "scripts/predict.py", str(folder / "a.jpg"), "--checkpoint", str(checkpoint)]
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
    assert "broken.jpg" in captured.err and "7 photos" in captured.out


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


def test_a_checkpoint_that_does_not_say_how_it_was_trained_gets_no_card(script, checkpoint, capsys):
    assert script("card", "--checkpoint", checkpoint) == 2
    assert "how it was trained" in capsys.readouterr().err
    assert not checkpoint.with_suffix(".md").exists()


LATER = {
    name: getattr(TrainConfig(), name) for name in ("place_loss", "trivial", "erase", "teacher")
}  # than the first run


def test_what_was_tried_lists_every_run_on_the_way_to_a_checkpoint_once(script, tmp_path, network18):
    def run(epochs, loss, before=None):
        figures = {"epoch": 2, "tuning_loss": loss, "tuning_accuracy": 0.9, "tuning_two_way": 0.95}
        options = LATER | {"epochs": epochs, "an_option_of_old": 7}
        if before is None:  # older than this option
            del options["teacher"]
        return load_checkpoint()[1].training | {"options": options, "tuning": figures, "before": before}

    first = run(30, 0.5)
    for name, training in (("one", run(3, 0.4, first)), ("other", run(5, 0.3, first))):
        save_checkpoint(tmp_path / f"{name}.safetensors", network18, replace(Metadata(), training=training))
    paths = tmp_path / "other.safetensors", tmp_path / "one.safetensors"
    assert script("card", "--checkpoint", paths[0], "--tried", paths[1]) == 0
    rows = [line.split(" | ") for line in (tmp_path / "other" / "tried.md").read_text().splitlines()[2:]]
    assert [row[0] for row in rows] == ["| teacher none", "| epochs 3", "| epochs 5"]
    assert [row[2] for row in rows] == ["0.5000", "0.4000", "0.3000"]


def test_runs_that_differ_in_their_seed_become_a_table(script, tmp_path, network18, capsys):
    shipped = load_checkpoint()[1]
    defaults = shipped.training | {
        "options": LATER | {"seed": 0, "init": "x.pth", "epochs": 30},
        "before": None,
        "init": "x.pth",
    }
    for seed, two_way in ((0, 0.98), (1, 0.99)):
        pets = shipped.held_out["pets"] | {"two_way_accuracy": {"value": two_way, "k": 1, "n": 1, "interval": [0, 1]}}
        training = defaults | {"options": defaults["options"] | {"seed": seed}}
        metadata = replace(Metadata(), training=training, held_out=shipped.held_out | {"pets": pets})
        save_checkpoint(tmp_path / f"{seed}.safetensors", network18, metadata)
    runs = [tmp_path / "0.safetensors", tmp_path / "1.safetensors"]
    assert script("card", "--checkpoint", runs[0], "--repeated", *runs) == 0
    rows = [line.split(" | ") for line in (tmp_path / "0" / "repeated.md").read_text().splitlines()[2:]]
    assert [(row[0], row[1], row[5]) for row in rows] == [
        ("| the defaults", "0", "98.00%"),
        ("| the defaults", "1", "99.00%"),
        ("| the defaults", "mean", "98.50%"),
    ]
    assert rows[0][2] == f"{shipped.training['tuning']['epoch']} of 30"
    assert "How far runs differ" in runs[0].with_suffix(".md").read_text(encoding="utf-8")

    capsys.readouterr()
    assert script("card", "--checkpoint", runs[0], "--repeated", tmp_path / "none.safetensors") == 2
    training = defaults | {"options": LATER | {"seed": 0, "epochs": 3, "teacher": "none"}}
    save_checkpoint(tmp_path / "short.safetensors", network18, replace(metadata, training=training))
    assert script("card", "--checkpoint", runs[0], "--repeated", *runs, tmp_path / "short.safetensors") == 0
    rows = (tmp_path / "0" / "repeated.md").read_text().splitlines()[2:]
    assert len(rows) == 4 and rows[3].startswith("| teacher none, epochs 3 | 0 |")  # by itself, it has no mean
    save_checkpoint(tmp_path / "other.safetensors", network18, replace(metadata, training=defaults | {"init": "none"}))
    assert script("card", "--checkpoint", runs[0], "--repeated", *runs, tmp_path / "other.safetensors") == 2
    assert "other weights or on other photos" in capsys.readouterr().err


def test_a_port_that_cannot_be_is_told_before_anything_is_loaded(monkeypatch, capsys):
    from catdog.cli import app

    monkeypatch.setattr(sys, "argv", ["app.py", "--port", "99999"])
    monkeypatch.setattr(app, "load", lambda *arguments: pytest.fail("it loaded a checkpoint first"))
    assert app.main() == 2
    assert "--port is 99999" in capsys.readouterr().err


def test_other_things_get_a_row_each_with_every_picture_counted_once(script, folder, checkpoint):
    assert script("measure_others", "--folders", folder, "--count", 3, "--checkpoint", checkpoint) == 0
    lines = (checkpoint.with_suffix("") / "others.md").read_text().splitlines()[2:]
    table = {
        name: values for name, *values in ([cell.strip() for cell in line.strip("|").split("|")] for line in lines)
    }
    assert table[folder.name][0] == "3"  # the broken one is no picture
    for n, neither, *others, _ in table.values():
        share = float(neither.split("%")[0]) / 100
        assert round(share * int(n)) + sum(map(int, others)) == int(n)


def test_a_folder_of_other_things_without_a_file_is_told(script, tmp_path, checkpoint, capsys):
    assert script("measure_others", "--folders", tmp_path, "--count", 1, "--checkpoint", checkpoint) == 2
    assert str(tmp_path) in capsys.readouterr().err


@pytest.fixture
def few_made_up(monkeypatch) -> None:
    """Photos of both are put together twelve at a time, where a script asks for hundreds."""
    made_up_both = samples.made_up_both
    monkeypatch.setattr(samples, "made_up_both", lambda photos, seed, count, *how: made_up_both(photos, seed, 12, *how))


@pytest.mark.slow
def test_scores_are_compared_against_every_kind_of_other_thing(script, labeled, checkpoint, few_made_up):
    arguments = ["--data", labeled, "--others", labeled / "val" / "neither", "--checkpoint", checkpoint]
    assert script("compare_scores", *arguments) == 0
    pets, both = (checkpoint.with_suffix("") / "scores.md").read_text().split("\n\nn: ")[:2]
    rows = [line.strip("|").split("|") for line in pets.splitlines()]
    assert [cell.strip() for cell in rows[0]] == ["pets against", "tuning negatives", "neither"]
    assert all(0 <= float(cell) <= 1 for row in rows[2:] for cell in row[1:])
    assert "| both, where 1% of one pet is called both | side by side | at a half |" in both


@pytest.mark.slow
def test_ways_to_show_a_photo_are_compared_and_their_table_is_kept(script, labeled, checkpoint):
    arguments = ["--data", labeled, "--neither", labeled / "val" / "neither", "--checkpoint", checkpoint, "--made", 4]
    assert script("compare_inputs", *arguments) == 0
    table, counts = (checkpoint.with_suffix("") / "inputs.md").read_text().split("\n\nn: ")
    head, _, *rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()]
    assert head[0] == "input" and counts.startswith("8 pets")
    assert {"whole 224", "crop 224", "whole 224 and mirrored", "whole 192 + 224 + 256"} < {row[0] for row in rows}
    assert all(len(row) == len(head) for row in rows)


@pytest.fixture
def labeled(tmp_path, examples) -> Path:
    """Class folders of small photos in all three parts, with animals and objects among the negatives."""
    for width, (part, count) in enumerate((("train", 12), ("val", 4), ("test", 3)), 72):  # no photo in two parts
        for kind in ("cat", "dog", "neither"):
            sources = [path for path in examples if path.name.startswith(kind)]
            place = tmp_path / "photos" / part / kind
            place.mkdir(parents=True)
            for index in range(count):
                name = f"{'animal' if index % 2 else 'object'}_{part}{index}.jpg"
                picture = Image.open(sources[index % len(sources)]).resize((width, 64 + index))
                picture.save(place / name)
    return tmp_path / "photos"


@pytest.mark.slow
def test_recipes_are_compared_once_and_their_table_is_kept(script, labeled, tmp_path, few_made_up):
    out = tmp_path / "recipes.csv"
    arguments = ["--data", labeled, "--init", "none", "--out", out, "--workers", 0, "--seeds", 0]
    assert script("compare_recipes", *arguments, "--only", "quick") == 0
    first = out.read_text().splitlines()
    assert script("compare_recipes", *arguments, "--only", "quick", "no EMA") == 0
    rows = list(csv.DictReader(out.open()))
    assert [row["variant"] for row in rows] == ["quick", "no EMA"]
    assert out.read_text().splitlines()[:2] == first  # not run again
    assert "| no EMA | 1 |" in out.with_suffix(".md").read_text()


def test_an_unknown_recipe_is_told_before_anything_is_trained(script, labeled, capsys):
    assert script("compare_recipes", "--data", labeled, "--only", "magic") == 2
    assert "magic" in capsys.readouterr().err


def test_a_teacher_that_is_not_there_is_told_before_anything_is_trained(script, labeled, tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "efficientnet_lite_pytorch", None)
    out = tmp_path / "recipes.csv"
    assert script("compare_recipes", "--data", labeled, "--init", "none", "--out", out) == 2
    assert "pip install" in capsys.readouterr().err
    assert not out.exists()


@pytest.mark.slow
def test_what_is_left_out_of_training_is_judged_in_full(script, labeled, tmp_path):
    out = tmp_path / "left-out.md"
    arguments = ["--data", labeled, "--init", "none", "--out", out, "--workers", 0]
    assert script("leave_out", *arguments, "--groups", "animal") == 0
    everything, without = out.read_text().splitlines()[2:]
    assert everything.startswith("| nothing; held-out `animal` | 1 |")
    proxy = int(without.split("|")[2])
    assert without.startswith("| `animal` |") and 3 < proxy < 9  # a third of 6, with 2 of tuning and 1 held out


def test_a_group_that_nothing_belongs_to_is_told(script, labeled, capsys):
    assert script("leave_out", "--data", labeled, "--init", "none", "--groups", "unicorn") == 2
    assert "unicorn" in capsys.readouterr().err
