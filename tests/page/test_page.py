"""The page without a browser: its callbacks, and its endpoints over HTTP."""

from __future__ import annotations

import html
import io
import json
import urllib.request
from pathlib import Path

import gradio as gr
import numpy as np
import pillow_heif
import pytest
import torch
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError
from PIL import Image

from catdog.checkpoint import Metadata
from catdog.classifier import Classifier
from catdog.images import open_picture
from catdog.page import KEEP_SECONDS, LOOK_SECONDS, api, build, head, launch, look, many, photo, words
from catdog.page.drawing import SHOWN_SIDE
from catdog.page.gallery import Entry


@pytest.fixture(scope="module")
def classifier(network18) -> Classifier:
    return Classifier(network18, Metadata(input_size=64), torch.device("cpu"))


@pytest.fixture(scope="module")
def server(classifier):
    page = build(classifier)
    launch(page, server_name="127.0.0.1", prevent_thread_lock=True, quiet=True)
    yield page
    page.close()


@pytest.fixture(scope="module")
def client(server) -> Client:
    return Client(server.local_url, verbose=False)


def test_an_answer_is_codes_and_numbers(classifier, examples):
    answer = photo.answer_to(classifier, str(examples[0]))
    [explanation] = classifier.explain(examples[:1])
    assert answer["state"] == "answer"
    assert answer["prediction"] == api.fields_of(explanation.prediction)
    assert np.array(answer["evidence"]) == pytest.approx(explanation.evidence, abs=1e-5)
    assert answer["scale"] == classifier.metadata.evidence_scale
    assert answer["size"] == list(Image.open(examples[0]).size)
    assert "finer" not in answer
    json.dumps(answer)


