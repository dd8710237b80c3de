"""The inside tab in a real browser."""

from __future__ import annotations

import base64
import inspect
import re

import numpy as np
import pytest
from playwright.sync_api import Locator, Page, expect

import catdog
from catdog.decision import percent
from catdog.page.inside import layers_told, maps_of_weights, other_networks, without_blocks
from catdog.resnet import ResidualBlock

from .conftest import PHONE
from .visitor import PATIENCE, WORDS, drop, panel, tab, until

pytestmark = pytest.mark.slow

FIRST = "cat-chelsea.jpg"  # of the examples
EN, ZH = WORDS["en"], WORDS["zh"]
DRAWN = """element => {
    const canvas = element.shadowRoot.querySelector("canvas");
    const pixels = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    return new Set(new Uint32Array(pixels.data.buffer)).size;
}"""


@pytest.fixture
def opened(open_page) -> Locator:
    """The tab, with the first example on its way through the network."""
    return looked_at(open_page("#inside"))


def looked_at(page: Page) -> Locator:
    inside = panel(page, "inside")
    expect(inside.locator(".stages cam-map")).to_have_count(4, timeout=PATIENCE)
    return inside


def colors(maps: Locator) -> list[int]:
    """How many colors each canvas has."""
    return [each.evaluate(DRAWN) for each in maps.all()]


def group(inside: Locator, code: str) -> Locator:
    return inside.get_by_role("group", name=EN[code], exact=True)


def choose(inside: Locator, code: str, name: str, place: int = 0) -> None:
    group(inside, code).nth(place).get_by_role("radio", name=name, exact=True).check()


def ask_for(inside: Locator, method: str, stage: int = 4) -> None:
    choose(inside, "inside.stage-choice", EN["inside.stage"].format(stage=stage), place=1)
    choose(inside, "inside.method", method)


def test_without_a_photo_an_example_is_looked_into(opened):
    expect(opened.locator("example-strip button[aria-pressed=true]")).to_have_count(1)
    assert min(colors(opened.locator(".stages cam-map"))) > 100
    assert min(colors(opened.locator(".addition feature-map"))) > 10
    names = [each.get_attribute("name") for each in opened.locator(".stages cam-map").all()]
    assert len(set(names)) == 4 and all("LayerCAM" in name for name in names)


def test_the_photo_answered_last_is_the_one_looked_into(open_page, root):
    page = open_page()
    drop(page, [root / "examples" / "dog-german-shepherd.jpg"], "body")
    expect(panel(page, "photo").locator("photo-answer verdict-panel")).to_be_visible(timeout=PATIENCE)
    tab(page, "inside").click()
    inside = looked_at(page)
    expect(inside.locator("example-strip button[aria-pressed=true]")).to_have_count(0)
    expect(group(inside, "inside.label").get_by_role("radio", name=EN["view.label-dog"])).to_be_checked()


def test_a_photo_dropped_here_is_looked_into(opened, root):
    drop(opened.page, [root / "examples" / "dog-german-shepherd.jpg"], opened.locator("h1"))
    expect(opened.locator("example-strip button[aria-pressed=true]")).to_have_count(0)
    looked_at(opened.page)
    expect(group(opened, "inside.label").get_by_role("radio", name=EN["view.label-dog"])).to_be_checked()


def test_another_label_has_other_maps(opened):
    first = opened.locator(".stages cam-map").first
    was = first.get_attribute("name")
    label = "dog" if EN["view.label-cat"] in was else "cat"
    choose(opened, "inside.label", EN[f"view.label-{label}"])
    expect(first).not_to_have_attribute("name", was, timeout=PATIENCE)
    expect(opened.locator(".stages.old")).to_have_count(0)


def test_of_labels_chosen_in_quick_succession_the_last_one_s_maps_are_shown(opened):
    before = opened.locator(".stages cam-map").first.get_attribute("name")
    names = [EN["view.label-cat"], EN["view.label-dog"]]
    if names[0] in before:
        names.reverse()
    for name in names:
        choose(opened, "inside.label", name)
    expect(opened.locator(".stages.old")).to_have_count(0, timeout=PATIENCE)
    expect(group(opened, "inside.label").get_by_role("radio", name=names[1])).to_be_checked()
    for each in opened.locator(".stages cam-map").all():
        assert names[1] in each.get_attribute("name")


