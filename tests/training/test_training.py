"""Training: the same seed gives the same weights, a stopped run goes on as if it had not stopped."""

from __future__ import annotations

import copy
import csv
import errno
import os
import re
import resource
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path
from urllib.error import URLError

import numpy as np
import pytest
import torch
from folders import SMALL_INPUT, TINY, train, write_photos
from PIL import Image
from safetensors.torch import load_file

import catdog
from catdog.checkpoint import load_checkpoint, save_checkpoint
from catdog.datasets import read_folders
from catdog.datasets.splits import some_seen
from catdog.files import CHECKPOINT
from catdog.page.about import about
from catdog.page.answers import explained
from catdog.page.figures import figures_of
from catdog.resnet import ResidualBlock, ResNet
from catdog.training import loop
from catdog.training.config import RECIPES, OptionError, TrainConfig
from catdog.training.loop import train_step
from catdog.training.losses import label_loss, mixing, place_loss
from catdog.training.optimizers import freeze, make_optimizer, make_scheduler
from catdog.training.sources import find_photos, read_photos
from catdog.training.state import DIGEST_SIZE, Run, TrainingNetwork, read_state
from catdog.training.teacher import LITE, Teacher


@pytest.fixture(scope="module")
def folder(tmp_path_factory, examples) -> Path:
    """Class folders with 8 small photos a label in training and 4 in tuning and held-out, cut from the examples."""
    return write_photos(tmp_path_factory.mktemp("photos"), examples, (8, 4, 4), side=72)


def popen(root: Path, *arguments: object) -> subprocess.Popen[str]:
    command = [sys.executable, "-u", "scripts/train.py", *map(str, arguments)]
    return subprocess.Popen(
        command, cwd=root, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True
    )


def same(first: Path, second: Path) -> bool:
    """Whether two runs ended with the same best epoch and with the same last step, to the bit."""
    return equal(load_file(first), load_file(second)) and equal(last_step(first), last_step(second))


def equal(one: dict[str, torch.Tensor], two: dict[str, torch.Tensor]) -> bool:
    return one.keys() == two.keys() and all(torch.equal(one[name], two[name]) for name in one)


def last_step(checkpoint: Path) -> dict[str, torch.Tensor]:
    """The weights in a run's resume state; those of the checkpoint may be of an earlier epoch."""
    return read_state(checkpoint.with_suffix(".resume"))["network"]


@pytest.fixture(scope="module")
def trained(folder, tmp_path_factory) -> Path:
    """A checkpoint of an unbroken run."""
    out = tmp_path_factory.mktemp("unbroken") / "net.safetensors"
    assert train("--data", folder, "--out", out, *TINY, *SMALL_INPUT) == 0
    return out


def test_a_run_leaves_a_checkpoint_a_model_card_and_curves(trained):
    classifier = catdog.load(trained)
    assert classifier.metadata.real_negatives
    assert classifier.metadata.held_out["counts"] == {"cat": 4, "dog": 4, "neither": 4}
    assert "| pets: two-way right |" in trained.with_suffix(".md").read_text(encoding="utf-8")
    with open(trained.with_name("net.curves.csv"), newline="", encoding="utf-8") as file:
        assert [row["epoch"] for row in csv.DictReader(file)] == ["1", "2"]
    assert Image.open(trained.with_name("net.curves.png")).size[0] > 500


def test_a_calibration_anew_says_of_a_checkpoint_what_its_training_said(script, folder, trained, tmp_path):
    """Whatever was wrong with the calibration is mended; the weights are the same."""
    network, metadata = load_checkpoint(trained)
    wrong, out = tmp_path / "wrong.safetensors", tmp_path / "mended.safetensors"
    doubtful = replace(
        metadata, temperature=(3.0, 3.0), top_weight=(0.4, 0.4), present=0.9, evidence_scale=1.0, held_out={}
    )
    save_checkpoint(wrong, network, doubtful)
    arguments = ["--data", folder, "--checkpoint", wrong, "--out", out, "--workers", 0, "--device", "cpu"]
    assert script("calibrate", *arguments) == 0
    _, mended = load_checkpoint(out)
    calibrated = mended.training.pop("calibrated")
    assert mended == metadata
    assert equal(load_file(out), load_file(trained))
    assert sum(calibrated["counts"].values()) == 12
    assert "Calibrated anew by `scripts/calibrate.py`" in out.with_suffix(".md").read_text(encoding="utf-8")


def test_a_calibration_on_other_photos_counts_them_as_seen(script, trained, examples, tmp_path):
    other = write_photos(tmp_path / "other", examples, (8, 4, 4), side=80)
    out = tmp_path / "net.safetensors"
    assert script("calibrate", "--data", other, "--checkpoint", trained, "--out", out, "--workers", 0) == 0
    [found] = read_folders([other])
    assert not some_seen(load_checkpoint(trained)[1].training["photos"], found.photos)
    assert some_seen(load_checkpoint(out)[1].training["photos"], found.photos)


