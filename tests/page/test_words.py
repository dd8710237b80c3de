"""The page's words: both languages, every code, and what the server's answers need."""

from __future__ import annotations

import json
import re
from string import Formatter
from typing import get_args, get_type_hints

import pytest

from catdog.classifier import Prediction
from catdog.labels import LABELS
from catdog.page import live, look, photo, words
from catdog.page.drawing import PAIRS

NAMED_BY_THE_PROGRAM = (
    "label",
    "verdict",
    "alt",
    "problem",
    "percent",
    "color",
    "degree",
    "show",
    "order",
    "zip",
    "camera",
    "figure",
    "kind",
    "calibration",
)  # codes made at run time


@pytest.fixture(scope="module")
def sources(root) -> str:
    return "\n".join(
        path.read_text(encoding="utf-8")
        for path in (root / "catdog" / "page").iterdir()
        if path.suffix in (".py", ".js", ".html") and path.name != "words.py"
    )


def test_no_word_is_missing_in_either_language():
    for code, pair in words.WORDS.items():
        assert len(pair) == len(words.LANGUAGES) and all(text.strip() for text in pair), code


def test_chinese_is_chinese_and_english_english():
    same = {code for code, (english, chinese) in words.WORDS.items() if english == chinese}
    for code, (english, chinese) in words.WORDS.items():
        if code != "page.other-language" and code not in same:
            assert re.search("[\u4e00-\u9fff]", chinese), code
            assert not re.search("[\u4e00-\u9fff]", english), code
    assert same == {"percent.exact"}


def test_both_languages_of_a_word_are_filled_from_the_same_values():
    def names(text):
        return {name for _, name, _, _ in Formatter().parse(text) if name is not None}

    for code, (english, chinese) in words.WORDS.items():
        assert names(english) == names(chinese), code


def test_no_word_is_unused_and_no_used_code_unknown(sources):
    groups = "|".join(words.GROUPS)
    used = set(re.findall(rf"[\"'`]((?:{groups})\.(?!(?:html|css|js)\b)[a-z0-9-]+)[\"'`]", sources))
    assert used <= set(words.WORDS)
    unused = {code for code in set(words.WORDS) - used if code.partition(".")[0] not in NAMED_BY_THE_PROGRAM}
    assert not unused


def test_every_verdict_and_label_has_words():
    assert set(words.VERDICT) == set(get_args(get_type_hints(Prediction)["verdict"]))
    assert set(words.LABEL) == set(LABELS)


def test_every_choice_of_map_and_every_color_has_words(root):
    form = (root / "catdog" / "page" / "photo.html").read_text(encoding="utf-8")
    assert set(words.ALT) == set(re.findall(r'type="radio" value="(\w+)"', form))
    assert set(words.COLOR) == {pair[label]["name"] for pair in PAIRS for label in LABELS}


def test_every_error_code_has_words(root):
    source = "".join(path.read_text(encoding="utf-8") for path in (root / "catdog" / "images").glob("*.py"))
    codes = set(re.findall(r"ImageError\(\s*\"([a-z-]+)\"", source))
    assert codes | {photo.UNANSWERED["code"], look.UNANSWERED["code"], live.BUSY["problem"]} == set(words.PROBLEM)


def test_words_are_escaped_where_they_are_written_into_html(monkeypatch):
    monkeypatch.setitem(words.WORDS, "photo.waiting", ("<b>{name}", "<b>{name}"))
    written = words.tagged("photo.waiting", values={"name": '"<script>'})
    assert "<b>" not in written and "<script>" not in written


def test_the_script_holds_every_word_and_cannot_end_its_element():
    script = words.script()
    assert "WORDS_BY_LANGUAGE" not in script and "</script" not in script
    held = json.JSONDecoder().raw_decode(script, script.index('{"en"'))[0]
    assert held == words.dictionaries()


def test_an_unknown_code_fails_where_the_page_is_built():
    with pytest.raises(KeyError):
        words.label("photo.no-such-word")
    with pytest.raises(KeyError):
        words.tagged("photo.no-such-word")
