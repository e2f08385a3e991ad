"""The service under load on the loopback: searches by uploaded photo, latency by clients, and ten times too much.

The service is a process of its own (``lookalike serve``) and so is this one; both share the machine's cores. Clients
keep their connections and send the next photo when the last one is answered (closed loop). Too much is an open loop:
requests arrive at ten times the rate that was measured, whether or not earlier ones were answered, and what comes back
is counted for a client that takes no for an answer.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
import statistics
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from benchmarks.report import keep
from lookalike.planning.load import Tally, closed_loop, open_loop, searches

CLIENTS = (1, 8, 32)
OVERLOAD = 10


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
        pictures = [path.read_bytes() for path in photos[: options.most_photos]]
        asked = searches(pictures, host, port, name)
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
