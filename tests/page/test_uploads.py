"""Uploads by themselves: all of a form's files or none, under names nobody can guess, up to a total, for a while."""

from __future__ import annotations

import asyncio
import errno
import os
import re
import threading
import time
from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path
from typing import Any

import pytest
from starlette.requests import ClientDisconnect, Request

from catdog.page import uploads
from catdog.page.uploads import UploadError, Uploads

FORM = "multipart/form-data; boundary=cut"
END = b"--cut--\r\n"


def part(content: bytes, name: str = "a.png", field: str = "files") -> bytes:
    return (
        f'--cut\r\nContent-Disposition: form-data; name="{field}"; filename="{name}"\r\n\r\n'.encode()
        + content
        + b"\r\n"
    )


def receive(kept: Uploads, *parts: bytes, kind: str = FORM, leaves: bool = False) -> list[str]:
    """What the program is told of an upload that comes in these parts."""
    messages: list[dict[str, Any]] = [{"type": "http.request", "body": each, "more_body": True} for each in parts]
    messages.append({"type": "http.disconnect"} if leaves else {"type": "http.request", "body": b""})

    async def come() -> dict[str, Any]:
        return messages.pop(0)

    scope = {"type": "http", "method": "POST", "path": "/", "headers": [(b"content-type", kind.encode())]}
    return asyncio.run(kept.receive(Request(scope, come)))


def files_in(folder: Path) -> list[bytes]:
    return sorted(path.read_bytes() for path in folder.rglob("*") if path.is_file())


def nothing_is_left(kept: Uploads) -> bool:
    """Also of what is counted: a file that needs all the room is taken."""
    if list(kept.folder.iterdir()):
        return False
    kept.reserve(uploads.TOTAL)
    kept.release(uploads.TOTAL)
    return True


@pytest.fixture
def kept(tmp_path) -> Uploads:
    return Uploads(tmp_path / "uploads")


def steps(body: bytes, step: int) -> Iterable[bytes]:
    return (body[start : start + step] for start in range(0, len(body), step))


@pytest.mark.parametrize("step", [1, 7, 1_000])
def test_files_come_whole_however_they_are_cut_and_are_found_by_what_the_program_was_told(kept, step):
    contents = [b"\r\n--cu" * 30, b"", bytes(range(256)) * 9]
    told = receive(kept, *steps(b"".join(map(part, contents)) + END, step))
    assert [kept.path_of(each).read_bytes() for each in told] == contents
    assert all(re.fullmatch(r"[0-9a-f]{32}/a\.png", each) for each in told) and len(set(told)) == 3


def test_nobody_else_on_the_machine_reads_them(kept):
    [told] = receive(kept, part(b"x") + END)
    if os.name == "posix":
        assert kept.folder.stat().st_mode & 0o077 == 0 and kept.path_of(told).parent.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    "parts",
    [
        [part(b"x"), b'--cut\r\nContent-Disposition: form-data; name="files"\r\n\r\ny\r\n', END],
        [part(b"x"), part(b"y", field="more"), END],
        [part(b"x"), b"--cut\r\n\r\ny\r\n", END],
        [part(b"x"), part(b"half")[:-9]],
        [part(b"x")],
        [part(b"x")[:20]],
        [END],
        [b"no form at all"],
        [b""],
        [part(b"x"), b'--cut\r\nX-Long: ' + b"y" * 10_000],
        [part(b"x"), b"--cut\r\n" + b"y" * 10_000],
    ],
    ids=["field", "other name", "no header", "cut", "no end", "cut header", "empty", "text", "nothing", "long", "no colon"],
)  # fmt: skip
@pytest.mark.parametrize("step", [1, 100_000])
def test_a_form_that_is_not_whole_or_not_of_files_alone_leaves_nothing(kept, parts, step):
    with pytest.raises(UploadError) as raised:
        receive(kept, *steps(b"".join(parts), step))
    assert raised.value.status == 400
    assert nothing_is_left(kept)


@pytest.mark.parametrize("kind", ["application/json", "multipart/form-data", "", "multipart/mixed; boundary=cut"])
def test_what_is_no_form_is_refused(kept, kind):
    with pytest.raises(UploadError, match="multipart/form-data"):
        receive(kept, part(b"x") + END, kind=kind)