def test_the_picture_is_sent_as_large_as_it_is_shown(classifier, tmp_path):
    path = tmp_path / "large.png"
    Image.new("RGB", (2000, 1000)).save(path)
    sent = open_picture(photo.answer_to(classifier, str(path))["picture"])
    assert sent.size == (SHOWN_SIDE, SHOWN_SIDE // 2)


def test_a_finer_map_keeps_the_answer(classifier, examples):
    usual = photo.answer_to(classifier, str(examples[0]))
    finer = photo.answer_to(classifier, str(examples[0]), finer=True)
    assert {key: finer[key] for key in usual} == usual
    [closer] = classifier.explain([examples[0]], size=2 * classifier.metadata.input_size)
    assert np.array_equal(finer["finer"], closer.evidence)
    assert closer.evidence.size > 3 * np.size(usual["evidence"])


def test_a_wrong_file_gets_a_code_and_no_path(classifier, tmp_path):
    path = tmp_path / "<b>evil.jpg"
    path.write_bytes(b"not a picture")
    assert photo.answer_to(classifier, str(path)) == {"state": "problem", "code": "unknown-type"}


def test_no_file_waits(classifier):
    assert photo.answer_to(classifier, None) == photo.WAITING


def test_an_iphone_photo_is_answered_and_gets_a_preview(classifier, tmp_path, examples):
    path = tmp_path / "IMG_0001.HEIC"
    pillow_heif.from_pillow(Image.open(examples[1])).save(path)
    answer, preview, source = photo.respond_to(classifier, str(path))
    assert (answer["state"], source) == ("answer", str(path))
    assert preview["value"].size == Image.open(examples[1]).size


def test_what_browsers_draw_themselves_gets_no_preview(classifier, examples):
    assert "value" not in photo.respond_to(classifier, str(examples[1]))[1]


def test_a_photo_is_decoded_once_for_an_answer_its_preview_and_its_finer_map(
    classifier, tmp_path, examples, monkeypatch
):
    paths = [examples[1], tmp_path / "photo.HEIC"]
    pillow_heif.from_pillow(Image.open(examples[1])).save(paths[1])
    decoded = []
    open_file = Image.open
    monkeypatch.setattr(Image, "open", lambda *given, **options: decoded.append(given) or open_file(*given, **options))
    for path in paths:
        photo.respond_to(classifier, str(path))
        assert len(decoded) == 1
        photo.answer_to(classifier, str(path), finer=True)
        assert len(decoded) == 2
        [*many.answers_of(classifier, [Entry(path.name, str(path))])]
        assert len(decoded) == 3
        look.stages_of(classifier, str(path), None)
        assert len(decoded) == 4
        decoded.clear()


def test_a_turned_photo_is_turned_upright_once(classifier, tmp_path, examples):
    exif = Image.Exif()
    exif[274] = 6
    path = tmp_path / "turned.jpg"
    Image.open(examples[1]).rotate(90, expand=True).save(path, exif=exif)
    answer = photo.answer_to(classifier, str(path))
    assert answer["view"] == [0, 0, *Image.open(examples[1]).size]
    assert answer["size"] == list(Image.open(examples[1]).size)


def test_a_path_or_address_given_as_url_is_not_opened(server, examples):
    picture = {"path": None, "url": str(examples[0]), "meta": {"_type": "gradio.FileData"}}
    request = urllib.request.Request(
        f"{server.local_url}gradio_api/call/classify",
        json.dumps({"data": [picture]}).encode(),
        {"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request) as response:
        event = json.load(response)["event_id"]
    with urllib.request.urlopen(f"{server.local_url}gradio_api/call/classify/{event}") as response:
        answer = response.read().decode()
    assert "event: error" in answer and "verdict" not in answer


def test_what_a_checkpoint_cannot_say_is_told(network18):
    def caveat(**metadata):
        return photo.caveat(Classifier(network18, Metadata(input_size=64, **metadata), torch.device("cpu")))

    assert caveat() is None
    assert caveat(real_negatives=False) == "photo.made-negatives"
    assert caveat(head="softmax") == "photo.softmax"


def test_classify_over_http_is_one_json_object(client, classifier, examples):
    answer = client.predict(handle_file(str(examples[1])), api_name="/classify")
    [prediction] = classifier.classify(examples[1:2])
    assert set(answer) == {"cat", "dog", "verdict", "logits"}
    assert answer["verdict"] == prediction.verdict
    assert answer["logits"] == pytest.approx(prediction.logits, abs=1e-4)


def test_explain_over_http_has_the_fields_of_an_explanation(client, classifier, examples):
    answer = client.predict(handle_file(str(examples[1])), api_name="/explain")
    [explanation] = classifier.explain(examples[1:2])
    assert set(answer) == {"prediction", "evidence", "bias", "view", "boxes"}
    assert torch.tensor(answer["evidence"]).numpy() == pytest.approx(explanation.evidence, abs=1e-4)
    assert answer["view"] == list(explanation.view)


def test_an_error_over_http_starts_with_its_code_and_shows_no_path(client, tmp_path):
    path = tmp_path / "broken.png"
    path.write_bytes(b"no picture")
    with pytest.raises(AppError, match=r"^unknown-type: broken\.png is not a picture") as raised:
        client.predict(handle_file(str(path)), api_name="/classify")
    assert "Traceback" not in str(raised.value) and "/" not in str(raised.value)


def test_nothing_of_a_visitor_is_kept(server):
    assert server.delete_cache == (LOOK_SECONDS, KEEP_SECONDS) and LOOK_SECONDS + KEEP_SECONDS <= 3600
    states = [block for block in server.blocks.values() if isinstance(block, gr.State) and block.value == []]
    assert [state.time_to_live for state in states] == [KEEP_SECONDS]  # the thumbnails of many photos
    assert not server.analytics_enabled
    assert not server.run_history
    assert not server.enable_monitoring
    assert not server.allowed_paths


def test_the_head_of_the_page_is_ours(server):
    with urllib.request.urlopen(server.local_url) as response:
        page = response.read().decode()
    root, before = server.local_url.rstrip("/"), page.partition("<script")[0]
    title, description = (html.escape(words.PAGE[name][0]) for name in ("title", "introduction"))
    for wanted in (
        f"<title>{title}</title>",
        f'<meta name="description" content="{description}" />',
        f'<meta property="og:title" content="{title}" />',
        f'<meta property="og:description" content="{description}" />',
        f'<meta property="og:image" content="{root}/card.jpg" />',
        f'<meta property="og:url" content="{root}/" />',
    ):
        assert before.count(wanted) == 1, wanted
    for name in ("og:title", "og:description", "og:image", "og:url", "og:type", "twitter:card", "description"):
        assert page.count(f'="{name}"') == 1, name
    assert "githubusercontent" not in before and "{url}" not in before and "Click to try" not in before


def test_the_head_names_the_address_that_visitors_see_and_nothing_they_say(server):
    evil = urllib.request.Request(
        server.local_url, headers={"X-Forwarded-Host": 'pets.example"><b>', "X-Forwarded-Proto": "https"}
    )
    with urllib.request.urlopen(evil) as response:
        page = response.read().decode().partition("<script")[0]
    assert 'content="https://pets.example' in page and '"><b>' not in page


@pytest.mark.parametrize(("path", "kind"), [("card.jpg", "image/jpeg"), ("favicon.ico", "image/svg+xml")])
def test_the_head_s_pictures_are_served(server, path, kind):
    with urllib.request.urlopen(server.local_url + path) as response:
        assert response.headers["content-type"] == kind
        content = response.read()
    if path == "card.jpg":
        assert Image.open(io.BytesIO(content)).size == head.CARD_SIZE


def test_examples_have_a_source_and_a_license_each(root, examples):
    credits = (root / "examples" / "README.md").read_text(encoding="utf-8")
    assert len(examples) >= 6
    for path in examples:
        [row] = [line for line in credits.splitlines() if line.startswith(f"| `{path.name}` |")]
        cells = [cell.strip() for cell in row.strip("|").split("|")]
        assert all(cells), path.name
    kinds = {path.name.partition("-")[0] for path in examples}
    assert kinds == {"cat", "dog", "both", "neither", "hard"}


def test_the_page_loads_nothing_from_elsewhere(root):
    for path in Path(root / "catdog" / "page").iterdir():
        if path.suffix in (".py", ".css", ".js", ".html"):
            assert "https://" not in path.read_text(encoding="utf-8"), path.name
