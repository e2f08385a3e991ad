"""Identities from tracklets of several cameras, when all of them are known: the offline mode.

1. Time and place forbid pairs and confirm others (:mod:`lookalike.tracking.gates`).
2. Similarity of appearance is sharpened by mutual neighbourhoods (k-reciprocal re-ranking).
3. The line between one thing and two is learned from what is certain (:mod:`lookalike.tracking.matching_threshold`).
4. Tracklets are joined by average linkage under the constraints (:mod:`lookalike.tracking.linkage`), with least times
   between cameras learned from a first pass.
5. Leftovers go to the identity that some of its tracklets clearly point to, or stay alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from lookalike.errors import InputError
from lookalike.tracking.cameras import Camera
from lookalike.tracking.gates import ELSEWHERE, HERE, Gates, gates, learn_crossings
from lookalike.tracking.leftovers import reassigned
from lookalike.tracking.linkage import Pairs, constrained_average_linkage
from lookalike.tracking.matching_threshold import MatchingThreshold, learn_threshold
from lookalike.tracking.neighbourhoods import reciprocal_similarity
from lookalike.tracking.pair_mixture import COSINES, RERANKED, PairPrior
from lookalike.tracking.tracklets import Tracklet, conflicts
from lookalike.types import Embeddings
from lookalike.vectors.metrics import inner

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

PLACE = 8.0
"""Log odds that being at exactly one place at one time adds, and that being well away from it takes."""

ON_THE_WAY = 1.5
"""Log odds that being seen as far apart in time as the way between two cameras takes adds."""

LEAST_RERANKED = 5
"""Times k1 that there have to be tracklets for re-ranking: among fewer, everybody is everybody's neighbour."""

MOST_APPEARANCE = 6.0
"""Log odds that appearance can speak for or against at most: clothes are never quite sure."""


@dataclass(frozen=True, slots=True)
class AssociationSettings:
    """What is used to associate.

    Args:
        use_gates: Time, place and travel time between cameras. Without, only tracklets that share a frame of one
            camera are kept apart.
        use_constraints: Keep apart what shares a frame of one camera, and what gates forbid. False is for
            comparisons alone: identities may then be at two places at once.
        rerank: k-reciprocal re-ranking of similarities.
        reassign: Look for an identity for tracklets that are left alone.
        false_match_rate: Share of pairs of different things that may look alike enough to be matched; None for the
            line at which false matches equal misses.
        k1, k2, original: Of re-ranking: :func:`lookalike.tracking.neighbourhoods.reciprocal_similarity`.
        seed: Of random samples.
    """

    use_gates: bool = True
    use_constraints: bool = True
    rerank: bool = True
    reassign: bool = True
    false_match_rate: float | None = None
    k1: int = 6
    k2: int = 3
    original: float = 0.5
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Association:
    """Identities.

    Args:
        identity: int64 (n,), of each tracklet, from 0 by first sighting.
        threshold: The line on the similarities that were compared (re-ranked ones, unless that was switched off), and
            what is expected of it; None with fewer than two tracklets.
        cosine_threshold: The line on plain cosines: for new tracks online, and for a gallery.
        gates: What time and place say.
        evidence: float64 (n, n), log odds of being one thing.
    """

    identity: Integers
    threshold: MatchingThreshold | None
    cosine_threshold: MatchingThreshold | None
    gates: Gates
    evidence: Floats = field(repr=False)


def associate(
    tracklets: Sequence[Tracklet],
    embeddings: Embeddings,
    cameras: Sequence[Camera],
    *,
    must: Pairs = (),
    cannot: Pairs = (),
    settings: AssociationSettings | None = None,
) -> Association:
    """Find out which tracklets are one thing.

    Args:
        tracklets: n of any cameras.
        embeddings: float32 (n, d), L2-normalised rows, comparable across cameras
            (:class:`lookalike.tracking.appearance.AppearanceSpace`).
        cameras: What is known of the cameras.
        must: Pairs of numbers of tracklets that a user said are one thing. That goes before everything else.
        cannot: Pairs that a user said are two.
        settings: What is used.

    Raises:
        InputError: If numbers differ, or the user's pairs contradict each other.
    """
    chosen = settings or AssociationSettings()
    n = len(tracklets)
    if embeddings.ndim != 2 or len(embeddings) != n:
        raise InputError(f"embeddings {embeddings.shape} for {n} tracklets: expected one row each")
    _check_pairs(n, must, cannot)
    similarity = inner(embeddings, embeddings).astype(np.float64)
    known = _gates(tracklets, cameras, similarity, chosen, {})
    compared, reranked = similarity, chosen.rerank and n >= LEAST_RERANKED * chosen.k1
    if reranked:
        compared = reciprocal_similarity(similarity, k1=chosen.k1, k2=chosen.k2, original=chosen.original)
    prior = RERANKED if reranked else COSINES
    groups, threshold, evidence = _grouped(tracklets, compared, known, must, cannot, chosen, prior)
    if chosen.use_gates and (crossings := learn_crossings(tracklets, groups)):
        known = _gates(tracklets, cameras, similarity, chosen, crossings)
        groups, threshold, evidence = _grouped(tracklets, compared, known, must, cannot, chosen, prior)
    if chosen.reassign:
        groups = reassigned(groups, evidence, _forbidden(known, cannot, chosen))
    plain = threshold
    if reranked:
        plain = _learned(tracklets, similarity, known, must, cannot, chosen, COSINES)
    return Association(_by_time(groups, tracklets), threshold, plain, known, evidence)


