"""The page around its tabs: addresses, titles, keys, what is dropped or pasted anywhere, notices, what does not start."""

from __future__ import annotations

import json
import re
import shutil
import zipfile
from pathlib import Path

import pytest
from playwright.sync_api import expect

from .visitor import TABS, WORDS, drag, drop, expect_focus_seen, panel, paste, tab, until

pytestmark = pytest.mark.slow

EN = WORDS["en"]
SEEN = """
    // What each tab was handed, by the names of the files.
    window.taken = {};
    customElements.whenDefined("catdog-app").then(() => {
        for (const name of ["photo", "many", "pets", "inside"]) {
            customElements.whenDefined(`${name}-tab`).then(() => {
                const tab = customElements.get(`${name}-tab`).prototype;
                const take = tab.take;
                tab.take = function (files) {
                    (taken[name] ??= []).push(files.map((file) => file.name));
                    return take?.call(this, files);
                };
            });
        }
    });
"""


@pytest.fixture
def folder(root) -> Path:
    return root / "examples"


def title(name: str) -> str:
    return EN["app.title"] if name == "photo" else EN["app.title-of"].replace("{part}", EN[f"app.{name}"])


@pytest.mark.parametrize("name", TABS)
def test_a_link_to_a_tab_opens_it_and_a_reload_stays_there(open_page, name):
    page = open_page(f"#{name}")
    for _ in range(2):
        expect(tab(page, name)).to_have_attribute("aria-selected", "true")
        expect(panel(page, name)).to_be_visible()
        expect(page.get_by_role("tabpanel")).to_have_count(1)
        expect(page).to_have_title(title(name))
        page.reload()


def test_the_address_follows_the_tabs_and_back_goes_through_them(open_page):
    page = open_page()
    for name in TABS[1:]:
        tab(page, name).click()
        expect(page).to_have_url(re.compile(f"#{name}$"))
        expect(panel(page, name)).to_be_visible()
    for name in TABS[-2::-1]:
        page.go_back()
        expect(page).to_have_title(title(name))
        expect(panel(page, name)).to_be_visible()


def test_an_unknown_address_is_the_photo_tab(open_page):
    expect(tab(open_page("#nothing"), "photo")).to_have_attribute("aria-selected", "true")


def test_arrow_keys_go_through_the_tabs_and_around(open_page):
    page = open_page()
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="catdog")).to_be_focused()
    page.keyboard.press("Tab")
    for key, name in [("ArrowRight", "live"), ("ArrowLeft", "photo"), ("ArrowLeft", "inside"), ("Home", "photo")]:
        page.keyboard.press(key)
        expect_focus_seen(tab(page, name))
        expect(tab(page, name)).to_have_attribute("aria-selected", "true")
    page.keyboard.press("End")
    expect(panel(page, "inside")).to_be_visible()
    page.keyboard.press("Tab")  # over the other tabs
    expect(page.get_by_role("button", name=EN["words.other-language"])).to_be_focused()


@pytest.mark.parametrize("place", ["header", "main", "footer", "[role=tab]:last-child"])
@pytest.mark.parametrize("name", ["photo", "accuracy", "live"])
def test_a_photo_dropped_anywhere_opens_in_the_photo_tab(open_page, folder, name, place):
    page = open_page(f"#{name}")
    page.evaluate(SEEN)
    drag(page, [folder / "cat-chelsea.jpg"], place, "dragEnter")
    expect(page.get_by_text(EN["app.drop"])).to_be_visible()
    drop(page, [folder / "cat-chelsea.jpg"], place)
    expect(page.get_by_text(EN["app.drop"])).to_be_hidden()
    expect(panel(page, "photo")).to_be_visible()
    until(page, "window.taken.photo?.length")
    assert page.evaluate("window.taken") == {"photo": [["cat-chelsea.jpg"]]}


def test_the_hint_goes_when_the_photo_is_dragged_away_again(open_page, folder):
    page = open_page()
    photo = [folder / "cat-chelsea.jpg"]
    drag(page, photo, "main", "dragEnter")
    expect(page.get_by_text(EN["app.drop"])).to_be_visible()
    page.locator("main").dispatch_event("dragleave")  # leaving the window; DevTools' dragCancel tells the page nothing
    expect(page.get_by_text(EN["app.drop"])).to_be_hidden()


