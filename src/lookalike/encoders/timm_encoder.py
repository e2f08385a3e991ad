"""``timm:NAME`` and ``timm:NAME@CHECKPOINT``: networks of timm (PyTorch Image Models)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from lookalike.encoders.bundled import imagenet_labels
from lookalike.encoders.hub import fetching
from lookalike.encoders.messages import gist, near_misses
from lookalike.encoders.preprocessing import INTERPOLATIONS, Preprocessing
from lookalike.encoders.spec import Pooling, Resize
from lookalike.encoders.torch_import import import_timm
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

EMBEDDING, FEATURES = "pre_logits", "features"
"""The two layers that every network of timm has: what its classifier sees, and the map or tokens before that
are pooled."""

IMAGENET_CLASSES = 1000
_POLICIES: dict[str, Resize] = {"center": "crop", "squash": "squash", "border": "pad"}


def load(
    network: str,
    checkpoint: Path | None,
    *,
    layer: str | None = None,
    pooling: Pooling | None = None,
    resize: Resize | None = None,
    threads: int | None = None,
) -> TorchEncoder:
    """Load a network of timm.

    Args:
        network: Its name, with the tag of its weights where there are several (``resnet50.a1_in1k``).
        checkpoint: A local file of weights, or None for timm's own.
        layer: ``pre_logits`` (default; ``features`` when a pooling is asked for), ``features``, or the name
            of any module.
        pooling: Must fit the layer; None for ``none``, ``gap``, ``cls`` or ``tokens-mean``, as it needs.
        resize: The policy; the network's own when None.
        threads: For the whole process; None leaves PyTorch's setting.

    Raises:
        InputError: If the network, layer, pooling or policy is not known.
        EncoderError: If the weights do not fit or there are none.
        HubUnreachable: If the weights cannot be fetched.
        MissingExtra: If timm is not installed.
    """
    timm = import_timm()
    if not timm.is_model(network):
        raise InputError(f"timm has no network {network!r}: {near_misses(network, timm.list_models())}")
    name = f"timm:{network}@{checkpoint.resolve()}" if checkpoint else f"timm:{network}"
    model = (_from_file(timm, network, checkpoint) if checkpoint else _pretrained(timm, network)).eval()
    device = choose_device(threads)
    weights = state_hash(network.partition(".")[0], model.state_dict())
    model.to(device)
    preprocessing = _preprocessing(timm, model).with_resize(resize)
    layer = layer or (EMBEDDING if pooling is None else FEATURES)
    forward, layout = _forward(model, layer), _layout(model, layer)
    spec = build_spec(
        forward, layout, preprocessing, device, name=name, weights=weights, layer=layer, pooling=pooling
    )
    has_labels = layer in (EMBEDDING, FEATURES) and model.num_classes == IMAGENET_CLASSES
    return TorchEncoder(spec, forward, layout, device, labels=imagenet_labels() if has_labels else ())


def _pretrained(timm: Any, network: str) -> Any:
    if not timm.is_model_pretrained(network):
        raise EncoderError(
            f"timm has no weights for {network!r}, and random ones would be worthless: choose a name of "
            f"timm.list_models(pretrained=True), or give your own as timm:{network}@/path/to/weights"
        )
    with fetching(f"timm:{network}", f"timm:{network}@/path/to/weights.safetensors"):
        return timm.create_model(network, pretrained=True)


def _from_file(timm: Any, network: str, checkpoint: Path) -> Any:
    """The network with the weights of a file, and with as many classes as the file has."""
    check_checkpoint(checkpoint, f"timm:{network}")
    try:
        state = timm.models.load_state_dict(str(checkpoint))
        model = timm.create_model(network, pretrained=False)
        classifier = model.pretrained_cfg.get("classifier")
        weight = state.get(f"{classifier}.weight") if isinstance(classifier, str) else None
        if weight is not None and len(weight) != model.num_classes:
            model = timm.create_model(network, pretrained=False, num_classes=len(weight))
        model.load_state_dict(state)
    except Exception as error:  # a file that holds something else makes its readers raise anything
        raise EncoderError(
            f"{checkpoint} does not hold the weights of timm's {network}: {gist(error)}"
        ) from error
    return model


def _preprocessing(timm: Any, model: Any) -> Preprocessing:
    """The network's own configuration, on the 0 to 255 scale."""
    config = timm.data.resolve_model_data_config(model)
    if config["interpolation"] not in INTERPOLATIONS or config["crop_mode"] not in _POLICIES:
        raise EncoderError(
            f"the network wants interpolation {config['interpolation']!r} and crop mode "
            f"{config['crop_mode']!r}: expected one of {', '.join(INTERPOLATIONS)}, and one of "
            f"{', '.join(_POLICIES)}"
        )
    _, height, width = config["input_size"]
    mean, std = (tuple(round(255.0 * value, 6) for value in config[key]) for key in ("mean", "std"))
    return Preprocessing(
        height,
        width,
        mean=(mean[0], mean[1], mean[2]),
        std=(std[0], std[1], std[2]),
        resize=_POLICIES[config["crop_mode"]],
        interpolation=config["interpolation"],
        crop_fraction=min(config["crop_pct"], 1.0),
    )


def _layout(model: Any, layer: str) -> Layout:
    """A module may say its own format; else the network's holds."""
    own = None if layer in (EMBEDDING, FEATURES) else getattr(model.get_submodule(layer), "output_fmt", None)
    patches = getattr(model, "patch_embed", None)
    grid = getattr(patches, "grid_size", None)
    return Layout(
        channels_last=str(own or getattr(model, "output_fmt", "NCHW")).endswith("NHWC"),
        prefix=int(getattr(model, "num_prefix_tokens", 0)),
        grid=(int(grid[0]), int(grid[1])) if grid else None,
    )


def _forward(model: Any, layer: str) -> Forward:
    if layer not in (EMBEDDING, FEATURES):
        return module_output(model, model, layer, (EMBEDDING, FEATURES))

    def forward(images: Any) -> tuple[Any, Any]:
        features = model.forward_features(images)
        embedding = model.forward_head(features, pre_logits=True) if layer == EMBEDDING else features
        has_logits = model.num_classes == IMAGENET_CLASSES
        return embedding, model.forward_head(features) if has_logits else None

    return forward
