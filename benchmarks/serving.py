"""The service under load on the loopback: searches by uploaded photo, latency by clients, and ten times too much.

The service is a process of its own (``lookalike serve``) and so is this one; both share the machine's cores. Clients
keep their connections and send the next photo when the last one is answered (closed loop). Too much is an open loop:
requests arrive at ten times the rate that was measured, whether or not earlier ones were answered, and what comes back
is counted for a client that takes no for an answer.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import random
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from benchmarks.report import keep

BOUNDARY = "benchmark-boundary"
CLIENTS = (1, 8, 32)
OVERLOAD = 10
MOST_CONNECTIONS = 400


@dataclass
class Tally:
    """What came back."""

    served: list[float] = field(default_factory=list)
    refused: list[float] = field(default_factory=list)
    other: list[int] = field(default_factory=list)
    unsent: int = 0

    def count(self, status: int, seconds: float) -> None:
        """Add one answer."""
        if status == 200:
            self.served.append(seconds)
        elif status == 503:
            self.refused.append(seconds)
        else:
            self.other.append(status)


class Connection:
    """One kept connection; the least that a client has to do, so that it is the service that is measured."""

    def __init__(self, host: str, port: int) -> None:
        self._place = (host, port)
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def ask(self, request: bytes) -> tuple[int, float]:
        """Send one request; its status, and seconds to the end of its answer."""
        began = time.perf_counter()
        if self._streams is None:
            self._streams = await asyncio.open_connection(*self._place)
        reader, writer = self._streams
        writer.write(request)
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
        length = head.partition("content-length: ")[2].partition("\r\n")[0]
        await reader.readexactly(int(length))
        seconds = time.perf_counter() - began
        if "connection: close" in head:
            self.close()
        return int(head.split(" ", 2)[1]), seconds

    def close(self) -> None:
        """Let go of it."""
        if self._streams is not None:
            self._streams[1].close()
            self._streams = None


@contextmanager
def served(collection: str, *options: str) -> Iterator[tuple[str, int, str]]:
    """``lookalike serve`` in a process of its own: host, port, name of the collection."""
    command = [sys.executable, "-m", "lookalike", "serve", collection, "--port", "0", "--json", *options]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    assert process.stdout is not None
    try:
        text = ""
        while not text.endswith("\n}\n"):
            line = process.stdout.readline()
            if not line:
                raise SystemExit(f"the service did not start: {' '.join(command)}")
            text += line
        document = json.loads(text)
        url = urlsplit(document["url"])
        yield str(url.hostname), int(url.port or 0), document["collections"][0]["name"]
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)
        process.stdout.close()


def requests(photos: list[Path], host: str, port: int, name: str) -> list[bytes]:
    """A search for each photo, as bytes on the wire."""
    made = []
    for photo in photos:
        body = (
            f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="k"\r\n\r\n12\r\n--{BOUNDARY}\r\n'
            'Content-Disposition: form-data; name="image"; filename="photo.jpg"\r\nContent-Type: image/jpeg\r\n\r\n'
        ).encode()
        body += photo.read_bytes() + f"\r\n--{BOUNDARY}--\r\n".encode()
        head = (
            f"POST /v1/collections/{name}/search HTTP/1.1\r\nHost: {host}:{port}\r\nContent-Length: {len(body)}\r\n"
            f"Content-Type: multipart/form-data; boundary={BOUNDARY}\r\n\r\n"
        )
        made.append(head.encode() + body)
    return made


async def closed_loop(place: tuple[str, int], asked: list[bytes], clients: int, seconds: float) -> Tally:
    """So many clients, each of which asks again when it was answered."""
    tally = Tally()
    until = time.perf_counter() + seconds
    order = itertools.cycle(asked)

    async def client() -> None:
        connection = Connection(*place)
        while time.perf_counter() < until:
            tally.count(*await connection.ask(next(order)))
        connection.close()

    await asyncio.gather(*(client() for _ in range(clients)))
    return tally


async def open_loop(place: tuple[str, int], asked: list[bytes], rate: float, seconds: float) -> Tally:
    """So many requests a second (Poisson), answered or not; counted are those answered within the time."""
    tally = Tally()
    chance = random.Random(0)
    idle: list[Connection] = []
    under_way: set[asyncio.Task[None]] = set()
    began = time.perf_counter()

    async def one(request: bytes) -> None:
        connection = idle.pop() if idle else Connection(*place)
        status, took = await connection.ask(request)
        idle.append(connection)
        if time.perf_counter() < began + seconds:
            tally.count(status, took)

    due = began
    for request in itertools.cycle(asked):
        due += chance.expovariate(rate)
        if due > began + seconds:
            break
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        if len(under_way) >= MOST_CONNECTIONS:
            tally.unsent += 1
            continue
        task = asyncio.create_task(one(request))
        under_way.add(task)
        task.add_done_callback(under_way.discard)
    await asyncio.gather(*under_way)
    for connection in idle:
        connection.close()
    return tally


def row(batching: str, what: str, tally: Tally, seconds: float) -> dict[str, object]:
    """One line of the table."""
    return {
        "batching": batching,
        "load": what,
        "answered/s": round(len(tally.served) / seconds, 1),
        **{f"p{p}, ms": _ms(tally.served, p) for p in (50, 95, 99)},
        "refused/s": round(len(tally.refused) / seconds, 1),
        "refusal p50, ms": _ms(tally.refused, 50),
        "refusal p99, ms": _ms(tally.refused, 99),
        "other": len(tally.other),
        "not sent": tally.unsent,
    }


def _ms(times: list[float], percent: int) -> float | str:
    if len(times) < 2:
        return ""
    return round(1e3 * statistics.quantiles(times, n=100, method="inclusive")[percent - 1], 1)


def measure(options: argparse.Namespace, batching: str, *settings: str) -> list[dict[str, object]]:
    """All loads on one service."""
    photos = sorted(
        path for path in Path(options.photos).iterdir() if path.suffix.lower() in (".jpg", ".jpeg")
    )
    rows = []
    with served(options.collection, *settings) as (host, port, name):
        asked = requests(photos[: options.most_photos], host, port, name)
        place = (host, port)
        asyncio.run(closed_loop(place, asked, 4, 2.0))  # loads the encoder, fills caches
        capacity = 0.0
        for clients in CLIENTS:
            tally = asyncio.run(closed_loop(place, asked, clients, options.seconds))
            rows.append(row(batching, f"{clients} clients", tally, options.seconds))
            capacity = max(capacity, len(tally.served) / options.seconds)
            print(rows[-1], flush=True)
        tally = asyncio.run(open_loop(place, asked, OVERLOAD * capacity, options.seconds))
        rows.append(row(batching, f"{OVERLOAD} x {capacity:.0f}/s arriving", tally, options.seconds))
        print(rows[-1], flush=True)
        print(
            f"goodput under {OVERLOAD} x the load: {len(tally.served) / options.seconds / capacity:.0%} of capacity"
        )
    return rows


def main() -> None:
    """Serve a collection with and without batching and load it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("collection", help="path of a collection")
    parser.add_argument("photos", help="folder of JPEG photos to search with")
    parser.add_argument("--seconds", type=float, default=15.0, help="of each load")
    parser.add_argument("--most-photos", type=int, default=100)
    options = parser.parse_args()
    rows = measure(options, "no", "--batch-size", "1")
    rows += measure(options, "yes")
    keep("serving", rows, seconds_each=options.seconds)


if __name__ == "__main__":
    main()
