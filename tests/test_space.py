"""The folder that turns an upload of the project into a Hugging Face Space."""

from __future__ import annotations

import re
import shlex

import pytest
import tomlkit
import yaml
from huggingface_hub import SpaceCardData
from huggingface_hub.utils import filter_repo_objects
from packaging.requirements import Requirement

ZERO_GPU_TORCH = "2.11.0"  # the newest release that ZeroGPU has
ZERO_GPU_PYTHONS = {"3.10", "3.12"}


@pytest.fixture(scope="module")
def header(root) -> dict[str, object]:
    return yaml.safe_load((root / "spaces" / "README.md").read_text(encoding="utf-8").split("---\n")[1])


def requirements_of(path) -> dict[str, Requirement]:
    lines = [line.partition("#")[0].strip() for line in path.read_text(encoding="utf-8").splitlines()]
    return {each.name: each for each in map(Requirement, filter(None, lines))}


def test_the_header_has_only_keys_that_spaces_know(header):
    known = {"short_description", *vars(SpaceCardData(**header))}
    documented = {
        "title",
        "emoji",
        "colorFrom",
        "colorTo",
        "sdk",
        "sdk_version",
        "python_version",
        "app_file",
        "license",
    }
    assert set(header) <= known and documented <= set(header)
    assert {header["colorFrom"], header["colorTo"]} <= {
        "red", "yellow", "green", "blue", "indigo", "purple", "pink", "gray",
    }  # fmt: skip
    assert len(header["short_description"]) <= 60


def test_the_header_fits_the_project(root, header):
    project = tomlkit.parse((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert header["sdk"] == "gradio"
    assert requirements_of(root / "requirements.txt")["gradio"].specifier.contains(header["sdk_version"])
    assert (root / header["app_file"]).is_file()
    assert header["license"] == project["license"].lower()
    assert header["python_version"] in ZERO_GPU_PYTHONS
    assert f"Programming Language :: Python :: {header['python_version']}" in project["classifiers"]


def test_a_space_takes_a_torch_that_zero_gpu_has(root):
    first = requirements_of(root / "spaces" / "pre-requirements.txt")
    ranges = requirements_of(root / "requirements.txt")
    assert set(first) == {"torch", "torchvision"}
    for torch, vision, fits in [(ZERO_GPU_TORCH, "0.26.0", True), ("2.12.0", "0.27.0", False)]:
        assert first["torch"].specifier.contains(torch) is fits
        assert first["torchvision"].specifier.contains(vision) is fits
        assert ranges["torch"].specifier.contains(torch) and ranges["torchvision"].specifier.contains(vision)


def test_the_commands_upload_what_the_page_needs_and_nothing_else(root):
    text = (root / "docs" / "hosting.md").read_text(encoding="utf-8")
    [everything] = re.findall(r"^hf upload \S+ \. \. .*$", text, re.MULTILINE)
    [space] = re.findall(r"^hf upload \S+ spaces \. .*$", text, re.MULTILINE)
    words = shlex.split(everything)
    patterns = {
        option: [words[i + 1] for i, word in enumerate(words) if word == option]
        for option in ("--include", "--exclude")
    }
    files = [
        path.relative_to(root).as_posix()
        for path in root.rglob("*")
        if path.is_file() and not {".git", ".venv"} & set(path.parts)
    ]
    sent = set(filter_repo_objects(files, allow_patterns=patterns["--include"], ignore_patterns=patterns["--exclude"]))
    assert {"app.py", "requirements.txt", "LICENSE", "catdog/cli/app.py", "catdog/page/web/index.html"} <= sent
    assert {"checkpoints/catdog-resnet18.safetensors", "examples/README.md", "examples/cat-chelsea.jpg"} <= sent
    assert not [name for name in sent if name.startswith(("tests", "docs", "README", ".venv"))]
    assert "--repo-type space" in everything and "--repo-type space" in space
