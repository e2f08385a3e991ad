"""Interactions of invented users with the sample's products: each has a favourite category."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

from lookalike.types import Interaction

START = datetime(2026, 1, 1, tzinfo=UTC)
SPLIT = "2026-03-01"
EVENTS = ("view", "like", "cart", "purchase", "dislike")


def visits(
    sample: Path, *, users: int = 120, each: int = 16, newcomers: int = 3, seed: int = 0
) -> list[Interaction]:
    """Interactions of January to March 2026; the newcomers come in March.

    Args:
        sample: The packaged sample.
        users, each: How many users, and interactions of each.
        newcomers: Further users, who have no past before ``SPLIT``.
        seed: Of everything.
    """
    return list(_visits(sample, users, each, newcomers, seed))


def _visits(sample: Path, users: int, each: int, newcomers: int, seed: int) -> Iterator[Interaction]:
    rng = np.random.default_rng(seed)
    with (sample / "products.csv").open(encoding="utf-8", newline="") as file:
        products = [(row["id"], row["category"]) for row in csv.DictReader(file)]
    categories = sorted({category for _, category in products})
    for number in range(users + newcomers):
        favourite = categories[number % len(categories)]
        odds = np.array([12.0 if category == favourite else 1.0 for _, category in products])
        since = 0.0 if number < users else 62.0
        for _ in range(each):
            product = products[int(rng.choice(len(products), p=odds / odds.sum()))][0]
            event = EVENTS[int(rng.choice(len(EVENTS), p=[0.5, 0.2, 0.1, 0.1, 0.1]))]
            yield Interaction(
                f"user {number}", product, event, START + timedelta(days=float(rng.uniform(since, 90)))
            )


def warm_users(interactions: list[Interaction], *, split: datetime) -> set[str]:
    """Users with a past who liked, put in the cart or bought something new to them from the split on."""
    seen = {(each.user, each.item) for each in interactions if each.time < split}
    later = [
        each for each in interactions if each.time >= split and each.event in ("like", "cart", "purchase")
    ]
    return {each.user for each in later if (each.user, each.item) not in seen} & {user for user, _ in seen}


def write_table(path: Path, interactions: list[Interaction], **renamed: str) -> Path:
    """As a table with the columns user, item, event, time; ``renamed`` gives some of them other names."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([renamed.get(name, name) for name in ("user", "item", "event", "time")])
        writer.writerows((each.user, each.item, each.event, each.time.isoformat()) for each in interactions)
    return path
