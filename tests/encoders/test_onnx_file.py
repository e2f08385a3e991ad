from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from encoder_kinds import CLASSES, noise, write_onnx
from lookalike.encoders import encoder_from_spec, load_encoder, onnx_file
from lookalike.encoders.preprocessing import IMAGENET_MEAN, IMAGENET_STD
from lookalike.errors import EncoderError, FingerprintMismatch, InputError

IMAGE = noise(np.random.default_rng(5), 90, 130)


def sidecar(path: Path, **values: object) -> None:
    path.with_suffix(".json").write_text(json.dumps(values))


def test_a_network_alone_gets_imagenets_preprocessing_and_its_first_output(tmp_path: Path) -> None:
    spec = onnx_file.load(write_onnx(tmp_path / "net.onnx")).spec
    assert (spec.layer, spec.pooling, spec.dimensions) == ("map", "gap", 8)
    assert (spec.height, spec.width, spec.mean, spec.std) == (224, 224, IMAGENET_MEAN, IMAGENET_STD)
    assert spec.name == f"onnx:{tmp_path / 'net.onnx'}"


@pytest.mark.parametrize(
    ("batch", "height", "width"), [("n", "h", "w"), (1, 64, 48), (4, 64, 48), ("n", 64, 48), (1, "h", 48)]
)
def test_fixed_and_open_sizes_give_the_same_numbers(
    tmp_path: Path, batch: int | str, height: int | str, width: int | str
) -> None:
    fixed = write_onnx(tmp_path / "fixed.onnx", batch=1, height=64, width=48)
    other = write_onnx(tmp_path / "other.onnx", batch=batch, height=height, width=width)
    sidecar(other, input_size=[64, 48])
    expected, got = (
        next(iter(encoder.encode([encoder.prepare(IMAGE)]))).raw_embedding
        for encoder in (onnx_file.load(fixed), onnx_file.load(other))
    )
    assert np.array_equal(got, expected)


def test_maps_tokens_and_vectors_are_pooled_as_what_they_are(tmp_path: Path) -> None:
    path = write_onnx(tmp_path / "net.onnx")

    def embed(layer: str, pooling: str | None = None) -> np.ndarray:
        encoder = onnx_file.load(path, layer=layer, pooling=pooling)  # type: ignore[arg-type]
        return next(iter(encoder.encode([encoder.prepare(IMAGE)]))).raw_embedding

    assert np.allclose(embed("map"), embed("vector"), atol=1e-5)
    assert np.allclose(embed("tokens", "tokens-mean"), embed("vector"), atol=1e-5)
    assert not np.allclose(embed("tokens", "cls"), embed("vector"), atol=1e-5)
    assert embed("logits").shape == (CLASSES,)
    assert embed("linear").min() < 0
    with pytest.raises(InputError, match="a vector already"):
        embed("vector", "gap")


def test_the_json_file_says_how_to_feed_it(tmp_path: Path) -> None:
    path = write_onnx(tmp_path / "net.onnx")
    (tmp_path / "names.txt").write_text("".join(f"thing {n}\n" for n in range(CLASSES)))
    sidecar(
        path,
        input_size=[32, 48],
        mean=[127, 128, 129],
        std=[1, 2, 3],
        resize="pad",
        fill=[0, 10, 255],
        interpolation="bilinear",
        layer="tokens",
        pooling="tokens-mean",
        logits="logits",
        labels="names.txt",
        licence="MIT",
    )
    encoder = onnx_file.load(path)
    spec = encoder.spec
    assert (spec.height, spec.width, spec.mean, spec.std) == (32, 48, (127.0, 128.0, 129.0), (1.0, 2.0, 3.0))
    assert (spec.resize, spec.fill, spec.interpolation) == ("pad", (0, 10, 255), "bilinear")
    assert (spec.layer, spec.pooling) == ("tokens", "tokens-mean")
    assert encoder.labels == tuple(f"thing {n}" for n in range(CLASSES))
    assert next(iter(encoder.encode([encoder.prepare(IMAGE)]))).logits is not None
    assert onnx_file.load(path, layer="map").spec.pooling == "gap"
    assert onnx_file.load(path, resize="squash").spec.resize == "squash"


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"size": 224}, "'size'.*input_size"),
        ({"mean": [1, 2]}, "mean is .*three numbers"),
        ({"std": [0, 1, 1]}, "std"),
        ({"resize": "stretch"}, "pad, crop, squash"),
        ({"interpolation": "nearest"}, "bilinear, bicubic"),
        ({"pooling": "median"}, "tokens-mean"),
        ({"fill": [0, 0, 256]}, "fill"),
        ({"layer": 3}, "layer is 3"),
        ({"labels": ["a"]}, "no 'logits'"),
        ({"logits": "logits", "labels": ["a"]}, "1 labels.*5 classes"),
        ({"input_size": [224]}, "cannot be used"),
        ({"input_size": "large"}, "cannot be used"),
        ({"logits": "logits", "labels": "missing.txt"}, "missing.txt"),
    ],
)
def test_a_json_file_that_cannot_be_meant_is_refused(
    tmp_path: Path, values: dict[str, object], message: str
) -> None:
    path = write_onnx(tmp_path / "net.onnx")
    sidecar(path, **values)
    with pytest.raises(EncoderError, match=message):
        onnx_file.load(path)


