"""Pixels to vectors: networks, what decides their output, and how to run them."""

from __future__ import annotations

import sys

from lookalike.encoders.base import Encoder, Encoding
from lookalike.encoders.info import EncoderInfo, Layer
from lookalike.encoders.registry import DEFAULT_ENCODER, available, encoder_from_spec, load_encoder
from lookalike.encoders.spec import POOLINGS, RESIZES, EncoderSpec, Pooling, Resize

# OpenVINO tells its makers over the network that it is used, whenever it is imported, unless this package is missing.
# What runs offline calls nobody.
sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]

__all__ = [
    "DEFAULT_ENCODER",
    "POOLINGS",
    "RESIZES",
    "Encoder",
    "EncoderInfo",
    "EncoderSpec",
    "Encoding",
    "Layer",
    "Pooling",
    "Resize",
    "available",
    "encoder_from_spec",
    "load_encoder",
]