def test_a_network_of_a_tutorial_is_calibrated_and_its_card_says_what_is_not_known(
    script, folder, network18, tmp_path, capsys
):
    checkpoint, out = tmp_path / "tutorial.pth", tmp_path / "out.safetensors"
    swapped = {
        name: value.flip(0) if name.startswith("fc") else value for name, value in network18.state_dict().items()
    }
    torch.save({"model_state_dict": swapped, "epoch": 3}, checkpoint)
    arguments = ["--data", folder, "--checkpoint", checkpoint, "--labels", "dog,cat", "--out", out, "--workers", 0]
    assert script("calibrate", *arguments, "--device", "cpu") == 0
    assert "which photos it was trained on" in capsys.readouterr().err
    network, metadata = load_checkpoint(out)
    torch.testing.assert_close(network.fc.weight, network18.fc.weight, atol=1e-3, rtol=1e-3)
    assert (metadata.head, metadata.resize) == ("softmax", "crop")
    assert metadata.temperature != (1.0, 1.0) and metadata.held_out["pets"]["n"] == 8
    [found] = read_folders([folder])
    assert some_seen(metadata.training["photos"], found.photos)
    card = out.with_suffix(".md").read_text(encoding="utf-8")
    assert "The weights are those of `tutorial.pth`, which does not say how" in card
    assert "Calibrated anew by `scripts/calibrate.py`" in card
    assert figures_of(metadata)["measured"]["n"] == metadata.held_out["n"]
    assert script("calibrate", "--data", folder, "--checkpoint", out, "--out", out, "--workers", 0) == 0  # again


def test_a_calibration_that_cannot_be_written_is_told_before_minutes_are_spent(
    script, folder, trained, tmp_path, capsys
):
    (tmp_path / "file").touch()
    out = tmp_path / "file" / "net.safetensors"
    assert script("calibrate", "--data", folder, "--checkpoint", trained, "--out", out) == 2
    said = capsys.readouterr()
    assert "cannot be written" in said.err and "photos" not in said.out


@pytest.mark.slow
def test_the_same_seed_gives_the_same_weights_with_any_number_of_workers(folder, trained, tmp_path):
    out = tmp_path / "again.safetensors"
    assert train("--data", folder, "--out", out, *TINY, *SMALL_INPUT, "--workers", 2) == 0
    assert same(trained, out)


def test_another_seed_gives_other_weights(folder, trained, tmp_path):
    out = tmp_path / "other.safetensors"
    assert train("--data", folder, "--out", out, *TINY, *SMALL_INPUT, "--seed", 1, "--dry-run") == 0
    assert not same(trained, out)


@pytest.mark.slow
def test_a_run_stopped_within_an_epoch_goes_on_at_the_same_step(folder, trained, tmp_path, monkeypatch):
    out = tmp_path / "stopped.safetensors"
    with monkeypatch.context() as patch:
        stop_after(5, patch)  # steps, of three an epoch
        assert train("--data", folder, "--out", out, *TINY, *SMALL_INPUT) == 1
    assert load_checkpoint(out)[1].training["epochs_run"] == 1
    assert not same(trained, out)
    assert train("--data", folder, "--out", out, *TINY, *SMALL_INPUT, "--resume") == 0
    assert same(trained, out)


@pytest.mark.slow
def test_a_run_with_blended_batches_goes_on_as_an_unbroken_one(folder, trained, tmp_path, monkeypatch):
    options = ["--data", folder, *TINY, *SMALL_INPUT, "--epochs", 1, "--place-loss", 0, "--mixup", 0.4, "--cutmix", 1]
    whole, stopped = tmp_path / "whole.safetensors", tmp_path / "stopped.safetensors"
    assert train(*options, "--out", whole) == 0
    assert not same(trained, whole)
    with monkeypatch.context() as patch:
        stop_after(2, patch)
        assert train(*options, "--out", stopped) == 1
    assert train(*options, "--out", stopped, "--resume") == 0
    assert same(whole, stopped)


@pytest.mark.slow
def test_a_taught_run_goes_on_as_an_unbroken_one_and_its_checkpoint_names_the_teacher(
    folder, tmp_path, monkeypatch, capsys
):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(5)
        teacher = Teacher(torch.nn.Conv2d(3, 12, 32, stride=32), mean=(0.5,) * 3, std=(0.5,) * 3)
    monkeypatch.setattr("catdog.training.run.load_teacher", {"none": None, "tiny": teacher}.get)
    plain, whole, stopped = (tmp_path / f"{name}.safetensors" for name in ("plain", "whole", "stopped"))
    options = ["--data", folder, *TINY, *SMALL_INPUT, "--epochs", 1, "--teacher-classes", 0]
    assert train(*options, "--out", plain) == 0
    assert train(*options, "--out", whole, "--teacher", "tiny") == 0
    assert not same(plain, whole)
    with monkeypatch.context() as patch:
        stop_after(2, patch)
        assert train(*options, "--out", stopped, "--teacher", "tiny") == 1
    assert train(*options, "--out", stopped, "--resume") == 2
    assert "another teacher" in capsys.readouterr().err
    assert train(*options, "--out", stopped, "--teacher", "tiny", "--resume") == 0
    assert same(whole, stopped)
    assert load_checkpoint(whole)[1].training["options"]["teacher"] == "tiny"
    assert "the features of tiny, which was trained on ImageNet's photos" in whole.with_suffix(".md").read_text()


@pytest.mark.slow
def test_the_default_recipe_learns_from_the_teacher_that_is_installed(folder, tmp_path):
    out = tmp_path / "net.safetensors"
    assert train("--data", folder, "--out", out, *TINY, *SMALL_INPUT, "--teacher", LITE, "--dry-run") == 0
    assert TrainConfig().teacher == load_checkpoint(out)[1].training["options"]["teacher"] == LITE


