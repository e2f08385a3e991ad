"""``lookalike facets``."""

from __future__ import annotations

import argparse

import lookalike
from lookalike.cli.grammar import DONE
from lookalike.cli.output import print_json
from lookalike.collection.counting import Facet


def facets(options: argparse.Namespace) -> int:
    """Count the values of a collection's items."""
    with lookalike.open(options.collection) as collection:
        found = collection.facets(options.attributes or None, where=options.where, most=options.most)
    if options.json:
        print_json(found.to_dict())
        return DONE
    print(f"{found.total:,} items")
    for name, facet in found.facets.items():
        print(f"\n{name}: {_summary(facet)}")
        for value, count in _rows(facet):
            print(f"{count:>9,}  {value}")
    return DONE


def _summary(facet: Facet) -> str:
    if facet.distinct is not None:
        what = f"{facet.distinct:,} values"
    elif facet.least is None:
        what = "no values"
    else:
        what = f"{facet.least:g} to {facet.greatest:g}"
    return f"{facet.type}, {what}, {facet.missing:,} items without"


def _rows(facet: Facet) -> list[tuple[str, int]]:
    if facet.distinct is not None:
        return [(str(each.value), each.count) for each in facet.values]
    return [(f"{each.low:g} to {each.high:g}", each.count) for each in facet.histogram]
