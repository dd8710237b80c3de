"""Starting the page as people's machines are: proxies, taken ports, other users' folders, a path of a larger site."""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import socket
import stat
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import torch
from gradio_client import Client, handle_file

from catdog.checkpoint import Metadata, save_checkpoint
from catdog.cli import INTERRUPTED, app, serving

PATIENCE = 120  # s, on a busy machine
DEAD = "127.0.0.1:9"  # nobody listens there
VARIABLES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")


def listen_to_ctrl_c() -> None:
    signal.signal(
        signal.SIGINT, signal.default_int_handler
    )  # a shell that runs the tests in the background turns it off


def start(root: Path, *command: object, python: tuple[str, ...] = (), **environment: str) -> subprocess.Popen[str]:
    """A command in a process group of its own, as a terminal has it; no proxy but those given."""
    inherited = {name: value for name, value in os.environ.items() if name.lower() not in VARIABLES}
    return subprocess.Popen(
        [sys.executable, "-u", *python, *map(str, command)],
        cwd=root,
        env=inherited | {"GRADIO_ANALYTICS_ENABLED": "False"} | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=listen_to_ctrl_c,
    )


def end(process: subprocess.Popen[str], number: int = signal.SIGINT) -> tuple[int, str, str]:
    """Send a signal as a terminal does, to all of its processes: the exit status, and what was still said."""
    try:
        os.killpg(process.pid, number)
        said, errors = process.communicate(timeout=PATIENCE)
    finally:
        process.kill()
    return process.returncode, said, errors


def line_with(text: str, stream) -> str:
    """The first line that has it. Nothing else is read from the stream, so that it can fill; no more than a pipe holds."""
    for line in stream:
        if text in line:
            return line
    raise AssertionError(f"ended without {text!r}")


@contextmanager
def page(root: Path, *arguments: object, **environment: str) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """app.py in a process of its own: the address that it prints, and the process."""
    process = start(root, "app.py", "--device", "cpu", *arguments, **environment)
    try:
        yield line_with("http://", process.stdout).split()[-1], process
    finally:
        process.terminate()  # not killed: it deletes its uploads
        process.communicate(timeout=PATIENCE)


def get(address: str) -> tuple[str, bytes]:
    """Content type and body, without a proxy of this process's own."""
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(address, timeout=PATIENCE) as answer:
        return answer.headers["Content-Type"], answer.read()


@contextmanager
def serving_with(handler: type[BaseHTTPRequestHandler]) -> Iterator[int]:
    """An HTTP server in a thread: its port."""
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_port
        server.shutdown()


class BadGateway(BaseHTTPRequestHandler):
    """A proxy that reaches nothing."""

    def do_GET(self) -> None:
        self.send_error(502)

    do_HEAD = do_POST = do_GET

    def log_message(self, *_: object) -> None:
        pass


# ---------------------------------------------------------------------------- proxies


@pytest.mark.parametrize(
    "proxy",
    [
        pytest.param({"http_proxy": f"http://{DEAD}", "https_proxy": f"http://{DEAD}"}, marks=pytest.mark.slow),
        {"http_proxy": "http://127.0.0.1:{bad_gateway}", "https_proxy": "http://127.0.0.1:{bad_gateway}"},
        {"all_proxy": f"socks5://{DEAD}"},
        pytest.param({"ALL_PROXY": f"socks://{DEAD}"}, marks=pytest.mark.slow),
    ],
    ids=["dead", "bad gateway", "socks5", "socks"],
)
def test_the_page_starts_whatever_proxy_the_environment_names(root, proxy):
    with serving_with(BadGateway) as port:
        proxy = {name: value.format(bad_gateway=port) for name, value in proxy.items()}
        with page(root, **proxy) as (address, _):
            assert b"og:title" in get(address)[1]


def test_only_a_public_address_needs_a_proxy_that_httpx_knows(script, monkeypatch, capsys):
    monkeypatch.setenv("all_proxy", f"socks://{DEAD}")
    assert script("app", "--share") == 2
    assert capsys.readouterr().err.startswith(
        "app.py: The environment variable all_proxy is socks://127.0.0.1:9: --share "
    )


# ---------------------------------------------------------------------------- host and port


