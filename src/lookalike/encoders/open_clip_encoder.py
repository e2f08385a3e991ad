"""``open_clip:ARCH/TAG`` and ``open_clip:ARCH[/TAG]@CHECKPOINT``: networks with an image and a text tower."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from lookalike.encoders.hub import fetching
from lookalike.encoders.messages import gist, near_misses
from lookalike.encoders.preprocessing import INTERPOLATIONS, Preprocessing
from lookalike.encoders.spec import EncoderSpec, Pooling, Resize
from lookalike.encoders.torch_import import import_open_clip, import_torch
from lookalike.encoders.torch_runtime import (
    Forward,
    Layout,
    TorchEncoder,
    build_spec,
    check_checkpoint,
    choose_device,
    module_output,
    state_hash,
)
from lookalike.errors import EncoderError, InputError

EMBEDDING = "image"
"""The default layer: the image tower's embedding, which texts share. Others are modules of the tower."""

TEXT_BATCH = 64
_POLICIES: dict[str, Resize] = {"shortest": "crop", "longest": "pad", "squash": "squash"}


class OpenClipEncoder(TorchEncoder):
    """An image tower, and the text tower that shares its space when the layer is the embedding itself."""

    def __init__(
        self, spec: EncoderSpec, forward: Forward, device: str, *, model: Any, tokenizer: Any | None
    ) -> None:
        super().__init__(spec, forward, Layout(), device)
        self._model = model
        self._tokenizer = tokenizer
        self.has_text = tokenizer is not None

    def encode_text(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        """Raw text embeddings, float32 (n, d), comparable with the image embeddings.

        Raises:
            InputError: If the layer asked for is not the embedding that texts share.
        """
        if self._tokenizer is None:
            raise InputError(
                f"layer {self.spec.layer!r} of {self.spec.name} shares no space with texts: leave the layer "
                f"out (or say {EMBEDDING!r}) to search by text"
            )
        torch = import_torch()
        rows = [np.empty((0, self.spec.dimensions), np.float32)]
        with self._lock, torch.inference_mode():
            for start in range(0, len(texts), TEXT_BATCH):
                tokens = self._tokenizer(list(texts[start : start + TEXT_BATCH])).to(self.device)
                rows.append(self._model.encode_text(tokens).float().cpu().numpy())
        return np.concatenate(rows)


def load(
    network: str,
    checkpoint: Path | None,
    *,
    layer: str | None = None,
    pooling: Pooling | None = None,
    resize: Resize | None = None,
    threads: int | None = None,
) -> OpenClipEncoder:
    """Load a network of OpenCLIP.

    Args:
        network: ``ARCH/TAG``; with a checkpoint the tag may be left out, and says how it was trained.
        checkpoint: A local file of weights, or None for the tag's own.
        layer: ``image`` (default), or the name of any module of the image tower.
        pooling: Must fit the layer.
        resize: The policy; the tag's own when None.
        threads: For the whole process; None leaves PyTorch's setting.

    Raises:
        InputError: If the architecture, tag, layer, pooling or policy is not known.
        EncoderError: If the weights do not fit.
        HubUnreachable: If weights or tokenizer cannot be fetched.
        MissingExtra: If OpenCLIP is not installed.
    """
    open_clip = import_open_clip()
    arch, _, tag = network.partition("/")
    _check_names(open_clip, arch, tag, checkpoint)
    name = f"open_clip:{network}" + (f"@{checkpoint.resolve()}" if checkpoint else "")
    trained: dict[str, Any] = open_clip.get_pretrained_cfg(arch, tag) if tag else {}
    with fetching(name, f"open_clip:{network}@/path/to/weights.safetensors"):
        model = _create(open_clip, arch, trained, checkpoint)
        tokenizer = open_clip.get_tokenizer(arch) if layer in (None, EMBEDDING) else None
    layer = layer or EMBEDDING
    device = choose_device(threads)
    weights = state_hash(f"{arch} quick_gelu={_quick_gelu(trained)}", model.state_dict())
    model.to(device).eval()
    forward: Forward = (
        (lambda images: (model.encode_image(images), None))
        if layer == EMBEDDING
        else module_output(model.visual, model.visual, layer, (EMBEDDING,))
    )
    spec = build_spec(
        forward,
        Layout(),
        _preprocessing(model.visual.preprocess_cfg).with_resize(resize),
        device,
        name=name,
        weights=weights,
        layer=layer,
        pooling=pooling,
    )
    return OpenClipEncoder(spec, forward, device, model=model, tokenizer=tokenizer)


def _check_names(open_clip: Any, arch: str, tag: str, checkpoint: Path | None) -> None:
    architectures = open_clip.list_models()
    if arch not in architectures:
        raise InputError(f"OpenCLIP has no architecture {arch!r}: {near_misses(arch, architectures)}")
    tags = open_clip.list_pretrained_tags_by_model(arch)
    if tag not in tags and not (checkpoint and not tag):
        raise InputError(f"OpenCLIP has no weights {arch}/{tag}: {near_misses(tag, tags)}")
    if checkpoint is not None:
        check_checkpoint(checkpoint, f"open_clip:{arch}")


def _quick_gelu(trained: Mapping[str, Any]) -> bool:
    """Whether the weights were trained with OpenAI's approximate GELU; no tensor of theirs shows it."""
    return bool(trained.get("quick_gelu"))


def _create(open_clip: Any, arch: str, trained: Mapping[str, Any], checkpoint: Path | None) -> Any:
    """The network with its weights, its activation and its preprocessing as the tag was trained with."""
    own = {field.name for field in dataclasses.fields(open_clip.transform.PreprocessCfg)}
    path = checkpoint or open_clip.download_pretrained(trained)
    try:
        return open_clip.create_model(
            arch,
            pretrained=str(path),
            force_quick_gelu=_quick_gelu(trained),
            force_preprocess_cfg={key: value for key, value in trained.items() if key in own},
            pretrained_text=False,
        )
    except OSError:  # the text tower's own files are on the hub
        raise
    except Exception as error:  # a file that holds something else makes its readers raise anything
        raise EncoderError(f"{path} does not hold the weights of OpenCLIP's {arch}: {gist(error)}") from error


def _preprocessing(config: dict[str, Any]) -> Preprocessing:
    """The network's own configuration, on the 0 to 255 scale."""
    interpolation, mode = config["interpolation"], config["resize_mode"]
    if interpolation not in INTERPOLATIONS or mode not in _POLICIES:
        raise EncoderError(
            f"the network wants interpolation {interpolation!r} and resize mode {mode!r}: expected one of "
            f"{', '.join(INTERPOLATIONS)}, and one of {', '.join(_POLICIES)}"
        )
    size = config["size"]
    height, width = (size, size) if isinstance(size, int) else size
    mean, std = (tuple(round(255.0 * value, 6) for value in config[key]) for key in ("mean", "std"))
    fill = int(config["fill_color"])
    return Preprocessing(
        height,
        width,
        mean=(mean[0], mean[1], mean[2]),
        std=(std[0], std[1], std[2]),
        resize=_POLICIES[mode],
        interpolation=interpolation,
        fill=(fill, fill, fill),
    )
