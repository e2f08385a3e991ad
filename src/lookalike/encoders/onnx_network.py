"""An ONNX file as OpenVINO sees it: its input, its layers, and the part of it that one layer needs."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from lookalike.encoders.messages import near_misses
from lookalike.errors import EncoderError, InputError

_EXTERNAL = re.compile(rb"\x0a\x08location\x12([\x01-\x7f])")
"""How an ONNX tensor names the file that holds its bytes: a protobuf entry, key ``location``, one value."""


@cache
def _core() -> Any:
    import openvino

    return openvino.Core()


def weights_hash(path: Path) -> str:
    """SHA-256 of an ONNX file, and of the files beside it that hold its tensors.

    Args:
        path: The ``.onnx`` file. When its tensors lie in other files, those are hashed after it by name.

    Raises:
        EncoderError: If a file cannot be read.
    """
    try:
        data = path.read_bytes()
        digest = hashlib.sha256(data)
        names = {data[found.end() : found.end() + found.group(1)[0]] for found in _EXTERNAL.finditer(data)}
        for name in sorted(names):
            with (path.parent / name.decode()).open("rb") as external:
                while block := external.read(1 << 20):
                    digest.update(block)
    except (OSError, UnicodeDecodeError) as error:
        raise EncoderError(
            f"the network {path} cannot be read: {error}. Expected an ONNX file, with the files of its "
            "tensors, where it has them, beside it"
        ) from None
    return digest.hexdigest()


def _read(path: Path) -> Any:
    """Read by the ONNX reader alone: offered any file, OpenVINO tries every format it knows."""
    from openvino import frontend

    failures = (
        RuntimeError,
        frontend.GeneralFailure,
        frontend.InitializationFailure,
        frontend.NotImplementedFailure,
        frontend.OpConversionFailure,
        frontend.OpValidationFailure,
    )
    try:
        reader = frontend.FrontEndManager().load_by_framework("onnx")
        return reader.convert(reader.load(str(path)))
    except failures as error:
        raise EncoderError(
            f"{path} cannot be read as an ONNX network: {_last_line(error)}. Expected an .onnx file that is "
            "whole and uses the operators of standard ONNX"
        ) from error


@dataclass(frozen=True, slots=True)
class CompiledNetwork:
    """One layer of a network, ready to run.

    Args:
        model: OpenVINO's compiled model. Input: uint8 (1, height, width, 3). Output 0: the layer, float32
            with a leading axis of 1; last output: the logits, when asked for.
        rank: Axes of the layer's output without the leading one: 3 a map (c, h, w), 2 tokens, 1 a vector.
        dimensions: Length of the vector that pooling makes of it.
        depth: Number of requests that keep every core busy.
    """

    model: Any
    rank: int
    dimensions: int
    depth: int


class OnnxNetwork:
    """An ONNX file, read and checked.

    Args:
        path: The file.

    Raises:
        EncoderError: If it is no network with one RGB image as float input, channels first.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._model = _read(path)
        inputs = self._model.inputs
        if len(inputs) != 1:
            raise EncoderError(
                f"{path} has {len(inputs)} inputs, expected 1, an image: export the image part alone"
            )
        shape, kind = inputs[0].get_partial_shape(), inputs[0].get_element_type().get_type_name()
        is_image = shape.rank.is_static and shape.rank.get_length() == 4
        channels = shape[1].get_length() if is_image and shape[1].is_static else 3
        if not is_image or channels != 3 or kind not in ("f32", "f16"):
            raise EncoderError(
                f"{path} takes {kind} {shape}, expected float (batch, 3, height, width): export it with "
                "channels first and without preprocessing"
            )
        self.height: int | None = shape[2].get_length() if shape[2].is_static else None
        self.width: int | None = shape[3].get_length() if shape[3].is_static else None

    @property
    def outputs(self) -> tuple[str, ...]:
        """Names of the network's own outputs, in order."""
        return tuple(min(port.get_names()) for port in self._model.outputs if port.get_names())

    def layers(self) -> tuple[str, ...]:
        """Names of every tensor that the image has an influence on, from the input on."""
        return tuple(_reached(self._model))

    def check_layer(self, layer: str) -> None:
        """Refuse a layer that the network does not have.

        Raises:
            InputError: Lists the layers that there are.
        """
        layers = self.layers()
        if layer not in layers:
            raise InputError(f"{self.path.name} has no layer {layer!r}: {near_misses(layer, layers)}")

    def compile(
        self,
        layer: str,
        logits: str | None,
        *,
        height: int,
        width: int,
        mean: Sequence[float],
        std: Sequence[float],
        threads: int | None = None,
    ) -> CompiledNetwork:
        """Compile the part of the network that ``layer`` (and ``logits``) needs, preprocessing included.

        Batch 1 on as many streams as the CPU has room for is the fastest way there, and what makes results
        independent of neighbours. Nothing is pinned to a core: decoding and other encoders run beside it.

        Raises:
            InputError: If the network has no such layer.
            EncoderError: If the layer's output is no map, token sequence or vector of one image, or if the
                network cannot take an input of this size.
        """
        import openvino

        for name in (layer, logits):
            if name is not None:
                self.check_layer(name)
        names = list(dict.fromkeys(name for name in (layer, logits) if name is not None))
        try:
            source = self._model.clone()
            ports = _reached(source)
            pruned = openvino.Model([ports[name] for name in names], source.get_parameters())
            pruned.reshape([1, 3, height, width])
            model = _with_preprocessing(pruned, mean, std)
            rank, dimensions = self._shape(layer, model.outputs[0].get_partial_shape())
            properties: dict[str, Any] = {
                "PERFORMANCE_HINT": "THROUGHPUT",
                "INFERENCE_PRECISION_HINT": "f32",
                "ENABLE_CPU_PINNING": False,
            }
            if threads is not None:
                properties["INFERENCE_NUM_THREADS"] = threads
            compiled = _core().compile_model(model, "CPU", properties)
        except RuntimeError as error:
            raise EncoderError(
                f"{self.path.name} cannot run on an image of {width} x {height} up to layer {layer!r}: "
                f"{_last_line(error)}"
            ) from None
        requests = int(compiled.get_property("OPTIMAL_NUMBER_OF_INFER_REQUESTS"))
        return CompiledNetwork(compiled, rank, dimensions, requests + 1)

    def _shape(self, layer: str, shape: Any) -> tuple[int, int]:
        sizes = (
            [axis.get_length() if axis.is_static else None for axis in shape] if shape.rank.is_static else []
        )
        if len(sizes) not in (2, 3, 4) or None in sizes or sizes[0] != 1:
            raise EncoderError(
                f"layer {layer!r} of {self.path.name} gives {shape} for one image: expected a map "
                "(1, c, h, w), tokens (1, n, c) or a vector (1, d); choose another layer"
            )
        dimensions = sizes[1] if len(sizes) == 4 else sizes[-1]
        assert dimensions is not None
        return len(sizes) - 1, dimensions


