"""Tiny copies of published data sets: true file names, headers and formats, a handful of pictures."""

from __future__ import annotations

import pickle
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np


class Copies:
    """Makes them out of a few pictures.

    Args:
        base: Where they go.
        pictures: Pictures to copy, in turn.
    """

    def __init__(self, base: Path, pictures: Sequence[Path]) -> None:
        self._base, self._pictures, self._used = base, pictures, 0

    def picture(self, path: Path) -> None:
        """One more picture, at a path."""
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(self._pictures[self._used % len(self._pictures)], path)
        self._used += 1

    def text(self, path: Path, *lines: str) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")

    def online_products(self) -> Path:
        folder = self._base / "Stanford_Online_Products"
        header = "image_id class_id super_class_id path"
        train = ["bicycle_final/111085122871_0.JPG", "bicycle_final/111085122871_1.JPG"]
        test = [f"chair_final/2618{n}_{view}.JPG" for n in range(3) for view in range(2)]
        self.text(folder / "Ebay_train.txt", header, *(f"{i} 1 1 {p}" for i, p in enumerate(train, 1)))
        lines = [f"{i} {11319 + (i - 3) // 2} 5 {p}" for i, p in enumerate(test, 3)]
        self.text(folder / "Ebay_test.txt", header, *lines)
        for name in (*train, *test):
            self.picture(folder / name)
        return folder

    def cub(self) -> Path:
        folder = self._base / "CUB_200_2011"
        classes = {1: "001.Black_footed_Albatross", 101: "101.White_Pelican", 200: "200.Common_Yellowthroat"}
        names = [f"{kind}/{kind[4:]}_{n:04}_79611{n}.jpg" for kind in classes.values() for n in range(2)]
        labels = [number for number in classes for _ in range(2)]
        self.text(folder / "classes.txt", *(f"{n} {name}" for n, name in classes.items()))
        self.text(folder / "images.txt", *(f"{i} {name}" for i, name in enumerate(names, 1)))
        self.text(folder / "image_class_labels.txt", *(f"{i} {of}" for i, of in enumerate(labels, 1)))
        self.text(folder / "train_test_split.txt", *(f"{i} {i % 2}" for i in range(1, 7)))
        self.text(folder / "bounding_boxes.txt", *(f"{i} 60.0 27.0 {300 + i}.0 304.0" for i in range(1, 7)))
        for name in names:
            self.picture(folder / "images" / name)
        return folder

    def in_shop(self, *, below: str = "Img") -> Path:
        folder = self._base / "In-shop"
        rows = [
            ("img/WOMEN/Dresses/id_00000002/02_1_front.jpg", "id_00000002", "train"),
            ("img/WOMEN/Blouses_Shirts/id_00000001/02_1_front.jpg", "id_00000001", "query"),
            ("img/WOMEN/Blouses_Shirts/id_00000001/02_2_side.jpg", "id_00000001", "gallery"),
            ("img/MEN/Denim/id_00000080/01_1_front.jpg", "id_00000080", "query"),
            ("img/MEN/Denim/id_00000080/01_4_full.jpg", "id_00000080", "gallery"),
            ("img/MEN/Denim/id_00000080/01_7_additional.jpg", "id_00000080", "gallery"),
        ]
        lines = [f"{name:<75} {item} {status}" for name, item, status in rows]
        header = ("6", "image_name item_id evaluation_status")
        self.text(folder / "Eval" / "list_eval_partition.txt", *header, *lines)
        for name, _, _ in rows:
            self.picture(folder / below / name)
        return folder

    def gpr1200(self) -> Path:
        folder = self._base / "GPR1200"
        for category in (10, 9, 250):
            for n in range(3):
                self.picture(folder / "images" / f"{category}_{category}{n}_photo.jpg")
        return folder

    def revisited(self, *, arrays: bool = False, protocol: int = 4) -> Path:
        folder = self._base / "roxford5k"
        known = self.annotations(arrays=arrays)
        for name in (*known["imlist"], *known["qimlist"]):
            self.picture(folder / "jpg" / f"{name}.jpg")
        (folder / "gnd_roxford5k.pkl").write_bytes(pickle.dumps(known, protocol=protocol))
        return folder

    def annotations(self, *, arrays: bool = False) -> dict[str, Any]:
        """What ``gnd_roxford5k.pkl`` holds."""
        as_list = np.array if arrays else list
        truths = [
            {"bbx": as_list([10.5, 20.0, 200.5, 180.0]), "easy": [0], "hard": [2], "junk": [3]},
            {"bbx": as_list([0.0, 0.0, 100.0, 100.0]), "easy": [1, 4], "hard": [], "junk": []},
        ]
        for truth in truths:
            truth |= {
                k: np.array(truth[k], dtype=np.int64) if arrays else truth[k]
                for k in ("easy", "hard", "junk")
            }
        return {
            "gnd": truths,
            "imlist": [f"christ_church_00{n:04}" for n in range(5)],
            "qimlist": ["all_souls_000013", "ashmolean_000000"],
        }

    def image_folder(self, *, splits: Sequence[str] = ()) -> Path:
        folder = self._base / "pictures-by-class"
        for split in splits or ("",):
            for kind in ("cat", "dog"):
                for n in range(2):
                    self.picture(folder / split / kind / f"{n}.jpg")
            self.picture(folder / split / "dog" / "deep" / "er.jpg")
        return folder
