"""Encoders as a deployment of Ray Serve, and how replicas call them."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from ray.exceptions import RayActorError
from ray.serve.exceptions import BackPressureError
from ray.serve.handle import DeploymentHandle, DeploymentResponse

from lookalike.encoders.base import Encoder
from lookalike.encoders.registry import encoder_from_spec
from lookalike.encoders.spec import EncoderSpec
from lookalike.errors import InputError, LookalikeError
from lookalike.ingest.ray_machines import unused_gpus
from lookalike.service import logs
from lookalike.service.batching import SharedEncoders
from lookalike.service.metrics import Metrics
from lookalike.service.problems import Refused
from lookalike.service.remote_encoders import About, Encoded, Failed, Pixels, Texts
from lookalike.service.replica_metrics import Families, own_name
from lookalike.service.settings import ServiceSettings

T = TypeVar("T")

ATTEMPTS = 3
"""How often pictures are sent to an encoder; each time it was killed before it answered."""

CALLS_AT_A_TIME = 32
"""That an encoder takes: two full batches."""

LOADING_SECONDS = 300.0
"""How long an encoder may take to load a network that it was not started with."""

RETRY_SECONDS = 2
_LATER = {"Retry-After": str(RETRY_SECONDS)}

_log = logging.getLogger(__name__)


class EncoderReplica:
    """Holds networks, and joins the pictures of all replicas into one stream through each.

    Args:
        specs: Of the networks to load at once; others are loaded when they are asked for.
        settings: How batches are made.
        threads: CPU threads of a network.
        gpus: GPUs that are kept for it, or the part of one.
    """

    def __init__(self, specs: Sequence[str], settings: ServiceSettings, threads: int, gpus: float) -> None:
        logs.configure()
        self._threads = threads
        self._shared = SharedEncoders(settings.batch_size, settings.batch_wait)
        self._metrics = Metrics()
        self._shared.observe(self._metrics.embedded)
        self._pool = ThreadPoolExecutor(CALLS_AT_A_TIME, thread_name_prefix="lookalike-encoder")
        for spec in specs:
            try:
                unused = unused_gpus(gpus, self._encoder(spec))
            except LookalikeError as error:  # who asks for it is told; the other networks work
                _log.warning("an encoder cannot be loaded: %s", error)
            else:
                if unused:
                    _log.warning("GPUs are kept for nothing: %s", unused)

    async def about(self, spec: str) -> About | Failed:
        """What is known of a network."""

        def look() -> About:
            encoder = self._encoder(spec)
            return About(encoder.labels, encoder.has_text)

        return await self._run(look)

    async def encode(self, spec: str, pixels: list[Pixels], spatial: bool) -> Encoded:
        """Encode prepared pictures."""
        return await self._run(lambda: list(self._encoder(spec).encode(pixels, spatial=spatial)))

    async def encode_text(self, spec: str, texts: Sequence[str]) -> Texts:
        """Raw embeddings of texts."""
        return await self._run(lambda: self._encoder(spec).encode_text(texts))

    async def figures(self) -> tuple[str, Families]:
        """This process, and what it has counted."""
        return own_name(), self._metrics.families()

    def _encoder(self, spec: str) -> Encoder:
        return self._shared(encoder_from_spec(EncoderSpec.from_json(spec), threads=self._threads))

    async def _run(self, work: Callable[[], T]) -> T | Failed:
        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, work)
        except InputError as error:
            return Failed("input", str(error))
        except LookalikeError as error:
            return Failed("encoder", str(error))


class _Sent:
    """A call to an encoder, sent again when the process that had it is gone.

    Args:
        send: Sends it.
        seconds: How long one attempt may take.
    """

    def __init__(self, send: Callable[[], DeploymentResponse[Any]], seconds: float) -> None:
        self._send = send
        self._seconds = seconds
        self._response = send()

    def result(self) -> Any:
        for attempt in range(1, ATTEMPTS + 1):
            try:
                return self._response.result(timeout_s=self._seconds)
            except RayActorError:
                if attempt == ATTEMPTS:
                    break
                self._response = self._send()
            except BackPressureError:
                raise Refused(
                    "busy",
                    f"more pictures wait for the encoders than may: ask again in {RETRY_SECONDS} s",
                    headers=_LATER,
                ) from None
            except TimeoutError:
                self._response.cancel()
                raise Refused(
                    "time-limit", f"the encoders did not answer within {self._seconds:g} s: ask again later"
                ) from None
        raise Refused(
            "busy",
            f"{ATTEMPTS} encoders ended before they answered: ask again in {RETRY_SECONDS} s",
            headers=_LATER,
        )


class ServeNetwork:
    """The encoders as :class:`lookalike.service.remote_encoders.Network`, by way of Ray Serve. Safe on any thread.

    Args:
        handle: Of the encoders.
        seconds: How long a call may take.
    """

    def __init__(self, handle: DeploymentHandle[Any], seconds: float) -> None:
        self._handle = handle
        self._seconds = seconds

    def about(self, spec: EncoderSpec) -> About | Failed:
        """What is known of a spec's network."""
        json = spec.to_json()
        answer: About | Failed = _Sent(lambda: self._handle.about.remote(json), LOADING_SECONDS).result()
        return answer

    def encode(self, spec: EncoderSpec, pixels: list[Pixels], *, spatial: bool) -> _Sent:
        """Send prepared pictures; returns at once."""
        json = spec.to_json()
        return _Sent(lambda: self._handle.encode.remote(json, pixels, spatial), self._seconds)

    def encode_text(self, spec: EncoderSpec, texts: Sequence[str]) -> Texts:
        """Raw embeddings of texts."""
        json = spec.to_json()
        answer: Texts = _Sent(
            lambda: self._handle.encode_text.remote(json, list(texts)), self._seconds
        ).result()
        return answer
