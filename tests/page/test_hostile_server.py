"""The running page against visitors who mean harm: files, addresses, slow and large requests, work for nobody."""

from __future__ import annotations

import ast
import asyncio
import base64
import http.client
import http.server
import json
import os
import re
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import hostile
import pytest
import torch

from catdog.checkpoint import Metadata
from catdog.classifier import Classifier
from catdog.page import bodies, build, fetch, guard, launch, uploads
from catdog.page.answers import MAX_PHOTO

SECRET = "the cat is out of the bag"
MARK = {"_type": "gradio.FileData"}  # by which Gradio would know a file
ENGINE = ("explain", "frame", "classify")


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """Where uploads are kept."""
    return tmp_path_factory.mktemp("temporary")


@pytest.fixture(scope="module")
def port(tiny_network, folder) -> Iterator[int]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GRADIO_TEMP_DIR", str(folder))
        page = build(Classifier(tiny_network, Metadata(input_size=64), torch.device("cpu")))
        launch(page, server_name="127.0.0.1", prevent_thread_lock=True, quiet=True)
        yield page.get_blocks().server_port
        page.get_blocks().close()


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


def ask(port: int, body: bytes, endpoint: str = "classify") -> tuple[int, bytes]:
    """Ask as programs do, without listening."""
    return request(port, "POST", f"/gradio_api/call/{endpoint}", body, Content_Type="application/json")


def called(port: int, sent: object, endpoint: str = "classify") -> str:
    """What an endpoint says to what is sent."""
    status, answer = ask(port, json.dumps({"data": [sent]}).encode(), endpoint)
    if status != 200:
        return f"error {status}"
    event = json.loads(answer)["event_id"]
    return request(port, "GET", f"/gradio_api/call/{endpoint}/{event}")[1].decode()


def classify(port: int, **picture: object) -> str:
    """What /classify says to a picture named in this way."""
    return called(port, picture | {"meta": MARK})


def upload(port: int, name: str, content: bytes) -> str:
    """What the server calls it."""
    head = f'--cut\r\nContent-Disposition: form-data; name="files"; filename="{name}"\r\n\r\n'.encode()
    status, answer = post_form(port, head + content + b"\r\n--cut--\r\n")
    assert status == 200, answer
    [path] = json.loads(answer)
    return path


def post_form(port: int, body: bytes) -> tuple[int, bytes]:
    return request(port, "POST", "/gradio_api/upload", body, Content_Type="multipart/form-data; boundary=cut")


def files_in(folder: Path) -> set[Path]:
    return {path for path in folder.rglob("*") if path.is_file()}


def still_answers(port: int) -> bool:
    return request(port, "POST", "/engine/classify", hostile.encoded("PNG"))[0] == 200


# ---------------------------------------------------------------------------- files

# of Gradio's own advisories: CVE-2023-34239, -51449, 2024-1561, -1728, -47166, 2026-28414, and others' for their kind
WAYS = """/file={} /gradio_api/file={} /gradio_api/file=/{} /gradio_api/file/{} /gradio_api/file=.{} /gradio_api/file=file://{}
/gradio_api/file=../../../../../../../..{} /gradio_api/file=%2e%2e/%2e%2e/%2e%2e/%2e%2e/%2e%2e/%2e%2e{} /static/..{}
/static/../../../../../../../../../..{} /static/%2e%2e%2f%2e%2e%2f%2e%2e%2f%2e%2e%2f%2e%2e%2f%2e%2e{} /assets/..{} /assets{}
/assets/../../../../../../../../../..{} /svelte/../../../../../../../../../..{} /theme.css?path={} /gradio_api/stream/x/y/0/{}
/custom_component/image/client/component/..%2f..%2f..%2f..%2f..%2f..%2f..%2f..%2f{} /gradio_api/proxy=file://{}
/gradio_api/custom_component/image/client/..%2f..%2f..%2f..%2f..%2f..%2f..%2f..%2f/{} /gradio_api/file=C:{} /pwa_icon/{}
/gradio_api/file=/proc/self/cwd{} /gradio_api/file=/proc/self/root{} /gradio_api/file=\\\\localhost{} /monitoring/{} /runs{}
/gradio_api/file=%00{} /gradio_api/file=%5c%5c127.0.0.1%5c{} /gradio_api/deep_link?session_hash=../..{} /?deep_link=../..{}
/web/x/../../..{} /web/%2e%2e/%2e%2e/%2e%2e{} /web{} /examples/../..{} /examples/%2e%2e%2f%2e%2e{} /engine/../..{}"""


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


