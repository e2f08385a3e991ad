from __future__ import annotations

from pathlib import Path

import pytest

from dataset_copies import Copies
from lookalike.datasets.layouts import SIGNS, read_dataset
from lookalike.datasets.records import LAYOUTS
from lookalike.errors import InputError


def test_stanford_online_products(copies: Copies) -> None:
    dataset = read_dataset(copies.online_products())
    assert (dataset.layout, dataset.ks) == ("sop", (1, 10, 100, 1000))
    assert [image.role for image in dataset.images] == ["train"] * 2 + ["both"] * 6
    assert [image.label for image in dataset.queries] == [
        "11319",
        "11319",
        "11320",
        "11320",
        "11321",
        "11321",
    ]
    assert dataset.queries == dataset.gallery
    assert dataset.queries[0].path.name == "26180_0.JPG"
    assert dataset.queries[0].attributes == {"super_class": "5"}


def test_cub_is_split_by_class_as_metric_learning_does(copies: Copies) -> None:
    dataset = read_dataset(copies.cub())
    assert (dataset.layout, dataset.ks) == ("cub", (1, 2, 4, 8))
    assert {image.label for image in dataset.images if image.role == "train"} == {
        "001.Black_footed_Albatross"
    }
    assert {image.label for image in dataset.queries} == {"101.White_Pelican", "200.Common_Yellowthroat"}
    first = dataset.images[0]
    assert first.crop is None
    assert first.attributes["official_split"] == "train"
    assert (first.attributes["box_width"], first.attributes["class"]) == (301.0, 1)


def test_cub_without_splits_and_boxes(copies: Copies) -> None:
    folder = copies.cub()
    for name in ("train_test_split.txt", "bounding_boxes.txt"):
        (folder / name).unlink()
    assert read_dataset(folder).images[0].attributes == {"class": 1}


@pytest.mark.parametrize("below", ["Img", ""])
def test_in_shop_wherever_its_pictures_were_unpacked(copies: Copies, below: str) -> None:
    dataset = read_dataset(copies.in_shop(below=below))
    assert dataset.layout == "inshop"
    assert [image.label for image in dataset.queries] == ["id_00000001", "id_00000080"]
    assert [image.label for image in dataset.gallery] == ["id_00000001", "id_00000080", "id_00000080"]
    assert all(image.path.is_file() for image in dataset.images)


def test_gpr1200_is_ordered_by_category(copies: Copies) -> None:
    folder = copies.gpr1200()
    for place in (folder, folder / "images"):
        dataset = read_dataset(place)
        assert dataset.layout == "gpr1200"
        assert [image.label for image in dataset.queries] == ["9"] * 3 + ["10"] * 3 + ["250"] * 3


@pytest.mark.parametrize("protocol", [2, 4, 5])
@pytest.mark.parametrize("arrays", [False, True], ids=["lists", "arrays"])
def test_revisited_oxford_from_its_pickle(copies: Copies, arrays: bool, protocol: int) -> None:
    dataset = read_dataset(copies.revisited(arrays=arrays, protocol=protocol))
    assert dataset.layout == "revisited"
    assert [image.path.stem for image in dataset.queries] == ["all_souls_000013", "ashmolean_000000"]
    assert len(dataset.gallery) == 5
    crop = dataset.queries[0].crop
    assert crop is not None
    assert (crop.x, crop.y, crop.width, crop.height) == (10.5, 20, 190, 160)
    assert dataset.judgements is not None
    assert [(j.easy, j.hard, j.junk) for j in dataset.judgements] == [((0,), (2,), (3,)), ((1, 4), (), ())]


def test_revisited_oxford_from_its_mat_file(copies: Copies) -> None:
    import numpy as np
    from scipy.io import savemat

    folder = copies.revisited()
    expected = read_dataset(folder)
    (folder / "gnd_roxford5k.pkl").unlink()
    known = copies.annotations()
    truths = np.zeros((1, 2), dtype=[(name, object) for name in ("bbx", "easy", "hard", "junk")])
    for n, truth in enumerate(known["gnd"]):
        one_based = {k: np.array([[i + 1 for i in truth[k]]], dtype=float) for k in ("easy", "hard", "junk")}
        truths[0, n] = (np.array([truth["bbx"]]), *one_based.values())
    cells = {k: np.array([[name] for name in known[k]], dtype=object) for k in ("imlist", "qimlist")}
    savemat(folder / "gnd_roxford5k.mat", {"gnd": truths, **cells})
    assert read_dataset(folder) == expected


def test_image_folder(copies: Copies) -> None:
    dataset = read_dataset(copies.image_folder())
    assert dataset.layout == "imagefolder"
    assert [image.label for image in dataset.queries] == ["cat", "cat", "dog", "dog", "dog"]
    assert dataset.queries == dataset.gallery


