"""A search's answer as one self-contained HTML page."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from html import escape
from importlib.resources import files
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

_PAGE = Template((files(__package__) / "contact_sheet.html").read_text(encoding="utf-8"))

_CARD = Template("""<li>
<figure><img src="$source" alt="$id"><span class="rank">$rank</span></figure>
<div class="body">
<div class="name">$id</div>
<div class="strength" title="$explained">
<div class="bar"><i style="width:$percent%"></i></div><span>$figures</span>
</div>
$attributes
$tags
</div>
</li>""")


def contact_sheet(result: SearchResult) -> str:
    """The page as text; attributes and names of users are escaped, pictures are embedded."""
    picture = ""
    if result.query_thumbnail is not None:
        picture = f'<img src="{_data(result.query_thumbnail)}" alt="the query">'
    thumbnails = result.thumbnails([hit.id for hit in result])
    cards = [_card(rank, hit, thumbnails.get(hit.id, b"")) for rank, hit in enumerate(result, start=1)]
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
    return (
        '<div class="tags">' + "".join(f"<span>{escape(tag)}</span>" for tag in tags[:MOST_TAGS]) + "</div>"
    )


def _text(value: AttributeValue) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:g}" if isinstance(value, float) else str(value)


def _data(webp: bytes) -> str:
    return "data:image/webp;base64," + base64.b64encode(webp).decode("ascii")


def _provenance(provenance: Mapping[str, object]) -> str:
    return "  ·  ".join(
        f"{name}: {value}" for name, value in provenance.items() if not isinstance(value, dict)
    )
