"""What the README and docs/ promise."""

from __future__ import annotations

import re
import runpy
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
DOCS = sorted(ROOT.glob("docs/*.md"))
PAGES = [ROOT / "README.md", ROOT / "README.zh-CN.md", *DOCS]


def blocks(path: Path, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", path.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)


def named(path: Path) -> str:
    return path.name


def test_the_readme_is_short():
    assert len((ROOT / "README.md").read_text(encoding="utf-8").split()) < 800


@pytest.mark.parametrize("page", [ROOT / "README.md", ROOT / "README.zh-CN.md", ROOT / "docs" / "api.md"], ids=named)
def test_the_python_example_runs_as_written(page, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(ROOT)
    script = tmp_path / "example.py"
    script.write_text(blocks(page, "python")[0], encoding="utf-8")
    runpy.run_path(str(script))
    said = capsys.readouterr().out.splitlines()
    assert re.fullmatch(r"cat 0\.9\d+ 0\.0\d+", said[0])
    if page.name == "api.md":
        assert "None" not in said[1] and re.fullmatch(r"\(2, \d+, \d+\)", said[2])


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_every_file_that_is_named_exists(page):
    text = page.read_text(encoding="utf-8")
    for path in re.findall(r"\]\(([^)#:]+)\)", text):
        assert (page.parent / path).exists(), path
    for path in re.findall(r"`((?:catdog|scripts|research|examples|checkpoints|docs)/[^`*]*)`", text):
        assert (ROOT / path).exists(), path


@pytest.mark.parametrize("page", DOCS, ids=named)
def test_every_page_of_the_docs_is_one_click_from_the_readme(page):
    assert f"](docs/{page.name})" in (ROOT / "README.md").read_text(encoding="utf-8")


def test_both_languages_show_the_same_commands_and_sections():
    english, chinese = ROOT / "README.md", ROOT / "README.zh-CN.md"
    assert blocks(chinese, "sh") == blocks(english, "sh")
    headings = [len(re.findall("^## ", page.read_text(encoding="utf-8"), re.MULTILINE)) for page in (english, chinese)]
    assert headings[0] == headings[1]


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_every_option_in_a_command_exists(page):
    sources = [*(ROOT / "catdog" / "cli").rglob("*.py"), ROOT / "catdog" / "training" / "config.py"]
    options = "".join(path.read_text(encoding="utf-8") for path in sources)
    for line in (line for block in blocks(page, "sh") for line in block.splitlines()):
        ours = re.search(r"(?:python \S+\.py|scripts/\w+\.py|^catdog \w+)(.*)", line)
        for option in re.findall(r" --([a-z-]+)", ours[1].partition("#")[0] if ours else ""):
            assert f"{option.replace('-', '_')}:" in options, (line, option)
