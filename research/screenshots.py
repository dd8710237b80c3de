"""Save pictures of the page: every tab and state, phone to wide screen, light and dark, in both languages.

    python -m research.screenshots               the pictures that the READMEs show, into docs/screenshots/
    python -m research.screenshots --every DIR   all of them, to look at; with --at ADDRESS, of a page that runs already

Wants Chromium and a font with Chinese characters, such as Debian's `fonts-noto-cjk`.
"""

from __future__ import annotations

import argparse
import io
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import product
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, FloatRect, Page, ViewportSize, sync_playwright

from catdog.cli import program
from catdog.cli.benchmark.browser import BROWSER
from catdog.files import EXAMPLES

ROOT = Path(__file__).parent.parent

SIZES: dict[str, ViewportSize] = {
    "phone": {"width": 390, "height": 664},  # px
    "tablet": {"width": 820, "height": 1100},
    "laptop": {"width": 1280, "height": 800},
    "wide": {"width": 2560, "height": 1300},
}
TOUCHED = ("phone", "tablet")
MODES = ("light", "dark")
LANGUAGES = {"en": "en-US", "zh": "zh-CN"}
PHOTO = "both-side-by-side.jpg"
FILMED = "cat-ginger-kitten.jpg"
FILM = 48  # frames, which the camera shows again and again
MARGIN = 16  # px around it
SHOWN = 20  # frames of the animated picture
QUALITY = 80  # of the pictures
PATIENCE = 180_000  # ms


def choose(view: Page, tab: str, *names: str) -> None:
    """Hand photos over in a tab, and wait until they are answered."""
    view.locator(f"{tab}-tab input[type=file]").first.set_input_files([EXAMPLES / name for name in names])


def photo(view: Page) -> None:
    choose(view, "photo", PHOTO)
    view.locator("photo-answer verdict-panel h2").wait_for()


def photo_doubt(view: Page) -> None:
    choose(view, "photo", "hard-red-panda.jpg")
    view.locator("photo-answer verdict-panel h2").wait_for()
    view.locator("not-right button").first.click()


def photo_more(view: Page) -> None:
    photo(view)
    unfold(view, "photo")


def photo_problem(view: Page) -> None:
    choose(view, "photo", "README.md")
    view.get_by_role("alert").first.wait_for()


def photo_share(view: Page) -> None:
    photo(view)
    view.locator("photo-answer button.share").click()
    view.locator("share-dialog img, share-dialog canvas").first.wait_for()


def live(view: Page) -> None:
    view.locator("live-tab button.invitation").click()
    view.locator("live-tab verdict-panel h2").wait_for()
    view.wait_for_timeout(3000)


def many(view: Page) -> None:
    names = sorted(path.name for path in EXAMPLES.glob("*.jpg"))
    choose(view, "many", *names, "README.md")
    view.locator("photo-card").nth(len(names)).wait_for()
    view.wait_for_timeout(1000)


def many_lightbox(view: Page) -> None:
    many(view)
    view.locator("photo-card button").first.click()
    view.locator("photo-lightbox verdict-panel h2").wait_for()


def accuracy(view: Page) -> None:
    view.locator("accuracy-tab h2").first.wait_for()


def accuracy_experts(view: Page) -> None:
    accuracy(view)
    view.locator("accuracy-tab details.experts summary").first.click()


def pets(view: Page) -> None:
    names = ("dog-german-shepherd.jpg", "dog-with-bicycle.jpg", "cat-chelsea.jpg")
    view.locator("pets-tab input.name").fill("Rex")
    view.locator("pets-tab form input[type=file]").set_input_files([EXAMPLES / name for name in names])
    view.locator("pets-tab .pet").wait_for()


def inside(view: Page) -> None:
    view.locator("inside-tab tour-weights figure").first.wait_for()


def untouched(view: Page) -> None:
    view.wait_for_load_state("networkidle")


STATES: dict[str, tuple[str, Callable[[Page], None]]] = {  # name -> tab, what is done there
    "photo": ("photo", photo),
    "live": ("live", live),
    "many": ("many", many),
    "pets": ("pets", pets),
    "accuracy": ("accuracy", accuracy),
    "inside": ("inside", inside),
    "photo-first": ("photo", untouched),
    "photo-doubt": ("photo", photo_doubt),
    "photo-more": ("photo", photo_more),
    "photo-problem": ("photo", photo_problem),
    "photo-share": ("photo", photo_share),
    "live-first": ("live", untouched),
    "many-first": ("many", untouched),
    "pets-first": ("pets", untouched),
    "many-lightbox": ("many", many_lightbox),
    "accuracy-experts": ("accuracy", accuracy_experts),
}
READMES = {"photo": ("laptop", "phone")}  # state -> sizes, in light and dark and both languages


