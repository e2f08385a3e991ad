"""Traces by OpenTelemetry."""

from __future__ import annotations

from importlib.machinery import ModuleSpec

import pytest
from opentelemetry import trace
from starlette.testclient import TestClient

from lookalike.errors import MissingExtra
from lookalike.service import telemetry
from lookalike.service.app import create_app
from lookalike.service.settings import ServiceSettings
from lookalike.service.telemetry import telemetry_config


def test_wanting_it_without_what_sends_it_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(telemetry, "find_spec", lambda _: None)
    with pytest.raises(MissingExtra, match=r"pip install 'lookalike\[otel\]'"):
        telemetry_config(ServiceSettings(telemetry=True))


def test_nothing_is_traced_unless_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not any(telemetry_config(ServiceSettings()).get(each) for each in ("tracing", "metrics", "logs"))
    monkeypatch.setattr(telemetry, "find_spec", lambda name: ModuleSpec(name, None))
    wanted = telemetry_config(ServiceSettings(telemetry=True))
    assert (wanted["tracing"], wanted["metrics"], wanted["logs"]) == (True, True, False)


def test_a_trace_says_the_route_and_neither_ids_nor_queries(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("opentelemetry.sdk", reason="opentelemetry-sdk is not installed")
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

    kept = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(kept))
    monkeypatch.setattr(trace, "get_tracer_provider", lambda: provider)
    monkeypatch.setattr(
        "lookalike.service.app.telemetry_config",
        lambda _: {"tracing": True, "metrics": False, "logs": False, "auto_configure": False},
    )
    client = TestClient(create_app({}))
    client.get("/v1/collections/shop/items/secret-id?where=secret-query")
    client.get("/v1/secret-id")
    spans = kept.get_finished_spans()
    assert any(span.name == "GET /v1/collections/{collection}/items/{id}" for span in spans)
    assert "secret" not in "".join(span.to_json() for span in spans)
