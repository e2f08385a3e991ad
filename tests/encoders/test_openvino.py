from __future__ import annotations

import numpy as np
import pytest

from lookalike.encoders import Encoding, bundled, load_encoder
from lookalike.encoders.onnx_network import OnnxNetwork

LITE0 = "efficientnet-lite0"


def encode(photos: list[np.ndarray], **options: object) -> list[Encoding]:
    encoder = bundled.load(LITE0, **options)  # type: ignore[arg-type]
    return list(encoder.encode(map(encoder.prepare, photos), spatial=True))


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_the_number_of_threads_does_not_move_a_bit(photos: list[np.ndarray], threads: int) -> None:
    for one, all_cores in zip(encode(photos, threads=threads), encode(photos), strict=True):
        assert np.array_equal(one.raw_embedding, all_cores.raw_embedding)
        assert one.logits is not None and all_cores.logits is not None
        assert np.array_equal(one.logits, all_cores.logits)


def test_threads_are_what_the_network_gets() -> None:
    network = OnnxNetwork(bundled.FOLDER / f"{LITE0}.onnx").compile(
        "stem", None, height=224, width=224, mean=(0, 0, 0), std=(1, 1, 1), threads=1
    )
    assert network.model.get_property("INFERENCE_NUM_THREADS") == 1


def test_layers_and_logits_are_those_of_another_runtime(photos: list[np.ndarray]) -> None:
    """Preprocessing in the graph, pruning and fp16 weights change nothing: ONNX Runtime says the same."""
    runtime = pytest.importorskip("onnxruntime", reason="the second opinion needs onnxruntime")
    options = runtime.SessionOptions()
    options.log_severity_level = 3
    session = runtime.InferenceSession(bundled.FOLDER / f"{LITE0}.onnx", options)
    pixels = load_encoder(LITE0).prepare(photos[3])
    image = ((pixels.astype(np.float32) - 127) / 128).transpose(2, 0, 1)[None]
    layers = [layer.name for layer in bundled.describe(LITE0).layers]
    *maps, logits = session.run([*layers, "logits"], {"image": image})
    for layer, expected in zip(layers, maps, strict=True):
        got = next(iter(bundled.load(LITE0, layer=layer).encode([pixels], spatial=True)))
        assert got.spatial is not None
        error = np.abs(got.spatial - expected[0].transpose(1, 2, 0)).max()
        assert error <= 1e-4 * np.abs(expected).max(), layer
        if got.logits is not None:
            assert np.allclose(got.logits, logits[0], atol=1e-3)


def test_poolings_differ_and_are_those_of_the_map(photos: list[np.ndarray]) -> None:
    spatial = encode(photos[:1])[0].spatial
    assert spatial is not None
    peak = encode(photos[:1], pooling="max")[0].raw_embedding
    mean = encode(photos[:1], pooling="gap")[0].raw_embedding
    gem = encode(photos[:1], pooling="gem")[0].raw_embedding
    assert np.array_equal(peak, spatial.max(axis=(0, 1)))
    assert (mean <= gem + 1e-5).all() and (gem <= peak + 1e-5).all()
    assert not np.allclose(mean, gem)


def test_the_same_photo_is_nearer_to_itself_resized_than_to_another(photos: list[np.ndarray]) -> None:
    encoder = load_encoder(LITE0)
    shrunk = [photo[::2, ::2] for photo in photos]
    vectors = np.stack([e.raw_embedding for e in encoder.encode(map(encoder.prepare, [*photos, *shrunk]))])
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    similarity = vectors[: len(photos)] @ vectors[len(photos) :].T
    assert (similarity.argmax(axis=1) == np.arange(len(photos))).all()
