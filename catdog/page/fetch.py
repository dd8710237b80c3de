"""Pictures that a program names by their addresses: fetched from public addresses only, up to a size and a time."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import time

import httpx
from safehttpx import AsyncSecureTransport

MAX_BYTES = 50 * 2**20  # as of an upload
MAX_SECONDS = 20.0  # for one picture
MAX_REDIRECTS = 5
MAX_ADDRESSES = 50  # of one request, counted before any is fetched
ALL_BYTES = 200 * 2**20  # of one request's pictures
ALL_SECONDS = 60.0  # for all of them
AT_ONCE = 4  # over all visitors
NAT64 = ipaddress.ip_network("64:ff9b::/96")
UNICAST = ipaddress.ip_network("2000::/3")  # all of IPv6 that is given out (RFC 4291)
DOCUMENTATION = ipaddress.ip_network("3fff::/20")  # RFC 9637; Python knows the older ones


class FetchError(ValueError):
    """Why a picture was not fetched. Nothing is told of what is there, or who could not be reached would be found out."""

    def __init__(self) -> None:
        super().__init__("The address cannot be fetched.")


class Fetching:
    """What one request may fetch: so many bytes and seconds for all its pictures."""

    def __init__(self, limiter: asyncio.Semaphore) -> None:
        """
        Args:
            limiter: how many pictures are fetched at once, over all visitors.
        """
        self._limiter = limiter
        self._bytes, self._seconds = ALL_BYTES, ALL_SECONDS

    async def fetch(self, url: str) -> bytes:
        """A picture's bytes.

        Raises:
            FetchError: where there is none, it is too large or too slow.
        """
        begun = time.monotonic()
        try:
            return await asyncio.wait_for(self._one(url), max(0.0, min(MAX_SECONDS, self._seconds)))
        except (OSError, ValueError, httpx.HTTPError, httpx.InvalidURL, asyncio.TimeoutError) as error:
            raise FetchError from error
        finally:
            self._seconds -= time.monotonic() - begun

    async def _one(self, url: str) -> bytes:
        async with self._limiter:
            content = await download(url, min(MAX_BYTES, self._bytes))
        self._bytes -= len(content)
        return content


def is_address(sent: str) -> bool:
    return sent[:8].lower().startswith(("http://", "https://"))


async def download(url: str, most: int) -> bytes:
    """At most so many bytes, following redirects, each of which is looked at anew.

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
            content = bytearray()
            async for part in response.aiter_raw():
                content += part
                if len(content) > most:
                    raise ValueError(f"The answer is larger than {most} bytes.")
            return bytes(content)
    raise ValueError(f"{url} redirects too often.")


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
