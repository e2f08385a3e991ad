"""Which labels are likely wrong, which items are best labelled next, which ones are like nothing else.

Label errors: confident learning (Northcutt, Jiang and Chuang 2021, https://arxiv.org/abs/1911.00068) on out-of-fold
probabilities, as cleanlab's ``filter_by="confident_learning"`` finds and its normalised margin ranks them. What to
label next: BADGE (Ash et al. 2020, https://arxiv.org/abs/1906.03671), uncertain and different from each other.
Outliers: far from the k-th nearest example of their own class and from that of all others.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from lookalike.errors import InputError
from lookalike.tasks.classify.calibration import Scores
from lookalike.tasks.classify.examples import Codes, stratified_sample
from lookalike.tasks.classify.rejection import others
from lookalike.types import Embeddings, Rows
from lookalike.vectors.metrics import inner

LEAST_THRESHOLD = 2e-6
"""Smallest mean self-confidence of a class that counts as one."""

MOST_CANDIDATES = 10_000
"""Most uncertain items among which different ones are chosen."""

MOST_COMPARED = 10_000
"""Examples that outliers are compared with."""

OUTLIER_NEIGHBOURS = 5


class LabelErrors(NamedTuple):
    """Items whose label is likely wrong, the worst first.

    Args:
        positions: int64 (e,).
        suggested: int64 (e,), the class that each more likely is of.
        self_confidence: float64 (e,), probability of the label given.
        margin: float64 (e,), (probability of the given label - greatest of the others + 1) / 2, in [0, 1].
        joint: int64 (c, c), the confident joint: items with the row's label that confidently are of the column's
            class.
    """

    positions: Rows
    suggested: Codes
    self_confidence: npt.NDArray[np.float64]
    margin: npt.NDArray[np.float64]
    joint: npt.NDArray[np.int64]


class Outliers(NamedTuple):
    """Items that are like no others, the strangest first.

    Args:
        positions: int64 (m,).
        within: float32 (m,), cosine with the k-th nearest example of the same class; NaN when there is none.
        outside: float32 (m,), cosine with the k-th nearest example of the other classes.
    """

    positions: Rows
    within: npt.NDArray[np.float32]
    outside: npt.NDArray[np.float32]


def find_label_errors(probabilities: Scores, codes: Codes) -> LabelErrors:
    """Items that confidently belong to another class than the one they are labelled with.

    A class is confident about an item when the item's probability of it reaches the mean probability that items
    labelled so have. Of several confident classes the most probable one counts.

    Args:
        probabilities: float64 (n, c), out-of-fold, rows that sum to 1.
        codes: int64 (n,), the labels given.

    Raises:
        InputError: If shapes do not fit.
    """
    n, classes = _checked(probabilities, codes)
    sizes = np.bincount(codes, minlength=classes)
    own = probabilities[np.arange(n), codes]
    with np.errstate(invalid="ignore"):
        means = np.bincount(codes, own, classes) / sizes
    thresholds = np.where(sizes > 0, np.maximum(means, LEAST_THRESHOLD), 2.0)  # nothing reaches 2
    confident = probabilities >= thresholds - 1e-6
    number = confident.sum(axis=1)
    likeliest = probabilities.argmax(axis=1)
    guess = np.where(number > 1, likeliest, confident.argmax(axis=1))
    sure = number > 0
    joint = np.bincount(codes[sure] * classes + guess[sure], minlength=classes * classes)
    wrong = np.flatnonzero(sure & (guess != codes) & (likeliest != codes))
    rest = probabilities.copy()
    rest[np.arange(n), codes] = -np.inf
    margin = (own - rest.max(axis=1) + 1) / 2
    wrong = wrong[np.argsort(margin[wrong], kind="stable")]
    return LabelErrors(
        wrong.astype(np.int64),
        guess[wrong].astype(np.int64),
        own[wrong],
        margin[wrong],
        joint.reshape(classes, classes).astype(np.int64),
    )


def choose_to_label(embeddings: Embeddings, probabilities: Scores, count: int, *, seed: int = 0) -> Rows:
    """The items whose labels would teach most: uncertain, and different from each other.

    An item stands for the gradient that its most probable label would give the last layer, (p - e) x its embedding;
    k-means++ seeding draws items that have long gradients and point in different directions. Products of gradients
    are computed from their factors, so none of length c x d is ever made. Unlike in BADGE, the origin counts as
    chosen from the start: otherwise items whose label is certain, of which there may be many, would be drawn too.

    Args:
        embeddings: float32 (n, d), L2-normalised, of items without a label.
        probabilities: float64 (n, c), calibrated.
        count: How many.
        seed: Of the draw.

    Returns:
        int64 (min(count, n),), positions in the order drawn.

    Raises:
        InputError: If count < 1 or shapes do not fit.
    """
    likeliest = probabilities.argmax(axis=1)
    _checked(probabilities, likeliest)
    if count < 1 or len(embeddings) != len(probabilities):
        raise InputError(
            f"{count} of {len(embeddings)} embeddings with {len(probabilities)} probabilities: expected at least 1, "
            "and one row of each an item"
        )
    ordered = np.sort(probabilities, axis=1)
    margins = ordered[:, -1] - ordered[:, -2]
    pool = np.argsort(margins, kind="stable")[:MOST_CANDIDATES]
    vectors = embeddings[pool]
    residual = probabilities[pool].copy()
    residual[np.arange(len(pool)), likeliest[pool]] -= 1
    lengths = np.einsum("nc,nc->n", residual, residual)
    random = np.random.default_rng(seed)
    chosen = [int(np.argmax(lengths))]
    distances = lengths.copy()  # from the origin, where all gradients of certain items lie
    while len(chosen) < min(count, len(pool)):
        last = chosen[-1]
        products = (residual @ residual[last]) * inner(vectors[last : last + 1], vectors)[0]
        distances = np.minimum(distances, np.maximum(lengths + lengths[last] - 2 * products, 0))
        distances[chosen] = 0
        total = distances.sum()
        if total > 0:
            chosen.append(int(random.choice(len(pool), p=distances / total)))
        else:  # all that is left equals what was chosen
            left = np.setdiff1d(np.arange(len(pool)), chosen)
            chosen.append(int(left[np.argmax(lengths[left])]))
    return pool[chosen].astype(np.int64)


def find_outliers(
    embeddings: Embeddings,
    codes: Codes,
    groups: Codes,
    count: int,
    *,
    k: int = OUTLIER_NEIGHBOURS,
    seed: int = 0,
) -> Outliers:
    """Items that are far from their own class and from all others.

    Args:
        embeddings: float32 (n, d), L2-normalised.
        codes: int64 (n,), their classes.
        groups: int64 (n,); items of the own group do not count as neighbours.
        count: How many.
        k: The similarity to the k-th nearest counts; of a smaller class that to its farthest.
        seed: Of the sample of 10,000 examples to compare with, when there are more.

    Raises:
        InputError: If count or k is below 1 or lengths differ.
    """
    n = len(embeddings)
    if count < 1 or k < 1 or codes.shape != (n,) or groups.shape != (n,):
        raise InputError(
            f"{count} outliers, k = {k}, {n} embeddings, codes {codes.shape}, groups {groups.shape}: "
            "expected numbers from 1 on, and (n,) of each"
        )
    compared = stratified_sample(codes, MOST_COMPARED, seed=seed)
    within, outside = np.full(n, np.nan, dtype=np.float32), np.full(n, np.nan, dtype=np.float32)
    for positions, similar in others(embeddings, groups, np.arange(n, dtype=np.int64), compared):
        same = codes[positions][:, None] == codes[compared][None]
        within[positions] = _kth(np.where(same, similar, -np.inf), k)
        outside[positions] = _kth(np.where(same, -np.inf, similar), k)
    nearest = np.fmax(within, outside)
    order = np.argsort(nearest, kind="stable")  # NaN, an item without any neighbour, comes last
    order = order[~np.isnan(nearest[order])][:count]
    return Outliers(order.astype(np.int64), within[order], outside[order])


def _kth(similar: npt.NDArray[np.float32], k: int) -> npt.NDArray[np.float32]:
    """The k-th greatest of each row, or the least that is finite; NaN when none is."""
    kth = min(k, similar.shape[1])
    best = -np.sort(np.partition(-similar, kth - 1, axis=1)[:, :kth], axis=1)
    finite = np.isfinite(best).sum(axis=1)
    found = best[np.arange(len(best)), np.maximum(finite - 1, 0)]
    return np.where(finite > 0, found, np.nan).astype(np.float32)


def _checked(probabilities: Scores, codes: Codes) -> tuple[int, int]:
    if (
        probabilities.ndim != 2
        or probabilities.shape[1] < 2
        or codes.shape != probabilities.shape[:1]
        or not len(codes)
    ):
        raise InputError(
            f"probabilities {probabilities.shape} and labels {codes.shape} do not fit: "
            "expected (n, c) and (n,), at least one item and two classes"
        )
    return len(codes), probabilities.shape[1]