@pytest.fixture
def taken() -> Iterator[int]:
    """A port at which somebody listens, followed by free ones."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@pytest.mark.parametrize(
    ("arguments", "variables", "said"),
    [
        (["--port", "0"], {}, "--port is 0: it must be between 1 and 65535."),
        (["--host", "nowhere.invalid"], {}, "--host is 'nowhere.invalid': there is no such host"),
        (["--host", ""], {}, "--host is '': there is no such host"),
        (["--host", "a" * 80], {}, f"--host is '{'a' * 80}': there is no such host"),
        (["--host", "192.0.2.1"], {}, "--host is 192.0.2.1: that is no address of this machine"),
        (["--host", "2001:db8::1"], {}, "--host is 2001:db8::1: that is no address of this machine"),
        ([], {"GRADIO_SERVER_NAME": "nowhere.invalid"}, "The environment variable GRADIO_SERVER_NAME is 'nowhere"),
        (
            [],
            {"GRADIO_SERVER_PORT": "web"},
            "The environment variable GRADIO_SERVER_PORT is 'web': it must be a number",
        ),
        ([], {"GRADIO_SERVER_PORT": "70000"}, "The environment variable GRADIO_SERVER_PORT is '70000': it must be"),
        ([], {"GRADIO_SERVER_PORT": ""}, "The environment variable GRADIO_SERVER_PORT is '': it must be a number"),
        ([], {"GRADIO_NUM_PORTS": "many"}, "The environment variable GRADIO_NUM_PORTS is 'many': it must be a number"),
        (["--root-path", "catdog"], {}, "--root-path is catdog: it must begin with a slash"),
        ([], {"GRADIO_ROOT_PATH": "catdog"}, "The environment variable GRADIO_ROOT_PATH is catdog: it must begin"),
    ],
)
def test_a_wrong_address_is_told_in_one_sentence_before_anything_is_loaded(
    script, monkeypatch, capsys, arguments, variables, said
):
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(app, "load", lambda *_: pytest.fail("it loaded a checkpoint first"))
    assert script("app", *arguments) == 2
    error = capsys.readouterr().err
    assert error.startswith(f"app.py: {said}") and error.count("\n") == 1


def test_a_port_that_is_taken_is_told_with_the_option(script, capsys, taken):
    assert script("app", "--port", taken) == 2
    assert capsys.readouterr().err.startswith(f"app.py: --port is {taken}: another program listens there")


def test_without_the_option_the_next_free_port_is_taken(monkeypatch, taken):
    monkeypatch.setenv("GRADIO_SERVER_PORT", str(taken))
    assert taken < serving.find_address(None, None)[1] < taken + 100
    monkeypatch.setenv("GRADIO_NUM_PORTS", "1")
    with pytest.raises(serving.ServingError, match=f"None of the ports from {taken} to {taken} is free"):
        serving.find_address(None, None)


def test_a_port_that_needs_an_administrator_is_told(script, monkeypatch, capsys):
    def refuse(family: int, address: tuple) -> None:
        if address[1]:
            raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(serving, "bind", refuse)
    assert script("app", "--port", "80") == 2
    assert capsys.readouterr().err == "app.py: --port is 80: this user may not listen there; take one from 1024 on.\n"


def test_a_name_of_which_one_address_cannot_be_had_is_served_at_the_other(monkeypatch):
    """localhost in a container without IPv6."""
    found = [(socket.AF_INET6, 0, 0, "", ("2001:db8::1", 0, 0, 0)), (socket.AF_INET, 0, 0, "", ("127.0.0.1", 0))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
    assert serving.find_address("localhost", None)[0] == "127.0.0.1"


@pytest.fixture
def ipv6() -> None:
    try:
        serving.bind(socket.AF_INET6, ("::1", 0))
    except OSError:
        pytest.skip("needs IPv6, at least on this machine")


@pytest.mark.parametrize("way", ["option", pytest.param("variable", marks=pytest.mark.slow)])
def test_an_ipv6_address_is_served_and_printed_as_a_browser_takes_it(root, ipv6, taken, way):
    arguments, variables = (["--host", "::1"], {}) if way == "option" else ([], {"GRADIO_SERVER_NAME": "::1"})
    with page(root, *arguments, GRADIO_SERVER_PORT=str(taken), **variables) as (address, _):
        assert re.fullmatch(r"http://\[::1\]:\d+", address)
        assert b"og:title" in get(f"{address}/")[1]


# ---------------------------------------------------------------------------- uploads


def test_uploads_go_to_a_folder_of_ones_own_that_is_deleted_in_the_end(root, tmp_path, examples):
    (tmp_path / "gradio").write_text("another user's, as far as this process can tell")
    with page(root, TMPDIR=str(tmp_path)) as (address, process):
        answer = Client(address, verbose=False).predict(handle_file(str(examples[0])), api_name="/classify")
        assert answer["verdict"] == "both"
        [folder] = tmp_path.glob("catdog-*")
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        assert list(folder.rglob(examples[0].name))
        status, said, errors = end(process, signal.SIGTERM)
        assert status == 0 and "closing server" in said and "Traceback" not in errors
    assert [path.name for path in tmp_path.iterdir()] == ["gradio"]


def test_a_folder_for_uploads_that_cannot_be_written_to_is_told_at_the_start(root, tmp_path):
    (tmp_path / "file").touch()
    process = start(root, "app.py", GRADIO_TEMP_DIR=str(tmp_path / "file" / "uploads"))
    _, errors = process.communicate(timeout=PATIENCE)
    assert process.returncode == 2
    assert errors == (
        f"app.py: The environment variable GRADIO_TEMP_DIR is {tmp_path}/file/uploads: "
        "uploads cannot be written there (Not a directory).\n"
    )


# ---------------------------------------------------------------------------- below a path of a larger site

BELOW = "/pets/catdog"


class ReverseProxy(BaseHTTPRequestHandler):
    """As nginx does it with the lines of docs/hosting.md: hands on what is below a path, and says for whom."""

    upstream: int
    strips: bool

    def do_GET(self) -> None:
        if not self.path.startswith(f"{BELOW}/"):
            self.send_error(404)
            return
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        headers = {name: value for name, value in self.headers.items() if name.lower() != "connection"}
        headers |= {"X-Forwarded-Host": self.headers["Host"], "X-Forwarded-Proto": "http"}
        path = self.path.removeprefix(BELOW) if self.strips else self.path
        connection = http.client.HTTPConnection("127.0.0.1", self.upstream, timeout=PATIENCE)
        connection.request(self.command, path, body, headers)
        answer = connection.getresponse()
        self.send_response(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in ("transfer-encoding", "connection"):
                self.send_header(name, value)
        self.send_header("Connection", "close")
        self.end_headers()
        with suppress(http.client.HTTPException, OSError):  # one of the two goes away in the middle of a stream
            while part := answer.read1():
                self.wfile.write(part)
        connection.close()
        self.close_connection = True

    do_HEAD = do_POST = do_GET

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def below(root) -> Iterator[int]:
    """The page that is told its path: its port."""
    with page(root, "--root-path", f"{BELOW}/") as (address, _):
        yield int(address.rpartition(":")[2])


@pytest.fixture(scope="module", params=[True, False], ids=["path taken away", "path left there"])
def site(request, below) -> Iterator[str]:
    """Where visitors find it."""
    handler = type("Proxy", (ReverseProxy,), {"upstream": below, "strips": request.param})
    with serving_with(handler) as port:
        yield f"http://127.0.0.1:{port}{BELOW}"


def test_the_page_below_a_path_names_addresses_below_it(site):
    kind, body = get(f"{site}/")
    text = body.decode()
    assert kind.startswith("text/html")
    assert f'property="og:url" content="{site}/"' in text
    assert f'property="og:image" content="{site}/card.jpg"' in text
    named = re.findall(r'(?:src|href)="([^"]+)"', text)
    assert not [each for each in named if each.startswith(("/", "http"))], named  # "/web" would be another site's
    [script] = [each for each in named if each.endswith("/app.js")]
    for path, expected in (
        (script, "text/javascript"),
        ("about.json", "application/json"),
        ("examples/cat-chelsea.jpg", "image/jpeg"),
        ("favicon.ico", "image/svg+xml"),
        ("card.jpg", "image/jpeg"),
        ("health", "application/json"),
    ):
        assert get(f"{site}/{path}")[0].startswith(expected), path


def test_a_photo_below_a_path_is_answered(site, examples):
    request = urllib.request.Request(f"{site}/engine/explain", examples[0].read_bytes())
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=PATIENCE) as answer:
        assert json.load(answer)["prediction"]["verdict"] == "both"


@pytest.mark.slow
def test_the_address_below_which_visitors_find_the_page_can_be_given_whole(root):
    with page(root, "--root-path", f"https://pets.example{BELOW}/") as (address, _):
        assert f'property="og:url" content="https://pets.example{BELOW}/"'.encode() in get(f"{address}/")[1]
        assert get(f"{address}/about.json")[0] == "application/json"


def test_the_endpoints_below_a_path_answer(site, examples):
    client, photo = Client(site, verbose=False), handle_file(str(examples[0]))
    assert client.predict(photo, api_name="/classify")["verdict"] == "both"
    assert client.predict(photo, api_name="/explain")["prediction"]["verdict"] == "both"
    assert [each["verdict"] for each in client.predict([photo, photo], api_name="/classify_many")] == ["both", "both"]


def test_the_guard_below_a_path_knows_its_addresses(site):
    """A field that is no file."""
    body = b'--cut\r\nContent-Disposition: form-data; name="files"\r\n\r\nno file\r\n--cut--\r\n'
    request = urllib.request.Request(
        f"{site}/gradio_api/upload", body, {"Content-Type": "multipart/form-data; boundary=cut"}
    )
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request)
    assert refused.value.code == 400 and b"Only files can be uploaded" in refused.value.read()


# ---------------------------------------------------------------------------- checkpoints that say little of themselves


@pytest.mark.parametrize("kind", ["a tutorial's", "with defaults"])
@pytest.mark.filterwarnings("ignore:.*has no metadata")
def test_the_page_opens_with_a_checkpoint_that_has_no_figures(run_app, network18, tmp_path, examples, kind):
    path = tmp_path / "checkpoint.pth"
    if kind == "a tutorial's":
        torch.save(network18.state_dict(), path)
    else:
        save_checkpoint(path, network18, Metadata(input_size=64))
    address = run_app("--checkpoint", path, "--device", "cpu")
    assert b"og:title" in get(address)[1]
    assert json.loads(get(f"{address}figures.json")[1])["measured"] is None
    answer = Client(address, verbose=False).predict(handle_file(str(examples[0])), api_name="/explain")
    assert set(answer) == {"prediction", "boxes", "evidence", "bias", "view", "extent", "signature"}


# ---------------------------------------------------------------------------- Ctrl-C


@pytest.mark.parametrize(
    ("command", "name"),
    [
        (("scripts/predict.py", "examples"), "predict.py"),
        (("-m", "catdog", "evaluate", "--data", "examples"), "catdog evaluate"),
        (("app.py",), "app.py"),
    ],
)
def test_ctrl_c_while_a_command_is_imported_ends_it_in_one_line(root, command, name):
    process = start(root, *command, python=("-X", "importtime"))
    line_with("torch.", process.stderr)
    status, said, errors = end(process)
    assert status == INTERRUPTED and not said
    assert [line for line in errors.splitlines() if "import time:" not in line] == [f"{name}: interrupted."]


def test_ctrl_c_while_gradio_is_imported_leaves_nothing_behind(root, tmp_path):
    process = start(root, "app.py", python=("-X", "importtime"), TMPDIR=str(tmp_path))
    line_with("gradio.", process.stderr)
    status, said, errors = end(process)
    assert status == INTERRUPTED and not said and "Traceback" not in errors
    assert not list(tmp_path.iterdir())


def test_ctrl_c_while_pictures_are_classified_ends_it_in_one_line(root, examples):
    process = start(root, "scripts/predict.py", *examples * 200)
    line_with("cat", process.stdout)
    status, _, errors = end(process)
    assert status == INTERRUPTED and errors == "predict.py: interrupted.\n"


def test_ctrl_c_ends_the_page_in_one_line(root):
    with page(root) as (_, process):
        line_with("public link", process.stdout)  # the last that is said before it waits
        time.sleep(1)
        status, said, errors = end(process)
    assert status == 0  # the page was served until it was no longer wanted
    assert said.splitlines()[-1] == "Keyboard interruption in main thread... closing server." and not errors
