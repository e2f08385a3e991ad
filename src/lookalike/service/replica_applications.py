"""The three applications of a service on Ray Serve, and what has to be so before they start."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ray import serve
from ray.serve.config import AutoscalingConfig

import lookalike
from lookalike.errors import CollectionNotFound, InputError
from lookalike.service.replica_encoders import CALLS_AT_A_TIME, EncoderReplica
from lookalike.service.replica_scale import Count, Scale
from lookalike.service.replicas import ENCODER, JOBS_REPLICA, REPLICA, JobsReplica, Replica
from lookalike.service.server import require_keys
from lookalike.service.settings import ServiceSettings
from lookalike.store.milvus_address import shown

BUSY_ENCODER, BUSY_REPLICA = 4.0, 16.0
"""Calls under way for each beyond which there are to be more of them. A replica that waits for encoders does next to
nothing, so that more of it would not help; an encoder with four calls has as many pictures waiting as it works on."""

UP_SECONDS, DOWN_SECONDS = 5.0, 120.0
"""How long there has to be more to do before there are more, and less before there are fewer."""

BEYOND_QUEUE = 512
"""Requests that a replica is handed beside its queue: those for thumbnails and states, and those that it refuses, as
problem documents."""

HEALTH_SECONDS = 2.0
"""Between two looks whether a process lives."""

DRAIN_LOOKS_SECONDS = 0.2


@dataclass(frozen=True, slots=True)
class Served:
    """A collection that is about to be served.

    Args:
        path: Where it is.
        items: How many it has.
        spec: Of its encoder, as JSON.
    """

    path: str
    items: int
    spec: str

    def __len__(self) -> int:
        return self.items


def prepare(paths: Mapping[str, str], settings: ServiceSettings, create: bool) -> dict[str, Served]:
    """Look whether everything can be served, on a node of the cluster, before anything starts.

    Args:
        paths: Of the collections, by name.
        settings: Limits and access.
        create: Make collections that do not exist.

    Raises:
        InputError: If there is no key and there has to be one.
        LookalikeError: If a collection cannot be opened.
    """
    require_keys(settings)
    return {name: _look(path, create) for name, path in paths.items()}


def _look(path: str, create: bool) -> Served:
    try:
        collection = lookalike.open(path)
    except CollectionNotFound:
        if not create:
            raise CollectionNotFound(
                f"there is no collection at {shown(path)}: make one with `lookalike index`, or an empty one "
                "with --create"
            ) from None
        collection = lookalike.create(path)
    with collection:
        return Served(collection.path, len(collection), collection.spec.to_json())


def encoders(specs: list[str], settings: ServiceSettings, scale: Scale) -> serve.Application:
    """The application of the encoders."""
    deployment = serve.deployment(
        EncoderReplica,
        name=ENCODER,
        **_counted(scale.encoders, BUSY_ENCODER),
        ray_actor_options={"num_cpus": scale.encoder_cpus, "num_gpus": scale.encoder_gpus},
        max_ongoing_requests=CALLS_AT_A_TIME,
        max_queued_requests=settings.queue,
        **_lifetime(settings),
    )
    return deployment.bind(specs, settings, scale.encoder_threads, scale.encoder_gpus)


def replicas(paths: Mapping[str, str], settings: ServiceSettings, scale: Scale) -> serve.Application:
    """The application of the replicas that answer requests."""
    deployment = serve.deployment(
        Replica,
        name=REPLICA,
        **_counted(scale.replicas, BUSY_REPLICA),
        ray_actor_options={"num_cpus": scale.replica_cpus},
        max_ongoing_requests=settings.queue + BEYOND_QUEUE,
        **_lifetime(settings),
    )
    return deployment.bind(dict(paths), settings)


def jobs(paths: Mapping[str, str], settings: ServiceSettings, scale: Scale) -> serve.Application:
    """The application of the one replica with the jobs."""
    deployment = serve.deployment(
        JobsReplica,
        name=JOBS_REPLICA,
        num_replicas=1,
        ray_actor_options={"num_cpus": scale.replica_cpus},
        max_ongoing_requests=settings.queue + BEYOND_QUEUE,
        **_lifetime(settings),
    )
    return deployment.bind(dict(paths), settings)


def _counted(count: Count, busy: float) -> dict[str, Any]:
    if count.least == count.most:
        return {"num_replicas": count.least}
    scaling = AutoscalingConfig(
        min_replicas=count.least,
        max_replicas=count.most,
        target_ongoing_requests=busy,
        upscale_delay_s=UP_SECONDS,
        downscale_delay_s=DOWN_SECONDS,
    )
    return {"autoscaling_config": scaling}


def _lifetime(settings: ServiceSettings) -> dict[str, Any]:
    return {
        "graceful_shutdown_timeout_s": settings.drain_seconds,
        "graceful_shutdown_wait_loop_s": DRAIN_LOOKS_SECONDS,
        "health_check_period_s": HEALTH_SECONDS,
    }


# from a configuration file of Ray Serve (KubeRay's RayService): `import_path` names one of these


def encoders_from(given: dict[str, Any]) -> serve.Application:
    """The encoders, for ``import_path``; see :func:`read` for its ``args``."""
    paths, settings, scale = read(given)
    specs = {each.spec for each in prepare(paths, settings, create=False).values()}
    return encoders(sorted(specs), settings, scale)


def replicas_from(given: dict[str, Any]) -> serve.Application:
    """The replicas, for ``import_path``; see :func:`read` for its ``args``."""
    return replicas(*read(given))


def jobs_from(given: dict[str, Any]) -> serve.Application:
    """The replica with the jobs, for ``import_path``; see :func:`read` for its ``args``."""
    return jobs(*read(given))


def read(given: dict[str, Any]) -> tuple[dict[str, str], ServiceSettings, Scale]:
    """What ``args`` of a configuration file say.

    Args:
        given: ``collections``: paths by name; ``settings``: fields of :class:`ServiceSettings`; ``scale``: fields of
            :class:`Scale`, with ``replicas`` and ``encoders`` such as 4 or "2-8".

    Raises:
        InputError: If something is not known or cannot be.
    """
    unknown = set(given) - {"collections", "settings", "scale"}
    if unknown or not given.get("collections"):
        raise InputError(
            f"args of Ray Serve have {', '.join(sorted(given)) or 'nothing'}: expected collections (paths by name), "
            "and settings and scale where they are not the defaults"
        )
    settings, scale = dict(given.get("settings", {})), dict(given.get("scale", {}))
    if settings.get("keys") is not None:
        settings["keys"] = Path(settings["keys"])
    for name in ("allowed_origins", "allowed_hosts"):
        if name in settings:
            settings[name] = tuple(settings[name])
    for name in ("replicas", "encoders"):
        if name in scale:
            scale[name] = Count.parse(str(scale[name]), name)
    try:
        return dict(given["collections"]), ServiceSettings(**settings), Scale(**scale)
    except TypeError as error:
        raise InputError(f"args of Ray Serve cannot be read: {error}") from None
