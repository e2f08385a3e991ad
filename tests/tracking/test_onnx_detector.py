from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from lookalike.errors import EncoderError
from lookalike.tracking.decoding import Candidates, suppressed, yolo, yolox
from lookalike.tracking.onnx_detector import OnnxDetector, fitted

SIDE = 64


def constant_network(path: Path, outputs: dict[str, np.ndarray], *, sizes: bool = False) -> Path:
    """A network whose outputs do not depend on the picture, but for a zero times its mean."""
    inputs = [helper.make_tensor_value_info("images", TensorProto.FLOAT, [1, 3, SIDE, SIDE])]
    nodes = [
        helper.make_node("ReduceMean", ["images"], ["mean"], keepdims=0),
        helper.make_node("Mul", ["mean", "zero"], ["nothing"]),
    ]
    weights = [numpy_helper.from_array(np.float32(0), "zero")]
    if sizes:
        inputs.append(helper.make_tensor_value_info("orig_target_sizes", TensorProto.INT64, [1, 2]))
        nodes.append(helper.make_node("Cast", ["orig_target_sizes"], ["size"], to=TensorProto.FLOAT))
        nodes.append(helper.make_node("Concat", ["size", "size"], ["scale"], axis=1))
    found = []
    for name, value in outputs.items():
        weights.append(numpy_helper.from_array(value, f"{name}_value"))
        kind = helper.np_dtype_to_tensor_dtype(value.dtype)
        if value.dtype == np.float32:
            nodes.append(
                helper.make_node("Add", [f"{name}_value", "nothing"], [f"{name}_sum" if sizes else name])
            )
            if sizes:
                factor = "scale" if value.ndim == 3 else "one"
                nodes.append(helper.make_node("Mul", [f"{name}_sum", factor], [name]))
        else:
            nodes.append(helper.make_node("Identity", [f"{name}_value"], [name]))
        found.append(helper.make_tensor_value_info(name, kind, value.shape))
    weights.append(numpy_helper.from_array(np.float32(1), "one"))
    graph = helper.make_graph(nodes, "detector", inputs, found, weights)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.save(model, path)
    return path


def picture() -> np.ndarray:
    return np.zeros((90, 180, 3), np.uint8)


