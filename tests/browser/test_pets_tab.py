"""The visitor's own pets in a real browser: taught, known in every tab, corrected, kept, and sent nowhere."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Locator, Page, expect

import catdog
from catdog.pets import MAX_NAME, Pets

from .visitor import PATIENCE, WORDS, drop, panel, tab

pytestmark = pytest.mark.slow

SAYS = WORDS["en"]
REX = ("dog-german-shepherd.jpg", "dog-with-bicycle.jpg")
EVIL = "<img src=x onerror=window.harmed=1>"


@pytest.fixture
def pets(open_page) -> Page:
    return open_page("#pets")


@pytest.fixture
def examples(root) -> Path:
    return root / "examples"


def says(code: str, **values: object) -> str:
    return SAYS[f"pets.{code}"].format(**values)


def teach(page: Page, name: str, paths: list[Path]) -> None:
    panel(page, "pets").locator("input.name").fill(name)
    panel(page, "pets").locator("form input[type=file]").set_input_files(paths)
    expect(card(page, name)).to_be_visible(timeout=PATIENCE)


def card(page: Page, name: str) -> Locator:
    return panel(page, "pets").locator(".pet").filter(has=page.get_by_role("heading", name=name, exact=True))


def photos_of_rex(examples: Path) -> list[Path]:
    return [examples / name for name in REX]


def ask(page: Page, path: Path) -> Locator:
    """Have a photo answered; what is said of the visitor's pets."""
    tab(page, "photo").click()
    panel(page, "photo").locator("photo-source input.choose").set_input_files(path)
    line = panel(page, "photo").locator("pet-line")
    expect(line).to_be_visible(timeout=PATIENCE)
    return line


def test_a_pet_is_taught_by_photos_and_what_teaches_nothing_is_left_out_with_its_reason(pets, examples):
    panel(pets, "pets").locator("input.name").fill("Rex")
    others = ["cat-chelsea.jpg", "both-side-by-side.jpg", "neither-horses.jpg", REX[0], "README.md"]
    panel(pets, "pets").locator("form input[type=file]").set_input_files(
        [*photos_of_rex(examples), *(examples / name for name in others)]
    )
    expect(card(pets, "Rex")).to_be_visible(timeout=PATIENCE)
    lesson = panel(pets, "pets").locator(".lesson")
    expect(lesson.get_by_role("heading")).to_have_text(says("learned", name="Rex", count=2))
    reasons = ["", "", *(says(f"left-{why}") for why in ("cat", "both", "none", "alike")), SAYS["problem.unknown-type"]]
    assert [each.strip() for each in lesson.locator("li").all_text_contents()] == reasons
    expect(lesson.locator("li:not(.out) evidence-view canvas.map")).to_have_count(2)
    expect(card(pets, "Rex")).to_contain_text(says("count", count=2))
    expect(card(pets, "Rex").locator(".ring text")).to_have_text("2")


