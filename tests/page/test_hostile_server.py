"""The running page against visitors who mean harm: files, addresses, slow and large requests."""

from __future__ import annotations

import ast
import asyncio
import http.client
import http.server
import json
import re
import socket
import threading
import time
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import gradio as gr
import hostile
import httpx
import pytest
import torch

from catdog.checkpoint import Metadata
from catdog.classifier import Classifier
from catdog.page import MAX_FILE_SIZE, build, fetch, guard, launch
from catdog.page.picture import RawImage

SECRET = "the cat is out of the bag"


@pytest.fixture(scope="module")
def server(tiny_network):
    page = build(Classifier(tiny_network, Metadata(input_size=64), torch.device("cpu")))
    launch(page, server_name="127.0.0.1", prevent_thread_lock=True, quiet=True)
    yield page
    page.close()


@pytest.fixture(scope="module")
def port(server) -> int:
    return urlsplit(server.local_url).port


@pytest.fixture
def secret(tmp_path) -> Path:
    """A file that no visitor may read; it is a picture too, so that a way to it would show in an answer."""
    path = tmp_path / "secret.png"
    path.write_bytes(hostile.with_chunks(hostile.chunk(b"tEXt", b"note\0" + SECRET.encode())))
    return path


def request(port: int, method: str, path: str, body: bytes = b"", **headers: str) -> tuple[int, bytes]:
    """Status and body; the path goes out as it is, unlike with clients that tidy it up."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        connection.putrequest(method, path, skip_accept_encoding=True)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            connection.putheader(name.replace("_", "-"), value)
        connection.endheaders(body)
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


def classify(port: int, **picture: object) -> str:
    """What /classify says to a picture named in this way."""
    body = json.dumps({"data": [picture | {"meta": {"_type": "gradio.FileData"}}]}).encode()
    status, answer = request(port, "POST", "/gradio_api/call/classify", body, Content_Type="application/json")
    if status != 200:
        return f"error {status}"
    event = json.loads(answer)["event_id"]
    return request(port, "GET", f"/gradio_api/call/classify/{event}")[1].decode()


def upload(port: int, name: str, content: bytes) -> str:
    """Where the server put it."""
    head = f'--cut\r\nContent-Disposition: form-data; name="files"; filename="{name}"\r\n\r\n'.encode()
    status, answer = request(
        port,
        "POST",
        "/gradio_api/upload",
        head + content + b"\r\n--cut--\r\n",
        Content_Type="multipart/form-data; boundary=cut",
    )
    assert status == 200, answer
    [path] = json.loads(answer)
    return path


# ---------------------------------------------------------------------------- files

# of Gradio's own advisories: CVE-2023-34239, -51449, 2024-1561, -1728, -47166, 2026-28414, and others' for their kind
WAYS = """/file={} /gradio_api/file={} /gradio_api/file=/{} /gradio_api/file/{} /gradio_api/file=.{} /gradio_api/file=file://{}
/gradio_api/file=../../../../../../../..{} /gradio_api/file=%2e%2e/%2e%2e/%2e%2e/%2e%2e/%2e%2e/%2e%2e{} /static/..{}
/static/../../../../../../../../../..{} /static/%2e%2e%2f%2e%2e%2f%2e%2e%2f%2e%2e%2f%2e%2e%2f%2e%2e{} /assets/..{} /assets{}
/assets/../../../../../../../../../..{} /svelte/../../../../../../../../../..{} /theme.css?path={} /gradio_api/stream/x/y/0/{}
/custom_component/image/client/component/..%2f..%2f..%2f..%2f..%2f..%2f..%2f..%2f{} /gradio_api/proxy=file://{}
/gradio_api/custom_component/image/client/..%2f..%2f..%2f..%2f..%2f..%2f..%2f..%2f/{} /gradio_api/file=C:{} /pwa_icon/{}
/gradio_api/file=/proc/self/cwd{} /gradio_api/file=/proc/self/root{} /gradio_api/file=\\\\localhost{} /monitoring/{} /runs{}
/gradio_api/file=%00{} /gradio_api/file=%5c%5c127.0.0.1%5c{} /gradio_api/deep_link?session_hash=../..{} /?deep_link=../..{}"""


@pytest.mark.parametrize("way", WAYS.split())
def test_no_path_leads_to_a_file_of_the_machine(port, secret, root, way):
    for target in (secret, root / "app.py", root / "requirements.txt"):
        _, body = request(port, "GET", way.format(target))
        for content in (SECRET.encode(), b"Start the page: python app.py", b"# What the page and the scripts need"):
            assert content not in body


@pytest.mark.parametrize("key", ["path", "url"])
@pytest.mark.parametrize(
    "disguise", ["{}", "//{}", "/proc/self/root{}", "file://{}", "../../../../../../..{}", "{}/.", "~/{}"]
)
def test_an_endpoint_opens_no_file_that_was_not_uploaded(port, secret, key, disguise):
    answer = classify(port, **({"path": None} | {key: disguise.format(secret)}))
    assert "error" in answer and "verdict" not in answer


def test_an_uploaded_file_s_neighbors_are_not_reached_through_it(port, secret):
    path = Path(upload(port, "cat.png", hostile.encoded("PNG")))
    assert "verdict" in classify(port, path=str(path))
    climb = "/".join([".."] * len(path.parent.parts))
    assert "verdict" not in classify(port, path=f"{path.parent}/{climb}{secret}")


@pytest.mark.parametrize(
    "name", ["../../evil.png", "/tmp/evil.png", "..\\..\\evil.png", "%2e%2e%2fevil.png", ".", "a\0b.png"]
)
def test_an_upload_stays_in_the_upload_folder_whatever_its_name(port, name):
    first = Path(upload(port, "plain.png", hostile.encoded("PNG")))
    try:
        second = Path(upload(port, name, hostile.encoded("PNG")))
    except (AssertionError, json.JSONDecodeError):
        return  # refused
    assert second.resolve().parent.parent == first.resolve().parent.parent


@pytest.mark.parametrize(
    "function", ["move_resource_to_block_cache", "preprocess", "__init__", "fetch", "get_block_name"]
)
def test_no_method_of_a_component_is_called_from_outside(port, server, secret, function):
    for component in list(server.blocks)[:12]:
        body = {"component_id": component, "data": str(secret), "fn_name": function, "session_hash": "x"}
        status, answer = request(
            port, "POST", "/gradio_api/component_server", json.dumps(body).encode(), Content_Type="application/json"
        )
        assert status >= 400 and SECRET.encode() not in answer


def test_nothing_is_unpickled_or_run_from_text(root):
    forbidden = {"pickle", "cPickle", "dill", "cloudpickle", "joblib", "shelve", "marshal"}
    for path in [root / "app.py", *root.glob("catdog/**/*.py"), *root.glob("scripts/*.py")]:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                assert not forbidden & {each.name for each in node.names}, path
            elif isinstance(node, ast.ImportFrom):
                names = {each.name for each in node.names}
                assert node.module not in forbidden or names == {"UnpicklingError"}, path
            elif isinstance(node, ast.Call):
                called = ast.unparse(node.func)
                options = {each.arg: ast.unparse(each.value) for each in node.keywords}
                assert called not in ("eval", "exec", "yaml.load"), path
                assert called != "torch.load" or options.get("weights_only") == "True", path
                assert options.get("allow_pickle", "False") == "False", path


# ---------------------------------------------------------------------------- pictures


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_a_hostile_picture_is_answered_or_refused_in_one_sentence_and_the_page_goes_on(port, capfd, examples):
    refused = 0
    for name, make in hostile.cases().items():
        content = make()
        if not isinstance(content, bytes):
            continue  # what only Python can hand over
        answer = classify(port, path=upload(port, "photo.jpg", content[:MAX_FILE_SIZE]))
        event, data = re.fullmatch(r"event: (\w+)\ndata: (.*)\n\n", answer).groups()
        if event == "complete":
            assert set(json.loads(data)[0]) == {"cat", "dog", "verdict", "logits"}, name
            continue
        refused += 1
        said = json.loads(data)["error"]
        assert re.fullmatch(r"(damaged|unknown-type|too-large|too-long|empty): [^\n/\\]+\.", said), f"{name}: {said}"
        assert "Traceback" not in answer and str(Path(__file__).parent.parent) not in answer, name
    assert refused > 100
    assert "verdict" in classify(port, path=upload(port, "cat.jpg", examples[0].read_bytes()))
    out, err = capfd.readouterr()
    assert "Traceback" not in out + err


# ---------------------------------------------------------------------------- addresses


class Answers(http.server.BaseHTTPRequestHandler):
    """A server next door: what it was asked is kept in `asked`."""

    asked: list[str]

    def do_GET(self) -> None:
        self.asked.append(self.path)
        kind = self.path.strip("/").split("/")[0]
        content = hostile.encoded("PNG")
        self.send_response({"away": 302, "around": 302, "gone": 404}.get(kind, 200))
        if kind == "away":
            self.send_header("Location", "http://169.254.169.254/latest/meta-data")
        if kind == "around":
            self.send_header("Location", "/around/again")
        self.end_headers()
        try:
            while kind in ("endless", "slow"):
                self.wfile.write(bytes(2**20 if kind == "endless" else 1))
                time.sleep(0 if kind == "endless" else 0.2)
            self.wfile.write(content)
        except OSError:
            pass  # the other side has heard enough

    do_HEAD = do_GET

    def log_message(self, *arguments: object) -> None:
        pass


@pytest.fixture
def neighbor():
    handler = type("Recorded", (Answers,), {"asked": []})
    listening = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    listening.daemon_threads = True
    thread = threading.Thread(target=listening.serve_forever)
    thread.start()
    yield listening.server_port, handler.asked
    listening.shutdown()
    thread.join()
    listening.server_close()


LOOPBACK = [
    "127.0.0.1",
    "localhost",
    "0.0.0.0",
    "127.1",
    "2130706433",
    "0x7f000001",
    "0177.0.0.1",
    "[::1]",
    "[::ffff:127.0.0.1]",
]


@pytest.mark.parametrize("host", LOOPBACK)
def test_the_server_fetches_nothing_from_its_own_network(port, neighbor, host):
    near, asked = neighbor
    url = f"http://{host}:{near}/cat.png"
    assert "verdict" not in classify(port, path=url)
    assert "verdict" not in classify(port, path=None, url=url)
    for way in ("/gradio_api/file=", "/file=", "/gradio_api/proxy=", "/gradio_api/file/"):
        assert request(port, "GET", way + url)[0] >= 400
    assert asked == []


@pytest.mark.parametrize("url", ["http://example.org/cat.png", "HTTPS://example.org/cat.png", "http:/example.org/"])
def test_the_server_is_no_proxy_for_public_addresses_either(port, url):
    assert request(port, "GET", f"/gradio_api/file={url}")[0] == 403


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("93.184.216.34", True),
        ("2606:2800:220:1::1", True),
        *(
            (address, False)
            for address in ["127.0.0.1", "0.0.0.0", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254"]
        ),
        *((address, False) for address in ["100.64.0.1", "198.18.0.1", "224.0.0.1", "240.0.0.1", "255.255.255.255"]),
        *((address, False) for address in ["::", "::1", "fe80::1%eth0", "fc00::1", "ff02::1", "::ffff:10.0.0.1"]),
        *(
            (address, False)
            for address in ["64:ff9b:1::7f00:1", "fec0::1", "::127.0.0.1", "5f00::1", "3fff::1", "2001:db8::1"]
        ),
        *((address, False) for address in ["2002:7f00:1::", "2001:0:4136:e378:8000:63bf:80ff:fffe", "64:ff9b::7f00:1"]),
    ],
)
def test_only_addresses_of_the_internet_are_public(address, public):
    assert fetch.is_public(address) is public


def test_a_host_with_one_private_address_is_refused_and_a_public_one_is_pinned(monkeypatch):
    found = ["93.184.216.34"]

    async def getaddrinfo(self, host, port, **options):
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 0)) for address in found]

    monkeypatch.setattr(asyncio.BaseEventLoop, "getaddrinfo", getaddrinfo)
    assert asyncio.run(fetch.public_address("example.org")) == "93.184.216.34"
    found.append("10.0.0.1")
    with pytest.raises(ValueError, match="not public"):
        asyncio.run(fetch.public_address("example.org"))


@contextmanager
def as_if_public(monkeypatch):
    """Take the loopback address for a public one."""
    real = fetch.is_public
    with monkeypatch.context() as patch:
        patch.setattr(fetch, "is_public", lambda address: address == "127.0.0.1" or real(address))
        yield


def test_a_picture_at_a_public_address_is_fetched_into_the_upload_folder(neighbor, tmp_path, monkeypatch):
    with as_if_public(monkeypatch):
        path = asyncio.run(fetch.fetch(f"http://127.0.0.1:{neighbor[0]}/a/../%2e%2e/cat.png", tmp_path))
    assert Path(path).read_bytes() == hostile.encoded("PNG")
    assert Path(path).parent.parent == tmp_path and Path(path).name.endswith("cat.png")


@pytest.mark.parametrize("kind", ["away", "around", "gone", "endless"])
def test_what_is_not_one_bounded_answer_is_refused(neighbor, tmp_path, monkeypatch, kind):
    monkeypatch.setattr(fetch, "MAX_BYTES", 3 * 2**20)
    with as_if_public(monkeypatch), pytest.raises(ValueError):
        asyncio.run(fetch.fetch(f"http://127.0.0.1:{neighbor[0]}/{kind}", tmp_path))
    assert len(neighbor[1]) <= fetch.MAX_REDIRECTS + 1
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_every_component_that_takes_files_fetches_within_limits(server):
    taken = {
        block for function in server.fns.values() for block in function.inputs if getattr(block, "data_model", None)
    }
    of_files = [block for block in taken if "gradio.FileData" in str(block.data_model.model_json_schema())]
    assert of_files
    for block in of_files:
        assert isinstance(block, fetch.FetchesWithinLimits), f"{block} takes Gradio's download, which has no limit"


def test_an_answer_that_drips_is_given_up(neighbor, tmp_path, monkeypatch):
    monkeypatch.setattr(fetch, "MAX_SECONDS", 1.5)
    picture = RawImage(render=False)
    picture.GRADIO_CACHE = str(tmp_path)
    with as_if_public(monkeypatch), pytest.raises(gr.Error, match="missing: The address cannot be fetched"):
        asyncio.run(picture.async_move_resource_to_block_cache(f"http://127.0.0.1:{neighbor[0]}/slow"))
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


# ---------------------------------------------------------------------------- slow, large, in parts


def test_visitors_who_never_finish_do_not_keep_others_waiting(port, examples):
    slow = []
    upload_begun = b"POST /gradio_api/upload HTTP/1.1\r\nHost: x\r\nContent-Length: 9999\r\n\r\n-"
    for half in (b"GET / HTTP/1.1\r\nHost: x\r\nX-a: ", upload_begun):
        for _ in range(40):
            connection = socket.create_connection(("127.0.0.1", port), timeout=30)
            connection.sendall(half)
            slow.append(connection)
    try:
        path = upload(port, "cat.png", hostile.encoded("PNG"))
        assert "verdict" in classify(port, path=path)
    finally:
        for connection in slow:
            connection.close()
    assert "verdict" in classify(port, path=path)


def test_a_body_that_does_not_arrive_is_given_up(port, monkeypatch):
    monkeypatch.setattr(guard, "IDLE_SECONDS", 1.0)
    head = b"POST /gradio_api/call/classify HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n{"
    with socket.create_connection(("127.0.0.1", port), timeout=60) as connection:
        connection.sendall(head)
        answer = connection.recv(1000)
    assert b" 408 " in answer or b" 400 " in answer


@pytest.mark.parametrize("told", [True, False], ids=["with its length", "in chunks"])
def test_a_body_that_is_too_large_is_not_read_to_its_end(port, monkeypatch, told):
    monkeypatch.setattr(guard, "MAX_BODY", 10_000)
    body = b'{"data": ["' + b"x" * 50_000 + b'"]}'
    headers = {"Content-Type": "application/json"}
    content = body if told else iter([body[:20_000], body[20_000:]])
    answer = httpx.post(
        f"http://127.0.0.1:{port}/gradio_api/call/classify", content=content, headers=headers, timeout=60
    )
    assert answer.status_code in (413, 400)


def test_only_the_address_for_uploads_takes_a_large_body(port, monkeypatch):
    monkeypatch.setattr(guard, "MAX_BODY", 10_000)
    for path in ("/gradio_api/call/upload", "/gradio_api/run/upload/", "/upload"):
        status, _ = request(port, "POST", path, b"x" * 20_000, Content_Type="application/json")
        assert status == 413, path


def test_an_upload_has_a_limit_of_its_own(port, monkeypatch):
    monkeypatch.setattr(guard, "MAX_UPLOAD", 10_000)
    status, _ = request(
        port, "POST", "/gradio_api/upload", b"x" * 20_000, Content_Type="multipart/form-data; boundary=cut"
    )
    assert status == 413


@pytest.mark.parametrize("step", [1, 7, 1_000])
def test_an_upload_holds_files_alone(port, server, step):
    """Gradio would gather a field without a file name in memory, of whatever size."""
    file = b'--cut\r\nContent-Disposition: form-data; name="files"; filename="a.png"\r\n\r\nx\r\n'
    field = b'--cut\r\nContent-Disposition: form-data; name="more"\r\n\r\n' + b"y" * 300 + b"\r\n"
    before = set(Path(server.GRADIO_CACHE).rglob("*"))

    def posted(body: bytes) -> httpx.Response:
        parts = iter([body[start : start + step] for start in range(0, len(body), step)])
        headers = {"Content-Type": "multipart/form-data; boundary=cut"}
        return httpx.post(f"http://127.0.0.1:{port}/gradio_api/upload", content=parts, headers=headers, timeout=60)

    refused = posted(file + field + b"--cut--\r\n")
    assert (refused.status_code, refused.text) == (400, "Only files can be uploaded.")
    assert not [path for path in set(Path(server.GRADIO_CACHE).rglob("*")) - before if path.is_file()]
    assert posted(file + b"--cut--\r\n").status_code == 200


def test_nobody_s_recording_is_processed(port):
    assert request(port, "POST", "/gradio_api/process_recording", b"x")[0] == 403


RANGES = {  # what is left aside is answered with the whole file (RFC 9110, section 14.2)
    "bytes=0-0": lambda content: content[:1],
    "bytes=3-6": lambda content: content[3:7],
    "bytes=-5": lambda content: content[-5:],
    "bytes=5-2": lambda content: content,
    "bytes=99999999-": lambda content: content,
    "bytes=0-0,1-1": lambda content: content,
    "bytes=0-99999999999999999999": lambda content: content,
    "cats": lambda content: content,
    "bytes=": lambda content: content,
}


@pytest.mark.parametrize("range", RANGES)
def test_a_range_of_an_uploaded_file_is_answered_or_refused(port, range):
    content = hostile.encoded("PNG")
    path = upload(port, "cat.png", content)
    status, body = request(port, "GET", f"/gradio_api/file={path}", Range=range)
    assert status in (200, 206, 400, 416)
    assert status >= 400 or body == RANGES[range](content)
    assert request(port, "GET", "/config")[0] == 200