def test_a_method_shows_its_map_beside_the_page_s_own(opened):
    ask_for(opened, "Grad-CAM")
    result = opened.locator(".result")
    expect(result.locator("cam-map")).to_be_visible(timeout=PATIENCE)
    expect(result).to_contain_text(EN["inside.about-GradCAM"])
    assert min(colors(opened.locator(".beside cam-map"))) > 100


def test_a_slow_method_is_stopped(opened):
    ask_for(opened, "Score-CAM")
    bar = opened.get_by_role("progressbar")
    expect(bar).to_be_visible()
    opened.get_by_role("button", name=EN["inside.stop"]).click()
    expect(opened.locator(".result")).to_contain_text(EN["inside.stopped"])
    expect(bar).to_have_count(0)
    ask_for(opened, "Grad-CAM", stage=3)  # and the server is free for the next
    expect(opened.locator(".result cam-map")).to_be_visible(timeout=PATIENCE)


def test_a_slow_method_ends_when_the_visitor_goes_to_another_tab(opened):
    page = opened.page
    ask_for(opened, "Ablation-CAM", stage=1)
    expect(opened.get_by_role("progressbar")).to_be_visible()
    with page.expect_event("requestfailed", lambda request: "engine/methods" in request.url):
        tab(page, "photo").click()
    tab(page, "inside").click()
    expect(opened.locator(".result")).to_contain_text(EN["inside.stopped"])


def test_a_block_s_sum_is_shown_for_every_stage(opened):
    sizes = []
    for stage in (1, 2, 3, 4):
        choose(opened, "inside.stage-choice", EN["inside.stage"].format(stage=stage))
        first = opened.locator(".addition feature-map").first
        expect(first).to_have_attribute(
            "name", EN["inside.block-alt"].format(stage=stage, part=EN["inside.block-input"])
        )
        sizes.append(first.evaluate("element => element.shadowRoot.querySelector('canvas').width"))
    assert sizes == sorted(sizes, reverse=True) and sizes[0] == 2 * sizes[1]


def test_a_file_that_is_no_photo_says_so_and_the_next_one_is_looked_into(opened, tmp_path):
    path = tmp_path / "broken.jpg"
    path.write_bytes(b"\xff\xd8\xff\xe0 no picture")
    drop(opened.page, [path], opened.locator("h1"))
    expect(opened.get_by_role("alert")).to_be_visible(timeout=PATIENCE)
    opened.locator("example-strip button").nth(1).click()
    looked_at(opened.page)
    expect(opened.get_by_role("alert")).to_have_count(0)


def test_an_example_that_does_not_arrive_can_be_tried_again(opened):
    page = opened.page
    page.route("**/examples/*.jpg", lambda route: route.abort())
    opened.locator("example-strip button").nth(1).click()
    expect(opened.get_by_role("alert")).to_contain_text(EN["problem.offline"])
    page.unroute("**/examples/*.jpg")
    opened.get_by_role("button", name=EN["inside.again"]).click()
    looked_at(page)


def test_arrow_keys_go_through_the_stages_of_a_block(opened):
    radios = group(opened, "inside.stage-choice").nth(1).get_by_role("radio")
    radios.nth(1).focus()
    opened.page.keyboard.press("ArrowRight")
    expect(radios.nth(2)).to_be_checked()
    expect(radios.nth(2)).to_be_focused()


def test_a_phone_shows_two_stages_side_by_side_and_nothing_sideways(open_page):
    page = open_page("#inside", **PHONE)
    looked_at(page)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    tops = page.evaluate(
        "[...document.querySelectorAll('catdog-app')].flatMap((app) => [...app.shadowRoot.querySelector('inside-tab').shadowRoot"
        ".querySelectorAll('.stages li')]).map((each) => Math.round(each.getBoundingClientRect().top))"
    )
    assert len(tops) == 4 and len(set(tops)) == 2


def test_it_speaks_the_visitor_s_language(open_page):
    inside = looked_at(open_page("#inside", locale="zh-CN"))
    steps = [
        "tour.size",
        "tour.strip",
        "inside.block",
        "tour.sum",
        "tour.erase",
        "tour.weights",
        "tour.fools",
        "tour.teach",
    ]
    numbered = [f"{number} {ZH[code]}" for number, code in enumerate(steps, 1)]
    expect(inside.locator("section > h2")).to_have_text([*numbered, ZH["inside.stages"], ZH["inside.methods"]])
    until(inside.page, "document.documentElement.lang === 'zh-CN'")


