"""Save pictures of every tab of the page into docs/screenshots/: wide and narrow, light and dark, in both languages.

Wants Chromium and a font with Chinese characters, such as Debian's `fonts-noto-cjk`.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from itertools import product
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, TimeoutError, ViewportSize, sync_playwright

from catdog import load, page
from catdog.cli import program
from catdog.cli.benchmark.browser import BROWSER

ROOT = Path(__file__).parent.parent

SIZES: dict[str, ViewportSize] = {
    "desktop": {"width": 1280, "height": 900},  # px
    "phone": {"width": 390, "height": 844},
}
MODES = ("light", "dark")
LANGUAGES = ("en", "zh")
TABS = ("photo", "live", "many", "good")  # in the page's order
PHOTO = "both-side-by-side.jpg"
FILMED = "cat-kitten-with-yarn.jpg"
QUALITY = 65  # of the JPEGs: all of them together stay below 2 MB
PATIENCE = 180_000  # ms
HASTE = 2_000  # ms


def main() -> int:
    if not subprocess.run(["fc-list", ":lang=zh"], capture_output=True, text=True).stdout:
        print(
            f"{program()}: no font here has Chinese characters: install one, such as fonts-noto-cjk.", file=sys.stderr
        )
        return 2
    folder = ROOT / "docs" / "screenshots"
    folder.mkdir(parents=True, exist_ok=True)
    served = page.build(load())
    page.launch(served, server_name="127.0.0.1", prevent_thread_lock=True, quiet=True)
    assert served.local_url is not None  # it is served
    with tempfile.TemporaryDirectory() as temporary, sync_playwright() as playwright:
        film = Path(temporary) / "film.mjpeg"
        Image.open(ROOT / "examples" / FILMED).resize((640, 480)).save(film, "JPEG")
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=[*BROWSER, f"--use-file-for-fake-video-capture={film}"]
        )
        view = browser.new_page(locale="en", viewport=SIZES["desktop"])
        view.set_default_timeout(PATIENCE)
        view.goto(served.local_url)
        fill(view)
        for language, size, tab in product(LANGUAGES, SIZES, range(len(TABS))):
            view.set_viewport_size(SIZES[size])
            if view.evaluate("catdog.language()") != language:
                view.evaluate("language => catdog.choose(language)", language)
                first = view.evaluate("catdog.say('photo.tab')")
                view.get_by_role("tab", name=first, exact=True).wait_for()  # Gradio's words follow a little later
            open_tab(view, tab)
            for mode in MODES:
                view.evaluate("dark => document.body.classList.toggle('dark', dark)", mode == "dark")
                view.wait_for_timeout(1000)  # transitions end
                path = folder / f"{TABS[tab]}-{size}-{mode}-{language}.jpg"
                view.screenshot(path=path, type="jpeg", quality=QUALITY)
        browser.close()
    served.close()
    print(f"{folder}: {sum(path.stat().st_size for path in folder.iterdir()) / 2**20:.1f} MB")
    return 0


def fill(view: Page) -> None:
    """Something to see in every tab."""
    examples = sorted(str(path) for path in (ROOT / "examples").glob("*.jpg"))
    view.set_input_files("#picture input[type=file]", str(ROOT / "examples" / PHOTO))
    view.wait_for_selector("#answer .verdict")
    open_tab(view, TABS.index("many"))
    view.set_input_files("#many-files input[type=file]", examples)
    view.wait_for_selector("#many .photos > li")
    open_tab(view, TABS.index("good"))
    view.wait_for_selector("#good-mistakes figure img")


def choose_tab(view: Page, name: str) -> None:
    """Click a tab, also where a narrow page has moved it into the menu behind the three dots.

    Gradio moves tabs between the bar and the menu some frames after the words or the width have changed, so what is in
    the menu at one moment may be in the bar at the next: each click is short, and tried again.
    """
    tab = view.get_by_role("tab", name=name, exact=True)
    for _ in range(PATIENCE // HASTE):
        try:
            if tab.is_visible():
                return tab.click(timeout=HASTE)
            view.locator(".overflow-menu > button").click(timeout=HASTE)
            return view.locator(".overflow-dropdown").get_by_text(name, exact=True).click(timeout=HASTE)
        except TimeoutError:
            continue
    raise TimeoutError(f"no tab named {name} can be clicked")


def open_tab(view: Page, index: int) -> None:
    """Click a tab; the live one is started."""
    name = view.evaluate("code => catdog.say(code)", f"{TABS[index]}.tab")
    choose_tab(view, name)
    if TABS[index] == "live":
        view.locator("#live [name=start]").click()
        view.wait_for_selector("#live .verdict")
        view.wait_for_timeout(3000)
    view.mouse.move(0, 0)
    view.evaluate("scrollTo(0, 0)")


if __name__ == "__main__":
    sys.exit(main())
