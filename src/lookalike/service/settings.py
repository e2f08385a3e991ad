"""Everything about a service that can be set, with defaults that are safe."""

from __future__ import annotations

import ipaddress
import os
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from lookalike.errors import InputError


@dataclass(frozen=True, slots=True)
class ServiceSettings:
    """Settings of one service.

    Args:
        host, port: Where it listens; only this machine can reach the default.
        keys: File of API keys (see ``lookalike keys``); None: there are none, which only the loopback may do without.
        allowed_origins: Web origins (``https://shop.example``) whose pages may call the service; none by default.
        allowed_hosts: Names that a request's ``Host`` may have beside ``localhost`` and addresses; ``*``: any.
        max_upload_bytes: Of one request's body.
        max_k: Most hits of one request.
        queue: Requests that may be under way or wait at a time; further ones are refused with 503.
        workers: Threads that do the requests' work. More of them than cores answer no more requests, and the event loop
            waits for each of them in turn.
        time_limit: Seconds after which a request is answered with 504.
        body_idle, body_rate: A body that pauses longer (seconds), or is slower after that (bytes a second), is given
            up with 408.
        batch_size, batch_wait: Pictures of different clients that pass the network together, and the longest that the
            first of them waits for the others, seconds.
        requests_per_minute: Of one key, or of one address where no key is needed; 0: no limit. A key may have its own.
        drain_seconds: How long requests under way may go on after SIGTERM.
        allow_private_urls: Fetch pictures also from addresses of this machine and its network; anybody who may write
            could make the service ask the machines around it.
        telemetry: Send traces and metrics by OpenTelemetry, as its environment variables say.

    Raises:
        InputError: If one of them cannot be.
    """

    host: str = "127.0.0.1"
    port: int = 8000
    keys: Path | None = None
    allowed_origins: tuple[str, ...] = ()
    allowed_hosts: tuple[str, ...] = ()
    max_upload_bytes: int = 64 * 2**20
    max_k: int = 1000
    queue: int = 64
    workers: int = max(2, os.cpu_count() or 1)
    time_limit: float = 30.0
    body_idle: float = 10.0
    body_rate: int = 16 * 1024
    batch_size: int = 16
    batch_wait: float = 0.004
    requests_per_minute: int = 0
    drain_seconds: float = 20.0
    telemetry: bool = False
    allow_private_urls: bool = False

    def __post_init__(self) -> None:
        least = {"max_upload_bytes": 1, "max_k": 1, "queue": 1, "workers": 1, "batch_size": 1}
        least |= {"batch_wait": 0, "requests_per_minute": 0, "drain_seconds": 0, "body_rate": 0}
        for name, bound in least.items():
            if getattr(self, name) < bound:
                raise InputError(f"{name} {getattr(self, name)} is too small: expected at least {bound}")
        for name in ("time_limit", "body_idle"):
            if getattr(self, name) <= 0:
                raise InputError(f"{name} {getattr(self, name)} is too small: expected more than 0 seconds")
        if not 0 <= self.port <= 65535:
            raise InputError(
                f"port {self.port} is none: expected 0 to 65535, where 0 lets the system choose one"
            )
        for origin in self.allowed_origins:
            parts = urlsplit(origin)
            if (
                parts.scheme not in ("http", "https")
                or not parts.netloc
                or f"{parts.scheme}://{parts.netloc}" != origin
            ):
                raise InputError(
                    f"{origin!r} is no web origin: expected scheme, host and port alone, such as https://shop.example"
                )

    def check_k(self, k: int) -> None:
        """Refuse to answer a request with too many hits.

        Raises:
            InputError: If it asks for more than ``max_k``.
        """
        if k > self.max_k:
            raise InputError(f"k = {k} hits: this service answers with at most {self.max_k:,}")

    @property
    def on_loopback(self) -> bool:
        """Whether only this machine can reach the service."""
        return is_loopback(self.host)


def is_loopback(host: str) -> bool:
    """Whether a host is this machine and can be nothing else."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
