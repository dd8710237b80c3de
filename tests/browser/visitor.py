"""What a visitor does with the page, for all tests of this folder."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

from playwright.sync_api import Locator, Page, expect

import catdog

PATIENCE = 180_000  # ms, for an answer on a busy machine
LANGUAGES = {"en": "en-US", "zh": "zh-CN"}
WORDS = {
    language: json.loads(
        (Path(catdog.__file__).parent / "page" / "web" / "words" / f"{language}.json").read_text(encoding="utf-8")
    )
    for language in LANGUAGES
}
OVER = 5  # times that a desktop tells of a hand at rest: what the browser learned before decides over the drop
TAKES_FILES = """() => document.querySelector("catdog-app").shadowRoot.querySelector(".drop").checkVisibility()"""
TABS = ("photo", "live", "many", "pets", "accuracy", "inside")  # in the page's order


def tab(page: Page, name: str, language: str = "en") -> Locator:
    return page.get_by_role("tab", name=WORDS[language][f"app.{name}"], exact=True)


def panel(page: Page, name: str) -> Locator:
    """The element of an open tab."""
    return page.locator(f"{name}-tab")


def until(page: Page, condition: str, argument: Any = None) -> None:
    """Wait for a JavaScript condition; Page.wait_for_function would want `unsafe-eval` of the page's policy."""
    end = time.monotonic() + PATIENCE / 1000
    while not page.evaluate(condition, argument):
        assert time.monotonic() < end, condition
        page.wait_for_timeout(50)


def drop(page: Page, paths: list[Path], place: str | Locator) -> None:
    """Drag files over an element and let them go there, as the browser is told of it by the desktop."""
    drag(page, paths, place, "dragEnter")
    until(page, TAKES_FILES)
    for _ in range(OVER):
        drag(page, paths, place, "dragOver")
        page.wait_for_timeout(50)
    drag(page, paths, place, "drop")


def drag(page: Page, paths: list[Path], place: str | Locator, step: str) -> None:
    """One step of that: dragEnter, dragOver, dragCancel or drop; over the middle of what is on the screen of an element."""
    element = page.locator(place) if isinstance(place, str) else place
    element.scroll_into_view_if_needed()
    box, screen = element.bounding_box(), page.viewport_size
    assert box and screen
    left, top = max(0, box["x"]), max(0, box["y"])
    right, bottom = min(screen["width"], box["x"] + box["width"]), min(screen["height"], box["y"] + box["height"])
    middle = {"x": (left + right) / 2, "y": (top + bottom) / 2}
    dragged = {"items": [], "files": [str(path) for path in paths], "dragOperationsMask": 1}
    page.context.new_cdp_session(page).send("Input.dispatchDragEvent", {"type": step, "data": dragged, **middle})


def paste(page: Page, path: Path) -> None:
    """Copy a picture and press Ctrl+V; browsers copy PNG alone, so the photo arrives as one."""
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.evaluate(
        """async (bytes) => {
            const photo = await createImageBitmap(new Blob([new Uint8Array(bytes)]));
            const canvas = new OffscreenCanvas(photo.width, photo.height);
            canvas.getContext("2d").drawImage(photo, 0, 0);
            await navigator.clipboard.write([new ClipboardItem({ "image/png": await canvas.convertToBlob() })]);
        }""",
        list(path.read_bytes()),
    )
    page.keyboard.press("Control+V")


def expect_focus_seen(element: Locator) -> None:
    """An element has the focus, and shows it by an outline, its own or that of what it labels."""
    expect(element).to_be_focused()
    assert element.evaluate("""(element) => {
        const drawn = [element, element.nextElementSibling, element.parentElement].filter(Boolean);
        return drawn.some((each) => getComputedStyle(each).outlineStyle !== "none");
    }""")


def fill(page: Page, root: Path, name: str) -> None:
    """Bring something into an open tab: an answer, the running camera, cards with one for what is no photo, a look inside."""
    examples = root / "examples"
    place = panel(page, name)
    if name == "photo":
        drop(page, [examples / "both-side-by-side.jpg"], "main")
        place.locator("photo-answer verdict-panel h2").wait_for(timeout=PATIENCE)
    elif name == "live":
        place.get_by_role("button", name=WORDS[language_of(page)]["live.start"]).click()
        place.locator("verdict-panel h2").wait_for(timeout=PATIENCE)
    elif name == "many":
        drop(page, [examples / each for each in ("cat-chelsea.jpg", "neither-horses.jpg", "README.md")], "main")
        expect(place.locator("photo-card")).to_have_count(3, timeout=PATIENCE)
    elif name == "pets":
        place.locator("input.name").fill("Rex")
        place.locator("form input[type=file]").set_input_files(
            [examples / "dog-german-shepherd.jpg", examples / "README.md"]
        )
        expect(place.locator(".pet")).to_have_count(1, timeout=PATIENCE)
    elif name == "accuracy":
        place.get_by_role("heading").nth(1).wait_for()
    elif name == "inside":
        drop(page, [examples / "cat-chelsea.jpg"], "main")
        place.locator("canvas, img").first.wait_for(timeout=PATIENCE)


def language_of(page: Page) -> str:
    return page.evaluate("document.documentElement.lang").partition("-")[0]