def test_an_uploaded_file_s_neighbors_are_not_reached_through_it(port, secret, folder):
    told = upload(port, "cat.png", hostile.encoded("PNG"))
    assert "verdict" in classify(port, path=told)
    [path] = folder.rglob(told)
    climb = "/".join([".."] * len(path.parent.parts))
    for sent in (f"{told.partition('/')[0]}/{climb}{secret}", f"{path.parent}/{climb}{secret}", str(path)):
        assert "verdict" not in classify(port, path=sent)


@pytest.mark.parametrize(
    "name", ["../../evil.png", "/tmp/evil.png", "..\\..\\evil.png", "%2e%2e%2fevil.png", ".", "a\0b.png"]
)
def test_an_upload_stays_in_the_upload_folder_whatever_its_name(port, folder, name):
    before = files_in(folder)
    told = upload(port, name, hostile.encoded("PNG"))
    [path] = files_in(folder) - before
    assert path.resolve().parent.parent == (folder / "uploads").resolve() and path.match(told)


GRADIO_S = """POST run/classify,POST api/classify,POST run/predict,POST call/v2/classify,POST reset,POST cancel,
POST component_server,POST queue/leave,POST stream/x,POST process_recording,GET deep_link,GET upload_progress?upload_id=x,
GET dev/reload,GET queue/status,GET heartbeat/x,GET app_id,GET token,GET user,GET openapi.json,GET run-history/records,
GET theme.css,GET mcp/sse,GET mcp/schema"""


@pytest.mark.parametrize("way", GRADIO_S.replace("\n", "").split(","))
def test_gradio_s_other_addresses_do_not_exist(port, secret, way):
    """None of them is a way around the waiting line, into others' sessions, or to a method of a component."""
    method, path = way.split()
    body = {"data": [str(secret)], "fn_index": 0, "fn_name": "preprocess", "component_id": 1, "session_hash": "x"}
    sent = json.dumps(body).encode() if method == "POST" else b""
    status, answer = request(port, method, f"/gradio_api/{path}", sent, Content_Type="application/json")
    assert status == 404 and SECRET.encode() not in answer


def test_what_programs_are_told_of_the_page_shows_nothing_of_the_machine(port, folder, root):
    for path in ("/config", "/gradio_api/info"):
        status, body = request(port, "GET", path)
        assert status == 200
        for own in (folder, root, Path.home()):
            assert str(own).encode() not in body


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


CODES = r"damaged|unknown-type|too-large|too-long|empty"


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("way", ["program", *ENGINE])
def test_a_hostile_picture_is_answered_or_refused_with_a_code_and_the_page_goes_on(port, capfd, examples, way):
    refused = 0
    for name, make in hostile.cases().items():
        content = make()
        if not isinstance(content, bytes):
            continue  # what only Python can hand over
        content = content[: guard.FRAME if way == "frame" else MAX_PHOTO]  # more is refused before all of it has come
        if way == "program":
            answer = classify(port, path=upload(port, "photo.jpg", content))
            told = re.findall(r"event: (\w+)\ndata: (.*)\n\n", answer)  # with heartbeats while it takes long
            assert told, f"{name}: {answer}"
            event, data = told[-1]
            if event == "complete":
                assert set(json.loads(data)[0]) == {"cat", "dog", "verdict", "logits"}, name
                continue
            said = json.loads(data)["error"]
            assert re.fullmatch(rf"({CODES}): [^\n/\\]+\.", said), f"{name}: {said}"
            assert "Traceback" not in answer and str(Path(__file__).parent.parent) not in answer, name
        else:
            status, answer = request(port, "POST", f"/engine/{way}", content)
            if status == 200:
                assert "verdict" in json.loads(answer)["prediction"], name
                continue
            assert status in (400, 413) and re.fullmatch(CODES, json.loads(answer)["problem"]), f"{name}: {answer}"
        refused += 1
    assert refused > 100
    assert "verdict" in classify(port, path=upload(port, "cat.jpg", examples[0].read_bytes()))
    out, err = capfd.readouterr()
    assert "Traceback" not in out + err


