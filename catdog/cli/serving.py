"""What the page needs before it is served: an address, a path below it, a folder for uploads, no proxy in between."""

from __future__ import annotations

import atexit
import errno
import os
import secrets
import shutil
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.request import getproxies

LOOPBACK = "127.0.0.1"
FIRST_PORT, TRIED_PORTS = 7860, 100  # as Gradio has them
MAX_PORT = 65_535
PROXY_SCHEMES = ("http", "https", "socks5", "socks5h")
UPLOADS = "GRADIO_TEMP_DIR"  # one of the environment variables that Gradio reads, as those below
UPLOADS_MODE = 0o700  # nobody else reads visitors' photos


class ServingError(ValueError):
    """Why the page cannot be served as it was asked to: one sentence with the option or the environment variable."""


def find_address(host: str | None, port: int | None) -> tuple[str, int]:
    """Where to listen: the host, and the port or, without one, the first free one.

    Args:
        host: a name or an address of this machine; without it, GRADIO_SERVER_NAME or this machine only.
        port: without it, those from GRADIO_SERVER_PORT or 7860 on.

    Raises:
        ServingError: for a host that does not exist or is not this machine, and where no port is free.
    """
    host, own = addresses_of(*asked(host, "--host", "GRADIO_SERVER_NAME", LOOPBACK))
    first = port or number_from("GRADIO_SERVER_PORT", FIRST_PORT)
    last = port or min(first + number_from("GRADIO_NUM_PORTS", TRIED_PORTS) - 1, MAX_PORT)
    for candidate in range(first, last + 1):
        try:
            bind(socket.AF_INET, (LOOPBACK, candidate))  # Gradio wants it free there, whatever the host
            for family, (address, _, *rest) in own:
                bind(family, (address, candidate, *rest))
            return host, candidate
        except PermissionError as error:
            if port:
                raise ServingError(
                    f"--port is {port}: this user may not listen there; take one from 1024 on."
                ) from error
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
            if port:
                raise ServingError(
                    f"--port is {port}: another program listens there; leave it out for the next free one."
                ) from error
    raise ServingError(f"None of the ports from {first} to {last} is free: name one with --port.")


def addresses_of(host: str, source: str) -> tuple[str, list[tuple[int, tuple[Any, ...]]]]:
    """A host as the server can take it, and those of its addresses that are this machine's, each with its family.

    Raises:
        ServingError: where there is none.
    """
    host = host.removeprefix("[").removesuffix("]")  # around an IPv6 address, as in a URL
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except (OSError, UnicodeError) as error:  # UnicodeError: a name that no host can have
        raise ServingError(
            f"{source} is {host!r}: there is no such host; 0.0.0.0 is every address of this machine."
        ) from error
    own = []
    for family, _, _, _, address in found:
        with suppress(OSError):
            bind(family, (address[0], 0, *address[2:]))  # any port
            own.append((family, address))
    if not own:
        raise ServingError(f"{source} is {host}: that is no address of this machine; 0.0.0.0 is all of them.")
    if len(own) < len(found):  # localhost without IPv6: the server would insist on both
        host = own[0][1][0]
    return host, own


def asked(option: str | None, name: str, variable: str, otherwise: str) -> tuple[str, str]:
    """An option or the environment variable that stands for it, and which of the two it was."""
    if option is not None:
        return option, name
    return os.environ.get(variable) or otherwise, f"The environment variable {variable}"


def number_from(variable: str, otherwise: int) -> int:
    """Raises: ServingError where an environment variable has no number that a port can have."""
    text = os.environ.get(variable, str(otherwise))
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= MAX_PORT):
        raise ServingError(
            f"The environment variable {variable} is {text!r}: it must be a number from 1 to {MAX_PORT}."
        )
    return int(text)


def bind(family: int, address: tuple[Any, ...]) -> None:
    """Raises: OSError where a server could not listen, for the same reason."""
    with socket.socket(family, socket.SOCK_STREAM) as trial:
        if os.name == "posix":  # elsewhere this would share a port with whoever listens there
            trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            trial.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        trial.bind(address)


def root_path(option: str | None) -> str:
    """The path below which visitors find the page, without a slash at its end; empty where it is the whole site.

    Raises:
        ServingError: for anything but a path or a whole address.
    """
    path, source = asked(option, "--root-path", "GRADIO_ROOT_PATH", "")
    if path and not path.startswith(("/", "http://", "https://")):
        raise ServingError(f"{source} is {path}: it must begin with a slash, as in /catdog.")
    return path.rstrip("/")


def choose_uploads() -> Path:
    """The folder that Gradio is to put uploads in, which it learns from the environment when it is imported.

    Without GRADIO_TEMP_DIR it is one of this process's own, deleted when that ends: Gradio's usual /tmp/gradio may be
    another user's. It is still to be made, with the mode of UPLOADS_MODE.

    Raises:
        ServingError: where GRADIO_TEMP_DIR cannot be written to, or nothing temporary can be written at all.
    """
    if given := os.environ.get(UPLOADS):
        try:
            Path(given).mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=given):
                return Path(given)
        except OSError as error:
            raise ServingError(
                f"The environment variable {UPLOADS} is {given}: uploads cannot be written there ({error.strerror})."
            ) from error
    try:
        folder = Path(tempfile.gettempdir()).resolve() / f"catdog-{secrets.token_hex(8)}"
    except OSError as error:
        raise ServingError(
            "There is no folder for uploads that can be written to: name one with the environment variable TMPDIR."
        ) from error
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    os.environ[UPLOADS] = str(folder)
    return folder


@contextmanager
def without_proxies(hosts: str = "*") -> Iterator[None]:
    """Reach these hosts directly: Gradio asks its own address whether it answers, and a proxy would not find it there.

    With `*`, no proxy is used, and what stands in variables such as all_proxy is not even looked at.
    """
    before = os.environ.get("no_proxy")
    others = before or os.environ.get("NO_PROXY")
    os.environ["no_proxy"] = f"{others},{hosts}" if others and hosts != "*" else hosts
    try:
        yield
    finally:
        if before is None:
            del os.environ["no_proxy"]
        else:
            os.environ["no_proxy"] = before


def check_proxies() -> None:
    """Raises: ServingError for a proxy that httpx would not take when it looks for Gradio's servers."""
    for kind in ("http", "https", "all"):
        proxy = getproxies().get(kind, "")
        scheme, separator, _ = proxy.partition("://")
        if separator and scheme not in PROXY_SCHEMES:
            raise ServingError(
                f"The environment variable {kind}_proxy is {proxy}: --share needs one that begins with "
                f"{' or '.join(f'{each}://' for each in PROXY_SCHEMES)}."
            )
