"""Pictures from addresses of strangers: only of the public internet, bounded in size and time."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from lookalike.errors import ImageError
from lookalike.service.remote_images import RemoteImages, is_public

PICTURE = b"\x89PNG of a sort" * 100
LIMIT = 5000


class Handler(BaseHTTPRequestHandler):
    """A server with everything that goes wrong on the web."""

    asked: list[str]

    def do_GET(self) -> None:
        self.server.asked.append(self.path)  # type: ignore[attr-defined]
        {
            "/picture": self._picture,
            "/moved": lambda: self._moved("/picture"),
            "/round": lambda: self._moved("/round"),
            "/inside": lambda: self._moved(f"http://localhost:{self.server.server_address[1]}/picture"),
            "/file": lambda: self._moved("file:///etc/passwd"),
            "/long": lambda: self._send(b"x" * (LIMIT + 1)),
            "/endless": self._endless,
            "/slow": self._slow,
            "/short": lambda: self._send(PICTURE, announced=len(PICTURE) + 7),
        }.get(self.path.partition("?")[0], lambda: self.send_error(404))()

    def _send(self, data: bytes, announced: int | None = None) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(announced or len(data)))
        self.end_headers()
        self.wfile.write(data)

    def _picture(self) -> None:
        self._send(PICTURE)

    def _moved(self, place: str) -> None:
        self.send_response(302)
        self.send_header("Location", place)
        self.end_headers()

    def _endless(self) -> None:
        self.send_response(200)
        self.end_headers()
        while True:
            self.wfile.write(b"x" * 1000)

    def _slow(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(LIMIT))
        self.end_headers()
        for _ in range(100):
            self.wfile.write(b"x")
            self.wfile.flush()
            time.sleep(0.1)

    def handle(self) -> None:
        try:
            super().handle()
        except OSError:
            return  # the client had enough

    def log_message(self, *_: object) -> None:
        """Silence."""


@pytest.fixture
def server() -> Iterator[ThreadingHTTPServer]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as opened:
        opened.daemon_threads = True
        opened.asked = []  # type: ignore[attr-defined]
        thread = threading.Thread(target=opened.serve_forever, daemon=True)
        thread.start()
        yield opened
        opened.shutdown()
        thread.join(10)


@pytest.fixture
def url(server: ThreadingHTTPServer) -> Callable[[str], str]:
    return lambda path: f"http://127.0.0.1:{server.server_address[1]}{path}"


@pytest.fixture
def remote() -> RemoteImages:
    return RemoteImages(LIMIT, allow_private=True, seconds=1.0)


def test_a_picture_comes_as_it_is_also_after_a_redirect(
    remote: RemoteImages, url: Callable[[str], str]
) -> None:
    assert remote.read(url("/picture")) == PICTURE
    assert remote.read(url("/moved")) == PICTURE
    assert remote.read(url("/inside")) == PICTURE
    assert remote.read(url("/picture?size=1 2&ü=3#part")) == PICTURE


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("/nothing", "the server answered 404"),
        ("/round", "redirected more than 5 times"),
        ("/file", "no address of a picture on the web"),
        ("/long", "longer than the limit"),
        ("/endless", "longer than the limit"),
        ("/short", "broke off 7 bytes before the end"),
        ("/slow", "longer than 1 s"),
    ],
)
def test_what_goes_wrong_has_a_reason(
    remote: RemoteImages, url: Callable[[str], str], path: str, reason: str
) -> None:
    with pytest.raises(ImageError, match=reason):
        remote.read(url(path))


def test_a_server_that_never_answers_is_given_up(remote: RemoteImages) -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as listening,
        pytest.raises(ImageError, match="longer than 1 s"),
    ):
        remote.read(f"http://127.0.0.1:{listening.getsockname()[1]}/")


def test_a_handshake_that_comes_byte_by_byte_is_given_up(remote: RemoteImages) -> None:
    done = threading.Event()

    def drip(listening: socket.socket) -> None:
        connected, _ = listening.accept()
        with connected, suppress(OSError):
            connected.sendall(b"\x16\x03\x03\x40\x00")  # a record of 16 kB begins
            while not done.wait(0.05):
                connected.sendall(b"\x02")

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=drip, args=(listening,), daemon=True)
        thread.start()
        try:
            with pytest.raises(ImageError, match="longer than 1 s"):
                remote.read(f"https://127.0.0.1:{listening.getsockname()[1]}/")
        finally:
            done.set()
            thread.join(10)


@pytest.mark.parametrize(
    "address",
    [
        "file:///etc/passwd",
        "ftp://example.org/a.jpg",
        "//example.org/a.jpg",
        "/etc/passwd",
        "http://",
        "http://[::1",
        "http://example.org:99999/",
        "gopher://127.0.0.1/",
    ],
)
def test_only_the_web_is_asked(remote: RemoteImages, address: str) -> None:
    with pytest.raises(ImageError, match="no address of a picture on the web"):
        remote.read(address)


def test_passwords_in_addresses_are_refused(remote: RemoteImages) -> None:
    with pytest.raises(ImageError, match="user name or a password"):
        remote.read("http://admin:secret@127.0.0.1/")


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "[::1]", "0.0.0.0", "2130706433", "0x7f.1", "127.1"]
)
def test_this_machine_is_not_asked_however_it_is_written(server: ThreadingHTTPServer, host: str) -> None:
    with pytest.raises(ImageError, match=r"not on the public internet|no host"):
        RemoteImages(LIMIT).read(f"http://{host}:{server.server_address[1]}/picture")
    assert server.asked == []  # type: ignore[attr-defined]


def resolved(monkeypatch: pytest.MonkeyPatch, *answers: list[str]) -> list[str]:
    """Let a name lead to these addresses, one list for each time that it is looked up."""
    left = list(answers)
    asked: list[str] = []

    def getaddrinfo(host: str, port: int, **_: object) -> list[tuple[object, ...]]:
        asked.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (each, port)) for each in left.pop(0)]

    monkeypatch.setattr("lookalike.service.remote_images.socket.getaddrinfo", getaddrinfo)
    return asked


def test_one_private_address_among_several_refuses_the_host(monkeypatch: pytest.MonkeyPatch) -> None:
    resolved(monkeypatch, ["93.184.216.34", "10.0.0.7"])
    with pytest.raises(ImageError, match="not on the public internet"):
        RemoteImages(LIMIT).read("http://shop.example/a.jpg")


def test_the_connection_goes_to_the_address_that_was_looked_at(
    monkeypatch: pytest.MonkeyPatch, server: ThreadingHTTPServer
) -> None:
    """A name that leads elsewhere when it is asked again (rebinding) changes nothing: it is not asked again."""
    asked = resolved(monkeypatch, ["93.184.216.34"], ["127.0.0.1"])
    reached: list[tuple[str, int]] = []

    def create_connection(address: tuple[str, int], _timeout: float) -> socket.socket:
        reached.append(address)
        raise ConnectionRefusedError("nobody there")

    monkeypatch.setattr("lookalike.service.remote_images.socket.create_connection", create_connection)
    port = server.server_address[1]
    with pytest.raises(ImageError, match="nobody there"):
        RemoteImages(LIMIT).read(f"http://rebinding.example:{port}/picture")
    assert reached == [("93.184.216.34", port)]
    assert asked == ["rebinding.example"]


def test_a_redirect_is_looked_at_like_the_first_address(
    monkeypatch: pytest.MonkeyPatch, server: ThreadingHTTPServer
) -> None:
    """The first host counts as public, what it redirects to does not."""
    port = server.server_address[1]
    monkeypatch.setattr("lookalike.service.remote_images.is_public", lambda _: next(public))
    public = iter([True, False])
    with pytest.raises(ImageError, match="not on the public internet"):
        RemoteImages(LIMIT).read(f"http://127.0.0.1:{port}/inside")
    assert server.asked == ["/inside"]  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "127.255.0.3", "10.1.2.3", "172.16.0.1", "172.31.255.255", "192.168.1.1", "169.254.169.254",
        "100.64.0.1", "0.0.0.0", "255.255.255.255", "224.0.0.1", "240.0.0.1", "192.0.2.1", "198.18.0.1",
        "::", "::1", "fe80::1", "fe80::1%eth0", "fc00::1", "fd12::1", "fec0::1", "ff02::1", "2001:db8::1",
        "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::127.0.0.1", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe",
        "64:ff9b:1::a00:1", "2002:7f00:1::", "2002:a00:1::1", "2001:0:7f00:1::",
    ],
)  # fmt: skip
def test_addresses_that_are_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize(
    "address", ["93.184.216.34", "8.8.8.8", "2606:2800:220:1:248:1893:25c8:1946", "::ffff:8.8.8.8"]
)
def test_addresses_that_are_public(address: str) -> None:
    assert is_public(address)