def test_then_it_is_known_on_photos_live_and_among_many(pets, examples, tmp_path):
    teach(pets, "Rex", photos_of_rex(examples))
    nearer = tmp_path / "nearer.jpg"
    with Image.open(examples / REX[0]) as photo:
        photo.crop((20, 20, photo.width - 30, photo.height - 10)).save(nearer, quality=95)
    expect(ask(pets, nearer).locator(".who")).to_have_text(says("it-is-i-think", name="Rex"))
    expect(panel(pets, "photo").locator("evidence-view .box .name").first).to_have_text("Rex")
    panel(pets, "photo").locator("photo-source input.choose").set_input_files(examples / "cat-chelsea.jpg")
    expect(panel(pets, "photo").locator("button.teach")).to_have_text(says("teach-cat"), timeout=PATIENCE)

    tab(pets, "many").click()
    drop(pets, [nearer, examples / "cat-chelsea.jpg", examples / "neither-horses.jpg"], "main")
    cards = panel(pets, "many").locator("photo-card .verdict")
    expect(cards).to_have_text(["Rex", SAYS["many.cat"], SAYS["many.neither"]], timeout=PATIENCE)
    panel(pets, "many").get_by_role("radio", name="Rex 1").check()
    expect(cards).to_have_text(["Rex"])
    with pets.expect_download() as download:
        panel(pets, "many").get_by_role("button", name=SAYS["many.table"]).click()
    rows = list(csv.DictReader(io.StringIO(Path(download.value.path()).read_text("utf-8-sig"))))
    assert [row["pet"] for row in rows] == ["Rex", "", ""]
    cards.first.click()
    expect(panel(pets, "many").locator("photo-lightbox .who")).to_have_text(says("it-is-i-think", name="Rex"))
    pets.keyboard.press("Escape")

    tab(pets, "live").click()
    panel(pets, "live").locator("button.invitation").click()
    expect(panel(pets, "live").locator("p.who")).to_have_text(says("it-is-i-think", name="Rex"), timeout=PATIENCE)
    expect(panel(pets, "live").locator("evidence-view .box .name")).to_have_text("Rex", timeout=PATIENCE)


def test_one_tap_says_who_it_is_and_teaches(pets, examples):
    teach(pets, "Rex", [examples / REX[0]])
    line = ask(pets, examples / REX[1])
    expect(line.locator(".who")).to_have_text(says("not-dog", name="Rex"))
    line.get_by_role("button", name=says("it-is", name="Rex")).click()
    expect(line).to_have_text(says("learned-this", name="Rex"))
    tab(pets, "pets").click()
    expect(card(pets, "Rex")).to_contain_text(says("count", count=2))
    line = ask(pets, examples / REX[0])
    line.get_by_role("button", name=says("is-not", name="Rex")).click()
    expect(line).to_have_text(says("not-it", name="Rex"))
    line = ask(pets, examples / REX[0])
    expect(line.locator(".who")).to_have_text(says("not-dog", name="Rex"))


def test_what_makes_it_that_pet_is_shown_as_python_has_it(pets, examples):
    known = Pets(catdog.load(device="cpu"))
    known.teach("Rex", [examples / REX[0]])
    teach(pets, "Rex", [examples / REX[0]])
    line = ask(pets, examples / REX[0])
    line.get_by_role("button", name=says("where", name="Rex")).click()
    expected = known.places("Rex", examples / REX[0]).sum()
    [found] = known.recognize([examples / REX[0]])
    numbers = {"name": "Rex", "likeness": f"{expected:.2f}", "line": f"{found.threshold:.2f}"}
    expect(line.locator("pet-places [role=status]")).to_have_text(says("where-text", **numbers), timeout=PATIENCE)
    expect(line.locator("cam-map canvas")).to_be_visible()


def test_pets_are_kept_saved_opened_and_deleted_and_nothing_is_sent(pets, examples, tmp_path):
    teach(pets, "Rex", photos_of_rex(examples))
    pets.reload()
    expect(card(pets, "Rex")).to_contain_text(says("count", count=2))
    asked: list[str] = []
    pets.on("request", lambda request: asked.append(request.url))
    with pets.expect_download() as download:
        panel(pets, "pets").get_by_role("button", name=says("export")).click()
    path = tmp_path / "pets.json"
    download.value.save_as(path)
    python = Pets(catdog.load(device="cpu"))
    python.load(path)
    assert [(pet.name, pet.label, len(pet.signatures)) for pet in python.pets.values()] == [("Rex", "dog", 2)]

    delete = card(pets, "Rex").locator("button.delete")
    delete.click()
    expect(delete).to_have_text(says("really"))
    delete.click()
    expect(panel(pets, "pets").locator(".pet")).to_have_count(0)
    pets.reload()
    expect(panel(pets, "pets").locator("h1")).to_be_visible()
    asked.clear()
    expect(panel(pets, "pets").locator(".pet")).to_have_count(0)
    opener = panel(pets, "pets").locator("input[accept*=json]")
    opener.set_input_files(path)
    expect(card(pets, "Rex")).to_contain_text(says("count", count=2))
    content = json.loads(path.read_text())
    for changed, why in (
        ({"weights": "0" * 64}, "file-checkpoint"),
        ({"version": 99}, "file-version"),
        ({"format": "cats"}, "file-other"),
        ({"pets": [{}]}, "file-damaged"),
    ):
        path.write_text(json.dumps(content | changed))
        opener.set_input_files(path)
        expect(panel(pets, "pets").get_by_role("alert")).to_have_text(says(why))
        expect(card(pets, "Rex")).to_be_visible()
    own = ("/about.json", "/pets.safetensors")  # which the page fetches when it is opened, whatever is in it
    assert not [
        url for url in asked if not url.startswith(("blob:", "data:")) and "/web/" not in url and not url.endswith(own)
    ]


