from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow

from encoder_kinds import onnx_name, read
from lookalike.collection.layering import layers
from lookalike.encoders import load_encoder
from lookalike.errors import InputError

LAYERS = ["stem", *(f"stage{number}" for number in range(1, 8)), "head"]


@pytest.fixture(scope="session")
def photo(sample: Path) -> Path:
    return sorted((sample / "customer").glob("*.jpg"))[10]


def test_every_layer_of_a_bundled_network_is_shown(photo: Path, tmp_path: Path) -> None:
    views = layers(photo)
    assert [view.layer for view in views] == LAYERS
    assert [view.dimensions for view in views] == [32, 16, 24, 40, 80, 112, 192, 320, 1280]
    assert [view.energy.shape[0] for view in views] == [112, 112, 56, 28, 14, 14, 7, 7, 7]
    for view in views:
        assert len({channel.index for channel in view.channels}) == 6
        energies = [channel.energy for channel in view.channels]
        assert energies == sorted(energies, reverse=True)
        assert all(np.ptp(channel.response) > 0 for channel in view.channels)
    picture = Pillow.open(views.save_png(tmp_path / "layers.png")).convert("RGB")
    assert picture.width > 1000 and picture.height > 1400
    rows = np.asarray(picture, np.float32)[200:, 170:].std(axis=(1, 2))
    assert (rows > 5).mean() > 0.8, "rows of maps, not blank"
    page = views.save_html(tmp_path / "layers.html").read_text(encoding="utf-8")
    assert page.count("data:image/png") == 10
    assert "1,280" in page


def test_an_early_layer_answers_the_edge_of_a_picture_of_one_edge() -> None:
    image = np.full((224, 224, 3), 60, np.uint8)
    image[:, 112:] = 200
    views = layers(image, layers=["stage2"], resize="squash", channels=3)
    response = np.abs(views[0].channels[0].response[4:-4, 4:-4])
    columns = response.mean(axis=0)
    middle = len(columns) // 2
    assert columns[middle - 3 : middle + 3].max() > 1.5 * np.median(columns)


def test_the_same_call_gives_the_same_answer_and_references_matter(photo: Path, sample: Path) -> None:
    one, same = (layers(photo, layers=["stage6"]).to_dict() for _ in range(2))
    assert one == same
    plain = sorted((sample / "catalog").glob("*.jpg"))[:4]
    other = layers(photo, layers=["stage6"], references=plain)
    assert other.to_dict()["layers"] != one["layers"]
    assert other.provenance["references"] == 4


def test_a_loaded_encoder_gives_its_name_and_way_of_resizing(photo: Path) -> None:
    encoder = load_encoder("efficientnet-lite2", resize="pad")
    views = layers(photo, encoder=encoder, layers=["head"])
    assert (views.provenance["encoder"], views.provenance["resize"]) == ("efficientnet-lite2", "pad")
    assert (views.network_input == encoder.prepare(read(photo))).all()


def test_any_network_with_maps_can_be_looked_into(tmp_path: Path, photo: Path) -> None:
    network = onnx_name(tmp_path)
    views = layers(photo, encoder=network, layers=["map"], channels=2)
    assert views[0].energy.shape == (12, 16)
    assert views.to_png()[:4] == b"\x89PNG"
    with pytest.raises(InputError, match="name those to look at"):
        layers(photo, encoder=network)
    with pytest.raises(InputError, match="no map of places"):
        layers(photo, encoder=network, layers=["vector"])


def test_wrong_arguments_are_refused(photo: Path) -> None:
    with pytest.raises(InputError, match="1 to 24"):
        layers(photo, channels=0)
    with pytest.raises(InputError, match="stage9"):
        layers(photo, layers=["stage9"])
    with pytest.raises(InputError, match="energy, peak"):
        layers(photo, layers=["head"], by="size")  # type: ignore[arg-type]
