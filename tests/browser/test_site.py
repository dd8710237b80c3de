"""The page without a server: a folder of files, answers on the visitor's own device."""

from __future__ import annotations

import base64
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from demanded import skip
from playwright.sync_api import Error, Page, expect

import catdog
from catdog.page.site import RUNTIME, SiteError, build_site

from .visitor import PATIENCE, WORDS, drop, fill, panel, tab

READY = "() => navigator.serviceWorker.controller !== null && self.crossOriginIsolated"
EXPLAIN = """async (photo) => {
    const address = document.querySelector("script[src$='app.js']").src.replace("app.js", "engine/index.js");
    const { engine } = await import(address);
    const bytes = Uint8Array.from(atob(photo), (letter) => letter.charCodeAt(0));
    const { prediction, evidence, boxes, size } = await engine.explain(new Blob([bytes]));
    return { prediction, cat: [...evidence.cat], dog: [...evidence.dog], boxes, size };
}"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """A host's folder, with the site below a path of it."""
    if not RUNTIME.is_dir():
        skip("needs npm ci --prefix site")
    place = tmp_path_factory.mktemp("host")
    build_site(place / "some" / "path")
    return place


class Quiet(SimpleHTTPRequestHandler):
    extensions_map = SimpleHTTPRequestHandler.extensions_map | {".mjs": "text/javascript"}

    def log_message(self, *arguments: object) -> None:
        pass


@pytest.fixture(scope="module")
def host(folder) -> Iterator[str]:
    """Files as python -m http.server sends them: without any header of ours."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}/some/path/"
        server.shutdown()


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


def test_the_camera_is_answered_on_the_device(site, root):
    tab(site, "live").click()
    fill(site, root, "live")


def test_a_network_that_came_damaged_is_told_and_fetched_again(site, root, folder):
    [file] = (folder / "some" / "path" / "network").iterdir()
    whole = file.read_bytes()
    file.write_bytes(whole[:1000] + b"?" + whole[1001:])
    try:
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