def test_names_are_text_and_photos_wait_for_one(pets, examples):
    field = panel(pets, "pets").locator("input.name")
    chosen = panel(pets, "pets").locator("form input[type=file]")
    chosen.set_input_files([examples / REX[0]])
    expect(field).to_be_focused()
    expect(panel(pets, "pets").get_by_role("status")).to_contain_text(says("first-name-one", count=1))
    field.fill("x" * (MAX_NAME + 1))
    pets.keyboard.press("Enter")
    expect(panel(pets, "pets").get_by_role("alert")).to_have_text(says("bad-name", most=MAX_NAME))
    field.fill(EVIL)
    pets.keyboard.press("Enter")
    expect(card(pets, EVIL)).to_be_visible(timeout=PATIENCE)
    line = ask(pets, examples / REX[1])
    expect(line.locator(".who")).to_have_text(says("not-dog", name=EVIL))
    assert pets.evaluate("window.harmed") is None
    assert pets.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_the_camera_teaches_while_its_button_is_held(pets):
    panel(pets, "pets").locator("input.name").fill("Mimi")
    panel(pets, "pets").locator("form button.film").click()
    hold = panel(pets, "pets").locator("button.hold")
    expect(hold).to_be_visible(timeout=PATIENCE)
    hold.hover()
    pets.mouse.down()
    expect(panel(pets, "pets").locator(".lesson li:has(canvas.map)").nth(2)).to_be_visible(timeout=PATIENCE)
    pets.mouse.up()
    expect(card(pets, "Mimi")).to_be_visible(timeout=PATIENCE)
    expect(
        panel(pets, "pets").locator(".lesson li.out").first
    ).to_be_visible()  # its film shows the same again and again
    panel(pets, "pets").get_by_role("button", name=says("done")).click()
    expect(hold).to_have_count(0)


def test_pets_of_an_earlier_checkpoint_are_told_by_name(pets, examples):
    teach(pets, "Rex", [examples / REX[0]])
    pets.route("**/about.json", lambda route: answered(route))
    pets.reload()
    expect(panel(pets, "pets").get_by_text(says("outdated", names="Rex"))).to_be_visible()
    expect(panel(pets, "pets").get_by_text(says("no-bank"))).to_be_visible()
    expect(panel(pets, "pets").locator(".pet")).to_have_count(0)


def answered(route) -> None:
    about = route.fetch().json()
    route.fulfill(json=about | {"weights": "0" * 64, "bank": None})


def test_a_browser_that_keeps_nothing_is_told_so(blank, address, examples):
    page = blank()
    page.add_init_script(
        "Object.defineProperty(window, 'indexedDB', { get() { throw new DOMException('no', 'SecurityError'); } })"
    )
    page.goto(f"{address.rstrip('/')}/#pets")
    expect(panel(page, "pets").get_by_text(says("not-kept"))).to_be_visible()
    teach(page, "Rex", photos_of_rex(examples))
    expect(ask(page, examples / REX[0]).locator(".who")).to_have_text(says("it-is-i-think", name="Rex"))