# ---------------------------------------------------------------------------- what needs no more than answers


def test_the_numbers_of_the_sum_are_those_of_python_and_add_up(opened, root):
    [explanation] = catdog.load(device="cpu").explain([root / "examples" / FIRST])
    part = opened.locator("tour-sum")
    places = [float(text.replace("−", "-")) for text in part.locator(".grid span").all_text_contents()]
    assert places == pytest.approx(explanation.evidence[0].ravel().tolist(), abs=0.0101)
    total, bias, logit = (number(part.locator("td").nth(row)) for row in range(3))
    assert round(sum(places), 2) == total and round(total + bias, 2) == logit
    assert logit == pytest.approx(explanation.prediction.logits[0], abs=0.0051)
    expect(part.locator(".probability")).to_have_text(">99%")
    strongest = int(explanation.evidence[0].argmax())
    part.locator(".grid span").nth(strongest).click()
    assert number(part.locator(".logit")) == pytest.approx(logit - places[strongest], abs=0.011)
    part.locator(".stage").focus()
    opened.page.keyboard.press("Enter")  # the same place again
    assert number(part.locator(".logit")) == logit


def number(cell: Locator) -> float:
    return float(cell.text_content().replace("−", "-").replace("+", ""))


def test_a_smaller_picture_is_answered_as_python_answers_it(opened, root):
    [expected] = catdog.load(device="cpu").explain([root / "examples" / FIRST], size=32)
    part = opened.locator("tour-size")
    part.get_by_role("slider").fill("32")
    expect(part.locator("verdict-panel .percent").first).to_have_text(shown(expected.prediction.cat), timeout=PATIENCE)
    expect(part.locator("verdict-panel .percent").last).to_have_text(shown(expected.prediction.dog))
    assert min(part.get_by_role("img").first.evaluate("canvas => [canvas.width, canvas.height]")) == 32


def shown(probability: float) -> str:
    return percent(probability).replace("over ", ">").replace("under ", "<")


def test_painting_over_what_the_map_names_takes_the_answer_away(opened):
    part = opened.locator("tour-erase")
    cat = part.locator("verdict-panel .percent").first
    expect(cat).to_have_text(">99%", timeout=PATIENCE)
    for _ in range(8):
        part.get_by_role("button", name=EN["tour.erase-strongest"]).click()
        expect(part.locator(".answer")).to_have_attribute("aria-busy", "false", timeout=PATIENCE)
    assert cat.text_content() != ">99%"
    part.get_by_role("button", name=EN["tour.erase-again"]).click()
    expect(cat).to_have_text(">99%")
    part.locator("canvas.paint").scroll_into_view_if_needed()
    box = part.locator("canvas.paint").bounding_box()
    page = opened.page
    page.mouse.move(box["x"] + 0.02 * box["width"], box["y"] + 0.02 * box["height"])
    page.mouse.down()
    for row in range(12):
        page.mouse.move(box["x"] + 0.98 * box["width"], box["y"] + (0.02 + 0.085 * row) * box["height"], steps=4)
        page.mouse.move(box["x"] + 0.02 * box["width"], box["y"] + (0.02 + 0.085 * row) * box["height"], steps=4)
    page.mouse.up()
    expect(cat).not_to_have_text(">99%", timeout=PATIENCE)


def test_blocks_are_switched_off_as_python_does_it(opened, root):
    classifier, photo = catdog.load(device="cpu"), (root / "examples" / FIRST).read_bytes()
    part = opened.locator("tour-blocks")
    cat = part.locator("verdict-panel .percent").first
    blocks = part.locator("button.block")
    expect(blocks).to_have_count(8, timeout=PATIENCE)
    for block in (2, 5, 7):
        blocks.nth(block).click()
    expected = without_blocks(classifier, photo, "2,5,7", "change")
    expect(cat).to_have_text(shown(expected["prediction"]["cat"]), timeout=PATIENCE)
    part.get_by_role("radio", name=EN["tour.blocks-shortcut"], exact=True).check()
    expected = without_blocks(classifier, photo, "2,5,7", "shortcut")
    expect(cat).to_have_text(shown(expected["prediction"]["cat"]), timeout=PATIENCE)
    part.get_by_role("button", name=EN["tour.blocks-all"]).click()
    expect(cat).to_have_text(">99%", timeout=PATIENCE)


