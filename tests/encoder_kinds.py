"""One small encoder of every kind, made on the spot: for the contract suite and the tests of each kind."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

import lookalike

CLASSES = 5
TINY_CLIP = {
    "embed_dim": 32,
    "vision_cfg": {"image_size": 64, "layers": 2, "width": 64, "patch_size": 16},
    "text_cfg": {"context_length": 16, "vocab_size": 49408, "width": 64, "heads": 2, "layers": 2},
}

SAMPLE = Path(lookalike.__file__).parent / "sample"


def read(path: Path) -> npt.NDArray[np.uint8]:
    """A picture at its full size, uint8 (h, w, 3); upright as the sample's are."""
    from PIL import Image

    with Image.open(path) as picture:
        return np.asarray(picture.convert("RGB"))


def write_onnx(
    path: Path,
    *,
    batch: int | str = "n",
    height: int | str = "h",
    width: int | str = "w",
    external: bool = False,
) -> Path:
    """A network with a map ``map`` (n, 8, h/4, w/4), ``tokens``, ``vector`` (n, 8) and ``logits`` (n, 5)."""
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    rng = np.random.default_rng(7)

    def weight(name: str, *shape: int) -> onnx.TensorProto:
        return numpy_helper.from_array(rng.normal(size=shape).astype(np.float32) / 4, name)

    nodes = [
        helper.make_node("Conv", ["image", "kernel"], ["linear"], strides=[4, 4], kernel_shape=[4, 4]),
        helper.make_node("Relu", ["linear"], ["map"]),
        helper.make_node("Reshape", ["map", "flat"], ["rows"]),
        helper.make_node("Transpose", ["rows"], ["tokens"], perm=[0, 2, 1]),
        helper.make_node("GlobalAveragePool", ["map"], ["pooled"]),
        helper.make_node("Flatten", ["pooled"], ["vector"]),
        helper.make_node("Gemm", ["vector", "classifier"], ["logits"]),
    ]
    shapes: dict[str, list[int | str]] = {
        "map": [batch, 8, "i", "j"],
        "tokens": [batch, "places", 8],
        "vector": [batch, 8],
        "logits": [batch, 5],
    }
    graph = helper.make_graph(
        nodes,
        "tiny",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, [batch, 3, height, width])],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in shapes.items()],
        [
            weight("kernel", 8, 3, 4, 4),
            numpy_helper.from_array(np.array([0, 8, -1], np.int64), "flat"),
            weight("classifier", 8, CLASSES),
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(
        model,
        path,
        save_as_external_data=external,
        location=f"{path.stem}.bin" if external else None,
        size_threshold=0,
    )
    return path


def onnx_name(folder: Path) -> str:
    """``onnx:PATH`` of a small network with a JSON file beside it."""
    path = write_onnx(folder / "tiny.onnx")
    sidecar = {"input_size": [48, 64], "logits": "logits", "labels": [f"class {n}" for n in range(CLASSES)]}
    path.with_suffix(".json").write_text(json.dumps(sidecar))
    return f"onnx:{path}"


def timm_name(folder: Path, network: str = "test_vit") -> str:
    """``timm:NAME@PATH`` of a small network with random weights."""
    torch, timm = import_torch_stack("timm")
    torch.manual_seed(3)
    path = folder / f"{network}.pth"
    torch.save(timm.create_model(network).state_dict(), path)
    return f"timm:{network}@{path}"


def open_clip_name(folder: Path) -> str:
    """``open_clip:ARCH@PATH`` of a small architecture, declared here, with random weights."""
    torch, open_clip = import_torch_stack("open_clip")
    config = folder / "tiny-clip.json"
    config.write_text(json.dumps(TINY_CLIP))
    open_clip.add_model_config(config)
    torch.manual_seed(3)
    path = folder / "tiny-clip.pth"
    torch.save(open_clip.CLIP(**TINY_CLIP).state_dict(), path)
    return f"open_clip:tiny-clip@{path}"


def import_torch_stack(library: str) -> tuple[Any, Any]:
    """PyTorch and a library on it; skips where they are not installed."""
    torch = pytest.importorskip("torch", reason="needs the extra torch")
    from lookalike.encoders import torch_import
    from lookalike.errors import MissingExtra

    try:
        return torch, getattr(torch_import, f"import_{library}")()
    except MissingExtra as error:
        pytest.skip(str(error))


KINDS: dict[str, Callable[[Path], str]] = {
    "efficientnet-lite0": lambda _folder: "efficientnet-lite0",
    "efficientnet-lite2": lambda _folder: "efficientnet-lite2",
    "onnx": onnx_name,
    "timm": timm_name,
    "open_clip": open_clip_name,
}
BITWISE = ("efficientnet-lite0", "efficientnet-lite2", "onnx")
"""Kinds whose results are the same to the last bit whatever runs beside them."""


def noise(rng: np.random.Generator, height: int, width: int) -> npt.NDArray[np.uint8]:
    """A picture with structure at several scales, uint8 (h, w, 3)."""
    coarse = rng.integers(0, 256, (height // 16 + 1, width // 16 + 1, 3))
    picture = np.kron(coarse, np.ones((16, 16, 1)))[:height, :width] + rng.normal(0, 20, (height, width, 3))
    return np.clip(picture, 0, 255).astype(np.uint8)
