"""``lookalike demo``: the whole tour on the packaged sample."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import lookalike
from lookalike.cli.grammar import DONE
from lookalike.cli.output import print_json
from lookalike.cli.searching import print_hits
from lookalike.collection.opening import open_or_create

PHOTO = "customer/BlendSwapCC0-thonet_1.jpg"
NEXT = """
what to try next:
  lookalike search {shop} {photo} --where "price < 100 and in_stock" --group-by product
  lookalike search {shop} "wooden chair" --html {folder}/words.html
  lookalike search {shop} {item} --diversity 0.5
  lookalike info {shop}
  lookalike index YOUR_PHOTOS/ --to yours.lookalike
"""


def demo(options: argparse.Namespace) -> int:
    """Index the sample, answer a customer's photo, write a contact sheet."""
    folder = Path(options.to)
    folder.mkdir(parents=True, exist_ok=True)
    shop = folder / "sample.lookalike"
    page = folder / "answer.html"
    sample = lookalike.sample_path()
    photo = sample / PHOTO
    if not options.json:
        print(f"1. index 110 products, three pictures each, into {shop}", file=sys.stderr)
    with open_or_create(shop) as collection:
        ledger = collection.add(
            sample / "catalog", attributes=sample / "catalog.csv", key="file", progress=not options.json
        )
        result = collection.search(photo, k=8, group_by="product")
        result.save_html(page)
    if options.json:
        print_json({"ledger": ledger.to_dict(), "search": result.to_dict(), "html": str(page)})
        return DONE
    print(f"   {ledger.added} added, {ledger.unchanged} unchanged, {ledger.failed} failed", file=sys.stderr)
    print(f"2. which product is on this customer's photo?  {photo}\n", file=sys.stderr)
    print_hits(result)
    print(f"3. the same as a page to look at: {page.resolve()}", file=sys.stderr)
    print(NEXT.format(shop=shop, photo=photo, folder=folder, item=result[0].id), file=sys.stderr)
    return DONE
