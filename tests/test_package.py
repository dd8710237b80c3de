"""The wheel, installed into an environment of its own and used from another folder."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import urllib.request
import venv
import zipfile
from pathlib import Path

import pytest
import yaml
from folders import SMALL_INPUT, write_photos

import catdog
from catdog.cli import main
from catdog.training.teacher import INSTALL_LITE


@pytest.fixture(scope="module")
def photos(tmp_path_factory, examples) -> Path:
    return write_photos(tmp_path_factory.mktemp("photos"), examples, (8, 4, 4), side=72)


def test_the_command_tells_its_version(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["catdog", "--version"])
    assert main() == 0
    assert capsys.readouterr().out == f"catdog {catdog.__version__}\n"


def test_changelog_and_citation_name_the_version_of_the_package(root):
    changelog = (root / "CHANGELOG.md").read_text(encoding="utf-8")
    newest = re.search(r"^## (\d\S+) \((\d{4}-\d\d-\d\d)\)$", changelog, re.MULTILINE)
    citation = yaml.safe_load((root / "CITATION.cff").read_text(encoding="utf-8"))
    assert newest.groups() == (catdog.__version__, str(citation["date-released"]))
    assert citation["version"] == catdog.__version__


def test_no_example_is_under_a_license_that_the_whole_page_would_have_to_take(root):
    rows = re.findall(
        r"^\| `[^`]+\.jpg`.*$", (root / "examples" / "README.md").read_text(encoding="utf-8"), re.MULTILINE
    )
    assert rows
    for row in rows:
        assert "GPL" not in row, row


def test_a_dry_run_without_the_teacher_s_packages_goes_on_without_it_and_says_so(
    script, photos, tmp_path, monkeypatch, capsys
):
    monkeypatch.setitem(sys.modules, "efficientnet_lite_pytorch", None)
    out = tmp_path / "net.safetensors"
    options = ["--data", photos, "--out", out, "--init", "none", "--batch-size", 8, "--workers", 0, *SMALL_INPUT]
    assert script("train", *options, "--dry-run") == 0
    assert INSTALL_LITE in capsys.readouterr().err and out.exists()
    assert script("train", *options) == 2
    assert INSTALL_LITE in capsys.readouterr().err


@pytest.fixture(scope="module")
def wheel(root, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    build = ["wheel", "--quiet", "--no-deps", "--no-build-isolation", "--wheel-dir", folder, root]
    subprocess.run([sys.executable, "-m", "pip", *build], check=True)
    [path] = folder.glob("*.whl")
    return path


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory) -> Path:
    """The folder of the commands of an environment that has this wheel; its dependencies are those of the tests."""
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder, with_pip=True)
    commands = folder / ("Scripts" if os.name == "nt" else "bin")
    subprocess.run([commands / "python", "-m", "pip", "install", "--quiet", "--no-deps", wheel], check=True)
    [packages] = folder.rglob("site-packages")
    (packages / "dependencies.pth").write_text(f"{sysconfig.get_path('purelib')}\n", encoding="utf-8")
    return commands


@pytest.fixture
def run(installed, tmp_path):
    """Runs a command of that environment in a folder that knows nothing of the checkout: what it printed."""

    def call(command: str, *arguments: object) -> str:
        environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
        done = subprocess.run(
            [installed / command, *map(str, arguments)], cwd=tmp_path, env=environment, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    return call


@pytest.mark.slow
def test_the_wheel_holds_the_checkpoint_the_examples_and_the_page(root, wheel, examples):
    names = set(zipfile.ZipFile(wheel).namelist())
    assert {"catdog/py.typed", "catdog/examples/README.md"} <= names
    assert {f"catdog/checkpoints/catdog-resnet18{kind}" for kind in (".safetensors", ".md")} <= names
    assert {f"catdog/examples/{path.name}" for path in examples} <= names
    page = {path.relative_to(root).as_posix() for path in (root / "catdog" / "page").rglob("*") if path.is_file()}
    assert {name for name in page if "__pycache__" not in name and not name.endswith(".pyi")} <= names
    assert not [name for name in names if not name.startswith(("catdog/", f"catdog-{catdog.__version__}.dist-info/"))]


@pytest.mark.slow
def test_the_package_answers_from_another_folder(run, installed, examples):
    program = "import catdog, sys; print(catdog.__file__); print(catdog.load().classify(sys.argv[1:])[0].verdict)"
    place, verdict = run("python", "-c", program, examples[1]).split()
    assert Path(place).is_relative_to(installed.parent) and verdict == "cat"
    metadata = run("python", "-c", "import importlib.metadata; print(importlib.metadata.version('catdog'))")
    assert metadata.strip() == catdog.__version__ == run("catdog", "--version").split()[1]


@pytest.mark.slow
def test_every_command_works_from_another_folder(run, photos, examples, tmp_path):
    assert f"{examples[1]}: cat " in run("catdog", "predict", *examples[1:3])
    options = ["--init", "none", "--batch-size", 8, "--workers", 0, *SMALL_INPUT]
    run("catdog", "train", "--dry-run", "--data", photos, "--out", "mine.safetensors", *options)
    assert (tmp_path / "mine.safetensors").stat().st_size > 2**20
    assert "two-way" in run("catdog", "evaluate", "--data", photos, "--split", "all", "--device", "cpu")
    run("catdog", "export", "--format", "onnx", "--out", "mine.onnx")
    assert (tmp_path / "mine.onnx").stat().st_size > 2**20


@pytest.mark.slow
def test_the_page_opens_from_another_folder_with_its_examples(installed, tmp_path, examples):
    command = [installed / "catdog", "app", "--host", "127.0.0.1", "--device", "cpu"]
    environment = os.environ | {"GRADIO_ANALYTICS_ENABLED": "False", "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, text=True, env=environment) as process:
        try:
            address = next(found for line in process.stdout if (found := re.search(r"http://[\d.:]+", line)))[0]
            with urllib.request.urlopen(f"{address}/about.json") as answer:
                told = json.load(answer)["examples"]
            assert {Path(each["photo"]).name for each in told} == {path.name for path in examples}
            with urllib.request.urlopen(address) as answer:
                page = answer.read().decode()
            script, style = re.search(r'src="(\S+/app\.js)"', page)[1], re.search(r'href="(\S+/style\.css)"', page)[1]
            for name in (script, style, told[0]["photo"], "favicon.ico", "card.jpg", "figures.json"):
                with urllib.request.urlopen(f"{address}/{name}") as answer:
                    assert answer.status == 200 and answer.read(), name
        finally:
            process.kill()


def test_workflows_and_forms_are_whole(root):
    workflow = yaml.safe_load((root / ".github" / "workflows" / "checks.yml").read_text(encoding="utf-8"))
    assert workflow["jobs"]["tests"]["strategy"]["matrix"]["python"] == ["3.10", "3.14"]
    for job in workflow["jobs"].values():
        assert job["runs-on"] and all("uses" in step or "run" in step for step in job["steps"])
    for name in ("bug", "feature"):
        form = yaml.safe_load((root / ".github" / "ISSUE_TEMPLATE" / f"{name}.yml").read_text(encoding="utf-8"))
        assert form["name"] and form["description"] and form["body"]
    hooks = yaml.safe_load((root / ".pre-commit-config.yaml").read_text(encoding="utf-8"))["repos"][0]["hooks"]
    assert all(shutil.which(hook["entry"].split()[0], path=Path(sys.executable).parent) for hook in hooks)
