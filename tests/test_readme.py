"""What the README promises."""

from __future__ import annotations

import re
import runpy

import pytest


@pytest.fixture(scope="module")
def readme(root) -> str:
    return (root / "README.md").read_text(encoding="utf-8")


def blocks(text: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.DOTALL | re.MULTILINE)


def test_the_python_example_runs_as_written(root, readme, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(root)
    script = tmp_path / "example.py"
    script.write_text(blocks(readme, "python")[0], encoding="utf-8")
    runpy.run_path(str(script))
    said = capsys.readouterr().out.splitlines()
    assert said[0].startswith("cat ")
    assert "None" not in said[1]
    assert re.fullmatch(r"\(2, \d+, \d+\)", said[2])


def test_every_file_that_is_named_exists(root, readme):
    for path in re.findall(r"\]\(([^)#:]+)\)", readme):
        assert (root / path).exists(), path
    for path in re.findall(r"`((?:catdog|scripts|examples|checkpoints)/[^`*]*)`", readme):
        assert (root / path).exists(), path


def test_both_languages_show_the_same_commands(root, readme):
    chinese = (root / "README.zh-CN.md").read_text(encoding="utf-8")

    def commands(text: str) -> list[str]:
        return [re.sub(r"\s*#.*", "", line) for block in blocks(text, "sh") for line in block.splitlines()]

    assert commands(chinese) == commands(readme)
    assert len(re.findall("^## ", chinese, re.MULTILINE)) == len(re.findall("^## ", readme, re.MULTILINE))


def test_every_option_that_is_named_exists(root, readme):
    helps = "".join(path.read_text(encoding="utf-8") for path in (root / "catdog" / "cli").rglob("*.py"))
    helps += (root / "catdog" / "training" / "config.py").read_text(encoding="utf-8")
    commands = [
        line for block in blocks(readme, "sh") for line in block.splitlines() if "scripts/" in line or "app.py" in line
    ]
    for line in commands:
        for option in re.findall(r" --([a-z-]+)", line.partition("scripts/")[2] or line.partition("app.py")[2]):
            assert f"{option.replace('-', '_')}:" in helps, option
