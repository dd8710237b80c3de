"""The page without a server: a folder of files, answers on the visitor's own device."""

from __future__ import annotations

import base64
import json
import random
import re
import struct
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from functools import partial
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import IO

import numpy as np
import pytest
from demanded import skip
from PIL import Image, ImageCms
from playwright.sync_api import Error, Page, expect

import catdog
from catdog.cli.benchmark.device import ENGINE, Files
from catdog.datasets import read_folders
from catdog.images import open_picture
from catdog.page.inside import layers_told, maps_of_weights, other_networks, without_blocks
from catdog.page.site import RUNTIME, SiteError, build_site
from research.compare_device import Options as Comparison
from research.compare_device import compare

from .server import serve
from .visitor import PATIENCE, WORDS, drop, fill, panel, tab

READY = "() => navigator.serviceWorker.controller !== null && self.crossOriginIsolated"
EXPLAIN = """async (photo) => {
    const engine = ENGINE;
    const bytes = Uint8Array.from(atob(photo), (letter) => letter.charCodeAt(0));
    const { prediction, evidence, boxes, size, signature } = await engine.explain(new Blob([bytes]));
    return { prediction, cat: [...evidence.cat], dog: [...evidence.dog], boxes, size, signature: [...signature] };
}""".replace("ENGINE", ENGINE)

INSIDE = """async (photo) => {
    const engine = ENGINE;
    const bytes = Uint8Array.from(atob(photo), (letter) => letter.charCodeAt(0));
    const ask = (kind, options) => engine.inside(kind, new Blob([bytes]), options);
    const { layers } = await ask("layers");
    const blocks = [], wishes = [[[], "change"], [[2, 5, 7], "change"], [[1, 4], "shortcut"]];
    for (const [off, part] of wishes) blocks.push(await ask("blocks", { off, part }));
    const { shuffled } = await ask("weights");
    return { layers, blocks, shuffled: shuffled.prediction.logits };
}""".replace("ENGINE", ENGINE)

GRAPHICS = """async () => {
    const about = await (await fetch("about.json")).json();
    const { src } = document.querySelector("script[src*='start.js']");
    const part = (name) => import(src.replace("start.js", `engine/device/${name}.js`));
    const { hasGraphics, loadGraphics } = await part("graphics");
    const { Network } = await part("network");
    const input = Float32Array.from({ length: 3 * 96 * 96 }, (_, index) => Math.sin(index ** 2 / 96));
    const { runner: processor } = await Network.load(about, document.baseURI, () => {});
    const runners = [await loadGraphics(about, document.baseURI), processor];
    const found = [];
    for (const runner of runners) found.push(await runner.run(input, [96, 96]));
    const chip = await navigator.gpu.requestAdapter();
    return {
        program: chip.info.isFallbackAdapter,
        tried: await hasGraphics(),
        answers: found.map(({ logits, evidence, extent }) => [...logits, ...evidence.dog, ...extent.dog]),
    };
}"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """A host's folder, with the site below a path of it."""
    if not RUNTIME.is_dir():
        skip("needs npm ci --prefix site")
    place = tmp_path_factory.mktemp("host")
    build_site(place / "some" / "path")
    return place


class Slow(Files):
    """A host that takes a few seconds to send the network."""

    def copyfile(self, source: IO[bytes], outputfile: IO[bytes]) -> None:
        while piece := source.read(2**20):
            outputfile.write(piece)
            time.sleep(0.3)


