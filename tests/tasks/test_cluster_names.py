from __future__ import annotations

import numpy as np

from lookalike.tasks.cluster_names import cluster_names


def test_a_name_says_what_the_others_are_not() -> None:
    tags = [["wood", "chair"], ["wood", "chair"], ["wood", "table"], ["wood", "table", "oak"]]
    assert cluster_names(tags, np.array([0, 0, 1, 1]), 2, words=1) == ["chair", "table"]


def test_noise_is_background() -> None:
    tags = [["red", "lamp"], ["red", "lamp"], *[["red"]] * 8]
    labels = np.array([0, 0, *[-1] * 8])
    assert cluster_names(tags, labels, 1) == ["lamp, red"]


def test_a_word_of_one_odd_item_names_nothing() -> None:
    tags = [["sofa"], ["sofa"], ["sofa"], ["sofa"], ["sofa"], ["sofa", "zebra"]]
    assert cluster_names(tags, np.zeros(6, dtype=np.int64), 1) == ["sofa"]


def test_names_differ_and_clusters_without_words_have_numbers() -> None:
    tags = [["cup"], ["cup"], ["cup"], [], []]
    assert cluster_names(tags, np.array([0, 1, 2, 3, 3]), 4) == ["cup", "cup (2)", "cup (3)", "cluster 3"]


def test_a_word_counts_once_for_an_item() -> None:
    tags = [["mug", "mug", "mug"], ["pot"], ["pot"], ["pot"]]
    assert cluster_names(tags, np.zeros(4, dtype=np.int64), 1, words=1) == ["pot"]