def test_yolox_is_decoded_from_its_grids_and_brought_back_from_the_letterbox(tmp_path: Path) -> None:
    cells = (SIDE // 8) ** 2 + (SIDE // 16) ** 2 + (SIDE // 32) ** 2
    output = np.full((1, cells, 7), 0.0, np.float32)
    # row 2, column 3 of the first grid: centre (3.5, 2.5) * 8, 16 x 8 pixels, a person
    output[0, 2 * 8 + 3] = [0.5, 0.5, np.log(2), 0, 0.9, 1.0, 0.0]
    output[0, 2 * 8 + 4] = [-0.5, 0.5, np.log(2), 0, 0.8, 1.0, 0.0]  # the same thing, less sure
    output[0, 5] = [0, 0, 0, 0, 0.9, 0.0, 1.0]  # a class that is not asked for
    detector = OnnxDetector(constant_network(tmp_path / "x.onnx", {"output": output}))
    assert (detector.spec.family, detector.spec.channels) == ("yolox", "bgr")
    found = detector.detect(picture(), 0.0)
    scale = 180 / SIDE
    assert found.box == pytest.approx(np.array([[20, 16, 16, 8]]) * scale, rel=1e-3)
    assert found.confidence == pytest.approx([0.9])
    assert found.category.tolist() == [1]


def test_yolo_is_decoded_from_its_columns_and_a_centred_letterbox_with_classes_of_the_user(
    tmp_path: Path,
) -> None:
    output = np.zeros((1, 6, 20), np.float32)
    output[0, :, 3] = [32, 32, 16, 8, 0.1, 0.7]
    (tmp_path / "y.json").write_text(json.dumps({"classes": {"1": 3}}))
    found = OnnxDetector(constant_network(tmp_path / "y.onnx", {"output0": output})).detect(picture(), 0.0)
    scale = 180 / SIDE
    assert found.box == pytest.approx(
        np.array([[24 * scale, (28 - 16) * scale, 16 * scale, 8 * scale]]), rel=1e-3
    )
    assert found.category.tolist() == [3]


@pytest.mark.parametrize("order", [("logits", "pred_boxes"), ("pred_boxes", "logits")])
def test_detr_outputs_are_shares_of_a_squashed_frame_in_either_order(tmp_path: Path, order: tuple) -> None:
    outputs = {
        "logits": np.array([[[3.0, -3, -3], [-9, -9, -9]]], np.float32),
        "pred_boxes": np.array([[[0.5, 0.5, 0.2, 0.4], [0.1, 0.1, 0.1, 0.1]]], np.float32),
    }
    path = constant_network(tmp_path / "d.onnx", {name: outputs[name] for name in order})
    found = OnnxDetector(path).detect(picture(), 0.0)
    assert found.box == pytest.approx(np.array([[72, 27, 36, 36]]), rel=1e-4)
    assert found.confidence == pytest.approx([1 / (1 + np.exp(-3))])


def test_exports_that_ask_for_the_size_and_give_boxes_are_read(tmp_path: Path) -> None:
    outputs = {
        "labels": np.array([[0, 5]], np.int64),
        "boxes": np.array([[[0.25, 0.5, 0.5, 1.0], [0, 0, 1, 1]]], np.float32),
        "scores": np.array([[0.8, 0.9]], np.float32),
    }
    found = OnnxDetector(constant_network(tmp_path / "b.onnx", outputs, sizes=True)).detect(picture(), 0.0)
    assert found.box == pytest.approx(np.array([[45, 45, 45, 45]]), rel=1e-4)
    assert found.confidence == pytest.approx([0.8])


def test_suppression_keeps_the_best_of_each_class() -> None:
    corners = np.array([[0, 0, 10, 10], [1, 0, 11, 10], [1, 0, 11, 10], [50, 0, 60, 10.0]])
    candidates = Candidates(corners, np.array([0.5, 0.9, 0.8, 0.05]), np.array([0, 0, 1, 0]))
    kept = suppressed(candidates, least_score=0.1, most_iou=0.5)
    assert list(zip(kept.score.tolist(), kept.label.tolist(), strict=True)) == [(0.9, 0), (0.8, 1)]
    assert len(yolo(np.zeros((5, 0))).score) == 0


def test_what_cannot_be_used_is_said_with_what_to_write(tmp_path: Path) -> None:
    path = constant_network(tmp_path / "odd.onnx", {"o": np.zeros((1, 2, 3, 4), np.float32)})
    with pytest.raises(EncoderError, match=r"fit no family.*odd\.json"):
        OnnxDetector(path)
    path.with_suffix(".json").write_text(json.dumps({"famly": "yolox"}))
    with pytest.raises(EncoderError, match="'famly', which means nothing"):
        OnnxDetector(path)
    path.with_suffix(".json").write_text(json.dumps({"family": "yolox", "input_size": [32, 32]}))
    with pytest.raises(EncoderError, match="the network takes"):
        OnnxDetector(path)
    with pytest.raises(EncoderError, match="there is no network"):
        OnnxDetector(tmp_path / "none.onnx")
    (tmp_path / "text.onnx").write_text("no network")
    with pytest.raises(EncoderError, match="cannot be run"):
        OnnxDetector(tmp_path / "text.onnx")
    with pytest.raises(EncoderError, match="decoded"):
        yolox(np.zeros((7, 7)), SIDE, SIDE, decoded=False)


def test_a_frame_is_fitted_without_distortion_and_in_the_order_of_channels_asked_for(tmp_path: Path) -> None:
    output = np.zeros((1, 84, 6), np.float32)
    spec = OnnxDetector(constant_network(tmp_path / "x.onnx", {"output": output})).spec
    red = np.zeros((90, 180, 3), np.uint8)
    red[..., 0] = 200
    prepared, scale, offset = fitted(red, spec)
    assert prepared.shape == (1, 3, SIDE, SIDE)
    assert prepared[0, :, 5, 5].tolist() == [0, 0, 200]
    assert prepared[0, :, 60, 5].tolist() == [114, 114, 114]
    assert scale == pytest.approx([SIDE / 180, SIDE / 180])
    assert offset.tolist() == [0, 0]
