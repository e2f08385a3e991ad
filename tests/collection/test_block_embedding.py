"""Blocks of pictures are embedded as a stream of them is, and what fails is said of each."""

from __future__ import annotations

import io
import json
import pickle
from pathlib import Path

import numpy as np
import PIL.Image
import pytest

import lookalike
from lookalike.collection.block_embedding import EmbeddedBlock, Network, Sought, embed_block
from lookalike.encoders.registry import load_encoder
from lookalike.errors import FingerprintMismatch
from lookalike.images.decode import Limits


@pytest.fixture(scope="module")
def network() -> Network:
    return Network(load_encoder("efficientnet-lite0").spec.to_json(), Limits())


def embedded(network: Network, block: list[Sought]) -> EmbeddedBlock:
    """As in another process."""
    found: EmbeddedBlock = pickle.loads(
        pickle.dumps(embed_block(*pickle.loads(pickle.dumps((network, block)))))
    )
    return found


def test_a_block_has_the_embeddings_of_a_stream(network: Network, pictures: Path) -> None:
    paths = sorted(pictures.glob("*.jpg"))
    found = embedded(network, [Sought(7 * n, f"item/{n}", str(path)) for n, path in enumerate(paths)])
    assert found.rows == [7 * n for n in range(len(paths))]
    assert np.array_equal(found.embeddings, lookalike.embed(paths))
    assert len(found.labels) == len(paths)
    assert any(found.labels)
    assert (found.unread, found.failures) == ([], [])


def test_what_cannot_be_read_is_named_and_the_others_are_embedded(network: Network, pictures: Path) -> None:
    first, second, *_ = sorted(pictures.glob("*.jpg"))
    second.write_bytes(b"no picture")
    found = embedded(
        network,
        [Sought(1, "a", str(second)), Sought(2, "b", str(first)), Sought(3, "c", str(pictures / "x.jpg"))],
    )
    assert found.rows == [2]
    assert [(row, id) for row, id, _ in found.unread] == [(1, "a"), (3, "c")]
    assert all(reason for _, _, reason in found.unread)


def test_bytes_stand_for_a_picture(network: Network, pictures: Path) -> None:
    picture = PIL.Image.open(min(pictures.glob("*.jpg"))).convert("RGB")
    data = io.BytesIO()
    picture.save(data, "WEBP", lossless=True)
    found = embedded(network, [Sought(1, "a", data.getvalue())])
    assert np.array_equal(found.embeddings, lookalike.embed(np.asarray(picture)))


def test_a_block_of_nothing_is_an_empty_answer(network: Network) -> None:
    assert embedded(network, []).embeddings.shape == (0, 1280)


def test_a_network_that_is_another_one_here_embeds_nothing(network: Network) -> None:
    other = json.dumps(json.loads(network.spec) | {"weights": "0" * 64})
    with pytest.raises(FingerprintMismatch, match="weights was 0000"):
        embed_block(network._replace(spec=other), [])
