"""Grammar of `lookalike recommend`."""

from __future__ import annotations

from lookalike.cli.grammar import Commands, add_collection, command


def add(commands: Commands) -> None:
    """Add it."""
    parser = command(
        commands, "recommend", "recommending:recommend", "what a person should see next, and why"
    )
    add_collection(parser)
    whom = parser.add_argument_group("for whom (at least one)")
    whom.add_argument(
        "--like",
        nargs="+",
        action="extend",
        default=[],
        metavar="ID|IMAGE",
        help="items, values of the --group-by attribute or pictures that are liked",
    )
    whom.add_argument(
        "--dislike", nargs="+", action="extend", default=[], metavar="ID|IMAGE", help="the same, disliked"
    )
    whom.add_argument("--user", metavar="USER", help="somebody whose interactions the collection has")
    whom.add_argument(
        "--fit", action="store_true", help="first learn anew from all interactions what goes together"
    )
    parser.add_argument("-k", type=int, default=12, metavar="N", help="how many (default: 12)")
    parser.add_argument("--where", metavar="EXPR", help="filter, such as: price < 300 and in_stock")
    parser.add_argument(
        "--group-by", metavar="ATTR", help="recommend values of this attribute, such as a product with views"
    )
    parser.add_argument(
        "--strategy",
        default="interests",
        choices=("interests", "average_vector", "best_score", "sum_scores", "discover", "context"),
        help="interests, or one of Qdrant's formulas (default: interests)",
    )
    parser.add_argument("--target", metavar="ID|IMAGE", help="what the strategy discover looks for")
    parser.add_argument("--diversity", type=float, default=0.0, metavar="F", help="0 (default) to 1")
    parser.add_argument(
        "--exploration",
        type=float,
        metavar="F",
        help="share that explores, 0 to 1 (default: by what is known)",
    )
    parser.add_argument(
        "--half-life",
        default="learned",
        metavar="DAYS",
        help="days after which an interaction counts half; learned (default), or none",
    )
    parser.add_argument(
        "--looks-alone", action="store_true", help="leave out what other people liked together"
    )
    parser.add_argument("--again", action="store_true", help="also what the user met before")
    parser.add_argument("--at", metavar="T", help="the time that is now, ISO 8601 (default: now)")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="of what is explored (default: 0)")
    parser.add_argument("--html", metavar="FILE", help="write a page with pictures and reasons")
