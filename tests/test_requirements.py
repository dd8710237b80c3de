"""What is installed, why, and in which versions."""

from __future__ import annotations

import re

import pytest
from packaging.requirements import Requirement
from packaging.version import Version


def requirements(root, name: str) -> dict[str, tuple[Requirement, str]]:
    """Of each line that names a package: the requirement and the reason."""
    found = {}
    for line in (root / name).read_text(encoding="utf-8").splitlines():
        wanted, _, reason = line.partition("#")
        if wanted.strip() and not wanted.startswith("-"):
            found[Requirement(wanted).name] = Requirement(wanted), reason.strip()
    return found


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-dev.txt"])
def test_every_package_has_a_reason(root, name):
    for package, (_, reason) in requirements(root, name).items():
        assert reason, package


def test_the_lock_holds_every_package_in_its_range_and_with_hashes(root):
    text = (root / "requirements.lock").read_text(encoding="utf-8")
    entries = re.findall(r"^([A-Za-z0-9._-]+)==([^\s;]+)((?:.*\\\n)*.*)", text, re.MULTILINE)
    assert len(entries) > 40
    versions: dict[str, list[Version]] = {}
    for name, version, rest in entries:
        assert re.search(r"--hash=sha256:[0-9a-f]{64}", rest), name
        versions.setdefault(name, []).append(Version(version))
    for package, (wanted, _) in requirements(root, "requirements.txt").items():
        assert versions[package], package
        for version in versions[package]:
            assert wanted.specifier.contains(version), (package, version)


def test_the_lock_names_no_place_to_download_from(root):
    text = (root / "requirements.lock").read_text(encoding="utf-8")
    assert "://" not in text and not re.search(r"^--?(index|extra|find|trusted|i\b|f\b)", text, re.MULTILINE)