def test_a_size_that_the_network_does_not_take_is_refused(tmp_path: Path) -> None:
    path = write_onnx(tmp_path / "net.onnx", height=64, width=64)
    sidecar(path, input_size=96)
    with pytest.raises(EncoderError, match="takes 64 x 64 only"):
        onnx_file.load(path)


def test_an_unknown_layer_is_refused_with_those_that_there_are(tmp_path: Path) -> None:
    path = write_onnx(tmp_path / "net.onnx")
    with pytest.raises(InputError, match=r"did you mean 'vector'.*linear, map"):
        onnx_file.load(path, layer="vectors")
    with pytest.raises(InputError, match="kernel"):
        onnx_file.load(path, layer="kernel")


def test_what_is_no_image_network_is_refused(tmp_path: Path) -> None:
    from onnx import TensorProto, helper, save

    path = tmp_path / "net.onnx"
    with pytest.raises(EncoderError, match="there is no network"):
        onnx_file.load(path)
    path.write_bytes(b"no network at all")
    with pytest.raises(EncoderError, match="cannot be read as an ONNX network"):
        onnx_file.load(path)

    def value(name: str, shape: list[int]) -> object:
        return helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)

    nodes = [helper.make_node("Add", ["a", "b"], ["c"])]
    two = helper.make_graph(
        nodes, "two", [value("a", [1, 3, 8, 8]), value("b", [1, 3, 8, 8])], [value("c", [1, 3, 8, 8])]
    )
    save(helper.make_model(two, ir_version=8, opset_imports=[helper.make_opsetid("", 17)]), path)
    with pytest.raises(EncoderError, match="2 inputs, expected 1"):
        onnx_file.load(path)
    nodes = [helper.make_node("Relu", ["a"], ["c"])]
    last = helper.make_graph(nodes, "last", [value("a", [1, 8, 8, 3])], [value("c", [1, 8, 8, 3])])
    save(helper.make_model(last, ir_version=8, opset_imports=[helper.make_opsetid("", 17)]), path)
    with pytest.raises(EncoderError, match="channels first"):
        onnx_file.load(path)


def test_weights_in_a_file_beside_it_count(tmp_path: Path) -> None:
    path = write_onnx(tmp_path / "net.onnx", external=True)
    before = load_encoder(f"onnx:{path}").spec
    weights = bytearray((tmp_path / "net.bin").read_bytes())
    weights[10] ^= 64
    (tmp_path / "net.bin").write_bytes(weights)
    assert onnx_file.load(path).spec.weights != before.weights
    (tmp_path / "net.bin").unlink()
    with pytest.raises(EncoderError):
        onnx_file.load(path)


def test_a_network_that_was_replaced_is_not_taken_for_the_stored_one(tmp_path: Path) -> None:
    path = write_onnx(tmp_path / "net.onnx")
    stored = load_encoder(f"onnx:{path}").spec
    assert encoder_from_spec(stored).spec == stored
    sidecar(path, mean=[0, 0, 0])
    with pytest.raises(FingerprintMismatch, match="mean was") as mismatch:
        encoder_from_spec(stored)
    assert mismatch.value.expected == stored.fingerprint
    assert mismatch.value.got in str(mismatch.value)
    assert load_encoder(f"onnx:{path}").spec.mean == (0.0, 0.0, 0.0)
