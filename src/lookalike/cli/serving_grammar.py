"""Grammar of `lookalike serve` and `lookalike keys`."""

from __future__ import annotations

import argparse

from lookalike.cli.grammar import Commands, command, group

DESCRIPTION = """\
serve collections: a REST service and a web page; only to this machine unless told otherwise"""


def add(commands: Commands) -> None:
    """Add them."""
    _serve(commands)
    keys = group(commands, "keys", "make, list and revoke the API keys of a service")
    _create(keys)
    _list(keys)
    _revoke(keys)


def _serve(commands: Commands) -> None:
    parser = command(commands, "serve", "serving:serve", DESCRIPTION)
    parser.add_argument(
        "collections",
        nargs="+",
        metavar="COLLECTION",
        help="path of a collection, or NAME=PATH to choose the name under which it is served",
    )
    parser.add_argument(
        "--host", default="127.0.0.1", help="where to listen; 0.0.0.0: every address of this machine"
    )
    parser.add_argument("--port", type=int, default=8000, help="default: 8000; 0: any that is free")
    _add_keys(parser)
    parser.add_argument(
        "--allow-origin",
        action="append",
        default=[],
        metavar="ORIGIN",
        help="a web origin (https://shop.example) whose pages may call the service; may be repeated",
    )
    parser.add_argument(
        "--allow-host",
        action="append",
        default=[],
        metavar="NAME",
        help="a name by which the service is reached, such as that of a proxy; may be repeated",
    )
    parser.add_argument(
        "--allow-private-urls",
        action="store_true",
        help="fetch pictures also from addresses of this machine and its network; whoever may write can then make the "
        "service ask the machines around it",
    )
    parser.add_argument("--create", action="store_true", help="make collections that do not exist")
    _add_limits(parser)
    _add_replicas(parser)
    parser.add_argument(
        "--telemetry",
        action="store_true",
        help="send traces and metrics by OpenTelemetry (OTEL_... variables)",
    )


def _add_limits(parser: argparse.ArgumentParser) -> None:
    limits = parser.add_argument_group("limits")
    limits.add_argument(
        "--queue", type=int, metavar="N", help="requests under way; others get 503 at once (default: 64)"
    )
    limits.add_argument(
        "--workers", type=int, metavar="N", help="threads of requests (default: one for each core)"
    )
    limits.add_argument(
        "--batch-size", type=int, metavar="N", help="pictures of different clients in one batch (default: 16)"
    )
    limits.add_argument(
        "--batch-wait", type=float, metavar="MS", help="longest wait of a batch for others (default: 4 ms)"
    )
    limits.add_argument("--time-limit", type=float, metavar="S", help="of a request, seconds (default: 30)")
    limits.add_argument("--max-upload", type=float, metavar="MIB", help="of one request (default: 64)")
    limits.add_argument("--max-k", type=int, metavar="N", help="most hits of one request (default: 1000)")
    limits.add_argument(
        "--requests-per-minute",
        type=int,
        metavar="N",
        help="of one key, pictures not counted (default: no limit)",
    )
    limits.add_argument(
        "--drain", type=float, metavar="S", help="how long requests may go on when it ends (default: 20)"
    )


def _add_replicas(parser: argparse.ArgumentParser) -> None:
    replicas = parser.add_argument_group("replicas")
    replicas.add_argument(
        "--on",
        metavar="RAY",
        help="serve by processes of a Ray cluster: ray (this machine, or the cluster that RAY_ADDRESS names) or "
        "ray://HOST:PORT; limits are then of each replica",
    )
    replicas.add_argument(
        "--replicas", metavar="N", help="processes that answer, such as 4 or 2-8 (default: 2)"
    )
    replicas.add_argument(
        "--encoders", metavar="N", help="processes that hold the networks, such as 2 or 1-4 (default: 1)"
    )
    replicas.add_argument(
        "--replica-cpus", type=float, metavar="N", help="cores planned for each replica (default: 0.25)"
    )
    replicas.add_argument(
        "--encoder-cpus", type=float, metavar="N", help="cores, and threads, of each encoder (default: 1)"
    )
    replicas.add_argument(
        "--encoder-gpus", type=float, metavar="N", help="GPUs of each encoder, such as 1 or 0.5 (default: 0)"
    )


def _add_keys(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--keys",
        metavar="FILE",
        help="the file of API keys (default: $LOOKALIKE_KEYS, or keys.json in the user's configuration folder)",
    )


def _create(keys: Commands) -> None:
    parser = command(keys, "create", "serving:create_key", "make a key and show it, this once")
    parser.add_argument("name", metavar="NAME", help="who or what will use it")
    parser.add_argument(
        "--scope",
        choices=("read", "write", "admin"),
        default="read",
        help="read: search and look; write: change items; admin: everything (default: read)",
    )
    parser.add_argument(
        "--collection",
        action="append",
        metavar="NAME",
        help="only for the collection served under this name; may be repeated",
    )
    parser.add_argument(
        "--expires", metavar="WHEN", help="after so many hours, days or weeks (12h, 90d, 4w), or on a date"
    )
    parser.add_argument("--requests-per-minute", type=int, metavar="N", help="a limit of its own")
    _add_keys(parser)


def _list(keys: Commands) -> None:
    _add_keys(command(keys, "list", "serving:list_keys", "list keys, without their secrets"))


def _revoke(keys: Commands) -> None:
    parser = command(
        keys, "revoke", "serving:revoke_key", "revoke a key; it opens nothing from the next request on"
    )
    parser.add_argument("key", metavar="NAME|ID")
    _add_keys(parser)
