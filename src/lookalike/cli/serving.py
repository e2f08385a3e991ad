"""``lookalike serve`` and ``lookalike keys``."""

from __future__ import annotations

import argparse
import os
import re
import sys
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from lookalike.cli.grammar import DONE, UsageError
from lookalike.cli.output import print_json, print_table
from lookalike.service.keys import KeyFile, default_path
from lookalike.service.settings import ServiceSettings, is_loopback

if TYPE_CHECKING:
    from lookalike.service.server import Serving
    from lookalike.service.serving_on_ray import ServingOnRay

KEYS_VARIABLE = "LOOKALIKE_KEYS"

ON_RAY = ("replicas", "encoders", "replica_cpus", "encoder_cpus", "encoder_gpus")
"""Options that need --on."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_SPAN = re.compile(r"([1-9][0-9]{0,4})([hdw])")
_UNITS = {"h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}


def serve(options: argparse.Namespace) -> int:
    """Serve collections until told to end."""
    paths = named(options.collections)
    settings = _settings(options)
    if options.on is not None:
        from lookalike.cli import serving_on_ray

        return serving_on_ray.serve(options, paths, settings)
    refuse_without_on(options)
    from lookalike.service import server

    def announce(serving: Serving) -> None:
        if options.json:
            print_json(document(serving))
        else:
            show(serving)

    server.serve(paths, settings, create=options.create, announce=announce)
    return DONE


def refuse_without_on(options: argparse.Namespace) -> None:
    """Refuse what only a cluster can do.

    Raises:
        UsageError: If it was asked for.
    """
    asked = [name for name in ON_RAY if getattr(options, name) is not None]
    if asked:
        raise UsageError(
            f"lookalike serve: --{asked[0].replace('_', '-')} is of a service on a cluster: give --on ray too"
        )


def named(given: Sequence[str]) -> dict[str, str]:
    """Paths of collections by the names under which they are served: ``NAME=PATH``, or the folder's own.

    Raises:
        UsageError: If a name cannot stand in an address, or is there twice.
    """
    paths: dict[str, str] = {}
    for each in given:
        name, equals, place = each.partition("=")
        if not equals or not _NAME.fullmatch(name) or Path(each).exists():
            name, place = _own_name(each), each
        if not _NAME.fullmatch(name):
            raise UsageError(
                f"lookalike serve: {name!r} cannot stand in an address: choose another name with NAME={place}"
            )
        if name in paths:
            raise UsageError(
                f"lookalike serve: two collections are called {name}, {paths[name]} and {place}: choose other names "
                "with NAME=PATH"
            )
        paths[name] = place
    return paths


def _settings(options: argparse.Namespace) -> ServiceSettings:
    given = {
        "queue": options.queue,
        "workers": options.workers,
        "batch_size": options.batch_size,
        "batch_wait": None if options.batch_wait is None else options.batch_wait / 1000,
        "time_limit": options.time_limit,
        "max_upload_bytes": None if options.max_upload is None else int(options.max_upload * 2**20),
        "max_k": options.max_k,
        "requests_per_minute": options.requests_per_minute,
        "drain_seconds": options.drain,
    }
    keys = _given_keys(options)
    if keys is None and not is_loopback(options.host):
        keys = default_path()
    return ServiceSettings(
        host=options.host,
        port=options.port,
        keys=keys,
        allowed_origins=tuple(options.allow_origin),
        allowed_hosts=tuple(options.allow_host),
        telemetry=options.telemetry,
        allow_private_urls=options.allow_private_urls,
        **{name: value for name, value in given.items() if value is not None},
    )


def _own_name(place: str) -> str:
    """What a collection is called by its folder or URL."""
    last = place.rstrip("/").rpartition("/")[2] if "://" in place else Path(place).resolve().name
    return last.removesuffix(".lookalike").removesuffix(".lance")


def _given_keys(options: argparse.Namespace) -> Path | None:
    given = options.keys or os.environ.get(KEYS_VARIABLE)
    return Path(given) if given else None


def document(serving: Serving | ServingOnRay) -> dict[str, object]:
    """What is served, as plain types."""
    return {
        "url": serving.url,
        "docs": f"{serving.url}/docs",
        "pid": os.getpid(),
        "keys": None if serving.settings.keys is None else str(serving.settings.keys),
        "collections": [
            {"name": name, "path": each.path, "items": len(each)}
            for name, each in serving.collections.items()
        ],
    }


def show(serving: Serving | ServingOnRay) -> None:
    """Print what is served."""
    rows = [(name, f"{len(each):,}", each.path) for name, each in serving.collections.items()]
    print_table("collections", ["name", "items", "path"], rows, right=["items"])
    print(f"page       {serving.url}")
    print(f"reference  {serving.url}/docs")
    if serving.settings.keys is None:
        print(
            "\nOnly this machine can reach it. To open it to others, make a key and name an address to listen on:\n"
            "  lookalike keys create NAME --scope read\n"
            "  lookalike serve ... --host 0.0.0.0"
        )
    else:
        print(f"\nEvery request needs one of the keys in {serving.settings.keys}.")
    if not serving.settings.on_loopback:
        print("Without TLS, keys and pictures travel in the clear: put a proxy with a certificate before it.")
    print("Ctrl+C ends it when what is under way is done; a second Ctrl+C at once.", flush=True)


def create_key(options: argparse.Namespace) -> int:
    """Make a key and show it, this once."""
    file = _file(options)
    token, key = file.create(
        options.name,
        scope=options.scope,
        collections=options.collection,
        expires=None if options.expires is None else moment_of(options.expires, datetime.now(UTC)),
        requests_per_minute=options.requests_per_minute,
    )
    if options.json:
        print_json({"token": token, **key.to_dict(), "file": str(file.path)})
        return DONE
    print(token)
    which = "all collections" if key.collections is None else ", ".join(key.collections)
    print(
        f"{key.name}: scope {key.scope}, for {which}; kept (as a hash) in {file.path}.\n"
        "This is the only time that it is shown. Send it as: Authorization: Bearer KEY",
        file=sys.stderr,
    )
    return DONE


def moment_of(text: str, now: datetime) -> datetime:
    """When a key expires: after a span (``90d``), or at the end of a date.

    Raises:
        UsageError: If the text is neither.
    """
    if span := _SPAN.fullmatch(text):
        return now + int(span[1]) * _UNITS[span[2]]
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise UsageError(
            f"lookalike keys create: {text!r} is no end: expected a span such as 12h, 90d or 4w, or a date such as "
            "2030-12-31"
        ) from None
    if len(text) == len("2030-12-31"):
        moment += timedelta(days=1)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def list_keys(options: argparse.Namespace) -> int:
    """List keys, without their secrets."""
    file = _file(options)
    keys = file.all()
    if options.json:
        print_json({"file": str(file.path), "keys": [key.to_dict() for key in keys]})
        return DONE
    rows = [
        (
            key.id,
            key.name,
            key.scope,
            "all" if key.collections is None else ", ".join(key.collections),
            _day(key.created),
            "never" if key.expires is None else _day(key.expires),
            "" if key.last_used is None else f"{key.last_used.astimezone():%Y-%m-%d %H}h",
            "" if key.requests_per_minute is None else key.requests_per_minute,
        )
        for key in keys
    ]
    columns = ["id", "name", "scope", "collections", "created", "expires", "last used", "a minute"]
    print_table(f"{len(keys)} keys in {file.path}", columns, rows)
    return DONE


def revoke_key(options: argparse.Namespace) -> int:
    """Revoke a key."""
    key = _file(options).revoke(options.key)
    if options.json:
        print_json({"revoked": key.to_dict()})
    else:
        print(f"{key.name} ({key.id}) is revoked: it opens nothing from the next request on")
    return DONE


def _file(options: argparse.Namespace) -> KeyFile:
    return KeyFile(_given_keys(options) or default_path())


def _day(moment: datetime) -> str:
    return f"{moment.astimezone():%Y-%m-%d}"