def _reached(model: Any) -> dict[str, Any]:
    """Every named tensor that the input has an influence on, in order, with its output port."""
    reached = {node.get_name() for node in model.get_parameters()}
    ports: dict[str, Any] = {}
    for node in model.get_ordered_ops():
        if node.get_type_name() in ("ShapeOf", "Result"):
            continue
        if any(value.get_source_output().get_node().get_name() in reached for value in node.inputs()):
            reached.add(node.get_name())
            ports.update((name, port) for port in node.outputs() for name in sorted(port.get_names()))
    return ports


def _with_preprocessing(model: Any, mean: Sequence[float], std: Sequence[float]) -> Any:
    """Put uint8 (1, h, w, 3) -> (pixel - mean) / std, channels first, in front of a network."""
    import openvino
    from openvino.preprocess import PrePostProcessor

    element = model.inputs[0].get_element_type()
    steps = PrePostProcessor(model)
    steps.input().tensor().set_element_type(openvino.Type.u8).set_layout(openvino.Layout("NHWC"))
    steps.input().model().set_layout(openvino.Layout("NCHW"))
    chain = steps.input().preprocess().convert_element_type(openvino.Type.f32)
    chain.convert_layout(openvino.Layout("NCHW")).mean(list(mean)).scale(list(std)).convert_element_type(
        element
    )
    for index in range(len(model.outputs)):
        steps.output(index).tensor().set_element_type(openvino.Type.f32)
    return steps.build()


def _last_line(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[-1] if lines else type(error).__name__