def unfold(view: Page, tab: str) -> None:
    for fold in view.locator(f"{tab}-tab details:not([open]) > summary").all():
        if fold.is_visible():
            fold.click()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--every", metavar="DIR", type=Path, help="save every state at every size there")
    parser.add_argument("--state", action="append", choices=STATES, help="only this one (several times)")
    parser.add_argument("--size", action="append", choices=SIZES, help="only this one (several times)")
    parser.add_argument("--at", metavar="ADDRESS", help="of a page that runs already")
    options = parser.parse_args()
    if not subprocess.run(["fc-list", ":lang=zh"], capture_output=True, text=True).stdout:
        print(
            f"{program()}: no font here has Chinese characters: install one, such as fonts-noto-cjk.", file=sys.stderr
        )
        return 2
    folder = options.every or ROOT / "docs" / "screenshots"
    folder.mkdir(parents=True, exist_ok=True)
    with served(options.at) as address, started() as browser:
        for name, language in product(options.state or (STATES if options.every else READMES), LANGUAGES):
            sizes = options.size or (SIZES if options.every else READMES.get(name, SIZES))
            for touch in (True, False):  # some buttons are for fingers only
                if some := [size for size in sizes if (size in TOUCHED) == touch]:
                    save_state(browser, address, folder, name, language, some, touch)
        if not options.every and not options.state:
            save_animation(browser, address, folder / "live.webp")
    print(f"{folder}: {sum(path.stat().st_size for path in folder.iterdir()) / 2**20:.1f} MB")
    return 0


@contextmanager
def served(address: str | None) -> Iterator[str]:
    if address:
        yield address
        return
    from catdog import load, page  # a page that runs already needs no PyTorch here

    server = page.build(load())
    page.launch(server, server_name="127.0.0.1", prevent_thread_lock=True, quiet=True)
    blocks = server.get_blocks()
    assert blocks.local_url is not None  # it is served
    yield blocks.local_url
    blocks.close()


@contextmanager
def started() -> Iterator[Browser]:
    with tempfile.TemporaryDirectory() as temporary, sync_playwright() as playwright:
        film = write_film(Path(temporary) / "film.mjpeg")
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=[*BROWSER, f"--use-file-for-fake-video-capture={film}"]
        )
        yield browser
        browser.close()


def save_state(
    browser: Browser, address: str, folder: Path, name: str, language: str, sizes: list[str], touch: bool
) -> None:
    """One visit, photographed at each size, light and dark."""
    tab, act = STATES[name]
    context = browser.new_context(locale=LANGUAGES[language], viewport=SIZES[sizes[0]], has_touch=touch)
    context.set_default_timeout(PATIENCE)
    view = context.new_page()
    view.goto(f"{address.rstrip('/')}/#{tab}")
    view.locator(f"{tab}-tab").wait_for()
    act(view)
    for size, mode in product(sizes, MODES):
        view.set_viewport_size(SIZES[size])
        view.emulate_media(color_scheme=mode)
        view.mouse.move(0, 0)
        view.evaluate("scrollTo(0, 0)")
        view.wait_for_timeout(600)  # transitions end
        path = folder / f"{name}-{size}-{mode}-{language}.webp"
        with Image.open(io.BytesIO(view.screenshot())) as shot:
            shot.convert("RGB").save(path, "WEBP", quality=QUALITY, method=5)
    context.close()


def save_animation(browser: Browser, address: str, path: Path) -> None:
    """The live tab at work, as an animated WebP."""
    context = browser.new_context(locale=LANGUAGES["en"], viewport={"width": 960, "height": 560})
    context.set_default_timeout(PATIENCE)
    view = context.new_page()
    view.goto(f"{address.rstrip('/')}/#live")
    live(view)
    box = view.locator("live-tab .live").bounding_box()
    assert box is not None
    clip = FloatRect(
        x=box["x"] - MARGIN,
        y=box["y"] - MARGIN,
        width=box["width"] + 2 * MARGIN,
        height=box["height"] + 2 * MARGIN,
    )
    frames = []
    for _ in range(SHOWN):
        with Image.open(io.BytesIO(view.screenshot(clip=clip))) as shot:
            frames.append(shot.convert("RGB"))
        view.wait_for_timeout(100)
    frames[0].save(path, "WEBP", save_all=True, append_images=frames[1:], duration=150, loop=0, quality=70)
    context.close()


def write_film(path: Path) -> Path:
    """A camera that goes slowly over a photo and back."""
    picture = Image.open(EXAMPLES / FILMED).convert("RGB")
    width, height = picture.size
    scale = max(800 / width, 600 / height)
    picture = picture.resize((round(width * scale), round(height * scale)))
    with path.open("wb") as film:
        for step in range(FILM):
            gone = abs(2 * step / FILM - 1)
            left, top = round((picture.width - 640) * gone), round((picture.height - 480) * gone / 2)
            picture.crop((left, top, left + 640, top + 480)).save(film, "JPEG", quality=85)
    return path


if __name__ == "__main__":
    sys.exit(main())
