"""Names for clusters out of the words of their items: class-based TF-IDF.

Grootendorst, "BERTopic", 2022, arXiv:2203.05794: W(t, c) = tf(t, c) log(1 + A / f(t)) with tf the share of a word among
the words of the cluster, f its count in all, A the mean number of words of a cluster. A word that every cluster has
says little, however often this one has it.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import count

import numpy as np

from lookalike.vectors.silhouette import NOISE, Labels

WORDS = 2
"""Of a name."""

LEAST_SHARE = 0.2
"""Share of a cluster's items that must have a word, so that no name comes from one odd item."""


def cluster_names(
    tags: Iterable[Sequence[str]], labels: Labels, clusters: int, *, words: int = WORDS
) -> list[str]:
    """A name for each cluster, different from all others.

    Args:
        tags: The words of each item, one sequence an item; a word counts once for an item.
        labels: int64 (n,), the cluster of each item; noise, -1, is part of the background only.
        clusters: Number of clusters.
        words: Most words of a name.

    Returns:
        The words that tell a cluster from the others, best first, joined by commas; with a number behind where two
        clusters would have the same; ``cluster 3`` where no word is frequent enough.
    """
    own: list[Counter[str]] = [Counter() for _ in range(clusters)]
    everywhere: Counter[str] = Counter()
    for label, terms in zip(labels.tolist(), tags, strict=True):
        different = list(dict.fromkeys(terms))
        everywhere.update(different)
        if label != NOISE:
            own[label].update(different)
    mean_words = max(1.0, sum(counts.total() for counts in own) / max(1, clusters))
    sizes = np.bincount(labels[labels != NOISE], minlength=clusters)
    names: list[str] = []
    taken: set[str] = set()
    for label, (counts, size) in enumerate(zip(own, sizes.tolist(), strict=True)):
        name = ", ".join(_telling(counts, everywhere, mean_words, size)[:words]) or f"cluster {label}"
        name = next(each for each in _variants(name) if each not in taken)
        taken.add(name)
        names.append(name)
    return names


def _telling(own: Counter[str], everywhere: Counter[str], mean_words: float, size: int) -> list[str]:
    """Words that enough items have, the most telling first, equal ones by the alphabet."""
    total = max(1, own.total())
    scores = {
        word: times / total * math.log(1 + mean_words / everywhere[word])
        for word, times in own.items()
        if times >= LEAST_SHARE * size
    }
    return sorted(scores, key=lambda word: (-scores[word], word))


def _variants(name: str) -> Iterable[str]:
    yield name
    for number in count(2):
        yield f"{name} ({number})"
