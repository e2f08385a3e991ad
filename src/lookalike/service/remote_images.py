"""Pictures fetched from addresses that strangers give: only from the public internet, bounded in size and time.

A service that fetches what it is told to can be made to ask the machines around it (server-side request forgery). So a
host is resolved once, every address it has must be public, the connection goes to one of these very addresses, and
each redirect is looked at in the same way.
"""

from __future__ import annotations

import http.client
import ipaddress
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.parse import SplitResult, quote, urljoin, urlsplit

from lookalike.errors import ImageError

SECONDS = 20.0
"""Most time for one picture, redirects included."""

CONNECT_SECONDS = 5.0
MOST_REDIRECTS = 5
AT_ONCE = 8
"""Downloads under way at a time."""

_CHUNK = 1 << 16
_REDIRECTS = (301, 302, 303, 307, 308)
_PORTS = {"http": 80, "https": 443}
_SAFE = "/?&=+,;:@!$'()*~%-._"
_TRANSLATED = (ipaddress.IPv6Network("64:ff9b::/96"), ipaddress.IPv6Network("64:ff9b:1::/48"))
"""IPv6 addresses that a gateway turns into the IPv4 address of their last 32 bits (RFC 6052, 8215)."""


@dataclass(frozen=True, slots=True)
class _Target:
    """Where to go: the address is one that was looked at."""

    scheme: str
    host: str
    port: int
    address: str
    path: str


class RemoteImages:
    """Downloads pictures. Safe to use from several threads.

    Args:
        limit: Most bytes of one picture.
        allow_private: Also fetch from this machine and its neighbours, as on an intranet.
        seconds: Most time for one picture.
        at_once: Downloads under way at a time.
    """

    def __init__(
        self, limit: int, *, allow_private: bool = False, seconds: float = SECONDS, at_once: int = AT_ONCE
    ) -> None:
        self._limit = limit
        self._allow_private = allow_private
        self._seconds = seconds
        self._places = threading.BoundedSemaphore(at_once)
        self._tls = ssl.create_default_context()

    def read(self, url: str) -> bytes:
        """The bytes behind an address.

        Raises:
            ImageError: If it is none of the public web, cannot be had, or is too long or too slow.
        """
        with self._places:
            until = time.monotonic() + self._seconds
            for _ in range(MOST_REDIRECTS + 1):
                found = self._ask(self._target(url), until)
                if isinstance(found, bytes):
                    return found
                url = urljoin(url, found)
        raise ImageError(f"it was redirected more than {MOST_REDIRECTS} times")

    def _target(self, url: str) -> _Target:
        """Take an address apart and look at where its host is.

        Raises:
            ImageError: If it may not be asked.
        """
        parts = _parsed(url)
        host, port = parts.hostname or "", parts.port or _PORTS[parts.scheme]
        try:
            found = socket.getaddrinfo(host.encode("idna").decode(), port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError):
            raise ImageError(f"there is no host {host!r}") from None
        addresses = [str(each[4][0]) for each in found]
        if not self._allow_private and not all(is_public(address) for address in addresses):
            raise ImageError(
                f"the host {host!r} is not on the public internet, so it is not asked: upload the picture itself, or "
                "start the service with --allow-private-urls"
            )
        path = quote(parts.path or "/", safe=_SAFE) + (
            f"?{quote(parts.query, safe=_SAFE)}" if parts.query else ""
        )
        return _Target(parts.scheme, host, port, addresses[0], path)

    def _ask(self, target: _Target, until: float) -> bytes | str:
        """The bytes, or where they are instead."""
        connection = _Pinned(target, self._tls, until)
        try:
            connection.connect()
            with _ended_at(connection.sock, until):
                connection.request(
                    "GET",
                    target.path,
                    headers={"User-Agent": "lookalike", "Accept": "image/*", "Connection": "close"},
                )
                response = connection.getresponse()
                if response.status in _REDIRECTS and (place := response.getheader("Location")):
                    return place
                if response.status != http.client.OK:
                    raise ImageError(f"the server answered {response.status} {response.reason}")
                return self._body(response, until)
        except (OSError, http.client.HTTPException, ValueError) as error:
            if time.monotonic() >= until:
                raise self._too_slow() from None
            raise ImageError(f"it cannot be fetched: {error or type(error).__name__}") from None
        finally:
            connection.close()

    def _body(self, response: http.client.HTTPResponse, until: float) -> bytes:
        if (response.length or 0) > self._limit:
            raise self._too_long()
        data = bytearray()
        while chunk := response.read(_CHUNK):
            data += chunk
            if len(data) > self._limit:
                raise self._too_long()
        if time.monotonic() >= until:  # cut, which looks like an end
            raise self._too_slow()
        if response.length:
            raise ImageError(f"the connection broke off {response.length} bytes before the end")
        return bytes(data)

    def _too_long(self) -> ImageError:
        return ImageError(f"it is longer than the limit of {self._limit / 1e6:.1f} MB for one image")

    def _too_slow(self) -> ImageError:
        return ImageError(f"it took longer than {self._seconds:.0f} s")