def test_image_folder_with_splits(copies: Copies) -> None:
    dataset = read_dataset(copies.image_folder(splits=("train", "val")))
    assert [image.role for image in dataset.images] == ["train"] * 5 + ["both"] * 5
    assert {image.label for image in dataset.images} == {"cat", "dog"}
    assert dataset.images[0].attributes == {"split": "train"}


def test_image_folder_with_queries_and_gallery(copies: Copies) -> None:
    dataset = read_dataset(copies.image_folder(splits=("gallery", "query")))
    assert (len(dataset.queries), len(dataset.gallery)) == (5, 5)


def test_a_table_of_pictures(copies: Copies, tmp_path: Path) -> None:
    for name in ("a.jpg", "sub/b.jpg"):
        copies.picture(tmp_path / "photos" / name)
    table = tmp_path / "photos" / "labels.csv"
    copies.text(table, "file,product,role", "a.jpg,chair,query", "sub/b.jpg,,")
    dataset = read_dataset(table, label="product")
    assert [(i.path.name, i.label, i.role) for i in dataset.images] == [
        ("a.jpg", "chair", "query"),
        ("b.jpg", None, "both"),
    ]


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (("name,label", "a.jpg,x"), "no column file or path"),
        (("file,kind", "a.jpg,x"), "no column label or class, only file, kind"),
        (("file,label,role", "a.jpg,x,judge"), "role 'judge'"),
        (("file,label", "gone.jpg,x"), "1 of 1 pictures .* missing: .*gone.jpg"),
        (("file,label",), "names no picture"),
    ],
)
def test_a_table_that_is_none_is_refused(
    copies: Copies, tmp_path: Path, lines: tuple[str, ...], message: str
) -> None:
    copies.picture(tmp_path / "a.jpg")
    copies.text(tmp_path / "t.csv", *lines)
    with pytest.raises(InputError, match=message):
        read_dataset(tmp_path / "t.csv")


def test_missing_pictures_are_counted_and_named(copies: Copies) -> None:
    folder = copies.online_products()
    (folder / "chair_final" / "26181_0.JPG").unlink()
    with pytest.raises(InputError, match=r"1 of 8 pictures .*Ebay_test.txt names are missing: .*26181_0"):
        read_dataset(folder)


def test_training_pictures_need_not_be_there(copies: Copies) -> None:
    folder = copies.online_products()
    (folder / "bicycle_final" / "111085122871_0.JPG").unlink()
    assert len(read_dataset(folder).images) == 8


@pytest.mark.parametrize(
    ("file", "text", "message"),
    [
        (
            "Eval/list_eval_partition.txt",
            "7\nimage_name item_id evaluation_status\na b query\n",
            "announces 7",
        ),
        ("Eval/list_eval_partition.txt", "image_name item_id evaluation_status\n", "does not begin with"),
        (
            "Eval/list_eval_partition.txt",
            "1\nimage_name item_id evaluation_status\na b test\n",
            "'a b test'|a b test",
        ),
    ],
)
def test_a_damaged_partition_is_named(copies: Copies, file: str, text: str, message: str) -> None:
    folder = copies.in_shop()
    (folder / file).write_text(text)
    with pytest.raises(InputError, match=message):
        read_dataset(folder)


def test_what_a_layout_lacks_is_said(copies: Copies) -> None:
    folder = copies.online_products()
    (folder / "Ebay_train.txt").unlink()
    with pytest.raises(InputError, match=r"lacks Ebay_train.txt"):
        read_dataset(folder)
    with pytest.raises(InputError, match=r"lacks gnd_roxford5k\.pkl"):
        read_dataset(folder, layout="revisited")


def test_the_original_oxford_annotation_is_refused(copies: Copies) -> None:
    import pickle

    folder = copies.revisited()
    known = copies.annotations() | {"gnd": [{"bbx": [0, 0, 1, 1], "ok": [1], "junk": []}] * 2}
    (folder / "gnd_roxford5k.pkl").write_bytes(pickle.dumps(known))
    with pytest.raises(InputError, match="revisited annotation"):
        read_dataset(folder)


def test_an_unknown_folder_is_told_what_would_be_recognised(copies: Copies, tmp_path: Path) -> None:
    folder = tmp_path / "nothing"
    folder.mkdir()
    with pytest.raises(InputError, match=r"Ebay_train\.txt"):
        read_dataset(folder)
    copies.in_shop().rename(folder / "In-shop")
    with pytest.raises(InputError, match="In-shop does: name that"):
        read_dataset(folder)
    with pytest.raises(InputError, match="does not exist"):
        read_dataset(tmp_path / "gone")
    with pytest.raises(InputError, match="auto or one of sop, cub"):
        read_dataset(folder, layout="imagenet")  # type: ignore[arg-type]


def test_every_layout_is_described() -> None:
    assert set(SIGNS) == set(LAYOUTS)