def test_who_leaves_in_the_middle_leaves_nothing(kept):
    with pytest.raises(ClientDisconnect):
        receive(kept, part(b"x"), part(b"y")[:70], leaves=True)
    assert nothing_is_left(kept)


def test_of_one_visitor_only_so_many_files_are_on_the_way(kept, monkeypatch):
    monkeypatch.setattr(uploads, "COMING_EACH", 3)

    def slow(*parts: bytes) -> Callable[[], Awaitable[dict[str, Any]]]:
        messages = list(parts)

        async def come() -> dict[str, Any]:
            if not messages:
                await asyncio.sleep(3600)
            return {"type": "http.request", "body": messages.pop(0), "more_body": True}

        return come

    async def ask(host: str, *parts: bytes) -> list[str]:
        scope = {"type": "http", "method": "POST", "path": "/", "headers": [(b"content-type", FORM.encode())]}
        return await kept.receive(Request({**scope, "client": (host, 1)}, slow(*parts)))

    async def come() -> None:
        begun = [asyncio.ensure_future(ask(host, part(b"x") * 3)) for host in ("192.0.2.1", "192.0.2.2")]
        await asyncio.sleep(0.3)
        with pytest.raises(UploadError) as refused:
            await ask("192.0.2.1", part(b"x"))
        assert (refused.value.status, refused.value.code) == (503, "busy")
        assert not any(each.done() for each in begun)
        for each in begun:
            each.cancel()
        await asyncio.gather(*begun, return_exceptions=True)
        await asyncio.sleep(0.3)
        with pytest.raises(TimeoutError):  # there is room again
            await asyncio.wait_for(ask("192.0.2.1", part(b"x") * 3), 0.3)

    asyncio.run(come())


@pytest.mark.parametrize("again", [False, True])
def test_who_is_sent_away_while_files_are_written_leaves_nothing(kept, monkeypatch, again):
    """The request is cancelled, once or also in its last steps, but not the thread that writes; and others wait for their turn."""
    begun = threading.Event()
    new_place = kept.new_place

    def slowly() -> Path:
        begun.set()
        time.sleep(0.02)
        return new_place()

    monkeypatch.setattr(kept, "new_place", slowly)
    body = part(b"x") * 20

    async def come() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": True}

    async def cancel() -> None:
        scope = {"type": "http", "method": "POST", "path": "/", "headers": [(b"content-type", FORM.encode())]}
        asked = [asyncio.ensure_future(kept.receive(Request(scope, come))) for _ in range(3)]
        await asyncio.to_thread(begun.wait)
        for each in asked:
            each.cancel()
        await asyncio.sleep(0.01)
        for each in asked if again else ():
            each.cancel()
        await asyncio.gather(*asked, return_exceptions=True)
        for _ in range(200):
            if not any(kept.folder.iterdir()):
                break
            await asyncio.sleep(0.05)

    asyncio.run(cancel())
    assert nothing_is_left(kept)


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_is_told_and_leaves_nothing(kept, monkeypatch, code):
    real = Path.open

    def open_full(self: Path, mode: str = "r", *arguments: Any, **options: Any) -> Any:
        if "x" not in mode:
            return real(self, mode, *arguments, **options)
        self.touch()
        raise OSError(code, "full")

    monkeypatch.setattr(Path, "open", open_full)
    with pytest.raises(UploadError) as raised:
        receive(kept, part(b"x") + END)
    monkeypatch.undo()
    assert raised.value.status == 507
    assert nothing_is_left(kept)


def test_a_file_and_their_number_have_limits(kept, monkeypatch):
    monkeypatch.setattr(uploads, "MAX_FILE", 100)
    monkeypatch.setattr(uploads, "MAX_FILES", 3)
    for body in (part(b"x" * 101), part(b"x" * 90) * 4):
        with pytest.raises(UploadError) as raised:
            receive(kept, body + END)
        assert raised.value.status == 413
        assert nothing_is_left(kept)
    assert len(receive(kept, part(b"x" * 100) * 3 + END)) == 3