@pytest.mark.parametrize("size", ["0", "-32", "33", "1e3", "10000000000", "\0", "nan", "[]", "２２４", ""])
def test_only_sizes_that_are_offered_are_computed(port, size):
    status, answer = request(port, "POST", f"/engine/explain?size={quote(size)}", hostile.encoded("PNG"))
    assert (status, json.loads(answer)) == (400, {"problem": "wrong-size"})


@pytest.mark.parametrize("way", ENGINE)
def test_a_photo_that_the_page_asks_about_never_touches_the_disk(port, folder, way):
    before = files_in(folder)
    assert request(port, "POST", f"/engine/{way}", hostile.encoded("JPEG"))[0] == 200
    assert files_in(folder) == before


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
    assert "verdict" not in called(port, url)
    assert "verdict" not in called(port, [url, {"path": url, "meta": MARK}], "classify_many")
    for way in ("/gradio_api/file=", "/file=", "/gradio_api/proxy=", "/gradio_api/file/"):
        assert request(port, "GET", way + url)[0] >= 400
    assert asked == []


@pytest.mark.parametrize("mark", [r"gradio.FileData", r"gradio\u002eFileData", r"\u0067radio.FileDat\u0061"])
def test_gradio_itself_touches_no_file_however_it_is_marked(port, neighbor, secret, folder, mark):
    """It would fetch an address without any limit, and copy what it takes for an upload."""
    told = upload(port, "cat.png", hostile.encoded("PNG"))
    before = files_in(folder)
    for sent in (f"http://127.0.0.1:{neighbor[0]}/cat.png", str(secret), told):
        for key in ("path", "url"):
            body = f'{{"data": [{{"{key}": {json.dumps(sent)}, "meta": {{"_type": "{mark}"}}}}]}}'
            status, answer = ask(port, body.encode())
            assert status == 200
            request(port, "GET", f"/gradio_api/call/classify/{json.loads(answer)['event_id']}")
    assert neighbor[1] == []
    assert files_in(folder) == before


@pytest.mark.parametrize("url", ["http://example.org/cat.png", "HTTPS://example.org/cat.png", "http:/example.org/"])
def test_the_server_is_no_proxy_for_public_addresses_either(port, url):
    assert request(port, "GET", f"/gradio_api/file={url}")[0] == 404


def test_addresses_are_counted_before_any_is_fetched(port, neighbor):
    sent = [f"http://127.0.0.1:{neighbor[0]}/{number}.png" for number in range(fetch.MAX_ADDRESSES + 1)]
    with as_if_public():
        assert "too-many: " in called(port, sent, "classify_many")
    assert neighbor[1] == []


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
def as_if_public() -> Iterator[None]:
    """Take the loopback address for a public one."""
    real = fetch.is_public
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fetch, "is_public", lambda address: address == "127.0.0.1" or real(address))
        yield


def test_a_picture_at_a_public_address_is_fetched_and_never_kept(port, neighbor, folder):
    before = files_in(folder)
    with as_if_public():
        answer = classify(port, path=f"http://127.0.0.1:{neighbor[0]}/a/../%2e%2e/cat.png")
    assert "verdict" in answer and files_in(folder) == before


@pytest.mark.parametrize("kind", ["away", "around", "gone", "endless"])
def test_what_is_not_one_bounded_answer_is_refused(port, neighbor, monkeypatch, kind):
    monkeypatch.setattr(fetch, "MAX_BYTES", 3 * 2**20)
    with as_if_public():
        assert "missing: The address cannot be fetched" in classify(port, path=f"http://127.0.0.1:{neighbor[0]}/{kind}")
    assert 0 < len(neighbor[1]) <= fetch.MAX_REDIRECTS + 1


def test_an_answer_that_drips_is_given_up(port, neighbor, monkeypatch):
    monkeypatch.setattr(fetch, "MAX_SECONDS", 1.0)
    with as_if_public():
        assert "missing: The address cannot be fetched" in classify(port, path=f"http://127.0.0.1:{neighbor[0]}/slow")


