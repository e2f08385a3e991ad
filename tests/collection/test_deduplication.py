"""Copies in a collection: found, told apart from other views, removed only when asked."""

from __future__ import annotations

import io
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import PIL.ImageOps
import pytest

import lookalike
from lookalike.collection.duplicate_result import Duplicates
from lookalike.collection.facade import Collection
from lookalike.errors import FilterError, InputError
from lookalike.images.edits import edited

VIEWS = 3


def view(sample: Path, number: int) -> PIL.Image.Image:
    return PIL.Image.open(sorted((sample / "catalog").glob("*.jpg"))[number]).convert("RGB")


@pytest.fixture(scope="module")
def edits_folder(tmp_path_factory: pytest.TempPathFactory, sample: Path) -> Path:
    """Thirty views of ten products; the first of each of three joined by its edits, and by itself in another folder."""
    root = tmp_path_factory.mktemp("edits")
    for name in ("shop", "archive"):
        (root / name).mkdir()
    paths = sorted((sample / "catalog").glob("*.jpg"))[10 * VIEWS : 20 * VIEWS]
    for number, path in enumerate(paths):
        shutil.copy2(path, root / "shop" / path.name)
        if number in (0, 3 * VIEWS, 6 * VIEWS):
            shutil.copy2(path, root / "archive" / f"{path.stem}-same.jpg")
            for name, image in edited(np.asarray(PIL.Image.open(path).convert("RGB"))).items():
                quality = 30 if name == "recompress" else 88
                PIL.Image.fromarray(image).save(root / "shop" / f"{path.stem}-{name}.jpg", quality=quality)
    with lookalike.create(root / "edits.lookalike") as collection:
        collection.add(root / "shop", root / "archive", progress=False)
    return root


@pytest.fixture
def edits(edits_folder: Path, tmp_path: Path) -> Iterator[Collection]:
    shutil.copytree(edits_folder / "edits.lookalike", tmp_path / "edits.lookalike")
    with lookalike.open(tmp_path / "edits.lookalike") as collection:
        yield collection


@pytest.fixture(scope="module")
def found(edits_folder: Path) -> Iterator[Duplicates]:
    """What is found there; the rows of ``edits`` are the same."""
    with lookalike.open(edits_folder / "edits.lookalike") as collection:
        yield collection.duplicates(progress=False)


def test_edits_are_grouped_with_their_picture_and_no_other_view(edits: Collection, found: Duplicates) -> None:
    copies = found
    assert len(copies.groups) == 3
    for group in copies.groups:
        sources = {Path(id).stem for id in group if "/" in id}
        assert len({stem[: stem.index("_") + 2] for stem in sources}) == 1
    assert (
        sum(map(len, copies.groups)) >= 0.75 * 3 * 8
    )  # careful, since 51 pictures tell little of what is false
    looser = edits.duplicates(precision=0.95, progress=False)
    assert sum(map(len, looser.groups)) >= 0.95 * 3 * 8
    assert copies.precision is not None
    assert copies.precision >= 0.99
    assert copies.recall is not None
    assert copies.recall > 0.8
    assert copies.threshold is not None
    assert all(group.kind == "near" and group.similarity >= copies.threshold for group in copies.details)


def test_same_bytes_in_two_folders_are_exact_copies(edits: Collection) -> None:
    copies = edits.duplicates(kind="exact", progress=False)
    assert len(copies.groups) == 3
    for group, details in zip(copies.groups, copies.details, strict=True):
        assert sorted(id.partition("/")[0] for id in group) == ["archive", "shop"]
        assert group[0].startswith("archive/")
        assert details.kind == "exact"
        assert details.similarity == 1
        assert "same bytes" in details.reason
    assert copies.threshold is None


def test_the_largest_and_then_the_cleanest_copy_is_kept(sample: Path, tmp_path: Path) -> None:
    folder = tmp_path / "pictures"
    folder.mkdir()
    large, other = view(sample, 0).resize((640, 640), PIL.Image.Resampling.LANCZOS), view(sample, 4)
    large.save(folder / "z_large.jpg", quality=90)
    large.resize((320, 320)).save(folder / "a_small.jpg", quality=90)
    other.save(folder / "z_clean.png")
    other.save(folder / "a_rough.jpg", quality=15)
    with lookalike.create(tmp_path / "c.lookalike") as collection:
        collection.add(folder, progress=False)
        copies = collection.duplicates(progress=False)
    assert copies.groups == [
        ["pictures/z_clean.png", "pictures/a_rough.jpg"],
        ["pictures/z_large.jpg", "pictures/a_small.jpg"],
    ]
    assert "artefacts" in copies.details[0].reason
    assert "640 x 640" in copies.details[1].reason


