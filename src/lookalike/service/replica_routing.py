"""Which replica a request goes to, and whether it may be asked again when its replica ends before it answers.

What every replica can answer alone needs no agreement; what several requests have in common (jobs, and what follows
from the last one) has to be in one place. Nothing of the routes is imported here: this is also read by the proxies,
which run nothing else of the service.
"""

from __future__ import annotations

import re
from typing import Any, Final

REPLICAS, JOBS, ENCODERS = "lookalike", "lookalike-jobs", "lookalike-encoders"
"""Names of the applications on Ray Serve. The encoders are one of their own, so that they can end last."""

MARK: Final = "X-Served-By"
"""Field of an answer that a replica gave; one without it comes from a proxy, because there was none to give it."""

JOBS_PREFIX: Final = "/~jobs"
"""Where the one replica with the jobs is mounted. No collection's page or route begins with it."""

_COLLECTION = r"/v1/collections/[^/]+"
_STARTS = r"archive|urls|clusters|map|duplicates|review|recommender|classifiers|classifiers/[^/]+/apply"
_FROM_LAST_JOB = r"duplicates|review"
_ASKS = r"search|embed|explain|explain\.png|recommend|follow|classifiers/[^/]+/predict"

_WITH_JOBS = re.compile(
    rf"POST {_COLLECTION}/({_STARTS})|(GET|HEAD) {_COLLECTION}/({_FROM_LAST_JOB})"
    r"|(GET|HEAD|DELETE|OPTIONS) /v1/jobs(/.*)?|(GET|HEAD) /metrics"
)
_REPEATABLE = re.compile(rf"(GET|HEAD|OPTIONS) .*|POST {_COLLECTION}/({_ASKS})|(POST|DELETE) /v1/session")


def belongs_to_jobs(method: str, path: str) -> bool:
    """Whether the replica with the jobs has to answer."""
    return _WITH_JOBS.fullmatch(f"{method} {path}") is not None


def is_repeatable(method: str, path: str) -> bool:
    """Whether a request changes nothing, so that asking twice is as good as asking once.

    A search for a person or thing (``follow``) is noted in the log of searches each time it is made.
    """
    return _REPEATABLE.fullmatch(f"{method} {path}") is not None


def placed(scope: dict[str, Any]) -> dict[str, Any]:
    """The scope of a request as the proxy is to route it; a copy, with a list of headers of its own."""
    inner = {**scope, "headers": list(scope["headers"])}
    if belongs_to_jobs(scope["method"], scope["path"]):
        inner["path"] = JOBS_PREFIX + scope["path"]
        raw = scope.get("raw_path")
        inner["raw_path"] = None if raw is None else JOBS_PREFIX.encode() + raw
    return inner