def _gates(
    tracklets: Sequence[Tracklet],
    cameras: Sequence[Camera],
    similarity: Floats,
    settings: AssociationSettings,
    crossings: Mapping[tuple[str, str], float],
) -> Gates:
    """What time and place say, or no more than that one camera saw two things in one frame."""
    if settings.use_gates:
        return gates(tracklets, cameras, similarity, crossings=crossings, seed=settings.seed)
    together = conflicts(tracklets)
    return Gates(
        cannot=together,
        apart=np.full(together.shape, np.nan),
        expected=np.zeros_like(together),
        reasons={"one camera, one frame": int(together.sum()) // 2},
        homographies={},
        crossings={},
    )


def _forbidden(known: Gates, cannot: Pairs, settings: AssociationSettings) -> npt.NDArray[np.bool_]:
    """The constraints that hold: those of time and place unless they are switched off, and always the user's."""
    forbidden = known.cannot.copy() if settings.use_constraints else np.zeros_like(known.cannot)
    for a, b in cannot:
        forbidden[a, b] = forbidden[b, a] = True
    return forbidden


def _grouped(
    tracklets: Sequence[Tracklet],
    compared: Floats,
    known: Gates,
    must: Pairs,
    cannot: Pairs,
    settings: AssociationSettings,
    prior: PairPrior,
) -> tuple[Integers, MatchingThreshold | None, Floats]:
    """One pass: learn the line, weigh appearance and place, join."""
    n = len(tracklets)
    if n < 2:
        return np.zeros(n, dtype=np.int64), None, np.zeros((n, n))
    threshold = _learned(tracklets, compared, known, must, cannot, settings, prior)
    odds = threshold.slope * (compared - threshold.cosine)
    evidence = np.clip(odds, -MOST_APPEARANCE, MOST_APPEARANCE)
    near = known.here
    evidence[near] += PLACE * (1 - (known.apart[near] / HERE) ** 2)
    # between the two: away from a place at which something was seen speaks against it
    off = ~near & ~np.isnan(known.apart)
    evidence[off] -= PLACE * np.minimum(1.0, (known.apart[off] - HERE) / (ELSEWHERE - HERE))
    evidence[known.expected] += ON_THE_WAY
    forbidden = _forbidden(known, cannot, settings)
    return constrained_average_linkage(evidence, forbidden, must=must), threshold, evidence


def _learned(
    tracklets: Sequence[Tracklet],
    compared: Floats,
    known: Gates,
    must: Pairs,
    cannot: Pairs,
    settings: AssociationSettings,
    prior: PairPrior,
) -> MatchingThreshold:
    """The line, from pairs of different cameras where there are such pairs: those of one camera look more alike."""
    n = len(tracklets)
    names = np.array([t.camera for t in tracklets])
    upper = np.triu(np.ones((n, n), dtype=np.bool_), 1)
    across = upper & (names[:, None] != names[None])
    pairs = across if across.any() else upper
    same, different = known.here.copy(), known.cannot.copy()
    for listed, mask, other in ((must, same, different), (cannot, different, same)):
        for a, b in listed:
            mask[a, b] = mask[b, a] = True
            other[a, b] = other[b, a] = False
    different &= ~same
    if not (pairs & different).any():
        pairs = upper
    return learn_threshold(
        compared[pairs & different],
        compared[pairs & same],
        compared[pairs & ~same & ~different],
        false_match_rate=settings.false_match_rate,
        prior=prior,
    )


def _check_pairs(n: int, must: Pairs, cannot: Pairs) -> None:
    for name, pairs in (("must", must), ("cannot", cannot)):
        for a, b in pairs:
            if not (0 <= a < n and 0 <= b < n and a != b):
                raise InputError(
                    f"{name} has the pair ({a}, {b}): expected two different numbers from 0 to {n - 1}"
                )
    joined = constrained_average_linkage(
        np.zeros((n, n)), np.zeros((n, n), dtype=np.bool_), must=must, least=np.inf
    )
    for a, b in cannot:
        if joined[a] == joined[b]:
            raise InputError(
                f"tracklets {a} and {b} cannot be one thing, and yet the pairs that must be join them: take one of the "
                "corrections back"
            )


def _by_time(groups: Integers, tracklets: Sequence[Tracklet]) -> Integers:
    """Groups numbered by their first sighting."""
    first: dict[int, tuple[float, int]] = {}
    for at, group in enumerate(groups.tolist()):
        first[group] = min(first.get(group, (np.inf, at)), (tracklets[at].start, at))
    order = {group: number for number, group in enumerate(sorted(first, key=lambda g: first[g]))}
    return np.array([order[group] for group in groups.tolist()], dtype=np.int64)
