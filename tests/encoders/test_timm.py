from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from encoder_kinds import import_torch_stack, timm_name
from lookalike.encoders import load_encoder
from lookalike.errors import EncoderError, HubUnreachable, InputError


@pytest.fixture(scope="module")
def timm() -> Any:
    return import_torch_stack("timm")[1]


pytestmark = pytest.mark.usefixtures("timm")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("timm")


@pytest.fixture
def no_hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A hub at a local port that nobody listens on, and an empty cache."""
    constants = pytest.importorskip("huggingface_hub.constants", reason="needs the extra torch")
    monkeypatch.setattr(constants, "ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.mark.parametrize("network", ["test_vit", "test_resnet", "test_efficientnet"])
def test_embeddings_are_timms_own(timm: Any, folder: Path, photos: list[np.ndarray], network: str) -> None:
    """Against timm's transform and timm's forward pass; the two resizers differ by single grey levels."""
    import torch

    encoder = load_encoder(timm_name(folder, network))
    model = timm.create_model(network)
    model.load_state_dict(torch.load(folder / f"{network}.pth", weights_only=True))
    model.eval()
    transform = timm.data.create_transform(**timm.data.resolve_model_data_config(model), is_training=False)
    tensor = torch.stack([transform(Image.fromarray(photo)) for photo in photos])
    with torch.inference_mode():
        features = model.forward_features(tensor)
        expected = model.forward_head(features, pre_logits=True).numpy()
        logits = model(tensor).numpy()
    for encoding, vector, row in zip(
        encoder.encode(map(encoder.prepare, photos)), expected, logits, strict=True
    ):
        got = encoding.raw_embedding
        assert got @ vector / np.linalg.norm(got) / np.linalg.norm(vector) > 0.999
        assert encoding.logits is not None
        assert np.corrcoef(encoding.logits, row)[0, 1] > 0.99


def test_any_module_can_be_the_layer(folder: Path, photos: list[np.ndarray]) -> None:
    name = timm_name(folder, "test_vit")
    expectations = {
        "patch_embed": ("gap", (10, 10, 64)),
        "blocks.2": ("cls", (10, 10, 64)),
        "blocks.2.mlp.fc1": ("cls", (10, 10, 192)),
        "features": ("cls", (10, 10, 64)),
        "pre_logits": ("none", None),
    }
    for layer, (pooling, shape) in expectations.items():
        encoder = load_encoder(name, layer=layer)
        encoding = next(iter(encoder.encode([encoder.prepare(photos[0])], spatial=True)))
        assert encoder.spec.pooling == pooling
        assert (None if encoding.spatial is None else encoding.spatial.shape) == shape
        assert (encoding.logits is not None) == (layer in ("features", "pre_logits"))
    with pytest.raises(InputError, match="did you mean 'blocks"):
        load_encoder(name, layer="blocks.99")
    with pytest.raises(EncoderError, match="does not pass through its layer"):
        load_encoder(name, layer="blocks.0.attn.attn_drop")  # skipped by fused attention


def test_asking_for_a_pooling_pools_the_features(folder: Path, photos: list[np.ndarray]) -> None:
    encoder = load_encoder(timm_name(folder, "test_vit"), pooling="tokens-mean")
    encoding = next(iter(encoder.encode([encoder.prepare(photos[0])], spatial=True)))
    assert encoder.spec.layer == "features"
    assert encoding.spatial is not None
    assert np.allclose(encoding.raw_embedding, encoding.spatial.mean(axis=(0, 1)), atol=1e-5)


def test_another_number_of_classes_is_read_from_the_file(timm: Any, folder: Path) -> None:
    import torch

    path = folder / "seven.pth"
    torch.save(timm.create_model("test_resnet", num_classes=7).state_dict(), path)
    assert load_encoder(f"timm:test_resnet@{path}").labels == ()


def test_other_weights_are_another_encoder(timm: Any, folder: Path) -> None:
    import torch

    fingerprints = set()
    for seed in (1, 1, 2):
        torch.manual_seed(seed)
        path = folder / "seeded.pth"
        torch.save(timm.create_model("test_resnet").state_dict(), path)
        fingerprints.add(load_encoder(f"timm:test_resnet@{path}").spec.fingerprint)
    assert len(fingerprints) == 2


def test_files_that_are_not_its_weights_are_refused(folder: Path, tmp_path: Path) -> None:
    vit = timm_name(folder, "test_vit").partition("@")[2]
    with pytest.raises(EncoderError, match="does not hold the weights"):
        load_encoder(f"timm:test_resnet@{vit}")
    for suffix in ("pth", "safetensors"):
        broken = tmp_path / f"broken.{suffix}"
        broken.write_bytes(b"not a checkpoint")
        with pytest.raises(EncoderError, match="does not hold the weights"):
            load_encoder(f"timm:test_resnet@{broken}")
    with pytest.raises(EncoderError, match="there is no checkpoint"):
        load_encoder(f"timm:test_resnet@{tmp_path / 'missing.pth'}")


def test_unknown_networks_and_networks_without_weights_are_refused(timm: Any) -> None:
    with pytest.raises(InputError, match="did you mean 'resnet"):
        load_encoder("timm:resnet5")
    without = next(n for n in timm.list_models() if not timm.is_model_pretrained(n))
    with pytest.raises(EncoderError, match="no weights"):
        load_encoder(f"timm:{without}")


@pytest.mark.usefixtures("no_hub")
def test_a_hub_out_of_reach_is_said_at_once_with_the_ways_out() -> None:
    with pytest.raises(
        HubUnreachable, match=r"127.0.0.1:9 cannot be reached.*timm:test_vit@.*efficientnet-lite0"
    ):
        load_encoder("timm:test_vit")


@pytest.mark.usefixtures("no_hub")
def test_weights_in_the_hubs_cache_need_no_hub(timm: Any, tmp_path: Path) -> None:
    import safetensors.torch

    files = tmp_path / "hub" / "models--timm--test_vit.r160_in1k"
    revision = "0" * 40
    (files / "snapshots" / revision).mkdir(parents=True)
    (files / "refs").mkdir()
    (files / "refs" / "main").write_text(revision)
    safetensors.torch.save_file(
        timm.create_model("test_vit").state_dict(), files / "snapshots" / revision / "model.safetensors"
    )
    assert load_encoder("timm:test_vit").spec.dimensions == 64
