"""``onnx:PATH``: any image network of the user's, with an optional JSON file that says how to feed it.

The JSON file has the network's name and the suffix ``.json`` (``net.onnx``, ``net.json``). It may hold:

| key | meaning | default |
| --- | --- | --- |
| ``input_size`` | ``224`` or ``[height, width]`` in pixels | the network's, or 224 where it takes any size |
| ``mean``, ``std`` | three numbers each on the 0 to 255 scale: input = (pixel - mean) / std | ImageNet's |
| ``resize`` | ``pad``, ``crop`` or ``squash`` | ``crop`` |
| ``crop_fraction`` | with ``crop``: share of the shorter side that is kept, in (0, 1] | 1 |
| ``fill`` | with ``pad``: ``[r, g, b]`` of the border, 0 to 255 | ``mean`` |
| ``interpolation`` | ``bilinear`` or ``bicubic`` | ``bicubic`` |
| ``layer`` | name of the tensor to use | the first output |
| ``pooling`` | how that tensor becomes a vector | ``gap`` for a map, ``cls`` for tokens |
| ``logits`` | name of the tensor with one number a class | none |
| ``labels`` | list of class names, or the name of a text file beside it with one a line | none |
| ``licence``, ``provenance`` | notes for people | none |
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lookalike.encoders.messages import near_misses
from lookalike.encoders.onnx_network import OnnxNetwork, weights_hash
from lookalike.encoders.openvino_runtime import OpenVinoEncoder
from lookalike.encoders.pooling import choose_pooling
from lookalike.encoders.preprocessing import IMAGENET_MEAN, IMAGENET_STD, Preprocessing
from lookalike.encoders.spec import POOLINGS, Pooling, Resize
from lookalike.errors import EncoderError

PREFIX = "onnx:"
DEFAULT_SIZE = 224
KEYS = (
    "input_size",
    "mean",
    "std",
    "resize",
    "crop_fraction",
    "fill",
    "interpolation",
    "layer",
    "pooling",
    "logits",
    "labels",
    "licence",
    "provenance",
)


@dataclass(frozen=True, slots=True)
class Sidecar:
    """What the JSON file beside a network says of it; see the table above."""

    preprocessing: Preprocessing
    layer: str | None
    pooling: Pooling | None
    logits: str | None
    labels: tuple[str, ...]


def load(
    path: Path,
    *,
    layer: str | None = None,
    pooling: Pooling | None = None,
    resize: Resize | None = None,
    threads: int | None = None,
) -> OpenVinoEncoder:
    """Load an ONNX file as an encoder.

    Args:
        path: The file; it takes one RGB image as float (batch, 3, height, width).
        layer: Name of any tensor in it; the JSON file's, or the first output, when None.
        pooling: Must fit the layer; the JSON file's, when it has one for this layer, or the default.
        resize: The policy; the JSON file's when None.
        threads: CPU threads; None for all.

    Raises:
        InputError: If the layer, the pooling or the policy is not one of them.
        EncoderError: If the file or its JSON file cannot be used.
    """
    if not path.is_file():
        raise EncoderError(f"there is no network at {path}: expected the path of an .onnx file after 'onnx:'")
    network = OnnxNetwork(path)
    sidecar = read_sidecar(path.with_suffix(".json"), network.height, network.width)
    pooling = pooling or (sidecar.pooling if layer in (None, sidecar.layer) else None)
    layer = layer or sidecar.layer or _first_output(network)
    preprocessing = sidecar.preprocessing.with_resize(resize)
    compiled = network.compile(
        layer,
        sidecar.logits,
        height=preprocessing.height,
        width=preprocessing.width,
        mean=preprocessing.mean,
        std=preprocessing.std,
        threads=threads,
    )
    spec = preprocessing.spec(
        name=f"{PREFIX}{path.resolve()}",
        weights=weights_hash(path),
        layer=layer,
        pooling=choose_pooling(pooling, rank=compiled.rank, layer=layer),
        dimensions=compiled.dimensions,
    )
    encoder = OpenVinoEncoder(spec, compiled, has_logits=sidecar.logits is not None, labels=sidecar.labels)
    if sidecar.labels and encoder.classes != len(sidecar.labels):
        raise EncoderError(
            f"{path.with_suffix('.json')} names {len(sidecar.labels)} labels, but {sidecar.logits!r} has "
            f"{encoder.classes} classes: expected one label a class"
        )
    return encoder


def read_sidecar(path: Path, height: int | None, width: int | None) -> Sidecar:
    """Read the JSON file of a network.

    Args:
        path: The JSON file; when there is none, the defaults of the table above are taken.
        height, width: The network's input, pixels; None where it takes any.

    Raises:
        EncoderError: If the file does not say what it must; names the key.
    """
    values: dict[str, Any] = {}
    if path.is_file():
        try:
            values = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise EncoderError(f"{path} is not a JSON file that can be read: {error}") from None
        if not isinstance(values, dict):
            raise EncoderError(f"{path} holds {type(values).__name__}, expected one JSON object")
        for key in values:
            if key not in KEYS:
                raise EncoderError(f"{path} has a key {key!r} that means nothing: {near_misses(key, KEYS)}")
    try:
        return _sidecar(values, path, height, width)
    except (OSError, TypeError, ValueError, IndexError, EncoderError) as error:
        raise EncoderError(f"{path} cannot be used: {error}") from None


def _sidecar(values: Mapping[str, Any], path: Path, height: int | None, width: int | None) -> Sidecar:
    size = values.get("input_size", [height or DEFAULT_SIZE, width or DEFAULT_SIZE])
    rows, columns = (int(size), int(size)) if isinstance(size, int) else (int(size[0]), int(size[1]))
    if height not in (None, rows) or width not in (None, columns):
        raise EncoderError(f"input_size is {size}, but the network takes {height} x {width} only")
    fill = values.get("fill")
    labels = values.get("labels", [])
    if isinstance(labels, str):
        labels = (path.parent / labels).read_text(encoding="utf-8").splitlines()
    logits = _text(values, "logits")
    if labels and logits is None:
        raise EncoderError("it has labels, but no 'logits' to say which tensor they belong to")
    default = Preprocessing(rows, columns)
    return Sidecar(
        preprocessing=Preprocessing(
            rows,
            columns,
            mean=_three(values.get("mean", IMAGENET_MEAN), "mean"),
            std=_three(values.get("std", IMAGENET_STD), "std"),
            resize=values.get("resize", default.resize),
            interpolation=values.get("interpolation", default.interpolation),
            crop_fraction=float(values.get("crop_fraction", default.crop_fraction)),
            fill=None if fill is None else _colour(fill),
        ),
        layer=_text(values, "layer"),
        pooling=_pooling(values),
        logits=logits,
        labels=tuple(str(label) for label in labels),
    )


def _three(value: Any, key: str) -> tuple[float, float, float]:
    if not isinstance(value, list | tuple) or len(value) != 3:
        raise ValueError(f"{key} is {value!r}, expected three numbers on the 0 to 255 scale")
    return float(value[0]), float(value[1]), float(value[2])


def _colour(value: Any) -> tuple[int, int, int]:
    red, green, blue = (int(part) for part in _three(value, "fill"))
    if min(red, green, blue) < 0 or max(red, green, blue) > 255:
        raise ValueError(f"fill is {value!r}, expected three numbers from 0 to 255")
    return red, green, blue


def _text(values: Mapping[str, Any], key: str) -> str | None:
    value = values.get(key)
    if value is not None and not isinstance(value, str):
        raise ValueError(f"{key} is {value!r}, expected a string")
    return value


def _pooling(values: Mapping[str, Any]) -> Pooling | None:
    value = values.get("pooling")
    if value not in (None, *POOLINGS):
        raise ValueError(f"pooling is {value!r}: choose one of {', '.join(POOLINGS)}")
    return value


def _first_output(network: OnnxNetwork) -> str:
    if not network.outputs:
        raise EncoderError(f"{network.path} names no output: name a layer")
    return network.outputs[0]
