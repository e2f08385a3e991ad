"""A collection whose encoder has a text tower: words are compared as vectors, and mix with pictures."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import lookalike
from encoder_kinds import open_clip_name


def test_words_go_through_the_text_tower_and_mix_with_pictures(tmp_path: Path, pictures: Path) -> None:
    with lookalike.create(tmp_path / "clip.lookalike", encoder=open_clip_name(tmp_path)) as collection:
        assert collection.add(pictures, progress=False).added == 12
        encoder = collection.encoder
        assert encoder.has_text
        result = collection.search("a wooden chair", k=12)
        assert result.answered_by == "text"
        assert len(result) == 12
        text = encoder.encode_text(["a wooden chair"])[0]
        assert [hit.id for hit in collection.search(text / np.linalg.norm(text), k=12)] == [
            h.id for h in result
        ]
        picture = sorted(pictures.iterdir())[0]
        mixed = collection.search([picture, "a wooden chair"], k=3, minus="a basketball")
        assert mixed.answered_by == "mixed"
        assert len(mixed) == 3
        with pytest.raises(lookalike.LookalikeError, match="crop"):
            collection.search("a wooden chair", crop=(0, 0, 1, 1))


def test_a_collection_whose_encoder_is_gone_says_so(tmp_path: Path, pictures: Path) -> None:
    name = open_clip_name(tmp_path)
    with lookalike.create(tmp_path / "clip.lookalike", encoder=name) as collection:
        collection.add(pictures, progress=False)
        first = next(iter(collection)).id
    Path(name.partition("@")[2]).unlink()
    with lookalike.open(tmp_path / "clip.lookalike") as collection:
        assert len(collection.search(first, k=3)) == 3, "items need no encoder"
        with pytest.raises(lookalike.LookalikeError, match=r"tiny-clip\.pth"):
            collection.search(sorted(pictures.iterdir())[0])