def test_only_one_file_of_a_form_is_open_at_a_time(kept):
    open_now = lambda: len(os.listdir("/proc/self/fd"))  # noqa: E731
    if not Path("/proc/self/fd").exists():
        pytest.skip("reads handles from /proc")
    before, most = open_now(), 0
    form = uploads.Form(FORM, kept, "a visitor")
    for _ in range(50):
        form.write(part(b"x"))
        most = max(most, open_now())
    form.close()
    assert most <= before + 1


def test_of_all_uploads_there_is_a_total_and_its_end_is_told_with_a_sentence(tmp_path):
    kept = Uploads(tmp_path / "uploads", total=100)
    receive(kept, part(b"x" * 60) + END)
    with pytest.raises(UploadError, match=r"There is no room for uploads just now\.") as raised:
        receive(kept, part(b"y" * 60) + END)
    assert raised.value.status == 507
    assert files_in(kept.folder) == [b"x" * 60]
    receive(kept, part(b"z" * 40) + END)


def grow_old(kept: Uploads, told: str, seconds: float) -> None:
    os.utime(kept.path_of(told).parent, (time.time() - seconds,) * 2)


def test_where_room_is_short_what_nobody_needs_any_more_makes_it(tmp_path):
    kept = Uploads(tmp_path / "uploads", total=100)
    [oldest], [older], [new] = (receive(kept, part(b"x" * 30) + END) for _ in range(3))
    grow_old(kept, oldest, 2 * uploads.NEEDED_SECONDS)
    grow_old(kept, older, 1.5 * uploads.NEEDED_SECONDS)
    [last] = receive(kept, part(b"y" * 30) + END)
    assert kept.path_of(oldest) is None
    assert all(map(kept.path_of, [older, new, last]))


def test_what_is_too_old_is_deleted_at_the_start_whoever_left_it(tmp_path):
    before = Uploads(tmp_path / "uploads", total=100)
    [old], [new] = (receive(before, part(b"x" * 50) + END) for _ in range(2))
    grow_old(before, old, uploads.KEEP_SECONDS + 1)
    after = Uploads(tmp_path / "uploads", total=100)  # of a server that takes the place of one that was killed
    assert after.path_of(old) is None and after.path_of(new)
    receive(after, part(b"y" * 50) + END)
    with pytest.raises(UploadError):
        receive(after, part(b"y") + END)


def test_it_is_looked_for_what_is_too_old_again_and_again(kept, monkeypatch):
    monkeypatch.setattr(uploads, "LOOK_SECONDS", 0.01)

    async def test() -> None:
        looking = asyncio.ensure_future(kept.keep_swept())
        until = time.monotonic() + 60
        while list(kept.folder.iterdir()):
            assert time.monotonic() < until
            await asyncio.sleep(0.01)
        looking.cancel()

    [old] = receive(kept, part(b"x") + END)
    grow_old(kept, old, uploads.KEEP_SECONDS + 1)
    asyncio.run(test())


@pytest.mark.parametrize(
    "name",
    ["../../evil.png", "/etc/evil.png", "..\\..\\evil.png", "..", ".", "", "a\0b.png", "😀" * 200, "\u202egnp.exe"],
)
def test_a_file_s_name_leads_nowhere(kept, name):
    [told] = receive(kept, part(b"x", name=name) + END)
    assert kept.path_of(told).read_bytes() == b"x"
    assert kept.path_of(told).resolve().parent.parent == kept.folder.resolve()


@pytest.mark.parametrize(
    "sent",
    ["{}/../{}/a.png", "{}/..", "{}/.", "{}", "{}/", "/etc/passwd", "{}/a.png/", "../uploads/{}/a.png", "{}/b.png", ""],
)
def test_no_other_name_leads_to_a_file(kept, sent):
    [told] = receive(kept, part(b"x") + END)
    token = told.partition("/")[0]
    assert kept.path_of(sent.format(token, token)) is None
    assert kept.path_of(told)


@pytest.mark.skipif(os.name != "posix", reason="makes a link")
def test_a_link_is_no_upload(kept, tmp_path):
    (tmp_path / "secret").write_bytes(b"secret")
    place = kept.folder / ("0" * 32)
    place.mkdir()
    (place / "a.png").symlink_to(tmp_path / "secret")
    assert kept.path_of(f"{'0' * 32}/a.png") is None