@pytest.mark.slow
def test_scenes_are_made_with_what_a_checkpoint_cuts_out_and_its_name_is_kept(folder, tmp_path):
    out = tmp_path / "net.safetensors"
    options = ["--scene", 0.5, "--cutouts", CHECKPOINT, "--teacher", LITE, "--teacher-classes", 1]
    assert train("--data", folder, "--out", out, *TINY, *SMALL_INPUT, *options, "--dry-run") == 0
    kept = load_checkpoint(out)[1].training["options"]
    assert (kept["scene"], kept["cutouts"], kept["teacher_classes"]) == (0.5, CHECKPOINT.name, 1)


def test_a_teacher_without_classes_is_told_before_photos_are_read(folder, tmp_path, monkeypatch, capsys):
    teacher = Teacher(torch.nn.Conv2d(3, 12, 32, stride=32), mean=(0.5,) * 3, std=(0.5,) * 3)
    monkeypatch.setattr("catdog.training.run.load_teacher", lambda name: teacher)
    monkeypatch.setattr("catdog.training.run.read_photos", None)
    out = tmp_path / "net.safetensors"
    assert train("--data", folder, "--out", out, *TINY, "--teacher", "tiny", "--teacher-classes", 1) == 2
    assert "--teacher tiny has no classes to learn from: add --teacher-classes 0." in capsys.readouterr().err


def test_a_blended_batch_carries_the_labels_in_the_shares_of_its_pictures():
    pictures = torch.stack([torch.full((3, 8, 8), value) for value in (0.0, 1.0, 3.0)])
    targets = torch.tensor([[1.0, 0.0], [0.0, 1.0], [0.0, 0.0]])
    for options in ({"mixup": 0.5}, {"cutmix": 1.0}):
        mixed, labels = mixing(TrainConfig(place_loss=0.0, **options))(pictures, targets)
        share = labels[0, 0].item()  # of itself, beside the last picture, which has no label
        assert mixed[0].mean().item() == pytest.approx(3 * (1 - share), abs=1e-5)
        assert mixed[1].mean().item() == pytest.approx(labels[1, 1].item(), abs=1e-5)
    assert mixing(TrainConfig()) is None


def test_a_softmax_learns_the_shares_of_a_blended_batch():
    logits = torch.tensor([[2.0, -1.0]])
    cat, dog = (-torch.log_softmax(logits, 1)[0]).tolist()
    loss = label_loss(logits, torch.tensor([[0.7, 0.3]]), "cross-entropy", smoothing=0.0)
    assert loss.item() == pytest.approx(0.7 * cat + 0.3 * dog)


def stop_after(steps: int, patch: pytest.MonkeyPatch) -> None:
    """Press Ctrl-C while a step runs."""
    real, calls = loop.label_loss, []

    def label_loss(logits, targets, kind, smoothing):
        if logits.requires_grad:
            calls.append(1)
            if len(calls) == steps:
                signal.raise_signal(signal.SIGINT)
        return real(logits, targets, kind, smoothing)

    patch.setattr(loop, "label_loss", label_loss)


