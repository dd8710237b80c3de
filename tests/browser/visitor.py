"""What a visitor does with the page, for all tests of this folder."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Page


def drop(page: Page, paths: list[Path], place: str) -> None:
    """Drag files over an element and let them go there, as the browser is told of it by the desktop."""
    box = page.locator(place).bounding_box()
    middle = {"x": box["x"] + box["width"] / 2, "y": box["y"] + box["height"] / 2}
    dragged = {"items": [], "files": [str(path) for path in paths], "dragOperationsMask": 1}
    browser = page.context.new_cdp_session(page)
    for step in ("dragEnter", "dragOver", "drop"):
        browser.send("Input.dispatchDragEvent", {"type": step, "data": dragged, **middle})
