"""Encoders in other processes give what those of this process do."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest

import lookalike
from lookalike.encoders.base import Encoder
from lookalike.encoders.registry import load_encoder
from lookalike.encoders.spec import EncoderSpec
from lookalike.errors import EncoderError, InputError
from lookalike.images.decode import decode
from lookalike.service.remote_encoders import (
    AHEAD,
    TOGETHER,
    About,
    Encoded,
    Failed,
    Pixels,
    RemoteEncoder,
    RemoteEncoders,
    Texts,
)


class Elsewhere:
    """A network that is reached by calls, run by the encoder of this process."""

    def __init__(self, encoder: Encoder) -> None:
        self.encoder = encoder
        self.begun: list[int] = []
        self.abouts = 0

    def about(self, spec: EncoderSpec) -> About | Failed:
        self.abouts += 1
        if spec.fingerprint != self.encoder.spec.fingerprint:
            return Failed("encoder", f"there is no {spec.name}")
        return About(self.encoder.labels, self.encoder.has_text)

    def encode(self, spec: EncoderSpec, pixels: list[Pixels], *, spatial: bool) -> Answer:  # noqa: ARG002
        self.begun.append(len(pixels))
        return Answer(self.encoder, pixels, spatial)

    def encode_text(self, spec: EncoderSpec, texts: Sequence[str]) -> Texts:  # noqa: ARG002
        raise AssertionError("it has no texts")


class Answer:
    def __init__(self, encoder: Encoder, pixels: list[Pixels], spatial: bool) -> None:
        self._work = lambda: list(encoder.encode(pixels, spatial=spatial))

    def result(self) -> Encoded:
        try:
            return self._work()
        except InputError as error:
            return Failed("input", str(error))


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    return load_encoder("efficientnet-lite0", threads=1)


@pytest.fixture
def pixels(encoder: Encoder, sample: Path) -> list[Pixels]:
    photos = sorted((sample / "customer").glob("*.jpg"))[:3]
    return [encoder.prepare(decode(each.read_bytes()).pixels) for each in photos]


def test_vectors_maps_and_logits_are_the_same(encoder: Encoder, pixels: list[Pixels]) -> None:
    remote = RemoteEncoder(encoder.spec, Elsewhere(encoder))
    for here, there in zip(
        encoder.encode(pixels, spatial=True), remote.encode(pixels, spatial=True), strict=True
    ):
        np.testing.assert_array_equal(here.raw_embedding, there.raw_embedding)
        np.testing.assert_array_equal(here.logits, there.logits)
        np.testing.assert_array_equal(here.spatial, there.spatial)
        assert remote.words(there.logits) == encoder.words(here.logits)  # type: ignore[arg-type]


def test_pictures_are_prepared_here_as_there(encoder: Encoder, sample: Path) -> None:
    image = decode(min((sample / "customer").glob("*.jpg")).read_bytes()).pixels
    remote = RemoteEncoder(encoder.spec, Elsewhere(encoder))
    np.testing.assert_array_equal(remote.prepare(image), encoder.prepare(image))


def test_a_stream_is_sent_in_parts_a_few_ahead(encoder: Encoder, pixels: list[Pixels]) -> None:
    elsewhere = Elsewhere(encoder)
    read = 0

    def stream() -> Iterator[Pixels]:
        nonlocal read
        for number in range(10 * TOGETHER):
            read += 1
            yield pixels[number % 3]

    encodings = RemoteEncoder(encoder.spec, elsewhere).encode(stream())
    first = next(encodings)
    assert read == AHEAD * TOGETHER
    assert elsewhere.begun == [TOGETHER] * AHEAD
    np.testing.assert_array_equal(first.raw_embedding, next(iter(encoder.encode(pixels[:1]))).raw_embedding)
    encodings.close()  # type: ignore[attr-defined]


def test_errors_there_are_errors_here(encoder: Encoder) -> None:
    remote = RemoteEncoder(encoder.spec, Elsewhere(encoder))
    with pytest.raises(InputError, match="is not prepared"):
        list(remote.encode([np.zeros((2, 2, 3), np.uint8)]))
    with pytest.raises(InputError, match="no text tower"):
        remote.encode_text(["a chair"])
    other = load_encoder("efficientnet-lite0", pooling="gem", threads=1)
    with pytest.raises(EncoderError, match="there is no"):
        RemoteEncoder(other.spec, Elsewhere(encoder))


def test_threads_that_ask_at_once_share_one_encoder_of_a_fingerprint(encoder: Encoder) -> None:
    elsewhere = Elsewhere(encoder)
    encoders = RemoteEncoders(elsewhere)
    found: list[Encoder] = []
    threads = [threading.Thread(target=lambda: found.append(encoders(encoder.spec))) for _ in range(8)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert len(set(map(id, found))) == elsewhere.abouts == 1


def test_a_collection_searches_with_an_encoder_that_is_elsewhere(
    encoder: Encoder, shop_folder: Path, sample: Path
) -> None:
    photo = min((sample / "customer").glob("*.jpg"))
    with lookalike.open(shop_folder) as shop:
        expected = shop.search(photo, k=5)
    elsewhere = Elsewhere(encoder)
    with lookalike.open(shop_folder, load=RemoteEncoders(elsewhere)) as shop:
        found = shop.search(photo, k=5)
    assert [(hit.id, hit.score) for hit in found] == [(hit.id, hit.score) for hit in expected]
    assert elsewhere.begun == [1]
