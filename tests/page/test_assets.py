"""What a browser fetches before it asks about a photo: small, kept as long as it is right, and from here alone."""

from __future__ import annotations

import base64
import io
import json
import re
import shutil
from html.parser import HTMLParser
from pathlib import Path, PurePosixPath

import pytest
import torch
from PIL import Image
from starlette.testclient import TestClient

from catdog import page
from catdog.checkpoint import Metadata
from catdog.classifier import Classifier
from catdog.page import assets
from catdog.page.about import THUMB_SIDE
from catdog.page.sending import KINDS

WEB = assets.WEB


@pytest.fixture(scope="module")
def classifier(tiny_network) -> Classifier:
    return Classifier(tiny_network, Metadata(input_size=64, real_negatives=False, both=0.3), torch.device("cpu"))


@pytest.fixture(scope="module")
def server(classifier):
    return page.build(classifier)


@pytest.fixture
def visitor(server) -> TestClient:
    return TestClient(server, base_url="https://pets.example")


class Tags(HTMLParser):
    """The tags of a page, each with its attributes and what stands in it."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.inside: dict[str, str] = {}
        self.feed(text)

    def handle_starttag(self, tag, attrs) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data) -> None:
        if self.tags:
            self.inside[self.tags[-1][0]] = self.inside.get(self.tags[-1][0], "") + data.strip()


def named_in(text: str) -> list[str]:
    return [
        attributes.get("src") or attributes.get("href")
        for _, attributes in Tags(text).tags
        if attributes.keys() & {"src", "href"}
    ]


def test_everything_that_the_page_names_is_there(visitor):
    named = named_in(visitor.get("/").text)
    assert len(named) >= 3
    for address in named:
        assert not address.startswith(("/", "http")), "a page below a path of a larger site would not find it"
        answer = visitor.get(f"/{address}")
        assert answer.status_code == 200 and answer.headers["content-type"] == KINDS[PurePosixPath(address).suffix]


def test_every_module_imports_only_what_is_there():
    modules = list(WEB.rglob("*.js"))
    assert len(modules) > 5
    for path in modules:
        text = re.sub(r"/\*.*?\*/", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
        for name in re.findall(r"""^\s*(?:import|export)\s[^;'"]*?from\s*["']([^"']+)["']""", text, re.MULTILINE):
            assert name.startswith("."), f"{path.name} imports {name}"
            assert (path.parent / name).resolve().is_file(), f"{path.name} imports {name}"


@pytest.mark.parametrize("encoding", ["br", "gzip", "identity", "gzip, deflate, br;q=0.9", "br;q=0"])
def test_files_are_sent_in_the_smallest_form_that_the_browser_takes(visitor, encoding):
    [script] = [each for each in named_in(visitor.get("/").text) if each.endswith("app.js")]
    answer = visitor.get(f"/{script}", headers={"Accept-Encoding": encoding})
    assert answer.content == (WEB / "app.js").read_bytes()
    expected = "br" if "br" in encoding and encoding[-3:] != "q=0" else "gzip" if "gzip" in encoding else None
    assert answer.headers.get("content-encoding") == expected
    assert answer.headers["vary"] == "Accept-Encoding"
    if expected:
        assert int(answer.headers["content-length"]) < 0.6 * len(answer.content)


def test_a_file_is_kept_for_good_and_the_page_is_asked_for_again(visitor):
    index = visitor.get("/")
    [script] = [each for each in named_in(index.text) if each.endswith("app.js")]
    assert visitor.get(f"/{script}").headers["cache-control"] == "public, max-age=31536000, immutable"
    for path in ("/", "/about.json", "/figures.json", "/code.json"):
        first = visitor.get(path)
        assert first.headers["cache-control"] == "no-cache"
        again = visitor.get(path, headers={"If-None-Match": f'"other", {first.headers["etag"]}'})
        assert again.status_code == 304 and not again.content
        assert visitor.get(path, headers={"If-None-Match": '"other"'}).status_code == 200


def test_one_changed_file_changes_the_address_of_all(classifier, tmp_path, monkeypatch, visitor):
    changed = tmp_path / "web"
    shutil.copytree(WEB, changed)
    with (changed / "words" / "zh.json").open("a") as words:
        words.write("\n")
    monkeypatch.setattr(assets, "WEB", changed)
    renewed = TestClient(page.build(classifier))
    before, after = ({each for each in named_in(each.get("/").text) if "web/" in each} for each in (visitor, renewed))
    assert before and after and not before & after
    assert all(renewed.get(f"/{each}").status_code == 404 for each in before), "versions would be mixed"


def test_the_policy_allows_no_script_and_no_style_but_the_page_s_files(visitor):
    answer = visitor.get("/")
    policy = dict(each.strip().split(" ", 1) for each in answer.headers["content-security-policy"].split(";"))
    assert policy["default-src"] == policy["base-uri"] == policy["form-action"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == policy["frame-ancestors"] == "'self'"
    assert "unsafe" not in str(policy) and "http" not in str(policy) and "*" not in str(policy)
    assert answer.headers["permissions-policy"].startswith("camera=(self)")
    assert answer.headers["x-content-type-options"] == "nosniff" and answer.headers["referrer-policy"] == "no-referrer"
    found = Tags(answer.text)
    assert not found.inside.get("style")
    for tag, attributes in found.tags:
        assert tag != "style" and "style" not in attributes and not any(name.startswith("on") for name in attributes)
        assert tag != "script" or attributes.get("src") or attributes.get("type") == "application/json"


def test_a_space_is_shown_inside_a_page_of_its_host(visitor, monkeypatch):
    monkeypatch.setenv("SPACE_ID", "somebody/catdog")
    policy = visitor.get("/").headers["content-security-policy"]
    assert policy.endswith("frame-ancestors 'self' https://huggingface.co https://*.huggingface.co")


def test_other_sites_show_a_link_with_title_and_card(visitor):
    text = visitor.get("/").text
    metas = {
        each.get("property") or each.get("name"): each["content"]
        for tag, each in Tags(text).tags
        if tag == "meta" and "content" in each
    }
    assert metas["og:url"] == "https://pets.example/"
    assert metas["og:image"] == "https://pets.example/card.jpg"
    assert metas["og:title"] and metas["og:description"] and metas["description"]
    width, height = Image.open(io.BytesIO(visitor.get("/card.jpg").content)).size
    assert (metas["og:image:width"], metas["og:image:height"]) == (str(width), str(height))
    assert "{{" not in text


@pytest.mark.parametrize(
    ("headers", "address"),
    [
        ({"X-Forwarded-Host": "cats.example:8443", "X-Forwarded-Proto": "http"}, "http://cats.example:8443/"),
        ({"X-Forwarded-Host": "[2001:db8::1]:80, inner"}, "https://[2001:db8::1]:80/"),
        ({"X-Forwarded-Host": 'evil"><b>'}, "/"),
        ({"X-Forwarded-Proto": "javascript"}, "/"),
    ],
)
def test_the_address_is_what_a_proxy_says_and_nothing_else(visitor, headers, address):
    text = visitor.get("/", headers=headers).text
    assert f'property="og:url" content="{address}"' in text
    assert "<b>" not in text and "javascript" not in text.lower().replace("needs javascript", "").replace(
        "javascript，", ""
    ).replace("需要 javascript", "")


def test_the_path_below_which_a_proxy_shows_the_page_needs_no_slash_at_its_end(server):
    visitor = TestClient(server, base_url="https://pets.example", root_path="/pets")
    answer = visitor.get("/pets", follow_redirects=False)
    assert answer.status_code == 307 and answer.headers["location"] == "https://pets.example/pets/"
    assert visitor.get("/pets/").status_code == visitor.get("/pets/health").status_code == 200


def test_about_tells_what_the_page_has_to_know(visitor, classifier):
    about = visitor.get("/about.json").json()
    assert about["engine"] == "server" and about["device"] == "CPU"
    assert (about["arch"], about["input_size"], about["head"], about["negatives"]) == ("resnet18", 64, "binary", False)
    assert about["thresholds"] == {"both": 0.3, "neither": classifier.metadata.present}
    assert about["scale"] == classifier.metadata.evidence_scale
    assert about["limits"] == {"megabytes": 50, "megapixels": 89, "photos": 500}


def test_every_example_has_a_source_a_license_and_a_thumbnail(visitor, examples):
    told = visitor.get("/about.json").json()["examples"]
    assert sorted(each["photo"] for each in told) == [f"examples/{path.name}" for path in examples]
    assert {each["verdict"] for each in told} == {"cat", "dog", "both", "neither"}
    for each in told:
        assert all(each[name] for name in ("id", "credit", "license", "source", "alt")), each["id"]
        assert not re.search(r"[][*`]", each["credit"] + each["license"] + each["alt"]), "Markdown"
        photo = Image.open(io.BytesIO(visitor.get(f"/{each['photo']}").content))
        assert photo.size == (each["width"], each["height"])
        start, content = each["thumb"].split(",")
        thumb = Image.open(io.BytesIO(base64.b64decode(content)))
        assert start == "data:image/webp;base64" and thumb.format == "WEBP"
        assert max(thumb.size) == THUMB_SIDE and len(content) < 12_000


def test_icon_robots_and_health_are_there(visitor, monkeypatch):
    for path in ("/icon.svg", "/favicon.ico"):
        assert visitor.get(path).headers["content-type"] == "image/svg+xml"
    assert "Disallow: /engine/" in visitor.get("/robots.txt").text
    health = visitor.get("/health")
    assert health.json() == {"status": "ok"} and health.headers["cache-control"] == "no-store"
    assert visitor.head("/health").status_code == visitor.head("/").status_code == 200


def test_the_words_are_served_whole(visitor):
    [script] = [each for each in named_in(visitor.get("/").text) if each.endswith("app.js")]
    for name in ("en", "zh"):
        words = visitor.get(f"/{Path(script).parent.as_posix()}/words/{name}.json")
        assert words.json() == json.loads((WEB / "words" / f"{name}.json").read_text(encoding="utf-8"))
