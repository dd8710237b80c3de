"""What a visitor does with the page, for all tests of this folder."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Page, expect

from research.screenshots import choose_tab

PATIENCE = 180_000  # ms, for an answer on a busy machine


def drop(page: Page, paths: list[Path], place: str) -> None:
    """Drag files over an element and let them go there, as the browser is told of it by the desktop."""
    box = page.locator(place).bounding_box()
    middle = {"x": box["x"] + box["width"] / 2, "y": box["y"] + box["height"] / 2}
    dragged = {"items": [], "files": [str(path) for path in paths], "dragOperationsMask": 1}
    browser = page.context.new_cdp_session(page)
    for step in ("dragEnter", "dragOver", "drop"):
        browser.send("Input.dispatchDragEvent", {"type": step, "data": dragged, **middle})


def fill(page: Page, root: Path, tab: str) -> None:
    """Open a tab and bring something into it: an answer, the running camera, a gallery with a row for a broken photo."""
    examples = root / "examples"
    page.wait_for_selector("#language", timeout=PATIENCE)
    choose_tab(page, page.evaluate("code => catdog.say(code)", f"{tab}.tab"))
    if tab == "photo":
        page.set_input_files("#picture input[type=file]", str(examples / "both-side-by-side.jpg"))
        expect(page.locator("#answer .verdict")).to_be_visible(timeout=PATIENCE)
        page.locator("#look summary").click()
        expect(page.locator("#look .inside")).to_be_visible(timeout=PATIENCE)
        page.locator("#answer details summary").click()
    if tab == "live":
        page.locator("#live [name=start]").click()
        expect(page.locator("#live .verdict")).to_be_visible(timeout=PATIENCE)
        expect(page.locator("#live .pace")).not_to_have_text("", timeout=PATIENCE)
    if tab == "many":
        photos = [examples / name for name in ("cat-chelsea.jpg", "neither-horses.jpg", "README.md")]
        page.set_input_files("#many-files input[type=file]", [str(path) for path in photos])
        expect(page.locator("#many .photos > li")).to_have_count(3, timeout=PATIENCE)
    if tab == "good":
        expect(page.locator("#good-mistakes figure").first).to_be_visible(timeout=PATIENCE)