def test_a_chain_does_not_join_strangers(sample: Path, tmp_path: Path) -> None:
    """Windows that slide over a wide picture: neighbours are crops of each other, the ends show different things."""
    folder = tmp_path / "pictures"
    folder.mkdir()
    wide = np.hstack([np.asarray(view(sample, n).resize((320, 320))) for n in (0, 40)])
    for step in range(0, 321, 20):
        PIL.Image.fromarray(np.ascontiguousarray(wide[:, step : step + 320])).save(folder / f"{step:03}.png")
    with lookalike.create(tmp_path / "c.lookalike") as collection:
        collection.add(folder, progress=False)
        copies = collection.duplicates(threshold=0.75, progress=False)
    assert copies.groups
    for group in copies.groups:
        steps = [int(Path(id).stem) for id in group]
        assert max(steps) - min(steps) <= 120
    assert len(copies.groups) > 1


def test_the_answer_repeats_and_says_what_it_depends_on(edits: Collection, found: Duplicates) -> None:
    again = edits.duplicates(progress=False)
    assert (found.details, found.threshold, found.recall) == (again.details, again.threshold, again.recall)
    facts = again.provenance
    assert facts["fingerprint"] == edits.info()["fingerprint"]
    assert facts["parameters"] == {"kind": "near", "seed": 0, "precision": 0.99}
    assert facts["threshold_learned"]
    assert facts["compared"] > facts["pairs"] > 0
    told = edits.duplicates(threshold=0.9, progress=False)
    assert told.threshold == pytest.approx(0.9)
    assert not told.provenance["threshold_learned"]


def test_only_what_a_filter_selects_is_compared(edits: Collection) -> None:
    copies = edits.duplicates(where='source = "shop"', progress=False)
    assert copies.items == len(edits) - 3
    assert len(copies.groups) == 3
    assert all(id.startswith("shop/") for group in copies.groups for id in group)
    assert edits.duplicates(where='source = "archive"', progress=False).groups == []
    with pytest.raises(FilterError):
        edits.duplicates(where="source =")


def test_removed_items_are_in_no_group(edits: Collection, found: Duplicates) -> None:
    edits.remove(found.groups[0][1:])
    assert len(edits.duplicates(progress=False).groups) == 2


def test_others_are_deleted_from_the_collection_and_their_files_stay(
    edits: Collection, edits_folder: Path, found: Duplicates
) -> None:
    files, before = sorted(edits_folder.rglob("*.jpg")), len(edits)
    removed = edits.delete_others(found)
    assert len(removed) == len(found.others) > 10
    assert len(edits) == before - len(removed)
    assert all(group[0] in edits for group in found.groups)
    assert not any(id in edits for id in removed)
    assert edits.duplicates(kind="exact", progress=False).groups == []
    assert sorted(edits_folder.rglob("*.jpg")) == files


def test_nothing_is_deleted_when_the_collection_has_changed(edits: Collection, found: Duplicates) -> None:
    edits.remove(found.groups[1][0])
    before = len(edits)
    with pytest.raises(InputError, match="find them again"):
        edits.delete_others(found)
    assert len(edits) == before


@pytest.mark.parametrize("count", [0, 1])
def test_none_and_one_item_have_no_copies(count: int, pictures: Path, tmp_path: Path) -> None:
    with lookalike.create(tmp_path / "c.lookalike") as collection:
        for path in sorted(pictures.glob("*.jpg"))[:count]:
            collection.add(path, progress=False)
        copies = collection.duplicates(progress=False)
        assert copies.groups == []
        assert copies.precision is None
        assert collection.delete_others(copies) == []


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"kind": "similar"}, "exact, near"),
        ({"precision": 1.0}, "below 1"),
        ({"precision": "high"}, "below 1"),
        ({"threshold": 0}, "above 0"),
        ({"threshold": 1.2}, "at most 1"),
        ({"kind": "exact", "threshold": 0.9}, "need none"),
    ],
)
def test_what_makes_no_sense_is_refused(shop: Collection, options: dict[str, Any], said: str) -> None:
    with pytest.raises(InputError, match=said):
        shop.duplicates(**options, progress=False)


def test_a_copy_whose_file_is_gone_comes_after_those_that_can_be_read(sample: Path, tmp_path: Path) -> None:
    folder = tmp_path / "pictures"
    folder.mkdir()
    file = io.BytesIO()
    view(sample, 0).save(file, "PNG")
    (folder / "a.png").write_bytes(file.getvalue())
    view(sample, 0).save(folder / "b.jpg", quality=80)
    with lookalike.create(tmp_path / "c.lookalike") as collection:
        collection.add(folder, progress=False)
        (folder / "a.png").unlink()
        copies = collection.duplicates(progress=False)
    assert copies.groups == [["pictures/b.jpg", "pictures/a.png"]]
    assert "still be read" in copies.details[0].reason


def test_the_report_marks_the_keeper_and_says_why(found: Duplicates, tmp_path: Path) -> None:
    text = found.save_html(tmp_path / "report.html").read_text(encoding="utf-8")
    assert text.count('class="badge">keep') == 3
    assert text.count("data:image/webp") == sum(map(len, found.groups))
    for group in found.details:
        assert group.ids[0] in text
    assert "Content-Security-Policy" in text