@pytest.mark.slow
def test_any_changed_byte_of_a_resume_state_is_noticed_with_a_way_out(folder, trained, tmp_path, capsys):
    out = tmp_path / "net.safetensors"
    content = trained.with_suffix(".resume").read_bytes()
    rng = np.random.default_rng(0)
    damaged = [content[:-1], content[: len(content) // 2], b"", content[DIGEST_SIZE:]]
    for place in (0, DIGEST_SIZE, len(content) - 1, *rng.integers(len(content), size=4)):
        damaged.append(content[:place] + bytes([content[place] ^ (1 << place % 8)]) + content[place + 1 :])
    for state in damaged:
        out.with_suffix(".resume").write_bytes(state)
        with pytest.raises(OptionError, match="is damaged or of an earlier version"):
            read_state(out.with_suffix(".resume"))
    assert train("--data", folder, "--out", out, *TINY, *SMALL_INPUT, "--resume") == 2
    said = capsys.readouterr().err
    assert "delete it and start again without --resume" in said and len(said.splitlines()) == 1
    assert not out.exists()


@pytest.mark.slow
def test_ctrl_c_ends_the_program_with_a_sentence_and_keeps_the_best(root, folder, tmp_path):
    out = tmp_path / "interrupted.safetensors"
    with popen(root, "--data", folder, "--out", out, *TINY, *SMALL_INPUT, "--workers", 1) as process:
        lines = []
        for line in process.stdout:
            lines.append(line)
            if line.startswith("epoch 1/2"):
                os.killpg(process.pid, signal.SIGINT)  # as a terminal does: to the workers too
    assert process.returncode == 1
    assert "--resume" in lines[-1] and not any("Traceback" in line for line in lines)
    assert out.exists()


def test_resume_with_other_options_is_refused(folder, trained, capsys):
    status = train("--data", folder, "--out", trained, *TINY, *SMALL_INPUT, "--resume", "--learning-rate", 0.01)
    assert status == 2
    assert "learning_rate" in capsys.readouterr().err


def test_resume_on_other_photos_is_refused(folder, trained, tmp_path, capsys):
    other = tmp_path / "photos"
    shutil.copytree(folder, other)
    next((other / "train" / "cat").iterdir()).unlink()
    assert train("--data", other, "--out", trained, *TINY, *SMALL_INPUT, "--resume") == 2
    assert "other photos" in capsys.readouterr().err


# Batch norm's statistics would be of half a batch. Photos of which nothing is put together differ least in rounding.
TOGETHER = [*TINY, *SMALL_INPUT, "--frozen-batch-norm", "--scene", 0, "--composite", 0]
ONE_MACHINE = ["--standalone", "--nproc-per-node=2"]


def torchrun(root: Path, launch: list[str], *arguments: object) -> subprocess.Popen[str]:
    command = [sys.executable, "-u", "-m", "torch.distributed.run", *launch, "scripts/train.py", *map(str, arguments)]
    return subprocess.Popen(
        command,
        cwd=root,
        env=os.environ
        | {"OMP_NUM_THREADS": "1"},  # as torchrun sets it for several processes on a machine, not for one
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


@pytest.fixture(scope="module")
def trained_by_two(root, folder, tmp_path_factory) -> tuple[Path, str]:
    """The checkpoint of an unbroken run of two processes, and what it said."""
    out = tmp_path_factory.mktemp("two") / "net.safetensors"
    with torchrun(root, ONE_MACHINE, "--data", folder, "--out", out, *TOGETHER) as process:
        said = process.stdout.read()
    assert process.returncode == 0, said
    return out, said


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_two_processes_reach_the_figures_of_one(folder, trained_by_two, tmp_path, capsys):
    out = tmp_path / "one.safetensors"
    assert train("--data", folder, "--out", out, *TOGETHER) == 0
    assert tuning_loss(trained_by_two[1]) == pytest.approx(tuning_loss(capsys.readouterr().out), abs=1e-4)
    one, two = (load_checkpoint(path)[1].held_out for path in (out, trained_by_two[0]))
    assert two["counts"] == one["counts"]
    assert two["pets"]["two_way_log_loss"]["value"] == pytest.approx(one["pets"]["two_way_log_loss"]["value"], abs=0.01)
    assert two["pets"]["two_way_accuracy"]["value"] == one["pets"]["two_way_accuracy"]["value"]


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_two_machines_end_with_the_weights_of_two_processes_on_one(root, folder, trained_by_two, tmp_path):
    """Two launchers that find each other, on this machine."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        endpoint = f"127.0.0.1:{free.getsockname()[1]}"
    launch = ["--nnodes=2", "--nproc-per-node=1", "--rdzv-backend=c10d", f"--rdzv-endpoint={endpoint}"]
    out = tmp_path / "net.safetensors"
    options = [root, [*launch, "--local-addr=127.0.0.1"], "--data", folder, "--out", out, *TOGETHER]
    with torchrun(*options) as first, torchrun(*options) as second:
        said = first.communicate()[0] + second.communicate()[0]
    assert (first.returncode, second.returncode) == (0, 0), said
    assert same(out, trained_by_two[0])


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="finds processes in /proc")
@pytest.mark.timeout(900)
def test_a_killed_process_ends_the_others_with_a_sentence_and_resume_goes_on(root, folder, trained_by_two, tmp_path):
    for rank in (1, 0):
        out = tmp_path / f"{rank}.safetensors"
        said = ""
        with torchrun(root, ONE_MACHINE, "--data", folder, "--out", out, *TOGETHER) as process:
            for line in process.stdout:
                said += line
                if line.startswith("epoch 1/2"):
                    os.kill(process_of_rank(rank, process.pid), signal.SIGKILL)
                    killed = time.monotonic()
        assert process.returncode == 1, said
        assert time.monotonic() - killed < 60
        assert "\ntrain.py: another process of this run ended: go on with --resume.\n" in said
        assert "Saved" not in said
    with torchrun(root, ONE_MACHINE, "--data", folder, "--out", out, *TOGETHER, "--resume") as process:
        said = process.stdout.read()
    assert process.returncode == 0, said
    assert "epoch 2/2" in said and "epoch 1/2" not in said
    assert same(out, trained_by_two[0])


def process_of_rank(rank: int, launcher: int) -> int:
    children = Path(f"/proc/{launcher}/task/{launcher}/children").read_text().split()
    [found] = [pid for pid in children if f"\0RANK={rank}\0" in f"\0{Path(f'/proc/{pid}/environ').read_text()}"]
    return int(found)


def tuning_loss(output: str) -> float:
    return float(re.search(r"tuning loss ([\d.]+)", output)[1])  # of the first epoch


@pytest.mark.slow
@pytest.mark.parametrize("arch", ["resnet34", "resnet50"])
def test_deeper_networks_train_and_answer_on_the_page_too(folder, examples, tmp_path, arch):
    out = tmp_path / f"{arch}.safetensors"
    assert train("--data", folder, "--out", out, *TINY, *SMALL_INPUT, "--arch", arch, "--dry-run") == 0
    classifier = catdog.load(out)
    [explanation] = classifier.explain(examples[:1])
    answer = explained(classifier, examples[0].read_bytes())
    assert answer["prediction"]["verdict"] == explanation.prediction.verdict
    assert explanation.evidence.sum((1, 2)) + explanation.bias == pytest.approx(explanation.prediction.logits, abs=1e-4)


def test_a_softmax_checkpoint_says_so_and_its_probabilities_add_up_to_one(folder, examples, tmp_path):
    out = tmp_path / "softmax.safetensors"
    assert train("--data", folder, "--out", out, *TINY, *SMALL_INPUT, "--loss", "cross-entropy", "--dry-run") == 0
    classifier = catdog.load(out)
    assert classifier.metadata.head == "softmax"
    [prediction] = classifier.classify(examples[:1])
    assert prediction.cat + prediction.dog == pytest.approx(1)
    answer = explained(classifier, examples[0].read_bytes())
    assert answer["prediction"]["verdict"] == prediction.verdict
    assert about(classifier)["head"] == "softmax"


@pytest.mark.slow
def test_the_tutorial_recipe_runs_through_the_same_code(folder, tmp_path):
    out = tmp_path / "tutorial.safetensors"
    options = ["--recipe", "tutorial", "--init", "none", "--workers", 0, "--dry-run"]
    assert train("--data", folder, "--out", out, *options) == 0
    metadata = load_checkpoint(out)[1]
    options = metadata.training["options"]
    assert (metadata.resize, metadata.head) == ("crop", "softmax")
    assert (options["optimizer"], options["learning_rate"], options["batch_size"]) == ("adam", 0.001, 32)


@pytest.fixture
def train_with_list(folder, trained, tmp_path, capsys):
    """Train with an option's CSV: of which labels each part then has more and fewer photos, and what was printed."""

    def run(option: str, rows: str) -> tuple[dict[str, tuple[list[str], ...]], str]:
        out, path = tmp_path / "net.safetensors", tmp_path / "list.csv"
        path.write_text(rows)
        assert train("--data", folder, "--out", out, *TINY, *SMALL_INPUT, f"--{option}", path) == 0
        training, without = (load_checkpoint(path)[1].training for path in (out, trained))
        assert training["options"][option] == "list.csv" and option not in without["options"]
        changes = {}
        for part in ("training", "tuning"):
            now, before = Counter(training["counts"][part]), Counter(without["counts"][part])
            changes[part] = tuple(
                [name.split()[-1] for name in each.elements()] for each in (now - before, before - now)
            )
        return changes, capsys.readouterr().out

    return run


@pytest.mark.slow
def test_relabeled_photos_have_their_new_label_and_the_checkpoint_says_so(train_with_list):
    rows = "path,label\ncat/train0.jpg,both\ncat/val0.jpg,both\ndog/train0.jpg,dog\n"
    changes, printed = train_with_list("relabel", rows)
    assert "2 training and tuning photos have another label, as " in printed
    assert changes == {"training": (["both"], ["cat"]), "tuning": (["both"], ["cat"])}


@pytest.mark.slow
def test_excluded_photos_are_not_trained_on_and_the_checkpoint_says_so(train_with_list):
    rows = "path,why\ncat/train0.jpg,a drawing\ncat/val0.jpg,not of the training photos\n"
    changes, printed = train_with_list("exclude", rows)
    assert "1 training photos are left out, as " in printed
    assert changes == {"training": ([], ["cat"]), "tuning": ([], [])}


@pytest.mark.slow
def test_without_negatives_the_run_warns_and_the_checkpoint_says_so(folder, tmp_path, capsys):
    pets = tmp_path / "pets"
    for part in ("train", "val"):
        (pets / part).mkdir(parents=True)
        for kind in ("cat", "dog"):
            (pets / part / kind).symlink_to(folder / part / kind)
    out = tmp_path / "pets.safetensors"
    assert train("--data", pets, "--out", out, *TINY, *SMALL_INPUT, "--dry-run") == 0
    assert "--neither DIR" in capsys.readouterr().err
    assert not load_checkpoint(out)[1].real_negatives


def test_unreadable_photos_are_skipped_named_with_their_folders_and_counted(folder, tmp_path, capsys):
    copy = tmp_path / "copy"
    shutil.copytree(folder, copy)
    broken = [copy / "train" / "cat" / "1.jpg", copy / "test" / "dog" / "1.jpg"]
    for path in broken:
        path.write_bytes(f"no photo: {path}".encode())
    out = tmp_path / "net.safetensors"
    assert train("--data", copy, "--out", out, *TINY, *SMALL_INPUT, "--dry-run") == 1
    said = capsys.readouterr().out
    assert all(f"Skipped: {path}: " in said for path in broken) and "2 photos could not be read" in said
    assert said.splitlines()[-1] == f"Open the page with it: python app.py --checkpoint {out}"
    assert out.exists()


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["--data", "nowhere"], "nowhere"),
        (["--data", "catdog"], "layouts"),
        (["--epochs", "-1"], "--epochs"),
        (["--loss", "cross-entropy", "--refit-head", "0.1"], "add --refit-head 0"),
        (["--learning-rate", "-1"], "--learning-rate"),
        (["--train-size", "100"], "multiple of 32"),
        (["--place-loss", "0.2", "--mixup", "0.4"], "--place-loss does not go with"),
        (["--out", "net.pth"], ".safetensors"),
        (["--device", "cuda:99"], "--device"),
        (["--no-such-option"], "no-such-option"),
        (["--init", "nowhere.pth"], "nowhere.pth"),
    ],
)
def test_wrong_use_is_one_sentence_and_status_2(root, tmp_path, monkeypatch, capsys, arguments, word):
    monkeypatch.chdir(root)
    defaults = ["--out", tmp_path / "net.safetensors", "--init", "none"]
    assert train(*defaults, *arguments) == 2
    assert word in capsys.readouterr().err


