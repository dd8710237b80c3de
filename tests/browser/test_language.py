"""The page's two languages in a real browser."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from .visitor import TABS, WORDS, tab, until

pytestmark = pytest.mark.slow

EN, ZH = WORDS["en"], WORDS["zh"]


@pytest.mark.parametrize(
    ("locale", "language"), [("zh", "zh"), ("zh-HK", "zh"), ("zh-Hans-CN", "zh"), ("en-GB", "en"), ("fr", "en")]
)
def test_the_language_follows_the_browser(open_page, locale, language):
    page = open_page(locale=locale)
    expect(page).to_have_title(WORDS[language]["app.title"])
    expect(page.locator("html")).to_have_attribute("lang", {"en": "en", "zh": "zh-CN"}[language])
    expect(tab(page, "photo", language)).to_be_visible()


@pytest.mark.parametrize("name", TABS)
def test_every_tab_changes_its_language_in_place(open_page, name):
    page = open_page(f"#{name}")
    text = page.locator(f"{name}-tab").inner_text
    assert not contains_chinese(text())
    page.get_by_role("button", name=EN["words.other-language"]).click()
    expect(tab(page, name, "zh")).to_have_attribute("aria-selected", "true")
    expect(page).to_have_title(
        ZH["app.title"] if name == "photo" else ZH["app.title-of"].format(part=ZH[f"app.{name}"])
    )
    until(
        page,
        "name => /\\p{Script=Han}/u.test(document.querySelector('catdog-app').shadowRoot"
        ".querySelector(`${name}-tab`).shadowRoot.textContent)",
        name,
    )
    page.get_by_role("button", name=ZH["words.other-language"]).click()
    expect(tab(page, name)).to_be_visible()
    assert not contains_chinese(text())


def test_the_choice_is_kept(open_page):
    page = open_page()
    page.get_by_role("button", name=EN["words.other-language"]).click()
    expect(tab(page, "photo", "zh")).to_be_visible()
    page.reload()
    expect(tab(page, "photo", "zh")).to_be_visible()


def test_no_code_shows_in_the_place_of_words(open_page):
    page = open_page()
    for language in WORDS:
        for name in TABS:
            tab(page, name, language).click()
            shown = page.locator(f"{name}-tab")
            shown.wait_for()
            assert not [code for code in EN if code in shown.inner_text()]
        page.get_by_role("button", name=WORDS[language]["words.other-language"]).click()
        expect(
            page.get_by_role("button", name=WORDS["zh" if language == "en" else "en"]["words.other-language"])
        ).to_be_visible()


def contains_chinese(text: str) -> bool:
    return any("\u4e00" <= letter <= "\u9fff" for letter in text)
