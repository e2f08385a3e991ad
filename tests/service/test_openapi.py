"""The OpenAPI document against the service that it describes: whatever it allows, nothing breaks."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import schemathesis
from fastapi import FastAPI
from hypothesis import HealthCheck, Phase, given, settings
from starlette.testclient import TestClient

import lookalike
from lookalike.service.app import create_app
from small_shop import copied_shop

EXAMPLES = 6
"""Requests of each operation."""


@pytest.fixture
def app(tmp_path_factory: pytest.TempPathFactory, tmp_path: Path) -> Iterator[FastAPI]:
    with lookalike.open(copied_shop(tmp_path_factory.getbasetemp(), tmp_path)) as shop:
        served = create_app({"shop": shop})
        with TestClient(served):
            yield served


def test_no_request_that_the_document_allows_is_a_server_error(app: FastAPI) -> None:
    schema = schemathesis.openapi.from_asgi("/openapi.json", app)
    operations = [found.ok() for found in schema.get_all_operations()]
    assert len(operations) > 60
    asked = 0
    for operation in operations:

        @settings(
            max_examples=EXAMPLES,
            deadline=None,
            derandomize=True,
            database=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(case=operation.as_strategy())
        def ask(case: schemathesis.Case) -> None:
            nonlocal asked
            if "collection" in case.path_parameters:
                case.path_parameters["collection"] = "shop"
            answer = case.call()
            asked += 1
            # 501: this machine lacks an extra; 503: one of the jobs that were asked for holds the collection
            assert answer.status_code < 500 or answer.status_code in (501, 503), answer.text

        ask()
    assert asked > 2 * len(operations)