def test_a_folder_where_the_checkpoint_should_go_is_told_before_training(folder, tmp_path, capsys):
    (tmp_path / "net.safetensors").mkdir()
    assert train("--data", folder, "--out", tmp_path / "net.safetensors", "--init", "none") == 2
    assert "a folder" in capsys.readouterr().err


def test_without_data_and_network_the_way_out_is_told(tmp_path, monkeypatch, capsys):
    def unreachable(*arguments, **options):
        raise URLError("no network")

    monkeypatch.setattr("torchvision.datasets.OxfordIIITPet", unreachable)
    assert train("--out", tmp_path / "net.safetensors", "--init", "none") == 2
    assert "--data DIR" in capsys.readouterr().err


def test_without_network_imagenet_weights_have_a_way_out(folder, tmp_path, monkeypatch, capsys):
    def unreachable(*arguments, **options):
        raise URLError("no network")

    monkeypatch.setattr("torchvision.models._api.load_state_dict_from_url", unreachable)
    assert train("--data", folder, "--out", tmp_path / "net.safetensors", "--init", "imagenet") == 2
    assert "--init FILE" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "words"),
    [("resnet_one", f"it must be {LITE}"), ("alexnet", "cannot be downloaded"), (LITE, "pip install")],
)
def test_a_teacher_that_cannot_be_had_is_one_sentence_with_a_way_out(
    folder, tmp_path, monkeypatch, capsys, name, words
):
    def unreachable(*arguments, **options):
        raise URLError("no network")

    monkeypatch.setattr("torchvision.models._api.load_state_dict_from_url", unreachable)
    monkeypatch.setitem(sys.modules, "efficientnet_lite_pytorch", None)
    assert train("--data", folder, "--out", tmp_path / "net.safetensors", *TINY, "--teacher", name) == 2
    error = capsys.readouterr().err
    assert words in error and error.count("\n") == 1


