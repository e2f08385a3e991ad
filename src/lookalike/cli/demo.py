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
  lookalike search {shop} {photo} --regions windows --where "price < 200" --group-by product
  lookalike search {shop} "wooden chair" --html {folder}/words.html
  lookalike cluster {shop} --granularity coarse --html {folder}/kinds.html
  lookalike classify train {shop} --label category --group-by product --html {folder}/category.html
  lookalike reduce {shop} --measure --html {folder}/sizes.html
  lookalike layers {photo} --html {folder}/layers.html
  lookalike index YOUR_PHOTOS/ --to yours.lookalike
"""


def demo(options: argparse.Namespace) -> int:
    """Index the sample, answer a customer's photo, say why, group and map the catalogue; a page of each."""
    folder = Path(options.to)
    folder.mkdir(parents=True, exist_ok=True)
    shop = folder / "sample.lookalike"
    pages = {name: folder / f"{name}.html" for name in ("answer", "why", "groups", "map")}
    sample = lookalike.sample_path()
    photo = sample / PHOTO

    def say(text: str) -> None:
        if not options.json:
            print(text, file=sys.stderr)

    say(f"1. index 110 products, three pictures each, into {shop}")
    with open_or_create(shop) as collection:
        ledger = collection.add(
            sample / "catalog", attributes=sample / "catalog.csv", key="file", progress=not options.json
        )
        say(f"   {ledger.added} added, {ledger.unchanged} unchanged, {ledger.failed} failed")
        say(f"2. which product is on this customer's photo?  {photo}\n")
        result = collection.search(photo, k=8, group_by="product")
        result.save_html(pages["answer"])
        if not options.json:
            print_hits(result)
        say("3. where do the photo and the best answer look alike?")
        collection.explain(photo, result[0].id).save_html(pages["why"])
        say("4. group the catalogue by what it looks like")
        groups = collection.cluster()
        groups.save_html(pages["groups"])
        say(f"   {len(groups.names)} groups, {len(groups.noise)} items in none")
        say("5. lay it out in a plane")
        collection.map(colour_by="category", progress=False).save_html(pages["map"])
    if options.json:
        print_json(
            {
                "ledger": ledger.to_dict(),
                "search": result.to_dict(),
                "groups": len(groups.names),
                "html": str(pages["answer"]),
                "pages": {name: str(page) for name, page in pages.items()},
            }
        )
        return DONE
    say("\nlook at:\n" + "\n".join(f"  {page.resolve()}" for page in pages.values()))
    say(NEXT.format(shop=shop, photo=photo, folder=folder))
    return DONE
