"""Which replica a request goes to, checked against the routes that there are."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.routing import iter_route_contexts
from test_every_route import ASKING

from lookalike.service.app import create_app
from lookalike.service.replica_routing import JOBS_PREFIX, belongs_to_jobs, is_repeatable, placed

FILLED = {"{collection}": "shop", "{name}": "colour", "{id}": "5f0c9a3b", "{label}": "0"}


def routes() -> Iterator[tuple[str, str, Any]]:
    """Method, template and route of everything that is served."""
    for context in iter_route_contexts(create_app({}).routes):
        route = context.original_route
        for method in sorted(getattr(route, "methods", None) or ()):
            yield method, context.path, route


def filled(template: str) -> str:
    for name, value in FILLED.items():
        template = template.replace(name, value)
    return template


def uses_jobs(route: Any) -> bool:
    if route.status_code == 202:
        return True
    text = inspect.getsource(route.endpoint)
    return ".jobs." in text or "ReadableJob" in text or "CancellableJob" in text or "FollowableJob" in text


def test_exactly_what_jobs_decide_goes_to_the_replica_with_the_jobs() -> None:
    wrong = [
        (method, template)
        for method, template, route in routes()
        if template.startswith("/v1/") and uses_jobs(route) != belongs_to_jobs(method, filled(template))
    ]
    assert wrong == []
    assert belongs_to_jobs("GET", "/metrics")


def test_exactly_what_changes_nothing_is_asked_again() -> None:
    for method, template, _ in routes():
        if method == "POST" and template.startswith("/v1/collections/"):
            asks = (method, template) in ASKING
            assert is_repeatable(method, filled(template)) == asks, template
        elif method in ("PUT", "PATCH", "DELETE") and template != "/v1/session":
            assert not is_repeatable(method, filled(template)), template
        elif method in ("GET", "HEAD"):
            assert is_repeatable(method, filled(template)), template


@pytest.mark.parametrize(
    "path", ["/v1/collections/shop/search\n", "/v1/collections/a/b/search", "/v1/collections/shop/searching"]
)
def test_an_address_that_only_looks_like_a_search_is_asked_once(path: str) -> None:
    assert not is_repeatable("POST", path)


def test_a_request_for_a_job_is_sent_below_the_prefix_and_the_original_stays() -> None:
    scope = {"method": "GET", "path": "/v1/jobs/1", "raw_path": b"/v1/jobs/1", "headers": []}
    inner = placed(scope)
    assert (inner["path"], inner["raw_path"]) == (
        f"{JOBS_PREFIX}/v1/jobs/1",
        f"{JOBS_PREFIX}/v1/jobs/1".encode(),
    )
    assert scope["path"] == "/v1/jobs/1"
    assert inner["headers"] is not scope["headers"]
