"""``lookalike recommend``."""

from __future__ import annotations

import argparse
import sys

import lookalike
from lookalike.cli.grammar import DONE
from lookalike.cli.output import print_json, print_table
from lookalike.collection.advising import HalfLife
from lookalike.collection.recommendation_result import Recommendation, Recommendations
from lookalike.errors import InputError
from lookalike.ingest.interactions import parse_time

MOST_INTERESTS = 5


def recommend(options: argparse.Namespace) -> int:
    """What a person should see next."""
    half_life = _half_life(options.half_life)
    at = None if options.at is None else parse_time(options.at)
    with lookalike.open(options.collection) as collection:
        if options.fit:
            learned = collection.fit_recommender(group_by=options.group_by)
            print(
                f"learned from {learned.provenance['events']:,} interactions of "
                f"{learned.provenance['users']:,} users",
                file=sys.stderr,
            )
        answer = collection.recommend(
            like=options.like,
            dislike=options.dislike,
            user=options.user,
            k=options.k,
            where=options.where,
            group_by=options.group_by,
            strategy=options.strategy,
            diversity=options.diversity,
            exploration=options.exploration,
            half_life=half_life,
            together=not options.looks_alone,
            target=options.target,
            again=options.again,
            at=at,
            seed=options.seed,
        )
        written = answer.save_html(options.html) if options.html else None
    if options.json:
        print_json(answer.to_dict() | ({"html": str(written)} if written else {}))
        return DONE
    _print(answer, options.group_by)
    _hint(answer, options.group_by)
    if written:
        print(f"page: {written}", file=sys.stderr)
    return DONE


def _half_life(text: str) -> HalfLife:
    if text in ("learned", "none"):
        return "learned" if text == "learned" else None
    try:
        return float(text)
    except ValueError:
        raise InputError(f"half-life {text!r}: expected a number of days, learned or none") from None


def _print(answer: Recommendations, group_by: str | None) -> None:
    """The answer as a table, and the interests it was made from."""
    rows = [
        [
            str(rank),
            *([str(each.attributes.get(group_by, ""))] if group_by else []),
            each.id,
            "" if each.interest is None else str(each.interest),
            f"{each.score:.3f}",
            _why(each),
        ]
        for rank, each in enumerate(answer, start=1)
    ]
    columns = ["", *([group_by] if group_by else []), "id", "interest", "score", "because of"]
    whom = f"for {answer.user}" if answer.user else "for the examples"
    print_table(f"recommended {whom}", columns, rows, right=["", "interest", "score"])
    if answer.interests:
        print_table(
            "interests",
            ["", "share", "stands for it", "examples"],
            [
                [str(number), f"{interest.importance:.0%}", interest.medoid, str(len(interest.members))]
                for number, interest in enumerate(answer.interests[:MOST_INTERESTS])
            ],
            right=["", "share", "examples"],
        )
    if not rows:
        print("nothing in the collection is left to recommend", file=sys.stderr)


def _hint(answer: Recommendations, group_by: str | None) -> None:
    """Say why a user is answered as a stranger."""
    counts = answer.provenance["interactions"]
    if answer.user is None or counts["used"]:
        return
    if not counts["unknown"]:
        print(f"nothing is known of the user {answer.user!r}", file=sys.stderr)
        return
    what = "an item's id" if group_by is None else f"an item's id or a {group_by}"
    remedy = (
        "group by the attribute that they name with --group-by" if group_by is None else "check --group-by"
    )
    print(
        f"none of the {counts['unknown']} interactions of {answer.user!r} names {what}: {remedy}, or add the items",
        file=sys.stderr,
    )


def _why(each: Recommendation) -> str:
    """The strongest reason in words."""
    if not each.because:
        return "exploring"
    reason = each.because[0]
    event = f" ({reason.event})" if reason.event else ""
    company = ", liked together" if reason.together > 0.5 else ""
    return f"{reason.id}{event}, {reason.similarity:.0%} alike{company}"
