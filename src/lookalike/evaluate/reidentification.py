"""Re-identification as the field measures it: CMC-k, mAP, mINP, with views of the query's own camera taken out.

A crop of the same person by the same camera is too easy and counts neither for nor against; so does junk (Zheng et al.
2015, https://doi.org/10.1109/ICCV.2015.133). Queries of people whom no other camera saw have no answer and are left
out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lookalike.errors import InputError
from lookalike.evaluate.ranks import Scores, check_k, hit, precision_steps, relevant_ranks


@dataclass(frozen=True, slots=True)
class Reidentification:
    """How well people are found again in other cameras.

    Args:
        cmc: k to the share of queries with the person among the first k.
        mean_average_precision: mAP.
        mean_inverse_negative_penalty: mINP: how early the last view of the person is found.
        queries: That have an answer.
    """

    cmc: dict[int, float]
    mean_average_precision: float
    mean_inverse_negative_penalty: float
    queries: int

    def as_dict(self) -> dict[str, float | int]:
        """By the usual names."""
        return {
            **{f"cmc@{k}": share for k, share in self.cmc.items()},
            "map": self.mean_average_precision,
            "minp": self.mean_inverse_negative_penalty,
            "queries": self.queries,
        }


def score_reidentification(
    scores: Scores,
    query_people: Sequence[str],
    query_cameras: Sequence[str],
    gallery_people: Sequence[str],
    gallery_cameras: Sequence[str],
    *,
    ks: Sequence[int] = (1, 5),
    junk: Sequence[str] = ("-1",),
) -> Reidentification:
    """Score a ranking of a gallery for each query.

    INP of a query is R / (rank of the last of its R views), the inverse of what Ye et al. 2021 penalise
    (https://arxiv.org/abs/2001.04193, section 4.1).

    Args:
        scores: float (q, n), greater is nearer.
        query_people, query_cameras: q of each.
        gallery_people, gallery_cameras: n of each.
        ks: Ranks for CMC.
        junk: People of the gallery who are left out of every ranking.

    Returns:
        The measures; NaN where no query has an answer.

    Raises:
        InputError: If numbers differ or a rank is below 1.
    """
    for k in ks:
        check_k(k)
    if scores.shape != (len(query_people), len(gallery_people)) or (
        len(query_people) != len(query_cameras) or len(gallery_people) != len(gallery_cameras)
    ):
        raise InputError(
            f"scores {scores.shape} for {len(query_people)} people and {len(query_cameras)} cameras of queries, "
            f"{len(gallery_people)} and {len(gallery_cameras)} of the gallery: expected (q, n), q and n"
        )
    same = _equal(query_people, gallery_people)
    excluded = (same & _equal(query_cameras, gallery_cameras)) | np.isin(
        np.array(gallery_people), list(junk)
    )[None]
    ranks = [found for found in relevant_ranks(scores, same, excluded=excluded) if len(found)]

    def mean(values: list[float]) -> float:
        return float(np.mean(values)) if values else float("nan")

    return Reidentification(
        cmc={k: mean([hit(found, k) for found in ranks]) for k in ks},
        mean_average_precision=mean([precision_steps(found) for found in ranks]),
        mean_inverse_negative_penalty=mean([len(found) / int(found[-1]) for found in ranks]),
        queries=len(ranks),
    )


def _equal(first: Sequence[str], second: Sequence[str]) -> npt.NDArray[np.bool_]:
    equal: npt.NDArray[np.bool_] = np.array(first)[:, None] == np.array(second)[None]
    return equal
