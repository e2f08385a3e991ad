"""A search's answer as one self-contained HTML page."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from html import escape
from string import Template

from lookalike.collection.result import SearchResult
from lookalike.types import TAGS, AttributeValue, Hit

SAID_BY = {
    "image": "compared with the picture",
    "item": "compared with an item of the collection",
    "vector": "compared with a vector",
    "text": "compared with the text by the encoder's text tower",
    "words": "matched against tags and attributes; this encoder has no text tower",
    "mixed": "compared with several examples",
}
MOST_ATTRIBUTES = 6
MOST_TAGS = 4

_PAGE = Template("""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
<title>$title</title>
<style>
:root {
  color-scheme: light dark;
  --page: light-dark(#f6f6f3, #16181c); --card: light-dark(#fff, #1f2228); --ink: light-dark(#1d2026, #eceef2);
  --soft: light-dark(#5d6470, #a2a9b6); --line: light-dark(#e2e2dc, #333842); --accent: light-dark(#0b6e4f, #4fcf9f);
  --bar: light-dark(#e6e8e3, #343a44); --mat: #fff;
}
* { box-sizing: border-box; }
body { margin: 0; padding: 2rem clamp(1rem, 4vw, 3rem); background: var(--page); color: var(--ink);
  font: 15px/1.45 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif; }
header { display: flex; gap: 1.5rem; align-items: center; margin-bottom: 2rem; flex-wrap: wrap; }
header img { width: 168px; height: 168px; object-fit: cover; border-radius: 14px; outline: 3px solid var(--accent); outline-offset: 3px; }
h1 { font-size: 1.45rem; margin: 0 0 .3rem; overflow-wrap: anywhere; }
p { margin: .15rem 0; color: var(--soft); }
ol { list-style: none; margin: 0; padding: 0; display: grid; gap: 1.1rem; grid-template-columns: repeat(auto-fill, minmax(208px, 1fr)); }
li { background: var(--card); border: 1px solid var(--line); border-radius: 14px; overflow: hidden; display: flex; flex-direction: column; }
figure { margin: 0; background: var(--mat); aspect-ratio: 1; display: grid; place-items: center; position: relative; }
figure img { width: 100%; height: 100%; object-fit: contain; display: block; }
.rank { position: absolute; left: .6rem; top: .6rem; background: rgb(0 0 0 / .62); color: #fff; border-radius: 99px; padding: .05rem .55rem; font-size: .8rem; }
.body { padding: .8rem .9rem 1rem; display: grid; gap: .45rem; }
.name { font-weight: 600; overflow-wrap: anywhere; }
.strength { display: grid; grid-template-columns: 1fr auto; gap: .6rem; align-items: center; font-variant-numeric: tabular-nums; font-size: .85rem; }
.bar { height: 6px; border-radius: 6px; background: var(--bar); overflow: hidden; }
.bar i { display: block; height: 100%; background: var(--accent); border-radius: 6px; }
dl { display: grid; grid-template-columns: auto 1fr; gap: .1rem .7rem; margin: 0; font-size: .85rem; }
dt { color: var(--soft); } dd { margin: 0; text-align: right; overflow-wrap: anywhere; }
.tags { display: flex; flex-wrap: wrap; gap: .3rem; }
.tags span { font-size: .75rem; border: 1px solid var(--line); border-radius: 99px; padding: .05rem .5rem; color: var(--soft); }
footer { margin-top: 2rem; font-size: .8rem; color: var(--soft); overflow-wrap: anywhere; }
@media print { body { background: #fff; } li { break-inside: avoid; } }
</style>
</head>
<body>
<header>$picture<div><h1>$title</h1><p>$said</p><p>$count</p></div></header>
<main><ol>
$cards
</ol></main>
<footer>$footer</footer>
</body>
</html>
""")

_CARD = Template("""<li>
<figure><img src="$source" alt="$id"><span class="rank">$rank</span></figure>
<div class="body">
<div class="name">$id</div>
<div class="strength" title="$explained"><div class="bar"><i style="width:$percent%"></i></div><span>$figures</span></div>
$attributes
$tags
</div>
</li>""")


def contact_sheet(result: SearchResult) -> str:
    """The page as text; attributes and names of users are escaped, pictures are embedded."""
    picture = ""
    if result.query_thumbnail is not None:
        picture = f'<img src="{_data(result.query_thumbnail)}" alt="the query">'
    cards = [
        _card(rank, hit, thumbnail)
        for rank, (hit, thumbnail) in enumerate(zip(result.hits, result.thumbnails(), strict=True), start=1)
    ]
    count = f"{len(result.hits)} hits" if result.hits else "Nothing in the collection matches."
    return _PAGE.substitute(
        title=escape(f"Looks like {result.query}" if result.answered_by != "words" else result.query),
        picture=picture,
        said=escape(SAID_BY[result.answered_by]),
        count=escape(count),
        cards="\n".join(cards),
        footer=escape(_provenance(result.provenance)),
    )


def _card(rank: int, hit: Hit, thumbnail: bytes) -> str:
    strength = hit.strength
    return _CARD.substitute(
        source=_data(thumbnail),
        id=escape(hit.id),
        rank=rank,
        percent=f"{100 * (hit.score if strength is None else strength):.1f}",
        figures=f"{hit.score:.3f}" if strength is None else f"{strength:.0%} · {hit.score:.3f}",
        explained="word match" if strength is None else "match strength · cosine similarity",
        attributes=_attributes(hit.attributes),
        tags=_tags(hit.attributes.get(TAGS)),
    )


def _attributes(attributes: Mapping[str, AttributeValue]) -> str:
    shown = [(n, v) for n, v in attributes.items() if n != TAGS and v is not None][:MOST_ATTRIBUTES]
    rows = "".join(f"<dt>{escape(name)}</dt><dd>{escape(_text(value))}</dd>" for name, value in shown)
    return f"<dl>{rows}</dl>" if rows else ""


def _tags(tags: AttributeValue) -> str:
    if not isinstance(tags, list) or not tags:
        return ""
    return '<div class="tags">' + "".join(f"<span>{escape(tag)}</span>" for tag in tags[:MOST_TAGS]) + "</div>"


def _text(value: AttributeValue) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:g}" if isinstance(value, float) else str(value)


def _data(webp: bytes) -> str:
    return "data:image/webp;base64," + base64.b64encode(webp).decode("ascii")


def _provenance(provenance: Mapping[str, object]) -> str:
    return "  ·  ".join(f"{name}: {value}" for name, value in provenance.items() if not isinstance(value, dict))
