"""The encoders that come with the package: EfficientNet-Lite, offline, on the CPU.

The files beside this module are written by ``tools/convert_efficientnet_lite.py``; ``bundled.json`` says
where each came from and what its bytes must be.
"""

from __future__ import annotations

import hashlib
import json
from functools import cache
from pathlib import Path
from typing import Any

from lookalike.encoders.info import EncoderInfo, Layer
from lookalike.encoders.messages import near_misses
from lookalike.encoders.onnx_network import OnnxNetwork
from lookalike.encoders.openvino_runtime import OpenVinoEncoder
from lookalike.encoders.pooling import choose_pooling
from lookalike.encoders.preprocessing import Preprocessing
from lookalike.encoders.spec import Pooling, Resize
from lookalike.errors import EncoderError, InputError

FOLDER = Path(__file__).parent

CROP_BORDER = 32
"""Pixels of the scaled image that the centre crop leaves out: how these networks were trained and evaluated
(``CROP_PADDING`` of the original release)."""

PAD_COLOUR = (255, 255, 255)
"""White. Black measured alike, the mean grey 4 to 6 points of recall@1 lower (customer photo to product)."""


@cache
def _manifest() -> dict[str, Any]:
    manifest: dict[str, Any] = json.loads((FOLDER / "bundled.json").read_text(encoding="utf-8"))
    return manifest


def _file(name: str, sha256: str) -> Path:
    """The path of a bundled file whose bytes are what they must be."""
    path = FOLDER / name
    try:
        got = hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise EncoderError(f"the bundled {path} cannot be read ({error}): install lookalike again") from None
    if got != sha256:
        raise EncoderError(
            f"the bundled {path} is damaged: its SHA-256 is {got}, expected {sha256}. Install lookalike again"
        )
    return path


@cache
def imagenet_labels() -> tuple[str, ...]:
    """The 1,000 classes of ImageNet-1k in order, one word or phrase each.

    Two words stand for two classes each, as they do in WordNet: crane and maillot.
    """
    entry = _manifest()["labels"]
    return tuple(_file(entry["file"], entry["sha256"]).read_text(encoding="utf-8").splitlines())


def names() -> tuple[str, ...]:
    """The bundled encoders."""
    return tuple(_manifest()["encoders"])


def describe(name: str) -> EncoderInfo:
    """What ``lookalike encoders`` shows of a bundled encoder."""
    entry = _manifest()["encoders"][name]
    layers = tuple(Layer(layer["name"], layer["channels"]) for layer in entry["layers"])
    return EncoderInfo(
        name=name,
        layers=layers,
        default_layer=entry["default_layer"],
        height=entry["height"],
        width=entry["width"],
        dimensions=next(layer.dimensions for layer in layers if layer.name == entry["default_layer"]),
        licence=entry["licence"],
        provenance=entry["provenance"],
        has_text=False,
        extra=None,
    )


def load(
    name: str,
    *,
    layer: str | None = None,
    pooling: Pooling | None = None,
    resize: Resize | None = None,
    threads: int | None = None,
) -> OpenVinoEncoder:
    """Load a bundled encoder.

    Args:
        name: One of :func:`names`.
        layer: ``stem``, ``stage1`` to ``stage7`` or ``head`` (default). Only the part of the network up to it
            runs, so the class logits, and with them the labels, come with ``head`` alone.
        pooling: ``gap`` (default), ``gem`` or ``max``.
        resize: ``pad``, ``crop`` or ``squash``.
        threads: CPU threads; None for all.

    Raises:
        InputError: If the layer or the pooling is not one of them.
        EncoderError: If the bundled file is damaged.
    """
    entry = _manifest()["encoders"][name]
    layers = [known["name"] for known in entry["layers"]]
    layer = layer or entry["default_layer"]
    if layer not in layers:
        raise InputError(f"{name} has no layer {layer!r}: {near_misses(layer, layers)}")
    chosen = choose_pooling(pooling, rank=3, layer=layer)
    size = entry["height"]
    preprocessing = Preprocessing(
        size,
        entry["width"],
        tuple(entry["mean"]),
        tuple(entry["std"]),
        crop_fraction=size / (size + CROP_BORDER),
        fill=PAD_COLOUR,
    ).with_resize(resize)
    has_logits = layer == entry["default_layer"]
    network = OnnxNetwork(_file(entry["file"], entry["sha256"])).compile(
        layer,
        entry["logits"] if has_logits else None,
        height=preprocessing.height,
        width=preprocessing.width,
        mean=preprocessing.mean,
        std=preprocessing.std,
        threads=threads,
    )
    spec = preprocessing.spec(
        name=name, weights=entry["sha256"], layer=layer, pooling=chosen, dimensions=network.dimensions
    )
    return OpenVinoEncoder(
        spec, network, has_logits=has_logits, labels=imagenet_labels() if has_logits else ()
    )
