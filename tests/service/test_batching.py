"""Joining the pictures of requests that run at the same time."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

import lookalike
from lookalike.encoders.base import Encoder, Encoding
from lookalike.encoders.registry import load_encoder
from lookalike.errors import EncoderError, InputError
from lookalike.images.decode import decode
from lookalike.service.batching import BatchingEncoder, SharedEncoders
from lookalike.types import Image

Pixels = npt.NDArray[np.uint8]


class Recording(Encoder):
    """Answers with the first pixel; its first batch waits until the test lets it go."""

    def __init__(self, spec: Encoder) -> None:
        self.spec = spec.spec
        self.has_text = True
        self.batches: list[tuple[int, bool]] = []
        self.entered = threading.Event()
        self.go = threading.Event()

    def prepare(self, image: Image) -> Pixels:
        return image

    def encode(self, inputs: Iterable[Pixels], *, spatial: bool = False) -> Iterator[Encoding]:
        pictures = list(inputs)
        self.batches.append((len(pictures), spatial))
        self.entered.set()
        assert self.go.wait(20)
        for pixels in pictures:
            if pixels[0, 0, 0] == 255:
                raise EncoderError("this picture breaks the network")
            yield Encoding(pixels[0, 0].astype(np.float32))

    def encode_text(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        return np.array([[len(text)] for text in texts], np.float32)


@pytest.fixture(scope="module")
def network() -> Encoder:
    return load_encoder()


@pytest.fixture
def recording(network: Encoder) -> Recording:
    return Recording(network)


def picture(value: int) -> Pixels:
    return np.full((2, 2, 3), value, np.uint8)


def ask(encoder: Encoder, *values: int, spatial: bool = False) -> list[float]:
    encodings = encoder.encode([picture(value) for value in values], spatial=spatial)
    return [float(each.raw_embedding[0]) for each in encodings]


def test_joined_pictures_get_bitwise_the_vectors_that_they_get_alone(network: Encoder, sample: Path) -> None:
    paths = sorted((sample / "catalog").glob("*.jpg"))[:24]
    inputs = [network.prepare(decode(path.read_bytes()).pixels) for path in paths]
    alone = [next(network.encode([pixels], spatial=True)) for pixels in inputs]
    batches: list[int] = []
    joined = BatchingEncoder(network, most=8, observe=lambda images, _: batches.append(images))
    with ThreadPoolExecutor(8) as pool:
        several = list(pool.map(lambda pixels: next(joined.encode([pixels], spatial=True)), inputs))
    joined.close()
    for one, other in zip(alone, several, strict=True):
        assert np.array_equal(one.raw_embedding, other.raw_embedding)
        assert one.logits is not None
        assert other.logits is not None
        assert np.array_equal(one.logits, other.logits)
        assert one.spatial is not None
        assert other.spatial is not None
        assert np.array_equal(one.spatial, other.spatial)
    assert sum(batches) == 24
    assert max(batches) > 1


def test_requests_that_wait_go_together_and_no_batch_is_larger_than_allowed(recording: Recording) -> None:
    joined = BatchingEncoder(recording, most=4, wait=10)
    with ThreadPoolExecutor(8) as pool:
        first = pool.submit(ask, joined, 1)
        assert recording.entered.wait(20)
        others = [pool.submit(ask, joined, n) for n in range(2, 8)]
        _wait_until_waiting(joined, 6)
        recording.go.set()
        assert first.result() == [1.0]
        joined.close()
        assert [each.result() for each in others] == [[float(n)] for n in range(2, 8)]
    assert recording.batches == [(1, False), (4, False), (2, False)]


def test_a_caller_that_is_alone_never_waits(recording: Recording) -> None:
    recording.go.set()
    joined = BatchingEncoder(recording, wait=3600)
    for n in range(5):
        assert ask(joined, n) == [float(n)]
    joined.close()


def test_feature_maps_are_made_only_for_those_who_asked(recording: Recording) -> None:
    joined = BatchingEncoder(recording, wait=0)
    with ThreadPoolExecutor(8) as pool:
        first = pool.submit(ask, joined, 1)
        assert recording.entered.wait(20)
        others = [pool.submit(ask, joined, n, spatial=n % 2 == 0) for n in range(2, 6)]
        _wait_until_waiting(joined, 4)
        recording.go.set()
        assert [each.result() for each in (first, *others)] == [[float(n)] for n in range(1, 6)]
    joined.close()
    assert sorted(recording.batches) == [(1, False), (2, False), (2, True)]


def test_a_picture_that_breaks_the_network_fails_its_own_request_alone(recording: Recording) -> None:
    joined = BatchingEncoder(recording)
    with ThreadPoolExecutor(8) as pool:
        first = pool.submit(ask, joined, 1)
        assert recording.entered.wait(20)
        others = {value: pool.submit(ask, joined, value) for value in (2, 255, 4)}
        _wait_until_waiting(joined, 3)
        recording.go.set()
        assert first.result() == [1.0]
        assert (others[2].result(), others[4].result()) == ([2.0], [4.0])
        with pytest.raises(EncoderError, match="breaks"):
            others[255].result()
    assert ask(joined, 9) == [9.0]
    joined.close()


def test_the_error_of_a_wrong_input_is_the_encoders_own(network: Encoder) -> None:
    joined = BatchingEncoder(network)
    with pytest.raises(InputError, match="not prepared"):
        ask(joined, 1)
    joined.close()


def test_streams_and_long_lists_go_straight_to_the_network(recording: Recording) -> None:
    recording.go.set()
    told: list[int] = []
    joined = BatchingEncoder(recording, most=4, observe=lambda images, _: told.append(images))
    pictures = [picture(n) for n in range(10)]
    assert len(list(joined.encode(pictures))) == 10
    assert len(list(joined.encode(iter(pictures[:2])))) == 2
    assert recording.batches == [(10, False), (2, False)]
    assert told == []
    joined.close()


def test_words_are_encoded_as_without_it(recording: Recording) -> None:
    joined = BatchingEncoder(recording)
    assert joined.has_text
    assert joined.encode_text(["ab", "c"]).tolist() == [[2.0], [1.0]]
    joined.close()


def test_a_closed_one_still_answers(recording: Recording) -> None:
    recording.go.set()
    joined = BatchingEncoder(recording)
    joined.close()
    assert ask(joined, 3, 4) == [3.0, 4.0]


def test_collections_of_one_fingerprint_share_one_encoder(tmp_path: Path) -> None:
    for name in ("a", "b"):
        lookalike.create(tmp_path / name).close()
    shared = SharedEncoders()
    told: list[int] = []
    with (
        lookalike.open(tmp_path / "a", around=shared) as a,
        lookalike.open(tmp_path / "b", around=shared) as b,
    ):
        assert a.encoder is b.encoder
        shared.observe(lambda images, _: told.append(images))
        a.search(np.zeros((40, 40, 3), np.uint8))
        b.search(np.zeros((40, 40, 3), np.uint8))
    shared.close()
    assert told == [1, 1]


def test_batches_of_one_are_no_batches(recording: Recording) -> None:
    assert SharedEncoders(most=1)(recording) is recording


def _wait_until_waiting(joined: BatchingEncoder, pictures: int) -> None:
    with joined._changed:
        assert joined._changed.wait_for(lambda: len(joined._waiting) >= pictures, 20)
