"""Pixels to vectors: networks, what decides their output, and how to run them."""

from __future__ import annotations

from lookalike.encoders.base import Encoder, Encoding
from lookalike.encoders.info import EncoderInfo, Layer
from lookalike.encoders.registry import DEFAULT_ENCODER, available, encoder_from_spec, load_encoder
from lookalike.encoders.spec import POOLINGS, RESIZES, EncoderSpec, Pooling, Resize

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
