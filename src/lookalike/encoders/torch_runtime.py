"""The PyTorch runtime: batches on the CPU or a CUDA device."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from lookalike.encoders.base import Encoder, Encoding
from lookalike.encoders.messages import near_misses
from lookalike.encoders.pooling import Features, choose_pooling, pool
from lookalike.encoders.preprocessing import Preprocessing
from lookalike.encoders.resize import resize
from lookalike.encoders.spec import EncoderSpec, Pooling
from lookalike.encoders.torch_import import import_torch
from lookalike.errors import EncoderError, InputError
from lookalike.types import Image

CPU_BATCH = 8
CUDA_BATCH = 32

Pixels = npt.NDArray[np.uint8]
Forward = Callable[[Any], tuple[Any, Any]]
"""float32 tensor (n, 3, h, w), normalised -> (features, logits or None), both with n rows."""


@dataclass(frozen=True, slots=True)
class Layout:
    """How to read the features of a network.

    Args:
        channels_last: Whether its maps are (n, h, w, c) instead of (n, c, h, w).
        prefix: Leading tokens that stand for no place in the image.
        grid: Rows and columns of the places that the other tokens stand for; None when not known.
    """

    channels_last: bool = False
    prefix: int = 0
    grid: tuple[int, int] | None = None

    def prefix_of(self, tokens: int) -> int:
        """Leading tokens without a place in a sequence: none where a layer lies before they are added."""
        if self.grid is not None and tokens != self.grid[0] * self.grid[1] + self.prefix:
            return 0
        return self.prefix

    def as_map(self, tokens: Features) -> Features | None:
        """Tokens as float32 (h, w, c) where their places are known."""
        places = tokens[self.prefix_of(len(tokens)) :]
        if self.grid is None or len(places) != self.grid[0] * self.grid[1]:
            return None
        return places.reshape(*self.grid, -1)


class TorchEncoder(Encoder):
    """Runs a PyTorch network in float32.

    Results are those of a single image up to rounding: PyTorch picks its kernels by batch size and thread
    count, which moves the last bits (relative 1e-5). Several threads may call :meth:`encode`; the network
    runs one batch at a time.

    Args:
        spec: What decides the output.
        forward: The network up to the spec's layer.
        layout: How to read its features.
        device: ``cpu`` or ``cuda``.
        labels: Names of the classes, or ().
    """

    def __init__(
        self, spec: EncoderSpec, forward: Forward, layout: Layout, device: str, *, labels: Sequence[str] = ()
    ) -> None:
        self.spec = spec
        self.labels = tuple(labels)
        self.device = device
        self._forward = forward
        self._layout = layout
        self._lock = threading.Lock()

    def prepare(self, image: Image) -> Pixels:
        """Resize to the network's input; see :meth:`Encoder.prepare`."""
        return resize(image, self.spec)

    def encode(self, inputs: Iterable[Pixels], *, spatial: bool = False) -> Iterator[Encoding]:
        """Encode a stream in order, batch by batch; see :meth:`Encoder.encode`.

        Raises:
            InputError: If an input is not what :meth:`prepare` returns.
            EncoderError: If the network fails, for want of memory for example.
        """
        stream = iter(inputs)
        size = CUDA_BATCH if self.device == "cuda" else CPU_BATCH
        while batch := list(islice(stream, size)):
            features, logits = self._run(batch)
            for row in range(len(batch)):
                yield self._encoding(features[row], None if logits is None else logits[row], spatial)

    def _run(self, batch: list[Pixels]) -> tuple[Features, Features | None]:
        expected = (self.spec.height, self.spec.width, 3)
        for pixels in batch:
            if pixels.shape != expected or pixels.dtype != np.uint8:
                raise InputError(
                    f"an input of {pixels.dtype} {pixels.shape} is not prepared: expected uint8 {expected}, "
                    "as encoder.prepare(image) returns it"
                )
        with self._lock:
            try:
                return run(self._forward, np.stack(batch), self.spec.mean, self.spec.std, self.device)
            except RuntimeError as error:
                raise EncoderError(
                    f"encoder {self.spec.name} failed on {len(batch)} images: {error}"
                ) from error

    def _encoding(self, features: Features, logits: Features | None, spatial: bool) -> Encoding:
        features = _channels_last(features, self._layout)
        prefix = self._layout.prefix_of(len(features)) if features.ndim == 2 else 0
        places = None
        if spatial and features.ndim == 3:
            places = np.array(features, np.float32, order="C")
        elif spatial and features.ndim == 2:
            places = self._layout.as_map(features)
        return Encoding(pool(features, self.spec.pooling, prefix=prefix), logits, places)


