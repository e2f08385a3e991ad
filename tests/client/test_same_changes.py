"""What changes a local collection changes a remote one in the same way."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from collection_pair import PICTURES, Pair
from plain_answers import told

import lookalike
from lookalike.errors import InputError
from loopback_server import serving

SAMPLE = lookalike.sample_path()
PHOTO = sorted((SAMPLE / "customer").glob("*.jpg"))[0]
OTHER = sorted((SAMPLE / "customer").glob("*.jpg"))[1]
IDS = [f"catalog/{path.name}" for path in sorted((SAMPLE / "catalog").glob("*.jpg"))][:PICTURES]
"""Of the collection."""

Call = Callable[[Any], Any]

CHANGES: dict[str, Call] = {
    "set attributes": lambda c: [
        c.set_attributes({IDS[0]: {"price": 7.5, "colour": "red", "tags": ["a", "b"]}, IDS[1]: {"price": None}}),
        c.item(IDS[0]),
        c.item(IDS[1]),
        c.attributes,
    ],
    "remove one": lambda c: [c.remove(IDS[0]), len(c), IDS[0] in c],
    "remove by filter": lambda c: [c.remove(where='category == "Kitchen"'), len(c)],
    "upload": lambda c: [
        c.upload(
            {"neu/Stück 1.jpg": PHOTO.read_bytes(), "b.jpg": b"no picture", "c.jpg": OTHER.read_bytes()},
            prefix="sent",
            attributes={"c.jpg": {"price": 3.0}, "absent.jpg": {"price": 4.0}},
            progress=False,
        ),
        c.upload([("c.jpg", OTHER.read_bytes())], prefix="sent", progress=False),
        c.item("sent/c.jpg"),
        c.search(OTHER, k=2),
    ],
    "cluster": lambda c: c.cluster(k=12, method="kmeans", attribute="group", seed=3),
    "name a cluster": lambda c: c.name_cluster(0, "the first"),
    "delete others": lambda c: [
        c.upload({"copy.jpg": Path(SAMPLE / IDS[0]).read_bytes()}, progress=False),
        c.delete_others(c.duplicates(kind="exact", progress=False)),
        len(c),
    ],
    "map": lambda c: [c.map(progress=False, colour_by="cluster"), c.map(progress=False, where="price < 200")],
    "map by attribute": lambda c: c.map(progress=False, colour_by="price", seed=2),
    "map by tag": lambda c: c.map(progress=False, colour_by=next(iter(c)).attributes["tags"][0]),
    "train": lambda c: (lambda t: [t.name, t.report, t.provenance, t.predict(IDS[40:43])])(
        c.train_classifier(dict(zip(IDS[:20], ["a", "b"] * 10, strict=True)), name="mine", method="prototypes")
    ),
    "classifiers": lambda c: [c.remove_classifier("category"), c.remove_classifier("category")],
    "predict labels": lambda c: [
        c.predict_labels(where="price < 50", progress=False),
        [(i.id, i.attributes.get("category_predicted")) for i in c],
    ],
    "record": lambda c: [
        c.record("eve", IDS[0], "purchase", time=datetime(2026, 2, 1, tzinfo=UTC), weight=2),
        c.record("eve", IDS[0], "purchase", time=datetime(2026, 2, 1, tzinfo=UTC), weight=2),
        c.interactions("eve"),
        c.recommend(user="eve", k=3, seed=1),
    ],
    "forget": lambda c: [c.forget_user("user 1"), c.interactions("user 1"), c.forget_user("nobody")],
    "weigh": lambda c: [c.set_event_weights({"wish": 3.0}), c.event_weights, c.set_event_weights({"wish": None})],
}  # fmt: skip


@pytest.mark.parametrize("name", CHANGES)
def test_a_change_is_the_same_change(fresh: Pair, name: str) -> None:
    assert told(CHANGES[name](fresh.remote)) == told(CHANGES[name](fresh.local))


def test_a_folder_is_added_as_it_is_here(tmp_path: Path, pictures: Path, sample: Path) -> None:
    (pictures / "broken.jpg").write_bytes(b"no picture")
    (pictures / "below").mkdir()
    (pictures / "below" / "ü b.jpg").write_bytes(PHOTO.read_bytes())
    table = tmp_path / "table.csv"
    names = sorted(path.name for path in pictures.glob("*_0.jpg"))
    table.write_text(
        "id,price\n" + "".join(f"pictures/{name},{n}.5\n" for n, name in enumerate(names)) + "gone,1\n"
    )
    seen: list[int] = []
    with (
        lookalike.create(tmp_path / "a.lookalike") as local,
        lookalike.create(tmp_path / "b.lookalike") as held,
        serving({"b": held}) as url,
        lookalike.connect(url) as remote,
    ):
        ledgers = [
            each.add(pictures, attributes=table, progress=lambda state: seen.append(state.ledger.accounted))
            for each in (local, remote)
        ]
        plain = [told(each) for each in ledgers]
        assert plain[0] == plain[1]
        assert ledgers[1].added == 13 and ledgers[1].failed == 1 and seen[-1] == 13 + 1
        assert [told(item) for item in remote] == sorted(
            [told(item) for item in local], key=lambda item: [i.id for i in remote].index(item["id"])
        )
        again = remote.add(pictures, progress=False)
        assert (again.added, again.unchanged, again.failed) == (0, 13, 1)
        with pytest.raises(InputError, match="no key of the attributes table"):
            remote.add(pictures, attributes=sample / "catalog.csv", key="file", progress=False)
        with pytest.raises(InputError, match="no source"):
            remote.add()


def test_interactions_of_a_file_are_those_of_the_file(fresh: Pair, tmp_path: Path) -> None:
    table = tmp_path / "events.csv"
    table.write_text(
        "user,item,event,time\n"
        f"ann,{IDS[0]},view,2026-03-01T10:00:00Z\n"
        f"ann,{IDS[0]},view,2026-03-01T10:00:00Z\n"
        f"bob,{IDS[1]},purchase,2026-03-01T11:00:00.123456+02:00\n"
        "bob,unheard of,view,2026-03-02T00:00:00Z\n"
        "bob,,view,2026-03-02T00:00:00Z\n"
    )
    ledgers = [each.add_interactions(table, progress=False) for each in fresh]
    assert told(ledgers[0]) == told(ledgers[1])
    assert (ledgers[1].added, ledgers[1].known, ledgers[1].failed, ledgers[1].unmatched_items) == (3, 1, 1, 1)
    assert fresh.remote.interactions("bob") == fresh.local.interactions("bob")