@contextmanager
def hosted(folder: Path, handler: type[Files] = Files) -> Iterator[str]:
    """Files as python -m http.server sends them: without any header of ours."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(handler, directory=str(folder))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}/some/path/"
        server.shutdown()


@pytest.fixture(scope="module")
def host(folder) -> Iterator[str]:
    with hosted(folder) as address:
        yield address


def open_site(page: Page, host: str) -> None:
    """Until the service worker answers for it, after the first load with another one."""
    page.goto(host)
    end = time.monotonic() + PATIENCE / 1000
    while time.monotonic() < end:
        with suppress(Error):  # it is being loaded anew
            if page.evaluate(READY):
                return
        page.wait_for_timeout(100)
    raise AssertionError("no service worker")


@pytest.fixture
def site(blank, host) -> Page:
    """The page, once its service worker has it and has loaded it anew."""
    page = blank()
    open_site(page, host)
    page.locator("photo-tab").wait_for()
    return page


def test_answers_are_those_of_python(site, examples):
    classifier = catdog.load(device="cpu")
    for path, expected in zip(examples, classifier.explain(examples)):
        found = site.evaluate(EXPLAIN, base64.b64encode(path.read_bytes()).decode())
        said = found["prediction"]
        assert said["verdict"] == expected.prediction.verdict, path.name
        assert said["cat"] == pytest.approx(expected.prediction.cat, abs=0.02)
        assert said["dog"] == pytest.approx(expected.prediction.dog, abs=0.02)
        for label, values in (("cat", expected.evidence[0]), ("dog", expected.evidence[1])):
            assert found[label] == pytest.approx(values.ravel().tolist(), abs=0.02), path.name


def test_webgpu_answers_as_the_processor_does_and_is_not_tried_where_a_program_stands_in_for_it(chromium, host):
    kind, options = chromium
    arguments = [*options["args"], "--enable-unsafe-webgpu", "--use-webgpu-adapter=swiftshader"]
    browser = kind.launch(**options | {"args": arguments})
    try:
        page = browser.new_page()
        open_site(page, host)
        found = page.evaluate(GRAPHICS)
    finally:
        browser.close()
    assert found["program"] and not found["tried"]
    by_graphics, by_processor = found["answers"]
    assert len(by_graphics) == 2 + 9 + 36
    assert by_graphics == pytest.approx(by_processor, abs=1e-4)


def test_photos_from_everywhere_are_answered_as_by_python(shared_data, tmp_path):
    """A part of what research/compare_device.py counts, drawn by chance."""
    folders = [shared_data / name for name in ("kaggle", "oxford-iiit-pet", "folders", "everyday")]
    found = read_folders(folders, [shared_data / "neither"])
    held_out = [photo.path for each in found for photo in each.photos if photo.part == "held-out"]
    if not RUNTIME.is_dir():
        skip("needs npm ci --prefix site")
    paths = random.Random(1).sample(held_out, 40)
    with ThreadPoolExecutor(1) as elsewhere:  # Playwright runs here already
        compared = elsewhere.submit(compare, paths, Comparison(data=(), frames=0)).result()
    assert sum(compared.equal) >= len(compared.equal) - 1
    assert np.mean(np.array(compared.probabilities) <= 0.02) >= 0.97
    assert np.quantile(compared.evidence, 0.9) <= 0.02


def test_the_first_visit_shows_how_much_of_the_network_has_come(blank, folder):
    page = blank()
    with hosted(folder, Slow) as host:
        page.goto(host)
        bar = page.get_by_role("progressbar")
        bar.wait_for(timeout=PATIENCE)
        seen = []
        with suppress(Error):  # it has gone
            while True:
                seen.append(bar.evaluate("(bar) => bar.value", timeout=1000))
                page.wait_for_timeout(50)
    assert seen == sorted(seen) and len(set(seen)) > 5 and seen[-1] > 0.5


def test_the_network_comes_without_a_photo_and_the_page_says_how_it_answers(site):
    expect(site.locator("footer")).to_contain_text("Answered here, with", timeout=PATIENCE)
    site.context.set_offline(True)
    site.reload()
    expect(site.locator("footer")).to_contain_text("Answered here, with", timeout=PATIENCE)


@pytest.mark.parametrize("profile", ["sRGB", "Display P3"])
def test_heic_is_read_where_the_browser_cannot(site, root, tmp_path, profile):
    path = write_heic(root / "examples" / "cat-chelsea.jpg", tmp_path / "photo.heic", profile)
    [expected] = catdog.load(device="cpu").explain([path])
    found = site.evaluate(EXPLAIN, base64.b64encode(path.read_bytes()).decode())
    assert found["prediction"]["verdict"] == expected.prediction.verdict
    assert found["size"] == list(open_picture(path).size)
    for label, values in (("cat", expected.evidence[0]), ("dog", expected.evidence[1])):
        assert found[label] == pytest.approx(values.ravel().tolist(), abs=0.02)
    drop(site, [path], "main")
    panel(site, "photo").locator("verdict-panel h2").wait_for(timeout=PATIENCE)


def write_heic(source: Path, path: Path, profile: str) -> Path:
    """A photo as phones write it; in wide colors its numbers mean stronger ones, so that who ignores that is found out."""
    pillow_heif = pytest.importorskip("pillow_heif")
    with Image.open(source) as photo:
        heif = pillow_heif.from_pillow(photo.convert("RGB"))
    heif.info["icc_profile"] = display_p3() if profile == "Display P3" else None
    heif.save(path, quality=95)
    return path


def display_p3() -> bytes:
    """The profile of phones' photos: that of sRGB with another name and other primaries (ICC, D50)."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    primaries = {
        b"rXYZ": (0.51512, 0.24120, -0.00105),
        b"gXYZ": (0.29198, 0.69225, 0.04189),
        b"bXYZ": (0.15710, 0.06657, 0.78407),
    }
    for tag, values in primaries.items():
        [offset] = struct.unpack_from(">I", profile, profile.index(tag) + 4)
        struct.pack_into(">3i", profile, offset + 8, *(round(value * 2**16) for value in values))
    name = "sRGB built-in".encode("utf-16-be")
    return bytes(profile).replace(name, "Display P3   ".encode("utf-16-be"))


