"""Encoders by name, loaded once for each process."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

from lookalike.encoders import bundled, onnx_file
from lookalike.encoders.base import Encoder
from lookalike.encoders.info import EncoderInfo
from lookalike.encoders.messages import near_misses
from lookalike.encoders.spec import POOLINGS, RESIZES, EncoderSpec, Pooling, Resize
from lookalike.errors import FingerprintMismatch, InputError

DEFAULT_ENCODER = "efficientnet-lite0"

TIMM = "timm:"
OPEN_CLIP = "open_clip:"
FAMILIES = ("onnx:PATH", "timm:NAME", "open_clip:ARCH/TAG")

KEPT = 16
"""Choices whose encoder stays ready; the one asked for longest ago goes first."""

_Choice = tuple[str | None, Pooling | None, Resize | None, int | None]
"""Layer, pooling, resize and threads as asked for."""

_Key = tuple[object, _Choice]
_loaded: OrderedDict[_Key, Encoder] = OrderedDict()
_loading: dict[_Key, threading.Lock] = {}
_guard = threading.Lock()


def load_encoder(
    name: str = DEFAULT_ENCODER,
    *,
    layer: str | None = None,
    pooling: Pooling | None = None,
    resize: Resize | None = None,
    threads: int | None = None,
) -> Encoder:
    """Load an encoder, or return the one that is loaded already. Safe on any thread.

    Args:
        name: ``efficientnet-lite0``, ``efficientnet-lite2``, ``onnx:PATH``, ``timm:NAME``,
            ``timm:NAME@CHECKPOINT``, ``open_clip:ARCH/TAG`` or ``open_clip:ARCH@CHECKPOINT``.
        layer: Whose output becomes the embedding; None for the encoder's own choice.
        pooling: How that output becomes one vector; None for the default of its kind.
        resize: How an image becomes the network's input; None for the encoder's own way.
        threads: CPU threads, at least 1; None for all cores. PyTorch has one setting for the whole process.

    Returns:
        The encoder; its ``spec`` holds what was chosen.

    Raises:
        InputError: If a name is not known; says which are.
        EncoderError: If the network cannot be loaded.
        HubUnreachable: If its weights are not on this machine and cannot be fetched.
        MissingExtra: If it needs PyTorch and PyTorch is not installed.
    """
    for argument, value, valid in (("pooling", pooling, POOLINGS), ("resize", resize, RESIZES)):
        if value is not None and value not in valid:
            raise InputError(f"{argument} {value!r} is not known: choose one of {', '.join(valid)}")
    if threads is not None and threads < 1:
        raise InputError(f"threads is {threads}, expected at least 1, or None for all cores")
    identity, load = _loader(name, layer=layer, pooling=pooling, resize=resize, threads=threads)
    return _once(identity, (layer, pooling, resize, threads), load)


def encoder_from_spec(spec: EncoderSpec, *, threads: int | None = None) -> Encoder:
    """Load the encoder that made a collection's vectors.

    Args:
        spec: As it was stored.
        threads: CPU threads, at least 1; None for all cores.

    Returns:
        An encoder with the same fingerprint.

    Raises:
        FingerprintMismatch: If the network under that name is another one now; says what differs.
        EncoderError: If it cannot be loaded.
    """
    encoder = load_encoder(
        spec.name,
        layer=spec.layer,
        pooling=spec.pooling,
        resize=spec.resize,
        threads=threads,
    )
    if encoder.spec.fingerprint != spec.fingerprint:
        stored, here = asdict(spec), asdict(encoder.spec)
        changed = [key for key in stored if key != "name" and stored[key] != here[key]]
        changes = "; ".join(f"{key} was {stored[key]}, is {here[key]}" for key in changed)
        raise FingerprintMismatch(
            expected=spec.fingerprint,
            got=encoder.spec.fingerprint,
            remedy=f"What {spec.name} is on this machine has changed ({changes}): bring back the network and "
            "the settings that the collection was made with, or embed it anew with lookalike migrate.",
        )
    return encoder


def available() -> list[EncoderInfo]:
    """Every encoder that :func:`load_encoder` accepts, the default first; families name what to fill in."""
    names = sorted(bundled.names(), key=lambda name: (name != DEFAULT_ENCODER, name))
    own = "as the network's own card says"
    return [
        *(bundled.describe(name) for name in names),
        _family("onnx:PATH", own, "any ONNX file of yours, with an optional JSON file beside it", extra=None),
        _family(
            "timm:NAME",
            own,
            "any network of timm, from the Hugging Face hub or NAME@CHECKPOINT",
            extra="torch",
        ),
        _family(
            "open_clip:ARCH/TAG",
            own,
            "any network of OpenCLIP, from its hub or ARCH@CHECKPOINT",
            extra="torch",
            has_text=True,
        ),
    ]


def may_use_gpu(name: str) -> bool:
    """Whether a network runs on a GPU, where PyTorch finds CUDA on the machine.

    Args:
        name: As of :func:`load_encoder`.
    """
    return name.startswith((TIMM, OPEN_CLIP))


def _family(
    name: str, licence: str, provenance: str, *, extra: str | None, has_text: bool = False
) -> EncoderInfo:
    return EncoderInfo(name, (), None, None, None, None, licence, provenance, has_text, extra)


def _loader(
    name: str, *, layer: str | None, pooling: Pooling | None, resize: Resize | None, threads: int | None
) -> tuple[object, Callable[[], Encoder]]:
    """What identifies the weights in this process, and how to load them."""
    if name in bundled.names():
        return name, lambda: bundled.load(name, layer=layer, pooling=pooling, resize=resize, threads=threads)
    if name.startswith(onnx_file.PREFIX):
        path = Path(name.removeprefix(onnx_file.PREFIX)).expanduser()
        files = (path, path.with_suffix(".json"))
        return (
            (name, *map(_stamp, files)),
            lambda: onnx_file.load(path, layer=layer, pooling=pooling, resize=resize, threads=threads),
        )
    if name.startswith((TIMM, OPEN_CLIP)):
        from lookalike.encoders import open_clip_encoder, timm_encoder

        family, _, rest = name.partition(":")
        network, _, checkpoint = rest.partition("@")
        weights = Path(checkpoint).expanduser() if checkpoint else None
        load = timm_encoder.load if family == "timm" else open_clip_encoder.load
        return (
            (name, _stamp(weights) if weights else None),
            lambda: load(network, weights, layer=layer, pooling=pooling, resize=resize, threads=threads),
        )
    raise InputError(f"encoder {name!r} is not known: {near_misses(name, (*bundled.names(), *FAMILIES))}")


def _stamp(path: Path) -> tuple[str, int, int] | None:
    """Tells a file that was replaced from the one that was loaded."""
    try:
        status = path.stat()
    except OSError:
        return None
    return str(path.resolve()), status.st_mtime_ns, status.st_size


def _once(identity: object, choice: _Choice, load: Callable[[], Encoder]) -> Encoder:
    """The encoder for a choice; two threads that ask for it at once load it once.

    It is kept under what was asked for and under what that came to, so that asking for the default by name
    finds it too.
    """
    key = (identity, choice)
    with _guard:
        lock = _loading.setdefault(key, threading.Lock())
    with lock:
        with _guard:
            if key in _loaded:
                _loaded.move_to_end(key)
                return _loaded[key]
        encoder = load()
        spec = encoder.spec
        with _guard:
            encoder = _loaded.setdefault(
                (identity, (spec.layer, spec.pooling, spec.resize, choice[3])), encoder
            )
            _loaded[key] = encoder
            while len(_loaded) > KEPT:
                _loading.pop(_loaded.popitem(last=False)[0], None)
        return encoder
