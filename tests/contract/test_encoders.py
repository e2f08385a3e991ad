"""What every encoder promises, whatever runs it."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import pytest

from encoder_kinds import BITWISE, KINDS, noise
from lookalike.encoders import Encoder, EncoderSpec, Encoding, encoder_from_spec, load_encoder
from lookalike.errors import InputError

FAR_AHEAD = 64
"""Nobody needs more inputs than that to yield one result."""

Pixels = npt.NDArray[np.uint8]


@pytest.fixture(scope="module", params=list(KINDS))
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def encoder(kind: str, tmp_path_factory: pytest.TempPathFactory) -> Encoder:
    return load_encoder(KINDS[kind](tmp_path_factory.mktemp(kind)))


@pytest.fixture(scope="module")
def inputs(encoder: Encoder) -> list[Pixels]:
    rng = np.random.default_rng(11)
    shapes = [(120, 200), (200, 120), (333, 333), (64, 500), (300, 301), (20, 20), (400, 90)] * 2
    return [encoder.prepare(noise(rng, *shape)) for shape in shapes]


def same(kind: str, got: npt.NDArray[np.float32], expected: npt.NDArray[np.float32]) -> bool:
    if kind in BITWISE:
        return bool(np.array_equal(got, expected))
    return bool(np.allclose(got, expected, rtol=1e-4, atol=1e-5 * float(np.abs(expected).max())))


def embed(encoder: Encoder, inputs: list[Pixels]) -> npt.NDArray[np.float32]:
    return np.stack([encoding.raw_embedding for encoding in encoder.encode(inputs)])


def test_spec_says_what_comes_out(encoder: Encoder, inputs: list[Pixels]) -> None:
    encoding = next(iter(encoder.encode(inputs)))
    assert encoding.raw_embedding.shape == (encoder.spec.dimensions,)
    assert encoding.raw_embedding.dtype == np.float32
    assert np.isfinite(encoding.raw_embedding).all()
    assert len(encoder.spec.weights) == 64
    assert len(encoder.spec.fingerprint) == 16


@pytest.mark.parametrize("shape", [(1, 1), (1, 900), (900, 1), (37, 41), (700, 500)])
def test_an_image_of_any_shape_becomes_the_networks_input(encoder: Encoder, shape: tuple[int, int]) -> None:
    image = noise(np.random.default_rng(1), *shape)
    image.setflags(write=False)
    pixels = encoder.prepare(image)
    assert pixels.shape == (encoder.spec.height, encoder.spec.width, 3)
    assert pixels.dtype == np.uint8
    assert np.array_equal(pixels, encoder.prepare(image))


def test_results_come_in_order_and_do_not_depend_on_neighbours(
    kind: str, encoder: Encoder, inputs: list[Pixels]
) -> None:
    together = embed(encoder, inputs)
    alone = np.concatenate([embed(encoder, [one]) for one in inputs])
    assert same(kind, together, alone)
    assert same(kind, embed(encoder, inputs[::-1]), alone[::-1])


def test_nothing_in_gives_nothing_out(encoder: Encoder) -> None:
    assert list(encoder.encode([])) == []


def test_a_stream_is_pulled_only_a_few_ahead(encoder: Encoder, inputs: list[Pixels]) -> None:
    pulled = 0

    def endless() -> Iterator[Pixels]:
        nonlocal pulled
        for pixels in itertools.cycle(inputs):
            pulled += 1
            yield pixels

    stream = encoder.encode(endless())
    assert pulled == 0
    for _ in itertools.islice(stream, 3):
        pass
    assert 3 <= pulled <= FAR_AHEAD


def test_a_stream_left_early_leaves_the_encoder_whole(
    kind: str, encoder: Encoder, inputs: list[Pixels]
) -> None:
    expected = embed(encoder, inputs)
    stream = encoder.encode(itertools.cycle(inputs))
    next(stream)
    del stream
    assert same(kind, embed(encoder, inputs), expected)


def test_an_error_of_the_source_passes_through(kind: str, encoder: Encoder, inputs: list[Pixels]) -> None:
    expected = embed(encoder, inputs)

    def breaks() -> Iterator[Pixels]:
        yield from inputs
        raise KeyError("the source broke")

    with pytest.raises(KeyError, match="the source broke"):
        list(encoder.encode(breaks()))
    assert same(kind, embed(encoder, inputs), expected)


def test_several_threads_at_once_get_their_own_results(
    kind: str, encoder: Encoder, inputs: list[Pixels]
) -> None:
    expected = embed(encoder, inputs)
    got: dict[int, npt.NDArray[np.float32]] = {}

    def work(start: int) -> None:
        got[start] = embed(encoder, inputs[start:] + inputs[:start])

    threads = [threading.Thread(target=work, args=(start,)) for start in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(same(kind, got[start], np.roll(expected, -start, axis=0)) for start in range(4))


def test_inputs_may_be_views_and_are_not_changed(kind: str, encoder: Encoder, inputs: list[Pixels]) -> None:
    mirrored = [np.ascontiguousarray(pixels[:, ::-1]) for pixels in inputs]
    before = [pixels.copy() for pixels in inputs]
    assert same(kind, embed(encoder, [pixels[:, ::-1] for pixels in inputs]), embed(encoder, mirrored))
    assert all(np.array_equal(a, b) for a, b in zip(before, inputs, strict=True))


def test_an_image_that_was_not_prepared_is_refused(encoder: Encoder) -> None:
    with pytest.raises(InputError, match="not prepared"):
        list(encoder.encode([np.zeros((13, 17, 3), np.uint8)]))


def test_the_spatial_map_comes_when_asked_for_only(encoder: Encoder, inputs: list[Pixels]) -> None:
    plain, mapped = (next(iter(encoder.encode(inputs, spatial=wanted))) for wanted in (False, True))
    assert plain.spatial is None
    assert np.array_equal(plain.raw_embedding, mapped.raw_embedding)
    if mapped.spatial is not None:
        assert mapped.spatial.shape[2] == encoder.spec.dimensions
        assert mapped.spatial.dtype == np.float32
        pooled = mapped.spatial.mean(axis=(0, 1))
        assert encoder.spec.pooling != "gap" or np.allclose(
            pooled, mapped.raw_embedding, rtol=1e-4, atol=1e-5
        )


def test_results_stay_what_they_were_while_others_are_made(encoder: Encoder, inputs: list[Pixels]) -> None:
    def fields(encoding: Encoding) -> list[npt.NDArray[np.float32]]:
        return [a for a in (encoding.raw_embedding, encoding.logits, encoding.spatial) if a is not None]

    stream = encoder.encode(inputs, spatial=True)
    first = next(stream)
    copies = [field.copy() for field in fields(first)]
    list(stream)
    assert all(np.array_equal(a, b) for a, b in zip(fields(first), copies, strict=True))


def test_logits_and_labels_belong_together(encoder: Encoder, inputs: list[Pixels]) -> None:
    logits = next(iter(encoder.encode(inputs))).logits
    if logits is None:
        assert encoder.labels == ()
        return
    assert logits.shape == (len(encoder.labels),)
    confident = np.full(len(encoder.labels), -50, np.float32)
    confident[3] = 50
    assert encoder.words(confident) == (encoder.labels[3],)


def test_a_stored_spec_brings_back_the_same_encoder(encoder: Encoder) -> None:
    stored = EncoderSpec.from_json(encoder.spec.to_json())
    again = encoder_from_spec(stored)
    assert again.spec == encoder.spec
    assert again.spec.fingerprint == encoder.spec.fingerprint


def test_texts_are_embedded_or_refused(encoder: Encoder) -> None:
    if encoder.has_text:
        vectors = encoder.encode_text(["a red chair", "a lamp"])
        assert vectors.shape == (2, encoder.spec.dimensions)
        assert vectors.dtype == np.float32
        assert not np.allclose(vectors[0], vectors[1])
        assert encoder.encode_text([]).shape == (0, encoder.spec.dimensions)
    else:
        with pytest.raises(InputError, match="no text tower"):
            encoder.encode_text(["a red chair"])