def run(
    forward: Forward, pixels: Pixels, mean: Sequence[float], std: Sequence[float], device: str
) -> tuple[Features, Features | None]:
    """One batch through a network.

    Args:
        forward: The network.
        pixels: uint8 (n, h, w, 3).
        mean, std: Per channel on the 0 to 255 scale.
        device: ``cpu`` or ``cuda``.

    Returns:
        Features and logits, float32 with n rows; logits None when the network has none.
    """
    torch = import_torch()
    with torch.inference_mode(), torch.backends.cudnn.flags(enabled=True, benchmark=False, allow_tf32=False):
        images = torch.from_numpy(pixels).to(device).float()
        images = (images - torch.tensor(mean, device=device)) / torch.tensor(std, device=device)
        features, logits = forward(images.permute(0, 3, 1, 2).contiguous())
        return features.float().cpu().numpy(), None if logits is None else logits.float().cpu().numpy()


def build_spec(
    forward: Forward,
    layout: Layout,
    preprocessing: Preprocessing,
    device: str,
    *,
    name: str,
    weights: str,
    layer: str,
    pooling: Pooling | None,
) -> EncoderSpec:
    """Run a black image to learn the shape of a layer's output, and choose its pooling.

    Raises:
        InputError: If the pooling does not fit the layer.
        EncoderError: If the layer's output is no map, token sequence or vector.
    """
    black = np.zeros((1, preprocessing.height, preprocessing.width, 3), np.uint8)
    try:
        features, _ = run(forward, black, preprocessing.mean, preprocessing.std, device)
    except (RuntimeError, AttributeError, TypeError) as error:
        raise EncoderError(
            f"layer {layer!r} of {name} does not give one tensor for an image: {error}. Choose another layer"
        ) from error
    if features.ndim not in (2, 3, 4) or len(features) != 1:
        raise EncoderError(
            f"layer {layer!r} of {name} gives {features.shape} for one image: expected a map, tokens or a "
            "vector; choose another layer"
        )
    one = _channels_last(features[0], layout)
    prefix = layout.prefix_of(len(one)) if one.ndim == 2 else None
    return preprocessing.spec(
        name=name,
        weights=weights,
        layer=layer,
        pooling=choose_pooling(pooling, rank=one.ndim, layer=layer, prefix=prefix),
        dimensions=one.shape[-1],
    )


def _channels_last(features: Features, layout: Layout) -> Features:
    return features.transpose(1, 2, 0) if features.ndim == 3 and not layout.channels_last else features


class _Reached(Exception):
    """Not an error: ends a forward pass at the layer asked for."""

    def __init__(self, output: Any) -> None:
        self.output = output


def module_output(root: Any, call: Callable[[Any], Any], layer: str, others: Sequence[str]) -> Forward:
    """A network cut off after one of its modules.

    The pass ends there by an exception, so it costs no more than the layer needs and shares no state between
    threads.

    Args:
        root: The module that holds the layer.
        call: The pass that reaches it.
        layer: Dotted name below ``root``.
        others: Names that are valid beside the modules', for the message.

    Raises:
        InputError: If there is no such module; lists those that there are.
    """
    names = [name for name, _ in root.named_modules() if name]
    if layer not in names:
        raise InputError(
            f"there is no layer {layer!r} in this network: {near_misses(layer, [*others, *names])}"
        )

    def stop(_module: Any, _arguments: Any, output: Any) -> None:
        raise _Reached(output)

    root.get_submodule(layer).register_forward_hook(stop)

    def forward(images: Any) -> tuple[Any, Any]:
        try:
            call(images)
        except _Reached as reached:
            return reached.output, None
        raise EncoderError(f"the network does not pass through its layer {layer!r}: choose another layer")

    return forward


def state_hash(architecture: str, state: Mapping[str, Any]) -> str:
    """SHA-256 over a network: its tensors' names, types, shapes and bytes, sorted by name, and the rest.

    Args:
        architecture: What tells it from another network with the same tensors, such as its activation.
        state: Its state dictionary.
    """
    digest = hashlib.sha256(f"{architecture}\n".encode())
    for name in sorted(state):
        array = state[name].detach().cpu().contiguous()
        digest.update(f"{name} {array.dtype} {tuple(array.shape)}\n".encode())
        digest.update(array.reshape(-1).view(import_torch().uint8).numpy().data)
    return digest.hexdigest()


def choose_device(threads: int | None) -> str:
    """``cuda`` where there is a device, else ``cpu``; sets PyTorch's threads, which all its users share."""
    torch = import_torch()
    if threads is not None:
        torch.set_num_threads(threads)
    return "cuda" if torch.cuda.is_available() else "cpu"


def check_checkpoint(path: Path, name: str) -> None:
    """Refuse a checkpoint that is not there.

    Raises:
        EncoderError: If it is not a file.
    """
    if not path.is_file():
        raise EncoderError(
            f"there is no checkpoint {path}: expected a .safetensors, .pth or .bin file after {name}@"
        )
