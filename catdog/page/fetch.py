"""A picture that a program names by its address: fetched from public addresses only, up to a size and a time."""

from __future__ import annotations

import asyncio
import ipaddress
import secrets
import shutil
import socket
from pathlib import Path

import gradio as gr
import httpx
from gradio.blocks import Block
from gradio_client.utils import is_http_url_like, strip_invalid_filename_characters
from safehttpx import AsyncSecureTransport

MAX_BYTES = 50 * 2**20  # as of an upload
MAX_SECONDS = 20.0  # for all of it
MAX_REDIRECTS = 5
NAT64 = ipaddress.ip_network("64:ff9b::/96")
UNICAST = ipaddress.ip_network("2000::/3")  # all of IPv6 that is given out (RFC 4291)
DOCUMENTATION = ipaddress.ip_network("3fff::/20")  # RFC 9637; Python knows the older ones


class FetchesWithinLimits(Block):
    """For a component that takes files: Gradio's own download has no limit of size or time.

    Gradio calls this method for every file that a program hands over, be it an upload's path or an address.
    """

    async def async_move_resource_to_block_cache(self, url_or_file_path: str | Path | None) -> str | None:
        if not isinstance(url_or_file_path, str) or not is_http_url_like(url_or_file_path):
            return await super().async_move_resource_to_block_cache(url_or_file_path)
        try:
            path = await asyncio.wait_for(fetch(url_or_file_path, Path(self.GRADIO_CACHE)), MAX_SECONDS)
        except (OSError, ValueError, httpx.HTTPError, httpx.InvalidURL, asyncio.TimeoutError) as error:
            raise gr.Error("missing: The address cannot be fetched.", print_exception=False) from error
        self.temp_files.add(path)
        return path


async def fetch(url: str, folder: Path) -> str:
    """Download to a new file under `folder`, following redirects, each of which is looked at anew.

    Raises:
        ValueError: for an address that is not public, an answer other than 200, or one that is too large.
        OSError, httpx.HTTPError, httpx.InvalidURL: where the network fails.
    """
    for _ in range(MAX_REDIRECTS + 1):
        address = httpx.URL(url)
        if address.scheme not in ("http", "https"):
            raise ValueError(f"{url} is no address of the web.")
        transport = AsyncSecureTransport(await public_address(address.host))
        headers = {"Accept-Encoding": "identity"}  # or a small answer could unpack to a large one
        async with (
            httpx.AsyncClient(transport=transport, trust_env=False) as client,
            client.stream("GET", address, headers=headers) as response,
        ):
            if response.has_redirect_location:
                url = str(address.join(response.headers["Location"]))
                continue
            if response.status_code != 200:
                raise ValueError(f"{url} answers {response.status_code}.")
            name = strip_invalid_filename_characters(Path(address.path).name) or "picture"
            target = folder / secrets.token_hex(16) / name
            target.parent.mkdir(parents=True)
            try:
                await save(response, target)
            except BaseException:  # also where the time is up, or the visitor has left
                shutil.rmtree(target.parent)
                raise
            return str(target)
    raise ValueError(f"{url} redirects too often.")


async def save(response: httpx.Response, target: Path) -> None:
    size = 0
    with target.open("wb") as file:
        async for part in response.aiter_raw():
            size += len(part)
            if size > MAX_BYTES:
                raise ValueError(f"The answer is larger than {MAX_BYTES} bytes.")
            file.write(part)


async def public_address(host: str) -> str:
    """The first of a host's addresses, all of which must be public. The connection is made to this one, so that a second
    look-up cannot give another."""
    found = await asyncio.get_running_loop().getaddrinfo(host, None, type=socket.SOCK_STREAM)
    addresses = [str(each[4][0]) for each in found]
    if not addresses or not all(map(is_public, addresses)):
        raise ValueError(f"{host} is not public.")
    return addresses[0]


def is_public(text: str) -> bool:
    """Whether an address belongs to no private, local, shared or reserved range, however it is wrapped into IPv6."""
    address = ipaddress.ip_address(text.partition("%")[0])
    if isinstance(address, ipaddress.IPv6Address):
        wrapped = address.ipv4_mapped or address.sixtofour or (address.teredo and address.teredo[1])
        if address in NAT64:
            wrapped = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        if wrapped:
            return is_public(str(wrapped))
        if address not in UNICAST or address in DOCUMENTATION:
            return False
    return address.is_global and not address.is_multicast and not address.is_reserved