def test_a_folder_without_photos_is_told_before_weights_are_fetched(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("torchvision.models._api.load_state_dict_from_url", lambda *arguments, **options: 1 / 0)
    assert train("--data", tmp_path, "--out", tmp_path / "net.safetensors", "--init", "imagenet") == 2
    assert "layouts" in capsys.readouterr().err


def test_a_folder_with_one_class_is_refused_before_training(folder, tmp_path, capsys):
    cats = tmp_path / "cats"
    for part in ("train", "val"):
        (cats / part).mkdir(parents=True)
        (cats / part / "cat").symlink_to(folder / part / "cat")
    assert train("--data", cats, "--out", tmp_path / "net.safetensors", *TINY) == 2
    assert "no dog" in capsys.readouterr().err


def test_too_few_photos_to_tune_on_are_told_before_training_with_a_way_out(folder, tmp_path, capsys):
    (tmp_path / "few").mkdir()
    for kind in ("cat", "dog"):
        (tmp_path / "few" / kind).symlink_to(folder / "train" / kind)
    assert train("--data", tmp_path / "few", "--out", tmp_path / "net.safetensors", *TINY) == 2
    assert "among the tuning photos: give more photos, or put some under val/." in capsys.readouterr().err


def test_a_full_disk_leaves_the_earlier_checkpoint_intact(folder, trained, tmp_path, capsys):
    out = tmp_path / "net.safetensors"
    shutil.copy(trained, out)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (out.stat().st_size // 2, limits[1]))  # bytes a file may have
    try:
        assert train("--data", folder, "--out", out, *TINY, *SMALL_INPUT, "--dry-run") == 2
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert os.strerror(errno.EFBIG) in capsys.readouterr().err
    assert equal(load_file(trained), load_file(out))


def test_held_out_photos_are_never_read_before_the_end(folder):
    photos = read_photos(find_photos(TrainConfig(data=(folder,), init="none")))
    used = {cached.photo.path for cached in (*photos.training, *photos.tuning)}
    held_out = {photo.path for found in read_folders([folder]) for photo in found.photos if photo.part == "held-out"}
    assert len(held_out) == 12
    assert not used & held_out


def test_binary_loss_is_torchs_with_labels_drawn_towards_one_half():
    logits, targets = torch.tensor([[2.0, -1.0]]), torch.tensor([[1.0, 0.0]])
    smooth = torch.tensor([[0.95, 0.05]])
    expected = torch.nn.functional.binary_cross_entropy_with_logits(logits, smooth)
    assert label_loss(logits, targets, "binary", smoothing=0.1).item() == pytest.approx(expected.item())


def test_the_place_loss_asks_that_the_strongest_place_lies_on_its_animal():
    evidence = torch.zeros(3, 2, 1, 3)
    evidence[0, 0] = torch.tensor([1.0, 3.0, 2.0]) / 3  # as logits 1, 3, 2
    evidence.requires_grad_()
    places = torch.zeros(3, 2, 1, 3)
    places[0, 0] = torch.tensor([1.0, 0.0, 0.9])  # a cat at both ends, something else between them
    places[1, 1] = 1.0  # a dog alone
    loss = place_loss(evidence, places)
    loss.backward()
    assert loss.item() == pytest.approx(np.log1p(np.exp(3 - 2)) / 3)
    assert evidence.grad[0, 0].sign().tolist() == [[0, 1, -1]]
    assert not evidence.grad[1:].any() and not evidence.grad[0, 1].any()


def test_without_photos_put_together_the_place_loss_is_nothing():
    places = torch.tensor([[1.0, 0.0], [0.0, 0.0]])[..., None, None].expand(2, 2, 5, 5)
    assert place_loss(torch.randn(2, 2, 5, 5), places).item() == 0


@pytest.mark.slow
def test_bfloat16_layers_learn_nearly_the_same_and_keep_their_weights_in_single_precision(tiny_network):
    pictures = torch.rand(8, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    places = torch.ones(8, 2, 2, 2)
    targets = torch.tensor([[1.0, 0.0], [0.0, 1.0]] * 4)
    losses = {}
    for bfloat16 in (False, True):
        config = TrainConfig(bfloat16=bfloat16, frozen_stages=0)
        network = copy.deepcopy(tiny_network).requires_grad_(True)
        run = Run(network, config, torch.device("cpu"), steps_per_epoch=10, photos="")
        losses[bfloat16] = [train_step(run, pictures, targets, places)[0] for _ in range(5)]
        assert {weight.dtype for weight in run.network.parameters()} == {torch.float32}
    assert losses[True] == pytest.approx(losses[False], rel=0.02)
    assert losses[True] != losses[False]


def too_small(largest: int, sizes: list[int]):
    """A training step's forward pass with memory for so many pictures."""
    real = TrainingNetwork.forward

    def forward(self, pictures):
        sizes.append(len(pictures))
        if len(pictures) > largest:
            raise torch.OutOfMemoryError("CUDA out of memory.")
        return real(self, pictures)

    return forward


@pytest.mark.parametrize("largest", [1, 3])
def test_the_gradients_of_a_batch_that_does_not_fit_are_those_of_the_whole(tiny_network, monkeypatch, largest):
    rng = torch.Generator().manual_seed(0)
    batch = (
        torch.rand(7, 3, 64, 64, generator=rng),
        torch.eye(2).repeat(4, 1)[:7],
        torch.rand(7, 2, 2, 2, generator=rng),
    )
    config = TrainConfig(frozen_batch_norm=True, frozen_stages=0, place_loss=0.2)

    def backward() -> tuple[tuple[float, float], list[torch.Tensor]]:
        run = Run(copy.deepcopy(tiny_network).requires_grad_(True), config, torch.device("cpu"), 10, photos="")
        gradients = []
        run.optimizer.register_step_pre_hook(
            lambda *_: gradients.extend(weight.grad.clone() for weight in run.network.parameters())
        )
        return train_step(run, *batch), gradients

    (loss, correct), whole = backward()
    sizes: list[int] = []
    monkeypatch.setattr(TrainingNetwork, "forward", too_small(largest, sizes))
    (loss_in_parts, correct_in_parts), in_parts = backward()
    assert sizes[0] == 7 and max(sizes[-3:]) <= largest
    assert loss_in_parts == pytest.approx(loss) and correct_in_parts == correct
    torch.testing.assert_close(in_parts, whole, atol=1e-5, rtol=1e-3)


def test_weights_that_have_begun_to_change_are_no_place_to_begin_a_step_anew(tiny_network, monkeypatch):
    network = copy.deepcopy(tiny_network).requires_grad_(True)
    run = Run(network, TrainConfig(), torch.device("cpu"), 10, photos="")

    def step() -> None:
        raise torch.OutOfMemoryError("CUDA out of memory.")

    monkeypatch.setattr(run.optimizer, "step", step)
    with pytest.raises(torch.OutOfMemoryError):
        train_step(run, torch.rand(4, 3, 64, 64), torch.eye(2).repeat(2, 1), torch.ones(4, 2, 2, 2))
    assert run.parts == 1


@pytest.mark.slow
def test_a_run_whose_batches_do_not_fit_goes_on_with_parts_and_says_so_once(folder, tmp_path, monkeypatch, capsys):
    sizes: list[int] = []
    monkeypatch.setattr(TrainingNetwork, "forward", too_small(4, sizes))
    out = tmp_path / "net.safetensors"
    assert train("--data", folder, "--out", out, *TINY, *SMALL_INPUT, "--dry-run") == 0
    assert sizes == [8, 4, 4, 4, 4]  # two steps
    said = [line for line in capsys.readouterr().err.splitlines() if "memory" in line]
    assert len(said) == 1 and "in 2 parts, and batch norm sees a part at a time." in said[0]
    assert load_checkpoint(out)[1].training["finished"]


def test_memory_too_small_for_one_photo_ends_training_in_a_sentence(folder, tmp_path, monkeypatch, capsys):
    sizes: list[int] = []
    monkeypatch.setattr(TrainingNetwork, "forward", too_small(0, sizes))
    out = tmp_path / "net.safetensors"
    assert train("--data", folder, "--out", out, *TINY, *SMALL_INPUT, "--dry-run") == 2
    assert sizes == [8, 4, 2, 1]
    last = capsys.readouterr().err.splitlines()[-1]
    assert last == "train.py: The memory is too small: take a smaller --batch-size or --train-size."


def test_frozen_stages_get_no_gradient_and_keep_their_batch_norm():
    network = ResNet(ResidualBlock, (1, 1, 1, 1), 2)
    freeze(network, stages=2, batch_norm=False)
    before = {name: value.clone() for name, value in network.named_buffers()}
    network(torch.randn(2, 3, 64, 64)).sum().backward()
    frozen = ("conv1", "bn1", "layer1", "layer2")
    for name, parameter in network.named_parameters():
        assert (parameter.grad is None) == name.startswith(frozen), name
    for name, value in network.named_buffers():
        assert torch.equal(value, before[name]) == name.startswith(frozen), name


def test_earlier_stages_learn_more_slowly():
    network = ResNet(ResidualBlock, (1, 1, 1, 1), 2)
    groups = make_optimizer(network, TrainConfig(learning_rate=1e-2, stage_decay=0.1, frozen_stages=1)).param_groups
    rate = {id(parameter): group["lr"] for group in groups for parameter in group["params"]}
    rates = [rate[id(parameter)] for parameter in (network.layer2[0].conv1.weight, network.layer3[0].conv1.weight)] + [
        rate[id(parameter)] for parameter in (network.layer4[0].conv1.weight, network.fc.weight)
    ]
    assert rates == pytest.approx([1e-4, 1e-3, 1e-2, 1e-2])
    assert id(network.conv1.weight) not in rate


@pytest.mark.parametrize("schedule", ["one-cycle", "cosine", "step"])
def test_every_schedule_ends_far_below_its_peak(schedule):
    network = ResNet(ResidualBlock, (1, 1, 1, 1), 2)
    config = TrainConfig(schedule=schedule, epochs=6)
    optimizer = make_optimizer(network, config)
    scheduler = make_scheduler(optimizer, config, steps_per_epoch=10)
    rates = []
    for _ in range(6 if schedule == "step" else 60):
        rates.append(optimizer.param_groups[-1]["lr"])
        optimizer.step()
        scheduler.step()
    assert max(rates) == pytest.approx(config.learning_rate, rel=0.01)  # one-cycle's peak falls between two steps
    assert rates[-1] <= 0.02 * max(rates)


def test_the_tutorial_recipe_changes_no_default_of_ours():
    assert RECIPES["default"] == TrainConfig()


def test_a_run_from_a_checkpoint_names_the_run_before_and_has_seen_its_photos(folder, trained, tmp_path):
    other = tmp_path / "photos"
    shutil.copytree(folder, other)
    for path in other.rglob("*.jpg"):
        Image.open(path).rotate(90).save(path)
    out = tmp_path / "again.safetensors"
    assert train("--data", other, "--out", out, *TINY[2:], *SMALL_INPUT, "--init", trained, "--dry-run") == 0
    metadata = load_checkpoint(out)[1]
    assert metadata.training["before"]["init"] == "none"
    assert metadata.training["before"]["epochs_run"] == 2
    for place in (folder, other):
        assert some_seen(metadata.training["photos"], read_folders([place])[0].photos)
    card = out.with_suffix(".md").read_text(encoding="utf-8")
    assert card.index("From `none`, epochs: 2") < card.index("From `net.safetensors`, epochs: 1")


@pytest.mark.slow
def test_weights_are_averaged_with_those_of_earlier_runs(folder, trained, tmp_path):
    out = tmp_path / "net.safetensors"
    options = ["--data", folder, "--out", out, *TINY, *SMALL_INPUT, "--seed", 5]
    assert train(*options) == 0
    alone = load_checkpoint(out)[0].state_dict()
    assert train(*options, "--resume", "--average", trained, "--average-weight", 0.25) == 0
    earlier, both = load_checkpoint(trained)[0].state_dict(), load_checkpoint(out)[0].state_dict()
    for name in ("conv1.weight", "bn1.running_mean", "fc.bias"):
        torch.testing.assert_close(both[name], 0.8 * alone[name] + 0.2 * earlier[name], atol=2e-3, rtol=2e-3)
    metadata = load_checkpoint(out)[1]
    assert metadata.training["options"]["average"].startswith(f"{trained.name} (")
    assert metadata.training["options"]["average_weight"] == 0.25
    [averaged] = metadata.training["averaged"]
    assert averaged["options"]["seed"] == load_checkpoint(trained)[1].training["options"]["seed"] != 5


def test_without_an_epoch_nothing_is_trained_and_what_comes_afterwards_is_made_anew(folder, tmp_path):
    first, out = tmp_path / "first.safetensors", tmp_path / "net.safetensors"
    options = ["--data", folder, *SMALL_INPUT, "--teacher", "none", "--epochs"]
    assert train(*options, 1, "--out", first, "--init", "none") == 0
    assert train(*options, 0, "--out", out, "--init", first) == 0
    before, after = load_checkpoint(first)[0].state_dict(), load_checkpoint(out)
    for name, value in after[0].state_dict().items():
        assert torch.equal(value, before[name]), name
    training = after[1].training
    assert training["epochs_run"] == 0 and training["tuning"]["tuning_loss"] > 0
    assert after[1].held_out
    card = out.with_suffix(".md").read_text(encoding="utf-8")
    assert "From `first.safetensors`, epochs: 0. PyTorch" in card
    assert not out.with_suffix(".resume").exists()


@pytest.mark.slow
def test_the_head_is_fitted_once_more_where_that_is_asked(folder, tmp_path):
    out = tmp_path / "net.safetensors"
    options = ["--data", folder, "--out", out, *TINY, *SMALL_INPUT]
    assert train(*options) == 0
    trained, before = load_checkpoint(out)
    assert train(*options, "--resume", "--refit-head", 0.01) == 0
    refitted, after = load_checkpoint(out)
    for name, value in trained.state_dict().items():
        assert torch.equal(value, refitted.state_dict()[name]) == (not name.startswith("fc.")), name
    assert after.training["options"]["refit_head"] == 0.01
    assert after.training["tuning"]["tuning_loss"] != before.training["tuning"]["tuning_loss"]