def is_public(address: str) -> bool:
    """Whether an IP address, and one that is written inside it, belongs to the public internet.

    Args:
        address: IPv4 or IPv6; an IPv6 zone (``%eth0``) makes it local.
    """
    if "%" in address:
        return False
    ip = ipaddress.ip_address(address)
    inside: list[ipaddress.IPv4Address | ipaddress.IPv6Address | None] = [ip]
    if isinstance(ip, ipaddress.IPv6Address):
        inside += [ip.ipv4_mapped, ip.sixtofour, *(ip.teredo or ())]
        if any(ip in network for network in _TRANSLATED):
            inside.append(ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF))
    if isinstance(ip, ipaddress.IPv6Address) and ip.ipv4_mapped is not None:
        inside.remove(ip)  # it is that IPv4 address and nothing else
    return all(each is None or _is_global(each) for each in inside)


def _is_global(ip: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    local = ip.is_private or ip.is_loopback or ip.is_link_local or ip.is_unspecified
    local |= isinstance(ip, ipaddress.IPv6Address) and ip.is_site_local  # fec0::/10, RFC 3879
    return ip.is_global and not (local or ip.is_multicast or ip.is_reserved)


def _parsed(url: str) -> SplitResult:
    """An address of the web.

    Raises:
        ImageError: If it is none.
    """
    try:
        parts = urlsplit(url)
        usable = parts.scheme in _PORTS and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable:
        raise ImageError("it is no address of a picture on the web: expected https://... or http://...")
    if parts.username is not None or parts.password is not None:
        raise ImageError("the address holds a user name or a password: leave them out")
    return parts


class _Pinned(http.client.HTTPConnection):
    """A connection to an address that was looked at, whatever the host's name leads to by now."""

    def __init__(self, target: _Target, tls: ssl.SSLContext, until: float) -> None:
        super().__init__(target.host, target.port, timeout=CONNECT_SECONDS)
        self._until = until
        self._target = target
        self._context = tls

    def connect(self) -> None:
        """Connect to the address; the certificate has to be that of the host's name."""
        self.sock = socket.create_connection((self._target.address, self.port), self.timeout)
        if self._target.scheme == "https":
            secured = self._context.wrap_socket(
                self.sock, server_hostname=self._target.host, do_handshake_on_connect=False
            )
            self.sock = secured
            with _ended_at(secured, self._until):  # a handshake may come byte by byte, too
                secured.do_handshake()


@contextmanager
def _ended_at(connected: socket.socket, until: float) -> Iterator[None]:
    """Cut a connection at a moment: a server may send a byte now and then for ever."""

    def cut() -> None:
        try:
            connected.shutdown(socket.SHUT_RDWR)
        except OSError:
            return  # it ended by itself

    timer = threading.Timer(max(0.0, until - time.monotonic()), cut)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