@pytest.mark.parametrize("content", [b"%PDF-1.7\n", b"II*\0\x08\0\0\0", b"just a text"])
def test_what_the_browser_cannot_read_is_told(site, tmp_path, content):
    path = tmp_path / "photo.bin"
    path.write_bytes(content)
    drop(site, [path], "main")
    expect(site.get_by_role("alert")).to_contain_text(WORDS["en"]["problem.unknown-here"], timeout=PATIENCE)


def test_it_answers_where_no_service_worker_may_run(browser, host, root):
    context = browser.new_context(service_workers="block", locale="en-US")
    page = context.new_page()
    page.goto(host)
    fill(page, root, "photo")
    assert not page.evaluate("self.crossOriginIsolated")
    context.close()


def test_it_can_be_installed(folder):
    place = folder / "some" / "path"
    manifest = json.loads((place / "manifest.webmanifest").read_text(encoding="utf-8"))
    for icon in manifest["icons"]:
        if icon["type"] == "image/png":
            with Image.open(place / icon["src"]) as picture:
                assert f"{picture.width}x{picture.height}" == icon["sizes"]
    assert {icon["purpose"] for icon in manifest["icons"]} == {"any", "maskable"}
    page = (place / "index.html").read_text(encoding="utf-8")
    touch = re.search(r'rel="apple-touch-icon" href="([^"]+)"', page)
    assert touch and Image.open(place / touch[1]).size == (180, 180)


def test_a_phone_that_can_keep_it_is_told_how(blank, host):
    page = blank()
    page.add_init_script("Object.defineProperty(navigator, 'standalone', { value: false })")  # as iOS has it
    page.goto(host)
    expect(page.locator("footer")).to_contain_text("Add to Home Screen")


def test_a_server_offers_it_too_and_remembers_who_chose_it(blank, root, folder, examples):
    with serve(root, None, "--site", str(folder / "some" / "path")) as address:
        page = blank()
        page.goto(address)
        page.get_by_role("link", name=WORDS["en"]["app.on-device"]).click()
        expect(page.locator("footer")).to_contain_text("Answered here, with", timeout=PATIENCE)
        assert page.evaluate("self.crossOriginIsolated")
        page.goto(f"{address.rstrip('/')}/#many")
        page.wait_for_url("**/device/#many")
        page.get_by_role("link", name=WORDS["en"]["app.on-server"]).click()
        expect(page.get_by_role("link", name=WORDS["en"]["app.on-device"])).to_be_visible()
        page.reload()
        expect(page.get_by_role("link", name=WORDS["en"]["app.on-device"])).to_be_visible()


def test_a_photo_is_answered_and_no_request_leaves_the_page(site, root, host):
    fill(site, root, "photo")
    asked = []
    site.on("request", lambda request: asked.append(request.url))
    drop(site, [root / "examples" / "cat-chelsea.jpg"], "main")
    expect(panel(site, "photo").locator("verdict-panel h2")).to_have_text(
        WORDS["en"]["verdict.says-cat-sure"], timeout=PATIENCE
    )
    assert not [url for url in asked if not url.startswith(("blob:", "data:"))]


def test_after_one_visit_everything_works_without_a_network(site, root, host):
    fill(site, root, "photo")  # the network has come
    for name in ("live", "many", "accuracy"):
        tab(site, name).click()
        panel(site, name).wait_for()
    site.context.set_offline(True)
    open_site(site, host)
    fill(site, root, "photo")
    tab(site, "many").click()
    fill(site, root, "many")
    tab(site, "accuracy").click()
    fill(site, root, "accuracy")