@pytest.mark.parametrize("name", ["photo", "accuracy"])
def test_several_photos_dropped_at_once_open_in_many_and_it_is_said(open_page, folder, name):
    page = open_page(f"#{name}")
    page.evaluate(SEEN)
    photos = [folder / "cat-chelsea.jpg", folder / "dog-german-shepherd.jpg"]
    drop(page, photos, "main")
    expect(page.get_by_role("status").get_by_text(EN["app.to-many"].replace("{count}", "2"))).to_be_visible()
    expect(panel(page, "many")).to_be_visible()
    until(page, "window.taken.many?.length")
    assert page.evaluate("window.taken") == {"many": [[path.name for path in photos]]}


def test_a_folder_and_a_zip_of_photos_open_in_many(open_page, folder, tmp_path):
    pets = tmp_path / "pets"
    pets.mkdir()
    shutil.copy(folder / "cat-chelsea.jpg", pets / "cat.jpg")
    with zipfile.ZipFile(tmp_path / "pets.zip", "w") as archive:
        archive.write(pets / "cat.jpg", "cat.jpg")
    page = open_page()
    page.evaluate(SEEN)
    drop(page, [pets], "main")
    until(page, "window.taken.many?.length === 1")
    drop(page, [tmp_path / "pets.zip"], "main")
    until(page, "window.taken.many?.length === 2")
    assert page.evaluate("window.taken") == {"many": [["cat.jpg"], ["pets.zip"]]}


@pytest.mark.parametrize("name", TABS)
def test_a_photo_pasted_anywhere_is_looked_at(open_page, folder, name):
    page = open_page(f"#{name}")
    page.evaluate(SEEN)
    paste(page, folder / "cat-chelsea.jpg")
    taker = name if name in ("many", "pets", "inside") else "photo"
    until(page, "name => window.taken[name]?.length", taker)
    expect(panel(page, taker)).to_be_visible()


def test_pasted_text_is_answered_in_words(open_page):
    page = open_page()
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.evaluate("navigator.clipboard.writeText('a cat')")
    page.keyboard.press("Control+V")
    notice = page.get_by_role("status").get_by_text(EN["app.nothing-pasted"])
    expect(notice).to_be_visible()
    page.get_by_role("button", name=EN["app.close"]).click()
    expect(notice).to_have_count(0)


def test_a_tab_that_does_not_arrive_says_so_and_the_others_go_on(open_page):
    page = open_page()
    page.route("**/live-tab.js", lambda route: route.abort())
    tab(page, "live").click()
    expect(page.get_by_text(EN["app.failed"])).to_be_visible()
    tab(page, "accuracy").click()
    expect(panel(page, "accuracy")).to_be_visible()
    tab(page, "live").click()
    expect(page.get_by_text(EN["app.failed"])).to_be_visible()
    page.unroute("**/live-tab.js")
    page.get_by_role("button", name=EN["app.retry"]).click()
    expect(panel(page, "live")).to_be_visible()


def test_without_javascript_there_is_a_sentence(chromium, address, tmp_path):
    kind, options = chromium
    (tmp_path / "Default").mkdir()
    off = {"profile": {"default_content_setting_values": {"javascript": 2}}}  # as in the browser's own settings
    (tmp_path / "Default" / "Preferences").write_text(json.dumps(off), encoding="utf-8")
    with kind.launch_persistent_context(tmp_path, **options) as context:
        page = context.new_page()
        page.goto(address)
        sentence = page.locator(".no-script")  # Playwright looks for text in no <noscript>
        expect(sentence).to_be_visible()
        expect(sentence).to_contain_text("This page needs JavaScript")


def test_a_browser_that_cannot_start_the_page_shows_a_sentence(blank, address):
    page = blank()
    page.route("**/app.js", lambda route: route.fulfill(body="", content_type="text/javascript"))
    page.goto(address)
    until(page, "getComputedStyle(document.querySelector('.no-start')).opacity === '1'")
    expect(page.get_by_text("This page has not started")).to_be_visible()


def test_the_page_works_where_storage_is_refused(blank, address):
    page = blank()
    page.add_init_script("Object.defineProperty(window, 'localStorage', { get() { throw new DOMException('no'); } })")
    page.goto(address)
    page.get_by_role("button", name=EN["words.other-language"]).click()
    expect(tab(page, "photo", "zh")).to_be_visible()
