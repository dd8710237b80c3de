"""What programs and assistants get, and what nobody gets: the endpoints, MCP, the health address, privacy."""

from __future__ import annotations

import ast
import asyncio
import base64
import json
import os
import re
import subprocess
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest
import torch
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError
from mcp import ClientSession
from mcp.client.streamable_http import streamable_http_client

from catdog.checkpoint import Metadata
from catdog.classifier import Classifier
from catdog.cli import app
from catdog.page import build, launch, uploads
from catdog.page.endpoints import CHUNK, MAX_PHOTOS

FIELDS = {"cat", "dog", "verdict", "logits"}


@pytest.fixture(scope="module")
def classifier(tiny_network) -> Classifier:
    return Classifier(tiny_network, Metadata(input_size=32), torch.device("cpu"))


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("uploads")


@pytest.fixture(scope="module")
def address(classifier, folder):
    """Where the page with its MCP tools is, without a slash at its end; its uploads are in a folder of their own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GRADIO_TEMP_DIR", str(folder))
        served = build(classifier)
        launch(served, server_name="127.0.0.1", prevent_thread_lock=True, quiet=True, mcp_server=True)
        yield served.get_blocks().local_url.rstrip("/")
        served.get_blocks().close()


@pytest.fixture(scope="module")
def client(address) -> Client:
    return Client(address, verbose=False)


def get_json(address: str):
    with urllib.request.urlopen(address) as response:
        return json.load(response)


def call(address: str, endpoint: str, *data: object) -> str:
    """What a program without a client is told in the end."""
    body, headers = json.dumps({"data": data}).encode(), {"Content-Type": "application/json"}
    place = f"{address}/gradio_api/call/{endpoint}"
    with urllib.request.urlopen(urllib.request.Request(place, body, headers)) as response:
        event = json.load(response)["event_id"]
    with urllib.request.urlopen(f"{place}/{event}") as response:
        return response.read().decode()


def as_file(path: object) -> dict[str, object]:
    """As Gradio's clients describe an upload."""
    return {"path": path, "meta": {"_type": "gradio.FileData"}}


def data_url(content: bytes) -> str:
    return "data:image/jpeg;base64," + base64.b64encode(content).decode()


# ---------------------------------------------------------------------------- answers


def test_classify_gives_one_json_object(client, classifier, examples):
    answer = client.predict(handle_file(str(examples[1])), api_name="/classify")
    [prediction] = classifier.classify(examples[1:2])
    assert set(answer) == FIELDS
    assert answer["verdict"] == prediction.verdict
    assert answer["logits"] == pytest.approx(prediction.logits, abs=1e-4)


def test_explain_gives_the_fields_of_an_explanation(client, classifier, examples):
    answer = client.predict(handle_file(str(examples[1])), api_name="/explain")
    [explanation] = classifier.explain(examples[1:2])
    assert set(answer) == {"prediction", "evidence", "bias", "view", "boxes", "extent", "signature"}
    assert torch.tensor(answer["evidence"]).numpy() == pytest.approx(explanation.evidence, abs=1e-4)
    assert answer["view"] == list(explanation.view)
    assert torch.tensor(answer["extent"]).numpy() == pytest.approx(explanation.extent, abs=1e-4)
    assert answer["signature"] == pytest.approx(explanation.signature.tolist(), abs=1e-4)


def test_many_pictures_are_answered_in_order_and_a_broken_one_is_an_error_in_its_place(
    client, classifier, examples, tmp_path
):
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(b"nothing")
    pictures = [*examples[:CHUNK], *examples[: CHUNK + 2 - len(examples)]]
    pictures.insert(1, broken)
    assert len(pictures) > CHUNK, "more than one turn"
    answers = client.predict([handle_file(str(path)) for path in pictures], api_name="/classify_many")
    error = answers.pop(1)
    assert set(error) == {"error"} and re.match(r"unknown-type: broken\.jpg is not a picture", error["error"])
    pictures.remove(broken)
    assert len(answers) == len(pictures) and all(set(each) == FIELDS for each in answers)
    for answer, prediction in zip(answers, classifier.classify(pictures)):
        assert answer["logits"] == pytest.approx(prediction.logits, abs=1e-3)


@pytest.mark.parametrize("endpoint", ["classify", "classify_many"])
def test_a_data_url_is_answered_and_not_stored(address, folder, classifier, examples, endpoint):
    before = set(folder.rglob("*"))
    url = data_url(examples[0].read_bytes())
    said = call(address, endpoint, [url] if endpoint == "classify_many" else url)
    [prediction] = classifier.classify(examples[:1])
    assert f'"verdict": "{prediction.verdict}"' in said
    assert set(folder.rglob("*")) == before


def test_an_error_starts_with_its_code_and_shows_no_path(client, tmp_path):
    path = tmp_path / "broken.png"
    path.write_bytes(b"no picture")
    with pytest.raises(AppError, match=r"^unknown-type: broken\.png is not a picture") as raised:
        client.predict(handle_file(str(path)), api_name="/classify")
    assert "Traceback" not in str(raised.value) and "/" not in str(raised.value)


