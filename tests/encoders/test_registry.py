from __future__ import annotations

import subprocess
import sys
import threading

import pytest

from lookalike.encoders import DEFAULT_ENCODER, Encoder, available, encoder_from_spec, load_encoder
from lookalike.encoders.spec import EncoderSpec
from lookalike.errors import InputError, MissingExtra


def test_an_encoder_is_loaded_once() -> None:
    encoder = load_encoder()
    assert load_encoder(DEFAULT_ENCODER) is encoder
    assert load_encoder(layer=encoder.spec.layer, resize=encoder.spec.resize) is load_encoder(
        pooling=encoder.spec.pooling, layer=encoder.spec.layer, resize=encoder.spec.resize
    )
    assert encoder_from_spec(encoder.spec) is encoder
    assert load_encoder(layer="stage1") is not encoder


def test_threads_that_ask_at_once_get_the_same_encoder() -> None:
    got: list[Encoder] = []
    threads = [
        threading.Thread(
            target=lambda: got.append(load_encoder("efficientnet-lite2", layer="stage4", pooling="gem"))
        )
        for _ in range(6)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(got) == 6
    assert len(set(map(id, got))) == 1


def test_more_choices_than_are_kept_still_load() -> None:
    for layer in ["stem", *(f"stage{n}" for n in range(1, 8))] * 2:
        for pooling in ("gap", "max"):
            spec = load_encoder(layer=layer, pooling=pooling).spec  # type: ignore[arg-type]
            assert (spec.layer, spec.pooling) == (layer, pooling)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("efficientnet-lite1", "did you mean 'efficientnet-lite.'.*timm:NAME"),
        ("resnet50", "efficientnet-lite0, efficientnet-lite2, onnx:PATH, timm:NAME, open_clip:ARCH/TAG"),
        ("", "efficientnet-lite0"),
    ],
)
def test_an_unknown_name_is_refused_with_those_that_there_are(name: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        load_encoder(name)


def test_unknown_options_are_refused_with_the_valid_ones() -> None:
    with pytest.raises(InputError, match="gap, gem, max, cls, tokens-mean"):
        load_encoder(pooling="median")  # type: ignore[arg-type]
    with pytest.raises(InputError, match="pad, crop, squash"):
        load_encoder(resize="stretch")  # type: ignore[arg-type]
    with pytest.raises(InputError, match="at least 1"):
        load_encoder(threads=0)


def test_what_is_available_can_be_loaded_and_is_what_it_says() -> None:
    infos = available()
    assert infos[0].name == DEFAULT_ENCODER
    assert [info.name for info in infos[2:]] == ["onnx:PATH", "timm:NAME", "open_clip:ARCH/TAG"]
    for info in infos[:2]:
        spec: EncoderSpec = load_encoder(info.name).spec
        assert (info.default_layer, info.dimensions) == (spec.layer, spec.dimensions)
        assert (info.height, info.width) == (spec.height, spec.width)
        assert info.licence == "Apache-2.0"
        assert info.extra is None
    assert [info.extra for info in infos[2:]] == [None, "torch", "torch"]


@pytest.mark.parametrize("name", ["timm:resnet18", "open_clip:ViT-B-32/openai"])
def test_without_pytorch_the_error_names_the_extra(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(MissingExtra, match=r"pip install 'lookalike\[torch\]'"):
        load_encoder(name)


def test_listing_encoders_loads_no_runtime() -> None:
    code = (
        "import sys; from lookalike.encoders import available; available(); "
        "print([m for m in ('openvino', 'torch', 'PIL', 'timm') if m in sys.modules])"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"
