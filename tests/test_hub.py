"""Checkpoints by owner/name, from a stand-in of the Hugging Face Hub on this machine."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import huggingface_hub
import pytest
import torch
from huggingface_hub import HfApi

from catdog import load
from catdog.checkpoint import CheckpointError, Metadata, load_checkpoint, save_checkpoint
from catdog.hub import is_repository

COMMIT = "0123456789abcdef0123456789abcdef01234567"


class Hub(ThreadingHTTPServer):
    """Repositories by name, each a dict of files; what the Hub answers about them, as far as it is asked for here."""

    daemon_threads = True

    def __init__(self, repositories: dict[str, dict[str, bytes]]) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.repositories = repositories
        self.downloads: list[str] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    server: Hub

    def do_GET(self) -> None:
        name, file = self.asked()
        if name == "company/gated":
            return self.refuse(403, "GatedRepo")
        if name == "company/broken":
            return self.refuse(500, "")
        if name not in self.server.repositories:  # a private one reads the same to a stranger
            return self.refuse(401, "RepoNotFound")
        if file is None:
            siblings = [{"rfilename": each} for each in self.server.repositories[name]]
            return self.answer(json.dumps({"id": name, "sha": COMMIT, "siblings": siblings}).encode())
        self.server.downloads.append(f"{self.command} {name}/{file}")
        self.answer(self.server.repositories[name][file])

    do_HEAD = do_GET

    def asked(self) -> tuple[str, str | None]:
        """The repository, and the file in it: /api/models/OWNER/NAME or /OWNER/NAME/resolve/REVISION/FILE."""
        parts = self.path.partition("?")[0].strip("/").split("/")
        if parts[:2] == ["api", "models"]:
            return "/".join(parts[2:4]), None
        return "/".join(parts[:2]), "/".join(parts[4:])

    def answer(self, content: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.send_header("ETag", f'"{hashlib.sha256(content).hexdigest()}"')
        self.send_header("X-Repo-Commit", COMMIT)
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(content)

    def refuse(self, status: int, code: str) -> None:
        self.send_response(status)
        self.send_header("X-Error-Code", code)
        self.send_header("X-Error-Message", "refused")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *arguments: object) -> None:
        pass


@pytest.fixture(scope="module")
def weights(tmp_path_factory, network18) -> bytes:
    path = tmp_path_factory.mktemp("hub") / "x.safetensors"
    save_checkpoint(path, network18, Metadata(present=0.25))
    return path.read_bytes()


@pytest.fixture
def hub(weights, tmp_path, monkeypatch) -> Iterator[Hub]:
    other = b"another network's"
    server = Hub(
        {
            "someone/catdog": {"README.md": b"# card", "model.safetensors": weights},
            "someone/two": {"first.safetensors": other, "weights/catdog-resnet18.safetensors": weights},
            "someone/many": {"first.safetensors": other, "second.safetensors": other},
            "someone/pickles": {"pytorch_model.bin": other},
        }
    )
    Thread(target=server.serve_forever, daemon=True).start()
    cache = tmp_path / "cache"
    for name, make in (("HfApi", HfApi), ("snapshot_download", huggingface_hub.snapshot_download)):
        stand_in = partial(make, endpoint=server.url, token=False)
        monkeypatch.setattr(huggingface_hub, name, stand_in)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(cache))
    yield server
    server.shutdown()
    server.server_close()


def refusal(name: str) -> str:
    with pytest.raises(CheckpointError) as caught:
        load_checkpoint(name)
    assert name in str(caught.value) and "\n" not in str(caught.value)
    return str(caught.value)


def test_the_only_safetensors_file_of_a_repository_is_its_checkpoint(hub, network18):
    classifier = load("someone/catdog", "cpu")
    assert classifier.metadata.present == 0.25
    assert torch.equal(classifier.network.fc.weight, network18.fc.weight.half().float())


def test_it_is_downloaded_once(hub):
    for _ in range(2):
        load_checkpoint("someone/catdog")
    assert [each for each in hub.downloads if each.startswith("GET")] == ["GET someone/catdog/model.safetensors"]


def test_of_several_files_the_one_called_catdog_is_taken_and_the_others_are_left(hub):
    assert load_checkpoint(Path("someone/two"))[1].present == 0.25
    assert {each.partition(" ")[2] for each in hub.downloads} == {"someone/two/weights/catdog-resnet18.safetensors"}


def test_several_files_and_none_are_refused(hub):
    assert "several .safetensors files (first.safetensors, second.safetensors)" in refusal("someone/many")
    assert "has no .safetensors file" in refusal("someone/pickles")
    assert not hub.downloads


def test_a_missing_or_private_repository_is_told_with_the_way_to_a_private_one(hub):
    said = refusal("someone/nothing")
    assert "no such repository" in said and "hf auth login" in said


def test_a_repository_that_asks_for_permission_says_where_to_get_it(hub):
    assert "asks for permission" in refusal("company/gated")


def test_a_hub_that_fails_is_told(hub):
    assert "cannot be reached" in refusal("company/broken")


def test_without_a_network_what_was_downloaded_before_is_used(hub):
    load_checkpoint("someone/catdog")
    hub.shutdown()
    hub.server_close()
    assert load_checkpoint("someone/catdog")[1].present == 0.25
    said = refusal("someone/two")
    assert "cannot be reached" in said and "give the file's path" in said


def test_a_path_that_exists_is_that_file(hub, weights, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "someone").mkdir()
    (tmp_path / "someone" / "nothing").write_bytes(weights)
    assert load_checkpoint("someone/nothing")[1].present == 0.25


@pytest.mark.parametrize(
    "name", ["one", "a/b/c", "./b", "../b", "/b", "a/", "a b/c", "runs/mine.safetensors", "runs/net.pth", "a\\b"]
)
def test_what_cannot_be_a_repository_s_name_is_a_file_s(name):
    assert not is_repository(name)


@pytest.mark.slow
def test_a_command_takes_a_checkpoint_from_the_hub_and_tells_a_missing_one_in_a_sentence(root, hub, examples, tmp_path):
    environment = os.environ | {"HF_ENDPOINT": hub.url, "HF_HOME": str(tmp_path / "home"), "NO_PROXY": "127.0.0.1"}

    def predict(name: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "scripts/predict.py", str(examples[0]), "--checkpoint", name]
        return subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, timeout=250)

    done = predict("someone/catdog")
    assert done.returncode == 0 and examples[0].name in done.stdout
    done = predict("someone/nothing")
    assert done.returncode == 2 and done.stderr.startswith("predict.py: There is no file someone/nothing here")
    assert len(done.stderr.splitlines()) == 1