def test_no_picture_and_too_many_pictures_are_errors_with_a_code(client):
    for sent, code in ((None, "missing"), ([], "missing"), (["data:,"] * (MAX_PHOTOS + 1), "too-many")):
        with pytest.raises(AppError, match=f"^{code}: "):
            client.predict(sent, api_name="/classify_many")
    with pytest.raises(AppError, match="^missing: "):
        client.predict(None, api_name="/classify")


@pytest.mark.parametrize("name", ["path", "url", "both"])
def test_a_file_of_the_server_is_never_opened(address, folder, examples, name):
    private = folder / "private.jpg"  # beside the uploads, where Gradio itself would take it for one
    private.write_bytes(examples[0].read_bytes())
    for path in (str(private), str(examples[0]), f"../{private.name}", f"file://{private}", [str(private)]):
        sent = as_file(path) if name == "path" else {"path": "", "url": path} if name == "url" else path
        for endpoint, data in (("classify", sent), ("explain", sent), ("classify_many", [sent])):
            said = call(address, endpoint, data)
            assert said.startswith("event: error") and "missing: Send a picture" in said, said


def test_an_address_within_the_server_s_own_network_is_not_fetched(client):
    for sent in ("http://127.0.0.1/secret.png", as_file("http://127.0.0.1/secret.png"), "https://localhost/secret.png"):
        with pytest.raises(AppError, match="^missing: The address cannot be fetched"):
            client.predict(sent, api_name="/classify")
        [answer] = client.predict([sent], api_name="/classify_many")
        assert answer == {"error": "missing: The address cannot be fetched."}


def test_an_address_is_fetched_into_memory(client, folder, classifier, examples, monkeypatch):
    async def download(url: str, most: int) -> bytes:
        assert url == "https://pets.example/cat.jpg" and most <= 50 * 2**20
        return examples[0].read_bytes()

    monkeypatch.setattr("catdog.page.fetch.download", download)
    before = set(folder.rglob("*"))
    [prediction] = classifier.classify(examples[:1])
    for sent in ("https://pets.example/cat.jpg", as_file("https://pets.example/cat.jpg")):
        answer = client.predict(sent, api_name="/classify")
        assert answer["logits"] == pytest.approx(prediction.logits, abs=1e-4)
    assert set(folder.rglob("*")) == before


# ---------------------------------------------------------------------------- what the docs say


def test_the_curl_commands_of_the_docs_work_as_written(address, classifier, root, examples, tmp_path):
    docs = (root / "docs" / "api.md").read_text(encoding="utf-8")
    [commands] = [block for block in re.findall(r"```sh\n(.*?)```", docs, re.DOTALL) if "curl" in block]
    (tmp_path / "photo.jpg").write_bytes(examples[1].read_bytes())
    commands = commands.replace("http://127.0.0.1:7860", address)
    answer = subprocess.run(["sh", "-ec", commands], cwd=tmp_path, capture_output=True, text=True, check=True).stdout
    [prediction] = classifier.classify(examples[1:2])
    assert json.loads(answer.partition("data: ")[2])[0]["verdict"] == prediction.verdict


def test_the_javascript_of_the_docs_names_what_there_is(address, root):
    """The package it imports is not here; what it says to it is held against what the page offers."""
    docs = (root / "docs" / "api.md").read_text(encoding="utf-8")
    [snippet] = re.findall(r"```js\n(.*?)```", docs, re.DOTALL)
    [(endpoint, arguments)] = re.findall(r'client\.predict\("([^"]+)", \[(.*?)\]\)', snippet)
    described = get_json(f"{address}/gradio_api/info")["named_endpoints"][endpoint]
    assert len(described["parameters"]) == len(arguments.split("), "))
    assert "filepath" in described["parameters"][0]["python_type"]["type"]
    assert re.findall(r"data\[(\d)\]\.(\w+)", snippet) == [("0", "verdict")] and len(described["returns"]) == 1


def test_programs_see_three_endpoints_and_nothing_else(address):
    info = get_json(f"{address}/gradio_api/info")
    assert set(info["named_endpoints"]) == {"/classify", "/explain", "/classify_many"}
    assert not info["unnamed_endpoints"]


def test_health_is_told_without_asking_the_network(address, classifier, monkeypatch):
    monkeypatch.setattr(classifier, "forward", None)
    assert get_json(f"{address}/health") == {"status": "ok"}


# ---------------------------------------------------------------------------- MCP


def use_tools(address: str, *calls: tuple[str, dict]) -> tuple[dict, list]:
    """The tools by their names, and the answers to some calls."""

    async def talk():
        async with (
            streamable_http_client(f"{address}/gradio_api/mcp/") as (read, write, _),
            ClientSession(read, write) as session,
        ):
            await session.initialize()
            tools = {tool.name: tool for tool in (await session.list_tools()).tools}
            return tools, [await session.call_tool(name, arguments) for name, arguments in calls]

    return asyncio.run(talk())