@pytest.mark.parametrize(("limit", "value"), [("ALL_BYTES", 3 * 2**20), ("ALL_SECONDS", 1.0)])
def test_all_addresses_of_a_request_share_one_limit(port, neighbor, monkeypatch, limit, value):
    monkeypatch.setattr(fetch, limit, value)
    slow = [f"http://127.0.0.1:{neighbor[0]}/{'endless' if limit == 'ALL_BYTES' else 'slow'}"]
    begun = time.monotonic()
    with as_if_public():
        answer = called(port, 4 * slow, "classify_many")
    assert answer.count("missing: The address cannot be fetched") == 4
    assert time.monotonic() - begun < 20


# ---------------------------------------------------------------------------- slow, large, in parts


def test_visitors_who_never_finish_do_not_keep_others_waiting(port):
    slow = []
    upload_begun = b"POST /gradio_api/upload HTTP/1.1\r\nHost: x\r\nContent-Length: 9999\r\n\r\n-"
    photo_begun = b"POST /engine/explain HTTP/1.1\r\nHost: x\r\nContent-Length: 9999\r\n\r\n-"
    for half in (b"GET / HTTP/1.1\r\nHost: x\r\nX-a: ", upload_begun, photo_begun):
        for _ in range(40):
            connection = socket.create_connection(("127.0.0.1", port), timeout=30)
            connection.sendall(half)
            slow.append(connection)
    try:
        path = upload(port, "cat.png", hostile.encoded("PNG"))
        assert "verdict" in classify(port, path=path)
        assert still_answers(port)
    finally:
        for connection in slow:
            connection.close()
    assert "verdict" in classify(port, path=path)


def said_to(port: int, *sent: bytes) -> bytes:
    """All that is answered until the server closes the connection."""
    with socket.create_connection(("127.0.0.1", port), timeout=60) as connection:
        for part in sent:
            connection.sendall(part)
        return connection.makefile("rb").read()


@pytest.mark.parametrize(
    "path", ["/gradio_api/call/classify", "/gradio_api/upload", "/engine/explain", "/engine/frame"]
)
def test_a_body_that_does_not_arrive_is_given_up(port, monkeypatch, path):
    monkeypatch.setattr(bodies, "IDLE_SECONDS", 0.5)
    kind = "multipart/form-data; boundary=cut" if path.endswith("upload") else "application/json"
    head = f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: {kind}\r\nContent-Length: 99\r\n\r\n"
    assert said_to(port, head.encode(), b"-").startswith(b"HTTP/1.1 408 ")


@pytest.mark.parametrize(("path", "limit"), [("/engine/frame", guard.FRAME), ("/engine/classify", guard.PHOTO)])
def test_a_body_that_is_too_large_is_not_read(port, path, limit):
    head = f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: {limit + 1}\r\n\r\n"
    assert said_to(port, head.encode()).startswith(b"HTTP/1.1 413 ")


@pytest.mark.parametrize("path", ["/engine/explain", "/gradio_api/upload", "/gradio_api/call/classify"])
def test_chunks_are_refused_before_the_second_has_come(port, path):
    """A million of one byte each would keep the server from everybody else."""
    head = f"POST {path} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    assert said_to(port, head.encode(), b"1\r\nx\r\n").startswith(b"HTTP/1.1 411 ")


