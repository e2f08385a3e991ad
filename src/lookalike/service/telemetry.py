"""Traces and metrics by OpenTelemetry, where somebody wants them: FastAPI's own, without what requests ask for."""

from __future__ import annotations

from importlib.util import find_spec

from fastapi.telemetry import TelemetryConfig
from opentelemetry import trace

from lookalike.errors import MissingExtra
from lookalike.service.settings import ServiceSettings


def telemetry_config(settings: ServiceSettings) -> TelemetryConfig:
    """FastAPI's settings: exporters as the environment says (``OTEL_EXPORTER_OTLP_ENDPOINT``), if wanted.

    Logs stay here: an error's message may name an item.

    Raises:
        MissingExtra: If it is wanted and what sends it is not installed.
    """
    if settings.telemetry and not (find_spec("opentelemetry.sdk") and find_spec("opentelemetry.exporter")):
        raise MissingExtra("sending traces and metrics", "otel")
    return {
        "tracing": settings.telemetry,
        "metrics": settings.telemetry,
        "logs": False,
        "auto_configure": settings.telemetry,
    }


def hide_address(route: str) -> None:
    """Let the running trace say a request's route in the place of its path, and nothing of its query: they hold ids."""
    span = trace.get_current_span()
    if span.is_recording():
        span.set_attribute("url.path", route)
        span.set_attribute("url.query", "")
