"""What programs and assistants get, and what nobody gets: the endpoints, MCP, the health address, privacy."""

from __future__ import annotations

import ast
import asyncio
import base64
import io
import json
import re
import subprocess
import time
import urllib.error
import urllib.request
from pathlib import Path

import gradio.mcp
import pytest
import torch
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError
from mcp import ClientSession
from mcp.client.streamable_http import streamable_http_client

from catdog import page
from catdog.checkpoint import Metadata
from catdog.classifier import Classifier
from catdog.cli import app
from catdog.images import MAX_PIXELS
from catdog.page import MAX_FILE_SIZE, api, build, launch
from catdog.page.many import MAX_PHOTOS


@pytest.fixture(scope="module")
def classifier(tiny_network) -> Classifier:
    return Classifier(tiny_network, Metadata(input_size=32), torch.device("cpu"))


@pytest.fixture(scope="module")
def cache(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("uploads")


@pytest.fixture(scope="module")
def server(classifier, cache):
    """The page with its MCP tools, its uploads in a folder of their own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GRADIO_TEMP_DIR", str(cache))
        served = build(classifier)
        launch(served, server_name="127.0.0.1", prevent_thread_lock=True, quiet=True, mcp_server=True)
        yield served
        served.close()


@pytest.fixture(scope="module")
def client(server) -> Client:
    return Client(server.local_url, verbose=False)


def post(server, path: str, body: dict, **headers: str):
    request = urllib.request.Request(
        f"{server.local_url}{path}", json.dumps(body).encode(), {"Content-Type": "application/json", **headers}
    )
    return urllib.request.urlopen(request)


def frame_request(server, frame: object, function: str = "answer_frame"):
    [live] = [
        component["id"] for component in server.config["components"] if component["props"].get("elem_id") == "live"
    ]
    body = {"data": frame, "component_id": live, "fn_name": function, "session_hash": "visitor"}
    return post(server, "gradio_api/component_server/", body)


def files_in(folder: Path) -> set[Path]:
    return {path for path in folder.rglob("*") if path.is_file()}


def test_many_pictures_are_answered_in_order_and_a_broken_one_is_an_error_in_its_place(
    client, classifier, examples, tmp_path
):
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(b"nothing")
    sent = [examples[0], broken, examples[1]]
    answers = client.predict([handle_file(str(path)) for path in sent], api_name="/classify_many")
    fields = {"cat", "dog", "verdict", "logits"}
    assert [set(each) for each in answers] == [fields, {"error"}, fields]
    for answer, prediction in zip(answers[::2], classifier.classify([examples[0], examples[1]])):
        assert answer["verdict"] == prediction.verdict
        assert answer["logits"] == pytest.approx(prediction.logits, abs=1e-4)
    assert re.match(r"unknown-type: broken\.jpg is not a picture", answers[1]["error"])


@pytest.mark.parametrize("sent", ["/etc/passwd", "http://127.0.0.1/secret.png"])
def test_a_path_or_address_in_a_list_of_pictures_is_not_opened(client, sent):
    with pytest.raises(AppError, match="^missing: "):
        client.predict([sent], api_name="/classify_many")


def test_no_picture_and_too_many_pictures_are_errors_with_a_code(classifier):
    with pytest.raises(Exception, match="^'missing: "):
        api.classify_all(classifier, [])
    with pytest.raises(Exception, match="^'too-many: "):
        api.classify_all(classifier, [("a.jpg", "a.jpg")] * (MAX_PHOTOS + 1))


def test_the_curl_commands_of_the_docs_work_as_written(server, classifier, root, examples, tmp_path):
    docs = (root / "docs" / "api.md").read_text(encoding="utf-8")
    [commands] = [block for block in re.findall(r"```sh\n(.*?)```", docs, re.DOTALL) if "curl" in block]
    (tmp_path / "photo.jpg").write_bytes(examples[1].read_bytes())
    commands = commands.replace("http://127.0.0.1:7860", server.local_url.rstrip("/"))
    answer = subprocess.run(["sh", "-ec", commands], cwd=tmp_path, capture_output=True, text=True, check=True).stdout
    [prediction] = classifier.classify(examples[1:2])
    assert json.loads(answer.partition("data: ")[2])[0]["verdict"] == prediction.verdict


def test_the_javascript_of_the_docs_names_what_there_is(server, root):
    """The package it imports is not here; what it says to it is held against what the page offers."""
    docs = (root / "docs" / "api.md").read_text(encoding="utf-8")
    [snippet] = re.findall(r"```js\n(.*?)```", docs, re.DOTALL)
    [(endpoint, arguments)] = re.findall(r'client\.predict\("([^"]+)", \[(.*?)\]\)', snippet)
    with urllib.request.urlopen(f"{server.local_url}gradio_api/info") as response:
        described = json.load(response)["named_endpoints"][endpoint]
    assert len(described["parameters"]) == len(arguments.split("), "))
    assert (
        described["parameters"][0]["python_type"]["type"] == "filepath"
        or "Image" in described["parameters"][0]["component"]
    )
    assert re.findall(r"data\[(\d)\]\.(\w+)", snippet) == [("0", "verdict")] and len(described["returns"]) == 1


def test_health_is_told_without_asking_the_network(server, classifier, monkeypatch):
    monkeypatch.setattr(classifier, "forward", None)
    with urllib.request.urlopen(f"{server.local_url}health") as response:
        assert response.status == 200 and json.load(response) == {"status": "ok"}


def test_programs_see_three_endpoints_and_nothing_else(server):
    with urllib.request.urlopen(f"{server.local_url}gradio_api/info") as response:
        info = json.load(response)
    assert set(info["named_endpoints"]) == {"/classify", "/explain", "/classify_many"}
    assert not info["unnamed_endpoints"]
    shown = [each for each in server.config["dependencies"] if each["api_visibility"] == "public"]
    assert len(shown) == 3


def test_an_assistant_finds_the_tools_described_and_uses_them(server, classifier, examples):
    picture = "data:image/jpeg;base64," + base64.b64encode(examples[0].read_bytes()).decode()

    async def talk():
        async with (
            streamable_http_client(f"{server.local_url}gradio_api/mcp/") as (read, write, _),
            ClientSession(read, write) as session,
        ):
            await session.initialize()
            tools = {tool.name: tool for tool in (await session.list_tools()).tools}
            one = await session.call_tool("classify", {"picture": picture})
            several = await session.call_tool("classify_many", {"pictures": [picture, picture]})
            broken = await session.call_tool("classify", {"picture": "data:image/jpeg;base64,AAAA"})
            return tools, one, several, broken

    tools, one, several, broken = asyncio.run(talk())
    assert set(tools) == {"classify", "explain", "classify_many"}
    for tool in tools.values():
        assert len(tool.description) > 60 and "Returns:" in tool.description
        [parameter] = tool.inputSchema["properties"].values()
        assert "photo" in json.dumps(parameter)
    [prediction] = classifier.classify(examples[:1])
    assert ast.literal_eval(one.content[0].text)["verdict"] == prediction.verdict
    assert [each["verdict"] for each in ast.literal_eval(several.content[0].text)] == [prediction.verdict] * 2
    assert broken.isError and "unknown-type" in broken.content[0].text and "Traceback" not in broken.content[0].text


def test_uploads_are_deleted_by_themselves_and_the_examples_stay(classifier, quadrants, tmp_path, monkeypatch):
    monkeypatch.setattr(page, "LOOK_SECONDS", 1)
    monkeypatch.setattr(page, "KEEP_SECONDS", 2)
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path / "uploads"))
    path = tmp_path / "private.png"
    quadrants.save(path)
    private = path.read_bytes()

    def kept() -> bool:
        return any(each.name == path.name and each.read_bytes() == private for each in files_in(tmp_path / "uploads"))

    brief = build(classifier)
    launch(brief, server_name="127.0.0.1", prevent_thread_lock=True, quiet=True)
    try:
        examples = files_in(tmp_path / "uploads")
        client = Client(brief.local_url, verbose=False)
        client.predict(handle_file(str(path)), api_name="/classify")
        assert kept()
        until = time.monotonic() + 60
        while kept():
            assert time.monotonic() < until
            time.sleep(0.2)
        assert examples and files_in(tmp_path / "uploads") == examples
    finally:
        brief.close()


def test_what_an_assistant_sends_is_deleted_too(classifier, quadrants, tmp_path, monkeypatch):
    monkeypatch.setattr(page, "LOOK_SECONDS", 1)
    monkeypatch.setattr(page, "KEEP_SECONDS", 2)
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    monkeypatch.setattr(gradio.mcp, "DEFAULT_TEMP_DIR", str(tmp_path))  # it read the variable when it was imported
    brief = build(classifier)
    launch(brief, server_name="127.0.0.1", prevent_thread_lock=True, quiet=True, mcp_server=True)
    try:
        examples = files_in(tmp_path)
        buffer = io.BytesIO()
        quadrants.save(buffer, "PNG")
        picture = "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode()
        asyncio.run(use_tool(brief.local_url, "classify", picture=picture))
        assert len(files_in(tmp_path)) > len(examples)
        until = time.monotonic() + 60
        while files_in(tmp_path) != examples:
            assert time.monotonic() < until, set(files_in(tmp_path)) - set(examples)
            time.sleep(0.2)
    finally:
        brief.close()


async def use_tool(address: str, name: str, **arguments: str) -> None:
    async with (
        streamable_http_client(f"{address.rstrip('/')}/gradio_api/mcp/") as (read, write, _),
        ClientSession(read, write) as session,
    ):
        await session.initialize()
        assert not (await session.call_tool(name, arguments)).isError


@pytest.mark.parametrize(("option", "variable"), [(["--mcp"], None), ([], "true"), ([], None)])
def test_the_command_line_starts_the_tools_only_where_they_are_asked_for(
    run_app, classifier, monkeypatch, option, variable
):
    monkeypatch.delenv("GRADIO_MCP_SERVER", raising=False)
    if variable:
        monkeypatch.setenv("GRADIO_MCP_SERVER", variable)
    monkeypatch.setattr(app, "load", lambda *arguments: classifier)
    address = run_app(*option).local_url
    if option or variable:
        assert asyncio.run(tools_of(address)) == {"classify", "explain", "classify_many"}
    else:
        with pytest.raises(urllib.error.HTTPError) as raised:
            urllib.request.urlopen(f"{address}gradio_api/mcp/")
        assert raised.value.code == 404


async def tools_of(address: str) -> set[str]:
    async with (
        streamable_http_client(f"{address.rstrip('/')}/gradio_api/mcp/") as (read, write, _),
        ClientSession(read, write) as session,
    ):
        await session.initialize()
        return {tool.name for tool in (await session.list_tools()).tools}


@pytest.fixture
def frame(quadrants) -> str:
    buffer = io.BytesIO()
    quadrants.save(buffer, "JPEG")
    return base64.b64encode(buffer.getvalue()).decode()


def test_a_cameras_frame_is_answered_and_never_stored(server, cache, frame):
    before = files_in(cache)
    with frame_request(server, frame) as response:
        assert json.load(response)["verdict"] in ("cat", "dog", "both", "neither")
    assert files_in(cache) == before


def test_what_is_no_frame_or_no_function_shows_nothing_of_the_server(server):
    with frame_request(server, {"odd": ["data"]}) as response:
        assert json.load(response) == {"problem": "too-large"}
    with pytest.raises(urllib.error.HTTPError) as raised:
        frame_request(server, "", function="get_config")
    assert raised.value.code == 404


def test_an_unexpected_error_shows_neither_path_nor_trace(server, client, classifier, monkeypatch, examples, frame):
    def fail(pictures):
        raise RuntimeError("/secret/place/model.bin is gone")

    monkeypatch.setattr(classifier, "classify", fail)
    monkeypatch.setattr(classifier.live, "explain", fail)
    with pytest.raises(AppError) as raised:
        client.predict(handle_file(str(examples[0])), api_name="/classify")
    assert "secret" not in str(raised.value) and "Traceback" not in str(raised.value)

    with pytest.raises(urllib.error.HTTPError) as raised:
        frame_request(server, frame)
    assert raised.value.read() == b"Internal Server Error"


def test_other_sites_may_not_use_the_page(server):
    def allowed(origin: str) -> str | None:
        request = urllib.request.Request(f"{server.local_url}health", headers={"Origin": origin})
        with urllib.request.urlopen(request) as response:
            return response.headers["Access-Control-Allow-Origin"]

    assert allowed("http://evil.example") is None
    assert allowed("null") is None
    assert allowed(server.local_url.rstrip("/")) == server.local_url.rstrip("/")


def test_nothing_on_the_page_shares_or_counts(server):
    assert server.config["analytics_enabled"] is False
    for component in server.config["components"]:
        assert "share" not in (component["props"].get("buttons") or [])
    with urllib.request.urlopen(server.local_url) as response:
        text = response.read().decode()
    assert "google-analytics" not in text and "gtag" not in text


def test_limits_are_stated_to_the_visitor(server):
    markup = " ".join(str(component["props"].get("value")) for component in server.config["components"])
    for code, values in (
        ("photo.limits", {"megabytes": MAX_FILE_SIZE // 2**20, "megapixels": MAX_PIXELS // 10**6}),
        ("many.limits", {"photos": MAX_PHOTOS, "megabytes": MAX_FILE_SIZE // 2**20}),
    ):
        [words] = re.findall(rf'<p data-word="{code}"[^>]*>([^<]+)</p>', markup)
        for value in values.values():
            assert f"{value} " in words
    assert server.max_file_size == MAX_FILE_SIZE