COSTLY = {
    "20 MB of empty lists": b'{"data": [' + b"[]," * (20 * 2**20 // 3) + b"[]]}",
    "deep": b'{"data": ' + b"[" * 10**6 + b"]" * 10**6 + b"}",
    "a name of 25 MB": b'{"data": [{"path": "x", "orig_name": "' + b"x" * 25 * 2**20 + b'"}]}',
    "a session of 50 MB": b'{"data": ["x"], "session_hash": "' + b"x" * 50 * 2**20 + b'"}',
    "a key of 25 MB": b'{"data": ["x"], "' + b"x" * 25 * 2**20 + b'": 1}',
    "a session": b'{"data": ["x"], "session_hash": "mine"}',
    "UTF-16": '{"data": [[[[[[]]]]]]}'.encode("utf-16"),
    "text": b"no json",
    "nothing": b"",
}


@pytest.mark.parametrize("name", COSTLY)
def test_json_that_costs_more_than_it_is_worth_is_refused_at_once(port, name):
    begun = time.monotonic()
    status, answer = ask(port, COSTLY[name])
    assert status in (400, 413) and set(json.loads(answer)) == {"problem", "detail"}
    assert still_answers(port)
    assert time.monotonic() - begun < 10


def test_an_upload_has_limits_of_its_own(port, folder, monkeypatch):
    before = files_in(folder)
    monkeypatch.setattr(uploads, "MAX_FILE", 10_000)
    file = b'--cut\r\nContent-Disposition: form-data; name="files"; filename="a.png"\r\n\r\n' + b"x" * 20_000 + b"\r\n"
    status, answer = post_form(port, file + b"--cut--\r\n")
    assert status == 413 and json.loads(answer)["problem"] == "too-large"
    assert files_in(folder) == before


def test_an_upload_holds_files_alone_and_leaves_nothing_where_it_does_not(port, folder):
    file = b'--cut\r\nContent-Disposition: form-data; name="files"; filename="a.png"\r\n\r\nx\r\n'
    field = b'--cut\r\nContent-Disposition: form-data; name="more"\r\n\r\n' + b"y" * 300 + b"\r\n"
    before = files_in(folder)
    for body in (file + field + b"--cut--\r\n", file, file[:-1], file.replace(b"files", b"other") + b"--cut--\r\n"):
        status, answer = post_form(port, body)
        assert status == 400 and json.loads(answer)["problem"] == "no-upload", body
        assert files_in(folder) == before
    assert post_form(port, file + b"--cut--\r\n")[0] == 200


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="reads handles from /proc")
def test_a_form_of_many_files_has_one_open_at_a_time(port):
    def handles() -> int:
        return len(os.listdir("/proc/self/fd"))

    part = b'--cut\r\nContent-Disposition: form-data; name="files"; filename="a.png"\r\n\r\nx\r\n'
    head = b"POST /gradio_api/upload HTTP/1.1\r\nHost: x\r\nContent-Type: multipart/form-data; boundary=cut\r\n"
    before = handles()
    sending = []
    try:
        for _ in range(12):
            connection = socket.create_connection(("127.0.0.1", port), timeout=30)
            connection.sendall(head + b"Content-Length: 99999\r\n\r\n" + part * 100)
            sending.append(connection)
        assert still_answers(port)
        assert handles() <= before + 3 * len(sending) + 2  # both ends of each connection, and a file
    finally:
        for connection in sending:
            connection.close()


def test_what_nobody_listens_to_keeps_nobody_waiting(port, examples):
    """101 such requests once kept the page from everybody for an hour."""
    picture = "data:image/jpeg;base64," + base64.b64encode(examples[0].read_bytes()).decode()
    body = json.dumps({"data": [picture]}).encode()
    for _ in range(101):
        assert ask(port, body)[0] == 200
    begun = time.monotonic()
    assert still_answers(port)
    assert "verdict" in classify(port, path=upload(port, "cat.png", hostile.encoded("PNG")))
    assert time.monotonic() - begun < 10


def test_a_stranger_s_answers_are_not_heard(port):
    status, answer = ask(port, json.dumps({"data": ["x"]}).encode())
    assert status == 200
    event = json.loads(answer)["event_id"]
    for path in (
        "queue/data",
        "queue/data?session_hash=guessed",
        f"call/classify/{'0' * 32}",
        f"call/classify/{event}x",
    ):
        assert request(port, "GET", f"/gradio_api/{path}")[0] == 404


RANGES = ["bytes=0-0", "bytes=-5", "bytes=5-2", "bytes=0-0,1-1", "bytes=0-99999999999999999999", "cats", "bytes="]


@pytest.mark.parametrize("range", RANGES)
def test_a_range_is_left_aside(port, range, root):
    status, body = request(port, "GET", "/card.jpg", Range=range)
    assert status == 200 and body == (root / "catdog/page/card.jpg").read_bytes()


def test_a_head_has_limits(port):
    assert request(port, "GET", "/health", X_Long="x" * 20_000)[0] == 431
    assert request(port, "GET", "/health", **{f"X-{number}": "x" for number in range(70)})[0] == 431
    assert request(port, "GET", f"/health?{'x' * 2_000}")[0] == 414
    assert request(port, "GET", "/health", b"a body")[0] == 413
    assert still_answers(port)