def test_an_assistant_finds_the_tools_described_and_uses_them(address, folder, classifier, examples):
    picture = data_url(examples[0].read_bytes())
    before = set(folder.rglob("*"))
    tools, (one, several, broken) = use_tools(
        address,
        ("classify", {"picture": picture}),
        ("classify_many", {"pictures": [picture, picture]}),
        ("classify", {"picture": "data:image/jpeg;base64,AAAA"}),
    )
    assert set(tools) == {"classify", "explain", "classify_many"}
    for tool in tools.values():
        assert len(tool.description) > 60 and "Returns:" in tool.description
        [parameter] = tool.inputSchema["properties"].values()
        assert "photo" in json.dumps(parameter)
    [prediction] = classifier.classify(examples[:1])
    assert ast.literal_eval(one.content[0].text)["verdict"] == prediction.verdict
    assert [each["verdict"] for each in ast.literal_eval(several.content[0].text)] == [prediction.verdict] * 2
    assert broken.isError and "unknown-type" in broken.content[0].text and "Traceback" not in broken.content[0].text
    assert set(folder.rglob("*")) == before, "what an assistant sends is never on the disk"


def test_an_assistant_s_path_is_not_opened(address, folder, examples):
    """Gradio's own MCP server would upload to itself whatever is marked as a file."""
    before = set(folder.rglob("*"))
    path = str(examples[0])
    hidden = [
        path,
        as_file(path),
        {**as_file(path), "url": path, "size": 1, "orig_name": "a.jpg", "mime_type": "", "is_stream": False},
    ]
    calls = [("classify", {"picture": each}) for each in hidden] + [("classify_many", {"pictures": hidden})]
    for answer in use_tools(address, *calls)[1]:
        assert answer.isError and "verdict" not in answer.content[0].text
    assert set(folder.rglob("*")) == before


@pytest.mark.parametrize(("option", "variable"), [(["--mcp"], None), ([], "true"), ([], None)])
def test_the_command_line_starts_the_tools_only_where_they_are_asked_for(
    run_app, classifier, monkeypatch, option, variable
):
    monkeypatch.delenv("GRADIO_MCP_SERVER", raising=False)
    if variable:
        monkeypatch.setenv("GRADIO_MCP_SERVER", variable)
    monkeypatch.setattr(app, "load", lambda *arguments: classifier)
    address = run_app(*option).rstrip("/")
    if option or variable:
        assert set(use_tools(address)[0]) == {"classify", "explain", "classify_many"}
    else:
        with pytest.raises(urllib.error.HTTPError) as raised:
            urllib.request.urlopen(f"{address}/gradio_api/mcp/")
        assert raised.value.code == 404


# ---------------------------------------------------------------------------- privacy


def test_uploads_are_deleted_by_themselves(classifier, quadrants, tmp_path, monkeypatch):
    monkeypatch.setattr(uploads, "LOOK_SECONDS", 0.5)
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path / "uploads"))
    path = tmp_path / "private.png"
    quadrants.save(path)

    def kept() -> list[Path]:
        return [each for each in (tmp_path / "uploads").rglob("*") if each.name == path.name]

    served = build(classifier)
    launch(served, server_name="127.0.0.1", prevent_thread_lock=True, quiet=True)
    try:
        client = Client(served.get_blocks().local_url, verbose=False)
        client.predict(handle_file(str(path)), api_name="/classify")
        [upload] = kept()
        os.utime(upload.parent, (0, time.time() - uploads.KEEP_SECONDS - 1))
        until = time.monotonic() + 60
        while kept():
            assert time.monotonic() < until
            time.sleep(0.1)
    finally:
        served.get_blocks().close()


def test_an_unexpected_error_shows_neither_path_nor_trace(client, classifier, monkeypatch, examples):
    def fail(*_, **__):
        raise RuntimeError("/secret/place/model.bin is gone")

    monkeypatch.setattr(classifier, "classify", fail)
    with pytest.raises(AppError) as raised:
        client.predict(handle_file(str(examples[0])), api_name="/classify")
    assert "secret" not in str(raised.value) and "Traceback" not in str(raised.value)


def test_other_sites_may_not_use_the_page(address):
    def allowed(origin: str) -> str | None:
        request = urllib.request.Request(f"{address}/health", headers={"Origin": origin})
        with urllib.request.urlopen(request) as response:
            return response.headers["Access-Control-Allow-Origin"]

    assert allowed("http://evil.example") is None
    assert allowed("null") is None
    assert allowed(address) == address


def test_nothing_of_a_visitor_is_counted_or_kept(address):
    config = get_json(f"{address}/config")
    assert config["analytics_enabled"] is False
    assert not config.get("run_history", False)
    assert config["max_file_size"] == 50 * 2**20
