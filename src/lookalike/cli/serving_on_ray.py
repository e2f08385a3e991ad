"""``lookalike serve --on``."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from lookalike.cli.grammar import DONE
from lookalike.cli.output import print_json
from lookalike.cli.serving import document, show
from lookalike.service.replica_scale import Count, Scale
from lookalike.service.serving_on_ray import ServingOnRay, serve_on_ray
from lookalike.service.settings import ServiceSettings

WORKERS = 16
"""Threads of a replica: they wait for the encoders most of the time, so cores do not bound them."""


def serve(options: argparse.Namespace, paths: Mapping[str, str], settings: ServiceSettings) -> int:
    """Serve collections by processes of a Ray cluster until told to end."""
    if options.workers is None:
        settings = replace(settings, workers=WORKERS)
    if settings.keys is not None:
        settings = replace(settings, keys=settings.keys.absolute())

    def announce(serving: ServingOnRay) -> None:
        if options.json:
            print_json({**document(serving), **_processes(serving)})
            return
        show(serving)
        scale = serving.scale
        print(
            f"on         {serving.on}: {scale.replicas} replicas, {scale.encoders} encoders, 1 with the jobs"
        )

    absolute = {name: path if "://" in path else str(Path(path).absolute()) for name, path in paths.items()}
    serve_on_ray(
        absolute, settings, scale_of(options), on=options.on, create=options.create, announce=announce
    )
    return DONE


def scale_of(options: argparse.Namespace) -> Scale:
    """How many processes the options ask for.

    Raises:
        InputError: If they cannot be.
    """
    given: dict[str, Any] = {
        name: Count.parse(getattr(options, name), f"--{name}")
        for name in ("replicas", "encoders")
        if getattr(options, name) is not None
    }
    for name in ("replica_cpus", "encoder_cpus", "encoder_gpus"):
        if getattr(options, name) is not None:
            given[name] = getattr(options, name)
    return Scale(**given)


def _processes(serving: ServingOnRay) -> dict[str, object]:
    return {
        "on": serving.on,
        "replicas": str(serving.scale.replicas),
        "encoders": str(serving.scale.encoders),
    }