def test_a_pet_is_taught_and_known_without_a_network(site, root, host):
    fill(site, root, "photo")  # the network has come
    for name in ("live", "many", "pets"):
        tab(site, name).click()
        panel(site, name).wait_for()
    site.context.set_offline(True)
    open_site(site, host)
    tab(site, "pets").click()
    fill(site, root, "pets")
    tab(site, "photo").click()
    panel(site, "photo").locator("photo-source input.choose").set_input_files(
        root / "examples" / "dog-german-shepherd.jpg"
    )
    expect(panel(site, "photo").locator("pet-line .who")).to_have_text(
        WORDS["en"]["pets.it-is-i-think"].format(name="Rex"), timeout=PATIENCE
    )
    tab(site, "many").click()
    drop(site, [root / "examples" / "dog-german-shepherd.jpg"], "main")
    expect(panel(site, "many").locator("photo-card .verdict")).to_have_text("Rex", timeout=PATIENCE)


def test_the_tour_is_made_without_a_network_as_in_python(site, root, host):
    """With weights in eight bits, nearly."""
    fill(site, root, "photo")  # the network has come
    site.context.set_offline(True)
    open_site(site, host)
    tab(site, "inside").click()
    inside = panel(site, "inside")
    inside.locator("example-strip button").first.click()
    expect(inside.locator("tour-strip .mosaic")).to_have_count(5, timeout=PATIENCE)
    expect(inside.locator("tour-weights figure")).to_have_count(2, timeout=PATIENCE)
    expect(inside.locator(".addition feature-map")).to_have_count(3)
    expect(inside.locator(".stages")).to_have_count(0)  # gradients are a server's
    classifier = catdog.load(device="cpu")
    photo = (root / "examples" / "cat-chelsea.jpg").read_bytes()
    asked = site.evaluate(INSIDE, base64.b64encode(photo).decode())
    for off, part, found in zip(([], [2, 5, 7], [1, 4]), ("change", "change", "shortcut"), asked["blocks"]):
        expected = without_blocks(classifier, photo, ",".join(map(str, off)), part)
        assert found["changes"] == pytest.approx(expected["changes"], abs=0.01)
        assert found["prediction"]["logits"] == pytest.approx(expected["prediction"]["logits"], abs=0.3)
    weights = maps_of_weights(classifier, other_networks(classifier), photo)
    assert asked["shuffled"] == pytest.approx(weights["shuffled"]["prediction"]["logits"], abs=0.05)
    for mine, layer in zip(asked["layers"], layers_told(classifier, photo)["layers"]):
        assert mine["name"] == layer["name"]
        channels, others = ([each["channel"] for each in one["shown"]] for one in (mine, layer))
        assert len({*channels} & {*others}) >= 7, "the strongest ones, but for a close finish"


def test_signatures_are_those_of_python(site, examples):
    """With weights in eight bits, nearly: an angle below three degrees."""
    for path, expected in zip(examples, catdog.load(device="cpu").explain(examples)):
        found = np.array(site.evaluate(EXPLAIN, base64.b64encode(path.read_bytes()).decode())["signature"])
        if not expected.signature.any():  # no place speaks for either
            assert not found.any(), path.name
            continue
        cosine = found @ expected.signature / np.linalg.norm(found) / np.linalg.norm(expected.signature)
        assert cosine > 0.9986, path.name


def test_the_camera_is_answered_on_the_device(site, root):
    tab(site, "live").click()
    fill(site, root, "live")


def test_a_network_that_came_damaged_is_told_and_fetched_again(blank, host, root, folder):
    place = folder / "some" / "path"
    file = place / json.loads((place / "about.json").read_text())["network"]["file"]
    whole = file.read_bytes()
    file.write_bytes(whole[:1000] + b"?" + whole[1001:])
    try:
        site = blank()
        open_site(site, host)
        drop(site, [root / "examples" / "cat-chelsea.jpg"], "main")
        expect(site.get_by_text(WORDS["en"]["problem.broken-network"]).first).to_be_visible(timeout=PATIENCE)
    finally:
        file.write_bytes(whole)
    drop(site, [root / "examples" / "cat-chelsea.jpg"], "main")
    panel(site, "photo").locator("verdict-panel h2").wait_for(timeout=PATIENCE)


def test_a_folder_of_other_things_is_left_alone(tmp_path):
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(SiteError, match="holds other things"):
        build_site(tmp_path)
    assert (tmp_path / "thesis.txt").read_text() == "years of work"
