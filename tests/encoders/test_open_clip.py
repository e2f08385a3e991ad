from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from encoder_kinds import import_torch_stack, open_clip_name
from lookalike.encoders import load_encoder
from lookalike.errors import EncoderError, HubUnreachable, InputError


@pytest.fixture(scope="module")
def open_clip() -> Any:
    return import_torch_stack("open_clip")[1]


pytestmark = pytest.mark.usefixtures("open_clip")


@pytest.fixture(scope="module")
def name(tmp_path_factory: pytest.TempPathFactory) -> str:
    return open_clip_name(tmp_path_factory.mktemp("open_clip"))


def test_images_and_texts_are_embedded_as_open_clip_does(
    open_clip: Any, name: str, photos: list[np.ndarray]
) -> None:
    import torch

    encoder = load_encoder(name)
    model, _, transform = open_clip.create_model_and_transforms(
        "tiny-clip", pretrained=name.partition("@")[2]
    )
    model.eval()
    texts = ["a photo of a chair", "a photo of a lamp"]
    with torch.inference_mode():
        images = model.encode_image(
            torch.stack([transform(Image.fromarray(photo)) for photo in photos])
        ).numpy()
        expected = model.encode_text(open_clip.get_tokenizer("tiny-clip")(texts)).numpy()
    for encoding, vector in zip(encoder.encode(map(encoder.prepare, photos)), images, strict=True):
        got = encoding.raw_embedding
        assert got @ vector / np.linalg.norm(got) / np.linalg.norm(vector) > 0.999
    assert np.allclose(encoder.encode_text(texts), expected, atol=1e-5)
    assert encoder.encode_text(texts * 50).shape == (100, 32)


def test_another_layer_shares_no_space_with_texts(name: str, photos: list[np.ndarray]) -> None:
    encoder = load_encoder(name, layer="transformer.resblocks.0")
    assert not encoder.has_text
    assert next(iter(encoder.encode([encoder.prepare(photos[0])]))).raw_embedding.shape == (64,)
    with pytest.raises(InputError, match="shares no space with texts"):
        encoder.encode_text(["a chair"])


def test_what_no_tensor_shows_is_in_the_fingerprint(open_clip: Any, name: str) -> None:
    """The same tensors with another activation are another network."""
    from lookalike.encoders.open_clip_encoder import load
    from lookalike.encoders.torch_runtime import state_hash

    model = open_clip.create_model("tiny-clip", pretrained=name.partition("@")[2])
    plain = state_hash("tiny-clip quick_gelu=False", model.state_dict())
    assert load("tiny-clip", Path(name.partition("@")[2])).spec.weights == plain
    assert state_hash("tiny-clip quick_gelu=True", model.state_dict()) != plain


def test_unknown_architectures_and_tags_are_refused(name: str) -> None:
    with pytest.raises(InputError, match="did you mean 'ViT-B-32'"):
        load_encoder("open_clip:ViT-B-3/openai")
    with pytest.raises(InputError, match="did you mean 'openai'"):
        load_encoder("open_clip:ViT-B-32/open")
    with pytest.raises(InputError, match="no weights ViT-B-32/"):
        load_encoder("open_clip:ViT-B-32")
    with pytest.raises(EncoderError, match="does not hold the weights"):
        load_encoder(f"open_clip:ViT-B-32@{name.partition('@')[2]}")
    with pytest.raises(EncoderError, match="there is no checkpoint"):
        load_encoder("open_clip:ViT-B-32@/nowhere.pth")


def test_a_hub_out_of_reach_is_said_at_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(HubUnreachable, match="open_clip:ViT-B-32/openai@"):
        load_encoder("open_clip:ViT-B-32/openai")
