"""Nothing that is pickled in a file is run; a whole model is told how to become a state dict."""

from __future__ import annotations

import io
import os
import pickle
import shlex
import subprocess
import sys
import zipfile
from collections import defaultdict
from pathlib import Path

import pytest
import torch
from torchvision import models

from catdog.checkpoint import CheckpointError, load_checkpoint, load_initial_weights
from catdog.resnet import resnet18


class Bomb:
    """Makes a folder when it is unpickled."""

    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self):
        return os.mkdir, (str(self.target),)


class Opened:
    """Makes a file when it is unpickled, by a function that torch does not block by name."""

    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self):
        return io.open, (str(self.target), "w")


def torch_saved(content, **options) -> bytes:
    buffer = io.BytesIO()
    torch.save(content, buffer, **options)
    return buffer.getvalue()


def refusal(path: Path) -> str:
    with pytest.raises(CheckpointError) as caught:
        load_checkpoint(path)
    assert path.name in str(caught.value) and "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("bomb", [Bomb, Opened])
@pytest.mark.parametrize(
    "wrap",
    [
        pickle.dumps,
        lambda bomb: pickle.dumps(bomb, protocol=0),
        torch_saved,
        lambda bomb: torch_saved(bomb, _use_new_zipfile_serialization=False),
        lambda bomb: torch_saved({"state_dict": {"fc.weight": torch.zeros(1), "fc.bias": bomb}}),
    ],
    ids=["pickle", "old pickle", "torch.save", "old torch.save", "torch.save state_dict"],
)
@pytest.mark.parametrize(
    "load", [load_checkpoint, lambda path: load_initial_weights(resnet18(), path)], ids=["load", "init"]
)
def test_pickled_code_is_refused_and_never_run(tmp_path, wrap, load, bomb):
    target = tmp_path / "boom"
    pickle.loads(pickle.dumps(bomb(target)))
    assert target.exists(), "the bomb is armed"
    target.rmdir() if target.is_dir() else target.unlink()
    (tmp_path / "model.pt").write_bytes(wrap(bomb(target)))
    with pytest.raises(CheckpointError):
        load(tmp_path / "model.pt")
    assert not target.exists()


def test_what_is_pickled_beside_the_weights_is_passed_over_and_not_run(tmp_path, network18):
    target = tmp_path / "boom"
    content = {"opened": Opened(target), "counts": defaultdict(list, a=[1]), "model": network18.state_dict()}
    (tmp_path / "model.pt").write_bytes(torch_saved(content))
    assert torch.equal(load_checkpoint(tmp_path / "model.pt")[0].fc.weight, network18.fc.weight)
    assert not target.exists()


@pytest.mark.parametrize("wrapped", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_a_whole_model_is_refused_with_the_command_that_makes_a_state_dict_of_it(tmp_path, wrapped):
    network = models.resnet18(num_classes=2).eval()
    path = tmp_path / "it's whole.pth"
    torch.save({"epoch": 3, "model": network} if wrapped else network, path)
    said = refusal(path)
    assert "whole pickled model" in said and "never run" in said
    command = shlex.split(said[said.index("python -c") :])
    subprocess.run([sys.executable, *command[1:]], check=True, timeout=120)
    made = tmp_path / "it's whole-state_dict.pth"
    assert torch.equal(load_checkpoint(made)[0].fc.weight, network.fc.weight)


def test_an_old_file_of_a_whole_model_is_told_the_same_command(tmp_path):
    path = tmp_path / "old.pth"
    torch.save(models.resnet18(num_classes=2), path, _use_new_zipfile_serialization=False)
    said = refusal(path)
    assert "never run" in said and "weights_only=False" in said


def test_a_torchscript_archive_is_told_its_own_command(tmp_path):
    path = tmp_path / "script.pt"
    torch.jit.save(torch.jit.script(torch.nn.Linear(2, 2)), path)
    said = refusal(path)
    assert "TorchScript" in said and "torch.jit.load(source)" in said


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9999])
def test_a_file_that_is_cut_off_is_refused(tmp_path, network18, share):
    content = torch_saved(network18.state_dict())
    (tmp_path / "cut.pth").write_bytes(content[: int(len(content) * share)])
    refusal(tmp_path / "cut.pth")


def test_a_zip_file_of_something_else_is_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "photos.zip", "w") as archive:
        archive.writestr("cat.txt", "meow")
    assert "zip file" in refusal(tmp_path / "photos.zip")


def test_no_warning_of_torch_reaches_who_loads_a_file(tmp_path, network18, recwarn):
    torch.save({"model": network18.state_dict()}, tmp_path / "three.pth", pickle_protocol=3)
    load_checkpoint(tmp_path / "three.pth")
    assert not recwarn.list