def test_a_place_s_number_and_field_are_those_of_python(opened, root):
    classifier, photo = catdog.load(device="cpu"), (root / "examples" / FIRST).read_bytes()
    told = layers_told(classifier, photo)["layers"]
    part = opened.locator("tour-strip")
    for place, layer in enumerate(told):
        tiles = part.locator(".mosaic").nth(place).get_by_role("button")
        expect(tiles).to_have_count(9)
        tiles.nth(1).click()
        shown = layer["shown"][1]
        expect(part.locator("figcaption b")).to_contain_text(str(shown["channel"] + 1))
        [row, column] = np.argwhere(values_of(layer, 1) == 255)[0]
        assert told_at(part) == (row + 1, column + 1, pytest.approx(shown["peak"], abs=0.006))
    part.locator(".mosaic").nth(2).get_by_role("button").first.click()
    grid = part.get_by_role("application")
    grid.focus()
    row, column, _ = told_at(part)
    for key in ("ArrowLeft", "ArrowUp", "ArrowUp"):
        opened.page.keyboard.press(key)
    stage2 = values_of(told[2], 0) / 255 * told[2]["shown"][0]["peak"]
    assert told_at(part) == (row - 2, column - 1, pytest.approx(stage2[row - 3, column - 2], abs=0.006))
    field = told[2]["field"]
    expect(part.locator("figcaption").last).to_have_text(
        EN["tour.strip-field"].format(field=field, width=384, height=256)
    )
    frame, whole = (part.locator(f".large.photo {each}").bounding_box() for each in (".seen", "canvas"))
    assert frame["width"] / whole["width"] <= field / 384 + 0.01


def values_of(layer: dict, tile: int) -> np.ndarray:
    content = base64.b64decode(layer["shown"][tile]["values"])
    return np.frombuffer(content, np.uint8).reshape(layer["height"], layer["width"])


def told_at(part: Locator) -> tuple[int, int, float]:
    """What is said of the chosen place: row, column and number."""
    row, column, value = re.findall(r"[\d.]+", part.locator("figcaption [role=status]").text_content())
    return int(row), int(column), float(value)


def test_other_weights_answer_as_python_s_do(opened, root):
    classifier, photo = catdog.load(device="cpu"), (root / "examples" / FIRST).read_bytes()
    expected = maps_of_weights(classifier, other_networks(classifier), photo)
    part = opened.locator("tour-weights")
    names = [name for name in ("checkpoint", "imagenet", "shuffled") if expected[name]]
    figures = part.locator("figure")
    expect(figures).to_have_count(len(names), timeout=PATIENCE)
    for place, name in enumerate(names):
        cat, dog = (f"{value:+.2f}".replace("-", "−") for value in expected[name]["prediction"]["logits"])
        expect(figures.nth(place)).to_contain_text(EN["tour.logits"].format(cat=cat, dog=dog))
    assert min(colors(part.locator("cam-map"))) > 100


def test_what_fools_it_is_followed_at_a_click(opened):
    opened.locator("tour-fools button").filter(has_text=EN["correct.fool-drawing"]).click()
    expect(opened.locator("example-strip button[aria-pressed=true] img")).to_have_attribute(
        "alt", EN["photo.example-hard-drawn-dog"]
    )
    looked_at(opened.page)
    until(opened.page, "scrollY < 300")


def test_the_tour_leads_to_the_pets_tab(opened):
    expect(opened.locator("tour-teach canvas")).to_have_attribute("width", "512")
    opened.get_by_role("link", name=EN["tour.teach-go"]).click()
    expect(panel(opened.page, "pets")).to_be_visible()


def test_each_step_is_a_tap_away(opened):
    steps = opened.get_by_role("navigation", name=EN["tour.steps"])
    steps.get_by_role("button", name=EN["tour.erase"]).click()
    heading = opened.get_by_role("heading", name=EN["tour.erase"])
    expect(heading).to_be_focused()
    assert abs(heading.bounding_box()["y"]) < 200


def test_the_lines_that_do_it_are_shown(opened):
    block = opened.locator("code-lines[of=block]")
    block.get_by_text(EN["tour.code"]).click()
    expect(block.locator("pre").first).to_contain_text("return self.relu(self.residual(x) + identity)")
    lines, first = inspect.getsourcelines(ResidualBlock.forward)
    caption = EN["tour.code-at"].format(file="catdog/resnet.py", line=first)
    expect(block.locator("figcaption").first).to_have_text(caption)
    assert len(block.locator("pre").first.locator("span").all()) == len(lines)
